// wrap: malloc calloc realloc
/* Keys of dynos in a load: the result is that of the documents with those dynos in them. */
#include "answer/dyno_key.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer/load.h"
#include "support/allocations.h"
#include "support/memory_source.h"
#include "support/suite.h"
#include "support/zones.h"

enum { KEYS_MOST = 16, DUMP_OCTETS = 4096 };

static struct memory_source memory;
static struct policy policy;
static struct snapshot *snapshot;
static struct load_outcome outcome;
static struct dyno_key *keys[KEYS_MOST]; /* given to the next load, and then no more */
static size_t key_count;
static struct load_request request;

static void set_up(void)
{
    memory_source_init(&memory);
    memory.source.root = "z";
    policy = policy_usual();
    key_count = 0;
    request = (struct load_request){.threads = 1};
}

static bool warns_of_no_web; /* of the last load */

static void free_keys(void)
{
    while (key_count > 0)
        dyno_key_free(keys[--key_count]);
}

static void tear_down(void)
{
    free_keys();
    load_outcome_close(&outcome);
    snapshot_free(snapshot);
    snapshot = NULL;
}

FIXTURE(set_up, tear_down)

/* Adds a key of the next load: "north/bill/web", value NULL: it is gone. */
static void give(const char *path, uint64_t revision, const char *value)
{
    char parts[64], *app, *type;

    snprintf(parts, sizeof parts, "%s", path);
    app = strchr(parts, '/');
    *app++ = '\0';
    type = strchr(app, '/');
    *type++ = '\0';
    struct report *report = report_new();
    keys[key_count++] = value == NULL
                            ? dyno_key_gone(parts, app, type, revision)
                            : dyno_key_read(parts, app, type, revision, octets_of(value), report);
    report_free(report);
    ck_assert_ptr_nonnull(keys[key_count - 1]);
}

static int compare(const void *a, const void *b)
{
    return dyno_key_compare(*(struct dyno_key *const *)a, *(struct dyno_key *const *)b);
}

/* Loads with the keys given. Returns false when nothing has changed. */
static bool load(void)
{
    struct report *report = report_new();
    struct err err;

    qsort(keys, key_count, sizeof keys[0], compare);
    request.source = &memory.source;
    request.policy = &policy;
    request.key = key_usual();
    request.before = snapshot;
    request.keeps_spaces = true;
    request.keys = (const struct dyno_key *const *)keys;
    request.key_count = key_count;
    load_outcome_close(&outcome);
    struct snapshot *next = snapshot_load(&request, report, &outcome, &err);
    ck_assert_msg(next != NULL || outcome.is_unchanged, "%s", err.text);
    warns_of_no_web = false;
    for (size_t i = 0; i < report_total(report); i++)
        warns_of_no_web |= report_findings(report)[i].code == FINDING_NO_WEB;
    report_free(report);
    free_keys();
    if (next != NULL) {
        snapshot_free(snapshot);
        snapshot = next;
    }
    return next != NULL;
}

/* A document of the space north with block 10.0, or another; apps as YAML. */
static void put(const char *space, const char *apps)
{
    char text[MEMORY_TEXT_MOST];

    snprintf(text, sizeof text,
             "space: %s\ncidr: 10.%d.0.0/16\nrouters: [10.%d.0.37]\napps: [%s]\n", space,
             space[0] - 'a', space[0] - 'a', apps);
    memory_source_put(&memory, space, text);
}

static void put_and_commit(const char *space, const char *apps)
{
    put(space, apps);
    memory_source_commit(&memory);
}

static void dump_app(const struct segment *segment, const struct app_entry *app, struct text *text)
{
    text_add(text, segment_text(segment, app->name), app->name_length);
    text_add_string(text, " web=");
    text_add_number(text, app->web_up);
    text_add_string(text, "/");
    text_add_number(text, app->web_count);
    for (size_t i = 0; i < app->formation_count; i++) {
        const struct formation_entry *formation = &segment->formations[app->formations + i];
        text_add_string(text, " ");
        text_add_string(text, segment_type(segment, formation));
        text_add_string(text, ":");
        for (size_t j = 0; j < formation->dyno_count; j++) {
            const struct dyno_entry *dyno = &segment->dynos[formation->dynos + j];
            text_add_string(text, j > 0 ? "," : "");
            text_add_number(text, dyno->number);
            text_add_string(text, dyno_state_text(dyno->state));
            text_add_ipv4(text, dyno->ip);
        }
    }
    text_add_string(text, "\n");
}

/* All that is served of dynos, by the names of the spaces. */
static const char *dump(void)
{
    static char out[DUMP_OCTETS];
    struct text text = text_over(out, sizeof out - 1);

    for (char letter = 'a'; letter <= 'z'; letter++) {
        const char name[] = {letter, 'n', 'o', 'r', 't', 'h', '\0'};
        const struct segment *segment = snapshot_find_space(snapshot, name);
        for (size_t i = 0; segment != NULL && i < segment->app_count; i++)
            dump_app(segment, &segment->apps[i], &text);
        for (size_t i = 0; segment != NULL && i < segment->published_count; i++) {
            text_add_ipv4(&text, segment->dynos[segment->dynos_by_ip[i]].ip);
            text_add_string(&text, " ");
        }
    }
    *text.next = '\0';
    return out;
}

/* The keys that wait, such as "north/bill/web@7 ". */
static const char *waiting(void)
{
    static char out[DUMP_OCTETS];
    size_t length = 0;

    out[0] = '\0';
    for (size_t i = 0; i < outcome.unused_count; i++) {
        const struct dyno_key *key = outcome.unused[i];
        length += (size_t)snprintf(out + length, sizeof out - length, "%s/%s/%s@%u ", key->space,
                                   key->app, key->type, (unsigned)key->revision);
    }
    return out;
}

#define BILL "{name: bill, internal_routing: true}"
#define BILL_SHOP BILL ", {name: shop, internal_routing: true}"

/* ---- given keys ---- */

TEST(given_keys_are_applied_to_new_documents_and_to_unchanged_ones)
{
    put_and_commit("anorth", BILL);
    give("anorth/bill/web", 3, "1 up 10.0.130.1\n2 down\n");
    ck_assert(load());
    ck_assert_str_eq(dump(), "bill web=1/2 web:1up10.0.130.1,2down0.0.0.0\n10.0.130.1 ");
    ck_assert_str_eq(waiting(), "");
    unsigned reads = memory.reads;
    give("anorth/bill/web", 4, "1 crashed 10.0.130.1\n");
    ck_assert(load());
    ck_assert_str_eq(dump(), "bill web=0/1 web:1crashed10.0.130.1\n");
    ck_assert_uint_eq(memory.reads, reads);
    give("anorth/bill/web", 5, NULL);
    ck_assert(load());
    ck_assert_str_eq(dump(), "bill web=0/0\n");
    ck_assert(!load());
}

TEST(keys_in_force_are_carried_over_to_the_next_text)
{
    put_and_commit("anorth", BILL);
    give("anorth/bill/web", 3, "1 up 10.0.130.1\n");
    give("anorth/bill/run", 4, "7 up 10.0.130.7\n");
    ck_assert(load());
    put_and_commit("anorth", BILL_SHOP);
    give("anorth/shop/web", 6, "1 up 10.0.130.2\n");
    give("anorth/bill/run", 7, "8 up 10.0.130.8\n");
    ck_assert(load());
    ck_assert_str_eq(dump(), "bill web=1/1 run:8up10.0.130.8 web:1up10.0.130.1\n"
                             "shop web=1/1 web:1up10.0.130.2\n"
                             "10.0.130.1 10.0.130.2 10.0.130.8 ");
    ck_assert_str_eq(waiting(), "");
}

/* Documents of a registry have no dynos as a rule. */
TEST(an_app_whose_key_has_a_web_dyno_up_runs_whatever_its_document_says)
{
    const char *app = "{name: an-app, internal_routing: true}";

    put_and_commit("north", app);
    ck_assert(load());
    ck_assert(warns_of_no_web);
    put_and_commit("north", "{name: an-app, internal_routing: true, maintenance: true}");
    give("north/an-app/web", 5, "1 up 10.13.130.1\n");
    ck_assert(load());
    ck_assert(!warns_of_no_web);
    put_and_commit("north", app);
    ck_assert(load()); /* the key in force is carried over */
    ck_assert(!warns_of_no_web);
    put_and_commit("north", "{name: an-app, internal_routing: true, maintenance: true}");
    give("north/an-app/web", 6, "1 crashed 10.13.130.1\n");
    ck_assert(load());
    ck_assert(warns_of_no_web);
    put_and_commit("north", app);
    give("north/an-app/web", 7, NULL);
    ck_assert(load());
    ck_assert(warns_of_no_web);
}

TEST(a_document_with_errors_keeps_the_keys_in_force_and_takes_new_ones)
{
    put_and_commit("anorth", BILL);
    give("anorth/bill/web", 3, "1 up 10.0.130.1\n");
    ck_assert(load());
    put_and_commit("anorth", "{nonsense: 1}");
    give("anorth/bill/run", 5, "7 up 10.0.130.7\n");
    ck_assert(load());
    ck_assert_str_eq(dump(), "bill web=1/1 run:7up10.0.130.7 web:1up10.0.130.1\n"
                             "10.0.130.1 10.0.130.7 ");
    ck_assert_uint_eq(outcome.last_good_count, 1);
}

/* ---- keys that wait ---- */

TEST(keys_wait_for_their_space_and_app)
{
    put_and_commit("anorth", BILL);
    give("anorth/shop/web", 3, "1 up 10.0.130.2\n");
    give("bnorth/shop/web", 4, "1 up 10.1.130.2\n");
    give("bnorth/gone/web", 5, NULL);
    ck_assert(load());
    ck_assert_str_eq(dump(), "bill web=0/0\n");
    ck_assert_str_eq(waiting(), "anorth/shop/web@3 bnorth/shop/web@4 ");
    give("anorth/shop/web", 3, "1 up 10.0.130.2\n");
    ck_assert(!load());
    ck_assert_str_eq(waiting(), "anorth/shop/web@3 ");
    put_and_commit("anorth", BILL_SHOP);
    give("anorth/shop/web", 3, "1 up 10.0.130.2\n");
    ck_assert(load());
    ck_assert_str_eq(dump(), "bill web=0/0\nshop web=1/1 web:1up10.0.130.2\n10.0.130.2 ");
    ck_assert_str_eq(waiting(), "");
}

TEST(keys_in_force_wait_when_their_app_or_space_goes_unless_they_go_too)
{
    put_and_commit("anorth", BILL_SHOP);
    give("anorth/bill/web", 3, "1 up 10.0.130.1\n");
    give("anorth/shop/web", 4, "1 up 10.0.130.2\n");
    give("anorth/shop/run", 5, "1 up 10.0.130.3\n");
    ck_assert(load());
    put_and_commit("anorth", BILL);
    give("anorth/shop/run", 6, NULL);
    ck_assert(load());
    ck_assert_str_eq(waiting(), "anorth/shop/web@4 ");
    memory_source_put(&memory, "anorth", NULL);
    memory_source_commit(&memory);
    ck_assert(load());
    ck_assert_str_eq(waiting(), "anorth/bill/web@3 ");
}

TEST(keys_of_a_space_that_goes_with_them_are_no_more)
{
    put_and_commit("anorth", BILL);
    give("anorth/bill/web", 3, "1 up 10.0.130.1\n");
    ck_assert(load());
    memory_source_put(&memory, "anorth", NULL);
    memory_source_commit(&memory);
    give("anorth/bill/web", 5, NULL);
    ck_assert(load());
    ck_assert_str_eq(waiting(), "");
}

TEST(keys_of_an_unready_space_wait)
{
    put_and_commit("anorth", "{nonsense: 1}");
    give("anorth/bill/web", 3, "1 up 10.0.130.1\n");
    give("anorth/bill/run", 4, NULL);
    ck_assert(load());
    ck_assert_str_eq(waiting(), "anorth/bill/web@3 ");
}

TEST(a_key_waits_for_the_dyno_cidr_of_its_addresses_and_what_is_in_force_stays)
{
    put_and_commit("anorth", BILL);
    give("anorth/bill/web", 3, "1 up 10.0.130.1\n");
    ck_assert(load());
    give("anorth/bill/web", 4, "1 up 10.0.200.1\n");
    ck_assert(!load());
    ck_assert_str_eq(waiting(), "anorth/bill/web@4 ");
    ck_assert_str_eq(dump(), "bill web=1/1 web:1up10.0.130.1\n10.0.130.1 ");
    ck_assert_uint_eq(report_total(outcome.key_findings), 1);
    ck_assert_int_eq(report_findings(outcome.key_findings)->code, FINDING_DYNO_IP);
    memory_source_put(&memory, "anorth",
                      "space: anorth\ncidr: 10.0.0.0/16\nrouters: [10.0.0.37]\n"
                      "dyno_cidrs: [10.0.192.0/20]\napps: [" BILL "]\n");
    memory_source_commit(&memory);
    give("anorth/bill/web", 4, "1 up 10.0.200.1\n");
    ck_assert(load());
    ck_assert_str_eq(waiting(), "");
    ck_assert_str_eq(dump(), "bill web=1/1 web:1up10.0.200.1\n10.0.200.1 ");
}

TEST(a_key_in_force_that_the_next_text_refuses_waits)
{
    put_and_commit("anorth", BILL);
    give("anorth/bill/web", 3, "1 up 10.0.130.1\n");
    ck_assert(load());
    memory_source_put(&memory, "anorth",
                      "space: anorth\ncidr: 10.0.0.0/16\nrouters: [10.0.0.37]\n"
                      "dyno_cidrs: [10.0.192.0/20]\napps: [" BILL "]\n");
    memory_source_commit(&memory);
    ck_assert(load());
    ck_assert_str_eq(dump(), "bill web=0/0\n");
    ck_assert_str_eq(waiting(), "anorth/bill/web@3 ");
}

TEST(a_bad_key_changes_nothing_and_does_not_wait)
{
    put_and_commit("anorth", BILL);
    give("anorth/bill/web", 3, "1 up 10.0.130.1\n");
    ck_assert(load());
    put_and_commit("anorth", BILL_SHOP);
    give("anorth/bill/web", 5, "nonsense\n");
    ck_assert(load());
    ck_assert_str_eq(dump(), "bill web=1/1 web:1up10.0.130.1\nshop web=0/0\n10.0.130.1 ");
    ck_assert_str_eq(waiting(), "");
}

/* ---- the judge ---- */

static bool loses_no_dyno(void *context, const char *text_name, const struct segment *old,
                          const struct segment *next, struct err *why)
{
    (void)context;
    (void)text_name;
    return old->apps[0].web_up <= next->apps[0].web_up || err_set(why, ERR_RULE, "a dyno is lost");
}

TEST(what_keys_change_is_no_change_of_the_text_that_comes_with_them)
{
    request.judge.may_change = loses_no_dyno;
    put_and_commit("anorth", BILL);
    give("anorth/bill/web", 3, "1 up 10.0.130.1\n");
    ck_assert(load());
    put_and_commit("anorth", BILL_SHOP);
    give("anorth/bill/web", 5, "1 down\n");
    ck_assert(load());
    ck_assert_str_eq(dump(), "bill web=0/1 web:1down0.0.0.0\nshop web=0/0\n");
    ck_assert_uint_eq(outcome.last_good_count, 0);
}

/* ---- in any order ---- */

/* Texts and keys of two spaces, and what they come to. */
static const struct {
    const char *space, *apps; /* NULL: a key */
    const char *key, *value;
} pieces[] = {
    {"anorth", BILL ", {name: shop, formation: {web: {dynos: [{number: 1, state: down}]}}}", NULL,
     NULL},
    {"bnorth", "{name: cart, internal_routing: true}", NULL, NULL},
    {NULL, NULL, "anorth/bill/web", "1 up 10.0.130.1\n2 starting 10.0.130.2\n"},
    {NULL, NULL, "anorth/shop/web", "1 up 10.0.130.3\n"},
    {NULL, NULL, "bnorth/cart/web", "1 up 10.1.130.3\n"},
};
enum { PIECES = sizeof pieces / sizeof pieces[0], ORDERS = 120 };

static const char pieces_together[] =
    "bill web=1/2 web:1up10.0.130.1,2starting10.0.130.2\nshop web=1/1 web:1up10.0.130.3\n"
    "10.0.130.1 10.0.130.2 10.0.130.3 cart web=1/1 web:1up10.1.130.3\n10.1.130.3 ";

/* Gives the keys that waited once more. */
static void give_waiting(void)
{
    for (size_t i = 0; i < outcome.unused_count; i++)
        keys[key_count++] = outcome.unused[i];
    outcome.unused_count = 0;
}

TEST_LOOP(texts_and_keys_come_to_the_same_in_any_order, 0, ORDERS)
{
    bool is_there[PIECES] = {false};
    unsigned order = (unsigned)_i;

    for (unsigned left = PIECES; left > 0; left--) {
        unsigned pick = order % left, i = 0;
        order /= left;
        while (is_there[i] || pick > 0)
            pick -= !is_there[i++];
        is_there[i] = true;
        if (pieces[i].space != NULL)
            put(pieces[i].space, pieces[i].apps);
        else
            give(pieces[i].key, 100 + i, pieces[i].value);
        memory_source_commit(&memory);
        give_waiting();
        load();
    }
    ck_assert_str_eq(dump(), pieces_together);
    ck_assert_str_eq(waiting(), "");
}

TEST(texts_and_keys_come_to_what_documents_with_those_dynos_do)
{
    put("anorth", "{name: bill, internal_routing: true, formation: {web: {dynos: ["
                  "{number: 1, state: up, private_ip: 10.0.130.1}, "
                  "{number: 2, state: starting, private_ip: 10.0.130.2}]}}}, "
                  "{name: shop, formation: {web: {dynos: ["
                  "{number: 1, state: up, private_ip: 10.0.130.3}]}}}");
    put_and_commit("bnorth", "{name: cart, internal_routing: true, formation: {web: {dynos: ["
                             "{number: 1, state: up, private_ip: 10.1.130.3}]}}}");
    ck_assert(load());
    ck_assert_str_eq(dump(), pieces_together);
}

/* ---- without memory ---- */

static bool holds_south(void *context, const char *text_name, const struct segment *old,
                        const struct segment *next, struct err *why)
{
    (void)context;
    (void)old;
    (void)next;
    return strcmp(text_name, "z/dnorth") != 0 || err_set(why, ERR_RULE, "it is held");
}

/* What the next load meets: a change, an error, names taken, one held, a clash, keys of all. */
static void put_everything(void)
{
    put("anorth", BILL_SHOP);
    put("bnorth", "{nonsense: 1}");
    put("cnorth", "{name: shop}");
    put("dnorth", "{name: cart}");
    put("enorth", "{nonsense: 1}");
    put("fnorth", "{name: shop}");
    memory_source_put(&memory, "gnorth", "space: gnorth\ncidr: 10.0.0.0/16\n");
    memory_source_commit(&memory);
}

static void give_everything(void)
{
    give("anorth/shop/web", 13, "1 up 10.0.130.2\n");
    give("anorth/bill/run", 14, "1 up 10.0.130.3\n");
    give("bnorth/cash/web", 15, "1 up 10.1.130.3\n");
    give("enorth/none/web", 16, "1 up 10.4.130.3\n");
    give("gnorth/none/web", 17, "1 up 10.6.130.3\n");
    qsort(keys, key_count, sizeof keys[0], compare);
    request.keys = (const struct dyno_key *const *)keys;
    request.key_count = key_count;
}

static const char everything[] =
    "bill web=1/1 run:1up10.0.130.3 web:1up10.0.130.1\nshop web=1/1 web:1up10.0.130.2\n"
    "10.0.130.1 10.0.130.2 10.0.130.3 cash web=1/1 web:1up10.1.130.3\n10.1.130.3 "
    "shop web=0/0\ncart web=0/0\ncent web=0/0\nshop web=0/0\n";

/* Without memory a load changes nothing, wherever it runs out. */
TEST(a_load_without_memory_is_refused_and_the_next_one_is_not)
{
    put("anorth", BILL);
    put("bnorth", "{name: cash}");
    put("cnorth", "{name: coin}");
    put("dnorth", "{name: cart}, {name: cent}");
    memory_source_commit(&memory);
    give("anorth/bill/web", 3, "1 up 10.0.130.1\n");
    ck_assert(load());
    put_everything();
    request.judge.may_change = holds_south;
    request.before = snapshot;
    struct snapshot *before = snapshot;
    size_t number = 0;
    for (bool is_loaded = false; !is_loaded;) {
        struct report *report = report_new();
        struct err err = {.code = ERR_NONE};
        give_everything();
        load_outcome_close(&outcome);
        size_t calls = allocations_count();
        allocations_fail(++number);
        struct snapshot *next = snapshot_load(&request, report, &outcome, &err);
        is_loaded = allocations_count() - calls < number;
        allocations_fail(0);
        ck_assert_msg(next != NULL || (err.code == ERR_MEMORY && !outcome.is_unchanged),
                      "allocation %zu: %s", number, err.code == ERR_NONE ? "" : err.text);
        report_free(report);
        free_keys();
        snapshot = next;
        if (next != NULL)
            ck_assert_msg(strcmp(dump(), everything) == 0, "allocation %zu: %s", number, dump());
        if (!is_loaded)
            snapshot_free(next);
    }
    ck_assert_uint_gt(number, 300);
    ck_assert_str_eq(waiting(), "enorth/none/web@16 gnorth/none/web@17 ");
    ck_assert_uint_eq(outcome.last_good_count, 6);
    snapshot_free(before);
    request.before = NULL;
}
