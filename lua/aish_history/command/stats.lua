--- aish-history stats: how much was said and is remembered, and when.
local aish_history = require("aish_history")
local charts = require("aish_history.command.charts")
local columns = require("aish_history.command.columns")
local files = require("aish_history.command.files")
local days = require("aish_history.command.days")
local options = require("aish_history.command.options")
local progress = require("aish_history.command.progress")
local sizes = require("aish_history.command.sizes")

local stats = {
  summary = "Show when and how much was said and remembered.",
  description = "Show turns and memories by day, by hour, by role and kind, and the biggest sessions. Days are those "
    .. "of local time. Where the output is no terminal, it is tables of text.",
}

local BIGGEST = 10

function stats.options(parser) options.json(parser) end

-- ---- counting ----

local function add(counts, name) counts[name] = (counts[name] or 0) + 1 end

local function new_tally() return { days = {}, hours = {}, names = {}, total = 0, damaged = 0, empty = 0 } end

--- Counts one thing of a name that was at a time (a stored text, or anything else, which is no time).
local function count(tally, name, ts)
  local day, hour = days.of(ts)
  tally.total = tally.total + 1
  add(tally.names, type(name) == "string" and name or "other")
  if day then
    add(tally.days, day)
    add(tally.hours, hour)
  end
end

--- Counts a session's turns and damaged lines, and sets how many it has.
local function count_turns(tally, session)
  local scan, message = aish_history.scan(session.path, { malformed = true })
  if not scan then return message end
  local before, damaged = tally.total, 0
  for line, record in scan do
    if not record then
      if line ~= damaged then tally.damaged = tally.damaged + 1 end
      damaged = line
    elseif record.role and record.content then
      count(tally, record.role, record.ts)
    end
  end
  session.turns = tally.total - before
  if session.turns == 0 then tally.empty = tally.empty + 1 end
end

local function bigger(a, b)
  if a.bytes ~= b.bytes then return a.bytes > b.bytes end
  return a.name > b.name
end

--- The sessions that can be read, the biggest first, with their turns counted; and the bytes of all.
local function count_sessions(context, tally)
  local found, message = aish_history.sessions(context.sessions, { count = false })
  if not found then context.fail(message) end
  local tell, done = progress.new(context)
  local read, bytes = {}, 0
  for index, session in ipairs(found) do
    tell(("reading %d of %d: %s"):format(index, #found, session.name))
    local unread = session.error or count_turns(tally, session)
    if unread then
      context.warn(unread)
    else
      read[#read + 1] = session
      bytes = bytes + session.bytes
    end
  end
  done()
  table.sort(read, bigger)
  return read, bytes
end

local function count_memory(context, tally)
  local items, message = aish_history.load_memory(context.memory)
  if not items then context.fail(message) end
  for _, item in ipairs(items) do count(tally, item.kind, item.ts) end
  local report = files.verify_memory(context)
  tally.damaged = report.damaged
  return report.bytes
end

--- All that is known: `turns` and `memories` are tallies of `days`, `hours` and `names` (roles, kinds).
local function collect(context)
  local all = { turns = new_tally(), memories = new_tally() }
  all.sessions, all.session_bytes = count_sessions(context, all.turns)
  all.memory_bytes = count_memory(context, all.memories)
  files.warn_damaged(context, all.turns.damaged + all.memories.damaged)
  return all
end

-- ---- JSON ----

local function sorted(counts, more)
  local names, seen = {}, {}
  for _, list in ipairs({ counts, more or {} }) do
    for name in pairs(list) do
      if not seen[name] then names[#names + 1] = name end
      seen[name] = true
    end
  end
  table.sort(names)
  return names
end

local function write_json(context, all)
  local turns, memories = all.turns, all.memories
  context:json({ what = "total", sessions = #all.sessions, empty = turns.empty, turns = turns.total,
    session_bytes = all.session_bytes, memories = memories.total, memory_bytes = all.memory_bytes })
  for _, day in ipairs(sorted(turns.days, memories.days)) do
    context:json({ what = "day", day = day, turns = turns.days[day] or 0, memories = memories.days[day] or 0 })
  end
  for hour = 0, 23 do
    context:json({ what = "hour", hour = hour, turns = turns.hours[hour] or 0, memories = memories.hours[hour] or 0 })
  end
  for _, role in ipairs(sorted(turns.names)) do
    context:json({ what = "role", role = role, turns = turns.names[role] })
  end
  for _, kind in ipairs(sorted(memories.names)) do
    context:json({ what = "kind", kind = kind, memories = memories.names[kind] })
  end
  for index = 1, math.min(#all.sessions, BIGGEST) do
    local session = all.sessions[index]
    context:json({ what = "session", name = session.name, path = session.path, bytes = session.bytes,
      turns = session.turns, first = session.first })
  end
end

-- ---- tables and charts ----

local TOTALS = { { title = "WHAT" }, { title = "COUNT", right = true }, { title = "SIZE", right = true } }
local SESSIONS = {
  { title = "BIGGEST SESSIONS", style = "yellow", most = 32 },
  { title = "SIZE", right = true },
  { title = "TURNS", right = true, drop = 1 },
  { title = "FIRST WORDS" },
}

local function write_totals(context, all)
  columns(context, TOTALS, {
    { "sessions", #all.sessions, sizes.show(all.session_bytes) },
    { "empty sessions", all.turns.empty },
    { "turns", all.turns.total },
    { "memories", all.memories.total, sizes.show(all.memory_bytes) },
  })
end

local function write_sessions(context, all)
  if #all.sessions == 0 then return end
  local rows = {}
  for index = 1, math.min(#all.sessions, BIGGEST) do
    local session = all.sessions[index]
    rows[index] = { session.name:gsub("%.jsonl$", ""), sizes.show(session.bytes), session.turns, session.first or "" }
  end
  context.out:write("\n")
  columns(context, SESSIONS, rows)
end

--- A table of names and counts, as an array for a chart, the most first.
local function ranked(counts)
  local bars = {}
  for _, name in ipairs(sorted(counts)) do bars[#bars + 1] = { name, counts[name] } end
  table.sort(bars, function(a, b)
    if a[2] ~= b[2] then return a[2] > b[2] end
    return a[1] < b[1]
  end)
  return bars
end

local function write_charts(context, all)
  for _, of in ipairs({ { "turns", all.turns, "green" }, { "memories", all.memories, "blue" } }) do
    local name, tally, style = of[1], of[2], of[3]
    if next(tally.days) then charts.calendar(context, name .. " by day", tally.days, style) end
  end
  if next(all.turns.hours) then charts.hours(context, "turns by hour", all.turns.hours, "green") end
  if all.turns.total > 0 then charts.bars(context, "turns by role", ranked(all.turns.names), "green") end
  if all.memories.total > 0 then charts.bars(context, "memories by kind", ranked(all.memories.names), "blue") end
end

local function write_counts(context, title, names, turns, memories)
  if #names == 0 then return end
  local rows = {}
  for index, name in ipairs(names) do rows[index] = { name, turns[name] or 0, memories[name] or 0 } end
  context.out:write("\n")
  columns(context, { { title = title }, { title = "TURNS", right = true }, { title = "MEMORIES", right = true } }, rows)
end

local function write_tables(context, all)
  local turns, memories = all.turns, all.memories
  write_counts(context, "DAY", sorted(turns.days, memories.days), turns.days, memories.days)
  write_counts(context, "HOUR", sorted(turns.hours, memories.hours), turns.hours, memories.hours)
  write_counts(context, "ROLE OR KIND", sorted(turns.names, memories.names), turns.names, memories.names)
end

function stats.run(args, context)
  local all = collect(context)
  if #all.sessions == 0 and all.memories.total == 0 then context.missing("nothing in " .. context.dir) end
  context:page()
  if args.json then
    write_json(context, all)
    return 0
  end
  write_totals(context, all)
  local write = context.tty and write_charts or write_tables
  write(context, all)
  write_sessions(context, all)
  return 0
end

return stats
