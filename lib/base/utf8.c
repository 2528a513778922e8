#include "base/utf8.h"

enum { SURROGATES_FIRST = 0xd800, SURROGATES_LAST = 0xdfff, CODE_POINT_MOST = 0x10ffff };

/* Reads one character from 1 octet or more. Returns its length, or 0 for invalid UTF-8. */
static size_t read_character(const uint8_t *octets, size_t length, uint32_t *character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = octets[0];
    size_t count = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : 4;

    if (count > length || (count == 4 && first >> 3 != 30))
        return 0;
    *character = count == 1 ? first : first & (0x7fU >> count);
    for (size_t i = 1; i < count; i++) {
        if (octets[i] >> 6 != 2)
            return 0;
        *character = *character << 6 | (octets[i] & 0x3f);
    }
    bool is_surrogate = *character >= SURROGATES_FIRST && *character <= SURROGATES_LAST;
    return *character < least[count] || is_surrogate || *character > CODE_POINT_MOST ? 0 : count;
}

/* Ranges that are not printable, in order. */
static bool is_hidden(uint32_t character)
{
    static const struct {
        uint32_t first, last;
    } hidden[] = {
        {0, 0x1f},          {0x7f, 0x9f},     /* control characters */
        {0x61c, 0x61c},     {0x200e, 0x200f}, /* marks of direction */
        {0x2028, 0x202e},                     /* separators; embeddings and overrides */
        {0x2066, 0x2069},                     /* isolates */
        {0xfeff, 0xfeff},                     /* byte order mark */
        {0xfff9, 0xfffb},                     /* annotations */
        {0xe0000, 0xe007f},                   /* tags */
    };

    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
        if (character >= hidden[i].first && character <= hidden[i].last)
            return true;
    return false;
}

bool utf8_is_printable(const uint8_t *octets, size_t length)
{
    while (length > 0) {
        uint32_t character;
        size_t count = read_character(octets, length, &character);
        if (count == 0 || is_hidden(character))
            return false;
        octets += count;
        length -= count;
    }
    return true;
}
