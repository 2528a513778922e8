#pragma once
/**
 * Escapes untrusted octets, so that they are visible and cannot control a terminal.
 *
 * File names, values of zone files and settings, and replies of other programs are quoted in
 * sentences. In all of them
 *
 *     control characters (C0, DEL, C1), invalid UTF-8   become \x1b, octet by octet
 *     invisible and directional characters              are named: <U+202E right-to-left override>
 *     typographic quotes instead of " and '             are named as well
 *
 * and everything else stays as it is. Several of one kind in a row are counted:
 * <U+00A0 no-break space, 4 times>. Escaping twice changes nothing, so that a sentence may be
 * quoted in another.
 *
 * Sources: Unicode Standard Annex 9 (directional formatting), UTS 39 (invisible and confusable).
 * Threads: pure.  Memory: never allocates.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "base/text.h"

/**
 * Appends the first character, or the first run of one that is named.
 *
 * length  1 or more
 *
 * Returns how many octets were read. A character that does not fit is left out, and out->cut is
 * set.
 */
size_t escape_next(struct text *out, const char *octets, size_t length);

/** Appends all characters, until one does not fit. */
void escape_add(struct text *out, const char *octets, size_t length);

/** Writes a string into `size` octets, the closing zero included. Returns its length. */
size_t escape_string(char *out, size_t size, const char *string);

/** Prints a string. */
void escape_print(FILE *out, const char *string);

/**
 * Prints a formatted sentence, all of it escaped but a newline at the format's end; it is cut at
 * 8,191 octets.
 */
void escape_printf(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void escape_vprintf(FILE *out, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
