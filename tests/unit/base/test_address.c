#include "base/address.h"

#include "support/suite.h"

static const struct {
    const char *text;
    bool is_read;
    uint32_t address;
} quads[] = {
    {"10.0.0.1", true, 0x0a000001},
    {"0.0.0.0", true, 0},
    {"255.255.255.255", true, 0xffffffff},
    {"10.0.130.56", true, 0x0a008238},
    {"", false, 0},
    {"10.0.0", false, 0},
    {"10.0.0.", false, 0},
    {"10.0.0.1.", false, 0},
    {"10.0.0.256", false, 0},
    {"10.0.0.01", false, 0},
    {"010.0.0.1", false, 0},
    {"10.0.0.1 ", false, 0},
    {" 10.0.0.1", false, 0},
    {"10.0.0.-1", false, 0},
    {"10..0.1", false, 0},
    {"0x0a.0.0.1", false, 0},
    {"10.0.0.1/32", false, 0},
    {"1000.0.0.1", false, 0},
    {"::1", false, 0},
};

TEST_OVER(a_dotted_quad_is_strict, quads)
{
    uint32_t address = 0x7f7f7f7f;

    ck_assert_msg(ipv4_read(quads[_i].text, &address) == quads[_i].is_read, "%s", quads[_i].text);
    ck_assert_uint_eq(address, quads[_i].is_read ? quads[_i].address : 0x7f7f7f7f);
    if (!quads[_i].is_read)
        return;
    char text[CIDR_TEXT_MAX];
    ipv4_write(address, text);
    ck_assert_str_eq(text, quads[_i].text);
}

static const struct {
    const char *text;
    bool is_read;
    uint32_t first, last;
} blocks[] = {
    {"10.0.0.0/16", true, 0x0a000000, 0x0a00ffff},
    {"10.0.3.7/16", true, 0x0a000000, 0x0a00ffff}, /* host bits are kept, and ignored */
    {"0.0.0.0/0", true, 0, 0xffffffff},
    {"192.0.2.10/32", true, 0xc000020a, 0xc000020a},
    {"192.0.2.10/31", true, 0xc000020a, 0xc000020b},
    {"128.0.0.0/1", true, 0x80000000, 0xffffffff},
    {"10.0.0.0", false, 0, 0},
    {"10.0.0.0/", false, 0, 0},
    {"10.0.0.0/33", false, 0, 0},
    {"10.0.0.0/016", false, 0, 0},
    {"10.0.0.0/-1", false, 0, 0},
    {"10.0.0.0/16x", false, 0, 0},
    {"10.0.0/16", false, 0, 0},
};

TEST_OVER(a_block_has_a_first_and_a_last_address, blocks)
{
    struct cidr cidr = {.address = 1};
    char text[CIDR_TEXT_MAX];

    ck_assert_msg(cidr_read(blocks[_i].text, &cidr) == blocks[_i].is_read, "%s", blocks[_i].text);
    if (!blocks[_i].is_read)
        return;
    ck_assert_uint_eq(cidr_first(cidr), blocks[_i].first);
    ck_assert_uint_eq(cidr_last(cidr), blocks[_i].last);
    ck_assert(cidr_contains(cidr, blocks[_i].first));
    ck_assert(cidr_contains(cidr, blocks[_i].last));
    ck_assert(blocks[_i].first == 0 || !cidr_contains(cidr, blocks[_i].first - 1));
    ck_assert(blocks[_i].last == UINT32_MAX || !cidr_contains(cidr, blocks[_i].last + 1));
    cidr_write(cidr, text);
    ck_assert_str_eq(text, blocks[_i].text);
}

static const struct {
    const char *a, *b;
    bool overlaps, a_is_inside_b;
} pairs[] = {
    {"10.0.0.0/16", "10.0.128.0/20", true, false}, {"10.0.128.0/20", "10.0.0.0/16", true, true},
    {"10.0.0.0/16", "10.0.0.0/16", true, true},    {"10.0.0.0/16", "10.1.0.0/16", false, false},
    {"0.0.0.0/0", "192.0.2.1/32", true, false},    {"192.0.2.1/32", "0.0.0.0/0", true, true},
    {"10.0.0.0/20", "10.0.16.0/20", false, false},
};

TEST_OVER(blocks_overlap_and_lie_inside_each_other, pairs)
{
    struct cidr a, b;

    ck_assert(cidr_read(pairs[_i].a, &a) && cidr_read(pairs[_i].b, &b));
    ck_assert(cidr_overlaps(a, b) == pairs[_i].overlaps);
    ck_assert(cidr_overlaps(b, a) == pairs[_i].overlaps);
    ck_assert(cidr_is_inside(a, b) == pairs[_i].a_is_inside_b);
}

static const struct {
    const char *block;
    bool is_private;
} privates[] = {
    {"10.0.0.0/8", true},      {"10.255.255.255/32", true}, {"172.16.0.0/12", true},
    {"172.31.255.0/24", true}, {"192.168.0.0/16", true},    {"10.0.0.0/7", false},
    {"172.15.0.0/16", false},  {"172.32.0.0/16", false},    {"192.169.0.0/16", false},
    {"0.0.0.0/0", false},      {"100.64.0.0/10", false},    {"172.0.0.0/8", false},
};

TEST_OVER(private_blocks_are_those_of_rfc_1918, privates)
{
    struct cidr cidr;

    ck_assert(cidr_read(privates[_i].block, &cidr));
    ck_assert_msg(cidr_is_private(cidr) == privates[_i].is_private, "%s", privates[_i].block);
    if (cidr.bits == 32)
        ck_assert(ipv4_is_private(cidr.address) == privates[_i].is_private);
}

static const struct {
    const char *text;
    const char *written; /* NULL: no prefix */
} prefixes[] = {
    {"64:ff9b::/96", "64:ff9b::/96"},
    {"2001:DB8:0:0::/32", "2001:db8::/32"},
    {"2001:db8:100::/40", "2001:db8:100::/40"},
    {"2001:db8:122::/48", "2001:db8:122::/48"},
    {"2001:db8:122:300::/56", "2001:db8:122:300::/56"},
    {"2001:db8:122:344::/64", "2001:db8:122:344::/64"},
    {"2001:db8::/33", NULL},
    {"2001:db8::/128", NULL},
    {"2001:db8::/0", NULL},
    {"2001:db8::/096", NULL},
    {"2001:db8::", NULL},
    {"2001:db8::/", NULL},
    {"2001:db8:122:344::/48", NULL}, /* bits after the prefix */
    {"64:ff9b::1/96", NULL},
    {"10.0.0.0/32", NULL},
    {"", NULL},
    {"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/96", NULL},
};

TEST_OVER(a_prefix_for_nat64_has_one_of_six_lengths, prefixes)
{
    struct nat64_prefix prefix = {.bits = 7};
    char text[NAT64_TEXT_MAX];

    ck_assert(nat64_prefix_read(prefixes[_i].text, &prefix) == (prefixes[_i].written != NULL));
    if (prefixes[_i].written == NULL) {
        ck_assert_uint_eq(prefix.bits, 7);
        return;
    }
    nat64_prefix_write(&prefix, text);
    ck_assert_str_eq(text, prefixes[_i].written);
}
