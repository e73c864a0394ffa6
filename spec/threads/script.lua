-- What each of the threads does: everything there is, on files that all of them use.
local aish = require("aish_history")
local directory, number = ...
local memory_path, session_path = directory .. "/memory.jsonl", directory .. "/session.jsonl"
local ROUNDS = 150

local memory = assert(aish.open(memory_path, { shared = true, wait = 60, sync = "none" }))
local session = assert(aish.session(session_path, { number = number }, { wait = 60 }))
local mine = {}

for round = 1, ROUNDS do
  local content = number .. "/" .. round
  mine[#mine + 1] = assert(memory:add("fact", content, { "tag", { n = round } }, "thread"))
  assert(memory:get(mine[#mine]).content == content)
  assert(#memory:add_many({ { kind = "pref", content = content }, { kind = "context", content = content } }) == 2)
  assert(session:append({ role = "user", content = content, value = round / 7 }))
  assert(aish.append(session_path, { role = "assistant", content = content }, { wait = 60 }))
  if round % 3 == 0 then assert(memory:forget(table.remove(mine, 1))) end
  if round % 10 == 0 then
    assert(#memory > 0 and #memory:items() > 0 and memory.next_id > round)
    assert(#aish.load_memory(memory_path) > 0)
    assert(#aish.load(session_path) > 0)
    assert(#aish.list(directory) == 2)
    assert(aish.verify(memory_path).damaged == 0)
    for _ in aish.scan(session_path, { malformed = true }) do end -- luacheck: ignore
    if aish.search then assert(aish.search(memory_path, content)) end
    if aish.sessions then assert(aish.sessions(directory)) end
  end
  if round % 25 == 0 then
    assert(memory:compact())
    -- Both at once fail in every way, too.
    assert(not aish.open(directory))
    assert(not aish.open(memory_path .. "/none"))
    assert(not aish.decode('{"a":'))
    assert(not pcall(memory.add, memory, "fact", "x", { print }))
  end
end

local found = 0
for _, item in ipairs(memory:items()) do
  if item.kind == "fact" and item.content:match("^(%d+)/") == tostring(number) then found = found + 1 end
end
assert(found == ROUNDS - ROUNDS / 3, found)
session:close()
memory:close()
