#pragma once
/**
 * Which dynos an answer has handed out: the expiries (expiries.h) that a flow raises.
 *
 *     formation ──► each of its dynos that is named       dyno ──► itself
 *     coarse    ──► each of the app's                     static A records ──► their addresses
 *
 * A static record names an address, which is of a dyno or is not, now or later. So an address of
 * any space here is kept by itself, under HANDED_OUT_BY_RECORD instead of an app, and whoever asks
 * about a dyno looks for its addresses there, too.
 *
 * Addresses of SRV and MX targets in the additional section are not looked at: resolvers do not
 * answer with them (RFC 2181 section 5.4.1).
 *
 * Threads: one; static_names_space is pure.  Memory: the caller's.
 */
#include "traffic/asking.h"
#include "traffic/expiries.h"

enum { HANDED_OUT_APPLIED = 1 << 8 };

/** The name of the party, a word, that has the addresses of static records. */
#define HANDED_OUT_BY_RECORD "static record"

struct handed_out {
    struct asking *asking; /* these three are borrowed */
    struct parties *parties;
    struct expiries *expiries;
    /* An expiry that all dynos of a formation have, so that they are not raised for each flow. */
    struct {
        const struct formation_entry *formation;
        uint32_t until_s;
    } applied[HANDED_OUT_APPLIED];
};

/** Begins with a table: what was raised for another does not count. */
void handed_out_begin(struct handed_out *handed_out);

/** Raises what a flow for an app has handed out; `now_s`: of its last reply. */
void handed_out_add(struct handed_out *handed_out, const struct flow *flow,
                    const struct asked *asked, uint32_t now_s);

/** The same for a flow for static records; does nothing for another one. */
void handed_out_add_records(struct handed_out *handed_out, const struct snapshot *snapshot,
                            const struct flow *flow, uint32_t now_s);

/** True for an expiry of an address that a static record has handed out. */
bool handed_out_by_record(const struct parties *parties, const struct expiry *expiry);
