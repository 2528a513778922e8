#include <stdio.h>
#include <string.h>

#include "config/registry_endpoint.h"
#include "config/setting.h"

enum { CELL_MOST = 64 };

static bool is_given(const struct settings_reader *reader, enum setting_index index)
{
    return reader->sources[index] > SOURCE_INITIAL;
}

static void report_at(struct settings_reader *reader, const char *key, const char *sentence)
{
    const struct setting_origin origin = settings_origin(reader->settings, key);

    setting_report(reader, &origin, "%s", sentence);
}

/* ---- endpoints ---- */

/* Gives an endpoint its scheme, and writes it in its usual form. */
static bool complete_endpoint(struct settings_reader *reader, const char **text,
                              enum registry_scheme *scheme)
{
    const struct settings *settings = reader->settings;
    bool has_tls = settings->registry_ca != NULL || settings->registry_certificate != NULL;
    char written[REGISTRY_ENDPOINT_OCTETS];
    struct registry_endpoint endpoint;
    struct err err;

    if (!registry_endpoint_read(*text, &endpoint, &err))
        return false;
    if (endpoint.scheme == REGISTRY_NO_SCHEME)
        endpoint.scheme = has_tls ? REGISTRY_HTTPS : REGISTRY_HTTP;
    registry_endpoint_write(&endpoint, written);
    *scheme = endpoint.scheme;
    const char *kept = arena_text(settings->arena, written, strlen(written));
    if (kept == NULL)
        return false;
    *text = kept;
    return true;
}

static void report_twice(struct settings_reader *reader, const char *text)
{
    const struct setting_origin origin = settings_origin(reader->settings, "registry.endpoints");

    setting_report(reader, &origin, "`%.120s` is given twice; keep one of them", text);
}

/* All members are reached in one way: an operator who asked for TLS never gets the clear. */
static void check_endpoints(struct settings_reader *reader)
{
    struct string_list *list = &reader->settings->registry_endpoints;
    enum registry_scheme first = REGISTRY_NO_SCHEME, scheme = REGISTRY_NO_SCHEME;

    for (size_t i = 0; i < list->count; i++) {
        if (!complete_endpoint(reader, &list->items[i], &scheme)) {
            report_at(reader, "registry.endpoints", "out of memory");
            return;
        }
        for (size_t j = 0; j < i; j++)
            if (strcmp(list->items[i], list->items[j]) == 0)
                report_twice(reader, list->items[i]);
        first = i == 0 ? scheme : first;
        if (scheme != first)
            report_at(reader, "registry.endpoints",
                      "some are http:// and some https://; write all of them with one scheme");
    }
    if (first == REGISTRY_HTTP &&
        (reader->settings->registry_ca != NULL || reader->settings->registry_certificate != NULL))
        report_at(reader, "registry.endpoints",
                  "http:// is in the clear, and registry.ca and registry.certificate are for TLS; "
                  "write https://, or take those out");
}

/* ---- the others ---- */

/* The folder has a default, so only one that is written contradicts the registry. */
static void check_zones(struct settings_reader *reader)
{
    if (is_given(reader, INDEX_zones))
        report_at(reader, "registry.endpoints",
                  "zone files are read from a registry or from the folder `zones`, not from both; "
                  "take one of the two settings out");
}

static void check_root(struct settings_reader *reader)
{
    const char *root = reader->settings->registry_root;
    size_t length = root == NULL ? 0 : strlen(root);

    if (root != NULL && (root[0] != '/' || length < 2 || root[length - 1] == '/' ||
                         strstr(root, "//") != NULL || strchr(root, ' ') != NULL))
        report_at(reader, "registry.root",
                  "a root begins with a slash and does not end with one; give one like /spacedns");
}

static bool is_cell(const char *cell)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-._";

    return strlen(cell) <= CELL_MOST && strspn(cell, allowed) == strlen(cell);
}

static void check_cell(struct settings_reader *reader)
{
    const char *cell = reader->settings->registry_cell;

    if (cell == NULL && !is_given(reader, INDEX_registry_cell))
        report_at(reader, "registry.endpoints",
                  "there is no registry.cell, which names the set of spaces to answer; give it, "
                  "like eu-1");
    else if (cell != NULL && !is_cell(cell))
        report_at(reader, "registry.cell",
                  "a cell is at most 64 of a-z, 0-9, -, . and _; give one like eu-1");
}

/* Of two settings that belong together, both are needed. */
static void check_pair(struct settings_reader *reader, enum setting_index one,
                       enum setting_index other)
{
    const char *key = settings_table[one].key;
    const struct setting_origin origin = settings_origin(reader->settings, key);

    if (is_given(reader, one) && !is_given(reader, other))
        setting_report(reader, &origin, "it is of no use without %s; give both or none",
                       settings_table[other].key);
}

/* Keys below `registry` without an endpoint are a slip: without it, the folder would be served. */
static void check_without(struct settings_reader *reader)
{
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (settings_table[i].key != NULL && i != INDEX_registry_endpoints &&
            strncmp(settings_table[i].key, "registry.", strlen("registry.")) == 0 &&
            is_given(reader, (enum setting_index)i))
            report_at(reader, settings_table[i].key,
                      "it is of no use without registry.endpoints; give the members of etcd there, "
                      "or take it out");
}

void settings_check_registry(struct settings_reader *reader)
{
    if (!is_given(reader, INDEX_registry_endpoints)) {
        check_without(reader);
        return;
    }
    check_zones(reader);
    check_endpoints(reader);
    check_root(reader);
    check_cell(reader);
    check_pair(reader, INDEX_registry_certificate, INDEX_registry_key);
    check_pair(reader, INDEX_registry_key, INDEX_registry_certificate);
    check_pair(reader, INDEX_registry_user, INDEX_registry_password_file);
    check_pair(reader, INDEX_registry_password_file, INDEX_registry_user);
}
