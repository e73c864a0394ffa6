/* fuzz.h: what the targets share.
 *
 * A target is a file with LLVMFuzzerTestOneInput, which libFuzzer, AFL++ and replay.c each call
 * with one input after the other. Whatever is wrong aborts. */
#ifndef AISH_FUZZ_H
#define AISH_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* How much the reader asks of the system at once; see blocks.h. */
extern size_t fuzz_block;

/* What csrc has done so far; see steps.c. */
extern uint64_t fuzz_steps;

/* Aborts unless the condition holds. */
#define CHECK(condition) ((condition) ? (void)0 : fuzz_wrong(#condition, __FILE__, __LINE__))
_Noreturn void fuzz_wrong(const char *condition, const char *file, int line);

/* malloc and realloc that abort instead of failing. */
void *fuzz_alloc(void *block, size_t size);

/* A file in memory, one a process, that holds these bytes and no others. */
int fuzz_file(const void *bytes, size_t size);

/* A directory of the process's own, removed with all that is in it when the process exits. */
const char *fuzz_directory(void);
void fuzz_empty_directory(void);

/* The active item that stands at an offset, or NULL. */
struct index;
const struct item *fuzz_item_at(const struct index *index, uint64_t offset);

/* The number that the next open would give: it changes if a descriptor was left open. */
int fuzz_next_descriptor(void);

#endif
