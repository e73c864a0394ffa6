--- Commands of the shell, for the specs of the build and of the package.
local helper = require("spec.support.helper")

local shell = {}

--- Runs a command of sh in the checkout; returns what it printed, errors included. One that fails is
-- an error, which shows that.
function shell.run(command)
  local pipe = assert(io.popen(("{ cd %s && %s\n} 2>&1; echo \" $?\""):format(helper.quote(helper.root), command)))
  local output, status = pipe:read("*a"):match("^(.*) (%d+)\n$")
  pipe:close()
  assert(status == "0", command .. "\n" .. output)
  return output
end

--- `make` as a user calls it, not as a part of the make that runs the specs.
shell.make = "MAKEFLAGS= MAKELEVEL= LUA= make "

--- The files below a directory, sorted, without the directory's own name.
function shell.files(directory)
  local names = {}
  for name in shell.run("cd " .. helper.quote(directory) .. " && find . -type f -o -type l"):gmatch("%./([^\n]+)") do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

--- The files that make install puts below a prefix, sorted.
function shell.installed(prefix, version)
  local share = prefix .. "/share/"
  local names = { prefix .. "/bin/aish-history", prefix .. "/lib/lua/" .. version .. "/aish_history.so",
    share .. "man/man1/aish-history.1", share .. "bash-completion/completions/aish-history",
    share .. "zsh/site-functions/_aish-history", share .. "fish/vendor_completions.d/aish-history.fish" }
  for _, name in ipairs(shell.files("lua")) do
    if name:find("%.lua$") then names[#names + 1] = share .. "lua/" .. version .. "/" .. name end
  end
  table.sort(names)
  return names
end

local SMOKE = [[
  local history, native = require("history"), require("aish_history")
  local memory = assert(history.open_memory("memory.jsonl"))
  local id = assert(memory:add("fact", "installed"))
  memory:close()
  assert(#history.load_memory("memory.jsonl") == id and id == 1)
  local log = assert(history.open("log.jsonl", { model = "m" }))
  assert(log:append({ role = "user", content = "hello" }))
  log:close()
  local turns, meta = history.load("log.jsonl")
  assert(#turns == 1 and meta.model == "m")
  assert(require("aish_history.secrets").redact("ftp://u:p@h") == "ftp://u:[redacted:password]@h")
  print(native._VERSION)]]

--- Uses all modules in a new directory, under an interpreter that finds Lua and C modules only in
-- the two directories given; returns the version.
function shell.smoke(interpreter, luadir, cdir)
  return (shell.run(("cd %s && LUA_PATH=%s LUA_CPATH=%s %s -e %s"):format(
    helper.quote(helper.tmpdir()), helper.quote(luadir .. "/?.lua"), helper.quote(cdir .. "/?.so"),
    interpreter, helper.quote(SMOKE))):gsub("\n$", ""))
end

return shell
