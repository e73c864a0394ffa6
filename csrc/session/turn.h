/* turn.h: what the records of a session's file say, without building anything. */
#pragma once

#include "base/buf.h"
#include "base/timestamp.h"
#include "json/json.h"
#include "json/walk.h"

struct turn {
  const char *start, *end; /* the object */
  bool is_turn; /* has a role and a content that are neither null nor false */
  struct slice role, ts;
  const char *content, *content_end; /* the value, or NULL */
  const char *meta, *meta_end; /* the value if it is neither null nor false and this is no turn,
                                * or NULL: of a session's first record it is the session's meta */
};

/* Reads the object at p, white space before it aside. False: there is none. */
bool turn_parse(const char *p, struct turn *turn);

/* Calls take(context, turn) for each record of a line, until one answers false, and returns that. */
bool turn_each(const char *line, const char *newline,
               bool (*take)(void *context, const struct turn *turn), void *context);

/* Shows `visit` each string of a record, nested ones too, that is neither a key nor its role or time,
 * until it answers false. True: they came to their end. */
bool turn_strings(const struct turn *turn, bool (*visit)(void *context, const struct slice *string),
                  void *context);

/* Appends the text of a turn's content: the string that it is; of an array of parts, as providers
 * of models have them, the `text` of the first that has one; otherwise the first string in it.
 * False: out of memory. */
bool turn_text(const struct turn *turn, struct buf *buf);

/* Which records are looked for. */
struct turn_filter {
  struct bytes role; /* none: any */
  struct bound since, before;
};

/* 1: it is one of them, 0: it is not, -1: out of memory. */
int turn_passes(const struct turn *turn, const struct turn_filter *filter, struct buf *decoded);
/* The point in time of a record, or none. False: out of memory. */
bool turn_moment(const struct turn *turn, struct buf *decoded, struct moment *moment);

/* A string of a record, decoded, and folded. */
struct said {
  struct buf decoded, folded;
};

void said_free(struct said *said);
/* False: out of memory. */
bool said_take(struct said *said, const struct slice *string);
/* What was decoded, or its part around a place of what was folded, cut between characters. */
struct bytes said_excerpt(const struct said *said, size_t place);
