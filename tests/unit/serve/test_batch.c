// wrap: clock_wall_us clock_monotonic_ns tap_takes_next tapping_send
#include "serve/batch.h"

#include <arpa/inet.h>

#include "serve/tapping.h"
#include "support/request.h"
#include "support/serving.h"
#include "support/suite.h"

/* The source of a request, and the path made of it. */
static const struct {
    const char *source;
    uint32_t address;
    bool is_ipv6;
} sources[] = {
    {"10.20.3.4", 0x0a140304, false},
    {"::1", 0x7f000001, false},
    {"::ffff:10.20.3.4", 0x0a140304, false},
    {"2001:db8::1", 0, true},
    {"fe80::1", 0, true},
    {"::10.20.3.4", 0, true},
};

TEST_OVER(a_path_knows_where_a_request_came_from, sources)
{
    struct path path = {.source = 1, .destination = 0x0a000002, .is_ipv6 = true};
    struct endpoint source;

    ck_assert(endpoint_read(sources[_i].source, 53, &source));
    path_set_source(&path, &source);
    ck_assert_uint_eq(path.source, sources[_i].address);
    ck_assert(path.is_ipv6 == sources[_i].is_ipv6);
    if (path.is_ipv6)
        ck_assert_mem_eq(path.source_ipv6, &source.v6.sin6_addr, sizeof path.source_ipv6);
    ck_assert_uint_eq(path.destination, 0x0a000002);
}

/* ---- cookies ---- */

struct scene {
    struct serving serving;
    uint8_t request[REQUEST_OCTETS_MOST], reply[UDP_OCTETS_MOST];
};

static struct scene scene;

/* The time of day. */
static int64_t wall_s = 1559731985;

int64_t __wrap_clock_wall_us(void);
int64_t __wrap_clock_wall_us(void)
{
    return wall_s * 1000000 + 999999;
}

/* Each reading is 1 ms after the one before. */
static uint64_t monotonic_ns;

uint64_t __wrap_clock_monotonic_ns(void);
uint64_t __wrap_clock_monotonic_ns(void)
{
    return monotonic_ns += 1000000;
}

/* The exchanges sent as dnstap, and the last one's times. */
static unsigned sends;
static struct tapped sent;
static bool takes_next, has_room;

bool __wrap_tap_takes_next(struct tap_feed *feed);
bool __wrap_tap_takes_next(struct tap_feed *feed)
{
    (void)feed;
    return takes_next;
}

bool __wrap_tapping_send(struct tap_feed *feed, const struct dnstap_origin *origin,
                         const struct exchange *exchange, const struct tapped *tapped);
bool __wrap_tapping_send(struct tap_feed *feed, const struct dnstap_origin *origin,
                         const struct exchange *exchange, const struct tapped *tapped)
{
    (void)feed;
    (void)origin;
    (void)exchange;
    sent = *tapped;
    sends++;
    return has_room;
}

static void set_up(void)
{
    sends = 0;
    serving_init(&scene.serving);
}

static void tear_down(void)
{
    serving_close(&scene.serving);
}

FIXTURE(set_up, tear_down)

/* Answers one request at a time of the loop. */
static const struct exchange *answer(const struct ask *ask, uint64_t now_ms)
{
    struct batch *batch = &scene.serving.batch;
    struct exchange *exchange = &batch->exchanges[0];
    const struct endpoint client = {.v4 = {.sin_family = AF_INET}};

    batch_begin(batch, now_ms);
    exchange->request = scene.request;
    exchange->request_length = request_write(ask, scene.request);
    exchange->reply = scene.reply;
    exchange->path = (struct path){.source = 0xc6336464};
    batch_prepare(batch, 1);
    ck_assert_uint_gt(batch_finish(batch, 0, &client, NULL), 0);
    batch_end(batch);
    return exchange;
}

static const struct cookie_secrets secrets = {.count = 1, .octets = {"0123456789abcdef"}};

TEST(cookies_are_ignored_until_there_are_secrets)
{
    const struct cookie_secrets none = {.count = 0};
    const struct ask ask = {.name = "x.", .cookie_octets = 8};

    ck_assert_int_eq(answer(&ask, 1000)->cookie, COOKIE_NONE);
    batch_set_cookies(&scene.serving.batch, &secrets);
    ck_assert_int_eq(answer(&ask, 1000)->cookie, COOKIE_NEW);
    ck_assert_int_eq(answer(&(struct ask){.name = "x."}, 1000)->cookie, COOKIE_NONE);
    batch_set_cookies(&scene.serving.batch, &none);
    ck_assert_int_eq(answer(&ask, 1000)->cookie, COOKIE_NONE);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_COOKIES_NEW), 1);
}

/* The time of day is read at the first batch and once a second. */
TEST(a_reply_to_a_cookie_has_the_time_of_day)
{
    const struct ask ask = {.name = "x.", .cookie_octets = 8};

    batch_set_cookies(&scene.serving.batch, &secrets);
    wall_s = 1559731985;
    ck_assert_uint_eq(load32(answer(&ask, 5000)->reply_cookie + 12), 1559731985);
    wall_s = 1559731986;
    ck_assert_uint_eq(load32(answer(&ask, 5999)->reply_cookie + 12), 1559731985);
    ck_assert_uint_eq(load32(answer(&ask, 6000)->reply_cookie + 12), 1559731986);
    wall_s = 0x100000007;
    ck_assert_uint_eq(load32(answer(&ask, 7000)->reply_cookie + 12), 7);
}

TEST(cookies_are_counted)
{
    struct ask ask = {.name = "x.", .cookie_octets = 24, .cookie = {1}};

    batch_set_cookies(&scene.serving.batch, &secrets);
    const struct exchange *exchange = answer(&ask, 1000);
    ck_assert_int_eq(exchange->cookie, COOKIE_WRONG);
    memcpy(ask.cookie, exchange->reply_cookie, sizeof exchange->reply_cookie);
    ck_assert_int_eq(answer(&ask, 1000)->cookie, COOKIE_RIGHT);
    ck_assert_int_eq(answer(&ask, 1000)->cookie, COOKIE_RIGHT);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_COOKIES_WRONG), 1);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_COOKIES_RIGHT), 2);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_COOKIES_NEW), 0);
}

/* ---- dnstap ---- */

/* A batch begins 1 ms before the time of day is read, which is 1 ms before the reply. */
TEST(a_message_has_the_times_of_day)
{
    const int64_t wall_us = __wrap_clock_wall_us();

    scene.serving.batch.tap = (struct tap_feed *)&scene;
    takes_next = has_room = true;
    answer(&(struct ask){.name = "x."}, 1000);
    ck_assert_uint_eq(sends, 1);
    ck_assert_int_eq(sent.begun_us, wall_us - 1000);
    ck_assert_int_eq(sent.answered_us, wall_us + 1000);
    ck_assert_uint_gt(sent.length, 0);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_DNSTAP_DROPPED), 0);
}

TEST(a_message_without_room_is_counted_and_one_left_out_is_not)
{
    scene.serving.batch.tap = (struct tap_feed *)&scene;
    takes_next = true;
    has_room = false;
    answer(&(struct ask){.name = "x."}, 1000);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_DNSTAP_DROPPED), 1);
    takes_next = false;
    answer(&(struct ask){.name = "x."}, 1000);
    ck_assert_uint_eq(sends, 1);
    ck_assert_uint_eq(serving_count(&scene.serving, COUNTER_DNSTAP_DROPPED), 1);
}
