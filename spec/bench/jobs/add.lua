--- Adding an item of 200 bytes. Ours checks its arguments and the handle's process, looks whether the
-- path still leads to the file, makes id and time, escapes, writes, and keeps the index.
-- Held against: write(2) of the same bytes, behind a look at the path, with fdatasync, or between flock and
-- unlock, in a C loop on a descriptor with O_APPEND; cjson and io.write; an INSERT, prepared once,
-- into SQLite's write-ahead log, its lock held for the connection's life as a handle holds ours, and the next
-- id taken without AUTOINCREMENT's table.
-- That log grows for about 500 inserts after a connection was opened, and is overwritten from then on,
-- which asks less of the file system: synced, both are measured.
local aish = require("aish_history")
local corpus = require("corpus")
local limits = require("limits")
local measure = require("measure")

local content = ("x"):rep(137)

-- One line as ours writes it, without what differs from line to line.
local function a_line(bench)
  local memory = assert(aish.open(bench.dir .. "/line.jsonl"))
  memory:add("fact", content)
  memory:close()
  local last
  for line in io.lines(bench.dir .. "/line.jsonl") do last = line end
  return last .. "\n"
end

local function ours(bench, name, opts, n, wall)
  local memory = assert(aish.open(bench.dir .. "/" .. name, opts))
  return { name = "aish_history", run = function()
    return measure.time(function(count)
      for _ = 1, count do memory:add("fact", content) end
    end, n, wall)
  end }
end

local function limit(bench, name, call, n, wall)
  local path = bench.dir .. "/" .. call
  local line, fd = a_line(bench), limits.open_append(path)
  return { name = name, run = function()
    return measure.time(function(count) limits[call](fd, line, count, path) end, n, wall)
  end }
end

-- most: how many inserts a connection makes before it is closed and opened again; nil: any number.
local function sqlite(bench, name, synchronous, n, wall, most)
  local path = bench.dir .. "/" .. name:gsub("%W", "-") .. ".db"
  local db, insert, made
  local function connect()
    if db then db:close() end
    insert = nil -- the log goes with the last statement
    collectgarbage()
    db, made = require("sqlite").open(path), 0
    db:exec("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=" .. synchronous .. ";"
      .. "CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, ts TEXT, kind TEXT, content TEXT)")
    insert = db:prepare("INSERT INTO items (ts, kind, content) VALUES (?, ?, ?)")
  end
  connect()
  return { name = name, run = function()
    if most and made + n > most then connect() end
    made = made + n
    return measure.time(function(count)
      for _ = 1, count do insert:run("2000-01-01T00:00:00Z", "fact", content) end
    end, n, wall)
  end }
end

-- The date is made anew each time, as without a cache of it.
local function cjson(bench, n)
  local encode = require("cjson").encode
  local file = assert(io.open(bench.dir .. "/cjson.jsonl", "a"))
  local id = 0
  return { name = "cjson + io.write + flush", run = function()
    return measure.time(function(count)
      for _ = 1, count do
        id = id + 1
        file:write(encode({ id = id, ts = os.date("!%Y-%m-%dT%H:%M:%SZ"), kind = "fact", content = content }), "\n")
        file:flush()
      end
    end, n)
  end }
end

local function unsynced(bench)
  local n = 1000
  local ways = { ours(bench, "none.jsonl", { sync = "none" }, n), limit(bench, "look + write", "write_looked", n) }
  if bench.has.cjson then ways[#ways + 1] = cjson(bench, n) end
  if bench.has.sqlite then ways[#ways + 1] = sqlite(bench, "SQLite, WAL, NORMAL", "NORMAL", n) end
  local results = measure.interleave(ways, bench.rounds(61, 21))
  local job = 'add, sync = "none"'
  bench.compare(job, results, "aish_history", "look + write", { at_most = 1.3 })
  bench.compare(job, results, "aish_history", "cjson + io.write + flush")
  bench.compare(job, results, "aish_history", "SQLite, WAL, NORMAL")
end

local function synced(bench)
  local n = 10
  local ways = {
    ours(bench, "full.jsonl", { sync = "full" }, n, true), limit(bench, "write + fdatasync", "write_synced", n, true),
  }
  if bench.has.sqlite then
    ways[3] = sqlite(bench, "SQLite, WAL, FULL", "FULL", n, true, 400)
    ways[4] = sqlite(bench, "the same, its log filled before", "FULL", n, true)
  end
  local results = measure.interleave(ways, bench.rounds(301, 31))
  local job = 'add, sync = "full"'
  bench.compare(job, results, "aish_history", "write + fdatasync", { at_most = 1.05 })
  bench.compare(job, results, "aish_history", "SQLite, WAL, FULL", { at_least = 1 })
  bench.compare(job, results, "aish_history", "the same, its log filled before", { at_least = 1 })
end

local function shared(bench)
  local n = 1000
  local results = measure.interleave({
    ours(bench, "shared.jsonl", { sync = "none", shared = true }, n), limit(bench, "flock + write + unlock", "write_locked", n),
  }, bench.rounds(61, 21))
  bench.compare('add, shared, sync = "none"', results, "aish_history", "flock + write + unlock", { at_most = 3 })
end

-- 1,000 items by add_many, and by add.
local function many(bench, sync, rounds)
  local memory = assert(aish.open(bench.dir .. "/many-" .. sync .. ".jsonl", { sync = sync }))
  local items = {}
  for i = 1, 1000 do items[i] = { kind = "fact", content = content } end
  local wall = sync == "full"
  local results = measure.interleave({
    { name = "add_many", run = function()
      return measure.time(function() memory:add_many(items) end, 1, wall)
    end },
    { name = "1000 add", run = function()
      return measure.time(function()
        for i = 1, 1000 do memory:add(items[i].kind, items[i].content) end
      end, 1, wall)
    end },
  }, rounds)
  bench.compare(('add_many of 1000, sync = "%s"'):format(sync), results, "add_many", "1000 add", { at_least = 5 })
end

-- Adds to a file of many items, none of which has the same kind and content; and updates of the last one.
local function unique(bench, sync, n, rounds)
  local number = 0
  local function way(name, call, opts)
    local path = ("%s/%s-%s.jsonl"):format(bench.dir, name, sync)
    assert(os.execute(("cp %s %s"):format(corpus.memory(bench.records), path)))
    local memory = assert(aish.open(path, opts))
    local id = memory:add("fact", "the first asks for the index")
    local calls = {
      add = function(text) memory:add("fact", text) end,
      update = function(text) id = memory:update(id, { content = text }) end,
    }
    local run = calls[call]
    return { name = name, run = function()
      return measure.time(function(count)
        for _ = 1, count do
          number = number + 1
          run(content .. number)
        end
      end, n, sync == "full")
    end }
  end
  local results = measure.interleave({ way("unique", "add", { sync = sync, unique = true }), way("add", "add", { sync = sync }),
    way("update", "update", { sync = sync }) }, rounds)
  local function job(name) return name:format(bench.records, sync) end
  bench.compare(job('unique add at %d items, sync = "%s"'), results, "unique", "add", { at_most = 1.1 })
  bench.compare(job('update at %d items, sync = "%s"'), results, "update", "add")
end

return function(bench)
  unsynced(bench)
  synced(bench)
  shared(bench)
  unique(bench, "none", 1000, bench.rounds(61, 21))
  unique(bench, "full", 10, bench.rounds(301, 31))
  many(bench, "none", bench.rounds(31, 11))
  if not bench.quick then many(bench, "full", 3) end -- the synced 1,000 may take seconds
end
