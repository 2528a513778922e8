#pragma once
/**
 * Events of a server that follows a registry.
 *
 * registry_connected, registry_lost, registry_read (everything was), registry_reset (everything
 * will be read again), registry_other (another registry), registry_denied, registry_refused (a
 * format), registry_audit, registry_holds and registry_holds_over (a mass deletion),
 * registry_paused, registry_resumed, registry_disk: as the registry reports them, with a sentence
 * each. registry_stale, registry_fresh: the age of its last word is above the setting, or no
 * longer. space_kept, space_held, space_unready, space_taken: a document is not served as it is,
 * and why; space_accepted: the space is served from its newest document again.
 * registry_certificate_ends: the one that logs the server in does so soon, or has; once a day.
 * registry_restate_failed: there was no memory for new states of dynos.
 *
 * Threads: the control thread.  Memory: replica_logged_close.
 */
#include "registry/registry.h"

/** What was logged, so that only news are. */
struct replica_logged {
    struct registry_kept *kept; /* copies, sorted by space */
    size_t kept_count;
    bool is_stale;
    bool has_warned; /* of the certificate's end, since the start or the last reload ... */
    int64_t left_s;  /* ... so long before it */
};

/** Logs an event of the registry, and the findings that come with it. */
void replica_log_event(const struct registry_event *event);

/** Logs what has changed since the last call. */
void replica_log_status(struct replica_logged *logged, const struct registry_status *status);

void replica_logged_close(struct replica_logged *logged);
