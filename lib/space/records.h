#pragma once
/**
 * Static records: lines in presentation format, read with ldns. The only file that uses ldns.
 *
 *     db.internal.example.com. 60 IN A 172.23.1.5
 *
 * Sources: RFC 1035 section 5.1.
 * Threads: pure.
 * Memory: octets are copied into the arena. ldns itself ends the program when memory runs out in
 * the middle of a record.
 */
#include "base/arena.h"
#include "base/err.h"
#include "findings/report.h"
#include "space/model.h"

/**
 * Reads one line. Names are taken as absolute; the class must be IN; the TTL stands before it
 * and defaults to 60 seconds. Returns false with what is wrong in *err, ldns's own message where it
 * is ldns that says so, and in *code whether that is the type, the TTL or the form.
 */
bool record_read(struct arena *arena, const char *line, struct record *out, enum finding_code *code,
                 struct err *err);
