#pragma once
/**
 * One call of gRPC, without HTTP/2: its messages in frames, and how it ended.
 *
 *     +------------+-----------------+=========+
 *     | compressed | length, 4 octets| message |   one frame, after the other, cut anywhere
 *     +------------+-----------------+=========+
 *
 * Sources: gRPC over HTTP/2 (PROTOCOL-HTTP2.md), "Responses" and "Status".
 * Threads: one thread's.  Memory: requests that wait, and the part of a message that has come;
 * never more than has come.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "etcd/buffer.h"
#include "etcd/connection.h"

enum { CALL_HEAD_OCTETS = 5 };

struct call {
    struct call *next;
    int32_t stream; /* of HTTP/2; the call's number, too */
    bool keeps_open;
    bool is_lost;         /* its stream is closed: to be ended, once nothing is sent */
    uint32_t lost_code;   /* of HTTP/2 */
    struct buffer output; /* frames to be sent */
    struct buffer input;  /* of a message that is not whole */
    uint8_t head[CALL_HEAD_OCTETS];
    size_t head_length;
    size_t message_length; /* once the head is whole */
    int http_status;       /* 0: not yet known */
    int grpc_status;       /* -1: not yet known */
    char text[ETCD_STATUS_TEXT_MOST + 1];
};

/** Returns NULL without memory. */
struct call *call_new(bool keeps_open);
void call_free(struct call *call);

/** Adds a message to be sent. Returns false without memory; nothing is added then. */
bool call_add_request(struct call *call, const void *message, size_t length);

/** A header, or a trailer. */
void call_take_header(struct call *call, struct octets name, struct octets value);

enum call_input {
    CALL_WAITS,      /* for more octets */
    CALL_MESSAGE,    /* there is one in *message, valid until the next call */
    CALL_TOO_LONG,   /* a message that is longer than accepted; its length is message_length */
    CALL_COMPRESSED, /* a message that may be compressed, which we never offered */
    CALL_NO_MEMORY,
};

/** Takes octets of the response off `octets`, up to the end of one message. */
enum call_input call_take_octets(struct call *call, struct octets *octets, size_t message_most,
                                 struct octets *message);

/**
 * How a call ended whose response is over; `text` is in the call, or static.
 *
 * Without a status of gRPC it is that of HTTP that counts: a proxy may have answered.
 */
enum etcd_status call_status(const struct call *call, const char **text);
