--- A session as a page: what it says, and in a browser, that nothing in it runs, what its search shows, and
-- what is folded. The browser is Debian's Chromium, by the DevTools protocol; without it those are pending.
local helper = require("spec.support.helper")
local command = require("spec.support.command")
local npm = require("spec.support.npm")
local shell = require("spec.support.shell")
local aish_history = require("aish_history")
local assets = require("aish_history.html.assets")
local html = require("aish_history.command.html")

local quote = helper.quote

--- A session's file of the given turns.
local function session_of(turns, meta)
  local path = helper.tmpdir() .. "/2026-01-02.jsonl"
  local session = assert(aish_history.session(path, meta))
  for _, turn in ipairs(turns) do assert(session:append(turn)) end
  session:close()
  return path
end

--- The page of a session's file.
local function page_of(path, last)
  local parts = {}
  local out = { write = function(_, ...)
    for index = 1, select("#", ...) do parts[#parts + 1] = tostring((select(index, ...))) end
  end }
  assert.is_true(html.write(path, out, last))
  return table.concat(parts)
end

--- The body of the page of one turn with a content.
local function body_of(content, role)
  return page_of(session_of({ { role = role or "user", content = content } })):match("<main>\n(.*)</main>")
end

local EVIL = {
  "</script><script>window.ran = 1</script>", '<img src="x" onerror="window.ran = 2">', "</style><script>ran = 3</script>",
  "</title></head><body onload='window.ran = 4'>", "<svg onload=window.ran=5><a href='javascript:ran=6'>x</a></svg>",
  "<iframe srcdoc='<script>parent.ran = 7</script>'></iframe>", "</pre></details></main><script>ran = 8</script>",
  "&lt;script&gt; &#60;script&#62;", "<!--", "-->", "<![CDATA[", "%s %d", "\0<script>", "<link rel=stylesheet href=//example.org/x>",
  "<meta http-equiv=refresh content='0;url=http://example.org/'>", "{{constructor.constructor('ran = 9')()}}",
  "\226\128\174gpj.exe\226\128\172 \226\129\166x\226\129\169 \216\156", "\255\254<script>\237\160\128", "\27[2J\27]0;x\7",
}

--- A session in which each of EVIL stands wherever a text may stand.
local function evil_session()
  local turns = {}
  for _, text in ipairs(EVIL) do
    turns[#turns + 1] = { role = "user", content = text, ts = text, [text] = text }
    turns[#turns + 1] = { role = text, content = { text, { type = text, text = text, [text] = { text } } } }
    turns[#turns + 1] = { role = "tool", content = text, calls = { { [text] = text } } }
    turns[#turns + 1] = { event = text }
  end
  return session_of(turns, { model = table.concat(EVIL, " "), [EVIL[1]] = EVIL })
end

--- The elements that the page itself has.
local OWN = {}
for name in ("html head meta title style body header h1 dl dt dd div input output main article h2 time span a details summary b "
  .. "pre p script"):gmatch("%S+") do OWN[name] = true end

describe("html: the page", function()
  helper.guard(before_each, after_each)

  it("says who said what, and when", function()
    local page = page_of(session_of({
      { role = "user", content = "Is there room\non the disk?", ts = "2026-01-02T10:15:03Z" },
      { role = "assistant", content = aish_history.null, calls = { { cmd = "df -h" } }, tokens = 17 },
      { role = "assistant", content = { { type = "text", text = "Yes & no" }, "plain" } } }, { model = "qwen3" }))
    assert.truthy(page:find("<title>Is there room on the disk?</title>", 1, true))
    assert.truthy(page:find("<dt>model</dt><dd dir=\"auto\">qwen3</dd>", 1, true))
    assert.truthy(page:find('<article class="user" id="r2">', 1, true))
    assert.truthy(page:find('<time datetime="2026-01-02T10:15:03Z">2026-01-02 10:15:03 UTC</time>', 1, true))
    assert.truthy(page:find(">Is there room\non the disk?</div>", 1, true))
    assert.truthy(page:find("<summary><b>calls</b> cmd: df -h</summary>", 1, true))
    assert.truthy(page:find('<div class="small">tokens: 17</div>', 1, true))
    assert.truthy(page:find(">Yes &amp; no</div>", 1, true) and page:find(">plain</div>", 1, true))
  end)

  it("shows a value's members in lines, and strings as they are", function()
    local turn = { role = "assistant", content = "x", call = { name = "sh", args = { "a\nb", { x = 1, y = {} } }, ok = true } }
    assert.truthy(page_of(session_of({ turn })):find('<pre dir="auto">\nargs:\n  -\n    a\n    b\n  -\n    x: 1\n    y: []\nname: sh\nok: true</pre>', 1, true))
  end)

  it("has markup of its own only", function()
    assert.truthy(body_of("<b>'\"&</b>"):find(">&lt;b&gt;&#39;&quot;&amp;&lt;/b&gt;</div>", 1, true))
    local page = page_of(evil_session())
    for tag in page:gmatch("</?(%a[^%s>]*)") do assert(OWN[tag], tag) end
    assert.equal(1, select(2, page:gsub("<script", "")))
    assert.equal(1, select(2, page:gsub("<style", "")))
  end)

  it("shows what cannot be seen", function()
    local raw = function(text) return '<span class="raw">' .. text .. "</span>" end
    assert.truthy(body_of("a\226\128\174b\216\156"):find(">a" .. raw("\\u202e") .. "b" .. raw("\\u061c") .. "</div>", 1, true))
    assert.truthy(body_of("é\255\237\160\128é"):find(">é" .. raw("\\xff") .. raw("\\xed") .. raw("\\xa0") .. raw("\\x80") .. "é</div>", 1, true))
    assert.truthy(body_of("\0\27[2J\127\194\133\243\160\128\129"):find(
      ">" .. raw("\\x00") .. raw("\\x1b") .. "[2J" .. raw("\\x7f") .. raw("\\u0085") .. raw("\\U000e0001") .. "</div>", 1, true))
    assert.truthy(body_of("a\\u202e\tb\r\nc\rd"):find(">a\\u202e\tb\nc" .. raw("\\r") .. "d</div>", 1, true))
  end)

  it("is valid UTF-8 whatever the session holds", function()
    local place = helper.write(helper.tmpdir() .. "/page.html", page_of(evil_session()))
    shell.run("iconv -f UTF-8 -t UTF-8 " .. quote(place) .. " >/dev/null")
    assert.is_nil(helper.read(place):find("%z"))
  end)

  it("names damaged lines", function()
    local path = session_of({ { role = "user", content = "x" } })
    helper.write(path, helper.read(path) .. '{"role":"<b>\n')
    assert.truthy(page_of(path):find('<p class="damage">Line 2 is damaged: [^<]+</p>'))
  end)

  it("allows its own style and script by their hashes, and no address", function()
    local page = page_of(session_of({ { role = "user", content = "x" } }))
    local policy = page:match('Content%-Security%-Policy" content="([^"]*)"')
    for _, name in ipairs({ "style", "script" }) do
      local place = helper.write(helper.tmpdir() .. "/asset", page:match("<" .. name .. ">(.-)</" .. name .. ">"))
      local hash = shell.run(("node -p 'crypto.createHash(\"sha256\").update(fs.readFileSync(%s)).digest(\"base64\")'")
        :format(quote(place):gsub("'", '"'))):gsub("%s", "")
      assert(hash == assets[name .. "_hash"], ("assets.%s_hash is now %s"):format(name, hash))
      assert.truthy(policy:find(("%s-src 'sha256-%s';"):format(name, hash), 1, true))
    end
    assert.truthy(policy:find("^default%-src 'none';"))
    assert.is_nil(page:find("https?:"))
  end)

  it("is that of the last turns, where only these are wanted", function()
    local path = session_of({ { role = "user", content = "one" }, { role = "assistant", calls = {} }, { role = "user", content = "two" },
      { event = "x" }, { role = "user", content = "three" } }, { model = "m" })
    local function shown(last)
      local numbers = {}
      for number in page_of(path, last):gmatch('<article[^>]* id="r(%d)"') do numbers[#numbers + 1] = number end
      return table.concat(numbers)
    end
    assert.same({ "23456", "", "6", "456", "23456", "23456" }, { shown(), shown(0), shown(1), shown(2), shown(3), shown(9) })
    assert.truthy(page_of(path, 1):find("<title>one</title>", 1, true))
  end)

  it("is what show --html prints", function()
    local path = session_of({ { role = "user", content = "Hello" } })
    local printed, code = command.run(helper.tmpdir(), "show --html " .. quote(path))
    assert.same({ page_of(path), 0 }, { printed, code })
    printed, code = command.run(helper.tmpdir(), "show /none/x.jsonl --html")
    assert.same({ "", 3 }, { printed, code })
  end)

  it("of a file that is not there is nil, a message and the errno", function()
    assert.same({ nil, "open /none.jsonl: No such file or directory", 2 }, { html.write("/none.jsonl", {}) })
  end)
end)

-- ---- the validator ----

describe("html: by the rules of html-validate #build", function()
  helper.guard(before_each, after_each)

  it("a page is valid, whatever the session holds, and one with a fault of each kind is not", function()
    local folder = npm.install("html-validate@9")
    if not folder then return pending("npm cannot install html-validate here") end
    local dir = helper.tmpdir()
    local function faults(page)
      helper.write(dir .. "/page.html", page)
      local printed = shell.run(("cd %s && { %s/node_modules/.bin/html-validate --preset standard --formatter json page.html || true; }")
        :format(quote(dir), quote(folder)))
      local rules = {}
      for rule in printed:gmatch('"ruleId":"([^"]*)"') do
        if rules[#rules] ~= rule then rules[#rules + 1] = rule end
      end
      return rules
    end
    local path = session_of({ { role = "user", content = "x" } })
    helper.write(path, helper.read(path) .. '{"role":"<b>\n')
    local page = page_of(evil_session())
    for _, one in ipairs({ page, page_of(path), page_of(session_of({})) }) do assert.same({}, faults(one)) end
    assert.same({ "close-order" }, faults((page:gsub("</main>", "</section>", 1))))
    assert.same({ "no-dup-id" }, faults((page:gsub('id="r3"', 'id="r2"', 1))))
    assert.same({ "element-name" }, faults((page:gsub("<main>", "<main><nonsense></nonsense>", 1))))
  end)
end)

-- ---- in the browser ----

local CHROMIUM = shell.run("command -v chromium || true"):gsub("%s", "")

--- Opens pages (an array of their texts) in the browser, and runs code in each; what it tells of each.
local function browse(pages, code)
  local dir, tasks = helper.tmpdir(), {}
  for index, page in ipairs(pages) do
    tasks[index] = { url = "file://" .. helper.write(("%s/%d.html"):format(dir, index), page), code = code[index] or code }
  end
  helper.write(dir .. "/tasks", aish_history.encode(tasks))
  local said = shell.run(("node spec/command/browser.mjs %s <%s/tasks"):format(quote(CHROMIUM), dir))
  return assert(aish_history.decode(said), said)
end

describe("html: in the browser #build", function()
  helper.guard(before_each, after_each)

  it("nothing of a session runs or loads, not even where it were markup", function()
    if CHROMIUM == "" then return pending("chromium is not installed") end
    local page = page_of(evil_session())
    local bait = '<script>window.ran = 1</script><img src="http://127.0.0.1:9/x" onerror="window.ran = 2">'
    local broken = page:gsub("<main>", "%0" .. bait)
    local open = broken:gsub("<meta http%-equiv[^>]*>", "")
    local results = browse({ page, broken, open }, "({ ran: window.ran ?? 0, elements: [...document.body.querySelectorAll('*')]"
      .. ".map(element => element.localName), text: document.body.textContent })")
    local kept, held, free = results[1], results[2], results[3]
    assert.same({ 0, 0 }, { kept.value.ran, held.value.ran })
    assert(free.value.ran ~= 0, "where nothing holds it, it runs") -- so that this spec would see it
    assert.equal(1, #kept.requests)
    assert.same({}, kept.log)
    for _, name in ipairs(kept.value.elements) do assert(OWN[name], name) end
    assert.truthy(kept.value.text:find("\\u202egpj.exe\\u202c", 1, true))
    assert.is_nil(kept.value.text:find("\226\128\174", 1, true))
  end)

  it("the search shows the turns that hold all words, and what is folded around them; folding works", function()
    if CHROMIUM == "" then return pending("chromium is not installed") end
    local page = page_of(session_of({
      { role = "user", content = "Is there ROOM on the disk?" }, { role = "assistant", content = "Ein Café hat Platz." },
      { role = "tool", content = "/dev/sdb 80% disk" }, { role = "assistant", content = "No.", calls = { { cmd = "df -h" } } } }))
    local result = browse({ page }, [[(() => {
      const box = document.getElementById("search");
      const seen = () => [...document.querySelectorAll("article")].filter(turn => turn.checkVisibility()).map(turn => turn.id);
      const open = () => [...document.querySelectorAll("details")].filter(details => details.open).length;
      const search = text => {
        box.value = text;
        box.dispatchEvent(new Event("input"));
        return [seen().join(" "), open(), document.getElementById("count").value];
      };
      const pre = document.querySelector("details pre"), folded = pre.checkVisibility();
      document.querySelector("summary").click();
      const unfolded = pre.checkVisibility();
      document.querySelector("summary").click();
      document.dispatchEvent(new KeyboardEvent("keydown", { key: "/" }));
      return { all: seen().join(" "), disk: search("disk"), both: search(" DISK room"), cafe: search("cafe"), calls: search("DF"),
        none: search("nothing"), again: search(""), folded, unfolded, focus: document.activeElement.id,
        inside: box.checkVisibility() };
    })()]])[1]
    assert.is_nil(result.error)
    assert.same({ all = "r1 r2 r3 r4", disk = { "r1 r3", 1, "2 of 4" }, both = { "r1", 0, "1 of 4" }, cafe = { "r2", 0, "1 of 4" },
      calls = { "r4", 1, "1 of 4" }, none = { "", 0, "0 of 4" }, again = { "r1 r2 r3 r4", 0, "" }, folded = false, unfolded = true,
      focus = "search", inside = true }, result.value)
    assert.same({}, result.log)
  end)
end)
