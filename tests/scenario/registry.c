/**
 * The verb `registry`: the server answers from a registry instead of zone files, whose etcd is
 * scripted (support/registry_rig.h). After each line what has come is in force.
 *
 *     registry put KEY FILE            registry txn … registry commit    in one revision
 *     registry put KEY = TEXT\n…       registry cut, registry heal       the connection
 *     registry put KEY <<              registry compact                  history begins now
 *     registry edit KEY s/OLD/NEW/     registry backup, registry restore
 *     registry delete KEY              registry after SECONDS
 *     registry delete PREFIX*
 *
 *     registry kept SPACE CODE         its document is kept out, for this; "guard": held
 *     registry kept nobody
 *     registry has NUMBER waiting|bad|held|ignored       dyno keys, apps, keys outside the layout
 *     registry followed yes|no
 *     registry says PATTERN            in the status, or in an event so far
 *     registry serial same|newer       than at the last such line
 *
 * Keys are below /spacedns/eu/. Settings before: registry.channel=canary, registry.spaces=SPACE.
 */
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "scenario/scene.h"
#include "support/registry_rig.h"

enum {
    SOON_MS = 100,
    HEALED_MS = 120 * 1000, /* a full read waits for up to a minute */
    MS_PER_SECOND = 1000,
    TEXT_MOST = 1 << 20,
};

/* ---- what the server has ---- */

/* What is in force is the rig's; the world only looks at it. */
static void follow(struct scene *scene, uint64_t ms)
{
    struct stage *stage = scene->stage;

    if (stage->rig->store->is_committing)
        return;
    stage->world.snapshot = NULL;
    rig_run(stage->rig, ms);
    stage->world.snapshot = stage->rig->current;
}

static void apply_settings(struct stage *stage)
{
    const char *channel = stage_find_setting(stage, "registry.channel");

    stage->selected = stage_find_setting(stage, "registry.spaces");
    stage->rig->options.is_canary = channel != NULL && strcmp(channel, "canary") == 0;
    stage->rig->options.spaces = &stage->selected;
    stage->rig->options.space_count = stage->selected != NULL;
}

static bool begin(struct scene *scene)
{
    struct stage *stage = scene->stage;

    if (stage->rig != NULL)
        return true;
    if (stage->is_live || stage->is_started)
        return scene_complain(scene, "a registry is only inside, and from the beginning");
    stage->rig = calloc(1, sizeof *stage->rig);
    if (stage->rig == NULL)
        return scene_complain(scene, "no memory");
    stage_apply_settings(stage);
    rig_init(stage->rig);
    stage->rig->policy = stage->world.policy;
    stage->rig->is_guarded = true;
    apply_settings(stage);
    rig_start(stage->rig);
    stage->is_started = true;
    follow(scene, SOON_MS);
    return true;
}

void stage_close_registry(struct stage *stage)
{
    if (stage->rig == NULL)
        return;
    stage->world.snapshot = NULL; /* the rig's */
    rig_close(stage->rig);
    free(stage->rig);
    etcd_store_free(stage->backup);
}

/* ---- keys ---- */

/* Of a backslash and an n it makes the end of a line, in place. */
static char *with_lines(char *text)
{
    char *to = text;

    for (const char *from = text; *from != '\0'; to++, from++) {
        bool is_end = from[0] == '\\' && from[1] == 'n';
        *to = is_end ? '\n' : *from;
        from += is_end;
    }
    *to = '\0';
    return text;
}

static bool put_file(struct scene *scene, const char *key, const char *path)
{
    size_t length = 0;
    struct err err;
    char *text = file_read_text(path, TEXT_MOST, &length, &err);

    if (text == NULL)
        return scene_complain(scene, "%s", err.text);
    rig_put(scene->stage->rig, key, text);
    free(text);
    return true;
}

static bool put(struct scene *scene, char *rest)
{
    const char *key = story_next_word(&rest);

    if (key != NULL && rest[0] == '=')
        rig_put(scene->stage->rig, key, with_lines(rest[1] == ' ' ? rest + 2 : rest + 1));
    else if (key != NULL && scene->line->body != NULL)
        rig_put(scene->stage->rig, key, scene->line->body);
    else
        return key == NULL ? scene_complain(scene, "registry put KEY FILE")
                           : put_file(scene, key, rest);
    return true;
}

static const char *value_of(const struct scene *scene, const char *key)
{
    char full[256];

    snprintf(full, sizeof full, "/spacedns/eu/%s", key);
    return etcd_store_value(scene->stage->rig->store, full);
}

static bool edit(struct scene *scene, char *rest)
{
    const char *key = story_next_word(&rest);
    char *old = key != NULL && rest[0] == 's' && rest[1] != '\0' ? rest + 2 : NULL;
    char *new = old == NULL ? NULL : strchr(old, rest[1]);
    char *end = new == NULL ? NULL : strchr(new + 1, rest[1]);
    const char *value = end == NULL ? NULL : value_of(scene, key);

    if (value == NULL)
        return scene_complain(scene, "registry edit KEY s/OLD/NEW/");
    *new = *end = '\0';
    with_lines(old);
    with_lines(new + 1);
    const char *at = strstr(value, old);
    char *text = malloc(strlen(value) + strlen(new + 1) + 1);
    if (at == NULL || text == NULL) {
        free(text);
        return scene_complain(scene, "%s has no '%s'", key, old);
    }
    sprintf(text, "%.*s%s%s", (int)(at - value), value, new + 1, at + strlen(old));
    rig_put(scene->stage->rig, key, text);
    free(text);
    return true;
}

static bool delete (struct scene *scene, char *rest)
{
    char begin[256], end[256];
    size_t length = strlen(rest);
    bool is_prefix = length > 0 && rest[length - 1] == '*';

    snprintf(begin, sizeof begin, "/spacedns/eu/%.*s", (int)(length - is_prefix), rest);
    memcpy(end, begin, sizeof end);
    end[strlen(end) - 1]++;
    return etcd_store_delete(scene->stage->rig->store, begin, is_prefix ? end : NULL) > 0 ||
           scene_complain(scene, "there is no %s", begin);
}

static bool begin_txn(struct scene *scene, char *rest)
{
    (void)rest;
    etcd_store_begin(scene->stage->rig->store);
    return true;
}

static bool commit(struct scene *scene, char *rest)
{
    (void)rest;
    etcd_store_commit(scene->stage->rig->store);
    return true;
}

/* ---- what happens to etcd ---- */

static bool compact(struct scene *scene, char *rest)
{
    (void)rest;
    etcd_store_compact(scene->stage->rig->store, scene->stage->rig->store->revision);
    return true;
}

static bool back_up(struct scene *scene, char *rest)
{
    (void)rest;
    etcd_store_free(scene->stage->backup);
    scene->stage->backup = etcd_store_backup(scene->stage->rig->store);
    return true;
}

/* The member ends for it, so that watches end, too. */
static bool restore(struct scene *scene, char *rest)
{
    (void)rest;
    if (scene->stage->backup == NULL)
        return scene_complain(scene, "registry backup comes before");
    rig_cut(scene->stage->rig);
    etcd_store_restore(scene->stage->rig->store, scene->stage->backup);
    return true;
}

static bool cut(struct scene *scene, char *rest)
{
    (void)rest;
    scene->stage->rig->is_cut = true;
    rig_cut(scene->stage->rig);
    return true;
}

static bool heal(struct scene *scene, char *rest)
{
    (void)rest;
    scene->stage->rig->is_cut = false;
    follow(scene, HEALED_MS);
    return true;
}

static bool after(struct scene *scene, char *rest)
{
    follow(scene, strtoul(rest, NULL, 10) * MS_PER_SECOND);
    return true;
}

/* ---- what is told ---- */

static bool kept(struct scene *scene, char *rest)
{
    struct registry_status status = rig_status(scene->stage->rig);
    const char *space = story_next_word(&rest);

    if (space != NULL && strcmp(space, "nobody") == 0 && status.kept_count == 0)
        return true;
    for (size_t i = 0; i < status.kept_count; i++)
        if (space != NULL && strcmp(status.kept[i].space, space) == 0 &&
            strcmp(status.kept[i].code, rest) == 0)
            return true;
    for (size_t i = 0; i < status.kept_count; i++)
        fprintf(stderr, "kept: %s %s: %s\n", status.kept[i].space, status.kept[i].code,
                status.kept[i].cause);
    return scene_complain(scene, "that is not so");
}

static bool has(struct scene *scene, char *rest)
{
    struct registry_status status = rig_status(scene->stage->rig);
    const struct {
        const char *word;
        size_t count;
    } counts[] = {{"waiting", status.waiting_count},
                  {"bad", status.bad_count},
                  {"held", status.held_app_count},
                  {"ignored", status.ignored_count}};
    size_t wanted = strtoul(rest, &rest, 10);
    const char *word = story_next_word(&rest);

    for (size_t i = 0; word != NULL && i < sizeof counts / sizeof counts[0]; i++)
        if (strcmp(counts[i].word, word) == 0)
            return counts[i].count == wanted ||
                   scene_complain(scene, "%zu are %s", counts[i].count, word);
    return scene_complain(scene, "registry has NUMBER waiting|bad|held|ignored");
}

static bool followed(struct scene *scene, char *rest)
{
    struct registry_status status = rig_status(scene->stage->rig);

    return status.is_connected == (strcmp(rest, "yes") == 0) ||
           scene_complain(scene, "it is %sfollowed: %s", status.is_connected ? "" : "not ",
                          status.problem);
}

static bool says(struct scene *scene, char *rest)
{
    struct registry_rig *rig = scene->stage->rig;

    if (fnmatch(rest, rig_status(rig).problem, 0) == 0 || fnmatch(rest, rig->findings, 0) == 0)
        return true;
    for (size_t i = 0; i < RIG_KINDS; i++)
        if (fnmatch(rest, rig->texts[i], 0) == 0)
            return true;
    for (size_t i = 0; i < RIG_KINDS; i++)
        fprintf(stderr, "%s%s", rig->texts[i], rig->texts[i][0] == '\0' ? "" : "\n");
    return scene_complain(scene, "it says: %s; findings: %s", rig_status(rig).problem,
                          rig->findings);
}

static bool serial(struct scene *scene, char *rest)
{
    uint64_t before = scene->stage->generation, now = scene->stage->rig->current->generation;

    scene->stage->generation = now;
    return (strcmp(rest, "same") == 0 ? now == before : now > before) ||
           scene_complain(scene, "it was %" PRIu64 " and is %" PRIu64, before, now);
}

/* ---- the verb ---- */

static const struct {
    const char *word;
    scene_play *play;
} actions[] = {
    {"put", put},        {"edit", edit},         {"delete", delete}, {"txn", begin_txn},
    {"commit", commit},  {"cut", cut},           {"heal", heal},     {"compact", compact},
    {"backup", back_up}, {"restore", restore},   {"after", after},   {"kept", kept},
    {"has", has},        {"followed", followed}, {"says", says},     {"serial", serial},
};

bool scene_play_registry(struct scene *scene, char *rest)
{
    const char *word = story_next_word(&rest);

    if (!begin(scene))
        return false;
    for (size_t i = 0; word != NULL && i < sizeof actions / sizeof actions[0]; i++)
        if (strcmp(actions[i].word, word) == 0) {
            bool passed = actions[i].play(scene, rest);
            follow(scene, SOON_MS);
            return passed;
        }
    return scene_complain(scene, "registry put, edit, delete …");
}
