--- `aish-history mcp` as its clients see it: raw lines, and the client of the official SDK.
local lfs = require("lfs")
local helper = require("spec.support.helper")
local npm = require("spec.support.npm")
local command = require("spec.support.command")
local aish_history = require("aish_history")

local quote = helper.quote

local INITIALIZE = '{"jsonrpc":"2.0","id":"i","method":"initialize","params":{"protocolVersion":"2025-06-18",'
  .. '"capabilities":{},"clientInfo":{"name":"raw","version":"1"}}}'

--- A request as a line of JSON.
local function request(id, method, params)
  return aish_history.encode({ jsonrpc = "2.0", id = id, method = method, params = params })
end

--- Runs the server over a directory to the end of its input.
local function serve_text(dir, text, arguments)
  return command.run(dir, arguments or "mcp", "<" .. quote(helper.write(helper.tmpdir() .. "/in", text)))
end

local function call(id, name, arguments)
  return request(id, "tools/call", { name = name, arguments = arguments })
end

--- Sends lines to a server over a directory; returns the decoded answers, all of which are JSON.
local function talk(dir, lines)
  local printed, code, said = serve_text(dir, table.concat(lines, "\n") .. "\n")
  assert.same({ 0, "" }, { code, said })
  local answers = {}
  for line in printed:gmatch("[^\n]+") do answers[#answers + 1] = assert(aish_history.decode(line)) end
  return answers
end

--- The same after the client has given its name: the answers to `lines` alone.
local function serve(dir, lines)
  local answers = talk(dir, { INITIALIZE, '{"jsonrpc":"2.0","method":"notifications/initialized"}', unpack(lines) })
  assert.equal("i", answers[1].id)
  return { unpack(answers, 2) }
end

local function add_session(dir, name, ...)
  local session = assert(aish_history.session(dir .. "/sessions/" .. name, { model = "m" }))
  for _, content in ipairs({ ... }) do
    assert(session:append({ role = "user", content = content, ts = "2026-01-02T10:15:03Z" }))
  end
  session:close()
end

describe("mcp: the messages", function()
  helper.guard(before_each, after_each)

  it("name the revision that was asked for, if it is known, else the newest", function()
    for asked, spoken in pairs({ ["2025-06-18"] = "2025-06-18", ["2025-03-26"] = "2025-03-26",
      ["2024-11-05"] = "2024-11-05", ["2099-01-01"] = "2025-06-18" }) do
      local answer = talk(helper.tmpdir(), { (INITIALIZE:gsub("2025%-06%-18", asked)) })[1].result
      assert.equal(spoken, answer.protocolVersion)
      assert.same({ "aish-history", aish_history._VERSION }, { answer.serverInfo.name, answer.serverInfo.version })
      assert.same({ tools = {}, resources = {} }, answer.capabilities)
    end
  end)

  it("serve nothing but ping before initialize", function()
    local answers = talk(helper.tmpdir(), { request(1, "ping"), request(2, "tools/list"), INITIALIZE, request(3, "tools/list") })
    assert.same({}, answers[1].result)
    assert.equal(-32600, answers[2].error.code)
    assert.equal(3, #answers[4].result.tools)
  end)

  it("have an empty object, not an array, where nothing is to be said", function()
    assert.truthy(serve_text(helper.tmpdir(), request(1, "ping")):find('"result":{}', 1, true))
  end)

  it("keep ids of both kinds to the last digit", function()
    local answers = serve(helper.tmpdir(), { request(9007199254740991, "ping"), request("x\n", "ping"), request(1.5, "ping") })
    assert.same({ 9007199254740991, "x\n", 1.5 }, { answers[1].id, answers[2].id, answers[3].id })
  end)

  it("say what is wrong with a request", function()
    local codes, lines, got = {
      ['{"jsonrpc":'] = -32700, ["nonsense"] = -32700, ["{} {}"] = -32700, ["[1,"] = -32700,
      ["{}"] = -32600, ["17"] = -32600, ["null"] = -32600, ["[]"] = -32600, ['{"id":1,"method":"ping"}'] = -32600,
      ['{"jsonrpc":"2.0","id":{},"method":"ping"}'] = -32600, ['{"jsonrpc":"2.0","id":1,"method":2}'] = -32600,
      [request(1, "prompts/list")] = -32601, [request(1, "initialise")] = -32601,
      [request(1, "initialize")] = -32602, ['{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}'] = -32602,
      [request(1, "tools/call")] = -32602, [call(1, "recite", { text = "x" })] = -32602, [call(1, "recall")] = -32602,
      [call(1, "recall", { text = 5 })] = -32602, [call(1, "recall", { text = "x", limit = 0 })] = -32602,
      [call(1, "recall", { text = "x", limit = 1.5 })] = -32602, [call(1, "recall", { text = "x", colour = 1 })] = -32602,
      [call(1, "remember", { kind = "poem", content = "x" })] = -32602,
      [call(1, "remember", { kind = "fact", content = "" })] = -32602,
      [call(1, "remember", { kind = "fact", content = "x", tags = { 1 } })] = -32602,
      [call(1, "forget", { id = "1" })] = -32602, [call(1, "forget", { id = 2 ^ 53 })] = -32602,
      [request(1, "resources/read")] = -32602, [request(1, "resources/list", { cursor = "x" })] = -32602,
      [request(1, "resources/read", { uri = "file:///etc/passwd" })] = -32002,
    }, {}, {}
    for line in pairs(codes) do lines[#lines + 1] = line end
    for index, answer in ipairs(serve(helper.tmpdir(), lines)) do got[lines[index]] = answer.error.code end
    assert.same(codes, got)
  end)

  it("are not answered where they are notifications, responses or blank", function()
    assert.same({}, serve(helper.tmpdir(), { '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}',
      '{"jsonrpc":"2.0","method":"none"}', '{"jsonrpc":"2.0","id":1,"result":{}}', "", " \r" }))
  end)

  it("may come in batches", function()
    local two = "[" .. request(1, "ping") .. ',{"jsonrpc":"2.0","method":"x"},7,' .. request(2, "none") .. "]"
    local answers = serve(helper.tmpdir(), { two, '[{"jsonrpc":"2.0","method":"x"}]', "[" .. INITIALIZE .. "]" })
    assert.equal(2, #answers)
    assert.same({ 1, nil, 2 }, { answers[1][1].id, answers[1][2].id, answers[1][3].id })
    assert.same({ -32600, -32601 }, { answers[1][2].error.code, answers[1][3].error.code })
    assert.equal(-32600, answers[2][1].error.code)
  end)

  it("are refused where they are too long, and the next one is answered", function()
    local answers = serve(helper.tmpdir(), { '{"x":"' .. ("x"):rep(3000000) .. '"}', request(2, "ping") })
    assert.equal(-32700, answers[1].error.code)
    assert.equal(2, answers[2].id)
    local content = ("x"):rep(900000)
    assert.equal(1, serve(helper.tmpdir(), { call(1, "remember", { kind = "fact", content = content }) })[1].result.structuredContent.id)
  end)

  it("of many levels are answered", function()
    local answers = serve(helper.tmpdir(), { ("["):rep(100000), call(1, "recall", { text = { { { {} } } } }) })
    assert.same({ -32700, -32602 }, { answers[1].error.code, answers[2].error.code })
  end)
end)

describe("mcp: the tools", function()
  helper.guard(before_each, after_each)

  it("are listed with what they take, and not with what they are", function()
    local tools = serve(helper.tmpdir(), { request(1, "tools/list") })[1].result.tools
    local names = {}
    for index, tool in ipairs(tools) do
      names[index] = tool.name
      assert.equal("object", tool.inputSchema.type)
      for _, name in ipairs(tool.inputSchema.required) do assert.truthy(tool.inputSchema.properties[name]) end
      assert.is_nil(tool.run)
    end
    assert.same({ "recall", "remember", "forget" }, names)
  end)

  it("remember with the client's name, once, and forget", function()
    local dir = helper.tmpdir()
    local answers = serve(dir, {
      call(1, "remember", { kind = "pref", content = "Answer in German", tags = { "language" } }),
      call(2, "remember", { kind = "pref", content = "Answer in German" }),
      call(3, "recall", { text = "german?" }), call(4, "forget", { id = 1 }), call(5, "forget", { id = 1 }) })
    assert.same({ id = 1, known = false }, answers[1].result.structuredContent)
    assert.same({ id = 1, known = true }, answers[2].result.structuredContent)
    local found = answers[3].result.structuredContent
    assert.same({ "Answer in German", "mcp:raw", { "language" } }, { found.memory[1].content, found.memory[1].source, found.memory[1].tags })
    assert.same(found, aish_history.decode(answers[3].result.content[1].text))
    assert.same({ forgotten = 1, left = 0 }, answers[4].result.structuredContent)
    assert.same({ isError = true, content = { { type = "text", text = "no active item 1" } } }, answers[5].result)
    assert.same({}, aish_history.load_memory(dir .. "/memory.jsonl"))
    assert.equal(1, aish_history.verify(dir .. "/memory.jsonl").items)
  end)

  it("recall what was said too, within a budget that both share", function()
    local dir = helper.tmpdir()
    add_session(dir, "a.jsonl", "Is the backup disk full?")
    local memory = assert(aish_history.open(dir .. "/memory.jsonl"))
    memory:add("fact", "The backup disk is /dev/sdb")
    memory:close()
    local answers = serve(dir, { call(1, "recall", { text = "backup" }), call(2, "recall", { text = "backup", budget = 30 }),
      call(3, "recall", { text = "backup", budget = 0 }) })
    local said = answers[1].result.structuredContent.sessions[1]
    assert.same({ "aish-history://sessions/a.jsonl", 2, "Is the backup disk full?" }, { said.uri, said.line, said.text })
    assert.equal(1, #answers[1].result.structuredContent.memory)
    assert.same({ 1, 0 }, { #answers[2].result.structuredContent.memory, #answers[2].result.structuredContent.sessions })
    assert.same({ memory = {}, sessions = {} }, answers[3].result.structuredContent)
  end)

  it("make no file by recalling and forgetting", function()
    local dir = helper.tmpdir()
    serve(dir, { call(1, "recall", { text = "x" }), call(2, "forget", { id = 1 }), request(3, "resources/list") })
    assert.is_nil(lfs.attributes(dir .. "/memory.jsonl"))
    assert.is_nil(lfs.attributes(dir .. "/sessions"))
  end)

  it("give bytes that are no text in a form that every reader takes", function()
    local dir = helper.tmpdir()
    add_session(dir, "a.jsonl", "caf\233 \\udce9 \237\160\128")
    local printed = serve_text(dir, INITIALIZE .. "\n" .. call(1, "recall", { text = "caf" }) .. "\n"
      .. request(2, "resources/read", { uri = "aish-history://sessions/a.jsonl" }) .. "\n")
    assert.is_nil(printed:find("[^\\]\\ud[89a-f]"))
    assert.is_nil(printed:find("\233", 1, true))
    local found = aish_history.decode(printed:match("[^\n]*\n([^\n]*)"))
    assert.truthy(found.result.structuredContent.sessions[1].text:find("^caf\239\191\189 \\udce9 "))
  end)

  it("answer where another program has written a content that is no text, or nests too deep", function()
    local dir = helper.tmpdir()
    local deep = ('{"a":'):rep(996) .. "1" .. ("}"):rep(996)
    helper.write(dir .. "/memory.jsonl", '{"meta":{"aish_version":"phase4"}}\n{"id":1,"kind":"fact","content":5}\n'
      .. '{"id":2,"kind":"fact"}\n{"id":3,"kind":"fact","content":"x","tags":' .. deep .. "}\n")
    local answers = serve(dir, { call(1, "recall", { text = "" }), "[" .. call(2, "recall", { text = "x" }) .. "," .. request(3, "ping") .. "]" })
    assert.same({ 1, 2, 3 }, { answers[1].id, answers[2][1].id, answers[2][2].id })
    assert.same({ -32603, -32603 }, { answers[1].error.code, answers[2][1].error.code })
    answers = serve(dir, { call(1, "forget", { id = 3 }), call(2, "recall", { text = "" }) })
    local kept = {}
    for index, item in ipairs(answers[2].result.structuredContent.memory) do kept[index] = item.content or "nothing" end
    assert.same({ "nothing", 5 }, kept)
  end)

  it("write beside a shell, and add nothing that another has added", function()
    local dir = helper.tmpdir()
    local shell = assert(aish_history.open(dir .. "/memory.jsonl", { shared = true, unique = true }))
    assert(shell:add("fact", "From the shell"))
    local servers = {}
    for index = 1, 4 do
      local lines = { (INITIALIZE:gsub('"raw"', '"c' .. index .. '"')) }
      for number = 1, 20 do lines[number + 1] = call(number, "remember", { kind = "fact", content = "Number " .. number }) end
      helper.write(dir .. "/in" .. index, table.concat(lines, "\n"))
      servers[index] = assert(io.popen(command.call(dir, "mcp") .. " <" .. quote(dir .. "/in" .. index)))
    end
    for _, server in ipairs(servers) do
      assert.equal(21, select(2, server:read("*a"):gsub("\n", "")))
      server:close()
    end
    assert.equal(21, #shell)
    assert.truthy(shell:items({ where = { content = "Number 7" } })[1].source:find("^mcp:c[1-4]$"))
    shell:close()
  end)

  it("say who holds the memory's lock", function()
    local dir = helper.tmpdir()
    local shell = assert(aish_history.open(dir .. "/memory.jsonl"))
    shell:add("fact", "Held")
    local answers = serve(dir, { call(1, "recall", { text = "held" }), call(2, "remember", { kind = "fact", content = "x" }) })
    shell:close()
    assert.equal("Held", answers[1].result.structuredContent.memory[1].content)
    assert.is_true(answers[2].result.isError)
    assert.truthy(answers[2].result.content[1].text:find("held by another aish process .*; process %d+ holds it$"))
  end)
end)

describe("mcp: the resources", function()
  helper.guard(before_each, after_each)

  it("are the sessions, newest first, a page at a time", function()
    local dir = helper.tmpdir()
    for number = 1, 201 do add_session(dir, ("%03d é.jsonl"):format(number), "Hello " .. number) end
    add_session(dir, "empty.jsonl")
    local uris, cursor, pages = {}, nil, 0
    repeat
      local page = serve(dir, { request(1, "resources/list", cursor and { cursor = cursor }) })[1].result
      for _, resource in ipairs(page.resources) do uris[#uris + 1] = resource.uri end
      cursor, pages = page.nextCursor, pages + 1
      assert.equal(pages == 1 and "Hello 201" or pages == 2 and "Hello 101" or "Hello 1", page.resources[1].description)
    until not cursor
    assert.same({ 3, 201 }, { pages, #uris })
    assert.same({ "aish-history://sessions/201%20%C3%A9.jsonl", "aish-history://sessions/001%20%C3%A9.jsonl" }, { uris[1], uris[201] })
    local read = serve(dir, { request(1, "resources/read", { uri = uris[201] }) })[1].result.contents[1]
    assert.same({ uris[201], "application/jsonl" }, { read.uri, read.mimeType })
    local meta, turn = read.text:match("^([^\n]*)\n([^\n]*)$")
    assert.same({ { meta = { model = "m" } }, "Hello 1" }, { aish_history.decode(meta), aish_history.decode(turn).content })
  end)

  it("are cut at their beginning where they are large", function()
    local dir = helper.tmpdir()
    add_session(dir, "a.jsonl", ("x"):rep(600000), ("y"):rep(600000), "z")
    local read = serve(dir, { request(1, "resources/read", { uri = "aish-history://sessions/a.jsonl" }) })[1].result.contents[1]
    assert.same({ ["aish-history/omitted"] = 2 }, read._meta)
    assert.truthy(read.text:find("^{[^\n]*yyy[^\n]*}\n{[^\n]*}$"))
  end)

  it("are nothing outside of the directory", function()
    local dir = helper.tmpdir()
    add_session(dir, "a.jsonl", "x")
    add_session(dir, "sub/b.jsonl", "x")
    helper.write(dir .. "/memory.jsonl", '{"meta":{"aish_version":"phase4"}}\n')
    for _, name in ipairs({ "../memory.jsonl", "..%2fmemory.jsonl", "%2e%2e/memory.jsonl", "sub/../../memory.jsonl", "sub%2F..%2F..%2Fmemory.jsonl",
      "sub/b.jsonl", "a.jsonl%00", "a.jsonl%00.jsonl", ".jsonl", "", "none.jsonl", "a.jsonl/", "/etc/passwd" }) do
      local answer = serve(dir, { request(1, "resources/read", { uri = "aish-history://sessions/" .. name }) })[1]
      assert.same({ name, -32002 }, { name, answer.error and answer.error.code })
    end
  end)
end)

describe("mcp: a client that goes away", function()
  helper.guard(before_each, after_each)

  --- Whether the server, whose reader ends after a line, goes too, and says nothing; `before` is a line of sh.
  local function goes(before)
    local dir = helper.tmpdir()
    local lines = { INITIALIZE }
    for number = 1, 200 do lines[#lines + 1] = request(number, "tools/list") end
    helper.write(dir .. "/in", table.concat(lines, "\n") .. "\n")
    local pipe = assert(io.popen(("%s { (%s) <%s/in 2>%s/err; echo $? >%s/code; } | head -n 1"):format(before,
      command.call(dir, "mcp"), dir, dir, dir)))
    assert.truthy(pipe:read("*a"):find("^{[^\n]*}\n$"))
    pipe:close()
    assert.equal("", helper.read(dir .. "/err"))
    return helper.read(dir .. "/code")
  end

  it("ends it without a word, whether the signal is ignored or not", function()
    local code = goes("")
    assert(code == "141\n" or code == "0\n", code)
    assert.equal("0\n", goes("trap '' PIPE;"))
  end)

  it("is one at its end, within a line too", function()
    local printed, code, said = serve_text(helper.tmpdir(), INITIALIZE .. "\n" .. request(1, "ping"))
    assert.same({ 0, "" }, { code, said })
    assert.equal(2, select(2, printed:gsub("\n", "")))
    assert.same({ "", 0, "" }, { serve_text(helper.tmpdir(), "") })
  end)
end)

describe("mcp: the configuration in README.md", function()
  helper.guard(before_each, after_each)

  it("starts it", function()
    local given = aish_history.decode(helper.read("README.md"):match('\n({"mcpServers"[^\n]*)')).mcpServers.history
    assert.equal("aish-history", given.command)
    local printed, code = serve_text(helper.tmpdir(), INITIALIZE, table.concat(given.args, " "))
    assert.same({ "i", 0 }, { aish_history.decode(printed).id, code })
  end)
end)

-- ---- the official client ----

describe("mcp: the client of the TypeScript SDK #build", function()
  helper.guard(before_each, after_each)

  it("gets what it asks for", function()
    local sdk = npm.install("@modelcontextprotocol/sdk@1")
    if not sdk then return pending("npm cannot install @modelcontextprotocol/sdk here") end
    local dir = helper.tmpdir()
    for number = 1, 101 do add_session(dir, ("%03d.jsonl"):format(number), "Hello") end
    local pipe = assert(io.popen(("cd %s && timeout 60 node spec/command/mcp_client.mjs %s sh -c %s 2>&1"):format(quote(helper.root),
      quote(sdk), quote(command.call(dir, "mcp")))))
    local printed = pipe:read("*a")
    pipe:close()
    local got = assert(aish_history.decode(printed), printed)
    assert.equal("aish-history", got.server.name)
    assert.same({ "recall", "remember", "forget" }, got.tools)
    assert.same({ { id = 1, known = false }, { id = 1, known = true } },
      { got.remembered.structuredContent, got.again.structuredContent })
    local item = got.recalled.structuredContent.memory[1]
    assert.same({ "The NAS is called Bertha", "mcp:sdk" }, { item.content, item.source })
    assert.same({ memory = {}, sessions = {} }, got.together.structuredContent)
    assert.same({ forgotten = 1, left = 0 }, got.forgotten.structuredContent)
    assert.is_true(got.gone.isError)
    assert.same({ -32602, -32002 }, { got.invalid.code, got.missing.code })
    assert.same({ 101, 2, "aish-history://sessions/101.jsonl" }, { #got.resources, got.pages, got.resources[1] })
    assert.truthy(got.read.contents[1].text:find("Hello", 1, true))
    assert.same({}, got.templates.resourceTemplates)
    assert.equal("", got.stderr)
  end)
end)
