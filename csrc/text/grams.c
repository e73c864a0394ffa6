/* grams.c: terms as numbers of 64 bits, and a hash table of them.
 *
 * A run of four characters is the low 16 bits of each; a character of a script without spaces is its
 * code, two are theirs, of 32 bits each; a whole word is a hash. Terms of different kinds are the same
 * but by chance. They are cut out in batches, so that looking them up is a loop of its own. */
#include "text/grams.h"

#include "base/sys.h"
#include "base/utf8.h"
#include "base/word.h"
#include "text/fold.h"
#include "base/hidden.h"

/* ---- terms ---- */

enum { RUN = 4, CUT_TERMS = 256 };

/* A folded text of which the terms are cut out. Begin with p and end, and the rest zero. */
struct cut {
  const char *p, *end;
  uint64_t run; /* the last four characters of the run */
  uint64_t whole; /* a hash of the run */
  uint32_t previous; /* the character before, of a script without spaces; 0: none */
  unsigned count; /* characters of the run, with the mark at its beginning; 0: there is none */
  size_t words; /* so far */
};

/* What a character adds to the hash of its word, by the run that it ends: no step waits for the one before. */
static inline uint64_t mix_run(uint64_t run)
{
  const uint64_t product = run * 0x9fb21c651e98df25U;
  return product ^ product >> 32;
}

/* Whether it is a letter or a digit of ASCII, which is folded. */
static inline bool is_plain(char byte)
{
  return ((unsigned char)(byte - 'a') < 26) | ((unsigned char)(byte - '0') < 10);
}

/* The next character, 0 if it belongs to no word; a byte that is not UTF-8 is the surrogate that
 * stands for it in JSON. */
static inline uint32_t next_letter(const char **p, const char *end)
{
  const unsigned char byte = (unsigned char)**p;
  size_t size = 1;
  if (byte < 0x80) return (*p)++, is_plain((char)byte) ? byte : 0;
  uint32_t code = utf8_decode(*p, (size_t)(end - *p), &size);
  *p += size;
  if (code == UTF8_INVALID) return 0xdc00U + byte;
  return fold_is_symbol(code) ? 0 : code;
}

/* Takes up a letter, and the letters of ASCII that follow it, up to `most`, which are most. */
static inline size_t add_letters(struct cut *cut, uint32_t code, uint64_t *terms, size_t most)
{
  if (cut->count == 0) {
    cut->words += cut->previous == 0;
    cut->previous = 0;
    cut->run = ' ';
    cut->whole = 0;
    cut->count = 1;
  }
  const char *p = cut->p, *stop = (size_t)(cut->end - p) > most ? p + most : cut->end;
  uint64_t run = cut->run, whole = cut->whole;
  unsigned count = cut->count;
  size_t added = 0;
  for (;; code = (unsigned char)*p++) {
    run = run << 16 | (code & 0xffff);
    whole += mix_run(run);
    terms[added] = run;
    added += ++count >= RUN;
    if (p == stop || !is_plain(*p)) break;
  }
  cut->p = p;
  cut->run = run;
  cut->whole = whole;
  cut->count = count;
  return added;
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

/* The next terms, in the order of the text; returns how many there are, 0 at the end. */
static size_t cut_terms(struct cut *cut, uint64_t terms[CUT_TERMS])
{
  enum { MOST = CUT_TERMS - 4 }; /* a character adds up to four */
  size_t count = 0;
  while (cut->p < cut->end && count <= MOST) {
    uint32_t code = next_letter(&cut->p, cut->end);
    if (code == 0) {
      count += end_run(cut, terms + count);
      cut->previous = 0;
    } else if (code < 0x1100 || !fold_is_dense(code)) {
      count += add_letters(cut, code, terms + count, MOST - count);
    } else {
      count += add_dense(cut, code, terms + count);
    }
  }
  if (cut->p == cut->end && count <= MOST) count += end_run(cut, terms + count);
  return count;
}

/* ---- the table ---- */

/* The slot of a term, or the empty one in which to put its number, from 1 on. The hash is multiplicative:
 * Dietzfelbinger et al., "A reliable randomized algorithm for the closest-pair problem", 1997. */
static inline uint32_t *find_term(const struct grams *grams, uint64_t term)
{
  const size_t mask = ((size_t)1 << grams->bits) - 1;
  size_t i = (size_t)(term * grams->factor >> (64 - grams->bits));
  while (grams->slots[i] != 0 && grams->terms[grams->slots[i] - 1] != term) i = (i + 1) & mask;
  return &grams->slots[i];
}

/* Makes room for so many terms. Most slots are empty: most terms that are looked up are none of these,
 * and one look should tell. */
static bool reserve_terms(struct grams *grams, size_t most)
{
  enum { SLOTS = 32, LEAST_BITS = 12 };
  for (grams->bits = LEAST_BITS; (size_t)1 << grams->bits < most * SLOTS;) grams->bits++;
  const size_t numbers = 2 * most + ((size_t)1 << grams->bits);
  grams->terms = sys_realloc(NULL, most * sizeof *grams->terms + numbers * sizeof *grams->counts);
  if (grams->terms == NULL) return false;
  grams->counts = (uint32_t *)(void *)(grams->terms + most);
  grams->found = grams->counts + most;
  grams->slots = grams->found + most;
  memset(grams->counts, 0, numbers * sizeof *grams->counts);
  return true;
}

static void add_terms(struct grams *grams, struct cut cut)
{
  uint64_t terms[CUT_TERMS];
  for (size_t count; (count = cut_terms(&cut, terms)) > 0;)
    for (size_t i = 0; i < count; i++) {
      uint32_t *slot = find_term(grams, terms[i]);
      if (*slot != 0) continue;
      grams->terms[grams->count++] = terms[i];
      *slot = (uint32_t)grams->count;
    }
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
  /* A word has at most one term more than bytes, and a byte follows it. */
  bool done = sys_random(&grams->factor, sizeof grams->factor) == 0 &&
              fold_ends(&folded, text, length) && reserve_terms(grams, folded.length + 1);
  grams->factor |= 1;
  if (done) add_terms(grams, (struct cut){.p = folded.data, .end = folded.data + folded.length});
  buf_free(&folded);
  return done;
}

void grams_free(struct grams *grams)
{
  sys_free(grams->terms);
  sys_free(grams->known);
  memset(grams, 0, sizeof *grams);
}

static inline void count_term(struct grams *grams, uint32_t number)
{
  if (grams->counts[number]++ == 0) grams->found[grams->found_count++] = number;
}

size_t grams_count(struct grams *grams, const char *text, size_t length)
{
  struct cut cut = {.p = text, .end = text + length};
  uint64_t terms[CUT_TERMS];
  for (size_t count; (count = cut_terms(&cut, terms)) > 0;)
    for (size_t i = 0; i < count; i++) {
      const uint32_t number = *find_term(grams, terms[i]);
      if (number != 0) count_term(grams, number - 1);
    }
  return cut.words;
}

void grams_clear(struct grams *grams)
{
  for (size_t i = 0; i < grams->found_count; i++) grams->counts[grams->found[i]] = 0;
  grams->found_count = 0;
}

/* ---- many texts ---- */

enum { KNOWN_BITS = 14, KNOWN_TERMS = 1 << 16, LONGEST_KNOWN = 15 };

struct known {
  uint64_t hash;
  uint32_t start, count; /* of its terms' numbers */
};

bool grams_prepare(struct grams *grams)
{
  const size_t size = sizeof *grams->known << KNOWN_BITS;
  grams->known = sys_realloc(NULL, size + KNOWN_TERMS * sizeof *grams->known_terms);
  if (grams->known == NULL) return false;
  grams->known_terms = (uint32_t *)(void *)(grams->known + ((size_t)1 << KNOWN_BITS));
  memset(grams->known, 0, size);
  return true;
}

/* Of eight folded bytes: the high bit of each that is no letter or digit of ASCII. No sum carries into
 * the next byte, as the high bits are masked out before. */
static inline uint64_t ends_in(uint64_t bytes)
{
  const uint64_t ones = 0x0101010101010101U, highs = 0x80 * ones, low = bytes & ~highs;
  const uint64_t letters = (low + (0x80 - 'a') * ones) & ~(low + (0x80 - 'z' - 1) * ones);
  const uint64_t digits = (low + (0x80 - '0') * ones) & ~(low + (0x80 - '9' - 1) * ones);
  return (~(letters | digits) | bytes) & highs;
}

/* The length of the word of up to 15 letters of ASCII at p, and its hash; 0: it is another. */
static inline size_t known_word(const struct grams *grams, const char *p, const char *end,
                                uint64_t *hash)
{
  if (end - p <= 16) return 0;
  uint64_t low = word_load(p), high = 0, ends = ends_in(low);
  size_t length = 0;
  if (ends == 0) {
    high = low * grams->factor;
    low = word_load(p + 8);
    ends = ends_in(low);
    length = 8;
  }
  if (ends == 0) return 0;
  const unsigned bits = (unsigned)__builtin_ctzll(ends) - 7;
  length += bits / 8;
  low &= ((uint64_t)1 << bits) - 1;
  high ^= high >> 32;
  *hash = ((low + high) ^ length) * grams->factor;
  return (unsigned char)p[length] < 0x80 ? length : 0;
}

/* Takes up a word of up to 15 letters, which has no more terms than letters and one. */
static void learn_word(struct grams *grams, struct known *known, const char *word, size_t length)
{
  struct cut cut = {.p = word, .end = word + length};
  uint64_t terms[CUT_TERMS];
  if (grams->known_count + LONGEST_KNOWN + 1 > KNOWN_TERMS) {
    memset(grams->known, 0, sizeof *grams->known << KNOWN_BITS);
    grams->known_count = 0;
  }
  known->start = (uint32_t)grams->known_count;
  for (size_t i = 0, count = cut_terms(&cut, terms); i < count; i++) {
    const uint32_t number = *find_term(grams, terms[i]);
    if (number != 0) grams->known_terms[grams->known_count++] = number - 1;
  }
  known->count = (uint32_t)grams->known_count - known->start;
}

static inline void survey_word(struct grams *grams, const char *word, size_t length, uint64_t hash)
{
  struct known *known = &grams->known[hash >> (64 - KNOWN_BITS)];
  if (known->hash != hash) {
    learn_word(grams, known, word, length);
    known->hash = hash;
  }
  for (uint32_t i = 0; i < known->count; i++)
    count_term(grams, grams->known_terms[known->start + i]);
}

size_t grams_survey(struct grams *grams, const char *text, size_t length)
{
  const char *p = text, *end = text + length;
  size_t words = 0, size;
  uint64_t hash;
  while (p < end) {
    if ((unsigned char)*p < 0x80 && !is_plain(*p)) {
      p++;
    } else if ((size = known_word(grams, p, end, &hash)) > 0) {
      survey_word(grams, p, size, hash);
      words++;
      p += size;
    } else {
      const char *word = fold_word(&p, end, &size);
      words += word != NULL ? grams_count(grams, word, size) : 0;
    }
  }
  return words;
}
