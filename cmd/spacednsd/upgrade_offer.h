#pragma once
/**
 * What a running server hands over to the one that takes its place (handover.h, `descriptors`).
 *
 * Threads: the control thread.  Memory: none.
 */
#include "serve/server.h"

struct web;

struct upgrade_offer {
    const struct server *server; /* its sockets */
    int control;                 /* borrowed; -1: none */
    int state;                   /* borrowed; -1: none */
    const struct web *web;       /* whose sockets serve HTTP */
};

/**
 * Sends it all. Returns false, with errno, when that is not possible.
 *
 * connections  this server's end of the pair over which connections are handed over; the caller's
 */
bool upgrade_offer_send(const struct upgrade_offer *offer, int channel, int *connections);
