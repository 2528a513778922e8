#pragma once
/**
 * How each upstream stands, and which names it left without an answer, as all workers know it.
 *
 *     standings ─┬─ standing[number] ──► standing: well, in doubt, failing; when to probe; ...
 *     (of a list)│                          ▲
 *                └─ failures                │ the same one, in the next list that names the server
 *     standings of the next list ───────────┘
 *
 *     well ──(STANDING_SILENT_MOST questions in a row without any reply)──► in doubt
 *       ▲                                                                      │
 *       ├──────────────(any reply to anything)─────────────────────────────────┤
 *       │                                              (STANDING_PROBES_MOST   │
 *       │                                               probes of our own      ▼
 *       └──────────────(any reply to anything)───────── without reply) ──── failing
 *
 * A name's silence is the name's: clients' questions that stay without a reply, whoever asks and
 * however many there are, only put a server in doubt, and one in doubt is asked like any other.
 * What makes it failing is the silence of a question of ours that every server has an answer to:
 * the name servers of the root, or the SOA of the zone that it is asked for. From the first doubt
 * to the next reply one worker at a time sends such a probe, twice a second. Every second one is
 * asked without recursion (RD=0), so that a server that cannot reach the root lives, too: whatever
 * it says to that, it says at once.
 *
 * A server that leaves probes of both kinds unanswered and answers clients is no failing one. So
 * while a server is failing some of the clients' questions are tried on it, with nobody waiting:
 * silence then says nothing, as ever, but a reply makes it well. Probes go on until it replies to
 * one, or leaves both kinds silent once more: then its silence on them says little (MUTE_KNOWN),
 * and until it replies to one it takes STANDING_MUTE_MOST of them to make it failing.
 *
 * Sources: RFC 8767 section 5 (what a resolver may do while nobody answers); RFC 9520.
 * Threads: made on the control thread, or by the one thread that uses it; written by all workers
 * through atomics, without locks. Two that write at once may lose one step of a count; which is no
 * harm, for the next silence or reply comes. A change of state is made by exactly one of them.
 * Memory: counted; a list holds its standings, and each worker's way out holds its list.
 * Time: milliseconds of the one monotonic clock; another worker's may be a little ahead.
 */
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "config/upstream.h"
#include "forward/failures.h"

enum {
    STANDING_LINE_OCTETS = 64,
    STANDING_SILENT_MOST = 5,
    STANDING_PROBES_MOST = 3,
    STANDING_MUTE_MOST = 20, /* the same of a server that answers clients alone */
    STANDING_PROBE_MS = 500,
    STANDING_TRIAL_MS = 250, /* a failing server is tried with a client's question as often */
    QUIRK_MS = 600000,       /* how long a server is asked as it needs */
};

/** Whether a server replies to clients and not to probes. */
enum standing_mute { MUTE_UNKNOWN, MUTE_SUSPECTED, MUTE_KNOWN };

enum standing_state { STANDING_WELL, STANDING_IN_DOUBT, STANDING_FAILING };

/**
 * A peculiarity of a server: it does not know EDNS, it does not keep the case of letters. One odd
 * name is the name's, or a forger's luck: the server is remembered for it only when a second name
 * needs the same and nothing has shown the contrary in between.
 */
struct quirk {
    _Atomic uint64_t until_ms;
    _Atomic uint64_t name; /* hash of the one that needed it; 0: none */
};

/** One server's. */
struct standing {
    alignas(STANDING_LINE_OCTETS) _Atomic uint64_t last_reply_ms; /* 0: never */
    _Atomic uint64_t probe_due_ms; /* who moves it on sends the next probe */
    struct quirk no_edns;
    struct quirk other_case;
    _Atomic uint32_t state;         /* enum standing_state */
    _Atomic uint32_t silent;        /* questions in a row without any reply */
    _Atomic uint32_t probes_silent; /* the same of probes, since it is in doubt or suspected */
    _Atomic uint32_t probes;        /* sent in all */
    _Atomic uint32_t mute;          /* enum standing_mute */
    _Atomic uint64_t trial_due_ms;  /* who moves it on tries the server */
    _Atomic uint32_t holds;
};

/** Of one list of upstreams. */
struct standings {
    _Atomic uint32_t holds;
    _Atomic uint32_t recoveries; /* how often a failing server has replied again */
    _Atomic uint32_t falls;      /* how often a server has become failing */
    struct failures failures;    /* of questions to them */
    struct arena *arena;         /* all this and `zones` lie in it */
    struct upstream_zones zones;
    size_t count;
    struct standing *items[UPSTREAMS_IN_ALL_MOST]; /* by number, as forward_list_servers has it */
};

/**
 * Makes those of a list, held once. Servers that `before` knows, too (NULL: none), keep their
 * standing. Returns NULL with *err.
 */
struct standings *standings_new(const struct upstream_zones *zones, const struct standings *before,
                                struct err *err);

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

/** When anything came from the server last; 0: never. */
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

/** A name needed it, and got a good answer so. `name` is a hash of it. */
void quirk_note(struct quirk *quirk, uint64_t name, uint64_t now_ms);

/** A name did not need it. */
void quirk_deny(struct quirk *quirk);

/** A reply came, to a probe or a client's question. Returns true when it had been failing. */
bool standing_on_reply(struct standing *standing, bool to_probe, uint64_t now_ms);

/**
 * A question that was sent at `sent_ms` has stayed without a reply for long. Counts unless anything
 * came since. Returns true when this put the server in doubt; its first probe is due at once, but
 * for one of lately.
 */
bool standing_on_silence(struct standing *standing, uint64_t sent_ms, uint64_t now_ms);

/** The same of a probe. Returns true when this made the server failing. */
bool standing_on_probe_silence(struct standing *standing, uint64_t sent_ms);

/** True for the one worker that is to send the probe that is due now. */
bool standing_claim_probe(struct standing *standing, uint64_t now_ms);

/** True for the one worker that is to try the failing server now, with a question at hand. */
bool standing_claim_trial(struct standing *standing, uint64_t now_ms);

/** Counts a probe. Returns true when it is to be asked with recursion. */
bool standing_count_probe(struct standing *standing);
