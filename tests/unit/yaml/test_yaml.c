/* The texts that strict YAML reads, and those it refuses with location and reason. */
#include "yaml/yaml.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

enum { DUMP_SIZE = 4096, MEGABYTE = 1 << 20 };

struct problems {
    unsigned count;
    struct yaml_problem first;
};

static void remember(void *context, const struct yaml_problem *problem)
{
    struct problems *problems = context;

    if (problems->count++ == 0)
        problems->first = *problem;
}

/* Writes "a=1 b=[x {c=}]": every scalar, in order. */
static void dump(struct yaml_reader *reader, const struct yaml_node *node, char *out)
{
    struct yaml_node key;
    struct yaml_node value;

    if (node->kind == YAML_SCALAR) {
        snprintf(out + strlen(out), DUMP_SIZE - strlen(out), "%s%s%s ", node->is_plain ? "" : "'",
                 node->text, node->is_plain ? "" : "'");
    } else if (node->kind == YAML_SEQUENCE) {
        strcat(out, "[");
        while (yaml_next_item(reader, node, &value))
            dump(reader, &value, out);
        strcat(out, "]");
    } else {
        strcat(out, "{");
        while (yaml_next_pair(reader, node, &key, &value)) {
            snprintf(out + strlen(out), DUMP_SIZE - strlen(out), "%s=", key.text);
            dump(reader, &value, out);
        }
        strcat(out, "}");
    }
}

static struct problems read_all(const char *text, size_t length, char *out)
{
    struct problems problems = {0};
    struct yaml_reader *reader = yaml_reader_new(text, length, remember, &problems);
    struct yaml_node root;

    out[0] = '\0';
    if (yaml_root(reader, &root))
        dump(reader, &root, out);
    yaml_reader_free(reader);
    return problems;
}

static const struct {
    const char *text;
    const char *read;
} good[] = {
    {"a: 1\nb: [x, {c: }]\n", "{a=1 b=[x {c= }]}"},
    {"a: '1'\nb: \"x y\"\n", "{a='1' b='x y' }"},
    {"{}\n", "{}"},
    {"---\na: 1\n...\n", "{a=1 }"},
    {"# only\na: 1 # and\n# after\n", "{a=1 }"},
    {"a: 1\r\nb: 2\r\n", "{a=1 b=2 }"},
    {"\xEF\xBB\xBF"
     "a: 1\n",
     "{a=1 }"},
    {"a: b\xC3\xBC\n", "{a=b\xC3\xBC }"},
    {"a: {b: 1}\nc: {b: 1}\n", "{a={b=1 }c={b=1 }}"},
    {"a: {a: {a: 1}}\n", "{a={a={a=1 }}}"},
    {"a: [{b: 1}, {b: 1}]\n", "{a=[{b=1 }{b=1 }]}"},
    {"a: |\n  x\n  y\n", "{a='x\ny\n' }"},
    {"a: 1", "{a=1 }"},
};

TEST_OVER(well_formed_text_is_read_as_written, good)
{
    char out[DUMP_SIZE];
    struct problems problems = read_all(good[_i].text, strlen(good[_i].text), out);

    ck_assert_msg(problems.count == 0, "%s: %s", good[_i].text, problems.first.text);
    ck_assert_str_eq(out, good[_i].read);
}

static const struct {
    const char *text;
    enum yaml_problem_kind kind;
    unsigned line;
    unsigned column;
    const char *text_part;
} bad[] = {
    {"", YAML_EMPTY, 1, 1, "nothing"},
    {"# only a comment\n", YAML_EMPTY, 1, 1, "nothing"},
    {"- a\n", YAML_WRONG_ROOT, 1, 1, "a list"},
    {"word\n", YAML_WRONG_ROOT, 1, 1, "a text"},
    {"a: 1\nb: 2\na: 3\n", YAML_DUPLICATE_KEY, 3, 1, "line 1"},
    {"a: {b: 1, c: 2, b: 3}\n", YAML_DUPLICATE_KEY, 1, 17, "`b`"},
    {"a: 1\n\"a\": 2\n", YAML_DUPLICATE_KEY, 2, 1, "`a`"},
    {"a: &x 1\n", YAML_ANCHOR, 1, 4, "anchors"},
    {"a: &x [1]\n", YAML_ANCHOR, 1, 4, "anchors"},
    {"a: &x {b: 1}\n", YAML_ANCHOR, 1, 4, "anchors"},
    {"a: *x\n", YAML_ANCHOR, 1, 4, "aliases"},
    {"*x : 1\n", YAML_ANCHOR, 1, 1, "aliases"},
    {"a: !x 1\n", YAML_TAG, 1, 4, "tags"},
    {"a: !!int 1\n", YAML_TAG, 1, 4, "tags"},
    {"a: !x [1]\n", YAML_TAG, 1, 4, "tags"},
    {"!x {a: 1}\n", YAML_TAG, 1, 1, "tags"},
    {"%TAG ! tag:example.com,2000:\n---\na: 1\n", YAML_TAG, 1, 1, "tag directives"},
    {"a: 1\n---\nb: 1\n", YAML_SECOND_DOCUMENT, 2, 1, "second document"},
    {"a: 1\n---\n", YAML_SECOND_DOCUMENT, 2, 1, "second document"},
    {"? [a]\n: b\n", YAML_WRONG_KEY, 1, 3, "key"},
    {"a: {{b: 1}: 2}\n", YAML_WRONG_KEY, 1, 5, "key"},
    {"a: \"x\\0y\"\n", YAML_BAD_UTF8, 1, 4, "NUL"},
    {"a: \xFF\n", YAML_BAD_UTF8, 1, 4, "UTF-8"},
    {"a: 1\nb: \xC3\xBC\xC3\n", YAML_BAD_UTF8, 2, 5, "UTF-8"},
    {"a: 1\r\nb: \xFF\r\n", YAML_BAD_UTF8, 2, 4, "UTF-8"},
    {"a: \xED\xA0\x80\n", YAML_BAD_UTF8, 1, 4, "UTF-8"},
    {"a: \x01\n", YAML_BAD_UTF8, 1, 4, "control"},
    {"a:\n\tb: 1\n", YAML_SYNTAX, 2, 1, "not with a tab"},
    {"a: [1, 2\n", YAML_SYNTAX, 1, 4, "that starts here"},
    {"a: \"half\n", YAML_SYNTAX, 1, 4, "that starts here"},
    {"a: [1, 2\nb: 3\nc: 4\n", YAML_SYNTAX, 2, 2, "starts at 1:4"},
    {"a: 1\n b: 2\n", YAML_SYNTAX, 2, 3, "not allowed"},
    {"a: b: c\n", YAML_SYNTAX, 1, 5, "not allowed"},
    {"a: *.apps.example.com\n", YAML_SYNTAX, 1, 5, "begins with * needs quotes"},
    {"a: @home\n", YAML_SYNTAX, 1, 4, "needs quotes"},
    {"a: 1\n}\n", YAML_SYNTAX, 2, 1, "did not find"},
};

TEST_OVER(refused_text_is_reported_with_location_and_reason, bad)
{
    char out[DUMP_SIZE];
    struct problems problems = read_all(bad[_i].text, strlen(bad[_i].text), out);

    ck_assert_msg(problems.count == 1, "%s: %u problems", bad[_i].text, problems.count);
    ck_assert_msg(problems.first.kind == bad[_i].kind, "%s: kind %d, %s", bad[_i].text,
                  (int)problems.first.kind, problems.first.text);
    ck_assert_msg(problems.first.at.line == bad[_i].line &&
                      problems.first.at.column == bad[_i].column,
                  "%s: at %u:%u", bad[_i].text, problems.first.at.line, problems.first.at.column);
    ck_assert_msg(strstr(problems.first.text, bad[_i].text_part) != NULL, "%s: text is %s",
                  bad[_i].text, problems.first.text);
}

TEST(reading_goes_on_after_a_duplicate_key)
{
    static const char text[] = "a: 1\na: [2, {a: 3}]\nb: 4\nb: 5\n";
    char out[DUMP_SIZE];
    struct problems problems = read_all(text, strlen(text), out);

    ck_assert_uint_eq(problems.count, 2);
    ck_assert_str_eq(out, "{a=1 b=4 }");
}

TEST(a_nul_octet_in_the_file_is_refused)
{
    static const char text[] = "a: 1\nb\0: 2\n";
    char out[DUMP_SIZE];
    struct problems problems = read_all(text, sizeof text - 1, out);

    ck_assert_int_eq(problems.first.kind, YAML_BAD_UTF8);
    ck_assert_uint_eq(problems.first.at.line, 2);
    ck_assert_uint_eq(problems.first.at.column, 2);
}

TEST(the_location_of_every_node_counts_characters_from_one)
{
    static const char text[] = "first: 1\nse\xC3\xBC: [\xC3\xBC, x]\n";
    struct problems problems = {0};
    struct yaml_reader *reader = yaml_reader_new(text, strlen(text), remember, &problems);
    struct yaml_node root, key, value, item;

    ck_assert(yaml_root(reader, &root));
    ck_assert(yaml_next_pair(reader, &root, &key, &value));
    ck_assert_uint_eq(value.at.line, 1);
    ck_assert_uint_eq(value.at.column, 8);
    ck_assert(yaml_next_pair(reader, &root, &key, &value));
    ck_assert_uint_eq(key.at.line, 2);
    ck_assert_uint_eq(key.at.column, 1);
    ck_assert(yaml_next_item(reader, &value, &item));
    ck_assert(yaml_next_item(reader, &value, &item));
    ck_assert_uint_eq(item.at.column, 10);
    yaml_reader_free(reader);
}

TEST(unread_values_are_skipped)
{
    static const char text[] = "a: [1, [2, {b: 3}]]\nc: {d: [4], e: 5}\nf: 6\n";
    struct problems problems = {0};
    struct yaml_reader *reader = yaml_reader_new(text, strlen(text), remember, &problems);
    struct yaml_node root, key, value, inner;

    ck_assert(yaml_root(reader, &root));
    ck_assert(yaml_next_pair(reader, &root, &key, &value));
    ck_assert(yaml_next_item(reader, &value, &inner));
    ck_assert(yaml_next_pair(reader, &root, &key, &value));
    ck_assert_str_eq(key.text, "c");
    ck_assert(yaml_pass_over(reader, &value));
    ck_assert(!yaml_next_pair(reader, &value, &key, &inner));
    ck_assert(yaml_next_pair(reader, &root, &key, &value));
    ck_assert_str_eq(value.text, "6");
    ck_assert(!yaml_next_pair(reader, &root, &key, &value));
    ck_assert(!yaml_failed(reader));
    yaml_reader_free(reader);
}

/* Sixteen levels, the root mapping included. */
TEST_LOOP(depth_sixteen_is_read_and_seventeen_refused, 0, 2)
{
    char text[64];
    char out[DUMP_SIZE];
    int brackets = 15 + _i;

    snprintf(text, sizeof text, "a: %.*s%.*s\n", brackets, "[[[[[[[[[[[[[[[[[[[[", brackets,
             "]]]]]]]]]]]]]]]]]]]]");
    struct problems problems = read_all(text, strlen(text), out);
    ck_assert_uint_eq(problems.count, (unsigned)_i);
    if (_i == 1) {
        ck_assert_int_eq(problems.first.kind, YAML_TOO_DEEP);
        ck_assert_uint_eq(problems.first.at.column, 4 + 15);
    }
}

TEST_LOOP(a_scalar_of_4096_octets_is_read_and_a_longer_one_refused, 0, 2)
{
    size_t length = YAML_SCALAR_MAX + (size_t)_i;
    char *text = malloc(length + 16);
    char *out = malloc(2 * DUMP_SIZE);

    memcpy(text, "a: ", 3);
    memset(text + 3, 'x', length);
    struct problems problems = read_all(text, length + 3, out);
    ck_assert_uint_eq(problems.count, (unsigned)_i);
    if (_i == 1)
        ck_assert_int_eq(problems.first.kind, YAML_TOO_LONG);
    free(text);
    free(out);
}

static const struct {
    const char *first;
    char filler;
    size_t length;
    enum yaml_problem_kind kind;
} hostile[] = {
    {"a: ", '[', 100000, YAML_TOO_DEEP},
    {"a: ", '{', 100000, YAML_WRONG_KEY},
    {"", '[', 100000, YAML_WRONG_ROOT},
    {"", '{', 100000, YAML_WRONG_KEY},
    {"a: ", 'x', 50 * MEGABYTE, YAML_TOO_LONG},
    {"a: \"", 'x', MEGABYTE, YAML_SYNTAX},
    {"a: ", '\n', MEGABYTE, YAML_EMPTY}, /* reads well */
    {"a: 1", 'x', YAML_FILE_MAX + 1, YAML_TOO_LARGE},
};

TEST_OVER(hostile_text_is_refused_at_once, hostile)
{
    char *text = malloc(hostile[_i].length);
    char out[DUMP_SIZE];

    memset(text, hostile[_i].filler, hostile[_i].length);
    memcpy(text, hostile[_i].first, strlen(hostile[_i].first));
    struct problems problems = read_all(text, hostile[_i].length, out);
    bool reads_well = hostile[_i].kind == YAML_EMPTY;
    ck_assert_uint_eq(problems.count, reads_well ? 0 : 1);
    if (!reads_well)
        ck_assert_msg(problems.first.kind == hostile[_i].kind, "%d: %s", _i, problems.first.text);
    free(text);
}

TEST(every_cut_of_a_file_is_read_or_refused_without_harm)
{
    static const char text[] = "space: x\napps:\n  - name: \"a b\"\n    f: {w: [1, {n: 2}], z: }\n"
                               "    # done\n  - {name: |\n k\n";
    char out[DUMP_SIZE];

    for (size_t length = 0; length < sizeof text; length++) {
        char *copy = malloc(length + 1);
        memcpy(copy, text, length);
        struct problems problems = read_all(copy, length, out);
        ck_assert_uint_le(problems.count, 1);
        free(copy);
    }
}

/* More keys than the first table holds, in mappings inside each other. */
TEST(thousands_of_keys_are_distinguished)
{
    enum { KEYS = 5000 };
    size_t size = 64 * KEYS;
    char *text = malloc(size);
    size_t used = 0;
    struct problems problems = {0};
    struct yaml_node root, key, value;
    size_t count = 0;

    for (int i = 0; i < KEYS; i++)
        used += (size_t)snprintf(text + used, size - used, "k%d: {k%d: 1, k%d: 2}\n", i, i, i + 1);
    used += (size_t)snprintf(text + used, size - used, "k%d: 1\n", KEYS / 2);
    struct yaml_reader *reader = yaml_reader_new(text, used, remember, &problems);
    ck_assert(yaml_root(reader, &root));
    while (yaml_next_pair(reader, &root, &key, &value)) {
        struct yaml_node inner_key, inner;
        while (yaml_next_pair(reader, &value, &inner_key, &inner))
            count++;
    }
    ck_assert_uint_eq(count, 2 * KEYS);
    ck_assert_uint_eq(problems.count, 1);
    ck_assert_uint_eq(problems.first.at.line, KEYS + 1);
    yaml_reader_free(reader);
    free(text);
}

struct target {
    uint32_t number;
    unsigned unknown;
};

static void read_number(void *context, const struct yaml_field *field,
                        const struct yaml_node *value, void *target)
{
    (void)context;
    ck_assert(yaml_read_number(value, (uint32_t *)(void *)((char *)target + field->offset)));
}

static void count_unknown(void *context, const struct yaml_node *key, const struct yaml_node *value)
{
    (void)value;
    ck_assert_str_eq(key->text, "other");
    ++*(unsigned *)context;
}

TEST(a_table_of_keys_fills_a_struct_and_returns_the_keys_present)
{
    static const char text[] = "other: [1]\nnumber: 7\n";
    static const struct yaml_field items[] = {
        {"absent", read_number, 0, NULL, false},
        {"number", read_number, offsetof(struct target, number), NULL, true},
    };
    static const struct yaml_fields fields = {items, 2, count_unknown};
    struct target target = {0};
    struct problems problems = {0};
    struct yaml_reader *reader = yaml_reader_new(text, strlen(text), remember, &problems);
    struct yaml_node root;

    ck_assert(yaml_root(reader, &root));
    ck_assert_uint_eq(yaml_read_fields(reader, &root, &fields, &target.unknown, &target), 2);
    ck_assert_uint_eq(target.number, 7);
    ck_assert_uint_eq(target.unknown, 1);
    yaml_reader_free(reader);
}

static const struct {
    const char *text;
    bool is_plain;
    bool is_number;
    uint32_t number;
} numbers[] = {
    {"0", true, true, 0},
    {"7", true, true, 7},
    {"4294967295", true, true, UINT32_MAX},
    {"4294967296", true, false, 0},
    {"99999999999", true, false, 0},
    {"010", true, false, 0},
    {"00", true, false, 0},
    {"-1", true, false, 0},
    {"+1", true, false, 0},
    {"1.0", true, false, 0},
    {"1e3", true, false, 0},
    {"0x10", true, false, 0},
    {"1_000", true, false, 0},
    {" 1", true, false, 0},
    {"", true, false, 0},
    {"7", false, false, 0},
};

TEST_OVER(a_number_is_plain_decimal_without_leading_zeros, numbers)
{
    struct yaml_node node = {.kind = YAML_SCALAR,
                             .is_plain = numbers[_i].is_plain,
                             .text = numbers[_i].text,
                             .length = strlen(numbers[_i].text)};
    uint32_t value = 4711;

    ck_assert_int_eq(yaml_read_number(&node, &value), numbers[_i].is_number);
    ck_assert_uint_eq(value, numbers[_i].is_number ? numbers[_i].number : 4711);
}

static const struct {
    const char *text;
    int value; /* -1: no boolean */
} booleans[] = {{"true", 1}, {"false", 0}, {"True", -1}, {"TRUE", -1}, {"yes", -1},
                {"no", -1},  {"on", -1},   {"1", -1},    {"", -1}};

TEST_OVER(a_boolean_is_true_or_false_without_quotes, booleans)
{
    struct yaml_node node = {.kind = YAML_SCALAR,
                             .is_plain = true,
                             .text = booleans[_i].text,
                             .length = strlen(booleans[_i].text)};
    bool value = false;

    ck_assert_int_eq(yaml_read_bool(&node, &value), booleans[_i].value >= 0);
    ck_assert_int_eq(value, booleans[_i].value == 1);
    node.is_plain = false;
    ck_assert(!yaml_read_bool(&node, &value));
}
