#include "respond/beside.h"

#include "respond/render.h"
#include "wire/types.h"

enum { POINTERS_END = 0x4000, MX_HEAD_OCTETS = 2, SRV_HEAD_OCTETS = 6 };

void beside_note(struct beside *beside, const struct reply *reply, uint16_t type,
                 const uint8_t *data)
{
    size_t head = type == TYPE_MX ? MX_HEAD_OCTETS : SRV_HEAD_OCTETS;
    size_t offset = (size_t)(data - reply->out.start) + head;

    if (type != TYPE_MX && type != TYPE_SRV)
        return;
    if (beside->count < BESIDE_TARGETS_MOST && offset < POINTERS_END)
        beside->offsets[beside->count++] = (uint16_t)offset;
}

/* The target as it was written, whole. */
static void read_target(const struct reply *reply, uint16_t offset, struct name *target)
{
    struct reader in = reader_over(reply->out.start + offset,
                                   (size_t)(reply->out.next - reply->out.start) - offset);

    name_read(&in, target);
}

static bool is_new(const struct beside *beside, const struct reply *reply, unsigned number,
                   const struct name *target)
{
    struct name earlier;

    for (unsigned i = 0; i < number; i++) {
        read_target(reply, beside->offsets[i], &earlier);
        if (name_equals(&earlier, target->octets, target->length))
            return false;
    }
    return true;
}

static bool is_set_of_addresses(const struct verdict *verdict)
{
    switch (verdict->answer) {
    case ANSWER_ROUTERS:
        return !verdict_has_cname(verdict);
    case ANSWER_FORMATION:
    case ANSWER_DYNO:
    case ANSWER_ROUTER:
    case ANSWER_RECORDS:
        return true;
    default:
        return false;
    }
}

/* Writes the target's addresses of one type, or none of them when they do not fit. */
static void write_addresses(const struct snapshot *snapshot, const struct exchange *exchange,
                            const struct name *target, uint16_t type, uint16_t offset,
                            struct reply *reply)
{
    const struct reply before = *reply;
    struct exchange beside = *exchange;

    beside.query.name = *target;
    beside.query.type = type;
    beside.hash = index_hash(&snapshot->index, target);
    decide(snapshot, &beside.client, &beside.query, beside.hash, &beside.verdict);
    if (!is_set_of_addresses(&beside.verdict))
        return;
    reply_enter(reply, SECTION_ADDITIONAL);
    render(snapshot, &beside, reply, offset);
    if (reply_is_cut(reply))
        *reply = before;
}

void beside_write(const struct beside *beside, const struct snapshot *snapshot,
                  const struct exchange *exchange, struct reply *reply)
{
    struct name target;

    for (unsigned i = 0; i < beside->count && !reply_is_cut(reply); i++) {
        read_target(reply, beside->offsets[i], &target);
        if (!is_new(beside, reply, i, &target))
            continue;
        write_addresses(snapshot, exchange, &target, TYPE_A, beside->offsets[i], reply);
        write_addresses(snapshot, exchange, &target, TYPE_AAAA, beside->offsets[i], reply);
    }
}
