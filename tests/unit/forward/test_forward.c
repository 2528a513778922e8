// wrap: malloc calloc realloc
#include "forward/forward.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forward/forward_report.h"
#include "forward/server_list.h"
#include "support/allocations.h"
#include "support/capture.h"
#include "support/forward_rig.h"
#include "support/suite.h"

enum { RCODE_SERVFAIL = 2, RCODE_NXDOMAIN = 3, RCODE_REFUSED = 5, TTL = 60, DAY = 86400 };

static const char www[] = "www.example.org";
static struct forward_rig stand;

static void set_up(void)
{
    forward_rig_init(&stand);
}

/* Every test ends with nothing left open. */
static void tear_down(void)
{
    forward_rig_close(&stand);
}

/* Passes the deadlines of waiters, and then of lingering fetches. */
static void pass_window(void)
{
    forward_rig_pass(&stand, FETCH_WINDOW_MS + FETCH_TICK_MS);
}

/* Caches an answer for www that is fresh for TTL seconds from now. */
static void keep_www(uint8_t route)
{
    ck_assert(!forward_rig_ask(&stand, www, route));
    forward_rig_answer(&stand, forward_rig_last(&stand));
    ck_assert(!forward_is_busy(stand.forward));
    stand.notified = 0;
}

/* ---- Cached ---- */

FIXTURE(set_up, tear_down)

TEST(an_answer_is_passed_on_and_cached)
{
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_REST));
    ck_assert_uint_eq(forward_rig_counted(&stand, COUNTER_FORWARD_MISSES), 1);
    ck_assert_uint_eq(stand.notified, 0);
    forward_rig_answer(&stand, 0);
    ck_assert_uint_eq(stand.notified, 1);
    forward_rig_assert_new(&stand, "10.0.0.2");
    forward_rig_skip(&stand, 23);
    ck_assert(forward_rig_ask(&stand, www, ROUTE_REST));
    forward_rig_assert_fresh(&stand, 23);
    ck_assert_uint_eq(stand.last.answers, 1);
    ck_assert_uint_eq(forward_rig_counted(&stand, COUNTER_FORWARD_HITS), 1);
    ck_assert_uint_eq(stand.scripted.count, 1);
    ck_assert_uint_eq(forward_cache_use(stand.forward).entries, 1);
}

TEST(all_waiters_are_notified_together)
{
    for (int i = 0; i < 5; i++)
        ck_assert(!forward_rig_ask(&stand, www, ROUTE_REST));
    ck_assert_uint_eq(stand.scripted.count, 1);
    forward_rig_answer(&stand, 0);
    ck_assert_uint_eq(stand.notified, 5);
    ck_assert_uint_eq(forward_rig_counted(&stand, COUNTER_FORWARD_MISSES), 5);
    ck_assert_uint_eq(forward_rig_counted(&stand, COUNTER_FORWARD_JOINED), 4);
}

TEST(each_zone_has_its_servers)
{
    static const char *const names[] = {"a.corp.example", "a.lab.example", "a.example"};
    static const uint8_t servers[] = {RESOLVER_CORP, RESOLVER_FIRST, RESOLVER_FIRST};

    for (uint8_t route = 0; route < 3; route++) {
        ck_assert(!forward_rig_ask(&stand, names[route], route));
        ck_assert_uint_eq(forward_rig_sent(&stand, route)->server, servers[route]);
        forward_rig_answer(&stand, route);
    }
}

TEST(a_cached_answer_comes_with_the_server_that_gave_it)
{
    static const char *const names[] = {"a.corp.example", "a.lab.example", "a.example"};
    static const char *const servers[] = {"192.168.7.53", "10.0.0.2", "10.0.0.2"};

    for (uint8_t route = 0; route < 3; route++) {
        ck_assert(!forward_rig_ask(&stand, names[route], route));
        forward_rig_answer(&stand, route);
        ck_assert(forward_rig_ask(&stand, names[route], route));
        ck_assert(stand.last.found.is_cached);
        ck_assert_str_eq(stand.last.found.server, servers[route]);
    }
}

TEST(a_missing_name_is_cached_for_its_soas_minimum)
{
    struct scripted_reply missing = {.rcode = RCODE_NXDOMAIN, .has_soa = true, .ttl_seconds = TTL};

    ck_assert(!forward_rig_ask(&stand, www, ROUTE_REST));
    forward_rig_reply(&stand, 0, &missing);
    forward_rig_assert_new(&stand, "10.0.0.2");
    ck_assert_uint_eq(stand.last.rcode, RCODE_NXDOMAIN);
    ck_assert(forward_rig_ask(&stand, www, ROUTE_REST));
    ck_assert_uint_eq(stand.last.rcode, RCODE_NXDOMAIN);
    missing.has_soa = false;
    ck_assert(!forward_rig_ask(&stand, "other.example.org", ROUTE_REST));
    forward_rig_reply(&stand, 1, &missing);
    ck_assert(!forward_rig_ask(&stand, "other.example.org", ROUTE_REST));
    forward_rig_answer(&stand, 2);
}

/* TTLs that forbid caching. */
static const uint32_t zero_ttls[] = {0, UINT32_C(1) << 31, UINT32_MAX};

TEST_OVER(an_answer_that_must_not_be_cached_goes_to_all_waiters, zero_ttls)
{
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_REST));
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_REST));
    forward_rig_reply(
        &stand, 0,
        &(struct scripted_reply){.address = FORWARD_RIG_ADDRESS, .ttl_seconds = zero_ttls[_i]});
    ck_assert_uint_eq(stand.notified, 2);
    forward_rig_assert_new(&stand, "10.0.0.2");
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_REST));
    forward_rig_answer(&stand, 1);
}

/* True when a request that arrived in that second and has waited for it finds it. */
static bool is_found_since(uint32_t since_s)
{
    struct scripted_question asked;
    struct forward_result found = {.is_stale = true};

    return forward_find_since(stand.forward, scripted_ask(&asked, www), ROUTE_REST, since_s,
                              &found) &&
           found.response != NULL && !found.is_stale && found.failure == FORWARD_NO_FAILURE;
}

TEST_LOOP(an_answer_with_any_ttl_serves_a_request_that_waited_for_it, 0, 3)
{
    uint32_t since_s = forward_now_s(stand.forward);

    ck_assert(!forward_rig_ask(&stand, www, ROUTE_REST));
    ck_assert(!is_found_since(since_s));
    forward_rig_reply(
        &stand, 0,
        &(struct scripted_reply){.address = FORWARD_RIG_ADDRESS, .ttl_seconds = (uint32_t)_i});
    for (unsigned seconds = 0; seconds < 40; seconds++) {
        ck_assert(is_found_since(since_s));
        ck_assert(is_found_since(since_s + 1) == (seconds < (unsigned)_i));
        forward_rig_skip(&stand, 1);
    }
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_REST));
}

TEST(an_answer_to_another_question_is_never_cached)
{
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_REST));
    forward_rig_reply(&stand, 0,
                      &(struct scripted_reply){.address = FORWARD_RIG_ADDRESS,
                                               .ttl_seconds = TTL,
                                               .has_wrong_question = true});
    ck_assert_uint_eq(stand.notified, 0);
    ck_assert_uint_eq(forward_cache_use(stand.forward).entries, 0);
    ck_assert_uint_eq(forward_rig_counted(&stand, COUNTER_FORWARD_FOREIGN), 1);
    forward_rig_answer(&stand, 0);
    ck_assert_uint_eq(stand.notified, 1);
}

TEST(a_loop_of_cnames_is_passed_on_and_not_cached)
{
    static const uint8_t loop[] = "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\2\xc0\x0c";
    uint8_t octets[SCRIPTED_REPLY_OCTETS_MOST];

    ck_assert(!forward_rig_ask(&stand, www, ROUTE_REST));
    size_t length =
        scripted_write(forward_rig_sent(&stand, 0), &(struct scripted_reply){.rcode = 0}, octets);
    length -= 11; /* without OPT, and with one answer instead */
    octets[7] = 1;
    octets[11] = 0;
    memcpy(octets + length, loop, sizeof loop - 1);
    scripted_deliver(&stand.scripted, 0, octets, length + sizeof loop - 1);
    forward_rig_assert_new(&stand, "10.0.0.2");
    ck_assert_uint_eq(stand.last.answers, 1);
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_REST));
}

/* ---- Refreshed ---- */

TEST(a_name_in_use_is_refreshed_in_the_last_tenth_of_its_ttl)
{
    keep_www(ROUTE_REST);
    forward_rig_skip(&stand, TTL - 7);
    ck_assert(forward_rig_ask(&stand, www, ROUTE_REST));
    ck_assert(forward_rig_ask(&stand, www, ROUTE_REST));
    ck_assert_uint_eq(stand.scripted.count, 1);
    forward_rig_skip(&stand, 1);
    for (int i = 0; i < 3; i++) {
        ck_assert(forward_rig_ask(&stand, www, ROUTE_REST));
        forward_rig_assert_fresh(&stand, TTL - 6);
    }
    ck_assert_uint_eq(stand.scripted.count, 2); /* once */
    ck_assert_uint_eq(forward_rig_counted(&stand, COUNTER_FORWARD_REFRESHES), 1);
    forward_rig_answer(&stand, 1);
    ck_assert_uint_eq(stand.notified, 0);
    ck_assert(forward_rig_ask(&stand, www, ROUTE_REST));
    forward_rig_assert_fresh(&stand, 0);
    forward_rig_skip(&stand, TTL - 1);
    ck_assert(forward_rig_ask(&stand, www, ROUTE_REST));
    ck_assert_uint_eq(stand.scripted.count, 3);
    forward_rig_answer(&stand, 2);
}

TEST(a_name_asked_for_once_is_not_refreshed)
{
    keep_www(ROUTE_REST);
    forward_rig_skip(&stand, TTL - 1);
    ck_assert(forward_rig_ask(&stand, www, ROUTE_REST));
    ck_assert_uint_eq(stand.scripted.count, 1);
    ck_assert(!forward_is_busy(stand.forward));
}

TEST(a_refresh_that_fails_leaves_the_answer_fresh_to_its_end)
{
    keep_www(ROUTE_LAB);
    ck_assert(forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_skip(&stand, TTL - 6);
    ck_assert(forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_pass(&stand, FETCH_PATIENCE_MS);
    ck_assert(forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_assert_fresh(&stand, TTL - 6 + 4);
    pass_window();
    ck_assert(!forward_is_busy(stand.forward));
    ck_assert_uint_eq(stand.notified, 0);
}

/* So that the first client after its end need not wait for it again (RFC 8767 section 5). */
TEST(a_refresh_that_fails_is_remembered_when_the_answer_is_stale)
{
    keep_www(ROUTE_LAB);
    ck_assert(forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_skip(&stand, TTL - 1);
    ck_assert(forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_reply(&stand, 1, &(struct scripted_reply){.rcode = RCODE_SERVFAIL});
    forward_rig_skip(&stand, 1);
    ck_assert(forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_assert_stale(&stand, FORWARD_SERVFAIL, "10.0.0.2");
}

TEST(nothing_is_refreshed_while_all_servers_are_failing)
{
    keep_www(ROUTE_LAB);
    forward_rig_skip(&stand, TTL - 18);
    ck_assert(forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_make_failing(&stand, ROUTE_LAB);
    forward_rig_pass(&stand, 2000);
    uint64_t refreshes = forward_rig_counted(&stand, COUNTER_FORWARD_REFRESHES);
    for (int i = 0; i < 2; i++) {
        ck_assert(forward_rig_ask(&stand, www, ROUTE_LAB));
        forward_rig_assert_fresh(&stand, TTL - 18 + 12);
    }
    ck_assert_uint_eq(forward_rig_counted(&stand, COUNTER_FORWARD_REFRESHES), refreshes);
}

/* ---- Stale ---- */

TEST(a_stale_answer_is_used_when_the_fetch_fails)
{
    keep_www(ROUTE_LAB);
    forward_rig_skip(&stand, 120);
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_LAB));
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_pass(&stand, FETCH_STALE_MS - 1);
    ck_assert_uint_eq(stand.notified, 0);
    forward_rig_pass(&stand, 1);
    ck_assert_uint_eq(stand.notified, 2);
    forward_rig_assert_stale(&stand, FORWARD_SILENT, "10.0.0.2");
    ck_assert_uint_eq(stand.last.found.age_seconds, 121);
    ck_assert_uint_eq(stand.last.answers, 1);
    ck_assert_uint_eq(forward_rig_counted(&stand, COUNTER_FORWARD_STALE), 2);
}

TEST(a_stale_answer_is_used_at_once_while_a_failure_is_cached)
{
    keep_www(ROUTE_LAB);
    forward_rig_skip(&stand, 120);
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_pass(&stand, FETCH_STALE_MS);
    ck_assert(forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_assert_stale(&stand, FORWARD_SILENT, "10.0.0.2");
    ck_assert_uint_eq(forward_rig_counted(&stand, COUNTER_FORWARD_STALE), 2);
    forward_rig_pass(&stand, 2000);
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_LAB)); /* joins what lingers */
    forward_rig_answer(&stand, forward_rig_last(&stand));
    forward_rig_assert_new(&stand, "10.0.0.2");
}

TEST(an_answer_that_comes_after_the_stale_one_was_used_is_cached)
{
    keep_www(ROUTE_LAB);
    forward_rig_skip(&stand, 120);
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_pass(&stand, FETCH_STALE_MS + 1000);
    forward_rig_assert_stale(&stand, FORWARD_SILENT, "10.0.0.2");
    forward_rig_answer(&stand, forward_rig_last(&stand));
    ck_assert_uint_eq(stand.notified, 1);
    ck_assert(forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_assert_fresh(&stand, 0);
    ck_assert_uint_eq(forward_rig_counted(&stand, COUNTER_FORWARD_KEPT_LATE), 1);
}

TEST(a_stale_answer_is_used_at_once_while_all_servers_are_failing)
{
    keep_www(ROUTE_LAB);
    forward_rig_skip(&stand, 120);
    forward_rig_make_failing(&stand, ROUTE_LAB);
    size_t before = stand.scripted.count;
    for (int i = 0; i < 2; i++) {
        ck_assert(forward_rig_ask(&stand, www, ROUTE_LAB));
        forward_rig_assert_stale(&stand, FORWARD_FAILING, "10.0.0.2");
        ck_assert_uint_eq(stand.scripted.count, before + 1); /* tried once, for nobody */
    }
    forward_rig_answer(&stand, forward_rig_probe(&stand));
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_answer(&stand, forward_rig_last(&stand));
    forward_rig_assert_new(&stand, "10.0.0.2");
}

TEST(a_stale_answer_outweighs_an_error_code)
{
    keep_www(ROUTE_LAB);
    forward_rig_skip(&stand, 120);
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_reply(&stand, 1, &(struct scripted_reply){.rcode = RCODE_SERVFAIL, .ede = "no"});
    forward_rig_assert_stale(&stand, FORWARD_SERVFAIL, "10.0.0.2");
    ck_assert_uint_eq(stand.last.rcode, 0);
}

TEST(after_a_day_a_stale_answer_is_gone)
{
    keep_www(ROUTE_LAB);
    forward_rig_skip(&stand, TTL + DAY - 3);
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_pass(&stand, FETCH_STALE_MS);
    forward_rig_assert_stale(&stand, FORWARD_SILENT, "10.0.0.2");
    pass_window();
    forward_rig_skip(&stand, 5);
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_pass(&stand, FETCH_PATIENCE_MS);
    forward_rig_assert_failed(&stand, FORWARD_SILENT, "10.0.0.2");
    ck_assert(!stand.last.has_response);
}

/* ---- Failed ---- */

TEST(without_a_stale_answer_the_deadline_is_longer)
{
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_pass(&stand, FETCH_PATIENCE_MS - 1);
    ck_assert_uint_eq(stand.notified, 0);
    forward_rig_pass(&stand, 1);
    ck_assert_uint_eq(stand.notified, 1);
    forward_rig_assert_failed(&stand, FORWARD_SILENT, "10.0.0.2");
}

TEST(a_failure_is_cached_for_longer_each_time)
{
    static const uint64_t least_seconds[] = {1, 1, 3, 7, 15, 29};

    for (size_t i = 0; i < sizeof least_seconds / sizeof least_seconds[0]; i++) {
        ck_assert(!forward_rig_ask(&stand, www, ROUTE_LAB));
        forward_rig_reply(&stand, forward_rig_last(&stand),
                          &(struct scripted_reply){.rcode = RCODE_REFUSED});
        forward_rig_assert_failed(&stand, FORWARD_REFUSED, "10.0.0.2");
        ck_assert(!stand.last.found.is_cached);
        ck_assert(forward_rig_ask(&stand, www, ROUTE_LAB));
        forward_rig_assert_failed(&stand, FORWARD_REFUSED, "10.0.0.2");
        ck_assert(stand.last.found.is_cached && !stand.last.has_response);
        forward_rig_pass(&stand, 1000 * least_seconds[i]); /* RFC 9520 section 3.2 */
        ck_assert(forward_rig_ask(&stand, www, ROUTE_LAB));
        ck_assert_uint_eq(forward_rig_counted(&stand, COUNTER_FORWARD_UNASKED), 2 * (i + 1));
        forward_rig_skip(&stand, 1);
    }
}

TEST(silence_is_cached_at_the_end_of_the_window)
{
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_LAB));
    pass_window();
    ck_assert(forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_assert_failed(&stand, FORWARD_SILENT, "10.0.0.2");
    ck_assert(stand.last.found.is_cached);
    forward_rig_pass(&stand, 2000);
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_LAB));
}

TEST(a_cached_failure_does_not_prevent_joining_a_lingering_fetch)
{
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_pass(&stand, FETCH_PATIENCE_MS + 500);
    ck_assert_uint_eq(stand.notified, 1);
    size_t sent = stand.scripted.count;
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_LAB));
    ck_assert_uint_eq(stand.scripted.count, sent);
    forward_rig_pass(&stand, 100);
    forward_rig_answer(&stand, 0);
    ck_assert_uint_eq(stand.notified, 2);
    forward_rig_assert_new(&stand, "10.0.0.2");
}

TEST(a_cached_failure_ends_when_a_failing_server_is_back)
{
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_make_failing(&stand, ROUTE_LAB);
    ck_assert(forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_answer(&stand, forward_rig_probe(&stand));
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_LAB)); /* asked at once */
    forward_rig_answer(&stand, forward_rig_last(&stand));
    forward_rig_assert_new(&stand, "10.0.0.2");
}

TEST(a_failure_of_a_later_era_is_cached_too)
{
    forward_rig_make_failing(&stand, ROUTE_LAB);
    forward_rig_answer(&stand, forward_rig_probe(&stand));
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_break_off(&stand, forward_rig_last(&stand), LINK_UNREACHABLE);
    ck_assert(forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_assert_failed(&stand, FORWARD_UNREACHABLE, "10.0.0.2");
}

TEST(an_error_code_stays_cached_when_servers_recover)
{
    forward_rig_make_failing(&stand, ROUTE_CORP);
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_reply(&stand, forward_rig_last(&stand),
                      &(struct scripted_reply){.rcode = RCODE_SERVFAIL, .ede = "no"});
    forward_rig_assert_failed(&stand, FORWARD_SERVFAIL, "10.0.0.2");
    ck_assert(stand.last.has_response);
    ck_assert_uint_eq(stand.last.rcode, RCODE_SERVFAIL);
    ck_assert_str_eq(stand.last.ede, "no");
    forward_rig_answer(&stand, forward_rig_probe(&stand)); /* a new era */
    ck_assert(forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_assert_failed(&stand, FORWARD_SERVFAIL, "10.0.0.2");
    ck_assert(!stand.last.has_response);
}

TEST(no_request_waits_while_all_servers_are_failing_and_each_is_tried_at_intervals)
{
    enum { SERVERS = 2, NAMES = 100 };

    forward_rig_make_failing(&stand, ROUTE_REST);
    size_t before = stand.scripted.count;
    uint64_t unasked = forward_rig_counted(&stand, COUNTER_FORWARD_UNASKED);
    for (int i = 0; i < NAMES; i++) {
        char name[32];
        snprintf(name, sizeof name, "other%d.example", i);
        ck_assert(forward_rig_ask(&stand, name, ROUTE_REST));
        forward_rig_assert_failed(&stand, FORWARD_FAILING, "10.0.0.2");
    }
    ck_assert_uint_eq(stand.scripted.count, before + SERVERS);
    ck_assert_uint_eq(forward_rig_counted(&stand, COUNTER_FORWARD_UNASKED), unasked + NAMES);
}

/* Why a server is failing: each query breaks off for that cause. */
static const struct {
    enum link_failure broken_off;
    enum forward_failure failure;
    const char *cause, *remedy;
} causes[] = {
    {LINK_REFUSED, FORWARD_CLOSED, "cause=\"nobody listens at 10.0.0.2\"",
     "; start the DNS server there, or correct its address and port in the settings, or set"},
    {LINK_UNREACHABLE, FORWARD_UNREACHABLE, "cause=\"cannot reach 10.0.0.2\"",
     "; check this host's route to it and the network between, or set"},
    {LINK_TLS, FORWARD_TLS, "cause=\"no trusted TLS with 10.0.0.2\"",
     "; check its certificate, the name after # in the settings"},
};

TEST_OVER(why_a_server_is_failing_is_logged_and_said_to_clients, causes)
{
    struct capture capture;
    char name[32];

    capture_start(&capture);
    for (unsigned i = 0; i < STANDING_SILENT_MOST; i++) {
        snprintf(name, sizeof name, "n%u.example", i);
        ck_assert(!forward_rig_ask(&stand, name, ROUTE_LAB));
        forward_rig_break_off(&stand, forward_rig_last(&stand), causes[_i].broken_off);
    }
    for (unsigned i = 0; i < STANDING_PROBES_MOST; i++) {
        forward_rig_pass(&stand, STANDING_PROBE_MS);
        forward_rig_break_off(&stand, forward_rig_probe(&stand), causes[_i].broken_off);
    }
    capture_stop(&capture);
    ck_assert_msg(strstr(capture.text, " warning upstream_failing upstream=10.0.0.2 ") != NULL &&
                      strstr(capture.text, causes[_i].cause) != NULL &&
                      strstr(capture.text, causes[_i].remedy) != NULL,
                  "%s", capture.text);
    ck_assert(forward_rig_ask(&stand, "other.example", ROUTE_LAB));
    forward_rig_assert_failed(&stand, causes[_i].failure, "10.0.0.2");
}

TEST(silence_is_logged_as_that)
{
    struct capture capture;

    capture_start(&capture);
    forward_rig_make_failing(&stand, ROUTE_LAB);
    capture_stop(&capture);
    ck_assert_msg(strstr(capture.text, " cause=\"no reply from 10.0.0.2\" text=\"neither ") !=
                          NULL &&
                      strstr(capture.text, "; check that it runs and lets this host ask") != NULL,
                  "%s", capture.text);
}

TEST(a_server_that_answers_clients_and_no_probe_is_well_with_the_first_answer)
{
    forward_rig_make_failing(&stand, ROUTE_LAB);
    ck_assert(forward_rig_ask(&stand, "lame.example", ROUTE_LAB)); /* tried, and silent */
    for (int i = 0; i < 10; i++)
        forward_rig_pass(&stand, STANDING_TRIAL_MS / 10);
    ck_assert(forward_rig_ask(&stand, "good.example", ROUTE_LAB));
    forward_rig_assert_failed(&stand, FORWARD_FAILING, "10.0.0.2");
    forward_rig_answer(&stand, forward_rig_last(&stand));
    ck_assert(forward_rig_ask(&stand, "good.example", ROUTE_LAB));
    forward_rig_assert_fresh(&stand, 0); /* and what came was kept */
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_answer(&stand, forward_rig_last(&stand));
    forward_rig_assert_new(&stand, "10.0.0.2");
}

TEST(a_name_without_reply_in_a_trial_is_asked_like_any_other_when_a_server_is_back)
{
    forward_rig_make_failing(&stand, ROUTE_LAB);
    ck_assert(forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_answer(&stand, forward_rig_probe(&stand));
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_LAB)); /* joins the fetch */
    forward_rig_pass(&stand, FETCH_AGAIN_MS);            /* and has it sent again */
    forward_rig_answer(&stand, forward_rig_last(&stand));
    forward_rig_assert_new(&stand, "10.0.0.2");
}

TEST(a_server_of_one_zone_is_probed_with_its_soa_and_others_with_the_roots_servers)
{
    static const uint8_t corp[] = "\4corp\7example\0\0\6\0\1", root[] = "\0\0\2\0\1";

    forward_rig_make_failing(&stand, ROUTE_CORP);
    ck_assert_mem_eq(forward_rig_sent(&stand, forward_rig_probe(&stand))->octets + 12, corp,
                     sizeof corp - 1);
    forward_rig_answer(&stand, forward_rig_probe(&stand));
    forward_rig_pass(&stand, 1000);
    forward_rig_make_failing(&stand, ROUTE_LAB); /* it is asked for everything, too */
    ck_assert_mem_eq(forward_rig_sent(&stand, forward_rig_probe(&stand))->octets + 12, root,
                     sizeof root - 1);
}

/* ---- Two workers ---- */

static struct forward_rig other;

TEST(a_silent_name_is_not_waited_for_by_each_worker)
{
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_pass(&stand, FETCH_PATIENCE_MS);
    forward_rig_init_beside(&other, &stand);
    ck_assert(forward_rig_ask(&other, www, ROUTE_LAB));
    forward_rig_assert_failed(&other, FORWARD_SILENT, "10.0.0.2");
    ck_assert_uint_eq(other.scripted.count, 0);
    forward_rig_answer(&stand, 0); /* late */
    ck_assert(forward_rig_ask(&other, www, ROUTE_LAB));
    forward_rig_assert_fresh(&other, 0);
    forward_rig_close(&other);
}

TEST(what_one_worker_has_fetched_the_others_find)
{
    forward_rig_init_beside(&other, &stand);
    keep_www(ROUTE_LAB);
    ck_assert(forward_rig_ask(&other, www, ROUTE_LAB));
    forward_rig_assert_fresh(&other, 0);
    ck_assert_uint_eq(other.scripted.count, 0);
    forward_rig_close(&other);
}

/* Its own fetch is still unanswered when its patience with a stale answer ends. */
TEST(a_request_gets_what_another_worker_was_answered_while_it_waited)
{
    forward_rig_init_beside(&other, &stand);
    keep_www(ROUTE_LAB);
    forward_rig_skip(&stand, 2 * TTL);
    forward_rig_skip(&other, 2 * TTL);
    unsigned before = stand.notified;
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_LAB));
    ck_assert(!forward_rig_ask(&other, www, ROUTE_LAB));
    forward_rig_answer(&other, 0);
    forward_rig_pass(&stand, FETCH_STALE_MS);
    ck_assert_uint_eq(stand.notified, before + 1);
    forward_rig_assert_fresh(&stand, FETCH_STALE_MS / 1000);
    forward_rig_pass(&stand, FETCH_PATIENCE_MS); /* what is left of its fetch ends */
    forward_rig_close(&other);
}

/* Its clock is a little behind that of the worker that has stored the answer. */
TEST(an_answer_of_another_workers_next_second_is_new)
{
    forward_rig_init_beside(&other, &stand);
    forward_rig_skip(&stand, 1);
    keep_www(ROUTE_LAB);
    ck_assert(forward_rig_ask(&other, www, ROUTE_LAB));
    forward_rig_assert_fresh(&other, 0);
    forward_rig_close(&other);
}

TEST(an_answer_that_expires_is_refreshed_by_one_of_the_workers)
{
    forward_rig_init_beside(&other, &stand);
    keep_www(ROUTE_LAB);
    for (int i = 0; i < 3; i++)
        ck_assert(forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_skip(&stand, 55);
    forward_rig_skip(&other, 55);
    size_t before = stand.scripted.count;
    for (int i = 0; i < 3; i++) {
        ck_assert(forward_rig_ask(&other, www, ROUTE_LAB));
        ck_assert(forward_rig_ask(&stand, www, ROUTE_LAB));
    }
    ck_assert_uint_eq(other.scripted.count, 1);
    ck_assert_uint_eq(stand.scripted.count, before);
    forward_rig_answer(&other, 0);
    ck_assert(forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_assert_fresh(&stand, 0);
    forward_rig_close(&other);
}

TEST(a_stale_answer_is_found_by_each_worker_while_its_fetch_has_failed)
{
    keep_www(ROUTE_LAB);
    forward_rig_skip(&stand, 120);
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_pass(&stand, FETCH_STALE_MS);
    forward_rig_assert_stale(&stand, FORWARD_SILENT, "10.0.0.2");
    forward_rig_init_beside(&other, &stand);
    ck_assert(forward_rig_ask(&other, www, ROUTE_LAB));
    forward_rig_assert_stale(&other, FORWARD_SILENT, "10.0.0.2");
    ck_assert_uint_eq(other.scripted.count, 0);
    forward_rig_close(&other);
}

/* One hiccup of the server: each worker has asked it, and each gets SERVFAIL. */
TEST(failures_of_all_workers_at_once_count_as_one)
{
    static struct forward_rig crowd[6];
    const size_t workers = sizeof crowd / sizeof crowd[0];

    for (size_t i = 0; i < workers; i++) {
        forward_rig_init_beside(&crowd[i], &stand);
        ck_assert(!forward_rig_ask(&crowd[i], www, ROUTE_LAB));
    }
    for (size_t i = 0; i < workers; i++)
        forward_rig_reply(&crowd[i], 0, &(struct scripted_reply){.rcode = RCODE_SERVFAIL});
    ck_assert(forward_rig_ask(&crowd[0], www, ROUTE_LAB));
    forward_rig_assert_failed(&crowd[0], FORWARD_SERVFAIL, "10.0.0.2");
    forward_rig_skip(&crowd[0], CACHE_FAILURE_LEAST_SECONDS);
    ck_assert(!forward_rig_ask(&crowd[0], www, ROUTE_LAB));
    for (size_t i = 0; i < workers; i++)
        forward_rig_close(&crowd[i]);
}

TEST(a_server_is_failing_in_all_workers_and_back_in_all)
{
    forward_rig_init_beside(&other, &stand);
    forward_rig_make_failing(&stand, ROUTE_LAB);
    ck_assert(forward_rig_ask(&other, www, ROUTE_LAB));
    forward_rig_assert_failed(&other, FORWARD_FAILING, "10.0.0.2");
    forward_rig_answer(&stand, forward_rig_probe(&stand));
    ck_assert(!forward_rig_ask(&other, www, ROUTE_LAB));
    forward_rig_answer(&other, 0);
    forward_rig_close(&other);
}

/* The failures of the link, and how they are reported. */
static const struct {
    enum link_failure failure;
    enum forward_failure found;
    bool is_remembered;
} closed[] = {
    {LINK_UNREACHABLE, FORWARD_UNREACHABLE, true},
    {LINK_TLS, FORWARD_TLS, true},
    {LINK_EXHAUSTED, FORWARD_FULL, false},
};

TEST_OVER(the_reason_why_a_server_cannot_be_reached_is_reported, closed)
{
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_break_off(&stand, 0, closed[_i].failure);
    ck_assert_uint_eq(stand.notified, 1);
    forward_rig_assert_failed(&stand, closed[_i].found, "10.0.0.2");
    ck_assert(forward_rig_ask(&stand, www, ROUTE_LAB) == closed[_i].is_remembered);
}

TEST(a_full_pool_is_reported_and_not_cached)
{
    char name[32];

    keep_www(ROUTE_LAB);
    forward_rig_skip(&stand, 120);
    for (int i = 0; i < FORWARD_RIG_QUESTIONS; i++) {
        snprintf(name, sizeof name, "n%d.example", i);
        ck_assert(!forward_rig_ask(&stand, name, ROUTE_LAB));
    }
    ck_assert(forward_rig_ask(&stand, "one.too.many", ROUTE_LAB));
    forward_rig_assert_failed(&stand, FORWARD_FULL, NULL);
    ck_assert(!stand.last.found.is_cached && !stand.last.has_response);
    ck_assert(forward_rig_ask(&stand, www, ROUTE_LAB));
    forward_rig_assert_stale(&stand, FORWARD_FULL, NULL);
    ck_assert_uint_eq(forward_rig_counted(&stand, COUNTER_FORWARD_FULL), 2);
    forward_rig_answer(&stand, forward_rig_last(&stand));
    ck_assert(!forward_rig_ask(&stand, "one.too.many", ROUTE_LAB));
}

TEST(a_request_that_cannot_wait_gets_the_stale_answer)
{
    struct scripted_question asked;
    struct forward_result found;

    keep_www(ROUTE_LAB);
    forward_rig_skip(&stand, 120);
    forward_refuse(stand.forward, scripted_ask(&asked, www), &found);
    ck_assert(found.failure == FORWARD_FULL && found.is_stale && found.response != NULL);
    ck_assert_uint_eq(forward_rig_counted(&stand, COUNTER_FORWARD_STALE), 1);
    forward_refuse(stand.forward, scripted_ask(&asked, "never.seen"), &found);
    ck_assert(found.failure == FORWARD_FULL && found.response == NULL);
    ck_assert_uint_eq(forward_rig_counted(&stand, COUNTER_FORWARD_FULL), 2);
}

TEST(end_all_notifies_all_waiters)
{
    ck_assert(!forward_rig_ask(&stand, "a.example", ROUTE_LAB));
    ck_assert(!forward_rig_ask(&stand, "b.example", ROUTE_REST));
    ck_assert(!forward_rig_ask(&stand, "b.example", ROUTE_REST));
    ck_assert(forward_is_busy(stand.forward));
    forward_end_all(stand.forward);
    ck_assert_uint_eq(stand.notified, 3);
    ck_assert(!forward_is_busy(stand.forward));
    ck_assert(forward_rig_ask(&stand, "c.example", ROUTE_REST));
    forward_rig_assert_failed(&stand, FORWARD_STOPPING, NULL);
}

TEST(names_are_answered_within_a_second_of_the_servers_return)
{
    keep_www(ROUTE_LAB);
    forward_rig_skip(&stand, 120);
    forward_rig_make_failing(&stand, ROUTE_LAB);
    for (int i = 0; i < 600; i++) { /* a minute of silence, one name, no other client */
        ck_assert(forward_rig_ask(&stand, www, ROUTE_LAB));
        forward_rig_pass(&stand, 100);
    }
    uint64_t returned_ms = stand.now_ms;
    size_t seen = stand.scripted.count;
    do {
        ck_assert_uint_le(stand.now_ms - returned_ms, 1000);
        forward_rig_pass(&stand, 100);
        forward_rig_ask(&stand, www, ROUTE_LAB);
        for (; seen < stand.scripted.count; seen++)
            forward_rig_answer(&stand, seen);
    } while (stand.last.found.is_stale);
    ck_assert(stand.last.has_response && stand.last.found.failure == FORWARD_NO_FAILURE);
}

/* ---- Set up ---- */

TEST(a_server_of_several_zones_is_one_server)
{
    struct upstream same[] = {{.text = "10.0.0.2"}, {.text = "10.0.0.2@53"}, {.text = "other"},
                              {.text = "port"},     {.text = "tls"},         {.text = "name"},
                              {.text = "v6"},       {.text = "v6 again"}};
    struct upstream_zone items[] = {{.upstreams = {.items = same, .count = 4}},
                                    {.upstreams = {.items = same, .count = 8}}};
    struct upstream_zones zones = {.items = items, .count = 2};
    static const char *const texts[] = {"10.0.0.2:53",  "10.0.0.2:53", "10.0.0.3:53",
                                        "10.0.0.2:54",  "10.0.0.2:53", "10.0.0.2:53",
                                        "[fd00::2]:53", "[fd00::2]:53"};
    static const char *const expected[] = {"10.0.0.2", "other", "port", "tls", "name", "v6"};
    struct server_list servers;

    for (size_t i = 0; i < 8; i++)
        ck_assert(endpoint_read(texts[i], 53, &same[i].endpoint));
    same[4].is_tls = same[5].is_tls = true;
    same[5].tls_name = "dns.example";
    server_list_fill(&servers, &zones);
    ck_assert_uint_eq(servers.count, 6);
    for (size_t i = 0; i < 6; i++)
        ck_assert_str_eq(servers.items[i]->text, expected[i]);
}

TEST(too_many_servers_are_refused)
{
    static struct upstream upstreams[RESOLVERS_MOST + 1];
    static struct upstream_zone items[RESOLVERS_MOST / UPSTREAMS_MOST + 1];
    struct upstream_zones zones = {.items = items, .count = RESOLVERS_MOST / UPSTREAMS_MOST + 1};
    struct forward_options options = {.zones = &zones, .link = &stand.scripted.link};
    struct err err;
    char text[ENDPOINT_TEXT_MAX];

    for (size_t i = 0; i <= RESOLVERS_MOST; i++) {
        snprintf(text, sizeof text, "10.0.1.%zu", i);
        ck_assert(endpoint_read(text, 53, &upstreams[i].endpoint));
        items[i / UPSTREAMS_MOST].upstreams.items = &upstreams[i / UPSTREAMS_MOST * UPSTREAMS_MOST];
        items[i / UPSTREAMS_MOST].upstreams.count++;
    }
    ck_assert_ptr_null(forward_new(&options, &err));
    ck_assert_int_eq(err.code, ERR_LIMIT);
    ck_assert_str_eq(err.text, "too many upstreams: 16 for one zone and 128 in all are the most");
    forward_free(NULL);
}

TEST(a_cache_too_small_is_refused)
{
    struct upstream_zones none = {.count = 0};
    struct forward_options options = {.zones = &none, .questions = 1, .cache_octets = 1};
    struct err err;

    options.link = &stand.scripted.link;
    ck_assert_ptr_null(forward_new(&options, &err));
    ck_assert_int_ne(err.code, ERR_NONE);
}

TEST(without_memory_there_is_an_error_and_nothing_left)
{
    struct upstream_zones none = {.count = 0};
    struct forward_options options = {
        .zones = &none, .questions = 1, .cache_octets = CACHE_OCTETS_LEAST};
    struct forward *forward = NULL;
    size_t failing = 0;

    options.link = &stand.scripted.link;
    while (forward == NULL) {
        struct err err = {.code = ERR_NONE};
        allocations_fail(++failing);
        forward = forward_new(&options, &err);
        allocations_fail(0);
        ck_assert(forward != NULL || err.code == ERR_MEMORY);
    }
    ck_assert_uint_gt(failing, 5);
    forward_free(forward);
}

TEST(servers_and_cache_entries_are_printed)
{
    char buffer[256];
    struct scripted_question asked;
    struct text text = text_over(buffer, sizeof buffer - 1);

    forward_format_servers(stand.forward, ROUTE_REST, &text);
    forward_format_cached(stand.forward, scripted_ask(&asked, www), &text);
    *text.next = '\0';
    ck_assert_str_eq(buffer, "upstreams=10.0.0.2 untried, 1.1.1.1 untriedcached=no");
    ck_assert(!forward_rig_ask(&stand, www, ROUTE_REST));
    forward_rig_pass(&stand, 3);
    forward_rig_answer(&stand, 0);
    forward_rig_skip(&stand, 37);
    text = text_over(buffer, sizeof buffer - 1);
    forward_format_servers(stand.forward, ROUTE_REST, &text);
    forward_format_cached(stand.forward, &asked.question, &text);
    *text.next = '\0';
    ck_assert_str_eq(buffer, "upstreams=10.0.0.2 up 3ms, 1.1.1.1 untriedcached=fresh ttl=23");
    ck_assert(!forward_rig_ask(&stand, "silent.example", ROUTE_LAB));
    forward_rig_pass(&stand, FETCH_PATIENCE_MS);
    text = text_over(buffer, sizeof buffer - 1);
    forward_format_cached(stand.forward, scripted_ask(&asked, "silent.example"), &text);
    *text.next = '\0';
    ck_assert_str_eq(buffer, "cached=failed no reply from 10.0.0.2");
    pass_window();
    forward_rig_skip(&stand, 5);
    text = text_over(buffer, sizeof buffer - 1);
    forward_format_cached(stand.forward, &asked.question, &text);
    *text.next = '\0';
    ck_assert_str_eq(buffer, "cached=no");
}

TEST(nothing_is_allocated_after_the_start)
{
    char name[32];
    size_t before = allocations_count();

    for (unsigned i = 0; i < 2000; i++) {
        snprintf(name, sizeof name, "n%u.example", i % 300);
        forward_rig_ask(&stand, name, ROUTE_REST);
        size_t last = forward_rig_last(&stand);
        if (forward_rig_sent(&stand, last)->is_open && i % 3 != 0)
            forward_rig_answer(&stand, last);
        forward_rig_pass(&stand, i % 7 * 40);
        if (!forward_is_busy(stand.forward))
            stand.scripted.count = 1; /* queries that have ended may be overwritten */
    }
    forward_end_all(stand.forward);
    size_t after = allocations_count();
    void *volatile block = malloc(1); /* the count itself works */
    size_t counted = allocations_count() - after;
    ck_assert_uint_eq(counted, 1);
    ck_assert_uint_eq(after, before);
    free(block);
}
