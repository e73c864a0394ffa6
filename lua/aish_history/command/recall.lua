--- aish-history recall: what is known, and what was said, that bears on a text.
local aish_history = require("aish_history")
local hits = require("aish_history.command.hits")
local memories = require("aish_history.command.memories")
local options = require("aish_history.command.options")
local progress = require("aish_history.command.progress")

local MUCH = 40e6 -- bytes that take about half a second

local recall = {
  summary = "Show what is known and was said that bears on a text.",
  description = "Show what is known and was said that bears on a question or a prompt, best first: the memory, then "
    .. "the sessions. Any word of it counts, rare ones most.",
}

function recall.options(parser)
  parser:argument("text", "The text; - reads it from standard input."):args("+"):argname("TEXT")
  options.number(parser, "--budget", "At most N bytes of text in all.")
  options.limit(parser, "At most N of the memory and N of the sessions (default: 20).")
  options.since(parser, "Only what was said or noted at TIME or later.")
  options.before(parser, "Only what was said or noted before TIME.")
  options.where(parser)
  options.json(parser)
end

-- What was found, and whether everything could be read. The memory comes first; the sessions have what it
-- leaves of the budget.
local function find(args, context, text)
  local found, whole = {}, true
  local filter = { budget = args.budget, limit = args.limit, since = args.since, before = args.before }
  if not args.sessions then
    hits.append(found, memories.read(context, function(memory) return memory:recall(text, filter) end))
  end
  for _, item in ipairs(filter.budget and found or {}) do filter.budget = filter.budget - #item.content end
  if not args.memory then
    local said
    said, whole = hits.said(context, progress.during(context, MUCH, function()
      return aish_history.recall(context.sessions, text, filter)
    end))
    hits.append(found, said)
  end
  return found, whole
end

function recall.run(args, context)
  local found, whole = find(args, context, options.text(args.text))
  if #found == 0 then hits.none(context, whole) end
  hits.write(context, found, args.json)
  return 0
end

return recall
