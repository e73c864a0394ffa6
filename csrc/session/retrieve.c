/* retrieve.c: BM25 over the terms of a text (see grams.h), of which any counts, among the records. To
 * one's score comes a part of what the one before it has, as an answer follows its question.
 *
 * 1. Of each record that has terms of the text, or follows one, a note is kept: its place, its length,
 *    and how often it has which term, packed in numbers of seven bits per byte, the lowest first.
 * 2. When all are known, the notes are scored. Where they take too much memory, only what the weights
 *    need is kept, and the files are looked through once more, each record being scored as it comes.
 * 3. Of what has a score, no more than a few times the limit is held. */
#include "session/retrieve.h"

#include "base/hash.h"
#include "base/sort.h"
#include "base/word.h"
#include "text/bm25.h"
#include "text/fold.h"
#include "base/hidden.h"

/* What of the score of the record before counts. */
static const double SHARE = 0.4;

enum { NOTES_MOST = 32 << 20 };

struct place {
  uint64_t offset, number; /* of the record, of its line */
  uint64_t hash; /* of its bytes */
  uint32_t source, length;
};

struct note {
  struct place place;
  int64_t second; /* when it was said */
  size_t words, packed; /* in the record; bytes of the counts, which follow */
  bool wanted, follows; /* it passes the filter; the record before has a note, too */
};

struct found {
  struct place place;
  double score;
};

bool retrieve_begin(struct retrieval *retrieval, const char *text, size_t length)
{
  const struct retrieval asked = {
      .filter = retrieval->filter, .limit = retrieval->limit, .half_life = retrieval->half_life};
  struct grams *grams = &retrieval->grams;
  retrieve_free(retrieval);
  *retrieval = asked;
  if (!grams_read(grams, text, length) || !grams_prepare(grams)) return false;
  const size_t marks = grams->count / 64 + 1;
  retrieval->weights = sys_realloc(NULL, (grams->count + 1) * sizeof *retrieval->weights);
  retrieval->marks = sys_realloc(NULL, marks * sizeof *retrieval->marks);
  if (retrieval->weights == NULL || retrieval->marks == NULL) return false;
  for (size_t i = 0; i < grams->count; i++) retrieval->weights[i] = 0;
  memset(retrieval->marks, 0, marks * sizeof *retrieval->marks);
  retrieval->weighed = grams->count == 0;
  retrieval->now = sys_time();
  return true;
}

void retrieve_free(struct retrieval *retrieval)
{
  grams_free(&retrieval->grams);
  sys_free(retrieval->weights);
  sys_free(retrieval->marks);
  buf_free(&retrieval->notes);
  buf_free(&retrieval->sources);
  buf_free(&retrieval->found);
  said_free(&retrieval->said);
  window_close(&retrieval->window);
  retrieval->weights = NULL;
  retrieval->marks = NULL;
}

/* ---- notes ---- */

/* Packs the terms that were counted, in the order of their numbers, so that two records that have the
 * same have the same score. */
static void pack_counts(struct retrieval *retrieval)
{
  const struct grams *grams = &retrieval->grams;
  struct buf *notes = &retrieval->notes;
  unsigned char *p = (unsigned char *)notes->data + notes->length;
  uint32_t next = 0;
  for (size_t i = 0; i < grams->found_count; i++)
    retrieval->marks[grams->found[i] / 64] |= 1ULL << grams->found[i] % 64;
  for (uint32_t i = 0; i < grams->count; i += 64) {
    uint64_t *marks = &retrieval->marks[i / 64];
    for (; *marks != 0; *marks &= *marks - 1) {
      uint32_t term = i + (uint32_t)__builtin_ctzll(*marks);
      packed_put(&p, term - next);
      packed_put(&p, grams->counts[term]);
      next = term + 1;
    }
  }
  notes->length = (size_t)((char *)p - notes->data);
}

/* Takes down the record whose terms were counted. */
static bool take_note(struct retrieval *retrieval, struct note *note)
{
  struct buf *notes = &retrieval->notes;
  const size_t start = notes->length;
  if (!buf_reserve(notes, sizeof *note + retrieval->grams.found_count * 2 * PACKED_LONGEST))
    return false;
  notes->length += sizeof *note;
  pack_counts(retrieval);
  note->packed = notes->length - start - sizeof *note;
  memcpy(notes->data + start, note, sizeof *note);
  return true;
}

/* ---- scores ---- */

static bool comes_before(const void *context, uint32_t a, uint32_t b)
{
  const struct found *found = BUF_ITEMS(struct found, &((const struct retrieval *)context)->found);
  const struct place *place = &found[a].place, *other = &found[b].place;
  if (found[a].score != found[b].score) return found[a].score > found[b].score;
  if (place->source != other->source) return place->source < other->source;
  return place->offset > other->offset;
}

static void leave_best(struct retrieval *retrieval)
{
  struct buf *found = &retrieval->found;
  size_t count = sort_first(found->data, BUF_COUNT(struct found, found), sizeof(struct found),
                            retrieval->limit, comes_before, retrieval);
  found->length = count * sizeof(struct found);
}

static bool add_found(struct retrieval *retrieval, const struct note *note, double score)
{
  const struct found found = {note->place, score};
  const size_t few = 8192, count = BUF_COUNT(struct found, &retrieval->found);
  if (count >= few && count / 2 >= retrieval->limit) leave_best(retrieval);
  return BUF_PUSH(&retrieval->found, &found);
}

/* What a record has by itself; moves *p past its counts. */
static double score_counts(const struct retrieval *retrieval, const struct note *note,
                           const unsigned char **p)
{
  const double length = (double)note->words / retrieval->mean;
  double score = 0;
  uint32_t term = 0;
  for (const unsigned char *end = *p + note->packed; *p < end; term++) {
    term += (uint32_t)packed_get(p);
    score += bm25_term(retrieval->weights[term], (double)packed_get(p), length);
  }
  return score;
}

static bool score_note(struct retrieval *retrieval, const unsigned char **p)
{
  struct note note;
  memcpy(&note, *p, sizeof note);
  *p += sizeof note;
  double own = score_counts(retrieval, &note, p);
  double score = own + (note.follows ? SHARE * retrieval->previous : 0);
  retrieval->previous = own;
  if (!note.wanted || (score <= 0 && retrieval->grams.count > 0)) return true;
  return add_found(retrieval, &note,
                   score * faded(retrieval->half_life, retrieval->now, note.second));
}

static bool score_notes(struct retrieval *retrieval)
{
  const unsigned char *p = (const unsigned char *)retrieval->notes.data;
  const unsigned char *end = p != NULL ? p + retrieval->notes.length : p;
  bool done = true;
  while (done && p < end) done = score_note(retrieval, &p);
  retrieval->notes.length = 0;
  return done;
}

/* ---- records ---- */

static bool count_string(void *context, const struct slice *string)
{
  struct retrieval *retrieval = context;
  const struct buf *folded = &retrieval->said.folded;
  if (!said_take(&retrieval->said, string)) return false;
  retrieval->length += grams_survey(&retrieval->grams, folded->data, folded->length);
  return true;
}

/* Takes the record into account, where the weights are not known. */
static void count_turn(struct retrieval *retrieval)
{
  const struct grams *grams = &retrieval->grams;
  if (retrieval->weighed) return;
  retrieval->turns++;
  retrieval->words += retrieval->length;
  for (size_t i = 0; i < grams->found_count; i++) retrieval->weights[grams->found[i]]++;
}

/* What has the place of a record when it is read again is that record, if it has its hash. */
static uint64_t hash_turn(const struct turn *turn)
{
  return hash_text_alike(turn->start, (size_t)(turn->end - turn->start));
}

/* Notes the record, and scores it if that can be done. */
static bool note_turn(struct retrieval *retrieval, const struct turn *turn)
{
  const struct line *line = &retrieval->line;
  struct note note = {.place = {line->offset + (uint64_t)(turn->start - line->text), line->number,
                                hash_turn(turn),
                                (uint32_t)BUF_COUNT(struct source, &retrieval->sources) - 1,
                                (uint32_t)(turn->end - turn->start)},
                      .second = MOMENT_NONE,
                      .words = retrieval->length,
                      .follows = retrieval->follows};
  struct moment moment;
  int passes = turn_passes(turn, &retrieval->filter, &retrieval->said.decoded);
  if (passes < 0) return false;
  note.wanted = passes > 0;
  if (note.wanted && retrieval->half_life > 0) {
    if (!turn_moment(turn, &retrieval->said.decoded, &moment)) return false;
    note.second = moment_seconds(moment);
  }
  if (retrieval->forgetful && !retrieval->weighed) return true;
  if (!take_note(retrieval, &note)) return false;
  if (retrieval->weighed) return score_notes(retrieval);
  if (retrieval->notes.length > NOTES_MOST) {
    retrieval->forgetful = true;
    buf_free(&retrieval->notes);
  }
  return true;
}

static bool look_at_turn(void *context, const struct turn *turn)
{
  struct retrieval *retrieval = context;
  const bool blank = retrieval->grams.count == 0;
  if (!turn->is_turn) return true;
  retrieval->length = 0;
  bool done = blank || turn_strings(turn, count_string, retrieval);
  const bool has = retrieval->grams.found_count > 0;
  if (done) count_turn(retrieval);
  if (done && (has || retrieval->follows || blank)) done = note_turn(retrieval, turn);
  retrieval->follows = has;
  grams_clear(&retrieval->grams);
  return done;
}

/* ---- files ---- */

bool retrieve_look(struct retrieval *retrieval, int fd, const struct stat *st, size_t file)
{
  const struct source source = {st->st_dev, st->st_ino, file};
  struct line *line = &retrieval->line;
  struct lines lines;
  int result;
  bool done = true;
  if (!BUF_PUSH(&retrieval->sources, &source)) return false;
  retrieval->follows = false;
  lines_open(&lines, fd, 0);
  while (done && (result = lines_next(&lines, line)) > 0)
    if (!line->hopeless) done = turn_each(line->text, line->newline, look_at_turn, retrieval);
  lines_close(&lines);
  return done && result == 0;
}

bool retrieve_is_full(const struct retrieval *retrieval)
{
  return retrieval->grams.count == 0 &&
         BUF_COUNT(struct found, &retrieval->found) >= retrieval->limit;
}

int retrieve_weigh(struct retrieval *retrieval)
{
  if (!retrieval->weighed) {
    double *weights = retrieval->weights, turns = (double)retrieval->turns;
    retrieval->mean = (double)retrieval->words / turns;
    for (size_t i = 0; i < retrieval->grams.count; i++)
      weights[i] = bm25_term_idf(turns, weights[i]);
    retrieval->weighed = true;
    if (!retrieval->forgetful && !score_notes(retrieval)) return -1;
    if (retrieval->forgetful) return 1;
  }
  leave_best(retrieval);
  return sort_elements(retrieval->found.data, retrieve_count(retrieval), sizeof(struct found),
                       comes_before, retrieval)
             ? 0
             : -1;
}

/* ---- hits ---- */

size_t retrieve_count(const struct retrieval *retrieval)
{
  return BUF_COUNT(struct found, &retrieval->found);
}

static const struct source *source_of(const struct retrieval *retrieval, size_t index)
{
  const struct found *found = BUF_ITEMS(struct found, &retrieval->found);
  return &BUF_ITEMS(struct source, &retrieval->sources)[found[index].place.source];
}

size_t retrieve_file(const struct retrieval *retrieval, size_t index)
{
  return source_of(retrieval, index)->file;
}

/* Keeps the word that weighs most, the first of those. */
static bool weigh_string(void *context, const struct slice *string)
{
  struct retrieval *retrieval = context;
  struct grams *grams = &retrieval->grams;
  if (!said_take(&retrieval->said, string)) return false;
  const struct buf *folded = &retrieval->said.folded;
  const char *p = folded->data, *end = p + folded->length, *word;
  for (size_t length; (word = fold_word(&p, end, &length)) != NULL;) {
    double weight = 0;
    grams_count(grams, word, length);
    for (size_t i = 0; i < grams->found_count; i++) weight += retrieval->weights[grams->found[i]];
    grams_clear(grams);
    if (weight <= retrieval->best) continue;
    retrieval->best = weight;
    retrieval->text = *string;
    retrieval->place = (size_t)(word - folded->data);
  }
  return true;
}

/* Gives a hit the text around that word; without one, the beginning of what the turn says. */
static bool find_excerpt(struct retrieval *retrieval, const struct turn *turn, struct hit *hit)
{
  struct buf *decoded = &retrieval->said.decoded;
  retrieval->best = 0;
  retrieval->place = 0;
  if (!turn_strings(turn, weigh_string, retrieval)) return false;
  decoded->length = 0;
  bool done = buf_reserve(decoded, 1);
  if (retrieval->best > 0) done = done && slice_append(&retrieval->text, decoded);
  else if (turn->content != NULL) done = done && turn_text(turn, decoded);
  if (done) hit->text = said_excerpt(&retrieval->said, retrieval->place);
  return done;
}

int retrieve_hit(struct retrieval *retrieval, size_t index, int fd, const struct stat *st,
                 struct hit *hit, double *score)
{
  const struct found *found = &BUF_ITEMS(struct found, &retrieval->found)[index];
  const struct source *source = source_of(retrieval, index);
  struct turn turn;
  if (source->device != st->st_dev || source->inode != st->st_ino) return 0;
  window_close(&retrieval->window);
  window_open(&retrieval->window, fd);
  hit->record = window_line(&retrieval->window, found->place.offset, found->place.length);
  if (hit->record == NULL) return errno == 0 ? 0 : -1;
  if (!turn_parse(hit->record, &turn) || turn.end != hit->record + found->place.length ||
      hash_turn(&turn) != found->place.hash)
    return 0;
  hit->number = found->place.number;
  *score = found->score;
  return find_excerpt(retrieval, &turn, hit) ? 1 : -1;
}
