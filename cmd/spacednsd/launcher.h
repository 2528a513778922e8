#pragma once
/**
 * A small process beside the server that can start another program for it.
 *
 *     server ──launch PATH, 2 descriptors──► launcher ──fork, execve──► the new server
 *        ◄──started PID | refused SENTENCE──     │                        3 channel, 4 stderr
 *        ◄──ended PID STATUS──────────────────── ┘◄────────(wait)───────────┘
 *
 * It is forked before the server gives up the right to start programs, and ends with it. It knows
 * the command line and the environment of the start, and takes nothing from the server but a path,
 * so a server that an attacker has taken over can start the installed program again, and no other.
 *
 * What it starts must be called spacednsd, or spacednsd- and more, be a regular file that its owner
 * can execute and no other user can change, nor replace in any folder above it. The owner is root,
 * or, where `trusts_own_user`, the user of the launcher.
 *
 * The new process has the server's standard input and output; its standard error goes to the
 * server, which reads why a start fails. Descriptor LAUNCHED_CHANNEL is the server's (handover.h),
 * LAUNCHED_STDERR the true standard error, and SPACEDNS_HANDOVER is its process id. What the
 * service manager said to the first process alone (LISTEN_*, WATCHDOG_PID) is left out.
 *
 * Sources: execve(2), unix(7), sd_listen_fds(3).
 * Threads: launcher_start before any thread exists; the rest on the control thread.
 * Memory: the process allocates nothing after the fork.
 */
#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

enum { LAUNCHED_CHANNEL = 3, LAUNCHED_STDERR = 4, LAUNCHER_TEXT_MOST = 1024 };

/** The environment variable that tells a process that it was launched. */
#define LAUNCHED_VARIABLE "SPACEDNS_HANDOVER"

/** Behind the process id: the memory of the server is closed (privileges.h). */
#define LAUNCHED_CLOSED " closed"

struct launcher {
    int descriptor; /* non-blocking; -1: there is no launcher */
    pid_t pid;
};

struct launcher_options {
    char *const *argv;
    int standard_error;   /* of the start; what is launched gets it as LAUNCHED_STDERR */
    bool trusts_own_user; /* may start what the server's user owns */
};

/** Forks it. Returns false with *err. */
bool launcher_start(struct launcher *launcher, const struct launcher_options *options,
                    struct err *err);

/**
 * Requests the launch of a program, with the new process's end of the channel and of the pipe for
 * its standard error, which stay the caller's. Returns false when the launcher is gone.
 */
bool launcher_request(const struct launcher *launcher, const char *path, int channel, int error);

/** Requests the end of what was launched last (SIGKILL). */
void launcher_end(const struct launcher *launcher);

enum launcher_event {
    LAUNCHER_NOTHING,
    LAUNCHER_STARTED,
    LAUNCHER_REFUSED,
    LAUNCHER_ENDED,
    LAUNCHER_GONE
};

/**
 * Takes the next message; LAUNCHER_NOTHING: there is none. `pid` is set for STARTED and ENDED,
 * `text` for REFUSED (a sentence) and ENDED ("exit code 1", "signal 11 (Segmentation fault)").
 */
enum launcher_event launcher_take(const struct launcher *launcher, pid_t *pid,
                                  char text[LAUNCHER_TEXT_MOST]);

/** Ends the launcher; what it has launched goes on. */
void launcher_close(struct launcher *launcher);

/**
 * Checks a program as above. Returns false with *err, a sentence.
 *
 * real  the path without links that was checked: what `path` leads to may change at any time
 */
bool launcher_check(const char *path, bool trusts_own_user, char real[PATH_MAX], struct err *err);
