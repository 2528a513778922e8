#include "etcd/connection.h"

#include <assert.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/endpoint.h"
#include "etcd/connection_state.h"

enum {
    OUTPUT_MOST = 64 << 10,   /* gathered before it is sent */
    PLAIN_OCTETS = 16 << 10,  /* deciphered at once */
    RECORD_OCTETS = 17 << 10, /* of TLS, taken at once */
};

const char *etcd_library(void)
{
    return "nghttp2 " NGHTTP2_VERSION;
}

/* ---- ends ---- */

/* Keeps the first cause. Always returns false. */
bool connection_break(struct etcd_connection *connection, struct err why)
{
    if (!connection->is_broken)
        connection->why = why;
    connection->is_broken = true;
    connection->is_ready = false;
    return false;
}

bool connection_break_without_memory(struct etcd_connection *connection)
{
    struct err why;

    err_set(&why, ERR_MEMORY, "out of memory for the connection to etcd");
    return connection_break(connection, why);
}

/* ---- beginning and end ---- */

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
        connection->session = session_new(connection);
        if (connection->session != NULL && begin_tls(connection))
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
    calls_free(&connection->calls);
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
        connection_break_without_memory(connection);
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
    return connection_break(connection, why);
}

static bool fail_session(struct etcd_connection *connection, int error)
{
    struct err why;

    if (error == NGHTTP2_ERR_NOMEM)
        return connection_break_without_memory(connection);
    err_set(&why, ERR_SYNTAX, "it breaks the rules of HTTP/2 (%s); check what answers at this port",
            nghttp2_strerror(error));
    return connection_break(connection, why);
}

static bool feed_session(struct etcd_connection *connection, const uint8_t *octets, size_t length)
{
    connection->is_feeding = true;
    ssize_t taken = nghttp2_session_mem_recv(connection->session, octets, length);
    connection->is_feeding = false;

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
            return connection_break(connection, why);
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
    return connection_break(connection, why);
}

static bool feed_tls(struct etcd_connection *connection, const uint8_t *octets, size_t length)
{
    uint8_t plain[PLAIN_OCTETS];
    size_t plain_length;
    enum tls_status status;
    struct err why;

    if (!tls_put(connection->tls, octets, length))
        return connection_break_without_memory(connection);
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
        return connection_break(connection, why);
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
    connection_break(connection, why);
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
        session_end_lost_calls(connection);
    connection->is_receiving = false;
    calls_free(&connection->ended);
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

uint32_t etcd_connection_call(struct etcd_connection *connection, enum etcd_method method,
                              const void *message, size_t length, bool keeps_open)
{
    if (connection->is_broken || connection->is_leaving ||
        nghttp2_session_check_request_allowed(connection->session) == 0)
        return 0;
    struct call *call = call_new(keeps_open);
    if (call == NULL || !call_add_request(call, message, length) ||
        (call->stream = session_submit(connection, method)) <= 0) {
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
    struct call *call = calls_find(connection, (int32_t)number);

    if (call == NULL || !call->keeps_open || !call_add_request(call, message, length))
        return false;
    /* Fails for a stream that still waits to be opened, or sends already: both read it later. */
    nghttp2_session_resume_data(connection->session, call->stream);
    return true;
}

void etcd_connection_cancel(struct etcd_connection *connection, uint32_t number)
{
    struct call *call = calls_find(connection, (int32_t)number);

    if (call == NULL)
        return;
    if (nghttp2_submit_rst_stream(connection->session, NGHTTP2_FLAG_NONE, call->stream,
                                  NGHTTP2_CANCEL) != 0)
        connection_break_without_memory(connection);
    calls_remove(connection, call);
}

void etcd_connection_ping(struct etcd_connection *connection)
{
    if (!connection->is_broken &&
        nghttp2_submit_ping(connection->session, NGHTTP2_FLAG_NONE, NULL) != 0)
        connection_break_without_memory(connection);
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
