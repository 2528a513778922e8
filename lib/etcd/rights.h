#pragma once
/**
 * Which rights a request needs, for who has to be told that one is missing: etcd says only that.
 *
 * Sources: etcd's auth.proto. etcd looks at compares and at both branches of a transaction.
 * Threads: pure functions.  Memory: the arena's.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/octets.h"
#include "base/text.h"
#include "etcd/messages.h"

/** ETCD_READ or ETCD_WRITE on [key, end); an empty end: on the one key. */
struct etcd_right {
    enum etcd_permission permission;
    struct octets key;
    struct octets end;
};

/**
 * Lists the rights that an encoded request needs, each once, in its order. Returns how many;
 * `*rights` is in the arena. None for methods that need a role of their own (root), without memory,
 * or for what is no request.
 */
size_t etcd_list_rights(struct arena *arena, enum etcd_method method, struct octets request,
                        const struct etcd_right **rights);

/** Writes "read /a, write /b to /c": at most `most` of them, and how many more there are. */
void etcd_add_rights(struct text *text, const struct etcd_right *rights, size_t count, size_t most);
