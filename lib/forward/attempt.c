#include "forward/attempt.h"

#include <assert.h>

#include "base/log.h"

enum { US_PER_MS = 1000, FLAGS_OCTET = 2 };

static struct resolver *server_of(const struct sender *sender, const struct inquiry *inquiry,
                                  const struct attempt *attempt)
{
    return &sender->servers[attempt_server(sender, inquiry, attempt->place)];
}

static link_ticket ticket_of(const struct sender *sender, const struct inquiry *inquiry,
                             const struct attempt *attempt)
{
    return pool_number(sender->pool, inquiry) * PENDING_ATTEMPTS +
           (uint32_t)(attempt - inquiry->attempts);
}

struct inquiry *attempt_find(const struct sender *sender, link_ticket ticket,
                             struct attempt **attempt)
{
    assert(ticket / PENDING_ATTEMPTS < sender->pool->touched);
    struct inquiry *inquiry = &sender->pool->items[ticket / PENDING_ATTEMPTS];
    *attempt = &inquiry->attempts[ticket % PENDING_ATTEMPTS];
    assert((*attempt)->is_open);
    return inquiry;
}

uint8_t attempt_server(const struct sender *sender, const struct inquiry *inquiry, uint8_t place)
{
    return inquiry->is_probe ? inquiry->route : sender->routes[inquiry->route].numbers[place];
}

static bool send_query(struct sender *sender, struct inquiry *inquiry, struct attempt *attempt)
{
    struct link *link = sender->link;
    uint8_t server = attempt_server(sender, inquiry, attempt->place);
    uint8_t query[UPSTREAM_QUERY_OCTETS_MOST];

    attempt->id = random_16(&sender->random);
    attempt->sent_ms = sender->now_ms;
    attempt->is_late = attempt->is_silent = false;
    attempt->foreign = 0;
    size_t length = response_write_query(&inquiry->question, attempt->id, inquiry->spelling,
                                         attempt->is_plain, query);
    if (inquiry->is_iterative)
        query[FLAGS_OCTET] &= (uint8_t) ~(FLAG_RD >> 8);
    attempt->is_open = link->send(link, ticket_of(sender, inquiry, attempt), server,
                                  attempt->over_stream, query, length);
    if (!attempt->is_open)
        return false;
    stats_count(sender->stats,
                attempt->over_stream ? COUNTER_FORWARD_STREAM_SENT : COUNTER_FORWARD_SENT, 1);
    inquiry->last_place = attempt->place;
    inquiry->sent_ms = sender->now_ms;
    return true;
}

bool attempt_begin(struct sender *sender, struct inquiry *inquiry, uint8_t place)
{
    struct attempt *attempt = inquiry_free_attempt(inquiry);

    if (attempt == NULL)
        return false;
    *attempt = (struct attempt){.place = place, .is_repeated = inquiry_has_tried(inquiry, place)};
    const struct resolver *server = server_of(sender, inquiry, attempt);
    /* A server whose responses do not match may be well, and only not give the case back. */
    attempt->over_stream = server->upstream->is_tls || inquiry_has_foreign(inquiry, place);
    attempt->is_plain = quirk_is_known(&server->standing->no_edns, sender->now_ms);
    if (!send_query(sender, inquiry, attempt))
        return false;
    inquiry->tried |= (uint16_t)(1U << place);
    return true;
}

bool attempt_again(struct sender *sender, struct inquiry *inquiry, struct attempt *attempt)
{
    attempt_end(sender, inquiry, attempt);
    if (send_query(sender, inquiry, attempt))
        return true;
    inquiry_remember(inquiry, FORWARD_FULL, attempt_server(sender, inquiry, attempt->place));
    return false;
}

/* ---- what is learned about servers ---- */

static void log_failing(const struct resolver *server)
{
    struct log_line line;

    log_start(&line, LOG_WARNING, "upstream_failing");
    log_string(&line, "upstream", server->upstream->text);
    log_string(
        &line, "text",
        "it answers neither clients' questions nor probes and is only probed and tried now; look "
        "at it and the way there, or name another in upstreams");
    log_send(&line);
}

static void log_back(const struct resolver *server)
{
    struct log_line line;

    log_start(&line, LOG_INFO, "upstream_back");
    log_string(&line, "upstream", server->upstream->text);
    log_send(&line);
}

void attempt_on_reply(struct sender *sender, const struct inquiry *inquiry, struct attempt *attempt)
{
    uint64_t rtt_ms = sender->now_ms - attempt->sent_ms;

    attempt->is_late = attempt->is_silent = false; /* it is answered, however late */
    struct resolver *server = server_of(sender, inquiry, attempt);
    bool is_back =
        resolver_on_reply(server, inquiry->is_probe, (uint32_t)rtt_ms * US_PER_MS, sender->now_ms);
    sender->is_watching |= standing_is_watched(server->standing);
    if (!is_back)
        return;
    atomic_fetch_add_explicit(&sender->standings->recoveries, 1, memory_order_relaxed);
    log_back(server);
}

/* A server counts as silent only when nothing at all came from it since. */
static void blame_for_question(struct sender *sender, const struct inquiry *inquiry,
                               const struct attempt *attempt)
{
    struct resolver *server = server_of(sender, inquiry, attempt);

    if (!attempt->is_repeated &&
        standing_on_silence(server->standing, attempt->sent_ms, sender->now_ms))
        sender->is_watching = true;
}

static void blame_for_probe(struct sender *sender, const struct inquiry *inquiry,
                            const struct attempt *attempt)
{
    struct resolver *server = server_of(sender, inquiry, attempt);

    if (!standing_on_probe_silence(server->standing, attempt->sent_ms))
        return;
    atomic_fetch_add_explicit(&sender->standings->falls, 1, memory_order_relaxed);
    log_failing(server);
}

/* Once for each attempt. */
static void blame(struct sender *sender, const struct inquiry *inquiry, struct attempt *attempt)
{
    if (attempt->is_silent)
        return;
    attempt->is_silent = true;
    stats_count(sender->stats, COUNTER_FORWARD_TIMEOUTS, 1);
    if (inquiry->is_probe)
        blame_for_probe(sender, inquiry, attempt);
    else
        blame_for_question(sender, inquiry, attempt);
}

void attempt_on_failure(struct sender *sender, const struct inquiry *inquiry,
                        struct attempt *attempt)
{
    attempt_defer(sender, inquiry, attempt);
    blame(sender, inquiry, attempt);
}

/* Returns when to look at it again. */
static uint64_t check_wait(struct sender *sender, const struct inquiry *inquiry,
                           struct attempt *attempt)
{
    const struct resolver *server = server_of(sender, inquiry, attempt);
    uint64_t late_ms = attempt->sent_ms + resolver_wait_ms(server);
    uint64_t silent_ms = attempt->sent_ms + (inquiry->is_probe ? resolver_probe_silence_ms(server)
                                                               : resolver_silence_ms(server));

    if (!attempt->is_late && sender->now_ms < late_ms)
        return late_ms;
    if (!attempt->is_late)
        attempt_defer(sender, inquiry, attempt);
    attempt->is_late = true;
    if (!attempt->is_silent && sender->now_ms < silent_ms)
        return silent_ms;
    blame(sender, inquiry, attempt);
    return pool_never;
}

uint64_t attempt_check_waits(struct sender *sender, struct inquiry *inquiry)
{
    uint64_t next_ms = pool_never;

    for (size_t i = 0; i < PENDING_ATTEMPTS; i++) {
        struct attempt *attempt = &inquiry->attempts[i];
        uint64_t due_ms = attempt->is_open ? check_wait(sender, inquiry, attempt) : pool_never;
        next_ms = due_ms < next_ms ? due_ms : next_ms;
    }
    return next_ms;
}

void attempt_defer(struct sender *sender, const struct inquiry *inquiry,
                   const struct attempt *attempt)
{
    resolver_defer(server_of(sender, inquiry, attempt));
}

static uint64_t name_hash(const struct inquiry *inquiry)
{
    static const struct hash_key key = {.second = 1};

    return hash_octets(&key, inquiry->name.octets, inquiry->name.length);
}

void attempt_learn(struct sender *sender, const struct inquiry *inquiry,
                   const struct attempt *attempt, bool has_opt)
{
    struct standing *standing = server_of(sender, inquiry, attempt)->standing;

    if (attempt->is_plain)
        quirk_note(&standing->no_edns, name_hash(inquiry), sender->now_ms);
    else if (has_opt)
        quirk_deny(&standing->no_edns);
    if (attempt->is_other_case)
        quirk_note(&standing->other_case, name_hash(inquiry), sender->now_ms);
    else if (!attempt->over_stream)
        quirk_deny(&standing->other_case);
}

bool attempt_ignores_case(const struct sender *sender, const struct inquiry *inquiry,
                          const struct attempt *attempt)
{
    const struct standing *standing = server_of(sender, inquiry, attempt)->standing;

    return quirk_is_known(&standing->other_case, sender->now_ms);
}

void attempt_end(struct sender *sender, const struct inquiry *inquiry, struct attempt *attempt)
{
    sender->link->forget(sender->link, ticket_of(sender, inquiry, attempt));
    attempt->is_open = false;
}

void attempt_end_all(struct sender *sender, struct inquiry *inquiry)
{
    for (size_t i = 0; i < PENDING_ATTEMPTS; i++) {
        struct attempt *attempt = &inquiry->attempts[i];
        if (!attempt->is_open)
            continue;
        if (attempt->is_late)
            blame(sender, inquiry, attempt);
        attempt_end(sender, inquiry, attempt);
    }
}
