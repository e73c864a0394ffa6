/* contents.c: items by the hashes of their kinds and contents. */
#include "memory/contents.h"

#include "memory/index.h"
#include "json/walk.h"
#include "base/hidden.h"

void contents_free(struct contents *contents)
{
  table_free(&contents->table);
  buf_free(&contents->older);
  memset(contents, 0, sizeof *contents);
}

uint32_t contents_hash(const struct contents *contents, enum record_kind kind, struct bytes content)
{
  uint64_t hash = hash_text(&contents->key, content.start, content.length);
  return (uint32_t)(hash >> 32) ^ (uint32_t)kind << 29;
}

uint32_t contents_last(const struct contents *contents, uint32_t hash)
{
  struct probe probe = table_probe(&contents->table, hash);
  return probe_next(&probe, &contents->table) ? probe.number + 1 : 0;
}

/* The last ones that were forgotten are left out, so that adding and forgetting the same again and again
 * leaves nothing to look through. */
bool contents_put(struct index *index, uint32_t hash)
{
  struct contents *contents = &index->contents;
  const uint32_t number = (uint32_t)contents_count(contents);
  struct probe probe = table_probe(&contents->table, hash);
  const bool found = probe_next(&probe, &contents->table);
  if (!found && !table_put(&contents->table, hash, number)) return false;
  uint32_t older = found ? probe.number + 1 : 0;
  while (older > 0 && index->items[older - 1].forgotten)
    older = contents_before(contents, older - 1);
  if (!BUF_PUSH(&contents->older, &older)) return false;
  if (found) table_replace(&contents->table, &probe, number);
  return true;
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
  const uint32_t none = 0;
  bool done = true;
  while (done && contents_count(contents) < index->count) {
    const struct item *item = &index->items[contents_count(contents)];
    content.start = NULL;
    if (!item->forgotten && !read_content(window, item, scratch, &content)) return false;
    if (content.start == NULL) done = BUF_PUSH(&contents->older, &none);
    else done = contents_put(index, contents_hash(contents, (enum record_kind)item->kind, content));
  }
  return done;
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
