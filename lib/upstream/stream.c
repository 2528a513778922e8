#include "upstream/stream.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"

enum {
    ID_OCTETS = 2,
    READS_MOST = 4,           /* of 64 KB, before other descriptors are served */
    CHUNK_OCTETS = 4096,      /* of questions in one TLS record */
    TLS_OVERHEAD_OCTETS = 64, /* of a TLS record, with a margin */
};

enum link_failure link_failure_of(int error)
{
    switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC: /* epoll's watches */
    case EAGAIN:
    case EADDRINUSE: /* no free port */
        return LINK_EXHAUSTED;
    case ECONNREFUSED:
        return LINK_REFUSED;
    default: /* errno */
        return LINK_UNREACHABLE;
    }
}

bool stream_init(struct stream *stream, struct stream_home *home, const struct upstream *server,
                 struct tls_trust *trust, uint32_t slot)
{
    *stream = (struct stream){.home = home, .server = server, .slot = slot, .descriptor = -1};
    stream_queries_init(&stream->stream_queries);
    if (server->is_tls)
        stream->tls = dot_new(trust, server);
    return !server->is_tls || stream->tls != NULL;
}

/* ---- opening and closing ---- */

static void disconnect(struct stream *stream)
{
    if (stream->descriptor >= 0)
        close(stream->descriptor);
    if (stream->tls != NULL)
        tls_end(stream->tls);
    frames_close(&stream->frames);
    free(stream->output);
    stream->output = NULL;
    stream->unsent = stream->unsent_end = 0;
    stream->descriptor = -1;
    stream->event = 0;
    stream->state = STREAM_CLOSED;
    stream->has_worked = false;
    stream->quiet_ms = 0;
}

/* Returns a socket that is connecting to the server, or -1 with errno. */
static int connect_to(const struct endpoint *server)
{
    const int on = 1;
    int descriptor = socket(server->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (descriptor < 0)
        return -1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(descriptor, &server->any, endpoint_octets(server)) == 0 || errno == EINPROGRESS ||
        errno == EINTR)
        return descriptor;
    int error = errno;
    close(descriptor);
    errno = error;
    return -1;
}

static bool begin_watching(struct stream *stream)
{
    stream->watched = EPOLLIN | EPOLLOUT;
    stream->event = stream_home_event(stream->home, stream->slot);
    struct epoll_event event = {.events = stream->watched, .data.u64 = stream->event};
    return epoll_ctl(stream->home->epoll, EPOLL_CTL_ADD, stream->descriptor, &event) == 0;
}

/* Opens a connection. Returns false with *failure, leaving the stream closed. */
static bool open_connection(struct stream *stream, enum link_failure *failure, uint64_t now_ms)
{
    stream->output = malloc(STREAM_OUTPUT_OCTETS);
    errno = ENOMEM; /* for calls that fail without setting it */
    if (stream->output != NULL && (stream->tls == NULL || tls_begin(stream->tls))) {
        stream->descriptor = connect_to(&stream->server->endpoint);
        if (stream->descriptor >= 0 && begin_watching(stream)) {
            stream->state = STREAM_CONNECTING;
            stream->opened_ms = now_ms;
            stats_count(stream->home->stats, COUNTER_FORWARD_CONNECTIONS, 1);
            return true;
        }
    }
    *failure = link_failure_of(errno);
    disconnect(stream);
    return false;
}

/* Logs a TLS failure: once until TLS works again, and not too often when it comes and goes. */
static void log_tls_failure(struct stream *stream, struct dot_failure why, uint64_t now_ms)
{
    struct log_line line;
    char sentence[512];

    if (stream->has_logged ||
        (stream->logged_ms != 0 && now_ms - stream->logged_ms < STREAM_LOG_INTERVAL_MS))
        return;
    stream->has_logged = true;
    stream->logged_ms = now_ms;
    struct text text = text_over(sentence, sizeof sentence - 1);
    text_add_string(&text, why.text);
    text_add_string(&text, "; ");
    text_add_string(&text, why.remedy);
    *text.next = '\0';
    log_start(&line, LOG_WARNING, "upstream_tls");
    log_string(&line, "upstream", stream->server->text);
    log_string(&line, "text", sentence);
    log_send(&line);
}

/* Closes the connection; questions of `again_from_ms` or later are sent again over a new one. */
static void replace(struct stream *stream, enum link_failure failure, uint64_t again_from_ms,
                    uint64_t now_ms)
{
    disconnect(stream);
    stream_queries_take_back(&stream->stream_queries, again_from_ms, failure);
    if (stream_queries_have_unsent(&stream->stream_queries) &&
        !open_connection(stream, &failure, now_ms))
        stream_queries_take_back(&stream->stream_queries, UINT64_MAX, failure);
    stream->is_due = true;
}

/* The connection is broken: sends its questions again if it has worked, else fails them. */
static void break_off(struct stream *stream, enum link_failure failure, uint64_t now_ms)
{
    replace(stream, failure, stream->has_worked ? 0 : UINT64_MAX, now_ms);
}

/* The connection has timed out; young questions have not. */
static void time_out(struct stream *stream, uint64_t now_ms)
{
    uint64_t young_ms = now_ms < STREAM_YOUNG_MS ? 0 : now_ms - STREAM_YOUNG_MS + 1;

    replace(stream, LINK_UNREACHABLE, stream->has_worked ? 0 : young_ms, now_ms);
}

/* ---- writing ---- */

/* The free end of the output buffer; add_output commits what was filled. */
static struct writer output_room(struct stream *stream)
{
    assert(stream->unsent <= stream->unsent_end && stream->unsent_end <= STREAM_OUTPUT_OCTETS);
    if (stream->unsent == stream->unsent_end)
        stream->unsent = stream->unsent_end = 0;
    return writer_over(stream->output + stream->unsent_end,
                       (size_t)STREAM_OUTPUT_OCTETS - stream->unsent_end);
}

static void add_output(struct stream *stream, struct writer room, size_t length)
{
    const uint8_t *added = write_span(&room, length);

    assert(added == stream->output + stream->unsent_end);
    stream->unsent_end += (uint32_t)length;
}

/* Moves TLS records into the output. Returns false when they fill it: the server makes us send more
 * than it reads. */
static bool take_records(struct stream *stream)
{
    struct writer room = output_room(stream);
    size_t taken = tls_take(stream->tls, room.next, writer_left(&room));

    add_output(stream, room, taken);
    return taken < writer_left(&room);
}

/* Moves questions into the output while there is room. */
static bool write_questions(struct stream *stream)
{
    struct writer room = output_room(stream);

    if (stream->tls == NULL) {
        add_output(stream, room,
                   stream_queries_send(&stream->stream_queries, room.next, writer_left(&room)));
        return true;
    }
    uint8_t chunk[CHUNK_OCTETS];
    if (writer_left(&room) < CHUNK_OCTETS + TLS_OVERHEAD_OCTETS)
        return true;
    size_t length = stream_queries_send(&stream->stream_queries, chunk, sizeof chunk);
    return length == 0 || tls_write(stream->tls, chunk, length);
}

static bool fill_output(struct stream *stream)
{
    if (stream->state == STREAM_OPEN && !write_questions(stream))
        return false;
    return stream->tls == NULL || take_records(stream);
}

/* Writes without waiting. Returns false when the connection is broken. */
static bool send_output(struct stream *stream)
{
    size_t length = stream->unsent_end - stream->unsent;
    ssize_t taken = length == 0 ? 0
                                : send(stream->descriptor, stream->output + stream->unsent, length,
                                       MSG_DONTWAIT | MSG_NOSIGNAL);

    if (taken < 0)
        return errno == EAGAIN || errno == EINTR || errno == ENOBUFS;
    stream->unsent += (uint32_t)taken;
    return true;
}

/* Sends TLS's last records, an alert or close_notify, if the socket takes them. */
static void send_last_records(struct stream *stream)
{
    if (stream->tls != NULL && take_records(stream))
        send_output(stream);
}

/* Closes an idle connection. */
static void close_idle(struct stream *stream)
{
    if (stream->tls != NULL)
        tls_write_close_notify(stream->tls);
    send_last_records(stream);
    disconnect(stream);
}

/* ---- broken connections ---- */

static void fail_handshake(struct stream *stream, struct dot_failure why, uint64_t now_ms)
{
    log_tls_failure(stream, why, now_ms);
    send_last_records(stream);
    break_off(stream, LINK_TLS, now_ms);
}

/* The server has closed or broken the connection; `error` is the errno, or 0. */
static void on_broken(struct stream *stream, int error, uint64_t now_ms)
{
    if (stream->state == STREAM_SHAKING)
        fail_handshake(stream, dot_failure(stream->tls), now_ms);
    else
        break_off(stream, error == ECONNREFUSED ? LINK_REFUSED : LINK_UNREACHABLE, now_ms);
}

/* Writes until everything is written or the socket's buffer is full. */
static void write_out(struct stream *stream, uint64_t now_ms)
{
    bool goes_on = true;

    while (goes_on) {
        bool had_unsent = stream_queries_have_unsent(&stream->stream_queries);
        if (!fill_output(stream) || !send_output(stream)) {
            on_broken(stream, 0, now_ms);
            return;
        }
        if (had_unsent && stream->state == STREAM_OPEN && stream->quiet_ms == 0)
            stream->quiet_ms = now_ms;
        /* Every turn but the last moves questions. */
        goes_on = stream->state == STREAM_OPEN && stream->unsent == stream->unsent_end &&
                  stream_queries_have_unsent(&stream->stream_queries);
    }
}

/* ---- reading ---- */

static void take_message(void *context, uint8_t *octets, size_t length)
{
    struct stream *stream = context;
    struct stream_home *home = stream->home;

    stream->has_worked = true;
    stream->quiet_ms = 0;
    struct stream_query *stream_query =
        length < ID_OCTETS ? NULL : stream_queries_find(&stream->stream_queries, load16(octets));
    if (stream_query == NULL) {
        stats_count(home->stats, COUNTER_FORWARD_FOREIGN, 1);
        return;
    }
    memcpy(octets, stream_query->query, ID_OCTETS);
    home->listener.on_response(home->listener.context, stream_query->ticket, octets, length);
}

/* Decrypts what came. Every turn but the last takes octets off it. */
static enum tls_status decrypt(struct stream *stream)
{
    enum tls_status status;
    size_t length;

    while ((status = tls_read(stream->tls, stream->home->plain, STREAM_PLAIN_OCTETS, &length)) ==
           TLS_READ)
        if (!frames_take(&stream->frames, stream->home->plain, length, take_message, stream))
            return TLS_FAILED;
    return status;
}

/* Splits what came into messages. Returns false when the connection is over. */
static bool take_in(struct stream *stream, size_t length)
{
    uint8_t *octets = stream->home->wire;

    if (stream->tls == NULL)
        return frames_take(&stream->frames, octets, length, take_message, stream);
    if (!tls_put(stream->tls, octets, length) || decrypt(stream) != TLS_WAITING)
        return false;
    if (stream->state == STREAM_SHAKING && tls_is_open(stream->tls)) {
        stream->state = STREAM_OPEN;
        stream->has_logged = false;
    }
    return take_records(stream);
}

/* Returns the octets read; 0 also when there were none or the connection is over. */
static size_t read_once(struct stream *stream, uint64_t now_ms)
{
    ssize_t length = recv(stream->descriptor, stream->home->wire, STREAM_WIRE_OCTETS, MSG_DONTWAIT);

    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    int error = length < 0 ? errno : 0;
    if (length > 0 && take_in(stream, (size_t)length))
        return (size_t)length;
    on_broken(stream, error, now_ms);
    return 0;
}

static void read_in(struct stream *stream, uint64_t now_ms)
{
    size_t length = STREAM_WIRE_OCTETS;

    for (unsigned reads = 0; reads < READS_MOST && length == STREAM_WIRE_OCTETS; reads++)
        length = read_once(stream, now_ms);
}

/* ---- the interface ---- */

void stream_close(struct stream *stream)
{
    disconnect(stream);
    stream_queries_close(&stream->stream_queries);
    tls_free(stream->tls);
    stream->tls = NULL;
}

struct stream_query *stream_send(struct stream *stream, link_ticket ticket, const uint8_t *query,
                                 size_t length, uint64_t now_ms)
{
    enum link_failure failure;

    assert(length >= ID_OCTETS && length <= STREAM_QUERY_OCTETS_MOST);
    struct stream_query *stream_query = stream_queries_add(
        &stream->stream_queries, &stream->home->random, ticket, query, length, now_ms);
    if (stream_query == NULL)
        return NULL;
    stream->asked_ms = now_ms;
    stream->is_due = true;
    if (stream->state != STREAM_CLOSED || open_connection(stream, &failure, now_ms))
        return stream_query;
    if (failure == LINK_EXHAUSTED) {
        stream_queries_remove(&stream->stream_queries, stream_query);
        return NULL;
    }
    stream_queries_take_back(&stream->stream_queries, UINT64_MAX, failure);
    return stream_query;
}

void stream_give_up(struct stream *stream, uint64_t now_ms)
{
    time_out(stream, now_ms);
}

void stream_forget(struct stream *stream, struct stream_query *stream_query)
{
    stream_queries_remove(&stream->stream_queries, stream_query);
}

/* Sets the events that epoll watches for. */
static void watch(struct stream *stream, uint64_t now_ms)
{
    bool writes = stream->state == STREAM_CONNECTING || stream->unsent < stream->unsent_end;
    struct epoll_event event = {.events = EPOLLIN | (writes ? EPOLLOUT : 0U),
                                .data.u64 = stream->event};

    if (stream->state == STREAM_CLOSED || event.events == stream->watched)
        return;
    stream->watched = event.events;
    if (epoll_ctl(stream->home->epoll, EPOLL_CTL_MOD, stream->descriptor, &event) != 0)
        break_off(stream, LINK_EXHAUSTED, now_ms);
}

/* Notifies the failures up to now; those that occur meanwhile wait for the next turn. */
static void notify_failures(struct stream *stream)
{
    const struct link_listener *listener = &stream->home->listener;
    struct stream_query *stream_query;

    for (size_t left = stream->stream_queries.count; left > 0; left--) {
        if ((stream_query = stream_queries_first_failed(&stream->stream_queries)) == NULL)
            return;
        link_ticket ticket = stream_query->ticket;
        enum link_failure failure = stream_query->failure;
        stream_queries_remove(&stream->stream_queries, stream_query);
        listener->on_failure(listener->context, ticket, failure);
    }
}

void stream_turn(struct stream *stream, uint64_t now_ms)
{
    if (stream->state >= STREAM_SHAKING)
        write_out(stream, now_ms);
    watch(stream, now_ms);
    stream->is_due = false;
    notify_failures(stream);
}

void stream_on_events(struct stream *stream, uint32_t events, uint64_t now_ms)
{
    bool has_failed = (events & (EPOLLERR | EPOLLHUP)) != 0;
    uint64_t event = stream->event;

    if (stream->state == STREAM_CONNECTING && !has_failed)
        stream->state = stream->tls != NULL ? STREAM_SHAKING : STREAM_OPEN;
    if (has_failed || (events & EPOLLIN) != 0)
        read_in(stream, now_ms);
    if (has_failed && stream->event == event)
        on_broken(stream, 0, now_ms);
    stream_turn(stream, now_ms);
}

void stream_tick(struct stream *stream, uint64_t now_ms)
{
    static const struct dot_failure silence = {
        .text = "no reply", .remedy = "check that it serves DNS over TLS at this port"};

    if (stream->state == STREAM_CLOSED)
        return;
    if (stream->state == STREAM_SHAKING && now_ms - stream->opened_ms >= STREAM_OPENING_MS)
        fail_handshake(stream, silence, now_ms);
    else if (stream->state == STREAM_CONNECTING && now_ms - stream->opened_ms >= STREAM_OPENING_MS)
        time_out(stream, now_ms);
    else if (stream->quiet_ms != 0 && now_ms - stream->quiet_ms >= STREAM_SILENT_MS)
        time_out(stream, now_ms);
    else if (stream->stream_queries.count == 0 && now_ms - stream->asked_ms >= STREAM_IDLE_MS)
        close_idle(stream);
    stream_turn(stream, now_ms);
}
