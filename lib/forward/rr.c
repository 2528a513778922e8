#include "forward/rr.h"

#include "wire/name.h"
#include "wire/query.h"
#include "wire/types.h"

enum {
    HEAD_OCTETS = 10,          /* type, class, TTL, length of data */
    SOA_NUMBERS_OCTETS = 20,   /* serial, refresh, retry, expire, minimum */
    NAME_STEPS_MOST = 2 * 127, /* as many pointers as labels are more than anyone writes */
    POINTER = 0xc0,
};

/* Types of old that types.def has no names for. */
enum {
    TYPE_MD = 3,
    TYPE_MF = 4,
    TYPE_MB = 7,
    TYPE_MG = 8,
    TYPE_MR = 9,
    TYPE_MINFO = 14,
    TYPE_RP = 17,
    TYPE_AFSDB = 18,
    TYPE_RT = 21,
    TYPE_PX = 26,
    TYPE_DNAME = 39,
};

/* Where names stand in data: after some octets, so many of them, then so many octets. */
struct shape {
    uint8_t before;
    uint8_t names;
    uint8_t after;
};

static const struct shape shapes[] = {
    [TYPE_NS] = {0, 1, 0},  [TYPE_MD] = {0, 1, 0},    [TYPE_MF] = {0, 1, 0},
    [TYPE_MB] = {0, 1, 0},  [TYPE_CNAME] = {0, 1, 0}, [TYPE_SOA] = {0, 2, SOA_NUMBERS_OCTETS},
    [TYPE_MG] = {0, 1, 0},  [TYPE_MR] = {0, 1, 0},    [TYPE_PTR] = {0, 1, 0},
    [TYPE_MX] = {2, 1, 0},  [TYPE_MINFO] = {0, 2, 0}, [TYPE_RP] = {0, 2, 0},
    [TYPE_RT] = {2, 1, 0},  [TYPE_AFSDB] = {2, 1, 0}, [TYPE_PX] = {2, 2, 0},
    [TYPE_SRV] = {6, 1, 0}, [TYPE_DNAME] = {0, 1, 0},
};

enum { SHAPES = sizeof shapes / sizeof shapes[0] };

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

static bool pass_name(struct reader *in)
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

static bool has_good_names(const struct reader *in, const struct rr *record)
{
    if (record->type >= SHAPES || shapes[record->type].names == 0)
        return true;
    const struct shape *shape = &shapes[record->type];
    struct reader data = reader_over(in->start, (size_t)(record->data - in->start));

    data.next = data.end;
    data.end += record->length;
    read_span(&data, shape->before);
    for (int i = 0; i < shape->names && !data.failed; i++)
        pass_name(&data);
    read_span(&data, shape->after);
    return !data.failed && data.next == data.end;
}

bool rr_read(struct reader *in, struct rr *record)
{
    record->start = in->next;
    if (in->failed || !pass_name(in) || !read_head(in, record))
        return false;
    in->failed = !has_good_names(in, record);
    return !in->failed;
}

bool rr_next(struct reader *in, struct rr *record)
{
    record->start = in->next;
    name_skip(in);
    return read_head(in, record);
}
