#include "support/dyno_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void give_up(const char *cause)
{
    fprintf(stderr, "keys of the registry: %s\n", cause);
    abort();
}

static struct dyno_key *key_of(const struct key_text *text)
{
    char space[64] = "", app[64] = "", type[140] = "";
    struct report *report = report_new();

    if (sscanf(text->name, "%63[^/]/%63[^/]/%139s", space, app, type) != 3 || report == NULL)
        give_up(text->name);
    struct dyno_key *key = text->value == NULL ? dyno_key_gone(space, app, type, text->revision)
                                               : dyno_key_read(space, app, type, text->revision,
                                                               octets_of(text->value), report);
    if (key == NULL || key->is_bad) {
        report_print(report, stderr);
        give_up(text->name);
    }
    report_free(report);
    return key;
}

static int compare(const void *a, const void *b)
{
    return dyno_key_compare(*(const struct dyno_key *const *)a, *(const struct dyno_key *const *)b);
}

struct keys keys_of(const struct key_text *texts, size_t count)
{
    struct keys keys = {.items = malloc((count + 1) * sizeof *keys.items), .count = count};

    if (keys.items == NULL)
        give_up("no memory");
    for (size_t i = 0; i < count; i++)
        keys.items[i] = key_of(&texts[i]);
    qsort(keys.items, count, sizeof *keys.items, compare);
    return keys;
}

void keys_close(struct keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        dyno_key_free(keys->items[i]);
    free(keys->items);
    *keys = (struct keys){.items = NULL};
}

static void print_dyno(const struct dyno_entry *dyno, FILE *out)
{
    char address[CIDR_TEXT_MAX] = "";

    if (dyno->ip != 0)
        ipv4_write(dyno->ip, address);
    fprintf(out, "%u %s%s%s", (unsigned)dyno->number, dyno_state_text((enum dyno_state)dyno->state),
            dyno->ip == 0 ? "" : " ", address);
}

static void print_formation(const struct segment *segment, const struct formation_entry *formation,
                            FILE *out)
{
    fprintf(out, " %s@%llu", segment_type(segment, formation),
            (unsigned long long)segment_revision(segment, formation));
    if (formation->port_count > 0)
        fprintf(out, "+%u", (unsigned)formation->port_count);
    for (uint32_t i = 0; i < formation->dyno_count; i++) {
        fputs(i == 0 ? "[" : ", ", out);
        print_dyno(&segment->dynos[formation->dynos + i], out);
    }
    fputs(formation->dyno_count == 0 ? "[]" : "]", out);
}

static void print_app(const struct segment *segment, const struct app_entry *app, FILE *out)
{
    fprintf(out, "%.*s web=%u/%u/%u", (int)app->name_length, segment_text(segment, app->name),
            (unsigned)app->web_count, (unsigned)app->web_up, (unsigned)app->web_crashed);
    for (uint32_t i = 0; i < app->formation_count; i++)
        print_formation(segment, &segment->formations[app->formations + i], out);
    fputc('\n', out);
}

static void print_reverse(const struct segment *segment, uint32_t number, FILE *out)
{
    const struct formation_entry *formation = segment_formation_of(segment, number);
    const struct app_entry *app = &segment->apps[formation->app];
    const struct dyno_entry *dyno = &segment->dynos[number];
    char address[CIDR_TEXT_MAX];

    ipv4_write(dyno->ip, address);
    fprintf(out, "%s %.*s.%s.%u\n", address, (int)app->name_length,
            segment_text(segment, app->name), segment_type(segment, formation),
            (unsigned)dyno->number);
}

char *segment_describe(const struct segment *segment)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    if (out == NULL)
        give_up("no memory");
    for (size_t i = 0; i < segment->app_count; i++)
        print_app(segment, &segment->apps[i], out);
    for (size_t i = 0; i < segment->published_count; i++)
        print_reverse(segment, segment->dynos_by_ip[i], out);
    fclose(out);
    return text;
}
