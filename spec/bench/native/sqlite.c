/* sqlite.c: just enough of SQLite for Lua: prepared statements, made once and run often. */
#include <lauxlib.h>
#include <lua.h>
#include <sqlite3.h>

static const char DATABASE[] = "bench.sqlite", STATEMENT[] = "bench.statement";

struct database {
  sqlite3 *db;
};

struct statement {
  sqlite3_stmt *stmt;
};

static int fail(lua_State *L, sqlite3 *db)
{
  return luaL_error(L, "sqlite: %s", sqlite3_errmsg(db));
}

/* open(path) */
static int open_l(lua_State *L)
{
  struct database *database = lua_newuserdata(L, sizeof *database);
  database->db = NULL;
  luaL_getmetatable(L, DATABASE);
  lua_setmetatable(L, -2);
  if (sqlite3_open(luaL_checkstring(L, 1), &database->db) != SQLITE_OK)
    return fail(L, database->db);
  return 1;
}

static int close_l(lua_State *L)
{
  struct database *database = luaL_checkudata(L, 1, DATABASE);
  sqlite3_close_v2(database->db);
  database->db = NULL;
  return 0;
}

/* database:exec(sql) */
static int exec_l(lua_State *L)
{
  struct database *database = luaL_checkudata(L, 1, DATABASE);
  if (sqlite3_exec(database->db, luaL_checkstring(L, 2), NULL, NULL, NULL) != SQLITE_OK)
    return fail(L, database->db);
  return 0;
}

/* database:prepare(sql) */
static int prepare_l(lua_State *L)
{
  struct database *database = luaL_checkudata(L, 1, DATABASE);
  struct statement *statement = lua_newuserdata(L, sizeof *statement);
  statement->stmt = NULL;
  luaL_getmetatable(L, STATEMENT);
  lua_setmetatable(L, -2);
  if (sqlite3_prepare_v2(database->db, luaL_checkstring(L, 2), -1, &statement->stmt, NULL) !=
      SQLITE_OK)
    return fail(L, database->db);
  lua_newtable(L); /* keeps the database for as long as the statement */
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, 1);
  lua_setfenv(L, -2);
  return 1;
}

static int finalize_l(lua_State *L)
{
  struct statement *statement = luaL_checkudata(L, 1, STATEMENT);
  sqlite3_finalize(statement->stmt);
  statement->stmt = NULL;
  return 0;
}

/* The arguments from 2 on. The text is bound without a copy: it stays on the Lua stack. */
static sqlite3_stmt *bind(lua_State *L)
{
  struct statement *statement = luaL_checkudata(L, 1, STATEMENT);
  for (int i = 2; i <= lua_gettop(L); i++) {
    size_t length;
    if (lua_type(L, i) == LUA_TNUMBER) {
      sqlite3_bind_int64(statement->stmt, i - 1, (sqlite3_int64)lua_tonumber(L, i));
    } else if (lua_isnil(L, i)) {
      sqlite3_bind_null(statement->stmt, i - 1);
    } else {
      const char *text = luaL_checklstring(L, i, &length);
      sqlite3_bind_text(statement->stmt, i - 1, text, (int)length, SQLITE_STATIC);
    }
  }
  return statement->stmt;
}

/* statement:run(argument...) */
static int run_l(lua_State *L)
{
  sqlite3_stmt *stmt = bind(L);
  int result = sqlite3_step(stmt);
  sqlite3_reset(stmt);
  return result == SQLITE_DONE || result == SQLITE_ROW ? 0 : fail(L, sqlite3_db_handle(stmt));
}

static void push_column(lua_State *L, sqlite3_stmt *stmt, int i)
{
  switch (sqlite3_column_type(stmt, i)) {
  case SQLITE_NULL:
    lua_pushnil(L);
    break;
  case SQLITE_INTEGER:
  case SQLITE_FLOAT:
    lua_pushnumber(L, sqlite3_column_double(stmt, i));
    break;
  default:
    lua_pushlstring(L, (const char *)sqlite3_column_text(stmt, i),
                    (size_t)sqlite3_column_bytes(stmt, i));
  }
}

/* statement:rows(argument...): an array of a table a row, by the columns' names. */
static int rows_l(lua_State *L)
{
  sqlite3_stmt *stmt = bind(L);
  int result, count = 0, columns = sqlite3_column_count(stmt);
  lua_newtable(L);
  while ((result = sqlite3_step(stmt)) == SQLITE_ROW) {
    lua_createtable(L, 0, columns);
    for (int i = 0; i < columns; i++) {
      push_column(L, stmt, i);
      lua_setfield(L, -2, sqlite3_column_name(stmt, i));
    }
    lua_rawseti(L, -2, ++count);
  }
  sqlite3_reset(stmt);
  return result == SQLITE_DONE ? 1 : fail(L, sqlite3_db_handle(stmt));
}

static void new_class(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction gc)
{
  luaL_newmetatable(L, name);
  lua_newtable(L);
  luaL_register(L, NULL, methods);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}

__attribute__((visibility("default"))) int luaopen_sqlite(lua_State *L);

int luaopen_sqlite(lua_State *L)
{
  static const luaL_Reg database[] = {
      {"exec", exec_l}, {"prepare", prepare_l}, {"close", close_l}, {NULL, NULL}};
  static const luaL_Reg statement[] = {{"run", run_l}, {"rows", rows_l}, {NULL, NULL}};
  new_class(L, DATABASE, database, close_l);
  new_class(L, STATEMENT, statement, finalize_l);
  lua_newtable(L);
  lua_pushcfunction(L, open_l);
  lua_setfield(L, -2, "open");
  lua_pushstring(L, sqlite3_libversion());
  lua_setfield(L, -2, "version");
  return 1;
}
