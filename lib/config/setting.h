#pragma once
/**
 * One setting: a line of the table, and the conversion of a text to its value. A part of
 * settings.c.
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

/** The source of a value; a stronger source has a greater number. */
enum setting_source { SOURCE_NONE, SOURCE_INITIAL, SOURCE_FILE, SOURCE_FLAG };

struct settings_reader {
    struct settings *settings;
    struct report *report;
    enum setting_source sources[SETTING_COUNT]; /* the strongest so far, by setting */
};

/** A text to convert; an initial value, which is never wrong, has no file in its origin. */
struct setting_text {
    enum setting_source source;
    struct setting_origin origin;
    const char *text;
};

extern const struct setting settings_table[SETTING_COUNT];

/** Reports that a setting is wrong (E-SETTING). */
void setting_report(struct settings_reader *reader, const struct setting_origin *origin,
                    const char *format, ...) __attribute__((format(printf, 3, 4)));

/** True for the types with several values. */
bool setting_is_list(const struct setting *setting);

/** Reads one value, or one item of a list. */
void setting_assign(struct settings_reader *reader, enum setting_index index,
                    const struct setting_text *text);

/** Records an empty list. */
void setting_assign_nothing(struct settings_reader *reader, enum setting_index index,
                            const struct setting_text *text);

/** Reads items separated by commas. */
void setting_assign_items(struct settings_reader *reader, enum setting_index index,
                          const struct setting_text *text);

/** Reads one upstream and adds it to a list. Returns false after it has reported the problem. */
bool setting_add_upstream(struct settings_reader *reader, struct upstreams *list,
                          const struct setting_origin *origin, const char *text);

/** Reports suffixes of recursion_for that hold no name which an upstream is asked for. */
void settings_check_recursion(struct settings_reader *reader);

/** Completes the registry's endpoints, and reports settings that do not go together with them. */
void settings_check_registry(struct settings_reader *reader);

/** Reads the settings file. */
void settings_read_file(struct settings_reader *reader, const char *path);
