#include "spacedns/check.h"

#include <dirent.h>
#include <jansson.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/escape.h"
#include "inspect/findings_json.h"
#include "inspect/print.h"
#include "inspect/summary.h"
#include "source/folder.h"
#include "spacedns/color.h"
#include "spacedns/registry_plan.h"
#include "spacedns/registry_session.h"

/* What is checked: a folder, or one file of it as the folder is served with it. */
struct checked {
    const char *folder;
    const char *file; /* NULL: the whole folder */
    size_t errors_elsewhere;
    char folder_text[PATH_MAX];
    char file_text[2 * PATH_MAX];
};

/* `checked` is NULL when the settings, which may name the folder, are wrong. */
static void print_findings(const struct session *session, const struct checked *checked)
{
    const struct report *report = session->report;
    const char *path = checked == NULL         ? NULL
                       : checked->file == NULL ? checked->folder
                                               : checked->file;
    json_t *root = json_pack(
        "{s:o, s:I, s:I, s:I, s:I, s:o}",
        checked != NULL && checked->file != NULL ? "file" : "folder",
        path == NULL ? json_null() : print_text(path, strlen(path)), "files",
        (json_int_t)(checked != NULL && checked->file != NULL ? 1 : session->outcome.file_count),
        "errors", (json_int_t)report_count(report, FINDING_ERROR), "warnings",
        (json_int_t)report_count(report, FINDING_WARNING), "notes",
        (json_int_t)report_count(report, FINDING_NOTE), "findings", findings_to_json(report));
    print_json(root, session->out);
}

static void print_text_of(const struct session *session, const struct checked *checked)
{
    color_print_report(session, session->report, session->out);
    if (checked->file == NULL)
        summary_print(checked->folder, session->outcome.file_count, session->snapshot,
                      session->report, session->out);
    else
        summary_print(checked->file, 1, NULL, session->report, session->out);
}

static bool is_file(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* The operand may name a file, which stat has found, so it is shorter than PATH_MAX. Its name
 * becomes the one that the folder gives it. */
static bool find_checked(struct session *session, struct checked *checked)
{
    const char *operand = invocation_operand(&session->invocation, 0);

    *checked = (struct checked){.folder = operand};
    if (operand == NULL)
        checked->folder = session_zones(session);
    if (operand == NULL || !is_file(operand))
        return true;
    const char *slash = strrchr(operand, '/'), *name = slash == NULL ? operand : slash + 1;
    if (!folder_is_zone_file(name)) {
        session_fail(session, EXIT_REFUSED,
                     "%s is not a zone file: the server reads names that end in .yaml or .yml and "
                     "do not begin with a dot; rename it",
                     operand);
        return false;
    }
    size_t length = slash == NULL ? 0 : (size_t)(slash - operand) + 1;
    while (length > 1 && operand[length - 1] == '/')
        length--;
    snprintf(checked->folder_text, sizeof checked->folder_text, "%.*s",
             length == 0 ? 1 : (int)length, length == 0 ? "." : operand);
    snprintf(checked->file_text, sizeof checked->file_text, "%.*s/%s",
             (int)sizeof checked->folder_text, checked->folder_text, name);
    checked->folder = checked->folder_text;
    checked->file = checked->file_text;
    return true;
}

/* True for names that someone may take for a zone file's: in capitals, with a suffix more, as JSON.
 */
static bool resembles_zone_file(const char *name)
{
    return name[0] != '.' && !folder_is_zone_file(name) &&
           (strcasestr(name, ".yaml") != NULL || strcasestr(name, ".yml") != NULL ||
            strcasestr(name, ".json") != NULL);
}

/* A folder that cannot be read is not told here: the load has done so. */
static void report_ignored(struct report *report, const char *folder)
{
    DIR *directory = opendir(folder);
    const struct dirent *entry;
    char path[2 * PATH_MAX];

    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        if (!resembles_zone_file(entry->d_name))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        report_add(report, FINDING_IGNORED, path, (struct location){0},
                   "the server does not read this file: names of zone files end in .yaml or .yml "
                   "and do not begin with a dot; rename it, or keep it elsewhere");
    }
    if (directory != NULL)
        closedir(directory);
    report_sort(report);
}

static void keep_findings_of_file(struct session *session, struct checked *checked)
{
    size_t errors = report_count(session->report, FINDING_ERROR);

    report_keep_file(session->report, checked->file);
    checked->errors_elsewhere = errors - report_count(session->report, FINDING_ERROR);
}

/* Of errors elsewhere only the fact: they keep the folder from being served, this file included. */
static int conclude(struct session *session, const struct checked *checked)
{
    const struct report *report = session->report;
    bool is_strict = invocation_has(&session->invocation, OPTION_STRICT);

    if (checked->errors_elsewhere > 0)
        return session_fail(session, EXIT_REFUSED,
                            "other files of %s have errors, so the server takes none of them; "
                            "spacedns check %s prints them",
                            checked->folder, checked->folder);
    return report_is_clean(report) && !(is_strict && report_count(report, FINDING_WARNING) > 0)
               ? EXIT_DONE
               : EXIT_REFUSED;
}

int run_check(struct session *session)
{
    struct snapshot *before = NULL;
    struct checked checked;
    struct err err;

    if (invocation_has(&session->invocation, OPTION_REGISTRY))
        return registry_check(session);
    if (invocation_operand(&session->invocation, 1) != NULL)
        return session_fail_second_operand(session);
    if (!session_read_settings(session)) {
        if (session->is_json && session->report != NULL)
            print_findings(session, NULL);
        return EXIT_REFUSED;
    }
    if (!find_checked(session, &checked))
        return EXIT_REFUSED;
    const char *against = session->invocation.options[OPTION_AGAINST];
    if (against != NULL && (before = session_must_load_folder(session, against)) == NULL)
        return EXIT_REFUSED;
    session->snapshot = session_load(session, checked.folder, before, &err);
    /* Against itself a folder is unchanged, so no file was read and the report is empty. */
    if (session->outcome.is_unchanged)
        session->snapshot = session_load(session, checked.folder, NULL, &err);
    snapshot_free(before);
    if (session->snapshot == NULL && err.code != ERR_NONE)
        return session_fail(session, EXIT_REFUSED, "%s", err.text);
    if (against == NULL && session->registry != NULL && session->registry->has_view)
        registry_report_broken(session);
    report_ignored(session->report, checked.folder);
    if (checked.file != NULL)
        keep_findings_of_file(session, &checked);
    if (session->is_json)
        print_findings(session, &checked);
    else
        print_text_of(session, &checked);
    return conclude(session, &checked);
}
