--- The rules of the folders. Each is also shown to fail on a copy of the checkout in which it is broken.
--
-- 1. A folder includes itself and what is below it; of two that share a floor, neither the other.
-- 2. Includes are written from csrc/.
-- 3. Only csrc/binding and csrc/aish_history.c know Lua, and only csrc/base/sys.c calls the system.
-- 4. Each source but csrc/aish_history.c has a header, and no two files have the same name.
-- 5. The spec of csrc/X/y.c is spec/X/y_spec.lua.
-- 6. No two sources have a static function of the same name.
-- 7. The map at the top of csrc/aish_history.c has each file, and no other.
local lfs = require("lfs")
local stdlib = require("posix.stdlib")
local helper = require("spec.support.helper")
local shell = require("spec.support.shell")

local quote = helper.quote

local FLOORS = { base = 0, json = 1, text = 1, file = 2, memory = 3, session = 3, binding = 4, [""] = 5 }

-- The names in a text of several, as a set.
local function set(names)
  local found = {}
  for name in names:gmatch("%S+") do found[name] = true end
  return found
end

-- What every file may include and call: nothing here reaches the system, nor memory that the fault
-- build could not refuse. sys/types.h and sys/file.h are for types and constants.
local HEADERS = set [[errno.h float.h limits.h math.h stdarg.h stdbool.h stddef.h stdint.h stdlib.h string.h
  sys/types.h sys/file.h arm_neon.h emmintrin.h immintrin.h]]
local FUNCTIONS = set [[memchr memcmp memcpy memmove memset strchr strcmp strlen strncmp strrchr strspn qsort
  ceil exp2 fabs floor fmod log log10 pow errno errno_location error stack_chk_fail GLOBAL_OFFSET_TABLE_ cpu_model]]

local function folder_of(name) return name:match("^(.*)/") or "" end

--- The names that the map has: those on each line before the column of what they are for.
local function mapped(root)
  local found, map = {}, helper.read(root .. "/csrc/aish_history.c"):match("^/%*.-%*/")
  for names in map:gmatch("\n %*   (%l[%w_, ]-)  ") do
    for name in names:gmatch("[%w_]+") do found[name] = true end
  end
  return found
end

--- What breaks a rule in a checkout, apart from calls: sorted lines `file: what`.
local function problems_of(root)
  local found, names = {}, {}
  local function problem(name, form, ...) found[#found + 1] = name .. ": " .. form:format(...) end
  local function exists(path) return lfs.attributes(root .. "/" .. path) ~= nil end

  local function check_includes(name, folder)
    local text = helper.read(root .. "/csrc/" .. name)
    for header in text:gmatch('#%s*include%s*"([^"]+)"') do
      local other = folder_of(header)
      if not exists("csrc/" .. header) then
        problem(name, "includes %s, which is not written from csrc/", header)
      elseif other ~= folder and FLOORS[other] >= FLOORS[folder] then
        problem(name, "includes %s from above or beside it", header)
      end
    end
    for header in text:gmatch("#%s*include%s*<([^>]+)>") do
      if header:find("^l[ua][au]") then
        if FLOORS[folder] < FLOORS.binding then problem(name, "includes Lua's %s", header) end
      elseif not HEADERS[header] and not name:find("^base/sys%.[ch]$") then
        problem(name, "includes the system's %s", header)
      end
    end
  end

  local map = mapped(root)
  local function check_map(name, base)
    if not map[base] and name ~= "aish_history.c" and name ~= "version.h" then problem(name, "is not in the map") end
  end

  local functions = {}
  local function check_functions(name)
    local text = "\n" .. helper.read(root .. "/csrc/" .. name)
    for line in text:gmatch("\nstatic ([^\n(=;]+)%(") do
      local called = line:match("([%w_]+)$")
      if called and (functions[called] or name) ~= name then
        problem(name, "has a function %s, as %s has", called, functions[called])
      end
      functions[called or ""] = name
    end
  end

  for _, name in ipairs(shell.files(root .. "/csrc")) do
    local folder, base = folder_of(name), name:match("[^/]+$")
    if names[base] then problem(name, "has the name of %s", names[base]) end
    names[base] = name
    if not FLOORS[folder] then
      problem(name, "is in a folder without a floor")
    elseif name:find("%.[ch]$") then
      check_includes(name, folder)
      check_map(name, base:sub(1, -3))
      if name:find("%.c$") then check_functions(name) end
      if name:find("/.*%.c$") and not exists("csrc/" .. name:gsub("c$", "h")) then problem(name, "has no header") end
    end
  end
  for name in pairs(map) do
    if not names[name .. ".c"] and not names[name .. ".h"] then problem(name, "is in the map, and not there") end
  end
  for _, name in ipairs(shell.files(root .. "/spec")) do
    local source = FLOORS[folder_of(name)] and "csrc/" .. name:gsub("_spec%.lua$", "")
    if source and not (exists(source .. ".c") or exists(source .. ".h")) then
      problem("spec/" .. name, "is the spec of no source")
    end
  end
  table.sort(found)
  return found
end

-- A copy of the checkout in which lines were added to a file.
local function changed(root, name, lines)
  local copy = helper.tmpdir()
  shell.run(("cp -a %s/. %s"):format(quote(root), quote(copy)))
  local file = assert(io.open(copy .. "/" .. name, "a"))
  file:write(lines, "\n")
  file:close()
  return copy
end

-- What no spec changes: the sources and specs, and Makefile.
local root
setup(function()
  root = assert(stdlib.mkdtemp("/tmp/aish_history.XXXXXX"))
  shell.run(("cp -R csrc Makefile %s && mkdir %s/spec"):format(quote(root), quote(root)))
  for folder in pairs(FLOORS) do
    if folder ~= "" then shell.run(("! test -d spec/%s || cp -R spec/%s %s/spec"):format(folder, folder, quote(root))) end
  end
end)
teardown(function() shell.run("rm -rf " .. quote(root)) end)

describe("the layout #build", function()
  helper.guard(before_each, after_each)

  it("keeps the rules", function()
    assert.same({}, problems_of("."))
  end)

  for _, case in ipairs({
    { "an include from a folder above", "csrc/json/json.c", '#include "file/reader.h"',
      "json/json.c: includes file/reader.h from above or beside it" },
    { "an include from a folder beside: json and text", "csrc/text/fold.c", '#include "json/json.h"',
      "text/fold.c: includes json/json.h from above or beside it" },
    { "an include from a folder beside: memory and session", "csrc/session/turn.h", '#  include "memory/record.h"',
      "session/turn.h: includes memory/record.h from above or beside it" },
    { "an include of the door", "csrc/binding/args.c", '#include "version.h"',
      "binding/args.c: includes version.h from above or beside it" },
    { "an include that is not written from csrc/", "csrc/json/json.c", '#include "span.h"',
      "json/json.c: includes span.h, which is not written from csrc/" },
    { "Lua outside of the bindings", "csrc/json/json.c", "#include <lua.h>", "json/json.c: includes Lua's lua.h" },
    { "Lua's library in a header of the core", "csrc/file/lines.h", "# include <lauxlib.h>",
      "file/lines.h: includes Lua's lauxlib.h" },
    { "a header of the system", "csrc/file/reader.c", "#include <unistd.h>",
      "file/reader.c: includes the system's unistd.h" },
    { "a header of the system, in a header", "csrc/file/reader.h", "#include <stdio.h>",
      "file/reader.h: includes the system's stdio.h" },
    { "a source without a header", "csrc/json/lonely.c", "", "json/lonely.c: has no header", "json/lonely.c: is not in the map" },
    { "a file that is not in the map", "csrc/json/unseen.h", "", "json/unseen.h: is not in the map" },
    { "a name that is there already", "csrc/text/json.h", "", "text/json.h: has the name of json/json.h" },
    { "a static function of a name that is there already", "csrc/text/query.c", "static void cut_line(struct line *line)",
      "text/query.c: has a function cut_line, as file/lines.c has" },
    { "a spec of no source", "spec/json/lonely_spec.lua", "", "spec/json/lonely_spec.lua: is the spec of no source" },
  }) do
    it("is seen to be broken by " .. case[1], function()
      local before = problems_of(root)
      local found = {}
      for _, problem in ipairs(problems_of(changed(root, case[2], case[3]))) do found[problem] = true end
      for _, problem in ipairs(before) do found[problem] = nil end
      local expected = {}
      for index = 4, #case do expected[case[index]] = true end
      assert.same(expected, found)
    end)
  end

  it("is seen to be broken by a name in the map that no file has", function()
    local copy = changed(root, "csrc/version.h", "")
    shell.run("sed -i 's/upkeep, lock /upkeep, luck /' " .. quote(copy) .. "/csrc/aish_history.c")
    local found = table.concat(problems_of(copy), "\n")
    assert(found:find("luck: is in the map, and not there", 1, true), found)
    assert(found:find("binding/lock.h: is not in the map", 1, true), found)
  end)

  it("is seen to be broken by a folder without a floor", function()
    local copy = changed(root, "csrc/version.h", "")
    shell.run("mkdir " .. quote(copy) .. "/csrc/misc && touch " .. quote(copy) .. "/csrc/misc/misc.h")
    local found = table.concat(problems_of(copy), "\n")
    assert(found:find("misc/misc.h: is in a folder without a floor", 1, true), found)
  end)
end)

-- ---- calls ----

-- The symbols that the objects of a build define or use: an array of { object =, name = }.
local function symbols(directory, options)
  local found = {}
  local output = shell.run(("cd %s && find . -name '*.o' | sort | xargs nm -A %s"):format(quote(directory), options))
  for object, symbol in output:gmatch("%./(.-)%.o:[^\n]-(%S+)\n") do
    found[#found + 1] = { object = object, name = (symbol:gsub("^_+", ""):gsub("_chk$", "")) }
  end
  return found
end

--- The functions that a build calls outside of base/sys, and that are neither ours, Lua's nor harmless.
local function calls_of(directory)
  local found, ours, seen = {}, {}, {}
  for _, symbol in ipairs(symbols(directory, "-g --defined-only")) do ours[symbol.name] = true end
  for _, symbol in ipairs(symbols(directory, "-u")) do
    local line = symbol.object .. ".c: calls " .. symbol.name
    local known = ours[symbol.name] or FUNCTIONS[symbol.name] or symbol.name:find("^lua")
    if not known and symbol.object ~= "base/sys" and not seen[line] then
      seen[line] = true
      found[#found + 1] = line
    end
  end
  return found
end

describe("the system's calls #build", function()
  helper.guard(before_each, after_each)

  local function build(directory)
    shell.run("cd " .. quote(directory) .. " && " .. shell.make .. "-s BUILD=build CFLAGS='-O0 -w'")
    return directory .. "/build"
  end

  setup(function() build(root) end)

  it("are made by base/sys alone", function()
    assert.same({}, calls_of(root .. "/build"))
  end)

  for _, case in ipairs({
    { "binding/args.c", '#include <stdio.h>\nvoid *f(void);\nvoid *f(void) { return fopen("x", "r"); }', "fopen" },
    { "base/buf.c", "#include <stdlib.h>\nvoid *f(void);\nvoid *f(void) { return malloc(1); }", "malloc" },
    { "memory/compact.c", "#include <sys/file.h>\nint f(void);\nint f(void) { return flock(1, 2); }", "flock" },
    { "file/reader.c", "#include <unistd.h>\nint f(void);\nint f(void) { return getpid(); }", "getpid" },
  }) do
    it("are seen elsewhere: " .. case[3], function()
      local text = "#pragma GCC visibility push(default)\n" .. case[2] -- the linker would see it otherwise
      local found = calls_of(build(changed(root, "csrc/" .. case[1], text)))
      assert.equal(1, #found)
      assert(found[1]:find("^" .. case[1]:gsub("%p", "%%%0") .. ": calls " .. case[3] .. "%d*$"), found[1])
    end)
  end
end)
