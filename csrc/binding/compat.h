/* compat.h: Lua's headers, and what its versions have under different names. LuaJIT is a 5.1 here.
 *
 * Each function of Lua is a weak symbol: so the module loads into a Lua that lacks some, and can say which
 * it was built for. */
#pragma once

#if __has_include(<luaconf.h>) /* which Lua 5.0 has not */
#include <luaconf.h>
#endif
#ifdef __ELF__
#undef LUA_API
#define LUA_API extern __attribute__((weak))
#endif
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdint.h>

#if LUA_VERSION_NUM < 501 || LUA_VERSION_NUM > 505
#error "aish_history was tested with LuaJIT 2.1 and Lua 5.1 to 5.5, and this is another Lua"
#endif

#if LUA_VERSION_NUM < 502
#define lua_setuservalue lua_setfenv
#define lua_getuservalue lua_getfenv
#define luaL_checkversion(L) ((void)(L))
#else
#undef lua_objlen
#define lua_objlen lua_rawlen
#endif

#ifndef LUA_GCISRUNNING
#define LUA_GCISRUNNING 9 /* Lua 5.1 cannot tell, and says -1 */
#endif

/* Whether a step of the collector always says when a cycle has ended: not if it is generational. */
enum { LUA_SAYS_CYCLE = LUA_VERSION_NUM < 502 };

/* Has the collector do what is due after so many KB; whether a cycle has ended. */
static inline int step_collector(lua_State *L, int size)
{
#if LUA_VERSION_NUM < 505
  return lua_gc(L, LUA_GCSTEP, size);
#else
  return lua_gc(L, LUA_GCSTEP, (size_t)size << 10); /* which takes bytes */
#endif
}

/* Whether for closes its fourth value, and a variable what is in it. */
enum { LUA_CLOSES = LUA_VERSION_NUM >= 504 };

/* The stream of a userdata of Lua's io library; NULL: it is closed. */
static inline FILE *lua_stream(const void *file)
{
#if LUA_VERSION_NUM < 502
  return *(FILE *const *)file;
#else
  const luaL_Stream *stream = (const luaL_Stream *)file;
  return stream->closef != NULL ? stream->f : NULL; /* that of a closed one is freed memory */
#endif
}

/* Pushes a whole number up to 2^53, or a negative one in two's complement: from Lua 5.3 on as an integer.
 * [-0, +1, -] */
static inline void push_whole(lua_State *L, uint64_t number)
{
#if LUA_VERSION_NUM >= 503
  lua_pushinteger(L, (lua_Integer)number);
#else
  lua_pushnumber(L, (lua_Number)(int64_t)number);
#endif
}

/* Raises if the module was built for another Lua than runs it. Each version is known by a function that it
 * was the first to have; luaL_error is the same in all. [-0, +0, e] */
static inline void check_version(lua_State *L)
{
#ifdef __ELF__
  extern __attribute__((weak)) void first_in_502(void) __asm__("lua_callk");
  extern __attribute__((weak)) void first_in_503(void) __asm__("lua_rotate");
  extern __attribute__((weak)) void first_in_504(void) __asm__("lua_newuserdatauv");
  extern __attribute__((weak)) void first_in_505(void) __asm__("lua_numbertocstring");
  int running = 1 + (first_in_502 != NULL) + (first_in_503 != NULL) + (first_in_504 != NULL) +
                (first_in_505 != NULL);
  if (running != LUA_VERSION_NUM - 500)
    luaL_error(L,
               "aish_history was built for " LUA_VERSION ", and this is Lua 5.%d: build it with "
               "make LUA_VERSION=5.%d",
               running, running);
#endif
  luaL_checkversion(L);
}
