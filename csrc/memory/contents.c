/* contents.c: items by the hashes of their kinds and contents. */
#include "memory/contents.h"

#include "memory/index.h"
#include "json/walk.h"
#include "base/hidden.h"

void contents_free(struct contents *contents)
{
  table_free(&contents->table);
  memset(contents, 0, sizeof *contents);
}

uint32_t contents_hash(const struct contents *contents, enum record_kind kind, struct bytes content)
{
  uint64_t hash = hash_text(&contents->key, content.start, content.length);
  return (uint32_t)(hash >> 32) ^ (uint32_t)kind << 29;
}

/* So that adding and forgetting the same again and again leaves nothing to look through. */
bool contents_put_item(struct index *index, uint32_t hash, uint32_t number)
{
  struct table *table = &index->contents.table;
  struct probe probe = table_probe(table, hash);
  while (probe_next(&probe, table)) {
    if (!index->items[probe.number].forgotten) continue;
    table_replace(table, &probe, number);
    return true;
  }
  return table_put(table, hash, number);
}

/* The decoded content of an item's line: start is NULL where it has none, or the line is not there any
 * more. False with errno. */
static bool read_content(struct window *window, const struct item *item, struct buf *scratch,
                         struct bytes *content)
{
  struct walk member;
  struct slice string = {NULL, NULL, false};
  const char *line = window_line(window, item->offset, item_length(item));
  *content = (struct bytes){NULL, 0};
  if (line == NULL) return errno == 0;
  if (walk_find(&member, line, (struct bytes){"content", 7})) walk_string(&member, &string);
  return slice_bytes(&string, scratch, content);
}

bool contents_take_up(struct index *index, struct window *window, struct buf *scratch)
{
  struct contents *contents = &index->contents;
  struct bytes content;
  for (; contents->count < index->count; contents->count++) {
    const struct item *item = &index->items[contents->count];
    if (item->forgotten) continue;
    if (!read_content(window, item, scratch, &content)) return false;
    if (content.start == NULL) continue;
    uint32_t hash = contents_hash(contents, (enum record_kind)item->kind, content);
    if (!contents_put_item(index, hash, (uint32_t)contents->count)) return false;
  }
  return true;
}

int contents_compare(const struct index *index, uint32_t number, struct window *window,
                     enum record_kind kind, struct bytes content, struct buf *scratch)
{
  const struct item *item = &index->items[number];
  struct bytes other;
  if (item->forgotten || (enum record_kind)item->kind != kind) return 0;
  if (!read_content(window, item, scratch, &other)) return -1;
  return other.start != NULL && bytes_compare(content, other) == 0;
}
