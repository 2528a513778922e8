#pragma once
/**
 * The keys of the registry: which key of etcd has what.
 *
 *     ROOT/CELL/meta               format and id of the registry
 *     ROOT/CELL/config             who pushed what last; its mod_revision is the lock of all pushes
 *     ROOT/CELL/z/SPACE            a zone document, verbatim
 *     ROOT/CELL/f/SPACE            what is fixed on creation (fixed_text.h)
 *     ROOT/CELL/d/SPACE/APP/TYPE   the dynos of one process type, one a line
 *     ROOT/CELL/next/SPACE         a candidate document for channel canary; "-": its removal
 *     ROOT/CELL/force              in the transaction of a change that the guard would refuse
 *     ROOT/CELL/pause              present: documents stay as they are
 *     ROOT/CELL/beat               time and writer, every few seconds
 *     ROOT/CELL/h/HOST             reserved; ignored
 *     ROOT-replicas/CELL/SERVER    what a replica has; outside of what is followed
 *
 * ROOT is /spacedns unless the settings say otherwise. Names in keys are 1 to KEY_NAME_MOST octets,
 * none of them a slash, a NUL or another control character. Everything else below ROOT/CELL/ is
 * KEY_OTHER: it is counted and ignored.
 *
 * A range of keys is [begin, end): range_end as etcd takes it.
 *
 * Threads: pure.  Memory: never allocates; a struct keys borrows nothing.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
    KEY_NAME_MOST = 255, /* octets of a space, app or type */
    KEY_ROOT_MOST = 256, /* of root and cell, with their slashes */
    KEY_OCTETS_MOST = KEY_ROOT_MOST + 8 + 3 * (KEY_NAME_MOST + 1),
};

enum key_kind {
    KEY_OTHER, /* not of this layout, or with a name that none may have */
    KEY_META,
    KEY_CONFIG,
    KEY_DOCUMENT,  /* space */
    KEY_FIXED,     /* space */
    KEY_DYNOS,     /* space, app, type */
    KEY_CANDIDATE, /* space */
    KEY_FORCE,
    KEY_PAUSE,
    KEY_BEAT,
    KEY_HOST, /* reserved */
};

/** One cell of a registry. */
struct keys {
    char prefix[KEY_ROOT_MOST + 1];   /* "/spacedns/eu/" */
    char replicas[KEY_ROOT_MOST + 1]; /* "/spacedns-replicas/eu/" */
    size_t prefix_length;
};

/** A key that was read. */
struct key {
    enum key_kind kind;
    char space[KEY_NAME_MOST + 1]; /* empty where the kind has none */
    char app[KEY_NAME_MOST + 1];
    char type[KEY_NAME_MOST + 1];
};

/** A key that was written: octets and their number, and a zero octet behind them. */
struct key_text {
    char octets[KEY_OCTETS_MOST + 1];
    size_t length;
};

/** The keys from `begin` up to, not including, `end`. */
struct key_range {
    struct key_text begin;
    struct key_text end;
};

/**
 * Sets the cell. Returns false with *err, which names the setting, for a root that does not begin
 * with a slash or ends with one, and for names that no key may have.
 */
bool keys_init(struct keys *keys, const char *root, const char *cell, struct err *err);

/** True for what may stand between two slashes of a key. */
bool keys_is_name(const char *octets, size_t length);

/** Reads a key below the cell's prefix; any other one is KEY_OTHER. */
void keys_read(const struct keys *keys, const void *octets, size_t length, struct key *key);

/**
 * Writes a key without names (KEY_META, KEY_CONFIG, KEY_FORCE, KEY_PAUSE, KEY_BEAT) or of a space
 * (KEY_DOCUMENT, KEY_FIXED, KEY_CANDIDATE; space not NULL). The names are valid ones.
 */
void keys_write(const struct keys *keys, enum key_kind kind, const char *space,
                struct key_text *text);

/** Writes the key of a process type. */
void keys_write_dynos(const struct keys *keys, const char *space, const char *app, const char *type,
                      struct key_text *text);

/** Writes the key in which a replica announces itself. */
void keys_write_replica(const struct keys *keys, const char *server, struct key_text *text);

/** All that is followed: ROOT/CELL/. */
void keys_range_all(const struct keys *keys, struct key_range *range);

/** All keys of a kind that has a space: z/, f/, next/, d/. */
void keys_range_kind(const struct keys *keys, enum key_kind kind, struct key_range *range);

/** All dynos of a space. */
void keys_range_dynos(const struct keys *keys, const char *space, struct key_range *range);

/** All replicas of the cell that announce themselves. */
void keys_range_replicas(const struct keys *keys, struct key_range *range);

/**
 * Writes how findings and people see a key, below the cell: z/SPACE, d/SPACE/APP/TYPE. It is cut at
 * `size` octets.
 */
void keys_format(const struct key *key, char *out, size_t size);
