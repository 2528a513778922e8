#include "registry/keys.h"

#include <string.h>

#include "support/suite.h"

static struct keys cell(void)
{
    struct keys keys;
    struct err err;

    ck_assert(keys_init(&keys, "/spacedns", "eu", &err));
    return keys;
}

static const struct {
    const char *key;
    enum key_kind kind;
    const char *space, *app, *type;
} read_keys[] = {
    {"/spacedns/eu/meta", KEY_META, "", "", ""},
    {"/spacedns/eu/config", KEY_CONFIG, "", "", ""},
    {"/spacedns/eu/force", KEY_FORCE, "", "", ""},
    {"/spacedns/eu/pause", KEY_PAUSE, "", "", ""},
    {"/spacedns/eu/beat", KEY_BEAT, "", "", ""},
    {"/spacedns/eu/z/test-space", KEY_DOCUMENT, "test-space", "", ""},
    {"/spacedns/eu/f/test-space", KEY_FIXED, "test-space", "", ""},
    {"/spacedns/eu/next/test-space", KEY_CANDIDATE, "test-space", "", ""},
    {"/spacedns/eu/h/host-7", KEY_HOST, "host-7", "", ""},
    {"/spacedns/eu/d/s/a/web", KEY_DYNOS, "s", "a", "web"},
    {"/spacedns/eu/", KEY_OTHER, "", "", ""},
    {"/spacedns/eu", KEY_OTHER, "", "", ""},
    {"/spacedns/us/meta", KEY_OTHER, "", "", ""},
    {"/spacedns-replicas/eu/x", KEY_OTHER, "", "", ""},
    {"/spacedns/eu/metal", KEY_OTHER, "", "", ""},
    {"/spacedns/eu/z/", KEY_OTHER, "", "", ""},
    {"/spacedns/eu/z/a/b", KEY_OTHER, "", "", ""},
    {"/spacedns/eu/z/a/", KEY_OTHER, "", "", ""},
    {"/spacedns/eu/z/a b", KEY_OTHER, "", "", ""},
    {"/spacedns/eu/z/a\n", KEY_OTHER, "", "", ""},
    {"/spacedns/eu/d/s", KEY_OTHER, "", "", ""},
    {"/spacedns/eu/d/s/a", KEY_OTHER, "", "", ""},
    {"/spacedns/eu/d/s/a/", KEY_OTHER, "", "", ""},
    {"/spacedns/eu/d/s//web", KEY_OTHER, "", "", ""},
    {"/spacedns/eu/d//a/web", KEY_OTHER, "", "", ""},
    {"/spacedns/eu/d/s/a/web/1", KEY_OTHER, "", "", ""},
    {"/spacedns/eu/x/y", KEY_OTHER, "", "", ""},
};

TEST_OVER(a_key_is_read_as_what_it_is, read_keys)
{
    struct keys keys = cell();
    struct key key;

    keys_read(&keys, read_keys[_i].key, strlen(read_keys[_i].key), &key);
    ck_assert_int_eq(key.kind, read_keys[_i].kind);
    ck_assert_str_eq(key.space, read_keys[_i].space);
    ck_assert_str_eq(key.app, read_keys[_i].app);
    ck_assert_str_eq(key.type, read_keys[_i].type);
}

TEST(a_zero_octet_in_a_name_is_refused)
{
    static const char octets[] = "/spacedns/eu/z/a\0b";
    struct keys keys = cell();
    struct key key;

    keys_read(&keys, octets, sizeof octets - 1, &key);
    ck_assert_int_eq(key.kind, KEY_OTHER);
}

TEST(a_name_may_have_255_octets_and_no_more)
{
    char octets[] = "/spacedns/eu/z/"
                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    struct keys keys = cell();
    struct key key;

    keys_read(&keys, octets, sizeof octets - 2, &key);
    ck_assert_int_eq(key.kind, KEY_DOCUMENT);
    ck_assert_uint_eq(strlen(key.space), 255);
    keys_read(&keys, octets, sizeof octets - 1, &key);
    ck_assert_int_eq(key.kind, KEY_OTHER);
    ck_assert_str_eq(key.space, "");
}

TEST(what_is_written_is_read)
{
    struct keys keys = cell();
    struct key_text text;

    keys_write(&keys, KEY_DOCUMENT, "a", &text);
    ck_assert_str_eq(text.octets, "/spacedns/eu/z/a");
    ck_assert_uint_eq(text.length, 16);
    keys_write(&keys, KEY_META, "", &text);
    ck_assert_str_eq(text.octets, "/spacedns/eu/meta");
    keys_write_dynos(&keys, "a", "b", "web", &text);
    ck_assert_str_eq(text.octets, "/spacedns/eu/d/a/b/web");
    keys_write_replica(&keys, "ns1", &text);
    ck_assert_str_eq(text.octets, "/spacedns-replicas/eu/ns1");
}

TEST(a_range_ends_behind_its_last_slash)
{
    struct keys keys = cell();
    struct key_range range;

    keys_range_all(&keys, &range);
    ck_assert_str_eq(range.begin.octets, "/spacedns/eu/");
    ck_assert_str_eq(range.end.octets, "/spacedns/eu0");
    keys_range_kind(&keys, KEY_DYNOS, &range);
    ck_assert_str_eq(range.begin.octets, "/spacedns/eu/d/");
    ck_assert_str_eq(range.end.octets, "/spacedns/eu/d0");
    keys_range_dynos(&keys, "a", &range);
    ck_assert_str_eq(range.begin.octets, "/spacedns/eu/d/a/");
    ck_assert_str_eq(range.end.octets, "/spacedns/eu/d/a0");
    keys_range_replicas(&keys, &range);
    ck_assert_str_eq(range.end.octets, "/spacedns-replicas/eu0");
}

static const struct {
    const char *root, *cell, *named;
} bad_cells[] = {
    {"spacedns", "eu", "registry.root"}, {"/spacedns/", "eu", "registry.root"},
    {"/", "eu", "registry.root"},        {"/a b", "eu", "registry.root"},
    {"/spacedns", "", "registry.cell"},  {"/spacedns", "a/b", "registry.cell"},
};

TEST_OVER(a_cell_that_no_key_can_have_is_refused, bad_cells)
{
    struct keys keys;
    struct err err;

    ck_assert(!keys_init(&keys, bad_cells[_i].root, bad_cells[_i].cell, &err));
    ck_assert_ptr_nonnull(strstr(err.text, bad_cells[_i].named));
}

TEST(people_see_a_key_below_its_cell)
{
    struct key key = {.kind = KEY_DYNOS, .space = "s", .app = "a", .type = "web"};
    char text[32];

    keys_format(&key, text, sizeof text);
    ck_assert_str_eq(text, "d/s/a/web");
    key = (struct key){.kind = KEY_CANDIDATE, .space = "s"};
    keys_format(&key, text, sizeof text);
    ck_assert_str_eq(text, "next/s");
}
