#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "base/file.h"
#include "registry/disk.h"

#define HEAD "spacedns registry 1\n"
#define NAME "%255s"

enum { CHECKSUM_LINE = sizeof "checksum 0123456789abcdef\n" - 1 };

static const size_t FILE_MOST = (size_t)4 << 30;
static const uint64_t HASH_START = UINT64_C(14695981039346656037);

/* A file that is being read. */
struct parsing {
    const char *next;
    const char *end; /* of what the checksum covers */
    struct mirror *mirror;
    struct follow_position *position;
    struct disk_fit fit;
    uint64_t generation; /* 0: the file does not say */
    bool is_other;       /* of another cell */
};

static bool is_sound(const char *text, size_t length)
{
    char line[CHECKSUM_LINE + 1];
    uint64_t hash = HASH_START;

    if (length < CHECKSUM_LINE)
        return false;
    for (size_t i = 0; i < length - CHECKSUM_LINE; i++)
        hash = (hash ^ (uint8_t)text[i]) * UINT64_C(1099511628211);
    snprintf(line, sizeof line, "checksum %016" PRIx64 "\n", hash);
    return memcmp(text + length - CHECKSUM_LINE, line, CHECKSUM_LINE) == 0;
}

/* Takes the next line, without its newline. The text is the file's: it is cut into lines. */
static char *take_line(struct parsing *parsing)
{
    char *line = (char *)parsing->next;
    char *newline = parsing->next >= parsing->end
                        ? NULL
                        : memchr(line, '\n', (size_t)(parsing->end - parsing->next));

    if (newline == NULL)
        return NULL;
    *newline = '\0';
    parsing->next = newline + 1;
    return line;
}

static bool is_name(const char *name)
{
    return keys_is_name(name, strlen(name));
}

static bool is_selected(const struct parsing *parsing, const char *space)
{
    return mirror_selects(parsing->mirror, space);
}

static bool read_position(struct parsing *parsing, const char *line)
{
    struct follow_position *position = parsing->position;
    int has_deletion = 1; /* the safe assumption of a file that does not say so */

    if (sscanf(line, "position %" SCNx64 " %63s %" SCNu64 " %" SCNu64 " %" SCNx64 " %d",
               &position->cluster, position->id, &position->revision, &position->seen_revision,
               &position->seen_hash, &has_deletion) < 5)
        return false;
    position->has_seen_deletion = has_deletion != 0 && position->seen_revision != 0;
    if (strcmp(position->id, "-") == 0)
        position->id[0] = '\0';
    return true;
}

static bool read_served(struct parsing *parsing, const char *line)
{
    char name[KEY_NAME_MOST + 1];
    uint64_t mod, create, checksum;

    return sscanf(line, "z " NAME " %" SCNu64 " %" SCNu64 " %" SCNx64, name, &mod, &create,
                  &checksum) == 4 &&
           is_name(name) &&
           (!is_selected(parsing, name) ||
            mirror_restore(parsing->mirror, name, mod, create, checksum));
}

static bool read_newest(struct parsing *parsing, const char *line)
{
    char name[KEY_NAME_MOST + 1];
    uint64_t mod, create, gone;

    return sscanf(line, "newest " NAME " %" SCNu64 " %" SCNu64 " %" SCNu64, name, &mod, &create,
                  &gone) == 4 &&
           is_name(name) &&
           (!is_selected(parsing, name) ||
            mirror_restore_newest(parsing->mirror, name, mod, create, gone));
}

static bool read_candidate(struct parsing *parsing, const char *line)
{
    char name[KEY_NAME_MOST + 1];
    uint64_t mod, create;
    int is_removal;

    return sscanf(line, "next " NAME " %" SCNu64 " %" SCNu64 " %d", name, &mod, &create,
                  &is_removal) == 4 &&
           is_name(name) &&
           (!is_selected(parsing, name) ||
            mirror_restore_candidate(parsing->mirror, name, mod, create, is_removal != 0));
}

static const char *or_null(const char *word)
{
    return strcmp(word, "-") == 0 ? NULL : word;
}

static bool read_apps(struct parsing *parsing, uint64_t *apps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *line = take_line(parsing);
        if (line == NULL || sscanf(line, "%" SCNx64, &apps[i]) != 1)
            return false;
    }
    return true;
}

static bool read_fixed(struct parsing *parsing, const char *line)
{
    char name[KEY_NAME_MOST + 1], id[KEY_NAME_MOST + 1], region[KEY_NAME_MOST + 1];
    struct fixed_space fixed = {.name = name};
    unsigned bits, data_bits;
    uint64_t revision;
    int generation, shield, is_compared = 1; /* a file that does not say so has had no other */

    if (sscanf(line, "f " NAME " %" SCNu64 " " NAME " " NAME " %u/%u %u/%u %d %d %zu %d", name,
               &revision, id, region, &fixed.cidr.address, &bits, &fixed.data_cidr.address,
               &data_bits, &generation, &shield, &fixed.app_count, &is_compared) < 11 ||
        !is_name(name) || bits > 32 || data_bits > 32 ||
        fixed.app_count > (size_t)(parsing->end - parsing->next))
        return false;
    fixed.cidr.bits = (uint8_t)bits;
    fixed.data_cidr.bits = (uint8_t)data_bits;
    fixed.id = or_null(id);
    fixed.region = or_null(region);
    fixed.generation = generation == GENERATION_FIR ? GENERATION_FIR : GENERATION_CEDAR;
    fixed.shield = shield != 0;
    uint64_t *apps = malloc((fixed.app_count + 1) * sizeof *apps);
    fixed.apps = apps;
    bool passed = apps != NULL && read_apps(parsing, apps, fixed.app_count) &&
                  (!is_selected(parsing, name) ||
                   mirror_restore_fixed(parsing->mirror, name, &fixed, revision, is_compared != 0));
    free(apps);
    return passed;
}

/* Takes a word and the blank behind it. */
static bool take_word(const char **next, char word[KEY_NAME_MOST + 1])
{
    size_t length = strcspn(*next, " ");

    if (length == 0 || length > KEY_NAME_MOST || (*next)[length] == '\0')
        return false;
    memcpy(word, *next, length);
    word[length] = '\0';
    *next += length + 1;
    return true;
}

static bool is_digit(char octet)
{
    return octet >= '0' && octet <= '9';
}

/* d SPACE APP TYPE REVISION OCTETS; there may be millions. */
static bool read_key(struct parsing *parsing, const char *line)
{
    char space[KEY_NAME_MOST + 1], app[KEY_NAME_MOST + 1], type[KEY_NAME_MOST + 1];
    const char *next = line + strlen("d ");
    struct key_text text;
    char *end;

    if (!take_word(&next, space) || !take_word(&next, app) || !take_word(&next, type) ||
        !is_name(space) || !is_name(app) || !is_name(type))
        return false;
    if (!is_digit(next[0]))
        return false;
    uint64_t revision = strtoull(next, &end, 10);
    if (end[0] != ' ' || !is_digit(end[1]))
        return false;
    size_t length = strtoull(end + 1, &end, 10);
    if (end[0] != '\0' || length >= (size_t)(parsing->end - parsing->next))
        return false;
    keys_write_dynos(&parsing->mirror->keys, space, app, type, &text);
    mirror_put(
        parsing->mirror,
        &(struct etcd_pair){.key = {.start = (const uint8_t *)text.octets, .length = text.length},
                            .value = {.start = (const uint8_t *)parsing->next, .length = length},
                            .mod_revision = (int64_t)revision});
    parsing->next += length + 1;
    return true;
}

static bool read_held(struct parsing *parsing, const char *line)
{
    char space[KEY_NAME_MOST + 1], app[KEY_NAME_MOST + 1], type[KEY_NAME_MOST + 1];
    uint64_t revision;

    if (sscanf(line, "held " NAME " " NAME " " NAME " %" SCNu64, space, app, type, &revision) !=
            4 ||
        !is_name(space) || !is_name(app) || !is_name(type))
        return false;
    if (!is_selected(parsing, space))
        return true;
    struct dyno_key *gone = dyno_key_gone(space, app, type, revision);
    return gone != NULL && dyno_table_put(&parsing->mirror->held, gone, 0);
}

/* True when both end with the same "/CELL/". */
static bool has_cell(const char *prefix, const char *own)
{
    size_t length = strlen(prefix), own_length = strlen(own), cell = 2;

    while (cell <= own_length && own[own_length - cell] != '/')
        cell++;
    return length >= cell && own_length >= cell &&
           strcmp(prefix + length - cell, own + own_length - cell) == 0;
}

static bool read_settings(struct parsing *parsing, const char *line)
{
    uint64_t settings;
    int length = 0;

    parsing->is_other = true;
    if (sscanf(line, "settings %" SCNx64 "%n", &settings, &length) != 1)
        return false;
    const char *prefix = line[length] == ' ' ? line + length + 1 : "";
    const char *own = parsing->mirror->keys.prefix;
    if (settings == disk_settings(parsing->mirror))
        parsing->fit.kind = DISK_FITS;
    else if (strcmp(prefix, own) == 0)
        parsing->fit.kind = DISK_OTHER_CHOICE;
    else if (has_cell(prefix, own))
        parsing->fit.kind = DISK_OTHER_ROOT;
    else
        return false;
    escape_string(parsing->fit.prefix, sizeof parsing->fit.prefix, prefix);
    parsing->is_other = false;
    return true;
}

/* Unknown lines are of a version that adds what this one does not need. */
static bool read_line(struct parsing *parsing, const char *line)
{
    static const struct {
        const char *word;
        bool (*read)(struct parsing *, const char *);
    } readers[] = {
        {"settings ", read_settings},
        {"position ", read_position},
        {"z ", read_served},
        {"newest ", read_newest},
        {"next ", read_candidate},
        {"f ", read_fixed},
        {"d ", read_key},
        {"held ", read_held},
    };

    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++)
        if (strncmp(line, readers[i].word, strlen(readers[i].word)) == 0)
            return readers[i].read(parsing, line);
    sscanf(line, "pause %" SCNu64, &parsing->mirror->pause_revision);
    sscanf(line, "generation %" SCNu64, &parsing->generation);
    return true;
}

static bool read_lines(struct parsing *parsing, struct err *err)
{
    for (const char *line = take_line(parsing); line != NULL; line = take_line(parsing))
        if (!read_line(parsing, line))
            return parsing->is_other
                       ? err_set(err, ERR_RULE,
                                 DISK_FILE " in the state folder is of another cell; everything is "
                                           "read from the registry")
                       : err_set(err, ERR_SYNTAX,
                                 DISK_FILE " in the state folder has a line that cannot be read; "
                                           "everything is read from the registry");
    return !parsing->mirror->has_failed || err_set(err, ERR_MEMORY, "out of memory");
}

static bool parse(char *text, size_t length, struct mirror *mirror,
                  struct follow_position *position, struct disk_fit *fit, struct err *err)
{
    if (length < sizeof HEAD - 1 || memcmp(text, HEAD, sizeof HEAD - 1) != 0)
        return err_set(err, ERR_SYNTAX,
                       DISK_FILE " in the state folder is not this version's; everything is read "
                                 "from the registry");
    if (!is_sound(text, length))
        return err_set(err, ERR_SYNTAX,
                       DISK_FILE " in the state folder is not what was written there; everything "
                                 "is read from the registry");
    struct parsing parsing = {.next = text + sizeof HEAD - 1,
                              .end = text + length - CHECKSUM_LINE,
                              .mirror = mirror,
                              .position = position};
    if (!read_lines(&parsing, err))
        return false;
    *fit = parsing.fit;
    mirror->changed_revision = parsing.generation != 0 ? parsing.generation : position->revision;
    return true;
}

bool disk_read(const char *state_path, struct mirror *mirror, struct follow_position *position,
               struct disk_fit *fit, struct err *err)
{
    char path[4096];
    struct stat status;
    size_t length = 0;
    struct err why;

    status.st_size = 0;
    *err = (struct err){.code = ERR_NONE};
    if (snprintf(path, sizeof path, "%s/" DISK_FILE, state_path) >= (int)sizeof path ||
        (stat(path, &status) != 0 && errno == ENOENT))
        return false;
    /* file_read_text allocates what it may read. */
    size_t most = (size_t)status.st_size < FILE_MOST ? (size_t)status.st_size : FILE_MOST;
    char *text = file_read_text(path, most, &length, &why);
    if (text == NULL)
        return err_set(err, ERR_SYSTEM,
                       DISK_FILE
                       " in the state folder %.400s; everything is read from the registry",
                       why.text);
    bool passed = parse(text, length, mirror, position, fit, err);
    free(text);
    return passed;
}
