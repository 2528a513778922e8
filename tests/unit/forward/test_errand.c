#include "forward/errand.h"

#include <string.h>

#include "base/bytes.h"
#include "support/suite.h"

static const uint8_t query[] = {0xab, 0xcd, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

static struct errand *add(struct errands *errands, link_ticket ticket)
{
    static struct random_source random;

    return errands_add(errands, &random, ticket, query, sizeof query, 1000);
}

/* The tickets of the frames that were written, by their ids. */
static size_t send_all(struct errands *errands, link_ticket *tickets, size_t most)
{
    uint8_t room[1000];
    size_t length = errands_send(errands, room, sizeof room);
    size_t count = 0;

    for (size_t at = 0; at < length; at += 2U + sizeof query) {
        ck_assert_uint_lt(count, most);
        tickets[count++] = errands_find(errands, load16(room + at + 2))->ticket;
    }
    return count;
}

START_TEST(a_query_is_written_as_a_frame_with_an_id_of_its_own)
{
    struct errands errands;
    uint8_t room[100];

    errands_init(&errands);
    const struct errand *errand = add(&errands, 7);
    ck_assert(errands_have_unsent(&errands));
    ck_assert_uint_eq(errands_send(&errands, room, sizeof room), 14);
    ck_assert(!errands_have_unsent(&errands));
    ck_assert_mem_eq(room, "\0\14", 2);
    ck_assert_uint_eq(load16(room + 2), errand->id);
    ck_assert_mem_eq(room + 4, query + 2, sizeof query - 2);
    ck_assert_mem_eq(errand->query, query, sizeof query);
    errands_close(&errands);
}
END_TEST

START_TEST(only_what_was_sent_is_waited_for)
{
    struct errands errands;
    uint8_t room[100];

    errands_init(&errands);
    struct errand *errand = add(&errands, 7);
    uint16_t id = errand->id;
    ck_assert_ptr_null(errands_find(&errands, id));
    errands_send(&errands, room, sizeof room);
    ck_assert_ptr_eq(errands_find(&errands, id), errand);
    ck_assert_ptr_null(errands_find(&errands, (uint16_t)(id + 1)));
    ck_assert_ptr_null(errands_find(&errands, (uint16_t)(id + ERRAND_BUCKETS)));
    errands_remove(&errands, errand);
    ck_assert_ptr_null(errands_find(&errands, id));
    errands_close(&errands);
}
END_TEST

START_TEST(no_two_ids_are_the_same_and_a_full_table_refuses)
{
    static bool seen[65536];
    struct errands errands;
    struct errand *all[ERRANDS_MOST];
    bool is_rising = true;

    errands_init(&errands);
    for (uint32_t i = 0; i < ERRANDS_MOST; i++) {
        all[i] = add(&errands, i);
        ck_assert(!seen[all[i]->id]);
        seen[all[i]->id] = true;
        is_rising = is_rising && (i == 0 || all[i]->id > all[i - 1]->id);
    }
    ck_assert(!is_rising); /* 1/4096! by chance */
    ck_assert_ptr_null(add(&errands, 0));
    for (size_t i = 0; i < ERRANDS_MOST; i += 2)
        errands_remove(&errands, all[i]);
    ck_assert_uint_eq(errands.count, ERRANDS_MOST / 2);
    ck_assert_ptr_nonnull(add(&errands, 0));
    errands_close(&errands);
    ck_assert_uint_eq(errands.count, 0);
}
END_TEST

START_TEST(what_does_not_fit_is_sent_next_in_order)
{
    struct errands errands;
    uint8_t room[3 * 14];
    link_ticket tickets[8];

    errands_init(&errands);
    for (link_ticket i = 0; i < 8; i++)
        add(&errands, i);
    ck_assert_uint_eq(errands_send(&errands, room, 13), 0);
    ck_assert_uint_eq(errands_send(&errands, room, sizeof room), sizeof room);
    for (link_ticket i = 0; i < 3; i++)
        ck_assert_uint_eq(errands_find(&errands, load16(room + 14 * i + 2))->ticket, i);
    ck_assert_uint_eq(errands_send(&errands, room, sizeof room - 1), 28);
    ck_assert_uint_eq(send_all(&errands, tickets, 8), 3);
    ck_assert_uint_eq(tickets[0], 5);
    ck_assert_uint_eq(tickets[2], 7);
    errands_close(&errands);
}
END_TEST

START_TEST(what_was_under_way_is_asked_again_once)
{
    struct errands errands;
    link_ticket tickets[8];
    uint8_t room[28];

    errands_init(&errands);
    for (link_ticket i = 0; i < 3; i++)
        add(&errands, i);
    errands_send(&errands, room, sizeof room);
    errands_take_back(&errands, 0, LINK_UNREACHABLE);
    ck_assert_ptr_null(errands_first_failed(&errands));
    ck_assert_ptr_null(errands_find(&errands, load16(room + 2)));
    add(&errands, 3);
    ck_assert_uint_eq(send_all(&errands, tickets, 8), 4);
    for (link_ticket i = 0; i < 4; i++)
        ck_assert_uint_eq(tickets[i], i);
    errands_take_back(&errands, 0, LINK_TLS);
    for (link_ticket i = 0; i < 3; i++) {
        struct errand *failed = errands_first_failed(&errands);
        ck_assert_uint_eq(failed->ticket, i);
        ck_assert_int_eq(failed->failure, LINK_TLS);
        errands_remove(&errands, failed);
    }
    ck_assert_ptr_null(errands_first_failed(&errands));
    ck_assert_uint_eq(send_all(&errands, tickets, 8), 1);
    ck_assert_uint_eq(tickets[0], 3);
    errands_close(&errands);
}
END_TEST

START_TEST(nothing_is_asked_again_when_it_is_of_no_use)
{
    struct errands errands;
    uint8_t room[14];

    errands_init(&errands);
    add(&errands, 1);
    add(&errands, 2);
    errands_send(&errands, room, sizeof room);
    errands_take_back(&errands, UINT64_MAX, LINK_EXHAUSTED);
    ck_assert(!errands_have_unsent(&errands));
    ck_assert_uint_eq(errands_first_failed(&errands)->ticket, 1);
    ck_assert_int_eq(errands_first_failed(&errands)->failure, LINK_EXHAUSTED);
    errands_close(&errands);
    ck_assert_ptr_null(errands_first_failed(&errands));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("errand");
    TCase *errands = tcase_create("errands");

    tcase_add_test(errands, a_query_is_written_as_a_frame_with_an_id_of_its_own);
    tcase_add_test(errands, only_what_was_sent_is_waited_for);
    tcase_add_test(errands, no_two_ids_are_the_same_and_a_full_table_refuses);
    tcase_add_test(errands, what_does_not_fit_is_sent_next_in_order);
    tcase_add_test(errands, what_was_under_way_is_asked_again_once);
    tcase_add_test(errands, nothing_is_asked_again_when_it_is_of_no_use);
    suite_add_tcase(suite, errands);
    return suite_run(suite);
}
