// label: threads
#include "serve/querylog.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/suite.h"

static const uint64_t second_ns = 1000000000;

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
static bool offer(struct querylog_ring *ring, uint16_t octets, enum querylog_kind kind)
{
    return querylog_ring_wants(ring, kind) && add_kind(ring, octets, kind);
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

/* Counts the lines that contain a text. */
static size_t count_lines(int descriptor, const char *holding)
{
    FILE *file = fdopen(dup(descriptor), "r");
    char *line = NULL;
    size_t room = 0, count = 0;

    rewind(file);
    while (getline(&line, &room, file) > 0)
        count += strstr(line, holding) != NULL;
    fclose(file);
    free(line);
    return count;
}

/* The sum of what lines of the log about itself count. */
static unsigned sum_left_out(int descriptor)
{
    FILE *file = fdopen(dup(descriptor), "r");
    char *line = NULL;
    size_t room = 0;
    unsigned sum = 0;

    rewind(file);
    while (getline(&line, &room, file) > 0) {
        const char *at = strstr(line, " left_out=");
        sum += at == NULL ? 0 : (unsigned)atoi(at + strlen(" left_out="));
    }
    fclose(file);
    free(line);
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

/* ---- the end, and sinks that take nothing ---- */

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

TEST(a_reader_with_a_filter_has_every_query_looked_at)
{
    struct querylog *log = make(&(struct querylog_options){.choice = QUERYLOG_NONE, .rings = 1});
    struct querylog_ring *ring = querylog_ring(log, 0);
    const struct querylog_filter narrow = {.app = "sleepy-river-2739"};
    struct querylog_found found;
    unsigned taken = 0;

    struct querylog_reader *reader = querylog_attach(log, &narrow, QUERYLOG_LOGFMT, 0, &found);
    free(found.records);
    querylog_ring_set_time(ring, second_ns);
    for (unsigned i = 0; i < 5000; i++)
        taken += offer(ring, 1, QUERYLOG_OTHER);
    ck_assert_uint_eq(taken, 5000);
    querylog_detach(log, reader);
    querylog_ring_set_time(ring, 2 * second_ns);
    for (taken = 0; offer(ring, 1, QUERYLOG_OTHER);)
        taken++;
    ck_assert_uint_eq(taken, QUERYLOG_KEPT_RATE);
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
    for (unsigned i = 0; i < 5000; i++)
        offer(ring, 1, QUERYLOG_OTHER);
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
