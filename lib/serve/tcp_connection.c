#include "serve/tcp_connection.h"

#include <assert.h>
#include <string.h>

#include "serve/tcp_io.h"
#include "serve/tcp_places.h"

/* The connection's own input buffer; its memory is returned at closing if it was used. */
static struct writer own_input(struct tcp_connection *connection)
{
    connection->has_used_room = true;
    return writer_over(connection->input, TCP_INPUT_OCTETS);
}

/* The shared output, for one connection's replies at a time; end_replies releases it. */
static struct writer begin_replies(struct tcp *tcp)
{
    assert(!tcp->is_writing);
    tcp->is_writing = true;
    return writer_over(tcp->output, TCP_OUTPUT_OCTETS);
}

static void end_replies(struct tcp *tcp)
{
    assert(tcp->is_writing);
    tcp->is_writing = false;
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

/* After an empty frame or too many useless ones, later frames are not answered. */
static void cut(struct tcp_connection *connection)
{
    connection->is_cut = connection->is_ending = true;
}

/* Makes exchanges from complete frames, one batch at most. Returns how many. */
static size_t gather(struct tcp_connection *connection, const uint8_t *input, size_t length)
{
    struct reader in = reader_over(input, length);
    size_t count = 0;

    while (count < BATCH_MOST && !connection->is_cut) {
        size_t frame = read16(&in);
        const uint8_t *request = read_span(&in, frame);
        if (in.failed || (frame == 0 && count > 0))
            break; /* the frames before an empty one are answered first */
        if (frame == 0)
            cut(connection);
        else
            admit(connection, count++, request, frame);
    }
    return count;
}

/* Counts a frame without a reply; too many end the connection. */
static void ignore_frame(struct tcp_connection *connection)
{
    if (connection->is_cut || ++connection->ignored < TCP_IGNORED_MOST)
        return;
    cut(connection);
    stats_count(connection->tcp->batch->stats, COUNTER_TCP_ABUSED, 1);
}

/* A writer over the shared output with room for one more reply of any length. */
static void make_room(struct tcp_connection *connection, struct writer *out)
{
    if (writer_left(out) >= TCP_FRAME_OCTETS + TCP_OCTETS_MOST)
        return;
    tcp_io_send(connection, out);
    *out = writer_over(out->start, TCP_OUTPUT_OCTETS);
}

/* Writes one reply after its length. Returns false when there is none, or none yet. */
static bool write_reply(struct tcp_connection *connection, size_t number, struct writer *out)
{
    struct batch *batch = connection->tcp->batch;
    struct writer room = *out;
    uint8_t *frame = write_span(&room, TCP_FRAME_OCTETS + TCP_OCTETS_MOST);

    assert(frame != NULL);
    batch->exchanges[number].reply = frame + TCP_FRAME_OCTETS;
    size_t length = batch_finish(batch, number, &connection->client, &connection->carrier);
    if (length == 0)
        return false;
    write16(out, (uint16_t)length);
    write_span(out, length);
    return true;
}

/*
 * Answers one batch of gathered frames. Returns the end of the last one, or the beginning of the
 * first one that was not answered because the client takes no more.
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
        if (!tcp_io_goes_on(connection))
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
        tcp_places_touch(connection);
    return end;
}

/* Answers complete frames with one write where possible. Returns where the rest begins. */
static const uint8_t *answer_frames(struct tcp_connection *connection, const uint8_t *input,
                                    size_t length)
{
    struct writer out = begin_replies(connection->tcp);
    const uint8_t *end = input + length;
    size_t count = 1;

    /* Every iteration but the last consumes frames. */
    while (count > 0 && tcp_io_goes_on(connection)) {
        count = gather(connection, input, (size_t)(end - input));
        if (count > 0)
            input = answer_batch(connection, count, &out);
    }
    if (tcp_io_goes_on(connection))
        tcp_io_send(connection, &out);
    end_replies(connection->tcp);
    return input;
}

/* Keeps octets that were read and not answered; they may overlap the buffer that keeps them. */
static void hold(struct tcp_connection *connection, const uint8_t *octets, size_t length)
{
    connection->held = (uint32_t)length;
    if (length == 0 || octets == connection->input)
        return;
    struct writer room = own_input(connection);
    uint8_t *kept = write_span(&room, length);
    assert(kept != NULL);
    memmove(kept, octets, length);
}

/* Answers the complete frames and keeps the rest for the next read. */
static void process_input(struct tcp_connection *connection, const uint8_t *input, size_t length)
{
    const uint8_t *rest = answer_frames(connection, input, length);

    hold(connection, rest, connection->is_cut ? 0 : length - (size_t)(rest - input));
}

/* The shared input behind the waiting queries, with room for one whole read. */
static struct writer shared_input(const struct tcp *tcp)
{
    struct writer room = writer_over(tcp->input, TCP_SHARED_INPUT_OCTETS);

    if (tcp->lone_query_count > 0) {
        const struct tcp_lone_query *last = &tcp->lone_queries[tcp->lone_query_count - 1];
        write_span(&room, (size_t)(last->request + last->length - tcp->input));
    }
    uint8_t *input = write_span(&room, TCP_INPUT_OCTETS);
    assert(input != NULL);
    return writer_over(input, TCP_INPUT_OCTETS);
}

/* Defers a read that is exactly one whole query. Returns false for any other. */
static bool defer_to_turn_end(struct tcp_connection *connection, const struct writer *read)
{
    struct tcp *tcp = connection->tcp;
    size_t length = writer_length(read);

    if (connection->held > 0 || length <= TCP_FRAME_OCTETS || length > TCP_LONE_QUERY_OCTETS ||
        load16(read->start) != length - TCP_FRAME_OCTETS)
        return false;
    assert(tcp->lone_query_count < BATCH_MOST && connection->lone_query == 0);
    tcp->lone_queries[tcp->lone_query_count++] =
        (struct tcp_lone_query){.connection = connection,
                                .request = read->start + TCP_FRAME_OCTETS,
                                .length = length - TCP_FRAME_OCTETS};
    connection->lone_query = (uint8_t)tcp->lone_query_count;
    return true;
}

/* The buffer of the next read: behind the held input, or the shared input. */
static struct writer reading_room(struct tcp_connection *connection)
{
    if (connection->held == 0)
        return shared_input(connection->tcp);
    struct writer room = own_input(connection);
    write_span(&room, connection->held);
    assert(writer_left(&room) > 0); /* less than one frame is held */
    return room;
}

/*
 * Never closes this connection, nor any other without a waiting query: the caller does that next,
 * once.
 */
static void read_once(struct tcp_connection *connection)
{
    struct tcp *tcp = connection->tcp;

    assert(connection->lone_query == 0);
    if (tcp->lone_query_count == BATCH_MOST)
        tcp_answer_lone_queries(tcp);
    struct writer room = reading_room(connection);
    if (tcp_io_read(connection, &room) && !defer_to_turn_end(connection, &room))
        process_input(connection, room.start, writer_length(&room));
}

static void on_ready(uv_poll_t *poll, int status, int events);

/* Closes the connection, or watches for the event that it needs next. */
static void watch_or_close(struct tcp_connection *connection)
{
    if (connection->has_failed) {
        tcp_drop(connection, connection->is_slow ? COUNTER_TCP_SLOW : COUNTER_TCP_CLOSED);
    } else if (tcp_io_is_blocked(connection)) {
        uv_poll_start(&connection->poll, UV_WRITABLE, on_ready);
    } else if (connection->is_ending && connection->awaited > 0) {
        uv_poll_stop(&connection->poll); /* the end of the stream would stay readable */
    } else if (connection->is_ending) {
        tcp_io_end(connection);
        tcp_drop(connection, COUNTER_TCP_CLOSED);
    }
}

/* ---- late replies ---- */

/* A client: its address, and the connection that was its own in this slot. */
struct tcp_client {
    struct endpoint endpoint;
    uint32_t serial;
};

_Static_assert(sizeof(struct tcp_client) <= LATE_CLIENT_OCTETS, "see carrier.h");

static struct tcp_client read_client(const struct late_client *client)
{
    struct tcp_client read;

    memcpy(&read, client->octets, sizeof read);
    return read;
}

static void keep_client(struct carrier *carrier, size_t number, struct late_client *client)
{
    struct tcp_connection *connection = (struct tcp_connection *)(void *)carrier;
    const struct tcp_client kept = {.endpoint = connection->client, .serial = connection->serial};

    (void)number;
    memcpy(client->octets, &kept, sizeof kept);
    connection->awaited++;
}

static struct endpoint client_address(const struct late_client *client)
{
    return read_client(client).endpoint;
}

static bool deliver(struct carrier *carrier, const struct late_client *client, const uint8_t *reply,
                    size_t length)
{
    struct tcp_connection *connection = (struct tcp_connection *)(void *)carrier;
    bool is_taken = true;

    if (connection->serial != read_client(client).serial)
        return false;
    assert(connection->awaited > 0);
    connection->awaited--;
    struct writer out = begin_replies(connection->tcp);
    write16(&out, (uint16_t)length);
    write_octets(&out, reply, length);
    if (tcp_io_is_blocked(connection))
        is_taken = tcp_io_queue(connection, out.start, writer_length(&out));
    else
        tcp_io_send(connection, &out);
    end_replies(connection->tcp);
    if (!is_taken) {
        connection->is_slow = connection->has_failed = true;
    } else {
        stats_count(connection->tcp->batch->stats, COUNTER_TCP_REPLIES, 1);
        tcp_places_touch(connection);
    }
    watch_or_close(connection);
    return is_taken;
}

const struct carrier tcp_carrier = {
    .keep = keep_client, .deliver = deliver, .address = client_address};

/* ---- lone queries ---- */

/* Writes and sends the reply to one query of the turn. */
static void answer_lone_query(struct tcp_connection *connection, size_t number)
{
    struct tcp *tcp = connection->tcp;
    struct writer out = begin_replies(tcp);

    stats_count(tcp->batch->stats, COUNTER_TCP_REQUESTS, 1);
    if (write_reply(connection, number, &out)) {
        stats_count(tcp->batch->stats, COUNTER_TCP_REPLIES, 1);
        tcp_places_touch(connection);
        tcp_io_send(connection, &out);
    } else if (!tcp->batch->exchanges[number].is_deferred) {
        ignore_frame(connection);
    }
    end_replies(tcp);
    watch_or_close(connection);
}

/* Takes a waiting query. Returns its connection, or NULL when it cannot be answered now. */
static struct tcp_connection *take_lone_query(const struct tcp_lone_query *lone_query)
{
    struct tcp_connection *connection = lone_query->connection;

    if (connection == NULL)
        return NULL;
    assert(&connection->tcp->lone_queries[connection->lone_query - 1] == lone_query);
    connection->lone_query = 0;
    if (tcp_io_goes_on(connection))
        return connection;
    /* A late reply has been queued meanwhile; the query is read again later. */
    hold(connection, lone_query->request - TCP_FRAME_OCTETS, TCP_FRAME_OCTETS + lone_query->length);
    watch_or_close(connection);
    return NULL;
}

void tcp_answer_lone_queries(struct tcp *tcp)
{
    struct tcp_connection *asking[BATCH_MOST];
    size_t count = 0;

    assert(tcp->lone_query_count <= BATCH_MOST);
    if (tcp->lone_query_count == 0)
        return;
    batch_begin(tcp->batch, uv_now(tcp->loop));
    for (size_t i = 0; i < tcp->lone_query_count; i++) {
        const struct tcp_lone_query *lone_query = &tcp->lone_queries[i];
        struct tcp_connection *connection = take_lone_query(lone_query);
        if (connection == NULL)
            continue;
        admit(connection, count, lone_query->request, lone_query->length);
        asking[count++] = connection;
    }
    batch_prepare(tcp->batch, count);
    for (size_t i = 0; i < count; i++)
        answer_lone_query(asking[i], i);
    batch_end(tcp->batch);
    tcp->lone_query_count = 0;
}

void tcp_forget_lone_query(struct tcp_connection *connection)
{
    struct tcp *tcp = connection->tcp;

    if (connection->lone_query == 0)
        return;
    assert(tcp->lone_queries[connection->lone_query - 1].connection == connection);
    tcp->lone_queries[connection->lone_query - 1].connection = NULL;
    connection->lone_query = 0;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct tcp_connection *connection = poll->data;

    if (status < 0) {
        connection->has_failed = true;
        watch_or_close(connection);
        return;
    }
    if ((events & UV_READABLE) != 0) {
        tcp_connection_serve(connection);
        return;
    }
    tcp_io_send_queued(connection);
    if (tcp_io_goes_on(connection)) {
        process_input(connection, connection->input, connection->held);
        uv_poll_start(poll, UV_READABLE, on_ready);
    }
    watch_or_close(connection);
}

void tcp_connection_start(struct tcp_connection *connection)
{
    uv_poll_start(&connection->poll, UV_READABLE, on_ready);
}

void tcp_connection_serve(struct tcp_connection *connection)
{
    if (connection->lone_query > 0)
        return; /* more has arrived within the turn; the next one reads it */
    read_once(connection);
    watch_or_close(connection);
}

void tcp_connection_read_now(struct tcp_connection *connection)
{
    if (!tcp_io_goes_on(connection) || connection->is_ending || connection->lone_query > 0)
        return;
    read_once(connection);
    if (connection->lone_query > 0)
        tcp_answer_lone_queries(connection->tcp);
    else
        watch_or_close(connection);
}

bool tcp_connection_is_at_rest(const struct tcp_connection *connection)
{
    return tcp_io_goes_on(connection) && !connection->is_ending && connection->held == 0 &&
           connection->awaited == 0 && connection->lone_query == 0;
}

void tcp_connection_end(struct tcp_connection *connection)
{
    if (tcp_io_goes_on(connection) && connection->lone_query == 0)
        read_once(connection);
    connection->is_ending = true;
    if (connection->lone_query > 0)
        tcp_answer_lone_queries(connection->tcp);
    else
        watch_or_close(connection);
}
