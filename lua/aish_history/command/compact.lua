--- aish-history compact: rewrites the memory without what was forgotten.
local aish_history = require("aish_history")
local files = require("aish_history.command.files")
local lines = require("aish_history.command.lines")
local memories = require("aish_history.command.memories")
local options = require("aish_history.command.options")
local sizes = require("aish_history.command.sizes")

local compact = {
  summary = "Rewrite the memory without what was forgotten.",
  description = "Rewrite memory files, the history's own if no PATH is given, without what was forgotten. Damaged text "
    .. "is moved to PATH.damaged.",
}

function compact.options(parser)
  parser:argument("path", "A memory file."):args("*"):argname("PATH")
  parser:flag("--dry-run", "Only say what would be saved.")
  options.wait(parser)
  parser:flag("--json", "Print JSON, a report of a file a line.")
end

local function write(context, path, report, dry_run)
  local name = files.show(context, path)
  local text = table.concat({ name, dry_run and ": would go from " or ": from ", sizes.show(report.before), " to ",
    sizes.show(report.after), (", %s kept, %.0f dropped"):format(lines.count(report.kept, "record"), report.dropped) })
  if report.damaged > 0 then
    text = text .. (", %s moved to %s.damaged"):format(lines.count(report.damaged, "damaged line"), name)
  end
  for _, line in ipairs(context.tty and lines.wrap(text, context.width) or { text }) do
    context.out:write(line, "\n")
  end
end

function compact.run(args, context)
  for _, path in ipairs(args.path[1] and args.path or { context.memory }) do
    local report = memories.locked(context, args.wait, function(wait)
      return aish_history.compact(path, { dry_run = args.dry_run, wait = wait })
    end)
    report.path = path
    if args.json then context:json(report) else write(context, path, report, args.dry_run) end
  end
  return 0
end

return compact
