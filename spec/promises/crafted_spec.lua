--- Files that were made to be slow: what reading them, adding to them and searching them takes grows
-- with their size as sorting does, not with its square. Counted in instructions, by callgrind: a file of
-- four times the size takes little more than four times as many, where a quadratic way takes sixteen.
local assert = require("luassert")
local helper = require("spec.support.helper")
local instructions = require("spec.support.instructions")
local recall = require("spec.support.recall")
local support = require("spec.support.memories")

local SMALL, LARGE = 1500, 6000

local function uid_item(id, number)
  return ('{"id":%d,"uid":"%08d","ts":"2026-01-02T03:04:05Z","kind":"fact","content":"x"}\n'):format(id, number)
end

local function named_tombstone(id, target, number)
  return ('{"id":%d,"ts":"2026-01-02T03:04:05Z","kind":"forget","target":%d,"of":"%08d"}\n'):format(id, target, number)
end

local function lines(count, line)
  local all = {}
  for index = 1, count do all[index] = line(index) end
  return table.concat(all)
end

-- Words of seven letters that end in the same 20 bits of FNV-1a, a hash that has no key.
local function colliding_words(count)
  local SIZE, FACTOR = 2 ^ 20, 16777619 % 2 ^ 20
  local function xor(hash, byte)
    local result, low = 0, hash % 256
    for bit = 0, 7 do
      local a, b = math.floor(low / 2 ^ bit) % 2, math.floor(byte / 2 ^ bit) % 2
      if a ~= b then result = result + 2 ^ bit end
    end
    return hash - low + result
  end
  local inverse = 1 -- of the factor, by Newton's way
  for _ = 1, 5 do inverse = inverse * (2 - FACTOR * inverse % SIZE) % SIZE end
  local heads = { [2166136261 % SIZE] = { "" } }
  for _ = 1, 3 do
    local longer = {}
    for hash, texts in pairs(heads) do
      for byte = 97, 122 do
        local next_hash = xor(hash, byte) * FACTOR % SIZE
        longer[next_hash] = longer[next_hash] or {}
        for _, text in ipairs(texts) do table.insert(longer[next_hash], text .. string.char(byte)) end
      end
    end
    heads = longer
  end
  local words = {}
  local function go_back(hash, tail)
    if #tail == 4 then
      for _, head in ipairs(heads[hash] or {}) do words[#words + 1] = head .. tail end
      return
    end
    for byte = 97, 122 do
      if #words >= count then return end
      go_back(xor(hash * inverse % SIZE, byte), string.char(byte) .. tail)
    end
  end
  go_back(12345, "")
  return words
end

local open = [[
  local memory = assert(require("aish_history").open((...), { sync = "none" }))
  assert(#memory >= 0)
  for round = 1, 3 do assert(memory:add("fact", "added") and #memory > 0) end
  memory:close()
]]

local search = [[
  local memory = assert(require("aish_history").open((...), { sync = "none" }))
  assert(memory:search("nothing"))
  memory:close()
]]

local unique = [[
  local memory = assert(require("aish_history").open((...), { sync = "none", unique = true }))
  assert(memory:add("fact", "added"))
  memory:close()
]]

local compact = [[assert(require("aish_history").compact((...)))]]

-- The beginning of a record, and on the same line a whole one.
local function glued(record)
  return '{"id":1,"ts":"2026-01-02T03:04:05Z","kind":"fact","content":"cut' .. record
end

local crafted = {
  ["damaged lines with records whose ids fall, compacted"] = { compact, function(count)
    return lines(count, function(index) return glued(uid_item(1 + count - index, index)) end)
  end },
  ["as many tombstones as damaged lines with an item each"] = { open, function(count)
    return lines(count, function(index) return glued(uid_item(index, index)) end)
      .. lines(count, function(index) return named_tombstone(count + index, 1 + count - index, 0) end)
  end },
  ["the same, compacted"] = { compact, function(count)
    return lines(count, function(index) return glued(uid_item(index, index)) end)
      .. lines(count, function(index) return named_tombstone(count + index, 1 + count - index, 0) end)
  end },
  ["tombstones of the ids that are next, falling"] = { open, function(count)
    return support.item(1) .. lines(count, function(index) return support.tombstone(2, 2 + count - index) end)
  end },
  ["items and tombstones of one id, none of which names one"] = { open, function(count)
    return lines(count, function(index) return uid_item(1, index) .. named_tombstone(3, 1, 50000000 + index) end)
  end },
  ["items and tombstones of one id, all forgotten"] = { open, function(count)
    return lines(count, function(index) return uid_item(1, index) .. named_tombstone(3, 1, count - index) end)
  end },
  ["items and tombstones of one id, compacted"] = { compact, function(count)
    return lines(count, function(index) return uid_item(1, index) .. named_tombstone(3, 1, 50000000 + index) end)
  end },
  ["items and tombstones of one id without `of`"] = { open, function(count)
    return lines(count, function(index) return uid_item(1, index) .. support.tombstone(3, 1) end)
  end },
  ["one item and tombstones of it"] = { open, function(count)
    return uid_item(1, 1) .. lines(count, function(index) return named_tombstone(3, 1, index + 1) end)
  end },
  ["copies of one item"] = { open, function(count)
    return lines(count, function() return uid_item(1, 1) end)
  end },
  ["an item's rising `rev`s"] = { open, function(count)
    return lines(count, function(index) return ('{"id":1,"uid":"a","kind":"fact","content":"x","rev":%d}\n'):format(index) end)
  end },
  ["ids that fall"] = { open, function(count)
    return lines(count, function(index) return uid_item(1 + count - index, index) end)
  end },
  ["times of other forms that fall"] = { open:gsub("#memory >= 0", "memory:items{limit = 1}"), function(count)
    return lines(count, function(index) return support.item(index, "x", ("2026-01-02T03:04:05.%06dZ"):format(count - index)) end)
  end },
  ["items of one content"] = { unique, function(count)
    return lines(count, function(index) return support.item(index, "same") end)
  end },
  ["words that collide in FNV-1a"] = { search, function(count)
    local words = colliding_words(count)
    assert(#words >= count)
    return lines(count, function(index) return support.item(index, words[index]) end)
  end },
}

-- Counted once, in the plain build: see the tag in spec/run/suites.
describe("a file made to be slow #build", function()
  helper.guard(before_each, after_each)

  local starts = {} -- what a code takes where there are no lines

  for label, case in pairs(crafted) do
    it("is not: " .. label, function()
      if not recall.has("valgrind") then return pending("valgrind is not here") end
      local code, make = case[1], case[2]
      local function cost(count)
        return assert(instructions(code, helper.write(helper.tmpdir() .. "/memory.jsonl", support.meta .. make(count))))
      end
      starts[code] = starts[code] or cost(0)
      local small, large = cost(SMALL) - starts[code], cost(LARGE) - starts[code]
      assert(large < 6 * small, ("%.0f and %.0f instructions a line"):format(small / SMALL, large / LARGE))
    end)
  end
end)
