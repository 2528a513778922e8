#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/registry_state.h"

/* ---- what is kept out ---- */

void registry_close_kept(struct registry *registry)
{
    struct kept_list *kept = &registry->kept;

    for (size_t i = 0; i < kept->count; i++) {
        free((char *)kept->items[i].space);
        free((char *)kept->items[i].cause);
    }
    free(kept->items);
    *kept = (struct kept_list){.count = 0};
}

static bool copy_kept(struct registry_kept *to, const struct load_last_good *from)
{
    static const enum registry_kept_kind kinds[] = {[LOAD_KEPT] = REGISTRY_KEPT,
                                                    [LOAD_HELD] = REGISTRY_HELD,
                                                    [LOAD_UNREADY] = REGISTRY_UNREADY,
                                                    [LOAD_TAKEN] = REGISTRY_TAKEN};

    *to = (struct registry_kept){
        .kind = kinds[from->keeping],
        .space = strdup(from->space == NULL ? from->file : from->space),
        .cause = strdup(from->cause.text),
        .code = from->keeping == LOAD_HELD ? "guard" : finding_name(from->code),
        .revision = from->stamp.words[0],
    };
    return to->space != NULL && to->cause != NULL;
}

static int compare_kept(const void *a, const void *b)
{
    return strcmp(((const struct registry_kept *)a)->space,
                  ((const struct registry_kept *)b)->space);
}

void registry_set_kept(struct registry *registry, const struct load_outcome *outcome)
{
    struct kept_list *kept = &registry->kept;

    registry_close_kept(registry);
    if (outcome->last_good_count == 0)
        return;
    kept->items = calloc(outcome->last_good_count, sizeof *kept->items);
    for (size_t i = 0; kept->items != NULL && i < outcome->last_good_count; i++) {
        kept->count++;
        if (!copy_kept(&kept->items[i], &outcome->last_good[i])) {
            registry_close_kept(registry);
            return;
        }
    }
    if (kept->items != NULL && kept->count > 0)
        qsort(kept->items, kept->count, sizeof *kept->items, compare_kept);
}

/* ---- status ---- */

static int compare_bad(const void *a, const void *b)
{
    return strcmp(((const struct registry_bad *)a)->key, ((const struct registry_bad *)b)->key);
}

static void describe_bad(struct registry *registry, struct registry_status *status)
{
    status->bad_count = mirror_list_bad(&registry->mirror, registry->bad_keys, REGISTRY_BAD_MOST);
    status->bad = registry->bad;
    size_t listed = registry_bad_listed(status);
    for (size_t i = 0; i < listed; i++) {
        const struct mirror_reason *reason = registry->bad_keys[i].reason;
        registry->bad[i] = (struct registry_bad){
            .key = registry->bad_keys[i].file,
            .code = reason == NULL ? "" : finding_name(reason->code),
            .cause = reason == NULL ? "" : reason->sentence,
        };
    }
    if (listed > 0)
        qsort(registry->bad, listed, sizeof registry->bad[0], compare_bad);
}

static void count_documents(const struct mirror *mirror, struct registry_status *status)
{
    for (size_t i = 0; i < mirror->space_count; i++) {
        status->document_count += mirror->spaces[i]->document != NULL;
        status->candidate_count += mirror->spaces[i]->candidate != NULL;
    }
}

static size_t count_held_apps(const struct mirror *mirror)
{
    return mirror->held.count; /* one web key each */
}

/* The member's word proves the way to it; the scheduler's beat, the whole way. */
static int64_t age(const struct registry *registry, uint64_t now_ms)
{
    uint64_t last = registry->beat_ms != 0 ? registry->beat_ms : registry->word_ms;

    if (registry->beat_ms == 0 && registry->follow.state == FOLLOW_WATCHING &&
        registry->follow.word_ms > last)
        last = registry->follow.word_ms;
    return last == 0 ? -1 : (int64_t)(now_ms > last ? now_ms - last : 0);
}

static bool is_idle(const struct mirror *mirror)
{
    return !mirror->is_taking && mirror->changes.count == 0 && !mirror->has_documents;
}

static void describe_link(const struct registry *registry, struct registry_status *status)
{
    const struct follow *follow = &registry->follow;
    const char *why;

    status->is_connected = follow->state == FOLLOW_WATCHING;
    status->is_reading = follow->state == FOLLOW_READING;
    status->endpoint = registry->endpoints[follow->endpoint];
    status->server_version = follow->version;
    status->is_old = follow->version[0] != '\0' && follow_is_old(follow->version, &why);
    status->old_text = status->is_old ? why : "";
    status->problem = follow->problem;
    status->cluster = follow->position.cluster;
    status->id = follow->position.id;
    status->revision = follow->position.revision;
    status->connects = follow->connects;
    status->full_reads = follow->reads;
}

/* A name that somebody mistyped is a cell without any key. */
bool registry_write_missing(struct registry *registry)
{
    if (!registry->is_known || registry->follow.position.id[0] != '\0' ||
        registry->mirror.space_count > 0)
        return false;
    snprintf(registry->text, sizeof registry->text,
             "the registry has no key %smeta, and nothing below %s: correct registry.cell or "
             "registry.root, or make the cell with spacedns registry:init",
             registry->keys.prefix, registry->keys.prefix);
    return true;
}

/* Why it is not followed, after what is served meanwhile. */
static void describe_disk(struct registry *registry, struct registry_status *status)
{
    if (registry->is_foreign)
        registry_write_foreign(registry);
    else
        registry_write_partial(registry);
    size_t length = strlen(registry->text);
    if (status->problem[0] != '\0')
        snprintf(registry->text + length, sizeof registry->text - length, "; %s", status->problem);
    status->problem = registry->text;
}

void registry_describe(struct registry *registry, struct registry_status *status, uint64_t now_ms)
{
    const struct mirror *mirror = &registry->mirror;

    *status = (struct registry_status){.age_ms = age(registry, now_ms),
                                       .lag_ms = registry->lag_ms,
                                       .is_paused = mirror->pause_revision != 0,
                                       .pause = mirror->pause_revision != 0 ? mirror->pause : "",
                                       .is_canary = registry->options.is_canary,
                                       .cell = registry->cell,
                                       .waiting_count = mirror->waiting.count,
                                       .ignored_count = mirror->ignored_count,
                                       .kept = registry->kept.items,
                                       .kept_count = registry->kept.count,
                                       .audits = registry->audits,
                                       .audit_differences = registry->differences,
                                       .events = registry->events,
                                       .responses = registry->responses};
    describe_link(registry, status);
    if (registry->is_partial || registry->is_foreign)
        describe_disk(registry, status);
    else if (status->problem[0] == '\0' && registry_write_missing(registry))
        status->problem = registry->text;
    count_documents(mirror, status);
    describe_bad(registry, status);
    status->waiting_count -= status->bad_count;
    status->held_app_count = count_held_apps(mirror);
    status->in_force = is_idle(mirror) && registry->in_force.revision != 0
                           ? registry->follow.position.revision
                           : registry->in_force.revision;
    status->is_stale =
        status->age_ms < 0 || (uint64_t)status->age_ms > registry->options.stale_after_ms;
}
