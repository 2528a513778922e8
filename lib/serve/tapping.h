#pragma once
/**
 * Makes the dnstap message of an exchange.
 *
 *     what                          kind            policy
 *     a reply about names of ours   AUTH_RESPONSE   its reason's code, if it has one
 *     a reply with, or for want of, CLIENT_RESPONSE the same
 *     an upstream's answer
 *     a request above a rate that   AUTH_QUERY      Q60, or external_rate for outsiders; DROP
 *     gets no reply
 *
 * A response has its query, too, so each request is one message.
 *
 * Threads: a worker's.  Memory: never allocates.
 */
#include "base/endpoint.h"
#include "respond/respond.h"
#include "tap/tap.h"

/** When an exchange came, with whom, and when it was over. */
struct tapped {
    const struct endpoint *client; /* the source address, as the socket reports it */
    int64_t begun_us;              /* by clock_wall_us */
    int64_t answered_us;           /* not read without a reply */
    size_t length;                 /* of the reply; 0: there is none */
};

/** Writes who sends: for each snapshot, because it has this server's name (or NULL: it has none).
 */
void tapping_write_origin(const struct snapshot *snapshot, struct dnstap_origin *out);

/**
 * Sends the message of an exchange that is over. Returns false when it is dropped: there is no
 * receiver, or it is slow.
 */
bool tapping_send(struct tap_feed *feed, const struct dnstap_origin *origin,
                  const struct exchange *exchange, const struct tapped *tapped);
