/* beside.h: files that are made beside another: a new one, to be put in its place, and one for what is
 * taken out of it. What somebody else has put there is not touched. */
#pragma once

#include "base/failure.h"
#include "base/sys.h"

/* At the end of the name of the file where what is taken out of another is gathered. */
#define BESIDE_DAMAGED ".damaged"

/* Makes an empty file of 0600 beside `place`, which is absolute and without symbolic links, under a
 * name that no other file has: a descriptor, or -1 and errno. *path is to be freed with sys_free either
 * way; NULL if it got no name. */
int beside_make(const char *place, char **path);
/* Removes what beside_make has made and a crash has left, as far as possible: for the file that the path
 * leads to, and its <file>.damaged; or, in a directory, for any. One that is locked is in use; see replace.c
 * for one that is about to be. */
void beside_clean(const char *path);

/* Opens for appending the file `path`, where things taken out of the file *of are gathered; makes it
 * with the owner and the mode of that one, if there is none, and then sets *made. A symbolic link,
 * anything else that is no file, and a file of strangers are refused. The descriptor and its *st, or
 * -1 and *failure. */
int beside_gather(const char *path, const struct stat *of, bool *made, struct stat *st,
                  struct failure *failure);
/* The same, if it is there; otherwise -1 and errno ENOENT. *reason is NULL, or why it is refused. */
int beside_open(const char *path, const struct stat *of, struct stat *st, const char **reason);

/* Gives a file the owner, the group and the mode of *of, as far as the system lets us. False with
 * errno. */
bool beside_give(int fd, const struct stat *of);
