#include "base/journal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

bool journal_is_reading(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat status;

    return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

/* ---- errors ---- */

/* A write of the stream; the cookie is whether a line is begun. */
static ssize_t write_lines(void *cookie, const char *octets, size_t length)
{
    bool *is_begun = cookie;

    for (size_t i = 0; i < length; i++) {
        if (!*is_begun)
            fputs("<3>", stderr);
        fputc(octets[i], stderr);
        *is_begun = octets[i] != '\n';
    }
    fflush(stderr);
    return (ssize_t)length;
}

static int free_cookie(void *cookie)
{
    free(cookie);
    return 0;
}

FILE *journal_open_errors(void)
{
    static const cookie_io_functions_t functions = {.write = write_lines, .close = free_cookie};
    bool *is_begun = journal_is_reading() ? calloc(1, sizeof *is_begun) : NULL;
    FILE *errors = is_begun == NULL ? NULL : fopencookie(is_begun, "w", functions);

    if (errors != NULL)
        return errors;
    free(is_begun);
    return stderr;
}

void journal_close_errors(FILE *errors)
{
    if (errors != stderr)
        fclose(errors);
}
