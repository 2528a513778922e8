#pragma once
/**
 * What was decided: the case of the answer table, the records by reference, and the reason.
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
#include "decide/client.h"
#include "decide/reason.h"
#include "wire/query.h"

/** Cases of the answer table. */
enum situation {
    SITUATION_ROUTERS,       /* an internal app with a running web dyno, type A: the routers */
    SITUATION_NO_DATA,       /* the name is ours and has no record of the type */
    SITUATION_NO_WEB,        /* an internal app without a running web dyno */
    SITUATION_OUTSIDER,      /* an external client: REFUSED or NXDOMAIN for every name */
    SITUATION_OTHER_SPACE,   /* another space's internal name, to a client that may recurse */
    SITUATION_CLASS_REFUSED, /* a discovery name, to a class not in localspace_to */
    SITUATION_DYNOS,         /* a declared process type or dyno */
    SITUATION_NOT_DECLARED,  /* a discovery or reverse name that no zone file declares */
    SITUATION_FORWARD,       /* any other name, to a client that may recurse: an upstream answers */
    SITUATION_SPECIAL,       /* a special-use name, never forwarded (RFC 6761) */
    SITUATION_KEPT_BACK,     /* a name that was internal and is no longer declared */
    SITUATION_NOT_OURS,      /* any other name, to a client without recursion */
    SITUATION_NOT_READY,     /* no zones are loaded yet */
    SITUATION_UNSUPPORTED,   /* an opcode, class, meta type or EDNS version not served */
    SITUATION_MALFORMED,     /* a request that cannot be read; set by respond, not by decide */
    SITUATION_SPACE_CHANGING, /* any name of a space that is not allocated */
    SITUATION_RECORDS,        /* static records, PTR, SRV, TXT: data other than an app's address */
    SITUATION_ALIAS,          /* a static CNAME; alias.h continues at its target */
    SITUATION_ALIAS_ENDLESS,  /* an alias loop or too many links; set by alias.h, not by decide */
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
    ANSWER_SERVICES,    /* SRV of a port, the dynos' addresses as additional records */
    ANSWER_RECORDS,     /* static records of the type asked */
    ANSWER_ALIAS,       /* the CNAME among static records */
    ANSWER_SOA,         /* SOA of the name itself, or of the target of its CNAME */
    ANSWER_UPCHECK,     /* A 127.0.0.1 */
    ANSWER_LOCALHOST,   /* A 127.0.0.1, AAAA ::1 */
    ANSWER_WHOAMI,      /* TXT, as are those below */
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
    bool is_empty_name;    /* an empty non-terminal above static records */
    bool is_concealed;     /* another space's name, answered as if nobody had it */
    uint8_t soa_label;     /* the SOA's owner is the question's name without so many labels */
    enum answer_kind answer;
    const struct segment *segment; /* the space that owns the name; NULL: none or not disclosed */
    const struct segment *owner;   /* of a concealed name: its space, never disclosed; or NULL */
    const struct membership *membership; /* that gives the client access; NULL: none */
    const struct app_entry *app;         /* NULL: none or not disclosed */
    const struct host *host;             /* the custom domain, target or static records */
    const struct formation_entry *formation;
    const struct dyno_entry *dyno;
    const struct router_entry *router;
    const struct port_entry *port;
    const struct kept_back_cohort *kept_back; /* a kept-back name's cohort; NULL: not kept back */
    uint8_t route;              /* of a forwarded name: index in the policy's routes */
    const char *upstream_fault; /* set after forwarding: "no reply from", with ... */
    const char *upstream;       /* ... the server; NULL: all servers of the route */
};

/** Sets the case, the response code and the reason; nothing else changes. */
void verdict_set(struct verdict *verdict, enum situation situation, uint8_t rcode,
                 enum reason reason);

/** Any other name, and no recursion for this client: REFUSED. */
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

/** Answers type TXT with text made when the reply is written; other types are NODATA. */
void verdict_text(const struct query *query, enum answer_kind answer, struct verdict *verdict);

/**
 * Sets space and membership. Returns false when the client is not a member (the name is then
 * concealed) or the space is being created or deleted (the verdict is then final).
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
