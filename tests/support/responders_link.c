#include "support/responders_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The attempt that a reply belongs to. */
struct addressee {
    struct responders_link *link;
    link_ticket ticket;
};

static struct flight *add_flight(struct responders_link *link, link_ticket ticket,
                                 unsigned after_ms)
{
    if (link->flight_count == LINK_FLIGHTS_MOST) {
        fprintf(stderr, "too many responses on their way\n");
        abort();
    }
    struct flight *flight = &link->flights[link->flight_count++];
    *flight = (struct flight){.due_ms = link->now_ms + after_ms, .ticket = ticket};
    return flight;
}

static void on_reply(void *context, const struct responder_reply *reply)
{
    const struct addressee *addressee = context;

    if (reply->is_from_elsewhere)
        return;
    struct flight *flight = add_flight(addressee->link, addressee->ticket, reply->after_ms);
    flight->octets = malloc(reply->length);
    flight->length = reply->length;
    memcpy(flight->octets, reply->octets, reply->length);
}

static bool send_query(struct link *base, const struct link_query *query)
{
    struct responders_link *link = (struct responders_link *)(void *)base;
    struct responder *responder = link->servers[query->server];

    if (responder_listens(responder, query->over_stream))
        responders_ask(link->responders, responder,
                       &(struct responder_query){query->octets, query->length, query->over_stream},
                       on_reply, &(struct addressee){link, query->ticket});
    else
        add_flight(link, query->ticket, 0)->is_failure = true;
    return true;
}

static void remove_flight(struct responders_link *link, size_t i)
{
    memmove(&link->flights[i], &link->flights[i + 1],
            (link->flight_count - i - 1) * sizeof link->flights[0]);
    link->flight_count--;
}

static void forget(struct link *base, link_ticket ticket)
{
    struct responders_link *link = (struct responders_link *)(void *)base;

    for (size_t i = link->flight_count; i-- > 0;) {
        if (link->flights[i].ticket == ticket) {
            free(link->flights[i].octets);
            remove_flight(link, i);
        }
    }
}

static struct responder *responder_of(struct responders *responders,
                                      const struct upstream *upstream)
{
    char text[CIDR_TEXT_MAX];

    ipv4_write(ntohl(upstream->endpoint.v4.sin_addr.s_addr), text);
    struct responder *responder = responders_find(responders, text);
    if (responder == NULL) {
        fprintf(stderr, "no responder at %s\n", text);
        abort();
    }
    return responder;
}

void responders_link_init(struct responders_link *link, struct responders *responders,
                          const struct server_list *servers)
{
    *link = (struct responders_link){.link = {.send = send_query, .forget = forget},
                                     .responders = responders};
    for (size_t i = 0; i < servers->count; i++)
        link->servers[i] = responder_of(responders, servers->items[i]);
}

/* The first of those that are due earliest: in the order they were sent. */
static size_t find_next(const struct responders_link *link)
{
    size_t next = 0;

    for (size_t i = 1; i < link->flight_count; i++)
        if (link->flights[i].due_ms < link->flights[next].due_ms)
            next = i;
    return next;
}

uint64_t responders_link_next_ms(const struct responders_link *link)
{
    return link->flight_count == 0 ? UINT64_MAX : link->flights[find_next(link)].due_ms;
}

void responders_link_deliver(struct responders_link *link, uint64_t now_ms)
{
    const struct link_listener *listener = &link->link.listener;

    link->now_ms = now_ms;
    while (responders_link_next_ms(link) <= now_ms) {
        size_t next = find_next(link);
        struct flight flight = link->flights[next];
        remove_flight(link, next);
        if (flight.is_failure)
            listener->on_failure(listener->context, flight.ticket, LINK_REFUSED);
        else
            listener->on_response(listener->context, flight.ticket, flight.octets, flight.length);
        free(flight.octets);
    }
}

void responders_link_close(struct responders_link *link)
{
    for (size_t i = 0; i < link->flight_count; i++)
        free(link->flights[i].octets);
    link->flight_count = 0;
}
