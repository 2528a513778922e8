#pragma once
/**
 * Changes of dynos, wherever they are: in a zone file's `dynos` lists, or in the keys of a
 * registry, one for each process type.
 *
 * In a registry a type that has no key gets one, which begins with the document's list: once there
 * is a key, its list is the formation's. All types that a command changes are one transaction,
 * which compares each key with what was read.
 *
 * Threads: one.
 */
#include "spacedns/change.h"

/*
 * As the edits of space/edit.h. Each returns false with *err, and changes nothing, if the dyno is
 * not there (or, to be added, is there already).
 */

bool change_add_dyno(struct change *change, const struct dyno_name *dyno, uint32_t ip,
                     struct err *err);
bool change_remove_dyno(struct change *change, const struct dyno_name *dyno, struct err *err);
bool change_set_dyno(struct change *change, const struct dyno_name *dyno, enum dyno_state state,
                     struct err *err);
