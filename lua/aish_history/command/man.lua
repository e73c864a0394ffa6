--- The man page: what argparse knows of the commands and their options, and what else there is to say.
local NAME = "aish-history"

local EXAMPLES = {
  "The sessions of the last week", "aish-history sessions --since 7d",
  "The newest session, as Markdown", "aish-history show -1 --markdown",
  "A session picked with fzf", "aish-history show $(aish-history sessions | "
    .. "fzf --header-lines=1 --preview 'aish-history show {1}' | cut -d' ' -f1)",
  "What was said and noted about backups since the new year", "aish-history search backups --since 2026-01-01",
  "What bears on a question", "echo 'Where do my backups go?' | aish-history recall - --budget 2000",
  "Something to remember", "aish-history memory add fact Backups go to /mnt/nas --tag disk",
  "The texts of all memories, for other programs", "aish-history memory list --json | jq -r .content",
  "Check everything", "aish-history verify",
  "What would be erased of a password, which stands in no list of processes", "aish-history erase <password.txt",
}

local SECTIONS = {
  { "TIMES", "TIME is 7d, 2h, 30m, 3w or 1y for how long ago, now, today, yesterday, a date like 2026-01-02 or with a "
    .. "time like '2026-01-02 10:15', in local time; or with its offset from UTC, like 2026-01-02T10:15:00Z. What is "
    .. "shown is local time; in JSON it is UTC." },
  { "EXIT STATUS", { "0", "All went well.", "1", "Nothing was found, or problems were found.",
    "2", "The command was used in a wrong way.", "3", "Something failed; standard error says what, and what to do." } },
  { "ENVIRONMENT", { "AISH_HISTORY_DIR", "The directory of the history.", "XDG_STATE_HOME",
    "Where the directory aish is the history, if the former is not set; else that is ~/.local/state/aish.",
    "NO_COLOR", "If it is set, colour is used with --color=always only.", "COLUMNS", "The width of the terminal.",
    "PAGER", "What shows long output on a terminal, if it is not less; cat, or nothing, for none.",
    "TZ", "The time zone." } },
  { "FILES", { "sessions/NAME.jsonl", "What was said in a session: a JSON object a line.",
    "memory.jsonl", "What is remembered.", "memory.jsonl.damaged", "Damaged text that compacting took out." } },
}

-- Plain text as roff has it.
local function escape(plain)
  return (plain:gsub("\\", "\\e"):gsub("%-", "\\-"):gsub("'", "\\(aq"):gsub("`", "\\(ga"):gsub("~", "\\(ti"))
end

-- The same in lines of less than 80 bytes, which no macro begins with.
local function fill(plain)
  local lines, line = {}, ""
  for word in escape(plain):gmatch("%S+") do
    if line ~= "" and #line + 1 + #word > 78 then
      lines[#lines + 1], line = line, ""
    end
    line = line == "" and word:gsub("^%.", "\\&.") or line .. " " .. word
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

local function bold(plain) return "\\fB" .. escape(plain) .. "\\fR" end

-- An array of roff's lines, and how to put some behind the others.
local function page()
  local lines = {}
  return lines, function(...)
    for index = 1, select("#", ...) do lines[#lines + 1] = (select(index, ...)) end
  end
end

-- An option's names and its argument, or an argument's name.
local function term(element)
  local names = {}
  for index, name in ipairs(element._aliases or { element._argname or element._name }) do names[index] = bold(name) end
  local argument = element._aliases and element._maxargs > 0 and " \\fI" .. escape(element._argname) .. "\\fR" or ""
  return table.concat(names, ", ") .. argument
end

-- The arguments and options of a parser; --help only once.
local function put_elements(put, parser)
  for _, list in ipairs({ parser._arguments, parser._options }) do
    for _, element in ipairs(list) do
      if element._name ~= "-h" or not parser._parent then put(".TP", term(element), fill(element._description)) end
    end
  end
end

-- A command, or each command of its own that it has.
local function put_command(put, parser, name)
  for _, inner in ipairs(parser._commands) do put_command(put, inner, name .. " " .. inner._name) end
  if #parser._commands > 0 then return end
  put(".SS " .. escape(name), fill((parser:get_usage():gsub("^Usage: ", ""))), ".PP", fill(parser._description))
  put_elements(put, parser)
end

-- A section of one text, or of terms with what they mean.
local function put_section(put, title, words)
  put(".SH " .. title)
  if type(words) == "string" then return put(fill(words)) end
  for index = 1, #words, 2 do put(".TP", bold(words[index]), fill(words[index + 1])) end
end

local function put_examples(put)
  put(".SH EXAMPLES")
  for index = 1, #EXAMPLES, 2 do
    if index > 1 then put(".PP") end
    put(fill(EXAMPLES[index] .. ":"), ".PP", ".RS 4", ".nf", escape(EXAMPLES[index + 1]), ".fi", ".RE")
  end
end

--- The man page in roff's language.
-- @param parser argparse's, with all commands
return function(parser)
  local date = os.date("!%Y-%m-%d", tonumber(os.getenv("SOURCE_DATE_EPOCH") or os.time()))
  local lines, put = page()
  put((".TH AISH\\-HISTORY 1 %s \"aish_history %s\""):format(date, require("aish_history")._VERSION))
  put(".SH NAME", escape(NAME) .. " \\- the history of the aish shell")
  put(".SH SYNOPSIS", bold(NAME) .. " [\\fIOPTIONS\\fR] \\fICOMMAND\\fR ...", ".SH DESCRIPTION")
  put(fill(parser._description .. " The shell keeps what was said in its sessions, and a memory that they share, in "
    .. "files of JSON lines; they can be read and changed while it runs."))
  put(".SH OPTIONS")
  put_elements(put, parser)
  put(".SH COMMANDS")
  for _, command in ipairs(parser._commands) do put_command(put, command, command._name) end
  for _, section in ipairs(SECTIONS) do put_section(put, section[1], section[2]) end
  put_examples(put)
  return table.concat(lines, "\n") .. "\n"
end
