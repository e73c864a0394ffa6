--- A disk as a power cut may leave it: the names and bytes that have surely reached it, and the
-- operations since then, each of which may have reached it, in whole, in part or not at all.
--
-- Fed with the record of the module's calls (see seam.log). A file is a node {base=, ops=}: its
-- bytes, and what is not sure to have been done to them. A directory is a node {names=, ops=}.
local Disk = {}
Disk.__index = Disk

local page = 4096

local function new_directory()
  return { directory = true, names = {}, ops = {} }
end

--- A disk with `files` (see tree.lua) on it below `root`.
function Disk.new(root, files)
  local disk = setmetatable({ root = root, descriptors = {}, serial = 0, now = new_directory() }, Disk)
  disk.top = disk.now
  for path, bytes in pairs(files) do
    local node = disk.top
    for name in path:gmatch("([^/]+)/") do
      node.names[name] = node.names[name] or new_directory()
      node = node.names[name]
    end
    local name = path:match("[^/]+$")
    if name then node.names[name] = { base = bytes, ops = {} } end
  end
  return disk
end

-- ---- names ----

-- What a directory holds at the moment, all of its operations done.
local function current(directory, name)
  local node = directory.names[name]
  for _, op in ipairs(directory.ops) do
    if op.name == name then node = op.node end
    if op.from == name then node = nil end
  end
  return node
end

-- The directory and the name in it that a path stands for.
function Disk:place(path)
  assert(path:sub(1, #self.root + 1) == self.root .. "/", path)
  local node = self.top
  local names = {}
  for name in path:sub(#self.root + 2):gmatch("[^/]+") do names[#names + 1] = name end
  for index = 1, #names - 1 do node = assert(current(node, names[index]), path) end
  return node, names[#names]
end

function Disk:add(node, op)
  self.serial = self.serial + 1
  op.serial = self.serial
  op.of = node
  node.ops[#node.ops + 1] = op
end

-- ---- the calls ----

local does = {}

-- What stands above the root is there for good.
function does.open(disk, entry)
  if entry.path:sub(1, #disk.root + 1) ~= disk.root .. "/" then
    disk.descriptors[entry.fd] = entry.path == disk.root and disk.top or new_directory()
    return
  end
  local directory, name = disk:place(entry.path)
  if entry.created then disk:add(directory, { kind = "name", name = name, node = { base = "", ops = {} } }) end
  disk.descriptors[entry.fd] = assert(current(directory, name), entry.path)
end

function does.close(disk, entry)
  disk.descriptors[entry.fd] = nil
end

function does.mkdir(disk, entry)
  local directory, name = disk:place(entry.path)
  disk:add(directory, { kind = "name", name = name, node = new_directory() })
end

-- Both paths are in one directory; the new name and the loss of the old one are one operation.
function does.rename(disk, entry)
  local directory, from = disk:place(entry.path)
  local other, to = disk:place(entry.to)
  assert(directory == other)
  disk:add(directory, { kind = "name", name = to, node = current(directory, from), from = from })
end

function does.unlink(disk, entry)
  local directory, name = disk:place(entry.path)
  disk:add(directory, { kind = "name", name = name, node = nil })
end

function does.ftruncate(disk, entry)
  disk:add(disk.descriptors[entry.fd], { kind = "cut", size = entry.size })
end

local apply

-- The kernel writes whole pages: what was lost of the page that a write begins in goes with it.
function does.write(disk, entry)
  local node = disk.descriptors[entry.fd]
  local offset, bytes, lost = entry.offset, entry.bytes, false
  local content = node.base
  for _, op in ipairs(node.ops) do
    lost = lost or op.lost
    content = apply(content, op)
  end
  if lost then
    local start = offset - offset % page
    bytes = content:sub(start + 1, offset) .. bytes
    offset = start
  end
  disk:add(node, { kind = "write", offset = offset, bytes = bytes })
end

-- What has surely happened becomes part of the base: from the first operation on, as long as
-- none comes before it that is not sure.
local function settle(node)
  while node.ops[1] and node.ops[1].sure do
    local op = table.remove(node.ops, 1)
    if node.directory then
      node.names[op.name] = op.node
      if op.from then node.names[op.from] = nil end
    else
      node.base = apply(node.base, op)
    end
  end
end

-- After a sync that failed the pages may be gone, and a later one that does not fail says nothing
-- of them; sizes and names are written again with the next.
local function sync(disk, entry)
  local node = disk.descriptors[entry.fd]
  for _, op in ipairs(node.ops) do
    if not entry.failed and not op.lost then op.sure = true end
    if entry.failed and op.kind == "write" then op.lost = not op.sure end
  end
  settle(node)
  if entry.failed then return end
  -- Bytes behind which the file was cut off are of no matter any more.
  local size
  for index = #node.ops, 1, -1 do
    local op = node.ops[index]
    if op.kind == "cut" and op.sure then size = math.min(size or op.size, op.size) end
    if op.lost and size and op.offset >= size then table.remove(node.ops, index) end
  end
  settle(node)
end

does.fdatasync = sync
does.fsync = sync

function Disk:take(entry)
  does[entry.name](self, entry)
end

-- ---- the states ----

local function padded(bytes, size)
  return #bytes < size and bytes .. ("\0"):rep(size - #bytes) or bytes
end

-- The bytes with an operation done. `piece`: of a write, what of it reached the disk: {cut=} only
-- the bytes before, {zeros=} the size, but only the bytes before, {hole=} all but a block.
function apply(bytes, op, piece)
  if op.kind == "cut" then return padded(bytes, op.size):sub(1, op.size) end
  local written = op.bytes
  if piece and piece.cut then written = written:sub(1, piece.cut) end
  if piece and piece.zeros then written = padded(written:sub(1, piece.zeros), #written) end
  if piece and piece.hole then
    local from, to = piece.hole, math.min(piece.hole + piece.size, #written)
    written = written:sub(1, from) .. ("\0"):rep(to - from) .. written:sub(to + 1)
  end
  if #written == 0 then return bytes end
  bytes = padded(bytes, op.offset)
  return bytes:sub(1, op.offset) .. written .. bytes:sub(op.offset + #written + 1)
end

--- The operations that may be lost, in the order they were made.
function Disk:pending()
  local ops, seen = {}, {}
  local function visit(node)
    if not node or seen[node] then return end
    seen[node] = true
    for _, op in ipairs(node.ops) do
      if not op.sure then ops[#ops + 1] = op end
      if op.node then visit(op.node) end
    end
    for _, child in pairs(node.names or {}) do visit(child) end
  end
  visit(self.top)
  table.sort(ops, function(a, b) return a.serial < b.serial end)
  return ops
end

--- The files, as a table for tree.build, where of the pending operations those were done that
-- `done` holds as keys, one of them perhaps in part: `pieces[op]`.
function Disk:state(done, pieces)
  local files = {}
  local function visit(node, path)
    if not node.directory then
      local bytes = node.base
      for _, op in ipairs(node.ops) do
        if op.sure or done[op] then bytes = apply(bytes, op, pieces and pieces[op]) end
      end
      files[path] = bytes
      return
    end
    if path ~= "" then files[path .. "/"] = true end
    local names = {}
    for name, child in pairs(node.names) do names[name] = child end
    for _, op in ipairs(node.ops) do
      if op.sure or done[op] then
        names[op.name] = op.node
        if op.from then names[op.from] = nil end
      end
    end
    for name, child in pairs(names) do visit(child, path == "" and name or path .. "/" .. name) end
  end
  visit(self.top, "")
  return files
end

return Disk
