--- Days and hours of local time.
local times = require("aish_history.command.times")

local days = {}

-- Every offset from UTC is a multiple of a quarter of an hour: what is known of one serves all times in it.
local QUARTER = 900
local known = {}

--- The day and the hour of a stored time.
-- @param ts a text like 2026-01-02T10:15:03Z; anything else is no time
-- @treturn string the day, like 2026-01-02; nil where it is no time
-- @treturn number the hour, from 0 to 23
function days.of(ts)
  local seconds = times.seconds(ts)
  if not seconds then return nil end
  local quarter = math.floor(seconds / QUARTER)
  local text = known[quarter]
  if not text then
    text = os.date("%Y-%m-%d %H", quarter * QUARTER)
    known[quarter] = text
  end
  return text:sub(1, 10), tonumber(text:sub(12))
end

--- The noon of a day, so many days after it, in seconds since 1970.
function days.noon(day, after)
  local year, month, date = day:match("^(%d+)%-(%d+)%-(%d+)$")
  return os.time({ year = year, month = month, day = date + (after or 0), hour = 12 })
end

--- The Monday of a day's week.
function days.monday(day)
  local noon = days.noon(day)
  return os.date("%Y-%m-%d", days.noon(day, -((os.date("*t", noon).wday + 5) % 7)))
end

return days
