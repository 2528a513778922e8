// forks: its tests leave something behind
#include "serve/deferred.h"

#include <signal.h>
#include <string.h>

#include "support/request.h"
#include "support/suite.h"

enum { QUESTIONS = 64, ROOM = 2 * QUESTIONS };

static struct deferred *deferred;
static struct err err;

static void set_up(void)
{
    deferred = deferred_new(QUESTIONS, &err);
    ck_assert_ptr_nonnull(deferred);
}

static void tear_down(void)
{
    deferred_free(deferred);
}

/* An exchange as it stands when it is deferred. */
static void make_exchange(struct exchange *exchange, const uint8_t *octets, size_t length)
{
    memset(exchange, 0, sizeof *exchange);
    exchange->request = octets;
    exchange->request_length = length;
    exchange->path = (struct path){.source = 0x0a008238, .destination = 0x0a000002};
    respond_prepare(NULL, exchange);
    ck_assert_int_eq(exchange->status, QUERY_READ);
}

/* Keeps the request and reads it again from what was kept. */
static void keep_and_read(struct exchange *exchange, struct query *query)
{
    struct pending_request *kept = deferred_keep(deferred, exchange, QUESTIONS);
    ck_assert_ptr_nonnull(kept);
    const struct exchange *restored = deferred_restore(deferred, kept);

    ck_assert_uint_eq(restored->path.source, exchange->path.source);
    ck_assert_uint_eq(restored->path.destination, exchange->path.destination);
    ck_assert_int_eq(restored->transport, exchange->transport);
    ck_assert_uint_eq(restored->keepalive_100ms, exchange->keepalive_100ms);
    ck_assert_int_eq(query_read(restored->request, restored->request_length, query), QUERY_READ);
    deferred_drop(deferred, kept);
}

static const struct ask asks[] = {
    {.name = "www.example.org."},
    {.name = "wWw.eXample.ORG.", .type = 28},
    {.name = "www.example.org.", .no_edns = true},
    {.name = "www.example.org.", .dnssec_ok = true, .cd = true},
    {.name = "www.example.org.", .nsid = true},
    {.name = "www.example.org.", .keepalive = true, .nsid = true, .edns_octets = 512},
    {.name = "www.example.org.", .cookie_octets = 8, .cookie = {1, 2, 3, 4, 5, 6, 7, 8}},
    {.name = "www.example.org.", .cookie_octets = 24, .cookie = {1, [23] = 9}, .nsid = true},
    {.name = ".", .type = 2},
};

FIXTURE(set_up, tear_down)

TEST_OVER(a_kept_request_reads_as_it_did_when_it_came, asks)
{
    uint8_t octets[REQUEST_OCTETS_MOST];
    struct exchange exchange;
    struct query again;

    make_exchange(&exchange, octets, request_write(&asks[_i], octets));
    keep_and_read(&exchange, &again);
    const struct query *first = &exchange.query;
    ck_assert_uint_eq(again.id, first->id);
    ck_assert_uint_eq(again.flags, first->flags);
    ck_assert_uint_eq(again.type, first->type);
    ck_assert_uint_eq(again.class, first->class);
    ck_assert_uint_eq(again.udp_octets, first->udp_octets);
    ck_assert(again.has_opt == first->has_opt);
    ck_assert(again.dnssec_ok == first->dnssec_ok);
    ck_assert(again.wants_nsid == first->wants_nsid);
    ck_assert(again.wants_keepalive == first->wants_keepalive);
    ck_assert_uint_eq(again.cookie_octets, first->cookie_octets);
    ck_assert_mem_eq(again.cookie, first->cookie, first->cookie_octets);
    ck_assert_mem_eq(again.name.octets, first->name.octets, first->name.length);
}

TEST(the_question_keeps_its_case)
{
    uint8_t octets[REQUEST_OCTETS_MOST];
    struct exchange exchange;

    make_exchange(&exchange, octets,
                  request_write(&(struct ask){.name = "wWw.eXample.ORG."}, octets));
    const struct exchange *restored =
        deferred_restore(deferred, deferred_keep(deferred, &exchange, QUESTIONS));
    ck_assert_mem_eq(restored->request + HEADER_OCTETS, octets + HEADER_OCTETS,
                     exchange.query.question_end - HEADER_OCTETS);
}

TEST(the_longest_request_fits)
{
    static const uint8_t counts[] = {0, 1, 0, 0, 0, 0, 0, 1};
    static const uint8_t rest[23 + 44] = {0,  1, 0, 1, 0, 0, 41, 4, 208, 0, 0,  0, 0,  0,
                                          52, 0, 3, 0, 0, 0, 11, 0, 0,   0, 10, 0, 40, 7};
    uint8_t octets[REQUEST_OCTETS_MOST] = {0x12, 0x34, 1, 0};
    size_t length = HEADER_OCTETS;
    struct exchange exchange;
    struct query again;

    memcpy(octets + 4, counts, sizeof counts);
    for (int i = 0; i < 127; i++) { /* 255 octets of name */
        octets[length++] = 1;
        octets[length++] = 'a';
    }
    octets[length++] = 0;
    memcpy(octets + length, rest, sizeof rest);
    make_exchange(&exchange, octets, length + sizeof rest);
    keep_and_read(&exchange, &again);
    ck_assert_uint_eq(again.name.length, NAME_MAX_OCTETS);
    ck_assert(again.wants_nsid && again.wants_keepalive);
    ck_assert_uint_eq(again.cookie_octets, 40);
}

static struct pending_request *keep_from(uint32_t source, size_t questions_left)
{
    uint8_t octets[REQUEST_OCTETS_MOST];
    struct exchange exchange;

    make_exchange(&exchange, octets, request_write(&asks[0], octets));
    exchange.path.source = source;
    return deferred_keep(deferred, &exchange, questions_left);
}

TEST(without_room_nothing_is_kept)
{
    struct pending_request *kept[ROOM];

    for (uint32_t i = 0; i < ROOM; i++) {
        kept[i] = keep_from(0x0a008201 + i, QUESTIONS);
        ck_assert_ptr_nonnull(kept[i]);
    }
    ck_assert_ptr_null(keep_from(0x0a0092f0, QUESTIONS));
    deferred_drop(deferred, kept[1]);
    ck_assert_ptr_eq(keep_from(0x0a0092f0, QUESTIONS), kept[1]);
}

enum { FLOODER = 0x0a008238, OTHER = 0x0a008239, THIRD = 0x0a00823a };

TEST(one_client_has_a_quarter_of_the_questions)
{
    struct pending_request *last = NULL;

    for (int i = 0; i < QUESTIONS / 4; i++) {
        last = keep_from(FLOODER, QUESTIONS);
        ck_assert_ptr_nonnull(last);
    }
    ck_assert_ptr_null(keep_from(FLOODER, QUESTIONS));
    ck_assert_ptr_nonnull(keep_from(OTHER, QUESTIONS));
    deferred_drop(deferred, last);
    ck_assert_ptr_nonnull(keep_from(FLOODER, QUESTIONS));
    ck_assert_ptr_null(keep_from(FLOODER, QUESTIONS));
}

TEST(a_request_waits_in_its_clients_name)
{
    ck_assert_uint_eq(keep_from(7, QUESTIONS)->waiter.client, 7);
    ck_assert_uint_eq(keep_from(8, QUESTIONS)->waiter.client, 8);
}

TEST(the_last_eighth_is_for_clients_with_few_requests_waiting)
{
    for (int i = 0; i < 3; i++)
        ck_assert_ptr_nonnull(keep_from(FLOODER, QUESTIONS / 8 + 1));
    ck_assert_ptr_null(keep_from(FLOODER, QUESTIONS / 8));
    ck_assert_ptr_nonnull(keep_from(OTHER, QUESTIONS / 8)); /* A and AAAA */
    ck_assert_ptr_nonnull(keep_from(OTHER, 1));
    ck_assert_ptr_null(keep_from(OTHER, QUESTIONS / 8));
}

TEST(the_last_eighth_of_the_room_is_theirs_too)
{
    for (uint32_t client = 0; client < 7; client++)
        for (int i = 0; i < QUESTIONS / 4; i++)
            keep_from(0x0a009000 + 77 * client, QUESTIONS);
    ck_assert_ptr_nonnull(keep_from(THIRD, QUESTIONS));
    ck_assert_ptr_nonnull(keep_from(THIRD, QUESTIONS));
    ck_assert_ptr_null(keep_from(THIRD, QUESTIONS));
}

/* A truncated request would be forwarded and answered as if it were complete. */
TEST_SIGNAL(a_request_that_does_not_fit_ends_the_process, SIGABRT)
{
    static uint8_t octets[2 * DEFERRED_REQUEST_OCTETS];
    struct exchange exchange;

    make_exchange(&exchange, octets, request_write(&(struct ask){.name = "a.example."}, octets));
    exchange.query.question_end = DEFERRED_REQUEST_OCTETS + 1;
    deferred_keep(deferred, &exchange, QUESTIONS);
}

TEST_SIGNAL(room_that_is_given_back_twice_ends_the_process, SIGABRT)
{
    struct pending_request *one = keep_from(OTHER, QUESTIONS);

    deferred_drop(deferred, one);
    deferred_drop(deferred, one);
}
