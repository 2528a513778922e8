#pragma once
/**
 * Reads whole files whose path an operator wrote.
 *
 * A path may name anything: a FIFO without a writer, a socket, a device, a folder. Only a regular
 * file is read, so that nothing at the path can block the program or fill its memory.
 *
 * Lines may be written to anything, too: file_open_unwaiting.
 *
 * Threads: any.  Memory: the text returned is the caller's.
 */
#include <stddef.h>

#include "base/err.h"

/**
 * Reads a file of at most `most` octets. Returns its text and a zero octet, to be freed; `length`
 * does not count that octet. Returns NULL with *err, a sentence to be printed after the path and a
 * colon: "cannot be opened: No such file or directory", "is a named pipe (FIFO), not a file".
 */
char *file_read_text(const char *path, size_t most, size_t *length, struct err *err);

/**
 * Opens a regular file for reading. Returns -1 with *err as above; *is_missing, unless NULL, is
 * true when nothing exists at the path.
 */
int file_open(const char *path, bool *is_missing, struct err *err);

/**
 * Opens the descriptor's terminal or pipe once more, for non-blocking writes: it accepts as much as
 * it has room for, regardless of other writers. The descriptor itself may be shared with other
 * programs, so its flags must not change. Returns -1 for anything that never blocks writers or
 * cannot be reopened, such as a socket; there, poll first.
 */
int file_open_unwaiting(int descriptor);
