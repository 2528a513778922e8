#include <stdio.h>
#include <unistd.h>

#include "spacedns/store.h"

static bool open_folder(struct store *store, struct err *err)
{
    store->file.lock = -1;
    store->lock = zone_file_lock(store->place, err);
    if (store->lock < 0)
        session_name_variable(store->session, OPTION_ZONES, err);
    return store->lock >= 0;
}

static bool read_file(struct store *store, const char *name, struct err *err)
{
    if (!zone_file_open(&store->file, name, store->lock, err))
        return false;
    store->name = name;
    store->text = store->file.text;
    store->length = store->file.length;
    return true;
}

static bool replace_file(struct store *store, const char *text, size_t length,
                         const struct store_note *note, struct err *err)
{
    (void)note; /* the server's log has it, when it loads the file */
    bool is_replaced = zone_file_replace(&store->file, text, length, err);
    store->loss = store->file.loss;
    return is_replaced;
}

static bool remove_file(struct store *store, const struct store_note *note, struct err *err)
{
    (void)note;
    return zone_file_remove(&store->file, err);
}

static bool name_file(const struct store *store, const char *space, char name[PATH_MAX],
                      struct err *err)
{
    return snprintf(name, PATH_MAX, "%s/%s.yaml", store->place, space) < PATH_MAX ||
           err_set(err, ERR_LIMIT,
                   "the path of %s is too long; choose a shorter folder for --zones", space);
}

static bool has_file(const struct store *store, const char *name)
{
    (void)store;
    return access(name, F_OK) == 0;
}

static bool create_file(struct store *store, const char *name, const char *text, size_t length,
                        struct err *err)
{
    (void)store;
    return zone_file_create(name, text, length, err);
}

static void unlock_folder(struct store *store)
{
    if (store->lock >= 0)
        close(store->lock);
    store->lock = -1;
}

static void close_folder(struct store *store)
{
    zone_file_close(&store->file);
    unlock_folder(store);
}

const struct store_kind store_folder = {
    .open = open_folder,
    .name = name_file,
    .has = has_file,
    .read = read_file,
    .replace = replace_file,
    .remove = remove_file,
    .create = create_file,
    .unlock = unlock_folder,
    .close = close_folder,
};
