-- A scan in 4 KiB chunks that forgot the rest of a line lost ids or raised on reopening: records that
-- end at every byte around a block's end must be found whole.
local aish = require("aish_history")
local cases = require("spec.support.cases")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

describe("reopening a file larger than a block", function()
  helper.guard(before_each, after_each)

  local straddler = '{"id":777,"ts":"2026-05-01T00:00:00Z","kind":"fact","content":"\\u00e9 \\\\ \\"q\\"","n":1.25e3}\n'
  local stone = '{"id":778,"ts":"2026-05-01T00:00:00Z","kind":"forget","target":3}\n'
  local escaped = '{"\\u0069d":777,"kin\\u0064":"f\\u0061ct","content":"\\ud83d\\ude00"}\r\n'

  local function open(path, bytes)
    helper.write(path, bytes)
    local memory = assert(aish.open(path))
    local next_id, count, items = memory.next_id, #memory, memory:items()
    memory:close()
    assert.equal(count, #items)
    assert.is_nil(cases.difference(items, aish.load_memory(path)))
    return next_id, count, items
  end

  -- Records 1 to 4 and one more that ends where `length` bytes are full.
  local function filled(length)
    local head = support.meta .. support.item(1) .. support.item(2) .. support.item(3) .. support.item(4)
    local rest = length - #head - #support.item(6, "")
    assert(rest >= 0)
    return head .. support.item(6, ("-"):rep(rest))
  end

  -- The same of many short records, ids from 700 down.
  local function crowded(length)
    local lines, size = { support.meta }, #support.meta
    for id = 700, -math.huge, -1 do
      if length - size <= 400 then break end
      lines[#lines + 1] = support.item(math.max(id, 6), "short")
      size = size + #lines[#lines]
    end
    lines[#lines + 1] = support.item(6, ("-"):rep(length - size - #support.item(6, "")))
    return table.concat(lines)
  end

  for _, block in ipairs({ 4096, 8192, 65536, 262144, 524288 }) do
    it(("finds a record that ends at any byte around %d"):format(block), function()
      local path = helper.tmpdir() .. "/memory.jsonl"
      for stop = block - 4, block + #straddler + 4 do
        local head = filled(stop - #straddler)
        local next_id, count, items = open(path, head .. straddler .. support.item(5))
        assert.equal(stop, #head + #straddler)
        assert.equal(778, next_id, stop)
        assert.equal(7, count, stop)
        assert.equal(777, items[1].id, stop)
        assert.equal('é \\ "q"', items[1].content, stop)
        assert.equal(1250, items[1].n, stop)
      end
    end)

    it(("finds a tombstone that ends at any byte around %d"):format(block), function()
      local path = helper.tmpdir() .. "/memory.jsonl"
      for stop = block - 4, block + #stone + 4 do
        local next_id, count, items = open(path, filled(stop - #stone) .. stone .. support.item(5))
        assert.equal(779, next_id, stop)
        assert.equal(5, count, stop)
        assert.same({ 6, 5, 4, 2, 1 }, support.pluck(items, "id"))
      end
    end)

    it(("finds escaped keys and CRLF at any byte around %d"):format(block), function()
      local path = helper.tmpdir() .. "/memory.jsonl"
      for stop = block - 4, block + #escaped + 4 do
        local next_id, count, items = open(path, filled(stop - #escaped) .. escaped .. support.item(5))
        assert.equal(778, next_id, stop)
        assert.equal(7, count, stop)
        assert.equal("\240\159\152\128", items[7].content, stop)
      end
    end)

    it(("opens files of every size around %d, with and without the last newline"):format(block), function()
      local path = helper.tmpdir() .. "/memory.jsonl"
      for size = block - 100, block + 100 do
        local bytes = filled(size - #straddler) .. straddler
        assert.equal(size, #bytes)
        for _, cut in ipairs({ 0, 1 }) do
          local next_id, count = open(path, bytes:sub(1, size - cut))
          assert.equal(778, next_id, size)
          assert.equal(6, count, size)
        end
        local next_id, count = open(path, bytes:sub(1, size - 2))
        assert.equal(7, next_id, size)
        assert.equal(5, count, size)
      end
    end)

    it(("goes on counting after reopening at every size around %d"):format(block), function()
      local path = helper.tmpdir() .. "/memory.jsonl"
      for size = block - 40, block + 40 do
        local bytes = filled(size - #straddler) .. straddler
        helper.write(path, bytes)
        local memory = assert(aish.open(path, { sync = "none" }))
        assert.equal(778, memory:add("fact", "next"), size)
        memory:close()
        memory = assert(aish.open(path))
        assert.equal(779, memory.next_id, size)
        assert.equal("next", memory:get(778).content, size)
        memory:close()
        assert.equal(bytes, helper.read(path):sub(1, size))
      end
    end)
  end

  it("finds each of many short records", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    for size = 262144 - 90, 262144 + 90, 9 do
      local bytes = crowded(size)
      assert.equal(size, #bytes)
      local expected, expected_next = support.reading(bytes)
      local next_id, count = open(path, bytes)
      assert.equal(701, expected_next)
      assert.equal(expected_next, next_id, size)
      assert.equal(#expected, count, size)
    end
  end)

  it("is not confused by an empty or blank block", function()
    local path = helper.tmpdir() .. "/memory.jsonl"
    for size = 262144 - 3, 262144 + 3 do
      local next_id, count = open(path, support.item(1) .. ("\n"):rep(size) .. support.item(2))
      assert.equal(3, next_id)
      assert.equal(2, count)
      next_id, count = open(path, support.item(1) .. ("\0"):rep(size) .. "\n" .. support.item(2))
      assert.equal(3, next_id)
      assert.equal(2, count)
    end
  end)
end)
