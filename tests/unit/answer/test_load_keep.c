/* Loads that keep spaces: a text with errors leaves its space as it was, and the others go on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer/kept_back.h"
#include "answer/load.h"
#include "support/kept.h"
#include "support/memory_source.h"
#include "support/scratch.h"
#include "support/suite.h"
#include "support/zones.h"

static struct memory_source memory;
static struct policy policy;
static struct snapshot *snapshot;
static struct report *report;
static struct load_outcome outcome;
static struct load_request request; /* what the next load wants besides */
static struct err err;
static const char *refused; /* by the judge: the space whose changes it refuses */
static char judged[256];    /* what the judge was asked */
static struct fixed_space fixed;

static void set_up(void)
{
    memory_source_init(&memory);
    memory.source.root = "z";
    policy = policy_usual();
    request = (struct load_request){.threads = 1};
    refused = "";
    judged[0] = '\0';
    fixed = (struct fixed_space){.name = NULL};
}

static void end(void)
{
    report_free(report);
    report = NULL;
    load_outcome_close(&outcome);
    snapshot_free(snapshot);
    snapshot = NULL;
}

FIXTURE(set_up, end)

/* Puts the document of a space SPACE (a, b, c …) with its apps "bill shop!", ! for internal. */
static void put(const char *space, const char *apps, const char *more)
{
    char text[1024];
    int block = space[0] - 'a';
    int length = snprintf(text, sizeof text,
                          "space: %s-space\ncidr: 10.%d.0.0/16\nrouters: [10.%d.0.37]\n%sapps:\n",
                          space, block, block, more);

    for (const char *app = apps; *app != '\0'; app += strcspn(app, " ")) {
        app += strspn(app, " ");
        int name = (int)strcspn(app, " !");
        length += snprintf(text + length, sizeof text - (size_t)length,
                           "  - {name: %.*s, internal_routing: %s}\n", name, app,
                           app[name] == '!' ? "true" : "false");
    }
    char name[16];
    snprintf(name, sizeof name, "%s-space", space);
    memory_source_put(&memory, name, text);
}

static void put_text(const char *space, const char *text)
{
    char name[16];

    snprintf(name, sizeof name, "%s-space", space);
    memory_source_put(&memory, name, text);
}

/* Loads, and serves the result. Returns false when nothing has changed. */
static bool load(void)
{
    struct snapshot *next;

    request.source = &memory.source;
    request.policy = &policy;
    request.key = key_usual();
    request.before = snapshot;
    request.keeps_spaces = true;
    report_free(report);
    load_outcome_close(&outcome);
    report = report_new();
    next = snapshot_load(&request, report, &outcome, &err);
    ck_assert_msg(next != NULL || outcome.is_unchanged, "%s", err.text);
    ck_assert(report_is_clean(report));
    if (next == NULL)
        return false;
    snapshot_free(snapshot);
    snapshot = next;
    return true;
}

static bool commit(void)
{
    memory_source_commit(&memory);
    return load();
}

/* A replica that has nothing: no snapshot and no disk. */
static void start_anew(void)
{
    snapshot_free(snapshot);
    snapshot = NULL;
    ck_assert(load());
}

/* What is served, such as "a(bill,shop) b(unready)", and "c(-)" without apps. */
static const char *served(void)
{
    static char out[512];
    struct text text = text_over(out, sizeof out - 1);

    for (char letter = 'a'; letter <= 'z'; letter++) {
        const char name[] = {letter, '-', 's', 'p', 'a', 'c', 'e', '\0'};
        const struct segment *segment = snapshot_find_space(snapshot, name);
        if (segment == NULL)
            continue;
        text_add_string(&text, text_length(&text) > 0 ? " " : "");
        text_add(&text, &letter, 1);
        text_add_string(&text, segment->is_unready ? "(unready" : "(");
        for (size_t i = 0; i < segment->app_count; i++) {
            text_add_string(&text, i > 0 ? "," : "");
            text_add(&text, segment_text(segment, segment->apps[i].name),
                     segment->apps[i].name_length);
        }
        text_add_string(&text, ")");
    }
    *text.next = '\0';
    return out;
}

/* The texts that are not served: "a-space kept E-TTL 3:7 at 2 of 1", separated by |. */
static const char *told(void)
{
    static const char *const words[] = {"kept", "held", "unready"};
    static char out[1024];
    size_t length = 0;

    out[0] = '\0';
    for (size_t i = 0; i < outcome.last_good_count; i++) {
        const struct load_last_good *text = &outcome.last_good[i];
        ck_assert_int_eq(text->is_served, text->keeping != LOAD_UNREADY);
        length += (size_t)snprintf(out + length, sizeof out - length, "%s%s %s %s %u at %u of %u",
                                   i > 0 ? "|" : "", text->space, words[text->keeping],
                                   text->keeping == LOAD_HELD ? "-" : finding_name(text->code),
                                   (unsigned)text->at.line, (unsigned)text->stamp.words[0],
                                   (unsigned)text->served_stamp.words[0]);
    }
    return out;
}

static const struct finding *find_finding(enum finding_code code)
{
    for (size_t i = 0; i < report_total(report); i++)
        if (report_findings(report)[i].code == code)
            return &report_findings(report)[i];
    ck_abort_msg("no finding %s", finding_name(code));
    return NULL;
}

/* ---- errors of their own ---- */

TEST(a_document_with_errors_leaves_its_space_as_it_was_and_the_others_go_on)
{
    put("a", "bill!", "");
    put("b", "shop!", "");
    ck_assert(commit());
    ck_assert_str_eq(served(), "a(bill) b(shop)");
    ck_assert_str_eq(told(), "");

    put("a", "bill! more!", "ttl: {dyno: 900}\n");
    put("b", "shop! store!", "");
    ck_assert(commit());
    ck_assert_str_eq(served(), "a(bill) b(shop,store)");
    ck_assert_str_eq(told(), "a-space kept E-TTL 4 at 2 of 1");
    ck_assert_str_eq(outcome.last_good[0].file, "z/a-space");
    const struct finding *finding = find_finding(FINDING_LAST_GOOD);
    ck_assert_str_eq(finding->file, "z/a-space");
    ck_assert_uint_eq(finding->at.line, 4);
    ck_assert_ptr_nonnull(strstr(finding->sentence, "space a-space stays as it was, because its "
                                                    "document has errors: "));
    ck_assert_ptr_nonnull(strstr(finding->sentence, "; correct it and push it again"));
    ck_assert(!snapshot_keeps_back(snapshot, "bill.herokuapp.com", NULL));

    put("a", "bill! more!", "");
    ck_assert(commit());
    ck_assert_str_eq(served(), "a(bill,more) b(shop,store)");
    ck_assert_str_eq(told(), "");
}

TEST(what_is_kept_is_reported_by_every_load)
{
    put("a", "bill!", "");
    ck_assert(commit());
    put("a", "bill!", "nonsense: 1\n");
    ck_assert(!commit());
    ck_assert_str_eq(told(), "a-space kept E-UNKNOWN-KEY 4 at 2 of 1");
    ck_assert(!load());
    ck_assert_str_eq(told(), "a-space kept E-UNKNOWN-KEY 4 at 2 of 1");
    put("b", "shop!", "");
    ck_assert(commit());
    ck_assert_str_eq(served(), "a(bill) b(shop)");
    ck_assert_str_eq(told(), "a-space kept E-UNKNOWN-KEY 4 at 2 of 1");
}

static const struct {
    const char *text;
    const char *told;
} broken[] = {
    {"space: a-space\napps: [", "a-space kept E-SYNTAX 3 at 2 of 1"},
    {"", "a-space kept E-MISSING 1 at 2 of 1"},
    {"space: other-space\ncidr: 10.9.0.0/16\n", "a-space kept E-SPACE-NAME 1 at 2 of 1"},
    {"space: a-space\ncidr: 10.9.0.0/16\nrouters: [10.9.0.37]\n"
     "apps: [{name: bill, internal_routing: true}]\n",
     "a-space kept E-IMMUTABLE 1 at 2 of 1"},
    {"space: a-space\ncidr: 10.0.0.0/16\nrouters: [10.0.0.37]\n"
     "apps: [{name: bill, internal_routing: false}]\n",
     "a-space kept E-IMMUTABLE 4 at 2 of 1"},
};

TEST_OVER(any_error_keeps_the_space, broken)
{
    put("a", "bill!", "");
    ck_assert(commit());
    put_text("a", broken[_i].text);
    ck_assert(!commit());
    ck_assert_str_eq(served(), "a(bill)");
    ck_assert_str_eq(told(), broken[_i].told);
}

TEST(a_document_that_was_cut_is_kept_out)
{
    put_text("a", "space: a-space\ncidr: 10.0.0.0/16\n...\n");
    ck_assert(commit());
    put_text("a", "space: a-space\n");
    ck_assert(!commit());
    ck_assert_str_eq(told(), "a-space kept E-CUT 1 at 2 of 1");
}

static bool read_long(struct source *source, const char *name, struct source_text *text,
                      struct report *findings)
{
    (void)findings;
    *text = (struct source_text){.octets = malloc(DOCUMENT_OCTETS_MOST + 1),
                                 .length = DOCUMENT_OCTETS_MOST + 1,
                                 .stamp = source->stamp(source, name)};
    memset(text->octets, '#', text->length);
    return true;
}

TEST(a_document_may_have_a_megabyte)
{
    put("a", "bill!", "");
    ck_assert(commit());
    put("a", "bill! more!", "");
    memory.source.read = read_long;
    ck_assert(!commit());
    ck_assert_str_eq(told(), "a-space kept E-LIMIT 1 at 2 of 1");
    ck_assert_str_eq(outcome.last_good[0].cause.text,
                     "E-LIMIT: the document has 1048577 octets, and a registry's may have "
                     "1048576; split it: give some of the apps a space of their own");
}

/* ---- nothing to keep ---- */

TEST(a_new_space_with_errors_is_unready)
{
    put("a", "bill!", "");
    put("b", "shop! open", "ttl: {dyno: 900}\n");
    ck_assert(commit());
    ck_assert_str_eq(served(), "a(bill) b(unready)");
    ck_assert_str_eq(told(), "b-space unready E-TTL 4 at 1 of 0");
    ck_assert_uint_eq(snapshot->unready_count, 1);
    const struct segment *segment = snapshot_find_space(snapshot, "b-space");
    ck_assert_uint_eq(segment->cidr.address, 0x0a010000);
    ck_assert_int_eq(segment->unready_code, FINDING_TTL);
    ck_assert_uint_eq(segment->unready_at.line, 4);
    ck_assert_mem_eq(find_finding(FINDING_UNSERVED)->sentence,
                     "space b-space is not ready, and its clients get SERVFAIL, because", 65);
    ck_assert(snapshot_keeps_back(snapshot, "shop.herokuapp.com", NULL));
    ck_assert(!snapshot_keeps_back(snapshot, "open.herokuapp.com", NULL));

    ck_assert(!load()); /* the same again */
    ck_assert_str_eq(told(), "b-space unready E-TTL 4 at 1 of 0");

    put("b", "shop! open", "");
    ck_assert(commit());
    ck_assert_str_eq(served(), "a(bill) b(shop,open)");
    ck_assert_uint_eq(snapshot->unready_count, 0);
    ck_assert(!snapshot_keeps_back(snapshot, "shop.herokuapp.com", NULL));

    put("b", "shop!", "ttl: {dyno: 900}\n");
    ck_assert(!commit());
    ck_assert_str_eq(told(), "b-space kept E-TTL 4 at 3 of 2");
}

TEST(an_unready_space_that_goes_leaves_nothing_but_the_names_kept_back)
{
    put("a", "bill!", "");
    put("b", "shop!", "ttl: {dyno: 900}\n");
    ck_assert(commit());
    put_text("b", NULL);
    ck_assert(commit());
    ck_assert_str_eq(served(), "a(bill)");
    ck_assert_str_eq(told(), "");
    ck_assert(snapshot_keeps_back(snapshot, "shop.herokuapp.com", NULL));
}

TEST(unready_spaces_break_no_rule_with_others)
{
    put("a", "bill!", "");
    put_text("b", "space: b-space\ncidr: 10.0.0.0/16\nnonsense: 1\n");
    put_text("c", "nonsense");
    ck_assert(commit());
    ck_assert_str_eq(served(), "a(bill) b(unready) c(unready)");
}

TEST(a_registry_may_be_empty_and_may_become_so)
{
    ck_assert(commit());
    ck_assert_str_eq(served(), "");
    put("a", "bill!", "");
    ck_assert(commit());
    put_text("a", NULL);
    ck_assert(commit());
    ck_assert_str_eq(served(), "");
    ck_assert(snapshot_keeps_back(snapshot, "bill.herokuapp.com", NULL));
}

/* ---- across documents ---- */

static const struct {
    const char *older, *newer; /* more keys of the two documents, and apps */
    const char *older_apps, *newer_apps;
    const char *code;
} clashes[] = {
    {"", "", "bill!", "bill!", "E-DUP"},
    {"records: [\"db.example.com. 60 IN A 10.1.0.9\"]\n",
     "records: [\"db.example.com. 60 IN A 10.1.0.9\"]\n", "bill!", "shop!", "E-REC-NAME"},
    {"id: 5d3c1c7e-0b7a-4f9e-9f6e-0123456789ab\n", "id: 5d3c1c7e-0b7a-4f9e-9f6e-0123456789ab\n",
     "bill!", "shop!", "E-DUP"},
};

TEST_OVER(of_two_documents_the_one_that_was_created_first_is_served, clashes)
{
    char told_text[64];

    put("b", "one!", ""); /* created first, by name the second */
    ck_assert(commit());
    put("a", "two!", "");
    ck_assert(commit());
    put("b", clashes[_i].older_apps, clashes[_i].older);
    put("a", clashes[_i].newer_apps, clashes[_i].newer);
    memory_source_commit(&memory);
    start_anew();
    snprintf(told_text, sizeof told_text, "a(unready) b(%.*s)",
             (int)strcspn(clashes[_i].older_apps, "!"), clashes[_i].older_apps);
    ck_assert_str_eq(served(), told_text);
    ck_assert_int_eq(strncmp(told(), "a-space unready ", 16), 0);
    ck_assert_str_eq(finding_name(outcome.last_good[0].code), clashes[_i].code);
}

TEST(of_two_that_changed_at_once_the_one_created_later_keeps_what_it_had)
{
    put("b", "one!", "");
    ck_assert(commit());
    put("a", "two!", "");
    ck_assert(commit());
    put("b", "one! bill!", "");
    put("a", "two! bill!", "");
    ck_assert(commit());
    ck_assert_str_eq(served(), "a(two) b(one,bill)");
    ck_assert_str_eq(told(), "a-space kept E-DUP 6 at 3 of 2");
    start_anew();
    ck_assert_str_eq(served(), "a(unready) b(one,bill)");
}

TEST(a_document_takes_no_name_away_from_a_space_that_is_served)
{
    const char *const record = "records: [\"db.example.com. 60 IN A 10.1.0.9\"]\n";

    put("b", "one!", "");
    ck_assert(commit());
    put("a", "two!", record);
    ck_assert(commit());
    put("b", "one!", record); /* created first, and yet what changed */
    ck_assert(!commit());
    ck_assert_str_eq(told(), "b-space kept E-REC-NAME 4 at 3 of 1");
    put("a", "two!", ""); /* lets go of it */
    ck_assert(commit());
    ck_assert_str_eq(told(), "");
}

TEST(a_name_may_go_from_one_space_to_another_in_one_revision_unless_that_is_kept_out)
{
    put("a", "one!", "records: [\"db.example.com. 60 IN A 10.1.0.9\"]\n");
    put("b", "two!", "");
    ck_assert(commit());
    put("a", "one!", "nonsense: 1\n");
    put("b", "two!", "records: [\"db.example.com. 60 IN A 10.1.0.9\"]\n");
    ck_assert(!commit());
    ck_assert_str_eq(told(), "a-space kept E-UNKNOWN-KEY 4 at 2 of 1|"
                             "b-space kept E-REC-NAME 4 at 2 of 1");
    put("a", "one!", "");
    ck_assert(commit());
    ck_assert_str_eq(told(), "");
}

TEST(a_text_that_goes_down_takes_no_third_with_it)
{
    put("a", "one!", "");
    memory_source_commit(&memory);
    put("b", "one! two!", "");
    memory_source_commit(&memory);
    put("c", "two!", "");
    memory_source_commit(&memory);
    start_anew();
    ck_assert_str_eq(served(), "a(one) b(unready) c(two)");
}

TEST(of_spaces_with_one_block_the_one_created_first_is_served)
{
    put_text("b", "space: b-space\ncidr: 10.7.0.0/16\n");
    memory_source_commit(&memory);
    put_text("a", "space: a-space\ncidr: 10.7.0.0/16\n");
    put("c", "bill!", "");
    memory_source_commit(&memory);
    start_anew();
    ck_assert_str_eq(served(), "a(unready) b() c(bill)");
    ck_assert_str_eq(told(), "a-space unready E-SPACE-OVERLAP 1 at 2 of 0");
}

/* ---- what is fixed ---- */

static const struct fixed_space *find_fixed(void *context, const char *space)
{
    (void)context;
    return fixed.name != NULL && strcmp(space, fixed.name) == 0 ? &fixed : NULL;
}

TEST(a_replica_that_has_nothing_refuses_what_is_not_as_it_was_fixed)
{
    uint64_t app = fixed_app("bill", 4, NULL, true);

    fixed = (struct fixed_space){
        .name = "a-space", .cidr = {0x0a000000, 16}, .apps = &app, .app_count = 1};
    request.fixed.find = find_fixed;
    put("a", "bill", "");
    ck_assert(commit());
    ck_assert_str_eq(served(), "a(unready)");
    ck_assert_str_eq(told(), "a-space unready E-IMMUTABLE 5 at 1 of 0");
    ck_assert(snapshot_keeps_back(snapshot, "bill.herokuapp.com", NULL));
    put("a", "bill!", "");
    ck_assert(commit());
    ck_assert_str_eq(served(), "a(bill)");
}

TEST(what_was_made_anew_is_compared_with_what_is_fixed_now)
{
    uint64_t app = fixed_app("bill", 4, NULL, false);

    request.fixed.find = find_fixed;
    put("a", "bill!", "");
    ck_assert(commit());
    put("a", "bill", "region: oregon\n"); /* removed and made anew: this replica saw but the last */
    fixed = (struct fixed_space){.name = "a-space",
                                 .cidr = {0x0a000000, 16},
                                 .region = "oregon",
                                 .apps = &app,
                                 .app_count = 1};
    ck_assert(commit());
    ck_assert_str_eq(told(), "");
    put("b", "bill", ""); /* the app went to another space */
    put_text("a", NULL);
    fixed.name = "b-space", fixed.region = NULL, fixed.cidr.address = 0x0a010000;
    ck_assert(commit());
    ck_assert_str_eq(told(), "");
    ck_assert_str_eq(served(), "b(bill)");
}

TEST(an_app_that_is_fixed_in_its_space_does_not_move)
{
    uint64_t app = fixed_app("bill", 4, NULL, true);

    request.fixed.find = find_fixed;
    fixed = (struct fixed_space){
        .name = "a-space", .cidr = {0x0a000000, 16}, .apps = &app, .app_count = 1};
    put("a", "bill!", "");
    ck_assert(commit());
    put("a", "", "");
    put("b", "bill!", "");
    ck_assert(commit());
    ck_assert_str_eq(served(), "a() b(unready)");
    ck_assert_str_eq(told(), "b-space unready E-IMMUTABLE 5 at 2 of 0");
}

static bool is_fixed_new(void *context, const char *space)
{
    (void)context;
    return fixed.name != NULL && strcmp(space, fixed.name) == 0;
}

/* Fixes space a with app bill as it is in its document; a test may change that. */
static void fix_space(uint64_t *app)
{
    *app = fixed_app("bill", 4, NULL, true);
    fixed = (struct fixed_space){
        .name = "a-space", .cidr = {0x0a000000, 16}, .apps = app, .app_count = 1};
    request.fixed = (struct load_fixed){.find = find_fixed, .is_new = is_fixed_new};
}

TEST_LOOP(a_text_that_stays_is_kept_when_something_else_is_fixed, 0, 2)
{
    uint64_t app;

    put("a", "bill!", "");
    put("b", "shop!", "");
    ck_assert(commit());
    unsigned reads = memory.reads;
    if (_i == 1)
        put("a", "bill!", ""); /* the same text of another revision */
    memory_source_commit(&memory);
    fix_space(&app);
    ck_assert(!load());
    ck_assert_uint_eq(outcome.last_good_count, 0);
    app = fixed_app("bill", 4, NULL, false);
    ck_assert(!load());
    ck_assert_str_eq(served(), "a(bill) b(shop)");
    ck_assert_str_eq(told(), _i == 0 ? "a-space kept E-IMMUTABLE 5 at 1 of 1"
                                     : "a-space kept E-IMMUTABLE 5 at 2 of 2");
    ck_assert_uint_eq(memory.reads, reads + (unsigned)_i); /* the text is not needed */
    app = fixed_app("bill", 4, NULL, true);
    fixed.region = "oregon";
    ck_assert(!load());
    ck_assert_str_eq(told(), _i == 0 ? "a-space kept E-IMMUTABLE 1 at 1 of 1"
                                     : "a-space kept E-IMMUTABLE 1 at 2 of 2");
    fixed.region = NULL;
    ck_assert(!load());
    ck_assert_str_eq(told(), "");
}

TEST(a_text_that_stays_is_compared_in_all_that_is_fixed)
{
    static const struct fixed_space as_served = {.name = "a-space",
                                                 .id = "01234567-89ab-cdef-0123-456789abcdef",
                                                 .cidr = {0x0a000000, 16},
                                                 .data_cidr = {0xac170000, 20},
                                                 .region = "oregon",
                                                 .generation = GENERATION_FIR,
                                                 .shield = true};

    put("a", "",
        "id: 01234567-89ab-cdef-0123-456789abcdef\ndata_cidr: 172.23.0.0/20\nregion: oregon\n"
        "generation: fir\nshield: true\n");
    ck_assert(commit());
    request.fixed = (struct load_fixed){.find = find_fixed, .is_new = is_fixed_new};
    fixed = as_served;
    ck_assert(!load());
    ck_assert_str_eq(told(), "");
    for (int other = 0; other < 6; other++) {
        fixed = as_served;
        if (other == 0)
            fixed.id = "f1234567-89ab-cdef-0123-456789abcdef";
        else if (other == 1)
            fixed.cidr.bits = 17;
        else if (other == 2)
            fixed.data_cidr.bits = 0;
        else if (other == 3)
            fixed.region = NULL;
        else if (other == 4)
            fixed.generation = GENERATION_CEDAR;
        else
            fixed.shield = false;
        ck_assert(!load());
        ck_assert_msg(strcmp(told(), "a-space kept E-IMMUTABLE 1 at 1 of 1") == 0, "%d: %s", other,
                      told());
    }
}

/* ---- the judge ---- */

static bool may_change(void *context, const char *text_name, const struct segment *old,
                       const struct segment *next, struct err *why)
{
    size_t length = strlen(judged);

    (void)context;
    snprintf(judged + length, sizeof judged - length, "%s %zu %s%zu|", text_name, old->app_count,
             next == NULL ? "gone " : "", next == NULL ? 0 : next->app_count);
    return strcmp(text_name, refused) != 0 ||
           err_set(why, ERR_RULE, "space %s loses too much", old->name);
}

TEST(the_judge_is_asked_about_each_change_of_what_is_served)
{
    request.judge.may_change = may_change;
    put("a", "bill! shop!", "");
    put("b", "one!", "");
    put("c", "two!", "ttl: {dyno: 900}\n");
    put("d", "three!", "");
    ck_assert(commit());
    ck_assert_str_eq(judged, "");
    put("a", "bill!", "");
    put("b", "one!", "nonsense: 1\n");
    put("c", "two!", "");
    put_text("d", NULL);
    ck_assert(commit());
    ck_assert_str_eq(judged, "z/a-space 2 1|z/d-space 1 gone 0|");
    ck_assert_str_eq(served(), "a(bill) b(one) c(two)");
}

TEST(what_the_judge_refuses_is_held_until_it_does_not)
{
    request.judge.may_change = may_change;
    refused = "z/a-space";
    put("a", "bill! shop!", "");
    put("b", "one!", "");
    ck_assert(commit());
    put("a", "bill!", "");
    put("b", "one! two!", "");
    ck_assert(commit());
    ck_assert_str_eq(served(), "a(bill,shop) b(one,two)");
    ck_assert_str_eq(told(), "a-space held - 0 at 2 of 1");
    ck_assert_str_eq(outcome.last_good[0].cause.text, "space a-space loses too much");
    ck_assert_str_eq(find_finding(FINDING_HELD)->sentence,
                     "space a-space stays as it was: space a-space loses too much; put it back "
                     "with `spacedns push`, or if the change is meant, let it through with "
                     "`spacedns registry:accept a-space`");
    ck_assert(!snapshot_keeps_back(snapshot, "shop.herokuapp.com", NULL));
    refused = "";
    ck_assert(load());
    ck_assert_str_eq(served(), "a(bill) b(one,two)");
    ck_assert_str_eq(told(), "");
    ck_assert(snapshot_keeps_back(snapshot, "shop.herokuapp.com", NULL));
}

TEST(a_text_that_is_gone_is_held_and_its_names_are_its_own)
{
    request.judge.may_change = may_change;
    refused = "z/a-space";
    put("a", "bill!", "");
    put("b", "one!", "");
    ck_assert(commit());
    put_text("a", NULL);
    put("b", "one! bill!", "");
    ck_assert(!commit());
    ck_assert_str_eq(served(), "a(bill) b(one)");
    ck_assert_str_eq(told(), "a-space held - 0 at 0 of 1|b-space kept E-DUP 6 at 2 of 1");
    refused = "";
    ck_assert(load());
    ck_assert_str_eq(served(), "b(one)"); /* an app does not move by itself: R9 */
    ck_assert_str_eq(told(), "b-space kept E-IMMUTABLE 6 at 2 of 1");
}

/* ---- revisions ---- */

TEST(the_generation_is_the_registrys_revision_and_may_go_back)
{
    request.generation = 700;
    put("a", "bill!", "");
    ck_assert(commit());
    ck_assert_uint_eq(snapshot->generation, 700);
    ck_assert(!load());
    request.generation = 701;
    ck_assert(load());
    ck_assert_uint_eq(snapshot->generation, 701);
    ck_assert_str_eq(served(), "a(bill)");
    request.generation = 5;
    put("a", "shop!", "");
    ck_assert(commit());
    ck_assert_uint_eq(snapshot->generation, 5);
    ck_assert(snapshot_keeps_back(snapshot, "bill.herokuapp.com", NULL));
}

/* ---- order ---- */

/* Six documents in any order of arrival, each its own revision: the same is served at the end. */
TEST_LOOP(good_documents_are_served_alike_whatever_order_they_came_in, 0, 24)
{
    static const char *const apps[] = {"one! two", "three!", "", "four! five!"};
    unsigned seed = (unsigned)_i;
    bool is_there[4] = {false};

    for (unsigned left = 4; left > 0; left--) {
        unsigned pick = seed % left;
        seed /= left;
        unsigned i = 0;
        while (is_there[i] || pick-- > 0)
            i++;
        is_there[i] = true;
        const char space[] = {(char)('a' + i), '\0'};
        put(space, i % 2 == 0 ? "wrong!" : apps[i], i == 1 ? "nonsense: 1\n" : "");
        commit();
        put(space, apps[i], "");
        commit();
    }
    ck_assert_str_eq(told(), "");
    ck_assert_str_eq(served(), "a(one,two) b(three) c() d(four,five)");
}

/* ---- a start with accepted texts ---- */

static struct scratch folder;
static char stored_paths[8][SCRATCH_PATH_MOST + 16];
static struct stored_text stored_texts[8];
static struct stored stored;

static void open_folder(void)
{
    scratch_init(&folder);
    stored = (struct stored){.generation = 40, .texts = stored_texts};
}

static void close_folder(void)
{
    end();
    scratch_close(&folder);
}

static int compare_stored(const void *a, const void *b)
{
    return strcmp(((const struct stored_text *)a)->name, ((const struct stored_text *)b)->name);
}

/* Accepts the documents that are committed, and then stops. */
static void accept_and_stop(void)
{
    for (size_t i = 0; i < memory.current.count; i++) {
        const struct memory_text *text = &memory.current.texts[i];
        size_t length = strlen(text->octets);
        scratch_write(&folder, text->name, text->octets, length);
        snprintf(stored_paths[i], sizeof stored_paths[i], "%s/%s", folder.path, text->name);
        stored_texts[i] = (struct stored_text){.name = text->name,
                                               .path = stored_paths[i],
                                               .length = length,
                                               .checksum = stored_checksum(text->octets, length),
                                               .accepted_s = 1700000000,
                                               .is_sound = true};
    }
    stored.text_count = memory.current.count;
    qsort(stored_texts, stored.text_count, sizeof stored_texts[0], compare_stored);
    snapshot_free(snapshot);
    snapshot = NULL;
    request.stored = &stored;
}

static void set_up_stored(void)
{
    set_up();
    open_folder();
}

FIXTURE(set_up_stored, close_folder)

TEST_LOOP(at_a_start_a_document_with_errors_leaves_its_space_as_it_was_accepted, 0, 2)
{
    put("a", "bill!", "");
    put("b", "shop!", "");
    ck_assert(commit());
    accept_and_stop();
    put("a", "bill! more!", "ttl: {dyno: 900}\n");
    put("b", "shop! store!", "");
    put("c", "cart!", "nonsense: 1\n");
    memory_source_commit(&memory);
    if (_i == 1) { /* nothing was loaded until now */
        static const char *const nothing[] = {NULL};
        snapshot = snapshot_of_texts(&policy, nothing, 0);
        snapshot->is_waiting = true;
    }
    ck_assert(load());
    ck_assert_str_eq(served(), "a(bill) b(shop,store) c(unready)");
    ck_assert_str_eq(told(), "a-space kept E-TTL 4 at 2 of 0|c-space unready E-UNKNOWN-KEY 4 at 2 "
                             "of 0");
    ck_assert_int_eq(outcome.last_good[0].accepted_s, 1700000000);
    ck_assert_uint_eq(outcome.text_count, 1); /* the store keeps what is served */
    ck_assert_str_eq(outcome.texts[0].name, "b-space");
    put("a", "more!", "");
    ck_assert(commit());
    ck_assert_str_eq(served(), "a(more) b(shop,store) c(unready)");
    ck_assert(snapshot_keeps_back(snapshot, "bill.herokuapp.com", NULL));
}

TEST(at_a_start_what_is_fixed_takes_away_nothing_that_was_accepted)
{
    uint64_t app;

    put("a", "bill!", "");
    put("b", "shop!", "");
    ck_assert(commit());
    accept_and_stop();
    fix_space(&app);
    app = fixed_app("bill", 4, NULL, false);
    ck_assert(load());
    ck_assert_str_eq(served(), "a(bill) b(shop)");
    ck_assert_str_eq(told(), "a-space kept E-IMMUTABLE 5 at 1 of 1"); /* it is the very text */
    put("a", "bill! more!", "");
    memory_source_commit(&memory);
    ck_assert(!load());
    ck_assert_str_eq(told(), "a-space kept E-IMMUTABLE 5 at 2 of 1");
}

TEST(at_a_start_a_document_takes_no_name_away_from_what_was_accepted)
{
    put("b", "one!", "");
    ck_assert(commit());
    put("a", "two!", "");
    ck_assert(commit());
    accept_and_stop();
    put("b", "one! two!", ""); /* created first */
    memory_source_commit(&memory);
    ck_assert(load());
    ck_assert_str_eq(served(), "a(two) b(one)");
    ck_assert_str_eq(told(), "b-space kept E-DUP 6 at 3 of 0");
}
