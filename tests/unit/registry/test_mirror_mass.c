/* Deletions of many running apps' keys at once are held (G9). */
#include <stdio.h>
#include <string.h>

#include "support/registry_rig.h"
#include "support/suite.h"

static struct registry_rig rig;

static void set_up(void)
{
    rig_init(&rig);
}

static void tear_down(void)
{
    rig_close(&rig);
}

FIXTURE(set_up, tear_down)

static const char *key_of(unsigned app)
{
    static char key[32];

    snprintf(key, sizeof key, "d/%c-s/app-%u/web", 'a' + (int)(app / 50), app);
    return key;
}

/* Apps app-0 …, 50 a space, each with a web dyno that is up. */
static void follow_apps(unsigned count)
{
    for (unsigned space = 0; space * 50 < count; space++) {
        char apps[1024] = "", name[] = {(char)('a' + space), '-', 's', '\0'};
        for (unsigned app = space * 50; app < count && app < space * 50 + 50; app++)
            snprintf(apps + strlen(apps), sizeof apps - strlen(apps), "%sapp-%u",
                     app > space * 50 ? " " : "", app);
        rig_put_space(&rig, name, apps);
    }
    etcd_store_begin(rig.store);
    for (unsigned app = 0; app < count; app++) {
        char value[32];
        snprintf(value, sizeof value, "1 up 10.%u.130.%u", app / 50, app % 50 + 1);
        rig_put(&rig, key_of(app), value);
    }
    etcd_store_commit(rig.store);
    rig_start(&rig);
    rig_follow(&rig);
}

static void delete_apps(unsigned first, unsigned end)
{
    etcd_store_begin(rig.store);
    for (unsigned app = first; app < end; app++)
        rig_delete(&rig, key_of(app));
    etcd_store_commit(rig.store);
    rig_run(&rig, 10);
}

static unsigned running(unsigned count)
{
    unsigned found = 0;

    for (unsigned app = 0; app < count; app++) {
        char space[] = {(char)('a' + app / 50), '-', 's', '\0'}, name[16];
        snprintf(name, sizeof name, "app-%u", app);
        found += strncmp(rig_dynos(&rig, space, name, "web"), "1 up", 4) == 0;
    }
    return found;
}

TEST(a_mass_deletion_is_held)
{
    follow_apps(40);
    ck_assert_uint_eq(running(40), 40);
    etcd_store_delete(rig.store, "/spacedns/eu/d/", "/spacedns/eu/d0");
    rig_run(&rig, 10);
    ck_assert_uint_eq(running(40), 40);
    ck_assert_uint_eq(rig_status(&rig).held_app_count, 40);
    ck_assert_uint_eq(rig.told[REGISTRY_HOLDS], 1);
    rig_run(&rig, 3600000);
    ck_assert_uint_eq(running(40), 40);
    ck_assert_uint_eq(rig_status(&rig).audit_differences, 0);
}

TEST(a_replica_announces_soon_that_it_holds_apps_and_that_it_does_no_more)
{
    static const char key[] = "/spacedns-replicas/eu/ns1";

    rig.options.announces = true;
    rig.options.server_id = "ns1";
    follow_apps(40);
    rig_run(&rig, 10000);
    ck_assert_ptr_null(strstr(etcd_store_value(rig.store, key), "held_apps"));
    delete_apps(0, 40);
    rig_run(&rig, 5500);
    ck_assert_ptr_nonnull(strstr(etcd_store_value(rig.store, key), "\nheld_apps: 40\n"));
    for (unsigned app = 0; app < 40; app++)
        rig_put(&rig, key_of(app), "1 up 10.0.130.7");
    rig_run(&rig, 5500);
    ck_assert_ptr_null(strstr(etcd_store_value(rig.store, key), "held_apps"));
}

/* A name that another space has takes nothing from what its app is. */
TEST(apps_whose_names_are_taken_are_held_like_others)
{
    char apps[1024] = "app-0";

    follow_apps(75);
    for (unsigned app = 1; app < 75; app++)
        snprintf(apps + strlen(apps), sizeof apps - strlen(apps), " app-%u", app);
    rig_put_space(&rig, "a-s", apps);
    rig_run(&rig, 100);
    delete_apps(50, 75);
    ck_assert_uint_eq(running(75), 75);
    ck_assert_uint_eq(rig_status(&rig).held_app_count, 25);
}

TEST(fewer_than_20_go)
{
    follow_apps(40);
    delete_apps(0, 19);
    ck_assert_uint_eq(running(40), 21);
    ck_assert_uint_eq(rig_status(&rig).held_app_count, 0);
}

TEST(the_20th_within_a_minute_is_held)
{
    follow_apps(40);
    delete_apps(0, 19);
    rig_run(&rig, 59000);
    delete_apps(19, 20);
    ck_assert_uint_eq(running(40), 21);
    ck_assert_uint_eq(rig_status(&rig).held_app_count, 1);
    ck_assert_ptr_nonnull(strstr(rig.texts[REGISTRY_HOLDS], "the dynos of 1 running app were "));
}

TEST(the_20th_after_a_minute_goes)
{
    follow_apps(40);
    delete_apps(0, 19);
    rig_run(&rig, 61000);
    delete_apps(19, 20);
    ck_assert_uint_eq(running(40), 20);
}

TEST(one_of_ten_goes)
{
    follow_apps(210);
    delete_apps(0, 21);
    ck_assert_uint_eq(running(210), 189);
    delete_apps(21, 22);
    ck_assert_uint_eq(running(210), 189);
}

TEST(apps_that_do_not_run_do_not_count)
{
    follow_apps(40);
    etcd_store_begin(rig.store);
    for (unsigned app = 0; app < 30; app++)
        rig_put(&rig, key_of(app), "1 down");
    etcd_store_commit(rig.store);
    rig_run(&rig, 10);
    delete_apps(0, 30);
    ck_assert_uint_eq(rig_status(&rig).held_app_count, 0);
    ck_assert_str_eq(rig_dynos(&rig, "a", "app-0", "web"), "-");
}

TEST(keys_that_return_end_their_hold)
{
    follow_apps(40);
    delete_apps(0, 40);
    for (unsigned app = 0; app < 40; app++)
        rig_put(&rig, key_of(app), "1 down");
    rig_run(&rig, 10);
    ck_assert_uint_eq(rig_status(&rig).held_app_count, 0);
    ck_assert_uint_eq(running(40), 0);
    ck_assert_uint_eq(rig.told[REGISTRY_HOLDS_NO_MORE], 1);
}

TEST(force_of_the_same_revision_lets_them_go)
{
    follow_apps(40);
    etcd_store_begin(rig.store);
    rig_put(&rig, "force", "by: me\nwhy: it is meant\n");
    for (unsigned app = 0; app < 40; app++)
        rig_delete(&rig, key_of(app));
    etcd_store_commit(rig.store);
    rig_run(&rig, 10);
    ck_assert_uint_eq(running(40), 0);
}

TEST(what_is_held_can_be_accepted)
{
    follow_apps(60);
    delete_apps(0, 60);
    ck_assert_uint_eq(running(60), 60);
    rig_put(&rig, "force", "accept: b-s\n");
    rig_run(&rig, 10);
    ck_assert_uint_eq(running(60), 50);
    rig_put(&rig, "force", "accept: all\n");
    rig_run(&rig, 10);
    ck_assert_uint_eq(running(60), 0);
}

TEST(after_a_full_read_it_is_the_same)
{
    follow_apps(40);
    rig_cut(&rig);
    etcd_store_delete(rig.store, "/spacedns/eu/d/", "/spacedns/eu/d0");
    rig_put(&rig, "config", "by: me\n");
    etcd_store_compact(rig.store, rig.store->revision);
    rig_run(&rig, 120000);
    ck_assert_uint_eq(rig_status(&rig).full_reads, 2);
    ck_assert_uint_eq(running(40), 40);
    ck_assert_uint_eq(rig_status(&rig).held_app_count, 40);
}
