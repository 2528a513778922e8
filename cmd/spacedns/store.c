#include "spacedns/store.h"

bool store_open(struct store *store, struct session *session, struct err *err)
{
    *store = (struct store){.kind = session_has_registry(session) ? &store_registry : &store_folder,
                            .session = session,
                            .lock = -1};
    store->place = session_zones(session);
    return store->kind->open(store, err);
}

bool store_read(struct store *store, const char *name, struct err *err)
{
    return store->kind->read(store, name, err);
}

bool store_replace(struct store *store, const char *text, size_t length,
                   const struct store_note *note, struct err *err)
{
    return store->kind->replace(store, text, length, note, err);
}

bool store_remove(struct store *store, const struct store_note *note, struct err *err)
{
    return store->kind->remove(store, note, err);
}

bool store_name(const struct store *store, const char *space, char name[PATH_MAX], struct err *err)
{
    return store->kind->name(store, space, name, err);
}

bool store_has(const struct store *store, const char *name)
{
    return store->kind->has(store, name);
}

bool store_create(struct store *store, const char *name, const char *text, size_t length,
                  struct err *err)
{
    return store->kind->create(store, name, text, length, err);
}

void store_unlock(struct store *store)
{
    if (store->kind != NULL)
        store->kind->unlock(store);
}

void store_close(struct store *store)
{
    if (store->kind != NULL)
        store->kind->close(store);
}
