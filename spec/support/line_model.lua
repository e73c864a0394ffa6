--- What a line holds, worked out from the rules in the plainest way: every brace is tried.
local line_model = {}

local MARK = "\239\187\191"

-- ---- a reader of JSON that says where a text stops being any ----

local value

local function space(text, at)
  return text:match("^[ \t\r]*()", at)
end

-- Where a string ends, `at` being behind its opening quote; or nil and where it is none.
local function string_end(text, at)
  while true do
    at = text:match('^[^%z\1-\31"\\]*()', at)
    local byte = text:sub(at, at)
    if byte == '"' then return at + 1 end
    if byte ~= "\\" then return nil, at end
    local letter = text:sub(at + 1, at + 1)
    if letter == "u" then
      local digits = text:match("^%x*()", at + 2)
      if digits < at + 6 then return nil, digits end
      at = at + 6
    elseif letter ~= "" and ('"\\/bfnrt'):find(letter, 1, true) then
      at = at + 2
    else
      return nil, at + 1
    end
  end
end

local function number_end(text, at)
  local from = text:match("^%-?()", at)
  at = text:match("^0()", from) or text:match("^[1-9]%d*()", from)
  if not at then return nil, from end
  for _, part in ipairs({ "^%.()", "^[eE][+-]?()" }) do
    local digits = text:match(part, at)
    if digits then
      at = text:match("^%d+()", digits)
      if not at then return nil, digits end
    end
  end
  return at
end

local function word_end(text, at, word)
  for index = 1, #word do
    if text:byte(at + index - 1) ~= word:byte(index) then return nil, at + index - 1 end
  end
  return at + #word
end

--- A text with its escapes of ASCII characters resolved: the names of the format have no others.
function line_model.plain(text)
  return (text:gsub("\\u00(%x%x)", function(digits)
    local code = tonumber(digits, 16)
    return code < 128 and string.char(code) or nil
  end))
end

-- Members or elements, `at` being behind the opening bracket. `members` gets the value of each key,
-- as its start.
local function list_end(text, at, close, depth, members)
  at = space(text, at)
  if text:sub(at, at) == close then return at + 1 end
  while true do
    local stop
    if close == "}" then
      if text:sub(at, at) ~= '"' then return nil, at end
      local key = at + 1
      at, stop = string_end(text, key)
      if not at then return nil, stop end
      local name = line_model.plain(text:sub(key, at - 2))
      at = space(text, at)
      if text:sub(at, at) ~= ":" then return nil, at end
      at = space(text, at + 1)
      if members then members[at] = name end
    end
    at, stop = value(text, at, depth + 1)
    if not at then return nil, stop end
    at = space(text, at)
    local byte = text:sub(at, at)
    if byte == close then return at + 1 end
    if byte ~= "," then return nil, at end
    at = space(text, at + 1)
  end
end

-- The byte behind a value; or nil and the byte where the text is none.
function value(text, at, depth, members)
  local byte = text:sub(at, at)
  if byte == '"' then return string_end(text, at + 1) end
  if byte == "{" or byte == "[" then
    if depth >= 1000 then return nil, at end
    return list_end(text, at + 1, byte == "{" and "}" or "]", depth, members)
  end
  if byte == "t" then return word_end(text, at, "true") end
  if byte == "f" then return word_end(text, at, "false") end
  if byte == "n" then return word_end(text, at, "null") end
  return number_end(text, at)
end

local function object(text, at)
  if text:sub(at, at) ~= "{" then return nil end
  return (value(text, at, 0))
end

-- ---- the rules ----

local function separators(text, at)
  while true do
    local next_at = text:match("^[ \t\r%z]*()", at)
    if text:sub(next_at, next_at + 2) == MARK then next_at = next_at + 3 end
    if next_at == at then return at end
    at = next_at
  end
end

-- The objects from `at` to the end of the line, if there is nothing else there.
local function row(text, at)
  local objects = {}
  while true do
    at = separators(text, at)
    if at > #text then return objects end
    local stop = object(text, at)
    if not stop then return nil end
    objects[#objects + 1] = { at, stop }
    at = stop
  end
end

local misplaced = { id = true, uid = true, ts = true, kind = true, target = true, of = true, role = true }
local misplaced_in_memory = { content = true, tags = true, source = true }

--- The objects of a line, each as its start and the byte behind it; where its damage begins, if there
-- is any; and whether the line is nothing but the beginning of an object.
function line_model.objects(text, memory)
  local objects, at = {}, 1
  while true do
    at = separators(text, at)
    local stop = object(text, at)
    if not stop then break end
    objects[#objects + 1] = { at, stop }
    at = stop
  end
  if at > #text and (#objects > 0 or not text:find("[^ \t\r]")) then return objects, nil, false end
  local members = {}
  local stop, error_at = value(text, at, 0, members)
  stop = stop and space(text, stop) or error_at
  local torn = #objects == 0 and text:sub(at, at) == "{" and stop > #text
  local damage = #objects == 0 and 1 or at
  for from = at, #text do
    local key = members[from]
    local last = text:sub(from, from) == "{" and row(text, from)
    if last then
      local reaches = from <= stop and last[1][2] > stop and text:find('^{[ \t\r]*"', from)
      local is_misplaced = misplaced[key] or memory and misplaced_in_memory[key]
      if reaches or stop > #text and #last == 1 and is_misplaced then
        for _, one in ipairs(last) do objects[#objects + 1] = one end
        break
      end
    end
  end
  return objects, damage, torn
end

--- The same in the form that spec/support/objects.c has; and the objects.
function line_model.described(text, memory)
  local objects, damage, torn = line_model.objects(text, memory)
  local parts, next_at = { torn and "T" or "-" }, 1
  local function put_damage(stop)
    if damage and damage >= next_at and damage < stop then
      parts[#parts + 1] = ("d%d-%d"):format(damage - 1, stop - 1)
      damage = nil
    end
  end
  for _, one in ipairs(objects) do
    put_damage(one[1])
    parts[#parts + 1] = ("o%d-%d"):format(one[1] - 1, one[2] - 1)
    next_at = one[2]
  end
  put_damage(#text + 1)
  return table.concat(parts, " "), objects
end

return line_model
