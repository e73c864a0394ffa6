--- search(where, query [, opts]): what was said in sessions.
local assert = require("luassert")
local unistd = require("posix.unistd")
local stat = require("posix.sys.stat")
local cases = require("spec.support.cases")
local generate = require("spec.support.generate")
local helper = require("spec.support.helper")
local history = require("history")
local memories = require("spec.support.memories")
local native = require("aish_history")
local support = require("spec.support.recall")
local user = require("spec.support.user")

local turn, plain, escaped = support.turn, support.plain, support.escaped

local function session(bytes)
  return helper.write(helper.tmpdir() .. "/s.jsonl", bytes)
end

-- The lines that a query finds in a file, the last first.
local function lines(path, query, options)
  options = options or {}
  options.limit = options.limit or 1e6
  return support.pluck(assert(native.search(path, query, options)), "line")
end

-- The lines of a session of these turns' contents, plain and escaped.
local function finds(contents, queries, options)
  for _, spell in ipairs({ plain, escaped }) do
    local bytes = {}
    for index, content in ipairs(contents) do bytes[index] = '{"content":' .. spell(content) .. "}\n" end
    local path = session(table.concat(bytes))
    for _, query in ipairs(queries) do
      assert.same(query[2], lines(path, query[1], options), ("%q"):format(query[1]))
    end
  end
end

describe("search of a session", function()
  helper.guard(before_each, after_each)

  it("gives path, line, ts, role, text and record, the last line first", function()
    local path = session('{"meta":{"model":"m"}}\n' .. turn('"Where is the Needle?"', "user", "2026-01-02T03:04:05Z")
      .. turn('"no"', "assistant") .. '{"role":"tool","content":[{"type":"text","text":"a needle here"}],"ts":"T","n":1.5}\n')
    local hits, errors = native.search(path, "needle")
    assert.same({}, errors)
    assert.same({
      { path = path, line = 4, ts = "T", role = "tool", text = "a needle here",
        record = { role = "tool", content = { { type = "text", text = "a needle here" } }, ts = "T", n = 1.5 } },
      { path = path, line = 2, ts = "2026-01-02T03:04:05Z", role = "user", text = "Where is the Needle?",
        record = { role = "user", content = "Where is the Needle?", ts = "2026-01-02T03:04:05Z" } },
    }, hits)
  end)

  it("gives records that lack a role or a time, and are no turns", function()
    local path = session('{"note":"needle"}\n{"role":{"a":"needle"},"ts":{"a":"needle"},"content":null}\n')
    local hits = native.search(path, "needle")
    assert.same({ { path = path, line = 1, text = "needle", record = { note = "needle" } } }, hits)
  end)

  it("looks into what was said, not at who said it and when", function()
    local path = session(turn('"a"', "user", "2026-01-02T03:04:05Z") .. turn('"user 2026"', "assistant", "2025-01-02T03:04:05Z")
      .. '{"role":"user","role":"tool","content":"b","calls":[{"role":"user"}]}\n')
    assert.same({ 3, 2 }, lines(path, "user"))
    assert.same({ 2 }, lines(path, "2026"))
    assert.same({}, lines(path, "assistant"))
  end)

  it("looks into every string of a record, at any depth, and not into keys", function()
    local path = session('{"needle":1}\n{"a":[[["x",{"b":["Needle"]}]]]}\n{"calls":[{"name":"x","arguments":{"path":"/needle/x"}}]}\n{"a":{"needle":{}}}\n'
      .. '{"a":' .. ("["):rep(990) .. '"needle"' .. ("]"):rep(990) .. "}\n")
    assert.same({ 5, 3, 2 }, lines(path, "needle"))
    assert.equal("/needle/x", native.search(path, "needle x")[1].text)
  end)

  it("finds words that are in several strings of one record, and gives the string with the first", function()
    local path = session('{"a":"alpha one","b":{"c":"beta two"}}\n{"a":"alpha"}\n{"b":"beta"}\n')
    assert.same({ 1 }, lines(path, "beta alpha"))
    assert.equal("beta two", native.search(path, "beta alpha")[1].text)
    assert.equal("alpha one", native.search(path, "alpha beta")[1].text)
    assert.same({}, lines(path, "alpha one beta three"))
  end)

  it("does not search the meta", function()
    assert.same({ 3, 2 }, lines(session('{"meta":{"needle":"needle"}}\n{"meta":{"x":"needle"}}\n' .. turn('"needle"')), "needle"))
    assert.same({ 1 }, lines(session('{"meta":null,"x":"needle"}\n'), "needle"))
    assert.same({ 1 }, lines(session('{"role":"user","content":"needle","meta":{"cwd":"/srv"}}\n'), "needle"))
    assert.same({ 1 }, lines(session('{"role":"user","content":"x","meta":{"cwd":"needle"}}\n'), "needle"))
    assert.same({ 2 }, lines(session('\n{"role":"user","content":"needle","meta":{"cwd":"/srv"}}\n'), "needle"))
    assert.same({}, lines(session('\239\187\191{"\\u006deta":"needle"}\n'), "needle"))
    assert.same({ 3 }, lines(session('needle\n{"me{"meta":"needle"}\n{"meta":"needle"}\n'), "needle"))
  end)

  it("finds every record of a line, the last first", function()
    local path = session(turn('"a"') .. '{"content":"needle 0' .. turn('"needle 1"'):sub(1, -2) .. " \0" .. turn('"2"'):sub(1, -2) .. turn('"needle 3"')
      .. turn('"needle 4"'):sub(1, -2) .. '{"role":"user","x":' .. turn('"needle 5"'))
    local found = {}
    for index, hit in ipairs(assert(native.search(path, "needle"))) do
      found[index] = { hit.line, hit.text }
      assert.equal(hit.text, hit.record.content)
    end
    assert.same({ { 3, "needle 4" }, { 2, "needle 3" }, { 2, "needle 1" } }, found)
  end)

  it("counts the lines as they are: blank, damaged, with CRLF, unterminated", function()
    local path = session("\239\187\191" .. turn('"needle"'):sub(1, -2) .. "\r\n\n  \r\ngarbage needle\n" .. turn('"needle"') .. '["needle"]\n"needle"\n{"a":"needle"\n'
      .. '{"a":"needle"}{"a":"needle"}\n{"a":"nee\tdle needle"}\n\0\0needle\n{"role":"user","content":"needle"}')
    assert.same({ 12, 9, 9, 5, 1 }, lines(path, "needle"))
  end)

  it("finds every kind of escape", function()
    local path = session(turn('"a\\/b"') .. turn('"say \\"hi\\" \\\\o/"') .. turn('"\\b\\f\\n\\r\\t\\u0000\\u001f"') .. turn('"na\\u00efve"')
      .. turn('"NA\195\143VE"') .. turn('"\\ud83d\\ude00 smile"') .. turn('"\\u006E\\u0065\\u0065dle"') .. turn('"c:\\\\users"') .. turn('"\\\\u0041"'))
    for query, expected in pairs({ ["a/b"] = { 1 }, ['"hi"'] = { 2 }, ['hi" \\o/'] = { 2 }, ["na\195\175ve"] = { 5, 4 }, ["NA\195\143ve"] = { 5, 4 },
      ["\240\159\152\128"] = { 6 }, ["needle"] = { 7 }, ["C:\\Users"] = { 8 }, ["\\u0041"] = { 9 }, ["\\/"] = {}, ["u00ef"] = {}, ["ud83d"] = {} }) do
      assert.same(expected, lines(path, query), query)
    end
    for _, control in ipairs({ "\b", "\f", "\n", "\r", "\t", "\0", "\31", "\b\f\n\r\t\0\31" }) do
      assert.same({ 3 }, lines(path, control, { exact = true }), ("%q"):format(control))
    end
  end)

  it("finds a word whichever of its characters an escape hides, wherever it stands", function()
    local content = {}
    for _, word in ipairs({ "needle", "NEEDLE", "n", "j~", "a[z{" }) do
      for padding = 0, 70 do
        for place = 1, #word do
          local code = (place % 2 == 0 and "\\u%04x" or "\\u%04X"):format(word:byte(place))
          content[#content + 1] = ('{"c":"%s%s%s%s\\u00e9\\u4e2d\\t%s"}\n'):format(("."):rep(padding), word:sub(1, place - 1), code,
            word:sub(place + 1), ("."):rep(70 - padding))
        end
      end
      local path = session(table.concat(content))
      assert.equal(#content, #native.search(path, word, { limit = 1e6 }), word)
      assert.equal(0, #native.search(path, word .. word, { limit = 1e6 }), word)
      content = {}
    end
  end)

  it("finds words by any two of their bytes, with the same two elsewhere", function()
    local texts = { "zebra", "z.b.a", "za", "zebrazebra", "bzebrz", "ZEBRA", "zebr", ("z"):rep(200) .. "ebra", ("zebr"):rep(50) .. "a", "z\0bra" }
    finds(texts, { { "zebra", { 9, 8, 6, 4, 1 } }, { "zz", { 8 } }, { "brz", { 9, 5 } }, { "z", { 10, 9, 8, 7, 6, 5, 4, 3, 2, 1 } },
      { "zebr zebra", { 9, 8, 6, 4, 1 } }, { "zebraz", { 4 } } })
  end)

  it("counts any number of lines before a hit", function()
    for _, count in ipairs({ 0, 1, 15, 16, 17, 4079, 4080, 4081, 8161, 300000 }) do
      local path = session(("\n"):rep(count) .. turn('"needle"') .. "{}\n" .. turn('"needle"'))
      assert.same({ count + 3, count + 1 }, lines(path, "needle"))
    end
  end)

  it("puts letter case aside, KELVIN SIGN and LONG S included", function()
    local kelvin, long_s = "\226\132\170", "\197\191"
    finds({ "3" .. kelvin, "3k", "3K", "mi" .. long_s .. "t", "MIST", "a" .. long_s .. kelvin .. "k", "ΑΣΣ", "αςσ" }, {
      { "3k", { 3, 2, 1 } }, { "3" .. kelvin, { 3, 2, 1 } }, { "mist", { 5, 4 } }, { "askk", { 6 } }, { "ASKK", { 6 } }, { "k", { 6, 3, 2, 1 } }, { "s", { 6, 5, 4 } },
      { "k s", { 6 } }, { "ασσ", { 8, 7 } }, { "ssss", {} },
    })
  end)

  it("takes the same characters of Unicode as the same", function()
    local classes, reason = support.same_characters()
    if not classes then return pending(reason) end
    for _, spell in ipairs({ plain, escaped }) do
      for start = 1, #classes, 100 do
        local bytes, members, count = {}, {}, 0
        for index = start, math.min(start + 99, #classes) do
          members[index] = {}
          for _, letter in ipairs(classes[index]) do
            count = count + 1
            bytes[count] = turn(spell("<" .. letter .. ">"))
            table.insert(members[index], 1, count)
          end
        end
        local path = session(table.concat(bytes))
        for index, expected in pairs(members) do
          local given = lines(path, "<" .. classes[index][#classes[index]] .. ">")
          assert(not cases.difference(expected, given), classes[index][1])
        end
      end
    end
  end)

  it("takes an exact query as one text", function()
    finds({ "one two", "two one", "one  two", "ONE TWO", "one\ntwo", "one" }, {
      { "one two", { 4, 1 } }, { "one  two", { 3 } }, { "e\nt", { 5 } }, { "one", { 6, 5, 4, 3, 2, 1 } }, { " ", { 4, 3, 2, 1 } },
    }, { exact = true })
    local path = session('{"a":"one","b":" two"}\n')
    assert.same({}, lines(path, "one two", { exact = true }))
    assert.same({ 1 }, lines(path, "one two", { exact = false }))
  end)

  it("finds the records of a role, since and before a time", function()
    local path = session(turn('"needle"', "user", "2026-01-01T00:00:00Z") .. turn('"needle"', "assistant", "2026-01-02T00:00:00Z")
      .. turn('"needle"', "\\u0075ser", "2026-01-03T00:00:00\\u005A") .. turn('"needle"', "user") .. '{"content":"needle","ts":null}\n')
    for _, case in ipairs({
      { {}, { 5, 4, 3, 2, 1 } }, { { role = "user" }, { 4, 3, 1 } }, { { role = "assistant" }, { 2 } }, { { role = "User" }, {} }, { { role = "" }, {} },
      { { since = "2026-01-02" }, { 3, 2 } }, { { since = "2026-01-02T00:00:00Z", before = "2026-01-03T00:00:00Z" }, { 2 } },
      { { before = "2026-01-02T00:00:01" }, { 5, 4, 2, 1 } }, { { since = 1767312000 }, { 3, 2 } }, { { before = 1767312000 }, { 5, 4, 1 } },
      { { role = "user", since = "2026-01-02" }, { 3 } }, { { role = "user", limit = 2 }, { 4, 3 } }, { { since = "2027-01-01" }, {} },
    }) do
      assert.same(case[2], lines(path, "needle", case[1]))
    end
  end)

  it("gives 20 hits, or as many as the limit says: the last ones", function()
    local path = session(turn('"needle"'):rep(50))
    assert.equal(20, #native.search(path, "needle"))
    for _, limit in ipairs({ 0, 1, 19, 20, 49, 50, 51, 1e9, 1e300, math.huge }) do
      local given = lines(path, "needle", { limit = limit })
      assert.equal(math.min(limit, 50), #given)
      for index, line in ipairs(given) do assert.equal(51 - index, line) end
    end
  end)

  it("finds nothing in a file without records", function()
    for _, bytes in ipairs({ "", "\n", "garbage", "\239\187\191", ("\0"):rep(600000), ("\n"):rep(600000) }) do
      assert.same({}, native.search(session(bytes), "needle"))
      assert.same({}, native.search(session(bytes), "s"))
    end
  end)

  it("finds what stands at every place around the ends of blocks", function()
    local line = turn('"NEEDLE"')
    for _, block in ipairs({ 262144, 524288 }) do
      for shift = -#line - 1, 2, 3 do
        local start = block + shift -- of the line, counted from 0
        local path = session(turn(plain(("x"):rep(start - #turn('""')))) .. line .. turn('"y"'))
        local hits = native.search(path, "needle")
        assert(#hits == 1 and hits[1].line == 2 and hits[1].text == "NEEDLE", start)
      end
    end
  end)

  it("finds words in lines of several megabytes", function()
    local filler = ("filler \\u00e9 "):rep(100000)
    local path = session(turn('"' .. filler .. 'Needle one"') .. turn('"x"') .. turn('"Needle two' .. filler .. '"') .. turn('"' .. filler .. '"'))
    local hits = native.search(path, "needle")
    assert.same({ 3, 1 }, support.pluck(hits, "line"))
    for _, hit in ipairs(hits) do
      assert.is_true(#hit.text <= 240 and hit.text:find("Needle", 1, true) ~= nil)
    end
    assert.same({ 3, 1 }, lines(path, "needle FILLER"))
  end)

  it("counts a line of zeros that is longer than any block as one", function()
    local path = session(turn('"needle"') .. ("\0"):rep(700000) .. "\n" .. turn('"needle"') .. ("x"):rep(700000))
    assert.same({ 3, 1 }, lines(path, "needle"))
  end)

  it("gives a text of at most 240 bytes with what was found, cut between characters", function()
    for _, filler in ipairs({ "x", "é", "€", "😀", "a€", "xé😀", "\226\132\170" }) do
      for before = 0, 130, 13 do
        for after = 0, 300, 60 do
          local text = filler:rep(before) .. "NeedLe" .. filler:rep(after)
          local hit = native.search(session(turn(plain(text))), "needle")[1]
          local at = assert(text:find(hit.text, 1, true))
          assert(hit.text:find("NeedLe", 1, true), hit.text)
          assert(#hit.text <= 240 and (#text > 240 or hit.text == text), #hit.text)
          assert(#text <= 240 or #hit.text > 230 or at + #hit.text - 1 == #text, #hit.text)
          for _, place in ipairs({ at, at + #hit.text }) do
            local byte = text:byte(place)
            assert(not byte or byte < 0x80 or byte >= 0xC0, "cut inside a character")
          end
        end
      end
    end
  end)

  it("gives a text of at most 240 bytes of one that is no UTF-8, too", function()
    for _, filler in ipairs({ "\128", "\255", "\240", "\128\128\128\128x" }) do
      local text = filler:rep(1000) .. "needle" .. filler:rep(1000)
      local hit = native.search(session(turn('"' .. text .. '"')), "needle")[1]
      assert.is_true(#hit.text <= 240 and #hit.text > 230)
      assert.truthy(hit.text:find("needle", 1, true))
      assert.equal(text, hit.record.content)
    end
  end)

  it("gives the text where letters fold to others of another length", function()
    for _, filler in ipairs({ "Ⱥ", "ẞ", "\226\132\170", "İ" }) do
      local text = filler:rep(500) .. "needle" .. filler:rep(500)
      local hit = native.search(session(turn(plain(text))), "NEEDLE")[1]
      assert.is_true(#hit.text <= 240)
      assert.truthy(hit.text:find("needle", 1, true))
    end
  end)

  it("is the same through the shim", function()
    local path = session(turn('"Needle"'))
    assert.same(native.search(path, "needle"), (history.search(path, "needle")))
  end)
end)

describe("search of a directory", function()
  helper.guard(before_each, after_each)

  it("gives the newest session first, and in it the last line", function()
    local dir = support.directory({ ["a.jsonl"] = turn('"needle"'):rep(2), ["c.jsonl"] = turn('"x"') .. turn('"needle"'), ["b.jsonl"] = turn('"needle"'):rep(3),
      ["d.jsonl"] = turn('"other"'), [".hidden.jsonl"] = turn('"needle"'), ["notes.txt"] = turn('"needle"'), ["e.jsonl"] = "" })
    local places = {}
    for index, hit in ipairs(native.search(dir, "needle")) do
      assert.equal(dir .. "/", hit.path:sub(1, #dir + 1))
      places[index] = hit.path:sub(#dir + 2, #dir + 2) .. hit.line
    end
    assert.same({ "c2", "b3", "b2", "b1", "a2", "a1" }, places)
    for limit = 0, 7 do
      assert.equal(math.min(limit, 6), #native.search(dir, "needle", { limit = limit }))
    end
    assert.same(native.search(dir, "needle"), native.search(dir .. "/", "needle"))
  end)

  it("takes the limit over all sessions", function()
    local files = {}
    for number = 10, 40 do files["s" .. number .. ".jsonl"] = turn('"needle"') end
    local dir = support.directory(files)
    local hits = native.search(dir, "needle")
    assert.equal(20, #hits)
    assert.equal(dir .. "/s40.jsonl", hits[1].path)
    assert.equal(dir .. "/s21.jsonl", hits[20].path)
  end)

  it("is empty where there is none", function()
    local hits, errors = native.search(helper.tmpdir(), "needle")
    assert.same({ {}, {} }, { hits, errors })
  end)

  it("opens no more sessions than it needs", function()
    local files = {}
    for number = 10, 40 do files["s" .. number .. ".jsonl"] = turn('"needle"'):rep(10) end
    local dir = support.directory(files)
    local output, trace = memories.trace("openat,open", [[
      print(#require("aish_history").search((...), "needle", { limit = 25 }))
    ]], dir)
    if not output then return pending("strace is not at hand") end
    assert.equal("25\n", output)
    local opened = {}
    for name in trace:gmatch("/(s%d+)%.jsonl") do opened[name] = true end
    assert.same({ s38 = true, s39 = true, s40 = true }, opened)
  end)

  it("names the files that cannot be read, and searches the others", function()
    local dir = support.directory({ ["a.jsonl"] = turn('"needle"'), ["z.jsonl"] = turn('"needle"') })
    assert(stat.mkdir(dir .. "/directory.jsonl"))
    assert(stat.mkfifo(dir .. "/fifo.jsonl", 384))
    assert(unistd.link(dir .. "/nowhere", dir .. "/dangling.jsonl", true))
    assert(unistd.link(dir .. "/loop.jsonl", dir .. "/loop.jsonl", true))
    assert(unistd.link(dir .. "/a.jsonl", dir .. "/link.jsonl", true))
    os.execute("truncate -s 10G " .. helper.quote(dir .. "/huge.jsonl"))
    local output = cases.run_limited([[
      local dir = ...
      local hits, errors = require("aish_history").search(dir, "needle")
      for _, hit in ipairs(hits) do print((hit.path:gsub("^.*/", ""))) end
      local names = {}
      for path in pairs(errors) do names[#names + 1] = path end
      table.sort(names)
      for _, path in ipairs(names) do
        local first, last = errors[path]:find(dir, 1, true)
        print(errors[path]:sub(1, first - 1) .. errors[path]:sub(last + 1))
      end
    ]], dir)
    local function message(name, number) return ("open /%s.jsonl: %s\n"):format(name, cases.strerror(number)) end
    assert.equal("z.jsonl\nlink.jsonl\na.jsonl\n" .. message("dangling", 2) .. message("directory", 21) .. "open /fifo.jsonl: not a regular file\n"
      .. "read /huge.jsonl: larger than 4 GiB, which no session is\n" .. message("loop", 40), output)
  end)

  it("names a file that may not be read", function()
    local dir = support.directory({ ["a.jsonl"] = turn('"needle"'), ["b.jsonl"] = turn('"needle"') })
    os.execute("chmod 0 " .. helper.quote(dir .. "/b.jsonl"))
    user.run(dir, function()
      local hits, errors = native.search(dir, "needle")
      assert.equal(1, #hits)
      assert.same({ [dir .. "/b.jsonl"] = "open " .. dir .. "/b.jsonl: Permission denied" }, errors)
    end)
  end)
end)

-- Against other tools --------------------------------------------------------------------------

local WORDS = { "needle", "error", "NAÏVE", "naïve", "Straße", "/usr/bin", "C:\\dir", "\"quoted\"", "mask", "ma\197\191\226\132\170", "日本語", "回答", "😀", "ΣΟΦΟΣ",
  "σοφος", "tab\tnewline\n", "k", "s", "the", "Error:", "a", "Ⱥ", "ждя", "Müller", "mu\204\136ller", "Ελλάδα", "ёлка" }
local QUERIES = { "needle", "ERROR", "naïve", "STRASSE", "straße", "/usr", "usr/bin", "c:\\", "\\d", "\"quoted", "mask", "k", "s", "sk", "日本", "😀", "σοφος", "the a",
  "error needle", "needle 日本語 k", "a", "ab", "err", "ror:", "ⱥ", "ЖД", "muller", "müller", "ελλαδα", "елка", "absent", "e e", "\"", "\\", "/", "?", "0" }

-- A session of generated records with damaged lines among them, and no characters that are not UTF-8.
local function generated(seed, count)
  local source = generate.new(seed)
  local bytes = { '{"meta":{"needle":"needle error k s a"}}\n' }
  local function text()
    local parts = {}
    for index = 1, source:below(6) do parts[index] = source:below(4) > 0 and source:pick(WORDS) or source:string(12, true) end
    return table.concat(parts, source:pick({ " ", "", "  ", "\n" }))
  end
  for index = 2, count do
    local value = { role = source:pick({ "user", "assistant" }), content = text() }
    if source:below(3) == 0 then value.calls = { { arguments = { path = text(), [text()] = source:value(2, true) } }, text(), source:number() } end
    if source:below(9) == 0 then value.content = nil end
    local line = source:text(value):gsub("\n", " ")
    local damage = source:below(20)
    if damage == 0 then line = line:sub(1, 1 + source:below(#line - 1))
    elseif damage == 1 then line = ""
    elseif damage == 2 then line = line:sub(1, -2) .. "]"
    elseif damage == 3 then line = line .. "\r" end
    bytes[index] = line .. "\n"
  end
  return table.concat(bytes)
end
local jit = rawget(_G, "jit")
if jit then jit.off(generated) end

-- The words of a query, as search splits them and takes the marks off their ends.
local TRIMMED = { ["ror:"] = "ror", ['"quoted'] = "quoted" }
local function words_of(query)
  local words = {}
  for word in query:gmatch("%S+") do words[#words + 1] = TRIMMED[word] or word end
  return words
end

-- Line numbers, the last first, of the lines that are in every one of the sets.
local function in_all(sets, last)
  local list = {}
  for line = last, 2, -1 do
    local all = true
    for _, set in ipairs(sets) do all = all and set[line] end
    if all then list[#list + 1] = line end
  end
  return list
end

-- The strings of each record as jq decodes them, a line a record: \1 between two, \2 for a newline.
local function decoded_by_jq(path)
  return support.output([[jq -R -r '(try fromjson catch null) as $r
    | if ($r | type) == "object" then [$r | del(.role, .ts) | .. | strings] | join("\u0001") | gsub("\n"; "\u0002") | gsub("\u0000"; "0") else "" end' <]]
    .. helper.quote(path))
end

describe("search against ripgrep and jq", function()
  helper.guard(before_each, after_each)

  for seed = 1, 8 do
    it(("finds the records that rg -F finds in what jq decoded and Python folded: session %d"):format(seed), function()
      local missing = support.no_folding() or not (support.has("rg") and support.has("jq")) and "ripgrep or jq is not installed"
      if missing then return pending(missing) end
      local path = session(generated(seed * 4001, 250))
      local decoded = helper.write(path .. ".decoded", decoded_by_jq(path))
      local folded = helper.write(path .. ".folded", support.fold_py("fold <" .. helper.quote(decoded)))
      local last = #helper.lines(path)
      assert.equal(last, #helper.lines(folded))
      local something = 0
      local queries = helper.write(path .. ".queries", table.concat(QUERIES, "\n") .. "\n")
      local small = {}
      for query in support.fold_py("fold <" .. helper.quote(queries)):gmatch("[^\n]+") do small[#small + 1] = query end
      for number, query in ipairs(QUERIES) do
        local sets = {}
        for index, word in ipairs(words_of(small[number])) do
          sets[index] = {}
          local output = support.output("rg --no-config -a -F -n -e " .. helper.quote(word) .. " " .. helper.quote(folded), 1)
          for line in output:gmatch("(%d+):[^\n]*\n") do sets[index][tonumber(line)] = true end
        end
        local expected = in_all(sets, last)
        if #expected > 0 then something = something + 1 end
        local difference = cases.difference(expected, lines(path, query))
        assert(not difference, query .. ": " .. tostring(difference))
      end
      assert.is_true(something > 20)
    end)
  end
end)

describe("search: invalid arguments", function()
  helper.guard(before_each, after_each)

  for label, case in pairs({
    ["an empty query"] = { "", "query is empty" },
    ["a query of white space"] = { " \t\n", "query is empty" },
    ["a query of 1 MB"] = { ("x"):rep(1048576), "query is longer than" },
    ["a query of 65 words"] = { ("x "):rep(65), "query is longer than" },
  }) do
    it(label, function()
      local path = session(turn('"needle"'))
      for _, where in ipairs({ path, (path:gsub("/s.jsonl$", "")), path .. ".missing" }) do
        support.raises(function() native.search(where, case[1]) end, "bad argument #2 to 'search'", case[2])
      end
    end)
  end

  it("an empty exact query", function()
    support.raises(function() native.search("x", "", { exact = true }) end, "query is empty")
  end)

  it("options", function()
    local path = session(turn('"needle"'))
    local function raises(options, ...) support.raises(function() native.search(path, "needle", options) end, "bad argument #3 to 'search'", ...) end
    for _, key in ipairs({ "since", "before" }) do
      for _, value in ipairs(support.no_times) do raises({ [key] = value }, '"' .. key .. '"', "time") end
    end
    for _, value in ipairs(support.no_counts) do raises({ limit = value }, '"limit"') end
    for _, kind in ipairs(cases.types_but("string")) do raises({ role = cases.values[kind] }, '"role" must be a string', kind) end
    for _, kind in ipairs(cases.types_but("boolean")) do raises({ exact = cases.values[kind] }, '"exact" must be a boolean', kind) end
    for _, kind in ipairs(cases.types_but("table")) do raises(cases.values[kind], "table expected, got " .. kind) end
    for _, name in ipairs({ "kind", "tag", "Role", "count", "" }) do raises({ [name] = "x" }, 'unknown option "' .. name .. '"') end
    raises({ "user" }, "name of an option must be a string")
    assert.equal(1, #native.search(path, "needle", nil))
  end)

  it("arguments", function()
    for _, kind in ipairs(cases.types_but("string")) do
      cases.argument_error(function() native.search(cases.values[kind], "x") end, 1, "search", kind)
      cases.argument_error(function() native.search("x", cases.values[kind]) end, 2, "search", kind)
    end
    cases.argument_error(function() native.search() end, 1, "search", "path must be a string")
    cases.argument_error(function() native.search("x") end, 2, "search", "query must be a string")
    cases.too_many_error(function() native.search("x", "y", {}, 1) end, 3, "search")
  end)

  for _, case in ipairs(cases.unreachable) do
    local label, number, reason, make = unpack(case)
    it("a place that is " .. label, function()
      local path = make(helper.tmpdir())
      cases.failed("open " .. path .. ": " .. reason, number, native.search(path, "x"))
    end)
  end

  for _, case in ipairs(cases.not_regular) do
    local label, number, reason, make = unpack(case)
    if label ~= "a directory" then
      it("a place that is " .. label, function()
        local path = make(helper.tmpdir())
        local output = cases.run_limited([[print(require("aish_history").search((...), "x"))]], path)
        assert.equal("nil\topen " .. path .. ": " .. reason .. "\t" .. number .. "\n", output)
      end)
    end
  end

  it("a path with a NUL byte", function()
    cases.failed("open a: path has a NUL byte", 22, native.search("a\0b", "x"))
  end)
end)
