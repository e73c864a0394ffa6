--- busted under the interpreter that runs this file: what luarocks installs as `busted` is a script
-- of sh, which names an interpreter of its own. What its specs start has no library before all others, as
-- this process may have AddressSanitizer's. A Lua for which there is no luaposix has its own beside the module.
package.cpath = (os.getenv("AISH_HISTORY_CPATH") or "build") .. "/?.so;" .. package.cpath
require("posix.stdlib").setenv("LD_PRELOAD")
if _VERSION >= "Lua 5.5" then dofile("spec/run/lua55.lua") end
require("busted.runner")({ standalone = false })
