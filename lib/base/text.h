#pragma once
/**
 * A bounded text builder without formatting machinery.
 *
 * For sentences that are made while a client waits (EDE, TXT, log lines): pieces are copied one
 * after the other and nothing is allocated. Text that does not fit is cut, and `cut` is set.
 * The text is not zero-terminated; its length is text_length.
 *
 * Threads: a builder belongs to one thread.  Memory: borrows the buffer.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    char *start;
    char *next;
    char *end;
    bool cut;
};

static inline struct text text_over(char *buffer, size_t size)
{
    return (struct text){.start = buffer, .next = buffer, .end = buffer + size};
}

static inline size_t text_length(const struct text *text)
{
    return (size_t)(text->next - text->start);
}

/** Appends `length` octets as they are. */
void text_add(struct text *text, const void *octets, size_t length);

/** Appends a zero-terminated string as it is. */
void text_add_string(struct text *text, const char *string);

/** Appends a number in decimal. */
void text_add_number(struct text *text, uint64_t number);

/** Appends an IPv4 address (host order) as a dotted quad. */
void text_add_ipv4(struct text *text, uint32_t address);

/** Appends what stands before the i-th of `count` items of a list "a, b or c". */
void text_add_separator(struct text *text, size_t i, size_t count);

/** Appends words as "a, b or c". */
void text_add_words(struct text *text, const char *const *words, size_t count);
