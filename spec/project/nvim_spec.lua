--- The module inside Neovim: its LuaJIT, its null and its event loop; and the plugin in spec/nvim.
local helper = require("spec.support.helper")
local shell = require("spec.support.shell")
local aish_history = require("aish_history")

local quote = helper.quote

-- Neovim without the user's configuration, with directories of its own, and what finds our modules.
local function nvim(dir, environment, commands)
  return shell.run(("env HOME=%s XDG_DATA_HOME=%s/data %s timeout 120 nvim --headless -u NONE -i NONE %s -c 'qall!' </dev/null"):format(
    quote(dir), quote(dir), environment, commands))
end

-- What a chunk prints in Neovim; `...` are the arguments.
local function run(dir, code, ...)
  local file = helper.write(dir .. "/chunk.lua", ("package.path, package.cpath = %q, %q\n"):format(package.path, package.cpath)
    .. "local function print(...)\n  local shown = {}\n  for i = 1, select('#', ...) do shown[i] = tostring((select(i, ...))) end\n"
    .. "  io.stdout:write(table.concat(shown, ' '), '\\n')\nend\n"
    .. ("local done, message = pcall(function(...)\n%s\nend, unpack(vim.json.decode(%q)))\n"):format(code,
      aish_history.encode({ ... })) .. "if not done then print(message) end\n")
  return nvim(dir, "A=", "-c " .. quote("luafile " .. file))
end

local there = pcall(shell.run, "command -v nvim")
local function it_in_nvim(name, fn)
  it(name, function() return there and fn() or not there and pending("nvim is missing") end)
end

describe("in Neovim #build", function()
  helper.guard(before_each, after_each)

  for _, file in ipairs({ "binding/encode", "binding/decode", "binding/session_handle", "binding/memory_handle",
    "project/shim", "project/secrets", "promises/lock" }) do
    it_in_nvim(("spec/%s_spec.lua passes"):format(file), function()
      local dir = helper.tmpdir()
      local output = nvim(dir, ("SPECS=spec/%s_spec.lua LUA=luajit AISH_HISTORY_REPORT=%s/report"):format(file, quote(dir)),
        "-c 'luafile spec/nvim/busted.lua'")
      local passed, failed = helper.read(dir .. "/report"):match("^(%d+) (%d+) ")
      assert(tonumber(passed) > 0 and failed == "0", output)
    end)
  end

  it_in_nvim("vim.NIL is null, and vim.empty_dict() an object, wherever they are written", function()
    local dir = helper.tmpdir()
    assert.equal(table.concat({
      '{"a":null} [null,{}]', '[null,{}]', "nil value: a userdata cannot be stored", "nil true", "",
    }, "\n"), run(dir, [[
      local aish_history = require("aish_history")
      print(aish_history.encode({ a = vim.NIL }), aish_history.encode({ vim.NIL, vim.empty_dict() }))
      print(aish_history.encode(vim.json.decode('[null,{}]')))
      print(aish_history.encode(newproxy()))
      local memory = aish_history.open((...) .. "/m.jsonl")
      local id = memory:update(memory:add({ kind = "fact", content = "x", tags = { "a" }, host = "b" }), { tags = vim.NIL, host = vim.NIL })
      print(memory:get(id).tags, memory:get(id).host == nil)
      memory:close()
    ]], dir))
    assert.falsy(aish_history.load_memory(dir .. "/m.jsonl")[1].host)
  end)

  it_in_nvim("a held lock is given up after what was asked, while its holder goes on", function()
    local dir = helper.tmpdir()
    local path = dir .. "/m.jsonl"
    local memory = assert(aish_history.open(path))
    local output = run(dir, [[
      local aish_history = require("aish_history")
      local handle, message, errno = aish_history.open((...), { wait = 0 })
      print(handle, message:match("held by another"), errno)
      local shared = aish_history.open((...), { shared = true, wait = 0.2 })
      print(select(2, shared:add("fact", "x")):match("held by another"))
    ]], path)
    assert.equal(1, memory:add("fact", "still held"))
    memory:close()
    assert.equal("nil held by another 11\nheld by another\n", output)
  end)

  it_in_nvim("the plugin keeps chats, and another editor recalls from them", function()
    local dir = helper.tmpdir()
    assert.equal("true\n1\n1 true\n", run(dir, [[
      local chats = dofile("spec/nvim/plugin.lua").setup((...) .. "/chats")
      chats.begin(nil, { model = "qwen3", stop = vim.NIL })
      print((chats.say({ role = "user", content = "Where do backups go? My key is ghp_" .. ("a1B2"):rep(9), name = vim.NIL })))
      vim.cmd("ChatRemember The NAS is at /mnt/nas")
      print(#chats.memory)
      print(chats.remember("The NAS is at /mnt/nas"))
    ]], dir))
    assert.equal(table.concat({ "The NAS is at /mnt/nas", "user: Where do backups go? My key is [redacted:github-token]",
      "1 qwen3", "1 user", "" }, "\n"), run(dir, [[
      local chats = dofile("spec/nvim/plugin.lua").setup((...) .. "/chats")
      print(table.concat(chats.recall("which backups are on the nas?", 500), "\n"))
      vim.ui.select = function(list, options, choose)
        assert(options.format_item(list[1]):find("Where do backups go?", 1, true))
        choose(list[1])
      end
      chats.pick(function(turns)
        print(#turns, select(2, require("aish_history").load(chats.session.path)).model)
        print(#turns, turns[1].role)
      end)
    ]], dir))
  end)

  it_in_nvim("the plugin says what fails, and a chat is continued in one editor at a time", function()
    local dir = helper.tmpdir()
    local path = dir .. "/sessions/held.jsonl"
    local session = assert(aish_history.session(path, {}, { exclusive = true }))
    assert.equal("nil\nchats: held.jsonl held by another aish process (Resource temporarily unavailable)\n", run(dir, [[
      local chats, said = dofile("spec/nvim/plugin.lua").setup((...))
      vim.notify = function(message) said = message end
      print(chats.begin((...) .. "/sessions/held.jsonl"))
      print(said)
    ]], dir))
    session:close()
  end)
end)
