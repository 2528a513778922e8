#include "control/http_arguments.h"

#include <stdio.h>
#include <string.h>

#include "support/suite.h"

static struct http_arguments arguments;
static struct err err;

/* A query that is right, and one of its arguments. */
static const struct {
    enum http_path path;
    const char *segment;
    const char *query;
    enum http_argument argument;
    const char *text; /* NULL: left out */
    uint64_t number;
} passing[] = {
    {PATH_STATUS, NULL, NULL, ARGUMENT_APPS_SPACE, NULL, 0},
    {PATH_STATUS, NULL, "", ARGUMENT_APPS_SPACE, NULL, 0},
    {PATH_STATUS, NULL, "&&", ARGUMENT_APPS_SPACE, NULL, 0},
    {PATH_APPS, NULL, NULL, ARGUMENT_APPS_LIMIT, NULL, 200},
    {PATH_APPS, NULL, "limit=", ARGUMENT_APPS_LIMIT, NULL, 200},
    {PATH_APPS, NULL, "limit", ARGUMENT_APPS_LIMIT, NULL, 200},
    {PATH_APPS, NULL, "limit=1", ARGUMENT_APPS_LIMIT, "1", 1},
    {PATH_APPS, NULL, "space=a&limit=1000", ARGUMENT_APPS_LIMIT, "1000", 1000},
    {PATH_APPS, NULL, "limit=&limit=3&", ARGUMENT_APPS_LIMIT, "3", 3},
    {PATH_APPS, NULL, "after=test-space%2Fa", ARGUMENT_APPS_AFTER, "test-space/a", 0},
    {PATH_APPS, NULL, "%73pace=b", ARGUMENT_APPS_SPACE, "b", 0},
    {PATH_APPS, NULL, "contains=a+b%2b%26%3D=", ARGUMENT_APPS_CONTAINS, "a b+&==", 0},
    {PATH_APPS, NULL, "contains=%e2%82%AC", ARGUMENT_APPS_CONTAINS, "\xe2\x82\xac", 0},
    {PATH_APP, "frozen%2Doasis", NULL, ARGUMENT_APP_NAME, "frozen-oasis", 0},
    {PATH_QUERIES, NULL, "failed=1", ARGUMENT_QUERIES_FAILED, "1", 1},
    {PATH_QUERIES, NULL, "failed=0", ARGUMENT_QUERIES_FAILED, "0", 0},
    {PATH_QUERIES, NULL, "n=0", ARGUMENT_QUERIES_COUNT, "0", 0},
    {PATH_QUERIES, NULL, NULL, ARGUMENT_QUERIES_COUNT, NULL, 100},
};

TEST_OVER(arguments_are_decoded_and_completed, passing)
{
    bool passed = http_arguments_read(passing[_i].path, passing[_i].segment, passing[_i].query,
                                      &arguments, &err);
    const char *text = arguments.texts[passing[_i].argument];

    ck_assert_msg(passed, "%s", err.text);
    ck_assert((text == NULL) == (passing[_i].text == NULL));
    if (text != NULL)
        ck_assert_str_eq(text, passing[_i].text);
    ck_assert_uint_eq(arguments.numbers[passing[_i].argument], passing[_i].number);
}

/* What is refused, and the sentence. */
static const struct {
    enum http_path path;
    const char *segment;
    const char *query;
    const char *sentence;
} refused[] = {
    {PATH_STATUS, NULL, "a=1", "/api/v1/status takes no arguments; leave a out"},
    {PATH_APPS, NULL, "limi=1",
     "/api/v1/apps has no argument limi; did you mean limit? it takes space, contains, limit or "
     "after"},
    {PATH_APPS, NULL, "Limit=1",
     "/api/v1/apps has no argument Limit; did you mean limit? it takes space, contains, limit or "
     "after"},
    {PATH_APPS, NULL, "=1",
     "/api/v1/apps has no argument ; it takes space, contains, limit or after"},
    {PATH_USES, NULL, "x%zz=1", "/api/v1/uses has no argument x%zz; it takes space"},
    {PATH_APP, "a", "name=b", "/api/v1/apps/{name} has no argument name; it takes space"},
    {PATH_APPS, NULL, "limit=3&limit=4", "limit is given twice; give it once"},
    {PATH_APPS, NULL, "limit=0", "limit is no number from 1 to 1000: 0; give one that is"},
    {PATH_APPS, NULL, "limit=1001", "limit is no number from 1 to 1000: 1001; give one that is"},
    {PATH_APPS, NULL, "limit=+1", "limit is no number from 1 to 1000:  1; give one that is"},
    {PATH_APPS, NULL, "limit=1e2", "limit is no number from 1 to 1000: 1e2; give one that is"},
    {PATH_APPS, NULL, "limit=18446744073709551617",
     "limit is no number from 1 to 1000: 18446744073709551617; give one that is"},
    {PATH_QUERIES, NULL, "failed=true", "failed is neither 1 nor 0: true; write failed=1"},
    {PATH_APPS, NULL, "space=%",
     "space is not encoded as in URLs; write each octet that is no letter or digit as %2A, but not "
     "%00"},
    {PATH_APPS, NULL, "space=%2&limit=1",
     "space is not encoded as in URLs; write each octet that is no letter or digit as %2A, but not "
     "%00"},
    {PATH_APPS, NULL, "space=a%00b",
     "space is not encoded as in URLs; write each octet that is no letter or digit as %2A, but not "
     "%00"},
    {PATH_APP, "a%0g", NULL,
     "name is not encoded as in URLs; write each octet that is no letter or digit as %2A, but not "
     "%00"},
    {PATH_USES, NULL, NULL, "/api/v1/uses needs the argument space: the space; add space="},
    {PATH_USES, NULL, "space=", "/api/v1/uses needs the argument space: the space; add space="},
    {PATH_EXPLAIN, NULL, "name=a.example",
     "/api/v1/explain needs the argument from: the client's address; add from="},
};

TEST_OVER(what_is_refused_gets_a_sentence_with_the_remedy, refused)
{
    ck_assert(!http_arguments_read(refused[_i].path, refused[_i].segment, refused[_i].query,
                                   &arguments, &err));
    ck_assert_str_eq(err.text, refused[_i].sentence);
}

/* Of every text of every path: as long as it may be, encoded; and one octet more. */
TEST_LOOP(a_text_may_have_as_many_octets_as_its_line_says, 0, ARGUMENT_COUNT)
{
    static char query[8192];
    const struct http_argument_entry *entry = &http_arguments[_i];
    const char *others = entry->of == PATH_EXPLAIN && _i != ARGUMENT_EXPLAIN_NAME ? "name=a&" : "";
    const char *from = entry->of == PATH_EXPLAIN && _i != ARGUMENT_EXPLAIN_FROM ? "from=a&" : "";

    if (entry->type != HTTP_ARGUMENT_TEXT || entry->need == HTTP_ARGUMENT_SEGMENT)
        return;
    const char *segment = entry->of == PATH_APP ? "a" : NULL;
    size_t length = (size_t)snprintf(query, sizeof query, "%s%s%s=", others, from, entry->name);
    for (size_t i = 0; i < entry->most; i++)
        length += (size_t)snprintf(query + length, sizeof query - length, "%%61");
    ck_assert_msg(http_arguments_read(entry->of, segment, query, &arguments, &err), "%s", err.text);
    ck_assert_uint_eq(strlen(arguments.texts[_i]), entry->most);
    snprintf(query + length, sizeof query - length, "b");
    ck_assert(!http_arguments_read(entry->of, segment, query, &arguments, &err));
    ck_assert_ptr_nonnull(strstr(err.text, " is longer than "));
}

TEST_LOOP(all_texts_of_a_path_have_room, 0, PATH_COUNT)
{
    uint64_t octets = 0;

    for (unsigned i = 0; i < ARGUMENT_COUNT; i++)
        if (http_arguments[i].of == (enum http_path)_i)
            octets += http_arguments[i].most + 1;
    ck_assert_uint_le(octets, HTTP_ARGUMENT_OCTETS);
}

TEST_LOOP(a_path_has_a_segment_if_it_names_one, 0, PATH_COUNT)
{
    size_t segments = 0;

    for (unsigned i = 0; i < ARGUMENT_COUNT; i++)
        segments += http_arguments[i].of == (enum http_path)_i &&
                    http_arguments[i].need == HTTP_ARGUMENT_SEGMENT;
    ck_assert_uint_eq(segments, strchr(http_paths[_i].path, '{') != NULL);
}
