#include "etcd/connection.h"

#include <assert.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/endpoint.h"
#include "base/escape.h"
#include "etcd/call.h"
#include "etcd/greeting.h"

enum {
    STREAM_WINDOW = 4 << 20,
    CONNECTION_WINDOW = 8 << 20,
    FRAME_MOST = 1 << 20,     /* octets of DATA in a frame of theirs */
    HEADERS_MOST = 64 << 10,  /* octets of one block, as HTTP counts them */
    HEADER_OVERHEAD = 32,     /* RFC 9113 section 10.5.1 */
    OUTPUT_MOST = 64 << 10,   /* gathered before it is sent */
    PLAIN_OCTETS = 16 << 10,  /* deciphered at once */
    RECORD_OCTETS = 17 << 10, /* of TLS, taken at once */
    REQUEST_HEADERS_MOST = 10,
    AUTHORITY_MOST = 253 + sizeof "[]:65535",
};

struct etcd_connection {
    struct etcd_connection_options options;
    struct etcd_listener listener;
    nghttp2_session *session;
    struct tls *tls; /* NULL: plain */
    struct greeting greeting;
    struct call *calls;
    struct call *ended; /* while octets are received, which may be theirs */
    char *token;        /* NULL: none */
    char authority[AUTHORITY_MOST];
    struct buffer plain;  /* of HTTP/2, to be encrypted */
    struct buffer output; /* to be sent */
    size_t block_octets;  /* of the headers that are being read */
    bool is_ready;
    bool is_leaving;
    bool is_broken;
    bool is_receiving;
    struct err why; /* it is broken */
};

const char *etcd_library(void)
{
    return "nghttp2 " NGHTTP2_VERSION;
}

/* ---- ends ---- */

/* Keeps the first cause. Always returns false. */
static bool break_off(struct etcd_connection *connection, struct err why)
{
    if (!connection->is_broken)
        connection->why = why;
    connection->is_broken = true;
    connection->is_ready = false;
    return false;
}

static bool break_without_memory(struct etcd_connection *connection)
{
    struct err why;

    err_set(&why, ERR_MEMORY, "out of memory for the connection to etcd");
    return break_off(connection, why);
}

static struct call **find_call(struct etcd_connection *connection, int32_t stream)
{
    struct call **link = &connection->calls;

    while (*link != NULL && (*link)->stream != stream)
        link = &(*link)->next;
    return link;
}

static struct call *call_of(struct etcd_connection *connection, int32_t stream)
{
    return *find_call(connection, stream);
}

/* Takes a call out of the list. While octets are received, they and its text are still read. */
static void remove_call(struct etcd_connection *connection, struct call *call)
{
    *find_call(connection, call->stream) = call->next;
    if (connection->is_receiving) {
        call->next = connection->ended;
        connection->ended = call;
    } else {
        call_free(call);
    }
}

static void free_calls(struct call **list)
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
    remove_call(connection, call);
    connection->listener.on_end(connection->listener.context, (uint32_t)call->stream, status, text);
}

/* The same, while the member may still send or wait for more. */
static void break_call(struct etcd_connection *connection, struct call *call,
                       enum etcd_status status, const char *text)
{
    if (nghttp2_submit_rst_stream(connection->session, NGHTTP2_FLAG_NONE, call->stream,
                                  NGHTTP2_CANCEL) != 0)
        break_without_memory(connection);
    end_call(connection, call, status, text);
}

/* Ends calls that could not be sent, and those that wait behind them. */
static void end_lost_calls(struct etcd_connection *connection)
{
    struct call *call = connection->calls;

    while (call != NULL) {
        if (call->is_lost) {
            end_call(connection, call, ETCD_UNAVAILABLE, "the member goes away");
            call = connection->calls; /* who was notified may have changed the list */
        } else {
            call = call->next;
        }
    }
}

/* ---- what nghttp2 calls ---- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct etcd_connection *connection = context;

    (void)session, (void)frame;
    connection->block_octets = 0;
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags,
                     void *context)
{
    struct etcd_connection *connection = context;
    struct call *call = call_of(connection, frame->hd.stream_id);
    struct err why;

    (void)session, (void)flags;
    connection->block_octets += name_length + value_length + HEADER_OVERHEAD;
    if (connection->block_octets > HEADERS_MOST) {
        err_set(&why, ERR_LIMIT,
                "it sent more than %d KB of headers; check what answers at this port",
                HEADERS_MOST >> 10);
        break_off(connection, why);
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
        break_without_memory(connection);
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
    while ((call = call_of(connection, stream)) != NULL && octets.length > 0) {
        if (call->http_status != 200)
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

    if (call->grpc_status < 0 && call->http_status != 200) {
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
    struct call *call = call_of(connection, frame->hd.stream_id);
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

/* The member has reset a stream, or will not serve it because it goes away. */
static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t code, void *context)
{
    struct etcd_connection *connection = context;
    struct call *call = call_of(connection, stream);
    char text[80];

    (void)session;
    if (call == NULL)
        return 0;
    snprintf(text, sizeof text, "the member has reset the call (%s)", nghttp2_http2_strerror(code));
    if (!connection->is_receiving) {
        call->is_lost = true;
        return 0;
    }
    end_call(connection, call, status_of_reset(code),
             connection->is_leaving && code == NGHTTP2_REFUSED_STREAM ? "the member goes away"
                                                                      : text);
    return 0;
}

/* A request that may not be sent any more. */
static int on_not_sent(nghttp2_session *session, const nghttp2_frame *frame, int error,
                       void *context)
{
    struct call *call = call_of(context, frame->hd.stream_id);

    (void)session, (void)error;
    if (frame->hd.type == NGHTTP2_HEADERS && call != NULL)
        call->is_lost = true;
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

static ssize_t read_request(nghttp2_session *session, int32_t stream, uint8_t *room, size_t most,
                            uint32_t *flags, nghttp2_data_source *source, void *context)
{
    struct call *call = call_of(context, stream);

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

/* ---- beginning and end ---- */

static nghttp2_session *new_session(struct etcd_connection *connection)
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

static bool begin_tls(struct etcd_connection *connection)
{
    const struct etcd_connection_options *options = &connection->options;
    struct endpoint endpoint;
    bool is_address = endpoint_read(options->host, options->port, &endpoint);

    if (options->trust == NULL)
        return true;
    if (!is_address)
        endpoint = (struct endpoint){.any.sa_family = AF_UNSPEC};
    connection->tls = tls_new(options->trust, is_address ? NULL : options->host, &endpoint);
    return connection->tls != NULL && tls_begin(connection->tls);
}

static void write_authority(struct etcd_connection *connection)
{
    const struct etcd_connection_options *options = &connection->options;
    bool is_ipv6 = strchr(options->host, ':') != NULL;

    snprintf(connection->authority, sizeof connection->authority, is_ipv6 ? "[%s]:%u" : "%s:%u",
             options->host, (unsigned)options->port);
}

struct etcd_connection *etcd_connection_new(const struct etcd_connection_options *options,
                                            const struct etcd_listener *listener, struct err *err)
{
    struct etcd_connection *connection = calloc(1, sizeof *connection);

    if (connection != NULL) {
        connection->options = *options;
        if (options->message_most == 0)
            connection->options.message_most = ETCD_MESSAGE_MOST;
        connection->listener = *listener;
        write_authority(connection);
        connection->session = new_session(connection);
        if (connection->session != NULL && submit_settings(connection->session) &&
            begin_tls(connection))
            return connection;
    }
    etcd_connection_free(connection);
    err_set(err, ERR_MEMORY, "out of memory for a connection to etcd");
    return NULL;
}

void etcd_connection_free(struct etcd_connection *connection)
{
    if (connection == NULL)
        return;
    assert(!connection->is_receiving);
    nghttp2_session_del(connection->session);
    tls_free(connection->tls);
    free_calls(&connection->calls);
    buffer_close(&connection->plain);
    buffer_close(&connection->output);
    free(connection->token);
    free(connection);
}

/* ---- output ---- */

/* Moves TLS records into the output. */
static bool take_records(struct etcd_connection *connection)
{
    uint8_t *room;
    size_t taken;

    do {
        if ((room = buffer_room(&connection->output, RECORD_OCTETS)) == NULL)
            return false;
        taken = tls_take(connection->tls, room, RECORD_OCTETS);
        buffer_commit(&connection->output, taken);
    } while (taken > 0);
    return true;
}

static bool encrypt(struct etcd_connection *connection)
{
    struct octets plain = buffer_octets(&connection->plain);

    if (plain.length > 0 && !tls_write(connection->tls, plain.start, plain.length))
        return false;
    buffer_take(&connection->plain, plain.length);
    return true;
}

/* Gathers frames of HTTP/2. */
static bool gather(struct etcd_connection *connection, struct buffer *to)
{
    const uint8_t *frame;
    ssize_t length = 1;

    while (length > 0 && buffer_length(to) < OUTPUT_MOST) {
        length = nghttp2_session_mem_send(connection->session, &frame);
        if (length < 0 || (length > 0 && !buffer_add(to, frame, (size_t)length)))
            return false;
    }
    return true;
}

static void fill_output(struct etcd_connection *connection)
{
    bool is_well = true;

    if (connection->tls == NULL)
        is_well = gather(connection, &connection->output);
    else if (tls_is_open(connection->tls) && buffer_length(&connection->output) < OUTPUT_MOST)
        is_well = gather(connection, &connection->plain) && encrypt(connection);
    if (connection->tls != NULL)
        is_well = take_records(connection) && is_well;
    if (!is_well)
        break_without_memory(connection);
}

struct octets etcd_connection_output(struct etcd_connection *connection)
{
    /* nghttp2 may not be asked for frames while it reads some; the end of receive does. */
    if (!connection->is_receiving && !connection->is_broken)
        fill_output(connection);
    return buffer_octets(&connection->output);
}

void etcd_connection_sent(struct etcd_connection *connection, size_t length)
{
    buffer_take(&connection->output, length);
}

/* ---- input ---- */

static bool fail_tls(struct etcd_connection *connection)
{
    struct tls_failure failure = tls_failure(connection->tls);
    struct err why;

    switch (failure.kind) {
    case TLS_NAME_MISMATCH:
    case TLS_ADDRESS_MISMATCH:
        err_set(&why, ERR_RULE,
                "its certificate is not for %s (%s); name the endpoint as its certificate does, or "
                "have one made that has this name",
                connection->options.host, failure.text);
        break;
    case TLS_OUT_OF_DATE:
        err_set(&why, ERR_RULE,
                "its certificate is not accepted: %s; have it renewed, or set this host's clock "
                "right",
                failure.text);
        break;
    case TLS_UNKNOWN_ISSUER:
        err_set(&why, ERR_RULE,
                "its certificate is not accepted: %s; name the file of its issuer in registry.ca",
                failure.text);
        break;
    case TLS_NOT_TLS:
        err_set(&why, ERR_RULE,
                "it does not speak TLS here; write http:// before the endpoint, or "
                "give etcd a certificate (--cert-file)");
        break;
    case TLS_WANTS_CERTIFICATE:
        err_set(&why, ERR_RULE,
                "it does not accept our certificate (%s); name one in registry.certificate and "
                "registry.key that an issuer of its --trusted-ca-file has signed, for clients",
                failure.text);
        break;
    case TLS_OTHER_FAILURE:
        err_set(&why, ERR_SYSTEM, "TLS fails: %s; check that etcd is what answers at this port",
                failure.text);
        break;
    }
    return break_off(connection, why);
}

static bool fail_session(struct etcd_connection *connection, int error)
{
    struct err why;

    if (error == NGHTTP2_ERR_NOMEM)
        return break_without_memory(connection);
    err_set(&why, ERR_SYNTAX, "it breaks the rules of HTTP/2 (%s); check what answers at this port",
            nghttp2_strerror(error));
    return break_off(connection, why);
}

static bool feed_session(struct etcd_connection *connection, const uint8_t *octets, size_t length)
{
    ssize_t taken = nghttp2_session_mem_recv(connection->session, octets, length);

    if (taken < 0)
        return fail_session(connection, (int)taken);
    return !connection->is_broken;
}

/* Looks at the first octets before HTTP/2 does. */
static bool feed(struct etcd_connection *connection, const uint8_t *octets, size_t length)
{
    struct greeting *greeting = &connection->greeting;
    struct err why;

    while (greeting->length < GREETING_OCTETS && length > 0) {
        if (!greeting_add(greeting, *octets, &why))
            return break_off(connection, why);
        octets++, length--;
        if (greeting->length == GREETING_OCTETS &&
            !feed_session(connection, greeting->octets, GREETING_OCTETS))
            return false;
    }
    return length == 0 || feed_session(connection, octets, length);
}

static bool fail_protocol(struct etcd_connection *connection)
{
    struct err why;

    err_set(&why, ERR_SYNTAX,
            "it speaks TLS and not HTTP/2; name the port for clients of etcd "
            "(--listen-client-urls), without a proxy between");
    return break_off(connection, why);
}

static bool feed_tls(struct etcd_connection *connection, const uint8_t *octets, size_t length)
{
    uint8_t plain[PLAIN_OCTETS];
    size_t plain_length;
    enum tls_status status;
    struct err why;

    if (!tls_put(connection->tls, octets, length))
        return break_without_memory(connection);
    while ((status = tls_read(connection->tls, plain, sizeof plain, &plain_length)) == TLS_READ) {
        if (!tls_has_protocol(connection->tls))
            return fail_protocol(connection);
        if (!feed(connection, plain, plain_length))
            return false;
    }
    switch (status) {
    case TLS_READ:
    case TLS_WAITING:
        return true;
    case TLS_ENDED:
        etcd_connection_ended(connection, false, &why);
        return break_off(connection, why);
    case TLS_FAILED:
        return fail_tls(connection);
    }
    return true;
}

/* Once nothing can come any more: it has announced its end and served all calls, or broken a rule.
 */
static void end_if_done(struct etcd_connection *connection)
{
    struct err why = connection->why;

    if (nghttp2_session_want_read(connection->session) != 0 || connection->is_broken)
        return;
    if (why.code == ERR_NONE)
        err_set(&why, ERR_SYNTAX, "it breaks the rules of HTTP/2; check what answers at this port");
    break_off(connection, why);
}

bool etcd_connection_receive(struct etcd_connection *connection, const uint8_t *octets,
                             size_t length, struct err *err)
{
    bool is_well = !connection->is_broken;

    connection->is_receiving = true;
    if (is_well)
        is_well = connection->tls != NULL ? feed_tls(connection, octets, length)
                                          : feed(connection, octets, length);
    if (is_well)
        fill_output(connection);
    else if (connection->tls != NULL)
        take_records(connection); /* an alert of ours */
    if (is_well)
        end_lost_calls(connection);
    connection->is_receiving = false;
    free_calls(&connection->ended);
    end_if_done(connection);
    if (connection->is_broken)
        *err = connection->why;
    return !connection->is_broken;
}

void etcd_connection_ended(const struct etcd_connection *connection, bool is_reset, struct err *err)
{
    const char *how = is_reset ? "it has reset the connection" : "it has closed the connection";

    if (connection->is_broken || connection->is_leaving)
        *err = connection->why;
    else if (connection->is_ready)
        err_set(err, ERR_SYSTEM, "%s", how);
    else if (connection->tls != NULL && !tls_is_open(connection->tls))
        err_set(err, ERR_SYSTEM,
                "%s during the handshake of TLS; check that etcd serves TLS at this port, or write "
                "http:// before the endpoint",
                how);
    else
        err_set(err, ERR_SYSTEM,
                "%s before a word of HTTP/2; check that etcd is what answers at this port%s", how,
                connection->tls == NULL ? ", and write https:// if it wants TLS" : "");
}

bool etcd_connection_is_ready(const struct etcd_connection *connection)
{
    return connection->is_ready;
}

bool etcd_connection_is_leaving(const struct etcd_connection *connection)
{
    return connection->is_leaving;
}

/* ---- calls ---- */

static nghttp2_nv header(const char *name, const char *value, uint8_t flags)
{
    return (nghttp2_nv){.name = (uint8_t *)name,
                        .namelen = strlen(name),
                        .value = (uint8_t *)value,
                        .valuelen = strlen(value),
                        .flags = flags};
}

/* Returns the stream, or a negative number. */
static int32_t submit(struct etcd_connection *connection, enum etcd_method method)
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

uint32_t etcd_connection_call(struct etcd_connection *connection, enum etcd_method method,
                              const void *message, size_t length, bool keeps_open)
{
    if (connection->is_broken || connection->is_leaving)
        return 0;
    struct call *call = call_new(keeps_open);
    if (call == NULL || !call_add_request(call, message, length) ||
        (call->stream = submit(connection, method)) <= 0) {
        call_free(call);
        return 0;
    }
    call->next = connection->calls;
    connection->calls = call;
    return (uint32_t)call->stream;
}

bool etcd_connection_send(struct etcd_connection *connection, uint32_t number, const void *message,
                          size_t length)
{
    struct call *call = call_of(connection, (int32_t)number);

    if (call == NULL || !call->keeps_open || !call_add_request(call, message, length))
        return false;
    /* Fails for a stream that still waits to be opened, or sends already: both read it later. */
    nghttp2_session_resume_data(connection->session, call->stream);
    return true;
}

void etcd_connection_cancel(struct etcd_connection *connection, uint32_t number)
{
    struct call *call = call_of(connection, (int32_t)number);

    if (call == NULL)
        return;
    if (nghttp2_submit_rst_stream(connection->session, NGHTTP2_FLAG_NONE, call->stream,
                                  NGHTTP2_CANCEL) != 0)
        break_without_memory(connection);
    remove_call(connection, call);
}

void etcd_connection_ping(struct etcd_connection *connection)
{
    if (!connection->is_broken &&
        nghttp2_submit_ping(connection->session, NGHTTP2_FLAG_NONE, NULL) != 0)
        break_without_memory(connection);
}

bool etcd_connection_set_token(struct etcd_connection *connection, const char *token)
{
    char *copy = token == NULL ? NULL : strdup(token);

    if (token != NULL && copy == NULL)
        return false;
    free(connection->token);
    connection->token = copy;
    return true;
}
