#include "etcd/rights.h"

#include <string.h>

#include "support/suite.h"

static struct arena *arena;

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

static void expect(enum etcd_method method, struct octets request, const char *wanted)
{
    const struct etcd_right *rights;
    char written[200];
    struct text text = text_over(written, sizeof written - 1);
    size_t count = etcd_list_rights(arena, method, request, &rights);

    etcd_add_rights(&text, rights, count, 3);
    *text.next = '\0';
    ck_assert_str_eq(written, wanted);
}

TEST(one_key_and_a_range_are_told_apart)
{
    const struct etcd_range one = {.key = octets_of("/a")};
    const struct etcd_range range = {.key = octets_of("/a/"), .end = octets_of("/a0")};
    const struct etcd_put put = {.key = octets_of("/b"), .value = octets_of("v")};
    const struct etcd_delete removal = {.key = octets_of("/b"), .end = octets_of("/c")};
    const struct etcd_watch watch = {.key = octets_of("/w/"), .end = octets_of("/w0")};

    expect(ETCD_RANGE, etcd_encode_range(arena, &one), "read /a");
    expect(ETCD_RANGE, etcd_encode_range(arena, &range), "read /a/ to /a0");
    expect(ETCD_PUT, etcd_encode_put(arena, &put), "write /b");
    expect(ETCD_DELETE, etcd_encode_delete(arena, &removal), "write /b to /c");
    expect(ETCD_WATCH, etcd_encode_watch(arena, &watch), "read /w/ to /w0");
}

TEST(a_transaction_needs_all_its_rights_each_once)
{
    const struct etcd_compare compares[] = {
        {.key = octets_of("/c"), .target = ETCD_MOD},
        {.key = octets_of("/c"), .target = ETCD_VERSION},
    };
    const struct etcd_operation success[] = {
        {.kind = ETCD_DO_PUT, .put = {.key = octets_of("/c")}},
        {.kind = ETCD_DO_DELETE, .removal = {.key = octets_of("/d/"), .end = octets_of("/d0")}},
        {.kind = ETCD_DO_PUT, .put = {.key = octets_of("/e")}},
    };
    const struct etcd_operation failure[] = {
        {.kind = ETCD_DO_RANGE, .range = {.key = octets_of("/f")}},
    };
    struct etcd_txn txn = {.compares = compares,
                           .compare_count = 2,
                           .success = success,
                           .success_count = 2,
                           .failure = failure,
                           .failure_count = 0};

    expect(ETCD_TXN, etcd_encode_txn(arena, &txn), "read /c, write /c, write /d/ to /d0");
    txn.success_count = 3;
    txn.failure_count = 1;
    expect(ETCD_TXN, etcd_encode_txn(arena, &txn),
           "read /c, write /c, write /d/ to /d0 and 2 more");
}

TEST(other_methods_need_none)
{
    const struct etcd_range range = {.key = octets_of("/a")};

    expect(ETCD_STATUS, etcd_encode_nothing(), "");
    expect(ETCD_ROLE_ADD, etcd_encode_role_add(arena, "r"), "");
    expect(ETCD_AUTH_ENABLE, etcd_encode_range(arena, &range), "");
}

TEST(a_key_cannot_control_a_terminal)
{
    const struct etcd_put put = {.key = octets_of("/a\x1b[2J")};

    expect(ETCD_PUT, etcd_encode_put(arena, &put), "write /a\\x1b[2J");
}
