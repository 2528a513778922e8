#pragma once
/**
 * What a fuzz target is: one function that takes any octets and returns 0, or aborts when
 * an oracle or an invariant disagrees.
 *
 * libFuzzer calls it with inputs it invents (FUZZ=ON); replay.c calls it with every file of
 * tests/fuzz/corpus/<target>/, in every other build.
 */

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Optional: called once before the first input. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
