// fuzz: stateful 100
// label: threads
/**
 * One cache under several threads: the input is a list of steps of two octets, dealt to the threads
 * by turns. A step is a run of things that a thread does, mostly of the kind that its first octet
 * says, with names that follow from its second.
 *
 *     octet 0   finds mostly · stores mostly · fails mostly · rests · large ones · flushes, removes
 *     octet 1   which names, and whether few of them or many
 *
 * Each name is stored by one of the threads alone, in versions that count up; a response says of
 * which name and version it is, in every octet.
 *
 * Oracle: what is found is whole, and still is when the thread passes, whatever the others have
 * stored since; it is no older than the last version whose storing had ended before the search
 * began, and than the last flush; and no newer than the last whose storing has begun.
 */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "forward/cache.h"
#include "support/packets.h"
#include "wire/types.h"

enum {
    THREADS = 3,
    NAMES = 3 * 256,
    STEPS_MOST = 240,
    RUN = 96,
    HELD_MOST = 16,
    NOW = 1000,
    TTL = 60,
};

enum kind { FIND, STORE, FAIL, REST, STORE_LARGE, REMOVE, KINDS };

/* What the threads know of a name. */
struct known {
    _Atomic uint32_t begun; /* versions whose storing has begun; the first is 1 */
    _Atomic uint32_t ended; /* the last whose storing has ended */
    _Atomic uint32_t least; /* older ones were removed */
};

struct found {
    const struct cache_entry *entry;
    unsigned number;
};

struct thread {
    pthread_t thread;
    unsigned number;
    const uint8_t *steps;
    size_t count;
    struct dice dice;
    struct grace_member *member;
    struct found found[HELD_MOST]; /* since it has passed */
    size_t found_count;
    alignas(struct response) uint8_t room[RESPONSE_OCTETS_MOST];
};

static const struct hash_key key = {.first = 0x0123456789abcdef, .second = 0xfedcba9876543211};
static struct cache *cache;
static struct known known[NAMES];
static struct name names[NAMES];

static struct question question_about(unsigned number)
{
    const struct name *name = &names[number];

    return (struct question){
        .hash = hash_mix(hash_padded(&key, name->octets, name->length), key.second),
        .name = name,
        .type = TYPE_A,
        .class = CLASS_IN,
    };
}

/* ---- Responses ---- */

static uint8_t octet_of(unsigned number, uint32_t version, size_t at)
{
    return (uint8_t)(hash_mix(number + 1, version) + at * 7);
}

static struct response *make(struct thread *thread, unsigned number, uint32_t version, size_t body)
{
    struct response *response = (struct response *)(void *)thread->room;

    *response = (struct response){.octets = (uint32_t)(sizeof *response + body),
                                  .ttl_seconds = TTL,
                                  .body_octets = (uint16_t)body};
    memcpy(response->data, &version, sizeof version);
    for (size_t i = sizeof version; i < body; i++)
        response->data[i] = octet_of(number, version, i);
    return response;
}

static uint32_t version_of(const struct cache_entry *entry)
{
    uint32_t version;

    memcpy(&version, cache_response(entry)->data, sizeof version);
    return version;
}

static void check_whole(const struct cache_entry *entry, unsigned number)
{
    const struct response *response = cache_response(entry);

    assert(name_equals(&names[number], cache_entry_name(entry), entry->name_length));
    assert(!entry->has_response || entry->fresh_until_s == NOW + TTL);
    uint32_t version = entry->has_response ? version_of(entry) : 0;
    for (size_t i = sizeof version; entry->has_response && i < response->body_octets; i++)
        assert(response->data[i] == octet_of(number, version, i));
}

/* ---- What a thread does ---- */

static void pass(struct thread *thread)
{
    for (size_t i = 0; i < thread->found_count; i++)
        check_whole(thread->found[i].entry, thread->found[i].number);
    thread->found_count = 0;
    cache_pass(cache, thread->member);
}

static void find(struct thread *thread, unsigned number)
{
    struct question question = question_about(number);
    uint32_t ended = atomic_load(&known[number].ended), least = atomic_load(&known[number].least);

    cache_prefetch_entry(cache, question.hash);
    const struct cache_entry *entry = cache_find(cache, &question, NOW);
    if (entry == NULL)
        return;
    check_whole(entry, number);
    if (entry->has_response) {
        uint32_t version = version_of(entry);
        assert(version >= ended && version >= least);
        assert(version <= atomic_load(&known[number].begun));
    }
    if (thread->found_count == HELD_MOST)
        pass(thread);
    else
        thread->found[thread->found_count++] = (struct found){entry, number};
}

/* Only names of its own, so that versions come one after another. */
static unsigned own(const struct thread *thread, unsigned number)
{
    return number / THREADS * THREADS + thread->number;
}

static void store(struct thread *thread, unsigned number, size_t body)
{
    struct question question = question_about(number);
    uint32_t version = atomic_fetch_add(&known[number].begun, 1) + 1;

    pass(thread);
    cache_store(cache, thread->member, &question, make(thread, number, version, body), 0, NOW);
    atomic_store(&known[number].ended, version);
}

static void fail(struct thread *thread, unsigned number)
{
    struct question question = question_about(number);

    pass(thread);
    cache_fail(cache, thread->member, &question, &(struct cache_failing){.failure = 1}, NOW);
}

static void rest(struct thread *thread)
{
    pass(thread);
    grace_rest(thread->member);
    cache_pass(cache, thread->member);
}

static bool is_wanted(void *context, const struct cache_entry *entry)
{
    const unsigned *remainder = context;

    return entry->hash % 4 == *remainder;
}

/* Versions that had been stored when a flush began are gone when it has ended. */
static void remove_some(struct thread *thread, bool all)
{
    static _Thread_local uint32_t ended[NAMES];
    unsigned remainder = dice_roll(&thread->dice, 4);
    uint32_t line = 0;

    pass(thread);
    for (unsigned i = 0; i < NAMES; i++)
        ended[i] = atomic_load(&known[i].ended);
    if (all)
        cache_flush(cache);
    else
        while (!cache_walk(cache, &line, 64, is_wanted, &remainder))
            continue;
    for (unsigned i = 0; i < NAMES; i++) {
        uint32_t least = atomic_load(&known[i].least);
        if (!all && question_about(i).hash % 4 != remainder)
            continue;
        while (least < ended[i] + 1 &&
               !atomic_compare_exchange_weak(&known[i].least, &least, ended[i] + 1))
            continue;
    }
}

static void do_one(struct thread *thread, enum kind kind, unsigned number)
{
    static const size_t large = 9000;

    if (kind == STORE || kind == STORE_LARGE) {
        size_t body = sizeof(uint32_t) + dice_roll(&thread->dice, 300);
        store(thread, own(thread, number), kind == STORE ? body : body + large);
    } else if (kind == FAIL) {
        fail(thread, own(thread, number));
    } else if (kind == REST) {
        rest(thread);
    } else {
        find(thread, number);
    }
}

static void do_step(struct thread *thread, const uint8_t *step)
{
    enum kind mostly = (enum kind)(step[0] % KINDS);
    unsigned span = step[1] % 2 == 0 ? 8 : NAMES, first = step[1] * 3U;

    if (mostly == REMOVE)
        remove_some(thread, step[1] % 3 == 0);
    for (int i = 0; i < RUN; i++) {
        bool is_other = dice_roll(&thread->dice, 4) == 0;
        enum kind kind = is_other ? (enum kind)dice_roll(&thread->dice, REST + 1) : mostly;
        do_one(thread, kind, (first + dice_roll(&thread->dice, span)) % NAMES);
    }
    pass(thread);
}

static void *run_thread(void *argument)
{
    struct thread *thread = argument;

    cache_pass(cache, thread->member);
    for (size_t i = thread->number; i < thread->count; i += THREADS)
        do_step(thread, thread->steps + 2 * i);
    pass(thread);
    cache_leave(thread->member);
    return NULL;
}

/* ---- A run ---- */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    char text[32];

    (void)argc;
    (void)argv;
    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(text, sizeof text, "n%u.example.com", i);
        assert(name_from_text(text, &names[i]));
    }
    return 0;
}

static void begin(struct thread *thread, unsigned number, const uint8_t *steps, size_t count)
{
    struct err err;

    thread->number = number;
    thread->steps = steps;
    thread->count = count;
    thread->dice.state = number + 1;
    thread->found_count = 0;
    thread->member = cache_join(cache, &err);
    assert(thread->member != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct thread threads[THREADS];
    size_t count = size / 2 < STEPS_MOST ? size / 2 : STEPS_MOST;
    struct err err;

    cache = cache_new(CACHE_OCTETS_LEAST, &err);
    assert(cache != NULL);
    memset(known, 0, sizeof known);
    for (unsigned i = 0; i < THREADS; i++)
        begin(&threads[i], i, data, count);
    for (unsigned i = 0; i < THREADS; i++)
        assert(pthread_create(&threads[i].thread, NULL, run_thread, &threads[i]) == 0);
    for (unsigned i = 0; i < THREADS; i++)
        assert(pthread_join(threads[i].thread, NULL) == 0);
    cache_free(cache);
    return 0;
}
