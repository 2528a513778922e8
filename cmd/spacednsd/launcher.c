#include "spacednsd/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serve/pass.h"

enum { LAUNCH_DESCRIPTORS = 2, VARIABLE_OCTETS = 64, KEPT_DESCRIPTOR = STDERR_FILENO + 1 };

static const char launch[] = "launch ", end_it[] = "end";

/* What the launcher's own process has. */
struct launching {
    const struct launcher_options *options;
    int server;  /* the channel to the server */
    pid_t child; /* launched last; 0: none */
    char **environment;
    char variable[VARIABLE_OCTETS];
};

/* ---- in the launcher's process ---- */

static void reply(const struct launching *launching, const char *text)
{
    send(launching->server, text, strlen(text), MSG_NOSIGNAL);
}

static void refuse(const struct launching *launching, const char *sentence)
{
    char text[LAUNCHER_TEXT_MOST];

    snprintf(text, sizeof text, "refused %s", sentence);
    reply(launching, text);
}

static void set_signals(void (*handler)(int))
{
    for (int number = 1; number < NSIG; number++)
        if (number != SIGKILL && number != SIGSTOP)
            signal(number, handler); // NOLINT: those that cannot be set are reserved
}

/* Puts both descriptors where the new process looks for them. */
static bool place_descriptors(const struct launching *launching, const int *descriptors)
{
    int truth = fcntl(launching->options->standard_error, F_DUPFD, LAUNCHED_STDERR + 1);
    int channel = fcntl(descriptors[0], F_DUPFD, LAUNCHED_STDERR + 1);
    int error = fcntl(descriptors[1], F_DUPFD, LAUNCHED_STDERR + 1);

    return truth >= 0 && channel >= 0 && error >= 0 && dup2(channel, LAUNCHED_CHANNEL) >= 0 &&
           dup2(truth, LAUNCHED_STDERR) >= 0 && dup2(error, STDERR_FILENO) >= 0 &&
           close_range(LAUNCHED_STDERR + 1, UINT_MAX, 0) == 0;
}

/* In the new process. */
static void become(struct launching *launching, const char *path, const int *descriptors)
{
    sigset_t none;

    sigemptyset(&none);
    set_signals(SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    snprintf(launching->variable, sizeof launching->variable, LAUNCHED_VARIABLE "=%d%s",
             (int)getpid(), prctl(PR_GET_DUMPABLE) == 1 ? "" : LAUNCHED_CLOSED);
    if (place_descriptors(launching, descriptors))
        execve(path, launching->options->argv, launching->environment);
    dprintf(STDERR_FILENO, "cannot execute %s: %s\n", path, strerror(errno));
    _exit(EXIT_FAILURE);
}

static void launch_path(struct launching *launching, const char *path, const int *descriptors)
{
    char real[PATH_MAX], text[LAUNCHER_TEXT_MOST];
    struct err err;

    if (launching->child != 0) {
        refuse(launching, "what was started last has not ended yet");
        return;
    }
    if (!launcher_check(path, launching->options->trusts_own_user, real, &err)) {
        refuse(launching, err.text);
        return;
    }
    pid_t child = fork();
    if (child == 0)
        become(launching, real, descriptors);
    if (child < 0) {
        snprintf(text, sizeof text, "no process can be made: %s", strerror(errno));
        refuse(launching, text);
        return;
    }
    launching->child = child;
    snprintf(text, sizeof text, "started %d", (int)child);
    reply(launching, text);
}

/* Returns false when the server is gone. */
static bool take_request(struct launching *launching)
{
    char text[PATH_MAX + sizeof launch];
    int descriptors[LAUNCH_DESCRIPTORS];
    size_t count = LAUNCH_DESCRIPTORS;
    ssize_t length = pass_receive(launching->server, text, sizeof text - 1, descriptors, &count);

    if (length <= 0)
        return length < 0 && errno == EAGAIN;
    text[length] = '\0';
    if (strncmp(text, launch, sizeof launch - 1) == 0 && count == LAUNCH_DESCRIPTORS)
        launch_path(launching, text + sizeof launch - 1, descriptors);
    else if (strcmp(text, end_it) == 0 && launching->child != 0)
        kill(launching->child, SIGKILL);
    for (size_t i = 0; i < count; i++)
        close(descriptors[i]);
    return true;
}

static void reap(struct launching *launching)
{
    char text[LAUNCHER_TEXT_MOST];
    int status;

    if (launching->child == 0 || waitpid(launching->child, &status, WNOHANG) != launching->child)
        return;
    if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "ended %d signal %d (%s)", (int)launching->child,
                 WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(text, sizeof text, "ended %d exit code %d", (int)launching->child,
                 WEXITSTATUS(status));
    launching->child = 0;
    reply(launching, text);
}

static void on_child(int number)
{
    (void)number;
}

/* Only ppoll lets SIGCHLD through, so none is missed. */
static void serve(struct launching *launching)
{
    struct pollfd server = {.fd = launching->server, .events = POLLIN};
    struct sigaction action = {.sa_handler = on_child};
    sigset_t child, none;

    sigemptyset(&child);
    sigemptyset(&none);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_SETMASK, &child, NULL);
    sigaction(SIGCHLD, &action, NULL);
    for (;;) {
        int ready = ppoll(&server, 1, NULL, &none);
        reap(launching);
        if (ready > 0 && !take_request(launching))
            return;
        if (ready < 0 && errno != EINTR)
            return;
    }
}

static void run(struct launching *launching)
{
    int kept = launching->options->standard_error;

    /* The terminal's signals are for the server, whose end ends this process. */
    set_signals(SIG_IGN);
    prctl(PR_SET_NAME, "spacednsd-start");
    if (kept != STDERR_FILENO)
        dup2(kept, STDERR_FILENO);
    if (dup2(launching->server, KEPT_DESCRIPTOR) < 0 ||
        close_range(KEPT_DESCRIPTOR + 1, UINT_MAX, 0) != 0)
        _exit(EXIT_FAILURE);
    fcntl(KEPT_DESCRIPTOR, F_SETFD, FD_CLOEXEC);
    struct launcher_options options = *launching->options;
    options.standard_error = STDERR_FILENO;
    launching->options = &options;
    launching->server = KEPT_DESCRIPTOR;
    serve(launching);
    _exit(EXIT_SUCCESS);
}

/* ---- in the server's process ---- */

static bool is_for_one_process(const char *variable)
{
    static const char *const names[] = {LAUNCHED_VARIABLE, "LISTEN_PID", "LISTEN_FDS",
                                        "LISTEN_FDNAMES", "WATCHDOG_PID"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t length = strlen(names[i]);
        if (strncmp(variable, names[i], length) == 0 && variable[length] == '=')
            return true;
    }
    return false;
}

/* The environment for new processes: the start's, and room for one variable. */
static bool copy_environment(struct launching *launching)
{
    size_t count = 0, kept = 0;

    while (environ[count] != NULL)
        count++;
    launching->environment = calloc(count + 2, sizeof(char *));
    if (launching->environment == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!is_for_one_process(environ[i]))
            launching->environment[kept++] = environ[i];
    launching->environment[kept] = launching->variable;
    return true;
}

bool launcher_start(struct launcher *launcher, const struct launcher_options *options,
                    struct err *err)
{
    struct launching launching = {.options = options};
    int ends[2];

    launcher->descriptor = -1;
    if (!copy_environment(&launching))
        return err_set(err, ERR_MEMORY, "out of memory for the launcher");
    if (!pass_pair(ends, 0)) {
        free((void *)launching.environment);
        return err_set(err, ERR_SYSTEM, "no socket for the launcher: %s", strerror(errno));
    }
    launching.server = ends[1];
    pid_t child = fork();
    if (child == 0)
        run(&launching);
    free((void *)launching.environment);
    close(ends[1]);
    *launcher = (struct launcher){.descriptor = ends[0], .pid = child};
    if (child > 0) {
        fcntl(ends[0], F_SETFL, O_NONBLOCK);
        return true;
    }
    launcher_close(launcher);
    return err_set(err, ERR_SYSTEM, "no process for the launcher: %s", strerror(errno));
}

bool launcher_request(const struct launcher *launcher, const char *path, int channel, int error)
{
    const int descriptors[LAUNCH_DESCRIPTORS] = {channel, error};
    char text[PATH_MAX + sizeof launch];
    int length = snprintf(text, sizeof text, "%s%s", launch, path);

    return launcher->descriptor >= 0 && length < (int)sizeof text &&
           pass_send(launcher->descriptor, text, (size_t)length, descriptors, LAUNCH_DESCRIPTORS);
}

void launcher_end(const struct launcher *launcher)
{
    pass_send(launcher->descriptor, end_it, sizeof end_it - 1, NULL, 0);
}

enum launcher_event launcher_take(const struct launcher *launcher, pid_t *pid,
                                  char text[LAUNCHER_TEXT_MOST])
{
    char message[LAUNCHER_TEXT_MOST];
    int number = 0, skip = 0;
    size_t count = 0;
    ssize_t length = pass_receive(launcher->descriptor, message, sizeof message - 1, NULL, &count);

    if (length <= 0)
        return length < 0 && errno == EAGAIN ? LAUNCHER_NOTHING : LAUNCHER_GONE;
    message[length] = '\0';
    text[0] = '\0';
    if (sscanf(message, "started %d", &number) == 1) {
        *pid = number;
        return LAUNCHER_STARTED;
    }
    if (sscanf(message, "ended %d %n", &number, &skip) == 1) {
        *pid = number;
        strcpy(text, message + skip); // NOLINT: of the same size
        return LAUNCHER_ENDED;
    }
    strcpy(text, message + strcspn(message, " ")); // NOLINT: of the same size
    memmove(text, text + (text[0] == ' '), strlen(text));
    return LAUNCHER_REFUSED;
}

void launcher_close(struct launcher *launcher)
{
    if (launcher->descriptor >= 0)
        close(launcher->descriptor);
    launcher->descriptor = -1;
}
