#pragma once
/**
 * Logs whom the control socket has refused a command: once a minute for each user, so that a script
 * that tries again and again does not fill the log.
 *
 *     ... warning control_refused by=1000 user=alice command=reload text="..."
 *
 * Of many users at once the last REFUSALS_USERS_MOST are remembered.
 *
 * Threads: one.  Memory: never allocates.
 */
#include <stddef.h>
#include <stdint.h>

#include "control/command.h"
#include "control/peer.h"

enum { REFUSALS_USERS_MOST = 8, REFUSALS_QUIET_MS = 60000 };

struct refusals {
    struct {
        uid_t uid;
        uint64_t until_ms; /* not logged again before; 0: nobody */
    } users[REFUSALS_USERS_MOST];
    size_t next; /* the one remembered longest */
};

/** Logs a refusal, unless one of this user was logged within the last minute. */
void refusals_log(struct refusals *refusals, const struct peer *peer, enum command_name command,
                  const char *sentence, uint64_t now_ms);
