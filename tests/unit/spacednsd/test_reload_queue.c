#include "spacednsd/reload_queue.h"

#include <string.h>

#include "support/suite.h"

enum { WORDS_MOST = 4 };

static struct reload_queue queue;
static const struct signal_sender unknown = {.pid = 0};

/* Adds a call as the operator's command sends it: "reload --force". */
static void add(struct call *call, char *line)
{
    char *words[WORDS_MOST], *rest = NULL;
    int count = 0;
    struct err err;

    for (char *word = strtok_r(line, " ", &rest); word != NULL && count < WORDS_MOST;
         word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    *call = (struct call){.out = NULL};
    ck_assert_msg(invocation_read(count, words, &call->invocation, &err), "%s", err.text);
    reload_queue_add(&queue, call);
}

static void set_up(void)
{
    queue = (struct reload_queue){.calls = NULL};
}

static void tear_down(void)
{
    reload_queue_close(&queue);
}

/* Ends the request that was taken. */
static void finish(void)
{
    queue.calls = NULL;
    kept_close_names(&queue.names);
}

FIXTURE(set_up, tear_down)

TEST(equal_reloads_share_a_request_and_others_wait)
{
    char first[] = "reload", second[] = "reload --dry-run", third[] = "reload";
    struct call calls[3];

    add(&calls[0], first);
    add(&calls[1], second);
    add(&calls[2], third);
    ck_assert(reload_queue_take(&queue, true));
    ck_assert(!queue.request.is_dry && !queue.request.is_forced);
    ck_assert_ptr_eq(queue.waiting, &calls[1]);
    ck_assert(queue.calls == &calls[0] || queue.calls->next == &calls[0]);
    ck_assert(queue.calls == &calls[2] || queue.calls->next == &calls[2]);
    finish();
    ck_assert(reload_queue_take(&queue, true));
    ck_assert(queue.request.is_dry);
    ck_assert_ptr_eq(queue.calls, &calls[1]);
    finish();
    ck_assert(!reload_queue_take(&queue, true));
}

TEST(documents_of_a_registry_are_a_request_after_those_of_operators)
{
    static const char *const names[] = {"a.example.com", "no..name"};
    char plan[] = "reload --dry-run";
    struct call call;

    queue.wants_documents = queue.wants_upkeep = true;
    ck_assert(kept_add_names(&queue.releases, names, 2));
    add(&call, plan);
    ck_assert(reload_queue_take(&queue, true));
    ck_assert(queue.request.is_dry && !queue.request.is_documents);
    finish();
    ck_assert(reload_queue_take(&queue, true));
    ck_assert_int_eq(queue.request.kind, REQUEST_FORGET);
    ck_assert_uint_eq(queue.names.count, 1);
    finish();
    ck_assert(reload_queue_take(&queue, true));
    ck_assert_int_eq(queue.request.kind, REQUEST_RELOAD);
    ck_assert(queue.request.is_documents);
    ck_assert_str_eq(queue.audit.by, "registry");
    finish();
    ck_assert(reload_queue_take(&queue, true));
    ck_assert_int_eq(queue.request.kind, REQUEST_UPKEEP);
    finish();
    ck_assert(!reload_queue_take(&queue, true));
}

TEST(a_reload_takes_changed_documents_with_it)
{
    queue.wants_documents = true;
    reload_queue_add_signal(&queue, &unknown);
    ck_assert(reload_queue_take(&queue, true));
    ck_assert(!queue.request.is_documents && !queue.wants_documents);
    finish();
    ck_assert(!reload_queue_take(&queue, true));
}

TEST(a_plan_with_traffic_is_another_request)
{
    char first[] = "plan --traffic", second[] = "reload --dry-run --traffic", third[] = "plan";
    struct call calls[3];

    add(&calls[0], first);
    add(&calls[1], second);
    add(&calls[2], third);
    ck_assert(reload_queue_take(&queue, true));
    ck_assert(!queue.request.has_traffic);
    ck_assert_ptr_eq(queue.calls, &calls[2]);
    ck_assert_ptr_null(calls[2].next);
    finish();
    ck_assert(reload_queue_take(&queue, true));
    ck_assert(queue.request.has_traffic);
    ck_assert(queue.request.is_dry);
    ck_assert_ptr_eq(queue.calls, &calls[0]);
    ck_assert_ptr_eq(calls[0].next, &calls[1]);
    finish();
    ck_assert(!reload_queue_take(&queue, true));
}

TEST(only_a_dry_run_has_traffic)
{
    char line[] = "reload --traffic";
    struct call call;

    add(&call, line);
    ck_assert(reload_queue_take(&queue, true));
    ck_assert(!queue.request.has_traffic);
}

TEST(each_request_names_who_caused_it)
{
    char reload[] = "reload --note=why", forced[] = "reload --force", forget[] = "forget a.example";
    struct call calls[3];

    reload_queue_add_signal(&queue, &unknown);
    add(&calls[0], reload);
    calls[0].peer.uid = 61234;
    add(&calls[1], forced);
    add(&calls[2], forget);
    queue.wants_upkeep = true;
    ck_assert(reload_queue_take(&queue, false)); /* without the guard all are the same */
    ck_assert_str_eq(queue.audit.by, "signal,61234");
    ck_assert_str_eq(queue.audit.notes, "why");
    finish();
    ck_assert(reload_queue_take(&queue, false));
    ck_assert_str_eq(queue.audit.by, "0");
    ck_assert_str_eq(queue.audit.notes, "");
    ck_assert_str_eq(queue.audit.commands, "forget");
    finish();
    ck_assert(reload_queue_take(&queue, false));
    ck_assert_str_eq(queue.audit.commands, "reload --force");
    finish();
    ck_assert(reload_queue_take(&queue, false));
    ck_assert_int_eq(queue.request.kind, REQUEST_UPKEEP);
    ck_assert_str_eq(queue.audit.by, "");
    finish();
}

TEST(a_signal_comes_first_and_answers_equal_calls)
{
    char forced[] = "reload --force", plain[] = "reload", forget[] = "forget a.example.com";
    struct call calls[3];

    add(&calls[0], plain);
    add(&calls[1], forced);
    add(&calls[2], forget);
    reload_queue_add_signal(&queue, &unknown);
    reload_queue_add_signal(&queue, &unknown);
    ck_assert(reload_queue_take(&queue, true));
    ck_assert(!queue.request.is_forced && !queue.request.reads_all);
    ck_assert_ptr_eq(queue.calls, &calls[0]);
    finish();
    ck_assert(reload_queue_take(&queue, true));
    ck_assert_int_eq(queue.request.kind, REQUEST_FORGET);
    finish();
    ck_assert(reload_queue_take(&queue, true));
    ck_assert(queue.request.is_forced && queue.request.reads_all);
    ck_assert_ptr_eq(queue.calls, &calls[1]);
    finish();
    ck_assert(!reload_queue_take(&queue, true));
}

TEST(without_the_guard_every_reload_is_forced)
{
    reload_queue_add_signal(&queue, &unknown);
    ck_assert(reload_queue_take(&queue, false));
    ck_assert(queue.request.is_forced && !queue.request.reads_all);
}

TEST(a_plan_keeps_the_folder_it_names)
{
    char line[] = "plan /srv/zones";
    struct call call;

    add(&call, line);
    ck_assert(reload_queue_take(&queue, false));
    memset(line, 'x', sizeof line - 1);
    ck_assert_str_eq(queue.request.folder, "/srv/zones");
    ck_assert(queue.request.is_dry && !queue.request.is_forced);
}

TEST(names_to_forget_share_no_request_and_upkeep_comes_last)
{
    char first[] = "forget a.example.com", second[] = "forget b.example.com";
    struct call calls[2];

    queue.wants_upkeep = true;
    add(&calls[0], first);
    add(&calls[1], second);
    for (int i = 0; i < 2; i++) {
        ck_assert(reload_queue_take(&queue, true));
        ck_assert_int_eq(queue.request.kind, REQUEST_FORGET);
        ck_assert_uint_eq(queue.names.count, 1);
        ck_assert_ptr_null(queue.calls->next);
        finish();
    }
    ck_assert(reload_queue_take(&queue, true));
    ck_assert_int_eq(queue.request.kind, REQUEST_UPKEEP);
    ck_assert(!reload_queue_take(&queue, true));
}
