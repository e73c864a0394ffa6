--- Directories of files as tables, {["a/b.jsonl"] = bytes, ["a/"] = true}, and back.
local lfs = require("lfs")

local tree = {}

function tree.read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local bytes = file:read("*a")
  file:close()
  return bytes
end

function tree.write(path, bytes)
  local file = assert(io.open(path, "wb"))
  assert(file:write(bytes))
  assert(file:close())
end

--- Removes what is in a directory.
function tree.empty(directory)
  for name in lfs.dir(directory) do
    if name ~= "." and name ~= ".." then
      local path = directory .. "/" .. name
      if lfs.symlinkattributes(path, "mode") == "directory" then
        tree.empty(path)
        assert(lfs.rmdir(path))
      else
        assert(os.remove(path))
      end
    end
  end
end

--- Makes the files of `files` below `directory`, their directories first, and symbolic links.
function tree.build(directory, files, links)
  local made = {}
  local function make(path)
    local parent = path:match("^(.*)/[^/]*$")
    if not parent or made[parent] then return end
    make(parent)
    made[parent] = true
    assert(lfs.mkdir(directory .. "/" .. parent))
  end
  for path, bytes in pairs(files) do
    make(path)
    if bytes ~= true then tree.write(directory .. "/" .. path, bytes) end
  end
  for path, target in pairs(links or {}) do assert(lfs.link(target, directory .. "/" .. path, true)) end
end

return tree
