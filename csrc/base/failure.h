/* failure.h: why an operation failed, as its caller is told. */
#ifndef AISH_FAILURE_H
#define AISH_FAILURE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The message reads `doing path: reason: hint`. */
struct failure {
  int number; /* of errno.h */
  const char *doing; /* what was being done, such as "open" */
  const char *reason; /* NULL: the system's text for the number */
  const char *hint; /* what to do about it, or NULL */
  bool held; /* another process has the lock; it has a message of its own */
  pid_t process; /* the lock's holder if it is held, else the handle's owner; 0: unknown */
};

/* Both return false, for `return fail(...)`. This one reads errno. */
static inline bool fail(struct failure *failure, const char *doing)
{
  *failure = (struct failure){.number = errno, .doing = doing};
  return false;
}

static inline bool fail_because(struct failure *failure, int number, const char *doing,
                                const char *reason)
{
  *failure = (struct failure){.number = number, .doing = doing, .reason = reason};
  return false;
}

#endif
