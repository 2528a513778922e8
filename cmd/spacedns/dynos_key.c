#include "spacedns/dynos_key.h"

#include <stdlib.h>
#include <string.h>

#include "answer/restate.h"
#include "spacedns/registry_session.h"

static bool fail_memory(struct err *err)
{
    return err_set(err, ERR_MEMORY,
                   "out of memory; nothing was changed; free some, then try again");
}

/* ---- reading ---- */

/* Reads a range of keys, in an arena. */
static bool read_range(struct session *session, struct arena *arena, const struct key_text *begin,
                       const struct key_text *end, struct etcd_range_response *response,
                       struct err *err)
{
    const struct etcd_range wanted = {
        .key = {(const uint8_t *)begin->octets, begin->length},
        .end = {end == NULL ? NULL : (const uint8_t *)end->octets, end == NULL ? 0 : end->length}};
    struct octets octets;

    return etcd_client_call(session->registry->client, ETCD_RANGE,
                            etcd_encode_range(arena, &wanted), &octets, err) &&
           etcd_decode_range(arena, octets.start, octets.length, response, err);
}

static const struct dyno_key *find_known(struct change *change, const char *type)
{
    const struct registry_view *view = registry_view_of(change->session);
    const struct dyno_key wanted = {.space = change->selected.space->name.text,
                                    .app = change->selected.app->name.text,
                                    .type = type},
                          *key = &wanted;
    struct dyno_key *const *found =
        view->dyno_count == 0
            ? NULL
            : bsearch(&key, view->dynos, view->dyno_count, sizeof(void *), registry_compare_dynos);

    return found == NULL ? NULL : *found;
}

/* The document's list, as the value of a key. */
static bool write_declared(struct change *change, struct dynos_key *key)
{
    const struct app *app = change->selected.app;

    for (size_t i = 0; i < app->formation_count; i++)
        for (size_t j = 0; strcmp(app->formations[i].type.text, key->type) == 0 &&
                           j < app->formations[i].dyno_count;
             j++)
            if (!dyno_text_add(change->space_set.arena, &key->text, &app->formations[i].dynos[j]))
                return false;
    return true;
}

static bool read_key(struct change *change, struct dynos_key *key, struct err *err)
{
    struct session *session = change->session;
    struct arena *arena = change->space_set.arena;
    const struct dyno_key *known = find_known(change, key->type);
    struct etcd_range_response response;
    struct key_text name;

    keys_write_dynos(&session->registry->keys, change->selected.space->name.text,
                     change->selected.app->name.text, key->type, &name);
    if (!read_range(session, arena, &name, NULL, &response, err))
        return false;
    key->revision = response.count == 0 ? 0 : (uint64_t)response.pairs[0].mod_revision;
    change->store.is_lost = key->revision != (known == NULL ? 0 : known->revision);
    if (change->store.is_lost)
        return err_set(err, ERR_RULE,
                       "the dynos of type %.128s were changed meanwhile; nothing was changed; try "
                       "again",
                       key->type);
    if (response.count == 0)
        return write_declared(change, key) || fail_memory(err);
    const struct octets value = response.pairs[0].value;
    key->before = (struct line_text){
        .octets =
            arena_text(arena, value.length == 0 ? (const void *)"" : value.start, value.length),
        .length = value.length};
    key->text = key->before;
    return key->before.octets != NULL || fail_memory(err);
}

struct dynos_key *dynos_key_take(struct change *change, const char *type, struct err *err)
{
    struct arena *arena = change->space_set.arena;

    for (size_t i = 0; i < change->dyno_count; i++)
        if (strcmp(change->dynos[i]->type, type) == 0)
            return change->dynos[i];
    struct dynos_key **dynos = arena_grow(arena, change->dynos, change->dyno_count,
                                          &change->dyno_capacity, sizeof(void *));
    struct dynos_key *key = arena_take(arena, sizeof *key);
    if (dynos == NULL || key == NULL) {
        fail_memory(err);
        return NULL;
    }
    change->dynos = dynos;
    *key = (struct dynos_key){.type = type, .text = {.octets = "", .length = 0}};
    if (!keys_is_name(type, strlen(type))) {
        err_set(err, ERR_RULE, "%.128s is not the name of a process type; write one as web", type);
        return NULL;
    }
    if (!read_key(change, key, err))
        return NULL;
    dynos[change->dyno_count++] = key;
    return key;
}

bool dynos_key_has(const struct change *change)
{
    return change->dyno_count > 0;
}

static bool is_same(const struct dynos_key *key)
{
    return key->before.octets != NULL && key->before.length == key->text.length &&
           memcmp(key->before.octets, key->text.octets, key->text.length) == 0;
}

bool dynos_key_is_same(const struct change *change)
{
    for (size_t i = 0; i < change->dyno_count; i++)
        if (!is_same(change->dynos[i]))
            return false;
    return true;
}

/* ---- checking ---- */

static int compare_types(const void *a, const void *b)
{
    return dyno_key_compare(*(const struct dyno_key *const *)a, *(const struct dyno_key *const *)b);
}

static bool read_values(struct change *change, struct dyno_key **keys, struct report *report)
{
    for (size_t i = 0; i < change->dyno_count; i++) {
        const struct dynos_key *key = change->dynos[i];
        keys[i] = dyno_key_read(
            change->selected.space->name.text, change->selected.app->name.text, key->type,
            registry_view_of(change->session)->revision + 1,
            (struct octets){(const uint8_t *)key->text.octets, key->text.length}, report);
        if (keys[i] == NULL)
            return false;
    }
    qsort(keys, change->dyno_count, sizeof *keys, compare_types);
    return true;
}

/* Would a replica take the keys? */
static bool try_keys(struct change *change, struct dyno_key **keys, struct report *report,
                     struct err *err)
{
    struct restate_outcome outcome = {.report = report};
    const struct segment *segment =
        snapshot_find_space(change->session->snapshot, change->selected.space->name.text);

    if (segment == NULL || !read_values(change, keys, report))
        return fail_memory(err);
    struct segment *made = segment_restate(segment, (const struct dyno_key *const *)keys,
                                           change->dyno_count, &outcome, err);
    if (made == NULL)
        return false;
    bool is_good = report_is_clean(report) && outcome.refused_count == 0;
    segment_release(made);
    restate_outcome_close(&outcome);
    if (!is_good)
        report_refusal(report, NULL, err);
    return is_good;
}

static bool check(struct change *change, struct err *err)
{
    struct dyno_key **keys = calloc(change->dyno_count + 1, sizeof(void *));
    struct report *report = report_new();
    bool is_good =
        keys != NULL && report != NULL ? try_keys(change, keys, report, err) : fail_memory(err);

    for (size_t i = 0; keys != NULL && i < change->dyno_count; i++)
        dyno_key_free(keys[i]);
    free(keys);
    report_free(report);
    return is_good;
}

/* ---- writing ---- */

bool dynos_key_write(struct change *change, struct err *err)
{
    struct session *session = change->session;
    struct arena *arena = change->space_set.arena;
    struct push_change *changes = arena_take(arena, change->dyno_count * sizeof *changes);
    struct key_text *names = arena_take(arena, change->dyno_count * sizeof *names);
    struct registry_sent sent;

    if (changes == NULL || names == NULL)
        return fail_memory(err);
    if (!check(change, err))
        return false;
    for (size_t i = 0; i < change->dyno_count; i++) {
        const struct dynos_key *key = change->dynos[i];
        keys_write_dynos(&session->registry->keys, change->selected.space->name.text,
                         change->selected.app->name.text, key->type, &names[i]);
        changes[i] = (struct push_change){.action = PUSH_RAW,
                                          .space = change->selected.space->name.text,
                                          .text = key->text.octets,
                                          .length = key->text.length,
                                          .group = 1,
                                          .raw = &names[i],
                                          .raw_revision = key->revision};
    }
    struct push_request request = {
        .changes = changes, .change_count = change->dyno_count, .leaves_config = true};
    bool is_sent = registry_send(session, &request, &sent, err);
    change->store.is_lost = sent.is_lost;
    change->store.revision = sent.revision;
    return is_sent;
}

/* ---- moving ---- */

bool dynos_changes_add(struct dynos_changes *changes, const struct push_change *change)
{
    struct push_change *items = arena_grow(changes->arena, changes->items, changes->count,
                                           &changes->capacity, sizeof *items);

    if (items == NULL)
        return false;
    changes->items = items;
    items[changes->count++] = *change;
    return true;
}

static bool remove_pair(const struct etcd_pair *pair, const char *space,
                        struct dynos_changes *changes)
{
    struct key_text *old = arena_take(changes->arena, sizeof *old);

    if (old == NULL || pair->key.length >= sizeof old->octets)
        return false;
    memcpy(old->octets, pair->key.start, pair->key.length);
    old->octets[pair->key.length] = '\0';
    old->length = pair->key.length;
    const struct push_change removal = {.action = PUSH_RAW,
                                        .space = space,
                                        .group = 1,
                                        .raw = old,
                                        .raw_revision = (uint64_t)pair->mod_revision};
    return dynos_changes_add(changes, &removal);
}

static bool move_pair(const struct keys *keys, const struct etcd_pair *pair, const char *name,
                      struct dynos_changes *changes)
{
    struct key_text *next = arena_take(changes->arena, sizeof *next);
    const char *value =
        arena_text(changes->arena, pair->value.length == 0 ? (const void *)"" : pair->value.start,
                   pair->value.length);
    struct key key;

    keys_read(keys, pair->key.start, pair->key.length, &key);
    const char *space = arena_text(changes->arena, key.space, strlen(key.space));
    if (next == NULL || value == NULL || space == NULL || !remove_pair(pair, space, changes))
        return false;
    if (name == NULL)
        return true;
    keys_write_dynos(keys, key.space, name, key.type, next);
    const struct push_change put = {.action = PUSH_RAW,
                                    .space = space,
                                    .text = value,
                                    .length = pair->value.length,
                                    .group = 1,
                                    .raw = next,
                                    .raw_revision = UINT64_MAX};
    return dynos_changes_add(changes, &put);
}

bool dynos_key_move(struct session *session, const struct app_selection *app, const char *name,
                    struct dynos_changes *changes, struct err *err)
{
    const struct keys *keys = &session->registry->keys;
    struct etcd_range_response response;
    struct key_text begin, end;

    /* Types stand behind the app's slash: from "APP/" to "APP0", as '0' follows the slash. */
    keys_write_dynos(keys, app->space->name.text, app->app->name.text, "0", &begin);
    begin.octets[--begin.length] = '\0';
    end = begin;
    end.octets[end.length - 1] = '/' + 1;
    if (!read_range(session, changes->arena, &begin, &end, &response, err))
        return false;
    for (size_t i = 0; i < response.count; i++)
        if (!move_pair(keys, &response.pairs[i], name, changes))
            return fail_memory(err);
    return true;
}
