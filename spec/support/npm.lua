--- What specs need from npm: put into a cache once, and not at all where npm or the network is missing.
local lfs = require("lfs")
local helper = require("spec.support.helper")

local quote = helper.quote

local npm = {}

--- The folder in which a package is installed; nil where npm cannot.
-- package: as npm takes it, with a version
function npm.install(package)
  local cache = (os.getenv("XDG_CACHE_HOME") or (os.getenv("HOME") or "/tmp") .. "/.cache") .. "/aish_history_specs"
  local folder = cache .. "/" .. package:gsub("%W+", "-"):gsub("^-", "")
  if lfs.attributes(folder) then return folder end
  local install = ([[mkdir -p %s && new=$(mktemp -d %s/new.XXXXXX) && cd "$new" && npm install --no-audit --no-fund
    --fetch-retries=0 --fetch-timeout=20000 %s && { mv "$new" %s || rm -rf "$new"; }]]):gsub("\n *", " ")
  os.execute("(" .. install:format(quote(cache), quote(cache), package, quote(folder)) .. ") >/dev/null 2>&1 </dev/null")
  return lfs.attributes(folder) and folder
end

return npm
