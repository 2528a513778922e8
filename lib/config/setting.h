#pragma once
/**
 * One setting: a line of the table, and how a text becomes its value; a part of settings.c.
 *
 * Threads, memory: as settings.h.
 */
#include "config/settings.h"

enum setting_index {
#define SETTING(member, key, flag, value, type, words, initial, least, most, change, help)         \
    INDEX_##member,
#include "config/settings.def"
#undef SETTING
    SETTING_COUNT
};

enum setting_change { CHANGE_LIVE, CHANGE_RESTART };

struct setting {
    const char *key;
    const char *flag;
    const char *value;
    enum setting_type type;
    const char *words;
    const char *initial;
    uint32_t least;
    uint32_t most;
    enum setting_change change;
    const char *help;
    size_t offset; /* of the member in struct settings */
    size_t size;   /* of the member */
};

/** Where a value came from; a stronger source is a greater number. */
enum setting_source { SOURCE_NONE, SOURCE_INITIAL, SOURCE_FILE, SOURCE_FLAG };

struct settings_reader {
    struct settings *settings;
    FILE *problems;
    bool failed;
    enum setting_source sources[SETTING_COUNT]; /* strongest seen of each setting */
};

/** A text on its way to a value, and what to call its place: "--workers", "x.yaml:3:1: workers". */
struct setting_text {
    enum setting_source source;
    const char *place;
    const char *text;
};

extern const struct setting settings_table[SETTING_COUNT];

/** Tells one problem, escaped and on one line, and marks the reading as failed. */
void setting_problem(struct settings_reader *reader, const char *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** True for the types that hold several values. */
bool setting_is_list(const struct setting *setting);

/** Reads one value; of a list, one item. */
void setting_assign(struct settings_reader *reader, enum setting_index index,
                    const struct setting_text *text);

/** Notes that an empty list was given. */
void setting_assign_nothing(struct settings_reader *reader, enum setting_index index,
                            const struct setting_text *text);

/** Reads items with commas between. */
void setting_assign_items(struct settings_reader *reader, enum setting_index index,
                          const struct setting_text *text);

/**
 * Reads one upstream and adds it to a list. Returns false with the problem told.
 */
bool setting_add_upstream(struct settings_reader *reader, struct upstreams *list, const char *place,
                          const char *text);

/** Reads the settings file. */
void settings_read_file(struct settings_reader *reader, const char *path);
