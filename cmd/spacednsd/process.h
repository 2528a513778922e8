#pragma once
/**
 * What the kernel knows of this process: memory, descriptors, processor time.
 *
 * The files of /proc are opened before the sandbox, which would refuse them.
 *
 * Threads: the control thread.  Memory: two descriptors.
 */
#include <stdbool.h>
#include <stdint.h>

struct process {
    int memory;       /* /proc/self/statm; -1: it cannot be read */
    int folder;       /* /proc/self/fd; likewise */
    double started_s; /* since 1970 */
};

struct process_use {
    bool has_memory, has_descriptors, has_limit;
    uint64_t memory_bytes;
    uint64_t descriptors;
    uint64_t descriptors_most;
    double cpu_seconds;
};

void process_open(struct process *process);

void process_read(const struct process *process, struct process_use *use);

void process_close(struct process *process);
