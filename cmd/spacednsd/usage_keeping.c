#include "spacednsd/usage_keeping.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "spacednsd/write_events.h"

#define FILE_NAME "usage"
#define DRAFT_NAME "usage.draft"
#define BEFORE_NAME "usage.before"

enum { FILE_MODE = 0600, SET_BACK_MS = 2000 };
enum { US_PER_MS = 1000, US_PER_SECOND = 1000000, NS_PER_MS = 1000000 };

static const struct write_events events = {
    .failed = "usage_failed", .stored = "usage_stored", .text = "who uses what is stored again"};

static uint32_t now_s(void)
{
    return (uint32_t)(clock_wall_us() / US_PER_SECOND);
}

/* ---- the clock ---- */

static int64_t read_ahead_ms(void)
{
    return clock_wall_us() / US_PER_MS - (int64_t)(clock_monotonic_ns() / NS_PER_MS);
}

/* What is less is slewed, or read between the two clocks. */
static void note_clock(struct usage_keeping *keeping)
{
    int64_t ahead_ms = read_ahead_ms();

    if (keeping->ahead_ms - ahead_ms >= SET_BACK_MS) {
        usage_set_back(keeping->usage, now_s());
        keeping->is_changed = true;
    }
    keeping->ahead_ms = ahead_ms;
}

/* ---- writing ---- */

static bool write_all(int descriptor, const uint8_t *octets, size_t length)
{
    while (length > 0) {
        ssize_t written = write(descriptor, octets, length);
        if (written < 0 && errno != EINTR)
            return false;
        octets += written > 0 ? written : 0;
        length -= written > 0 ? (size_t)written : 0;
    }
    return fsync(descriptor) == 0;
}

static bool write_draft(const struct usage_keeping *keeping)
{
    int descriptor = openat(keeping->state->folder, DRAFT_NAME,
                            O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);

    if (descriptor < 0)
        return false;
    bool written = write_all(descriptor, keeping->octets, keeping->length);
    int number = errno;
    written &= close(descriptor) == 0;
    errno = number;
    return written;
}

/* Renaming takes no room, so it is possible on a full disk. */
static bool put_aside(int folder)
{
    return renameat(folder, FILE_NAME, folder, BEFORE_NAME) == 0 && fsync(folder) == 0;
}

static void write_file(struct usage_keeping *keeping)
{
    int folder = keeping->state->folder;

    keeping->err.code = ERR_NONE;
    if (write_draft(keeping) && renameat(folder, DRAFT_NAME, folder, FILE_NAME) == 0 &&
        fsync(folder) == 0) {
        unlinkat(folder, BEFORE_NAME, 0);
        return;
    }
    int number = errno;
    unlinkat(folder, DRAFT_NAME, 0);
    put_aside(folder); /* its TTL may be outdated */
    err_set(&keeping->err, ERR_SYSTEM,
            "state_dir %s: " FILE_NAME " cannot be written: %s; a restart forgets who used what "
            "until it can be",
            keeping->state->path, strerror(number));
}

/* Returns false when there is nothing to write, or no place for it. */
static bool take_octets(struct usage_keeping *keeping, bool is_last)
{
    if (!keeping->is_read || keeping->is_writing || !state_is_used(keeping->state))
        return false;
    keeping->octets = usage_file_write(keeping->usage, is_last, &keeping->length);
    keeping->is_changed = keeping->octets == NULL;
    keeping->is_urgent = false;
    return keeping->octets != NULL;
}

static void drop_octets(struct usage_keeping *keeping)
{
    free(keeping->octets);
    keeping->octets = NULL;
    keeping->is_changed |= keeping->err.code != ERR_NONE;
    write_events_note(&events, &keeping->err, &keeping->problem);
}

static void usage_keeping_on_due(uv_timer_t *timer);

static void write_soon(struct usage_keeping *keeping)
{
    if (keeping->has_timer)
        uv_timer_start(&keeping->timer, usage_keeping_on_due, 0, USAGE_STORED_MS);
}

/* On a thread of the pool. */
static void write_on_pool(uv_work_t *work)
{
    write_file(work->data);
}

static void usage_keeping_on_written(uv_work_t *work, int status)
{
    struct usage_keeping *keeping = work->data;

    (void)status; /* never cancelled */
    keeping->is_writing = false;
    drop_octets(keeping);
    if (keeping->is_urgent)
        write_soon(keeping);
}

static void usage_keeping_on_due(uv_timer_t *timer)
{
    struct usage_keeping *keeping = timer->data;

    note_clock(keeping);
    if (!keeping->is_changed || !take_octets(keeping, false))
        return;
    keeping->work.data = keeping;
    keeping->is_writing = true;
    uv_queue_work(timer->loop, &keeping->work, write_on_pool, usage_keeping_on_written);
}

/* ---- reading ---- */

static void log_unread(const struct usage_keeping *keeping, const char *why)
{
    struct err err;

    err_set(&err, ERR_SYSTEM,
            "state_dir %s: " FILE_NAME " %s; who used what before this start is not known, and the "
            "file is begun anew",
            keeping->state->path, why);
    log_sentence(LOG_WARNING, "usage_unread", err.text);
}

/* Returns malloc'ed octets; NULL with *err, or with ERR_NONE when there is no file. */
static uint8_t *read_file(int folder, const char *name, size_t *length, struct err *err)
{
    int descriptor = openat(folder, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    uint8_t *octets = NULL;
    struct stat status;

    err->code = ERR_NONE;
    if (descriptor < 0) {
        if (errno != ENOENT)
            err_set(err, ERR_SYSTEM, "cannot be opened: %s", strerror(errno));
        return NULL;
    }
    if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode) ||
        status.st_size > USAGE_FILE_MOST)
        err_set(err, ERR_LIMIT, "is no file, or larger than any that is written");
    else if ((octets = malloc((size_t)status.st_size + 1)) == NULL)
        err_set(err, ERR_MEMORY, "cannot be read: out of memory");
    *length = 0;
    while (octets != NULL && *length < (size_t)status.st_size) {
        ssize_t got = read(descriptor, octets + *length, (size_t)status.st_size - *length);
        if (got <= 0)
            break; /* what is missing shows in its length */
        *length += (size_t)got;
    }
    close(descriptor);
    return octets;
}

/* The server before may have had any usual TTL. */
static void assume_usual_ttl(struct usage_keeping *keeping)
{
    longest_ttl_raise(usage_longest_ttl(keeping->usage), LONGEST_TTL_USUAL_S);
}

/*
 * Returns true when nothing that the server before did is missing. The file is then put aside:
 * after a crash of this server it must not look like the last words, even if nothing can be
 * written.
 */
static bool read_stored(struct usage_keeping *keeping)
{
    bool was_last = false;
    size_t length;
    struct err err;

    if (!state_is_used(keeping->state)) {
        assume_usual_ttl(keeping);
        return false;
    }
    int folder = keeping->state->folder;
    uint8_t *octets = read_file(folder, FILE_NAME, &length, &err);
    bool is_aside = octets == NULL && err.code == ERR_NONE;
    if (is_aside)
        octets = read_file(folder, BEFORE_NAME, &length, &err);
    if (octets != NULL)
        usage_file_read(keeping->usage, octets, length, &was_last, &err);
    if (err.code != ERR_NONE)
        log_unread(keeping, err.text);
    if (err.code != ERR_NONE || (is_aside && octets != NULL))
        assume_usual_ttl(keeping);
    free(octets);
    return was_last && !is_aside && put_aside(folder);
}

static void write_now(struct usage_keeping *keeping, bool is_last)
{
    if (!take_octets(keeping, is_last))
        return;
    write_file(keeping);
    drop_octets(keeping);
}

void usage_keeping_read(struct usage_keeping *keeping)
{
    struct longest_ttl *longest = usage_longest_ttl(keeping->usage);

    if (keeping->is_read || !keeping->has_timer)
        return;
    uint32_t ttl_s = longest->ttl_s;
    bool was_last = read_stored(keeping);
    usage_set_back(keeping->usage, now_s());
    keeping->is_read = true;
    if (!was_last)
        expiries_raise_floor(usage_expiries(keeping->usage), longest_ttl_until(longest, now_s()));
    longest_ttl_set(longest, ttl_s, now_s());
    write_now(keeping, false);
    uv_timer_start(&keeping->timer, usage_keeping_on_due, USAGE_FIRST_STORED_MS, USAGE_STORED_MS);
}

/* ---- the longest TTL ---- */

void usage_keeping_note_published(struct usage_keeping *keeping, const struct snapshot *snapshot)
{
    if (!longest_ttl_raise(usage_longest_ttl(keeping->usage), longest_ttl_of(snapshot)))
        return;
    keeping->is_changed = keeping->is_urgent = true;
    if (keeping->is_read)
        write_soon(keeping);
}

void usage_keeping_note_adopted(struct usage_keeping *keeping, const struct snapshot *snapshot)
{
    longest_ttl_set(usage_longest_ttl(keeping->usage), longest_ttl_of(snapshot), now_s());
    keeping->is_changed = true;
}

/* That of a server before which is still leaving is not known. */
uint32_t usage_keeping_latest(const struct usage_keeping *keeping, uint32_t now_s)
{
    struct longest_ttl longest = *usage_longest_ttl(keeping->usage);

    if (!keeping->is_read)
        longest_ttl_raise(&longest, LONGEST_TTL_USUAL_S);
    return longest_ttl_until(&longest, now_s);
}

/* ---- life ---- */

bool usage_keeping_start(struct usage_keeping *keeping, uv_loop_t *loop, const struct state *state,
                         uint32_t apps_most)
{
    *keeping = (struct usage_keeping){
        .usage = usage_new(&(struct usage_options){
            .apps_most = apps_most, .pairs_most = USAGE_PAIRS, .now_s = now_s()}),
        .questions = questions_new(&(struct questions_options){
            .most = QUESTIONS_MOST, .octets_most = QUESTIONS_OCTETS_MOST, .now_s = now_s()}),
        .state = state,
        .ahead_ms = read_ahead_ms(),
        .has_timer = true};
    uv_timer_init(loop, &keeping->timer);
    uv_unref((uv_handle_t *)&keeping->timer);
    keeping->timer.data = keeping;
    return keeping->usage != NULL && keeping->questions != NULL;
}

/* A flow's time is of the loop's clock, which is the monotonic one. */
void usage_keeping_add(struct usage_keeping *keeping, const struct flow_table *table)
{
    int64_t ago_ms = (int64_t)(clock_monotonic_ns() / NS_PER_MS) - (int64_t)table->begun_ms;
    int64_t begun_ms = clock_wall_us() / US_PER_MS - ago_ms;

    note_clock(keeping);
    usage_add(keeping->usage, table, begun_ms);
    questions_add(keeping->questions, table, begun_ms);
    keeping->is_changed = true;
}

uint64_t usage_keeping_asked(const void *context, const char *space, const char *app)
{
    const struct usage_keeping *keeping = context;
    uint32_t party = usage_find_app(keeping->usage, space, app);
    const struct lately *lately = party == PARTY_NONE ? NULL : usage_lately(keeping->usage, party);

    return lately == NULL ? 0 : lately_last_minute(lately, now_s());
}

void usage_keeping_stop(struct usage_keeping *keeping)
{
    if (keeping->has_timer)
        uv_close((uv_handle_t *)&keeping->timer, NULL);
    keeping->has_timer = false;
}

void usage_keeping_close(struct usage_keeping *keeping)
{
    questions_free(keeping->questions);
    keeping->questions = NULL;
    if (keeping->usage == NULL)
        return;
    write_now(keeping, true);
    usage_free(keeping->usage);
    keeping->usage = NULL;
}
