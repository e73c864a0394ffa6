--- encode: Lua values to JSON texts.
local helper = require("spec.support.helper")
local generate = require("spec.support.generate")
local cjson = require("cjson")
local history = require("aish_history")

local encode, decode, null = history.encode, history.decode, history.null

--- What encode must write for one byte of a string, as long as it is no part of a character.
local function escaped(byte)
  return generate.json(byte):sub(2, -2)
end

--- assert.equal is too slow and too wordy for thousands of strings.
local function same(expected, got, label)
  if expected ~= got then error(("%s: expected %q, got %q"):format(label, tostring(expected), tostring(got)), 2) end
end

local function mark(value, name)
  return setmetatable(value, { __jsontype = name })
end

--- Checks that `value` is refused with exactly two results; returns the message.
local function refused(value)
  local results = { n = select("#", encode(value)), encode(value) }
  assert.equal(2, results.n)
  assert.is_nil(results[1])
  assert.is_string(results[2])
  return results[2]
end

local function has(part, message)
  assert(message:find(part, 1, true), ("%q is not in %q"):format(part, message))
end

describe("encode", function()
  helper.guard(before_each, after_each)

  it("writes literals", function()
    assert.equal("true", encode(true))
    assert.equal("false", encode(false))
    assert.equal("null", encode(null))
    assert.equal("null", encode(nil))
  end)

  it("returns one value when it succeeds", function()
    assert.equal(1, select("#", encode({ 1 })))
    assert.equal(1, select("#", encode(null)))
  end)

  it("raises without an argument and with two", function()
    local ok, message = pcall(encode)
    assert.is_false(ok)
    has("bad argument #1 to", message)
    ok, message = pcall(encode, 1, 2)
    assert.is_false(ok)
    has("bad argument #2 to", message)
  end)

  it("writes strings as they are", function()
    assert.equal('""', encode(""))
    assert.equal('"a/b naïve 😀 \127"', encode("a/b naïve 😀 \127"))
    assert.equal('"12"', encode("12"))
    assert.equal('"\226\128\168\226\128\169"', encode("\226\128\168\226\128\169"))
  end)

  it("writes each of the 256 bytes, escaping only what it must", function()
    for code = 0, 255 do
      local byte = string.char(code)
      same('"' .. escaped(byte) .. '"', encode(byte), "byte " .. code)
      same('"a' .. escaped(byte) .. 'b"', encode("a" .. byte .. "b"), "byte " .. code .. " between letters")
      same('{"' .. escaped(byte) .. '":1}', encode({ [byte] = 1 }), "byte " .. code .. " as a key")
    end
  end)

  it("escapes a byte at every position of strings of every length to 70", function()
    for _, byte in ipairs({ '"', "\\", "\n", "\0", "\31", " ", "\127", "\128", "\255" }) do
      for length = 1, 70 do
        for position = 1, length do
          local before, after = ("x"):rep(position - 1), ("y"):rep(length - position)
          local label = ("byte %d at %d of %d"):format(byte:byte(), position, length)
          local text = encode(before .. byte .. after)
          same('"' .. before .. escaped(byte) .. after .. '"', text, label)
          same(before .. byte .. after, decode(text), label .. ", back")
        end
      end
    end
  end)

  it("escapes runs of every length to 70", function()
    for _, byte in ipairs({ '"', "\\", "\n", "\0", "\31", "\255" }) do
      for length = 0, 70 do
        local text = encode(byte:rep(length))
        same('"' .. escaped(byte):rep(length) .. '"', text, ("byte %d, %d times"):format(byte:byte(), length))
        same(byte:rep(length), decode(text), ("byte %d, %d times, back"):format(byte:byte(), length))
      end
    end
  end)

  it("writes strings of 10 MB", function()
    local plain = ("0123456789"):rep(1000000)
    assert(encode(plain) == '"' .. plain .. '"')
    assert(decode(encode(plain)) == plain)
    local control = ("\1"):rep(10000000)
    assert(encode(control) == '"' .. ("\\u0001"):rep(10000000) .. '"')
    local mixed = ('ab"\n'):rep(2500000)
    assert(decode(encode({ mixed, mixed }))[2] == mixed)
  end)

  it("writes arrays", function()
    assert.equal("[1]", encode({ 1 }))
    assert.equal('[1,"a",true,false,[],[2.5]]', encode({ 1, "a", true, false, {}, { 2.5 } }))
    assert.equal("[false,false]", encode({ false, false }))
    assert.equal("[1,2,3]", encode({ [3] = 3, [2] = 2, [1] = 1 }))
    local numbers, texts = {}, {}
    for index = 1, 5000 do
      numbers[index], texts[index] = index, tostring(index)
    end
    assert.equal("[" .. table.concat(texts, ",") .. "]", encode(numbers))
  end)

  it("writes objects", function()
    assert.equal('{"a":1}', encode({ a = 1 }))
    assert.equal('{"":{"a b":[{"\\"":null}]}}', encode({ [""] = { ["a b"] = { { ['"'] = null } } } }))
    local text = encode({ a = 1, b = "c" })
    assert(text == '{"a":1,"b":"c"}' or text == '{"b":"c","a":1}', text)
  end)

  it("writes every member of a large object once", function()
    local value = {}
    for index = 1, 2000 do value["k" .. index] = index end
    local text, count = encode(value), 0
    for name, number in text:gmatch('"(k%d+)":(%d+)[,}]') do
      assert.equal("k" .. number, name)
      count = count + 1
    end
    assert.equal(2000, count)
    assert.equal("{", text:sub(1, 1))
  end)

  it("writes an object with a string key n as any other", function()
    assert.equal('{"n":3}', encode({ n = 3 }))
    assert.equal('{"n":0}', encode({ n = 0 }))
    local text = encode({ "a", n = 1 })
    assert(text == '{"1":"a","n":1}' or text == '{"n":1,"1":"a"}', text)
  end)

  it("writes one table in two places twice", function()
    local shared = { 1 }
    assert.equal("[[1],[1],[[1]]]", encode({ shared, shared, { shared } }))
  end)

  it("works inside a coroutine", function()
    local resume = coroutine.wrap(function()
      coroutine.yield(encode({ { 1 } }))
      coroutine.yield((select(2, encode({ print }))))
    end)
    assert.equal("[[1]]", resume())
    has("value[1]", resume())
  end)

  it("works again after a refusal", function()
    for _ = 1, 200 do
      refused({ ("x"):rep(1000), { a = { print } } })
      assert.equal('[{"a":1}]', encode({ { a = 1 } }))
    end
  end)
end)

describe("encode of a table with number keys", function()
  helper.guard(before_each, after_each)

  it("writes holes as null while the highest index is at most 10", function()
    assert.equal("[1,null,3]", encode({ 1, nil, 3 }))
    assert.equal("[null,1]", encode({ [2] = 1 }))
    assert.equal("[" .. ("null,"):rep(9) .. "1]", encode({ [10] = 1 }))
  end)

  it("writes an object when it is mostly holes", function()
    assert.equal('{"11":1}', encode({ [11] = 1 }))
    assert.equal('{"1000000":"x"}', encode({ [1000000] = "x" }))
    assert.equal('{"9007199254740992":"x"}', encode({ [2 ^ 53] = "x" }))
  end)

  it("draws the line at an index of twice the count", function()
    local function holed(highest, count)
      local value = { [highest] = highest }
      for index = 1, count - 1 do value[index] = index end
      return value
    end
    assert.equal("[1,2,3,4,5,null,null,null,null,null,null,12]", encode(holed(12, 6)))
    assert.equal("{", encode(holed(13, 6)):sub(1, 1))
    assert.equal("[1,2,3,4,5,6,null,null,null,null,null,null,13]", encode(holed(13, 7)))
    assert.equal("[null,2,null,4,null,6,null,8,null,10,null,12]",
      encode({ [2] = 2, [4] = 4, [6] = 6, [8] = 8, [10] = 10, [12] = 12 }))
    assert.equal("[", encode(holed(200, 100)):sub(1, 1))
    assert.equal("{", encode(holed(201, 100)):sub(1, 1))
    assert.equal("{", encode(holed(2000, 100)):sub(1, 1))
  end)

  it("agrees with the rule for every set of indexes to 13", function()
    for set = 1, 2 ^ 13 - 1 do
      local value, count, highest, rest = {}, 0, 0, set
      for index = 1, 13 do
        if rest % 2 == 1 then
          value[index], count, highest = index, count + 1, index
        end
        rest = math.floor(rest / 2)
      end
      local array = not (highest > 10 and highest > 2 * count)
      same(array and "[" or "{", encode(value):sub(1, 1), "set " .. set)
      if array then
        local parts = {}
        for index = 1, highest do parts[index] = value[index] and tostring(index) or "null" end
        same("[" .. table.concat(parts, ",") .. "]", encode(value), "set " .. set)
      end
    end
  end)

  it("writes keys that are no positive integers as an object's", function()
    assert.equal('{"0":"a"}', encode({ [0] = "a" }))
    assert.equal('{"-1":"a"}', encode({ [-1] = "a" }))
    assert.equal('{"1.5":"a"}', encode({ [1.5] = "a" }))
    assert.equal('{"0.1":"a"}', encode({ [0.1] = "a" }))
    assert.equal('{"1e-3":"a"}', encode({ [0.001] = "a" }))
    assert.equal('{"1e300":"a"}', encode({ [1e300] = "a" }))
    assert.equal('{"0.30000000000000004":"a"}', encode({ [0.1 + 0.2] = "a" }))
  end)

  it("writes number keys among string keys as strings", function()
    local value = decode(encode({ "a", "b", x = "c", [2.5] = "d", [100] = "e" }))
    assert.same({ ["1"] = "a", ["2"] = "b", x = "c", ["2.5"] = "d", ["100"] = "e" }, value)
  end)

  it("does not follow __index, __newindex, __len, __pairs or __tojson", function()
    local function never() error("a metamethod was called") end
    local meta = {
      __index = never, __newindex = never, __len = never, __pairs = never, __ipairs = never, __tojson = never,
      __tostring = never, __call = never, __eq = never,
    }
    assert.equal("[1,null,3]", encode(setmetatable({ 1, nil, 3 }, meta)))
    assert.equal('{"a":[]}', encode(setmetatable({ a = setmetatable({}, meta) }, meta)))
    assert.equal("[1]", encode(setmetatable({ 1 }, { __index = { 1, 2, 3, a = 4 } })))
  end)
end)

describe("encode of null and of marked tables", function()
  helper.guard(before_each, after_each)

  it("has lua-cjson's null", function()
    assert(null == cjson.null)
    assert.equal("userdata", type(null))
    assert.equal('[null,{"a":null}]', encode({ cjson.null, { a = cjson.null } }))
    assert.equal("[1,null]", encode({ 1, null }))
    local nulls = {}
    for index = 1, 20 do nulls[index] = null end
    assert.equal("[" .. ("null,"):rep(19) .. "null]", encode(nulls))
  end)

  it("writes an empty table as an array", function()
    assert.equal("[]", encode({}))
    assert.equal("[[],[[]]]", encode({ {}, { {} } }))
    assert.equal("[]", encode(setmetatable({}, {})))
  end)

  it("writes an empty table marked as an object as one", function()
    assert.equal("{}", encode(mark({}, "object")))
    assert.equal('[{},{"a":{}}]', encode({ mark({}, "object"), { a = mark({}, "object") } }))
    assert.equal("{}", encode(setmetatable({}, { __jsontype = "object", __metatable = "locked" })))
  end)

  it("writes an empty table marked as an array as one", function()
    assert.equal("[]", encode(mark({}, "array")))
  end)

  it("writes a table with items marked as an object by its keys", function()
    assert.equal("[1,2]", encode(mark({ 1, 2 }, "object")))
    assert.equal('{"a":1}', encode(mark({ a = 1 }, "object")))
  end)

  it("writes a table marked as an array with all its holes", function()
    assert.equal("[" .. ("null,"):rep(49) .. "1]", encode(mark({ [50] = 1 }, "array")))
    assert.equal("[1" .. (",null"):rep(998) .. ",2]", encode(mark({ [1] = 1, [1000] = 2 }, "array")))
  end)

  it("does not fill the memory with the holes of a marked table", function()
    assert.equal('{"9007199254740992":1}', encode(mark({ [2 ^ 53] = 1 }, "array")))
  end)

  it("writes a table with other keys marked as an array as an object", function()
    assert.equal('{"a":1}', encode(mark({ a = 1 }, "array")))
    assert.equal('{"0":1}', encode(mark({ [0] = 1 }, "array")))
  end)

  it("ignores marks it does not know", function()
    for _, name in ipairs({ "map", "Object", "", 1, true, {} }) do
      assert.equal("[]", encode(mark({}, name)))
      assert.equal("[1]", encode(mark({ 1 }, name)))
    end
  end)

  it("honours the marks of a lua-cjson that has them", function()
    local output = helper.run([[
      -- the real mark is a light userdata: two ways to one
      local mark
      if debug.upvalueid then
        mark = debug.upvalueid(function() return mark end, 1)
      else
        package.preload.sentinel = function(name) mark = package.loaded[name] end
        require("sentinel")
      end
      assert(type(mark) == "userdata" and not debug.getmetatable(mark))
      package.loaded.cjson = {
        null = require("cjson").null, empty_array = mark, array_mt = {}, empty_array_mt = {},
      }
      local cjson = package.loaded.cjson
      local encode = require("aish_history").encode
      print(encode(cjson.empty_array))
      print(encode({ a = cjson.empty_array }))
      print(encode(setmetatable({}, cjson.array_mt)))
      print((encode(setmetatable({ [12] = 1 }, cjson.array_mt))))
      print(encode(setmetatable({}, cjson.empty_array_mt)))
      print(encode(setmetatable({ a = 1 }, cjson.empty_array_mt)))
    ]])
    assert.equal(table.concat({
      "[]", '{"a":[]}', "[]", "[" .. ("null,"):rep(11) .. "1]", "[]", '{"a":1}', "",
    }, "\n"), output)
  end)

  it("honours what Neovim and libmpack keep in the registry: their null, and their mark of an empty object", function()
    local output = helper.run([[
      local registry, encode = debug.getregistry(), require("aish_history").encode
      local null, mark = io.stdout, {}
      print(encode({ a = null }))
      registry["mpack.NIL"], registry["mpack.empty_dict"] = null, mark
      print(encode({ a = null }), encode(setmetatable({}, mark)), encode(setmetatable({ 1 }, mark)))
      print(encode({ io.stderr }))
    ]])
    assert.equal("nil\tvalue.a: a userdata cannot be stored\n" .. '{"a":null}\t{}\t[1]\n'
      .. "nil\tvalue[1]: a userdata cannot be stored\n", output)
  end)

  it("does without lua-cjson", function()
    local output = helper.run([[
      package.preload.cjson = function() error("no cjson here") end
      local history = require("aish_history")
      print(history.encode({ history.null, {} }), package.loaded.cjson)
    ]])
    assert.equal("[null,[]]\tnil\n", output)
  end)
end)

describe("encode of what JSON cannot hold", function()
  helper.guard(before_each, after_each)

  it("names the path to a function", function()
    local f = function() end
    assert.equal("value: a function cannot be stored", refused(f))
    assert.equal("value: a function cannot be stored", refused(print))
    assert.equal("value.fn: a function cannot be stored", refused({ fn = f }))
    assert.equal("value[1]: a function cannot be stored", refused({ f }))
    assert.equal("value.calls[2].fn: a function cannot be stored", refused({ calls = { { id = 1 }, { fn = f } } }))
    assert.equal("value[3][1].a_b.c2: a function cannot be stored", refused({ 1, 2, { { a_b = { c2 = f } } } }))
  end)

  it("names a thread and a userdata", function()
    assert.equal("value.co: a thread cannot be stored", refused({ co = coroutine.create(function() end) }))
    assert.equal("value[1].file: a userdata cannot be stored", refused({ { file = io.stdout } }))
    assert.equal("value[1]: a userdata cannot be stored", refused({ newproxy() }))
  end)

  it("names a cdata that is no 64-bit integer", function()
    if not rawget(_G, "jit") then return pending("LuaJIT only") end
    local ffi = require("ffi")
    local spoof = ffi.metatype("struct { int64_t n; }", { __tostring = function() return "1LL" end })
    for _, value in ipairs({ ffi.new("void *"), ffi.new("int32_t", 1), ffi.new("int64_t[1]"), ffi.new("bool", true),
      ffi.new("complex", 1), spoof(1) }) do
      assert.equal("value.x: a cdata cannot be stored", refused({ x = value }))
    end
    has("value[cdata]: ", refused({ [ffi.new("int64_t", 1)] = 1 }))
  end)

  it("names a key that is there as a number and as a string", function()
    local message = "the number and the string are the same key"
    assert.equal("value[1]: " .. message, refused({ [1] = "a", ["1"] = "b", x = 1 }))
    assert.equal("value[1]: " .. message, refused({ "a", ["1"] = "b" }))
    assert.equal("value.q[1][-2.5]: " .. message, refused({ q = { { [-2.5] = 1, ["-2.5"] = 1 } } }))
    assert.equal("value[1e300]: " .. message, refused({ [1e300] = 1, ["1e300"] = 1 }))
    assert.equal("value[9007199254740992]: " .. message, refused({ [2 ^ 53] = 1, ["9007199254740992"] = false }))
    local text = encode({ [1] = "a", ["1.0"] = "b", ["01"] = "c", [" 1"] = "d", ["1e0"] = "e" })
    assert.same({ ["1"] = "a", ["1.0"] = "b", ["01"] = "c", [" 1"] = "d", ["1e0"] = "e" }, decode(text))
  end)

  it("names a key that is no identifier", function()
    assert.equal('value["a b"]: a function cannot be stored', refused({ ["a b"] = print }))
    assert.equal("value[2.5]: a function cannot be stored", refused({ [2.5] = print }))
    assert.equal("value[-1].x: a function cannot be stored", refused({ [-1] = { x = print } }))
    assert.equal("value[7]: a function cannot be stored", refused({ a = 1, [7] = print }))
    has("value", refused({ ["a\0b\n\255"] = print }))
    has("value", refused({ [""] = print }))
    has("value", refused({ [("k"):rep(100000)] = print }))
  end)

  it("names a key that is no string or number", function()
    for name, key in pairs({ boolean = true, table = {}, ["function"] = print, userdata = null }) do
      has("value.x", refused({ x = { [key] = 1 } }))
      has(name, refused({ x = { [key] = 1 } }))
      has(name, refused({ [key] = 1, a = 1, "b" }))
    end
    has("boolean", refused({ [false] = 1 }))
    has("value.x", refused({ x = { a = 1, [coroutine.create(function() end)] = 1 } }))
  end)

  it("names an infinite key", function()
    has("value.x", refused({ x = { [math.huge] = 1 } }))
    has("value.x", refused({ x = { [-math.huge] = 1 } }))
    has("inf", refused({ [math.huge] = 1 }))
  end)

  it("names the path to a cycle", function()
    local own = {}
    own.own = own
    has("value.own: ", refused(own))
    has("cycle", refused(own))
    local turn = { calls = { {}, {} } }
    turn.calls[2].turn = turn
    has("value.calls[2].turn: ", refused(turn))
    local array = {}
    array[1] = { array }
    has("value[1][1]: ", refused(array))
    local deep, inner = {}, {}
    local at = deep
    for _ = 1, 500 do
      at[1] = {}
      at = at[1]
    end
    at[1], inner.x = inner, inner
    has("cycle", refused(deep))
    has("[1].x: ", refused(deep))
  end)

  it("takes a table in many places for no cycle", function()
    local leaf = {}
    local value = { leaf, leaf }
    for _ = 1, 12 do value = { value, value } end
    local _, count = encode(value):gsub("%[%]", "")
    assert.equal(8192, count)
  end)
end)

describe("encode of 64-bit integers", function()
  helper.guard(before_each, after_each)

  it("writes those of LuaJIT's FFI to the last digit, wherever they stand", function()
    if not rawget(_G, "jit") then return pending("LuaJIT only") end
    local ffi = require("ffi")
    local int, uint = ffi.typeof("int64_t"), ffi.typeof("uint64_t")
    assert.equal("9007199254740993", encode(int(2 ^ 53) + 1))
    assert.equal("-9223372036854775808", encode(int(-2 ^ 63)))
    assert.equal("18446744073709551615", encode(uint(0) - 1))
    assert.equal("[0,-1,null,2]", encode({ int(0), int(-1), nil, uint(2) }))
    assert.equal('{"a":{"b":[9223372036854775807]}}', encode({ a = { b = { int(2 ^ 62) - 1 + int(2 ^ 62) } } }))
    assert.equal("7", encode(ffi.new("const uint64_t", 7)))
    assert.equal("9", encode(ffi.cast("int64_t &", ffi.new("int64_t[1]", 9))))
    assert.equal("5", encode(ffi.new("struct { int64_t n; }", 5).n))
  end)

  it("writes those of Lua 5.3 and later, and reads them, to the last digit", function()
    local kind = rawget(math, "type")
    if not kind then return pending("Lua 5.3 and later only") end
    for _, text in ipairs({ "9007199254740993", "-9223372036854775808", "9223372036854775807", "0", "-1" }) do
      assert.equal("integer", kind(decode(text)))
      assert.equal(text, encode(decode(text)))
      assert.same({ [text] = 1 }, decode(encode({ [decode(text)] = 1, x = null })))
    end
    assert.equal("float", kind(decode("9223372036854775808")))
    assert.equal("float", kind(decode("-0")))
  end)

  it("does without the FFI", function()
    if not rawget(_G, "jit") then return pending("LuaJIT only") end
    local output = helper.run([[
      local history, value = require("aish_history"), require("ffi").new("int64_t", 1)
      package.loaded.ffi = nil
      print(history.encode(value))
      package.loaded.ffi = { istype = function() return true end }
      print(history.encode({ value }))
    ]])
    assert.equal("nil\tvalue: a cdata cannot be stored\nnil\tvalue[1]: a cdata cannot be stored\n", output)
  end)
end)

describe("encode of nested tables", function()
  helper.guard(before_each, after_each)

  local function nested(levels, wrap, innermost)
    local value = innermost
    for _ = 1, levels do value = wrap(value) end
    return value
  end
  local function array(value) return { value } end
  local function member(value) return { a = value } end

  it("writes 1,000 levels", function()
    assert.equal(("["):rep(1000) .. ("]"):rep(1000), encode(nested(999, array, {})))
    assert.equal(("["):rep(1000) .. "1" .. ("]"):rep(1000), encode(nested(1000, array, 1)))
    assert.equal(('{"a":'):rep(1000) .. '"x"' .. ("}"):rep(1000), encode(nested(1000, member, "x")))
    local mixed = nested(500, function(value) return { { a = value } } end, null)
    assert.equal(('[{"a":'):rep(500) .. "null" .. ("}]"):rep(500), encode(mixed))
  end)

  it("refuses 1,001", function()
    for _, value in ipairs({ nested(1000, array, {}), nested(1001, array, 1), nested(1001, member, 1),
      nested(1000, member, {}), nested(100000, array, 1) }) do
      local message = refused(value)
      assert(message:find("^value[%[.]"), message)
      has("levels", message)
    end
  end)

  it("counts the levels around, not those passed", function()
    local half = nested(999, array, 1)
    local text = ("["):rep(999) .. "1" .. ("]"):rep(999)
    assert.equal("[" .. text .. "," .. text .. "]", encode({ half, half }))
  end)

  it("names the path at 900 levels", function()
    local message = refused(nested(900, array, print))
    assert.equal("value[1][1]", message:sub(1, 11))
    has("a function cannot be stored", message)
  end)
end)
