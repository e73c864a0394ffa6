/* words.c: an inverted index that also finds parts of words.
 *
 * A token is a word as fold_word cuts it out of folded text. Each distinct one is kept once, with its
 * postings: the items that hold it, each with a count. A needle consists of letters and digits, so it
 * can only occur within a token: the text of all tokens, which is short, is searched, and the postings
 * of those that hold it are added up.
 *
 * Items are added in the order of their numbers. The last posting of a token is kept in the token
 * itself, as its item may hold the token again. The others are packed (see word.h) as the distance from
 * the previous item and the count. */
#include "text/words.h"

#include "base/sys.h"
#include "base/word.h"
#include "text/fold.h"
#include "base/hidden.h"

/* A byte less for each distinct word is a tenth less of what a small memory's index takes. */
struct token {
  uint32_t text; /* where it begins */
  uint32_t hash;
  uint32_t size; /* of the packed postings */
  uint32_t packed_item; /* of the last packed posting */
  uint32_t item, count; /* the last posting */
  union {
    unsigned char few[8], *many; /* the packed postings: see capacity_for */
  };
};

static struct token *tokens_of(const struct words *words)
{
  return BUF_ITEMS(struct token, &words->tokens);
}

static struct member *member_of(const struct words *words, size_t item)
{
  return &BUF_ITEMS(struct member, &words->members)[item];
}

static inline bool holds_few(const struct token *token)
{
  return token->size <= sizeof token->few;
}

void words_free(struct words *words)
{
  for (size_t i = 0; i < words->token_count; i++)
    if (!holds_few(&tokens_of(words)[i])) sys_free(tokens_of(words)[i].many);
  buf_free(&words->text);
  buf_free(&words->tokens);
  buf_free(&words->members);
  sys_free(words->slots);
  memset(words, 0, sizeof *words);
}

bool words_trim(struct words *words)
{
  return buf_trim(&words->text) && buf_trim(&words->tokens) && buf_trim(&words->members);
}

/* ---- postings ---- */

/* How much room there is for so many bytes: 8 in the token itself, else what malloc hands out for it, in
 * steps of a quarter to a half. */
static inline uint64_t capacity_for(uint64_t size)
{
  const uint64_t step = (uint64_t)1 << (62 - __builtin_clzll(size | 63));
  return ((size + 8 + step - 1) & ~(step - 1)) - 8;
}

static inline const unsigned char *postings_of(const struct token *token)
{
  return holds_few(token) ? token->few : token->many;
}

/* Where the next `more` bytes of packed postings go; NULL with errno ENOMEM. */
static unsigned char *reserve_posting(struct token *token, size_t more)
{
  const uint64_t size = (uint64_t)token->size + more;
  const size_t capacity = (size_t)capacity_for(size);
  if (size > sizeof token->few && capacity != capacity_for(token->size)) {
    unsigned char *many = NULL;
    if (size <= UINT32_MAX) many = sys_realloc(holds_few(token) ? NULL : token->many, capacity);
    if (many == NULL) {
      errno = ENOMEM;
      return NULL;
    }
    if (holds_few(token)) memcpy(many, token->few, token->size);
    token->many = many;
  }
  unsigned char *start = size <= sizeof token->few ? token->few : token->many;
  start += token->size;
  token->size = (uint32_t)size;
  return start;
}

/* The distance's lowest bit tells whether a count follows; most counts are 1. */
static bool add_posting(struct token *token, uint32_t item)
{
  if (token->item == item) {
    token->count++;
    return true;
  }
  unsigned char posting[10], *end = posting; /* a distance and a count */
  packed_put(&end, (uint64_t)(token->item - token->packed_item) << 1 | (token->count > 1));
  if (token->count > 1) packed_put(&end, token->count);
  unsigned char *place = reserve_posting(token, (size_t)(end - posting));
  if (place == NULL) return false;
  memcpy(place, posting, (size_t)(end - posting));
  token->packed_item = token->item;
  token->item = item;
  token->count = 1;
  return true;
}

/* ---- tokens ---- */

/* Where the space after a token is. */
static size_t token_end(const struct words *words, size_t token)
{
  const bool last = token + 1 == words->token_count;
  return (last ? words->text.length : tokens_of(words)[token + 1].text) - 1;
}

static bool is_token(const struct words *words, size_t number, const char *text, size_t length,
                     uint32_t hash)
{
  const struct token *token = &tokens_of(words)[number];
  return token->hash == hash && token_end(words, number) - token->text == length &&
         memcmp(words->text.data + token->text, text, length) == 0;
}

/* The slot of a token, or the empty one in which to put it. */
static uint32_t *find_slot(const struct words *words, const char *text, size_t length,
                           uint32_t hash)
{
  size_t i = hash & (words->slot_count - 1);
  while (words->slots[i] != 0 && !is_token(words, words->slots[i] - 1, text, length, hash))
    i = (i + 1) & (words->slot_count - 1);
  return &words->slots[i];
}

/* Keeps half of the slots empty. */
static bool reserve_slot(struct words *words)
{
  if (words->token_count < words->slot_count / 2) return true;
  size_t count = words->slot_count > 0 ? words->slot_count * 2 : 64;
  uint32_t *slots = sys_realloc(NULL, count * sizeof *slots);
  if (slots == NULL) return false;
  memset(slots, 0, count * sizeof *slots);
  for (size_t number = 0; number < words->token_count; number++) {
    size_t i = tokens_of(words)[number].hash & (count - 1);
    while (slots[i] != 0) i = (i + 1) & (count - 1);
    slots[i] = (uint32_t)number + 1;
  }
  sys_free(words->slots);
  words->slots = slots;
  words->slot_count = count;
  return true;
}

static bool add_token(struct words *words, const char *text, size_t length, uint32_t item)
{
  uint32_t hash = (uint32_t)hash_text(&words->key, text, length);
  if (!reserve_slot(words)) return false;
  uint32_t *slot = find_slot(words, text, length, hash);
  if (*slot != 0) return add_posting(&tokens_of(words)[*slot - 1], item);
  const struct token token = {
      .text = (uint32_t)words->text.length, .item = item, .count = 1, .hash = hash};
  if (words->text.length > UINT32_MAX) {
    errno = ENOMEM;
    return false;
  }
  if (!buf_reserve(&words->text, length + 1) || !BUF_PUSH(&words->tokens, &token)) return false;
  *slot = (uint32_t)++words->token_count;
  buf_put_bytes(&words->text, text, length);
  buf_put(&words->text, ' ');
  return true;
}

/* ---- items ---- */

bool words_begin(struct words *words)
{
  const struct member member = {0, 0};
  if (words->count == 0 && sys_random(&words->key, sizeof words->key) != 0) return false;
  if (!BUF_PUSH(&words->members, &member)) return false;
  words->count++;
  return true;
}

bool words_add(struct words *words, const char *text, size_t length)
{
  struct member *member = member_of(words, words->count - 1);
  const char *end = text + length, *word;
  size_t size;
  while ((word = fold_word(&text, end, &size)) != NULL) {
    if (!add_token(words, word, size, (uint32_t)words->count - 1)) return false;
    if (member->words == UINT16_MAX) continue;
    member->words++;
    words->total++;
  }
  return true;
}

void words_drop(struct words *words, size_t item)
{
  if (item < words->count) words->total -= words_in(words, item);
}

/* ---- finding ---- */

/* The token at a place in the text, from `low` on: exponential search, then binary search. */
static size_t token_at(const struct words *words, size_t low, size_t place)
{
  const struct token *tokens = tokens_of(words);
  size_t step = 1, high;
  for (; low + step < words->token_count && tokens[low + step].text <= place; step *= 2)
    low += step;
  high = low + step < words->token_count ? low + step : words->token_count;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    if (tokens[middle].text <= place) low = middle;
    else high = middle;
  }
  return low;
}

static bool add_holder(struct words *words, uint32_t item, uint64_t count, struct buf *holders)
{
  const struct holder holder = {item, 0};
  struct member *member = member_of(words, item);
  if (member->count == 0 && !BUF_PUSH(holders, &holder)) return false;
  count += member->count;
  member->count = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
  return true;
}

/* Adds up a token's postings, `times` for each of its occurrences. */
static bool add_holders(struct words *words, const struct token *token, uint64_t times,
                        struct buf *holders)
{
  uint32_t item = 0;
  const unsigned char *p = postings_of(token), *end = p + token->size;
  while (p < end) {
    uint64_t distance = packed_get(&p), count = 1;
    if (distance & 1) count = packed_get(&p);
    item += (uint32_t)(distance >> 1);
    if (!add_holder(words, item, count * times, holders)) return false;
  }
  return add_holder(words, token->item, token->count * times, holders);
}

/* Moves the sums from the items to the holders. */
void words_collect(struct words *words, struct buf *holders)
{
  struct holder *holder = BUF_ITEMS(struct holder, holders);
  for (size_t i = 0; i < BUF_COUNT(struct holder, holders); i++) {
    struct member *member = member_of(words, holder[i].item);
    holder[i].count = member->count;
    member->count = 0;
  }
}

bool words_find(struct words *words, const struct needle *needle, struct buf *holders)
{
  holders->length = 0;
  if (words->token_count == 0) return true;
  const char *text = words->text.data, *p = text, *all = text + words->text.length;
  size_t token = 0;
  while ((p = needle_find(needle, p, all)) != NULL) {
    token = token_at(words, token, (size_t)(p - text));
    const char *start = text + tokens_of(words)[token].text, *end = text + token_end(words, token);
    uint64_t weight = 0;
    for (; p != NULL; p = needle_find(needle, p + needle->length, end))
      weight += fold_weight(start, end, p, needle->length);
    if (!add_holders(words, &tokens_of(words)[token], weight, holders)) return false;
    p = end;
  }
  words_collect(words, holders);
  return true;
}

const char *words_token(const struct words *words, size_t number, size_t *length)
{
  const size_t start = tokens_of(words)[number].text;
  *length = token_end(words, number) - start;
  return words->text.data + start;
}

bool words_gather(struct words *words, size_t number, struct buf *holders)
{
  return add_holders(words, &tokens_of(words)[number], 1, holders);
}
