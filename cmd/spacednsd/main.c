/*
 * spacednsd: answers the names of Private Spaces from zone files, over UDP and TCP.
 *
 * Exit codes: 0 done, 1 bad zone files or settings, 2 bad usage, 3 this host lacks what the server
 * needs now: an address, a port, memory, a limit.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/journal.h"
#include "config/settings.h"
#include "etcd/connection.h"
#include "findings/report.h"
#include "serve/xdp_filter.h"
#include "spacednsd/capabilities.h"
#include "spacednsd/check.h"
#include "spacednsd/daemon.h"
#include "spacednsd/http.h"
#include "spacednsd/seccomp.h"
#include "spacednsd/settings_check.h"
#include "tap/tap.h"

enum { EXIT_USAGE = 2 };

/* Without the standard descriptors, a socket could get the number of standard output. */
static void hold_standard_descriptors(void)
{
    for (int descriptor = 0; descriptor <= STDERR_FILENO; descriptor++)
        if (fcntl(descriptor, F_GETFD) < 0 && open("/dev/null", O_RDWR) != descriptor)
            _exit(1);
}

/* Prints what is wrong with the settings, and returns the exit code. */
static int refuse(struct report *report, int code)
{
    FILE *errors = journal_open_errors();

    report_sort(report);
    report_print(report, errors);
    journal_close_errors(errors);
    report_free(report);
    return code;
}

/* Takes over the report. */
static int run(struct settings *settings, struct report *report)
{
    settings_check_host(settings, report);
    if (!report_is_clean(report))
        return refuse(report, EXIT_REFUSED);
    return settings->check ? check_run(settings, report) : daemon_run(settings, report);
}

static void print_version(void)
{
    const char *capabilities = capabilities_library(), *seccomp = seccomp_library();

    puts("spacednsd " SPACEDNS_VERSION);
    printf("privileges: %s, %s\n", capabilities != NULL ? capabilities : "no libcap-ng",
           seccomp != NULL ? seccomp : "no libseccomp");
    printf("http: %s\n", http_library() != NULL ? http_library() : "no libmicrohttpd");
    printf("dnstap: %s\n", tap_library() != NULL ? tap_library() : "no libfstrm");
    printf("xdp: %s\n", xdp_library() != NULL ? xdp_library() : "no AF_XDP");
    printf("registry: %s\n",
           etcd_library() != NULL ? etcd_library() : "no libnghttp2, or no libprotobuf-c");
}

static int read_and_run(struct settings *settings, int argc, char **argv)
{
    struct report *report = report_new();

    *settings = (struct settings){.arena = NULL};
    if (report == NULL) {
        fputs("spacednsd: out of memory\n", stderr);
        return EXIT_REFUSED;
    }
    switch (settings_init(settings, argc, argv, report)) {
    case SETTINGS_BAD_USAGE:
        return refuse(report, EXIT_USAGE);
    case SETTINGS_BAD_FILE:
        return refuse(report, EXIT_REFUSED);
    case SETTINGS_READY:
        break;
    }
    if (!settings->help && !settings->version)
        return run(settings, report);
    report_free(report);
    if (settings->help)
        settings_print_help(stdout);
    else
        print_version();
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct settings settings;

    hold_standard_descriptors();
    int code = read_and_run(&settings, argc, argv);
    settings_close(&settings);
    return code;
}
