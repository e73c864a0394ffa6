--- aish-history show: the turns of a session.
local aish_history = require("aish_history")
local files = require("aish_history.command.files")
local lines = require("aish_history.command.lines")
local names = require("aish_history.command.names")
local options = require("aish_history.command.options")
local times = require("aish_history.command.times")

local show = { summary = "Show the turns of a session." }

function show.options(parser)
  parser:argument("session", names.HELP):argname("SESSION")
  options.number(parser, "--last", "Only the last N turns.")
  parser:mutex(options.json(parser), parser:flag("--markdown", "Print Markdown."),
    parser:flag("--html", "Print a page of HTML that needs nothing else, with a search."))
end

local STYLES = { user = "green", assistant = "blue", system = "yellow", tool = "magenta" }
local PLAIN = { role = true, content = true, ts = true }

-- What was said: a text, or the texts of its parts; nil where it is neither.
local function said(content)
  if type(content) == "string" then return content end
  if type(content) ~= "table" then return tostring(content) end
  local texts = {}
  for index, part in ipairs(content) do
    local text = type(part) == "table" and part.text or part
    if type(text) ~= "string" then return nil end
    texts[index] = text
  end
  return #texts > 0 and table.concat(texts, "\n") or nil
end

-- The members of a turn besides what was said, as an array of { name, JSON }, sorted.
local function members(turn)
  local found = {}
  for name, value in pairs(turn) do
    if not PLAIN[name] or name == "content" and not said(value) then
      found[#found + 1] = { tostring(name), aish_history.encode(value) }
    end
  end
  table.sort(found, function(a, b) return a[1] < b[1] end)
  return found
end

local function title(turn)
  return aish_history.display(tostring(turn.role)), times.show(turn.ts)
end

-- ---- as text ----

-- Writes the lines of a text, broken where the terminal ends, but for those of code.
local function write_lines(context, text)
  local code = false
  for _, line in ipairs(lines.split(text)) do
    local fence = line:find("^ *```")
    local parts = context.tty and not code and not fence and lines.wrap(line, context.width) or { line }
    if fence then code = not code end
    for _, part in ipairs(parts) do context.out:write(part, "\n") end
  end
end

local function write_text(context, turn)
  local role, when = title(turn)
  context.out:write(context:paint("bold", context:paint(STYLES[role] or "cyan", role)),
    when ~= "" and "  " .. context:paint("dim", when) or "", "\n")
  local text = said(turn.content)
  if text then write_lines(context, text) end
  for _, member in ipairs(members(turn)) do
    local line = aish_history.display(member[1] .. ": " .. member[2])
    for _, part in ipairs(context.tty and lines.wrap(line, context.width) or { line }) do
      context.out:write(context:paint("dim", part), "\n")
    end
  end
  context.out:write("\n")
end

-- ---- as Markdown ----

-- A fence that nothing in the text ends.
local function fence(text)
  local longest = 2
  for ticks in text:gmatch("`+") do longest = math.max(longest, #ticks) end
  return ("`"):rep(longest + 1)
end

local function write_markdown(context, turn)
  local role, when = title(turn)
  context.out:write("## ", role, when ~= "" and ", " .. when or "", "\n\n")
  local text = said(turn.content)
  if text then context.out:write(table.concat(lines.split(text), "\n"), "\n\n") end
  for _, member in ipairs(members(turn)) do
    local json = aish_history.display(member[2])
    local mark = fence(json)
    context.out:write(aish_history.display(member[1]), ":\n\n", mark, "json\n", json, "\n", mark, "\n\n")
  end
end

-- ---- the session ----

local function write_head(args, context, path, meta)
  local model = type(meta) == "table" and type(meta.model) == "string" and meta.model
  local text = names.show(path) .. (model and (args.markdown and ", " or "  ") .. model or "")
  if args.markdown then return context.out:write("# ", (aish_history.display(text)), "\n\n") end
  text = "session " .. text
  text = context.tty and lines.cut(text, context.width) or aish_history.display(text)
  context.out:write(context:paint("dim", text), "\n\n")
end

local function write_html(args, context, path)
  local done, message = require("aish_history.command.html").write(path, context.out, args.last)
  if not done then context.fail(message) end
  return 0
end

-- Ends the command where the first thing that a file holds is one to remember.
local function refuse_memory(context, path)
  local scan = aish_history.scan(path)
  if not scan then return end
  local found
  for _, record in scan do
    found = record.role and "turn" or record.kind and record.content and "memory"
    if found then break end
  end
  scan:close()
  if found == "memory" then
    context.fail(files.show(context, path) .. ": it is a memory; aish-history memory list shows it")
  end
end

function show.run(args, context)
  local path = names.path(context, args.session)
  refuse_memory(context, path)
  if args.html then return write_html(args, context, path) end
  local turns, meta, damaged = aish_history.load(path, { last = args.last })
  if not turns then context.fail(meta) end
  files.warn_damaged(context, damaged, path)
  context:page()
  if not args.json then write_head(args, context, path, meta) end
  for _, turn in ipairs(turns) do
    if args.json then context:json(turn)
    elseif args.markdown then write_markdown(context, turn)
    else write_text(context, turn) end
  end
  return 0
end

return show
