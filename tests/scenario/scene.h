#pragma once
/**
 * Where a story stands: the last question, its reply, and what has been told of it so far.
 *
 * play.c sets the stage and asks; scene.c holds replies to the story.
 */
#include "scenario/stage.h"
#include "scenario/story.h"

/** What the lines after a question have spoken of. */
struct told {
    bool got;
    unsigned addresses, records, beside;
    bool soa, why, nsid, keepalive, texts;
};

struct scene {
    const struct story *story;
    const struct story_line *line;
    struct stage *stage;
    char from[64], to[64];
    enum ask_transport transport;
    struct ask ask; /* its name is NULL after `send` */
    uint8_t request[REQUEST_OCTETS_MOST];
    size_t request_length;
    bool has_asked, has_reply;
    uint8_t *reply_octets;
    size_t reply_length;
    struct decoded reply;
    struct told told;
};

typedef bool scene_play(struct scene *scene, char *rest);

struct scene_verb {
    const char *name;
    scene_play *play;
    bool is_about_reply;
};

/** Says file, line, cause and the reply; returns false. */
bool scene_complain(const struct scene *scene, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Finds a verb that speaks of the reply. */
const struct scene_verb *scene_find_check(const char *name);

/** What holds for the reply to every question. */
bool scene_check_reply(const struct scene *scene);

/** Before the next question: has the story spoken of everything in the reply? */
bool scene_settle(const struct scene *scene);
