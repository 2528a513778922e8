#include "base/text.h"

#include <string.h>

void text_add(struct text *text, const void *octets, size_t length)
{
    size_t room = (size_t)(text->end - text->next);

    if (length > room) {
        length = room;
        text->cut = true;
    }
    if (length > 0)
        memcpy(text->next, octets, length);
    text->next += length;
}

void text_add_string(struct text *text, const char *string)
{
    text_add(text, string, strlen(string));
}

void text_add_number(struct text *text, uint64_t number)
{
    char digits[20];
    size_t first = sizeof digits;

    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    text_add(text, digits + first, sizeof digits - first);
}

void text_add_ipv4(struct text *text, uint32_t address)
{
    for (int shift = 24; shift >= 0; shift -= 8) {
        text_add_number(text, address >> shift & 255);
        if (shift > 0)
            text_add(text, ".", 1);
    }
}

void text_add_separator(struct text *text, size_t i, size_t count)
{
    if (i > 0)
        text_add_string(text, i + 1 == count ? " or " : ", ");
}

void text_add_words(struct text *text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        text_add_separator(text, i, count);
        text_add_string(text, words[i]);
    }
}
