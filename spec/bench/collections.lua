--- What the measure of finding looks through: collections of texts with questions, of each of which
-- it is known which text it asks for. A collection: name, texts (an array), talks (they are the turns of
-- so many conversations), questions (an array of { text, the number of the right one }).
local measure = require("measure")

local collections = {}

--- A number from 0 to 65,535 that depends on the text alone, the same under every Lua.
function collections.hash(text)
  local hash = 7
  for i = 1, #text do hash = (hash * 31 + text:byte(i)) % 2147483647 end
  return math.floor(hash * 16807 % 2147483647 / 32768)
end

-- `count` of an array's elements, chosen by the hash of their texts.
local function choose(array, count, text_of)
  local hashes = {}
  for _, element in ipairs(array) do hashes[element] = collections.hash(text_of(element)) end
  table.sort(array, function(a, b)
    if hashes[a] ~= hashes[b] then return hashes[a] < hashes[b] end
    return text_of(a) < text_of(b)
  end)
  for i = #array, count + 1, -1 do array[i] = nil end
  return array
end

-- The text without a name in it, in letters of either case.
local function without(text, name)
  local pattern = name:gsub("%W", "%%%0"):gsub("%a", function(letter) return "[" .. letter .. letter:upper() .. "]" end)
  return (text:gsub(pattern, " "))
end

-- At most so many bytes of a text, cut between characters.
local function cut(text, bytes)
  if #text <= bytes then return text end
  while bytes > 0 and text:find("^[\128-\191]", bytes + 1) do bytes = bytes - 1 end
  return text:sub(1, bytes)
end

-- ---- packages ----

-- Calls take(name, short, long) for each package of a file of descriptions in a language.
local function each_description(path, take)
  local name, short, long
  local function finish()
    if name and short and #long > 0 then take(name, short, table.concat(long, " ")) end
    name, short, long = nil, nil, {}
  end
  finish()
  for line in assert(io.popen("/usr/lib/apt/apt-helper cat-file " .. measure.quote(path))):lines() do
    if line == "" then finish()
    elseif line:sub(1, 1) == " " then
      if short and line ~= " ." then long[#long + 1] = line:sub(2) end
    else
      local key, value = line:match("^(%S+): (.*)")
      if key == "Package" then name = value
      elseif key and key:find("^Description%-%l%l$") then short = value end
    end
  end
  finish()
end

-- apt's descriptions are asked for in a place of their own, so that the machine's stay as they are.
local function fetch_descriptions(dir)
  local options = ("-o Acquire::Languages=en,de -o Dir::State::Lists=%s/ -o Dir::Cache=%s -o APT::Sandbox::User=root"):format(dir, dir)
  os.execute(("{ mkdir -p %s/partial && timeout 60 apt-get -q %s update; } >/dev/null 2>&1"):format(dir, options))
end

local function description_files(dir, language)
  local files = measure.output(("ls %s/*_i18n_Translation-%s*"):format(dir, language))
  return files and files:gmatch("%S+")
end

-- The packages that a language describes, 6,000 of them at most; nil and why not.
local function packages(dir, language)
  local files = description_files(dir, language) or description_files("/var/lib/apt/lists", language)
  if not files then return nil, "apt has no descriptions in the language " .. language .. " here and could not get them" end
  local found, seen = {}, {}
  for path in files do
    each_description(path, function(name, short, long)
      if not seen[name] then found[#found + 1] = { name = name, short = short, long = long } end
      seen[name] = true
    end)
  end
  return choose(found, 6000, function(package) return package.name end)
end

-- From `asks` of a package to the one that says `answers`: 1,200 questions at most.
local function known_items(name, found, asks, answers)
  local collection = { name = name, texts = {}, questions = {} }
  for i, package in ipairs(found) do
    collection.texts[i] = answers(package)
    if i <= 1200 then collection.questions[i] = { asks(package), i } end
  end
  return collection
end

local function long_without_name(package)
  return cut(without(package.long, package.name), 600)
end

local function name_and_short(package)
  return package.name .. ": " .. package.short
end

local function add_packages(all, left_out, dir)
  for _, language in ipairs({ "en", "de" }) do
    local found, why = packages(dir, language)
    if not found then left_out[#left_out + 1] = why
    else
      all[#all + 1] = known_items("packages, " .. language .. ": long, to name and short", found, long_without_name, name_and_short)
    end
    if found and language == "en" then
      all[#all + 1] = known_items("packages, en: short, to name and long", found,
        function(package) return without(package.short, package.name) end,
        function(package) return package.name .. ": " .. package.long end)
      all[#all + 1] = known_items("packages, en: name, to all of it", found,
        function(package) return package.name end,
        function(package) return name_and_short(package) .. ". " .. package.long end)
    end
  end
end

-- ---- manual pages ----

local escapes = { ["\\-"] = "-", ["\\e"] = "\\", ["\\ "] = " ", ["\\&"] = "", ["\\~"] = " " }

-- The text of a page's source without requests and fonts.
local function plain(source)
  return (source:gsub("\n%.\\\"[^\n]*", ""):gsub("\\f%[[^%]]*%]", ""):gsub("\\f.", ""):gsub("\\[%-e &~]", escapes):gsub("\\%(..", " ")
    :gsub("\n[%.']%a+ ?", "\n"):gsub('"', ""):gsub("%s+", " "))
end

-- What a page is about in one line, its names taken out, and the text after it.
local function summary_and_body(source)
  local start, rest = source:match("\n%.S[Hh][^\n]*\n(.-\n)(%.S[Hh].*)")
  if not start then return nil end
  local names, summary = plain("\n" .. start):match("^(.-) %-+ (.+)")
  if not summary then return nil end
  for name in names:gmatch("[^%s,]+") do summary = without(summary, name:lower()) end
  return summary, cut(plain("\n" .. rest), 1500)
end

local function pages(dir, name, directories, count)
  local list = measure.output(("find %s -type f -name '*.gz'"):format(directories))
  if not list then return nil end
  local files = {}
  for path in list:gmatch("%S+") do files[#files + 1] = path end
  choose(files, count, function(path) return path end)
  local names = assert(io.open(dir .. "/pages", "w"))
  names:write(table.concat(files, "\n"), "\n")
  names:close()
  local pipe = assert(io.popen(("while read -r f; do zcat \"$f\"; printf '\\1'; done <%s/pages 2>/dev/null"):format(dir)))
  local collection, seen = { name = name, texts = {}, questions = {} }, {}
  for source in pipe:read("*a"):gmatch("[^\1]+") do
    local summary, body = summary_and_body(source)
    if summary and #summary >= 15 and #body >= 200 and not seen[summary] then
      seen[summary] = true
      local number = #collection.texts + 1
      collection.texts[number] = body
      if number <= 1200 then collection.questions[number] = { summary, number } end
    end
  end
  pipe:close()
  return #collection.texts >= 100 and collection or nil
end

local function add_pages(all, left_out, dir)
  for _, kind in ipairs({ { "manual pages, en: summary, to text", "/usr/share/man/man1 /usr/share/man/man8" },
    { "manual pages, other languages: the same", "/usr/share/man/[a-z][a-z]/ /usr/share/man/[a-z][a-z]_*/" } }) do
    local collection = pages(dir, kind[1], kind[2], 3000)
    if collection then all[#all + 1] = collection
    else left_out[#left_out + 1] = kind[1] .. ": fewer than 100 pages here" end
  end
end

-- ---- written for this ----

local function remembered()
  local collection = { name = "remembered things: prompt, to what it is about", texts = {}, questions = {} }
  for line in io.lines(measure.here .. "finding/remembered.tsv") do
    local number = #collection.texts + 1
    for text in line:gmatch("[^\t]+") do
      if collection.texts[number] then collection.questions[#collection.questions + 1] = { text, number }
      else collection.texts[number] = text end
    end
  end
  return collection
end

-- `talks` holds for each turn the conversation that it is in, and `roles` who speaks.
local function conversations()
  local collection = { name = "conversations: question, to the turn that answers", texts = {}, questions = {}, talks = {}, roles = {} }
  local talk = 0
  for line in io.lines(measure.here .. "finding/talks.txt") do
    local mark, text = line:match("^([=ua?]) (.*)")
    local number = #collection.texts
    if mark == "=" then talk = talk + 1
    elseif mark == "?" then collection.questions[#collection.questions + 1] = { text, number }
    elseif mark then
      collection.texts[number + 1] = text
      collection.talks[number + 1] = talk
      collection.roles[number + 1] = mark == "u" and "user" or "assistant"
    end
  end
  return collection
end

--- All collections that can be had here, and an array of why others cannot.
-- dir: where what apt says of packages is kept from one run to the next
function collections.all(dir)
  local all, left_out = {}, {}
  if not description_files(dir, "en") then fetch_descriptions(dir) end
  add_packages(all, left_out, dir)
  add_pages(all, left_out, dir)
  all[#all + 1] = remembered()
  all[#all + 1] = conversations()
  return all, left_out
end

return collections
