--- What Lua 5.1 has and later ones lack, for the specs: `unpack`, `loadstring`, `setfenv` of a function of
-- Lua, `newproxy`, the status that `os.execute` returns, and how the collector is set. busted loads this before any spec
-- (.busted), and `helper.command` in other processes.
local execute = os.execute

unpack = unpack or table.unpack -- luacheck: ignore 121 143
loadstring = loadstring or load -- luacheck: ignore 121

-- The environment is an upvalue now, which functions share: it gets one of its own.
setfenv = setfenv or function(fn, environment) -- luacheck: ignore 121
  for index = 1, math.huge do
    local name = debug.getupvalue(fn, index)
    if name == nil then return fn end
    if name == "_ENV" then
      debug.upvaluejoin(fn, index, function() return environment end, 1) -- luacheck: ignore 143
      return fn
    end
  end
end

-- A userdata of nobody's; with true, it has a metatable of its own, whose __gc may still be set.
newproxy = newproxy or function(with_metatable) -- luacheck: ignore 121
  local proxy = io.open("/dev/null")
  proxy:close()
  return debug.setmetatable(proxy, with_metatable and { __gc = function() end } or nil)
end

if _VERSION ~= "Lua 5.1" then
  os.execute = function(command) -- luacheck: ignore 122
    local _, how, status = execute(command)
    return how == "exit" and status * 256 or status
  end
end

if _VERSION >= "Lua 5.5" then
  local collect, parameters = collectgarbage, { setpause = "pause", setstepmul = "stepmul" }
  collectgarbage = function(option, value) -- luacheck: ignore 121
    if parameters[option] then return collect("param", parameters[option], value) end
    return collect(option, value)
  end
end
