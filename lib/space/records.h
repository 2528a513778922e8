#pragma once
/**
 * Static records: lines in presentation format, read with ldns.
 *
 *     db.internal.example.com. 60 IN A 172.23.1.5
 *
 * Sources: RFC 1035 section 5.1.
 * Threads: pure.
 * Memory: octets are copied into the arena. ldns exits the program if memory runs out while it
 * reads a record.
 */
#include "base/arena.h"
#include "base/err.h"
#include "findings/report.h"
#include "space/model.h"

/** The parts of a record in presentation format; names end with a dot. */
struct record_text {
    const char *owner;
    const char *type;
    const char *data;
};

/** Formats a record of record_read, in the arena. Returns false without memory. */
bool record_format(struct arena *arena, const struct record *record, struct record_text *out);

/** True if owner, type and data are the same; owners are in lower case. */
bool record_is_same(const struct record *a, const struct record *b);

/**
 * Reads one line. Names are absolute. The class must be IN. The TTL comes before the class; its
 * default is 60 seconds. Returns false with a sentence in *err, which is ldns's message for faults
 * that ldns finds, and in *code the kind of fault: the type, the TTL or the form.
 */
bool record_read(struct arena *arena, const char *line, struct record *out, enum finding_code *code,
                 struct err *err);
