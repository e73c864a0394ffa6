--- A short session of the shell on real files, in the directory that it is started in: what
-- `make demo` plays, on two screens of 100 columns.
local history = require("history")

local colour = os.getenv("TERM") ~= "dumb" and (os.getenv("NO_COLOR") or "") == ""
  and os.execute("test -t 1") == 0

local function paint(code, text)
  return colour and "\27[" .. code .. "m" .. text .. "\27[0m" or text
end

local scenes = 0

local function scene(text)
  scenes = scenes + 1
  print("\n" .. paint("1", scenes .. ". " .. text))
end

-- The globals of the code that is played.
local stage = setmetatable({ history = history }, { __index = _G })

--- Runs a line of Lua; shows it and, unless it is an assignment, what it returned.
local function play(code)
  local chunk = loadstring("return " .. code) or assert(loadstring(code))
  local results = { setfenv(chunk, stage)() }
  for index, value in ipairs(results) do results[index] = tostring(value) end
  print(paint("36", "  > " .. code) .. (#results > 0 and "  --> " .. table.concat(results, ", ") or ""))
end

--- Runs a command of sh, shown as it is or as `shown`; shows what it printed, and returns that.
local function run(command, shown)
  print(paint("36", "  $ " .. (shown or command)))
  local pipe = assert(io.popen(command))
  local printed = pipe:read("*a"):gsub("\t", ", ")
  pipe:close()
  io.write((printed:gsub("[^\n]+", "  %0")))
  return printed
end

--- Shows the lines of a file, and which of them are not whole.
local function show_file(path)
  for line in io.lines(path) do
    print("  | " .. paint("2", line) .. (history.decode(line) and "" or paint("31", "  <- torn")))
  end
end

--- Takes the last bytes from a file.
local function cut(path, count)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read("*a")
  file:close()
  file = assert(io.open(path, "wb"))
  file:write(bytes:sub(1, -1 - count))
  file:close()
end

local jit = rawget(_G, "jit")
print(paint("1", "aish_history " .. history._VERSION) .. " under " .. (jit and jit.version or _VERSION)
  .. ", on files that go when it ends")

scene("A session is a log: a line that says which session it is, and a line for each turn.")
play 'log = history.open("sessions/monday.jsonl", { model = "qwen3" })'
play 'log:append({ role = "user", content = "Is there room on the disk?" })'
play 'log:append({ role = "assistant", content = "Yes: 80 GB of 252 are free." })'

scene("A memory is shared by all sessions. An item is on the disk before its id is returned.")
play 'memory = history.open_memory("memory.jsonl")'
play 'memory:add("fact", "Backups go to /mnt/nas")'
play 'memory:add("pref", "Answer in German")'
play 'memory:forget(2)'

scene("A second process finds it locked, and is told by which process.")
local answer = run(([[%s -e 'print(require("history").open_memory("memory.jsonl"))']]):format(arg[-1]))
assert(answer:find("^nil, memory.jsonl held by another aish process"))

scene("The power fails while a line is written to each file. The shell starts again, and goes on.")
stage.log:append({ role = "user", content = "And on the backup disk?" })
stage.log:close()
stage.memory:add("fact", "The backup disk is encrypted")
stage.memory:close()
cut("sessions/monday.jsonl", 20)
cut("memory.jsonl", 30)
play 'log = history.open("sessions/monday.jsonl", { model = "qwen3" })'
play 'log:append({ role = "user", content = "How full is the backup disk?" })'
play 'memory = history.open_memory("memory.jsonl")'
play 'memory:add("fact", "The backup disk is /dev/sdb")'
print("  No byte is thrown away, and what is new stands on a line of its own:")
show_file("sessions/monday.jsonl")

scene("Reading passes over what is torn or forgotten. The newest memory comes first.")
play 'turns, meta = history.load("sessions/monday.jsonl")'
print(("    %d turns with %s, the last of them: %s"):format(#stage.turns, stage.meta.model,
  stage.turns[#stage.turns].content))
play 'items = history.load_memory("memory.jsonl")'
for _, item in ipairs(stage.items) do
  print(("    %d  %s  %s"):format(item.id, item.kind, item.content))
end
assert(#stage.turns == 3 and stage.meta.model == "qwen3")
assert(#stage.items == 2 and stage.items[2].id == 1 and stage.items[1].content:find("/dev/sdb", 1, true))

scene("The command shows it to people and programs, also while a shell holds the memory.")
local launcher = arg[0]:gsub("spec/run/[^/]*$", "lua/aish_history/command/aish-history"):gsub("'", "'\\''")
for _, arguments in ipairs({ "sessions", "search backup disk" }) do
  run(("%s '%s' --dir . --color=%s %s"):format(arg[-1], launcher, colour and "always" or "never", arguments),
    "aish-history " .. arguments)
end

print("\nNothing that was whole is lost. README.md goes on from here, with the API by example and what is")
print("guaranteed; spec/run/demo.lua is what you saw; make test proves it.")
