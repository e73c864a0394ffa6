--- The tools of the server: recall, remember and forget.
--
-- The memory is opened when it is first needed, in shared mode: the lock is held for each write only, so
-- that shells beside it add too. Recalling makes no file.
local aish_history = require("aish_history")
local files = require("aish_history.command.files")
local resources = require("aish_history.mcp.resources")
local rpc = require("aish_history.mcp.rpc")
local schema = require("aish_history.mcp.schema")

local ENOENT = 2
local MOST_ID = 2 ^ 53 - 1
local KINDS = { "fact", "pref", "context" }

local function words(description) return { type = "string", description = description } end
local function integer(least, most, description)
  return { type = "integer", minimum = least, maximum = most, description = description }
end
local function list(items, description) return { type = "array", items = items, description = description } end
local function object(properties, required)
  return { type = "object", properties = properties, required = required }
end

-- ---- the memory ----

--- The open memory; nil and a message where it cannot be opened, nil alone where there is none and `make`
-- is false.
local function open_memory(server, make)
  local path = server.context.memory
  if not server.memory and (make or files.exists(path)) then
    local memory, message = aish_history.open(path, { shared = true, unique = true })
    if not memory then return nil, message end
    server.memory = memory
  end
  return server.memory
end

-- ---- recall ----

local MEMBERS = { "id", "kind", "content", "tags", "source", "ts", "score" }

local function shown_item(item)
  local shown = {}
  for _, name in ipairs(MEMBERS) do shown[name] = item[name] end
  return shown
end

local function shown_hit(hit)
  local name = hit.path:match("[^/]+$")
  return { uri = resources.uri(name), session = name, line = hit.line, role = hit.role, ts = hit.ts,
    text = hit.text, score = hit.score }
end

local function show_all(results, show)
  local shown = {}
  for index, result in ipairs(results) do shown[index] = show(result) end
  return shown
end

--- How many bytes the contents of items have in all; other programs may write one that is no text.
local function bytes_of(items)
  local bytes = 0
  for _, item in ipairs(items) do bytes = bytes + (type(item.content) == "string" and #item.content or 0) end
  return bytes
end

--- What was said that bears on a text; nothing where nothing was said yet.
local function recall_sessions(server, text, opts)
  local hits, message, errno = aish_history.recall(server.context.sessions, text, opts)
  if not hits and errno == ENOENT then return {} end
  return hits, message
end

--- What is known first; what was said, in the room that it leaves.
local function recall(server, arguments)
  local limit, budget = arguments.limit or 10, arguments.budget or 16384
  local memory, message = open_memory(server, false)
  if message then return nil, message end
  local items, hits = {}
  if memory then items, message = memory:recall(arguments.text, { limit = limit, budget = budget }) end
  if not items then return nil, message end
  hits, message = recall_sessions(server, arguments.text, { limit = limit, budget = budget - bytes_of(items) })
  if not hits then return nil, message end
  return { memory = show_all(items, shown_item), sessions = show_all(hits, shown_hit) }
end

-- ---- remember and forget ----

--- A message with the process that holds the lock, where that is why.
local function with_holder(message, holder)
  return holder and ("%s; process %d holds it"):format(message, holder) or message
end

local function remember(server, arguments)
  local memory, message = open_memory(server, true)
  if not memory then return nil, message end
  local id, known, _, holder = memory:add(arguments.kind, arguments.content, arguments.tags, "mcp:" .. server.client)
  if not id then return nil, with_holder(known, holder) end
  return { id = id, known = known == true }
end

local function forget(server, arguments)
  local memory, message = open_memory(server, false)
  if message then return nil, message end
  if not memory then return nil, ("no active item %.0f"):format(arguments.id) end
  local done, left, _, holder = memory:forget(arguments.id)
  if not done then return nil, with_holder(left, holder) end
  return { forgotten = arguments.id, left = left or 0 }
end

-- ---- the list ----

-- Each is listed as it is, without `run`.
local TOOLS = {
  {
    name = "recall",
    title = "Recall",
    description = "What is known about the user and their machines, and what was said in earlier sessions of "
      .. "their shell, that bears on a question or a prompt; best first. Any word of the text counts, in any "
      .. "language. A blank text gives the newest.",
    inputSchema = object({
      text = words("A question, a prompt, or some words."),
      limit = integer(1, 100, "At most so many of each, the memory's items and what was said (10)."),
      budget = integer(0, 1048576, "At most so many bytes of text in all (16384)."),
    }, { "text" }),
    outputSchema = object({
      memory = list(object({ id = integer(1, MOST_ID), kind = words(), content = { description = "What is known." } })),
      sessions = list(object({ uri = words(), session = words(), line = integer(1), text = words() })),
    }, { "memory", "sessions" }),
    annotations = { readOnlyHint = true, openWorldHint = false },
    run = recall,
  },
  {
    name = "remember",
    title = "Remember",
    description = "Keeps one thing about the user in the memory that all their shells and agents share. What is "
      .. "known already is not added again. Never give it passwords or keys.",
    inputSchema = object({
      kind = { type = "string", enum = KINDS, description = "fact: what is so; pref: what the user wants; context: "
        .. "what they are at." },
      content = { type = "string", minLength = 1, description = "One short sentence that can be understood alone." },
      tags = list({ type = "string" }, "Words to find it by."),
    }, { "kind", "content" }),
    outputSchema = object({
      id = integer(1, MOST_ID, "The item's id."),
      known = { type = "boolean", description = "Whether it was there already." },
    }, { "id", "known" }),
    annotations = { readOnlyHint = false, destructiveHint = false, idempotentHint = true, openWorldHint = false },
    run = remember,
  },
  {
    name = "forget",
    title = "Forget",
    description = "Takes one item out of the memory, for all shells and agents.",
    inputSchema = object({ id = integer(1, MOST_ID, "The item's id, as recall gives it.") }, { "id" }),
    outputSchema = object({
      forgotten = integer(1, MOST_ID),
      left = integer(0, nil, "How many other items have this id."),
    }, { "forgotten", "left" }),
    annotations = { readOnlyHint = false, destructiveHint = true, idempotentHint = false, openWorldHint = false },
    run = forget,
  },
}

local tools = {}

--- The method tools/list: all tools on one page.
function tools.list()
  local listed = {}
  for index, tool in ipairs(TOOLS) do
    listed[index] = {}
    for name, value in pairs(tool) do
      if name ~= "run" then listed[index][name] = value end
    end
  end
  return { tools = listed }
end

local function find(name)
  for _, tool in ipairs(TOOLS) do
    if tool.name == name then return tool end
  end
  rpc.fail(rpc.INVALID_PARAMS, "Unknown tool: " .. tostring(name))
end

--- The method tools/call. server: table of context, client and memory; params: table. What the tool itself
-- cannot do is a result with isError, which the model reads; wrong arguments are an error of the protocol.
function tools.call(server, params)
  local tool = find(params.name)
  local arguments = params.arguments == nil and rpc.object({}) or params.arguments
  local wrong = schema.check(tool.inputSchema, arguments, nil)
  if wrong then rpc.fail(rpc.INVALID_PARAMS, ("Invalid arguments of %s: %s"):format(tool.name, wrong)) end
  local result, message = tool.run(server, arguments)
  if not result then return { content = { { type = "text", text = message } }, isError = true } end
  return { content = { { type = "text", text = rpc.encode(result) } }, structuredContent = result }
end

return tools
