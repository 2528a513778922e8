#include "registry/fixed_text.h"
#include "registry/mirror.h"

bool mirror_restore(struct mirror *mirror, const char *name, uint64_t mod_revision,
                    uint64_t create_revision, uint64_t checksum)
{
    struct mirror_space *space = mirror_make(mirror, name);
    struct mirror_document *served =
        space == NULL ? NULL : mirror_make_document(name, mod_revision, create_revision);

    if (served == NULL)
        return false;
    served->checksum = checksum;
    mirror_release_document(space->served);
    mirror_release_document(space->document);
    space->served = served;
    space->document = served;
    served->holds++;
    mirror->has_documents = true;
    mirror->has_loaded = true;
    return true;
}

bool mirror_restore_newest(struct mirror *mirror, const char *name, uint64_t mod_revision,
                           uint64_t create_revision, uint64_t gone_revision)
{
    struct mirror_space *space = mirror_make(mirror, name);
    struct mirror_document *document =
        space == NULL || mod_revision == 0
            ? NULL
            : mirror_make_document(name, mod_revision, create_revision);

    if (space == NULL || (mod_revision != 0 && document == NULL))
        return false;
    mirror_release_document(space->document);
    space->document = document;
    space->gone_revision = gone_revision;
    space->defers = true;
    mirror->has_missing = true;
    return true;
}

bool mirror_restore_candidate(struct mirror *mirror, const char *name, uint64_t mod_revision,
                              uint64_t create_revision, bool is_removal)
{
    struct mirror_space *space = mirror_make(mirror, name);
    struct mirror_document *document =
        space == NULL ? NULL : mirror_make_document(name, mod_revision, create_revision);

    if (document == NULL)
        return false;
    document->is_removal = is_removal;
    document->is_too_long = !mirror->is_canary;
    mirror_release_document(space->candidate);
    space->candidate = document;
    mirror->has_missing = true;
    return true;
}

bool mirror_restore_fixed(struct mirror *mirror, const char *name, const struct fixed_space *fixed,
                          uint64_t revision, bool is_compared)
{
    struct mirror_space *space = mirror_make(mirror, name);

    if (space == NULL)
        return false;
    mirror_set_fixed(mirror, space, fixed_text_copy(fixed), revision);
    if (space->fixed != NULL)
        space->fixed->is_compared = is_compared;
    return space->fixed != NULL;
}
