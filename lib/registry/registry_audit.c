#include "registry/registry_state.h"

/* ---- audits ---- */

static void close_audit(struct audit *audit)
{
    arena_free(audit->arena);
    audit->arena = NULL;
    audit->is_active = false;
    audit->has_document = false;
}

void registry_stop_audit(struct registry *registry)
{
    registry_cancel_calls(registry, CALL_AUDIT_DOCUMENT, CALL_AUDIT_DYNOS);
    close_audit(&registry->audit);
}

static void plan_audit(struct registry *registry)
{
    struct audit *audit = &registry->audit;
    size_t spaces = registry->mirror.space_count + 1;
    uint64_t pause = AUDIT_DAY_MS / spaces;

    if (pause < AUDIT_LEAST_MS)
        pause = AUDIT_LEAST_MS;
    if (pause > AUDIT_MOST_MS)
        pause = AUDIT_MOST_MS;
    if (audit->left > 0)
        audit->left--;
    audit->next_ms =
        registry->now_ms + (audit->left > 0 ? 0 : pause / 2 + random_16(&registry->random) % pause);
}

/* Spaces that were found by their names alone do not wait for the next round. */
void registry_hurry_audits(struct registry *registry)
{
    struct audit *audit = &registry->audit;
    size_t due = mirror_audits_due(&registry->mirror);

    if (audit->left >= due)
        return;
    audit->left = due;
    audit->next_ms = registry->now_ms;
}

static void begin_audit(struct registry *registry)
{
    registry->audit.is_active = true;
    registry->audit.due_ms = registry->now_ms + AUDIT_REPLY_MS;
    registry->audit.revision = registry->follow.position.revision;
}

/*
 * The names of all keys that have no dynos, from `f/` over `force`, `next/` and `pause` to `z/`:
 * what was never heard of is found by them alone.
 */
static void ask_names(struct registry *registry)
{
    struct audit *audit = &registry->audit;
    struct key_range fixed, documents;

    keys_range_kind(&registry->keys, KEY_FIXED, &fixed);
    keys_range_kind(&registry->keys, KEY_DOCUMENT, &documents);
    begin_audit(registry);
    registry_call_range(registry, CALL_AUDIT_NAMES, 0,
                        &(struct range_call){.begin = &fixed.begin,
                                             .end = &documents.end,
                                             .revision = audit->revision,
                                             .keys_only = true});
}

static void ask_audit(struct registry *registry, const char *space)
{
    struct audit *audit = &registry->audit;
    struct key_text document;
    struct key_range dynos;

    keys_write(&registry->keys, KEY_DOCUMENT, space, &document);
    keys_range_dynos(&registry->keys, space, &dynos);
    begin_audit(registry);
    if (registry_call_range(registry, CALL_AUDIT_DOCUMENT, 0,
                            &(struct range_call){.begin = &document, .revision = audit->revision}))
        registry_call_range(registry, CALL_AUDIT_DYNOS, 0,
                            &(struct range_call){.begin = &dynos.begin,
                                                 .end = &dynos.end,
                                                 .revision = audit->revision});
}

void registry_tick_audit(struct registry *registry)
{
    struct audit *audit = &registry->audit;

    if (registry->follow.state != FOLLOW_WATCHING)
        return;
    if (audit->is_active && registry->now_ms >= audit->due_ms)
        follow_on_lost(&registry->follow, "no reply to an audit within 30 s", registry->now_ms);
    if (audit->is_active || registry->now_ms < audit->next_ms)
        return;
    if (audit->next_ms == 0 && audit->left == 0) {
        plan_audit(registry);
        return;
    }
    plan_audit(registry);
    const char *space = mirror_begin_audit(&registry->mirror);
    if (space != NULL)
        ask_audit(registry, space);
    else
        ask_names(registry);
}

void registry_on_audit_document(struct registry *registry,
                                const struct etcd_range_response *response, struct arena **arena)
{
    struct audit *audit = &registry->audit;

    arena_free(audit->arena);
    audit->arena = *arena;
    *arena = NULL;
    audit->document = *response;
    audit->has_document = true;
}

static void end_audit(struct registry *registry)
{
    close_audit(&registry->audit);
    registry_hurry_audits(registry);
    registry_finish(registry);
}

/* What is mended changes answers, though its revision may be an old one. */
static void note_differences(struct registry *registry, size_t differences)
{
    struct mirror *mirror = &registry->mirror;

    registry->audits++;
    registry->differences += differences;
    if (differences > 0 && mirror->changed_revision < registry->audit.revision)
        mirror->changed_revision = registry->audit.revision;
}

void registry_on_audit_dynos(struct registry *registry, const struct etcd_range_response *response)
{
    struct audit *audit = &registry->audit;
    struct mirror *mirror = &registry->mirror;
    const struct etcd_pair *document =
        audit->has_document && audit->document.count == 1 ? &audit->document.pairs[0] : NULL;

    if (!audit->has_document) {
        registry_stop_audit(registry);
        return;
    }
    size_t differences =
        mirror_end_audit(mirror, document, response->pairs, response->count, audit->revision);
    note_differences(registry, differences);
    if (differences > 0)
        registry_notify(registry, REGISTRY_AUDIT, true,
                        "space %s was not as in the registry at revision %llu: %zu of its keys "
                        "differed, and %s there now; if this comes again, install a newer etcd",
                        mirror->audited, (unsigned long long)audit->revision, differences,
                        differences == 1 ? "is as it is" : "are as they are");
    end_audit(registry);
}

static void notify_names(struct registry *registry, size_t differences, bool was_full)
{
    unsigned long long revision = registry->audit.revision;

    if (was_full)
        registry_notify(registry, REGISTRY_AUDIT, false,
                        "there is room for spaces again, and %zu %s read that at revision %llu %s "
                        "not known",
                        differences, differences == 1 ? "key is" : "keys are", revision,
                        differences == 1 ? "was" : "were");
    else
        registry_notify(registry, REGISTRY_AUDIT, true,
                        "%zu %s at revision %llu, and %s read now (documents, f/, next/, force, "
                        "pause); if this comes again, install a newer etcd",
                        differences,
                        differences == 1 ? "key of the registry was not known as it was"
                                         : "keys of the registry were not known as they were",
                        revision, differences == 1 ? "is" : "are");
}

void registry_on_audit_names(struct registry *registry, const struct etcd_range_response *response)
{
    bool was_full = registry->mirror.wants_names;
    size_t differences = mirror_end_names_audit(&registry->mirror, response->pairs, response->count,
                                                registry->audit.revision);

    note_differences(registry, differences);
    if (differences > 0)
        notify_names(registry, differences, was_full);
    end_audit(registry);
}

void registry_request_audit(struct registry *registry, uint64_t now_ms)
{
    registry->audit.left = registry->mirror.space_count + 1;
    registry->audit.next_ms = now_ms;
    follow_hurry(&registry->follow, now_ms);
}

/* ---- texts that are missing ---- */

void registry_tick_missing(struct registry *registry)
{
    struct key_text key;

    if (registry->follow.state != FOLLOW_WATCHING || !registry->mirror.has_missing ||
        registry->now_ms < registry->missing_ms || registry_has_call(registry, CALL_MISSING))
        return;
    registry->missing_ms = registry->now_ms + MISSING_MS;
    if (mirror_find_missing(&registry->mirror, &key))
        registry_call_range(registry, CALL_MISSING, 0, &(struct range_call){.begin = &key});
}

/* What was read may be newer than what was watched: the watch brings that again. */
void registry_on_missing(struct registry *registry, const struct etcd_range_response *response)
{
    bool is_told = response->count == 1 &&
                   (uint64_t)response->pairs[0].mod_revision <= registry->follow.position.revision;

    registry->missing_ms = registry->now_ms + (is_told ? 0 : MISSING_MS);
    if (is_told)
        mirror_put(&registry->mirror, &response->pairs[0]);
    registry_finish(registry);
}
