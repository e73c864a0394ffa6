/* decode.h: reading JSON text as Lua values. */
#pragma once

#include "base/buf.h"
#include "binding/compat.h"
#include "json/json.h"

enum { DECODER_KEYS = 64 };

/* What decoding needs, besides a table of the keys that were met last. A state keeps it, so that it
 * is not made again for every line. */
struct decoder {
  lua_State *L;
  int table; /* where on the stack its table is */
  struct buf unescaped;
  struct json_error error;
  struct {
    uint64_t first, last;
    size_t length; /* 0: none */
  } keys[DECODER_KEYS]; /* which strings the table's places hold */
  bool in_use; /* see struct scratch */
};

/* The state's decoder, or a new one; its table stays on the stack while it is used. [-0, +1, m] */
struct decoder *acquire_decoder(lua_State *L);
void release_decoder(struct decoder *decoder);
/* Pushes the value at p and returns the byte after it. On failure NULL, decoder->error, and any
 * number of values on the stack. `members` is how many an object at p has, or 0 where that is not
 * known. [-0, +1, m] */
const char *decode(struct decoder *decoder, const char *p, const char *limit, int members);
/* Pushes the object at p, white space before it aside; the rest as decode. [-0, +1, m] */
const char *decode_record(struct decoder *decoder, const char *p, int members);
/* Pushes the object that is all of the line at p, and returns the newline; NULL as above, also
 * for a line that is anything else. [-0, +1, m] */
const char *decode_line(struct decoder *decoder, const char *p, int members);

int decode_l(lua_State *L);
