// wrap: socket connect setsockopt epoll_ctl send recv close
// fuzz: stateful 10000
/**
 * Any octets of a server over a stream, at any time: the input is a list of steps.
 *
 * The first octet chooses the server: 0 plain TCP, 1 TLS with the input's own records, 2 TLS 1.3
 * and 3 TLS 1.2 by a real server, whose records the input may cut and change. The network is this
 * file's, so no step waits; random numbers are the same in every run, so that recorded handshakes
 * match.
 *
 * Invariants: a response is passed on only for an open question, each question fails at most once,
 * and nothing is leaked.
 */
#define OPENSSL_SUPPRESS_DEPRECATED /* OpenSSL 3 has no other way to choose the random numbers */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <errno.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "support/identity.h"
#include "support/tls_server.h"
#include "upstream/stream.h"

enum { DESCRIPTOR = 1 << 20, TICKETS = 64, STEPS_MOST = 400, BOX_OCTETS = 1 << 17 };
enum mode { PLAIN, RECORDED, TLS_NEW, TLS_OLD, MODES };

/* A queue of octets. */
struct box {
    size_t length;
    uint8_t octets[BOX_OCTETS];
};

/* The network and the server behind it. */
static struct {
    bool is_open;
    bool has_ended; /* the next read is the end */
    int error;      /* of the next read; 0: none */
    int refusal;    /* of the next socket; 0: none */
    size_t send_most;
    struct box received;  /* from the client, decrypted */
    struct box sent;      /* by a real server, not delivered yet */
    struct box delivered; /* to the client, not read yet */
    struct tls_server tls;
    SSL_CTX *context; /* NULL: no real server */
} network;

static struct {
    struct stream_query *stream_queries[TICKETS]; /* open */
    uint64_t now_ms;
    struct stats stats;
    struct stream_home home;
    struct stream stream;
    struct upstream upstream;
} client;

static uint8_t wire[STREAM_WIRE_OCTETS], plain[STREAM_PLAIN_OCTETS];
static struct tls_trust *trust;
static SSL_CTX *contexts[MODES];
static uint64_t random_state;

/* ---- fixed random numbers ---- */

static int give_octets(unsigned char *octets, int count)
{
    for (int i = 0; i < count; i++) {
        random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
        octets[i] = (unsigned char)(random_state >> 56);
    }
    return 1;
}

static int has_octets(void)
{
    return 1;
}

static const RAND_METHOD chosen = {
    .bytes = give_octets, .pseudorand = give_octets, .status = has_octets};

/* ---- the network ---- */

static void put(struct box *box, const void *octets, size_t length)
{
    size_t room = sizeof box->octets - box->length, taken = length < room ? length : room;

    if (taken > 0)
        memcpy(box->octets + box->length, octets, taken);
    box->length += taken;
}

static size_t take(struct box *box, void *octets, size_t most)
{
    size_t length = box->length < most ? box->length : most;

    memcpy(octets, box->octets, length);
    memmove(box->octets, box->octets + length, box->length - length);
    box->length -= length;
    return length;
}

static void take_records(void)
{
    uint8_t octets[4096];
    size_t length;

    while ((length = tls_server_take(&network.tls, octets, sizeof octets)) > 0)
        put(&network.sent, octets, length);
}

static void receive(const void *octets, size_t length)
{
    uint8_t question[4096];
    size_t more;

    if (network.context == NULL) {
        put(&network.received, octets, length);
        return;
    }
    tls_server_put(&network.tls, octets, length);
    while ((more = tls_server_read(&network.tls, question, sizeof question)) > 0)
        put(&network.received, question, more);
    take_records();
}

static void hang_up(void)
{
    if (network.context != NULL && network.is_open)
        tls_server_end(&network.tls);
    network.is_open = network.has_ended = false;
    network.error = 0;
    network.received.length = network.sent.length = network.delivered.length = 0;
}

int __wrap_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol)
{
    (void)domain, (void)type, (void)protocol;
    if (network.refusal != 0) {
        errno = network.refusal;
        network.refusal = 0;
        return -1;
    }
    assert(!network.is_open);
    network.is_open = true;
    if (network.context != NULL)
        tls_server_begin(&network.tls, network.context);
    return DESCRIPTOR;
}

int __wrap_connect(int descriptor, const struct sockaddr *address, socklen_t octets);
int __wrap_connect(int descriptor, const struct sockaddr *address, socklen_t octets)
{
    (void)address, (void)octets;
    assert(descriptor == DESCRIPTOR && network.is_open);
    errno = EINPROGRESS;
    return -1;
}

int __wrap_setsockopt(int descriptor, int level, int name, const void *value, socklen_t octets);
int __wrap_setsockopt(int descriptor, int level, int name, const void *value, socklen_t octets)
{
    (void)descriptor, (void)level, (void)name, (void)value, (void)octets;
    return 0;
}

int __wrap_epoll_ctl(int epoll, int what, int descriptor, struct epoll_event *event);
int __wrap_epoll_ctl(int epoll, int what, int descriptor, struct epoll_event *event)
{
    (void)epoll, (void)what, (void)event;
    assert(descriptor == DESCRIPTOR && network.is_open);
    return 0;
}

ssize_t __wrap_send(int descriptor, const void *octets, size_t length, int flags);
ssize_t __wrap_send(int descriptor, const void *octets, size_t length, int flags)
{
    assert(descriptor == DESCRIPTOR && network.is_open && (flags & MSG_NOSIGNAL) != 0);
    size_t taken = length < network.send_most ? length : network.send_most;
    if (taken == 0) {
        errno = EAGAIN;
        return -1;
    }
    receive(octets, taken);
    return (ssize_t)taken;
}

ssize_t __wrap_recv(int descriptor, void *octets, size_t length, int flags);
ssize_t __wrap_recv(int descriptor, void *octets, size_t length, int flags)
{
    (void)flags;
    assert(descriptor == DESCRIPTOR && network.is_open);
    if (network.delivered.length > 0)
        return (ssize_t)take(&network.delivered, octets, length);
    if (network.error == 0 && network.has_ended)
        return 0;
    errno = network.error != 0 ? network.error : EAGAIN;
    return -1;
}

int __real_close(int descriptor);
int __wrap_close(int descriptor);
int __wrap_close(int descriptor)
{
    if (descriptor != DESCRIPTOR)
        return __real_close(descriptor);
    assert(network.is_open);
    hang_up();
    return 0;
}

/* ---- the client ---- */

static void on_response(void *context, link_ticket ticket, const uint8_t *octets, size_t length)
{
    (void)context;
    assert(ticket < TICKETS && client.stream_queries[ticket] != NULL);
    assert(length >= 2 && load16(octets) == (uint16_t)(0x4000 + ticket));
    stream_forget(&client.stream, client.stream_queries[ticket]);
    client.stream_queries[ticket] = NULL;
}

static void on_failure(void *context, link_ticket ticket, enum link_failure failure)
{
    (void)context;
    assert(ticket < TICKETS && client.stream_queries[ticket] != NULL);
    assert(failure == LINK_UNREACHABLE || failure == LINK_TLS || failure == LINK_EXHAUSTED);
    client.stream_queries[ticket] = NULL;
}

static void ask(void)
{
    uint8_t query[33] = {0};
    link_ticket ticket = 0;

    while (ticket < TICKETS && client.stream_queries[ticket] != NULL)
        ticket++;
    if (ticket == TICKETS)
        return;
    store16(query, (uint16_t)(0x4000 + ticket));
    client.stream_queries[ticket] =
        stream_send(&client.stream, ticket, query, sizeof query, client.now_ms);
}

static void forget(link_ticket ticket)
{
    if (client.stream_queries[ticket] != NULL)
        stream_forget(&client.stream, client.stream_queries[ticket]);
    client.stream_queries[ticket] = NULL;
}

static void happen(uint32_t events)
{
    if (network.is_open)
        stream_on_events(&client.stream, events, client.now_ms);
}

static void deliver(const uint8_t *octets, size_t length)
{
    put(&network.delivered, octets, length);
    happen(EPOLLIN);
}

/* ---- the steps ---- */

enum step {
    ASK,
    FORGET,
    DELIVER,
    DELIVER_LONG,
    WRITABLE,
    END,
    BREAK,
    BREAK_EVENT,
    PASS,
    ANSWER,
    ANSWER_LONG,
    TAKE_LITTLE,
    REFUSE,
    SPOIL,
    CARRY,
    CARRY_ALL,
};

/* The server answers a question that it received, with so many octets more. */
static void answer(size_t number, size_t more)
{
    static uint8_t frame[65537];
    struct reader in = reader_over(network.received.octets, network.received.length);
    const uint8_t *question = NULL;

    for (size_t i = 0; i <= number; i++)
        question = read_span(&in, read16(&in));
    if (question == NULL || in.next - question < 2)
        return;
    size_t length = (size_t)(in.next - question);
    memset(frame, 0, sizeof frame);
    memcpy(frame + 2, question, length);
    length += more;
    store16(frame, (uint16_t)length);
    if (network.context == NULL) {
        deliver(frame, 2 + length);
    } else if (SSL_is_init_finished(network.tls.ssl) != 0) {
        tls_server_write(&network.tls, frame, 2 + length);
        take_records();
    }
}

/* Delivers octets of a real server to the client. */
static void carry(size_t most)
{
    static uint8_t octets[BOX_OCTETS];

    deliver(octets, take(&network.sent, octets, most));
}

static void spoil(struct reader *in)
{
    size_t at = read16(in);
    uint8_t with = read8(in);

    if (at < network.sent.length)
        network.sent.octets[at] ^= with;
}

static void take_data(struct reader *in, size_t wanted)
{
    size_t length = wanted < reader_left(in) ? wanted : reader_left(in);

    deliver(read_span(in, length), length);
}

static void break_off(unsigned how)
{
    static const int errors[] = {ECONNRESET, ETIMEDOUT, EHOSTUNREACH, EINTR, ENOMEM};

    network.error = errors[how % (sizeof errors / sizeof *errors)];
    happen(EPOLLIN);
    network.error = 0;
}

static void refuse(unsigned how)
{
    static const int errors[] = {EMFILE, ENOBUFS, ENETUNREACH, EPERM};

    network.refusal = errors[how % (sizeof errors / sizeof *errors)];
}

static void pass_time(unsigned ticks)
{
    for (unsigned i = 0; i <= ticks; i++) {
        client.now_ms += STREAM_TICK_MS;
        stream_tick(&client.stream, client.now_ms);
    }
}

static void take_step(struct reader *in)
{
    uint8_t octet = read8(in);
    unsigned how = octet >> 4;

    switch ((enum step)(octet & 15)) {
    case ASK:
        ask();
        break;
    case FORGET:
        forget(how);
        break;
    case DELIVER:
        take_data(in, 1 + (size_t)read8(in));
        break;
    case DELIVER_LONG:
        take_data(in, 1 + (size_t)read16(in));
        break;
    case WRITABLE:
        happen(EPOLLOUT);
        break;
    case END:
        network.has_ended = true;
        happen(EPOLLIN);
        break;
    case BREAK:
        break_off(how);
        break;
    case BREAK_EVENT:
        happen(how % 2 == 0 ? EPOLLHUP : EPOLLERR | EPOLLOUT);
        break;
    case PASS:
        pass_time(how);
        break;
    case ANSWER:
        answer(how, 0);
        break;
    case ANSWER_LONG:
        answer(how % 4, 1 + (size_t)read16(in) % 65000);
        break;
    case TAKE_LITTLE:
        network.send_most = how == 15 ? SIZE_MAX : how;
        break;
    case REFUSE:
        refuse(how);
        break;
    case SPOIL:
        spoil(in);
        break;
    case CARRY:
        carry(read16(in));
        break;
    case CARRY_ALL:
        carry(SIZE_MAX);
        break;
    }
    if (client.stream.is_due)
        stream_turn(&client.stream, client.now_ms);
}

static void begin(enum mode mode)
{
    random_state = 1;
    network.send_most = SIZE_MAX;
    network.refusal = 0;
    network.context = contexts[mode];
    client.now_ms = 1000;
    client.upstream.is_tls = mode != PLAIN;
    client.home.random.left = sizeof client.home.random.octets;
    give_octets(client.home.random.octets, sizeof client.home.random.octets);
    bool was_made = stream_init(&client.stream, &client.home, &client.upstream, trust, 0);
    assert(was_made);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct authority authority;
    struct err err;

    (void)argc, (void)argv;
    RAND_set_rand_method(&chosen);
    authority_init(&authority);
    /* Valid for long: the recorded inputs were signed with the same key. */
    const struct identity_options options = {.names = "DNS:dns.example",
                                             .ends_seconds = 1000000000};
    struct identity identity = identity_make(&authority, &options);
    contexts[TLS_NEW] = tls_server_context(&identity, TLS1_3_VERSION);
    contexts[TLS_OLD] = tls_server_context(&identity, TLS1_2_VERSION);
    trust = dot_trust_new(&err);
    assert(trust != NULL);
    identity_free(&identity);
    authority_close(&authority);
    log_set_level(LOG_ERROR);
    client.upstream.tls_name = "dns.example";
    client.upstream.text = "tls://127.0.0.1#dns.example";
    client.upstream.endpoint.v4.sin_family = AF_INET;
    client.home.listener =
        (struct link_listener){.on_response = on_response, .on_failure = on_failure};
    client.home.stats = &client.stats;
    client.home.wire = wire;
    client.home.plain = plain;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader in = reader_over(data, size);

    begin(read8(&in) % MODES);
    ask();
    for (unsigned steps = 0; steps < STEPS_MOST && reader_left(&in) > 0; steps++)
        take_step(&in);
    stream_close(&client.stream);
    assert(!network.is_open);
    memset(client.stream_queries, 0, sizeof client.stream_queries);
    return 0;
}
