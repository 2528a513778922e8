/* What is known of a space whose text has errors: its clients, and the names to keep back. */
#include "answer/seal_unready.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "space/parse.h"
#include "space/rules.h"
#include "support/suite.h"

static struct arena *arena;
static struct suffixes suffixes;
static struct unready_space unready;
static struct segment *segment;
static struct err err;

static void set_up(void)
{
    arena = arena_new();
    suffixes = suffixes_default();
    unready = (struct unready_space){.file = "z/north", .name = "north"};
}

static void tear_down(void)
{
    segment_release(segment);
    segment = NULL;
    arena_free(arena);
}

FIXTURE(set_up, tear_down)

/* Reads a text that may have any error. */
static void read_text(const char *yaml)
{
    struct report *report = report_new();
    struct space *space = space_parse(arena, "z/north", yaml, strlen(yaml), report);

    if (space != NULL)
        space_check(space, &suffixes, report);
    ck_assert(!report_is_clean(report));
    report_free(report);
    unready.model = space;
}

static void seal(void)
{
    segment =
        segment_seal_unready(&unready, FINDING_TTL, (struct location){.line = 7}, &suffixes, &err);
    ck_assert_msg(segment != NULL, "%s", err.text);
}

TEST(an_unready_space_has_a_name_and_a_reason_and_nothing_to_answer)
{
    read_text("space: north\ncidr: 10.3.0.0/16\nrouters: [10.3.0.1]\nttl: {dyno: 900}\n"
              "apps: [{name: billing, internal_routing: true}]\n"
              "records: [\"db.example.com. 60 IN A 10.3.0.9\"]\n");
    seal();
    ck_assert(segment->is_unready);
    ck_assert_str_eq(segment->name, "north");
    ck_assert_str_eq(segment->file, "z/north");
    ck_assert_int_eq(segment->unready_code, FINDING_TTL);
    ck_assert_uint_eq(segment->unready_at.line, 7);
    ck_assert_uint_eq(segment->app_count + segment->host_count + segment->record_count, 0);
    ck_assert_uint_eq(segment->router_count, 0);
    ck_assert_uint_eq(segment->identity.stamp.words[0], 0);
}

static const struct {
    const char *yaml; /* NULL: the text was no YAML */
    struct cidr fixed, cidr;
} blocks[] = {
    {"space: north\ncidr: 10.3.0.0/16\nx: y\n", {0}, {0x0a030000, 16}},
    {"space: north\ncidr: 10.3.0.0/16\nx: y\n", {0x0a040000, 16}, {0x0a040000, 16}},
    {"space: north\nx: y\n", {0}, {0x0a000000, 16}},
    {"space: north\ncidr: 10.3.0.0/15\n", {0}, {0, 32}},
    {"space: north\ncidr: 10.3.1.0/16\n", {0}, {0x0a030000, 16}},
    {"space: north\ncidr: 0.0.0.0/0\n", {0}, {0, 32}},
    {"space: north\ncidr: nowhere\n", {0x0a040000, 16}, {0x0a040000, 16}},
    {"space: north\ncidr: nowhere\n", {0x08080000, 16}, {0, 32}},
    {NULL, {0x0a040000, 16}, {0x0a040000, 16}},
    {NULL, {0}, {0, 32}},
};

TEST_OVER(its_clients_are_those_of_the_fixed_block_else_of_the_texts, blocks)
{
    const struct fixed_space fixed = {.name = "north", .cidr = blocks[_i].fixed};

    if (blocks[_i].yaml != NULL)
        read_text(blocks[_i].yaml);
    if (blocks[_i].fixed.bits > 0)
        unready.fixed = &fixed;
    seal();
    ck_assert_uint_eq(segment->cidr.address, blocks[_i].cidr.address);
    ck_assert_uint_eq(segment->cidr.bits, blocks[_i].cidr.bits);
}

TEST(its_clients_are_those_of_its_connections_too_but_for_blocks_that_nobody_can_read)
{
    read_text("space: north\nlisten: [10.3.0.2]\nx: y\n"
              "peerings:\n"
              "  - {pcx_id: pcx-11111111, status: active, type: customer-managed,\n"
              "     cidr_blocks: [10.9.0.0/16, 0.0.0.0/0, nonsense]}\n"
              "  - {status: active, cidr_blocks: [10.8.0.0/16]}\n"
              "vpns:\n"
              "  - {name: office, status: active, routable_cidrs: [10.7.0.0/16]}\n");
    seal();
    ck_assert_uint_eq(segment->listen_count, 1);
    ck_assert_uint_eq(segment->listen[0], 0x0a030002);
    ck_assert_uint_eq(segment->connection_count, 2);
    ck_assert_str_eq(segment->connections[0].name, "pcx-11111111");
    ck_assert_uint_eq(segment->connections[0].block_count, 1);
    ck_assert_uint_eq(segment->connections[0].blocks[0].address, 0x0a090000);
    ck_assert_str_eq(segment->connections[1].name, "office");
    ck_assert(segment->connections[1].grants);
}

/* The sealed names: apps, then hosts, one a line. */
static const char *list_names(void)
{
    static char out[1024];
    struct text text = text_over(out, sizeof out - 1);

    for (size_t i = 0; i < segment->app_count; i++) {
        const struct app_entry *app = &segment->apps[i];
        text_add_string(&text, (app->flags & APP_INTERNAL) != 0 ? "internal " : "public ");
        text_add(&text, segment_text(segment, app->name), app->name_length);
        text_add_string(&text, "\n");
    }
    for (size_t i = 0; i < segment->host_count; i++) {
        name_add(&text, segment->texts + segment->hosts[i].octets);
        text_add_string(&text, "\n");
    }
    *text.next = '\0';
    return out;
}

TEST(the_names_are_those_that_can_be_read)
{
    uint64_t apps[] = {fixed_app("hidden", 6, NULL, true)};
    const struct fixed_space fixed = {.name = "north", .apps = apps, .app_count = 1};

    unready.fixed = &fixed;
    read_text("space: north\n"
              "apps:\n"
              "  - name: billing\n"
              "    internal_routing: true\n"
              "    domains:\n"
              "      - {hostname: shop.example.com, cname: bad..name}\n"
              "      - {hostname: a..b}\n"
              "      - {hostname: \"*.wild.example.com\", cname: x.herokuspace.com}\n"
              "      - nonsense: 1\n"
              "  - {name: hidden, internal_routing: perhaps}\n"
              "  - {name: OPEN}\n"
              "  - {name: dotted.name}\n"
              "  - {internal_routing: true}\n"
              "  - {name: billing}\n"
              "  - 17\n"
              "records: [\"db.example.com. 60 IN A 10.3.0.9\", \"nonsense\"]\n");
    segment = segment_seal_names(&unready, &suffixes, &err);
    ck_assert_ptr_nonnull(segment);
    ck_assert_str_eq(list_names(),
                     "internal billing\ninternal hidden\npublic open\n"
                     "public billing\n"
                     "shop.example.com\nshop.example.com\nx.herokuspace.com\n*.wild.example.com\n"
                     "db.example.com\n");
}

TEST(a_text_that_cannot_be_read_has_no_names)
{
    ck_assert_ptr_null(segment_seal_names(&unready, &suffixes, &err));
    ck_assert_int_eq(err.code, ERR_NONE);
}
