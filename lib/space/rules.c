#include "space/rules.h"

#include "space/checking.h"

static rule *const rules[] = {
#define RULE(name) name,
#include "space/rules.def"
};

static size_t count_names(const struct space *space)
{
    size_t count = 0;

    for (size_t i = 0; i < space->app_count; i++)
        count += 1 + 2 * space->apps[i].domain_count;
    return count;
}

void space_check(const struct space *space, const struct suffixes *suffixes, struct report *report)
{
    struct checking checking = {.space = space, .suffixes = suffixes, .report = report};

    seen_init(&checking.names, count_names(space));
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        rules[i](&checking);
    checking_close_seen(&checking, &checking.names);
}
