-- A function said what becomes of each text, and then another erasure made another text of one: that was not
-- known, was left as it was, and success was reported.
local aish = require("aish_history")
local errno = require("posix.errno")
local helper = require("spec.support.helper")
local support = require("spec.support.memories")

local LINES = {
  session = '{"role":"user","content":"%s"%s}\n',
  memory = support.meta .. '{"id":1,"uid":"aaaaaaaa","kind":"fact","content":"%s"%s}\n',
}

local function file(kind, text)
  return helper.write(helper.tmpdir() .. "/" .. kind .. ".jsonl", LINES[kind]:format(text, ""))
end

-- Takes `token` out, having called `meanwhile` with the number of the first text, the second and so on.
local function without_token(meanwhile)
  local count = 0
  return function(text)
    count = count + 1
    meanwhile(count)
    return (text:gsub("token", "-"))
  end
end

describe("a text that another erasure makes meanwhile", function()
  helper.guard(before_each, after_each)

  it("is asked about, too", function()
    for kind, revs in pairs({ session = "", memory = ',"rev":2' }) do
      local path = file(kind, "token and secret")
      local report = assert(aish.erase(path, without_token(function(count)
        if count == 1 then assert(aish.erase(path, "secret")) end
      end)))
      assert.equal(1, report.records)
      assert.equal(LINES[kind]:format("- and [erased]", revs), helper.read(path))
    end
  end)

  it("is asked about wherever it stands", function()
    local lines = {}
    for number = 1, 150 do lines[number] = LINES.session:format("x" .. number, "") end
    for _, place in ipairs({ 1, 75, 150 }) do
      local line = lines[place]
      lines[place] = LINES.session:format("token and secret", "")
      local path = helper.write(helper.tmpdir() .. "/session.jsonl", table.concat(lines))
      assert(aish.erase(path, without_token(function(count)
        if count == #lines then assert(aish.erase(path, "secret")) end
      end)))
      lines[place] = LINES.session:format("- and [erased]", "")
      assert.equal(table.concat(lines), helper.read(path))
      lines[place] = line
    end
  end)

  it("is not counted in vain by a dry run", function()
    local path = file("session", "token and secret")
    local report = assert(aish.erase(path, without_token(function(count)
      if count == 1 then assert(aish.erase(path, "secret")) end
    end), { dry_run = true }))
    assert.same({ 1, 1 }, { report.records, report.files })
    assert.equal(LINES.session:format("token and [erased]", ""), helper.read(path))
  end)

  it("fails if there is another one each time", function()
    local path = file("session", "token 0")
    local last
    local result, message, number = aish.erase(path, without_token(function(count)
      last = count
      assert(aish.erase(path, "token " .. count - 1, { replacement = "token " .. count }))
    end))
    assert.same({ nil, errno.EAGAIN }, { result, number })
    assert.equal(("erase %s: it changed again and again while it was read"):format(path), message)
    assert.equal(17, last)
    assert.equal(LINES.session:format("token 17", ""), helper.read(path))
  end)

  it("is not what others append", function()
    local path = file("session", "token")
    assert(aish.erase(path, without_token(function(count)
      helper.write(path, helper.read(path) .. LINES.session:format("token " .. count, ""))
    end)))
    assert.equal(LINES.session:format("-", "") .. LINES.session:format("token 1", ""), helper.read(path))
  end)

  it("is of a handle that may be closed then", function()
    local path = file("session", "token and secret")
    local session = assert(aish.session(path))
    assert.same({ false, "session closed" }, { session:erase(without_token(function(count)
      if count == 1 then assert(aish.erase(path, "secret")) else session:close() end
    end)) })
    assert.equal(LINES.session:format("token and [erased]", ""), helper.read(path))
  end)
end)
