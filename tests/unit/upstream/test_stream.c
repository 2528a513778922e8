#include "upstream/stream.h"

#include <dirent.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
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

static void ask(struct scene *scene, link_ticket ticket);

static void on_response(void *context, link_ticket ticket, const uint8_t *octets, size_t length)
{
    struct scene *scene = context;
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

static void on_failure(void *context, link_ticket ticket, enum link_failure failure)
{
    struct scene *scene = context;
    struct fate *fate = &scene->fates[ticket];

    ck_assert(!scene->is_sending);
    ck_assert_ptr_nonnull(fate->stream_query);
    fate->stream_query = NULL;
    fate->failures++;
    fate->failure = failure;
    scene->notified++;
    if (scene->asks_again)
        ask(scene, ticket + 1);
}

static void begin_stream(struct scene *scene)
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
        scene->trust = tls_trust_new(&err);
    ck_assert(stream_init(&scene->stream, &scene->home, &scene->upstream, scene->trust, 77));
}

static struct scene *begin(void)
{
    struct scene *scene = calloc(1, sizeof *scene);

    stream_peer_init(&scene->peer, NULL);
    scene->upstream.text = "127.0.0.1";
    begin_stream(scene);
    return scene;
}

static void end(struct scene *scene)
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
static struct stream_query *try_to_ask(struct scene *scene, link_ticket ticket)
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

static void ask(struct scene *scene, link_ticket ticket)
{
    ck_assert_ptr_nonnull(try_to_ask(scene, ticket));
}

static void turn(struct scene *scene)
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
static void turn_until_notified(struct scene *scene, unsigned notified)
{
    turn(scene);
    for (unsigned turns = 0; scene->notified < notified; turns++) {
        if (turns == TURNS_MOST)
            ck_abort_msg("it takes too long");
        stream_peer_wait(&scene->peer, scene->home.epoll);
        turn(scene);
    }
}

static void turn_until_asked(struct scene *scene, size_t connections, size_t count)
{
    turn(scene);
    for (unsigned turns = 0; scene->peer.count < connections ||
                             stream_peer_count(&scene->peer.ends[connections - 1]) < count;
         turns++) {
        if (turns == TURNS_MOST)
            ck_abort_msg("it takes too long");
        stream_peer_wait(&scene->peer, scene->home.epoll);
        turn(scene);
    }
}

static void turn_until_closed(struct scene *scene)
{
    turn(scene);
    for (unsigned turns = 0; scene->stream.state != STREAM_CLOSED; turns++) {
        if (turns == TURNS_MOST)
            ck_abort_msg("it takes too long");
        stream_peer_wait(&scene->peer, scene->home.epoll);
        turn(scene);
    }
}

/* Makes the server read what the client sent before it closed the connection. */
static void read_to_the_end(struct scene *scene)
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
static void pass(struct scene *scene, uint64_t ms)
{
    for (uint64_t left = ms; left > 0; left -= STREAM_TICK_MS) {
        scene->now_ms += STREAM_TICK_MS;
        stream_tick(&scene->stream, scene->now_ms);
    }
}

static uint64_t count_of(const struct scene *scene, enum counter counter)
{
    return atomic_load(&scene->stats.counters[counter]);
}

static unsigned open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    unsigned count = 0;

    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

/* One question asked and answered, so that the connection has worked. */
static void warm_up(struct scene *scene)
{
    ask(scene, TICKETS - 1);
    turn_until_asked(scene, 1, 1);
    stream_peer_answer(stream_peer_last(&scene->peer), 0);
    turn_until_notified(scene, 1);
    ck_assert_uint_eq(scene->fates[TICKETS - 1].responses, 1);
    scene->notified = 0;
}

/* ---- questions and responses ---- */

TEST(responses_come_in_any_order)
{
    struct scene *scene = begin();

    for (link_ticket ticket = 0; ticket < 5; ticket++)
        ask(scene, ticket);
    turn_until_asked(scene, 1, 5);
    for (size_t number = 5; number-- > 0;)
        stream_peer_answer(stream_peer_last(&scene->peer), number);
    turn_until_notified(scene, 5);
    for (link_ticket ticket = 0; ticket < 5; ticket++) {
        ck_assert_uint_eq(scene->fates[ticket].responses, 1);
        ck_assert_uint_eq(scene->fates[ticket].id, 0x1234);
        ck_assert_uint_eq(scene->fates[ticket].length, 40);
    }
    ck_assert_uint_eq(load32(scene->last + 36), 0); /* the first asked was the last answered */
    ck_assert_uint_eq(count_of(scene, COUNTER_FORWARD_CONNECTIONS), 1);
    end(scene);
}

TEST(questions_on_one_connection_differ_in_their_ids)
{
    struct scene *scene = begin();
    size_t length;

    for (link_ticket ticket = 0; ticket < 50; ticket++)
        ask(scene, ticket);
    turn_until_asked(scene, 1, 50);
    for (size_t i = 0; i < 50; i++)
        for (size_t j = 0; j < i; j++)
            ck_assert_uint_ne(
                load16(stream_peer_question(stream_peer_last(&scene->peer), i, &length)),
                load16(stream_peer_question(stream_peer_last(&scene->peer), j, &length)));
    end(scene);
}

TEST(a_later_question_goes_over_the_same_connection)
{
    struct scene *scene = begin();

    for (link_ticket ticket = 0; ticket < 20; ticket++) {
        ask(scene, ticket);
        turn_until_asked(scene, 1, ticket + 1);
        stream_peer_answer(stream_peer_last(&scene->peer), ticket);
        turn_until_notified(scene, ticket + 1);
        pass(scene, 9500);
    }
    ck_assert_uint_eq(scene->peer.count, 1);
    ck_assert_uint_eq(count_of(scene, COUNTER_FORWARD_CONNECTIONS), 1);
    end(scene);
}

TEST(a_response_that_comes_octet_by_octet_is_whole)
{
    struct scene *scene = begin();
    uint8_t frame[42] = {0, 40};
    size_t length;

    ask(scene, 0);
    turn_until_asked(scene, 1, 1);
    memcpy(frame + 2, stream_peer_question(stream_peer_last(&scene->peer), 0, &length), 40);
    for (size_t i = 0; i < sizeof frame; i++) {
        ck_assert_uint_eq(scene->notified, 0);
        stream_peer_send(stream_peer_last(&scene->peer), frame + i, 1);
        stream_peer_wait(&scene->peer, scene->home.epoll);
        turn(scene);
    }
    turn_until_notified(scene, 1);
    ck_assert_uint_eq(scene->fates[0].length, 40);
    end(scene);
}

TEST(the_longest_response_is_accepted)
{
    static uint8_t frame[65537] = {0xff, 0xff};
    struct scene *scene = begin();
    size_t length;

    ask(scene, 0);
    turn_until_asked(scene, 1, 1);
    memcpy(frame + 2, stream_peer_question(stream_peer_last(&scene->peer), 0, &length), 2);
    memset(frame + 4, 0x5a, sizeof frame - 4);
    stream_peer_send(stream_peer_last(&scene->peer), frame, sizeof frame);
    turn_until_notified(scene, 1);
    ck_assert_uint_eq(scene->fates[0].length, 65535);
    ck_assert_mem_eq(scene->last + 2, frame + 4, 65533);
    end(scene);
}

TEST(a_response_without_a_query_is_counted_and_ignored)
{
    static const uint8_t short_ones[] = {0, 0, 0, 1, 0x12};
    struct scene *scene = begin();
    uint8_t foreign[14] = {0, 12};
    size_t length;

    ask(scene, 0);
    ask(scene, 1);
    turn_until_asked(scene, 1, 2);
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
    turn_until_notified(scene, 2);
    ck_assert_uint_eq(scene->notified, 2);
    ck_assert_uint_eq(count_of(scene, COUNTER_FORWARD_FOREIGN), 4);
    end(scene);
}

TEST(a_message_too_short_for_an_id_has_none)
{
    struct scene *scene = begin();
    uint8_t octets[4] = {0, 1};
    size_t length;

    ask(scene, 0);
    turn_until_asked(scene, 1, 1);
    /* The octets after it would complete the id. */
    memcpy(octets + 2, stream_peer_question(stream_peer_last(&scene->peer), 0, &length), 2);
    stream_peer_send(stream_peer_last(&scene->peer), octets, sizeof octets);
    while (count_of(scene, COUNTER_FORWARD_FOREIGN) == 0) {
        ck_assert_uint_eq(scene->notified, 0);
        stream_peer_wait(&scene->peer, scene->home.epoll);
        turn(scene);
    }
    ck_assert_uint_eq(scene->notified, 0);
    end(scene);
}

TEST(an_idle_connection_causes_no_events)
{
    struct scene *scene = begin();
    struct epoll_event event;

    warm_up(scene);
    ck_assert_int_eq(epoll_wait(scene->home.epoll, &event, 1, 0), 0);
    end(scene);
}

TEST(a_forgotten_question_is_not_written_and_its_response_is_ignored)
{
    struct scene *scene = begin();

    for (link_ticket ticket = 0; ticket < 3; ticket++)
        ask(scene, ticket);
    stream_forget(&scene->stream, scene->fates[1].stream_query);
    turn_until_asked(scene, 1, 2);
    ck_assert_uint_eq(asked(stream_peer_last(&scene->peer), 0), 0);
    ck_assert_uint_eq(asked(stream_peer_last(&scene->peer), 1), 2);
    stream_forget(&scene->stream, scene->fates[0].stream_query);
    stream_peer_answer(stream_peer_last(&scene->peer), 0);
    stream_peer_answer(stream_peer_last(&scene->peer), 1);
    turn_until_notified(scene, 1);
    ck_assert_uint_eq(scene->fates[2].responses, 1);
    ck_assert_uint_eq(scene->notified, 1);
    ck_assert_uint_eq(count_of(scene, COUNTER_FORWARD_FOREIGN), 1);
    end(scene);
}

TEST(a_server_that_reads_nothing_is_asked_within_a_limit)
{
    struct scene *scene = begin();
    link_ticket asked_count = 0;
    const int little = 4096;

    setsockopt(scene->peer.listener, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
    warm_up(scene);
    scene->peer.is_stalled = true;
    while (try_to_ask(scene, asked_count) != NULL) {
        asked_count++;
        turn(scene);
    }
    ck_assert_uint_eq(asked_count, STREAM_QUERIES_MOST);
    ck_assert_uint_lt(stream_peer_count(stream_peer_last(&scene->peer)), asked_count);
    scene->peer.is_stalled = false;
    turn_until_asked(scene, 1, 1U + asked_count);
    for (link_ticket ticket = 0; ticket < asked_count; ticket++)
        ck_assert_uint_eq(asked(stream_peer_last(&scene->peer), ticket + 1), ticket);
    end(scene);
}

/* ---- what goes wrong ---- */

TEST(a_refused_connection_fails_every_question)
{
    struct scene *scene = begin();

    close(scene->peer.listener);
    scene->peer.listener = dup(0);
    scene->peer.is_stalled = true;
    ask(scene, 0);
    ask(scene, 1);
    turn_until_notified(scene, 2);
    for (link_ticket ticket = 0; ticket < 2; ticket++) {
        ck_assert_uint_eq(scene->fates[ticket].failures, 1);
        ck_assert_int_eq(scene->fates[ticket].failure, LINK_REFUSED);
    }
    ck_assert_int_eq(scene->stream.state, STREAM_CLOSED);
    end(scene);
}

TEST(an_unreachable_network_is_notified_in_the_next_turn)
{
    struct scene *scene = begin();

    scene->upstream.endpoint.v4.sin_addr.s_addr = 0xffffffff; /* no TCP to a broadcast address */
    scene->asks_again = true;
    ask(scene, 0);
    ck_assert_uint_eq(scene->notified, 0);
    stream_turn(&scene->stream, scene->now_ms);
    ck_assert_uint_eq(scene->fates[0].failures, 1);
    ck_assert_int_eq(scene->fates[0].failure, LINK_UNREACHABLE);
    /* A question that was asked meanwhile waits for the next turn. */
    ck_assert_uint_eq(scene->notified, 1);
    ck_assert(scene->stream.is_due);
    stream_turn(&scene->stream, scene->now_ms);
    ck_assert_uint_eq(scene->notified, 2);
    end(scene);
}

TEST(a_failed_question_may_be_forgotten_before_it_is_notified)
{
    struct scene *scene = begin();

    scene->upstream.endpoint.v4.sin_addr.s_addr = 0xffffffff;
    ask(scene, 0);
    ask(scene, 1);
    stream_forget(&scene->stream, scene->fates[0].stream_query);
    stream_turn(&scene->stream, scene->now_ms);
    ck_assert_uint_eq(scene->notified, 1);
    ck_assert_uint_eq(scene->fates[1].failures, 1);
    end(scene);
}

TEST(a_connection_that_is_never_established_is_given_up)
{
    struct scene *scene = begin();
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
    ask(scene, 0);
    turn(scene);
    ck_assert_int_eq(scene->stream.state, STREAM_CONNECTING);
    pass(scene, 1500);
    ck_assert_uint_eq(scene->notified, 0);
    ask(scene, 1);
    pass(scene, 500);
    turn(scene);
    /* The young question gets a new connection. */
    ck_assert_uint_eq(scene->notified, 1);
    ck_assert_int_eq(scene->fates[0].failure, LINK_UNREACHABLE);
    ck_assert_int_eq(scene->stream.state, STREAM_CONNECTING);
    pass(scene, 2000);
    ck_assert_uint_eq(scene->notified, 2);
    ck_assert_int_eq(scene->fates[1].failure, LINK_UNREACHABLE);
    ck_assert_int_eq(scene->stream.state, STREAM_CLOSED);
    for (size_t i = 0; i < 3; i++)
        close(guests[i]);
    end(scene);
}

TEST(a_connection_closed_before_it_worked_fails_its_questions)
{
    struct scene *scene = begin();

    ask(scene, 0);
    turn_until_asked(scene, 1, 1);
    ask(scene, 1);
    stream_peer_hang_up(stream_peer_last(&scene->peer));
    turn_until_notified(scene, 2);
    ck_assert_int_eq(scene->fates[0].failure, LINK_UNREACHABLE);
    ck_assert_int_eq(scene->fates[1].failure, LINK_UNREACHABLE);
    ck_assert_uint_eq(scene->peer.count, 1);
    end(scene);
}

TEST(a_connection_closed_while_idle_costs_nothing)
{
    struct scene *scene = begin();

    warm_up(scene);
    stream_peer_hang_up(stream_peer_last(&scene->peer));
    turn_until_closed(scene);
    ck_assert_uint_eq(scene->notified, 0);
    ask(scene, 0);
    turn_until_asked(scene, 2, 1);
    stream_peer_answer(stream_peer_last(&scene->peer), 0);
    turn_until_notified(scene, 1);
    ck_assert_uint_eq(scene->fates[0].responses, 1);
    end(scene);
}

TEST(questions_that_meet_a_closing_connection_are_asked_once_more)
{
    struct scene *scene = begin();

    warm_up(scene);
    ask(scene, 0);
    turn_until_asked(scene, 1, 2);
    ask(scene, 1);
    stream_peer_hang_up(stream_peer_last(&scene->peer));
    turn_until_asked(scene, 2, 2);
    ck_assert_uint_eq(scene->notified, 0);
    ck_assert_uint_eq(asked(stream_peer_last(&scene->peer), 0), 0);
    ck_assert_uint_eq(asked(stream_peer_last(&scene->peer), 1), 1);
    stream_peer_answer(stream_peer_last(&scene->peer), 1);
    turn_until_notified(scene, 1);
    /* The new connection has worked, but the question has had its second chance. */
    stream_peer_hang_up(stream_peer_last(&scene->peer));
    turn_until_notified(scene, 2);
    ck_assert_uint_eq(scene->fates[1].responses, 1);
    ck_assert_uint_eq(scene->fates[0].failures, 1);
    ck_assert_int_eq(scene->fates[0].failure, LINK_UNREACHABLE);
    ck_assert_int_eq(scene->stream.state, STREAM_CLOSED);
    end(scene);
}

TEST(a_question_is_not_asked_again_at_a_closed_port)
{
    struct scene *scene = begin();

    warm_up(scene);
    ask(scene, 0);
    turn_until_asked(scene, 1, 2);
    shutdown(scene->peer.listener, SHUT_RDWR);
    stream_peer_hang_up(stream_peer_last(&scene->peer));
    turn_until_notified(scene, 1);
    ck_assert_int_eq(scene->fates[0].failure, LINK_REFUSED);
    end(scene);
}

TEST(responses_before_the_end_of_a_connection_are_passed_on)
{
    struct scene *scene = begin();

    for (link_ticket ticket = 0; ticket < 3; ticket++)
        ask(scene, ticket);
    turn_until_asked(scene, 1, 3);
    stream_peer_answer(stream_peer_last(&scene->peer), 0);
    stream_peer_answer(stream_peer_last(&scene->peer), 2);
    stream_peer_hang_up(stream_peer_last(&scene->peer));
    turn_until_asked(scene, 2, 1);
    ck_assert_uint_eq(scene->notified, 2);
    ck_assert_uint_eq(asked(stream_peer_last(&scene->peer), 0), 1);
    end(scene);
}

TEST(a_reset_is_an_end_like_any_other)
{
    const struct linger at_once = {.l_onoff = 1};
    struct scene *scene = begin();

    warm_up(scene);
    ask(scene, 0);
    turn_until_asked(scene, 1, 2);
    setsockopt(stream_peer_last(&scene->peer)->descriptor, SOL_SOCKET, SO_LINGER, &at_once,
               sizeof at_once);
    stream_peer_hang_up(stream_peer_last(&scene->peer));
    turn_until_asked(scene, 2, 1);
    stream_peer_answer(stream_peer_last(&scene->peer), 0);
    turn_until_notified(scene, 1);
    ck_assert_uint_eq(scene->fates[0].responses, 1);
    end(scene);
}

TEST(an_error_that_reading_does_not_show_is_an_end_too)
{
    struct scene *scene = begin();

    warm_up(scene);
    stream_on_events(&scene->stream, EPOLLERR, scene->now_ms);
    ck_assert_int_eq(scene->stream.state, STREAM_CLOSED);
    end(scene);
}

TEST(writing_to_a_server_that_is_gone_raises_no_signal)
{
    struct scene *scene = begin();

    warm_up(scene);
    scene->peer.is_stalled = true;
    ask(scene, 0);
    turn(scene);
    /* Its end, and then, for what it has not read, a reset: the next write is to a broken pipe. */
    shutdown(stream_peer_last(&scene->peer)->descriptor, SHUT_WR);
    stream_peer_hang_up(stream_peer_last(&scene->peer));
    ask(scene, 1);
    stream_turn(&scene->stream, scene->now_ms);
    scene->peer.is_stalled = false;
    turn_until_asked(scene, 2, 2);
    ck_assert_uint_eq(scene->notified, 0);
    end(scene);
}

/* ---- time ---- */

TEST(a_connection_without_questions_is_closed_after_ten_seconds)
{
    struct scene *scene = begin();

    warm_up(scene);
    pass(scene, 9500);
    ck_assert_int_eq(scene->stream.state, STREAM_OPEN);
    pass(scene, 500);
    ck_assert_int_eq(scene->stream.state, STREAM_CLOSED);
    read_to_the_end(scene);
    end(scene);
}

TEST(a_connection_that_has_fallen_silent_is_replaced)
{
    struct scene *scene = begin();

    warm_up(scene);
    ask(scene, 0);
    turn_until_asked(scene, 1, 2);
    pass(scene, 9500);
    stream_forget(&scene->stream, scene->fates[0].stream_query); /* its deadline */
    ask(scene, 1);
    turn_until_asked(scene, 1, 3);
    pass(scene, 500);
    turn_until_asked(scene, 2, 1);
    ck_assert_uint_eq(asked(stream_peer_last(&scene->peer), 0), 1);
    ck_assert_uint_eq(scene->notified, 0);
    end(scene);
}

TEST(a_response_shows_that_a_connection_is_alive)
{
    struct scene *scene = begin();

    warm_up(scene);
    ask(scene, 0);
    turn_until_asked(scene, 1, 2);
    pass(scene, 9500);
    ask(scene, 1);
    turn_until_asked(scene, 1, 3);
    stream_peer_answer(stream_peer_last(&scene->peer), 2);
    turn_until_notified(scene, 1);
    pass(scene, 9500);
    ck_assert_uint_eq(scene->peer.count, 1);
    stream_peer_answer(stream_peer_last(&scene->peer), 1);
    turn_until_notified(scene, 2);
    end(scene);
}

TEST(a_connection_with_an_open_question_and_no_response_is_doubtful)
{
    struct scene *scene = begin();

    warm_up(scene);
    pass(scene, 5000);
    ck_assert(!stream_is_doubtful(&scene->stream, scene->now_ms));
    ask(scene, 0);
    turn_until_asked(scene, 1, 2);
    ck_assert(!stream_is_doubtful(&scene->stream, scene->now_ms + STREAM_DOUBT_MS - 1));
    ck_assert(stream_is_doubtful(&scene->stream, scene->now_ms + STREAM_DOUBT_MS));
    stream_peer_answer(stream_peer_last(&scene->peer), 1);
    turn_until_notified(scene, 1);
    ck_assert(!stream_is_doubtful(&scene->stream, scene->now_ms));
    end(scene);
}

TEST(a_question_keeps_its_connection_open)
{
    static const uint8_t other[] = {0, 0}; /* a message of no octets */
    struct scene *scene = begin();

    ask(scene, 0);
    turn_until_asked(scene, 1, 1);
    for (unsigned seconds = 0; seconds < 12; seconds++) {
        stream_peer_send(stream_peer_last(&scene->peer), other, sizeof other);
        stream_peer_wait(&scene->peer, scene->home.epoll);
        turn(scene);
        pass(scene, 1000);
    }
    stream_peer_answer(stream_peer_last(&scene->peer), 0);
    turn_until_notified(scene, 1);
    ck_assert_uint_eq(scene->fates[0].responses, 1);
    end(scene);
}

TEST(no_descriptor_is_left_behind)
{
    struct scene *scene = begin();
    unsigned before = open_descriptors();

    for (link_ticket ticket = 0; ticket < 60; ticket++) {
        ask(scene, ticket);
        turn_until_asked(scene, ticket + 1U, 1);
        if (ticket % 2 == 0)
            stream_peer_answer(stream_peer_last(&scene->peer), 0);
        else
            stream_peer_hang_up(stream_peer_last(&scene->peer));
        turn_until_notified(scene, ticket + 1U);
        if (ticket % 2 == 0)
            pass(scene, 10000);
        stream_peer_hang_up(stream_peer_last(&scene->peer));
        turn_until_closed(scene);
    }
    ck_assert_uint_eq(open_descriptors(), before);
    end(scene);
}

/* ---- TLS ---- */

struct tls_scene {
    struct scene *scene;
    struct authority authority;
    struct identity identity;
    int log;   /* receives standard error */
    int error; /* the real one */
};

static const struct identity_options good = {.names = "DNS:dns.example"};

static void divert_log(struct tls_scene *tls)
{
    tls->log = memfd_create("log", MFD_CLOEXEC);
    tls->error = dup(STDERR_FILENO);
    dup2(tls->log, STDERR_FILENO);
}

/* What was logged up to now, once. */
static const char *read_log(struct tls_scene *tls)
{
    static char text[4096];
    ssize_t length = pread(tls->log, text, sizeof text - 1, 0);

    text[length] = '\0';
    ck_assert_int_eq(ftruncate(tls->log, 0), 0);
    lseek(tls->log, 0, SEEK_SET);
    return text;
}

static void begin_tls(struct tls_scene *tls, const struct identity_options *options)
{
    tls->scene = calloc(1, sizeof *tls->scene);
    authority_init(&tls->authority);
    tls->identity = identity_make(&tls->authority, options);
    stream_peer_init(&tls->scene->peer, tls_server_context(&tls->identity, TLS1_3_VERSION));
    tls->scene->upstream = (struct upstream){
        .is_tls = true, .tls_name = "dns.example", .text = "tls://127.0.0.1#dns.example"};
    begin_stream(tls->scene);
    divert_log(tls);
}

static void end_tls(struct tls_scene *tls)
{
    dup2(tls->error, STDERR_FILENO);
    close(tls->error), close(tls->log);
    SSL_CTX *context = tls->scene->peer.context;
    end(tls->scene);
    SSL_CTX_free(context);
    identity_free(&tls->identity);
    authority_close(&tls->authority);
}

TEST(questions_over_tls_are_answered_in_any_order)
{
    struct tls_scene tls;

    begin_tls(&tls, &good);
    for (link_ticket ticket = 0; ticket < 100; ticket++)
        ask(tls.scene, ticket);
    turn_until_asked(tls.scene, 1, 100);
    for (size_t number = 100; number-- > 0;)
        stream_peer_answer(stream_peer_last(&tls.scene->peer), number);
    turn_until_notified(tls.scene, 100);
    for (link_ticket ticket = 0; ticket < 100; ticket++) {
        ck_assert_uint_eq(tls.scene->fates[ticket].responses, 1);
        ck_assert_uint_eq(tls.scene->fates[ticket].id, 0x1234);
    }
    ck_assert_str_eq(tls_server_protocol(&stream_peer_last(&tls.scene->peer)->tls), "dot");
    ck_assert_str_eq(read_log(&tls), "");
    end_tls(&tls);
}

TEST(a_long_response_over_tls_is_accepted)
{
    static uint8_t frame[65537] = {0xff, 0xff};
    struct tls_scene tls;
    size_t length;

    begin_tls(&tls, &good);
    ask(tls.scene, 0);
    turn_until_asked(tls.scene, 1, 1);
    memcpy(frame + 2, stream_peer_question(stream_peer_last(&tls.scene->peer), 0, &length), 2);
    memset(frame + 4, 0x5a, sizeof frame - 4);
    stream_peer_send(stream_peer_last(&tls.scene->peer), frame, sizeof frame);
    turn_until_notified(tls.scene, 1);
    ck_assert_uint_eq(tls.scene->fates[0].length, 65535);
    ck_assert_mem_eq(tls.scene->last + 2, frame + 4, 65533);
    end_tls(&tls);
}

TEST(many_questions_over_tls_wait_for_a_slow_reader)
{
    struct tls_scene tls;
    const int little = 4096;

    begin_tls(&tls, &good);
    setsockopt(tls.scene->peer.listener, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
    warm_up(tls.scene);
    tls.scene->peer.is_stalled = true;
    for (link_ticket ticket = 0; ticket < STREAM_QUERIES_MOST; ticket++) {
        ask(tls.scene, ticket);
        turn(tls.scene);
    }
    tls.scene->peer.is_stalled = false;
    turn_until_asked(tls.scene, 1, 1 + STREAM_QUERIES_MOST);
    for (link_ticket ticket = 0; ticket < STREAM_QUERIES_MOST; ticket++)
        ck_assert_uint_eq(asked(stream_peer_last(&tls.scene->peer), ticket + 1), ticket);
    end_tls(&tls);
}

TEST(the_next_tls_connection_resumes_the_session)
{
    struct tls_scene tls;

    begin_tls(&tls, &good);
    warm_up(tls.scene);
    ck_assert_int_eq(SSL_session_reused(stream_peer_last(&tls.scene->peer)->tls.ssl), 0);
    pass(tls.scene, 10000);
    ck_assert_int_eq(tls.scene->stream.state, STREAM_CLOSED);
    read_to_the_end(tls.scene);
    /* It has sent close_notify. */
    ck_assert_int_eq(SSL_get_shutdown(stream_peer_last(&tls.scene->peer)->tls.ssl),
                     SSL_RECEIVED_SHUTDOWN);
    ask(tls.scene, 0);
    turn_until_asked(tls.scene, 2, 1);
    ck_assert_int_eq(SSL_session_reused(stream_peer_last(&tls.scene->peer)->tls.ssl), 1);
    end_tls(&tls);
}

TEST(questions_that_meet_a_close_notify_are_asked_once_more)
{
    struct tls_scene tls;
    uint8_t octets[100];

    begin_tls(&tls, &good);
    warm_up(tls.scene);
    ask(tls.scene, 0);
    turn_until_asked(tls.scene, 1, 2);
    struct stream_peer_end *first = stream_peer_last(&tls.scene->peer);
    SSL_shutdown(first->tls.ssl);
    stream_peer_send_raw(first, octets, tls_server_take(&first->tls, octets, sizeof octets));
    turn_until_asked(tls.scene, 2, 1);
    stream_peer_answer(stream_peer_last(&tls.scene->peer), 0);
    turn_until_notified(tls.scene, 1);
    ck_assert_uint_eq(tls.scene->fates[0].responses, 1);
    ck_assert_str_eq(read_log(&tls), "");
    end_tls(&tls);
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
    struct tls_scene tls;

    begin_tls(&tls, &strangers[_i].options);
    ask(tls.scene, 0);
    ask(tls.scene, 1);
    turn_until_notified(tls.scene, 2);
    for (link_ticket ticket = 0; ticket < 2; ticket++) {
        ck_assert_uint_eq(tls.scene->fates[ticket].failures, 1);
        ck_assert_int_eq(tls.scene->fates[ticket].failure, LINK_TLS);
    }
    const char *log = read_log(&tls);
    ck_assert_ptr_nonnull(
        strstr(log, " warning upstream_tls upstream=tls://127.0.0.1#dns.example text="));
    ck_assert_ptr_nonnull(strstr(log, strangers[_i].text));
    ck_assert_ptr_eq(strchr(log, '\n'), log + strlen(log) - 1);
    read_to_the_end(tls.scene);
    ck_assert_uint_eq(stream_peer_last(&tls.scene->peer)->length, 0);
    /* The server got an alert. */
    ck_assert_int_eq(SSL_get_shutdown(stream_peer_last(&tls.scene->peer)->tls.ssl),
                     SSL_RECEIVED_SHUTDOWN);
    end_tls(&tls);
}

/* Fails, or succeeds, once; returns what is logged. */
static const char *try_tls(struct tls_scene *tls, bool goes_well, const struct identity *identity)
{
    struct scene *scene = tls->scene;
    unsigned notified = scene->notified;

    SSL_CTX_use_certificate(scene->peer.context, identity->certificate);
    SSL_CTX_use_PrivateKey(scene->peer.context, identity->key);
    ask(scene, 0);
    if (goes_well) {
        turn_until_asked(scene, scene->peer.count + 1, 1);
        stream_peer_answer(stream_peer_last(&scene->peer), 0);
    }
    turn_until_notified(scene, notified + 1);
    if (goes_well)
        pass(scene, 10000);
    turn_until_closed(scene);
    return read_log(tls);
}

TEST(a_tls_failure_is_logged_once_until_tls_works_again)
{
    const struct identity_options wrong = {.names = "DNS:ns.example"};
    struct tls_scene tls;

    begin_tls(&tls, &good);
    SSL_CTX_set_num_tickets(tls.scene->peer.context, 0); /* each shows its certificate */
    struct identity other = identity_make(&tls.authority, &wrong);
    ck_assert_ptr_nonnull(strstr(try_tls(&tls, false, &other), "upstream_tls"));
    pass(tls.scene, 60000);
    for (unsigned turns = 0; turns < 3; turns++)
        ck_assert_str_eq(try_tls(&tls, false, &other), "");
    tls.scene->now_ms += 60000;
    ck_assert_str_eq(try_tls(&tls, true, &tls.identity), "");
    ck_assert_ptr_nonnull(strstr(try_tls(&tls, false, &other), "upstream_tls"));
    ck_assert_str_eq(try_tls(&tls, true, &tls.identity), ""); /* takes ten seconds */
    ck_assert_str_eq(try_tls(&tls, false, &other), "");       /* too soon to log it again */
    tls.scene->now_ms += 20000;
    ck_assert_ptr_nonnull(strstr(try_tls(&tls, false, &other), "upstream_tls"));
    identity_free(&other);
    end_tls(&tls);
}

TEST(a_server_that_does_not_speak_tls_is_logged)
{
    struct tls_scene tls;

    begin_tls(&tls, &good);
    SSL_CTX *context = tls.scene->peer.context;
    tls.scene->peer.context = NULL;
    ask(tls.scene, 0);
    while (tls.scene->peer.count == 0)
        turn(tls.scene);
    stream_peer_send(stream_peer_last(&tls.scene->peer), "\0\14plain answer", 14);
    turn_until_notified(tls.scene, 1);
    ck_assert_int_eq(tls.scene->fates[0].failure, LINK_TLS);
    ck_assert_ptr_nonnull(strstr(read_log(&tls), "text=\"its reply is not TLS; check the port"));
    tls.scene->peer.context = context;
    end_tls(&tls);
}

static const size_t cuts[] = {0, 1, 5, 50, 120, 130, 200, 500};

TEST_LOOP(a_handshake_that_is_cut_fails_every_question, 0, 2 * (int)(sizeof cuts / sizeof *cuts))
{
    struct tls_scene tls;
    uint8_t flight[16384], hello[16384];

    begin_tls(&tls, &good);
    SSL_CTX *context = tls.scene->peer.context;
    tls.scene->peer.context = NULL; /* the test is the server */
    ask(tls.scene, 0);
    while (tls.scene->peer.count == 0 || stream_peer_last(&tls.scene->peer)->length == 0)
        turn(tls.scene);
    struct stream_peer_end *peer = stream_peer_last(&tls.scene->peer);
    struct tls_server server;
    tls_server_begin(&server, context);
    memcpy(hello, peer->received, peer->length);
    tls_server_put(&server, hello, peer->length);
    size_t length = tls_server_take(&server, flight, sizeof flight);
    ck_assert_uint_gt(length, 520);
    stream_peer_send_raw(peer, flight, cuts[_i / 2]);
    if (_i % 2 == 0) {
        stream_peer_hang_up(peer);
        turn_until_notified(tls.scene, 1);
        ck_assert_ptr_nonnull(strstr(read_log(&tls), "text=\"it ended the connection; "));
    } else {
        turn(tls.scene);
        pass(tls.scene, 2000);
        ck_assert_ptr_nonnull(strstr(read_log(&tls), "text=\"no reply; "));
    }
    ck_assert_int_eq(tls.scene->fates[0].failure, LINK_TLS);
    ck_assert_int_eq(tls.scene->stream.state, STREAM_CLOSED);
    tls_server_end(&server);
    tls.scene->peer.context = context;
    end_tls(&tls);
}

TEST(records_that_were_tampered_with_end_the_connection)
{
    static const uint8_t rubbish[40] = "\x17\x03\x03\x00\x23 tampered with";
    struct tls_scene tls;

    begin_tls(&tls, &good);
    warm_up(tls.scene);
    ask(tls.scene, 0);
    turn_until_asked(tls.scene, 1, 2);
    stream_peer_send_raw(stream_peer_last(&tls.scene->peer), rubbish, sizeof rubbish);
    turn_until_asked(tls.scene, 2, 1);
    /* A session of that connection is not trusted any more. */
    ck_assert_int_eq(SSL_session_reused(stream_peer_last(&tls.scene->peer)->tls.ssl), 0);
    stream_peer_answer(stream_peer_last(&tls.scene->peer), 0);
    turn_until_notified(tls.scene, 1);
    ck_assert_uint_eq(tls.scene->fates[0].responses, 1);
    end_tls(&tls);
}
