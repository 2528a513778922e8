#pragma once
/**
 * Domain names in wire form.
 *
 * A name is a run of labels, each a length octet (1..63) and that many octets, closed by a zero
 * octet. `length` counts every octet including the closing zero: 1..255. The octets after the
 * closing zero, up to the next multiple of sixteen, are zero, too, so that a name can be hashed
 * sixteen octets at a time.
 *
 *     3 w w w 7 e x a m p l e 3 c o m 0      length 17, label_count 3
 *     ^       ^               ^       ^
 *     name_suffix(.., 0)      (.., 2) the root: (.., 3)
 *
 * Length octets are at most 63, below 'A', so folding a whole name to lower case leaves them alone.
 *
 * Sources: RFC 1035 section 3.1 (form), section 2.3.4 (limits); RFC 4343 (case).
 * Threads: pure functions, no shared state.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/text.h"

enum { NAME_MAX_OCTETS = 255, LABEL_MAX_OCTETS = 63, LABEL_MAX_COUNT = 127 };

struct name {
    uint8_t length;
    uint8_t label_count; /* without the root */
    uint8_t octets[NAME_MAX_OCTETS + 17];
};

/**
 * Reads one name and folds ASCII letters to lower case.
 *
 * in   cursor at the first length octet; left just after the closing zero
 * out  of no meaning on failure
 *
 * Returns false, with in->failed set, when the octets end early, a label is longer than 63, the
 * name is longer than 255, or a compression pointer appears: this reader serves the question
 * section, where no earlier name exists to point at (RFC 1035 section 4.1.4).
 */
bool name_read(struct reader *in, struct name *out);

/** Passes over one name, which may end in a compression pointer; the pointer is not followed. */
void name_skip(struct reader *in);

/**
 * Makes a name from text: labels separated by dots, an optional dot at the end, letters folded to
 * lower case. Escapes are not supported. Returns false when a label is empty or too long, or the
 * name is.
 */
bool name_from_text(const char *text, struct name *out);

/**
 * As name_from_text for `length` octets of presentation form: \DDD is an octet, and \X the octet X
 * itself (RFC 1035 section 5.1). Reads what name_add writes.
 */
bool name_from_presentation(const char *text, size_t length, struct name *out);

/**
 * Prepends a label to a name. `tail` is a wire name of `tail_length` octets; `out` is written only
 * on success. Returns false when the label is empty or too long, or the name is.
 */
bool name_join(struct name *out, const void *label, size_t label_length, const uint8_t *tail,
               size_t tail_length);

/** Returns the part of a name that begins after its first `skip` labels (skip <= label_count). */
const uint8_t *name_suffix(const struct name *name, unsigned skip);

/** The length in octets of that part. */
static inline size_t name_suffix_length(const struct name *name, const uint8_t *suffix)
{
    return (size_t)(name->octets + name->length - suffix);
}

/** True when the name is below the suffix, or is the suffix. */
bool name_is_within(const struct name *name, const struct name *suffix);

/** True when both have the same octets; both must be folded. */
bool name_equals(const struct name *name, const uint8_t *octets, size_t length);

/** The length in octets of a well-formed uncompressed name. */
size_t name_measure(const uint8_t *octets);

/**
 * Appends a well-formed name in presentation form, without the closing dot ("." for the root).
 * Octets outside printable ASCII become \DDD; dots, quotes, backslashes and blanks in a label are
 * escaped (RFC 1035 section 5.1), so the text is safe in a log line.
 */
void name_add(struct text *text, const uint8_t *octets);
