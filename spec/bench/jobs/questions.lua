--- Recalling what bears on a text. In a memory, held against SQLite's FTS5 that looks for any of its
-- words, both with their index built and building it; in sessions, against a search of one word.
local aish = require("aish_history")
local corpus = require("corpus")
local measure = require("measure")

local function repeated(name, n, call)
  return { name = name, run = function()
    return measure.time(function(count) for _ = 1, count do call() end end, n)
  end }
end

-- A sentence of ten words, some of them frequent.
local function sentence()
  local words = {}
  for i, rank in ipairs({ 3, 40, 200, 900, 1500, 20, 7, 600, 1200, 1900 }) do words[i] = corpus.word(rank) end
  return table.concat(words, " ")
end

local function fts5(bench, items, count)
  local db = require("sqlite").open(("%s/questions-%d.db"):format(bench.dir, count))
  local rising = corpus.by_id(items)
  local seconds = measure.time(function()
    db:exec("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
      .. "CREATE VIRTUAL TABLE items USING fts5 (content, tokenize = 'porter unicode61'); BEGIN")
    local insert = db:prepare("INSERT INTO items (rowid, content) VALUES (?, ?)")
    for _, item in ipairs(rising) do insert:run(item.id, item.content) end
    db:exec("COMMIT")
  end)
  return db:prepare("SELECT rowid, content, rank FROM items WHERE items MATCH ? ORDER BY rank LIMIT 20"), seconds
end

local function recall_memory(bench, count)
  local text, bytes = sentence(), 0
  local added = measure.index_bytes(corpus.memory(count), "recall", text)
  local memory = assert(aish.open(corpus.memory(count)))
  local items = memory:items()
  for _, item in ipairs(items) do bytes = bytes + #item.content end
  local first = measure.time(function() memory:recall(text) end)
  bench.row({ job = ("memory of the index, %d lines"):format(count), ours = ("%.1f MB"):format(added / 1e6),
    reference = "the items' text", theirs = ("%.1f MB"):format(bytes / 1e6), value = added / bytes,
    text = ("%.2f"):format(added / bytes), at_most = 1.5, target = "at most 1.5" })
  if not bench.has.sqlite then return bench.skip("memory:recall", "SQLite is not here") end
  local select, built = fts5(bench, items, count)
  local question = text:gsub("%S+", '"%0"'):gsub(" ", " OR ")
  bench.row({ job = ("the first memory:recall of a handle, %d lines"):format(count), ours = bench.seconds_text(first),
    reference = "FTS5, building", theirs = bench.seconds_text(built), value = first / built, text = ("%.2f"):format(first / built),
    at_most = 1 / 3, target = "at most 0.333" })
  bench.compare(("memory:recall of a sentence, %d lines"):format(count), measure.interleave({
    repeated("aish_history", 10, function() memory:recall(text) end),
    repeated("FTS5, any word", 10, function() select:rows(question) end),
  }, bench.rounds(31, 11)), "aish_history", "FTS5, any word", { at_most = 1 })
  memory:close()
end

local function recall_sessions(bench)
  local megabytes = bench.quick and 20 or 203
  local path, text = corpus.session(megabytes * 1e6), sentence()
  bench.compare(("recall of a sentence in %d MB"):format(megabytes), measure.interleave({
    repeated("aish_history", 1, function() assert(aish.recall(path, text)) end),
    repeated("search of one word", 1, function() assert(aish.search(path, corpus.rare)) end),
  }, bench.rounds(7, 3)), "aish_history", "search of one word", { at_most = 20 })
end

local function long_prompt(bench)
  local memory, words = assert(aish.open(corpus.memory(1000))), {}
  for i = 1, 150000 do words[i] = corpus.word(i * 7919 % 2000 + 1) end
  local long = table.concat(words, " "):sub(1, 1e6)
  local short = long:sub(1, 1000)
  memory:recall("")
  bench.compare("memory:recall of a prompt of 1 MB", measure.interleave({
    repeated("aish_history", 5, function() memory:recall(long) end),
    repeated("of 1 KB", 5, function() memory:recall(short) end),
  }, bench.rounds(15, 7)), "aish_history", "of 1 KB", { at_most = 20 })
  memory:close()
end

return function(bench)
  if not bench.offers("memory:recall") or not bench.offers("recall") then return bench.skip("recall", "there is no recall yet") end
  recall_memory(bench, 1000)
  recall_memory(bench, 100000)
  long_prompt(bench)
  recall_sessions(bench)
end
