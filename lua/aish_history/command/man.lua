--- The man page: what argparse knows of the commands and their options, and what else there is to say.
local NAME = "aish-history"

local EXAMPLES = {
  { "The sessions of the last week", "aish-history sessions --since 7d" },
  { "The newest session, as Markdown", "aish-history show -1 --markdown" },
  { "What was said about backups, and by whom", "aish-history search backups --since 2026-01-01" },
  { "What bears on a question", "echo 'Where do my backups go?' | aish-history recall - --budget 2000" },
  { "Something to remember, from now on", "aish-history memory add fact Backups go to /mnt/nas --tag disk" },
  { "The text of all memories, for other programs", "aish-history memory list --json | jq -r .content" },
  { "Check everything", "aish-history verify" },
  { "What would be erased of a password, which stands in no list of processes", "aish-history erase <password.txt" },
}

local SECTIONS = {
  { "TIMES", { "TIME is \fB7d\fR, \fB2h\fR, \fB30m\fR, \fB3w\fR or \fB1y\fR ago, \fBnow\fR, \fBtoday\fR, "
    .. "\fByesterday\fR, a date like \fB2026-01-02\fR, or a date and a time like \fB2026-01-02 10:15\fR, in local time; "
    .. "or a time with its offset from UTC, like \fB2026-01-02T10:15:00Z\fR. What is shown is local time, what is stored "
    .. "and given as JSON is UTC." } },
  { "EXIT STATUS", { "0", "All went well.", "1", "Nothing was found, or problems were found.", "2",
    "The command was used in a wrong way.", "3", "Something failed; standard error says what, and what to do." }, true },
  { "ENVIRONMENT", { "AISH_HISTORY_DIR", "The directory of the history.", "XDG_STATE_HOME",
    "The directory with aish in it that is the history, where the former is not set; else it is ~/.local/state.",
    "NO_COLOR", "If it is set, colour is only used with --color=always.", "COLUMNS", "The width of the output.",
    "PAGER", "What shows long output on a terminal, if not less; cat, or nothing, for none.",
    "TZ", "The time zone of times." }, true },
  { "FILES", { "sessions/NAME.jsonl", "What was said in a session: a JSON object a line.", "memory.jsonl",
    "What is remembered.", "memory.jsonl.damaged", "Damaged text that compacting took out." }, true },
}

-- Text of roff, in which \f is a font.
local function text(plain)
  return (plain:gsub("\\", "\\e"):gsub("%-", "\\-"):gsub("'", "\\(aq"):gsub("`", "\\(ga"):gsub("%^", "\\(ha")
    :gsub("~", "\\(ti"):gsub("\f", "\\f"):gsub("^%.", "\\&."))
end

local function bold(plain) return "\\fB" .. text(plain) .. "\\fR" end

-- A term with what it means.
local function item(out, term, meaning)
  out[#out + 1] = ".TP"
  out[#out + 1] = term
  out[#out + 1] = text(meaning)
end

-- An option's names and its argument, or an argument's name.
local function term(element)
  local names = {}
  for index, name in ipairs(element._aliases or { element._argname or element._name }) do names[index] = bold(name) end
  local argument = element._aliases and element._maxargs > 0 and " \\fI" .. text(element._argname) .. "\\fR" or ""
  return table.concat(names, ", ") .. argument
end

local function elements(out, parser)
  for _, list in ipairs({ parser._arguments, parser._options }) do
    for _, element in ipairs(list) do
      if element._name ~= "-h" or not parser._parent then item(out, term(element), element._description) end
    end
  end
end

local function usage(parser)
  return (text(parser:get_usage():gsub("^Usage: ", ""):gsub("%s+", " "))
    :gsub("^" .. NAME:gsub("%-", "\\\\%%-"), "\\fB%0\\fR"))
end

local function command(out, parser)
  if #parser._commands > 0 then
    for _, inner in ipairs(parser._commands) do command(out, inner) end
    return
  end
  out[#out + 1] = ".SS " .. text((parser._parent._parent and parser._parent._name .. " " or "") .. parser._name)
  out[#out + 1] = usage(parser)
  out[#out + 1] = ".PP"
  out[#out + 1] = text(parser._description)
  elements(out, parser)
end

local function section(out, title, words, list)
  out[#out + 1] = ".SH " .. title
  if not list then out[#out + 1] = text(words[1]) end
  for index = 1, list and #words or 0, 2 do item(out, bold(words[index]), words[index + 1]) end
end

local function example(out, what, line)
  for _, part in ipairs({ ".PP", text(what) .. ":", ".PP", ".RS 4", ".nf", text(line), ".fi", ".RE" }) do
    out[#out + 1] = part
  end
end

--- The man page in roff's language.
-- @param parser argparse's, with all commands
return function(parser)
  local version = require("aish_history")._VERSION
  local date = os.date("%Y-%m-%d", tonumber(os.getenv("SOURCE_DATE_EPOCH") or os.time()))
  local out = { (".TH AISH\\-HISTORY 1 %s \"aish_history %s\""):format(date, version), ".SH NAME",
    text(NAME .. " - ") .. text("see, find, correct, check and erase the history of the aish shell"):gsub("^%u", string.lower),
    ".SH SYNOPSIS", bold(NAME) .. " [\\fIOPTIONS\\fR] \\fICOMMAND\\fR ...", ".SH DESCRIPTION",
    text("The aish shell keeps what was said in its sessions, and a memory that they share, in files of JSON lines. "
      .. "This command shows them, finds things in them, changes and checks them, also while the shell runs."),
    ".SH OPTIONS" }
  elements(out, parser)
  out[#out + 1] = ".SH COMMANDS"
  for _, one in ipairs(parser._commands) do command(out, one) end
  for _, one in ipairs(SECTIONS) do section(out, one[1], one[2], one[3]) end
  out[#out + 1] = ".SH EXAMPLES"
  for _, one in ipairs(EXAMPLES) do example(out, one[1], one[2]) end
  return table.concat(out, "\n") .. "\n"
end
