#include "forward/attempt.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "support/fetch_rig.h"
#include "support/suite.h"
#include "wire/types.h"

static struct fetch_rig stand;

static void set_up(void)
{
    fetch_rig_init(&stand, false);
}

static void set_up_mixing(void)
{
    fetch_rig_init(&stand, true);
}

/* Every test ends with nothing left open. */
static void tear_down(void)
{
    fetch_rig_close(&stand);
}

/* ---- Mismatched responses ---- */

static const struct scripted_reply wrong[] = {
    {.address = FETCH_RIG_ADDRESS, .ttl_seconds = 60, .has_wrong_id = true},
    {.address = FETCH_RIG_ADDRESS, .ttl_seconds = 60, .has_wrong_question = true},
    {.address = FETCH_RIG_ADDRESS, .ttl_seconds = 60, .has_no_question = true},
    {.is_truncated = true, .has_wrong_id = true},
    {.rcode = RCODE_SERVFAIL, .has_wrong_id = true},
};

FIXTURE(set_up, tear_down)

TEST_OVER(a_mismatched_response_is_counted_and_the_right_one_still_accepted, wrong)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    for (int i = 1; i < FETCH_MISMATCHED_MOST; i++)
        fetch_rig_reply(&stand, 0, &wrong[_i]);
    fetch_rig_assert_sent(&stand, 1);
    ck_assert_uint_eq(stand.outcome.count, 0);
    ck_assert_uint_eq(fetch_rig_counted(&stand, COUNTER_FORWARD_FOREIGN),
                      FETCH_MISMATCHED_MOST - 1);
    /* It may be forged, so it does not count as a reply. */
    ck_assert_uint_eq(standing_last_reply_ms(&stand.standing[0]), 0);
    fetch_rig_answer(&stand, 0);
    fetch_rig_assert_answered(&stand, 0);
}

TEST_OVER(after_sixteen_mismatched_responses_the_question_is_asked_over_a_stream, wrong)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    for (int i = 0; i < FETCH_MISMATCHED_MOST; i++)
        fetch_rig_reply(&stand, 0, &wrong[_i]);
    fetch_rig_assert_sent(&stand, 2);
    ck_assert(!fetch_rig_sent(&stand, 0)->is_open);
    ck_assert(fetch_rig_sent(&stand, 1)->over_stream);
    ck_assert_uint_eq(fetch_rig_sent(&stand, 1)->server, 0);
    fetch_rig_answer(&stand, 1);
    fetch_rig_assert_answered(&stand, 0);
    ck_assert_uint_eq(fetch_rig_counted(&stand, COUNTER_FORWARD_STREAM_SENT), 1);
}

TEST(a_stream_of_mismatched_responses_is_given_up)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_ONE);
    for (int i = 0; i < FETCH_MISMATCHED_MOST; i++)
        fetch_rig_reply(&stand, 0, &wrong[0]);
    for (int i = 0; i < FETCH_MISMATCHED_MOST; i++)
        fetch_rig_reply(&stand, 1, &wrong[1]);
    fetch_rig_assert_failed(&stand, FORWARD_MALFORMED, 0);
}

TEST(an_answer_after_the_end_is_ignored)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    fetch_rig_pass(&stand, 300);
    fetch_rig_answer(&stand, 1);
    fetch_rig_assert_answered(&stand, 1);
    ck_assert(!fetch_rig_sent(&stand, 0)->is_open); /* the link would not pass it on */
}

TEST(garbage_makes_the_next_server_be_asked)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    fetch_rig_reply(&stand, 0,
                    &(struct scripted_reply){.address = FETCH_RIG_ADDRESS, .is_cut_short = true});
    fetch_rig_assert_sent(&stand, 2);
    ck_assert(!fetch_rig_sent(&stand, 0)->is_open);
    ck_assert_uint_eq(fetch_rig_sent(&stand, 1)->server, 1);
    ck_assert_uint_eq(fetch_rig_counted(&stand, COUNTER_FORWARD_MALFORMED), 1);
    fetch_rig_answer(&stand, 1);
    fetch_rig_assert_answered(&stand, 1);
}

TEST(garbage_from_all_is_a_failure)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    fetch_rig_reply(&stand, 0,
                    &(struct scripted_reply){.address = FETCH_RIG_ADDRESS, .is_cut_short = true});
    fetch_rig_reply(&stand, 1,
                    &(struct scripted_reply){.address = FETCH_RIG_ADDRESS, .is_cut_short = true});
    fetch_rig_assert_failed(&stand, FORWARD_MALFORMED, 1);
    ck_assert(!stand.outcome.has_response);
}

TEST(octets_shorter_than_a_header_are_a_mismatch)
{
    static const uint8_t octets[12] = {0};

    fetch_rig_ask(&stand, "www.example.org", ROUTE_ONE);
    for (size_t length = 0; length < sizeof octets; length++)
        scripted_deliver(&stand.scripted, 0, octets, length);
    ck_assert_uint_eq(fetch_rig_counted(&stand, COUNTER_FORWARD_FOREIGN), sizeof octets);
    fetch_rig_answer(&stand, 0);
    fetch_rig_assert_answered(&stand, 0);
}

/* ---- Streams ---- */

TEST(a_truncated_response_makes_the_same_server_be_asked_over_a_stream)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    fetch_rig_reply(&stand, 0, &(struct scripted_reply){.is_truncated = true});
    fetch_rig_assert_sent(&stand, 2);
    ck_assert(!fetch_rig_sent(&stand, 0)->is_open);
    ck_assert_uint_eq(fetch_rig_sent(&stand, 1)->server, 0);
    ck_assert(fetch_rig_sent(&stand, 1)->over_stream);
    fetch_rig_answer(&stand, 1);
    fetch_rig_assert_answered(&stand, 0);
}

TEST(a_truncated_response_over_a_stream_is_malformed)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_ONE);
    fetch_rig_reply(&stand, 0, &(struct scripted_reply){.is_truncated = true});
    fetch_rig_reply(&stand, 1, &(struct scripted_reply){.is_truncated = true});
    fetch_rig_assert_failed(&stand, FORWARD_MALFORMED, 0);
}

TEST(a_stream_that_is_refused_makes_the_next_server_be_asked)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    fetch_rig_reply(&stand, 0, &(struct scripted_reply){.is_truncated = true});
    fetch_rig_break_off(&stand, 1, LINK_UNREACHABLE);
    fetch_rig_assert_sent(&stand, 3);
    ck_assert_uint_eq(fetch_rig_sent(&stand, 2)->server, 1);
    ck_assert(!fetch_rig_sent(&stand, 2)->over_stream);
    fetch_rig_answer(&stand, 2);
    fetch_rig_assert_answered(&stand, 1);
}

TEST(the_largest_response_over_a_stream_is_accepted)
{
    enum { RECORDS = (65535 - 12 - 21 - 11) / 16 };
    uint8_t *octets = malloc(65535);
    size_t length = 12 + 21;

    fetch_rig_ask(&stand, "www.example.org", ROUTE_ONE);
    fetch_rig_reply(&stand, 0, &(struct scripted_reply){.is_truncated = true});
    ck_assert_uint_eq(
        scripted_write(fetch_rig_sent(&stand, 1), &(struct scripted_reply){.rcode = 0}, octets),
        length + 11);
    octets[6] = RECORDS >> 8;
    octets[7] = (uint8_t)RECORDS;
    octets[11] = 0; /* without OPT */
    for (size_t i = 0; i < RECORDS; i++, length += 16)
        memcpy(octets + length, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\1\2\3", 16);
    scripted_deliver(&stand.scripted, 1, octets, length);
    free(octets);
    ck_assert_uint_eq(stand.outcome.count, 1);
    ck_assert_int_eq(stand.outcome.failure, FORWARD_NO_FAILURE);
    ck_assert_uint_eq(stand.outcome.answers, RECORDS);
}

TEST(a_tls_server_is_asked_over_a_stream_only)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TLS);
    fetch_rig_pass(&stand, FETCH_PATIENCE_MS - 1);
    fetch_rig_assert_sent(&stand, FETCH_ATTEMPTS);
    for (size_t i = 0; i < FETCH_ATTEMPTS; i++)
        ck_assert(fetch_rig_sent(&stand, i)->over_stream);
    fetch_rig_answer(&stand, 2);
    fetch_rig_assert_answered(&stand, 2);
}

/* ---- EDNS ---- */

static const uint16_t edns_refusals[] = {RCODE_FORMERR, RCODE_BADVERS, RCODE_NOTIMP};

/* Asks with EDNS, in vain, and then without, at the same server. */
static void refuse_edns(const char *name, uint16_t rcode, size_t sent)
{
    fetch_rig_ask(&stand, name, ROUTE_TWO);
    ck_assert(scripted_has_edns(fetch_rig_sent(&stand, sent)));
    fetch_rig_reply_code(&stand, sent, rcode);
    fetch_rig_assert_sent(&stand, sent + 2);
    ck_assert_uint_eq(fetch_rig_sent(&stand, sent + 1)->server, 0);
    ck_assert(!scripted_has_edns(fetch_rig_sent(&stand, sent + 1)));
    fetch_rig_answer(&stand, sent + 1);
    ck_assert_int_eq(stand.outcome.failure, FORWARD_NO_FAILURE);
}

TEST_OVER(a_server_that_refuses_edns_for_two_names_is_asked_without_it, edns_refusals)
{
    refuse_edns("a.example.org", edns_refusals[_i], 0);
    refuse_edns("a.example.org", edns_refusals[_i], 2); /* the same name does not count twice */
    refuse_edns("b.example.org", edns_refusals[_i], 4);
    fetch_rig_ask(&stand, "c.example.org", ROUTE_TWO);
    ck_assert_uint_eq(fetch_rig_sent(&stand, 6)->server, 0);
    ck_assert(!scripted_has_edns(fetch_rig_sent(&stand, 6)));
    fetch_rig_answer(&stand, 6);
    stand.now_ms += QUIRK_MS;
    fetch_rig_ask(&stand, "d.example.org", ROUTE_TWO);
    ck_assert(scripted_has_edns(fetch_rig_sent(&stand, 7)));
    fetch_rig_answer(&stand, 7);
}

TEST(a_header_alone_refuses_edns_too)
{
    fetch_rig_ask(&stand, "a.example.org", ROUTE_ONE);
    fetch_rig_reply(&stand, 0,
                    &(struct scripted_reply){.rcode = RCODE_FORMERR, .has_no_question = true});
    fetch_rig_assert_sent(&stand, 2);
    ck_assert(!scripted_has_edns(fetch_rig_sent(&stand, 1)));
    fetch_rig_answer(&stand, 1);
    fetch_rig_assert_answered(&stand, 0);
}

TEST(a_question_refused_with_and_without_edns_shows_no_quirk)
{
    fetch_rig_ask(&stand, "a.example.org", ROUTE_ONE);
    fetch_rig_reply_code(&stand, 0, RCODE_FORMERR);
    fetch_rig_reply_code(&stand, 1, RCODE_FORMERR);
    fetch_rig_assert_failed(&stand, FORWARD_FORMERR, 0);
    ck_assert_uint_eq(atomic_load(&stand.standing[0].no_edns.name), 0);
}

/* ---- Guessing ---- */

TEST(ids_are_random_and_never_the_same_for_long)
{
    unsigned equal = 0;

    for (unsigned i = 0; i < FETCH_RIG_QUESTIONS; i++)
        fetch_rig_ask_numbered(&stand, i, ROUTE_ONE);
    fetch_table_turn(stand.table, stand.now_ms);
    for (size_t i = 1; i < stand.scripted.count; i++)
        equal +=
            scripted_id(fetch_rig_sent(&stand, i)) == scripted_id(fetch_rig_sent(&stand, i - 1));
    ck_assert_uint_le(equal, 3);
    fetch_table_end_all(stand.table);
}

TEST(case_is_kept_unless_mixes_case_is_set)
{
    static const uint8_t name[] = "\3www\7example\3org";

    fetch_rig_ask(&stand, "www.example.org", ROUTE_ONE);
    ck_assert_mem_eq(fetch_rig_sent(&stand, 0)->octets + 12, name, sizeof name);
    fetch_rig_reply(&stand, 0,
                    &(struct scripted_reply){.address = FETCH_RIG_ADDRESS, .folds_case = true});
    fetch_rig_assert_answered(&stand, 0);
}

/* 48 letters. */
static const char long_name[] = "abcdefghijklmnop.qrstuvwxyzabcdef.ghijklmnopqrstuv";

FIXTURE(set_up_mixing, tear_down)

TEST(mixed_case_differs_each_time_and_must_come_back)
{
    fetch_rig_ask(&stand, long_name, ROUTE_ONE);
    fetch_rig_reply(&stand, 0,
                    &(struct scripted_reply){.address = FETCH_RIG_ADDRESS, .folds_case = true});
    ck_assert_uint_eq(fetch_rig_counted(&stand, COUNTER_FORWARD_FOREIGN), 1);
    ck_assert_uint_eq(stand.outcome.count, 0);
    fetch_rig_answer(&stand, 1);
    fetch_rig_ask(&stand, long_name, ROUTE_ONE);
    ck_assert_mem_ne(fetch_rig_sent(&stand, 0)->octets + 12, fetch_rig_sent(&stand, 2)->octets + 12,
                     sizeof long_name);
    for (size_t i = 0; i < sizeof long_name; i++)
        ck_assert_int_eq(tolower(fetch_rig_sent(&stand, 0)->octets[13 + i]),
                         tolower(fetch_rig_sent(&stand, 2)->octets[13 + i]));
    fetch_rig_answer(&stand, 2);
    ck_assert_uint_eq(stand.outcome.count, 2);
}

/* Asks, gets the right question in another case, and the same over a stream at once. */
static void fold_case(const char *name, size_t sent)
{
    static const struct scripted_reply folded = {.address = FETCH_RIG_ADDRESS, .folds_case = true};

    fetch_rig_ask(&stand, name, ROUTE_ONE);
    ck_assert(!fetch_rig_sent(&stand, sent)->over_stream);
    fetch_rig_reply(&stand, sent, &folded);
    fetch_rig_assert_sent(&stand, sent + 2);
    ck_assert(fetch_rig_sent(&stand, sent + 1)->over_stream);
    fetch_rig_reply(&stand, sent + 1, &folded);
    ck_assert_int_eq(stand.outcome.failure, FORWARD_NO_FAILURE);
}

TEST(a_server_that_folds_case_for_two_names_is_remembered)
{
    static const struct scripted_reply folded = {.address = FETCH_RIG_ADDRESS, .folds_case = true};

    fold_case("abcdefghijklmnop.qrstuvwxyzabcdef", 0);
    fold_case("abcdefghijklmnop.qrstuvwxyzabcdef", 2);
    fold_case("ghijklmnopqrstuv.wxyzabcdefghijkl", 4);
    fetch_rig_ask(&stand, long_name, ROUTE_ONE);
    fetch_rig_reply(&stand, 6, &folded);
    ck_assert_uint_eq(stand.outcome.count, 4);
    stand.now_ms += QUIRK_MS;
    fold_case("another.mnopqrstuvwxyzabcdefghijk", 7);
}

TEST(of_100000_guesses_none_is_accepted)
{
    enum { GUESSES = 100000 };
    uint8_t forged[SCRIPTED_REPLY_OCTETS_MOST];
    unsigned guesses = 0, accepted = 0;

    /* A forger who knows address, port and name tries one id after the other. */
    while (guesses < GUESSES) {
        size_t number = stand.scripted.count;
        fetch_rig_ask(&stand, long_name, ROUTE_ONE);
        struct scripted_reply lie = {.address = 0x06060606, .ttl_seconds = 86400};
        lie.folds_case = true;
        size_t length = scripted_write(fetch_rig_sent(&stand, number), &lie, forged);
        /* One with the right id ends it, too: its case is not the one that was sent. */
        for (int i = 0; i < FETCH_MISMATCHED_MOST && fetch_rig_sent(&stand, number)->is_open;
             i++, guesses++) {
            forged[0] = (uint8_t)(guesses >> 8);
            forged[1] = (uint8_t)guesses;
            scripted_deliver(&stand.scripted, number, forged, length);
        }
        accepted += stand.outcome.count;
        ck_assert(!fetch_rig_sent(&stand, number)->is_open);
        ck_assert(fetch_rig_sent(&stand, number + 1)->over_stream);
        fetch_rig_answer(&stand, number + 1);
        ck_assert_uint_eq(stand.outcome.count, 1);
        stand.scripted.count = 0; /* all have ended */
        stand.client_count = 0;
        stand.outcome.count = 0;
    }
    ck_assert_uint_eq(accepted, 0);
    ck_assert_uint_ge(fetch_rig_counted(&stand, COUNTER_FORWARD_FOREIGN), GUESSES);
}

/* ---- Uses ---- */

TEST(queries_and_failures_are_counted_for_the_route_and_the_server)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_TWO);
    fetch_rig_pass(&stand, 300); /* the other is asked, too */
    fetch_rig_assert_sent(&stand, 2);
    fetch_rig_pass(&stand, RESOLVER_SILENCE_MOST_MS);
    fetch_rig_answer(&stand, 1);
    struct resolver_use first = fetch_table_use(stand.table, ROUTE_TWO, 0);
    ck_assert_uint_ge(first.queries, 1);
    ck_assert_uint_ge(first.failures, 1);
    ck_assert_uint_le(first.failures, first.queries);
    ck_assert_uint_ge(fetch_table_use(stand.table, ROUTE_TWO, 1).queries, 1);
    ck_assert_uint_eq(fetch_table_use(stand.table, ROUTE_ONE, 0).queries, 0);
}

static void assert_use(uint8_t route, uint64_t queries, uint64_t failures)
{
    const struct resolver_use use = fetch_table_use(stand.table, route, 0);

    ck_assert_uint_eq(use.queries, queries);
    ck_assert_uint_eq(use.failures, failures);
}

/* Server 0 is in both routes. */
TEST(a_query_is_counted_for_the_route_that_it_was_sent_for)
{
    fetch_rig_ask(&stand, "www.example.org", ROUTE_ONE);
    fetch_rig_answer(&stand, 0);
    assert_use(ROUTE_ONE, 1, 0);
    fetch_rig_ask(&stand, "mail.example.org", ROUTE_ONE);
    fetch_rig_break_off(&stand, 1, LINK_UNREACHABLE);
    fetch_rig_pass_window(&stand);
    struct resolver_use use = fetch_table_use(stand.table, ROUTE_ONE, 0);
    ck_assert_uint_ge(use.failures, 1);
    ck_assert_uint_eq(use.queries, use.failures + 1); /* each that got nothing, once */
    assert_use(ROUTE_TWO, 0, 0);
}

/* A failing server is probed every now and then; nobody asked for that. */
TEST(probes_are_not_counted)
{
    fetch_rig_make_failing(&stand, 0);
    const struct resolver_use before = fetch_table_use(stand.table, ROUTE_ONE, 0);
    const struct resolver_use other = fetch_table_use(stand.table, ROUTE_TWO, 0);
    uint64_t sent = fetch_rig_counted(&stand, COUNTER_FORWARD_SENT);
    fetch_rig_pass(&stand, 60000);
    ck_assert_uint_gt(fetch_rig_counted(&stand, COUNTER_FORWARD_SENT), sent);
    assert_use(ROUTE_ONE, before.queries, before.failures);
    assert_use(ROUTE_TWO, other.queries, other.failures);
}
