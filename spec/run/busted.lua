--- busted under the interpreter that runs this file: what luarocks installs as `busted` is a script
-- of sh, which names an interpreter of its own.
require("busted.runner")({ standalone = false })
