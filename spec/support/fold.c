/* fold.c: folds each line of the input, for fold_spec.lua. */
#define _POSIX_C_SOURCE 200809L /* getline */

#include "text/fold.h"

#include <stdio.h>
#include <stdlib.h>

int main(void)
{
  char *line = NULL;
  size_t size = 0;
  ssize_t length;
  struct buf out = {NULL, 0, 0};
  while ((length = getline(&line, &size, stdin)) > 0) {
    out.length = 0;
    if (!fold(&out, line, (size_t)length)) return EXIT_FAILURE;
    fwrite(out.data, 1, out.length, stdout);
  }
  buf_free(&out);
  free(line);
  return ferror(stdout) || ferror(stdin) ? EXIT_FAILURE : EXIT_SUCCESS;
}
