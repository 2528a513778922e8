#include "forward/fetch_table.h"

#include <stdio.h>
#include <string.h>

#include "support/fetch_rig.h"
#include "support/suite.h"

enum { RCODE_FORMERR = 1, RCODE_SERVFAIL = 2, RCODE_NXDOMAIN = 3, RCODE_NOTIMP = 4 };
enum { RCODE_REFUSED = 5 };

static struct fetch_rig stand;

static void set_up(void)
{
    fetch_rig_init(&stand, false);
}

/* Every test ends with nothing left open. */
static void tear_down(void)
{
    fetch_rig_close(&stand);
}

/* ---- Asking ---- */

FIXTURE(set_up, tear_down)

TEST(a_question_is_sent_by_a_turn_and_its_answer_comes_back)
{
    ck_assert(fetch_rig_try(&stand, "www.example.org", ROUTE_TWO));
    fetch_rig_assert_sent(&stand, 0);
    ck_assert(!fetch_table_turn(stand.table, stand.now_ms));
    fetch_rig_assert_sent(&stand, 1);
    ck_assert_uint_eq(fetch_rig_sent(&stand, 0)->server, 0);
    ck_assert(!fetch_rig_sent(&stand, 0)->over_stream);
    ck_assert(scripted_has_edns(fetch_rig_sent(&stand, 0)));
    ck_assert_uint_eq(stand.outcome.count, 0);
    fetch_rig_answer(&stand, 0);
    fetch_rig_assert_answered(&stand, 0);
    ck_assert_uint_eq(stand.clients[0].notified, 1);
    ck_assert_uint_eq(fetch_rig_counted(&stand, COUNTER_FORWARD_SENT), 1);
    ck_assert_uint_eq(fetch_rig_counted(&stand, COUNTER_FORWARD_FAILURES), 0);
}

TEST(equal_questions_are_joined_and_notified_in_order_of_arrival)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    ck_assert(fetch_rig_try(&stand, "www.example.org", ROUTE_TWO));
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    fetch_rig_assert_sent(&stand, 1);
    ck_assert_uint_eq(fetch_table_count(stand.table), 1);
    ck_assert_uint_eq(fetch_rig_counted(&stand, COUNTER_FORWARD_JOINED), 2);
    fetch_rig_answer(&stand, 0);
    fetch_rig_assert_answered(&stand, 0);
    ck_assert_uint_eq(stand.outcome.waiters, 3);
    ck_assert_ptr_eq(stand.clients[0].waiter.next, &stand.clients[1].waiter);
    ck_assert_ptr_eq(stand.clients[1].waiter.next, &stand.clients[2].waiter);
}

TEST(each_query_counts_in_the_share_of_another_client_that_waits)
{
    static const uint64_t clients[] = {1, 1, 2}, charged[] = {1, 2, 1};

    for (size_t i = 0; i < 3; i++) {
        stand.clients[i].waiter.client = clients[i];
        fetch_rig_ask(&stand, "www.example.org", ROUTE_TLS);
    }
    fetch_rig_pass(&stand, 3000);
    ck_assert_uint_ge(stand.scripted.count, 3);
    for (size_t i = 0; i < 3; i++)
        ck_assert_uint_eq(stand.scripted.queries[i].client, charged[i]);
}

TEST(a_refresh_counts_in_nobodys_share)
{
    ck_assert(fetch_rig_refresh(&stand, "www.example.org", ROUTE_TLS));
    fetch_table_turn(stand.table, stand.now_ms);
    ck_assert_uint_eq(stand.scripted.count, 1);
    ck_assert_uint_eq(stand.scripted.queries[0].client, 0);
}

TEST(questions_that_differ_in_name_type_or_bits_are_asked_apart)
{
    struct scripted_question asked;

    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    fetch_rig_ask(&stand, "www.example.com", ROUTE_TWO);
    scripted_ask(&asked, "www.example.org");
    for (unsigned i = 0; i < 3; i++) {
        struct question other = asked.question;
        other.type = i == 0 ? 28 : other.type;
        other.class = i == 1 ? 255 : other.class;
        other.bits = i == 2 ? QUESTION_DO : other.bits;
        /* The hash is left as it is: equal hashes are not equal questions. */
        ck_assert(fetch_table_ask(stand.table, &other, ROUTE_TWO, fetch_rig_next_client(&stand),
                                  FETCH_PATIENCE_MS));
    }
    fetch_table_turn(stand.table, stand.now_ms);
    fetch_rig_assert_sent(&stand, 5);
    for (size_t i = 0; i < 5; i++) {
        fetch_rig_answer(&stand, i);
        ck_assert_uint_eq(stand.outcome.count, i + 1);
        ck_assert_uint_eq(stand.outcome.waiters, 1);
        ck_assert_uint_eq(stand.clients[i].notified, 1);
    }
}

TEST(a_turn_sends_no_more_than_its_share_and_says_so)
{
    char name[32];

    for (int i = 0; i < FETCH_RIG_QUESTIONS; i++) {
        snprintf(name, sizeof name, "n%d.example.org", i);
        ck_assert(fetch_rig_try(&stand, name, ROUTE_TWO));
    }
    unsigned sent = FETCH_SENDS_PER_TURN;
    for (; sent < FETCH_RIG_QUESTIONS; sent += FETCH_SENDS_PER_TURN) {
        ck_assert(fetch_table_turn(stand.table, stand.now_ms));
        fetch_rig_assert_sent(&stand, sent);
    }
    ck_assert(!fetch_table_turn(stand.table, stand.now_ms));
    fetch_rig_assert_sent(&stand, FETCH_RIG_QUESTIONS);
    ck_assert(!fetch_table_turn(stand.table, stand.now_ms));
    fetch_table_end_all(stand.table);
}

TEST(a_full_pool_refuses_and_has_room_again_after)
{
    for (unsigned i = 0; i < FETCH_RIG_QUESTIONS; i++)
        fetch_rig_ask_numbered(&stand, i, ROUTE_TWO);
    ck_assert(!fetch_rig_try(&stand, "one.too.many", ROUTE_TWO));
    ck_assert(fetch_rig_try(&stand, "n0.example.org", ROUTE_TWO)); /* joins */
    fetch_rig_answer(&stand, 0);
    ck_assert_uint_eq(stand.outcome.waiters, 2);
    ck_assert(fetch_rig_try(&stand, "one.too.many", ROUTE_TWO));
    fetch_table_end_all(stand.table);
    ck_assert_uint_eq(stand.outcome.count, FETCH_RIG_QUESTIONS + 1);
}

TEST(a_refresh_leaves_half_of_the_pool_to_fetches_with_waiters)
{
    char name[32];

    for (int i = 0; i < FETCH_RIG_QUESTIONS / 2; i++) {
        snprintf(name, sizeof name, "n%d.example.org", i);
        ck_assert(fetch_rig_refresh(&stand, name, ROUTE_TWO));
    }
    ck_assert(!fetch_rig_refresh(&stand, "one.too.many", ROUTE_TWO));
    ck_assert(fetch_rig_refresh(&stand, "n0.example.org", ROUTE_TWO)); /* is fetched already */
    ck_assert(fetch_rig_try(&stand, "one.too.many", ROUTE_TWO));
    ck_assert_uint_eq(fetch_rig_counted(&stand, COUNTER_FORWARD_REFRESHES),
                      FETCH_RIG_QUESTIONS / 2);
    fetch_table_turn(stand.table, stand.now_ms);
    fetch_rig_answer(&stand, 0);
    ck_assert_uint_eq(stand.outcome.count, 1);
    ck_assert_uint_eq(stand.outcome.waiters, 0);
    fetch_table_end_all(stand.table);
}

TEST(a_client_joins_a_refresh)
{
    ck_assert(fetch_rig_refresh(&stand, "www.example.org", ROUTE_TWO));
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    fetch_rig_assert_sent(&stand, 1);
    fetch_rig_answer(&stand, 0);
    fetch_rig_assert_answered(&stand, 0);
    ck_assert_uint_eq(stand.clients[0].notified, 1);
}

TEST(a_listener_may_ask_the_same_question_at_once)
{
    stand.outcome.again = &stand.clients[FETCH_RIG_CLIENTS - 1].waiter;
    fetch_rig_ask(&stand, "www.example.org", ROUTE_ONE);
    fetch_rig_reply_code(&stand, 0, RCODE_SERVFAIL);
    ck_assert_uint_eq(stand.outcome.count, 1);
    ck_assert_uint_eq(fetch_table_count(stand.table), 1);
    fetch_rig_assert_sent(&stand, 1);
    fetch_table_turn(stand.table, stand.now_ms);
    fetch_rig_assert_sent(&stand, 2);
    ck_assert_uint_ne(scripted_id(fetch_rig_sent(&stand, 0)),
                      scripted_id(fetch_rig_sent(&stand, 1)));
    fetch_rig_answer(&stand, 1);
    ck_assert_uint_eq(stand.outcome.count, 2);
    ck_assert_uint_eq(stand.clients[FETCH_RIG_CLIENTS - 1].notified, 1);
    ck_assert_uint_eq(fetch_table_count(stand.table), 0);
}

TEST(a_question_that_no_turn_sends_fails_at_its_deadline)
{
    ck_assert(fetch_rig_try(&stand, "www.example.org", ROUTE_TWO));
    fetch_rig_pass(&stand, FETCH_PATIENCE_MS - 1);
    ck_assert_uint_eq(stand.outcome.count, 0);
    fetch_rig_pass(&stand, 1);
    ck_assert_uint_eq(stand.clients[0].notified, 1);
    ck_assert(!fetch_table_turn(stand.table, stand.now_ms));
    fetch_rig_assert_failed(&stand, FORWARD_FULL, RESOLVER_NONE);
    fetch_rig_assert_sent(&stand, 0);
}

TEST(without_descriptors_a_question_ends_at_once)
{
    stand.scripted.is_exhausted = true;
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    fetch_rig_assert_failed(&stand, FORWARD_FULL, 0);
}

TEST(an_attempt_that_runs_out_of_descriptors_is_not_the_servers_fault)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_ONE);
    fetch_rig_break_off(&stand, 0, LINK_EXHAUSTED);
    fetch_rig_assert_failed(&stand, FORWARD_FULL, 0);
    ck_assert_uint_eq(standing_silent(&stand.standing[0]), 0);
}

TEST(a_lingering_fetch_gives_its_sockets_up_to_a_new_question)
{
    stand.scripted.open_most = 2 * FETCH_ATTEMPTS;
    fetch_rig_ask(&stand, "first.example.org", ROUTE_ONE);
    fetch_rig_ask(&stand, "second.example.org", ROUTE_ONE);
    standing_on_reply(&stand.standing[0], true, stand.now_ms);
    fetch_rig_pass(&stand, FETCH_PATIENCE_MS);
    ck_assert_uint_eq(stand.outcome.count, 2);
    ck_assert_uint_eq(stand.scripted.open, 2 * FETCH_ATTEMPTS);
    fetch_rig_ask(&stand, "third.example.org", ROUTE_ONE);
    ck_assert_uint_eq(stand.outcome.count, 2);
    fetch_rig_assert_sent(&stand, 2 * FETCH_ATTEMPTS + 1);
    ck_assert(!fetch_rig_sent(&stand, 0)->is_open && fetch_rig_sent(&stand, 1)->is_open);
    fetch_rig_answer(&stand, 2 * FETCH_ATTEMPTS);
    ck_assert_int_eq(stand.outcome.failure, FORWARD_NO_FAILURE);
    fetch_table_end_all(stand.table);
}

TEST(a_repeated_query_gives_its_socket_up_to_a_new_question)
{
    stand.scripted.open_most = FETCH_ATTEMPTS;
    fetch_rig_ask(&stand, "first.example.org", ROUTE_ONE);
    fetch_rig_pass(&stand, 3000);
    ck_assert_uint_eq(stand.scripted.open, FETCH_ATTEMPTS);
    for (unsigned i = 1; i < FETCH_ATTEMPTS; i++)
        fetch_rig_ask_numbered(&stand, i, ROUTE_ONE);
    fetch_rig_assert_sent(&stand, 2 * FETCH_ATTEMPTS - 1);
    ck_assert(fetch_rig_sent(&stand, 0)->is_open); /* a slow answer comes to the first */
    ck_assert_uint_eq(stand.outcome.count, 0);
    fetch_rig_ask(&stand, "one.too.many", ROUTE_ONE);
    ck_assert_uint_eq(stand.outcome.count, 1);
    ck_assert_int_eq(stand.outcome.failure, FORWARD_FULL);
    fetch_table_end_all(stand.table);
}

TEST(a_question_that_got_room_does_not_fail_as_full)
{
    stand.scripted.open_most = FETCH_ATTEMPTS;
    fetch_rig_ask(&stand, "first.example.org", ROUTE_ONE);
    fetch_rig_pass(&stand, 3000);
    fetch_rig_ask(&stand, "second.example.org", ROUTE_ONE);
    standing_on_reply(&stand.standing[0], true, stand.now_ms);
    fetch_rig_pass(&stand, FETCH_PATIENCE_MS);
    ck_assert_uint_eq(stand.outcome.count, 2);
    ck_assert_int_eq(stand.outcome.failure, FORWARD_SILENT);
    fetch_table_end_all(stand.table);
}

TEST(end_all_ends_every_fetch_and_accepts_no_more)
{
    fetch_rig_ask(&stand, "a.example.org", ROUTE_TWO);
    fetch_rig_ask(&stand, "b.example.org", ROUTE_ONE);
    fetch_rig_make_failing(&stand, 1);
    fetch_rig_ask(&stand, "c.example.org", ROUTE_TWO);
    fetch_rig_pass(&stand, FETCH_TICK_MS); /* a probe */
    ck_assert(fetch_rig_try(&stand, "d.example.org", ROUTE_TWO));
    fetch_table_end_all(stand.table);
    ck_assert_uint_eq(stand.outcome.count, 4);
    ck_assert_int_eq(stand.outcome.failure, FORWARD_STOPPING);
    for (size_t i = 0; i < 4; i++)
        ck_assert_uint_eq(stand.clients[i].notified, 1);
    ck_assert_uint_eq(fetch_table_count(stand.table), 0);
    ck_assert_uint_eq(stand.scripted.open, 0);
    ck_assert(!fetch_rig_try(&stand, "e.example.org", ROUTE_TWO));
}

TEST(freeing_the_table_ends_every_attempt)
{
    fetch_rig_ask(&stand, "a.example.org", ROUTE_TWO);
    fetch_rig_ask(&stand, "b.example.org", ROUTE_ONE);
    ck_assert(fetch_rig_try(&stand, "c.example.org", ROUTE_ONE));
    fetch_rig_pass(&stand, FETCH_PATIENCE_MS / 2);
    ck_assert_uint_gt(stand.scripted.open, 2);
} /* tear_down checks stand.scripted.open */
END_TEST

TEST(a_pool_of_size_zero_is_refused)
{
    struct fetch_table_options options = {.link = &stand.scripted.link};
    struct err err;

    ck_assert_ptr_null(fetch_table_new(&options, &err));
    ck_assert_int_eq(err.code, ERR_MEMORY);
    fetch_table_free(NULL);
}

/* ---- Silence ---- */

TEST(when_a_server_is_late_the_next_one_is_asked_too)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    fetch_rig_pass(&stand, 299);
    fetch_rig_assert_sent(&stand, 1);
    fetch_rig_pass(&stand, 1);
    fetch_rig_assert_sent(&stand, 2);
    ck_assert_uint_eq(fetch_rig_sent(&stand, 1)->server, 1);
    ck_assert(fetch_rig_sent(&stand, 0)->is_open);
    fetch_rig_answer(&stand, 1);
    fetch_rig_assert_answered(&stand, 1);
    ck_assert_uint_eq(fetch_rig_counted(&stand, COUNTER_FORWARD_TIMEOUTS), 1);
}

TEST(a_slow_answer_from_the_first_server_is_accepted)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    fetch_rig_pass(&stand, 500);
    fetch_rig_assert_sent(&stand, 2);
    fetch_rig_answer(&stand, 0);
    fetch_rig_assert_answered(&stand, 0);
    ck_assert_uint_eq(fetch_rig_counted(&stand, COUNTER_FORWARD_TIMEOUTS), 0);
    ck_assert_uint_eq(stand.servers[0].srtt_us, 500000);
}

/* When a question is sent again, and to which of two servers. */
static const struct {
    unsigned after_ms;
    uint8_t server;
} retries[] = {{300, 1}, {1000, 0}, {2500, 0}};

TEST(a_question_is_sent_again_three_times_and_spread_over_the_servers)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    for (unsigned i = 0, now = 0; i < FETCH_RETRIES; i++) {
        fetch_rig_pass(&stand, retries[i].after_ms - now - 1);
        fetch_rig_assert_sent(&stand, i + 1);
        fetch_rig_pass(&stand, 1);
        fetch_rig_assert_sent(&stand, i + 2);
        now = retries[i].after_ms;
        ck_assert_uint_eq(fetch_rig_sent(&stand, i + 1)->server, retries[i].server);
        ck_assert_uint_ne(scripted_id(fetch_rig_sent(&stand, i + 1)),
                          scripted_id(fetch_rig_sent(&stand, i)));
    }
    fetch_rig_pass(&stand, FETCH_PATIENCE_MS - 2500);
    fetch_rig_assert_sent(&stand, 1 + FETCH_RETRIES);
    ck_assert_uint_eq(stand.clients[0].notified, 1);
    fetch_rig_pass_window(&stand);
}

TEST(the_only_server_is_asked_again_and_then_waited_for)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_ONE);
    fetch_rig_pass(&stand, FETCH_PATIENCE_MS - 1);
    fetch_rig_assert_sent(&stand, FETCH_ATTEMPTS);
    for (size_t i = 0; i < FETCH_ATTEMPTS; i++) {
        ck_assert_uint_eq(fetch_rig_sent(&stand, i)->server, 0);
        ck_assert(fetch_rig_sent(&stand, i)->is_open);
    }
    ck_assert_uint_eq(stand.outcome.count, 0);
    fetch_rig_pass(&stand, 1);
    fetch_rig_assert_lingers(&stand, FORWARD_SILENT, 0);
    ck_assert(!stand.outcome.has_response);
    ck_assert_uint_eq(fetch_rig_counted(&stand, COUNTER_FORWARD_TIMEOUTS), FETCH_ATTEMPTS);
    /* One question is one silence, however often it was sent. */
    ck_assert_uint_eq(standing_silent(&stand.standing[0]), 1);
    fetch_rig_pass_window(&stand);
    ck_assert_uint_eq(fetch_table_count(stand.table), 0);
    ck_assert_uint_eq(stand.clients[0].notified, 1);
    ck_assert_uint_eq(stand.outcome.waiters, 0);
}

TEST(a_late_answer_is_an_outcome_without_waiters)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_ONE);
    fetch_rig_pass(&stand, FETCH_PATIENCE_MS);
    fetch_rig_assert_lingers(&stand, FORWARD_SILENT, 0);
    fetch_rig_pass(&stand, FETCH_WINDOW_MS - FETCH_PATIENCE_MS - 1);
    fetch_rig_answer(&stand, 0);
    ck_assert_uint_eq(stand.outcome.count, 2);
    ck_assert_int_eq(stand.outcome.failure, FORWARD_NO_FAILURE);
    ck_assert(stand.outcome.has_response);
    ck_assert_uint_eq(stand.outcome.waiters, 0);
    ck_assert_uint_eq(stand.clients[0].notified, 1);
    ck_assert_uint_eq(fetch_table_count(stand.table), 0);
    ck_assert_uint_eq(fetch_rig_counted(&stand, COUNTER_FORWARD_KEPT_LATE), 1);
}

TEST(an_equal_question_joins_the_lingering_fetch)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_ONE);
    fetch_rig_pass(&stand, 5000);
    fetch_rig_assert_lingers(&stand, FORWARD_SILENT, 0);
    fetch_rig_ask(&stand, "www.example.org", ROUTE_ONE);
    fetch_rig_assert_sent(&stand, FETCH_ATTEMPTS);
    ck_assert_uint_eq(fetch_rig_counted(&stand, COUNTER_FORWARD_JOINED), 1);
    for (int i = 0; i < 40; i++)
        fetch_rig_pass(&stand, FETCH_TICK_MS);
    fetch_rig_assert_sent(&stand, FETCH_ATTEMPTS + 1); /* once more for him */
    ck_assert(fetch_rig_sent(&stand, 4)->is_open && !fetch_rig_sent(&stand, 3)->is_open);
    fetch_rig_answer(&stand, 0);
    ck_assert_uint_eq(stand.outcome.waiters, 1);
    ck_assert_int_eq(stand.outcome.failure, FORWARD_NO_FAILURE);
    ck_assert_uint_eq(stand.clients[1].notified, 1);
    ck_assert_uint_eq(fetch_table_count(stand.table), 0);
}

TEST(each_waiter_has_its_own_deadline)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_ONE);
    fetch_rig_pass(&stand, 4000);
    fetch_rig_ask(&stand, "www.example.org", ROUTE_ONE);
    fetch_rig_pass(&stand, 500);
    ck_assert_uint_eq(stand.clients[0].notified, 1);
    ck_assert_uint_eq(stand.clients[1].notified, 0);
    ck_assert_uint_eq(fetch_table_room(stand.table), FETCH_RIG_QUESTIONS - 1);
    fetch_rig_pass(&stand, 3999);
    ck_assert_uint_eq(stand.clients[1].notified, 0);
    fetch_rig_pass(&stand, 1);
    ck_assert_uint_eq(stand.clients[1].notified, 1);
    ck_assert_uint_eq(fetch_table_room(stand.table), FETCH_RIG_QUESTIONS);
    ck_assert_uint_eq(fetch_rig_counted(&stand, COUNTER_FORWARD_FAILURES), 1);
    fetch_rig_pass_window(&stand);
}

TEST(with_a_stale_answer_a_waiter_has_the_shorter_deadline)
{
    struct scripted_question asked;

    fetch_table_set_time(stand.table, stand.now_ms);
    ck_assert(fetch_table_ask(stand.table, scripted_ask(&asked, "www.example.org"), ROUTE_ONE,
                              fetch_rig_next_client(&stand), FETCH_STALE_MS));
    fetch_table_turn(stand.table, stand.now_ms);
    fetch_rig_pass(&stand, FETCH_STALE_MS - 1);
    ck_assert_uint_eq(stand.clients[0].notified, 0);
    fetch_rig_pass(&stand, 1);
    fetch_rig_assert_lingers(&stand, FORWARD_SILENT, 0);
    fetch_rig_pass(&stand, 2500 - FETCH_STALE_MS);
    fetch_rig_assert_sent(&stand, FETCH_ATTEMPTS); /* the fetch goes on */
    fetch_rig_answer(&stand, 3);
    ck_assert_uint_eq(fetch_table_count(stand.table), 0);
}

TEST(for_late_waiters_the_question_is_asked_anew_at_the_windows_end)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_ONE);
    fetch_rig_pass(&stand, FETCH_WINDOW_MS - 100);
    fetch_rig_ask(&stand, "www.example.org", ROUTE_ONE);
    fetch_rig_assert_sent(&stand, FETCH_ATTEMPTS);
    fetch_rig_pass(&stand, 100);
    ck_assert_uint_eq(stand.clients[1].notified, 0);
    ck_assert_uint_eq(stand.scripted.open, 0);
    fetch_table_turn(stand.table, stand.now_ms);
    ck_assert_uint_eq(stand.scripted.open, 1);
    fetch_rig_answer(&stand, stand.scripted.count - 1);
    ck_assert_uint_eq(stand.clients[1].notified, 1);
    ck_assert_int_eq(stand.outcome.failure, FORWARD_NO_FAILURE);
    ck_assert_uint_eq(fetch_table_count(stand.table), 0);
}

TEST(the_oldest_lingering_fetch_gives_its_slot_up_first)
{
    for (unsigned i = 0; i < FETCH_RIG_QUESTIONS; i++) {
        fetch_rig_ask_numbered(&stand, i, ROUTE_ONE);
        fetch_rig_pass(&stand, 1);
    }
    ck_assert(!fetch_rig_try(&stand, "one.too.many", ROUTE_ONE));
    standing_on_reply(&stand.standing[0], true, stand.now_ms);
    fetch_rig_pass(&stand, FETCH_PATIENCE_MS);
    ck_assert_uint_eq(fetch_table_room(stand.table), FETCH_RIG_QUESTIONS);
    fetch_rig_ask_numbered(&stand, 1, ROUTE_ONE); /* joined: it lingers no more */
    ck_assert(fetch_rig_sent(&stand, 0)->is_open);
    fetch_rig_ask(&stand, "one.more", ROUTE_ONE);
    ck_assert(!fetch_rig_sent(&stand, 0)->is_open);
    fetch_rig_ask(&stand, "two.more", ROUTE_ONE);
    ck_assert(fetch_rig_sent(&stand, 1)->is_open);
    ck_assert(!fetch_rig_sent(&stand, 2)->is_open);
    ck_assert(fetch_rig_sent(&stand, 3)->is_open);
    ck_assert_uint_eq(fetch_table_room(stand.table), FETCH_RIG_QUESTIONS - 3);
    fetch_rig_answer(&stand, 1);
    ck_assert_uint_eq(stand.outcome.waiters, 1);
    fetch_table_end_all(stand.table);
}

TEST(one_slow_name_does_not_put_a_server_in_doubt)
{
    for (int i = 0; i < 3 * STANDING_SILENT_MOST; i++) {
        fetch_rig_ask(&stand, "slow.example.org", ROUTE_ONE);
        fetch_rig_pass(&stand, 100);
        fetch_rig_ask(&stand, "quick.example.org", ROUTE_ONE);
        fetch_rig_answer(&stand, stand.scripted.count - 1);
        fetch_rig_pass_window(&stand);
    }
    ck_assert_uint_eq(standing_silent(&stand.standing[0]), 0);
}

/* Names that a server does not answer, and a probe that it answers. */
TEST(however_many_names_get_no_reply_a_server_that_answers_probes_is_asked_for_others)
{
    unsigned good = 0;

    for (unsigned i = 0; i < 200; i++) {
        size_t before = stand.scripted.count;
        fetch_rig_ask_numbered(&stand, i, ROUTE_ONE);
        for (size_t n = before; n < stand.scripted.count; n++)
            ck_assert(!scripted_is_probe(fetch_rig_sent(&stand, n)));
        fetch_rig_pass(&stand, 80);
        for (size_t n = before; n < stand.scripted.count; n++)
            if (scripted_is_probe(fetch_rig_sent(&stand, n)))
                fetch_rig_answer(&stand, n);
        ck_assert(!resolver_is_failing(&stand.servers[0]));
        if (i % 8 != 0)
            continue;
        size_t number = stand.scripted.count;
        fetch_rig_ask(&stand, "good.example.org", ROUTE_ONE);
        fetch_rig_answer(&stand, number);
        ck_assert_uint_eq(stand.outcome.waiters, 1);
        good += stand.outcome.failure == FORWARD_NO_FAILURE;
    }
    ck_assert_uint_eq(good, 25);
    fetch_table_end_all(stand.table);
}

static void answer_for_the_second(size_t first)
{
    for (size_t n = first; n < stand.scripted.count; n++)
        if (fetch_rig_sent(&stand, n)->server == 1 && fetch_rig_sent(&stand, n)->is_open)
            fetch_rig_answer(&stand, n);
}

TEST(a_silent_server_is_avoided_for_the_one_that_answers)
{
    unsigned slow = 0;

    for (unsigned i = 0; i < 50; i++) {
        size_t first = stand.scripted.count;
        fetch_rig_ask_numbered(&stand, i, ROUTE_TWO);
        answer_for_the_second(first);
        if (stand.outcome.count == i) {
            slow++;
            fetch_rig_pass(&stand, RESOLVER_WAIT_MOST_MS);
            answer_for_the_second(first);
        }
        ck_assert_uint_eq(stand.outcome.count, i + 1);
        ck_assert_int_eq(stand.outcome.failure, FORWARD_NO_FAILURE);
    }
    ck_assert_uint_le(slow, 2 * STANDING_SILENT_MOST);
    fetch_table_end_all(stand.table);
}

/* ---- Unreachable ---- */

TEST(an_unreachable_server_makes_the_next_be_asked_at_once)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    fetch_rig_break_off(&stand, 0, LINK_UNREACHABLE);
    fetch_rig_assert_sent(&stand, 2);
    ck_assert_uint_eq(fetch_rig_sent(&stand, 1)->server, 1);
    fetch_rig_answer(&stand, 1);
    fetch_rig_assert_answered(&stand, 1);
}

TEST(when_all_are_unreachable_a_question_ends_at_once)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    fetch_rig_break_off(&stand, 0, LINK_TLS);
    fetch_rig_break_off(&stand, 1, LINK_UNREACHABLE);
    fetch_rig_assert_failed(&stand, FORWARD_UNREACHABLE, 1);
}

TEST(a_certificate_that_is_not_the_servers_is_a_failure_of_its_own)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TLS);
    fetch_rig_break_off(&stand, 0, LINK_TLS);
    fetch_rig_assert_failed(&stand, FORWARD_TLS, 2);
}

TEST(a_server_that_is_unreachable_five_times_is_in_doubt_and_then_failing)
{
    unsigned sent = 0;

    for (; sent < STANDING_SILENT_MOST; sent++) {
        ck_assert_int_eq(standing_state(&stand.standing[0]), STANDING_WELL);
        fetch_rig_ask_numbered(&stand, sent, ROUTE_ONE);
        fetch_rig_break_off(&stand, sent, LINK_UNREACHABLE);
    }
    for (int i = 0; i < STANDING_PROBES_MOST; i++, sent++) {
        ck_assert_int_eq(standing_state(&stand.standing[0]), STANDING_IN_DOUBT);
        fetch_rig_pass(&stand, STANDING_PROBE_MS);
        fetch_rig_assert_sent(&stand, sent + 1);
        ck_assert(scripted_is_probe(fetch_rig_sent(&stand, sent)));
        fetch_rig_break_off(&stand, sent, LINK_UNREACHABLE);
    }
    ck_assert(resolver_is_failing(&stand.servers[0]));
}

TEST(a_late_server_is_still_waited_for_when_the_other_is_unreachable)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    fetch_rig_pass(&stand, 300);
    fetch_rig_break_off(&stand, 1, LINK_UNREACHABLE);
    ck_assert_uint_eq(stand.outcome.count, 0);
    fetch_rig_pass(&stand, 700);
    fetch_rig_answer(&stand, 0);
    fetch_rig_assert_answered(&stand, 0);
}

/* ---- Error codes ---- */

TEST(a_servfail_is_outweighed_by_the_next_servers_answer)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    fetch_rig_reply_code(&stand, 0, RCODE_SERVFAIL);
    fetch_rig_assert_sent(&stand, 2);
    ck_assert_uint_eq(fetch_rig_sent(&stand, 1)->server, 1);
    fetch_rig_answer(&stand, 1);
    fetch_rig_assert_answered(&stand, 1);
}

TEST(a_servfail_from_all_comes_with_the_first_ones_ede)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    fetch_rig_reply(&stand, 0,
                    &(struct scripted_reply){.rcode = RCODE_SERVFAIL, .ede = "signature expired"});
    fetch_rig_reply(&stand, 1, &(struct scripted_reply){.rcode = RCODE_SERVFAIL, .ede = "no idea"});
    fetch_rig_assert_failed(&stand, FORWARD_SERVFAIL, 0);
    ck_assert(stand.outcome.has_response);
    ck_assert_uint_eq(stand.outcome.rcode, RCODE_SERVFAIL);
    ck_assert_str_eq(stand.outcome.ede, "signature expired");
}

TEST(a_servfail_counts_in_the_end_when_the_others_are_silent)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    fetch_rig_reply(&stand, 0,
                    &(struct scripted_reply){.rcode = RCODE_SERVFAIL, .ede = "signature expired"});
    fetch_rig_pass(&stand, FETCH_PATIENCE_MS);
    fetch_rig_assert_lingers(&stand, FORWARD_SERVFAIL, 0);
    ck_assert_str_eq(stand.outcome.ede, "signature expired");
    fetch_rig_pass_window(&stand);
}

TEST(an_ede_too_long_to_keep_is_left_out)
{
    char text[300];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    fetch_rig_ask(&stand, "www.example.org", ROUTE_ONE);
    fetch_rig_reply(&stand, 0, &(struct scripted_reply){.rcode = RCODE_SERVFAIL, .ede = text});
    fetch_rig_assert_failed(&stand, FORWARD_SERVFAIL, 0);
    ck_assert(stand.outcome.has_response);
    ck_assert_str_eq(stand.outcome.ede, "");
}

static const struct {
    uint16_t rcode;
    enum forward_failure failure;
} refusals[] = {{RCODE_REFUSED, FORWARD_REFUSED}, {9, FORWARD_ERROR}, {23, FORWARD_ERROR}};

TEST_OVER(other_error_codes_are_a_failure_without_response, refusals)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    fetch_rig_reply_code(&stand, 0, refusals[_i].rcode);
    fetch_rig_assert_sent(&stand, 2);
    fetch_rig_reply_code(&stand, 1, refusals[_i].rcode);
    fetch_rig_assert_failed(&stand, refusals[_i].failure, 1);
    ck_assert(!stand.outcome.has_response);
}

TEST(a_servfail_is_kept_although_the_other_refuses)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    fetch_rig_reply_code(&stand, 0, RCODE_REFUSED);
    fetch_rig_reply(&stand, 1,
                    &(struct scripted_reply){.rcode = RCODE_SERVFAIL, .ede = "signature expired"});
    fetch_rig_assert_failed(&stand, FORWARD_SERVFAIL, 1);
    ck_assert_str_eq(stand.outcome.ede, "signature expired");
}

TEST(a_server_that_refused_is_not_asked_again)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    fetch_rig_reply_code(&stand, 0, RCODE_REFUSED);
    fetch_rig_pass(&stand, FETCH_PATIENCE_MS - 1);
    fetch_rig_assert_sent(&stand, 1 + FETCH_ATTEMPTS);
    for (size_t i = 1; i <= FETCH_ATTEMPTS; i++)
        ck_assert_uint_eq(fetch_rig_sent(&stand, i)->server, 1);
    fetch_rig_answer(&stand, 2);
    fetch_rig_assert_answered(&stand, 1);
}

TEST(nxdomain_is_an_answer)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    fetch_rig_reply(
        &stand, 0,
        &(struct scripted_reply){.rcode = RCODE_NXDOMAIN, .has_soa = true, .ttl_seconds = 60});
    ck_assert_uint_eq(stand.outcome.count, 1);
    ck_assert_int_eq(stand.outcome.failure, FORWARD_NO_FAILURE);
    ck_assert_uint_eq(stand.outcome.rcode, RCODE_NXDOMAIN);
}

TEST(a_response_code_outweighs_an_unreachable_server)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    fetch_rig_reply_code(&stand, 0, RCODE_REFUSED);
    fetch_rig_break_off(&stand, 1, LINK_UNREACHABLE);
    fetch_rig_assert_failed(&stand, FORWARD_REFUSED, 0);
}

static void refuse(void)
{
    fetch_rig_reply_code(&stand, 0, RCODE_REFUSED);
}

static void send_garbage(void)
{
    fetch_rig_reply(&stand, 0,
                    &(struct scripted_reply){.address = FETCH_RIG_ADDRESS, .is_cut_short = true});
}

static void be_unreachable(void)
{
    fetch_rig_break_off(&stand, 0, LINK_UNREACHABLE);
}

static void be_late(void)
{
    fetch_rig_pass(&stand, 300);
}

/* What a server does, and its round trip otherwise. */
static const struct {
    void (*happen)(void);
    uint32_t rank_us;
} disappointments[] = {{refuse, 0}, {send_garbage, 0}, {be_unreachable, 100000}, {be_late, 100000}};

TEST_OVER(a_server_that_disappoints_is_not_the_first_choice, disappointments)
{
    fetch_rig_ask(&stand, "a.example.org", ROUTE_TWO);
    disappointments[_i].happen();
    fetch_rig_assert_sent(&stand, 2);
    fetch_rig_answer(&stand, 1);
    stand.servers[1].rank_us = disappointments[_i].rank_us;
    fetch_rig_ask(&stand, "b.example.org", ROUTE_TWO);
    ck_assert_uint_eq(fetch_rig_sent(&stand, 2)->server, 1);
    fetch_rig_answer(&stand, 2);
}

/* ---- Probes ---- */

TEST(a_failing_server_is_probed_and_the_good_one_asked)
{
    fetch_rig_make_failing(&stand, 0);
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    fetch_rig_assert_sent(&stand, 1);
    ck_assert_uint_eq(fetch_rig_sent(&stand, 0)->server, 1);
    fetch_rig_answer(&stand, 0);
    fetch_rig_pass(&stand, FETCH_TICK_MS);
    fetch_rig_assert_sent(&stand, 2);
    ck_assert(scripted_is_probe(fetch_rig_sent(&stand, 1)));
    ck_assert_uint_eq(fetch_rig_sent(&stand, 1)->server, 0);
    fetch_rig_pass(&stand, 300);
    fetch_rig_answer(&stand, 1);
    ck_assert_uint_eq(stand.outcome.count, 1);
    ck_assert(!resolver_is_failing(&stand.servers[0]));
    ck_assert_uint_eq(stand.standings.recoveries, 1);
    ck_assert_uint_eq(fetch_table_count(stand.table), 0);
}

TEST(probes_go_on_twice_a_second_without_questions)
{
    fetch_rig_make_failing(&stand, 0);
    fetch_rig_pass(&stand, 10 * STANDING_PROBE_MS);
    ck_assert_uint_ge(stand.scripted.count, 10);
    ck_assert_uint_le(stand.scripted.count, 11);
    for (size_t i = 0; i < stand.scripted.count; i++) {
        ck_assert(scripted_is_probe(fetch_rig_sent(&stand, i)));
        ck_assert_uint_eq(fetch_rig_sent(&stand, i)->server, 0);
    }
    ck_assert(fetch_table_is_busy(stand.table));
    fetch_rig_answer(&stand, stand.scripted.count - 1);
    fetch_rig_pass(&stand, STANDING_PROBE_MS);
    ck_assert(!fetch_table_is_busy(stand.table));
    ck_assert_uint_eq(fetch_rig_counted(&stand, COUNTER_FORWARD_FAILURES), 0);
    ck_assert_uint_eq(stand.outcome.count, 0);
}

/* What a server may do with a probe. */
static const struct scripted_reply probe_replies[] = {
    {.rcode = RCODE_SERVFAIL},
    {.rcode = RCODE_FORMERR},
    {.rcode = RCODE_REFUSED},
    {.is_truncated = true},
    {.address = FETCH_RIG_ADDRESS, .is_cut_short = true},
};

TEST_OVER(any_reply_to_a_probe_ends_it, probe_replies)
{
    fetch_rig_make_failing(&stand, 0);
    fetch_rig_pass(&stand, FETCH_TICK_MS);
    fetch_rig_reply(&stand, 0, &probe_replies[_i]);
    ck_assert(!resolver_is_failing(&stand.servers[0]));
    fetch_rig_assert_sent(&stand, 1);
    ck_assert_uint_eq(fetch_table_count(stand.table), 0);
}

TEST(a_probe_that_is_unreachable_ends)
{
    fetch_rig_make_failing(&stand, 0);
    fetch_rig_pass(&stand, FETCH_TICK_MS);
    fetch_rig_break_off(&stand, 0, LINK_UNREACHABLE);
    ck_assert(resolver_is_failing(&stand.servers[0]));
    ck_assert_uint_eq(fetch_table_count(stand.table), 0);
}

TEST(a_probe_that_is_forged_goes_over_a_stream)
{
    fetch_rig_make_failing(&stand, 0);
    fetch_rig_pass(&stand, FETCH_TICK_MS);
    for (int i = 0; i < FETCH_MISMATCHED_MOST; i++)
        fetch_rig_reply(&stand, 0, &(struct scripted_reply){.has_wrong_id = true});
    fetch_rig_assert_sent(&stand, 2);
    ck_assert(fetch_rig_sent(&stand, 1)->over_stream);
    for (int i = 0; i < FETCH_MISMATCHED_MOST; i++)
        fetch_rig_reply(&stand, 1, &(struct scripted_reply){.has_wrong_id = true});
    ck_assert_uint_eq(fetch_table_count(stand.table), 0);
    ck_assert(resolver_is_failing(&stand.servers[0]));
}

TEST(when_all_are_failing_a_question_fails_at_once_and_is_no_probe)
{
    fetch_rig_make_failing(&stand, 0);
    fetch_rig_ask(&stand, "a.example.org", ROUTE_ONE);
    fetch_rig_assert_failed(&stand, FORWARD_FAILING, 0);
    fetch_rig_assert_sent(&stand, 0);
}

TEST(waiters_are_notified_as_soon_as_the_last_server_is_failing)
{
    uint64_t begun_ms = stand.now_ms;

    for (unsigned i = 0; i < STANDING_SILENT_MOST; i++)
        fetch_rig_ask_numbered(&stand, i, ROUTE_ONE);
    while (stand.outcome.count == 0)
        fetch_rig_pass(&stand, FETCH_TICK_MS);
    ck_assert(resolver_is_failing(&stand.servers[0]));
    ck_assert_int_eq(stand.outcome.failure, FORWARD_FAILING);
    ck_assert_uint_eq(stand.outcome.count, STANDING_SILENT_MOST);
    ck_assert_uint_lt(stand.now_ms - begun_ms, 3000);
    ck_assert_uint_gt(stand.now_ms - begun_ms, 2000);
    fetch_rig_answer(&stand, 0); /* responses are still accepted */
    ck_assert_int_eq(stand.outcome.failure, FORWARD_NO_FAILURE);
    ck_assert(!resolver_is_failing(&stand.servers[0]));
    fetch_table_end_all(stand.table);
}

TEST(a_server_that_another_worker_found_failing_is_failing_here)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_ONE);
    fetch_rig_make_failing(&stand, 0);
    stand.standings.falls++;
    fetch_rig_pass(&stand, FETCH_TICK_MS);
    ck_assert_uint_eq(stand.clients[0].notified, 1);
    ck_assert_int_eq(stand.outcome.failure, FORWARD_FAILING);
    fetch_rig_pass_window(&stand);
    fetch_table_end_all(stand.table);
}

TEST(a_server_that_returns_is_known_within_half_a_second_and_a_tick)
{
    fetch_rig_make_failing(&stand, 0);
    fetch_rig_pass(&stand, 10000);
    uint64_t returned_ms = stand.now_ms;
    for (size_t seen = stand.scripted.count; resolver_is_failing(&stand.servers[0]);) {
        fetch_rig_pass(&stand, 1);
        for (; seen < stand.scripted.count; seen++)
            fetch_rig_answer(&stand, seen);
        ck_assert_uint_le(stand.now_ms - returned_ms, STANDING_PROBE_MS + FETCH_TICK_MS);
    }
    fetch_rig_pass_window(&stand);
}

TEST(a_full_pool_leaves_probes_their_slots)
{
    for (unsigned i = 0; i < FETCH_RIG_QUESTIONS; i++)
        fetch_rig_ask_numbered(&stand, i, ROUTE_ONE);
    fetch_rig_make_failing(&stand, 1);
    fetch_rig_pass(&stand, FETCH_TICK_MS);
    ck_assert(scripted_is_probe(fetch_rig_sent(&stand, stand.scripted.count - 1)));
    fetch_table_end_all(stand.table);
}
