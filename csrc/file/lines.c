/* lines.c: lines out of blocks. */
#include "file/lines.h"

#include "json/json.h"
#include "base/hidden.h"

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
      int result = reader_next(&lines->reader, &lines->block);
      lines->next = result > 0 ? lines->block.start : NULL;
      if (result <= 0) return result;
    }
    cut_line(lines, line);
    if (line->hopeless || *json_space(line->text, line->text) != '\n') return 1;
  }
}

uint64_t count_newlines(const char *p, const char *end)
{
  uint64_t count = 0;
  for (; (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++) count++;
  return count;
}
