--- A plain implementation of what recalling is ranked by, of ASCII. It adds in the same order as the
-- module, so that ties are ties.
local terms = {}

-- The terms of a text, and how many words it has.
local function terms_of(text)
  local found, words = {}, 0
  for word in text:lower():gmatch("%w+") do
    local marked = " " .. word .. " "
    words = words + 1
    for at = 1, math.max(#marked - 3, 1) do found[#found + 1] = marked:sub(at, at + 3) end
    found[#found + 1] = "=" .. word
  end
  return found, words
end

--- The scores of texts by a question: an array with nil where a text has none of its terms.
function terms.scores(texts, question)
  local total, scores, counts, lengths, seen = 0, {}, {}, {}, {}
  for index, text in ipairs(texts) do
    counts[index] = {}
    local found, words = terms_of(text)
    for _, term in ipairs(found) do counts[index][term] = (counts[index][term] or 0) + 1 end
    lengths[index], total = words, total + words
  end
  for _, term in ipairs((terms_of(question))) do
    local holding = 0
    for index = 1, #texts do holding = holding + (counts[index][term] and 1 or 0) end
    local idf = math.log((#texts + 1) / (holding + 0.5))
    for index = 1, seen[term] and 0 or #texts do
      local count = counts[index][term]
      local length = lengths[index] / (total / #texts)
      if count then
        scores[index] = (scores[index] or 0) + idf * count * 2.2 / (count + 1.2 * (0.6 + 0.4 * length))
      end
    end
    seen[term] = true
  end
  return scores
end

--- Pairs of index and score, best first; where that ties the higher index first.
function terms.ranked(scores)
  local ranked = {}
  for index, score in pairs(scores) do ranked[#ranked + 1] = { index = index, score = score } end
  table.sort(ranked, function(a, b)
    if a.score ~= b.score then return a.score > b.score end
    return a.index > b.index
  end)
  return ranked
end

local function near(a, b) return math.abs(a - b) < 1e-9 end

--- Whether two rankings, of `id` and `score`, are the same as far as doubles are exact: scores that differ by
-- less may come in any order, as an x87 rounds otherwise.
function terms.alike(wanted, found)
  local scores = {}
  for _, hit in ipairs(wanted) do scores[hit.id] = hit.score end
  local function has_near(score)
    for _, other in pairs(scores) do
      if other ~= score and near(other, score) then return true end
    end
  end
  for place, hit in ipairs(found) do
    local want = wanted[place]
    if not want or not near(hit.score, want.score) or not near(hit.score, scores[hit.id] or math.huge) then return false end
    if hit.id ~= want.id and not has_near(want.score) then return false end
  end
  return #wanted == #found
end

local parts = { "back", "up", "disk", "ing", "ed", "nas", "s", "a", "re", "laptop", "full", "in" }

--- A text of up to `most` words that have parts in common. random: a function as of cases.random.
function terms.text(random, most)
  local words = {}
  for _ = 1, random(1, most) do
    local word = ""
    for _ = 1, random(1, 3) do word = word .. parts[random(1, #parts)] end
    words[#words + 1] = random(1, 5) == 1 and word:upper() or word
  end
  return table.concat(words, random(1, 2) == 1 and " " or ", ")
end

return terms
