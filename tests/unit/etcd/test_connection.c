#include "etcd/connection.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "support/etcd_peer.h"
#include "support/suite.h"

enum { ENDS_MOST = 64, MEMBER = 0xa1, ROOM = 1 << 20 };

/* A connection and the member at its other end. */
struct rig {
    struct arena *arena;
    struct etcd_store *store;
    struct etcd_peer *peer;
    struct etcd_connection *connection;
    struct err err;
    unsigned ready, pongs, messages, ends;
    uint32_t call; /* of the last message */
    uint8_t message[ROOM];
    size_t message_length;
    struct {
        uint32_t call;
        enum etcd_status status;
        char text[ETCD_STATUS_TEXT_MOST + 1];
    } ended[ENDS_MOST];
    bool cancels;        /* every call, at its first message */
    uint32_t call_again; /* 1: makes a call when one ends; its number */
    bool calls_always;   /* makes one whenever one ends */
};

static struct rig *rig;

static void on_ready(void *context)
{
    ck_assert_ptr_eq(context, rig);
    rig->ready++;
}

static void on_message(void *context, uint32_t call, const uint8_t *octets, size_t length)
{
    ck_assert_ptr_eq(context, rig);
    ck_assert_uint_le(length, ROOM);
    rig->messages++;
    rig->call = call;
    if (rig->cancels)
        etcd_connection_cancel(rig->connection, call);
    if (length > 0)
        memcpy(rig->message, octets, length);
    rig->message_length = length;
}

static void on_end(void *context, uint32_t call, enum etcd_status status, const char *text)
{
    ck_assert_ptr_eq(context, rig);
    ck_assert_uint_lt(rig->ends, ENDS_MOST);
    rig->ended[rig->ends].call = call;
    rig->ended[rig->ends].status = status;
    snprintf(rig->ended[rig->ends].text, sizeof rig->ended[0].text, "%s", text);
    rig->ends++;
    if (rig->calls_always)
        etcd_connection_call(rig->connection, ETCD_STATUS, "", 0, false);
    if (rig->call_again == 1)
        rig->call_again = etcd_connection_call(rig->connection, ETCD_STATUS, "", 0, false);
}

static void on_pong(void *context)
{
    ck_assert_ptr_eq(context, rig);
    rig->pongs++;
}

static const struct etcd_connection_options plain = {.host = "127.0.0.1", .port = 2379};

static void connect_with(struct etcd_connection_options options)
{
    const struct etcd_listener listener = {.on_ready = on_ready,
                                           .on_message = on_message,
                                           .on_end = on_end,
                                           .on_pong = on_pong,
                                           .context = rig};

    etcd_connection_free(rig->connection);
    etcd_peer_free(rig->peer);
    rig->peer = etcd_peer_new(rig->store, MEMBER);
    rig->connection = etcd_connection_new(&options, &listener, &rig->err);
    ck_assert_ptr_nonnull(rig->connection);
}

static void set_up(void)
{
    rig = calloc(1, sizeof *rig);
    ck_assert_ptr_nonnull(rig);
    rig->arena = arena_new();
    rig->store = etcd_store_new();
    connect_with(plain);
}

static void tear_down(void)
{
    etcd_connection_free(rig->connection);
    etcd_peer_free(rig->peer);
    etcd_store_free(rig->store);
    arena_free(rig->arena);
    free(rig);
}

FIXTURE(set_up, tear_down)

static void exchange(void)
{
    ck_assert_msg(etcd_peer_exchange(rig->peer, rig->connection, 0, &rig->err), "%s",
                  rig->err.text);
}

static uint32_t call(enum etcd_method method, struct octets request, bool keeps_open)
{
    uint32_t number =
        etcd_connection_call(rig->connection, method, request.start, request.length, keeps_open);

    ck_assert_uint_ne(number, 0);
    return number;
}

static uint32_t call_range(const char *key)
{
    const struct etcd_range range = {.key = octets_of(key)};

    return call(ETCD_RANGE, etcd_encode_range(rig->arena, &range), false);
}

static uint32_t call_watch(const char *key, const char *end)
{
    const struct etcd_watch watch = {.key = octets_of(key), .end = octets_of(end)};

    return call(ETCD_WATCH, etcd_encode_watch(rig->arena, &watch), true);
}

/* The last message, as a range's. */
static struct etcd_range_response last_range(void)
{
    struct etcd_range_response response;

    ck_assert_msg(
        etcd_decode_range(rig->arena, rig->message, rig->message_length, &response, &rig->err),
        "%s", rig->err.text);
    return response;
}

static struct etcd_watch_response last_watch(void)
{
    struct etcd_watch_response response;

    ck_assert_msg(
        etcd_decode_watch(rig->arena, rig->message, rig->message_length, &response, &rig->err),
        "%s", rig->err.text);
    return response;
}

static void expect_end(uint32_t number, enum etcd_status status, const char *text)
{
    ck_assert_uint_ge(rig->ends, 1);
    ck_assert_uint_eq(rig->ended[rig->ends - 1].call, number);
    ck_assert_msg(rig->ended[rig->ends - 1].status == status, "%d: %s",
                  rig->ended[rig->ends - 1].status, rig->ended[rig->ends - 1].text);
    ck_assert_msg(strstr(rig->ended[rig->ends - 1].text, text) != NULL, "%s",
                  rig->ended[rig->ends - 1].text);
}

/* ---- calls ---- */

static const size_t pieces[] = {0, 1, 2, 7, 1000};

TEST_OVER(a_call_is_answered_however_it_is_segmented, pieces)
{
    uint32_t number;

    etcd_store_put(rig->store, "/c/meta", "format: 1");
    number = call_range("/c/meta");
    ck_assert(etcd_peer_exchange(rig->peer, rig->connection, pieces[_i], &rig->err));
    ck_assert_uint_eq(rig->ready, 1);
    ck_assert(etcd_connection_is_ready(rig->connection));
    ck_assert_uint_eq(rig->messages, 1);
    ck_assert_uint_eq(rig->call, number);
    struct etcd_range_response response = last_range();
    ck_assert_uint_eq(response.count, 1);
    ck_assert(octets_are(response.pairs[0].key, "/c/meta"));
    ck_assert(octets_are(response.pairs[0].value, "format: 1"));
    ck_assert_int_eq(response.header.revision, 2);
    ck_assert_uint_eq(response.header.cluster, ETCD_STORE_CLUSTER);
    expect_end(number, ETCD_OK, "");
}

TEST(the_headers_are_those_of_a_call_of_grpc)
{
    connect_with(
        (struct etcd_connection_options){.host = "fd00::3", .port = 2379, .wants_leader = true});
    ck_assert(etcd_connection_set_token(rig->connection, "abc.17"));
    call_range("a");
    exchange();
    ck_assert_str_eq(etcd_peer_headers(rig->peer),
                     ":method: POST\n:scheme: http\n:path: /etcdserverpb.KV/Range\n"
                     ":authority: [fd00::3]:2379\ncontent-type: application/grpc\n"
                     "user-agent: spacedns/" SPACEDNS_VERSION "\nte: trailers\nhasleader: true\n"
                     "token: abc.17\n");
    ck_assert(etcd_connection_set_token(rig->connection, NULL));
    call_range("a");
    exchange();
    ck_assert_ptr_null(strstr(etcd_peer_headers(rig->peer), "token"));
}

TEST(the_windows_are_wide_from_the_start)
{
    int32_t connection, stream;

    exchange();
    etcd_peer_windows(rig->peer, &connection, &stream);
    ck_assert_int_eq(connection, 8 << 20);
    ck_assert_int_eq(stream, 4 << 20);
}

TEST_OVER(a_long_response_arrives_whole, pieces)
{
    static char value[600000];

    if (pieces[_i] > 0 && pieces[_i] < 1000)
        return; /* takes long */
    memset(value, 'v', sizeof value - 1);
    etcd_store_put(rig->store, "a", value);
    uint32_t number = call_range("a");
    ck_assert(etcd_peer_exchange(rig->peer, rig->connection, pieces[_i], &rig->err));
    ck_assert_uint_eq(last_range().pairs[0].value.length, sizeof value - 1);
    expect_end(number, ETCD_OK, "");
}

TEST(a_long_request_waits_for_the_members_window)
{
    static char value[300000];
    const struct etcd_put put = {.key = octets_of("a"), .value = octets_of(value)};

    memset(value, 'v', sizeof value - 1);
    const struct etcd_put long_put = {.key = put.key, .value = octets_of(value)};
    uint32_t number = call(ETCD_PUT, etcd_encode_put(rig->arena, &long_put), false);
    exchange();
    expect_end(number, ETCD_OK, "");
    ck_assert_str_eq(etcd_store_value(rig->store, "a"), value);
}

TEST(calls_run_side_by_side)
{
    uint32_t numbers[20];

    for (unsigned i = 0; i < 20; i++) {
        numbers[i] = call_range("a");
        for (unsigned j = 0; j < i; j++)
            ck_assert_uint_ne(numbers[j], numbers[i]);
    }
    exchange();
    ck_assert_uint_eq(rig->messages, 20);
    ck_assert_uint_eq(rig->ends, 20);
}

TEST(a_call_may_be_made_when_another_ends)
{
    rig->call_again = 1;
    call_range("a");
    exchange();
    ck_assert_uint_eq(rig->ends, 2);
    expect_end(rig->call_again, ETCD_OK, "");
}

TEST(an_error_comes_with_its_text_decoded)
{
    etcd_store_fail(rig->store, ETCD_RANGE, ETCD_RESOURCE_EXHAUSTED,
                    "etcdserver: no space%0a100%25 %zz %", 1);
    uint32_t number = call_range("a");
    exchange();
    ck_assert_uint_eq(rig->messages, 0);
    expect_end(number, ETCD_RESOURCE_EXHAUSTED, "etcdserver: no space\\x0a100% %zz %");
    number = call_range("a");
    exchange();
    expect_end(number, ETCD_OK, "");
}

/* ---- streams ---- */

TEST(a_watch_stays_open_and_gets_a_message_for_each_revision)
{
    uint32_t number = call_watch("/c/", "/c0");

    exchange();
    ck_assert(last_watch().is_created);
    int64_t id = last_watch().id;
    etcd_store_put(rig->store, "/c/a", "1");
    etcd_store_begin(rig->store);
    etcd_store_put(rig->store, "/c/b", "2");
    etcd_store_delete(rig->store, "/c/a", NULL);
    etcd_store_commit(rig->store);
    etcd_store_put(rig->store, "/d/a", "3");
    exchange();
    ck_assert_uint_eq(rig->messages, 3);
    struct etcd_watch_response response = last_watch();
    ck_assert_int_eq(response.id, id);
    ck_assert_int_eq(response.header.revision, 3);
    ck_assert_uint_eq(response.count, 2);
    ck_assert(octets_are(response.events[0].pair.key, "/c/b"));
    ck_assert(!response.events[0].is_delete);
    ck_assert(octets_are(response.events[1].pair.key, "/c/a"));
    ck_assert(response.events[1].is_delete);
    ck_assert_int_eq(response.events[1].pair.mod_revision, 3);
    ck_assert_uint_eq(rig->ends, 0);
    ck_assert_uint_eq(rig->call, number);
}

TEST(a_stream_takes_more_requests)
{
    const struct etcd_watch second = {.key = octets_of("b"), .id = 77};
    uint32_t number = call_watch("a", "");
    struct octets request = etcd_encode_watch(rig->arena, &second);

    ck_assert(etcd_connection_send(rig->connection, number, request.start, request.length));
    exchange();
    ck_assert_uint_eq(etcd_peer_watches(rig->peer), 2);
    ck_assert_int_eq(last_watch().id, 77);
    request = etcd_encode_watch_cancel(rig->arena, 77);
    ck_assert(etcd_connection_send(rig->connection, number, request.start, request.length));
    exchange();
    ck_assert_uint_eq(etcd_peer_watches(rig->peer), 1);
    ck_assert(last_watch().is_canceled);
    uint32_t unary = call_range("a");
    ck_assert(!etcd_connection_send(rig->connection, unary, "", 0));
    ck_assert(!etcd_connection_send(rig->connection, 999, "", 0));
}

TEST(a_stream_that_the_member_ends_has_its_status)
{
    uint32_t number = call_watch("a", "");

    exchange();
    etcd_peer_end_streams(rig->peer, ETCD_UNAVAILABLE, "etcdserver: no leader");
    exchange();
    expect_end(number, ETCD_UNAVAILABLE, "etcdserver: no leader");
    ck_assert(!etcd_connection_send(rig->connection, number, "", 0));
    call_range("a");
    exchange();
    ck_assert_uint_eq(rig->ends, 2);
}

static const struct {
    uint32_t code;
    enum etcd_status status;
    const char *text;
} resets[] = {
    {NGHTTP2_CANCEL, ETCD_CANCELLED, "CANCEL"},
    {NGHTTP2_REFUSED_STREAM, ETCD_UNAVAILABLE, "REFUSED_STREAM"},
    {NGHTTP2_ENHANCE_YOUR_CALM, ETCD_RESOURCE_EXHAUSTED, "ENHANCE_YOUR_CALM"},
    {NGHTTP2_INTERNAL_ERROR, ETCD_INTERNAL, "INTERNAL_ERROR"},
};

TEST_OVER(a_stream_that_is_reset_has_a_status, resets)
{
    uint32_t number = call_watch("a", "");

    exchange();
    etcd_peer_reset(rig->peer, resets[_i].code);
    exchange();
    expect_end(number, resets[_i].status, resets[_i].text);
}

TEST(nothing_comes_from_a_call_that_is_canceled)
{
    uint32_t unsent = call_range("a"), sent;

    etcd_connection_cancel(rig->connection, unsent);
    exchange();
    ck_assert_uint_eq(rig->messages + rig->ends, 0);
    sent = call_watch("a", "");
    exchange();
    ck_assert_uint_eq(etcd_peer_watches(rig->peer), 1);
    etcd_connection_cancel(rig->connection, sent);
    etcd_connection_cancel(rig->connection, sent);
    etcd_store_put(rig->store, "a", "1");
    exchange();
    ck_assert_uint_eq(rig->messages, 1);
    ck_assert_uint_eq(rig->ends, 0);
    ck_assert_uint_eq(etcd_peer_watches(rig->peer), 0);
}

TEST(a_call_may_be_canceled_by_its_own_message)
{
    rig->cancels = true;
    etcd_store_put(rig->store, "a", "1");
    call_range("a");
    ck_assert(etcd_peer_exchange(rig->peer, rig->connection, 1, &rig->err));
    ck_assert_uint_eq(rig->messages, 1);
    ck_assert_uint_eq(rig->ends, 0);
    ck_assert_uint_eq(last_range().count, 1);
}

/* ---- PING, GOAWAY ---- */

TEST(a_ping_is_answered)
{
    exchange();
    etcd_connection_ping(rig->connection);
    exchange();
    ck_assert_uint_eq(rig->pongs, 1);
    ck_assert_uint_eq(etcd_peer_pings(rig->peer), 1);
    etcd_peer_set_silent(rig->peer, true);
    etcd_connection_ping(rig->connection);
    exchange();
    ck_assert_uint_eq(rig->pongs, 1);
}

TEST(a_member_that_goes_away_serves_the_calls_that_it_has)
{
    uint32_t number = call_watch("a", "");

    exchange();
    etcd_peer_go_away(rig->peer, false, NULL);
    exchange();
    ck_assert(etcd_connection_is_leaving(rig->connection));
    ck_assert_uint_eq(rig->ends, 0);
    ck_assert_uint_eq(etcd_connection_call(rig->connection, ETCD_STATUS, "", 0, false), 0);
    etcd_store_put(rig->store, "a", "1");
    exchange();
    ck_assert_uint_eq(last_watch().count, 1);
    etcd_peer_end_streams(rig->peer, ETCD_UNAVAILABLE, "shutting down");
    ck_assert(!etcd_peer_exchange(rig->peer, rig->connection, 0, &rig->err));
    expect_end(number, ETCD_UNAVAILABLE, "shutting down");
    ck_assert_str_eq(rig->err.text, "it ends the connection (NO_ERROR)");
}

TEST(calls_that_a_member_will_not_serve_end)
{
    uint32_t number;

    exchange();
    number = call_range("a");
    etcd_peer_go_away(rig->peer, true, "too_many_pings");
    ck_assert(!etcd_peer_exchange(rig->peer, rig->connection, 0, &rig->err));
    expect_end(number, ETCD_UNAVAILABLE, "the member goes away");
    ck_assert_str_eq(rig->err.text, "it ends the connection (ENHANCE_YOUR_CALM: too_many_pings)");
    ck_assert(!etcd_connection_is_ready(rig->connection));
    ck_assert(!etcd_connection_receive(rig->connection, (const uint8_t *)"x", 1, &rig->err));
    ck_assert_str_eq(rig->err.text, "it ends the connection (ENHANCE_YOUR_CALM: too_many_pings)");
}

/* A call that waits in our own output when the word arrives. */
TEST(a_call_that_was_not_sent_ends_too)
{
    exchange();
    etcd_peer_go_away(rig->peer, true, NULL);
    struct octets goaway = etcd_peer_output(rig->peer);
    uint32_t number = call_range("a");
    etcd_connection_receive(rig->connection, goaway.start, goaway.length, &rig->err);
    expect_end(number, ETCD_UNAVAILABLE, "the member goes away");
}

/* ---- a member by hand ---- */

/* Frames of HTTP/2 (RFC 9113 section 4.1). */
static bool give_frame(uint8_t type, uint8_t flags, uint32_t stream, const void *payload,
                       size_t length)
{
    uint8_t frame[9 + 70000];

    ck_assert_uint_le(length, sizeof frame - 9);
    frame[0] = (uint8_t)(length >> 16);
    store16(frame + 1, (uint16_t)length);
    frame[3] = type;
    frame[4] = flags;
    store32(frame + 5, stream);
    if (length > 0)
        memcpy(frame + 9, payload, length);
    return etcd_connection_receive(rig->connection, frame, 9 + length, &rig->err);
}

enum { DATA, HEADERS, RST_STREAM = 3, SETTINGS, PING = 6, CONTINUATION = 9 };
enum { ACK = 1, END_STREAM = 1, END_HEADERS = 4 };

/* Status 200, of the static table of HPACK (RFC 7541 appendix A). */
static const uint8_t ok[] = {0x88};

static uint32_t begin_by_hand(void)
{
    uint32_t number = call_range("a");

    ck_assert(give_frame(SETTINGS, 0, 0, NULL, 0));
    ck_assert_uint_eq(rig->ready, 1);
    etcd_connection_sent(rig->connection, etcd_connection_output(rig->connection).length);
    return number;
}

/* In one piece: a call ends, upon which another is made, and a rule is broken (DATA on stream 0),
 * after which no call may be sent. */
TEST(who_calls_again_whenever_a_call_ends_comes_to_an_end)
{
    static const uint8_t octets[] = "\0\0\1\1\5\0\0\0\1\x88"
                                    "\0\0\1\0\0\0\0\0\0x";

    ck_assert_uint_eq(begin_by_hand(), 1);
    rig->calls_always = true;
    ck_assert(!etcd_connection_receive(rig->connection, octets, sizeof octets - 1, &rig->err));
    ck_assert_uint_le(rig->ends, 3);
    ck_assert_ptr_nonnull(strstr(rig->err.text, "the rules of HTTP/2"));
}

static const struct {
    const char *octets;
    size_t length;
    const char *why;
} strangers[] = {
    {"HTTP/1.1 400 Bad Request\r\n\r\n", 28, "it speaks HTTP/1 and not HTTP/2"},
    {"\x15\x03\x01\x00\x02\x02\x46", 7, "it speaks TLS here; write https://"},
    {"220 mail ready\r\n", 16, "it does not speak HTTP/2"},
    {"\0\0\4\0\0\0\0\0\0xxxx", 13, "it does not speak HTTP/2"},
    {"\0\0\6\4\0\0\0\0\0\0\1\xff\xff\xff\xff\0\0\1\0\0\0\0\0\1", 24, "the rules of HTTP/2"},
    {"\0\0\0\4\0\0\0\0\0\xff\xff\xff\0\0\0\0\0\0", 18, "the rules of HTTP/2"},
};

TEST_LOOP(what_is_not_http2_is_named, 0, 2 * (int)(sizeof strangers / sizeof *strangers))
{
    int which = _i / 2;
    size_t piece = _i % 2 == 0 ? strangers[which].length : 1;
    bool is_well = true;

    for (size_t at = 0; is_well && at < strangers[which].length; at += piece)
        is_well = etcd_connection_receive(
            rig->connection, (const uint8_t *)strangers[which].octets + at, piece, &rig->err);
    if (is_well) { /* it waits for the end of a frame that is not accepted */
        etcd_connection_output(rig->connection);
        is_well = etcd_connection_receive(rig->connection, (const uint8_t *)"", 0, &rig->err);
    }
    ck_assert(!is_well);
    ck_assert_msg(strstr(rig->err.text, strangers[which].why) != NULL, "%s", rig->err.text);
}

static const struct {
    bool is_reset;
    bool has_begun;
    const char *why;
} closings[] = {
    {false, false, "it has closed the connection before a word of HTTP/2"},
    {true, false, "it has reset the connection before a word of HTTP/2"},
    {false, true, "it has closed the connection"},
    {true, true, "it has reset the connection"},
};

TEST_OVER(the_end_of_the_stream_is_named, closings)
{
    if (closings[_i].has_begun)
        begin_by_hand();
    etcd_connection_ended(rig->connection, closings[_i].is_reset, &rig->err);
    ck_assert_msg(strncmp(rig->err.text, closings[_i].why, strlen(closings[_i].why)) == 0, "%s",
                  rig->err.text);
}

TEST(a_message_of_a_gigabyte_is_refused_at_its_head)
{
    static const uint8_t head[] = {0, 0x40, 0, 0, 0};
    uint32_t number = begin_by_hand();

    ck_assert(give_frame(HEADERS, END_HEADERS, number, ok, sizeof ok));
    ck_assert(give_frame(DATA, 0, number, head, sizeof head));
    expect_end(number, ETCD_RESOURCE_EXHAUSTED,
               "a message of 1073741824 octets, where 268435456 are the most");
    struct octets output = etcd_connection_output(rig->connection);
    ck_assert_uint_ge(output.length, 13);
    ck_assert_uint_eq(output.start[output.length - 13 + 3], RST_STREAM);
}

TEST(a_limit_of_messages_may_be_lower)
{
    struct etcd_connection_options options = plain;

    options.message_most = 100;
    connect_with(options);
    etcd_store_put(
        rig->store, "a",
        "..................................................................................."
        "......................");
    uint32_t number = call_range("a");
    exchange();
    ck_assert_uint_eq(rig->messages, 0);
    expect_end(number, ETCD_RESOURCE_EXHAUSTED, "where 100 are the most");
}

TEST(a_compressed_message_is_refused)
{
    static const uint8_t head[] = {1, 0, 0, 0, 1, 'x'};
    uint32_t number = begin_by_hand();

    ck_assert(give_frame(HEADERS, END_HEADERS, number, ok, sizeof ok));
    ck_assert(give_frame(DATA, 0, number, head, sizeof head));
    expect_end(number, ETCD_INTERNAL, "compressed");
}

TEST(several_messages_in_one_piece_are_told_one_by_one)
{
    static const uint8_t messages[] = {0, 0, 0, 0, 1, 'x', 0,   0,   0, 0,
                                       0, 0, 0, 0, 0, 2,   'y', 'z', 0};
    uint32_t number = begin_by_hand();

    ck_assert(give_frame(HEADERS, END_HEADERS, number, ok, sizeof ok));
    ck_assert(give_frame(DATA, 0, number, messages, sizeof messages));
    ck_assert_uint_eq(rig->messages, 3);
    ck_assert_mem_eq(rig->message, "yz", 2);
}

/* A literal field without indexing: name of 1 octet, value of 60 (RFC 7541 section 6.2.2). */
TEST(headers_without_end_break_the_connection)
{
    uint8_t fields[16 * 63], *next = fields;
    uint32_t number = begin_by_hand();
    unsigned frames = 0;

    for (unsigned i = 0; i < 16; i++) {
        memcpy(next, "\0\1x\x3c", 4);
        memset(next + 4, 'v', 59);
        next += 63;
    }
    memset(fields, 0, sizeof fields);
    for (unsigned i = 0; i < 16; i++) {
        memcpy(fields + i * 63, "\0\1x\x3b", 4);
        memset(fields + i * 63 + 4, 'v', 59);
    }
    bool is_well = give_frame(HEADERS, 0, number, ok, sizeof ok);
    while (is_well && frames < 1000) {
        is_well = give_frame(CONTINUATION, 0, number, fields, sizeof fields);
        frames++;
    }
    ck_assert(!is_well);
    ck_assert_uint_lt(frames, 70);
}

/* Literal fields: ":status" by index 8 with a value; "server" is index 54. */
TEST(a_proxys_page_is_a_status_of_http)
{
    static const uint8_t unavailable[] = {0x08, 3, '5', '0', '3'};
    uint32_t number = begin_by_hand();

    ck_assert(give_frame(HEADERS, END_HEADERS, number, unavailable, sizeof unavailable));
    ck_assert(give_frame(DATA, END_STREAM, number, "<html>", 6));
    ck_assert_uint_eq(rig->messages, 0);
    expect_end(number, ETCD_UNKNOWN, "status 503 of HTTP, and none of etcd");
}

TEST(a_response_without_a_status_is_no_success)
{
    uint32_t number = begin_by_hand();

    ck_assert(give_frame(HEADERS, END_HEADERS | END_STREAM, number, ok, sizeof ok));
    expect_end(number, ETCD_UNKNOWN, "without a status");
}

TEST(a_status_that_is_no_number_is_no_success)
{
    static const uint8_t trailers[] = "\x88\x00\x0bgrpc-status\x03"
                                      "0x0";
    uint32_t number = begin_by_hand();

    ck_assert(give_frame(HEADERS, END_HEADERS | END_STREAM, number, trailers, sizeof trailers - 1));
    expect_end(number, ETCD_UNKNOWN, "without a status");
}

TEST(pings_without_end_break_the_connection)
{
    bool is_well = true;
    unsigned pings = 0;

    begin_by_hand();
    for (; is_well && pings < 100000; pings++)
        is_well = give_frame(PING, 0, 0, "12345678", 8);
    ck_assert_uint_lt(pings, 100000);
}
