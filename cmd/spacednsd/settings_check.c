#include "spacednsd/settings_check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/number.h"
#include "config/exposure.h"
#include "config/forwarding.h"
#include "decide/special.h"
#include "etcd/connection.h"
#include "tap/tap.h"

void settings_check_host(struct settings *settings, struct report *report)
{
    const struct forwarding_host unknown = {.resolv_conf = "/etc/resolv.conf"};

    if (settings->check) {
        forwarding_complete(settings, &unknown, report);
        exposure_check_against(settings, NULL, report);
    } else {
        forwarding_complete_here(settings, NULL, report);
        exposure_check(settings, report);
        settings_check_groups(settings, NULL, report);
    }
    settings_check_routes(settings, report);
    settings_check_state(settings, report);
    settings_check_dnstap(settings, report);
    settings_check_registry_library(settings, report);
}

void settings_check_routes(const struct settings *settings, struct report *report)
{
    const struct upstream_zones *zones = &settings->upstream_zones;

    for (size_t i = 0; i < zones->count; i++) {
        struct name zone;
        if (name_from_text(zones->items[i].zone, &zone) && special_is_fixed(&zone))
            setting_origin_report(report, FINDING_SETTING, &zones->items[i].origin,
                                  "its names are answered here and never asked of an upstream (RFC "
                                  "6761); take the zone out");
    }
}

/* ---- state_dir ---- */

void settings_check_state(const struct settings *settings, struct report *report)
{
    char path[PATH_MAX];
    struct stat texts, zones;

    if (settings->state_dir == NULL || settings_has_registry(settings))
        return;
    snprintf(path, sizeof path, "%s/zones", settings->state_dir);
    if (stat(path, &texts) != 0 || stat(settings->zones, &zones) != 0 ||
        texts.st_dev != zones.st_dev || texts.st_ino != zones.st_ino)
        return;
    const struct setting_origin origin = settings_origin(settings, "state_dir");
    setting_origin_report(report, FINDING_SETTING, &origin,
                          "its folder %.400s is the folder of zone files, which the server would "
                          "overwrite; give another one, such as /var/lib/spacedns",
                          path);
}

/* ---- dnstap ---- */

void settings_check_dnstap(const struct settings *settings, struct report *report)
{
    if (settings->dnstap == NULL || tap_library() != NULL)
        return;
    const struct setting_origin origin = settings_origin(settings, "dnstap");
    setting_origin_report(report, FINDING_SETTING, &origin,
                          "this build has no libfstrm, which sends dnstap messages; build it where "
                          "libfstrm is, or take this out");
}

/* ---- registry ---- */

void settings_check_registry_library(const struct settings *settings, struct report *report)
{
    if (!settings_has_registry(settings) || etcd_library() != NULL)
        return;
    const struct setting_origin origin = settings_origin(settings, "registry.endpoints");
    setting_origin_report(report, FINDING_SETTING, &origin,
                          "this build cannot follow a registry: it lacks libnghttp2 or "
                          "libprotobuf-c; build it where they are, or take `registry` out and give "
                          "`zones`");
}

/* ---- control_group, control_read_group ---- */

enum { GROUP_OCTETS = 1 << 20 }; /* of a group's entry with all its members */

static bool find_by_name(const char *name, gid_t *gid, struct err *err)
{
    char *room = malloc(GROUP_OCTETS);
    struct group entry, *found = NULL;
    int number = room == NULL ? ENOMEM : getgrnam_r(name, &entry, room, GROUP_OCTETS, &found);

    if (found != NULL)
        *gid = found->gr_gid;
    free(room);
    if (found != NULL)
        return true;
    /* The codes for "no such group" differ between databases (getgrnam(3)). */
    if (number == 0 || number == ENOENT || number == ESRCH)
        return err_set(err, ERR_RULE,
                       "this host has no such group; make it (groupadd --system %.40s), or give "
                       "another one, or its number",
                       name);
    return err_set(err, ERR_SYSTEM, "the group cannot be looked up: %s; give its number",
                   strerror(number));
}

bool settings_find_group(const char *name, gid_t *gid, struct err *err)
{
    uint64_t number;

    if (!number_from_text(name, strlen(name), &number) || number >= (gid_t)-1)
        return find_by_name(name, gid, err);
    *gid = (gid_t)number;
    return true;
}

static bool is_same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void check_group(const struct settings *settings, const char *key, const char *name,
                        const char *before, struct report *report)
{
    struct err err;
    gid_t gid;

    if (name == NULL || is_same_text(name, before) || settings_find_group(name, &gid, &err))
        return;
    const struct setting_origin origin = settings_origin(settings, key);
    setting_origin_report(report, FINDING_SETTING, &origin, "%.80s: %s", name, err.text);
}

void settings_check_groups(const struct settings *settings, const struct settings *before,
                           struct report *report)
{
    check_group(settings, "control_group", settings->control_group,
                before == NULL ? NULL : before->control_group, report);
    check_group(settings, "control_read_group", settings->control_read_group,
                before == NULL ? NULL : before->control_read_group, report);
}

/* ---- local_as ---- */

/* Returns the first space in `local_as` that no zone file declares, or NULL. */
static const char *find_missing_local(const struct settings *settings,
                                      const struct snapshot *snapshot)
{
    for (size_t i = 0; i < settings->local_as.count; i++)
        if (snapshot_find_space(snapshot, settings->local_as.items[i]) == NULL)
            return settings->local_as.items[i];
    return NULL;
}

static void check_local(const struct settings *settings, const struct snapshot *snapshot,
                        enum finding_code code, struct report *report)
{
    const char *missing = find_missing_local(settings, snapshot);

    if (missing == NULL)
        return;
    const struct setting_origin origin = settings_origin(settings, "local_as");
    const char *suggestion = snapshot_suggest_space(snapshot, missing);
    setting_origin_report(
        report, code, &origin, "no %s%.400s has a space `%.80s`; %s%s%s",
        settings_has_registry(settings) ? "document of the registry's cell " : "zone file of ",
        settings_has_registry(settings) ? settings->registry_cell : settings->zones, missing,
        suggestion == NULL ? "declare it there, or take it out of local_as" : "did you mean `",
        suggestion == NULL ? "" : suggestion, suggestion == NULL ? "" : "`?");
}

/* ---- listen ---- */

static bool is_covered(uint32_t address, const struct settings *settings)
{
    for (size_t i = 0; i < settings->listen.count; i++) {
        const struct endpoint *endpoint = &settings->listen.items[i].endpoint;
        if (endpoint->any.sa_family != AF_INET)
            continue;
        if (endpoint_is_wildcard(endpoint) || ntohl(endpoint->v4.sin_addr.s_addr) == address)
            return true;
    }
    return false;
}

static void check_listen(const struct settings *settings, const struct segment *segment,
                         struct report *report)
{
    for (size_t i = 0; i < segment->listen_count; i++) {
        char address[CIDR_TEXT_MAX];
        ipv4_write(segment->listen[i], address);
        if (!is_covered(segment->listen[i], settings))
            report_add(report, FINDING_LISTEN_SPACE, segment->file, location_at(0, 0),
                       "space %.80s is answered only at its `listen` address %s, and the server "
                       "does not listen there; add it to the setting listen, or take it out here",
                       segment->name, address);
    }
}

void settings_check_spaces(const struct settings *settings, const struct snapshot *snapshot,
                           enum finding_code missing, struct report *report)
{
    check_local(settings, snapshot, missing, report);
    for (size_t i = 0; i < snapshot->segment_count; i++)
        if (snapshot->segments[i] != NULL)
            check_listen(settings, snapshot->segments[i], report);
}
