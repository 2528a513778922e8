#pragma once
/**
 * The offsets of each part of a YAML text, so that a part can be changed and the rest kept.
 *
 * A tree of nodes with offsets in octets. Children are in the order of the text; those of a mapping
 * come in pairs, key and value. A missing value is an empty scalar: in a block mapping its offset
 * is after the colon, in a flow mapping before the next mark.
 *
 *     apps:            mapping ── "apps" ── sequence
 *       - name: abc                          └─ mapping ── "name" ── "abc"
 *
 * What yaml.h refuses (anchors, tags, a second document, deep nesting) is refused here too.
 *
 * Threads: pure.  Memory: the tree is allocated in the arena.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "yaml/yaml.h"

struct yaml_mark {
    enum yaml_kind kind;
    bool is_flow;  /* written with brackets or braces */
    bool is_plain; /* scalar without quotes or block marks */
    size_t start;  /* of the first octet; of a block sequence, its first hyphen */
    size_t end;    /* exclusive; of a block collection, that of its last child */
    const char *text;
    struct yaml_mark *first;
    struct yaml_mark *last;
    struct yaml_mark *next;
    struct yaml_mark *before;
};

/** Reads a text whose root is a mapping. Returns the root, or NULL with *err. */
struct yaml_mark *yaml_marks_read(struct arena *arena, const char *text, size_t length,
                                  struct err *err);

/** Returns the key of this name, whose `next` is the value; NULL when the mapping has none. */
struct yaml_mark *yaml_marks_find(const struct yaml_mark *mapping, const char *key);

/** True for a plain empty scalar, `~` or `null`. */
bool yaml_marks_is_null(const struct yaml_mark *node);
