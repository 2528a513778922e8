#include "support/etcd_peer.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "etcd/buffer.h"
#include "etcd/connection.h"
#include "support/etcd_answers.h"

enum { HEAD_OCTETS = 5, HEADERS_MOST = 4096, TURNS_MOST = 100000 };

/* A stream of HTTP/2: one call. */
struct stream {
    struct stream *next;
    int32_t id;
    int method; /* enum etcd_method; -1: not ours */
    char token[64];
    struct buffer input;
    struct buffer output;
    bool has_response; /* headers are submitted */
    bool has_status;   /* trailers are, too, or will be once the output is sent */
    enum etcd_status status;
    char text[200];
};

struct etcd_peer {
    struct answering answering;
    nghttp2_session *session;
    struct stream *streams;
    struct etcd_watching *watches;
    struct buffer output;
    bool is_silent;
    bool is_receiving;
    unsigned calls[ETCD_STORE_METHODS];
    unsigned pings;
    char headers[HEADERS_MOST];
    size_t headers_length;
};

static void must(bool went_well)
{
    if (!went_well)
        abort();
}

/* ---- responses ---- */

static ssize_t read_response(nghttp2_session *session, int32_t id, uint8_t *room, size_t most,
                             uint32_t *flags, nghttp2_data_source *source, void *context)
{
    struct stream *stream = nghttp2_session_get_stream_user_data(session, id);
    struct octets waiting = buffer_octets(&stream->output);
    size_t taken = waiting.length < most ? waiting.length : most;
    char status[12];

    (void)source, (void)context;
    if (taken == 0 && !stream->has_status)
        return NGHTTP2_ERR_DEFERRED;
    if (taken > 0)
        memcpy(room, waiting.start, taken);
    buffer_take(&stream->output, taken);
    if (taken == waiting.length && stream->has_status) {
        nghttp2_nv trailers[2] = {
            {(uint8_t *)"grpc-status", (uint8_t *)status, 11, 0, NGHTTP2_NV_FLAG_NONE},
            {(uint8_t *)"grpc-message", (uint8_t *)stream->text, 12, strlen(stream->text),
             NGHTTP2_NV_FLAG_NONE},
        };
        trailers[0].valuelen = (size_t)snprintf(status, sizeof status, "%d", stream->status);
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        must(nghttp2_submit_trailer(session, id, trailers, 2) == 0);
    }
    return (ssize_t)taken;
}

static void begin_response(struct etcd_peer *peer, struct stream *stream)
{
    const nghttp2_data_provider provider = {.read_callback = read_response};
    const nghttp2_nv headers[] = {
        {(uint8_t *)":status", (uint8_t *)"200", 7, 3, NGHTTP2_NV_FLAG_NONE},
        {(uint8_t *)"content-type", (uint8_t *)"application/grpc", 12, 16, NGHTTP2_NV_FLAG_NONE},
    };

    if (!stream->has_response)
        must(nghttp2_submit_response(peer->session, stream->id, headers, 2, &provider) == 0);
    else
        nghttp2_session_resume_data(peer->session, stream->id);
    stream->has_response = true;
}

static void send_message(struct etcd_peer *peer, struct stream *stream, struct octets message)
{
    uint8_t head[HEAD_OCTETS] = {0};

    store32(head + 1, (uint32_t)message.length);
    must(buffer_add(&stream->output, head, sizeof head));
    must(buffer_add(&stream->output, message.start, message.length));
    begin_response(peer, stream);
}

/* Percent-encodes what a header may not have. */
static void end_stream(struct etcd_peer *peer, struct stream *stream, enum etcd_status status,
                       const char *text)
{
    size_t length = 0;

    for (; *text != '\0' && length + 4 < sizeof stream->text; text++) {
        bool is_plain = *text >= ' ' && *text <= '~' && *text != '%';
        length += (size_t)snprintf(stream->text + length, sizeof stream->text - length,
                                   is_plain ? "%c" : "%%%02X", (unsigned char)*text);
    }
    stream->text[length] = '\0';
    stream->status = status;
    stream->has_status = true;
    begin_response(peer, stream);
}

/* A response of headers alone, as etcd sends for a call that fails at once. */
static void refuse(struct etcd_peer *peer, struct stream *stream, enum etcd_status status,
                   const char *text)
{
    char number[12];
    const nghttp2_nv headers[] = {
        {(uint8_t *)":status", (uint8_t *)"200", 7, 3, NGHTTP2_NV_FLAG_NONE},
        {(uint8_t *)"content-type", (uint8_t *)"application/grpc", 12, 16, NGHTTP2_NV_FLAG_NONE},
        {(uint8_t *)"grpc-status", (uint8_t *)number, 11,
         (size_t)snprintf(number, sizeof number, "%d", status), NGHTTP2_NV_FLAG_NONE},
        {(uint8_t *)"grpc-message", (uint8_t *)text, 12, strlen(text), NGHTTP2_NV_FLAG_NONE},
    };

    must(nghttp2_submit_response(peer->session, stream->id, headers, 4, NULL) == 0);
    stream->has_response = stream->has_status = true;
}

/* ---- watches ---- */

static struct stream *stream_of(const struct etcd_peer *peer, int32_t id)
{
    struct stream *stream = peer->streams;

    while (stream != NULL && stream->id != id)
        stream = stream->next;
    return stream;
}

static void send_watch_message(struct etcd_peer *peer, int32_t id, struct octets message)
{
    struct stream *stream = stream_of(peer, id);

    if (stream != NULL && message.start != NULL)
        send_message(peer, stream, message);
    free((void *)message.start);
}

static void drop_watch(struct etcd_watching **link)
{
    struct etcd_watching *watch = *link;

    *link = watch->next;
    watching_free(watch);
}

static void change_watches(struct etcd_peer *peer, struct stream *stream, struct octets message)
{
    struct etcd_watching *watch = NULL;
    int64_t canceled;
    struct octets response =
        answer_watch(&peer->answering, peer->watches, message, &watch, &canceled);

    send_watch_message(peer, stream->id, response);
    if (watch != NULL) {
        watch->stream = stream->id;
        watch->next = peer->watches;
        peer->watches = watch;
    }
    for (struct etcd_watching **link = &peer->watches; *link != NULL;)
        if ((*link)->stream == stream->id && (*link)->id == canceled)
            drop_watch(link);
        else
            link = &(*link)->next;
}

/* Sends what has changed since, a revision at a time; watches of what is compacted are canceled. */
static void feed_watches(struct etcd_peer *peer)
{
    for (struct etcd_watching **link = &peer->watches; *link != NULL;) {
        struct etcd_watching *watch = *link;
        struct octets response;
        bool goes_on = true;

        while (goes_on && (response = answer_events(&peer->answering, watch, &goes_on)).start)
            send_watch_message(peer, watch->stream, response);
        if (goes_on)
            link = &watch->next;
        else
            drop_watch(link);
    }
}

/* ---- calls ---- */

static bool needs_token(const struct etcd_peer *peer, const struct stream *stream)
{
    char token[64];

    if (peer->answering.store->user == NULL || stream->method == ETCD_AUTHENTICATE)
        return false;
    snprintf(token, sizeof token, "token-%u", peer->answering.store->token);
    return strcmp(token, stream->token) != 0;
}

static bool meets_fault(struct etcd_peer *peer, struct stream *stream)
{
    struct etcd_fault *fault = &peer->answering.store->faults[stream->method];
    struct etcd_fault met = *fault;

    if (met.is_silent)
        return true;
    if (met.status == ETCD_OK)
        return false;
    if (met.spares > 0) {
        fault->spares--;
        return false;
    }
    if (met.left == 1)
        *fault = (struct etcd_fault){.status = ETCD_OK};
    else if (met.left > 1)
        fault->left--;
    refuse(peer, stream, met.status, met.text);
    return true;
}

static void answer(struct etcd_peer *peer, struct stream *stream, struct octets message)
{
    struct answer reply = {.status = ETCD_OK, .text = ""};
    const struct etcd_fault *fault = &peer->answering.store->faults[stream->method];
    unsigned copies = fault->repeats ? fault->copies : 1;

    peer->calls[stream->method]++;
    if (needs_token(peer, stream)) {
        refuse(peer, stream, ETCD_UNAUTHENTICATED, "etcdserver: invalid auth token");
        return;
    }
    if (meets_fault(peer, stream))
        return;
    if (stream->method == ETCD_WATCH && peer->answering.store->has_no_leader) {
        refuse(peer, stream, ETCD_UNAVAILABLE, "etcdserver: no leader");
        return;
    }
    if (stream->method == ETCD_WATCH) {
        change_watches(peer, stream, message);
        return;
    }
    reply = answer_call(&peer->answering, (enum etcd_method)stream->method, message);
    if (reply.status != ETCD_OK) {
        refuse(peer, stream, reply.status, reply.text);
        return;
    }
    while (copies-- > 0)
        send_message(peer, stream, reply.message);
    free((void *)reply.message.start);
    if (stream->method != ETCD_LEASE_KEEP_ALIVE)
        end_stream(peer, stream, ETCD_OK, "");
}

static void take_messages(struct etcd_peer *peer, struct stream *stream)
{
    struct octets waiting = buffer_octets(&stream->input);

    while (waiting.length >= HEAD_OCTETS && !stream->has_status) {
        size_t length = load32(waiting.start + 1);
        if (waiting.length < HEAD_OCTETS + length)
            return;
        answer(peer, stream,
               (struct octets){.start = waiting.start + HEAD_OCTETS, .length = length});
        buffer_take(&stream->input, HEAD_OCTETS + length);
        waiting = buffer_octets(&stream->input);
    }
}

/* ---- what nghttp2 calls ---- */

static int on_begin(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct etcd_peer *peer = context;
    struct stream *stream = calloc(1, sizeof *stream);

    must(stream != NULL);
    stream->id = frame->hd.stream_id;
    stream->method = -1;
    stream->next = peer->streams;
    peer->streams = stream;
    peer->headers_length = 0;
    return nghttp2_session_set_stream_user_data(session, stream->id, stream);
}

static int method_of(struct octets path)
{
    for (int method = 0; method < ETCD_STORE_METHODS; method++)
        if (octets_are(path, etcd_method_path((enum etcd_method)method)))
            return method;
    return -1;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags,
                     void *context)
{
    struct etcd_peer *peer = context;
    struct stream *stream = stream_of(peer, frame->hd.stream_id);
    size_t left = sizeof peer->headers - peer->headers_length;
    int length =
        snprintf(peer->headers + peer->headers_length, left, "%.*s: %.*s\n", (int)name_length,
                 (const char *)name, (int)value_length, (const char *)value);

    (void)session, (void)flags;
    must(stream != NULL && length > 0 && (size_t)length < left);
    peer->headers_length += (size_t)length;
    if (name_length == 5 && memcmp(name, ":path", 5) == 0)
        stream->method = method_of((struct octets){.start = value, .length = value_length});
    if (name_length == 5 && memcmp(name, "token", 5) == 0)
        snprintf(stream->token, sizeof stream->token, "%.*s", (int)value_length,
                 (const char *)value);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *octets,
                   size_t length, void *context)
{
    struct stream *stream = stream_of(context, id);

    (void)session, (void)flags;
    must(stream != NULL && buffer_add(&stream->input, octets, length));
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct etcd_peer *peer = context;
    struct stream *stream = stream_of(peer, frame->hd.stream_id);

    (void)session;
    if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0)
        peer->pings++;
    if (stream == NULL || stream->has_status)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && stream->method < 0)
        refuse(peer, stream, ETCD_UNIMPLEMENTED, "unknown method");
    else if (frame->hd.type == NGHTTP2_DATA)
        take_messages(peer, stream);
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *context)
{
    struct etcd_peer *peer = context;
    struct stream **link = &peer->streams, *stream;

    (void)session, (void)code;
    while (*link != NULL && (*link)->id != id)
        link = &(*link)->next;
    if ((stream = *link) == NULL)
        return 0;
    *link = stream->next;
    for (struct etcd_watching **watch = &peer->watches; *watch != NULL;)
        if ((*watch)->stream == id)
            drop_watch(watch);
        else
            watch = &(*watch)->next;
    buffer_close(&stream->input);
    buffer_close(&stream->output);
    free(stream);
    return 0;
}

/* ---- beginning and end ---- */

struct etcd_peer *etcd_peer_new(struct etcd_store *store, uint64_t member)
{
    struct etcd_peer *peer = calloc(1, sizeof *peer);
    nghttp2_session_callbacks *callbacks;

    must(peer != NULL);
    must(nghttp2_session_callbacks_new(&callbacks) == 0);
    peer->answering = (struct answering){.store = store, .member = member, .next_watch = 1};
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    must(nghttp2_session_server_new(&peer->session, callbacks, peer) == 0);
    nghttp2_session_callbacks_del(callbacks);
    must(nghttp2_submit_settings(peer->session, NGHTTP2_FLAG_NONE, NULL, 0) == 0);
    return peer;
}

void etcd_peer_free(struct etcd_peer *peer)
{
    if (peer == NULL)
        return;
    while (peer->streams != NULL)
        on_close(NULL, peer->streams->id, 0, peer);
    while (peer->watches != NULL)
        drop_watch(&peer->watches);
    nghttp2_session_del(peer->session);
    buffer_close(&peer->output);
    free(peer);
}

/* ---- octets ---- */

void etcd_peer_receive(struct etcd_peer *peer, const uint8_t *octets, size_t length)
{
    if (peer->is_silent)
        return;
    must(nghttp2_session_mem_recv(peer->session, octets, length) == (ssize_t)length);
}

struct octets etcd_peer_output(struct etcd_peer *peer)
{
    const uint8_t *frame;
    ssize_t length;

    if (peer->is_silent)
        return (struct octets){.start = NULL};
    if (!peer->answering.store->is_committing)
        feed_watches(peer);
    while ((length = nghttp2_session_mem_send(peer->session, &frame)) > 0)
        must(buffer_add(&peer->output, frame, (size_t)length));
    must(length == 0);
    return buffer_octets(&peer->output);
}

void etcd_peer_sent(struct etcd_peer *peer, size_t length)
{
    buffer_take(&peer->output, length);
}

/* A copy of its own size, so that reading behind it is seen. */
static uint8_t *copy_of(struct octets octets)
{
    uint8_t *copy = malloc(octets.length);

    must(copy != NULL);
    memcpy(copy, octets.start, octets.length);
    return copy;
}

static struct octets first(struct octets octets, size_t piece)
{
    if (piece > 0 && piece < octets.length)
        octets.length = piece;
    return octets;
}

bool etcd_peer_exchange(struct etcd_peer *peer, struct etcd_connection *connection, size_t piece,
                        struct err *err)
{
    for (unsigned turn = 0; turn < TURNS_MOST; turn++) {
        struct octets to_peer = first(etcd_connection_output(connection), piece);
        if (to_peer.length > 0) {
            etcd_peer_receive(peer, to_peer.start, to_peer.length);
            etcd_connection_sent(connection, to_peer.length);
        }
        struct octets to_client = first(etcd_peer_output(peer), piece);
        if (to_peer.length == 0 && to_client.length == 0)
            return true;
        if (to_client.length == 0)
            continue;
        uint8_t *octets = copy_of(to_client);
        bool is_well = etcd_connection_receive(connection, octets, to_client.length, err);
        etcd_peer_sent(peer, to_client.length);
        free(octets);
        if (!is_well)
            return false;
    }
    abort(); /* it has no end */
}

/* ---- what a test makes it do ---- */

void etcd_peer_set_silent(struct etcd_peer *peer, bool is_silent)
{
    peer->is_silent = is_silent;
}

void etcd_peer_send_progress(struct etcd_peer *peer)
{
    for (struct etcd_watching *watch = peer->watches; watch != NULL; watch = watch->next)
        if (watch->wants_progress)
            send_watch_message(peer, watch->stream, answer_progress(&peer->answering, watch));
}

void etcd_peer_lose_changes(struct etcd_peer *peer)
{
    for (struct etcd_watching *watch = peer->watches; watch != NULL; watch = watch->next)
        watch->next_revision = peer->answering.store->revision + 1;
}

void etcd_peer_cancel_watches(struct etcd_peer *peer, int64_t compact_revision, const char *reason)
{
    while (peer->watches != NULL) {
        send_watch_message(
            peer, peer->watches->stream,
            answer_canceled(&peer->answering, peer->watches->id, compact_revision, reason));
        drop_watch(&peer->watches);
    }
}

void etcd_peer_go_away(struct etcd_peer *peer, bool refuses_all, const char *reason)
{
    int32_t last = refuses_all ? 0 : nghttp2_session_get_last_proc_stream_id(peer->session);

    must(nghttp2_submit_goaway(peer->session, NGHTTP2_FLAG_NONE, last,
                               reason == NULL ? NGHTTP2_NO_ERROR : NGHTTP2_ENHANCE_YOUR_CALM,
                               (const uint8_t *)reason, reason == NULL ? 0 : strlen(reason)) == 0);
}

void etcd_peer_reset(struct etcd_peer *peer, uint32_t code)
{
    for (const struct stream *stream = peer->streams; stream != NULL; stream = stream->next)
        must(nghttp2_submit_rst_stream(peer->session, NGHTTP2_FLAG_NONE, stream->id, code) == 0);
}

void etcd_peer_end_streams(struct etcd_peer *peer, enum etcd_status status, const char *text)
{
    for (struct stream *stream = peer->streams; stream != NULL; stream = stream->next)
        if (!stream->has_status)
            end_stream(peer, stream, status, text);
}

/* ---- what it has seen ---- */

unsigned etcd_peer_calls(const struct etcd_peer *peer, enum etcd_method method)
{
    return peer->calls[method];
}

size_t etcd_peer_watches(const struct etcd_peer *peer)
{
    size_t count = 0;

    for (const struct etcd_watching *watch = peer->watches; watch != NULL; watch = watch->next)
        count++;
    return count;
}

unsigned etcd_peer_pings(const struct etcd_peer *peer)
{
    return peer->pings;
}

const char *etcd_peer_headers(const struct etcd_peer *peer)
{
    return peer->headers;
}

void etcd_peer_windows(const struct etcd_peer *peer, int32_t *connection, int32_t *stream)
{
    *connection = nghttp2_session_get_remote_window_size(peer->session);
    *stream = (int32_t)nghttp2_session_get_remote_settings(peer->session,
                                                           NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE);
}
