#include "spacednsd/zones.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/debug.h"
#include "base/escape.h"
#include "base/log.h"
#include "base/suggest.h"
#include "base/text.h"
#include "config/exposure.h"
#include "decide/client.h"
#include "decide/reason.h"
#include "decide/special.h"
#include "inspect/prove.h"

enum { FINDINGS_MOST = 100, LOCATION_TEXT_MOST = 4096 + 32 };

bool zones_check_routes(const struct settings *settings, FILE *problems)
{
    const struct upstream_zones *zones = &settings->upstream_zones;
    bool passed = true;

    for (size_t i = 0; i < zones->count; i++) {
        struct name zone;
        if (!name_from_text(zones->items[i].zone, &zone) || !special_is_fixed(&zone))
            continue;
        escape_printf(
            problems,
            "%s: its names are answered here and never asked of an upstream (RFC 6761); take "
            "the zone out\n",
            zones->items[i].location);
        passed = false;
    }
    return passed;
}

/* A debug build serves only what passes the proof. */
static void prove_loaded(struct zones_loading *loading)
{
    struct proof proof;

    if (!IS_DEBUG_BUILD || loading->snapshot == NULL ||
        prove(loading->snapshot, &proof, &loading->err))
        return;
    snapshot_free(loading->snapshot);
    loading->snapshot = NULL;
}

bool zones_loading_open(struct zones_loading *loading)
{
    loading->started_ns = clock_monotonic_ns();
    loading->outcome = (struct load_outcome){0};
    loading->err = (struct err){.code = ERR_NONE};
    loading->snapshot = NULL;
    loading->report = report_new();
    return loading->report != NULL ||
           err_set(&loading->err, ERR_MEMORY, "out of memory while loading the zone files");
}

void zones_load(struct zones_loading *loading)
{
    if (loading->report == NULL && !zones_loading_open(loading))
        return;
    /* This thread may wait: it serves no clients. */
    folder_init(&loading->folder, loading->zones, &clock_machine);
    loading->request.source = &loading->folder.source;
    loading->snapshot =
        snapshot_load(&loading->request, loading->report, &loading->outcome, &loading->err);
    report_sort(loading->report);
    if (loading->snapshot != NULL)
        loading->err.code = ERR_NONE; /* a load that succeeds may have set it */
    prove_loaded(loading);
}

void zones_loading_close(struct zones_loading *loading)
{
    report_free(loading->report);
    loading->report = NULL;
}

uint64_t zones_loading_ms(const struct zones_loading *loading)
{
    return (clock_monotonic_ns() - loading->started_ns) / 1000000;
}

static void format_location(const struct finding *finding, char *location)
{
    if (finding->at.line == 0)
        snprintf(location, LOCATION_TEXT_MOST, "%s", finding->file);
    else
        snprintf(location, LOCATION_TEXT_MOST, "%s:%u:%u", finding->file,
                 (unsigned)finding->at.line, (unsigned)finding->at.column);
}

static void log_finding(const struct finding *finding)
{
    static const enum log_level levels[] = {
        [FINDING_ERROR] = LOG_ERROR, [FINDING_WARNING] = LOG_WARNING, [FINDING_NOTE] = LOG_INFO};
    char location[LOCATION_TEXT_MOST];
    struct log_line line;

    format_location(finding, location);
    log_start(&line, levels[finding_level(finding->code)], "finding");
    log_string(&line, "code", finding_name(finding->code));
    log_string(&line, "place", location);
    log_string(&line, "text", finding->sentence);
    log_send(&line);
}

/* Logs findings of one level, `left` at most. Returns how many more may be logged. */
static size_t log_level_findings(const struct report *report, enum finding_level level, size_t left)
{
    const struct finding *findings = report_findings(report);

    for (size_t i = 0; i < report_total(report) && left > 0; i++)
        if (finding_level(findings[i].code) == level && findings[i].more == 0) {
            log_finding(&findings[i]);
            left--;
        }
    return left;
}

void zones_log_findings(const struct report *report)
{
    size_t left = FINDINGS_MOST, found = 0;
    struct log_line line;

    for (enum finding_level level = FINDING_ERROR; level <= FINDING_NOTE; level++)
        found += report_count(report, level);

    left = log_level_findings(report, FINDING_ERROR, left);
    left = log_level_findings(report, FINDING_WARNING, left);
    left = log_level_findings(report, FINDING_NOTE, left);
    size_t left_out = found - (FINDINGS_MOST - left);
    if (left_out == 0)
        return;
    log_start(&line, LOG_WARNING, "findings_left_out");
    log_number(&line, "count", left_out);
    log_string(&line, "text", "spacednsd --check prints more of them");
    log_send(&line);
}

static const struct finding *first_error(const struct report *report)
{
    const struct finding *findings = report_findings(report);

    for (size_t i = 0; i < report_total(report); i++)
        if (finding_level(findings[i].code) == FINDING_ERROR)
            return &findings[i];
    return NULL;
}

void zones_log_refusal(const struct zones_loading *loading, uint64_t generation)
{
    const struct reason_entry *reason = reason_entry(REASON_RELOAD_REFUSED);
    const struct finding *first = loading->report == NULL ? NULL : first_error(loading->report);
    char location[LOCATION_TEXT_MOST];
    struct log_line line;

    if (first != NULL)
        zones_log_findings(loading->report);
    log_start(&line, LOG_ERROR, "reload_refused");
    log_string(&line, "code", reason->code);
    log_string(&line, "desc", reason->description);
    log_number(&line, "generation", generation);
    if (first != NULL) {
        format_location(first, location);
        log_number(&line, "errors", report_count(loading->report, FINDING_ERROR));
        log_string(&line, "first", finding_name(first->code));
        log_string(&line, "place", location);
        log_string(&line, "text", first->sentence);
    } else {
        log_string(&line, "text", loading->err.text);
    }
    log_send(&line);
}

void zones_format_cause(const struct zones_loading *loading, struct err *cause)
{
    const struct finding *first =
        loading->report == NULL ? NULL : report_first_error(loading->report);
    char location[FINDING_LOCATION_OCTETS];

    *cause = loading->err;
    if (loading->err.code != ERR_NONE || first == NULL)
        return;
    finding_write_location(first, location);
    err_set(cause, ERR_RULE, "%s: %s: %.250s; errors in all: %zu", location,
            finding_name(first->code), first->sentence,
            report_count(loading->report, FINDING_ERROR));
}

void zones_print_refusal(const struct zones_loading *loading, FILE *out)
{
    size_t errors = 0;

    if (loading->report != NULL) {
        report_print(loading->report, out);
        errors = report_count(loading->report, FINDING_ERROR);
    }
    if (loading->err.code != ERR_NONE)
        escape_printf(out, "spacednsd: %s\n", loading->err.text);
    if (errors > 0)
        escape_printf(out, "spacednsd: not started: %zu error%s in the zone files of %s\n", errors,
                      errors == 1 ? "" : "s", loading->zones);
}

size_t zones_count_spaces(const struct snapshot *snapshot)
{
    size_t count = 0;

    for (size_t i = 0; i < snapshot->segment_count; i++)
        count += snapshot->segments[i] != NULL;
    return count;
}

static bool is_covered(uint32_t address, const struct settings *settings)
{
    for (size_t i = 0; i < settings->listen.count; i++) {
        const struct endpoint *endpoint = &settings->listen.items[i].endpoint;
        if (endpoint->any.sa_family != AF_INET)
            continue;
        if (endpoint_is_wildcard(endpoint) || ntohl(endpoint->v4.sin_addr.s_addr) == address)
            return true;
    }
    return false;
}

static void warn_listen(const struct segment *segment, uint32_t address)
{
    char text[CIDR_TEXT_MAX];
    struct log_line line;

    ipv4_write(address, text);
    log_start(&line, LOG_WARNING, "listen_not_covered");
    log_string(&line, "space", segment->name);
    log_string(&line, "address", text);
    log_string(&line, "file", segment->file);
    log_string(&line, "text",
               "the space is answered only at this address, and the server does not listen there; "
               "add it to listen (--listen) or remove it from the zone file");
    log_send(&line);
}

void zones_warn_listen(const struct snapshot *snapshot, const struct settings *settings)
{
    for (size_t i = 0; i < snapshot->segment_count; i++) {
        const struct segment *segment = snapshot->segments[i];
        for (size_t j = 0; segment != NULL && j < segment->listen_count; j++)
            if (!is_covered(segment->listen[j], settings))
                warn_listen(segment, segment->listen[j]);
    }
}

static bool has_space(const struct snapshot *snapshot, const char *name)
{
    for (size_t i = 0; i < snapshot->segment_count; i++)
        if (snapshot->segments[i] != NULL && strcmp(snapshot->segments[i]->name, name) == 0)
            return true;
    return false;
}

static const char *suggest_space(const struct snapshot *snapshot, const char *name)
{
    const char **names = calloc(snapshot->segment_count + 1, sizeof *names);
    const char *suggestion = NULL;
    size_t count = 0;

    if (names == NULL)
        return NULL;
    for (size_t i = 0; i < snapshot->segment_count; i++)
        if (snapshot->segments[i] != NULL)
            names[count++] = snapshot->segments[i]->name;
    suggestion = suggest_among(name, names, count);
    free(names);
    return suggestion;
}

const char *zones_find_missing_local(const struct snapshot *snapshot,
                                     const struct settings *settings, const char **suggestion)
{
    for (size_t i = 0; i < settings->local_as.count; i++) {
        const char *name = settings->local_as.items[i];
        if (has_space(snapshot, name))
            continue;
        *suggestion = suggest_space(snapshot, name);
        return name;
    }
    return NULL;
}

void zones_warn_local(const struct snapshot *snapshot, const struct settings *settings)
{
    const char *suggestion;
    const char *missing = zones_find_missing_local(snapshot, settings, &suggestion);
    struct log_line line;

    if (missing == NULL)
        return;
    log_start(&line, LOG_WARNING, "local_as_missing");
    log_string(&line, "space", missing);
    log_string(&line, "text",
               "no zone file declares the space of local_as, so loopback clients are external");
    log_send(&line);
}
