#include "forward/fetch_table.h"

#include <stdlib.h>

#include "forward/fetch_course.h"
#include "forward/fetch_reply.h"

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
            fetch_course_probe(table, (uint8_t)server);
    }
}

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
        .is_watching = is_any_watched(options->standings), /* other workers may have seen silence */
    };
    table->falls = atomic_load_explicit(&options->standings->falls, memory_order_relaxed);
    table->mixes_case = options->mixes_case;
    table->on_outcome = options->on_outcome;
    table->context = options->context;
    options->link->listener = (struct link_listener){
        .on_response = fetch_reply_on_response,
        .on_failure = fetch_reply_on_failure,
        .context = table,
    };
}

struct resolver_use fetch_table_use(const struct fetch_table *table, uint8_t route, uint8_t index)
{
    return table->sender.uses[route][index];
}

struct fetch_table *fetch_table_new(const struct fetch_table_options *options, struct err *err)
{
    struct fetch_table *table = calloc(1, sizeof *table);

    if (table != NULL)
        table->room = malloc(RESPONSE_OCTETS_MOST);
    if (table == NULL || table->room == NULL || !pool_init(&table->pool, options->questions)) {
        fetch_table_free(table);
        err_set(err, ERR_MEMORY, "no memory for %zu questions to upstreams", options->questions);
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

/* Starts a fetch without waiters. Half of the pool is reserved for fetches with waiters. */
static struct fetch *ask_without_waiter(struct fetch_table *table, const struct question *question,
                                        uint8_t route)
{
    struct fetch *fetch = pool_busy(&table->pool) * 2 >= table->pool.questions
                              ? NULL
                              : fetch_course_queue(table, question, route);

    if (fetch != NULL)
        stats_count(table->sender.stats, COUNTER_FORWARD_REFRESHES, 1);
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
        pool_hasten(pool, fetch, fetch->retry_ms);
    }
    fetch_join(fetch, waiter);
    pool_hasten(pool, fetch, waiter->until_ms);
}

bool fetch_table_ask(struct fetch_table *table, const struct question *question, uint8_t route,
                     struct waiter *waiter, uint32_t patience_ms)
{
    struct fetch *fetch = pool_find(&table->pool, question);

    if (table->is_ending)
        return false;
    if (waiter == NULL)
        return fetch != NULL || ask_without_waiter(table, question, route) != NULL;
    if (fetch != NULL)
        stats_count(table->sender.stats, COUNTER_FORWARD_JOINED, 1);
    else
        fetch = fetch_course_queue(table, question, route);
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
    uint8_t index = resolver_choose_trial(sender->servers, &sender->routes[route], sender->now_ms);
    if (index == RESOLVER_NONE)
        return;
    struct fetch *fetch = ask_without_waiter(table, question, route);
    if (fetch != NULL)
        fetch->first_index = index;
}

bool fetch_table_has(const struct fetch_table *table, const struct question *question)
{
    return pool_find(&table->pool, question) != NULL;
}

bool fetch_table_turn(struct fetch_table *table, uint64_t now_ms)
{
    table->sender.now_ms = now_ms;
    for (int sent = 0; sent < FETCH_SENDS_PER_TURN; sent++) {
        struct fetch *fetch = pool_dequeue(&table->pool);
        if (fetch == NULL)
            return false;
        fetch_course_begin(table, fetch);
    }
    return pool_first_queued(&table->pool) != NULL;
}

void fetch_table_tick(struct fetch_table *table, uint64_t now_ms)
{
    uint32_t falls = atomic_load_explicit(&table->sender.standings->falls, memory_order_relaxed);

    table->sender.now_ms = now_ms;
    for (uint32_t number = 0; number < table->pool.touched; number++)
        if (table->pool.due_ms[number] <= now_ms)
            fetch_course_on_due(table, &table->pool.items[number]);
    probe_all(table);
    if (falls == table->falls)
        return;
    table->falls = falls;
    fetch_course_fail_hopeless(table);
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
            fetch_course_end_probe(table, fetch);
        else /* not a server's failure, so it is not counted as one */
            fetch_course_finish(table, fetch,
                                (struct fetch_outcome){.failure = FORWARD_STOPPING,
                                                       .server = fetch->failed_server});
    }
}

bool fetch_table_has_waiters(const struct fetch_table *table)
{
    for (uint32_t number = 0; number < table->pool.touched; number++) {
        const struct fetch *fetch = &table->pool.items[number];
        if (fetch->state != FETCH_FREE && fetch->first_waiter != NULL)
            return true;
    }
    return false;
}
