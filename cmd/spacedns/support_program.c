#include "spacedns/support_program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum { CHUNK_OCTETS = 65536, NS_PER_MS = 1000000, MS_PER_SECOND = 1000 };

extern char **environ;

/* input -1: nothing. Standard error is dropped. */
static bool spawn(char *const *words, int input, int output, pid_t *process, struct err *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t usual;

    if (posix_spawn_file_actions_init(&actions) != 0)
        return err_set(err, ERR_MEMORY, "out of memory; free some, then try again");
    posix_spawnattr_init(&attributes);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    if (input < 0)
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    else
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    int number = posix_spawnp(process, words[0], &actions, &attributes, words, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return number == 0 ||
           err_set(err, ERR_SYSTEM, "%s cannot be run: %s; install it", words[0], strerror(number));
}

static bool wait_for(const char *name, pid_t process, struct err *err)
{
    int status = 0;

    while (waitpid(process, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (WIFEXITED(status))
        return err_set(err, ERR_SYSTEM,
                       "%s has failed with exit code %d; run it by itself to see why", name,
                       WEXITSTATUS(status));
    return err_set(err, ERR_SYSTEM, "%s was ended by signal %d; run it by itself to see why", name,
                   WTERMSIG(status));
}

/* ---- what a program prints ---- */

static int left_ms(uint64_t end_ns)
{
    uint64_t now_ns = clock_monotonic_ns();

    return now_ns >= end_ns ? 0 : (int)((end_ns - now_ns) / NS_PER_MS) + 1;
}

/* Returns false when the time is over. What is more than `most` is read and dropped. */
static bool read_all(int from, size_t most, FILE *to)
{
    uint64_t end_ns =
        clock_monotonic_ns() + (uint64_t)SUPPORT_PROGRAM_SECONDS * MS_PER_SECOND * NS_PER_MS;
    struct pollfd ready = {.fd = from, .events = POLLIN};
    char chunk[CHUNK_OCTETS];

    while (poll(&ready, 1, left_ms(end_ns)) > 0) {
        ssize_t count = read(from, chunk, sizeof chunk);
        if (count <= 0)
            return true;
        size_t kept = (size_t)count < most ? (size_t)count : most;
        fwrite(chunk, 1, kept, to);
        most -= kept;
    }
    return false;
}

static bool take_output(const char *name, pid_t process, int from, size_t most, FILE *to,
                        struct err *err)
{
    if (read_all(from, most, to))
        return wait_for(name, process, err);
    kill(process, SIGKILL);
    wait_for(name, process, err);
    return err_set(err, ERR_SYSTEM, "%s took longer than %d s; run it by itself", name,
                   SUPPORT_PROGRAM_SECONDS);
}

bool support_program_run(char *const *words, size_t most, char **octets, size_t *length,
                         struct err *err)
{
    int ends[2];
    pid_t process = 0;
    FILE *to = open_memstream(octets, length);

    if (to == NULL || pipe2(ends, O_CLOEXEC) != 0) {
        if (to != NULL)
            fclose(to);
        return err_set(err, ERR_SYSTEM, "%s cannot be run: %s; install it", words[0],
                       strerror(errno));
    }
    bool passed = spawn(words, -1, ends[1], &process, err);
    close(ends[1]);
    if (passed)
        passed = take_output(words[0], process, ends[0], most, to, err);
    close(ends[0]);
    if (fclose(to) == 0 && passed)
        return true;
    free(*octets);
    *octets = NULL;
    return false;
}

/* ---- what a program reads ---- */

bool support_filter_start(struct support_filter *filter, char *const *words, int output,
                          struct err *err)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_set(err, ERR_SYSTEM, "%s cannot be run: %s; install it", words[0],
                       strerror(errno));
    bool passed = spawn(words, ends[0], output, &filter->process, err);
    close(ends[0]);
    filter->name = words[0];
    filter->input = ends[1];
    if (!passed)
        close(ends[1]);
    return passed;
}

bool support_filter_finish(struct support_filter *filter, struct err *err)
{
    close(filter->input);
    return wait_for(filter->name, filter->process, err);
}
