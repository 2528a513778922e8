#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/lines.h"
#include "registry/registry_state.h"

/* ---- what is announced ---- */

static void write_kept(struct lines_writer *out, const struct registry *registry)
{
    char text[KEY_NAME_MOST + 64];

    for (size_t i = 0; i < registry->kept.count; i++) {
        const struct registry_kept *kept = &registry->kept.items[i];
        snprintf(text, sizeof text, "%s %.40s", kept->space, kept->code);
        lines_write(out, kept->kind == REGISTRY_HELD ? "held" : "kept",
                    kept->kind == REGISTRY_HELD ? kept->space : text);
    }
}

/* They always wait for some milliseconds. */
static void write_waiting(struct lines_writer *out, const struct registry *registry,
                          const struct registry_status *status)
{
    uint64_t since_ms = registry->waits_since_ms;

    if (since_ms == 0 || registry->now_ms < since_ms + ANNOUNCE_WAITS_MS ||
        status->revision <= status->in_force)
        return;
    lines_write_number(out, "known", status->revision);
    lines_write_number(out, "waits_ms", registry->now_ms - since_ms);
}

static void write_value(struct lines_writer *out, struct registry *registry)
{
    struct registry_status status;

    registry_describe(registry, &status, registry->now_ms);
    lines_write_number(out, "revision", status.in_force);
    lines_write_number(out, "at_ms", (uint64_t)registry->port.wall_ms(registry->port.context));
    lines_write(out, "version", registry->version == NULL ? "" : registry->version);
    lines_write_number(out, "format", FOLLOW_FORMAT);
    lines_write(out, "channel", registry->options.is_canary ? "canary" : "stable");
    write_waiting(out, registry, &status);
    if (status.held_app_count > 0)
        lines_write_number(out, "held_apps", status.held_app_count);
    write_kept(out, registry);
}

/* ---- calls ---- */

static void call_encoded(struct registry *registry, enum call_kind kind, enum etcd_method method,
                         struct octets message)
{
    if (message.start != NULL)
        registry_call(registry, kind, 0, method, message);
}

static void put(struct registry *registry)
{
    struct lines_writer out = {.text = NULL};
    struct arena *arena = arena_new();
    struct key_text key;

    write_value(&out, registry);
    keys_write_replica(&registry->keys, registry->server_id, &key);
    const struct etcd_put request = {
        .key = {.start = (const uint8_t *)key.octets, .length = key.length},
        .value = {.start = (const uint8_t *)out.text, .length = out.length},
        .lease = registry->announcing.lease,
    };
    if (arena != NULL && !out.has_failed)
        call_encoded(registry, CALL_ANNOUNCE, ETCD_PUT, etcd_encode_put(arena, &request));
    arena_free(arena);
    free(out.text);
}

static void renew(struct registry *registry)
{
    struct arena *arena = arena_new();
    int64_t lease = registry->announcing.lease;

    if (arena != NULL && lease == 0)
        call_encoded(registry, CALL_LEASE, ETCD_LEASE_GRANT,
                     etcd_encode_lease_grant(arena, LEASE_SECONDS, 0));
    else if (arena != NULL)
        call_encoded(registry, CALL_KEEP, ETCD_LEASE_KEEP_ALIVE,
                     etcd_encode_lease_keep_alive(arena, lease));
    arena_free(arena);
}

bool registry_announces(const struct registry *registry)
{
    return registry->options.announces && registry->in_force.revision != 0;
}

void registry_tick_announce(struct registry *registry)
{
    struct announcing *announcing = &registry->announcing;

    if (!registry_announces(registry) || registry->server_id == NULL ||
        registry->follow.state != FOLLOW_WATCHING || registry->now_ms < announcing->next_ms)
        return;
    registry_cancel_calls(registry, CALL_LEASE, CALL_ANNOUNCE);
    announcing->last_ms = registry->now_ms;
    announcing->next_ms = registry->now_ms + ANNOUNCE_MS - ANNOUNCE_MS / 8 +
                          random_16(&registry->random) % (ANNOUNCE_MS / 4);
    renew(registry);
}

/* Operators wait for a push to arrive, and want to know what is kept or held. */
void registry_announce_soon(struct registry *registry)
{
    struct announcing *announcing = &registry->announcing;
    uint64_t soon_ms = registry->now_ms + random_16(&registry->random) % ANNOUNCE_SOON_MS;
    uint64_t least_ms = announcing->last_ms + ANNOUNCE_LEAST_MS;

    if (announcing->last_ms != 0 && soon_ms < least_ms)
        soon_ms = least_ms;
    if (announcing->next_ms > soon_ms)
        announcing->next_ms = soon_ms;
}

/* A lease that has run out is 0 seconds long: the next turn asks for another. */
void registry_on_lease(struct registry *registry, const struct etcd_lease_response *response)
{
    registry->announcing.lease = response->seconds > 0 ? response->id : 0;
    registry->announcing.is_denied = false;
    if (registry->announcing.lease != 0)
        put(registry);
    else
        registry->announcing.next_ms = registry->now_ms + 1000;
}

void registry_on_announce_failure(struct registry *registry, enum etcd_status status,
                                  const char *text)
{
    bool was_denied = registry->announcing.is_denied;

    registry->announcing.lease = 0;
    registry->announcing.is_denied = true;
    if (!was_denied && strstr(text, "space exceeded") != NULL)
        registry_notify(
            registry, REGISTRY_DENIED, true,
            "etcd has no space left (NOSPACE), so nobody can write to the registry, and "
            "what is there goes on being answered; make some on each member: etcdctl "
            "compaction --physical REVISION, etcdctl defrag, then etcdctl alarm "
            "disarm");
    else if (!was_denied)
        registry_notify(registry, REGISTRY_DENIED, status == ETCD_PERMISSION_DENIED,
                        "this server cannot announce itself below %s (%.200s); give its role "
                        "write there, or set registry.announce to false",
                        registry->keys.replicas, text);
}
