#pragma once
/**
 * What the first loading has that later ones do not: the state of an earlier run.
 *
 *     open_state ─► reloads_prepare ─► loading ─► check ─► store ─► published
 *
 * A server that takes over stores only once the one before writes no more.
 *
 * Threads: the control thread.  Memory: the state, freed by reloads_close.
 */
#include "spacednsd/reloads.h"

/**
 * Opens the state folder of the settings; call it before the first loading is prepared.
 *
 * locked  the folder of another process, with its lock, taken over; -1: none
 */
void reload_first_open_state(struct reloads *reloads, int locked);

/**
 * Adds to the findings what does not fit the settings. Returns false when the start is refused for
 * it. A space that is missing because its file has errors is no mistake in the settings, nor is one
 * that a registry does not have yet.
 */
bool reload_first_check(struct reloads *reloads);

/** Stores the texts of the first loading, before it is published. */
void reload_first_store(struct reloads *reloads);

/** Frees what the first loading reads from; a second call does nothing. */
void reload_first_close(struct reloads *reloads);
