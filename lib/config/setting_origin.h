#pragma once
/**
 * The origin of a setting's value: where the operator wrote it, for findings.
 *
 *     file                            at      key
 *     /etc/spacedns/spacednsd.yaml    3:10    workers     the settings file
 *     --workers (command line)        none    NULL        a flag, which names the setting itself
 *     /etc/resolv.conf                2:12    NULL        a nameserver of the host
 *
 * Threads: pure.  Memory: texts are borrowed; those of settings live as long as the settings.
 */
#include <stdarg.h>

#include "findings/report.h"

struct setting_origin {
    const char *file;   /* or the flag */
    struct location at; /* line 0: none */
    const char *key;    /* NULL: none */
};

/** Adds a finding at an origin; "KEY: " goes before the sentence if there is a key. */
void setting_origin_report(struct report *report, enum finding_code code,
                           const struct setting_origin *origin, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void setting_origin_vreport(struct report *report, enum finding_code code,
                            const struct setting_origin *origin, const char *format,
                            va_list arguments) __attribute__((format(printf, 4, 0)));
