#include "spacedns/session.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "answer/policy.h"
#include "base/escape.h"
#include "config/forwarding.h"
#include "control/protocol.h"
#include "source/folder.h"
#include "spacedns/color.h"
#include "spacedns/registry_session.h"
#include "spacedns/talk.h"

static const char usual_settings[] = "/etc/spacedns/spacednsd.yaml";
static const char usual_zones[] = "zones";

static const struct {
    enum command_option option;
    const char *name;
} variables[] = {{OPTION_ZONES, "SPACEDNS_ZONES"}, {OPTION_SOCKET, "SPACEDNS_SOCKET"}};

/* The signs are not ASCII. The locale's first of these that is set counts, as in setlocale(3). */
static bool has_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0')
            return strcasestr(value, "utf-8") != NULL || strcasestr(value, "utf8") != NULL;
    }
    return false;
}

bool session_has_color(const struct session *session, FILE *stream)
{
    const char *when = session->invocation.options[OPTION_COLOR];
    const char *none = getenv("NO_COLOR"), *terminal = getenv("TERM");

    if (when != NULL && strcmp(when, "auto") != 0)
        return strcmp(when, "always") == 0;
    /* no-color.org: set, and not empty. */
    return isatty(fileno(stream)) == 1 && (none == NULL || none[0] == '\0') &&
           (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

const char *session_sign(const struct session *session, FILE *stream, const char *sign)
{
    bool is_asked = session->invocation.options[OPTION_COLOR] != NULL;

    return session_has_color(session, stream) && (is_asked || has_utf8()) ? sign : "";
}

/* Options that the command line lacks. An empty variable counts as unset, as NO_COLOR does. */
static void read_variables(struct session *session)
{
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char **option = &session->invocation.options[variables[i].option];
        const char *value = getenv(variables[i].name);
        if (*option != NULL || value == NULL || value[0] == '\0')
            continue;
        *option = value;
        session->variables[variables[i].option] = variables[i].name;
    }
}

void session_name_variable(const struct session *session, enum command_option option,
                           struct err *err)
{
    const char *variable = session->variables[option];
    size_t length = strlen(err->text);

    if (variable != NULL)
        snprintf(err->text + length, sizeof err->text - length, " (%s names it)", variable);
}

bool session_init(struct session *session)
{
    const char *when = session->invocation.options[OPTION_COLOR];

    read_variables(session);
    session->is_json = invocation_has(&session->invocation, OPTION_JSON);
    session->key = hash_key_random();
    if (when == NULL || strcmp(when, "auto") == 0 || strcmp(when, "always") == 0 ||
        strcmp(when, "never") == 0)
        return true;
    session_fail(session, EXIT_USAGE, "--color is always, never or auto, not %s", when);
    return false;
}

void session_close(struct session *session)
{
    snapshot_free(session->snapshot);
    load_outcome_close(&session->outcome);
    report_free(session->report);
    if (session->has_settings)
        settings_close(&session->settings);
    free(session->server_arguments);
    registry_session_free(session->registry);
    json_decref(session->server);
}

int session_fail(struct session *session, int code, const char *format, ...)
{
    va_list arguments;

    fputs(session_sign(session, session->err, " ▸    "), session->err);
    color_print(session, session->err, COLOR_BAD, "Error:");
    fputc(' ', session->err);
    va_start(arguments, format);
    escape_vprintf(session->err, format, arguments);
    va_end(arguments);
    fputc('\n', session->err);
    return code;
}

int session_fail_second_operand(struct session *session)
{
    const struct invocation *invocation = &session->invocation;
    const struct command_entry *command = &commands_table[invocation->command];

    return session_fail(session, EXIT_USAGE, "%s is one operand too many; write spacedns %s %.*s]",
                        invocation_operand(invocation, 1), command->name,
                        (int)strcspn(command->operands, "."), command->operands);
}

bool session_has_registry(const struct session *session)
{
    return session->has_settings && settings_has_registry(&session->settings) &&
           !invocation_has(&session->invocation, OPTION_ZONES);
}

/* Returns false after it has printed the errors. */
static bool read_settings(struct session *session, int argc, char *const *argv)
{
    struct report *report = session->report;
    /* As the server would, but without this host's addresses: it may run on another host. */
    const struct forwarding_host unknown = {.resolv_conf = "/etc/resolv.conf"};

    if (settings_init(&session->settings, argc, argv, report) == SETTINGS_READY)
        forwarding_complete(&session->settings, &unknown, report);
    report_sort(report);
    color_print_errors(session, report, session->err);
    return report_is_clean(report);
}

/* Reads settings instead of those read before. */
static bool read_settings_anew(struct session *session, int argc, char *const *argv)
{
    if (session->has_settings)
        settings_close(&session->settings);
    session->has_settings = true;
    report_free(session->report);
    session->report = report_new();
    if (session->report == NULL) {
        session_fail(session, EXIT_REFUSED, "out of memory; free some, then try again");
        return false;
    }
    if (!read_settings(session, argc, argv))
        return false;
    if (!policy_set(&session->policy, &session->settings)) {
        session_fail(session, EXIT_REFUSED, "out of memory; free some, then try again");
        return false;
    }
    return true;
}

bool session_read_host_settings(struct session *session)
{
    const char *file = session->invocation.options[OPTION_SETTINGS];
    char program[] = "spacedns", flag[] = "--settings", path[4096];

    if (session->has_settings)
        return true;
    if (file == NULL && access(usual_settings, R_OK) == 0)
        file = usual_settings;
    snprintf(path, sizeof path, "%s", file == NULL ? "" : file);
    char *arguments[] = {program, flag, path, NULL};
    return read_settings_anew(session, file == NULL ? 1 : 3, arguments);
}

/*
 * Reads the settings by the server's command line. The absolute path of its settings file comes
 * last, where it goes before the path as it was typed in the server's own folder.
 */
static bool read_server_settings(struct session *session, const json_t *flags, const char *file)
{
    static char program[] = "spacednsd", settings[] = "--settings";
    size_t flag_count = json_array_size(flags);
    int count = 0;

    char **arguments = calloc(flag_count + 4, sizeof *arguments);
    if (arguments == NULL) {
        session_fail(session, EXIT_REFUSED, "out of memory; free some, then try again");
        return false;
    }
    session->server_arguments = arguments;
    arguments[count++] = program;
    for (size_t i = 0; i < flag_count; i++)
        if (json_is_string(json_array_get(flags, i)))
            arguments[count++] = (char *)json_string_value(json_array_get(flags, i));
    if (file != NULL) {
        arguments[count++] = settings;
        arguments[count++] = (char *)file;
    }
    session->has_server_settings = read_settings_anew(session, count, arguments);
    return session->has_server_settings;
}

bool session_read_settings(struct session *session)
{
    bool has_settings = session->has_settings;

    if (!session_read_host_settings(session))
        return false;
    if (has_settings || invocation_has(&session->invocation, OPTION_SETTINGS) ||
        invocation_has(&session->invocation, OPTION_ZONES) || !session_has_server(session))
        return true;
    const json_t *flags = json_object_get(session->server, "flags");
    const char *file = json_string_value(json_object_get(session->server, "settings"));
    return !json_is_array(flags) || read_server_settings(session, flags, file);
}

void session_print_sources(struct session *session)
{
    const char *file = session->settings.file;

    escape_printf(session->err, "settings=%s ",
                  session->has_server_settings ? "of the running server"
                  : file != NULL               ? file
                                               : "defaults");
    if (session->registry != NULL)
        escape_printf(session->err, "registry=%.*s revision=%" PRIu64 "\n",
                      (int)session->registry->keys.prefix_length - 1,
                      session->registry->keys.prefix, registry_view_of(session)->revision);
    else
        escape_printf(session->err, "zones=%s\n", session_zones(session));
}

const char *session_socket(const struct session *session)
{
    const char *path = session->invocation.options[OPTION_SOCKET];

    if (path != NULL)
        return path;
    if (session->has_settings && session->settings.control_socket != NULL)
        return session->settings.control_socket;
    return CONTROL_SOCKET_DEFAULT;
}

bool session_has_server(struct session *session)
{
    struct talk talk = {.path = session_socket(session)};

    if (!session->has_asked_server) {
        session->has_asked_server = true;
        session->server = talk_ask_status(&talk);
        session->server_problem = talk.problem;
        session_name_variable(session, OPTION_SOCKET, &session->server_problem);
        session->is_server_absent = talk.is_absent;
    }
    return session->server != NULL;
}

const char *session_server_zones(struct session *session)
{
    return session_has_server(session)
               ? json_string_value(json_object_get(session->server, "zones"))
               : NULL;
}

static const char *find_zones(struct session *session)
{
    const char *folder = session->invocation.options[OPTION_ZONES];

    if (folder != NULL)
        return folder;
    folder = session_server_zones(session);
    if (folder != NULL)
        return folder;
    folder = session->settings.file != NULL ? session->settings.zones : usual_zones;
    if (!session->is_server_absent || invocation_has(&session->invocation, OPTION_SOCKET))
        escape_printf(session->err, "%s; using zones folder %s\n", session->server_problem.text,
                      folder);
    return folder;
}

const char *session_zones(struct session *session)
{
    if (session_has_registry(session))
        return registry_place(session);
    if (session->zones == NULL)
        session->zones = find_zones(session);
    return session->zones;
}

/* A folder that is named, such as OLD of --against, is a folder whatever the settings name. */
static bool is_registry(struct session *session, const char *folder)
{
    return session_has_registry(session) && folder == session_zones(session);
}

struct snapshot *session_load_draft(struct session *session, const char *folder,
                                    const struct overlay_text *draft, const struct snapshot *before,
                                    struct err *err)
{
    const struct invocation *invocation = &session->invocation;
    struct folder zones;
    struct overlay overlay;
    struct load_request request = {.source = draft == NULL ? &zones.source : &overlay.source,
                                   .policy = &session->policy,
                                   .key = session->key,
                                   .threads = (unsigned)session->settings.workers,
                                   .before = before,
                                   .wants_models = session->wants_models && draft == NULL,
                                   .wants_marks = invocation->command == COMMAND_CHECK &&
                                                  invocation_has(invocation, OPTION_STRICT)};

    *err = (struct err){.code = ERR_NONE};
    folder_init(&zones, folder, NULL);
    overlay_init(&overlay, &zones.source, draft, draft == NULL ? 0 : 1);
    load_outcome_close(&session->outcome);
    session->outcome = (struct load_outcome){.is_unchanged = false};
    report_free(session->report);
    session->report = report_new();
    if (session->report == NULL) {
        err_set(err, ERR_MEMORY, "out of memory; free some, then try again");
        return NULL;
    }
    struct snapshot *snapshot =
        is_registry(session, folder)
            ? registry_load(session, &request, draft, err)
            : snapshot_load(&request, session->report, &session->outcome, err);
    if (err->code != ERR_NONE && folder == session->invocation.options[OPTION_ZONES])
        session_name_variable(session, OPTION_ZONES, err);
    report_sort(session->report);
    return snapshot;
}

struct snapshot *session_load(struct session *session, const char *folder,
                              const struct snapshot *before, struct err *err)
{
    return session_load_draft(session, folder, NULL, before, err);
}

int session_fail_findings(struct session *session, const char *folder, const char *next)
{
    const struct finding *first = report_first_error(session->report);
    size_t count = report_count(session->report, FINDING_ERROR);

    char location[FINDING_LOCATION_OCTETS];

    color_print_errors(session, session->report, session->err);
    if (first == NULL) /* no memory for them */
        return session_fail(session, EXIT_REFUSED, "out of memory; free some, then try again");
    finding_write_location(first, location, sizeof location);
    return session_fail(session, EXIT_REFUSED, "%s has %zu error%s, %s %s; fix %s, then %s", folder,
                        count, count == 1 ? "" : "s", count == 1 ? "at" : "the first at", location,
                        count == 1 ? "it" : "them", next);
}

struct snapshot *session_must_load_folder(struct session *session, const char *folder)
{
    struct err err;
    struct snapshot *snapshot = session_load(session, folder, NULL, &err);

    if (snapshot != NULL)
        return snapshot;
    if (err.code != ERR_NONE)
        session_fail(session, EXIT_REFUSED, "%s", err.text);
    else
        session_fail_findings(session, folder, "try again");
    return NULL;
}

bool session_must_load(struct session *session)
{
    if (session_read_settings(session))
        session->snapshot = session_must_load_folder(session, session_zones(session));
    return session->snapshot != NULL;
}

static void print_with_sign(const struct session *session, FILE *out, const char *sign,
                            const char *name)
{
    fprintf(out, "%s%s", session_sign(session, out, sign), name);
}

void session_print_app(struct session *session, FILE *out, const char *name)
{
    print_with_sign(session, out, "⬢ ", name);
}

void session_print_space(struct session *session, FILE *out, const char *name)
{
    print_with_sign(session, out, "⬡ ", name);
}
