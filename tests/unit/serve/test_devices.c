// wrap: if_nametoindex
#include "serve/devices.h"

#include <net/if.h>
#include <string.h>

#include "support/capture.h"
#include "support/suite.h"
#include "support/zones.h"

/* The numbers that the system has for them; 0: there is no such interface. */
static unsigned ipsec0, ipsec1;
static struct snapshot *snapshot;
static struct capture capture;

unsigned __wrap_if_nametoindex(const char *name);

unsigned __wrap_if_nametoindex(const char *name)
{
    return strcmp(name, "ipsec0") == 0 ? ipsec0 : strcmp(name, "ipsec1") == 0 ? ipsec1 : 0;
}

static void set_up(void)
{
    const char *const texts[] = {
        "space: a-space\nvpns:\n"
        "  - {name: a, status: active, routable_cidrs: [172.18.0.0/16], device: ipsec0}\n"
        "  - {name: b, status: active, routable_cidrs: [172.18.0.0/16], device: ipsec1}\n"};
    const struct policy policy = policy_usual();

    snapshot = snapshot_of_texts(&policy, texts, 1);
    ipsec0 = ipsec1 = 0;
}

static void tear_down(void)
{
    snapshot_free(snapshot);
}

static void look_up(bool is_new)
{
    capture_start(&capture);
    devices_look_up(&snapshot->access, is_new);
    capture_stop(&capture);
}

static void expect_logged(const char *part)
{
    ck_assert_msg(strstr(capture.text, part) != NULL, "logged: %s", capture.text);
}

FIXTURE(set_up, tear_down)

TEST(each_device_gets_the_number_that_its_interface_has_now)
{
    ipsec0 = 4;
    ipsec1 = 7;
    look_up(true);
    ck_assert_str_eq(capture.text, "");
    ck_assert_str_eq(access_device(&snapshot->access, 4), "ipsec0");
    ck_assert_str_eq(access_device(&snapshot->access, 7), "ipsec1");
    /* They have changed places: by then the one is not taken for the other. */
    ipsec0 = 7;
    ipsec1 = 4;
    look_up(false);
    ck_assert_str_eq(capture.text, "");
    ck_assert_str_eq(access_device(&snapshot->access, 7), "ipsec0");
    ck_assert_str_eq(access_device(&snapshot->access, 4), "ipsec1");
}

TEST(a_new_snapshot_has_its_absent_devices_logged)
{
    ipsec1 = 7;
    look_up(true);
    expect_logged(" warning device_absent device=ipsec0 effect=\"its connections let nobody in ");
    ck_assert_ptr_null(strstr(capture.text, "ipsec1"));
    look_up(true);
    expect_logged(" warning device_absent device=ipsec0 ");
}

TEST(a_device_that_goes_and_comes_is_logged_once_each)
{
    ipsec0 = 4;
    ipsec1 = 7;
    look_up(true);
    ipsec0 = 0;
    look_up(false);
    expect_logged(" warning device_absent device=ipsec0 ");
    ck_assert_ptr_null(strstr(capture.text, "ipsec1"));
    ck_assert_ptr_null(access_device(&snapshot->access, 4));
    look_up(false);
    ck_assert_str_eq(capture.text, "");
    ipsec0 = 9; /* of the same name, but another one */
    look_up(false);
    expect_logged(" info device_there device=ipsec0\n");
    ck_assert_str_eq(access_device(&snapshot->access, 9), "ipsec0");
    look_up(false);
    ck_assert_str_eq(capture.text, "");
}
