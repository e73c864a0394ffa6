--- Tables that fit the terminal: of less important columns what may be long is cut, then they go; then others are
-- cut, then the last one.
local aish_history = require("aish_history")
local lines = require("aish_history.command.lines")

local GAP = "  "
local LEAST = 16 -- of the terminal for the last column, as long as others can go or be cut
local NARROW = 10 -- to which others are cut

-- Cells that are safe to show, cut to what is `most` where asked for, and the width of each column.
local function measure(columns, rows, cut)
  local shown, widths = {}, {}
  for index, column in ipairs(columns) do widths[index] = #column.title end
  for number, row in ipairs(rows) do
    shown[number] = {}
    for index, column in ipairs(columns) do
      local text = tostring(row[index] or "")
      local width
      if cut and column.most then text, width = lines.cut(text, column.most)
      else text, width = aish_history.display(text) end
      shown[number][index] = { text, width }
      widths[index] = math.max(widths[index], width)
    end
  end
  return shown, widths
end

-- The place in `kept` of the column that goes first; nil where none may go.
local function least_important(columns, kept)
  local found
  for place, index in ipairs(kept) do
    local drop = columns[index].drop
    if drop and (not found or drop < columns[kept[found]].drop) then found = place end
  end
  return found
end

-- Cuts columns that may be long, until there are as many columns of the terminal as wanted; returns how many are
-- left.
local function narrow(columns, widths, kept, left, wanted)
  for _, index in ipairs(kept) do
    local cut = math.min(wanted - left, widths[index] - NARROW)
    if columns[index].most and cut > 0 then
      widths[index], left = widths[index] - cut, left + cut
    end
  end
  return left
end

-- The places of columns that may go.
local function droppable(columns)
  local found = {}
  for index, column in ipairs(columns) do
    if column.drop then found[#found + 1] = index end
  end
  return found
end

-- Which columns to show in so many of the terminal; makes the widths of these fit.
local function choose(columns, widths, width)
  local kept, left = {}, width - #GAP * (#columns - 1)
  for index = 1, #columns do kept[index] = index end
  for index = 1, #columns - 1 do left = left - widths[index] end
  local wanted = math.min(LEAST, widths[#columns])
  left = narrow(columns, widths, droppable(columns), left, wanted)
  while left < wanted do
    local place = least_important(columns, kept)
    if not place then break end
    left = left + widths[kept[place]] + #GAP
    table.remove(kept, place)
  end
  left = narrow(columns, widths, kept, left, wanted)
  widths[#columns] = math.min(widths[#columns], math.max(left, 1))
  return kept
end

local function pad(text, by, right)
  local spaces = (" "):rep(by)
  return right and spaces .. text or text .. spaces
end

--- Writes a table with titles. Where it is written to a terminal it fits its width.
-- @param context
-- @param columns an array of { title=, right= (aligned), style= (of its cells), most= (its widest),
--   drop= (a number: those with the lowest go first where there is too little room) }; the last one takes
--   what room is left
-- @param rows an array of arrays of cells: strings or numbers, in which controls are made visible
return function(context, columns, rows)
  local shown, widths = measure(columns, rows, context.tty)
  local kept = choose(columns, widths, context.tty and context.width or math.huge)
  local function line(cells, style_of)
    local parts = {}
    for place, index in ipairs(kept) do
      local column, text, width = columns[index], cells[index][1], cells[index][2]
      if width > widths[index] then text, width = lines.cut(text, widths[index]) end
      local by = index == #columns and not column.right and 0 or widths[index] - width
      parts[place] = pad(context:paint(style_of(column), text), by, column.right)
    end
    context.out:write((table.concat(parts, GAP):gsub(" +$", "")), "\n")
  end
  local titles = {}
  for index, column in ipairs(columns) do titles[index] = { column.title, #column.title } end
  line(titles, function() return "bold" end)
  for _, cells in ipairs(shown) do line(cells, function(column) return column.style end) end
end
