#include "config/listen_address.h"

#include <string.h>

#include "support/suite.h"

/* A text, and the address in its usual form. */
static const struct {
    const char *text;
    const char *written;
    unsigned schemes;
} addresses[] = {
    {"10.0.0.2", "10.0.0.2:53", LISTEN_WITHOUT_SCHEME},
    {"[::1]:5300", "[::1]:5300", LISTEN_WITHOUT_SCHEME},
    {"::ffff:10.0.0.2", "10.0.0.2:53", LISTEN_WITHOUT_SCHEME},
    {"udp://10.0.0.2", "udp://10.0.0.2:53", 1 << LISTEN_UDP},
    {"udp://10.0.0.2:5300", "udp://10.0.0.2:5300", 1 << LISTEN_UDP},
    {"tcp://[::1]:53", "tcp://[::1]:53", 1 << LISTEN_TCP},
    {"tcp://::1", "tcp://[::1]:53", 1 << LISTEN_TCP},
    {"tcp://[::ffff:10.0.0.2]:53", "tcp://10.0.0.2:53", 1 << LISTEN_TCP},
};

TEST_OVER(an_address_has_a_scheme_or_is_served_over_udp_and_tcp, addresses)
{
    struct listen_address address = {.origin.file = "here"};
    char written[LISTEN_TEXT_MAX];
    struct err err;

    ck_assert_msg(listen_address_read(addresses[_i].text, &address, &err), "%s", err.text);
    listen_address_write(&address, written);
    ck_assert_str_eq(written, addresses[_i].written);
    ck_assert_uint_eq(address.schemes, addresses[_i].schemes);
    ck_assert_str_eq(address.origin.file, "here");
}

static const struct {
    const char *text;
    const char *problem;
} refused[] = {
    {"upd://10.0.0.2", "unknown scheme `upd://`; did you mean udp://? Allowed: udp://, tcp://, or "
                       "an address alone for UDP and TCP"},
    {"TCP://10.0.0.2", "unknown scheme `TCP://`; did you mean tcp://? Allowed: udp://, tcp://, or "
                       "an address alone for UDP and TCP"},
    {"quic://10.0.0.2",
     "unknown scheme `quic://`; give udp://, tcp://, or an address alone for UDP and TCP"},
    {"://10.0.0.2", "unknown scheme `://`; give udp://, tcp://, or an address alone for UDP and "
                    "TCP"},
    {"a-scheme-longer-than-any-that-there-is://10.0.0.2",
     "unknown scheme `a-scheme-longer-than://`; give udp://, tcp://, or an address alone for UDP "
     "and TCP"},
    {"udp://", "`udp://` is not an address to listen on; give one like 10.0.0.2, 127.0.0.1:5300 or "
               "[::1]:53, with a port from 1 to 65535"},
    {"udp:10.0.0.2", "`udp:10.0.0.2` is not an address to listen on; give one like 10.0.0.2, "
                     "127.0.0.1:5300 or [::1]:53, with a port from 1 to 65535"},
    {"udp://tcp://10.0.0.2", "`udp://tcp://10.0.0.2` is not an address to listen on; give one like "
                             "10.0.0.2, 127.0.0.1:5300 or [::1]:53, with a port from 1 to 65535"},
};

TEST_OVER(what_is_no_address_or_scheme_is_refused_with_a_remedy, refused)
{
    struct listen_address address = {.schemes = 0};
    struct err err;

    ck_assert(!listen_address_read(refused[_i].text, &address, &err));
    ck_assert_str_eq(err.text, refused[_i].problem);
    ck_assert_uint_eq(address.schemes, 0);
}

/* A listed address and one that is added to it; NULL: it may be. */
static const struct {
    const char *listed;
    const char *added;
    const char *problem;
} pairs[] = {
    {"udp://10.0.0.2", "tcp://10.0.0.2", NULL},
    {"udp://0.0.0.0", "tcp://10.0.0.2", NULL},
    {"udp://10.0.0.2", "udp://10.0.0.2:5300", NULL},
    {"udp://10.0.0.2", "udp://10.0.0.2:53", "`udp://10.0.0.2:53` is given twice"},
    {"10.0.0.2", "10.0.0.2:53", "`10.0.0.2:53` is given twice"},
    {"10.0.0.2", "tcp://10.0.0.2", "`10.0.0.2:53` and `tcp://10.0.0.2:53` overlap, "},
    {"udp://10.0.0.2", "10.0.0.2", "`udp://10.0.0.2:53` and `10.0.0.2:53` overlap, "},
    {"udp://10.0.0.2", "udp://0.0.0.0",
     "udp://0.0.0.0:53 is every IPv4 address of this host, udp://10.0.0.2:53 too; keep "
     "udp://0.0.0.0:53, "},
    {"[::]:53", "tcp://[::1]:53",
     "[::]:53 is every IPv6 address of this host, tcp://[::1]:53 too; keep [::]:53, "},
};

TEST_OVER(a_socket_is_wanted_once, pairs)
{
    struct listen_address listed, added;
    const struct listen_addresses list = {.items = &listed, .count = 1};
    struct err err = {.code = ERR_NONE};

    ck_assert(listen_address_read(pairs[_i].listed, &listed, &err));
    ck_assert(listen_address_read(pairs[_i].added, &added, &err));
    bool can_add = listen_addresses_can_add(&list, &added, &err);
    ck_assert(can_add == (pairs[_i].problem == NULL));
    if (!can_add)
        ck_assert_msg(strncmp(err.text, pairs[_i].problem, strlen(pairs[_i].problem)) == 0, "%s",
                      err.text);
}
