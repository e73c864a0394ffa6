--- Finds keys, tokens and passwords in a text by their published shapes, and takes them out.
--
--     local secrets = require("aish_history.secrets")
--     local session = aish_history.session(path, nil, { redact = secrets.redact })
--
-- 1. RULES is the one table of what is found. A rule has an anchor, a literal that is a part of whatever
--    the rule finds. Searching for the anchors is all that a text without a secret costs: the rarest that
--    there are, none that needs a byte which the text lacks, and each only where the bytes around it fit.
--    The loops that search do nothing that LuaJIT does not compile.
-- 2. At an anchor, the rule's check says where to search on and, if there is a secret, from where to
--    where it reaches. It searches on after every run of bytes that it has read, so that the time is
--    linear in the length of the text, whatever the text is.
-- 3. Secrets that overlap are one. It has the name of the one that begins first, of those the longest,
--    of those the first in RULES.
-- 4. What takes the place of a secret is no secret and no part of a word: redacting twice changes
--    nothing more.
--
-- A text is any bytes, UTF-8 or not.

local byte, find, lower, match, sub = string.byte, string.find, string.lower, string.match, string.sub

---@class aish_history.secrets
local secrets = {}

-- ---- bytes ----

--- The bytes that a class of a pattern stands for, as a set.
local function set(class)
  local members = {}
  for code = 0, 255 do members[code] = find(string.char(code), class) ~= nil end
  return members
end

--- The words of a list as a set.
local function words(list)
  local members = {}
  for word in list:gmatch("%S+") do members[word] = true end
  return members
end

local WORD, NAME, DIGIT, LETTER = set("[A-Za-z0-9_]"), set("[A-Za-z0-9_-]"), set("[0-9]"), set("[A-Za-z]")
local BLANK, QUOTE = set("[ \t]"), set("[\"'`]")
local BACKSLASH, OPEN, CLOSED, EQUALS, GREATER, PERCENT, STOP, M = byte("\\[]=>%.m", 1, -1)

-- ---- keys that are known by their prefix ----

-- Escapes that end with a letter or a digit, which is no part of the word after them.
local ESCAPES = { "\\[abfnrtv]$", "\\u%x%x%x%x$", "%%%x%x$", "\27%[[%d;]*m$" }

local function is_escaped(text, first)
  if byte(text, first - 2) ~= BACKSLASH and byte(text, first - 3) ~= PERCENT
    and byte(text, first - 6) ~= BACKSLASH and byte(text, first - 1) ~= M then return false end
  local before = sub(text, math.max(first - 12, 1), first - 1)
  for _, escape in ipairs(ESCAPES) do
    if find(before, escape) then return true end
  end
  return false
end

--- Where the prefix begins whose last part is the anchor; nil where it is another one, or a word's inside.
local function prefix_before(rule, text, at)
  for index = 1, #rule.prefixes do
    local prefix = rule.prefixes[index]
    local first = at - #prefix
    if first > 0 and sub(text, first, at - 1) == prefix then
      return (not WORD[byte(text, first - 1)] or is_escaped(text, first)) and first or nil
    end
  end
end

--- A prefix, the anchor, and `least` to `most` bytes of a body, the whole passing `proof`. All bytes of words
-- are in every body's class, so that no word goes on after it.
local function check_key(rule, text, at)
  local first = prefix_before(rule, text, at)
  local from = at + #rule.anchor
  local past = first and match(text, rule.body, from)
  if not past then return at + 1 end
  local last = past - 1
  while byte(text, last) == STOP do last = last - 1 end -- a sentence's
  local size = last - from + 1
  if size < rule.least or size > rule.most then return past end
  local kind = rule.proof and rule.proof(sub(text, from, last), sub(text, first, last))
  if rule.proof and not kind then return past end
  return past, first, last, kind
end

-- Proofs return the kind. Of a run of bytes that may hold another prefix, a proof never refuses the whole
-- and takes a part: what is refused need not be looked at again.

local function plain(kind)
  return function(body) return not find(body, "[^A-Za-z0-9]") and kind end
end

local function aws(body) return not find(body, "[^A-Z0-9]") and "aws-access-key" end
local function slack(body) return find(body, "%d") and "slack-token" end
local function pypi(body) return find(body, "AgE", 1, true) and "pypi-token" end

--- Signed: two objects, and a signature. Encrypted: an object and four parts more.
local function jwt(_, key)
  return (find(key, ".eyJ", 1, true) or select(2, key:gsub("%.", "")) >= 4) and "jwt"
end

--- What `sk-` begins. A long word is a key; what has hyphens or is shorter might be words of a language.
local function sk(body, key)
  if find(key, "sk-ant-", 1, true) then return "anthropic-key" end
  if find(body, "%d") and find(body, "%l") and find(body, "%u") then return "openai-key" end
  if find(key, "sk-proj-", 1, true) or find(key, "sk-svcacct-", 1, true) then return "openai-key" end
  for word in body:gmatch("%w+") do
    if #word >= 40 or #word >= 32 and not find(word, "%X") then return "openai-key" end
  end
end

-- ---- private keys ----

--- The first byte from `at` on that is neither white space nor an escape of it nor a quotation mark.
local function skip_space(text, at)
  repeat
    local before = at
    at = match(text, "^[%s\"']*()", at)
    at = match(text, "^\\+[nrt]()", at) or at
  until at == before
  return at
end

local HEADERS = words("Proc-Type DEK-Info Version Comment Hash Charset")

--- The last byte of what follows the first line of a key in PEM: headers, base64 and the last line, all of
-- which may be cut off by the end of the text.
local function armour(text, at)
  for _ = 1, 8 do
    local from = skip_space(text, at)
    local name, past = match(sub(text, from, from + 199), "^([%a-]+): [^\n\\]*()")
    if HEADERS[name] then at = from + past - 1 end
  end
  local last
  while true do
    local from = skip_space(text, at)
    at = match(text, "^[%w+/=]+()", from) or from
    local after = skip_space(text, at)
    local past = match(text, "^%-%-%-%-%-END [%u ]*%-%-%-%-%-()", after)
    if past then return past - 1 end
    local is_line = at - from >= 16 or after > #text or last and byte(text, at - 1) == EQUALS
    if at == from or not is_line then return last end
    last = at - 1
  end
end

--- A key in PEM. `at` is the first hyphen behind the name that ends its first line.
local function check_pem(rule, text, at)
  local name_at = at - #rule.name
  if sub(text, name_at, at + 4) ~= rule.name .. "-----" then return at + 1 end
  local before = match(sub(text, math.max(name_at - 40, 1), name_at - 1), "%-%-%-%-%-BEGIN [%u%d ]*PRIVATE $")
  local last = before and armour(text, at + 5)
  if not last then return at + 1 end
  return last + 1, name_at - #before, last
end

-- ---- URLs and headers ----

--- The password of `scheme://user:password@host`, and the path of a webhook.
local function check_url(_, text, at)
  local from, past = match(text, "^://hooks%.slack%.com/()[%w/_-]+()", at)
  if from and past - from >= 30 then return past, from, past - 1, "slack-webhook" end
  from, past = match(text, "^://[^%s/@:?#\"'`<>%[]*:()[^%s/?#\"'`<>%[]+()@", at)
  if not from or not WORD[byte(text, at - 1)] or find(text, "^[%%${*]", from) then return at + 1 end
  return past, from, past - 1
end

local SCHEMES = words("bearer basic token apikey bot")

--- The credentials of an Authorization header, after the name of their scheme.
local function check_authorization(_, text, at)
  local start = match(text, "^%a%a%a%a%a%a\\?[\"']?%]?[ \t]*[:=]>?[ \t]*\\?[\"']?()", at)
  if not start or byte(text, at + 6) == CLOSED then return at + 1 end
  if lower(sub(text, math.max(at - 7, 1), at - 1)) ~= "authori" then return at + 1 end
  local scheme, from = match(text, "^(%a+)[ \t]+()", start)
  if not scheme or not SCHEMES[lower(scheme)] then from = start end
  local past = match(text, "^[%w._~+/-]*=*()", from)
  local credentials = sub(text, from, past - 1)
  if #credentials < (from > start and 8 or 20) then return at + 1 end
  if not find(credentials, "%d") and not find(credentials, "%l%u") then return at + 1 end
  return past, from, past - 1
end

-- ---- assignments ----

-- The ends of the names whose value is a secret, in lower case and with _ between their words.
local TELLING = {
  { "aws-secret-key", "secret_?access_?key$" },
  { "password", "password$", "passwd$", "passphrase$", "%w_pass$", "pwd$" },
  { "token", "token$" },
  { "secret", "secret$", "credentials?$", "_auth$", "secret_?key_?base$" },
  { "key", "api_?key$", "access_?key$", "secret_?key$", "private_?key$", "auth_?key$", "encryption_?key$",
    "signing_?key$", "master_?key$", "account_?key$", "shared_?key$", "app_?key$", "license_?key$" },
}

--- The ends that all of them have, as they are written, in four bytes or three. The last three are in one case.
local function telling_ends()
  local ends = {}
  local function add(before, last)
    ends[#ends + 1] = before .. last
    ends[#ends + 1] = before:upper() .. last
  end
  for before, last in ("word sswd rase base pass oken cret tial ials auth pwd"):gmatch("(%a?)(%a%a%a)") do
    add(before, last)
    add(before, last:upper())
  end
  add("", "Pwd")
  for before in ("istehngrdp_-"):gmatch(".") do -- the last bytes of the words before "key"
    for _, last in ipairs({ "key", "KEY", "Key" }) do add(before, last) end
  end
  return ends
end

--- What the value of the name that ends at `last` is; nil where it need not be a secret.
local function kind_of(text, last)
  local first = last
  while first > 1 and last - first < 40 and NAME[byte(text, first - 1)] do first = first - 1 end
  local name = sub(text, first, last)
  local parts = lower("_" .. name:gsub("(%l)(%u)", "%1_%2"):gsub("-", "_"))
  for _, telling in ipairs(TELLING) do
    for index = 2, #telling do
      if find(parts, telling[index]) then return telling[1] end
    end
  end
  local is_environment = find(match(name, "[%w_]*$"), "^%u[%u%d_]*_KEY$") and not find(name, "PUBLIC")
  return is_environment and "key" or nil
end

--- How many bits a value has by the frequencies of its bytes.
local function entropy(value)
  local counts, bits = {}, 0
  for index = 1, #value do
    local code = byte(value, index)
    counts[code] = (counts[code] or 0) + 1
  end
  for _, count in pairs(counts) do bits = bits + count * math.log(#value / count) end
  return bits / math.log(2)
end

--- Where a value begins after its separator at `at`, whether it is in quotes, and whether behind blanks.
local function value_after(text, at)
  local from = at + 1
  local code = byte(text, from)
  if code == EQUALS or code == GREATER then from = from + 1 end
  local start = from
  while BLANK[byte(text, from)] do from = from + 1 end
  local blanks = from > start
  if byte(text, from) == BACKSLASH and QUOTE[byte(text, from + 1)] then from = from + 1 end
  if QUOTE[byte(text, from)] then return from + 1, true, blanks end
  return from, false, blanks
end

local BARE, QUOTED = set("[^%c%s\"'`\\,;&|<>()%[%]{}]"), set("[^%c%s\"'`]")
-- What comes next where a value follows: neither a variable, nor a path, nor the end of the line.
local BEGINS = set("[^\r\n$%%/~.@*,;&|<()%[%]{}]")

-- The fewest bytes, and bits of entropy, of a value that is a secret.
local LEAST, LEAST_BITS = 8, 30

--- Whether at least `LEAST` bytes of a class stand from `from` on.
local function is_long(text, from, class)
  for index = from, from + LEAST - 1 do
    if not class[byte(text, index)] then return false end
  end
  return true
end

--- The run of bytes that a value is, up to the mark of a secret that was redacted before: what follows it,
-- and whether it has letters and digits both.
local function read_value(text, from, class)
  local past, digits, letters = from, false, false
  local code = byte(text, past)
  while class[code] and not (code == OPEN and find(text, "^%[redacted:", past)) do
    digits, letters = digits or DIGIT[code], letters or LETTER[code]
    past = past + 1
    code = byte(text, past)
  end
  return past, digits and letters
end

--- The value of a telling name: `NAME=value`, `name: value`, `"name": "value"`, `name = "value"`. Without
-- quotes and behind a blank, it must end its line or the quotes around both, or it might be prose or code.
-- What was read and refused holds no other, but for one whose separator is its last byte.
local function check_assignment(_, text, at, name)
  if byte(text, name + 1) == CLOSED then return at + 1 end
  if byte(text, at) == EQUALS and byte(text, at + 1) == EQUALS then return at + 1 end
  local from, quoted, blanks = value_after(text, at)
  local class = quoted and QUOTED or BARE
  if not is_long(text, from, class) then return at + 1 end
  if find(text, "^[$%%/~.@*]", from) or find(sub(text, from, from + 11), ":[:/]") then return at + 1 end
  local past, random
  if blanks and not quoted then
    past, random = read_value(text, from, class)
    if find(text, "^[^\r\n\"'`\\]", past) then return at + 1 end
  end
  local kind = kind_of(text, name)
  if not kind then return at + 1 end

  if not past then past, random = read_value(text, from, class) end
  local last = past - 1
  while byte(text, last) == BACKSLASH do last = last - 1 end
  local value = sub(text, from, last)
  if not random or #value < LEAST or entropy(value) < LEAST_BITS
    or not quoted and find(text, "^[(%[{]", past) then return math.max(last, at + 1) end
  return past, from, last, kind
end

-- ---- the search for anchors ----

--- The next place of an anchor after the end of a prefix: its rule.
local function next_prefix(search, text, from)
  local anchor, ends = search.anchor, search.ends
  local at = find(text, anchor, from, true)
  while at do
    local rules = at > 2 and ends[byte(text, at - 1)][byte(text, at - 2)][byte(text, at - 3) or 0]
    local rule = rules and rules[byte(text, at - 4) or 0]
    if rule then return at, rule end
    at = find(text, anchor, at + 3, true) -- past two bytes of a prefix
  end
end

local BETWEEN = set("[] \t\"'`\\]")

--- Whether a value may begin at `at`, or behind a blank there.
local function may_begin(text, at)
  local code = byte(text, at)
  return BEGINS[BLANK[code] and byte(text, at + 1) or code]
end

--- The next place of a separator after the end of a telling name, where a value may follow: its rule, and the
-- last byte of the name. All in one loop, since one with another in it is slow when it is compiled.
local function next_name(search, text, from)
  local anchor, ends = search.anchor, search.ends
  local at = find(text, anchor, from, true)
  local last = at
  while at do
    last = last - 1
    local code = byte(text, last)
    if BETWEEN[code] then -- mostly one
      last = last - 1
      code = byte(text, last)
    end
    if not BETWEEN[code] then
      local rules = last > 2 and ends[code][byte(text, last - 1)][byte(text, last - 2)]
      local rule = rules and rules[byte(text, last - 3) or 0]
      if rule and may_begin(text, at + 1) then return at, rule, last end
      at = find(text, anchor, at + 4, true) -- past three bytes of a name
      last = at
    end
  end
end

--- The next URL that may hold a secret: with an @ before the first slash of its path, or a webhook's.
local function next_url(search, text, from)
  local at = find(text, "://", from, true)
  while at do
    local host = sub(text, at + 3, find(text, "/", at + 3, true))
    if find(host, "@", 1, true) or host == "hooks.slack.com/" then return at, search.rule end
    at = find(text, "://", at + 3, true)
  end
end

local function next_literal(search, text, from) return find(text, search.anchor, from, true), search.rule end

--- A tree has a branch for each byte. Where nothing has grown, it is one that all trees share: three
-- lookups in arrays, without a question between them, are what a frequent anchor costs.
local function tree(branch)
  local branches = {}
  for code = 0, 255 do branches[code] = branch end
  return branches
end

local BARE_1 = tree(false)
local BARE_2 = tree(BARE_1)

local function grow(branches, code, bare)
  if branches[code] == bare then branches[code] = tree(bare[0]) end
  return branches[code]
end

--- Enters a rule for the last four bytes of an end, or for all of a shorter one with one of `before` in front.
local function enter(ends, rule, text, before)
  local branches = grow(grow(ends, byte(text, -1), BARE_2), byte(text, -2), BARE_1)
  local third, fourth = byte(text, -3), byte(text, -4)
  local rules = third and branches[third] or {}
  for code = fourth or 0, fourth or 255 do rules[code] = (fourth or not third or before[code]) and rule end
  for code = third or 0, third or 255 do branches[code] = (third or before[code]) and rules end
end

-- ---- the rules ----

local RULES = {}

-- The searches, in groups by what a text needs for one of them to find anything, if that is likely to be missing.
local KEYS, DOTTED, ASSIGNED = {}, { needs = { "." } }, { needs = { ":", "=" } }
local GROUPS = { KEYS, DOTTED, ASSIGNED }

local function add(kind, check, rule)
  rule.kind, rule.check, rule.rank = kind, check, #RULES
  RULES[#RULES + 1] = rule
  return rule
end

local function add_search(group, anchor, next, search)
  search.anchor, search.next = anchor, next
  group[#group + 1] = search
  return search
end

--- The search for prefixes before an anchor, which rules share.
local function prefixes_before(group, anchor)
  for _, search in ipairs(group) do
    if search.anchor == anchor then return search.ends end
  end
  return add_search(group, anchor, next_prefix, { ends = tree(BARE_2) }).ends
end

-- What may stand before a prefix: no part of a word, or the last byte of an escape.
local BEFORE = set("[^G-Zg-lo-qsuw-z_]")

--- A key that begins with one of `prefixes`, all but the anchor, which comes next; then `least` to `most`
--- bytes of a class, which pass `proof`.
local function add_key(group, kind, prefixes, anchor, class, least, most, proof)
  local rule = add(kind, check_key, { prefixes = {}, anchor = anchor, body = "^" .. class .. "+()", least = least,
    most = most, proof = proof })
  for prefix in prefixes:gmatch("%S+") do
    rule.prefixes[#rule.prefixes + 1] = prefix
    enter(prefixes_before(group, anchor), rule, prefix, BEFORE)
  end
end

local ANY = math.huge

for _, name in ipairs({ "KEY", "KEY BLOCK" }) do
  enter(prefixes_before(KEYS, "-"), add("private-key", check_pem, { name = name }), "PRIVATE " .. name)
end
add_key(KEYS, "aws-access-key", "AK AS AB", "IA", "[%w_]", 16, 16, aws)
add_key(KEYS, "github-token", "gho ghp ghr ghs ghu", "_", "[%w_]", 36, ANY, plain("github-token"))
add_key(KEYS, "github-token", "github_pat", "_", "[%w_]", 36, ANY)
add_key(KEYS, "gitlab-token", "glpat gldt glrt glrtr glcbt glptt glft glimt glagent glsoat gloas glffct", "-",
  "[%w_.-]", 20, ANY)
add_key(KEYS, "slack-token", "xoxa xoxb xoxe xoxo xoxp xoxr xoxs xapp", "-", "[%w_-]", 10, ANY, slack)
add_key(KEYS, "google-key", "AI", "za", "[%w_-]", 35, ANY)
add_key(DOTTED, "google-token", "ya2", "9.", "[%w_.-]", 20, ANY)
add_key(KEYS, "google-secret", "GOCSPX", "-", "[%w_-]", 28, ANY)
add_key(KEYS, "openai-key", "sk", "-", "[%w_-]", 20, ANY, sk) -- and Anthropic's
add_key(KEYS, "stripe-key", "sk_live sk_test rk_live rk_test", "_", "[%w_]", 16, ANY, plain("stripe-key"))
add_key(KEYS, "stripe-key", "whsec", "_", "[%w_+/]", 24, ANY)
add_key(KEYS, "npm-token", "npm", "_", "[%w_]", 36, 36, plain("npm-token"))
add_key(KEYS, "pypi-token", "pypi", "-", "[%w_-]", 50, ANY, pypi)
add_key(KEYS, "huggingface-token", "hf", "_", "[%w_]", 30, ANY, plain("huggingface-token"))
add_key(DOTTED, "jwt", "ey", "J", "[%w_.-]", 20, ANY, jwt)
add_search(ASSIGNED, "://", next_url, { rule = add("password", check_url, {}) }) -- slack-webhook too
for _, anchor in ipairs({ "zation", "ZATION" }) do
  add_search(ASSIGNED, anchor, next_literal, { rule = add("authorization", check_authorization, {}) })
end

local assignment, telling, any_byte = add("secret", check_assignment, {}), tree(BARE_2), set(".")
for _, ending in ipairs(telling_ends()) do enter(telling, assignment, ending, any_byte) end
for _, separator in ipairs({ "=", ":" }) do add_search(ASSIGNED, separator, next_name, { ends = telling }) end

-- ---- what they find ----

--- Adds to `found` what a search finds from `at` on; returns it, or a new one with the first. What a rule has
-- read it does not look at again; the rules of keys have that in common.
local function gather(found, search, text, at, rule, name)
  local read = {}
  while at do
    local reader = rule.body and check_key or rule
    if at >= (read[reader] or 1) then
      local resume, first, last, kind = rule.check(rule, text, at, name)
      read[reader] = resume
      if first then
        found = found or {}
        found[#found + 1] = { first = first, last = last, kind = kind or rule.kind, rank = rule.rank }
      end
    end
    at, rule, name = search.next(search, text, at + 1)
  end
  return found
end

--- Whether a text has one of the bytes that a group needs.
local function has_one(text, needs)
  return not needs or find(text, needs[1], 1, true) or needs[2] and find(text, needs[2], 1, true)
end

--- All that the rules find, in no order; nil where that is nothing.
local function collect(text)
  local found
  for index = 1, #GROUPS do
    local group = GROUPS[index]
    for place = 1, has_one(text, group.needs) and #group or 0 do
      local search = group[place]
      local at, rule, name = search.next(search, text, 1)
      if at then found = gather(found, search, text, at, rule, name) end
    end
  end
  return found
end

local function is_before(a, b)
  if a.first ~= b.first then return a.first < b.first end
  if a.last ~= b.last then return a.last > b.last end
  return a.rank < b.rank
end

--- What was found in the order of the text, those that overlap as one.
local function merge(found)
  table.sort(found, is_before)
  local merged, current = {}, nil
  for _, one in ipairs(found) do
    if current and one.first <= current.last then
      current.last = math.max(current.last, one.last)
    else
      current = { first = one.first, last = one.last, kind = one.kind }
      merged[#merged + 1] = current
    end
  end
  return merged
end

-- ---- the functions ----

local function check_text(name, text)
  if type(text) ~= "string" then
    error(("bad argument #1 to '%s' (text must be a string, got %s)"):format(name, type(text)), 3)
  end
end

---@class aish_history.Secret
---@field first integer the position of its first byte
---@field last integer of its last byte
---@field kind string what was found, "github-token" for example

---Where the secrets of a text are, in its order, none overlapping. Raises if it is no string.
---@param text string any bytes
---@return aish_history.Secret[] found
function secrets.find(text)
  check_text("find", text)
  return merge(collect(text) or {})
end

---Takes the secrets out of a text. Raises if it is no string.
---@param text string any bytes
---@return string redacted the text with `[redacted:kind]` in the place of each secret
---@return integer count how many
function secrets.redact(text)
  check_text("redact", text)
  local found = collect(text)
  if not found then return text, 0 end
  local parts, at = {}, 1
  found = merge(found)
  for _, one in ipairs(found) do
    parts[#parts + 1] = sub(text, at, one.first - 1)
    parts[#parts + 1] = "[redacted:" .. one.kind .. "]"
    at = one.last + 1
  end
  parts[#parts + 1] = sub(text, at)
  return table.concat(parts), #found
end

return secrets
