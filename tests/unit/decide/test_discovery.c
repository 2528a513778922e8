#include "decide/discovery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/deciding.h"
#include "support/snapshot_fixture.h"
#include "support/suite.h"
#include "wire/types.h"

static const struct {
    const char *label; /* length octet and octets */
    bool is_read;
    uint32_t number;
} labels[] = {
    {"\1"
     "1",
     true, 1},
    {"\2"
     "42",
     true, 42},
    {"\12"
     "4294967295",
     true, UINT32_MAX},
    {"\12"
     "4294967296",
     false, 0},
    {"\12"
     "9999999999",
     false, 0},
    {"\13"
     "10000000000",
     false, 0},
    {"\1"
     "0",
     false, 0},
    {"\2"
     "01",
     false, 0},
    {"\2"
     "1a",
     false, 0},
    {"\2"
     "a1",
     false, 0},
    {"\2"
     "-1",
     false, 0},
    {"\2"
     "+1",
     false, 0},
    {"\0", false, 0},
};

TEST_OVER(a_dyno_number_is_decimal_without_leading_zeros, labels)
{
    uint32_t number = 77;

    ck_assert_msg(label_read_number((const uint8_t *)labels[_i].label, &number) ==
                      labels[_i].is_read,
                  "%s", labels[_i].label + 1);
    ck_assert_uint_eq(number, labels[_i].is_read ? labels[_i].number : 77);
}

/* Names below localspace and whether they exist; A is asked. */
static const struct {
    const char *name;
    uint8_t rcode;
    bool has_data;
} names[] = {
    {"web.shape-shop-1.app", 0, true},
    {"1.web.shape-shop-1.app", 0, true},
    {"2.web.shape-shop-1.app", 0, true},
    {"3.web.shape-shop-1.app", 0, false},
    {"4.web.shape-shop-1.app", 3, false},
    {"12.web.shape-shop-1.app", 0, true},
    {"012.web.shape-shop-1.app", 3, false},
    {"1.1.web.shape-shop-1.app", 3, false},
    {"web.web.shape-shop-1.app", 3, false},
    {"web.shape-shop-1.app.app", 3, false},
    {"shape-shop-1.app", 0, false},
    {"app", 0, false},
    {"shape-none-1.app", 3, false},
    {"consul_server.shape-shop-1.app", 0, true},
    {"consul-server.shape-shop-1.app", 3, false},
    {"release.shape-shop-1.app", 0, false},
    {"1.release.shape-shop-1.app", 3, false},
    {"_tcp.web.shape-shop-1.app", 0, false},
    {"_udp.web.shape-shop-1.app", 0, false},
    {"_tcp.consul_server.shape-shop-1.app", 3, false},
    {"_udp.consul_server.shape-shop-1.app", 0, false},
    {"_tcp.run.shape-shop-1.app", 3, false},
    {"_http._tcp.web.shape-shop-1.app", 0, false},
    {"_http._udp.web.shape-shop-1.app", 3, false},
    {"http._tcp.web.shape-shop-1.app", 3, false},
    {"_._tcp.web.shape-shop-1.app", 3, false},
    {"_http._tcp.1.web.shape-shop-1.app", 3, false},
    {"x._http._tcp.web.shape-shop-1.app", 3, false},
    {"space", 0, false},
    {"every-shape.space", 0, false},
    {"no-shape.space", 3, false},
    {"router-1.every-shape.space", 0, true},
    {"router-2.every-shape.space", 0, false},
    {"router-4.every-shape.space", 0, false},
    {"router-5.every-shape.space", 3, false},
    {"router-0.every-shape.space", 3, false},
    {"router-01.every-shape.space", 3, false},
    {"router-.every-shape.space", 3, false},
    {"router.every-shape.space", 3, false},
    {"x.router-1.every-shape.space", 3, false},
    {"upcheck", 0, true},
    {"x.upcheck", 3, false},
    {"version", 0, false},
    {"web", 3, false},
    {"_dynos.shape-shop-1.app", 0, false},
    {"_dynos.web.shape-shop-1.app", 3, false},
    {"_whoami.app", 3, false},
    {"a.b.c.d.e.f.g.h.i.j.k", 3, false},
};

FIXTURE(snapshot_set_up, snapshot_tear_down)

TEST_OVER(a_name_below_the_suffix_exists_when_it_is_declared, names)
{
    struct deciding deciding;
    char name[256];

    snprintf(name, sizeof name, "%s.localspace", names[_i].name);
    deciding_ask(&deciding, fixture.snapshot, "10.2.130.1", name, TYPE_A);
    ck_assert_msg(deciding.verdict.rcode == names[_i].rcode, "%s: rcode %d", name,
                  deciding.verdict.rcode);
    ck_assert_msg((deciding.verdict.answer != ANSWER_NONE) == names[_i].has_data, "%s", name);
    ck_assert(deciding.verdict.is_authoritative);
}
