--- What must be true of the files that a script of calls left behind when the power was cut.
local aish = require("aish_history")
local lfs = require("lfs")
local tree = require("spec.faults.tree")

local judge = {}

--- A test of whether an event was acknowledged as durable by the moment `at`.
function judge.durable_by(at)
  return function(event) return event.durable_at ~= nil and event.durable_at <= at end
end

local function check_memory(p, name, counts)
  local path = p:path(name)
  local items = p:expected(name, counts)
  local before = tree.read(path)
  if not before and next(items) then return p:problem("%s is gone", name) end
  local ids = p:check_lines(name, true)
  local memory, message = aish.open(path)
  if not memory then return p:problem("%s cannot be opened: %s", name, message) end
  p:compare_items(name, memory:items(), name, counts)
  local id, failure = memory:add("fact", p.afterwards)
  if not id then p:problem("%s cannot be added to: %s", name, failure) end
  if id then p:added(name, id, { kind = "fact", content = p.afterwards }) end
  if ids[id] or items[id] then p:problem("%s: id %d is given again", name, id) end
  memory:close()
  local after = tree.read(path)
  if before and after:sub(1, #before) ~= before then p:problem("%s: bytes were changed", name) end
  local records = assert(aish.load_memory(path))
  local last = false
  for _, record in ipairs(records) do last = last or (record.id == id and record.content == p.afterwards) end
  if not last then p:problem("%s: what was added afterwards is missing", name) end
  p:compare_items(name, records, name .. ", loaded", counts)
end

local function check_compaction(p, name, counts)
  if not aish.compact then return end
  local path = p:path(name)
  local done, message = aish.compact(path)
  if not done then return p:problem("%s cannot be compacted: %s", name, message) end
  p:compare_items(name, assert(aish.load_memory(path)), name .. ", compacted", counts)
  for entry in lfs.dir(path:match("^(.*)/")) do
    if entry:find("%.compact") then p:problem("%s: compaction left %s behind", name, entry) end
  end
end

local function check_session(p, name, counts)
  local path = p:path(name)
  local _, _, expected = p:expected(name, counts)
  local before = tree.read(path)
  if not before and expected[1] then return p:problem("%s is gone", name) end
  p:check_lines(name, true)
  local session, message = aish.session(path, { model = "m" }, { sync = "full" })
  if not session then return p:problem("%s cannot be opened: %s", name, message) end
  local done, failure = session:append({ role = "user", content = p.afterwards })
  if not done then p:problem("%s cannot be appended to: %s", name, failure) end
  if done then p:added(name, nil, { role = "user", content = p.afterwards }) end
  session:close()
  local turns = assert(aish.load(path))
  if turns[#turns].content ~= p.afterwards then p:problem("%s: what was appended afterwards is missing", name) end
  p:compare_turns(name, turns, counts)
  if before and tree.read(path):sub(1, #before) ~= before then p:problem("%s: bytes were changed", name) end
end

-- What was there before the script.
local function check_fixture(p, script, name, at)
  local gone = {}
  for _, event in ipairs(p.events) do
    if event.what == "forget" then gone[event.id] = true end
  end
  for id in pairs(p.targets) do gone[id] = true end
  local contents = {}
  for _, item in ipairs(aish.load_memory(p:path(name)) or {}) do contents[item.id] = item.content end
  for id, content in pairs(script.fixture or {}) do
    if not gone[id] and not p.is_content(script, contents[id], content) then p:problem("%s: lost item %d at %d", name, id, at) end
  end
  p:check_damaged(script, name)
end

--- Opens the files that the player `p` has played `script` on, as they were after a cut at the moment
-- `at` of its books, adds to them, and compacts them if `compacts`. Returns whether all that had been
-- acknowledged as durable is there; what is wrong is in p.problems.
function judge.files(p, script, at, compacts)
  local counts = judge.durable_by(at)
  p.problems = {}
  local ok, message = xpcall(function()
    for _, name in ipairs(script.memories) do
      check_memory(p, name, counts)
      if script.fixture then check_fixture(p, script, name, at) end
      if compacts then check_compaction(p, name, counts) end
    end
    for _, name in ipairs(script.sessions) do check_session(p, name, counts) end
  end, debug.traceback)
  if not ok then p:problem("%s", message) end
  return #p.problems == 0
end

return judge
