--- The command in a real terminal, tmux's: widths, colours, the pager, and what is typed.
local helper = require("spec.support.helper")
local shell = require("spec.support.shell")
local command = require("spec.support.command")

local quote = helper.quote

local NASTY = '{"role":"user","content":"' .. ("Ein langer Satz mit Wörtern, 日本語 und \\u001b[31mRot \\u202e "):rep(9) .. ("x"):rep(250)
  .. '","ts":"2026-02-01T10:00:00Z","call":{"cmd":"' .. ("ls -l "):rep(40) .. '"}}\n'

describe("a terminal #build", function()
  helper.guard(before_each, after_each)

  local dir, tmux, servers
  before_each(function()
    servers = 0
    if not pcall(shell.run, "command -v tmux") then pending("tmux is missing") end
    dir = command.history()
    helper.write(dir .. "/sessions/2026-02-01T10-00-00-with-a-long-name.jsonl", '{"meta":{"model":"a-model-of-a-long-name"}}\n' .. NASTY)
    helper.write(dir .. "/memory.jsonl", helper.read(dir .. "/memory.jsonl") .. ('{"id":4,"ts":"2026-02-01T10:00:00Z","kind":"fact","content":"%s"}\n'):format(("Ein langer Satz. "):rep(9)))
    tmux = "env -u COLUMNS -u NO_COLOR -u PAGER -u LESS TERM=xterm-256color tmux -f /dev/null -S " .. quote(dir .. "/tmux")
  end)
  after_each(function()
    for number = 1, servers do os.execute(tmux .. number .. " kill-server 2>/dev/null") end
  end)

  -- Starts a terminal of this size on a line of sh.
  local function start(width, height, line)
    local script = ("trap : INT; cd %s; export AISH_HISTORY_DIR=%s; aish() { %s \"$@\"; }; %s\necho \"ended $?\"; sleep 100\n"):format(quote(dir), quote(dir),
      command.line, line)
    helper.write(dir .. "/script", script)
    servers = servers + 1
    shell.run(("%s%d new-session -d -x %d -y %d 'sh %s/script'"):format(tmux, servers, width, height, dir))
  end

  local function screen(options) return shell.run(tmux .. servers .. " capture-pane -p -S - " .. (options or "")) end

  local function keys(...) shell.run(tmux .. servers .. " send-keys " .. table.concat({ ... }, " ")) end

  -- The screen as soon as it has this text; until then keys are typed, if some are given.
  local function wait_for(text, options, ...)
    local deadline = os.time() + 30
    repeat
      local shown = screen(options)
      if shown:find(text, 1, true) then return shown end
      if ... then keys(...) end
    until os.time() > deadline
    error("no " .. text .. " on:\n" .. screen(options))
  end
  -- What is written without a terminal.
  local LINES = { "aish sessions --all", "aish show 2026-01-03", "aish show -1", "aish search satz", "aish recall backups disk wörter",
    "aish memory list", "aish verify", "aish compact --dry-run" }

  for _, width in ipairs({ 100, 80, 40 }) do
    it(("of %d columns holds all that is shown"):format(width), function()
      start(width, 50, "export PAGER=cat; " .. table.concat(LINES, "; "))
      wait_for("ended 0")
      local shown, joined = screen(), screen("-J")
      local wrapped = {}
      for line in joined:gmatch("[^\n]+") do
        if not shown:find(line:gsub(" +$", ""), 1, true) then wrapped[#wrapped + 1] = line end
      end
      assert.same({}, wrapped)
      for _, title in ipairs({ "SESSION", "FIRST WORDS", "CONTENT", "session 2026-02-01T10-00-00-with-a-long" }) do
        assert(shown:find(title, 1, true), shown)
      end
      assert.equal(width > 80, shown:find("TURNS", 1, true) ~= nil)
    end)
  end

  it("of 80 columns has turns and sizes beside a long model, which ends with an ellipsis where it is cut", function()
    local long = command.history()
    helper.write(long .. "/sessions/2026-02-01T10-00-00.jsonl", '{"meta":{"model":"a-model-of-a-long-name"}}\n' .. NASTY)
    local shown = command.show(long, "sessions --color never", 80)
    assert(shown:find("\nSESSION +WHEN +TURNS +SIZE +MODEL +FIRST WORDS\n") or shown:find("^SESSION +WHEN +TURNS +SIZE +MODEL +FIRST WORDS\n"), shown)
    assert(shown:find("2026%-02%-01T10%-00%-00 [^\n]+ a%-model%-o…  Ein langer S[^\n]*…\n"), shown)
    for line in shown:gmatch("[^\n]+") do assert(select(2, require("aish_history").display(line)) <= 80, line) end
  end)

  it("is told of colours, which end on their line", function()
    start(80, 50, "export PAGER=cat; aish sessions; aish search satz; echo plain")
    local shown = wait_for("ended 0", "-e")
    assert(shown:find("\27[1mSESSION", 1, true), ("%q"):format(shown))
    assert(shown:find("\27%[1m\27%[31mSatz") or shown:find("\27[1;31mSatz", 1, true), ("%q"):format(shown))
    assert(shown:find("\nplain", 1, true) or shown:find("%[0?m\nplain") or shown:find("%[39m\27%[49mplain"), ("%q"):format(shown))
    for _, arguments in ipairs({ "sessions --all", "show -1", "show 2026-01-03", "search satz", "memory list", "recall satz" }) do
      local output = command.run(dir, arguments .. " --color always")
      assert(output:find("\27[", 1, true), arguments)
      for line in output:gmatch("[^\n]+") do
        local last = line:match(".*\27%[([%d;]+)m")
        assert(last == nil or last == "0", ("%q"):format(line))
      end
    end
  end)

  it("has no colours where they are not wanted", function()
    for before, options in pairs({ ["NO_COLOR=1"] = "", ["TERM=dumb"] = "", ["NO_COLOR="] = "--color never" }) do
      start(80, 30, ("export PAGER=cat; %s; export NO_COLOR TERM; aish sessions %s"):format(before, options))
      assert.falsy(wait_for("ended 0", "-e"):find("\27", 1, true))
    end
    start(80, 30, "export PAGER=cat NO_COLOR=1; aish sessions --color always")
    assert(wait_for("ended 0", "-e"):find("\27[", 1, true))
  end)

  it("is given to less for what does not fit it, and only for that", function()
    start(80, 10, "aish show -1; aish sessions --limit 1; aish memory list --no-pager --limit 3; echo shown")
    local first = wait_for("\n:")
    assert.falsy(first:find("ended", 1, true))
    keys("q")
    local shown = wait_for("ended 0")
    assert(shown:find("FIRST WORDS", 1, true) and shown:find("shown", 1, true), shown)
  end)

  it("is given to $PAGER", function()
    start(80, 30, "PAGER='tr a-z A-Z' aish show 2026-01-02")
    assert(wait_for("ended 0"):find("IS THERE ROOM ON THE DISK?", 1, true))
  end)

  it("is left as it was by Ctrl-C in the pager", function()
    start(80, 10, "aish show -1")
    wait_for("\n:")
    keys("C-c")
    wait_for("(END)", nil, "G") -- which less may throw away as long as it handles the signal
    keys("q")
    wait_for("ended")
  end)

  it("asks for the text to erase, if this version can", function()
    start(80, 10, "aish erase")
    local shown = wait_for(require("aish_history").erase and "Text to erase:" or "cannot erase")
    if not shown:find("cannot", 1, true) then
      keys("hunter2", "Enter")
      wait_for("ended 1")
    end
  end)

  it("is told what mcp waits for, which Ctrl-D ends", function()
    start(80, 10, "aish mcp")
    wait_for("aish-history: waiting for an MCP client on standard input; Ctrl-D ends it")
    keys("C-d")
    wait_for("ended 0")
  end)

  it("is told how far a long command is", function()
    local line = ('{"role":"user","content":"%s"}\n'):format(("x"):rep(1000))
    helper.write(dir .. "/sessions/long.jsonl", line:rep(10000))
    start(80, 10, "aish verify $(yes sessions/long.jsonl | head -7000)")
    wait_for(" of 7000: sessions/long.jsonl")
    keys("C-c")
    wait_for("ended 130")
  end)
end)
