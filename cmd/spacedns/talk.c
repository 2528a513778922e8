#include "spacedns/talk.h"

#include <errno.h>
#include <grp.h>
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

static int patience_for(enum command_name command)
{
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
    return err_set(err, ERR_SYSTEM, "the server at %s hung up before it had answered; see its log",
                   talk->path);
}

/* Answers may quote files and names, so they are escaped for the terminal. */
static bool print_line(FILE *to, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    escape_print(to, line);
    return fputc('\n', to) != EOF && ferror(to) == 0;
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
            fail_to_read(talk, from, errno);
            break;
        }
        switch (protocol_read_response(line, &talk->code)) {
        case PROTOCOL_OUT:
            is_over = !print_line(talk->out, line + 1);
            break;
        case PROTOCOL_ERR:
            is_over = !print_line(talk->err, line + 1);
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

bool talk_run(struct talk *talk, const struct invocation *invocation)
{
    char line[CONTROL_REQUEST_OCTETS_MOST];
    size_t length = protocol_write_request(invocation, line);

    talk->problem = (struct err){.code = ERR_SYSTEM, .text = "the answer cannot be written"};
    if (length == 0)
        return err_set(
            &talk->problem, ERR_LIMIT,
            "the command is longer than the %d octets that a server reads; give it less at once",
            (int)CONTROL_REQUEST_OCTETS_MOST);
    int descriptor = connect_to(talk, patience_for(invocation->command));
    if (descriptor < 0)
        return false;
    FILE *from = fdopen(descriptor, "r");
    if (from == NULL) {
        close(descriptor);
        return err_set(&talk->problem, ERR_MEMORY, "out of memory; free some, then try again");
    }
    /* A server without room for a connection sends the reason and closes it without reading. */
    (void)!send(descriptor, line, length, MSG_NOSIGNAL);
    bool passed = read_answer(talk, from);
    fclose(from);
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
    if (passed && !json_is_string(json_object_get(status, "zones"))) {
        err_set(&talk->problem, ERR_SYSTEM,
                "the server at %s does not report its zones folder; see spacedns status",
                talk->path);
        json_decref(status);
        return NULL;
    }
    return status;
}
