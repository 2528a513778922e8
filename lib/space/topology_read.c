/* Reads the platform's topology as apps of the model. */
#include "space/topology.h"

#include <string.h>

#include <jansson.h>

#include "space/checking.h"
#include "wire/domain.h"

enum {
    UUID_LENGTH = 36,
    PROCESS_TYPE_MAX = 128,
    IDENTIFIER_LENGTH = 12, /* of default domains: NAME-IDENTIFIER.herokuapp.com */
    PATH_OCTETS = 96,
};

struct topology_reading {
    struct arena *arena;
    const char *file;
    const struct suffixes *suffixes;
    struct topology *topology;
    struct err *err;
    char path[PATH_OCTETS]; /* of the object being read: "apps[0].formation[1]" */
};

static bool no_memory(struct topology_reading *reading)
{
    return err_set(reading->err, ERR_MEMORY, "out of memory while %s was read", reading->file);
}

static const char *kind_of(const json_t *value)
{
    static const char *const kinds[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "a list",    [JSON_STRING] = "a text",
        [JSON_INTEGER] = "a number", [JSON_REAL] = "a fraction", [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",      [JSON_NULL] = "null",
    };

    return value == NULL ? "nothing" : kinds[json_typeof(value)];
}

/* "t.json: apps[0].id must be a UUID, found null; correct it, or fetch the topology again" */
static bool fail_value(struct topology_reading *reading, const char *key, const char *wanted,
                       const json_t *value)
{
    const char *text = json_string_value(value);
    char found[64] = "";

    if (text != NULL)
        snprintf(found, sizeof found, " `%.40s`", text);
    for (char *octet = found; *octet != '\0'; octet++)
        if (*octet < ' ' || *octet > '~')
            *octet = '?';
    bool is_member = reading->path[0] != '\0' && key[0] != '\0';
    return err_set(reading->err, ERR_SYNTAX,
                   "%s: %s%s%s must be %s, found %s%s; correct it, or fetch the topology again",
                   reading->file, reading->path, is_member ? "." : "", key, wanted, kind_of(value),
                   found);
}

/* Descends into item `number` of a list; returns the previous length of the path. */
static size_t enter(struct topology_reading *reading, const char *list, size_t number)
{
    size_t length = strlen(reading->path);

    snprintf(reading->path + length, sizeof reading->path - length, "%s%s[%zu]",
             length == 0 ? "" : ".", list, number);
    return length;
}

static void leave(struct topology_reading *reading, size_t length)
{
    reading->path[length] = '\0';
}

static bool read_id(struct topology_reading *reading, const json_t *value, struct word *id)
{
    const char *text = json_string_value(value);

    if (value == NULL)
        return true;
    if (text == NULL || strlen(text) != UUID_LENGTH ||
        strspn(text, "0123456789abcdefABCDEF-") != UUID_LENGTH)
        return fail_value(reading, "id", "a UUID", value);
    id->text = arena_text(reading->arena, text, UUID_LENGTH);
    return id->text != NULL || no_memory(reading);
}

/* In "1.web.frozen-oasis-70544.app.localspace" the label before ".app." is the app's name. */
static bool read_app_name(struct topology_reading *reading, const json_t *hostname, struct app *app)
{
    const char *text = json_string_value(hostname);
    const char *end = text;

    if (hostname == NULL || app->name.text != NULL)
        return true;
    while (end != NULL) {
        end = strstr(end, ".app.");
        if (end == NULL || strcmp(end + strlen(".app."), reading->suffixes->discovery) == 0)
            break;
        end++;
    }
    const char *start = end;
    while (start != NULL && start > text && start[-1] != '.')
        start--;
    if (start == NULL || !label_is_ldh(start, (size_t)(end - start)))
        return fail_value(reading, "hostname", "a name such as 1.web.APP.app.localspace", hostname);
    app->name.text = arena_text(reading->arena, start, (size_t)(end - start));
    return app->name.text != NULL || no_memory(reading);
}

static bool read_dyno(struct topology_reading *reading, const json_t *value, struct app *app,
                      struct dyno *dyno)
{
    const json_t *number = json_object_get(value, "number");
    const json_t *address = json_object_get(value, "private_ip");
    json_int_t counted = json_integer_value(number);

    if (!json_is_object(value))
        return fail_value(reading, "", "an object", value);
    if (!json_is_integer(number) || counted < 1 || counted > UINT32_MAX)
        return fail_value(reading, "number", "a whole number from 1", number);
    if (!json_is_string(address) || !ipv4_read(json_string_value(address), &dyno->ip))
        return fail_value(reading, "private_ip", "an IPv4 address", address);
    dyno->number = (uint32_t)counted;
    return read_app_name(reading, json_object_get(value, "hostname"), app);
}

static bool read_dynos(struct topology_reading *reading, const json_t *list, struct app *app,
                       struct formation *formation)
{
    size_t count = json_array_size(list);
    bool is_read = true;

    if (!json_is_array(list))
        return fail_value(reading, "dynos", "a list", list);
    formation->dynos = arena_take(reading->arena, (count + 1) * sizeof *formation->dynos);
    if (formation->dynos == NULL)
        return no_memory(reading);
    formation->dyno_count = count;
    for (size_t i = 0; is_read && i < count; i++) {
        size_t before = enter(reading, "dynos", i);
        is_read = read_dyno(reading, json_array_get(list, i), app, &formation->dynos[i]);
        leave(reading, before);
    }
    return is_read;
}

static bool is_process_type(const char *text)
{
    size_t length =
        strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

    return length > 0 && length <= PROCESS_TYPE_MAX && text[length] == '\0';
}

static bool read_formation(struct topology_reading *reading, const json_t *value, struct app *app,
                           struct formation *formation)
{
    const json_t *type = json_object_get(value, "process_type");
    const char *text = json_string_value(type);

    if (!json_is_object(value))
        return fail_value(reading, "", "an object", value);
    if (text == NULL || !is_process_type(text))
        return fail_value(reading, "process_type",
                          "1 to 128 letters, digits, underscores and hyphens", type);
    formation->type.text = arena_text(reading->arena, text, strlen(text));
    if (formation->type.text == NULL)
        return no_memory(reading);
    return read_dynos(reading, json_object_get(value, "dynos"), app, formation);
}

static bool read_formations(struct topology_reading *reading, const json_t *value, struct app *app)
{
    const json_t *list = json_object_get(value, "formation");
    const json_t *other = json_object_get(value, "formations");
    const char *key = list == NULL && other != NULL ? "formations" : "formation";
    bool is_read = true;

    if (list != NULL && other != NULL)
        return fail_value(reading, "formations", "absent where there is `formation`", other);
    if (list == NULL)
        list = other;
    if (!json_is_array(list))
        return fail_value(reading, key, "a list", list);
    size_t count = json_array_size(list);
    app->formations = arena_take(reading->arena, (count + 1) * sizeof *app->formations);
    if (app->formations == NULL)
        return no_memory(reading);
    app->formation_count = count;
    for (size_t i = 0; is_read && i < count; i++) {
        size_t before = enter(reading, key, i);
        is_read = read_formation(reading, json_array_get(list, i), app, &app->formations[i]);
        leave(reading, before);
    }
    return is_read;
}

/* The names of one app, by their suffixes. */
struct app_names {
    const char **custom;
    size_t custom_count;
    const char **targets;
    size_t target_count;
    const char *of_platform; /* the default domain */
};

/* Folds a host name; returns NULL if it is not a host name, or memory runs out. */
static const char *read_hostname(struct topology_reading *reading, const json_t *value)
{
    const char *text = json_string_value(value);
    size_t length = text == NULL ? 0 : strlen(text);
    char *name;

    if (length > 0 && text[length - 1] == '.')
        length--;
    if (length == 0 || (name = arena_text(reading->arena, text, length)) == NULL)
        return NULL;
    for (char *octet = name; *octet != '\0'; octet++)
        if (*octet >= 'A' && *octet <= 'Z')
            *octet = (char)(*octet - 'A' + 'a');
    return hostname_flaw(strncmp(name, "*.", 2) == 0 ? name + 2 : name) == NULL ? name : NULL;
}

static bool sort_name(struct topology_reading *reading, const json_t *value,
                      struct app_names *names)
{
    const struct suffixes *suffixes = reading->suffixes;
    const char *name = read_hostname(reading, value);

    if (name == NULL)
        return fail_value(reading, "domains", "a list of host names", value);
    if (domain_is_within(name, suffixes->targets[0]) ||
        domain_is_within(name, suffixes->targets[1])) {
        names->targets[names->target_count++] = name;
        return true;
    }
    if (!domain_is_within(name, suffixes->apps)) {
        names->custom[names->custom_count++] = name;
        return true;
    }
    if (name[0] == '*' || (names->of_platform != NULL && strcmp(names->of_platform, name) != 0))
        return fail_value(reading, "domains", "a list with one default domain", value);
    names->of_platform = name;
    return true;
}

/*
 * Returns the length of the name before an identifier, which has a digit in its 12 characters. No
 * name ends with a hyphen.
 */
static size_t name_length(const char *label, size_t length)
{
    static const char lower[] = "abcdefghijklmnopqrstuvwxyz0123456789";

    if (length <= IDENTIFIER_LENGTH + 1 || label[length - IDENTIFIER_LENGTH - 1] != '-' ||
        label[length - IDENTIFIER_LENGTH - 2] == '-')
        return length;
    const char *identifier = label + length - IDENTIFIER_LENGTH;
    bool is_identifier = strspn(identifier, lower) == IDENTIFIER_LENGTH &&
                         strcspn(identifier, "0123456789") < IDENTIFIER_LENGTH;
    return is_identifier ? length - IDENTIFIER_LENGTH - 1 : length;
}

static bool is_usual_domain(const char *domain, const char *name, const char *suffix)
{
    size_t length = strlen(name);

    return strncmp(domain, name, length) == 0 && domain[length] == '.' &&
           strcmp(domain + length + 1, suffix) == 0;
}

static bool settle_name(struct topology_reading *reading, const struct app_names *names,
                        struct app *app)
{
    const char *domain = names->of_platform;

    if (app->name.text == NULL && domain != NULL)
        app->name.text =
            arena_text(reading->arena, domain, name_length(domain, strcspn(domain, ".")));
    if (app->name.text == NULL)
        return err_set(
            reading->err, ERR_RULE,
            "%s: %s does not contain the app's name; it needs a dyno with a hostname, or "
            "the app's default domain below %s among its domains",
            reading->file, reading->path, reading->suffixes->apps);
    if (domain != NULL && !is_usual_domain(domain, app->name.text, reading->suffixes->apps))
        app->default_domain.text = domain;
    return true;
}

/* Assigns targets to the domains in order, the last one to the rest. */
static bool settle_domains(struct topology_reading *reading, const struct app_names *names,
                           struct app *app)
{
    size_t count = names->custom_count, targets = names->target_count;

    app->domains = arena_take(reading->arena, (count + 1) * sizeof *app->domains);
    if (app->domains == NULL)
        return no_memory(reading);
    app->domain_count = count;
    for (size_t i = 0; i < count; i++) {
        struct domain *domain = &app->domains[i];
        domain->is_wildcard = names->custom[i][0] == '*';
        domain->hostname.text = names->custom[i] + (domain->is_wildcard ? 2 : 0);
        if (targets > 0)
            domain->cname.text = names->targets[i < targets ? i : targets - 1];
    }
    if (targets > 1)
        reading->topology->guessed_count += count;
    if (targets > count)
        reading->topology->left_count += targets - count;
    return true;
}

static bool read_domains(struct topology_reading *reading, const json_t *list, struct app *app)
{
    size_t count = json_array_size(list);
    struct app_names names = {
        .custom = arena_take(reading->arena, (count + 1) * sizeof *names.custom),
        .targets = arena_take(reading->arena, (count + 1) * sizeof *names.targets),
    };

    if (!json_is_array(list))
        return fail_value(reading, "domains", "a list of host names", list);
    if (names.custom == NULL || names.targets == NULL)
        return no_memory(reading);
    for (size_t i = 0; i < count; i++)
        if (!sort_name(reading, json_array_get(list, i), &names))
            return false;
    names.custom_count = topology_sort_names(names.custom, names.custom_count);
    names.target_count = topology_sort_names(names.targets, names.target_count);
    return settle_name(reading, &names, app) && settle_domains(reading, &names, app);
}

static bool read_app(struct topology_reading *reading, const json_t *value, struct app *app)
{
    if (!json_is_object(value))
        return fail_value(reading, "", "an object", value);
    app->dns_discovery = true;
    return read_id(reading, json_object_get(value, "id"), &app->id) &&
           read_formations(reading, value, app) &&
           read_domains(reading, json_object_get(value, "domains"), app);
}

static bool read_root(struct topology_reading *reading, const json_t *root)
{
    const json_t *version = json_object_get(root, "version");
    const json_t *apps = json_object_get(root, "apps");
    struct topology *topology = reading->topology;
    bool is_read = true;

    if (!json_is_object(root))
        return fail_value(reading, "it", "an object with `apps`", root);
    if (!json_is_integer(version) || json_integer_value(version) != TOPOLOGY_VERSION)
        return fail_value(reading, "version", "1", version);
    if (!json_is_array(apps))
        return fail_value(reading, "apps", "a list", apps);
    topology->apps = arena_take(reading->arena, (json_array_size(apps) + 1) * sizeof(struct app));
    if (topology->apps == NULL)
        return no_memory(reading);
    topology->app_count = json_array_size(apps);
    for (size_t i = 0; is_read && i < topology->app_count; i++) {
        size_t before = enter(reading, "apps", i);
        is_read = read_app(reading, json_array_get(apps, i), &topology->apps[i]);
        leave(reading, before);
    }
    return is_read;
}

static bool fail_json(struct topology_reading *reading, json_error_t *error)
{
    bool is_cut = json_error_code(error) == json_error_premature_end_of_input;

    for (char *octet = error->text; *octet != '\0'; octet++)
        if (*octet < ' ' || *octet > '~')
            *octet = '?';
    return err_set(reading->err, ERR_SYNTAX, "%s:%d:%d: %s; %s", reading->file, error->line,
                   error->column, error->text,
                   is_cut ? "it is incomplete, fetch the topology again"
                          : "correct it, or fetch the topology again");
}

/* Counts the octets after which a value may begin; those inside texts count, too. */
static bool has_too_many_values(const struct topology_text *text)
{
    size_t count = 0;

    for (size_t i = 0; i < text->length; i++)
        count += text->octets[i] == ',' || text->octets[i] == '[' || text->octets[i] == '{';
    return count > TOPOLOGY_VALUES_MOST;
}

static bool check_size(const struct topology_text *text, struct err *err)
{
    if (text->length > TOPOLOGY_OCTETS_MOST)
        return err_set(err, ERR_LIMIT,
                       "%s has more than the %d octets of any topology; is it another file?",
                       text->file, TOPOLOGY_OCTETS_MOST);
    if (has_too_many_values(text))
        return err_set(err, ERR_LIMIT,
                       "%s has more than the %d values of any topology; is it another file?",
                       text->file, TOPOLOGY_VALUES_MOST);
    return true;
}

bool topology_read(struct arena *arena, const struct topology_text *text,
                   const struct suffixes *suffixes, struct topology *topology, struct err *err)
{
    if (!check_size(text, err))
        return false;
    struct topology read = {.apps = NULL};
    struct topology_reading reading = {
        .arena = arena, .file = text->file, .suffixes = suffixes, .topology = &read, .err = err};
    json_error_t error;

    json_t *root = json_loadb(text->octets, text->length, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        return fail_json(&reading, &error);
    bool is_read = read_root(&reading, root);
    json_decref(root);
    if (is_read)
        *topology = read;
    return is_read;
}
