--- Looking for secrets in text that has none: secrets.redact held against encode, for texts of many kinds,
-- each whole and as turns of 2 KB; and appending such a turn through it, against the same without.
local aish = require("aish_history")
local measure = require("measure")
local secrets = require("aish_history.secrets")

local TURN = 2048

-- What a command prints, as often as it takes for some turns.
local function text_of(command)
  local text = measure.output(command)
  return text and (text .. "\n"):rep(math.ceil(20 * TURN / #text))
end

-- A session of a shell: each command with what it prints.
local SHELL = [[for command in 'ls -l csrc' 'uname -a' 'df -h /' 'grep -n include csrc/memory/memory.c' \
  'wc -l README.md' 'env -i USER=me HOME=/home/me LANG=C.UTF-8 SHELL=/bin/bash EDITOR=vi LESS=-R \
    PATH=/usr/local/bin:/usr/bin:/bin TERM=xterm-256color PWD=/srv/app MAKEFLAGS=-j2 \
    PKG_CONFIG_PATH=/usr/lib/pkgconfig XDG_RUNTIME_DIR=/run/user/1000 env'; do
    echo "$ $command"; eval "$command"; done]]

local KINDS = {
  { "C", "cat csrc/*/*.c" },
  { "Lua", "cat spec/memory/*.lua" },
  { "Markdown", "cat README.md CHANGELOG.md spec/bench/tried.md" },
  { "JSON lines", [[for i in $(seq 300); do echo '{"id":'$i',"role":"tool","ts":"2026-01-02T10:20:30Z",'\
'"call_id":"call_'$i'","content":"what it has found","usage":{"input_tokens":120,"output_tokens":7}}'; done]] },
  { "manual pages", "zcat -f $(ls /usr/share/man/man1/*.gz | head -n 20)" },
  { "a shell's session", SHELL },
  { "base64", "head -c 200000 build/aish_history.so | base64" },
  { "a hex dump", "head -c 100000 build/aish_history.so | od -A x -t x1z" },
  { "minified JavaScript", "cat /usr/share/javascript/jquery/jquery.min.js" },
  { "Chinese", "echo '代理读取它的文件，并写下它找到的内容。会话：记录了每一次调用的结果。'" },
}

-- At most 32 turns from all over a text, which the caches hold.
local function turns_of(text)
  local turns, step = {}, math.max(math.floor(#text / 32), TURN)
  for first = 1, #text - TURN + 1, step do turns[#turns + 1] = text:sub(first, first + TURN - 1) end
  return turns
end

-- Seconds a text, over all of them.
local function way(name, call, texts, rounds)
  return { name = name, run = function()
    return measure.time(function()
      for _ = 1, rounds do
        for index = 1, #texts do call(texts[index]) end
      end
    end) / #texts / rounds
  end }
end

local function compare(bench, kind, texts)
  local rounds = math.ceil(500000 / #texts[1] / #texts)
  local results = measure.interleave({
    way("encode", aish.encode, texts, rounds), way("redact", secrets.redact, texts, rounds),
  }, bench.rounds(31, 9))
  bench.compare(("secrets.redact, %s, %d bytes"):format(kind, #texts[1]), results, "redact", "encode", { at_most = 3 })
end

local function append(bench)
  local turn = { role = "assistant", content = turns_of(text_of("cat README.md"))[1] }
  local function appending(name, opts)
    local session = assert(aish.session(("%s/%s.jsonl"):format(bench.dir, name), nil, opts))
    return way(name, function(one) session:append(one) end, { turn }, 500)
  end
  local results = measure.interleave({
    appending("without"), appending("secrets.redact", { redact = secrets.redact }),
  }, bench.rounds(41, 11))
  bench.compare(("session:append, a text of %d bytes, secrets.redact"):format(TURN), results, "secrets.redact", "without")
end

return function(bench)
  append(bench)
  for _, kind in ipairs(KINDS) do
    local text = text_of(kind[2])
    if text then
      compare(bench, kind[1], { text })
      compare(bench, kind[1], turns_of(text))
    else
      bench.skip("secrets.redact, " .. kind[1], "there is none here")
    end
  end
end
