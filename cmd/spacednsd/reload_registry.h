#pragma once
/**
 * A reload's part in following a registry: a take of the registry for each load, and its note.
 *
 *     prepare (take) ─► loading ─► published: releases queued, noted ─┐
 *                          └─► unchanged: noted, else: failed ────────┴─► settings, if an operator
 *                                                                         has requested it
 *
 * Without a registry each function does nothing.
 *
 * Threads: the control thread.
 */
#include "spacednsd/reloads.h"

/** True when the request's texts are the registry's: no settings' folder, and no name is let go. */
bool reload_reads_registry(const struct reloads *reloads);

/** Sets what the loading needs of the registry; `before` has the generation of what is renewed. */
void reload_prepare_registry(struct reloads *reloads, const struct snapshot *before);

/** The loaded snapshot is served. */
void reload_note_published(struct reloads *reloads);

/** The reload ends. */
void reload_note_ended(struct reloads *reloads, enum reload_end end);
