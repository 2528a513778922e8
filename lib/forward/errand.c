#include "forward/errand.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

enum { ID_OCTETS = 2, LENGTH_OCTETS = 2 };

/* ---- chains ---- */

static void chain_init(struct chain *chain)
{
    chain->next = chain;
    chain->previous = chain;
}

static void chain_take_out(struct chain *member)
{
    member->next->previous = member->previous;
    member->previous->next = member->next;
}

static void chain_append(struct chain *chain, struct chain *member)
{
    member->next = chain;
    member->previous = chain->previous;
    chain->previous->next = member;
    chain->previous = member;
}

static struct errand *chain_first(const struct chain *chain)
{
    return chain->next == chain ? NULL : (struct errand *)(void *)chain->next;
}

static void move(struct errand *errand, struct chain *chain)
{
    chain_take_out(&errand->chain);
    chain_append(chain, &errand->chain);
}

/* ---- ids ---- */

static struct errand *find(const struct errands *errands, uint16_t id)
{
    struct errand *errand = errands->buckets[id % ERRAND_BUCKETS];

    while (errand != NULL && errand->id != id)
        errand = errand->next_in_bucket;
    return errand;
}

/* An id that is free; the draw ends, for a 16th of all ids are in use at most. */
static uint16_t draw_id(const struct errands *errands, struct random_source *random)
{
    uint16_t id = random_16(random);

    while (find(errands, id) != NULL)
        id++;
    return id;
}

static void enter(struct errands *errands, struct errand *errand)
{
    struct errand **bucket = &errands->buckets[errand->id % ERRAND_BUCKETS];

    errand->next_in_bucket = *bucket;
    *bucket = errand;
    errands->count++;
}

static void leave(struct errands *errands, struct errand *errand)
{
    struct errand **at = &errands->buckets[errand->id % ERRAND_BUCKETS];

    while (*at != errand)
        at = &(*at)->next_in_bucket;
    *at = errand->next_in_bucket;
    assert(errands->count > 0);
    errands->count--;
}

/* ---- the interface ---- */

void errands_init(struct errands *errands)
{
    *errands = (struct errands){.count = 0};
    chain_init(&errands->unsent);
    chain_init(&errands->sent);
    chain_init(&errands->failed);
}

static void free_members(struct chain *chain)
{
    struct chain *member = chain->next;

    while (member != chain) {
        struct chain *next = member->next;
        free(member);
        member = next;
    }
}

void errands_close(struct errands *errands)
{
    free_members(&errands->unsent);
    free_members(&errands->sent);
    free_members(&errands->failed);
    errands_init(errands);
}

struct errand *errands_add(struct errands *errands, struct random_source *random,
                           link_ticket ticket, const uint8_t *query, size_t length, uint64_t now_ms)
{
    if (errands->count == ERRANDS_MOST)
        return NULL;
    struct errand *errand = malloc(sizeof *errand + length);
    if (errand == NULL)
        return NULL;
    *errand = (struct errand){.ticket = ticket,
                              .added_ms = now_ms,
                              .id = draw_id(errands, random),
                              .length = (uint16_t)length};
    memcpy(errand->query, query, length);
    enter(errands, errand);
    chain_append(&errands->unsent, &errand->chain);
    return errand;
}

void errands_remove(struct errands *errands, struct errand *errand)
{
    chain_take_out(&errand->chain);
    leave(errands, errand);
    free(errand);
}

static void write_frame(const struct errand *errand, uint8_t *room)
{
    store16(room, errand->length);
    store16(room + LENGTH_OCTETS, errand->id);
    memcpy(room + LENGTH_OCTETS + ID_OCTETS, errand->query + ID_OCTETS,
           errand->length - (size_t)ID_OCTETS);
}

size_t errands_send(struct errands *errands, uint8_t *room, size_t most)
{
    struct errand *errand;
    size_t length = 0;

    while ((errand = chain_first(&errands->unsent)) != NULL) {
        size_t octets = LENGTH_OCTETS + (size_t)errand->length;
        assert(length <= most);
        if (octets > most - length)
            break;
        write_frame(errand, room + length);
        length += octets;
        errand->is_sent = true;
        move(errand, &errands->sent);
    }
    return length;
}

struct errand *errands_find(const struct errands *errands, uint16_t id)
{
    struct errand *errand = find(errands, id);

    return errand != NULL && errand->is_sent ? errand : NULL;
}

void errands_take_back(struct errands *errands, uint64_t again_from_ms, enum link_failure failure)
{
    struct errand *errand;
    struct chain all;

    /* What was sent has waited longer: it goes in front. */
    chain_init(&all);
    while ((errand = chain_first(&errands->sent)) != NULL)
        move(errand, &all);
    while ((errand = chain_first(&errands->unsent)) != NULL)
        move(errand, &all);
    while ((errand = chain_first(&all)) != NULL) {
        bool again = errand->added_ms >= again_from_ms && !errand->is_again;
        move(errand, again ? &errands->unsent : &errands->failed);
        errand->is_sent = false;
        errand->is_again = true;
        errand->failure = (uint8_t)failure;
    }
}

struct errand *errands_first_failed(const struct errands *errands)
{
    return chain_first(&errands->failed);
}
