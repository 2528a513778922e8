#include "inspect/diff_side.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "decide/decide.h"
#include "wire/types.h"

static bool add_address(struct addresses *addresses, uint32_t address)
{
    if (addresses->count == addresses->capacity) {
        size_t wider = addresses->capacity == 0 ? 64 : 2 * addresses->capacity;
        uint32_t *moved = realloc(addresses->items, wider * sizeof *moved);
        if (moved == NULL)
            return false;
        addresses->items = moved;
        addresses->capacity = wider;
    }
    addresses->items[addresses->count++] = address;
    return true;
}

static bool add_routers(struct addresses *addresses, const struct segment *segment)
{
    bool done = true;

    for (size_t i = 0; i < segment->router_count; i++)
        if (segment->routers[i].state == ROUTER_UP)
            done = add_address(addresses, segment->routers[i].ip) && done;
    return done;
}

static bool add_dynos(struct addresses *addresses, const struct verdict *verdict)
{
    const struct dyno_entry *dynos = verdict->segment->dynos + verdict->formation->dynos;
    bool done = true;

    for (uint32_t i = 0; i < verdict->formation->dyno_count; i++)
        if (dynos[i].state == DYNO_UP)
            done = add_address(addresses, dynos[i].ip) && done;
    return done;
}

static bool add_records(struct addresses *addresses, const struct verdict *verdict)
{
    const struct record_entry *records = verdict->segment->records + verdict->host->owner;
    bool done = true;

    for (unsigned i = 0; i < verdict->host->record_count; i++) {
        if (records[i].type == TYPE_A)
            done =
                add_address(addresses, load32(verdict->segment->texts + records[i].rdata)) && done;
    }
    return done;
}

static bool add_answer(struct addresses *addresses, const struct verdict *verdict)
{
    switch (verdict->answer) {
    case ANSWER_ROUTERS:
        return add_routers(addresses, verdict->segment);
    case ANSWER_FORMATION:
        return add_dynos(addresses, verdict);
    case ANSWER_RECORDS:
        return add_records(addresses, verdict);
    case ANSWER_NONE:
    case ANSWER_CUT:
    case ANSWER_DYNO:
    case ANSWER_ROUTER:
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
    return true;
}

static int compare_addresses(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

/* Hashes the static records as a sum, because their order does not matter. */
static uint64_t sum_records(const struct hash_key *key, const struct verdict *verdict)
{
    const struct segment *segment = verdict->segment;
    uint64_t sum = 0;

    if (segment == NULL || verdict->host == NULL || verdict->host->kind != HOST_RECORDS)
        return 0;
    for (unsigned i = 0; i < verdict->host->record_count; i++) {
        const struct record_entry *record = &segment->records[verdict->host->owner + i];
        sum += hash_octets(key, segment->texts + record->rdata, record->rdata_length) *
               (2 * (uint64_t)record->type + 1);
    }
    return sum;
}

static enum diff_state state_of(const struct verdict *verdict, size_t count)
{
    switch (verdict->situation) {
    case SITUATION_ROUTERS:
    case SITUATION_DYNOS:
    case SITUATION_RECORDS:
    case SITUATION_ALIAS:
    case SITUATION_NO_DATA:
    case SITUATION_NO_WEB:
    case SITUATION_NOT_RUNNING:
    case SITUATION_SPACE_CHANGING:
    case SITUATION_INTROSPECTION:
        return count > 0 ? DIFF_ANSWERED : DIFF_EMPTY;
    case SITUATION_NOT_DECLARED:
    case SITUATION_CLASS_REFUSED:
    case SITUATION_NO_DATA_CHAOS:
    case SITUATION_ALIAS_ENDLESS:
    case SITUATION_OTHER_SPACE:
    case SITUATION_KEPT_BACK:
    case SITUATION_FORWARD:
    case SITUATION_STALE:
    case SITUATION_UPSTREAM_FAILED:
    case SITUATION_REBIND:
    case SITUATION_SPECIAL:
    case SITUATION_SPECIAL_DATA:
    case SITUATION_SPECIAL_NO_DATA:
    case SITUATION_NOT_OURS:
    case SITUATION_OUTSIDER:
    case SITUATION_OUTSIDER_NXDOMAIN:
    case SITUATION_OUTSIDER_LIMITED:
    case SITUATION_RATE_LIMITED:
    case SITUATION_NOT_READY:
    case SITUATION_UNSUPPORTED:
    case SITUATION_OPCODE:
    case SITUATION_EDNS_VERSION:
    case SITUATION_COOKIE:
    case SITUATION_BAD_COOKIE:
    case SITUATION_MALFORMED:
    case SITUATION_COUNT:
        break;
    }
    return DIFF_ABSENT;
}

void diff_side_decide(struct diff_side *side, enum client_class class, const struct name *name)
{
    struct query query = {.type = TYPE_A, .class = CLASS_IN, .flags = FLAG_RD, .name = *name};
    struct addresses *addresses = &side->addresses[class];
    struct verdict verdict;

    decide(side->snapshot, &side->clients[class], &query, index_hash(&side->snapshot->index, name),
           &verdict);
    addresses->count = 0;
    if (!add_answer(addresses, &verdict))
        side->has_failed = true;
    if (addresses->count > 1)
        qsort(addresses->items, addresses->count, sizeof *addresses->items, compare_addresses);
    side->answers[class] = (struct diff_answer){
        .state = state_of(&verdict, addresses->count),
        .reason = addresses->count > 0 ? REASON_NONE : verdict.reason,
        .addresses = addresses->items,
        .count = addresses->count,
        .data = sum_records(side->key, &verdict),
    };
}

static void admit(struct diff_side *side, enum client_class class, uint32_t connection,
                  struct cidr block)
{
    uint32_t asked_at = side->segment->listen_count > 0 ? side->segment->listen[0] : 0;

    side->memberships[class] = (struct membership){.segment = side->number,
                                                   .class = (uint8_t) class,
                                                   .connection = connection,
                                                   .block = block};
    side->clients[class] = (struct client){.address = cidr_first(block),
                                           .view = access_view(&side->snapshot->access, asked_at),
                                           .memberships = &side->memberships[class],
                                           .count = 1};
}

void diff_side_enter(struct diff_side *side, const struct segment *segment, uint16_t number)
{
    side->segment = segment;
    side->number = number;
    for (unsigned i = 0; i < DIFF_CLASSES; i++)
        side->clients[i] = (struct client){.count = 0};
    if (segment == NULL)
        return;
    admit(side, CLIENT_SPACE, ENTRY_NONE, segment->cidr);
    for (size_t i = 0; i < segment->connection_count; i++) {
        const struct connection *connection = &segment->connections[i];
        bool is_peering = connection->kind == CONNECTION_PEERING;
        if (connection->grants && connection->block_count > 0)
            admit(side, is_peering ? CLIENT_PEERED : CLIENT_VPN, (uint32_t)i,
                  connection->blocks[0]);
    }
}

void diff_side_close(struct diff_side *side)
{
    for (unsigned i = 0; i < DIFF_CLASSES; i++)
        free(side->addresses[i].items);
}
