--- What search and recall have found, as it is shown: memories and things said in sessions.
local aish_history = require("aish_history")
local lines = require("aish_history.command.lines")
local names = require("aish_history.command.names")
local times = require("aish_history.command.times")

local hits = {}

local MOST = 3 -- lines of a hit that a terminal shows
local GAP = "  "

-- What is told of a hit before its text: what it is, when it was, and where it is.
local function head(hit)
  if hit.line then return hit.role or "", times.show(hit.ts), ("%s:%.0f"):format(names.show(hit.path), hit.line) end
  return hit.kind, times.show(hit.ts), ("memory:%.0f"):format(hit.id)
end

-- A place in so many columns, of which its number is cut last.
local function fit(where, width)
  local name, number = where:match("^(.*)(:%d+)$")
  local shown, columns = aish_history.display(name)
  return (columns + #number > width and lines.cut(name, math.max(width - #number, 1)) or shown) .. number
end

-- The first of the lines that holds what was looked for.
local function first_marked(all, mark)
  for index, line in ipairs(all) do
    if select(2, mark(line)) then return index end
  end
  return 1
end

-- On a terminal: a line that tells of it, and what fits on a few lines of its text.
local function write_long(context, hit, text, mark)
  local what, when, where = head(hit)
  local display, width = aish_history.display, math.max(context.width - 2, 1)
  what, where = display(what, context.width), fit(where, context.width - #what - #GAP)
  if select(2, display(what .. where)) + 2 * #GAP + #when > context.width then when = "" end
  context.out:write(context:paint("green", what), GAP, context:paint("yellow", where),
    when ~= "" and GAP .. context:paint("dim", when) or "", "\n")
  local all = lines.wrap((display(text)), width)
  local first = math.max(1, math.min(first_marked(all, mark), #all - MOST + 1))
  for index = first, math.min(#all, first + MOST - 1) do context.out:write("  ", (mark(all[index])), "\n") end
end

-- Else on one line, with all of its text.
local function write_short(context, hit, text, mark)
  local what, when, where = head(hit)
  local display = aish_history.display
  context.out:write(context:paint("yellow", display(where)), ": ", when, when ~= "" and " " or "",
    context:paint("green", display(what)), ": ", (mark(display(text))), "\n")
end

--- Puts hits, or none, behind others.
function hits.append(list, others)
  for _, other in ipairs(others or {}) do list[#list + 1] = other end
end

local ENOENT = 2

--- What the module's search or recall found in the sessions: nothing where there are none yet; where it
-- failed this does not return. Warns of what could not be read.
-- @treturn table hits
-- @treturn boolean whether everything could be read
function hits.said(context, found, message, errno)
  if not found and errno ~= ENOENT then context.fail(message) end
  local unread = found and message or {}
  for _, why in pairs(unread) do context.warn(why) end
  return found or {}, next(unread) == nil
end

--- Ends a command that found nothing; `whole`: whether everything could be read.
function hits.none(context, whole)
  if whole then context.missing("nothing found") end
  context.fail("nothing found in what could be read")
end

local function plain(text) return text, false end

--- Writes hits, items of a memory among them, as text or as JSON.
-- @param context
-- @tparam table found an array of hits and items
-- @tparam boolean json
-- @tparam[opt] function mark what highlight returned
function hits.write(context, found, json, mark)
  context:page()
  for index, hit in ipairs(found) do
    if json then
      context:json(hit)
    elseif context.tty then
      if index > 1 then context.out:write("\n") end
      write_long(context, hit, hit.text or hit.content, mark or plain)
    else
      write_short(context, hit, hit.text or hit.content, mark or plain)
    end
  end
end

return hits
