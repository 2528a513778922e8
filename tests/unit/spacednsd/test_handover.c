#include "spacednsd/handover.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/suite.h"

static int ends[2];

static void set_up(void)
{
    ck_assert(pass_pair(ends, SOCK_NONBLOCK));
}

static void tear_down(void)
{
    close(ends[0]), close(ends[1]);
}

FIXTURE(set_up, tear_down)

static struct handover_message message;

static const struct {
    enum handover_kind kind;
    const char *text;
    const char *wire;
} messages[] = {
    {HANDOVER_HELLO, "1 0.1.0", "hello 1 0.1.0"},
    {HANDOVER_READY, NULL, "ready "},
    {HANDOVER_GO, NULL, "go "},
    {HANDOVER_SERVING, "17", "serving 17"},
    {HANDOVER_SIGNAL, "15", "signal 15"},
    {HANDOVER_STAY, NULL, "stay "},
};

TEST_OVER(a_message_arrives_as_it_was_sent, messages)
{
    char wire[64] = "";

    ck_assert(handover_send(ends[0], messages[_i].kind, messages[_i].text));
    ck_assert_int_eq(recv(ends[1], wire, sizeof wire - 1, MSG_PEEK),
                     (int)strlen(messages[_i].wire));
    ck_assert_str_eq(wire, messages[_i].wire);
    ck_assert_int_eq(handover_receive(ends[1], &message), messages[_i].kind);
    ck_assert_str_eq(message.text, messages[_i].text == NULL ? "" : messages[_i].text);
    ck_assert_uint_eq(message.descriptor_count, 0);
}

TEST(descriptors_arrive_with_their_names)
{
    const int own[2] = {ends[0], ends[1]};

    ck_assert(handover_send_descriptors(ends[0], "0 udp.0 tcp.0", own, 2));
    ck_assert_int_eq(handover_receive(ends[1], &message), HANDOVER_DESCRIPTORS);
    ck_assert_str_eq(message.text, "0 udp.0 tcp.0");
    ck_assert_uint_eq(message.descriptor_count, 2);
    close(message.descriptors[0]), close(message.descriptors[1]);
}

static const char *const nonsense[] = {"x", "hellos 1", "hell", " go", "GO", "\n", "what is this"};

TEST_OVER(nonsense_is_unknown, nonsense)
{
    ck_assert_int_gt(send(ends[0], nonsense[_i], strlen(nonsense[_i]), 0), 0);
    ck_assert_int_eq(handover_receive(ends[1], &message), HANDOVER_UNKNOWN);
}

TEST(no_message_and_no_other_side_are_told_apart)
{
    ck_assert_int_eq(handover_receive(ends[1], &message), HANDOVER_NOTHING);
    close(ends[0]);
    ck_assert_int_eq(handover_receive(ends[1], &message), HANDOVER_GONE);
    ck_assert(!handover_send(ends[1], HANDOVER_READY, NULL));
    ends[0] = dup(ends[1]);
}

TEST(a_message_too_long_is_not_sent)
{
    char text[HANDOVER_TEXT_MOST + 1];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    ck_assert(!handover_send(ends[0], HANDOVER_HELLO, text));
    ck_assert_int_eq(handover_receive(ends[1], &message), HANDOVER_NOTHING);
}
