--- The aish-history command as a process, and a history for it.
local lfs = require("lfs")
local helper = require("spec.support.helper")
local aish_history = require("aish_history")

local quote = helper.quote
local command = {}

local build = os.getenv("AISH_HISTORY_CPATH") or "build"

-- Its environment: the modules of this checkout, and a zone that is not UTC; its interpreter and its file.
local environment = ("TZ=Europe/Berlin LC_ALL=C.UTF-8 LUA_PATH=%s LUA_CPATH=%s"):format(quote(helper.root .. "/lua/?.lua;;"),
  quote((build:sub(1, 1) == "/" and build or helper.root .. "/" .. build) .. "/?.so;;"))
local program = helper.lua .. " " .. quote(helper.root .. "/lua/aish_history/command/aish-history")

--- The words of sh that begin a call of the command.
command.line = environment .. " " .. program

--- A line of sh that calls the command for a history's directory.
function command.call(dir, arguments) return ("AISH_HISTORY_DIR=%s %s %s"):format(quote(dir), command.line, arguments) end

local TURNS = {
  ["2026-01-02"] = {
    [[{"meta":{"model":"qwen3"}}]],
    [[{"role":"user","content":"Is there room on the disk?","ts":"2026-01-02T10:15:03Z"}]],
    [[{"role":"assistant","content":"Yes: 80 GB are free.","ts":"2026-01-02T10:15:09Z"}]],
  },
  ["2026-01-03"] = {
    [[{"meta":{"model":"qwen3"}}]],
    [[{"role":"user","content":"Where do J\u00fcrgen's backups go?","ts":"2026-01-03T23:30:00Z"}]],
    [[{"role":"assistant","content":"To /mnt/nas.\n\n```\nls /mnt/nas\n```","ts":"2026-01-03T23:30:05Z","calls":[{"cmd":"ls"}]}]],
    [[{"role":"user","content":"Thanks \u001b[31m\u202e!","ts":"2026-01-03T23:31:00Z"}]],
  },
  ["2026-01-04"] = { [[{"meta":{"model":"qwen3"}}]] },
}

local MEMORY = {
  [[{"meta":{"aish_version":"phase4","created":"2026-01-02T10:15:00Z"}}]],
  [[{"id":1,"uid":"x7Kp2mQa","ts":"2026-01-02T10:15:03Z","kind":"fact","content":"Backups go to /mnt/nas","tags":["disk","nas"]}]],
  [[{"id":2,"uid":"aB3dE5gH","ts":"2026-01-02T10:16:00Z","kind":"pref","content":"Answer in German","source":"user","host":"lap1","n":3}]],
  [[{"id":3,"uid":"zY9xW8vU","ts":"2026-01-02T10:17:00Z","kind":"context","content":"J\u00fcrgen is away \u001b[2J"}]],
}

--- A new history of three sessions, in one of which nothing was said, and a memory of three items.
function command.history()
  local dir = helper.tmpdir()
  assert(lfs.mkdir(dir .. "/sessions"))
  for name, lines in pairs(TURNS) do
    helper.write(dir .. "/sessions/" .. name .. ".jsonl", table.concat(lines, "\n") .. "\n")
  end
  helper.write(dir .. "/memory.jsonl", table.concat(MEMORY, "\n") .. "\n")
  return dir
end

--- Runs the command in a history's directory, with its standard input empty.
-- @tparam string dir
-- @tparam string arguments as sh has them; what follows the words, like a pipe, belongs to the call
-- @tparam[opt] string before assignments of variables, a command and a pipe, or a redirection
-- @treturn string what it wrote to standard output
-- @treturn number its exit code
-- @treturn string what it wrote to standard error
function command.run(dir, arguments, before)
  local errors = os.tmpname()
  local pipe = assert(io.popen(("exec </dev/null; cd %s || exit; export AISH_HISTORY_DIR=%s %s; %s %s %s 2>%s; echo \" $?\""):format(quote(dir),
    quote(dir), environment, before or "", program, arguments, errors)))
  local output, code = pipe:read("*a"):match("^(.*) (%d+)\n$")
  pipe:close()
  local said = helper.read(errors)
  os.remove(errors)
  return output, tonumber(code), said
end

--- Runs a line of sh in a history's directory, in which `aish-history` is on the PATH; returns what it
-- printed, errors included, and its exit code.
function command.shell(dir, line)
  local bin = helper.tmpdir()
  helper.write(bin .. "/aish-history", "#!/bin/sh\n" .. command.line .. ' "$@"\n')
  local pipe = assert(io.popen(("exec 2>&1 </dev/null; chmod +x %s/*; cd %s; export PATH=%s:$PATH AISH_HISTORY_DIR=%s; sh -c %s; echo \" $?\""):format(
    quote(bin), quote(dir), quote(bin), quote(dir), quote(line))))
  local output, code = pipe:read("*a"):match("^(.*) (%d+)\n$")
  pipe:close()
  return output, tonumber(code)
end

--- What the command shows on a terminal of so many columns.
function command.show(dir, arguments, columns)
  local pipe = assert(io.popen(("COLUMNS=%d PAGER=cat python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])' sh -c %s 2>&1 </dev/null"):format(
    columns, quote(command.call(dir, arguments)))))
  local shown = pipe:read("*a"):gsub("\r\n", "\n")
  pipe:close()
  return shown
end

--- The objects that the command printed, an object a line.
function command.objects(printed)
  local objects = {}
  for line in printed:gmatch("[^\n]+") do objects[#objects + 1] = assert(aish_history.decode(line)) end
  return objects
end

--- The lines of JSON that the command wrote, as jq prints them with this filter; an array of lines.
function command.jq(text, filter)
  local path = os.tmpname()
  helper.write(path, text)
  local pipe = assert(io.popen(("jq -rc %s <%s 2>&1"):format(quote(filter), path)))
  local lines = {}
  for line in pipe:lines() do lines[#lines + 1] = line end
  pipe:close()
  os.remove(path)
  return lines
end

return command
