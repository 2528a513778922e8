#include "forward/rr.h"
#include "wire/types.h"

enum {
    WINDOW_OCTETS_MOST = 32, /* of a type bitmap (RFC 4034 section 4.1.2) */
    A6_BITS = 128,
    KEY_MANDATORY = 0,
    KEY_ALPN = 1,
    KEY_NO_DEFAULT_ALPN = 2,
    KEY_PORT = 3,
    KEY_IPV4HINT = 4,
    KEY_IPV6HINT = 6,
};

/* Bounded by the record: each turn of the loops below passes two octets or more, or fails. */

static void pass_strings(struct reader *in)
{
    do
        read_span(in, read8(in));
    while (reader_left(in) > 0);
}

static void pass_filled_string(struct reader *in)
{
    uint8_t length = read8(in);

    read_span(in, length);
    in->failed |= length == 0;
}

static void pass_bitmap(struct reader *in)
{
    int last = -1;

    while (reader_left(in) > 0) {
        int window = read8(in);
        uint8_t length = read8(in);
        read_span(in, length);
        in->failed |= window <= last || length == 0 || length > WINDOW_OCTETS_MOST;
        last = window;
    }
}

static bool is_filled_with(size_t length, size_t each)
{
    return length > 0 && length % each == 0;
}

/* The value of a service parameter (RFC 9460 sections 7 and 8). */
static bool is_good_parameter(uint16_t key, const uint8_t *value, uint16_t length)
{
    struct reader in = reader_over(value, length);

    switch (key) {
    case KEY_MANDATORY:
        return is_filled_with(length, 2);
    case KEY_ALPN:
        while (reader_left(&in) > 0)
            pass_filled_string(&in);
        return length > 0 && !in.failed;
    case KEY_NO_DEFAULT_ALPN:
        return length == 0;
    case KEY_PORT:
        return length == 2;
    case KEY_IPV4HINT:
        return is_filled_with(length, 4);
    case KEY_IPV6HINT:
        return is_filled_with(length, 16);
    default: /* keys of RFC 9460 */
        return true;
    }
}

static void pass_parameters(struct reader *in)
{
    int last = -1;

    while (reader_left(in) > 0) {
        uint16_t key = read16(in);
        uint16_t length = read16(in);
        const uint8_t *value = read_span(in, length);
        in->failed |= value == NULL || key <= last || !is_good_parameter(key, value, length);
        last = key;
    }
}

static void pass_plain_name(struct reader *in)
{
    struct name name;

    name_read(in, &name);
}

/* The bits that the prefix does not cover, and the prefix's name when there is one. */
static void pass_a6(struct reader *in)
{
    uint8_t prefix = read8(in);

    in->failed |= prefix > A6_BITS;
    if (in->failed)
        return;
    read_span(in, (A6_BITS - prefix + 7U) / 8);
    if (prefix > 0)
        pass_plain_name(in);
}

static void pass_rest(struct reader *in, bool may_be_empty)
{
    in->failed |= !may_be_empty && reader_left(in) == 0;
    read_span(in, reader_left(in));
}

static void pass_part(struct reader *in, char part)
{
    switch (part) {
    case 'n':
    case 'm':
        rr_pass_name(in);
        return;
    case 'u':
        pass_plain_name(in);
        return;
    case 's':
        read_span(in, read8(in));
        return;
    case 't':
        pass_filled_string(in);
        return;
    case 'S':
        pass_strings(in);
        return;
    case 'b':
        pass_bitmap(in);
        return;
    case 'p':
        pass_parameters(in);
        return;
    case 'a':
        pass_a6(in);
        return;
    case '+':
    case '*':
        pass_rest(in, part == '*');
        return;
    default: /* char */
        read_span(in, (size_t)(part - '0'));
    }
}

bool rr_is_sound(const uint8_t *message, const struct rr *record)
{
    const char *form = type_form(record->type);
    struct reader data = reader_over(message, (size_t)(record->data - message));

    if (form == NULL)
        return true;
    data.next = data.end;
    data.end += record->length;
    for (; *form != '\0' && !data.failed; form++)
        pass_part(&data, *form);
    return !data.failed && data.next == data.end;
}

struct rr_names rr_names(const struct rr *record)
{
    struct rr_names names = {.count = 0};
    const char *part = type_form(record->type);

    for (; part != NULL && ((*part >= '1' && *part <= '8') || *part == 's'); part++)
        names.before = (uint16_t)(names.before +
                                  (*part == 's' ? 1 + record->data[names.before] : *part - '0'));
    for (; part != NULL && (*part == 'n' || *part == 'm'); part++) {
        names.may_point = *part == 'n';
        names.count++;
    }
    return names;
}
