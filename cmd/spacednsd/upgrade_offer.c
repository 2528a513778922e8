#include "spacednsd/upgrade_offer.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "spacednsd/handover.h"
#include "spacednsd/web.h"

enum { NAMES_PER_MESSAGE = PASS_DESCRIPTORS_MOST };

/* Descriptors that wait for a message. */
struct offering {
    int channel;
    size_t left; /* in all */
    int descriptors[NAMES_PER_MESSAGE];
    char names[HANDOVER_TEXT_MOST - 64];
    size_t count;
    bool has_failed;
};

static void send_offering(struct offering *offering)
{
    char text[HANDOVER_TEXT_MOST];

    snprintf(text, sizeof text, "%zu%s", offering->left, offering->names);
    if (!handover_send_descriptors(offering->channel, text, offering->descriptors, offering->count))
        offering->has_failed = true;
    offering->count = 0;
    offering->names[0] = '\0';
}

static void add(struct offering *offering, const char *name, int descriptor)
{
    size_t length = strlen(offering->names);

    snprintf(offering->names + length, sizeof offering->names - length, " %s", name);
    offering->descriptors[offering->count++] = descriptor;
    offering->left--;
    if (offering->count == NAMES_PER_MESSAGE)
        send_offering(offering);
}

static void count_socket(void *context, enum listen_scheme scheme, size_t worker, int descriptor)
{
    struct offering *offering = context;

    (void)scheme, (void)worker, (void)descriptor;
    offering->left++;
}

static void offer_socket(void *context, enum listen_scheme scheme, size_t worker, int descriptor)
{
    char name[INHERITED_NAME_OCTETS];

    inherited_write_name(scheme, worker, name);
    add(context, name, descriptor);
}

static void count_http(void *context, int descriptor)
{
    struct offering *offering = context;

    (void)descriptor;
    offering->left++;
}

static void offer_http(void *context, int descriptor)
{
    add(context, HANDOVER_HTTP, descriptor);
}

bool upgrade_offer_send(const struct upgrade_offer *offer, int channel, int *connections)
{
    struct offering offering = {.channel = channel};
    int ends[2];

    if (!pass_pair(ends, SOCK_NONBLOCK))
        return false;
    *connections = ends[0];
    server_walk_sockets(offer->server, count_socket, &offering);
    offering.left += 1 + (size_t)(offer->control >= 0) + (size_t)(offer->state >= 0);
    web_walk_sockets(offer->web, count_http, &offering);
    server_walk_sockets(offer->server, offer_socket, &offering);
    web_walk_sockets(offer->web, offer_http, &offering);
    if (offer->control >= 0)
        add(&offering, HANDOVER_CONTROL, offer->control);
    if (offer->state >= 0)
        add(&offering, HANDOVER_STATE, offer->state);
    add(&offering, HANDOVER_CONNECTIONS, ends[1]);
    if (offering.count > 0)
        send_offering(&offering);
    close(ends[1]);
    return !offering.has_failed;
}
