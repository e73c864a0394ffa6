/* kind.c: what a file is for. */
#include "memory/kind.h"

#include "file/lines.h"
#include "memory/record.h"
#include "json/objects.h"

/* Of the first object on the line. Before that nothing depends on what file it is. */
static enum file_kind line_kind(const struct line *line)
{
  struct objects objects;
  struct part part;
  struct record record;
  objects_begin(&objects, line->text, line->newline, false);
  while (objects_next(&objects, &part)) {
    if (part.reason != NULL) continue;
    (void)record_parse_part(part.start, &record);
    if (record_is_meta(part.start)) return FILE_MEMORY;
    return record_is_ours(&record, part.start) ? FILE_ITEMS : FILE_OTHER;
  }
  return FILE_UNKNOWN;
}

bool file_kind(int fd, enum file_kind *kind)
{
  struct lines lines;
  struct line line;
  int result = 1;
  *kind = FILE_UNKNOWN;
  lines_open(&lines, fd, 0);
  while (*kind == FILE_UNKNOWN && (result = lines_next(&lines, &line)) > 0)
    if (!line.hopeless) *kind = line_kind(&line);
  lines_close(&lines);
  return result >= 0;
}
