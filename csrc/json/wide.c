/* wide.c: what is wrong with a byte shows in it and the one before it. Three tables, for the two
 * halves of that one and the upper half of this, say which of eight faults are possible; those that
 * all three name are there (Keiser and Lemire, "Validating UTF-8 in less than one instruction per
 * byte", 2021). A second continuation byte in a row is one of them, and right if a character of
 * three or four bytes began before it. */
#include "json/wide.h"

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define TARGET __attribute__((target("avx2")))
#elif defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>
#define TARGET
#endif

#if defined(TARGET)
typedef uint8_t bytes __attribute__((vector_size(WIDE_STEP)));
typedef int8_t signed_bytes __attribute__((vector_size(WIDE_STEP)));

enum fault {
  LACK = 0x01, /* no continuation byte where one must be */
  LONE = 0x02, /* one after ASCII */
  OVER_2 = 0x04, /* more bytes than the character needs: two, */
  OVER_3 = 0x08, /* three, */
  OVER_4 = 0x10, /* or four; also U+140000 and above */
  BEYOND = 0x20, /* U+110000 and above */
  HALF = 0x40, /* a surrogate */
  NEXT = 0x80, /* a second continuation byte */
};

/* After a byte with this upper half, */
enum { A_C = LACK | OVER_2, A_E = LACK | OVER_3 | HALF, A_F = LACK | BEYOND | OVER_4 };
static const uint8_t AFTER_UPPER[16] = {LONE, LONE, LONE, LONE, LONE, LONE, LONE, LONE,
                                        NEXT, NEXT, NEXT, NEXT, A_C,  LACK, A_E,  A_F};
/* after one with this lower half, */
enum {
  B_2 = LACK | LONE | NEXT,
  B_0 = B_2 | OVER_2 | OVER_3 | OVER_4,
  B_1 = B_2 | OVER_2,
  B_4 = B_2 | BEYOND,
  B_5 = B_2 | BEYOND | OVER_4,
  B_D = B_5 | HALF
};
static const uint8_t AFTER_LOWER[16] = {B_0, B_1, B_2, B_2, B_4, B_5, B_5, B_5,
                                        B_5, B_5, B_5, B_5, B_5, B_D, B_5, B_5};
/* and in one with this upper half. */
enum {
  C_8 = LONE | NEXT | OVER_2 | OVER_3 | OVER_4,
  C_9 = LONE | NEXT | OVER_2 | OVER_3 | BEYOND,
  C_A = LONE | NEXT | OVER_2 | HALF | BEYOND
};
static const uint8_t UPPER[16] = {LACK, LACK, LACK, LACK, LACK, LACK, LACK, LACK,
                                  C_8,  C_9,  C_A,  C_A,  LACK, LACK, LACK, LACK};

/* The table's entries for numbers below 16. */
#if defined(__x86_64__)
#define look(table, numbers)                                                                       \
  ((bytes)_mm256_shuffle_epi8(                                                                     \
      _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(table))),        \
      (__m256i)(numbers)))
#else
#define look(table, numbers) ((bytes)vqtbl1q_u8(vld1q_u8(table), (uint8x16_t)(numbers)))
#endif

/* How many bytes are not wrong, before the first that is. */
TARGET static inline unsigned count_right(const bytes *wrong)
{
#if defined(__x86_64__)
  unsigned right = (unsigned)_mm256_movemask_epi8((__m256i)(*wrong == 0));
  return right == UINT32_MAX ? WIDE_STEP : (unsigned)__builtin_ctz(~right);
#else
  uint8x8_t halves = vshrn_n_u16(vreinterpretq_u16_u8((uint8x16_t)(*wrong == 0)), 4);
  uint64_t right = vget_lane_u64(vreinterpret_u64_u8(halves), 0);
  return right == UINT64_MAX ? WIDE_STEP : (unsigned)__builtin_ctzll(~right) / 4;
#endif
}

TARGET static inline void find_wrong(const char *p, bytes *wrong)
{
  bytes here, before, second, third;
  memcpy(&here, p, sizeof here);
  memcpy(&before, p - 1, sizeof before);
  memcpy(&second, p - 2, sizeof second);
  memcpy(&third, p - 3, sizeof third);
  bytes faults =
      look(AFTER_UPPER, before >> 4) & look(AFTER_LOWER, before & 15) & look(UPPER, here >> 4);
  bytes inside = ((bytes)((signed_bytes)second > (int8_t)0xdf) & second) |
                 ((bytes)((signed_bytes)third > (int8_t)0xef) & third);
  /* As in span_mask. */
  bytes escapes =
      (bytes)((signed_bytes)(here ^ 0x82) < (int8_t)(0x21 ^ 0x80)) | (bytes)(here == '\\');
  *wrong = (faults ^ (inside & NEXT)) | escapes;
}

bool wide_is_there(void)
{
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2");
#else
  return true;
#endif
}

TARGET const char *wide_copy(const char *p, const char *end, char *out)
{
  for (; end - p >= WIDE_STEP; p += WIDE_STEP, out += WIDE_STEP) {
    bytes wrong;
    find_wrong(p, &wrong);
    memcpy(out, p, WIDE_STEP);
    unsigned right = count_right(&wrong);
    if (right < WIDE_STEP) return p + right;
  }
  return p;
}
#else
bool wide_is_there(void)
{
  return false;
}

const char *wide_copy(const char *p, const char *end, char *out)
{
  (void)end, (void)out;
  return p;
}
#endif
