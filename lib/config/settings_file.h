#pragma once
/**
 * The settings file while it is read; a part of settings.c.
 *
 * Threads, memory: as settings.h.
 */
#include "config/setting.h"
#include "yaml/yaml.h"

enum { PLACE_MOST = 4096 + 128 };

/** One reading of the file. */
struct file_reading {
    struct settings_reader *reader;
    struct yaml_reader *yaml;
    const char *path;
};

/** Writes FILE:LINE:COLUMN, and the key behind it unless it is NULL, into PLACE_MOST octets. */
void settings_file_write_location(const struct file_reading *reading, struct yaml_location at,
                                  const char *key, char *place);

/** Returns a scalar's text, good until the next pull; NULL, with the problem told, for others. */
const char *settings_file_value(struct file_reading *reading, const char *place,
                                const struct yaml_node *node);

/**
 * Reads a mapping from zones to their upstreams into settings->upstream_zones:
 *
 *     corp.example: [192.168.7.53, 192.168.7.54]
 *     home.arpa: 10.0.0.9
 *     lab.example: {upstreams: [10.9.9.9], allow_rebind: true}
 */
void settings_file_read_zones(struct file_reading *reading, const struct yaml_node *mapping);
