--- Makes every allocation of a Lua state fail once in each call of the module, and prints each
-- problem and how many cases there were. Arguments: a directory and the fault build's module.
local seam = require("aish_history.seam")
local tree = require("spec.faults.tree")

local root, module = ...

-- Runs in the Lua state that starves, once for every allocation while the module is loaded.
local loading = [[
  local module, k, path = ...
  local load_seam = assert(package.loadlib(module, "luaopen_aish_history_seam"))
  local load_module = assert(package.loadlib(module, "luaopen_aish_history"))
  local seam = load_seam()
  seam.refuse_state(tonumber(k), true) -- since Lua 5.2 a single one is made up for by a collection
  local ok, message = pcall(load_module)
  local count = seam.refuse_state(0)
  if ok and count >= tonumber(k) then error("loaded, for all that was refused") end
  if not ok and not tostring(message):find("not enough memory", 1, true) then error(tostring(message)) end
  -- Loaded again, it is whole.
  local aish = load_module()
  assert(aish.encode({ 1 }) == "[1]")
  assert(next(aish.decode("[2]")) == 1)
  local memory = assert(aish.open(path))
  assert(memory:add("fact", "x"))
  assert(memory:get(1).content == "x")
  memory = nil -- and not closed: its finalizer does that
  collectgarbage()
  collectgarbage()
  local descriptors = seam.live()
  if descriptors ~= 0 then error(descriptors .. " descriptors left open") end
  return ok and "done" or "more"
]]

-- Runs in a Lua state that starves, once.
local calling = [[
  local module, root, calls = ...
  package.path = ""
  local seam = assert(package.loadlib(module, "luaopen_aish_history_seam"))()
  local aish = assert(package.loadlib(module, "luaopen_aish_history"))()
  return assert((loadstring or load)(calls, "=calls"))(aish, seam, root)
]]

--- The calls, and what holds of each: run as text in the other state.
local calls = [==[
  local aish, seam, root = ...
  local cases, problems = 0, {}
  local path, session_path = root .. "/memory.jsonl", root .. "/session.jsonl"
  local spare = 2 -- blocks of a buffer that an error left in use, until the next call replaces it
  local fragment = '{"id":9,"ts"'

  local function read(name)
    local file = io.open(name, "rb")
    if not file then return nil end
    local bytes = file:read("*a")
    file:close()
    return bytes
  end

  local function problem(...)
    if #problems < 20 then problems[#problems + 1] = table.concat({ ... }) end
  end

  -- A trace holds on to the functions it was recorded with, and with them to what they have open.
  if jit then jit.off() end

  local function settle()
    collectgarbage()
    collectgarbage()
    return seam.live()
  end

  -- Makes the call once for each of its allocations. It either does what it should, or raises for
  -- want of memory; then no file has become another, nothing is left open, and nothing allocated.
  local function starve(what, try, options)
    options = options or {}
    for k = 1, 100000 do
      if options.before then options.before() end
      local descriptors, blocks = settle()
      local memory_before, session_before = read(path), read(session_path)
      seam.refuse_state(k, options.lasting)
      local ok, result, message = pcall(try)
      local count = seam.refuse_state(0)
      cases = cases + 1
      local failed = not ok or not result
      local why = not ok and tostring(result) or tostring(message)
      if failed and not (why:find("not enough memory", 1, true) or why:find("Cannot allocate", 1, true)) then
        problem(what, ", allocation ", k, ": ", why)
      end
      if failed then
        result = nil
        if options.after then options.after() end
        local descriptors_now, blocks_now = settle()
        if descriptors_now > descriptors then problem(what, ", allocation ", k, ": a descriptor left open") end
        if blocks_now > blocks + spare then problem(what, ", allocation ", k, ": ", blocks_now - blocks, " blocks not freed") end
        if not options.rewrites and (read(path) ~= memory_before or read(session_path) ~= session_before) then
          problem(what, ", allocation ", k, " failed and left the file other than it was")
        end
      end
      if not failed and options.check then options.check(result) end
      if not failed and options.after then options.after() end
      if count < k then
        if failed then problem(what, " failed, and nothing was refused: ", why) end
        return
      end
    end
    problem(what, " never ended")
  end

  local function both(what, try, options)
    options = options or {}
    starve(what, try, options)
    options.lasting = true
    starve(what .. ", all refused", try, options)
  end

  local memory, session, last
  local function close()
    if memory then memory:close() end
    memory = nil
  end
  local function fresh()
    close()
    os.remove(path)
    os.remove(path .. ".damaged")
  end

  local function all()
  -- Once, for what is allocated the first time.
  memory = assert(aish.open(path))
  assert(memory:add("fact", "warm"))
  session = assert(aish.session(session_path, { model = "m" }))
  assert(session:append({ role = "user", content = "warm" }))

  both("open a new file", function()
    memory = aish.open(path)
    return memory
  end, { before = fresh, after = close, rewrites = true })
  fresh()
  both("open", function()
    memory = aish.open(path)
    return memory
  end, { after = close })
  both("open, shared", function()
    memory = aish.open(path, { shared = true, wait = 1, sync = "none" })
    return memory
  end, { after = close })

  for _, options in ipairs({ {}, { shared = true }, { unique = true } }) do
    fresh()
    memory = assert(aish.open(path, options))
    local number = 0
    both("add", function()
      number = number + 1
      return memory:add({ kind = "fact", content = "one " .. number, tags = { "a", { b = "c" } }, more = { "x" } })
    end, { check = function(id)
      last = id
      if memory:get(id).content:sub(1, 4) ~= "one " then problem("add: another was added") end
    end })
    both("add_many", function()
      return memory:add_many({ { kind = "fact", content = "a" }, { kind = "pref", content = "b", tags = { "t" } } })
    end)
    both("forget", function() return memory:forget(last) end, { before = function()
      last = assert(memory:add("context", "to be forgotten"))
    end })
    both("update", function() return memory:update(last, { content = "one " .. string.rep("x", 100), more = { 1 } }) end, {
      before = function() last = assert(memory:add("context", "to be updated")) end,
    })
    both("forget nothing", function()
      local done, message, number = memory:forget(123456)
      if done == false and not number then return message end
      return done, message
    end)
    last = assert(memory:add("fact", "kept"))
    both("get", function() return memory:get(last) end, { check = function(item)
      if item.content ~= "kept" then problem("get: another") end
    end })
    if options.unique then
      both("add what is there", function() return memory:add("fact", "kept") end, { check = function(id)
        if id ~= last then problem("add: ", id, " instead of ", last) end
      end })
    end
    local active = #memory
    both("items", function() return memory:items() end, { check = function(items)
      if #items ~= active then problem("items: ", #items, " of ", active) end
    end })
    both("#", function() return #memory end)
    both("next_id", function() return memory.next_id end)
    both("tostring", function() return tostring(memory) end)
    both("sync", function() return memory:sync() end)
    if memory.search then
      memory:search("kept") -- the words that it keeps in memory are no leak
      both("search", function() return memory:search("kept") end, { check = function(hits)
        if #hits == 0 then problem("search: nothing found") end
      end })
      local options = { budget = 1000, half_life = 1, cost = function() return 1 end }
      both("recall", function() return memory:recall("what was kept?", options) end, { check = function(items)
        if #items == 0 then problem("recall: nothing found") end
      end })
    end
    if memory.compact then
      both("compact", function() return memory:compact() end, { rewrites = true, before = function()
        assert(memory:forget(assert(memory:add("fact", "in vain"))))
      end })
      if #memory ~= active then problem("compact: ", #memory, " of ", active) end
    end
    both("load_memory", function() return aish.load_memory(path) end, { check = function(items)
      if #items ~= active then problem("load_memory: ", #items, " of ", active) end
    end })
    both("get when all is over", function() return memory:get(last) end)
    local items = memory:items()
    local ids = {}
    for _, item in ipairs(items) do
      if ids[item.id] then problem("id ", item.id, " twice") end
      ids[item.id] = true
    end
    close()
    both("close", function() return memory:close() end, { before = function()
      memory = assert(aish.open(path, options))
    end, after = function() memory:close() end })
  end

  if aish.compact then
    both("compact a file", function() return aish.compact(path) end, { rewrites = true, before = function()
      local file = assert(io.open(path, "ab"))
      file:write(fragment)
      file:close()
    end })
    both("verify", function() return aish.verify(path) end)
  end
  both("scan", function()
    local count, iterator, message = 0, aish.scan(path, { malformed = true })
    if not iterator then return iterator, message end
    for _ in iterator do count = count + 1 end
    return count
  end)
  both("load", function() return aish.load(session_path) end)
  both("list", function() return aish.list(root) end)
  both("search", function() return aish.search(root, "warm") end)
  both("recall of a session", function() return aish.recall(session_path, "warmer", { budget = 100 }) end)
  both("recall of a directory", function() return aish.recall(root, "warmer", { budget = 9, cost = function() return 1 end }) end)
  both("sessions", function() return aish.sessions(root) end)

  both("session", function()
    local other, message = aish.session(session_path, { model = "m" }, { sync = "full" })
    if not other then return other, message end
    other:close()
    return true
  end)
  both("session, new", function()
    local other, message = aish.session(root .. "/new.jsonl", { model = { 1, 2 } }, { new = true, exclusive = true })
    if not other then return other, message end
    other:close()
    return true
  end, { before = function() os.remove(root .. "/new.jsonl") end })
  both("append", function()
    return session:append({ role = "user", content = string.rep("y", 300), more = { 1, { 2 } } })
  end)
  local redacted = { redact = function(text) return text .. "!" end }
  both("append, redacted", function() return aish.append(session_path, { role = "user", content = { "z" } }, redacted) end)
  both("session, redacted", function()
    local other, message = aish.session(session_path, nil, redacted)
    if not other then return other, message end
    local done, reason = other:append({ role = "user", content = { "z" } })
    other:close()
    return done, reason
  end)
  both("append without a handle", function() return aish.append(session_path, { role = "user", content = "z" }) end)
  both("tostring of a session", function() return tostring(session) end)
  both("sync of a session", function() return session:sync() end)
  both("encode", function() return aish.encode({ 1, "two", { three = { 4.5 } } }) end)
  both("decode", function() return aish.decode('{"a":[1,2,{"b":"c\\n"}],"d":{},"e":[null,1]}') end)
  both("display", function() return aish.display("a\27" .. ("日"):rep(200), 200) end)
  both("flock", function() return aish.flock(session, aish.LOCK_UN) end)
  session:close()
  memory, session = nil, nil
  local descriptors, blocks = settle()
  if descriptors ~= 0 then problem(descriptors, " descriptors left open") end
  if blocks > 2 * spare then problem(blocks, " blocks not freed") end
  end

  local ok, message = xpcall(all, debug.traceback)
  if not ok then problem(message) end
  return cases .. "\n" .. table.concat(problems, "\n")
]==]

local function starve_loading()
  local cases, failed = 0, 0
  while true do
    cases = cases + 1
    os.remove(root .. "/memory.jsonl")
    local ok, result = seam.state(loading, module, tostring(cases), root .. "/memory.jsonl")
    if ok == nil then return nil end
    if not ok then
      print("loading, allocation " .. cases .. ": " .. tostring(result))
      failed = failed + 1
    end
    if result == "done" or failed == 20 then return cases, failed > 0 end
  end
end

tree.empty(root)
local loads, failed = starve_loading()
if not loads then
  print("no state")
else
  tree.empty(root)
  local ok, result = seam.state(calling, module, root, calls)
  local cases, problems = tostring(result):match("^(%d+)\n(.*)$")
  if not ok then problems = tostring(result) end
  if problems ~= "" then print(problems) end
  local _, blocks = seam.live()
  if blocks ~= 0 then print(blocks .. " blocks not freed when the state was closed") failed = true end
  print(("%d cases%s"):format(loads + (tonumber(cases) or 0), (failed or problems ~= "") and ", with problems" or ", 0 with problems"))
end
