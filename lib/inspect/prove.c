#include "inspect/prove.h"

#include "decide/decide.h"
#include "inspect/prove_clients.h"
#include "inspect/prove_names.h"
#include "inspect/prove_rules.h"
#include "wire/types.h"

enum { ALL_CLASSES = 1U << CLIENT_SPACE | 1U << CLIENT_PEERED | 1U << CLIENT_VPN };

static const uint16_t types[] = {
    TYPE_A,   TYPE_AAAA, TYPE_CNAME, TYPE_NS, TYPE_SOA,    TYPE_PTR,
    TYPE_MX,  TYPE_TXT,  TYPE_SRV,   TYPE_DS, TYPE_SVCB,   TYPE_ANY,
    TYPE_CAA, TYPE_AXFR, TYPE_IXFR,  4711,    TYPE_DNSKEY, TYPE_HTTPS,
};
enum { TYPE_COUNT = sizeof types / sizeof types[0] };

struct proving {
    struct snapshot tried; /* the snapshot with an upstream for all names */
    struct route everything;
    struct proof_clients clients;
    uint64_t stride;
    struct proof *proof;
    struct err *err;
};

static bool try_types(struct proving *proving, const struct proof_client *querier,
                      const struct proof_name *name, uint64_t hash)
{
    struct trial trial = {
        .snapshot = &proving->tried,
        .err = proving->err,
        .querier = querier,
        .name = name,
        .query = {.class = CLASS_IN, .flags = FLAG_RD, .name = name->name},
    };

    for (unsigned i = 0; i < TYPE_COUNT; i++) {
        trial.query.type = types[i];
        decide(&proving->tried, &querier->client, &trial.query, hash, &trial.verdict);
        proving->proof->decisions++;
        proving->proof->answers[verdict_answer(&trial.verdict)]++;
        if (!trial_check(&trial))
            return false;
    }
    return true;
}

static bool try_name(void *context, const struct proof_name *name)
{
    struct proving *proving = context;
    uint64_t hash = index_hash(&proving->tried.index, &name->name);
    size_t turn = proving->proof->names++ % proving->stride;

    for (size_t i = turn; i < proving->clients.count; i += proving->stride)
        if (!try_types(proving, &proving->clients.items[i], name, hash))
            return false;
    if (proving->stride == 1 || name->owner == NULL)
        return true;
    for (size_t i = proving->clients.starts[name->number];
         i < proving->clients.starts[name->number + 1]; i++)
        if (!try_types(proving, &proving->clients.items[proving->clients.members[i]], name, hash))
            return false;
    return true;
}

static bool count_name(void *context, const struct proof_name *name)
{
    (void)name;
    ++*(uint64_t *)context;
    return true;
}

/* Tries all names with this setting of recursion_for. */
static bool try_names(struct proving *proving, const struct recursion *recursion)
{
    proving->tried.policy.recursion_for = *recursion;
    proving->proof->names = 0;
    return proof_walk(&proving->tried, try_name, proving);
}

bool prove(const struct snapshot *snapshot, struct proof *proof, struct err *err)
{
    struct proving proving = {
        .tried = *snapshot, .everything = {.upstreams = "192.0.2.1"}, .proof = proof, .err = err};
    const struct recursion *configured = &snapshot->policy.recursion_for;
    const struct recursion everything = {.all = ALL_CLASSES};
    uint64_t names = 0;

    *proof = (struct proof){.types = TYPE_COUNT};
    name_from_text(".", &proving.everything.zone);
    proving.tried.policy.routes = (struct routes){.items = &proving.everything, .count = 1};
    proof_walk(&proving.tried, count_name, &names);
    bool holds = proof_clients_init(&proving.clients, &proving.tried, err);
    proving.stride = 1 + names * proving.clients.count * TYPE_COUNT / PROOF_DECISIONS_MOST;
    proof->clients = proving.clients.count;
    proof->outsiders = proving.clients.outsiders;
    proof->takes_turns = proving.stride > 1;
    holds = holds && try_names(&proving, &everything) &&
            (configured->count == 0 || try_names(&proving, configured));
    proof_clients_close(&proving.clients);
    return holds;
}
