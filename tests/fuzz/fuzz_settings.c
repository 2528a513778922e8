/**
 * Any octets, read as a settings file (first octet odd) or as a command line (even; words end at
 * zero octets).
 *
 * Invariants: no crash; refused settings have an error; accepted settings have every number within
 * its range, at least one worker and one listen address, and usable upstreams: each zone once, the
 * longest first, none of it ours; suffixes of recursion_for within their number, none of them ours.
 */
#include "fuzz/fuzz.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/forwarding.h"
#include "wire/domain.h"

enum { WORDS_MOST = 32, WORD_MOST = 512 };

static void check_recursion(const struct settings *settings)
{
    const struct recursion *recursion = &settings->recursion_for;

    if (recursion_classes(recursion) > 7 || recursion->count > RECURSION_SUFFIXES_MOST)
        abort();
    for (size_t i = 0; i < recursion->count; i++)
        if (domain_is_within(recursion->suffixes[i].text, settings->suffix_discovery) ||
            domain_label_count(recursion->suffixes[i].text) !=
                recursion->suffixes[i].name.label_count)
            abort();
}

static void check(const struct settings *settings, enum settings_status status,
                  const struct report *report)
{
    if (report_is_clean(report) != (status == SETTINGS_READY))
        abort();
    if (status != SETTINGS_READY)
        return;
    if (settings->help || settings->version)
        return;
    if (settings->workers < 1 || settings->workers > 256 || settings->listen.count < 1 ||
        settings->zones == NULL || settings->tcp_idle_ms < 100 || settings->external > 1 ||
        settings->localspace_to > 7 || settings->suffix_targets.count < 1 ||
        settings->cache_size < CACHE_SIZE_LEAST || settings->upstream_questions < 16 ||
        settings->upstream_questions > 20000)
        abort();
    check_recursion(settings);
}

static void check_upstreams(const struct upstreams *list)
{
    if (list->count < 1 || list->count > UPSTREAMS_MOST)
        abort();
    for (size_t i = 0; i < list->count; i++) {
        struct endpoint endpoint;
        char text[ENDPOINT_TEXT_MAX];
        endpoint_write(&list->items[i].endpoint, text);
        if (!endpoint_read(text, 0, &endpoint) || list->items[i].origin.file == NULL)
            abort();
    }
}

static void check_zones(const struct settings *settings)
{
    const struct upstream_zones *zones = &settings->upstream_zones;

    if (zones->count > UPSTREAM_ZONES_MOST || (settings->upstreams.is_none && zones->count > 0 &&
                                               zones->items[zones->count - 1].label_count == 0))
        abort();
    for (size_t i = 0; i < zones->count; i++) {
        const struct upstream_zone *zone = &zones->items[i];
        if (domain_is_within(zone->zone, settings->suffix_discovery) ||
            domain_label_count(zone->zone) != zone->label_count)
            abort();
        if (i > 0 &&
            (zone[-1].label_count < zone->label_count || strcmp(zone[-1].zone, zone->zone) == 0))
            abort();
        check_upstreams(&zone->upstreams);
    }
}

static enum settings_status settle(struct settings *settings, struct report *report)
{
    struct forwarding_host around = {.resolv_conf = "/nonexistent"};

    forwarding_complete(settings, &around, report);
    if (!report_is_clean(report))
        return SETTINGS_BAD_FILE;
    check_zones(settings);
    return SETTINGS_READY;
}

static void read_settings(int argc, char **argv)
{
    struct report *report = report_new();
    struct settings settings;

    enum settings_status status = settings_init(&settings, argc, argv, report);
    if (status == SETTINGS_READY && !settings.help && !settings.version)
        status = settle(&settings, report);
    check(&settings, status, report);
    settings_close(&settings);
    report_free(report);
}

static void read_as_file(const uint8_t *data, size_t size)
{
    char program[] = "spacednsd", flag[] = "--settings", path[64];
    char *argv[] = {program, flag, path, NULL};
    int descriptor = memfd_create("settings", MFD_CLOEXEC);

    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    if (descriptor < 0 || write(descriptor, data, size) != (ssize_t)size)
        abort();
    read_settings(3, argv);
    close(descriptor);
}

static void read_as_flags(const uint8_t *data, size_t size)
{
    static char words[WORDS_MOST][WORD_MOST];
    char program[] = "spacednsd";
    char *argv[WORDS_MOST + 1] = {program};
    int argc = 1;

    while (size > 0 && argc < WORDS_MOST) {
        size_t length = strnlen((const char *)data, size);
        snprintf(words[argc], WORD_MOST, "%.*s", (int)length, (const char *)data);
        argv[argc] = words[argc];
        argc++;
        size_t taken = length < size ? length + 1 : length;
        data += taken;
        size -= taken;
    }
    read_settings(argc, argv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if ((data[0] & 1) != 0)
        read_as_file(data + 1, size - 1);
    else
        read_as_flags(data + 1, size - 1);
    return 0;
}
