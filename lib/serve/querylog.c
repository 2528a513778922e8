#include "serve/querylog.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

enum {
    LINE_OCTETS = 64, /* a cache line of the processor */
    OUTPUT_OCTETS = 64 << 10,
    /* A pipe that polls as writable accepts so much without blocking (PIPE_BUF). */
    WRITE_OCTETS = 4096,
    REST_NS = 2000000,
    WAIT_MS = 250,
    FAILURE_SECONDS = 60,
};

static const uint64_t second_ns = 1000000000;

struct querylog_ring {
    /* The producer's side. */
    alignas(LINE_OCTETS) atomic_size_t filled; /* records handed over, ever */
    size_t added;                              /* records added, handed over or not */
    atomic_uint_fast64_t dropped;
    struct querylog *log;
    struct querylog_record *records;
    /* The writer's side. */
    alignas(LINE_OCTETS) atomic_size_t written;
};

struct querylog {
    struct querylog_ring *rings;
    size_t ring_count;
    int descriptor;  /* the caller's; */
    int nonblocking; /* the same file opened non-blocking; -1: not possible */
    enum querylog_format format;
    uv_thread_t thread;
    bool is_started;
    sem_t wake;
    atomic_bool is_asleep;
    atomic_bool is_stopping;
    atomic_uint_fast64_t lost; /* lines that could not be written, ever */
    /* The writer's own. */
    uint64_t deadline_ns; /* 0: none yet */
    uint64_t dropped_reported;
    uint64_t reported_ns;
    uint64_t lost_reported;
    uint64_t failed_ns; /* when a failure was logged last; 0: never */
    bool is_torn;       /* the last line written lacks its end */
    size_t output_length;
    char output[OUTPUT_OCTETS];
};

/* ---- producers ---- */

static struct querylog_record *claim(struct querylog_ring *ring)
{
    size_t written = atomic_load_explicit(&ring->written, memory_order_acquire);

    assert(ring->added - written <= QUERYLOG_RECORDS);
    if (ring->added - written == QUERYLOG_RECORDS) {
        uint64_t dropped = atomic_load_explicit(&ring->dropped, memory_order_relaxed);
        atomic_store_explicit(&ring->dropped, dropped + 1, memory_order_relaxed);
        return NULL;
    }
    return &ring->records[ring->added++ % QUERYLOG_RECORDS];
}

static uint8_t copy_text(char *to, size_t room, const char *from, size_t length)
{
    if (length > room)
        length = room;
    memcpy(to, from, length);
    return (uint8_t)length;
}

static void copy_owner(struct querylog_record *record, const struct snapshot *snapshot,
                       const struct exchange *exchange)
{
    const struct verdict *verdict = &exchange->verdict;
    const struct segment *segment = verdict->segment;

    /* A name of no space: the client's own space shows where the question came from. */
    if (segment == NULL && exchange->client.count > 0)
        segment = snapshot->segments[exchange->client.memberships[0].segment];
    record->space_length = 0;
    record->app_length = 0;
    if (segment != NULL)
        record->space_length =
            copy_text(record->space, sizeof record->space, segment->name, strlen(segment->name));
    if (verdict->segment != NULL && verdict->app != NULL)
        record->app_length = copy_text(record->app, sizeof record->app,
                                       segment_text(verdict->segment, verdict->app->name),
                                       verdict->app->name_length);
}

static void copy_question(struct querylog_record *record, const struct exchange *exchange)
{
    const struct query *query = &exchange->query;
    bool is_readable = exchange->status == QUERY_READ || exchange->status == QUERY_VERSION;

    record->name_length = is_readable ? query->name.length : 0;
    record->type = is_readable ? query->type : 0;
    memcpy(record->name, query->name.octets, record->name_length);
}

bool querylog_add(struct querylog_ring *ring, const struct snapshot *snapshot,
                  const struct exchange *exchange, const struct endpoint *client, int64_t wall_us)
{
    struct querylog_record *record = claim(ring);

    if (record == NULL)
        return false;
    record->wall_us = wall_us;
    record->ttl_seconds = exchange->ttl_seconds;
    record->client = *client;
    record->rcode = exchange->rcode;
    record->answer_count = exchange->answer_count;
    record->reply_octets = (uint16_t)exchange->reply_length;
    record->transport = (uint8_t)exchange->transport;
    record->class = (uint8_t)client_class(&exchange->client);
    record->reason = (uint8_t)verdict_inner_reason(&exchange->verdict);
    copy_owner(record, snapshot, exchange);
    copy_question(record, exchange);
    return true;
}

void querylog_hand_over(struct querylog_ring *ring, uint32_t service_ms)
{
    struct querylog *log = ring->log;
    size_t filled = atomic_load_explicit(&ring->filled, memory_order_relaxed);

    if (filled == ring->added)
        return;
    for (; filled != ring->added; filled++)
        ring->records[filled % QUERYLOG_RECORDS].service_ms = service_ms;
    /*
     * Sequentially consistent with the writer's last check before it sleeps: one side sees the
     * other.
     */
    atomic_store(&ring->filled, filled);
    if (atomic_load(&log->is_asleep) && atomic_exchange(&log->is_asleep, false))
        sem_post(&log->wake);
}

/* ---- the writer ---- */

static bool is_late(const struct querylog *log)
{
    return log->deadline_ns != 0 && clock_monotonic_ns() >= log->deadline_ns;
}

static void begin_deadline(struct querylog *log)
{
    if (log->deadline_ns == 0 && atomic_load(&log->is_stopping))
        log->deadline_ns = clock_monotonic_ns() + 2 * second_ns;
}

/* A full disk stays full for long, and the log itself may be written to it. */
static void log_failure(struct querylog *log, int error)
{
    struct log_line line;
    uint64_t lost = atomic_load(&log->lost), now = clock_monotonic_ns();

    if (log->failed_ns != 0 && now - log->failed_ns < FAILURE_SECONDS * second_ns)
        return;
    log_start(&line, LOG_ERROR, "querylog_failed");
    log_string(&line, "error", strerror(error));
    log_number(&line, "count", lost - log->lost_reported);
    log_string(&line, "text",
               "query log lines cannot be written to standard output; they are dropped and counted "
               "until that works again");
    log_send(&line);
    log->lost_reported = lost;
    log->failed_ns = now;
}

static void count_lost(struct querylog *log, const char *rest, size_t length)
{
    uint64_t count = 0;

    for (size_t i = 0; i < length; i++)
        count += rest[i] == '\n';
    atomic_store(&log->lost, atomic_load(&log->lost) + count);
}

/* Writes a piece that does not block; *taken is 0 to try again. Returns an error number, or 0. */
static int write_piece(struct querylog *log, const char *piece, size_t length, size_t *taken)
{
    int output = log->nonblocking >= 0 ? log->nonblocking : log->descriptor;
    struct pollfd descriptor = {.fd = output, .events = POLLOUT};

    *taken = 0;
    if (poll(&descriptor, 1, WAIT_MS) <= 0)
        return 0;
    ssize_t done = write(output, piece, length > WRITE_OCTETS ? WRITE_OCTETS : length);
    if (done < 0 && errno == EAGAIN) /* it has room, but not for this piece */
        nanosleep(&(struct timespec){.tv_nsec = REST_NS}, NULL);
    if (done < 0)
        return errno == EINTR || errno == EAGAIN ? 0 : errno;
    *taken = (size_t)done;
    return 0;
}

/* Ends the line that a failure has cut, so that the next one begins on its own line. */
static int end_torn_line(struct querylog *log)
{
    size_t taken = 0;
    int error = 0;

    while (log->is_torn && error == 0 && !is_late(log)) {
        error = write_piece(log, "\n", 1, &taken);
        log->is_torn = taken == 0;
        begin_deadline(log);
    }
    return error;
}

static void flush(struct querylog *log)
{
    size_t done = 0, taken;
    int error = log->output_length == 0 ? 0 : end_torn_line(log);

    while (error == 0 && done < log->output_length && !is_late(log)) {
        error = write_piece(log, log->output + done, log->output_length - done, &taken);
        done += taken;
        begin_deadline(log);
    }
    if (done > 0)
        log->is_torn = log->output[done - 1] != '\n';
    count_lost(log, log->output + done, log->output_length - done);
    if (error != 0)
        log_failure(log, error);
    log->output_length = 0;
}

static void write_record(struct querylog *log, const struct querylog_record *record)
{
    assert(log->output_length <= OUTPUT_OCTETS);
    if (OUTPUT_OCTETS - log->output_length < QUERYLOG_LINE_OCTETS)
        flush(log);
    struct text text = text_over(log->output + log->output_length, QUERYLOG_LINE_OCTETS);
    querylog_format(record, log->format, &text);
    log->output_length += text_length(&text);
}

/* Returns true when there was something to write. */
static bool drain_ring(struct querylog *log, struct querylog_ring *ring)
{
    size_t filled = atomic_load(&ring->filled);
    size_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);

    if (filled == written)
        return false;
    assert(filled - written <= QUERYLOG_RECORDS);
    for (; written != filled; written++) {
        write_record(log, &ring->records[written % QUERYLOG_RECORDS]);
        atomic_store_explicit(&ring->written, written + 1, memory_order_release);
    }
    return true;
}

static bool drain(struct querylog *log)
{
    bool found = false;

    for (size_t i = 0; i < log->ring_count; i++)
        found = drain_ring(log, &log->rings[i]) || found;
    flush(log);
    return found;
}

static void log_drops(struct querylog *log, bool is_last)
{
    uint64_t dropped = 0;
    for (size_t i = 0; i < log->ring_count; i++)
        dropped += atomic_load_explicit(&log->rings[i].dropped, memory_order_relaxed);
    if (dropped == log->dropped_reported)
        return;
    uint64_t now = clock_monotonic_ns();
    if (!is_last && log->reported_ns != 0 && now - log->reported_ns < 10 * second_ns)
        return;
    struct log_line line;
    log_start(&line, LOG_WARNING, "querylog_dropped");
    log_number(&line, "count", dropped - log->dropped_reported);
    log_string(&line, "text", "the reader of standard output is slower than the queries arrive");
    log_send(&line);
    log->dropped_reported = dropped;
    log->reported_ns = now;
}

static void pause_writer(struct querylog *log, bool was_busy)
{
    /* After work, more comes soon: a short pause saves the workers from waking this thread. */
    if (was_busy) {
        nanosleep(&(struct timespec){.tv_nsec = REST_NS}, NULL);
        return;
    }
    atomic_store(&log->is_asleep, true);
    for (size_t i = 0; i < log->ring_count; i++) {
        const struct querylog_ring *ring = &log->rings[i];
        if (atomic_load(&ring->filled) != atomic_load(&ring->written)) {
            atomic_store(&log->is_asleep, false);
            return;
        }
    }
    while (sem_wait(&log->wake) != 0 && errno == EINTR)
        ;
}

static void write_lines(void *argument)
{
    struct querylog *log = argument;

    for (;;) {
        bool is_last = atomic_load(&log->is_stopping);
        begin_deadline(log);
        bool was_busy = drain(log);
        log_drops(log, is_last);
        if (is_last)
            return;
        pause_writer(log, was_busy);
    }
}

/* ---- life ---- */

static void free_log(struct querylog *log)
{
    for (size_t i = 0; i < log->ring_count; i++)
        free(log->rings[i].records);
    free(log->rings);
    if (log->nonblocking >= 0)
        close(log->nonblocking);
    sem_destroy(&log->wake);
    free(log);
}

static bool make_rings(struct querylog *log, size_t count)
{
    log->rings = aligned_alloc(LINE_OCTETS, count * sizeof *log->rings);
    if (log->rings == NULL)
        return false;
    memset(log->rings, 0, count * sizeof *log->rings);
    log->ring_count = count;
    for (size_t i = 0; i < count; i++) {
        log->rings[i].log = log;
        log->rings[i].records = calloc(QUERYLOG_RECORDS, sizeof *log->rings[i].records);
        if (log->rings[i].records == NULL)
            return false;
    }
    return true;
}

struct querylog *querylog_new(int descriptor, enum querylog_format format, size_t rings,
                              struct err *err)
{
    struct querylog *log = calloc(1, sizeof *log);
    if (log == NULL) {
        err_set(err, ERR_MEMORY, "out of memory for the query log");
        return NULL;
    }
    log->descriptor = descriptor;
    log->nonblocking = file_open_unwaiting(descriptor);
    log->format = format;
    sem_init(&log->wake, 0, 0);
    if (!make_rings(log, rings)) {
        err_set(err, ERR_MEMORY, "out of memory for the query log; start without --log-queries");
        free_log(log);
        return NULL;
    }
    return log;
}

bool querylog_start(struct querylog *log, struct err *err)
{
    int error = uv_thread_create(&log->thread, write_lines, log);

    log->is_started = error == 0;
    return log->is_started ||
           err_set(err, ERR_SYSTEM, "cannot start the query log's thread: %s", uv_strerror(error));
}

uint64_t querylog_lost(const struct querylog *log)
{
    return atomic_load(&log->lost);
}

uint64_t querylog_stop(struct querylog *log)
{
    if (log == NULL)
        return 0;
    if (log->is_started) {
        atomic_store(&log->is_stopping, true);
        sem_post(&log->wake);
        uv_thread_join(&log->thread);
    }
    uint64_t lost = querylog_lost(log);
    free_log(log);
    return lost;
}

struct querylog_ring *querylog_ring(struct querylog *log, size_t number)
{
    return &log->rings[number];
}
