#include "spacednsd/replica_events.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "decide/reason.h"
#include "inspect/registry_print.h"
#include "spacednsd/findings_log.h"

enum { LINES_MOST = 100, MS_PER_SECOND = 1000, DAY_S = 24 * 60 * 60 };

static const char *name_of(enum registry_event_kind kind)
{
    static const char *const names[] = {
        [REGISTRY_CONNECTED] = "registry_connected",
        [REGISTRY_LOST] = "registry_lost",
        [REGISTRY_READ] = "registry_read",
        [REGISTRY_RESET] = "registry_reset",
        [REGISTRY_OTHER] = "registry_other",
        [REGISTRY_DENIED] = "registry_denied",
        [REGISTRY_REFUSED] = "registry_refused",
        [REGISTRY_AUDIT] = "registry_audit",
        [REGISTRY_HOLDS] = "registry_holds",
        [REGISTRY_HOLDS_NO_MORE] = "registry_holds_over",
        [REGISTRY_PAUSED] = "registry_paused",
        [REGISTRY_RESUMED] = "registry_resumed",
        [REGISTRY_FINDINGS] = "registry_findings",
        [REGISTRY_DISK] = "registry_disk",
    };

    return names[kind];
}

void replica_log_event(const struct registry_event *event)
{
    if (event->text != NULL)
        log_sentence(event->is_problem ? LOG_WARNING : LOG_INFO, name_of(event->kind), event->text);
    if (event->report != NULL)
        findings_log(event->report);
}

/* ---- spaces that are not served from their newest document ---- */

static const char *event_of(enum registry_kept_kind kind)
{
    switch (kind) {
    case REGISTRY_KEPT:
        return "space_kept";
    case REGISTRY_HELD:
        return "space_held";
    case REGISTRY_UNREADY:
        return "space_unready";
    case REGISTRY_TAKEN:
        return "space_taken";
    }
    return "";
}

static const char *remedy_of(enum registry_kept_kind kind)
{
    switch (kind) {
    case REGISTRY_KEPT:
        return "the space is served from its last good document; push a correct one";
    case REGISTRY_HELD:
        return "the space is served as it was; put it back with spacedns push, or if it is meant: "
               "spacedns registry:accept";
    case REGISTRY_UNREADY:
        return "the space has no good document, and its clients get SERVFAIL; push a correct one";
    case REGISTRY_TAKEN:
        return "the space is served without what another space has, whose document was created "
               "first; push it without that";
    }
    return "";
}

static void log_kept(const struct registry_kept *kept)
{
    struct log_line line;

    log_start(&line, LOG_WARNING, event_of(kept->kind));
    log_string(&line, "space", kept->space);
    log_string(&line, "code", kept->code);
    log_number(&line, "revision", kept->revision);
    log_string(&line, "cause", kept->cause);
    log_string(&line, "text", remedy_of(kept->kind));
    log_send(&line);
}

static void log_accepted(const struct registry_kept *former, uint64_t revision)
{
    struct log_line line;

    log_start(&line, LOG_INFO, "space_accepted");
    log_string(&line, "space", former->space);
    log_number(&line, "revision", revision);
    log_string(&line, "text", "the space is served from its newest document again, or is gone");
    log_send(&line);
}

static void free_kept(struct registry_kept *kept, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free((char *)kept[i].space);
    free(kept);
}

/* Without memory nothing is remembered, so that all of it is logged once more. */
static void remember(struct replica_logged *logged, const struct registry_status *status)
{
    struct registry_kept *copies = calloc(status->kept_count + 1, sizeof *copies);
    size_t count = 0;

    for (; copies != NULL && count < status->kept_count; count++) {
        copies[count] = (struct registry_kept){.kind = status->kept[count].kind,
                                               .revision = status->kept[count].revision,
                                               .space = strdup(status->kept[count].space)};
        if (copies[count].space == NULL)
            break;
    }
    free_kept(logged->kept, logged->kept_count);
    logged->kept = copies;
    logged->kept_count = count;
}

static bool is_same(const struct registry_kept *a, const struct registry_kept *b)
{
    return a->kind == b->kind && a->revision == b->revision;
}

/* Both lists are sorted by space. */
static void log_kept_news(struct replica_logged *logged, const struct registry_status *status)
{
    size_t i = 0, j = 0, lines = 0;
    bool has_news = false;

    while (i < logged->kept_count || j < status->kept_count) {
        int order = i == logged->kept_count ? 1
                    : j == status->kept_count
                        ? -1
                        : strcmp(logged->kept[i].space, status->kept[j].space);
        bool is_news = order != 0 || !is_same(&logged->kept[i], &status->kept[j]);
        has_news |= is_news;
        if (is_news && lines++ < LINES_MOST) {
            if (order < 0)
                log_accepted(&logged->kept[i], status->in_force);
            else
                log_kept(&status->kept[j]);
        }
        i += order <= 0;
        j += order >= 0;
    }
    if (has_news)
        remember(logged, status);
}

/* ---- staleness ---- */

static void log_stale(const struct registry_status *status)
{
    const struct reason_entry *reason = reason_entry(REASON_REGISTRY_STALE);
    struct log_line line;

    log_start(&line, LOG_WARNING, "registry_stale");
    log_string(&line, "code", reason->code);
    log_string(&line, "desc", reason->description);
    log_number(&line, "revision", status->in_force);
    if (status->age_ms >= 0)
        log_number(&line, "age", (uint64_t)status->age_ms / MS_PER_SECOND);
    log_string(&line, "endpoint", status->endpoint);
    log_string(&line, "problem", status->problem);
    log_string(&line, "text", reason->remedy);
    log_send(&line);
}

static void log_fresh(const struct registry_status *status)
{
    struct log_line line;

    log_start(&line, LOG_INFO, "registry_fresh");
    log_number(&line, "revision", status->in_force);
    log_string(&line, "endpoint", status->endpoint);
    log_send(&line);
}

/* ---- our certificate ---- */

/* Also when the clock was set back by more than a day. */
static bool is_due(const struct replica_logged *logged, int64_t left_s)
{
    int64_t passed_s = logged->left_s - left_s;

    return !logged->has_warned || passed_s >= DAY_S || passed_s <= -DAY_S;
}

static void log_certificate(struct replica_logged *logged, const struct registry_status *status)
{
    char sentence[REGISTRY_CERTIFICATE_OCTETS];
    struct log_line line;

    if (!registry_format_certificate(status, sentence) ||
        !is_due(logged, status->certificate_left_s))
        return;
    logged->has_warned = true;
    logged->left_s = status->certificate_left_s;
    log_start(&line, LOG_WARNING, "registry_certificate_ends");
    log_string(&line, "file", status->certificate);
    log_string(&line, "text", sentence);
    log_send(&line);
}

void replica_log_status(struct replica_logged *logged, const struct registry_status *status)
{
    log_kept_news(logged, status);
    log_certificate(logged, status);
    if (status->is_stale && !logged->is_stale)
        log_stale(status);
    else if (!status->is_stale && logged->is_stale)
        log_fresh(status);
    logged->is_stale = status->is_stale;
}

void replica_logged_close(struct replica_logged *logged)
{
    free_kept(logged->kept, logged->kept_count);
    *logged = (struct replica_logged){.kept = NULL};
}
