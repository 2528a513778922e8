#include "wire/name.h"

#include <ldns/ldns.h>
#include <string.h>

#include "support/suite.h"

/* 63 octets and their length. */
#define LABEL_63 "\77aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LABEL_61 "\75aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define OCTETS(text) text, sizeof(text) - 1

/* Octets in, expected name out. One row per rule in name.h. */
static const struct {
    const char *what;
    const char *wire;
    size_t wire_length;
    const char *expected; /* NULL: the reader must refuse */
    size_t consumed;
    unsigned labels;
} cases[] = {
    {"root", OCTETS("\0"), "\0", 1, 0},
    {"one label", OCTETS("\3com\0"), "\3com\0", 5, 1},
    {"case folds", OCTETS("\3DnS\4TEST\0"), "\3dns\4test\0", 10, 2},
    {"only letters fold", OCTETS("\6@[`{Zz\0"), "\6@[`{zz\0", 8, 1},
    {"octets above 127 do not fold", OCTETS("\4\xc1\xda\xe1\xff\0"), "\4\xc1\xda\xe1\xff\0", 6, 1},
    {"a zero octet inside a label", OCTETS("\3a\0b\0"), "\3a\0b\0", 5, 1},
    {"a dot inside a label", OCTETS("\3a.b\0"), "\3a.b\0", 5, 1},
    {"stops at its own end", OCTETS("\1a\0\0\1"), "\1a\0", 3, 1},
    {"label of 63", OCTETS(LABEL_63 "\0"), LABEL_63 "\0", 65, 1},
    {"name of 255", OCTETS(LABEL_63 LABEL_63 LABEL_63 LABEL_61 "\0"),
     LABEL_63 LABEL_63 LABEL_63 LABEL_61 "\0", 255, 4},
    {"name of 256", OCTETS(LABEL_63 LABEL_63 LABEL_63 LABEL_61 "\1b\0"), NULL, 0, 0},
    {"name of 257", OCTETS(LABEL_63 LABEL_63 LABEL_63 LABEL_63 "\0"), NULL, 0, 0},
    {"nothing", OCTETS(""), NULL, 0, 0},
    {"label runs past the end", OCTETS("\5ab"), NULL, 0, 0},
    {"no closing zero", OCTETS("\1a"), NULL, 0, 0},
    {"label ends where the octets end", OCTETS("\2ab"), NULL, 0, 0},
    {"label of 64",
     OCTETS("\100aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\0"), NULL, 0, 0},
    {"extended label type", OCTETS("\x41\0\0"), NULL, 0, 0},
    {"pointer", OCTETS("\xc0\x0c"), NULL, 0, 0},
    {"pointer behind a label", OCTETS("\1a\xc0\x0c"), NULL, 0, 0},
};
enum { CASE_COUNT = sizeof cases / sizeof cases[0] };

TEST_LOOP(reads_or_refuses, 0, CASE_COUNT)
{
    struct reader in = reader_over((const uint8_t *)cases[_i].wire, cases[_i].wire_length);
    struct name name;

    memset(&name, 0xee, sizeof name);
    bool ok = name_read(&in, &name);
    ck_assert_msg(ok == (cases[_i].expected != NULL), "%s", cases[_i].what);
    if (!ok) {
        ck_assert(in.failed);
        return;
    }
    ck_assert_uint_eq(name.length, cases[_i].consumed);
    ck_assert_uint_eq(name.label_count, cases[_i].labels);
    ck_assert_mem_eq(name.octets, cases[_i].expected, name.length);
    ck_assert_uint_eq((size_t)(in.next - in.start), cases[_i].consumed);
    for (size_t i = name.length; i % 16 != 0; i++)
        ck_assert_msg(name.octets[i] == 0, "%s: not padded for hashing", cases[_i].what);
}

TEST(reads_127_labels)
{
    uint8_t wire[NAME_MAX_OCTETS];
    struct name name;

    for (unsigned i = 0; i < LABEL_MAX_COUNT; i++) {
        wire[2 * i] = 1;
        wire[2 * i + 1] = (uint8_t)('A' + i % 26);
    }
    wire[254] = 0;
    struct reader in = reader_over(wire, sizeof wire);
    ck_assert(name_read(&in, &name));
    ck_assert_uint_eq(name.label_count, LABEL_MAX_COUNT);
    ck_assert_uint_eq(name.length, NAME_MAX_OCTETS);
    ck_assert_uint_eq(name.octets[1], 'a');
}

static const struct {
    const char *wire;
    size_t length;
    size_t passed; /* 0: fails */
} skips[] = {
    {OCTETS("\0rest"), 1},          {OCTETS("\1a\0rest"), 3}, {OCTETS("\xc0\x0crest"), 2},
    {OCTETS("\1a\xc0\x0crest"), 4}, {OCTETS("\1a"), 0},       {OCTETS("\xc0"), 0},
    {OCTETS("\100a"), 0},           {OCTETS("\x80\0"), 0},    {OCTETS(""), 0},
};

TEST_OVER(a_name_is_skipped_with_or_without_a_pointer, skips)
{
    struct reader in = reader_over((const uint8_t *)skips[_i].wire, skips[_i].length);

    name_skip(&in);
    ck_assert(in.failed == (skips[_i].passed == 0));
    if (skips[_i].passed > 0)
        ck_assert_uint_eq((size_t)(in.next - in.start), skips[_i].passed);
}

static const struct {
    const char *text;
    const char *wire; /* NULL: refused */
    size_t length;
} texts[] = {
    {"API.Example.com", OCTETS("\3api\7example\3com\0")},
    {"api.example.com.", OCTETS("\3api\7example\3com\0")},
    {".", OCTETS("\0")},
    {"", OCTETS("\0")},
    {"_http._tcp", OCTETS("\5_http\4_tcp\0")},
    {"..", NULL, 0},
    {".com", NULL, 0},
    {"a..b", NULL, 0},
    {"a..", NULL, 0},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.com", NULL, 0},
};

TEST_OVER(text_becomes_a_name, texts)
{
    struct name name = {.length = 99};

    ck_assert_msg(name_from_text(texts[_i].text, &name) == (texts[_i].wire != NULL), "%s",
                  texts[_i].text);
    if (texts[_i].wire == NULL) {
        ck_assert_uint_eq(name.length, 99);
        return;
    }
    ck_assert(name_equals(&name, (const uint8_t *)texts[_i].wire, texts[_i].length));
    ck_assert_uint_eq(name_measure(name.octets), texts[_i].length);
}

TEST(text_of_255_octets_fits_and_one_more_does_not)
{
    char text[260];
    struct name name;

    memset(text, 'a', sizeof text);
    text[63] = text[127] = text[191] = '.';
    text[253] = '\0'; /* 3 * 64 + 62 + 1 */
    ck_assert(name_from_text(text, &name));
    ck_assert_uint_eq(name.length, 255);
    text[253] = 'a';
    text[254] = '\0';
    ck_assert(!name_from_text(text, &name));
}

TEST(a_label_joins_in_front)
{
    static const uint8_t tail[] = "\7example\3com";
    struct name name = {.length = 7};

    ck_assert(name_join(&name, "API", 3, tail, sizeof tail));
    ck_assert(name_equals(&name, (const uint8_t *)"\3api\7example\3com", 17));
    ck_assert_uint_eq(name.label_count, 3);
    for (size_t i = 17; i < 32; i++)
        ck_assert_uint_eq(name.octets[i], 0);
    ck_assert(!name_join(&name, "", 0, tail, sizeof tail));
    ck_assert_uint_eq(name.length, 17);
}

TEST(a_label_that_makes_the_name_too_long_does_not_join)
{
    static const uint8_t tail[] = LABEL_63 LABEL_63 LABEL_63;
    struct name name = {.length = 7};
    char label[64];

    memset(label, 'b', sizeof label);
    ck_assert(name_join(&name, label, 61, tail, sizeof tail));
    ck_assert_uint_eq(name.length, 255);
    name.length = 7;
    ck_assert(!name_join(&name, label, 62, tail, sizeof tail));
    ck_assert(!name_join(&name, label, 64, (const uint8_t *)"", 1));
    ck_assert_uint_eq(name.length, 7);
}

TEST(suffixes_begin_where_labels_begin)
{
    struct name name;

    ck_assert(name_from_text("www.example.com", &name));
    ck_assert_ptr_eq(name_suffix(&name, 0), name.octets);
    ck_assert_str_eq((const char *)name_suffix(&name, 2), "\3com");
    ck_assert_uint_eq(*name_suffix(&name, 3), 0);
    ck_assert_uint_eq(name_suffix_length(&name, name_suffix(&name, 1)), 13);
    ck_assert_uint_eq(name_suffix_length(&name, name_suffix(&name, 3)), 1);
}

static const struct {
    const char *name, *suffix;
    bool is_within;
} withins[] = {
    {"web.app.localspace", "localspace", true},
    {"localspace", "localspace", true},
    {"LocalSpace", "localspace", true},
    {"localspace", "app.localspace", false},
    {"xlocalspace", "localspace", false},
    {"localspace.com", "localspace", false},
    {"anything.at.all", ".", true},
    {".", ".", true},
    {".", "com", false},
};

TEST_OVER(a_name_is_within_a_suffix_at_label_borders, withins)
{
    struct name name, suffix;

    ck_assert(name_from_text(withins[_i].name, &name));
    ck_assert(name_from_text(withins[_i].suffix, &suffix));
    ck_assert_msg(name_is_within(&name, &suffix) == withins[_i].is_within, "%s in %s",
                  withins[_i].name, withins[_i].suffix);
}

/* A length octet can look like a letter: \3 c o m inside a label of 4 is no suffix. */
TEST(octets_inside_a_label_are_no_suffix)
{
    static const uint8_t wire[] = "\5x\3com";
    struct reader in = reader_over(wire, sizeof wire);
    struct name name, suffix;

    ck_assert(name_read(&in, &name));
    ck_assert(name_from_text("com", &suffix));
    ck_assert(!name_is_within(&name, &suffix));
}

static const struct {
    const char *wire;
    const char *expected;
} printed[] = {
    {"\0", "."},
    {"\3www\7example\3com", "www.example.com"},
    {"\3a.b\1c", "a\\.b.c"},
    {"\1\\\1\"", "\\\\.\\\""},
    {"\4a b\t", "a\\032b\\009"},
    {"\3\xff\x80\x7f", "\\255\\128\\127"},
    {"\1;\1(\1)\1@\1$", "\\;.\\(.\\).\\@.\\$"},
    {"\2\n\r", "\\010\\013"},
};

/* Safe in a log line, and read back by ldns as the same octets. */
TEST_OVER(a_name_prints_so_that_it_can_be_read_back, printed)
{
    char buffer[300] = "";
    struct text text = text_over(buffer, sizeof buffer - 1);
    const uint8_t *wire = (const uint8_t *)printed[_i].wire;
    ldns_rdf *read = NULL;

    name_add(&text, wire);
    ck_assert_str_eq(buffer, printed[_i].expected);
    ck_assert_int_eq(ldns_str2rdf_dname(&read, buffer), LDNS_STATUS_OK);
    ck_assert_uint_eq(ldns_rdf_size(read), name_measure(wire));
    ck_assert_mem_eq(ldns_rdf_data(read), wire, ldns_rdf_size(read));
    ldns_rdf_deep_free(read);
    struct name name;
    ck_assert(name_from_presentation(buffer, strlen(buffer), &name));
    ck_assert(name_equals(&name, wire, name_measure(wire)));
}

static const struct {
    const char *text;
    const char *wire; /* NULL: no name */
    unsigned labels;
} presented[] = {
    {"", "\0", 0},
    {"WWW.Example.com.", "\3www\7example\3com", 3},
    {"a\\.b.c", "\3a.b\1c", 2},
    {"\\065", "\1a", 1},
    {"a\\256", NULL, 0},
    {"a\\25", NULL, 0},
    {"a\\", NULL, 0},
    {"..", NULL, 0},
    {".a", NULL, 0},
    {"a..b", NULL, 0},
    {"0123456789012345678901234567890123456789012345678901234567890123", NULL, 0},
};

TEST_OVER(presentation_form_becomes_a_name, presented)
{
    struct name name;
    bool made = name_from_presentation(presented[_i].text, strlen(presented[_i].text), &name);

    ck_assert_msg(made == (presented[_i].wire != NULL), "%s", presented[_i].text);
    if (!made)
        return;
    ck_assert(name_equals(&name, (const uint8_t *)presented[_i].wire,
                          name_measure((const uint8_t *)presented[_i].wire)));
    ck_assert_uint_eq(name.label_count, presented[_i].labels);
}

TEST(presentation_form_of_255_octets_fits_and_one_more_does_not)
{
    char text[300];
    struct name name;

    for (int i = 0; i < 127; i++)
        memcpy(text + 2 * i, "a.", 2);
    ck_assert(name_from_presentation(text, 253, &name) && name.length == 255);
    ck_assert(name_from_presentation(text, 254, &name) && name.label_count == 127);
    memcpy(text, "aa", 2);
    ck_assert(name_from_presentation(text, 253, &name) && name.length == 255);
    memcpy(text + 253, "aa", 2);
    ck_assert(!name_from_presentation(text, 254, &name));
    ck_assert(!name_from_presentation(text, 255, &name));
}
