#include "support/control_peer.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 8, LINE_MOST = 8192 };

static const char head[] = "spacedns/1 ";

static void must(bool went_well, const char *what)
{
    if (went_well)
        return;
    perror(what);
    abort();
}

static const char *find_answer(const struct control_peer *peer, const char *request)
{
    for (const struct control_exchange *line = peer->script; line->request != NULL; line++)
        if (strncmp(request, line->request, strlen(line->request)) == 0)
            return line->answer;
    return "";
}

/* Reads up to the newline. Returns false when the client went away before it. */
static bool read_request(int descriptor, char line[LINE_MOST])
{
    size_t length = 0;

    do {
        ssize_t got = recv(descriptor, line + length, LINE_MOST - 1 - length, 0);
        if (got <= 0)
            return false;
        length += (size_t)got;
        line[length] = '\0';
    } while (strchr(line, '\n') == NULL);
    return true;
}

static void answer(struct control_peer *peer, int descriptor)
{
    char line[LINE_MOST];

    if (!read_request(descriptor, line))
        return;
    const char *request = strncmp(line, head, strlen(head)) == 0 ? line + strlen(head) : line;
    size_t used = strlen(peer->requests);
    must(used + strlen(request) < sizeof peer->requests, "too many requests");
    snprintf(peer->requests + used, sizeof peer->requests - used, "%s", request);
    const char *text = find_answer(peer, request);
    (void)!send(descriptor, text, strlen(text), MSG_NOSIGNAL);
}

/* Until the listener is shut down. */
static void *run(void *argument)
{
    struct control_peer *peer = argument;

    for (int descriptor; (descriptor = accept(peer->listener, NULL, NULL)) >= 0;) {
        answer(peer, descriptor);
        close(descriptor);
    }
    return NULL;
}

void control_peer_start(struct control_peer *peer, const char *path,
                        const struct control_exchange *script)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    *peer = (struct control_peer){.script = script};
    must(strlen(path) < sizeof address.sun_path, path);
    snprintf(peer->path, sizeof peer->path, "%s", path);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    peer->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(peer->listener >= 0, "socket");
    must(bind(peer->listener, (struct sockaddr *)&address, sizeof address) == 0, path);
    must(listen(peer->listener, BACKLOG) == 0, path);
    must(pthread_create(&peer->thread, NULL, run, peer) == 0, "pthread_create");
}

void control_peer_stop(struct control_peer *peer)
{
    shutdown(peer->listener, SHUT_RDWR);
    pthread_join(peer->thread, NULL);
    close(peer->listener);
    unlink(peer->path);
}
