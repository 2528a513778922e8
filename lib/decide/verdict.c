#include "decide/verdict.h"

#include "wire/types.h"

void verdict_set(struct verdict *verdict, enum situation situation, uint8_t rcode,
                 enum reason reason)
{
    verdict->situation = situation;
    verdict->rcode = rcode;
    verdict->reason = reason;
}

void verdict_not_ours(struct verdict *verdict)
{
    verdict_set(verdict, SITUATION_NOT_OURS, RCODE_REFUSED, REASON_NOT_OURS);
}

void verdict_forward(struct verdict *verdict, uint8_t route)
{
    verdict_set(verdict, SITUATION_FORWARD, RCODE_SERVFAIL, REASON_NONE);
    verdict->route = route;
}

void verdict_refuse_class(struct verdict *verdict)
{
    verdict_set(verdict, SITUATION_CLASS_REFUSED, RCODE_REFUSED, REASON_NOT_ALLOWED);
}

void verdict_negative(struct verdict *verdict, enum situation situation, uint8_t rcode,
                      enum reason reason)
{
    verdict_set(verdict, situation, rcode, reason);
    verdict->is_authoritative = true;
    verdict->has_soa = true;
}

void verdict_soa(struct verdict *verdict)
{
    verdict->is_authoritative = true;
    verdict->situation = SITUATION_RECORDS;
    verdict->answer = ANSWER_SOA;
}

void verdict_rebind(struct verdict *verdict)
{
    verdict_set(verdict, SITUATION_REBIND, RCODE_NOERROR, REASON_REBIND);
    verdict->has_soa = true;
}

void verdict_withhold(struct verdict *verdict, enum situation situation)
{
    verdict->soa_label = 0;
    verdict_negative(verdict, situation, RCODE_NXDOMAIN, REASON_WITHHELD);
}

void verdict_conceal(const struct segment *owner, struct verdict *verdict)
{
    verdict->is_concealed = true;
    verdict->owner = owner;
    verdict->host = NULL;
    verdict->app = NULL;
    verdict->segment = NULL;
    verdict->soa_label = 0;
}

void verdict_unready(const struct segment *segment, const struct membership *membership,
                     struct verdict *verdict)
{
    verdict->segment = segment;
    verdict->membership = membership;
    verdict_set(verdict, SITUATION_NOT_READY, RCODE_SERVFAIL, REASON_NOT_READY);
}

bool verdict_admit(const struct client *client, const struct snapshot *snapshot, uint16_t segment,
                   struct verdict *verdict)
{
    verdict->segment = snapshot->segments[segment];
    verdict->membership = client_membership(client, segment);
    if (verdict->membership == NULL) {
        verdict_conceal(verdict->segment, verdict);
        return false;
    }
    if (verdict->segment->is_unready) {
        verdict_unready(verdict->segment, verdict->membership, verdict);
        return false;
    }
    if (verdict->segment->state != SPACE_ALLOCATED) {
        verdict_negative(verdict, SITUATION_SPACE_CHANGING, RCODE_NOERROR, REASON_SPACE_CHANGING);
        return false;
    }
    return true;
}

bool verdict_fits(const struct verdict *verdict)
{
    const struct answer_row *row = answer_row(verdict_answer(verdict));
    bool is_empty = (verdict->answer == ANSWER_NONE || verdict->answer == ANSWER_CUT) &&
                    !verdict_has_cname(verdict);

    if ((row->reasons >> verdict->reason & 1) == 0 ||
        (row->rcode <= UINT8_MAX && row->rcode != verdict->rcode))
        return false;
    if (verdict_answer(verdict) == SITUATION_ALIAS) /* its parts are those of another line */
        return true;
    if (verdict->has_soa != (row->authority == PART_SOA))
        return false;
    if (row->aa != AA_OF_FIRST && verdict->is_authoritative != (row->aa == AA_YES))
        return false;
    return is_empty == (row->answer == PART_NOTHING || row->answer == PART_UPSTREAM) ||
           row->answer == PART_CNAME;
}
