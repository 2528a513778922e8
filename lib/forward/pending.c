#include "forward/pending.h"

#include <stdlib.h>
#include <string.h>

#include "forward/attempt.h"
#include "wire/types.h"

enum { BEGIN_TRIES_MOST = 4 };

struct pending {
    struct sender sender;
    struct pool pool;
    struct response *room;     /* where responses are read */
    uint32_t falls;            /* of servers, as last seen */
    uint32_t next_repeated;    /* where to look for a repeated query that can be ended */
    uint64_t none_repeated_ms; /* until then there is none */
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

/* The listener may ask anew, so whatever is to be done with the inquiry is done before. */
static void notify(struct pending *pending, const struct inquiry *inquiry, struct settlement how)
{
    struct inquiry last = *inquiry;

    last.question.name = &last.name;
    how.question = &last.question;
    how.route = last.route;
    if (forward_failure_is_code(how.failure))
        how.response = inquiry_error(&last);
    pending->on_settled(pending->context, &how);
}

/* Takes the question out of the pool. */
static void finish(struct pending *pending, struct inquiry *inquiry, struct settlement how)
{
    attempt_end_all(&pending->sender, inquiry);
    how.waiters = inquiry->first_waiter;
    pool_release(&pending->pool, inquiry);
    notify(pending, inquiry, how);
}

static void finish_as_failed(struct pending *pending, struct inquiry *inquiry)
{
    if (!inquiry->has_failed)
        count(pending, COUNTER_FORWARD_FAILURES);
    finish(pending, inquiry,
           (struct settlement){.failure = inquiry->failure, .server = inquiry->failed_server});
}

/* The question goes on without these. */
static void dismiss(struct pending *pending, struct inquiry *inquiry, struct settlement how)
{
    how.is_again = inquiry->has_failed;
    if (!inquiry->has_failed)
        count(pending, COUNTER_FORWARD_FAILURES);
    inquiry->has_failed = true;
    if (inquiry->first_waiter == NULL && inquiry->state == INQUIRY_ASKED)
        pool_linger(&pending->pool, inquiry);
    notify(pending, inquiry, how);
}

static void end_probe(struct pending *pending, struct inquiry *inquiry)
{
    attempt_end_all(&pending->sender, inquiry);
    pool_release(&pending->pool, inquiry);
}

/* ---- When to look again ---- */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void schedule(struct pending *pending, struct inquiry *inquiry)
{
    uint64_t due_ms = attempt_check_waits(&pending->sender, inquiry);

    due_ms = least(due_ms, inquiry->end_ms);
    due_ms = least(due_ms, inquiry->retry_ms);
    if (inquiry->first_waiter != NULL)
        due_ms = least(due_ms, inquiry->first_waiter->until_ms);
    pool_set_due(&pending->pool, inquiry, due_ms);
}

/* ---- Whom to ask ---- */

/* For another question, which may linger itself. */
static bool make_room(struct pending *pending, const struct inquiry *other)
{
    struct inquiry *oldest = pool_first_lingering(&pending->pool);

    if (oldest == NULL || oldest == other)
        return false;
    attempt_end_all(&pending->sender, oldest);
    pool_release(&pending->pool, oldest);
    return true;
}

/*
 * Ends the last of several attempts that some question has open: one is enough when room is short.
 * Goes round the pool, and once round in vain is enough for a tick, which is when most repeated
 * queries are sent.
 */
static bool end_repeated(struct pending *pending)
{
    const struct pool *pool = &pending->pool;

    if (pending->sender.now_ms < pending->none_repeated_ms)
        return false;
    for (uint32_t seen = 0; seen < pool->touched; seen++) {
        pending->next_repeated = (pending->next_repeated + 1) % pool->touched;
        struct inquiry *inquiry = &pool->items[pending->next_repeated];
        if (inquiry->state == INQUIRY_FREE || inquiry_count_open(inquiry) < 2)
            continue;
        attempt_end(&pending->sender, inquiry, inquiry_newest_attempt(inquiry));
        return true;
    }
    pending->none_repeated_ms = pending->sender.now_ms + PENDING_TICK_MS;
    return false;
}

static struct inquiry *queue_question(struct pending *pending, const struct question *question,
                                      uint8_t route)
{
    struct sender *sender = &pending->sender;
    struct inquiry *inquiry = pool_take(&pending->pool, question, false);

    if (inquiry == NULL && make_room(pending, NULL))
        inquiry = pool_take(&pending->pool, question, false);
    if (inquiry == NULL)
        return NULL;
    inquiry->route = route;
    inquiry->failure = FORWARD_FAILING;
    inquiry->failed_server = attempt_server(sender, inquiry, 0);
    inquiry->first_place = RESOLVER_NONE;
    inquiry_spell(inquiry, &sender->random, pending->mixes_case);
    pool_publish(&pending->pool, inquiry);
    pool_queue(&pending->pool, inquiry);
    return inquiry;
}

static uint8_t pick(struct pending *pending, const struct inquiry *inquiry)
{
    return resolver_choose(pending->sender.servers, &pending->sender.routes[inquiry->route],
                           inquiry->tried);
}

static uint32_t wait_ms_of(const struct pending *pending, const struct inquiry *inquiry,
                           uint8_t place)
{
    const struct sender *sender = &pending->sender;

    return resolver_wait_ms(&sender->servers[attempt_server(sender, inquiry, place)]);
}

/*
 * Sockets and the room on a connection are as bounded as the pool: what lingers holds none of them,
 * and a first query goes before a repeated one. What is ended may be another server's, so this is
 * tried a few times.
 */
static bool begin_attempt(struct pending *pending, struct inquiry *inquiry, uint8_t place)
{
    struct sender *sender = &pending->sender;

    for (unsigned tries = 0; tries < BEGIN_TRIES_MOST; tries++) {
        if (attempt_begin(sender, inquiry, place))
            return true;
        if (!make_room(pending, inquiry) && !end_repeated(pending))
            break;
    }
    inquiry->tried |= (uint16_t)(1U << place);
    inquiry_remember(inquiry, FORWARD_FULL, attempt_server(sender, inquiry, place));
    return false;
}

/* Asks a server that was not asked yet. Ends the question when there is nobody to wait for. */
static void ask_at(struct pending *pending, struct inquiry *inquiry, uint8_t place)
{
    if (place != RESOLVER_NONE && !inquiry_has_tried(inquiry, place))
        begin_attempt(pending, inquiry, place);
    if (inquiry_is_under_way(inquiry))
        schedule(pending, inquiry);
    else
        finish_as_failed(pending, inquiry);
}

static void move_on(struct pending *pending, struct inquiry *inquiry)
{
    ask_at(pending, inquiry, pick(pending, inquiry));
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
        schedule(pending, inquiry);
    else if (inquiry->is_probe)
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

/*
 * The right question in other letters: a guess of somebody who knows the id, or a server that does
 * not keep the case. Over TCP nobody guesses.
 */
static void on_other_case(struct pending *pending, struct inquiry *inquiry, struct attempt *attempt)
{
    count(pending, COUNTER_FORWARD_FOREIGN);
    attempt->over_stream = true;
    attempt->is_other_case = true;
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

/* What servers say that do not know EDNS; SERVFAIL says nothing about it. */
static bool is_without_edns(uint16_t rcode)
{
    return rcode == RCODE_FORMERR || rcode == RCODE_NOTIMP || rcode == RCODE_BADVERS;
}

static void on_read(struct pending *pending, struct inquiry *inquiry, struct attempt *attempt)
{
    struct sender *sender = &pending->sender;
    uint16_t rcode = pending->room->rcode;

    if (rcode == RCODE_NOERROR || rcode == RCODE_NXDOMAIN) {
        attempt_learn(sender, inquiry, attempt, (pending->room->bits & RESPONSE_HAS_OPT) != 0);
        uint8_t server = attempt_server(sender, inquiry, attempt->place);
        if (inquiry->has_failed && inquiry->state == INQUIRY_LINGERING)
            count(pending, COUNTER_FORWARD_KEPT_LATE);
        finish(pending, inquiry, (struct settlement){.response = pending->room, .server = server});
    } else if (!attempt->is_plain && is_without_edns(rcode)) {
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
        .is_exact = pending->mixes_case && !attempt->over_stream &&
                    !attempt_ignores_case(&pending->sender, inquiry, attempt),
    };
    enum response_status status = response_read(octets, length, &asked, pending->room);

    if (status == RESPONSE_READ && pending->room->dropped > 0)
        stats_count(pending->sender.stats, COUNTER_FORWARD_SCRUBBED, pending->room->dropped);
    if (status == RESPONSE_FOREIGN)
        on_foreign(pending, inquiry, attempt);
    else if (status == RESPONSE_OTHER_CASE)
        on_other_case(pending, inquiry, attempt);
    else
        on_reply(pending, inquiry, attempt, status);
}

static void on_failure(void *context, link_ticket ticket, enum link_failure failure)
{
    static const enum forward_failure failures[][2] = {
        [LINK_UNREACHABLE] = {FORWARD_UNREACHABLE, FORWARD_TCP_UNREACHABLE},
        [LINK_REFUSED] = {FORWARD_CLOSED, FORWARD_TCP_CLOSED},
        [LINK_TLS] = {FORWARD_TLS, FORWARD_TLS},
        [LINK_EXHAUSTED] = {FORWARD_FULL, FORWARD_FULL},
    };
    struct pending *pending = context;
    struct attempt *attempt;
    struct inquiry *inquiry = attempt_find(&pending->sender, ticket, &attempt);

    inquiry_remember(inquiry, failures[failure][attempt->over_stream],
                     attempt_server(&pending->sender, inquiry, attempt->place));
    if (failure != LINK_EXHAUSTED)
        attempt_on_failure(&pending->sender, inquiry, attempt);
    give_up(pending, inquiry, attempt);
}

/* ---- Time ---- */

static void set_next_retry(struct inquiry *inquiry)
{
    static const uint32_t after_ms[PENDING_RETRIES] = {0, 1000, 2500};

    inquiry->retry_ms = inquiry->retries < PENDING_RETRIES
                            ? inquiry->begun_ms + after_ms[inquiry->retries]
                            : pool_never;
}

/*
 * What is under way is late: another server is asked too. When all were asked, the turn is that of
 * one that has said nothing yet; those that have would only say it again. The last query makes
 * room: the answer to a slow name comes to the first.
 */
static void retry(struct pending *pending, struct inquiry *inquiry)
{
    inquiry->retries++;
    set_next_retry(inquiry);
    uint8_t place = pick(pending, inquiry);
    if (place != RESOLVER_NONE && inquiry_has_tried(inquiry, place))
        place = inquiry_open_place(inquiry);
    if (place == RESOLVER_NONE)
        return;
    if (inquiry_free_attempt(inquiry) == NULL)
        attempt_end(&pending->sender, inquiry, inquiry_newest_attempt(inquiry));
    if (!attempt_begin(&pending->sender, inquiry, place) && make_room(pending, inquiry))
        attempt_begin(&pending->sender, inquiry, place);
}

static void remember_silence(const struct sender *sender, struct inquiry *inquiry)
{
    uint8_t server = attempt_server(sender, inquiry, inquiry->last_place);
    const struct attempt *attempt = inquiry_newest_attempt(inquiry);
    bool is_tcp = attempt != NULL && attempt->over_stream &&
                  attempt->place == inquiry->last_place &&
                  !sender->servers[server].upstream->is_tls;

    inquiry_remember(inquiry, is_tcp ? FORWARD_TCP_SILENT : FORWARD_SILENT, server);
}

/* Those who came late have the question asked anew, as if they had been the first. */
static void end_window(struct pending *pending, struct inquiry *inquiry)
{
    if (inquiry->first_waiter == NULL) {
        remember_silence(&pending->sender, inquiry);
        finish_as_failed(pending, inquiry);
        return;
    }
    attempt_end_all(&pending->sender, inquiry);
    inquiry_restart(inquiry, &pending->sender.random, pending->mixes_case);
    pool_queue(&pending->pool, inquiry);
    pool_set_due(&pending->pool, inquiry, inquiry->first_waiter->until_ms);
}

/* It stays in the queue, and pending_turn sees that nobody waits. */
static void on_queued_due(struct pending *pending, struct inquiry *inquiry)
{
    struct waiter *waiters = inquiry_take_impatient(inquiry, pending->sender.now_ms);
    const struct waiter *next = inquiry->first_waiter;

    pool_set_due(&pending->pool, inquiry, next == NULL ? pool_never : next->until_ms);
    dismiss(
        pending, inquiry,
        (struct settlement){.failure = FORWARD_FULL, .server = RESOLVER_NONE, .waiters = waiters});
}

static void on_asked_due(struct pending *pending, struct inquiry *inquiry)
{
    struct sender *sender = &pending->sender;

    attempt_check_waits(sender, inquiry);
    if (sender->now_ms >= inquiry->retry_ms)
        retry(pending, inquiry);
    struct waiter *impatient = inquiry_take_impatient(inquiry, sender->now_ms);
    schedule(pending, inquiry);
    if (impatient == NULL)
        return;
    if (inquiry->failure == FORWARD_FAILING)
        remember_silence(sender, inquiry);
    dismiss(pending, inquiry,
            (struct settlement){.failure = inquiry->failure,
                                .server = inquiry->failed_server,
                                .waiters = impatient});
}

static void on_probe_due(struct pending *pending, struct inquiry *inquiry)
{
    schedule(pending, inquiry);
    if (pending->sender.now_ms >= inquiry->end_ms)
        end_probe(pending, inquiry);
}

static void on_due(struct pending *pending, struct inquiry *inquiry)
{
    if (inquiry->is_probe)
        on_probe_due(pending, inquiry);
    else if (inquiry->state == INQUIRY_QUEUED)
        on_queued_due(pending, inquiry);
    else if (pending->sender.now_ms >= inquiry->end_ms)
        end_window(pending, inquiry);
    else
        on_asked_due(pending, inquiry);
}

/* The last server of a zone has become failing, here or in another worker. */
static void dismiss_failing(struct pending *pending)
{
    const struct sender *sender = &pending->sender;

    for (uint32_t number = 0; number < pending->pool.touched; number++) {
        struct inquiry *inquiry = &pending->pool.items[number];
        if (inquiry->state != INQUIRY_ASKED || inquiry->first_waiter == NULL ||
            !resolver_set_is_failing(sender->servers, &sender->routes[inquiry->route]))
            continue;
        struct waiter *waiters = inquiry->first_waiter;
        inquiry->first_waiter = NULL;
        dismiss(pending, inquiry,
                (struct settlement){.failure = FORWARD_FAILING,
                                    .server = attempt_server(sender, inquiry, 0),
                                    .waiters = waiters});
    }
}

/* ---- Probes ---- */

static void send_probe(struct pending *pending, uint8_t server)
{
    const struct resolver *resolver = &pending->sender.servers[server];
    const struct question question = {
        .name = &resolver->probe_name, .type = resolver->probe_type, .class = CLASS_IN};
    struct inquiry *inquiry = pool_take(&pending->pool, &question, true);

    if (inquiry == NULL)
        return;
    inquiry->route = server;
    inquiry->is_iterative = !standing_count_probe(resolver->standing);
    inquiry->retry_ms = pool_never;
    inquiry->end_ms = pending->sender.now_ms + resolver_probe_silence_ms(resolver);
    inquiry_spell(inquiry, &pending->sender.random, false);
    if (begin_attempt(pending, inquiry, 0))
        schedule(pending, inquiry);
    else
        end_probe(pending, inquiry);
}

static void probe_all(struct pending *pending)
{
    struct sender *sender = &pending->sender;

    sender->is_watching = false;
    for (size_t server = 0; server < sender->standings->count; server++) {
        struct standing *standing = sender->servers[server].standing;
        if (!standing_is_watched(standing))
            continue;
        sender->is_watching = true;
        if (standing_claim_probe(standing, sender->now_ms))
            send_probe(pending, (uint8_t)server);
    }
}

/* ---- From outside ---- */

static bool is_any_watched(const struct standings *standings)
{
    for (size_t server = 0; server < standings->count; server++)
        if (standing_is_watched(standings->items[server]))
            return true;
    return false;
}

static void prepare(struct pending *pending, const struct pending_options *options)
{
    pending->sender = (struct sender){
        .pool = &pending->pool,
        .servers = options->servers,
        .routes = options->routes,
        .standings = options->standings,
        .link = options->link,
        .stats = options->stats,
        .is_watching = is_any_watched(options->standings), /* as other workers have found */
    };
    pending->falls = atomic_load_explicit(&options->standings->falls, memory_order_relaxed);
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
        if (pending->pool.items[number].state != INQUIRY_FREE)
            attempt_end_all(&pending->sender, &pending->pool.items[number]);
    pool_close(&pending->pool);
    free(pending->room);
    free(pending);
}

/* Has it asked with nobody waiting. That leaves half of the pool to those who wait. */
static struct inquiry *ask_for_nobody(struct pending *pending, const struct question *question,
                                      uint8_t route)
{
    struct inquiry *inquiry = pool_busy(&pending->pool) * 2 >= pending->pool.questions
                                  ? NULL
                                  : queue_question(pending, question, route);

    if (inquiry != NULL)
        count(pending, COUNTER_FORWARD_REFRESHES);
    return inquiry;
}

static void join(struct pending *pending, struct inquiry *inquiry, struct waiter *waiter,
                 uint32_t patience_ms)
{
    struct pool *pool = &pending->pool;

    waiter->until_ms = pending->sender.now_ms + patience_ms;
    if (inquiry->state == INQUIRY_LINGERING) {
        pool_stop_lingering(pool, inquiry);
        if (inquiry->retry_ms == pool_never)
            inquiry->retry_ms = inquiry->sent_ms + PENDING_AGAIN_MS;
        pool_set_due(pool, inquiry, least(pool_due(pool, inquiry), inquiry->retry_ms));
    }
    inquiry_join(inquiry, waiter);
    pool_set_due(pool, inquiry, least(pool_due(pool, inquiry), waiter->until_ms));
}

bool pending_ask(struct pending *pending, const struct question *question, uint8_t route,
                 struct waiter *waiter, uint32_t patience_ms)
{
    struct inquiry *inquiry = pool_find(&pending->pool, question);

    if (pending->is_ending)
        return false;
    if (waiter == NULL)
        return inquiry != NULL || ask_for_nobody(pending, question, route) != NULL;
    if (inquiry != NULL)
        count(pending, COUNTER_FORWARD_JOINED);
    else
        inquiry = queue_question(pending, question, route);
    if (inquiry == NULL)
        return false;
    join(pending, inquiry, waiter, patience_ms);
    return true;
}

void pending_try(struct pending *pending, const struct question *question, uint8_t route)
{
    const struct sender *sender = &pending->sender;

    if (pending->is_ending || pending_has(pending, question))
        return;
    uint8_t place = resolver_choose_trial(sender->servers, &sender->routes[route], sender->now_ms);
    if (place == RESOLVER_NONE)
        return;
    struct inquiry *inquiry = ask_for_nobody(pending, question, route);
    if (inquiry != NULL)
        inquiry->first_place = place;
}

bool pending_has(const struct pending *pending, const struct question *question)
{
    return pool_find(&pending->pool, question) != NULL;
}

/* All who waited for it may have left while it was queued. */
static void begin(struct pending *pending, struct inquiry *inquiry)
{
    if (inquiry->first_waiter == NULL && inquiry->has_failed) {
        pool_release(&pending->pool, inquiry);
        return;
    }
    if (inquiry->first_waiter == NULL)
        pool_linger(&pending->pool, inquiry);
    inquiry->begun_ms = pending->sender.now_ms;
    inquiry->end_ms = inquiry->begun_ms + PENDING_WINDOW_MS;
    /* The first retry follows the round trip of the server asked first, the others do not. */
    uint8_t place =
        inquiry->first_place == RESOLVER_NONE ? pick(pending, inquiry) : inquiry->first_place;
    inquiry->first_place = RESOLVER_NONE;
    if (place != RESOLVER_NONE)
        inquiry->retry_ms = inquiry->begun_ms + wait_ms_of(pending, inquiry, place);
    ask_at(pending, inquiry, place);
}

bool pending_turn(struct pending *pending, uint64_t now_ms)
{
    pending->sender.now_ms = now_ms;
    for (int sent = 0; sent < PENDING_SENDS_PER_TURN; sent++) {
        struct inquiry *inquiry = pool_dequeue(&pending->pool);
        if (inquiry == NULL)
            return false;
        begin(pending, inquiry);
    }
    return pool_first_queued(&pending->pool) != NULL;
}

void pending_tick(struct pending *pending, uint64_t now_ms)
{
    uint32_t falls = atomic_load_explicit(&pending->sender.standings->falls, memory_order_relaxed);

    pending->sender.now_ms = now_ms;
    for (uint32_t number = 0; number < pending->pool.touched; number++)
        if (pending->pool.due_ms[number] <= now_ms)
            on_due(pending, &pending->pool.items[number]);
    probe_all(pending);
    if (falls == pending->falls)
        return;
    pending->falls = falls;
    dismiss_failing(pending);
}

void pending_set_time(struct pending *pending, uint64_t now_ms)
{
    pending->sender.now_ms = now_ms;
}

size_t pending_count(const struct pending *pending)
{
    return pending->pool.used;
}

size_t pending_room(const struct pending *pending)
{
    return pending->pool.questions - pool_busy(&pending->pool);
}

bool pending_is_busy(const struct pending *pending)
{
    return pending->pool.used > 0 || pending->sender.is_watching;
}

void pending_end_all(struct pending *pending)
{
    pending->is_ending = true;
    pending->sender.is_watching = false;
    while (pool_dequeue(&pending->pool) != NULL)
        continue;
    for (uint32_t number = 0; number < pending->pool.touched; number++) {
        struct inquiry *inquiry = &pending->pool.items[number];
        if (inquiry->state == INQUIRY_FREE)
            continue;
        if (inquiry->is_probe)
            end_probe(pending, inquiry);
        else /* no server's fault, so it is not counted as a failure */
            finish(
                pending, inquiry,
                (struct settlement){.failure = FORWARD_STOPPING, .server = inquiry->failed_server});
    }
}

bool pending_is_waited_for(const struct pending *pending)
{
    for (uint32_t number = 0; number < pending->pool.touched; number++) {
        const struct inquiry *inquiry = &pending->pool.items[number];
        if (inquiry->state != INQUIRY_FREE && inquiry->first_waiter != NULL)
            return true;
    }
    return false;
}
