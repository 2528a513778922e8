#include "base/permission.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

enum { RECORD_OCTETS = 4096, MODE_BITS = 07777 };

/* ---- the user ---- */

/* Constants of the process, which a sandbox may keep it from looking up. */
static pthread_once_t looked_up = PTHREAD_ONCE_INIT;
static char user_name[PERMISSION_NAME_MOST];
static char group_name[PERMISSION_NAME_MOST];

static void look_up(void)
{
    char octets[RECORD_OCTETS];
    struct passwd user, *found_user = NULL;
    struct group group, *found_group = NULL;

    if (getpwuid_r(geteuid(), &user, octets, sizeof octets, &found_user) != 0)
        found_user = NULL;
    snprintf(user_name, sizeof user_name, "%u", (unsigned)geteuid());
    if (found_user != NULL)
        snprintf(user_name, sizeof user_name, "%s", found_user->pw_name);
    if (getgrgid_r(getegid(), &group, octets, sizeof octets, &found_group) != 0)
        found_group = NULL;
    snprintf(group_name, sizeof group_name, "%u", (unsigned)getegid());
    if (found_group != NULL)
        snprintf(group_name, sizeof group_name, "%s", found_group->gr_name);
}

const char *permission_user(void)
{
    pthread_once(&looked_up, look_up);
    return user_name;
}

/* ---- the path ---- */

static void add_all(struct text *text, const char *const *strings)
{
    for (; *strings != NULL; strings++)
        text_add_string(text, *strings);
}

static const struct need {
    const char *verb;
    const char *mode;  /* of chmod; NULL: chown */
    const char *depth; /* of chown */
    int access;
} needs[] = {
    [PERMISSION_READ] = {"read", "g+r", NULL, R_OK},
    [PERMISSION_LIST] = {"list", "g+rx", NULL, R_OK | X_OK},
    [PERMISSION_WRITE] = {"write to", NULL, "", R_OK | W_OK | X_OK},
    [PERMISSION_OWN] = {"write to", NULL, "-R ", R_OK | W_OK | X_OK},
};
static const struct need enter = {"enter", "g+x", NULL, X_OK};

bool permission_is_denied(int number)
{
    return number == EACCES || number == EPERM;
}

static void add_remedy(struct text *text, const char *path, const struct need *need)
{
    text_add_string(text, "; allow it: ");
    if (need->mode == NULL) {
        add_all(text, (const char *const[]){"chown ", need->depth, user_name, " ", path, NULL});
        return;
    }
    add_all(text, (const char *const[]){"chgrp ", group_name, " ", path, "; chmod ", need->mode,
                                        " ", path, NULL});
}

/* object  the path, or "it" */
static void describe(struct text *text, const char *path, const char *object,
                     const struct need *need)
{
    char owner[sizeof " (owner 4294967295, group 4294967295, mode 07777)"];
    struct stat status;

    add_all(text,
            (const char *const[]){"user ", user_name, " may not ", need->verb, " ", object, NULL});
    if (stat(path, &status) == 0) {
        snprintf(owner, sizeof owner, " (owner %u, group %u, mode %04o)", (unsigned)status.st_uid,
                 (unsigned)status.st_gid, (unsigned)status.st_mode & MODE_BITS);
        text_add_string(text, owner);
    }
    add_remedy(text, path, need);
}

/* Writes the first folder on the way to the path that must not be entered. */
static bool find_closed(const char *path, char folder[PATH_MAX])
{
    size_t length = strlen(path);

    for (size_t i = 1; i < length && i < PATH_MAX; i++) {
        if (path[i] != '/')
            continue;
        memcpy(folder, path, i);
        folder[i] = '\0';
        if (access(folder, X_OK) != 0 && errno == EACCES)
            return true;
    }
    return false;
}

static void explain(struct text *text, const char *path, enum permission wanted)
{
    const struct need *need = &needs[wanted];
    char folder[PATH_MAX];

    pthread_once(&looked_up, look_up);
    if (find_closed(path, folder)) {
        describe(text, folder, folder, &enter);
        return;
    }
    if (access(path, need->access) != 0 && permission_is_denied(errno)) {
        describe(text, path, "it", need);
        return;
    }
    add_all(text, (const char *const[]){"its mode lets user ", user_name, " ", need->verb, NULL});
    text_add_string(text,
                    " it, so something else forbids it: the sandbox of a running server, "
                    "which has the folders of its start (restart it), or AppArmor or SELinux");
}

const char *permission_error(int number, const char *path, enum permission wanted,
                             char out[PERMISSION_TEXT_MOST])
{
    struct text text = text_over(out, PERMISSION_TEXT_MOST - 1);

    text_add_string(&text, strerror(number));
    if (permission_is_denied(number)) {
        text_add_string(&text, ": ");
        explain(&text, path, wanted);
    }
    out[text_length(&text)] = '\0';
    return out;
}
