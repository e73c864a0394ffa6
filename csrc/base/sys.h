/* sys.h: the system calls. Nothing else in the module calls the system.
 *
 * Every wrapper returns -1 (or NULL) with errno set when it fails and leaves errno alone otherwise.
 * A call that a signal interrupted is made again, except sys_sleep. */
#pragma once

#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/std.h"

/* In the place of -1: the path leads to something that is not a regular file; what was to be synced
 * could not even be opened. */
#define SYS_NOT_REGULAR (-2)
#define SYS_NOT_OPENED (-3)

/* For reading, or for reading and appending; SYS_LISTED reads what sys_list has just said is regular,
 * SYS_MAKE makes the file (0600 less umask) if need be, and for SYS_ITSELF a symbolic link is no regular
 * file. */
enum sys_opening { SYS_READ, SYS_LISTED, SYS_APPEND, SYS_MAKE, SYS_ITSELF };

/* Opens the regular file `path` close-on-exec. Never blocks. Returns the descriptor and fills *st;
 * SYS_NOT_REGULAR (errno EISDIR or EINVAL) where the path leads to anything else. */
int sys_open(const char *path, enum sys_opening how, struct stat *st);
/* Makes `path`, which must not exist, for writing, 0600 less umask. */
int sys_open_new(const char *path);
int sys_close(int fd);

int sys_stat(const char *path, struct stat *st);
/* Only what tells which file a path leads to, and its size: st_dev, st_ino and st_size. */
int sys_look(const char *path, struct stat *st);
int sys_fstat(int fd, struct stat *st);
/* When a file's bytes or its inode were last changed: nanoseconds since 1970. Unlike st_mtime no
 * call can set it (POSIX, 4.9, "File Times Update"). */
int64_t sys_touched(const struct stat *st);
int sys_chmod(int fd, mode_t mode);
int sys_chown(int fd, uid_t owner, gid_t group);

/* Reads up to `size` bytes at `offset`; fewer only at the end of the file. */
ssize_t sys_read_at(int fd, void *buffer, size_t size, uint64_t offset);
/* Writes all of it or fails; *written tells how much reached the file either way. Returns 0; or 1 if it
 * took several writes, between which other programs may have written; or -1. */
int sys_write(int fd, const void *bytes, size_t size, size_t *written);
/* Where the descriptor stands: after what was written last. -1 and errno. */
int64_t sys_position(int fd);
int sys_truncate(int fd, uint64_t size);
/* The data of the file and what is needed to find it again have reached the disk. */
int sys_sync(int fd);
/* The entries of a directory have reached the disk. */
int sys_sync_directory(const char *path);

int sys_flock(int fd, int operation);
/* The process that holds a flock on the file, from the system's lock table, or 0. */
pid_t sys_lock_holder(const struct stat *st);
int sys_fileno(FILE *file);
int sys_rename(const char *from, const char *to);
int sys_unlink(const char *path);
int sys_mkdir(const char *path);
/* The path without symbolic links, to be freed with sys_free. */
char *sys_realpath(const char *path);

/* Calls visit(context, name, regular) for each name in a directory, until one answers false (errno is
 * then what it set). regular: the directory itself tells that it is a regular file. 0, or -1. */
int sys_list(const char *path, bool (*visit)(void *context, const char *name, bool regular),
             void *context);

/* The module's code stays in memory until the process ends: Lua unloads modules before it has
 * called the last finalizers, and these may call it. What dlopen gives is never closed. */
void sys_stay_loaded(void);

pid_t sys_pid(void);
/* A number that differs between a process and those that are forked from it, as a new PID namespace
 * gives out ids again. Only once sys_count_forks has been called; false with errno ENOMEM. */
bool sys_count_forks(void);
unsigned sys_forks(void);
/* Seconds since 1970, UTC. */
int64_t sys_time(void);
/* Seconds on a clock that only goes forward. */
double sys_clock(void);
/* Sleeps; -1 with EINTR if a signal's handler ran meanwhile. */
int sys_sleep(double seconds);

/* The system's text for a number of errno.h; in `text`, or constant. strerror itself is not safe
 * among threads. */
const char *sys_reason(int number, char *text, size_t size);

/* Fills `bytes` with up to 256 random ones that nobody can foresee. */
int sys_random(void *bytes, size_t size);
/* The decimal of `count` digits, up to 17, that is nearest to a finite number from 0, as digits *
 * 10^*exponent; and the double nearest to a text of digits, `e` and an exponent, or an infinity.
 * Neither text has a decimal point, which the locale could change. */
uint64_t sys_to_decimal(double number, int count, int *exponent);
double sys_from_decimal(const char *text);

/* realloc that also takes over from malloc; NULL with ENOMEM. Freeing leaves errno alone. */
void *sys_realloc(void *block, size_t size);
void sys_free(void *block);
