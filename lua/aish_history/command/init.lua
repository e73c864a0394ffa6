--- The `aish-history` command: finds out which command is asked for, loads it and runs it.
--
-- A command is a file of this folder that returns a table:
--
--     { summary = "One line.",                -- for help, man page and completions
--       description = "More.",                -- optional, for its own help and the man page
--       options = function(parser) end,       -- adds its options and arguments to argparse's parser
--       run = function(args, context) end }   -- takes what was parsed; returns the exit code
--
-- Exit codes: 0; 1 nothing found, or problems found; 2 wrong use; 3 a failure. Of 2 and 3, and of 1 where
-- the output does not say it, one line on standard error tells what it was and what to do.
local context = require("aish_history.command.context")

-- In the order of the help.
local COMMANDS = { "sessions", "show", "search", "recall", "memory", "verify", "compact", "erase", "stats", "doctor",
  "mcp" }

local NAME = "aish-history"
local WORDS_OF_OPTION = { ["--dir"] = 2, ["--color"] = 2, ["--no-pager"] = 1 }

-- What may stand before and behind any command.
local function add_options(parser)
  parser:option("--dir", "The directory of the history (default: $AISH_HISTORY_DIR, else aish in "
    .. "$XDG_STATE_HOME or in ~/.local/state)."):argname("DIR")
  parser:option("--color", "Whether to use colour (default: auto, on a terminal unless $NO_COLOR is set).")
    :choices({ "auto", "always", "never" }):argname("WHEN")
  parser:flag("--no-pager", "Never show the output through $PAGER.")
  parser:flag("--version", "Print the version and exit."):action(function()
    print(NAME .. " " .. require("aish_history")._VERSION)
    os.exit(0)
  end)
  parser:add_complete({ "--completion", argname = "SHELL", description = "Print completions for a shell and exit." })
  parser:flag("--man", "Print the man page and exit."):action(function()
    io.write(require("aish_history.command.man")(parser))
    os.exit(0)
  end)
end

-- The command that the words of the command line ask for, and which of them it is; nil where an option asks for
-- something else.
local function command_of(words)
  local index = 1
  while words[index] do
    local option = words[index]:match("^%-%-[^=]+")
    if not option then return words[index], index end
    if not WORDS_OF_OPTION[option] then return nil end
    index = index + (words[index] == option and WORDS_OF_OPTION[option] or 1)
  end
end

local function known(wanted)
  for _, name in ipairs(COMMANDS) do
    if name == wanted then return true end
  end
  return false
end

-- The words, with options for the commands that only stand for one.
local function plain(words)
  local all = {}
  for place, word in ipairs(words) do all[place] = word end
  local command, index = command_of(all)
  if command == "version" then all[index] = "--version" end
  if command == "help" then
    table.remove(all, index)
    all[#all + 1] = "--help"
  end
  return all
end

-- A command's name as it is typed, with those of what it belongs to.
local function full_name(parser)
  return parser._parent and full_name(parser._parent) .. " " .. parser._name or parser._name
end

-- Ends the command for what a parser says: on one line, with a hint at the help that has the option. That a
-- letter is like -h says nothing.
local function refuse(parser, message)
  local option = message:match("option '(%-%-[^']+)'")
  if message:find("^unknown option '%-[^-]'") then message = message:match("^[^\n]*") end
  context.usage(message:gsub("\nDid", "; did"), WORDS_OF_OPTION[option] and NAME or full_name(parser))
end

-- A parser that knows all commands, but the options of none but the one that is asked for: of all where
-- it is not one of them.
local function make_parser(words)
  local found, argparse = pcall(require, "argparse")
  if not found then context.fail("argparse is missing; install Debian's lua-argparse, or the rock argparse") end
  local parser = argparse(NAME, "See, find, correct, check and erase the history of the aish shell.")
  parser:command_target("command"):help_max_width(79):usage_max_width(79)
  add_options(parser)
  local wanted = command_of(words)
  for _, name in ipairs(COMMANDS) do
    local command = parser:command(name):help_max_width(79)
    if name == wanted or not known(wanted) then
      local loaded = require("aish_history.command." .. name)
      command:summary(loaded.summary):description(loaded.description or loaded.summary)
      loaded.options(command)
    end
  end
  parser.error = refuse
  return parser
end

-- Words like -1, which name a session, are no options: argparse sees them behind a byte that nobody types.
local function hide_numbers(words)
  local hidden, options = {}, true
  for index, word in ipairs(words) do
    options = options and word ~= "--"
    hidden[index] = options and word:find("^%-%d+$") and "\1" .. word or word
  end
  return hidden
end

local function show_numbers(values)
  for name, value in pairs(values) do
    if type(value) == "table" then show_numbers(value)
    elseif type(value) == "string" then values[name] = value:gsub("^\1(%-%d+)$", "%1") end
  end
  return values
end

local function run(words)
  local args = show_numbers(make_parser(words):parse(hide_numbers(words)))
  local current = context.new(args)
  local done, result = pcall(require("aish_history.command." .. args.command).run, args, current)
  current.out:close() -- also of a command that failed, whose pager the user may be reading
  if done then return result end
  if type(result) == "table" then
    result.help = ("%s %s %s"):format(NAME, args.command, args.action or ""):gsub(" $", "")
  end
  error(result, 0)
end

local WRONG_USE, FAILURE, INTERRUPTED = 2, 3, 130

-- Says what was raised, and makes an exit code of it. A closed pipe, which has no message, ends the
-- command quietly, as Ctrl-C does.
local function failed(raised)
  if tostring(raised):find("interrupted!", 1, true) then return INTERRUPTED end
  if type(raised) ~= "table" then raised = { code = FAILURE, message = tostring(raised):match("^[^\n]*") } end
  local hint = raised.code == WRONG_USE and (" (see %s --help)"):format(raised.help or NAME) or ""
  if raised.message then context.warn(raised.message:gsub("\1", "") .. hint) end
  return raised.code
end

--- Runs the command that an array of words asks for; returns the exit code.
return function(words)
  local done, result = pcall(run, plain(words))
  return done and result or failed(result)
end
