#include "registry/fixed_text.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

static struct app apps[] = {
    {.name = {.text = "web-only"}, .id = {.text = "01234567-89ab-cdef-0123-456789abcdef"}},
    {.name = {.text = "frozen-oasis-70544"}, .internal_routing = true},
};

static struct space model(void)
{
    return (struct space){
        .file = "z/test-space",
        .name = {.text = "test-space"},
        .cidr = {.cidr = {.address = 0x0a000000, .bits = 16}},
        .generation = GENERATION_CEDAR,
        .apps = apps,
        .app_count = 2,
    };
}

static const char expected[] =
    "space cidr=10.0.0.0/16 data_cidr=- region=- generation=cedar shield=false id=-\n"
    "app frozen-oasis-70544 internal_routing=true id=-\n"
    "app web-only internal_routing=false id=01234567-89ab-cdef-0123-456789abcdef\n";

TEST(a_text_has_the_space_and_its_apps_by_name)
{
    struct space space = model();
    size_t length = 0;
    char *text = fixed_text_write(&space, &length);

    ck_assert_str_eq(text, expected);
    ck_assert_uint_eq(length, sizeof expected - 1);
    free(text);
}

TEST(what_is_written_agrees_with_the_model)
{
    struct space space = model();
    struct fixed_space *fixed = fixed_text_read("test-space", expected, sizeof expected - 1);
    struct report *report = report_new();

    ck_assert_str_eq(fixed->name, "test-space");
    ck_assert_ptr_null(fixed->id);
    ck_assert_ptr_null(fixed->region);
    ck_assert_uint_eq(fixed->app_count, 2);
    ck_assert(fixed_find_app(fixed, "web-only", 8, NULL, NULL));
    fixed_check(&space, fixed, report);
    ck_assert(report_is_clean(report));
    apps[0].internal_routing = true;
    fixed_check(&space, fixed, report);
    ck_assert(!report_is_clean(report));
    report_free(report);
    free(fixed);
}

TEST(unknown_words_and_lines_are_passed_over)
{
    static const char text[] = "space colour=blue generation=fir cidr=10.1.0.0/16 region=eu "
                               "shield=true id=s-1 data_cidr=10.200.0.0/20\n"
                               "team platform\n"
                               "\n"
                               "app a colour=red internal_routing=true id=-";
    struct fixed_space *fixed = fixed_text_read("s", text, sizeof text - 1);

    ck_assert_str_eq(fixed->region, "eu");
    ck_assert_str_eq(fixed->id, "s-1");
    ck_assert_int_eq(fixed->generation, GENERATION_FIR);
    ck_assert(fixed->shield);
    ck_assert_uint_eq(fixed->cidr.address, 0x0a010000);
    ck_assert_uint_eq(fixed->data_cidr.bits, 20);
    ck_assert_uint_eq(fixed->app_count, 1);
    struct fixed_space *copy = fixed_text_copy(fixed);
    free(fixed);
    ck_assert_str_eq(copy->region, "eu");
    ck_assert(fixed_find_app(copy, "a", 1, NULL, NULL));
    free(copy);
}

static const char *const odd_texts[] = {
    "",
    "\n\n\n",
    "space",
    "space cidr=nonsense data_cidr=",
    "app",
    "app ",
    "space region=-",
    "space region=a region=b region=c region=d region=e id=f id=g id=h",
};

TEST_OVER(what_is_unreadable_is_not_compared, odd_texts)
{
    struct fixed_space *fixed = fixed_text_read("s", odd_texts[_i], strlen(odd_texts[_i]));

    ck_assert_uint_eq(fixed->cidr.bits, 0);
    ck_assert_uint_eq(fixed->app_count, 0);
    ck_assert(fixed->is_unreadable == (strncmp(odd_texts[_i], "space", 5) != 0));
    free(fixed);
}

TEST(a_word_that_is_too_long_is_absent)
{
    char text[1024] = "space region=";

    memset(text + 13, 'a', 600);
    struct fixed_space *fixed = fixed_text_read("s", text, strlen(text));
    ck_assert_ptr_null(fixed->region);
    free(fixed);
}
