#include "spacedns/store.h"

bool store_open(struct store *store, struct session *session, struct err *err)
{
    *store = (struct store){.kind = &store_folder, .session = session, .lock = -1};
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

bool store_create(struct store *store, const char *space, const char *text, size_t length,
                  struct err *err)
{
    return store->kind->create(store, space, text, length, err);
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
