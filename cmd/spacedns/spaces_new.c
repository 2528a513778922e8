#include "spacedns/spaces_new.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/escape.h"
#include "inspect/print.h"
#include "registry/push.h"
#include "spacedns/registry_session.h"
#include "spacedns/spaces.h"
#include "spacedns/store.h"

enum { NAME_LENGTH_MAX = 63 };

/* 10.0.0.0/16, the platform's default. */
static const struct cidr usual_cidr = {.address = 0x0a000000, .bits = 16};

bool new_space_name_is_fit(struct session *session, const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

    if (length > 0 && length <= NAME_LENGTH_MAX && name[length] == '\0')
        return true;
    session_fail(session, EXIT_REFUSED,
                 "a space name has 3 to 63 of a-z, 0-9 and single inner hyphens, as my-space; "
                 "%.80s is not one",
                 name[0] == '\0' ? "the empty one" : name);
    return false;
}

bool new_space_read_cidr(struct session *session, struct cidr *cidr)
{
    const char *text = session->invocation.options[OPTION_CIDR];

    *cidr = usual_cidr;
    if (text == NULL || cidr_read(text, cidr))
        return true;
    session_fail(session, EXIT_USAGE, "--cidr is a block such as 10.1.0.0/16, not %s", text);
    return false;
}

/* What helps against the first error, if it is the new space's. */
static const char *remedy_of(const struct report *report)
{
    const struct finding *first = report_first_error(report);
    bool is_about_cidr =
        first != NULL && (first->code == FINDING_SPACE_CIDR ||
                          first->code == FINDING_SPACE_OVERLAP || first->code == FINDING_DYNO_IP);

    return is_about_cidr ? "; --cidr gives the space another block" : "";
}

/* Why the folder would not be served; an error that is there without the draft goes first. */
static void find_cause(struct session *session, const struct overlay_text *draft, struct err *err)
{
    const char *folder = session_zones(session);
    struct err cause, loading;

    report_refusal(session->report, draft->name, &cause);
    err_set(err, cause.code, "%.440s; nothing was changed%s", cause.text,
            remedy_of(session->report));
    struct snapshot *snapshot = session_load(session, folder, NULL, &loading);
    if (snapshot == NULL && loading.code == ERR_NONE) {
        report_refusal(session->report, NULL, &cause);
        err_set(err, cause.code, "%.440s; nothing was changed; fix what is there already first",
                cause.text);
    }
    snapshot_free(snapshot);
}

/* Would the folder be served with the draft in it? */
static bool check_draft(struct session *session, const struct overlay_text *draft, struct err *err)
{
    struct snapshot *snapshot =
        session_load_draft(session, session_zones(session), draft, session->snapshot, err);
    bool is_good = snapshot != NULL;

    snapshot_free(snapshot);
    if (!is_good && err->code == ERR_NONE)
        find_cause(session, draft, err);
    return is_good;
}

static bool fail_exists(const char *path, const struct new_space *new_space, struct err *err)
{
    return err_set(err, ERR_RULE, "%s exists already; %s", path, new_space->when_there);
}

/* A registry is read as a whole before anything is compared with it. */
static bool read_registry(struct store *store, struct err *err)
{
    struct session *session = store->session;

    if (!session_has_registry(session))
        return true;
    snapshot_free(session->snapshot);
    session->snapshot = registry_reread(session, err)
                            ? session_load(session, session_zones(session), NULL, err)
                            : NULL;
    if (session->snapshot == NULL && err->code == ERR_NONE)
        report_refusal(session->report, NULL, err);
    return session->snapshot != NULL;
}

static bool create_document(struct store *store, const struct new_space *new_space, struct err *err)
{
    char name[PATH_MAX];

    if (!store_name(store, new_space->space, name, err) || !read_registry(store, err))
        return false;
    const struct overlay_text draft = {
        .name = name, .octets = new_space->text, .length = new_space->length};
    if (store_has(store, name))
        return fail_exists(name, new_space, err);
    if (!check_draft(store->session, &draft, err))
        return false;
    return store_create(store, name, new_space->text, new_space->length, err) ||
           (err->code == ERR_RULE && !store->is_lost && fail_exists(name, new_space, err));
}

bool new_space_create(struct session *session, const struct new_space *new_space, struct err *err)
{
    bool is_made = false, is_lost = true;

    for (unsigned tries = 0; tries < PUSH_TRIES && is_lost; tries++) {
        struct store store;
        is_made = store_open(&store, session, err) && create_document(&store, new_space, err);
        is_lost = store.is_lost;
        store_close(&store);
    }
    return is_made;
}

int new_space_print_file(struct session *session, const char *space, const char *file)
{
    char path[PATH_MAX];

    if (file == NULL && session_has_registry(session))
        snprintf(path, sizeof path, "z/%s", space);
    else if (file == NULL)
        snprintf(path, sizeof path, "%s/%s.yaml", session_zones(session), space);
    file = file == NULL ? path : file;
    if (session->is_json)
        return session_print_json(session, json_pack("{s:s, s:o}", "space", space, "file",
                                                     print_text(file, strlen(file))));
    escape_printf(session->out, "%s\n", file);
    return EXIT_DONE;
}
