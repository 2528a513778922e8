#include "registry/registry.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/registry_state.h"

/* ---- making ---- */

static bool copy_text(char **to, const char *from)
{
    if (from == NULL)
        return true;
    *to = strdup(from);
    return *to != NULL;
}

static bool copy_endpoints(struct registry *registry, const struct registry_options *options)
{
    registry->endpoints = calloc(options->endpoint_count + 1, sizeof *registry->endpoints);
    for (size_t i = 0; registry->endpoints != NULL && i < options->endpoint_count; i++)
        if (!copy_text(&registry->endpoints[i], options->endpoints[i]))
            return false;
    return registry->endpoints != NULL;
}

static bool copy_options(struct registry *registry, const struct registry_options *options)
{
    registry->options = *options;
    return copy_endpoints(registry, options) && copy_text(&registry->user, options->user) &&
           copy_text(&registry->password, options->password) &&
           copy_text(&registry->server_id, options->server_id) &&
           copy_text(&registry->version, options->version) &&
           copy_text(&registry->cell, options->cell) &&
           copy_text(&registry->state_path, options->state_path);
}

bool registry_init_mirror(struct registry *registry, struct err *err)
{
    return mirror_init(&registry->mirror,
                       &(struct mirror_options){.keys = &registry->keys,
                                                .spaces = registry->options.spaces,
                                                .space_count = registry->options.space_count,
                                                .is_canary = registry->options.is_canary,
                                                .state_path = registry->state_path},
                       err);
}

static void note_disk(struct registry *registry, const struct follow_position *position)
{
    registry->is_known = position->revision != 0;
    registry->is_partial = registry->is_known && registry->disk_fit.kind != DISK_FITS;
    registry->is_saved = true;
    registry->in_force = *position;
    if (!registry->is_partial)
        return;
    registry_write_partial(registry);
    err_set(&registry->disk_problem, ERR_RULE, "%s", registry->text);
}

static void note_foreign(struct registry *registry, const struct follow_position *position)
{
    registry->is_foreign = true;
    memcpy(registry->foreign_id, position->id, sizeof registry->foreign_id);
    registry_write_foreign(registry);
    err_set(&registry->disk_problem, ERR_RULE, "%s", registry->text);
}

/* A file that is not used, or not yet, may have been read in part. */
static bool read_disk(struct registry *registry, struct follow_position *position, struct err *err)
{
    struct err why;

    if (registry->state_path == NULL)
        return true;
    bool passed =
        disk_read(registry->state_path, &registry->mirror, position, &registry->disk_fit, &why);
    if (passed && registry->disk_fit.kind != DISK_OTHER_ROOT) {
        note_disk(registry, position);
        return true;
    }
    if (passed && position->revision != 0)
        note_foreign(registry, position);
    *position = (struct follow_position){.revision = 0};
    if (!passed && why.code == ERR_NONE)
        return true;
    if (!passed)
        registry->disk_problem = why;
    mirror_close(&registry->mirror);
    return registry_init_mirror(registry, err);
}

static uint64_t draw_seed(struct registry *registry)
{
    uint64_t seed;

    random_fill(&registry->random, &seed, sizeof seed);
    return seed;
}

static bool start(struct registry *registry, uint64_t now_ms, struct err *err)
{
    struct follow_position position = {.revision = 0};

    if (!read_disk(registry, &position, err))
        return false;
    follow_init(&registry->follow,
                &(struct follow_options){.endpoints = (const char *const *)registry->endpoints,
                                         .endpoint_count = registry->options.endpoint_count,
                                         .starts_anywhere = registry->options.starts_anywhere,
                                         .user = registry->user,
                                         .prefix = registry->keys.prefix,
                                         .seed = draw_seed(registry)},
                &position, now_ms);
    registry->follow.has_data = registry->is_known;
    registry->follow.needs_read = registry->follow.reads_at_once = registry->is_partial;
    return true;
}

struct registry *registry_new(const struct registry_options *options,
                              const struct registry_port *port,
                              const struct registry_listener *listener, uint64_t now_ms,
                              struct err *err)
{
    struct registry *registry = calloc(1, sizeof *registry);

    if (registry == NULL || !copy_options(registry, options)) {
        registry_free(registry);
        err_set(err, ERR_MEMORY, "out of memory for the registry");
        return NULL;
    }
    registry->port = *port;
    registry->listener = *listener;
    registry->now_ms = now_ms;
    registry->lag_ms = -1;
    if (!keys_init(&registry->keys, options->root, options->cell, err) ||
        !registry_init_mirror(registry, err) || !start(registry, now_ms, err)) {
        registry_free(registry);
        return NULL;
    }
    return registry;
}

void registry_close_connection(struct registry *registry)
{
    registry_stop_read(registry);
    registry_stop_audit(registry);
    for (size_t i = 0; i < CALLS_MOST; i++)
        registry->calls[i] = (struct call){.kind = CALL_NONE};
    etcd_connection_free(registry->connection);
    registry->connection = NULL;
}

void registry_free(struct registry *registry)
{
    if (registry == NULL)
        return;
    if (registry->follow.state != FOLLOW_DOWN)
        registry->port.close(registry->port.context);
    registry_close_connection(registry);
    mirror_close(&registry->mirror);
    registry_close_kept(registry);
    for (size_t i = 0; registry->endpoints != NULL && i < registry->options.endpoint_count; i++)
        free(registry->endpoints[i]);
    free(registry->endpoints);
    free(registry->user);
    free(registry->password);
    free(registry->server_id);
    free(registry->version);
    free(registry->cell);
    free(registry->state_path);
    free(registry);
}

void registry_change(struct registry *registry, const struct registry_live *live)
{
    char *password = NULL;

    /* Without memory the former one is tried. */
    if (copy_text(&password, live->password)) {
        free(registry->password);
        registry->password = password;
    }
    registry->options.trust = live->trust;
    registry->options.stale_after_ms = live->stale_after_ms;
    registry->options.announces = live->announces;
}

/* ---- notifying ---- */

void registry_notify_text(struct registry *registry, enum registry_event_kind kind, bool is_problem,
                          const char *text)
{
    registry->listener.on_event(
        registry->listener.context,
        &(struct registry_event){.kind = kind, .is_problem = is_problem, .text = text});
}

void registry_notify(struct registry *registry, enum registry_event_kind kind, bool is_problem,
                     const char *format, ...)
{
    char text[FOLLOW_TEXT_OCTETS];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    registry_notify_text(registry, kind, is_problem, text);
}

static void notify_report(struct registry *registry)
{
    struct report *report = mirror_take_report(&registry->mirror);

    if (report == NULL)
        return;
    report_sort(report);
    mirror_note_findings(&registry->mirror, report);
    registry->listener.on_event(
        registry->listener.context,
        &(struct registry_event){.kind = REGISTRY_FINDINGS, .is_problem = true, .report = report});
    report_free(report);
}

static void notify_news(struct registry *registry, const struct mirror_news *news)
{
    if (news->held_count > 0)
        registry_notify(registry, REGISTRY_HOLDS, true,
                        "the dynos of %zu running app%s were deleted from the registry, and within "
                        "a minute those of more than one of %d: they are served as they were; if "
                        "that is meant, run spacedns registry:accept, else have the scheduler "
                        "write them again",
                        news->held_count, news->held_count == 1 ? "" : "s", MIRROR_MASS_SHARE);
    if (news->holds_no_more)
        registry_notify(registry, REGISTRY_HOLDS_NO_MORE, false,
                        "no deletion of dynos is held any more");
    if (news->held_count > 0 || news->holds_no_more)
        registry_announce_soon(registry);
}

static void notify_change(struct registry *registry)
{
    if (registry->is_notified || !registry->is_known ||
        !(mirror_has_documents(&registry->mirror) || mirror_has_keys(&registry->mirror)))
        return;
    registry->is_notified = true;
    if (registry->waits_since_ms == 0)
        registry->waits_since_ms = registry->now_ms;
    registry->listener.on_change(registry->listener.context);
}

void registry_finish(struct registry *registry)
{
    struct mirror_news news;
    bool was_paused = registry->mirror.was_paused;
    bool is_paused = registry->mirror.pause_revision != 0;

    mirror_finish(&registry->mirror, registry->now_ms, &news);
    notify_report(registry);
    notify_news(registry, &news);
    registry->mirror.was_paused = is_paused;
    if (is_paused && !was_paused)
        registry_notify(registry, REGISTRY_PAUSED, false,
                        "documents stay as they are (%s) until spacedns registry:resume; dynos go "
                        "on",
                        registry->mirror.pause);
    if (!is_paused && was_paused)
        registry_notify(registry, REGISTRY_RESUMED, false, "documents are taken again");
    if (registry->mirror.has_failed) {
        registry->mirror.has_failed = false;
        follow_read_again(&registry->follow, registry->now_ms);
    }
    notify_change(registry);
}

/* ---- the connection ---- */

void registry_connected(struct registry *registry, uint64_t now_ms)
{
    struct err err;

    registry->now_ms = now_ms;
    if (registry->follow.state != FOLLOW_OPENING || registry->connection != NULL)
        return;
    if (!registry_make_connection(registry, &err))
        follow_on_lost(&registry->follow, err.text, now_ms);
    registry_act(registry);
}

void registry_closed(struct registry *registry, const char *why, uint64_t now_ms)
{
    struct err err = {.text = "it has closed the connection"};

    registry->now_ms = now_ms;
    if (why == NULL && registry->connection != NULL)
        etcd_connection_ended(registry->connection, false, &err);
    follow_on_lost(&registry->follow, why == NULL ? err.text : why, now_ms);
    registry_act(registry);
}

void registry_receive(struct registry *registry, const void *octets, size_t length, uint64_t now_ms)
{
    struct err err;

    registry->now_ms = now_ms;
    if (registry->connection == NULL)
        return;
    follow_on_word(&registry->follow, now_ms);
    if (!etcd_connection_receive(registry->connection, octets, length, &err))
        follow_on_lost(&registry->follow, err.text, now_ms);
    registry_act(registry);
}

const void *registry_output(struct registry *registry, size_t *length)
{
    struct octets output = {.length = 0};

    if (registry->connection != NULL)
        output = etcd_connection_output(registry->connection);
    *length = output.length;
    return output.start;
}

void registry_sent(struct registry *registry, size_t length)
{
    if (registry->connection != NULL)
        etcd_connection_sent(registry->connection, length);
}

/* ---- time ---- */

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t registry_next_ms(const struct registry *registry, uint64_t now_ms)
{
    uint64_t next = follow_next_ms(&registry->follow);

    if (registry->follow.state == FOLLOW_WATCHING) {
        next = sooner(next,
                      registry->audit.is_active ? registry->audit.due_ms : registry->audit.next_ms);
        if (registry_announces(registry))
            next = sooner(next, registry->announcing.next_ms);
        if (registry->mirror.has_missing && !registry_has_call(registry, CALL_MISSING))
            next = sooner(next, registry->missing_ms);
    }
    return next < now_ms ? now_ms : next;
}

void registry_tick(struct registry *registry, uint64_t now_ms)
{
    registry->now_ms = now_ms;
    if (registry->disk_problem.code != ERR_NONE) {
        registry_notify_text(registry, REGISTRY_DISK, true, registry->disk_problem.text);
        registry->disk_problem.code = ERR_NONE;
    }
    notify_change(registry);
    follow_tick(&registry->follow, now_ms);
    registry_act(registry);
    registry_tick_audit(registry);
    registry_tick_missing(registry);
    registry_tick_announce(registry);
    registry_act(registry);
}
