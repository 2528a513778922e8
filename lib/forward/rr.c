#include "forward/rr.h"

#include <assert.h>

#include "wire/query.h"

enum {
    HEAD_OCTETS = 10,          /* type, class, TTL, length of data */
    NAME_STEPS_MOST = 2 * 127, /* a pointer for each label: no server writes more */
    POINTER = 0xc0,
};

/* Follows a name from its offset. Returns the offset behind it, or 0 when it is malformed. */
static size_t follow_name(const uint8_t *message, size_t at, size_t end)
{
    size_t behind_pointer = 0, earlier_than = at, octets = 1;

    for (int steps = 0; steps < NAME_STEPS_MOST && at < end; steps++) {
        uint8_t length = message[at];
        if (length == 0)
            return behind_pointer != 0 ? behind_pointer : at + 1;
        if (length <= LABEL_MAX_OCTETS) {
            octets += length + 1U;
            at += length + 1U;
            if (octets > NAME_MAX_OCTETS)
                return 0;
            continue;
        }
        if (length < POINTER || at + 1 >= end)
            return 0;
        if (behind_pointer == 0)
            behind_pointer = at + 2;
        at = load16(message + at) & 0x3fffU;
        if (at >= earlier_than || at < HEADER_OCTETS)
            return 0;
        earlier_than = at;
    }
    return 0;
}

bool rr_pass_name(struct reader *in)
{
    size_t behind =
        follow_name(in->start, (size_t)(in->next - in->start), (size_t)(in->end - in->start));

    if (behind == 0)
        in->failed = true;
    else
        in->next = in->start + behind;
    return !in->failed;
}

static bool read_head(struct reader *in, struct rr *record)
{
    const uint8_t *head = read_span(in, HEAD_OCTETS);

    if (head == NULL)
        return false;
    record->type = load16(head);
    record->class = load16(head + 2);
    record->ttl = head + 4;
    record->length = load16(head + 8);
    record->data = read_span(in, record->length);
    return record->data != NULL;
}

bool rr_read(struct reader *in, struct rr *record)
{
    record->start = in->next;
    return !in->failed && rr_pass_name(in) && read_head(in, record);
}

size_t rr_copy_name(const uint8_t *message, const uint8_t *name, uint8_t *out)
{
    const uint8_t *at = name, *behind = NULL;

    /* Bounded: follow_name has checked this name. */
    for (; *at != 0; at += *at + 1U) {
        while (*at >= POINTER) {
            behind = behind == NULL ? at + 2 : behind;
            at = message + (load16(at) & 0x3fffU);
        }
        if (*at == 0)
            break;
        octets_copy(out, at, *at + 1U);
        out += *at + 1U;
    }
    *out = 0;
    return (size_t)((behind == NULL ? at + 1 : behind) - name);
}

void rr_read_name(const uint8_t *message, const uint8_t *name, struct name *out)
{
    uint8_t octets[NAME_MAX_OCTETS] __attribute__((uninitialized));

    rr_copy_name(message, name, octets);
    struct reader in = reader_over(octets, sizeof octets);
    bool is_read = name_read(&in, out);
    assert(is_read);
    (void)is_read;
}

bool rr_next(struct reader *in, struct rr *record)
{
    record->start = in->next;
    name_skip(in);
    return read_head(in, record);
}
