#include "support/registry_rig.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer/restate.h"
#include "inspect/guard_space.h"
#include "support/zones.h"

#define CELL "/spacedns/eu/"

enum { EXCHANGES_MOST = 20000 };

/* ---- the port and the listener ---- */

static void on_open(void *context, const char *endpoint)
{
    struct registry_rig *rig = context;

    assert(!rig->wants_open && rig->peer == NULL);
    rig->wants_open = true;
    rig->opens++;
    snprintf(rig->endpoint, sizeof rig->endpoint, "%s", endpoint);
}

static void on_send(void *context)
{
    (void)context;
}

static void on_close(void *context)
{
    struct registry_rig *rig = context;

    rig->wants_open = false;
    etcd_peer_free(rig->peer);
    rig->peer = NULL;
}

static int64_t wall_ms(void *context)
{
    const struct registry_rig *rig = context;

    return (int64_t)rig->now_ms + 1000000;
}

static void on_change(void *context)
{
    struct registry_rig *rig = context;

    rig->has_change = true;
}

static void add_findings(struct registry_rig *rig, const struct report *report)
{
    for (size_t i = 0; i < report_total(report); i++) {
        size_t length = strlen(rig->findings);
        snprintf(rig->findings + length, sizeof rig->findings - length, "%s@%s ",
                 finding_name(report_findings(report)[i].code), report_findings(report)[i].file);
    }
}

static void on_event(void *context, const struct registry_event *event)
{
    struct registry_rig *rig = context;

    rig->told[event->kind]++;
    if (event->report != NULL)
        add_findings(rig, event->report);
    else
        snprintf(rig->texts[event->kind], RIG_TEXT, "%s", event->text);
}

/* ---- beginning and end ---- */

static const char *const endpoints[] = {"http://10.1.0.1:2379", "http://10.1.0.2:2379"};

void rig_init(struct registry_rig *rig)
{
    *rig = (struct registry_rig){
        .options = {.endpoints = endpoints,
                    .endpoint_count = 2,
                    .root = "/spacedns",
                    .cell = "eu",
                    .stale_after_ms = 60000,
                    .version = "1"},
        .store = etcd_store_new(),
        .policy = policy_usual(),
        .now_ms = RIG_START_MS,
    };
}

static void make_registry(struct registry_rig *rig)
{
    const struct registry_port port = {
        .open = on_open, .send = on_send, .close = on_close, .wall_ms = wall_ms, .context = rig};
    const struct registry_listener listener = {
        .on_change = on_change, .on_event = on_event, .context = rig};
    struct err err = {.text = ""};

    rig->registry = registry_new(&rig->options, &port, &listener, rig->now_ms, &err);
    if (rig->registry == NULL) {
        fprintf(stderr, "registry_new: %s\n", err.text);
        abort();
    }
}

void rig_start(struct registry_rig *rig)
{
    if (!rig->is_bare)
        etcd_store_put(rig->store, CELL "meta", "format: 1\nid: one\n");
    make_registry(rig);
}

static void stop(struct registry_rig *rig)
{
    registry_free(rig->registry);
    rig->registry = NULL;
    snapshot_free(rig->current);
    rig->current = NULL;
    load_outcome_close(&rig->outcome);
}

void rig_restart(struct registry_rig *rig)
{
    stop(rig);
    make_registry(rig);
}

void rig_close(struct registry_rig *rig)
{
    stop(rig);
    etcd_store_free(rig->store);
}

/* ---- the store ---- */

static const char *full_key(const char *key)
{
    static char full[2048];

    snprintf(full, sizeof full, CELL "%s", key);
    return full;
}

void rig_put(struct registry_rig *rig, const char *key, const char *value)
{
    etcd_store_put(rig->store, full_key(key), value);
}

void rig_delete(struct registry_rig *rig, const char *key)
{
    etcd_store_delete(rig->store, full_key(key), NULL);
}

void rig_put_space(struct registry_rig *rig, const char *space, const char *apps)
{
    char text[8192], key[16];
    int block = space[0] - 'a';
    int length =
        snprintf(text, sizeof text, "space: %s\ncidr: 10.%d.0.0/16\nrouters: [10.%d.0.37]\napps:\n",
                 space, block, block);

    for (const char *app = apps; *app != '\0'; app += strcspn(app, " ")) {
        app += strspn(app, " ");
        int name = (int)strcspn(app, " !");
        length += snprintf(text + length, sizeof text - (size_t)length,
                           "  - {name: %.*s, internal_routing: %s, formation: {web: {dynos: "
                           "[{number: 1, state: down}]}}}\n",
                           name, app, app[name] == '!' ? "true" : "false");
        assert(length < (int)sizeof text);
    }
    snprintf(key, sizeof key, "z/%s", space);
    rig_put(rig, key, text);
}

/* ---- octets ---- */

void rig_cut(struct registry_rig *rig)
{
    if (rig->peer == NULL)
        return;
    etcd_peer_free(rig->peer);
    rig->peer = NULL;
    registry_closed(rig->registry, "connection reset by peer", rig->now_ms);
}

static void open_if_asked(struct registry_rig *rig)
{
    if (!rig->wants_open)
        return;
    rig->wants_open = false;
    if (rig->is_cut) {
        registry_closed(rig->registry, "connection refused", rig->now_ms);
        return;
    }
    rig->peer = etcd_peer_new(rig->store, 1);
    registry_connected(rig->registry, rig->now_ms);
}

static bool pass_to_peer(struct registry_rig *rig)
{
    size_t length = 0;
    const void *octets = registry_output(rig->registry, &length);

    if (length == 0)
        return false;
    etcd_peer_receive(rig->peer, octets, length);
    registry_sent(rig->registry, length);
    return true;
}

static bool pass_to_registry(struct registry_rig *rig)
{
    struct octets output = etcd_peer_output(rig->peer);
    uint8_t piece[4096];
    size_t length = output.length;

    if (length == 0)
        return false;
    if (rig->piece != 0 && length > rig->piece)
        length = rig->piece;
    if (length > sizeof piece)
        length = sizeof piece;
    /* The peer may be freed within registry_receive. */
    memcpy(piece, output.start, length);
    etcd_peer_sent(rig->peer, length);
    registry_receive(rig->registry, piece, length, rig->now_ms);
    return true;
}

void rig_settle(struct registry_rig *rig)
{
    bool goes_on = true;

    for (unsigned i = 0; goes_on && i < EXCHANGES_MOST * 100; i++) {
        open_if_asked(rig);
        goes_on = rig->wants_open;
        if (rig->peer != NULL)
            goes_on |= pass_to_peer(rig);
        if (rig->peer != NULL)
            goes_on |= pass_to_registry(rig);
    }
}

/* ---- the owner ---- */

static bool may_change(void *context, const char *text_name, const struct segment *old,
                       const struct segment *next, struct err *why)
{
    const struct registry_rig *rig = context;

    if (registry_is_forced(rig->registry, text_name))
        return true;
    if (rig->is_guarded)
        return guard_space(old, next, 10, why);
    if (rig->refused == NULL || strcmp(text_name + 2, rig->refused) != 0 ||
        registry_is_forced(rig->registry, text_name))
        return true;
    return err_set(why, ERR_RULE, "refused");
}

static void note_releases(struct registry_rig *rig, const struct registry_keys *keys)
{
    for (size_t i = 0; i < keys->release_count; i++) {
        size_t length = strlen(rig->released);
        snprintf(rig->released + length, sizeof rig->released - length, "%s ", keys->releases[i]);
    }
}

static void serve(struct registry_rig *rig, struct snapshot *next)
{
    snapshot_free(rig->current);
    rig->current = next;
}

static void fail(const struct report *report, const struct err *err)
{
    fprintf(stderr, "a load failed: %s\n", err->text);
    report_print(report, stderr);
    abort();
}

static void load(struct registry_rig *rig)
{
    struct registry_keys keys;
    struct err err = {.text = ""};
    struct report *report = report_new();

    if (!registry_take(rig->registry, REGISTRY_LOAD, &keys))
        abort();
    note_releases(rig, &keys);
    struct load_request request = {
        .source = registry_source(rig->registry),
        .policy = &rig->policy,
        .key = key_usual(),
        .threads = 1,
        .before = rig->current,
        .keeps_spaces = true,
        .generation = keys.revision,
        .keys = keys.keys,
        .key_count = keys.count,
        .judge = {.may_change = may_change, .context = rig},
        .fixed = {.find = registry_find_fixed,
                  .is_new = registry_has_new_fixed,
                  .context = rig->registry},
    };
    load_outcome_close(&rig->outcome);
    struct snapshot *next = snapshot_load(&request, report, &rig->outcome, &err);
    if (next == NULL && !rig->outcome.is_unchanged)
        fail(report, &err);
    registry_wait(rig->registry, (const struct dyno_key *const *)rig->outcome.unused,
                  rig->outcome.unused_count);
    free(rig->outcome.unused); /* the keys are the registry's now */
    rig->outcome.unused = NULL;
    rig->outcome.unused_count = 0;
    registry_note_loaded(rig->registry, &rig->outcome, next == NULL ? rig->current : next);
    if (next != NULL)
        serve(rig, next);
    report_free(report);
    rig->loads++;
}

static void restate(struct registry_rig *rig)
{
    struct registry_keys keys;
    struct err err;
    struct restate_outcome outcome = {.report = report_new()};

    if (!registry_take(rig->registry, REGISTRY_RESTATE, &keys))
        abort();
    struct snapshot *next =
        snapshot_restate(rig->current, keys.keys, keys.count, keys.revision, &outcome, &err);
    if (next == NULL)
        fail(outcome.report, &err);
    registry_wait(rig->registry, outcome.unused, outcome.unused_count);
    registry_wait(rig->registry, outcome.refused, outcome.refused_count);
    registry_note_findings(rig->registry, outcome.report);
    registry_note_restated(rig->registry, next);
    serve(rig, next);
    add_findings(rig, outcome.report);
    report_free(outcome.report);
    restate_outcome_close(&outcome);
    rig->restates++;
}

bool rig_adopt(struct registry_rig *rig)
{
    bool has_changed = false;

    for (;;) {
        rig->has_change = false;
        if (registry_has_documents(rig->registry) ||
            (rig->current == NULL && registry_is_known(rig->registry)))
            load(rig);
        else if (registry_has_keys(rig->registry))
            restate(rig);
        else
            return has_changed;
        has_changed = true;
    }
}

/* ---- time ---- */

void rig_run(struct registry_rig *rig, uint64_t ms)
{
    uint64_t end = rig->now_ms + ms;

    for (;;) {
        rig_settle(rig);
        if (!rig->is_lazy && rig_adopt(rig))
            continue;
        uint64_t next = registry_next_ms(rig->registry, rig->now_ms);
        if (next > end)
            break;
        rig->now_ms = next;
        registry_tick(rig->registry, rig->now_ms);
    }
    rig->now_ms = end;
    registry_tick(rig->registry, rig->now_ms);
    rig_settle(rig);
    if (!rig->is_lazy)
        rig_adopt(rig);
}

void rig_follow(struct registry_rig *rig)
{
    const unsigned seconds_most = 180;

    for (unsigned i = 0; i < seconds_most; i++) {
        rig_run(rig, 1000);
        if (rig_status(rig).is_connected)
            return;
    }
    fprintf(stderr, "it does not follow: %s\n", rig_status(rig).problem);
    abort();
}

/* ---- what is served ---- */

static int compare_segments(const void *a, const void *b)
{
    const struct segment *const *one = a, *const *other = b;

    return strcmp((*one)->name, (*other)->name);
}

static void add_apps(struct text *text, const struct segment *segment)
{
    for (size_t i = 0; i < segment->app_count; i++) {
        text_add_string(text, i > 0 ? "," : "");
        text_add(text, segment_text(segment, segment->apps[i].name), segment->apps[i].name_length);
    }
    if (segment->app_count == 0)
        text_add_string(text, segment->is_unready ? "unready" : "-");
}

const char *rig_served(const struct registry_rig *rig)
{
    static char out[2048];
    struct text text = text_over(out, sizeof out - 1);
    const struct segment *segments[64];
    size_t count = 0;

    for (size_t i = 0; rig->current != NULL && i < rig->current->segment_count; i++)
        if (rig->current->segments[i] != NULL && count < 64)
            segments[count++] = rig->current->segments[i];
    if (count > 0)
        qsort(segments, count, sizeof segments[0], compare_segments);
    for (size_t i = 0; i < count; i++) {
        text_add_string(&text, i > 0 ? " " : "");
        text_add_string(&text, segments[i]->name);
        text_add_string(&text, "(");
        add_apps(&text, segments[i]);
        text_add_string(&text, ")");
    }
    *text.next = '\0';
    return out;
}

struct looking {
    const char *app, *type;
    struct text text;
};

static bool look(void *context, const struct dyno_key *view)
{
    static const char *const states[] = {"up", "starting", "idle", "crashed", "down"};
    struct looking *looking = context;

    if (strcmp(view->app, looking->app) != 0 || strcmp(view->type, looking->type) != 0)
        return true;
    for (size_t i = 0; i < view->count; i++) {
        text_add_string(&looking->text, i > 0 ? ", " : "");
        text_add_number(&looking->text, view->lines[i].number);
        text_add_string(&looking->text, " ");
        text_add_string(&looking->text, states[view->lines[i].state]);
        if (view->lines[i].ip != 0) {
            text_add_string(&looking->text, " ");
            text_add_ipv4(&looking->text, view->lines[i].ip);
        }
    }
    text_add_string(&looking->text, view->count > 0 ? " @" : "@");
    text_add_number(&looking->text, view->revision);
    return false;
}

const char *rig_dynos(const struct registry_rig *rig, const char *space, const char *app,
                      const char *type)
{
    static char out[1024];
    const struct segment *segment =
        rig->current == NULL ? NULL : snapshot_find_space(rig->current, space);
    struct looking looking = {.app = app, .type = type, .text = text_over(out, sizeof out - 1)};

    if (segment == NULL || segment_walk_keys(segment, look, &looking))
        return "-";
    *looking.text.next = '\0';
    return out;
}

struct registry_status rig_status(struct registry_rig *rig)
{
    struct registry_status status;

    registry_describe(rig->registry, &status, rig->now_ms);
    return status;
}
