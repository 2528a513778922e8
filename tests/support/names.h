#pragma once
/**
 * Every name that some zone files declare, and names next to them.
 *
 * From the model of each space: default domains, custom domains, DNS targets, discovery names of
 * each process type and dyno, services, routers, reverse names, static records, introspection.
 * For each: its parent, children one to five deep, wildcard and underscore children, the name in
 * capitals, and the name with a typing error. And unrelated names.
 *
 * Threads: one.  Memory: from malloc; names_close frees it.
 */
#include <stddef.h>

#include "space/model.h"

enum { NAME_TEXT_MOST = 256 };

struct names {
    char (*items)[NAME_TEXT_MOST]; /* absolute, in presentation form */
    size_t count;
    size_t capacity;
};

/** Lists names for `count` spaces. */
void names_init(struct names *names, const struct space *const *spaces, size_t count);

void names_close(struct names *names);
