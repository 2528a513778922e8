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

enum { TYPE_NSAP_PTR = 23 }; /* its name, NSAP-PTR, cannot be part of a constant's */

/* ldns took its names from IANA's list, and knows the form TYPE4711. */
TEST(every_type_has_the_name_that_ldns_gives_it)
{
    char buffer[16];

    for (unsigned type = 0; type <= UINT16_MAX; type++) {
        char *name = ldns_rr_type2str((ldns_rr_type)type);
        print_type((uint16_t)type, buffer, sizeof buffer);
        ck_assert_str_eq(buffer, type == TYPE_NSAP_PTR ? "TYPE23" : name);
        free(name);
    }
}

static const struct {
    uint16_t rcode;
    const char *expected;
} rcodes[] = {{0, "NOERROR"}, {1, "FORMERR"}, {2, "SERVFAIL"}, {3, "NXDOMAIN"},
              {4, "NOTIMP"},  {5, "REFUSED"}, {16, "BADVERS"}, {4000, "RCODE4000"}};

TEST_OVER(response_codes_have_names, rcodes)
{
    char buffer[16] = "";
    struct text text = text_over(buffer, sizeof buffer - 1);

    rcode_add(&text, rcodes[_i].rcode);
    ck_assert_str_eq(buffer, rcodes[_i].expected);
}
