#include "serve/pulse.h"

#include <netinet/in.h>

#include "respond/respond.h"

/* A query as it arrives: upcheck.localspace IN A (RFC 1035 section 4.1). */
static const uint8_t query[] = {
    0,  0,   0,   0,   0,   1,   0,   0,   0,   0,   0,   0, /* header: one question */
    7,  'u', 'p', 'c', 'h', 'e', 'c', 'k',                   /* name */
    10, 'l', 'o', 'c', 'a', 'l', 's', 'p', 'a', 'c', 'e', 0, /* name */
    0,  1,   0,   1,                                         /* A, IN */
};

void pulse_request(struct pulse *pulse)
{
    atomic_fetch_add_explicit(&pulse->requested, 1, memory_order_relaxed);
}

/* False when the query gets no reply. */
static bool answers(const struct snapshot *snapshot)
{
    uint8_t reply[UDP_OCTETS_MOST];
    struct exchange exchange = {
        .request = query,
        .request_length = sizeof query,
        .path = {.source = INADDR_LOOPBACK, .destination = INADDR_LOOPBACK},
        .transport = TRANSPORT_UDP,
        .reply = reply,
    };

    return respond(snapshot, &exchange) > 0;
}

void pulse_answer(struct pulse *pulse, const struct snapshot *snapshot)
{
    uint64_t requested = atomic_load_explicit(&pulse->requested, memory_order_relaxed);

    if (requested != atomic_load_explicit(&pulse->answered, memory_order_relaxed) &&
        answers(snapshot))
        atomic_store_explicit(&pulse->answered, requested, memory_order_relaxed);
}

bool pulse_has_answered(const struct pulse *pulse)
{
    return atomic_load_explicit(&pulse->answered, memory_order_relaxed) ==
           atomic_load_explicit(&pulse->requested, memory_order_relaxed);
}
