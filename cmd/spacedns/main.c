/*
 * spacedns: the operator's command; commands.def lists its commands.
 */
#include <errno.h>
#include <string.h>

#include "spacedns/commands.h"
#include "spacedns/session.h"

/* Output that cannot be written is an error, except to a reader that closed the pipe (EPIPE). */
static int finish(int code)
{
    errno = 0;
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return code;
    if (errno == 0)
        fputs("Error: the output could not be written completely; make room on the disk\n", stderr);
    else if (errno != EPIPE)
        fprintf(stderr, "Error: the output could not be written: %s; write it elsewhere\n",
                strerror(errno));
    return code == EXIT_DONE ? EXIT_REFUSED : code;
}

int main(int argc, char **argv)
{
    return finish(commands_run(argc - 1, argv + 1, stdout, stderr));
}
