#include "spacedns/registry_session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"

enum { PROGRESS_MS = 500, MEGABYTE = 1 << 20, NS_PER_MS = 1000000 };

int registry_fail_unnamed(struct session *session)
{
    if (invocation_has(&session->invocation, OPTION_ZONES))
        return session_fail(
            session, EXIT_REFUSED,
            "--zones names a folder, and this is about the registry; leave it out%s",
            session->variables[OPTION_ZONES] == NULL ? ""
                                                     : ", and SPACEDNS_ZONES of the environment");
    return session_fail(session, EXIT_REFUSED,
                        "the settings name no registry; set registry.endpoints and registry.cell "
                        "in the settings file, or name the file with --settings");
}

int registry_start(struct session *session)
{
    struct err err;

    if (!session_read_settings(session))
        return EXIT_REFUSED;
    if (!session_has_registry(session))
        return registry_fail_unnamed(session);
    return registry_open(session, &err) ? EXIT_DONE
                                        : session_fail(session, EXIT_REFUSED, "%s", err.text);
}

/* ---- connecting ---- */

/* The first line of the password's file. */
static bool read_password(struct registry_session *registry, const char *path, struct err *err)
{
    FILE *in = fopen(path, "re");

    if (in == NULL)
        return err_set(err, ERR_SYSTEM,
                       "registry.password_file %.300s cannot be opened: %s; run this as a user who "
                       "may read it",
                       path, strerror(errno));
    bool is_read = fgets(registry->password, sizeof registry->password, in) != NULL;
    fclose(in);
    registry->password[strcspn(registry->password, "\r\n")] = '\0';
    return (is_read && registry->password[0] != '\0') ||
           err_set(
               err, ERR_RULE,
               "registry.password_file %.300s has no password in its first line; write it there",
               path);
}

static bool open_client(struct session *session, struct registry_session *registry, struct err *err)
{
    const struct settings *settings = &session->settings;

    registry->options = (struct etcd_client_options){
        .endpoints = settings->registry_endpoints.items,
        .endpoint_count = settings->registry_endpoints.count,
        .ca = settings->registry_ca,
        .certificate = settings->registry_certificate,
        .key = settings->registry_key,
        .user = settings->registry_user,
        .password = settings->registry_user == NULL ? NULL : registry->password};

    if (!keys_init(&registry->keys, settings->registry_root, settings->registry_cell, err))
        return false;
    if (settings->registry_user != NULL &&
        !read_password(registry, settings->registry_password_file, err))
        return false;
    registry->client = etcd_client_open(&registry->options, err);
    return registry->client != NULL;
}

static bool has_memory(struct session *session)
{
    if (session->registry == NULL)
        session->registry = calloc(1, sizeof *session->registry);
    return session->registry != NULL;
}

bool registry_open(struct session *session, struct err *err)
{
    if (!has_memory(session))
        return err_set(err, ERR_MEMORY, "out of memory; free some, then try again");
    return session->registry->client != NULL || open_client(session, session->registry, err);
}

const char *registry_place(struct session *session)
{
    static const char nowhere[] = "the registry";
    const struct settings *settings = &session->settings;

    if (!has_memory(session))
        return nowhere;
    struct registry_session *registry = session->registry;
    if (registry->client == NULL)
        snprintf(registry->place, sizeof registry->place, "the registry %.255s/%.64s",
                 settings->registry_root, settings->registry_cell);
    else
        snprintf(registry->place, sizeof registry->place, "the registry %.255s/%.64s at %.270s",
                 settings->registry_root, settings->registry_cell,
                 etcd_client_endpoint(registry->client));
    return registry->place;
}

struct registry_view *registry_view_of(struct session *session)
{
    return &session->registry->view;
}

static void drop_view(struct registry_session *registry)
{
    if (registry->has_view)
        registry_view_close(&registry->view);
    registry->has_view = false;
    free(registry->waiting);
    registry->waiting = NULL;
    registry->waiting_count = 0;
}

void registry_session_free(struct registry_session *registry)
{
    if (registry == NULL)
        return;
    drop_view(registry);
    etcd_client_close(registry->client);
    explicit_bzero(registry->password, sizeof registry->password);
    free(registry);
}

/* ---- reading ---- */

static int64_t now_ms(void)
{
    return (int64_t)(clock_monotonic_ns() / NS_PER_MS);
}

/* On a terminal, and only of what takes its time. */
static bool is_progress_due(const struct session *session)
{
    struct registry_session *registry = session->registry;

    if (isatty(fileno(session->err)) != 1 || now_ms() - registry->shown_ms < PROGRESS_MS)
        return false;
    registry->shown_ms = now_ms();
    registry->has_progress = true;
    return true;
}

void registry_show_progress(const struct session *session, const char *what, size_t done, size_t of)
{
    if (!is_progress_due(session))
        return;
    fprintf(session->err, "\r%s: %zu of %zu ", what, done, of);
    fflush(session->err);
}

void registry_end_progress(const struct session *session)
{
    if (session->registry->has_progress)
        fputs("\r\033[K", session->err);
    session->registry->has_progress = false;
}

static void show_reading(void *context, const char *what, size_t octets)
{
    const struct session *session = context;

    if (!is_progress_due(session))
        return;
    fprintf(session->err, "\rReading the registry: %s, %zu MB ", what, octets / MEGABYTE);
    fflush(session->err);
}

bool registry_reread(struct session *session, struct err *err)
{
    if (!registry_open(session, err))
        return false;
    struct registry_session *registry = session->registry;
    const struct registry_reading reading = {.client = registry->client,
                                             .keys = &registry->keys,
                                             .leaves_dynos = registry->leaves_dynos,
                                             .revision = registry->revision,
                                             .on_progress = show_reading,
                                             .context = session};
    drop_view(registry);
    registry->shown_ms = now_ms();
    registry->has_view = true;
    bool is_read = registry_view_read(&registry->view, &reading, err);
    registry_end_progress(session);
    if (!is_read)
        drop_view(registry);
    return is_read;
}

/* ---- documents with errors ---- */

/* A sentence of the load begins with the code, which a finding has in its own place. */
static const char *skip_code(const char *cause, const char *code)
{
    size_t length = strlen(code);

    return strncmp(cause, code, length) == 0 && strncmp(cause + length, ": ", 2) == 0
               ? cause + length + 2
               : cause;
}

void registry_report_broken(struct session *session)
{
    const struct registry_view *view = registry_view_of(session);

    for (size_t i = 0; i < view->count; i++) {
        const struct registry_document *document = &view->documents[i];
        if (document->is_hidden)
            report_add(session->report, document->code, document->name, document->at, "%s",
                       document->cause == NULL
                           ? "it has errors"
                           : skip_code(document->cause, finding_name(document->code)));
    }
    report_sort(session->report);
}

/* ---- loading ---- */

static const struct fixed_space *find_fixed(void *context, const char *space)
{
    const struct registry_view *view = context;
    const struct registry_text *text = registry_texts_find(&view->fixed, space);

    return text == NULL || text->fixed->is_unreadable ? NULL : text->fixed;
}

/* Keys whose app no document has; a pushed document may have it. */
static bool keep_waiting(struct registry_session *registry, const struct load_outcome *outcome)
{
    const struct dyno_key **waiting = calloc(outcome->unused_count + 1, sizeof(void *));

    if (waiting == NULL)
        return false;
    registry->waiting_count = 0;
    for (size_t i = 0; i < outcome->unused_count; i++) {
        const struct dyno_key *key = outcome->unused[i];
        const struct dyno_key *const *own =
            bsearch(&key, registry->view.dynos, registry->view.dyno_count, sizeof(void *),
                    registry_compare_dynos);
        if (own != NULL)
            waiting[registry->waiting_count++] = *own;
    }
    free(registry->waiting);
    registry->waiting = waiting;
    return true;
}

/* Documents that a replica would not serve either. Returns how many. */
static size_t hide_broken(struct session *session)
{
    struct registry_view *view = &session->registry->view;
    const struct load_outcome *outcome = &session->outcome;
    size_t count = 0;

    for (size_t i = 0; i < outcome->last_good_count; i++) {
        const struct load_last_good *kept = &outcome->last_good[i];
        const char *slash = strrchr(kept->file, '/');
        struct registry_document *document =
            registry_view_find(view, slash == NULL ? kept->file : slash + 1);
        if (document == NULL || document->is_hidden)
            continue;
        document->is_hidden = true;
        document->code = kept->code;
        document->at = kept->at;
        document->cause = arena_text(view->arena, kept->cause.text, strlen(kept->cause.text));
        count++;
        escape_printf(session->err, "%s %s: %s\n", kept->file,
                      kept->keeping == LOAD_TAKEN
                          ? "claims what another space has, and is left out here; replicas serve "
                            "its space without that"
                          : "has errors and is left out; replicas keep what its space had before",
                      kept->cause.text);
    }
    return count;
}

static struct snapshot *load_all(struct session *session, struct load_request *request,
                                 struct err *err)
{
    struct registry_session *registry = session->registry;
    struct snapshot *snapshot = NULL;

    request->keeps_spaces = true;
    request->generation = registry->view.revision;
    request->keys = (const struct dyno_key *const *)registry->view.dynos;
    request->key_count = registry->view.dyno_count;
    do {
        snapshot_free(snapshot);
        load_outcome_close(&session->outcome);
        session->outcome = (struct load_outcome){.is_unchanged = false};
        report_free(session->report);
        session->report = report_new();
        if (session->report == NULL) {
            err_set(err, ERR_MEMORY, "out of memory; free some, then try again");
            return NULL;
        }
        snapshot = snapshot_load(request, session->report, &session->outcome, err);
    } while (snapshot != NULL && hide_broken(session) > 0);
    if (snapshot != NULL && !keep_waiting(registry, &session->outcome)) {
        err_set(err, ERR_MEMORY, "out of memory; free some, then try again");
        snapshot_free(snapshot);
        return NULL;
    }
    report_merge(session->report, registry->view.dyno_findings);
    if (session->outcome.key_findings != NULL)
        report_merge(session->report, session->outcome.key_findings);
    return snapshot;
}

/* What would be: errors refuse it. */
static struct snapshot *load_draft(struct session *session, struct load_request *request,
                                   const struct overlay_text *text, struct err *err)
{
    const struct registry_session *registry = session->registry;
    size_t count = registry_view_count_listed(&registry->view);

    if (text != NULL && text->octets == NULL)
        count--;
    request->keeps_spaces = count == 0;
    request->keys = request->before == NULL ? (const struct dyno_key *const *)registry->view.dynos
                                            : (const struct dyno_key *const *)registry->waiting;
    request->key_count =
        request->before == NULL ? registry->view.dyno_count : registry->waiting_count;
    return snapshot_load(request, session->report, &session->outcome, err);
}

static bool has_drafts(const struct registry_view *view)
{
    for (size_t i = 0; i < view->count; i++)
        if (view->documents[i].has_draft)
            return true;
    return false;
}

struct snapshot *registry_load(struct session *session, struct load_request *request,
                               const struct overlay_text *text, struct err *err)
{
    struct overlay overlay;

    if ((session->registry == NULL || !session->registry->has_view) &&
        !registry_reread(session, err))
        return NULL;
    struct registry_view *view = &session->registry->view;
    request->source = &view->source;
    request->fixed = (struct load_fixed){.find = find_fixed, .context = view};
    if (text != NULL) {
        overlay_init(&overlay, &view->source, text, 1);
        request->source = &overlay.source;
    }
    if (request->before == NULL && text == NULL && !has_drafts(view))
        return load_all(session, request, err);
    return load_draft(session, request, text, err);
}
