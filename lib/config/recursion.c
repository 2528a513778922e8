#include "config/recursion.h"

const char *const recursion_class_names[RECURSION_CLASSES] = {"space", "peered", "vpn"};

const struct recursion_suffix *recursion_find(const struct recursion *recursion, unsigned classes,
                                              const struct name *name)
{
    for (size_t i = 0; i < recursion->count; i++) /* RECURSION_SUFFIXES_MOST at most */
        if ((classes >> recursion->suffixes[i].class & 1) != 0 &&
            name_is_within(name, &recursion->suffixes[i].name))
            return &recursion->suffixes[i];
    return NULL;
}

unsigned recursion_classes(const struct recursion *recursion)
{
    unsigned classes = recursion->all;

    for (size_t i = 0; i < recursion->count; i++)
        classes |= 1U << recursion->suffixes[i].class;
    return classes;
}

void recursion_print_class(const struct recursion *recursion, unsigned class, FILE *out)
{
    bool is_first = true;

    if ((recursion->all >> class & 1) != 0) {
        fputs("all", out);
        return;
    }
    for (size_t i = 0; i < recursion->count; i++) {
        if (recursion->suffixes[i].class != class)
            continue;
        fprintf(out, "%s%s", is_first ? "" : ", ", recursion->suffixes[i].text);
        is_first = false;
    }
    if (is_first)
        fputs("none", out);
}

static void print_mapping(const struct recursion *recursion, FILE *out)
{
    const char *separator = "";

    for (unsigned class = 0; class < RECURSION_CLASSES; class ++) {
        bool is_all = (recursion->all >> class & 1) != 0;
        if ((recursion_classes(recursion) >> class & 1) == 0)
            continue;
        fprintf(out, "%s%s: %s", separator, recursion_class_names[class], is_all ? "" : "[");
        recursion_print_class(recursion, class, out);
        fputs(is_all ? "" : "]", out);
        separator = ", ";
    }
}

void recursion_print(const struct recursion *recursion, FILE *out)
{
    const char *separator = "";

    if (recursion->count > 0) {
        print_mapping(recursion, out);
        return;
    }
    for (unsigned class = 0; class < RECURSION_CLASSES; class ++) {
        if ((recursion->all >> class & 1) == 0)
            continue;
        fprintf(out, "%s%s", separator, recursion_class_names[class]);
        separator = ",";
    }
}
