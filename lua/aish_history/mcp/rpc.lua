--- JSON-RPC 2.0, a message a line: from the text of a request to the text of its answer.
--
-- The JSON is read and written by aish_history's own codec and not by lua-cjson, which would give ids back
-- with 14 digits and let raw bytes of old files out. It is strict, keeps integers, and tells `{}` from `[]`.
-- It reads null as nothing: a request whose id is null, which the protocol forbids, counts as a notification.
local aish_history = require("aish_history")

local rpc = {
  PARSE_ERROR = -32700,
  INVALID_REQUEST = -32600,
  METHOD_NOT_FOUND = -32601,
  INVALID_PARAMS = -32602,
  INTERNAL_ERROR = -32603,
}

local OBJECT = { __jsontype = "object" }
local FAULT = {}

--- Marks a table as a JSON object, also where it is empty; returns it.
function rpc.object(members) return setmetatable(members, OBJECT) end

--- Whether a decoded value was a JSON object.
function rpc.is_object(value)
  if type(value) ~= "table" then return false end
  local mark = getmetatable(value)
  return (mark and mark.__jsontype == "object" or type((next(value))) == "string") or false
end

--- Ends a method with an error of the protocol. code: number; message: string; data: any value, or nil.
function rpc.fail(code, message, data)
  error(setmetatable({ code = code, message = message, data = data }, FAULT), 0)
end

--- A value as one line of JSON that every strict reader takes: a byte that is no text, which the codec
-- writes as a lone surrogate, becomes U+FFFD. Raises where the value cannot be written.
function rpc.encode(value)
  local text = assert(aish_history.encode(value))
  if not text:find("\\ud[89a-f]%x%x") then return text end
  -- Escaped backslashes step aside. The text has no NUL of its own.
  return (text:gsub("\\\\", "\0"):gsub("\\ud[89a-f]%x%x", "\239\191\189"):gsub("%z", "\\\\"))
end

--- The answer with an error, as a table.
function rpc.failure(id, code, message, data)
  return { jsonrpc = "2.0", id = id or aish_history.null, error = { code = code, message = message, data = data } }
end

local function succeed(id, result) return { jsonrpc = "2.0", id = id, result = result } end

local function call(methods, message)
  local method, params = methods[message.method], message.params
  if not method then rpc.fail(rpc.METHOD_NOT_FOUND, "Method not found: " .. message.method) end
  if params ~= nil and not rpc.is_object(params) then rpc.fail(rpc.INVALID_PARAMS, "params must be an object") end
  return method(params or rpc.object({}))
end

local function is_id(id) return type(id) == "string" or type(id) == "number" end

--- The id of what may be no message; nil where it has none.
local function id_of(message)
  return rpc.is_object(message) and is_id(message.id) and message.id or nil
end

--- What is wrong with a message that is no request, notification or response; nil where nothing is.
local function flaw(message)
  if not rpc.is_object(message) then return "a message must be an object" end
  if message.jsonrpc ~= "2.0" then return 'jsonrpc must be "2.0"' end
  if message.id ~= nil and not is_id(message.id) then return "id must be a string or a number" end
  if type(message.method) == "string" then return nil end
  if message.method ~= nil then return "method must be a string" end
  if message.result == nil and message.error == nil then return "method is missing" end
end

--- The text of an answer: of one that cannot be written, which nests too deep, that of an error.
local function write(answer)
  local done, text = pcall(rpc.encode, answer)
  return done and text or rpc.encode(rpc.failure(answer.id, rpc.INTERNAL_ERROR, "Internal error: " .. text))
end

--- The answer to one message, as a table; nil where there is none. Notifications do nothing, and responses
-- answer nothing, as the server asks its client nothing.
local function answer_one(methods, message)
  local wrong = flaw(message)
  if wrong then return rpc.failure(id_of(message), rpc.INVALID_REQUEST, "Invalid Request: " .. wrong) end
  if message.id == nil or not message.method then return nil end
  local done, result = pcall(call, methods, message)
  if done then return succeed(message.id, result) end
  if getmetatable(result) ~= FAULT then
    return rpc.failure(message.id, rpc.INTERNAL_ERROR, "Internal error: " .. tostring(result))
  end
  return rpc.failure(message.id, result.code, result.message, result.data)
end

--- The text of the answers to a batch, which revision 2025-03-26 of the protocol has; nil where there are none.
local function answer_batch(methods, messages)
  if #messages == 0 then return write(rpc.failure(nil, rpc.INVALID_REQUEST, "Invalid Request: an empty batch")) end
  local answers = {}
  for _, message in ipairs(messages) do
    local answer
    if rpc.is_object(message) and message.method == "initialize" then
      answer = rpc.failure(id_of(message), rpc.INVALID_REQUEST, "Invalid Request: initialize must not be in a batch")
    else
      answer = answer_one(methods, message)
    end
    if answer then answers[#answers + 1] = write(answer) end
  end
  return #answers > 0 and "[" .. table.concat(answers, ",") .. "]" or nil
end

--- Answers one line. methods: table from the name of a method to a function that takes the params, an
-- object, and returns the result; text: string. Returns the answer as one line of JSON without a newline,
-- or nil where there is none.
function rpc.answer(methods, text)
  local message, reason = aish_history.decode(text)
  if message == nil and reason then return write(rpc.failure(nil, rpc.PARSE_ERROR, "Parse error: " .. reason)) end
  if type(message) == "table" and not rpc.is_object(message) then return answer_batch(methods, message) end
  local answer = answer_one(methods, message)
  return answer and write(answer)
end

return rpc
