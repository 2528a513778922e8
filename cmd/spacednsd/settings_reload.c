#include "spacednsd/settings_reload.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "answer/policy.h"
#include "base/escape.h"
#include "base/log.h"
#include "config/exposure.h"
#include "config/forwarding.h"
#include "config/settings_change.h"
#include "control/listener.h"
#include "forward/fetch_table.h"
#include "spacednsd/events.h"
#include "spacednsd/zones.h"

enum {
    SPARE_DESCRIPTORS = 48,
    WORKER_DESCRIPTORS = 8, /* loop, wakers, epoll of upstreams */
    STREAMS_EACH = 2,       /* connections to one server, when one is silent */
    SHARE_LEAST = 8,
    PROBLEM_MOST = 4096 + 512,
    LINE_MAX_KEPT = 0xffffff,
    COLUMN_MAX_KEPT = 0xff,
};

/* ---- findings ---- */

struct settings_report {
    struct report *report;
    const char *file;
};

static const char *value_text(const char *value)
{
    return value[0] == '\0' ? "(not set)" : value;
}

static void reload_on_kept(void *context, const char *key, const char *wanted, const char *in_force)
{
    const struct settings_report *target = context;

    report_add(target->report, FINDING_RESTART, target->file, (struct location){.line = 0},
               "%s: the change from %.160s to %.160s takes effect after a restart", key,
               value_text(in_force), value_text(wanted));
}

/* Reads ":3:10: " after the file's name. Returns NULL if it is missing. */
static const char *read_location(const char *text, struct location *at)
{
    char *end;

    if (text[0] != ':')
        return NULL;
    unsigned long line = strtoul(text + 1, &end, 10);
    if (line == 0 || end[0] != ':')
        return NULL;
    unsigned long column = strtoul(end + 1, &end, 10);
    if (strncmp(end, ": ", 2) != 0)
        return NULL;
    *at = (struct location){.line = line & LINE_MAX_KEPT,
                            .column = column < COLUMN_MAX_KEPT ? column & COLUMN_MAX_KEPT
                                                               : COLUMN_MAX_KEPT};
    return end + 2;
}

/* Problems are "FILE:LINE:COLUMN: sentence", or "--flag: sentence". */
static void report_problem(struct report *report, enum finding_code code, const char *file,
                           const char *problem)
{
    struct location at = {.line = 0};
    char begin[PATH_MAX];
    size_t length = file == NULL ? 0 : escape_string(begin, sizeof begin, file);
    const char *sentence = NULL;

    if (length > 0 && strncmp(problem, begin, length) == 0)
        sentence = read_location(problem + length, &at);
    if (sentence == NULL)
        report_add(report, code, file == NULL ? "settings" : file, (struct location){.line = 0},
                   "%s", problem);
    else
        report_add(report, code, file, at, "%s", sentence);
}

static void report_problems(struct report *report, const char *file, char *problems)
{
    char *rest = NULL;

    for (char *line = strtok_r(problems, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest))
        report_problem(report, FINDING_SETTING, file, line);
}

static void reload_on_public(void *context, const char *location, const char *sentence)
{
    const struct settings_report *target = context;
    char problem[PROBLEM_MOST];

    snprintf(problem, sizeof problem, "%s: %s", location, sentence);
    report_problem(target->report, FINDING_LISTEN_PUBLIC, target->file, problem);
}

/* ---- reading ---- */

/* Returns false with the errors in `problems`; without any there, out of memory. */
static bool read_again(struct settings_reload *reload, const struct settings *now,
                       struct report *report, FILE *problems)
{
    struct settings *next = &reload->settings;
    struct settings_report target = {.report = report,
                                     .file = now->file == NULL ? "settings" : now->file};

    if (settings_reread(next, now, problems) != SETTINGS_READY)
        return false;
    bool passed = exposure_check(next, reload_on_public, &target);
    if (!settings_keep(next, now, reload_on_kept, &target))
        return false;
    passed = forwarding_complete_here(next, now, problems) && passed;
    for (size_t i = 0; i < next->host_warning_count; i++)
        report_add(report, FINDING_RESOLV_CONF, target.file, (struct location){.line = 0}, "%s",
                   next->host_warnings[i]);
    passed = zones_check_routes(next, problems) && passed;
    if (!passed || !policy_set(&reload->policy, next))
        return false;
    reload->changed = settings_list_changes(now, next);
    return reload->changed != NULL;
}

struct settings_reload *settings_reload_read(const struct settings *now, struct report *report)
{
    struct settings_reload *reload = calloc(1, sizeof *reload);
    char *text = NULL;
    size_t length = 0;
    FILE *problems = open_memstream(&text, &length);
    bool passed = reload != NULL && problems != NULL && read_again(reload, now, report, problems);

    if (problems != NULL && fclose(problems) == 0 && !passed)
        report_problems(report, now->file, text);
    free(text);
    if (passed)
        return reload;
    if (report_count(report, FINDING_ERROR) == 0)
        report_add(report, FINDING_MEMORY, "settings", (struct location){.line = 0},
                   "out of memory");
    settings_reload_free(reload);
    return NULL;
}

void settings_reload_free(struct settings_reload *reload)
{
    if (reload == NULL)
        return;
    settings_close(&reload->settings);
    free(reload);
}

/* ---- taking effect ---- */

/* Of the process: listeners, loops and logs; the operator's commands; files of a reload. */
static uint64_t count_fixed(const struct settings *settings)
{
    uint64_t per_worker = 2 * (uint64_t)settings->listen.count + WORKER_DESCRIPTORS;

    return SPARE_DESCRIPTORS + LISTENER_CONNECTIONS_MOST + settings->workers * (per_worker + 1);
}

/* A question may have FETCH_ATTEMPTS sockets; connections to servers are added. A reload may
 * configure the first upstream, so the sockets count in any case. */
static uint64_t count_upstream(const struct settings *settings)
{
    const struct upstream_zones *zones = &settings->upstream_zones;
    uint64_t streams = 0;

    for (size_t i = 0; i < zones->count; i++)
        streams += zones->items[i].upstreams.count * STREAMS_EACH;
    return streams + fetch_tickets(settings->upstream_questions);
}

uint64_t settings_share_descriptors(struct settings *settings, uint64_t limit)
{
    uint64_t fixed = count_fixed(settings), workers = settings->workers;
    uint64_t tcp = settings->tcp_connections, upstream = count_upstream(settings);
    uint64_t wanted = fixed + workers * (tcp + upstream);

    settings->tcp_sockets = settings->upstream_sockets = 0;
    if (limit >= wanted)
        return wanted;
    uint64_t left = limit > fixed ? (limit - fixed) / workers : 0;
    if (left < SHARE_LEAST)
        left = SHARE_LEAST;
    /* Sockets for upstreams are reduced first, down to a quarter. */
    uint64_t share = left > tcp ? left - tcp : 0;
    upstream = share > left / 4 ? share : left / 4;
    settings->upstream_sockets = (uint32_t)upstream;
    if (tcp > left - upstream)
        settings->tcp_sockets = (uint32_t)(left - upstream);
    return wanted;
}

void settings_raise_descriptor_limit(struct settings *settings)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    uint64_t wanted = settings_share_descriptors(settings, UINT64_MAX);
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= wanted)
        return;
    settings_share_descriptors(settings, limit.rlim_cur);
    if (settings->tcp_sockets > 0 || settings->upstream_zones.count > 0)
        events_log_few_descriptors(settings, (uint64_t)limit.rlim_cur, wanted);
}

void settings_reload_apply(const struct settings *next, const struct settings *before)
{
    log_set_level((enum log_level)next->log_level);
    if (next->lacks_upstreams && !before->lacks_upstreams)
        events_log_no_upstreams();
}
