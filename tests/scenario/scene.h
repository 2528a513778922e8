#pragma once
/**
 * Where a story stands: the last question, its reply, and what has been told of it so far.
 *
 * play.c sets the stage and asks; outward.c speaks of upstreams and time; scene.c holds replies to
 * the story.
 */
#include "scenario/stage.h"
#include "scenario/story.h"

/** What the lines after a question have spoken of. */
struct told {
    bool got;
    unsigned addresses, records, beside, authority;
    unsigned whys;     /* bit n: of the n-th extended error */
    unsigned last_why; /* number of the one told of last */
    bool soa, nsid, keepalive, texts;
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
    uint64_t took_ms; /* inside */
    struct decoded reply;
    struct told told;
    struct stage_call waiting; /* a question that nobody awaits yet */
    bool is_waiting;
    uint64_t counted[COUNTER_COUNT]; /* what the story has spoken of */
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

/** Finds a verb that speaks of upstreams or time. */
const struct scene_verb *scene_find_outward(const char *name);

/** Waits for a reply, which becomes the one that the story speaks of. */
bool scene_await(struct scene *scene, struct stage_call *call);

/** Starts the server if it does not run yet. */
bool scene_start(struct scene *scene);

/** What holds for the reply to every question. */
bool scene_check_reply(const struct scene *scene);

/** Before the next question: has the story spoken of everything in the reply? */
bool scene_settle(const struct scene *scene);
