/* kind.c: as long as it is not known that a file is a memory, its damaged lines are looked at as those of any
 * other. */
#include "memory/kind.h"

#include "file/lines.h"
#include "json/objects.h"
#include "base/hidden.h"

enum file_kind record_file_kind(const struct record *record, const char *object)
{
  if (record_is_meta(object)) return FILE_MEMORY;
  return record_is_ours(record, object) ? FILE_ITEMS : FILE_OTHER;
}

enum file_kind line_file_kind(const char *line, const char *newline, enum file_kind enough)
{
  struct objects objects;
  struct part part;
  struct record record;
  enum file_kind kind = FILE_UNKNOWN;
  if (record_parse(line, &record) != NULL) return record_file_kind(&record, line);
  objects_begin(&objects, line, newline, false);
  while (kind < enough && objects_next(&objects, &part)) {
    if (part.reason != NULL) continue;
    (void)record_parse_part(part.start, &record);
    const enum file_kind next = record_file_kind(&record, part.start);
    if (next > kind) kind = next;
  }
  return kind;
}

bool file_kind(int fd, enum file_kind enough, enum file_kind *kind)
{
  struct lines lines;
  struct line line;
  int result = 1;
  *kind = FILE_UNKNOWN;
  lines_open(&lines, fd, 0);
  while (*kind < enough && (result = lines_next(&lines, &line)) > 0) {
    const enum file_kind next =
        line.hopeless ? FILE_UNKNOWN : line_file_kind(line.text, line.newline, enough);
    if (next > *kind) *kind = next;
  }
  lines_close(&lines);
  return result >= 0;
}

bool file_is_memory(int fd, bool *memory)
{
  enum file_kind kind;
  bool done = file_kind(fd, FILE_ITEMS, &kind);
  *memory = kind >= FILE_ITEMS;
  return done;
}
