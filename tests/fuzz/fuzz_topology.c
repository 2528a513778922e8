// fuzz: stateful 500000
/**
 * Any octets, read as the platform's topology; a topology is written, read again and written again.
 *
 * Invariants: no crash, no leak; refused text has an error of one printable sentence and leaves the
 * topology unchanged; a topology that was read can be written and read again, and both texts are
 * equal.
 */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "space/topology.h"

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_refusal(const struct err *err, const struct topology *topology)
{
    must(err->code != ERR_NONE && err->text[0] != '\0');
    for (const char *octet = err->text; *octet != '\0'; octet++)
        must(*octet >= ' ' && *octet <= '~');
    must(topology->apps == NULL && topology->app_count == 7);
}

static bool read_text(struct arena *arena, const char *octets, size_t length,
                      struct topology *topology)
{
    const struct topology_text text = {.file = "t.json", .octets = octets, .length = length};
    const struct suffixes suffixes = suffixes_default();
    struct err err = {.code = ERR_NONE};

    *topology = (struct topology){.app_count = 7};
    if (topology_read(arena, &text, &suffixes, topology, &err))
        return true;
    check_refusal(&err, topology);
    return false;
}

static char *write_text(const struct topology *topology, size_t *length)
{
    const struct space space = {.apps = topology->apps, .app_count = topology->app_count};
    const struct suffixes suffixes = suffixes_default();
    char *octets = NULL;
    FILE *out = open_memstream(&octets, length);

    must(out != NULL);
    must(topology_write(&space, &suffixes, out));
    must(fclose(out) == 0);
    return octets;
}

static void check_apps(const struct topology *topology)
{
    for (size_t i = 0; i < topology->app_count; i++) {
        const struct app *app = &topology->apps[i];
        must(app->name.text != NULL && app->name.text[0] != '\0');
        must(app->domain_count == 0 || app->domains != NULL);
        must(app->formation_count == 0 || app->formations != NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct topology first, second;

    must(arena != NULL);
    if (read_text(arena, (const char *)data, size, &first)) {
        size_t length = 0, length_again = 0;
        check_apps(&first);
        char *written = write_text(&first, &length);
        must(read_text(arena, written, length, &second));
        must(second.app_count == first.app_count && second.left_count == 0);
        char *again = write_text(&second, &length_again);
        must(length == length_again && memcmp(written, again, length) == 0);
        free(written);
        free(again);
    }
    arena_free(arena);
    return 0;
}
