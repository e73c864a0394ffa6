--- The codec against other implementations: python3, jq, sqlite3, node, DuckDB and lua-cjson read what
-- encode wrote, and decode reads what they accept and refuses what python3 refuses.
local helper = require("spec.support.helper")
local npm = require("spec.support.npm")
local recall = require("spec.support.recall")
local generate = require("spec.support.generate")
local cjson = require("cjson")
local history = require("aish_history")

local encode, decode, null = history.encode, history.decode, history.null
local canon = generate.canon

--- assert.equal for long texts: shows where they part.
local function same(expected, got, label)
  if expected == got then return end
  expected, got = tostring(expected), tostring(got)
  local at = 1
  while at <= #expected and expected:byte(at) == got:byte(at) do at = at + 1 end
  local from = math.max(1, at - 40)
  error(("%s: they part at byte %d: expected %q, got %q"):format(tostring(label):sub(1, 300), at,
    expected:sub(from, at + 40), got:sub(from, at + 40)), 2)
end

--- `count` values, the same for every interpreter.
local function values(seed, count, plain)
  local source, list = generate.new(seed), {}
  for index = 1, count do list[index] = source:value(5, plain) end
  return list
end

--- Runs `command`, where %d stands for a directory that holds `files`; returns the lines it prints.
local function run(command, files)
  local dir = helper.tmpdir()
  for name, bytes in pairs(files) do helper.write(dir .. "/" .. name, bytes) end
  local pipe = assert(io.popen("exec 2>&1\n" .. command:gsub("%%d", dir)))
  local lines = {}
  for line in pipe:lines() do lines[#lines + 1] = line end
  pipe:close()
  return lines
end

--- A Python program over documents in hexadecimal, one a line.
local function python(source, documents)
  local lines = {}
  for index, document in ipairs(documents) do lines[index] = generate.hex(document) .. "\n" end
  return run("exec python3 %d/program.py < %d/documents",
    { ["program.py"] = generate.python .. source, documents = table.concat(lines) })
end

local function encoded(list)
  local texts = {}
  for index, value in ipairs(list) do texts[index] = assert(encode(value)) end
  return texts
end

describe("what encode writes", function()
  helper.guard(before_each, after_each)

  it("is one line of JSON", function()
    for index, text in ipairs(encoded(values(301, 4000))) do
      assert(not text:find("[%z\1-\31]"), index)
    end
  end)

  it("is read by python3, and what python3 then writes is read by decode", function()
    if not recall.has("python3") then return pending("python3 is not installed") end
    local list = values(302, 4000)
    local lines = python([[
for index, line in enumerate(sys.stdin):
    value = load(bytes.fromhex(line))
    print(canon(value))
    print(json.dumps(value, ensure_ascii=index % 2 == 0, indent=None if index % 3 else ' ').encode().hex())
]], encoded(list))
    assert.equal(2 * #list, #lines)
    for index, value in ipairs(list) do
      same(canon(value), lines[2 * index - 1], "value " .. index)
      local text = generate.unhex(lines[2 * index])
      same(canon(value, { nils = true }), canon((decode(text))), text)
    end
  end)

  it("is read by jq, and what jq then writes is read by decode", function()
    if not recall.has("jq") then return pending("jq is not installed") end
    local list = values(303, 3000)
    local texts = table.concat(encoded(list), "\n") .. "\n"
    local lines = run("exec jq -c -f %d/canon.jq %d/documents", { ["canon.jq"] = generate.jq .. "canon, .", documents = texts })
    assert.equal(2 * #list, #lines)
    for index, value in ipairs(list) do
      same(canon(value), assert(cjson.decode(lines[2 * index - 1])), "value " .. index)
      same(canon(value, { nils = true }), canon((decode(lines[2 * index]))), lines[2 * index])
    end
  end)

  --- The value that sqlite3's json_tree gave as rows of doc, id, parent, key, type, atom.
  local function assemble(lines)
    local documents, nodes = {}, nil
    for _, line in ipairs(lines) do
      local number, id, parent, key, kind, atom = line:match("^(%d+)|(%d+)|(%d*)|(%x*)|(%a+)|(.*)$")
      assert(number, line)
      local value
      if kind == "text" then
        value = generate.unhex(atom)
      elseif kind == "integer" or kind == "real" then
        local mantissa, exponent = atom:match("^(%-?%d+):(%-?%d+)$")
        value = math.ldexp(tonumber(mantissa), tonumber(exponent))
      elseif kind == "null" then
        value = null
      elseif kind == "true" or kind == "false" then
        value = kind == "true"
      else
        value = kind == "object" and setmetatable({}, { __jsontype = "object" }) or {}
      end
      if parent == "" then
        nodes = {}
        documents[tonumber(number)] = { value }
      else
        local container = nodes[parent]
        if container.kind == "object" then key = generate.unhex(key) else key = tonumber(generate.unhex(key)) + 1 end
        container.value[key] = value
      end
      nodes[id] = { kind = kind, value = value }
    end
    return documents
  end

  --- same for values: sqlite3 is allowed to be off by one unit in the last place.
  local function close(expected, got)
    if type(expected) == "number" and type(got) == "number" then
      return math.abs(expected - got) <= math.max(math.abs(expected) * 2 ^ -52, math.ldexp(1, -1074))
    end
    if type(expected) ~= "table" or type(got) ~= "table" then return expected == got end
    if next(expected) == nil and next(got) == nil then return canon(expected) == canon(got) end
    for key, item in pairs(expected) do
      if not close(item, got[key]) then return false end
    end
    for key in pairs(got) do
      if expected[key] == nil then return false end
    end
    return true
  end

  it("is read by sqlite3's JSON", function()
    if not recall.has("sqlite3") then return pending("sqlite3 is not installed") end
    local list = values(304, 3000, "no NUL: it ends sqlite3's strings")
    local script = { "CREATE TABLE d(n INTEGER PRIMARY KEY, j TEXT); BEGIN;" }
    for index, text in ipairs(encoded(list)) do
      script[#script + 1] = ("INSERT INTO d VALUES(%d,CAST(x'%s' AS TEXT));"):format(index, generate.hex(text))
    end
    script[#script + 1] = "SELECT 'invalid', n FROM d WHERE NOT json_valid(j);"
    script[#script + 1] = [[
SELECT d.n, t.id, t.parent, hex(t.key), t.type, CASE t.type WHEN 'text' THEN hex(t.atom)
  WHEN 'integer' THEN iif(t.atom = 0, '0:0', ieee754_mantissa(CAST(t.atom AS REAL)) || ':' || ieee754_exponent(CAST(t.atom AS REAL)))
  WHEN 'real' THEN iif(t.atom = 0, '0:0', ieee754_mantissa(t.atom) || ':' || ieee754_exponent(t.atom)) END
FROM d, json_tree(d.j) AS t ORDER BY d.n, t.id;]]
    local documents = assemble(run("exec sqlite3 -batch -list :memory: < %d/script",
      { script = table.concat(script, "\n") .. "\n" }))
    assert.equal(#list, #documents)
    for index, value in ipairs(list) do
      if not close(value, documents[index][1]) then same(canon(value), canon(documents[index][1]), "value " .. index) end
    end
  end)

  it("is read by node", function()
    if not recall.has("node") then return pending("node is not installed") end
    local list = values(307, 3000)
    local lines = run("exec node %d/program.js %d/documents", {
      documents = table.concat(encoded(list), "\n") .. "\n", ["program.js"] = generate.node .. [[
const lines = require('fs').readFileSync(process.argv[2], 'utf8').split('\n').slice(0, -1)
console.log(lines.map(line => canon(JSON.parse(line))).join('\n'))
]] })
    assert.equal(#list, #lines)
    for index, value in ipairs(list) do same(canon(value), lines[index], "value " .. index) end
  end)

  it("is read by lua-cjson", function()
    local list = values(305, 4000)
    for index, text in ipairs(encoded(list)) do
      same(canon(list[index], { loose = true }), canon(cjson.decode(text), { loose = true }), "value " .. index)
    end
  end)

  it("is read by decode, empty objects and arrays apart", function()
    for index, value in ipairs(values(306, 6000)) do
      local text = encode(value)
      local read = decode(text)
      same(canon(value, { nils = true }), canon(read), text)
      same(canon(read), canon((decode(encode(read)))), "value " .. index .. ", a second time")
    end
  end)
end)

describe("strings that are not UTF-8", function()
  helper.guard(before_each, after_each)

  it("are written as python3's surrogateescape has them, and read back", function()
    if not recall.has("python3") then return pending("python3 is not installed") end
    local source, lines = generate.new(321), {}
    for index = 1, 100000 do
      local bytes = source:bytes()
      local text = encode(bytes)
      assert(decode(text) == bytes, text)
      lines[index] = generate.hex(bytes) .. " " .. generate.hex(text) .. "\n"
    end
    local output = run("exec python3 %d/program.py < %d/strings", { strings = table.concat(lines), ["program.py"] = [[
import json, sys
good = 0
for line in sys.stdin:
    bytes_, text = map(bytes.fromhex, line.split(' '))
    value = bytes_.decode('utf-8', 'surrogateescape')
    good += json.loads(text.decode('utf-8')) == value
    escaped = json.dumps(value).encode() # pure ASCII, every surrogate among it
    print(escaped.hex())
print(good)
]] })
    assert.equal(tostring(#lines), table.remove(output))
    for index, line in ipairs(lines) do
      local text = generate.unhex(output[index])
      same(line:match("^%x*"), generate.hex(decode(text)), text)
    end
  end)

  --- A session whose turns hold strings, every third of them not UTF-8, and the strings.
  local function session(seed, count)
    local source, strings = generate.new(seed), {}
    local path = helper.tmpdir() .. "/session.jsonl"
    local log = assert(history.session(path, nil, { sync = "none" }))
    for index = 1, count do
      local text = source:string(60, "no NUL: it ends sqlite3's strings")
      if index % 3 == 0 then text = text .. source:pick({ "\255", "\226\130", "\237\160\189\237\184\128", "\192\128x", "\128" }) .. text end
      strings[index] = text
      assert(log:append({ role = "user", content = text, index = index }))
    end
    log:close()
    return path, strings
  end

  --- Checks what a tool printed: for each turn that it could read "index hex", which must be the
  -- string's, or for one that is not UTF-8, which `lossy` tools change or leave out, anything.
  local function check(lines, strings, lossy)
    local seen = {}
    for _, line in ipairs(lines) do
      local index, hex = line:match("^(%d+) (%x*)$")
      assert(index, line)
      index = tonumber(index)
      if index % 3 ~= 0 or not lossy then same(generate.hex(strings[index]), hex:lower(), "string " .. index) end
      seen[index] = true
    end
    for index in ipairs(strings) do assert(seen[index] or (lossy and index % 3 == 0), "no string " .. index) end
  end

  it("leave the file to python3's text mode, which gives the bytes", function()
    if not recall.has("python3") then return pending("python3 is not installed") end
    local path, strings = session(322, 3000)
    check(run("exec python3 %d/program.py " .. path, { ["program.py"] = [[
import json, sys
for line in open(sys.argv[1], encoding='utf-8'):
    turn = json.loads(line)
    print(turn['index'], turn['content'].encode('utf-8', 'surrogateescape').hex())
]] }), strings)
  end)

  it("leave the file to node, which gives the bytes", function()
    if not recall.has("node") then return pending("node is not installed") end
    local path, strings = session(323, 3000)
    check(run("exec node %d/program.js " .. path, { ["program.js"] = [[
const text = new TextDecoder('utf-8', { fatal: true }).decode(require('fs').readFileSync(process.argv[2]))
for (const line of text.split('\n').slice(0, -1)) {
  const turn = JSON.parse(line)
  const bytes = Array.from(turn.content, c => {
    const point = c.codePointAt(0)
    return point >= 0xdc80 && point <= 0xdcff ? Buffer.from([point - 0xdc00]) : Buffer.from(c)
  })
  console.log(turn.index + ' ' + Buffer.concat(bytes).toString('hex'))
}
]] }), strings)
  end)

  it("leave the other lines of the file to jq", function()
    if not recall.has("jq") then return pending("jq is not installed") end
    local path, strings = session(324, 3000)
    local lines = run("exec jq -r -f %d/hex.jq " .. path, { ["hex.jq"] = [[
def digit: . as $n | "0123456789abcdef"[$n:$n + 1];
def hex: explode | map(if . < 128 then [.]
  elif . < 2048 then [192 + (. / 64 | floor), 128 + . % 64]
  elif . < 65536 then [224 + (. / 4096 | floor), 128 + (. / 64 | floor) % 64, 128 + . % 64]
  else [240 + (. / 262144 | floor), 128 + (. / 4096 | floor) % 64, 128 + (. / 64 | floor) % 64, 128 + . % 64] end)
  | add // [] | map((. / 16 | floor | digit) + (. % 16 | digit)) | join("");
"\(.index) \(.content | hex)"]] })
    check(lines, strings, true)
  end)

  it("leave the other lines of the file to sqlite3", function()
    if not recall.has("sqlite3") then return pending("sqlite3 is not installed") end
    local path, strings = session(325, 3000)
    local script = { "CREATE TABLE d(j TEXT); BEGIN;" }
    for line in io.lines(path) do
      script[#script + 1] = ("INSERT INTO d VALUES(CAST(x'%s' AS TEXT));"):format(generate.hex(line))
    end
    script[#script + 1] = "SELECT json_extract(j, '$.index') || ' ' || hex(json_extract(j, '$.content')) FROM d;"
    local lines = run("exec sqlite3 -batch -list :memory: < %d/script", { script = table.concat(script, "\n") .. "\n" })
    check(lines, strings, true)
  end)

  it("leave the other lines of the file to DuckDB", function()
    local folder = npm.install("@duckdb/node-api@latest")
    if not folder then return pending("npm cannot install @duckdb/node-api here") end
    local path, strings = session(326, 3000)
    check(run(("export NODE_PATH=%s/node_modules\n"):format(helper.quote(folder)) .. "exec node %d/program.js " .. path, { ["program.js"] = [[
const { DuckDBInstance } = require('@duckdb/node-api')
async function main() {
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  const rows = await connection.runAndReadAll(
    "SELECT index, hex(encode(content)) FROM read_json('" + process.argv[2] + "', format = 'newline_delimited', " +
    "ignore_errors = true, columns = {index: 'BIGINT', content: 'VARCHAR'}) WHERE index IS NOT NULL")
  for (const [index, hex] of rows.getRows()) console.log(index + ' ' + hex)
}
main().catch(error => { console.log(error.message); process.exit(1) })
]] }), strings, true)
  end)
end)

describe("what decode reads", function()
  helper.guard(before_each, after_each)

  --- Texts with every spelling that the grammar allows, and what they stand for.
  local function documents(seed, count)
    local source, texts, list = generate.new(seed), {}, {}
    for index = 1, count do
      list[index] = source:value(5)
      texts[index] = source:space() .. source:text(list[index]) .. source:space()
    end
    return texts, list
  end

  it("is what lua-cjson reads, and what was written", function()
    local texts, list = documents(311, 4000)
    for index, text in ipairs(texts) do
      local value = decode(text)
      same(canon(list[index], { nils = true }), canon(value), text)
      same(canon(cjson.decode(text), { nils = true, loose = true }), canon(value, { loose = true }), text)
    end
  end)

  it("is what python3 reads", function()
    if not recall.has("python3") then return pending("python3 is not installed") end
    local texts = documents(312, 4000)
    local lines = python("for line in sys.stdin: print(canon(load(bytes.fromhex(line)), True))\n", texts)
    assert.equal(#texts, #lines)
    for index, text in ipairs(texts) do same(lines[index], canon((decode(text))), text) end
  end)

  it("is what lua-cjson writes", function()
    for index, value in ipairs(values(313, 3000)) do
      local text = cjson.encode(value)
      same(canon(cjson.decode(text), { nils = true, loose = true }), canon((decode(text)), { loose = true }),
        "value " .. index)
    end
  end)

  --- A text with one random change, which is mostly no JSON any more.
  local function mutate(source, text)
    local at, kind = source:below(#text) + 1, source:below(6)
    local byte = source:pick({ '"', "\\", ",", ":", "[", "]", "{", "}", "0", "1", "-", "+", ".", "e", "E", " ", "\n", "\t",
      "\r", "u", "n", "t", "\0", "\31", "\127", "\255", "/", "a", "\f" })
    if kind == 0 then return text:sub(1, at - 1) .. text:sub(at + 1) end
    if kind == 1 then return text:sub(1, at - 1) .. byte .. text:sub(at) end
    if kind == 2 then return text:sub(1, at - 1) .. byte .. text:sub(at + 1) end
    if kind == 3 then return text:sub(1, at) .. text:sub(at) end
    if kind == 4 then return text:sub(1, at) end
    return text:sub(1, at) .. text:sub(at + source:below(10) + 1)
  end

  it("and what it refuses are python3's for mutated documents", function()
    if not recall.has("python3") then return pending("python3 is not installed") end
    local source, texts, mutants = generate.new(314), documents(315, 1500), {}
    for _, text in ipairs(texts) do
      if #text < 2000 then
        for _ = 1, 5 do mutants[#mutants + 1] = mutate(source, text) end
        mutants[#mutants + 1] = mutate(source, mutate(source, text))
      end
    end
    local lines = python([[
for line in sys.stdin:
    try: print(canon(load(bytes.fromhex(line)), True))
    except ValueError: print('refused')
]], mutants)
    assert.equal(#mutants, #lines)
    local refused = 0
    for index, text in ipairs(mutants) do
      local value, message = decode(text)
      if message then refused = refused + 1 end
      same(lines[index], message and "refused" or canon(value), ("%q"):format(text))
    end
    -- both verdicts are exercised
    assert(refused > 1000 and refused < #mutants - 1000, refused .. " of " .. #mutants .. " refused")
  end)
end)
