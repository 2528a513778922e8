#include "wire/types.h"

#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

static const char *print_type(uint16_t type, char *buffer, size_t size)
{
    struct text text = text_over(buffer, size - 1);

    memset(buffer, 0, size);
    type_add(&text, type);
    return buffer;
}

/* Every type that has a name here has the same one in ldns, which took it from IANA's list. */
START_TEST(names_of_types_are_those_of_ldns)
{
    static const struct {
        const char *name;
        uint16_t number;
    } types[] = {
#define TYPE(name, number) {#name, number},
#include "wire/types.def"
    };
    char buffer[16];

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        ck_assert_msg(ldns_get_rr_type_by_name(types[i].name) == (ldns_rr_type)types[i].number,
                      "%s", types[i].name);
        ck_assert_str_eq(print_type(types[i].number, buffer, sizeof buffer), types[i].name);
    }
}
END_TEST

START_TEST(every_number_prints_and_reads_back)
{
    char buffer[16];
    uint16_t read;

    for (unsigned type = 0; type <= UINT16_MAX; type++) {
        print_type((uint16_t)type, buffer, sizeof buffer);
        ck_assert(type_read(buffer, &read));
        ck_assert_uint_eq(read, type);
    }
}
END_TEST

static const struct {
    const char *text;
    bool is_read;
    uint16_t type;
} reads[] = {
    {"A", true, 1},           {"https", true, 65},
    {"TYPE4711", true, 4711}, {"type1", true, 1},
    {"TYPE0", true, 0},       {"TYPE65535", true, 65535},
    {"TYPE65536", false, 0},  {"TYPE", false, 0},
    {"TYPE-1", false, 0},     {"TYPE1x", false, 0},
    {"", false, 0},           {"AA", false, 0},
    {"TYPE 1", false, 0},     {"TYPE99999999999999999999", false, 0},
};

START_TEST(a_type_is_read_by_name_or_number)
{
    uint16_t type = 9;

    ck_assert_msg(type_read(reads[_i].text, &type) == reads[_i].is_read, "%s", reads[_i].text);
    ck_assert_uint_eq(type, reads[_i].is_read ? reads[_i].type : 9);
}
END_TEST

static const struct {
    uint16_t rcode;
    const char *expected;
} rcodes[] = {{0, "NOERROR"}, {1, "FORMERR"}, {2, "SERVFAIL"}, {3, "NXDOMAIN"},
              {4, "NOTIMP"},  {5, "REFUSED"}, {16, "BADVERS"}, {4000, "RCODE4000"}};

START_TEST(response_codes_have_names)
{
    char buffer[16] = "";
    struct text text = text_over(buffer, sizeof buffer - 1);

    rcode_add(&text, rcodes[_i].rcode);
    ck_assert_str_eq(buffer, rcodes[_i].expected);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof(array)[0])

int main(void)
{
    Suite *suite = suite_create("wire/types");
    TCase *tables = tcase_create("tables");

    tcase_add_test(tables, names_of_types_are_those_of_ldns);
    tcase_add_test(tables, every_number_prints_and_reads_back);
    tcase_add_loop_test(tables, a_type_is_read_by_name_or_number, 0, COUNT(reads));
    tcase_add_loop_test(tables, response_codes_have_names, 0, COUNT(rcodes));
    suite_add_tcase(suite, tables);
    return suite_run(suite);
}
