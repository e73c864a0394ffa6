--- Searches of sessions whose text is not English, and of many files. Held against ripgrep, which takes an
-- umlaut for another letter than the one without: a word that has one is looked for with and without.
local aish = require("aish_history")
local corpus = require("corpus")
local limits = require("limits")
local measure = require("measure")

local function search(bench, job, path, query, reference, target)
  local results = measure.interleave({
    { name = "aish_history", run = function()
      return measure.time(function() aish.search(path, query, { limit = 20 }) end, nil, true)
    end },
    { name = "rg -i -F -c", run = function() return (limits.run("rg", "-i", "-F", "-c", reference or query, path)) end },
  }, bench.rounds(11, 5))
  bench.compare(job, results, "aish_history", "rg -i -F -c", target)
end

-- The words of the query are rare, as those that one looks for are; a frequent one is in every turn.
local function languages(bench)
  local megabytes = bench.quick and 20 or 100
  for language, words in pairs({ German = { "Bäckerei", "Backerei", "können" }, French = { "théâtre", "theatre", "même" } }) do
    local path = corpus.foreign(language, megabytes * 1e6)
    for index, word in ipairs(words) do
      local kind = index == 3 and ", in each turn" or ""
      search(bench, ("search of %d MB of %s: %s%s"):format(megabytes, language, word, kind), path, word, words[index], { at_most = 4 })
    end
  end
end

-- Processor time of whole processes, the interpreter's start included.
local function processor_time(command)
  local text = measure.output("bash -c " .. measure.quote("TIMEFORMAT='%U %S'; time " .. command .. " >/dev/null"), true)
  local user, system = text:match("([%d.]+) ([%d.]+)$")
  return user + system
end

local function many_files(bench)
  local count = bench.quick and 500 or 5000
  local dir = corpus.directory(count, 20000)
  local script = ("package.cpath = %q require(%q).search(%q, %q, { limit = 20 })"):format(
    package.cpath, "aish_history", dir, corpus.rare .. corpus.other_rare)
  local results = measure.interleave({
    { name = "aish_history", run = function() return processor_time("luajit -e " .. measure.quote(script)) end },
    { name = "rg -j1 -F -i -c", run = function()
      return processor_time(("rg -j1 -F -i -c %s %s"):format(corpus.rare .. corpus.other_rare, measure.quote(dir)))
    end },
  }, bench.rounds(15, 7))
  bench.compare(("search of %d files of 20 KB, processor time"):format(count), results, "aish_history", "rg -j1 -F -i -c", { at_most = 1.2 })
end

return function(bench)
  if not bench.has.rg then return bench.skip("search of other languages and of many files", "ripgrep is not here") end
  languages(bench)
  many_files(bench)
end
