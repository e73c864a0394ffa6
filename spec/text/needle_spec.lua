--- Words in raw lines, however each of their letters is written there.
local assert = require("luassert")
local cases = require("spec.support.cases")
local helper = require("spec.support.helper")
local native = require("aish_history")
local support = require("spec.support.recall")

-- Marks that are left out behind a Latin letter, whatever script they are of.
local MARKS = { "\204\129", "\204\184", "\205\133", "\210\131", "\220\176", "\214\176", "\240\157\133\165" }

-- What each letter of ASCII may be written as.
local function spellings()
  local classes, reason = support.same_characters()
  if not classes then return nil, reason end
  local found = {}
  for byte = ("a"):byte(), ("z"):byte() do found[string.char(byte)] = { string.char(byte), string.char(byte):upper() } end
  for _, class in ipairs(classes) do
    for _, member in ipairs(class) do
      if found[member] then found[member] = class end
    end
  end
  return found
end

local function code_of(character)
  local lead = character:byte()
  local code = lead < 0x80 and lead or lead < 0xe0 and lead % 32 or lead < 0xf0 and lead % 16 or lead % 8
  for place = 2, #character do code = code * 64 + character:byte(place) % 64 end
  return code
end

-- The same as an escape, or, of its bytes, as what stands for those.
local function escaped(character)
  local code = code_of(character)
  if code < 0x10000 then return ("\\u%04x"):format(code) end
  return ("\\u%04X\\u%04x"):format(0xd800 + math.floor((code - 0x10000) / 1024), 0xdc00 + code % 1024)
end

local function as_bytes(character)
  return (character:gsub("[\128-\255]", function(byte) return ("\\udc%02x"):format(byte:byte()) end))
end

local function half_as_bytes(character)
  return #character == 1 and character or character:sub(1, 1) .. as_bytes(character:sub(2))
end

-- How most letters are written, and any of the ways in which a few may be.
local function spell(random, letters, word)
  local ways, out = { escaped, as_bytes, half_as_bytes, tostring, tostring }, {}
  for letter in word:gmatch(".") do
    local class = letters[letter]
    if random(1, 3) > 1 then out[#out + 1] = random(1, 2) == 1 and letter or letter:upper()
    else
      -- A class has its characters as they are, and as a letter and its marks.
      for character in class[random(1, #class)]:gmatch("[%z\1-\127\194-\244][\128-\191]*") do
        out[#out + 1] = ways[random(1, #ways)](character)
      end
    end
    if random(1, 6) == 1 then out[#out + 1] = ways[random(1, #ways)](MARKS[random(1, #MARKS)]) end
  end
  return table.concat(out)
end

local AROUND = { "", ".", "a", "\195\169", "\\n", "\\u00e9", "\230\151\165", "\240\159\152\128", "\\ud83d\\udca1", "the ", "\255", "\195" }

local function surroundings(random)
  local out = {}
  for place = 1, random(1, 40) do out[place] = AROUND[random(1, #AROUND)] end
  return table.concat(out) .. "\\t"
end

describe("a word in raw lines", function()
  helper.guard(before_each, after_each)

  it("is found however each of its letters is written, and whatever stands beside it", function()
    local letters, reason = spellings()
    if not letters then return pending(reason) end
    local random = cases.random(20271)
    for _ = 1, 120 do
      local word, lines = {}, {}
      for place = 1, random(1, 9) do word[place] = string.char(("a"):byte() + random(1, 26) - 1) end
      word = table.concat(word)
      for line = 1, 40 do
        lines[line] = ('{"role":"user","content":"%s%s\\t%s"}\n'):format(surroundings(random), spell(random, letters, word), surroundings(random))
      end
      local path = helper.write(helper.tmpdir() .. "/s.jsonl", table.concat(lines))
      local found = {}
      for _, hit in ipairs(native.search(path, word, { limit = 100 })) do found[hit.line] = true end
      for line = 1, 40 do assert(found[line], word .. " in " .. lines[line]) end
    end
  end)

  it("is found of each character that folds to a letter of it, alone and in a word", function()
    local letters, reason = spellings()
    if not letters then return pending(reason) end
    for letter, class in pairs(letters) do
      local lines = {}
      for _, character in ipairs(class) do
        for _, way in ipairs({ tostring, function(text) return (text:gsub("[%z\1-\127\194-\244][\128-\191]*", escaped)) end }) do
          lines[#lines + 1] = ('{"c":"%s"}\n{"c":"x%sz"}\n'):format(way(character), way(character))
        end
      end
      local path = helper.write(helper.tmpdir() .. "/s.jsonl", table.concat(lines))
      assert.equal(2 * #lines, #native.search(path, letter, { limit = 1e6, exact = true }), letter)
      assert.equal(#lines, #native.search(path, "x" .. letter .. "z", { limit = 1e6 }), letter)
    end
  end)

  it("is not passed over in any width of lanes, at any place, nor is a text to the byte", function()
    local program = helper.tmpdir() .. "/needle"
    support.output(("cd %s && ${CC:-cc} -std=c11 -O1 -Icsrc -o %s spec/support/needle.c csrc/text/fold.c csrc/base/*.c -lm -lpthread")
      :format(helper.quote(helper.root), helper.quote(program)))
    for seed = 1, 2 do
      assert.matches("^100000 texts, 16", support.output(("exec 2>&1; %s %d"):format(helper.quote(program), seed)))
    end
  end)
end)
