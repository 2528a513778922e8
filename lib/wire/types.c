#include "wire/types.h"

#include <stddef.h>

struct number_name {
    uint16_t number;
    const char *name;
};

static const struct number_name types[] = {
#define TYPE(name, number) {number, #name},
#include "wire/types.def"
};

static const char *const forms[] = {
#define FORM(name, form) [TYPE_##name] = (form),
#include "wire/types.def"
};

static const struct number_name rcodes[] = {
#define RCODE(name, number) {number, #name},
#include "wire/types.def"
};

enum {
    TYPE_COUNT = sizeof types / sizeof types[0],
    RCODE_COUNT = sizeof rcodes / sizeof rcodes[0],
    FORM_COUNT = sizeof forms / sizeof forms[0],
};

static void add_name(struct text *text, const struct number_name *names, size_t count,
                     uint16_t number, const char *prefix)
{
    for (size_t i = 0; i < count; i++) {
        if (names[i].number == number) {
            text_add_string(text, names[i].name);
            return;
        }
    }
    text_add_string(text, prefix);
    text_add_number(text, number);
}

void type_add(struct text *text, uint16_t type)
{
    add_name(text, types, TYPE_COUNT, type, "TYPE");
}

void rcode_add(struct text *text, uint16_t rcode)
{
    add_name(text, rcodes, RCODE_COUNT, rcode, "RCODE");
}

const char *type_form(uint16_t type)
{
    return type < FORM_COUNT ? forms[type] : NULL;
}
