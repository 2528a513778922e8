/**
 * Compiled answers equal the golden text.
 *
 * tests/zones_good/golden/NAME.txt begins with the zone files it is about and the clients that ask;
 * then each block is a question and the answer to it, line by line:
 *
 *     zones tests/zones_good/every-shape.yaml
 *     client dyno 10.2.130.1
 *
 *     ? dyno shop.example.com. A
 *     NOERROR aa
 *     shop.example.com. 60 IN CNAME shop-haiku-1.shape-2.herokuspace.com.
 *     ...
 *
 * Answers are sorted, because addresses rotate; authority is marked with "@", additional with "+",
 * the extended error with "!".
 *
 * After a change that is meant to change answers: GOLDEN_WRITE=1 BUILD/bin/tests/property/golden
 * rewrites the files from their own questions; then review the difference.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/world.h"

enum { CLIENTS_MOST = 8, LINE_MOST = 4096, LINES_MOST = 64, FILES_MOST = 32 };

static const char golden_folder[] = "tests/zones_good/golden";

/* One golden file being answered again. */
struct golden {
    struct world world;
    struct {
        char name[64], address[64];
    } clients[CLIENTS_MOST];
    size_t client_count;
    FILE *out;
};

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_section(FILE *out, const struct decoded *reply, ldns_pkt_section section,
                          unsigned count, const char *mark)
{
    char *lines[LINES_MOST];

    ck_assert_uint_le(count, LINES_MOST);
    for (unsigned i = 0; i < count; i++) {
        lines[i] = malloc(DECODED_RECORD_MOST);
        record_print(decoded_record(reply, section, i), lines[i]);
    }
    if (count > 0)
        qsort(lines, count, sizeof *lines, compare_lines);
    for (unsigned i = 0; i < count; i++) {
        fprintf(out, "%s%s\n", mark, lines[i]);
        free(lines[i]);
    }
}

static void print_reply(FILE *out, const struct decoded *reply)
{
    fprintf(out, "%s%s%s\n", rcode_name(reply->rcode), reply->aa ? " aa" : "",
            reply->tc ? " tc" : "");
    print_section(out, reply, LDNS_SECTION_ANSWER, reply->answer_count, "");
    print_section(out, reply, LDNS_SECTION_AUTHORITY, reply->authority_count, "@ ");
    print_section(out, reply, LDNS_SECTION_ADDITIONAL, reply->additional_count, "+ ");
    if (reply->ede_code != NO_EDE)
        fprintf(out, "! %d %s\n", reply->ede_code, reply->ede_text);
}

static const char *find_client(const struct golden *golden, const char *name)
{
    for (size_t i = 0; i < golden->client_count; i++)
        if (strcmp(golden->clients[i].name, name) == 0)
            return golden->clients[i].address;
    ck_abort_msg("no client %s", name);
}

static void answer(struct golden *golden, const char *line)
{
    char client[64], name[300], type[32];
    struct decoded reply;

    ck_assert_int_eq(sscanf(line, "? %63s %299s %31s", client, name, type), 3);
    if (golden->world.snapshot == NULL)
        world_must_load(&golden->world);
    world_ask(&golden->world,
              &(struct ask){.name = name,
                            .type = request_type(type),
                            .from = find_client(golden, client),
                            .transport = ASK_TCP},
              &reply);
    fprintf(golden->out, "\n%s\n", line);
    print_reply(golden->out, &reply);
    decoded_close(&reply);
}

static void read_head(struct golden *golden, const char *line)
{
    char path[300];

    if (sscanf(line, "zones %299s", path) == 1) {
        scratch_copy(&golden->world.folder, path);
    } else if (golden->client_count < CLIENTS_MOST &&
               sscanf(line, "client %63s %63s", golden->clients[golden->client_count].name,
                      golden->clients[golden->client_count].address) == 2) {
        golden->client_count++;
    }
    fprintf(golden->out, "%s\n", line);
}

/* Answers the questions of a golden text; free() the result. */
static char *answer_again(const char *text)
{
    struct golden golden = {.client_count = 0};
    char *current = NULL, line[LINE_MOST];
    size_t length;
    bool is_head = true;

    world_init(&golden.world);
    golden.out = open_memstream(&current, &length);
    for (const char *at = text; *at != '\0';) {
        size_t line_length = strcspn(at, "\n");
        snprintf(line, sizeof line, "%.*s", (int)line_length, at);
        at += line_length + (at[line_length] == '\n');
        if (strncmp(line, "? ", 2) == 0) {
            is_head = false;
            answer(&golden, line);
        } else if (is_head && line[0] != '\0') {
            read_head(&golden, line);
        }
    }
    fclose(golden.out);
    world_close(&golden.world);
    return current;
}

static int is_golden(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 4 && strcmp(entry->d_name + length - 4, ".txt") == 0;
}

/* Finds the first line that differs, for the message. */
static void find_difference(const char *golden, const char *current, int *line, const char **at)
{
    *line = 1;
    *at = current;
    for (size_t i = 0; golden[i] == current[i] && current[i] != '\0'; i++) {
        if (current[i] == '\n') {
            ++*line;
            *at = current + i + 1;
        }
    }
}

static void check_file(const char *name)
{
    char path[300];
    size_t length;
    int line;
    const char *at;

    snprintf(path, sizeof path, "%s/%s", golden_folder, name);
    char *text = file_read(path, &length);
    ck_assert_ptr_nonnull(text);
    char *current = answer_again(text);
    if (getenv("GOLDEN_WRITE") != NULL) {
        FILE *out = fopen(path, "w");
        ck_assert_ptr_nonnull(out);
        fputs(current, out);
        fclose(out);
    } else {
        find_difference(text, current, &line, &at);
        ck_assert_msg(strcmp(text, current) == 0, "%s:%d: the answer is now: %.*s", path, line,
                      (int)strcspn(at, "\n"), at);
    }
    free(current);
    free(text);
}

TEST(compiled_answers_equal_the_golden_text)
{
    struct dirent **entries = NULL;
    int count = scandir(golden_folder, &entries, is_golden, alphasort);

    ck_assert_int_gt(count, 0);
    for (int i = 0; i < count; i++) {
        check_file(entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}
