/* format.c: the first and the last bytes of a file. */
#include "file/format.h"

#include "base/sys.h"
#include "base/hidden.h"

enum { PIECE = 512 };

/* A bit for each byte that is zero, the first one highest. */
static unsigned zeros(const char *p, int count)
{
  unsigned bits = 0;
  for (int i = 0; i < count; i++) bits = bits << 1 | (p[i] == 0);
  return bits;
}

/* JSON begins with characters of ASCII, after a byte order mark or without. Three NUL bytes before
 * a record are no UTF-32 yet. */
static const char *wide_text(const char *p)
{
  unsigned first = zeros(p, 4), all = zeros(p, 8);
  bool little = memcmp(p, "\xff\xfe", 2) == 0, big = memcmp(p, "\xfe\xff", 2) == 0;
  if (all == 0x77 || all == 0xee || (little && first == 3) || memcmp(p, "\0\0\xfe\xff", 4) == 0)
    return "UTF-32 text, not JSON Lines in UTF-8";
  if (first == 5 || first == 10 || (little && first == 1) || (big && first == 2))
    return "UTF-16 text, not JSON Lines in UTF-8";
  return NULL;
}

static bool is_space(char byte)
{
  return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* The first byte that is not white space, 0 if there is none; `piece` holds the first bytes. */
static char first_byte(int fd, char *piece, ssize_t got)
{
  uint64_t at = 0;
  ssize_t i = got >= 3 && memcmp(piece, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
  for (; got > 0; i = 0) {
    for (; i < got; i++)
      if (!is_space(piece[i])) return piece[i];
    at += (uint64_t)got;
    got = sys_read_at(fd, piece, PIECE, at);
  }
  return 0;
}

/* The last one. */
static char last_byte(int fd, char *piece, uint64_t end)
{
  while (end > 0) {
    size_t wanted = end < PIECE ? (size_t)end : PIECE;
    end -= wanted;
    ssize_t got = sys_read_at(fd, piece, wanted, end);
    for (ssize_t i = got; i-- > 0;)
      if (!is_space(piece[i])) return piece[i];
  }
  return 0;
}

/* What it is, in words for a message; NULL: lines. */
static const char *other_format(int fd, uint64_t size)
{
  char piece[PIECE] = {0};
  ssize_t got = size > 0 ? sys_read_at(fd, piece, sizeof piece, 0) : 0;
  const char *wide = got >= 4 ? wide_text(piece) : NULL;
  if (wide != NULL) return wide;
  if (first_byte(fd, piece, got) != '[' || last_byte(fd, piece, size) != ']') return NULL;
  return "a JSON array, not JSON Lines";
}

bool format_is_lines(int fd, uint64_t size, struct failure *failure)
{
  const char *other = other_format(fd, size);
  return other == NULL || fail_because(failure, EINVAL, "open", other);
}
