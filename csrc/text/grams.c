/* grams.c: terms as numbers of 64 bits, and a hash table of them.
 *
 * A run of four characters is the low 16 bits of each; a character of a script without spaces is its
 * code, two are theirs, of 32 bits each; a whole word is a hash. Terms of different kinds are the same
 * but by chance. They are cut out in batches, so that looking them up is a loop of its own. */
#include "text/grams.h"

#include <string.h>

#include "base/sys.h"
#include "base/utf8.h"
#include "text/fold.h"

struct gram {
  uint64_t term;
  uint32_t number; /* from 1 on; 0: the slot is empty */
};

/* ---- terms ---- */

/* Han, Hiragana, Katakana and Hangul. */
static bool is_dense(uint32_t code)
{
  return (code >= 0x1100 && code <= 0x11ff) || (code >= 0x3041 && code <= 0x31ff) ||
         (code >= 0x3400 && code <= 0x9fff) || (code >= 0xac00 && code <= 0xd7ff) ||
         (code >= 0xf900 && code <= 0xfaff) || (code >= 0xff66 && code <= 0xffdc) ||
         (code >= 0x20000 && code <= 0x3ffff);
}

/* The next character, 0 if it belongs to no word; a byte that is not UTF-8 is the surrogate that
 * stands for it in JSON. */
static inline uint32_t next_letter(const char **p, const char *end)
{
  const unsigned char byte = (unsigned char)**p;
  size_t size = 1;
  if ((byte >= 'a' && byte <= 'z') || is_digit((char)byte)) return (*p)++, byte;
  if (byte < 0x80) return (*p)++, 0;
  uint32_t code = utf8_decode(*p, (size_t)(end - *p), &size);
  *p += size;
  if (code == UTF8_INVALID) return 0xdc00U + byte;
  return fold_is_symbol(code) ? 0 : code;
}

static inline size_t add_letter(struct cut *cut, uint32_t code, uint64_t *terms)
{
  if (cut->count == 0) {
    cut->words += cut->previous == 0;
    cut->previous = 0;
    cut->run = ' ';
    cut->whole = 0x9e3779b97f4a7c15U;
    cut->count = 1;
  }
  cut->run = cut->run << 16 | (code & 0xffff);
  cut->whole = (cut->whole ^ code) * 0x9fb21c651e98df25U;
  terms[0] = cut->run;
  return ++cut->count >= 4;
}

static inline size_t end_run(struct cut *cut, uint64_t *terms)
{
  if (cut->count == 0) return 0;
  terms[0] = cut->run << 16 | ' ';
  terms[1] = cut->whole;
  cut->count = 0;
  return 2;
}

static size_t add_dense(struct cut *cut, uint32_t code, uint64_t *terms)
{
  const bool begins = cut->previous == 0;
  cut->words += begins && cut->count == 0;
  size_t added = end_run(cut, terms);
  terms[added++] = code;
  if (!begins) terms[added++] = (uint64_t)cut->previous << 32 | code;
  cut->previous = code;
  return added;
}

size_t cut_terms(struct cut *cut, uint64_t terms[CUT_TERMS])
{
  enum { MOST_AT_ONCE = 4 };
  struct cut state = *cut;
  size_t count = 0;
  while (state.p < state.end && count <= CUT_TERMS - MOST_AT_ONCE) {
    uint32_t code = next_letter(&state.p, state.end);
    if (code == 0) {
      count += end_run(&state, terms + count);
      state.previous = 0;
    } else if (code < 0x1100 || !is_dense(code)) {
      count += add_letter(&state, code, terms + count);
    } else {
      count += add_dense(&state, code, terms + count);
    }
  }
  if (state.p == state.end && count <= CUT_TERMS - MOST_AT_ONCE)
    count += end_run(&state, terms + count);
  *cut = state;
  return count;
}

/* ---- the table ---- */

/* The slot of a term, or the empty one in which to put it. Multiplied by a random odd number, two
 * terms have the same slot as rarely as by chance (Dietzfelbinger et al., "A reliable randomized
 * algorithm for the closest-pair problem", 1997). */
static inline struct gram *find_term(const struct grams *grams, uint64_t term)
{
  const size_t mask = ((size_t)1 << grams->bits) - 1;
  size_t i = (size_t)(term * grams->factor >> (64 - grams->bits));
  while (grams->slots[i].number != 0 && grams->slots[i].term != term) i = (i + 1) & mask;
  return &grams->slots[i];
}

/* Keeps seven of eight slots empty: most terms that are looked up are none of these. */
static bool reserve_term(struct grams *grams)
{
  const struct grams old = *grams;
  size_t had = old.slots != NULL ? (size_t)1 << old.bits : 0;
  if (grams->count < had / 8) return true;
  grams->bits = had > 0 ? old.bits + 1 : 10;
  size_t size = sizeof *old.slots << grams->bits;
  grams->slots = sys_realloc(NULL, size);
  if (grams->slots == NULL) {
    *grams = old;
    return false;
  }
  memset(grams->slots, 0, size);
  for (size_t i = 0; i < had; i++)
    if (old.slots[i].number != 0) *find_term(grams, old.slots[i].term) = old.slots[i];
  sys_free(old.slots);
  return true;
}

static bool add_terms(struct grams *grams, struct cut cut)
{
  uint64_t terms[CUT_TERMS];
  for (size_t count; (count = cut_terms(&cut, terms)) > 0;)
    for (size_t i = 0; i < count; i++) {
      if (!reserve_term(grams)) return false;
      struct gram *slot = find_term(grams, terms[i]);
      if (slot->number == 0) *slot = (struct gram){terms[i], (uint32_t)++grams->count};
    }
  return true;
}

/* Of a long text, the bytes in the middle are left out: what is asked stands before or after what was
 * pasted. */
static bool fold_ends(struct buf *folded, const char *text, size_t length)
{
  const size_t most = (size_t)32 * 1024;
  size_t half = length > most ? most / 2 : length;
  size_t rest = length > half ? half : 0;
  return fold(folded, text, half) && buf_add(folded, " ", 1) &&
         fold(folded, text + length - rest, rest);
}

bool grams_read(struct grams *grams, const char *text, size_t length)
{
  struct buf folded = {NULL, 0, 0};
  memset(grams, 0, sizeof *grams);
  if (sys_random(&grams->factor, sizeof grams->factor) != 0) return false;
  grams->factor |= 1;
  bool done = fold_ends(&folded, text, length) && reserve_term(grams) &&
              add_terms(grams, (struct cut){.p = folded.data, .end = folded.data + folded.length});
  buf_free(&folded);
  if (!done) return false;
  grams->counts = sys_realloc(NULL, (2 * grams->count + 1) * sizeof *grams->counts);
  if (grams->counts == NULL) return false;
  memset(grams->counts, 0, grams->count * sizeof *grams->counts);
  grams->found = grams->counts + grams->count;
  return true;
}

void grams_free(struct grams *grams)
{
  sys_free(grams->slots);
  sys_free(grams->counts);
  memset(grams, 0, sizeof *grams);
}

size_t grams_count(struct grams *grams, const char *text, size_t length)
{
  struct cut cut = {.p = text, .end = text + length};
  uint64_t terms[CUT_TERMS];
  for (size_t count; (count = cut_terms(&cut, terms)) > 0;)
    for (size_t i = 0; i < count; i++) {
      const uint32_t number = find_term(grams, terms[i])->number;
      if (number != 0 && grams->counts[number - 1]++ == 0)
        grams->found[grams->found_count++] = number - 1;
    }
  return cut.words;
}

void grams_clear(struct grams *grams)
{
  for (size_t i = 0; i < grams->found_count; i++) grams->counts[grams->found[i]] = 0;
  grams->found_count = 0;
}
