--- How a chat plugin of Neovim keeps its chats and recalls from them: to be copied.
--
--     local chats = require("chats").setup(vim.fn.stdpath("data") .. "/chats")
--
-- Each chat is a file of its own, which only grows; what the user wants kept is in one memory, which any
-- number of editors share. Every wait for a lock has an end that an editor can bear, no key or password
-- reaches a file, and what fails is shown and not raised.
local aish_history = require("aish_history")
local secrets = require("aish_history.secrets")

local LOCK = { wait = 0.1, redact = secrets.redact }
local chats = {}

--- `options` besides those of LOCK.
local function with(options) return vim.tbl_extend("error", LOCK, options) end

--- What a call returned; a failure is shown to the user.
local function shown(result, message, ...)
  if not result then vim.notify("chats: " .. message, vim.log.levels.ERROR) end
  return result, message, ...
end

--- Where the files are; a memory that all chats share. Returns the plugin.
function chats.setup(dir)
  chats.dir = dir
  chats.memory = shown(aish_history.open(dir .. "/memory.jsonl", with({ shared = true, unique = true })))
  vim.api.nvim_create_user_command("ChatRemember", function(command) chats.remember(command.args) end, { nargs = 1 })
  return chats
end

--- Begins a chat, or goes on with that of `path`, in which no other editor may write meanwhile.
function chats.begin(path, meta)
  path = path or ("%s/sessions/%s-%d.jsonl"):format(chats.dir, os.date("!%Y-%m-%dT%H-%M-%SZ"), vim.fn.getpid())
  chats.session = shown(aish_history.session(path, meta, with({ exclusive = true })))
  return chats.session and aish_history.load(path)
end

--- Keeps one turn: { role =, content =, ... }, as it came from a server, with vim.NIL for null.
function chats.say(turn)
  turn.ts = turn.ts or os.date("!%Y-%m-%dT%H:%M:%SZ")
  return shown(chats.session:append(turn))
end

--- Keeps what is to be known in every chat.
function chats.remember(content)
  return shown(chats.memory:add("fact", content))
end

--- What bears on a prompt, of the memory and of all chats, as lines to put before it: at most `bytes` each.
function chats.recall(prompt, bytes)
  local lines = {}
  for _, item in ipairs(shown(chats.memory:recall(prompt, { budget = bytes })) or {}) do lines[#lines + 1] = item.content end
  for _, hit in ipairs(shown(aish_history.recall(chats.dir .. "/sessions", prompt, { budget = bytes })) or {}) do
    lines[#lines + 1] = hit.role .. ": " .. hit.text
  end
  return lines
end

--- Lets the user choose an older chat, and calls `done` with its turns.
function chats.pick(done)
  local list = aish_history.sessions(chats.dir .. "/sessions", { empty = false, count = false, limit = 200 })
  vim.ui.select(shown(list) or {}, {
    prompt = "Chat",
    format_item = function(one) return aish_history.display(one.name .. "  " .. (one.first or ""), 70) end,
  }, function(one) if one then done(chats.begin(one.path)) end end)
end

return chats
