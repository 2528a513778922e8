/**
 * Any octets, sent to a server with four spaces. Input: client, transport, then the request.
 *
 * Invariants: no reply to a response or to less than a header, a reply to everything else; the
 * reply has the request's id, is within the limit, is read by ldns, and has the question unchanged;
 * an outsider gets no record; the server answers correctly afterwards.
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "support/four_spaces.h"

enum { HEAD = 2, HEADER = 12 };

static struct four_spaces four;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    four_spaces_init(&four);
    return 0;
}

static const char *pick_client(uint8_t octet)
{
    size_t total = four_spaces_insider_count + four_spaces_outsider_count;
    size_t number = octet % total;

    return number < four_spaces_insider_count
               ? four_spaces_insiders[number]
               : four_spaces_outsiders[number - four_spaces_insider_count];
}

static void check_right_answer(void)
{
    struct decoded reply;

    world_ask(&four.world, &(struct ask){.name = "api.example.com."}, &reply);
    if (reply.rcode != 0 || reply.answer_count != 3)
        abort();
    decoded_close(&reply);
}

static void check_reply(const uint8_t *request, size_t size, size_t length, const struct ask *how)
{
    const struct query *query = &four.world.exchange.query;
    const uint8_t *octets = four.world.reply;
    struct decoded reply;

    decode(octets, length, &reply);
    if (memcmp(octets, request, 2) != 0 || !reply.qr || reply.ad || reply.question_count > 1)
        abort();
    if (how->transport == ASK_UDP && length > query->udp_octets)
        abort();
    size_t question = query->question_end;
    if (reply.question_count == 1 &&
        (question > size || memcmp(octets + HEADER, request + HEADER, question - HEADER) != 0))
        abort();
    if (four.world.exchange.client.count == 0 &&
        (reply.answer_count + reply.authority_count + reply.additional_count > 0 || reply.aa))
        abort();
    decoded_close(&reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD)
        return 0;
    struct ask how = {.from = pick_client(data[0]), .transport = data[1] & 1 ? ASK_TCP : ASK_UDP};
    const uint8_t *request = data + HEAD;
    size -= HEAD;
    size_t length = world_send(&four.world, request, size, &how);
    bool deserves_reply = size >= HEADER && (request[2] & 0x80) == 0;

    if ((length > 0) != deserves_reply)
        abort();
    if (length > 0)
        check_reply(request, size, length, &how);
    check_right_answer();
    return 0;
}
