#pragma once
/**
 * Which real clients would have got something else: the last questions (questions.h), asked again
 * by two snapshots.
 *
 *     questions ──┬──► before ──┐
 *                 │             ├──► differ ──► groups: who asked, what about, how it differs
 *                 └──► after  ──┘
 *
 * Who asked is what the client is by the snapshot before: the app whose dyno has the address, the
 * peering or VPN that lets it in, or the space; by the snapshot after if it was outside before. All
 * clients whose flows carry no address are the one client `outside`. What about is the app whose
 * name it is, by the snapshot before, or by the one after if nobody had the name.
 *
 * Not seen: what upstreams answer (only that other ones would be asked); the class CH, and queries
 * without RD, which are asked as others; limits of rates; texts of reasons beside their code.
 *
 * Threads: one, while both snapshots are held.  Memory: replay_free; borrows nothing afterwards.
 */
#include "traffic/parties.h"
#include "traffic/questions.h"
#include "traffic/replay_answer.h"

enum {
    REPLAY_GROUPS_MOST = 1000,
    REPLAY_CLIENTS_SHOWN = 100, /* of a group, by address */
    REPLAY_NAMES_SHOWN = 16,
};

struct replay_name {
    const char *text; /* in presentation form; "*.example.com" is a name below that, known by its
                         hash; "" one that neither snapshot knows anything of */
    uint16_t type;
};

struct replay_group {
    const char *space;     /* of the name; NULL: nobody's */
    const char *app;       /* NULL: the space's own */
    enum party_kind who;   /* who asked: PARTY_APP, PARTY_PEERING ... */
    const char *who_space; /* NULL: outside */
    const char *who_name;  /* of the app or connection; NULL: no dyno, or outside */
    enum replay_difference difference;
    struct replay_answer before, after; /* of the first question */
    uint64_t count;                     /* replies */
    uint32_t clients;                   /* addresses */
    uint32_t first_s, last_s;
    uint32_t shown_clients;
    const uint32_t *addresses; /* the lowest, sorted */
    uint32_t shown_names;
    bool has_more_names;
    struct replay_name names[REPLAY_NAMES_SHOWN]; /* of those asked last; sorted */
};

/** How much. */
struct replay_sum {
    uint64_t count; /* replies */
    uint32_t clients;
};

struct replay {
    struct arena *arena;
    struct replay_group **groups; /* by space, app, who */
    size_t count;
    uint64_t left_out; /* replies of further groups */
    struct replay_sum asked, changed;
    uint64_t outside; /* of asked: replies to clients outside */
    struct questions_reach reach;
};

/** Asks all questions again. Returns NULL without memory. */
struct replay *replay_new(const struct questions *questions, const struct snapshot *before,
                          const struct snapshot *after);

/** NULL is allowed. */
void replay_free(struct replay *replay);
