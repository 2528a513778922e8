#include "inspect/guard.h"

#include <string.h>

enum { NAMES_OCTETS = 1024, NAME_TEXT_MOST = 4 * NAME_MAX_OCTETS + 1 };

/* Counts what vanishes of one kind. */
struct vanishing {
    size_t gone;
    size_t of;
    char octets[NAMES_OCTETS];
    struct text names;
};

static void vanishing_begin(struct vanishing *vanishing)
{
    vanishing->gone = vanishing->of = 0;
    vanishing->names = text_over(vanishing->octets, sizeof vanishing->octets);
}

static void add_gone(struct vanishing *vanishing, const char *name, size_t length)
{
    struct text *names = &vanishing->names;
    size_t room = (size_t)(names->end - names->next);

    if (vanishing->gone++ >= GUARD_NAMES_SHOWN || room < length + 2)
        return;
    text_add_string(names, names->next == names->start ? "" : ", ");
    text_add(names, name, length);
}

static void refuse(struct guard *guard, enum guard_cause cause, const struct segment *space,
                   const struct vanishing *vanishing)
{
    struct guard_refusal *grown =
        arena_grow(guard->arena, guard->refusals, guard->count, &guard->capacity, sizeof *grown);
    struct guard_refusal refusal = {
        .cause = cause,
        .space = arena_text(guard->arena, space->name, strlen(space->name)),
    };

    if (vanishing != NULL) {
        refusal.gone = vanishing->gone;
        refusal.of = vanishing->of;
        refusal.names = arena_text(guard->arena, vanishing->octets, text_length(&vanishing->names));
    }
    if (grown == NULL || refusal.space == NULL || (vanishing != NULL && refusal.names == NULL)) {
        guard->has_failed = true;
        return;
    }
    guard->refusals = grown;
    grown[guard->count++] = refusal;
}

static bool is_too_much(const struct guard *guard, const struct vanishing *vanishing)
{
    return vanishing->gone >= GUARD_LEAST &&
           (uint64_t)vanishing->gone * 100 > (uint64_t)vanishing->of * guard->share_percent;
}

/* ---- spaces ---- */

/* A space with the same id and another name was renamed. */
static bool is_renamed(const struct guard *guard, const struct segment *old)
{
    for (size_t i = 0; old->id != NULL && i < guard->after->segment_count; i++) {
        const struct segment *segment = guard->after->segments[i];
        if (segment != NULL && segment->id != NULL && strcmp(segment->id, old->id) == 0)
            return true;
    }
    return false;
}

static void judge_vanished(struct guard *guard, const struct segment *old)
{
    struct vanishing apps;

    if (is_renamed(guard, old))
        return;
    vanishing_begin(&apps);
    for (size_t i = 0; i < old->app_count; i++)
        add_gone(&apps, segment_text(old, old->apps[i].name), old->apps[i].name_length);
    apps.of = apps.gone;
    refuse(guard, GUARD_SPACE, old, &apps);
}

/* ---- apps ---- */

static bool has_app_id(const struct segment *segment, const char *id)
{
    for (size_t i = 0; id != NULL && segment->app_ids != NULL && i < segment->app_count; i++)
        if (segment->app_ids[i] != NULL && strcmp(segment->app_ids[i], id) == 0)
            return true;
    return false;
}

static bool is_app_there(const struct guard *guard, const struct segment *old,
                         const struct segment *new, size_t number)
{
    const struct app_entry *app = &old->apps[number];
    struct index_entry entry;

    return snapshot_find_app(guard->after, segment_text(old, app->name), app->name_length,
                             &entry) ||
           has_app_id(new, old->app_ids == NULL ? NULL : old->app_ids[number]);
}

static void judge_apps(struct guard *guard, const struct segment *old, const struct segment *new)
{
    struct vanishing apps;

    vanishing_begin(&apps);
    apps.of = old->app_count;
    for (size_t i = 0; i < old->app_count; i++)
        if (!is_app_there(guard, old, new, i))
            add_gone(&apps, segment_text(old, old->apps[i].name), old->apps[i].name_length);
    if (is_too_much(guard, &apps))
        refuse(guard, GUARD_APPS, old, &apps);
}

/* ---- domains ---- */

static bool is_host_there(const struct guard *guard, const uint8_t *octets, size_t length,
                          struct name *name)
{
    struct index_entry entry;

    return !name_join(name, octets + 1, *octets, octets + 1 + *octets, length - 1U - *octets) ||
           snapshot_find(guard->after, name, index_hash(&guard->after->index, name), &entry);
}

static void judge_domains(struct guard *guard, const struct segment *old)
{
    struct vanishing domains;

    vanishing_begin(&domains);
    for (size_t i = 0; i < old->host_count; i++) {
        const struct host *host = &old->hosts[i];
        char octets[NAME_TEXT_MOST];
        struct text text = text_over(octets, sizeof octets);
        struct name name;
        if (host->kind != HOST_DOMAIN && host->kind != HOST_RECORDS)
            continue;
        domains.of++;
        if (is_host_there(guard, old->texts + host->octets, host->length, &name))
            continue;
        name_add(&text, name.octets);
        add_gone(&domains, octets, text_length(&text));
    }
    if (is_too_much(guard, &domains))
        refuse(guard, GUARD_DOMAINS, old, &domains);
}

void guard_judge(struct guard *guard, const struct segment *old, const struct segment *new)
{
    if (new == NULL) {
        judge_vanished(guard, old);
        return;
    }
    if (old->router_up_count > 0 && new->router_up_count == 0)
        refuse(guard, GUARD_ROUTERS, old, NULL);
    judge_apps(guard, old, new);
    judge_domains(guard, old);
}

/* ---- text ---- */

static void add_count(struct text *text, size_t count, const char *one, const char *many)
{
    text_add_number(text, count);
    text_add_string(text, count == 1 ? one : many);
}

static void add_names(struct text *text, const struct guard_refusal *refusal)
{
    if (refusal->names[0] == '\0')
        return;
    text_add_string(text, ": ");
    text_add_string(text, refusal->names);
    if (refusal->gone > GUARD_NAMES_SHOWN)
        text_add_string(text, ", ...");
}

void guard_format(const struct guard_refusal *refusal, unsigned share_percent, struct text *text)
{
    text_add_string(text, "space ");
    text_add_string(text, refusal->space);
    switch (refusal->cause) {
    case GUARD_SPACE:
        text_add_string(text, " vanishes with its ");
        add_count(text, refusal->gone, " app", " apps");
        break;
    case GUARD_ROUTERS:
        text_add_string(text, " loses its last router that is up");
        return;
    case GUARD_APPS:
    case GUARD_DOMAINS:
        text_add_string(text, " loses ");
        text_add_number(text, refusal->gone);
        text_add_string(text, " of its ");
        if (refusal->cause == GUARD_APPS)
            add_count(text, refusal->of, " app", " apps");
        else
            add_count(text, refusal->of, " domain", " domains");
        text_add_string(text, ", more than ");
        text_add_number(text, share_percent);
        text_add_string(text, " %");
        break;
    case GUARD_CAUSE_COUNT:
        break;
    }
    add_names(text, refusal);
}

const char *guard_cause_text(enum guard_cause cause)
{
    static const char *const texts[GUARD_CAUSE_COUNT] = {
        [GUARD_SPACE] = "space",
        [GUARD_ROUTERS] = "routers",
        [GUARD_APPS] = "apps",
        [GUARD_DOMAINS] = "domains",
    };

    return texts[cause];
}
