#include "spacedns/dynos_key.h"

#include <stdlib.h>
#include <string.h>

#include "spacedns/registry_push.h"
#include "spacedns/registry_session.h"
#include "spacedns/store.h"
#include "spacedns/zone_documents.h"

static bool fail_memory(struct err *err)
{
    return err_set(err, ERR_MEMORY,
                   "out of memory; nothing was changed; free some, then try again");
}

static bool open_registry(struct store *store, struct err *err)
{
    return registry_open(store->session, err);
}

static const char *space_of(const char *name)
{
    const char *slash = strrchr(name, '/');

    return slash == NULL ? name : slash + 1;
}

static bool read_document(struct store *store, const char *name, struct err *err)
{
    const struct registry_document *document =
        registry_view_find(registry_view_of(store->session), space_of(name));

    if (document == NULL)
        return err_set(err, ERR_RULE, "%.300s is not in the registry any more; try again", name);
    store->name = document->name;
    store->text = document->text.octets;
    store->length = document->text.length;
    store->revision = document->modified;
    return true;
}

/* ---- one transaction ---- */

static bool send_changes(struct store *store, struct push_change *changes, size_t count,
                         const struct store_note *note, struct err *err)
{
    struct registry_sent sent;
    struct push_request request = {.changes = changes,
                                   .change_count = count,
                                   .what = note->what,
                                   .releases = note->releases,
                                   .release_count = note->release_count,
                                   .force = note->is_forced ? note->what : NULL};
    bool is_sent = registry_send(store->session, &request, &sent, err);

    store->is_lost = sent.is_lost;
    store->revision = sent.revision;
    return is_sent;
}

/* f/SPACE as the document needs it. */
static bool set_fixed(struct store *store, struct arena *arena, struct push_change *change)
{
    const struct line_text text = {.octets = change->text, .length = change->length};
    struct report *report = report_new();
    const struct space *model =
        report == NULL ? NULL : zone_document_parse(arena, change->space, text, report);
    bool is_set = model != NULL && registry_fixed_change(store->session, arena, model,
                                                         &change->fixed, &change->replaces_fixed);

    report_free(report);
    return is_set; /* else there is no memory, because the text was checked before */
}

static bool drop_keys(struct store *store, const struct store_note *note,
                      struct dynos_changes *changes)
{
    for (size_t i = 0; i < note->dropped_count; i++) {
        const struct dyno_key *key = note->dropped[i];
        struct key_text *name = arena_take(changes->arena, sizeof *name);
        if (name == NULL)
            return false;
        keys_write_dynos(&store->session->registry->keys, key->space, key->app, key->type, name);
        const struct push_change removal = {.action = PUSH_RAW,
                                            .space = key->space,
                                            .group = 1,
                                            .raw = name,
                                            .raw_revision = key->revision};
        if (!dynos_changes_add(changes, &removal))
            return false;
    }
    return true;
}

static bool put_document(struct store *store, const char *space, struct line_text text,
                         const struct store_note *note, struct err *err)
{
    struct push_change change = {
        .action = PUSH_PUT, .space = space, .text = text.octets, .length = text.length, .group = 1};
    struct dynos_changes changes = {.arena = arena_new()};

    if (changes.arena == NULL)
        return fail_memory(err);
    bool is_put = set_fixed(store, changes.arena, &change) &&
                          dynos_changes_add(&changes, &change) && drop_keys(store, note, &changes)
                      ? note->app == NULL ||
                            dynos_key_move(store->session, note->app, note->app_name, &changes, err)
                      : fail_memory(err);
    is_put = is_put && send_changes(store, changes.items, changes.count, note, err);
    arena_free(changes.arena);
    return is_put;
}

static bool replace_document(struct store *store, const char *text, size_t length,
                             const struct store_note *note, struct err *err)
{
    return put_document(store, space_of(store->name),
                        (struct line_text){.octets = text, .length = length}, note, err);
}

static bool remove_document(struct store *store, const struct store_note *note, struct err *err)
{
    struct push_change change = {.action = PUSH_REMOVE, .space = space_of(store->name), .group = 1};

    return send_changes(store, &change, 1, note, err);
}

/* ---- new ones ---- */

static bool name_document(const struct store *store, const char *space, char name[PATH_MAX],
                          struct err *err)
{
    (void)store;
    return snprintf(name, PATH_MAX, "z/%s", space) < PATH_MAX ||
           err_set(err, ERR_LIMIT, "the name %.80s... is too long; choose another", space);
}

static bool has_document(const struct store *store, const char *name)
{
    const struct registry_session *registry = store->session->registry;

    return registry != NULL && registry->has_view &&
           registry_view_find(&registry->view, space_of(name)) != NULL;
}

static bool create_document(struct store *store, const char *name, const char *text, size_t length,
                            struct err *err)
{
    const struct store_note note = {.what = "spaces:create"};

    if (has_document(store, name))
        return err_set(err, ERR_RULE, "%.300s is there already; choose another name", name);
    return put_document(store, space_of(name), (struct line_text){.octets = text, .length = length},
                        &note, err);
}

static void do_nothing(struct store *store)
{
    (void)store;
}

const struct store_kind store_registry = {
    .open = open_registry,
    .name = name_document,
    .has = has_document,
    .read = read_document,
    .replace = replace_document,
    .remove = remove_document,
    .create = create_document,
    .unlock = do_nothing,
    .close = do_nothing,
};
