/* Each key of a zone file is described once, for an operator, and its default is the parser's. */
#include "space/keys.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "space/parse.h"
#include "support/suite.h"

static struct arena *arena;
static struct report *report;

static void set_up(void)
{
    arena = arena_new();
    report = report_new();
}

static void tear_down(void)
{
    arena_free(arena);
    report_free(report);
}

FIXTURE(set_up, tear_down)

static size_t count_texts(const struct table *table, const char *key)
{
    size_t count = 0;

    for (size_t i = 0; i < key_text_count; i++)
        count += key_texts[i].table == table && strcmp(key_texts[i].key, key) == 0;
    return count;
}

TEST(every_key_that_the_parser_reads_has_one_text)
{
    for (size_t i = 0; space_tables[i] != NULL; i++)
        for (size_t j = 0; j < space_tables[i]->fields.count; j++) {
            const char *key = space_tables[i]->fields.items[j].name;
            ck_assert_msg(count_texts(space_tables[i], key) == 1, "`%s` of %s has %zu lines", key,
                          space_tables[i]->owner, count_texts(space_tables[i], key));
            ck_assert_str_eq(key_text_find(space_tables[i], key)->key, key);
        }
}

static bool is_read(const struct key_text *words)
{
    for (size_t i = 0; i < words->table->fields.count; i++)
        if (strcmp(words->table->fields.items[i].name, words->key) == 0)
            return true;
    return false;
}

TEST(every_text_is_of_a_key_that_the_parser_reads)
{
    for (size_t i = 0; i < key_text_count; i++)
        ck_assert_msg(is_read(&key_texts[i]), "%s has no key `%s`", key_texts[i].table->owner,
                      key_texts[i].key);
    ck_assert_ptr_null(key_text_find(space_tables[0], "spaces"));
}

static size_t count_words(const char *text)
{
    size_t count = 0;

    for (size_t i = 0; text[i] != '\0'; i++)
        count += isalpha((unsigned char)text[i]) && (i == 0 || text[i - 1] == ' ');
    return count;
}

TEST(a_text_is_a_line_of_more_than_the_name_of_its_key)
{
    for (size_t i = 0; i < key_text_count; i++) {
        const struct key_text *words = &key_texts[i];
        size_t length = strlen(words->help);
        ck_assert_msg(count_words(words->help) >= 2 && length > strlen(words->key) + 10,
                      "`%s` is described as `%s`", words->key, words->help);
        ck_assert_msg(words->help[length - 1] != '.' && strchr(words->help, '\n') == NULL &&
                          strchr(words->help, '|') == NULL,
                      "`%s` is no line of a table", words->help);
        ck_assert_msg(words->example == NULL || strstr(words->example, words->key) != NULL,
                      "the example `%s` lacks `%s`", words->example, words->key);
    }
}

/* ---- defaults ---- */

/* The kinds of mappings that a zone file below may spell out the defaults of. */
static const struct table *const spelled[] = {
    &space_table, &ttl_table,    &router_table, &peering_table,
    &app_table,   &domain_table, &port_table,   &dyno_table,
};
enum { SPACE, TTL, ROUTER, PEERING, APP, DOMAIN, PORT, DYNO, SPELLED_COUNT };

/* Appends "KEY: DEFAULT, " for each default of the table. Returns how many there are. */
static size_t add_defaults(struct text *text, const struct table *table)
{
    size_t count = 0;

    for (size_t i = 0; i < key_text_count; i++) {
        if (key_texts[i].table != table || key_texts[i].initial == NULL)
            continue;
        text_add_string(text, key_texts[i].key);
        text_add_string(text, ": ");
        text_add_string(text, key_texts[i].initial);
        text_add_string(text, ", ");
        count++;
    }
    return count;
}

/* Parses one item of each kind, with or without its defaults in words. Counts the defaults. */
static const struct space *parse_with(bool has_defaults, size_t *count)
{
    char defaults[SPELLED_COUNT][256] = {{0}};
    char file[4096];

    *count = 0;
    for (size_t i = 0; i < SPELLED_COUNT && has_defaults; i++) {
        struct text text = text_over(defaults[i], sizeof defaults[i] - 1);
        *count += add_defaults(&text, spelled[i]);
        ck_assert(!text.cut);
    }
    int length = snprintf(
        file, sizeof file,
        "{space: test-space, %s ttl: {%s}, routers: [{%sip: 10.0.0.37}],\n"
        " peerings: [{%spcx_id: pcx-1, status: active, cidr_blocks: [10.20.0.0/16]}],\n"
        " apps: [{%sname: an-app, domains: [{%shostname: a.example.com, cname: a.herokudns.com}],\n"
        "   formation: {web: {ports: {http: {%sport: 80}},\n"
        "     dynos: [{%snumber: 1, private_ip: 10.0.130.56}]}}}]}\n",
        defaults[SPACE], defaults[TTL], defaults[ROUTER], defaults[PEERING], defaults[APP],
        defaults[DOMAIN], defaults[PORT], defaults[DYNO]);
    ck_assert_int_lt(length, (int)sizeof file);
    const struct space *space = space_parse(arena, "test.yaml", file, (size_t)length, report);
    ck_assert_msg(space != NULL && report_count(report, FINDING_ERROR) == 0, "%s", file);
    return space;
}

TEST(every_default_is_spelled_out_below)
{
    size_t count, all = 0;

    parse_with(true, &count);
    for (size_t i = 0; i < key_text_count; i++)
        all += key_texts[i].initial != NULL;
    ck_assert_uint_eq(count, all);
}

static void expect_same_app(const struct app *a, const struct app *b)
{
    ck_assert_int_eq(a->internal_routing, b->internal_routing);
    ck_assert_int_eq(a->acm, b->acm);
    ck_assert_int_eq(a->maintenance, b->maintenance);
    ck_assert_int_eq(a->dns_discovery, b->dns_discovery);
    ck_assert_int_eq(a->domains[0].is_alias, b->domains[0].is_alias);
    ck_assert_int_eq(a->domains[0].is_flat, b->domains[0].is_flat);
    ck_assert_int_eq(a->domains[0].is_pending, b->domains[0].is_pending);
    ck_assert_int_eq(a->formations[0].ports[0].udp, b->formations[0].ports[0].udp);
    ck_assert_int_eq(a->formations[0].dynos[0].state, b->formations[0].dynos[0].state);
}

TEST(an_absent_key_stands_for_its_default)
{
    size_t count;
    const struct space *absent = parse_with(false, &count), *given = parse_with(true, &count);

    ck_assert_uint_eq(absent->cidr.cidr.address, given->cidr.cidr.address);
    ck_assert_uint_eq(absent->cidr.cidr.bits, given->cidr.cidr.bits);
    ck_assert_int_eq(absent->affinity, given->affinity);
    ck_assert_int_eq(absent->generation, given->generation);
    ck_assert_int_eq(absent->shield, given->shield);
    ck_assert_int_eq(absent->state, given->state);
    ck_assert_uint_eq(absent->router_ttl_seconds, given->router_ttl_seconds);
    ck_assert_uint_eq(absent->dyno_ttl_seconds, given->dyno_ttl_seconds);
    ck_assert_uint_eq(absent->negative_ttl_seconds, given->negative_ttl_seconds);
    ck_assert_int_eq(absent->routers[0].state, given->routers[0].state);
    ck_assert_int_eq(absent->peerings[0].type, given->peerings[0].type);
    ck_assert_int_eq(absent->peerings[0].grant, given->peerings[0].grant);
    expect_same_app(&absent->apps[0], &given->apps[0]);
}
