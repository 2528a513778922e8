#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "scenario/scene.h"

/* ---- upstreams ---- */

static struct stage_zone *add_zone(struct scene *scene, const char *zone)
{
    struct stage *stage = scene->stage;

    if (stage->is_started || stage->zone_count == CLOCKED_ZONES_MOST)
        return NULL;
    struct stage_zone *added = &stage->zones[stage->zone_count++];
    *added = (struct stage_zone){.allow_rebind = false};
    snprintf(added->zone, sizeof added->zone, "%s", zone);
    return added;
}

static void add_address(struct stage_zone *zone, const char *address)
{
    size_t length = strlen(zone->addresses);

    snprintf(zone->addresses + length, sizeof zone->addresses - length, "%s%s",
             length > 0 ? " " : "", address);
}

static bool upstream(struct scene *scene, char *rest)
{
    const char *word = story_next_word(&rest);
    uint32_t address;
    bool is_address = word != NULL && ipv4_read(word, &address);
    struct stage_zone *zone = word == NULL ? NULL : add_zone(scene, is_address ? "." : word);

    if (zone == NULL)
        return scene_complain(scene, "upstream [ZONE] ADDRESS..., before the first question");
    if (!is_address)
        word = story_next_word(&rest);
    for (; word != NULL; word = story_next_word(&rest)) {
        if (strcmp(word, "allow-rebind") == 0)
            zone->allow_rebind = true;
        else if (ipv4_read(word, &address) && responders_add(&scene->stage->responders, word))
            add_address(zone, word);
        else
            return scene_complain(scene, "'%s' is no address, or one too many", word);
    }
    return true;
}

static bool knows(struct scene *scene, char *rest)
{
    stage_hold_responders(scene->stage);
    bool is_learnt = facts_learn(&scene->stage->responders.facts, rest);
    stage_release_responders(scene->stage);
    return is_learnt || scene_complain(scene, "ldns cannot read it");
}

static bool forgets(struct scene *scene, char *rest)
{
    stage_hold_responders(scene->stage);
    facts_forget(&scene->stage->responders.facts, rest);
    stage_release_responders(scene->stage);
    return true;
}

static bool behaves(struct scene *scene, char *rest)
{
    const char *address = story_next_word(&rest);

    if (address == NULL)
        return scene_complain(scene, "behaves ADDRESS WORD...");
    stage_hold_responders(scene->stage);
    bool is_known = responders_behave(&scene->stage->responders, address, rest);
    stage_release_responders(scene->stage);
    return is_known || scene_complain(scene, "no such upstream or manner");
}

/* ---- queries to upstreams ---- */

/* Takes the queries over UDP, TCP or both. */
static unsigned take_asked(struct responder *responder, bool udp, bool tcp)
{
    unsigned count = (udp ? responder->asked[0] : 0) + (tcp ? responder->asked[1] : 0);

    responder->asked[0] = udp ? 0 : responder->asked[0];
    responder->asked[1] = tcp ? 0 : responder->asked[1];
    return count;
}

/* Live, the count depends on the speed of the machine. */
static bool check_asked(struct scene *scene, unsigned count, const char *word)
{
    const char *complaint = scene->stage->responders.complaint;
    bool is_some = strcmp(word, "some") == 0;
    unsigned wanted = is_some ? 1 : (unsigned)atoi(word);

    if (complaint[0] != '\0')
        return scene_complain(scene, "%s", complaint);
    if (is_some || (scene->stage->is_live && wanted > 0))
        return count > 0 || scene_complain(scene, "it was not asked");
    return count == wanted || scene_complain(scene, "it was asked %u times", count);
}

static unsigned take_all_asked(struct responders *responders)
{
    unsigned count = 0;

    for (size_t i = 0; i < responders->count; i++)
        count += take_asked(&responders->items[i], true, true);
    return count;
}

static bool asked(struct scene *scene, char *rest)
{
    const char *who = story_next_word(&rest), *word = story_next_word(&rest);
    bool udp = word == NULL || strcmp(word, "tcp") != 0;
    bool tcp = word == NULL || strcmp(word, "udp") != 0;
    struct responder *responder =
        who == NULL ? NULL : responders_find(&scene->stage->responders, who);
    const char *wanted = udp && tcp ? word : story_next_word(&rest);
    unsigned count;

    if (who != NULL && strcmp(who, "nobody") == 0)
        wanted = "0";
    else if (responder == NULL || wanted == NULL)
        return scene_complain(scene, "asked nobody, or ADDRESS [udp|tcp] COUNT|some");
    stage_hold_responders(scene->stage);
    count = responder == NULL ? take_all_asked(&scene->stage->responders)
                              : take_asked(responder, udp, tcp);
    stage_release_responders(scene->stage);
    return check_asked(scene, count, wanted);
}

/* ---- time ---- */

static bool later(struct scene *scene, char *rest)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    char *unit;
    unsigned long number = strtoul(rest, &unit, 10);

    if (!scene_start(scene))
        return false;
    struct clocked *clocked = scene->stage->world.clocked;
    for (size_t i = 0; i < sizeof units / sizeof units[0] && clocked != NULL; i++) {
        if (strcmp(unit, units[i].unit) != 0)
            continue;
        clocked_pass(clocked, number * units[i].ms);
        return true;
    }
    return scene_complain(scene, "later 90s, in a story with upstreams that is `inside`");
}

static bool await(struct scene *scene, char *rest)
{
    (void)rest;
    if (!scene->is_waiting)
        return scene_complain(scene, "nothing waits");
    scene->is_waiting = false;
    return scene_await(scene, &scene->waiting);
}

static bool counted(struct scene *scene, char *rest)
{
    const char *name = story_next_word(&rest), *wanted = story_next_word(&rest);
    const struct clocked *clocked = scene->stage->world.clocked;

    if (scene->stage->is_live)
        return true;
    for (int i = 0; i < COUNTER_COUNT && clocked != NULL && wanted != NULL; i++) {
        if (strcmp(counter_name((enum counter)i), name) != 0)
            continue;
        uint64_t now = clocked_count(clocked, (enum counter)i);
        uint64_t grown = now - scene->counted[i];
        scene->counted[i] = now;
        return grown == strtoull(wanted, NULL, 10) ||
               scene_complain(scene, "it grew by %llu", (unsigned long long)grown);
    }
    return scene_complain(scene, "counted COUNTER COUNT, in a story with upstreams");
}

static bool inside(struct scene *scene, char *rest)
{
    (void)rest;
    return scene->line == scene->story->lines || scene_complain(scene, "not on the first line");
}

static const struct scene_verb verbs[] = {
    {"inside", inside, false},   {"upstream", upstream, false}, {"knows", knows, false},
    {"forgets", forgets, false}, {"behaves", behaves, false},   {"asked", asked, false},
    {"later", later, false},     {"await", await, false},       {"counted", counted, false},
};
enum { VERB_COUNT = sizeof verbs / sizeof verbs[0] };

const struct scene_verb *scene_find_outward(const char *name)
{
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}
