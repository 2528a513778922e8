#include "scenario/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/recursion.h"

bool stage_init(struct stage *stage, bool is_live, bool needs_namespace)
{
    *stage = (struct stage){.is_live = is_live, .server = -1, .server_errors = -1};
    if (is_live && !live_enter(stage, needs_namespace))
        return false;
    stage->text = calloc(1, STAGE_TEXT_OCTETS);
    world_init(&stage->world);
    scratch_init(&stage->run);
    return stage->text != NULL;
}

const char *stage_find_setting(const struct stage *stage, const char *key)
{
    for (size_t i = 0; i < stage->setting_count; i++)
        if (strcmp(stage->settings[i].key, key) == 0)
            return stage->settings[i].value;
    return NULL;
}

static unsigned read_classes(const char *list)
{
    return (strstr(list, "space") != NULL ? 1U << CLIENT_SPACE : 0) |
           (strstr(list, "peered") != NULL ? 1U << CLIENT_PEERED : 0) |
           (strstr(list, "vpn") != NULL ? 1U << CLIENT_VPN : 0);
}

static size_t number_setting(const struct stage *stage, const char *key)
{
    const char *value = stage_find_setting(stage, key);
    return value == NULL ? 0 : (size_t)strtoul(value, NULL, 10);
}

static bool flag_setting(const struct stage *stage, const char *key)
{
    const char *value = stage_find_setting(stage, key);
    return value != NULL && strcmp(value, "true") == 0;
}

static void open_clocked(struct stage *stage)
{
    struct clocked_options options = {
        .responders = &stage->responders,
        .zone_count = stage->zone_count,
        .cache_octets = number_setting(stage, "cache_size"),
        .questions = number_setting(stage, "upstream_questions"),
        .mixes_case = flag_setting(stage, "upstream_0x20"),
    };

    for (size_t i = 0; i < stage->zone_count; i++)
        options.zones[i] = (struct clocked_zone){
            .zone = stage->zones[i].zone,
            .addresses = stage->zones[i].addresses,
            .allow_rebind = stage->zones[i].allow_rebind,
        };
    if (stage->zone_count > 0)
        world_forward(&stage->world, options);
}

void stage_apply_settings(struct stage *stage)
{
    struct policy *policy = &stage->world.policy;
    const char *external = stage_find_setting(stage, "external");
    const char *localspace_to = stage_find_setting(stage, "localspace_to");
    const char *recursion_for = stage_find_setting(stage, "recursion_for");
    const char *local_as = stage_find_setting(stage, "local_as");
    const char *nat64_prefix = stage_find_setting(stage, "nat64_prefix");

    policy->external_nxdomain = external != NULL && strcmp(external, "nxdomain") == 0;
    if (localspace_to != NULL)
        policy->localspace_to = read_classes(localspace_to);
    if (recursion_for != NULL)
        policy->recursion_for = recursion_for[0] == '{'
                                    ? recursion_of(recursion_for)
                                    : (struct recursion){.all = read_classes(recursion_for)};
    if (nat64_prefix != NULL)
        nat64_prefix_read(nat64_prefix, &policy->nat64_prefix);
    if (local_as != NULL) {
        stage->world.local[0] = local_as;
        policy->local.space_count = 1;
    }
    open_clocked(stage);
}

static void keep_findings(struct stage *stage, const struct report *report, const struct err *err)
{
    FILE *out = fmemopen(stage->text, STAGE_TEXT_OCTETS, "w");

    report_print(report, out);
    fprintf(out, "%s\n", err->text);
    fclose(out);
    stage->text_length = strlen(stage->text);
}

static enum stage_outcome load(struct stage *stage)
{
    struct report *report = report_new();
    struct load_outcome outcome;
    struct err err;
    const struct snapshot *before = stage->world.snapshot;

    world_load(&stage->world, report, &outcome, &err);
    keep_findings(stage, report, &err);
    load_outcome_close(&outcome);
    report_free(report);
    if (stage->world.snapshot != before)
        return STAGE_DONE;
    return outcome.is_unchanged ? STAGE_UNCHANGED : STAGE_REFUSED;
}

enum stage_outcome stage_start(struct stage *stage)
{
    if (stage->is_live)
        return live_start(stage);
    stage_apply_settings(stage);
    return load(stage);
}

enum stage_outcome stage_reload(struct stage *stage)
{
    return stage->is_live ? live_reload(stage) : load(stage);
}

bool stage_post(struct stage *stage, struct stage_call *call)
{
    call->handle = -1;
    if (stage->is_live)
        return live_post(stage, call);
    world_post(&stage->world, call->request, call->request_length, &call->ask, &call->awaited);
    return true;
}

bool stage_await(struct stage *stage, struct stage_call *call)
{
    if (stage->is_live)
        return live_await(stage, call);
    world_await(&stage->world, &call->awaited);
    return true;
}

void stage_hold_responders(struct stage *stage)
{
    if (stage->outward != NULL)
        outward_live_hold(stage->outward);
}

void stage_release_responders(struct stage *stage)
{
    if (stage->outward != NULL)
        outward_live_release(stage->outward);
}

size_t stage_make_packet(struct dice *dice, const uint8_t *request, size_t length,
                         uint8_t out[PACKET_OCTETS_MOST])
{
    size_t made = 0;

    while (made == 0) {
        if (dice_roll(dice, 4) == 0) {
            made = packet_make_random(dice, out);
        } else {
            memcpy(out, request, length);
            made = packet_mutate(dice, out, length);
        }
    }
    return made;
}

bool stage_is_sound_reply(const uint8_t *reply, size_t length, const struct ask *how)
{
    struct decoded decoded;

    decode(reply, length, &decoded);
    bool is_sound = decoded.qr && !decoded.ad && decoded.question_count <= 1 &&
                    (how->transport == ASK_TCP || length <= UDP_OCTETS_MOST);
    decoded_close(&decoded);
    return is_sound;
}

bool stage_storm(struct stage *stage, const struct ask *how, const uint8_t *request, size_t length,
                 unsigned count)
{
    struct dice dice = {.state = 0x9e3779b97f4a7c15};
    uint8_t packet[PACKET_OCTETS_MOST];

    if (stage->is_live)
        return live_storm(stage, how, request, length, count);
    for (unsigned i = 0; i < count; i++) {
        size_t made = stage_make_packet(&dice, request, length, packet);
        size_t reply = world_send(&stage->world, packet, made, how);
        bool deserves_none = made < HEADER_OCTETS || (packet[2] & 0x80) != 0;
        if ((reply == 0) != deserves_none ||
            (reply > 0 && !stage_is_sound_reply(stage->world.reply, reply, how)))
            return false;
    }
    return true;
}

bool stage_close(struct stage *stage)
{
    bool ended_well = live_stop(stage);

    stage_close_registry(stage);
    outward_live_free(stage->outward);
    world_close(&stage->world);
    responders_close(&stage->responders);
    scratch_close(&stage->run);
    free(stage->text);
    return ended_well;
}
