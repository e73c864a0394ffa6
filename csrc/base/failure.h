/* failure.h: why an operation failed, as its caller is told. */
#pragma once

#include <sys/types.h>

#include "base/std.h"

enum { FAILURE_PATH = 4096 }; /* no system opens a longer one */

/* The message reads `doing path: reason: hint`. */
struct failure {
  int number; /* of errno.h */
  const char *doing; /* what was being done, such as "open" */
  const char *reason; /* NULL: the system's text for the number */
  const char *hint; /* what to do about it, or NULL */
  bool held; /* another process has the lock of `doing` (NULL: the file's name): a message apart */
  pid_t process; /* the lock's holder if it is held, else the handle's owner; 0: unknown */
  char path[FAILURE_PATH]; /* the file that it is about; "": the one that the caller named */
};

/* Both return false, for `return fail(...)`. This one reads errno. */
__attribute__((cold)) static inline bool fail(struct failure *failure, const char *doing)
{
  *failure = (struct failure){.number = errno, .doing = doing};
  return false;
}

__attribute__((cold)) static inline bool fail_because(struct failure *failure, int number,
                                                      const char *doing, const char *reason)
{
  *failure = (struct failure){.number = number, .doing = doing, .reason = reason};
  return false;
}

/* It is about a file that the caller did not name. Reads errno; `reason` may be NULL. */
__attribute__((cold)) static inline bool fail_about(struct failure *failure, const char *doing,
                                                    const char *path, const char *reason)
{
  size_t length = strlen(path);
  fail_because(failure, errno, doing, reason);
  memcpy(failure->path, path, length < FAILURE_PATH ? length : FAILURE_PATH - 1);
  return false;
}
