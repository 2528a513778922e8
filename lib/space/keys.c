#include "space/keys.h"

#include <string.h>

const struct key_text key_texts[] = {
#define KEY(table, key, initial, example, help) {&table##_table, key, initial, example, help},
#include "space/keys.def"
#undef KEY
};

const size_t key_text_count = sizeof key_texts / sizeof key_texts[0];

const struct key_text *key_text_find(const struct table *table, const char *key)
{
    for (size_t i = 0; i < key_text_count; i++)
        if (key_texts[i].table == table && strcmp(key_texts[i].key, key) == 0)
            return &key_texts[i];
    return NULL;
}
