/* turn.h: what a line of a session's file says, without building anything. */
#ifndef AISH_TURN_H
#define AISH_TURN_H

#include <stdbool.h>

#include "base/buf.h"
#include "json/json.h"
#include "json/slice.h"

#pragma GCC visibility push(hidden)

struct turn {
  bool is_turn; /* has a role and a content that are neither null nor false */
  struct slice role, ts;
  const char *content, *content_end; /* the value, or NULL */
  const char *meta, *meta_end; /* the value if it is neither null nor false and this is no turn,
                                * or NULL: of a session's first record it is the session's meta */
};

/* Reads the line at p: a JSON object, alone. The newline that ends it, or NULL and *error. */
const char *turn_parse(const char *p, struct turn *turn, struct json_error *error);

/* Appends the text of a turn's content: the string that it is; of an array of parts, as providers of
 * models have them, the `text` of the first that has one; otherwise the first string in it. False:
 * out of memory. */
bool turn_text(const struct turn *turn, struct buf *buf);

#pragma GCC visibility pop
#endif
