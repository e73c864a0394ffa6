--- Every number and limit in README.md, and in what lua/history.lua says before its code, is proved: a list
-- of what they say, each with the spec or the script that shows it. A number that is not in the list fails; so
-- does a proof that is not there.
local lfs = require("lfs")
local helper = require("spec.support.helper")

local BENCH = "spec/bench/jobs/"

-- What README.md says, and where its proofs are: a file and a text in it, the spec's name or the row's.
local CLAIMS = {
  { "for LuaJIT and Lua 5.1 to 5.5", "spec/project/build_spec.lua", "gives no warning and works with " },
  { "on Debian 12 by apt-get", "spec/project/deps_spec.lua", "says how to install it on Debian" },
  { "takes `DESTDIR` and `LUA_VERSION=5.4`", "spec/project/build_spec.lua", "installs its files, and uninstalls them" },
  { "Add `--deps-mode=none`", "spec/project/package_spec.lua", "is made into an empty tree" },
  { "Fifteen lines", "spec/project/claims_spec.lua", "are no more than the heading says" },
  { "exclusive handles: 0; others: 5", "spec/promises/wait_spec.lua", "is waited for %d seconds by %s" },
  { "`\"2026-01-02\"`, `\"2026-01-02T10:15:00Z\"` or seconds since 1970", "spec/memory/filter_spec.lua", "in seconds is every day of four centuries" },
  { "(searches: 20)", "spec/session/search_spec.lua", "gives 20 hits, or as many as the limit says",
    "spec/session/retrieve_spec.lua", "gives the newest where the text has no word, 20 of them",
    "spec/memory/recall_spec.lua", "gives the newest where the text has no word, 20 of them" },
  { "64-bit integers are kept where Lua has them", "spec/binding/encode_spec.lua",
    "writes those of Lua 5.3 and later, and reads them, to the last digit" },
  { "A line holds less than 2 GiB", "spec/regression/long_line_spec.lua", "a line of 2 GiB" },
  { "a value 1,000 levels", "spec/binding/decode_spec.lua", "reads 1,000 levels", "spec/binding/encode_spec.lua", "writes 1,000 levels" },
  { "a query 4,096 bytes and 64 words", "spec/memory/rank_spec.lua", "may have 4,096 bytes or 64 words",
    "spec/memory/rank_spec.lua", "has 65 words" },
  { "between white space", "spec/memory/rank_spec.lua", "splits the query at white space" },
  { "a session that is listed or searched 4 GiB", "spec/session/summary_spec.lua", "larger than 4 GiB",
    "spec/session/search_spec.lua", "larger than 4 GiB" },
  { "about 24 bytes an item", BENCH .. "open.lua", "memory of an open handle" },
  { "50 more after a search", BENCH .. "recall.lua", "memory that the first search adds" },
  { "`wait = 0.1` is the longest", "spec/nvim/plugin.lua", "local LOCK = { wait = 0.1," },
  { "locked, waiting up to 5 seconds", "spec/promises/wait_spec.lua", 'case(5, "a session"' },
  { "0600, directories 0700", "spec/binding/memory_handle_spec.lua", "makes files 0600 and directories 0700, less the umask" },
  { "0600 and directories 0700", "spec/binding/memory_handle_spec.lua", "makes files 0600 and directories 0700, less the umask" },
  { "not 14", "spec/regression/number_fidelity_spec.lua", "where a pass through 14 digits would show" },
}

-- Names that have a number in them.
local NAMES = { "UTF%-8", "UTF%-16", "BM25", "FTS5" }

local function even(text) return (text:gsub("%s+", " ")) end

--- README.md without code and without the figures, which spec/project/readme_spec.lua compares with
-- spec/bench/RESULTS.md; and the head of lua/history.lua.
local function prose()
  local text = ("\n" .. helper.read("README.md")):gsub("\n```.-\n```", "\n")
  local first, last = text:find("<!%-%- Copied from spec/bench/RESULTS%.md.-Measured on: [^\n]*")
  return even(text:sub(1, first - 1) .. text:sub(last + 1) .. helper.read("lua/history.lua"):match("^(.-)\nlocal "))
end

local function cut_out(text, part)
  local first, last = text:find(part, 1, true)
  return first and text:sub(1, first - 1) .. "~" .. text:sub(last + 1)
end

describe("the numbers of README.md #build", function()
  it("are each in the list, and what is in the list is in README.md", function()
    local rest = prose():gsub("%]%b()", "]")
    for _, claim in ipairs(CLAIMS) do
      rest = assert(cut_out(rest, claim[1]), "README.md does not say: " .. claim[1])
    end
    for _, name in ipairs(NAMES) do rest = rest:gsub(name, "") end
    local place = rest:find("%d")
    assert(not place, "not in the list: " .. rest:sub(math.max(1, (place or 0) - 60), (place or 0) + 60))
  end)

  it("are each proved", function()
    for _, claim in ipairs(CLAIMS) do
      for index = 2, #claim, 2 do
        local text = helper.read(claim[index])
        assert(text:find(claim[index + 1], 1, true), ("%s: nothing in %s is called %q"):format(claim[1], claim[index], claim[index + 1]))
      end
    end
  end)

  it("of lines are no more than the heading says", function()
    local example = helper.read("README.md"):match("## Fifteen lines\n\n```lua\n(.-)```")
    assert.equal(15, select(2, example:gsub("\n", "")))
  end)
end)

describe("each figure of RESULTS.md #build", function()
  it("is of a job that a script does", function()
    local scripts, rows = helper.read("spec/bench/collections.lua"), 0
    for name in lfs.dir(BENCH) do
      if name:find("%.lua$") then scripts = scripts .. helper.read(BENCH .. name) end
    end
    local section = helper.read("spec/bench/RESULTS.md"):match("\n## Against the limits and the peers\n(.-)\n## ")
    for job in section:gmatch("\n| ([^|]-) |[^\n]*") do
      if job ~= "job" and job ~= "---" then
        rows = rows + 1
        assert(scripts:find(job:match("^[^%d,:]+"), 1, true), job) -- its first words
      end
    end
    assert(rows > 20)
  end)
end)
