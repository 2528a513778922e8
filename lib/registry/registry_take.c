#include <stdlib.h>

#include "registry/registry_state.h"

/* ---- taking ---- */

bool registry_is_known(const struct registry *registry)
{
    return registry->is_known;
}

bool registry_has_documents(const struct registry *registry)
{
    return registry->is_known && !registry->reading.is_active &&
           mirror_has_documents(&registry->mirror);
}

bool registry_has_keys(const struct registry *registry)
{
    return registry->is_known && !registry->reading.is_active && mirror_has_keys(&registry->mirror);
}

bool registry_take(struct registry *registry, enum registry_take kind, struct registry_keys *keys)
{
    if (!mirror_take(&registry->mirror, kind, keys))
        return false;
    registry->taken = registry->follow.position;
    registry->took_ms = registry->now_ms;
    keys->revision = registry->mirror.changed_revision;
    registry->is_notified = false;
    return true;
}

struct source *registry_source(struct registry *registry)
{
    return &registry->mirror.source;
}

const struct fixed_space *registry_find_fixed(void *registry, const char *space)
{
    const struct registry *of = registry;

    return mirror_find_fixed(&of->mirror, space);
}

bool registry_has_new_fixed(void *registry, const char *space)
{
    const struct registry *of = registry;

    return mirror_has_new_fixed(&of->mirror, space);
}

bool registry_is_forced(const struct registry *registry, const char *text_name)
{
    return mirror_is_forced(&registry->mirror, text_name);
}

bool registry_wait(struct registry *registry, const struct dyno_key *const *keys, size_t count)
{
    return mirror_wait(&registry->mirror, keys, count);
}

/* ---- what is in force ---- */

/* What came meanwhile is due, too. */
static void renew_change(struct registry *registry)
{
    bool is_due = registry_has_documents(registry) || registry_has_keys(registry);

    registry->is_saved = false;
    registry->waits_since_ms = is_due ? registry->took_ms : 0;
    if (registry->is_notified || !is_due)
        return;
    registry->is_notified = true;
    registry->listener.on_change(registry->listener.context);
}

void registry_note_findings(struct registry *registry, const struct report *report)
{
    mirror_note_findings(&registry->mirror, report);
}

void registry_note_loaded(struct registry *registry, const struct load_outcome *outcome,
                          const struct snapshot *current)
{
    registry->in_force = registry->taken;
    registry_set_kept(registry, outcome);
    if (outcome->key_findings != NULL)
        mirror_note_findings(&registry->mirror, outcome->key_findings);
    mirror_note(&registry->mirror, outcome, current);
    registry_hurry_audits(registry);
    if (!outcome->is_unchanged)
        registry_announce_soon(registry);
    renew_change(registry);
}

void registry_note_restated(struct registry *registry, const struct snapshot *current)
{
    registry->in_force = registry->taken;
    mirror_note(&registry->mirror, NULL, current);
    renew_change(registry);
}

void registry_note_replaced(struct registry *registry, const struct snapshot *current)
{
    registry->mirror.current = current;
}

void registry_note_failed(struct registry *registry)
{
    mirror_note_failed(&registry->mirror);
}

/* ---- saving ---- */

struct registry_save {
    struct disk_content content;
    const char *state_path; /* the registry's */
};

struct registry_save *registry_begin_save(struct registry *registry)
{
    struct registry_save *save;

    if (registry->state_path == NULL || registry->is_saved || registry->is_saving ||
        registry->is_partial || registry->mirror.is_taking || registry->in_force.revision == 0)
        return NULL;
    save = calloc(1, sizeof *save);
    if (save == NULL ||
        !disk_content_init(&save->content, &registry->mirror, &registry->in_force)) {
        free(save);
        return NULL;
    }
    save->state_path = registry->state_path;
    registry->is_saving = true;
    registry->is_saved = true;
    return save;
}

bool registry_run_save(struct registry_save *save, struct err *err)
{
    return disk_write(save->state_path, &save->content, err);
}

void registry_end_save(struct registry *registry, struct registry_save *save, const struct err *err)
{
    registry->is_saving = false;
    disk_content_close(&save->content);
    free(save);
    bool had_failed = registry->is_save_failing;
    registry->is_save_failing = err != NULL;
    if (err == NULL)
        return;
    registry->is_saved = false;
    if (!had_failed)
        registry_notify(registry, REGISTRY_DISK, true, "%s", err->text);
}
