#include "spacedns/live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <jansson.h>

#include "control/protocol.h"

/* A reload may read a million apps; all else is answered at once. */
enum { PATIENCE_SECONDS = 5, RELOAD_PATIENCE_SECONDS = 300 };

struct talk {
    const char *path;
    FILE *out; /* what the server says goes here */
    FILE *err;
    int code;
    struct err problem; /* why there is no code */
    bool is_absent;     /* no server is there, as far as one can see */
};

static const char *socket_path(const struct session *session)
{
    const char *path = session->invocation.options[OPTION_SOCKET];

    if (path != NULL)
        return path;
    if (session->has_settings && session->settings.control_socket != NULL)
        return session->settings.control_socket;
    return CONTROL_SOCKET_USUAL;
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
        return err_set(err, ERR_SYSTEM,
                       "nobody listens on %s: the server has ended, or it is no socket; start "
                       "spacednsd again, or name its socket with --socket",
                       path);
    if (number == EACCES || number == EPERM)
        return err_set(err, ERR_SYSTEM,
                       "%s may not be used by this user; run the command as the user that runs "
                       "spacednsd, or with sudo",
                       path);
    if (number == EAGAIN)
        return err_set(err, ERR_SYSTEM,
                       "the server at %s takes no more commands now; try again in a moment", path);
    if (number == ENAMETOOLONG)
        return err_set(err, ERR_LIMIT,
                       "%.40s... is longer than the %zu octets that a socket's path may have", path,
                       sizeof((struct sockaddr_un *)NULL)->sun_path - 1);
    return err_set(err, ERR_SYSTEM, "cannot reach the server at %s: %s", path, strerror(number));
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

static bool fail_to_hear(struct talk *talk, FILE *from, int number)
{
    struct err *err = &talk->problem;

    if (ferror(from) != 0 && (number == EAGAIN || number == EINTR))
        return err_set(err, ERR_SYSTEM,
                       "the server at %s does not answer; see whether it is stopped or very busy, "
                       "and what its log says",
                       talk->path);
    return err_set(err, ERR_SYSTEM, "the server at %s hung up before it had answered; see its log",
                   talk->path);
}

static bool hear(struct talk *talk, FILE *from)
{
    char *line = NULL;
    size_t size = 0;
    bool is_over = false, passed = false;

    while (!is_over) {
        errno = 0;
        is_over = true;
        if (getline(&line, &size, from) < 0) {
            fail_to_hear(talk, from, errno);
            break;
        }
        switch (protocol_read_response(line, &talk->code)) {
        case PROTOCOL_OUT:
            is_over = fputs(line + 1, talk->out) < 0;
            break;
        case PROTOCOL_ERR:
            is_over = fputs(line + 1, talk->err) < 0;
            break;
        case PROTOCOL_END:
            passed = true;
            break;
        case PROTOCOL_STRANGE:
            err_set(&talk->problem, ERR_SYSTEM,
                    "what answers at %s does not speak as spacednsd %s does; name the server's "
                    "control socket with --socket",
                    talk->path, SPACEDNS_VERSION);
            break;
        }
    }
    free(line);
    return passed;
}

/* Returns false with talk->problem. */
static bool run_talk(struct talk *talk, const struct invocation *invocation)
{
    char line[REQUEST_OCTETS_MOST];
    bool is_reload = invocation->command == COMMAND_RELOAD || invocation->command == COMMAND_PLAN;
    size_t length = protocol_write_request(invocation, line);

    talk->problem = (struct err){.code = ERR_SYSTEM, .text = "the answer cannot be written"};
    if (length == 0)
        return err_set(&talk->problem, ERR_LIMIT,
                       "the command is longer than %d octets, more than a server reads",
                       (int)REQUEST_OCTETS_MOST);
    int descriptor = connect_to(talk, is_reload ? RELOAD_PATIENCE_SECONDS : PATIENCE_SECONDS);
    if (descriptor < 0)
        return false;
    FILE *from = fdopen(descriptor, "r");
    if (from == NULL) {
        close(descriptor);
        return err_set(&talk->problem, ERR_MEMORY, "out of memory");
    }
    /* A server that has no room hangs up without reading, and says so. */
    (void)!send(descriptor, line, length, MSG_NOSIGNAL);
    bool passed = hear(talk, from);
    fclose(from);
    return passed;
}

static int ask(struct session *session, const struct invocation *invocation, FILE *out)
{
    struct talk talk = {.out = out, .err = session->err, .path = socket_path(session)};

    if (run_talk(&talk, invocation))
        return talk.code;
    return session_fail(session, EXIT_REFUSED, "%s", talk.problem.text);
}

int live_ask(struct session *session)
{
    if (!invocation_has(&session->invocation, OPTION_SOCKET) && !session_read_settings(session))
        return EXIT_REFUSED;
    return ask(session, &session->invocation, session->out);
}

int live_ask_instead(struct session *session, enum command_name command)
{
    const struct invocation invocation = {
        .command = command,
        .options = {[OPTION_FORCE] = session->invocation.options[OPTION_FORCE]}};

    return ask(session, &invocation, session->err);
}

static bool read_zones(const char *octets, char *zones, size_t size)
{
    json_t *status = json_loads(octets, 0, NULL);
    const char *folder = json_string_value(json_object_get(status, "zones"));

    bool fits = folder != NULL && strlen(folder) < size;
    if (fits)
        strcpy(zones, folder); // NOLINT: measured
    json_decref(status);
    return fits;
}

const char *live_zones(struct session *session)
{
    struct invocation asks_status = {.command = COMMAND_STATUS, .options = {[OPTION_JSON] = ""}};
    struct talk talk = {.path = socket_path(session)};
    char *octets = NULL;
    size_t length = 0;
    bool found = false;

    talk.out = open_memstream(&octets, &length);
    talk.err = fopen("/dev/null", "w");
    bool passed = talk.out != NULL && talk.err != NULL && run_talk(&talk, &asks_status) &&
                  talk.code == EXIT_DONE;
    if (talk.err != NULL)
        fclose(talk.err);
    if (talk.out != NULL && fclose(talk.out) == 0)
        found = passed && read_zones(octets, session->server_zones, sizeof session->server_zones);
    free(octets);
    session->server_problem = passed ? (struct err){.code = ERR_NONE} : talk.problem;
    session->is_server_absent = talk.is_absent;
    return found ? session->server_zones : NULL;
}

int run_status(struct session *session)
{
    return live_ask(session);
}

int run_whoami(struct session *session)
{
    return live_ask(session);
}
