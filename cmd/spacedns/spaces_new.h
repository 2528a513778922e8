#pragma once
/**
 * Creates a new zone file, completely or not at all.
 *
 *     lock the folder ──► load it with the new text in it ──► write beside ──► link
 *
 * The file gets its name in one step (link) and never replaces another. A file that the server
 * would refuse is not created.
 *
 * Threads: one.
 */
#include "spacedns/session.h"

struct new_space {
    const char *space;      /* also the file's name, with .yaml behind it */
    const char *when_there; /* the remedy when the file exists */
    const char *text;
    size_t length;
};

/** True for a valid space name, which is safe in a path and in YAML. False: error printed. */
bool new_space_name_is_fit(struct session *session, const char *name);

/** Reads --cidr, or takes the platform's default. Returns false with the error printed. */
bool new_space_read_cidr(struct session *session, struct cidr *cidr);

/** Creates the file. Returns false with *err, a sentence with its remedy; nothing has changed. */
bool new_space_create(struct session *session, const struct new_space *new_space, struct err *err);

/**
 * Prints the path of a space's zone file; with --json an object of the space and the file. Returns
 * the exit code.
 *
 * file  NULL: the one that new_space_create makes
 */
int new_space_print_file(struct session *session, const char *space, const char *file);
