#include "scenario/play.h"

#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "scenario/scene.h"

bool scene_complain(const struct scene *scene, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "%s:%d: ", scene->story->path, scene->line->number);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    if (scene->has_reply) {
        char *text = ldns_pkt2str(scene->reply.packet);
        fprintf(stderr, "the reply was\n%s", text);
        free(text);
    }
    return false;
}

/* ---- setting the stage ---- */

static bool zones(struct scene *scene, char *rest)
{
    char *path;

    scratch_clear(&scene->stage->world.folder);
    while ((path = story_next_word(&rest)) != NULL)
        scratch_copy(&scene->stage->world.folder, path);
    return true;
}

static bool zone_file(struct scene *scene, char *rest)
{
    const char *name = story_next_word(&rest);
    const char *body = scene->line->body;

    if (name == NULL || body == NULL)
        return scene_complain(scene, "zone-file NAME <<");
    scratch_write(&scene->stage->world.folder, name, body, strlen(body));
    return true;
}

/* Any character may replace the slashes of s/OLD/NEW/. */
static bool edit(struct scene *scene, char *rest)
{
    const char *name = story_next_word(&rest);
    char *old = name != NULL && rest[0] == 's' && rest[1] != '\0' ? rest + 2 : NULL;
    char *new = old == NULL ? NULL : strchr(old, rest[1]);
    char *end = new == NULL ? NULL : strchr(new + 1, rest[1]);

    if (end == NULL)
        return scene_complain(scene, "edit FILE s/OLD/NEW/");
    *new = *end = '\0';
    return scratch_edit(&scene->stage->world.folder, name, old, new + 1) ||
           scene_complain(scene, "%s has no '%s'", name, old);
}

static bool remove_file(struct scene *scene, char *rest)
{
    scratch_remove(&scene->stage->world.folder, story_next_word(&rest));
    return true;
}

static bool setting(struct scene *scene, char *rest)
{
    struct stage *stage = scene->stage;
    char *equals = strchr(rest, '=');

    if (equals == NULL || stage->is_started || stage->setting_count == STAGE_SETTINGS_MOST)
        return scene_complain(scene, "setting KEY=VALUE, before the first question");
    *equals = '\0';
    struct stage_setting *added = &stage->settings[stage->setting_count++];
    snprintf(added->key, sizeof added->key, "%s", rest);
    snprintf(added->value, sizeof added->value, "%s", equals + 1);
    return true;
}

static bool says_codes(struct scene *scene, char *rest)
{
    const char *code;

    while ((code = story_next_word(&rest)) != NULL)
        if (strstr(scene->stage->text, code) == NULL)
            return scene_complain(scene, "no %s in\n%s", code, scene->stage->text);
    return true;
}

bool scene_start(struct scene *scene)
{
    if (scene->stage->is_started)
        return true;
    scene->stage->is_started = stage_start(scene->stage) == STAGE_DONE;
    return scene->stage->is_started ||
           scene_complain(scene, "the server does not start:\n%s", scene->stage->text);
}

static bool start_refused(struct scene *scene, char *rest)
{
    const char *word = story_next_word(&rest);

    if (word == NULL || strcmp(word, "refused") != 0 || scene->stage->is_started)
        return scene_complain(scene, "start refused CODE...");
    if (stage_start(scene->stage) != STAGE_REFUSED)
        return scene_complain(scene, "the server starts");
    return says_codes(scene, rest);
}

static bool reload(struct scene *scene, char *rest)
{
    static const char *const words[] = {"done", "unchanged", "refused", "broken"};
    const char *wanted = story_next_word(&rest);

    if (!scene_start(scene))
        return false;
    enum stage_outcome outcome = stage_reload(scene->stage);
    if (wanted == NULL || strcmp(words[outcome], wanted) != 0)
        return scene_complain(scene, "the reload is %s:\n%s", words[outcome], scene->stage->text);
    return says_codes(scene, rest);
}

/* ---- the client ---- */

static bool from(struct scene *scene, char *rest)
{
    const char *address = story_next_word(&rest);
    const char *by = story_next_word(&rest);
    const char *device = by == NULL ? "" : story_next_word(&rest);

    if (address == NULL || device == NULL || (by != NULL && strcmp(by, "by") != 0))
        return scene_complain(scene, "from ADDRESS [by DEVICE]");
    if (by != NULL && scene->stage->is_live)
        return scene_complain(scene, "devices are only inside");
    snprintf(scene->from, sizeof scene->from, "%s", address);
    snprintf(scene->by, sizeof scene->by, "%s", device);
    return true;
}

static bool to(struct scene *scene, char *rest)
{
    snprintf(scene->to, sizeof scene->to, "%s", rest);
    return true;
}

static bool over(struct scene *scene, char *rest)
{
    if (strcmp(rest, "udp") != 0 && strcmp(rest, "tcp") != 0)
        return scene_complain(scene, "over udp|tcp");
    scene->transport = strcmp(rest, "tcp") == 0 ? ASK_TCP : ASK_UDP;
    return true;
}

/* ---- questions ---- */

/* Options of a query that concern time and client rather than the question. */
struct manner_of_asking {
    const char *also; /* NULL: no other client */
    bool is_unawaited;
};

static bool read_manner(const char *word, struct manner_of_asking *manner)
{
    if (strcmp(word, "unawaited") == 0)
        return manner->is_unawaited = true;
    if (strncmp(word, "also=", 5) != 0)
        return false;
    manner->also = word + 5;
    return true;
}

static bool read_option(struct scene *scene, const char *word, struct ask *ask)
{
    unsigned number = 0;

    if (strcmp(word, "edns=none") == 0)
        ask->no_edns = true;
    else if (sscanf(word, "edns=%u", &number) == 1)
        ask->edns_octets = (uint16_t)number;
    else if (sscanf(word, "version=%u", &number) == 1)
        ask->edns_version = (uint8_t)number;
    else if (sscanf(word, "opcode=%u", &number) == 1)
        ask->opcode = (uint8_t)number;
    else if (strcmp(word, "class=CH") == 0)
        ask->class = 3;
    else if (sscanf(word, "class=%u", &number) == 1)
        ask->class = (uint16_t)number;
    else if (strcmp(word, "rd=0") == 0)
        ask->no_rd = true;
    else if (strcmp(word, "cd=1") == 0)
        ask->cd = true;
    else if (strcmp(word, "do") == 0)
        ask->dnssec_ok = true;
    else if (strcmp(word, "nsid") == 0)
        ask->nsid = true;
    else if (strcmp(word, "keepalive") == 0)
        ask->keepalive = true;
    else
        return scene_complain(scene, "unknown word '%s'", word);
    return true;
}

static void forget_reply(struct scene *scene)
{
    if (scene->has_reply)
        decoded_close(&scene->reply);
    scene->has_reply = false;
    scene->has_asked = false;
    scene->matched = (struct matched){.got = false};
}

/* Sends the scene's request. */
static bool post(struct scene *scene, struct stage_call *call)
{
    scene->ask.from = scene->from[0] == '\0' ? NULL : scene->from;
    scene->ask.by = scene->by[0] == '\0' ? NULL : scene->by;
    scene->ask.to = scene->to[0] == '\0' ? NULL : scene->to;
    scene->ask.transport = scene->transport;
    call->ask = scene->ask;
    call->request_length = scene->request_length;
    memcpy(call->request, scene->request, scene->request_length);
    return stage_post(scene->stage, call) || scene_complain(scene, "nothing can be sent");
}

bool scene_await(struct scene *scene, struct stage_call *call)
{
    if (!stage_await(scene->stage, call))
        return scene_complain(scene, "the exchange failed");
    scene->ask = call->ask;
    scene->request_length = call->request_length;
    memcpy(scene->request, call->request, call->request_length);
    scene->reply_length = call->awaited.length;
    scene->took_ms = call->awaited.came_ms - call->awaited.asked_ms;
    if (call->awaited.reply != scene->reply_octets)
        memcpy(scene->reply_octets, call->awaited.reply, call->awaited.length);
    scene->has_asked = true;
    scene->has_reply = scene->reply_length > 0;
    if (scene->has_reply)
        decode(scene->reply_octets, scene->reply_length, &scene->reply);
    return scene->ask.name == NULL || scene_check_reply(scene);
}

static bool exchange(struct scene *scene)
{
    struct stage_call call = {.awaited.reply = scene->reply_octets};

    return post(scene, &call) && scene_await(scene, &call);
}

static bool exchange_with(struct scene *scene, const char *also)
{
    static uint8_t reply[STAGE_REPLY_OCTETS];
    struct stage_call call = {.awaited.reply = scene->reply_octets};

    if (!post(scene, &call))
        return false;
    struct stage_call twin = call;
    twin.ask.from = also;
    twin.awaited = (struct awaited){.reply = reply};
    if (!stage_post(scene->stage, &twin))
        return scene_complain(scene, "nothing can be sent");
    if (!scene_await(scene, &call) || !stage_await(scene->stage, &twin))
        return false;
    bool is_same = twin.awaited.length == scene->reply_length &&
                   memcmp(reply, scene->reply_octets, scene->reply_length) == 0;
    return is_same || scene_complain(scene, "%s got another reply", also);
}

static bool leave_unawaited(struct scene *scene)
{
    static uint8_t reply[STAGE_REPLY_OCTETS];

    if (scene->is_waiting)
        return scene_complain(scene, "something is waiting already");
    scene->waiting = (struct stage_call){.awaited.reply = reply};
    scene->is_waiting = true;
    return post(scene, &scene->waiting);
}

static bool ask(struct scene *scene, char *rest)
{
    const char *name = story_next_word(&rest);
    const char *type = story_next_word(&rest);
    struct manner_of_asking manner = {.also = NULL};
    const char *word;

    if (name == NULL || type == NULL)
        return scene_complain(scene, "ask NAME TYPE");
    scene->ask = (struct ask){.name = name, .type = request_type(type)};
    while ((word = story_next_word(&rest)) != NULL)
        if (!read_manner(word, &manner) && !read_option(scene, word, &scene->ask))
            return false;
    scene->request_length = request_write(&scene->ask, scene->request);
    if (!scene_start(scene))
        return false;
    if (manner.is_unawaited)
        return leave_unawaited(scene);
    return manner.also == NULL ? exchange(scene) : exchange_with(scene, manner.also);
}

static bool send_octets(struct scene *scene, char *rest)
{
    unsigned octet;
    int taken;

    scene->request_length = 0;
    scene->ask = (struct ask){.name = NULL};
    while (sscanf(rest, "%2x%n", &octet, &taken) == 1 &&
           scene->request_length < REQUEST_OCTETS_MOST) {
        scene->request[scene->request_length++] = (uint8_t)octet;
        rest += taken;
    }
    return scene_start(scene) && exchange(scene);
}

static bool storm(struct scene *scene, char *rest)
{
    if (scene->ask.name == NULL)
        return scene_complain(scene, "storm COUNT, after some question");
    return stage_storm(scene->stage, &scene->ask, scene->request, scene->request_length,
                       (unsigned)atoi(rest)) ||
           scene_complain(scene, "the storm did harm");
}

/* ---- the story ---- */

static const struct scene_verb verbs[] = {
    {"zones", zones, false},     {"zone-file", zone_file, false},
    {"edit", edit, false},       {"remove", remove_file, false},
    {"setting", setting, false}, {"start", start_refused, false},
    {"reload", reload, false},   {"from", from, false},
    {"to", to, false},           {"over", over, false},
    {"ask", ask, false},         {"send", send_octets, false},
    {"storm", storm, false},     {"registry", scene_play_registry, false},
};
enum { VERB_COUNT = sizeof verbs / sizeof verbs[0] };

static const struct scene_verb *find_verb(const char *name)
{
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    const struct scene_verb *outward = scene_find_outward(name);
    return outward != NULL ? outward : scene_find_check(name);
}

static bool play_line(struct scene *scene)
{
    const struct scene_verb *verb = find_verb(scene->line->verb);

    if (verb == NULL)
        return scene_complain(scene, "unknown verb '%s'", scene->line->verb);
    if (!verb->is_about_reply) {
        if (scene->has_asked && !scene_settle(scene))
            return false;
        forget_reply(scene);
    } else if (!scene->has_asked) {
        return scene_complain(scene, "nothing was asked");
    }
    return verb->play(scene, scene->line->rest);
}

bool story_play(const struct story *story, struct stage *stage)
{
    struct scene scene = {.story = story, .stage = stage};
    bool went_well = true;

    scene.reply_octets = malloc(STAGE_REPLY_OCTETS);
    for (size_t i = 0; i < story->count && went_well; i++) {
        scene.line = &story->lines[i];
        went_well = play_line(&scene);
    }
    if (went_well && scene.has_asked)
        went_well = scene_settle(&scene);
    if (went_well && scene.is_waiting)
        went_well = scene_complain(&scene, "no line awaits the reply");
    stage_hold_responders(stage);
    if (went_well && stage->responders.complaint[0] != '\0')
        went_well = scene_complain(&scene, "%s", stage->responders.complaint);
    stage_release_responders(stage);
    forget_reply(&scene);
    free(scene.reply_octets);
    return went_well;
}
