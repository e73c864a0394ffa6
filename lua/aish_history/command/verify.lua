--- aish-history verify: every problem of the files, with its line.
local aish_history = require("aish_history")
local files = require("aish_history.command.files")
local lines = require("aish_history.command.lines")
local names = require("aish_history.command.names")
local progress = require("aish_history.command.progress")

local verify = {
  summary = "Check files for damage; exits with 1 if there is some.",
  description = "Check files for damage: the memory and all sessions, if no PATH is given. Each problem is a line "
    .. "FILE:LINE: REASON. Damaged text is kept where it is; what stands whole beside it is read.",
}

function verify.options(parser)
  parser:argument("path", "The path of a file, or the name of a session as show takes it."):args("*"):argname("PATH")
  parser:flag("--json", "Print JSON, a report of a file a line.")
end

local EINVAL = 22

-- The report of a file; one that is not of the format has this as its problem.
local function report_of(path)
  local report, message, errno = aish_history.verify(path)
  if report or errno ~= EINVAL then return report, message end
  return { bytes = 0, records = 0, problems = { { line = 1, offset = 0, reason = message } } }
end

local function write(context, path, report)
  local name = files.show(context, path)
  for _, problem in ipairs(report.problems) do
    context.out:write(context:paint("yellow", name), ":", ("%.0f"):format(problem.line), ": ",
      aish_history.display(problem.reason), "\n")
  end
end

-- The paths of the files that are named; of one that is not there, its name.
local function named(args, context)
  local paths = {}
  for index, name in ipairs(args.path) do paths[index] = names.find(context, name) or name end
  return paths
end

local function write_total(context, read, records, problems, unread)
  local total = { lines.count(read, "file"), lines.count(records, "record"), lines.count(problems, "problem") }
  if unread > 0 then total[4] = lines.count(unread, "file") .. " could not be read" end
  context.out:write(table.concat(total, ", "), "\n")
end

function verify.run(args, context)
  local paths = args.path[1] and named(args, context) or files.all(context)
  if #paths == 0 then context.missing("no files in " .. context.dir) end
  local records, problems, unread = 0, 0, 0
  local tell, done = progress.new(context)
  for index, path in ipairs(paths) do
    tell(("checking %d of %d: %s"):format(index, #paths, files.show(context, path)))
    local report, message = report_of(path)
    if not report then
      context.warn(message)
      unread = unread + 1
    else
      records, problems = records + report.records, problems + #report.problems
      report.path = path
      if args.json then context:json(report) else write(context, path, report) end
    end
  end
  done()
  if not args.json then write_total(context, #paths - unread, records, problems, unread) end
  return unread > 0 and 3 or problems > 0 and 1 or 0
end

return verify
