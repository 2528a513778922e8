#include "spacedns/etcd_client.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "config/registry_endpoint.h"
#include "etcd/buffer.h"
#include "spacedns/etcd_sentence.h"
#include "spacedns/etcd_socket.h"

enum { CAUSE_OCTETS = 160 };

static const uint64_t second_ns = 1000000000, connect_seconds = 3, reply_seconds = 10;

struct etcd_client {
    const struct etcd_client_options *options;
    struct tls_trust *trust; /* NULL: made at the first endpoint of https */
    struct etcd_socket socket;
    size_t next; /* endpoint to be tried */
    char endpoint[REGISTRY_ENDPOINT_OCTETS];
    bool is_ready;
    bool has_token;
    /* the call under way */
    uint32_t call;
    bool is_done;
    bool has_response;
    bool has_no_memory;
    struct buffer response;
    enum etcd_status status;
    char text[ETCD_STATUS_TEXT_MOST + 1];
};

/* How a call to one member went. */
enum outcome {
    OUTCOME_DONE,
    OUTCOME_REFUSED,   /* etcd has answered with an error, which is in status and text */
    OUTCOME_UNSENT,    /* it was surely not done */
    OUTCOME_UNCERTAIN, /* it may have been done */
};

/* ---- the connection's listener ---- */

static void on_ready(void *context)
{
    struct etcd_client *client = context;

    client->is_ready = true;
}

static void on_message(void *context, uint32_t call, const uint8_t *octets, size_t length)
{
    struct etcd_client *client = context;

    if (call != client->call)
        return;
    buffer_take(&client->response, buffer_length(&client->response));
    client->has_response = true;
    client->has_no_memory = !buffer_add(&client->response, octets, length);
}

static void on_end(void *context, uint32_t call, enum etcd_status status, const char *text)
{
    struct etcd_client *client = context;

    if (call != client->call)
        return;
    client->is_done = true;
    client->status = status;
    snprintf(client->text, sizeof client->text, "%s", text);
}

static void on_pong(void *context)
{
    (void)context;
}

/* ---- connecting ---- */

static bool make_trust(struct etcd_client *client, struct err *err)
{
    const struct tls_trust_options options = {.purpose = "the registry",
                                              .protocol = "h2",
                                              .ca = client->options->ca,
                                              .certificate = client->options->certificate,
                                              .key = client->options->key};

    if (client->trust == NULL)
        client->trust = tls_trust_new(&options, err);
    return client->trust != NULL;
}

static bool connect_next(struct etcd_client *client, struct err *err)
{
    const struct etcd_listener listener = {.on_ready = on_ready,
                                           .on_message = on_message,
                                           .on_end = on_end,
                                           .on_pong = on_pong,
                                           .context = client};
    uint64_t deadline = clock_monotonic_ns() + connect_seconds * second_ns;
    const char *text = client->options->endpoints[client->next];
    struct registry_endpoint endpoint;

    snprintf(client->endpoint, sizeof client->endpoint, "%s", text);
    client->next = (client->next + 1) % client->options->endpoint_count;
    client->is_ready = client->has_token = false;
    if (!registry_endpoint_read(text, &endpoint, err))
        return false;
    if (endpoint.scheme == REGISTRY_NO_SCHEME)
        endpoint.scheme = client->options->ca != NULL || client->options->certificate != NULL
                              ? REGISTRY_HTTPS
                              : REGISTRY_HTTP;
    registry_endpoint_write(&endpoint, client->endpoint);
    bool is_tls = endpoint.scheme == REGISTRY_HTTPS;
    if (is_tls && !make_trust(client, err))
        return false;
    return etcd_socket_open(&client->socket, &endpoint, is_tls ? client->trust : NULL, &listener,
                            deadline, err) &&
           etcd_socket_wait(&client->socket, &client->is_ready, deadline, err);
}

/* ---- one call to one member ---- */

static enum outcome try_call(struct etcd_client *client, enum etcd_method method,
                             struct octets request, struct err *err)
{
    uint64_t deadline = clock_monotonic_ns() + reply_seconds * second_ns;

    client->is_done = client->has_response = client->has_no_memory = false;
    client->status = ETCD_UNAVAILABLE;
    client->call = etcd_connection_call(client->socket.connection, method, request.start,
                                        request.length, false);
    if (client->call == 0) {
        err_set(err, ERR_SYSTEM, "the member goes away; try again");
        return OUTCOME_UNSENT;
    }
    if (!etcd_socket_wait(&client->socket, &client->is_done, deadline, err))
        return OUTCOME_UNCERTAIN;
    if (client->status != ETCD_OK)
        return OUTCOME_REFUSED;
    if (client->has_response && !client->has_no_memory)
        return OUTCOME_DONE;
    err_set(err, client->has_no_memory ? ERR_MEMORY : ERR_SYNTAX, "%s",
            client->has_no_memory ? "out of memory for the reply; close other programs"
                                  : "an empty reply; check that it is an etcd, 3.4 or newer");
    return OUTCOME_UNCERTAIN;
}

static struct etcd_refusal refusal_of(const struct etcd_client *client, enum etcd_method method,
                                      struct octets request)
{
    return (struct etcd_refusal){.method = method,
                                 .request = request,
                                 .status = client->status,
                                 .text = client->text,
                                 .endpoint = client->endpoint,
                                 .user = client->options->user,
                                 .certificate = client->options->certificate};
}

/* ---- logging in ---- */

static bool take_token(struct etcd_client *client, struct arena *arena, struct err *err)
{
    struct octets octets = buffer_octets(&client->response);
    struct etcd_authenticate_response response;

    if (!etcd_decode_authenticate(arena, octets.start, octets.length, &response, err))
        return false;
    client->has_token = true;
    return etcd_connection_set_token(client->socket.connection, response.token) ||
           err_set(err, ERR_MEMORY, "out of memory for a token; close other programs");
}

/* An etcd that asks nobody to log in is used without a token. */
static bool log_in_with(struct etcd_client *client, struct arena *arena, struct err *err)
{
    struct octets request = etcd_encode_authenticate(
        arena, client->options->user,
        client->options->password == NULL ? "" : client->options->password);

    if (request.start == NULL)
        return err_set(err, ERR_MEMORY, "out of memory for a request; close other programs");
    if (!etcd_connection_set_token(client->socket.connection, NULL))
        return false;
    enum outcome outcome = try_call(client, ETCD_AUTHENTICATE, request, err);
    if (outcome == OUTCOME_DONE)
        return take_token(client, arena, err);
    if (outcome != OUTCOME_REFUSED)
        return false;
    if (client->status == ETCD_FAILED_PRECONDITION && strstr(client->text, "not enabled") != NULL)
        return true;
    const struct etcd_refusal refusal = refusal_of(client, ETCD_AUTHENTICATE, request);
    return etcd_sentence_login(&refusal, err);
}

/* True as well when nobody has to log in. */
static bool log_in(struct etcd_client *client, struct err *err)
{
    if (client->options->user == NULL)
        return true;
    struct arena *arena = arena_new();
    if (arena == NULL)
        return err_set(err, ERR_MEMORY, "out of memory for a request; close other programs");
    bool is_well = log_in_with(client, arena, err);
    arena_free(arena);
    return is_well;
}

/* ---- endpoints ---- */

static void close_socket(struct etcd_client *client)
{
    etcd_socket_close(&client->socket);
    client->is_ready = false;
}

/* Adds "https://a:2379 (Connection refused)"; the remedies of several would not fit. */
static void note_cause(struct text *causes, const struct etcd_client *client, size_t i,
                       const struct err *why)
{
    size_t length = strcspn(why->text, ";");

    text_add_string(causes, i > 0 ? ", " : "");
    text_add_string(causes, client->endpoint);
    text_add_string(causes, " (");
    text_add(causes, why->text, length < CAUSE_OCTETS ? length : CAUSE_OCTETS);
    text_add_string(causes, ")");
}

/* `why` is of the last one, and has its remedy. */
static bool fail_all(struct etcd_client *client, const char *causes, const struct err *why,
                     struct err *err)
{
    client->status = ETCD_UNAVAILABLE;
    if (client->options->endpoint_count > 1)
        return err_set(
            err, why->code,
            "no etcd of registry.endpoints answers: %.300s; start or mend them, or correct "
            "registry.endpoints",
            causes);
    const char *remedy = strchr(why->text, ';'); /* every sentence has one */
    return err_set(err, why->code, "etcd at %s does not answer: %.*s; %.250s", client->endpoint,
                   (int)strcspn(why->text, ";"), why->text,
                   remedy != NULL ? remedy + 2 : "try again");
}

/* Connects to the next endpoint that works. A refused log-in is every member's. */
static bool reach_member(struct etcd_client *client, struct err *err)
{
    char sentence[sizeof err->text];
    struct text causes = text_over(sentence, sizeof sentence - 1);
    struct err why = {.code = ERR_NONE};

    if (client->is_ready)
        return true;
    for (size_t i = 0; i < client->options->endpoint_count; i++) {
        if (connect_next(client, &why)) {
            if (log_in(client, err))
                return true;
            close_socket(client);
            return false;
        }
        close_socket(client);
        note_cause(&causes, client, i, &why);
    }
    *causes.next = '\0';
    return fail_all(client, sentence, &why, err);
}

/* What was closed since the last call is noticed before the next is sent. */
static void notice_end(struct etcd_client *client)
{
    const bool never = false;
    struct err unused;

    if (!client->is_ready)
        return;
    etcd_socket_wait(&client->socket, &never, 0, &unused);
    if (client->socket.has_ended || etcd_connection_is_leaving(client->socket.connection))
        close_socket(client);
}

/* ---- calls ---- */

static bool changes_nothing(enum etcd_method method)
{
    return method == ETCD_RANGE || method == ETCD_STATUS || method == ETCD_MEMBERS;
}

static bool is_of_token(const struct etcd_client *client)
{
    return client->has_token && (client->status == ETCD_UNAUTHENTICATED ||
                                 strstr(client->text, "invalid auth token") != NULL ||
                                 strstr(client->text, "revision of auth store is old") != NULL);
}

/* A member that goes away or has no leader has done nothing; one that timed out may have. */
static enum outcome weigh(const struct etcd_client *client, enum outcome outcome)
{
    if (outcome != OUTCOME_REFUSED || client->status != ETCD_UNAVAILABLE)
        return outcome;
    return strstr(client->text, "goes away") != NULL || strstr(client->text, "no leader") != NULL
               ? OUTCOME_UNSENT
               : OUTCOME_REFUSED;
}

static bool fail_uncertain(const struct etcd_client *client, const struct err *why, struct err *err)
{
    return err_set(err, ERR_SYSTEM,
                   "etcd at %s has taken the change and not replied (%.200s), so it may have been "
                   "done; look at what the registry has (spacedns plan) before you try again",
                   client->endpoint, why->text);
}

/* One attempt at one member, the token renewed once. */
static enum outcome attempt(struct etcd_client *client, enum etcd_method method,
                            struct octets request, struct err *err)
{
    enum outcome outcome = try_call(client, method, request, err);

    if (outcome == OUTCOME_REFUSED && is_of_token(client)) {
        if (!log_in(client, err))
            return OUTCOME_UNSENT;
        outcome = try_call(client, method, request, err);
    }
    return weigh(client, outcome);
}

static bool call_member(struct etcd_client *client, enum etcd_method method, struct octets request,
                        struct err *err)
{
    struct err why = {.code = ERR_NONE};

    for (size_t i = 0; i <= client->options->endpoint_count; i++) {
        notice_end(client);
        if (!reach_member(client, err))
            return false;
        enum outcome outcome = attempt(client, method, request, &why);
        if (outcome == OUTCOME_DONE)
            return true;
        if (outcome == OUTCOME_REFUSED) {
            const struct etcd_refusal refusal = refusal_of(client, method, request);
            return etcd_sentence(&refusal, err);
        }
        close_socket(client);
        if (outcome == OUTCOME_UNCERTAIN && !changes_nothing(method))
            return fail_uncertain(client, &why, err);
    }
    const char *text = why.code != ERR_NONE ? why.text : client->text;
    if (strstr(text, "no leader") != NULL)
        return err_set(err, ERR_SYSTEM,
                       "etcd at %s has no leader: most of its members must run and reach each "
                       "other; etcdctl endpoint status --cluster shows which do not; start those, "
                       "and try again",
                       client->endpoint);
    return err_set(err, ERR_SYSTEM,
                   "etcd at %s does not reply (%.200s); look at its log, and try again",
                   client->endpoint, text);
}

bool etcd_client_call(struct etcd_client *client, enum etcd_method method, struct octets request,
                      struct octets *response, struct err *err)
{
    assert(method != ETCD_WATCH);
    if (request.start == NULL)
        return err_set(err, ERR_MEMORY, "out of memory for a request; close other programs");
    if (!call_member(client, method, request, err))
        return false;
    *response = buffer_octets(&client->response);
    return true;
}

enum etcd_status etcd_client_status(const struct etcd_client *client)
{
    return client->status;
}

const char *etcd_client_endpoint(const struct etcd_client *client)
{
    return client->endpoint;
}

/* ---- beginning and end ---- */

struct etcd_client *etcd_client_open(const struct etcd_client_options *options, struct err *err)
{
    assert(options->endpoint_count > 0);
    if (etcd_library() == NULL) {
        err_set(err, ERR_SYSTEM,
                "this build has no registry; build it with libnghttp2-dev, libprotobuf-c-dev and "
                "protobuf-c-compiler");
        return NULL;
    }
    struct etcd_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        err_set(err, ERR_MEMORY, "out of memory for the registry; close other programs");
        return NULL;
    }
    client->options = options;
    client->socket.descriptor = -1;
    if (reach_member(client, err))
        return client;
    etcd_client_close(client);
    return NULL;
}

void etcd_client_close(struct etcd_client *client)
{
    if (client == NULL)
        return;
    etcd_socket_close(&client->socket);
    tls_trust_free(client->trust);
    buffer_close(&client->response);
    free(client);
}
