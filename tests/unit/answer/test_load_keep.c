/* Loads that keep spaces: a text with errors leaves its space as it was, and the others go on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer/kept_back.h"
#include "answer/load.h"
#include "inspect/prove.h"
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
    static const char *const words[] = {"kept", "held", "unready", "taken"};
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

/* The space that a name or id leads to, as its letter; '-': none. */
static char owner(const char *text)
{
    struct index_entry entry;
    struct name name;
    bool is_found =
        strchr(text, '.') == NULL
            ? index_find_id(&snapshot->index, snapshot->segments, text, &entry)
            : name_from_text(text, &name) &&
                  snapshot_find(snapshot, &name, index_hash(&snapshot->index, &name), &entry);

    return is_found ? snapshot->segments[entry.segment]->name[0] : '-';
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

#define RECORD "records: [\"db.example.com. 60 IN A 10.1.0.9\"]\n"
#define ID "5d3c1c7e-0b7a-4f9e-9f6e-0123456789ab"

static const struct {
    const char *apps, *more; /* of both documents: apps, and more keys */
    const char *name;        /* that both claim */
    const char *code;
} claims[] = {
    {" bill!", "", "bill.herokuapp.com", "E-DUP"},
    {"", RECORD, "db.example.com", "E-REC-NAME"},
    {"", "id: " ID "\n", ID, "E-DUP"},
};

/* What the space created later is served without; whatever was served before. */
TEST_OVER(of_two_documents_that_claim_a_name_the_one_created_first_has_it, claims)
{
    const char *apps = claims[_i].apps, *more = claims[_i].more, *name = claims[_i].name;
    char with_one[32], with_two[32], told_text[64];

    snprintf(with_one, sizeof with_one, "one!%s", apps);
    snprintf(with_two, sizeof with_two, "two!%s", apps);
    put("b", "one!", ""); /* created first, by name the second */
    ck_assert(commit());
    put("a", with_two, more);
    ck_assert(commit());
    ck_assert_str_eq(told(), "");
    ck_assert_int_eq(owner(name), 'a');

    put("b", with_one, more);
    ck_assert(commit());
    for (int is_new = 0; is_new < 2; is_new++) {
        ck_assert_int_eq(owner(name), 'b');
        ck_assert_int_eq(owner("two.herokuapp.com"), 'a');
        snprintf(told_text, sizeof told_text, "a-space taken %s ", claims[_i].code);
        ck_assert_int_eq(strncmp(told(), told_text, strlen(told_text)), 0);
        ck_assert_ptr_null(strchr(told(), '|'));
        const struct finding *finding = find_finding(FINDING_TAKEN);
        ck_assert_str_eq(finding->file, "z/a-space");
        ck_assert_ptr_nonnull(strstr(finding->sentence, "z/b-space:"));
        start_anew();
    }

    put("a", "two! three!", more); /* still claims it, or its id */
    put("a", with_two, more);
    put("c", "other!", "");
    ck_assert(commit());
    ck_assert_int_eq(owner(name), 'b');
    ck_assert_uint_eq(outcome.last_good_count, 1);

    put("b", "one!", ""); /* lets go of it: the other has it, without being written again */
    ck_assert(commit());
    ck_assert_int_eq(owner(name), 'a');
    ck_assert_str_eq(told(), "");
    ck_assert(!snapshot_keeps_back(snapshot, name, NULL));
}

TEST(what_another_has_is_told_again_by_a_load_that_changes_nothing)
{
    put("a", "bill!", "");
    ck_assert(commit());
    put("b", "bill! shop!", "");
    ck_assert(commit());
    ck_assert_str_eq(told(), "b-space taken E-DUP 5 at 2 of 2");
    ck_assert(!load());
    ck_assert_str_eq(told(), "b-space taken E-DUP 5 at 2 of 2");
    put("c", "cart!", "");
    ck_assert(commit());
    ck_assert_str_eq(told(), "b-space taken E-DUP 5 at 2 of 2");
    ck_assert_str_eq(served(), "a(bill) b(bill,shop) c(cart)");
}

TEST(what_was_deleted_and_created_again_is_not_the_first_any_more)
{
    put("a", "bill!", "");
    ck_assert(commit());
    put("b", "bill!", "");
    ck_assert(commit());
    ck_assert_int_eq(owner("bill.herokuapp.com"), 'a');
    put_text("a", NULL); /* the replica is away, and sees neither */
    memory_source_commit(&memory);
    put("a", "bill!", "");
    ck_assert(commit());
    ck_assert_int_eq(owner("bill.herokuapp.com"), 'b');
    ck_assert_str_eq(told(), "a-space taken E-DUP 5 at 4 of 4");
}

TEST(a_space_that_claims_anothers_app_may_change_all_the_same)
{
    put("a", "bill!", "");
    ck_assert(commit());
    put("b", "bill shop!", "id: " ID "\n"); /* not even internal */
    ck_assert(commit());
    put("b", "bill shop! store!", "id: " ID "\n");
    ck_assert(commit());
    ck_assert_str_eq(served(), "a(bill) b(bill,shop,store)");
    ck_assert_str_eq(told(), "b-space taken E-DUP 6 at 3 of 3");
    put("a", "bill!", "id: " ID "\n");
    ck_assert(commit());
    put("b", "bill shop!", "id: " ID "\n");
    ck_assert(commit());
    ck_assert_int_eq(owner(ID), 'a');
    ck_assert_str_eq(served(), "a(bill) b(bill,shop)");
    put("b", "bill! shop!", "id: " ID "\n"); /* its own app does change, and may not */
    ck_assert(!commit());
    ck_assert_str_eq(told(), "b-space kept E-IMMUTABLE 6 at 6 of 5");
}

/* An app's own text says what it was, whoever had its name or id. */
TEST(a_space_that_has_waited_may_change_with_the_one_that_lets_go)
{
    put("a", "bill!", "id: " ID "\n");
    ck_assert(commit());
    put("b", "bill shop!", "id: " ID "\n");
    ck_assert(commit());
    ck_assert_int_eq(owner("bill.herokuapp.com"), 'a');
    ck_assert_int_eq(owner(ID), 'a');
    put("a", "cart!", "");
    put("b", "bill shop! store!", "id: " ID "\n");
    ck_assert(commit());
    ck_assert_str_eq(told(), "");
    ck_assert_int_eq(owner("bill.herokuapp.com"), 'b');
    ck_assert_int_eq(owner(ID), 'b');
}

TEST(a_name_may_go_from_one_space_to_another_in_one_revision_unless_that_is_kept_out)
{
    put("a", "one!", RECORD);
    put("b", "two!", "");
    ck_assert(commit());
    put("a", "one!", "nonsense: 1\n");
    put("b", "two!", RECORD);
    ck_assert(commit());
    ck_assert_str_eq(told(), "a-space kept E-UNKNOWN-KEY 4 at 2 of 1|"
                             "b-space taken E-REC-NAME 4 at 2 of 2");
    ck_assert_int_eq(owner("db.example.com"), 'a');
    put("a", "one!", "");
    ck_assert(commit());
    ck_assert_str_eq(told(), "");
    ck_assert_int_eq(owner("db.example.com"), 'b');
}

TEST(of_three_that_claim_a_name_each_has_it_in_the_order_of_their_creation)
{
    put("c", "bill!", "");
    memory_source_commit(&memory);
    put("b", "bill! one!", "");
    memory_source_commit(&memory);
    put("a", "one! bill!", "");
    memory_source_commit(&memory);
    start_anew();
    ck_assert_int_eq(owner("bill.herokuapp.com"), 'c');
    ck_assert_int_eq(owner("one.herokuapp.com"), 'b');
    ck_assert_str_eq(told(), "a-space taken E-DUP 5 at 3 of 3|b-space taken E-DUP 5 at 2 of 2");
    put_text("c", NULL);
    ck_assert(commit());
    ck_assert_int_eq(owner("bill.herokuapp.com"), 'b');
    put_text("b", NULL);
    ck_assert(commit());
    ck_assert_int_eq(owner("bill.herokuapp.com"), 'a');
    ck_assert_int_eq(owner("one.herokuapp.com"), 'a');
    ck_assert_str_eq(told(), "");
}

/* ---- claimed names that are not answered ---- */

#define CLAIMS(line) "space: a-space\ncidr: 10.0.0.0/16\nrouters: [10.0.0.37]\napps:\n" line

static const struct {
    const char *claim; /* of the space created first: its app or domain does not answer the name */
    const char *name;
} unanswered[] = {
    {CLAIMS("  - {name: one, default_domain: one-1234567890ab.herokuapp.com}\n"),
     "one.herokuapp.com"},
    {CLAIMS("  - name: three\n    internal_routing: true\n    domains:\n"
            "      - {hostname: db.example.com, status: pending}\n"),
     "db.example.com"},
};

/* Who claims a name without answering it does not let it be forwarded. */
TEST_LOOP(a_name_that_its_owner_does_not_answer_is_kept_back, 0, 2)
{
    put("a", "two!", "");
    ck_assert(commit());
    put("b", "one!", RECORD);
    ck_assert(commit());
    ck_assert_int_eq(owner(unanswered[_i].name), 'b');
    put_text("a", unanswered[_i].claim);
    ck_assert(commit());
    ck_assert_str_ne(told(), "");
    for (int is_new = 0; is_new < 2; is_new++) {
        ck_assert_int_eq(owner(unanswered[_i].name), 'a');
        ck_assert(snapshot_keeps_back(snapshot, unanswered[_i].name, NULL));
        start_anew();
    }

    put("a", "two!", ""); /* lets go of it */
    ck_assert(commit());
    ck_assert_int_eq(owner(unanswered[_i].name), 'b');
    ck_assert(!snapshot_keeps_back(snapshot, unanswered[_i].name, NULL));
}

static const char *const claims_of_first[] = {"one! bill", "one! bill!", "one!"};

/* A debug build serves nothing that does not pass. */
TEST_LOOP(what_is_served_passes_the_proof_whoever_claims_a_name, 0, 3)
{
    struct proof proof;

    put("a", "one!", "");
    ck_assert(commit());
    put("b", "bill! shop!", RECORD);
    ck_assert(commit());
    put("a", claims_of_first[_i], _i == 2 ? RECORD : "");
    ck_assert(commit());
    ck_assert_int_eq(outcome.last_good[0].keeping, LOAD_TAKEN);
    ck_assert_msg(prove(snapshot, &proof, &err), "%s", err.text);
}

/* ---- clashes ---- */

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
    ck_assert(commit());
    ck_assert_str_eq(served(), "a(bill) b(one,bill)");
    ck_assert_int_eq(owner("bill.herokuapp.com"), 'a');
    ck_assert_str_eq(told(), "a-space held - 0 at 0 of 1|b-space taken E-DUP 6 at 2 of 2");
    refused = "";
    ck_assert(load());
    ck_assert_int_eq(owner("bill.herokuapp.com"), 'b');
    ck_assert_str_eq(told(), "");
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

/*
 * A text by chance: some of four apps, a record, an id; any may be another space's, too. An app may
 * be routed otherwise there, but not in spaces that share an id. The text may have been deleted
 * before.
 */
static void put_by_chance(const char *space, uint64_t chance)
{
    bool is_even = space[0] % 2 == 0;
    const char *const names[] = {" one!", is_even ? " two" : " two!", " three!",
                                 is_even ? " four" : " four!"};
    char apps[64] = "", more[128];

    for (int i = 0; i < 4; i++)
        if ((chance >> i & 1) != 0)
            strcat(apps, names[i]);
    snprintf(more, sizeof more, "%s%s", (chance & 16) != 0 ? RECORD : "",
             (chance & 32) != 0 && !is_even ? "id: " ID "\n" : "");
    put(space, apps, more);
    if ((chance >> 9 & 3) == 0) {
        put_text(space, NULL);
        memory_source_commit(&memory);
        put(space, apps, more);
    }
    if ((chance >> 6 & 7) == 0)
        put_text(space, NULL);
}

/* Whose each name is, and what is told. */
static void describe(char *out, size_t room)
{
    snprintf(out, room, "%c%c%c%c%c%c %s %s", owner("one.herokuapp.com"),
             owner("two.herokuapp.com"), owner("three.herokuapp.com"), owner("four.herokuapp.com"),
             owner("db.example.com"), owner(ID), served(), told());
}

/* All spaces are as they were; no app is bound to one. */
static const struct fixed_space *find_spaces(void *context, const char *space)
{
    static const struct fixed_space spaces[] = {
        {.name = "a-space", .cidr = {0x0a000000, 16}},
        {.name = "b-space", .cidr = {0x0a010000, 16}},
        {.name = "c-space", .cidr = {0x0a020000, 16}},
        {.name = "d-space", .cidr = {0x0a030000, 16}},
    };

    (void)context;
    return &spaces[space[0] - 'a'];
}

/* What replicas answer depends on the documents alone, not on what each has seen on the way. */
TEST_LOOP(a_replica_that_saw_all_is_like_one_that_has_just_started, 0, 200)
{
    char seen[1024], fresh[1024];
    uint64_t random = (uint64_t)_i * UINT64_C(0x9e3779b97f4a7c15) + 1;

    request.fixed.find = find_spaces;
    for (int step = 0; step < 30; step++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        const char space[] = {(char)('a' + (random >> 60) % 4), '\0'};
        put_by_chance(space, random >> 33);
        memory_source_commit(&memory);
        if ((random >> 55 & 3) == 0) /* else it is seen with the next one */
            continue;
        load();
        describe(seen, sizeof seen);
        struct snapshot *saw_all = snapshot;
        snapshot = NULL;
        load();
        describe(fresh, sizeof fresh);
        snapshot_free(snapshot);
        snapshot = saw_all;
        ck_assert_str_eq(seen, fresh);
    }
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

TEST(at_a_start_a_name_is_that_of_the_space_created_first)
{
    put("b", "one!", "");
    ck_assert(commit());
    put("a", "two! three!", "");
    ck_assert(commit());
    accept_and_stop();
    put("b", "one! two!", ""); /* created first */
    memory_source_commit(&memory);
    ck_assert(load());
    ck_assert_int_eq(owner("two.herokuapp.com"), 'b');
    ck_assert_int_eq(owner("three.herokuapp.com"), 'a');
    ck_assert_str_eq(told(), "a-space taken E-DUP 5 at 2 of 2");
}

TEST(at_a_start_a_space_that_is_kept_was_created_when_its_document_was)
{
    put("a", "one!", "");
    ck_assert(commit());
    put("b", "two!", "");
    ck_assert(commit());
    accept_and_stop();
    put("b", "two!", "nonsense: 1\n");
    memory_source_commit(&memory);
    put("a", "one! two!", "");
    memory_source_commit(&memory);
    ck_assert(load());
    ck_assert_int_eq(owner("two.herokuapp.com"), 'a');
    ck_assert_str_eq(told(), "b-space kept E-UNKNOWN-KEY 4 at 3 of 0");
}
