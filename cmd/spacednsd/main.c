/*
 * spacednsd: answers the names of Private Spaces from zone files, over UDP and TCP.
 *
 * Exit codes: 0 done, 1 bad zone files or settings or cannot start, 2 bad usage.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "config/exposure.h"
#include "config/forwarding.h"
#include "config/settings.h"
#include "findings/report.h"
#include "spacednsd/daemon.h"
#include "spacednsd/zones.h"

/* Without the standard descriptors, a socket could get the number of standard output. */
static void hold_standard_descriptors(void)
{
    for (int descriptor = 0; descriptor <= STDERR_FILENO; descriptor++)
        if (fcntl(descriptor, F_GETFD) < 0 && open("/dev/null", O_RDWR) != descriptor)
            _exit(1);
}

static void print_public(void *context, const char *location, const char *sentence)
{
    fprintf(context, "%s: error %s: %s\n", location, finding_name(FINDING_LISTEN_PUBLIC), sentence);
}

/*
 * Checks the settings against this host. With --check they may be of another host, so the addresses
 * of this one are not compared.
 */
static bool check_host(struct settings *settings)
{
    struct forwarding_host unknown = {.resolv_conf = "/etc/resolv.conf"};
    bool passed = settings->check ? forwarding_complete(settings, &unknown, stderr)
                                  : forwarding_complete_here(settings, NULL, stderr);

    passed = zones_check_routes(settings, stderr) && passed;
    return (settings->check ? exposure_check_against(settings, NULL, print_public, stderr)
                            : exposure_check(settings, print_public, stderr)) &&
           passed;
}

static int run(struct settings *settings)
{
    if (settings->help) {
        settings_print_help(stdout);
        return 0;
    }
    if (settings->version) {
        puts("spacednsd " SPACEDNS_VERSION);
        return 0;
    }
    if (!check_host(settings))
        return 1;
    return settings->check ? daemon_check(settings) : daemon_run(settings);
}

int main(int argc, char **argv)
{
    struct settings settings;
    int code = 2;

    hold_standard_descriptors();
    switch (settings_init(&settings, argc, argv, stderr)) {
    case SETTINGS_READY:
        code = run(&settings);
        break;
    case SETTINGS_BAD_FILE:
        code = 1;
        break;
    case SETTINGS_BAD_USAGE:
        break;
    }
    settings_close(&settings);
    return code;
}
