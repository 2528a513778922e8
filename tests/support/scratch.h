#pragma once
/**
 * A temporary folder of zone files that a test may change.
 *
 * A system call that fails ends the program.
 */
#include <stdbool.h>
#include <stddef.h>

enum { SCRATCH_PATH_MOST = 512 };

struct scratch {
    char path[SCRATCH_PATH_MOST];
};

/** Makes an empty folder below TMPDIR or /tmp. */
void scratch_init(struct scratch *folder);

/** Removes the folder and the files in it. */
void scratch_close(struct scratch *folder);

/** Removes every file. */
void scratch_clear(struct scratch *folder);

/** Removes a folder with all that is in it; none is there: nothing. */
void scratch_remove_folder(const char *path);

/** Writes a file anew, under another name first, so that no reader sees half of it. */
void scratch_write(struct scratch *folder, const char *name, const char *text, size_t length);

/** Copies a file, or every *.yaml of a folder; paths are relative to the current folder. */
void scratch_copy(struct scratch *folder, const char *path);

/** Removes one file. */
void scratch_remove(struct scratch *folder, const char *name);

/** Replaces the first `old` in a file; false when there is none. */
bool scratch_edit(struct scratch *folder, const char *name, const char *old, const char *new);

/** Reads a whole file; free() the text. NULL when there is no such file. */
char *file_read(const char *path, size_t *length);
