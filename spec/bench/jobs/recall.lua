--- Finding things: the newest items, words in files and in memories, the newest sessions, the last
-- turns. A row whose function is not there is left out by name. Held against SQLite with an index on
-- the time, with FTS5, and with LIKE over the lines; ripgrep; our own open and list.
local aish = require("aish_history")
local corpus = require("corpus")
local idioms = require("idioms")
local limits = require("limits")
local measure = require("measure")

local function repeated(name, n, call)
  return { name = name, run = function()
    return measure.time(function(count) for _ = 1, count do call() end end, n)
  end }
end

-- SQLite's own settings for one process and a database that can be made again.
local ALONE = "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"

-- The items of a memory file in a table of SQLite's, with an index on the time.
local function items_table(bench, items)
  local db = require("sqlite").open(bench.dir .. "/items.db")
  db:exec(ALONE
    .. "CREATE TABLE items (id INTEGER PRIMARY KEY, ts TEXT, kind TEXT, content TEXT, tags TEXT, source TEXT); BEGIN")
  local insert = db:prepare("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?)")
  for _, item in ipairs(corpus.by_id(items)) do
    insert:run(item.id, item.ts, item.kind, item.content, item.tags and table.concat(item.tags, " ") or nil, item.source)
  end
  db:exec("COMMIT; CREATE INDEX newest ON items (ts, id)")
  return db
end

local function newest(bench, path)
  local memory = assert(aish.open(path))
  if pcall(memory.items, memory, { limit = 1 }) then
    local ways = { repeated("aish_history", 20, function() memory:items({ limit = 50 }) end) }
    if bench.has.sqlite then
      local select = items_table(bench, memory:items()):prepare("SELECT * FROM items ORDER BY ts DESC, id DESC LIMIT 50")
      ways[2] = repeated("SQLite, indexed", 20, function() select:rows() end)
    end
    bench.compare(("items{limit = 50} of %d records"):format(bench.records), measure.interleave(ways, bench.rounds(41, 11)),
      "aish_history", "SQLite, indexed", { at_most = 1 })
  else
    bench.skip("items{limit = 50}", "items takes no filter yet")
  end
  memory:close()
  if not pcall(aish.load_memory, path, { limit = 1 }) then
    return bench.skip("load_memory(path, {limit = 50})", "it takes no filter yet")
  end
  local results = measure.interleave({
    repeated("aish_history", 1, function() aish.load_memory(path, { limit = 50 }) end),
    repeated("open", 1, function() assert(aish.open(path)):close() end),
  }, bench.rounds(15, 7))
  bench.compare(("load_memory{limit = 50}, %d lines"):format(bench.records), results, "aish_history", "open", { at_most = 1 })
end

local function lines_table(bench, path)
  local db = require("sqlite").open(bench.dir .. "/lines.db")
  db:exec(ALONE .. "CREATE TABLE lines (line TEXT); BEGIN")
  local insert = db:prepare("INSERT INTO lines VALUES (?)")
  for line in io.lines(path) do insert:run(line) end
  db:exec("COMMIT")
  return db
end

-- Two words, each in one line of a thousand or so. All matches are asked for, so that the whole file
-- is read: ripgrep counts the lines with one of them, SQLite looks for both.
local function search_file(bench)
  if not bench.offers("search") then return bench.skip("search of a file", "there is no search yet") end
  local megabytes = bench.quick and 20 or 203
  local path = corpus.session(megabytes * 1e6)
  local query = corpus.rare .. " " .. corpus.other_rare
  local ways = { { name = "aish_history", run = function()
    return measure.time(function() aish.search(path, query, { limit = 1000000 }) end, nil, true)
  end } }
  if bench.has.rg then
    ways[#ways + 1] = { name = "rg -F -i -c of one", run = function()
      return (limits.run("rg", "-F", "-i", "-c", corpus.rare, path))
    end }
  end
  if bench.has.sqlite then
    local select = lines_table(bench, path):prepare("SELECT rowid, line FROM lines WHERE line LIKE ? AND line LIKE ?")
    ways[#ways + 1] = { name = "SQLite LIKE", most = bench.rounds(5, 3), run = function()
      return measure.time(function()
        select:rows("%" .. corpus.rare .. "%", "%" .. corpus.other_rare .. "%")
      end, nil, true)
    end }
  end
  local results = measure.interleave(ways, bench.rounds(11, 5))
  local job = ("search of two words in %d MB"):format(megabytes)
  bench.compare(job, results, "aish_history", "rg -F -i -c of one", { at_most = 3 })
  bench.compare(job, results, "aish_history", "SQLite LIKE", { at_least = 4 })
end

-- Words that one record in twenty or so has.
local function search_memory(bench, count)
  local job = ("memory:search of two words, %d lines"):format(count)
  if not bench.offers("memory:search") then return bench.skip(job, "there is no memory:search yet") end
  if not bench.has.sqlite then return bench.skip(job, "SQLite is not here") end
  local memory = assert(aish.open(corpus.memory(count)))
  local db = require("sqlite").open(bench.dir .. "/fts-" .. count .. ".db")
  db:exec(ALONE .. "CREATE VIRTUAL TABLE items USING fts5 (content, tags); BEGIN")
  local insert = db:prepare("INSERT INTO items (rowid, content, tags) VALUES (?, ?, ?)")
  for _, item in ipairs(corpus.by_id(memory:items())) do
    insert:run(item.id, item.content, item.tags and table.concat(item.tags, " ") or "")
  end
  db:exec("COMMIT; INSERT INTO items (items) VALUES ('optimize')")
  local query = corpus.word(20) .. " " .. corpus.word(30)
  local select = db:prepare("SELECT rowid, content, tags, rank FROM items WHERE items MATCH ? ORDER BY rank LIMIT 10")
  local first = measure.time(function() memory:search(query, { limit = 10 }) end)
  local results = measure.interleave({
    repeated("aish_history", 10, function() memory:search(query, { limit = 10 }) end),
    repeated("SQLite FTS5", 10, function() select:rows(query) end),
  }, bench.rounds(31, 11))
  if count == 1000 then
    local ours, theirs = results["aish_history"].median, results["SQLite FTS5"].median
    bench.row({ job = job, ours = bench.seconds_text(ours), reference = "SQLite FTS5", theirs = bench.seconds_text(theirs),
      value = (ours - theirs) * 1e3, at_most = 0.5, text = ("%.3f ms more"):format((ours - theirs) * 1e3),
      target = "0.5 ms more" })
  else
    bench.compare(job, results, "aish_history", "SQLite FTS5", { at_most = 3 })
  end
  bench.row({ job = "the first such search of a handle", ours = bench.seconds_text(first), reference = "", theirs = "",
    text = "" })
  local items = #memory
  memory:close()
  if count >= 100000 then
    local added = measure.index_bytes(corpus.memory(count), "search", query) / items
    bench.row({ job = "memory that the first search adds", ours = ("%.0f B an item"):format(added), reference = "", theirs = "",
      text = "", value = added, at_most = 55, target = "at most 55" })
  end
end

local function newest_sessions(bench)
  if not bench.offers("sessions") then return bench.skip("sessions{limit = 20}", "there is no sessions yet") end
  local count = bench.quick and 2000 or 10000
  local dir = corpus.sessions(count)
  local results = measure.interleave({
    repeated("aish_history", 1, function() aish.sessions(dir, { limit = 20 }) end),
    repeated("list", 1, function() aish.list(dir) end),
    bench.has.lfs and repeated("lfs + table.sort", 1, function() idioms.list(dir) end) or nil,
  }, bench.rounds(31, 15))
  local ours, theirs = results["aish_history"].median, results.list.median
  bench.row({ job = ("sessions{limit = 20} of %d files"):format(count), ours = bench.seconds_text(ours), reference = "list",
    theirs = bench.seconds_text(theirs), value = (ours - theirs) * 1e3, at_most = 2,
    text = ("%.2f ms more"):format((ours - theirs) * 1e3), target = "2 ms more" })
end

local function last_turns(bench)
  local short = corpus.long_session(1)
  if not pcall(aish.load, short, { last = 1 }) then return bench.skip("load(path, {last = 20})", "load takes no options yet") end
  local megabytes = bench.quick and 100 or 1000
  local long = corpus.long_session(megabytes)
  local results = measure.interleave({
    repeated("aish_history", 50, function() aish.load(long, { last = 20 }) end),
    repeated("of 1 MB", 50, function() aish.load(short, { last = 20 }) end),
  }, bench.rounds(31, 11))
  bench.compare(("load{last = 20} of %d MB"):format(megabytes), results, "aish_history", "of 1 MB", { at_most = 2 })
  os.remove(long)
end

return function(bench)
  newest(bench, corpus.memory(bench.records))
  search_file(bench)
  search_memory(bench, 1000)
  search_memory(bench, 100000)
  newest_sessions(bench)
  last_turns(bench)
end
