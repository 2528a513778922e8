#include "forward/fetch_course.h"

#include "wire/types.h"

enum { BEGIN_TRIES_MOST = 4 };

static void count(const struct fetch_table *table, enum counter counter)
{
    stats_count(table->sender.stats, counter, 1);
}

/* ---- The end of a fetch ---- */

/* The listener may start a new fetch, so this one must be finished before. */
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

/* Ends the fetch and frees its slot. */
void fetch_course_finish(struct fetch_table *table, struct fetch *fetch, struct fetch_outcome how)
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
    fetch_course_finish(
        table, fetch,
        (struct fetch_outcome){.failure = fetch->failure, .server = fetch->failed_server});
}

/* Notifies these waiters of a failure; the fetch goes on without them. */
static void fail_waiters(struct fetch_table *table, struct fetch *fetch, struct fetch_outcome how)
{
    how.is_again = fetch->has_failed;
    if (!fetch->has_failed)
        count(table, COUNTER_FORWARD_FAILURES);
    fetch->has_failed = true;
    if (fetch->first_waiter == NULL && fetch->state == FETCH_ASKED)
        pool_linger(&table->pool, fetch);
    notify(table, fetch, how);
}

void fetch_course_end_probe(struct fetch_table *table, struct fetch *fetch)
{
    attempt_end_all(&table->sender, fetch);
    pool_release(&table->pool, fetch);
}

/* ---- Deadlines ---- */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void fetch_course_schedule(struct fetch_table *table, struct fetch *fetch)
{
    uint64_t due_ms = attempt_check_waits(&table->sender, fetch);

    due_ms = least(due_ms, fetch->end_ms);
    due_ms = least(due_ms, fetch->retry_ms);
    if (fetch->first_waiter != NULL)
        due_ms = least(due_ms, fetch->first_waiter->until_ms);
    pool_set_due(&table->pool, fetch, due_ms);
}

/* ---- Which server to ask ---- */

/* Makes room for another fetch, which may itself be lingering. */
static bool end_oldest_lingering(struct fetch_table *table, const struct fetch *other)
{
    struct fetch *oldest = pool_first_lingering(&table->pool);

    if (oldest == NULL || oldest == other)
        return false;
    attempt_end_all(&table->sender, oldest);
    pool_release(&table->pool, oldest);
    return true;
}

/*
 * Ends the newest attempt of a fetch that has several: one is enough when room is short. The search
 * goes round the pool. After a round in vain it pauses for a tick, since most repeated queries are
 * sent in ticks.
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

struct fetch *fetch_course_queue(struct fetch_table *table, const struct question *question,
                                 uint8_t route)
{
    struct sender *sender = &table->sender;
    struct fetch *fetch = pool_take(&table->pool, question, false);

    if (fetch == NULL && end_oldest_lingering(table, NULL))
        fetch = pool_take(&table->pool, question, false);
    if (fetch == NULL)
        return NULL;
    fetch->route = route;
    fetch->failure = FORWARD_FAILING;
    fetch->failed_server = attempt_server(sender, fetch, 0);
    fetch->first_index = RESOLVER_NONE;
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
                           uint8_t index)
{
    const struct sender *sender = &table->sender;

    return resolver_wait_ms(&sender->servers[attempt_server(sender, fetch, index)]);
}

/*
 * Sockets and the room on a connection are as bounded as the pool: lingering fetches give theirs
 * up, and a first query goes before a repeated one. The attempt that is ended may belong to another
 * server, so this is tried a few times.
 */
static bool begin_attempt(struct fetch_table *table, struct fetch *fetch, uint8_t index)
{
    struct sender *sender = &table->sender;

    for (unsigned tries = 0; tries < BEGIN_TRIES_MOST; tries++) {
        if (attempt_begin(sender, fetch, index))
            return true;
        if (!end_oldest_lingering(table, fetch) && !end_repeated(table))
            break;
    }
    fetch->tried |= (uint16_t)(1U << index);
    fetch_remember(fetch, FORWARD_FULL, attempt_server(sender, fetch, index));
    return false;
}

/* Asks a server that was not asked yet. Ends the fetch when no attempt is open. */
static void ask_at(struct fetch_table *table, struct fetch *fetch, uint8_t index)
{
    if (index != RESOLVER_NONE && !fetch_has_tried(fetch, index))
        begin_attempt(table, fetch, index);
    if (fetch_is_under_way(fetch))
        fetch_course_schedule(table, fetch);
    else
        finish_as_failed(table, fetch);
}

void fetch_course_move_on(struct fetch_table *table, struct fetch *fetch)
{
    ask_at(table, fetch, pick(table, fetch));
}

/* ---- Time ---- */

static void set_next_retry(struct fetch *fetch)
{
    static const uint32_t after_ms[FETCH_RETRIES] = {0, 1000, 2500};

    fetch->retry_ms =
        fetch->retries < FETCH_RETRIES ? fetch->begun_ms + after_ms[fetch->retries] : pool_never;
}

/*
 * The open attempts are late: asks another server, too. When all were asked, repeats the query to
 * one that has not replied; the others would only repeat their reply. The newest attempt makes
 * room, since the answer to a slow name comes to the first one.
 */
static void retry(struct fetch_table *table, struct fetch *fetch)
{
    fetch->retries++;
    set_next_retry(fetch);
    uint8_t index = pick(table, fetch);
    if (index != RESOLVER_NONE && fetch_has_tried(fetch, index))
        index = fetch_open_index(fetch);
    if (index == RESOLVER_NONE)
        return;
    if (fetch_free_attempt(fetch) == NULL)
        attempt_end(&table->sender, fetch, fetch_newest_attempt(fetch));
    if (!attempt_begin(&table->sender, fetch, index) && end_oldest_lingering(table, fetch))
        attempt_begin(&table->sender, fetch, index);
}

static void remember_silence(const struct sender *sender, struct fetch *fetch)
{
    uint8_t server = attempt_server(sender, fetch, fetch->last_index);
    const struct attempt *attempt = fetch_newest_attempt(fetch);
    bool is_tcp = attempt != NULL && attempt->over_stream && attempt->index == fetch->last_index &&
                  !sender->servers[server].upstream->is_tls;

    fetch_remember(fetch, is_tcp ? FORWARD_TCP_SILENT : FORWARD_SILENT, server);
}

/* Waiters that are left came late: for them the question is asked anew. */
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

/* The fetch stays in the queue; begin finds that it has no waiters. */
static void on_queued_due(struct fetch_table *table, struct fetch *fetch)
{
    struct waiter *waiters = fetch_take_expired(fetch, table->sender.now_ms);
    const struct waiter *next = fetch->first_waiter;

    pool_set_due(&table->pool, fetch, next == NULL ? pool_never : next->until_ms);
    fail_waiters(table, fetch,
                 (struct fetch_outcome){
                     .failure = FORWARD_FULL, .server = RESOLVER_NONE, .waiters = waiters});
}

static void on_asked_due(struct fetch_table *table, struct fetch *fetch)
{
    struct sender *sender = &table->sender;

    attempt_check_waits(sender, fetch);
    if (sender->now_ms >= fetch->retry_ms)
        retry(table, fetch);
    struct waiter *expired = fetch_take_expired(fetch, sender->now_ms);
    fetch_course_schedule(table, fetch);
    if (expired == NULL)
        return;
    if (fetch->failure == FORWARD_FAILING)
        remember_silence(sender, fetch);
    fail_waiters(table, fetch,
                 (struct fetch_outcome){.failure = fetch->failure,
                                        .server = fetch->failed_server,
                                        .waiters = expired});
}

static void on_probe_due(struct fetch_table *table, struct fetch *fetch)
{
    fetch_course_schedule(table, fetch);
    if (table->sender.now_ms >= fetch->end_ms)
        fetch_course_end_probe(table, fetch);
}

void fetch_course_on_due(struct fetch_table *table, struct fetch *fetch)
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

/* Some server has become failing, here or in another worker; it may be the last of its zone. */
void fetch_course_fail_hopeless(struct fetch_table *table)
{
    const struct sender *sender = &table->sender;

    for (uint32_t number = 0; number < table->pool.touched; number++) {
        struct fetch *fetch = &table->pool.items[number];
        if (fetch->state != FETCH_ASKED || fetch->first_waiter == NULL ||
            !resolver_set_is_failing(sender->servers, &sender->routes[fetch->route]))
            continue;
        struct waiter *waiters = fetch->first_waiter;
        fetch->first_waiter = NULL;
        fail_waiters(table, fetch,
                     (struct fetch_outcome){.failure = FORWARD_FAILING,
                                            .server = attempt_server(sender, fetch, 0),
                                            .waiters = waiters});
    }
}

/* ---- Probes ---- */

void fetch_course_probe(struct fetch_table *table, uint8_t server)
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
        fetch_course_schedule(table, fetch);
    else
        fetch_course_end_probe(table, fetch);
}

/* ---- The first query ---- */

/* Its last waiter may have timed out while it was queued. */
void fetch_course_begin(struct fetch_table *table, struct fetch *fetch)
{
    if (fetch->first_waiter == NULL && fetch->has_failed) {
        pool_release(&table->pool, fetch);
        return;
    }
    if (fetch->first_waiter == NULL)
        pool_linger(&table->pool, fetch);
    fetch->begun_ms = table->sender.now_ms;
    fetch->end_ms = fetch->begun_ms + FETCH_WINDOW_MS;
    /* The first retry depends on the round trip of the first server, the others do not. */
    uint8_t index = fetch->first_index == RESOLVER_NONE ? pick(table, fetch) : fetch->first_index;
    fetch->first_index = RESOLVER_NONE;
    if (index != RESOLVER_NONE)
        fetch->retry_ms = fetch->begun_ms + wait_ms_of(table, fetch, index);
    ask_at(table, fetch, index);
}
