/* walk.h: iterates over the members of an object or the elements of an array, without building
 * anything; strings are left in their text, and decoded when they are needed. The text is one line
 * that was validated before. */
#pragma once

#include "base/buf.h"
#include "json/json.h"

/* Whether the string stands for this text; the first is of one with escapes. */
bool slice_becomes(const struct slice *slice, const char *text, size_t length);
static inline bool slice_is(const struct slice *slice, const char *text, size_t length)
{
  if (slice->escaped) return slice_becomes(slice, text, length);
  return (size_t)(slice->end - slice->start) == length && memcmp(slice->start, text, length) == 0;
}
/* The decoded string: in place, or, if it has escapes, in the buffer, from its beginning; none of no
 * string. False: out of memory. */
bool slice_bytes(const struct slice *slice, struct buf *buf, struct bytes *bytes);
/* Appends the decoded string. False: out of memory. */
bool slice_append(const struct slice *slice, struct buf *buf);

struct walk {
  const char *next; /* the bracket or comma before the next one; anything else: the end */
  bool object;
  bool escaped; /* the value, if it is a string */
  struct slice key; /* of an object's member */
  const char *value, *end; /* of the member or element */
};

/* p is at the opening brace or bracket, or a comma between members, or at white space before it. */
void walk_begin(struct walk *walk, const char *p);
/* Goes to the next member or element; false at the end. */
bool walk_next(struct walk *walk);
/* The value, if it is a string. */
static inline bool walk_string(const struct walk *walk, struct slice *slice)
{
  if (*walk->value != '"') return false;
  *slice = (struct slice){walk->value + 1, walk->end - 1, walk->escaped};
  return true;
}

/* Whether the key is this name, however it is escaped. */
static inline bool walk_key_is(const struct walk *walk, const char *name)
{
  return slice_is(&walk->key, name, strlen(name));
}

/* Whether the value is neither null nor false, as Lua sees it. */
static inline bool walk_is_true(const struct walk *walk)
{
  return *walk->value != 'n' && *walk->value != 'f';
}

/* Calls visit(context, string) for each string from p to `end`, the end of the value at p, however
 * deeply it is nested, except for keys; until a call returns false, which is then returned. One
 * pass, whatever the nesting. */
bool walk_strings(const char *p, const char *end,
                  bool (*visit)(void *context, const struct slice *string), void *context);

/* Goes to the last member of this name; false: there is none. */
bool walk_find(struct walk *found, const char *object, struct bytes name);
