/* seam.h: what csrc/sys.c calls in the fault build instead of the system: see seam.c.
 *
 * Macros with arguments, so that `struct stat` and a variable called `time` stay what they are. */
#ifndef AISH_SEAM_H
#define AISH_SEAM_H

#pragma GCC visibility push(hidden)

int seam_open(const char *path, int flags, mode_t mode);
int seam_close(int fd);
int seam_stat(const char *path, struct stat *st);
int seam_lstat(const char *path, struct stat *st);
int seam_fstat(int fd, struct stat *st);
int seam_fchmod(int fd, mode_t mode);
int seam_fchown(int fd, uid_t owner, gid_t group);
ssize_t seam_pread(int fd, void *buffer, size_t size, off_t offset);
ssize_t seam_write(int fd, const void *bytes, size_t size);
int seam_ftruncate(int fd, off_t size);
int seam_fdatasync(int fd);
int seam_fsync(int fd);
int seam_flock(int fd, int operation);
int seam_rename(const char *from, const char *to);
int seam_unlink(const char *path);
int seam_mkdir(const char *path, mode_t mode);
char *seam_realpath(const char *path, char *resolved);
DIR *seam_opendir(const char *path);
struct dirent *seam_readdir(DIR *directory);
int seam_closedir(DIR *directory);
FILE *seam_fopen(const char *path, const char *mode);
int seam_fclose(FILE *file);
time_t seam_time(time_t *now);
int seam_clock_gettime(clockid_t clock, struct timespec *now);
int seam_nanosleep(const struct timespec *pause, struct timespec *left);
ssize_t seam_getrandom(void *bytes, size_t size, unsigned flags);
void *seam_realloc(void *block, size_t size);
void seam_free(void *block);

#pragma GCC visibility pop

#ifndef SEAM_ITSELF
#define open(path, flags, mode) seam_open(path, flags, mode)
#define close(fd) seam_close(fd)
#define stat(path, st) seam_stat(path, st)
#define lstat(path, st) seam_lstat(path, st)
#define fstat(fd, st) seam_fstat(fd, st)
#define fchmod(fd, mode) seam_fchmod(fd, mode)
#define fchown(fd, owner, group) seam_fchown(fd, owner, group)
#define pread(fd, buffer, size, offset) seam_pread(fd, buffer, size, offset)
#define write(fd, bytes, size) seam_write(fd, bytes, size)
#define ftruncate(fd, size) seam_ftruncate(fd, size)
#define fdatasync(fd) seam_fdatasync(fd)
#define fsync(fd) seam_fsync(fd)
#define flock(fd, operation) seam_flock(fd, operation)
#define rename(from, to) seam_rename(from, to)
#define unlink(path) seam_unlink(path)
#define mkdir(path, mode) seam_mkdir(path, mode)
#define realpath(path, resolved) seam_realpath(path, resolved)
#define opendir(path) seam_opendir(path)
#define readdir(directory) seam_readdir(directory)
#define closedir(directory) seam_closedir(directory)
#define fopen(path, mode) seam_fopen(path, mode)
#define fclose(file) seam_fclose(file)
#define time(now) seam_time(now)
#define clock_gettime(clock, now) seam_clock_gettime(clock, now)
#define nanosleep(pause, left) seam_nanosleep(pause, left)
#define getrandom(bytes, size, flags) seam_getrandom(bytes, size, flags)
#define realloc(block, size) seam_realloc(block, size)
#define free(block) seam_free(block)
/* One name for the sync of data on every system, so that its failure is the same everywhere. */
#undef F_FULLFSYNC
#endif

#endif
