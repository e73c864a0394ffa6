--- What the doctor looks at. A check takes the context, a function `report` to which it says what it found, and
-- an array to which the paths of the files go that could be read. report(status, subject, found, advice): the
-- status is "ok", "note" (nothing needs to be done) or "fix" (something does).
local aish_history = require("aish_history")
local files = require("aish_history.command.files")
local lines = require("aish_history.command.lines")
local progress = require("aish_history.command.progress")
local sizes = require("aish_history.command.sizes")
local system = require("aish_history.doctor.system")

local checks = {}

local ENOENT, EBADF = 2, 9 -- NFS has a lock for writing only where a file is open for it

local function versions(_, report)
  local jit = rawget(_G, "jit")
  report("ok", "versions", ("aish_history %s, %s, %s"):format(aish_history._VERSION, jit and jit.version or _VERSION,
    system.run({ "uname", "-srm" })))
end

local function directory(context, report)
  if system.resolve(context.dir) then return report("ok", "directory", context.dir) end
  report("note", "directory", context.dir .. " does not exist or cannot be entered",
    "Nothing, if no shell has kept a history yet; else name its directory by --dir or $AISH_HISTORY_DIR.")
end

-- ---- damage ----

local function problems_of(report)
  local first = report.problems[1]
  return ("%s, the first in line %.0f: %s"):format(lines.count(#report.problems, "problem"), first.line, first.reason)
end

local MEMORY_ADVICE = "aish-history verify %s names them; aish-history compact %s takes damaged text out of the way."
local SESSION_ADVICE = "What stands whole is read all the same. aish-history verify %s names the lines; take them out "
  .. "with an editor."

local function memory(context, report, read)
  local name, path = files.show(context, context.memory), system.quote(context.memory)
  local found, message, errno = aish_history.verify(context.memory)
  if not found and errno == ENOENT then return report("ok", name, "does not exist yet") end
  if not found then return report("fix", name, message, "Put a memory there that can be read, or move this away.") end
  read[#read + 1] = context.memory
  local text = sizes.show(found.bytes) .. ", " .. lines.among(found.items, "item", found.active, "active")
  if #found.problems == 0 then report("ok", name, text)
  else report("fix", name, text .. "; " .. problems_of(found), MEMORY_ADVICE:format(path, path)) end
  if found.twins > 0 then
    report("note", name, lines.count(found.twins, "item") .. " with the id of another, as two machines give it",
      "Nothing: both are read. aish-history memory forget takes the newer one first.")
  end
end

--- What is wrong with a session, if something is; the bytes that it has.
local function session(context, path, report, read)
  local name = files.show(context, path)
  local found, message, errno = aish_history.verify(path)
  if not found then
    if errno ~= ENOENT then report("fix", name, message, "Move it away, or make it readable.") end
    return 0
  end
  read[#read + 1] = path
  if #found.problems > 0 then
    local status = found.damaged == 0 and found.torn == #found.problems and "note" or "fix"
    report(status, name, problems_of(found), SESSION_ADVICE:format(system.quote(path)))
  end
  return found.bytes
end

local function sessions(context, report, read)
  local found, message = aish_history.list(context.sessions)
  if not found then
    return report("fix", "sessions", message, "Make it a directory that you can read: ls -ld "
      .. system.quote(context.sessions) .. " says what it is.")
  end
  local tell, done = progress.new(context)
  local bytes = 0
  for index, name in ipairs(found) do
    tell(("checking %d of %d: %s"):format(index, #found, name))
    bytes = bytes + session(context, context.sessions .. "/" .. name, report, read)
  end
  done()
  local said = aish_history.sessions(context.sessions, { empty = false, count = false }) or found
  local count = #said < #found and lines.among(#found, "session", #found - #said, "empty")
    or lines.count(#found, "session")
  report("ok", "sessions", ("%s, %s"):format(count, sizes.show(bytes)))
end

local function leftovers(context, report)
  for _, path in ipairs(system.find(context, "*.jsonl.damaged")) do
    report("note", files.show(context, path), "has damaged text that a compaction moved out of the way",
      "Look through it, then remove it.")
  end
  for _, path in ipairs(system.find(context, "*.jsonl.compact-*")) do
    report("note", files.show(context, path), "was left by a compaction that was interrupted, or is being written",
      "aish-history compact removes it.")
  end
end

-- ---- locks ----

local EWOULDBLOCK = { [11] = true, [35] = true } -- of Linux; of macOS and the BSDs

--- What there is to say of a file's lock; whether it is held.
local function lock_of(context, path, report)
  local free, reason, errno = system.is_free(path)
  if free ~= false then return false end
  local name = files.show(context, path)
  if not EWOULDBLOCK[errno] then
    report("fix", name, "its lock cannot be tried: " .. reason, "Keep the history on a local disk.")
    return true
  end
  local process, command = system.holder(path)
  local who = process and "process " .. process .. (command and " (" .. command .. ")" or "")
  report("note", name, "is locked by " .. (who or "another process"),
    "Nothing, if that is a shell at work, but nothing can be added until it ends.")
  return true
end

local function locks(context, report, read)
  local held = 0
  for _, path in ipairs(read) do
    if lock_of(context, path, report) then held = held + 1 end
  end
  if held == 0 then report("ok", "locks", "none is held") end
end

local REMOTE = {}
for kind in ("nfs nfs4 cifs smb3 smbfs 9p afs ceph fuse.sshfs fuse.rclone"):gmatch("%S+") do REMOTE[kind] = true end

local ELSEWHERE = "Writers can harm each other there: put the history on a local disk, and name it by "
  .. "$AISH_HISTORY_DIR."

local function file_system(context, report)
  local dir = system.resolve(context.dir)
  if not dir then return end
  local kind, place = system.mount(dir)
  local on = kind and ("%s, mounted at %s"):format(kind, place) or "its file system"
  local works, reason, errno = system.locks(dir)
  if works == false then
    report("fix", "flock", "gives one lock to two on " .. on, ELSEWHERE)
  elseif works == nil and errno == EBADF then
    report("note", "flock", "cannot be tried on " .. on, "Put the history on a local disk, if this is none.")
  elseif works == nil then
    report("fix", "flock", ("does not work on %s: %s"):format(on, reason), ELSEWHERE)
  elseif REMOTE[kind] then
    report("note", "flock", "works on " .. on, "Let one machine write at a time, if its locks do not reach the others.")
  else
    report("ok", "flock", "works on " .. on)
  end
end

-- ---- modes and git ----

local function modes(context, report)
  local shared = system.find_shared(context)
  if #shared == 0 then return report("ok", "modes", "nobody else can read the history") end
  local name = shared[1] == context.dir and context.dir or files.show(context, shared[1])
  local more = #shared > 1 and (" and %d more"):format(#shared - 1) or ""
  local what = #shared > 1 and "-R go= " .. system.quote(context.dir) or "go= " .. system.quote(shared[1])
  report("fix", "modes", "others than you can use " .. name .. more, "chmod " .. what)
end

local function git(context, report)
  local dir = system.resolve(context.dir)
  if not dir then return end
  local name = context.memory:match("[^/]+$")
  local merge = system.merge(dir, name)
  if merge == "outside" then return report("ok", "git", "the history is in no work tree") end
  if merge == "ignored" then return report("ok", "git", name .. " is ignored") end
  if merge == "union" then return report("ok", "git", name .. " is merged by union") end
  report("fix", "git", ("a merge of two machines' %s ends in a conflict"):format(name),
    ("echo '%s merge=union' >>%s"):format(name, system.quote(dir .. "/.gitattributes")))
end

--- All of them, in their order.
checks.all = { versions, directory, memory, sessions, leftovers, locks, file_system, modes, git }

return checks
