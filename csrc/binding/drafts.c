/* drafts.c: kind, content, tags and source are checked; further members are any that JSON holds, but
 * for those that have a meaning of their own in a memory file. */
#include "binding/drafts.h"

#include <string.h>

#include "binding/args.h"
#include "binding/encode.h"
#include "binding/redact.h"
#include "memory/change.h"
#include "json/quote.h"

struct drafting {
  lua_State *L;
  struct scratch *scratch;
  const char *who;
  bool changes; /* not an item, but the changes of one */
  struct draft draft;
};

static const char *const FIELD_NAMES[FIELDS] = {"kind", "content", "tags", "source"};

/* The text of the value on top of the stack. */
static const char *text_of_top(lua_State *L)
{
  lua_getglobal(L, "tostring");
  lua_insert(L, -2);
  lua_call(L, 1, 1);
  return lua_tostring(L, -1);
}

/* ---- members ---- */

/* A string that is not redacted needs no encoder. */
static bool quote_value(struct drafting *drafting, int value)
{
  size_t length;
  if (drafting->scratch->redact != 0 || lua_type(drafting->L, value) != LUA_TSTRING) return false;
  const char *text = lua_tolstring(drafting->L, value, &length);
  if (!quote_text(&drafting->scratch->text, text, length)) raise_no_memory(drafting->L);
  return true;
}

static void put_member(struct drafting *drafting, const char *name, size_t length, int value)
{
  lua_State *L = drafting->L;
  struct buf *body = &drafting->scratch->text;
  if (!buf_reserve(body, length + QUOTE_SPARE + 2)) raise_no_memory(L);
  buf_put(body, ',');
  if (!quote_reserved(body, name, length)) raise_no_memory(L);
  buf_put(body, ':');
  if (!quote_value(drafting, value) && !encode(L, value, drafting->scratch, name, 1, false))
    raise_plain(L, "%s: %s", drafting->who, lua_tostring(L, -1));
  drafting->draft.members++;
}

/* What is not mentioned stays as it is. */
static bool is_unchanged(const struct drafting *drafting, int index)
{
  return drafting->changes && lua_isnil(drafting->L, index);
}

static void take_kind(struct drafting *drafting, int index)
{
  lua_State *L = drafting->L;
  if (is_unchanged(drafting, index)) return;
  size_t length = 0;
  const char *name = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &length) : "";
  drafting->draft.kind = record_kind(name, length);
  if (record_kind_is_item(drafting->draft.kind)) return;
  lua_pushvalue(L, index);
  raise_plain(L, "%s: kind must be %s (got %s)", drafting->who, record_kind_names(),
              text_of_top(L));
}

static void check_type(struct drafting *drafting, int field, int index, int type)
{
  lua_State *L = drafting->L;
  if (lua_type(L, index) != type)
    raise_plain(L, "%s: %s must be a %s, got %s", drafting->who, FIELD_NAMES[field],
                lua_typename(L, type), luaL_typename(L, index));
}

static void put_field(struct drafting *drafting, int field, int index)
{
  put_member(drafting, FIELD_NAMES[field], strlen(FIELD_NAMES[field]), index);
}

static void take_content(struct drafting *drafting, int index)
{
  lua_State *L = drafting->L;
  const struct buf *text = &drafting->scratch->text;
  if (is_unchanged(drafting, index)) return;
  if (lua_toboolean(L, index)) check_type(drafting, FIELD_CONTENT, index, LUA_TSTRING);
  size_t empty = text->length + strlen(",\"content\":\"\"");
  if (lua_toboolean(L, index)) put_field(drafting, FIELD_CONTENT, index);
  if (!lua_toboolean(L, index) || text->length == empty)
    raise_plain(L, "%s: content required", drafting->who);
}

/* A field that need not be there. */
static void take_optional(struct drafting *drafting, int field, int index, int type)
{
  lua_State *L = drafting->L;
  if (drafting->changes ? lua_isnil(L, index) : !lua_toboolean(L, index)) return;
  if (!drafting->changes || !is_null(L, index)) check_type(drafting, field, index, type);
  put_field(drafting, field, index);
}

static bool is_one_of(const char *name, size_t length, const char *const *names, size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (is_name(name, length, names[i])) return true;
  return false;
}

/* Takes up the member whose name and value are on top of the stack, unless it is a field. */
static void take_further(struct drafting *drafting)
{
  static const char *const ours[] = {"id",  "uid",      "ts",           "target", "of",
                                     "rev", "replaces", "replaces_uid", "meta",   "score"};
  lua_State *L = drafting->L;
  size_t length;
  if (lua_type(L, -2) != LUA_TSTRING)
    raise_plain(L, "%s: the name of a member must be a string, got %s", drafting->who,
                luaL_typename(L, -2));
  const char *name = lua_tolstring(L, -2, &length);
  if (is_one_of(name, length, FIELD_NAMES, FIELDS)) return;
  if (is_one_of(name, length, ours, sizeof ours / sizeof *ours))
    raise_plain(L, "%s: no member may be named \"%s\"", drafting->who, name);
  put_member(drafting, name, length, lua_gettop(L));
}

/* ---- drafts ---- */

static void begin_draft(struct drafting *drafting)
{
  drafting->draft.members = 4;
  drafting->draft.start = drafting->scratch->text.length;
}

static void take_fields(struct drafting *drafting, int base)
{
  take_kind(drafting, base + FIELD_KIND);
  take_content(drafting, base + FIELD_CONTENT);
  take_optional(drafting, FIELD_TAGS, base + FIELD_TAGS, LUA_TTABLE);
  take_optional(drafting, FIELD_SOURCE, base + FIELD_SOURCE, LUA_TSTRING);
}

static void end_draft(struct drafting *drafting)
{
  struct buf *text = &drafting->scratch->text;
  bool done = buf_add(text, "}\n", 2) && buf_reserve(text, SPAN_PADDING);
  if (done) memset(text->data + text->length, 0, SPAN_PADDING);
  drafting->draft.length = text->length - drafting->draft.start;
  if (!done || !BUF_PUSH(&drafting->scratch->drafts, &drafting->draft))
    raise_no_memory(drafting->L);
}

void draft_fields(lua_State *L, struct scratch *scratch, int base, const char *who)
{
  struct drafting drafting = {.L = L, .scratch = scratch, .who = who};
  begin_draft(&drafting);
  take_fields(&drafting, base);
  end_draft(&drafting);
}

static void take_table(struct drafting *drafting, int table)
{
  lua_State *L = drafting->L;
  int top = lua_gettop(L);
  lua_pushvalue(L, table);
  if (drafting->scratch->redact != 0) copy_table(L, top + 1);
  table = top + 1;
  begin_draft(drafting);
  for (int i = 0; i < FIELDS; i++) {
    lua_pushstring(L, FIELD_NAMES[i]);
    lua_rawget(L, table);
  }
  take_fields(drafting, table + 1);
  for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) take_further(drafting);
  end_draft(drafting);
  lua_settop(L, top);
}

void draft_table(lua_State *L, struct scratch *scratch, int table, const char *who)
{
  struct drafting drafting = {.L = L, .scratch = scratch, .who = who};
  if (!lua_istable(L, table))
    raise_plain(L, "%s must be a table, got %s", who, luaL_typename(L, table));
  take_table(&drafting, table);
}

void draft_changes(lua_State *L, struct scratch *scratch, int table, const char *who)
{
  struct drafting drafting = {.L = L, .scratch = scratch, .who = who, .changes = true};
  luaL_checktype(L, table, LUA_TTABLE);
  take_table(&drafting, table);
}
