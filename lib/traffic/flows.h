#pragma once
/**
 * What clients have asked of one worker lately.
 *
 * A flow is one client, one question and one outcome; a reply of the same kind adds to its count.
 * The worker counts in one of two tables and hands it over when it fills up, when a new snapshot is
 * adopted, or on request. The control thread then adds it up with those of other workers:
 *
 *     worker         flows_add ... ─► table ─┐ handed over               ┌─► empty
 *     control thread                         └─► flows_take ─► read ─────┘ flows_return
 *
 * So one reply costs the worker a look at one cache line, and everything that is known about who
 * asks what (traffic.h) is made from the same facts.
 *
 * A table is bounded, by its flows and by the octets of their names. When most of it is used,
 * further flows are counted by app alone (flow_is_coarse), and when that is full, too, only as
 * `lost`; so is a table that was not taken before the next snapshot but one. Of what is lost, the
 * table knows until when clients may use an answer with a dyno. All clients outside are one client,
 * with a sixteenth of a table, so that a flood from outside pushes nothing out.
 *
 * A flow names apps and dynos by their numbers in the table's snapshot, which is kept until the
 * table has been returned (flows_oldest).
 *
 * Threads: as drawn above; one worker, one control thread.
 * Memory: two tables of about 3 MB, whose pages are used as they fill.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decide/verdict.h"

enum {
    FLOWS = 1 << 15,
    FLOWS_FINE = FLOWS / 2,        /* with client and question */
    FLOWS_MOST = FLOWS / 4 * 3,    /* with those by app alone */
    FLOWS_HANDED_OVER = FLOWS / 4, /* then a table is handed over, if the other one is empty */
    FLOWS_OUTSIDE = FLOWS / 16,
    FLOW_PROBES = 16, /* slots that one flow may be in */
    FLOW_NAMES_OCTETS = 1 << 20,
    FLOW_NAMES_HANDED_OVER = FLOW_NAMES_OCTETS / 4 * 3, /* likewise; outsiders have less than 1/2 */
    FLOW_OCTETS = 64,
};

/** What a flow's number names. */
enum flow_owner {
    FLOW_OTHER,     /* nothing of a space, or not looked up */
    FLOW_SPACE,     /* only the space */
    FLOW_APP,       /* an app, by its default domain or a name below its own */
    FLOW_HOST,      /* a custom domain, a DNS target, a static record */
    FLOW_FORMATION, /* all dynos of a formation */
    FLOW_DYNO,      /* one dyno */
};

struct flow {
    /* The key. */
    _Alignas(FLOW_OCTETS) uint64_t name_hash; /* index_hash of the question's name */
    uint32_t source;                          /* of path; 0: every client outside */
    uint16_t type;
    uint8_t rcode;
    uint8_t reason;       /* enum reason, as in the log */
    uint32_t destination; /* of path; 0 for clients outside */
    uint32_t interface;
    /* What it has. */
    uint32_t count;       /* replies; 0: an empty slot */
    uint32_t ttl_seconds; /* the greatest of any reply */
    uint32_t first_ms;    /* since the table began */
    uint32_t last_ms;
    /* The first reply's. */
    uint32_t name;                 /* offset in names, wire form, lower case */
    uint32_t number;               /* of `owner`, in the segment */
    const struct segment *segment; /* NULL: FLOW_OTHER */
    uint8_t owner;                 /* enum flow_owner */
    uint8_t class;                 /* enum client_class */
    bool is_answered;              /* NOERROR with records */
    bool is_coarse; /* counts all other questions for an app; only owner and outcome are set */
};

struct flow_table {
    const struct snapshot *snapshot;
    uint64_t begun_ms;      /* when its first flow came, in the worker's time */
    uint64_t lost;          /* replies that no flow counts */
    uint64_t lost_until_ms; /* in the worker's time, an answer with a dyno among them; 0: none */
    uint32_t used;
    uint32_t outside; /* of used */
    uint32_t names_length;
    uint32_t slots[FLOWS_MOST]; /* of the flows in use, oldest first */
    struct flow flows[FLOWS];
    uint8_t names[FLOW_NAMES_OCTETS];
};

/** One reply, as its parts are known when it is written. */
struct flow_reply {
    const struct path *path;
    const struct name *name;
    uint64_t name_hash; /* index_hash of it; not used for clients outside */
    const struct verdict *verdict;
    uint32_t ttl_seconds;
    uint16_t type;
    uint16_t rcode;
    uint16_t answer_count;
    uint8_t class; /* enum client_class */
};

struct flows;

/** Called on the worker's thread when a table has been handed over. */
typedef void flows_on_handed_over(void *context);

/** Returns NULL without memory. */
struct flows *flows_new(flows_on_handed_over *on_handed_over, void *context);

/** NULL is allowed. */
void flows_free(struct flows *flows);

/* ---- the worker's ---- */

/**
 * Sets the time of the replies that follow. Hands a full table over if that was not possible when
 * it became full.
 */
void flows_set_time(struct flows *flows, uint64_t now_ms);

/** Hands over what was counted for the snapshot before. Before the first reply from this one. */
void flows_adopt(struct flows *flows, const struct snapshot *snapshot);

/** Prefetches the first slot of a flow. */
void flows_prefetch(const struct flows *flows, const struct path *path, uint64_t name_hash,
                    uint16_t type);

/** Counts a reply. Not before flows_adopt. */
void flows_add(struct flows *flows, const struct flow_reply *reply);

/**
 * Hands the table over if the control thread has requested it and there is something in it.
 * Returns false while the control thread has the other one; the request stays.
 */
bool flows_answer(struct flows *flows);

/* ---- the control thread's ---- */

/** Requests the table; the caller wakes the worker, which then calls flows_answer. */
void flows_request(struct flows *flows);

/** True while a request waits; once the table taken has been returned, it can be answered. */
bool flows_is_requested(const struct flows *flows);

/** The table that was handed over; NULL: none. Read it, then call flows_return. */
const struct flow_table *flows_take(struct flows *flows);

/** Empties the table that was taken and gives it back to the worker. */
void flows_return(struct flows *flows);

/** The oldest turn (snapshot.h) that a table refers to; UINT64_MAX: none. */
uint64_t flows_oldest(const struct flows *flows);

/** The name of a flow; empty for a coarse one. */
void flow_name(const struct flow_table *table, const struct flow *flow, struct name *name);

/** The app that a flow is about, whichever its owner; NULL: none. */
const struct app_entry *flow_app(const struct flow *flow);
