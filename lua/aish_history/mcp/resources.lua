--- Sessions as read-only resources, newest first.
local aish_history = require("aish_history")
local rpc = require("aish_history.mcp.rpc")

local PREFIX = "aish-history://sessions/"
local TYPE = "application/jsonl"
local NOT_FOUND = -32002
local ENOENT = 2

local PAGE = 100
-- The most bytes of a session that one answer has; of a longer one the end.
local MOST = 1024 * 1024

local resources = {}

--- The address of a session. name: string, its file's.
function resources.uri(name)
  return PREFIX .. name:gsub("[^%w%-._~]", function(byte) return ("%%%02X"):format(byte:byte()) end)
end

--- The name of the session at an address; nil where it is none: nothing outside of the directory has one.
local function name_of(uri)
  if type(uri) ~= "string" or uri:sub(1, #PREFIX) ~= PREFIX then return nil end
  local name = uri:sub(#PREFIX + 1):gsub("%%(%x%x)", function(code) return string.char(tonumber(code, 16)) end)
  return not name:find("[/%z]") and name:find("^[^.].*%.jsonl$") and name or nil
end

local function describe(session)
  local resource = { uri = resources.uri(session.name), name = session.name, mimeType = TYPE, size = session.bytes }
  if session.first then resource.description = (aish_history.display(session.first, 100)) end
  if session.mtime then
    resource.annotations = { lastModified = os.date("!%Y-%m-%dT%H:%M:%SZ", session.mtime) }
  end
  return resource
end

--- The method resources/list, a page at a time. The cursor is the address of the last one of the page before.
function resources.list(server, params)
  local before = name_of(params.cursor)
  if params.cursor ~= nil and not before then rpc.fail(rpc.INVALID_PARAMS, "Invalid cursor") end
  local sessions, message = aish_history.sessions(server.context.sessions,
    { before = before, limit = PAGE + 1, count = false, empty = false })
  if not sessions then rpc.fail(rpc.INTERNAL_ERROR, message) end
  local page = { resources = {} }
  for index = 1, math.min(#sessions, PAGE) do page.resources[index] = describe(sessions[index]) end
  if #sessions > PAGE then page.nextCursor = page.resources[PAGE].uri end
  return page
end

--- The last lines of a session, at most MOST bytes, and how many there are before them; nil, message, errno.
local function read(path)
  local scan, message, errno = aish_history.scan(path)
  if not scan then return nil, message, errno end
  local lines, first, last, bytes = {}, 1, 0, 0
  for _, record in scan do
    last = last + 1
    lines[last] = rpc.encode(record)
    bytes = bytes + #lines[last] + 1
    while bytes > MOST do
      bytes = bytes - #lines[first] - 1
      lines[first] = nil
      first = first + 1
    end
  end
  return table.concat(lines, "\n", first, last), first - 1
end

--- The method resources/read: a session's records as JSON lines, the meta among them. Where the beginning was
-- left out, `_meta` says how many records that were.
function resources.read(server, params)
  if type(params.uri) ~= "string" then rpc.fail(rpc.INVALID_PARAMS, "uri must be of type string") end
  local name = name_of(params.uri)
  if not name then rpc.fail(NOT_FOUND, "Resource not found", { uri = params.uri }) end
  local text, omitted, errno = read(server.context.sessions .. "/" .. name)
  if not text and errno == ENOENT then rpc.fail(NOT_FOUND, "Resource not found", { uri = params.uri }) end
  if not text then rpc.fail(rpc.INTERNAL_ERROR, omitted) end
  local contents = { uri = params.uri, mimeType = TYPE, text = text }
  if omitted > 0 then contents._meta = { ["aish-history/omitted"] = omitted } end
  return { contents = { contents } }
end

--- The method resources/templates/list: there are none.
function resources.templates() return { resourceTemplates = {} } end

return resources
