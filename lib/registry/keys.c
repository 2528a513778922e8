#include "registry/keys.h"

#include <stdio.h>
#include <string.h>

/* Where the keys of each kind are, below the cell; with a slash where names follow. */
static const struct {
    const char *text;
    bool has_space;
} homes[] = {
    [KEY_OTHER] = {"", false},         [KEY_META] = {"meta", false},
    [KEY_CONFIG] = {"config", false},  [KEY_DOCUMENT] = {"z/", true},
    [KEY_FIXED] = {"f/", true},        [KEY_DYNOS] = {"d/", true},
    [KEY_CANDIDATE] = {"next/", true}, [KEY_FORCE] = {"force", false},
    [KEY_PAUSE] = {"pause", false},    [KEY_BEAT] = {"beat", false},
    [KEY_HOST] = {"h/", true},
};

enum { HOMES = sizeof homes / sizeof homes[0] };

static bool is_name_octet(unsigned char octet)
{
    return octet > ' ' && octet != '/' && octet != 0x7f;
}

bool keys_is_name(const char *octets, size_t length)
{
    if (length == 0 || length > KEY_NAME_MOST)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!is_name_octet((unsigned char)octets[i]))
            return false;
    return true;
}

/* ---- the cell ---- */

static bool is_root(const char *root)
{
    size_t length = strlen(root);

    if (length < 2 || root[0] != '/' || root[length - 1] == '/')
        return false;
    for (size_t i = 0; i < length; i++)
        if (root[i] != '/' && !is_name_octet((unsigned char)root[i]))
            return false;
    return true;
}

bool keys_init(struct keys *keys, const char *root, const char *cell, struct err *err)
{
    if (!is_root(root))
        return err_set(err, ERR_RULE,
                       "registry.root is not a path of keys; begin it with a slash and end it with "
                       "a name, as in /spacedns");
    if (!keys_is_name(cell, strlen(cell)))
        return err_set(err, ERR_RULE,
                       "registry.cell is not a name; give it 1 to %d characters without blank and "
                       "slash, as in eu",
                       KEY_NAME_MOST);
    int length = snprintf(keys->prefix, sizeof keys->prefix, "%s/%s/", root, cell);
    int other = snprintf(keys->replicas, sizeof keys->replicas, "%s-replicas/%s/", root, cell);
    if (length > KEY_ROOT_MOST || other > KEY_ROOT_MOST)
        return err_set(err, ERR_LIMIT,
                       "registry.root and registry.cell are too long together; shorten one of them "
                       "to stay below %d characters",
                       KEY_ROOT_MOST - 16);
    keys->prefix_length = (size_t)length;
    return true;
}

/* ---- reading ---- */

/* Takes the next name, up to a slash or the end. Returns false unless it is one. */
static bool take_name(const char **next, const char *end, bool is_last, char *out)
{
    const char *slash = memchr(*next, '/', (size_t)(end - *next));

    if (is_last != (slash == NULL))
        return false;
    size_t length = (size_t)((slash == NULL ? end : slash) - *next);
    if (!keys_is_name(*next, length))
        return false;
    memcpy(out, *next, length);
    out[length] = '\0';
    *next += length + (slash != NULL);
    return true;
}

static bool read_names(enum key_kind kind, const char *next, const char *end, struct key *key)
{
    bool is_dynos = kind == KEY_DYNOS;

    return take_name(&next, end, !is_dynos, key->space) &&
           (!is_dynos ||
            (take_name(&next, end, false, key->app) && take_name(&next, end, true, key->type)));
}

static bool is_of_home(unsigned kind, const char *below, size_t length)
{
    size_t home = strlen(homes[kind].text);

    return homes[kind].has_space ? length > home && memcmp(below, homes[kind].text, home) == 0
                                 : length == home && memcmp(below, homes[kind].text, home) == 0;
}

void keys_read(const struct keys *keys, const void *octets, size_t length, struct key *key)
{
    *key = (struct key){.kind = KEY_OTHER};
    if (length <= keys->prefix_length || memcmp(octets, keys->prefix, keys->prefix_length) != 0)
        return;
    const char *below = (const char *)octets + keys->prefix_length;
    size_t left = length - keys->prefix_length;
    for (unsigned kind = KEY_META; kind < HOMES; kind++) {
        if (!is_of_home(kind, below, left))
            continue;
        if (!homes[kind].has_space ||
            read_names(kind, below + strlen(homes[kind].text), below + left, key))
            key->kind = kind;
        else
            *key = (struct key){.kind = KEY_OTHER};
        return;
    }
}

/* ---- writing ---- */

static void add(struct key_text *text, const char *string)
{
    size_t length = strlen(string), room = KEY_OCTETS_MOST - text->length;

    if (length > room)
        length = room;
    memcpy(text->octets + text->length, string, length);
    text->length += length;
    text->octets[text->length] = '\0';
}

static void begin(const struct keys *keys, enum key_kind kind, struct key_text *text)
{
    text->length = 0;
    add(text, keys->prefix);
    add(text, homes[kind].text);
}

void keys_write(const struct keys *keys, enum key_kind kind, const char *space,
                struct key_text *text)
{
    begin(keys, kind, text);
    if (homes[kind].has_space)
        add(text, space);
}

void keys_write_dynos(const struct keys *keys, const char *space, const char *app, const char *type,
                      struct key_text *text)
{
    keys_write(keys, KEY_DYNOS, space, text);
    add(text, "/");
    add(text, app);
    add(text, "/");
    add(text, type);
}

void keys_write_replica(const struct keys *keys, const char *server, struct key_text *text)
{
    text->length = 0;
    add(text, keys->replicas);
    add(text, server);
}

/* ---- ranges ---- */

/* Ends the range behind all keys that begin with its begin, whose last octet is a slash. */
static void end_behind(struct key_range *range)
{
    range->end = range->begin;
    range->end.octets[range->end.length - 1] = '/' + 1;
}

void keys_range_all(const struct keys *keys, struct key_range *range)
{
    begin(keys, KEY_OTHER, &range->begin);
    end_behind(range);
}

void keys_range_kind(const struct keys *keys, enum key_kind kind, struct key_range *range)
{
    begin(keys, kind, &range->begin);
    end_behind(range);
}

void keys_range_dynos(const struct keys *keys, const char *space, struct key_range *range)
{
    keys_write(keys, KEY_DYNOS, space, &range->begin);
    add(&range->begin, "/");
    end_behind(range);
}

void keys_range_replicas(const struct keys *keys, struct key_range *range)
{
    range->begin.length = 0;
    add(&range->begin, keys->replicas);
    end_behind(range);
}

/* ---- for people ---- */

void keys_format(const struct key *key, char *out, size_t size)
{
    if (key->kind == KEY_DYNOS)
        snprintf(out, size, "d/%s/%s/%s", key->space, key->app, key->type);
    else
        snprintf(out, size, "%s%s", homes[key->kind].text, key->space);
}
