--- aish-history sessions: a table of the sessions, the last by name first.
local columns = require("aish_history.command.columns")
local files = require("aish_history.command.files")
local options = require("aish_history.command.options")
local sizes = require("aish_history.command.sizes")
local times = require("aish_history.command.times")

local sessions = {
  summary = "List the sessions, the last first.",
  description = "List the sessions by name, the last first: names that begin with a date come newest first.",
}

function sessions.options(parser)
  options.limit(parser, "At most N sessions.")
  options.since(parser, "Only sessions that went on at TIME or later.")
  parser:flag("--all", "Also sessions in which nothing was said.")
  options.json(parser)
end

local COLUMNS = {
  { title = "SESSION", style = "yellow", most = 32 },
  { title = "WHEN", style = "dim", drop = 4 },
  { title = "TURNS", right = true, drop = 2 },
  { title = "SIZE", right = true, drop = 1 },
  { title = "MODEL", style = "cyan", most = 20, drop = 3 },
  { title = "FIRST WORDS" },
}

-- When something was last said in a session.
local function last(session) return times.seconds(session.last_ts) or session.mtime end

local function row(session)
  local model = session.meta and session.meta.model
  return { session.name:gsub("%.jsonl$", ""), times.show(last(session)), session.turns, sizes.show(session.bytes),
    type(model) == "string" and model or "", session.first }
end

-- The sessions that are asked for, and how many could not be read.
local function find(args, context)
  local found, unread = files.readable(context,
    { empty = args.all or false, limit = not args.since and args.limit or nil })
  if not args.since then return found, unread end
  local since, kept = times.seconds(args.since) or args.since, {}
  for _, session in ipairs(found) do
    if last(session) >= since and #kept < (args.limit or math.huge) then kept[#kept + 1] = session end
  end
  return kept, unread
end

function sessions.run(args, context)
  local found, unread = find(args, context)
  if #found == 0 and unread > 0 then return 3 end
  if #found == 0 then context.missing("no sessions in " .. context.sessions) end
  context:page()
  if args.json then
    for _, session in ipairs(found) do context:json(session) end
  else
    local rows = {}
    for index, session in ipairs(found) do rows[index] = row(session) end
    columns(context, COLUMNS, rows)
  end
  return 0
end

return sessions
