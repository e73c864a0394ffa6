--- What `luarocks test` runs: builds the module for the interpreter that runs this, and then the specs.
local done = os.execute("make -s -j$(getconf _NPROCESSORS_ONLN) LUA_VERSION=" .. _VERSION:match("%d.%d") .. " all build/faults/aish_history.so build/schedules/aish_history.so")
if done ~= 0 and done ~= true then os.exit(1) end
dofile("spec/run/busted.lua")
