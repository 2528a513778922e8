#include "forward/fetch.h"

#include <string.h>

#include "wire/types.h"

void fetch_join(struct fetch *fetch, struct waiter *waiter)
{
    waiter->next = NULL;
    if (fetch->first_waiter == NULL)
        fetch->first_waiter = waiter;
    else
        fetch->last_waiter->next = waiter;
    fetch->last_waiter = waiter;
}

struct waiter *fetch_take_expired(struct fetch *fetch, uint64_t now_ms)
{
    struct waiter *first = fetch->first_waiter, *last = NULL;

    while (fetch->first_waiter != NULL && fetch->first_waiter->until_ms <= now_ms) {
        last = fetch->first_waiter;
        fetch->first_waiter = last->next;
    }
    if (last == NULL)
        return NULL;
    last->next = NULL;
    return first;
}

void fetch_charge(struct fetch *fetch)
{
    const struct waiter *waiter = fetch->first_waiter;

    while (waiter != NULL && waiter->client == fetch->client)
        waiter = waiter->next;
    if (waiter != NULL)
        fetch->client = waiter->client;
}

void fetch_spell(struct fetch *fetch, struct random_source *random, bool mixes_case)
{
    uint8_t bits[NAME_MAX_OCTETS / 8 + 1];

    memcpy(fetch->spelling, fetch->name.octets, fetch->name.length);
    if (!mixes_case)
        return;
    random_fill(random, bits, sizeof bits);
    for (size_t i = 0; i < fetch->name.length; i++) {
        uint8_t octet = fetch->spelling[i];
        if (octet >= 'a' && octet <= 'z' && (bits[i / 8] >> i % 8 & 1) != 0)
            fetch->spelling[i] = (uint8_t)(octet - 'a' + 'A');
    }
}

void fetch_restart(struct fetch *fetch, struct random_source *random, bool mixes_case)
{
    struct response *error = (struct response *)(void *)fetch->error;

    fetch->failure = FORWARD_FAILING;
    fetch->tried = 0;
    fetch->retries = 0;
    error->octets = 0;
    fetch_spell(fetch, random, mixes_case);
}

void fetch_remember(struct fetch *fetch, enum forward_failure failure, uint8_t server)
{
    if (forward_failure_is_code(fetch->failure) && !forward_failure_is_code(failure))
        return;
    fetch->failure = (uint8_t)failure;
    fetch->failed_server = server;
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
    default: /* response codes */
        return FORWARD_ERROR;
    }
}

void fetch_remember_error(struct fetch *fetch, const struct response *response, uint8_t server)
{
    struct response *error = (struct response *)(void *)fetch->error;

    if (error->octets > 0)
        return;
    fetch_remember(fetch, failure_of(response->rcode), server);
    if (response->rcode != RCODE_SERVFAIL)
        return;
    size_t ede_octets = response->ede_octets <= FETCH_EDE_OCTETS_MOST ? response->ede_octets : 0;
    *error = (struct response){
        .octets = (uint32_t)(sizeof *error + ede_octets),
        .rcode = response->rcode,
        .ede_octets = (uint16_t)ede_octets,
    };
    memcpy(error->data, response_ede(response), ede_octets);
}

const struct response *fetch_error(const struct fetch *fetch)
{
    const struct response *error = (const struct response *)(const void *)fetch->error;

    return error->octets > 0 ? error : NULL;
}

uint8_t fetch_open_index(const struct fetch *fetch)
{
    const struct attempt *oldest = NULL;

    for (size_t i = 0; i < FETCH_ATTEMPTS; i++) {
        const struct attempt *attempt = &fetch->attempts[i];
        if (attempt->is_open && (oldest == NULL || attempt->sent_ms < oldest->sent_ms))
            oldest = attempt;
    }
    return oldest == NULL ? RESOLVER_NONE : oldest->index;
}

unsigned fetch_count_open(const struct fetch *fetch)
{
    unsigned count = 0;

    for (size_t i = 0; i < FETCH_ATTEMPTS; i++)
        count += fetch->attempts[i].is_open;
    return count;
}

struct attempt *fetch_newest_attempt(struct fetch *fetch)
{
    struct attempt *newest = NULL;

    for (size_t i = 0; i < FETCH_ATTEMPTS; i++) {
        struct attempt *attempt = &fetch->attempts[i];
        if (attempt->is_open && (newest == NULL || attempt->sent_ms >= newest->sent_ms))
            newest = attempt;
    }
    return newest;
}

struct attempt *fetch_free_attempt(struct fetch *fetch)
{
    for (size_t i = 0; i < FETCH_ATTEMPTS; i++)
        if (!fetch->attempts[i].is_open)
            return &fetch->attempts[i];
    return NULL;
}

bool fetch_has_mismatched(const struct fetch *fetch, uint8_t index)
{
    for (size_t i = 0; i < FETCH_ATTEMPTS; i++) {
        const struct attempt *attempt = &fetch->attempts[i];
        if (attempt->is_open && attempt->index == index && attempt->mismatched > 0)
            return true;
    }
    return false;
}
