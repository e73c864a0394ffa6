/* screen.c: text for people to see. */
#include "binding/screen.h"

#include <math.h>

#include "binding/args.h"
#include "binding/encode.h"
#include "text/display.h"
#include "base/hidden.h"

static size_t check_width(lua_State *L, int argument)
{
  if (lua_isnoneornil(L, argument)) return SIZE_MAX;
  if (lua_type(L, argument) != LUA_TNUMBER)
    argument_error(L, argument, "width must be a number, got %s", luaL_typename(L, argument));
  lua_Number width = lua_tonumber(L, argument);
  if (!(width >= 0 && width == floor(width)))
    argument_error(L, argument, "width must be a whole number from 0, got %f", width);
  return width < (lua_Number)SIZE_MAX ? (size_t)width : SIZE_MAX;
}

/* display(text [, width]): the string as it may be shown on a terminal: one line of valid UTF-8, with
 * escapes (\n, \x1b, \u202e) in place of what would not show or do more than that, cut at `width`
 * columns, a whole number from 0; and how many columns it takes. For what is escaped, where it is
 * cut and how columns are counted see text/display.h. Showing what was shown changes nothing. */
int display_l(lua_State *L)
{
  size_t length, columns;
  check_count(L, 2);
  const char *text = check_string(L, 1, "text", &length);
  size_t width = check_width(L, 2);
  struct scratch *scratch = acquire_scratch(L, kept_scratch(L));
  if (!display(&scratch->text, text, length, width, &columns)) return raise_no_memory(L);
  lua_pushlstring(L, scratch->text.length > 0 ? scratch->text.data : "", scratch->text.length);
  release_scratch(scratch);
  push_whole(L, columns);
  return 2;
}
