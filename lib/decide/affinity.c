#include "decide/affinity.h"

const struct az_entry *affinity_find_az(const struct client *client,
                                        const struct membership *membership,
                                        const struct segment *segment)
{
    bool is_own = membership != NULL && membership->class == CLIENT_SPACE;

    return is_own ? segment_find_az(segment, client->address) : NULL;
}

bool affinity_orders(enum answer_kind answer)
{
    return answer == ANSWER_ROUTERS || answer == ANSWER_FORMATION || answer == ANSWER_SERVICES;
}

static bool is_in_group(const struct verdict *verdict, uint32_t number, bool is_own)
{
    const struct segment *segment = verdict->segment;
    const struct dyno_entry *dyno = &segment->dynos[verdict->formation->dynos + number];

    return dyno->state == DYNO_UP && (segment_find_az(segment, dyno->ip) == verdict->az) == is_own;
}

/* Bounded by the dynos of one formation. */
static uint32_t count_group(const struct verdict *verdict, bool is_own)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < verdict->formation->dyno_count; i++)
        count += is_in_group(verdict, i, is_own);
    return count;
}

/* Out of line, because most spaces have no affinity. */
__attribute__((noinline)) void affinity_choose(const struct client *client, struct verdict *verdict)
{
    if (!affinity_orders(verdict->answer))
        return;
    const struct az_entry *az = affinity_find_az(client, verdict->membership, verdict->segment);
    if (az == NULL)
        return;
    verdict->az = az; /* count_group compares with it */
    uint32_t count = verdict->answer == ANSWER_ROUTERS ? az->up_count : count_group(verdict, true);
    if (count == 0)
        verdict->az = NULL;
}

/* Visits a group from its `first` member on, and then those before it: two rounds. */
static bool walk_group(const struct verdict *verdict, bool is_own, uint32_t first,
                       affinity_visit_dyno *visit, void *context)
{
    const struct dyno_entry *dynos = verdict->segment->dynos + verdict->formation->dynos;

    for (unsigned round = 0; round < 2; round++) {
        uint32_t number = 0;
        for (uint32_t i = 0; i < verdict->formation->dyno_count; i++) {
            if (!is_in_group(verdict, i, is_own))
                continue;
            bool is_before = number++ < first;
            if (is_before == (round == 1) && !visit(context, &dynos[i], is_own))
                return false;
        }
    }
    return true;
}

void affinity_walk_dynos(const struct verdict *verdict, uint32_t rotation,
                         affinity_visit_dyno *visit, void *context)
{
    uint32_t own = count_group(verdict, true);

    if (own > 0 && !walk_group(verdict, true, rotation % own, visit, context))
        return;
    if (verdict->segment->affinity == AFFINITY_ONLY)
        return;
    uint32_t others = count_group(verdict, false);
    if (others > 0)
        walk_group(verdict, false, rotation % others, visit, context);
}
