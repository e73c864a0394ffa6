--- decode: JSON texts to Lua values, and what it refuses. spec/corpus holds more documents.
local helper = require("spec.support.helper")
local generate = require("spec.support.generate")
local cjson = require("cjson")
local history = require("aish_history")

local encode, decode, null = history.encode, history.decode, history.null

local function same(expected, got, label)
  if expected ~= got then error(("%s: expected %q, got %q"):format(label, tostring(expected), tostring(got)), 2) end
end

--- Checks that `text` is refused with exactly two results; returns the message.
local function refused(text, label)
  local results = { n = select("#", decode(text)), decode(text) }
  local message = results[2]
  if results.n ~= 2 or results[1] ~= nil or type(message) ~= "string" or not message:find("at byte %d+") then
    error(("%s: %d results, %s, %s"):format(label or text, results.n, tostring(results[1]), tostring(message)), 2)
  end
  return message
end

--- The byte that the message for `text` points at.
local function place(text)
  return tonumber(refused(text):match("at byte (%d+)"))
end

--- Calls check(text) for every proper prefix of `text`.
local function prefixes(text, check)
  for length = 0, #text - 1 do check(text:sub(1, length)) end
end

describe("decode", function()
  helper.guard(before_each, after_each)

  it("reads literals", function()
    assert.is_true(decode("true"))
    assert.is_false(decode("false"))
    assert.equal(1, select("#", decode("false")))
  end)

  it("reads null as nil, with no message", function()
    assert.is_nil(decode("null"))
    assert.equal(1, select("#", decode("null")))
    assert.equal(1, select("#", decode(" null\n")))
  end)

  it("returns one value when it succeeds", function()
    assert.equal(1, select("#", decode("[1]")))
    assert.equal(1, select("#", decode('""')))
  end)

  it("raises for what is no string", function()
    for _, value in ipairs({ 12, true, {}, print, io.stdout, null, coroutine.create(function() end) }) do
      local ok, message = pcall(decode, value)
      assert.is_false(ok)
      assert(message:find("bad argument #1 to", 1, true), message)
      assert(message:find("string", 1, true), message)
    end
    assert.is_false(pcall(decode, nil))
    assert.is_false(pcall(decode))
    assert.is_false(pcall(decode, "1", "2"))
  end)

  it("reads numbers as numbers and strings as strings", function()
    assert.equal(12, decode("12"))
    assert.equal("12", decode('"12"'))
    assert.equal(-0.5, decode(" -0.5 "))
  end)

  it("reads arrays and objects", function()
    assert.same({ 1, "a", true, false, { b = {} }, { 2.5 } }, decode('[1,"a",true,false,{"b":[]},[2.5]]'))
    assert.same({ a = { { b = "c" } }, d = 1 }, decode('{"a":[{"b":"c"}],"d":1}'))
    assert.same({ ["1"] = "a" }, decode('{"1":"a"}'))
    assert.same({ [""] = 0, ["a b"] = 1 }, decode('{"":0,"a b":1}'))
  end)

  it("takes the last of duplicate keys", function()
    assert.same({ a = 3 }, decode('{"a":1,"a":2,"a":3}'))
    assert.same({ a = 2 }, decode('{"a":1,"\\u0061":2}'))
    assert.same({ b = 1 }, decode('{"a":1,"b":1,"a":null}'))
    assert.same({ a = 1 }, decode('{"a":null,"a":1}'))
    assert.equal("{}", encode(decode('{"a":1,"a":null}')))
  end)

  it("allows white space between tokens, of every length to 70", function()
    for length = 0, 70 do
      for _, space in ipairs({ " ", "\t", "\n", "\r", "\r\n", " \n" }) do
        local run = space:rep(length)
        local value = decode(run .. '{' .. run .. '"a"' .. run .. ':' .. run .. '[1' .. run .. ',' .. run .. '"x"' .. run
          .. ']' .. run .. ',"b":true' .. run .. '}' .. run)
        same("1x", value and value.a[1] .. value.a[2], length .. " times")
        same(true, value.b, length .. " times")
        refused(run, "white space alone")
        refused(run .. "\f1", "form feed behind white space")
        refused("1" .. run .. "\0", "NUL behind white space")
        refused("[1" .. run .. "true]", "two values")
      end
    end
  end)

  it("reads documents of 10 MB", function()
    local value = decode("[" .. ('{"id":1,"text":"abc\\n"},'):rep(400000) .. "0]")
    assert.equal(400001, #value)
    assert.same({ id = 1, text = "abc\n" }, value[400000])
    assert.equal(0, value[400001])
    assert(decode('"' .. ("\\u00e9"):rep(1700000) .. '"') == ("é"):rep(1700000))
    assert(decode(" " .. '"' .. ("x"):rep(10000000) .. '"') == ("x"):rep(10000000))
    refused('"' .. ("x"):rep(10000000), "unterminated string of 10 MB")
  end)

  it("gives the same string whatever is around it", function()
    -- a suffix of another string sits at every alignment
    local text = '"' .. ("0123456789"):rep(7) .. '"'
    for shift = 0, 70 do
      same(("0123456789"):rep(7), decode((" "):rep(shift) .. text), "shift " .. shift)
      same(("0123456789"):rep(7), decode("[" .. (" "):rep(shift) .. text .. "]")[1], "in an array, shift " .. shift)
    end
  end)
end)

describe("decode of null members and of empty tables", function()
  helper.guard(before_each, after_each)

  it("leaves null members out", function()
    assert.same({ role = "assistant" }, decode('{"role":"assistant","content":null}'))
    assert.is_nil(decode('{"role":"assistant","content":null}').content)
    local array = decode("[null,1,null,2,null]")
    assert.is_nil(array[1])
    assert.equal(1, array[2])
    assert.is_nil(array[3])
    assert.equal(2, array[4])
    assert.is_nil(array[5])
  end)

  it("marks what would encode to another text", function()
    assert.equal("object", getmetatable(decode("{}")).__jsontype)
    assert.equal("object", getmetatable(decode('{"a":null}')).__jsontype)
    assert.equal("array", getmetatable(decode("[1,null,2]")).__jsontype)
    assert.equal("array", getmetatable(decode("[null]")).__jsontype)
  end)

  it("marks nothing else", function()
    for _, text in ipairs({ "[]", "[1]", "[[]]", '{"a":1}', '{"a":1,"b":null}', '{"a":[]}' }) do
      local value = decode(text)
      assert.is_nil(getmetatable(value), text)
      for _, inner in pairs(value) do assert(type(inner) ~= "table" or getmetatable(inner) == nil, text) end
    end
  end)

  it("reads tables that encode to the same text", function()
    for _, text in ipairs({ "{}", "[]", "[{}]", "[[]]", '{"a":{}}', '{"a":[]}', "[{},[],{}]", "[[{}],{}]", "[null,1]",
      "[1,null,2]", "[" .. ("null,"):rep(50) .. "1]", "[1" .. (",null"):rep(50) .. ",[]]", '{"1":"a"}', '{"n":3}',
      '{"__jsontype":"array"}', '{"a":[null,{}]}', "[false]", "[-0]", '["\\u0000"]', '{"":""}' }) do
      assert.equal(text, encode(decode(text)))
    end
    assert.equal("{}", encode(decode('{"a":null}')))
    assert.equal("[]", encode(decode("[null,null]")))
    assert.equal("[1]", encode(decode("[1,null]")))
    assert.equal('{"1":1}', encode(decode('{"1":1,"2":null}')))
  end)

  it("gives tables that can be changed", function()
    local value = decode('{"a":{},"b":[]}')
    value.a.x = 1
    value.b[1] = 2
    assert.equal('{"x":1}', encode(value.a))
    assert.equal("[2]", encode(value.b))
    assert.equal("{}", encode(decode("{}")))
  end)
end)

describe("decode of strings", function()
  helper.guard(before_each, after_each)

  it("reads every escape", function()
    assert.equal('"\\/\b\f\n\r\tA', decode([["\"\\\/\b\f\n\r\t\u0041"]]))
  end)

  it("refuses every other escape", function()
    for code = 0, 255 do
      local byte = string.char(code)
      if not byte:find('["\\/bfnrtu]') then refused('"\\' .. byte .. '"', "escape " .. code) end
    end
  end)

  it("reads each of the 256 bytes as it is, control characters refused", function()
    for code = 0, 255 do
      local byte = string.char(code)
      for _, around in ipairs({ { "", "" }, { "a", "z" }, { ("x"):rep(40), ("y"):rep(40) } }) do
        local text = '"' .. around[1] .. byte .. around[2] .. '"'
        if code < 32 or byte == '"' or byte == "\\" then
          refused(text, "byte " .. code)
        else
          same(around[1] .. byte .. around[2], decode(text), "byte " .. code)
        end
      end
    end
  end)

  it("reads \\u for every unit that is no surrogate, in either case", function()
    for unit = 0, 0xFFFF do
      if unit < 0xD800 or unit > 0xDFFF then
        local expected = generate.utf8(unit)
        same(expected, decode(('"\\u%04x"'):format(unit)), unit)
        same(expected, decode(('"\\u%04X"'):format(unit)), unit)
      end
    end
  end)

  it("reads surrogate pairs as one character", function()
    for high = 0xD800, 0xDBFF, 7 do
      for low = 0xDC00, 0xDFFF, 13 do
        local point = 0x10000 + (high - 0xD800) * 1024 + low - 0xDC00
        same(generate.utf8(point), decode(('"\\u%04x\\u%04X"'):format(high, low)), point)
      end
    end
    assert.equal("\240\144\128\128", decode('"\\ud800\\udc00"'))
    assert.equal("\244\143\191\191", decode('"\\uDBFF\\uDFFF"'))
  end)

  it("reads a lone surrogate from \\udc80 to \\udcff as a byte, which comes back", function()
    for byte = 0x80, 0xFF do
      local text = ('"\\udc%02x"'):format(byte)
      same(string.char(byte), decode(text), text)
      same(text, encode(decode(text)), text)
      same(string.char(byte), decode(('"\\uDC%02X"'):format(byte)), text)
      same("a" .. string.char(byte) .. "b", decode(('"a\\udc%02xb"'):format(byte)), text)
    end
    assert.equal("é", decode('"\\udcc3\\udca9"'))
    assert.equal("\237\160\189", decode('"\\udced\\udca0\\udcbd"'))
    assert.equal(generate.utf8(0x1F480), decode('"\\ud83d\\udc80"'))
    assert.same({ ["\255"] = 1 }, decode('{"\\udcff":1}'))
  end)

  it("keeps every other lone surrogate as its three bytes, which come back", function()
    for unit = 0xD800, 0xDFFF do
      local three = (unit < 0xDC80 or unit > 0xDCFF) and generate.utf8(unit) or string.char(unit - 0xDC00)
      local text = ('"\\u%04x"'):format(unit)
      same(three, decode(text), text)
      same(three, decode(encode(decode(text))), text)
      same("a" .. three .. "b", decode(('"a\\u%04xb"'):format(unit)), text)
    end
    assert.equal("\237\160\128", decode('"\\ud800"'))
    assert.equal("\237\160\189\n", decode('"\\ud83d\\n"'))
    assert.equal("\237\160\189A", decode('"\\ud83d\\u0041"'))
    assert.equal("\237\184\128\237\160\189", decode('"\\ude00\\ud83d"'))
    assert.equal("\237\160\189😀", decode('"\\ud83d\\ud83d\\ude00"'))
    assert.equal("😀\237\184\128", decode('"\\ud83d\\ude00\\ude00"'))
    assert.equal("\237\160\189\237\184\128", decode('"\\ud83d\237\184\128"'))
  end)

  it("refuses \\u without four hexadecimal digits", function()
    for code = 0, 255 do
      local byte = string.char(code)
      if not byte:find("%x") then
        for position = 1, 4 do
          local digits = ("00e9"):sub(1, position - 1) .. byte .. ("00e9"):sub(position + 1)
          refused('"\\u' .. digits .. '"', "byte " .. code .. " as digit " .. position)
          refused('"\\ud83d\\u' .. digits .. '"', "byte " .. code .. " as digit " .. position .. " of a second")
        end
      end
    end
    for length = 0, 3 do
      refused('"\\u' .. ("0041"):sub(1, length) .. '"')
      refused('"\\u' .. ("0041"):sub(1, length))
      refused('"\\ud83d\\u' .. ("de00"):sub(1, length) .. '"')
      refused('"\\ud83d\\u' .. ("de00"):sub(1, length))
    end
  end)

  it("reads an escape at every position of strings of every length to 70", function()
    local escapes = { ["\\n"] = "\n", ["\\\\"] = "\\", ['\\"'] = '"', ["\\u00e9"] = "é", ["\\ud83d\\ude00"] = "😀" }
    for escape, meaning in pairs(escapes) do
      for length = 1, 70 do
        for position = 1, length do
          local before, after = ("x"):rep(position - 1), ("y"):rep(length - position)
          same(before .. meaning .. after, decode('"' .. before .. escape .. after .. '"'),
            ("%s at %d of %d"):format(escape, position, length))
        end
      end
    end
  end)

  it("refuses a control character at every position of strings of every length to 70", function()
    for _, byte in ipairs({ "\0", "\n", "\31" }) do
      for length = 1, 70 do
        for position = 1, length do
          local text = '"' .. ("x"):rep(position - 1) .. byte .. ("y"):rep(length - position) .. '"'
          refused(text, ("byte %d at %d of %d"):format(byte:byte(), position, length))
        end
      end
    end
  end)

  it("refuses a string without an end, of every length to 140", function()
    for length = 0, 140 do
      refused('"' .. ("x"):rep(length))
      refused('"' .. ("x"):rep(length) .. "\\")
      refused('"' .. ("x"):rep(length) .. '\\"')
      refused('["' .. ("\\\\"):rep(length))
      refused('{"' .. ("\255"):rep(length))
    end
  end)

  it("reads a string as the end of every length to 140", function()
    for length = 0, 140 do
      same(("x"):rep(length), decode('"' .. ("x"):rep(length) .. '"'), length)
      same(("\\"):rep(length), decode('"' .. ("\\\\"):rep(length) .. '"'), length)
      refused('"' .. ("x"):rep(length) .. '"x')
      refused('"' .. ("x"):rep(length) .. '""')
    end
  end)

  it("reads keys as it reads strings", function()
    for length = 0, 70 do
      local key = ("k"):rep(length)
      same(1, (decode('{"' .. key .. '":1}') or {})[key], length)
      same(1, (decode('{"' .. key .. '\\u00e9\\n":1}') or {})[key .. "é\n"], length)
    end
    assert.same({ ["a\0b"] = 1, a = 2 }, decode('{"a\\u0000b":1,"a":2}'))
  end)
end)

describe("decode of nested documents", function()
  helper.guard(before_each, after_each)

  it("reads 1,000 levels", function()
    local value = decode(("["):rep(1000) .. ("]"):rep(1000))
    for _ = 1, 999 do
      assert.equal(1, #value)
      value = value[1]
    end
    assert.is_nil(next(value))
    value = decode(('{"a":'):rep(1000) .. "7" .. ("}"):rep(1000))
    for _ = 1, 1000 do value = value.a end
    assert.equal(7, value)
    value = decode(('[{"a":'):rep(500) .. '"x"' .. ("}]"):rep(500))
    for _ = 1, 500 do value = value[1].a end
    assert.equal("x", value)
  end)

  it("refuses 1,001", function()
    refused(("["):rep(1001) .. ("]"):rep(1001))
    refused(('{"a":'):rep(1001) .. "1" .. ("}"):rep(1001))
    refused(('[{"a":'):rep(500) .. "[]" .. ("}]"):rep(500))
    refused(("["):rep(1000) .. "{}" .. ("]"):rep(1000))
    refused(("["):rep(1000000), "a million levels, open")
    refused(('{"a":'):rep(1000000), "a million objects, open")
  end)

  it("counts the levels around, not those passed", function()
    local half = ("["):rep(999) .. ("]"):rep(999)
    assert.equal(3, #decode("[" .. half .. "," .. half .. "," .. half .. "]"))
  end)

  it("reads what encode writes at 1,000 levels", function()
    local text = ('{"a":['):rep(499) .. '{"a":{}}' .. ("]}"):rep(499)
    assert.equal(text, encode(decode(text)))
  end)
end)

describe("decode of damaged documents", function()
  helper.guard(before_each, after_each)

  it("points at the first bad byte", function()
    assert.equal(1, place("x"))
    assert.equal(2, place("[x]"))
    assert.equal(6, place("[1,2,x]"))
    assert.equal(4, place("[1]x"))
    assert.equal(5, place('{"a"x1}'))
    assert.equal(9, place('{"a":1, x}'))
    assert.equal(1 + 100 + 1, place("[" .. (" "):rep(100) .. "}"))
  end)

  it("refuses every beginning of a document", function()
    prefixes('{"id":1,"ts":"2026-01-02","tags":["a\\n\\u00e9","b"],"x":[{},null,true,false,-1.5e3],"y":{"z":""}}',
      function(text) refused(text) end)
    prefixes('"\\ud83d\\ude00 \\\\ \\" \\/ text"', function(text) refused(text) end)
    prefixes("[" .. ("[1],"):rep(50) .. "[]]", function(text) refused(text) end)
  end)

  it("refuses every byte after a document but white space", function()
    for _, document in ipairs({ "{}", "[1]", '"a"', "true", "null", "0" }) do
      for code = 0, 255 do
        local byte = string.char(code)
        if not byte:find("[ \t\r\n]") and not (document == "0" and byte:find("[.eE]")) then
          refused(document .. byte, document .. " and byte " .. code)
          refused(document .. " \n" .. byte, document .. ", space and byte " .. code)
        end
      end
    end
    refused("0.")
    refused("0e")
    refused("0E")
  end)

  it("refuses every byte before a document but white space", function()
    for code = 0, 255 do
      local byte = string.char(code)
      if not byte:find("[ \t\r\n]") then
        refused(byte .. "{}", "byte " .. code)
        refused(" " .. byte .. " [1]", "space and byte " .. code)
      end
    end
  end)

  it("refuses each of the 256 bytes alone but the digits", function()
    for code = 0, 255 do
      local byte = string.char(code)
      if byte:find("%d") then same(code - 48, decode(byte), byte) else refused(byte, "byte " .. code) end
    end
  end)

  it("refuses a NUL anywhere", function()
    local document = '{"a":[1,true,null,"b\\n",-2.5e+1],"c":{}}'
    for position = 1, #document + 1 do
      refused(document:sub(1, position - 1) .. "\0" .. document:sub(position), "NUL at " .. position)
    end
  end)

  it("accepts and refuses what lua-cjson and the grammar do when one token is dropped or doubled", function()
    local tokens = { "{", '"a"', ":", "[", "1", ",", "true", ",", "{", "}", "]", ",", '"b"', ":", "null", "}" }
    for drop = 1, #tokens do
      local fewer, more = {}, {}
      for index, token in ipairs(tokens) do
        if index ~= drop then fewer[#fewer + 1] = token end
        more[#more + 1] = token
        if index == drop then more[#more + 1] = token end
      end
      for _, list in ipairs({ fewer, more }) do
        local text = table.concat(list, " ")
        if not pcall(cjson.decode, text) then refused(text) else assert.is_table(decode(text)) end
      end
    end
  end)

  it("works again after a refusal", function()
    for _ = 1, 200 do
      refused("[" .. ('{"a":['):rep(100) .. '"' .. ("\\n"):rep(1000))
      assert.same({ 1 }, decode("[1]"))
    end
  end)
end)
