--- Memory files of every kind of line, made at random, and what is to be made of them.
local support = require("spec.support.memories")

local mixed = {}

-- Lines that are no object, and not the beginning of one either.
local damaged = {
  "garbage", "\0\0\0\0", "42", '"text"', "[1,2]", "true", "null", 'x{"id":1}x', "{id:1}", "{'id':1}", '{"id":1,}',
  '{"id":01}', "\255\254", '\1{"id":1}\1', '{"a":tru}', '{"a":"\t"}', "}", '{"id":1,"a":{}{', "-",
}

local blank = { "", " ", "\t", "\r", "  \r" }

-- Objects that are neither item nor tombstone; %d is an id. What verify says of them, if anything.
local others = {
  { '{"meta":{"aish_version":"phase4"}}' },
  { '{"kind":"note"}' },
  { "{}" },
  { '{"id":%d,"kind":"note","content":{"id":1,"kind":"fact"}}' },
  { '{"id":%d}' },
  { '{"id":0,"kind":"fact","content":"x"}', "bad id" },
  { '{"id":"7","kind":"fact","content":"x"}', "bad id" },
  { '{"id":null,"kind":"forget","target":1}', "bad id" },
  { '{"id":9007199254740992,"kind":"note"}', "bad id" },
  { '{"kind":"pref","content":"x"}', "no id" },
  { '{"kind":"forget","target":1}', "no id" },
  { '{"id":%d,"kind":"forget"}', "bad target" },
  { '{"id":%d,"kind":"forget","target":-1}', "bad target" },
}

-- The same item in several spellings.
local items = {
  '{"id":%d,"ts":"2026-01-02T03:04:05Z","kind":"fact","content":"content %d"}',
  '{"content":"content %2$d","id":%1$d,"kind":"pref","ts":"2026-01-02T03:04:06Z"}',
  ' { "id" : %d.0 , "kind":"context","content":"content %d\\u00e9\\/", "own":[1.50,1e2,-0,{"id":1}] } ',
  '{"id":%d,"ts":null,"kind":"fact","content":"content %d \195\169 \255","tags":["a","b"],"source":"s"}\r',
}

local function pick(random, list)
  return list[random(#list)]
end

local function spell(form, id, number)
  if form:find("%1$d", 1, true) then return (form:gsub("%%2%$d", number):gsub("%%1%$d", id)) end
  return (form:gsub("%%d", id, 1):gsub("%%d", number))
end

local function make_line(random, number, next_id)
  local id = random(8) == 1 and random(next_id) or next_id
  local choice = random(100)
  if choice <= 55 then
    return { class = "item", text = spell(pick(random, items), id, number), id = id }
  elseif choice <= 72 then
    local target = random(next_id)
    return { class = "tombstone", text = support.tombstone(id, target):sub(1, -2), id = id, target = target }
  elseif choice <= 84 then
    local form = pick(random, others)
    local has_id = form[1]:find("%d", 1, true)
    return { class = "other", text = spell(form[1], id, number), id = has_id and id, problem = form[2] }
  elseif choice <= 90 then
    return { class = "damaged", text = pick(random, damaged) }
  elseif choice <= 95 then
    local whole = support.item(id):sub(1, -2)
    return { class = "torn", text = whole:sub(1, random(#whole - 1)), problem = "torn" }
  end
  return { class = "blank", text = pick(random, blank) }
end

--- Up to `most` lines: `class` (item, tombstone, other, damaged, torn, blank), `text`, `id`, `target`,
-- `offset`, and `problem`, which verify names. The second result is the file's bytes; its last line may
-- lack the newline.
function mixed.make(random, most)
  local lines, texts, next_id, offset = {}, {}, 1, 0
  for number = 1, random(most) do
    local line = make_line(random, number, next_id)
    if line.id then next_id = math.max(next_id, line.id) + random(2) - (line.id == next_id and 0 or 1) end
    line.offset = offset
    offset = offset + #line.text + 1
    lines[number], texts[number] = line, line.text .. "\n"
  end
  local bytes = table.concat(texts)
  if random(3) == 1 and lines[#lines].text ~= "" then bytes = bytes:sub(1, -2) end
  return lines, bytes
end

--- What the lines come to: `forgotten`, the targets; `highest`, the highest id, and `highest_ours`, that
-- of items and tombstones.
function mixed.sum(lines)
  local sum = { forgotten = {}, highest = 0, highest_ours = 0 }
  for _, line in ipairs(lines) do
    if line.id then sum.highest = math.max(sum.highest, line.id) end
    if line.class == "item" or line.class == "tombstone" then sum.highest_ours = math.max(sum.highest_ours, line.id) end
    if line.class == "tombstone" and line.id ~= line.target then sum.forgotten[line.target] = true end
  end
  return sum
end

return mixed
