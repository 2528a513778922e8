#include "inspect/spaces_json.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "support/zones.h"

static struct policy policy;
static struct snapshot *snapshot;
static json_t *printed;

static void set_up(void)
{
    static const char *const files[] = {"zones/test-space.yaml"};

    policy = policy_usual();
    snapshot = snapshot_of_files(&policy, files, 1);
}

static void tear_down(void)
{
    json_decref(printed);
    snapshot_free(snapshot);
}

FIXTURE(set_up, tear_down)

static const struct segment *segment(void)
{
    return snapshot->segments[0];
}

static const struct app_entry *app_of(const char *name)
{
    struct index_entry entry;

    ck_assert(snapshot_find_app(snapshot, name, strlen(name), &entry));
    return &segment()->apps[entry.number];
}

/* `value` is released in the end. */
static void expect(json_t *value, const char *text)
{
    printed = value;
    char *found = json_dumps(value, JSON_COMPACT);
    ck_assert_str_eq(found, text);
    free(found);
}

TEST(a_space_has_its_routers_and_every_connection)
{
    expect(spaces_json(snapshot),
           "{\"generation\":1,\"spaces\":[{\"name\":\"test-space\",\"state\":\"allocated\","
           "\"unready\":null,\"cidr\":\"10.0.0.0/16\",\"region\":null,\"routers\":["
           "{\"ip\":\"10.0.0.37\",\"state\":\"up\",\"az\":null},"
           "{\"ip\":\"10.0.16.21\",\"state\":\"up\",\"az\":null}],\"connections\":["
           "{\"kind\":\"peering\",\"name\":\"pcx-111aaa111\",\"status\":\"active\","
           "\"lets_in\":true,\"cidrs\":[\"10.20.0.0/16\"]},"
           "{\"kind\":\"peering\",\"name\":\"pcx-222bbb222\",\"status\":\"pending-acceptance\","
           "\"lets_in\":false,\"cidrs\":[\"10.30.0.0/16\"]},"
           "{\"kind\":\"vpn\",\"name\":\"office\",\"status\":\"active\",\"lets_in\":true,"
           "\"cidrs\":[\"172.16.0.0/16\"]},"
           "{\"kind\":\"vpn\",\"name\":\"branch\",\"status\":\"failed\",\"lets_in\":false,"
           "\"cidrs\":[\"192.168.7.0/24\"]}],\"apps\":3,\"internal_apps\":2}]}");
}

TEST(an_unready_space_says_so)
{
    static const char *const names[] = {"east", "north"};
    static const char *const texts[] = {"space: [", "space: north\ncidr: 10.3.0.0/16\nx: y\n"};
    struct snapshot *half = snapshot_of_documents(&policy, names, texts, 2);

    expect(spaces_json(half),
           "{\"generation\":1,\"spaces\":["
           "{\"name\":\"east\",\"state\":\"allocated\",\"unready\":\"E-SYNTAX\",\"cidr\":null,"
           "\"region\":null,\"routers\":[],\"connections\":[],\"apps\":0,\"internal_apps\":0},"
           "{\"name\":\"north\",\"state\":\"allocated\",\"unready\":\"E-UNKNOWN-KEY\","
           "\"cidr\":\"10.3.0.0/16\",\"region\":null,\"routers\":[],\"connections\":[],"
           "\"apps\":0,\"internal_apps\":0}]}");
    snapshot_free(half);
}

/* An app, and what is printed of it. */
static const struct {
    const char *name;
    const char *text;
} apps[] = {
    {"frozen-oasis-70544", "{\"space\":\"test-space\",\"name\":\"frozen-oasis-70544\","
                           "\"internal_routing\":true,\"web_dynos_up\":2,\"dynos\":3}"},
    {"sleepy-river-2739", "{\"space\":\"test-space\",\"name\":\"sleepy-river-2739\","
                          "\"internal_routing\":true,\"web_dynos_up\":0,\"dynos\":1}"},
    {"open-plain-1001", "{\"space\":\"test-space\",\"name\":\"open-plain-1001\","
                        "\"internal_routing\":false,\"web_dynos_up\":1,\"dynos\":1}"},
};

TEST_OVER(an_app_has_its_dynos_counted, apps)
{
    expect(spaces_json_app(segment(), app_of(apps[_i].name)), apps[_i].text);
}

TEST(domains_begin_with_the_default_one_and_have_their_targets)
{
    static const char target[] = "also-random-3847.herokuspace.com";
    char text[1024];

    snprintf(text, sizeof text,
             "[{\"hostname\":\"frozen-oasis-70544.herokuapp.com\",\"cname\":null},"
             "{\"hostname\":\"api.example.com\",\"cname\":\"random-haiku-5196.%s\"},"
             "{\"hostname\":\"*.apps.example.com\",\"cname\":\"wild-haiku-1188.%s\"},"
             "{\"hostname\":\"example.net\",\"cname\":\"apex-haiku-2201.%s\"}]",
             target, target, target);
    expect(spaces_json_domains(snapshot, segment(), app_of("frozen-oasis-70544")), text);
}

TEST(a_default_domain_with_an_identifier_is_as_it_is_declared)
{
    expect(spaces_json_domains(snapshot, segment(), app_of("open-plain-1001")),
           "[{\"hostname\":\"open-plain-1001-1234567890ab.herokuapp.com\",\"cname\":null}]");
}

TEST(a_formation_has_every_dyno_with_its_state)
{
    expect(spaces_json_formation(segment(), app_of("sleepy-river-2739")),
           "[{\"type\":\"web\",\"dynos\":[{\"number\":1,\"private_ip\":\"10.0.131.7\","
           "\"state\":\"crashed\"}]}]");
}
