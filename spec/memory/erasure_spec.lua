-- erase in a memory: `rev`, twins, copies, tombstones and what a merge brings back; handles go on with the
-- new file, in this process and in others.
local aish = require("aish_history")
local children = require("spec.support.children")
local errno = require("posix.errno")
local helper = require("spec.support.helper")
local lfs = require("lfs")
local stat = require("posix.sys.stat")
local support = require("spec.support.memories")

local function file(bytes)
  return helper.write(helper.tmpdir() .. "/memory.jsonl", bytes)
end

local function item(id, content, more)
  return ('{"id":%d,"uid":"abcdefg%d","ts":"2026-01-02T03:04:05Z","kind":"fact","content":"%s"%s}\n'):format(
    id, id, content, more or "")
end

local function erased(bytes, what, options)
  local path = file(bytes)
  local report = assert(aish.erase(path, what, options))
  return helper.read(path), report
end

local function contents(path)
  local found = support.pluck(assert(aish.load_memory(path)), "content")
  table.sort(found)
  return table.concat(found, " ")
end

describe("erase in a memory", function()
  helper.guard(before_each, after_each)

  it("gives an item that changes the next rev", function()
    for _, case in ipairs({
      { item(1, "a secret"), item(1, "a [erased]", ',"rev":1') },
      { item(1, "a secret", ',"rev":41'), item(1, "a [erased]", ',"rev":42') },
      { item(1, "a secret", ',"rev" : 9 ,"x":1'), item(1, "a [erased]", ',"rev" : 10 ,"x":1') },
      { item(1, "a secret", ',"rev":"x"'), item(1, "a [erased]", ',"rev":1') },
      { item(1, "a secret", ',"rev":1,"r\\u0065v":2e1'), item(1, "a [erased]", ',"rev":21,"r\\u0065v":21') },
      { '{"rev":3 ,"id":1,"kind":"fact","content":"secret"}\n', '{"rev":4 ,"id":1,"kind":"fact","content":"[erased]"}\n' },
      { ' {"id":1,"kind":"fact","tags":["s\\u0065cret"] } \r\n', ' {"id":1,"kind":"fact","tags":["[erased]"] ,"rev":1} \r\n' },
      { item(1, "a secret", ',"rev":9007199254740991'), item(1, "a [erased]", ',"rev":9007199254740991') },
      { item(1, "x", ',"y":{"rev":"secret"}'), item(1, "x", ',"y":{"rev":"[erased]"},"rev":1') },
      { item(1, "clean"), item(1, "clean") },
    }) do
      assert.equal(support.meta .. case[2], (erased(support.meta .. case[1], "secret")))
    end
  end)

  it("gives the next rev in a memory that begins with another's record", function()
    local bytes = '{"role":"user","content":"x"}\n{"id":2,"kind":"note","content":"secret"}\n' .. item(1, "a secret")
      .. '{"id":3,"kind":"fact","ts":"2026","content":{"id":4,"kind":"fact","content":"secret"}\n'
    local after = '{"role":"user","content":"x"}\n{"id":2,"kind":"note","content":"-"}\n' .. item(1, "a -", ',"rev":1')
      .. '{"id":4,"kind":"fact","content":"-","rev":1}\n'
    assert.equal(after, (erased(bytes, "secret", { replacement = "-" })))
    assert.equal(after, (erased(bytes, function(text) return (text:gsub("secret", "-")) end)))
    local path = file(bytes)
    local memory = assert(aish.open(path))
    assert.equal(3, assert(memory:erase("secret", { replacement = "-" })).records)
    memory:close()
    assert.equal(after, helper.read(path))
    assert.equal("- a -", contents(path))
  end)

  it("gives none to what is no item", function()
    local bytes = '{"meta":{"aish_version":"phase4","created":"2026-01-01T00:00:00Z","by":"secret"}}\n' .. item(1, "x")
      .. '{"id":2,"ts":"2026-01-02T03:04:05Z","kind":"forget","target":1,"of":"abcdefg1","why":"secret"}\n'
      .. '{"id":3,"kind":"note","content":"secret"}\n'
    local found, report = erased(bytes, "secret")
    assert.equal((bytes:gsub("secret", "[erased]")), found)
    assert.equal(3, report.records)
    assert.equal("", contents(file(found)))
  end)

  it("keeps what is forgotten forgotten", function()
    local path = file(support.meta)
    local memory = assert(aish.open(path))
    local id = assert(memory:add("fact", "my secret"))
    assert(memory:add("fact", "other"))
    assert(memory:forget(id))
    assert.equal(1, assert(memory:erase("secret")).records)
    assert.equal(1, #memory)
    assert.equal("other", memory:items()[1].content)
    assert.is_false((memory:forget(id)))
    memory:close()
    assert.falsy(helper.read(path):find("secret", 1, true))
  end)

  it("replaces the older copy that a merge brings back", function()
    for _, bytes in ipairs({ item(1, "a secret"), (item(1, "a secret"):gsub('"uid":"%w+",', "")),
      '{"id":1,"kind":"fact","content":"a secret"}\n' }) do
      local new = erased(support.meta .. bytes, "secret")
      for _, merged in ipairs({ new .. bytes, support.meta .. bytes .. new:sub(#support.meta + 1) }) do
        local path = file(merged)
        assert.equal("a [erased]", contents(path))
        -- Erased again, also by another text, the old copy stays replaced.
        assert(aish.erase(path, "secret", { replacement = "[gone]" }))
        assert.equal("a [erased]", contents(path))
        assert.falsy(helper.read(path):find("secret", 1, true))
        assert(aish.compact(path))
        assert.equal(new, helper.read(path))
      end
    end
  end)

  it("changes copies of an item alike, and twins each for itself", function()
    local one, two = item(1, "secret one"), item(1, "secret two"):gsub("abcdefg1", "hijklmno")
    local path = file(support.meta .. one .. two .. one .. " " .. one)
    assert(aish.erase(path, "secret"))
    assert.equal("[erased] one [erased] two", contents(path))
    assert.equal(2, assert(aish.verify(path)).active)
    assert.equal(2, select(2, helper.read(path):gsub('"rev":1', "")))
    local same = file(support.meta .. item(1, "secret one") .. item(1, "secret two"))
    assert(aish.erase(same, "secret"))
    assert.equal("[erased] one [erased] two", contents(same))
  end)

  it("gives all that no name tells apart the next rev with one, in whatever order they stand", function()
    local function of(uid, content) return (item(7, content):gsub("abcdefg7", uid)) end
    local a, b, changed = of("aaaaaaaa", "x"), of("bbbbbbbb", "y"), of("aaaaaaaa", "secret")
    local more = '","rev":1}\n'
    local after = { [a] = a:sub(1, -4) .. more, [b] = b, [changed] = changed:gsub("secret", "[erased]"):sub(1, -4) .. more }
    for _, order in ipairs({ { a, b, changed }, { a, changed, b }, { b, a, changed }, { b, changed, a }, { changed, a, b },
      { changed, b, a } }) do
      local expected = support.meta .. after[order[1]] .. after[order[2]] .. after[order[3]]
      assert.equal(expected, (erased(support.meta .. table.concat(order), "secret")))
    end
  end)

  it("gives the next rev on shared and damaged lines, too", function()
    local bytes = support.meta .. item(1, "secret"):sub(1, -2) .. item(2, "secret"):sub(1, -2) .. "\n"
      .. '{"id":9,"ts":"2026{"id":3,"kind":"fact","content":"secret"}\n'
    local path = file(bytes)
    assert(aish.erase(path, "secret"))
    assert.equal(support.meta .. item(1, "[erased]", ',"rev":1'):sub(1, -2) .. item(2, "[erased]", ',"rev":1')
      .. '{"id":3,"kind":"fact","content":"[erased]","rev":1}\n', helper.read(path))
  end)

  it("keeps mode, owner and symbolic links", function()
    local dir = helper.tmpdir()
    assert(lfs.mkdir(dir .. "/real"))
    helper.write(dir .. "/real/data", support.meta .. item(1, "secret"))
    assert(stat.chmod(dir .. "/real/data", 416)) -- 0640
    assert(lfs.link("real/data", dir .. "/memory.jsonl", true))
    assert(aish.erase(dir .. "/memory.jsonl", "secret"))
    assert.equal("real/data", lfs.symlinkattributes(dir .. "/memory.jsonl", "target"))
    assert.equal("rw-r-----", lfs.attributes(dir .. "/real/data", "permissions"))
    assert.equal("[erased]", contents(dir .. "/memory.jsonl"))
  end)

  it("goes on with the new file: its own handle, and shared ones", function()
    for _, shared in ipairs({ false, true }) do
      local path = file(support.meta)
      local memory = assert(aish.open(path, { shared = shared, unique = true }))
      local first = assert(memory:add("fact", "my secret"))
      local other = shared and assert(aish.open(path, { shared = true }))
      assert.equal(1, assert(memory:erase("secret")).records)
      assert.equal("my [erased]", memory:get(first).content)
      assert.equal(1, memory:get(first).rev)
      assert.equal(0, #memory:search("secret"))
      assert.equal(first, (memory:add("fact", "my [erased]")))
      assert.equal(first + 1, (memory:add("fact", "next")))
      if other then
        assert.equal("my [erased]", other:get(first).content)
        assert.equal(first + 2, (other:add("fact", "more")))
        other:close()
      end
      assert(memory:forget(first))
      memory:close()
      assert.equal(shared and "more next" or "next", contents(path))
    end
  end)

  it("goes on with the new file: handles of other processes", function()
    local path = file(support.meta .. item(1, "my secret"))
    local go = path .. ".go"
    local list = {}
    for index = 1, 2 do
      list[index] = select(2, support.start([[
        local path, go, index = ...
        local memory = assert(aish.open(path, { shared = true }))
        assert(memory:get(1).content == "my secret")
        print("ready")
        await(go)
        print(memory:get(1).content, memory:add("fact", "of " .. index))
      ]], path, go, index))
      assert.equal("ready", list[index]:read("*l"))
    end
    assert(aish.erase(path, "secret"))
    helper.write(go, "")
    for index = 1, 2 do
      assert.matches("^my %[erased%]\t%d", list[index]:read("*l"))
      list[index]:close()
    end
    assert.equal("my [erased] of 1 of 2", contents(path))
  end)

  it("fails where another handle keeps the lock, if there is something to erase", function()
    local path = file(support.meta .. item(1, "my secret"))
    local go = path .. ".go"
    local pid, holder = support.holder(path, go)
    local result, message, number, report = aish.erase(path, "secret", { wait = 0 })
    assert.same({ nil, support.held, errno.EAGAIN }, { result, message, number })
    assert.same({ [path] = support.held }, report.failed)
    assert.equal(0, report.files)
    assert.equal(1, assert(aish.erase(path, "secret", { dry_run = true })).records)
    assert.equal(0, assert(aish.erase(path, "nothing", { wait = 0 })).records)
    helper.write(go, "")
    assert.equal("released", holder:read("*l"))
    holder:close()
    assert(pid and aish.erase(path, "secret"))
  end)

  it("changes each of many twins", function()
    local parts = { support.meta }
    for index = 1, 20000 do parts[#parts + 1] = ('{"id":1,"kind":"fact","content":"secret %d"}\n'):format(index) end
    local path = file(table.concat(parts))
    assert.equal(20000, assert(aish.erase(path, "secret")).records)
    assert.equal(20000, assert(aish.verify(path)).active)
  end)

  it("removes what a crash has left beside it, and no other file", function()
    local path = file(support.meta .. item(1, "secret"))
    local left, other = path .. ".compact-000000009e3779b1", path .. ".compact-0000000000000000"
    for _, what in ipairs({ "nothing", "secret" }) do
      helper.write(left, "half a secret")
      helper.write(other, "mine")
      assert(aish.erase(path, what, { dry_run = true }))
      assert.equal("half a secret", helper.read(left))
      assert(aish.erase(path, what))
      assert.is_nil(lfs.attributes(left))
      assert.equal("mine", helper.read(other))
    end
  end)

  it("refuses what it did not make in the place of damaged lines", function()
    local path = file(support.meta .. item(1, "secret"))
    local aside = path .. ".damaged"
    helper.write(path .. ".other", "secret\n")
    assert(lfs.link(path .. ".other", aside, true))
    local result, message, _, report = aish.erase(path, "secret")
    assert.is_nil(result)
    assert.equal(("erase: open %s: not a regular file"):format(aside), message)
    assert.same({ [path] = message }, report.failed)
    assert.equal(0, report.files)
    assert.equal("secret", contents(path))
    assert.equal("secret\n", helper.read(path .. ".other"))
  end)

  it("by SIGKILL leaves the file whole, the old one or the new one", function()
    local random = support.random(20260106)
    local path = helper.tmpdir() .. "/memory.jsonl"
    local parts = { support.meta }
    for index = 1, 3000 do parts[#parts + 1] = item(index, ("x"):rep(150) .. " secret 0") end
    helper.write(path, table.concat(parts))
    local list, left = {}, 0
    finally(function() children.clear(list) end)
    for _ = 1, 20 do
      local child = children.fork(function(say)
        say("begun")
        for number = 0, math.huge do
          assert(aish.erase(path, "secret " .. number % 2, { replacement = "secret " .. (number + 1) % 2 }))
        end
      end)
      list[1] = child
      assert.equal("begun", children.hear(child))
      support.sleep(random(80) / 1000)
      children.kill(child)
      local report = assert(aish.verify(path))
      assert.same({ 3000, 0, 0 }, { report.active, report.torn, report.damaged })
      local contents_of = {}
      for _, record in ipairs(aish.load_memory(path)) do contents_of[record.content] = true end
      assert.is_nil(next(contents_of, (next(contents_of)))) -- all are the old ones, or the new ones
      for name in lfs.dir(path:match("^(.*)/")) do left = left + (name:find("%.compact%-") and 1 or 0) end
    end
    assert(aish.erase(path, "nothing"))
    for name in lfs.dir(path:match("^(.*)/")) do assert.falsy(name:find("%.compact%-")) end
    print(("\nerase: killed 20 times, new files beside the old one: %d"):format(left))
  end)
end)
