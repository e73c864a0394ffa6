--- busted inside Neovim, for :luafile: the files of specs in $SPECS, against the module that .busted names.
-- Neovim ends by a command after it, as os.exit would leave it waiting.
arg = { [0] = "busted", "--output=spec/run/output.lua", unpack(vim.split(vim.env.SPECS, " ")) }
require("busted.runner")({ standalone = false })
