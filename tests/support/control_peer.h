#pragma once
/**
 * A server's control socket that answers by a script, in a thread of its own.
 *
 *     script                      {"status --json", ">{\"zones\": \"z\"}\n=0\n"}
 *     request, without its head   "status --json"
 *     answer                      that of the first line of the script that begins so
 *
 * A request that no line fits gets none: the connection is closed. What was requested is kept, a
 * line each, so that a test sees the order.
 *
 * Threads: the one that starts it; read `requests` after control_peer_stop.
 * A system call that fails ends the program.
 */
#include <pthread.h>
#include <stddef.h>

enum { CONTROL_PEER_REQUESTS_MOST = 65536, CONTROL_PEER_PATH_MOST = 108 };

struct control_exchange {
    const char *request;
    const char *answer; /* as it is sent; no answer: closed, too */
};

struct control_peer {
    char path[CONTROL_PEER_PATH_MOST];
    const struct control_exchange *script; /* ends with a request that is NULL */
    int listener;
    pthread_t thread;
    char requests[CONTROL_PEER_REQUESTS_MOST];
};

void control_peer_start(struct control_peer *peer, const char *path,
                        const struct control_exchange *script);

/** Stops it and removes the socket. */
void control_peer_stop(struct control_peer *peer);
