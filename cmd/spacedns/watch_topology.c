#include "spacedns/watch_topology.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/number.h"
#include "spacedns/watch_command.h"
#include "spacedns/watch_pace.h"
#include "spacedns/watch_print.h"

enum {
    EVERY_S = 30,
    EVERY_MOST_S = 86400,
    COMMAND_S = 30,
    COMMAND_MOST_S = 3600,
    BACK_OFF_MOST_MS = 600000,
    FILE_FIRST_MS = 1000,
    HALF_TRIES = 20, /* for a file that is half written */
    HALF_WAIT_MS = 100,
    SETTLE_MS = 50, /* after an event of the folder */
    NS_PER_MS = 1000000,
    US_PER_SECOND = 1000000,
    MS_PER_SECOND = 1000,
};

struct watch {
    struct session *session;
    const char *source;
    bool is_command, is_once;
    unsigned timeout_ms;
    int stop;    /* readable once a signal has come */
    int changes; /* readable once something in the file's folder has changed; -1: none */
    struct pace pace;
    struct watch_line line;
    char space[64];
    char by[64];
    struct stat status; /* of the file when it was last read */
    uint64_t applied;   /* the hash of the octets that are in force; 0: none */
    bool owes_reload;
    bool is_stopped;
};

/* ---- options ---- */

/*
 * What exists is a file, unless it may be executed; else what looks like a path is one that is not
 * there yet. The first line says what it was taken for.
 */
static bool is_command(const char *source)
{
    struct stat status;
    size_t length = strlen(source);
    bool is_json = length > 5 && strcmp(source + length - 5, ".json") == 0;
    bool is_there = stat(source, &status) == 0;

    if (is_there)
        return !is_json && S_ISREG(status.st_mode) && access(source, X_OK) == 0;
    bool is_word = strpbrk(source, " \t\n|;&<>$'\"") == NULL;
    return !is_word || (!is_json && strchr(source, '/') == NULL);
}

static bool read_seconds(struct watch *watch, enum command_option option, unsigned most,
                         unsigned usual, uint64_t *ms)
{
    const char *text = watch->session->invocation.options[option];
    uint64_t seconds = usual;

    if (text != NULL &&
        (!number_from_text(text, strlen(text), &seconds) || seconds < 1 || seconds > most)) {
        session_fail(watch->session, EXIT_USAGE,
                     "%s is a number of seconds such as %u, from 1 to %u, not %s",
                     options_table[option].name, usual, most, text);
        return false;
    }
    *ms = seconds * MS_PER_SECOND;
    return true;
}

static bool read_options(struct watch *watch)
{
    const struct invocation *invocation = &watch->session->invocation;
    uint64_t every_ms, timeout_ms;

    watch->source = invocation_operand(invocation, 0);
    watch->is_command = is_command(watch->source);
    watch->is_once = invocation_has(invocation, OPTION_ONCE);
    if (invocation_has(invocation, OPTION_FORCE) && !watch->is_once) {
        session_fail(watch->session, EXIT_USAGE,
                     "--force lets one topology through, which somebody has looked at; add --once");
        return false;
    }
    if (!read_seconds(watch, OPTION_EVERY, EVERY_MOST_S, EVERY_S, &every_ms) ||
        !read_seconds(watch, OPTION_TIMEOUT, COMMAND_MOST_S, COMMAND_S, &timeout_ms))
        return false;
    watch->timeout_ms = (unsigned)timeout_ms;
    watch->pace.every_ms = every_ms;
    watch->pace.first_ms = watch->is_command ? every_ms : FILE_FIRST_MS;
    watch->pace.most_ms =
        watch->is_command && every_ms < BACK_OFF_MOST_MS ? BACK_OFF_MOST_MS : every_ms;
    return true;
}

/* ---- start and end ---- */

static bool open_stop(struct watch *watch)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    watch->stop = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (watch->stop >= 0 && sigprocmask(SIG_BLOCK, &set, NULL) == 0)
        return true;
    session_fail(watch->session, EXIT_REFUSED, "signals cannot be received: %s; try again",
                 strerror(errno));
    return false;
}

/* The folder, because a file that is replaced is another one. Without it the timer is left. */
static void open_changes(struct watch *watch)
{
    char path[PATH_MAX];

    watch->changes = -1;
    if (watch->is_command || watch->is_once)
        return;
    snprintf(path, sizeof path, "%s", watch->source);
    watch->changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch->changes >= 0 && inotify_add_watch(watch->changes, dirname(path),
                                                 IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM |
                                                     IN_CREATE | IN_DELETE) < 0) {
        close(watch->changes);
        watch->changes = -1;
    }
}

static void find_user(struct watch *watch)
{
    const struct passwd *user = getpwuid(getuid());

    if (user != NULL)
        snprintf(watch->by, sizeof watch->by, "%s", user->pw_name);
    else
        snprintf(watch->by, sizeof watch->by, "%u", (unsigned)getuid());
}

static void close_watch(struct watch *watch)
{
    if (watch->changes >= 0)
        close(watch->changes);
    if (watch->stop >= 0)
        close(watch->stop);
}

static const struct watch_line *line_of(struct watch *watch)
{
    watch->line.seconds = clock_wall_us() / US_PER_SECOND;
    watch->line.space =
        watch->space[0] == '\0' ? watch->session->invocation.options[OPTION_SPACE] : watch->space;
    return &watch->line;
}

/* ---- read ---- */

/* Waits at most `ms`. Returns true when the watch is to end; *has_changed: the folder has. */
static bool wait_ms(struct watch *watch, uint64_t ms, bool *has_changed)
{
    struct pollfd all[] = {{.fd = watch->stop, .events = POLLIN},
                           {.fd = has_changed == NULL ? -1 : watch->changes, .events = POLLIN}};
    char events[4096];

    poll(all, 2, (int)ms);
    watch->is_stopped = watch->is_stopped || all[0].revents != 0;
    if (all[1].revents == 0 || has_changed == NULL)
        return watch->is_stopped;
    while (read(watch->changes, events, sizeof events) > 0)
        ;
    *has_changed = true;
    return watch->is_stopped;
}

static bool parses(const struct watch *watch, const char *octets, size_t length)
{
    const struct topology_text text = {watch->source, octets, length};
    const struct suffixes suffixes = suffixes_default();
    struct arena *arena = arena_new();
    struct topology topology;
    struct err err = {.code = ERR_NONE};

    bool is_whole = arena == NULL || topology_read(arena, &text, &suffixes, &topology, &err) ||
                    err.code != ERR_SYNTAX;
    arena_free(arena);
    return is_whole;
}

/* A text that is half written cannot be parsed: its last brace is not there yet. */
static char *read_file(struct watch *watch, size_t *length, struct err *err)
{
    char *octets = NULL;
    struct err cause;

    for (unsigned i = 0; i < HALF_TRIES && !watch->is_stopped; i++) {
        free(octets);
        if (stat(watch->source, &watch->status) != 0)
            watch->status = (struct stat){.st_ino = 0};
        octets = file_read_text(watch->source, TOPOLOGY_OCTETS_MOST, length, &cause);
        if (octets != NULL && *length > 0 && parses(watch, octets, *length))
            return octets;
        wait_ms(watch, HALF_WAIT_MS, NULL);
    }
    if (octets == NULL)
        err_set(err, cause.code, "%.300s %.180s", watch->source, cause.text);
    if (octets != NULL && *length == 0) {
        err_set(err, ERR_SYNTAX, "%.300s is empty; fetch the topology again", watch->source);
        free(octets);
        octets = NULL;
    }
    return octets;
}

static char *read_source(struct watch *watch, size_t *length, struct err *err)
{
    const struct watch_command command = {
        .line = watch->source,
        .timeout_ms = watch->timeout_ms,
        .octets_most = TOPOLOGY_OCTETS_MOST,
        .stop = watch->stop,
    };

    *err = (struct err){.code = ERR_NONE};
    if (!watch->is_command)
        return read_file(watch, length, err);
    char *octets = watch_command_run(&command, length, err);
    watch->is_stopped = watch->is_stopped || (octets == NULL && err->code == ERR_NONE);
    return octets;
}

/* ---- rounds ---- */

static void fail(struct watch *watch, const char *sentence)
{
    uint64_t hash = hash_octets(&watch->session->key, sentence, strlen(sentence));

    if (pace_fail(&watch->pace, hash, clock_monotonic_ns() / NS_PER_MS))
        watch_print_failure(line_of(watch), sentence);
}

static void end_round(struct watch *watch, const struct round *round)
{
    uint64_t failures = watch->pace.failures;
    bool is_good = round->end == ROUND_UNCHANGED || round->end == ROUND_APPLIED;
    bool is_printed = true;

    snprintf(watch->space, sizeof watch->space, "%s", round->space);
    watch->owes_reload = round->end == ROUND_UNLOADED;
    if (is_good) {
        pace_succeed(&watch->pace);
    } else {
        uint64_t hash = hash_octets(&watch->session->key, round->sentence, strlen(round->sentence));
        is_printed = pace_fail(&watch->pace, hash, clock_monotonic_ns() / NS_PER_MS);
    }
    if (is_printed)
        watch_print_round(line_of(watch), round, is_good ? failures : 0);
}

static void take(struct watch *watch, const char *octets, size_t length)
{
    const struct topology_text text = {watch->source, octets, length};
    uint64_t hash = hash_octets(&watch->session->key, octets, length);
    struct round round;

    if (hash == watch->applied && watch->pace.failures == 0) {
        if (watch->line.is_json)
            watch_print_event(line_of(watch), "unchanged", "");
        return;
    }
    round_run(watch->session, &text, watch->owes_reload, &round);
    end_round(watch, &round);
    watch->applied = watch->pace.failures == 0 ? hash : 0;
    round_close(&round);
}

static void run_round(struct watch *watch)
{
    struct err err;
    size_t length = 0;
    char *octets = read_source(watch, &length, &err);

    if (octets != NULL)
        take(watch, octets, length);
    else if (!watch->is_stopped)
        fail(watch, err.text);
    free(octets);
}

static bool is_file_same(const struct watch *watch)
{
    const struct stat *old = &watch->status;
    struct stat now;

    return !watch->is_command && watch->pace.failures == 0 && watch->applied != 0 &&
           stat(watch->source, &now) == 0 && now.st_dev == old->st_dev &&
           now.st_ino == old->st_ino && now.st_size == old->st_size &&
           now.st_mtim.tv_sec == old->st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == old->st_mtim.tv_nsec &&
           now.st_ctim.tv_sec == old->st_ctim.tv_sec && now.st_ctim.tv_nsec == old->st_ctim.tv_nsec;
}

static int run_rounds(struct watch *watch)
{
    while (!watch->is_stopped) {
        bool has_changed = false;
        if (!is_file_same(watch))
            run_round(watch);
        if (watch->is_once)
            return watch->pace.failures == 0 && !watch->is_stopped ? EXIT_DONE : EXIT_REFUSED;
        if (!wait_ms(watch, pace_next_ms(&watch->pace), &has_changed) && has_changed)
            wait_ms(watch, SETTLE_MS, NULL);
    }
    watch_print_event(line_of(watch), "ended", "by a signal");
    return EXIT_DONE;
}

static void print_start(struct watch *watch)
{
    char sentence[640];

    snprintf(sentence, sizeof sentence, "the %s %.400s, every %llu s%s, as %s",
             watch->is_command ? "output of the command" : "file", watch->source,
             (unsigned long long)(watch->pace.every_ms / MS_PER_SECOND),
             watch->changes >= 0 ? " and when it changes" : "", watch->by);
    if (!watch->is_once)
        watch_print_event(line_of(watch), "watching", sentence);
}

int run_watch_topology(struct session *session)
{
    struct watch watch = {.session = session, .stop = -1, .changes = -1};
    int code = EXIT_REFUSED;

    if (!read_options(&watch))
        return EXIT_USAGE;
    find_user(&watch);
    watch.line = (struct watch_line){
        .out = session->out, .is_json = session->is_json, .source = watch.source, .by = watch.by};
    if (open_stop(&watch)) {
        open_changes(&watch);
        print_start(&watch);
        code = run_rounds(&watch);
    }
    close_watch(&watch);
    return code;
}
