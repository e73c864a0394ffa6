--- Days and hours of local time.
local times = require("aish_history.command.times")

local days = {}

-- Every offset from UTC is a multiple of a quarter of an hour: what is known of one serves all times in it.
local QUARTER = 900
local known = {}

--- A time in seconds since 1970 as a day, whose year has four digits whatever it is, and an hour.
local function split(seconds)
  local date = os.date("*t", seconds)
  return { ("%04d-%02d-%02d"):format(date.year, date.month, date.day), date.hour }
end

--- The day and the hour of a stored time.
-- @param ts a text like 2026-01-02T10:15:03Z; anything else is no time
-- @treturn string the day, like 2026-01-02; nil where it is no time
-- @treturn number the hour, from 0 to 23
function days.of(ts)
  local seconds = times.seconds(ts)
  if not seconds then return nil end
  local quarter = math.floor(seconds / QUARTER)
  known[quarter] = known[quarter] or split(quarter * QUARTER)
  return known[quarter][1], known[quarter][2]
end

--- The noon of the day that is so many days after another, in seconds since 1970.
local function noon(day, count)
  local year, month, date = day:match("^(%d+)%-(%d+)%-(%d+)$")
  return os.time({ year = year, month = month, day = date + count, hour = 12 })
end

--- The day that is so many days after another.
function days.after(day, count) return split(noon(day, count))[1] end

--- The Monday of a day's week.
function days.monday(day)
  return days.after(day, -((os.date("*t", noon(day, 0)).wday + 5) % 7))
end

--- The name of a day's month, in three letters.
function days.month(day) return os.date("%b", noon(day, 0)) end

--- This day.
function days.today() return split(os.time())[1] end

return days
