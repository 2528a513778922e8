#include "respond/chain.h"

#include "decide/explain.h"
#include "forward/forward_report.h"
#include "forward/splice.h"
#include "respond/render.h"
#include "wire/types.h"

enum { POINTERS_END = 0x4000 };

/* ---- aliases in upstreams' answers ---- */

/*
 * True when this client gets an upstream's answer for the name. Another space's name never does,
 * also where this client may not ask for it, which is then all that it sees.
 */
static bool gets_upstream_answer(const struct snapshot *snapshot, const struct client *client,
                                 const struct query *asks, const struct name *name)
{
    struct query query = *asks;
    struct verdict verdict;

    query.name = *name;
    decide(snapshot, client, &query, index_hash(&snapshot->index, name), &verdict);
    return verdict_is_foreign(&verdict) &&
           !(verdict.is_concealed && verdict.situation == SITUATION_NOT_OURS);
}

static bool has_alias(const struct response *response)
{
    return response != NULL && (response->bits & RESPONSE_HAS_ALIAS) != 0;
}

/* Finds the first alias that leads to a name of ours. Returns false when there is none. */
static bool find_cut(const struct snapshot *snapshot, const struct client *client,
                     const struct query *query, const struct question *question,
                     const struct response *response, struct response_alias *alias)
{
    if (!has_alias(response))
        return false;
    alias->end = alias->answers = 0;
    while (response_next_alias(response, question, alias))
        if (!gets_upstream_answer(snapshot, client, query, &alias->target))
            return true;
    return false;
}

bool chain_is_cut(const struct snapshot *snapshot, const struct exchange *exchange,
                  const struct forward_result *found)
{
    if (!has_alias(found->response)) /* the usual case, in which no room for two names is cleared */
        return false;
    struct response_alias alias;
    const struct question question = question_of(&exchange->query, exchange->hash);
    return find_cut(snapshot, &exchange->client, &exchange->query, &question, found->response,
                    &alias);
}

void chain_list_hops(const struct snapshot *snapshot, const struct client *client,
                     const struct forward *forward, const struct query *query,
                     struct alias_hops *hops)
{
    const uint64_t first_hash = index_hash(&snapshot->index, &query->name);
    struct response_alias alias;

    hops->count = 0;
    while (forward != NULL && hops->count < ALIAS_LINKS_MOST) {
        struct query last = *query;
        struct verdict verdict;
        uint64_t hash = first_hash;
        decide(snapshot, client, &last, hash, &verdict);
        alias_resolve(snapshot, client, hops, &last, &hash, &verdict);
        struct question question = question_of(&last, hash);
        if (verdict.situation != SITUATION_FORWARD ||
            !find_cut(snapshot, client, &last, &question, forward_peek(forward, &question), &alias))
            return;
        hops->targets[hops->count++] = alias.target;
    }
}

bool chain_find_outcome(const struct snapshot *snapshot, const struct forward *forward,
                        const struct query *query, uint64_t hash, const struct verdict *verdict,
                        struct upstream_outcome *outcome)
{
    struct question question = question_of(query, hash);
    struct forward_result found = {.response = forward_peek(forward, &question)};
    struct verdict end = *verdict;

    if (found.response == NULL)
        found.failure = forward_cached_failure(forward, &question, &found.server);
    if (found.response == NULL && found.failure == FORWARD_NO_FAILURE)
        return false;
    if (respond_decide_outcome(snapshot, &found, &end) != NULL)
        return false;
    *outcome = (struct upstream_outcome){.has_answer = end.reason == REASON_REBIND,
                                         .has_space_address = end.reason == REASON_REBIND,
                                         .fault = end.reason == REASON_UPSTREAM_NETWORK
                                                      ? UPSTREAM_FAULT_NETWORK
                                                      : UPSTREAM_FAULT_SERVER,
                                         .fault_text = end.upstream_fault,
                                         .server = end.upstream};
    return true;
}

void chain_format_cached(const struct forward *forward, const struct question *question,
                         struct text *text)
{
    const enum cached kept = forward_cached(forward, question).kept;
    enum reason reason = kept == CACHED_FAILED  ? REASON_UPSTREAM
                         : kept == CACHED_STALE ? REASON_STALE
                                                : REASON_NONE;

    forward_format_cached(forward, question, text);
    if (reason == REASON_NONE)
        return;
    text_add_string(text, " code=");
    text_add_string(text, reason_entry(reason)->code);
}

/* ---- from name to name ---- */

static void start_reply(struct chain *chain)
{
    struct exchange *exchange = chain->exchange;

    reply_start(&chain->reply, exchange->request, &exchange->query, &chain->options,
                exchange->reply, respond_octets_most(exchange));
}

/* Continues at the target of an alias, written at this offset of the reply; 0: it did not fit. */
static void follow(struct chain *chain, const struct name *target, unsigned at)
{
    struct exchange *exchange = chain->exchange;

    if (reply_is_cut(&chain->reply))
        return;
    if (at == 0 || at >= POINTERS_END) {
        alias_give_up(&exchange->verdict);
        return;
    }
    alias_follow(&chain->links, target, &exchange->query, &exchange->hash, &exchange->verdict);
    chain->asked = (uint16_t)at;
}

/* Follows the static aliases; bounded by ALIAS_LINKS_MOST and by the room. */
static void advance(struct chain *chain)
{
    struct exchange *exchange = chain->exchange;
    struct name target;

    while (exchange->verdict.situation == SITUATION_ALIAS && !reply_is_cut(&chain->reply)) {
        alias_target(&exchange->verdict, &target);
        follow(chain, &target,
               render_alias(chain->snapshot, exchange, &chain->reply, chain->asked));
    }
    if (exchange->verdict.situation == SITUATION_FORWARD)
        chain->question = question_of(&exchange->query, exchange->hash);
}

void chain_start(struct chain *chain, const struct snapshot *snapshot, struct exchange *exchange)
{
    char reason_octets[EDE_TEXT_OCTETS];
    struct text reason = text_over(reason_octets, sizeof reason_octets);

    chain->snapshot = snapshot;
    chain->exchange = exchange;
    chain->asked = HEADER_OCTETS;
    chain->is_authoritative = exchange->verdict.is_authoritative;
    chain->is_over = false;
    chain->response = NULL;
    chain->old.reason = REASON_NONE;
    exchange->ttl_seconds = 0;
    alias_begin(&chain->links, snapshot, &exchange->client);
    respond_fill_options(snapshot, exchange, &reason, &chain->options);
    chain->options.has_ede = true; /* room for the reason of the last name, not known yet */
    start_reply(chain);
    advance(chain);
}

static struct splice splice_over(struct chain *chain, const struct forward_result *found,
                                 const struct name *question)
{
    return (struct splice){
        .response = found->response,
        .question = question,
        .age_seconds = found->age_seconds,
        .is_stale = found->is_stale,
        .reply = &chain->reply,
        .asked = chain->asked,
    };
}

/* Keeps a stale link's reason, for a last name without one. */
static void note_stale(struct chain *chain, const struct forward_result *found)
{
    const struct upstream_outcome outcome = {
        .has_answer = true,
        .is_stale = true,
        .rcode = RCODE_NOERROR, /* the alias exists, also if the last name does not */
        .fault_text = forward_failure_text(found->failure),
        .server = found->server,
    };

    chain->old = chain->exchange->verdict;
    outcome_decide(chain->snapshot, &outcome, &chain->old);
}

/* Cuts the result behind the alias `last`, and continues at its target. */
static void leave(struct chain *chain, const struct forward_result *found,
                  const struct response_alias *last)
{
    struct exchange *exchange = chain->exchange;
    const struct name name = exchange->query.name;
    struct splice splice = splice_over(chain, found, &name);
    struct question question = chain->question;
    struct response_alias alias = {.end = 0};

    question.name = &name; /* that the exchange leaves */
    if (found->is_stale)
        note_stale(chain, found);
    unsigned at = splice_links(&splice, last->answers);
    while (alias.end < last->end && exchange->verdict.situation == SITUATION_FORWARD &&
           !reply_is_cut(&chain->reply) && response_next_alias(found->response, &question, &alias))
        follow(chain, &alias.target, at);
    advance(chain);
}

static void write_found(struct chain *chain, const struct forward_result *found)
{
    struct exchange *exchange = chain->exchange;
    const struct response *response =
        respond_decide_outcome(chain->snapshot, found, &exchange->verdict);

    chain->is_over = true;
    chain->response = response;
    if (response == NULL)
        return;
    struct splice splice = splice_over(chain, found, &exchange->query.name);
    splice_all(&splice);
    exchange->ttl_seconds = splice.ttl_seconds;
}

void chain_take(struct chain *chain, const struct forward_result *found)
{
    struct response_alias alias;

    const struct exchange *exchange = chain->exchange;

    if (find_cut(chain->snapshot, &exchange->client, &exchange->query, &chain->question,
                 found->response, &alias))
        leave(chain, found, &alias);
    else
        write_found(chain, found);
}

/* ---- the end ---- */

/* True when the reply was full before the chain reached its last name. */
static bool is_short(const struct chain *chain)
{
    enum situation situation = chain->exchange->verdict.situation;

    return reply_is_cut(&chain->reply) && !chain->is_over &&
           (situation == SITUATION_ALIAS || situation == SITUATION_FORWARD);
}

/* Writes the last name's answer, unless it is there already. */
static uint16_t write_last(struct chain *chain)
{
    struct exchange *exchange = chain->exchange;
    struct verdict *verdict = &exchange->verdict;

    if (verdict->situation == SITUATION_ALIAS_ENDLESS) /* no part of it is useful */
        start_reply(chain);
    if (chain->response != NULL)
        return chain->response->rcode;
    if (is_short(chain)) /* the client asks again over TCP */
        verdict->rcode = RCODE_NOERROR;
    else
        render(chain->snapshot, exchange, &chain->reply, chain->asked);
    return verdict->rcode;
}

size_t chain_finish(struct chain *chain)
{
    char reason_octets[EDE_TEXT_OCTETS];
    struct text reason = text_over(reason_octets, sizeof reason_octets);
    struct exchange *exchange = chain->exchange;
    struct verdict *verdict = &exchange->verdict;
    uint16_t rcode = write_last(chain);
    uint16_t flags =
        (uint16_t)((chain->is_authoritative ? FLAG_AA : 0) | (verdict->may_recurse ? FLAG_RA : 0));

    if (rcode > 15 && !exchange->query.has_opt)
        rcode = RCODE_SERVFAIL;
    outcome_keep_reason(&chain->old, verdict);
    respond_fill_options(chain->snapshot, exchange, &reason, &chain->options);
    if (chain->response != NULL) {
        chain->options.passed = response_ede(chain->response);
        chain->options.passed_length = chain->response->ede_octets;
    }
    exchange->reply_length = reply_finish(&chain->reply, flags, rcode);
    exchange->rcode = rcode;
    exchange->answer_count = chain->reply.counts[SECTION_ANSWER];
    if (chain->links.count > 0)
        exchange->query.name = chain->links.names[0];
    return exchange->reply_length;
}
