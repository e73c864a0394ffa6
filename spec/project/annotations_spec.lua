--- What editors know of the modules: lua/aish_history/_meta.lua and the comments of the public Lua modules
-- name all that there is, and nothing else. lua-language-server, where it is installed, reads them too.
local helper = require("spec.support.helper")
local shell = require("spec.support.shell")
local bindings = require("spec.support.bindings")
local aish_history = require("aish_history")

local FILES = { "lua/aish_history/_meta.lua", "lua/history.lua", "lua/aish_history/secrets.lua" }

-- ---- reading them ----

--- The parameters in the list of a function, as a text.
local function parameters(list) return (list:gsub("%s", "")) end

--- A class: its fields with whether each may be missing, its methods, and what it inherits from.
local function read_class(classes, line, block)
  local name, parent = line:match("^%-%-%-@class ([%w_.]+):? ?([%w_.]*)")
  block.class = name and { name = name, parent = parent, fields = {}, functions = {} } or block.class
  if name then classes[name] = block.class end
  local field, optional = line:match("^%-%-%-@field ([%w_]+)(%??) ")
  if field then block.class.fields[field] = optional == "?" and "optional" or "there" end
end

--- All classes of a file, and its aliases. A local variable behind a class is what its functions belong to.
local function read(path, classes)
  local owners, block = {}, { lines = {} }
  for _, line in ipairs(helper.lines(path)) do
    local owner, name, list = line:match("^function ([%w_]+)[.:]([%w_]+)%((.-)%)")
    if not owner then owner, name = line:match("^([%w_]+)%.([%w_]+) = native%.") end
    local variable = line:match("^local ([%w_]+) = ")
    if line:find("^%-%-%-") then
      block.lines[#block.lines + 1] = line
      read_class(classes, line, block)
      if line:find("^%-%-%-@alias ") then classes[line:match("@alias ([%w_.]+)")] = { fields = {}, functions = {} } end
    else
      if variable and block.class then owners[variable] = block.class end
      if owner and owners[owner] then owners[owner].functions[name] = { list = list, lines = block.lines } end
      block = { lines = {} }
    end
  end
end

local classes = {}
for _, path in ipairs(FILES) do read(path, classes) end

--- The fields of a class and of those that it inherits from.
local function fields_of(name)
  local class, fields = assert(classes[name], name), {}
  for field, sort in pairs(classes[class.parent] and fields_of(class.parent) or {}) do fields[field] = sort end
  for field, sort in pairs(class.fields) do fields[field] = sort end
  return fields
end

local function names_of(...)
  local names = {}
  for _, set in ipairs({ ... }) do
    for name in pairs(set) do names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

-- ---- what there is ----

--- The names of all options in csrc/binding.
local function options()
  local found = {}
  for _, file in ipairs(shell.files("csrc/binding")) do
    for name in helper.read("csrc/binding/" .. file):gmatch('[{%s]"(%l[%l_]*)",%s*\\?%s*read_') do found[name] = true end
  end
  return found
end

local function handles(dir)
  local memory = assert(aish_history.open(dir .. "/m.jsonl"))
  local session = assert(aish_history.session(dir .. "/s.jsonl", { model = "m" }))
  return memory, session, assert(aish_history.scan(dir .. "/m.jsonl"))
end

describe("annotations", function()
  helper.guard(before_each, after_each)

  it("name every function and constant of the modules, and no other", function()
    local native, secrets = classes.aish_history, classes["aish_history.secrets"]
    assert.same(names_of(aish_history), names_of(native.functions, native.fields))
    assert.same(names_of((require("aish_history.secrets"))), names_of(secrets.functions, secrets.fields))
    assert.same(names_of((require("history"))), names_of(classes.history.functions))
    for name in pairs(native.fields) do assert.not_equal("function", type(aish_history[name]), name) end
  end)

  it("name every method and field of the handles, and no other", function()
    local memory, session, iterator = handles(helper.tmpdir())
    for name, of in pairs({
      Memory = { memory, "memory_handle.c" }, Session = { session, "session_handle.c" }, Iterator = { iterator, "scan.c" },
    }) do
      local class = classes["aish_history." .. name]
      assert.same(names_of(bindings.methods(of[2])), names_of(class.functions))
      for method in pairs(class.functions) do assert.equal("function", type(of[1][method]), method) end
      for field in pairs(class.fields) do assert(of[1][field] ~= nil, field) end
    end
    for _, handle in ipairs({ memory, session, iterator }) do handle:close() end
  end)

  it("say of each function what it takes and returns, in its order", function()
    local count = 0
    for _, class in pairs(classes) do
      for name, one in pairs(class.functions) do
        local text, taken = table.concat(one.lines, "\n"), {}
        for parameter in text:gmatch("@param ([%w_]+)") do taken[#taken + 1] = parameter end
        if one.list then
          assert.equal(parameters(one.list), table.concat(taken, ","), name)
          assert(text:find("@return ") or class.name == "aish_history.Iterator", name)
          count = count + 1
        end
        assert(one.lines[1]:find("^%-%-%-%u"), name)
      end
    end
    assert(count > 35)
  end)

  it("name every option, and none that its function does not know", function()
    local memory, session, iterator = handles(helper.tmpdir())
    local wrong, seen = coroutine.create(function() end), {}
    local path = helper.tmpdir() .. "/none.jsonl"
    local calls = {
      Filter = { function(opts) memory:items(opts) end, function(opts) aish_history.load_memory(path, opts) end },
      ItemSearchOptions = { function(opts) memory:search("x", opts) end },
      ItemRecallOptions = { function(opts) memory:recall("x", opts) end },
      OpenOptions = { function(opts) aish_history.open(path, opts) end },
      CompactionOptions = { function(opts) memory:compact(opts) end },
      FileCompactionOptions = { function(opts) aish_history.compact(path, opts) end },
      AppendOptions = { function(opts) aish_history.append(path, {}, opts) end },
      SessionOptions = { function(opts) aish_history.session(path, {}, opts) end },
      LoadOptions = { function(opts) aish_history.load(path, opts) end },
      SessionsOptions = { function(opts) aish_history.sessions(path, opts) end },
      SearchOptions = { function(opts) aish_history.search(path, "x", opts) end },
      RecallOptions = { function(opts) aish_history.recall(path, "x", opts) end },
      ScanOptions = { function(opts) aish_history.scan(path, opts) end, function(opts) aish_history.follow(path, opts) end },
      ErasureOptions = aish_history.erase and { function(opts) memory:erase("x", opts) end,
        function(opts) session:erase("x", opts) end, function(opts) aish_history.erase(path, "x", opts) end },
    }
    for name in pairs(classes) do
      if name:find("Options$") then assert(calls[name:match("[%w]+$")], name) end
    end
    for name, list in pairs(calls) do
      for _, call in ipairs(list) do
        for option in pairs(fields_of("aish_history." .. name)) do
          seen[option] = true
          local done, message = pcall(call, { [option] = wrong })
          assert(not done and message:find(option, 1, true) and not message:find("unknown"), name .. ": " .. option .. ": " .. tostring(message))
        end
      end
    end
    assert.same(names_of(options()), names_of(seen))
    for _, handle in ipairs({ memory, session, iterator }) do handle:close() end
  end)

  it("name every member of what is returned", function()
    local dir = helper.tmpdir()
    local path = helper.write(dir .. "/m.jsonl", '{"id":1,"kind":"fact","content":"The disk is new"}\n{"id":0,"kind":"fact","content":"x"}\n')
    local memory, session, iterator = handles(dir)
    memory:add("fact", "The disk is full", { "disk" }, "user")
    memory:update(1, { content = "The disk is empty" })
    session:append({ role = "user", content = "Which disk?", ts = "2026-01-02T10:15:03Z" })
    local report = aish_history.verify(path)
    local results = {
      Item = memory:search("disk")[1], Report = report, Problem = report.problems[1],
      Compaction = memory:compact({ dry_run = true }), Hit = aish_history.recall(dir .. "/s.jsonl", "disk")[1],
      SessionSummary = aish_history.sessions(dir)[1], Secret = require("aish_history.secrets").find("ftp://u:p@h")[1],
      Erasure = aish_history.erase and aish_history.erase(path, "nowhere"),
    }
    for name, result in pairs(results) do
      local fields = fields_of("aish_history." .. name)
      for member in pairs(result) do assert(fields[member], name .. " has a member " .. member) end
      for field, sort in pairs(fields) do assert(sort == "optional" or result[field] ~= nil, name .. " has no " .. field) end
    end
    for _, handle in ipairs({ memory, session, iterator }) do handle:close() end
  end)

  it("use no type that is not there", function()
    local count = 0
    for _, path in ipairs(FILES) do
      for line in helper.read(path):gmatch("%-%-%-@[^\n]+") do
        for name in line:gmatch("aish_history%.%u[%w]*") do
          count = count + 1
          assert(classes[name], name)
        end
      end
    end
    assert(count > 60)
  end)

  it("are not loaded by accident", function()
    local done, message = pcall(require, "aish_history._meta")
    assert.falsy(done)
    assert(message:find('require("aish_history") loads the module', 1, true), message)
  end)
end)

-- ---- lua-language-server ----

--- The examples of README.md as a file of Lua with the same lines; an expression becomes a statement.
local function examples()
  local lines, inside = {}, false
  for line in (helper.read("README.md") .. "\n"):gmatch("([^\n]*)\n") do
    if line:find("^```") then inside = line == "```lua" end
    local code = inside and not line:find("^```") and line or ""
    local expression = code:match("^(.-)%s*%-%->")
    if expression and not loadstring(expression) and loadstring("return " .. expression) then code = "_ = " .. code end
    lines[#lines + 1] = code
  end
  return table.concat(lines, "\n") .. "\n"
end

-- An example shows what succeeds: it asks seldom whether a result is nil.
local CONFIG = [[{"runtime.version":"LuaJIT","workspace.library":[%q],"workspace.checkThirdParty":false,
  "type.weakNilCheck":true,"diagnostics.disable":["need-check-nil","lowercase-global"],"diagnostics.globals":["_","memory","session"]}]]

--- What lua-language-server finds in a program, an array of "line: message".
local function problems(text)
  local dir, found = helper.tmpdir(), {}
  helper.write(dir .. "/luarc.json", CONFIG:format(helper.root .. "/lua"))
  shell.run(("mkdir %s/program %s/log"):format(dir, dir))
  helper.write(dir .. "/program/program.lua", text)
  shell.run(("lua-language-server --check %s/program --configpath=%s/luarc.json --logpath=%s/log --check_format=json --check_out_path=%s/found || true"):format(dir, dir, dir, dir))
  for _, list in pairs(aish_history.decode(helper.read(dir .. "/found"))) do
    for _, one in ipairs(list) do found[#found + 1] = ("%d: %s"):format(one.range.start.line + 1, one.message) end
  end
  table.sort(found)
  return found
end

describe("lua-language-server #build", function()
  helper.guard(before_each, after_each)

  local there = pcall(shell.run, "command -v lua-language-server")
  local function it_with_server(name, fn)
    it(name, function() return there and fn() or not there and pending("lua-language-server is missing") end)
  end

  it_with_server("finds nothing wrong in the README's examples", function()
    assert.same({}, problems(examples()))
  end)

  it_with_server("finds what is wrong", function()
    for wrong, message in pairs({
      ['require("aish_history").open(1)'] = "Cannot assign `integer` to parameter `string`.",
      ['require("aish_history").opens("x")'] = "Undefined field `opens`.",
      ['assert(require("history").open_memory("x")):forgets(1)'] = "Undefined field `forgets`.",
      ['require("aish_history").session("x", {}, { sync = "half" })'] = "half",
      ['require("aish_history.secrets").redact({})'] = "Cannot assign `table` to parameter `string`.",
    }) do
      assert(table.concat(problems(wrong), "\n"):find(message, 1, true), wrong)
    end
  end)
end)
