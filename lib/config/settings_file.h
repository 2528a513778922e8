#pragma once
/**
 * The reader of the settings file. A part of settings.c.
 *
 * Threads, memory: as settings.h.
 */
#include "config/setting.h"
#include "yaml/yaml.h"

enum { LOCATION_MOST = 4096 + 128 };

/** The state while the file is read. */
struct file_reading {
    struct settings_reader *reader;
    struct yaml_reader *yaml;
    const char *path;
};

/** Writes FILE:LINE:COLUMN, and the key after it unless NULL, into LOCATION_MOST octets. */
void settings_file_write_location(const struct file_reading *reading, struct yaml_location at,
                                  const char *key, char *location);

/** Returns a scalar's text, valid until the next read; else prints the problem and returns NULL. */
const char *settings_file_value(struct file_reading *reading, const char *location,
                                const struct yaml_node *node);

/**
 * Reads a mapping from zones to their upstreams into settings->upstream_zones:
 *
 *     corp.example: [192.168.7.53, 192.168.7.54]
 *     home.arpa: 10.0.0.9
 *     lab.example: {upstreams: [10.9.9.9], allow_rebind: true}
 */
void settings_file_read_zones(struct file_reading *reading, const struct yaml_node *mapping);
