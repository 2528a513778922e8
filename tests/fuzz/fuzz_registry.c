// fuzz: stateful 600
/**
 * A replica and its registry, through everything that happens to registries: the input is a list
 * of steps of two octets, an event and its target. Documents and dynos change, alone and in
 * transactions; history is compacted, and the registry is restored from a backup; connections are
 * cut in the middle of a response, refused, silent; changes are lost; the replica starts again.
 *
 * Oracle: in the end, once everything is well for a while, what is served is what the registry has:
 * each document that is valid, and each key of an app that is there, at its revision and with its
 * dynos; and the app that documents claim in spite of each other is that of the one created first.
 * Invariants: two keys that are only written together are never seen apart; what is in force
 * never comes from a revision that the registry did not have.
 */
#include "fuzz/fuzz.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer/restate.h"
#include "base/log.h"
#include "support/registry_rig.h"

enum { SPACES = 4, APPS = 4, TYPES = 2, STEPS_MOST = 200, PAIR_SUM = 8, VALUE_MOST = 256 };

static const char *const spaces[SPACES] = {"ant", "bee", "cat", "dog"};
static const char *const types[TYPES] = {"web", "run"};
static const char claimed[] = "all-have-it";

static struct {
    struct registry_rig rig;
    struct etcd_store *backup; /* NULL: none */
    unsigned writes;           /* makes every value another one */
    bool is_taking;
    bool may_lose; /* the member is a faulty one */
    bool has_lost; /* changes: they are mended space by space */
} run;

/* ---- what is written ---- */

static const char *key_of_app(unsigned target)
{
    static char key[64];
    unsigned space = target % SPACES, app = target / SPACES % APPS, type = target / 16 % TYPES;

    snprintf(key, sizeof key, "d/%s/%s-%u/%s", spaces[space], spaces[space], app, types[type]);
    return key;
}

/* `count` dynos that have no address. */
static const char *value_of(unsigned count)
{
    static const char *const states[] = {"down", "idle", "crashed"};
    static char value[VALUE_MOST];
    size_t length = 0;

    run.writes++;
    value[0] = '\0';
    for (unsigned i = 0; i < count; i++)
        length += (size_t)snprintf(value + length, sizeof value - length, "%u %s host=w%u\n", i + 1,
                                   states[(run.writes + i) % 3], run.writes);
    return value;
}

/* Apps 0 to 3, as the bits say; every space has one more, for the pair; and half of the documents
 * claim the one that is in others, too. */
static void put_document(unsigned target)
{
    char text[1024];
    unsigned space = target % SPACES, bits = target / SPACES % 16;
    int length = snprintf(text, sizeof text,
                          "# %u\nspace: %s\ncidr: 10.%u.0.0/16\nrouters: [10.%u.0.37]\napps:\n  - "
                          "{name: %s-pair}\n",
                          run.writes++, spaces[space], space, space, spaces[space]);

    for (unsigned app = 0; app < APPS; app++)
        if ((bits >> app & 1) != 0)
            length += snprintf(text + length, sizeof text - (size_t)length,
                               "  - {name: %s-%u, internal_routing: %s}\n", spaces[space], app,
                               app % 2 == 0 ? "true" : "false");
    if (target >= 128)
        snprintf(text + length, sizeof text - (size_t)length,
                 "  - {name: %s, internal_routing: true}\n", claimed);
    char key[16];
    snprintf(key, sizeof key, "z/%s", spaces[space]);
    rig_put(&run.rig, key, text);
}

static void put_broken_document(unsigned target)
{
    char key[16], text[64];

    snprintf(key, sizeof key, "z/%s", spaces[target % SPACES]);
    snprintf(text, sizeof text, "# %u\nspace: [\n", run.writes++);
    rig_put(&run.rig, key, text);
}

static void delete_document(unsigned target)
{
    char key[16];

    snprintf(key, sizeof key, "z/%s", spaces[target % SPACES]);
    rig_delete(&run.rig, key);
}

/* The pair's dynos are always PAIR_SUM together. */
static void put_pair(unsigned target)
{
    unsigned first = target % (PAIR_SUM + 1);

    etcd_store_begin(run.rig.store);
    rig_put(&run.rig, "d/ant/ant-pair/run", value_of(first));
    rig_put(&run.rig, "d/bee/bee-pair/run", value_of(PAIR_SUM - first));
    etcd_store_commit(run.rig.store);
}

static void put_several(unsigned target)
{
    etcd_store_begin(run.rig.store);
    for (unsigned i = 0; i < 3; i++)
        rig_put(&run.rig, key_of_app(target + 5 * i), value_of((target + i) % 4));
    if (target % 3 == 0)
        put_document(target);
    etcd_store_commit(run.rig.store);
}

static void put_bad_value(unsigned target)
{
    char value[32];

    snprintf(value, sizeof value, "1 flying host=w%u\n", run.writes++);
    rig_put(&run.rig, key_of_app(target), value);
}

static void put_beat(void)
{
    char value[32];

    snprintf(value, sizeof value, "at_ms: %u\n", run.writes++);
    rig_put(&run.rig, "beat", value);
}

/* ---- what is seen ---- */

static unsigned count_dynos(const char *text)
{
    unsigned count = 0;

    if (strcmp(text, "-") == 0)
        return 0;
    for (const char *next = text; *next != '\0' && *next != '@'; next++)
        count += *next == 'i' && next[1] == 'd' ? 1 : 0; /* idle */
    for (const char *next = text; *next != '\0' && *next != '@'; next++)
        count += (*next == 'c' && next[1] == 'r') || (*next == 'd' && next[1] == 'o');
    return count;
}

static bool has_app(const char *space, const char *app)
{
    const struct segment *segment =
        run.rig.current == NULL ? NULL : snapshot_find_space(run.rig.current, space);

    for (size_t i = 0; segment != NULL && i < segment->app_count; i++)
        if (segment->apps[i].name_length == strlen(app) &&
            memcmp(segment_text(segment, segment->apps[i].name), app, strlen(app)) == 0)
            return true;
    return false;
}

/* Both are there, or what one app's document lacks is not seen. */
static void check_pair(void)
{
    char left[256];

    if (run.has_lost || !has_app("ant", "ant-pair") || !has_app("bee", "bee-pair"))
        return;
    snprintf(left, sizeof left, "%s", rig_dynos(&run.rig, "ant", "ant-pair", "run"));
    const char *right = rig_dynos(&run.rig, "bee", "bee-pair", "run");
    if (strcmp(left, "-") == 0 && strcmp(right, "-") == 0)
        return;
    assert(count_dynos(left) + count_dynos(right) == PAIR_SUM);
    assert(strcmp(strchr(left, '@'), strchr(right, '@')) == 0);
}

static void adopt(void)
{
    if (!run.is_taking)
        rig_adopt(&run.rig);
    check_pair();
}

/* ---- what happens ---- */

static void end_take(void)
{
    if (run.is_taking)
        registry_note_failed(run.rig.registry);
    run.is_taking = false;
    run.rig.is_lazy = false;
}

/* A load that takes long, and then fails: it has a change to lose. */
static void begin_take(unsigned target)
{
    struct registry_keys keys;

    if (run.is_taking || run.rig.current == NULL)
        return;
    rig_put(&run.rig, key_of_app(target), value_of(target % 4));
    rig_settle(&run.rig);
    enum registry_take kind =
        registry_has_documents(run.rig.registry) ? REGISTRY_LOAD : REGISTRY_RESTATE;
    run.is_taking = registry_take(run.rig.registry, kind, &keys);
    run.rig.is_lazy = run.is_taking;
}

/* Part of what waits comes through. */
static void cut_in_the_middle(unsigned target)
{
    size_t sent = 0;
    const void *octets = registry_output(run.rig.registry, &sent);

    if (run.rig.peer == NULL)
        return;
    if (sent > 0)
        etcd_peer_receive(run.rig.peer, octets, sent);
    registry_sent(run.rig.registry, sent);
    struct octets output = etcd_peer_output(run.rig.peer);
    size_t length = output.length * (target % 16) / 16;
    if (length > 0 && length < 65536) {
        uint8_t *copy = malloc(length);
        assert(copy != NULL);
        memcpy(copy, output.start, length);
        registry_receive(run.rig.registry, copy, length, run.rig.now_ms);
        free(copy);
    }
    rig_cut(&run.rig);
}

static void back_up(void)
{
    etcd_store_free(run.backup);
    run.backup = etcd_store_backup(run.rig.store);
}

/* The member is restarted, and written to beyond what the replica knows, or found at once. */
static void restore(unsigned target)
{
    int64_t reached;

    if (run.backup == NULL || !rig_status(&run.rig).is_connected)
        return;
    /* Just after a full read there is nothing to tell histories apart, until the next beat. */
    put_beat();
    rig_run(&run.rig, 10);
    reached = run.rig.store->revision;
    if (rig_status(&run.rig).revision != (uint64_t)reached)
        return;
    rig_cut(&run.rig);
    etcd_store_restore(run.rig.store, run.backup);
    if (target % 2 == 0)
        while (run.rig.store->revision <= reached)
            put_beat();
    run.rig.is_cut = false;
    end_take();
    rig_run(&run.rig, 90000);
}

static void start_again(void)
{
    end_take();
    rig_restart(&run.rig);
}

static void disturb(unsigned target)
{
    if (run.rig.peer == NULL)
        return;
    switch (target % 5) {
    case 0:
        etcd_peer_send_progress(run.rig.peer);
        break;
    case 1:
        etcd_peer_cancel_watches(run.rig.peer, 0, "etcdserver: mvcc: watcher canceled");
        break;
    case 2:
        etcd_peer_end_streams(run.rig.peer, ETCD_UNAVAILABLE, "etcdserver: no leader");
        break;
    case 3:
        etcd_peer_go_away(run.rig.peer, target % 2 == 0, "bye");
        break;
    default:
        etcd_peer_set_silent(run.rig.peer, true);
        break;
    }
    rig_settle(&run.rig);
}

static void lose_change(unsigned target)
{
    rig_put(&run.rig, key_of_app(target), value_of(target % 4));
    if (!run.may_lose)
        return;
    if (run.rig.peer != NULL)
        etcd_peer_lose_changes(run.rig.peer);
    run.has_lost = true;
}

static void compact(unsigned target)
{
    int64_t revision = run.rig.store->revision - target % 8;

    if (revision > 1 && revision > run.rig.store->compacted)
        etcd_store_compact(run.rig.store, revision);
}

static void pause_or_resume(unsigned target)
{
    char value[32];

    snprintf(value, sizeof value, "by: w%u\n", run.writes++);
    if (target % 2 == 0)
        rig_put(&run.rig, "pause", value);
    else
        rig_delete(&run.rig, "pause");
}

static void step(unsigned event, unsigned target)
{
    switch (event % 24) {
    case 0:
    case 1:
    case 2:
        rig_put(&run.rig, key_of_app(target), value_of(target % 4));
        break;
    case 3:
        rig_delete(&run.rig, key_of_app(target));
        break;
    case 4:
    case 5:
        put_document(target);
        break;
    case 6:
        delete_document(target);
        break;
    case 7:
        put_broken_document(target);
        break;
    case 8:
    case 9:
        put_pair(target);
        break;
    case 10:
        put_several(target);
        break;
    case 11:
        put_bad_value(target);
        break;
    case 12:
        compact(target);
        break;
    case 13:
        back_up();
        break;
    case 14:
        restore(target);
        break;
    case 15:
        cut_in_the_middle(target);
        break;
    case 16:
        run.rig.is_cut = target % 3 == 0;
        rig_cut(&run.rig);
        break;
    case 17:
        disturb(target);
        break;
    case 18:
        lose_change(target);
        break;
    case 19:
        pause_or_resume(target);
        break;
    case 20:
        begin_take(target);
        break;
    case 21:
        end_take();
        break;
    case 22:
        start_again();
        break;
    default:
        rig_run(&run.rig, target % 4 == 0 ? 30000 : target);
        break;
    }
    /* Mostly there is time to connect again, and for what was written to come. */
    if (target / SPACES % 4 != 0)
        rig_run(&run.rig, 500);
    adopt();
}

/* ---- the oracle ---- */

static bool is_broken(const char *text)
{
    return strstr(text, "space: [") != NULL || strstr(text, "flying") != NULL;
}

static const char *value_at(const char *key, uint64_t *revision)
{
    char full[128];

    snprintf(full, sizeof full, "/spacedns/eu/%s", key);
    const struct etcd_version *version =
        etcd_store_get(run.rig.store, octets_of(full), run.rig.store->revision);
    *revision = version == NULL ? 0 : (uint64_t)version->mod_revision;
    return etcd_store_value(run.rig.store, full);
}

/* The space whose document claims it and was created first; NULL: none. Kept ones have a past. */
static const char *find_first(bool *has_broken)
{
    const char *first = NULL;
    int64_t created = INT64_MAX;
    char key[32];

    *has_broken = false;
    for (unsigned i = 0; i < SPACES; i++) {
        snprintf(key, sizeof key, "/spacedns/eu/z/%s", spaces[i]);
        const struct etcd_version *version =
            etcd_store_get(run.rig.store, octets_of(key), run.rig.store->revision);
        if (version == NULL)
            continue;
        const char *text = etcd_store_value(run.rig.store, key);
        *has_broken |= is_broken(text);
        if (strstr(text, claimed) == NULL || version->create_revision >= created)
            continue;
        created = version->create_revision;
        first = spaces[i];
    }
    return first;
}

static void check_claimed(void)
{
    bool has_broken;
    const char *first = find_first(&has_broken);
    struct index_entry entry;
    bool is_found = snapshot_find_app(run.rig.current, claimed, strlen(claimed), &entry);

    if (has_broken)
        return;
    assert(is_found == (first != NULL));
    assert(!is_found || strcmp(run.rig.current->segments[entry.segment]->name, first) == 0);
}

static void check_document(const char *space)
{
    char key[16];
    uint64_t revision;
    const struct segment *segment = snapshot_find_space(run.rig.current, space);

    snprintf(key, sizeof key, "z/%s", space);
    const char *text = value_at(key, &revision);
    if (text == NULL)
        assert(segment == NULL);
    else if (!is_broken(text))
        assert(segment != NULL && !segment->is_unready &&
               segment->identity.stamp.words[0] == revision);
    else
        assert(segment != NULL);
}

static void expect_dynos(const char *key, const char *space, const char *app, const char *type)
{
    char expected[32];
    uint64_t revision;
    const char *value = value_at(key, &revision), *served = rig_dynos(&run.rig, space, app, type);
    unsigned lines = 0;

    if (!has_app(space, app) || (value != NULL && is_broken(value)))
        return;
    if (value == NULL) {
        assert(strcmp(served, "-") == 0);
        return;
    }
    snprintf(expected, sizeof expected, "@%llu", (unsigned long long)revision);
    assert(strcmp(served, "-") != 0 && strcmp(strchr(served, '@'), expected) == 0);
    for (const char *next = value; *next != '\0'; next++)
        lines += *next == '\n';
    assert(count_dynos(served) == lines);
}

static void check_keys(void)
{
    for (unsigned target = 0; target < SPACES * APPS * TYPES; target++) {
        unsigned space = target % SPACES, app = target / SPACES % APPS;
        char name[16];
        snprintf(name, sizeof name, "%s-%u", spaces[space], app);
        expect_dynos(key_of_app(target), spaces[space], name, types[target / 16 % TYPES]);
    }
    expect_dynos("d/ant/ant-pair/run", "ant", "ant-pair", "run");
    expect_dynos("d/bee/bee-pair/run", "bee", "bee-pair", "run");
}

/* A day's audits in a minute. */
static void wind_up(void)
{
    end_take();
    run.rig.is_cut = false;
    rig_delete(&run.rig, "pause");
    rig_run(&run.rig, 180000);
    rig_follow(&run.rig);
    put_beat(); /* a change that was lost is behind what is known, from now on */
    rig_run(&run.rig, 10);
    for (unsigned i = 0; i < 3; i++) {
        registry_request_audit(run.rig.registry, run.rig.now_ms);
        rig_run(&run.rig, 5000);
    }
    for (unsigned i = 0; i < SPACES; i++)
        check_document(spaces[i]);
    check_keys();
    check_claimed();
    check_pair();
    /* Audits mend what an etcd has lost, and find nothing else to mend. */
    assert(run.has_lost || rig_status(&run.rig).audit_differences == 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    log_set_level(LOG_ERROR);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run.writes = 0;
    run.backup = NULL;
    run.is_taking = run.has_lost = false;
    run.may_lose = size > 0 && data[0] % 4 == 0;
    rig_init(&run.rig);
    rig_start(&run.rig);
    for (size_t i = 0; i + 1 < size && i / 2 < STEPS_MOST; i += 2)
        step(data[i], data[i + 1]);
    wind_up();
    rig_close(&run.rig);
    etcd_store_free(run.backup);
    return 0;
}
