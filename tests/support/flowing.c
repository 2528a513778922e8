#include "support/flowing.h"

#include <stdlib.h>

#include "support/deciding.h"
#include "support/suite.h"
#include "wire/types.h"

enum { ASKED_AT = 0x0a000002, TTL_SECONDS = 30 };

static void flowing_on_handed(void *context)
{
    (void)context;
}

void flowing_init(struct flowing *flowing, const struct snapshot *snapshot)
{
    *flowing = (struct flowing){.flows = flows_new(flowing_on_handed, NULL), .snapshot = snapshot};
    ck_assert_ptr_nonnull(flowing->flows);
    flows_adopt(flowing->flows, snapshot);
}

void flowing_close(struct flowing *flowing)
{
    flows_free(flowing->flows);
}

void flowing_at(struct flowing *flowing, uint64_t now_ms)
{
    flows_set_time(flowing->flows, now_ms);
}

static void add(struct flowing *flowing, const struct deciding *deciding,
                const struct verdict *verdict, bool is_answered)
{
    struct path path = {.source = deciding->client.address, .destination = ASKED_AT};

    flows_add(flowing->flows,
              &(struct flow_reply){.path = &path,
                                   .name = &deciding->query.name,
                                   .name_hash =
                                       index_hash(&flowing->snapshot->index, &deciding->query.name),
                                   .verdict = verdict,
                                   .ttl_seconds = TTL_SECONDS,
                                   .type = deciding->query.type,
                                   .rcode = verdict->rcode,
                                   .answer_count = is_answered,
                                   .class = (uint8_t)client_class(&deciding->client)});
}

void flowing_reply(struct flowing *flowing, const char *from, const char *name, uint16_t type,
                   unsigned count)
{
    struct deciding deciding;

    deciding_ask(&deciding, flowing->snapshot, from, name, type);
    for (unsigned i = 0; i < count; i++)
        add(flowing, &deciding, &deciding.verdict, deciding.verdict.answer != ANSWER_NONE);
}

void flowing_foreign(struct flowing *flowing, const char *from, const char *name, uint8_t rcode)
{
    const struct verdict verdict = {.rcode = rcode};
    struct deciding deciding;

    deciding_ask(&deciding, flowing->snapshot, from, name, TYPE_A);
    add(flowing, &deciding, &verdict, rcode == RCODE_NOERROR);
}

const struct flow_table *flowing_take(struct flowing *flowing)
{
    flows_request(flowing->flows);
    flows_answer(flowing->flows);
    return flows_take(flowing->flows);
}
