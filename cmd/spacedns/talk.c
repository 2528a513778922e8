#include "spacedns/talk.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/escape.h"
#include "control/protocol.h"

/* A reload may read a million apps; other commands are answered at once. */
enum { PATIENCE_SECONDS = 5, RELOAD_PATIENCE_SECONDS = 300, UPGRADE_PATIENCE_SECONDS = 4000 };
enum { NO_TIMEOUT = 0, LINE_ROOM = 16 << 10 };

static int patience_for(const struct talk *talk, enum command_name command)
{
    if (talk->is_endless)
        return NO_TIMEOUT;
    if (command == COMMAND_UPGRADE)
        return UPGRADE_PATIENCE_SECONDS; /* the server's own timeout comes first */
    return command == COMMAND_RELOAD || command == COMMAND_PLAN ? RELOAD_PATIENCE_SECONDS
                                                                : PATIENCE_SECONDS;
}

/* The socket's group is that of the setting control_group or control_read_group, if it may write.
 */
static bool fail_without_right(const char *path, struct err *err)
{
    unsigned long uid = geteuid();
    struct stat status;

    if (stat(path, &status) != 0 || (status.st_mode & S_IWGRP) == 0)
        return err_set(err, ERR_SYSTEM,
                       "%s may not be used by this user (uid %lu); run the command as the user "
                       "that runs spacednsd, or with sudo; the settings control_group and "
                       "control_read_group let others in",
                       path, uid);
    const struct group *group = getgrgid(status.st_gid);
    return err_set(err, ERR_SYSTEM,
                   "%s may not be used by this user (uid %lu), only by members of the group %s "
                   "(gid %lu); an administrator adds you with usermod -aG, then log in again",
                   path, uid, group == NULL ? "?" : group->gr_name, (unsigned long)status.st_gid);
}

static bool fail_to_connect(struct talk *talk, int number)
{
    const char *path = talk->path;
    struct err *err = &talk->problem;

    talk->is_absent = number == ENOENT || number == ENOTDIR || number == ECONNREFUSED;
    if (number == ENOENT || number == ENOTDIR)
        return err_set(err, ERR_SYSTEM,
                       "no server is at %s; start spacednsd with --control-socket %s, or name its "
                       "socket with --socket",
                       path, path);
    if (number == ECONNREFUSED)
        return err_set(
            err, ERR_SYSTEM,
            "nothing listens on %s: the server has stopped, or it is not a socket; start "
            "spacednsd again, or name its socket with --socket",
            path);
    if (number == EACCES || number == EPERM)
        return fail_without_right(path, err);
    if (number == EAGAIN)
        return err_set(err, ERR_SYSTEM,
                       "the server at %s takes no more commands now; try again in a moment", path);
    if (number == ENAMETOOLONG)
        return err_set(err, ERR_LIMIT,
                       "%.40s... is longer than the %zu octets that a socket's path may have; "
                       "use a shorter one",
                       path, sizeof((struct sockaddr_un *)NULL)->sun_path - 1);
    return err_set(
        err, ERR_SYSTEM,
        "cannot reach the server at %s: %s; try again, or name another socket with --socket", path,
        strerror(number));
}

/* Returns a connected descriptor, or -1. */
static int connect_to(struct talk *talk, int patience)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval timeout = {.tv_sec = patience};

    if (strlen(talk->path) >= sizeof address.sun_path) {
        fail_to_connect(talk, ENAMETOOLONG);
        return -1;
    }
    strcpy(address.sun_path, talk->path); // NOLINT: measured above
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor >= 0 &&
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == 0 &&
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) == 0 &&
        connect(descriptor, (const struct sockaddr *)&address, sizeof address) == 0)
        return descriptor;
    fail_to_connect(talk, errno);
    if (descriptor >= 0)
        close(descriptor);
    return -1;
}

static bool fail_to_read(struct talk *talk, FILE *from, int number)
{
    struct err *err = &talk->problem;

    if (ferror(from) != 0 && (number == EAGAIN || number == EINTR))
        return err_set(
            err, ERR_SYSTEM,
            "the server at %s does not answer; check whether it is suspended or overloaded, "
            "and read its log",
            talk->path);
    return err_set(err, ERR_SYSTEM,
                   talk->is_endless ? "the server at %s has ended without a word; see its log, "
                                      "start it again, then run the command again"
                                    : "the server at %s hung up before it had answered; see its "
                                      "log",
                   talk->path);
}

/* Answers may quote files and names, so they are escaped for the terminal. */
static bool print_line(const struct talk *talk, FILE *to, char *line)
{
    char escaped[LINE_ROOM];

    line[strcspn(line, "\n")] = '\0';
    if (talk->is_raw && to == talk->out) {
        talk->on_line(talk->context, to, line);
        return true;
    }
    if (talk->on_line == NULL || to != talk->out) {
        escape_print(to, line);
    } else {
        escape_string(escaped, sizeof escaped, line);
        talk->on_line(talk->context, to, escaped);
    }
    return fputc('\n', to) != EOF && ferror(to) == 0 && (!talk->is_endless || fflush(to) == 0);
}

static bool read_answer(struct talk *talk, FILE *from)
{
    char *line = NULL;
    size_t size = 0;
    bool is_over = false, passed = false;

    while (!is_over) {
        errno = 0;
        is_over = true;
        if (getline(&line, &size, from) < 0) {
            passed = talk->is_ended;
            if (!passed)
                fail_to_read(talk, from, errno);
            break;
        }
        switch (protocol_read_response(line, &talk->code)) {
        case PROTOCOL_OUT:
            is_over = !print_line(talk, talk->out, line + 1);
            break;
        case PROTOCOL_ERR:
            is_over = !print_line(talk, talk->err, line + 1);
            break;
        case PROTOCOL_END:
            passed = true;
            break;
        case PROTOCOL_UNKNOWN:
            err_set(
                &talk->problem, ERR_SYSTEM,
                "what answers at %s does not use the protocol of spacednsd %s; name the server's "
                "control socket with --socket",
                talk->path, SPACEDNS_VERSION);
            break;
        }
    }
    free(line);
    return passed;
}

/* ---- lines for as long as somebody reads ours ---- */

/* Waits for the server's socket, and calls for what else is watched. False: it is to end. */
static bool wait_watching(struct talk *talk)
{
    struct pollfd all[1 + TALK_WATCHED] = {{.fd = talk->descriptor, .events = POLLIN}};

    for (size_t i = 0; i < TALK_WATCHED; i++)
        all[1 + i] = (struct pollfd){.fd = talk->watch->descriptors[i], .events = POLLIN};
    while (!talk->is_ended) {
        int count = poll(all, sizeof all / sizeof all[0], -1);
        bool has_input = count < 0;
        for (size_t i = 1; count > 0 && i < sizeof all / sizeof all[0]; i++)
            has_input |= all[i].revents != 0;
        if (has_input && !talk->watch->on_input(talk->context))
            talk->is_ended = true;
        else if (count > 0 && all[0].revents != 0)
            return true;
    }
    return false;
}

/* The server's socket; waits for it, or until nobody reads our output any more. */
static ssize_t read_while_read(void *cookie, char *octets, size_t size)
{
    struct talk *talk = cookie;

    if (talk->watch != NULL)
        return wait_watching(talk) ? read(talk->descriptor, octets, size) : 0;
    struct pollfd both[2] = {{.fd = talk->descriptor, .events = POLLIN},
                             {.fd = fileno(talk->out), .events = 0}};

    if (poll(both, 2, -1) > 0 && (both[1].revents & (POLLERR | POLLHUP)) != 0) {
        raise(SIGPIPE); /* as the next line would */
        errno = EPIPE;
        return -1;
    }
    return read(talk->descriptor, octets, size);
}

static int close_socket(void *cookie)
{
    return close(((const struct talk *)cookie)->descriptor);
}

static FILE *open_answer(struct talk *talk)
{
    static const cookie_io_functions_t functions = {.read = read_while_read, .close = close_socket};

    return talk->is_endless ? fopencookie(talk, "r", functions) : fdopen(talk->descriptor, "r");
}

/* Root by sudo(8) says for whom, if the server logs the command: it only sees root. */
static struct invocation with_sudo(const struct invocation *invocation)
{
    struct invocation whole = *invocation;
    const char *user = geteuid() == 0 ? getenv("SUDO_USER") : NULL; // NOLINT: one thread
    bool takes = (commands_table[whole.command].options >> OPTION_SUDO & 1) != 0;

    if (takes && whole.options[OPTION_SUDO] == NULL && user != NULL && user[0] != '\0')
        whole.options[OPTION_SUDO] = user;
    return whole;
}

static bool run(struct talk *talk, const struct invocation *invocation)
{
    char line[CONTROL_REQUEST_OCTETS_MOST];
    const struct invocation whole = with_sudo(invocation);
    size_t length = protocol_write_request(&whole, line);

    talk->problem = (struct err){.code = ERR_SYSTEM, .text = "the answer cannot be written"};
    if (length == 0)
        return err_set(
            &talk->problem, ERR_LIMIT,
            "the command is longer than the %d octets that a server reads; give it less at once",
            (int)CONTROL_REQUEST_OCTETS_MOST);
    talk->descriptor = connect_to(talk, patience_for(talk, invocation->command));
    if (talk->descriptor < 0)
        return false;
    FILE *from = open_answer(talk);
    if (from == NULL) {
        close(talk->descriptor);
        return err_set(&talk->problem, ERR_MEMORY, "out of memory; free some, then try again");
    }
    /* A server without room for a connection sends the reason and closes it without reading. */
    (void)!send(talk->descriptor, line, length, MSG_NOSIGNAL);
    bool passed = read_answer(talk, from);
    fclose(from);
    return passed;
}

bool talk_run(struct talk *talk, const struct invocation *invocation)
{
    bool passed = run(talk, invocation);

    if (talk->on_end != NULL)
        talk->on_end(talk->context);
    return passed;
}

/* Returns false, with the problem, without an answer or without memory for it. */
static bool read_status(struct talk *talk, char **octets, char **refusal)
{
    const struct invocation status = {.command = COMMAND_STATUS, .options = {[OPTION_JSON] = ""}};
    size_t length = 0, refusal_length = 0;
    bool passed;

    talk->out = open_memstream(octets, &length);
    talk->err = open_memstream(refusal, &refusal_length);
    talk->problem =
        (struct err){.code = ERR_MEMORY, .text = "out of memory; free some, then try again"};
    passed = talk->out != NULL && talk->err != NULL && talk_run(talk, &status);
    if (talk->err != NULL)
        fclose(talk->err);
    return talk->out != NULL && fclose(talk->out) == 0 && passed;
}

/* The server's reason, as if it were our own. */
static void take_sentence(const char *printed, struct err *err)
{
    static const char mark[] = "Error: ";
    const char *sentence =
        strncmp(printed, mark, strlen(mark)) == 0 ? printed + strlen(mark) : printed;

    err_set(err, ERR_SYSTEM, "%.*s", (int)strcspn(sentence, "\n"), sentence);
}

json_t *talk_ask_status(struct talk *talk)
{
    char *octets = NULL, *refusal = NULL;
    bool passed = read_status(talk, &octets, &refusal);
    json_t *status = passed && talk->code == 0 ? json_loads(octets, 0, NULL) : NULL;

    free(octets);
    if (passed && talk->code != 0 && refusal[0] != '\0') {
        take_sentence(refusal, &talk->problem);
        free(refusal);
        return NULL;
    }
    free(refusal);
    if (passed && !json_is_string(json_object_get(status, "zones")) &&
        !json_is_object(json_object_get(status, "registry"))) {
        err_set(&talk->problem, ERR_SYSTEM,
                "the server at %s does not report its zones folder; see spacedns status",
                talk->path);
        json_decref(status);
        return NULL;
    }
    return status;
}
