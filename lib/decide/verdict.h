#pragma once
/**
 * What was decided: the row of the answer table, the records by reference, and the reason.
 *
 * decide.h fills one in with the help of discovery.h and reverse.h, each for its family of names;
 * the functions here settle what all of them share.
 *
 * Sources: RFC 2308 (negative answers).
 * Threads: pure.  Memory: a verdict borrows from the snapshot and the query.
 */
#include <stdbool.h>
#include <stdint.h>

#include "answer/snapshot.h"
#include "decide/client.h"
#include "decide/reason.h"
#include "wire/query.h"

/** Rows of the answer table. */
enum situation {
    SITUATION_ROUTERS,        /* T1: addresses of the space's routers */
    SITUATION_NO_DATA,        /* T2: the name is ours and has no such type */
    SITUATION_NO_WEB,         /* T3 */
    SITUATION_OUTSIDER,       /* T4, T5 */
    SITUATION_OTHER_SPACE,    /* T6, where a name of nobody's would be asked of an upstream */
    SITUATION_CLASS_REFUSED,  /* T8 */
    SITUATION_DYNOS,          /* T9: a discovery name that is declared */
    SITUATION_NOT_DECLARED,   /* T10 */
    SITUATION_FORWARD,        /* T11: the answer is an upstream's */
    SITUATION_SPECIAL,        /* T11, a name that no upstream is ever asked for (RFC 6761) */
    SITUATION_KEPT_BACK,      /* T11c: a name that was internal and is declared no more */
    SITUATION_NOT_OURS,       /* T12 */
    SITUATION_NOT_READY,      /* T13 */
    SITUATION_UNSUPPORTED,    /* T14 */
    SITUATION_MALFORMED,      /* T15: set by respond, not by decide */
    SITUATION_SPACE_CHANGING, /* any name of a space that is not allocated */
    SITUATION_RECORDS,        /* static records, PTR, SRV, TXT: data that is no app's address */
    SITUATION_ALIAS,          /* T11a: static records' CNAME; alias.h goes on at its target */
    SITUATION_ALIAS_ENDLESS,  /* T11a: it leads nowhere; set by alias.h, not by decide */
};

/** What the answer section holds. */
enum answer_kind {
    ANSWER_NONE,
    ANSWER_ROUTERS,     /* A of every router that is up */
    ANSWER_FORMATION,   /* A of every dyno that is up */
    ANSWER_DYNO,        /* A of one dyno */
    ANSWER_ROUTER,      /* A of one router */
    ANSWER_DYNO_NAME,   /* PTR to a dyno's name */
    ANSWER_ROUTER_NAME, /* PTR to a router's name */
    ANSWER_SERVICES,    /* SRV of a port, dynos' addresses beside */
    ANSWER_RECORDS,     /* static records of the type asked */
    ANSWER_ALIAS,       /* the CNAME among static records */
    ANSWER_SOA,         /* SOA of the name itself, or of the CNAME's target in front of it */
    ANSWER_UPCHECK,     /* A 127.0.0.1 */
    ANSWER_LOCALHOST,   /* A 127.0.0.1, AAAA ::1 */
    ANSWER_WHOAMI,      /* TXT, and so on below */
    ANSWER_WHY,
    ANSWER_APPS,
    ANSWER_APP_DYNOS,
    ANSWER_VERSION,
    ANSWER_SERVER_ID, /* chaos class */
    ANSWER_SERVER_VERSION,
};

struct verdict {
    enum situation situation;
    enum reason reason;
    uint8_t rcode;
    bool is_authoritative; /* aa */
    bool may_recurse;      /* ra */
    bool has_soa;          /* authority section: SOA */
    bool is_empty_name;    /* nothing stands at the name; static records stand below it */
    bool is_concealed;     /* T6: another space's name, answered as if it were nobody's */
    uint8_t soa_label;     /* the SOA's owner is the question's name after that many labels */
    enum answer_kind answer;
    const struct segment *segment;       /* the space that owns the name; NULL: none or not told */
    const struct segment *owner;         /* T6: the space whose name it is, never told; or NULL */
    const struct membership *membership; /* through which the client may ask; NULL: none */
    const struct app_entry *app;         /* NULL: none or not told */
    const struct host *host;             /* the custom domain, target or static records */
    const struct formation_entry *formation;
    const struct dyno_entry *dyno;
    const struct router_entry *router;
    const struct port_entry *port;
    const struct kept_back_cohort *kept_back; /* T11c: what fell out with it; NULL: nothing did */
    uint8_t route;                            /* T11: of the policy's routes */
    const char *upstream_fault;               /* set by who asked: "no reply from", with ... */
    const char *upstream; /* ... the server it is about; NULL: all of the route */
};

/** Settles row, response code and reason; nothing else changes. */
void verdict_settle(struct verdict *verdict, enum situation situation, uint8_t rcode,
                    enum reason reason);

/** T12. */
void verdict_not_ours(struct verdict *verdict);

/** T11: an upstream of the route is to be asked; SERVFAIL until it has answered. */
void verdict_forward(struct verdict *verdict, uint8_t route);

/** An authoritative answer of the name's own SOA, for type SOA. */
void verdict_soa(struct verdict *verdict);

/**
 * An upstream's answer that is kept from the client, for it carries an address of a space (T11b).
 * No data: stub resolvers wait when they are refused.
 */
void verdict_rebind(struct verdict *verdict);

/** An internal name of no space of this client's, where the client's names go to an upstream. */
void verdict_withhold(struct verdict *verdict, enum situation situation);

/**
 * T6: another space's name; decide settles what it gets.
 *
 * owner  the space, for log and operator alone; NULL when it was not looked for
 */
void verdict_conceal(const struct segment *owner, struct verdict *verdict);

/** The reason for log, metrics and the operator's explain: as told, but for T6. */
static inline enum reason verdict_inner_reason(const struct verdict *verdict)
{
    return verdict->is_concealed ? REASON_NOT_ALLOWED : verdict->reason;
}

/** An authoritative answer without records: SOA in the authority section. */
void verdict_negative(struct verdict *verdict, enum situation situation, uint8_t rcode,
                      enum reason reason);

/** T8: the client's class may not ask discovery names. */
void verdict_refuse_class(struct verdict *verdict);

/** A TXT answer made at the time of asking; other types of the name are NODATA. */
void verdict_text(const struct query *query, enum answer_kind answer, struct verdict *verdict);

/**
 * Fills in space and membership. Returns false when the client is not a member (T6: the name is
 * concealed) or the space is being created or deleted (settled).
 */
bool verdict_admit(const struct client *client, const struct snapshot *snapshot, uint16_t segment,
                   struct verdict *verdict);

/**
 * True when the answer begins with the CNAME from a custom domain to its DNS target. A CNAME with
 * nothing behind it does more harm than good: stub resolvers report it as an unknown name.
 */
static inline bool verdict_has_cname(const struct verdict *verdict)
{
    return verdict->host != NULL && verdict->host->target != ENTRY_NONE &&
           (verdict->host->flags & (HOST_APEX | HOST_FLAT)) == 0 && verdict->is_authoritative &&
           verdict->rcode == 0 && verdict->situation != SITUATION_SPACE_CHANGING &&
           verdict->situation != SITUATION_NO_WEB;
}
