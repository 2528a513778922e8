#include "decide/reverse.h"

#include <string.h>

#include "decide/discovery.h"
#include "wire/types.h"

enum { ARPA_LABELS = 2, ARPA_OCTETS = 14, ZONE_LABELS = 4 /* two octets of a /16 before them */ };

/*
 * Reads the address octets nearest to in-addr.arpa, four at most. Returns how many labels stand in
 * front of in-addr.arpa, 0 when the name is no reverse name.
 */
static unsigned read_address(const struct name *name, uint32_t *address)
{
    const uint8_t *tail = name->octets + name->length - ARPA_OCTETS;
    if (name->label_count <= ARPA_LABELS || name->length < ARPA_OCTETS ||
        memcmp(tail, "\7in-addr\4arpa", ARPA_OCTETS) != 0)
        return 0;
    unsigned count = name->label_count - ARPA_LABELS;
    unsigned read = count < 4 ? count : 4;
    const uint8_t *label = name_suffix(name, count - read);
    uint32_t value = 0;
    for (unsigned i = 0; i < read; i++, label += *label + 1U) {
        uint32_t octet;
        bool is_zero = label[0] == 1 && label[1] == '0';
        if (!is_zero && (!label_read_number(label, &octet) || octet > 255))
            return 0;
        value = value >> 8 | (is_zero ? 0 : octet) << 24;
    }
    *address = value;
    return count;
}

/* The served space whose CIDR holds the address; memberships of class space say so. */
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
        decide_negative(verdict, SITUATION_NO_DATA, RCODE_NOERROR, REASON_NONE);
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
        decide_negative(verdict, SITUATION_NOT_DECLARED, RCODE_NXDOMAIN, REASON_NOT_DECLARED);
}

bool reverse_decide(const struct snapshot *snapshot, const struct client *client,
                    const struct query *query, struct verdict *verdict)
{
    uint32_t address;
    unsigned count = read_address(&query->name, &address);
    if (count < 2)
        return false; /* no reverse name, or one of a whole /8: that is not a space's */
    const struct membership *owner = find_owner(snapshot, client, address);
    if (owner == NULL)
        return false;
    verdict->soa_label = (uint8_t)(query->name.label_count - ZONE_LABELS);
    if (!decide_membership(client, snapshot, owner->segment, verdict))
        return true;
    if ((snapshot->policy.localspace_to >> verdict->membership->class & 1) == 0) {
        verdict->situation = SITUATION_CLASS_REFUSED;
        verdict->rcode = RCODE_REFUSED;
        verdict->reason = REASON_NOT_ALLOWED;
        return true;
    }
    if (count < 4) /* between the zone's apex and its addresses: empty non-terminals */
        decide_negative(verdict, SITUATION_NO_DATA, RCODE_NOERROR, REASON_NONE);
    else if (count > 4)
        decide_negative(verdict, SITUATION_NOT_DECLARED, RCODE_NXDOMAIN, REASON_NOT_DECLARED);
    else
        decide_address(query, address, verdict);
    return true;
}
