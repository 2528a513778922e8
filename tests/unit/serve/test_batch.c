#include "serve/batch.h"

#include <arpa/inet.h>

#include "support/suite.h"

/* The source of a request, and the path made of it. */
static const struct {
    const char *source;
    uint32_t address;
    bool is_ipv6;
} sources[] = {
    {"10.20.3.4", 0x0a140304, false},
    {"::1", 0x7f000001, false},
    {"::ffff:10.20.3.4", 0x0a140304, false},
    {"2001:db8::1", 0, true},
    {"fe80::1", 0, true},
    {"::10.20.3.4", 0, true},
};

TEST_OVER(a_path_knows_where_a_request_came_from, sources)
{
    struct path path = {.source = 1, .destination = 0x0a000002, .is_ipv6 = true};
    struct endpoint source;

    ck_assert(endpoint_read(sources[_i].source, 53, &source));
    path_set_source(&path, &source);
    ck_assert_uint_eq(path.source, sources[_i].address);
    ck_assert(path.is_ipv6 == sources[_i].is_ipv6);
    ck_assert_uint_eq(path.destination, 0x0a000002);
}
