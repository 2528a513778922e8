#include "control/protocol.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

static const struct invocation explaining = {
    .command = COMMAND_EXPLAIN,
    .operands = {"a b%\\.example"},
    .operand_count = 1,
    .options = {[OPTION_FROM] = "10.0.0.1",
                [OPTION_TYPE] = "",
                [OPTION_JSON] = "",
                [OPTION_LIVE] = "",
                [OPTION_SOCKET] = "/run/x",
                [OPTION_ZONES] = "zones",
                [OPTION_COLOR] = "never"},
};

TEST(a_request_is_the_command_line_without_local_options)
{
    char line[CONTROL_REQUEST_OCTETS_MOST];
    size_t length = protocol_write_request(&explaining, line);

    ck_assert_uint_gt(length, 0);
    line[length - 1] = '\0';
    ck_assert_str_eq(line,
                     "spacedns/1 explain a%20b%25\\.example --json --from=10.0.0.1 --type= --live");
}

TEST(a_request_is_read_as_it_was_written)
{
    char line[CONTROL_REQUEST_OCTETS_MOST];
    size_t length = protocol_write_request(&explaining, line);
    struct invocation invocation;
    struct err err;

    line[length - 1] = '\0';
    ck_assert_msg(protocol_read_request(line, length - 1, &invocation, &err), "%s", err.text);
    ck_assert_int_eq(invocation.command, COMMAND_EXPLAIN);
    ck_assert_str_eq(invocation.operands[0], "a b%\\.example");
    ck_assert_str_eq(invocation.options[OPTION_FROM], "10.0.0.1");
    ck_assert_str_eq(invocation.options[OPTION_TYPE], "");
    ck_assert(invocation_has(&invocation, OPTION_JSON));
    ck_assert(!invocation_has(&invocation, OPTION_SOCKET));
}

TEST(a_command_too_long_for_a_line_is_refused)
{
    char line[CONTROL_REQUEST_OCTETS_MOST], name[CONTROL_REQUEST_OCTETS_MOST];
    struct invocation invocation = {
        .command = COMMAND_EXPLAIN, .operands = {name}, .operand_count = 1};

    memset(name, ' ', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    ck_assert_uint_eq(protocol_write_request(&invocation, line), 0);
}

TEST_LOOP(an_invalid_request_is_refused_in_a_sentence, 0, 14)
{
    static const struct {
        const char *line, *message;
        size_t length; /* 0: strlen */
    } lines[] = {
        {"", "this is the control socket of spacednsd", 0},
        {"GET / HTTP/1.1\r", "this is the control socket of spacednsd", 0},
        {"status", "this is the control socket of spacednsd", 0},
        {"spacedns/1 status\0", "this is the control socket of spacednsd", 18},
        {"spacedns/1 caf\xe9", "this is the control socket of spacednsd", 0},
        {"spacedns/2 status", "speaks spacedns/1, not spacedns/2; use the command of its version",
         0},
        {"spacedns/1", "the request cannot be read", 0},
        {"spacedns/1 explain %", "the request cannot be read", 0},
        {"spacedns/1 explain %2", "the request cannot be read", 0},
        {"spacedns/1 explain %2g", "the request cannot be read", 0},
        {"spacedns/1 explain %00", "the request cannot be read", 0},
        {"spacedns/1 dance", "does not know this: dance is not a command", 0},
        {"spacedns/1 status --hot", "does not know this: --hot is not an option", 0},
        {"spacedns/1  status", "does not know this: an empty word is not a command", 0},
    };
    struct invocation invocation;
    struct err err;
    char line[CONTROL_REQUEST_OCTETS_MOST] = {0};

    size_t length = lines[_i].length == 0 ? strlen(lines[_i].line) : lines[_i].length;
    memcpy(line, lines[_i].line, length);
    ck_assert(!protocol_read_request(line, length, &invocation, &err));
    ck_assert_msg(strstr(err.text, lines[_i].message) != NULL, "%s", err.text);
}

static uint32_t next_number(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

/* A good request with octets replaced, and the same with words doubled. */
TEST_LOOP(no_line_does_harm, 0, 4)
{
    static const char good[] = "spacedns/1 explain a%20b.example --json --from=10.0.0.1 --live a b";
    static const char letters[] = " %=-/0129ABFaz\n\\\x01\x80\xff";
    uint32_t state = (uint32_t)_i + 1;
    struct invocation invocation;
    struct err err;

    for (unsigned round = 0; round < 20000; round++) {
        size_t length = sizeof good - 1;
        char *line = malloc(2 * length + 1);
        memcpy(line, good, length);
        for (uint32_t changes = next_number(&state) % 8; changes > 0; changes--)
            line[next_number(&state) % length] = letters[next_number(&state) % sizeof letters];
        if (next_number(&state) % 4 == 0) {
            memcpy(line + length, good + 10, length - 10);
            length += length - 10;
        }
        length -= next_number(&state) % (length / 2);
        line[length] = '\0';
        err.text[0] = '\0';
        bool passed = protocol_read_request(line, length, &invocation, &err);
        ck_assert(passed || err.text[0] != '\0');
        ck_assert(!passed || invocation.operand_count <= OPERANDS_MOST);
        free(line);
    }
}

TEST(more_words_than_a_request_has_are_refused)
{
    char line[CONTROL_REQUEST_OCTETS_MOST] = "spacedns/1";
    struct invocation invocation;
    struct err err;

    for (int i = 0; i < REQUEST_WORDS_MOST; i++)
        strcat(line, " x"); // NOLINT
    ck_assert(!protocol_read_request(line, strlen(line), &invocation, &err));
}

TEST(a_response_marks_each_line)
{
    char *octets;
    size_t length;
    FILE *to = open_memstream(&octets, &length);

    protocol_write_response((struct response_part){"one\n\ntwo", 8},
                            (struct response_part){"=bad\n", 5}, 1, to);
    fclose(to);
    ck_assert_str_eq(octets, ">one\n>\n>two\n!=bad\n=1\n");
    free(octets);
}

TEST_LOOP(a_line_of_a_response_is_known_by_its_mark, 0, 11)
{
    static const struct {
        const char *line;
        enum protocol_line kind;
        int code;
    } lines[] = {
        {">=1\n", PROTOCOL_OUT, -1},      {"!x\n", PROTOCOL_ERR, -1},
        {"=0\n", PROTOCOL_END, 0},        {"=255\n", PROTOCOL_END, 255},
        {"=256\n", PROTOCOL_UNKNOWN, -1}, {"=\n", PROTOCOL_UNKNOWN, -1},
        {"=0", PROTOCOL_UNKNOWN, -1},     {"=-1\n", PROTOCOL_UNKNOWN, -1},
        {"=0 \n", PROTOCOL_UNKNOWN, -1},  {"", PROTOCOL_UNKNOWN, -1},
        {"HTTP\n", PROTOCOL_UNKNOWN, -1},
    };
    int code = -1;

    ck_assert_int_eq(protocol_read_response(lines[_i].line, &code), lines[_i].kind);
    ck_assert_int_eq(code, lines[_i].code);
}

/* An operand of that many octets, each of which is written as it is. */
static size_t write_with(size_t octets, char line[CONTROL_REQUEST_OCTETS_MOST])
{
    static char name[2 * CONTROL_REQUEST_OCTETS_MOST];
    const struct invocation invocation = {
        .command = COMMAND_EXPLAIN, .operands = {name}, .operand_count = 1};

    memset(name, 'x', octets);
    name[octets] = '\0';
    return protocol_write_request(&invocation, line);
}

/* What one end may write, the other may read: the longest request, and none longer. */
TEST(the_longest_request_is_read_and_a_longer_one_not_written)
{
    char line[CONTROL_REQUEST_OCTETS_MOST];
    struct invocation invocation;
    struct err err;
    size_t most = CONTROL_REQUEST_OCTETS_MOST;

    while (write_with(most, line) == 0)
        most--;
    size_t length = write_with(most, line);
    ck_assert_uint_le(length, CONTROL_REQUEST_OCTETS_MOST);
    ck_assert_uint_ge(length, CONTROL_REQUEST_OCTETS_MOST - 1);
    ck_assert_int_eq(line[length - 1], '\n');
    line[length - 1] = '\0';
    ck_assert_msg(protocol_read_request(line, length - 1, &invocation, &err), "%s", err.text);
    ck_assert_uint_eq(strlen(invocation.operands[0]), most);
}

/* Every octet but zero travels in an operand. */
TEST_LOOP(an_octet_is_read_as_it_was_written, 1, 256)
{
    const char name[] = {'a', (char)_i, 'b', '\0'};
    const struct invocation invocation = {
        .command = COMMAND_EXPLAIN, .operands = {name}, .operand_count = 1};
    char line[CONTROL_REQUEST_OCTETS_MOST];
    struct invocation read;
    struct err err;
    size_t length = protocol_write_request(&invocation, line);

    for (size_t i = 0; i + 1 < length; i++)
        ck_assert_msg(line[i] >= ' ' && line[i] <= '~', "octet %zu", i);
    line[length - 1] = '\0';
    ck_assert_msg(protocol_read_request(line, length - 1, &read, &err), "%s", err.text);
    ck_assert_str_eq(read.operands[0], name);
}

TEST(a_response_without_lines_is_its_code)
{
    char *octets;
    size_t length;
    FILE *to = open_memstream(&octets, &length);

    protocol_write_response((struct response_part){NULL, 0}, (struct response_part){NULL, 0}, 2,
                            to);
    fclose(to);
    ck_assert_str_eq(octets, "=2\n");
    free(octets);
}
