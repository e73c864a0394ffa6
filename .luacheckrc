-- The module's Lua runs under every Lua; the specs run under LuaJIT and Lua 5.1.
std = "min"
max_line_length = 120

-- A case of a table may be as long as it must, on its one line.
files["spec"] = { std = "lua51+busted", max_line_length = false }
files["spec/nvim"] = { std = "luajit", read_globals = { "vim" }, globals = { "arg" } }
files["lua/aish_history/_meta.lua"] = { ignore = { "212", "241" } } -- functions without bodies
files[".luacheckrc"] = { std = "+luacheckrc" }
