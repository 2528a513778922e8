// wrap: uv_timer_start
// fuzz: stateful 10000
/**
 * Clients of the control socket in any order: the input is a list of steps.
 *
 * Up to twenty connections, more than the server accepts, send requests in pieces, send too much,
 * close one side or both, and read late or never; calls are finished at once or in a later step,
 * with replies larger than a socket's buffer; streams send lines for as long as they are ready, and
 * end on either side. One loop and one thread, so that nothing waits, and
 * the clock stands still, so that no connection times out on a busy machine.
 *
 * Invariants: each connection makes at most one call and gets at most one response, whole and
 * readable, with nothing after it; of a stream it gets the lines in their order and none is
 * missing; the owner is called once about a client that is gone, and never about a stream that has
 * ended; a request that is written and read again is the same; nothing is leaked.
 */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/control_socket.h"
#include "control/control_stream.h"

enum {
    CLIENTS = 20,
    STEPS_MOST = 500,
    HELD_MOST = 64,
    RECEIVED_MOST = 512 << 10,
    LONG_LINES = 6000,
    TURNS_MOST = 100000,
    REPLY_MOST = LONG_LINES * 50,
};

enum step {
    STEP_OPEN,
    STEP_SEND,    /* octets of the input */
    STEP_REQUEST, /* one of `requests`, whole or without its end */
    STEP_READ,
    STEP_SHUT, /* half */
    STEP_CLOSE,
    STEP_TURN,
    STEP_FINISH,
    STEP_STREAM, /* lines of one, or its end */
    STEP_COUNT
};

struct client {
    int descriptor; /* -1: not open */
    char *received;
    size_t length;
    bool has_ended; /* the server closed it */
    bool is_deaf;   /* it shut its reading end, so that what it received is cut there */
};

struct input {
    const uint8_t *next, *end;
};

static char folder[] = "/tmp/spacedns-fuzz-control.XXXXXX";
static char path[sizeof folder + 16];
static struct sockaddr_un address = {.sun_family = AF_UNIX};

static struct client clients[CLIENTS];
static struct call *held[HELD_MOST];
static size_t held_count;
static size_t opened, called;

static struct stream {
    struct call *call;
    unsigned lines; /* sent */
} streams[CONTROL_SOCKET_STREAMS_MOST];
static size_t stream_count;

static const char *const requests[] = {
    "spacedns/1 status\n",
    "spacedns/1 reload --force\n",
    "spacedns/1 explain api.example.com --from=10.20.3.4\n",
    "spacedns/1 explain %20%25%FF --json\n",
    "spacedns/1 version\n",
    "spacedns/1 logs --tail\n",
    "spacedns/2 version\n",
    "spacedns/1 reload --unknown=x\n",
    "GET / HTTP/1.1\r\n\r\n",
};

enum { REQUESTS = sizeof requests / sizeof requests[0] };

static void remove_folder(void)
{
    unlink(path);
    rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    signal(SIGPIPE, SIG_IGN); // NOLINT: cannot fail
    assert(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/socket", folder);
    strcpy(address.sun_path, path); // NOLINT: it fits
    atexit(remove_folder);
    return 0;
}

int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb on_timeout, uint64_t timeout_ms,
                          uint64_t repeat_ms);

int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb on_timeout, uint64_t timeout_ms,
                          uint64_t repeat_ms)
{
    (void)timer, (void)on_timeout, (void)timeout_ms, (void)repeat_ms;
    return 0;
}

static uint8_t take(struct input *input)
{
    return input->next == input->end ? 0 : *input->next++;
}

/* ---- the handler of calls ---- */

static void assert_same(const char *one, const char *other)
{
    assert((one == NULL) == (other == NULL));
    assert(one == NULL || strcmp(one, other) == 0);
}

static bool stays_here(unsigned option)
{
    return option == OPTION_ZONES || option == OPTION_SETTINGS || option == OPTION_SOCKET ||
           option == OPTION_COLOR;
}

static void check_request(const struct invocation *read)
{
    char line[CONTROL_REQUEST_OCTETS_MOST];
    struct invocation again;
    struct err err;
    size_t length = protocol_write_request(read, line);

    if (length == 0)
        return; /* written in full, escapes may make it too long */
    assert(line[length - 1] == '\n');
    line[length - 1] = '\0';
    assert(protocol_read_request(line, length - 1, &again, &err));
    assert(again.command == read->command && again.operand_count == read->operand_count);
    for (size_t i = 0; i < read->operand_count; i++)
        assert_same(read->operands[i], again.operands[i]);
    for (unsigned i = 0; i < OPTION_COUNT; i++)
        if (!stays_here(i))
            assert_same(read->options[i], again.options[i]);
}

static void finish(struct call *call, uint8_t how)
{
    for (unsigned i = 0; (how & 1) != 0 && i < LONG_LINES; i++)
        fprintf(call->out, "line %u, more than a socket takes\n", i);
    if ((how & 2) != 0)
        fputs("a sentence without its end", call->err);
    if ((how & 4) != 0)
        fputs("=0\n>\n!\n\n", call->out);
    call_finish(call, how >> 3);
}

/* ---- streams ---- */

static struct stream *stream_of(const struct call *call)
{
    for (size_t i = 0; i < stream_count; i++)
        if (streams[i].call == call)
            return &streams[i];
    abort(); /* it has ended */
}

static void end_stream(struct stream *stream, int code)
{
    struct call *call = stream->call;

    *stream = streams[--stream_count];
    call_finish(call, code);
}

static void on_ready(void *context, struct call *call)
{
    (void)context;
    assert(call_is_ready(call));
    assert(stream_of(call)->lines > 0);
}

static void on_gone(void *context, struct call *call)
{
    (void)context;
    assert(!call_is_ready(call));
    end_stream(stream_of(call), 0);
}

/* Only after a minute, which no input lasts. */
static void on_stalled(void *context, struct call *call, const char *sentence)
{
    (void)context, (void)sentence;
    end_stream(stream_of(call), 1);
}

static void begin_stream(struct call *call)
{
    static const struct call_stream owner = {
        .on_ready = on_ready, .on_gone = on_gone, .on_stalled = on_stalled};

    if (!call_begin_stream(call, &owner)) {
        call_finish(call, 1);
        return;
    }
    assert(stream_count < CONTROL_SOCKET_STREAMS_MOST);
    streams[stream_count++] = (struct stream){.call = call};
}

/* Sends a few lines, or more than a socket takes, or ends it; if the client is slow, only that. */
static void go_on(struct stream *stream, uint8_t how)
{
    unsigned lines = (how & 0x40) != 0 ? LONG_LINES / 8 : (how & 7) + 1U;

    if ((how & 0x80) != 0) {
        end_stream(stream, how & 3);
        return;
    }
    if (!call_is_ready(stream->call) || stream->lines > LONG_LINES)
        return;
    for (; lines > 0; lines--)
        fprintf(stream->call->out, "stream %u, of which none is missing\n", stream->lines++);
    if ((how & 8) != 0)
        fputs("a note\n", stream->call->err);
    call_send(stream->call);
}

static void on_call(void *context, struct call *call)
{
    (void)context;
    called++;
    assert(called <= opened);
    check_request(&call->invocation);
    if (call->invocation.command == COMMAND_LOGS)
        begin_stream(call);
    else if (call->invocation.command == COMMAND_STATUS || held_count == HELD_MOST)
        finish(call, (uint8_t)called);
    else
        held[held_count++] = call;
}

/* ---- clients ---- */

static void open_client(struct client *client)
{
    int small = 4096;

    if (client->descriptor >= 0)
        return;
    client->descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert(client->descriptor >= 0);
    setsockopt(client->descriptor, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    if (connect(client->descriptor, (struct sockaddr *)&address, sizeof address) != 0) {
        assert(errno == EAGAIN); /* the backlog is full */
        close(client->descriptor);
        client->descriptor = -1;
        return;
    }
    client->length = 0;
    client->has_ended = client->is_deaf = false;
    opened++;
}

/* The octets received are none, one response, or the beginning of one. */
static void check_received(const struct client *client)
{
    char *at = client->received, *end = at + client->length, *newline;
    bool has_code = false;
    unsigned lines = 0, number;
    int code;

    for (; (newline = memchr(at, '\n', (size_t)(end - at))) != NULL; at = newline + 1) {
        assert(!has_code);
        char after = newline[1];
        newline[1] = '\0';
        if (sscanf(at, ">stream %u,", &number) == 1) // NOLINT: of our own
            assert(number == lines++);
        enum protocol_line line = protocol_read_response(at, &code);
        newline[1] = after;
        assert(line != PROTOCOL_UNKNOWN);
        has_code = line == PROTOCOL_END;
    }
    assert(!has_code || at == end);
    /* A stream ends without a code when its client sent more, or shut its sending side. */
    assert(!client->has_ended || client->is_deaf || client->length == 0 || has_code || lines > 0);
}

static void read_some(struct client *client, size_t most)
{
    while (client->descriptor >= 0 && !client->has_ended && most > 0) {
        assert(client->length < RECEIVED_MOST);
        size_t room = RECEIVED_MOST - client->length;
        ssize_t got = recv(client->descriptor, client->received + client->length,
                           room < most ? room : most, 0);
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            /* Reset: the server closed with octets unread, and a response may be cut. */
            client->has_ended = true;
            if (got < 0)
                client->length = 0;
            return;
        }
        client->length += (size_t)got;
        most -= (size_t)got;
    }
}

static void close_client(struct client *client)
{
    if (client->descriptor < 0)
        return;
    check_received(client);
    close(client->descriptor);
    client->descriptor = -1;
}

static void send_octets(const struct client *client, const void *octets, size_t length)
{
    if (client->descriptor >= 0)
        (void)!send(client->descriptor, octets, length, MSG_NOSIGNAL);
}

/* ---- steps ---- */

static void take_step(struct input *input, uv_loop_t *loop)
{
    uint8_t what = take(input), more = take(input);
    struct client *client = &clients[(what >> 3) % CLIENTS];

    switch (what % STEP_COUNT) {
    case STEP_OPEN:
        open_client(client);
        break;
    case STEP_SEND: {
        size_t left = (size_t)(input->end - input->next), length = more < left ? more : left;
        send_octets(client, input->next, length);
        input->next += length;
        break;
    }
    case STEP_REQUEST: {
        const char *request = requests[more % REQUESTS];
        size_t length = strlen(request);
        for (unsigned times = more >= 0xf0 ? 200 : 1; times > 0; times--)
            send_octets(client, request, (more & 0x80) != 0 ? length - 1 : length);
        break;
    }
    case STEP_READ:
        read_some(client, (size_t)more * 64);
        break;
    case STEP_SHUT:
        if (client->descriptor >= 0)
            shutdown(client->descriptor, (more & 1) != 0 ? SHUT_WR : SHUT_RD);
        client->is_deaf = client->is_deaf || (more & 1) == 0;
        break;
    case STEP_CLOSE:
        close_client(client);
        break;
    case STEP_TURN:
        for (unsigned turns = more % 4 + 1U; turns > 0; turns--)
            uv_run(loop, UV_RUN_NOWAIT);
        break;
    case STEP_FINISH:
        if (held_count > 0) {
            size_t number = more % held_count;
            struct call *call = held[number];
            held[number] = held[--held_count];
            finish(call, more);
        }
        break;
    case STEP_STREAM:
        if (stream_count > 0)
            go_on(&streams[(what >> 3) % stream_count], more);
        break;
    }
}

/* Clients that are still open read everything sent to them. */
static void read_to_the_end(uv_loop_t *loop)
{
    bool is_open = true;

    for (unsigned turns = 0; is_open && turns < TURNS_MOST; turns++) {
        is_open = false;
        while (held_count > 0)
            finish(held[--held_count], 0);
        for (size_t i = 0; i < CLIENTS; i++) {
            struct client *client = &clients[i];
            if (client->descriptor < 0)
                continue;
            shutdown(client->descriptor, SHUT_WR);
            read_some(client, RECEIVED_MOST);
            is_open = is_open || !client->has_ended;
        }
        uv_run(loop, UV_RUN_NOWAIT);
    }
    assert(!is_open);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    struct err err;
    uv_loop_t loop;

    opened = called = held_count = stream_count = 0;
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i].descriptor = -1;
        if (clients[i].received == NULL)
            clients[i].received = malloc(RECEIVED_MOST + 1);
        assert(clients[i].received != NULL);
    }
    assert(uv_loop_init(&loop) == 0);
    static const struct control_access access;
    const struct control_owner owner = {.access = &access, .on_call = on_call};
    struct control_socket *control = control_socket_open(&loop, path, &owner, &err);
    assert(control != NULL);
    for (unsigned steps = 0; steps < STEPS_MOST && input.next < input.end; steps++)
        take_step(&input, &loop);
    if ((size & 1) == 0)
        read_to_the_end(&loop);
    while (held_count > 0)
        finish(held[--held_count], 1);
    while (stream_count > 0)
        end_stream(&streams[0], 1);
    for (size_t i = 0; i < CLIENTS; i++)
        close_client(&clients[i]);
    control_socket_close(control);
    assert(uv_run(&loop, UV_RUN_DEFAULT) == 0);
    assert(uv_loop_close(&loop) == 0);
    return 0;
}
