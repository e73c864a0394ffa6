--- Which session a name means.
local aish_history = require("aish_history")

local files = require("aish_history.command.files")

local names = {}

--- What SESSION is, for the help.
names.HELP = "A name or its beginning, -1 for the newest session (-2 for the one before), or a path."

-- The path of the session that is the count-th newest of those in which something was said.
local function newest(context, count)
  local found, unread = files.readable(context, { limit = count, empty = false, count = false })
  if count >= 1 and #found == 0 then
    if unread > 0 then context.fail("no session in " .. context.sessions .. " can be read") end
    context.missing("no sessions in " .. context.sessions)
  end
  if count < 1 or not found[count] then
    context.missing(("there is no session -%d; aish-history sessions lists them"):format(count))
  end
  return found[count].path
end

-- The names of the directory's sessions that begin with a text; only the one that is equal to it, if one is.
local function beginning(context, text)
  local all, message = aish_history.list(context.sessions)
  if not all then context.fail(message) end
  local found = {}
  for _, name in ipairs(all) do
    if name == text or name == text .. ".jsonl" then return { name } end
    if name:sub(1, #text) == text then found[#found + 1] = name end
  end
  return found
end

--- The path of the session that a name means; nil where there is none.
function names.find(context, text)
  local count = text:match("^%-(%d+)$")
  if count then return newest(context, tonumber(count)) end
  if text:find("/", 1, true) then return text end
  local found = beginning(context, text)
  if #found == 1 then return context.sessions .. "/" .. found[1] end
  if #found == 0 then return files.exists(text) and text or nil end
  context.usage(("%d sessions begin with %s, the last of them is %s"):format(#found, aish_history.display(text),
    aish_history.display(found[#found])))
end

--- The same; where there is none this does not return.
function names.path(context, text)
  local path = names.find(context, text)
  if path then return path end
  context.missing(("there is no session %s; aish-history sessions lists them"):format(aish_history.display(text)))
end

--- The name of a session to show for a path.
function names.show(path)
  return (path:match("[^/]*$"):gsub("%.jsonl$", ""))
end

return names
