#include "config/recursion.h"

#include <stdlib.h>
#include <string.h>

#include "support/recursion.h"
#include "support/suite.h"

/* By class, the first suffix that holds the name; NULL: none. */
static const struct {
    unsigned classes;
    const char *name, *suffix;
} finds[] = {
    {2, "herokuapp.com", "herokuapp.com"},
    {2, "a.b.HerokuApp.com", "herokuapp.com"},
    {2, "xherokuapp.com", NULL},
    {2, "com", NULL},
    {2, ".", NULL},
    {2, "www.example.com", NULL},
    {4, "www.herokuapp.com", NULL},
    {4, "x.www.example.com", "www.example.com"},
    {4, "example.com", "example.com"},
    {6, "www.herokuapp.com", "herokuapp.com"},
    {6, "example.com", "example.com"},
    {1, "example.com", NULL},
    {0, "herokuapp.com", NULL},
};

TEST_OVER(a_suffix_of_one_of_the_classes_holds_the_name, finds)
{
    struct recursion recursion =
        recursion_of("{space: all, peered: [herokuapp.com], vpn: [www.example.com, example.com]}");
    struct name name;
    struct text text;
    char octets[256] = "";

    ck_assert(name_from_text(finds[_i].name, &name));
    const struct recursion_suffix *found = recursion_find(&recursion, finds[_i].classes, &name);
    ck_assert_msg((found == NULL) == (finds[_i].suffix == NULL), "%s", finds[_i].name);
    if (found == NULL)
        return;
    ck_assert_str_eq(found->text, finds[_i].suffix);
    text = text_over(octets, sizeof octets - 1);
    name_add(&text, found->name.octets);
    ck_assert_str_eq(octets, finds[_i].suffix);
}

/* As printed for a comparison, and for the class peered alone. */
static const struct {
    const char *yaml;
    unsigned classes;
    const char *whole, *peered;
} prints[] = {
    {"[]", 0, "", "none"},
    {"[vpn, space]", 5, "space,vpn", "none"},
    {"{space: all, vpn: all}", 5, "space,vpn", "none"},
    {"{peered: all}", 2, "peered", "all"},
    {"{vpn: all, peered: [b.c, a.b]}", 6, "peered: [b.c, a.b], vpn: all", "b.c, a.b"},
    {"{vpn: [a.b]}", 4, "vpn: [a.b]", "none"},
};

TEST_OVER(classes_and_their_suffixes_are_printed, prints)
{
    struct recursion recursion = recursion_of(prints[_i].yaml);
    char *text = NULL;
    size_t length;

    FILE *out = open_memstream(&text, &length);
    recursion_print(&recursion, out);
    fclose(out);
    ck_assert_str_eq(text, prints[_i].whole);
    free(text);
    out = open_memstream(&text, &length);
    recursion_print_class(&recursion, 1, out);
    fclose(out);
    ck_assert_str_eq(text, prints[_i].peered);
    free(text);
    ck_assert_uint_eq(recursion_classes(&recursion), prints[_i].classes);
}
