#include "support/queries.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "wire/name.h"

enum { DIGITS = 16, HEADER = 12, LINE_MOST = 260 };

static bool make_query(const char *text, struct query_octets *query)
{
    bool is_new_each_time = strncmp(text, "*.", 2) == 0;
    struct writer out = writer_over(query->octets, sizeof query->octets);
    char whole[DIGITS + LINE_MOST];
    struct name name;

    snprintf(whole, sizeof whole, "%s%s", is_new_each_time ? "0000000000000000" : "",
             is_new_each_time ? text + 1 : text);
    if (!name_from_text(whole, &name))
        return false;
    write16(&out, 0);      /* id */
    write16(&out, 0x0100); /* RD */
    write16(&out, 1);
    write32(&out, 0);
    write16(&out, 1);
    write_octets(&out, name.octets, name.length);
    write32(&out, 0x00010001); /* A, IN */
    write8(&out, 0);           /* OPT: the root, */
    write32(&out, 0x002904d0); /* type and UDP size 1232, */
    write32(&out, 0);
    write16(&out, 0);
    query->length = (uint16_t)writer_length(&out);
    query->digits = is_new_each_time ? HEADER + 1 : 0;
    return !out.failed;
}

static void add(struct queries *queries, const struct query_octets *query, size_t *capacity)
{
    if (queries->count == *capacity) {
        *capacity = *capacity == 0 ? 64 : 2 * *capacity;
        queries->items = realloc(queries->items, *capacity * sizeof *query);
        if (queries->items == NULL) {
            perror("queries");
            exit(EXIT_FAILURE);
        }
    }
    queries->items[queries->count++] = *query;
}

void queries_read(struct queries *queries, const char *path)
{
    FILE *file = fopen(path, "r");
    struct query_octets query;
    char line[LINE_MOST];
    size_t capacity = 0;

    if (file == NULL) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    *queries = (struct queries){.serial = clock_monotonic_ns()};
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, " \r\n")] = '\0';
        if (make_query(line, &query))
            add(queries, &query, &capacity);
    }
    fclose(file);
    if (queries->count == 0) {
        fprintf(stderr, "%s: no name to ask\n", path);
        exit(EXIT_FAILURE);
    }
}

static void write_digits(uint64_t serial, uint8_t *out)
{
    for (unsigned i = 0; i < DIGITS; i++)
        out[i] = (uint8_t) "0123456789abcdef"[serial >> (4 * i) & 15];
}

size_t queries_write(struct queries *queries, uint16_t id, uint8_t *out)
{
    const struct query_octets *query = &queries->items[queries->next];

    if (++queries->next == queries->count)
        queries->next = 0;
    octets_copy(out, query->octets, query->length);
    store16(out, id);
    if (query->digits != 0)
        write_digits(queries->serial++, out + query->digits);
    return query->length;
}
