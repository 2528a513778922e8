#pragma once
/**
 * What was decided: the case of the answer table (answers.def), the records by reference, and the
 * reason.
 *
 * decide.h fills one in with the help of discovery.h and reverse.h, each for its family of names;
 * the functions here set what all of them share.
 *
 * Sources: RFC 2308 (negative answers).
 * Threads: pure.  Memory: a verdict borrows from the snapshot and the query.
 */
#include <stdbool.h>
#include <stdint.h>

#include "answer/snapshot.h"
#include "decide/answers.h"
#include "decide/client.h"
#include "decide/reason.h"
#include "wire/query.h"

/** What the answer section holds. */
enum answer_kind {
    ANSWER_NONE,
    ANSWER_ROUTERS,     /* A of every router that is up */
    ANSWER_FORMATION,   /* A of every dyno that is up */
    ANSWER_DYNO,        /* A of one dyno */
    ANSWER_ROUTER,      /* A of one router */
    ANSWER_DYNO_NAME,   /* PTR to a dyno's name */
    ANSWER_ROUTER_NAME, /* PTR to a router's name */
    ANSWER_SERVICES,    /* SRV of a port, the dynos' addresses as additional records */
    ANSWER_RECORDS,     /* static records of the type asked */
    ANSWER_ALIAS,       /* the CNAME among static records */
    ANSWER_SOA,         /* SOA of the name itself, or of the target of its CNAME */
    ANSWER_CUT,         /* nothing, and TC: the client asks again over TCP */
    ANSWER_LOCALHOST,   /* A 127.0.0.1, AAAA ::1 */
/* Of the names about the server and the client, one each. */
#define NAME(symbol, parent, label, type, printer, help) ANSWER_##symbol,
#include "decide/names.def"
};

struct verdict {
    enum situation situation : 8;
    enum reason reason : 8;
    enum answer_kind answer : 8;
    uint8_t rcode;
    bool is_authoritative; /* aa */
    bool may_recurse;      /* ra: this client may ask upstreams for such a name */
    bool has_soa;          /* authority section: SOA */
    bool is_empty_name;    /* an empty non-terminal above static records */
    bool is_concealed;     /* another space's name, answered as if nobody had it */
    bool is_alias_target;  /* of a name that aliases have led to */
    uint8_t soa_label;     /* the SOA's owner is the question's name without so many labels */
    uint8_t route;         /* of a forwarded name: index in the policy's routes */
    const struct segment *segment; /* the space that owns the name; NULL: none or not disclosed */
    const struct segment *owner;   /* of a concealed name: its space, never disclosed; or NULL */
    const struct membership *membership; /* that gives the client access; NULL: none */
    const struct app_entry *app;         /* NULL: none or not disclosed */
    const struct host *host;             /* the custom domain, target or static records */
    const struct formation_entry *formation;
    const struct dyno_entry *dyno;
    const struct router_entry *router;
    const struct az_entry
        *az; /* the client's, whose routers or dynos come first; NULL: all alike */
    const struct port_entry *port;
    const struct kept_back_cohort *kept_back; /* a kept-back name's cohort; NULL: not kept back */
    const char *upstream_fault;               /* set after forwarding: "no reply from", with ... */
    const char *upstream;                     /* ... the server; NULL: all servers of the route */
};

/** The line of answers.def that describes the whole reply. */
static inline enum situation verdict_answer(const struct verdict *verdict)
{
    return verdict->is_alias_target ? SITUATION_ALIAS : verdict->situation;
}

/** True when the verdict keeps to its line of answers.def. */
bool verdict_fits(const struct verdict *verdict);

/** True for a name that an upstream is asked for, also after it was asked. */
static inline bool verdict_is_forwarded(const struct verdict *verdict)
{
    return verdict->situation == SITUATION_FORWARD || verdict->situation == SITUATION_STALE ||
           verdict->situation == SITUATION_UPSTREAM_FAILED ||
           verdict->situation == SITUATION_REBIND;
}

/** True for a special-use name that would otherwise be forwarded. */
static inline bool verdict_is_special(const struct verdict *verdict)
{
    return verdict->situation == SITUATION_SPECIAL ||
           verdict->situation == SITUATION_SPECIAL_DATA ||
           verdict->situation == SITUATION_SPECIAL_NO_DATA;
}

/** True for a name that is not ours: forwarded, special-use, or refused. */
static inline bool verdict_is_foreign(const struct verdict *verdict)
{
    return verdict_is_forwarded(verdict) || verdict_is_special(verdict) ||
           verdict->situation == SITUATION_NOT_OURS;
}

/** Sets the case, the response code and the reason; nothing else changes. */
void verdict_set(struct verdict *verdict, enum situation situation, uint8_t rcode,
                 enum reason reason);

/** Any other name, for which this client has no recursion: REFUSED. */
void verdict_not_ours(struct verdict *verdict);

/** Forwards the name to the upstreams of the route; SERVFAIL until one has answered. */
void verdict_forward(struct verdict *verdict, uint8_t route);

/** Answers type SOA with the name's own SOA, authoritatively. */
void verdict_soa(struct verdict *verdict);

/**
 * Withholds an upstream's answer that contains an address of a space (DNS rebinding). It becomes
 * NODATA, because stub resolvers retry after REFUSED.
 */
void verdict_rebind(struct verdict *verdict);

/**
 * Answers NXDOMAIN for an internal name of another space, to a client whose names are forwarded.
 */
void verdict_withhold(struct verdict *verdict, enum situation situation);

/**
 * Marks another space's name; decide sets what it gets.
 *
 * owner  the space, for the log and the operator only; NULL when not looked up
 */
void verdict_conceal(const struct segment *owner, struct verdict *verdict);

/**
 * The reason for log, metrics and the operator's explain; a concealed name's is REASON_NOT_ALLOWED.
 */
static inline enum reason verdict_inner_reason(const struct verdict *verdict)
{
    return verdict->is_concealed ? REASON_NOT_ALLOWED : verdict->reason;
}

/** Answers authoritatively without records: SOA in the authority section. */
void verdict_negative(struct verdict *verdict, enum situation situation, uint8_t rcode,
                      enum reason reason);

/** Refuses a discovery name to a client whose class may not ask for it. */
void verdict_refuse_class(struct verdict *verdict);

/** SERVFAIL for a client of a space that has nothing to answer from, for any name. */
void verdict_unready(const struct segment *segment, const struct membership *membership,
                     struct verdict *verdict);

/**
 * Sets space and membership. Returns false when the client is not a member (the name is then
 * concealed), or the space is unready or is being created or deleted (the verdict is then final).
 */
bool verdict_admit(const struct client *client, const struct snapshot *snapshot, uint16_t segment,
                   struct verdict *verdict);

/**
 * True when the answer begins with the CNAME from a custom domain to its DNS target. A CNAME
 * without an address behind it is left out: stub resolvers report it as an unknown name.
 */
static inline bool verdict_has_cname(const struct verdict *verdict)
{
    return verdict->host != NULL && verdict->host->target != ENTRY_NONE &&
           (verdict->host->flags & (HOST_APEX | HOST_FLAT)) == 0 && verdict->is_authoritative &&
           verdict->rcode == 0 && verdict->situation != SITUATION_SPACE_CHANGING &&
           verdict->situation != SITUATION_NO_WEB;
}
