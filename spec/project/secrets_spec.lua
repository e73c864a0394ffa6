--- require("aish_history.secrets"): what is a secret, what is none, and what the text around it does.
local generate = require("spec.support.generate")
local helper = require("spec.support.helper")
local native = require("aish_history")
local secrets = require("aish_history.secrets")

-- No key stands here in one piece, so that nobody who looks for keys in sources is alarmed.
local A, B, HEX = ("aB3"):rep(12), ("x1Y_"):rep(9), ("0f9e8d7c"):rep(4)
local BASE64 = ("a1B2"):rep(16)
local function pem(name, newline, last)
  local line = BASE64 .. newline
  return "-----BEGIN " .. name .. "-----" .. newline .. line:rep(3) .. "abc=" .. (last or newline .. "-----END " .. name .. "-----")
end

-- kind, then texts that a secret is in, put between < and >.
local TRUE = {
  { "aws-access-key", "<AKIA" .. "IOSFODNN7EXAMPLE>", "id <ASIA" .. "IOSFODNN7EXAMPLE>," },
  { "aws-secret-key", "aws_secret_access_key = <wJalrXUtnFEMI" .. "/K7MDENG/bPxRfiCYEXAMPLEKEY>",
    '{"SecretAccessKey":"<wJalrXUtnFEMI' .. '/K7MDENG/bPxRfiCYEXAMPLEKEY>"}', "AWS_SECRET_ACCESS_KEY=<" .. A .. "/+" .. ">" },
  { "github-token", "<ghp_" .. A .. ">", "(<gho_" .. A .. ">)", "x=<ghu_" .. A .. ">", "<ghs_" .. A .. ">.", "<ghr_" .. A .. A .. ">",
    "<github_pat_" .. ("A1"):rep(11) .. "_" .. ("b2C"):rep(20) .. ">", "GH_TOKEN=<ghp_" .. A .. ">",
    "git clone https://<ghp_" .. A .. ">@github.com/a/b", "https://x:<ghp_" .. A .. ">@github.com" },
  { "gitlab-token", "<glpat-" .. B .. ">", "<glptt-" .. HEX .. ">.", "<glrt-" .. B .. ".01.0z1a2b3c4> is it" },
  { "slack-token", "<xoxb-" .. "123456789012-abcDEF>", "<xoxp-" .. "1-2-3-" .. HEX .. ">", "<xapp-" .. "1-A0-2-" .. HEX .. ">" },
  { "slack-webhook", "https://hooks.slack.com/<services/T0000AAAA/B0000BBBB/" .. A .. ">" },
  { "google-key", "<AIza" .. ("Sy4_-"):rep(7) .. ">", "?key=<AIza" .. ("Sy4_-"):rep(7) .. ">&x" },
  { "google-token", "<ya29." .. B .. ">" },
  { "google-secret", "<GOCSPX" .. "-" .. ("a1B_"):rep(7) .. ">" },
  { "openai-key", "<sk-" .. ("a1B"):rep(16) .. ">", "<sk-proj-" .. B .. ">", "<sk-svcacct-" .. B .. ">", "<sk-" .. HEX .. ">" },
  { "anthropic-key", "<sk-ant-api03-" .. B .. "-" .. B .. ">" },
  { "stripe-key", "<sk_live_" .. A .. ">", "<rk_test_" .. A .. ">", "<whsec_" .. A .. ">" },
  { "npm-token", "//registry.npmjs.org/:_authToken=<npm_" .. A .. ">" },
  { "pypi-token", "<pypi-AgE" .. "IcHlwaS5vcmc" .. B .. B .. ">" },
  { "huggingface-token", "<hf_" .. ("aB"):rep(17) .. ">" },
  { "jwt", "<eyJhbGciOi" .. "JIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln_nature-x>", "Cut off: <eyJhbGciOi" .. "JIUzI1NiJ9.eyJzdWIiOiIxIn0>",
    "Authorization: Bearer <eyJhbGciOi" .. "JIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln_nature-x>",
    "<eyJhbGciOi" .. "JkaXIifQ..aXY.Y2lwaGVy.dGFn>" },
  { "private-key", "a\n<" .. pem("RSA PRIVATE KEY", "\n") .. ">\nb", '"k": "<' .. pem("PRIVATE KEY", "\\n") .. '>\\n"',
    "<" .. pem("OPENSSH PRIVATE KEY", "\r\n") .. ">", "\\\"<" .. pem("EC PRIVATE KEY", "\\\\n") .. ">\\\"",
    "<-----BEGIN RSA PRIVATE KEY" .. "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,AB\n\n" .. BASE64 .. "\n-----END RSA PRIVATE KEY-----> x",
    "<-----BEGIN PGP PRIVATE KEY BLOCK" .. "-----\nVersion: x\n\n" .. BASE64 .. "\n=abcd\n-----END PGP PRIVATE KEY BLOCK----->",
    "<" .. pem("PRIVATE KEY", "\n", "") .. ">", "<-----BEGIN PRIVATE KEY" .. "-----\n" .. BASE64 .. "\nMIIC>\n",
    "<-----BEGIN PRIVATE KEY" .. "-----\n" .. BASE64 .. ">\n[cut]", "  <" .. pem("PRIVATE KEY", "\n  ") .. ">" },
  { "authorization", "Authorization: Bearer <mF_9.B5f-4.1JqM>", "authorization: Basic <dXNlcjpwYXNz>", "AUTHORIZATION=token <" .. HEX .. ">",
    "curl -H 'Authorization: token <" .. HEX .. ">' x", '{"Authorization": "Bearer <abc12345>"}', '{\\"authorization\\":\\"Bearer <abc12345>\\"}',
    "Proxy-Authorization:Basic <dXNlcjpwYXNzdw==>", "Authorization: <" .. HEX .. ">", "headers['Authorization'] = 'Bearer <abc12345>'" },
  { "password", "postgres://app:<s3cret>@db/x", "redis://:<p@ss!>@h:6379", "https://user:<hunter2>@[::1]/", "amqp://a%40b:<x>@h, then" },
  { "password", "DB_PASSWORD=<Xk9#mQ2$vL7p>", "password: <Xk9#mQ2$vL7p>", "pgpassword='<Xk9,m(Q2)vL7p>'", "--password=<Xk9mQ2vL7p>",
    "'password' => '<Xk9mQ2vL7p>'", "LDAP_PASS=<Xk9mQ2vL7p>", "Password=<Xk9mQ2vL7p>;User=a", "passphrase = \"<Xk9mQ2vL7p>", "dbPwd: <Xk9mQ2vL7p>\r\n" },
  { "token", "?access_token=<" .. HEX .. ">&x=1", "X-Auth-Token: <" .. HEX .. ">", 'token := "<' .. HEX .. '>"', "TOKEN=<" .. HEX .. ">" },
  { "secret", "client_secret=<" .. HEX .. ">", "SECRET_KEY_BASE=<" .. HEX .. ">", "_auth=<" .. HEX .. ">" },
  { "key", 'export API_KEY="<' .. HEX .. '>"', "const apiKey = '<" .. HEX .. ">';", '{\\"api_key\\": \\"<' .. HEX .. '>\\"}', "FOO_KEY=<" .. HEX .. ">",
    "AccountKey=<" .. HEX .. "==>;x", "config[\"secret_key\"] = `<" .. HEX .. ">`", "API_KEY    = <" .. HEX .. ">" },
}

local FALSE = {
  "", "AKIA", "_", "-", "=", ":", "J", "sk-", "hf_", "://", "api_key", "API_KEY=", "Authorization:", "token: ", "KEY-----",
  -- words that go on
  "XAKIA" .. "IOSFODNN7EXAMPLE", "AKIA" .. "IOSFODNN7EXAMPLES", "AKIA" .. "IOSFODNN7EXAMPLEs", "AKIA" .. "iosfodnn7example", "xghp_" .. A,
  "_ghp_" .. A, "ghp_" .. A .. "_x", "ghp_" .. A:sub(2), "ghx_" .. A, "1sk_live_" .. A, "sk_dead_" .. A, "npm_" .. A .. "a", "npm_" .. A:sub(2),
  "aeyJhbGciOi" .. "JIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "eyJhbGciOi" .. "JIUzI1NiJ9IUzI1NiJ9", "shf_" .. A, "AIza" .. ("Sy4_-"):rep(6),
  "ya29." .. "short", "GOCSPX" .. "-short", "pypi-" .. B .. B, "glob-" .. B, "glpat-" .. "short1", "task-" .. ("a1B"):rep(16),
  "sk-learn-a-very-long-name-of-a-package-2024", "sk-short", "xoxb-" .. "your-token-goes-here", "https://hooks.slack.com/services",
  -- no private key
  "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY----- and what follows it, in a sentence.", "-----BEGIN CERTIFICATE-----\n" .. BASE64,
  "-----BEGIN PUBLIC KEY-----\n" .. BASE64 .. "\n-----END PUBLIC KEY-----", "PRIVATE KEY-----\n" .. BASE64,
  -- no credentials
  "Authorization: Bearer <token>", "Authorization: Bearer $TOKEN", "Authorization: Basic authentication", "Authorization: Bearer YOUR_API_TOKEN",
  "authorization is needed: Basic dXNlcjpwYXNz", "Xuthorization: Bearer abc12345", "organization: Bearer abc12345",
  -- no password
  "https://host:8080/a@b", "https://user@host", "https://user:@host", "https://user:$PASS@host", "https://user:${PASS}@host", "https://user:%s@host",
  "https://[::1]:80/x@y", "user:pass@host", "//user:pass@host", "https://host/?q=a:b@c", "https://a b:c@d",
  -- no assignment of a secret
  "PASSWORD=hunter2", "PASSWORD=changeme", "PASSWORD=$PASSWORD_1234", "PASSWORD=${SECRET_1}", "KEY=value", "key=" .. HEX, "MONKEY: " .. HEX,
  "PUBLIC_KEY=" .. HEX, "token = get_token_4711(abc)", "token = tokens_4711[1]", "token == " .. HEX, "token: see section 12.4.5b and so on",
  "password = args.password_4711, 1", "SECRET=/etc/secret-1a2b3c", "secret=~/secret-1a2b3c", "api_key_file=" .. HEX, "PASS: gas/aarch64/crc32",
  "API_KEY=xxxxxxxxxxxx1111", "password=correcthorsebatterystaple", "password=314159265358", "token=https://example.org/a1b2", "Token=::1a:2b:3c:4d",
  "token: " .. HEX .. " is it", "PWD=/home/user1234", "the password:\n" .. HEX, "tokens=" .. HEX,
}

-- A text with < and > around its secret, without them; where the secret is, and the text without it.
local function unmark(marked, kind)
  local before, secret, after = marked:match("^([^<]*)<([^>]*)>(.*)$")
  return before .. secret .. after, #before + 1, #before + #secret, before .. "[redacted:" .. kind .. "]" .. after
end

local function each(check)
  for _, row in ipairs(TRUE) do
    for index = 2, #row do check(row[1], row[index]) end
  end
end

describe("secrets", function()
  helper.guard(before_each, after_each)

  it("are found by their shapes, and only they are replaced", function()
    each(function(kind, marked)
      local text, first, last, redacted = unmark(marked, kind)
      assert.same({ { first = first, last = last, kind = kind } }, secrets.find(text))
      assert.same({ redacted, 1 }, { secrets.redact(text) })
    end)
  end)

  it("are found after every telling name", function()
    for name in ("password passwd passphrase login_pass pgpwd token secret credential credentials npm_auth secret_key_base " ..
      "api_key apikey access_key secret_key private_key auth_key encryption_key signing_key master_key account_key shared_key " ..
      "app_key license_key"):gmatch("%S+") do
      for _, written in ipairs({ name, name:upper(), (name:gsub("_", "-")), (name:gsub("_key$", "key")) }) do
        for _, separator in ipairs({ "=", ":", " = ", "    = ", "\"]: " }) do
          local text = "==:: a=b:" .. written .. separator
          assert.same({ first = #text + 1, last = #text + #HEX }, { first = (secrets.find(text .. HEX)[1] or {}).first,
            last = (secrets.find(text .. HEX)[1] or {}).last }, text)
        end
      end
    end
    for _, name in ipairs({ "apiKey", "AccessKey", "dbPwd", "loginPass" }) do assert.equal(1, #secrets.find(name .. "=" .. HEX), name) end
  end)

  it("are not seen in what only looks like them", function()
    for _, text in ipairs(FALSE) do
      assert.same({ text, 0 }, { secrets.redact(text) })
      assert.same({}, secrets.find(text))
    end
  end)

  it("are found between other bytes, whichever these are", function()
    for _, around in ipairs({ { "", "" }, { " ", " " }, { "\n", "\n" }, { "'", "'" }, { "\0", "\0" }, { "\255\254", "\128" }, { "é", "é" },
      { "\\n", "\\n" }, { "%3D", "%26" }, { "\\u003d", "\\u0026" }, { "\27[1;31m", "\27[0m" }, { "x-", "" }, { "a ghp_ b ", " eyJ c" } }) do
      each(function(kind, marked)
        local text, first, last = unmark(marked, kind)
        if first > 1 or last < #text or kind == "private-key" then return end
        assert.same({ around[1] .. "[redacted:" .. kind .. "]" .. around[2], 1 }, { secrets.redact(around[1] .. text .. around[2]) })
      end)
    end
  end)

  it("are all found, in the order of the text", function()
    local texts, redacted, kinds = {}, {}, {}
    each(function(kind, marked)
      if marked:find("MIIC>", 1, true) then return end -- is one at the end of the text only
      local _
      texts[#texts + 1], _, _, redacted[#redacted + 1] = unmark(marked, kind)
      kinds[#kinds + 1] = kind
    end)
    local text = table.concat(texts, "\n\n.\n\n")
    assert.same({ table.concat(redacted, "\n\n.\n\n"), #kinds }, { secrets.redact(text) })
    for index, one in ipairs(secrets.find(text)) do assert.equal(kinds[index], one.kind) end
  end)

  it("that overlap are one", function()
    assert.equal('PASSWORD="[redacted:password]"', (secrets.redact('PASSWORD="Xk9!-ghp_' .. A .. '-rest1"')))
    local text = pem("PRIVATE KEY", "\n"):gsub("abc=", "+AKIA" .. "IOSFODNN7EXAMPLE+")
    assert.same({ { first = 1, last = #text, kind = "private-key" } }, secrets.find(text))
    assert.same({ "https://u:[redacted:password]@h", 1 }, { secrets.redact("https://u:x-ghp_" .. A .. "@h") })
    assert.same({ "[redacted:slack-token]\n", 1 }, { secrets.redact("xoxb-" .. "1234-abcdef-" .. pem("PRIVATE KEY", "\n") .. "\n") })
  end)

  it("of an earlier redaction are none, and hide nothing after them", function()
    local text = "API_KEY=[redacted:key] https://u:[redacted:password]@h [redacted:authorization]: Bearer abc12345 [redacted:token]=" .. HEX
    assert.same({ text, 0 }, { secrets.redact(text) })
    assert.equal("[redacted:jwt][redacted:github-token]", (secrets.redact("[redacted:jwt]ghp_" .. A)))
  end)

  it("never reach a file whose strings go through redact", function()
    local path = helper.tmpdir() .. "/s.jsonl"
    local turn = { role = "user", content = "it is ghp_" .. A, calls = { { env = "DB_PASSWORD=Xk9#mQ2$vL7p" } } }
    assert(native.append(path, turn, { redact = secrets.redact }))
    assert.same({ role = "user", content = "it is [redacted:github-token]", calls = { { env = "DB_PASSWORD=[redacted:password]" } } },
      native.load(path)[1])
  end)

  it("raise for what is no text", function()
    for _, value in ipairs({ 1, {}, true, print }) do
      assert.error_matches(function() secrets.redact(value) end, "'redact' %(text must be a string, got " .. type(value))
      assert.error_matches(function() secrets.find(value) end, "'find' %(text must be a string, got " .. type(value))
    end
    assert.error_matches(function() secrets.redact() end, "text must be a string, got nil")
  end)
end)

-- ---- any text ----

-- Pieces that rules begin with, go on with and end with.
local PIECES = { "AKIA", "ghp_", "github_pat_", "glpat-", "xoxb-", "AIza", "ya29.", "GOCSPX-", "sk-", "sk-ant-", "sk_live_", "whsec_", "npm_",
  "pypi-AgE", "hf_", "eyJ", "eyJa.eyJ", "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "KEY-----", "-----BEGIN ", "Proc-Type: 1",
  "Comment: ", "://", "://a:", "http://a:b", "@", "authorization: ", "Authorization: Bearer ", "authorization", "AUTHORIZATION=", "API_KEY=",
  "password=", "token: ", "_key=\"", "_token='", "=", ":", "\"", "'", "\\", "\\\"", "\\n", " ", "\t", "\n", "a", "1", "A1b", "-", "_", ".",
  "%3D", "\27[0m", "$", "(", "[", "]", "[redacted:x]", "/", "\0", "\255", HEX, BASE64, A }

-- A text of up to `most` pieces, and of whole secrets.
local function mixed(source, most)
  local parts = {}
  for index = 1, 1 + source:below(most) do
    local row = source:pick(TRUE)
    parts[index] = source:below(3) > 0 and source:pick(PIECES) or unmark(row[2 + source:below(#row - 1)], row[1])
  end
  return table.concat(parts)
end

describe("secrets in any text", function()
  helper.guard(before_each, after_each)

  it("are gone after one redaction, and all else is there", function()
    local source = generate.new(14)
    for _ = 1, 20000 do
      local text = mixed(source, 8)
      local redacted, count = secrets.redact(text)
      local found, at, parts = secrets.find(text), 1, {}
      for index, one in ipairs(found) do
        assert(one.first >= at and one.last >= one.first and one.last <= #text)
        parts[2 * index - 1], parts[2 * index] = text:sub(at, one.first - 1), "[redacted:" .. one.kind .. "]"
        at = one.last + 1
      end
      parts[#parts + 1] = text:sub(at)
      assert.equal(#found, count)
      assert.equal(table.concat(parts), redacted)
      assert.same({ redacted, 0 }, { secrets.redact(redacted) }, ("%q"):format(text))
    end
  end)

  -- What was quadratic would take hours.
  it("take time in line with its length, whatever it repeats", function()
    local source = generate.new(41)
    local units = {}
    for index, piece in ipairs(PIECES) do units[index] = piece end
    for _ = 1, 20 do units[#units + 1] = mixed(source, 3) end
    for _, unit in ipairs({ "_key=_key", "key=\"key=", "sk-sk_", "eyJ-eyJ.", "-----BEGIN PRIVATE KEY-----Comment: ", "://a:@",
      "-----BEGIN PRIVATE KEY-----\nComment: \n", "authorization:authorization=", "_key=$", "_key=\\", "token = a1", "xoxb-xoxb" }) do
      units[#units + 1] = unit
    end
    for _, unit in ipairs(units) do
      local text = unit:rep(math.floor(2 ^ 20 / #unit))
      local redacted = secrets.redact(text)
      assert(redacted == text or redacted:find("[redacted:", 1, true))
    end
  end)
end)
