--- What a shell would do without this module: a JSON library, Lua's files and table.sort. As the
-- module does, each passes over lines that are no object and keeps the last item of an id, and stops
-- the collector while it makes tables that are all kept.
local idioms = {}

-- The object of a line, or nil. cjson raises on what is not JSON, dkjson returns nil.
local function decoder(name)
  local library = require(name)
  if name ~= "cjson" then return library.decode end
  local decode = library.decode
  return function(line)
    local ok, value = pcall(decode, line)
    return ok and value or nil
  end
end

local kinds = { fact = true, pref = true, context = true }

local function newer(a, b)
  if a.ts ~= b.ts then return a.ts > b.ts end
  return a.id > b.id
end

-- What `load` returns, the collector being stopped meanwhile.
local function uncollected(load, ...)
  collectgarbage("stop")
  local first, second = load(...)
  collectgarbage("restart")
  return first, second
end

--- The active items of a memory file, newest first, and the next id.
local function load_memory(library, path)
  local decode = decoder(library)
  local file = assert(io.open(path))
  local by_id, forgotten, items, highest = {}, {}, {}, 0
  for line in file:lines() do
    local record = decode(line)
    if type(record) == "table" and record.id then
      if record.id > highest then highest = record.id end
      if record.kind == "forget" then
        if record.target then forgotten[record.target] = true end
      elseif kinds[record.kind] then
        by_id[record.id] = record
      end
    end
  end
  file:close()
  for id, record in pairs(by_id) do
    if not forgotten[id] then items[#items + 1] = record end
  end
  table.sort(items, newer)
  return items, highest + 1
end

function idioms.load_memory(library, path) return uncollected(load_memory, library, path) end

--- The turns of a session, and its meta.
local function load(library, path)
  local decode = decoder(library)
  local file = assert(io.open(path))
  local turns, meta, first = {}, nil, true
  for line in file:lines() do
    local record = decode(line)
    if type(record) == "table" then
      if first and record.meta then
        meta = record.meta
      elseif record.role and record.content then
        turns[#turns + 1] = record
      end
      first = false
    end
  end
  file:close()
  return turns, meta
end

function idioms.load(library, path) return uncollected(load, library, path) end

--- The names of a directory's sessions, sorted.
function idioms.list(dir)
  local names = {}
  for name in require("lfs").dir(dir) do
    if name:sub(-6) == ".jsonl" then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

return idioms
