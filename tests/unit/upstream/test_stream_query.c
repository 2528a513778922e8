#include "upstream/stream_query.h"

#include <string.h>

#include "base/bytes.h"
#include "support/suite.h"

static const uint8_t query[] = {0xab, 0xcd, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

static struct stream_query *add(struct stream_queries *stream_queries, link_ticket ticket)
{
    static struct random_source random;

    return stream_queries_add(stream_queries, &random, ticket, query, sizeof query, 1000);
}

/* The tickets of the frames that were written, by their ids. */
static size_t send_all(struct stream_queries *stream_queries, link_ticket *tickets, size_t most)
{
    uint8_t room[1000];
    size_t length = stream_queries_send(stream_queries, room, sizeof room);
    size_t count = 0;

    for (size_t at = 0; at < length; at += 2U + sizeof query) {
        ck_assert_uint_lt(count, most);
        tickets[count++] = stream_queries_find(stream_queries, load16(room + at + 2))->ticket;
    }
    return count;
}

TEST(a_query_is_written_as_a_frame_with_an_id_of_its_own)
{
    struct stream_queries stream_queries;
    uint8_t room[100];

    stream_queries_init(&stream_queries);
    const struct stream_query *stream_query = add(&stream_queries, 7);
    ck_assert(stream_queries_have_unsent(&stream_queries));
    ck_assert_uint_eq(stream_queries_send(&stream_queries, room, sizeof room), 14);
    ck_assert(!stream_queries_have_unsent(&stream_queries));
    ck_assert_mem_eq(room, "\0\14", 2);
    ck_assert_uint_eq(load16(room + 2), stream_query->id);
    ck_assert_mem_eq(room + 4, query + 2, sizeof query - 2);
    ck_assert_mem_eq(stream_query->query, query, sizeof query);
    stream_queries_close(&stream_queries);
}

TEST(only_sent_queries_are_found)
{
    struct stream_queries stream_queries;
    uint8_t room[100];

    stream_queries_init(&stream_queries);
    struct stream_query *stream_query = add(&stream_queries, 7);
    uint16_t id = stream_query->id;
    ck_assert_ptr_null(stream_queries_find(&stream_queries, id));
    stream_queries_send(&stream_queries, room, sizeof room);
    ck_assert_ptr_eq(stream_queries_find(&stream_queries, id), stream_query);
    ck_assert_ptr_null(stream_queries_find(&stream_queries, (uint16_t)(id + 1)));
    ck_assert_ptr_null(stream_queries_find(&stream_queries, (uint16_t)(id + STREAM_QUERY_BUCKETS)));
    stream_queries_remove(&stream_queries, stream_query);
    ck_assert_ptr_null(stream_queries_find(&stream_queries, id));
    stream_queries_close(&stream_queries);
}

TEST(no_two_ids_are_the_same_and_a_full_table_refuses)
{
    static bool seen[65536];
    struct stream_queries stream_queries;
    struct stream_query *all[STREAM_QUERIES_MOST];
    bool is_rising = true;

    stream_queries_init(&stream_queries);
    for (uint32_t i = 0; i < STREAM_QUERIES_MOST; i++) {
        all[i] = add(&stream_queries, i);
        ck_assert(!seen[all[i]->id]);
        seen[all[i]->id] = true;
        is_rising = is_rising && (i == 0 || all[i]->id > all[i - 1]->id);
    }
    ck_assert(!is_rising); /* 1/4096! by chance */
    ck_assert_ptr_null(add(&stream_queries, 0));
    for (size_t i = 0; i < STREAM_QUERIES_MOST; i += 2)
        stream_queries_remove(&stream_queries, all[i]);
    ck_assert_uint_eq(stream_queries.count, STREAM_QUERIES_MOST / 2);
    ck_assert_ptr_nonnull(add(&stream_queries, 0));
    stream_queries_close(&stream_queries);
    ck_assert_uint_eq(stream_queries.count, 0);
}

TEST(queries_that_do_not_fit_are_sent_next_in_order)
{
    struct stream_queries stream_queries;
    uint8_t room[3 * 14];
    link_ticket tickets[8];

    stream_queries_init(&stream_queries);
    for (link_ticket i = 0; i < 8; i++)
        add(&stream_queries, i);
    ck_assert_uint_eq(stream_queries_send(&stream_queries, room, 13), 0);
    ck_assert_uint_eq(stream_queries_send(&stream_queries, room, sizeof room), sizeof room);
    for (link_ticket i = 0; i < 3; i++)
        ck_assert_uint_eq(stream_queries_find(&stream_queries, load16(room + 14 * i + 2))->ticket,
                          i);
    ck_assert_uint_eq(stream_queries_send(&stream_queries, room, sizeof room - 1), 28);
    ck_assert_uint_eq(send_all(&stream_queries, tickets, 8), 3);
    ck_assert_uint_eq(tickets[0], 5);
    ck_assert_uint_eq(tickets[2], 7);
    stream_queries_close(&stream_queries);
}

TEST(open_queries_are_sent_again_once)
{
    struct stream_queries stream_queries;
    link_ticket tickets[8];
    uint8_t room[28];

    stream_queries_init(&stream_queries);
    for (link_ticket i = 0; i < 3; i++)
        add(&stream_queries, i);
    stream_queries_send(&stream_queries, room, sizeof room);
    stream_queries_take_back(&stream_queries, 0, LINK_UNREACHABLE);
    ck_assert_ptr_null(stream_queries_first_failed(&stream_queries));
    ck_assert_ptr_null(stream_queries_find(&stream_queries, load16(room + 2)));
    add(&stream_queries, 3);
    ck_assert_uint_eq(send_all(&stream_queries, tickets, 8), 4);
    for (link_ticket i = 0; i < 4; i++)
        ck_assert_uint_eq(tickets[i], i);
    stream_queries_take_back(&stream_queries, 0, LINK_TLS);
    for (link_ticket i = 0; i < 3; i++) {
        struct stream_query *failed = stream_queries_first_failed(&stream_queries);
        ck_assert_uint_eq(failed->ticket, i);
        ck_assert_int_eq(failed->failure, LINK_TLS);
        stream_queries_remove(&stream_queries, failed);
    }
    ck_assert_ptr_null(stream_queries_first_failed(&stream_queries));
    ck_assert_uint_eq(send_all(&stream_queries, tickets, 8), 1);
    ck_assert_uint_eq(tickets[0], 3);
    stream_queries_close(&stream_queries);
}

TEST(nothing_is_sent_again_when_it_is_of_no_use)
{
    struct stream_queries stream_queries;
    uint8_t room[14];

    stream_queries_init(&stream_queries);
    add(&stream_queries, 1);
    add(&stream_queries, 2);
    stream_queries_send(&stream_queries, room, sizeof room);
    stream_queries_take_back(&stream_queries, UINT64_MAX, LINK_EXHAUSTED);
    ck_assert(!stream_queries_have_unsent(&stream_queries));
    ck_assert_uint_eq(stream_queries_first_failed(&stream_queries)->ticket, 1);
    ck_assert_int_eq(stream_queries_first_failed(&stream_queries)->failure, LINK_EXHAUSTED);
    stream_queries_close(&stream_queries);
    ck_assert_ptr_null(stream_queries_first_failed(&stream_queries));
}
