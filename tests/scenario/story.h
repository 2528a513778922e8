#pragma once
/**
 * A story: the text of a .scn file as verbs and their arguments.
 *
 *     # a comment, or a marker that CMake reads
 *     verb  rest of the line
 *     zone-file extra.yaml <<
 *         ... lines taken as they are, without the first line's indentation ...
 *     >>
 *
 * Memory: a story owns its text.
 */
#include <stdbool.h>
#include <stddef.h>

struct story_line {
    int number;
    const char *verb;
    char *rest;
    char *body; /* the lines between << and >>; NULL without */
};

struct story {
    const char *path;
    char *text;
    struct story_line *lines;
    size_t count;
};

/** Reads a file. Returns false after printing the error. */
bool story_init(struct story *story, const char *path);

void story_close(struct story *story);

/** Cuts the first word off; NULL when none is left. `rest` is moved behind it. */
char *story_next_word(char **rest);
