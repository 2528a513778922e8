#include "forward/inquiry.h"

#include <string.h>

#include "wire/types.h"

void inquiry_join(struct inquiry *inquiry, struct waiter *waiter)
{
    waiter->next = NULL;
    if (inquiry->first_waiter == NULL)
        inquiry->first_waiter = waiter;
    else
        inquiry->last_waiter->next = waiter;
    inquiry->last_waiter = waiter;
}

struct waiter *inquiry_take_impatient(struct inquiry *inquiry, uint64_t now_ms)
{
    struct waiter *first = inquiry->first_waiter, *last = NULL;

    while (inquiry->first_waiter != NULL && inquiry->first_waiter->until_ms <= now_ms) {
        last = inquiry->first_waiter;
        inquiry->first_waiter = last->next;
    }
    if (last == NULL)
        return NULL;
    last->next = NULL;
    return first;
}

void inquiry_spell(struct inquiry *inquiry, struct random_source *random, bool mixes_case)
{
    uint8_t bits[NAME_MAX_OCTETS / 8 + 1];

    memcpy(inquiry->spelling, inquiry->name.octets, inquiry->name.length);
    if (!mixes_case)
        return;
    random_fill(random, bits, sizeof bits);
    for (size_t i = 0; i < inquiry->name.length; i++) {
        uint8_t octet = inquiry->spelling[i];
        if (octet >= 'a' && octet <= 'z' && (bits[i / 8] >> i % 8 & 1) != 0)
            inquiry->spelling[i] = (uint8_t)(octet - 'a' + 'A');
    }
}

void inquiry_restart(struct inquiry *inquiry, struct random_source *random, bool mixes_case)
{
    struct response *error = (struct response *)(void *)inquiry->error;

    inquiry->failure = FORWARD_FAILING;
    inquiry->tried = 0;
    inquiry->retries = 0;
    error->octets = 0;
    inquiry_spell(inquiry, random, mixes_case);
}

void inquiry_remember(struct inquiry *inquiry, enum forward_failure failure, uint8_t server)
{
    if (forward_failure_is_code(inquiry->failure) && !forward_failure_is_code(failure))
        return;
    inquiry->failure = (uint8_t)failure;
    inquiry->failed_server = server;
}

static enum forward_failure failure_of(uint16_t rcode)
{
    switch (rcode) {
    case RCODE_SERVFAIL:
        return FORWARD_SERVFAIL;
    case RCODE_FORMERR:
        return FORWARD_FORMERR;
    case RCODE_NOTIMP:
        return FORWARD_NOTIMP;
    case RCODE_REFUSED:
        return FORWARD_REFUSED;
    default:
        return FORWARD_ERROR;
    }
}

void inquiry_remember_error(struct inquiry *inquiry, const struct response *response,
                            uint8_t server)
{
    struct response *error = (struct response *)(void *)inquiry->error;

    if (error->octets > 0)
        return;
    inquiry_remember(inquiry, failure_of(response->rcode), server);
    if (response->rcode != RCODE_SERVFAIL)
        return;
    size_t ede_octets = response->ede_octets <= INQUIRY_EDE_OCTETS_MOST ? response->ede_octets : 0;
    *error = (struct response){
        .octets = (uint32_t)(sizeof *error + ede_octets),
        .rcode = response->rcode,
        .ede_octets = (uint16_t)ede_octets,
    };
    memcpy(error->data, response_ede(response), ede_octets);
}

const struct response *inquiry_error(const struct inquiry *inquiry)
{
    const struct response *error = (const struct response *)(const void *)inquiry->error;

    return error->octets > 0 ? error : NULL;
}

uint8_t inquiry_open_place(const struct inquiry *inquiry)
{
    const struct attempt *oldest = NULL;

    for (size_t i = 0; i < PENDING_ATTEMPTS; i++) {
        const struct attempt *attempt = &inquiry->attempts[i];
        if (attempt->is_open && (oldest == NULL || attempt->sent_ms < oldest->sent_ms))
            oldest = attempt;
    }
    return oldest == NULL ? RESOLVER_NONE : oldest->place;
}

unsigned inquiry_count_open(const struct inquiry *inquiry)
{
    unsigned count = 0;

    for (size_t i = 0; i < PENDING_ATTEMPTS; i++)
        count += inquiry->attempts[i].is_open;
    return count;
}

struct attempt *inquiry_newest_attempt(struct inquiry *inquiry)
{
    struct attempt *newest = NULL;

    for (size_t i = 0; i < PENDING_ATTEMPTS; i++) {
        struct attempt *attempt = &inquiry->attempts[i];
        if (attempt->is_open && (newest == NULL || attempt->sent_ms >= newest->sent_ms))
            newest = attempt;
    }
    return newest;
}

struct attempt *inquiry_free_attempt(struct inquiry *inquiry)
{
    for (size_t i = 0; i < PENDING_ATTEMPTS; i++)
        if (!inquiry->attempts[i].is_open)
            return &inquiry->attempts[i];
    return NULL;
}

bool inquiry_has_foreign(const struct inquiry *inquiry, uint8_t place)
{
    for (size_t i = 0; i < PENDING_ATTEMPTS; i++) {
        const struct attempt *attempt = &inquiry->attempts[i];
        if (attempt->is_open && attempt->place == place && attempt->foreign > 0)
            return true;
    }
    return false;
}
