--- memory:search: which items are found, and in what order.
local assert = require("luassert")
local cases = require("spec.support.cases")
local generate = require("spec.support.generate")
local helper = require("spec.support.helper")
local history = require("history")
local memories = require("spec.support.memories")
local native = require("aish_history")
local support = require("spec.support.recall")

local jit = rawget(_G, "jit")

-- Calls visit(memory, path) with a memory that has these lines, and closes it whatever happens.
local function with_memory(bytes, visit)
  local path = helper.write(helper.tmpdir() .. "/memory.jsonl", bytes)
  local memory = assert(native.open(path, { sync = "none" }))
  local ok, message = pcall(visit, memory, path)
  memory:close()
  if not ok then error(message, 0) end
  return memory
end

-- An item whose content and tags are JSON; ids ascend in time.
local function item(id, content, tags)
  return ('{"id":%d,"ts":"2026-01-02T%02d:%02d:%02dZ","kind":"fact","content":%s%s}\n'):format(
    id, math.floor(id / 3600) % 24, math.floor(id / 60) % 60, id % 60, content, tags and ',"tags":' .. tags or "")
end

-- A memory of one item for each text, plain or escaped, with the ids 1, 2, ...
local function items(texts, spell)
  local lines = {}
  for index, text in ipairs(texts) do lines[index] = item(index, (spell or support.plain)(text)) end
  return table.concat(lines)
end

-- The ids that a query finds, ascending.
local function found(memory, query, options)
  options = options or {}
  options.limit = options.limit or 1e6
  local ids = support.pluck(assert(memory:search(query, options)), "id")
  table.sort(ids)
  return ids
end

-- Each query finds these items of the texts, whether the file has them plain or escaped.
local function finds(texts, queries, options)
  for _, spell in ipairs({ support.plain, support.escaped }) do
    with_memory(items(texts, spell), function(memory)
      for _, query in ipairs(queries) do
        assert.same(query[2], found(memory, query[1], options), ("%q"):format(query[1]))
      end
    end)
  end
end

describe("memory:search", function()
  helper.guard(before_each, after_each)

  it("finds the items that hold every word, anywhere in them", function()
    finds({ "the quick brown fox", "the lazy dog", "a quicksand", "" }, {
      { "quick", { 1, 3 } }, { "the", { 1, 2 } }, { "fox the", { 1 } }, { "the the the", { 1, 2 } }, { "dog fox", {} },
      { "uick", { 1, 3 } }, { "o", { 1, 2 } }, { "brown fox", { 1 } }, { "fox brown", { 1 } }, { "absent", {} }, { "a", { 2, 3 } },
    })
  end)

  it("splits the query at white space of every kind, and at nothing else", function()
    local texts = { "one two", "one", "two", "one,two", "one-two", "one\0two", "one_two" }
    local both = { 1, 4, 5, 6, 7 }
    local queries = { { "one,two", { 4 } }, { "one-two", { 5 } }, { "one\0two", { 6 } }, { "one_two", { 7 } } }
    for _, space in ipairs({ " ", "\t", "\n", "\r\n", "\v", "\f", "  ", generate.utf8(0x85), generate.utf8(0xA0), generate.utf8(0x1680),
      generate.utf8(0x2000), generate.utf8(0x200A), generate.utf8(0x2028), generate.utf8(0x2029), generate.utf8(0x202F),
      generate.utf8(0x205F), generate.utf8(0x3000) }) do
      queries[#queries + 1] = { "one" .. space .. "two", both }
      queries[#queries + 1] = { space .. "one" .. space, { 1, 2, 4, 5, 6, 7 } }
    end
    finds(texts, queries)
  end)

  it("takes the marks of sentences off the ends of a word, if that leaves a letter or a digit", function()
    finds({ "the disk is nearly full", "C++ and C#", "--force ~/.vimrc $HOME /etc/hosts", "f(x)", "北京大学", "?", "what is 4.5", "..." }, {
      { "disk?", { 1 } }, { '"nearly full"', { 1 } }, { "disk, full.", { 1 } }, { "(disk)", { 1 } }, { "[full]!?", { 1 } }, { "“disk”", { 1 } }, { "«full»", { 1 } },
      { "¿disk?", { 1 } }, { "C++", { 2 } }, { "C#?", { 2 } }, { "--force", { 3 } }, { ".vimrc", { 3 } }, { "$HOME,", { 3 } }, { "/etc/hosts:", { 3 } },
      { "f(x)", { 4 } }, { "「北京」、", { 5 } }, { "北京？", { 5 } }, { "?", { 6 } }, { "4.5.", { 7 } }, { "...", { 8 } }, { "$home.", { 3 } },
    })
    finds({ "disk?", "disk" }, { { "disk?", { 1 } } }, { exact = true })
    -- bytes that are no character's are no mark's
    finds({ "abc", "abc!\129" }, { { "abc!\129", { 2 } }, { "abc.\129", {} }, { "abc!\129\129\129", {} }, { "abc\129", {} } })
  end)

  it("puts whole words first, then beginnings, then insides", function()
    finds({ "xjqx" }, { { "jq", { 1 } } })
    with_memory(items({ "json: jquery and jqplot and a jq-like thing", "njq njq njq", "jquery jquery", "jq: command-line JSON processor, in a much longer text than others", "x", "y", "z" }),
      function(memory) assert.same({ 1, 4, 3, 2 }, support.pluck(memory:search("jq"), "id")) end)
    with_memory(items({ "配置", "修改配置文件", "x", "y", "z" }), function(memory)
      local hits = memory:search("配置")
      assert.is_true(hits[2].score > hits[1].score / 2)
    end)
  end)

  it("takes an exact query as it is", function()
    finds({ "one two", "one  two", "two one", "one\ntwo", " ", "one two three", "ONE TWO" }, {
      { "one two", { 1, 6, 7 } }, { "one  two", { 2 } }, { "one\ntwo", { 4 } }, { " ", { 1, 2, 3, 5, 6, 7 } }, { " two", { 1, 2, 6, 7 } },
      { "two ", { 3, 6 } }, { "One Two", { 1, 6, 7 } },
    }, { exact = true })
  end)

  it("looks into the content and the tags, and nowhere else", function()
    local bytes = item(1, '"needle"') .. item(2, '"x"', '["a","needle"]') .. item(3, '"x"', '[["needle"],{"needle":"needle"}]')
      .. '{"id":4,"ts":"2026-01-02T00:00:00Z","kind":"fact","content":"x","source":"needle","needle":"needle"}\n'
      .. '{"id":5,"ts":"needle","kind":"fact","content":"x"}\n' .. item(6, '["needle"]') .. item(7, '"x"', '"needle"')
      .. '{"meta":{"needle":"needle"}}\n' .. '{"id":8,"kind":"forget","target":99,"content":"needle"}\n'
    with_memory(bytes, function(memory)
      assert.same({ 1, 2 }, found(memory, "needle"))
      assert.same({}, found(memory, "fact"))
      assert.same({}, found(memory, "content"))
    end)
  end)

  it("finds words that are spread over content and tags, but none across two of them", function()
    with_memory(item(1, '"alpha"', '["beta","gamma"]') .. item(2, '"alphabeta"', '["gam","ma"]'), function(memory)
      assert.same({ 1, 2 }, found(memory, "alpha beta"))
      assert.same({ 1 }, found(memory, "gamma alpha beta"))
      assert.same({ 2 }, found(memory, "alphabeta"))
      assert.same({}, found(memory, "alpha beta", { exact = true }))
    end)
  end)

  it("takes the last of duplicate keys", function()
    with_memory('{"id":1,"kind":"fact","content":"old","content":"new","tags":["before"],"tags":["after"]}\n', function(memory)
      local hit = assert(memory:search("new"))[1]
      assert.equal("new", hit.content)
      assert.same({ "after" }, hit.tags)
    end)
  end)

  it("finds what is written with any escape", function()
    local slash, quote, backslash = '"a\\/b"', '"say \\"hi\\""', '"C:\\\\Users\\\\kim"'
    local bytes = item(1, slash) .. item(2, quote) .. item(3, backslash) .. item(4, '"tab\\there\\nand\\u0000nul"')
      .. item(5, '"\\u006E\\u0065edle"') .. item(6, '"smile \\ud83d\\ude00"') .. item(7, '"x"', '["n\\u0065edle","a\\/b"]')
    with_memory(bytes, function(memory)
      for query, ids in pairs({ ["a/b"] = { 1, 7 }, ['"hi"'] = { 2 }, ["\\users\\KIM"] = { 3 }, ["needle"] = { 5, 7 },
        ["\240\159\152\128"] = { 6 }, ["here"] = { 4 }, ["and\0nul"] = { 4 }, ["\\/"] = {}, ["u006e"] = {}, ["ud83d"] = {} }) do
        assert.same(ids, found(memory, query), query)
      end
      assert.same({ 4 }, found(memory, "tab\there\nand\0n", { exact = true }))
    end)
  end)

  it("finds text that has no spaces between words", function()
    finds({ "用户喜欢简洁的回答", "プロジェクトはLuaで書かれている", "ผู้ใช้ชอบคำตอบสั้น", "사용자는 짧은 답을 좋아한다", "回答 用户" }, {
      { "简洁", { 1 } }, { "回答", { 1, 5 } }, { "用户 回答", { 1, 5 } }, { "luaで", { 2 } }, { "ェクト", { 2 } }, { "คำตอบ", { 3 } },
      { "ชอบ สั้น", { 3 } }, { "답을", { 4 } }, { "짧은\227\128\128사용자", { 4 } }, { "洁简", {} },
    })
  end)

  it("keeps bytes that are not UTF-8 as they are", function()
    with_memory(items({ "caf\233 noir", "caf\195\169 noir", "\206\188", "\206\188 \224\130\181", "\255\254A" }), function(memory)
      assert.same({ 1 }, found(memory, "caf\233"))
      assert.same({ 1 }, found(memory, "\233 NOIR", { exact = true }))
      assert.same({ 2 }, found(memory, "CAF\195\137"))
      assert.same({ 5 }, found(memory, "\255\254a"))
      -- MICRO SIGN folds to Greek mu; its overlong spelling is no character
      assert.same({ 3, 4 }, found(memory, "\194\181"))
      assert.same({ 4 }, found(memory, "\224\130\181"))
    end)
  end)

  it("gives the items as they are, with their score", function()
    with_memory('{"id":7,"ts":"2026-01-02T03:04:05Z","kind":"pref","content":"needle","tags":["t"],"source":"s","more":{"deep":[1,null]}}\n',
      function(memory)
        local hits = assert(memory:search("needle"))
        local score = hits[1].score
        assert.is_true(score > 0 and score < 1e-3)
        hits[1].score = nil
        assert.is_nil(cases.difference(memory:get(7), hits[1]))
      end)
  end)

  it("gives 20, or as many as the limit says", function()
    local texts = {}
    for index = 1, 45 do texts[index] = "needle" end
    with_memory(items(texts), function(memory)
      assert.equal(20, #memory:search("needle"))
      assert.equal(20, #memory:search("needle", {}))
      for _, limit in ipairs({ 0, 1, 19, 20, 21, 44, 45, 46, 1e9, 1e15, 1e300, math.huge }) do
        assert.equal(math.min(limit, 45), #memory:search("needle", { limit = limit }))
      end
      assert.same({ 45, 44, 43 }, support.pluck(memory:search("needle", { limit = 3 }), "id"))
    end)
  end)

  it("puts the newer first where scores tie, by time and then by id", function()
    local function at(id, ts) return ('{"id":%d,"ts":"%s","kind":"fact","content":"needle"}\n'):format(id, ts) end
    with_memory(at(1, "2026-01-03T00:00:00Z") .. at(2, "2026-01-01T00:00:00Z") .. at(5, "2026-01-02T00:00:00Z")
      .. at(4, "2026-01-02T00:00:00Z") .. at(3, "odd") .. '{"id":6,"kind":"fact","content":"needle"}\n', function(memory)
      assert.same({ 1, 5, 4, 2, 6, 3 }, support.pluck(memory:search("needle"), "id"))
    end)
  end)

  it("ranks a rare word, a repeated word and a short text higher", function()
    local texts = {}
    for index = 1, 30 do texts[index] = "common filler text number " .. index end
    texts[31], texts[32] = "rare", "common"
    texts[33] = "rare with much other text around it that has nothing to do with it at all"
    texts[34] = "rare rare"
    with_memory(items(texts), function(memory)
      assert.same({ 34, 31, 33 }, support.pluck(memory:search("rare"), "id"))
      local rare, common = memory:search("rare")[2].score, memory:search("common")[1].score
      assert.is_true(rare > common)
    end)
  end)

  it("ranks by all the active items, whatever the filter", function()
    with_memory(items({ "needle", "needle other", "x", "x", "x", "x", "x" }), function(memory)
      local all = memory:search("needle")
      local one = memory:search("needle", { since = "2026-01-02T00:00:02Z", before = "2026-01-02T00:00:03Z" })
      assert.same({ 2 }, support.pluck(one, "id"))
      assert.equal(all[2].score, one[1].score)
    end)
  end)

  it("does not find what was forgotten, and finds what was added again", function()
    with_memory("", function(memory)
      for index = 1, 10 do assert.equal(index, memory:add("fact", "needle " .. index, { "tag" .. index })) end
      assert.same({ 10, 9, 8, 7, 6, 5, 4, 3, 2, 1 }, support.pluck(memory:search("needle"), "id"))
      local before = memory:search("needle")[1].score
      memory:forget(3)
      memory:forget(10)
      assert.same({ 1, 2, 4, 5, 6, 7, 8, 9 }, found(memory, "needle"))
      assert.same({}, found(memory, "tag3"))
      assert.equal(13, memory:add("fact", "another text"))
      assert.same({ 13 }, found(memory, "another"))
      assert.is_true(memory:search("tag4")[1].score > before)
      assert.truthy(memory:compact())
      assert.same({ 1, 2, 4, 5, 6, 7, 8, 9 }, found(memory, "needle"))
      assert.same({ 13 }, found(memory, "another"))
      memory:add_many({ { kind = "fact", content = "needle fourteen" }, { kind = "pref", content = "fifteen" } })
      assert.same({ 1, 2, 4, 5, 6, 7, 8, 9, 14 }, found(memory, "needle"))
      assert.same({}, found(memory, "needle", { kind = "pref" }))
    end)
  end)

  it("scores a file as a fresh handle does, after every change", function()
    local random = memories.random(31337)
    local words = { "alpha", "beta", "gamma", "delta" }
    with_memory("", function(memory, path)
      local function text()
        local parts = {}
        for index = 1, random(12) do parts[index] = words[random(#words)] end
        return table.concat(parts, " ")
      end
      for step = 1, 60 do
        local action = random(10)
        if action <= 6 then memory:add("fact", text(), random(2) == 1 and { text() } or nil)
        elseif action <= 8 then memory:forget(random(step))
        elseif action == 9 then memory:compact()
        else memory:search("beta") end
        if step % 10 == 0 then
          local copy = helper.write(path .. ".copy", helper.read(path))
          local fresh = assert(native.open(copy))
          local query = words[random(#words)] .. " " .. words[random(#words)]
          local expected, given = fresh:search(query, { limit = 100 }), memory:search(query, { limit = 100 })
          fresh:close()
          assert.is_nil(cases.difference(expected, given))
        end
      end
    end)
  end)

  it("sees what other shared handles added and forgot", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    local one = assert(native.open(path, { shared = true }))
    local two = assert(native.open(path, { shared = true }))
    one:add("fact", "needle one")
    assert.same({ 1 }, found(two, "needle"))
    two:add("fact", "needle two")
    assert.same({ 1, 2 }, found(one, "needle"))
    assert.is_nil(cases.difference(one:search("needle"), two:search("needle")))
    two:forget(1)
    assert.same({ 2 }, found(one, "needle"))
    helper.run([[
      local memory = assert(require("aish_history").open((...), { shared = true }))
      memory:add("fact", "needle from elsewhere")
      memory:compact()
      memory:close()
    ]], path)
    assert.same({ 2, 4 }, found(one, "needle"))
    assert.same({ 4 }, found(two, "ELSEWHERE"))
    one:close()
    two:close()
  end)

  it("sees the file that an editor saved, and is not confused by one that was cut short", function()
    with_memory(items({ "needle one", "needle two" }), function(memory, path)
      assert.same({ 1, 2 }, found(memory, "needle"))
      helper.write(path .. ".new", items({ "other", "other needle", "needle three" }))
      assert(os.rename(path .. ".new", path))
      assert.same({ 2, 3 }, found(memory, "needle"))
      helper.write(path, items({ "other" }))
      assert.same({}, found(memory, "needle"))
      assert.same({ 1 }, found(memory, "other"))
    end)
  end)

  it("finds words in items of every size", function()
    local texts = {}
    for index, size in ipairs({ 0, 15, 16, 17, 4000, 4096, 65536, 262144, 262200, 700000 }) do
      texts[index] = ("x"):rep(size) .. "Needle" .. ("y"):rep(size)
    end
    local all = {}
    for index in ipairs(texts) do all[index] = index end
    finds(texts, { { "needle", all }, { "xneedley", { 2, 3, 4, 5, 6, 7, 8, 9, 10 } }, { "needle x", { 2, 3, 4, 5, 6, 7, 8, 9, 10 } } })
  end)

  it("finds every part of a text of every length", function()
    local text = "The Quick brown_fox; jumps/over k the lazy dogs s"
    with_memory(items({ text, "unrelated" }), function(memory)
      for first = 1, #text do
        for last = first, #text do
          local part = text:sub(first, last)
          local hits = memory:search(part, { exact = true })
          assert(hits[1] and hits[1].id == 1 or hits[2] and hits[2].id == 1, part)
        end
      end
    end)
  end)

  it("is the same through the shim", function()
    local memory = assert(history.open_memory(helper.tmpdir() .. "/memory.jsonl"))
    memory:add("fact", "Needle", { "shim" })
    assert.same({ 1 }, support.pluck(memory:search("needle SHIM"), "id"))
    memory:close()
  end)
end)

describe("memory:search: letter case and marks", function()
  helper.guard(before_each, after_each)

  local classes, reason = support.same_characters()

  it("is put aside for every letter of Unicode, and marks are", function()
    if not classes then return pending(reason) end
    assert.is_true(#classes > 1300)
    for _, spell in ipairs({ support.plain, support.escaped }) do
      for start = 1, #classes, 50 do
        local texts, members = {}, {}
        for index = start, math.min(start + 49, #classes) do
          members[index] = {}
          for _, letter in ipairs(classes[index]) do
            texts[#texts + 1] = "<" .. letter .. ">"
            table.insert(members[index], #texts)
          end
        end
        with_memory(items(texts, spell), function(memory)
          for index, ids in pairs(members) do
            for _, letter in ipairs(classes[index]) do
              local given = found(memory, "<" .. letter .. ">")
              assert(not cases.difference(ids, given), letter .. " (" .. generate.points(letter)[1] .. ")")
            end
          end
        end)
      end
    end
  end)

  it("does not matter inside words, nor next to letters of other lengths", function()
    finds({ "ÀÉÎ ΑΒΓ ДЖЯ ԱԲԳ 𐐀𐐁", "àéî αβγ джя աբգ 𐐨𐐩", "ȺȾ ⱥⱦ", "ẞ ß SS", "Σ σ ς" }, {
      { "àÉî", { 1, 2 } }, { "βγ ЖЯ", { 1, 2 } }, { "ԲԳ 𐐁", { 1, 2 } }, { "ⱥȾ", { 3 } }, { "ȺⱦX", {} }, { "ß", { 4 } }, { "ẞ", { 4 } }, { "ss", { 4 } },
      { "ς", { 5 } }, { "σ Σ", { 5 } },
    })
  end)

  it("is simple: no letter becomes two, and none depends on the language", function()
    finds({ "straße", "STRASSE", "İstanbul", "istanbul", "ıstanbul", "ﬁle", "file" }, {
      { "strasse", { 2 } }, { "straße", { 1 } }, { "istanbul", { 3, 4, 5 } }, { "İSTANBUL", { 3, 4, 5 } }, { "ISTANBUL", { 3, 4, 5 } }, { "file", { 7 } }, { "stanbul", { 3, 4, 5 } },
    })
  end)

  it("leaves out the marks of Latin, Greek and Cyrillic letters, and no others", function()
    finds({ "café", "cafe", "cafe\204\129", "CAFÉ", "Müller", "muller", "Ἀθήνα", "αθηνα", "Ёлка", "елка", "שָׁלוֹם", "שלום", "が", "か", "か\227\130\153", "한국" }, {
      { "café", { 1, 2, 3, 4 } }, { "cafe", { 1, 2, 3, 4 } }, { "cafe\204\129", { 1, 2, 3, 4 } }, { "muller", { 5, 6 } }, { "müller", { 5, 6 } },
      { "ΑΘΉΝΑ", { 7, 8 } }, { "ёлка", { 9, 10 } }, { "елка", { 9, 10 } }, { "שלום", { 12 } }, { "が", { 13, 15 } }, { "か\227\130\153", { 13, 15 } },
      { "\225\132\146\225\133\161\225\134\171국", { 16 } },
    })
  end)

  it("is put aside for the two that fold to ASCII: KELVIN SIGN and LONG S", function()
    local kelvin, long_s = "\226\132\170", "\197\191"
    finds({ "3" .. kelvin, "3k", "3K", "3x", long_s .. "ize", "size", "SIZE", "ma" .. long_s .. kelvin .. "ed" }, {
      { "3k", { 1, 2, 3 } }, { "3K", { 1, 2, 3 } }, { "3" .. kelvin, { 1, 2, 3 } }, { "size", { 5, 6, 7 } }, { long_s .. "IZE", { 5, 6, 7 } },
      { "masked", { 8 } }, { "k s", { 8 } }, { kelvin, { 1, 2, 3, 8 } },
    })
  end)
end)

-- Against SQLite -------------------------------------------------------------------------------

-- All of six letters, so that none is a part of another.
local function vocabulary(random, size)
  local alphabets = {
    { "a", "e", "i", "o", "u", "n", "r", "t" }, { "α", "β", "γ", "δ", "ε", "Α", "Β", "Γ" }, { "д", "ж", "я", "Д", "Ж", "Я", "ф", "Ф" },
    { "b", "C", "d", "G", "h", "J", "9", "0" },
  }
  local words, seen = {}, {}
  while #words < size do
    local alphabet, letters = alphabets[random(#alphabets)], {}
    for index = 1, 6 do letters[index] = alphabet[random(#alphabet)] end
    local word = table.concat(letters)
    local same = word:gsub("[%z\1-\127\194-\244][\128-\191]*", { ["Α"] = "α", ["Β"] = "β", ["Γ"] = "γ", ["Д"] = "д", ["Ж"] = "ж", ["Я"] = "я", ["Ф"] = "ф" }):lower()
    if not seen[same] then
      seen[same] = true
      words[#words + 1] = word
    end
  end
  return words
end

local function sql(text) return "'" .. text:gsub("'", "''") .. "'" end

-- What FTS5 gives for each query: id to score.
local function by_sqlite(rows, queries)
  local script = { "create virtual table t using fts5(content, tags, tokenize='unicode61 remove_diacritics 0');", "begin;" }
  for _, row in ipairs(rows) do
    script[#script + 1] = ("insert into t(rowid,content,tags) values(%d,%s,%s);"):format(row.id, sql(row.content), sql(table.concat(row.tags, " ; ")))
  end
  script[#script + 1] = "commit;"
  for number, query in ipairs(queries) do
    script[#script + 1] = ("select printf('%d %%d %%.17g',rowid,bm25(t)) from t where t match %s;"):format(
      number, sql('"' .. query:gsub(" ", '" "') .. '"'))
  end
  local path = helper.write(helper.tmpdir() .. "/script.sql", table.concat(script, "\n"))
  local results = {}
  for number in ipairs(queries) do results[number] = {} end
  for number, id, score in support.output("sqlite3 -batch :memory: <" .. path):gmatch("(%d+) (%d+) (%S+)\n") do
    results[tonumber(number)][tonumber(id)] = -tonumber(score)
  end
  return results
end

local function corpus(seed, count)
  local random = memories.random(seed)
  local words = vocabulary(random, 60)
  local marks = { " ", " ", " ", ", ", ". ", " - ", "\n", " (", "; ", " / " }
  local function text(most)
    local parts = {}
    for index = 1, random(most) do
      -- the first words of the vocabulary are the most frequent
      parts[index] = words[math.min(random(#words), random(#words), random(#words))]
      parts[index] = parts[index] .. marks[random(#marks)]
    end
    return table.concat(parts)
  end
  local rows, lines, forgotten = {}, {}, {}
  for id = 1, count do
    local row = { id = id, content = text(random(10) == 1 and 200 or 20), tags = {} }
    for index = 1, random(4) - 1 do row.tags[index] = text(2) end
    local tags = {}
    for index, tag in ipairs(row.tags) do tags[index] = (random(3) == 1 and support.escaped or support.plain)(tag) end
    lines[id] = item(id, (random(4) == 1 and support.escaped or support.plain)(row.content), random(3) > 1 and "[" .. table.concat(tags, ",") .. "]" or nil)
    if not lines[id]:find('"tags"', 1, true) then row.tags = {} end
    if random(9) == 1 then forgotten[id] = true else rows[#rows + 1] = row end
  end
  for id in pairs(forgotten) do lines[#lines + 1] = memories.tombstone(count + id, id) end
  local queries = {}
  for index = 1, 40 do
    local parts = {}
    for place = 1, random(4) do parts[place] = words[math.min(random(#words), random(#words))] end
    queries[index] = table.concat(parts, " ")
  end
  return table.concat(lines), rows, queries
end
if jit then jit.off(corpus) end

-- Every hit has SQLite's score; they descend, and of equal ones the newer is first.
local function same_ranking(query, expected, hits)
  local last, left = nil, 0
  for _ in pairs(expected) do left = left + 1 end
  for _, hit in ipairs(hits) do
    local score = expected[hit.id]
    assert(score, query .. ": " .. hit.id .. " is not SQLite's")
    assert(math.abs(hit.score - score) <= 1e-6 * score, ("%s: %d has %.17g, in SQLite %.17g"):format(query, hit.id, hit.score, score))
    if last then
      assert(last.score >= hit.score, query .. ": scores do not descend")
      assert(expected[last.id] >= score * (1 - 1e-12), query .. ": another order than SQLite's")
      assert(last.score > hit.score or last.id > hit.id, query .. ": the older first")
    end
    last, left = hit, left - 1
  end
  assert.equal(0, left, query .. ": SQLite has more")
end
if jit then jit.off(same_ranking) end

describe("memory:search against SQLite's FTS5", function()
  helper.guard(before_each, after_each)

  local function compare(seed, count)
    if not support.has("sqlite3") then return pending("sqlite3 is not installed") end
    local bytes, rows, queries = corpus(seed, count)
    local results = by_sqlite(rows, queries)
    local hits = 0
    with_memory(bytes, function(memory)
      for number, query in ipairs(queries) do
        local given = memory:search(query, { limit = math.huge })
        same_ranking(query, results[number], given)
        hits = hits + #given
        -- a limit gives the beginning of the same list, and the letters' case changes nothing
        local upper = memory:search(query:upper(), { limit = 5 })
        for index = 1, math.min(5, #given) do
          assert.equal(given[index].id, upper[index].id)
          assert.equal(given[index].score, upper[index].score)
        end
      end
    end)
    assert.is_true(hits > 10)
  end

  for seed, count in pairs({ [14] = 40, [15] = 400, [16] = 1500 }) do
    it(("ranks %d items alike"):format(count), function() return compare(seed, count) end)
  end

  it("ranks three items and fewer alike", function()
    if not support.has("sqlite3") then return pending("sqlite3 is not installed") end
    local texts, queries = { "alpha beta", "beta beta gamma", "alpha" }, { "alpha", "beta", "gamma", "alpha beta", "beta beta" }
    for count = 1, 3 do
      local rows = {}
      for id = 1, count do rows[id] = { id = id, content = texts[id], tags = {} } end
      local results = by_sqlite(rows, queries)
      with_memory(items({ unpack(texts, 1, count) }), function(memory)
        for number, query in ipairs(queries) do
          same_ranking(query, results[number], memory:search(query, { limit = math.huge }))
        end
      end)
    end
  end)

  it("ranks alike where many tie", function()
    if not support.has("sqlite3") then return pending("sqlite3 is not installed") end
    local rows, texts = {}, {}
    for id = 1, 300 do
      texts[id] = id % 3 == 0 and "alpha beta" or id % 5 == 0 and "alpha beta gamma" or "delta"
      rows[id] = { id = id, content = texts[id], tags = {} }
    end
    local queries = { "alpha", "alpha beta", "delta", "gamma alpha" }
    local results = by_sqlite(rows, queries)
    with_memory(items(texts), function(memory)
      for number, query in ipairs(queries) do
        same_ranking(query, results[number], memory:search(query, { limit = 1000 }))
      end
    end)
  end)
end)

describe("memory:search: the query", function()
  helper.guard(before_each, after_each)

  for label, case in pairs({
    ["is empty"] = { "", {}, "query is empty" },
    ["is empty and exact"] = { "", { exact = true }, "query is empty" },
    ["is white space"] = { " \t\r\n\227\128\128", {}, "query is empty" },
    ["has 1 MB"] = { ("x"):rep(1048576), {}, "query is longer than" },
    ["has 1 MB and is exact"] = { ("x"):rep(1048576), { exact = true }, "query is longer than" },
    ["has 1 MB of white space"] = { (" "):rep(1048576), {}, "query is longer than" },
    ["has half a million words"] = { ("x "):rep(524288), {}, "query is longer than" },
    ["has 65 words"] = { ("x "):rep(65), {}, "query is longer than" },
    ["has 4,097 bytes"] = { ("x"):rep(4097), {}, "query is longer than" },
  }) do
    it(label, function()
      with_memory(items({ "x" }), function(memory)
        support.raises(function() memory:search(case[1], case[2]) end, "bad argument #1 to 'search'", case[3])
        assert.same({ 1 }, found(memory, "x"))
      end)
    end)
  end

  it("may have 4,096 bytes or 64 words", function()
    with_memory(items({ ("x"):rep(4096), "x y" }), function(memory)
      assert.same({ 1 }, found(memory, ("x"):rep(4096)))
      assert.same({ 1 }, found(memory, ("x"):rep(4096), { exact = true }))
      assert.same({ 2 }, found(memory, ("x y "):rep(32)))
    end)
  end)

  for _, kind in ipairs(cases.types_but("string")) do
    it("is a " .. kind, function()
      with_memory("", function(memory)
        support.raises(function() memory:search(cases.values[kind]) end, "bad argument #1 to 'search'", "query must be a string, got " .. kind)
      end)
    end)
  end

  it("is missing, or has the wrong options", function()
    local memory = with_memory("", function(memory)
      support.raises(function() memory:search() end, "query must be a string, got n")
      support.raises(function() memory:search("x", { exact = 1 }) end, '"exact"', "boolean", "number")
      support.raises(function() memory:search("x", { Exact = true }) end, 'unknown option "Exact"')
      support.raises(function() memory:search("x", "exact") end, "bad argument #2 to 'search'", "table expected, got string")
      support.raises(function() memory.search({}, "x") end, "bad argument #1 to 'search'")
      support.raises(function() memory.search(io.stdout, "x") end, "bad argument #1 to 'search'")
    end)
    support.raises(function() memory:search("x") end, "memory:search on closed handle")
  end)
end)
