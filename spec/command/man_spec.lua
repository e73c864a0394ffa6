--- The man page, and the completions of real shells.
local helper = require("spec.support.helper")
local shell = require("spec.support.shell")
local command = require("spec.support.command")

local quote = helper.quote

-- Skips the spec where a program is missing.
local function need(name)
  if not pcall(shell.run, "command -v " .. name) then pending(name .. " is missing") end
end

-- The man page in a file.
local function page()
  return helper.write(helper.tmpdir() .. "/aish-history.1", (command.run(helper.tmpdir(), "--man")))
end

describe("the man page #build", function()
  helper.guard(before_each, after_each)

  it("has no fault", function()
    need("mandoc")
    assert.equal("", shell.run("mandoc -Tlint -Wall " .. page()))
  end)

  it("is shown by man, with every command and option", function()
    need("man")
    local shown = shell.run("LC_ALL=C.UTF-8 MANWIDTH=100 man --warnings -l " .. page() .. " | cat"):gsub("(%S) +", "%1 ")
    for _, name in ipairs({ "sessions", "show", "search", "recall", "memory list", "memory add", "memory update",
      "memory forget", "verify", "compact", "erase" }) do
      assert(shown:find("\n   " .. name .. "\n       aish-history " .. name .. " ", 1, true), name)
    end
    for _, name in ipairs({ "--dir DIR", "--color WHEN", "--markdown", "--role ROLE", "--budget N", "--where KEY=VALUE", "--wait SECONDS",
      "--dry-run", "--secrets", "SESSION", "WORDS", "EXIT STATUS", "AISH_HISTORY_DIR" }) do
      assert(shown:find(name, 1, true), name)
    end
  end)

  it("has the date that packagers set", function()
    assert.equal('.TH AISH\\-HISTORY 1 2026-01-02 "', command.run(helper.tmpdir(), "--man", "SOURCE_DATE_EPOCH=1767348903"):sub(1, 32))
  end)

  it("has examples that work", function()
    local dir, count = command.history(), 0
    helper.write(dir .. "/password.txt", "hunter2\n")
    for source in command.run(dir, "--man"):match("%.SH EXAMPLES(.*)$"):gmatch("%.nf\n([^\n]*)\n%.fi") do
      local line = source:gsub("\\%(aq", "'"):gsub("\\%-", "-")
      count = count + 1
      local expected = (line:find("7d") or line:find("erase")) and 1 or 0
      local said, code = command.shell(dir, "export FZF_DEFAULT_OPTS=--filter=rgen; " .. line)
      local missing = line:find("fzf") and not pcall(shell.run, "command -v fzf")
      if not missing and not said:find("cannot erase", 1, true) then assert.equal(expected, code, line .. "\n" .. said) end
    end
    assert.equal(9, count)
  end)
end)

describe("completions #build", function()
  helper.guard(before_each, after_each)

  -- The completions for a shell in a file of this name.
  local function completions(name, file)
    return helper.write(helper.tmpdir() .. "/" .. file, (command.run(helper.tmpdir(), "--completion " .. name)))
  end

  it("complete in bash", function()
    local try = "try() { COMP_WORDS=(aish-history \"$@\"); COMP_CWORD=$#; COMPREPLY=(); _aish-history; echo \"${COMPREPLY[*]}\"; }; "
    local script = ". " .. completions("bash", "c") .. "; " .. try
      .. "try se; try memory ''; try memory list --so; try --color a; try memory list --kind p; complete -p aish-history"
    assert.equal("sessions search\nlist add update forget\n--source\nauto always\npref\n"
      .. "complete -o bashdefault -o default -F _aish-history aish-history\n", shell.run("bash -c " .. quote(script)))
  end)

  it("complete in fish", function()
    need("fish")
    local home = helper.tmpdir()
    local script = "source " .. completions("fish", "c") .. [[; complete -C"aish-history se"; complete -C"aish-history memory ";
      complete -C"aish-history memory list --sou"; complete -C"aish-history --color a"]]
    local found = shell.run("HOME=" .. home .. " fish --no-config -c " .. quote(script))
    assert.equal("search sessions add forget list update --source always auto",
      (found:gsub("\t[^\n]*", ""):gsub("\n", " "):gsub(" $", "")))
    assert(found:find("sessions\tList the sessions, the last first\n", 1, true), found)
  end)

  -- In a zsh of its own, whose line editor is asked through a pseudo-terminal.
  it("complete in zsh", function()
    need("zsh")
    local file = completions("zsh", "_aish-history")
    local script = ([=[zmodload zsh/zpty
      zpty -b z zsh -f
      zpty -w z "PS1=; fpath=(%s \$fpath); autoload -U compinit; compinit -u -D; LISTMAX=0; TERM=dumb; bindkey '^I' complete-word; echo re''ady"
      read_until() { local all chunk i; for i in {1..200}; do zpty -rt z chunk && all+=$chunk || sleep 0.05; [[ $all == *$1* ]] && break; done; print -r -- $all }
      read_until ready
      zpty -wn z "aish-history ses"$'\t'"zzz"
      read_until zzz
      zpty -wn z $'\x15'"aish-history memory up"$'\t'"yyy"
      read_until yyy
      zpty -wn z $'\x15'"aish-history search --exa"$'\t'"xxx"
      read_until xxx
    ]=]):format(file:match("^(.*)/"))
    local shown = shell.run("env TERM=dumb zsh -f -c " .. quote(script))
    for _, line in ipairs({ "aish%-history sessions%W+zzz", "memory update%W+yyy", "search %-%-exact%W+xxx" }) do
      assert(shown:gsub("\27%[[%d?]*%a", ""):find(line), ("%q"):format(shown))
    end
  end)
end)
