#include "serve/querylog.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "serve/querylog_drops.h"

enum {
    REST_MS = 2,
    LAST_WAIT_MS = 250,
    MS_PER_SECOND = 1000,
    NS_PER_MS = 1000000,
};

static const uint64_t second_ns = 1000000000;

struct querylog {
    struct querylog_wants wants;
    struct querylog_ring *rings;
    size_t ring_count;
    querylog_on_lines *on_lines;
    void *context;
    uv_thread_t thread;
    bool is_started;
    atomic_bool is_stopping;
    uv_mutex_t lock; /* for what follows, and for the log's side of the rings */
    struct querylog_output output;
    struct querylog_history history;
    struct querylog_reader *readers;
    uint64_t skipped[QUERYLOG_KINDS]; /* of all rings, passed on */
    uint64_t dropped;                 /* of all rings, passed on to readers */
    bool has_lines;                   /* for readers */
    /* The thread's own. */
    struct querylog_drops drops;
};

/* ---- what is wanted ---- */

/* What a reader wants of every reply of a kind. */
static uint32_t reader_rate(const struct querylog_reader *reader, unsigned kind)
{
    if (!querylog_filter_takes(&reader->filter, kind) || reader->pick != QUERYLOG_PICKS_NONE)
        return 0;
    return querylog_filter_is_plain(&reader->filter) ? QUERYLOG_READER_RATE : QUERYLOG_UNBOUNDED;
}

/* A change of the wants is seen with the next batch. */
static void set_wants(struct querylog *log)
{
    for (unsigned kind = 0; kind < QUERYLOG_KINDS; kind++) {
        uint32_t output = querylog_output_takes(&log->output, kind) ? log->output.rate : 0;
        uint32_t most = output > QUERYLOG_KEPT_RATE ? output : QUERYLOG_KEPT_RATE;
        bool is_urgent = output > 0;
        for (const struct querylog_reader *each = log->readers; each != NULL; each = each->next) {
            uint32_t rate = reader_rate(each, kind);
            most = rate > most ? rate : most;
            is_urgent = is_urgent || querylog_filter_takes(&each->filter, kind);
        }
        atomic_store(&log->wants.rates[kind], most);
        atomic_store(&log->wants.is_urgent[kind], is_urgent);
    }
    atomic_fetch_add(&log->wants.version, 1);
}

/* ---- moving records on ---- */

/* The ring with the oldest record; NULL: there is no record. */
static struct querylog_ring *find_oldest(struct querylog *log)
{
    struct querylog_ring *oldest = NULL;
    uint64_t oldest_ns = 0;

    for (size_t i = 0; i < log->ring_count; i++) {
        const struct querylog_record *first = querylog_ring_first(&log->rings[i]);
        if (first == NULL || (oldest != NULL && first->added_ns >= oldest_ns))
            continue;
        oldest = &log->rings[i];
        oldest_ns = first->added_ns;
    }
    return oldest;
}

static void pass_on(struct querylog *log, const struct querylog_record *record)
{
    querylog_output_add(&log->output, record);
    querylog_history_add(&log->history, record);
    for (struct querylog_reader *each = log->readers; each != NULL; each = each->next)
        log->has_lines = querylog_reader_add(each, record) || log->has_lines;
}

/*
 * A worker skips a reply once it has added as many as anybody wants in a second, so each of those
 * who want the kind has had its share.
 */
static void pass_skipped_on(struct querylog *log, unsigned kind)
{
    uint64_t skipped = 0;

    for (size_t i = 0; i < log->ring_count; i++)
        skipped += atomic_load_explicit(&log->rings[i].skipped[kind], memory_order_relaxed);
    uint64_t count = skipped - log->skipped[kind];
    log->skipped[kind] = skipped;
    querylog_output_skip(&log->output, kind, count);
    querylog_history_skip(&log->history, kind, count);
    for (struct querylog_reader *each = log->readers; each != NULL; each = each->next)
        querylog_reader_skip(each, kind, count);
}

static uint64_t count_drops(const struct querylog *log)
{
    uint64_t dropped = 0;

    for (size_t i = 0; i < log->ring_count; i++)
        dropped += atomic_load_explicit(&log->rings[i].dropped, memory_order_relaxed);
    return dropped;
}

/* What was dropped might have passed any filter. */
static void pass_dropped_on(struct querylog *log)
{
    uint64_t dropped = count_drops(log);

    for (struct querylog_reader *each = log->readers; each != NULL; each = each->next)
        each->budget.left_out += dropped - log->dropped;
    log->dropped = dropped;
}

static uint64_t count_picks_skipped(const struct querylog *log, int pick)
{
    uint64_t skipped = 0;

    for (size_t i = 0; i < log->ring_count; i++)
        skipped += atomic_load_explicit(&log->rings[i].picks_skipped[pick], memory_order_relaxed);
    return skipped;
}

static void pass_picks_skipped_on(struct querylog *log)
{
    for (struct querylog_reader *each = log->readers; each != NULL; each = each->next) {
        if (each->pick == QUERYLOG_PICKS_NONE)
            continue;
        uint64_t skipped = count_picks_skipped(log, each->pick);
        each->budget.left_out += skipped - each->picks_skipped;
        each->picks_skipped = skipped;
    }
}

static void end_seconds(struct querylog *log, uint64_t second)
{
    querylog_output_set_second(&log->output, second);
    for (struct querylog_reader *each = log->readers; each != NULL; each = each->next)
        log->has_lines = querylog_reader_set_second(each, second) || log->has_lines;
}

/*
 * Under the lock. Bounded by what the rings hold now: workers that go on adding are served by the
 * next call.
 */
static void move_on(struct querylog *log, uint64_t second)
{
    struct querylog_ring *ring;
    size_t left = log->ring_count * QUERYLOG_RECORDS;

    while (left-- > 0 && (ring = find_oldest(log)) != NULL) {
        pass_on(log, querylog_ring_first(ring));
        querylog_ring_pass(ring);
    }
    for (unsigned kind = 0; kind < QUERYLOG_KINDS; kind++)
        pass_skipped_on(log, kind);
    pass_dropped_on(log);
    pass_picks_skipped_on(log);
    end_seconds(log, second);
}

/* ---- the thread ---- */

/* Returns when the thread has to look again though nobody wakes it, in milliseconds; -1: never. */
static int next_look_ms(const struct querylog *log, uint64_t now_ns)
{
    uint64_t second = now_ns / second_ns;
    bool is_due = log->output.budget.second == second &&
                  (log->output.budget.left_out > 0 || log->output.budget.left == 0);

    for (const struct querylog_reader *each = log->readers; each != NULL; each = each->next)
        is_due = is_due || (each->budget.second == second &&
                            (each->budget.left_out > 0 || each->budget.left == 0));
    return is_due ? MS_PER_SECOND - (int)(now_ns % second_ns / NS_PER_MS) : -1;
}

/* One turn under the lock. Returns the longest wait after it, as next_look_ms. */
static int take_turn(struct querylog *log, bool is_last)
{
    uint64_t now_ns = clock_monotonic_ns();

    uv_mutex_lock(&log->lock);
    /* At the end, the running second is over, too. */
    move_on(log, now_ns / second_ns + is_last);
    querylog_output_exchange(&log->output);
    int wait_ms = next_look_ms(log, now_ns);
    uint64_t dropped = count_drops(log) + log->output.dropped;
    bool has_lines = log->has_lines;
    log->has_lines = false;
    uv_mutex_unlock(&log->lock);
    if (has_lines && log->on_lines != NULL)
        log->on_lines(log->context);
    querylog_drops_log(&log->drops, dropped, is_last);
    return wait_ms;
}

static bool has_records(const struct querylog *log)
{
    for (size_t i = 0; i < log->ring_count; i++)
        if (querylog_ring_first(&log->rings[i]) != NULL)
            return true;
    return false;
}

/* Returns true when the output has taken something. */
static bool write_some(struct querylog_output *output)
{
    struct pollfd room = {.fd = querylog_output_descriptor(output), .events = POLLOUT};

    if (!querylog_output_is_waiting(output) || poll(&room, 1, 0) <= 0)
        return false;
    querylog_output_write(output);
    return !output->is_full;
}

/* Waits for the bell, for room in the output, or for the time to be over. */
static void wait_for_more(struct querylog *log, int wait_ms)
{
    struct querylog_output *output = &log->output;
    bool writes = querylog_output_is_waiting(output) && !output->is_full;
    struct pollfd both[2] = {
        {.fd = log->wants.bell, .events = POLLIN},
        {.fd = writes ? querylog_output_descriptor(output) : -1, .events = POLLOUT}};
    uint64_t rung;

    if (output->is_full)
        wait_ms = REST_MS;
    output->is_full = false;
    atomic_store(&log->wants.is_asleep, true);
    if (has_records(log) || atomic_load(&log->is_stopping))
        wait_ms = 0;
    poll(both, 2, wait_ms);
    atomic_store(&log->wants.is_asleep, false);
    if ((both[0].revents & POLLIN) != 0)
        (void)!read(log->wants.bell, &rung, sizeof rung);
    /* After work, more comes soon: a short pause saves the workers from waking this thread. */
    if (both[1].revents == 0 && !atomic_load(&log->is_stopping))
        poll(NULL, 0, REST_MS);
}

/* Writes what is left, until the deadline. */
static void write_last(struct querylog *log)
{
    uint64_t deadline_ns = clock_monotonic_ns() + 2 * second_ns;
    struct querylog_output *output = &log->output;

    do {
        take_turn(log, true);
        while (querylog_output_is_waiting(output) && clock_monotonic_ns() < deadline_ns) {
            struct pollfd room = {.fd = querylog_output_descriptor(output), .events = POLLOUT};
            if (poll(&room, 1, LAST_WAIT_MS) > 0)
                querylog_output_write(output);
            if (output->is_full)
                poll(NULL, 0, REST_MS);
        }
    } while (output->filled > 0 && clock_monotonic_ns() < deadline_ns);
    querylog_output_give_up(output);
    output->length = output->filled; /* the rest has never been exchanged */
    char *rest = output->filling;
    output->filling = output->writing;
    output->writing = rest;
    querylog_output_give_up(output);
}

static void run(void *argument)
{
    struct querylog *log = argument;

    while (!atomic_load(&log->is_stopping)) {
        int wait_ms = take_turn(log, false);
        if (!write_some(&log->output))
            wait_for_more(log, wait_ms);
    }
    write_last(log);
}

/* ---- life ---- */

static void free_log(struct querylog *log)
{
    while (log->readers != NULL)
        querylog_detach(log, log->readers);
    for (size_t i = 0; i < log->ring_count; i++)
        querylog_ring_close(&log->rings[i]);
    free(log->rings);
    querylog_output_close(&log->output);
    querylog_history_close(&log->history);
    if (log->wants.bell >= 0)
        close(log->wants.bell);
    querylog_picks_close(&log->wants.picks);
    uv_mutex_destroy(&log->lock);
    free(log);
}

static bool make_rings(struct querylog *log, size_t count)
{
    log->rings = aligned_alloc(QUERYLOG_RING_ALIGN, count * sizeof *log->rings);
    if (log->rings == NULL)
        return false;
    memset(log->rings, 0, count * sizeof *log->rings);
    log->ring_count = count;
    for (size_t i = 0; i < count; i++)
        if (!querylog_ring_init(&log->rings[i], &log->wants))
            return false;
    return true;
}

static void set_output(struct querylog *log, enum querylog_choice choice, uint32_t rate)
{
    log->output.choice = choice;
    log->output.rate = rate == 0 ? QUERYLOG_UNBOUNDED : rate;
    set_wants(log);
}

static bool init_log(struct querylog *log, const struct querylog_options *options, struct err *err)
{
    bool has_output = querylog_output_init(&log->output, options->descriptor, options->format);
    bool has_history = querylog_history_init(&log->history);

    log->on_lines = options->on_lines;
    log->context = options->context;
    set_output(log, options->choice, options->rate);
    log->wants.bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (log->wants.bell < 0)
        return err_set(err, ERR_SYSTEM, "cannot make the query log's eventfd: %s", strerror(errno));
    return (has_output && has_history && make_rings(log, options->rings)) ||
           err_set(err, ERR_MEMORY, "out of memory for the query log; start fewer workers");
}

struct querylog *querylog_new(const struct querylog_options *options, struct err *err)
{
    struct querylog *log = calloc(1, sizeof *log);

    if (log == NULL || uv_mutex_init(&log->lock) != 0 || !querylog_picks_init(&log->wants.picks)) {
        free(log);
        err_set(err, ERR_MEMORY, "out of memory for the query log");
        return NULL;
    }
    if (init_log(log, options, err))
        return log;
    free_log(log);
    return NULL;
}

bool querylog_start(struct querylog *log, struct err *err)
{
    int error = uv_thread_create(&log->thread, run, log);

    log->is_started = error == 0;
    return log->is_started ||
           err_set(err, ERR_SYSTEM, "cannot start the query log's thread: %s", uv_strerror(error));
}

/* From another thread than the log's. */
static void ring_bell(struct querylog *log)
{
    static const uint64_t one = 1;

    (void)!write(log->wants.bell, &one, sizeof one);
}

uint64_t querylog_stop(struct querylog *log)
{
    if (log == NULL)
        return 0;
    if (log->is_started) {
        atomic_store(&log->is_stopping, true);
        ring_bell(log);
        uv_thread_join(&log->thread);
    }
    uint64_t lost = querylog_lost(log);
    free_log(log);
    return lost;
}

/* ---- the control thread ---- */

void querylog_set(struct querylog *log, enum querylog_choice choice, uint32_t rate)
{
    uv_mutex_lock(&log->lock);
    move_on(log, clock_monotonic_ns() / second_ns); /* what came before goes by what was set */
    set_output(log, choice, rate);
    uv_mutex_unlock(&log->lock);
    ring_bell(log);
}

uint64_t querylog_lost(struct querylog *log)
{
    uv_mutex_lock(&log->lock);
    uint64_t lost = atomic_load(&log->output.lost) + log->output.dropped;
    uv_mutex_unlock(&log->lock);
    return lost;
}

struct querylog_ring *querylog_ring(struct querylog *log, size_t number)
{
    return &log->rings[number];
}

/* What is moved on for the output and for other readers, the log's thread takes further. */
static void find(struct querylog *log, const struct querylog_filter *filter, size_t most,
                 struct querylog_found *found)
{
    move_on(log, clock_monotonic_ns() / second_ns);
    querylog_history_find(&log->history, filter, most, found);
    ring_bell(log);
}

void querylog_find(struct querylog *log, const struct querylog_filter *filter, size_t most,
                   struct querylog_found *found)
{
    uv_mutex_lock(&log->lock);
    find(log, filter, most, found);
    uv_mutex_unlock(&log->lock);
}

static void add_reader(struct querylog *log, struct querylog_reader *reader)
{
    reader->pick = querylog_filter_is_plain(&reader->filter)
                       ? QUERYLOG_PICKS_NONE
                       : querylog_picks_add(&log->wants.picks, &reader->filter);
    if (reader->pick != QUERYLOG_PICKS_NONE)
        reader->picks_skipped = count_picks_skipped(log, reader->pick);
    reader->next = log->readers;
    log->readers = reader;
    set_wants(log);
}

struct querylog_reader *querylog_attach(struct querylog *log, const struct querylog_filter *filter,
                                        enum querylog_format format, size_t most,
                                        struct querylog_found *found)
{
    struct querylog_reader *reader = querylog_reader_new(filter, format);

    uv_mutex_lock(&log->lock);
    find(log, filter, most, found);
    if (reader != NULL)
        add_reader(log, reader);
    uv_mutex_unlock(&log->lock);
    return reader;
}

void querylog_detach(struct querylog *log, struct querylog_reader *reader)
{
    uv_mutex_lock(&log->lock);
    struct querylog_reader **link = &log->readers;
    while (*link != reader)
        link = &(*link)->next;
    *link = reader->next;
    if (reader->pick != QUERYLOG_PICKS_NONE)
        querylog_picks_remove(&log->wants.picks, reader->pick);
    set_wants(log);
    uv_mutex_unlock(&log->lock);
    querylog_reader_free(reader);
}

bool querylog_take(struct querylog *log, struct querylog_reader *reader,
                   struct querylog_lines *lines)
{
    uv_mutex_lock(&log->lock);
    bool has_some = querylog_reader_take(reader, lines);
    uv_mutex_unlock(&log->lock);
    return has_some;
}
