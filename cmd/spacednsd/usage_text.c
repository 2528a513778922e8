#include "spacednsd/usage_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"

enum { NUMBER_OCTETS = 24, US_PER_SECOND = 1000000, FIRST_CAPACITY = 64, GAP = 2 };

void usage_text_party(const struct party *party, char text[USAGE_TEXT_OCTETS])
{
    size_t length = (size_t)snprintf(text, USAGE_TEXT_OCTETS, "%s%s",
                                     party_kind_text((enum party_kind)party->kind),
                                     party->name_length == 0 ? "" : " ");

    escape_string(text + length, USAGE_TEXT_OCTETS - length, party->name);
}

json_t *usage_json_party(const struct party *party)
{
    json_t *object = json_pack("{s:s}", "kind", party_kind_text((enum party_kind)party->kind));

    if (party->name_length > 0)
        json_object_set_new(object, "name", print_text(party->name, party->name_length));
    if (party->space_length > 0)
        json_object_set_new(object, "space", print_text(party->space, party->space_length));
    return object;
}

json_t *usage_json_time(uint32_t at_s)
{
    char text[CLOCK_TEXT_OCTETS];

    clock_format(at_s, text);
    return at_s == 0 ? json_null() : json_string(text);
}

void usage_json_counts(json_t *object, const struct use_counts *counts)
{
    json_object_set_new(object, "asked", json_integer((json_int_t)use_counts_total(counts)));
    for (size_t i = 0; i < USE_OUTCOMES; i++)
        json_object_set_new(object, use_outcome_text((enum use_outcome)i),
                            json_integer((json_int_t)counts->counts[i]));
    json_object_set_new(object, "first", usage_json_time(counts->first_s));
    json_object_set_new(object, "last", usage_json_time(counts->last_s));
}

uint32_t usage_now_s(void)
{
    return (uint32_t)(clock_wall_us() / US_PER_SECOND);
}

/* ---- lists ---- */

static int by_count(const void *one, const void *other)
{
    uint64_t a = use_counts_total(&(*(const struct use *const *)one)->asked);
    uint64_t b = use_counts_total(&(*(const struct use *const *)other)->asked);

    return (a < b) - (a > b);
}

bool usage_is_of(const void *context, const struct use *use)
{
    const uint32_t *party = context;

    return use->parties[1] == *party;
}

const struct use **usage_gather(const struct uses *uses, usage_wants *wants, const void *context,
                                size_t *count)
{
    const struct use **found = malloc((uses_count(uses) + 1) * sizeof *found);

    *count = 0;
    for (const struct use *use = uses_next(uses, NULL); found != NULL && use != NULL;
         use = uses_next(uses, use))
        if (wants == NULL || wants(context, use))
            found[(*count)++] = use;
    if (found != NULL)
        qsort(found, *count, sizeof(const struct use *), by_count);
    return found;
}

json_t *usage_json_hour(const struct lately *lately)
{
    json_t *minutes = json_array();
    uint32_t counts[LATELY_SLOTS] = {0};

    if (lately != NULL)
        lately_last_hour(lately, usage_now_s(), counts);
    for (size_t i = 0; i < LATELY_SLOTS; i++)
        json_array_append_new(minutes, json_integer(counts[i]));
    return minutes;
}

json_t *usage_json_users(const struct usage *usage, const struct use *const *found, size_t count)
{
    json_t *users = json_array();

    for (size_t i = 0; i < count && i < USAGE_LISTED_MOST; i++) {
        json_t *user = usage_json_party(parties_at(usage_parties(usage), found[i]->parties[0]));
        usage_json_counts(user, &found[i]->asked);
        json_array_append_new(users, user);
    }
    return users;
}

/* ---- tables ---- */

/* Without memory the cell stays empty. */
void usage_table_add(struct usage_table *table, const char *text)
{
    if (table->count == table->capacity) {
        size_t wider = table->capacity == 0 ? FIRST_CAPACITY : 2 * table->capacity;
        char **cells = realloc(table->cells, wider * sizeof *cells);
        if (cells == NULL)
            return;
        table->cells = cells;
        table->capacity = wider;
    }
    table->cells[table->count++] = strdup(text);
}

void usage_table_add_number(struct usage_table *table, uint64_t number)
{
    char text[NUMBER_OCTETS];

    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    usage_table_add(table, text);
}

void usage_table_add_time(struct usage_table *table, uint32_t at_s)
{
    char text[CLOCK_TEXT_OCTETS];

    clock_format(at_s, text);
    usage_table_add(table, at_s == 0 ? "" : text);
}

static const char *cell_at(const struct usage_table *table, size_t number)
{
    return table->cells[number] == NULL ? "" : table->cells[number];
}

static void print_row(const struct usage_table *table, size_t row,
                      const size_t widths[USAGE_COLUMNS_MOST], FILE *out)
{
    for (size_t i = 0; i + 1 < table->columns; i++)
        fprintf(out, "%-*s", (int)widths[i] + GAP, cell_at(table, row * table->columns + i));
    fprintf(out, "%s\n", cell_at(table, (row + 1) * table->columns - 1));
}

void usage_table_print(struct usage_table *table, FILE *out)
{
    size_t widths[USAGE_COLUMNS_MOST] = {0};

    for (size_t i = 0; i < table->count; i++)
        if (strlen(cell_at(table, i)) > widths[i % table->columns])
            widths[i % table->columns] = strlen(cell_at(table, i));
    for (size_t row = 0; row < table->count / table->columns; row++)
        print_row(table, row, widths, out);
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (struct usage_table){.columns = table->columns};
}
