#include "scenario/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/scratch.h"

char *story_next_word(char **rest)
{
    char *word = *rest + strspn(*rest, " \t");
    char *end = word + strcspn(word, " \t");

    if (word == end)
        return NULL;
    *rest = *end == '\0' ? end : end + 1;
    *end = '\0';
    return word;
}

static char *cut_line(char **text)
{
    char *line = *text;
    char *end = strchr(line, '\n');

    if (end == NULL) {
        *text = line + strlen(line);
    } else {
        *end = '\0';
        *text = end + 1;
    }
    return line;
}

/* Takes the lines up to ">>", without the indentation of the first one. */
static char *cut_body(char **text, int *number)
{
    size_t indent = strspn(*text, " ");
    char *body = calloc(1, strlen(*text) + 1);
    char *out = body;

    while (body != NULL && **text != '\0') {
        char *line = cut_line(text);
        ++*number;
        if (strcmp(line, ">>") == 0)
            break;
        size_t skip = strspn(line, " ");
        out += sprintf(out, "%s\n", line + (skip < indent ? skip : indent));
    }
    return body;
}

static void read_line(struct story *story, char *line, char **text, int *number)
{
    char *rest = line;
    const char *verb = story_next_word(&rest);

    if (verb == NULL || verb[0] == '#')
        return;
    rest += strspn(rest, " \t");
    struct story_line *added = &story->lines[story->count++];
    *added = (struct story_line){.number = *number, .verb = verb, .rest = rest};
    size_t length = strlen(rest);
    if (length >= 2 && strcmp(rest + length - 2, "<<") == 0) {
        rest[length - 2] = '\0';
        added->body = cut_body(text, number);
    }
}

bool story_init(struct story *story, const char *path)
{
    size_t length = 0, lines = 1;
    int number = 0;

    *story = (struct story){.path = path, .text = file_read(path, &length)};
    if (story->text == NULL) {
        perror(path);
        return false;
    }
    for (size_t i = 0; i < length; i++)
        lines += story->text[i] == '\n';
    story->lines = calloc(lines, sizeof *story->lines);
    char *text = story->text;
    while (*text != '\0') {
        char *line = cut_line(&text);
        number++;
        read_line(story, line, &text, &number);
    }
    return true;
}

void story_close(struct story *story)
{
    for (size_t i = 0; i < story->count; i++)
        free(story->lines[i].body);
    free(story->lines);
    free(story->text);
}
