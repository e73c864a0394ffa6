--- Tables that fit the terminal: less important columns go, then the last one is cut.
local aish_history = require("aish_history")

local GAP = "  "
local LEAST = 20 -- columns that are left for the last one, as long as others can go

-- Cells that are safe to show, and the width of each column with its title.
local function measure(columns, rows)
  local shown, widths = {}, {}
  for index, column in ipairs(columns) do widths[index] = #column.title end
  for number, row in ipairs(rows) do
    shown[number] = {}
    for index, column in ipairs(columns) do
      local text, width = aish_history.display(tostring(row[index] or ""), column.most)
      shown[number][index] = { text, width }
      widths[index] = math.max(widths[index], width)
    end
  end
  return shown, widths
end

-- Which columns to show in so many of the terminal, and how wide the last one may be.
local function choose(columns, widths, width)
  local kept, needed = {}, #GAP * (#columns - 1)
  for index = 1, #columns do kept[index] = index end
  for index = 1, #columns - 1 do needed = needed + widths[index] end
  while width - needed < math.min(LEAST, widths[#columns]) do
    local worst
    for place, index in ipairs(kept) do
      local drop = columns[index].drop
      if drop and (not worst or drop < columns[kept[worst]].drop) then worst = place end
    end
    if not worst then break end
    needed = needed - widths[kept[worst]] - #GAP
    table.remove(kept, worst)
  end
  return kept, math.max(width - needed, 1)
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
  local shown, widths = measure(columns, rows)
  local kept, last = choose(columns, widths, context.tty and context.width or math.huge)
  local function line(cells, style_of)
    local parts = {}
    for place, index in ipairs(kept) do
      local column, text, width = columns[index], cells[index][1], cells[index][2]
      if index == #columns and width > last then text, width = aish_history.display(cells[index][1], last) end
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
