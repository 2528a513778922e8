#include "support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "source/folder.h"
#include "support/zones.h"

void world_init(struct world *world)
{
    *world = (struct world){
        .policy = policy_usual(),
        .key = key_usual(),
        .cookies = {.secrets = {.count = 1, .octets = {"a world's secret"}}, .now_s = WORLD_NOW_S},
        .reply = malloc(TCP_OCTETS_MOST),
    };
    world->policy.local.spaces = world->local;
    scratch_init(&world->folder);
}

void world_close(struct world *world)
{
    clocked_free(world->clocked);
    snapshot_free(world->snapshot);
    scratch_close(&world->folder);
    free(world->reply);
}

void world_init_fixture(struct world *world)
{
    world_init(world);
    scratch_copy(&world->folder, "zones/test-space.yaml");
    world_must_load(world);
}

void world_init_two_spaces(struct world *world)
{
    world_init(world);
    scratch_copy(&world->folder, "zones/test-space.yaml");
    scratch_copy(&world->folder, "tests/zones_good/other-space.yaml");
    world_must_load(world);
}

void world_load(struct world *world, struct report *report, struct load_outcome *outcome,
                struct err *err)
{
    struct folder source;
    struct load_request request = {
        .source = &source.source,
        .policy = &world->policy,
        .key = world->key,
        .threads = 1,
        .before = world->snapshot,
    };

    *outcome = (struct load_outcome){.is_unchanged = false};
    *err = (struct err){.code = ERR_NONE};
    folder_init(&source, world->folder.path, NULL);
    struct snapshot *loaded = snapshot_load(&request, report, outcome, err);
    if (loaded == NULL)
        return;
    snapshot_free(world->snapshot);
    world->snapshot = loaded;
}

void world_must_load(struct world *world)
{
    struct report *report = report_new();
    struct load_outcome outcome;
    struct err err;
    const struct snapshot *before = world->snapshot;

    world_load(world, report, &outcome, &err);
    if (world->snapshot == before && !outcome.is_unchanged) {
        report_print(report, stderr);
        fprintf(stderr, "the zone files are refused: %s\n", err.text);
        abort();
    }
    load_outcome_close(&outcome);
    report_free(report);
}

void world_must_load_text(struct world *world, const char *text)
{
    scratch_clear(&world->folder);
    scratch_write(&world->folder, "space.yaml", text, strlen(text));
    world_must_load(world);
}

static uint32_t address_of(const char *text, const char *usual)
{
    uint32_t address;

    if (!ipv4_read(text == NULL ? usual : text, &address)) {
        fprintf(stderr, "'%s' is no address\n", text);
        abort();
    }
    return address;
}

void world_forward(struct world *world, struct clocked_options options)
{
    options.snapshot = (const struct snapshot *const *)&world->snapshot;
    world->clocked = clocked_new(&options);
    world->policy.routes = clocked_routes(world->clocked);
}

/* As if every device had its interface. */
static uint32_t interface_of(const struct world *world, const char *device)
{
    return device == NULL || world->snapshot == NULL
               ? 0
               : access_interface(&world->snapshot->access, device);
}

/*
 * Answers a request whose reply takes its octets' place, as over UDP, and ends the program when the
 * reply is another one than aside. Clients with limits are not asked twice.
 */
static void check_in_place(const struct world *world)
{
    const struct exchange *aside = &world->exchange;
    static _Thread_local uint8_t octets[TCP_OCTETS_MOST];
    struct exchange in_place = *aside;

    if (aside->limits != NULL || aside->request_length > sizeof octets)
        return;
    memcpy(octets, aside->request, aside->request_length);
    in_place.request = in_place.reply = octets;
    size_t length = respond(world->snapshot, &in_place);
    if (length == aside->reply_length && memcmp(octets, aside->reply, length) == 0)
        return;
    fprintf(stderr, "a reply in its request's place is another one\n");
    abort();
}

void world_post(struct world *world, const uint8_t *octets, size_t length, const struct ask *how,
                struct awaited *awaited)
{
    world->exchange = (struct exchange){
        .request = octets,
        .request_length = length,
        .path = {.source = address_of(how->from, "10.0.130.56"),
                 .destination = address_of(how->to, "10.0.0.2"),
                 .interface = interface_of(world, how->by)},
        .transport = how->transport == ASK_TCP ? TRANSPORT_TCP : TRANSPORT_UDP,
        .keepalive_100ms = how->transport == ASK_TCP ? 100 : 0,
        .reply = awaited->reply,
        .cookies = world->cookies.secrets.count > 0 ? &world->cookies : NULL,
        .rotation = world->rotation++,
        .limits = world->limits,
    };
    if (world->clocked != NULL) {
        clocked_post(world->clocked, &world->exchange, awaited);
        return;
    }
    awaited->length = respond(world->snapshot, &world->exchange);
    check_in_place(world);
}

void world_await(struct world *world, const struct awaited *awaited)
{
    if (world->clocked == NULL || clocked_await(world->clocked, awaited))
        return;
    fprintf(stderr, "a reply does not come\n");
    abort();
}

size_t world_send(struct world *world, const uint8_t *octets, size_t length, const struct ask *how)
{
    struct awaited awaited = {.reply = world->reply};

    world_post(world, octets, length, how, &awaited);
    world_await(world, &awaited);
    world->reply_length = awaited.length;
    return awaited.length;
}

void world_ask(struct world *world, const struct ask *ask, struct decoded *decoded)
{
    uint8_t octets[REQUEST_OCTETS_MOST];
    size_t length = request_write(ask, octets);

    if (world_send(world, octets, length, ask) == 0) {
        fprintf(stderr, "no reply to %s\n", ask->name);
        abort();
    }
    decode(world->reply, world->reply_length, decoded);
}
