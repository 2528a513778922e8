#pragma once
/**
 * A temporary folder of zone files that a test may spoil.
 *
 * Whatever the system refuses ends the program: no test is about a full disk.
 */
#include <stdbool.h>
#include <stddef.h>

enum { FOLDER_PATH_MOST = 512 };

struct folder {
    char path[FOLDER_PATH_MOST];
};

/** Makes an empty folder below TMPDIR or /tmp. */
void folder_init(struct folder *folder);

/** Removes the folder and the files in it. */
void folder_close(struct folder *folder);

/** Removes every file. */
void folder_clear(struct folder *folder);

/** Writes a file anew, under another name first, so that no reader sees half of it. */
void folder_write(struct folder *folder, const char *name, const char *text, size_t length);

/** Copies a file, or every *.yaml of a folder; paths are relative to the current folder. */
void folder_copy(struct folder *folder, const char *path);

/** Removes one file. */
void folder_remove(struct folder *folder, const char *name);

/** Replaces the first `old` in a file; false when there is none. */
bool folder_edit(struct folder *folder, const char *name, const char *old, const char *new);

/** Reads a whole file; free() the text. NULL when there is no such file. */
char *file_read(const char *path, size_t *length);
