#include "spacedns/dyno_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/number.h"

enum { DIGITS_MOST = 9 };

static const char blanks[] = " \t\r";

/* A line of a value, in parts: the number's word, the state's word, and where the line ends. */
struct parts {
    const char *start;
    const char *state; /* NULL: there is none */
    size_t state_length;
    const char *end;  /* of the line, without its newline */
    const char *next; /* the next line */
    uint64_t number;  /* 0: it has none */
};

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && strchr(blanks, *at) != NULL && *at != '\0')
        at++;
    return at;
}

static const char *skip_word(const char *at, const char *end)
{
    while (at < end && (*at == '\0' || strchr(blanks, *at) == NULL))
        at++;
    return at;
}

static void read_line(const char *at, const char *end, struct parts *parts)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));

    *parts = (struct parts){.start = at,
                            .end = newline == NULL ? end : newline,
                            .next = newline == NULL ? end : newline + 1};
    const char *number = skip_blanks(at, parts->end), *behind = skip_word(number, parts->end);
    const char *state = skip_blanks(behind, parts->end);
    if (behind == number || (size_t)(behind - number) > DIGITS_MOST ||
        !number_from_text(number, (size_t)(behind - number), &parts->number))
        parts->number = 0;
    parts->state_length = (size_t)(skip_word(state, parts->end) - state);
    parts->state = parts->state_length == 0 ? NULL : state;
}

bool dyno_text_has(struct line_text text, uint32_t number)
{
    const char *end = text.octets + text.length;
    struct parts parts;

    for (const char *at = text.octets; at < end; at = parts.next) {
        read_line(at, end, &parts);
        if (parts.number == number)
            return true;
    }
    return false;
}

/* Keeps what was written in the arena. */
static bool keep(struct arena *arena, FILE *out, char **made, const size_t *length,
                 struct line_text *text)
{
    bool is_made = fclose(out) == 0;
    const char *kept = is_made ? arena_text(arena, *made, *length) : NULL;

    free(*made);
    if (kept != NULL)
        *text = (struct line_text){.octets = kept, .length = *length};
    return kept != NULL;
}

bool dyno_text_add(struct arena *arena, struct line_text *text, const struct dyno *dyno)
{
    char *made = NULL, address[CIDR_TEXT_MAX];
    size_t length = 0;
    FILE *out = open_memstream(&made, &length);

    if (out == NULL)
        return false;
    fwrite(text->octets, 1, text->length, out);
    if (text->length > 0 && text->octets[text->length - 1] != '\n')
        fputc('\n', out);
    ipv4_write(dyno->ip, address);
    fprintf(out, "%u %s%s%s\n", (unsigned)dyno->number, dyno_state_text(dyno->state),
            dyno->ip == 0 ? "" : " ", dyno->ip == 0 ? "" : address);
    return keep(arena, out, &made, &length, text);
}

bool dyno_text_remove(struct arena *arena, struct line_text *text, uint32_t number)
{
    const char *end = text->octets + text->length;
    char *made = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&made, &length);
    struct parts parts;

    if (out == NULL)
        return false;
    for (const char *at = text->octets; at < end; at = parts.next) {
        read_line(at, end, &parts);
        if (parts.number != number)
            fwrite(parts.start, 1, (size_t)(parts.next - parts.start), out);
    }
    return keep(arena, out, &made, &length, text);
}

bool dyno_text_set(struct arena *arena, struct line_text *text, uint32_t number,
                   enum dyno_state state)
{
    const char *end = text->octets + text->length;
    char *made = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&made, &length);
    struct parts parts;

    if (out == NULL)
        return false;
    for (const char *at = text->octets; at < end; at = parts.next) {
        read_line(at, end, &parts);
        if (parts.number != number || parts.state == NULL) {
            fwrite(parts.start, 1, (size_t)(parts.next - parts.start), out);
            continue;
        }
        const char *rest = parts.state + parts.state_length;
        fwrite(parts.start, 1, (size_t)(parts.state - parts.start), out);
        fputs(dyno_state_text(state), out);
        fwrite(rest, 1, (size_t)(parts.next - rest), out);
    }
    return keep(arena, out, &made, &length, text);
}
