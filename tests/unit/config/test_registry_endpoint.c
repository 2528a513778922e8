#include "config/registry_endpoint.h"

#include <string.h>

#include "support/suite.h"

/* A text, and the endpoint in its usual form. */
static const struct {
    const char *text;
    const char *written;
    bool is_address;
} endpoints[] = {
    {"10.1.0.3:2379", "10.1.0.3:2379", true},
    {"10.1.0.3", "10.1.0.3:2379", true},
    {"http://10.1.0.3", "http://10.1.0.3:2379", true},
    {"https://10.1.0.3:4001", "https://10.1.0.3:4001", true},
    {"[fd00::3]:2380", "[fd00::3]:2380", true},
    {"https://[FD00:0::3]", "https://[fd00::3]:2379", true},
    {"::1", "[::1]:2379", true},
    {"::ffff:10.1.0.3", "10.1.0.3:2379", true},
    {"localhost", "localhost:2379", false},
    {"https://Etcd-1.Example:2379", "https://etcd-1.example:2379", false},
    {"etcd-1.example.:2379", "etcd-1.example:2379", false},
};

TEST_OVER(an_endpoint_is_an_address_or_a_name_with_a_port, endpoints)
{
    struct registry_endpoint endpoint;
    char written[REGISTRY_ENDPOINT_OCTETS];
    struct err err;

    ck_assert_msg(registry_endpoint_read(endpoints[_i].text, &endpoint, &err), "%s", err.text);
    registry_endpoint_write(&endpoint, written);
    ck_assert_str_eq(written, endpoints[_i].written);
    ck_assert_int_eq(endpoint.is_address, endpoints[_i].is_address);
}

static const char *const refused[] = {
    "",
    "http://",
    ":2379",
    "10.1.0.3:0",
    "10.1.0.3:65536",
    "10.1.0.300:2379",
    "10.1.0.3:",
    "10.1:2379",
    "0.0.0.0:2379",
    "[::]:2379",
    "etcd-1.example:x",
    "etcd 1.example:2379",
    "ftp://10.1.0.3",
    "http://10.1.0.3:2379/",
    "http://user@10.1.0.3",
    "HTTP://10.1.0.3",
    "etcd.1:2379",
    "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u."
    "v.w.x.y.z.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p."
    "q.r.s.t.u.v.w.x.y.z.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.example",
};

TEST_OVER(anything_else_is_refused_with_the_remedy, refused)
{
    struct registry_endpoint endpoint;
    struct err err;

    ck_assert_msg(!registry_endpoint_read(refused[_i], &endpoint, &err), "%s", refused[_i]);
    ck_assert_ptr_nonnull(strstr(err.text, "is not a member of etcd; give one like 10.1.0.3:2379"));
}
