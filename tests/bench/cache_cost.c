/*
 * The cost of the cache: nanoseconds and allocations per question, for one name and for many.
 *
 *     cache_cost                 one line per row
 *     cache_cost ROW COUNT       does one row COUNT times and prints nothing: for callgrind
 *     cache_cost threads         how much more two threads find than one
 *
 * Callgrind counts instructions; the difference of two counts is one question's share. Rows begin
 * with a parsed query; its name is hashed. "many" asks for 400,000 names in random order, in
 * batches whose lines and entries are prefetched, as the server does.
 *
 * "threads": one thread and two take turns at finding the same 10,000 names for a while; the median
 * of the rounds' ratios.
 */
// wrap: malloc calloc realloc
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "forward/cache.h"
#include "forward/relay.h"
#include "support/allocations.h"
#include "support/built_response.h"
#include "support/request.h"

enum {
    ROUNDS = 400000,
    NAMES = 400000,
    BATCH = 64,
    STRIDE = 79199,
    NOW = 1000,
    CACHE_OCTETS = 64 << 20
};

/* A client's query for one of many names, read. */
struct client_query {
    uint8_t request[64];
    struct query query;
    struct question question;
};

static struct cache *cache;
/* The same in every run, so that two runs differ by their count alone. */
static const struct hash_key key = {.first = 0x0123456789abcdef, .second = 0xfedcba9876543211};
static struct client_query client_queries[BATCH];
static alignas(struct response) uint8_t room[RESPONSE_OCTETS_MOST];
static struct response *const response = (struct response *)(void *)room;
static uint8_t reply[UDP_OCTETS_MOST];
static unsigned long missing; /* pushed out of its line: some names in a thousand */

static void give_up(const char *what)
{
    fprintf(stderr, "cache_cost: %s\n", what);
    exit(EXIT_FAILURE);
}

static void hash(struct client_query *client_query)
{
    const struct name *name = &client_query->query.name;
    client_query->question =
        question_of(&client_query->query, hash_padded(&key, name->octets, name->length));
}

/* Names are "000000.example.com" and so on: six octets change. */
static void turn_to(struct client_query *client_query, unsigned number)
{
    uint8_t *end = client_query->query.name.octets + 7;

    for (int i = 1; i <= 6; i++, number /= 10)
        *(end - i) = (uint8_t)('0' + number % 10);
    memcpy(client_query->request + HEADER_OCTETS + 1, end - 6, 6);
    hash(client_query);
}

static void read_answer(const struct question *question)
{
    static const struct built_response sent = {.name = "000000.example.com.",
                                               .answer = "000000.example.com. 300 IN A 192.0.2.1"};
    uint8_t octets[512];
    struct expected expected = {
        .question = question, .id = BUILT_RESPONSE_ID, .name = question->name->octets};
    size_t length = built_response_write(&sent, octets);

    if (response_read(octets, length, &expected, response) != RESPONSE_READ)
        give_up("the answer cannot be read");
}

/* A response in the cache for each name. */
static void prepare(void)
{
    struct err err;

    cache = cache_new(CACHE_OCTETS, &err);
    if (cache == NULL)
        give_up(err.text);
    for (unsigned i = 0; i < BATCH; i++) {
        struct client_query *client_query = &client_queries[i];
        size_t length =
            request_write(&(struct ask){.name = "000000.example.com."}, client_query->request);
        if (query_read(client_query->request, length, &client_query->query) != QUERY_READ)
            give_up("the query cannot be read");
        hash(client_query);
    }
    read_answer(&client_queries[0].question);
    for (unsigned i = NAMES; i-- > 0;) {
        turn_to(&client_queries[0], i);
        cache_store(cache, NULL, &client_queries[0].question, response, 0, NOW);
    }
}

static void find(const struct client_query *client_query)
{
    missing += cache_find(cache, &client_query->question, NOW + 10) == NULL;
}

static void hit(const struct client_query *client_query)
{
    const struct cache_entry *entry = cache_find(cache, &client_query->question, NOW + 10);

    if (entry == NULL || !cache_entry_is_fresh(entry, NOW + 10)) {
        missing++;
        return;
    }
    struct reply_options options = {.has_ede = false};
    struct relay relay = {.response = cache_response(entry),
                          .age_seconds = NOW + 10 - entry->stored_s,
                          .request = client_query->request,
                          .query = &client_query->query,
                          .options = &options};
    relay_write(&relay, reply, client_query->query.udp_octets);
}

static void find_one(unsigned long count)
{
    for (unsigned long i = 0; i < count; i++)
        find(&client_queries[0]);
}

static void hit_one(unsigned long count)
{
    for (unsigned long i = 0; i < count; i++)
        hit(&client_queries[0]);
}

static unsigned nth_name(unsigned long n)
{
    return (unsigned)(n * STRIDE % NAMES);
}

static void turn_many(unsigned long count)
{
    for (unsigned long i = 0; i < count; i++)
        turn_to(&client_queries[i % BATCH], nth_name(i));
}

static void hit_many(unsigned long count)
{
    for (unsigned long i = 0; i < count; i += BATCH) {
        for (unsigned j = 0; j < BATCH; j++) {
            turn_to(&client_queries[j], nth_name(i + j));
            cache_prefetch(cache, client_queries[j].question.hash);
        }
        for (unsigned j = 0; j < BATCH; j++)
            cache_prefetch_entry(cache, client_queries[j].question.hash);
        for (unsigned j = 0; j < BATCH; j++)
            hit(&client_queries[j]);
    }
}

static void hit_many_unfetched(unsigned long count)
{
    for (unsigned long i = 0; i < count; i++) {
        turn_to(&client_queries[0], nth_name(i));
        hit(&client_queries[0]);
    }
}

static void miss(unsigned long count)
{
    for (unsigned long i = 0; i < count; i++) {
        struct question question = question_of(&client_queries[0].query, i);
        if (cache_find(cache, &question, NOW) != NULL)
            give_up("a question that was never asked is cached");
    }
}

/* The cost of a flood of names: each is stored, and others are evicted. */
static void store_new(unsigned long count)
{
    for (unsigned long i = 0; i < count; i++) {
        struct question question = question_of(&client_queries[0].query, hash_mix(i, key.second));
        cache_store(cache, NULL, &question, response, 0, NOW);
    }
}

static const struct row {
    const char *name;
    void (*run)(unsigned long count);
} rows[] = {
    {"find", find_one},       {"hit", hit_one},
    {"turn-many", turn_many}, /* what the next two spend on changing names */
    {"hit-many", hit_many},   {"hit-many-unfetched", hit_many_unfetched},
    {"miss", miss},           {"store", store_new},
};

enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

static void measure(const struct row *row)
{
    size_t before = allocations_count();
    uint64_t start = clock_monotonic_ns();

    row->run(ROUNDS);
    uint64_t elapsed = clock_monotonic_ns() - start;
    if (missing > ROUNDS / 100)
        give_up("too many answers are missing from the cache");
    missing = 0;
    printf("{\"row\":\"%s\",\"ns\":%.1f,\"allocations\":%.3f}\n", row->name,
           (double)elapsed / ROUNDS, (double)(allocations_count() - before) / ROUNDS);
}

/* ---- two threads ---- */

enum { SHARED_NAMES = 10000, THREAD_FINDS = 4000000, THREAD_ROUNDS = 15, THREADS = 2 };

static struct client_query shared[SHARED_NAMES];

/* Each begins elsewhere. */
static void *find_shared(void *first)
{
    struct err err;
    struct grace_member *member = cache_join(cache, &err);
    size_t at = (size_t)(uintptr_t)first;

    if (member == NULL)
        give_up(err.text);
    for (int i = 0; i < THREAD_FINDS; i++) {
        if (i % BATCH == 0)
            cache_pass(cache, member);
        if (cache_find(cache, &shared[at].question, NOW) == NULL)
            give_up("a name is missing from the cache");
        at = at + 1 < SHARED_NAMES ? at + 1 : 0;
    }
    cache_leave(member);
    return NULL;
}

/* Finds in a nanosecond, by so many threads. */
static double find_rate(unsigned threads)
{
    pthread_t each[THREADS];
    uint64_t start = clock_monotonic_ns();

    for (size_t i = 0; i < threads; i++)
        if (pthread_create(&each[i], NULL, find_shared, (void *)(i * SHARED_NAMES / 3)) != 0)
            give_up("no thread");
    for (size_t i = 0; i < threads; i++)
        pthread_join(each[i], NULL);
    return (double)threads * THREAD_FINDS / (double)(clock_monotonic_ns() - start);
}

static int by_size(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

static void measure_threads(void)
{
    double ratios[THREAD_ROUNDS];

    for (unsigned i = 0; i < SHARED_NAMES; i++) {
        shared[i] = client_queries[0];
        turn_to(&shared[i], i);
        shared[i].question.name = &shared[i].query.name;
        if (cache_find(cache, &shared[i].question, NOW) == NULL)
            cache_store(cache, NULL, &shared[i].question, response, 0, NOW);
    }
    for (int i = 0; i < THREAD_ROUNDS; i++) {
        double alone = find_rate(1);
        ratios[i] = find_rate(THREADS) / alone;
    }
    qsort(ratios, THREAD_ROUNDS, sizeof *ratios, by_size);
    printf("{\"row\":\"threads\",\"ratio\":%.2f,\"least\":%.2f,\"most\":%.2f}\n",
           ratios[THREAD_ROUNDS / 2], ratios[0], ratios[THREAD_ROUNDS - 1]);
}

static const struct row *find_row(const char *name)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    fprintf(stderr, "cache_cost: there is no row %s\n", name);
    exit(EXIT_FAILURE);
}

int main(int count, char **arguments)
{
    bool is_threads = count == 2 && strcmp(arguments[1], "threads") == 0;

    if (count != 1 && count != 3 && !is_threads) {
        fprintf(stderr, "usage: cache_cost [ROW COUNT | threads]\n");
        return 2;
    }
    prepare();
    if (is_threads)
        measure_threads();
    else if (count == 3)
        find_row(arguments[1])->run(strtoul(arguments[2], NULL, 10));
    else
        for (size_t i = 0; i < ROW_COUNT; i++)
            measure(&rows[i]);
    cache_free(cache);
    return EXIT_SUCCESS;
}
