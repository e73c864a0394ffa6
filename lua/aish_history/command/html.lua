--- A session as one page of HTML that needs nothing else: fit to be kept, and to be published.
--
-- Nothing in a session can run, or load anything: all of it is written as text (aish_history.html.text), and
-- the page's policy allows its own style and script, by their hashes, and no address at all.
local aish_history = require("aish_history")
local assets = require("aish_history.html.assets")
local text = require("aish_history.html.text")

local html = {}

local POLICY = ("default-src 'none'; style-src 'sha256-%s'; script-src 'sha256-%s'; base-uri 'none'; "
  .. "form-action 'none'"):format(assets.style_hash, assets.script_hash)

local HEAD = [[
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="%s">
<meta name="viewport" content="width=device-width">
<meta name="referrer" content="no-referrer">
<title>%s</title>
<style>%s</style>
</head>
<body>
<header>
<h1 dir="auto">%s</h1>
]]

local FIND = [[
</header>
<div class="find" role="search" hidden><input type="search" id="search" aria-label="Search" placeholder="Search">
<output id="count" for="search"></output></div>
<main>
]]

local TAIL = [[
</main>
<script>%s</script>
</body>
</html>
]]

-- ---- the parts of a turn ----

-- Longer values are folded.
local SHORT = 80

local function is_short(value)
  return type(value) ~= "table" and (type(value) ~= "string" or #value <= SHORT and not value:find("\n"))
end

--- A folded value, with its name and its first words to be seen.
local function write_folded(out, name, value)
  local shown = text.of_value(value)
  local first = shown:sub(1, 4 * SHORT):gsub("%s+", " "):gsub("^[ -]+ ", "")
  out:write("<details><summary><b>", text.line(name), "</b> ", text.line(first, SHORT),
    '</summary><pre dir="auto">\n', text.lines(shown), "</pre></details>\n")
end

local function write_text(out, value)
  out:write('<div class="text" dir="auto">', text.lines(value), "</div>\n")
end

--- A part of a content that is an array: text, or what is folded, a call of a tool for example.
local function write_part(out, part)
  if type(part) == "string" then return write_text(out, part) end
  if type(part) ~= "table" then return write_text(out, aish_history.encode(part)) end
  if part.type == "text" and type(part.text) == "string" then return write_text(out, part.text) end
  write_folded(out, type(part.type) == "string" and part.type or "part", part)
end

local FOLDED = { system = true, tool = true }

local function write_content(out, role, content)
  if content == nil then return end
  if FOLDED[role] then return write_folded(out, "content", content) end
  if type(content) ~= "table" or #content == 0 then return write_part(out, content) end
  for _, part in ipairs(content) do write_part(out, part) end
end

local SHOWN = { role = true, content = true, ts = true }

--- The other members of a turn, sorted by name: short ones in a line, others folded.
local function write_members(out, turn)
  local names, short = {}, {}
  for name in pairs(turn) do
    if not SHOWN[name] then names[#names + 1] = tostring(name) end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local value = turn[name]
    if is_short(value) then short[#short + 1] = name .. ": " .. text.of_value(value)
    else write_folded(out, name, value) end
  end
  if #short > 0 then out:write('<div class="small">', text.line(table.concat(short, ", ")), "</div>\n") end
end

--- A time as it is stored, which is UTC.
local function write_time(out, ts)
  if type(ts) ~= "string" then return end
  local date, time = ts:match("^(%d%d%d%d%-%d%d%-%d%d)T(%d%d:%d%d:%d%d)Z$")
  if date then out:write('<time datetime="', ts, '">', date, " ", time, " UTC</time>")
  else out:write("<span>", text.line(ts, SHORT), "</span>") end
end

local ROLES = { user = true, assistant = true, system = true, tool = true }

--- A record of the session, a turn or not, in an element that a link can lead to.
local function write_turn(out, number, turn)
  local role = type(turn.role) == "string" and turn.role or "record"
  out:write('<article class="', ROLES[role] and role or "other", '" id="r', number, '"><header><h2>',
    text.line(role, SHORT), "</h2>")
  write_time(out, turn.ts)
  out:write('<a href="#r', number, '" aria-label="Link to record ', number, '">#', number, "</a></header>\n")
  write_content(out, turn.role, turn.content)
  write_members(out, turn)
  out:write("</article>\n")
end

-- ---- the page ----

local function is_turn(record) return record.role and record.content and true or false end

--- The text of the first thing that the user said, where it is that.
local function first_words(record)
  local content = record.role == "user" and record.content
  if type(content) == "table" and type(content[1]) == "table" then content = content[1].text end
  return type(content) == "string" and content:find("%S") and content or nil
end

--- What the head of a page needs, of a session whose last turns (nil: all) are wanted.
-- @treturn table first (a text, or nil), meta (of the first record, or nil) and skip (how many records are not
--   wanted); or nil, message, errno
local function look(path, last)
  local scan, message, errno = aish_history.scan(path)
  if not scan then return nil, message, errno end
  local session, number, turns = {}, 0, {}
  for _, record in scan do
    number = number + 1
    if number == 1 and not is_turn(record) then session.meta = record.meta or nil end
    session.first = session.first or first_words(record)
    if is_turn(record) then turns[#turns + 1] = number end
    if session.first and not last then break end
  end
  local wanted = last and #turns >= last and (turns[#turns - last + 1] or number + 1)
  session.skip = math.max(wanted and wanted - 1 or 0, session.meta and 1 or 0)
  return session
end

local function write_meta(out, name, meta)
  out:write("<dl>\n<dt>session</dt><dd>", text.line(name), "</dd>\n")
  local members = type(meta) == "table" and #meta == 0 and meta or { meta = meta }
  local names = {}
  for member in pairs(members) do names[#names + 1] = tostring(member) end
  table.sort(names)
  for _, member in ipairs(names) do
    out:write("<dt>", text.line(member), '</dt><dd dir="auto">', text.lines(text.of_value(members[member])), "</dd>\n")
  end
  out:write("</dl>\n")
end

local function write_records(out, path, skip)
  local number = 0
  for line, record, _, reason in assert(aish_history.scan(path, { malformed = true })) do
    if record then number = number + 1 end
    if record and number > skip then
      write_turn(out, number, record)
    elseif not record and number >= skip then
      out:write('<p class="damage">Line ', line, " is damaged: ", text.line(reason), "</p>\n")
    end
  end
end

--- Writes a session as a page, in constant memory.
-- @tparam string path
-- @param out what has a method write that takes strings and numbers, and raises where it cannot write them
-- @tparam[opt] number last only so many turns, the last ones, and what stands between them
-- @treturn boolean true; or nil, message, errno where the file cannot be opened. Raises where it cannot be
--   read to its end
function html.write(path, out, last)
  local session, message, errno = look(path, last)
  if not session then return nil, message, errno end
  local name = path:match("[^/]*$"):gsub("%.jsonl$", "")
  local title = text.line((session.first or name):gsub("%s+", " "):gsub("^ ", ""), 70)
  out:write(HEAD:format(POLICY, title, assets.style, title))
  write_meta(out, name, session.meta)
  out:write(FIND)
  write_records(out, path, session.skip)
  out:write(TAIL:format(assets.script))
  return true
end

return html
