#include "base/escape.h"

#include <string.h>

enum { UNIT_OCTETS = 80, SENTENCE_OCTETS = 8192, FIRST_SEEN = 0xa0 };

struct code_name {
    uint32_t code;
    const char *name;
};

/* Sorted by code. */
static const struct code_name code_names[] = {
    {0x00a0, "no-break space"},
    {0x00ad, "soft hyphen"},
    {0x034f, "combining grapheme joiner"},
    {0x061c, "Arabic letter mark"},
    {0x115f, "Hangul filler"},
    {0x1160, "Hangul filler"},
    {0x1680, "Ogham space"},
    {0x180e, "Mongolian vowel separator"},
    {0x2000, "en quad"},
    {0x2001, "em quad"},
    {0x2002, "en space"},
    {0x2003, "em space"},
    {0x2004, "three-per-em space"},
    {0x2005, "four-per-em space"},
    {0x2006, "six-per-em space"},
    {0x2007, "figure space"},
    {0x2008, "punctuation space"},
    {0x2009, "thin space"},
    {0x200a, "hair space"},
    {0x200b, "zero-width space"},
    {0x200c, "zero-width non-joiner"},
    {0x200d, "zero-width joiner"},
    {0x200e, "left-to-right mark"},
    {0x200f, "right-to-left mark"},
    {0x2018, "left single quote"},
    {0x2019, "right single quote"},
    {0x201c, "left double quote"},
    {0x201d, "right double quote"},
    {0x2028, "line separator"},
    {0x2029, "paragraph separator"},
    {0x202a, "left-to-right embedding"},
    {0x202b, "right-to-left embedding"},
    {0x202c, "pop directional formatting"},
    {0x202d, "left-to-right override"},
    {0x202e, "right-to-left override"},
    {0x202f, "narrow no-break space"},
    {0x205f, "mathematical space"},
    {0x2060, "word joiner"},
    {0x2061, "function application"},
    {0x2062, "invisible times"},
    {0x2063, "invisible separator"},
    {0x2064, "invisible plus"},
    {0x2066, "left-to-right isolate"},
    {0x2067, "right-to-left isolate"},
    {0x2068, "first strong isolate"},
    {0x2069, "pop directional isolate"},
    {0x206a, "inhibit symmetric swapping"},
    {0x206b, "activate symmetric swapping"},
    {0x206c, "inhibit Arabic form shaping"},
    {0x206d, "activate Arabic form shaping"},
    {0x206e, "national digit shapes"},
    {0x206f, "nominal digit shapes"},
    {0x3000, "ideographic space"},
    {0x3164, "Hangul filler"},
    {0xfeff, "byte order mark"},
    {0xffa0, "Hangul filler"},
};

/* Variation selectors and tags: invisible, and too many to name one by one. */
static const char *name_of_range(uint32_t code)
{
    if ((code >= 0xfe00 && code <= 0xfe0f) || (code >= 0xe0100 && code <= 0xe01ef))
        return "variation selector";
    return code >= 0xe0000 && code <= 0xe007f ? "tag character" : NULL;
}

static const char *name_of(uint32_t code)
{
    size_t low = 0, high = sizeof code_names / sizeof code_names[0];

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (code_names[middle].code == code)
            return code_names[middle].name;
        if (code_names[middle].code < code)
            low = middle + 1;
        else
            high = middle;
    }
    return name_of_range(code);
}

/* The length of a valid character, to be kept or named; 0 for one octet to be escaped. */
static size_t read_character(const char *octets, size_t length, uint32_t *code)
{
    const unsigned char *octet = (const unsigned char *)octets;
    size_t wanted = octet[0] >= 0xf0 ? 4 : octet[0] >= 0xe0 ? 3 : octet[0] >= 0xc2 ? 2 : 1;
    static const uint32_t least[] = {0, 0, FIRST_SEEN, 0x800, 0x10000};

    *code = octet[0];
    if (wanted == 1)
        return octet[0] >= ' ' && octet[0] < 0x7f ? 1 : 0;
    if (wanted > length)
        return 0;
    *code = octet[0] & (0x7fu >> wanted);
    for (size_t i = 1; i < wanted; i++) {
        if ((octet[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (octet[i] & 0x3f);
    }
    /* RFC 3629 section 3: no overlong forms, no surrogates, nothing above U+10FFFF. */
    bool is_sound =
        *code >= least[wanted] && *code <= 0x10ffff && (*code < 0xd800 || *code > 0xdfff);
    return is_sound ? wanted : 0;
}

/* Appends all or nothing. */
static void add_whole(struct text *out, const char *octets, size_t length)
{
    if (length > (size_t)(out->end - out->next))
        out->cut = true;
    else
        text_add(out, octets, length);
}

static size_t add_octet(struct text *out, char octet)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char value = (unsigned char)octet;

    add_whole(out, (char[]){'\\', 'x', hex[value >> 4], hex[value & 15]}, 4);
    return 1;
}

static void add_named(struct text *out, uint32_t code, const char *name, size_t times)
{
    char unit[UNIT_OCTETS];
    int length = snprintf(unit, sizeof unit, "<U+%04X %s", (unsigned)code, name);

    if (times > 1)
        length += snprintf(unit + length, sizeof unit - (size_t)length, ", %zu times", times);
    unit[length++] = '>';
    add_whole(out, unit, (size_t)length);
}

size_t escape_next(struct text *out, const char *octets, size_t length)
{
    uint32_t code;
    size_t size = read_character(octets, length, &code);

    if (size == 0)
        return add_octet(out, octets[0]);
    const char *name = code < FIRST_SEEN ? NULL : name_of(code);
    if (name == NULL) {
        add_whole(out, octets, size);
        return size;
    }
    size_t read = size;
    while (length - read >= size && memcmp(octets, octets + read, size) == 0)
        read += size;
    add_named(out, code, name, read / size);
    return read;
}

void escape_add(struct text *out, const char *octets, size_t length)
{
    size_t read = 0;

    while (read < length && !out->cut)
        read += escape_next(out, octets + read, length - read);
}

size_t escape_string(char *out, size_t size, const char *string)
{
    struct text text = text_over(out, size - 1);

    escape_add(&text, string, strlen(string));
    *text.next = '\0';
    return text_length(&text);
}

void escape_print(FILE *out, const char *string)
{
    size_t length = strlen(string), read = 0;

    while (read < length) {
        char unit[UNIT_OCTETS];
        struct text text = text_over(unit, sizeof unit);
        read += escape_next(&text, string + read, length - read);
        fwrite(unit, 1, text_length(&text), out);
    }
}

void escape_vprintf(FILE *out, const char *format, va_list arguments)
{
    char sentence[SENTENCE_OCTETS];
    size_t length = strlen(format);
    bool is_line = length > 0 && format[length - 1] == '\n';

    vsnprintf(sentence, sizeof sentence, format, arguments);
    length = strlen(sentence);
    if (is_line && length > 0 && sentence[length - 1] == '\n')
        sentence[length - 1] = '\0';
    escape_print(out, sentence);
    if (is_line)
        fputc('\n', out);
}

void escape_printf(FILE *out, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    escape_vprintf(out, format, arguments);
    va_end(arguments);
}
