--- An ordinary user, for what root may do and others may not.
local unistd = require("posix.unistd")
local children = require("spec.support.children")
local helper = require("spec.support.helper")

local user = {}

local ID = 41111 -- of nobody in particular, and of a group of that number

local function become()
  assert(unistd.setpid("g", ID))
  assert(unistd.setpid("u", ID))
end

--- Runs `fn` in a process of an ordinary user, to whom `dir` and all in it belongs; raises what it
-- raised. Whoever is no root is ordinary enough.
function user.run(dir, fn)
  local root = unistd.geteuid() == 0
  if root then assert(os.execute(("chown -R %d:%d %s"):format(ID, ID, helper.quote(dir)))) end
  children.run(function()
    if root then become() end
    fn()
  end)
end

return user
