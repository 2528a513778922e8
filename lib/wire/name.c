#include "wire/name.h"

#include <assert.h>

/* Sixteen octets that are processed at once. */
typedef uint8_t chunk __attribute__((vector_size(16)));

enum { CHUNK_OCTETS = sizeof(chunk) };

_Static_assert(sizeof((struct name *)0)->octets >= NAME_MAX_OCTETS + CHUNK_OCTETS,
               "a chunk that begins within a name stays within its octets");

/* Copies sixteen octets and folds the capitals among them. */
static inline void fold_chunk(uint8_t *to, const uint8_t *from)
{
    chunk some;

    memcpy(&some, from, CHUNK_OCTETS);
    chunk is_capital = (chunk)(some - 'A' <= (uint8_t)('Z' - 'A'));
    some |= is_capital & 0x20;
    memcpy(to, &some, CHUNK_OCTETS);
}

/* Copies a name of `length` octets, folds its capitals, and zeroes what follows it. */
static inline void fold(struct name *name, const uint8_t *octets, size_t length)
{
    const chunk zero = {0};
    uint8_t *to = name->octets;

    if (length >= CHUNK_OCTETS) {
        for (size_t i = 0; i + CHUNK_OCTETS < length; i += CHUNK_OCTETS)
            fold_chunk(to + i, octets + i);
        /* The last chunk overlaps with what is folded already. */
        fold_chunk(to + length - CHUNK_OCTETS, octets + length - CHUNK_OCTETS);
        memcpy(to + length, &zero, CHUNK_OCTETS);
    } else {
        memcpy(to, &zero, CHUNK_OCTETS);
        octets_copy(to, octets, length);
        fold_chunk(to, to);
    }
    name->length = (uint8_t)length;
}

bool name_read(struct reader *in, struct name *out)
{
    const uint8_t *octets = in->next;
    size_t left = reader_left(in);
    size_t limit = left < NAME_MAX_OCTETS ? left : NAME_MAX_OCTETS;
    size_t at = 0;
    unsigned labels = 0;

    /* At most 127 turns: every label takes two octets or more of the 255. */
    while (at < limit && octets[at] != 0) {
        if (octets[at] > LABEL_MAX_OCTETS)
            break;
        at += octets[at] + 1U;
        labels++;
    }
    if (at >= limit || octets[at] != 0) {
        in->failed = true;
        return false;
    }
    out->label_count = (uint8_t)labels;
    fold(out, octets, at + 1);
    in->next += at + 1;
    return true;
}

void name_skip(struct reader *in)
{
    /* Bounded by the message: every turn passes at least one octet or ends. */
    for (;;) {
        uint8_t length = read8(in);
        if (in->failed || length == 0)
            return;
        if (length >= 0xc0) { /* a pointer ends the name (RFC 1035 section 4.1.4) */
            read8(in);
            return;
        }
        if (length > LABEL_MAX_OCTETS) {
            in->failed = true;
            return;
        }
        read_span(in, length);
    }
}

bool name_from_text(const char *text, struct name *out)
{
    struct name made = {.length = 0};
    size_t at = 0;

    if (text[0] == '.' && text[1] == '\0')
        text++;
    while (*text != '\0') {
        size_t length = strcspn(text, ".");
        if (length == 0 || length > LABEL_MAX_OCTETS || at + 1 + length + 1 > NAME_MAX_OCTETS)
            return false;
        made.octets[at] = (uint8_t)length;
        memcpy(made.octets + at + 1, text, length);
        at += 1 + length;
        made.label_count++;
        text += length;
        if (*text == '.')
            text++;
    }
    made.octets[at] = 0;
    fold(out, made.octets, at + 1);
    out->label_count = made.label_count;
    return true;
}

static bool is_digit(char octet)
{
    return octet >= '0' && octet <= '9';
}

/* Reads the octet at `text`, escaped or not. Returns its length in the text, 0 when malformed. */
static size_t read_octet(const char *text, size_t left, uint8_t *octet)
{
    *octet = (uint8_t)text[0];
    if (text[0] != '\\')
        return 1;
    if (left >= 4 && is_digit(text[1]) && is_digit(text[2]) && is_digit(text[3])) {
        int value = (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
        *octet = (uint8_t)value;
        return value <= UINT8_MAX ? 4 : 0;
    }
    if (left < 2 || is_digit(text[1]))
        return 0;
    *octet = (uint8_t)text[1];
    return 2;
}

bool name_from_presentation(const char *text, size_t length, struct name *out)
{
    struct name made = {.length = 0};
    size_t label = 0, at = 1; /* of the label's length, and of the next octet */

    if (length == 1 && text[0] == '.')
        length = 0;
    for (size_t taken = 0; length > 0; text += taken, length -= taken) {
        uint8_t octet;
        taken = read_octet(text, length, &octet);
        bool ends = taken == 1 && text[0] == '.';
        if (taken == 0 || at >= NAME_MAX_OCTETS || (ends && at == label + 1) ||
            (!ends && at - label > LABEL_MAX_OCTETS))
            return false;
        if (ends) {
            label = at++;
            made.label_count++;
            continue;
        }
        made.octets[at++] = octet;
        made.octets[label]++;
    }
    if (at > label + 1) {
        label = at++;
        made.label_count++;
    }
    if (at > NAME_MAX_OCTETS)
        return false;
    made.octets[label] = 0;
    fold(out, made.octets, label + 1);
    out->label_count = made.label_count;
    return true;
}

bool name_join(struct name *out, const void *label, size_t label_length, const uint8_t *tail,
               size_t tail_length)
{
    size_t length = 1 + label_length + tail_length;

    if (label_length == 0 || label_length > LABEL_MAX_OCTETS || length > NAME_MAX_OCTETS)
        return false;
    uint8_t joined[NAME_MAX_OCTETS] __attribute__((uninitialized));
    joined[0] = (uint8_t)label_length;
    octets_copy(joined + 1, label, label_length);
    octets_copy(joined + 1 + label_length, tail, tail_length);
    fold(out, joined, length);
    out->label_count = 0;
    for (const uint8_t *at = out->octets; *at != 0; at += *at + 1U)
        out->label_count++;
    return true;
}

const uint8_t *name_suffix(const struct name *name, unsigned skip)
{
    const uint8_t *at = name->octets;

    assert(skip <= name->label_count);
    while (skip-- > 0)
        at += *at + 1U;
    return at;
}

bool name_is_within(const struct name *name, const struct name *suffix)
{
    if (name->label_count < suffix->label_count || name->length < suffix->length)
        return false;
    const uint8_t *tail = name->octets + name->length - suffix->length;
    if (!octets_equal(tail, suffix->octets, suffix->length))
        return false;
    /* The octets agree; they must also begin where a label begins. */
    return name_suffix(name, name->label_count - suffix->label_count) == tail;
}

bool name_equals(const struct name *name, const uint8_t *octets, size_t length)
{
    return name->length == length && octets_equal(name->octets, octets, length);
}

size_t name_measure(const uint8_t *octets)
{
    const uint8_t *at = octets;

    while (*at != 0)
        at += *at + 1U;
    return (size_t)(at - octets) + 1;
}

static void add_octet(struct text *text, uint8_t octet)
{
    char escaped[4] = {'\\', (char)('0' + octet / 100), (char)('0' + octet / 10 % 10),
                       (char)('0' + octet % 10)};

    if (octet <= ' ' || octet >= 127) {
        text_add(text, escaped, 4);
    } else if (octet == '.' || octet == '\\' || octet == '"' || octet == ';' || octet == '(' ||
               octet == ')' || octet == '@' || octet == '$') {
        escaped[1] = (char)octet;
        text_add(text, escaped, 2);
    } else {
        text_add(text, &octet, 1);
    }
}

void name_add(struct text *text, const uint8_t *octets)
{
    if (*octets == 0)
        text_add(text, ".", 1);
    for (const uint8_t *label = octets; *label != 0; label += *label + 1U) {
        if (label != octets)
            text_add(text, ".", 1);
        for (unsigned i = 1; i <= *label; i++)
            add_octet(text, label[i]);
    }
}
