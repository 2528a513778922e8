#include "inspect/registry_print.h"

#include <stdlib.h>
#include <string.h>

#include "support/suite.h"

static const struct registry_kept kept[] = {
    {REGISTRY_HELD, "a-space", "guard", "app calm-bay vanishes", 11},
    {REGISTRY_KEPT, "b-space", "E-DOM-NAME", "E-DOM-NAME: `-` is no name", 12},
    {REGISTRY_UNREADY, "c\x1b", "E-CUT", "it was cut", 13},
    {REGISTRY_HELD, "d-space", "guard", "the space vanishes", 0},
};

static const struct registry_bad bad[] = {{"d/a/b/run@8", "", ""},
                                          {"d/a/b/web@7", "E-DYNO-IP", "\x1b is outside"}};

static struct registry_status usual(void)
{
    return (struct registry_status){.is_connected = true,
                                    .endpoint = "http://10.1.0.3:2379",
                                    .server_version = "3.5.16",
                                    .cell = "eu-1",
                                    .pause = "",
                                    .problem = "",
                                    .old_text = "",
                                    .id = "6f1d",
                                    .revision = 8123456,
                                    .in_force = 8123456,
                                    .age_ms = 2900,
                                    .lag_ms = 12,
                                    .document_count = 9998};
}

static char *printed(void (*print)(const struct registry_status *, FILE *),
                     const struct registry_status *status)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    print(status, out);
    fclose(out);
    return text;
}

static void check(void (*print)(const struct registry_status *, FILE *),
                  const struct registry_status *status, const char *expected)
{
    char *text = printed(print, status);

    ck_assert_str_eq(text, expected);
    free(text);
}

TEST(a_registry_that_is_well_is_a_line)
{
    const struct registry_status status = usual();

    check(
        registry_print_text, &status,
        "registry                 etcd http://10.1.0.3:2379 3.5.16 cell eu-1 revision 8123456 age "
        "2 s spaces 9998\n");
    check(registry_print_notes, &status, "");
}

TEST(what_is_wrong_is_a_line_each)
{
    struct registry_status status = usual();

    status.is_connected = false;
    status.is_stale = true;
    status.problem = "connection refused by 10.1.0.3:2379";
    status.server_version = "";
    status.in_force = 8123400;
    status.age_ms = 75000;
    check(registry_print_text, &status,
          "registry                 etcd http://10.1.0.3:2379 not connected cell eu-1 revision "
          "8123400 of "
          "8123456 age 75 s spaces 9998\n"
          "registry                 ! Q41 Stale: no word from the registry for a while\n"
          "registry                 ! connection refused by 10.1.0.3:2379\n");
    check(registry_print_notes, &status,
          "the registry has said nothing for 75 s: connection refused by 10.1.0.3:2379\n");
    status.problem = "";
    check(registry_print_notes, &status,
          "the registry has said nothing for 75 s: no word from its member\n");
    status.is_connected = true;
    check(
        registry_print_notes, &status,
        "the registry has said nothing for 75 s: its member answers, but its writer has written no "
        "beat; see whether that runs, and etcdctl alarm list for NOSPACE\n");
    check(
        registry_print_text, &status,
        "registry                 etcd http://10.1.0.3:2379 cell eu-1 revision 8123400 of 8123456 "
        "age 75 s spaces 9998\n"
        "registry                 ! Q41 Stale: no word from the registry for a while\n"
        "registry                 ! its member answers, but its writer has written no beat; see "
        "whether that runs, and etcdctl alarm list for NOSPACE\n");
}

/* ---- our certificate ---- */

enum { HOUR_S = 3600, DAY_S = 24 * HOUR_S, END_S = 1800000000 };

static const struct ending {
    int64_t left_s;
    const char *ends; /* NULL: it is not soon */
} endings[] = {
    {INT64_C(14) * DAY_S, NULL},
    {INT64_C(14) * DAY_S - 1,
     "ends in 13 days, at 2027-01-15T08:00:00Z: what is connected stays so, and the "
     "next connection after that fails"},
    {INT64_C(2) * DAY_S, "ends in 2 days, "},
    {INT64_C(2) * DAY_S - 1, "ends in 47 h, "},
    {INT64_C(2) * HOUR_S - 1, "ends in 119 min, "},
    {0, "ends in 0 s, "},
    {-1, "ended 1 s ago, at 2027-01-15T08:00:00Z: what is connected stays so, and the next "
         "connection fails"},
    {-INT64_C(30) * DAY_S, "ended 30 days ago, "},
};

static struct registry_status ending(int64_t left_s)
{
    struct registry_status status = usual();

    status.certificate = "/etc/replica\x1b.pem";
    status.certificate_end_s = END_S;
    status.certificate_left_s = left_s;
    return status;
}

TEST_OVER(a_certificate_that_ends_within_two_weeks_is_a_sentence, endings)
{
    const struct registry_status status = ending(endings[_i].left_s);
    char sentence[REGISTRY_CERTIFICATE_OCTETS] = "";

    ck_assert(registry_format_certificate(&status, sentence) == (endings[_i].ends != NULL));
    if (endings[_i].ends == NULL)
        return;
    ck_assert_msg(strstr(sentence, endings[_i].ends) != NULL, "%s", sentence);
    ck_assert_msg(strstr(sentence, "; put a renewed one in its place, then: spacedns reload") !=
                      NULL,
                  "%s", sentence);
}

TEST(status_tells_the_end_of_a_certificate_only_when_it_is_soon)
{
    const struct registry_status soon = ending(INT64_C(3) * DAY_S),
                                 far = ending(INT64_C(90) * DAY_S);

    check(
        registry_print_text, &soon,
        "registry                 etcd http://10.1.0.3:2379 3.5.16 cell eu-1 revision 8123456 age "
        "2 s spaces 9998\n"
        "registry                 ! the certificate in /etc/replica\\x1b.pem ends in 3 days, at "
        "2027-01-15T08:00:00Z: what is connected stays so, and the next connection after that "
        "fails; put a renewed one in its place, then: spacedns reload\n");
    check(
        registry_print_text, &far,
        "registry                 etcd http://10.1.0.3:2379 3.5.16 cell eu-1 revision 8123456 age "
        "2 s spaces 9998\n");
}

TEST(without_a_certificate_there_is_no_warning)
{
    struct registry_status status = usual();
    char sentence[REGISTRY_CERTIFICATE_OCTETS];

    ck_assert(!registry_format_certificate(&status, sentence));
}

TEST(a_file_that_a_reload_could_not_read_is_a_warning)
{
    struct registry_status status = usual();

    status.login_problem = "the key k\x1b cannot be used: none; name one; until then none";
    check(
        registry_print_text, &status,
        "registry                 etcd http://10.1.0.3:2379 3.5.16 cell eu-1 revision 8123456 age "
        "2 s spaces 9998\n"
        "registry                 ! the key k\\x1b cannot be used: none; name one; until then "
        "none\n");
}

TEST(json_always_has_how_the_server_logs_in)
{
    struct registry_status status = usual();
    json_t *without = registry_print_json(&status);

    ck_assert(json_is_null(json_object_get(without, "certificate_end")));
    ck_assert(json_is_null(json_object_get(without, "login_problem")));
    status.certificate = "/etc/replica.pem";
    status.certificate_end_s = END_S;
    status.certificate_left_s = INT64_C(1000) * DAY_S;
    status.login_problem = "it is gone";
    json_t *with = registry_print_json(&status);
    ck_assert_str_eq(json_string_value(json_object_get(with, "certificate_end")),
                     "2027-01-15T08:00:00Z");
    ck_assert_str_eq(json_string_value(json_object_get(with, "login_problem")), "it is gone");
    ck_assert(json_is_null(json_object_get(with, "certificate_problem")));
    json_decref(without);
    json_decref(with);
}

TEST(json_has_the_sentence_on_a_certificate_that_ends_soon)
{
    struct registry_status status = usual();
    char sentence[REGISTRY_CERTIFICATE_OCTETS];

    status.certificate = "/etc/replica.pem";
    status.certificate_end_s = END_S;
    status.certificate_left_s = INT64_C(3) * DAY_S;
    ck_assert(registry_format_certificate(&status, sentence));
    json_t *object = registry_print_json(&status);
    ck_assert_str_eq(json_string_value(json_object_get(object, "certificate_problem")), sentence);
    json_decref(object);
}

TEST(spaces_that_are_not_served_as_they_are_have_a_line_each)
{
    struct registry_status status = usual();

    status.kept = kept;
    status.kept_count = 4;
    status.waiting_count = 2;
    status.bad_count = 2;
    status.bad = bad;
    status.is_paused = true;
    status.pause = "by=alice why=move";
    check(
        registry_print_text, &status,
        "registry                 etcd http://10.1.0.3:2379 3.5.16 cell eu-1 revision 8123456 age "
        "2 s spaces 9998\n"
        "registry                 ! documents are paused: by=alice why=move; spacedns "
        "registry:resume ends it\n"
        "registry_held            ! a-space (guard at 11): app calm-bay vanishes; put it back with "
        "spacedns push, or if it is "
        "meant: spacedns registry:accept a-space\n"
        "registry_kept            ! b-space (E-DOM-NAME at 12): `-` is no name; push a zone file "
        "without errors\n"
        "registry_unready         ! c\\x1b (E-CUT at 13): it was cut; push a zone file without "
        "errors\n"
        "registry_held            ! d-space (guard): the space vanishes; put it back with spacedns "
        "push, or if it is "
        "meant: spacedns registry:accept d-space\n"
        "registry_waiting         2 dyno keys of apps that no document has\n"
        "registry_bad             2 dyno keys with errors, kept out\n"
        "registry_bad             ! d/a/b/run@8\n"
        "registry_bad             ! d/a/b/web@7 (E-DYNO-IP): \\x1b is outside\n");
    check(registry_print_notes, &status,
          "space a-space is held: guard at revision 11: app calm-bay vanishes; put it back with "
          "spacedns push, or if it is "
          "meant: spacedns registry:accept a-space\n"
          "space b-space is kept: E-DOM-NAME at revision 12: `-` is no name; push a zone file "
          "without errors\n"
          "space c\\x1b is unready: E-CUT at revision 13: it was cut; push a zone file without "
          "errors\n"
          "space d-space is held: guard: the space vanishes; put it back with spacedns push, or if "
          "it is "
          "meant: spacedns registry:accept d-space\n"
          "documents are paused: by=alice why=move; spacedns registry:resume ends it\n");
}

TEST(one_of_a_kind_is_counted_as_one)
{
    struct registry_status status = usual();

    status.bad = bad;
    status.bad_count = 1;
    status.waiting_count = 1;
    status.held_app_count = 1;
    status.ignored_count = 1;
    check(registry_print_text, &status,
          "registry                 etcd http://10.1.0.3:2379 3.5.16 cell eu-1 revision 8123456 "
          "age 2 s spaces 9998\n"
          "registry_held_apps       1 app, of several that lost their last web dyno's key at once\n"
          "registry_waiting         1 dyno key of an app that no document has\n"
          "registry_bad             1 dyno key with errors, kept out\n"
          "registry_bad             ! d/a/b/run@8\n"
          "registry_ignored         1 key outside of the layout\n");
}

TEST(a_registry_that_was_never_read_is_no_age_only)
{
    struct registry_status status = usual();

    status.is_reading = true;
    status.is_connected = false;
    status.in_force = status.revision = 0;
    status.age_ms = -1;
    status.document_count = 0;
    check(registry_print_text, &status,
          "registry                 etcd http://10.1.0.3:2379 3.5.16 cell eu-1 revision 0 age "
          "unknown spaces 0\n"
          "registry                 ! reading everything\n"
          "registry                 ! nothing was read yet, so clients get SERVFAIL (Q30)\n");
}

TEST(json_has_all_of_it)
{
    struct registry_status status = usual();

    status.kept = kept;
    status.kept_count = 4;
    status.bad = bad;
    status.bad_count = 2;
    status.restate_us = 412;
    status.age_ms = -1;
    json_t *object = registry_print_json(&status);
    ck_assert_ptr_nonnull(object);
    ck_assert_int_eq(json_integer_value(json_object_get(object, "revision")), 8123456);
    ck_assert_int_eq(json_integer_value(json_object_get(object, "restate_us")), 412);
    ck_assert(json_is_null(json_object_get(object, "age_seconds")));
    ck_assert(json_is_null(json_object_get(object, "problem")));
    ck_assert(json_is_null(json_object_get(object, "paused")));
    ck_assert(json_real_value(json_object_get(object, "lag_seconds")) == 0.012);
    ck_assert_str_eq(json_string_value(json_object_get(
                         json_array_get(json_object_get(object, "bad"), 1), "code")),
                     "E-DYNO-IP");
    json_t *list = json_object_get(object, "kept");
    ck_assert_uint_eq(json_array_size(list), 4);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(list, 2), "kind")),
                     "unready");
    json_decref(object);
}
