#pragma once
/**
 * A zone file that was not there before: made whole, or not at all.
 *
 *     lock the folder ──► write beside ──► load the folder with the new file in it ──► link
 *
 * The file takes its name in one step and never another's place. What the server would refuse is
 * not written.
 *
 * Threads: one.
 */
#include "spacedns/session.h"

struct new_space {
    const char *space;      /* also the file's name, with .yaml behind it */
    const char *when_there; /* what to do when the file exists */
    const char *text;
    size_t length;
};

/** True for a name that is safe in a path and in YAML. Else false, having said why. */
bool new_space_name_is_fit(struct session *session, const char *name);

/** Reads --cidr, or takes the platform's default. False, having said why. */
bool new_space_read_cidr(struct session *session, struct cidr *cidr);

/** Makes the file. False with *err, a sentence with its remedy; then nothing has changed. */
bool new_space_settle(struct session *session, const struct new_space *new_space, struct err *err);
