/* version.h: the one place of the version's number; the rockspecs' names repeat it. */
#pragma once

#define AISH_HISTORY_VERSION "1.1.0"
