#include "serve/tcp_connection.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static bool is_blocked(const struct tcp_connection *connection)
{
    return connection->unsent < connection->unsent_end;
}

static bool goes_on(const struct tcp_connection *connection)
{
    return !connection->has_failed && !is_blocked(connection);
}

/* Writes without waiting; returns the octets taken, 0 also when the socket is broken. */
static size_t write_octets_to(struct tcp_connection *connection, const uint8_t *octets,
                              size_t length)
{
    ssize_t taken;

    do
        taken = send(connection->descriptor, octets, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (taken < 0 && errno == EINTR);
    if (taken >= 0)
        return (size_t)taken;
    connection->has_failed = errno != EAGAIN && errno != ENOBUFS;
    return 0;
}

/* Sends replies from the shared buffer; what is not taken moves into the connection's own. */
static void send_replies(struct tcp_connection *connection, size_t length)
{
    const uint8_t *output = connection->tcp->output;

    if (length == 0)
        return;
    size_t taken = write_octets_to(connection, output, length);
    if (taken == length || connection->has_failed)
        return;
    connection->has_spread = true;
    memcpy(connection->output, output + taken, length - taken);
    connection->unsent = 0;
    connection->unsent_end = (uint32_t)(length - taken);
}

/* Sends what waits in the connection's own buffer. */
static void send_waiting(struct tcp_connection *connection)
{
    size_t taken = write_octets_to(connection, connection->output + connection->unsent,
                                   connection->unsent_end - connection->unsent);

    connection->unsent += (uint32_t)taken;
    if (taken > 0)
        tcp_touch(connection);
}

static void admit(struct tcp_connection *connection, size_t number, const uint8_t *request,
                  size_t length)
{
    struct exchange *exchange = &connection->tcp->batch->exchanges[number];
    uint32_t idle_100ms = connection->tcp->limits.idle_ms / 100;

    exchange->request = request;
    exchange->request_length = length;
    exchange->path = connection->path;
    exchange->transport = TRANSPORT_TCP;
    exchange->keepalive_100ms = (uint16_t)(idle_100ms < UINT16_MAX ? idle_100ms : UINT16_MAX);
}

/* Makes exchanges of complete frames, one batch at most. Returns how many. */
static size_t gather(struct tcp_connection *connection, const uint8_t *input, size_t length)
{
    struct reader in = reader_over(input, length);
    size_t count = 0;

    while (count < BATCH_MOST && !connection->is_ending) {
        size_t frame = read16(&in);
        const uint8_t *request = read_span(&in, frame);
        if (in.failed || (frame == 0 && count > 0))
            break; /* the frames before one without octets are answered first */
        connection->is_ending = frame == 0;
        if (frame > 0)
            admit(connection, count++, request, frame);
    }
    return count;
}

/* Counts a frame without a reply; too many end the connection. */
static void ignore_frame(struct tcp_connection *connection)
{
    if (++connection->ignored < TCP_IGNORED_MOST)
        return;
    connection->is_ending = true;
    stats_count(connection->tcp->batch->stats, COUNTER_TCP_ABUSED, 1);
}

/* A writer over the shared output with room for one more reply of any length. */
static void make_room(struct tcp_connection *connection, struct writer *out)
{
    if ((size_t)(out->end - out->next) >= TCP_FRAME_OCTETS + TCP_OCTETS_MOST)
        return;
    send_replies(connection, writer_length(out));
    *out = writer_over(out->start, TCP_OUTPUT_OCTETS);
}

/* Writes one reply with its length in front. False when there was none, or none yet. */
static bool write_reply(struct tcp_connection *connection, size_t number, struct writer *out)
{
    struct batch *batch = connection->tcp->batch;

    batch->exchanges[number].reply = out->next + TCP_FRAME_OCTETS;
    size_t length = batch_finish(batch, number, &connection->client, &connection->carrier);
    if (length == 0)
        return false;
    write16(out, (uint16_t)length);
    write_span(out, length);
    return true;
}

/*
 * Answers one batch of gathered frames. Returns where the first frame begins that was not
 * answered, because the client does not take more, or where the last one ends.
 */
static const uint8_t *answer_batch(struct tcp_connection *connection, size_t count,
                                   struct writer *out)
{
    struct batch *batch = connection->tcp->batch;
    const struct exchange *last = &batch->exchanges[count - 1];
    const uint8_t *end = last->request + last->request_length;
    uint64_t replies = 0;
    size_t done = 0;

    batch_begin(batch, uv_now(connection->tcp->loop));
    batch_prepare(batch, count);
    for (; done < count; done++) {
        make_room(connection, out);
        if (!goes_on(connection))
            break;
        if (write_reply(connection, done, out))
            replies++;
        else if (!batch->exchanges[done].is_deferred)
            ignore_frame(connection);
    }
    if (done < count)
        end = batch->exchanges[done].request - TCP_FRAME_OCTETS;
    stats_count(batch->stats, COUNTER_TCP_REQUESTS, done);
    stats_count(batch->stats, COUNTER_TCP_REPLIES, replies);
    batch_end(batch);
    if (replies > 0)
        tcp_touch(connection);
    return end;
}

/* Answers complete frames with one write where possible. Returns where the rest begins. */
static const uint8_t *answer_frames(struct tcp_connection *connection, const uint8_t *input,
                                    size_t length)
{
    struct writer out = writer_over(connection->tcp->output, TCP_OUTPUT_OCTETS);
    const uint8_t *end = input + length;
    size_t count = 1;

    /* Every turn but the last takes frames off the input. */
    while (count > 0 && goes_on(connection)) {
        count = gather(connection, input, (size_t)(end - input));
        if (count > 0)
            input = answer_batch(connection, count, &out);
    }
    if (goes_on(connection))
        send_replies(connection, writer_length(&out));
    return input;
}

/* Answers what is there and keeps the rest for the next reading. */
static void take_in(struct tcp_connection *connection, const uint8_t *input, size_t length)
{
    const uint8_t *rest = answer_frames(connection, input, length);

    connection->held = (uint32_t)(length - (size_t)(rest - input));
    if (connection->held == 0 || rest == connection->input)
        return;
    connection->has_spread = true;
    memmove(connection->input, rest, connection->held);
}

/* Sets a reading aside that is one whole query. False when it is anything else. */
static bool set_aside(struct tcp_connection *connection, const uint8_t *input, size_t length)
{
    struct tcp *tcp = connection->tcp;

    if (connection->held > 0 || length <= TCP_FRAME_OCTETS || length > TCP_SINGLE_OCTETS ||
        load16(input) != length - TCP_FRAME_OCTETS)
        return false;
    tcp->singles[tcp->single_count++] = (struct tcp_single){.connection = connection,
                                                            .request = input + TCP_FRAME_OCTETS,
                                                            .length = length - TCP_FRAME_OCTETS};
    tcp->input_used += length;
    connection->is_single = true;
    if (tcp->single_count == BATCH_MOST)
        tcp_answer_singles(tcp);
    return true;
}

static void read_once(struct tcp_connection *connection)
{
    struct tcp *tcp = connection->tcp;
    uint8_t *input = connection->held > 0 ? connection->input : tcp->input + tcp->input_used;
    ssize_t taken;

    do
        taken = recv(connection->descriptor, input + connection->held,
                     TCP_INPUT_OCTETS - connection->held, MSG_DONTWAIT);
    while (taken < 0 && errno == EINTR);
    if (taken > 0 && set_aside(connection, input, (size_t)taken))
        return;
    if (taken > 0)
        take_in(connection, input, connection->held + (size_t)taken);
    else if (taken == 0)
        connection->is_ending = true;
    else
        connection->has_failed = errno != EAGAIN;
}

static void on_ready(uv_poll_t *poll, int status, int events);

/* Closes, or watches for what the connection needs next. */
static void settle(struct tcp_connection *connection)
{
    if (connection->has_failed) {
        tcp_drop(connection, COUNTER_TCP_CLOSED);
    } else if (is_blocked(connection)) {
        uv_poll_start(&connection->poll, UV_WRITABLE, on_ready);
    } else if (connection->is_ending && connection->awaited > 0) {
        uv_poll_stop(&connection->poll); /* its end stays readable */
    } else if (connection->is_ending) {
        shutdown(connection->descriptor, SHUT_WR);
        tcp_drop(connection, COUNTER_TCP_CLOSED);
    }
}

/* ---- replies after their turn ---- */

static void keep_client(struct carrier *carrier, size_t number, struct late_client *client)
{
    struct tcp_connection *connection = (struct tcp_connection *)(void *)carrier;

    (void)number;
    client->endpoint = connection->client;
    client->serial = connection->serial;
    connection->awaited++;
}

/* Puts a frame behind those that wait for the client. False when there is no room. */
static bool line_up(struct tcp_connection *connection, const uint8_t *frame, size_t length)
{
    size_t waiting = connection->unsent_end - connection->unsent;

    if (waiting + length > TCP_OUTPUT_OCTETS)
        return false;
    memmove(connection->output, connection->output + connection->unsent, waiting);
    memcpy(connection->output + waiting, frame, length);
    connection->unsent = 0;
    connection->unsent_end = (uint32_t)(waiting + length);
    return true;
}

static bool deliver(struct carrier *carrier, const struct late_client *client, const uint8_t *reply,
                    size_t length)
{
    struct tcp_connection *connection = (struct tcp_connection *)(void *)carrier;
    struct writer out = writer_over(connection->tcp->output, TCP_OUTPUT_OCTETS);
    bool is_taken = true;

    if (connection->serial != client->serial)
        return false;
    connection->awaited--;
    write16(&out, (uint16_t)length);
    write_octets(&out, reply, length);
    if (is_blocked(connection))
        is_taken = line_up(connection, out.start, writer_length(&out));
    else
        send_replies(connection, writer_length(&out));
    if (is_taken) {
        stats_count(connection->tcp->batch->stats, COUNTER_TCP_REPLIES, 1);
        tcp_touch(connection);
    }
    settle(connection);
    return is_taken;
}

const struct carrier tcp_carrier = {.keep = keep_client, .deliver = deliver};

/* ---- queries alone in their reading ---- */

/* Writes and sends the reply to one query of the turn. */
static void answer_single(struct tcp_connection *connection, size_t number)
{
    struct tcp *tcp = connection->tcp;
    struct writer out = writer_over(tcp->output, TCP_OUTPUT_OCTETS);

    stats_count(tcp->batch->stats, COUNTER_TCP_REQUESTS, 1);
    if (write_reply(connection, number, &out)) {
        stats_count(tcp->batch->stats, COUNTER_TCP_REPLIES, 1);
        tcp_touch(connection);
        send_replies(connection, writer_length(&out));
    } else if (!tcp->batch->exchanges[number].is_deferred) {
        ignore_frame(connection);
    }
    connection->is_single = false;
    settle(connection);
}

void tcp_answer_singles(struct tcp *tcp)
{
    size_t count = tcp->single_count;

    if (count == 0)
        return;
    batch_begin(tcp->batch, uv_now(tcp->loop));
    for (size_t i = 0; i < count; i++)
        admit(tcp->singles[i].connection, i, tcp->singles[i].request, tcp->singles[i].length);
    batch_prepare(tcp->batch, count);
    for (size_t i = 0; i < count; i++)
        answer_single(tcp->singles[i].connection, i);
    batch_end(tcp->batch);
    tcp->single_count = 0;
    tcp->input_used = 0;
}

void tcp_forget_single(struct tcp_connection *connection)
{
    struct tcp *tcp = connection->tcp;
    size_t place = 0;

    if (!connection->is_single)
        return;
    while (tcp->singles[place].connection != connection)
        place++;
    tcp->singles[place] = tcp->singles[--tcp->single_count];
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct tcp_connection *connection = poll->data;

    if (status < 0) {
        connection->has_failed = true;
        settle(connection);
        return;
    }
    if ((events & UV_READABLE) != 0) {
        tcp_connection_serve(connection);
        return;
    }
    send_waiting(connection);
    if (goes_on(connection)) {
        take_in(connection, connection->input, connection->held);
        uv_poll_start(poll, UV_READABLE, on_ready);
    }
    settle(connection);
}

void tcp_connection_start(struct tcp_connection *connection)
{
    uv_poll_start(&connection->poll, UV_READABLE, on_ready);
}

void tcp_connection_serve(struct tcp_connection *connection)
{
    if (connection->is_single)
        return; /* more has come within the turn; the next one reads it */
    read_once(connection);
    settle(connection);
}

void tcp_connection_end(struct tcp_connection *connection)
{
    if (goes_on(connection) && !connection->is_single)
        read_once(connection);
    connection->is_ending = true;
    if (connection->is_single)
        tcp_answer_singles(connection->tcp);
    else
        settle(connection);
}
