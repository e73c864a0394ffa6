/* grams.c: terms as numbers of 64 bits, and a hash table of them.
 *
 * A run of four characters is the low 16 bits of each; a character of a script without spaces is its
 * code, two are theirs, of 32 bits each; a whole word is its hash under the table's key. Terms of
 * different kinds are the same but by chance. */
#include "text/grams.h"

#include <string.h>

#include "base/sys.h"
#include "base/utf8.h"
#include "text/fold.h"

struct gram {
  uint64_t term;
  uint32_t number; /* from 1 on; 0: the slot is empty */
};

/* ---- the terms of a word ---- */

/* The next character; a byte that is not UTF-8 is the surrogate that stands for it in JSON. */
static uint32_t next_code(const char **p, const char *end)
{
  size_t size;
  uint32_t code = utf8_decode(*p, (size_t)(end - *p), &size);
  if (code == UTF8_INVALID) code = 0xdc00U + (unsigned char)**p;
  *p += size;
  return code;
}

/* The characters from p on, up to one of the other kind; their terms but the whole. */
static const char *add_runs(struct buf *terms, const char *p, const char *end)
{
  uint64_t run = ' ';
  int count = 1;
  while (p < end) {
    const char *before = p;
    uint32_t code = next_code(&p, end);
    if (fold_is_dense(code)) {
      p = before;
      break;
    }
    run = run << 16 | (code & 0xffff);
    if (++count >= 4 && !BUF_PUSH(terms, &run)) return NULL;
  }
  run = run << 16 | ' ';
  return BUF_PUSH(terms, &run) ? p : NULL;
}

static const char *add_pairs(struct buf *terms, const char *p, const char *end)
{
  uint64_t previous = 0;
  while (p < end) {
    const char *before = p;
    uint64_t code = next_code(&p, end), pair = previous << 32 | code;
    if (!fold_is_dense((uint32_t)code)) return before;
    if (!BUF_PUSH(terms, &code) || (previous != 0 && !BUF_PUSH(terms, &pair))) return NULL;
    previous = code;
  }
  return p;
}

/* Puts the terms of a word into grams->terms. */
static bool cut_word(struct grams *grams, const char *word, size_t length)
{
  const char *end = word + length, *next;
  struct buf *terms = &grams->terms;
  terms->length = 0;
  for (const char *p = word; p < end; p = next) {
    const char *second = p;
    bool dense = fold_is_dense(next_code(&second, end));
    next = dense ? add_pairs(terms, p, end) : add_runs(terms, p, end);
    if (next == NULL) return false;
    uint64_t whole = hash_text(&grams->key, p, (size_t)(next - p));
    if (!dense && !BUF_PUSH(terms, &whole)) return false;
  }
  return true;
}

/* ---- the table ---- */

/* The slot of a term, or the empty one in which to put it. Multiplied by a random odd number, two
 * terms have the same slot as rarely as by chance (Dietzfelbinger et al., "A reliable randomized
 * algorithm for the closest-pair problem", 1997). */
static struct gram *find_term(const struct grams *grams, uint64_t term)
{
  const size_t mask = ((size_t)1 << grams->bits) - 1;
  size_t i = (size_t)(term * (grams->key.low | 1) >> (64 - grams->bits));
  while (grams->slots[i].number != 0 && grams->slots[i].term != term) i = (i + 1) & mask;
  return &grams->slots[i];
}

/* Keeps half of the slots empty. */
static bool reserve_term(struct grams *grams)
{
  const struct grams old = *grams;
  size_t had = old.slots != NULL ? (size_t)1 << old.bits : 0;
  if (grams->count < had / 2) return true;
  grams->bits = had > 0 ? old.bits + 1 : 7;
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

static bool add_term(struct grams *grams, uint64_t term)
{
  if (!reserve_term(grams)) return false;
  struct gram *slot = find_term(grams, term);
  if (slot->number == 0) *slot = (struct gram){term, (uint32_t)++grams->count};
  return true;
}

bool grams_read(struct grams *grams, const char *text, size_t length)
{
  const char *end = text + length, *word;
  size_t size;
  memset(grams, 0, sizeof *grams);
  if (sys_random(&grams->key, sizeof grams->key) != 0) return false;
  while ((word = fold_word(&text, end, &size)) != NULL) {
    if (!cut_word(grams, word, size)) return false;
    const uint64_t *terms = BUF_ITEMS(uint64_t, &grams->terms);
    for (size_t i = 0; i < BUF_COUNT(uint64_t, &grams->terms); i++)
      if (!add_term(grams, terms[i])) return false;
  }
  return true;
}

void grams_free(struct grams *grams)
{
  sys_free(grams->slots);
  buf_free(&grams->terms);
  memset(grams, 0, sizeof *grams);
}

bool grams_find(struct grams *grams, const char *word, size_t length, struct buf *found)
{
  if (!cut_word(grams, word, length)) return false;
  const uint64_t *terms = BUF_ITEMS(uint64_t, &grams->terms);
  for (size_t i = 0; i < BUF_COUNT(uint64_t, &grams->terms); i++) {
    const struct gram *slot = find_term(grams, terms[i]);
    uint32_t number = slot->number - 1;
    if (slot->number != 0 && !BUF_PUSH(found, &number)) return false;
  }
  return true;
}
