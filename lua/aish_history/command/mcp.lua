--- The command mcp: a server of the Model Context Protocol on standard input and output.
--
-- One process serves one client, a request at a time, and ends with its input. Nothing but messages of the
-- protocol goes to the output. See aish_history.mcp.rpc for the messages, .tools and .resources for what
-- they reach.
local aish_history = require("aish_history")
local terminal = require("aish_history.command.terminal")
local resources = require("aish_history.mcp.resources")
local rpc = require("aish_history.mcp.rpc")
local tools = require("aish_history.mcp.tools")

-- The revisions of the protocol, the newest first.
local REVISIONS = { "2025-06-18", "2025-03-26", "2024-11-05" }

-- The most bytes of a line. What one client asks is far below it.
local MOST = 1024 * 1024

local INSTRUCTIONS = "The memory and the past sessions of the user's shell. Recall before you ask the user what "
  .. "they may have said before; remember what will still matter in other sessions."

--- The next line of a file without its newline, also of a file that goes on for ever: false for one of more
-- than MOST bytes, which is passed over; nil at the end. A read of more than a byte would wait for the rest.
local function read_line(file)
  local bytes, count, chunks = {}, 0, {}
  local byte = file:read(1)
  if not byte then return nil end
  while byte and byte ~= "\n" do
    count = count + 1
    bytes[#bytes + 1] = byte
    if #bytes == 4096 then
      if count <= MOST then chunks[#chunks + 1] = table.concat(bytes) end
      bytes = {}
    end
    byte = file:read(1)
  end
  return count <= MOST and table.concat(chunks) .. table.concat(bytes)
end

--- The revision that is spoken where the client asks for one.
local function revision(asked)
  for _, known in ipairs(REVISIONS) do
    if known == asked then return known end
  end
  return REVISIONS[1]
end

--- The method initialize, by which the client gets its name.
local function initialize(server, params)
  local client = rpc.is_object(params.clientInfo) and params.clientInfo.name
  if type(params.protocolVersion) ~= "string" then
    rpc.fail(rpc.INVALID_PARAMS, "protocolVersion must be of type string")
  end
  if type(client) ~= "string" then rpc.fail(rpc.INVALID_PARAMS, "clientInfo.name must be of type string") end
  server.client = aish_history.display(client, 60)
  return {
    protocolVersion = revision(params.protocolVersion),
    capabilities = { tools = rpc.object({}), resources = rpc.object({}) },
    serverInfo = { name = "aish-history", title = "Shell history", version = aish_history._VERSION },
    instructions = INSTRUCTIONS,
  }
end

local METHODS = {
  ["tools/list"] = tools.list,
  ["tools/call"] = tools.call,
  ["resources/list"] = resources.list,
  ["resources/read"] = resources.read,
  ["resources/templates/list"] = resources.templates,
}

--- The methods of a server, which must know its client before it serves it.
local function methods_of(server)
  local methods = {
    initialize = function(params) return initialize(server, params) end,
    ping = function() return rpc.object({}) end,
  }
  for name, method in pairs(METHODS) do
    methods[name] = function(params)
      if not server.client then rpc.fail(rpc.INVALID_REQUEST, "Invalid Request: initialize comes first") end
      return method(server, params)
    end
  end
  return methods
end

local function answer(methods, line)
  if line then return rpc.answer(methods, line) end
  return rpc.encode(rpc.failure(nil, rpc.PARSE_ERROR, ("Parse error: a line of more than %d bytes"):format(MOST)))
end

--- Serves until the input ends; writing to a client that no longer reads ends it too.
local function run(_, context)
  if terminal.is(0) then context.warn("waiting for an MCP client on standard input; Ctrl-D ends it") end
  local server = { context = context }
  local methods = methods_of(server)
  local line = read_line(io.stdin)
  while line ~= nil do
    local text = (not line or line:find("%S")) and answer(methods, line)
    if text then
      context.out:write(text, "\n")
      context.out:flush()
    end
    line = read_line(io.stdin)
  end
  return 0
end

return {
  summary = "Share the memory and the sessions with other agents.",
  description = "A server of the Model Context Protocol on standard input and output, which an agent starts: tools "
    .. "recall, remember and forget over the memory, and the sessions as resources that can be read.",
  options = function() end,
  run = run,
}
