#include "spacednsd/reload_log.h"

#include <stdlib.h>

#include "support/suite.h"

static struct reload_log reloads;
static json_t *printed;

static void set_up(void)
{
    ck_assert(reload_log_init(&reloads));
}

static void tear_down(void)
{
    json_decref(printed);
    reload_log_close(&reloads);
}

FIXTURE(set_up, tear_down)

static const json_t *print(void)
{
    printed = reload_log_json(&reloads);
    return json_object_get(printed, "reloads");
}

TEST(none_is_an_empty_list)
{
    ck_assert_uint_eq(json_array_size(print()), 0);
}

TEST(a_reload_has_its_time_its_end_and_who_caused_it)
{
    struct reload_entry entry = {.at_s = 1764497400,
                                 .end = RELOAD_REFUSED,
                                 .generation = 7,
                                 .ms = 12,
                                 .files_changed = 1,
                                 .audit = {.by = "1000", .users = "alice", .commands = "reload"}};
    err_set(&entry.cause, ERR_RULE, "a.yaml:1:1: E-DUP: twice");
    reload_log_add(&reloads, &entry);
    char *text = json_dumps(json_array_get(print(), 0), JSON_COMPACT);
    ck_assert_str_eq(text,
                     "{\"at\":\"2025-11-30T10:10:00Z\",\"result\":\"refused\","
                     "\"generation\":7,\"duration_ms\":12,\"files_changed\":1,\"by\":\"1000\","
                     "\"user\":\"alice\",\"command\":\"reload\",\"note\":null,"
                     "\"cause\":\"a.yaml:1:1: E-DUP: twice\"}");
    free(text);
}

TEST(the_newest_is_the_first_and_the_oldest_are_forgotten)
{
    for (uint64_t i = 1; i <= RELOADS_LOGGED + 2; i++)
        reload_log_add(&reloads, &(struct reload_entry){.generation = i});
    const json_t *list = print();
    ck_assert_uint_eq(json_array_size(list), RELOADS_LOGGED);
    for (size_t i = 0; i < RELOADS_LOGGED; i++)
        ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(list, i), "generation")),
                         (json_int_t)(RELOADS_LOGGED + 2 - i));
}

TEST(without_a_cause_there_is_none)
{
    reload_log_add(&reloads, &(struct reload_entry){.end = RELOAD_DONE});
    const json_t *entry = json_array_get(print(), 0);
    ck_assert(json_is_null(json_object_get(entry, "cause")));
    ck_assert(json_is_null(json_object_get(entry, "by")));
    ck_assert_str_eq(json_string_value(json_object_get(entry, "result")), "done");
}
