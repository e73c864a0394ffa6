-- What the functions that read a file make of it, compared with a plain reading: see read.c.
local aish = ...
local line_model = require("spec.support.line_model")
local rules = require("spec.support.rules")

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for key, value in pairs(a) do
    if not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

local function check(condition, what)
  if not condition then error("not so: " .. what, 2) end
end

local function parts_of(text, memory)
  local one = text:find("^[ \t\r]*{") and aish.decode(text)
  if one then return { { 0, one, text } } end
  local objects, damage = line_model.objects(text, memory)
  local parts = {}
  for _, object in ipairs(objects) do
    if damage and damage < object[1] then
      parts[#parts + 1] = { damage - 1 }
      damage = nil
    end
    local part = text:sub(object[1], object[2] - 1)
    parts[#parts + 1] = { object[1] - 1, aish.decode(part), part }
  end
  if damage then parts[#parts + 1] = { damage - 1 } end
  return parts
end

--- What the lines hold: number and offset, and text and record of what is not damage.
local function read(bytes, memory)
  local lines, number, offset = {}, 0, 0
  bytes = bytes:gsub("^\239\187\191", "   ")
  for text, newline in bytes:gmatch("([^\n]*)(\n?)") do
    if text ~= "" or newline ~= "" then
      number = number + 1
      for _, part in ipairs(parts_of(text, memory)) do
        lines[#lines + 1] = { number = number, offset = offset + part[1], record = part[2], text = part[3] or "" }
      end
      offset = offset + #text + 1
    end
  end
  return lines
end

local function is_id(id)
  return type(id) == "number" and id >= 1 and id < 2 ^ 53 and id % 1 == 0
end

-- Whether a record only keeps the highest id: a tombstone of the target 0, written so and not as 0.0.
local function is_mark(record, text)
  local target
  for value in line_model.plain(text):gmatch('"target"%s*:%s*([^%s,}]*)') do target = value end
  return is_id(record.id) and record.target == 0 and target == "0"
end

local function is_of_memory(record, text)
  local kind, meta = record.kind, record.meta
  if type(meta) == "table" and type(meta.aish_version) == "string" and type(meta.created) == "string" then return true end
  if kind == "forget" and is_mark(record, text) then return true end
  if kind == "forget" then return is_id(record.target) and record.id ~= nil and record.id ~= false end
  return is_id(record.id) and (kind == "fact" or kind == "pref" or kind == "context")
end

--- Whether any record is one of a memory's, and whether there is any.
local function kinds_of(lines)
  local ours, any = false, false
  for _, line in ipairs(lines) do
    any = any or line.record ~= nil
    ours = ours or line.record ~= nil and is_of_memory(line.record, line.text)
  end
  return ours, any
end

local function check_scan(path, lines, options)
  local count, records = 0, 0
  for number, record, offset, reason in assert(aish.scan(path, { malformed = true })) do
    count = count + 1
    local line = lines[count]
    check(line and line.number == number and line.offset == offset, "a line's number and offset")
    check(same(line.record, record), "a line's record")
    check((reason ~= nil) == (record == nil), "a bad line's reason")
  end
  check(count == #lines, "the number of lines")
  for _ in assert(aish.scan(path)) do records = records + 1 end
  for _, line in ipairs(lines) do records = records - (line.record and 1 or 0) end
  check(records == 0, "the number of records")
  local start = lines[#lines > 0 and options % #lines + 1]
  if not start then return end
  local number, record = assert(aish.scan(path, { malformed = true, from = start.offset }))()
  if start.offset > 0 or start.number == 1 then check(number == 1 and same(record, start.record), "a scan from an offset") end
end

--- The turns, all records and the meta, as load gives them.
local function turns_of(lines)
  local turns, all, meta, begun = {}, {}, nil, false
  for _, line in ipairs(lines) do
    local record = line.record
    local is_turn = record and record.role and record.content
    if record and not begun and record.meta and not is_turn then
      meta = record.meta
    elseif record then
      all[#all + 1] = record
      if is_turn then turns[#turns + 1] = record end
    end
    begun = begun or record ~= nil
  end
  return turns, all, meta
end

local function last_of(list, count)
  local last = {}
  for index = math.max(1, #list - count + 1), #list do last[#last + 1] = list[index] end
  return last
end

local function check_load(path, lines, options)
  local turns, all, meta = turns_of(lines)
  local loaded, loaded_meta = aish.load(path)
  check(same(turns, loaded) and same(meta, loaded_meta), "load")
  check(same(all, (aish.load(path, { all = true }))), "load with all")
  local count = options % 5
  check(same(last_of(turns, count), (aish.load(path, { last = count }))), "load with last")
  check(same(last_of(all, count), (aish.load(path, { last = count, all = true }))), "load with last and all")
end

local function check_sessions(directory, bytes, lines)
  local turns, _, meta = turns_of(lines)
  local sessions = assert(aish.sessions(directory))
  local entry = sessions[1]
  check(#sessions == 1 and entry.name == "session.jsonl" and entry.bytes == #bytes, "a session's name and size")
  check(entry.turns == #turns, "a session's number of turns")
  check(same(entry.meta, meta), "a session's meta")
  for _, turn in ipairs(turns) do
    if turn.role == "user" then
      if type(turn.content) ~= "string" then break end
      local first = entry.first
      check(first and #first <= 200 and turn.content:sub(1, #first) == first, "a session's first text")
      check(#first == #turn.content or #first > 196, "how much there is of it")
      break
    end
  end
end

--- The active items, newest first; nil where a tombstone's `of` may be null, which decode does not tell.
local function items_of(lines)
  local objects = {}
  for _, line in ipairs(lines) do
    local record = line.record
    if record then objects[#objects + 1] = { record = record, bytes = line.text:match("{.*}") } end
    if record and record.kind == "forget" and record.of == nil and (line.text:find('"of"', 1, true) or line.text:find("\\u")) then
      return nil
    end
  end
  return rules.judge(objects).active
end

local function check_memory(path, lines, options)
  local items = items_of(lines)
  if not items then return nil end
  local loaded = assert(aish.load_memory(path))
  check(same(items, loaded), "load_memory")
  local count = options % 4
  local limited = assert(aish.load_memory(path, { limit = count }))
  check(#limited == math.min(count, #items), "load_memory with a limit")
  for index, item in ipairs(limited) do check(same(items[index], item), "an item under a limit") end
  local facts = assert(aish.load_memory(path, { kind = { "fact", "context" } }))
  local number = 0
  for _, item in ipairs(items) do
    if item.kind ~= "pref" then
      number = number + 1
      check(same(item, facts[number]), "an item of a kind")
    end
  end
  check(number == #facts, "the items of a kind")
  return items
end

--- Whether a string in the value holds the word; a key does not count.
local function holds(value, word)
  if type(value) == "string" then return value:lower():find(word, 1, true) ~= nil end
  if type(value) ~= "table" then return false end
  for _, member in pairs(value) do
    if holds(member, word) then return true end
  end
  return false
end

local function holds_all(value, words)
  for _, word in ipairs(words) do
    if not holds(value, word) then return false end
  end
  return true
end

--- The words of a query, without the marks of sentences at their ends, if that leaves a letter or a digit.
local function words_of(query, exact)
  local words = {}
  for word in query:lower():gmatch(exact and ".+" or "%S+") do
    local left = word:gsub("^[!\"'(),:;?%[%]]+", ""):gsub("[!\"'(),:;?%[%].]+$", "")
    words[#words + 1] = not exact and left:find("%w") and left or word
  end
  return words
end

--- A record without its role and time.
local function said(record)
  local rest = {}
  for name, value in pairs(record) do
    if name ~= "role" and name ~= "ts" then rest[name] = value end
  end
  return rest
end

--- What search finds that Lua's own functions can find too: ASCII in ASCII.
local function check_search(path, bytes, lines, query, options)
  local exact = options % 2 == 1
  local words = words_of(query, exact)
  local found, hits = pcall(aish.search, path, query, { limit = 1000, exact = exact })
  if not query:find("^[ -~]*$") then return end
  check(found == (#words > 0), "a search")
  if not found or bytes:find("[\128-\255]") or bytes:find("\\u") then return end
  local position = 1
  for index = #lines, 1, -1 do
    local line, hit = lines[index], hits[position]
    local is_hit = hit and hit.line == line.number and same(hit.record, line.record)
    if is_hit then
      check(type(hit.text) == "string", "a hit's text")
      position = position + 1
      for _, word in ipairs(words) do
        check(line.text:find("\\", 1, true) or line.text:lower():find(word, 1, true), "a hit's word")
      end
    elseif line.record and not line.text:find('"meta"', 1, true) then
      check(not holds_all(said(line.record), words), "a line that is no hit")
    end
  end
  check(hits[position] == nil, "the hits' order")
end

--- Whether the text has one of the words as a whole word.
local function has_any(text, words)
  for word in text:lower():gmatch("%w+") do
    if words[word] then return true end
  end
  return false
end

local function whole_words(query)
  local words = {}
  for word in query:lower():gmatch("%w+") do words[word] = true end
  return words
end

--- Scores descend; each hit is a turn of its line; a turn that has a word of the query is a hit.
local function check_recall(path, bytes, lines, query)
  local hits, words, hit_lines, records = assert(aish.recall(path, query, { limit = 1000 })), whole_words(query), {}, {}
  for _, line in ipairs(lines) do
    records[line.number] = records[line.number] or {}
    table.insert(records[line.number], line.record)
  end
  for index, hit in ipairs(hits) do
    check(index == 1 or hits[index - 1].score >= hit.score, "the order of what is recalled")
    local found = false
    for _, record in ipairs(records[hit.line] or {}) do found = found or same(record, hit.record) end
    check(found and hit.record.role and hit.record.content and #hit.text <= 240, "a turn that is recalled")
    hit_lines[hit.line] = true
  end
  if (query .. bytes):find("[\128-\255\\]") then return end
  for _, line in ipairs(lines) do
    local content = line.record and line.record.role and line.record.content
    if type(content) == "string" and not line.text:find('"meta"', 1, true) and has_any(content, words) then
      check(hit_lines[line.number], "a turn that is not recalled")
    end
  end
end

local function check_handle_recall(memory, bytes, items, query)
  local hits, words, recalled = assert(memory:recall(query, { limit = 1000 })), whole_words(query), {}
  for index, hit in ipairs(hits) do
    check(index == 1 or hits[index - 1].score >= hit.score, "the order of items that are recalled")
    recalled[hit.id] = true
  end
  if (query .. bytes):find("[\128-\255\\]") then return end
  for _, item in ipairs(items) do
    if type(item.content) == "string" and has_any(item.content, words) then check(recalled[item.id], "an item that is not recalled") end
  end
end

local function check_handle(path, bytes, items, query)
  local memory = assert(aish.open(path, { sync = "none" }))
  local words = words_of(query)
  check(#memory == #items and same(items, memory:items()), "a handle's items")
  local found, hits = pcall(memory.search, memory, query, { limit = 1000 })
  check_handle_recall(memory, bytes, items, query)
  memory:close()
  if not query:find("^[ -~]*$") then return end
  check(found == (#words > 0), "a search of memories")
  if not found or bytes:find("[\128-\255]") or bytes:find("\\u") then return end
  -- Of items that share their id, hits do not tell which is which.
  local scores, shared = {}, {}
  for index, hit in ipairs(hits) do
    check(type(hit.score) == "number" and hit.score == hit.score, "a score")
    check(index == 1 or hits[index - 1].score >= hit.score, "the order of scores")
    scores[hit.id] = hit.score
  end
  for _, item in ipairs(items) do shared[item.id] = shared[item.id] ~= nil end
  for _, item in ipairs(items) do
    if not shared[item.id] then
      if type(item.content) == "string" and holds_all(item.content, words) then check(scores[item.id], "an item that is no hit") end
      if scores[item.id] then check(holds_all(item, words) or bytes:find("\\", 1, true), "a hit without the words") end
    end
  end
end

--- Whether the bytes are no JSON Lines: they begin with a bracket and end with one, or are not UTF-8.
local function is_foreign(bytes)
  if bytes:gsub("^\239\187\191", ""):find("^[ \t\r\n]*%[.*%][ \t\r\n]*$") then return true end
  local zeros = (bytes:sub(1, 8) .. ("\0"):rep(8 - #bytes)):gsub(".", function(byte) return byte == "\0" and "0" or "x" end)
  if #bytes < 4 then return false end
  return zeros == "000x000x" or zeros == "x000x000" or zeros:find("^0x0x") or zeros:find("^x0x0")
    or bytes:find("^%z%z\254\255") or bytes:find("^\255\254.%z") and true or bytes:find("^\254\255%z[^%z]")
end

local function check_foreign(path)
  for _, call in ipairs({ aish.scan, aish.load, aish.load_memory, aish.open, aish.session, aish.verify, aish.compact }) do
    local result, message, number = call(path)
    check(result == nil and type(message) == "string" and number == 22, "what is no JSON Lines")
  end
end

return function(directory, path, bytes, query, options)
  if is_foreign(bytes) then return check_foreign(path) end
  local session = read(bytes, false)
  local is_memory, any = kinds_of(session)
  local lines = is_memory and read(bytes, true) or session
  check_scan(path, lines, options)
  check_load(path, session, options)
  check_sessions(directory, bytes, session)
  check_search(path, bytes, session, query, options)
  check_recall(path, bytes, session, query)
  local items = check_memory(path, lines, options)
  if is_memory or not any then return items and check_handle(path, bytes, items, query) end
  check(select(3, aish.open(path)) == 22, "what is no memory")
end
