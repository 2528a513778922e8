#include "support/estate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "space/parse.h"
#include "support/zones.h"

static const char *const paths[ESTATE_SPACES] = {
    "zones/test-space.yaml",
    "tests/zones_good/other-space.yaml",
    "tests/zones_good/every-shape.yaml",
    "tests/zones_good/changing-space.yaml",
};

const char *const estate_insiders[] = {
    "10.0.130.56", "10.0.144.9", "10.0.0.0",      "10.0.255.255", "10.20.3.4",  "172.16.9.9",
    "10.1.130.4",  "10.2.0.1",   "10.21.255.255", "10.23.0.0",    "172.25.3.4", "10.3.130.4",
};
const size_t estate_insider_count = sizeof estate_insiders / sizeof estate_insiders[0];

const char *const estate_outsiders[] = {
    "10.30.3.4",  "192.168.7.7", "192.0.2.10",      "203.0.113.9", "35.161.69.30",
    "10.22.3.4",  "172.23.0.9",  "9.255.255.255",   "10.4.0.0",    "10.19.255.255",
    "172.17.0.1", "127.0.0.1",   "255.255.255.255", "0.0.0.0",
};
const size_t estate_outsider_count = sizeof estate_outsiders / sizeof estate_outsiders[0];

const uint16_t estate_types[] = {1,   2,   5,   6,   10,  12,  13,  15,   16,   28,
                                 33,  35,  41,  43,  46,  47,  48,  64,   65,   99,
                                 249, 250, 251, 252, 253, 255, 257, 4711, 65535};
const size_t estate_type_count = sizeof estate_types / sizeof estate_types[0];

static void read_model(struct estate *estate, size_t i)
{
    struct report *report = report_new();

    estate->texts[i] = zone_text(paths[i]);
    estate->arenas[i] = arena_new();
    estate->spaces[i] = space_parse(estate->arenas[i], paths[i], estate->texts[i],
                                    strlen(estate->texts[i]), report);
    if (estate->spaces[i] == NULL) {
        report_print(report, stderr);
        abort();
    }
    report_free(report);
}

static void load(struct estate *estate)
{
    for (size_t i = 0; i < ESTATE_SPACES; i++) {
        scratch_copy(&estate->world.folder, paths[i]);
        read_model(estate, i);
    }
    world_must_load(&estate->world);
    names_init(&estate->names, estate->spaces, ESTATE_SPACES);
}

void estate_init(struct estate *estate)
{
    world_init(&estate->world);
    load(estate);
}

void estate_init_forwarding(struct estate *estate, const struct clocked_options *options,
                            unsigned recursion_for)
{
    world_init(&estate->world);
    world_forward(&estate->world, *options);
    estate->world.policy.recursion_for = recursion_for;
    load(estate);
}

void estate_close(struct estate *estate)
{
    names_close(&estate->names);
    for (size_t i = 0; i < ESTATE_SPACES; i++) {
        arena_free(estate->arenas[i]);
        free(estate->texts[i]);
    }
    world_close(&estate->world);
}

size_t estate_stride(void)
{
    const char *sanitizers = getenv("SANITIZE");
    return sanitizers != NULL && sanitizers[0] != '\0' ? 4 : 1;
}
