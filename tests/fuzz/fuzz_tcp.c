// wrap: recv send shutdown close batch_prepare batch_finish client_classify
// fuzz: stateful 20000
/**
 * Many TCP clients of one worker: the input is a list of steps.
 *
 * The network is this file's: it holds what clients have sent, and accepts as much of a reply as a
 * step allows, so no step waits and every write can stop anywhere. Answering is this file's, too: a
 * request contains the length of its reply, and whether it comes at once, later or never. Limits
 * are small, so that connections are evicted all the time.
 *
 * Invariants: a request is answered with the octets that its client has sent; a client receives
 * whole frames, each the reply to a request of that connection, none twice; and on a connection
 * that the server has not closed, no reply is missing.
 */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "serve/tcp_connection.h"
#include "support/serving.h"

enum {
    CLIENTS_MOST = 120,
    DESCRIPTORS_MOST = 1024,
    REQUESTS_MOST = 100, /* of one connection */
    DEFERRED_MOST = 200,
    STEPS_MOST = 300,
    OCTETS_MOST = 1 << 18, /* sent by one connection */
    ROUNDS_MOST = 400,
    HEAD_OCTETS = 8, /* of a request: id, manner, length of the reply; of a reply: its beginning */
    FRAME_MOST = TCP_FRAME_OCTETS + 65535,
};

/* How a request is to be answered. */
enum manner { AT_ONCE, LATER, NEVER, MANNERS };

enum request_state { UNSENT, SENT, ASKED, ANSWERED };

struct request {
    enum request_state state;
    size_t end; /* in what the client sends */
    size_t length;
    size_t reply_length;
    enum manner manner;
};

/* One connection, from its client's side. */
struct peer {
    bool is_open;    /* the server has not closed it */
    bool has_ended;  /* the client sends nothing more */
    bool is_reset;   /* by the client */
    bool is_gone;    /* the next write shows that it is reset */
    bool is_rude;    /* has sent octets that end a connection, or that are no request */
    bool is_counted; /* its closing has been checked, or it never was open */
    int descriptor;
    struct tcp_connection *connection;
    size_t window;   /* the server may write so much */
    size_t written;  /* by the client, to be sent */
    size_t sent;     /* of it */
    size_t received; /* of it, by the server */
    size_t ignored;  /* requests without a reply: the eighth ends the connection, sooner or later */
    size_t request_count;
    struct request requests[REQUESTS_MOST];
    size_t held; /* of `frame` */
    uint8_t frame[FRAME_MOST];
    uint8_t octets[OCTETS_MOST];
};

struct late {
    struct carrier *carrier;
    struct late_client client;
    uint32_t serial; /* of the connection */
    size_t who;
    size_t which;
};

/* The first octet of the input chooses. */
static const struct tcp_limits limits[] = {
    {.connections = {8, 4}, .per_client = 5, .idle_ms = 10000000},
    {.connections = {3, 1}, .per_client = 3, .idle_ms = 10000000},
    {.connections = {100, 50}, .per_client = 60, .idle_ms = 10000000},
    {.connections = {20, 10}, .per_client = 2, .idle_ms = 10000000},
};

static struct peer clients[CLIENTS_MOST];
static struct peer *by_descriptor[DESCRIPTORS_MOST];
static struct late lates[DEFERRED_MOST];
static size_t late_count;
static struct serving serving;
static struct tcp tcp;
static int never_ready; /* nothing can be read from it, ever */
static uint8_t fill[FRAME_MOST];

/* ---- the network ---- */

static struct peer *client_at(int descriptor)
{
    assert(descriptor >= 0 && descriptor < DESCRIPTORS_MOST);
    return by_descriptor[descriptor];
}

ssize_t __wrap_recv(int descriptor, void *octets, size_t length, int flags);
ssize_t __wrap_recv(int descriptor, void *octets, size_t length, int flags)
{
    struct peer *client = client_at(descriptor);

    assert(client != NULL && (flags & MSG_DONTWAIT) != 0 && length > 0);
    size_t taken = client->sent - client->received;
    if (client->is_reset) {
        errno = ECONNRESET;
        return -1;
    }
    if (taken == 0 && !client->has_ended) {
        errno = EAGAIN;
        return -1;
    }
    taken = taken < length ? taken : length;
    memcpy(octets, client->octets + client->received, taken);
    client->received += taken;
    return (ssize_t)taken;
}

/* Ends the program unless it is the reply to a request that is to be answered. */
static void check_reply(struct peer *client, const uint8_t *reply, size_t length)
{
    assert(length >= HEAD_OCTETS);
    size_t which = load16(reply);
    assert(which < client->request_count);
    struct request *request = &client->requests[which];
    assert(request->state == ASKED && length == request->reply_length);
    const uint8_t *sent = client->octets + request->end - request->length;
    assert(memcmp(reply, sent, HEAD_OCTETS) == 0);
    memset(fill, (int)(which * 7 + 1), length);
    assert(memcmp(reply + HEAD_OCTETS, fill, length - HEAD_OCTETS) == 0);
    request->state = ANSWERED;
}

static void receive(struct peer *client, const uint8_t *octets, size_t length)
{
    while (length > 0) {
        size_t wanted = client->held < TCP_FRAME_OCTETS
                            ? TCP_FRAME_OCTETS
                            : (size_t)TCP_FRAME_OCTETS + load16(client->frame);
        size_t taken = wanted - client->held < length ? wanted - client->held : length;
        memcpy(client->frame + client->held, octets, taken);
        client->held += taken;
        octets += taken;
        length -= taken;
        if (client->held < TCP_FRAME_OCTETS + HEAD_OCTETS || client->held < wanted)
            continue;
        check_reply(client, client->frame + TCP_FRAME_OCTETS, wanted - TCP_FRAME_OCTETS);
        client->held = 0;
    }
}

ssize_t __wrap_send(int descriptor, const void *octets, size_t length, int flags);
ssize_t __wrap_send(int descriptor, const void *octets, size_t length, int flags)
{
    struct peer *client = client_at(descriptor);

    assert(client != NULL && length > 0);
    assert((flags & MSG_DONTWAIT) != 0 && (flags & MSG_NOSIGNAL) != 0);
    client->is_reset = client->is_reset || client->is_gone;
    if (client->is_reset || client->window == 0) {
        errno = client->is_reset ? EPIPE : EAGAIN;
        return -1;
    }
    length = length < client->window ? length : client->window;
    client->window -= length;
    receive(client, octets, length);
    return (ssize_t)length;
}

int __wrap_shutdown(int descriptor, int how);
int __wrap_shutdown(int descriptor, int how)
{
    assert(client_at(descriptor) != NULL && how == SHUT_WR);
    return 0;
}

int __real_close(int descriptor);
int __wrap_close(int descriptor);
int __wrap_close(int descriptor)
{
    struct peer *client = client_at(descriptor);

    if (client != NULL)
        client->is_open = false;
    by_descriptor[descriptor] = NULL;
    return __real_close(descriptor);
}

/* ---- the answers ---- */

static struct peer *client_of(const struct carrier *carrier)
{
    return client_at(((const struct tcp_connection *)(const void *)carrier)->descriptor);
}

/* The request as it was sent; it ends the program when that is not what was received. */
static struct request *find_request(const struct peer *client, const struct exchange *exchange)
{
    size_t which = load16(exchange->request);

    assert(which < client->request_count);
    struct request *request = (struct request *)&client->requests[which];
    assert(request->state == SENT && exchange->request_length == request->length);
    assert(request->end <= client->received);
    assert(memcmp(exchange->request, client->octets + request->end - request->length,
                  request->length) == 0);
    return request;
}

static size_t write_reply(const struct peer *client, size_t which, uint8_t *out)
{
    const struct request *request = &client->requests[which];

    memset(out, (int)(which * 7 + 1), request->reply_length);
    memcpy(out, client->octets + request->end - request->length, HEAD_OCTETS);
    return request->reply_length;
}

void __wrap_batch_prepare(struct batch *batch, size_t count);
void __wrap_batch_prepare(struct batch *batch, size_t count)
{
    assert(count <= BATCH_MOST);
    for (size_t i = 0; i < count; i++)
        assert(batch->exchanges[i].request_length > 0);
}

size_t __wrap_batch_finish(struct batch *batch, size_t number, const struct endpoint *endpoint,
                           struct carrier *carrier);
size_t __wrap_batch_finish(struct batch *batch, size_t number, const struct endpoint *endpoint,
                           struct carrier *carrier)
{
    struct exchange *exchange = &batch->exchanges[number];
    struct peer *client = client_of(carrier);

    (void)endpoint;
    assert(client != NULL);
    exchange->is_deferred = false;
    if (exchange->request_length < HEAD_OCTETS || client->is_rude)
        return 0;
    struct request *request = find_request(client, exchange);
    request->state = ASKED;
    size_t which = (size_t)(request - client->requests);
    if (request->manner == AT_ONCE)
        return write_reply(client, which, exchange->reply);
    if (request->manner == NEVER || late_count == DEFERRED_MOST) {
        request->state = ANSWERED;
        client->ignored++;
        return 0;
    }
    struct late *late = &lates[late_count++];
    *late = (struct late){.carrier = carrier, .who = (size_t)(client - clients), .which = which};
    late->serial = client->connection->serial;
    carrier->keep(carrier, number, &late->client);
    exchange->is_deferred = true;
    return 0;
}

/* Half of the clients are inside a space. */
void __wrap_client_classify(const struct snapshot *snapshot, const struct path *path,
                            struct client *client);
void __wrap_client_classify(const struct snapshot *snapshot, const struct path *path,
                            struct client *client)
{
    (void)snapshot;
    *client = (struct client){.address = path->source, .count = path->source >> 24 == 10};
}

static void deliver_late(size_t number)
{
    static uint8_t reply[FRAME_MOST];

    if (late_count == 0)
        return;
    struct late *late = &lates[number % late_count];
    const struct peer *client = &clients[late->who];
    const struct late taken = *late;
    *late = lates[--late_count];
    bool is_there = client->is_open && &client->connection->carrier == taken.carrier &&
                    client->connection->serial == taken.serial;
    size_t length = is_there ? write_reply(client, taken.which, reply) : HEAD_OCTETS;
    bool is_taken = taken.carrier->deliver(taken.carrier, &taken.client, reply, length);
    assert(is_there || !is_taken);
}

/* ---- what clients do ---- */

static const char *const addresses[] = {"10.0.130.56",       "10.0.130.57",     "203.0.113.9",
                                        "2001:db8::1",       "2001:db8::2:0:1", "2001:db8:1::1",
                                        "::ffff:10.0.130.1", "::ffff:192.0.2.1"};

static const struct tcp_places *places_of(const struct endpoint *endpoint)
{
    struct path path = {.destination = 0x0a000002};

    path_set_source(&path, endpoint);
    return &tcp.places[path.source >> 24 == 10 ? TCP_INSIDERS : TCP_OUTSIDERS];
}

/* The state before a connection comes. */
struct before {
    const struct tcp_places *places; /* of its kind */
    uint32_t own, others;
    uint64_t closed, evicted;
};

static struct before note(const struct tcp_places *places)
{
    return (struct before){.places = places,
                           .own = places->count,
                           .others = tcp.open_count - places->count,
                           .closed = serving_count(&serving, COUNTER_TCP_CLOSED),
                           .evicted = serving_count(&serving, COUNTER_TCP_EVICTED)};
}

/*
 * A connection has come: no kind has more than its places, one at most was evicted, for want of
 * room, and it was of the same kind. Queries that are answered before that may end connections of
 * both kinds.
 */
static void check_places(const struct before *before)
{
    uint64_t evicted = serving_count(&serving, COUNTER_TCP_EVICTED) - before->evicted;
    uint64_t closed = serving_count(&serving, COUNTER_TCP_CLOSED) - before->closed;
    uint32_t own = before->places->count, others = tcp.open_count - own;

    for (unsigned kind = 0; kind < TCP_KINDS; kind++)
        assert(tcp.places[kind].count <= tcp.limits.connections[kind]);
    assert(others <= before->others && own <= before->own + 1 && own > 0);
    uint32_t lost_own = before->own + 1 - own, lost_others = before->others - others;
    assert(lost_own + lost_others == closed);
    assert(evicted <= 1 && evicted <= lost_own);
    assert(evicted == 0 || before->own >= tcp.limits.per_client ||
           before->own >= tcp.limits.connections[before->places - tcp.places]);
}

/* Returns the new connection, or NULL when it is refused. */
static struct peer *enter(unsigned how)
{
    struct endpoint endpoint;
    size_t who = 0;

    while (who < CLIENTS_MOST && (clients[who].is_open || !clients[who].is_counted))
        who++;
    if (who == CLIENTS_MOST)
        return NULL;
    struct peer *client = &clients[who];
    client->is_open = true;
    client->has_ended = client->is_reset = client->is_rude = client->is_counted = false;
    client->window = (how & 0x80) != 0 ? 0 : SIZE_MAX;
    client->is_gone = (how & 0x40) != 0;
    client->written = client->sent = client->received = client->request_count = client->held = 0;
    client->ignored = 0;
    client->descriptor = fcntl(never_ready, F_DUPFD_CLOEXEC, 0);
    assert(client_at(client->descriptor) == NULL);
    by_descriptor[client->descriptor] = client;
    bool is_read =
        endpoint_read(addresses[how % (sizeof addresses / sizeof *addresses)], 40000, &endpoint);
    assert(is_read);
    const struct before before = note(places_of(&endpoint));
    if (tcp_adopt(&tcp, client->descriptor, &endpoint, 0x0a000002)) {
        assert(client->is_open);
        client->connection = TAILQ_LAST(&before.places->by_activity, tcp_connections);
        check_places(&before);
        return client;
    }
    assert(!client->is_open);
    client->is_counted = true;
    return NULL;
}

/* Writes a request; send_octets sends it. */
static void compose(struct peer *client, enum manner manner, size_t length, size_t reply_length)
{
    size_t which = client->request_count;

    if (!client->is_open || client->is_rude || client->has_ended || which == REQUESTS_MOST ||
        client->written + TCP_FRAME_OCTETS + length > OCTETS_MOST)
        return;
    assert(length >= HEAD_OCTETS && reply_length >= HEAD_OCTETS && reply_length <= UINT16_MAX);
    uint8_t *frame = client->octets + client->written;
    store16(frame, (uint16_t)length);
    memset(frame + TCP_FRAME_OCTETS, (int)(which + 100), length);
    store16(frame + TCP_FRAME_OCTETS, (uint16_t)which);
    store16(frame + TCP_FRAME_OCTETS + 2, (uint16_t)manner);
    store16(frame + TCP_FRAME_OCTETS + 4, (uint16_t)reply_length);
    client->written += TCP_FRAME_OCTETS + length;
    client->requests[client->request_count++] = (struct request){
        .end = client->written, .length = length, .reply_length = reply_length, .manner = manner};
}

static void send_octets(struct peer *client, size_t most)
{
    size_t left = client->has_ended ? 0 : client->written - client->sent;

    client->sent += left < most ? left : most;
    for (size_t i = 0; i < client->request_count; i++)
        if (client->requests[i].state == UNSENT && client->requests[i].end <= client->sent)
            client->requests[i].state = SENT;
}

/* Sends no request: the beginning of a large frame, short frames, an empty one. */
static void be_rude(struct peer *client, const uint8_t *octets, size_t length, size_t times)
{
    if (!client->is_open || client->has_ended)
        return;
    for (size_t i = 0; i < times && client->written + length <= OCTETS_MOST; i++) {
        memcpy(client->octets + client->written, octets, length);
        client->written += length;
    }
    client->is_rude = true;
    send_octets(client, SIZE_MAX);
}

/* The loop reports events of the connection, if they are watched for. */
static void happen(struct peer *client, int status, int events)
{
    uv_poll_t *poll = &client->connection->poll;
    unsigned watched = poll->io_watcher.pevents;
    bool is_watched = ((events & UV_READABLE) != 0 && (watched & POLLIN) != 0) ||
                      ((events & UV_WRITABLE) != 0 && (watched & POLLOUT) != 0) || status < 0;

    if (client->is_open && uv_is_active((const uv_handle_t *)poll) && is_watched)
        poll->poll_cb(poll, status, events);
}

static bool can_read(const struct peer *client)
{
    return client->sent > client->received || client->has_ended || client->is_reset;
}

static void readable(struct peer *client)
{
    if (client->is_open && can_read(client))
        happen(client, 0, UV_READABLE);
}

static void writable(struct peer *client)
{
    if (client->is_open && (client->window > 0 || client->is_reset))
        happen(client, 0, UV_WRITABLE);
}

static void turn(void)
{
    tcp.turn.check_cb(&tcp.turn);
    serving_turn(&serving);
}

static void pass_time(uint64_t ms)
{
    struct tcp_connection *each;

    for (unsigned kind = 0; kind < TCP_KINDS; kind++)
        TAILQ_FOREACH(each, &tcp.places[kind].by_activity, link)
    each->active_ms -= ms;
    if (uv_is_active((const uv_handle_t *)&tcp.timer))
        tcp.timer.timer_cb(&tcp.timer);
}

/* ---- the oracle for closed connections ---- */

static uint64_t count_excuses(void)
{
    return serving_count(&serving, COUNTER_TCP_EVICTED) +
           serving_count(&serving, COUNTER_TCP_IDLE) + serving_count(&serving, COUNTER_TCP_SLOW) +
           serving_count(&serving, COUNTER_TCP_ABUSED);
}

static bool misses_replies(const struct peer *client)
{
    if (client->is_rude || client->is_reset || client->ignored >= TCP_IGNORED_MOST)
        return false;
    for (size_t i = 0; i < client->request_count; i++)
        if (client->requests[i].state == SENT || client->requests[i].state == ASKED)
            return true;
    return false;
}

/* Connections that were closed before their replies were sent are as many as were counted. */
static void check_closed(uint64_t excuses_before)
{
    uint64_t missing = 0;

    for (size_t i = 0; i < CLIENTS_MOST; i++) {
        struct peer *client = &clients[i];
        if (client->is_open || client->is_counted)
            continue;
        client->is_counted = true;
        missing += misses_replies(client);
    }
    assert(missing <= count_excuses() - excuses_before);
}

/* ---- the steps ---- */

enum step {
    ENTER,
    ASK,
    ASK_LARGE,
    COMPOSE,
    SEND,
    READABLE,
    WRITABLE,
    WINDOW,
    TURN,
    ANSWER,
    END,
    RESET,
    ERROR,
    PASS,
    CROWD,
    HALF,
    SHORT,
    EMPTY,
    ALL_READABLE,
    STEPS,
};

static size_t reply_size(uint8_t how)
{
    static const size_t sizes[] = {HEAD_OCTETS, 100, 1000, 9000, 30000, 60000, 65535, 12};
    return sizes[how % (sizeof sizes / sizeof *sizes)];
}

static size_t request_size(uint8_t how)
{
    static const size_t sizes[] = {HEAD_OCTETS, 40, 1022, 1023, 500, 100, 3000, 20000};
    return sizes[how % (sizeof sizes / sizeof *sizes)];
}

/* New connections, each with a query of the largest size that waits for the end of the turn. */
static void crowd(unsigned count, unsigned how)
{
    for (unsigned i = 0; i < count; i++) {
        struct peer *client = enter(how);
        if (client == NULL)
            return;
        compose(client, AT_ONCE, 1022, 100);
        send_octets(client, SIZE_MAX);
        readable(client);
    }
}

static void do_as_client(struct peer *client, enum step step, struct reader *in)
{
    static uint8_t half[65000] = {0xff, 0xff};
    static const uint8_t shorts[] = {0, 3, 1, 2, 3}, empty[] = {0, 0};
    enum manner manner;
    size_t length;

    switch (step) {
    case ASK:
        manner = (enum manner)(read8(in) % MANNERS);
        compose(client, manner, 40, reply_size(read8(in)));
        send_octets(client, SIZE_MAX);
        readable(client);
        break;
    case ASK_LARGE:
    case COMPOSE:
        manner = (enum manner)(read8(in) % MANNERS);
        length = request_size(read8(in));
        compose(client, manner, length, reply_size(read8(in)));
        if (step == ASK_LARGE)
            send_octets(client, SIZE_MAX);
        break;
    case SEND:
        send_octets(client, read16(in));
        break;
    case READABLE:
        readable(client);
        break;
    case WRITABLE:
        writable(client);
        break;
    case WINDOW: {
        size_t window = read16(in);
        client->window = window == UINT16_MAX ? SIZE_MAX : window;
        break;
    }
    case END:
        client->has_ended = true;
        break;
    case RESET:
        client->is_reset = true;
        break;
    case ERROR:
        client->is_reset = true;
        happen(client, UV_EBADF, 0);
        break;
    case HALF:
        be_rude(client, half, sizeof half, 1);
        readable(client);
        break;
    case SHORT:
        be_rude(client, shorts, sizeof shorts, read8(in) % 16);
        break;
    case EMPTY:
        be_rude(client, empty, sizeof empty, 1);
        break;
    default:
        break;
    }
}

/* One of those that are connected. */
static struct peer *choose(size_t number)
{
    size_t left = tcp.open_count > 0 ? number % tcp.open_count : 0;

    for (size_t i = 0; i < CLIENTS_MOST; i++)
        if (clients[i].is_open && left-- == 0)
            return &clients[i];
    return NULL;
}

static void take_step(struct reader *in)
{
    enum step step = (enum step)(read8(in) % STEPS);

    switch (step) {
    case ENTER:
        enter(read8(in));
        break;
    case TURN:
        turn();
        break;
    case ANSWER:
        deliver_late(read8(in));
        break;
    case PASS:
        pass_time((uint64_t)read8(in) * 100);
        break;
    case CROWD: {
        unsigned count = read8(in);
        crowd(count % 100, read8(in));
        break;
    }
    case ALL_READABLE:
        for (size_t i = 0; i < CLIENTS_MOST; i++)
            readable(&clients[i]);
        break;
    default: {
        struct peer *client = choose(read8(in));
        if (client != NULL)
            do_as_client(client, step, in);
    }
    }
}

/* ---- beginning and end ---- */

static void begin(const struct tcp_limits *caps)
{
    struct err err;

    for (size_t i = 0; i < CLIENTS_MOST; i++) {
        clients[i].is_open = false;
        clients[i].is_counted = true;
    }
    late_count = 0;
    serving_init(&serving);
    bool is_ready = tcp_init(&tcp, &serving.loop, &serving.batch, caps, &err);
    assert(is_ready);
}

static bool has_more(const struct peer *client)
{
    return client->is_open && (client->sent > client->received ||
                               client->connection->unsent < client->connection->unsent_end);
}

/* All clients send the rest and read all replies. Returns false when nothing is left. */
static bool finish_round(void)
{
    bool goes_on = false;

    for (size_t i = 0; i < CLIENTS_MOST; i++) {
        if (!clients[i].is_open)
            continue;
        clients[i].window = SIZE_MAX;
        send_octets(&clients[i], SIZE_MAX);
        writable(&clients[i]);
        readable(&clients[i]);
    }
    turn();
    deliver_late(0);
    for (size_t i = 0; i < CLIENTS_MOST; i++)
        goes_on = goes_on || has_more(&clients[i]);
    return goes_on || late_count > 0;
}

static void finish_all(void)
{
    unsigned rounds = 0;

    while (finish_round())
        assert(++rounds < ROUNDS_MOST);
}

static void check_open(void)
{
    for (size_t i = 0; i < CLIENTS_MOST; i++)
        assert(!clients[i].is_open || !misses_replies(&clients[i]));
}

static void end(void)
{
    tcp_stop(&tcp);
    if (tcp.open_count > 0)
        tcp.timer.timer_cb(&tcp.timer);
    assert(tcp.open_count == 0);
    serving_close(&serving);
    tcp_close(&tcp);
    for (size_t i = 0; i < CLIENTS_MOST; i++)
        assert(!clients[i].is_open);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    int ends[2];

    (void)argc, (void)argv;
    log_set_level(LOG_ERROR);
    bool is_open = pipe2(ends, O_CLOEXEC) == 0;
    assert(is_open);
    never_ready = ends[0]; /* the other end stays open */
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader in = reader_over(data, size);

    begin(&limits[read8(&in) % (sizeof limits / sizeof *limits)]);
    for (unsigned steps = 0; steps < STEPS_MOST && reader_left(&in) > 0; steps++) {
        uint64_t excuses = count_excuses();
        take_step(&in);
        check_closed(excuses);
    }
    uint64_t excuses = count_excuses();
    finish_all();
    check_closed(excuses);
    check_open();
    end();
    return 0;
}
