/* What is known to be there, but has to be read again. */
#include "registry/mirror.h"

static bool lacks_text(const struct mirror_space *space, const struct mirror_document *document)
{
    return document != NULL && document->text == NULL && !document->is_too_long &&
           (space->served == NULL || space->served->mod_revision != document->mod_revision);
}

/* What an audit has found is asked for once: the next one finds it again. */
static bool take_lacking(struct mirror *mirror, struct mirror_space *space, struct key_text *key)
{
    const struct mirror_document *document = mirror_newest(mirror, space);

    if (lacks_text(space, document)) {
        keys_write(&mirror->keys, document == space->candidate ? KEY_CANDIDATE : KEY_DOCUMENT,
                   space->name, key);
        return true;
    }
    if (!space->lacks_fixed)
        return false;
    space->lacks_fixed = false;
    keys_write(&mirror->keys, KEY_FIXED, space->name, key);
    return true;
}

bool mirror_find_missing(struct mirror *mirror, struct key_text *key)
{
    if (mirror->lacks_force) {
        mirror->lacks_force = false;
        keys_write(&mirror->keys, KEY_FORCE, "", key);
        return true;
    }
    for (size_t i = 0; i < mirror->space_count; i++)
        if (take_lacking(mirror, mirror->spaces[i], key))
            return true;
    mirror->has_missing = false;
    return false;
}
