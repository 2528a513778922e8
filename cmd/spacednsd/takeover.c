#include "spacednsd/takeover.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/log.h"
#include "spacednsd/handover.h"
#include "spacednsd/launcher.h"
#include "wire/types.h"

enum {
    LISTEN_FIRST = 3, /* descriptor, sd_listen_fds(3) */
    LISTEN_MOST = 4096,
    PROBE_OCTETS_MOST = 512,
    FLAGS_OFFSET = 2,
    RESPONSE_FLAG = 0x80,
    RCODE_MASK = 15,
};

/* ---- the environment ---- */

/* A variable's number; 0: there is none. */
static long read_number(const char *name)
{
    const char *text = getenv(name); // NOLINT: no thread runs yet

    return text == NULL ? 0 : strtol(text, NULL, 10);
}

static bool is_for_this_process(const char *variable)
{
    return read_number(variable) == (long)getpid();
}

static void clear_environment(void)
{
    unsetenv(LAUNCHED_VARIABLE); // NOLINT: no thread runs yet
    unsetenv("LISTEN_PID");      // NOLINT
    unsetenv("LISTEN_FDS");      // NOLINT
    unsetenv("LISTEN_FDNAMES");  // NOLINT
}

/* A name of a list with colons between, copied without them. */
static const char *next_name(const char *names, char name[INHERITED_NAME_OCTETS])
{
    size_t length = strcspn(names, ":");

    snprintf(name, INHERITED_NAME_OCTETS, "%.*s", (int)length, names);
    return names + length + (names[length] == ':');
}

static bool read_listen(struct takeover *takeover, struct err *err)
{
    long count = is_for_this_process("LISTEN_PID") ? read_number("LISTEN_FDS") : 0;
    const char *names = getenv("LISTEN_FDNAMES"); // NOLINT: no thread runs yet
    char name[INHERITED_NAME_OCTETS];

    if (count < 0 || count > LISTEN_MOST)
        return err_set(err, ERR_SYSTEM, "LISTEN_FDS is not a number of sockets");
    if (names == NULL)
        names = "";
    for (int i = 0; i < count; i++) {
        names = next_name(names, name);
        if (strcmp(name, HANDOVER_HTTP) == 0 && takeover->http_count < HTTP_LISTENERS_MOST) {
            fcntl(LISTEN_FIRST + i, F_SETFD, FD_CLOEXEC);
            takeover->http[takeover->http_count++] = LISTEN_FIRST + i;
            continue;
        }
        if (!inherited_add(&takeover->inherited, name, LISTEN_FIRST + i, err))
            return false;
    }
    return true;
}

static void read_launched(struct takeover *takeover)
{
    if (!is_for_this_process(LAUNCHED_VARIABLE))
        return;
    takeover->is_memory_closed =
        strstr(getenv(LAUNCHED_VARIABLE), LAUNCHED_CLOSED) != NULL; // NOLINT
    takeover->channel = LAUNCHED_CHANNEL;
    takeover->standard_error = LAUNCHED_STDERR;
    fcntl(LAUNCHED_CHANNEL, F_SETFD, FD_CLOEXEC);
    fcntl(LAUNCHED_STDERR, F_SETFD, FD_CLOEXEC);
}

void takeover_init(struct takeover *takeover)
{
    *takeover = (struct takeover){.channel = -1,
                                  .standard_error = -1,
                                  .control = -1,
                                  .state = -1,
                                  .connections = -1,
                                  .probe = -1};
    for (size_t i = 0; i < HTTP_LISTENERS_MOST; i++)
        takeover->http[i] = -1;
}

bool takeover_read(struct takeover *takeover, struct err *err)
{
    read_launched(takeover);
    bool passed = takeover_is_upgrade(takeover) || read_listen(takeover, err);
    clear_environment();
    return passed;
}

/* ---- descriptors ---- */

/* Takes the descriptor over. */
static bool take_descriptor(struct takeover *takeover, const char *name, int descriptor,
                            struct err *err)
{
    int *slot = strcmp(name, HANDOVER_CONTROL) == 0       ? &takeover->control
                : strcmp(name, HANDOVER_STATE) == 0       ? &takeover->state
                : strcmp(name, HANDOVER_CONNECTIONS) == 0 ? &takeover->connections
                                                          : NULL;

    if (strcmp(name, HANDOVER_HTTP) == 0 && takeover->http_count < HTTP_LISTENERS_MOST)
        slot = &takeover->http[takeover->http_count++];
    if (slot == NULL)
        return inherited_add(&takeover->inherited, name, descriptor, err);
    if (*slot >= 0)
        close(*slot);
    *slot = descriptor;
    return true;
}

/* Takes the descriptors of one message. Returns how many are still to come, or -1 with *err. */
static long take_descriptors(struct takeover *takeover, struct handover_message *message,
                             struct err *err)
{
    char *rest = message->text, *names = NULL;
    const char *left = strtok_r(rest, " ", &names);

    for (size_t i = 0; i < message->descriptor_count; i++) {
        const char *name = strtok_r(NULL, " ", &names);
        if (!take_descriptor(takeover, name == NULL ? "" : name, message->descriptors[i], err))
            return -1;
    }
    return left == NULL ? 0 : strtol(left, NULL, 10);
}

static void set_patience(int channel, time_t seconds)
{
    const struct timeval timeout = {.tv_sec = seconds};

    setsockopt(channel, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
}

/* The channel is non-blocking on both sides: the flag belongs to each end of its own. */
static bool receive_all(struct takeover *takeover, struct err *err)
{
    struct handover_message message;
    long left = 1;

    fcntl(takeover->channel, F_SETFL, 0);
    set_patience(takeover->channel, TAKEOVER_RECEIVE_S);
    while (left > 0) {
        if (handover_receive(takeover->channel, &message) != HANDOVER_DESCRIPTORS)
            return err_set(err, ERR_SYSTEM, "the running server hands over no sockets");
        left = take_descriptors(takeover, &message, err);
    }
    set_patience(takeover->channel, 0);
    fcntl(takeover->channel, F_SETFL, O_NONBLOCK);
    return left == 0;
}

bool takeover_receive(struct takeover *takeover, struct err *err)
{
    char hello[64];

    snprintf(hello, sizeof hello, "%d %s", HANDOVER_VERSION, SPACEDNS_VERSION);
    if (!handover_send(takeover->channel, HANDOVER_HELLO, hello))
        return err_set(err, ERR_SYSTEM, "the running server has ended meanwhile");
    return receive_all(takeover, err);
}

void takeover_close_unused(struct takeover *takeover)
{
    for (const struct inherited_socket *each = inherited_next_left(&takeover->inherited, NULL);
         each != NULL; each = inherited_next_left(&takeover->inherited, each)) {
        char address[ENDPOINT_TEXT_MAX];
        struct log_line line;
        endpoint_write(&each->endpoint, address);
        log_start(&line, LOG_WARNING, "inherited_unused");
        log_string(&line, "address", address);
        log_string(&line, "transport", each->scheme == LISTEN_UDP ? "udp" : "tcp");
        log_string(&line, "text",
                   "the settings do not listen there, so this inherited socket is closed; add "
                   "the address to listen, or take it out of the socket unit");
        log_send(&line);
    }
    inherited_close(&takeover->inherited);
}

/* ---- probes ---- */

/* version.bind. CH TXT, which every snapshot answers to any client. */
static const uint8_t question[] = "\7version\4bind\0\0\20\0\3";

static size_t write_probe(uint16_t id, uint8_t *out)
{
    memset(out, 0, HEADER_OCTETS);
    out[0] = (uint8_t)(id >> 8);
    out[1] = (uint8_t)id;
    out[5] = 1; /* one question */
    memcpy(out + HEADER_OCTETS, question, sizeof question - 1);
    return HEADER_OCTETS + sizeof question - 1;
}

static void fail(struct takeover *takeover, const char *sentence)
{
    takeover->owner->on_failed(takeover->owner->context, sentence);
}

static void close_probe(struct takeover *takeover)
{
    uv_timer_stop(&takeover->timer);
    uv_poll_stop(&takeover->probe_poll);
}

static void go(struct takeover *takeover);

static void finish_probes(struct takeover *takeover)
{
    close_probe(takeover);
    takeover->is_ready = true;
    if (takeover->has_gone)
        go(takeover);
    else
        handover_send(takeover->channel, HANDOVER_READY, NULL);
}

static bool is_probe_of(const uint8_t *reply, ssize_t length, const struct endpoint *from,
                        const struct endpoint *worker)
{
    return length >= HEADER_OCTETS && endpoint_equals(from, worker) &&
           (reply[FLAGS_OFFSET] & RESPONSE_FLAG) != 0 &&
           (reply[FLAGS_OFFSET + 1] & RCODE_MASK) != RCODE_SERVFAIL;
}

/* Workers are asked one after the other, so one answer at a time is awaited. */
static void ask_next(struct takeover *takeover)
{
    uint8_t probe[PROBE_OCTETS_MOST];

    if (takeover->answered == server_worker_count(takeover->server)) {
        finish_probes(takeover);
        return;
    }
    const struct endpoint *worker = server_probe(takeover->server, takeover->answered);
    size_t length = write_probe((uint16_t)takeover->answered, probe);
    if (sendto(takeover->probe, probe, length, 0, &worker->any, endpoint_octets(worker)) < 0)
        fail(takeover, "the workers cannot be tried: nothing can be sent over 127.0.0.1");
}

static void takeover_on_probe(uv_poll_t *poll, int status, int events)
{
    struct takeover *takeover = poll->data;
    uint8_t reply[PROBE_OCTETS_MOST];
    struct endpoint from = {.v6 = {0}};
    socklen_t octets = sizeof from;

    (void)status;
    (void)events;
    ssize_t length = recvfrom(takeover->probe, reply, sizeof reply, 0, &from.any, &octets);
    if (!is_probe_of(reply, length, &from, server_probe(takeover->server, takeover->answered)))
        return;
    takeover->answered++;
    ask_next(takeover);
}

static void takeover_on_timeout(uv_timer_t *timer)
{
    char sentence[96];
    struct takeover *takeover = timer->data;

    snprintf(sentence, sizeof sentence, "worker %zu of %zu does not answer a query over 127.0.0.1",
             takeover->answered + 1, server_worker_count(takeover->server));
    close_probe(takeover);
    fail(takeover, sentence);
}

/* ---- the channel ---- */

static void go(struct takeover *takeover)
{
    takeover->is_serving = true;
    takeover->owner->on_go(takeover->owner->context);
}

/* The server before has ended: before it said `go`, or as it should. */
static void lose_channel(struct takeover *takeover)
{
    uv_poll_stop(&takeover->channel_poll);
    takeover->has_gone = true;
    if (takeover->is_serving)
        takeover->owner->on_left(takeover->owner->context);
    else if (takeover->is_ready)
        go(takeover);
}

static void takeover_on_message(uv_poll_t *poll, int status, int events)
{
    struct takeover *takeover = poll->data;
    struct handover_message message;

    (void)status;
    (void)events;
    switch (handover_receive(takeover->channel, &message)) {
    case HANDOVER_GO:
        if (takeover->is_ready && !takeover->is_serving)
            go(takeover);
        break;
    case HANDOVER_SIGNAL:
        takeover->owner->on_signal(takeover->owner->context, (int)strtol(message.text, NULL, 10));
        break;
    case HANDOVER_STAY:
        if (!takeover->is_serving)
            fail(takeover, "the running server has given the upgrade up, and goes on");
        break;
    case HANDOVER_GONE:
        lose_channel(takeover);
        break;
    case HANDOVER_NOTHING:
    case HANDOVER_UNKNOWN:
    case HANDOVER_HELLO:
    case HANDOVER_DESCRIPTORS:
    case HANDOVER_READY:
    case HANDOVER_SERVING:
        break;
    }
}

void takeover_start(struct takeover *takeover, uv_loop_t *loop, const struct server *server,
                    const struct takeover_owner *owner)
{
    takeover->server = server;
    takeover->owner = owner;
    takeover->probe = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    uv_timer_init(loop, &takeover->timer);
    uv_poll_init(loop, &takeover->channel_poll, takeover->channel);
    uv_poll_init(loop, &takeover->probe_poll, takeover->probe);
    takeover->timer.data = takeover->channel_poll.data = takeover->probe_poll.data = takeover;
    uv_poll_start(&takeover->channel_poll, UV_READABLE, takeover_on_message);
    uv_poll_start(&takeover->probe_poll, UV_READABLE, takeover_on_probe);
    uv_timer_start(&takeover->timer, takeover_on_timeout, TAKEOVER_PROBE_MS, 0);
}

void takeover_probe(struct takeover *takeover)
{
    ask_next(takeover);
}

void takeover_serve(struct takeover *takeover, uint64_t generation)
{
    char text[24];

    if (takeover->standard_error >= 0) {
        dup2(takeover->standard_error, STDERR_FILENO);
        close(takeover->standard_error);
        takeover->standard_error = -1;
    }
    snprintf(text, sizeof text, "%llu", (unsigned long long)generation);
    handover_send(takeover->channel, HANDOVER_SERVING, text);
}

bool takeover_is_pending(const struct takeover *takeover)
{
    return takeover_is_upgrade(takeover) && !takeover->has_gone;
}

/* ---- the end ---- */

static void close_descriptor(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
}

void takeover_close_http(struct takeover *takeover)
{
    for (size_t i = 0; i < takeover->http_count; i++)
        close_descriptor(&takeover->http[i]);
    takeover->http_count = 0;
}

void takeover_close(struct takeover *takeover)
{
    if (takeover->owner != NULL) {
        uv_close((uv_handle_t *)&takeover->timer, NULL);
        uv_close((uv_handle_t *)&takeover->channel_poll, NULL);
        uv_close((uv_handle_t *)&takeover->probe_poll, NULL);
    }
    takeover->owner = NULL;
    close_descriptor(&takeover->probe);
    close_descriptor(&takeover->channel);
    close_descriptor(&takeover->standard_error);
    close_descriptor(&takeover->control);
    close_descriptor(&takeover->state);
    close_descriptor(&takeover->connections);
    takeover_close_http(takeover);
    inherited_close(&takeover->inherited);
}
