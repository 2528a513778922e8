// wrap: respond
// forks: its tests leave something behind
#include "serve/pulse.h"

#include "respond/respond.h"
#include "support/suite.h"
#include "wire/types.h"

static unsigned replies;
static bool is_mute; /* queries get no reply */
static uint16_t rcode;

size_t __real_respond(const struct snapshot *snapshot, struct exchange *exchange);
size_t __wrap_respond(const struct snapshot *snapshot, struct exchange *exchange);

size_t __wrap_respond(const struct snapshot *snapshot, struct exchange *exchange)
{
    size_t length = is_mute ? 0 : __real_respond(snapshot, exchange);

    replies += length > 0;
    rcode = exchange->rcode;
    return length;
}

TEST(a_pulse_is_answered_by_a_reply_of_the_worker)
{
    struct pulse pulse = {.requested = 0};

    ck_assert(pulse_has_answered(&pulse));
    pulse_request(&pulse);
    ck_assert(!pulse_has_answered(&pulse));
    pulse_answer(&pulse, NULL);
    ck_assert(pulse_has_answered(&pulse));
    ck_assert_uint_eq(replies, 1);
    ck_assert_uint_ne(rcode, RCODE_FORMERR); /* it was a readable query */
}

TEST(one_answer_is_enough_for_several_requests)
{
    struct pulse pulse = {.requested = 0};

    pulse_request(&pulse);
    pulse_request(&pulse);
    pulse_answer(&pulse, NULL);
    pulse_answer(&pulse, NULL);
    ck_assert(pulse_has_answered(&pulse));
    ck_assert_uint_eq(replies, 1);
}

TEST(a_worker_that_is_not_asked_does_nothing)
{
    struct pulse pulse = {.requested = 0};

    pulse_answer(&pulse, NULL);
    ck_assert_uint_eq(replies, 0);
}

TEST(a_worker_that_makes_no_reply_has_no_pulse)
{
    struct pulse pulse = {.requested = 0};

    is_mute = true;
    pulse_request(&pulse);
    pulse_answer(&pulse, NULL);
    ck_assert(!pulse_has_answered(&pulse));
    is_mute = false;
    pulse_answer(&pulse, NULL);
    ck_assert(pulse_has_answered(&pulse));
}
