#include "forward/question.h"

#include "support/request.h"
#include "support/suite.h"
#include "wire/types.h"

static uint8_t request[REQUEST_OCTETS_MOST];
static struct query query;

static struct question read_question(const struct ask *ask)
{
    size_t length = request_write(ask, request);

    ck_assert_int_eq(query_read(request, length, &query), QUERY_READ);
    return question_of(&query, 0x0123456789abcdef);
}

static const struct ask asks[] = {
    {.name = "a.test."},
    {.name = "a.test.", .type = TYPE_AAAA},
    {.name = "a.test.", .class = CLASS_CH},
    {.name = "a.test.", .dnssec_ok = true},
    {.name = "a.test.", .cd = true},
    {.name = "a.test.", .dnssec_ok = true, .cd = true},
};

enum { ASKS = sizeof asks / sizeof asks[0] };

TEST_LOOP(what_upstreams_answer_differently_is_another_question, 0, ASKS)
{
    struct question one = read_question(&asks[_i]);

    ck_assert_uint_eq(one.type, asks[_i].type == 0 ? TYPE_A : asks[_i].type);
    ck_assert_uint_eq(one.class, asks[_i].class == 0 ? CLASS_IN : asks[_i].class);
    ck_assert_uint_eq(one.bits,
                      (asks[_i].dnssec_ok ? QUESTION_DO : 0U) | (asks[_i].cd ? QUESTION_CD : 0U));
    ck_assert_ptr_eq(one.name, &query.name);
    for (int i = 0; i < ASKS; i++)
        ck_assert((read_question(&asks[i]).hash == one.hash) == (i == _i));
}

TEST(what_else_a_client_sends_makes_no_difference)
{
    uint64_t hash = read_question(&asks[0]).hash;

    ck_assert_uint_eq(read_question(&(struct ask){.name = "A.tEsT."}).hash, hash);
    ck_assert_uint_eq(read_question(&(struct ask){.name = "a.test.", .id = 7}).hash, hash);
    ck_assert_uint_eq(read_question(&(struct ask){.name = "a.test.", .no_edns = true}).hash, hash);
    ck_assert_uint_eq(read_question(&(struct ask){.name = "a.test.", .nsid = true}).hash, hash);
    ck_assert_uint_eq(read_question(&(struct ask){.name = "a.test.", .no_rd = true}).hash, hash);
}
