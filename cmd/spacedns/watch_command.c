#include "spacedns/watch_command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum {
    ROOM_FIRST = 65536,
    NOTE_OCTETS = 1024,  /* of standard error that are kept while the command runs */
    NOTE_SHOWN = 160,    /* of its last line */
    END_MS = 500,        /* between SIGTERM and SIGKILL */
    LEFT_OPEN_MS = 1000, /* for output that others still hold when the command has ended */
    NS_PER_MS = 1000000,
};

extern char **environ;

struct running {
    const struct watch_command *command;
    pid_t process;
    int ended; /* readable once the process has ended */
    int output, errors;
    char *octets;
    size_t length, room;
    char note[NOTE_OCTETS]; /* the end of its standard error */
    size_t note_length;
};

static uint64_t now_ms(void)
{
    return clock_monotonic_ns() / NS_PER_MS;
}

static bool fail_start(const struct watch_command *command, int number, struct err *err)
{
    return err_set(err, ERR_SYSTEM, "%.200s cannot be run: %s; it will be tried again",
                   command->line, strerror(number));
}

/* ---- start ---- */

static int spawn(struct running *running, int output, int errors)
{
    char shell[] = "/bin/sh", option[] = "-c";
    char *words[] = {shell, option, (char *)running->command->line, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, usual;

    int number = posix_spawn_file_actions_init(&actions);
    if (number != 0)
        return number;
    posix_spawnattr_init(&attributes);
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETPGROUP);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
    number = posix_spawn(&running->process, shell, &actions, &attributes, words, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return number;
}

/* Ends the group, and returns how the command itself has ended. */
static int end(struct running *running)
{
    struct pollfd ended = {.fd = running->ended, .events = POLLIN};
    int status = 0;

    if (running->ended >= 0) {
        kill(-running->process, SIGTERM);
        poll(&ended, 1, END_MS);
        close(running->ended);
    }
    /* Until it is waited for, no other group can have the number. */
    kill(-running->process, SIGKILL);
    while (waitpid(running->process, &status, 0) < 0 && errno == EINTR)
        ;
    if (running->errors >= 0)
        close(running->errors);
    if (running->output >= 0)
        close(running->output);
    return status;
}

static void close_all(int *descriptors, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (descriptors[i] >= 0)
            close(descriptors[i]);
}

static bool start(struct running *running, struct err *err)
{
    int output[2] = {-1, -1}, errors[2] = {-1, -1};
    int number = 0;

    if (pipe2(output, O_CLOEXEC) != 0 || pipe2(errors, O_CLOEXEC) != 0)
        number = errno;
    if (number == 0)
        number = spawn(running, output[1], errors[1]);
    if (number != 0) {
        close_all(output, 2);
        close_all(errors, 2);
        return fail_start(running->command, number, err);
    }
    close(output[1]);
    close(errors[1]);
    running->output = output[0];
    running->errors = errors[0];
    running->ended = pidfd_open(running->process, 0);
    if (running->ended >= 0)
        return true;
    fail_start(running->command, errno, err);
    end(running);
    return false;
}

/* ---- read ---- */

/* Returns false without memory. */
static bool make_room(struct running *running)
{
    size_t most = running->command->octets_most + 1;
    size_t room = running->room == 0 ? ROOM_FIRST : running->room * 2;

    if (running->length < running->room)
        return true;
    room = room > most ? most : room;
    char *grown = realloc(running->octets, room + 1);
    if (grown == NULL)
        return false;
    running->octets = grown;
    running->room = room;
    return true;
}

static void close_end(int *descriptor)
{
    close(*descriptor);
    *descriptor = -1;
}

static bool read_output(struct running *running, struct err *err)
{
    if (!make_room(running))
        return err_set(err, ERR_MEMORY, "out of memory for the output of %.200s; free some",
                       running->command->line);
    ssize_t got =
        read(running->output, running->octets + running->length, running->room - running->length);
    if (got == 0 || (got < 0 && errno != EINTR))
        close_end(&running->output);
    running->length += got > 0 ? (size_t)got : 0;
    return running->length <= running->command->octets_most ||
           err_set(err, ERR_LIMIT,
                   "%.200s has printed more than the %zu octets of any topology, and was ended; "
                   "does it print something else?",
                   running->command->line, running->command->octets_most);
}

/* Keeps the last octets. */
static void read_errors(struct running *running)
{
    char chunk[NOTE_OCTETS];
    ssize_t got = read(running->errors, chunk, sizeof chunk);

    if (got == 0 || (got < 0 && errno != EINTR))
        close_end(&running->errors);
    if (got <= 0)
        return;
    size_t added = (size_t)got, kept = running->note_length;
    if (kept + added > sizeof running->note) {
        size_t dropped = kept + added - sizeof running->note;
        memmove(running->note, running->note + dropped, kept - dropped);
        kept -= dropped;
    }
    memcpy(running->note + kept, chunk, added);
    running->note_length = kept + added;
}

/* Returns -1 when the time is over, else what poll has found. */
static int wait_for(struct running *running, struct pollfd all[4], uint64_t end_ms)
{
    uint64_t now = now_ms();

    all[0] = (struct pollfd){.fd = running->output, .events = POLLIN};
    all[1] = (struct pollfd){.fd = running->errors, .events = POLLIN};
    all[2] = (struct pollfd){.fd = running->ended, .events = POLLIN};
    all[3] = (struct pollfd){.fd = running->command->stop, .events = POLLIN};
    if (now >= end_ms)
        return -1;
    int found = poll(all, 4, (int)(end_ms - now));
    return found == 0 ? -1 : found;
}

/* Returns false with *err; stopped: with ERR_NONE. */
static bool read_all(struct running *running, struct err *err)
{
    uint64_t end_ms = now_ms() + running->command->timeout_ms;
    struct pollfd all[4];

    while (running->output >= 0 || running->ended >= 0) {
        int found = wait_for(running, all, end_ms);
        if (found < 0 && running->ended < 0)
            return true; /* the command itself has ended */
        if (found < 0)
            return err_set(err, ERR_SYSTEM,
                           "%.200s took longer than %u s, and was ended; find out why, or give it "
                           "more with --timeout",
                           running->command->line, running->command->timeout_ms / 1000);
        if (all[3].revents != 0)
            return false;
        if (all[0].revents != 0 && !read_output(running, err))
            return false;
        if (all[1].revents != 0)
            read_errors(running);
        if (all[2].revents == 0)
            continue;
        close_end(&running->ended);
        end_ms = now_ms() + LEFT_OPEN_MS;
    }
    return true;
}

/* ---- how it has ended ---- */

/* The last line that the command has printed to standard error. */
static const char *last_line(struct running *running)
{
    char *note = running->note;
    size_t length = running->note_length;

    while (length > 0 && (note[length - 1] == '\n' || note[length - 1] == '\r'))
        length--;
    size_t start = length;
    while (start > 0 && note[start - 1] != '\n')
        start--;
    if (length == sizeof running->note)
        length--;
    note[length] = '\0';
    return note + start;
}

static bool judge(struct running *running, int status, struct err *err)
{
    const char *line = running->command->line, *note = last_line(running);
    const char *colon = note[0] == '\0' ? "" : ": ";

    if (WIFSIGNALED(status))
        return err_set(err, ERR_SYSTEM, "%.200s was ended by signal %d%s%.*s; run it by itself",
                       line, WTERMSIG(status), colon, NOTE_SHOWN, note);
    if (WEXITSTATUS(status) != 0)
        return err_set(err, ERR_SYSTEM,
                       "%.200s has failed with exit code %d%s%.*s; run it by itself", line,
                       WEXITSTATUS(status), colon, NOTE_SHOWN, note);
    if (running->length == 0)
        return err_set(err, ERR_SYSTEM, "%.200s has printed nothing%s%.*s; run it by itself", line,
                       colon, NOTE_SHOWN, note);
    return true;
}

char *watch_command_run(const struct watch_command *command, size_t *length, struct err *err)
{
    struct running running = {.command = command};

    *err = (struct err){.code = ERR_NONE};
    if (!start(&running, err))
        return NULL;
    bool is_read = read_all(&running, err);
    int status = end(&running);
    if (is_read && judge(&running, status, err)) {
        running.octets[running.length] = '\0';
        *length = running.length;
        return running.octets;
    }
    free(running.octets);
    return NULL;
}
