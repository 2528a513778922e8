/*
 * manual: fills in the templates of manual pages and completions while the programs are built.
 *
 * Usage: manual TEMPLATE >FILE
 *
 * A line of the template that is only a marker, such as `@commands@`, is replaced by text made from
 * the tables, so that pages and completions are always up to date. `@version@`, `@date@`,
 * `@types@`, `@statuses@` and `@codes@` may stand anywhere in a line, once.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "manual/completion.h"
#include "manual/page.h"

enum { LINE_SIZE = 4096 };

static bool fill_marker(const struct marker *markers, const char *line, FILE *out)
{
    for (; markers->name != NULL; markers++)
        if (strcmp(line, markers->name) == 0) {
            markers->fill(out);
            return true;
        }
    return false;
}

/* Prints the line up to the word, and its value. Returns the rest of the line. */
static const char *fill_word(const char *line, const char *word, const char *value, FILE *out)
{
    const char *found = strstr(line, word);

    if (found == NULL)
        return line;
    fprintf(out, "%.*s%s", (int)(found - line), line, value);
    return found + strlen(word);
}

/* Of the query types those that people ask for; of the statuses all, of peerings and of VPNs. */
static const struct {
    const char *name;
    const char *value;
} inline_words[] = {
    {"@types@", "A AAAA ANY CAA CNAME HTTPS MX NS PTR SOA SRV SVCB TXT"},
    {"@statuses@", "active deleted deprovisioning expired failed initiating-request pending "
                   "pending-acceptance provisioning rejected"},
    {"@date@", MANUAL_DATE},
    {"@version@", SPACEDNS_VERSION},
};

int main(int argc, char **argv)
{
    FILE *template = argc == 2 ? fopen(argv[1], "r") : NULL;
    char line[LINE_SIZE];

    if (template == NULL) {
        fputs("usage: manual TEMPLATE >FILE\n", stderr);
        return EXIT_FAILURE;
    }
    while (fgets(line, sizeof line, template) != NULL) {
        if (fill_marker(page_markers, line, stdout) ||
            fill_marker(completion_markers, line, stdout))
            continue;
        const char *left = line;
        for (size_t i = 0; i < sizeof inline_words / sizeof inline_words[0]; i++)
            left = fill_word(left, inline_words[i].name, inline_words[i].value, stdout);
        left = fill_word(left, "@codes@", completion_codes(), stdout);
        fputs(left, stdout);
    }
    bool is_whole = ferror(template) == 0 && fflush(stdout) == 0;
    fclose(template);
    return is_whole ? EXIT_SUCCESS : EXIT_FAILURE;
}
