#pragma once
/**
 * Facts of the host that a DNS server depends on: kernel, socket buffers, UDP counters, limits,
 * interfaces. No addresses, no host name.
 *
 * Threads: one.  Memory: short-lived.
 */
#include <stdio.h>

/** server  the process whose limits are printed; 0: this one */
void support_host_print(long long server, FILE *out);
