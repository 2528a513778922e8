#pragma once
/**
 * Strict YAML: libyaml's events, without dangerous and ambiguous features.
 *
 * One reader reads one document whose root is a mapping. The caller pulls: it reads a mapping's
 * next pair or a sequence's next item, and enters the values it wants; unread values are skipped.
 *
 *     yaml_root ──► mapping ──yaml_next_pair──► key, value ─┬─ scalar: text
 *                                                           ├─ mapping: yaml_next_pair
 *                                                           └─ sequence: yaml_next_item
 *
 * Refused, each with location and reason: anchors, aliases, tags, a second document, a root that is
 * no mapping, keys that are no scalars, nesting deeper than YAML_DEPTH_MAX, scalars longer than
 * YAML_SCALAR_MAX or with a NUL octet in them, files larger than YAML_FILE_MAX, invalid UTF-8.
 * These end the reading. A duplicate key is reported, too, but only its second value is skipped.
 *
 * Scalars stay text. The caller reads numbers and booleans from the text with the functions below,
 * so that `010`, `no` and `1e3` are never guessed at.
 *
 * Sources: YAML 1.1; libyaml 0.2.5 (no depth limit of its own and quadratic in open brackets, so
 * depth is checked at every event).
 * Threads: a reader belongs to one thread.
 * Memory: borrows the text for the reader's life. Node texts belong to the reader and are valid
 * until the next pull.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    YAML_DEPTH_MAX = 16,
    YAML_SCALAR_MAX = 4096,   /* octets */
    YAML_FILE_MAX = 64 << 20, /* octets */
    YAML_PROBLEM_TEXT_MAX = 256
};

/** Counted from 1; a column counts characters, not octets. */
struct yaml_location {
    uint32_t line;
    uint32_t column;
};

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

struct yaml_node {
    enum yaml_kind kind;
    bool is_plain;           /* scalar without quotes or block marks */
    unsigned depth;          /* of its contents; 0 for a scalar */
    struct yaml_location at; /* first character */
    const char *text;        /* scalar: zero-terminated, no NUL inside; else NULL */
    size_t length;           /* octets of the text */
};

enum yaml_problem_kind {
    YAML_SYNTAX,
    YAML_BAD_UTF8, /* also control characters and NUL octets */
    YAML_ANCHOR,   /* anchor or alias */
    YAML_TAG,
    YAML_SECOND_DOCUMENT,
    YAML_TOO_DEEP,
    YAML_TOO_LONG,      /* a scalar */
    YAML_TOO_LARGE,     /* the file */
    YAML_EMPTY,         /* nothing, or only comments */
    YAML_WRONG_ROOT,    /* the root is no mapping */
    YAML_WRONG_KEY,     /* a key is no scalar */
    YAML_DUPLICATE_KEY, /* the only one that does not end the reading */
    YAML_NO_MEMORY,
};

struct yaml_problem {
    enum yaml_problem_kind kind;
    struct yaml_location at;
    char text[YAML_PROBLEM_TEXT_MAX]; /* a sentence without full stop */
};

typedef void yaml_on_problem(void *context, const struct yaml_problem *problem);

struct yaml_reader;

/**
 * Returns a reader, or NULL without memory.
 *
 * text, length  the file; a UTF-8 byte order mark is skipped
 * on_problem    called for each problem, with `context`
 */
struct yaml_reader *yaml_reader_new(const char *text, size_t length, yaml_on_problem *on_problem,
                                    void *context);

/** Frees the reader. NULL is allowed. */
void yaml_reader_free(struct yaml_reader *reader);

/** True once a problem ended the reading; every pull then returns false. */
bool yaml_failed(const struct yaml_reader *reader);

/** Ends the reading: every later pull returns false. The caller has reported the reason. */
void yaml_stop(struct yaml_reader *reader);

/** Starts the reading with the root mapping. Returns false after reporting a problem. */
bool yaml_root(struct yaml_reader *reader, struct yaml_node *root);

/**
 * Reads the next pair of a mapping. Returns false at its end or after a problem.
 *
 * At the root's end the rest of the file is read, too: a second document and invalid UTF-8 are
 * problems anywhere in the file.
 */
bool yaml_next_pair(struct yaml_reader *reader, const struct yaml_node *mapping,
                    struct yaml_node *key, struct yaml_node *value);

/** Reads the next item of a sequence. Returns false at its end or after a problem. */
bool yaml_next_item(struct yaml_reader *reader, const struct yaml_node *sequence,
                    struct yaml_node *item);

/**
 * Skips the rest of a value at once, as the next pull would. Returns false when a problem was found
 * in it: the caller then need not report the value itself.
 */
bool yaml_pass_over(struct yaml_reader *reader, const struct yaml_node *value);

struct yaml_field;

/**
 * Reads one value into a member of `target`. Collections are read with the reader, which the
 * function finds through its own `context`; unread values are skipped.
 */
typedef void yaml_read_field(void *context, const struct yaml_field *field,
                             const struct yaml_node *value, void *target);

/** Called for a key that is in no field. */
typedef void yaml_on_unknown(void *context, const struct yaml_node *key,
                             const struct yaml_node *value);

/** One key of a mapping: a line of the caller's table. */
struct yaml_field {
    const char *name;
    yaml_read_field *read;
    size_t offset;       /* of the member in the target; for the read function */
    const void *details; /* for the read function, e.g. the words of an enum */
    bool is_required;    /* for the caller; see the returned bits */
};

/** A mapping's keys, at most 64. */
struct yaml_fields {
    const struct yaml_field *items;
    size_t count;
    yaml_on_unknown *on_unknown;
};

/**
 * Reads a whole mapping by table. Returns one bit per field that was present, the first field's bit
 * lowest, so that the caller can name the required ones that are missing.
 */
uint64_t yaml_read_fields(struct yaml_reader *reader, const struct yaml_node *mapping,
                          const struct yaml_fields *fields, void *context, void *target);

/** True for a plain empty scalar, `~` or `null`. */
bool yaml_is_null(const struct yaml_node *node);

/** Reads a plain `true` or `false`, nothing else. */
bool yaml_read_bool(const struct yaml_node *node, bool *value);

/** Reads a plain decimal number without sign and leading zeros, up to 4294967295. */
bool yaml_read_number(const struct yaml_node *node, uint32_t *value);

/** For messages: "a text", "a list" or "a mapping". */
const char *yaml_kind_name(enum yaml_kind kind);
