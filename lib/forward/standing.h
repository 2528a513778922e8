#pragma once
/**
 * What all workers share about upstreams: the health of each, the cache of their responses, and
 * recent failures of questions.
 *
 *     standings ─┬─ standing[number] ──► standing: well, in doubt, failing; next probe; ...
 *     (of a list)├─ cache                   ▲
 *                └─ failures                │ shared with the next list that names the server
 *     standings of the next list ───────────┘
 *
 *     well ──(STANDING_SILENT_MOST questions in a row without any reply)──► in doubt
 *       ▲                                                                      │
 *       ├──────────────(any reply to anything)─────────────────────────────────┤
 *       │                                              (STANDING_PROBES_MOST   │
 *       │                                               probes of our own      ▼
 *       └──────────────(any reply to anything)───────── without reply) ──── failing
 *
 * A name that gets no reply may be the name's own problem. So unanswered questions of clients,
 * however many, only put a server in doubt, and a server in doubt is asked like any other. It
 * becomes failing when it does not reply to our probes, which every server can answer: the name
 * servers of the root, or the SOA of the zone that it is asked for. From the first doubt to the
 * next reply one worker at a time sends such a probe, twice a second. Every other probe is without
 * recursion (RD=0), so that a server that cannot reach the root counts as up, too: it answers that
 * at once, with any code.
 *
 * A server that answers clients but no probes of either kind is not failing. So while a server is
 * failing, some of the clients' questions are tried on it, without a waiter: no reply means
 * nothing, but a reply makes it well. Probes go on until it replies to one, or leaves both kinds
 * unanswered once more: then it is known to ignore probes (MUTE_KNOWN), and until it replies to one
 * it takes STANDING_MUTE_MOST of them to make it failing.
 *
 * Sources: RFC 8767 section 5 (what a resolver may do while no server answers); RFC 9520.
 * Threads: made on the control thread, or by the one thread that uses it; written by all workers
 * through atomics, without locks. Two writers at once may lose one step of a count, which the next
 * silence or reply makes up for. A change of state is made by exactly one of them.
 * Memory: counted; a list holds its standings, and each worker's upstream set holds its list.
 * Time: milliseconds of the monotonic clock; another worker's may be a little ahead.
 */
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "config/upstream.h"
#include "forward/cache.h"
#include "forward/failures.h"

enum {
    STANDING_LINE_OCTETS = 64,
    STANDING_SILENT_MOST = 5,
    STANDING_PROBES_MOST = 3,
    STANDING_MUTE_MOST = 20, /* the same for a server that answers clients only */
    STANDING_PROBE_MS = 500,
    STANDING_TRIAL_MS = 250, /* between trials of a failing server with a client's question */
    QUIRK_MS = 600000,       /* how long a quirk is remembered */
};

/** Whether a server replies to clients and not to probes. */
enum standing_mute { MUTE_UNKNOWN, MUTE_SUSPECTED, MUTE_KNOWN };

enum standing_state { STANDING_WELL, STANDING_IN_DOUBT, STANDING_FAILING };

/**
 * A quirk of a server: it does not know EDNS, or does not keep the case. A single name may be an
 * exception, or a forger's luck: the quirk is known only when a second name needs the same and no
 * answer has shown the contrary in between.
 */
struct quirk {
    _Atomic uint64_t until_ms;
    _Atomic uint64_t name; /* hash of the first name that needed it; 0: none */
};

/** The health of one server. */
struct standing {
    alignas(STANDING_LINE_OCTETS) _Atomic uint64_t last_reply_ms; /* 0: never */
    _Atomic uint64_t probe_due_ms; /* the worker that moves it on sends the next probe */
    struct quirk no_edns;
    struct quirk other_case;
    _Atomic uint32_t state;         /* enum standing_state */
    _Atomic uint32_t silent;        /* questions in a row without any reply */
    _Atomic uint32_t probes_silent; /* the same for probes, since it is in doubt or suspected */
    _Atomic uint32_t probes;        /* sent in all */
    _Atomic uint32_t mute;          /* enum standing_mute */
    _Atomic uint64_t trial_due_ms;  /* the worker that moves it on tries the server */
    _Atomic uint32_t cause;         /* enum forward_failure of its last probe without reply */
    _Atomic uint32_t holds;
};

/** The health of all servers of one list of upstreams. */
struct standings {
    _Atomic uint32_t holds;
    _Atomic uint32_t recoveries; /* how often a failing server has replied again */
    _Atomic uint32_t falls;      /* how often a server has become failing */
    struct failures failures;    /* of questions to these servers */
    struct cache *cache;         /* of their responses; NULL: none */
    struct arena *arena;         /* owns this struct and `zones` */
    struct upstream_zones zones;
    size_t count;
    struct standing *items[UPSTREAMS_IN_ALL_MOST]; /* by server_list.h's numbers */
};

/**
 * Makes the standings of a list, held once. Servers that are also in `before` (NULL: none) keep
 * their standing. The cache is empty: its entries name servers by the list's numbers. It has
 * `cache_octets`; 0: there is none. Returns NULL with *err.
 */
struct standings *standings_new(const struct upstream_zones *zones, const struct standings *before,
                                size_t cache_octets, struct err *err);

struct standings *standings_hold(struct standings *standings);

/** Frees them with the last hold. NULL is allowed. */
void standings_release(struct standings *standings);

static inline enum standing_state standing_state(const struct standing *standing)
{
    return (enum standing_state)atomic_load_explicit(&standing->state, memory_order_relaxed);
}

/** True when it is to be probed. */
static inline bool standing_is_watched(const struct standing *standing)
{
    return standing_state(standing) != STANDING_WELL ||
           atomic_load_explicit(&standing->mute, memory_order_relaxed) == MUTE_SUSPECTED;
}

/** When the server's last reply came; 0: never. */
static inline uint64_t standing_last_reply_ms(const struct standing *standing)
{
    return atomic_load_explicit(&standing->last_reply_ms, memory_order_relaxed);
}

/** Questions in a row without any reply. */
static inline uint32_t standing_silent(const struct standing *standing)
{
    return atomic_load_explicit(&standing->silent, memory_order_relaxed);
}

static inline bool quirk_is_known(const struct quirk *quirk, uint64_t now_ms)
{
    return now_ms < atomic_load_explicit(&quirk->until_ms, memory_order_relaxed);
}

/** Notes that a name got a good answer only with the quirk in mind. `name` is its hash. */
void quirk_note(struct quirk *quirk, uint64_t name, uint64_t now_ms);

/** Notes that a name got a good answer without that. */
void quirk_deny(struct quirk *quirk);

/** Counts a reply to a probe or a client's question. Returns true if the server was failing. */
bool standing_on_reply(struct standing *standing, bool to_probe, uint64_t now_ms);

/**
 * Counts a question without a reply, sent at `sent_ms`, unless any reply came since. Returns true
 * when this put the server in doubt; its first probe is then due at once, unless one was sent just
 * before.
 */
bool standing_on_silence(struct standing *standing, uint64_t sent_ms, uint64_t now_ms);

/** The same for a probe. Returns true when this made the server failing. */
bool standing_on_probe_silence(struct standing *standing, uint64_t sent_ms);

/** Returns true to one worker, which must send the probe that is due now. */
bool standing_claim_probe(struct standing *standing, uint64_t now_ms);

/** Returns true to one worker, which must send a client's question to the failing server now. */
bool standing_claim_trial(struct standing *standing, uint64_t now_ms);

/** Counts a probe. Returns true when it is to be sent with recursion. */
bool standing_count_probe(struct standing *standing);
