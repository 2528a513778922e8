/**
 * Any octets, read as a zone file. A file that passes the rules is sealed, asked a few questions,
 * and freed.
 *
 * Invariants: no crash; a text without a model has an error; every finding has a sentence; replies
 * from the sealed zone are read by ldns; a client of the space is never refused as an outsider.
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "answer/snapshot.h"
#include "respond/respond.h"
#include "space/parse.h"
#include "space/rules.h"
#include "support/decoded.h"
#include "support/names.h"
#include "support/request.h"
#include "support/zones.h"

enum { NAMES_MOST = 200 };

static const uint16_t types[] = {1, 5, 12, 16, 28, 33, 255};
enum { TYPE_COUNT = sizeof types / sizeof types[0] };

static void check_report(const struct report *report)
{
    const struct finding *findings = report_findings(report);

    for (size_t i = 0; i < report_total(report); i++)
        if (findings[i].sentence == NULL || findings[i].sentence[0] == '\0')
            abort();
}

static void ask(const struct snapshot *snapshot, uint32_t client, const char *name, uint16_t type)
{
    uint8_t request[REQUEST_OCTETS_MOST], reply[UDP_OCTETS_MOST];
    struct exchange exchange = {
        .request = request,
        .request_length = request_write(&(struct ask){.name = name, .type = type}, request),
        .path = {.source = client, .destination = 0},
        .reply = reply,
    };
    struct decoded decoded;

    size_t length = respond(snapshot, &exchange);
    decode(reply, length, &decoded);
    if (decoded.ede_code == 18 && strncmp(decoded.ede_text, "Q18", 3) == 0)
        abort();
    decoded_close(&decoded);
}

static void ask_around(const struct snapshot *snapshot, const struct space *space)
{
    struct names names;

    if (space->listen_count > 0)
        return; /* its clients use another server */
    names_init(&names, &space, 1);
    for (size_t i = 0; i < names.count && i < NAMES_MOST; i++)
        ask(snapshot, cidr_first(space->cidr.cidr) | 0x8001, names.items[i], types[i % TYPE_COUNT]);
    names_close(&names);
}

static bool ignore_clash(void *context, const struct index_clash *clash)
{
    (void)context;
    (void)clash;
    return false;
}

static struct snapshot *make_snapshot(const struct policy *policy, const struct segment *segment)
{
    const struct segment **segments = calloc(1, sizeof *segments);
    const struct segment *dropped[1] = {NULL};
    const bool added[1] = {true};
    struct snapshot_parts parts = {.policy = policy,
                                   .generation = 1,
                                   .segments = segments,
                                   .segment_count = 1,
                                   .index = {.key = key_usual()}};
    segments[0] = segment;
    struct index_change change = {
        .segments = segments, .dropped = dropped, .added = added, .segment_count = 1};

    if (!name_from_text(policy->suffixes.apps, &parts.index.apps_suffix) ||
        !index_build(&parts.index, &change, ignore_clash, NULL))
        abort();
    return snapshot_seal(&parts);
}

static void serve(const struct space *space, size_t size)
{
    struct policy policy = policy_usual();
    struct text_identity identity = {.length = size};
    struct err err;
    struct segment *segment = segment_seal(space, &policy.suffixes, &identity, &err);

    if (segment == NULL)
        abort(); /* the rules accepted a space that cannot be sealed */
    struct snapshot *snapshot = make_snapshot(&policy, segment);
    ask_around(snapshot, space);
    snapshot_free(snapshot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct suffixes suffixes = suffixes_default();
    struct arena *arena = arena_new();
    struct report *report = report_new();
    struct space *space = space_parse(arena, "fuzz.yaml", (const char *)data, size, report);

    if (space == NULL && report_is_clean(report))
        abort();
    if (space != NULL)
        space_check(space, &suffixes, report);
    report_sort(report);
    check_report(report);
    if (space != NULL && report_is_clean(report))
        serve(space, size);
    report_free(report);
    arena_free(arena);
    return 0;
}
