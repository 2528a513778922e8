#include "spacedns/spaces_new.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "source/zone_file.h"

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

static bool is_about_cidr(enum finding_code code)
{
    return code == FINDING_SPACE_CIDR || code == FINDING_SPACE_OVERLAP || code == FINDING_DYNO_IP;
}

/* The first error as one sentence. */
static void format_finding(const struct report *report, struct err *err)
{
    const struct finding *finding = report_first_error(report);

    if (finding == NULL)
        err_set(err, ERR_MEMORY, "out of memory; nothing was changed");
    else
        err_set(err, ERR_RULE, "%s: %.400s; nothing was changed%s", finding_name(finding->code),
                finding->sentence,
                is_about_cidr(finding->code) ? "; --cidr gives the space another block" : "");
}

static void format_first_error(const struct report *report, struct err *err)
{
    const struct finding *first = report_first_error(report);
    char location[FINDING_LOCATION_OCTETS];

    if (first == NULL) { /* no memory for it */
        err_set(err, ERR_MEMORY, "out of memory; nothing was changed");
        return;
    }
    finding_write_location(first, location, sizeof location);
    err_set(err, ERR_RULE,
            "%s: %s stands in the way; nothing was changed; spacedns check prints all errors, fix "
            "them first",
            location, finding_name(first->code));
}

/* Would the folder be served with the draft in it? If not, an error that is there already goes
 * first.
 */
static bool check_draft(struct session *session, const struct overlay_text *draft, struct err *err)
{
    const char *folder = session_zones(session);
    struct snapshot *snapshot = session_load_draft(session, folder, draft, NULL, err);
    bool is_good = snapshot != NULL;
    struct err cause;

    if (!is_good && err->code == ERR_NONE) {
        format_finding(session->report, err);
        snapshot = session_load(session, folder, NULL, &cause);
        if (snapshot == NULL && cause.code == ERR_NONE)
            format_first_error(session->report, err);
    }
    snapshot_free(snapshot);
    return is_good;
}

static bool fail_exists(const char *path, const struct new_space *new_space, struct err *err)
{
    return err_set(err, ERR_RULE, "%s exists already; %s", path, new_space->when_there);
}

static bool create_file(struct session *session, const char *path,
                        const struct new_space *new_space, struct err *err)
{
    const struct overlay_text draft = {
        .name = path, .octets = new_space->text, .length = new_space->length};

    if (access(path, F_OK) == 0)
        return fail_exists(path, new_space, err);
    if (!check_draft(session, &draft, err))
        return false;
    return zone_file_create(path, new_space->text, new_space->length, err) ||
           (err->code == ERR_RULE && fail_exists(path, new_space, err));
}

bool new_space_create(struct session *session, const struct new_space *new_space, struct err *err)
{
    char path[PATH_MAX];
    int length =
        snprintf(path, sizeof path, "%s/%s.yaml", session_zones(session), new_space->space);

    if (length < 0 || (size_t)length >= sizeof path)
        return err_set(err, ERR_LIMIT, "the path of %s is too long", new_space->space);
    int lock = zone_file_lock(session_zones(session), err);
    if (lock < 0)
        return false;
    bool is_made = create_file(session, path, new_space, err);
    close(lock);
    return is_made;
}
