#pragma once
/**
 * The replicas that announce themselves in the registry: command registry:replicas, and what a push
 * asks of them.
 *
 * Threads: one.
 */
#include "spacedns/session.h"

session_command run_registry_replicas;

/**
 * Refuses a push that some replica could not read: one that knows only an older format than the
 * registry has (G16). Returns EXIT_DONE, or EXIT_REFUSED with the error printed.
 */
int registry_replicas_check_format(struct session *session);

/**
 * Waits until the running server, if there is one, and every replica that the registry knows answer
 * from a revision. Prints who is waited for. Returns EXIT_DONE, or EXIT_REFUSED with the error
 * printed: who has it not, or keeps one of the spaces back.
 *
 * canary_only  only replicas of channel canary are asked
 */
int registry_replicas_wait(struct session *session, uint64_t revision, bool canary_only,
                           const char *const *spaces, size_t space_count);

/** Prints each of the spaces that no replica has announced to hold back or keep. */
void registry_replicas_note_unheld(struct session *session, const char *const *spaces,
                                   size_t count);
