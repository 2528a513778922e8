#include "spacednsd/replica.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer/restate.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/listen_address.h"
#include "inspect/guard_space.h"
#include "spacednsd/findings_log.h"
#include "spacednsd/reloads.h"
#include "spacednsd/replica_save.h"

enum {
    MS_PER_SECOND = 1000,
    NS_PER_US = 1000,
    US_PER_SECOND = 1000000,
    SAVE_LOOK_MS = 5 * 1000, /* whether one is due */
    RETRY_MS = 1000,         /* after there was no memory */
    FINDINGS_MOST = 100,     /* of dyno keys, logged in a second */
    CROWD = 64,              /* snapshots that workers have not taken yet */
    CROWD_MS = 100,          /* then restates wait */
};

/* ---- making it ---- */

static uint64_t stale_after_ms(const struct settings *settings)
{
    return (uint64_t)settings->registry_stale_after_s * MS_PER_SECOND;
}

/* Several servers of one host have one server_id, but each its own address. */
static void write_name(struct replica *replica)
{
    const struct settings *settings = &replica->reloads->settings;
    char address[LISTEN_TEXT_MAX] = "";

    if (settings->listen.count > 0)
        listen_address_write(&settings->listen.items[0], address);
    const char *scheme = strstr(address, "://");
    snprintf(replica->name, sizeof replica->name, "%s@%s",
             settings->server_id == NULL ? "" : settings->server_id,
             scheme == NULL ? address : scheme + 3);
}

static struct registry_options options_of(const struct replica *replica)
{
    const struct settings *settings = &replica->reloads->settings;

    return (struct registry_options){
        .endpoints = settings->registry_endpoints.items,
        .endpoint_count = settings->registry_endpoints.count,
        .trust = replica->login.trust,
        .user = settings->registry_user,
        .password = replica->login.password,
        .root = settings->registry_root,
        .cell = settings->registry_cell,
        .spaces = settings->registry_spaces.items,
        .space_count = settings->registry_spaces.count,
        .is_canary = settings->registry_channel == REGISTRY_CANARY,
        .stale_after_ms = stale_after_ms(settings),
        .announces = settings->registry_announce,
        .server_id = replica->name,
        .version = SPACEDNS_VERSION,
        .state_path = state_is_used(&replica->reloads->state) ? settings->state_dir : NULL,
    };
}

static void replica_on_change(void *context);

static void replica_on_event(void *context, const struct registry_event *event)
{
    (void)context;
    replica_log_event(event);
}

bool replica_open(struct replica *replica, struct reloads *reloads, struct err *err)
{
    const struct settings *settings = &reloads->settings;

    *replica = (struct replica){
        .reloads = reloads, .freshness.age_s = FRESHNESS_NEVER, .started_ms = replica_now_ms()};
    if (!settings_has_registry(settings))
        return true;
    if (!replica_login_open(&replica->login, settings, err))
        return false;
    if (!replica_hosts_init(&replica->link.hosts, settings))
        return err_set(err, ERR_MEMORY, "out of memory for the registry");
    write_name(replica);
    const struct registry_options options = options_of(replica);
    const struct registry_port port = replica_link_port(&replica->link);
    const struct registry_listener listener = {
        .on_change = replica_on_change, .on_event = replica_on_event, .context = replica};
    replica->registry = registry_new(&options, &port, &listener, replica_now_ms(), err);
    replica->link.registry = replica->registry;
    return replica->registry != NULL;
}

/* ---- settings ---- */

void replica_read_login(struct replica *replica, const struct settings *origins,
                        struct report *report)
{
    replica_login_read_next(&replica->login, &replica->reloads->settings, origins, report);
}

void replica_note_settings(struct replica *replica)
{
    const struct settings *settings = &replica->reloads->settings;

    if (replica_login_renew(&replica->login))
        replica->logged.has_warned = false; /* of the certificate that is in use now */
    registry_change(replica->registry,
                    &(struct registry_live){.trust = replica->login.trust,
                                            .password = replica->login.password,
                                            .stale_after_ms = stale_after_ms(settings),
                                            .announces = settings->registry_announce});
    registry_request_audit(replica->registry, replica_now_ms());
}

/* ---- what is in force ---- */

static void describe_login(const struct replica *replica, struct registry_status *status)
{
    const struct replica_login *login = &replica->login;
    int64_t end_s = login->trust == NULL ? TLS_NO_END : tls_trust_end_s(login->trust);

    status->login_problem = login->problem.code == ERR_NONE ? NULL : login->problem.text;
    if (end_s == TLS_NO_END)
        return;
    status->certificate = replica->reloads->settings.registry_certificate;
    status->certificate_end_s = end_s;
    status->certificate_left_s = end_s - clock_wall_us() / US_PER_SECOND;
}

void replica_describe(struct replica *replica, struct registry_status *status)
{
    const struct settings *settings = &replica->reloads->settings;

    registry_describe(replica->registry, status, replica_now_ms());
    describe_login(replica, status);
    status->restates = replica->restates;
    status->restate_us = replica->restate_us;
    if (status->age_ms < 0 && replica_now_ms() < replica->started_ms + stale_after_ms(settings))
        status->is_stale = false; /* it had no time yet */
}

static void set_freshness(struct replica *replica)
{
    struct freshness *freshness = &replica->freshness;
    struct registry_status status;

    replica_describe(replica, &status);
    uint32_t age_s =
        status.age_ms < 0 ? FRESHNESS_NEVER : (uint32_t)(status.age_ms / MS_PER_SECOND);
    atomic_store_explicit(&freshness->revision, status.in_force, memory_order_relaxed);
    atomic_store_explicit(&freshness->age_s, age_s, memory_order_relaxed);
    atomic_store_explicit(&freshness->is_stale, status.is_stale, memory_order_relaxed);
    atomic_store_explicit(&freshness->member,
                          replica_hosts_text(&replica->link.hosts, status.endpoint),
                          memory_order_release);
    replica_log_status(&replica->logged, &status);
}

/* Called without a take under way. */
static void note_caught_up(struct replica *replica)
{
    struct registry_status status;

    if (replica->on_caught_up == NULL)
        return;
    replica_describe(replica, &status);
    bool has_all = status.is_connected && !registry_has_documents(replica->registry) &&
                   !registry_has_keys(replica->registry);
    if (!has_all && replica_now_ms() < replica->patience_ms)
        return;
    void (*on_caught_up)(void *) = replica->on_caught_up;
    replica->on_caught_up = NULL;
    on_caught_up(replica->context);
}

static void note_in_force(struct replica *replica)
{
    replica->is_taken = false;
    set_freshness(replica);
}

bool replica_is_waiting(const struct replica *replica)
{
    return replica_is_used(replica) && !registry_is_known(replica->registry);
}

void replica_await(struct replica *replica, uint64_t patience_ms, void (*on_caught_up)(void *),
                   void *context)
{
    replica->on_caught_up = on_caught_up;
    replica->context = context;
    replica->patience_ms = replica_now_ms() + patience_ms;
    note_caught_up(replica);
}

/* ---- dyno keys ---- */

static void replica_on_gathered(uv_timer_t *timer);

static void wait_ms(struct replica *replica, uint64_t ms)
{
    if (replica->has_handles && !uv_is_active((uv_handle_t *)&replica->gather))
        uv_timer_start(&replica->gather, replica_on_gathered, ms, 0);
}

static void give_up_restate(struct replica *replica, const struct err *err)
{
    registry_note_failed(replica->registry);
    log_sentence(LOG_WARNING, "registry_restate_failed", err->text);
    wait_ms(replica, RETRY_MS);
}

/* Addresses that move are usual, and may be many. */
static void log_findings(struct replica *replica, const struct report *report)
{
    if (replica->findings < FINDINGS_MOST)
        findings_log(report);
    else
        replica->left_out += report_total(report);
    replica->findings += report_total(report);
}

static void log_left_out(struct replica *replica)
{
    struct log_line line;

    if (replica->left_out > 0) {
        log_start(&line, LOG_WARNING, "findings_left_out");
        log_number(&line, "count", replica->left_out);
        log_string(&line, "text", "of dynos in the registry, in a second");
        log_send(&line);
    }
    replica->findings = replica->left_out = 0;
}

/* Keys that do not fit their document may fit the next one, so they wait like those without one. */
static bool wait_for_documents(struct replica *replica, const struct restate_outcome *outcome)
{
    bool passed = registry_wait(replica->registry, outcome->unused, outcome->unused_count);

    return registry_wait(replica->registry, outcome->refused, outcome->refused_count) && passed;
}

static void publish(struct replica *replica, struct snapshot *snapshot,
                    const struct restate_outcome *outcome)
{
    const struct snapshot *before = server_current(replica->server);

    if (!wait_for_documents(replica, outcome))
        log_sentence(LOG_WARNING, "registry_restate_failed",
                     "out of memory for dynos of apps that no document has; they are read again "
                     "with the next audit");
    if (outcome->changed_spaces > 0 || snapshot->generation != before->generation) {
        server_publish(replica->server, snapshot);
        server_reclaim(replica->server);
    } else {
        snapshot_free(snapshot);
    }
    registry_note_findings(replica->registry, outcome->report);
    registry_note_restated(replica->registry, server_current(replica->server));
    log_findings(replica, outcome->report);
}

/* Beats have later ones than what they find in force. */
static void note_revision(struct freshness *freshness, uint64_t revision)
{
    if (atomic_load_explicit(&freshness->revision, memory_order_relaxed) < revision)
        atomic_store_explicit(&freshness->revision, revision, memory_order_relaxed);
}

/* Costs what has changed, and waits for nobody: see restate.h. */
static void restate(struct replica *replica)
{
    struct restate_outcome outcome = {.report = report_new()};
    uint64_t began_ns = clock_monotonic_ns();
    struct err err;

    err_set(&err, ERR_MEMORY, "out of memory for new states of dynos; they are tried again");
    if (outcome.report == NULL ||
        !registry_take(replica->registry, REGISTRY_RESTATE, &replica->keys)) {
        report_free(outcome.report);
        wait_ms(replica, RETRY_MS);
        return;
    }
    struct snapshot *snapshot =
        snapshot_restate(server_current(replica->server), replica->keys.keys, replica->keys.count,
                         replica->keys.revision, &outcome, &err);
    if (snapshot == NULL) {
        give_up_restate(replica, &err);
    } else {
        replica->restates++;
        replica->restated_keys += replica->keys.count;
        publish(replica, snapshot, &outcome);
        /* The rest is set every second: it costs a look at each space. */
        note_revision(&replica->freshness, replica->keys.revision);
        replica->restate_us = (clock_monotonic_ns() - began_ns) / NS_PER_US;
    }
    restate_outcome_close(&outcome);
    report_free(outcome.report);
}

/* ---- changes ---- */

/* A load stores what it has read. While nobody else may, as in an upgrade, documents wait. */
static bool may_load(const struct replica *replica)
{
    return !replica->reloads->is_held &&
           (replica->is_writer || !state_is_used(&replica->reloads->state));
}

/* A reload under way goes on with this when it has ended. */
static void apply(struct replica *replica)
{
    if (replica->is_stopping || replica->reloads->is_reloading)
        return;
    if (registry_has_documents(replica->registry) && may_load(replica))
        reloads_request_documents(replica->reloads);
    else if (!registry_has_keys(replica->registry))
        note_caught_up(replica);
    else if (server_snapshot_count(replica->server) > CROWD)
        wait_ms(replica, CROWD_MS);
    else
        restate(replica);
}

static void replica_on_gathered(uv_timer_t *timer)
{
    struct replica *replica = timer->data;

    apply(replica);
    note_caught_up(replica);
}

static void replica_on_change(void *context)
{
    struct replica *replica = context;

    wait_ms(replica, replica->reloads->settings.registry_gather_ms);
}

void replica_go_on(struct replica *replica)
{
    if (replica_is_used(replica) && replica->has_handles &&
        !uv_is_active((uv_handle_t *)&replica->gather))
        apply(replica);
}

/* ---- loads ---- */

static bool may_change(void *context, const char *text_name, const struct segment *old,
                       const struct segment *next, struct err *why)
{
    const struct replica *replica = context;
    const struct settings *settings = &replica->reloads->settings;

    return !settings->reload_guard || registry_is_forced(replica->registry, text_name) ||
           guard_space(old, next, (unsigned)settings->guard_share, why);
}

bool replica_prepare(struct replica *replica, struct load_request *request)
{
    if (!registry_take(replica->registry, REGISTRY_LOAD, &replica->keys))
        return false;
    replica->is_taken = true;
    request->source = registry_source(replica->registry);
    request->keeps_spaces = true;
    request->generation = replica->keys.revision;
    request->keys = replica->keys.keys;
    request->key_count = replica->keys.count;
    request->judge = (struct load_judge){.may_change = may_change, .context = replica};
    request->fixed = (struct load_fixed){.find = registry_find_fixed,
                                         .is_new = registry_has_new_fixed,
                                         .context = replica->registry};
    return true;
}

/* The registry has the keys from now on. */
static void hand_unused_over(struct replica *replica, struct load_outcome *outcome)
{
    registry_wait(replica->registry, (const struct dyno_key *const *)outcome->unused,
                  outcome->unused_count);
    free(outcome->unused);
    outcome->unused = NULL;
    outcome->unused_count = 0;
}

void replica_note_loaded(struct replica *replica, struct load_outcome *outcome)
{
    if (!replica->is_taken) {
        if (replica_is_used(replica))
            registry_note_replaced(replica->registry, server_current(replica->server));
        return;
    }
    hand_unused_over(replica, outcome);
    if (outcome->key_findings != NULL)
        findings_log(outcome->key_findings);
    registry_note_loaded(replica->registry, outcome, server_current(replica->server));
    note_in_force(replica);
}

void replica_note_failed(struct replica *replica)
{
    if (!replica->is_taken)
        return;
    replica->is_taken = false;
    registry_note_failed(replica->registry);
}

const char *const *replica_releases(const struct replica *replica, size_t *count)
{
    *count = replica->is_taken ? replica->keys.release_count : 0;
    return replica->keys.releases;
}

/* ---- life ---- */

static void replica_on_save(uv_timer_t *timer)
{
    replica_save_if_due(timer->data);
}

static void replica_on_tick(uv_timer_t *timer)
{
    struct replica *replica = timer->data;

    registry_tick(replica->registry, replica_now_ms());
}

static void replica_on_second(uv_timer_t *timer)
{
    struct replica *replica = timer->data;

    log_left_out(replica);
    if (!replica->is_taken)
        set_freshness(replica);
    note_caught_up(replica);
}

/* Whatever has been called before, the registry has said what it wants to send, and when. */
static void replica_on_settle(uv_prepare_t *settle)
{
    struct replica *replica = settle->data;

    replica_link_flush(&replica->link);
    uint64_t now_ms = replica_now_ms(), next_ms = registry_next_ms(replica->registry, now_ms);
    uv_timer_start(&replica->tick, replica_on_tick, next_ms > now_ms ? next_ms - now_ms : 1, 0);
}

void replica_start(struct replica *replica, uv_loop_t *loop, struct server *server)
{
    if (!replica_is_used(replica))
        return;
    replica->loop = replica->link.loop = loop;
    replica->server = server;
    uv_prepare_init(loop, &replica->settle);
    uv_timer_init(loop, &replica->tick);
    uv_timer_init(loop, &replica->gather);
    uv_timer_init(loop, &replica->second);
    uv_timer_init(loop, &replica->save);
    replica->settle.data = replica->tick.data = replica->gather.data = replica->second.data =
        replica->save.data = replica;
    replica->has_handles = true;
    uv_prepare_start(&replica->settle, replica_on_settle);
    uv_timer_start(&replica->second, replica_on_second, MS_PER_SECOND, MS_PER_SECOND);
    uv_timer_start(&replica->save, replica_on_save, SAVE_LOOK_MS, SAVE_LOOK_MS);
    registry_tick(replica->registry, replica_now_ms());
}

void replica_stop(struct replica *replica)
{
    replica->is_stopping = true;
    replica->on_caught_up = NULL;
    if (!replica->has_handles)
        return;
    replica->has_handles = false;
    replica_link_stop(&replica->link);
    uv_close((uv_handle_t *)&replica->settle, NULL);
    uv_close((uv_handle_t *)&replica->tick, NULL);
    uv_close((uv_handle_t *)&replica->gather, NULL);
    uv_close((uv_handle_t *)&replica->second, NULL);
    uv_close((uv_handle_t *)&replica->save, NULL);
}

void replica_close(struct replica *replica)
{
    if (replica_is_used(replica) && replica->server != NULL)
        replica_save_now(replica);
    registry_free(replica->registry);
    replica->registry = NULL;
    replica_hosts_close(&replica->link.hosts);
    replica_logged_close(&replica->logged);
    replica_login_close(&replica->login);
    *replica = (struct replica){.registry = NULL};
}
