/* What is fixed on creation: each key is compared, and what is not known is not. */
#include "space/fixed.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "space/parse.h"
#include "support/suite.h"

static const char *const document = "space: north\n"
                                    "id: 5d3c1c7e-0b7a-4f9e-9f6e-0123456789ab\n"
                                    "cidr: 10.3.0.0/16\n"
                                    "data_cidr: 10.4.0.0/20\n"
                                    "region: virginia\n"
                                    "generation: fir\n"
                                    "shield: true\n"
                                    "apps:\n"
                                    "  - name: billing\n"
                                    "    internal_routing: true\n"
                                    "  - name: shop\n"
                                    "    id: 11111111-2222-4333-8444-555555555555\n";

static struct arena *arena;
static struct report *report;
static struct fixed_space fixed;
static uint64_t apps[3];

static void set_up(void)
{
    arena = arena_new();
    report = report_new();
    apps[0] = fixed_app("billing", 7, NULL, true);
    apps[1] = fixed_app("shop", 4, "11111111-2222-4333-8444-555555555555", false);
    apps[2] = fixed_app("gone", 4, NULL, true);
    fixed_sort_apps(apps, 3);
    fixed = (struct fixed_space){.name = "north",
                                 .id = "5d3c1c7e-0b7a-4f9e-9f6e-0123456789ab",
                                 .cidr = {0x0a030000, 16},
                                 .data_cidr = {0x0a040000, 20},
                                 .region = "virginia",
                                 .generation = GENERATION_FIR,
                                 .shield = true,
                                 .apps = apps,
                                 .app_count = 3};
}

static void tear_down(void)
{
    arena_free(arena);
    report_free(report);
}

FIXTURE(set_up, tear_down)

static void check(const char *yaml)
{
    struct report *parsing = report_new();
    struct space *space = space_parse(arena, "z/north", yaml, strlen(yaml), parsing);

    ck_assert_ptr_nonnull(space);
    ck_assert(report_is_clean(parsing));
    report_free(parsing);
    fixed_check(space, &fixed, report);
    report_sort(report);
}

/* The document with one text replaced. */
static void check_with(const char *old, const char *new)
{
    static char yaml[1024];
    const char *at = strstr(document, old);

    ck_assert_ptr_nonnull(at);
    snprintf(yaml, sizeof yaml, "%.*s%s%s", (int)(at - document), document, new, at + strlen(old));
    check(yaml);
}

TEST(a_document_that_agrees_has_no_finding)
{
    check(document);
    ck_assert_uint_eq(report_total(report), 0);
}

static const struct {
    const char *old, *new;
    unsigned line;
    const char *sentence; /* how it begins */
} changes[] = {
    {"5d3c", "6d3c", 2, "id of space north is 6d3c1c7e-0b7a-4f9e-9f6e-0123456789ab, and it was"},
    {"cidr: 10.3.0.0", "cidr: 10.5.0.0", 3,
     "cidr of space north is 10.5.0.0/16, and it was created with 10.3.0.0/16; it is fixed on "
     "creation, so put it back, or remove the space and create it anew"},
    {"10.4.0.0/20", "10.4.0.0/19", 4, "data_cidr of space north is 10.4.0.0/19, and it was"},
    {"data_cidr: 10.4.0.0/20\n", "", 1, "data_cidr of space north is not given, and it was"},
    {"virginia", "oregon", 5, "region of space north is oregon, and it was created with virginia"},
    {"region: virginia\n", "", 1, "region of space north is not given, and it was created with"},
    {"fir", "cedar", 1, "generation of space north is cedar, and it was created with fir"},
    {"shield: true", "shield: false", 1, "shield of space north is false, and it was created"},
    {"routing: true", "routing: false", 10,
     "internal_routing of app billing is true and cannot become false; it is fixed on creation"},
    {"    id: 1", "    internal_routing: true\n    id: 1", 12,
     "internal_routing of app shop is false and cannot become true"},
    {"    id: 11111111-2222-4333-8444-555555555555", "    internal_routing: true", 12,
     "internal_routing of app shop is false and cannot become true"},
};

TEST_OVER(what_has_changed_is_reported_where_it_is_written, changes)
{
    check_with(changes[_i].old, changes[_i].new);
    ck_assert_uint_eq(report_total(report), 1);
    const struct finding *finding = report_findings(report);
    ck_assert_int_eq(finding->code, FINDING_IMMUTABLE);
    ck_assert_str_eq(finding->file, "z/north");
    ck_assert_uint_eq(finding->at.line, changes[_i].line);
    ck_assert_mem_eq(finding->sentence, changes[_i].sentence, strlen(changes[_i].sentence));
}

static const struct {
    const char *old, *new;
} allowed[] = {
    {"id: 5d3c1c7e-0b7a-4f9e-9f6e-0123456789ab\n", ""},
    {"- name: billing", "- name: billing-two"},
    {"billing\n    internal_routing: true", "fresh\n    internal_routing: false"},
    {"    id: 1", "    internal_routing: true\n    id: 2"}, /* another app of that name */
};

TEST_OVER(what_is_not_fixed_or_not_known_may_change, allowed)
{
    check_with(allowed[_i].old, allowed[_i].new);
    ck_assert_uint_eq(report_total(report), 0);
}

TEST(a_space_without_facts_is_compared_with_none)
{
    fixed = (struct fixed_space){.name = "north", .generation = GENERATION_FIR, .shield = true};
    check_with("data_cidr: 10.4.0.0/20\nregion: virginia\n", "");
    ck_assert_uint_eq(report_total(report), 0);
}

TEST(an_app_is_found_by_its_name_unless_the_ids_differ)
{
    bool is_internal = false;

    ck_assert(fixed_find_app(&fixed, "shop", 4, NULL, NULL));
    ck_assert(fixed_find_app(&fixed, "shop", 4, "11111111-2222-4333-8444-555555555555", NULL));
    ck_assert(!fixed_find_app(&fixed, "shop", 4, "21111111-2222-4333-8444-555555555555", NULL));
    ck_assert(
        fixed_find_app(&fixed, "gone", 4, "21111111-2222-4333-8444-555555555555", &is_internal));
    ck_assert(is_internal);
    ck_assert(fixed_find_app(&fixed, "shop", 4, NULL, &is_internal));
    ck_assert(!is_internal);
    ck_assert(!fixed_find_app(&fixed, "shopping", 8, NULL, NULL));
}
