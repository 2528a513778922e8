#include "decide/explain_records.h"

#include <string.h>

#include "base/escape.h"
#include "decide/affinity.h"
#include "decide/explain_reason.h"
#include "decide/explain_step.h"

/* In the zone file, or in the key of the registry that the dynos are of. */
static void add_formation_location(const struct explanation *explanation, struct text *text,
                                   const struct verdict *verdict)
{
    const struct segment *segment = verdict->segment;
    const struct formation_entry *formation = verdict->formation;
    const struct app_entry *app = &segment->apps[formation->app];
    uint32_t line = verdict->dyno != NULL ? verdict->dyno->line : formation->at.line;
    uint64_t revision = segment_revision(segment, formation);

    if (revision == 0 || !explanation->has_locations) {
        explain_add_location(explanation, text, segment, line);
        return;
    }
    text_add_string(text, " (d/");
    text_add_string(text, segment->name);
    text_add_string(text, "/");
    text_add(text, segment_text(segment, app->name), app->name_length);
    text_add_string(text, "/");
    text_add_string(text, segment_type(segment, formation));
    text_add_string(text, "@");
    text_add_number(text, revision);
    if (verdict->dyno != NULL) {
        text_add_string(text, ":");
        text_add_number(text, line);
    }
    text_add_string(text, ")");
}

void explain_formation(const struct verdict *verdict, struct explanation *explanation)
{
    struct text text = explain_begin_step(explanation);

    text_add_string(&text, "process=");
    explain_add_type(&text, verdict);
    text_add_string(&text, " dynos=");
    text_add_number(&text, verdict->formation->dyno_count);
    if (verdict->dyno != NULL) {
        text_add_string(&text, " dyno=");
        text_add_number(&text, verdict->dyno->number);
        text_add_string(&text, " state=");
        text_add_string(&text, dyno_state_text(verdict->dyno->state));
    }
    add_formation_location(explanation, &text, verdict);
    explain_end_step(explanation, &text);
}

void explain_affinity(const struct client *client, const struct verdict *verdict,
                      struct explanation *explanation)
{
    const struct segment *segment = verdict->segment;
    const struct az_entry *az = affinity_find_az(client, verdict->membership, segment);
    bool are_routers = verdict->answer == ANSWER_ROUTERS;
    struct text text = explain_begin_step(explanation);

    text_add_string(&text, "affinity=");
    text_add_string(&text, affinity_text(segment->affinity));
    if (az == NULL) {
        text_add_string(&text, ": the client is in no dyno CIDR with an az, so all in turn");
        explain_end_step(explanation, &text);
        return;
    }
    text_add_string(&text, " az=");
    escape_add(&text, az->name, strlen(az->name));
    if (verdict->az == NULL) {
        text_add_string(&text, are_routers ? ": no router" : ": no dyno");
        text_add_string(&text, " of the client's zone is up, so all in turn");
    } else {
        text_add_string(&text, are_routers ? ": the routers" : ": the dynos");
        text_add_string(&text, " of the client's zone ");
        text_add_string(&text, segment->affinity == AFFINITY_ONLY ? "alone" : "first");
    }
    explain_end_step(explanation, &text);
}

void explain_routers(const struct verdict *verdict, struct explanation *explanation)
{
    const struct segment *segment = verdict->segment;
    struct text text = explain_begin_step(explanation);

    text_add_string(&text, "routers up:");
    for (size_t i = 0; i < segment->router_count; i++) {
        if (segment->routers[i].state != ROUTER_UP)
            continue;
        text_add_string(&text, " ");
        text_add_ipv4(&text, segment->routers[i].ip);
        if (segment->affinity != AFFINITY_NONE && segment->routers[i].az != ENTRY_NONE) {
            const char *az = segment->azs[segment->routers[i].az].name;
            text_add_string(&text, " (");
            escape_add(&text, az, strlen(az));
            text_add_string(&text, ")");
        }
    }
    explain_add_location(explanation, &text, segment, segment->routers[0].at.line);
    explain_end_step(explanation, &text);
}
