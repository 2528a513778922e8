#include "spacedns/registry_status.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/suggest.h"
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

/* The same for a sentence. */
static void copy_words(const struct registry_mark *mark, const char *key, char out[WORDS_MOST],
                       const char *otherwise)
{
    copy(mark, key, out);
    if (out[0] == '\0')
        snprintf(out, WORDS_MOST, "%s", otherwise);
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
    if (at_ms == 0)
        return -1;
    return (double)clock_wall_us() / US_PER_S - (double)at_ms / MS_PER_S;
}

/* Replicas call what they answer stale, then. */
static bool is_beat_stale(const struct session *session)
{
    return beat_age(&session->registry->view) > session->settings.registry_stale_after_s;
}

static bool has_broken(const struct registry_view *view)
{
    for (size_t i = 0; i < view->count; i++)
        if (view->documents[i].is_hidden)
            return true;
    return false;
}

static bool is_well(const struct session *session)
{
    return !has_broken(&session->registry->view) && !is_beat_stale(session);
}

/*
 * The newest revision of what is there. etcd's own also grows with beats, with what replicas
 * announce and with other cells, so that it moves while nobody changes anything.
 */
static uint64_t find_changed(const struct registry_view *view)
{
    const struct registry_texts *const texts[] = {&view->fixed, &view->candidates};
    const struct registry_mark *const marks[] = {&view->meta, &view->config, &view->force,
                                                 &view->pause};
    uint64_t newest = 0;

    for (size_t i = 0; i < view->count; i++)
        newest = registry_newer(newest, view->documents[i].modified);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (size_t j = 0; j < texts[i]->count; j++)
            newest = registry_newer(newest, texts[i]->items[j].modified);
    for (size_t i = 0; i < view->dyno_count; i++)
        newest = registry_newer(newest, view->dynos[i]->revision);
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        newest = registry_newer(newest, marks[i]->modified);
    return newest;
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

static json_t *json_broken(const struct registry_view *view)
{
    json_t *list = json_array();

    for (size_t i = 0; i < view->count; i++) {
        const struct registry_document *document = &view->documents[i];
        const char *cause = document->cause == NULL ? "" : document->cause;
        if (document->is_hidden)
            json_array_append_new(list,
                                  json_pack("{s:o, s:I, s:o}", "document",
                                            print_text(document->name, strlen(document->name)),
                                            "revision", (json_int_t)document->modified, "cause",
                                            print_text(cause, strlen(cause))));
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
        json_pack("{s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:b}",
                  "endpoint", print_text(endpoint, strlen(endpoint)), "prefix",
                  print_text(view->keys->prefix, strlen(view->keys->prefix)), "id",
                  json_value(&view->meta, "id"), "revision", (json_int_t)find_changed(view),
                  "etcd_revision", (json_int_t)view->revision, "spaces", (json_int_t)view->count,
                  "dyno_keys", (json_int_t)view->dyno_count, "dyno_keys_waiting",
                  (json_int_t)session->registry->waiting_count, "offered", json_candidates(view),
                  "broken", json_broken(view), "pause", json_value(&view->pause, "why"),
                  "last_push", json_value(&view->config, "what"), "last_force",
                  json_value(&view->force, "why"), "beat_age_seconds",
                  age < 0 ? json_null() : json_real(age), "well", (int)is_well(session)));
}

static void print_last_push(FILE *out, const struct registry_view *view)
{
    char by[WORDS_MOST], at[WORDS_MOST], what[WORDS_MOST];

    if (view->config.modified == 0)
        return;
    copy_words(&view->config, "by", by, "somebody");
    copy_words(&view->config, "at", at, "a time not given");
    copy_words(&view->config, "what", what, "something");
    escape_printf(out, "last push  %s by %s at %s, revision %" PRIu64 "\n", what, by, at,
                  view->config.modified);
}

/* What the guard was last overruled for; it may be the last push or an older change. */
static void print_force(FILE *out, const struct registry_view *view)
{
    char by[WORDS_MOST], why[WORDS_MOST];

    if (view->force.modified == 0)
        return;
    copy_words(&view->force, "by", by, "somebody");
    copy_words(&view->force, "why", why, "no reason given");
    escape_printf(out, "last force by %s at revision %" PRIu64 ": %s\n", by, view->force.modified,
                  why);
}

static void print_broken(FILE *out, const struct registry_view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        const struct registry_document *document = &view->documents[i];
        if (document->is_hidden)
            escape_printf(out,
                          "broken     %s since revision %" PRIu64
                          ": %s; push a zone file without errors\n",
                          document->space, document->modified,
                          document->cause == NULL ? "it has errors" : document->cause);
    }
}

static void print_pause(FILE *out, const struct registry_view *view)
{
    char by[WORDS_MOST], why[WORDS_MOST];

    if (view->pause.modified == 0)
        return;
    copy_words(&view->pause, "by", by, "somebody");
    copy_words(&view->pause, "why", why, "no reason given");
    escape_printf(
        out, "paused     by %s since revision %" PRIu64 ": %s; spacedns registry:resume ends it\n",
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

static void print_beat(FILE *out, const struct session *session)
{
    const struct registry_view *view = &session->registry->view;
    char by[WORDS_MOST];
    double age = beat_age(view);

    copy_words(&view->beat, "by", by, "somebody");
    if (age < 0 && view->beat.modified != 0)
        escape_printf(out,
                      "beat       ! by %s at revision %" PRIu64
                      ", without the time of its writing; "
                      "have it write the line at_ms: MILLISECONDS\n",
                      by, view->beat.modified);
    else if (age < 0)
        fputs("beat       none: no scheduler writes it, so nobody notices when writing fails\n",
              out);
    else if (is_beat_stale(session))
        escape_printf(out,
                      "beat       ! %.0f s ago by %s, which is longer than registry.stale_after_s "
                      "(%" PRIu32 "): replicas call their answers stale; see whether %s runs\n",
                      age, by, session->settings.registry_stale_after_s, by);
    else
        escape_printf(out, "beat       %.0f s ago by %s\n", age, by);
}

static void print_text_status(struct session *session)
{
    const struct registry_view *view = registry_view_of(session);
    FILE *out = session->out;
    char id[WORDS_MOST];

    copy(&view->meta, "id", id);
    escape_printf(out, "registry   %.*s at %s, id %s\n", (int)view->keys->prefix_length - 1,
                  view->keys->prefix, etcd_client_endpoint(session->registry->client), id);
    escape_printf(out, "revision   %" PRIu64 ", of the newest key: %zu space%s, %zu dyno key%s",
                  find_changed(view), view->count, view->count == 1 ? "" : "s", view->dyno_count,
                  view->dyno_count == 1 ? "" : "s");
    if (session->registry->waiting_count > 0)
        escape_printf(out, ", %zu of them of %s that no document without errors has",
                      session->registry->waiting_count,
                      session->registry->waiting_count == 1 ? "an app" : "apps");
    fputc('\n', out);
    print_last_push(out, view);
    print_force(out, view);
    print_broken(out, view);
    print_pause(out, view);
    print_offered(out, view);
    print_beat(out, session);
    escape_printf(out,
                  "etcd       at revision %" PRIu64
                  ", which beats, announcements of replicas and other cells raise, too\n",
                  view->revision);
}

static int print_status(struct session *session)
{
    int code = EXIT_DONE;

    if (session->is_json)
        code = print_json_status(session);
    else
        print_text_status(session);
    return code == EXIT_DONE && !is_well(session) ? EXIT_REFUSED : code;
}

static int fail_unknown(struct session *session, const char *word)
{
    static const char *const words[] = {"status", "pause", "resume", "accept", "replicas", "init"};
    const char *nearest = suggest_among(word, words, sizeof words / sizeof words[0]);
    char question[WORDS_MOST] = "";

    if (nearest != NULL)
        snprintf(question, sizeof question, "did you mean %s%s? ",
                 nearest == words[0] ? "" : "registry:", nearest);
    return session_fail(session, EXIT_USAGE,
                        "%s is not a command of the registry; %swrite spacedns registry, "
                        "registry:pause, registry:resume, registry:accept, registry:replicas or "
                        "registry:init",
                        word, question);
}

int run_registry(struct session *session)
{
    const char *operand = invocation_operand(&session->invocation, 0);

    if (operand != NULL && strcmp(operand, "status") != 0)
        return fail_unknown(session, operand);
    int code = registry_start(session);
    if (code != EXIT_DONE)
        return code;
    return session_must_load(session) ? print_status(session) : EXIT_REFUSED;
}
