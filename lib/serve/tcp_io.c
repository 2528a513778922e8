#include "serve/tcp_io.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "serve/tcp_places.h"

bool tcp_io_read(struct tcp_connection *connection, struct writer *room)
{
    ssize_t taken;

    do
        taken = recv(connection->descriptor, room->next, writer_left(room), MSG_DONTWAIT);
    while (taken < 0 && errno == EINTR);
    if (taken > 0) {
        uint8_t *read = write_span(room, (size_t)taken);
        assert(read != NULL);
        return true;
    }
    if (taken == 0)
        connection->is_ending = true;
    else
        connection->has_failed = errno != EAGAIN;
    return false;
}

/* Sends without blocking; returns the octets sent, 0 also when the socket is broken. */
static size_t write_octets_to(struct tcp_connection *connection, const uint8_t *octets,
                              size_t length)
{
    ssize_t taken;

    do
        taken = send(connection->descriptor, octets, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (taken < 0 && errno == EINTR);
    if (taken >= 0)
        return (size_t)taken;
    connection->has_failed = errno != EAGAIN && errno != ENOBUFS;
    return 0;
}

/* The connection's own output buffer; its memory is returned at closing if it was used. */
static struct writer own_output(struct tcp_connection *connection)
{
    connection->has_used_room = true;
    return writer_over(connection->output, TCP_OUTPUT_OCTETS);
}

bool tcp_io_queue(struct tcp_connection *connection, const uint8_t *octets, size_t length)
{
    struct writer out = own_output(connection);

    assert(connection->unsent <= connection->unsent_end &&
           connection->unsent_end <= TCP_OUTPUT_OCTETS);
    size_t waiting = connection->unsent_end - connection->unsent;
    uint8_t *front = write_span(&out, waiting);
    uint8_t *behind = write_span(&out, length);
    if (behind == NULL)
        return false;
    memmove(front, connection->output + connection->unsent, waiting);
    memcpy(behind, octets, length);
    connection->unsent = 0;
    connection->unsent_end = (uint32_t)writer_length(&out);
    return true;
}

void tcp_io_send(struct tcp_connection *connection, const struct writer *replies)
{
    size_t length = writer_length(replies);

    assert(!replies->failed && !tcp_io_is_blocked(connection));
    if (length == 0)
        return;
    size_t taken = write_octets_to(connection, replies->start, length);
    if (taken == length || connection->has_failed)
        return;
    bool is_kept = tcp_io_queue(connection, replies->start + taken, length - taken);
    assert(is_kept);
}

void tcp_io_send_queued(struct tcp_connection *connection)
{
    assert(connection->unsent < connection->unsent_end);
    size_t taken = write_octets_to(connection, connection->output + connection->unsent,
                                   connection->unsent_end - connection->unsent);

    connection->unsent += (uint32_t)taken;
    if (taken > 0)
        tcp_places_touch(connection);
}

void tcp_io_end(const struct tcp_connection *connection)
{
    shutdown(connection->descriptor, SHUT_WR);
}
