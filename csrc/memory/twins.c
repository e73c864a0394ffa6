/* twins.c: records of one id are read again, as many of them at once as fit into 16 MiB, in the
 * order of the file, and then compared in memory: by sorting, so that no file makes it slow. */
#include "memory/twins.h"

#include "base/sort.h"
#include "base/hidden.h"

enum { BATCH = 16 << 20 };

struct twin {
  struct item item;
  uint64_t rev;
  struct bytes uid, ts; /* decoded; the time's text only without a uid */
  struct bytes bytes; /* from `{` to `}` */
};

struct batch {
  const struct index *index;
  struct window *window;
  struct buf twins; /* struct twin */
  struct buf lines; /* never moves while it is filled */
  size_t size; /* the room that the lines need */
};

static struct twin *twin_at(const void *batch, size_t place)
{
  return &BUF_ITEMS(struct twin, &((const struct batch *)batch)->twins)[place];
}

static size_t count_twins(const struct batch *batch)
{
  return BUF_COUNT(struct twin, &batch->twins);
}

static bool sort_twins(struct batch *batch, sort_before before)
{
  return sort_elements(batch->twins.data, count_twins(batch), sizeof(struct twin), before, batch);
}

/* ---- reading ---- */

static bool twin_before(const void *context, uint32_t a, uint32_t b)
{
  return twin_at(context, a)->item.offset < twin_at(context, b)->item.offset;
}

/* There is room for it. */
static struct bytes keep_text(struct buf *lines, const struct slice *text)
{
  const char *start = lines->data + lines->length;
  if (text->start == NULL || !slice_append(text, lines)) return (struct bytes){NULL, 0};
  return (struct bytes){start, (size_t)(lines->data + lines->length - start)};
}

/* A line that has changed says nothing: whoever reads it again will see that. */
static bool read_twin(struct batch *batch, struct twin *twin)
{
  struct record record;
  const char *line;
  int read = item_line(&twin->item, batch->window, &line);
  const char *end = read > 0 ? record_parse_part(line, &record) : NULL;
  if (end == NULL) return read >= 0;
  const struct slice whole = {json_space(line, line), end, false};
  twin->bytes = keep_text(&batch->lines, &whole);
  twin->rev = record.rev;
  twin->uid = keep_text(&batch->lines, &record.uid);
  if (record.uid.start == NULL) twin->ts = keep_text(&batch->lines, &record.ts);
  return true;
}

static bool read_twins(struct batch *batch)
{
  batch->lines.length = 0;
  if (!buf_reserve(&batch->lines, batch->size) || !sort_twins(batch, twin_before)) return false;
  for (size_t i = 0; i < count_twins(batch); i++)
    if (!read_twin(batch, twin_at(batch, i))) return false;
  return true;
}

/* ---- which are items ---- */

static int compare_names(const struct twin *a, const struct twin *b)
{
  if (a->item.id != b->item.id) return a->item.id < b->item.id ? -1 : 1;
  int order = bytes_compare(a->uid, b->uid);
  return order != 0 ? order : bytes_compare(a->ts, b->ts);
}

/* By name, the highest `rev` first, and copies beside each other. */
static bool name_before(const void *context, uint32_t a, uint32_t b)
{
  const struct twin *one = twin_at(context, a), *other = twin_at(context, b);
  int order = compare_names(one, other);
  if (order != 0) return order < 0;
  if (one->rev != other->rev) return one->rev > other->rev;
  return bytes_compare(one->bytes, other->bytes) < 0;
}

static bool leave_out_replaced(struct batch *batch)
{
  size_t kept = 0;
  if (!sort_twins(batch, name_before)) return false;
  for (size_t i = 0; i < count_twins(batch); i++) {
    const struct twin *last = kept > 0 ? twin_at(batch, kept - 1) : NULL, *twin = twin_at(batch, i);
    bool replaced = last != NULL && compare_names(last, twin) == 0 &&
                    (last->rev > twin->rev || bytes_compare(last->bytes, twin->bytes) == 0);
    if (!replaced) *twin_at(batch, kept++) = *twin;
  }
  batch->twins.length = kept * sizeof(struct twin);
  return true;
}

/* ---- order ---- */

static bool twin_older(const void *context, uint32_t a, uint32_t b)
{
  const struct batch *batch = context;
  const struct twin *one = twin_at(context, a), *other = twin_at(context, b);
  uint64_t id = one->item.id, other_id = other->item.id;
  if (id != other_id) return id < other_id;
  int order = moment_compare(item_moment(batch->index, &one->item),
                             item_moment(batch->index, &other->item));
  if (order == 0) order = bytes_compare(one->uid, other->uid);
  if (order == 0) order = bytes_compare(one->bytes, other->bytes);
  return order < 0;
}

/* ---- the whole ---- */

/* Fills a batch with all items of some ids, from `place` on; false with errno ENOMEM. */
static bool fill(struct batch *batch, size_t *place)
{
  const struct index *index = batch->index;
  batch->twins.length = batch->size = 0;
  for (; *place < index->count; ++*place) {
    const struct twin twin = {.item = index->items[*place]};
    if (!index_shares_id(index, *place)) continue;
    bool first = *place == 0 || index->items[*place - 1].id != twin.item.id;
    if (first && batch->size > BATCH) return true;
    if (!BUF_PUSH(&batch->twins, &twin)) return false;
    batch->size += 2 * (size_t)item_length(&twin.item);
  }
  return true;
}

/* Moves the items of [from, to) to `out`, those of the batch in the place of those of their ids. */
static size_t spread(const struct batch *batch, struct item *items, size_t from, size_t to,
                     size_t out)
{
  const size_t count = count_twins(batch);
  const struct twin *twin = BUF_ITEMS(struct twin, &batch->twins);
  const struct twin *end = count > 0 ? twin + count : twin;
  while (from < to) {
    uint64_t id = items[from].id;
    if (twin == end || twin->item.id != id) {
      items[out++] = items[from++];
      continue;
    }
    while (from < to && items[from].id == id) from++;
    for (; twin < end && twin->item.id == id; twin++) items[out++] = twin->item;
  }
  return out;
}

bool twins_settle(struct index *index, struct window *window)
{
  struct batch batch = {.index = index, .window = window};
  const size_t count = index->count;
  size_t from = 0, to = 0, out = 0;
  bool done = true;
  for (; done && from < count; from = to) {
    done = fill(&batch, &to) && read_twins(&batch) && leave_out_replaced(&batch) &&
           sort_twins(&batch, twin_older);
    if (!done) { /* the rest stays */
      batch.twins.length = 0;
      to = count;
    }
    out = spread(&batch, index->items, from, to, out);
  }
  index->count = out;
  buf_free(&batch.twins);
  buf_free(&batch.lines);
  return done;
}
