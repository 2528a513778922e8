#include "respond/respond.h"

#include <string.h>

#include "decide/explain.h"
#include "decide/outcome.h"
#include "forward/relay.h"
#include "respond/chain.h"
#include "respond/limits.h"
#include "respond/outsider.h"
#include "respond/render.h"
#include "respond/usual.h"
#include "wire/reply.h"
#include "wire/types.h"

static struct cookie_client cookie_client_of(const struct path *path)
{
    struct cookie_client client = {.length = path->is_ipv6 ? sizeof path->source_ipv6 : 4};

    if (path->is_ipv6)
        memcpy(client.address, path->source_ipv6, sizeof path->source_ipv6);
    else
        store32(client.address, path->source);
    return client;
}

/* Out of line, because most requests have no cookie. */
__attribute__((noinline)) static void check_cookie(struct exchange *exchange)
{
    const struct query *query = &exchange->query;
    const struct cookie_client client = cookie_client_of(&exchange->path);

    if (exchange->cookies != NULL)
        exchange->cookie = cookie_check(exchange->cookies, &client, query->cookie,
                                        query->cookie_octets, exchange->reply_cookie);
    else if (exchange->status == QUERY_COOKIE)
        exchange->status = QUERY_MALFORMED;
}

void respond_prepare(const struct snapshot *snapshot, struct exchange *exchange)
{
    exchange->hash = 0;
    exchange->is_guessed = false;
    exchange->status = query_read(exchange->request, exchange->request_length, &exchange->query);
    if (exchange->status == QUERY_DROPPED)
        return;
    exchange->cookie = COOKIE_NONE;
    if (exchange->query.cookie_octets > 0)
        check_cookie(exchange);
    client_classify(snapshot, &exchange->path, &exchange->client);
    /* Nothing is looked up for outsiders. */
    if (exchange->client.count == 0 || exchange->status != QUERY_READ)
        return;
    exchange->hash = index_hash(&snapshot->index, &exchange->query.name);
    index_prefetch(&snapshot->index, exchange->hash);
}

static uint64_t question_hash(const struct exchange *exchange)
{
    return question_of(&exchange->query, exchange->hash).hash;
}

void respond_prefetch(const struct snapshot *snapshot, struct exchange *exchange)
{
    if (exchange->hash == 0)
        return;
    exchange->guess = index_guess(&snapshot->index, exchange->hash);
    exchange->is_guessed = true;
    if (exchange->guess.kind != INDEX_NOTHING)
        index_prefetch_entry(snapshot->segments, exchange->guess);
    else if (exchange->forward != NULL)
        forward_prefetch(exchange->forward, question_hash(exchange));
}

void respond_prefetch_text(const struct snapshot *snapshot, const struct exchange *exchange)
{
    if (!exchange->is_guessed)
        return;
    if (exchange->guess.kind != INDEX_NOTHING)
        index_prefetch_text(snapshot->segments, exchange->guess);
    else if (exchange->forward != NULL)
        forward_prefetch_entry(exchange->forward, question_hash(exchange));
}

size_t respond_octets_most(const struct exchange *exchange)
{
    return exchange->transport == TRANSPORT_TCP ? TCP_OCTETS_MOST : exchange->query.udp_octets;
}

/* The options that a request may ask for. Out of line, because most requests ask for none. */
__attribute__((noinline)) static void fill_requested_options(const struct snapshot *snapshot,
                                                             const struct exchange *exchange,
                                                             struct reply_options *options)
{
    bool is_inside = exchange->client.count > 0;

    options->keepalive_100ms = exchange->keepalive_100ms;
    if (exchange->query.wants_nsid && is_inside) {
        options->nsid = snapshot->policy.server_id;
        options->nsid_length = strlen(options->nsid);
    }
    if (exchange->cookie != COOKIE_NONE && !exchange->is_terse)
        options->cookie = exchange->reply_cookie;
}

/* Out of line, because the usual answer has no reason. */
__attribute__((noinline)) static void add_reason(const struct snapshot *snapshot,
                                                 const struct exchange *exchange,
                                                 struct text *reason, struct reply_options *options)
{
    const struct verdict *verdict = &exchange->verdict;

    /* NXDOMAIN to outsiders has no EDE, so that it looks like any other server's. */
    if (verdict->situation == SITUATION_OUTSIDER_NXDOMAIN || exchange->is_terse)
        return;
    explain_reason(snapshot, &exchange->client, &exchange->query, verdict, reason);
    options->has_ede = true;
    options->ede_code = reason_entry(verdict->reason)->ede;
    options->ede_text = reason->start;
    options->ede_length = text_length(reason);
}

void respond_fill_options(const struct snapshot *snapshot, const struct exchange *exchange,
                          struct text *reason, struct reply_options *options)
{
    options->has_ede = false;
    options->nsid = NULL;
    options->cookie = NULL;
    options->keepalive_100ms = 0;
    options->passed_length = 0;
    if (exchange->query.has_options)
        fill_requested_options(snapshot, exchange, options);
    if (exchange->verdict.reason != REASON_NONE && exchange->query.has_opt)
        add_reason(snapshot, exchange, reason, options);
}

static uint16_t reply_flags(const struct verdict *verdict)
{
    return (uint16_t)((verdict->is_authoritative ? FLAG_AA : 0) |
                      (verdict->may_recurse ? FLAG_RA : 0));
}

static inline void decide_unlimited(const struct snapshot *snapshot, struct exchange *exchange)
{
    if (exchange->status == QUERY_READ)
        decide_guessed(snapshot, &exchange->client, &exchange->query, exchange->hash,
                       exchange->is_guessed ? &exchange->guess : NULL, &exchange->verdict);
    else if (exchange->status == QUERY_COOKIE && exchange->cookie == COOKIE_WRONG)
        respond_want_cookie(exchange); /* RFC 7873 section 5.4 */
    else if (exchange->status != QUERY_DROPPED)
        decide_unreadable(exchange->status, &exchange->client, &exchange->verdict);
}

/* Out of line, because the usual client of a space has no limit. */
__attribute__((noinline)) static void decide_within_limits(const struct snapshot *snapshot,
                                                           struct exchange *exchange)
{
    if (exchange->limits != NULL && exchange->status != QUERY_DROPPED)
        exchange->is_limited = limits_apply(exchange->limits, snapshot, exchange);
    if (!exchange->is_limited)
        decide_unlimited(snapshot, exchange);
}

void respond_decide(const struct snapshot *snapshot, struct exchange *exchange)
{
    exchange->is_limited = exchange->is_terse = false;
    if (limits_concern(snapshot, &exchange->client))
        decide_within_limits(snapshot, exchange);
    else
        decide_unlimited(snapshot, exchange);
}

void respond_want_cookie(struct exchange *exchange)
{
    exchange->verdict = (struct verdict){.reason = REASON_NONE};
    verdict_set(&exchange->verdict, SITUATION_BAD_COOKIE, RCODE_BADCOOKIE, REASON_NONE);
}

/* Out of line, so that outsiders do not pay for its buffers. */
__attribute__((noinline)) static size_t write_verdict(const struct snapshot *snapshot,
                                                      struct exchange *exchange)
{
    char reason_octets[EDE_TEXT_OCTETS] __attribute__((uninitialized));
    struct text reason = text_over(reason_octets, sizeof reason_octets);
    const struct verdict *verdict = &exchange->verdict;
    struct reply_options options;
    struct reply reply;

    respond_fill_options(snapshot, exchange, &reason, &options);
    reply_start(&reply, exchange->request, &exchange->query, &options, exchange->reply,
                respond_octets_most(exchange));
    render(snapshot, exchange, &reply, HEADER_OCTETS);
    exchange->rcode = verdict->rcode;
    exchange->answer_count = reply.counts[SECTION_ANSWER];
    return reply_finish(&reply, reply_flags(verdict), verdict->rcode);
}

size_t respond_write(const struct snapshot *snapshot, struct exchange *exchange)
{
    exchange->reply_length = 0;
    if (exchange->status == QUERY_DROPPED)
        return 0;
    if (usual_fits(exchange))
        exchange->reply_length = usual_write(exchange);
    else if (outsider_fits(exchange))
        exchange->reply_length = outsider_write(exchange);
    if (exchange->reply_length == 0)
        exchange->reply_length = write_verdict(snapshot, exchange);
    return exchange->reply_length;
}

/* ---- upstreams' answers ---- */

static enum upstream_fault fault_of(enum forward_failure failure)
{
    switch (failure) {
    case FORWARD_NO_FAILURE:
        return UPSTREAM_FAULT_NONE;
    case FORWARD_UNREACHABLE:
    case FORWARD_CLOSED:
    case FORWARD_TLS:
    case FORWARD_TCP_UNREACHABLE:
    case FORWARD_TCP_CLOSED:
        return UPSTREAM_FAULT_NETWORK;
    case FORWARD_SILENT:
    case FORWARD_FAILING:
    case FORWARD_TCP_SILENT:
    case FORWARD_SERVFAIL:
    case FORWARD_FORMERR:
    case FORWARD_NOTIMP:
    case FORWARD_REFUSED:
    case FORWARD_ERROR:
    case FORWARD_MALFORMED:
    case FORWARD_STOPPING:
    case FORWARD_FULL:
        break;
    }
    return UPSTREAM_FAULT_SERVER;
}

static bool is_of_some_space(void *context, uint32_t address)
{
    const struct snapshot *snapshot = context;

    return snapshot_has_address(snapshot, address);
}

/* Out of line, because the usual answer has no private address and needs none of this. */
__attribute__((noinline)) static bool has_space_address(const struct snapshot *snapshot,
                                                        const struct response *response)
{
    return response_find_address(response, &snapshot->policy.nat64_prefix, is_of_some_space,
                                 (void *)snapshot);
}

const struct response *respond_decide_outcome(const struct snapshot *snapshot,
                                              const struct forward_result *found,
                                              struct verdict *verdict)
{
    const struct response *response = found->response;
    struct upstream_outcome outcome = {
        .has_answer = response != NULL,
        .is_stale = found->is_stale,
        .fault = fault_of(found->failure),
        .fault_text = forward_failure_text(found->failure),
        .server = found->server,
    };

    if (response != NULL) {
        outcome.rcode = response->rcode;
        outcome.has_space_address = (response->bits & RESPONSE_PRIVATE_ADDRESS) != 0 &&
                                    outcome_needs_addresses(snapshot, verdict) &&
                                    has_space_address(snapshot, response);
    }
    return outcome_decide(snapshot, &outcome, verdict) ? response : NULL;
}

/* Out of line, because most replies have no options. */
__attribute__((noinline)) static size_t relay_with_options(const struct snapshot *snapshot,
                                                           const struct exchange *exchange,
                                                           struct relay *relay)
{
    char reason_octets[EDE_TEXT_OCTETS] __attribute__((uninitialized));
    struct text reason = text_over(reason_octets, sizeof reason_octets);
    struct reply_options options;

    respond_fill_options(snapshot, exchange, &reason, &options);
    relay->options = &options;
    return relay_write(relay, exchange->reply, respond_octets_most(exchange));
}

size_t respond_relay(const struct snapshot *snapshot, struct exchange *exchange,
                     const struct forward_result *found)
{
    const struct response *response = respond_decide_outcome(snapshot, found, &exchange->verdict);

    if (response == NULL)
        return respond_write(snapshot, exchange);
    struct relay relay = {
        .response = response,
        .age_seconds = found->age_seconds,
        .is_stale = found->is_stale,
        .request = exchange->request,
        .query = &exchange->query,
    };
    exchange->reply_length = 0;
    if (exchange->verdict.reason == REASON_NONE && !exchange->query.has_options &&
        relay_is_usual(response))
        exchange->reply_length =
            relay_write_usual(&relay, exchange->reply, respond_octets_most(exchange));
    if (exchange->reply_length == 0)
        exchange->reply_length = relay_with_options(snapshot, exchange, &relay);
    exchange->rcode = response->rcode;
    exchange->answer_count = relay.answer_count;
    exchange->ttl_seconds = relay.ttl_seconds;
    return exchange->reply_length;
}

static size_t follow(const struct snapshot *snapshot, struct exchange *exchange,
                     const struct forward_result *found)
{
    struct chain chain;

    chain_start(&chain, snapshot, exchange);
    while (chain_asks(&chain))
        chain_take(&chain, found);
    return chain_finish(&chain);
}

size_t respond_finish(const struct snapshot *snapshot, struct exchange *exchange)
{
    const struct forward_result nothing = {.failure = FORWARD_FAILING};

    respond_decide(snapshot, exchange);
    if (exchange->status != QUERY_READ)
        return respond_write(snapshot, exchange);
    if (exchange->verdict.situation == SITUATION_FORWARD)
        return respond_relay(snapshot, exchange, &nothing);
    if (exchange->verdict.situation == SITUATION_ALIAS)
        return follow(snapshot, exchange, &nothing);
    return respond_write(snapshot, exchange);
}

size_t respond(const struct snapshot *snapshot, struct exchange *exchange)
{
    respond_prepare(snapshot, exchange);
    return respond_finish(snapshot, exchange);
}
