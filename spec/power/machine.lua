--- Plays the scripts in a guest of QEMU and kills that, again and again on one disk. What the guest's
-- kernel had not handed to its disk is gone then; what QEMU had taken is in a file of this machine, and
-- stays. Whoever did not sync loses, as with a disk whose power goes; but for what a disk's own cache
-- would lose, which no program can tell from here. A directory's sync that was left out is not noticed,
-- as both systems write a new name along with the first fdatasync of its file; crash_spec.lua does that.
--
--   luajit spec/power/machine.lua DIRECTORY SYSTEM CUTS [unsynced]
--
-- DIRECTORY has vmlinuz and initramfs (spec/power/initramfs), SYSTEM is ext4 or xfs. Each start of the
-- guest judges what the last cuts left, adds to it, and may be cut in that, too.
package.path = "./?.lua;" .. package.path

local Tally = require("spec.power.tally")
local children = require("spec.support.children")
local tree = require("spec.faults.tree")
local poll = require("posix.poll")

local work, system, cuts, how = ...
cuts = tonumber(cuts)
local tally = Tally.new(system, how == "unsynced")
local module = tally.unsynced and "/unsynced" or "/lua"
local PATIENCE = 120000 -- milliseconds until the guest must say something
local JUDGED = 2 -- times a play is judged, and added to, before it is removed
local disk, books_file, console = work .. "/disk", work .. "/books", work .. "/console"

-- ---- the machine ----

local function quoted(command)
  for index, word in ipairs(command) do command[index] = "'" .. word .. "'" end
  return table.concat(command, " ")
end

-- QEMU's command line. It never syncs itself ("unsafe"), as it is only QEMU that dies.
local function machine(...)
  return { "qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "128", "-nodefaults", "-no-user-config",
    "-display", "none", "-kernel", work .. "/vmlinuz", "-initrd", work .. "/initramfs",
    "-append", "quiet console=ttyS0", "-serial", "file:" .. console, "-device", "virtio-serial-pci",
    "-device", "virtconsole,chardev=said", "-fw_cfg", "name=opt/aish_history/books,file=" .. books_file,
    "-drive", "file=" .. disk .. ",format=raw,if=virtio,cache=unsafe", ... }
end

-- Starts the guest once, and saves the machine where it waits for the books.
local function save()
  tree.write(books_file, "none yet\n")
  tree.write(console, "")
  local monitor = io.popen(quoted(machine("-chardev", "null,id=said", "-monitor", "stdio")) .. " >" .. work .. "/monitor 2>&1", "w")
  for _ = 1, 6000 do
    Tally.pause(100)
    if tree.read(console):find("saved here", 1, true) then break end
  end
  assert(tree.read(console):find("saved here", 1, true), "the guest does not start: " .. tree.read(console))
  monitor:write(('migrate "exec:cat >%s/saved"\nquit\n'):format(work))
  monitor:close()
end

-- ---- the books ----

local plays = {}

local on = {}

function on.begin(play, script)
  plays[play] = { script = script, moment = 0, judged = 0, added = {} }
end

function on.moment(play, moment)
  plays[play].moment = tonumber(moment)
end

function on.added(play, what)
  table.insert(plays[play].added, what)
end

function on.problem(play, text)
  if play == "-" then error(system .. ": in the guest: " .. text) end
  local problems = plays[play].problems or {}
  plays[play].problems = problems
  table.insert(problems, text)
end

function on.judged(play)
  local past = plays[play]
  tally:judge(past.problems or {})
  past.judged = past.judged + 1
  if past.problems or past.judged == JUDGED then plays[play] = nil end
end

-- What a guest said that is no more; of a line that was cut short nothing.
local function enter(said)
  for line in said:gsub("\r", ""):gmatch("([^\n]*)\n") do
    local what, play, more = line:match("^(%l+) (%S+) ?(.*)$")
    if on[what] then on[what](play, more) end
  end
end

local function write_books(round)
  local lines = { ("round %d %s %s"):format(round, system, module) }
  for play, past in pairs(plays) do
    lines[#lines + 1] = ("play %s %s %d"):format(play, past.script, past.moment)
    for _, what in ipairs(past.added) do lines[#lines + 1] = ("added %s %s"):format(play, what) end
  end
  tree.write(books_file, table.concat(lines, "\n") .. "\nthe end\n")
end

-- ---- the cuts ----

-- Waits until the guest has played so many moments.
local function wait_for(guest, moments)
  while true do
    local said = table.concat(guest.said)
    if said:find("playing\r?\n") and select(2, said:gsub("moment ", "")) >= moments then return end
    if said:find("problem -", 1, true) or poll.rpoll(guest.out, PATIENCE) ~= 1 or not children.hear(guest) then
      children.kill(guest)
      error(("%s: the guest does not go on: %s%s"):format(system, table.concat(guest.said), tree.read(console)), 0)
    end
  end
end

-- Lets the guest go on from where it was saved, and kills it: after some moments by chance, or, if
-- `moments` is nil, at any time from its start on.
local function cut(round, moments)
  write_books(round)
  local guest = children.exec(machine("-chardev", "stdio,id=said,signal=off", "-monitor", "none",
    "-incoming", "exec:cat " .. work .. "/saved"))
  if moments then
    wait_for(guest, moments)
    Tally.pause(30)
  else
    for _ = 1, 10 do Tally.pause(300) end
  end
  enter(children.kill(guest))
end

local make = { ext4 = "truncate -s 64M %s && mkfs.ext4 -q -F %s", xfs = "truncate -s 320M %s && mkfs.xfs -q -f %s" }
assert(os.execute("rm -f " .. disk .. " && " .. make[system]:gsub("%%s", disk)) == 0)
save()
for round = 1, cuts do
  tally.cuts = round
  cut(round, round % 5 > 0 and math.random(0, 30) or nil)
end
cut(cuts + 1, 0) -- to judge what the last one left
tally:finish()
