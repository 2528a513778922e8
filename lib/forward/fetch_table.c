#include "forward/fetch_table.h"

#include <stdlib.h>
#include <string.h>

#include "forward/attempt.h"
#include "wire/types.h"

enum { BEGIN_TRIES_MOST = 4 };

struct fetch_table {
    struct sender sender;
    struct pool pool;
    struct response *room;     /* where responses are read */
    uint32_t falls;            /* of servers, as last seen */
    uint32_t next_repeated;    /* where to look for a repeated query that can be ended */
    uint64_t none_repeated_ms; /* until then there is none */
    bool mixes_case;
    bool is_ending;
    fetch_table_on_outcome *on_outcome;
    void *context;
};

static void count(const struct fetch_table *table, enum counter counter)
{
    stats_count(table->sender.stats, counter, 1);
}

/* ---- How a question ends ---- */

/* The listener may ask anew, so whatever is to be done with the fetch is done before. */
static void notify(struct fetch_table *table, const struct fetch *fetch, struct fetch_outcome how)
{
    struct fetch last = *fetch;

    last.question.name = &last.name;
    how.question = &last.question;
    how.route = last.route;
    if (forward_failure_is_code(how.failure))
        how.response = fetch_error(&last);
    table->on_outcome(table->context, &how);
}

/* Takes the question out of the pool. */
static void finish(struct fetch_table *table, struct fetch *fetch, struct fetch_outcome how)
{
    attempt_end_all(&table->sender, fetch);
    how.waiters = fetch->first_waiter;
    pool_release(&table->pool, fetch);
    notify(table, fetch, how);
}

static void finish_as_failed(struct fetch_table *table, struct fetch *fetch)
{
    if (!fetch->has_failed)
        count(table, COUNTER_FORWARD_FAILURES);
    finish(table, fetch,
           (struct fetch_outcome){.failure = fetch->failure, .server = fetch->failed_server});
}

/* The question goes on without these. */
static void dismiss(struct fetch_table *table, struct fetch *fetch, struct fetch_outcome how)
{
    how.is_again = fetch->has_failed;
    if (!fetch->has_failed)
        count(table, COUNTER_FORWARD_FAILURES);
    fetch->has_failed = true;
    if (fetch->first_waiter == NULL && fetch->state == FETCH_ASKED)
        pool_linger(&table->pool, fetch);
    notify(table, fetch, how);
}

static void end_probe(struct fetch_table *table, struct fetch *fetch)
{
    attempt_end_all(&table->sender, fetch);
    pool_release(&table->pool, fetch);
}

/* ---- When to look again ---- */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void schedule(struct fetch_table *table, struct fetch *fetch)
{
    uint64_t due_ms = attempt_check_waits(&table->sender, fetch);

    due_ms = least(due_ms, fetch->end_ms);
    due_ms = least(due_ms, fetch->retry_ms);
    if (fetch->first_waiter != NULL)
        due_ms = least(due_ms, fetch->first_waiter->until_ms);
    pool_set_due(&table->pool, fetch, due_ms);
}

/* ---- Whom to ask ---- */

/* For another question, which may linger itself. */
static bool make_room(struct fetch_table *table, const struct fetch *other)
{
    struct fetch *oldest = pool_first_lingering(&table->pool);

    if (oldest == NULL || oldest == other)
        return false;
    attempt_end_all(&table->sender, oldest);
    pool_release(&table->pool, oldest);
    return true;
}

/*
 * Ends the last of several attempts that some question has open: one is enough when room is short.
 * Goes round the pool, and once round in vain is enough for a tick, which is when most repeated
 * queries are sent.
 */
static bool end_repeated(struct fetch_table *table)
{
    const struct pool *pool = &table->pool;

    if (table->sender.now_ms < table->none_repeated_ms)
        return false;
    for (uint32_t seen = 0; seen < pool->touched; seen++) {
        table->next_repeated = (table->next_repeated + 1) % pool->touched;
        struct fetch *fetch = &pool->items[table->next_repeated];
        if (fetch->state == FETCH_FREE || fetch_count_open(fetch) < 2)
            continue;
        attempt_end(&table->sender, fetch, fetch_newest_attempt(fetch));
        return true;
    }
    table->none_repeated_ms = table->sender.now_ms + FETCH_TICK_MS;
    return false;
}

static struct fetch *queue_question(struct fetch_table *table, const struct question *question,
                                    uint8_t route)
{
    struct sender *sender = &table->sender;
    struct fetch *fetch = pool_take(&table->pool, question, false);

    if (fetch == NULL && make_room(table, NULL))
        fetch = pool_take(&table->pool, question, false);
    if (fetch == NULL)
        return NULL;
    fetch->route = route;
    fetch->failure = FORWARD_FAILING;
    fetch->failed_server = attempt_server(sender, fetch, 0);
    fetch->first_place = RESOLVER_NONE;
    fetch_spell(fetch, &sender->random, table->mixes_case);
    pool_publish(&table->pool, fetch);
    pool_queue(&table->pool, fetch);
    return fetch;
}

static uint8_t pick(struct fetch_table *table, const struct fetch *fetch)
{
    return resolver_choose(table->sender.servers, &table->sender.routes[fetch->route],
                           fetch->tried);
}

static uint32_t wait_ms_of(const struct fetch_table *table, const struct fetch *fetch,
                           uint8_t place)
{
    const struct sender *sender = &table->sender;

    return resolver_wait_ms(&sender->servers[attempt_server(sender, fetch, place)]);
}

/*
 * Sockets and the room on a connection are as bounded as the pool: what lingers holds none of them,
 * and a first query goes before a repeated one. What is ended may be another server's, so this is
 * tried a few times.
 */
static bool begin_attempt(struct fetch_table *table, struct fetch *fetch, uint8_t place)
{
    struct sender *sender = &table->sender;

    for (unsigned tries = 0; tries < BEGIN_TRIES_MOST; tries++) {
        if (attempt_begin(sender, fetch, place))
            return true;
        if (!make_room(table, fetch) && !end_repeated(table))
            break;
    }
    fetch->tried |= (uint16_t)(1U << place);
    fetch_remember(fetch, FORWARD_FULL, attempt_server(sender, fetch, place));
    return false;
}

/* Asks a server that was not asked yet. Ends the question when there is nobody to wait for. */
static void ask_at(struct fetch_table *table, struct fetch *fetch, uint8_t place)
{
    if (place != RESOLVER_NONE && !fetch_has_tried(fetch, place))
        begin_attempt(table, fetch, place);
    if (fetch_is_under_way(fetch))
        schedule(table, fetch);
    else
        finish_as_failed(table, fetch);
}

static void move_on(struct fetch_table *table, struct fetch *fetch)
{
    ask_at(table, fetch, pick(table, fetch));
}

/* ---- What comes back ---- */

/* An attempt has brought nothing: another server's turn. */
static void give_up(struct fetch_table *table, struct fetch *fetch, struct attempt *attempt)
{
    attempt_end(&table->sender, fetch, attempt);
    if (fetch->is_probe)
        end_probe(table, fetch);
    else
        move_on(table, fetch);
}

static void ask_again(struct fetch_table *table, struct fetch *fetch, struct attempt *attempt)
{
    if (attempt_again(&table->sender, fetch, attempt))
        schedule(table, fetch);
    else if (fetch->is_probe)
        end_probe(table, fetch);
    else
        move_on(table, fetch);
}

static void on_malformed(struct fetch_table *table, struct fetch *fetch, struct attempt *attempt)
{
    struct sender *sender = &table->sender;

    count(table, COUNTER_FORWARD_MALFORMED);
    attempt_defer(sender, fetch, attempt);
    fetch_remember(fetch, FORWARD_MALFORMED, attempt_server(sender, fetch, attempt->place));
    give_up(table, fetch, attempt);
}

/* RFC 5452 section 9.3: who guesses gets only so many chances. */
static void on_foreign(struct fetch_table *table, struct fetch *fetch, struct attempt *attempt)
{
    count(table, COUNTER_FORWARD_FOREIGN);
    if (++attempt->foreign < FETCH_FOREIGN_MOST)
        return;
    if (attempt->over_stream) {
        on_malformed(table, fetch, attempt);
        return;
    }
    attempt->over_stream = true;
    ask_again(table, fetch, attempt);
}

/*
 * The right question in other letters: a guess of somebody who knows the id, or a server that does
 * not keep the case. Over TCP nobody guesses.
 */
static void on_other_case(struct fetch_table *table, struct fetch *fetch, struct attempt *attempt)
{
    count(table, COUNTER_FORWARD_FOREIGN);
    attempt->over_stream = true;
    attempt->is_other_case = true;
    ask_again(table, fetch, attempt);
}

/* SERVFAIL mostly says something about the name, other codes something about the server. */
static void on_error(struct fetch_table *table, struct fetch *fetch, struct attempt *attempt)
{
    struct sender *sender = &table->sender;

    if (table->room->rcode != RCODE_SERVFAIL)
        attempt_defer(sender, fetch, attempt);
    fetch_remember_error(fetch, table->room, attempt_server(sender, fetch, attempt->place));
    give_up(table, fetch, attempt);
}

/* What servers say that do not know EDNS; SERVFAIL says nothing about it. */
static bool is_without_edns(uint16_t rcode)
{
    return rcode == RCODE_FORMERR || rcode == RCODE_NOTIMP || rcode == RCODE_BADVERS;
}

static void on_read(struct fetch_table *table, struct fetch *fetch, struct attempt *attempt)
{
    struct sender *sender = &table->sender;
    uint16_t rcode = table->room->rcode;

    if (rcode == RCODE_NOERROR || rcode == RCODE_NXDOMAIN) {
        attempt_learn(sender, fetch, attempt, (table->room->bits & RESPONSE_HAS_OPT) != 0);
        uint8_t server = attempt_server(sender, fetch, attempt->place);
        if (fetch->has_failed && fetch->state == FETCH_LINGERING)
            count(table, COUNTER_FORWARD_KEPT_LATE);
        finish(table, fetch, (struct fetch_outcome){.response = table->room, .server = server});
    } else if (!attempt->is_plain && is_without_edns(rcode)) {
        attempt->is_plain = true; /* RFC 6891 section 7 */
        ask_again(table, fetch, attempt);
    } else {
        on_error(table, fetch, attempt);
    }
}

static void on_reply(struct fetch_table *table, struct fetch *fetch, struct attempt *attempt,
                     enum response_status status)
{
    attempt_on_reply(&table->sender, fetch, attempt);
    if (fetch->is_probe) {
        end_probe(table, fetch);
    } else if (status == RESPONSE_READ) {
        on_read(table, fetch, attempt);
    } else if (status == RESPONSE_TRUNCATED && !attempt->over_stream) {
        attempt->over_stream = true; /* RFC 7766 section 5 */
        ask_again(table, fetch, attempt);
    } else {
        on_malformed(table, fetch, attempt);
    }
}

static void on_response(void *context, link_ticket ticket, const uint8_t *octets, size_t length)
{
    struct fetch_table *table = context;
    struct attempt *attempt;
    struct fetch *fetch = attempt_find(&table->sender, ticket, &attempt);
    struct asked asked = {
        .question = &fetch->question,
        .id = attempt->id,
        .name = fetch->spelling,
        /* Over a stream nothing can be forged, and some servers do not give the case back. */
        .is_exact = table->mixes_case && !attempt->over_stream &&
                    !attempt_ignores_case(&table->sender, fetch, attempt),
    };
    enum response_status status = response_read(octets, length, &asked, table->room);

    if (status == RESPONSE_READ && table->room->dropped > 0)
        stats_count(table->sender.stats, COUNTER_FORWARD_SCRUBBED, table->room->dropped);
    if (status == RESPONSE_FOREIGN)
        on_foreign(table, fetch, attempt);
    else if (status == RESPONSE_OTHER_CASE)
        on_other_case(table, fetch, attempt);
    else
        on_reply(table, fetch, attempt, status);
}

static void on_failure(void *context, link_ticket ticket, enum link_failure failure)
{
    static const enum forward_failure failures[][2] = {
        [LINK_UNREACHABLE] = {FORWARD_UNREACHABLE, FORWARD_TCP_UNREACHABLE},
        [LINK_REFUSED] = {FORWARD_CLOSED, FORWARD_TCP_CLOSED},
        [LINK_TLS] = {FORWARD_TLS, FORWARD_TLS},
        [LINK_EXHAUSTED] = {FORWARD_FULL, FORWARD_FULL},
    };
    struct fetch_table *table = context;
    struct attempt *attempt;
    struct fetch *fetch = attempt_find(&table->sender, ticket, &attempt);

    fetch_remember(fetch, failures[failure][attempt->over_stream],
                   attempt_server(&table->sender, fetch, attempt->place));
    if (failure != LINK_EXHAUSTED)
        attempt_on_failure(&table->sender, fetch, attempt);
    give_up(table, fetch, attempt);
}

/* ---- Time ---- */

static void set_next_retry(struct fetch *fetch)
{
    static const uint32_t after_ms[FETCH_RETRIES] = {0, 1000, 2500};

    fetch->retry_ms =
        fetch->retries < FETCH_RETRIES ? fetch->begun_ms + after_ms[fetch->retries] : pool_never;
}

/*
 * What is under way is late: another server is asked too. When all were asked, the turn is that of
 * one that has said nothing yet; those that have would only say it again. The last query makes
 * room: the answer to a slow name comes to the first.
 */
static void retry(struct fetch_table *table, struct fetch *fetch)
{
    fetch->retries++;
    set_next_retry(fetch);
    uint8_t place = pick(table, fetch);
    if (place != RESOLVER_NONE && fetch_has_tried(fetch, place))
        place = fetch_open_place(fetch);
    if (place == RESOLVER_NONE)
        return;
    if (fetch_free_attempt(fetch) == NULL)
        attempt_end(&table->sender, fetch, fetch_newest_attempt(fetch));
    if (!attempt_begin(&table->sender, fetch, place) && make_room(table, fetch))
        attempt_begin(&table->sender, fetch, place);
}

static void remember_silence(const struct sender *sender, struct fetch *fetch)
{
    uint8_t server = attempt_server(sender, fetch, fetch->last_place);
    const struct attempt *attempt = fetch_newest_attempt(fetch);
    bool is_tcp = attempt != NULL && attempt->over_stream && attempt->place == fetch->last_place &&
                  !sender->servers[server].upstream->is_tls;

    fetch_remember(fetch, is_tcp ? FORWARD_TCP_SILENT : FORWARD_SILENT, server);
}

/* Those who came late have the question asked anew, as if they had been the first. */
static void end_window(struct fetch_table *table, struct fetch *fetch)
{
    if (fetch->first_waiter == NULL) {
        remember_silence(&table->sender, fetch);
        finish_as_failed(table, fetch);
        return;
    }
    attempt_end_all(&table->sender, fetch);
    fetch_restart(fetch, &table->sender.random, table->mixes_case);
    pool_queue(&table->pool, fetch);
    pool_set_due(&table->pool, fetch, fetch->first_waiter->until_ms);
}

/* It stays in the queue, and fetch_table_turn sees that nobody waits. */
static void on_queued_due(struct fetch_table *table, struct fetch *fetch)
{
    struct waiter *waiters = fetch_take_impatient(fetch, table->sender.now_ms);
    const struct waiter *next = fetch->first_waiter;

    pool_set_due(&table->pool, fetch, next == NULL ? pool_never : next->until_ms);
    dismiss(table, fetch,
            (struct fetch_outcome){
                .failure = FORWARD_FULL, .server = RESOLVER_NONE, .waiters = waiters});
}

static void on_asked_due(struct fetch_table *table, struct fetch *fetch)
{
    struct sender *sender = &table->sender;

    attempt_check_waits(sender, fetch);
    if (sender->now_ms >= fetch->retry_ms)
        retry(table, fetch);
    struct waiter *impatient = fetch_take_impatient(fetch, sender->now_ms);
    schedule(table, fetch);
    if (impatient == NULL)
        return;
    if (fetch->failure == FORWARD_FAILING)
        remember_silence(sender, fetch);
    dismiss(table, fetch,
            (struct fetch_outcome){
                .failure = fetch->failure, .server = fetch->failed_server, .waiters = impatient});
}

static void on_probe_due(struct fetch_table *table, struct fetch *fetch)
{
    schedule(table, fetch);
    if (table->sender.now_ms >= fetch->end_ms)
        end_probe(table, fetch);
}

static void on_due(struct fetch_table *table, struct fetch *fetch)
{
    if (fetch->is_probe)
        on_probe_due(table, fetch);
    else if (fetch->state == FETCH_QUEUED)
        on_queued_due(table, fetch);
    else if (table->sender.now_ms >= fetch->end_ms)
        end_window(table, fetch);
    else
        on_asked_due(table, fetch);
}

/* The last server of a zone has become failing, here or in another worker. */
static void dismiss_failing(struct fetch_table *table)
{
    const struct sender *sender = &table->sender;

    for (uint32_t number = 0; number < table->pool.touched; number++) {
        struct fetch *fetch = &table->pool.items[number];
        if (fetch->state != FETCH_ASKED || fetch->first_waiter == NULL ||
            !resolver_set_is_failing(sender->servers, &sender->routes[fetch->route]))
            continue;
        struct waiter *waiters = fetch->first_waiter;
        fetch->first_waiter = NULL;
        dismiss(table, fetch,
                (struct fetch_outcome){.failure = FORWARD_FAILING,
                                       .server = attempt_server(sender, fetch, 0),
                                       .waiters = waiters});
    }
}

/* ---- Probes ---- */

static void send_probe(struct fetch_table *table, uint8_t server)
{
    const struct resolver *resolver = &table->sender.servers[server];
    const struct question question = {
        .name = &resolver->probe_name, .type = resolver->probe_type, .class = CLASS_IN};
    struct fetch *fetch = pool_take(&table->pool, &question, true);

    if (fetch == NULL)
        return;
    fetch->route = server;
    fetch->is_iterative = !standing_count_probe(resolver->standing);
    fetch->retry_ms = pool_never;
    fetch->end_ms = table->sender.now_ms + resolver_probe_silence_ms(resolver);
    fetch_spell(fetch, &table->sender.random, false);
    if (begin_attempt(table, fetch, 0))
        schedule(table, fetch);
    else
        end_probe(table, fetch);
}

static void probe_all(struct fetch_table *table)
{
    struct sender *sender = &table->sender;

    sender->is_watching = false;
    for (size_t server = 0; server < sender->standings->count; server++) {
        struct standing *standing = sender->servers[server].standing;
        if (!standing_is_watched(standing))
            continue;
        sender->is_watching = true;
        if (standing_claim_probe(standing, sender->now_ms))
            send_probe(table, (uint8_t)server);
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

static void prepare(struct fetch_table *table, const struct fetch_table_options *options)
{
    table->sender = (struct sender){
        .pool = &table->pool,
        .servers = options->servers,
        .routes = options->routes,
        .standings = options->standings,
        .link = options->link,
        .stats = options->stats,
        .is_watching = is_any_watched(options->standings), /* as other workers have found */
    };
    table->falls = atomic_load_explicit(&options->standings->falls, memory_order_relaxed);
    table->mixes_case = options->mixes_case;
    table->on_outcome = options->on_outcome;
    table->context = options->context;
    options->link->listener = (struct link_listener){
        .on_response = on_response,
        .on_failure = on_failure,
        .context = table,
    };
}

struct fetch_table *fetch_table_new(const struct fetch_table_options *options, struct err *err)
{
    struct fetch_table *table = calloc(1, sizeof *table);

    if (table != NULL)
        table->room = malloc(RESPONSE_OCTETS_MOST);
    if (table == NULL || table->room == NULL || !pool_init(&table->pool, options->questions)) {
        fetch_table_free(table);
        err_set(err, ERR_MEMORY, "no memory for %zu questions on their way", options->questions);
        return NULL;
    }
    prepare(table, options);
    return table;
}

void fetch_table_free(struct fetch_table *table)
{
    if (table == NULL)
        return;
    for (uint32_t number = 0; number < table->pool.touched; number++)
        if (table->pool.items[number].state != FETCH_FREE)
            attempt_end_all(&table->sender, &table->pool.items[number]);
    pool_close(&table->pool);
    free(table->room);
    free(table);
}

/* Has it asked with nobody waiting. That leaves half of the pool to those who wait. */
static struct fetch *ask_for_nobody(struct fetch_table *table, const struct question *question,
                                    uint8_t route)
{
    struct fetch *fetch = pool_busy(&table->pool) * 2 >= table->pool.questions
                              ? NULL
                              : queue_question(table, question, route);

    if (fetch != NULL)
        count(table, COUNTER_FORWARD_REFRESHES);
    return fetch;
}

static void join(struct fetch_table *table, struct fetch *fetch, struct waiter *waiter,
                 uint32_t patience_ms)
{
    struct pool *pool = &table->pool;

    waiter->until_ms = table->sender.now_ms + patience_ms;
    if (fetch->state == FETCH_LINGERING) {
        pool_stop_lingering(pool, fetch);
        if (fetch->retry_ms == pool_never)
            fetch->retry_ms = fetch->sent_ms + FETCH_AGAIN_MS;
        pool_set_due(pool, fetch, least(pool_due(pool, fetch), fetch->retry_ms));
    }
    fetch_join(fetch, waiter);
    pool_set_due(pool, fetch, least(pool_due(pool, fetch), waiter->until_ms));
}

bool fetch_table_ask(struct fetch_table *table, const struct question *question, uint8_t route,
                     struct waiter *waiter, uint32_t patience_ms)
{
    struct fetch *fetch = pool_find(&table->pool, question);

    if (table->is_ending)
        return false;
    if (waiter == NULL)
        return fetch != NULL || ask_for_nobody(table, question, route) != NULL;
    if (fetch != NULL)
        count(table, COUNTER_FORWARD_JOINED);
    else
        fetch = queue_question(table, question, route);
    if (fetch == NULL)
        return false;
    join(table, fetch, waiter, patience_ms);
    return true;
}

void fetch_table_try(struct fetch_table *table, const struct question *question, uint8_t route)
{
    const struct sender *sender = &table->sender;

    if (table->is_ending || fetch_table_has(table, question))
        return;
    uint8_t place = resolver_choose_trial(sender->servers, &sender->routes[route], sender->now_ms);
    if (place == RESOLVER_NONE)
        return;
    struct fetch *fetch = ask_for_nobody(table, question, route);
    if (fetch != NULL)
        fetch->first_place = place;
}

bool fetch_table_has(const struct fetch_table *table, const struct question *question)
{
    return pool_find(&table->pool, question) != NULL;
}

/* All who waited for it may have left while it was queued. */
static void begin(struct fetch_table *table, struct fetch *fetch)
{
    if (fetch->first_waiter == NULL && fetch->has_failed) {
        pool_release(&table->pool, fetch);
        return;
    }
    if (fetch->first_waiter == NULL)
        pool_linger(&table->pool, fetch);
    fetch->begun_ms = table->sender.now_ms;
    fetch->end_ms = fetch->begun_ms + FETCH_WINDOW_MS;
    /* The first retry follows the round trip of the server asked first, the others do not. */
    uint8_t place = fetch->first_place == RESOLVER_NONE ? pick(table, fetch) : fetch->first_place;
    fetch->first_place = RESOLVER_NONE;
    if (place != RESOLVER_NONE)
        fetch->retry_ms = fetch->begun_ms + wait_ms_of(table, fetch, place);
    ask_at(table, fetch, place);
}

bool fetch_table_turn(struct fetch_table *table, uint64_t now_ms)
{
    table->sender.now_ms = now_ms;
    for (int sent = 0; sent < FETCH_SENDS_PER_TURN; sent++) {
        struct fetch *fetch = pool_dequeue(&table->pool);
        if (fetch == NULL)
            return false;
        begin(table, fetch);
    }
    return pool_first_queued(&table->pool) != NULL;
}

void fetch_table_tick(struct fetch_table *table, uint64_t now_ms)
{
    uint32_t falls = atomic_load_explicit(&table->sender.standings->falls, memory_order_relaxed);

    table->sender.now_ms = now_ms;
    for (uint32_t number = 0; number < table->pool.touched; number++)
        if (table->pool.due_ms[number] <= now_ms)
            on_due(table, &table->pool.items[number]);
    probe_all(table);
    if (falls == table->falls)
        return;
    table->falls = falls;
    dismiss_failing(table);
}

void fetch_table_set_time(struct fetch_table *table, uint64_t now_ms)
{
    table->sender.now_ms = now_ms;
}

size_t fetch_table_count(const struct fetch_table *table)
{
    return table->pool.used;
}

size_t fetch_table_room(const struct fetch_table *table)
{
    return table->pool.questions - pool_busy(&table->pool);
}

bool fetch_table_is_busy(const struct fetch_table *table)
{
    return table->pool.used > 0 || table->sender.is_watching;
}

void fetch_table_end_all(struct fetch_table *table)
{
    table->is_ending = true;
    table->sender.is_watching = false;
    while (pool_dequeue(&table->pool) != NULL)
        continue;
    for (uint32_t number = 0; number < table->pool.touched; number++) {
        struct fetch *fetch = &table->pool.items[number];
        if (fetch->state == FETCH_FREE)
            continue;
        if (fetch->is_probe)
            end_probe(table, fetch);
        else /* no server's fault, so it is not counted as a failure */
            finish(table, fetch,
                   (struct fetch_outcome){.failure = FORWARD_STOPPING,
                                          .server = fetch->failed_server});
    }
}

bool fetch_table_is_waited_for(const struct fetch_table *table)
{
    for (uint32_t number = 0; number < table->pool.touched; number++) {
        const struct fetch *fetch = &table->pool.items[number];
        if (fetch->state != FETCH_FREE && fetch->first_waiter != NULL)
            return true;
    }
    return false;
}
