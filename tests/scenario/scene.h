#pragma once
/**
 * The state of a story: the last question, its reply, and what the story's lines have matched so
 * far.
 *
 * play.c sets the stage and asks; outward.c handles upstreams and time; scene.c compares replies
 * with the story.
 */
#include "scenario/stage.h"
#include "scenario/story.h"

/** The parts of the reply that the lines after a question have matched. */
struct matched {
    bool got;
    unsigned addresses, records, beside, authority;
    unsigned whys;     /* bit n: of the n-th extended error */
    unsigned last_why; /* number of the last one matched */
    bool soa, nsid, keepalive, texts;
};

struct scene {
    const struct story *story;
    const struct story_line *line;
    struct stage *stage;
    char from[64], by[64], to[64];
    enum ask_transport transport;
    struct ask ask; /* its name is NULL after `send` */
    uint8_t request[REQUEST_OCTETS_MOST];
    size_t request_length;
    bool has_asked, has_reply;
    uint8_t *reply_octets;
    size_t reply_length;
    uint64_t took_ms; /* inside */
    struct decoded reply;
    struct matched matched;
    struct stage_call waiting; /* an `unawaited` question */
    bool is_waiting;
    uint64_t counted[COUNTER_COUNT]; /* values at the last `counted` */
};

typedef bool scene_play(struct scene *scene, char *rest);

struct scene_verb {
    const char *name;
    scene_play *play;
    bool is_about_reply;
};

/** Prints file, line, cause and the reply; returns false. */
bool scene_complain(const struct scene *scene, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Finds a verb about the reply. */
const struct scene_verb *scene_find_check(const char *name);

/** Finds a verb about upstreams or time. */
const struct scene_verb *scene_find_outward(const char *name);

/** The verb `registry` (registry.c). */
scene_play scene_play_registry;

/** Waits for a reply, which the next lines are about. */
bool scene_await(struct scene *scene, struct stage_call *call);

/** Starts the server if it does not run yet. */
bool scene_start(struct scene *scene);

/** Checks the rules for every reply. */
bool scene_check_reply(const struct scene *scene);

/** Before the next question: true when the story has matched everything in the reply. */
bool scene_settle(const struct scene *scene);
