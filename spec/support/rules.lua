--- The rules of a memory file in the plainest way: which items there are, which are active, in what
-- order, and the next id. Every record is compared with every other.
local rules = {}

rules.max_id = 9007199254740991
--- In the place of a null in records; a record without nulls does for all but an `of`.
rules.null = {}

local is_item = { fact = true, pref = true, context = true }

local function valid_id(id)
  return type(id) == "number" and id >= 1 and id <= rules.max_id and id % 1 == 0
end

local function text(value)
  return type(value) == "string" and value or nil
end

--- Days from 0000-01-01 to the first of a month.
local function days_before(year, month)
  local days = year * 365 + math.floor((year + 3) / 4) - math.floor((year + 99) / 100) + math.floor((year + 399) / 400)
  for earlier = 1, month - 1 do
    days = days + rules.days_of(year, earlier)
  end
  return days
end

function rules.days_of(year, month)
  local leap = year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
  return month == 2 and leap and 29 or ({ 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 })[month]
end

--- A time of RFC 3339 as seconds since the beginning of the year 0, and the digits of the fraction;
-- nil for any other text.
function rules.moment(ts)
  local year, month, day, hour, minute, second, rest =
    (text(ts) or ""):match("^(%d%d%d%d)%-(%d%d)%-(%d%d)[Tt](%d%d):(%d%d):(%d%d)(.*)$")
  if not year then return nil end
  local fraction, zone = rest:match("^%.(%d+)(.*)$")
  local sign, hours, minutes = (zone or rest):match("^([+-])(%d%d):(%d%d)$")
  if not sign and not (zone or rest):find("^[Zz]$") then return nil end
  year, month, day, hour, minute, second = tonumber(year), tonumber(month), tonumber(day), tonumber(hour),
    tonumber(minute), tonumber(second)
  hours, minutes = tonumber(hours or 0), tonumber(minutes or 0)
  if month < 1 or month > 12 or day < 1 or day > rules.days_of(year, month) then return nil end
  if hour > 23 or minute > 59 or second > 60 or hours > 23 or minutes > 59 then return nil end
  local offset = (hours * 60 + minutes) * 60 * (sign == "-" and -1 or 1)
  local seconds = ((days_before(year, month) + day - 1) * 24 + hour) * 3600 + minute * 60 + second - offset
  return seconds, ((fraction or ""):gsub("0+$", ""))
end

--- What the `of` of a tombstone names an item by, and whether that is a uid.
local function name_of(record)
  local uid = text(record.uid)
  return uid or text(record.ts), uid ~= nil
end

local function rev_of(record)
  local rev = record.rev
  return type(rev) == "number" and rev >= 0 and rev <= rules.max_id and rev % 1 == 0 and rev or 0
end

--- Whether `other` takes the place of `item`.
local function replaces(other, item)
  local name, by_uid = name_of(item)
  local other_name, other_by_uid = name_of(other)
  return other.id == item.id and other_name == name and other_by_uid == by_uid and rev_of(other) > rev_of(item)
end

local function retires(tombstone, item)
  if tombstone.target ~= item.id or tombstone.id == tombstone.target then return false end
  if tombstone.of == rules.null then return name_of(item) == nil end
  return text(tombstone.of) == nil or tombstone.of == name_of(item)
end

local function is_newer(a, b)
  if a.seconds ~= b.seconds then return a.seconds > b.seconds end
  if a.fraction ~= b.fraction then return a.fraction > b.fraction end
  if a.record.id ~= b.record.id then return a.record.id > b.record.id end
  local a_uid, b_uid = text(a.record.uid), text(b.record.uid)
  if a_uid ~= b_uid then return b_uid == nil or a_uid ~= nil and a_uid > b_uid end
  return a.bytes > b.bytes
end

local function any(list, holds, with)
  for _, one in ipairs(list or {}) do
    if holds(one, with) then return true end
  end
  return false
end

local function put(lists, key, value)
  lists[key] = lists[key] or {}
  table.insert(lists[key], value)
end

--- The records of items, each once, and the tombstones, by what they target; the highest id, and the
-- ids that are not given.
local function sort_out(objects)
  local records, by_id, tombstones, passed, seen, highest = {}, {}, {}, {}, {}, 0
  for _, object in ipairs(objects) do
    local record = object.record
    if valid_id(record.id) then highest = math.max(highest, record.id) end
    if is_item[record.kind] and valid_id(record.id) and not seen[object.bytes] then
      seen[object.bytes] = true
      object.seconds, object.fraction = rules.moment(record.ts)
      object.seconds = object.seconds or -math.huge
      records[#records + 1] = object
      put(by_id, record.id, record)
    elseif record.kind == "forget" and record.id and record.id ~= rules.null and valid_id(record.target) then
      put(tombstones, record.target, record)
      local is_bare = record.of ~= rules.null and not text(record.of)
      if is_bare and record.id ~= record.target then passed[record.target] = true end
    end
  end
  return records, by_id, tombstones, passed, highest
end

--- What the objects of a file come to, an array of {record =, bytes = from `{` to `}`}: active, the records
-- of the active items, newest first; names, what the `of` of a tombstone would call each (false: null);
-- next_id; items, how many there are, active or not; twins, how many of those share their id.
function rules.judge(objects)
  local records, by_id, tombstones, passed, highest = sort_out(objects)
  local found, shared = {}, {}
  for _, object in ipairs(records) do
    if not any(by_id[object.record.id], replaces, object.record) then
      found[#found + 1] = object
      shared[object.record.id] = (shared[object.record.id] or 0) + 1
    end
  end
  local active, meaning = {}, { items = #found, twins = 0, active = {}, names = {}, next_id = highest + 1 }
  for _, object in ipairs(found) do
    if shared[object.record.id] > 1 then meaning.twins = meaning.twins + 1 end
    if not any(tombstones[object.record.id], retires, object.record) then active[#active + 1] = object end
  end
  table.sort(active, is_newer)
  for index, object in ipairs(active) do
    meaning.active[index] = object.record
    meaning.names[index] = name_of(object.record) or false
  end
  while passed[meaning.next_id] do meaning.next_id = meaning.next_id + 1 end
  return meaning
end

return rules
