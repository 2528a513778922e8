#include "upstream/stream.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "support/descriptors.h"
#include "support/serving.h"
#include "support/stream_peer.h"
#include "support/suite.h"

enum { TICKETS = 5000, TURNS_MOST = 20000, HEARD_MOST = 65535 };

/* The events of a ticket. */
struct fate {
    struct stream_query *stream_query; /* while it is open */
    unsigned responses;
    unsigned failures;
    enum link_failure failure;
    uint16_t id; /* of the last response, and its length */
    size_t length;
};

/* A stream, the server at its other end, and a clock that the test moves. */
struct scene {
    struct stream_peer peer;
    struct upstream upstream;
    struct tls_trust *trust;
    struct stats stats;
    struct stream_home home;
    struct stream stream;
    uint64_t now_ms;
    bool is_sending;   /* within stream_send: the listener must not be called */
    bool asks_again;   /* a failed question is asked once more under the next ticket */
    unsigned notified; /* responses and failures */
    struct fate fates[TICKETS];
    uint8_t last[HEARD_MOST];
};

static struct scene *scene;

static void ask(link_ticket ticket);

static void on_response(void *context __attribute__((unused)), link_ticket ticket,
                        const uint8_t *octets, size_t length)
{
    struct fate *fate = &scene->fates[ticket];

    ck_assert(!scene->is_sending);
    ck_assert_ptr_nonnull(fate->stream_query);
    fate->responses++;
    fate->id = load16(octets);
    fate->length = length;
    memcpy(scene->last, octets, length);
    scene->notified++;
    stream_forget(&scene->stream, fate->stream_query);
    fate->stream_query = NULL;
}

static void on_failure(void *context __attribute__((unused)), link_ticket ticket,
                       enum link_failure failure)
{
    struct fate *fate = &scene->fates[ticket];

    ck_assert(!scene->is_sending);
    ck_assert_ptr_nonnull(fate->stream_query);
    fate->stream_query = NULL;
    fate->failures++;
    fate->failure = failure;
    scene->notified++;
    if (scene->asks_again)
        ask(ticket + 1);
}

static void begin_stream(void)
{
    struct err err;

    scene->now_ms = 1000;
    scene->home = (struct stream_home){
        .epoll = epoll_create1(EPOLL_CLOEXEC),
        .listener = {.on_response = on_response, .on_failure = on_failure, .context = scene},
        .stats = &scene->stats,
        .wire = malloc(STREAM_WIRE_OCTETS),
        .plain = malloc(STREAM_PLAIN_OCTETS),
    };
    scene->upstream.endpoint = scene->peer.address;
    if (scene->upstream.is_tls)
        scene->trust = dot_trust_new(&err);
    ck_assert(stream_init(&scene->stream, &scene->home, &scene->upstream, scene->trust, 77));
}

static void begin(void)
{
    scene = calloc(1, sizeof *scene);
    stream_peer_init(&scene->peer, NULL);
    scene->upstream.text = "127.0.0.1";
    begin_stream();
}

static void end(void)
{
    stream_close(&scene->stream);
    tls_trust_free(scene->trust);
    stream_peer_close(&scene->peer);
    close(scene->home.epoll);
    free(scene->home.wire);
    free(scene->home.plain);
    free(scene);
}

/* Every query has the same id of its attempt, and the ticket in its last octets. */
static struct stream_query *try_to_ask(link_ticket ticket)
{
    uint8_t query[40] = {0x12, 0x34, 1};

    store32(query + 36, ticket);
    scene->is_sending = true;
    struct stream_query *stream_query =
        stream_send(&scene->stream, ticket, query, sizeof query, scene->now_ms);
    scene->is_sending = false;
    scene->fates[ticket].stream_query = stream_query;
    return stream_query;
}

static void ask(link_ticket ticket)
{
    ck_assert_ptr_nonnull(try_to_ask(ticket));
}

static void turn(void)
{
    struct epoll_event events[4];
    int count = epoll_wait(scene->home.epoll, events, 4, 0);

    for (int i = 0; i < count; i++)
        if (events[i].data.u64 == scene->stream.event)
            stream_on_events(&scene->stream, events[i].events, scene->now_ms);
    if (scene->stream.is_due)
        stream_turn(&scene->stream, scene->now_ms);
    stream_peer_turn(&scene->peer);
}

/* Turns until so many events have been notified, or asked over the last connection. */
static void turn_until_notified(unsigned notified)
{
    turn();
    for (unsigned turns = 0; scene->notified < notified; turns++) {
        if (turns == TURNS_MOST)
            ck_abort_msg("it takes too long");
        stream_peer_wait(&scene->peer, scene->home.epoll);
        turn();
    }
}

static void turn_until_asked(size_t connections, size_t count)
{
    turn();
    for (unsigned turns = 0; scene->peer.count < connections ||
                             stream_peer_count(&scene->peer.ends[connections - 1]) < count;
         turns++) {
        if (turns == TURNS_MOST)
            ck_abort_msg("it takes too long");
        stream_peer_wait(&scene->peer, scene->home.epoll);
        turn();
    }
}

static void turn_until_closed(void)
{
    turn();
    for (unsigned turns = 0; scene->stream.state != STREAM_CLOSED; turns++) {
        if (turns == TURNS_MOST)
            ck_abort_msg("it takes too long");
        stream_peer_wait(&scene->peer, scene->home.epoll);
        turn();
    }
}

/* Makes the server read what the client sent before it closed the connection. */
static void read_to_the_end(void)
{
    for (unsigned turns = 0; !stream_peer_last(&scene->peer)->has_ended; turns++) {
        if (turns == TURNS_MOST)
            ck_abort_msg("it takes too long");
        stream_peer_wait(&scene->peer, scene->home.epoll);
        stream_peer_turn(&scene->peer);
    }
}

/* The ticket that a question was asked for. */
static link_ticket asked(const struct stream_peer_end *peer, size_t number)
{
    size_t length;
    const uint8_t *question = stream_peer_question(peer, number, &length);

    ck_assert_uint_eq(length, 40);
    return load32(question + 36);
}

/* Lets time pass, tick by tick. */
static void pass(uint64_t ms)
{
    for (uint64_t left = ms; left > 0; left -= STREAM_TICK_MS) {
        scene->now_ms += STREAM_TICK_MS;
        stream_tick(&scene->stream, scene->now_ms);
    }
}

static uint64_t count_of(enum counter counter)
{
    return atomic_load(&scene->stats.counters[counter]);
}

/* One question asked and answered, so that the connection has worked. */
static void warm_up(void)
{
    ask(TICKETS - 1);
    turn_until_asked(1, 1);
    stream_peer_answer(stream_peer_last(&scene->peer), 0);
    turn_until_notified(1);
    ck_assert_uint_eq(scene->fates[TICKETS - 1].responses, 1);
    scene->notified = 0;
}

/* ---- questions and responses ---- */

FIXTURE(begin, end)

TEST(responses_come_in_any_order)
{
    for (link_ticket ticket = 0; ticket < 5; ticket++)
        ask(ticket);
    turn_until_asked(1, 5);
    for (size_t number = 5; number-- > 0;)
        stream_peer_answer(stream_peer_last(&scene->peer), number);
    turn_until_notified(5);
    for (link_ticket ticket = 0; ticket < 5; ticket++) {
        ck_assert_uint_eq(scene->fates[ticket].responses, 1);
        ck_assert_uint_eq(scene->fates[ticket].id, 0x1234);
        ck_assert_uint_eq(scene->fates[ticket].length, 40);
    }
    ck_assert_uint_eq(load32(scene->last + 36), 0); /* the first asked was the last answered */
    ck_assert_uint_eq(count_of(COUNTER_FORWARD_CONNECTIONS), 1);
}

TEST(questions_on_one_connection_differ_in_their_ids)
{
    size_t length;

    for (link_ticket ticket = 0; ticket < 50; ticket++)
        ask(ticket);
    turn_until_asked(1, 50);
    for (size_t i = 0; i < 50; i++)
        for (size_t j = 0; j < i; j++)
            ck_assert_uint_ne(
                load16(stream_peer_question(stream_peer_last(&scene->peer), i, &length)),
                load16(stream_peer_question(stream_peer_last(&scene->peer), j, &length)));
}

TEST(a_later_question_goes_over_the_same_connection)
{
    for (link_ticket ticket = 0; ticket < 20; ticket++) {
        ask(ticket);
        turn_until_asked(1, ticket + 1);
        stream_peer_answer(stream_peer_last(&scene->peer), ticket);
        turn_until_notified(ticket + 1);
        pass(9500);
    }
    ck_assert_uint_eq(scene->peer.count, 1);
    ck_assert_uint_eq(count_of(COUNTER_FORWARD_CONNECTIONS), 1);
}

TEST(a_response_that_comes_octet_by_octet_is_whole)
{
    uint8_t frame[42] = {0, 40};
    size_t length;

    ask(0);
    turn_until_asked(1, 1);
    memcpy(frame + 2, stream_peer_question(stream_peer_last(&scene->peer), 0, &length), 40);
    for (size_t i = 0; i < sizeof frame; i++) {
        ck_assert_uint_eq(scene->notified, 0);
        stream_peer_send(stream_peer_last(&scene->peer), frame + i, 1);
        stream_peer_wait(&scene->peer, scene->home.epoll);
        turn();
    }
    turn_until_notified(1);
    ck_assert_uint_eq(scene->fates[0].length, 40);
}

static void check_longest_response(void)
{
    static uint8_t frame[65537] = {0xff, 0xff};
    size_t length;

    ask(0);
    turn_until_asked(1, 1);
    memcpy(frame + 2, stream_peer_question(stream_peer_last(&scene->peer), 0, &length), 2);
    memset(frame + 4, 0x5a, sizeof frame - 4);
    stream_peer_send(stream_peer_last(&scene->peer), frame, sizeof frame);
    turn_until_notified(1);
    ck_assert_uint_eq(scene->fates[0].length, 65535);
    ck_assert_mem_eq(scene->last + 2, frame + 4, 65533);
}

TEST(the_longest_response_is_accepted)
{
    check_longest_response();
}

TEST(a_response_without_a_query_is_counted_and_ignored)
{
    static const uint8_t short_ones[] = {0, 0, 0, 1, 0x12};
    uint8_t foreign[14] = {0, 12};
    size_t length;

    ask(0);
    ask(1);
    turn_until_asked(1, 2);
    struct stream_peer_end *peer = stream_peer_last(&scene->peer);
    uint16_t first = load16(stream_peer_question(peer, 0, &length));
    uint16_t second = load16(stream_peer_question(peer, 1, &length));
    uint16_t neither = (uint16_t)(first + 1 == second ? first + 2 : first + 1);
    store16(foreign + 2, neither);
    stream_peer_send(peer, foreign, sizeof foreign);
    stream_peer_send(peer, short_ones, sizeof short_ones);
    stream_peer_answer(peer, 1);
    stream_peer_answer(peer, 1); /* once more: the query has ended */
    stream_peer_answer(peer, 0);
    turn_until_notified(2);
    ck_assert_uint_eq(scene->notified, 2);
    ck_assert_uint_eq(count_of(COUNTER_FORWARD_FOREIGN), 4);
}

TEST(a_message_too_short_for_an_id_has_none)
{
    uint8_t octets[4] = {0, 1};
    size_t length;

    ask(0);
    turn_until_asked(1, 1);
    /* The octets after it would complete the id. */
    memcpy(octets + 2, stream_peer_question(stream_peer_last(&scene->peer), 0, &length), 2);
    stream_peer_send(stream_peer_last(&scene->peer), octets, sizeof octets);
    while (count_of(COUNTER_FORWARD_FOREIGN) == 0) {
        ck_assert_uint_eq(scene->notified, 0);
        stream_peer_wait(&scene->peer, scene->home.epoll);
        turn();
    }
    ck_assert_uint_eq(scene->notified, 0);
}

TEST(an_idle_connection_causes_no_events)
{
    struct epoll_event event;

    warm_up();
    ck_assert_int_eq(epoll_wait(scene->home.epoll, &event, 1, 0), 0);
}

TEST(a_forgotten_question_is_not_written_and_its_response_is_ignored)
{
    for (link_ticket ticket = 0; ticket < 3; ticket++)
        ask(ticket);
    stream_forget(&scene->stream, scene->fates[1].stream_query);
    turn_until_asked(1, 2);
    ck_assert_uint_eq(asked(stream_peer_last(&scene->peer), 0), 0);
    ck_assert_uint_eq(asked(stream_peer_last(&scene->peer), 1), 2);
    stream_forget(&scene->stream, scene->fates[0].stream_query);
    stream_peer_answer(stream_peer_last(&scene->peer), 0);
    stream_peer_answer(stream_peer_last(&scene->peer), 1);
    turn_until_notified(1);
    ck_assert_uint_eq(scene->fates[2].responses, 1);
    ck_assert_uint_eq(scene->notified, 1);
    ck_assert_uint_eq(count_of(COUNTER_FORWARD_FOREIGN), 1);
}

TEST(a_server_that_reads_nothing_is_asked_within_a_limit)
{
    link_ticket asked_count = 0;
    const int little = 4096;

    setsockopt(scene->peer.listener, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
    warm_up();
    scene->peer.is_stalled = true;
    while (try_to_ask(asked_count) != NULL) {
        asked_count++;
        turn();
    }
    ck_assert_uint_eq(asked_count, STREAM_QUERIES_MOST);
    ck_assert_uint_lt(stream_peer_count(stream_peer_last(&scene->peer)), asked_count);
    scene->peer.is_stalled = false;
    turn_until_asked(1, 1U + asked_count);
    for (link_ticket ticket = 0; ticket < asked_count; ticket++)
        ck_assert_uint_eq(asked(stream_peer_last(&scene->peer), ticket + 1), ticket);
}

/* ---- what goes wrong ---- */

TEST(a_refused_connection_fails_every_question)
{
    close(scene->peer.listener);
    scene->peer.listener = dup(0);
    scene->peer.is_stalled = true;
    ask(0);
    ask(1);
    turn_until_notified(2);
    for (link_ticket ticket = 0; ticket < 2; ticket++) {
        ck_assert_uint_eq(scene->fates[ticket].failures, 1);
        ck_assert_int_eq(scene->fates[ticket].failure, LINK_REFUSED);
    }
    ck_assert_int_eq(scene->stream.state, STREAM_CLOSED);
}

TEST(an_unreachable_network_is_notified_in_the_next_turn)
{
    scene->upstream.endpoint.v4.sin_addr.s_addr = 0xffffffff; /* no TCP to a broadcast address */
    scene->asks_again = true;
    ask(0);
    ck_assert_uint_eq(scene->notified, 0);
    stream_turn(&scene->stream, scene->now_ms);
    ck_assert_uint_eq(scene->fates[0].failures, 1);
    ck_assert_int_eq(scene->fates[0].failure, LINK_UNREACHABLE);
    /* A question that was asked meanwhile waits for the next turn. */
    ck_assert_uint_eq(scene->notified, 1);
    ck_assert(scene->stream.is_due);
    stream_turn(&scene->stream, scene->now_ms);
    ck_assert_uint_eq(scene->notified, 2);
}

TEST(a_failed_question_may_be_forgotten_before_it_is_notified)
{
    scene->upstream.endpoint.v4.sin_addr.s_addr = 0xffffffff;
    ask(0);
    ask(1);
    stream_forget(&scene->stream, scene->fates[0].stream_query);
    stream_turn(&scene->stream, scene->now_ms);
    ck_assert_uint_eq(scene->notified, 1);
    ck_assert_uint_eq(scene->fates[1].failures, 1);
}

TEST(a_connection_that_is_never_established_is_given_up)
{
    int guests[3];

    /* A full queue takes no more connections and answers nothing. */
    ck_assert_int_eq(listen(scene->peer.listener, 0), 0);
    scene->peer.is_stalled = true;
    for (size_t i = 0; i < 3; i++) {
        guests[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(guests[i], &scene->peer.address.any, sizeof scene->peer.address.v4);
    }
    struct pollfd is_full = {.fd = scene->peer.listener, .events = POLLIN};
    ck_assert_int_eq(poll(&is_full, 1, 1000), 1);
    ask(0);
    turn();
    ck_assert_int_eq(scene->stream.state, STREAM_CONNECTING);
    pass(1500);
    ck_assert_uint_eq(scene->notified, 0);
    ask(1);
    pass(500);
    turn();
    /* The young question gets a new connection. */
    ck_assert_uint_eq(scene->notified, 1);
    ck_assert_int_eq(scene->fates[0].failure, LINK_UNREACHABLE);
    ck_assert_int_eq(scene->stream.state, STREAM_CONNECTING);
    pass(2000);
    ck_assert_uint_eq(scene->notified, 2);
    ck_assert_int_eq(scene->fates[1].failure, LINK_UNREACHABLE);
    ck_assert_int_eq(scene->stream.state, STREAM_CLOSED);
    for (size_t i = 0; i < 3; i++)
        close(guests[i]);
}

TEST(a_connection_closed_before_it_worked_fails_its_questions)
{
    ask(0);
    turn_until_asked(1, 1);
    ask(1);
    stream_peer_hang_up(stream_peer_last(&scene->peer));
    turn_until_notified(2);
    ck_assert_int_eq(scene->fates[0].failure, LINK_UNREACHABLE);
    ck_assert_int_eq(scene->fates[1].failure, LINK_UNREACHABLE);
    ck_assert_uint_eq(scene->peer.count, 1);
}

TEST(a_connection_closed_while_idle_costs_nothing)
{
    warm_up();
    stream_peer_hang_up(stream_peer_last(&scene->peer));
    turn_until_closed();
    ck_assert_uint_eq(scene->notified, 0);
    ask(0);
    turn_until_asked(2, 1);
    stream_peer_answer(stream_peer_last(&scene->peer), 0);
    turn_until_notified(1);
    ck_assert_uint_eq(scene->fates[0].responses, 1);
}

TEST(questions_that_meet_a_closing_connection_are_asked_once_more)
{
    warm_up();
    ask(0);
    turn_until_asked(1, 2);
    ask(1);
    stream_peer_hang_up(stream_peer_last(&scene->peer));
    turn_until_asked(2, 2);
    ck_assert_uint_eq(scene->notified, 0);
    ck_assert_uint_eq(asked(stream_peer_last(&scene->peer), 0), 0);
    ck_assert_uint_eq(asked(stream_peer_last(&scene->peer), 1), 1);
    stream_peer_answer(stream_peer_last(&scene->peer), 1);
    turn_until_notified(1);
    /* The new connection has worked, but the question has had its second chance. */
    stream_peer_hang_up(stream_peer_last(&scene->peer));
    turn_until_notified(2);
    ck_assert_uint_eq(scene->fates[1].responses, 1);
    ck_assert_uint_eq(scene->fates[0].failures, 1);
    ck_assert_int_eq(scene->fates[0].failure, LINK_UNREACHABLE);
    ck_assert_int_eq(scene->stream.state, STREAM_CLOSED);
}

TEST(a_question_is_not_asked_again_at_a_closed_port)
{
    warm_up();
    ask(0);
    turn_until_asked(1, 2);
    shutdown(scene->peer.listener, SHUT_RDWR);
    stream_peer_hang_up(stream_peer_last(&scene->peer));
    turn_until_notified(1);
    ck_assert_int_eq(scene->fates[0].failure, LINK_REFUSED);
}

TEST(responses_before_the_end_of_a_connection_are_passed_on)
{
    for (link_ticket ticket = 0; ticket < 3; ticket++)
        ask(ticket);
    turn_until_asked(1, 3);
    stream_peer_answer(stream_peer_last(&scene->peer), 0);
    stream_peer_answer(stream_peer_last(&scene->peer), 2);
    stream_peer_hang_up(stream_peer_last(&scene->peer));
    turn_until_asked(2, 1);
    ck_assert_uint_eq(scene->notified, 2);
    ck_assert_uint_eq(asked(stream_peer_last(&scene->peer), 0), 1);
}

TEST(a_reset_is_an_end_like_any_other)
{
    const struct linger at_once = {.l_onoff = 1};
    warm_up();
    ask(0);
    turn_until_asked(1, 2);
    setsockopt(stream_peer_last(&scene->peer)->descriptor, SOL_SOCKET, SO_LINGER, &at_once,
               sizeof at_once);
    stream_peer_hang_up(stream_peer_last(&scene->peer));
    turn_until_asked(2, 1);
    stream_peer_answer(stream_peer_last(&scene->peer), 0);
    turn_until_notified(1);
    ck_assert_uint_eq(scene->fates[0].responses, 1);
}

TEST(an_error_that_reading_does_not_show_is_an_end_too)
{
    warm_up();
    stream_on_events(&scene->stream, EPOLLERR, scene->now_ms);
    ck_assert_int_eq(scene->stream.state, STREAM_CLOSED);
}

TEST(writing_to_a_server_that_is_gone_raises_no_signal)
{
    warm_up();
    scene->peer.is_stalled = true;
    ask(0);
    turn();
    /* Its end, and then, for what it has not read, a reset: the next write is to a broken pipe. */
    shutdown(stream_peer_last(&scene->peer)->descriptor, SHUT_WR);
    stream_peer_hang_up(stream_peer_last(&scene->peer));
    ask(1);
    stream_turn(&scene->stream, scene->now_ms);
    scene->peer.is_stalled = false;
    turn_until_asked(2, 2);
    ck_assert_uint_eq(scene->notified, 0);
}

/* ---- time ---- */

TEST(a_connection_without_questions_is_closed_after_ten_seconds)
{
    warm_up();
    pass(9500);
    ck_assert_int_eq(scene->stream.state, STREAM_OPEN);
    pass(500);
    ck_assert_int_eq(scene->stream.state, STREAM_CLOSED);
    read_to_the_end();
}

TEST(a_connection_that_has_fallen_silent_is_replaced)
{
    warm_up();
    ask(0);
    turn_until_asked(1, 2);
    pass(9500);
    stream_forget(&scene->stream, scene->fates[0].stream_query); /* its deadline */
    ask(1);
    turn_until_asked(1, 3);
    pass(500);
    turn_until_asked(2, 1);
    ck_assert_uint_eq(asked(stream_peer_last(&scene->peer), 0), 1);
    ck_assert_uint_eq(scene->notified, 0);
}

TEST(a_response_shows_that_a_connection_is_alive)
{
    warm_up();
    ask(0);
    turn_until_asked(1, 2);
    pass(9500);
    ask(1);
    turn_until_asked(1, 3);
    stream_peer_answer(stream_peer_last(&scene->peer), 2);
    turn_until_notified(1);
    pass(9500);
    ck_assert_uint_eq(scene->peer.count, 1);
    stream_peer_answer(stream_peer_last(&scene->peer), 1);
    turn_until_notified(2);
}

TEST(a_connection_with_an_open_question_and_no_response_is_doubtful)
{
    warm_up();
    pass(5000);
    ck_assert(!stream_is_doubtful(&scene->stream, scene->now_ms));
    ask(0);
    turn_until_asked(1, 2);
    ck_assert(!stream_is_doubtful(&scene->stream, scene->now_ms + STREAM_DOUBT_MS - 1));
    ck_assert(stream_is_doubtful(&scene->stream, scene->now_ms + STREAM_DOUBT_MS));
    stream_peer_answer(stream_peer_last(&scene->peer), 1);
    turn_until_notified(1);
    ck_assert(!stream_is_doubtful(&scene->stream, scene->now_ms));
}

TEST(a_question_keeps_its_connection_open)
{
    static const uint8_t other[] = {0, 0}; /* a message of no octets */
    ask(0);
    turn_until_asked(1, 1);
    for (unsigned seconds = 0; seconds < 12; seconds++) {
        stream_peer_send(stream_peer_last(&scene->peer), other, sizeof other);
        stream_peer_wait(&scene->peer, scene->home.epoll);
        turn();
        pass(1000);
    }
    stream_peer_answer(stream_peer_last(&scene->peer), 0);
    turn_until_notified(1);
    ck_assert_uint_eq(scene->fates[0].responses, 1);
}

TEST(no_descriptor_is_left_behind)
{
    unsigned before = descriptors_open();

    for (link_ticket ticket = 0; ticket < 60; ticket++) {
        ask(ticket);
        turn_until_asked(ticket + 1U, 1);
        if (ticket % 2 == 0)
            stream_peer_answer(stream_peer_last(&scene->peer), 0);
        else
            stream_peer_hang_up(stream_peer_last(&scene->peer));
        turn_until_notified(ticket + 1U);
        if (ticket % 2 == 0)
            pass(10000);
        stream_peer_hang_up(stream_peer_last(&scene->peer));
        turn_until_closed();
    }
    ck_assert_uint_eq(descriptors_open(), before);
}

/* ---- TLS ---- */

static struct {
    struct authority authority;
    struct identity identity;
    int log;   /* receives standard error */
    int error; /* the real one */
} tls;

static const struct identity_options good = {.names = "DNS:dns.example"};

static void divert_log(void)
{
    tls.log = memfd_create("log", MFD_CLOEXEC);
    tls.error = dup(STDERR_FILENO);
    dup2(tls.log, STDERR_FILENO);
}

/* What was logged up to now, once. */
static const char *read_log(void)
{
    static char text[4096];
    ssize_t length = pread(tls.log, text, sizeof text - 1, 0);

    text[length] = '\0';
    ck_assert_int_eq(ftruncate(tls.log, 0), 0);
    lseek(tls.log, 0, SEEK_SET);
    return text;
}

static void begin_tls(void)
{
    scene = calloc(1, sizeof *scene);
    authority_init(&tls.authority);
    tls.identity = identity_make(&tls.authority, &good);
    stream_peer_init(&scene->peer, tls_server_context(&tls.identity, TLS1_3_VERSION));
    scene->upstream = (struct upstream){
        .is_tls = true, .tls_name = "dns.example", .text = "tls://127.0.0.1#dns.example"};
    begin_stream();
    divert_log();
}

static void end_tls(void)
{
    dup2(tls.error, STDERR_FILENO);
    close(tls.error), close(tls.log);
    SSL_CTX *context = scene->peer.context;
    end();
    SSL_CTX_free(context);
    identity_free(&tls.identity);
    authority_close(&tls.authority);
}

FIXTURE(begin_tls, end_tls)

/* Makes the server show this identity to those who connect from here on. */
static void present(const struct identity *identity)
{
    SSL_CTX_use_certificate(scene->peer.context, identity->certificate);
    SSL_CTX_use_PrivateKey(scene->peer.context, identity->key);
}

TEST(questions_over_tls_are_answered_in_any_order)
{
    for (link_ticket ticket = 0; ticket < 100; ticket++)
        ask(ticket);
    turn_until_asked(1, 100);
    for (size_t number = 100; number-- > 0;)
        stream_peer_answer(stream_peer_last(&scene->peer), number);
    turn_until_notified(100);
    for (link_ticket ticket = 0; ticket < 100; ticket++) {
        ck_assert_uint_eq(scene->fates[ticket].responses, 1);
        ck_assert_uint_eq(scene->fates[ticket].id, 0x1234);
    }
    ck_assert_str_eq(tls_server_protocol(&stream_peer_last(&scene->peer)->tls), "dot");
    ck_assert_str_eq(read_log(), "");
}

TEST(the_longest_response_over_tls_is_accepted)
{
    check_longest_response();
}

TEST(many_questions_over_tls_wait_for_a_slow_reader)
{
    const int little = 4096;

    setsockopt(scene->peer.listener, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
    warm_up();
    scene->peer.is_stalled = true;
    for (link_ticket ticket = 0; ticket < STREAM_QUERIES_MOST; ticket++) {
        ask(ticket);
        turn();
    }
    scene->peer.is_stalled = false;
    turn_until_asked(1, 1 + STREAM_QUERIES_MOST);
    for (link_ticket ticket = 0; ticket < STREAM_QUERIES_MOST; ticket++)
        ck_assert_uint_eq(asked(stream_peer_last(&scene->peer), ticket + 1), ticket);
}

TEST(the_next_tls_connection_resumes_the_session)
{
    warm_up();
    ck_assert_int_eq(SSL_session_reused(stream_peer_last(&scene->peer)->tls.ssl), 0);
    pass(10000);
    ck_assert_int_eq(scene->stream.state, STREAM_CLOSED);
    read_to_the_end();
    /* It has sent close_notify. */
    ck_assert_int_eq(SSL_get_shutdown(stream_peer_last(&scene->peer)->tls.ssl),
                     SSL_RECEIVED_SHUTDOWN);
    ask(0);
    turn_until_asked(2, 1);
    ck_assert_int_eq(SSL_session_reused(stream_peer_last(&scene->peer)->tls.ssl), 1);
}

TEST(questions_that_meet_a_close_notify_are_asked_once_more)
{
    uint8_t octets[100];

    warm_up();
    ask(0);
    turn_until_asked(1, 2);
    struct stream_peer_end *first = stream_peer_last(&scene->peer);
    SSL_shutdown(first->tls.ssl);
    stream_peer_send_raw(first, octets, tls_server_take(&first->tls, octets, sizeof octets));
    turn_until_asked(2, 1);
    stream_peer_answer(stream_peer_last(&scene->peer), 0);
    turn_until_notified(1);
    ck_assert_uint_eq(scene->fates[0].responses, 1);
    ck_assert_str_eq(read_log(), "");
}

static const struct {
    struct identity_options options;
    const char *text;
} strangers[] = {
    {{.names = "DNS:ns.example"}, "text=\"hostname mismatch; the name after # "},
    {{.names = "DNS:dns.example", .begins_seconds = -7200, .ends_seconds = -60},
     "text=\"certificate has expired; "},
    {{.names = "DNS:dns.example", .is_self_signed = true}, "text=\"self-signed certificate; "},
};

TEST_OVER(a_server_that_is_not_authenticated_is_logged_and_asked_nothing, strangers)
{
    struct identity stranger = identity_make(&tls.authority, &strangers[_i].options);

    present(&stranger);
    ask(0);
    ask(1);
    turn_until_notified(2);
    for (link_ticket ticket = 0; ticket < 2; ticket++) {
        ck_assert_uint_eq(scene->fates[ticket].failures, 1);
        ck_assert_int_eq(scene->fates[ticket].failure, LINK_TLS);
    }
    const char *log = read_log();
    ck_assert_ptr_nonnull(
        strstr(log, " warning upstream_tls upstream=tls://127.0.0.1#dns.example text="));
    ck_assert_ptr_nonnull(strstr(log, strangers[_i].text));
    ck_assert_ptr_eq(strchr(log, '\n'), log + strlen(log) - 1);
    read_to_the_end();
    ck_assert_uint_eq(stream_peer_last(&scene->peer)->length, 0);
    /* The server got an alert. */
    ck_assert_int_eq(SSL_get_shutdown(stream_peer_last(&scene->peer)->tls.ssl),
                     SSL_RECEIVED_SHUTDOWN);
    identity_free(&stranger);
}

/* Fails, or succeeds, once; returns what is logged. */
static const char *try_tls(bool goes_well, const struct identity *identity)
{
    unsigned notified = scene->notified;

    present(identity);
    ask(0);
    if (goes_well) {
        turn_until_asked(scene->peer.count + 1, 1);
        stream_peer_answer(stream_peer_last(&scene->peer), 0);
    }
    turn_until_notified(notified + 1);
    if (goes_well)
        pass(10000);
    turn_until_closed();
    return read_log();
}

TEST(a_tls_failure_is_logged_once_until_tls_works_again)
{
    const struct identity_options wrong = {.names = "DNS:ns.example"};
    SSL_CTX_set_num_tickets(scene->peer.context, 0); /* each shows its certificate */
    struct identity other = identity_make(&tls.authority, &wrong);
    ck_assert_ptr_nonnull(strstr(try_tls(false, &other), "upstream_tls"));
    pass(60000);
    for (unsigned turns = 0; turns < 3; turns++)
        ck_assert_str_eq(try_tls(false, &other), "");
    scene->now_ms += 60000;
    ck_assert_str_eq(try_tls(true, &tls.identity), "");
    ck_assert_ptr_nonnull(strstr(try_tls(false, &other), "upstream_tls"));
    ck_assert_str_eq(try_tls(true, &tls.identity), ""); /* takes ten seconds */
    ck_assert_str_eq(try_tls(false, &other), "");       /* too soon to log it again */
    scene->now_ms += 20000;
    ck_assert_ptr_nonnull(strstr(try_tls(false, &other), "upstream_tls"));
    identity_free(&other);
}

TEST(a_server_that_does_not_speak_tls_is_logged)
{
    SSL_CTX *context = scene->peer.context;
    scene->peer.context = NULL;
    ask(0);
    while (scene->peer.count == 0)
        turn();
    stream_peer_send(stream_peer_last(&scene->peer), "\0\14plain answer", 14);
    turn_until_notified(1);
    ck_assert_int_eq(scene->fates[0].failure, LINK_TLS);
    ck_assert_ptr_nonnull(strstr(read_log(), "text=\"its reply is not TLS; check the port"));
    scene->peer.context = context;
}

static const size_t cuts[] = {0, 1, 5, 50, 120, 130, 200, 500};

TEST_LOOP(a_handshake_that_is_cut_fails_every_question, 0, 2 * (int)(sizeof cuts / sizeof *cuts))
{
    uint8_t flight[16384], hello[16384];

    SSL_CTX *context = scene->peer.context;
    scene->peer.context = NULL; /* the test is the server */
    ask(0);
    while (scene->peer.count == 0 || stream_peer_last(&scene->peer)->length == 0)
        turn();
    struct stream_peer_end *peer = stream_peer_last(&scene->peer);
    struct tls_server server;
    tls_server_begin(&server, context);
    memcpy(hello, peer->received, peer->length);
    tls_server_put(&server, hello, peer->length);
    size_t length = tls_server_take(&server, flight, sizeof flight);
    ck_assert_uint_gt(length, 520);
    stream_peer_send_raw(peer, flight, cuts[_i / 2]);
    if (_i % 2 == 0) {
        stream_peer_hang_up(peer);
        turn_until_notified(1);
        ck_assert_ptr_nonnull(strstr(read_log(), "text=\"it ended the connection; "));
    } else {
        turn();
        pass(2000);
        ck_assert_ptr_nonnull(strstr(read_log(), "text=\"no reply; "));
    }
    ck_assert_int_eq(scene->fates[0].failure, LINK_TLS);
    ck_assert_int_eq(scene->stream.state, STREAM_CLOSED);
    tls_server_end(&server);
    scene->peer.context = context;
}

TEST(records_that_were_tampered_with_end_the_connection)
{
    static const uint8_t rubbish[40] = "\x17\x03\x03\x00\x23 tampered with";
    warm_up();
    ask(0);
    turn_until_asked(1, 2);
    stream_peer_send_raw(stream_peer_last(&scene->peer), rubbish, sizeof rubbish);
    turn_until_asked(2, 1);
    /* A session of that connection is not trusted any more. */
    ck_assert_int_eq(SSL_session_reused(stream_peer_last(&scene->peer)->tls.ssl), 0);
    stream_peer_answer(stream_peer_last(&scene->peer), 0);
    turn_until_notified(1);
    ck_assert_uint_eq(scene->fates[0].responses, 1);
}
