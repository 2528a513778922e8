#pragma once
/**
 * One loading, on a thread of the pool: the settings, then the zone files, then what they change.
 *
 *     settings ─► policy, zones folder ─► snapshot ─► findings of all ─► diff (guard, dry run)
 *         └─► log-in at the registry ────────────────────┘
 *
 * A request to let names go reads no files.
 *
 * Threads: reload_load on any thread, while the control thread leaves the loading alone.
 * Memory: the loading's, freed by reloads.h.
 */
#include "spacednsd/reloads.h"

/** Loads as the queue's request asks; reloads->loading, diff and tally have the outcome. */
void reload_load(struct reloads *reloads);
