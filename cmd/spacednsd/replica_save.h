#pragma once
/**
 * Writing what is in force to the state folder, for a restart without the registry.
 *
 *     soon ─► begun ──(thread pool)──► ended       one at a time, of a pinned snapshot
 *     now ──► begun ─► ended                       at the end of the server
 *
 * Only the writer of the state folder writes; in an upgrade that is one of two servers at a time.
 *
 * Threads: the control thread, but for writing.  Memory: the registry's.
 */
#include "spacednsd/replica.h"

/** Begins to write, if something has changed and nothing is being written. */
void replica_save_soon(struct replica *replica);

/** The same, but not so soon after the last time: it is called every few seconds. */
void replica_save_if_due(struct replica *replica);

/** How long after a save that took so long: one part of 50 of the time, within 20 to 40 s. */
uint64_t replica_save_pause_ms(uint64_t took_ms);

/** Writes at once; the loop has ended. */
void replica_save_now(struct replica *replica);
