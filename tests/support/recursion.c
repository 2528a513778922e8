#include "support/recursion.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/settings.h"

enum { KEPT_MOST = 32 };

struct recursion recursion_of(const char *yaml)
{
    static struct settings kept[KEPT_MOST];
    static unsigned count;
    char program[] = "spacednsd", flag[] = "--settings", path[64];
    char *argv[] = {program, flag, path, NULL};
    struct report *report = report_new();
    int descriptor = memfd_create("settings", MFD_CLOEXEC);

    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    if (count == KEPT_MOST || dprintf(descriptor, "recursion_for: %s\n", yaml) < 0 ||
        settings_init(&kept[count], 3, argv, report) != SETTINGS_READY) {
        report_print(report, stderr);
        abort();
    }
    close(descriptor);
    report_free(report);
    return kept[count++].recursion_for;
}
