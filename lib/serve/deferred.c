#include "serve/deferred.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "wire/edns.h"
#include "wire/types.h"

enum {
    WAITING_PER_QUESTION = 2,
    SHARES = 4,
    RESERVE = 8, /* one eighth of the slots is for clients with FEW requests waiting */
    FEW = 2,     /* A and AAAA of one name */
    ROWS = 2,
    ROW_BITS = 11,
};

struct deferred {
    struct pending_request *pool;
    SLIST_HEAD(, pending_request) free;
    size_t free_count;
    size_t questions;
    size_t share; /* of one client, at least 1 */
    struct hash_key key;
    /*
     * Requests kept, by two hashes of the client's address; the lower count is closer to the
     * client's.
     */
    uint32_t kept[ROWS][1 << ROW_BITS];
    struct exchange exchange; /* of the reply that is being written */
    uint8_t reply[TCP_OCTETS_MOST];
};

static void give_back(struct deferred *deferred, struct pending_request *pending_request)
{
    assert(deferred->free_count < WAITING_PER_QUESTION * deferred->questions);
    SLIST_INSERT_HEAD(&deferred->free, pending_request, free_link);
    deferred->free_count++;
}

/* A client's count in each row. */
struct client_counts {
    uint32_t *of[ROWS];
};

static struct client_counts counts_of(struct deferred *deferred, const struct path *path)
{
    uint64_t hash = hash_mix(path->source ^ deferred->key.first, deferred->key.second);

    return (struct client_counts){{
        &deferred->kept[0][hash >> (64 - ROW_BITS)],
        &deferred->kept[1][hash & ((1U << ROW_BITS) - 1)],
    }};
}

static uint32_t count_kept(const struct client_counts *counts)
{
    return *counts->of[0] < *counts->of[1] ? *counts->of[0] : *counts->of[1];
}

/* True when few slots or few questions are left. */
static bool is_scarce(const struct deferred *deferred, size_t questions_left)
{
    return questions_left <= deferred->questions / RESERVE ||
           deferred->free_count <= WAITING_PER_QUESTION * deferred->questions / RESERVE;
}

struct deferred *deferred_new(size_t questions, struct err *err)
{
    size_t count = WAITING_PER_QUESTION * questions;
    struct deferred *deferred = calloc(1, sizeof *deferred);

    if (deferred != NULL)
        deferred->pool = calloc(count, sizeof *deferred->pool);
    if (deferred == NULL || deferred->pool == NULL) {
        free(deferred);
        err_set(err, ERR_MEMORY, "no memory for %zu waiting requests; lower upstream_questions",
                count);
        return NULL;
    }
    deferred->exchange.reply = deferred->reply;
    deferred->key = hash_key_random();
    deferred->questions = questions;
    deferred->share = questions < SHARES ? 1 : questions / SHARES;
    for (size_t i = count; i-- > 0;)
        give_back(deferred, &deferred->pool[i]);
    return deferred;
}

void deferred_free(struct deferred *deferred)
{
    if (deferred == NULL)
        return;
    free(deferred->pool);
    free(deferred);
}

static void write_option(struct writer *out, uint16_t code, const uint8_t *data, size_t length)
{
    write16(out, code);
    write16(out, (uint16_t)length);
    if (length > 0)
        write_octets(out, data, length);
}

/* Every request that was read as a query fits; a truncated one must never be forwarded. */
static uint16_t length_of(const struct writer *out)
{
    assert(!out->failed);
    return (uint16_t)writer_length(out);
}

/* The parts of the request that are needed later: header, question, OPT with the options read. */
static uint16_t write_request(const struct exchange *exchange, uint8_t *request)
{
    const struct query *query = &exchange->query;
    struct writer out = writer_over(request, DEFERRED_REQUEST_OCTETS);
    size_t count = (size_t)query->wants_nsid + query->wants_keepalive + (query->cookie_octets > 0);

    write_octets(&out, exchange->request, query->question_end);
    memset(request + 6, 0, HEADER_OCTETS - 6);
    if (!query->has_opt)
        return length_of(&out);
    store16(request + 10, 1);
    write8(&out, 0);
    write16(&out, TYPE_OPT);
    write16(&out, query->udp_octets);
    write32(&out, query->dnssec_ok ? OPT_FLAG_DO : 0);
    write16(&out, (uint16_t)(OPTION_HEAD_OCTETS * count + query->cookie_octets));
    if (query->wants_nsid)
        write_option(&out, OPTION_NSID, NULL, 0);
    if (query->wants_keepalive)
        write_option(&out, OPTION_KEEPALIVE, NULL, 0);
    if (query->cookie_octets > 0)
        write_option(&out, OPTION_COOKIE, query->cookie, query->cookie_octets);
    return length_of(&out);
}

struct pending_request *deferred_keep(struct deferred *deferred, const struct exchange *exchange,
                                      size_t questions_left)
{
    struct pending_request *pending_request = SLIST_FIRST(&deferred->free);
    struct client_counts counts = counts_of(deferred, &exchange->path);
    uint32_t kept = count_kept(&counts);

    if (pending_request == NULL || kept >= deferred->share ||
        (kept >= FEW && is_scarce(deferred, questions_left)))
        return NULL;
    assert(deferred->free_count > 0);
    for (size_t row = 0; row < ROWS; row++)
        ++*counts.of[row];
    SLIST_REMOVE_HEAD(&deferred->free, free_link);
    deferred->free_count--;
    pending_request->path = exchange->path;
    pending_request->waiter.client = exchange->path.source;
    pending_request->transport = (uint8_t)exchange->transport;
    pending_request->keepalive_100ms = exchange->keepalive_100ms;
    pending_request->request_length = write_request(exchange, pending_request->request);
    return pending_request;
}

void deferred_drop(struct deferred *deferred, struct pending_request *pending_request)
{
    struct client_counts counts = counts_of(deferred, &pending_request->path);

    for (size_t row = 0; row < ROWS; row++) {
        assert(*counts.of[row] > 0);
        --*counts.of[row];
    }
    give_back(deferred, pending_request);
}

struct exchange *deferred_restore(struct deferred *deferred,
                                  const struct pending_request *pending_request)
{
    struct exchange *exchange = &deferred->exchange;

    exchange->request = pending_request->request;
    exchange->request_length = pending_request->request_length;
    exchange->path = pending_request->path;
    exchange->transport = (enum transport)pending_request->transport;
    exchange->keepalive_100ms = pending_request->keepalive_100ms;
    return exchange;
}
