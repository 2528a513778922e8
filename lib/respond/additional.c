#include "respond/additional.h"

#include "respond/render.h"
#include "wire/types.h"

enum { POINTERS_END = 0x4000, MX_HEAD_OCTETS = 2, SRV_HEAD_OCTETS = 6 };

void additional_note(struct additional *additional, const struct reply *reply, uint16_t type,
                     const uint8_t *data)
{
    size_t head = type == TYPE_MX ? MX_HEAD_OCTETS : SRV_HEAD_OCTETS;
    size_t offset = (size_t)(data - reply->out.start) + head;

    if (type != TYPE_MX && type != TYPE_SRV)
        return;
    if (additional->count < ADDITIONAL_TARGETS_MOST && offset < POINTERS_END)
        additional->offsets[additional->count++] = (uint16_t)offset;
}

/* Reads the target from the reply, uncompressed. */
static void read_target(const struct reply *reply, uint16_t offset, struct name *target)
{
    struct reader in = reader_over(reply->out.start + offset,
                                   (size_t)(reply->out.next - reply->out.start) - offset);

    name_read(&in, target);
}

static bool is_new(const struct additional *additional, const struct reply *reply, unsigned number,
                   const struct name *target)
{
    struct name earlier;

    for (unsigned i = 0; i < number; i++) {
        read_target(reply, additional->offsets[i], &earlier);
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
    case ANSWER_NONE:
    case ANSWER_CUT:
    case ANSWER_DYNO_NAME:
    case ANSWER_ROUTER_NAME:
    case ANSWER_SERVICES:
    case ANSWER_ALIAS:
    case ANSWER_SOA:
    case ANSWER_LOCALHOST:
#define NAME(symbol, parent, label, type, printer, help) case ANSWER_##symbol:
#include "decide/names.def"
        break;
    }
    return false;
}

/* Writes the target's addresses of one type, or none when they do not all fit. */
static void write_addresses(const struct snapshot *snapshot, const struct exchange *exchange,
                            const struct name *target, uint16_t type, uint16_t offset,
                            struct reply *reply)
{
    const struct reply before = *reply;
    struct exchange additional = *exchange;

    additional.query.name = *target;
    additional.query.type = type;
    additional.hash = index_hash(&snapshot->index, target);
    decide(snapshot, &additional.client, &additional.query, additional.hash, &additional.verdict);
    if (!is_set_of_addresses(&additional.verdict))
        return;
    reply_enter(reply, SECTION_ADDITIONAL);
    render(snapshot, &additional, reply, offset);
    if (reply_is_cut(reply))
        *reply = before;
}

void additional_write(const struct additional *additional, const struct snapshot *snapshot,
                      const struct exchange *exchange, struct reply *reply)
{
    struct name target;

    for (unsigned i = 0; i < additional->count && !reply_is_cut(reply); i++) {
        read_target(reply, additional->offsets[i], &target);
        if (!is_new(additional, reply, i, &target))
            continue;
        write_addresses(snapshot, exchange, &target, TYPE_A, additional->offsets[i], reply);
        write_addresses(snapshot, exchange, &target, TYPE_AAAA, additional->offsets[i], reply);
    }
}
