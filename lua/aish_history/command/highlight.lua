--- Where in a text the words of a query are: what to show in another colour. The module's search has said
-- that they are there; here letters are equal to those that differ in case or marks, in the scripts where
-- it leaves these out.
local ALPHABETS = {
  a = "aAàáâãäåāăąǎÀÁÂÃÄÅĀĂĄǍ", c = "cCçćĉċčÇĆĈĊČ", d = "dDďĎ", e = "eEèéêëēĕėęěÈÉÊËĒĔĖĘĚ", g = "gGĝğġģĜĞĠĢ",
  h = "hHĥĤ", i = "iIìíîïĩīĭįıÌÍÎÏĨĪĬĮİ", j = "jJĵĴ", k = "kKķĶ", l = "lLĺļľĹĻĽ", n = "nNñńņňÑŃŅŇ",
  o = "oOòóôõöōŏőÒÓÔÕÖŌŎŐ", r = "rRŕŗřŔŖŘ", s = "sSśŝşšșŚŜŞŠȘ", t = "tTţťțŢŤȚ", u = "uUùúûüũūŭůűųÙÚÛÜŨŪŬŮŰŲ",
  w = "wWŵŴ", y = "yYýÿŷÝŶŸ", z = "zZźżžŹŻŽ", ["α"] = "αάΑΆ", ["ε"] = "εέΕΈ", ["η"] = "ηήΗΉ", ["ι"] = "ιίϊΐΙΊΪ",
  ["ο"] = "οόΟΌ", ["υ"] = "υύϋΰΥΎΫ", ["ω"] = "ωώΩΏ", ["σ"] = "σςΣ", ["е"] = "еёЕЁ", ["и"] = "ийИЙ", ["у"] = "уўУЎ",
}

-- From one script's capitals to its small letters: equal places in both.
local PAIRS = {
  { "ÆØÞÐŁĐŒ", "æøþðłđœ" }, { "ΒΓΔΖΘΚΛΜΝΞΠΡΤΦΧΨ", "βγδζθκλμνξπρτφχψ" },
  { "АБВГДЖЗКЛМНОПРСТФХЦЧШЩЪЫЬЭЮЯЄІЇЉЊЂЋЏ", "абвгджзклмнопрстфхцчшщъыьэюяєіїљњђћџ" },
}

local CHARACTER = "[%z\1-\127\194-\244][\128-\191]*"

local small
local function fold_of()
  if small then return small end
  small = {}
  for letter, all in pairs(ALPHABETS) do
    for character in all:gmatch(CHARACTER) do small[character] = letter end
  end
  for _, pair in ipairs(PAIRS) do
    local next_letter = pair[2]:gmatch(CHARACTER)
    for character in pair[1]:gmatch(CHARACTER) do small[character] = next_letter() end
  end
  return small
end

-- The folded text, and where in the text each of its bytes comes from: first and last byte.
local function fold(text)
  local letters, parts, from, to, length = fold_of(), {}, {}, {}, 0
  for at, character in text:gmatch("()(" .. CHARACTER .. ")") do
    local last = at + #character - 1
    if character:find("^\204[\128-\191]") or character:find("^\205[\128-\175]") then
      to[length] = last -- a mark by itself belongs to the letter before it
    else
      local folded = letters[character] or character:lower()
      parts[#parts + 1] = folded
      for index = length + 1, length + #folded do from[index], to[index] = at, last end
      length = length + #folded
    end
  end
  return table.concat(parts), from, to
end

-- The words of a query as the module's search takes them, or the whole as one.
local function words_of(query, exact)
  if exact then return { (fold(query)) } end
  local words = {}
  for word in query:gmatch("%S+") do
    local bare = word:gsub("^[%(%[\"'?!,;:]+", ""):gsub("[%)%]\"'?!,;:%.]+$", "")
    words[#words + 1] = (fold(bare:find("[%w\128-\255]") and bare or word))
  end
  return words
end

--- A function from text to text that puts what the query's words match through `mark`; it also returns
-- whether there is any.
-- @tparam string query
-- @tparam boolean exact the query is one literal text
-- @tparam function mark from text to text
return function(query, exact, mark)
  local words = words_of(query, exact)
  return function(text)
    local folded, from, to = fold(text)
    local hit = {}
    for _, word in ipairs(words) do
      local first, last = folded:find(word, 1, true)
      while first and last >= first do
        for index = from[first], to[last] do hit[index] = true end
        first, last = folded:find(word, last + 1, true)
      end
    end
    local parts, at = {}, 1
    while at <= #text do
      local stop = at
      while stop < #text and hit[stop + 1] == hit[at] do stop = stop + 1 end
      local part = text:sub(at, stop)
      parts[#parts + 1], at = hit[at] and mark(part) or part, stop + 1
    end
    return table.concat(parts), next(hit) ~= nil
  end
end
