#include "upstream/stream_query.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

enum { ID_OCTETS = 2, LENGTH_OCTETS = 2 };

/* ---- lists ---- */

static void append(struct stream_query *stream_query, struct stream_query_list *list)
{
    stream_query->list = list;
    TAILQ_INSERT_TAIL(list, stream_query, entry);
}

static void move(struct stream_query *stream_query, struct stream_query_list *list)
{
    TAILQ_REMOVE(stream_query->list, stream_query, entry);
    append(stream_query, list);
}

/* ---- ids ---- */

static struct stream_query *find(const struct stream_queries *stream_queries, uint16_t id)
{
    struct stream_query *stream_query = stream_queries->buckets[id % STREAM_QUERY_BUCKETS];

    while (stream_query != NULL && stream_query->id != id)
        stream_query = stream_query->next_in_bucket;
    return stream_query;
}

/* Draws an id that is free. Terminates: at most a 16th of all ids are in use. */
static uint16_t draw_id(const struct stream_queries *stream_queries, struct random_source *random)
{
    uint16_t id = random_16(random);

    while (find(stream_queries, id) != NULL)
        id++;
    return id;
}

static void enter(struct stream_queries *stream_queries, struct stream_query *stream_query)
{
    struct stream_query **bucket =
        &stream_queries->buckets[stream_query->id % STREAM_QUERY_BUCKETS];

    stream_query->next_in_bucket = *bucket;
    *bucket = stream_query;
    stream_queries->count++;
}

static void leave(struct stream_queries *stream_queries, struct stream_query *stream_query)
{
    struct stream_query **at = &stream_queries->buckets[stream_query->id % STREAM_QUERY_BUCKETS];

    while (*at != stream_query)
        at = &(*at)->next_in_bucket;
    *at = stream_query->next_in_bucket;
    assert(stream_queries->count > 0);
    stream_queries->count--;
}

/* ---- the interface ---- */

void stream_queries_init(struct stream_queries *stream_queries)
{
    *stream_queries = (struct stream_queries){.count = 0};
    TAILQ_INIT(&stream_queries->unsent);
    TAILQ_INIT(&stream_queries->sent);
    TAILQ_INIT(&stream_queries->failed);
}

static void free_members(struct stream_query_list *list)
{
    struct stream_query *stream_query;

    while ((stream_query = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, stream_query, entry);
        free(stream_query);
    }
}

void stream_queries_close(struct stream_queries *stream_queries)
{
    free_members(&stream_queries->unsent);
    free_members(&stream_queries->sent);
    free_members(&stream_queries->failed);
    stream_queries_init(stream_queries);
}

struct stream_query *stream_queries_add(struct stream_queries *stream_queries,
                                        struct random_source *random, link_ticket ticket,
                                        const uint8_t *query, size_t length, uint64_t now_ms)
{
    if (stream_queries->count == STREAM_QUERIES_MOST)
        return NULL;
    struct stream_query *stream_query = malloc(sizeof *stream_query + length);
    if (stream_query == NULL)
        return NULL;
    *stream_query = (struct stream_query){.ticket = ticket,
                                          .added_ms = now_ms,
                                          .id = draw_id(stream_queries, random),
                                          .length = (uint16_t)length};
    memcpy(stream_query->query, query, length);
    enter(stream_queries, stream_query);
    append(stream_query, &stream_queries->unsent);
    return stream_query;
}

void stream_queries_remove(struct stream_queries *stream_queries, struct stream_query *stream_query)
{
    TAILQ_REMOVE(stream_query->list, stream_query, entry);
    leave(stream_queries, stream_query);
    free(stream_query);
}

static void write_frame(const struct stream_query *stream_query, uint8_t *room)
{
    store16(room, stream_query->length);
    store16(room + LENGTH_OCTETS, stream_query->id);
    memcpy(room + LENGTH_OCTETS + ID_OCTETS, stream_query->query + ID_OCTETS,
           stream_query->length - (size_t)ID_OCTETS);
}

size_t stream_queries_send(struct stream_queries *stream_queries, uint8_t *room, size_t most)
{
    struct stream_query *stream_query;
    size_t length = 0;

    while ((stream_query = TAILQ_FIRST(&stream_queries->unsent)) != NULL) {
        size_t octets = LENGTH_OCTETS + (size_t)stream_query->length;
        assert(length <= most);
        if (octets > most - length)
            break;
        write_frame(stream_query, room + length);
        length += octets;
        move(stream_query, &stream_queries->sent);
    }
    return length;
}

struct stream_query *stream_queries_find(const struct stream_queries *stream_queries, uint16_t id)
{
    struct stream_query *stream_query = find(stream_queries, id);

    return stream_query != NULL && stream_query->list == &stream_queries->sent ? stream_query
                                                                               : NULL;
}

void stream_queries_take_back(struct stream_queries *stream_queries, uint64_t again_from_ms,
                              enum link_failure failure)
{
    struct stream_query *stream_query;
    struct stream_query_list all;

    /* Sent queries have waited longer: they come first. */
    TAILQ_INIT(&all);
    while ((stream_query = TAILQ_FIRST(&stream_queries->sent)) != NULL)
        move(stream_query, &all);
    while ((stream_query = TAILQ_FIRST(&stream_queries->unsent)) != NULL)
        move(stream_query, &all);
    while ((stream_query = TAILQ_FIRST(&all)) != NULL) {
        bool again = stream_query->added_ms >= again_from_ms && !stream_query->is_again;
        move(stream_query, again ? &stream_queries->unsent : &stream_queries->failed);
        stream_query->is_again = true;
        stream_query->failure = (uint8_t)failure;
    }
}

struct stream_query *stream_queries_first_failed(const struct stream_queries *stream_queries)
{
    return TAILQ_FIRST(&stream_queries->failed);
}
