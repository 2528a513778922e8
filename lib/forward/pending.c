#include "forward/pending.h"

#include <stdlib.h>

#include "forward/attempt.h"
#include "wire/types.h"

struct pending {
    struct sender sender;
    struct pool pool;
    struct response *room; /* where responses are read */
    bool mixes_case;
    bool is_ending;
    pending_on_settled *on_settled;
    void *context;
};

static void count(const struct pending *pending, enum counter counter)
{
    stats_count(pending->sender.stats, counter, 1);
}

/* ---- How a question ends ---- */

/* Takes the question out of the pool and tells the listener, who may ask it again at once. */
static void settle(struct pending *pending, struct inquiry *inquiry, struct settlement how)
{
    attempt_end_all(&pending->sender, inquiry);
    struct inquiry last = *inquiry;
    last.question.name = &last.name;
    pool_release(&pending->pool, inquiry);
    how.question = &last.question;
    how.route = last.route;
    how.waiters = last.first_waiter;
    if (how.failure == FORWARD_ERROR)
        how.response = inquiry_error(&last);
    pending->on_settled(pending->context, &how);
}

static void settle_as_failed(struct pending *pending, struct inquiry *inquiry)
{
    count(pending, COUNTER_FORWARD_FAILURES);
    settle(pending, inquiry,
           (struct settlement){.failure = inquiry->failure, .server = inquiry->failed_server});
}

static void end_probe(struct pending *pending, struct inquiry *inquiry)
{
    attempt_end_all(&pending->sender, inquiry);
    pool_release(&pending->pool, inquiry);
}

/* ---- Whom to ask ---- */

static struct inquiry *open_inquiry(struct pending *pending, const struct question *question,
                                    uint8_t route)
{
    struct sender *sender = &pending->sender;
    struct inquiry *inquiry = pool_take(&pending->pool, question);

    if (inquiry == NULL)
        return NULL;
    inquiry->route = route;
    inquiry->deadline_ms = sender->now_ms + PENDING_DEADLINE_MS;
    inquiry->failure = FORWARD_FAILING;
    inquiry->failed_server = attempt_server(sender, inquiry, 0);
    inquiry_spell(inquiry, &sender->random, pending->mixes_case);
    return inquiry;
}

/* Asks a failing server on the side; it may answer after the good one has. */
static void probe(struct pending *pending, const struct inquiry *inquiry, uint8_t place)
{
    struct inquiry *side = open_inquiry(pending, &inquiry->question, inquiry->route);

    if (side == NULL)
        return;
    side->is_probe = true;
    if (!attempt_begin(&pending->sender, side, place))
        end_probe(pending, side);
}

/*
 * Whom to ask next, as a place in the route, or RESOLVER_NONE. Each turn of the loop but the last
 * begins a probe, and no server's probe is due twice at a time.
 */
static uint8_t pick(struct pending *pending, const struct inquiry *inquiry)
{
    const struct resolver_set *route = &pending->sender.routes[inquiry->route];
    struct resolver *servers = pending->sender.servers;

    for (;;) {
        uint8_t place = resolver_choose(servers, route, inquiry->tried, pending->sender.now_ms);
        if (place == RESOLVER_NONE || !servers[route->numbers[place]].is_failing ||
            resolver_set_is_failing(servers, route))
            return place;
        probe(pending, inquiry, place);
    }
}

/* Asks a server that was not asked yet. Settles the question when there is nobody to wait for. */
static void move_on(struct pending *pending, struct inquiry *inquiry)
{
    uint8_t place = pick(pending, inquiry);

    if (place != RESOLVER_NONE && !inquiry_has_tried(inquiry, place) &&
        attempt_begin(&pending->sender, inquiry, place))
        return;
    if (!inquiry_is_under_way(inquiry))
        settle_as_failed(pending, inquiry);
}

/* ---- What comes back ---- */

/* An attempt has brought nothing: another server's turn. */
static void give_up(struct pending *pending, struct inquiry *inquiry, struct attempt *attempt)
{
    attempt_end(&pending->sender, inquiry, attempt);
    if (inquiry->is_probe)
        end_probe(pending, inquiry);
    else
        move_on(pending, inquiry);
}

static void ask_again(struct pending *pending, struct inquiry *inquiry, struct attempt *attempt)
{
    if (attempt_again(&pending->sender, inquiry, attempt))
        return;
    if (inquiry->is_probe)
        end_probe(pending, inquiry);
    else
        move_on(pending, inquiry);
}

static void on_malformed(struct pending *pending, struct inquiry *inquiry, struct attempt *attempt)
{
    struct sender *sender = &pending->sender;

    count(pending, COUNTER_FORWARD_MALFORMED);
    attempt_defer(sender, inquiry, attempt);
    inquiry_remember(inquiry, FORWARD_MALFORMED, attempt_server(sender, inquiry, attempt->place));
    give_up(pending, inquiry, attempt);
}

/* RFC 5452 section 9.3: who guesses gets only so many chances. */
static void on_foreign(struct pending *pending, struct inquiry *inquiry, struct attempt *attempt)
{
    count(pending, COUNTER_FORWARD_FOREIGN);
    if (++attempt->foreign < PENDING_FOREIGN_MOST)
        return;
    if (attempt->over_stream) {
        on_malformed(pending, inquiry, attempt);
        return;
    }
    attempt->over_stream = true;
    ask_again(pending, inquiry, attempt);
}

/* SERVFAIL mostly says something about the name, other codes something about the server. */
static void on_error(struct pending *pending, struct inquiry *inquiry, struct attempt *attempt)
{
    struct sender *sender = &pending->sender;

    if (pending->room->rcode != RCODE_SERVFAIL)
        attempt_defer(sender, inquiry, attempt);
    inquiry_remember_error(inquiry, pending->room, attempt_server(sender, inquiry, attempt->place));
    give_up(pending, inquiry, attempt);
}

static void on_read(struct pending *pending, struct inquiry *inquiry, struct attempt *attempt)
{
    struct sender *sender = &pending->sender;
    uint16_t rcode = pending->room->rcode;

    if (rcode == RCODE_NOERROR || rcode == RCODE_NXDOMAIN) {
        attempt_confirm_plain(sender, inquiry, attempt);
        uint8_t server = attempt_server(sender, inquiry, attempt->place);
        settle(pending, inquiry, (struct settlement){.response = pending->room, .server = server});
    } else if (!attempt->is_plain && (rcode == RCODE_FORMERR || rcode == RCODE_BADVERS)) {
        attempt->is_plain = true; /* RFC 6891 section 7 */
        ask_again(pending, inquiry, attempt);
    } else {
        on_error(pending, inquiry, attempt);
    }
}

static void on_reply(struct pending *pending, struct inquiry *inquiry, struct attempt *attempt,
                     enum response_status status)
{
    attempt_on_reply(&pending->sender, inquiry, attempt);
    if (inquiry->is_probe) {
        end_probe(pending, inquiry);
    } else if (status == RESPONSE_READ) {
        on_read(pending, inquiry, attempt);
    } else if (status == RESPONSE_TRUNCATED && !attempt->over_stream) {
        attempt->over_stream = true; /* RFC 7766 section 5 */
        ask_again(pending, inquiry, attempt);
    } else {
        on_malformed(pending, inquiry, attempt);
    }
}

static void on_response(void *context, link_ticket ticket, const uint8_t *octets, size_t length)
{
    struct pending *pending = context;
    struct attempt *attempt;
    struct inquiry *inquiry = attempt_find(&pending->sender, ticket, &attempt);
    struct asked asked = {
        .question = &inquiry->question,
        .id = attempt->id,
        .name = inquiry->spelling,
        /* Over a stream nothing can be forged, and some servers do not give the case back. */
        .is_exact = pending->mixes_case && !attempt->over_stream,
    };
    enum response_status status = response_read(octets, length, &asked, pending->room);

    if (status == RESPONSE_READ && pending->room->dropped > 0)
        stats_count(pending->sender.stats, COUNTER_FORWARD_SCRUBBED, pending->room->dropped);
    if (status == RESPONSE_FOREIGN)
        on_foreign(pending, inquiry, attempt);
    else
        on_reply(pending, inquiry, attempt, status);
}

static void on_failure(void *context, link_ticket ticket, enum link_failure failure)
{
    static const enum forward_failure failures[] = {
        [LINK_UNREACHABLE] = FORWARD_UNREACHABLE,
        [LINK_TLS] = FORWARD_TLS,
        [LINK_EXHAUSTED] = FORWARD_FULL,
    };
    struct pending *pending = context;
    struct attempt *attempt;
    struct inquiry *inquiry = attempt_find(&pending->sender, ticket, &attempt);

    inquiry_remember(inquiry, failures[failure],
                     attempt_server(&pending->sender, inquiry, attempt->place));
    if (failure != LINK_EXHAUSTED)
        attempt_on_failure(&pending->sender, inquiry, attempt);
    give_up(pending, inquiry, attempt);
}

/* ---- Time ---- */

/*
 * What is under way is late: another server is asked too. When all were asked, the turn is that of
 * one that has said nothing yet; those that have would only say it again.
 */
static void on_wait_over(struct pending *pending, struct inquiry *inquiry)
{
    attempt_mark_late(&pending->sender, inquiry);
    pool_set_due(&pending->pool, inquiry, pool_never);
    if (inquiry->is_probe || inquiry_free_attempt(inquiry) == NULL)
        return;
    uint8_t place = pick(pending, inquiry);
    if (place != RESOLVER_NONE && inquiry_has_tried(inquiry, place))
        place = inquiry_open_place(inquiry);
    if (place != RESOLVER_NONE)
        attempt_begin(&pending->sender, inquiry, place);
    else /* all are failing; perhaps one comes back */
        pool_set_due(&pending->pool, inquiry, pending->sender.now_ms + RESOLVER_WAIT_LEAST_MS);
}

static void on_due(struct pending *pending, struct inquiry *inquiry)
{
    struct sender *sender = &pending->sender;

    if (sender->now_ms < inquiry->deadline_ms) {
        on_wait_over(pending, inquiry);
        return;
    }
    if (inquiry->is_probe) {
        end_probe(pending, inquiry);
        return;
    }
    if (inquiry->failure == FORWARD_FAILING)
        inquiry_remember(inquiry, FORWARD_SILENT,
                         attempt_server(sender, inquiry, inquiry->last_place));
    settle_as_failed(pending, inquiry);
}

/* The queue is in the order of deadlines. */
static void end_queued(struct pending *pending)
{
    struct inquiry *inquiry = pool_first_queued(&pending->pool);

    while (inquiry != NULL && inquiry->deadline_ms <= pending->sender.now_ms) {
        pool_dequeue(&pending->pool);
        inquiry_remember(inquiry, FORWARD_FULL, RESOLVER_NONE);
        settle_as_failed(pending, inquiry);
        inquiry = pool_first_queued(&pending->pool);
    }
}

/* ---- From outside ---- */

static void prepare(struct pending *pending, const struct pending_options *options)
{
    pending->sender = (struct sender){
        .pool = &pending->pool,
        .servers = options->servers,
        .routes = options->routes,
        .link = options->link,
        .stats = options->stats,
    };
    pending->mixes_case = options->mixes_case;
    pending->on_settled = options->on_settled;
    pending->context = options->context;
    options->link->listener = (struct link_listener){
        .on_response = on_response,
        .on_failure = on_failure,
        .context = pending,
    };
}

struct pending *pending_new(const struct pending_options *options, struct err *err)
{
    struct pending *pending = calloc(1, sizeof *pending);

    if (pending != NULL)
        pending->room = malloc(RESPONSE_OCTETS_MOST);
    if (pending == NULL || pending->room == NULL ||
        !pool_init(&pending->pool, options->questions)) {
        pending_free(pending);
        err_set(err, ERR_MEMORY, "no memory for %zu questions on their way", options->questions);
        return NULL;
    }
    prepare(pending, options);
    return pending;
}

void pending_free(struct pending *pending)
{
    if (pending == NULL)
        return;
    for (uint32_t number = 0; number < pending->pool.touched; number++)
        if (pending->pool.items[number].is_used)
            attempt_end_all(&pending->sender, &pending->pool.items[number]);
    pool_close(&pending->pool);
    free(pending->room);
    free(pending);
}

static struct inquiry *queue_question(struct pending *pending, const struct question *question,
                                      uint8_t route)
{
    struct inquiry *inquiry = open_inquiry(pending, question, route);

    if (inquiry != NULL)
        pool_queue(&pending->pool, inquiry);
    return inquiry;
}

/* A refresh leaves half of the pool to those who wait. */
static bool refresh(struct pending *pending, const struct question *question, uint8_t route)
{
    if (pending->pool.used * 2 >= pending->pool.size ||
        queue_question(pending, question, route) == NULL)
        return false;
    count(pending, COUNTER_FORWARD_REFRESHES);
    return true;
}

bool pending_ask(struct pending *pending, const struct question *question, uint8_t route,
                 struct waiter *waiter, uint64_t now_ms)
{
    struct inquiry *inquiry = pool_find(&pending->pool, question);

    pending->sender.now_ms = now_ms;
    if (pending->is_ending)
        return false;
    if (waiter == NULL)
        return inquiry != NULL || refresh(pending, question, route);
    if (inquiry != NULL)
        count(pending, COUNTER_FORWARD_JOINED);
    else
        inquiry = queue_question(pending, question, route);
    if (inquiry == NULL)
        return false;
    inquiry_join(inquiry, waiter);
    return true;
}

bool pending_turn(struct pending *pending, uint64_t now_ms)
{
    pending->sender.now_ms = now_ms;
    for (int sent = 0; sent < PENDING_SENDS_PER_TURN; sent++) {
        struct inquiry *inquiry = pool_dequeue(&pending->pool);
        if (inquiry == NULL)
            return false;
        move_on(pending, inquiry);
    }
    return pool_first_queued(&pending->pool) != NULL;
}

void pending_tick(struct pending *pending, uint64_t now_ms)
{
    pending->sender.now_ms = now_ms;
    end_queued(pending);
    for (uint32_t number = 0; number < pending->pool.touched; number++)
        if (pending->pool.due_ms[number] <= now_ms)
            on_due(pending, &pending->pool.items[number]);
}

void pending_set_time(struct pending *pending, uint64_t now_ms)
{
    pending->sender.now_ms = now_ms;
}

size_t pending_count(const struct pending *pending)
{
    return pending->pool.used;
}

uint32_t pending_recoveries(const struct pending *pending)
{
    return pending->sender.recoveries;
}

void pending_end_all(struct pending *pending)
{
    pending->is_ending = true;
    while (pool_dequeue(&pending->pool) != NULL)
        continue;
    for (uint32_t number = 0; number < pending->pool.touched; number++) {
        struct inquiry *inquiry = &pending->pool.items[number];
        if (inquiry->is_probe && inquiry->is_used)
            end_probe(pending, inquiry);
        else if (inquiry->is_used) /* no server's fault, so it is not counted as a failure */
            settle(pending, inquiry,
                   (struct settlement){.failure = FORWARD_FULL, .server = inquiry->failed_server});
    }
}
