#include "inspect/tally.h"

#include <string.h>

#include "support/suite.h"
#include "support/zones.h"

#define SPACE "space: small\ncidr: 10.4.0.0/16\nrouters: [10.4.0.37]\n"
#define OTHER "space: other\ncidr: 10.5.0.0/16\n"
#define PEERING(pcx, status, blocks)                                                               \
    "  - {pcx_id: " pcx ", status: " status ", cidr_blocks: [" blocks "], routes: "                \
    "[10.4.0.0/16]}\n"
#define APP(name, state, more)                                                                     \
    "  - {name: " name ", formation: {web: {dynos: [{number: 1, private_ip: 10.4.128.9, "          \
    "state: " state "}]}}" more "}\n"

/* These snapshots share nothing, so a space counts as changed even if its file is the same. */
static const struct {
    const char *before[2];
    const char *after[2];
    const char *expected;
} changes[] = {
    {{SPACE}, {SPACE}, "1 space changed"},
    {{SPACE}, {SPACE "# a comment\n"}, "1 space changed"},
    {{SPACE}, {SPACE, OTHER}, "1 space added, 1 space changed"},
    {{SPACE, OTHER}, {SPACE}, "1 space removed, 1 space changed"},
    {{SPACE}, {OTHER}, "1 space added, 1 space removed"},
    {{SPACE, OTHER}, {SPACE "region: virginia\n", OTHER "region: virginia\n"}, "2 spaces changed"},
    {{SPACE},
     {SPACE "apps:\n" APP("calm-sea-1", "up", "") "  - {name: calm-sea-2}\n"},
     "1 space changed, 2 apps added"},
    {{SPACE "apps:\n" APP("calm-sea-1", "up", "") "  - {name: calm-sea-2}\n"},
     {SPACE "apps:\n" APP("calm-sea-1", "crashed", "")},
     "1 space changed, 1 app removed, 1 app changed"},
    {{SPACE "apps:\n" APP("calm-sea-1", "up", "")},
     {SPACE "apps:\n" APP("calm-sea-1", "up", ", internal_routing: true")},
     "1 space changed, 1 app changed"},
    {{SPACE "apps:\n" APP("calm-sea-1", "up", ", internal_routing: true")},
     {SPACE "apps:\n" APP("calm-sea-1", "up",
                          ", internal_routing: true, domains: [{hostname: www.example.com, cname: "
                          "calm-haiku-1.small-haiku-2.herokuspace.com}]")},
     "1 space changed, 1 app changed"},
    {{SPACE "apps:\n" APP("calm-sea-1", "up", "")},
     {SPACE "region: virginia\napps:\n" APP("calm-sea-1", "up", "")},
     "1 space changed"},
    {{SPACE, OTHER "apps: [{name: calm-sea-1}]\n"},
     {SPACE "apps: [{name: calm-sea-1}]\n", OTHER},
     "2 spaces changed"}, /* the app has moved as it is */
    {{SPACE},
     {SPACE "peerings:\n" PEERING("pcx-111aaa111", "active", "10.20.0.0/16")},
     "1 space changed, 1 connection added"},
    {{SPACE "peerings:\n" PEERING("pcx-111aaa111", "active", "10.20.0.0/16")},
     {SPACE "peerings:\n" PEERING("pcx-111aaa111", "active", "10.20.0.0/17")},
     "1 space changed, 1 connection changed"},
    {{SPACE "peerings:\n" PEERING("pcx-111aaa111", "active", "10.20.0.0/16")
          PEERING("pcx-222bbb222", "active", "10.21.0.0/16")},
     {SPACE "peerings:\n" PEERING("pcx-111aaa111", "expired", "10.20.0.0/16")},
     "1 space changed, 1 connection removed, 1 connection changed"},
    {{SPACE
      "apps: [{name: calm-sea-1}]\npeerings:\n" PEERING("pcx-111aaa111", "active", "10.20.0.0/16")},
     {OTHER},
     "1 space added, 1 space removed, 1 app removed, 1 connection removed"},
};

static size_t count_texts(const char *const *texts)
{
    return texts[1] == NULL ? 1 : 2;
}

TEST_OVER(what_a_reload_changes_is_counted, changes)
{
    const struct policy policy = policy_usual();
    const char *const *before_texts = changes[_i].before, *const *after_texts = changes[_i].after;
    struct snapshot *before = snapshot_of_texts(&policy, before_texts, count_texts(before_texts));
    struct snapshot *after = snapshot_of_texts(&policy, after_texts, count_texts(after_texts));
    char text[TALLY_TEXT_MOST];
    struct tally tally;

    ck_assert(tally_compare(before, after, &tally));
    size_t length = tally_format(&tally, text);
    ck_assert_str_eq(text, changes[_i].expected);
    ck_assert_uint_eq(length, strlen(text));
    ck_assert(tally_compare(after, after, &tally));
    ck_assert_uint_eq(tally_format(&tally, text), 0);
    ck_assert_str_eq(text, "");
    snapshot_free(before);
    snapshot_free(after);
}
