#pragma once
/**
 * A reload's part in following a registry: a take of the registry for each load, and its note.
 *
 *     prepare (take) ─► loading ─► published: releases queued, noted ─┐
 *                          └─► unchanged: noted, else: failed ────────┴─► settings, if an operator
 *                                                                         has requested it
 *
 * The loading of such a request reads the files of the log-in, too, which then are as settings.
 *
 * Without a registry each function does nothing.
 *
 * Threads: the control thread; reload_read_login on any, while that leaves the loading alone.
 */
#include "spacednsd/reloads.h"

/** True when the request's texts are the registry's: no settings' folder, and no name is let go. */
bool reload_reads_registry(const struct reloads *reloads);

/** Sets what the loading needs of the registry; `before` has the generation of what is renewed. */
void reload_prepare_registry(struct reloads *reloads, const struct snapshot *before);

/** Reads how the server logs in, if an operator has requested it; what is wrong is reported. */
void reload_read_login(struct reloads *reloads);

/** The loaded snapshot is served. */
void reload_note_published(struct reloads *reloads);

/** The reload ends. */
void reload_note_ended(struct reloads *reloads, enum reload_end end);
