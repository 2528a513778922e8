#include "forward/standing.h"

#include "support/suite.h"

enum { NOW_MS = 10000 };

static struct standing one;

static void set_up(void)
{
    one = (struct standing){.state = STANDING_WELL};
}

static bool be_silent(void)
{
    return standing_on_silence(&one, NOW_MS, NOW_MS);
}

static void doubt(void)
{
    for (int i = 1; i < STANDING_SILENT_MOST; i++)
        ck_assert(!be_silent());
    ck_assert(be_silent());
}

static void make_failing(void)
{
    doubt();
    for (int i = 1; i < STANDING_PROBES_MOST; i++)
        ck_assert(!standing_on_probe_silence(&one, NOW_MS));
    ck_assert(standing_on_probe_silence(&one, NOW_MS));
}

FIXTURE(set_up, NULL)

TEST(unanswered_questions_put_a_server_in_doubt_and_never_make_it_failing)
{
    doubt();
    for (int i = 0; i < 1000; i++)
        ck_assert(!be_silent());
    ck_assert_int_eq(standing_state(&one), STANDING_IN_DOUBT);
}

TEST(unanswered_probes_make_a_server_in_doubt_failing)
{
    ck_assert(!standing_on_probe_silence(&one, NOW_MS));
    make_failing();
    ck_assert_int_eq(standing_state(&one), STANDING_FAILING);
    ck_assert(!standing_on_probe_silence(&one, NOW_MS));
}

TEST(a_reply_between_silences_starts_the_count_anew)
{
    for (int round = 0; round < 3; round++) {
        for (int i = 1; i < STANDING_SILENT_MOST; i++)
            ck_assert(!be_silent());
        ck_assert(!standing_on_reply(&one, true, NOW_MS - 1));
    }
    ck_assert_uint_eq(standing_silent(&one), 0);
}

TEST(a_question_sent_before_the_last_reply_does_not_count_as_silence)
{
    standing_on_reply(&one, true, NOW_MS);
    for (int i = 0; i < 10 * STANDING_SILENT_MOST; i++)
        ck_assert(!be_silent());
    ck_assert_int_eq(standing_state(&one), STANDING_WELL);
}

TEST(any_reply_makes_a_server_well_and_returns_whether_it_was_failing)
{
    doubt();
    ck_assert(!standing_on_reply(&one, true, NOW_MS - 1));
    ck_assert_int_eq(standing_state(&one), STANDING_WELL);
    make_failing();
    ck_assert(standing_on_reply(&one, true, NOW_MS + 1));
    ck_assert_int_eq(standing_state(&one), STANDING_WELL);
    ck_assert(!standing_on_reply(&one, true, NOW_MS + 2));
    ck_assert_uint_eq(standing_last_reply_ms(&one), NOW_MS + 2);
}

TEST(probes_that_were_silent_in_an_earlier_doubt_do_not_count)
{
    doubt();
    for (int i = 1; i < STANDING_PROBES_MOST; i++)
        standing_on_probe_silence(&one, NOW_MS);
    standing_on_reply(&one, true, NOW_MS - 1);
    doubt();
    ck_assert(!standing_on_probe_silence(&one, NOW_MS));
    ck_assert_int_eq(standing_state(&one), STANDING_IN_DOUBT);
}

/* The number of unanswered probes before a server in doubt is failing. */
static unsigned count_probes_to_fail(void)
{
    unsigned probes = 1;

    while (!standing_on_probe_silence(&one, NOW_MS + 10))
        ck_assert_uint_lt(++probes, 1000);
    return probes;
}

static void doubt_again(void)
{
    for (int i = 0; i < STANDING_SILENT_MOST; i++)
        standing_on_silence(&one, NOW_MS + 10, NOW_MS + 10);
    ck_assert_int_eq(standing_state(&one), STANDING_IN_DOUBT);
}

TEST(a_server_that_answers_clients_only_takes_longer_to_be_failing)
{
    make_failing();
    ck_assert(standing_on_reply(&one, false, NOW_MS + 1));
    ck_assert(standing_is_watched(&one)); /* it may have been away, and answer probes now */
    for (int i = 0; i < 2; i++)
        ck_assert(!standing_on_probe_silence(&one, NOW_MS + 1));
    ck_assert(!standing_is_watched(&one));
    ck_assert_int_eq(standing_state(&one), STANDING_WELL);
    doubt_again();
    ck_assert_uint_eq(count_probes_to_fail(), STANDING_MUTE_MOST);
    ck_assert(standing_on_reply(&one, true, NOW_MS + 2)); /* it does answer probes */
    doubt_again();
    ck_assert_uint_eq(count_probes_to_fail(), STANDING_PROBES_MOST);
}

TEST(after_a_probe_is_answered_a_server_is_failing_as_soon_as_before)
{
    make_failing();
    ck_assert(standing_on_reply(&one, false, NOW_MS + 1));
    ck_assert(!standing_on_probe_silence(&one, NOW_MS + 1));
    standing_on_reply(&one, true, NOW_MS + 2);
    ck_assert(!standing_is_watched(&one));
    doubt_again();
    ck_assert_uint_eq(count_probes_to_fail(), STANDING_PROBES_MOST);
}

TEST(an_answer_to_a_client_after_one_silent_probe_raises_no_suspicion)
{
    doubt();
    standing_on_probe_silence(&one, NOW_MS);
    standing_on_reply(&one, false, NOW_MS + 1);
    ck_assert(!standing_is_watched(&one));
    doubt_again();
    ck_assert_uint_eq(count_probes_to_fail(), STANDING_PROBES_MOST);
}

TEST(a_failing_server_is_tried_four_times_a_second_by_one_worker)
{
    unsigned trials = 0;

    ck_assert(!standing_claim_trial(&one, NOW_MS));
    doubt();
    ck_assert(!standing_claim_trial(&one, NOW_MS));
    set_up();
    make_failing();
    for (uint64_t now_ms = NOW_MS; now_ms < NOW_MS + 2000; now_ms += 10)
        for (int worker = 0; worker < 4; worker++)
            trials += standing_claim_trial(&one, now_ms);
    ck_assert_uint_eq(trials, 8);
}

TEST(a_probe_is_due_at_once_and_then_twice_a_second_for_one_worker)
{
    unsigned probes = 0;

    ck_assert(!standing_claim_probe(&one, NOW_MS));
    doubt();
    for (uint64_t now_ms = NOW_MS; now_ms < NOW_MS + 2000; now_ms += 10)
        for (int worker = 0; worker < 4; worker++)
            probes += standing_claim_probe(&one, now_ms);
    ck_assert_uint_eq(probes, 4);
}

TEST(doubts_that_come_and_go_make_no_more_probes)
{
    unsigned probes = 0;

    for (uint64_t now_ms = NOW_MS; now_ms < NOW_MS + 2000; now_ms += 10) {
        for (int i = 0; i < STANDING_SILENT_MOST; i++)
            standing_on_silence(&one, now_ms, now_ms);
        probes += standing_claim_probe(&one, now_ms);
        standing_on_reply(&one, true, now_ms - 1);
    }
    ck_assert_uint_eq(probes, 4);
}

TEST(a_quirk_is_known_for_a_while_once_two_names_needed_it)
{
    struct quirk quirk = {.name = 0};

    quirk_note(&quirk, 7, NOW_MS);
    quirk_note(&quirk, 7, NOW_MS);
    ck_assert(!quirk_is_known(&quirk, NOW_MS));
    quirk_deny(&quirk);
    quirk_note(&quirk, 8, NOW_MS);
    ck_assert(!quirk_is_known(&quirk, NOW_MS));
    quirk_note(&quirk, 0, NOW_MS);
    ck_assert(quirk_is_known(&quirk, NOW_MS + QUIRK_MS - 1));
    ck_assert(!quirk_is_known(&quirk, NOW_MS + QUIRK_MS));
}

/* ---- A list of servers ---- */

static struct upstream first[] = {{.text = "10.0.0.2"}, {.text = "1.1.1.1"}};
static struct upstream second[] = {{.text = "1.1.1.1"}, {.text = "9.9.9.9"}};
static struct upstream_zone first_zone = {.zone = ".", .upstreams = {.items = first, .count = 2}};
static struct upstream_zone second_zone = {.zone = ".", .upstreams = {.items = second, .count = 2}};
static const struct upstream_zones before = {.items = &first_zone, .count = 1};
static const struct upstream_zones after = {.items = &second_zone, .count = 1};

static void read_endpoints(struct upstream *upstreams)
{
    for (size_t i = 0; i < 2; i++)
        ck_assert(endpoint_read(upstreams[i].text, 53, &upstreams[i].endpoint));
}

TEST(a_server_that_the_next_list_names_too_keeps_its_standing)
{
    struct err err;

    read_endpoints(first);
    read_endpoints(second);
    struct standings *old = standings_new(&before, NULL, 0, &err);
    ck_assert_uint_eq(old->count, 2);
    quirk_note(&old->items[1]->no_edns, 1, NOW_MS);
    quirk_note(&old->items[1]->no_edns, 2, NOW_MS);
    struct standings *next = standings_new(&after, old, 0, &err);
    ck_assert_uint_eq(next->count, 2);
    ck_assert_ptr_eq(next->items[0], old->items[1]);
    ck_assert_ptr_ne(next->items[1], old->items[0]);
    ck_assert(!quirk_is_known(&next->items[1]->no_edns, NOW_MS));
    standings_release(old);
    ck_assert(quirk_is_known(&next->items[0]->no_edns, NOW_MS));
    standings_release(standings_hold(next));
    standings_release(next);
    standings_release(NULL);
    ck_assert_ptr_null(standings_hold(NULL));
}
