#pragma once
/**
 * A fuzz target: one function that takes any octets and returns 0, or aborts when an oracle or an
 * invariant disagrees.
 *
 * libFuzzer calls it with generated inputs (FUZZ=ON); in every other build, replay.c calls it with
 * every file of tests/fuzz/corpus/<target>/.
 */

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Optional: called once before the first input. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
