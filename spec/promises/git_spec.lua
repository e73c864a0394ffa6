--- A memory in git, on several machines, with `memory.jsonl merge=union` in .gitattributes and nothing
-- else: whatever is added, forgotten, compacted, merged, rebased, picked and stashed, once everything
-- was merged all clones have the same active items. None that was acknowledged is lost, and none that
-- was forgotten comes back.
local aish = require("aish_history")
local cases = require("spec.support.cases")
local helper = require("spec.support.helper")
local lfs = require("lfs")
local support = require("spec.support.memories")

local HISTORIES, IN_CLONES = 200, 12 -- so many; of these, so many in real clones, which take longer
local CLONES = 4

-- Nothing of the user's own configuration, and nothing in the background.
local GIT = "git -c user.name=spec -c user.email=spec@example -c gc.auto=0 -c maintenance.auto=false"
  .. " -c core.fsync=none -c commit.gpgSign=false -c advice.detachedHead=false -c init.defaultBranch=main"
  .. " -c merge.conflictStyle=merge -c rerere.enabled=false -c pull.rebase=false "
local ENVIRONMENT = "export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_EDITOR=true LC_ALL=C"
  .. " GIT_AUTHOR_DATE='1767323045 +0000' GIT_COMMITTER_DATE='1767323045 +0000'\n"

-- Runs lines of sh in a directory, in which $git is git; the first that fails is an error.
local function sh(dir, commands)
  local script = ENVIRONMENT .. "git=" .. helper.quote(GIT) .. "\nexec 2>&1\nset -e\ncd " .. helper.quote(dir) .. "\n" .. commands
  local pipe = assert(io.popen("(" .. script .. "\n) && echo ' done'"))
  local output = pipe:read("*a")
  pipe:close()
  assert(output:find(" done\n$"), commands .. "\n" .. output)
  return output
end

local function has_git()
  local result = os.execute("git --version >/dev/null 2>&1")
  return result == 0 or result == true
end

-- A directory in memory, where there is one: git writes many small files.
local function directory()
  local dir = helper.tmpdir()
  local result = os.execute("test -w /dev/shm")
  if result ~= 0 and result ~= true then return dir end
  local quick = "/dev/shm/" .. dir:match("[^/]+$")
  assert(lfs.mkdir(quick))
  helper.dirs[#helper.dirs + 1] = quick
  return quick
end

---- machines ----

local World = {}
World.__index = World

-- Clones `c1` to `c4` of a repository whose first commit has the attributes and an empty memory; as
-- working trees of one repository, or each on its own.
local function new_world(real)
  local dir = directory()
  local world = setmetatable({ dir = dir, real = real, serial = 0 }, World)
  sh(dir, [[
    $git init -q start; cd start
    echo 'memory.jsonl merge=union' > .gitattributes
    $git add .gitattributes; $git commit -q -m attributes]])
  assert(aish.open(dir .. "/start/memory.jsonl")):close()
  sh(dir .. "/start", "$git add memory.jsonl; $git commit -q -m memory; $git branch start")
  for index = 1, CLONES do
    sh(dir, real and ("$git clone -q start c%d; cd c%d; $git checkout -q -b c%d; $git branch start"):format(index, index, index)
      or ("cd start; $git worktree add -q -b c%d ../c%d"):format(index, index))
  end
  return world
end

function World:path(index) return ("%s/c%d/memory.jsonl"):format(self.dir, index) end
function World:git(index, commands) return sh(("%s/c%d"):format(self.dir, index), commands) end

-- From the beginning again, with `count` clones.
function World:begin(random, count)
  self.random, self.count = random, count
  self.known, self.gone, self.exact = {}, {}, true
  self.log = {}
  local commands = {}
  for index = 1, count do
    self.known[index], self.gone[index] = {}, {}
    commands[index] = ("(cd ../c%d; $git checkout -q c%d; $git reset -q --hard start; $git stash clear)"):format(index, index)
  end
  self:git(1, table.concat(commands, "\n"))
end

function World:say(form, ...) self.log[#self.log + 1] = form:format(...) end

local function contents(path)
  local set, items = {}, assert(aish.load_memory(path))
  for _, item in ipairs(items) do
    assert(not set[item.content], "twice: " .. item.content)
    set[item.content] = true
  end
  return set, items
end

-- What a clone must have, by what it has heard of.
function World:check(index, what)
  local found = contents(self:path(index))
  for content in pairs(self.known[index]) do
    if found[content] == nil and not self.gone[index][content] then
      error(("%s: c%d has lost %s\n%s"):format(what, index, content, table.concat(self.log, "\n")), 2)
    end
  end
  for content in pairs(found) do
    if not self.known[index][content] or self.gone[index][content] then
      error(("%s: c%d has %s\n%s"):format(what, index, content, table.concat(self.log, "\n")), 2)
    end
  end
end

function World:commit(index) self:git(index, "$git commit -q -a -m change --allow-empty") end

-- Another clone than this one.
function World:other(index)
  local other = self.random(self.count - 1)
  return other < index and other or other + 1
end

-- What the head of another clone is called here.
function World:heard(to, from)
  if not self.real then return "c" .. from end
  self:git(to, ("$git fetch -q ../c%d c%d:heard%d -f"):format(from, from, from))
  return "heard" .. from
end

local function join(into, set)
  for content in pairs(set) do into[content] = true end
end

function World:learn(to, from)
  join(self.known[to], self.known[from])
  join(self.gone[to], self.gone[from])
end

function World:merge(to, from)
  self:say("merge c%d into c%d", from, to)
  if self.real then
    self:git(to, ("$git pull -q --no-edit --no-rebase ../c%d c%d"):format(from, from))
  else
    self:git(to, ("$git merge -q --no-edit c%d"):format(from))
  end
  self:learn(to, from)
  if self.exact then self:check(to, "merged") end
end

local deeds = {}

-- Nothing is committed yet.
function World:change(index)
  local random = self.random
  local memory = assert(aish.open(self:path(index), { sync = "none", shared = random(2) == 1 }))
  for _ = 1, random(3) do
    local choice, items = random(10), memory:items()
    if choice <= 5 then
      self.serial = self.serial + 1
      local content = "content " .. self.serial
      assert(memory:add("fact", content))
      self.known[index][content] = true
      self:say("c%d adds %s", index, content)
    elseif choice <= 8 and items[1] then
      local item = items[random(#items)]
      assert(memory:forget(item))
      self.gone[index][item.content] = true
      self:say("c%d forgets %s", index, item.content)
    else
      assert(memory:compact())
      self:say("c%d compacts", index)
    end
  end
  memory:close()
end

function deeds.change(world, index)
  world:change(index)
  world:commit(index)
end

function deeds.merge(world, index) world:merge(index, world:other(index)) end

-- Each merges what the other was before.
function deeds.criss_cross(world, index)
  local other = world:other(index)
  if world.real then return world:merge(index, other) end
  world:say("c%d and c%d merge each other", index, other)
  local before = { join = {} }
  for _, which in ipairs({ "known", "gone" }) do
    before[which] = {}
    join(before[which], world[which][index])
  end
  world:git(index, ("before=$($git rev-parse HEAD); $git merge -q --no-edit c%d; cd ../c%d; $git merge -q --no-edit $before")
    :format(other, other))
  world:learn(index, other)
  join(world.known[other], before.known)
  join(world.gone[other], before.gone)
  if world.exact then
    world:check(index, "criss-cross")
    world:check(other, "criss-cross")
  end
end

function deeds.rebase(world, index)
  local other = world:other(index)
  world:say("rebase c%d onto c%d", index, other)
  world:git(index, "$git rebase -q " .. world:heard(index, other))
  world:learn(index, other)
  world.exact = false
end

function deeds.pick(world, index)
  local other = world:other(index)
  local head = world:heard(index, other)
  world:say("c%d picks the last commit of c%d", index, other)
  world:git(index, ([[
    if $git rev-parse -q --verify %s^2 >/dev/null; then exit 0; fi
    $git cherry-pick --allow-empty --keep-redundant-commits %s >/dev/null]]):format(head, head))
  world.exact = false
end

function deeds.stash(world, index)
  world:change(index)
  local from = world:other(index)
  world:say("c%d stashes that, merges c%d", index, from)
  local dirty = not world:git(index, "$git stash -q; $git stash list"):find("^ done")
  local exact = world.exact
  world.exact = false
  world:merge(index, from)
  world.exact = exact
  if dirty then world:git(index, "$git stash pop -q") end
  world:commit(index)
  if world.exact then world:check(index, "stashed") end
end

-- What one has, all have.
function World:finish()
  for index = 2, self.count do self:merge(1, index) end
  for index = 2, self.count do self:merge(index, 1) end
  local first
  for index = 1, self.count do
    self:learn(index, 1)
    self:check(index, "in the end")
    local _, items = contents(self:path(index))
    first = first or items
    local difference = cases.difference(first, items)
    if difference then error(("c1 and c%d differ: %s\n%s"):format(index, difference, table.concat(self.log, "\n"))) end
    local report = assert(aish.verify(self:path(index)))
    assert.equal(0, report.damaged + report.torn + #report.problems)
  end
end

local WEIGHTS = { "change", "change", "change", "change", "merge", "merge", "merge", "criss_cross", "criss_cross", "rebase", "pick", "stash" }

-- `deeds_of`: what there is to be done.
local function play(world, seed, deeds_of)
  local random = support.random(seed)
  world:begin(random, 1 + random(CLONES - 1))
  for _ = 1, 4 + random(8) do
    local name = deeds_of[random(#deeds_of)]
    deeds[name](world, random(world.count))
  end
  world:finish()
end

local function play_all(world, first, count, deeds_of)
  for seed = first, first + count - 1 do
    local ok, message = pcall(play, world, seed, deeds_of)
    if not ok then error(("seed %d: %s"):format(seed, tostring(message)), 0) end
  end
end

describe("a memory in git with merge=union", function()
  helper.guard(before_each, after_each)

  local function case(label, fn)
    it(label, function()
      if not has_git() then return pending("needs git") end
      fn()
    end)
  end

  case("is the same everywhere after changes and merges", function()
    play_all(new_world(false), 1, HISTORIES / 2, { "change", "change", "merge", "criss_cross" })
  end)

  case("is the same everywhere after rebases, picks and stashes, too", function()
    play_all(new_world(false), 10001, HISTORIES / 2 - IN_CLONES, WEIGHTS)
  end)

  case("is the same everywhere in clones that pull from each other", function()
    play_all(new_world(true), 20001, IN_CLONES, WEIGHTS)
  end)
end)

describe("a memory put together from two", function()
  helper.guard(before_each, after_each)

  -- Two copies of a memory that went on apart, and what both of them come to: four added, two forgotten.
  local function apart()
    local dir = helper.tmpdir()
    local base, ours, theirs = dir .. "/base.jsonl", dir .. "/memory.jsonl", dir .. "/theirs.jsonl"
    local memory = assert(aish.open(base))
    for _, content in ipairs({ "one", "two", "three" }) do memory:add("fact", content) end
    memory:close()
    for path, of in pairs({ [ours] = "ours", [theirs] = "theirs" }) do
      helper.write(path, helper.read(base))
      local copy = assert(aish.open(path))
      local mine = copy:add("fact", "forgotten of " .. of)
      copy:add("fact", "first of " .. of)
      assert(copy:forget(mine))
      assert(copy:forget(of == "ours" and 1 or 2))
      copy:add("pref", "second of " .. of)
      if of == "theirs" then assert(copy:compact()) end
      copy:close()
    end
    return base, ours, theirs
  end

  local EXPECTED = { "first of ours", "first of theirs", "second of ours", "second of theirs", "three" }

  -- Before and after a compaction, with something added.
  local function check(path)
    local function active()
      local list = support.pluck(aish.load_memory(path), "content")
      table.sort(list)
      return list
    end
    assert.same(EXPECTED, active())
    local memory = assert(aish.open(path))
    local id = assert(memory:add("fact", "more"))
    assert(memory:forget(id))
    assert.same(EXPECTED, active())
    assert(memory:compact())
    memory:close()
    assert.same(EXPECTED, active())
    assert.equal(0, aish.verify(path).damaged)
  end

  for label, attributes in pairs({ ["with conflict markers left in it"] = "", ["by union"] = "memory.jsonl merge=union" }) do
    it(label .. " has what both have", function()
      if not has_git() then return pending("needs git") end
      local base, ours, theirs = apart()
      local dir = ours:match("^(.*)/")
      helper.write(dir .. "/.gitattributes", attributes .. "\n")
      local function commit(path, branch)
        return ("cp %s memory.jsonl; $git commit -q -a -m %s\n"):format(helper.quote(path), branch)
      end
      local mine = ours .. ".mine"
      helper.write(mine, helper.read(ours))
      sh(dir, "$git init -q; " .. "cp base.jsonl memory.jsonl; $git add memory.jsonl .gitattributes; $git commit -q -m base\n"
        .. "$git checkout -q -b theirs\n" .. commit(theirs, "theirs") .. "$git checkout -q -b ours HEAD^\n" .. commit(mine, "ours")
        .. "$git merge -q --no-edit theirs || $git commit -q -a -m conflict")
      assert.equal(attributes == "", helper.read(ours):find("<<<<<<<", 1, true) ~= nil)
      assert.is_not_nil(base)
      check(ours)
    end)
  end

  it("with a clone that still has what was erased does not have it back", function()
    if not has_git() then return pending("needs git") end
    local dir = helper.tmpdir()
    local path = dir .. "/memory.jsonl"
    local memory = assert(aish.open(path))
    for _, content in ipairs({ "a secret", "clean", "another secret" }) do memory:add("fact", content) end
    memory:close()
    helper.write(dir .. "/.gitattributes", "memory.jsonl merge=union\n")
    sh(dir, "$git init -q; $git add .; $git commit -q -m base; $git checkout -q -b theirs")
    local theirs = assert(aish.open(path))
    theirs:add("pref", "of theirs")
    theirs:close()
    sh(dir, "$git commit -q -a -m theirs; $git checkout -q -b ours HEAD^")
    assert.equal(2, assert(aish.erase(path, "secret")).records)
    sh(dir, "$git commit -q -a -m ours; $git merge -q --no-edit theirs")
    local function active()
      local list = support.pluck(aish.load_memory(path), "content")
      table.sort(list)
      return table.concat(list, ", ")
    end
    assert.equal("a [erased], another [erased], clean, of theirs", active())
    assert(aish.erase(path, "secret"))
    assert(aish.compact(path))
    assert.equal("a [erased], another [erased], clean, of theirs", active())
    assert.falsy(helper.read(path):find("secret", 1, true))
  end)

  for label, make in pairs({
    ["by pasting one behind the other"] = function(ours, theirs) return ours .. theirs end,
    ["by pasting the other behind the one"] = function(ours, theirs) return theirs .. ours end,
    ["by appending a synchroniser's copy, the last newline being lost"] = function(ours, theirs) return ours:sub(1, -2) .. theirs end,
    ["line by line in turn"] = function(ours, theirs)
      local parts, other = {}, theirs:gmatch("[^\n]*\n")
      for line in ours:gmatch("[^\n]*\n") do parts[#parts + 1] = line .. (other() or "") end
      for line in other do parts[#parts + 1] = line end
      return table.concat(parts)
    end,
    ["with Windows' line ends"] = function(ours, theirs) return (ours .. theirs):gsub("\n", "\r\n") end,
    ["and sorted"] = function(ours, theirs)
      local lines = {}
      for line in (ours .. theirs):gmatch("[^\n]*\n") do lines[#lines + 1] = line end
      table.sort(lines)
      return table.concat(lines)
    end,
  }) do
    it(label .. " has what both have", function()
      local _, ours, theirs = apart()
      local bytes = make(helper.read(ours), helper.read(theirs))
      check(helper.write(ours, bytes))
    end)
  end
end)
