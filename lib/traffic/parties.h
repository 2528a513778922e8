#pragma once
/**
 * Who asks and what is asked for, as small numbers: apps, connections, spaces, and other words.
 *
 * A party is known by its kind, its space's name and its own name, so it stays the same across
 * snapshots. What refers to it by number holds it; one that nobody holds is forgotten by the next
 * parties_collect, and its number is given to another.
 *
 * Threads: one.  Memory: a few dozen octets a party, PARTIES_MOST at most.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PARTIES_MOST = 1 << 19, PARTY_NONE = 0 };

enum party_kind {
    PARTY_OUTSIDE, /* every client outside; no names */
    PARTY_SPACE,   /* addresses of a space that no dyno has */
    PARTY_PEERING,
    PARTY_VPN,
    PARTY_APP,
    PARTY_WORD, /* a domain, a process type, a search suffix; only a name */
    PARTY_KINDS
};

struct party {
    const char *space; /* zero-terminated, as is the name behind it */
    const char *name;
    uint16_t space_length;
    uint16_t name_length;
    uint8_t kind; /* enum party_kind */
    bool is_idle; /* listed for parties_collect */
    uint32_t holds;
    uint32_t next_idle;
    uint64_t hash;
};

/** What a party is known by; the texts need not end with zero. */
struct party_key {
    enum party_kind kind;
    const char *space;
    size_t space_length; /* 0: no space */
    const char *name;
    size_t name_length;
};

struct parties;

/** Returns NULL without memory. */
struct parties *parties_new(void);

/** NULL is allowed. */
void parties_free(struct parties *parties);

/** The number of a party, which is added if it is new; PARTY_NONE: no room or no memory. */
uint32_t parties_add(struct parties *parties, const struct party_key *key);

/** The number of a party; PARTY_NONE: it is not known. */
uint32_t parties_find(const struct parties *parties, const struct party_key *key);

/** The party of a number, borrowed until the next parties_add or parties_collect. */
const struct party *parties_at(const struct parties *parties, uint32_t number);

/** Numbers are 1 up to this one, exclusive; those without holds are not in use. */
uint32_t parties_end(const struct parties *parties);

/** PARTY_NONE is allowed. */
void parties_hold(struct parties *parties, uint32_t number);
void parties_release(struct parties *parties, uint32_t number);

/** Forgets the parties that nobody holds. */
void parties_collect(struct parties *parties);

/** "outside", "space", "peering", "vpn", "app", "word". */
const char *party_kind_text(enum party_kind kind);
