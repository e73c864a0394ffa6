/* lanes.h: a needle is looked for in four vectors of LANES bytes at a time. needle.c includes this for each
 * width, which is a part of the vectors' types. There are no intrinsics: compilers have these vectors for
 * any machine. They are passed by address, as how wide ones are passed by value depends on the target. */
#define lanes LANES_NAME(lanes)
#define signed_lanes LANES_NAME(signed_lanes)
#define is_wanted LANES_NAME(is_wanted)
#define likely LANES_NAME(likely)
#define any_likely LANES_NAME(any_likely)
#define look_closely LANES_NAME(look_closely)
#define LANES_STEP (4 * LANES)
#define INLINE LANES_TARGET __attribute__((always_inline)) static inline

typedef uint8_t lanes __attribute__((vector_size(LANES)));
typedef int8_t signed_lanes __attribute__((vector_size(LANES)));

INLINE void is_wanted(const struct wanted *wanted, const lanes *bytes, lanes *is)
{
  *is = (lanes)((*bytes | wanted->bits) == wanted->byte);
}

/* Sets the high bit of each byte of *found where, from p on, the three may begin; if not `closely`, only
 * where all three are plain, and where something is not plain. */
INLINE void likely(const struct three *three, const char *p, bool closely, lanes *found)
{
  lanes here, next, last, first, second, third, letter;
  memcpy(&here, p, sizeof here);
  memcpy(&next, p + 1, sizeof next);
  memcpy(&last, p + 2, sizeof last);
  is_wanted(&three->first, &here, &first);
  is_wanted(&three->second, &next, &second);
  is_wanted(&three->third, &last, &third);
  is_wanted(&three->letter, &next, &letter);
  const lanes escape = (lanes)(here == '\\') & letter;
  if (!closely) {
    *found = (first & second & third) | escape | (here & three->odd);
    return;
  }
  second &= third | (last & three->odd) | (lanes)(last == '\\');
  second |= (next & three->odd) | (lanes)(next == '\\');
  *found = (first & second) | escape | (lanes)((signed_lanes)(here - three->leads) < three->few);
}

INLINE bool any_likely(const struct three *three, const char *p, bool closely, lanes found[4])
{
  uint64_t words[LANES / 8], any = 0;
  likely(three, p, closely, &found[0]);
  likely(three, p + LANES, closely, &found[1]);
  likely(three, p + LANES + LANES, closely, &found[2]);
  likely(three, p + LANES + LANES + LANES, closely, &found[3]);
  const lanes all = found[0] | found[1] | found[2] | found[3];
  memcpy(words, &all, sizeof all);
  for (int i = 0; i < LANES / 8; i++) any |= words[i];
  return (any & HIGHS) != 0;
}

/* Takes two steps: where something is not plain, more of it is likely to follow. Not inlined, so that the
 * loop that calls it keeps no registers for it. */
LANES_TARGET static __attribute__((noinline)) bool
look_closely(const struct three *three, const char **p, const char *from, const char *end)
{
  lanes found[4];
  uint64_t bits;
  for (int i = 0; i < 2 && end - *p >= LANES_STEP + 2; i++, *p += LANES_STEP - 2) {
    if (!any_likely(three, *p, true, found)) continue;
    for (int at = 0; at < LANES_STEP; at += 8) {
      memcpy(&bits, (const char *)found + at, sizeof bits);
      for (bits = WORD_LOW_FIRST(64, bits) & HIGHS; bits != 0; bits &= bits - 1) {
        const char *place = *p + at + __builtin_ctzll(bits) / 8;
        if (is_around(three->needle, place, from, end, three->form)) return *p = place, true;
      }
    }
  }
  return false;
}

/* The steps overlap, so that of the three, the first is in the same one as any that is not plain. */
LANES_TARGET static bool LANES_NAME(look)(const struct three *of, const char **p, const char *from,
                                          const char *end)
{
  const struct three fixed = *of;
  bool done = false;
  lanes found[4];
  while (!done && end - *p >= LANES_STEP + 2)
    if (any_likely(&fixed, *p, false, found)) done = look_closely(of, p, from, end);
    else *p += LANES_STEP - 2;
  return done;
}

#undef lanes
#undef signed_lanes
#undef is_wanted
#undef likely
#undef any_likely
#undef look_closely
#undef INLINE
#undef LANES_STEP
#undef LANES
#undef LANES_NAME
#undef LANES_TARGET
