--- The faults that can be planted in a C file: each changes one place of one line, or swaps two lines.
-- It is written for this project's formatting: spaces around operators, a statement a line.
local faults = {}

-- What takes the place of what, both as they stand in the code.
local SWAPPED = {
  [" < "] = " <= ", [" <= "] = " < ", [" > "] = " >= ", [" >= "] = " > ", [" == "] = " != ", [" != "] = " == ",
  [" && "] = " || ", [" || "] = " && ", [" + "] = " - ", [" - "] = " + ", [" * "] = " + ", [" / "] = " * ",
  [" % "] = " + ", [" & "] = " | ", [" | "] = " & ", [" << "] = " >> ", [" >> "] = " << ", [" += "] = " -= ",
  [" -= "] = " += ", [" |= "] = " &= ", [" &= "] = " |= ", ["++"] = "--", ["--"] = "++",
  ["true"] = "false", ["false"] = "true", ["break;"] = "continue;", ["continue;"] = "break;",
}

-- Names before a parenthesis that call nothing.
local KEYWORDS = { ["if"] = true, ["for"] = true, ["while"] = true, ["switch"] = true, ["return"] = true }

--- `text` with the insides of comments and literals made blank, so that every byte keeps its place.
local function code_of(text)
  local function blank(inside) return (inside:gsub("[^\n]", " ")) end
  local parts, from = {}, 1
  while true do
    local first = text:find("[\"'/]", from)
    if not first then break end
    local quote, last = text:sub(first, first), nil
    if text:sub(first, first + 1) == "/*" then
      last = select(2, text:find("*/", first + 2, true))
    elseif quote ~= "/" then
      last = first + 1
      while text:sub(last, last) ~= quote do last = last + (text:sub(last, last) == "\\" and 2 or 1) end
    end
    parts[#parts + 1] = text:sub(from, first - 1)
    if not last then parts[#parts + 1] = quote
    elseif quote == "/" then parts[#parts + 1] = blank(text:sub(first, last))
    else parts[#parts + 1] = quote .. ("_"):rep(last - first - 1) .. quote end
    from = (last or first) + 1
  end
  return table.concat(parts) .. text:sub(from)
end

local function split(text)
  local lines = {}
  for line in text:gmatch("([^\n]*)\n") do lines[#lines + 1] = line end
  return lines
end

local function trim(line) return (line:gsub("^%s+", ""):gsub("%s+$", "")) end

--- A call or an assignment that is all of its line, and is not the body of what stands before it.
local function is_statement(code)
  local name = code and code:match("^%s*([%w_]+)%b();$") or code and code:match("^%s*%(void%)%s?([%w_]+)%b();$")
  if name then return not KEYWORDS[name] end
  return code and code:find("^%s+%*?[%w_][%w_%.%->%[%]]* [%+%-|&]?= .*;$") ~= nil
end

--- Calls plant(first, last, new text) for each fault of a line, whose code is `code`.
local function in_line(line, code, plant)
  for before, after in pairs(SWAPPED) do
    local from = 1
    while true do
      local first, last = code:find(before, from, true)
      if not first then break end
      local word = before:find("^%a")
      if not word or code:find("^%f[%w_]%w+%f[^%w_]", first) == first then plant(first, last, after) end
      from = last
    end
  end
  for first, digits, last in code:gmatch("%f[%w_.]()(%d[%da-fA-Fx]*)[uUlL]*()%f[^%w_.]") do
    local value = not digits:find("^0%d") and tonumber(digits) -- octal ones are modes
    if value and value < 2 ^ 32 then
      local suffix = line:sub(first + #digits, last - 1)
      plant(first, last - 1, ("%d"):format(value + 1) .. suffix)
      if value > 0 then plant(first, last - 1, ("%d"):format(value - 1) .. suffix) end
    end
  end
  for first in code:gmatch("()![%w_(]") do plant(first, first, "") end
  for first, last in code:gmatch("%f[%w_]if ()%b()()") do
    local condition = line:sub(first, last - 1)
    plant(first, last - 1, "(1 || " .. condition .. ")")
    plant(first, last - 1, "(0 && " .. condition .. ")")
  end
  for first, last in code:gmatch("return ()[^;]-();") do
    local value = line:sub(first, last - 1)
    if not value:find("^%-?%d+$") and value ~= "true" and value ~= "false" then plant(first, last - 1, "0") end
  end
  for first, last in code:gmatch("()%u[%u%d]*_[%u%d_]+ | ()") do plant(first, last - 1, "") end
  for first, last in code:gmatch("() | %u[%u%d]*_[%u%d_]+()%f[^%w_(]") do plant(first, last - 1, "") end
  local last_statement = code:match("()%f[^%s%)][%w_][%w_%.%->]* = [^;]*;$") or code:match("()%f[^%s%)]%l[%w_]*%b();$")
  if is_statement(code) then plant(#line:match("^%s*") + 1, #line, ";")
  elseif last_statement and code:find("^%s+if %b()") then plant(last_statement, #line, ";") end
end

--- All faults of a file's text, in an order that depends on it alone: tables of `line` (a number),
-- `before` and `after` (the changed line or lines, trimmed), and `lines`, what stands from that line on then.
function faults.of(text)
  local lines, codes, found = split(text), split(code_of(text)), {}
  local function add(number, replacement, before, after)
    found[#found + 1] = { line = number, lines = replacement, before = trim(before), after = trim(after) }
  end
  for number, line in ipairs(lines) do
    local code = codes[number]
    if not code:find("^#%s*[^d]") and not code:find("^[%s%xx,{}%-]*$") and not code:find("_Static_assert", 1, true) then
      local here = {}
      in_line(line, code, function(first, last, new) here[line:sub(1, first - 1) .. new .. line:sub(last + 1)] = true end)
      local sorted = {}
      for changed in pairs(here) do sorted[#sorted + 1] = changed end
      table.sort(sorted)
      for _, changed in ipairs(sorted) do add(number, { changed }, line, changed) end
    end
    local following = lines[number + 1]
    if is_statement(code) and is_statement(codes[number + 1]) and line:match("^%s*") == following:match("^%s*") then
      add(number, { following, line }, trim(line) .. " " .. trim(following), trim(following) .. " " .. trim(line))
    end
  end
  return found
end

--- The file's text with the fault in it.
function faults.plant(text, fault)
  local lines = split(text)
  for index, line in ipairs(fault.lines) do lines[fault.line + index - 1] = line end
  return table.concat(lines, "\n") .. "\n"
end

return faults
