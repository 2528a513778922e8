#pragma once
/**
 * Files whose path an operator wrote, read whole.
 *
 * A path may name anything: a FIFO that nobody writes to, a socket, a device, a folder. Only a
 * regular file is read, and nothing that stands there can hold the program up or fill its memory.
 *
 * Where lines are written to may be anything, too: file_open_unwaiting.
 *
 * Threads: any.  Memory: what is returned is the caller's.
 */
#include <stddef.h>

#include "base/err.h"

/**
 * Reads a file of at most `most` octets. Returns its text with a zero octet behind it, to be freed;
 * `length` counts without it. Returns NULL with *err, a sentence that stands after the path and a
 * colon: "cannot be opened: No such file or directory", "is a named pipe (FIFO), not a file".
 */
char *file_read_text(const char *path, size_t most, size_t *length, struct err *err);

/**
 * Opens a regular file for reading. Returns -1 with *err as above; *is_missing, unless NULL, says
 * that nothing stands at the path.
 */
int file_open(const char *path, bool *is_missing, struct err *err);

/**
 * Opens what a descriptor is open on once more, for writes that do not wait: a terminal or a pipe
 * takes what it has room for, however little that is and whoever else writes there. The descriptor
 * itself may be shared with other programs, which must not find it changed. Returns -1 for all that
 * does not make writers wait or cannot be opened by its descriptor, as a socket; there, poll first.
 */
int file_open_unwaiting(int descriptor);
