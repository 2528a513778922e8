#pragma once
/**
 * Zone documents that a command line names: files, and all zone files of folders.
 *
 * Each is read, and checked by the rules within one file, with findings at the file's own path. Its
 * space is what it declares itself, whatever the file's name.
 *
 * Threads: one.  Memory: the list owns the texts and models.
 */
#include "base/arena.h"
#include "base/err.h"
#include "findings/report.h"
#include "registry/lines.h"
#include "space/model.h"
#include "spacedns/session.h"

struct zone_document {
    const char *path;          /* as found from the operand */
    const char *space;         /* the name that it declares */
    const struct space *model; /* NULL: there is none, the report says why */
    const char *text;
    size_t length;
};

struct zone_documents {
    struct arena *arena;
    struct zone_document *items; /* in the order of the operands; of a folder, by name */
    size_t count;
    size_t capacity;
};

/**
 * Reads those of the command line; findings go to the session's report. Returns EXIT_DONE, or
 * another code with the errors printed. Call zone_documents_close in either case.
 */
int zone_documents_read(struct zone_documents *documents, struct session *session);

void zone_documents_close(struct zone_documents *documents);

/** Parses one text; findings, at z/SPACE, go to the report. Returns NULL if it is unusable. */
const struct space *zone_document_parse(struct arena *arena, const char *space,
                                        struct line_text text, struct report *report);
