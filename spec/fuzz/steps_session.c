/* steps_session.c: see steps.h. */
#include "steps.h"

#include <fcntl.h>
#include <unistd.h>

#include "fuzz.h"
#include "session/search.h"
#include "session/summary.h"

void steps_search(const char *path, struct bytes text)
{
  struct search search = {.limit = 20};
  struct hit hit;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  CHECK(fd >= 0);
  if (query_read(&search.query, text.start, text.length, false) == QUERY_GOOD) {
    CHECK(search_file(&search, fd));
    for (size_t i = 0; i < search_count(&search); i++) CHECK(search_hit(&search, i, &hit) >= 0);
  }
  search_free(&search);
  close(fd);
}

void steps_list(const char *path)
{
  struct summary summary;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  CHECK(fd >= 0);
  CHECK(summary_read(&summary, fd, (uint64_t)lseek(fd, 0, SEEK_END), UINT64_MAX) == 0);
  summary_free(&summary);
  close(fd);
}
