--- aish-history memory: lists, adds, changes and forgets memories.
local aish_history = require("aish_history")
local columns = require("aish_history.command.columns")
local files = require("aish_history.command.files")
local memories = require("aish_history.command.memories")
local options = require("aish_history.command.options")
local times = require("aish_history.command.times")

local memory = { summary = "List, add, change and forget memories." }

-- ---- list ----

local list = { summary = "List the memories, newest first." }

-- KEY=VALUE, where a VALUE that is JSON of a string, a number or a boolean is that.
local function member(text)
  local name, value = text:match("^([^=]+)=(.*)$")
  if not name then return nil, ("'%s' is not of the form KEY=VALUE"):format(text) end
  local decoded = aish_history.decode(value)
  if decoded == nil or type(decoded) == "table" then decoded = value end
  return { name, decoded }
end

function list.options(parser)
  parser:option("--kind", "Only memories of KIND: fact, pref or context."):argname("KIND"):count("*")
    :choices({ "fact", "pref", "context" })
  parser:option("--tag", "Only memories with TAG."):argname("TAG")
  parser:option("--source", "Only memories from SOURCE."):argname("SOURCE")
  parser:option("--where", "Only memories whose member KEY is VALUE: a text, a number, true or false; "
    .. "a text that looks like one of these has quotes in it: 'n=\"3\"'.")
    :argname("KEY=VALUE"):count("*"):convert(member)
  options.since(parser, "Only memories of TIME or later.")
  options.before(parser, "Only memories from before TIME.")
  options.limit(parser, "At most N memories.")
  options.json(parser)
end

local COLUMNS = {
  { title = "ID", right = true, style = "yellow" },
  { title = "KIND", style = "green", drop = 3 },
  { title = "WHEN", style = "dim", drop = 2 },
  { title = "TAGS", style = "cyan", most = 20, drop = 1 },
  { title = "CONTENT" },
}

local function filter_of(args)
  local where = {}
  for _, pair in ipairs(args.where) do where[pair[1]] = pair[2] end
  return { kind = args.kind[1] and args.kind, tag = args.tag, source = args.source, where = next(where) and where,
    since = args.since, before = args.before, limit = args.limit }
end

local function row(item)
  local tags = type(item.tags) == "table" and item.tags or {}
  local shown = {}
  for index, tag in ipairs(tags) do shown[index] = tostring(tag) end
  return { ("%.0f"):format(item.id), item.kind, times.show(item.ts), table.concat(shown, " "), item.content }
end

function list.run(args, context)
  local items, message = aish_history.load_memory(context.memory, filter_of(args))
  if not items then context.fail(message) end
  files.warn_damaged(context, files.verify_memory(context).damaged, context.memory)
  if #items == 0 then context.missing("nothing found in " .. context.memory) end
  context:page()
  local rows = {}
  for index, item in ipairs(items) do
    if args.json then context:json(item) else rows[index] = row(item) end
  end
  if not args.json then columns(context, COLUMNS, rows) end
  return 0
end

-- ---- changes ----

-- Changes the memory through a handle whose writes wait for the lock.
local function change(args, context, call)
  return memories.locked(context, args.wait, function(wait)
    local handle, message, errno, process = aish_history.open(context.memory, { shared = true, wait = wait })
    if not handle then return nil, message, errno, process end
    return call(handle)
  end)
end

-- Ends the command where there is nothing to change, as opening the memory would make one.
local function need_memory(context)
  if not files.exists(context.memory) then context.missing("there is no memory yet in " .. context.dir) end
end

local function text_of(args, context)
  local text = options.text(args.text)
  if text == "" then context.usage("a memory has a text") end
  return text
end

local function tell(args, context, id)
  if args.json then
    context:json(memories.read(context, function(handle) return handle:get(id) end))
  else
    context.out:write(("%.0f"):format(id), "\n")
  end
  return 0
end

local add = { summary = "Add a memory; prints its id." }

function add.options(parser)
  parser:argument("kind", "fact, pref or context."):choices({ "fact", "pref", "context" }):argname("KIND")
  parser:argument("text", "What to remember; - reads it from standard input."):args("+"):argname("TEXT")
  parser:option("--tag", "A tag; may be given several times."):argname("TAG"):count("*")
  parser:option("--source", "Where it is from."):argname("SOURCE")
  options.wait(parser)
  options.json(parser)
end

function add.run(args, context)
  local item = { kind = args.kind, content = text_of(args, context), source = args.source,
    tags = args.tag[1] and args.tag }
  return tell(args, context, change(args, context, function(handle) return handle:add(item) end))
end

local update = { summary = "Put a new text in the place of a memory's; prints the new id." }

function update.options(parser)
  options.id(parser)
  parser:argument("text", "The new text; - reads it from standard input."):args("+"):argname("TEXT")
  options.wait(parser)
  options.json(parser)
end

function update.run(args, context)
  local changes = { content = text_of(args, context) }
  need_memory(context)
  local id, message = change(args, context, function(handle)
    local new, why, errno, process = handle:update(args.id, changes)
    if new == false and not errno then return "none", why end
    return new, why, errno, process
  end)
  if id == "none" then context.missing(message .. "; aish-history memory list shows them") end
  return tell(args, context, id)
end

local forget = { summary = "Forget memories." }

function forget.options(parser)
  options.id(parser):args("+")
  options.wait(parser)
end

function forget.run(args, context)
  need_memory(context)
  local code = 0
  for _, id in ipairs(args.id) do
    local done, message = change(args, context, function(handle)
      local forgotten, why, errno, process = handle:forget(id)
      if forgotten == false and not errno then return "none", why end
      return forgotten, why, errno, process
    end)
    if done == "none" then
      context.warn(message .. "; aish-history memory list shows them")
      code = 1
    elseif tonumber(message) and message > 0 then
      context.warn(("%.0f more with id %.0f; forget it again to forget them too"):format(message, id))
    end
  end
  return code
end

-- ---- the command ----

local COMMANDS = { "list", "add", "update", "forget" }
local ACTIONS = { list = list, add = add, update = update, forget = forget }

function memory.options(parser)
  parser:command_target("action")
  for _, name in ipairs(COMMANDS) do
    local action = ACTIONS[name]
    action.options(parser:command(name, action.summary):help_max_width(79))
  end
end

function memory.run(args, context)
  return ACTIONS[args.action].run(args, context)
end

return memory
