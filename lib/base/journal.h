#pragma once
/**
 * Standard error that systemd's journal reads.
 *
 * The journal notes the time of each line itself, and reads its priority from the line's beginning:
 * <3> is an error, <4> a warning, <6> information, <7> for debugging. `journalctl -p err` then
 * finds what matters. JOURNAL_STREAM names the device and inode of the journal's stream, so that a
 * redirected standard error is not mistaken for it.
 *
 * Sources: systemd.exec(5), sd-daemon(3).
 * Threads: any.  Memory: a stream, until it is closed.
 */
#include <stdbool.h>
#include <stdio.h>

/** True if the journal reads standard error. */
bool journal_is_reading(void);

/**
 * Opens standard error for sentences about why the program ends, as a stream that gives each line
 * the priority of an error where the journal reads it. Returns stderr itself elsewhere, or when out
 * of memory.
 */
FILE *journal_open_errors(void);

/** Closes what journal_open_errors has returned. */
void journal_close_errors(FILE *errors);
