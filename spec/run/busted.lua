--- busted under the interpreter that runs this file: what luarocks installs as `busted` is a script
-- of sh, which names an interpreter of its own. What its specs start has no library before all others, as
-- this process may have AddressSanitizer's.
require("posix.stdlib").setenv("LD_PRELOAD")
require("busted.runner")({ standalone = false })
