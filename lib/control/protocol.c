#include "control/protocol.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static const char greeting[] = "spacedns/1";

/* ---- requests ---- */

static bool is_plain(char letter)
{
    return letter > ' ' && letter <= '~' && letter != '%';
}

static void add_escaped(struct text *text, const char *word)
{
    static const char digits[] = "0123456789ABCDEF";

    for (; *word != '\0'; word++) {
        uint8_t octet = (uint8_t)*word;
        char escaped[3] = {'%', digits[octet >> 4], digits[octet & 0xf]};
        text_add(text, is_plain(*word) ? word : escaped, is_plain(*word) ? 1 : sizeof escaped);
    }
}

static bool is_local_option(unsigned option)
{
    return option == OPTION_ZONES || option == OPTION_SETTINGS || option == OPTION_SOCKET ||
           option == OPTION_COLOR;
}

size_t protocol_write_request(const struct invocation *invocation,
                              char line[CONTROL_REQUEST_OCTETS_MOST])
{
    struct text text = text_over(line, CONTROL_REQUEST_OCTETS_MOST);

    text_add_string(&text, greeting);
    text_add_string(&text, " ");
    text_add_string(&text, commands_table[invocation->command].name);
    for (size_t i = 0; i < invocation->operand_count; i++) {
        text_add_string(&text, " ");
        add_escaped(&text, invocation->operands[i]);
    }
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        if (invocation->options[i] == NULL || is_local_option(i))
            continue;
        text_add_string(&text, " ");
        text_add_string(&text, options_table[i].name);
        text_add_string(&text, options_table[i].value == NULL ? "" : "=");
        add_escaped(&text, invocation->options[i]);
    }
    text_add_string(&text, "\n");
    return text.cut ? 0 : text_length(&text);
}

static int hex(char letter)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *at = letter == '\0' ? NULL : strchr(digits, letter);

    return at == NULL ? -1 : (int)(at - digits);
}

/* Unescapes in place. Returns false for an invalid escape or an escaped zero octet. */
static bool unescape(char *word)
{
    char *to = word;

    for (const char *from = word; *from != '\0'; from++) {
        char octet = *from;
        if (octet == '%') {
            int high = hex(from[1]), low = high < 0 ? -1 : hex(from[2]);
            if (low < 0 || high + low == 0)
                return false;
            octet = (char)(high << 4 | low);
            from += 2;
        }
        *to++ = octet;
    }
    *to = '\0';
    return true;
}

/* Returns the number of words, or -1 if the line is not a request. */
static int split(char *line, char *words[REQUEST_WORDS_MOST])
{
    int count = 0;

    while (line != NULL) {
        if (count == REQUEST_WORDS_MOST)
            return -1;
        char *word = strsep(&line, " ");
        if (!unescape(word))
            return -1;
        words[count++] = word;
    }
    return count;
}

static bool check_octets(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!is_plain(line[i]) && line[i] != ' ' && line[i] != '%')
            return false;
    return true;
}

bool protocol_read_request(char *line, size_t length, struct invocation *invocation,
                           struct err *err)
{
    char *words[REQUEST_WORDS_MOST];
    struct err reason;

    if (!check_octets(line, length) || strncmp(line, greeting, strlen("spacedns/")) != 0)
        return err_set(err, ERR_SYNTAX,
                       "this is the control socket of spacednsd; use the command spacedns");
    int count = split(line, words);
    if (count > 0 && strcmp(words[0], greeting) != 0)
        return err_set(err, ERR_SYNTAX,
                       "the server is spacedns " SPACEDNS_VERSION
                       " and speaks %s, not %.20s; use the command of its version",
                       greeting, words[0]);
    if (count < 2)
        return err_set(err, ERR_SYNTAX, "the request cannot be read; use the command spacedns");
    if (!invocation_read(count - 1, words + 1, invocation, &reason))
        return err_set(err, ERR_SYNTAX,
                       "the server is spacedns " SPACEDNS_VERSION
                       " and does not know this: %.200s; restart it if it is older",
                       reason.text);
    return true;
}

/* ---- responses ---- */

static void write_part(char mark, struct response_part part, FILE *to)
{
    const char *octets = part.octets;
    const char *end = octets + part.length;

    while (octets < end) {
        const char *newline = memchr(octets, '\n', (size_t)(end - octets));
        size_t length = (size_t)((newline == NULL ? end : newline) - octets);
        fputc(mark, to);
        fwrite(octets, 1, length, to);
        fputc('\n', to);
        octets += length + 1;
    }
}

void protocol_write_lines(struct response_part out, struct response_part err, FILE *to)
{
    if (out.length > 0)
        write_part('>', out, to);
    if (err.length > 0)
        write_part('!', err, to);
}

void protocol_write_response(struct response_part out, struct response_part err, int code, FILE *to)
{
    protocol_write_lines(out, err, to);
    fprintf(to, "=%d\n", code);
}

enum protocol_line protocol_read_response(const char *line, int *code)
{
    char *end;

    if (line[0] == '>')
        return PROTOCOL_OUT;
    if (line[0] == '!')
        return PROTOCOL_ERR;
    long number = line[0] == '=' ? strtol(line + 1, &end, 10) : -1;
    if (number < 0 || number > 255 || end == line + 1 || strcmp(end, "\n") != 0)
        return PROTOCOL_UNKNOWN;
    *code = (int)number;
    return PROTOCOL_END;
}
