#include "forward/pending.h"

#include <stdio.h>
#include <string.h>

#include "support/asking.h"
#include "support/suite.h"

enum { RCODE_FORMERR = 1, RCODE_SERVFAIL = 2, RCODE_NXDOMAIN = 3, RCODE_NOTIMP = 4 };
enum { RCODE_REFUSED = 5 };

static struct asking stand;

static void set_up(void)
{
    asking_init(&stand, false);
}

/* Every test ends with nothing left open. */
static void tear_down(void)
{
    asking_close(&stand);
}

/* ---- Asking ---- */

START_TEST(a_question_is_sent_by_a_turn_and_its_answer_comes_back)
{
    ck_assert(asking_try(&stand, "www.example.org", ROUTE_TWO));
    asking_assert_sent(&stand, 0);
    ck_assert(!pending_turn(stand.pending, stand.now_ms));
    asking_assert_sent(&stand, 1);
    ck_assert_uint_eq(asking_sent(&stand, 0)->server, 0);
    ck_assert(!asking_sent(&stand, 0)->over_stream);
    ck_assert(scripted_has_edns(asking_sent(&stand, 0)));
    ck_assert_uint_eq(stand.settled.count, 0);
    asking_answer(&stand, 0);
    asking_assert_answered(&stand, 0);
    ck_assert_uint_eq(stand.clients[0].told, 1);
    ck_assert_uint_eq(asking_counted(&stand, COUNTER_FORWARD_SENT), 1);
    ck_assert_uint_eq(asking_counted(&stand, COUNTER_FORWARD_FAILURES), 0);
}
END_TEST

START_TEST(equal_questions_are_joined_and_told_in_the_order_they_came)
{
    asking_ask(&stand, "www.example.org", ROUTE_TWO);
    ck_assert(asking_try(&stand, "www.example.org", ROUTE_TWO));
    asking_ask(&stand, "www.example.org", ROUTE_TWO);
    asking_assert_sent(&stand, 1);
    ck_assert_uint_eq(pending_count(stand.pending), 1);
    ck_assert_uint_eq(asking_counted(&stand, COUNTER_FORWARD_JOINED), 2);
    asking_answer(&stand, 0);
    asking_assert_answered(&stand, 0);
    ck_assert_uint_eq(stand.settled.waiters, 3);
    ck_assert_ptr_eq(stand.clients[0].waiter.next, &stand.clients[1].waiter);
    ck_assert_ptr_eq(stand.clients[1].waiter.next, &stand.clients[2].waiter);
}
END_TEST

START_TEST(questions_that_differ_in_name_type_or_bits_are_asked_apart)
{
    struct scripted_question asked;

    asking_ask(&stand, "www.example.org", ROUTE_TWO);
    asking_ask(&stand, "www.example.com", ROUTE_TWO);
    scripted_ask(&asked, "www.example.org");
    for (unsigned i = 0; i < 3; i++) {
        struct question other = asked.question;
        other.type = i == 0 ? 28 : other.type;
        other.class = i == 1 ? 255 : other.class;
        other.bits = i == 2 ? QUESTION_DO : other.bits;
        /* The hash is left as it is: equal hashes are not equal questions. */
        ck_assert(pending_ask(stand.pending, &other, ROUTE_TWO, asking_next_client(&stand),
                              stand.now_ms));
    }
    pending_turn(stand.pending, stand.now_ms);
    asking_assert_sent(&stand, 5);
    for (size_t i = 0; i < 5; i++) {
        asking_answer(&stand, i);
        ck_assert_uint_eq(stand.settled.count, i + 1);
        ck_assert_uint_eq(stand.settled.waiters, 1);
        ck_assert_uint_eq(stand.clients[i].told, 1);
    }
}
END_TEST

START_TEST(a_turn_sends_no_more_than_its_share_and_says_so)
{
    char name[32];

    for (int i = 0; i < ASKING_QUESTIONS; i++) {
        snprintf(name, sizeof name, "n%d.example.org", i);
        ck_assert(asking_try(&stand, name, ROUTE_TWO));
    }
    ck_assert(pending_turn(stand.pending, stand.now_ms));
    asking_assert_sent(&stand, PENDING_SENDS_PER_TURN);
    ck_assert(!pending_turn(stand.pending, stand.now_ms));
    asking_assert_sent(&stand, ASKING_QUESTIONS);
    ck_assert(!pending_turn(stand.pending, stand.now_ms));
    pending_end_all(stand.pending);
}
END_TEST

START_TEST(a_full_pool_refuses_and_has_room_again_after)
{
    for (unsigned i = 0; i < ASKING_QUESTIONS; i++)
        asking_ask_numbered(&stand, i, ROUTE_TWO);
    ck_assert(!asking_try(&stand, "one.too.many", ROUTE_TWO));
    ck_assert(asking_try(&stand, "n0.example.org", ROUTE_TWO)); /* joins */
    asking_answer(&stand, 0);
    ck_assert_uint_eq(stand.settled.waiters, 2);
    ck_assert(asking_try(&stand, "one.too.many", ROUTE_TWO));
    pending_end_all(stand.pending);
    ck_assert_uint_eq(stand.settled.count, ASKING_QUESTIONS + 1);
}
END_TEST

START_TEST(a_refresh_leaves_half_of_the_pool_to_those_who_wait)
{
    char name[32];

    for (int i = 0; i < ASKING_QUESTIONS / 2; i++) {
        snprintf(name, sizeof name, "n%d.example.org", i);
        ck_assert(asking_refresh(&stand, name, ROUTE_TWO));
    }
    ck_assert(!asking_refresh(&stand, "one.too.many", ROUTE_TWO));
    ck_assert(asking_refresh(&stand, "n0.example.org", ROUTE_TWO)); /* is on its way already */
    ck_assert(asking_try(&stand, "one.too.many", ROUTE_TWO));
    ck_assert_uint_eq(asking_counted(&stand, COUNTER_FORWARD_REFRESHES), ASKING_QUESTIONS / 2);
    pending_turn(stand.pending, stand.now_ms);
    asking_answer(&stand, 0);
    ck_assert_uint_eq(stand.settled.count, 1);
    ck_assert_uint_eq(stand.settled.waiters, 0);
    pending_end_all(stand.pending);
}
END_TEST

START_TEST(a_client_joins_a_refresh)
{
    ck_assert(asking_refresh(&stand, "www.example.org", ROUTE_TWO));
    asking_ask(&stand, "www.example.org", ROUTE_TWO);
    asking_assert_sent(&stand, 1);
    asking_answer(&stand, 0);
    asking_assert_answered(&stand, 0);
    ck_assert_uint_eq(stand.clients[0].told, 1);
}
END_TEST

START_TEST(who_is_told_may_ask_the_same_question_at_once)
{
    stand.settled.again = &stand.clients[ASKING_CLIENTS - 1].waiter;
    asking_ask(&stand, "www.example.org", ROUTE_ONE);
    asking_reply_code(&stand, 0, RCODE_SERVFAIL);
    ck_assert_uint_eq(stand.settled.count, 1);
    ck_assert_uint_eq(pending_count(stand.pending), 1);
    asking_assert_sent(&stand, 1);
    pending_turn(stand.pending, stand.now_ms);
    asking_assert_sent(&stand, 2);
    ck_assert_uint_ne(scripted_id(asking_sent(&stand, 0)), scripted_id(asking_sent(&stand, 1)));
    asking_answer(&stand, 1);
    ck_assert_uint_eq(stand.settled.count, 2);
    ck_assert_uint_eq(stand.clients[ASKING_CLIENTS - 1].told, 1);
    ck_assert_uint_eq(pending_count(stand.pending), 0);
}
END_TEST

START_TEST(a_question_that_no_turn_sends_ends_at_its_deadline)
{
    ck_assert(asking_try(&stand, "www.example.org", ROUTE_TWO));
    asking_pass(&stand, PENDING_DEADLINE_MS - 1);
    ck_assert_uint_eq(stand.settled.count, 0);
    asking_pass(&stand, 1);
    asking_assert_failed(&stand, FORWARD_FULL, RESOLVER_NONE);
    asking_assert_sent(&stand, 0);
    ck_assert(!pending_turn(stand.pending, stand.now_ms));
    asking_assert_sent(&stand, 0);
}
END_TEST

START_TEST(without_descriptors_a_question_ends_at_once)
{
    stand.scripted.is_exhausted = true;
    asking_ask(&stand, "www.example.org", ROUTE_TWO);
    asking_assert_failed(&stand, FORWARD_FULL, 0);
}
END_TEST

START_TEST(an_attempt_that_runs_out_of_descriptors_is_not_the_servers_fault)
{
    asking_ask(&stand, "www.example.org", ROUTE_ONE);
    asking_break_off(&stand, 0, LINK_EXHAUSTED);
    asking_assert_failed(&stand, FORWARD_FULL, 0);
    ck_assert_uint_eq(stand.servers[0].silent, 0);
}
END_TEST

START_TEST(the_end_settles_everything_and_takes_no_more)
{
    asking_ask(&stand, "a.example.org", ROUTE_TWO);
    asking_ask(&stand, "b.example.org", ROUTE_ONE);
    asking_make_failing(&stand, 1);
    asking_ask(&stand, "c.example.org", ROUTE_TWO); /* with a probe */
    ck_assert(asking_try(&stand, "d.example.org", ROUTE_TWO));
    pending_end_all(stand.pending);
    ck_assert_uint_eq(stand.settled.count, 4);
    ck_assert_int_eq(stand.settled.failure, FORWARD_FULL);
    for (size_t i = 0; i < 4; i++)
        ck_assert_uint_eq(stand.clients[i].told, 1);
    ck_assert_uint_eq(pending_count(stand.pending), 0);
    ck_assert_uint_eq(stand.scripted.open, 0);
    ck_assert(!asking_try(&stand, "e.example.org", ROUTE_TWO));
}
END_TEST

START_TEST(a_pool_that_is_freed_forgets_every_attempt)
{
    asking_ask(&stand, "a.example.org", ROUTE_TWO);
    asking_ask(&stand, "b.example.org", ROUTE_ONE);
    ck_assert(asking_try(&stand, "c.example.org", ROUTE_ONE));
    asking_pass(&stand, PENDING_DEADLINE_MS / 2);
    ck_assert_uint_gt(stand.scripted.open, 2);
} /* tear_down looks at stand.scripted.open */
END_TEST

START_TEST(a_pool_of_nothing_is_refused)
{
    struct pending_options options = {.link = &stand.scripted.link};
    struct err err;

    ck_assert_ptr_null(pending_new(&options, &err));
    ck_assert_int_eq(err.code, ERR_MEMORY);
    pending_free(NULL);
}
END_TEST

/* ---- Silence ---- */

START_TEST(when_a_wait_is_over_the_next_server_is_asked_too)
{
    asking_ask(&stand, "www.example.org", ROUTE_TWO);
    asking_pass(&stand, 299);
    asking_assert_sent(&stand, 1);
    asking_pass(&stand, 1);
    asking_assert_sent(&stand, 2);
    ck_assert_uint_eq(asking_sent(&stand, 1)->server, 1);
    ck_assert(asking_sent(&stand, 0)->is_open);
    asking_answer(&stand, 1);
    asking_assert_answered(&stand, 1);
    ck_assert_uint_eq(asking_counted(&stand, COUNTER_FORWARD_TIMEOUTS), 1);
}
END_TEST

START_TEST(a_slow_answer_from_the_first_server_is_taken)
{
    asking_ask(&stand, "www.example.org", ROUTE_TWO);
    asking_pass(&stand, 500);
    asking_assert_sent(&stand, 2);
    asking_answer(&stand, 0);
    asking_assert_answered(&stand, 0);
    ck_assert_uint_eq(asking_counted(&stand, COUNTER_FORWARD_TIMEOUTS), 0);
    ck_assert_uint_eq(stand.servers[0].srtt_us, 500000);
}
END_TEST

START_TEST(the_only_server_is_asked_again_and_then_waited_for)
{
    asking_ask(&stand, "www.example.org", ROUTE_ONE);
    asking_pass(&stand, PENDING_DEADLINE_MS - 1);
    asking_assert_sent(&stand, PENDING_ATTEMPTS);
    for (size_t i = 0; i < PENDING_ATTEMPTS; i++) {
        ck_assert_uint_eq(asking_sent(&stand, i)->server, 0);
        ck_assert(asking_sent(&stand, i)->is_open);
    }
    ck_assert_uint_eq(stand.settled.count, 0);
    asking_pass(&stand, 1);
    asking_assert_failed(&stand, FORWARD_SILENT, 0);
    ck_assert(!stand.settled.has_response);
    ck_assert_uint_eq(asking_counted(&stand, COUNTER_FORWARD_TIMEOUTS), PENDING_ATTEMPTS);
    /* One question is one silence, however often it was sent. */
    ck_assert_uint_eq(stand.servers[0].silent, 1);
}
END_TEST

START_TEST(who_joins_late_waits_no_longer_than_the_first)
{
    asking_ask(&stand, "www.example.org", ROUTE_ONE);
    asking_pass(&stand, PENDING_DEADLINE_MS - 100);
    asking_ask(&stand, "www.example.org", ROUTE_ONE);
    asking_pass(&stand, 100);
    asking_assert_failed(&stand, FORWARD_SILENT, 0);
    ck_assert_uint_eq(stand.clients[1].told, 1);
}
END_TEST

START_TEST(a_server_is_failing_after_five_questions_in_silence)
{
    for (unsigned i = 0; i < RESOLVER_SILENT_MOST; i++) {
        ck_assert(!stand.servers[0].is_failing);
        asking_ask_numbered(&stand, i, ROUTE_ONE);
        asking_pass(&stand, PENDING_DEADLINE_MS);
    }
    ck_assert_uint_eq(stand.settled.count, RESOLVER_SILENT_MOST);
    ck_assert(stand.servers[0].is_failing);
}
END_TEST

START_TEST(one_slow_name_does_not_make_a_server_failing)
{
    for (int i = 0; i < 3 * RESOLVER_SILENT_MOST; i++) {
        asking_ask(&stand, "slow.example.org", ROUTE_ONE);
        asking_pass(&stand, 100);
        asking_ask(&stand, "quick.example.org", ROUTE_ONE);
        asking_answer(&stand, stand.scripted.count - 1);
        asking_pass(&stand, PENDING_DEADLINE_MS);
        ck_assert_int_eq(stand.settled.failure, FORWARD_SILENT);
    }
    ck_assert_uint_eq(stand.servers[0].silent, 0);
}
END_TEST

START_TEST(a_silent_server_is_left_for_the_one_that_answers)
{
    unsigned slow = 0;

    for (unsigned i = 0; i < 50; i++) {
        size_t first = stand.scripted.count;
        asking_ask_numbered(&stand, i, ROUTE_TWO);
        for (size_t n = first; n < stand.scripted.count; n++)
            if (asking_sent(&stand, n)->server == 1)
                asking_answer(&stand, n);
        if (pending_count(stand.pending) > 0 && stand.settled.count == i) {
            slow++;
            asking_pass(&stand, RESOLVER_WAIT_MOST_MS);
            asking_answer(&stand, stand.scripted.count - 1);
        }
        ck_assert_uint_eq(stand.settled.count, i + 1);
        ck_assert_int_eq(stand.settled.failure, FORWARD_NO_FAILURE);
    }
    ck_assert_uint_le(slow, RESOLVER_SILENT_MOST);
}
END_TEST

/* ---- Unreachable ---- */

START_TEST(an_unreachable_server_makes_the_next_be_asked_at_once)
{
    asking_ask(&stand, "www.example.org", ROUTE_TWO);
    asking_break_off(&stand, 0, LINK_UNREACHABLE);
    asking_assert_sent(&stand, 2);
    ck_assert_uint_eq(asking_sent(&stand, 1)->server, 1);
    asking_answer(&stand, 1);
    asking_assert_answered(&stand, 1);
}
END_TEST

START_TEST(when_all_are_unreachable_a_question_ends_at_once)
{
    asking_ask(&stand, "www.example.org", ROUTE_TWO);
    asking_break_off(&stand, 0, LINK_TLS);
    asking_break_off(&stand, 1, LINK_UNREACHABLE);
    asking_assert_failed(&stand, FORWARD_UNREACHABLE, 1);
}
END_TEST

START_TEST(a_certificate_that_is_not_the_servers_is_a_failure_of_its_own)
{
    asking_ask(&stand, "www.example.org", ROUTE_TLS);
    asking_break_off(&stand, 0, LINK_TLS);
    asking_assert_failed(&stand, FORWARD_TLS, 2);
}
END_TEST

START_TEST(a_server_that_is_unreachable_five_times_is_failing)
{
    for (unsigned i = 0; i < RESOLVER_SILENT_MOST; i++) {
        asking_ask_numbered(&stand, i, ROUTE_ONE);
        asking_break_off(&stand, i, LINK_UNREACHABLE);
    }
    ck_assert(stand.servers[0].is_failing);
}
END_TEST

START_TEST(a_late_server_is_still_waited_for_when_the_other_is_unreachable)
{
    asking_ask(&stand, "www.example.org", ROUTE_TWO);
    asking_pass(&stand, 300);
    asking_break_off(&stand, 1, LINK_UNREACHABLE);
    ck_assert_uint_eq(stand.settled.count, 0);
    asking_pass(&stand, 700);
    asking_answer(&stand, 0);
    asking_assert_answered(&stand, 0);
}
END_TEST

/* ---- Error codes ---- */

START_TEST(a_servfail_is_outweighed_by_the_next_servers_answer)
{
    asking_ask(&stand, "www.example.org", ROUTE_TWO);
    asking_reply_code(&stand, 0, RCODE_SERVFAIL);
    asking_assert_sent(&stand, 2);
    ck_assert_uint_eq(asking_sent(&stand, 1)->server, 1);
    asking_answer(&stand, 1);
    asking_assert_answered(&stand, 1);
}
END_TEST

START_TEST(a_servfail_from_all_is_handed_out_with_the_first_ones_ede)
{
    asking_ask(&stand, "www.example.org", ROUTE_TWO);
    asking_reply(&stand, 0,
                 &(struct scripted_reply){.rcode = RCODE_SERVFAIL, .ede = "signature expired"});
    asking_reply(&stand, 1, &(struct scripted_reply){.rcode = RCODE_SERVFAIL, .ede = "no idea"});
    asking_assert_failed(&stand, FORWARD_ERROR, 0);
    ck_assert(stand.settled.has_response);
    ck_assert_uint_eq(stand.settled.rcode, RCODE_SERVFAIL);
    ck_assert_str_eq(stand.settled.ede, "signature expired");
}
END_TEST

START_TEST(a_servfail_counts_at_the_deadline_when_the_others_are_silent)
{
    asking_ask(&stand, "www.example.org", ROUTE_TWO);
    asking_reply(&stand, 0,
                 &(struct scripted_reply){.rcode = RCODE_SERVFAIL, .ede = "signature expired"});
    asking_pass(&stand, PENDING_DEADLINE_MS);
    asking_assert_failed(&stand, FORWARD_ERROR, 0);
    ck_assert_str_eq(stand.settled.ede, "signature expired");
}
END_TEST

START_TEST(an_ede_too_long_to_keep_is_left_out)
{
    char text[300];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    asking_ask(&stand, "www.example.org", ROUTE_ONE);
    asking_reply(&stand, 0, &(struct scripted_reply){.rcode = RCODE_SERVFAIL, .ede = text});
    asking_assert_failed(&stand, FORWARD_ERROR, 0);
    ck_assert(stand.settled.has_response);
    ck_assert_str_eq(stand.settled.ede, "");
}
END_TEST

static const uint16_t refusals[] = {RCODE_REFUSED, RCODE_NOTIMP, 9, 23};

START_TEST(other_error_codes_are_a_failure_without_response)
{
    asking_ask(&stand, "www.example.org", ROUTE_TWO);
    asking_reply_code(&stand, 0, refusals[_i]);
    asking_assert_sent(&stand, 2);
    asking_reply_code(&stand, 1, refusals[_i]);
    asking_assert_failed(&stand, FORWARD_ERROR, 1);
    ck_assert(!stand.settled.has_response);
}
END_TEST

START_TEST(a_servfail_is_kept_although_the_other_refuses)
{
    asking_ask(&stand, "www.example.org", ROUTE_TWO);
    asking_reply_code(&stand, 0, RCODE_REFUSED);
    asking_reply(&stand, 1,
                 &(struct scripted_reply){.rcode = RCODE_SERVFAIL, .ede = "signature expired"});
    asking_assert_failed(&stand, FORWARD_ERROR, 1);
    ck_assert_str_eq(stand.settled.ede, "signature expired");
}
END_TEST

START_TEST(who_has_refused_is_not_asked_again)
{
    asking_ask(&stand, "www.example.org", ROUTE_TWO);
    asking_reply_code(&stand, 0, RCODE_REFUSED);
    asking_pass(&stand, PENDING_DEADLINE_MS - 1);
    asking_assert_sent(&stand, 1 + PENDING_ATTEMPTS);
    for (size_t i = 1; i <= PENDING_ATTEMPTS; i++)
        ck_assert_uint_eq(asking_sent(&stand, i)->server, 1);
    asking_answer(&stand, 2);
    asking_assert_answered(&stand, 1);
}
END_TEST

START_TEST(nxdomain_is_an_answer)
{
    asking_ask(&stand, "www.example.org", ROUTE_TWO);
    asking_reply(
        &stand, 0,
        &(struct scripted_reply){.rcode = RCODE_NXDOMAIN, .has_soa = true, .ttl_seconds = 60});
    ck_assert_uint_eq(stand.settled.count, 1);
    ck_assert_int_eq(stand.settled.failure, FORWARD_NO_FAILURE);
    ck_assert_uint_eq(stand.settled.rcode, RCODE_NXDOMAIN);
}
END_TEST

START_TEST(what_a_server_said_outweighs_that_another_is_unreachable)
{
    asking_ask(&stand, "www.example.org", ROUTE_TWO);
    asking_reply_code(&stand, 0, RCODE_REFUSED);
    asking_break_off(&stand, 1, LINK_UNREACHABLE);
    asking_assert_failed(&stand, FORWARD_ERROR, 0);
}
END_TEST

static void refuse(void)
{
    asking_reply_code(&stand, 0, RCODE_REFUSED);
}

static void send_garbage(void)
{
    asking_reply(&stand, 0,
                 &(struct scripted_reply){.address = ASKING_ADDRESS, .is_cut_short = true});
}

static void be_unreachable(void)
{
    asking_break_off(&stand, 0, LINK_UNREACHABLE);
}

static void be_late(void)
{
    asking_pass(&stand, 300);
}

/* What a server does, and how good it would be without. */
static const struct {
    void (*happen)(void);
    uint32_t rank_us;
} disappointments[] = {{refuse, 0}, {send_garbage, 0}, {be_unreachable, 100000}, {be_late, 100000}};

START_TEST(a_server_that_disappoints_is_not_the_first_choice)
{
    asking_ask(&stand, "a.example.org", ROUTE_TWO);
    disappointments[_i].happen();
    asking_assert_sent(&stand, 2);
    asking_answer(&stand, 1);
    stand.servers[1].rank_us = disappointments[_i].rank_us;
    asking_ask(&stand, "b.example.org", ROUTE_TWO);
    ck_assert_uint_eq(asking_sent(&stand, 2)->server, 1);
    asking_answer(&stand, 2);
}
END_TEST

/* ---- Probes ---- */

START_TEST(a_failing_server_is_probed_beside_a_good_one)
{
    asking_make_failing(&stand, 0);
    asking_ask(&stand, "www.example.org", ROUTE_TWO);
    asking_assert_sent(&stand, 2);
    ck_assert_uint_eq(asking_sent(&stand, 0)->server, 0);
    ck_assert_uint_eq(asking_sent(&stand, 1)->server, 1);
    asking_answer(&stand, 1);
    ck_assert_uint_eq(stand.settled.count, 1);
    ck_assert_uint_eq(stand.settled.server, 1);
    ck_assert(asking_sent(&stand, 0)->is_open);
    ck_assert_uint_eq(pending_recoveries(stand.pending), 0);
    asking_pass(&stand, 700);
    asking_answer(&stand, 0);
    ck_assert_uint_eq(stand.settled.count, 1);
    ck_assert(!stand.servers[0].is_failing);
    ck_assert_uint_eq(pending_recoveries(stand.pending), 1);
    ck_assert_uint_eq(pending_count(stand.pending), 0);
}
END_TEST

START_TEST(a_probe_ends_quietly)
{
    asking_make_failing(&stand, 0);
    asking_ask(&stand, "www.example.org", ROUTE_TWO);
    asking_answer(&stand, 1);
    asking_pass(&stand, PENDING_DEADLINE_MS - 1);
    ck_assert_uint_eq(pending_count(stand.pending), 1);
    asking_assert_sent(&stand, 2);
    asking_pass(&stand, 1);
    ck_assert_uint_eq(pending_count(stand.pending), 0);
    ck_assert_uint_eq(stand.settled.count, 1);
    ck_assert_uint_eq(asking_counted(&stand, COUNTER_FORWARD_FAILURES), 0);
    ck_assert_uint_eq(stand.scripted.open, 0);
    ck_assert(stand.servers[0].is_failing);
}
END_TEST

/* What a server may do with a probe. */
static const struct scripted_reply probe_replies[] = {
    {.rcode = RCODE_SERVFAIL},
    {.rcode = RCODE_FORMERR},
    {.is_truncated = true},
    {.address = ASKING_ADDRESS, .is_cut_short = true},
};

START_TEST(any_reply_to_a_probe_ends_it)
{
    asking_make_failing(&stand, 0);
    asking_ask(&stand, "www.example.org", ROUTE_TWO);
    asking_reply(&stand, 0, &probe_replies[_i]);
    ck_assert(!stand.servers[0].is_failing);
    asking_assert_sent(&stand, 2);
    asking_answer(&stand, 1);
    asking_assert_answered(&stand, 1);
}
END_TEST

START_TEST(a_probe_that_is_unreachable_ends)
{
    asking_make_failing(&stand, 0);
    asking_ask(&stand, "www.example.org", ROUTE_TWO);
    asking_break_off(&stand, 0, LINK_UNREACHABLE);
    ck_assert(stand.servers[0].is_failing);
    asking_answer(&stand, 1);
    asking_assert_answered(&stand, 1);
}
END_TEST

START_TEST(a_probe_that_is_forged_goes_over_a_stream)
{
    asking_make_failing(&stand, 0);
    asking_ask(&stand, "www.example.org", ROUTE_TWO);
    asking_answer(&stand, 1);
    for (int i = 0; i < PENDING_FOREIGN_MOST; i++)
        asking_reply(&stand, 0, &(struct scripted_reply){.has_wrong_id = true});
    asking_assert_sent(&stand, 3);
    ck_assert(asking_sent(&stand, 2)->over_stream);
    for (int i = 0; i < PENDING_FOREIGN_MOST; i++)
        asking_reply(&stand, 2, &(struct scripted_reply){.has_wrong_id = true});
    ck_assert_uint_eq(pending_count(stand.pending), 0);
    ck_assert_uint_eq(stand.settled.count, 1);
}
END_TEST

START_TEST(when_all_are_failing_the_question_is_the_probe)
{
    asking_make_failing(&stand, 0);
    asking_ask(&stand, "a.example.org", ROUTE_ONE);
    asking_assert_sent(&stand, 1);
    asking_ask(&stand, "b.example.org", ROUTE_ONE);
    asking_assert_sent(&stand, 1);
    ck_assert_uint_eq(stand.settled.count, 1);
    ck_assert_int_eq(stand.settled.failure, FORWARD_FAILING);
    ck_assert_uint_eq(stand.settled.server, 0);
    asking_answer(&stand, 0);
    ck_assert_uint_eq(stand.settled.count, 2);
    ck_assert_int_eq(stand.settled.failure, FORWARD_NO_FAILURE);
    ck_assert_uint_eq(pending_recoveries(stand.pending), 1);
    asking_ask(&stand, "b.example.org", ROUTE_ONE);
    asking_answer(&stand, 1);
    ck_assert_uint_eq(stand.settled.count, 3);
}
END_TEST

START_TEST(a_probe_that_waits_is_helped_by_another_that_was_answered)
{
    asking_make_failing(&stand, 0);
    asking_ask(&stand, "a.example.org", ROUTE_ONE);
    asking_pass(&stand, RESOLVER_PROBE_MS);
    asking_ask(&stand, "b.example.org", ROUTE_ONE);
    asking_assert_sent(&stand, 2);
    asking_answer(&stand, 1);
    ck_assert_uint_eq(stand.settled.count, 1);
    asking_pass(&stand, RESOLVER_WAIT_MOST_MS);
    ck_assert_uint_ge(stand.scripted.count, 3);
    asking_answer(&stand, 2);
    ck_assert_uint_eq(stand.settled.count, 2);
    ck_assert_int_eq(stand.settled.failure, FORWARD_NO_FAILURE);
}
END_TEST

START_TEST(a_server_that_returns_is_known_within_a_second)
{
    uint64_t returned_ms;

    asking_make_failing(&stand, 0);
    for (unsigned i = 0; i < 200; i++, asking_pass(&stand, 10))
        asking_ask_numbered(&stand, i, ROUTE_ONE); /* nothing comes back */
    returned_ms = stand.now_ms;
    for (unsigned i = 200; stand.servers[0].is_failing; i++, asking_pass(&stand, 10)) {
        size_t before = stand.scripted.count;
        asking_ask_numbered(&stand, i, ROUTE_ONE);
        if (stand.scripted.count > before && asking_sent(&stand, before)->is_open)
            asking_answer(&stand, before);
        ck_assert_uint_le(stand.now_ms - returned_ms, 1000);
    }
}
END_TEST

static void add_asking(Suite *suite)
{
    TCase *asking = tcase_create("asking");

    tcase_add_checked_fixture(asking, set_up, tear_down);
    tcase_add_test(asking, a_question_is_sent_by_a_turn_and_its_answer_comes_back);
    tcase_add_test(asking, equal_questions_are_joined_and_told_in_the_order_they_came);
    tcase_add_test(asking, questions_that_differ_in_name_type_or_bits_are_asked_apart);
    tcase_add_test(asking, a_turn_sends_no_more_than_its_share_and_says_so);
    tcase_add_test(asking, a_full_pool_refuses_and_has_room_again_after);
    tcase_add_test(asking, a_refresh_leaves_half_of_the_pool_to_those_who_wait);
    tcase_add_test(asking, a_client_joins_a_refresh);
    tcase_add_test(asking, who_is_told_may_ask_the_same_question_at_once);
    tcase_add_test(asking, a_question_that_no_turn_sends_ends_at_its_deadline);
    tcase_add_test(asking, without_descriptors_a_question_ends_at_once);
    tcase_add_test(asking, an_attempt_that_runs_out_of_descriptors_is_not_the_servers_fault);
    tcase_add_test(asking, the_end_settles_everything_and_takes_no_more);
    tcase_add_test(asking, a_pool_that_is_freed_forgets_every_attempt);
    tcase_add_test(asking, a_pool_of_nothing_is_refused);
    suite_add_tcase(suite, asking);
}

static void add_silence(Suite *suite)
{
    TCase *silence = tcase_create("silence");

    tcase_add_checked_fixture(silence, set_up, tear_down);
    tcase_add_test(silence, when_a_wait_is_over_the_next_server_is_asked_too);
    tcase_add_test(silence, a_slow_answer_from_the_first_server_is_taken);
    tcase_add_test(silence, the_only_server_is_asked_again_and_then_waited_for);
    tcase_add_test(silence, who_joins_late_waits_no_longer_than_the_first);
    tcase_add_test(silence, a_server_is_failing_after_five_questions_in_silence);
    tcase_add_test(silence, one_slow_name_does_not_make_a_server_failing);
    tcase_add_test(silence, a_silent_server_is_left_for_the_one_that_answers);
    suite_add_tcase(suite, silence);
}

static void add_failures(Suite *suite)
{
    TCase *failures = tcase_create("failures");

    tcase_add_checked_fixture(failures, set_up, tear_down);
    tcase_add_test(failures, an_unreachable_server_makes_the_next_be_asked_at_once);
    tcase_add_test(failures, when_all_are_unreachable_a_question_ends_at_once);
    tcase_add_test(failures, a_certificate_that_is_not_the_servers_is_a_failure_of_its_own);
    tcase_add_test(failures, a_server_that_is_unreachable_five_times_is_failing);
    tcase_add_test(failures, a_late_server_is_still_waited_for_when_the_other_is_unreachable);
    tcase_add_test(failures, a_servfail_is_outweighed_by_the_next_servers_answer);
    tcase_add_test(failures, a_servfail_from_all_is_handed_out_with_the_first_ones_ede);
    tcase_add_test(failures, a_servfail_counts_at_the_deadline_when_the_others_are_silent);
    tcase_add_test(failures, an_ede_too_long_to_keep_is_left_out);
    tcase_add_loop_test(failures, other_error_codes_are_a_failure_without_response, 0,
                        sizeof refusals / sizeof refusals[0]);
    tcase_add_test(failures, a_servfail_is_kept_although_the_other_refuses);
    tcase_add_test(failures, who_has_refused_is_not_asked_again);
    tcase_add_test(failures, nxdomain_is_an_answer);
    tcase_add_test(failures, what_a_server_said_outweighs_that_another_is_unreachable);
    tcase_add_loop_test(failures, a_server_that_disappoints_is_not_the_first_choice, 0,
                        sizeof disappointments / sizeof disappointments[0]);
    suite_add_tcase(suite, failures);
}

static void add_probes(Suite *suite)
{
    TCase *probes = tcase_create("probes");

    tcase_add_checked_fixture(probes, set_up, tear_down);
    tcase_add_test(probes, a_failing_server_is_probed_beside_a_good_one);
    tcase_add_test(probes, a_probe_ends_quietly);
    tcase_add_loop_test(probes, any_reply_to_a_probe_ends_it, 0,
                        sizeof probe_replies / sizeof probe_replies[0]);
    tcase_add_test(probes, a_probe_that_is_unreachable_ends);
    tcase_add_test(probes, a_probe_that_is_forged_goes_over_a_stream);
    tcase_add_test(probes, when_all_are_failing_the_question_is_the_probe);
    tcase_add_test(probes, a_probe_that_waits_is_helped_by_another_that_was_answered);
    tcase_add_test(probes, a_server_that_returns_is_known_within_a_second);
    suite_add_tcase(suite, probes);
}

int main(void)
{
    Suite *suite = suite_create("pending");

    add_asking(suite);
    add_silence(suite);
    add_failures(suite);
    add_probes(suite);
    return suite_run(suite);
}
