--- The documents of spec/corpus: decode takes all of pass/ and refuses all of fail/.
local helper = require("spec.support.helper")
local recall = require("spec.support.recall")
local generate = require("spec.support.generate")
local lfs = require("lfs")
local history = require("aish_history")

local encode, decode = history.encode, history.decode
local canon = generate.canon

--- The paths of a folder's documents by name, and the sorted names.
local function documents(folder)
  local names, paths = {}, {}
  for file in lfs.dir(helper.root .. "/spec/corpus/" .. folder) do
    local name = file:match("^(.*)%.json$")
    if name then
      names[#names + 1] = name
      paths[name] = helper.root .. "/spec/corpus/" .. folder .. "/" .. file
    end
  end
  table.sort(names)
  return names, paths
end

local pass, pass_paths = documents("pass")
local fail, fail_paths = documents("fail")

--- What each document of pass/ stands for, where another implementation may differ.
local meanings = {
  literal_null = "null",
  number_above_max = "inf",
  number_below_minus_max = "-inf",
  number_huge_exponent = "inf",
  number_underflow = "0",
  number_underflow_negative = "-0",
  number_minus_zero = "-0",
  number_minus_zero_fraction = "-0",
  number_minus_zero_exponent = "-0",
  string_surrogate_lone_high = '"56557.56480.56448"',
  string_surrogate_lone_low = '"56557.56511.56511"',
  string_surrogate_lone_high_then_text = '"97.56557.56480.56509.98"',
  string_surrogate_pair = '"128512"',
  string_byte_ff = '"56575"',
  object_key_duplicate = "{" .. '"97"=' .. generate.exact(2) .. "}",
  object_key_duplicate_null = "{}",
  object_null_only = "{}",
  array_null_only = "[]",
  array_null_last = "[" .. generate.exact(1) .. "]",
}

--- What jq 1.6 and 1.7 read in their own way: they nest to 256 or 10,000, keep numbers in range, and
-- put U+FFFD for what is not UTF-8.
local function jq_differs(name)
  return name:find("depth") or name:find("surrogate_lone") or name:find("surrogate_swapped")
    or name:find("surrogate_high_pair") or name:find("surrogate_pair_low") or name:find("lone_surrogate")
    or name:find("^number_above") or name:find("^number_below_minus") or name == "number_huge_exponent"
    or name:find("^string_byte") or name == "string_overlong" or name == "string_raw_surrogate"
    or name == "string_cut_off_utf8" or name == "string_beyond_unicode" or name == "string_latin1"
end

local function lines_of(command)
  local pipe = assert(io.popen("exec 2>&1\n" .. command))
  local lines = {}
  for line in pipe:lines() do lines[#lines + 1] = line end
  pipe:close()
  return lines
end

describe("the corpus", function()
  helper.guard(before_each, after_each)

  it("is whole", function()
    assert(#pass >= 150, #pass)
    assert(#fail >= 280, #fail)
    for name in pairs(meanings) do assert(pass_paths[name], name) end
  end)

  it("of valid documents is what python3 reads", function()
    if not recall.has("python3") then return pending("python3 is not installed") end
    local dir = helper.tmpdir()
    helper.write(dir .. "/program.py", generate.python
      .. "for path in sys.argv[1:]: print(canon(load(open(path, 'rb').read()), True))\n")
    local words = {}
    for index, name in ipairs(pass) do words[index] = helper.quote(pass_paths[name]) end
    local lines = lines_of("exec python3 " .. dir .. "/program.py " .. table.concat(words, " "))
    assert.equal(#pass, #lines)
    for index, name in ipairs(pass) do
      assert.equal(lines[index], canon((decode(helper.read(pass_paths[name])))), name)
    end
  end)

  it("of valid documents is what jq reads", function()
    if not recall.has("jq") then return pending("jq is not installed") end
    local dir, names, texts = helper.tmpdir(), {}, {}
    for _, name in ipairs(pass) do
      if not jq_differs(name) then
        names[#names + 1] = name
        texts[#texts + 1] = helper.read(pass_paths[name]) .. "\n"
      end
    end
    helper.write(dir .. "/canon.jq", generate.jq .. "nils | canon")
    helper.write(dir .. "/documents", table.concat(texts))
    local lines = lines_of(("exec jq -r -f %s/canon.jq %s/documents"):format(dir, dir))
    assert.equal(#names, #lines)
    for index, name in ipairs(names) do
      assert.equal(lines[index], canon((decode(helper.read(pass_paths[name])))), name)
    end
  end)

  it("of invalid documents is refused by python3 but for the depth", function()
    if not recall.has("python3") then return pending("python3 is not installed") end
    local dir = helper.tmpdir()
    helper.write(dir .. "/program.py", generate.python .. [[
for path in sys.argv[1:]:
    try: load(open(path, 'rb').read())
    except (ValueError, RecursionError): continue
    print(path)
]])
    local words = {}
    for index, name in ipairs(fail) do words[index] = helper.quote(fail_paths[name]) end
    local lines = lines_of("exec python3 " .. dir .. "/program.py " .. table.concat(words, " "))
    assert.same({ fail_paths.depth_1001_arrays, fail_paths.depth_1001_mixed, fail_paths.depth_1001_objects }, lines)
  end)
end)

describe("a valid document", function()
  helper.guard(before_each, after_each)

  for _, name in ipairs(pass) do
    it(name .. " is read, and written so that it reads the same", function()
      local results = { n = select("#", decode(helper.read(pass_paths[name]))), decode(helper.read(pass_paths[name])) }
      assert.equal(1, results.n)
      local value = results[1]
      if meanings[name] then assert.equal(meanings[name], canon(value)) end
      local text = encode(value)
      if not (value == math.huge or value == -math.huge) then
        assert.equal(canon(value), canon((decode(text))))
      end
      -- the order of members is free, the text of everything else is not
      if not text:find('":') then assert.equal(text, encode((decode(text)))) end
      assert.equal(#text, #encode((decode(text))))
    end)
  end
end)

describe("an invalid document", function()
  helper.guard(before_each, after_each)

  for _, name in ipairs(fail) do
    it(name .. " is refused", function()
      local text = helper.read(fail_paths[name])
      assert.equal(2, select("#", decode(text)))
      local value, message = decode(text)
      assert.is_nil(value)
      local place = tonumber(message:match("at byte (%d+)"))
      assert(place, message)
      assert(place >= 1 and place <= #text + 1, message)
    end)
  end
end)

describe("a member that is passed over", function()
  helper.guard(before_each, after_each)

  it("nests as deep as all JSON may, with the object that it is of", function()
    for levels, damaged in pairs({ [999] = 0, [1000] = 1, [2000] = 1 }) do
      local line = '{"id":1,"ts":"2026-01-01T00:00:00Z","kind":"fact","content":"x","other":%s1%s}\n'
      local path = helper.write(helper.tmpdir() .. "/memory.jsonl", line:format(("["):rep(levels), ("]"):rep(levels)))
      local report = assert(require("aish_history").verify(path))
      assert.same({ levels, damaged, 1 - damaged }, { levels, report.damaged, report.items })
    end
  end)
end)
