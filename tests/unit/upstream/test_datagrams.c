#include "upstream/datagrams.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "config/port_range.h"
#include "support/serving.h"
#include "support/suite.h"

enum { ATTEMPTS = 1200 };

static struct {
    struct datagrams datagrams;
    struct random_source random;
    int far[2]; /* servers of IPv4 and IPv6 */
    struct endpoint servers[2];
} stand;

static void open_far(bool is_ipv6)
{
    struct endpoint any;

    ck_assert(endpoint_read(is_ipv6 ? "::1" : "127.0.0.1", 1, &any));
    endpoint_set_port(&any, 0);
    stand.far[is_ipv6] = socket(any.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (bind(stand.far[is_ipv6], &any.any, endpoint_octets(&any)) == 0)
        stand.servers[is_ipv6] = serving_local(stand.far[is_ipv6]);
}

static void begin(size_t open_most, bool uses_any_port)
{
    memset(&stand, 0, sizeof stand);
    open_far(false);
    open_far(true);
    ck_assert(
        datagrams_init(&stand.datagrams, &(struct datagrams_options){.attempts = ATTEMPTS,
                                                                     .open_most = open_most,
                                                                     .uses_any_port = uses_any_port,
                                                                     .random = &stand.random}));
    stand.datagrams.epoll = epoll_create1(EPOLL_CLOEXEC);
}

static void end(void)
{
    close(stand.datagrams.epoll);
    datagrams_close(&stand.datagrams);
    close(stand.far[0]);
    close(stand.far[1]);
}

static struct datagram_socket *ask(bool is_ipv6)
{
    const uint8_t octets[] = "question";
    const struct link_query query = {.ticket = 7, .octets = octets, .length = sizeof octets};

    return datagrams_send(&stand.datagrams, &stand.servers[is_ipv6], &query);
}

/* Answers the question that has waited longest so many times. */
static void answer(bool is_ipv6, unsigned times)
{
    struct endpoint from;
    socklen_t size = sizeof from;
    uint8_t octets[64];

    ssize_t length = recvfrom(stand.far[is_ipv6], octets, sizeof octets, 0, &from.any, &size);
    ck_assert_int_gt(length, 0);
    for (unsigned i = 0; i < times; i++)
        ck_assert_int_eq(sendto(stand.far[is_ipv6], octets, (size_t)length, 0, &from.any, size),
                         length);
}

/* Asks, reads `reads` of the answers, and releases the socket. */
static struct datagram_socket *ask_and_read(bool is_ipv6, unsigned answers, unsigned reads)
{
    struct datagram_socket *socket = ask(is_ipv6);
    uint8_t octets[64];

    ck_assert_ptr_nonnull(socket);
    answer(is_ipv6, answers);
    for (unsigned i = 0; i < reads; i++)
        ck_assert_int_gt(datagrams_receive(socket, octets, sizeof octets), 0);
    datagrams_release(&stand.datagrams, socket);
    return socket;
}

static const struct {
    unsigned answers, reads;
    bool uses_any_port, is_spare;
} uses[] = {
    {0, 0, false, false}, {1, 0, false, false}, {1, 1, false, true}, {2, 1, false, true},
    {2, 2, false, false}, {5, 4, false, false}, {1, 1, true, false},
};

TEST_OVER(a_socket_is_kept_only_if_exactly_one_datagram_came, uses)
{
    begin(SIZE_MAX, uses[_i].uses_any_port);
    const struct datagram_socket *socket = ask_and_read(false, uses[_i].answers, uses[_i].reads);
    ck_assert_int_eq(socket->descriptor >= 0, uses[_i].is_spare);
    ck_assert_uint_eq(stand.datagrams.spare_count[0], uses[_i].is_spare);
    ck_assert_uint_eq(stand.datagrams.open_count, uses[_i].is_spare);
    end();
}

TEST(a_spare_socket_has_no_port)
{
    begin(SIZE_MAX, false);
    const struct datagram_socket *socket = ask_and_read(false, 1, 1);
    ck_assert_uint_eq(ntohs(serving_local(socket->descriptor).v4.sin_port), 0);
    end();
}

TEST(what_came_late_is_discarded_before_the_next_question)
{
    uint8_t octets[64];

    begin(SIZE_MAX, false);
    const struct datagram_socket *first = ask_and_read(false, 4, 1);
    struct datagram_socket *socket = ask(false);
    ck_assert_ptr_eq(socket, first);
    ck_assert_int_eq(datagrams_receive(socket, octets, sizeof octets), -1);
    ck_assert_int_eq(errno, EAGAIN);
    end();
}

TEST(a_socket_with_too_much_to_discard_is_closed)
{
    begin(SIZE_MAX, false);
    ask_and_read(false, 20, 1);
    ck_assert_uint_eq(stand.datagrams.spare_count[0], 1);
    struct datagram_socket *socket = ask(false);
    ck_assert_ptr_nonnull(socket);
    ck_assert_uint_eq(stand.datagrams.open_count, 1);
    datagrams_release(&stand.datagrams, socket);
    end();
}

TEST(an_event_of_a_spare_socket_is_dealt_with)
{
    struct epoll_event event;

    begin(SIZE_MAX, false);
    struct datagram_socket *socket = ask_and_read(false, 4, 1);
    ck_assert_int_eq(epoll_wait(stand.datagrams.epoll, &event, 1, 0), 1);
    ck_assert_ptr_eq(&stand.datagrams.sockets[event.data.u64], socket);
    datagrams_discard(&stand.datagrams, socket);
    ck_assert_int_eq(epoll_wait(stand.datagrams.epoll, &event, 1, 0), 0);
    ck_assert_uint_eq(stand.datagrams.spare_count[0], 1);
    datagrams_discard(&stand.datagrams, &stand.datagrams.sockets[ATTEMPTS - 1]); /* closed */
    end();
}

TEST(an_event_of_a_spare_socket_with_too_much_closes_it)
{
    struct epoll_event event;

    begin(SIZE_MAX, false);
    struct datagram_socket *socket = ask_and_read(false, 20, 1);
    datagrams_discard(&stand.datagrams, socket);
    ck_assert_uint_eq(stand.datagrams.open_count, 0);
    ck_assert_uint_eq(stand.datagrams.spare_count[0], 0);
    ck_assert_int_eq(epoll_wait(stand.datagrams.epoll, &event, 1, 0), 0);
    ck_assert_ptr_nonnull(ask(false));
    end();
}

TEST(the_socket_that_is_spare_longest_is_next)
{
    struct datagram_socket *sockets[3];
    uint8_t octets[64];

    begin(SIZE_MAX, false);
    for (unsigned i = 0; i < 3; i++)
        sockets[i] = ask(false);
    for (unsigned i = 0; i < 3; i++) {
        answer(false, 1);
        ck_assert_int_gt(datagrams_receive(sockets[i], octets, sizeof octets), 0);
        datagrams_release(&stand.datagrams, sockets[i]);
    }
    for (unsigned i = 0; i < 3; i++)
        ck_assert_ptr_eq(ask(false), sockets[i]);
    end();
}

TEST(only_so_many_are_kept_spare)
{
    static struct datagram_socket *sockets[ATTEMPTS];
    uint8_t octets[64];
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < ATTEMPTS + 50)
        return;
    begin(SIZE_MAX, false);
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        sockets[i] = ask(false);
        ck_assert_ptr_nonnull(sockets[i]);
        answer(false, 1);
    }
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        ck_assert_int_gt(datagrams_receive(sockets[i], octets, sizeof octets), 0);
        datagrams_release(&stand.datagrams, sockets[i]);
    }
    ck_assert_uint_eq(stand.datagrams.spare_count[0], DATAGRAMS_SPARE_MOST);
    ck_assert_uint_eq(stand.datagrams.open_count, DATAGRAMS_SPARE_MOST);
    end();
}

/* Has so many sockets in use at once, and all of them spare after. */
static void use_at_once(unsigned count)
{
    static struct datagram_socket *sockets[ATTEMPTS];
    uint8_t octets[64];

    for (unsigned i = 0; i < count; i++) {
        sockets[i] = ask(false);
        ck_assert_ptr_nonnull(sockets[i]);
        answer(false, 1);
    }
    for (unsigned i = 0; i < count; i++) {
        ck_assert_int_gt(datagrams_receive(sockets[i], octets, sizeof octets), 0);
        datagrams_release(&stand.datagrams, sockets[i]);
    }
}

TEST(spare_sockets_that_nobody_needs_are_closed)
{
    begin(SIZE_MAX, false);
    use_at_once(200);
    datagrams_trim(&stand.datagrams); /* all were needed */
    ck_assert_uint_eq(stand.datagrams.open_count, 200);
    use_at_once(150);
    datagrams_trim(&stand.datagrams);
    ck_assert_uint_eq(stand.datagrams.open_count, 200 - (50 - DATAGRAMS_SPARE_KEPT));
    for (unsigned i = 0; i < 3; i++) {
        ck_assert(datagrams_may_be_trimmed(&stand.datagrams));
        datagrams_trim(&stand.datagrams);
    }
    ck_assert(!datagrams_may_be_trimmed(&stand.datagrams));
    ck_assert_uint_eq(stand.datagrams.open_count, DATAGRAMS_SPARE_KEPT);
    end();
}

TEST(spare_sockets_count_as_open_and_give_way_to_others)
{
    begin(2, false);
    struct datagram_socket *first = ask(false);
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_nonnull(ask(false));
    ck_assert_ptr_null(ask(false));
    ck_assert_int_eq(errno, EMFILE);
    ck_assert_uint_eq(datagrams_make_room(&stand.datagrams, 1), 0);
    datagrams_release(&stand.datagrams, first);
    ask_and_read(false, 1, 0);
    ask_and_read(false, 1, 0);
    ck_assert_uint_eq(stand.datagrams.open_count, 1);
    end();
}

TEST(spare_sockets_of_one_family_give_way_to_the_other)
{
    if (!serving_has_ipv6())
        return;
    begin(1, false);
    ask_and_read(false, 1, 1);
    ck_assert_uint_eq(stand.datagrams.spare_count[0], 1);
    ask_and_read(true, 1, 1);
    ck_assert_uint_eq(stand.datagrams.spare_count[0], 0);
    ck_assert_uint_eq(stand.datagrams.spare_count[1], 1);
    ck_assert_uint_eq(datagrams_make_room(&stand.datagrams, 1), 1);
    ck_assert_uint_eq(stand.datagrams.open_count, 0);
    end();
}

/* The spare socket has the last descriptor that the process may have. */
TEST(they_do_so_in_a_process_without_descriptors)
{
    struct rlimit limit;

    if (!serving_has_ipv6())
        return;
    begin(SIZE_MAX, false);
    const struct datagram_socket *spare = ask_and_read(false, 1, 1);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct rlimit low = {.rlim_cur = (rlim_t)spare->descriptor + 1,
                               .rlim_max = limit.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
    ck_assert_ptr_nonnull(ask(true));
    ck_assert_uint_eq(stand.datagrams.spare_count[0], 0);
    ck_assert_ptr_null(ask(true));
    ck_assert_int_eq(errno, EMFILE);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    end();
}

TEST(a_server_that_cannot_be_reached_costs_no_socket)
{
    begin(SIZE_MAX, false);
    ck_assert(endpoint_read("255.255.255.255", 53, &stand.servers[0]));
    ck_assert_ptr_null(ask(false));
    ck_assert_int_eq(errno, EACCES);
    ck_assert_uint_eq(stand.datagrams.open_count, 0);
    end();
}

TEST(the_number_of_ports_is_estimated)
{
    uint32_t count = port_range_read(PORT_RANGE_PATH), estimate = datagrams_estimate_ports();

    /* Both ends of 1,000 draws miss 1 % of the range with (1 + 10) e^-10, once in 2,000 times; 3 %
     * with 31 e^-30. */
    ck_assert_uint_gt(estimate, 0);
    if (count == 0)
        return; /* hidden */
    ck_assert_uint_ge(estimate * 100, count * 97);
    ck_assert_uint_le(estimate * 100, count * 103);
}
