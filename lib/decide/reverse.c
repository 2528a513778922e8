#include "decide/reverse.h"

#include <string.h>

#include "base/number.h"
#include "wire/types.h"

enum {
    ARPA_LABELS = 2,
    ARPA_OCTETS = 14,
    ADDRESS_OCTETS = 4,
    ZONE_LABELS = 4, /* two octets of a /16 before in-addr.arpa */
};

static bool read_octet(const uint8_t *label, uint32_t *octet)
{
    uint64_t value;

    if (!number_from_text((const char *)label + 1, *label, &value) || value > UINT8_MAX)
        return false;
    *octet = (uint32_t)value;
    return true;
}

bool reverse_read(const struct name *name, struct reverse *reverse)
{
    const uint8_t *tail = name->octets + name->length - ARPA_OCTETS;
    uint32_t octet;

    if (name->label_count <= ARPA_LABELS || name->length < ARPA_OCTETS ||
        !octets_equal(tail, (const uint8_t *)"\7in-addr\4arpa", ARPA_OCTETS))
        return false;
    *reverse = (struct reverse){.labels = name->label_count - ARPA_LABELS};
    while (reverse->octets < reverse->labels && reverse->octets < ADDRESS_OCTETS &&
           read_octet(name_suffix(name, reverse->labels - reverse->octets - 1), &octet)) {
        reverse->address |= octet << (24 - 8 * reverse->octets);
        reverse->octets++;
    }
    return true;
}

/* The served space whose CIDR holds the address, by the memberships of class space. */
static const struct membership *find_owner(const struct snapshot *snapshot,
                                           const struct client *client, uint32_t address)
{
    struct membership_set set = view_find(client->view, address);

    for (uint32_t i = 0; i < set.count; i++) {
        const struct membership *member = &client->view->memberships[set.first + i];
        if (cidr_contains(snapshot->segments[member->segment]->cidr, address))
            return member;
    }
    return NULL;
}

static const struct router_entry *find_router(const struct segment *segment, uint32_t ip)
{
    for (size_t i = 0; i < segment->router_count; i++)
        if (segment->routers[i].ip == ip)
            return &segment->routers[i];
    return NULL;
}

static void answer_pointer(const struct query *query, enum answer_kind kind,
                           struct verdict *verdict)
{
    if (query->type != TYPE_PTR && query->type != TYPE_ANY) {
        verdict_negative(verdict, SITUATION_NO_DATA, RCODE_NOERROR, REASON_NONE);
        return;
    }
    verdict->is_authoritative = true;
    verdict->situation = SITUATION_RECORDS;
    verdict->answer = kind;
}

static void decide_address(const struct query *query, uint32_t address, struct verdict *verdict)
{
    const struct segment *segment = verdict->segment;
    uint32_t dyno = segment_find_dyno(segment, address);

    if (dyno != ENTRY_NONE) {
        verdict->dyno = &segment->dynos[dyno];
        verdict->formation = segment_formation_of(segment, dyno);
        verdict->app = &segment->apps[verdict->formation->app];
        answer_pointer(query, ANSWER_DYNO_NAME, verdict);
        return;
    }
    verdict->router = find_router(segment, address);
    if (verdict->router != NULL)
        answer_pointer(query, ANSWER_ROUTER_NAME, verdict);
    else
        verdict_negative(verdict, SITUATION_NOT_DECLARED, RCODE_NXDOMAIN, REASON_NOT_DECLARED);
}

bool reverse_decide(const struct snapshot *snapshot, const struct client *client,
                    const struct query *query, struct verdict *verdict)
{
    struct reverse reverse;
    if (!reverse_read(&query->name, &reverse) || reverse.octets < 2)
        return false; /* not a reverse name, or one of a whole /8, which no space owns */
    const struct membership *owner = find_owner(snapshot, client, reverse.address);
    if (owner == NULL && !snapshot_has_space(snapshot, reverse.address))
        return false;
    verdict->soa_label = (uint8_t)(query->name.label_count - ZONE_LABELS);
    if (owner == NULL) { /* visible only at other addresses of this server */
        verdict_conceal(NULL, verdict);
        return true;
    }
    if (!verdict_admit(client, snapshot, owner->segment, verdict))
        return true;
    if ((snapshot->policy.localspace_to >> verdict->membership->class & 1) == 0) {
        verdict_refuse_class(verdict);
        return true;
    }
    if (verdict->soa_label == 0 && query->type == TYPE_SOA)
        verdict_soa(verdict);
    else if (reverse.labels == reverse.octets && reverse.octets < ADDRESS_OCTETS)
        /* empty non-terminals between the zone's apex and its addresses */
        verdict_negative(verdict, SITUATION_NO_DATA, RCODE_NOERROR, REASON_NONE);
    else if (reverse.labels != ADDRESS_OCTETS || reverse.octets < ADDRESS_OCTETS)
        verdict_negative(verdict, SITUATION_NOT_DECLARED, RCODE_NXDOMAIN, REASON_NOT_DECLARED);
    else
        decide_address(query, reverse.address, verdict);
    return true;
}
