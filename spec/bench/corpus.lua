--- The files that are measured on. Generated from a seed, so that they are the same on every machine
-- and in every run; made when first asked for, in the directory that `corpus.dir` names.
local limits = require("limits")

local corpus = { dir = nil }

--- The words that the searches look for. Each is in one record of a thousand, by chance apart from the
-- other, and both are in the records whose number is a multiple of 20,011.
corpus.rare, corpus.other_rare = "heliotrope", "marzipan"

-- Park and Miller's generator: exact in doubles, so the same under every Lua.
local seed
local function random(n) -- 0 to n - 1
  seed = seed * 16807 % 2147483647
  return seed % n
end

local function pick(array)
  return array[random(#array) + 1]
end

-- 2,000 words of two or three syllables.
local words = {}
do
  seed = 4
  local starts = { "b", "c", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "t", "v", "st", "tr", "pl", "gr" }
  local ends = { "an", "el", "in", "or", "um", "ate", "ic", "ow", "ing", "er", "ash", "ile" }
  for i = 1, 2000 do
    words[i] = pick(starts) .. pick(ends) .. pick(starts) .. pick(ends) .. (random(3) == 0 and pick(ends) or "")
  end
end

--- A word by its rank: 1 is the most frequent.
function corpus.word(rank)
  return words[rank]
end

-- A few words are frequent and most are not.
local function any_word()
  local r = random(10000) / 10000
  return words[math.floor(r * r * #words) + 1]
end

local specials = { "na\195\175ve", "\230\151\165\230\156\172\232\170\158", "\\\"quoted\\\"", "C:\\\\tmp", "one\\ntwo",
  "na\\u00efve", "\240\159\152\128", "a\\/b" }

-- A text of JSON, without its quotes. One in ten holds an escape or what is not ASCII.
local function sentence(count, number)
  local out = {}
  for i = 1, count do out[i] = any_word() end
  if random(10) == 0 then out[random(count) + 1] = pick(specials) end
  if random(1000) == 0 or number % 20011 == 0 then out[#out + 1] = corpus.rare end
  if random(1000) == 0 or number % 20011 == 0 then out[#out + 1] = corpus.other_rare end
  return table.concat(out, " ")
end

-- The calendar of the proleptic 2000s, a minute to ten minutes a step. os.date would do, slowly.
local function clock(step)
  local day, second = 0, 0
  return function()
    second = second + 1 + random(step)
    if second >= 86400 then
      day, second = day + math.floor(second / 86400), second % 86400
    end
    local month_day = day % 336 -- months of 28 days
    return string.format("%04d-%02d-%02dT%02d:%02d:%02dZ", 2000 + math.floor(day / 336), math.floor(month_day / 28) + 1,
      month_day % 28 + 1, math.floor(second / 3600), math.floor(second / 60) % 60, second % 60)
  end
end

local kinds = { "fact", "pref", "context" }

local function shuffle(parts)
  for i = #parts, 2, -1 do
    local j = random(i) + 1
    parts[i], parts[j] = parts[j], parts[i]
  end
end

local function item(id, ts)
  local parts = {
    '"id":' .. id, '"ts":"' .. ts .. '"', '"kind":"' .. pick(kinds) .. '"',
    '"content":"' .. sentence(8 + random(11), id) .. '"',
  }
  if random(10) < 7 then
    parts[#parts + 1] = random(2) == 0 and '"tags":["' .. any_word() .. '"]'
      or '"tags":["' .. any_word() .. '","' .. any_word() .. '"]'
  end
  if random(2) == 0 then parts[#parts + 1] = '"source":"session ' .. random(100000) .. '"' end
  return parts
end

-- Writes what `line(i)` gives for 1 to count.
local function write(path, count, line)
  local file = assert(io.open(path, "wb"))
  local batch, size = {}, 0
  for i = 1, count do
    size = size + 1
    batch[size] = line(i)
    if size == 1000 or i == count then
      assert(file:write(table.concat(batch, "\n", 1, size), "\n"))
      size = 0
    end
  end
  assert(file:close())
  return path
end

local function once(name, make)
  local path = corpus.dir .. "/" .. name
  local file = io.open(path)
  if file then file:close()
  else make(path) end
  return path
end

--- A memory file of `count` lines besides its first, 203 bytes each on average: one line in eleven is
-- a tombstone of an item before it, so 82 % of the lines are active items.
-- shuffled: the keys of each line in random order
function corpus.memory(count, shuffled)
  return once(("memory-%d%s.jsonl"):format(count, shuffled and "-shuffled" or ""), function(path)
    seed = 7
    local now, forgotten = clock(630), {}
    return write(path, count + 1, function(i)
      local ts = now()
      if i == 1 then return '{"meta":{"aish_version":"phase4","created":"' .. ts .. '"}}' end
      local id, parts = i - 1
      if id % 11 == 0 then
        local target = random(id - 1) + 1
        while forgotten[target] or target % 11 == 0 do target = target % (id - 1) + 1 end
        forgotten[target] = true
        parts = { '"id":' .. id, '"ts":"' .. ts .. '"', '"kind":"forget"', '"target":' .. target }
      else
        parts = item(id, ts)
      end
      if shuffled then shuffle(parts) end
      return "{" .. table.concat(parts, ",") .. "}"
    end)
  end)
end

-- The four lines of one exchange: a question, a call of a tool, its output, the answer.
local function turn(i, ts)
  local kind = i % 4
  if kind == 0 then
    return ('{"role":"user","content":"%s","ts":"%s"}'):format(sentence(20, i), ts)
  elseif kind == 1 then
    return ('{"role":"assistant","content":"%s","ts":"%s","tool_calls":[{"id":"call_%d","type":"function",'
      .. '"function":{"name":"shell","arguments":{"command":"%s","timeout":%d,"env":{"LANG":"C","HOME":"\\/root"},'
      .. '"cwd":"\\/srv\\/%s","argv":["%s","%s","-n",%d]}}}],"usage":{"input":%d,"output":%d,"cost":%.5f,"cached":true}}')
      :format(sentence(10, i), ts, i, sentence(12, 1), 1 + random(100), any_word(), any_word(), any_word(), random(1000),
        random(10000), random(2000), random(100000) / 1e5)
  elseif kind == 2 then
    local lines = {}
    for n = 1, 6 + random(20) do lines[n] = ("%d\\t%s"):format(n, sentence(8, 1)) end
    return ('{"role":"tool","tool_call_id":"call_%d","ts":"%s","content":"%s"}')
      :format(i - 1, ts, table.concat(lines, "\\n"))
  end
  return ('{"role":"assistant","content":"%s","ts":"%s","usage":{"input":%d,"output":%d,"cost":%.5f}}')
    :format(sentence(60, i), ts, random(10000), random(2000), random(100000) / 1e5)
end

local bytes_a_turn = 668

--- A session of about so many bytes: turns with tool calls nested in them.
function corpus.session(bytes)
  return once(("session-%d.jsonl"):format(bytes), function(path)
    seed = 11
    local now = clock(60)
    return write(path, math.floor(bytes / bytes_a_turn), function(i)
      if i == 1 then return '{"meta":{"model":"m","cwd":"\\/root","ts":"' .. now() .. '"}}' end
      return turn(i - 2, now())
    end)
  end)
end

-- Sentences of everyday German and French, with as many umlauts and accents as they have.
local sentences = {
  German = {
    "Das Programm läuft seit gestern nicht mehr, weil die Datei fehlt.", "Kannst du mir sagen, wie ich den Rechner neu starte?",
    "Ich habe die Einstellungen geändert und alles noch einmal gebaut.", "Der Fehler steht in der letzten Zeile der Ausgabe.",
    "Wir können das erst nach dem Treffen entscheiden.", "Die Sicherung wird jede Nacht um drei geschrieben.",
    "Vielleicht hilft es, den Speicher zu vergrößern oder weniger zu laden.", "Danach war die Verbindung wieder da.",
    "Für den Bericht brauche ich die Zahlen vom letzten Monat.", "Bitte antworte kurz und ohne Tabellen.",
  },
  French = {
    "Le programme ne démarre plus depuis hier, parce que le fichier manque.", "Peux-tu me dire comment relancer la machine ?",
    "J'ai changé les réglages et tout construit encore une fois.", "L'erreur est dans la dernière ligne de la sortie.",
    "On ne pourra décider qu'après la réunion, comme la même fois.", "La sauvegarde est écrite chaque nuit à trois heures.",
    "Il suffit peut-être d'agrandir la mémoire ou de charger moins.", "Ensuite la connexion était là.",
    "Pour le rapport il me faut les chiffres du mois dernier.", "Réponds en peu de mots et sans tableaux.",
  },
}
local rare_words = { German = "Die Bäckerei ist zu.", French = "Le théâtre est fermé." }

--- A session of about so many bytes in German or French, with a word that two turns of it have.
function corpus.foreign(language, bytes)
  return once(("%s-%d.jsonl"):format(language, bytes), function(path)
    seed = 17
    local now = clock(60)
    return write(path, math.floor(bytes / 1330), function(i)
      local out = {}
      for j = 1, 20 do out[j] = pick(sentences[language]) end
      if i == 3 or i == 300 then out[21] = rare_words[language] end
      return ('{"role":"user","content":"%s","ts":"%s"}'):format(table.concat(out, " "), now())
    end)
  end)
end

--- A directory of `count` sessions of about so many bytes.
function corpus.directory(count, bytes)
  return once(("directory-%d-%d"):format(count, bytes), function(dir)
    seed = 19
    limits.mkdir(dir)
    local now = clock(3000)
    for i = 1, count do
      write(("%s/%05d.jsonl"):format(dir, i), math.floor(bytes / bytes_a_turn), function(line) return turn(line, now()) end)
    end
  end)
end

--- A session of so many megabytes: one of a megabyte, repeated. For what looks only at its end.
function corpus.long_session(megabytes)
  return once(("long-session-%d.jsonl"):format(megabytes), function(path)
    local one = assert(io.open(corpus.session(1e6), "rb"))
    local text = one:read("*a")
    one:close()
    local file = assert(io.open(path, "wb"))
    for _ = 1, megabytes do assert(file:write(text)) end
    assert(file:close())
  end)
end

--- A directory of `count` sessions of five lines, and a few other files.
function corpus.sessions(count)
  return once(("sessions-%d"):format(count), function(dir)
    seed = 13
    limits.mkdir(dir)
    local now = clock(3000)
    for i = 1, count do
      local ts = now()
      write(("%s/%s-%04x.jsonl"):format(dir, ts:gsub(":", "-"), i % 65536), 5, function(line)
        if line == 1 then return '{"meta":{"model":"m","cwd":"\\/root","ts":"' .. ts .. '"}}' end
        return turn(line - 2, ts)
      end)
    end
    for i = 1, 5 do write(dir .. "/note" .. i .. ".txt", 1, function() return "not a session" end) end
  end)
end

--- The items, of which a call has returned the newest first, by rising id: how a table is filled best.
function corpus.by_id(items)
  local sorted = {}
  for index = 1, #items do sorted[index] = items[index] end
  table.sort(sorted, function(a, b) return a.id < b.id end)
  return sorted
end

return corpus
