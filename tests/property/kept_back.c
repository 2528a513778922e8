// wrap: renameat
// timeout: 240
/**
 * An internal name is never forwarded, whatever happens to the files.
 *
 * Every prefix, every single-line deletion, and lines reordered, emptied and deleted files of every
 * fixture are loaded after the original; then long random sequences of edits, reloads, full disks,
 * kill -9 at any point and restarts run with a state folder. After each load that passes, no name
 * that was internal in any generation before is forwarded, unless a zone file declares it as an
 * app's without internal routing; and no client gets an address outside the spaces it is in.
 * A server that has accepted texts starts with whatever files there are, and with compiled ones
 * that may be behind.
 *
 * The reload guard is not part of loading, so files really shrink here.
 *
 *     property_kept_back STEPS [SEED]      a longer walk: so many steps from each of four seeds
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer/compiled.h"
#include "answer/state.h"
#include "base/address.h"
#include "base/bytes.h"
#include "inspect/prove_names.h"
#include "respond/respond.h"
#include "source/folder.h"
#include "support/decoded.h"
#include "support/four_spaces.h"
#include "support/packets.h"
#include "support/request.h"
#include "support/scratch.h"
#include "support/suite.h"
#include "support/zones.h"
#include "wire/types.h"

enum {
    STEPS_USUAL = 1000,
    SEEDS = 4,
    NAMES_MOST = 8192,
    FILES_MOST = 16,
    WHOLE_CHECK_STEPS = 50,
    SAMPLE = 12,
    REPLY_OCTETS = 65535,
    ADDRESSES_MOST = 64,
};

static unsigned long steps_wanted = STEPS_USUAL;
static uint64_t first_seed = 0x6b657074;

/* ---- files that cannot be renamed: full disks, and ends in the middle ---- */

int __real_renameat(int from, const char *old, int to, const char *new);
int __wrap_renameat(int from, const char *old, int to, const char *new);

static long renames_left = -1; /* before they fail; -1: they never do */

int __wrap_renameat(int from, const char *old, int to, const char *new)
{
    if (renames_left == 0) {
        errno = ENOSPC;
        return -1;
    }
    renames_left -= renames_left > 0;
    return __real_renameat(from, old, to, new);
}

/* ---- a server without sockets, again and again ---- */

struct known {
    struct name name;
    bool is_apex;
    bool is_example; /* of a wildcard: the first label is arbitrary */
    bool is_safe;    /* it is stored in the state */
};

struct life {
    struct scratch zones;
    struct scratch home; /* of the state folder */
    char state_path[SCRATCH_PATH_MOST + 16];
    struct policy policy;
    struct hash_key key;
    struct state state;
    struct snapshot *snapshot; /* NULL: no server runs */
    struct snapshot *compiled; /* of the state folder, at a start */
    struct known names[NAMES_MOST];
    size_t name_count;
    char *fixtures[FILES_MOST];
    const char *files[FILES_MOST];
    size_t file_count;
    uint64_t seed; /* 0: none */
    unsigned long step;
    unsigned long loads, restarts, refusals, rounds, degraded, with_compiled;
};

static struct life life;

static const char *const paths[] = {
    "zones/test-space.yaml",
    "tests/zones_good/other-space.yaml",
    "tests/zones_good/every-shape.yaml",
    "tests/zones_good/changing-space.yaml",
};
enum { PATHS = sizeof paths / sizeof paths[0] };

static const char *base_name(const char *path)
{
    return strrchr(path, '/') + 1;
}

static void set_up(void)
{
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1);
    life = (struct life){.policy = policy_usual(), .key = key_usual()};
    life.policy.routes = routes_usual();
    life.policy.recursion_for.all = 7; /* all insiders, so that everything would be forwarded */
    scratch_init(&life.zones);
    scratch_init(&life.home);
    snprintf(life.state_path, sizeof life.state_path, "%s/state", life.home.path);
    for (size_t i = 0; i < PATHS; i++) {
        life.files[i] = base_name(paths[i]);
        life.fixtures[i] = zone_text(paths[i]);
    }
    life.file_count = PATHS;
}

static void tear_down(void)
{
    renames_left = -1;
    snapshot_free(life.snapshot);
    state_close(&life.state);
    scratch_remove_folder(life.state_path);
    for (size_t i = 0; i < life.file_count; i++)
        free(life.fixtures[i]);
    scratch_close(&life.zones);
    scratch_close(&life.home);
}

#define HOLDS(condition, name)                                                                     \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_at(#condition, name);                                                             \
    } while (0)

static void fail_at(const char *what, const struct name *name)
{
    char text[4 * NAME_MAX_OCTETS + 1] = "";
    struct text out = text_over(text, sizeof text - 1);

    name_add(&out, name->octets);
    ck_abort_msg("%s: %s (seed %llu, step %lu; property_kept_back STEPS SEED plays it again)", text,
                 what, (unsigned long long)life.seed, life.step);
}

/* ---- what is known ---- */

static struct known *find_known(const struct name *name)
{
    for (size_t i = 0; i < life.name_count; i++)
        if (name_equals(&life.names[i].name, name->octets, name->length))
            return &life.names[i];
    return NULL;
}

static bool learn(void *context, const struct proof_name *proof)
{
    (void)context;
    if (!proof->is_ours)
        return true;
    struct known *known = find_known(&proof->name);
    if (known == NULL) {
        ck_assert_uint_lt(life.name_count, NAMES_MOST);
        known = &life.names[life.name_count++];
        *known = (struct known){.name = proof->name,
                                .is_apex = proof->is_apex,
                                .is_example = memcmp(proof->name.octets, "\10zz-proof", 9) == 0};
    }
    known->is_apex &= proof->is_apex;
    known->is_safe |= !life.state.is_behind || !state_is_used(&life.state);
    return true;
}

/* Killed while the disk was full: names that were never written cannot be known. */
static void forget_unsafe(void)
{
    size_t kept = 0;

    for (size_t i = 0; i < life.name_count; i++)
        if (life.names[i].is_safe)
            life.names[kept++] = life.names[i];
    life.name_count = kept;
}

/* ---- checks ---- */

static bool is_foreign_app(const struct index_entry *entry)
{
    const struct segment *segment = life.snapshot->segments[entry->segment];

    if (entry->kind == INDEX_APP)
        return (segment->apps[entry->number].flags & APP_INTERNAL) == 0;
    const struct host *host = &segment->hosts[entry->number];
    return host->kind != HOST_RECORDS && (segment->apps[host->owner].flags & APP_INTERNAL) == 0;
}

/*
 * True when it is now declared for an app without internal routing, itself or by the same wildcard.
 */
static bool is_given_away(const struct known *known)
{
    struct index_entry entry;
    uint64_t hash = index_hash(&life.snapshot->index, &known->name);

    if (snapshot_find(life.snapshot, &known->name, hash, &entry) &&
        snapshot_is_served(life.snapshot, &entry))
        return is_foreign_app(&entry);
    return known->is_example && snapshot_find_wildcard(life.snapshot, &known->name, &entry) &&
           is_foreign_app(&entry);
}

/* True for a static record of the zone file: any address is allowed there. */
static bool is_written(const struct segment *segment, uint32_t address)
{
    for (size_t i = 0; i < segment->record_count; i++) {
        const struct record_entry *record = &segment->records[i];
        if (record->type == TYPE_A && load32(segment->texts + record->rdata) == address)
            return true;
    }
    return false;
}

static bool is_inside(const struct client *client, uint32_t address)
{
    for (uint32_t i = 0; i < client->count; i++) {
        const struct segment *segment = life.snapshot->segments[client->memberships[i].segment];
        if (cidr_contains(segment->cidr, address) || is_written(segment, address) ||
            (segment->data_cidr.bits > 0 && cidr_contains(segment->data_cidr, address)))
            return true;
    }
    return false;
}

/* By the header's ANCOUNT: most replies have none and need no decoding. */
static bool has_answers(const uint8_t *reply, size_t length)
{
    return length > 7 && (reply[6] | reply[7]) != 0;
}

/* Every address in the answers of a reply is of a space that the client is inside of. */
static void check_addresses(const struct name *name, const struct client *client,
                            const struct exchange *exchange, size_t length)
{
    uint32_t addresses[ADDRESSES_MOST];
    struct decoded decoded;

    decode(exchange->reply, length, &decoded);
    size_t count = decoded_addresses(&decoded, addresses, ADDRESSES_MOST);
    for (size_t i = 0; i < count; i++)
        HOLDS(addresses[i] == 0x7f000001 || is_inside(client, addresses[i]), name);
    decoded_close(&decoded);
}

static void ask(const struct known *known, const char *from, uint16_t type)
{
    static uint8_t reply[REPLY_OCTETS];
    char text[4 * NAME_MAX_OCTETS + 2] = "";
    struct text out = text_over(text, sizeof text - 1);
    uint8_t octets[REQUEST_OCTETS_MOST];
    struct client client;

    name_add(&out, known->name.octets);
    struct ask ask = {.name = text, .from = from, .type = type};
    struct exchange exchange = {.request = octets,
                                .request_length = request_write(&ask, octets),
                                .path = {.destination = 0x0a000002},
                                .transport = TRANSPORT_UDP,
                                .reply = reply};
    ck_assert(ipv4_read(from, &exchange.path.source));
    size_t length = respond(life.snapshot, &exchange);
    client_classify(life.snapshot, &exchange.path, &client);
    /* The name's own verdict: a cut alias may lead to a name that nobody has. */
    struct query query = {.type = type, .class = CLASS_IN, .flags = FLAG_RD, .name = known->name};
    struct verdict own;
    decide(life.snapshot, &client, &query, index_hash(&life.snapshot->index, &query.name), &own);
    bool is_foreign_type = known->is_apex && type != 1;
    HOLDS(own.situation != SITUATION_FORWARD || is_foreign_type || is_given_away(known),
          &known->name);
    if (exchange.verdict.situation != SITUATION_FORWARD && has_answers(reply, length))
        check_addresses(&known->name, &client, &exchange, length);
}

static const char *const clients[] = {"10.0.130.56", "10.1.130.4", "10.2.130.4",
                                      "10.20.3.4",   "172.16.9.9", "203.0.113.9"};
enum { CLIENTS = sizeof clients / sizeof clients[0] };

static void check_one(const struct known *known, const char *from)
{
    ask(known, from, 1);
    ask(known, from, 28);
}

/* With sanitizers each round checks a different share of the names. */
static void check_all(void)
{
    size_t stride = four_spaces_stride();

    for (size_t i = life.rounds++ % stride; i < life.name_count; i += stride)
        for (size_t j = 0; j < CLIENTS; j++)
            check_one(&life.names[i], clients[j]);
}

static void check_some(struct dice *dice)
{
    for (int i = 0; i < SAMPLE && life.name_count > 0; i++)
        check_one(&life.names[dice_roll(dice, (uint32_t)life.name_count)],
                  clients[dice_roll(dice, CLIENTS)]);
}

/* ---- loading ---- */

/* Declared without internal routing: from then on it may be forwarded. */
static void drop_given_away(void)
{
    size_t kept = 0;

    for (size_t i = 0; i < life.name_count; i++)
        if (!is_given_away(&life.names[i]))
            life.names[kept++] = life.names[i];
    life.name_count = kept;
}

static void serve(struct snapshot *next)
{
    snapshot_free(life.snapshot);
    life.snapshot = next;
    life.loads++;
    drop_given_away();
    proof_walk(life.snapshot, learn, NULL);
}

static bool count_listed(void *context, const struct name *name,
                         const struct kept_back_entry *entry)
{
    size_t *count = context;

    HOLDS(entry->cohort != NULL, name);
    ++*count;
    return true;
}

/* Each name kept back is listed once, from the folder or from memory. */
static void check_list(void)
{
    const struct kept_back *kept = life.snapshot->kept_back;
    size_t count = 0;

    ck_assert(state_walk_names(&life.state, kept, count_listed, &count));
    ck_assert_msg(count == (kept == NULL ? 0 : kept->count),
                  "%zu names listed (seed %llu, step %lu)", count, (unsigned long long)life.seed,
                  life.step);
}

/* Compiled files are written now and then, so that they may be behind. */
static void write_compiled(void)
{
    static const atomic_bool goes_on;
    struct err err;

    if (life.state.is_behind)
        return;
    struct compiled *compiled = compiled_hold(life.snapshot);
    ck_assert(compiled_write(compiled, life.state.folder, &goes_on, &err) || renames_left == 0);
    compiled_release(compiled);
}

/* Loads the folder. Returns whether that brought a new snapshot, which may end in a full disk. */
static bool load(bool dies_when_full)
{
    bool has_state = state_is_used(&life.state);
    struct folder source;
    struct load_request request = {.source = &source.source,
                                   .policy = &life.policy,
                                   .key = life.key,
                                   .threads = 1,
                                   .before = life.snapshot == NULL ? life.compiled : life.snapshot,
                                   .is_start = life.snapshot == NULL && life.compiled != NULL,
                                   .stored = has_state ? &life.state.stored : NULL,
                                   .reads_all = has_state && life.state.is_behind};
    struct report *report = report_new();
    struct load_outcome outcome;
    struct err err;
    folder_init(&source, life.zones.path, NULL);
    struct snapshot *next = snapshot_load(&request, report, &outcome, &err);
    bool is_dead = false;

    report_free(report);
    life.degraded += outcome.last_good_count > 0;
    if (next != NULL || outcome.is_unchanged) {
        bool stored =
            state_store(&life.state, next == NULL ? life.snapshot : next, request.ran_s, &outcome);
        state_drop_names(&life.state);
        is_dead = !stored && dies_when_full;
    }
    load_outcome_close(&outcome);
    if (is_dead) {
        snapshot_free(next);
        return false;
    }
    life.refusals += next == NULL && !outcome.is_unchanged;
    if (next != NULL)
        serve(next);
    else if (outcome.is_unchanged)
        proof_walk(life.snapshot, learn, NULL);
    if (next != NULL || outcome.is_unchanged)
        check_list();
    return next != NULL;
}

static void restore(size_t file)
{
    scratch_write(&life.zones, life.files[file], life.fixtures[file], strlen(life.fixtures[file]));
}

static void restore_all(void)
{
    for (size_t i = 0; i < life.file_count; i++)
        restore(i);
}

/* ---- one file damaged once, in every way ---- */

/* The fixtures, then one of them damaged, then restored: each from the same snapshot. */
static void try(size_t file, const char *text, size_t length)
{
    struct snapshot *whole = life.snapshot;
    struct folder source;
    struct load_request request = {.source = &source.source,
                                   .policy = &life.policy,
                                   .key = life.key,
                                   .threads = 1,
                                   .before = whole};
    struct report *report = report_new();
    struct load_outcome outcome;
    struct err err;

    if (text == NULL)
        scratch_remove(&life.zones, life.files[file]);
    else
        scratch_write(&life.zones, life.files[file], text, length);
    folder_init(&source, life.zones.path, NULL);
    struct snapshot *next = snapshot_load(&request, report, &outcome, &err);
    load_outcome_close(&outcome);
    report_free(report);
    life.step++;
    if (next != NULL) {
        life.snapshot = next;
        check_all();
        snapshot_free(next);
        life.snapshot = whole;
        life.loads++;
    }
}

static void begin_spoiling(void)
{
    life.state.folder = -1;
    restore_all();
    ck_assert(load(false));
    check_all();
}

static void drop_end_mark(char *text)
{
    static const char mark[] = "...\n";
    size_t length = strlen(text), tail = sizeof mark - 1;

    if (length >= tail && strcmp(text + length - tail, mark) == 0)
        text[length - tail] = '\0';
}

FIXTURE(set_up, tear_down)

TEST_LOOP(no_prefix_of_a_file_lets_a_name_out, 0, PATHS)
{
    size_t file = (size_t)_i, length;

    drop_end_mark(life.fixtures[file]); /* with it, no prefix is ever served (E-CUT) */
    begin_spoiling();
    length = strlen(life.fixtures[file]);
    for (size_t i = 0; i < length; i++)
        try(file, life.fixtures[file], i);
    ck_assert_uint_gt(life.loads, 3);
}

/* Copies a text without its lines number `first` to `end` - 1. Returns its length. */
static size_t without_lines(const char *text, size_t first, size_t end, char *out)
{
    char *to = out;

    for (size_t number = 0; *text != '\0'; number++) {
        size_t length = strcspn(text, "\n");
        length += text[length] == '\n';
        if (number < first || number >= end) {
            memcpy(to, text, length);
            to += length;
        }
        text += length;
    }
    return (size_t)(to - out);
}

static size_t count_lines(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

TEST_LOOP(no_deleted_lines_let_a_name_out, 0, PATHS)
{
    size_t file = (size_t)_i;

    begin_spoiling();
    const char *text = life.fixtures[file];
    size_t lines = count_lines(text);
    char *damaged = malloc(strlen(text) + 1);
    for (size_t i = 0; i < lines; i++) {
        try(file, damaged, without_lines(text, i, i + 1, damaged));
        try(file, damaged, without_lines(text, i, i + 2, damaged));
        try(file, damaged, without_lines(text, i, i + 4, damaged));
        try(file, damaged, without_lines(text, i, lines, damaged));
    }
    free(damaged);
    ck_assert_uint_gt(life.loads, 3);
}

/* Moves one line to another position. */
static size_t move_line(const char *text, size_t from, size_t to, char *out)
{
    char *rest = malloc(strlen(text) + 1);
    size_t length = without_lines(text, from, from + 1, rest), moved = 0;
    const char *line = text;

    rest[length] = '\0';
    for (size_t i = 0; i < from; i++)
        line += strcspn(line, "\n") + 1;
    size_t line_length = strcspn(line, "\n") + 1;
    const char *at = rest;
    for (size_t i = 0; i < to && *at != '\0'; i++)
        at += strcspn(at, "\n") + (strchr(at, '\n') != NULL);
    memcpy(out, rest, (size_t)(at - rest));
    moved = (size_t)(at - rest);
    memcpy(out + moved, line, line_length - 1);
    out[moved + line_length - 1] = '\n';
    memcpy(out + moved + line_length, at, strlen(at));
    moved += line_length + strlen(at);
    free(rest);
    return moved;
}

TEST_LOOP(no_order_of_lines_lets_a_name_out, 0, PATHS)
{
    size_t file = (size_t)_i;

    begin_spoiling();
    const char *text = life.fixtures[file];
    size_t lines = count_lines(text);
    char *damaged = malloc(strlen(text) + 16);
    for (size_t i = 0; i < lines; i++)
        for (size_t j = 0; j < lines; j += 3)
            try(file, damaged, move_line(text, i, j, damaged));
    free(damaged);
}

TEST(no_file_that_is_emptied_or_deleted_lets_a_name_out)
{
    static const char *const texts[] = {"",
                                        "\n",
                                        "---\n",
                                        "{}\n",
                                        "space: test-space\n",
                                        "space: other-space\ncidr: 10.1.0.0/16\n",
                                        NULL};

    begin_spoiling();
    for (size_t file = 0; file < life.file_count; file++)
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
            restore_all();
            try(file, texts[i], texts[i] == NULL ? 0 : strlen(texts[i]));
        }
    ck_assert_uint_gt(life.loads, 5);
}

/* ---- the random walk ---- */

static char *read_file(size_t file, size_t *length)
{
    char path[2 * SCRATCH_PATH_MOST];

    snprintf(path, sizeof path, "%s/%s", life.zones.path, life.files[file]);
    return file_read(path, length);
}

/* A digit becomes another one: apps, domains and addresses change. */
static void change_digit(struct dice *dice, char *text, size_t length)
{
    size_t at = dice_roll(dice, (uint32_t)length);

    for (size_t i = 0; i < length; i++) {
        char *octet = &text[(at + i) % length];
        if (*octet < '0' || *octet > '9')
            continue;
        *octet = (char)('0' + dice_roll(dice, 10));
        return;
    }
}

static void edit(struct dice *dice)
{
    size_t file = dice_roll(dice, (uint32_t)life.file_count), length;
    char *text = read_file(file, &length);

    if (text == NULL || length == 0) {
        restore(file);
        free(text);
        return;
    }
    char *damaged = malloc(length + 64);
    text = realloc(text, length + 1);
    text[length] = '\0';
    size_t lines = count_lines(text) + 1, line = dice_roll(dice, (uint32_t)lines);
    switch (dice_roll(dice, 8)) {
    case 0: /* cut */
        scratch_write(&life.zones, life.files[file], text, dice_roll(dice, (uint32_t)length));
        break;
    case 1:
    case 2:
        length = without_lines(text, line, line + 1 + dice_roll(dice, 4), damaged);
        scratch_write(&life.zones, life.files[file], damaged, length);
        break;
    case 3:
        scratch_remove(&life.zones, life.files[file]);
        break;
    case 4:
    case 5:
        change_digit(dice, text, length);
        scratch_write(&life.zones, life.files[file], text, length);
        break;
    case 6:
        if (lines > 2) {
            length = move_line(text, dice_roll(dice, (uint32_t)lines - 1), line, damaged);
            scratch_write(&life.zones, life.files[file], damaged, length);
        }
        break;
    default:
        restore(file);
    }
    free(damaged);
    free(text);
}

/* Ends a process: nothing is written, and the lock is released. */
static void end_process(void)
{
    if (life.state.is_behind)
        forget_unsafe();
    snapshot_free(life.snapshot);
    life.snapshot = NULL;
    state_close(&life.state);
    renames_left = -1;
}

/* Without any zone file, or before anything was accepted, a start is refused. */
static bool must_start(void)
{
    for (size_t i = 0; i < life.file_count; i++) {
        char path[2 * SCRATCH_PATH_MOST];
        snprintf(path, sizeof path, "%s/%s", life.zones.path, life.files[i]);
        if (access(path, F_OK) == 0 && stored_find(&life.state.stored, life.files[i]) != NULL)
            return true;
    }
    return false;
}

static void read_compiled(struct dice *dice)
{
    struct err err;

    life.compiled = compiled_read(life.state_path, &life.policy.suffixes, 1, &err);
    ck_assert_int_eq(err.code, ERR_NONE);
    life.with_compiled += life.compiled != NULL;
    life.key.first ^= (uint64_t)dice_roll(dice, UINT32_MAX) << 32 | dice_roll(dice, UINT32_MAX);
    if (life.compiled != NULL)
        life.key = life.compiled->index.key;
}

/* If the server does not start, the files are fixed. */
static void start_files(struct dice *dice)
{
    ck_assert_msg(state_open(&life.state, life.state_path, &life.key), "%s",
                  life.state.problem.text);
    life.restarts++;
    bool must = must_start();
    if (load(false))
        return;
    ck_assert_msg(!must, "refused to start (seed %llu, step %lu)", (unsigned long long)life.seed,
                  life.step);
    for (size_t i = 0; i < life.file_count; i++)
        if (dice_roll(dice, 2) == 0)
            restore(i);
    if (load(false))
        return;
    restore_all();
    ck_assert(load(false));
}

static void start_process(struct dice *dice)
{
    read_compiled(dice);
    start_files(dice);
    snapshot_free(life.compiled);
    life.compiled = NULL;
    if (dice_roll(dice, 2) == 0)
        write_compiled();
}

static void step(struct dice *dice)
{
    switch (dice_roll(dice, 12)) {
    case 0: /* kill -9, edits meanwhile, and a start */
        end_process();
        for (uint32_t i = dice_roll(dice, 4); i > 0; i--)
            edit(dice);
        start_process(dice);
        break;
    case 1: /* kill -9 while the state is written */
        edit(dice);
        renames_left = dice_roll(dice, 5);
        load(true);
        end_process();
        start_process(dice);
        break;
    case 2: /* a full disk for a while, and perhaps an end meanwhile */
        renames_left = dice_roll(dice, 3);
        edit(dice);
        load(false);
        if (dice_roll(dice, 3) == 0) {
            end_process();
            start_process(dice);
        }
        renames_left = -1;
        load(false);
        break;
    case 3:
    case 4:
    case 5:
    case 6:
        edit(dice);
        break;
    default:
        edit(dice);
        load(false);
    }
    if (life.step % 97 == 0)
        restore_all();
}

TEST_LOOP(no_sequence_of_edits_reloads_and_ends_lets_a_name_out, 0, SEEDS)
{
    struct dice dice = {.state = first_seed + (uint64_t)_i};
    unsigned long steps = steps_wanted / four_spaces_stride();

    life.seed = first_seed + (uint64_t)_i;
    restore_all();
    start_process(&dice);
    for (life.step = 1; life.step <= steps; life.step++) {
        step(&dice);
        check_some(&dice);
        if (life.step % WHOLE_CHECK_STEPS == 0)
            check_all();
    }
    check_all();
    printf("seed %llu: %lu steps, %lu loads, %lu refused, %lu starts, %lu with errors, %zu names, "
           "%zu kept "
           "back\n",
           (unsigned long long)life.seed, steps, life.loads, life.refusals, life.restarts,
           life.degraded, life.name_count,
           life.snapshot->kept_back == NULL ? (size_t)0 : life.snapshot->kept_back->count);
    ck_assert_uint_gt(life.loads, steps / 8);
    ck_assert_uint_gt(life.restarts, steps / 12);
    ck_assert_uint_gt(life.degraded, steps / 50);
    ck_assert_uint_gt(life.with_compiled, steps / 50);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        steps_wanted = strtoul(argv[1], NULL, 10);
        setenv("CK_RUN_CASE", "no_sequence_of_edits_reloads_and_ends_lets_a_name_out", 1);
        setenv("CK_DEFAULT_TIMEOUT", "3600", 1);
    }
    if (argc > 2)
        first_seed = strtoull(argv[2], NULL, 10);
    return suite_run();
}
