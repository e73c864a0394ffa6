--- aish-history doctor: what is there, what is wrong with it, and what to do.
local aish_history = require("aish_history")
local checks = require("aish_history.doctor.checks")
local lines = require("aish_history.command.lines")
local options = require("aish_history.command.options")

local doctor = {
  summary = "Say what is wrong with the history, and what to do.",
  description = "Look at the versions, the files and their damage, locks and who holds them, the file system, modes "
    .. "and git's merge attribute. Exits with 1 if something needs to be done. Nothing is changed.",
}

function doctor.options(parser) options.json(parser) end

local STYLES = { ok = "green", note = "yellow", fix = "red" }
local MARGIN = ("%-6s"):format("")

--- Writes a text behind a label, in lines that fit a terminal.
local function write(context, label, style, text)
  local safe = aish_history.display(text)
  for _, line in ipairs(context.tty and lines.wrap(safe, math.max(context.width - #MARGIN, 20)) or { safe }) do
    context.out:write(context:paint(style, label), MARGIN:sub(#label + 1), line, "\n")
    label = ""
  end
end

function doctor.run(args, context)
  local code = 0
  context:page()
  local function report(status, subject, found, advice)
    if status == "fix" then code = 1 end
    if args.json then
      return context:json({ status = status, subject = subject, found = found, advice = advice })
    end
    write(context, status, STYLES[status], subject .. ": " .. found)
    if advice then write(context, "", nil, "-> " .. advice) end
  end
  local read = {}
  for _, check in ipairs(checks.all) do check(context, report, read) end
  return code
end

return doctor
