--- The frame of the command: options, help, exit codes, where the history is, and what ends it.
local helper = require("spec.support.helper")
local shell = require("spec.support.shell")
local command = require("spec.support.command")

local quote, run = helper.quote, command.run

describe("aish-history", function()
  helper.guard(before_each, after_each)

  it("lists its commands, each with a line", function()
    local output, code, said = run(helper.tmpdir(), "--help")
    assert.same({ 0, "" }, { code, said })
    for _, name in ipairs({ "sessions", "show", "search", "recall", "memory", "verify", "compact", "erase" }) do
      assert(output:find("\n   " .. name .. " +%u[^\n]+\n"), name)
    end
  end)

  it("has help for each command, which fits a terminal", function()
    for _, name in ipairs({ "sessions", "show", "search", "recall", "memory", "memory list", "verify", "compact", "erase" }) do
      local output, code = run(helper.tmpdir(), name .. " --help")
      assert.equal(0, code)
      assert.equal("Usage: aish-history " .. name, output:match("^Usage: aish%-history [%l ]*%l"))
      for line in output:gmatch("[^\n]+") do assert(#line <= 80, line) end
    end
  end)

  it("has the module's version", function()
    assert.equal("aish-history " .. require("aish_history")._VERSION .. "\n", (run(helper.tmpdir(), "--version")))
  end)

  it("takes help and version for commands", function()
    local dir = helper.tmpdir()
    for words, options in pairs({ help = "--help", version = "--version", ["help memory add"] = "memory add --help",
      ["--color never help show"] = "show --help" }) do
      assert.same({ run(dir, options) }, { run(dir, words) }, words)
      assert.equal(0, select(2, run(dir, words)))
    end
  end)

  for arguments, message in pairs({
    [""] = "a command is required (see aish-history --help)",
    ["serch x"] = "unknown command 'serch'; did you mean 'search'? (see aish-history --help)\n",
    ["help serch"] = "unknown command 'serch'; did you mean 'search'? (see aish-history --help)\n",
    ["sessions --limt 1"] = "unknown option '--limt'; did you mean '--limit'? (see aish-history sessions --help)\n",
    ["sessions -x"] = "unknown option '-x' (see aish-history sessions --help)\n",
    ["memory add"] = "missing argument 'kind' (see aish-history memory add --help)\n",
    ["memory forget x"] = "'x' is no whole number (see aish-history memory forget --help)\n",
    ["sessions --dir"] = "option '--dir' requires an argument (see aish-history --help)\n",
    ["search ''"] = "there is nothing to search for (see aish-history search --help)\n",
    ["search ' ' --memory"] = "there is nothing to search for (see aish-history search --help)\n",
    ["search " .. ("x "):rep(65)] = "a search has at most 64 words and 4096 bytes; recall takes a longer text (see",
    ["search --exact " .. ("x"):rep(4097)] = "a search has at most 64 words and 4096 bytes; recall takes a longer text (see",
    ["memory"] = "a command is required (see aish-history memory --help)",
    ["--dir '' sessions"] = "the directory has no name (see aish-history --help)",
    ["--dri x sessions"] = "unknown option '--dri'",
    ["sessions --foo"] = "unknown option '--foo' (see aish-history sessions --help)",
    ["--dir show sessions --foo"] = "unknown option '--foo' (see aish-history sessions --help)",
    ["sessions --limit x"] = "'x' is no whole number (see aish-history sessions --help)",
    ["sessions --limit -1"] = "'-1' is no whole number",
    ["sessions --since soon"] = "'soon' is no time; write it like 7d",
    ["show"] = "missing argument 'session' (see aish-history show --help)",
    ["sessions --color maybe"] = "argument for option '--color' must be one of 'auto', 'always', 'never'",
    ["memory add idea x"] = "argument 'kind' must be one of 'fact', 'pref', 'context' (see aish-history memory add --help)",
  }) do
    it("says in one line what is wrong with a call: " .. arguments, function()
      local output, code, said = run(helper.tmpdir(), arguments)
      assert.same({ "", 2 }, { output, code })
      assert.equal("aish-history: " .. message, said:sub(1, #message + 14))
      assert.equal(1, select(2, said:gsub("\n", "")))
    end)
  end

  it("finds the history by --dir, AISH_HISTORY_DIR, XDG_STATE_HOME and HOME, in this order", function()
    local dir, home = helper.tmpdir(), helper.tmpdir()
    shell.run(("mkdir -p %s/.local/state"):format(quote(home)))
    local function look(variables, options)
      local _, code, said = run(dir, (options or "") .. " verify",
        "env -u AISH_HISTORY_DIR -u XDG_STATE_HOME HOME=" .. quote(home) .. " " .. variables)
      assert.equal(1, code)
      return said:match("^aish%-history: no files in (.*)\n$")
    end
    local all = "AISH_HISTORY_DIR=/nowhere/a XDG_STATE_HOME=/nowhere/x"
    assert.equal("/nowhere/d", look(all, "--dir /nowhere/d/"))
    assert.equal("/nowhere/a", look(all))
    assert.equal("/nowhere/x/aish", look("AISH_HISTORY_DIR= XDG_STATE_HOME=/nowhere/x"))
    assert.equal(home .. "/.local/state/aish", look("XDG_STATE_HOME=relative"))
    assert.equal(home .. "/.local/state/aish", look(""))
    local _, code, said = run(dir, "verify", "env -u AISH_HISTORY_DIR -u XDG_STATE_HOME -u HOME")
    assert.equal(2, code)
    assert(said:find("HOME", 1, true), said)
  end)

  it("makes nothing where there is no history", function()
    local dir = helper.tmpdir()
    for arguments, message in pairs({ sessions = "no sessions in none/sessions", ["show -1"] = "no sessions in none/sessions",
      ["search x"] = "nothing found", ["recall x"] = "nothing found", ["memory list"] = "nothing found in none/memory.jsonl",
      ["memory forget 1"] = "there is no memory yet in none", ["memory update 1 x"] = "there is no memory yet in none",
      verify = "no files in none" }) do
      assert.same({ "", 1, "aish-history: " .. message .. "\n" }, { run(dir, "--dir none " .. arguments) }, arguments)
    end
    assert.same({}, shell.files(dir))
  end)

  it("takes its global options on both sides of the command", function()
    local dir = command.history()
    local expected = run(dir, "sessions --color always")
    assert(expected:find("\27[", 1, true))
    assert.equal(expected, (run("/", "--color=always --no-pager --dir " .. quote(dir) .. " sessions")))
    assert.equal(expected, (run("/", "sessions --dir=" .. quote(dir) .. " --no-pager --color always")))
  end)

  it("fails where its output cannot be written", function()
    local output, code, said = run(command.history(), "sessions >/dev/full")
    assert.same({ "", 3 }, { output, code })
    assert.equal("aish-history: write to standard output: No space left on device\n", said)
  end)

  -- In the second case the signal is ignored, as programs that run others sometimes have it.
  it("ends quietly when nobody reads its output any more", function()
    local dir = command.history()
    local lines = {}
    for index = 1, 20000 do lines[index] = ('{"role":"user","content":"turn %d %s"}'):format(index, ("x"):rep(100)) end
    helper.write(dir .. "/sessions/long.jsonl", table.concat(lines, "\n") .. "\n")
    for _, trap in ipairs({ "", "trap '' PIPE; " }) do
      for _, arguments in ipairs({ "show long", "show long --json", "search turn --limit 9999" }) do
        local output = shell.run(("bash -c %s"):format(quote(("%sexport AISH_HISTORY_DIR=%s; %s %s | head -1; echo ${PIPESTATUS[0]}"):format(
          trap, quote(dir), command.line, arguments))))
        local status = output:match("(%d+)\n$")
        assert.equal(2, select(2, output:gsub("\n", "")), output)
        assert(status == (trap == "" and "141" or "0"), status)
      end
    end
  end)

  it("says what is missing where there is no argparse", function()
    local said = shell.run(command.line:gsub(helper.lua .. " ", "%0-e 'package.preload.argparse = function() error() end' ")
      .. " sessions; test $? = 3")
    assert(said:find("^aish%-history: argparse is missing; install Debian's lua%-argparse"), said)
  end)

  it("loads only what it needs #build", function()
    local dir = command.history()
    local opened = run(dir, "search disk >/dev/null; grep -o 'command/[a-z]*.lua' opened | sort -u", "strace -f -e trace=openat,open -o opened env")
    assert(opened:find("command/search.lua", 1, true), opened)
    for _, name in ipairs({ "show", "recall", "memory", "erase", "man" }) do
      assert.falsy(opened:find("command/" .. name .. ".lua", 1, true), opened)
    end
  end)
end)

describe("aish-history's JSON", function()
  helper.guard(before_each, after_each)

  it("holds nothing that a terminal obeys, and is what was stored", function()
    local dir = command.history()
    local nasty = "a\127b\194\155c\226\128\174d\226\129\166e\226\128\168f\216\156g\27h\ti\226\128\142"
    helper.write(dir .. "/sessions/2026-02-01.jsonl", '{"role":"user","content":"a\127b\194\155c\226\128\174d\226\129\166e'
      .. '\226\128\168f\216\156g\\u001bh\\ti\226\128\142"}\n')
    local output = run(dir, "show -1 --json")
    assert.falsy(output:gsub("\n", ""):find("[%z\1-\31\127]"), output)
    assert.falsy(output:find("[\128-\255]"), output)
    assert.equal(nasty, require("aish_history").decode(output).content)
    assert.same({ nasty }, { table.concat(command.jq(output, ".content"), "\n") })
  end)
end)
