#include "etcd/messages.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

static struct arena *arena;
static struct err err;

static void set_up(void)
{
    arena = arena_new();
    ck_assert_ptr_nonnull(arena);
}

static void tear_down(void)
{
    arena_free(arena);
}

FIXTURE(set_up, tear_down)

/* ---- methods ---- */

TEST(a_method_has_the_path_of_etcds_api)
{
    ck_assert_str_eq(etcd_method_path(ETCD_RANGE), "/etcdserverpb.KV/Range");
    ck_assert_str_eq(etcd_method_path(ETCD_WATCH), "/etcdserverpb.Watch/Watch");
    ck_assert_str_eq(etcd_method_path(ETCD_MEMBERS), "/etcdserverpb.Cluster/MemberList");
}

/* ---- the end of a prefix ---- */

static const struct {
    const char *prefix;
    size_t length;
    const char *end;
    size_t end_length;
} prefixes[] = {
    {"/spacedns/c/", 12, "/spacedns/c0", 12},
    {"a", 1, "b", 1},
    {"a\xff\xff", 3, "b", 1},
    {"\xff\xff", 2, "\0", 1},
    {"", 0, "\0", 1},
};

TEST_OVER(the_end_of_a_prefix_is_the_next_key_behind_it, prefixes)
{
    struct octets end =
        etcd_prefix_end(arena, (struct octets){.start = (const uint8_t *)prefixes[_i].prefix,
                                               .length = prefixes[_i].length});

    ck_assert_uint_eq(end.length, prefixes[_i].end_length);
    ck_assert_mem_eq(end.start, prefixes[_i].end, end.length);
}

/* ---- requests: octets by hand, after etcd's rpc.proto ---- */

static void expect(struct octets got, const void *wanted, size_t length)
{
    ck_assert_ptr_nonnull(got.start);
    ck_assert_uint_eq(got.length, length);
    ck_assert_mem_eq(got.start, wanted, length);
}

#define EXPECT(got, wanted) expect(got, wanted, sizeof wanted - 1)

TEST(a_range_is_encoded)
{
    const struct etcd_range all = {.key = octets_of("/a"),
                                   .end = octets_of("/b"),
                                   .limit = 500,
                                   .revision = 300,
                                   .is_serializable = true,
                                   .keys_only = true,
                                   .count_only = true};
    const struct etcd_range one = {.key = octets_of("k")};

    EXPECT(etcd_encode_range(arena, &all),
           "\x0a\x02/a\x12\x02/b\x18\xf4\x03\x20\xac\x02\x38\x01\x40\x01\x48\x01");
    EXPECT(etcd_encode_range(arena, &one), "\x0a\x01k");
}

TEST(a_put_is_encoded)
{
    const struct etcd_put put = {.key = octets_of("k"), .value = octets_of("v"), .lease = 7};

    EXPECT(etcd_encode_put(arena, &put), "\x0a\x01k\x12\x01v\x18\x07");
}

TEST(a_delete_is_encoded)
{
    const struct etcd_delete removal = {.key = octets_of("a"), .end = octets_of("b")};

    EXPECT(etcd_encode_delete(arena, &removal), "\x0a\x01"
                                                "a\x12\x01"
                                                "b");
}

static const struct {
    struct etcd_compare compare;
    const char *octets;
    size_t length;
} compares[] = {
    {{.target = ETCD_VERSION, .result = ETCD_EQUAL, .number = 0}, "\x0a\x05\x1a\x01k\x20\x00", 7},
    {{.target = ETCD_CREATE, .result = ETCD_GREATER, .number = 5},
     "\x0a\x09\x08\x01\x10\x01\x1a\x01k\x28\x05",
     11},
    {{.target = ETCD_MOD, .result = ETCD_LESS, .number = 300},
     "\x0a\x0a\x08\x02\x10\x02\x1a\x01k\x30\xac\x02",
     12},
    {{.target = ETCD_VALUE, .result = ETCD_NOT_EQUAL, .value = {(const uint8_t *)"v", 1}},
     "\x0a\x0a\x08\x03\x10\x03\x1a\x01k\x3a\x01v",
     12},
    {{.target = ETCD_VERSION, .result = ETCD_GREATER, .end = {(const uint8_t *)"l", 1}},
     "\x0a\x0b\x08\x01\x1a\x01k\x20\x00\x82\x04\x01l",
     13},
};

/* A number of 0 is sent, for it is chosen among several. */
TEST_OVER(a_compare_is_encoded, compares)
{
    struct etcd_compare compare = compares[_i].compare;
    const struct etcd_txn txn = {.compares = &compare, .compare_count = 1};

    compare.key = octets_of("k");
    expect(etcd_encode_txn(arena, &txn), compares[_i].octets, compares[_i].length);
}

TEST(a_transaction_is_encoded)
{
    const struct etcd_operation success[] = {
        {.kind = ETCD_DO_PUT, .put = {.key = octets_of("k"), .value = octets_of("v")}},
        {.kind = ETCD_DO_DELETE, .removal = {.key = octets_of("d"), .end = octets_of("e")}},
    };
    const struct etcd_operation failure[] = {
        {.kind = ETCD_DO_RANGE, .range = {.key = octets_of("k"), .keys_only = true}},
    };
    const struct etcd_txn txn = {
        .success = success, .success_count = 2, .failure = failure, .failure_count = 1};
    const struct etcd_txn empty = {.success_count = 0};

    EXPECT(etcd_encode_txn(arena, &txn), "\x12\x08\x12\x06\x0a\x01k\x12\x01v"
                                         "\x12\x08\x1a\x06\x0a\x01"
                                         "d\x12\x01"
                                         "e"
                                         "\x1a\x07\x0a\x05\x0a\x01k\x40\x01");
    EXPECT(etcd_encode_txn(arena, &empty), "");
}

TEST(a_compaction_is_encoded)
{
    EXPECT(etcd_encode_compact(arena, 300, true), "\x08\xac\x02\x10\x01");
    EXPECT(etcd_encode_compact(arena, 1, false), "\x08\x01");
}

TEST(a_watch_is_encoded)
{
    const struct etcd_watch watch = {.key = octets_of("a"),
                                     .end = octets_of("b"),
                                     .start_revision = 9,
                                     .id = 4,
                                     .wants_progress = true};

    EXPECT(etcd_encode_watch(arena, &watch), "\x0a\x0c\x0a\x01"
                                             "a\x12\x01"
                                             "b\x18\x09\x20\x01\x38\x04");
    EXPECT(etcd_encode_watch_cancel(arena, 4), "\x12\x02\x08\x04");
}

TEST(leases_are_encoded)
{
    EXPECT(etcd_encode_lease_grant(arena, 60, 0), "\x08\x3c");
    EXPECT(etcd_encode_lease_grant(arena, 60, 5), "\x08\x3c\x10\x05");
    EXPECT(etcd_encode_lease_keep_alive(arena, 5), "\x08\x05");
    EXPECT(etcd_encode_lease_revoke(arena, 5), "\x08\x05");
}

TEST(users_and_roles_are_encoded)
{
    EXPECT(etcd_encode_authenticate(arena, "u", "p"), "\x0a\x01u\x12\x01p");
    EXPECT(etcd_encode_user_add(arena, "u", "p"), "\x0a\x01u\x12\x01p\x1a\x00");
    EXPECT(etcd_encode_user_add(arena, "u", NULL), "\x0a\x01u\x1a\x02\x08\x01");
    EXPECT(etcd_encode_user_grant_role(arena, "u", "r"), "\x0a\x01u\x12\x01r");
    EXPECT(etcd_encode_role_add(arena, "r"), "\x0a\x01r");
    EXPECT(etcd_encode_role_grant(arena, "r", ETCD_READ_WRITE, octets_of("a"), octets_of("b")),
           "\x0a\x01r\x12\x08\x08\x02\x12\x01"
           "a\x1a\x01"
           "b");
    EXPECT(etcd_encode_nothing(), "");
}

/* ---- responses ---- */

#define HEADER "\x0a\x0a\x08\xc1\x01\x10\x05\x18\xac\x02\x20\x07"

static void expect_header(struct etcd_header header)
{
    ck_assert_uint_eq(header.cluster, 0xc1);
    ck_assert_uint_eq(header.member, 5);
    ck_assert_int_eq(header.revision, 300);
    ck_assert_uint_eq(header.raft_term, 7);
}

#define DECODE(decode, octets, response)                                                           \
    ck_assert_msg(decode(arena, (const uint8_t *)(octets), sizeof octets - 1, response, &err),     \
                  "%s", err.text)

/* key k, created 2, changed 300, version 3, value v, lease 9 */
#define PAIR "\x0a\x01k\x10\x02\x18\xac\x02\x20\x03\x2a\x01v\x30\x09"

TEST(a_range_is_decoded)
{
    static const char octets[] = HEADER "\x12\x0f" PAIR "\x12\x03\x0a\x01l\x18\x01\x20\x05";
    struct etcd_range_response response;

    DECODE(etcd_decode_range, octets, &response);
    expect_header(response.header);
    ck_assert_uint_eq(response.count, 2);
    ck_assert(response.has_more);
    ck_assert_int_eq(response.in_range, 5);
    const struct etcd_pair *pair = &response.pairs[0];
    ck_assert(octets_are(pair->key, "k"));
    ck_assert(octets_are(pair->value, "v"));
    ck_assert_int_eq(pair->create_revision, 2);
    ck_assert_int_eq(pair->mod_revision, 300);
    ck_assert_int_eq(pair->version, 3);
    ck_assert_int_eq(pair->lease, 9);
    ck_assert(octets_are(response.pairs[1].key, "l"));
    ck_assert_uint_eq(response.pairs[1].value.length, 0);
}

TEST(a_range_without_keys_is_decoded)
{
    struct etcd_range_response response;

    DECODE(etcd_decode_range, HEADER, &response);
    ck_assert_uint_eq(response.count, 0);
    ck_assert(!response.has_more);
}

TEST(a_deletion_is_decoded)
{
    struct etcd_delete_response response;

    DECODE(etcd_decode_delete, HEADER "\x10\x03", &response);
    expect_header(response.header);
    ck_assert_int_eq(response.deleted, 3);
}

TEST(a_transaction_is_decoded)
{
    static const char octets[] = HEADER "\x10\x01"
                                        "\x1a\x02\x12\x00"
                                        "\x1a\x04\x1a\x02\x10\x02"
                                        "\x1a\x07\x0a\x05\x12\x03\x0a\x01k";
    struct etcd_txn_response response;

    DECODE(etcd_decode_txn, octets, &response);
    expect_header(response.header);
    ck_assert(response.has_succeeded);
    ck_assert_uint_eq(response.count, 3);
    ck_assert_int_eq(response.results[0].kind, ETCD_DO_PUT);
    ck_assert_int_eq(response.results[1].kind, ETCD_DO_DELETE);
    ck_assert_int_eq(response.results[1].deleted, 2);
    ck_assert_int_eq(response.results[2].kind, ETCD_DO_RANGE);
    ck_assert_uint_eq(response.results[2].range.count, 1);
    ck_assert(octets_are(response.results[2].range.pairs[0].key, "k"));
}

TEST(a_watch_is_decoded)
{
    static const char events[] = HEADER "\x10\x04"
                                        "\x5a\x11\x12\x0f" PAIR "\x5a\x0a\x08\x01\x12\x06\x0a\x01l"
                                        "\x18\xac\x02";
    static const char refused[] = HEADER "\x10\x04\x18\x01\x20\x01\x28\x64\x32\x02no\x38\x01";
    struct etcd_watch_response response;

    DECODE(etcd_decode_watch, events, &response);
    expect_header(response.header);
    ck_assert_int_eq(response.id, 4);
    ck_assert(!response.is_created && !response.is_canceled && !response.is_fragment);
    ck_assert_str_eq(response.reason, "");
    ck_assert_uint_eq(response.count, 2);
    ck_assert(!response.events[0].is_delete);
    ck_assert(octets_are(response.events[0].pair.value, "v"));
    ck_assert(response.events[1].is_delete);
    ck_assert(octets_are(response.events[1].pair.key, "l"));
    ck_assert_int_eq(response.events[1].pair.mod_revision, 300);

    DECODE(etcd_decode_watch, refused, &response);
    ck_assert(response.is_created && response.is_canceled && response.is_fragment);
    ck_assert_int_eq(response.compact_revision, 100);
    ck_assert_str_eq(response.reason, "no");
    ck_assert_uint_eq(response.count, 0);
}

TEST(the_other_responses_are_decoded)
{
    struct etcd_lease_response lease;
    struct etcd_authenticate_response token;
    struct etcd_status_response status;
    struct etcd_members_response members;
    struct etcd_header header;

    DECODE(etcd_decode_lease, HEADER "\x10\x05\x18\x3c", &lease);
    expect_header(lease.header);
    ck_assert_int_eq(lease.id, 5);
    ck_assert_int_eq(lease.seconds, 60);
    DECODE(etcd_decode_authenticate, HEADER "\x12\x03t.1", &token);
    ck_assert_str_eq(token.token, "t.1");
    DECODE(etcd_decode_status,
           HEADER "\x12\x06"
                  "3.4.23\x18\x64\x20\x05",
           &status);
    ck_assert_str_eq(status.version, "3.4.23");
    ck_assert_int_eq(status.database_octets, 100);
    ck_assert_uint_eq(status.leader, 5);
    DECODE(etcd_decode_members, HEADER "\x12\x0c\x08\x05\x12\x02m1\x1a\x00\x22\x02u1", &members);
    ck_assert_uint_eq(members.count, 1);
    ck_assert_uint_eq(members.members[0].id, 5);
    ck_assert_str_eq(members.members[0].name, "m1");
    ck_assert_uint_eq(members.members[0].client_url_count, 1);
    ck_assert_str_eq(members.members[0].client_urls[0], "u1");
    DECODE(etcd_decode_header, HEADER, &header);
    expect_header(header);
}

/* Field 200 of each wire type: varint, 8 octets, length, 4 octets. */
TEST(what_a_newer_etcd_adds_is_passed_over)
{
    static const char octets[] = "\xc0\x0c\x05\xc1\x0c"
                                 "12345678\xc2\x0c\x03"
                                 "abc\xc5\x0c"
                                 "1234"
                                 "\x18\x01";
    struct etcd_range_response response;

    DECODE(etcd_decode_range, octets, &response);
    ck_assert(response.has_more);
    ck_assert_int_eq(response.header.revision, 0);
}

/* ---- octets that are no message ---- */

static const char whole[] = HEADER "\x10\x04"
                                   "\x5a\x11\x12\x0f" PAIR "\x5a\x0a\x08\x01\x12\x06\x0a\x01l"
                                   "\x18\xac\x02";

/* In a block of its own size, so that reading behind it is seen. */
static bool decode_watch(const uint8_t *octets, size_t length)
{
    struct etcd_watch_response response;
    uint8_t *copy = malloc(length + (length == 0));

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, octets, length);
    bool is_well = etcd_decode_watch(arena, copy, length, &response, &err);
    free(copy);
    return is_well;
}

TEST(a_message_cut_anywhere_reads_nothing_behind_it)
{
    const uint8_t *octets = (const uint8_t *)whole;
    unsigned refused = 0;

    for (size_t length = 0; length < sizeof whole - 1; length++)
        refused += !decode_watch(octets, length);
    /* At the end of a field it is another message, and a good one. */
    ck_assert_uint_eq(refused, sizeof whole - 1 - 4);
    ck_assert_ptr_nonnull(strstr(err.text, "etcd's API"));
}

TEST(any_octet_may_be_any_other)
{
    uint8_t octets[sizeof whole - 1];

    for (size_t i = 0; i < sizeof octets; i++)
        for (unsigned value = 0; value < 256; value++) {
            memcpy(octets, whole, sizeof octets);
            octets[i] = (uint8_t)value;
            decode_watch(octets, sizeof octets);
        }
}

static const struct {
    const char *octets;
    size_t length;
} broken[] = {
    {"\x5a\xff\xff\xff\xff\x0f", 6},                          /* a length of 4 GB */
    {"\x5a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10},         /* of 2^63 */
    {"\x5a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12}, /* a number of 11 octets */
    {"\x5a\x02\x08\x00", 4},                                  /* an event without a pair */
    {"\x00\x00", 2},                                          /* field 0 */
    {"\x07", 1},                                              /* wire type 7 */
};

TEST_OVER(broken_octets_are_refused, broken)
{
    ck_assert(!decode_watch((const uint8_t *)broken[_i].octets, broken[_i].length));
}

TEST(a_result_of_another_operation_is_refused)
{
    static const char octets[] = "\x1a\x02\x22\x00"; /* a transaction inside a transaction */
    struct etcd_txn_response response;

    ck_assert(!etcd_decode_txn(arena, (const uint8_t *)octets, sizeof octets - 1, &response, &err));
}

/* Two octets make an event of some hundred in memory. */
TEST(a_message_of_many_parts_takes_no_more_memory_than_allowed)
{
    enum { EVENTS = 1 << 20 };
    uint8_t *octets = malloc(2 * EVENTS);
    struct etcd_watch_response response;

    ck_assert_ptr_nonnull(octets);
    for (size_t i = 0; i < EVENTS; i++) {
        octets[2 * i] = 0x5a;
        octets[2 * i + 1] = 0;
    }
    ck_assert(!etcd_decode_watch(arena, octets, 2 * EVENTS, &response, &err));
    ck_assert_int_eq(err.code, ERR_LIMIT);
    ck_assert_uint_le(arena_used(arena),
                      2 * EVENTS * DECODED_OCTETS_PER_OCTET + DECODED_OCTETS_LEAST);
    free(octets);
}

/* What etcd really sends is far from the limit: 1,000 changes of short keys. */
TEST(a_message_of_many_short_events_is_accepted)
{
    enum { EVENTS = 1000, EVENT_OCTETS = 16 };
    static const char event[] = "\x5a\x0e\x12\x0c\x0a\x01k\x10\x02\x18\x02\x20\x01\x2a\x01v";
    uint8_t *octets = malloc(EVENTS * EVENT_OCTETS);
    struct etcd_watch_response response;

    ck_assert_uint_eq(sizeof event - 1, EVENT_OCTETS);
    ck_assert_ptr_nonnull(octets);
    for (size_t i = 0; i < EVENTS; i++)
        memcpy(octets + i * EVENT_OCTETS, event, EVENT_OCTETS);
    ck_assert_msg(etcd_decode_watch(arena, octets, EVENTS * EVENT_OCTETS, &response, &err), "%s",
                  err.text);
    ck_assert_uint_eq(response.count, EVENTS);
    free(octets);
}
