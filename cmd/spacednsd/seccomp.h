#pragma once
/**
 * seccomp: the system calls that this process may make, from now on and for good.
 *
 * syscalls.def lists them, each group with its reason. Anything else ends the process (SIGSYS), so
 * that nothing can be tried twice; calls that a library only tries out get an error instead.
 *
 * Calls of the hot path are allowed whatever their arguments: the kernel then needs no look at the
 * filter (its cache of constant actions, Linux 5.11), else a binary tree of some eight steps.
 *
 * Built with libseccomp, or without it (without/seccomp.c).
 *
 * Sources: seccomp(2), seccomp_rule_add(3).
 * Threads: the filter is set for every thread of the process.  Memory: none is kept.
 */
#include <stdbool.h>

#include "base/err.h"

enum seccomp_mode {
    SECCOMP_KILLS, /* what is not listed ends the process */
    SECCOMP_LOGS,  /* it is allowed, and the kernel logs it */
};

/** "libseccomp", or NULL for a build without it. */
const char *seccomp_library(void);

/**
 * Returns false with *err, a clause: why there is no filter.
 *
 * may_listen  the process will listen at another socket: its control socket, when it takes over
 */
bool seccomp_enter(enum seccomp_mode mode, bool may_listen, struct err *err);
