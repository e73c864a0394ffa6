/* upkeep.h: verifying and compacting memory files. */
#pragma once

#include "binding/compat.h"
#include "memory/compact.h"
#include "memory/verify.h"

/* The options of a compaction, among those of a function. */
#define COMPACT_OPTIONS(options)                                                                   \
  {"dry_run", read_boolean, &(options)->dry_run},                                                  \
  {                                                                                                \
    "tombstones", read_boolean, &(options)->tombstones                                             \
  }

/* Pushes the result of a compaction; returns 1. [-0, +1, m] */
int push_compaction(lua_State *L, const struct compaction *result);

int verify_l(lua_State *L);
int compact_l(lua_State *L);
