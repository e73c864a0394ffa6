/* objects.c: what objects_begin and objects_next make of each line of the standard input, whose
 * first byte is `m` in a memory and `s` elsewhere: a line for each, with `T` if it is torn, an `o`
 * with the offsets of each object and a `d` with those of the damage. Last comes the number of
 * steps: csrc is compiled with -fsanitize-coverage=trace-pc, which counts basic blocks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json/objects.h"
#include "json/span.h"

static unsigned long steps;

void __sanitizer_cov_trace_pc(void);

void __sanitizer_cov_trace_pc(void)
{
  steps++;
}

static void *checked(void *memory)
{
  if (memory == NULL) abort();
  return memory;
}

static char *read_all(FILE *file, size_t *length)
{
  size_t capacity = 1 << 16, got;
  char *text = checked(malloc(capacity + SPAN_PADDING));
  for (*length = 0; (got = fread(text + *length, 1, capacity - *length, file)) > 0;) {
    *length += got;
    if (*length == capacity) text = checked(realloc(text, (capacity *= 2) + SPAN_PADDING));
  }
  memset(text + *length, 0, SPAN_PADDING);
  return text;
}

/* The line is copied, so that a sanitizer or valgrind sees what reads beyond its padding. */
static void show(const char *line, size_t length, int memory)
{
  struct objects objects;
  struct part part;
  char *copy = checked(calloc(length + 1 + SPAN_PADDING, 1));
  memcpy(copy, line, length);
  copy[length] = '\n';
  objects_begin(&objects, copy, copy + length, memory);
  printf(objects.torn ? "T" : "-");
  while (objects_next(&objects, &part))
    printf(" %c%d-%d", part.reason == NULL ? 'o' : 'd', (int)(part.start - copy),
           (int)(part.end - copy));
  printf("\n");
  free(copy);
}

int main(void)
{
  size_t length;
  char *text = read_all(stdin, &length), *newline;
  for (char *line = text; line < text + length; line = newline + 1) {
    newline = memchr(line, '\n', (size_t)(text + length - line));
    if (newline == NULL) return 1;
    show(line + 1, (size_t)(newline - line - 1), *line == 'm');
  }
  free(text);
  printf("%lu steps\n", steps);
  return 0;
}
