#pragma once
/**
 * The reader of the settings file. A part of settings.c.
 *
 * Threads, memory: as settings.h.
 */
#include "config/setting.h"
#include "yaml/yaml.h"

/** The state while the file is read. */
struct file_reading {
    struct settings_reader *reader;
    struct yaml_reader *yaml;
    const char *path; /* lives as long as the settings */
};

/** Returns the origin at a location of the file; `key` as in setting_origin.h. */
struct setting_origin settings_file_origin(const struct file_reading *reading,
                                           struct yaml_location at, const char *key);

/** Returns a scalar's text, valid until the next read; else reports it and returns NULL. */
const char *settings_file_value(struct file_reading *reading, const struct setting_origin *origin,
                                const struct yaml_node *node);

/**
 * Reads a mapping from zones to their upstreams into settings->upstream_zones:
 *
 *     corp.example: [192.168.7.53, 192.168.7.54]
 *     home.arpa: 10.0.0.9
 *     lab.example: {upstreams: [10.9.9.9], allow_rebind: true}
 */
void settings_file_read_zones(struct file_reading *reading, const struct yaml_node *mapping);

/**
 * Reads a mapping from classes to what they may ask for into settings->recursion_for:
 *
 *     space: all
 *     peered: [herokuapp.com, example.com]
 *     vpn: herokuapp.com
 */
void settings_file_read_recursion(struct file_reading *reading, const struct yaml_node *mapping);
