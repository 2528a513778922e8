// forks: its tests leave something behind
#include "forward/format.h"

#include <stdio.h>
#include <string.h>

#include "support/suite.h"

enum { MS = 1000 };

static struct upstream upstreams[UPSTREAMS_MOST];
static struct standing standing[UPSTREAMS_MOST];
static struct resolver servers[UPSTREAMS_MOST];
static char names[UPSTREAMS_MOST][300];
static char printed[2 * FORMAT_OCTETS_MOST];

/* `count` servers whose texts have `length` octets each. */
static const char *tell_many(uint8_t count, size_t length)
{
    struct resolver_set set = {.count = count};
    struct text text = text_over(printed, sizeof printed - 1);

    for (uint8_t i = 0; i < count; i++) {
        memset(names[i], 'a' + i, length);
        names[i][length] = '\0';
        upstreams[i].text = names[i];
        resolver_init(&servers[i], &upstreams[i], &standing[i]);
        set.numbers[i] = i;
    }
    format_servers(servers, &set, 1, &text);
    *text.next = '\0';
    return printed;
}

TEST(each_server_is_printed_with_its_state)
{
    static const struct resolver_set set = {.numbers = {0, 1, 2, 3}, .count = 4};
    static const char *const texts[] = {"10.0.0.2", "1.1.1.1", "tls://9.9.9.9", "fd00::2"};
    struct text text = text_over(printed, sizeof printed - 1);

    for (size_t i = 0; i < 4; i++) {
        upstreams[i].text = texts[i];
        resolver_init(&servers[i], &upstreams[i], &standing[i]);
    }
    resolver_on_reply(&servers[0], false, 3 * MS, 100);
    resolver_on_reply(&servers[1], false, 40 * MS, 100);
    resolver_on_reply(&servers[3], false, 500, 100);
    for (int i = 0; i < STANDING_SILENT_MOST; i++)
        for (size_t server = 1; server < 3; server++)
            standing_on_silence(&standing[server], 200, 200);
    for (int i = 0; i < STANDING_PROBES_MOST; i++)
        standing_on_probe_silence(&standing[1], 200);
    for (int i = 0; i < 2; i++)
        standing_on_silence(&standing[3], 200, 200);
    quirk_note(&standing[3].no_edns, 1, 200);
    quirk_note(&standing[3].no_edns, 2, 200);
    format_servers(servers, &set, 300, &text);
    *text.next = '\0';
    ck_assert_str_eq(printed, "upstreams=10.0.0.2 up 3ms, 1.1.1.1 failing, tls://9.9.9.9 in doubt, "
                              "fd00::2 up 0ms (2 unanswered since) without EDNS");
}

TEST(servers_fit_into_one_string_of_a_txt_record)
{
    for (size_t length = 1; length < 256; length++)
        for (uint8_t count = 1; count <= UPSTREAMS_MOST; count++)
            ck_assert_uint_le(strlen(tell_many(count, length)), FORMAT_OCTETS_MOST);
}

TEST(servers_that_do_not_fit_are_counted)
{
    ck_assert_str_eq(tell_many(1, 255), "upstreams=1 more");
    tell_many(16, 40);
    ck_assert_ptr_nonnull(strstr(printed, "d untried, and 12 more"));
    ck_assert_str_eq(strrchr(printed, 'd'), "d 12 more");
    tell_many(16, 1);
    ck_assert_ptr_nonnull(strstr(printed, ", p untried"));
}

static const char *tell_one(const struct cache_entry *entry)
{
    struct text text = text_over(printed, sizeof printed - 1);

    format_entry(entry, 200, "10.0.0.2", &text);
    *text.next = '\0';
    return printed;
}

static uint64_t failing(enum forward_failure failure)
{
    return cache_failure_word(
        &(struct cache_failure){.until_s = 210, .failure = (uint8_t)failure, .count = 1});
}

TEST(an_entry_is_printed_with_its_state_and_time)
{
    struct cache_entry entry = {.has_response = true, .stored_s = 80, .fresh_until_s = 223};

    ck_assert_str_eq(tell_one(&entry), "cached=fresh ttl=23");
    entry.fresh_until_s = 200;
    ck_assert_str_eq(tell_one(&entry), "cached=stale age=120");
    entry.failure = failing(FORWARD_SILENT);
    ck_assert_str_eq(tell_one(&entry), "cached=stale age=120");
    entry.has_response = false;
    ck_assert_str_eq(tell_one(&entry), "cached=failed no reply from 10.0.0.2");
    entry.failure = failing(FORWARD_NOTIMP);
    ck_assert_str_eq(tell_one(&entry), "cached=failed NOTIMP from 10.0.0.2");
    ck_assert_str_eq(tell_one(NULL), "cached=no");
}

TEST(an_entry_fits_into_one_string_of_a_txt_record)
{
    const struct cache_entry failed = {.failure = failing(FORWARD_SILENT)};
    struct text text = text_over(printed, sizeof printed - 1);

    memset(names[0], 'a', 299);
    format_entry(&failed, 200, names[0], &text);
    ck_assert_uint_eq(text_length(&text), FORMAT_OCTETS_MOST);
}

TEST(every_failure_has_a_text)
{
    for (int failure = FORWARD_NO_FAILURE; failure <= FORWARD_FULL; failure++)
        ck_assert_uint_gt(strlen(failure_text((enum forward_failure)failure)), 0);
}
