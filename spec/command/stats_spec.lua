--- `aish-history stats`: what it counts, by local time, and its charts, which fit the terminal.
local helper = require("spec.support.helper")
local command = require("spec.support.command")
local aish_history = require("aish_history")

local DAY = 86400

--- Adds a session of turns, each { role, time }, with a content of so many bytes.
local function add_session(dir, name, turns, bytes)
  local session = assert(aish_history.session(dir .. "/sessions/" .. name .. ".jsonl", { model = "m" }))
  for index, turn in ipairs(turns) do
    assert(session:append({ role = turn[1], ts = turn[2], content = (index == 1 and name or "x"):rep(bytes or 1) }))
  end
  session:close()
end

--- Writes a memory's items, each { kind, time }.
local function write_memory(dir, items)
  local lines = { '{"meta":{"aish_version":"phase4"}}' }
  for id, item in ipairs(items) do
    lines[id + 1] = aish_history.encode({ id = id, ts = item[2], kind = item[1], content = "x" .. id })
  end
  helper.write(dir .. "/memory.jsonl", table.concat(lines, "\n") .. "\n")
end

--- A history of two sessions and a memory, with odd times in it.
local function history()
  local dir = helper.tmpdir()
  add_session(dir, "small", { { "user", "2026-01-02T23:30:00Z" }, { "assistant", "2026-01-03T00:10:00Z" } })
  add_session(dir, "big", { { "user", "2026-01-03T10:00:00+02:00" }, { "tool", "no time" }, { "user" }, { 5, "2026-01-02T23:59:59.5Z" } }, 99)
  add_session(dir, "zero", {})
  helper.write(dir .. "/sessions/damaged.jsonl", '{"role":"user","content":"y"}\n{"role":"us\n{"role":"user","content":null}\n')
  write_memory(dir, { { "fact", "2026-01-03T01:00:00Z" }, { "pref", "2026-01-02T20:00:00Z" }, { "fact", "2025-12-31T12:00:00Z" } })
  return dir
end

--- The objects of --json by what they are: each a table from a name to the object.
local function counted(dir, zone)
  local printed, code, said = command.run(dir, "stats --json", "TZ=" .. zone)
  assert.same({ 0, "aish-history: 1 damaged line passed over; aish-history verify says which\n" }, { code, said })
  local by = { day = {}, hour = {}, role = {}, kind = {}, session = {}, total = {} }
  for _, object in ipairs(command.objects(printed)) do
    local name = object[object.what] or object.name or 1
    by[object.what][name] = object
  end
  return by
end

describe("stats: what is counted", function()
  helper.guard(before_each, after_each)

  it("is turns and memories by day and hour of local time, by role and kind", function()
    local dir = history()
    local utc, india = counted(dir, "UTC"), counted(dir, "Asia/Kolkata")
    assert.same({ 4, 1, 7, 3 }, { utc.total[1].sessions, utc.total[1].empty, utc.total[1].turns, utc.total[1].memories })
    local function day(of, name) return of.day[name] and { of.day[name].turns, of.day[name].memories } end
    assert.same({ { 2, 1 }, { 2, 1 }, { 0, 1 } }, { day(utc, "2026-01-02"), day(utc, "2026-01-03"), day(utc, "2025-12-31") })
    assert.same({ { 4, 2 }, nil, { 0, 1 } }, { day(india, "2026-01-03"), day(india, "2026-01-02"), day(india, "2025-12-31") })
    assert.same({ 2, 1, 1 }, { utc.hour[23].turns, utc.hour[8].turns, utc.hour[1].memories })
    assert.same({ 3, 0, 1 }, { india.hour[5].turns, india.hour[23].turns, india.hour[6].memories })
    assert.same({ 4, 1, 1, 1 }, { utc.role.user.turns, utc.role.assistant.turns, utc.role.tool.turns, utc.role.other.turns })
    assert.same({ 2, 1 }, { utc.kind.fact.memories, utc.kind.pref.memories })
  end)

  it("is the sizes, the biggest first", function()
    local dir = history()
    local objects = command.objects((command.run(dir, "stats --json")))
    local names, bytes = {}, 0
    for _, object in ipairs(objects) do
      if object.what == "session" then
        names[#names + 1] = object.name:gsub("%.jsonl$", "") .. " " .. object.turns
        assert.equal(#helper.read(object.path), object.bytes)
        bytes = bytes + object.bytes
      end
    end
    assert.same({ "big 4", "small 2", "damaged 1", "zero 0" }, names)
    assert.same({ bytes, #helper.read(dir .. "/memory.jsonl") }, { objects[1].session_bytes, objects[1].memory_bytes })
  end)

  it("is what can be read where a session cannot", function()
    local dir = history()
    helper.write(dir .. "/sessions/array.jsonl", "[1,2]\n")
    local printed, code, said = command.run(dir, "stats --json")
    assert.same({ 0, 4 }, { code, command.objects(printed)[1].sessions })
    assert.truthy(said:find("array.jsonl", 1, true))
  end)

  it("is nothing where there is no history: that is said, and nothing is made", function()
    local dir = helper.tmpdir()
    local printed, code, said = command.run(dir, "stats")
    assert.same({ "", 1 }, { printed, code })
    assert.truthy(said:find("^aish%-history: nothing in "))
    assert.same({}, aish_history.list(dir))
  end)
end)

-- ---- how it looks ----

local function time(seconds) return os.date("!%Y-%m-%dT%H:%M:%SZ", seconds) end

--- A history of a year up to now: on each day as many turns as its place in the week.
local function year()
  local dir, now = helper.tmpdir(), os.time()
  local turns = {}
  for back = 0, 400 do
    local noon = os.time({ year = os.date("%Y", now), month = os.date("%m", now), day = os.date("%d", now) - back, hour = 12 })
    for _ = 1, (os.date("*t", noon).wday + 5) % 7 do turns[#turns + 1] = { "user", time(noon) } end
  end
  add_session(dir, "year", turns)
  write_memory(dir, { { "fact", time(now) }, { "context", time(now - DAY) } })
  return dir
end

--- The columns of what is shown.
local function widest(shown)
  local most = 0
  for line in shown:gsub("\27%[[%d;]*m", ""):gmatch("[^\n]+") do
    most = math.max(most, select(2, aish_history.display(line)))
  end
  return most
end

describe("stats: how it looks", function()
  helper.guard(before_each, after_each)

  it("is tables of plain text where the output is no terminal", function()
    local printed = command.run(history(), "stats")
    assert.is_nil(printed:find("[\128-\255\27]"))
    assert.truthy(printed:find("\nsessions +4 [^\n]*\nempty sessions +1\n"))
    assert.truthy(printed:find("\nDAY +TURNS +MEMORIES\n2025%-12%-31 +0 +1\n"))
    assert.truthy(printed:find("\nROLE OR KIND +TURNS +MEMORIES\nassistant +1 +0\nfact +0 +2\n"))
    assert.truthy(printed:find("\nBIGGEST SESSIONS +SIZE +TURNS +FIRST WORDS\nbig +[%d.]+[BK] +4 +bigbig"))
  end)

  it("is charts on a terminal, none of them wider", function()
    local dir = year()
    for _, columns in ipairs({ 100, 80, 40 }) do
      local shown = command.show(dir, "stats", columns)
      assert(widest(shown) <= columns, widest(shown))
      assert(widest(shown) >= columns - 8, widest(shown))
      for _, title in ipairs({ "turns by day", "memories by day", "turns by hour", "turns by role", "memories by kind" }) do
        assert.truthy(shown:find("\n\27%[1m" .. title .. "\27%[0m  \27%[2m%d+\27%[0m\n"), title)
      end
    end
  end)

  it("is a calendar whose weeks begin on Monday, with the busy days dark", function()
    local shown = command.show(year(), "stats --color never", 80)
    local calendar = shown:match("turns by day[^\n]*\n(.-)\n\n")
    local lines = {}
    for line in calendar:gmatch("[^\n]+") do lines[#lines + 1] = line end
    assert.equal(8, #lines)
    assert.truthy(lines[1]:find("^    %a%a%a +%a%a%a "))
    local shades = { "·", "░", "▒", "▒", "▓", "█", "█" }
    local names = { "Mon ", "    ", "Wed ", "    ", "Fri ", "    ", "    " }
    for weekday, shade in ipairs(shades) do
      local cells = lines[weekday + 1]
      assert.equal(names[weekday], cells:sub(1, 4))
      cells = cells:sub(5):gsub(" ", "")
      assert.equal("", (cells:gsub(shade, "")))
      assert(#cells > 30 * #shade, cells)
    end
  end)

  it("is whole where times are far away", function()
    local dir = year()
    add_session(dir, "far", { { "user", "0001-01-01T00:00:00Z" }, { "user", "9999-12-31T23:59:59Z" }, { "user", "1969-12-31T23:59:59Z" } })
    local printed, code = command.run(dir, "stats", "TZ=Asia/Kolkata")
    assert.equal(0, code)
    assert.truthy(printed:find("\n0001%-01%-01 +1 +0\n") and printed:find("\n1970%-01%-01 +1 +0\n"))
    assert.truthy(command.show(dir, "stats", 80):find("turns by day", 1, true))
  end)

  it("has no colour where none is wanted", function()
    assert.is_nil(command.show(year(), "stats --color never", 80):find("\27", 1, true))
  end)
end)
