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

/* An exchange as a worker leaves it: a reply of `octets` octets to an unreadable request. */
static struct exchange exchange_of(uint16_t octets)
{
    return (struct exchange){
        .status = QUERY_MALFORMED, .rcode = 1, .reply_length = octets, .transport = TRANSPORT_TCP};
}

static bool add(struct querylog_ring *ring, uint16_t octets)
{
    struct exchange exchange = exchange_of(octets);
    struct endpoint client;

    ck_assert(endpoint_read("10.0.130.56", 40000, &client));
    return querylog_add(ring, NULL, &exchange, &client, 0);
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

static struct querylog *start(int descriptor, enum querylog_format format, size_t rings)
{
    struct err err;
    struct querylog *log = querylog_new(descriptor, format, rings, &err);

    ck_assert_ptr_nonnull(log);
    ck_assert(querylog_start(log, &err));
    return log;
}

TEST(every_record_becomes_a_line)
{
    int file = open_file();
    struct querylog *log = start(file, QUERYLOG_LOGFMT, 2);

    ck_assert_ptr_nonnull(log);
    for (uint16_t i = 0; i < 100; i++) {
        ck_assert(add(querylog_ring(log, i % 2), i));
        querylog_hand_over(querylog_ring(log, i % 2), 7);
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
        querylog_hand_over(ring, 0);
    }
    ck_assert_uint_gt(querylog_stop(log), 0);
    close(terminal), close(master);
}

TEST(a_full_ring_drops_and_never_waits)
{
    int ends[2];
    unsigned taken = 0;

    ck_assert_int_eq(pipe(ends), 0);
    struct querylog *log = start(ends[1], QUERYLOG_LOGFMT, 1);
    struct querylog_ring *ring = querylog_ring(log, 0);
    /* The pipe is not read: it takes some lines, then the ring fills, then records are dropped. */
    for (unsigned i = 0; i < 4 * QUERYLOG_RECORDS; i++) {
        taken += add(ring, 1);
        querylog_hand_over(ring, 0);
    }
    ck_assert_uint_ge(taken, QUERYLOG_RECORDS);
    ck_assert_uint_lt(taken, 4 * QUERYLOG_RECORDS);
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
    querylog_hand_over(querylog_ring(log, 0), 0);
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
    querylog_hand_over(querylog_ring(log, 0), 0);
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
            querylog_hand_over(querylog_ring(log, 0), 0);
            querylog_hand_over(querylog_ring(log, 1), 0);
        }
    }
    querylog_stop(log);
    ck_assert_uint_eq(count_lines(file, "\n"), taken);
    ck_assert_uint_eq(count_lines(file, "protocol=tcp\n"), taken);
    close(file);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    return suite_run();
}

TEST(a_log_that_was_never_started_is_freed)
{
    struct err err;
    struct querylog *log = querylog_new(STDOUT_FILENO, QUERYLOG_LOGFMT, 1, &err);

    ck_assert_ptr_nonnull(log);
    ck_assert_uint_eq(querylog_stop(log), 0);
}
