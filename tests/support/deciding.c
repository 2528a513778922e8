#include "support/deciding.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/address.h"

void deciding_decide(struct deciding *deciding, const struct snapshot *snapshot, const char *from)
{
    struct path path = {.destination = 0x0a000002};
    const struct query *query = &deciding->query;

    if (!ipv4_read(from, &path.source)) {
        fprintf(stderr, "%s asks\n", from);
        abort();
    }
    client_classify(snapshot, &path, &deciding->client);
    decide(snapshot, &deciding->client, query,
           snapshot == NULL ? 0 : index_hash(&snapshot->index, &query->name), &deciding->verdict);
}

void deciding_ask(struct deciding *deciding, const struct snapshot *snapshot, const char *from,
                  const char *name, uint16_t type)
{
    deciding->query = (struct query){.type = type, .class = 1, .flags = FLAG_RD};
    if (!name_from_text(name, &deciding->query.name)) {
        fprintf(stderr, "%s asks for %s\n", from, name);
        abort();
    }
    deciding_decide(deciding, snapshot, from);
}
