--- What runs in the guest until it is killed: judges the plays in the books, and plays on.
-- Argument: the directory of the module.
--
-- The books, in /tmp/books: "round N ...", then of each play on the disk "play NAME SCRIPT MOMENT" and
-- "added NAME ROUND ID FILE" (ID 0: a turn), and "the end". What happens is said in such lines on the
-- console, which has handed each on when the write returns: "begin NAME SCRIPT", "moment NAME MOMENT",
-- "added ...", "judged NAME", "problem NAME TEXT" (NAME "-": of the guest itself), and "playing" when all
-- are judged.
package.path = "/?.lua"
package.cpath = (...) .. "/?.so;/lua/?.so"
local plays = require("spec.power.plays")
local tree = require("spec.faults.tree")
local lfs = require("lfs")

local function say(form, ...)
  io.stdout:write(form:format(...):gsub("\n", " | "), "\n")
  io.stdout:flush()
end

-- What the judgement in a round added to a file.
local function added_in(round, id, name)
  local content = "afterwards " .. round
  if id == 0 then return { name = name, item = { role = "user", content = content } } end
  return { name = name, id = id, item = { kind = "fact", content = content } }
end

local function read_books()
  local round, books = nil, {}
  for line in io.lines("/tmp/books") do
    local play, script, moment = line:match("^play (%S+) (%d+) (%d+)$")
    if play then books[play] = { script = plays.scripts[tonumber(script)], moment = tonumber(moment), added = {} } end
    local of, in_round, id, name = line:match("^added (%S+) (%d+) (%d+) (.*)$")
    if of then table.insert(books[of].added, added_in(in_round, tonumber(id), name)) end
    round = round or tonumber(line:match("^round (%d+)"))
  end
  return round, books
end

local function judge(play, past, round)
  local problems = plays.judge(past.script, "/disk/" .. play, "/tmp/scratch", past, round, function(name, id)
    say("added %s %d %d %s", play, round, id or 0, name)
  end)
  for _, problem in ipairs(problems) do say("problem %s %s: %s", play, past.script.name, problem) end
  for _, names in ipairs(problems[1] and { past.script.memories, past.script.sessions } or {}) do
    for _, name in ipairs(names) do
      say("problem %s %s is now: %q", play, name, tostring(tree.read("/disk/" .. play .. "/" .. name)))
    end
  end
  say("judged %s", play)
end

local function play_on(play, number)
  local script = plays.scripts[number]
  local root = "/disk/" .. play
  assert(lfs.mkdir(root))
  plays.prepare(script, root)
  os.execute("sync")
  say("begin %s %d", play, number)
  plays.play(script, root, function(moment) say("moment %s %d", play, moment) end)
end

local round, books = read_books()
for name in lfs.dir("/disk") do
  if name:find("^play") and not books[name] then os.execute("rm -r /disk/" .. name) end
end
for play, past in pairs(books) do judge(play, past, round) end
say("playing")
local ok, message = pcall(function()
  for serial = 1, math.huge do
    local number = (round + serial) % #plays.scripts + 1
    play_on(("play%d.%d"):format(round, serial), number)
  end
end)
say("problem - %s", ok or message)
