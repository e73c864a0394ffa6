/* sort.c: merge sort from the bottom up; runs that are in order already are not merged. */
#include "base/sort.h"

#include <string.h>

#include "base/sys.h"

typedef bool (*before_function)(const void *context, uint32_t a, uint32_t b);

static void merge(uint32_t *positions, size_t middle, size_t count, uint32_t *left,
                  before_function before, const void *context)
{
  if (!before(context, positions[middle], positions[middle - 1])) return;
  memcpy(left, positions, middle * sizeof *left);
  size_t i = 0, j = middle, out = 0;
  while (i < middle && j < count)
    positions[out++] = before(context, positions[j], left[i]) ? positions[j++] : left[i++];
  memcpy(positions + out, left + i, (middle - i) * sizeof *left);
}

static bool is_sorted(const uint32_t *positions, size_t count, before_function before,
                      const void *context)
{
  for (size_t i = 1; i < count; i++)
    if (before(context, positions[i], positions[i - 1])) return false;
  return true;
}

bool sort_positions(uint32_t *positions, size_t count, before_function before, const void *context)
{
  if (is_sorted(positions, count, before, context)) return true;
  uint32_t *left = sys_realloc(NULL, count * sizeof *left);
  if (left == NULL) return false;
  for (size_t width = 1; width < count; width *= 2)
    for (size_t start = 0; start + width < count; start += 2 * width) {
      size_t rest = count - start;
      merge(positions + start, width, rest < 2 * width ? rest : 2 * width, left, before, context);
    }
  sys_free(left);
  return true;
}
