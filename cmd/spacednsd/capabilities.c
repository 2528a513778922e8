#include "spacednsd/capabilities.h"

#include <cap-ng.h>
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/text.h"

/* The last three for frames alone. */
static const unsigned to_bind[] = {CAP_NET_BIND_SERVICE, CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF,
                                   CAP_IPC_LOCK};

enum { TO_BIND = sizeof to_bind / sizeof *to_bind, FOR_FRAMES = 3 };

const char *capabilities_library(void)
{
    return "libcap-ng";
}

/* Of those that the process has: a container may have been given fewer. */
static bool keep_only(const unsigned *kept, size_t count)
{
    bool has[TO_BIND] = {false};

    if (capng_get_caps_process() != 0)
        return false;
    for (size_t i = 0; i < count; i++)
        has[i] = capng_have_capability(CAPNG_PERMITTED, kept[i]) == 1;
    capng_clear(CAPNG_SELECT_BOTH);
    for (size_t i = 0; i < count; i++)
        if (has[i])
            capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, kept[i]);
    return true;
}

/* Emptying the bounding set needs a capability, too; no_new_privs makes up for it. */
static bool may_empty_bounding_set(void)
{
    return capng_get_caps_process() == 0 &&
           capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) == 1;
}

/* The right to bind goes to a program that the process starts before it drops it: the next server
 * of an upgrade. Inheritable is only what was in the bounding set, so this comes before that is
 * emptied, and raising it comes after the change of the user, which clears it. */
static void make_inheritable(void)
{
    if (capng_have_capability(CAPNG_PERMITTED, CAP_NET_BIND_SERVICE) == 1)
        capng_update(CAPNG_ADD, CAPNG_INHERITABLE, CAP_NET_BIND_SERVICE);
}

static void raise_ambient(void)
{
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0);
}

bool capabilities_become(const struct capabilities_user *user, struct err *err)
{
    unsigned flags = CAPNG_INIT_SUPP_GRP | CAPNG_CLEAR_AMBIENT;

    if (may_empty_bounding_set())
        flags |= CAPNG_CLEAR_BOUNDING;
    errno = 0;
    bool is_changed = keep_only(to_bind, user->takes_frames ? TO_BIND : TO_BIND - FOR_FRAMES);
    make_inheritable();
    if (is_changed && capng_change_id((int)user->uid, (int)user->gid, (capng_flags_t)flags) == 0) {
        raise_ambient();
        return true;
    }
    return err_set(err, ERR_SYSTEM,
                   "cannot become user %s: %s; a container or user namespace may have no such user "
                   "or not the right (CAP_SETUID, CAP_SETGID): start the server as that user, or "
                   "stay root (user: root)",
                   user->name, errno == 0 ? "the right to it is missing" : strerror(errno));
}

bool capabilities_drop(struct err *err)
{
    static const unsigned of_root[] = {CAP_DAC_OVERRIDE};
    size_t count = geteuid() == 0 ? sizeof of_root / sizeof *of_root : 0;
    capng_select_t which = may_empty_bounding_set() ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS;

    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* a kernel without them has none */
    if (keep_only(of_root, count) && capng_apply(which) == 0)
        return true;
    return err_set(err, ERR_SYSTEM, "cannot drop capabilities: %s", strerror(errno));
}

void capabilities_write(char out[CAPABILITIES_TEXT_MOST])
{
    struct text text = text_over(out, CAPABILITIES_TEXT_MOST - 1);

    if (capng_get_caps_process() != 0) {
        text_add_string(&text, "unknown: /proc is not there");
    } else {
        for (unsigned i = 0; i <= CAP_LAST_CAP; i++) {
            if (capng_have_capability(CAPNG_PERMITTED, i) != 1)
                continue;
            text_add_string(&text, text_length(&text) == 0 ? "" : " ");
            text_add_string(&text, capng_capability_to_name(i));
        }
        if (text_length(&text) == 0)
            text_add_string(&text, "none");
    }
    out[text_length(&text)] = '\0';
}
