--- Prints a screen of the command at work, as SVG: what README.md shows. The screen is tmux's, the history
-- that of the specs.
--     luajit spec/run/screen.lua >spec/run/screen.svg
package.path = "./?.lua;lua/?.lua;" .. package.path
package.cpath = "build/?.so;" .. package.cpath
local helper = require("spec.support.helper")
local command = require("spec.support.command")
local aish_history = require("aish_history")

local COLUMNS, WIDTH, HEIGHT, MARGIN = 84, 8.4, 19, 14 -- of a screen; of a cell; around it
local CALLS = { "sessions", "search backups", "memory list", "show -1 --last 2" }
local COLOURS = { ["31"] = "#ff7b72", ["32"] = "#7ee787", ["33"] = "#e3b341", ["34"] = "#79c0ff", ["35"] = "#d2a8ff",
  ["36"] = "#76e3ea" }
local TEXT, BACKGROUND = "#e6edf3", "#0d1117"

--- The screen after the calls, with the escapes of its colours.
local function screen(directory)
  local lines = { "PAGER=cat; export PAGER; clear" }
  for _, call in ipairs(CALLS) do
    lines[#lines + 1] = ("printf '\\n\\033[2m$\\033[0m aish-history %%s\\n' %s"):format(helper.quote(call))
    lines[#lines + 1] = command.line .. " " .. call
  end
  lines[#lines + 1] = "tmux wait-for -S shown; sleep 100"
  local script = helper.write(directory .. "/script", table.concat(lines, "\n"))
  local tmux = ("env -u COLUMNS -u NO_COLOR AISH_HISTORY_DIR=%s TERM=xterm-256color tmux -f /dev/null -S %s/tmux ")
    :format(directory, directory)
  local pipe = assert(io.popen(("%snew-session -d -x %d -y 50 'sh %s' && %swait-for shown && %scapture-pane -pe; %skill-server"):format(
    tmux, COLUMNS, script, tmux, tmux, tmux)))
  local shown = pipe:read("*a"):gsub("^\n", ""):gsub("\n+$", "\n")
  pipe:close()
  return shown
end

--- The attributes of SVG for the codes that are in force, a set.
local function style(codes)
  local fill, attributes = TEXT, ""
  for code in pairs(codes) do fill = COLOURS[code] or fill end
  if codes["1"] then attributes = ' font-weight="bold"' end
  if codes["2"] then attributes = attributes .. ' opacity="0.6"' end
  return ('fill="%s"%s'):format(fill, attributes)
end

local function escape(text)
  return (text:gsub(" ", "\194\160"):gsub("&", "&amp;"):gsub("<", "&lt;"):gsub(">", "&gt;"))
end

-- Takes the codes of an escape into those in force: 0, and none, ends all, 39 a colour.
local function obey(codes, escaped)
  for code in (escaped == "" and "0" or escaped):gmatch("%d+") do
    for known in pairs(codes) do
      if code == "0" or code == "39" and COLOURS[known] then codes[known] = nil end
    end
    codes[code] = code ~= "0" and code ~= "39" or nil
  end
end

--- One line of the screen, as SVG: a piece for each style, as wide as its columns are whatever the font.
local function line(text, row, codes)
  local parts, column = {}, 0
  for plain, escaped in (text .. "\27[m"):gmatch("(.-)\27%[([%d;]*)m") do
    local spaces, words, left = plain:match("^( *)(.-)( *)$")
    local columns = select(2, aish_history.display(words))
    if words ~= "" then
      parts[#parts + 1] = ('<text x="%.1f" y="%d" textLength="%.1f" %s>%s</text>'):format(MARGIN + (column + #spaces) * WIDTH,
        MARGIN + (row + 1) * HEIGHT - 5, columns * WIDTH, style(codes), escape(words))
    end
    column = column + #spaces + columns + #left
    obey(codes, escaped)
  end
  return table.concat(parts)
end

local function svg(shown)
  local rows, codes = {}, {}
  for text in shown:gmatch("([^\n]*)\n") do rows[#rows + 1] = line(text, #rows, codes) end
  local width, height = 2 * MARGIN + COLUMNS * WIDTH, 2 * MARGIN + #rows * HEIGHT
  return ([[
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="monospace" font-size="14">
<title>aish-history at work</title>
<rect width="100%%" height="100%%" rx="8" fill="%s"/>
%s
</svg>
]]):format(width, height, BACKGROUND, table.concat(rows, "\n"))
end

local directory = command.history()
io.write(svg(screen(directory)))
os.execute("rm -rf " .. helper.quote(directory))
