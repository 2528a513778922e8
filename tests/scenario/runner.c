/**
 * Plays one story: scenario_runner [--live] FILE
 *
 * Exit code 0: passed; 1: failed; 77: it cannot be played here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/play.h"

enum { EXIT_SKIPPED = 77 };

/* The reason why a story can only be played inside; NULL: it can be played live too. */
static const char *find_inside(const struct story *story)
{
    return story->count > 0 && strcmp(story->lines[0].verb, "inside") == 0 ? story->lines[0].rest
                                                                           : NULL;
}

/* Clients and upstreams outside loopback need addresses, which only a namespace provides. */
static bool needs_namespace(const struct story *story)
{
    bool asks_from_loopback = false;

    for (size_t i = 0; i < story->count; i++) {
        const struct story_line *line = &story->lines[i];
        if (strcmp(line->verb, "upstream") == 0)
            return true;
        if (strcmp(line->verb, "from") != 0)
            continue;
        if (strncmp(line->rest, "127.", 4) != 0)
            return true;
        asks_from_loopback = true;
    }
    return !asks_from_loopback;
}

static int play(const struct story *story, bool is_live)
{
    static struct stage stage;
    const char *inside = find_inside(story);

    if (is_live && inside != NULL) {
        fprintf(stderr, "only inside: %s\n", inside);
        return EXIT_SKIPPED;
    }
    if (!stage_init(&stage, is_live, needs_namespace(story))) {
        fprintf(stderr, "no network namespace can be made here: skipped\n");
        return EXIT_SKIPPED;
    }
    bool went_well = story_play(story, &stage);
    bool ended_well = stage_close(&stage);
    return went_well && ended_well ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    bool is_live = argc == 3 && strcmp(argv[1], "--live") == 0;
    struct story story;

    if (argc != 2 + is_live) {
        fprintf(stderr, "usage: scenario_runner [--live] FILE\n");
        return EXIT_FAILURE;
    }
    if (!story_init(&story, argv[1 + is_live]))
        return EXIT_FAILURE;
    int code = play(&story, is_live);
    story_close(&story);
    return code;
}
