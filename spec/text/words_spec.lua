--- The words that memory:search keeps in memory: whatever came before, it finds and scores what a plain
-- reading of the active items does.
local assert = require("luassert")
local helper = require("spec.support.helper")
local memories = require("spec.support.memories")
local native = require("aish_history")
local support = require("spec.support.recall")

local jit = rawget(_G, "jit")

-- A plain reading ------------------------------------------------------------------------------

local small = { ["é"] = "e", ["É"] = "e", ["ï"] = "i", ["Ж"] = "ж", ["\226\132\170"] = "k", ["\197\191"] = "s" }
local symbols = { ["—"] = true, ["。"] = true, ["→"] = true }
local marks = { ["。"] = true, ['"'] = true }

local function fold(text)
  return (text:gsub("[\194-\244][\128-\191]+", small):gsub("%u", string.lower))
end

local CHARACTER = "[%z\1-\127\194-\244][\128-\191]*"

local function is_letter(character)
  return character:find("^[%w\194-\244]") and not symbols[character]
end

-- Han: no word goes on across the edge of such a character.
local function is_dense(character)
  return character:find("^[\228-\233]") ~= nil
end

-- What the bytes from first to last weigh: as a word, as the beginning of one, inside one.
local function weight(text, first, last)
  local function goes_on(place)
    local start = place - 1
    while start > 1 and text:find("^[\128-\191]", start) do start = start - 1 end
    local before, after = text:match("^" .. CHARACTER, math.max(start, 1)), text:match("^" .. CHARACTER, place)
    if place == 1 then return false end
    return before and after and is_letter(before) and is_letter(after) and not is_dense(before) and not is_dense(after)
  end
  return goes_on(first) and 1 / 32 or goes_on(last + 1) and 1 / 8 or 1
end

-- Without the marks of sentences at its ends, if that leaves a letter.
local function trimmed(word)
  local characters = {}
  for character in word:gmatch(CHARACTER) do characters[#characters + 1] = character end
  local first, last = 1, #characters
  while marks[characters[first]] do first = first + 1 end
  while last >= first and (marks[characters[last]] or characters[last] == ".") do last = last - 1 end
  for index = first, last do
    if is_letter(characters[index]) then return table.concat(characters, "", first, last) end
  end
  return word
end

-- Without the bytes that are not UTF-8, which are none of the texts whose words are counted.
local function count_words(text)
  local count, inside = 0, false
  for character in text:gmatch(CHARACTER) do
    local letter = is_letter(character)
    if letter and not inside then count = count + 1 end
    inside = letter
  end
  return count
end

local function weigh_in(text, word)
  local sum, place = 0, 1
  while true do
    local first, last = text:find(word, place, true)
    if not first then return sum end
    sum, place = sum + weight(text, first, last), last + 1
  end
end
if jit then jit.off(weigh_in) end

local function texts_of(item)
  local texts = { fold(item.content) }
  for _, tag in ipairs(type(item.tags) == "table" and item.tags or {}) do texts[#texts + 1] = fold(tag) end
  return texts
end

-- What tells an item from others, which may have its id.
local function key_of(item)
  return ("%d %s %s"):format(item.id, tostring(item.ts), table.concat(texts_of(item), " "))
end

-- What README's formula gives for the items: key to score.
local function expected(items, query)
  local words, texts, length, total = {}, {}, {}, 0
  for word in fold(query):gmatch("%S+") do words[#words + 1] = trimmed(word) end
  for index, item in ipairs(items) do
    texts[index], length[index] = texts_of(item), 0
    for _, text in ipairs(texts[index]) do length[index] = length[index] + count_words(text) end
    length[index] = math.min(length[index], 65535)
    total = total + length[index]
  end
  local mean, scores = total / #items, {}
  for index in ipairs(items) do scores[index] = 0 end
  for _, word in ipairs(words) do
    local often, holding = {}, 0
    for index in ipairs(items) do
      often[index] = 0
      for _, text in ipairs(texts[index]) do often[index] = often[index] + weigh_in(text, word) end
      holding = holding + math.min(often[index], 1)
    end
    local idf = math.max(math.log((#items - holding + 0.5) / (holding + 0.5)), 1e-6)
    for index in ipairs(items) do
      local f = often[index]
      if f == 0 then scores[index] = nil
      elseif scores[index] then
        scores[index] = scores[index] + idf * f * 2.2 / (f + 1.2 * (0.25 + 0.75 * (mean > 0 and length[index] / mean or 1)))
      end
    end
  end
  local by_key = {}
  for index, item in ipairs(items) do by_key[key_of(item)] = scores[index] end
  return by_key
end

-- A search finds what it should, in the order of the scores, the newer first where they tie.
local function check(memory, query, limit)
  local hits = assert(memory:search(query, { limit = math.huge }))
  local scores, left, last = expected(memory:items(), query), 0, nil
  for _ in pairs(scores) do left = left + 1 end
  for _, hit in ipairs(hits) do
    local score = scores[key_of(hit)]
    assert(score, ("%q finds %d"):format(query, hit.id))
    assert(math.abs(hit.score - score) <= 1e-12 * score, ("%q: %d has %.17g, not %.17g"):format(query, hit.id, hit.score, score))
    assert(not last or last.score > hit.score or last.score == hit.score
      and (last.ts > hit.ts or last.ts == hit.ts and last.id >= hit.id), ("%q: the order"):format(query))
    last = hit
  end
  assert(left == #hits, ("%q finds %d items, not %d"):format(query, #hits, left))
  local best = memory:search(query, { limit = limit })
  assert.equal(math.min(limit, #hits), #best)
  for index, hit in ipairs(best) do assert.equal(hits[index].id, hit.id) end
  return #hits
end

local function check_all(memory, queries)
  for index, query in ipairs(queries) do check(memory, query, index) end
end

local function line(id, content, more)
  return ('{"id":%d,"ts":"2026-01-02T00:00:%02dZ","kind":"fact","content":%s%s}\n'):format(id, id % 60, support.plain(content), more or "")
end

local function append(path, bytes)
  local file = assert(io.open(path, "ab"))
  assert(file:write(bytes))
  assert(file:close())
end

local function memory_of(texts, options)
  local lines = {}
  for index, text in ipairs(texts) do lines[index] = line(index, text) end
  local path = helper.write(helper.tmpdir() .. "/memory.jsonl", table.concat(lines))
  return assert(native.open(path, options or { sync = "none" })), path
end

-- What is found --------------------------------------------------------------------------------

describe("words of a memory", function()
  helper.guard(before_each, after_each)

  it("are found whole and in part, as often as they stand without overlapping", function()
    local memory = memory_of({ "aaaa", "aaa", "a aa aaa", "xaaaay aa", "banana bandana", "ban", "ana", "anana", "", "AAAA Banana" })
    check_all(memory, { "a", "aa", "aaa", "aaaa", "aaaaa", "ana", "an", "nan", "banana", "ban", "n", "na na", "a ban", "xa ay", "d" })
    memory:close()
  end)

  it("are found with other characters in them, or without any of their own", function()
    local memory = memory_of({ "foo-bar", "foo bar", "foo - bar", "c++ and c", "++", "a.b.c", "foobar-foo-bar", "--", "- - -", "x=y", "C++C++", "foo-ba r" })
    check_all(memory, { "foo-bar", "foo-", "-bar", "-", "--", "+", "c++", "++", "+c", "c++ and", "foo-bar foo", "foo-bar foobar", "a.b", ".", "x=y",
      "x=y c++", "- foo-bar bar", "o-b", "=", "foo-bar foo-bar" })
    memory:close()
  end)

  it("are found in text without spaces, and next to its punctuation", function()
    local memory = memory_of({ "用户喜欢简洁的回答。谢谢", "回答", "简洁—回答", "回回回", "é→É", "ÉÉ é", "naïve Жук", "жж", "用户。简洁" })
    check_all(memory, { "用户", "简洁", "回答", "回", "回回", "洁的", "é", "éé", "É→É", "简洁—回答", "—", "。", "户。简", "ж", "Жук", "ïv", "谢 用" })
    memory:close()
  end)

  it("are found by bytes that are not UTF-8 where they are bytes of characters", function()
    local memory = memory_of({ "x—y", "x\226", "x\226\128", "xy", "caf\233", "cafþ", "\128x", "—x" })
    for query, ids in pairs({ ["x\226"] = { 1, 2, 3 }, ["x\226\128"] = { 1, 3 }, ["\148y"] = { 1 }, ["caf\233"] = { 5 }, ["\226"] = { 1, 2, 3, 8 },
      ["\128"] = { 1, 3, 7, 8 }, ["\128x"] = { 7 }, ["x \128"] = { 1, 3, 7, 8 }, ["caf\195"] = { 6 } }) do
      local found = support.pluck(memory:search(query), "id")
      table.sort(found)
      assert.same(ids, found, ("%q"):format(query))
    end
    memory:close()
  end)

  it("may be of any length, and any number", function()
    local long = ("abcdefghij"):rep(7000)
    local memory = memory_of({ long, long .. "k", "abc " .. ("w "):rep(65533), ("w "):rep(65534) .. "abc", ("w "):rep(70000) .. "abc",
      ("abc "):rep(70000), ("abc"):rep(70000), "abc", ("é"):rep(40000) .. "abc" })
    check_all(memory, { "abc", "abcd", "ja", "jk", "w", "w abc", long:sub(5, 4000), "é abc", "k abc" })
    memory:close()
  end)

  it("come from the content and the tags alone", function()
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl", line(1, "x", ',"tags":["one","two one"],"source":"three"')
      .. line(2, "one", ',"more":{"content":"two"},"tags":["on","e"]') .. line(3, "x", ',"content":"one","tags":"one"'))
    local memory = assert(native.open(path))
    check_all(memory, { "one", "on", "two", "one x", "o" })
    assert.same({}, memory:search("three"))
    memory:close()
  end)
end)

-- When it changes ------------------------------------------------------------------------------

describe("words of a memory that changes", function()
  helper.guard(before_each, after_each)

  local queries = { "one", "n", "two one", "o-t", "three" }

  it("are those of the items that came or went since the last search", function()
    local memory = memory_of({ "one two", "one", "two three" })
    check_all(memory, queries)
    for step = 1, 20 do
      memory:add("fact", ("one "):rep(step % 4) .. (step % 3 == 0 and "two-three" or "one-two"), { "three" })
      if step % 2 == 0 then memory:forget(step / 2) end
      check_all(memory, queries)
      if step % 7 == 0 then
        assert.truthy(memory:compact())
        check_all(memory, queries)
      end
    end
    memory:close()
  end)

  it("are left out where they were forgotten before the first search", function()
    local memory = memory_of({ "one two", "one", "two three", "one one" })
    memory:forget(4)
    memory:forget(2)
    check_all(memory, queries)
    memory:close()
  end)

  it("are seen by each handle that shares the file", function()
    local one, path = memory_of({ "one two", "one" }, { shared = true })
    local two = assert(native.open(path, { shared = true }))
    for step = 1, 6 do
      check_all(one, queries)
      two:add("fact", "one two-three " .. step)
      check_all(one, queries)
      one:forget(step)
      check_all(two, queries)
      if step == 3 then two:compact() end
      if step == 5 then one:compact() end
    end
    one:close()
    two:close()
  end)

  it("are those of the last item of an id, whatever the order of the ids", function()
    local memory, path = memory_of({}, { shared = true })
    local more = { line(50, "one two"), line(10, "one"), line(30, "one-two three"), line(10, "three"), line(60, "one"), line(50, "two"),
      memories.tombstone(70, 30), line(5, "one one"), line(60, "one two"), line(30, "one"), line(80, "three one") }
    for _, bytes in ipairs(more) do
      append(path, bytes)
      check_all(memory, queries)
    end
    memory:compact()
    check_all(memory, queries)
    append(path, line(1, "one") .. line(80, "two"))
    check_all(memory, queries)
    memory:close()
  end)

  it("are those of the file that is there now", function()
    local memory, path = memory_of({ "one two", "one" })
    check_all(memory, queries)
    helper.write(path .. ".new", line(1, "three") .. line(2, "one three") .. line(3, "two"))
    assert(os.rename(path .. ".new", path))
    check_all(memory, queries)
    memory:close()
  end)
end)

-- At random ------------------------------------------------------------------------------------

describe("words of random memories", function()
  helper.guard(before_each, after_each)

  local letters = { "a", "b", "a", "b", "ab", "ba", "A", "B", "k", "s", "K", "\226\132\170", "\197\191", "1", "é", "É", "Ж", "用", "户", "用户" }
  local others = { " ", " ", " ", "-", ".", "—", "。", "+", "\n", "/", "\\", '"', "→" }

  local function word(random, most)
    local parts = {}
    for index = 1, random(most) do parts[index] = random(12) == 1 and others[random(#others)] or letters[random(#letters)] end
    return table.concat(parts)
  end

  local function text(random)
    local parts = {}
    for index = 1, random(random(10) == 1 and 120 or 8) do parts[index] = word(random, 4) .. others[random(#others)] end
    return table.concat(parts)
  end

  local function query(random)
    local parts = {}
    for index = 1, random(3) do parts[index] = word(random, 3) end
    local words = table.concat(parts, " ")
    return words:find("%S") and words or "a"
  end

  local function change(random, memory, path)
    local action, most = random(10), memory.next_id - 1
    if action <= 3 then memory:add("fact", text(random), random(2) == 1 and { text(random), word(random, 2) } or nil)
    elseif action <= 5 then memory:add_many({ { kind = "fact", content = text(random) }, { kind = "pref", content = text(random) } })
    elseif action <= 7 then memory:forget(random(most))
    elseif action == 8 then append(path, line(random(most + 3), text(random)))
    elseif action == 9 then append(path, memories.tombstone(most + random(5), random(most)))
    elseif random(4) == 1 then assert.truthy(memory:compact()) end
  end

  for seed = 1, 6 do
    it("are found as a plain reading finds them, " .. seed, function()
      local random = memories.random(7000 + seed)
      local texts = {}
      for index = 1, random(150) do texts[index] = text(random) end
      local memory, path = memory_of(texts, { shared = true, sync = "none" })
      local found = 0
      for _ = 1, 60 do
        for _ = 1, random(3) - 1 do change(random, memory, path) end
        found = found + check(memory, query(random), random(20))
      end
      assert.is_true(found > 100)
      memory:close()
    end)
  end
end)
