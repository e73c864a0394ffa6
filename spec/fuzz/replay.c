/* replay.c: runs a target once for each file that is named, and says how many there were. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

static void run(const char *path)
{
  FILE *file = fopen(path, "rb");
  CHECK(file != NULL && fseek(file, 0, SEEK_END) == 0);
  size_t size = (size_t)ftell(file);
  rewind(file);
  uint8_t *bytes = fuzz_alloc(NULL, size); /* of exactly this size, for the sanitizer to watch */
  CHECK(fread(bytes, 1, size, file) == size);
  fclose(file);
  LLVMFuzzerTestOneInput(bytes, size);
  free(bytes);
}

int main(int count, char **names)
{
  for (int i = 1; i < count; i++) {
    fprintf(stderr, "%s\n", names[i]); /* the last one named is the one that failed */
    run(names[i]);
  }
  printf("%d inputs\n", count - 1);
  return 0;
}
