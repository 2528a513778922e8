#include "serve/deferred.h"

#include <stdlib.h>
#include <string.h>

#include "wire/types.h"

enum { OPTION_HEAD_OCTETS = 4, OPTION_NSID = 3, OPTION_KEEPALIVE = 11, OPT_FLAG_DO = 0x8000 };
enum { SHARES = 4, CLIENT_BITS = 10 };

struct deferred {
    struct deferral *pool;
    struct waiter *free;
    size_t share;                       /* of one client, at least 1 */
    uint32_t kept_of[1 << CLIENT_BITS]; /* by hash of the client's address */
    struct exchange exchange;           /* of the reply that is being written */
    uint8_t reply[TCP_OCTETS_MOST];
};

static void give_back(struct deferred *deferred, struct deferral *deferral)
{
    deferral->waiter.next = deferred->free;
    deferred->free = &deferral->waiter;
}

/* How many requests of a client are kept. No client chooses its address, so the hash needs no key.
 */
static uint32_t *kept_of(struct deferred *deferred, const struct path *path)
{
    return &deferred->kept_of[path->source * UINT32_C(0x9e3779b1) >> (32 - CLIENT_BITS)];
}

struct deferred *deferred_new(size_t count, struct err *err)
{
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
    deferred->share = count < SHARES ? 1 : count / SHARES;
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

static void write_option(struct writer *out, uint16_t code)
{
    write16(out, code);
    write16(out, 0);
}

/* The request without what is of no use later: header, question, OPT with what was understood. */
static uint16_t write_request(const struct exchange *exchange, uint8_t *request)
{
    const struct query *query = &exchange->query;
    struct writer out = writer_over(request, DEFERRED_REQUEST_OCTETS);
    uint16_t options =
        (uint16_t)(OPTION_HEAD_OCTETS * (query->wants_nsid + query->wants_keepalive));

    write_octets(&out, exchange->request, query->question_end);
    memset(request + 6, 0, HEADER_OCTETS - 6);
    if (!query->has_opt)
        return (uint16_t)writer_length(&out);
    store16(request + 10, 1);
    write8(&out, 0);
    write16(&out, TYPE_OPT);
    write16(&out, query->udp_octets);
    write32(&out, query->dnssec_ok ? OPT_FLAG_DO : 0);
    write16(&out, options);
    if (query->wants_nsid)
        write_option(&out, OPTION_NSID);
    if (query->wants_keepalive)
        write_option(&out, OPTION_KEEPALIVE);
    return (uint16_t)writer_length(&out);
}

struct deferral *deferred_keep(struct deferred *deferred, const struct exchange *exchange)
{
    struct deferral *deferral = (struct deferral *)(void *)deferred->free;
    uint32_t *kept = kept_of(deferred, &exchange->path);

    if (deferral == NULL || *kept >= deferred->share)
        return NULL;
    ++*kept;
    deferred->free = deferral->waiter.next;
    deferral->path = exchange->path;
    deferral->transport = (uint8_t)exchange->transport;
    deferral->keepalive_100ms = exchange->keepalive_100ms;
    deferral->request_length = write_request(exchange, deferral->request);
    return deferral;
}

void deferred_drop(struct deferred *deferred, struct deferral *deferral)
{
    --*kept_of(deferred, &deferral->path);
    give_back(deferred, deferral);
}

struct exchange *deferred_restore(struct deferred *deferred, const struct deferral *deferral)
{
    struct exchange *exchange = &deferred->exchange;

    exchange->request = deferral->request;
    exchange->request_length = deferral->request_length;
    exchange->path = deferral->path;
    exchange->transport = (enum transport)deferral->transport;
    exchange->keepalive_100ms = deferral->keepalive_100ms;
    return exchange;
}
