#pragma once
/**
 * Values of one `key: value` a line: meta, config, force, pause, beat, and what replicas announce.
 *
 *     format: 1
 *     id: 0b5c9c5e-6f0c-4d8c-a5d2-0d0b2f4c8a11
 *
 * A line without a colon, an empty line and an unknown key are passed over, so that newer writers
 * may add what they like. Blanks around key and value do not count. A key may come several times.
 * Control characters end up as they are: who prints a value escapes it (base/escape.h).
 *
 * Threads: pure.  Memory: the reader borrows the text; the writer's text is its own.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A part of a text; not zero-terminated. */
struct line_text {
    const char *octets;
    size_t length;
};

struct line {
    struct line_text key;
    struct line_text value; /* may be empty */
};

struct lines {
    const char *next;
    const char *end;
};

struct lines lines_over(const void *text, size_t length);

/** Reads the next line that has a key. Returns false at the end. */
bool lines_next(struct lines *lines, struct line *line);

/** True when the key is this word. */
bool line_is(const struct line *line, const char *key);

/** Finds the first line of a key; false when there is none. */
bool lines_find(const void *text, size_t length, const char *key, struct line_text *value);

/** Copies the value of a key, cut at size - 1 octets; empty when there is none. */
void lines_copy(const void *text, size_t length, const char *key, char *out, size_t size);

/** Reads the number of a key; 0 when there is none, or no number of 64 bits. */
uint64_t lines_number(const void *text, size_t length, const char *key);

/** A text that grows. */
struct lines_writer {
    char *text; /* zero-terminated; free() it. NULL: empty */
    size_t length;
    size_t capacity;
    bool has_failed; /* out of memory: nothing more is written */
};

/** Writes a line. Newlines and other control characters of the value become blanks. */
void lines_write(struct lines_writer *writer, const char *key, const char *value);
void lines_write_number(struct lines_writer *writer, const char *key, uint64_t value);
