--- README.md says what is: its examples give what they say, its commands and files exist, its figures
-- are those of the results, and nothing that is public is left out.
--
-- The examples, blocks marked lua, are one program that is run in an empty directory. In it
--
--     code --> values          the results of an expression, or what an assignment assigned
--     print(code) --> text     what is printed
--     --> text                 the next line that was printed before it
--
-- are expectations. Strings are in quotes and tables as Lua writes them, with sorted keys; `...` stands
-- for anything, white space for other white space.
local lfs = require("lfs")
local stdlib = require("posix.stdlib")
local helper = require("spec.support.helper")
local shell = require("spec.support.shell")
local bindings = require("spec.support.bindings")
local command = require("spec.support.command")
local aish_history = require("aish_history")
local history = require("history")
local secrets = require("aish_history.secrets")
local figures = dofile("spec/bench/readme.lua")

local quote = helper.quote
local text = helper.read("README.md")
local compile = loadstring

--- The lines of README.md; those outside of blocks of a language are "" if one is named.
local function lines_of(language)
  local lines, inside = {}, nil
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do
    local fence = line:match("^%s*```(.*)$")
    if fence then inside = not inside and fence or nil end
    lines[#lines + 1] = (not language or inside == language and not fence) and line or ""
  end
  return lines
end

-- ---- examples ----

local function show(value)
  if type(value) == "string" then return '"' .. value:gsub('[\\"]', "\\%0"):gsub("\n", "\\n") .. '"' end
  if type(value) ~= "table" then return tostring(value) end
  local parts, names = {}, {}
  for index, element in ipairs(value) do parts[index] = show(element) end
  for name in pairs(value) do
    if type(name) == "string" then names[#names + 1] = name end
  end
  table.sort(names)
  for _, name in ipairs(names) do parts[#parts + 1] = name .. " = " .. show(value[name]) end
  return "{" .. table.concat(parts, ", ") .. "}"
end

local function show_all(...)
  local parts = {}
  for index = 1, select("#", ...) do parts[index] = show((select(index, ...))) end
  return #parts > 0 and table.concat(parts, ", ") or "nil"
end

local function even(string) return (string:gsub("%s+", " "):gsub("^ ", ""):gsub(" $", "")) end

local function assert_shows(expected, got, number)
  local pattern = even(expected):gsub("%.%.%.", "\1"):gsub("[%^%$%(%)%%%.%[%]%*%+%-%?]", "%%%0"):gsub("\1", ".-")
  assert(even(got):find("^" .. pattern .. "$"),
    ("README.md:%d: expected  %s\n                got  %s"):format(number, expected, got))
end

--- The lines from `first` to `last` with calls put around them.
local function wrap(lines, first, last, before, after)
  lines[first] = before .. lines[first]
  lines[last] = lines[last] .. after
end

--- Turns the expectation behind the code in line `number` into a call of `expect`.
local function wire(lines, number, code, expected)
  lines[number] = code
  local first, whole = number, code
  while not compile("return " .. whole) and not compile(whole) do
    first = first - 1
    assert(first > 0, ("README.md:%d: no code to compare with"):format(number))
    whole = lines[first] .. "\n" .. whole
  end
  local names = not compile("return " .. whole) and (whole:match("^local ([%w_, ]+) =") or whole:match("^([%w_., ]+) ="))
  local call = ("expect(%d, %q, "):format(number, expected)
  if whole:find("^print%(") then wrap(lines, first, number, "", (" expect_printed(%d, %q)"):format(number, expected))
  elseif names then wrap(lines, first, number, "", " " .. call .. names .. ")")
  else wrap(lines, first, number, call, ")") end
end

--- The examples as one program, line by line where they stand in README.md.
local function program()
  local lines = lines_of("lua")
  for number = 1, #lines do
    local code, expected = lines[number]:match("^(.-)%s*%-%->%s*(.-)%s*$")
    if code == "" then lines[number] = ("expect_printed(%d, %q)"):format(number, expected)
    elseif code then wire(lines, number, code, expected) end
  end
  return table.concat(lines, "\n")
end

--- What the program finds in place of the globals.
local function stage(counts)
  local printed = {}
  local function expect(number, expected, ...)
    counts.expected = counts.expected + 1
    assert_shows(expected, show_all(...), number)
  end
  return setmetatable({
    expect = expect,
    expect_printed = function(number, expected)
      counts.expected = counts.expected + 1
      assert_shows(expected, assert(table.remove(printed, 1), "README.md:" .. number .. ": nothing was printed"), number)
    end,
    print = function(...)
      local parts = {}
      for index = 1, select("#", ...) do parts[index] = tostring((select(index, ...))) end
      printed[#printed + 1] = table.concat(parts, "\t")
    end,
    left = function() return printed end,
  }, { __index = _G })
end

describe("README: the examples", function()
  helper.guard(before_each, after_each)

  it("are Lua as they stand, to be copied", function()
    for block in text:gmatch("```lua\n(.-)```") do assert(compile(block)) end
  end)

  it("give what they say", function()
    local counts = { expected = 0 }
    local globals = stage(counts)
    local run = setfenv(assert(compile(program(), "=README.md")), globals)
    assert(lfs.chdir(helper.tmpdir()))
    local done, message = pcall(run)
    assert(lfs.chdir(helper.root))
    assert(done, message)
    assert.same({}, globals.left())
    assert.equal(select(2, table.concat(lines_of("lua"), "\n"):gsub("%-%->", "")), counts.expected)
  end)

  it("show files as they are", function()
    for number, line in ipairs(lines_of("json")) do
      if line ~= "" then assert.equal("table", type(aish_history.decode(line)), "README.md:" .. number) end
    end
  end)
end)

-- ---- names ----

--- Whether `name` is somewhere in README.md as a word of code.
local function is_named(name)
  for code in text:gmatch("`([^`\n]+)`") do
    if (" " .. code .. " "):find("[^%w_]" .. name .. "[^%w_]") then return true end
  end
  return false
end

--- The methods of all classes, as the bindings list them.
local function methods()
  local names = {}
  for _, file in ipairs(shell.files("csrc/binding")) do
    for name in pairs(bindings.methods(file)) do names[name] = true end
  end
  assert(names.add and names.append and names.close)
  return names
end

local function exists(path) return lfs.attributes(path) ~= nil end

describe("README: what it names", function()
  helper.guard(before_each, after_each)

  it("is every public function and constant", function()
    for name in pairs(aish_history) do assert(is_named(name) or text:find("aish_history." .. name, 1, true), name) end
    for name in pairs(history) do assert(is_named(name), name) end
    for name in pairs(secrets) do assert(is_named(name), name) end
  end)

  it("is every method of the handles, in an example", function()
    local examples = table.concat(lines_of("lua"), "\n")
    for name in pairs(methods()) do assert(examples:find("[%w_]:" .. name .. "%("), name) end
  end)

  it("exists in the modules", function()
    for module, name in text:gsub("%-%->[^\n]*", ""):gmatch("%f[%w_]([%w_]+)%.([%w_]+)") do
      if module == "aish_history" and name ~= "so" and name ~= "c" then
        assert(aish_history[name] ~= nil or package.loaded["aish_history." .. name], name)
      end
      if module == "history" and name ~= "lua" then assert(history[name] ~= nil, name) end
    end
  end)

  it("is a spec for each guarantee", function()
    local count = 0
    for row in text:match("\n## Guarantees\n(.-)\n## "):gmatch("\n(| [^\n]+)") do
      local shown = row:match("([^|]*)|$")
      for name in shown:gmatch("`([^`]+)`") do
        count = count + 1
        assert(exists("spec/" .. (name:find("/") and "" or "promises/") .. name .. "_spec.lua"), name)
      end
      assert(shown:find("`") or shown:find("shown by") or shown:find("---"), row)
    end
    assert(count >= 10)
  end)

  it("exists as files, and every spec among them", function()
    local sources = {}
    for _, path in ipairs(shell.files("csrc")) do sources[path:match("[^/]*$")] = true end
    for target in text:gmatch("%]%(([^)#]+)%)") do assert(exists(target), target) end
    for code in text:gmatch("`([^`\n]+)`") do
      for path in code:gmatch("[%w_./-]+") do
        local folder = path:match("^([%w_.]+)/")
        if folder == "build" then folder = nil end
        if folder and lfs.attributes(folder, "mode") == "directory" or path:find("_spec%.lua$") then
          assert(exists((path:gsub("/$", ""))), path)
        end
        if path:find("^[%w_]+%.[ch]$") then assert(sources[path], path) end
      end
    end
  end)
end)

-- ---- figures ----

describe("README: the figures #build", function()
  helper.guard(before_each, after_each)

  it("are those of RESULTS.md; luajit spec/bench/readme.lua renews them", function()
    local renewed, missing = figures.renewed(text, helper.read("spec/bench/RESULTS.md"))
    assert.same({}, missing)
    assert(renewed == text, "they are others")
  end)
end)

-- ---- commands ----

local function words_of(line)
  local words = {}
  for word in line:gmatch("%S+") do words[#words + 1] = word end
  return words
end

--- The words of each command in the blocks marked sh, but for those that call aish-history.
local function commands()
  local found = {}
  for _, line in ipairs(lines_of("sh")) do
    if line ~= "" and not line:find("aish-history ", 1, true) then found[#found + 1] = words_of(line) end
  end
  return found
end

describe("README: the calls of aish-history #build", function()
  helper.guard(before_each, after_each)

  it("look as in the picture; luajit spec/run/screen.lua >spec/run/screen.svg renews it", function()
    if not pcall(shell.run, "command -v tmux") then pending("tmux is missing") end
    assert.equal(helper.read("spec/run/screen.svg"), shell.run("luajit spec/run/screen.lua"))
  end)

  it("find what they look for", function()
    local dir, count = command.history(), 0
    helper.write(dir .. "/sessions/2026-01-01.jsonl", '{"role":"user","content":"Does the NAS keep backups?"}\n')
    for _, line in ipairs(lines_of("sh")) do
      if line:find("aish-history ", 1, true) then
        count = count + 1
        local output, code = command.shell(dir, line)
        assert(code == 0 and output ~= "", line .. "\n" .. output)
      end
    end
    assert(count >= 5)
  end)
end)

describe("README: the commands #build", function()
  helper.guard(before_each, after_each)

  -- Built once, and quickly.
  local root, build
  setup(function()
    root = assert(stdlib.mkdtemp("/tmp/aish_history.XXXXXX"))
    build = shell.make .. "-s BUILD=" .. quote(root .. "/build") .. " CFLAGS=-O0 "
    shell.run(build)
  end)
  teardown(function() shell.run("rm -rf " .. quote(root)) end)

  it("of make are targets and variables of the Makefile", function()
    local makefile = "\n" .. helper.read("Makefile") .. helper.read("spec/bench/Makefile")
    local found = commands()
    for code in text:gmatch("`(make [^`\n]*)`") do found[#found + 1] = words_of(code) end
    for code in text:gmatch("`([A-Z_]+=[^`\n]*)`") do found[#found + 1] = { "make", code } end
    assert(#found >= 10)
    for _, words in ipairs(found) do
      for index = 2, words[1] == "make" and #words or 0 do
        local variable = words[index]:match("^([A-Z_]+)=")
        local pattern = variable and "[%s(,]" .. variable .. "[%s),]" or "\n" .. words[index]:gsub("%-", "%%-") .. ":"
        assert(makefile:find(pattern), table.concat(words, " "))
      end
    end
  end)

  it("are each of a kind that is tried here", function()
    for _, words in ipairs(commands()) do
      assert(words[1] == "make" or words[1] == "luarocks", table.concat(words, " "))
    end
  end)

  it("build, help, install, uninstall and clean", function()
    local into, installed = helper.tmpdir(), nil
    assert(exists(root .. "/build/aish_history.so"))
    assert(shell.run(build .. "help"):find("make test ", 1, true))
    for _, words in ipairs(commands()) do
      local line = table.concat(words, " ", 2):gsub(" DESTDIR=%S+", "")
      if words[2] == "install" or words[2] == "uninstall" then
        shell.run(build .. line .. " DESTDIR=" .. quote(into))
      end
      if words[2] == "install" then
        local prefix = into .. line:match("PREFIX=(%S+)")
        assert(shell.smoke(helper.lua, prefix .. "/share/lua/5.1", prefix .. "/lib/lua/5.1"))
        installed = shell.files(into)
      end
    end
    assert.same(shell.installed("usr/local", "5.1"), installed)
    assert.same({}, shell.files(into))
    shell.run(build .. "clean")
    assert(not exists(root .. "/build"))
  end)

  it("of luarocks give a module that works", function()
    local sources, tree = helper.tmpdir(), helper.tmpdir()
    shell.run("cp -R csrc lua rockspec LICENSE " .. quote(sources))
    for _, words in ipairs(commands()) do
      if words[1] == "luarocks" then
        shell.run(("cd %s && HOME=%s %s --tree=%s --deps-mode=none CFLAGS='-O0 -fPIC'"):format(quote(sources), quote(tree),
          table.concat(words, " "), quote(tree)))
        assert(shell.smoke(helper.lua, tree .. "/share/lua/5.1", tree .. "/lib/lua/5.1"))
      end
    end
  end)
end)
