// label: threads
// forks: its tests leave something behind
// wrap: clock_monotonic_ns
#include "serve/querylog.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/capture.h"
#include "support/suite.h"

static const uint64_t second_ns = 1000000000;

/* The time of the log's thread, and what each look at the clock adds to it; 0: the real one. */
static atomic_uint_fast64_t now_ns, step_ns;

uint64_t __real_clock_monotonic_ns(void);
uint64_t __wrap_clock_monotonic_ns(void);

uint64_t __wrap_clock_monotonic_ns(void)
{
    return atomic_load(&now_ns) == 0 ? __real_clock_monotonic_ns()
                                     : atomic_fetch_add(&now_ns, atomic_load(&step_ns));
}

static void tear_down(void)
{
    atomic_store(&now_ns, 0);
    atomic_store(&step_ns, 0);
}

FIXTURE(NULL, tear_down)

/* An exchange as a worker leaves it: a reply of `octets` octets to an unreadable request. */
static struct exchange exchange_of(uint16_t octets)
{
    return (struct exchange){
        .status = QUERY_MALFORMED, .rcode = 1, .reply_length = octets, .transport = TRANSPORT_TCP};
}

static bool add_kind(struct querylog_ring *ring, uint16_t octets, enum querylog_kind kind)
{
    struct exchange exchange = exchange_of(octets);
    struct endpoint client;

    ck_assert(endpoint_read("10.0.130.56", 40000, &client));
    return querylog_ring_add(ring, NULL, &exchange, kind, &client, 0);
}

static bool add(struct querylog_ring *ring, uint16_t octets)
{
    return add_kind(ring, octets, QUERYLOG_FAILURE);
}

/* As a worker does: only what is wanted is added. */
static bool offer_from(struct querylog_ring *ring, const char *from, uint16_t octets,
                       enum querylog_kind kind)
{
    struct exchange exchange = exchange_of(octets);
    struct endpoint client;
    const struct querylog_source source = {.exchange = &exchange, .client = &client};

    ck_assert(endpoint_read(from, 40000, &client));
    return querylog_ring_wants(ring, kind, &source) &&
           querylog_ring_add(ring, NULL, &exchange, kind, &client, 0);
}

static bool offer(struct querylog_ring *ring, uint16_t octets, enum querylog_kind kind)
{
    return offer_from(ring, "10.0.130.56", octets, kind);
}

/* A file for the lines. */
static int open_file(void)
{
    char path[] = "/tmp/querylog-XXXXXX";
    int descriptor = mkstemp(path);

    ck_assert_int_ge(descriptor, 0);
    unlink(path);
    return descriptor;
}

/* What the file holds, read without moving the offset at which the log writes; malloc'ed. */
static char *read_file(int descriptor)
{
    enum { PIECE = 65536 };
    char *text = calloc(1, PIECE + 1);
    size_t length = 0;
    ssize_t got;

    while ((got = pread(descriptor, text + length, PIECE, (off_t)length)) > 0) {
        length += (size_t)got;
        text = realloc(text, length + PIECE + 1);
    }
    text[length] = '\0';
    return text;
}

/* Counts the whole lines that contain a text. */
static size_t count_lines(int descriptor, const char *holding)
{
    char *text = read_file(descriptor), *line = text, *end;
    size_t count = 0;

    for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        const char after = end[1];
        end[1] = '\0';
        count += strstr(line, holding) != NULL;
        end[1] = after;
    }
    free(text);
    return count;
}

/* The sum of what lines of the log about itself count. */
static unsigned sum_left_out(int descriptor)
{
    char *text = read_file(descriptor);
    unsigned sum = 0;

    for (const char *at = text; (at = strstr(at, " left_out=")) != NULL; at++)
        sum += (unsigned)atoi(at + strlen(" left_out="));
    free(text);
    return sum;
}

static struct querylog *make(const struct querylog_options *options)
{
    struct err err;
    struct querylog *log = querylog_new(options, &err);

    ck_assert_msg(log != NULL, "%s", err.text);
    return log;
}

static struct querylog *start(int descriptor, enum querylog_format format, size_t rings)
{
    struct err err;
    struct querylog *log = make(&(struct querylog_options){
        .descriptor = descriptor, .format = format, .choice = QUERYLOG_ALL, .rings = rings});

    ck_assert(querylog_start(log, &err));
    return log;
}

TEST(every_record_becomes_a_line)
{
    int file = open_file();
    struct querylog *log = start(file, QUERYLOG_LOGFMT, 2);

    for (uint16_t i = 0; i < 100; i++) {
        ck_assert(add(querylog_ring(log, i % 2), i));
        querylog_ring_hand_over(querylog_ring(log, i % 2), 7);
    }
    querylog_stop(log);
    ck_assert_uint_eq(count_lines(file, "\n"), 100);
    ck_assert_uint_eq(count_lines(file, "service=7ms"), 100);
    ck_assert_uint_eq(count_lines(file, " bytes=42 "), 1);
    close(file);
}

TEST(what_is_not_handed_over_is_not_written)
{
    int file = open_file();
    struct querylog *log = start(file, QUERYLOG_JSON, 1);

    ck_assert(add(querylog_ring(log, 0), 1));
    querylog_stop(log);
    ck_assert_uint_eq(count_lines(file, "\n"), 0);
    close(file);
}

static const struct {
    enum querylog_choice choice;
    size_t failures;
    size_t others;
} choices[] = {{QUERYLOG_FAILURES, 1, 0}, {QUERYLOG_ALL, 1, 1}, {QUERYLOG_NONE, 0, 0}};

TEST_OVER(the_choice_says_which_replies_get_a_line, choices)
{
    int file = open_file();
    struct querylog *log = start(file, QUERYLOG_LOGFMT, 1);

    querylog_set(log, choices[_i].choice, 0);
    ck_assert(add_kind(querylog_ring(log, 0), 1001, QUERYLOG_FAILURE));
    ck_assert(add_kind(querylog_ring(log, 0), 1002, QUERYLOG_OTHER));
    querylog_ring_hand_over(querylog_ring(log, 0), 0);
    querylog_stop(log);
    ck_assert_uint_eq(count_lines(file, " bytes=1001 "), choices[_i].failures);
    ck_assert_uint_eq(count_lines(file, " bytes=1002 "), choices[_i].others);
    close(file);
}

TEST(a_changed_choice_counts_for_what_comes_after_it)
{
    int file = open_file();
    struct querylog *log = start(file, QUERYLOG_LOGFMT, 1);
    struct querylog_ring *ring = querylog_ring(log, 0);

    ck_assert(add(ring, 1001));
    querylog_ring_hand_over(ring, 0);
    querylog_set(log, QUERYLOG_NONE, 0);
    ck_assert(add(ring, 1002));
    querylog_ring_hand_over(ring, 0);
    querylog_stop(log);
    ck_assert_uint_eq(count_lines(file, "\n"), 1);
    ck_assert_uint_eq(count_lines(file, " bytes=1001 "), 1);
    close(file);
}

/* Three seconds of a worker that has more than a thousand failures in each. */
TEST(lines_above_the_rate_are_left_out_and_counted)
{
    int file = open_file();
    struct querylog *log = start(file, QUERYLOG_LOGFMT, 1);
    struct querylog_ring *ring = querylog_ring(log, 0);
    unsigned taken = 0;

    querylog_set(log, QUERYLOG_FAILURES, 300);
    for (uint64_t second = 1; second <= 3; second++) {
        querylog_ring_set_time(ring, second * second_ns);
        for (unsigned i = 0; i < 1000; i++)
            taken += offer(ring, 9, QUERYLOG_FAILURE);
        querylog_ring_hand_over(ring, 0);
    }
    querylog_stop(log);
    ck_assert_uint_eq(taken, 900);
    ck_assert_uint_eq(count_lines(file, " bytes=9 "), 900);
    ck_assert_uint_eq(sum_left_out(file), 2100);
    ck_assert_uint_le(count_lines(file, " left_out="), 3);
    close(file);
}

TEST(two_workers_share_the_rate)
{
    int file = open_file();
    struct querylog *log = start(file, QUERYLOG_LOGFMT, 2);

    querylog_set(log, QUERYLOG_FAILURES, 300);
    for (unsigned worker = 0; worker < 2; worker++) {
        querylog_ring_set_time(querylog_ring(log, worker), second_ns);
        for (unsigned i = 0; i < 400; i++)
            offer(querylog_ring(log, worker), 9, QUERYLOG_FAILURE);
        querylog_ring_hand_over(querylog_ring(log, worker), 0);
    }
    querylog_stop(log);
    ck_assert_uint_eq(count_lines(file, " bytes=9 "), 300);
    ck_assert_uint_eq(sum_left_out(file), 500);
    close(file);
}

static void await_lines(int descriptor, const char *holding, size_t count)
{
    while (count_lines(descriptor, holding) < count)
        sched_yield();
}

static void await_sleep(struct querylog *log)
{
    while (!atomic_load(&querylog_ring(log, 0)->wants->is_asleep))
        sched_yield();
}

/* The thread is asleep, and only the worker can wake it. */
TEST(a_line_that_is_wanted_is_written_at_once)
{
    int file = open_file();
    struct querylog *log = start(file, QUERYLOG_LOGFMT, 1);

    for (size_t lines = 1; lines <= 3; lines++) {
        await_sleep(log);
        ck_assert(add(querylog_ring(log, 0), 1));
        querylog_ring_hand_over(querylog_ring(log, 0), 0);
        await_lines(file, "\n", lines);
    }
    querylog_stop(log);
    close(file);
}

TEST(what_only_the_history_wants_wakes_nobody)
{
    int file = open_file();
    struct querylog *log = start(file, QUERYLOG_LOGFMT, 1);
    struct querylog_ring *ring = querylog_ring(log, 0);

    querylog_set(log, QUERYLOG_FAILURES, 0);
    querylog_ring_set_time(ring, second_ns);
    ck_assert(add_kind(ring, 1, QUERYLOG_OTHER));
    ck_assert(!ring->must_wake);
    ck_assert(add_kind(ring, 1, QUERYLOG_FAILURE));
    ck_assert(ring->must_wake);
    querylog_stop(log);
    close(file);
}

/* What was left out is told when the second is over, though no worker adds anything more. */
TEST(a_second_ends_by_the_clock)
{
    struct err err;
    int file = open_file();
    struct querylog *log = make(&(struct querylog_options){
        .descriptor = file, .choice = QUERYLOG_ALL, .rate = 1, .rings = 1});
    struct querylog_ring *ring = querylog_ring(log, 0);

    atomic_store(&now_ns, 6 * second_ns - 1000000);
    ck_assert(querylog_start(log, &err));
    await_sleep(log);
    querylog_ring_set_time(ring, 5 * second_ns);
    ck_assert(add(ring, 1) && add(ring, 2));
    querylog_ring_hand_over(ring, 0);
    await_lines(file, " bytes=1 ", 1);
    await_sleep(log); /* nothing else wakes it now */
    ck_assert_uint_eq(sum_left_out(file), 0);
    atomic_store(&now_ns, 6 * second_ns);
    await_lines(file, " left_out=1 ", 1);
    ck_assert_uint_eq(count_lines(file, "\n"), 2);
    querylog_stop(log);
    close(file);
}

TEST(the_end_ends_the_running_second)
{
    int file = open_file();

    atomic_store(&now_ns, 5 * second_ns);
    struct querylog *log = start(file, QUERYLOG_LOGFMT, 1);
    struct querylog_ring *ring = querylog_ring(log, 0);
    querylog_set(log, QUERYLOG_ALL, 1);
    querylog_ring_set_time(ring, 5 * second_ns);
    ck_assert(add(ring, 1) && add(ring, 2));
    querylog_ring_hand_over(ring, 0);
    querylog_stop(log);
    ck_assert_uint_eq(sum_left_out(file), 1);
    close(file);
}

/* ---- the end, and sinks that take nothing ---- */

/* A log that has nothing to do waits for nobody else. */
TEST(a_log_that_sleeps_ends_at_once)
{
    for (unsigned i = 0; i < 20; i++) {
        int file = open_file();
        struct querylog *log = start(file, QUERYLOG_LOGFMT, 1);
        await_sleep(log);
        for (unsigned yields = 0; yields < 100; yields++)
            sched_yield();
        querylog_stop(log);
        close(file);
    }
}

/* Reads what a pipe holds, counts its whole lines. */
static size_t count_in_pipe(int end)
{
    char room[65536];
    size_t lines = 0;
    ssize_t got;

    fcntl(end, F_SETFL, O_NONBLOCK); /* NOLINT: cannot fail */
    while ((got = read(end, room, sizeof room)) > 0)
        for (ssize_t i = 0; i < got; i++)
            lines += room[i] == '\n';
    return lines;
}

/* At the end, what still waits for a full pipe is counted, in both of the output's buffers. */
TEST(every_line_is_written_or_counted_as_lost)
{
    enum { LINES = 1000 }; /* which a pipe does not hold, but a buffer does */
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    atomic_store(&now_ns, second_ns);
    atomic_store(&step_ns, second_ns); /* so that the last two seconds pass at once */
    struct querylog *log = start(ends[1], QUERYLOG_LOGFMT, 1);
    struct querylog_ring *ring = querylog_ring(log, 0);
    for (unsigned half = 0; half < 2; half++) {
        for (unsigned i = 0; i < LINES; i++)
            ck_assert(add(ring, 1));
        querylog_ring_hand_over(ring, 0);
        while (querylog_ring_first(ring) != NULL)
            sched_yield();
    }
    uint64_t lost = querylog_stop(log);
    ck_assert_uint_gt(lost, LINES);
    ck_assert_uint_eq(count_in_pipe(ends[0]) + lost, 2 * LINES);
    close(ends[0]), close(ends[1]);
}

static unsigned count_events(const char *text)
{
    unsigned count = 0;

    for (; (text = strstr(text, " querylog_dropped ")) != NULL; text++)
        count++;
    return count;
}

/* Fills the ring, which nobody empties meanwhile, with one record too many for it. */
static void overfill(struct querylog_ring *ring)
{
    for (unsigned i = 0; i < QUERYLOG_RECORDS; i++)
        ck_assert(add(ring, 1));
    ck_assert(!add(ring, 1));
}

TEST(drops_are_an_event_at_most_once_in_ten_seconds_and_at_the_end)
{
    int file = open_file();
    struct capture capture;

    atomic_store(&now_ns, 100 * second_ns);
    capture_start(&capture);
    struct querylog *log = start(file, QUERYLOG_LOGFMT, 1);
    querylog_set(log, QUERYLOG_NONE, 0);
    struct querylog_ring *ring = querylog_ring(log, 0);
    for (unsigned round = 1; round <= 4; round++) { /* at 100, 105, 110 and 115 s */
        overfill(ring);
        querylog_ring_hand_over(ring, 0);
        while (querylog_ring_first(ring) != NULL)
            sched_yield();
        await_sleep(log);
        atomic_fetch_add(&now_ns, 5 * second_ns);
    }
    querylog_stop(log);
    capture_stop(&capture);
    ck_assert_ptr_nonnull(strstr(capture.text, " querylog_dropped count=1 "));
    ck_assert_ptr_nonnull(strstr(capture.text, " querylog_dropped count=2 "));
    ck_assert_uint_eq(count_events(capture.text), 3);
    close(file);
}

TEST(a_stopped_terminal_does_not_delay_the_end)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);

    ck_assert_int_ge(master, 0);
    ck_assert_int_eq(grantpt(master) | unlockpt(master), 0);
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    ck_assert_int_ge(terminal, 0);
    struct querylog *log = start(terminal, QUERYLOG_LOGFMT, 1);
    struct querylog_ring *ring = querylog_ring(log, 0);
    for (unsigned i = 0; i < QUERYLOG_RECORDS; i++) {
        ck_assert(add(ring, 1));
        querylog_ring_hand_over(ring, 0);
    }
    ck_assert_uint_gt(querylog_stop(log), 0);
    close(terminal), close(master);
}

/* The pipe is not read: it takes some lines, then the buffers fill, then lines are dropped. */
TEST(a_pipe_that_nobody_reads_drops_lines_and_nothing_waits_for_it)
{
    int ends[2];
    struct querylog_found found;
    const struct querylog_filter all = {.is_failed = false};

    ck_assert_int_eq(pipe(ends), 0);
    struct querylog *log = start(ends[1], QUERYLOG_LOGFMT, 1);
    struct querylog_ring *ring = querylog_ring(log, 0);
    while (querylog_lost(log) == 0) {
        add(ring, 1);
        querylog_ring_hand_over(ring, 0);
    }
    querylog_ring_set_time(ring, second_ns);
    while (!add(ring, 77)) /* the ring may be full for a moment */
        sched_yield();
    querylog_ring_hand_over(ring, 0);
    querylog_find(log, &all, 1, &found); /* the history goes on */
    ck_assert_uint_eq(found.count, 1);
    ck_assert_uint_eq(found.records[0].reply_octets, 77);
    free(found.records);
    close(ends[0]); /* the reader is gone: the writer gives up at once */
    querylog_stop(log);
    close(ends[1]);
}

static void add_many(struct querylog_ring *ring, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        ck_assert(add(ring, 5));
}

/*
 * Files are limited to 1,000 octets, like a full disk, until some lines are lost. Nothing is
 * asserted meanwhile, because the suite writes its results to a file.
 */
static int hand_over_to_a_full_disk(struct querylog *log)
{
    struct rlimit before, limit;

    int status = getrlimit(RLIMIT_FSIZE, &before);
    limit = before;
    limit.rlim_cur = 1000;
    status += setrlimit(RLIMIT_FSIZE, &limit);
    querylog_ring_hand_over(querylog_ring(log, 0), 0);
    while (status == 0 && querylog_lost(log) == 0)
        sched_yield();
    return status + setrlimit(RLIMIT_FSIZE, &before);
}

TEST(lines_that_a_full_disk_does_not_take_are_counted)
{
    int file = open_file();

    signal(SIGXFSZ, SIG_IGN);
    struct querylog *log = start(file, QUERYLOG_LOGFMT, 1);
    add_many(querylog_ring(log, 0), 100);
    ck_assert_int_eq(hand_over_to_a_full_disk(log), 0);
    add_many(querylog_ring(log, 0), 10);
    querylog_ring_hand_over(querylog_ring(log, 0), 0);
    uint64_t lost = querylog_stop(log);
    /* The line that was cut is ended, and each one after it is whole. */
    size_t whole = count_lines(file, "protocol=tcp\n");
    ck_assert_uint_ge(whole, 10);
    ck_assert_uint_eq(whole + lost, 110);
    ck_assert_uint_eq(count_lines(file, "\n"), whole + 1);
    close(file);
}

TEST(many_records_from_two_producers_arrive_whole)
{
    int file = open_file();
    struct querylog *log = start(file, QUERYLOG_LOGFMT, 2);
    size_t taken = 0;

    for (unsigned i = 0; i < 20000; i++) {
        taken += add(querylog_ring(log, i % 2), 5);
        if (i % 16 == 15) {
            querylog_ring_hand_over(querylog_ring(log, 0), 0);
            querylog_ring_hand_over(querylog_ring(log, 1), 0);
        }
    }
    uint64_t lost = querylog_stop(log);
    ck_assert_uint_eq(count_lines(file, "\n"), taken - lost);
    ck_assert_uint_eq(count_lines(file, "protocol=tcp\n"), taken - lost);
    close(file);
}

TEST(a_log_that_was_never_started_is_freed)
{
    ck_assert_uint_eq(querylog_stop(make(&(struct querylog_options){.rings = 1})), 0);
}

/* ---- the history ---- */

/* Without its thread, whoever asks moves the records on. */
TEST(what_was_handed_over_is_found_at_once_whatever_is_written)
{
    int file = open_file();
    struct querylog *log = make(&(struct querylog_options){
        .descriptor = file, .choice = QUERYLOG_NONE, .rate = 200, .rings = 2});
    struct querylog_found found;
    const struct querylog_filter all = {.is_failed = false}, failed = {.is_failed = true};

    querylog_ring_set_time(querylog_ring(log, 0), 5 * second_ns);
    querylog_ring_set_time(querylog_ring(log, 1), 4 * second_ns);
    ck_assert(offer(querylog_ring(log, 0), 2, QUERYLOG_OTHER));
    ck_assert(offer(querylog_ring(log, 1), 1, QUERYLOG_FAILURE));
    querylog_ring_hand_over(querylog_ring(log, 0), 0);
    querylog_ring_hand_over(querylog_ring(log, 1), 0);
    querylog_find(log, &all, 10, &found);
    ck_assert_uint_eq(found.count, 2);
    ck_assert_uint_eq(found.records[0].reply_octets, 1); /* the older one, of the other worker */
    ck_assert_uint_eq(found.records[1].reply_octets, 2);
    free(found.records);
    querylog_find(log, &failed, 10, &found);
    ck_assert_uint_eq(found.count, 1);
    free(found.records);
    querylog_stop(log);
    ck_assert_uint_eq(count_lines(file, "\n"), 0);
    close(file);
}

TEST(what_a_worker_skips_is_counted_in_the_history)
{
    struct querylog *log = make(&(struct querylog_options){.choice = QUERYLOG_NONE, .rings = 1});
    struct querylog_ring *ring = querylog_ring(log, 0);
    const struct querylog_filter all = {.is_failed = false}, failed = {.is_failed = true};
    struct querylog_found found;

    querylog_ring_set_time(ring, second_ns);
    for (unsigned i = 0; i < 5000; i++)
        offer(ring, 1, QUERYLOG_OTHER);
    ck_assert(offer(ring, 2, QUERYLOG_FAILURE)); /* good answers push no failure out */
    querylog_ring_hand_over(ring, 0);
    querylog_find(log, &all, 1000, &found);
    ck_assert_uint_eq(found.count, QUERYLOG_KEPT_RATE + 1);
    ck_assert_uint_eq(found.left_out, 5000 - QUERYLOG_KEPT_RATE);
    free(found.records);
    querylog_find(log, &all, 1000, &found); /* and not twice */
    ck_assert_uint_eq(found.left_out, 5000 - QUERYLOG_KEPT_RATE);
    free(found.records);
    querylog_find(log, &failed, 1000, &found);
    ck_assert_uint_eq(found.count, 1);
    ck_assert_uint_eq(found.left_out, 0);
    free(found.records);
    querylog_stop(log);
}

/* ---- readers ---- */

static atomic_uint calls_on_lines;

static void count_calls(void *context)
{
    (void)context;
    atomic_fetch_add(&calls_on_lines, 1);
}

TEST(a_reader_gets_what_comes_after_what_is_kept_and_is_called)
{
    struct err err;
    struct querylog *log = make(&(struct querylog_options){
        .descriptor = open_file(), .choice = QUERYLOG_NONE, .rings = 1, .on_lines = count_calls});
    const struct querylog_filter all = {.is_failed = false};
    struct querylog_ring *ring = querylog_ring(log, 0);
    struct querylog_found found;
    struct querylog_lines lines = {.length = 0};

    atomic_store(&calls_on_lines, 0);
    ck_assert(querylog_start(log, &err));
    ck_assert(add_kind(ring, 1001, QUERYLOG_OTHER));
    querylog_ring_hand_over(ring, 0);
    struct querylog_reader *reader = querylog_attach(log, &all, QUERYLOG_LOGFMT, 10, &found);
    ck_assert_ptr_nonnull(reader);
    ck_assert_uint_eq(found.count, 1);
    free(found.records);
    querylog_ring_set_time(ring, second_ns); /* a reader is seen with the next batch */
    ck_assert(offer(ring, 1002, QUERYLOG_OTHER));
    querylog_ring_hand_over(ring, 0);
    while (atomic_load(&calls_on_lines) == 0)
        sched_yield();
    ck_assert(querylog_take(log, reader, &lines));
    ck_assert_ptr_nonnull(memmem(lines.octets, lines.length, "bytes=1002 ", 11));
    ck_assert_ptr_null(memmem(lines.octets, lines.length, "bytes=1001 ", 11));
    ck_assert(!querylog_take(log, reader, &lines));
    querylog_detach(log, reader);
    querylog_stop(log);
}

TEST(nobody_is_called_when_there_is_no_reader)
{
    struct err err;
    int file = open_file();
    struct querylog *log = make(&(struct querylog_options){
        .descriptor = file, .choice = QUERYLOG_ALL, .rings = 1, .on_lines = count_calls});

    atomic_store(&calls_on_lines, 0);
    ck_assert(querylog_start(log, &err));
    ck_assert(add(querylog_ring(log, 0), 1));
    querylog_ring_hand_over(querylog_ring(log, 0), 0);
    await_lines(file, "\n", 1);
    querylog_stop(log);
    ck_assert_uint_eq(atomic_load(&calls_on_lines), 0);
    close(file);
}

/* Nothing is written, the thread sleeps, and only the worker can wake it. */
TEST(a_line_for_a_reader_comes_at_once)
{
    struct err err;
    int file = open_file();
    struct querylog *log = make(&(struct querylog_options){
        .descriptor = file, .choice = QUERYLOG_NONE, .rings = 1, .on_lines = count_calls});
    struct querylog_ring *ring = querylog_ring(log, 0);
    const struct querylog_filter all = {.is_failed = false};
    struct querylog_found found;

    atomic_store(&calls_on_lines, 0);
    ck_assert(querylog_start(log, &err));
    ck_assert_ptr_nonnull(querylog_attach(log, &all, QUERYLOG_LOGFMT, 0, &found));
    free(found.records);
    querylog_ring_set_time(ring, second_ns);
    for (unsigned calls = 1; calls <= 3; calls++) {
        await_sleep(log);
        ck_assert(offer(ring, 1, QUERYLOG_OTHER));
        querylog_ring_hand_over(ring, 0);
        while (atomic_load(&calls_on_lines) < calls)
            sched_yield();
    }
    querylog_stop(log);
    close(file);
}

/* Whatever was dropped might have passed any filter. */
TEST(drops_are_counted_for_every_reader_once)
{
    struct querylog *log = make(&(struct querylog_options){.choice = QUERYLOG_NONE, .rings = 1});
    struct querylog_ring *ring = querylog_ring(log, 0);
    const struct querylog_filter narrow = {.app = "sleepy-river-2739"};
    struct querylog_found found;
    struct querylog_lines lines;

    struct querylog_reader *reader = querylog_attach(log, &narrow, QUERYLOG_LOGFMT, 0, &found);
    free(found.records);
    for (unsigned round = 0; round < 2; round++) {
        overfill(ring);
        querylog_ring_hand_over(ring, 0);
        querylog_find(log, &narrow, 0, &found); /* moves them on; their second is long over */
        free(found.records);
        ck_assert(querylog_take(log, reader, &lines));
        ck_assert_uint_eq(lines.left_out, 1);
    }
    querylog_stop(log);
}

TEST(wants_that_change_are_seen_with_the_next_batch)
{
    struct querylog *log = make(&(struct querylog_options){.choice = QUERYLOG_NONE, .rings = 1});
    struct querylog_ring *ring = querylog_ring(log, 0);
    unsigned taken = 0;

    querylog_ring_set_time(ring, second_ns);
    while (offer(ring, 1, QUERYLOG_OTHER))
        taken++;
    ck_assert_uint_eq(taken, QUERYLOG_KEPT_RATE);
    querylog_set(log, QUERYLOG_ALL, 0);
    querylog_ring_set_time(ring, second_ns + 1);
    ck_assert(offer(ring, 1, QUERYLOG_OTHER));
    querylog_stop(log);
}

static const struct querylog_filter of_peers = {.has_block = true,
                                                .block = {.octets = {10, 20, 0, 0}, .bits = 16}};

TEST(of_what_nobody_else_wants_only_what_passes_a_filter_is_copied)
{
    struct querylog *log = make(&(struct querylog_options){.choice = QUERYLOG_NONE, .rings = 1});
    struct querylog_ring *ring = querylog_ring(log, 0);
    struct querylog_found found;
    struct querylog_lines lines;
    unsigned taken = 0, passing = 0;

    struct querylog_reader *reader = querylog_attach(log, &of_peers, QUERYLOG_LOGFMT, 0, &found);
    free(found.records);
    querylog_ring_set_time(ring, second_ns);
    for (unsigned i = 0; i < 5000; i++)
        taken += offer(ring, 1, QUERYLOG_OTHER);
    ck_assert_uint_eq(taken, QUERYLOG_KEPT_RATE); /* the history's share */
    for (unsigned i = 0; i < 500; i++)
        passing += offer_from(ring, "10.20.3.4", 77, QUERYLOG_OTHER);
    ck_assert_uint_eq(passing, 500);
    querylog_ring_hand_over(ring, 0);
    querylog_find(log, &of_peers, 0, &found);
    free(found.records);
    ck_assert(querylog_take(log, reader, &lines));
    ck_assert_uint_eq(lines.left_out, 0); /* what does not pass lacks nowhere */
    size_t shown = 0;
    for (size_t i = 0; i < lines.length; i++)
        shown += lines.octets[i] == '\n';
    ck_assert_uint_eq(shown, 500);
    querylog_detach(log, reader);
    querylog_ring_set_time(ring, 2 * second_ns);
    for (taken = 0; offer_from(ring, "10.20.3.4", 1, QUERYLOG_OTHER);)
        taken++;
    ck_assert_uint_eq(taken, QUERYLOG_KEPT_RATE);
    querylog_stop(log);
}

/* The texts of a filter are its reader's, which may be gone before every worker has seen that. */
TEST(a_worker_has_texts_of_its_own)
{
    struct querylog *log = make(&(struct querylog_options){.choice = QUERYLOG_NONE, .rings = 1});
    struct querylog_ring *ring = querylog_ring(log, 0);
    char *app = strdup("sleepy-river-2739"), *space = strdup("test-space");
    const struct querylog_filter narrow = {.app = app, .space = space};
    struct querylog_found found;

    querylog_attach(log, &narrow, QUERYLOG_LOGFMT, 0, &found);
    free(found.records);
    querylog_ring_set_time(ring, second_ns);
    const struct querylog_filter *copy = &ring->picks[0].filter;
    ck_assert_str_eq(copy->app, app);
    ck_assert_str_eq(copy->space, space);
    ck_assert_ptr_eq(copy->app, ring->picks[0].app);
    ck_assert_ptr_eq(copy->space, ring->picks[0].space);
    querylog_stop(log);
    free(app), free(space);
}

TEST(what_passes_a_filter_is_bounded_and_the_rest_counted_once)
{
    struct querylog *log = make(&(struct querylog_options){.choice = QUERYLOG_NONE, .rings = 1});
    struct querylog_ring *ring = querylog_ring(log, 0);
    struct querylog_found found;
    struct querylog_lines lines;
    unsigned taken = 0;

    struct querylog_reader *reader = querylog_attach(log, &of_peers, QUERYLOG_LOGFMT, 0, &found);
    free(found.records);
    for (uint64_t second = 1; second <= 2; second++) {
        querylog_ring_set_time(ring, second * second_ns);
        while (offer(ring, 1, QUERYLOG_OTHER)) /* uses up the history's share */
            ;
        for (unsigned i = taken = 0; i < 5000; i++)
            taken += offer_from(ring, "10.20.3.4", 77, QUERYLOG_OTHER);
        ck_assert_uint_eq(taken, QUERYLOG_PICK_RATE);
        querylog_ring_hand_over(ring, 0);
        querylog_find(log, &of_peers, 0, &found);
        free(found.records);
        ck_assert(querylog_take(log, reader, &lines));
        ck_assert_uint_eq(lines.left_out, 5000 - QUERYLOG_PICK_RATE);
    }
    querylog_stop(log);
}

TEST(a_reader_that_finds_no_room_for_its_filter_has_every_query_copied)
{
    struct querylog *log = make(&(struct querylog_options){.choice = QUERYLOG_NONE, .rings = 1});
    struct querylog_ring *ring = querylog_ring(log, 0);
    struct querylog_reader *readers[QUERYLOG_PICKS + 1];
    struct querylog_found found;
    unsigned taken = 0;

    for (size_t i = 0; i <= QUERYLOG_PICKS; i++) {
        readers[i] = querylog_attach(log, &of_peers, QUERYLOG_LOGFMT, 0, &found);
        free(found.records);
    }
    querylog_ring_set_time(ring, second_ns);
    for (unsigned i = 0; i < 5000; i++)
        taken += offer(ring, 1, QUERYLOG_OTHER);
    ck_assert_uint_eq(taken, 5000);
    querylog_detach(log, readers[0]); /* its place is free for another one */
    struct querylog_reader *next = querylog_attach(log, &of_peers, QUERYLOG_LOGFMT, 0, &found);
    free(found.records);
    ck_assert_int_ge(next->pick, 0);
    querylog_stop(log);
}

TEST(what_a_worker_skips_is_counted_for_a_reader_of_everything)
{
    struct querylog *log = make(&(struct querylog_options){.choice = QUERYLOG_NONE, .rings = 1});
    struct querylog_ring *ring = querylog_ring(log, 0);
    const struct querylog_filter all = {.is_failed = false};
    struct querylog_found found;
    struct querylog_lines lines;

    struct querylog_reader *reader = querylog_attach(log, &all, QUERYLOG_LOGFMT, 0, &found);
    free(found.records);
    querylog_ring_set_time(ring, second_ns);
    unsigned taken = 0;
    for (unsigned i = 0; i < 5000; i++)
        taken += offer(ring, 1, QUERYLOG_OTHER);
    ck_assert_uint_eq(taken, QUERYLOG_READER_RATE);
    querylog_ring_hand_over(ring, 0);
    querylog_find(log, &all, 0, &found); /* moves them on; their second is long over */
    free(found.records);
    ck_assert(querylog_take(log, reader, &lines));
    ck_assert_uint_eq(lines.left_out, 4000);
    ck_assert_uint_eq(lines.lost, 0);
    querylog_stop(log); /* frees the reader */
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    return suite_run();
}
