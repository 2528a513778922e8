#include "forward/forward.h"

#include <stdlib.h>

#include "forward/forward_state.h"

enum { MS_PER_SECOND = 1000 };

static void count(const struct forward *forward, enum counter counter, uint64_t by)
{
    stats_count(forward->stats, counter, by);
}

/* ---- Results ---- */

/*
 * The era of failures to reach a server ends when a failing server recovers. A server's own
 * response codes count beyond that.
 */
static uint16_t era_of(const struct forward *forward)
{
    return (uint16_t)atomic_load_explicit(&forward->standings->recoveries, memory_order_relaxed);
}

static bool came_from_server(unsigned failure)
{
    return forward_failure_is_code(failure) || failure == FORWARD_MALFORMED;
}

bool forward_has_failed(const struct forward *forward, const struct cache_entry *entry)
{
    struct cache_failure failure = cache_entry_failure(entry);

    return forward->now_s < failure.until_s &&
           (came_from_server(failure.failure) || failure.era == era_of(forward));
}

/* As forward_has_failed, for a failure without an entry. */
static bool has_failed_elsewhere(const struct forward *forward, const struct question *question,
                                 struct failure *failure)
{
    return failures_find(&forward->standings->failures, question->hash, forward->now_s, failure) &&
           (came_from_server(failure->failure) || failure->era == era_of(forward));
}

/* Why a server is failing: what its last probe ran into. Silence is no more than that. */
static enum forward_failure failing_cause(const struct forward *forward, uint8_t server)
{
    enum forward_failure cause = (enum forward_failure)atomic_load_explicit(
        &forward->standings->items[server]->cause, memory_order_relaxed);

    return cause == FORWARD_NO_FAILURE || cause == FORWARD_SILENT || cause == FORWARD_TCP_SILENT
               ? FORWARD_FAILING
               : cause;
}

static struct forward_result failing_result(const struct forward *forward, uint8_t route)
{
    uint8_t server = forward->routing.routes[route].numbers[0];

    return (struct forward_result){
        .failure = failing_cause(forward, server),
        .server = routing_server_text(&forward->routing, server),
    };
}

/* The cached failure, or that all servers are failing. */
static struct forward_result failed_result(const struct forward *forward,
                                           const struct cache_entry *entry, uint8_t route)
{
    struct forward_result result = failing_result(forward, route);

    if (forward_has_failed(forward, entry)) {
        struct cache_failure failure = cache_entry_failure(entry);
        result.failure = failure.failure;
        result.server = routing_server_text(&forward->routing, failure.server);
    }
    result.is_cached = true;
    return result;
}

/* With a failure, the server is the one that failed. */
static void add_response(const struct forward *forward, const struct cache_entry *entry,
                         struct forward_result *result)
{
    if (result->failure == FORWARD_NO_FAILURE)
        result->server = routing_server_text(&forward->routing, entry->answered_by);
    result->response = cache_response(entry);
    result->age_seconds = cache_entry_age(entry, forward->now_s);
    result->is_stale = !cache_entry_is_fresh(entry, forward->now_s);
    result->is_cached = true;
}

/* ---- Cached answers ---- */

static bool is_in_last_tenth(const struct cache_entry *entry, uint32_t now)
{
    return (uint64_t)(entry->fresh_until_s - now) * 10 <= entry->fresh_until_s - entry->stored_s;
}

/* Fetches without a waiter. */
static bool refresh(struct forward *forward, const struct question *question, uint8_t route)
{
    return !routing_is_failing(&forward->routing, route) &&
           fetch_table_ask(forward->table, question, route, NULL, 0);
}

/* A failing server may answer this question, though it answers no probe. */
static void try_failing(struct forward *forward, const struct question *question, uint8_t route)
{
    if (!forward->is_draining)
        fetch_table_try(forward->table, question, route);
}

/* True to one of the workers. Reads before writing: all of them find the entry. */
static bool claim_refresh(struct cache_entry *entry)
{
    return !atomic_load_explicit(&entry->is_refreshing, memory_order_relaxed) &&
           !atomic_exchange_explicit(&entry->is_refreshing, true, memory_order_relaxed);
}

static void find_fresh(struct forward *forward, const struct question *question, uint8_t route,
                       struct cache_entry *entry)
{
    bool was_used_before = cache_entry_uses(entry) > 1;

    count(forward, COUNTER_FORWARD_HITS, 1);
    if (was_used_before && is_in_last_tenth(entry, forward->now_s) && claim_refresh(entry) &&
        !refresh(forward, question, route))
        atomic_store_explicit(&entry->is_refreshing, false, memory_order_relaxed);
}

/* There is no entry; a fetch may have failed when there was no room for one. */
static bool find_elsewhere(struct forward *forward, const struct question *question,
                           struct forward_result *result)
{
    struct failure failure;

    if (!has_failed_elsewhere(forward, question, &failure) ||
        fetch_table_has(forward->table, question))
        return false;
    *result = (struct forward_result){
        .failure = (enum forward_failure)failure.failure,
        .server = routing_server_text(&forward->routing, failure.server),
        .is_cached = true,
    };
    count(forward, COUNTER_FORWARD_UNASKED, 1);
    return true;
}

bool forward_find(struct forward *forward, const struct question *question, uint8_t route,
                  struct forward_result *result)
{
    struct cache_entry *entry = cache_find(forward->cache, question, forward->now_s);

    if (entry == NULL)
        return find_elsewhere(forward, question, result);
    if (cache_entry_is_fresh(entry, forward->now_s)) {
        *result = (struct forward_result){.failure = FORWARD_NO_FAILURE};
        add_response(forward, entry, result);
        find_fresh(forward, question, route, entry);
        return true;
    }
    bool is_stale = cache_entry_is_stale(entry, forward->now_s);
    if (!forward_has_failed(forward, entry) &&
        !(is_stale && routing_is_failing(&forward->routing, route)))
        return !is_stale && find_elsewhere(forward, question, result);
    if (!is_stale && fetch_table_has(forward->table, question))
        return false; /* its fetch may yet succeed */
    *result = failed_result(forward, entry, route);
    if (is_stale)
        add_response(forward, entry, result);
    if (routing_is_failing(&forward->routing, route))
        try_failing(forward, question, route);
    count(forward, is_stale ? COUNTER_FORWARD_STALE : COUNTER_FORWARD_UNASKED, 1);
    return true;
}

uint32_t forward_now_s(const struct forward *forward)
{
    return forward->now_s;
}

bool forward_find_since(struct forward *forward, const struct question *question, uint8_t route,
                        uint32_t since_s, struct forward_result *result)
{
    const struct cache_entry *entry = cache_peek(forward->cache, question, forward->now_s);

    if (entry == NULL || !entry->has_response || entry->stored_s < since_s)
        return forward_find(forward, question, route, result);
    *result = (struct forward_result){.failure = FORWARD_NO_FAILURE};
    add_response(forward, entry, result);
    result->is_stale = false;
    return true;
}

/* ---- Fetches ---- */

void forward_refuse(struct forward *forward, const struct question *question,
                    struct forward_result *result)
{
    const struct cache_entry *entry = cache_peek(forward->cache, question, forward->now_s);

    *result = (struct forward_result){.failure = FORWARD_FULL};
    count(forward, COUNTER_FORWARD_FULL, 1);
    if (entry == NULL || !cache_entry_is_stale(entry, forward->now_s))
        return;
    add_response(forward, entry, result);
    count(forward, COUNTER_FORWARD_STALE, 1);
}

/* RFC 8767 section 5: a stale answer is used soon. */
static uint32_t patience_ms(const struct forward *forward, const struct question *question)
{
    const struct cache_entry *entry = cache_peek(forward->cache, question, forward->now_s);
    bool is_stale = entry != NULL && cache_entry_is_stale(entry, forward->now_s);

    return is_stale ? FETCH_STALE_MS : FETCH_PATIENCE_MS;
}

bool forward_ask(struct forward *forward, const struct question *question, uint8_t route,
                 struct waiter *waiter, struct forward_result *result)
{
    if (routing_is_failing(&forward->routing, route)) {
        *result = failing_result(forward, route);
        count(forward, COUNTER_FORWARD_UNASKED, 1);
        try_failing(forward, question, route);
        return false;
    }
    if (forward->is_draining && !fetch_table_has(forward->table, question)) {
        forward_refuse(forward, question, result);
        result->failure = FORWARD_STOPPING;
        return false;
    }
    if (fetch_table_ask(forward->table, question, route, waiter, patience_ms(forward, question))) {
        count(forward, COUNTER_FORWARD_MISSES, 1);
        return true;
    }
    forward_refuse(forward, question, result);
    if (forward->is_draining)
        result->failure = FORWARD_STOPPING;
    return false;
}

static uint64_t count_waiters(const struct waiter *waiter)
{
    uint64_t waiters = 0;

    for (; waiter != NULL; waiter = waiter->next)
        waiters++;
    return waiters;
}

/*
 * Caches the failure, unless it says nothing about the question: no room on our side, failing
 * servers, or a stop.
 */
static void keep_failure(struct forward *forward, const struct fetch_outcome *outcome)
{
    if (outcome->failure == FORWARD_FULL || outcome->failure == FORWARD_FAILING ||
        outcome->failure == FORWARD_STOPPING)
        return;
    cache_fail(forward->cache, forward->member, outcome->question,
               &(struct cache_failing){
                   .failure = (uint8_t)outcome->failure,
                   .server = outcome->server,
                   .is_again = outcome->is_again,
                   .era = era_of(forward),
               },
               forward->now_s);
}

/* Shares the failure with other workers, unless a stale answer cut the wait short. */
static void share_failure(struct forward *forward, const struct fetch_outcome *outcome,
                          const struct cache_entry *entry)
{
    if (!forward_has_failed(forward, entry) || cache_entry_is_stale(entry, forward->now_s))
        return;
    struct cache_failure failure = cache_entry_failure(entry);
    failures_keep(&forward->standings->failures, outcome->question->hash,
                  &(struct failure){
                      .until_s = failure.until_s,
                      .era = failure.era,
                      .server = failure.server,
                      .failure = failure.failure,
                  });
}

/* True for an answer that another worker got while these waiters waited, TTL 0 included. */
static bool is_answered_meanwhile(const struct forward *forward, const struct cache_entry *entry)
{
    return entry != NULL && (cache_entry_is_fresh(entry, forward->now_s) ||
                             (cache_entry_is_passing(entry, forward->now_s) &&
                              cache_entry_age(entry, forward->now_s) <= FETCH_PATIENCE_MS / 1000));
}

static void complete_failed(struct forward *forward, const struct fetch_outcome *outcome,
                            struct forward_result *result)
{
    const struct cache_entry *entry = cache_peek(forward->cache, outcome->question, forward->now_s);

    /* Without waiters it was the refresh of this very answer, whose failure is worth keeping. */
    if (outcome->waiters != NULL && is_answered_meanwhile(forward, entry)) {
        result->failure = FORWARD_NO_FAILURE;
        add_response(forward, entry, result);
        result->is_stale = false;
        count(forward, COUNTER_FORWARD_HITS, count_waiters(outcome->waiters));
        return;
    }
    keep_failure(forward, outcome);
    entry = cache_peek(forward->cache, outcome->question, forward->now_s);
    if (entry == NULL)
        return;
    share_failure(forward, outcome, entry);
    if (!cache_entry_is_stale(entry, forward->now_s))
        return;
    add_response(forward, entry, result);
    count(forward, COUNTER_FORWARD_STALE, count_waiters(outcome->waiters));
}

static void keep_answer(struct forward *forward, const struct fetch_outcome *outcome)
{
    enum cache_stored stored = cache_store(forward->cache, forward->member, outcome->question,
                                           outcome->response, outcome->server, forward->now_s);

    if (stored == CACHE_HELD)
        count(forward, COUNTER_CACHE_HELD, 1);
    failures_forget(&forward->standings->failures, outcome->question->hash);
}

static void on_outcome(void *context, const struct fetch_outcome *outcome)
{
    struct forward *forward = context;
    struct forward_result result = {
        .response = outcome->response,
        .failure = outcome->failure == FORWARD_FAILING ? failing_cause(forward, outcome->server)
                                                       : outcome->failure,
        .server = routing_server_text(&forward->routing, outcome->server),
    };

    if (outcome->failure == FORWARD_NO_FAILURE)
        keep_answer(forward, outcome);
    else
        complete_failed(forward, outcome, &result);
    if (outcome->waiters != NULL)
        forward->on_result(forward->context, outcome->waiters, &result);
}

/* ---- Life ---- */

static bool prepare(struct forward *forward, const struct forward_options *options, struct err *err)
{
    forward->stats = options->stats;
    forward->on_result = options->on_result;
    forward->context = options->context;
    forward->standings = options->standings == NULL
                             ? standings_new(options->zones, NULL, options->cache_octets, err)
                             : standings_hold(options->standings);
    if (forward->standings == NULL ||
        !routing_init(&forward->routing, options->zones, forward->standings, err))
        return false;
    forward->cache = forward->standings->cache;
    forward->member = cache_join(forward->cache, err);
    if (forward->member == NULL)
        return false;
    forward->table = fetch_table_new(
        &(struct fetch_table_options){
            .servers = forward->routing.servers,
            .routes = forward->routing.routes,
            .standings = forward->standings,
            .link = options->link,
            .stats = options->stats,
            .questions = options->questions,
            .mixes_case = options->mixes_case,
            .on_outcome = on_outcome,
            .context = forward,
        },
        err);
    return forward->table != NULL;
}

struct forward *forward_new(const struct forward_options *options, struct err *err)
{
    struct forward *forward = calloc(1, sizeof *forward);

    if (forward == NULL) {
        err_set(err, ERR_MEMORY, "no memory for forwarding");
        return NULL;
    }
    if (!prepare(forward, options, err)) {
        forward_free(forward);
        return NULL;
    }
    return forward;
}

void forward_free(struct forward *forward)
{
    if (forward == NULL)
        return;
    fetch_table_free(forward->table);
    cache_leave(forward->member);
    standings_release(forward->standings);
    free(forward);
}

void forward_set_time(struct forward *forward, uint64_t now_ms)
{
    forward->now_ms = now_ms;
    forward->now_s = (uint32_t)(now_ms / MS_PER_SECOND + 1);
    cache_pass(forward->cache, forward->member);
    fetch_table_set_time(forward->table, now_ms);
}

void forward_rest(struct forward *forward)
{
    grace_rest(forward->member);
}

void forward_prefetch(const struct forward *forward, uint64_t question_hash)
{
    cache_prefetch(forward->cache, question_hash);
}

void forward_prefetch_entry(const struct forward *forward, uint64_t question_hash)
{
    cache_prefetch_entry(forward->cache, question_hash);
}

bool forward_turn(struct forward *forward)
{
    return fetch_table_turn(forward->table, forward->now_ms);
}

void forward_tick(struct forward *forward)
{
    fetch_table_tick(forward->table, forward->now_ms);
}

bool forward_is_busy(const struct forward *forward)
{
    return fetch_table_is_busy(forward->table);
}

size_t forward_room(const struct forward *forward)
{
    return fetch_table_room(forward->table);
}

void forward_drain(struct forward *forward)
{
    forward->is_draining = true;
}

bool forward_has_waiters(const struct forward *forward)
{
    return fetch_table_has_waiters(forward->table);
}

void forward_end_all(struct forward *forward)
{
    forward->is_draining = true;
    cache_pass(forward->cache, forward->member); /* it may rest */
    fetch_table_end_all(forward->table);
}

bool forward_claims_cache(struct forward *forward, uint64_t number)
{
    return cache_claim(forward->cache, number);
}

bool forward_sweep(struct forward *forward, struct sweep *sweep)
{
    return sweep_go_on(sweep, forward->cache, &forward->standings->failures, forward->now_s);
}

const struct response *forward_peek(const struct forward *forward, const struct question *question)
{
    const struct cache_entry *entry = cache_peek(forward->cache, question, forward->now_s);

    return entry != NULL && cache_entry_is_fresh(entry, forward->now_s) ? cache_response(entry)
                                                                        : NULL;
}

const char *forward_failure_text(enum forward_failure failure)
{
    return failure_text(failure);
}
