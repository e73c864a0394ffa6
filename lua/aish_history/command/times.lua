--- Times as people write and read them: in local time. What the history stores is UTC.
local times = {}

local SECONDS = { s = 1, m = 60, h = 3600, d = 86400, w = 7 * 86400, y = 365 * 86400 }

-- The beginning of the day that is so many days before today.
local function day(back)
  local now = os.date("*t")
  return os.time({ year = now.year, month = now.month, day = now.day - back, hour = 0 })
end

-- `2026-01-02`, `2026-01-02 10:15` or `2026-01-02 10:15:03` in local time; nil where it is none.
local function local_time(text)
  local year, month, date, rest = text:match("^(%d%d%d%d)%-(%d%d)%-(%d%d)(.*)$")
  if not year then return nil end
  local hour, minute, second = rest:match("^[T ](%d%d):(%d%d):?(%d*)$")
  if rest ~= "" and not hour then return nil end
  local wanted = { year = tonumber(year), month = tonumber(month), day = tonumber(date), hour = tonumber(hour) or 0,
    min = tonumber(minute) or 0, sec = tonumber(second) or 0 }
  local at = os.time(wanted)
  return at and os.date("%Y-%m-%d", at) == text:sub(1, 10) and at or nil
end

--- What `since` and `before` of the module take, for a time as people write it: `7d`, `2h` (also s, m, w,
-- y) ago, `now`, `today`, `yesterday`, a local date, with or without a time, or a time with its offset.
-- To be given to argparse as what converts an argument.
-- @treturn number seconds since 1970, or the text of a time with an offset; nil, message
function times.parse(text)
  local count, unit = text:match("^(%d+)([smhdwy])$")
  if count then return os.time() - tonumber(count) * SECONDS[unit] end
  if text == "now" then return os.time() end
  if text == "today" then return day(0) end
  if text == "yesterday" then return day(1) end
  if times.seconds(text) then return text end
  local at = local_time(text)
  if at then return at end
  return nil, ("'%s' is no time; write it like 7d, 2h, today, yesterday, 2026-01-02 or '2026-01-02 10:15'"):format(text)
end

-- Days from 1970-01-01 to a date of the Gregorian calendar.
local function days(year, month, date)
  if month <= 2 then year, month = year - 1, month + 12 end
  return 365 * year + math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
    + math.floor((153 * month - 457) / 5) + date - 719469
end

--- The seconds since 1970 of a stored time, which has an offset or a Z; nil where it is no such time.
function times.seconds(text)
  if type(text) ~= "string" then return nil end
  local year, month, date, hour, minute, second, rest =
    text:match("^(%d%d%d%d)%-(%d%d)%-(%d%d)[Tt ](%d%d):(%d%d):(%d%d)%.?%d*(.*)$")
  if not year then return nil end
  local sign, hours, minutes = rest:match("^([+-])(%d%d):(%d%d)$")
  if not sign and rest:upper() ~= "Z" then return nil end
  local offset = sign and (tonumber(hours) * 60 + tonumber(minutes)) * (sign == "-" and -60 or 60) or 0
  return days(tonumber(year), tonumber(month), tonumber(date)) * 86400 + tonumber(hour) * 3600
    + tonumber(minute) * 60 + tonumber(second) - offset
end

--- A time in local time, to the minute: of seconds since 1970, or of a stored text; "" for what is none.
function times.show(time)
  local seconds = type(time) == "number" and time or times.seconds(time)
  return seconds and os.date("%Y-%m-%d %H:%M", seconds) or ""
end

return times
