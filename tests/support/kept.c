#include "support/kept.h"

#include <check.h>
#include <stddef.h>

#include "answer/kept_back.h"

bool snapshot_keeps_back(const struct snapshot *snapshot, const char *text,
                         struct kept_back_entry *entry)
{
    struct kept_back_entry found;
    struct name name;

    ck_assert(name_from_text(text, &name));
    if (snapshot->kept_back == NULL ||
        !kept_back_find(snapshot->kept_back, &name, index_hash(&snapshot->index, &name), 0, &found))
        return false;
    if (entry != NULL)
        *entry = found;
    return true;
}
