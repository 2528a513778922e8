/* Which formation each key changes, and whether it may. */
#include "answer/restating.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

enum { KEYS_FEW = 8, NAME_TEXT_MOST = 253, LIST_OCTETS = 256 };

/* ---- apps by name ---- */

/* The apps of a segment; where there are many keys, sorted by name. */
struct app_names {
    const struct segment *segment;
    uint32_t *sorted; /* NULL: few keys */
};

static int compare_name(const struct segment *segment, uint32_t app, const char *name,
                        size_t length)
{
    const struct app_entry *entry = &segment->apps[app];
    size_t shorter = entry->name_length < length ? entry->name_length : length;
    int order = memcmp(segment_text(segment, entry->name), name, shorter);

    return order != 0 ? order : (entry->name_length > length) - (entry->name_length < length);
}

static int compare_apps(const void *a, const void *b, void *segment)
{
    const struct app_entry *right = &((const struct segment *)segment)->apps[*(const uint32_t *)b];

    return compare_name(segment, *(const uint32_t *)a, segment_text(segment, right->name),
                        right->name_length);
}

static bool app_names_init(struct app_names *names, const struct segment *segment, size_t keys)
{
    *names = (struct app_names){.segment = segment};
    if (keys < KEYS_FEW)
        return true;
    names->sorted = malloc((segment->app_count + 1) * sizeof *names->sorted);
    if (names->sorted == NULL)
        return false;
    for (size_t i = 0; i < segment->app_count; i++)
        names->sorted[i] = (uint32_t)i;
    qsort_r(names->sorted, segment->app_count, sizeof *names->sorted, compare_apps,
            (void *)segment);
    return true;
}

static uint32_t find_sorted(const struct app_names *names, const char *name, size_t length)
{
    size_t low = 0, high = names->segment->app_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_name(names->segment, names->sorted[middle], name, length);
        if (order == 0)
            return names->sorted[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return ENTRY_NONE;
}

uint32_t restate_find_app(const struct segment *segment, const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < segment->app_count; i++)
        if (segment->apps[i].name_length == length &&
            compare_name(segment, (uint32_t)i, name, length) == 0)
            return (uint32_t)i;
    return ENTRY_NONE;
}

static uint32_t app_names_find(const struct app_names *names, const char *name)
{
    return names->sorted == NULL ? restate_find_app(names->segment, name)
                                 : find_sorted(names, name, strlen(name));
}

/* ---- what a key may not ---- */

#define REFUSE(restating, key, code, row, ...)                                                     \
    do {                                                                                           \
        char file[DYNO_KEY_FILE_OCTETS];                                                           \
        dyno_key_file(key, file);                                                                  \
        if ((restating)->outcome->report != NULL)                                                  \
            report_add((restating)->outcome->report, FINDING_##code, file,                         \
                       location_at(row, (row) == 0 ? 0 : 1), __VA_ARGS__);                         \
    } while (0)

static void list_cidrs(const struct segment *segment, char out[LIST_OCTETS])
{
    struct text list = text_over(out, LIST_OCTETS - 1);

    for (size_t i = 0; i < segment->dyno_cidr_count; i++) {
        char cidr[CIDR_TEXT_MAX];
        cidr_write(segment->dyno_cidrs[i], cidr);
        text_add_separator(&list, i, segment->dyno_cidr_count);
        text_add_string(&list, cidr);
    }
    *list.next = '\0';
}

static bool is_in_dyno_cidr(const struct segment *segment, uint32_t ip)
{
    bool is_inside = segment->dyno_cidr_count == 0;

    for (size_t i = 0; i < segment->dyno_cidr_count && !is_inside; i++)
        is_inside = cidr_contains(segment->dyno_cidrs[i], ip);
    return is_inside;
}

static bool has_its_addresses(const struct restating *restating, const struct dyno_key *key)
{
    bool is_good = true;

    for (size_t i = 0; i < key->count; i++) {
        const struct dyno_line *dyno = &key->lines[i];
        char address[CIDR_TEXT_MAX], right[LIST_OCTETS];
        if (dyno->ip == 0 || is_in_dyno_cidr(restating->before, dyno->ip))
            continue;
        is_good = false;
        ipv4_write(dyno->ip, address);
        list_cidrs(restating->before, right);
        REFUSE(restating, key, DYNO_IP, dyno->line,
               "dyno %.64s.%u has address %s outside dyno_cidrs; give it an address in %s",
               key->type, (unsigned)dyno->number, address, right);
    }
    return is_good;
}

static size_t count_digits(uint32_t number)
{
    size_t count = 1;

    for (; number >= 10; number /= 10)
        count++;
    return count;
}

/* NUMBER.TYPE.APP.app.SUFFIX, if it is published. */
static bool has_short_names(const struct restating *restating, const struct dyno_key *key,
                            uint32_t app)
{
    const struct segment *segment = restating->before;
    const struct app_entry *entry = &segment->apps[app];
    size_t length =
        strlen(key->type) + 1 + entry->name_length + strlen(".app.") + segment->suffix_octets;
    size_t longest = 0;

    if ((entry->flags & APP_DISCOVERED) == 0 || strlen(key->type) > LABEL_MAX_OCTETS)
        return true;
    for (size_t i = 0; i < key->count; i++) {
        size_t digits = count_digits(key->lines[i].number) + 1;
        longest = digits > longest ? digits : longest;
    }
    if (length + longest <= NAME_TEXT_MOST)
        return true;
    REFUSE(restating, key, NAME_LONG, 0,
           "a discovery name of process type `%.64s` would have %zu octets, and DNS allows %d; "
           "shorten the type or the app's name",
           key->type, length + longest, NAME_TEXT_MOST);
    return false;
}

/* True if the formation exists only until these changes. */
static bool is_going(const struct restating *restating, uint32_t formation)
{
    for (size_t i = 0; i < restating->change_count; i++)
        if (restating->changes[i].formation == formation)
            return restating->changes[i].key->is_gone &&
                   restating->before->formations[formation].at.line == 0;
    return false;
}

/* A new type must differ from those of the app, and from the other new ones, by more than case. */
static const char *find_same_but_case(const struct restating *restating, const struct dyno_key *key,
                                      uint32_t app)
{
    const struct segment *segment = restating->before;
    const struct app_entry *entry = &segment->apps[app];

    for (uint32_t i = entry->formations; i < entry->formations + entry->formation_count; i++) {
        const char *type = segment_type(segment, &segment->formations[i]);
        if (strcasecmp(type, key->type) == 0 && !is_going(restating, i))
            return type;
    }
    /* The keys of an app come together. */
    for (size_t i = restating->change_count; i > 0 && restating->changes[i - 1].app == app; i--) {
        const struct change *other = &restating->changes[i - 1];
        if (other->formation == ENTRY_NONE && strcasecmp(other->key->type, key->type) == 0)
            return other->key->type;
    }
    return NULL;
}

static bool has_its_own_type(const struct restating *restating, const struct dyno_key *key,
                             uint32_t app)
{
    const char *same = find_same_but_case(restating, key, app);

    if (same == NULL)
        return true;
    REFUSE(restating, key, PROC_CASE, 0,
           "process type `%.130s` differs from `%.130s` of the same app only by case, which DNS "
           "cannot tell apart; rename one",
           key->type, same);
    return false;
}

static bool has_room(const struct restating *restating, const struct dyno_key *key, uint32_t app)
{
    /* So many that no other change of the same call can matter. */
    if (restating->before->apps[app].formation_count + restating->change_count < UINT16_MAX)
        return true;
    REFUSE(restating, key, LIMIT, 0, "app %.40s has more than %d process types; remove some",
           key->app, UINT16_MAX - 1);
    return false;
}

/* ---- the plan ---- */

uint32_t restate_find_formation(const struct segment *segment, uint32_t app, const char *type)
{
    const struct app_entry *entry = &segment->apps[app];

    for (uint32_t i = entry->formations; i < entry->formations + entry->formation_count; i++)
        if (strcmp(segment_type(segment, &segment->formations[i]), type) == 0)
            return i;
    return ENTRY_NONE;
}

static void add_change(struct restating *restating, const struct change *change)
{
    restating->changes[restating->change_count++] = *change;
    restating->line_count += change->key->count;
}

/* A key that is gone and was not in force changes nothing. */
static void plan_gone(struct restating *restating, const struct change *change)
{
    const struct segment *before = restating->before;

    if (change->formation != ENTRY_NONE &&
        segment_revision(before, &before->formations[change->formation]) != 0)
        add_change(restating, change);
}

/* Returns false without memory. */
static bool plan_list(struct restating *restating, const struct change *change)
{
    const struct dyno_key *key = change->key;
    bool is_good = !key->is_bad && has_its_addresses(restating, key) &&
                   has_short_names(restating, key, change->app);

    if (is_good && change->formation == ENTRY_NONE)
        is_good =
            has_room(restating, key, change->app) && has_its_own_type(restating, key, change->app);
    if (!is_good)
        return restate_add_refused(restating->outcome, key);
    add_change(restating, change);
    return true;
}

/* Returns false without memory. */
static bool plan_key(struct restating *restating, const struct app_names *names,
                     const struct dyno_key *key)
{
    struct change change = {.key = key, .app = app_names_find(names, key->app)};

    if (change.app == ENTRY_NONE)
        return key->is_gone || restate_add_unused(restating->outcome, key);
    change.formation = restate_find_formation(restating->before, change.app, key->type);
    if (!key->is_gone)
        return plan_list(restating, &change);
    plan_gone(restating, &change);
    return true;
}

static int compare_changes(const void *a, const void *b)
{
    const struct change *left = a, *right = b;

    if (left->app != right->app)
        return left->app < right->app ? -1 : 1;
    if (left->formation != right->formation)
        return left->formation < right->formation ? -1 : 1;
    return strcmp(left->key->type, right->key->type);
}

bool restate_plan(struct restating *restating, const struct dyno_key *const *keys, size_t count)
{
    struct app_names names;
    bool is_planned = true;

    restating->changes = calloc(count + 1, sizeof *restating->changes);
    if (restating->changes == NULL || !app_names_init(&names, restating->before, count))
        return false;
    /* What goes makes room for what comes: `Web` for `web`. */
    for (size_t i = 0; i < 2 * count && is_planned; i++)
        if (keys[i % count]->is_gone == (i < count))
            is_planned = plan_key(restating, &names, keys[i % count]);
    free(names.sorted);
    if (restating->change_count > 1)
        qsort(restating->changes, restating->change_count, sizeof *restating->changes,
              compare_changes);
    return is_planned;
}
