/* lines.c: lines out of blocks. */
#include "file/lines.h"

#include <string.h>

#include "json/json.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

void lines_open(struct lines *lines, int fd, uint64_t offset)
{
  memset(lines, 0, sizeof *lines);
  reader_open(&lines->reader, fd, offset);
  lines->end = offset;
}

void lines_close(struct lines *lines)
{
  reader_close(&lines->reader);
}

static int next_block(struct lines *lines)
{
  int result = reader_next(&lines->reader, &lines->block);
  lines->next = result > 0 ? lines->block.start : NULL;
  return result;
}

static void cut_line(struct lines *lines, struct line *line)
{
  const struct block *block = &lines->block;
  line->text = lines->next;
  line->hopeless = block->hopeless;
  line->offset = block->offset + (uint64_t)(line->text - block->start);
  line->number = ++lines->number;
  const char *newline =
      block->hopeless ? NULL : memchr(line->text, '\n', (size_t)(block->end - line->text));
  line->newline = newline;
  lines->next = newline != NULL ? newline + 1 : block->end;
  line->unfinished = block->unfinished && lines->next == block->end;
  lines->end = newline != NULL ? line->offset + (uint64_t)(newline - line->text) + !line->unfinished
                               : block->offset + block->size;
}

int lines_next(struct lines *lines, struct line *line)
{
  for (;;) {
    if (lines->next == NULL || lines->next >= lines->block.end) {
      int result = next_block(lines);
      if (result <= 0) return result;
    }
    cut_line(lines, line);
    if (line->hopeless || *json_space(line->text, line->text) != '\n') return 1;
  }
}

/* ---- counting ---- */

#if defined(__SSE2__)
/* A byte of 16 counts up to 255 before they are added up. */
static uint64_t count_steps(const char *p, size_t steps)
{
  const __m128i newline = _mm_set1_epi8('\n');
  __m128i counts = _mm_setzero_si128();
  for (size_t i = 0; i < steps; i++, p += 16) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
    counts = _mm_sub_epi8(counts, _mm_cmpeq_epi8(bytes, newline));
  }
  uint64_t halves[2] = {0, 0};
  _mm_storeu_si128((__m128i *)(void *)halves, _mm_sad_epu8(counts, _mm_setzero_si128()));
  return halves[0] + halves[1];
}
#endif

uint64_t count_newlines(const char *p, const char *end)
{
  uint64_t count = 0;
#if defined(__SSE2__)
  while (end - p >= 16) {
    size_t steps = (size_t)(end - p) / 16;
    if (steps > 255) steps = 255;
    count += count_steps(p, steps);
    p += steps * 16;
  }
#endif
  for (; p < end; p++) count += *p == '\n';
  return count;
}
