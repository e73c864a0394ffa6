--- The inputs of spec/fuzz/seeds, each given once to the fuzz target that they belong to, in a build
-- with gcc's sanitizers: see spec/fuzz/README.md.
local lfs = require("lfs")
local helper = require("spec.support.helper")
local shell = require("spec.support.shell")

describe("the fuzz target #build", function()
  helper.guard(before_each, after_each)

  setup(function()
    shell.run(shell.make .. "-s replay")
  end)

  for _, target in ipairs({ "scan", "codec", "memory", "read", "steps" }) do
    it(target .. " finds nothing in its seeds", function()
      local seeds, count = "spec/fuzz/seeds/" .. target, 0
      for name in lfs.dir(helper.root .. "/" .. seeds) do
        if name:sub(1, 1) ~= "." then count = count + 1 end
      end
      assert(count >= 15, count)
      local output = shell.run("find " .. seeds .. " -type f ! -name '.*' -exec build/fuzz/replay/" .. target .. " {} +")
      assert.equal(count .. " inputs", output:match("([^\n]*)\n$"))
    end)
  end
end)
