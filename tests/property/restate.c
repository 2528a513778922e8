// timeout: 240
/**
 * Random changes of keys, restated step by step, end in the snapshot that a full load of the same
 * model makes: the same dynos, counts and reverse names, and the same answers, octet for octet,
 * over all names and types. Keys that share addresses end in the same reverse names as when all are
 * applied at once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/dyno_keys.h"
#include "support/suite.h"
#include "support/world.h"
#include "support/zones.h"
#include "wire/types.h"

enum { SPACES = 2, APPS = 3, TYPES = 5, SLOTS = SPACES * APPS * TYPES, DYNOS_MOST = 4 };
enum { RUNS = 12, STEPS = 25, AT_ONCE_MOST = 4, VALUE_MOST = 200, NAME_MOST = 64 };

static const char *const apps[APPS] = {"zoo", "shop", "bench"};
/* Of every app, the first two are declared in the file. */
static const char *const types[TYPES] = {"web", "worker", "clock", "release", "run"};
enum { DECLARED = 2 };

/* The list of a formation: of its key, or of its file. */
struct slot {
    bool has_key;
    uint64_t revision;
    char value[VALUE_MOST];
};

static struct slot slots[SLOTS];
static uint64_t revision;
static struct policy policy;
static struct snapshot *restated;
static uint32_t dice;

static uint32_t roll(uint32_t sides)
{
    dice = dice * 1664525 + 1013904223;
    return (dice >> 8) % sides;
}

static struct slot *slot_of(int space, int app, int type)
{
    return &slots[(space * APPS + app) * TYPES + type];
}

/* The file's own list of the first space: one dyno for each declared type. */
static bool file_has_dynos(int space, int type)
{
    return space == 0 && type < DECLARED;
}

/* ---- the model as a file ---- */

/* Writes a value as a list of the file, or nothing for the file's own. */
static void write_dynos(FILE *out, const char *value)
{
    char copy[VALUE_MOST], *rest = NULL;

    snprintf(copy, sizeof copy, "%s", value);
    fputs("dynos: [", out);
    for (char *line = strtok_r(copy, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char number[16] = "", state[16] = "", address[32] = "";
        int words = sscanf(line, "%15s %15s %31s", number, state, address);
        fprintf(out, "{number: %s, state: %s", number, state);
        fprintf(out, words == 3 ? ", private_ip: %s}, " : "}, ", address);
    }
    fputs("]", out);
}

static void write_type(FILE *out, int space, int app, int type, bool with_keys)
{
    const struct slot *slot = slot_of(space, app, type);
    bool has_key = with_keys && slot->has_key;

    if (type >= DECLARED && !has_key)
        return;
    fprintf(out, "      %s: {", types[type]);
    if (type == 0)
        fputs("ports: {http: 8080, admin: {port: 53, protocol: udp}}, ", out);
    if (has_key)
        write_dynos(out, slot->value);
    else if (file_has_dynos(space, type))
        fprintf(out, "dynos: [{number: 7, private_ip: 10.0.%d.%d}]", 150 + app, 1 + type);
    fputs("}\n", out);
}

static char *write_space(int space, bool with_keys)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    fprintf(out, "space: space-%d\ncidr: 10.%d.0.0/16\nrouters: [10.%d.0.37, 10.%d.16.21]\napps:\n",
            space, space, space, space);
    for (int app = 0; app < APPS; app++) {
        fprintf(out, "  - name: %s-%d\n    internal_routing: %s\n    dns_discovery: %s\n",
                apps[app], space, app == 2 ? "false" : "true", app == 1 ? "false" : "true");
        fputs("    formation:\n", out);
        for (int type = 0; type < TYPES; type++)
            write_type(out, space, app, type, with_keys);
    }
    fclose(out);
    return text;
}

static struct snapshot *load(bool with_keys)
{
    char *texts[SPACES];

    for (int i = 0; i < SPACES; i++)
        texts[i] = write_space(i, with_keys);
    struct snapshot *snapshot = snapshot_of_texts(&policy, (const char *const *)texts, SPACES);
    for (int i = 0; i < SPACES; i++)
        free(texts[i]);
    return snapshot;
}

/* ---- changes ---- */

/* `shared` addresses are the same for all formations of a space. */
static void roll_value(int space, int app, int type, bool shared, char value[VALUE_MOST])
{
    static const char *const states[] = {"up", "up", "starting", "idle", "crashed", "down"};
    size_t length = 0;
    bool is_taken[8] = {false};

    value[0] = '\0';
    for (uint32_t i = 0, count = roll(DYNOS_MOST + 1); i < count; i++) {
        uint32_t number = 1 + roll(6), state = roll(6);
        uint32_t third = shared ? 130 : 128 + (uint32_t)(app * TYPES + type);
        if (is_taken[number])
            continue;
        is_taken[number] = true;
        length +=
            (size_t)snprintf(value + length, VALUE_MOST - length, "%u %s", number, states[state]);
        if (state < 3 || roll(2) == 0)
            length += (size_t)snprintf(value + length, VALUE_MOST - length, " 10.%d.%u.%u", space,
                                       third, number);
        length += (size_t)snprintf(value + length, VALUE_MOST - length, "\n");
    }
}

/* Changes a slot, and describes that as a key. */
static void roll_change(int number, bool shared, struct key_text *key, char name[NAME_MOST])
{
    int space = number / (APPS * TYPES), app = number / TYPES % APPS, type = number % TYPES;
    struct slot *slot = &slots[number];

    snprintf(name, NAME_MOST, "space-%d/%s-%d/%s", space, apps[app], space, types[type]);
    slot->has_key = roll(4) > 0;
    slot->revision = revision;
    roll_value(space, app, type, shared, slot->value);
    *key = (struct key_text){name, revision, slot->has_key ? slot->value : NULL};
}

static void apply(const struct key_text *key_texts, size_t count)
{
    struct keys keys = keys_of(key_texts, count);
    struct restate_outcome outcome = {.report = report_new()};
    struct err err;

    /* Always the generation of a first load, whose SOA it is. */
    struct snapshot *after = snapshot_restate(restated, (const struct dyno_key *const *)keys.items,
                                              keys.count, 1, &outcome, &err);
    ck_assert_ptr_nonnull(after);
    ck_assert_uint_eq(outcome.unused_count + outcome.refused_count, 0);
    report_free(outcome.report);
    restate_outcome_close(&outcome);
    snapshot_free(restated);
    keys_close(&keys);
    restated = after;
}

static void step(bool shared)
{
    struct key_text keys[AT_ONCE_MOST];
    char names[AT_ONCE_MOST][NAME_MOST];
    int taken[AT_ONCE_MOST];
    size_t count = 0;

    revision++;
    for (uint32_t i = 0, wanted = 1 + roll(AT_ONCE_MOST); i < wanted; i++) {
        int number = (int)roll(SLOTS);
        bool is_new = true;
        for (size_t j = 0; j < count; j++)
            is_new &= taken[j] != number;
        if (!is_new)
            continue;
        taken[count] = number;
        roll_change(number, shared, &keys[count], names[count]);
        count++;
    }
    apply(keys, count);
}

/* ---- comparing ---- */

/* The description without revisions, which a file does not have. */
static char *describe_without_revisions(const struct segment *segment)
{
    char *text = segment_describe(segment), *to = text;

    for (const char *from = text; *from != '\0';)
        if (*from == '@')
            from += 1 + strspn(from + 1, "0123456789");
        else
            *to++ = *from++;
    *to = '\0';
    return text;
}

static void compare_segments(const struct snapshot *loaded)
{
    for (int i = 0; i < SPACES; i++) {
        char *ours = describe_without_revisions(restated->segments[i]);
        char *theirs = describe_without_revisions(loaded->segments[i]);
        ck_assert_str_eq(ours, theirs);
        free(ours);
        free(theirs);
    }
}

/* Both worlds answer as the first one asked, so rotations are the same. */
static struct world ours, theirs;
static unsigned long asked;

static void compare_reply(const struct ask *ask)
{
    uint8_t octets[REQUEST_OCTETS_MOST];
    size_t length = request_write(ask, octets);

    world_send(&ours, octets, length, ask);
    world_send(&theirs, octets, length, ask);
    ck_assert_msg(ours.reply_length == theirs.reply_length &&
                      memcmp(ours.reply, theirs.reply, ours.reply_length) == 0,
                  "%s TYPE%u from %s", ask->name, (unsigned)ask->type, ask->from);
    asked++;
}

static void compare_name(const char *name)
{
    static const uint16_t query_types[] = {TYPE_A, TYPE_AAAA, TYPE_SRV, TYPE_PTR, TYPE_ANY};
    static const char *const clients[] = {"10.0.130.56", "10.1.130.56", "203.0.113.9"};

    for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++)
        for (size_t j = 0; j < sizeof query_types / sizeof query_types[0]; j++)
            compare_reply(&(struct ask){.name = name, .type = query_types[j], .from = clients[i]});
}

static void compare_app(int space, int app)
{
    char name[160], bare[NAME_MOST];

    snprintf(bare, sizeof bare, "%s-%d", apps[app], space);
    snprintf(name, sizeof name, "%s.herokuapp.com.", bare);
    compare_name(name);
    snprintf(name, sizeof name, "%s.app.localspace.", bare);
    compare_name(name);
    for (int type = 0; type < TYPES; type++) {
        snprintf(name, sizeof name, "%s.%s.app.localspace.", types[type], bare);
        compare_name(name);
        snprintf(name, sizeof name, "_http._tcp.%s.%s.app.localspace.", types[type], bare);
        compare_name(name);
        for (int number = 1; number <= 7; number += 2) {
            snprintf(name, sizeof name, "%d.%s.%s.app.localspace.", number, types[type], bare);
            compare_name(name);
            snprintf(name, sizeof name, "%d.%d.%d.10.in-addr.arpa.", number,
                     128 + app * TYPES + type, space);
            compare_name(name);
        }
    }
}

static void compare_answers(struct snapshot *loaded)
{
    ours.snapshot = restated;
    theirs.snapshot = loaded;
    for (int space = 0; space < SPACES; space++)
        for (int app = 0; app < APPS; app++)
            compare_app(space, app);
    ours.snapshot = theirs.snapshot = NULL;
}

static void begin(int run)
{
    memset(slots, 0, sizeof slots);
    revision = 1;
    dice = 88172645u + (uint32_t)run;
    policy = policy_usual();
    restated = load(false);
}

TEST_LOOP(step_by_step_is_as_a_full_load, 0, RUNS)
{
    begin(_i);
    world_init(&ours);
    world_init(&theirs);
    for (int i = 0; i < STEPS; i++) {
        step(false);
        struct snapshot *loaded = load(true);
        compare_segments(loaded);
        if (i % 8 == 0)
            compare_answers(loaded);
        snapshot_free(loaded);
    }
    ck_assert_uint_gt(asked, 1000);
    snapshot_free(restated);
    world_close(&ours);
    world_close(&theirs);
}

/* All keys in force, applied to the file's segments. */
static struct snapshot *apply_all_at_once(void)
{
    static char names[SLOTS][NAME_MOST];
    struct key_text keys[SLOTS];
    struct snapshot *stepped = restated;
    size_t count = 0;

    for (int i = 0; i < SLOTS; i++) {
        int space = i / (APPS * TYPES), app = i / TYPES % APPS;
        if (!slots[i].has_key)
            continue;
        snprintf(names[i], NAME_MOST, "space-%d/%s-%d/%s", space, apps[app], space,
                 types[i % TYPES]);
        keys[count++] = (struct key_text){names[i], slots[i].revision, slots[i].value};
    }
    restated = load(false);
    apply(keys, count);
    struct snapshot *at_once = restated;
    restated = stepped;
    return at_once;
}

TEST_LOOP(in_whatever_steps_keys_come_the_end_is_the_same, 0, RUNS)
{
    begin(100 + _i);
    for (int i = 0; i < STEPS; i++) {
        step(true);
        struct snapshot *at_once = apply_all_at_once();
        for (int j = 0; j < SPACES; j++) {
            char *stepped = segment_describe(restated->segments[j]);
            char *whole = segment_describe(at_once->segments[j]);
            ck_assert_str_eq(stepped, whole);
            free(stepped);
            free(whole);
        }
        snapshot_free(at_once);
    }
    snapshot_free(restated);
}
