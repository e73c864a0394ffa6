---@meta aish_history
error("aish_history._meta is for editors, which read it: require(\"aish_history\") loads the module")

-- What lua-language-server knows of the native module. The full documentation of each function is above
-- it in csrc/binding; README.md has them all in tables. A failure of the environment is nil (or false), a
-- message and an errno; mistakes of the caller raise.

---Crash-safe session logs and memories as files of JSON lines.
---@class aish_history
---@field null lightuserdata JSON's null, the same value as `cjson.null`
---@field LOCK_SH 1 a shared lock
---@field LOCK_EX 2 an exclusive lock
---@field LOCK_NB 4 fail where another has the lock
---@field LOCK_UN 8 give the lock back
---@field _VERSION string
local aish_history = {}

---@alias aish_history.Kind "fact"|"pref"|"context"
---@alias aish_history.Sync "full"|"none" acknowledged is on the disk, or in the kernel
---@alias aish_history.Time string|number as text, or seconds since 1970
---@alias aish_history.Redact fun(text: string): string, ... what all strings go through before they are written
---@alias aish_history.Value string|number|boolean|table|lightuserdata|nil

-- ---- memories ----

---What is added: further members have any value that JSON holds.
---@class aish_history.Draft
---@field kind aish_history.Kind
---@field content string not empty
---@field tags? table
---@field source? string
---@field [string] any

---What an update changes; `null` takes a member away.
---@class aish_history.Changes
---@field kind? aish_history.Kind
---@field content? string
---@field tags? table|lightuserdata
---@field source? string|lightuserdata
---@field [string] any

---@class aish_history.Item: aish_history.Draft
---@field id integer
---@field uid? string
---@field ts? string
---@field replaces? integer the id of the item that it took the place of
---@field replaces_uid? string
---@field rev? integer how often text was erased from it
---@field score? number of a search or a recall

---@class aish_history.Filter
---@field kind? aish_history.Kind|aish_history.Kind[]
---@field tag? string
---@field source? string
---@field where? table<string, string|number|boolean> members, and what they equal
---@field since? aish_history.Time inclusive
---@field before? aish_history.Time exclusive
---@field limit? integer at most so many; of searches 20

---@class aish_history.ItemSearchOptions: aish_history.Filter
---@field exact? boolean the query is one literal text, not words

---@class aish_history.ItemRecallOptions: aish_history.Filter
---@field budget? number the most bytes of content that all results together have
---@field cost? fun(item: aish_history.Item): number takes the place of the bytes
---@field half_life? number days in which a score halves

---@class aish_history.OpenOptions
---@field sync? aish_history.Sync "full" by default
---@field wait? number seconds to wait for the lock: 0, shared 5
---@field shared? boolean the lock is held for each write only
---@field unique? boolean what an active item has as kind and content is not added again
---@field redact? aish_history.Redact

---@class aish_history.CompactionOptions
---@field dry_run? boolean change nothing
---@field tombstones? boolean keep tombstones; true by default

---@class aish_history.FileCompactionOptions: aish_history.CompactionOptions
---@field wait? number seconds to wait for the lock; 5 by default

---@class aish_history.Compaction
---@field before integer bytes
---@field after integer bytes
---@field kept integer active items
---@field dropped integer items and tombstones
---@field damaged integer lines

---@class aish_history.ErasureOptions
---@field replacement? string "[erased]" by default; only for a string
---@field dry_run? boolean change nothing
---@field wait? number seconds to wait for the lock of each file; 5 by default

---@class aish_history.Erasure
---@field files integer
---@field records integer
---@field occurrences integer
---@field left integer records that still hold it in keys or numbers
---@field failed table<string, string> path to message

---@class aish_history.Memory: userdata
---@field path string
---@field fd integer? nil where it is closed
---@field next_id integer
---@field closed boolean
---@operator len: integer
local memory = {}

---Appends an item. Returns its id; of a unique memory that of the item that is there already, and true.
---@param kind aish_history.Kind
---@param content string not empty
---@param tags? table
---@param source? string
---@return integer? id
---@return true|string? present or a message
---@return integer? errno
---@overload fun(self: aish_history.Memory, item: aish_history.Draft): integer?, true|string?, integer?
function memory:add(kind, content, tags, source) end

---Appends items in one write and one sync, all of them or none.
---@param items aish_history.Draft[]
---@return integer[]? ids
---@return string? message
---@return integer? errno
function memory:add_many(items) end

---Puts a new item in the place of an active one, in one write.
---@param item integer|aish_history.Item its id, or one that a call has returned
---@param changes aish_history.Changes
---@return integer|false|nil id of the new item; false where no such item is active
---@return string? message
---@return integer? errno
function memory:update(item, changes) end

---Retires an active item: of several that share the id, the newest.
---@param item integer|aish_history.Item its id, or one that a call has returned
---@return boolean done
---@return integer|string? left how many active items still share the id; or a message
---@return integer? errno
function memory:forget(item) end

---The active item of that id.
---@param id integer
---@return aish_history.Item? item
---@return string? message
---@return integer? errno
function memory:get(id) end

---The active items, newest first.
---@param filter? aish_history.Filter
---@return aish_history.Item[]? items
---@return string? message
---@return integer? errno
function memory:items(filter) end

---The active items that hold every word, the most relevant first.
---@param query string
---@param opts? aish_history.ItemSearchOptions
---@return aish_history.Item[]? items
---@return string? message
---@return integer? errno
function memory:search(query, opts) end

---The active items that bear on a text, such as a prompt, best first.
---@param text string
---@param opts? aish_history.ItemRecallOptions
---@return aish_history.Item[]? items
---@return string? message
---@return integer? errno
function memory:recall(text, opts) end

---Takes text out of the file for good.
---@param what string|aish_history.Redact
---@param opts? aish_history.ErasureOptions
---@return aish_history.Erasure? report
---@return string? message
---@return integer? errno
---@return aish_history.Erasure? partial where a file failed
function memory:erase(what, opts) end

---Everything added so far reaches the disk.
---@return true? done
---@return string? message
---@return integer? errno
function memory:sync() end

---Rewrites the file without what was forgotten.
---@param opts? aish_history.CompactionOptions
---@return aish_history.Compaction? result
---@return string? message
---@return integer? errno
function memory:compact(opts) end

---Closes the handle, and with it the lock; twice is fine.
---@return true? done
---@return string? message
---@return integer? errno
function memory:close() end

---Opens a memory file, or makes it, and takes its lock.
---@param path string
---@param opts? aish_history.OpenOptions
---@return aish_history.Memory? memory
---@return string? message
---@return integer? errno
---@return integer? process that holds the lock
function aish_history.open(path, opts) end

---The active items of a memory file, newest first; none where there is no such file.
---@param path string
---@param filter? aish_history.Filter
---@return aish_history.Item[]? items
---@return string? message
---@return integer? errno
function aish_history.load_memory(path, filter) end

-- ---- sessions ----

---A record of a session: any table that is a JSON object.
---@class aish_history.Turn
---@field role? string
---@field content? any
---@field ts? string
---@field [string] any

---@class aish_history.AppendOptions
---@field sync? aish_history.Sync "none" by default
---@field wait? number seconds to wait for the lock: 5, exclusive 0
---@field redact? aish_history.Redact

---@class aish_history.SessionOptions: aish_history.AppendOptions
---@field exclusive? boolean the lock is held for the handle's life
---@field new? boolean fail where the file has a record

---@class aish_history.Session: userdata
---@field path string
---@field fd integer? nil where it is closed
---@field closed boolean
local session = {}

---Appends a turn, in one write.
---@param turn aish_history.Turn
---@return boolean done
---@return string? message
---@return integer? errno
function session:append(turn) end

---Takes text out of the file for good.
---@param what string|aish_history.Redact
---@param opts? aish_history.ErasureOptions
---@return aish_history.Erasure|false|nil report
---@return string? message
---@return integer? errno
---@return aish_history.Erasure? partial where a file failed
function session:erase(what, opts) end

---Everything appended so far reaches the disk.
---@return boolean done
---@return string? message
---@return integer? errno
function session:sync() end

---Closes the handle; twice is fine.
---@return true? done
---@return string? message
---@return integer? errno
function session:close() end

---Opens a session's file, or makes it.
---@param path string
---@param meta? table the first line of a new file
---@param opts? aish_history.SessionOptions
---@return aish_history.Session? session
---@return string? message
---@return integer? errno
---@return integer? process that holds the lock
function aish_history.session(path, meta, opts) end

---@class aish_history.LoadOptions
---@field last? integer only the last so many
---@field all? boolean also records that are no turns

---The turns of a session's file, its meta, and how many damaged lines were met.
---@param path string
---@param opts? aish_history.LoadOptions
---@return aish_history.Turn[]? turns
---@return table|string|nil meta or a message
---@return integer? damaged or an errno
function aish_history.load(path, opts) end

---The sorted names of the session files of a directory.
---@param dir string
---@return string[]? names
---@return string? message
---@return integer? errno
function aish_history.list(dir) end

---@class aish_history.SessionsOptions
---@field limit? integer
---@field before? string only names that sort before this one
---@field count? boolean false: read only head and tail of each file
---@field empty? boolean false: leave out those without a turn

---@class aish_history.SessionSummary
---@field name string
---@field path string
---@field bytes integer
---@field mtime number seconds since 1970
---@field turns? integer where they are counted
---@field meta? table
---@field first? string the first user turn's text
---@field last_ts? string
---@field error? string where the file cannot be read
---@field errno? integer

---The sessions of a directory, newest first.
---@param dir string
---@param opts? aish_history.SessionsOptions
---@return aish_history.SessionSummary[]? sessions
---@return string? message
---@return integer? errno
function aish_history.sessions(dir, opts) end

---@class aish_history.TurnFilter
---@field role? string whose turns
---@field since? aish_history.Time inclusive
---@field before? aish_history.Time exclusive
---@field limit? integer at most so many; 20 by default

---@class aish_history.SearchOptions: aish_history.TurnFilter
---@field exact? boolean the query is one literal text, not words

---@class aish_history.RecallOptions: aish_history.TurnFilter
---@field budget? number the most bytes of text that all results together have
---@field cost? fun(hit: aish_history.Hit): number takes the place of the bytes
---@field half_life? number days in which a score halves

---@class aish_history.Hit
---@field path string
---@field line integer
---@field ts? string
---@field role? string
---@field text string around the word that matches
---@field record aish_history.Turn
---@field score? number of a recall

---What was said, of a session or a directory of them, that holds every word; newest first.
---@param path string
---@param query string
---@param opts? aish_history.SearchOptions
---@return aish_history.Hit[]? hits
---@return table<string, string>|string|nil unread path to message; or a message
---@return integer? errno
function aish_history.search(path, query, opts) end

---What was said, in a session or a directory of them, that bears on a text; best first.
---@param path string
---@param text string
---@param opts? aish_history.RecallOptions
---@return aish_history.Hit[]? hits
---@return table<string, string>|string|nil unread path to message; or a message
---@return integer? errno
function aish_history.recall(path, text, opts) end

-- ---- any file of JSON lines ----

---Appends one record under the file's lock.
---@param path string
---@param value table
---@param opts? aish_history.AppendOptions
---@return true? done
---@return string? message
---@return integer? errno
---@return integer? process that holds the lock
function aish_history.append(path, value, opts) end

---@class aish_history.ScanOptions
---@field malformed? boolean also damaged lines: number, nil, offset, reason
---@field from? integer the offset of a line's start

---Gives the line's number, the record, its offset, and the reason where it is damaged.
---@class aish_history.Iterator: userdata
---@overload fun(...): integer?, table?, integer?, string?
local iterator = {}

---Closes the file; there is no more then.
function iterator:close() end

---The records of a file, in constant memory.
---@param path string
---@param opts? aish_history.ScanOptions
---@return aish_history.Iterator? iterator
---@return string? message
---@return integer? errno
function aish_history.scan(path, opts) end

---As scan; at the end of the file it gives nil, and asked again what was added since.
---@param path string
---@param opts? aish_history.ScanOptions
---@return aish_history.Iterator? iterator
---@return string? message
---@return integer? errno
function aish_history.follow(path, opts) end

---@class aish_history.Problem
---@field line integer
---@field offset integer
---@field reason string

---@class aish_history.Report
---@field bytes integer
---@field lines integer
---@field records integer
---@field saved integer records on damaged lines
---@field items integer
---@field active integer
---@field twins integer items that share their id
---@field tombstones integer
---@field max_id integer
---@field torn integer lines that are the beginning of an object
---@field damaged integer other lines
---@field problems aish_history.Problem[] the first 1,000

---Judges every line of a memory file.
---@param path string
---@return aish_history.Report? report
---@return string? message
---@return integer? errno
function aish_history.verify(path) end

---Rewrites a memory file without what was forgotten.
---@param path string
---@param opts? aish_history.FileCompactionOptions
---@return aish_history.Compaction? result
---@return string? message
---@return integer? errno
---@return integer? process that holds the lock
function aish_history.compact(path, opts) end

---Takes text out of a memory, a session or a directory of sessions for good.
---@param path string
---@param what string|aish_history.Redact
---@param opts? aish_history.ErasureOptions
---@return aish_history.Erasure? report
---@return string? message
---@return integer? errno
---@return aish_history.Erasure? partial where a file failed
function aish_history.erase(path, what, opts) end

---The JSON text of a value.
---@param value aish_history.Value
---@return string? text
---@return string? message
function aish_history.encode(value) end

---The value of a JSON text.
---@param text string
---@return any value
---@return string? message
function aish_history.decode(text) end

---Text as a terminal may show it, on one line.
---@param text string
---@param width? integer columns at which it is cut
---@return string shown
---@return integer columns
function aish_history.display(text, width) end

---Calls flock(2) on a descriptor, a Lua file or a handle.
---@param file integer|file*|aish_history.Memory|aish_history.Session
---@param op integer a sum of LOCK_SH, LOCK_EX, LOCK_NB and LOCK_UN
---@return boolean done
---@return string? message
---@return integer? errno
function aish_history.flock(file, op) end

return aish_history
