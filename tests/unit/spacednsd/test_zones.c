#include "spacednsd/zones.h"

#include <string.h>

#include "answer/policy.h"
#include "support/suite.h"
#include "support/world.h"

static const char *names[] = {"test-space"};
static const char *targets[] = {"one.app", "two.app"};

static struct settings settings_of(void)
{
    return (struct settings){
        .suffix_apps = "example.app",
        .suffix_discovery = "inside",
        .suffix_targets = {.items = targets, .count = 2},
        .local_as = {.items = names, .count = 1},
        .external = EXTERNAL_NXDOMAIN,
        .localspace_to = 5,
        .recursion_for = {.all = 2},
        .server_id = "ns1.test",
    };
}

TEST(the_policy_follows_the_settings)
{
    struct settings settings = settings_of();
    struct policy policy;

    ck_assert(policy_set(&policy, &settings));
    ck_assert_str_eq(policy.suffixes.apps, "example.app");
    ck_assert_str_eq(policy.suffixes.discovery, "inside");
    ck_assert_str_eq(policy.suffixes.targets[0], "one.app");
    ck_assert_str_eq(policy.suffixes.targets[1], "two.app");
    ck_assert(policy.external_nxdomain);
    ck_assert_uint_eq(policy.localspace_to, 1U << CLIENT_SPACE | 1U << CLIENT_VPN);
    ck_assert_uint_eq(policy.recursion_for.all, 1U << CLIENT_PEERED);
    ck_assert_uint_eq(policy.routes.count, 0);
    ck_assert_uint_eq(policy.local.space_count, 1);
    ck_assert_str_eq(policy.server_id, "ns1.test");
    ck_assert_ptr_nonnull(strstr(policy.version, "spacedns "));
}

TEST(each_zone_of_upstreams_is_the_route_of_its_number)
{
    struct upstream servers[] = {{.text = "10.0.0.2"}, {.text = "tls://1.1.1.1"}};
    struct upstream_zone zones[] = {
        {.zone = "a.corp.example", .upstreams = {.items = servers, .count = 1}},
        {.zone = "corp.example", .upstreams = {.items = servers, .count = 2}, .allow_rebind = true},
        {.zone = ".", .upstreams = {.items = servers + 1, .count = 1}},
    };
    struct settings settings = settings_of();
    struct policy policy;
    struct name name;

    settings.arena = arena_new();
    settings.upstream_zones = (struct upstream_zones){.items = zones, .count = 3};
    ck_assert(policy_set(&policy, &settings));
    ck_assert_uint_eq(policy.routes.count, 3);
    ck_assert_str_eq(policy.routes.items[0].upstreams, "10.0.0.2");
    ck_assert_str_eq(policy.routes.items[1].upstreams, "10.0.0.2, tls://1.1.1.1");
    ck_assert(!policy.routes.items[0].allow_rebind && policy.routes.items[1].allow_rebind);
    ck_assert(name_from_text("x.corp.example", &name));
    ck_assert_uint_eq(route_find(&policy.routes, &name), 1);
    arena_free(settings.arena);
}

TEST(one_target_suffix_stands_for_both)
{
    struct settings settings = settings_of();
    struct policy policy;

    settings.suffix_targets.count = 1;
    ck_assert(policy_set(&policy, &settings));
    ck_assert_str_eq(policy.suffixes.targets[0], "one.app");
    ck_assert_str_eq(policy.suffixes.targets[1], "one.app");
}

TEST(a_loading_has_the_findings_of_the_settings_too)
{
    struct zones_loading loading = {.snapshot = NULL};
    struct report *report = report_new();
    struct world world;

    world_init_fixture(&world);
    loading.zones = world.folder.path;
    loading.request =
        (struct load_request){.policy = &world.policy, .key = world.key, .threads = 1};
    report_add(report, FINDING_RESOLV_CONF, "/etc/resolv.conf", location_at(1, 1), "x");
    ck_assert(zones_loading_open(&loading, report));
    zones_load(&loading);
    ck_assert_ptr_nonnull(loading.snapshot);
    ck_assert_ptr_eq(loading.report, report);
    ck_assert_int_eq(report_findings(report)[0].code, FINDING_RESOLV_CONF);
    ck_assert_uint_eq(snapshot_count_spaces(loading.snapshot), 1);
    snapshot_free(loading.snapshot);
    zones_loading_close(&loading);
    world_close(&world);
}
