#include "inspect/registry_print.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "decide/reason.h"
#include "inspect/print.h"

enum {
    KEY_COLUMN = 24,
    MS_PER_SECOND = 1000,
    MINUTE_S = 60,
    HOUR_S = 60 * MINUTE_S,
    DAY_S = 24 * HOUR_S,
    CERTIFICATE_SOON_S = 14 * DAY_S,
    SPAN_OCTETS = 32,
};

const char *registry_kept_text(enum registry_kept_kind kind)
{
    static const char *const texts[] = {
        [REGISTRY_KEPT] = "kept",
        [REGISTRY_HELD] = "held",
        [REGISTRY_UNREADY] = "unready",
        [REGISTRY_TAKEN] = "taken",
    };

    return texts[kind];
}

/* A load's sentence begins with the code, which is printed before it. */
static const char *cause_of(const struct registry_kept *kept)
{
    size_t length = strlen(kept->code);

    return strncmp(kept->cause, kept->code, length) == 0 &&
                   strncmp(kept->cause + length, ": ", 2) == 0
               ? kept->cause + length + 2
               : kept->cause;
}

/* What happened and what to do; what is held may be meant or an accident. */
static void print_cause(const struct registry_kept *kept, FILE *out)
{
    escape_printf(out, "%s; ", cause_of(kept));
    if (kept->kind == REGISTRY_HELD)
        escape_printf(out,
                      "put it back with spacedns push, or if it is meant: spacedns "
                      "registry:accept %s\n",
                      kept->space);
    else if (kept->kind == REGISTRY_TAKEN)
        fputs("the other space was created first and has it, the rest is served; push it without "
              "that\n",
              out);
    else
        fputs("push a zone file without errors\n", out);
}

/* ---- our certificate ---- */

static const char *format_span(int64_t seconds, char text[SPAN_OCTETS])
{
    const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{DAY_S, "days"}, {HOUR_S, "h"}, {MINUTE_S, "min"}, {1, "s"}};
    size_t i = 0;

    while (units[i].seconds > 1 && seconds < 2 * units[i].seconds)
        i++;
    snprintf(text, SPAN_OCTETS, "%" PRId64 " %s", seconds / units[i].seconds, units[i].name);
    return text;
}

bool registry_format_certificate(const struct registry_status *status,
                                 char sentence[REGISTRY_CERTIFICATE_OCTETS])
{
    int64_t left_s = status->certificate_left_s;
    char span[SPAN_OCTETS], end[CLOCK_TEXT_OCTETS];

    if (status->certificate == NULL || left_s >= CERTIFICATE_SOON_S)
        return false;
    clock_format(status->certificate_end_s, end);
    format_span(left_s < 0 ? -left_s : left_s, span);
    snprintf(sentence, REGISTRY_CERTIFICATE_OCTETS,
             "the certificate in %.200s %s %s%s, at %s: what is connected stays so, and the next "
             "connection%s fails; put a renewed one in its place, then: spacedns reload",
             status->certificate, left_s < 0 ? "ended" : "ends in", span, left_s < 0 ? " ago" : "",
             end, left_s < 0 ? "" : " after that");
    return true;
}

/* ---- lines ---- */

static void begin(const char *key, FILE *out)
{
    fprintf(out, "%-*s ", KEY_COLUMN, key);
}

static void print_age(const struct registry_status *status, FILE *out)
{
    if (status->age_ms < 0)
        fputs(" age unknown", out);
    else
        fprintf(out, " age %" PRId64 " s", status->age_ms / MS_PER_SECOND);
}

static void print_first(const struct registry_status *status, FILE *out)
{
    begin("registry", out);
    escape_printf(out, "etcd %s", status->endpoint);
    if (!status->is_connected && !status->is_reading)
        fputs(" not connected", out);
    if (status->server_version[0] != '\0')
        escape_printf(out, " %s", status->server_version);
    escape_printf(out, " cell %s", status->cell);
    fprintf(out, " revision %" PRIu64, status->in_force);
    if (status->revision != status->in_force)
        fprintf(out, " of %" PRIu64, status->revision);
    print_age(status, out);
    fprintf(out, " spaces %zu", status->document_count);
    if (status->is_canary)
        fprintf(out, " canary %zu", status->candidate_count);
    fputc('\n', out);
}

static void print_warning(const char *text, FILE *out)
{
    begin("registry", out);
    escape_printf(out, "! %s\n", text);
}

static const char *silence_of(const struct registry_status *status)
{
    if (status->problem[0] != '\0')
        return status->problem;
    return status->is_connected
               ? "its member answers, but its writer has written no beat; see whether that runs, "
                 "and etcdctl alarm list for NOSPACE"
               : "no word from its member";
}

static void print_login(const struct registry_status *status, FILE *out)
{
    char sentence[REGISTRY_CERTIFICATE_OCTETS];

    if (registry_format_certificate(status, sentence))
        print_warning(sentence, out);
    if (status->login_problem != NULL)
        print_warning(status->login_problem, out);
}

static void print_problems(const struct registry_status *status, FILE *out)
{
    if (status->is_stale) {
        begin("registry", out);
        fprintf(out, "! %s %s\n", reason_entry(REASON_REGISTRY_STALE)->code,
                reason_entry(REASON_REGISTRY_STALE)->description);
        if (status->problem[0] == '\0' && status->is_connected)
            print_warning(silence_of(status), out);
    }
    if (status->problem[0] != '\0')
        print_warning(status->problem, out);
    else if (!status->is_connected)
        print_warning(status->is_reading ? "reading everything" : "not connected", out);
    if (status->in_force == 0)
        print_warning("nothing was read yet, so clients get SERVFAIL (Q30)", out);
    if (status->is_paused) {
        begin("registry", out);
        escape_printf(out, "! documents are paused: %s; spacedns registry:resume ends it\n",
                      status->pause);
    }
    if (status->is_old)
        print_warning(status->old_text, out);
}

static void print_count(const char *key, size_t count, const char *one, const char *many, FILE *out)
{
    if (count == 0)
        return;
    begin(key, out);
    fprintf(out, "%zu %s\n", count, count == 1 ? one : many);
}

static void print_bad(const struct registry_status *status, FILE *out)
{
    for (size_t i = 0; i < registry_bad_listed(status); i++) {
        const struct registry_bad *bad = &status->bad[i];
        begin("registry_bad", out);
        if (bad->code[0] == '\0')
            escape_printf(out, "! %s\n", bad->key);
        else
            escape_printf(out, "! %s (%s): %s\n", bad->key, bad->code, bad->cause);
    }
}

void registry_print_text(const struct registry_status *status, FILE *out)
{
    static const char *const keys[] = {[REGISTRY_KEPT] = "registry_kept",
                                       [REGISTRY_HELD] = "registry_held",
                                       [REGISTRY_UNREADY] = "registry_unready",
                                       [REGISTRY_TAKEN] = "registry_taken"};

    print_first(status, out);
    print_problems(status, out);
    print_login(status, out);
    for (size_t i = 0; i < status->kept_count; i++) {
        const struct registry_kept *kept = &status->kept[i];
        begin(keys[kept->kind], out);
        escape_printf(out, "! %s (%s", kept->space, kept->code);
        if (kept->revision != 0)
            fprintf(out, " at %" PRIu64, kept->revision);
        fputs("): ", out);
        print_cause(kept, out);
    }
    print_count("registry_held_apps", status->held_app_count,
                "app, of several that lost their last web dyno's key at once",
                "apps, of which too many lost their last web dyno's key at once", out);
    print_count("registry_waiting", status->waiting_count,
                "dyno key of an app that no document has", "dyno keys of apps that no document has",
                out);
    print_count("registry_bad", status->bad_count, "dyno key with errors, kept out",
                "dyno keys with errors, kept out", out);
    print_bad(status, out);
    print_count("registry_ignored", status->ignored_count, "key outside of the layout",
                "keys outside of the layout", out);
}

/* ---- JSON ---- */

static json_t *json_kept(const struct registry_status *status)
{
    json_t *list = json_array();

    for (size_t i = 0; i < status->kept_count; i++) {
        const struct registry_kept *kept = &status->kept[i];
        json_array_append_new(
            list,
            json_pack("{s:o, s:s, s:o, s:I, s:o}", "space", json_text(kept->space), "kind",
                      registry_kept_text(kept->kind), "code", json_text(kept->code), "revision",
                      (json_int_t)kept->revision, "cause", json_text(kept->cause)));
    }
    return list;
}

static json_t *json_bad(const struct registry_status *status)
{
    json_t *list = json_array();

    for (size_t i = 0; i < registry_bad_listed(status); i++) {
        const struct registry_bad *bad = &status->bad[i];
        json_array_append_new(list, json_pack("{s:o, s:s, s:o}", "key", json_text(bad->key), "code",
                                              bad->code, "cause", json_text(bad->cause)));
    }
    return list;
}

static json_t *json_known(const char *text)
{
    return json_text(text == NULL || text[0] == '\0' ? NULL : text);
}

static json_t *json_ms(int64_t ms)
{
    return ms < 0 ? json_null() : json_real((double)ms / MS_PER_SECOND);
}

static json_t *json_certificate_end(const struct registry_status *status)
{
    char end[CLOCK_TEXT_OCTETS];

    if (status->certificate == NULL)
        return json_null();
    clock_format(status->certificate_end_s, end);
    return json_known(end);
}

static json_t *json_certificate_problem(const struct registry_status *status)
{
    char sentence[REGISTRY_CERTIFICATE_OCTETS];

    return json_known(registry_format_certificate(status, sentence) ? sentence : NULL);
}

static void add_counts(json_t *object, const struct registry_status *status)
{
    const struct {
        const char *key;
        uint64_t value;
    } counts[] = {
        {"spaces", status->document_count},
        {"candidates", status->candidate_count},
        {"waiting_keys", status->waiting_count},
        {"bad_keys", status->bad_count},
        {"ignored_keys", status->ignored_count},
        {"held_apps", status->held_app_count},
        {"connects", status->connects},
        {"full_reads", status->full_reads},
        {"audits", status->audits},
        {"audit_differences", status->audit_differences},
        {"events", status->events},
        {"restates", status->restates},
        {"restate_us", status->restate_us},
    };

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        json_object_set_new(object, counts[i].key, json_integer((json_int_t)counts[i].value));
}

json_t *registry_print_json(const struct registry_status *status)
{
    json_t *object = json_pack(
        "{s:o, s:o, s:o, s:o, s:b, s:b, s:b, s:s, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, "
        "s:o, s:o}",
        "endpoint", json_known(status->endpoint), "server_version",
        json_known(status->server_version), "cell", json_text(status->cell), "id",
        json_known(status->id), "connected", (int)status->is_connected, "reading",
        (int)status->is_reading, "stale", (int)status->is_stale, "channel",
        status->is_canary ? "canary" : "stable", "paused",
        status->is_paused ? json_text(status->pause) : json_null(), "in_force",
        (json_int_t)status->in_force, "revision", (json_int_t)status->revision, "age_seconds",
        json_ms(status->age_ms), "lag_seconds", json_ms(status->lag_ms), "problem",
        json_known(status->problem), "old", json_known(status->is_old ? status->old_text : NULL),
        "login_problem", json_known(status->login_problem), "certificate_end",
        json_certificate_end(status), "certificate_problem", json_certificate_problem(status),
        "kept", json_kept(status));

    if (object == NULL)
        return NULL;
    json_object_set_new(object, "bad", json_bad(status));
    add_counts(object, status);
    return object;
}

/* ---- notes ---- */

void registry_print_notes(const struct registry_status *status, FILE *out)
{
    for (size_t i = 0; i < status->kept_count; i++) {
        const struct registry_kept *kept = &status->kept[i];
        escape_printf(out, "space %s is %s: %s", kept->space, registry_kept_text(kept->kind),
                      kept->code);
        if (kept->revision != 0)
            fprintf(out, " at revision %" PRIu64, kept->revision);
        fputs(": ", out);
        print_cause(kept, out);
    }
    if (status->is_paused)
        escape_printf(out, "documents are paused: %s; spacedns registry:resume ends it\n",
                      status->pause);
    if (status->is_stale)
        escape_printf(out, "the registry has said nothing for %" PRId64 " s: %s\n",
                      status->age_ms < 0 ? 0 : status->age_ms / MS_PER_SECOND, silence_of(status));
}
