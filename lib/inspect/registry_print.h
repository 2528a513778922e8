#pragma once
/**
 * Prints what a server that follows a registry knows of it, as a part of status.
 *
 *     registry          etcd http://10.1.0.3:2379 3.5.16 revision 8123456 age 2 s spaces 9998
 *     registry          ! connection refused by 10.1.0.3:2379
 *     registry          ! the certificate in FILE ends in 6 days, at 2026-12-07T10:00:00Z: ...
 *     registry_kept     ! bench-7 (E-DOM-NAME at 8123400): CAUSE; REMEDY
 *
 * Threads: one.  Memory: borrows.
 */
#include <jansson.h>
#include <stdio.h>

#include "registry/registry.h"

/** Prints lines: the registry, what is wrong with it, and the spaces that are kept or held. */
void registry_print_text(const struct registry_status *status, FILE *out);

/** Returns an object with everything; NULL without memory. */
json_t *registry_print_json(const struct registry_status *status);

/**
 * Prints what an operator has to know of a server that is ready, a line each: spaces that are kept,
 * held or unready, and a registry that says nothing. They are no reason to send clients elsewhere,
 * for every replica has them.
 */
void registry_print_notes(const struct registry_status *status, FILE *out);

enum { REGISTRY_CERTIFICATE_OCTETS = 512 };

/**
 * Writes when our certificate ends, and what to do, as status and the log have it. Returns false
 * when that is not soon, or when there is none: it has ended, or does so within 14 days.
 */
bool registry_format_certificate(const struct registry_status *status,
                                 char sentence[REGISTRY_CERTIFICATE_OCTETS]);

/** "kept", "held", "unready". */
const char *registry_kept_text(enum registry_kept_kind kind);
