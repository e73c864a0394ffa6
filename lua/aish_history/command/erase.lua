--- aish-history erase: takes a text, or all secrets, out of the whole history.
local aish_history = require("aish_history")
local files = require("aish_history.command.files")
local options = require("aish_history.command.options")
local terminal = require("aish_history.command.terminal")

local erase = {
  summary = "Take a text, or all secrets, out of the history for good.",
  description = "Take a text, or with --secrets all keys and passwords, out of the memory and all sessions for good. "
    .. "Shows what it would change; does it with --yes. Without TEXT it is read from standard input, so that it does "
    .. "not stand in the shell's own history or in a list of processes.",
}

function erase.options(parser)
  parser:argument("text", "The text, as it was said."):args("*"):argname("TEXT")
  parser:flag("--secrets", "Erase what looks like a key or a password.")
  parser:flag("--yes", "Do it.")
  parser:option("--replacement", "What to put in its place (default: [erased])."):argname("NEW")
  options.wait(parser)
  options.json(parser)
end

-- The text to erase: one line of a terminal, else all of standard input but a newline at its end.
local function read_text(context)
  if not terminal.is(0) then return (io.read("*a"):gsub("\n$", "")) end
  context.err:write("Text to erase: ")
  return io.read("*l") or ""
end

-- What to erase: a text, or a function from text to text.
local function what_of(args, context)
  if args.secrets then
    if args.text[1] then context.usage("erase takes either a text or --secrets") end
    return require("aish_history.secrets").redact
  end
  local text = args.text[1] and table.concat(args.text, " ") or read_text(context)
  if text == "" then context.usage("there is no text to erase") end
  return text
end

-- Writes a report with what it is about.
local function write(args, context, name, report)
  if args.json then
    report.path = name
    return context:json(report)
  end
  if report.records == 0 and report.left == 0 then return end
  context.out:write(files.show(context, name), (": %.0f in %.0f records"):format(report.occurrences, report.records),
    report.left > 0 and (", left in the keys of %.0f"):format(report.left) or "", "\n")
end

-- Says what failed; returns how many files.
local function tell_failed(context, report, message)
  local count = 0
  for path, why in pairs(report and report.failed or {}) do
    context.warn(why:find(path, 1, true) and why or path .. ": " .. why)
    count = count + 1
  end
  if not report then context.fail(message) end
  return count
end

-- Erases from a file or a directory, or only looks; returns the report and how many files failed.
local function erase_from(args, context, path, what, dry_run)
  local report, message, _, partial = aish_history.erase(path, what,
    { replacement = args.replacement, dry_run = dry_run, wait = args.wait })
  report = report or partial
  return report, tell_failed(context, report, message)
end

function erase.run(args, context)
  if not aish_history.erase then context.fail("this version of aish_history cannot erase; install a newer one") end
  local what = what_of(args, context)
  local paths, found, failed = files.all(context), 0, 0
  if #paths == 0 then context.missing("no files in " .. context.dir) end
  for _, path in ipairs(paths) do
    local report, failures = erase_from(args, context, path, what, not args.yes)
    write(args, context, path, report)
    found, failed = found + report.records + report.left, failed + failures
  end
  if failed > 0 then return 3 end
  if found == 0 then context.missing("nothing of the history has it") end
  if not args.yes then context.warn("nothing was changed; --yes does it") end
  return 0
end

return erase
