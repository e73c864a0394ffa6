--- aish-history search: what was said and what is remembered, by its words.
local aish_history = require("aish_history")
local highlight = require("aish_history.command.highlight")
local hits = require("aish_history.command.hits")
local memories = require("aish_history.command.memories")
local options = require("aish_history.command.options")
local progress = require("aish_history.command.progress")

local MUCH = 400e6 -- bytes that take about half a second

local search = {
  summary = "Search the memory and the sessions for words.",
  description = "Search the memory and the sessions for words. Found is what has all of them, whole or as a part of "
    .. "a word, whatever their case and marks.",
}

function search.options(parser)
  parser:argument("words", "What to search for; behind -- it may begin with a dash."):args("+"):argname("WORDS")
  options.role(parser)
  options.since(parser, "Only what was said or noted at TIME or later.")
  options.before(parser, "Only what was said or noted before TIME.")
  options.limit(parser, "At most N of the memory and N of the sessions (default: 20).")
  parser:flag("--exact", "Search for the words as one literal text.")
  options.where(parser)
  options.json(parser)
end

-- What was found, and whether everything could be read.
local function find(args, context, query)
  local found, whole = {}, true
  local filter = { since = args.since, before = args.before, limit = args.limit, exact = args.exact }
  if not args.sessions and not args.role then
    hits.append(found, memories.read(context, function(memory) return memory:search(query, filter) end))
  end
  if not args.memory then
    filter.role = args.role
    local said
    said, whole = hits.said(context, progress.during(context, MUCH, function()
      return aish_history.search(context.sessions, query, filter)
    end))
    hits.append(found, said)
  end
  return found, whole
end

-- What the module raises of a query, and what a user is told.
local FLAWS = {
  ["query is empty"] = "there is nothing to search for",
  ["query is longer"] = "a search has at most 64 words and 4096 bytes; recall takes a longer text",
}

-- Ends the command where nothing can be searched for.
local function check(args, context, query)
  local fine, raised = pcall(aish_history.search, context.sessions, query, { exact = args.exact, limit = 0 })
  for flaw, message in pairs(fine and {} or FLAWS) do
    if raised:find(flaw, 1, true) then context.usage(message) end
  end
end

function search.run(args, context)
  local query = table.concat(args.words, " ")
  check(args, context, query)
  local found, whole = find(args, context, query)
  if #found == 0 then hits.none(context, whole) end
  local function mark(text) return context:paint("match", text) end
  hits.write(context, found, args.json, highlight(query, args.exact, mark))
  return 0
end

return search
