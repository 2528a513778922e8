#pragma once
/**
 * What a pull has left in a folder: which revision of which space each file has, in the hidden file
 * .spacedns-pulled, which a server never reads.
 *
 *     registry: 0b5c9c5e-6f0c-4d8c-a5d2-0d0b2f4c8a11
 *     space: test-space 8123400 9f86d081884c7d65
 *
 * So the next pull knows which files were edited, and a push knows that a space has changed in the
 * registry since: without that, it would take back what another has pushed. A folder without the
 * file, such as a checkout, is pushed as it is.
 *
 * Threads: one.  Memory: a struct pulled owns its text.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "registry/lines.h"
#include "spacedns/session.h"
#include "spacedns/zone_documents.h"

struct pulled {
    char *text; /* NULL: there is no such file */
    size_t length;
};

/** One space of it. */
struct pulled_space {
    uint64_t revision; /* mod_revision of its document */
    uint64_t checksum; /* pulled_checksum of the file as it was written */
};

/** Reads a folder's record; one that cannot be read counts as none. */
void pulled_read(struct pulled *pulled, const char *folder);
void pulled_close(struct pulled *pulled);

/** Whether the folder was pulled from the registry with this id. */
bool pulled_is_of(const struct pulled *pulled, struct line_text id);

/** Finds a space. */
bool pulled_find(const struct pulled *pulled, const char *space, struct pulled_space *found);

uint64_t pulled_checksum(const void *octets, size_t length);

/** Writes a record; the writer begins with pulled_begin. Returns false with *err. */
void pulled_begin(struct lines_writer *writer, struct line_text id);
void pulled_add(struct lines_writer *writer, const char *space, struct pulled_space pulled);
bool pulled_write(const struct lines_writer *writer, const char *folder, struct err *err);

/**
 * Refuses to push a document whose space has changed in the registry, or went, since its folder was
 * pulled, unless the push is forced. Returns EXIT_DONE, or EXIT_REFUSED with the error printed.
 */
int pulled_check(struct session *session, const struct zone_document *document);

/**
 * Notes, after a push, that the registry has the documents as they are in their folders, where
 * these were pulled. The documents are sorted by space.
 *
 * revision  of what was pushed; 0: of each another one, which is not known, so that the spaces go
 *           out of the record
 */
void pulled_note_pushed(struct session *session, const struct zone_documents *documents,
                        uint64_t revision);
