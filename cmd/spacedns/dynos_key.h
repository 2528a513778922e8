#pragma once
/**
 * Keys of dynos while a command changes them, in a registry.
 *
 *     dynos_key_take (reads the key) ──► edits of its text ──► dynos_key_write: one transaction
 *
 * Threads: one.  Memory: the change's.
 */
#include "spacedns/change.h"
#include "spacedns/dyno_text.h"
#include "spacedns/registry_send.h"

struct dynos_key {
    const char *type;
    uint64_t revision; /* mod_revision; 0: there was no key */
    struct line_text text;
    struct line_text before; /* octets NULL: there was no key */
};

/**
 * The key of a type of the change's app, with what was done to it so far. Returns NULL with *err;
 * change->store.is_lost if the key is not the one that the session's view has any more.
 */
struct dynos_key *dynos_key_take(struct change *change, const char *type, struct err *err);

/** True if a key was taken. */
bool dynos_key_has(const struct change *change);

/** True if every key is as it was. */
bool dynos_key_is_same(const struct change *change);

/** Checks the keys as a replica would, and writes them. False with *err; store.is_lost: again. */
bool dynos_key_write(struct change *change, struct err *err);

/** Changes of one transaction, in an arena. */
struct dynos_changes {
    struct arena *arena;
    struct push_change *items;
    size_t count;
    size_t capacity;
};

/** Appends a change. Returns false without memory. */
bool dynos_changes_add(struct dynos_changes *changes, const struct push_change *change);

/**
 * Adds the changes that move the keys of an app to another name, or remove them (NULL): for the
 * transaction that renames or removes it. Returns false with *err.
 */
bool dynos_key_move(struct session *session, const struct app_selection *app, const char *name,
                    struct dynos_changes *changes, struct err *err);
