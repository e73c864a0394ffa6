/* sort.c: merge sort from the bottom up, in which runs that are in order already are not merged. */
#include "base/sort.h"

#include "base/sys.h"
#include "base/hidden.h"

static void merge(uint32_t *positions, size_t middle, size_t count, uint32_t *left,
                  sort_before before, const void *context)
{
  if (!before(context, positions[middle], positions[middle - 1])) return;
  memcpy(left, positions, middle * sizeof *left);
  size_t i = 0, j = middle, out = 0;
  while (i < middle && j < count)
    positions[out++] = before(context, positions[j], left[i]) ? positions[j++] : left[i++];
  memcpy(positions + out, left + i, (middle - i) * sizeof *left);
}

uint32_t *sorted_positions(size_t count, sort_before before, const void *context)
{
  const size_t size = count * sizeof(uint32_t);
  uint32_t *positions = sys_realloc(NULL, size);
  uint32_t *left = positions != NULL ? sys_realloc(NULL, size) : NULL;
  if (left == NULL) {
    sys_free(positions);
    return NULL;
  }
  for (size_t i = 0; i < count; i++) positions[i] = (uint32_t)i;
  for (size_t width = 1; width < count; width *= 2)
    for (size_t start = 0; start + width < count; start += 2 * width) {
      size_t rest = count - start;
      merge(positions + start, width, rest < 2 * width ? rest : 2 * width, left, before, context);
    }
  sys_free(left);
  return positions;
}

bool sort_elements(void *elements, size_t count, size_t size, sort_before before,
                   const void *context)
{
  uint32_t in_order = 1;
  while (in_order < count && !before(context, in_order, in_order - 1)) in_order++;
  if (in_order >= count) return true;
  uint32_t *positions = sorted_positions(count, before, context);
  char *sorted = positions != NULL ? sys_realloc(NULL, count * size) : NULL;
  if (sorted != NULL) {
    for (size_t i = 0; i < count; i++)
      memcpy(sorted + i * size, (const char *)elements + positions[i] * size, size);
    memcpy(elements, sorted, count * size);
  }
  sys_free(positions);
  sys_free(sorted);
  return sorted != NULL;
}

/* Puts the element on top of a heap, which has the last one of all there, into its place. */
static void sift(char *heap, size_t size, uint32_t top, uint32_t count, sort_before before,
                 const void *context)
{
  for (uint32_t child; (child = 2 * top + 1) < count; top = child) {
    if (child + 1 < count && before(context, child, child + 1)) child++;
    if (!before(context, top, child)) break;
    for (char *a = heap + top * size, *b = heap + child * size, *end = a + size; a < end;
         a++, b++) {
      const char byte = *a;
      *a = *b;
      *b = byte;
    }
  }
}

size_t sort_first(void *elements, size_t count, size_t size, size_t most, sort_before before,
                  const void *context)
{
  char *heap = elements;
  if (most == 0 || count <= most) return most == 0 ? 0 : count;
  const uint32_t held = (uint32_t)most;
  for (uint32_t i = held / 2; i-- > 0;) sift(heap, size, i, held, before, context);
  for (uint32_t i = held; i < count; i++) {
    if (!before(context, i, 0)) continue;
    memcpy(heap, heap + i * size, size);
    sift(heap, size, 0, held, before, context);
  }
  return most;
}
