--- The members, elements and strings of a record that is not made a table: as search, sessions and
--- filters read them.
local assert = require("luassert")
local helper = require("spec.support.helper")
local native = require("aish_history")
local support = require("spec.support.recall")

local function session(line)
  local dir = helper.tmpdir()
  helper.write(dir .. "/s.jsonl", line .. "\n")
  return dir
end

-- Whether a query finds the record that is this line.
local function finds(line, query)
  return #assert(native.search(session(line), query, { exact = true })) == 1
end

describe("walking over a record", function()
  helper.guard(before_each, after_each)

  it("visits every string that is a value, and no key", function()
    for _, line in ipairs({ '{"a":"b"}', '{"a" : "b"}', '{"a"\t:["b"]}', '{"a":{"a":{"a":[[["b"]]]}}}', '{"a":[{},[],{"a":"b"}]}',
      ' \t{"a":1,"a":[null,true,-1.5e3,"b" ]}\r', '{"a":["x\\"y","b"]}', '{"a":{"a":"}]\\\\","a":"b"}}' }) do
      assert.is_true(finds(line, "b"), line)
      assert.is_false(finds(line, "a"), line)
    end
    assert.is_false(finds('{"key":1,"other":{"key":[]}}', "key"))
  end)

  it("takes no bracket in a string for one", function()
    for _, text in ipairs({ "[", "]", "{", "}", "[[{", "}]]", '\\"]', "\\\\", ",", ":", "\\u005d" }) do
      local list = native.sessions(session('{"x":["' .. text .. '",{"' .. text .. '":1}],"role":"user","content":["' .. text .. '"],"ts":"T"}'))
      assert.same({ 1, "T" }, { list[1].turns, list[1].last_ts })
    end
  end)

  it("goes on after values of every kind", function()
    for _, value in ipairs({ "0", "-1.5E+30", "true", "false", "null", '""', '"\\\\"', "[]", "{}", "[ ]", "[[],{}]", '{"a":{"b":[1,2]}}' }) do
      for _, space in ipairs({ "", " ", "\t\r " }) do
        local line = '{"x":V,"role":"user","y":V,"content":"text","z":V}'
        line = line:gsub("[,:}]", function(mark) return space .. mark .. (mark == "}" and "" or space) end):gsub("V", function() return value end)
        assert.equal("text", native.sessions(session(line))[1].first, line)
      end
    end
  end)

  it("knows a key however it is escaped, the last of its name", function()
    assert.equal("new", native.sessions(session('{"role":"user","content":"old","c\\u006fntent":"new"}'))[1].first)
    assert.equal(0, native.sessions(session('{"role":"user","contentx":"a","conten":"b","\\u0000content":"c"}'))[1].turns)
  end)

  it("goes down to the levels that a record may have", function()
    for _, pair in ipairs({ { "[", "]" }, { '{"a":', "}" } }) do
      local function nested(levels)
        return '{"role":"user","content":' .. pair[1]:rep(levels) .. '"deep"' .. pair[2]:rep(levels) .. "}"
      end
      assert.is_true(finds(nested(999), "deep"))
      assert.is_false(finds(nested(1000), "deep"))
      assert.equal("deep", native.sessions(session(nested(999)))[1].first)
    end
  end)

  it("finds the text of a content at any place in it", function()
    assert.equal("deep", native.sessions(session(support.turn('[[1,{"x":[{},{"y":"deep"}]}],"later"]'):sub(1, -2)))[1].first)
    assert.equal("", native.sessions(session('{"role":"user","content":[{"a":[]}],"later":"no"}'))[1].first)
  end)
end)
