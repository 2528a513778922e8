#include "inspect/summary.h"

#include "base/escape.h"

static void print_count(FILE *out, const char *between, size_t count, const char *what)
{
    fprintf(out, "%s%zu %s%s", between, count, what, count == 1 ? "" : "s");
}

void summary_print(const char *folder, size_t files, const struct snapshot *snapshot,
                   const struct report *report, FILE *out)
{
    escape_print(out, folder);
    print_count(out, ": ", files, "file");
    if (snapshot != NULL) {
        print_count(out, ", ", snapshot_count_spaces(snapshot), "space");
        print_count(out, ", ", snapshot->app_count, "app");
    }
    print_count(out, ": ", report_count(report, FINDING_ERROR), "error");
    print_count(out, ", ", report_count(report, FINDING_WARNING), "warning");
    print_count(out, ", ", report_count(report, FINDING_NOTE), "note");
    fputc('\n', out);
}
