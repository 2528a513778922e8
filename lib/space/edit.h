#pragma once
/**
 * Edits of one zone file's text (DESIGN D7).
 *
 * Each edit changes what it names and keeps every other octet: comments, order, spelling,
 * indentation and line ends. New items are written in the way of their neighbours: as lines in a
 * block list, on the line within brackets. Before an edit counts it is read again, and what it
 * says must differ from the old text in that one thing only.
 *
 *     edit_init(&edit, text, length) → edit_add_app(…), edit_set_state(…), … → edit.text
 *
 * Whether the new text obeys the rules is for the caller to find out. Texts given (names, host
 * names, words) are quoted when they have to be; they must not hold quotes, backslashes or control
 * characters, which edits refuse.
 *
 * Threads: pure.  Memory: what edits make lives until edit_close; the first text is borrowed.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "space/model.h"

struct edit {
    struct arena *arena;
    const char *text; /* as it is after the last edit that was made; not zero-terminated */
    size_t length;
};

/** Names a dyno: web.1 of an app. */
struct dyno_name {
    const char *app;
    const char *type;
    uint32_t number;
};

/** False without memory; edit_close is allowed then too. */
bool edit_init(struct edit *edit, const char *text, size_t length);

void edit_close(struct edit *edit);

/*
 * The edits. Each returns false with *err, and leaves the text as it was, when what it names is
 * not there (or is there already, where something is added), or the text cannot be edited safely.
 */

bool edit_add_app(struct edit *edit, const char *name, bool internal_routing, struct err *err);
bool edit_remove_app(struct edit *edit, const char *name, struct err *err);

/** cname: NULL for a domain that has no DNS target yet. */
bool edit_add_domain(struct edit *edit, const char *app, const char *hostname, const char *cname,
                     struct err *err);

/** Host names are compared without case and closing dot. */
bool edit_remove_domain(struct edit *edit, const char *app, const char *hostname, struct err *err);

/** Adds a dyno that is up; a process type that is not there yet is made. */
bool edit_add_dyno(struct edit *edit, const struct dyno_name *dyno, uint32_t ip, struct err *err);

/** The process type stays, though its last dyno goes. */
bool edit_remove_dyno(struct edit *edit, const struct dyno_name *dyno, struct err *err);

/**
 * Adds the end mark (zone_text.h) as the last line, unless it is there. Any good YAML can be
 * marked; so this fails, with *err, only where an edit would fail, too.
 */
bool edit_mark_end(struct edit *edit, struct err *err);

bool edit_set_state(struct edit *edit, const struct dyno_name *dyno, enum dyno_state state,
                    struct err *err);
