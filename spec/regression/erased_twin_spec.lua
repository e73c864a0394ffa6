-- Items without a uid, of one id and second, have one name. What was erased from one of them gave it a `rev`, by
-- which it replaced the others: they were not shown, and the next compaction removed them.
local aish = require("aish_history")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

local function item(id, content, more)
  return ('{"id":%d,"ts":"2026-01-01T00:00:00Z","kind":"fact","content":"%s"%s}\n'):format(id, content, more or "")
end

local function contents(path)
  local found = support.pluck(assert(aish.load_memory(path)), "content")
  table.sort(found)
  return found
end

describe("an item that shares its name", function()
  helper.guard(before_each, after_each)

  local REV = ',"rev":1'
  local cases = {
    { item(1, "a secret") .. item(1, "other"), item(1, "a -", REV) .. item(1, "other", REV) },
    { item(1, "other") .. item(1, "a secret"), item(1, "other", REV) .. item(1, "a -", REV) },
    { item(1, "x", REV) .. item(1, "old secret") .. item(1, "secret", REV), item(1, "x", ',"rev":2') .. item(1, "old -") .. item(1, "-", ',"rev":2') },
    -- One of another name, or of another id, stays to the byte.
    { item(1, "secret") .. item(2, "x") .. item(1, "x", ',"uid":"aaaaaaaa"'), item(1, "-", REV) .. item(2, "x") .. item(1, "x", ',"uid":"aaaaaaaa"') },
    { item(1, "x", ',"uid":"b"') .. item(1, "secret", ',"\\u0075id":"\\u0062"') .. item(1, "y"),
      item(1, "x", ',"uid":"b"' .. REV) .. item(1, "-", ',"\\u0075id":"\\u0062"' .. REV) .. item(1, "y") },
    -- So does what is damaged beside one that is not changed.
    { item(1, "x"):sub(1, -2) .. "{cut\n" .. item(1, "secret"), item(1, "x", REV):sub(1, -2) .. "{cut\n" .. item(1, "-", REV) },
    { '{"id":1,"kind":"pref"}\n{"id":1,"kind":"fact","content":"secret"}\n', '{"id":1,"kind":"pref"' .. REV .. '}\n{"id":1,"kind":"fact","content":"-"' .. REV .. "}\n" },
  }

  it("hides none of the others when text is erased from it", function()
    for _, case in ipairs(cases) do
      for _, what in ipairs({ "secret", function(text) return (text:gsub("secret", "-")) end }) do
        local path = helper.write(helper.tmpdir() .. "/memory.jsonl", support.meta .. case[1])
        local before = contents(path)
        for i, text in ipairs(before) do before[i] = text:gsub("secret", "-") end
        table.sort(before)
        local report = assert(aish.erase(path, what, type(what) == "string" and { replacement = "-" } or nil))
        assert.equal(support.meta .. case[2], helper.read(path))
        assert.equal(select(2, case[1]:gsub("secret", "")), report.records)
        assert.same(before, contents(path))
        assert.equal(#before, assert(aish.compact(path)).kept)
        assert.same(before, contents(path))
      end
    end
  end)

  it("would become too long, which is said as of any other", function()
    local bytes = item(1, "ab") .. item(1, ("ab"):rep(100))
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl", bytes)
    local _, message = aish.erase(path, "ab", { replacement = ("x"):rep(2 ^ 20) })
    assert.equal(("erase %s: a text would become longer by over 64 MiB"):format(path), message)
    assert.equal(bytes, helper.read(path))
  end)

  it("replaces the older copies of all", function()
    local bytes = item(1, "a secret") .. item(1, "other")
    local path = helper.write(helper.tmpdir() .. "/memory.jsonl", bytes)
    assert(aish.erase(path, "secret"))
    helper.write(path, helper.read(path) .. bytes)
    assert.same({ "a [erased]", "other" }, contents(path))
  end)
end)
