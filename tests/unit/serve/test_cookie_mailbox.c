// label: threads
#include "serve/cookie_mailbox.h"

#include <pthread.h>
#include <string.h>

#include "support/suite.h"

enum { POSTS = 20000 };

static struct cookie_mailbox mailbox;

static struct cookie_secrets numbered(unsigned number)
{
    struct cookie_secrets secrets = {.count = number};

    memset(secrets.octets, (int)(number & 0xff), sizeof secrets.octets);
    return secrets;
}

static void post(unsigned number)
{
    const struct cookie_secrets secrets = numbered(number);

    cookie_mailbox_post(&mailbox, &secrets);
}

TEST(what_was_posted_last_is_collected_once)
{
    cookie_mailbox_init(&mailbox);
    ck_assert_ptr_null(cookie_mailbox_collect(&mailbox));
    for (unsigned i = 1; i < 10; i++) {
        for (unsigned j = 0; j < i; j++)
            post(10 * i + j);
        const struct cookie_secrets *secrets = cookie_mailbox_collect(&mailbox);
        ck_assert_ptr_nonnull(secrets);
        ck_assert_uint_eq(secrets->count, 11 * i - 1);
        ck_assert_ptr_null(cookie_mailbox_collect(&mailbox));
        ck_assert_uint_eq(secrets->count, 11 * i - 1);
    }
}

static void *post_many(void *unused)
{
    for (unsigned i = 1; i <= POSTS; i++)
        post(i);
    return unused;
}

/* No set of secrets is torn, and none is older than one before. */
TEST(a_collector_on_another_thread_gets_whole_secrets)
{
    pthread_t poster;
    unsigned last = 0;

    cookie_mailbox_init(&mailbox);
    ck_assert_int_eq(pthread_create(&poster, NULL, post_many, NULL), 0);
    while (last < POSTS) {
        const struct cookie_secrets *secrets = cookie_mailbox_collect(&mailbox);
        if (secrets == NULL)
            continue;
        ck_assert_uint_gt(secrets->count, last);
        last = secrets->count;
        const struct cookie_secrets whole = numbered(last);
        ck_assert_mem_eq(secrets->octets, whole.octets, sizeof whole.octets);
    }
    pthread_join(poster, NULL);
}
