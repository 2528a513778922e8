#include "spacednsd/handover.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const words[] = {
    [HANDOVER_HELLO] = "hello",     [HANDOVER_DESCRIPTORS] = "descriptors",
    [HANDOVER_READY] = "ready",     [HANDOVER_GO] = "go",
    [HANDOVER_SERVING] = "serving", [HANDOVER_SIGNAL] = "signal",
    [HANDOVER_STAY] = "stay",
};

enum { KINDS = sizeof words / sizeof words[0], KIND_FIRST = HANDOVER_HELLO };

static bool send_words(int channel, enum handover_kind kind, const char *text,
                       const int *descriptors, size_t count)
{
    char message[HANDOVER_TEXT_MOST];
    int length = snprintf(message, sizeof message, "%s %s", words[kind], text == NULL ? "" : text);

    return length < (int)sizeof message &&
           pass_send(channel, message, (size_t)length, descriptors, count);
}

bool handover_send(int channel, enum handover_kind kind, const char *text)
{
    return send_words(channel, kind, text, NULL, 0);
}

bool handover_send_descriptors(int channel, const char *text, const int *descriptors, size_t count)
{
    return send_words(channel, HANDOVER_DESCRIPTORS, text, descriptors, count);
}

/* Splits off the first word. */
static enum handover_kind read_kind(char *text)
{
    size_t length = strcspn(text, " ");

    for (unsigned kind = KIND_FIRST; kind < KINDS; kind++) {
        if (strlen(words[kind]) != length || strncmp(text, words[kind], length) != 0)
            continue;
        length += text[length] == ' ';
        memmove(text, text + length, strlen(text + length) + 1);
        return (enum handover_kind)kind;
    }
    return HANDOVER_UNKNOWN;
}

enum handover_kind handover_receive(int channel, struct handover_message *message)
{
    message->text[0] = '\0';
    message->descriptor_count = PASS_DESCRIPTORS_MOST;
    ssize_t length = pass_receive(channel, message->text, sizeof message->text - 1,
                                  message->descriptors, &message->descriptor_count);

    if (length > 0) {
        message->text[length] = '\0';
        message->kind = read_kind(message->text);
    } else {
        message->kind = length < 0 && errno == EAGAIN ? HANDOVER_NOTHING : HANDOVER_GONE;
    }
    return message->kind;
}
