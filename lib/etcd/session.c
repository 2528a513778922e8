#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "etcd/connection_state.h"

enum {
    STREAM_WINDOW = 4 << 20,
    CONNECTION_WINDOW = 8 << 20,
    FRAME_MOST = 1 << 20,    /* octets of DATA in a frame of theirs */
    HEADERS_MOST = 64 << 10, /* octets of one block, as HTTP counts them */
    HEADER_OVERHEAD = 32,    /* RFC 9113 section 10.5.1 */
    HTTP_OK = 200,
    REQUEST_HEADERS_MOST = 10,
};

/* ---- calls ---- */

static struct call **find_call(struct etcd_connection *connection, int32_t stream)
{
    struct call **link = &connection->calls;

    while (*link != NULL && (*link)->stream != stream)
        link = &(*link)->next;
    return link;
}

struct call *calls_find(struct etcd_connection *connection, int32_t stream)
{
    return *find_call(connection, stream);
}

/* Takes a call out of the list. While octets are received, they and its text are still read. */
void calls_remove(struct etcd_connection *connection, struct call *call)
{
    *find_call(connection, call->stream) = call->next;
    if (connection->is_receiving) {
        call->next = connection->ended;
        connection->ended = call;
    } else {
        call_free(call);
    }
}

void calls_free(struct call **list)
{
    while (*list != NULL) {
        struct call *call = *list;
        *list = call->next;
        call_free(call);
    }
}

/* Takes a call out, and notifies its end; nothing comes from it any more. */
static void end_call(struct etcd_connection *connection, struct call *call, enum etcd_status status,
                     const char *text)
{
    calls_remove(connection, call);
    connection->listener.on_end(connection->listener.context, (uint32_t)call->stream, status, text);
}

/* The same, while the member may still send or wait for more. */
static void break_call(struct etcd_connection *connection, struct call *call,
                       enum etcd_status status, const char *text)
{
    if (nghttp2_submit_rst_stream(connection->session, NGHTTP2_FLAG_NONE, call->stream,
                                  NGHTTP2_CANCEL) != 0)
        connection_break_without_memory(connection);
    end_call(connection, call, status, text);
}

/* ---- what nghttp2 calls ---- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct etcd_connection *connection = context;

    (void)session, (void)frame;
    connection->block_octets = 0;
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, // NOLINT: its form
                     const uint8_t *name, size_t name_length, const uint8_t *value,
                     size_t value_length, uint8_t flags, void *context)
{
    struct etcd_connection *connection = context;
    struct call *call = calls_find(connection, frame->hd.stream_id);
    struct err why;

    (void)session, (void)flags;
    connection->block_octets += name_length + value_length + HEADER_OVERHEAD;
    if (connection->block_octets > HEADERS_MOST) {
        err_set(&why, ERR_LIMIT,
                "it sent more than %d KB of headers; check what answers at this port",
                HEADERS_MOST >> 10);
        connection_break(connection, why);
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (call != NULL)
        call_take_header(call, (struct octets){.start = name, .length = name_length},
                         (struct octets){.start = value, .length = value_length});
    return 0;
}

static void refuse_message(struct etcd_connection *connection, struct call *call,
                           enum call_input input)
{
    char text[ETCD_STATUS_TEXT_MOST + 1];

    switch (input) {
    case CALL_TOO_LONG:
        snprintf(text, sizeof text, "a message of %zu octets, where %zu are the most",
                 call->message_length, connection->options.message_most);
        break_call(connection, call, ETCD_RESOURCE_EXHAUSTED, text);
        return;
    case CALL_COMPRESSED:
        break_call(connection, call, ETCD_INTERNAL,
                   "a compressed message, which was not asked for");
        return;
    case CALL_NO_MEMORY:
        connection_break_without_memory(connection);
        return;
    case CALL_WAITS:
    case CALL_MESSAGE:
        return;
    }
}

/* Every turn takes at least the head of a message. */
static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *start,
                   size_t length, void *context)
{
    struct etcd_connection *connection = context;
    const struct etcd_listener *listener = &connection->listener;
    struct octets octets = {.start = start, .length = length}, message;
    struct call *call;

    (void)session, (void)flags;
    while ((call = calls_find(connection, stream)) != NULL && octets.length > 0) {
        if (call->http_status != HTTP_OK)
            return 0; /* a proxy's page */
        enum call_input input =
            call_take_octets(call, &octets, connection->options.message_most, &message);
        if (input == CALL_MESSAGE)
            listener->on_message(listener->context, (uint32_t)stream, message.start,
                                 message.length);
        else if (input != CALL_WAITS)
            refuse_message(connection, call, input);
    }
    return connection->is_broken ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

/* The response is over. A call that we keep open would otherwise wait for us. */
static void finish(struct etcd_connection *connection, struct call *call)
{
    char page[64];
    const char *text;
    enum etcd_status status = call_status(call, &text);

    if (call->grpc_status < 0 && call->http_status != HTTP_OK) {
        snprintf(page, sizeof page, "status %d of HTTP, and none of etcd", call->http_status);
        text = page;
    }
    if (call->keeps_open || buffer_length(&call->output) > 0)
        break_call(connection, call, status, text);
    else
        end_call(connection, call, status, text);
}

static void take_settings(struct etcd_connection *connection)
{
    if (connection->is_ready)
        return;
    connection->is_ready = true;
    connection->listener.on_ready(connection->listener.context);
}

static void take_goaway(struct etcd_connection *connection, const nghttp2_goaway *goaway)
{
    char reason[160];
    struct text text = text_over(reason, sizeof reason - 1);

    escape_add(&text, (const char *)goaway->opaque_data, goaway->opaque_data_len);
    *text.next = '\0';
    connection->is_leaving = true;
    err_set(&connection->why, ERR_SYSTEM, "it ends the connection (%s%s%s)",
            nghttp2_http2_strerror(goaway->error_code), reason[0] != '\0' ? ": " : "", reason);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct etcd_connection *connection = context;
    struct call *call = calls_find(connection, frame->hd.stream_id);
    bool is_ack = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;

    (void)session;
    switch (frame->hd.type) {
    case NGHTTP2_SETTINGS:
        if (!is_ack)
            take_settings(connection);
        break;
    case NGHTTP2_PING:
        if (is_ack)
            connection->listener.on_pong(connection->listener.context);
        break;
    case NGHTTP2_GOAWAY:
        take_goaway(connection, &frame->goaway);
        break;
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
        if (call != NULL && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
            finish(connection, call);
        break;
    default: /* frame types of HTTP/2 */
        break;
    }
    return connection->is_broken ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static enum etcd_status status_of_reset(uint32_t code)
{
    switch (code) {
    case NGHTTP2_CANCEL:
        return ETCD_CANCELLED;
    case NGHTTP2_REFUSED_STREAM:
        return ETCD_UNAVAILABLE;
    case NGHTTP2_ENHANCE_YOUR_CALM:
        return ETCD_RESOURCE_EXHAUSTED;
    default: /* error codes of HTTP/2 */
        return ETCD_INTERNAL;
    }
}

static void end_lost_call(struct etcd_connection *connection, struct call *call, uint32_t code)
{
    char text[80];

    snprintf(text, sizeof text, "the member has reset the call (%s)", nghttp2_http2_strerror(code));
    end_call(connection, call, status_of_reset(code),
             code == NGHTTP2_REFUSED_STREAM && connection->is_leaving ? "the member goes away"
                                                                      : text);
}

/* The member has reset a stream, or will not serve it. While frames are sent nobody is notified:
 * who made a new call each time would do so without end. */
static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t code, void *context)
{
    struct etcd_connection *connection = context;
    struct call *call = calls_find(connection, stream);

    (void)session;
    if (call != NULL && connection->is_feeding) {
        end_lost_call(connection, call, code);
    } else if (call != NULL) {
        call->is_lost = true;
        call->lost_code = code;
    }
    return 0;
}

void session_end_lost_calls(struct etcd_connection *connection)
{
    struct call *call = connection->calls;

    while (call != NULL) {
        if (call->is_lost) {
            end_lost_call(connection, call, call->lost_code);
            call = connection->calls; /* who was notified may have changed the list */
        } else {
            call = call->next;
        }
    }
}

/* A request that may not be sent any more. */
static int on_not_sent(nghttp2_session *session, const nghttp2_frame *frame, int error,
                       void *context)
{
    struct call *call = calls_find(context, frame->hd.stream_id);

    (void)session, (void)error;
    if (frame->hd.type == NGHTTP2_HEADERS && call != NULL) {
        call->is_lost = true;
        call->lost_code = NGHTTP2_REFUSED_STREAM;
    }
    return 0;
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error,
                            void *context)
{
    struct etcd_connection *connection = context;

    (void)session;
    if (frame->hd.stream_id == 0 || nghttp2_is_fatal(error) != 0)
        err_set(&connection->why, ERR_SYNTAX,
                "it breaks the rules of HTTP/2 (%s); check what answers at this port",
                nghttp2_strerror(error));
    return 0;
}

static ssize_t read_request(nghttp2_session *session, int32_t stream, // NOLINT: its form
                            uint8_t *room, size_t most, uint32_t *flags,
                            nghttp2_data_source *source, void *context)
{
    struct call *call = calls_find(context, stream);

    (void)session, (void)source;
    if (call == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* canceled: resets it */
    struct octets waiting = buffer_octets(&call->output);
    size_t taken = waiting.length < most ? waiting.length : most;
    if (taken == 0 && call->keeps_open)
        return NGHTTP2_ERR_DEFERRED;
    if (taken > 0)
        memcpy(room, waiting.start, taken);
    buffer_take(&call->output, taken);
    if (taken == waiting.length && !call->keeps_open)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)taken;
}

/* ---- beginning ---- */

static nghttp2_session *make_session(struct etcd_connection *connection)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_session *session = NULL;

    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        return NULL;
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_not_sent);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    if (nghttp2_session_client_new(&session, callbacks, connection) != 0)
        session = NULL;
    nghttp2_session_callbacks_del(callbacks);
    return session;
}

static bool submit_settings(nghttp2_session *session)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, FRAME_MOST},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HEADERS_MOST},
    };

    return nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings,
                                   sizeof settings / sizeof *settings) == 0 &&
           nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0,
                                                 CONNECTION_WINDOW) == 0;
}

nghttp2_session *session_new(struct etcd_connection *connection)
{
    nghttp2_session *session = make_session(connection);

    if (session != NULL && submit_settings(session))
        return session;
    nghttp2_session_del(session);
    return NULL;
}

/* ---- requests ---- */

static nghttp2_nv header(const char *name, const char *value, uint8_t flags)
{
    return (nghttp2_nv){.name = (uint8_t *)name,
                        .namelen = strlen(name),
                        .value = (uint8_t *)value,
                        .valuelen = strlen(value),
                        .flags = flags};
}

int32_t session_submit(struct etcd_connection *connection, enum etcd_method method)
{
    const nghttp2_data_provider provider = {.read_callback = read_request};
    nghttp2_nv headers[REQUEST_HEADERS_MOST] = {
        header(":method", "POST", NGHTTP2_NV_FLAG_NONE),
        header(":scheme", connection->tls != NULL ? "https" : "http", NGHTTP2_NV_FLAG_NONE),
        header(":path", etcd_method_path(method), NGHTTP2_NV_FLAG_NONE),
        header(":authority", connection->authority, NGHTTP2_NV_FLAG_NONE),
        header("content-type", "application/grpc", NGHTTP2_NV_FLAG_NONE),
        header("user-agent", "spacedns/" SPACEDNS_VERSION, NGHTTP2_NV_FLAG_NONE),
        header("te", "trailers", NGHTTP2_NV_FLAG_NONE),
    };
    size_t count = 7;

    if (connection->options.wants_leader)
        headers[count++] = header("hasleader", "true", NGHTTP2_NV_FLAG_NONE);
    if (connection->token != NULL)
        headers[count++] = header("token", connection->token, NGHTTP2_NV_FLAG_NO_INDEX);
    return nghttp2_submit_request(connection->session, NULL, headers, count, &provider, NULL);
}
