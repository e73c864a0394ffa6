/* steps.h: the calls on a session's file, whose headers have names that those of a memory have too. */
#ifndef AISH_FUZZ_STEPS_H
#define AISH_FUZZ_STEPS_H

#include "base/buf.h"

void steps_search(const char *path, struct bytes text);
void steps_list(const char *path);

#endif
