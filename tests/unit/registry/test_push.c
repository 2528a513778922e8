#include "registry/push.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "etcd/messages.h"
#include "support/etcd_answers.h"
#include "support/etcd_store.h"
#include "support/suite.h"

/* ---- a registry to push to ---- */

static struct keys keys;
static struct etcd_store *store;

static void set_up(void)
{
    struct err err;

    ck_assert(keys_init(&keys, "/spacedns", "eu", &err));
    store = etcd_store_new();
}

static void tear_down(void)
{
    etcd_store_free(store);
}

FIXTURE(set_up, tear_down)

static struct push_change put_of(const char *space, const char *text)
{
    return (struct push_change){.space = space, .text = text, .length = strlen(text)};
}

static struct push_request request_of(const struct push_change *changes, size_t count)
{
    return (struct push_request){.keys = &keys,
                                 .changes = changes,
                                 .change_count = count,
                                 .by = "me@here",
                                 .at = "2026-11-30T10:00:00Z",
                                 .what = "push"};
}

/* Sends a part, and reads what became of it. */
static enum push_state step(struct push *push)
{
    struct answering answering = {.store = store, .member = 1};
    enum push_state state = PUSH_MORE;
    struct err err;

    ck_assert(push_next(push, &err));
    struct answer answer = answer_call(
        &answering, ETCD_TXN, (struct octets){.start = push->message, .length = push->length});
    ck_assert_int_eq(answer.status, ETCD_OK);
    ck_assert(push_note(push, answer.message.start, answer.message.length, &state, &err));
    free((void *)answer.message.start);
    return state;
}

static enum push_state push_all(const struct push_request *request, uint64_t config_revision,
                                unsigned *parts)
{
    enum push_state state = PUSH_MORE;
    struct push push;
    struct err err;

    ck_assert(push_begin(&push, request, config_revision, &err));
    while (state == PUSH_MORE)
        state = step(&push);
    *parts = push.parts;
    push_close(&push);
    return state;
}

static const char *value(const char *key)
{
    const char *text = etcd_store_value(store, key);

    return text == NULL ? "(none)" : text;
}

/* ---- changes ---- */

TEST(a_document_is_written_with_its_config)
{
    struct push_change change = put_of("a", "space: a\n");
    struct push_request request = request_of(&change, 1);
    unsigned parts;

    ck_assert_int_eq(push_all(&request, 0, &parts), PUSH_DONE);
    ck_assert_uint_eq(parts, 1);
    ck_assert_str_eq(value("/spacedns/eu/z/a"), "space: a\n");
    ck_assert_str_eq(value("/spacedns/eu/config"),
                     "by: me@here\nat: 2026-11-30T10:00:00Z\nwhat: push\n");
    ck_assert_str_eq(value("/spacedns/eu/f/a"), "(none)");
    ck_assert_str_eq(value("/spacedns/eu/force"), "(none)");
}

TEST(a_new_space_writes_what_is_fixed_once)
{
    struct push_change change = put_of("a", "one");
    struct push_request request = request_of(&change, 1);
    unsigned parts;

    change.fixed = "space cidr=10.0.0.0/16\n";
    ck_assert_int_eq(push_all(&request, 0, &parts), PUSH_DONE);
    ck_assert_str_eq(value("/spacedns/eu/f/a"), "space cidr=10.0.0.0/16\n");
    ck_assert_int_eq(push_all(&request, (uint64_t)store->revision, &parts), PUSH_LOST);
    change.replaces_fixed = true;
    change.fixed = "space cidr=10.1.0.0/16\n";
    ck_assert_int_eq(push_all(&request, (uint64_t)store->revision, &parts), PUSH_DONE);
    ck_assert_str_eq(value("/spacedns/eu/f/a"), "space cidr=10.1.0.0/16\n");
}

TEST(a_push_that_someone_else_came_before_is_lost_whole)
{
    struct push_change changes[] = {put_of("a", "mine"), put_of("b", "mine")};
    struct push_request request = request_of(changes, 2);
    unsigned parts;

    etcd_store_put(store, "/spacedns/eu/config", "theirs");
    uint64_t read = (uint64_t)store->revision;
    etcd_store_put(store, "/spacedns/eu/config", "theirs again");
    ck_assert_int_eq(push_all(&request, read, &parts), PUSH_LOST);
    ck_assert_str_eq(value("/spacedns/eu/z/a"), "(none)");
    ck_assert_str_eq(value("/spacedns/eu/config"), "theirs again");
    ck_assert_int_eq(push_all(&request, (uint64_t)store->revision, &parts), PUSH_DONE);
}

static void fill_space(void)
{
    etcd_store_put(store, "/spacedns/eu/z/a", "x");
    etcd_store_put(store, "/spacedns/eu/f/a", "x");
    etcd_store_put(store, "/spacedns/eu/next/a", "y");
    etcd_store_put(store, "/spacedns/eu/d/a/app/web", "1 up 10.0.128.1");
    etcd_store_put(store, "/spacedns/eu/d/ab/app/web", "1 up 10.0.128.1");
}

TEST(a_space_goes_with_all_that_belongs_to_it)
{
    struct push_change change = {.action = PUSH_REMOVE, .space = "a"};
    struct push_request request = request_of(&change, 1);
    const char *releases[] = {"a.example", "b.example"};
    unsigned parts;

    fill_space();
    request.force = "not needed";
    request.releases = releases;
    request.release_count = 2;
    ck_assert_int_eq(push_all(&request, 0, &parts), PUSH_DONE);
    ck_assert_str_eq(value("/spacedns/eu/z/a"), "(none)");
    ck_assert_str_eq(value("/spacedns/eu/f/a"), "(none)");
    ck_assert_str_eq(value("/spacedns/eu/next/a"), "(none)");
    ck_assert_str_eq(value("/spacedns/eu/d/a/app/web"), "(none)");
    ck_assert_str_eq(value("/spacedns/eu/d/ab/app/web"), "1 up 10.0.128.1");
    ck_assert_ptr_nonnull(strstr(value("/spacedns/eu/force"), "why: not needed\nremove: a\n"));
    ck_assert_ptr_nonnull(
        strstr(value("/spacedns/eu/config"), "release: a.example\nrelease: b.example\n"));
}

TEST(a_canary_writes_candidates_only)
{
    struct push_change changes[] = {put_of("a", "new"), {.action = PUSH_REMOVE, .space = "b"}};
    struct push_request request = request_of(changes, 2);
    unsigned parts;

    request.is_canary = true;
    etcd_store_put(store, "/spacedns/eu/z/b", "old");
    ck_assert_int_eq(push_all(&request, 0, &parts), PUSH_DONE);
    ck_assert_str_eq(value("/spacedns/eu/z/a"), "(none)");
    ck_assert_str_eq(value("/spacedns/eu/z/b"), "old");
    ck_assert_str_eq(value("/spacedns/eu/next/a"), "new");
    ck_assert_str_eq(value("/spacedns/eu/next/b"), "-");
}

TEST(a_candidate_is_promoted_or_aborted)
{
    struct push_change changes[] = {
        {.action = PUSH_PROMOTE, .space = "a", .text = "y", .length = 1},
        {.action = PUSH_ABORT, .space = "b"},
        {.action = PUSH_PROMOTE, .space = "c"},
    };
    struct push_request request = request_of(changes, 3);
    unsigned parts;

    fill_space();
    etcd_store_put(store, "/spacedns/eu/next/b", "z");
    etcd_store_put(store, "/spacedns/eu/next/c", "-");
    etcd_store_put(store, "/spacedns/eu/z/c", "old");
    ck_assert_int_eq(push_all(&request, 0, &parts), PUSH_DONE);
    ck_assert_str_eq(value("/spacedns/eu/z/a"), "y");
    ck_assert_str_eq(value("/spacedns/eu/next/a"), "(none)");
    ck_assert_str_eq(value("/spacedns/eu/next/b"), "(none)");
    ck_assert_str_eq(value("/spacedns/eu/next/c"), "(none)");
    ck_assert_str_eq(value("/spacedns/eu/z/c"), "(none)");
}

TEST(a_key_of_ones_own_is_compared_and_leaves_config_alone)
{
    struct key_text key;
    struct push_change change = {.action = PUSH_RAW, .text = "1 up", .length = 4, .raw = &key};
    struct push_request request = request_of(&change, 1);
    unsigned parts;

    keys_write_dynos(&keys, "a", "app", "web", &key);
    request.leaves_config = true;
    ck_assert_int_eq(push_all(&request, 0, &parts), PUSH_DONE);
    ck_assert_str_eq(value("/spacedns/eu/d/a/app/web"), "1 up");
    ck_assert_str_eq(value("/spacedns/eu/config"), "(none)");
    ck_assert_int_eq(push_all(&request, 0, &parts), PUSH_LOST);
    change.raw_revision = (uint64_t)store->revision;
    change.text = NULL;
    ck_assert_int_eq(push_all(&request, 0, &parts), PUSH_DONE);
    ck_assert_str_eq(value("/spacedns/eu/d/a/app/web"), "(none)");
}

TEST(what_is_held_is_accepted_by_force_alone)
{
    struct push_request request = request_of(NULL, 0);
    const char *accepts[] = {"a", "b"};
    unsigned parts;

    request.leaves_config = true;
    request.accepts = accepts;
    request.accept_count = 2;
    ck_assert_int_eq(push_all(&request, 0, &parts), PUSH_DONE);
    ck_assert_str_eq(value("/spacedns/eu/force"),
                     "by: me@here\nat: 2026-11-30T10:00:00Z\naccept: a\naccept: b\n");
}

/* ---- parts ---- */

enum { MANY = 300 };
static char names[MANY][8];

static void name_all(struct push_change *changes)
{
    for (size_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "s-%03zu", i);
        changes[i] = put_of(names[i], "x");
    }
}

TEST(a_great_push_is_written_in_parts)
{
    struct push_change changes[MANY];
    struct push_request request = request_of(changes, MANY);
    unsigned parts;

    name_all(changes);
    ck_assert_int_eq(push_all(&request, 0, &parts), PUSH_DONE);
    ck_assert_uint_eq(parts, 3);
    ck_assert_str_eq(value("/spacedns/eu/z/s-299"), "x");
    ck_assert_int_eq(store->revision, 1 + 3);
}

TEST(a_part_that_is_lost_ends_the_push)
{
    struct push_change changes[MANY];
    struct push_request request = request_of(changes, MANY);
    struct push push;
    struct err err;

    name_all(changes);
    ck_assert(push_begin(&push, &request, 0, &err));
    ck_assert_int_eq(step(&push), PUSH_MORE);
    etcd_store_put(store, "/spacedns/eu/config", "theirs");
    ck_assert_int_eq(step(&push), PUSH_LOST);
    push_close(&push);
    ck_assert_str_eq(value("/spacedns/eu/z/s-299"), "(none)");
}

TEST(changes_of_a_group_are_never_parted)
{
    struct push_change changes[MANY];
    struct push_request request = request_of(changes, MANY);
    struct push push;
    struct err err;

    name_all(changes);
    changes[0].group = changes[MANY - 1].group = 7;
    ck_assert(push_begin(&push, &request, 0, &err));
    ck_assert_int_eq(step(&push), PUSH_MORE);
    ck_assert_str_eq(value("/spacedns/eu/z/s-000"), "x");
    ck_assert_str_eq(value("/spacedns/eu/z/s-299"), "x");
    ck_assert_str_eq(value("/spacedns/eu/z/s-298"), "(none)");
    push_close(&push);
}

TEST(a_group_that_no_transaction_takes_is_refused)
{
    struct push_change changes[MANY];
    struct push_request request = request_of(changes, MANY);
    struct push push;
    struct err err;

    name_all(changes);
    for (size_t i = 0; i < MANY; i++)
        changes[i].group = 1;
    ck_assert(!push_begin(&push, &request, 0, &err));
    push_close(&push);
    ck_assert_ptr_nonnull(strstr(err.text, "--max-txn-ops"));
    ck_assert_ptr_nonnull(strstr(err.text, "space s-000 and 299 others have to change at once"));
    request.operations_most = 1000;
    ck_assert(push_begin(&push, &request, 0, &err));
    push_close(&push);
}

TEST(a_part_has_no_more_octets_than_etcd_takes)
{
    const size_t length = 900 * 1000;
    char *text = malloc(length + 1);
    struct push_change changes[2];
    struct push_request request = request_of(changes, 2);
    unsigned parts;

    memset(text, 'x', length);
    text[length] = '\0';
    changes[0] = put_of("a", text);
    changes[1] = put_of("b", text);
    ck_assert_int_eq(push_all(&request, 0, &parts), PUSH_DONE);
    ck_assert_uint_eq(parts, 2);
    free(text);
}

TEST(a_group_of_two_that_is_too_long_names_one_other)
{
    const size_t length = 900 * 1000;
    char *text = malloc(length + 1);
    struct push_change changes[2];
    struct push_request request = request_of(changes, 2);
    struct push push;
    struct err err;

    memset(text, 'x', length);
    text[length] = '\0';
    changes[0] = put_of("a", text);
    changes[1] = put_of("b", text);
    changes[0].group = changes[1].group = 1;
    ck_assert(!push_begin(&push, &request, 0, &err));
    push_close(&push);
    ck_assert_ptr_nonnull(strstr(err.text, "space a and 1 other have to change at once"));
    free(text);
}

TEST(a_document_that_is_too_long_is_refused)
{
    struct push_change change = {.space = "a", .text = "", .length = PUSH_DOCUMENT_MOST + 1};
    struct push_request request = request_of(&change, 1);
    struct push push;
    struct err err;

    ck_assert(!push_begin(&push, &request, 0, &err));
    push_close(&push);
    ck_assert_ptr_nonnull(strstr(err.text, "split the space"));
}

TEST(a_response_that_cannot_be_read_is_an_error)
{
    struct push_change change = put_of("a", "x");
    struct push_request request = request_of(&change, 1);
    enum push_state state = PUSH_MORE;
    struct push push;
    struct err err;

    ck_assert(push_begin(&push, &request, 0, &err));
    ck_assert(push_next(&push, &err));
    ck_assert(!push_note(&push, "\xff\xff", 2, &state, &err));
    push_close(&push);
}
