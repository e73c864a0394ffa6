--- A short session of the shell on real files, in the directory that it is started in: what
-- `make demo` plays.
local history = require("history")

local colour = os.getenv("TERM") ~= "dumb" and (os.getenv("NO_COLOR") or "") == ""
  and os.execute("test -t 1") == 0

local function paint(code, text)
  return colour and "\27[" .. code .. "m" .. text .. "\27[0m" or text
end

local scenes = 0

local function scene(title, text)
  scenes = scenes + 1
  print("\n" .. paint("1", scenes .. ". " .. title))
  print(text .. "\n")
end

-- The globals of the code that is played.
local stage = setmetatable({ history = history }, { __index = _G })

--- Runs a line of Lua; shows it and what it returned.
local function play(code)
  local chunk = loadstring("return " .. code) or assert(loadstring(code))
  local results = { setfenv(chunk, stage)() }
  for index, value in ipairs(results) do
    results[index] = type(value) == "string" and '"' .. value .. '"' or tostring(value)
  end
  local shown = #results > 0 and "  --> " .. table.concat(results, ", ") or ""
  print(paint("36", "  > " .. code) .. shown)
end

--- Shows a file as it is: every line, and which of them are not whole.
local function show_file(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read("*a")
  file:close()
  print(("  %s, %d bytes"):format(paint("1", path), #bytes))
  for line, ending in bytes:gmatch("([^\n]*)(\n?)") do
    if line ~= "" then
      local note = not history.decode(line) and "  <- not whole" or ""
      if ending == "" then note = note .. ", no newline" end
      print("  | " .. paint("2", line) .. paint("31", note))
    end
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
print(paint("1", "aish_history " .. history._VERSION) .. " under " .. (jit and jit.version or _VERSION))

scene("A session is logged",
  "The first line says what session it is; each turn is a line of its own, written at once.")
play 'log = assert(history.open("sessions/monday.jsonl", { model = "qwen3", version = "0.4" }))'
play 'log:append({ role = "user", content = "Is there room on the disk?" })'
play 'log:append({ role = "assistant", calls = { { tool = "shell", cmd = "df -h /" } }, content = "" })'
play 'log:append({ role = "tool", content = "/dev/sda1  252G  17G  80G  17%" })'
play 'log:append({ role = "assistant", content = "Yes: 80 GB of 252 are free." })'
print()
show_file("sessions/monday.jsonl")

scene("Three things to remember, one to forget",
  "The memory is shared by all sessions. Each record is on the disk before its id is returned.")
play 'memory = assert(history.open_memory("memory.jsonl"))'
play 'memory:add("fact", "Backups go to /mnt/nas", { "disk" })'
play 'memory:add("pref", "Answer in German")'
play 'memory:add("context", "Jürgen\'s laptop runs Debian 12")'
play 'memory:forget(2)'
print()
show_file("memory.jsonl")

scene("Another shell wants to write",
  "A second process finds the lock held; after the message come the errno and the holder's process id.")
local command = ([[%s -e 'print(require("history").open_memory("memory.jsonl"))']]):format(arg[-1])
print(paint("36", "  $ " .. command))
local second = assert(io.popen(command))
local answer = second:read("*a")
second:close()
print("    " .. answer:gsub("\t", ", "):gsub("\n$", ""))
assert(answer:find("^nil\tmemory.jsonl held by another aish process"))

scene("The power fails",
  "Each file was being written to: of the last line, only a part has reached the disk.")
stage.log:append({ role = "user", content = "And on the backup disk?" })
stage.log:close()
stage.memory:add("fact", "The backup disk is encrypted")
stage.memory:close()
cut("sessions/monday.jsonl", 20)
cut("memory.jsonl", 30)
show_file("sessions/monday.jsonl")
print()
show_file("memory.jsonl")

scene("The shell starts again",
  "What comes next begins on a line of its own, and of the torn lines not a byte is thrown away.")
play 'log = assert(history.open("sessions/monday.jsonl", { model = "qwen3", version = "0.4" }))'
play 'log:append({ role = "user", content = "How full is the backup disk?" })'
play 'log:close()'
play 'memory = assert(history.open_memory("memory.jsonl"))'
play 'memory:add("fact", "The backup disk is /dev/sdb, LUKS")'
play 'memory:close()'
print()
show_file("sessions/monday.jsonl")
print()
show_file("memory.jsonl")

scene("What the shell reads back",
  "Every whole turn and its session's meta; the memories that were not forgotten, newest first.")
play 'turns, meta = history.load("sessions/monday.jsonl")'
print("    meta  " .. history.encode(stage.meta))
for index, turn in ipairs(stage.turns) do
  print(("    %4d  %-9s  %s"):format(index, turn.role, turn.calls and history.encode(turn.calls) or turn.content))
end
print()
play 'items = history.load_memory("memory.jsonl")'
for _, item in ipairs(stage.items) do
  print(("    %4d  %-9s  %s"):format(item.id, item.kind, item.content))
end
assert(#stage.turns == 5 and stage.meta.model == "qwen3")
assert(#stage.items == 3 and stage.items[3].id == 1 and stage.items[1].content:find("LUKS"))

print("\nNothing that was whole is lost, and nothing was written to a fragment.")
