#pragma once
/**
 * Bounds-checked cursors over octets, with sticky failure.
 *
 * A reader or writer that has run out of room stays failed and does nothing more, so that wire code
 * reads like the RFC's diagram and checks once at the end. Numbers are big-endian
 * (network order, RFC 1035 section 2.3.2).
 *
 * Threads: a cursor belongs to one thread.  Memory: borrows the octets it walks over.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct reader {
    const uint8_t *start;
    const uint8_t *next;
    const uint8_t *end;
    bool failed;
};

struct writer {
    uint8_t *start;
    uint8_t *next;
    uint8_t *end;
    bool failed;
};

static inline uint16_t load16(const uint8_t *from)
{
    return (uint16_t)(from[0] << 8 | from[1]);
}

static inline uint32_t load32(const uint8_t *from)
{
    return (uint32_t)load16(from) << 16 | load16(from + 2);
}

/* Shifts and one copy of the whole, which compilers turn into a swap and a single store. */
static inline void store16(uint8_t *to, uint16_t value)
{
    const uint8_t octets[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    memcpy(to, octets, sizeof octets);
}

static inline void store32(uint8_t *to, uint32_t value)
{
    const uint8_t octets[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16),
                               (uint8_t)(value >> 8), (uint8_t)value};
    memcpy(to, octets, sizeof octets);
}

static inline struct reader reader_over(const uint8_t *octets, size_t length)
{
    return (struct reader){.start = octets, .next = octets, .end = octets + length};
}

static inline size_t reader_left(const struct reader *in)
{
    return in->failed ? 0 : (size_t)(in->end - in->next);
}

/**
 * Copies a short run of octets without a call: sixteen at a time, the last sixteen overlapping what
 * is copied already. Source and destination must not overlap.
 */
__attribute__((always_inline)) static inline void
octets_copy(uint8_t *restrict to, const uint8_t *restrict from, size_t length)
{
    if (length >= 16) {
        for (size_t i = 0; i + 16 < length; i += 16)
            memcpy(to + i, from + i, 16);
        memcpy(to + length - 16, from + length - 16, 16);
    } else if (length >= 8) {
        memcpy(to, from, 8);
        memcpy(to + length - 8, from + length - 8, 8);
    } else {
        for (size_t i = 0; i < length; i++)
            to[i] = from[i];
    }
}

/** True when the eight octets at both addresses are the same. */
static inline bool eight_equal(const uint8_t *a, const uint8_t *b)
{
    uint64_t left, right;

    memcpy(&left, a, 8);
    memcpy(&right, b, 8);
    return left == right;
}

/** True when both runs of `length` octets are the same; for short runs, without a call. */
static inline bool octets_equal(const uint8_t *a, const uint8_t *b, size_t length)
{
    if (length < 8) {
        for (size_t i = 0; i < length; i++)
            if (a[i] != b[i])
                return false;
        return true;
    }
    for (size_t i = 0; i + 8 < length; i += 8)
        if (!eight_equal(a + i, b + i))
            return false;
    /* The last eight overlap with octets already compared. */
    return eight_equal(a + length - 8, b + length - 8);
}

/** Returns the next `length` octets, or NULL once the cursor has failed. */
static inline const uint8_t *read_span(struct reader *in, size_t length)
{
    if (in->failed || (size_t)(in->end - in->next) < length) {
        in->failed = true;
        return NULL;
    }
    const uint8_t *span = in->next;
    in->next += length;
    return span;
}

/** Returns the next octet, or 0 once the cursor has failed. */
static inline uint8_t read8(struct reader *in)
{
    const uint8_t *span = read_span(in, 1);
    return span == NULL ? 0 : span[0];
}

/** Returns the next two octets as a number, or 0 once the cursor has failed. */
static inline uint16_t read16(struct reader *in)
{
    const uint8_t *span = read_span(in, 2);
    return span == NULL ? 0 : load16(span);
}

/** Returns the next four octets as a number, or 0 once the cursor has failed. */
static inline uint32_t read32(struct reader *in)
{
    const uint8_t *span = read_span(in, 4);
    return span == NULL ? 0 : load32(span);
}

static inline struct writer writer_over(uint8_t *octets, size_t length)
{
    return (struct writer){.start = octets, .next = octets, .end = octets + length};
}

static inline size_t writer_length(const struct writer *out)
{
    return (size_t)(out->next - out->start);
}

static inline size_t writer_left(const struct writer *out)
{
    return out->failed ? 0 : (size_t)(out->end - out->next);
}

/** Reserves `length` octets for the caller to fill, or returns NULL once the cursor has failed. */
static inline uint8_t *write_span(struct writer *out, size_t length)
{
    if (out->failed || (size_t)(out->end - out->next) < length) {
        out->failed = true;
        return NULL;
    }
    uint8_t *span = out->next;
    out->next += length;
    return span;
}

static inline void write8(struct writer *out, uint8_t value)
{
    uint8_t *span = write_span(out, 1);
    if (span != NULL)
        span[0] = value;
}

static inline void write16(struct writer *out, uint16_t value)
{
    uint8_t *span = write_span(out, 2);
    if (span != NULL)
        store16(span, value);
}

static inline void write32(struct writer *out, uint32_t value)
{
    uint8_t *span = write_span(out, 4);
    if (span != NULL)
        store32(span, value);
}

static inline void write_octets(struct writer *out, const void *octets, size_t length)
{
    uint8_t *span = write_span(out, length);
    if (span != NULL)
        octets_copy(span, octets, length);
}
