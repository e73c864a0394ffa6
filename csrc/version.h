/* version.h: the one place of the version's number; the rockspecs' names repeat it. */
#ifndef AISH_VERSION_H
#define AISH_VERSION_H

#define AISH_HISTORY_VERSION "1.0.0"

#endif
