#include "support/four_spaces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "space/parse.h"
#include "support/zones.h"

const char *const four_spaces_paths[FOUR_SPACES] = {
    "zones/test-space.yaml",
    "tests/zones_good/other-space.yaml",
    "tests/zones_good/every-shape.yaml",
    "tests/zones_good/changing-space.yaml",
};

const char *const four_spaces_insiders[] = {
    "10.0.130.56", "10.0.144.9", "10.0.0.0",      "10.0.255.255", "10.20.3.4",  "172.16.9.9",
    "10.1.130.4",  "10.2.0.1",   "10.21.255.255", "10.23.0.0",    "172.25.3.4", "10.3.130.4",
};
const size_t four_spaces_insider_count =
    sizeof four_spaces_insiders / sizeof four_spaces_insiders[0];

const char *const four_spaces_outsiders[] = {
    "10.30.3.4",  "192.168.7.7", "192.0.2.10",      "203.0.113.9", "35.161.69.30",
    "10.22.3.4",  "172.23.0.9",  "9.255.255.255",   "10.4.0.0",    "10.19.255.255",
    "172.17.0.1", "127.0.0.1",   "255.255.255.255", "0.0.0.0",
};
const size_t four_spaces_outsider_count =
    sizeof four_spaces_outsiders / sizeof four_spaces_outsiders[0];

const uint16_t four_spaces_types[] = {1,   2,   5,   6,   10,  12,  13,  15,   16,   28,
                                      33,  35,  41,  43,  46,  47,  48,  64,   65,   99,
                                      249, 250, 251, 252, 253, 255, 257, 4711, 65535};
const size_t four_spaces_type_count = sizeof four_spaces_types / sizeof four_spaces_types[0];

/* Takes over the text. */
static void read_model(struct four_spaces *four, size_t i, char *text)
{
    struct report *report = report_new();

    four->texts[i] = text;
    four->arenas[i] = arena_new();
    four->spaces[i] = space_parse(four->arenas[i], four_spaces_paths[i], four->texts[i],
                                  strlen(four->texts[i]), report);
    if (four->spaces[i] == NULL) {
        report_print(report, stderr);
        abort();
    }
    report_free(report);
}

static void load(struct four_spaces *four)
{
    for (size_t i = 0; i < FOUR_SPACES; i++) {
        scratch_copy(&four->world.folder, four_spaces_paths[i]);
        read_model(four, i, zone_text(four_spaces_paths[i]));
    }
    world_must_load(&four->world);
    names_init(&four->names, four->spaces, FOUR_SPACES);
}

void four_spaces_init(struct four_spaces *four)
{
    world_init(&four->world);
    load(four);
}

void four_spaces_init_forwarding(struct four_spaces *four, const struct clocked_options *options,
                                 unsigned recursion_for)
{
    world_init(&four->world);
    world_forward(&four->world, *options);
    four->world.policy.recursion_for.all = recursion_for;
    load(four);
}

/* The text that the server has, edited or not. */
static char *read_copy(const struct four_spaces *four, size_t i)
{
    char path[SCRATCH_PATH_MOST + NAME_TEXT_MOST];
    size_t length;

    snprintf(path, sizeof path, "%s/%s", four->world.folder.path,
             strrchr(four_spaces_paths[i], '/') + 1);
    return file_read(path, &length);
}

static void drop_models(struct four_spaces *four)
{
    for (size_t i = 0; i < FOUR_SPACES; i++) {
        arena_free(four->arenas[i]);
        free(four->texts[i]);
    }
}

void four_spaces_name_devices(struct four_spaces *four)
{
    static const struct {
        const char *file, *old, *new;
    } edits[] = {
        {"test-space.yaml", "cidr_blocks: [10.20.0.0/16]",
         "device: ipsec0, cidr_blocks: [10.20.0.0/16]"},
        {"test-space.yaml", "    routable_cidrs: [172.16.0.0/16]",
         "    device: ipsec0\n    routable_cidrs: [172.16.0.0/16]"},
        {"other-space.yaml", "    routable_cidrs: [172.16.0.0/16]",
         "    device: ipsec1\n    routable_cidrs: [172.16.0.0/16]"},
        {"every-shape.yaml", "cidr_blocks: [10.23.0.0/16]",
         "device: ipsec1, cidr_blocks: [10.23.0.0/16]"},
    };

    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++)
        if (!scratch_edit(&four->world.folder, edits[i].file, edits[i].old, edits[i].new))
            abort();
    world_must_load(&four->world);
    drop_models(four);
    for (size_t i = 0; i < FOUR_SPACES; i++)
        read_model(four, i, read_copy(four, i));
}

void four_spaces_close(struct four_spaces *four)
{
    names_close(&four->names);
    drop_models(four);
    world_close(&four->world);
}

size_t four_spaces_stride(void)
{
    const char *sanitizers = getenv("SANITIZE");
    return sanitizers != NULL && sanitizers[0] != '\0' ? 4 : 1;
}
