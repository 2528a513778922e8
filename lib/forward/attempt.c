#include "forward/attempt.h"

#include <assert.h>
#include <stdio.h>

#include "base/log.h"
#include "forward/format.h"

enum { US_PER_MS = 1000, FLAGS_OCTET = 2, CAUSE_MOST = 160, SENTENCE_MOST = 320 };

static struct resolver *server_of(const struct sender *sender, const struct fetch *fetch,
                                  const struct attempt *attempt)
{
    return &sender->servers[attempt_server(sender, fetch, attempt->index)];
}

static link_ticket ticket_of(const struct sender *sender, const struct fetch *fetch,
                             const struct attempt *attempt)
{
    return pool_number(sender->pool, fetch) * FETCH_ATTEMPTS +
           (uint32_t)(attempt - fetch->attempts);
}

struct fetch *attempt_find(const struct sender *sender, link_ticket ticket,
                           struct attempt **attempt)
{
    assert(ticket / FETCH_ATTEMPTS < sender->pool->touched);
    struct fetch *fetch = &sender->pool->items[ticket / FETCH_ATTEMPTS];
    *attempt = &fetch->attempts[ticket % FETCH_ATTEMPTS];
    assert((*attempt)->is_open);
    return fetch;
}

uint8_t attempt_server(const struct sender *sender, const struct fetch *fetch, uint8_t index)
{
    return fetch->is_probe ? fetch->route : sender->routes[fetch->route].numbers[index];
}

static bool send_query(struct sender *sender, struct fetch *fetch, struct attempt *attempt)
{
    struct link *link = sender->link;
    uint8_t server = attempt_server(sender, fetch, attempt->index);
    uint8_t query[UPSTREAM_QUERY_OCTETS_MOST];

    attempt->id = random_16(&sender->random);
    attempt->sent_ms = sender->now_ms;
    attempt->is_late = attempt->is_silent = false;
    attempt->mismatched = 0;
    size_t length = response_write_query(&fetch->question, attempt->id, fetch->spelling,
                                         attempt->is_plain, query);
    if (fetch->is_iterative)
        query[FLAGS_OCTET] &= (uint8_t) ~(FLAG_RD >> 8);
    fetch_charge(fetch);
    attempt->is_open = link->send(link, &(struct link_query){
                                            .ticket = ticket_of(sender, fetch, attempt),
                                            .server = server,
                                            .over_stream = attempt->over_stream,
                                            .client = fetch->client,
                                            .octets = query,
                                            .length = length,
                                        });
    if (!attempt->is_open)
        return false;
    stats_count(sender->stats,
                attempt->over_stream ? COUNTER_FORWARD_STREAM_SENT : COUNTER_FORWARD_SENT, 1);
    if (!fetch->is_probe)
        sender->uses[fetch->route][attempt->index].queries++;
    fetch->last_index = attempt->index;
    fetch->sent_ms = sender->now_ms;
    return true;
}

bool attempt_begin(struct sender *sender, struct fetch *fetch, uint8_t index)
{
    struct attempt *attempt = fetch_free_attempt(fetch);

    if (attempt == NULL)
        return false;
    *attempt = (struct attempt){.index = index, .is_repeated = fetch_has_tried(fetch, index)};
    const struct resolver *server = server_of(sender, fetch, attempt);
    /* A server whose responses do not match may be fine, and only not keep the case. */
    attempt->over_stream = server->upstream->is_tls || fetch_has_mismatched(fetch, index);
    attempt->is_plain = quirk_is_known(&server->standing->no_edns, sender->now_ms);
    if (!send_query(sender, fetch, attempt))
        return false;
    fetch->tried |= (uint16_t)(1U << index);
    return true;
}

bool attempt_again(struct sender *sender, struct fetch *fetch, struct attempt *attempt)
{
    attempt_end(sender, fetch, attempt);
    if (send_query(sender, fetch, attempt))
        return true;
    fetch_remember(fetch, FORWARD_FULL, attempt_server(sender, fetch, attempt->index));
    return false;
}

/* ---- What attempts show of servers ---- */

/* What an operator looks at first. */
static const char *remedy_for(enum forward_failure failure)
{
    static const char *const route = "check this host's route to it and the network between";
    static const char *const port =
        "start the DNS server there, or correct its address and port in the settings";
    static const char *const trust =
        "check its certificate, the name after # in the settings and this host's clock "
        "(upstream_tls has the details)";
    const char *const remedies[] = {
        [FORWARD_UNREACHABLE] = route,
        [FORWARD_TCP_UNREACHABLE] = route,
        [FORWARD_CLOSED] = port,
        [FORWARD_TCP_CLOSED] = port,
        [FORWARD_TLS] = trust,
        [FORWARD_SILENT] = "check that it runs and lets this host ask, and the firewalls between",
        [FORWARD_TCP_SILENT] = "check that it answers over TCP, and the firewalls between",
    };

    assert(failure <= FORWARD_TCP_CLOSED && remedies[failure] != NULL);
    return remedies[failure];
}

/* cause="nobody listens at 10.0.0.2" text="..." */
static void log_failing(const struct resolver *server, enum forward_failure failure)
{
    char cause[CAUSE_MOST], sentence[SENTENCE_MOST];
    struct log_line line;

    snprintf(cause, sizeof cause, "%s %s", failure_text(failure), server->upstream->text);
    snprintf(sentence, sizeof sentence,
             "neither clients' queries nor probes get a reply, so it gets only probes and trial "
             "queries now; %s, or set other upstreams",
             remedy_for(failure));
    log_start(&line, LOG_WARNING, "upstream_failing");
    log_string(&line, "upstream", server->upstream->text);
    log_string(&line, "cause", cause);
    log_string(&line, "text", sentence);
    log_send(&line);
}

static void log_back(const struct resolver *server)
{
    struct log_line line;

    log_start(&line, LOG_INFO, "upstream_back");
    log_string(&line, "upstream", server->upstream->text);
    log_send(&line);
}

void attempt_on_reply(struct sender *sender, const struct fetch *fetch, struct attempt *attempt)
{
    uint64_t rtt_ms = sender->now_ms - attempt->sent_ms;

    attempt->is_late = attempt->is_silent = false; /* a late reply is a reply */
    struct resolver *server = server_of(sender, fetch, attempt);
    bool is_back =
        resolver_on_reply(server, fetch->is_probe, (uint32_t)rtt_ms * US_PER_MS, sender->now_ms);
    sender->is_watching |= standing_is_watched(server->standing);
    if (!is_back)
        return;
    atomic_fetch_add_explicit(&sender->standings->recoveries, 1, memory_order_relaxed);
    log_back(server);
}

/* A server counts as silent only when it has sent nothing at all since. */
static void count_question_silence(struct sender *sender, const struct fetch *fetch,
                                   const struct attempt *attempt)
{
    struct resolver *server = server_of(sender, fetch, attempt);

    if (!attempt->is_repeated &&
        standing_on_silence(server->standing, attempt->sent_ms, sender->now_ms))
        sender->is_watching = true;
}

static void count_probe_silence(struct sender *sender, const struct fetch *fetch,
                                const struct attempt *attempt, enum forward_failure failure)
{
    struct resolver *server = server_of(sender, fetch, attempt);

    atomic_store_explicit(&server->standing->cause, failure, memory_order_relaxed);
    if (!standing_on_probe_silence(server->standing, attempt->sent_ms))
        return;
    atomic_fetch_add_explicit(&sender->standings->falls, 1, memory_order_relaxed);
    log_failing(server, failure);
}

/* Counts once for each attempt. */
static void count_silence(struct sender *sender, const struct fetch *fetch, struct attempt *attempt,
                          enum forward_failure failure)
{
    if (attempt->is_silent)
        return;
    attempt->is_silent = true;
    stats_count(sender->stats, COUNTER_FORWARD_TIMEOUTS, 1);
    if (fetch->is_probe) {
        count_probe_silence(sender, fetch, attempt, failure);
        return;
    }
    sender->uses[fetch->route][attempt->index].failures++;
    count_question_silence(sender, fetch, attempt);
}

void attempt_on_failure(struct sender *sender, const struct fetch *fetch, struct attempt *attempt,
                        enum forward_failure failure)
{
    attempt_defer(sender, fetch, attempt);
    count_silence(sender, fetch, attempt, failure);
}

static void count_timeout(struct sender *sender, const struct fetch *fetch, struct attempt *attempt)
{
    bool is_tcp = attempt->over_stream && !server_of(sender, fetch, attempt)->upstream->is_tls;

    count_silence(sender, fetch, attempt, is_tcp ? FORWARD_TCP_SILENT : FORWARD_SILENT);
}

/* Returns when to check it again. */
static uint64_t check_wait(struct sender *sender, const struct fetch *fetch,
                           struct attempt *attempt)
{
    const struct resolver *server = server_of(sender, fetch, attempt);
    uint64_t late_ms = attempt->sent_ms + resolver_wait_ms(server);
    uint64_t silent_ms = attempt->sent_ms + (fetch->is_probe ? resolver_probe_silence_ms(server)
                                                             : resolver_silence_ms(server));

    if (!attempt->is_late && sender->now_ms < late_ms)
        return late_ms;
    if (!attempt->is_late)
        attempt_defer(sender, fetch, attempt);
    attempt->is_late = true;
    if (!attempt->is_silent && sender->now_ms < silent_ms)
        return silent_ms;
    count_timeout(sender, fetch, attempt);
    return pool_never;
}

uint64_t attempt_check_waits(struct sender *sender, struct fetch *fetch)
{
    uint64_t next_ms = pool_never;

    for (size_t i = 0; i < FETCH_ATTEMPTS; i++) {
        struct attempt *attempt = &fetch->attempts[i];
        uint64_t due_ms = attempt->is_open ? check_wait(sender, fetch, attempt) : pool_never;
        next_ms = due_ms < next_ms ? due_ms : next_ms;
    }
    return next_ms;
}

void attempt_defer(struct sender *sender, const struct fetch *fetch, const struct attempt *attempt)
{
    resolver_defer(server_of(sender, fetch, attempt));
}

static uint64_t name_hash(const struct fetch *fetch)
{
    static const struct hash_key key = {.second = 1};

    return hash_octets(&key, fetch->name.octets, fetch->name.length);
}

void attempt_learn(struct sender *sender, const struct fetch *fetch, const struct attempt *attempt,
                   bool has_opt)
{
    struct standing *standing = server_of(sender, fetch, attempt)->standing;

    if (attempt->is_plain)
        quirk_note(&standing->no_edns, name_hash(fetch), sender->now_ms);
    else if (has_opt)
        quirk_deny(&standing->no_edns);
    if (attempt->is_other_case)
        quirk_note(&standing->other_case, name_hash(fetch), sender->now_ms);
    else if (!attempt->over_stream)
        quirk_deny(&standing->other_case);
}

bool attempt_ignores_case(const struct sender *sender, const struct fetch *fetch,
                          const struct attempt *attempt)
{
    const struct standing *standing = server_of(sender, fetch, attempt)->standing;

    return quirk_is_known(&standing->other_case, sender->now_ms);
}

void attempt_end(struct sender *sender, const struct fetch *fetch, struct attempt *attempt)
{
    sender->link->forget(sender->link, ticket_of(sender, fetch, attempt));
    attempt->is_open = false;
}

void attempt_end_all(struct sender *sender, struct fetch *fetch)
{
    for (size_t i = 0; i < FETCH_ATTEMPTS; i++) {
        struct attempt *attempt = &fetch->attempts[i];
        if (!attempt->is_open)
            continue;
        if (attempt->is_late)
            count_timeout(sender, fetch, attempt);
        attempt_end(sender, fetch, attempt);
    }
}
