#include "support/zones.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer/load.h"
#include "space/parse.h"
#include "space/rules.h"
#include "support/memory_source.h"
#include "support/scratch.h"

struct policy policy_usual(void)
{
    return (struct policy){
        .suffixes = suffixes_default(),
        .localspace_to = 1U << CLIENT_SPACE,
        .recursion_for = {.all = 1U << CLIENT_SPACE},
        .kept_back_seconds = 86400,
        .kept_back_most = 1000000,
        .server_id = "ns1.test",
        .version = "0-test",
    };
}

struct routes routes_usual(void)
{
    static struct route items[] = {{.upstreams = "192.168.7.53"}, {.upstreams = "10.0.0.2"}};

    if (!name_from_text("corp.example", &items[0].zone) || !name_from_text(".", &items[1].zone))
        abort();
    return (struct routes){.items = items, .count = 2};
}

struct hash_key key_usual(void)
{
    return (struct hash_key){.first = 0x0123456789abcdef, .second = 0xfedcba9876543211};
}

static void give_up(const struct report *report, const char *cause)
{
    report_print(report, stderr);
    fprintf(stderr, "the zone text is refused: %s\n", cause);
    abort();
}

struct segment *segment_of_text(const char *text)
{
    struct suffixes suffixes = suffixes_default();
    struct text_identity identity = {.length = strlen(text)};
    struct arena *arena = arena_new();
    struct report *report = report_new();
    struct err err = {.code = ERR_NONE};

    struct space *space = space_parse(arena, "space.yaml", text, strlen(text), report);
    if (space != NULL)
        space_check(space, &suffixes, report);
    if (space == NULL || !report_is_clean(report))
        give_up(report, "see above");
    struct segment *segment = segment_seal(space, &suffixes, &identity, &err);
    if (segment == NULL)
        give_up(report, err.text);
    report_free(report);
    arena_free(arena);
    return segment;
}

static bool refuse_clash(void *context, const struct index_clash *clash)
{
    (void)context;
    fprintf(stderr, "entry %u of text %d is not unique\n", clash->newer.number,
            clash->newer.segment);
    abort();
}

struct snapshot *snapshot_of_texts(const struct policy *policy, const char *const *texts,
                                   size_t count)
{
    const struct segment **segments = calloc(count, sizeof *segments);
    const struct segment **dropped = calloc(count, sizeof *dropped);
    bool *added = calloc(count, sizeof *added);
    struct snapshot_parts parts = {.policy = policy,
                                   .generation = 1,
                                   .segments = segments,
                                   .segment_count = count,
                                   .index = {.key = key_usual()}};

    for (size_t i = 0; i < count; i++) {
        segments[i] = segment_of_text(texts[i]);
        added[i] = true;
    }
    struct index_change change = {
        .segments = segments, .dropped = dropped, .added = added, .segment_count = count};
    if (!name_from_text(policy->suffixes.apps, &parts.index.apps_suffix) ||
        !index_build(&parts.index, &change, refuse_clash, NULL))
        abort();
    free(dropped);
    free(added);
    struct snapshot *snapshot = snapshot_seal(&parts);
    if (snapshot == NULL)
        abort();
    return snapshot;
}

struct snapshot *snapshot_of_documents(const struct policy *policy, const char *const *names,
                                       const char *const *texts, size_t count)
{
    static struct memory_source memory;
    struct load_request request = {.source = &memory.source,
                                   .policy = policy,
                                   .key = key_usual(),
                                   .threads = 1,
                                   .keeps_spaces = true};
    struct report *report = report_new();
    struct load_outcome outcome;
    struct err err;

    memory_source_init(&memory);
    memory.source.root = "z";
    for (size_t i = 0; i < count; i++)
        memory_source_put(&memory, names[i], texts[i]);
    memory_source_commit(&memory);
    struct snapshot *snapshot = snapshot_load(&request, report, &outcome, &err);
    if (snapshot == NULL)
        give_up(report, err.text);
    load_outcome_close(&outcome);
    report_free(report);
    return snapshot;
}

char *zone_text(const char *path)
{
    size_t length;
    char *text = file_read(path, &length);

    if (text == NULL) {
        perror(path);
        abort();
    }
    return text;
}

struct snapshot *snapshot_of_files(const struct policy *policy, const char *const *paths,
                                   size_t count)
{
    char **texts = calloc(count, sizeof *texts);

    for (size_t i = 0; i < count; i++)
        texts[i] = zone_text(paths[i]);
    struct snapshot *snapshot = snapshot_of_texts(policy, (const char *const *)texts, count);
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    free(texts);
    return snapshot;
}
