#include "etcd/call.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/escape.h"

enum { NO_STATUS = -1, HTTP_OK = 200 };

struct call *call_new(bool keeps_open)
{
    struct call *call = calloc(1, sizeof *call);

    if (call != NULL) {
        call->keeps_open = keeps_open;
        call->grpc_status = NO_STATUS;
    }
    return call;
}

void call_free(struct call *call)
{
    if (call == NULL)
        return;
    buffer_close(&call->output);
    buffer_close(&call->input);
    free(call);
}

bool call_add_request(struct call *call, const void *message, size_t length)
{
    if (length > UINT32_MAX)
        return false;
    uint8_t *room = buffer_room(&call->output, CALL_HEAD_OCTETS + length);
    if (room == NULL)
        return false;
    room[0] = 0; /* not compressed */
    store32(room + 1, (uint32_t)length);
    if (length > 0)
        memcpy(room + CALL_HEAD_OCTETS, message, length);
    buffer_commit(&call->output, CALL_HEAD_OCTETS + length);
    return true;
}

/* ---- headers ---- */

/* Returns a decimal number of at most four digits, or -1. */
static int number_in(struct octets value)
{
    int number = 0;

    if (value.length == 0 || value.length > 4)
        return -1;
    for (size_t i = 0; i < value.length; i++) {
        if (value.start[i] < '0' || value.start[i] > '9')
            return -1;
        number = number * 10 + (value.start[i] - '0');
    }
    return number;
}

static int hexadecimal(uint8_t octet)
{
    if (octet >= '0' && octet <= '9')
        return octet - '0';
    octet |= 0x20;
    return octet >= 'a' && octet <= 'f' ? octet - 'a' + 10 : -1;
}

/* One octet of a percent-encoded text; a wrong escape stands for itself. */
static uint8_t decode_octet(struct octets *text)
{
    const uint8_t *at = text->start;
    size_t length = 1;
    uint8_t octet = at[0];

    if (octet == '%' && text->length >= 3 && hexadecimal(at[1]) >= 0 && hexadecimal(at[2]) >= 0) {
        octet = (uint8_t)(hexadecimal(at[1]) << 4 | hexadecimal(at[2]));
        length = 3;
    }
    text->start += length;
    text->length -= length;
    return octet;
}

static void take_text(struct call *call, struct octets value)
{
    char decoded[ETCD_STATUS_TEXT_MOST];
    struct text text = text_over(call->text, sizeof call->text - 1);
    size_t length = 0;

    while (value.length > 0 && length < sizeof decoded)
        decoded[length++] = (char)decode_octet(&value);
    escape_add(&text, decoded, length);
    *text.next = '\0';
}

void call_take_header(struct call *call, struct octets name, struct octets value)
{
    if (octets_are(name, ":status"))
        call->http_status = number_in(value);
    else if (octets_are(name, "grpc-status"))
        call->grpc_status = number_in(value);
    else if (octets_are(name, "grpc-message"))
        take_text(call, value);
}

enum etcd_status call_status(const struct call *call, const char **text)
{
    if (call->grpc_status >= ETCD_OK && call->grpc_status <= ETCD_UNAUTHENTICATED) {
        *text = call->text;
        return (enum etcd_status)call->grpc_status;
    }
    *text = call->text[0] != '\0' ? call->text : "the response ended without a status";
    return ETCD_UNKNOWN;
}

/* ---- messages ---- */

static void take_head(struct call *call, struct octets *octets)
{
    while (call->head_length < CALL_HEAD_OCTETS && octets->length > 0) {
        call->head[call->head_length++] = *octets->start++;
        octets->length--;
    }
    call->message_length = load32(call->head + 1);
}

/* A message that is whole in these octets is not copied. */
static enum call_input take_message(struct call *call, struct octets *octets,
                                    struct octets *message)
{
    size_t missing = call->message_length - buffer_length(&call->input);
    size_t taken = octets->length < missing ? octets->length : missing;
    bool is_whole = taken == call->message_length;

    if (!is_whole && !buffer_add(&call->input, octets->start, taken))
        return CALL_NO_MEMORY;
    *message = is_whole ? (struct octets){.start = octets->start, .length = taken}
                        : buffer_octets(&call->input);
    octets->start += taken;
    octets->length -= taken;
    if (taken < missing)
        return CALL_WAITS;
    call->head_length = 0;
    return CALL_MESSAGE;
}

enum call_input call_take_octets(struct call *call, struct octets *octets, size_t message_most,
                                 struct octets *message)
{
    /* The last message was in it, and is not needed any more. */
    if (call->head_length == 0)
        buffer_take(&call->input, buffer_length(&call->input));
    take_head(call, octets);
    if (call->head_length < CALL_HEAD_OCTETS)
        return CALL_WAITS;
    if (call->head[0] != 0)
        return CALL_COMPRESSED;
    if (call->message_length > message_most)
        return CALL_TOO_LONG;
    return take_message(call, octets, message);
}
