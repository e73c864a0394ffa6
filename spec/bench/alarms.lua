--- How often secrets.redact takes for a secret what is none, in text that holds none: shows each hit in its
-- line, and counts hits and lines.
--   luajit spec/bench/alarms.lua                 in the checkout; Debian's manual pages and packages' text
--   luajit spec/bench/alarms.lua DIRECTORY...    other directories; files that gzip made are unpacked
package.path = "lua/?.lua;" .. package.path

local secrets = require("aish_history.secrets")

local directories = #arg > 0 and arg or { "/usr/share/man", "/usr/share/doc", "/usr/share/perl", "/usr/lib/python3",
  "/usr/include" }

local function quote(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

local function run(command)
  local pipe = assert(io.popen(command))
  local output = pipe:read("*a")
  pipe:close()
  return output
end

local function text_of(path)
  if path:find("%.gz$") then return run("gunzip -c " .. quote(path) .. " 2>/dev/null") end
  local file = io.open(path, "rb")
  local text = file and file:read("*a") or ""
  if file then file:close() end
  return text
end

--- The line that a hit begins in, at most 60 bytes before the hit and as much behind it.
local function show(path, text, hit)
  local before = text:sub(math.max(hit.first - 60, 1), hit.first - 1):match("[^\n]*$")
  local after = text:sub(hit.last + 1, hit.last + 60):match("^[^\n]*")
  print(("%s: %s: %s>>>%s<<<%s"):format(path, hit.kind, before, text:sub(hit.first, hit.last):sub(1, 120), after))
end

local total_hits, total_lines = 0, 0
for _, directory in ipairs(directories) do
  local hits, lines = 0, 0
  for path in run("find " .. quote(directory) .. " -type f 2>/dev/null | sort"):gmatch("[^\n]+") do
    local text = text_of(path)
    if not text:find("%z") then
      lines = lines + select(2, text:gsub("\n", ""))
      for _, hit in ipairs(secrets.find(text)) do
        hits = hits + 1
        show(path, text, hit)
      end
    end
  end
  print(("%s: %d hits in %d lines"):format(directory, hits, lines))
  total_hits, total_lines = total_hits + hits, total_lines + lines
end
print(("in all: %d hits in %d lines, %.2f in 100,000"):format(total_hits, total_lines, total_hits / total_lines * 100000))
