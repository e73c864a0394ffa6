--- How well the right text is found: of each question whether the text that it asks for comes first,
-- is among the first ten, and the mean of one through its place (mean reciprocal rank). Held against
-- SQLite's FTS5 that looks for any of the question's words, with `porter unicode61` and with
-- `trigram`. The halves of the questions are told apart by a hash of their text: on one the ranking
-- was tuned, and the other one is shown (FINDING=tuned shows the first).
local aish = require("aish_history")
local collections = require("collections")
local limits = require("limits")

-- ---- who finds ----

-- Each is a function from a question to the numbers of texts, best first.

-- The words of a question, as FTS5 is to look for them: any of them. What is no letter in Unicode is
-- none to FTS5 either, but would make a phrase of the words at its sides.
local function any_word(question)
  local words, seen = {}, {}
  question = question:gsub("\194[\128-\191]", " "):gsub("\226[\128\129][\128-\191]", " "):gsub("\227\128[\128-\191]", " ")
    :gsub("\239\188[\128-\143\154-\160]", " ")
  for word in question:gmatch("[%w\128-\255]+") do
    if not seen[word] then words[#words + 1] = '"' .. word .. '"' end
    seen[word] = true
  end
  return table.concat(words, " OR ")
end

local function fts5(collection, tokenizer)
  local db = require("sqlite").open(":memory:")
  db:exec("CREATE VIRTUAL TABLE texts USING fts5 (text, tokenize = '" .. tokenizer .. "'); BEGIN")
  local insert = db:prepare("INSERT INTO texts (rowid, text) VALUES (?, ?)")
  for number, text in ipairs(collection.texts) do insert:run(number, text) end
  db:exec("COMMIT")
  local select = db:prepare("SELECT rowid FROM texts WHERE texts MATCH ? ORDER BY bm25(texts), rowid DESC LIMIT 10")
  return function(question)
    local query, numbers = any_word(question), {}
    if query == "" then return numbers end
    for i, row in ipairs(select:rows(query)) do numbers[i] = row.rowid end
    return numbers
  end
end

local function recall_of_items(bench, collection)
  local path = ("%s/finding-%d.jsonl"):format(bench.dir, collections.hash(collection.name))
  local memory = assert(aish.open(path, { sync = "none" }))
  local items = {}
  for number, text in ipairs(collection.texts) do items[number] = { kind = "fact", content = text } end
  local first = assert(memory:add_many(items))[1]
  return function(question)
    local numbers = {}
    for i, item in ipairs(memory:recall(question, { limit = 10 })) do numbers[i] = item.id - first + 1 end
    return numbers
  end
end

-- A session a conversation, all in one directory.
local function recall_of_turns(bench, collection)
  local dir = bench.dir .. "/finding"
  limits.mkdir(dir)
  local places, session, path = {}, nil, nil
  for number, text in ipairs(collection.texts) do
    local name = ("%s/2026-01-%02d.jsonl"):format(dir, collection.talks[number])
    if name ~= path then
      if session then session:close() end
      path, session = name, assert(aish.session(name))
      places[path] = number
    end
    assert(session:append({ role = collection.roles[number], content = text }))
  end
  session:close()
  return function(question)
    local numbers = {}
    for i, hit in ipairs(aish.recall(dir, question, { limit = 10 })) do numbers[i] = places[hit.path] + hit.line - 1 end
    return numbers
  end
end

-- ---- how well ----

local function place_of(number, numbers)
  for place, other in ipairs(numbers) do
    if other == number then return place end
  end
end

-- Which share of the questions, in percent, has the right text first and among ten; and the mean.
local function judge(find, questions)
  local first, ten, sum = 0, 0, 0
  for _, question in ipairs(questions) do
    local place = place_of(question[2], find(question[1]))
    if place then
      ten, sum = ten + 1, sum + 1 / place
      if place == 1 then first = first + 1 end
    end
  end
  local percent = 100 / #questions
  return { first = first * percent, ten = ten * percent, mean = sum / #questions }
end

local function half(questions)
  local wanted, chosen = os.getenv("FINDING") == "tuned" and 0 or 1, {}
  for _, question in ipairs(questions) do
    if collections.hash(question[1]) % 2 == wanted then chosen[#chosen + 1] = question end
  end
  return chosen
end

local function offers(bench, collection)
  return collection.talks and bench.offers("recall") or not collection.talks and bench.offers("memory:recall")
end

local function find_all(bench, collection)
  local questions = half(collection.questions)
  local point = { name = collection.name, texts = #collection.texts, questions = #questions, talk = collection.talks ~= nil }
  local recall = collection.talks and recall_of_turns or recall_of_items
  if offers(bench, collection) then point.recall = judge(recall(bench, collection), questions)
  else bench.skip(collection.name, "there is no recall yet") end
  point.porter = judge(fts5(collection, "porter unicode61"), questions)
  point.trigram = judge(fts5(collection, "trigram"), questions)
  return point
end

-- ---- what is to be reached ----

local function percent(value)
  return ("%.1f %%"):format(value)
end

local function row(bench, job, ours, theirs, at_least)
  bench.row({ job = job, ours = percent(ours), reference = "FTS5, porter, any word", theirs = percent(theirs),
    value = math.floor((ours - theirs) * 1e6 + 0.5) / 1e6, text = ("%+.1f points"):format(ours - theirs),
    at_least = at_least, target = ("at least %+d"):format(at_least) })
end

local measures = { { "first", "right one first" }, { "ten", "right one among ten" } }

local function means(bench, points)
  for _, measure in ipairs(measures) do
    local ours, theirs, count = 0, 0, 0
    for _, point in ipairs(points) do
      if point.recall then
        ours, theirs, count = ours + point.recall[measure[1]], theirs + point.porter[measure[1]], count + 1
      end
    end
    if count > 0 then row(bench, "the mean of these: " .. measure[2], ours / count, theirs / count, 2) end
  end
end

return function(bench)
  if not bench.has.sqlite then return bench.skip("finding", "SQLite is not here") end
  local all, left_out = collections.all(os.getenv("BENCH_CACHE") or bench.dir)
  for _, why in ipairs(left_out) do bench.skip("finding", why) end
  bench.finding = {}
  for i, collection in ipairs(all) do
    local point = find_all(bench, collection)
    bench.finding[i] = point
    for _, measure in ipairs(measures) do
      if point.recall then
        row(bench, point.name .. ", " .. measure[2], point.recall[measure[1]], point.porter[measure[1]], point.talk and 8 or 0)
      end
    end
  end
  means(bench, bench.finding)
end
