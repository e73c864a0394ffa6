--- Strings as they are written: valid UTF-8 whatever they hold, and read back as the same bytes.
-- generate.json says what must be written; texts of 32 bytes and more go another way than short ones.
local helper = require("spec.support.helper")
local generate = require("spec.support.generate")
local history = require("aish_history")

local encode, decode = history.encode, history.decode

local function check(text)
  local written, expected = encode(text), generate.json(text)
  if written ~= expected then error(("%q: expected %q, got %q"):format(text, expected, written), 2) end
  if decode(written) ~= text then error(("%q comes back as %q"):format(text, tostring(decode(written))), 2) end
end

describe("a string", function()
  helper.guard(before_each, after_each)

  local wide = ("я"):rep(17)

  it("of any two bytes is written so that it reads back, alone and in long text", function()
    for first = 0, 255 do
      for second = 0, 255 do
        local pair = string.char(first, second)
        check(pair)
        if first >= 0x80 then check(wide .. pair .. "яя") end
      end
    end
  end)

  it("is UTF-8 where a character is cut, overlong, a surrogate or beyond the last, at any place", function()
    local wrong = { "\208", "\226\130", "\240\159\152", "\192\128", "\193\191", "\224\159\191", "\240\143\191\191", "\237\160\128",
      "\237\191\191", "\244\144\128\128", "\245\128\128\128", "\255", "\128", "\226\130\172\172", "\240\159\152\128\128" }
    for _, bytes in ipairs(wrong) do
      for place = 0, 66 do
        check(("x"):rep(place) .. bytes .. ("y"):rep(40))
        check("é" .. ("x"):rep(place) .. bytes .. ("я"):rep(20))
        check("é" .. ("x"):rep(place) .. bytes)
        check(("я"):rep(place) .. bytes .. "\n" .. bytes .. ("я"):rep(place))
      end
    end
  end)

  it("keeps every character, in long text too", function()
    local all = {}
    for point = 0x20, 0x10FFFF do
      if (point < 0xD800 or point > 0xDFFF) and point ~= 34 and point ~= 92 then all[#all + 1] = generate.utf8(point) end
    end
    local text = table.concat(all)
    assert(encode(text) == '"' .. text .. '"')
    for index = 1, #all, 997 do check(all[index]) end
  end)

  it("of any length is written to its end", function()
    for length = 0, 140 do
      for _, character in ipairs({ "a", "é", "€", "😀", "\n", "\255" }) do
        check("é" .. character:rep(length))
        check(character:rep(length) .. "\226")
      end
    end
  end)

  it("of random bytes that meet badly is written so that it reads back", function()
    local source = generate.new(1)
    for _ = 1, 50000 do check(source:bytes()) end
  end)
end)
