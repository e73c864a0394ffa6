/* drafts.c: kind, content, tags and source are checked; further members are any that JSON holds, but
 * for those that have a meaning of their own in a memory file. */
#include "binding/drafts.h"

#include <stdarg.h>

#include "binding/args.h"
#include "binding/redact.h"
#include "json/quote.h"
#include "base/hidden.h"

struct drafting {
  lua_State *L;
  struct scratch *scratch;
  const char *who;
  bool changes; /* not an item, but the changes of one */
  struct draft *draft;
};

/* A field's name, and how it is written. */
struct field {
  const char *name;
  char written[16];
  size_t length;
};

static const struct field FIELD_OF[FIELDS] = {[FIELD_KIND] = {"kind", ",\"kind\":", 8},
                                              [FIELD_CONTENT] = {"content", ",\"content\":", 11},
                                              [FIELD_TAGS] = {"tags", ",\"tags\":", 8},
                                              [FIELD_SOURCE] = {"source", ",\"source\":", 10}};

/* Raises the message, after `who`. */
static int refuse_draft(struct drafting *drafting, const char *form, ...)
{
  lua_State *L = drafting->L;
  va_list arguments;
  va_start(arguments, form);
  release_scratch(drafting->scratch);
  lua_pushfstring(L, "%s: ", drafting->who);
  lua_pushvfstring(L, form, arguments);
  va_end(arguments);
  lua_concat(L, 2);
  return lua_error(L);
}

/* The text of the value on top of the stack. */
static const char *text_of_top(lua_State *L)
{
  lua_getglobal(L, "tostring");
  lua_insert(L, -2);
  lua_call(L, 1, 1);
  return lua_tostring(L, -1);
}

/* ---- members ---- */

/* Puts the value of a member whose name is put. A string that is not redacted needs no encoder. */
static void put_member_value(struct drafting *drafting, const char *name, int value, int type)
{
  lua_State *L = drafting->L;
  struct scratch *scratch = drafting->scratch;
  drafting->draft->members++;
  if (type == LUA_TSTRING && scratch->redact == 0) {
    size_t length;
    const char *text = lua_tolstring(L, value, &length);
    if (!quote_text(&scratch->text, text, length)) raise_no_memory(L);
  } else if (!encode(L, value, scratch, name, 1, false)) {
    refuse_draft(drafting, "%s", lua_tostring(L, -1));
  }
}

static void put_field(struct drafting *drafting, int field, int index, int type)
{
  const struct field *of = &FIELD_OF[field];
  struct buf *text = &drafting->scratch->text;
  if (!buf_reserve(text, sizeof of->written)) raise_no_memory(drafting->L);
  memcpy(text->data + text->length, of->written, sizeof of->written);
  text->length += of->length;
  put_member_value(drafting, of->name, index, type);
}

static void take_kind(struct drafting *drafting, int index)
{
  lua_State *L = drafting->L;
  size_t length = 0;
  const char *name = lua_tolstring(L, index, &length);
  drafting->draft->kind =
      name != NULL ? record_kind(&(struct slice){name, name + length, false}) : KIND_NONE;
  if (record_kind_is_item(drafting->draft->kind)) return;
  if (drafting->changes && lua_isnil(L, index)) return; /* it stays as it is */
  lua_pushvalue(L, index);
  release_scratch(drafting->scratch); /* tostring may raise something else */
  refuse_draft(drafting, "kind must be %s (got %s)", record_kind_names(), text_of_top(L));
}

/* Takes a field that must be of a type, if it is there: to change one, null takes it away. */
static bool take_field(struct drafting *drafting, int field, int index, int expected)
{
  lua_State *L = drafting->L;
  int type = lua_type(L, index);
  if (type == LUA_TNIL || type == LUA_TNONE) return false;
  if (type != expected) {
    bool may_be_false = !drafting->changes || field == FIELD_CONTENT;
    if (may_be_false && type == LUA_TBOOLEAN && !lua_toboolean(L, index)) return false;
    if (!drafting->changes || field == FIELD_CONTENT || !is_null(L, index))
      refuse_draft(drafting, "%s must be a %s, got %s", FIELD_OF[field].name,
                   lua_typename(L, expected), lua_typename(L, type));
  }
  put_field(drafting, field, index, type);
  return true;
}

static void take_content(struct drafting *drafting, int index)
{
  const struct buf *text = &drafting->scratch->text;
  size_t empty = text->length + strlen(DRAFT_BEGINNING "\"");
  bool given = take_field(drafting, FIELD_CONTENT, index, LUA_TSTRING);
  if (given ? text->length == empty : !drafting->changes || !lua_isnil(drafting->L, index))
    refuse_draft(drafting, "content required");
  drafting->draft->content = given ? text->length - empty : 0;
}

/* Takes up the member whose name and value are on top of the stack, unless it is a field. */
static void take_further(struct drafting *drafting)
{
  static const char *const ours[] = {"id",  "uid",      "ts",           "target", "of",
                                     "rev", "replaces", "replaces_uid", "meta",   "score"};
  lua_State *L = drafting->L;
  struct buf *body = &drafting->scratch->text;
  size_t length;
  if (lua_type(L, -2) != LUA_TSTRING)
    refuse_draft(drafting, "the name of a member must be a string, got %s", luaL_typename(L, -2));
  const char *name = lua_tolstring(L, -2, &length);
  for (size_t i = 0; i < FIELDS; i++)
    if (is_name(name, length, FIELD_OF[i].name)) return;
  for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
    if (is_name(name, length, ours[i]))
      refuse_draft(drafting, "no member may be named \"%s\"", name);
  if (!buf_reserve(body, length + QUOTE_SPARE)) raise_no_memory(L);
  buf_put(body, ',');
  if (!quote_reserved(body, name, length)) raise_no_memory(L);
  buf_put(body, ':');
  put_member_value(drafting, name, lua_gettop(L), lua_type(L, -1));
}

/* ---- drafts ---- */

/* Begins a draft with the fields at `base` and following, the first `count` of FIELDS. */
static void take_fields(struct drafting *drafting, int base, int count)
{
  *drafting->draft = (struct draft){.members = 4, .start = drafting->scratch->text.length};
  take_kind(drafting, base + FIELD_KIND);
  take_content(drafting, base + FIELD_CONTENT);
  if (count > FIELD_TAGS) take_field(drafting, FIELD_TAGS, base + FIELD_TAGS, LUA_TTABLE);
  if (count > FIELD_SOURCE) take_field(drafting, FIELD_SOURCE, base + FIELD_SOURCE, LUA_TSTRING);
}

static void end_draft(struct drafting *drafting)
{
  struct buf *text = &drafting->scratch->text;
  if (!buf_reserve(text, 2 + SPAN_PADDING)) raise_no_memory(drafting->L);
  buf_put_bytes(text, "}\n", 2);
  memset(text->data + text->length, 0, SPAN_PADDING);
  drafting->draft->length = text->length - drafting->draft->start;
}

void draft_fields(lua_State *L, struct scratch *scratch, int base, int count, const char *who,
                  struct draft *draft)
{
  struct drafting drafting = {.L = L, .scratch = scratch, .who = who, .draft = draft};
  take_fields(&drafting, base, count);
  end_draft(&drafting);
}

static void take_table(struct drafting *drafting, int table)
{
  lua_State *L = drafting->L;
  int top = lua_gettop(L);
  lua_pushvalue(L, table);
  if (drafting->scratch->redact != 0) copy_table(L, top + 1);
  table = top + 1;
  for (int i = 0; i < FIELDS; i++) {
    lua_pushstring(L, FIELD_OF[i].name);
    lua_rawget(L, table);
  }
  take_fields(drafting, table + 1, FIELDS);
  for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) take_further(drafting);
  end_draft(drafting);
  lua_settop(L, top);
}

void draft_table(lua_State *L, struct scratch *scratch, int table, const char *who,
                 struct draft *draft)
{
  struct drafting drafting = {.L = L, .scratch = scratch, .who = who, .draft = draft};
  if (!lua_istable(L, table)) {
    release_scratch(scratch);
    raise_plain(L, "%s must be a table, got %s", who, luaL_typename(L, table));
  }
  take_table(&drafting, table);
}

void draft_changes(lua_State *L, struct scratch *scratch, int table, const char *who,
                   struct draft *draft)
{
  struct drafting drafting = {
      .L = L, .scratch = scratch, .who = who, .draft = draft, .changes = true};
  take_table(&drafting, table);
}
