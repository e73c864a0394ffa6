--- Charts of blocks for a terminal, none wider than it: a calendar, bars, and bars of the day's hours.
local aish_history = require("aish_history")
local days = require("aish_history.command.days")

local charts = {}

local function write_title(context, title, counts)
  local sum = 0
  for _, count in pairs(counts) do sum = sum + (type(count) == "table" and count[2] or count) end
  context.out:write("\n", context:paint("bold", title), "  ", context:paint("dim", ("%d"):format(sum)), "\n")
end

--- Writes a line in a colour or style, without blanks at its end, behind a label.
local function write_blocks(context, style, blocks, label)
  context.out:write(label or "", context:paint(style, (blocks:gsub(" +$", ""))), "\n")
end

local function most_of(counts)
  local most = 0
  for _, count in pairs(counts) do most = math.max(most, count) end
  return most
end

-- ---- the calendar ----

local SHADES = { "░░", "▒▒", "▓▓", "██" }
local NAMES = { "Mon", "", "Wed", "", "Fri", "", "" }
local MARGIN, CELL, WEEKS = 4, 2, 53

--- The count of a busy day: a tenth of the days have more, which shall not make the others pale.
local function busy(counts)
  local sorted = {}
  for _, count in pairs(counts) do sorted[#sorted + 1] = count end
  table.sort(sorted)
  return sorted[math.ceil(#sorted * 0.9)]
end

--- The Mondays of a calendar's weeks: as many as there is room for, but none before the first of the counts.
local function mondays_of(context, counts, today)
  local room = math.max(math.min(WEEKS, math.floor((context.width - MARGIN) / CELL)), 1)
  local earliest, first = days.after(days.monday(today), -7 * (room - 1)), today
  for day in pairs(counts) do first = day >= earliest and day < first and day or first end
  local mondays, monday = {}, days.monday(first)
  while monday <= today do
    mondays[#mondays + 1] = monday
    monday = days.after(monday, 7)
  end
  return mondays
end

--- The line with the names of the months above the weeks in which they begin.
local function months_line(mondays)
  local line, last = "", nil
  for week, monday in ipairs(mondays) do
    local month = days.month(days.after(monday, 6))
    local at = CELL * (week - 1)
    if month ~= last and (at == 0 or at > #line and week < #mondays) then
      line = line .. (" "):rep(at - #line) .. month
    end
    last = month
  end
  return line
end

--- Writes a calendar, a column a week up to this one. title: string; counts: table from days to numbers.
function charts.calendar(context, title, counts, style)
  local today, full = days.today(), busy(counts)
  local mondays = mondays_of(context, counts, today)
  write_title(context, title, counts)
  write_blocks(context, "dim", months_line(mondays), (" "):rep(MARGIN))
  for weekday = 0, 6 do
    local cells = {}
    for week, monday in ipairs(mondays) do
      local day = days.after(monday, weekday)
      local shade = counts[day] and math.min(math.ceil(#SHADES * counts[day] / full), #SHADES)
      cells[week] = SHADES[shade] or day <= today and "· " or "  "
    end
    write_blocks(context, style, table.concat(cells), ("%-4s"):format(NAMES[weekday + 1]))
  end
end

-- ---- bars ----

local EIGHTHS = { "▏", "▎", "▍", "▌", "▋", "▊", "▉" }

--- A bar of so many columns, to an eighth of one.
local function bar(length)
  local eighths = math.floor(length * 8 + 0.5)
  return ("█"):rep(math.floor(eighths / 8)) .. (EIGHTHS[eighths % 8] or "")
end

--- Writes a bar for each of an array of { name, count }.
function charts.bars(context, title, bars, style)
  local names, widest, most = {}, 0, 1
  for index, one in ipairs(bars) do
    local name, width = aish_history.display(one[1], 16)
    names[index], widest = { name, width }, math.max(widest, width)
    most = math.max(most, one[2])
  end
  local room = math.max(math.min(context.width, 80) - widest - #tostring(most) - 4, 1)
  write_title(context, title, bars)
  for index, one in ipairs(bars) do
    context.out:write(names[index][1], (" "):rep(widest - names[index][2]), "  ",
      context:paint(style, bar(room * one[2] / most)), " ", one[2], "\n")
  end
end

local LEVELS = { [0] = " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }
local ROWS = 4

--- Writes upright bars for the hours of a day. counts: table from 0 to 23 to numbers.
function charts.hours(context, title, counts, style)
  local most, wide = most_of(counts), context.width >= 48 and 2 or 1
  write_title(context, title, counts)
  for row = ROWS - 1, 0, -1 do
    local cells = {}
    for hour = 0, 23 do
      local count = counts[hour] or 0
      local level = math.max(math.ceil(count * ROWS * 8 / most), count > 0 and 1 or 0) - 8 * row
      cells[hour + 1] = LEVELS[math.max(math.min(level, 8), 0)]:rep(wide)
    end
    write_blocks(context, style, table.concat(cells))
  end
  local labels = {}
  for hour = 0, 18, 6 do labels[#labels + 1] = ("%-" .. 6 * wide .. "s"):format(("%02d"):format(hour)) end
  write_blocks(context, "dim", table.concat(labels))
end

return charts
