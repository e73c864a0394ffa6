--- busted's own output, and a report for spec/run/job in the file that AISH_HISTORY_REPORT names: a
-- line "passed failed skipped", then a line for each spec that failed or was skipped.
return function(options)
  local busted = require("busted")
  local handler = require("busted.outputHandlers." .. options.defaultOutput)(options)

  -- "failed spec/x_spec.lua:12 its name", with ": the reason" after one that was skipped
  local function describe(how, found)
    local trace = how == "skipped" and found.element.trace or found.trace
    local place = trace and trace.short_src and ("%s:%d "):format(trace.short_src, trace.currentline) or ""
    local reason = how == "skipped" and ": " .. tostring(found.message):gsub("^.-:%-?%d+: ", "") or ""
    return ("%s %s%s%s"):format(how, place:gsub("^%./", ""), found.name, reason):gsub("\n", " ")
  end

  busted.subscribe({ "suite", "end" }, function()
    local name = os.getenv("AISH_HISTORY_REPORT")
    if name then
      local file = assert(io.open(name, "w"))
      file:write(("%d %d %d\n"):format(
        handler.successesCount, handler.failuresCount + handler.errorsCount, handler.pendingsCount))
      for _, list in ipairs({ handler.failures, handler.errors }) do
        for _, found in ipairs(list) do file:write(describe("failed", found) .. "\n") end
      end
      for _, found in ipairs(handler.pendings) do file:write(describe("skipped", found) .. "\n") end
      file:close()
    end
    return nil, true
  end)

  return handler
end
