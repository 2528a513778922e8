#include "spacedns/registry_status.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "inspect/print.h"
#include "spacedns/registry_session.h"
#include "spacedns/spaces.h"

enum { US_PER_S = 1000000, MS_PER_S = 1000, WORDS_MOST = 300 };

/* A value of a mark; empty when there is none. */
static void copy(const struct registry_mark *mark, const char *key, char out[WORDS_MOST])
{
    out[0] = '\0';
    if (mark->modified != 0)
        lines_copy(mark->text.octets, mark->text.length, key, out, WORDS_MOST);
}

static json_t *json_value(const struct registry_mark *mark, const char *key)
{
    char text[WORDS_MOST];

    copy(mark, key, text);
    return mark->modified == 0 ? json_null() : print_text(text, strlen(text));
}

/* Seconds since the last beat by its own time; negative: none has been. */
static double beat_age(const struct registry_view *view)
{
    const struct registry_mark *beat = &view->beat;

    if (beat->modified == 0)
        return -1;
    uint64_t at_ms = lines_number(beat->text.octets, beat->text.length, "at_ms");
    return (double)clock_wall_us() / US_PER_S - (double)at_ms / MS_PER_S;
}

static json_t *json_candidates(const struct registry_view *view)
{
    json_t *list = json_array();

    for (size_t i = 0; i < view->candidates.count; i++) {
        const char *space = view->candidates.items[i].space;
        json_array_append_new(list, print_text(space, strlen(space)));
    }
    return list;
}

static json_t *json_broken(const struct session *session)
{
    json_t *list = json_array();

    for (size_t i = 0; i < session->outcome.last_good_count; i++) {
        const struct load_last_good *kept = &session->outcome.last_good[i];
        json_array_append_new(
            list, json_pack("{s:o, s:o}", "document", print_text(kept->file, strlen(kept->file)),
                            "cause", print_text(kept->cause.text, strlen(kept->cause.text))));
    }
    return list;
}

static int print_json_status(struct session *session)
{
    const struct registry_view *view = registry_view_of(session);
    const char *endpoint = etcd_client_endpoint(session->registry->client);
    double age = beat_age(view);

    return session_print_json(
        session,
        json_pack("{s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "endpoint",
                  print_text(endpoint, strlen(endpoint)), "prefix",
                  print_text(view->keys->prefix, strlen(view->keys->prefix)), "id",
                  json_value(&view->meta, "id"), "revision", (json_int_t)view->revision, "spaces",
                  (json_int_t)view->count, "dyno_keys", (json_int_t)view->dyno_count,
                  "dyno_keys_waiting", (json_int_t)session->registry->waiting_count, "offered",
                  json_candidates(view), "broken", json_broken(session), "pause",
                  json_value(&view->pause, "why"), "last_push", json_value(&view->config, "what"),
                  "beat_age_seconds", age < 0 ? json_null() : json_real(age)));
}

static void print_last_push(FILE *out, const struct registry_view *view)
{
    char by[WORDS_MOST], at[WORDS_MOST], what[WORDS_MOST];

    if (view->config.modified == 0)
        return;
    copy(&view->config, "by", by);
    copy(&view->config, "at", at);
    copy(&view->config, "what", what);
    escape_printf(out, "last push  %s by %s at %s, revision %" PRIu64 "\n", what, by, at,
                  view->config.modified);
}

static void print_pause(FILE *out, const struct registry_view *view)
{
    char by[WORDS_MOST], why[WORDS_MOST];

    if (view->pause.modified == 0)
        return;
    copy(&view->pause, "by", by);
    copy(&view->pause, "why", why);
    escape_printf(
        out, "paused     by %s since revision %" PRIu64 ": %s; spacedns registry resume ends it\n",
        by, view->pause.modified, why);
}

static void print_offered(FILE *out, const struct registry_view *view)
{
    if (view->candidates.count == 0)
        return;
    fputs("offered   ", out);
    for (size_t i = 0; i < view->candidates.count; i++)
        escape_printf(out, " %s", view->candidates.items[i].space);
    fputs("; spacedns promote makes them everyone's\n", out);
}

static void print_beat(FILE *out, const struct registry_view *view)
{
    char by[WORDS_MOST];
    double age = beat_age(view);

    copy(&view->beat, "by", by);
    if (age < 0)
        fputs("beat       none: no scheduler writes it, so nobody notices when writing fails\n",
              out);
    else
        escape_printf(out, "beat       %.0f s ago by %s\n", age, by);
}

static int print_status(struct session *session)
{
    const struct registry_view *view = registry_view_of(session);
    FILE *out = session->out;
    char id[WORDS_MOST];

    if (session->is_json)
        return print_json_status(session);
    copy(&view->meta, "id", id);
    escape_printf(out, "registry   %.*s at %s, id %s\n", (int)view->keys->prefix_length - 1,
                  view->keys->prefix, etcd_client_endpoint(session->registry->client), id);
    escape_printf(out, "revision   %" PRIu64 ": %zu spaces, %zu dyno keys", view->revision,
                  view->count, view->dyno_count);
    if (session->registry->waiting_count > 0)
        escape_printf(out, ", %zu of them of apps that no document has",
                      session->registry->waiting_count);
    fputc('\n', out);
    print_last_push(out, view);
    print_pause(out, view);
    print_offered(out, view);
    print_beat(out, view);
    return EXIT_DONE;
}

int run_registry(struct session *session)
{
    const char *operand = invocation_operand(&session->invocation, 0);

    if (operand != NULL && strcmp(operand, "status") != 0)
        return session_fail(session, EXIT_USAGE,
                            "%s is not a command of the registry; write spacedns registry, or with "
                            "pause, resume, accept, replicas or init behind it",
                            operand);
    int code = registry_start(session);
    if (code != EXIT_DONE)
        return code;
    return session_must_load(session) ? print_status(session) : EXIT_REFUSED;
}
