--- aish-history erase: takes a text, or all secrets, out of the whole history.
local aish_history = require("aish_history")
local files = require("aish_history.command.files")
local lines = require("aish_history.command.lines")
local memories = require("aish_history.command.memories")
local options = require("aish_history.command.options")
local terminal = require("aish_history.command.terminal")

local erase = {
  summary = "Take a text, or secrets, out of the history for good.",
  description = "Take a text, or with --secrets what looks like a key or a password, out of the memory and all "
    .. "sessions for good. Shows what it would change; does it with --yes. Without TEXT it is read from standard "
    .. "input, so that it does not stand in the shell's own history or in a list of processes.",
}

function erase.options(parser)
  parser:argument("text", "The text, as it was said."):args("*"):argname("TEXT")
  parser:flag("--secrets", "Erase what looks like a key or a password.")
  parser:flag("--yes", "Do it.")
  parser:option("--replacement", "What to put in its place (default: [erased])."):argname("NEW")
  options.wait(parser)
  options.json(parser)
end

-- ---- what to erase ----

-- A line of a terminal, else all of standard input but a newline at its end.
local function read_text(context)
  if not terminal.is(0) then return (io.read("*a"):gsub("\n$", "")) end
  context.err:write("Text to erase: ")
  return io.read("*l") or ""
end

-- A function from text to text without secrets, which notes in `kinds` of which kinds these were.
local function without_secrets(kinds)
  local secrets = require("aish_history.secrets")
  return function(text)
    for _, one in ipairs(secrets.find(text)) do kinds[one.kind] = true end
    return (secrets.redact(text))
  end
end

local function what_of(args, context, kinds)
  if args.secrets and (args.text[1] or args.replacement) then
    context.usage("--secrets takes neither a text nor a replacement")
  end
  if args.secrets then return without_secrets(kinds) end
  local text = args.text[1] and table.concat(args.text, " ") or read_text(context)
  if text == "" then context.usage("there is no text to erase") end
  if (args.replacement or ""):find(text, 1, true) then context.usage("the replacement holds the text") end
  return text
end

-- ---- reports ----

local function write(args, context, path, report)
  if args.json then
    report.path = path
    return context:json(report)
  end
  if report.records == 0 and report.left == 0 then return end
  context.out:write(context:paint("yellow", files.show(context, path)), ": ",
    lines.count(report.occurrences, "occurrence"), " in ", lines.count(report.records, "record"),
    report.left > 0 and (", left in keys or numbers of %s"):format(lines.count(report.left, "record")) or "", "\n")
end

local function write_kinds(args, context, kinds)
  local names = {}
  for kind in pairs(kinds) do names[#names + 1] = kind end
  table.sort(names)
  if #names > 0 and not args.json then context.out:write("kinds: ", table.concat(names, ", "), "\n") end
end

-- ---- the command ----

-- A report of nothing: of a file that is not there or, with a message, that could not be read.
local function nothing(path, message)
  return { files = 0, records = 0, left = 0, occurrences = 0, failed = { [path] = message } }
end

-- What each file has of it: an array of { path, report }.
local function look(args, context, what)
  local found = {}
  for _, path in ipairs(files.all(context)) do
    local good, message = files.check(path)
    local report, why, _, partial
    if good then
      report, why, _, partial = aish_history.erase(path, what, { replacement = args.replacement, dry_run = true })
      if not (report or partial) then context.fail(why) end
    end
    found[#found + 1] = { path, report or partial or nothing(path, message) }
  end
  return found
end

-- Erases it from the memory, whose lock a shell may hold for long; if one does this does not return.
local function change_memory(args, context, what)
  if not files.exists(context.memory) then return nothing(context.memory) end
  return memories.locked(context, args.wait, function(wait)
    local handle, message, errno, process = aish_history.open(context.memory, { wait = wait })
    if not handle and not memories.is_held(errno) then return nothing(context.memory, message) end
    if not handle then return nil, message, errno, process end
    local report, why, number = handle:erase(what, { replacement = args.replacement })
    handle:close()
    return report, why, number
  end)
end

-- Erases it from all sessions, and from what interrupted writing has left beside them.
local function change_sessions(args, context, what)
  if not files.exists(context.sessions) then return nothing(context.sessions) end
  local report, message, _, partial = aish_history.erase(context.sessions, what,
    { replacement = args.replacement, wait = args.wait })
  if not (report or partial) then context.fail(message) end
  return report or partial
end

-- Erases it; returns what failed, path to message, and how many records have or had it.
local function change(args, context, what)
  local failed, count = {}, 0
  for _, change_some in ipairs({ change_memory, change_sessions }) do
    local report = change_some(args, context, what)
    count = count + report.records + report.left
    for path, message in pairs(report.failed) do failed[path] = message end
  end
  return failed, count
end

-- Writes what was found of each file, or that it failed; says what else failed. Returns whether something did, and
-- how many records have it.
local function tell(args, context, found, failed)
  local count, whole = 0, true
  for _, one in ipairs(found) do
    local path, report = one[1], one[2]
    report.failed[path], failed[path] = failed[path] or report.failed[path], nil
    if args.json or not next(report.failed) then write(args, context, path, report) end
    for other, message in pairs(report.failed) do failed[other] = message end
    count = count + report.records + report.left
  end
  for _, message in pairs(failed) do
    context.warn(message)
    whole = false
  end
  return not whole, count
end

function erase.run(args, context)
  if not aish_history.erase then context.fail("this version of aish_history cannot erase; install a newer one") end
  local kinds = {}
  local what = what_of(args, context, kinds)
  local found, unchanged, changed = look(args, context, what), {}, 0
  if args.yes then unchanged, changed = change(args, context, what) end
  local failed, count = tell(args, context, found, unchanged)
  write_kinds(args, context, kinds)
  if not failed and count + changed == 0 then context.missing("nothing of the history holds it") end
  if not args.yes and count > 0 then context.warn("nothing was changed; --yes does it") end
  return failed and 3 or 0
end

return erase
