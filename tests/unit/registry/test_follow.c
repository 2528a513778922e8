#include "registry/follow.h"

#include <stdio.h>
#include <string.h>

#include "support/suite.h"

/* ---- a follower, and what it decides as a text ---- */

static const char *const endpoints[] = {"http://a:1", "http://b:1", "http://c:1"};
static struct follow follow;
static char actions[256];
static char told[FOLLOW_TEXT_OCTETS];
static uint64_t now;

static const struct follow_position known = {
    .cluster = 0xc1, .id = "one", .revision = 100, .seen_revision = 90, .seen_hash = 7};

static const char *word_of(const struct follow_action *action, char text[32])
{
    static const char *const words[] = {
        [FOLLOW_CLOSE] = "close",
        [FOLLOW_LOGIN] = "login",
        [FOLLOW_STOP] = "stop",
        [FOLLOW_PING] = "ping",
    };

    switch (action->kind) {
    case FOLLOW_OPEN:
        snprintf(text, 32, "open %s", endpoints[action->number] + 7);
        return text;
    case FOLLOW_GREET:
        return action->is_alone ? "greet-alone" : "greet";
    case FOLLOW_READ:
        snprintf(text, 32, "read%s %u", action->distrusts ? "-all" : "", (unsigned)action->number);
        return text;
    case FOLLOW_WATCH:
        snprintf(text, 32, "watch %u", (unsigned)action->number);
        return text;
    case FOLLOW_NOTIFY:
        snprintf(text, 32, "notify %d", (int)action->event);
        memcpy(told, action->text, sizeof told);
        return text;
    default:
        return words[action->kind];
    }
}

/* Takes what was decided: words with commas between. */
static const char *decided(void)
{
    struct follow_action action;
    char text[32];

    actions[0] = '\0';
    while (follow_take(&follow, &action)) {
        const char *word = word_of(&action, text);
        ck_assert_uint_lt(strlen(actions) + strlen(word) + 3, sizeof actions);
        if (actions[0] != '\0')
            strcat(actions, ", ");
        strcat(actions, word);
    }
    return actions;
}

static void begin(const struct follow_position *position, size_t endpoint_count, const char *user)
{
    now = 1000;
    follow_init(&follow,
                &(struct follow_options){.endpoints = endpoints,
                                         .endpoint_count = endpoint_count,
                                         .user = user,
                                         .prefix = "/spacedns/eu/",
                                         .seed = 5},
                position, now);
    follow.has_data = position->revision != 0;
}

static struct etcd_header header(int64_t revision)
{
    return (struct etcd_header){.cluster = 0xc1, .revision = revision};
}

static void greet(int64_t revision, const char *id)
{
    struct etcd_header of = header(revision);

    follow_on_meta(&follow, &of, 1, id, now);
}

static struct etcd_event event(const char *key, const char *value, int64_t revision)
{
    return (struct etcd_event){.is_delete = value == NULL,
                               .pair = {.key = octets_of(key),
                                        .value = octets_of(value == NULL ? "" : value),
                                        .mod_revision = revision}};
}

/* Returns how many events are to be applied; -1: none, whatever came. */
static int watch_response(struct etcd_watch_response response, const struct etcd_event *events,
                          size_t count)
{
    size_t first = 0;

    response.events = events;
    response.count = count;
    if (response.header.cluster == 0)
        response.header.cluster = 0xc1;
    if (!follow_on_watch(&follow, &response, &first, now))
        return -1;
    return (int)(count - first);
}

static int created(int64_t revision)
{
    return watch_response(
        (struct etcd_watch_response){.is_created = true, .header = header(revision)}, NULL, 0);
}

/* A position whose last revision had one event. */
static struct follow_position position_of(const struct etcd_event *last)
{
    struct follow_position position = known;

    position.seen_revision = (uint64_t)last->pair.mod_revision;
    position.seen_hash = follow_hash(last);
    return position;
}

/* Up to a watch that is created and checked. */
static void be_watching(void)
{
    struct etcd_event last = event("/k", "v", 90);
    struct follow_position position = position_of(&last);

    begin(&position, 3, NULL);
    follow_tick(&follow, now);
    follow_on_ready(&follow, now);
    greet(100, "one");
    created(100);
    ck_assert_int_eq(watch_response((struct etcd_watch_response){.header = header(100)}, &last, 1),
                     0);
    ck_assert_int_eq(follow.state, FOLLOW_WATCHING);
    decided();
}

/* ---- the course of a connection ---- */

TEST(with_nothing_to_serve_everything_is_read_at_once)
{
    begin(&(struct follow_position){.revision = 0}, 3, NULL);
    follow_tick(&follow, now);
    ck_assert_str_eq(decided(), "open a:1");
    follow_on_ready(&follow, now);
    ck_assert_str_eq(decided(), "greet-alone");
    greet(50, "one");
    ck_assert_str_eq(decided(), "read 50");
    follow_on_read(&follow, now);
    ck_assert_str_eq(decided(), "watch 50");
    ck_assert_str_eq(follow.position.id, "one");
    ck_assert_uint_eq(follow.position.revision, 50);
    created(50);
    ck_assert_int_eq(follow.state, FOLLOW_WATCHING);
}

TEST(a_watch_is_resumed_at_the_last_revision_that_is_known)
{
    begin(&known, 3, NULL);
    follow_tick(&follow, now);
    follow_on_ready(&follow, now);
    ck_assert_str_eq(decided(), "open a:1, greet");
    greet(120, "one");
    ck_assert_str_eq(decided(), "watch 90");
    created(120);
    ck_assert_int_eq(follow.state, FOLLOW_RESUMING);
}

TEST(what_comes_again_is_passed_over_and_the_rest_is_applied)
{
    struct etcd_event events[] = {event("/a", "1", 90), event("/b", "2", 101),
                                  event("/c", "3", 101)};
    struct follow_position position = position_of(&events[0]);

    begin(&position, 1, NULL);
    follow_tick(&follow, now);
    follow_on_ready(&follow, now);
    greet(110, "one");
    created(110);
    ck_assert_int_eq(watch_response((struct etcd_watch_response){.header = header(500)}, events, 3),
                     2);
    ck_assert_uint_eq(follow.position.revision, 101);
    ck_assert_uint_eq(follow.position.seen_revision, 101);
    ck_assert_uint_eq(follow.position.seen_hash, follow_hash(&events[1]) + follow_hash(&events[2]));
}

/* etcd sends what a watch has missed in batches, each with the newest revision in its header. */
TEST(the_revision_is_that_of_the_last_event_and_not_of_the_header)
{
    struct etcd_event next = event("/a", "1", 105);

    be_watching();
    watch_response((struct etcd_watch_response){.header = header(9000)}, &next, 1);
    ck_assert_uint_eq(follow.position.revision, 105);
}

TEST(progress_moves_the_revision_but_not_what_was_seen)
{
    be_watching();
    ck_assert_int_eq(watch_response((struct etcd_watch_response){.header = header(130)}, NULL, 0),
                     0);
    ck_assert_uint_eq(follow.position.revision, 130);
    ck_assert_uint_eq(follow.position.seen_revision, 90);
}

/* etcd 3.4 answers requests for progress out of step (etcd #15220). */
TEST(events_that_come_after_their_progress_count)
{
    struct etcd_event late = event("/a", "1", 125);

    be_watching();
    watch_response((struct etcd_watch_response){.header = header(130)}, NULL, 0);
    ck_assert_int_eq(watch_response((struct etcd_watch_response){.header = header(125)}, &late, 1),
                     1);
    ck_assert_uint_eq(follow.position.revision, 130);
    ck_assert_uint_eq(follow.position.seen_revision, 125);
}

TEST(events_that_are_known_are_not_applied_twice)
{
    struct etcd_event events[] = {event("/a", "1", 90), event("/b", "2", 101)};

    be_watching();
    ck_assert_int_eq(watch_response((struct etcd_watch_response){.header = header(101)}, events, 2),
                     1);
    ck_assert_int_eq(watch_response((struct etcd_watch_response){.header = header(101)}, events, 2),
                     0);
}

/* etcd 3.4 passes over a deletion that history is compacted to, but refuses the revision before. */
TEST(a_watch_is_resumed_before_a_deletion_and_passes_over_what_comes_first)
{
    struct etcd_event events[] = {event("/a", "1", 89), event("/b", NULL, 90),
                                  event("/c", "3", 101)};
    struct follow_position position = position_of(&events[1]);

    position.has_seen_deletion = true;
    begin(&position, 1, NULL);
    follow_tick(&follow, now);
    follow_on_ready(&follow, now);
    greet(110, "one");
    ck_assert_str_eq(decided(), "open a:1, greet, watch 89");
    created(110);
    ck_assert_int_eq(watch_response((struct etcd_watch_response){.header = header(110)}, events, 1),
                     -1);
    ck_assert_int_eq(follow.state, FOLLOW_RESUMING);
    ck_assert_int_eq(
        watch_response((struct etcd_watch_response){.header = header(110)}, events + 1, 2), 1);
    ck_assert_int_eq(follow.state, FOLLOW_WATCHING);
    ck_assert(!follow.position.has_seen_deletion);
}

/* ---- another history ---- */

static void reach_resuming(int64_t revision)
{
    begin(&known, 2, NULL);
    follow_tick(&follow, now);
    follow_on_ready(&follow, now);
    greet(revision, "one");
    created(revision);
    decided();
}

TEST(another_content_of_the_known_revision_is_another_history)
{
    struct etcd_event other = event("/a", "other", 90);

    reach_resuming(120);
    ck_assert_int_eq(watch_response((struct etcd_watch_response){.header = header(120)}, &other, 1),
                     -1);
    ck_assert_str_eq(decided(), "notify 3, stop");
    ck_assert_int_eq(follow.state, FOLLOW_SPREADING);
    ck_assert(follow.distrusts);
}

TEST(a_known_revision_that_does_not_come_is_another_history)
{
    struct etcd_event later = event("/a", "1", 101);

    reach_resuming(120);
    ck_assert_int_eq(watch_response((struct etcd_watch_response){.header = header(120)}, &later, 1),
                     -1);
    ck_assert_str_eq(decided(), "notify 3, stop");
}

/* etcd 3.4 passes over a deletion that history was compacted to, in silence. */
TEST(silence_after_a_resume_is_another_history)
{
    reach_resuming(120);
    follow_tick(&follow, now + FOLLOW_RESUME_MS - 1);
    ck_assert_int_eq(follow.state, FOLLOW_RESUMING);
    follow_tick(&follow, now + FOLLOW_RESUME_MS);
    ck_assert_int_eq(follow.state, FOLLOW_SPREADING);
}

TEST(a_registry_behind_ours_went_back)
{
    begin(&known, 2, NULL);
    follow_tick(&follow, now);
    follow_on_ready(&follow, now);
    decided();
    greet(99, "one");
    ck_assert_str_eq(decided(), "notify 3, stop");
    ck_assert_ptr_nonnull(strstr(told, "went back: it is at revision 99 and was at 100"));
}

TEST(a_watch_that_is_created_behind_ours_went_back)
{
    begin(&known, 2, NULL);
    follow_tick(&follow, now);
    follow_on_ready(&follow, now);
    greet(100, "one");
    decided();
    ck_assert_int_eq(created(60), -1);
    ck_assert_str_eq(decided(), "notify 3, stop");
}

TEST(another_id_is_another_registry)
{
    begin(&known, 2, NULL);
    follow_tick(&follow, now);
    follow_on_ready(&follow, now);
    decided();
    greet(120, "two");
    ck_assert_str_eq(decided(), "notify 4, stop");
    ck_assert_str_eq(follow.position.id, "one");
}

TEST(without_an_id_where_there_was_one_nothing_is_read)
{
    begin(&known, 2, NULL);
    follow_tick(&follow, now);
    follow_on_ready(&follow, now);
    decided();
    greet(120, "");
    ck_assert_str_eq(decided(), "notify 4, close");
    ck_assert_ptr_nonnull(strstr(told, "no key /spacedns/eu/meta"));
    ck_assert_int_eq(follow.state, FOLLOW_DOWN);
}

TEST(another_cluster_is_another_registry)
{
    struct etcd_header other = {.cluster = 0xc2, .revision = 120};

    begin(&known, 2, NULL);
    follow_tick(&follow, now);
    follow_on_ready(&follow, now);
    decided();
    follow_on_meta(&follow, &other, 1, "one", now);
    ck_assert_str_eq(decided(), "notify 4, stop");
}

TEST(another_history_is_read_in_full_after_a_while_and_taken_then)
{
    begin(&known, 2, NULL);
    follow_tick(&follow, now);
    follow_on_ready(&follow, now);
    greet(120, "two");
    decided();
    uint64_t due = follow.due_ms;
    ck_assert_uint_le(due, now + FOLLOW_SPREAD_MS);
    follow_on_word(&follow, due);
    follow_tick(&follow, due);
    ck_assert_str_eq(decided(), "greet");
    greet(125, "two");
    ck_assert_str_eq(decided(), "read-all 125");
    follow_on_read(&follow, due);
    ck_assert_str_eq(decided(), "watch 125");
    ck_assert_str_eq(follow.position.id, "two");
}

TEST(who_waits_has_it_read_at_once)
{
    reach_resuming(120);
    follow_tick(&follow, now + FOLLOW_RESUME_MS);
    ck_assert_int_eq(follow.state, FOLLOW_SPREADING);
    decided();
    follow_hurry(&follow, now);
    ck_assert_uint_eq(follow_next_ms(&follow), now);
    follow_tick(&follow, now);
    ck_assert_str_eq(decided(), "greet");
}

TEST(who_waits_has_a_member_tried_at_once)
{
    begin(&known, 2, NULL);
    follow_tick(&follow, now);
    follow_on_ready(&follow, now);
    follow_on_failure(&follow, ETCD_PERMISSION_DENIED, "permission denied", now);
    decided();
    ck_assert_uint_ge(follow_next_ms(&follow), now + FOLLOW_SLOW_MS);
    follow_hurry(&follow, now);
    follow_tick(&follow, now);
    ck_assert_str_eq(decided(), "open b:1");
}

TEST(who_waits_while_it_connects_has_another_registry_read_at_once)
{
    begin(&known, 2, NULL);
    follow_tick(&follow, now);
    follow_hurry(&follow, now);
    follow_on_ready(&follow, now);
    greet(120, "two");
    ck_assert_int_eq(follow.state, FOLLOW_SPREADING);
    ck_assert_uint_eq(follow_next_ms(&follow), now);
    follow_tick(&follow, now);
    greet(120, "two");
    follow_on_read(&follow, now);
    created(120);
    ck_assert_int_eq(follow.state, FOLLOW_WATCHING);
    /* Only then: the next full read is spread again. */
    decided();
    watch_response((struct etcd_watch_response){.header = header(500), .compact_revision = 400},
                   NULL, 0);
    ck_assert_uint_gt(follow_next_ms(&follow), now);
}

TEST(nobody_hurries_what_is_under_way)
{
    be_watching();
    uint64_t due_ms = follow_next_ms(&follow);
    follow_hurry(&follow, now);
    ck_assert_uint_eq(follow_next_ms(&follow), due_ms);
}

TEST(a_compacted_watch_reads_in_full)
{
    be_watching();
    ck_assert_int_eq(watch_response((struct etcd_watch_response){.header = header(500),
                                                                 .is_canceled = true,
                                                                 .compact_revision = 400,
                                                                 .reason = ""},
                                    NULL, 0),
                     -1);
    ck_assert_str_eq(decided(), "notify 3, stop");
    ck_assert_int_eq(follow.state, FOLLOW_SPREADING);
    ck_assert(!follow.distrusts);
}

/* One message may create the watch and cancel it. */
TEST(a_watch_that_is_created_and_canceled_at_once_was_refused)
{
    reach_resuming(120);
    ck_assert_int_eq(watch_response((struct etcd_watch_response){.header = header(120),
                                                                 .is_created = true,
                                                                 .is_canceled = true,
                                                                 .compact_revision = 110,
                                                                 .reason = ""},
                                    NULL, 0),
                     -1);
    ck_assert_int_eq(follow.state, FOLLOW_SPREADING);
}

TEST(a_read_that_is_compacted_begins_again)
{
    begin(&(struct follow_position){.revision = 0}, 1, NULL);
    follow_tick(&follow, now);
    follow_on_ready(&follow, now);
    greet(50, "one");
    decided();
    follow_on_failure(&follow, ETCD_OUT_OF_RANGE,
                      "etcdserver: mvcc: required revision has been "
                      "compacted",
                      now);
    ck_assert_str_eq(decided(), "stop, greet-alone");
}

TEST(another_id_while_it_is_watched_is_another_registry)
{
    be_watching();
    follow_on_meta_change(&follow, 1, "one", now);
    ck_assert_str_eq(decided(), "");
    follow_on_meta_change(&follow, 1, "two", now);
    ck_assert_str_eq(decided(), "notify 4, stop");
}

/* What comes behind another id waits for the full read, ids too. */
TEST(ids_that_change_and_change_are_told_once)
{
    be_watching();
    for (int i = 0; i < 2 * FOLLOW_ACTIONS_MOST; i++)
        follow_on_meta_change(&follow, i % 2 == 0 ? 1 : 2, "two", now);
    ck_assert_str_eq(decided(), "notify 4, stop");
    ck_assert_int_eq(follow.state, FOLLOW_SPREADING);
}

/* A member, or a proxy before it, that takes watches and ends them. */
TEST(watches_that_do_not_last_are_tried_slower_and_told_once)
{
    unsigned told_count = 0;

    be_watching();
    follow.position.seen_revision = 0;
    now += 60000;
    follow_on_lost(&follow, "gone", now);
    told_count += strstr(decided(), "notify") != NULL;
    ck_assert_uint_le(follow.due_ms, now + FOLLOW_BACKOFF_LEAST_MS);
    for (int i = 0; i < 10; i++) {
        now = follow.due_ms;
        follow_tick(&follow, now);
        follow_on_ready(&follow, now);
        greet(100, "one");
        created(100);
        ck_assert_int_eq(follow.state, FOLLOW_WATCHING);
        decided();
        follow_on_lost(&follow, "gone again", now);
        told_count += strstr(decided(), "notify") != NULL;
    }
    ck_assert_uint_ge(follow.due_ms, now + FOLLOW_BACKOFF_MOST_MS / 2);
    ck_assert_uint_eq(told_count, 1);
    ck_assert_ptr_nonnull(strstr(follow.problem, "gone again"));
}

TEST(a_format_that_is_not_known_changes_nothing)
{
    struct etcd_header of = header(120);

    begin(&known, 2, NULL);
    follow_tick(&follow, now);
    follow_on_ready(&follow, now);
    decided();
    follow_on_meta(&follow, &of, 2, "one", now);
    ck_assert_str_eq(decided(), "notify 6, close");
    ck_assert_uint_ge(follow.due_ms, now + FOLLOW_SLOW_MS);
    ck_assert_uint_eq(follow.position.revision, 100);
}

/* ---- time ---- */

static const struct {
    enum follow_state state;
    uint64_t after_ms;
} deadlines[] = {
    {FOLLOW_OPENING, FOLLOW_OPEN_MS},
    {FOLLOW_LOGGING_IN, FOLLOW_REPLY_MS},
    {FOLLOW_GREETING, FOLLOW_REPLY_MS},
};

static void reach(enum follow_state state)
{
    begin(&known, 2, "replica");
    follow_tick(&follow, now);
    if (state > FOLLOW_OPENING)
        follow_on_ready(&follow, now);
    if (state > FOLLOW_LOGGING_IN)
        follow_on_token(&follow, now);
    decided();
    ck_assert_int_eq(follow.state, state);
}

TEST_OVER(a_member_has_only_so_long, deadlines)
{
    reach(deadlines[_i].state);
    ck_assert_uint_eq(follow_next_ms(&follow), now + deadlines[_i].after_ms);
    follow_tick(&follow, now + deadlines[_i].after_ms - 1);
    ck_assert_str_eq(decided(), "");
    follow_tick(&follow, now + deadlines[_i].after_ms);
    ck_assert_str_eq(decided(), "notify 1, close");
}

TEST(a_quiet_member_gets_a_ping_after_6_s_and_has_2_s)
{
    be_watching();
    follow_on_word(&follow, now);
    ck_assert_uint_eq(follow_next_ms(&follow), now + 6000);
    follow_tick(&follow, now + 5999);
    ck_assert_str_eq(decided(), "");
    follow_tick(&follow, now + 6000);
    ck_assert_str_eq(decided(), "ping");
    follow_tick(&follow, now + 7999);
    ck_assert_str_eq(decided(), "");
    follow_tick(&follow, now + 8000);
    ck_assert_str_eq(decided(), "notify 1, close");
}

TEST(a_pong_is_a_word)
{
    be_watching();
    follow_on_word(&follow, now);
    follow_tick(&follow, now + 6000);
    follow_on_pong(&follow, now + 6500);
    decided();
    ck_assert_uint_eq(follow_next_ms(&follow), now + 12500);
    follow_tick(&follow, now + 12499);
    ck_assert_str_eq(decided(), "");
}

TEST(attempts_go_around_the_endpoints_with_growing_pauses)
{
    static const char *const opened[] = {"open b:1", "open c:1", "open a:1", "open b:1",
                                         "open c:1", "open a:1", "open b:1"};
    uint64_t backoff = FOLLOW_BACKOFF_LEAST_MS;

    begin(&known, 3, NULL);
    follow_tick(&follow, now);
    decided();
    for (size_t i = 0; i < sizeof opened / sizeof opened[0]; i++) {
        follow_on_lost(&follow, "connection refused", now);
        decided();
        ck_assert_uint_ge(follow.due_ms, now + backoff / 2);
        ck_assert_uint_le(follow.due_ms, now + backoff);
        now = follow.due_ms;
        follow_tick(&follow, now);
        ck_assert_str_eq(decided(), opened[i]);
        backoff = backoff * 2 > FOLLOW_BACKOFF_MOST_MS ? FOLLOW_BACKOFF_MOST_MS : backoff * 2;
    }
}

TEST(a_loss_is_one_line_and_one_a_minute)
{
    begin(&known, 1, NULL);
    follow_tick(&follow, now);
    decided();
    follow_on_lost(&follow, "connection refused", now);
    ck_assert_str_eq(decided(), "notify 1, close");
    ck_assert_ptr_nonnull(strstr(told, "http://a:1: connection refused; answers stay as they were "
                                       "at revision 100"));
    now += 2000;
    follow_tick(&follow, now);
    follow_on_lost(&follow, "connection refused", now);
    ck_assert_str_eq(decided(), "open a:1, close");
    now += 60000;
    follow_tick(&follow, now);
    follow_on_lost(&follow, "connection refused", now);
    ck_assert_str_eq(decided(), "open a:1, notify 1, close");
}

TEST(a_replica_goes_back_to_the_first_endpoint)
{
    begin(&known, 3, NULL);
    follow_tick(&follow, now);
    follow_on_lost(&follow, "x", now);
    now = follow.due_ms;
    follow_tick(&follow, now);
    follow_on_ready(&follow, now);
    follow.position.seen_revision = 0;
    greet(100, "one");
    created(100);
    decided();
    uint64_t home = follow.home_ms;
    ck_assert_uint_ge(home, now + FOLLOW_HOME_MS);
    ck_assert_uint_le(home, now + 2 * (uint64_t)FOLLOW_HOME_MS);
    follow_on_word(&follow, home);
    follow_tick(&follow, home);
    ck_assert_str_eq(decided(), "close");
    follow_tick(&follow, home);
    ck_assert_str_eq(decided(), "open a:1");
}

TEST(one_that_is_at_the_first_endpoint_stays)
{
    be_watching();
    uint64_t home = follow.home_ms;
    follow_on_word(&follow, home);
    follow_tick(&follow, home);
    ck_assert_str_eq(decided(), "");
    ck_assert_uint_gt(follow.home_ms, home);
}

TEST(replicas_that_may_start_anywhere_do)
{
    unsigned seen = 0;

    for (uint64_t seed = 1; seed < 64; seed++) {
        follow_init(&follow,
                    &(struct follow_options){.endpoints = endpoints,
                                             .endpoint_count = 3,
                                             .starts_anywhere = true,
                                             .seed = seed * 7919},
                    &known, 0);
        seen |= 1U << follow.endpoint;
    }
    ck_assert_uint_eq(seen, 7);
}

/* ---- logging in, and rights ---- */

TEST(a_login_comes_before_everything)
{
    begin(&known, 1, "replica");
    follow_tick(&follow, now);
    follow_on_ready(&follow, now);
    ck_assert_str_eq(decided(), "open a:1, login");
    follow_on_token(&follow, now);
    ck_assert_str_eq(decided(), "greet");
}

TEST(a_server_without_logins_needs_none)
{
    begin(&known, 1, "replica");
    follow_tick(&follow, now);
    follow_on_ready(&follow, now);
    decided();
    follow_on_failure(&follow, ETCD_FAILED_PRECONDITION,
                      "etcdserver: authentication is not enabled", now);
    ck_assert_str_eq(decided(), "greet");
}

TEST(a_token_that_has_run_out_is_renewed)
{
    begin(&known, 1, "replica");
    follow_tick(&follow, now);
    follow_on_ready(&follow, now);
    follow_on_token(&follow, now);
    greet(100, "one");
    decided();
    now += 400000;
    follow_on_failure(&follow, ETCD_UNAUTHENTICATED, "etcdserver: invalid auth token", now);
    ck_assert_str_eq(decided(), "stop, login");
    follow_on_token(&follow, now);
    ck_assert_str_eq(decided(), "greet");
}

static const struct {
    const char *user;
    enum etcd_status status;
    const char *text, *named[3];
} refusals[] = {
    {"replica",
     ETCD_INVALID_ARGUMENT,
     "etcdserver: authentication failed, invalid user ID or password",
     {"user replica", "registry.password_file", "http://a:1"}},
    {NULL,
     ETCD_INVALID_ARGUMENT,
     "etcdserver: user name is empty",
     {"registry.user", "certificate", "http://a:1"}},
    {"replica",
     ETCD_PERMISSION_DENIED,
     "etcdserver: permission denied",
     {"user replica", "read the keys below /spacedns/eu/",
      "etcdctl role grant-permission ROLE read --prefix=true /spacedns/eu/"}},
    {NULL,
     ETCD_PERMISSION_DENIED,
     "etcdserver: permission denied",
     {"CN of its certificate", "/spacedns/eu/", "http://a:1"}},
};

TEST_OVER(a_refusal_says_who_may_not_do_what, refusals)
{
    begin(&known, 2, refusals[_i].user);
    follow_tick(&follow, now);
    follow_on_ready(&follow, now);
    if (refusals[_i].status == ETCD_PERMISSION_DENIED && refusals[_i].user != NULL)
        follow_on_token(&follow, now);
    decided();
    follow_on_failure(&follow, refusals[_i].status, refusals[_i].text, now);
    ck_assert_str_eq(decided(), "notify 5, close");
    for (size_t i = 0; i < 3; i++)
        ck_assert_msg(strstr(told, refusals[_i].named[i]) != NULL, "%s", told);
    ck_assert_uint_ge(follow.due_ms, now + FOLLOW_SLOW_MS);
    ck_assert_str_eq(follow.problem, told);
}

TEST(a_watch_without_the_right_is_a_refusal)
{
    reach_resuming(120);
    watch_response((struct etcd_watch_response){.header = header(120),
                                                .is_created = true,
                                                .is_canceled = true,
                                                .reason = "etcdserver: permission denied"},
                   NULL, 0);
    ck_assert_str_eq(decided(), "notify 5, close");
}

/* ---- what nobody should send ---- */

static const struct {
    int64_t revisions[3];
    bool is_fragment;
} disorders[] = {
    {{101, 103, 102}, false},
    {{101, 0, 102}, false},
    {{101, -5, 102}, false},
    {{101, 102, 103}, true},
};

TEST_OVER(events_in_pieces_or_out_of_order_end_the_connection, disorders)
{
    struct etcd_event events[3];

    be_watching();
    for (size_t i = 0; i < 3; i++)
        events[i] = event("/a", "1", disorders[_i].revisions[i]);
    ck_assert_int_eq(
        watch_response((struct etcd_watch_response){.header = header(200),
                                                    .is_fragment = disorders[_i].is_fragment},
                       events, 3),
        -1);
    ck_assert_str_eq(decided(), "notify 1, close");
    ck_assert_uint_eq(follow.position.revision, 100);
}

TEST(a_response_of_another_cluster_ends_the_connection)
{
    struct etcd_event next = event("/a", "1", 101);

    be_watching();
    ck_assert_int_eq(
        watch_response((struct etcd_watch_response){.header = {.cluster = 5, .revision = 101}},
                       &next, 1),
        -1);
    ck_assert_str_eq(decided(), "notify 1, close");
    ck_assert_uint_eq(follow.position.revision, 100);
}

TEST(nothing_is_believed_while_it_is_down)
{
    struct etcd_event next = event("/a", "1", 101);

    be_watching();
    follow_on_lost(&follow, "x", now);
    decided();
    ck_assert_int_eq(watch_response((struct etcd_watch_response){.header = header(101)}, &next, 1),
                     -1);
    greet(200, "one");
    follow_on_token(&follow, now);
    follow_on_read(&follow, now);
    follow_on_lost(&follow, "x", now);
    ck_assert_str_eq(decided(), "");
}

/* ---- versions ---- */

static const struct {
    const char *version;
    bool is_old;
} versions[] = {
    {"3.4.23", true}, {"3.4.34", false}, {"3.5.15", true}, {"3.5.16", false}, {"3.6.0", false},
    {"3.3.10", true}, {"4.0.0", false},  {"2.3.8", true},  {"", false},       {"strange", false},
};

TEST_OVER(versions_with_known_faults_are_old, versions)
{
    const char *why;

    ck_assert(follow_is_old(versions[_i].version, &why) == versions[_i].is_old);
}
