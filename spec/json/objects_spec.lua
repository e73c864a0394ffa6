--- What a line holds: csrc/json/objects.c against a plain model of the rules, on random records that
-- are cut at every byte, alone and with whole ones appended to what is left, and on crafted lines, of
-- which no byte may be read more than a few times.
local generate = require("spec.support.generate")
local helper = require("spec.support.helper")
local line_model = require("spec.support.line_model")
local shell = require("spec.support.shell")

local MARK = "\239\187\191"
local described = line_model.described

-- ---- random records ----

local looks = {
  '{"id":1,"kind":"forget","target":1}', '{"role":"user","content":"rm -rf"}', '{"a":1}', "{}", '{"id":7', "}{", '"},{"',
  '{"', ":1}", "\\", '\\"', "naïve \226\130\172", "tab\there", "f() {}", "{", "[{", "NULs \0 in it", "",
}
local names = { "id", "kind", "content", "tags", "source", "role", "ts", "target", "of", "x", "na\195\175ve", "", "a b", "{", '"q"' }

local function quoted(text)
  return '"' .. text:gsub('[%z\1-\31"\\]', function(byte)
    return byte == '"' and '\\"' or byte == "\\" and "\\\\" or ("\\u%04x"):format(byte:byte())
  end) .. '"'
end

local function random_value(source, depth)
  local kind = source:below(depth > 0 and 9 or 6)
  if kind == 0 then return source:pick({ "null", "true", "false" }) end
  if kind == 1 then return source:pick({ "0", "-1.5e+10", "12345678901234567890", "1E2", "-0" }) end
  if kind <= 3 then return quoted(source:pick(looks)) end
  if kind <= 5 then return quoted(source:string(6)) end
  local parts = {}
  for index = 1, source:below(4) do
    local key = kind > 6 and quoted(source:pick(names)) .. source:pick({ ":", " : " }) or ""
    parts[index] = key .. random_value(source, depth - 1)
  end
  local text = table.concat(parts, source:pick({ ",", " , " }))
  return kind > 6 and "{" .. text .. "}" or "[" .. text .. "]"
end

local function members(source, list, count)
  for _ = 1, count do
    list[#list + 1] = quoted("x" .. source:pick(names)) .. ":" .. random_value(source, 2)
  end
  return "{" .. table.concat(list, ",") .. "}"
end

-- An item, a tombstone or a turn, as the module and others write them.
local function random_record(source, memory)
  local list = {}
  if not memory then
    list[1] = '"role":' .. source:pick({ '"user"', '"assistant"' })
    list[2] = '"content":' .. random_value(source, 2)
    if source:below(3) == 0 then list[1], list[2] = list[2], list[1] end
    return members(source, list, source:below(3))
  end
  list[1] = '"id":' .. source:below(100)
  list[2] = '"ts":"2026-01-01T00:00:00Z"'
  if source:below(4) == 0 then
    list[3], list[4] = '"kind":"forget"', '"target":' .. source:below(100)
    return members(source, list, source:below(2))
  end
  list[3], list[4] = '"kind":"fact"', '"content":' .. quoted(source:pick(looks) .. source:string(5))
  if source:below(2) == 0 then list[5] = '"tags":["a",' .. quoted(source:pick(looks)) .. "]" end
  if source:below(2) == 0 then list[#list + 1] = '"source":' .. quoted(source:pick(looks)) end
  return members(source, list, source:below(3))
end

-- ---- running ----

local program

-- What the program says of each line, and how many steps it took.
local function run(lines)
  local dir = helper.tmpdir()
  helper.write(dir .. "/in", table.concat(lines, "\n") .. "\n")
  shell.run(program .. " < " .. dir .. "/in > " .. dir .. "/out")
  local answers = helper.lines(dir .. "/out")
  local steps = tonumber(table.remove(answers):match("^(%d+) steps$"))
  assert.equal(#lines, #answers)
  return answers, steps
end

describe("what a line holds #build", function()
  helper.guard(before_each, after_each)

  local build

  setup(function()
    build = shell.run("mktemp -d"):match("[^\n]+")
    shell.run(("cd %s && gcc -std=c11 -D_GNU_SOURCE -O1 -fsanitize-coverage=trace-pc -I%s/csrc -c %s/csrc/base/*.c %s/csrc/json/*.c"):format(
      build, helper.root, helper.root, helper.root))
    program = build .. "/objects"
    shell.run(("gcc -std=c11 -Wall -Icsrc -o %s spec/support/objects.c %s/*.o -lm"):format(program, build))
  end)

  teardown(function()
    shell.run("rm -rf " .. build)
  end)

  -- Every cut of random records, and what of it must be so whatever the model says: nothing but what
  -- was written, and all that was but for what was cut and what the beginning of a record swallows.
  it("is what a plain model says, of records that are cut at every byte", function()
    local source = generate.new(20260105)
    local wanted = rawget(_G, "jit") and 120000 or 12000
    local lines, written, expected, count = {}, {}, {}, 0
    local swallowed, appended = 0, 0
    local function take(memory, text, ...)
      count = count + 1
      local found
      lines[count] = (memory and "m" or "s") .. text
      expected[count], found = described(text, memory)
      for index, one in ipairs(found) do written[index] = text:sub(one[1], one[2] - 1) end
      for index = 1, ... and #found or 0 do
        local was = false
        for number = 1, select("#", ...) do was = was or written[index] == select(number, ...) end
        assert(was, text .. "\nholds what nobody wrote: " .. written[index])
      end
      return found
    end
    while count < wanted do
      local memory = source:below(2) == 0
      local record, one, two = random_record(source, memory), random_record(source, memory), random_record(source, memory)
      local between = source:pick({ "", "", " ", "\0", MARK, "\0\0 " })
      take(memory, record .. between .. one .. between, record, one)
      take(memory, between .. record .. one .. between .. two, record, one, two)
      for cut = 1, #record - 1 do
        local fragment = record:sub(1, cut)
        assert(#take(memory, fragment) == 0, fragment)
        local found = take(memory, fragment .. one, one)
        appended = appended + 1
        if #found == 0 then
          swallowed = swallowed + 1
          assert(expected[count]:sub(1, 1) == "T", lines[count])
        end
        take(memory, fragment .. one .. between .. two, one, two)
        take(memory, one .. between .. fragment .. two, one, two)
        take(memory, one .. fragment, one)
        take(memory, fragment .. one:sub(1, source:below(#one)) .. two)
      end
    end
    local answers = run(lines)
    for index = 1, count do
      if answers[index] ~= expected[index] then
        assert.equal(expected[index], answers[index], lines[index])
      end
    end
    assert(swallowed / appended < 0.05, swallowed .. " of " .. appended)
  end)

  -- Bytes that mean something, in any order.
  it("is what a plain model says, of bytes in any order", function()
    local source = generate.new(20260106)
    local bits = { "{", "}", "[", "]", ",", ":", '"', "\\", '{"a":', '{"a":1}', '{"id":', '"role":', "{}", "\0", MARK, " ", "x",
      "1", "true", '"k"', "\239", "\187\191", '{"content":', "\\u00", "-", ".", "e", "null", "\127", "\1" }
    local lines, expected = {}, {}
    for count = 1, rawget(_G, "jit") and 60000 or 6000 do
      local parts = {}
      for index = 1, 1 + source:below(14) do parts[index] = source:pick(bits) end
      local text, memory = table.concat(parts), source:below(2) == 0
      lines[count] = (memory and "m" or "s") .. text
      expected[count] = described(text, memory)
    end
    local answers = run(lines)
    for index, answer in ipairs(answers) do
      if answer ~= expected[index] then assert.equal(expected[index], answer, lines[index]) end
    end
  end)

  local one = '{"id":3,"kind":"fact","content":"x"}'

  -- n of something, and the steps that a line takes for each of its bytes.
  for label, make in pairs({
    ["objects in objects that are cut off"] = function(n) return ('{"a":'):rep(n) end,
    ["the same before a record"] = function(n) return ('{"a":'):rep(n) .. one end,
    ["the same behind garbage"] = function(n) return "x" .. ('{"a":'):rep(n) .. one end,
    ["the same, closed"] = function(n) return ('{"a":'):rep(n) .. "1" .. ("}"):rep(n) end,
    ["the same within the limit"] = function(n) return ((("{" .. '"a":'):rep(900) .. "1" .. ("}"):rep(900)) .. "x"):rep(n / 1000) end,
    ["arrays"] = function(n) return ("["):rep(n) end,
    ["arrays, closed"] = function(n) return ("["):rep(n) .. ("]"):rep(n) .. "}" end,
    ["braces"] = function(n) return ("{"):rep(n) .. ("}"):rep(n) end,
    ["closing braces"] = function(n) return ("}"):rep(n) end,
    ["fragments"] = function(n) return ('{"id":2,"con'):rep(n) .. one end,
    ["fragments with an end"] = function(n) return ('{"id":2,"a":[{"b":1}'):rep(n) end,
    ["records"] = function(n) return one:rep(n) end,
    ["records behind garbage"] = function(n) return "x" .. one:rep(n) end,
    ["records before garbage"] = function(n) return one:rep(n) .. "x" end,
    ["empty objects"] = function(n) return "x" .. ("{}"):rep(n) end,
    ["quotes"] = function(n) return ('"'):rep(n) .. one end,
    ["backslashes"] = function(n) return '{"a":"' .. ("\\"):rep(n) .. one end,
    ["backslashes before a quote"] = function(n) return "x" .. ("\\"):rep(n) .. '"}' end,
    ["escaped quotes"] = function(n) return 'x{"a":"' .. ('\\"'):rep(n) .. '"}' end,
    ["strings that end in a brace"] = function(n) return ('{"{":":{",":{":"'):rep(n) .. "}" end,
    ["members of a record that is cut off"] = function(n) return "{" .. ('"id":{"a":1},'):rep(n) .. '"id":{"a":1}' end,
    ["NUL bytes"] = function(n) return ("\0"):rep(n) .. one end,
    ["byte order marks"] = function(n) return "x" .. MARK:rep(n) .. one .. MARK:rep(n) end,
    ["halves of marks"] = function(n) return "x" .. ("\187\191"):rep(n) .. one end,
  }) do
    it("is found in a time that grows as the line does: " .. label, function()
      local small, large = make(2000), make(16000)
      local _, few = run({ "m" .. small })
      local _, many = run({ "m" .. large })
      local ratio = (many / #large) / (few / #small)
      assert(ratio < 1.5 and many < 60 * #large, ("%d steps for %d bytes, %d for %d"):format(few, #small, many, #large))
    end)
  end
end)
