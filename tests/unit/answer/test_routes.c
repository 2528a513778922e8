#include "answer/routes.h"

#include "support/suite.h"

static struct route items[4];
static const struct routes routes = {.items = items, .count = 4};

static void set_up(void)
{
    static const char *const zones[] = {"deep.lab.corp.example", "corp.example", "example", "."};

    for (int i = 0; i < 4; i++)
        ck_assert(name_from_text(zones[i], &items[i].zone));
}

static const struct {
    const char *name;
    uint8_t route;
} names[] = {
    {"deep.lab.corp.example", 0},
    {"x.deep.lab.corp.example", 0},
    {"lab.corp.example", 1},
    {"corp.example", 1},
    {"a.b.c.corp.example", 1},
    {"xcorp.example", 2},
    {"example", 2},
    {"example.com", 3},
    {"corp.example.com", 3},
    {".", 3},
};

FIXTURE(set_up, NULL)

TEST_OVER(a_name_takes_the_route_of_the_longest_zone_that_holds_it, names)
{
    struct name name;

    ck_assert(name_from_text(names[_i].name, &name));
    ck_assert_msg(route_find(&routes, &name) == names[_i].route, "%s", names[_i].name);
}

TEST(a_name_in_no_zone_has_no_route)
{
    struct routes without_root = {.items = items, .count = 3};
    struct name name;

    ck_assert(name_from_text("www.debian.org", &name));
    ck_assert_uint_eq(route_find(&without_root, &name), ROUTE_NONE);
    ck_assert_uint_eq(route_find(&(struct routes){.count = 0}, &name), ROUTE_NONE);
}
