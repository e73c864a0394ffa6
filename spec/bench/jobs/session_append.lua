--- Appending a turn of 2 KB with nested tables. Ours encodes, takes the lock for the write, looks
-- whether the path still leads to the file, and writes. Held against cjson.encode, io.write, flush; and
-- through `redact`, by a function that gives each text back, against the same without.
local aish = require("aish_history")
local measure = require("measure")

local function a_turn()
  local calls = {}
  for i = 1, 4 do
    calls[i] = {
      id = "call_" .. i, type = "function",
      ["function"] = { name = "shell", arguments = { command = ("word "):rep(40), timeout = 30, cwd = "/srv/x",
        env = { LANG = "C", HOME = "/root" }, argv = { "ls", "-l", "a \"quoted\" name" } } },
    }
  end
  return { role = "assistant", content = ("some text of an answer\n"):rep(30), tool_calls = calls,
    usage = { input = 1234, output = 567, cost = 0.0125 } }
end

return function(bench)
  if not bench.has.cjson then return bench.skip("session:append", "cjson is not here") end
  local n, turn = 500, a_turn()
  local encode = require("cjson").encode
  local session = assert(aish.session(bench.dir .. "/append.jsonl"))
  local redacting = assert(aish.session(bench.dir .. "/append-redact.jsonl", nil, { redact = function(text) return text end }))
  local file = assert(io.open(bench.dir .. "/append-cjson.jsonl", "a"))
  local results = measure.interleave({
    { name = "aish_history", run = function()
      return measure.time(function(count) for _ = 1, count do session:append(turn) end end, n)
    end },
    { name = "redact", run = function()
      return measure.time(function(count) for _ = 1, count do redacting:append(turn) end end, n)
    end },
    { name = "cjson + io.write + flush", run = function()
      return measure.time(function(count)
        for _ = 1, count do
          file:write(encode(turn), "\n")
          file:flush()
        end
      end, n)
    end },
  }, bench.rounds(41, 11))
  local job = ("session:append, a turn of %d bytes"):format(#encode(turn))
  bench.compare(job, results, "aish_history", "cjson + io.write + flush", { at_least = 1 })
  bench.compare(job .. ", redact", results, "redact", "aish_history")
end
