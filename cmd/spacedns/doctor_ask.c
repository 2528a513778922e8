#include "spacedns/doctor_ask.h"

#include <assert.h>
#include <errno.h>
#include <ldns/ldns.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"

enum { MESSAGE_MAX = 65535, EDNS_OCTETS = 1232, MS_IN_NS = 1000000 };

/* A query that was sent. */
struct doctor_query {
    ldns_pkt *packet;
    ldns_buffer *octets; /* two octets of length first, for TCP */
    struct doctor_answer *answer;
};

static void make_query(struct doctor_query *query, const struct doctor_question *question,
                       struct doctor_answer *answer)
{
    struct random_source random = {0};
    ldns_rdf *name =
        ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, question->name.length, question->name.octets);

    *answer = (struct doctor_answer){0};
    query->answer = answer;
    query->packet = ldns_pkt_query_new(name, question->type, LDNS_RR_CLASS_IN, LDNS_RD);
    query->octets = ldns_buffer_new(LDNS_MIN_BUFLEN);
    assert(query->packet != NULL && query->octets != NULL);
    ldns_pkt_set_id(query->packet, random_16(&random));
    if (question->with_edns)
        ldns_pkt_set_edns_udp_size(query->packet, EDNS_OCTETS);
    ldns_buffer_write_u16(query->octets, 0);
    ldns_pkt2buffer_wire(query->octets, query->packet);
    ldns_buffer_write_u16_at(query->octets, 0, (uint16_t)(ldns_buffer_position(query->octets) - 2));
}

static void free_queries(struct doctor_query *queries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ldns_pkt_free(queries[i].packet);
        ldns_buffer_free(queries[i].octets);
    }
}

/* Control octets, which a terminal might obey, become ?. */
static void copy_visible(char *out, const uint8_t *octets, size_t length)
{
    for (size_t i = 0; i < length; i++)
        out[i] = octets[i] < ' ' || octets[i] > '~' ? '?' : (char)octets[i];
    out[length] = '\0';
}

/* Strings that do not fit are left out. */
static void add_strings(const ldns_rr *record, char *text)
{
    size_t used = strlen(text);

    for (size_t i = 0; i < ldns_rr_rd_count(record); i++) {
        const uint8_t *string = ldns_rdf_data(ldns_rr_rdf(record, i));
        if (used + string[0] + 2U > DOCTOR_TEXT_MAX)
            return;
        copy_visible(text + used, string + 1, string[0]);
        used += string[0];
        strcpy(text + used++, "\n"); // NOLINT: has room
    }
}

static void read_ede(ldns_pkt *packet, char *ede)
{
    const ldns_edns_option_list *options = ldns_pkt_edns_get_option_list(packet);

    for (size_t i = 0; i < ldns_edns_option_list_get_count(options); i++) {
        const ldns_edns_option *option = ldns_edns_option_list_get_option(options, i);
        size_t size = ldns_edns_get_size(option);
        if (ldns_edns_get_code(option) != LDNS_EDNS_EDE || size < 2)
            continue;
        copy_visible(ede, ldns_edns_get_data(option) + 2,
                     size - 2 < DOCTOR_EDE_MAX - 1 ? size - 2 : DOCTOR_EDE_MAX - 1);
    }
}

static int compare_addresses(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return (left > right) - (left < right);
}

static void read_answer(ldns_pkt *packet, struct doctor_answer *answer)
{
    const ldns_rr_list *records = ldns_pkt_answer(packet);

    *answer = (struct doctor_answer){.state = DOCTOR_ANSWERED,
                                     .rcode = (uint16_t)ldns_pkt_get_rcode(packet),
                                     .has_edns = ldns_pkt_edns(packet)};
    for (size_t i = 0; i < ldns_rr_list_rr_count(records); i++) {
        const ldns_rr *record = ldns_rr_list_rr(records, i);
        if (ldns_rr_get_type(record) == LDNS_RR_TYPE_A && answer->address_count < DOCTOR_ADDRESSES)
            answer->addresses[answer->address_count++] =
                load32(ldns_rdf_data(ldns_rr_rdf(record, 0)));
        if (ldns_rr_get_type(record) == LDNS_RR_TYPE_TXT)
            add_strings(record, answer->text);
    }
    read_ede(packet, answer->ede);
    qsort(answer->addresses, answer->address_count, sizeof answer->addresses[0], compare_addresses);
}

static bool is_reply_to(const ldns_pkt *query, const ldns_pkt *packet)
{
    const ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(packet), 0);

    return ldns_pkt_qr(packet) && ldns_pkt_id(packet) == ldns_pkt_id(query) &&
           (question == NULL ||
            ldns_rr_compare_no_rdata(question, ldns_rr_list_rr(ldns_pkt_question(query), 0)) == 0);
}

/* Returns false when the message is not a reply to this question. */
static bool read_reply(const struct doctor_query *query, const uint8_t *octets, size_t length)
{
    ldns_pkt *packet = NULL;

    if (ldns_wire2pkt(&packet, octets, length) != LDNS_STATUS_OK)
        return false;
    bool is_reply = is_reply_to(query->packet, packet);
    if (is_reply)
        read_answer(packet, query->answer);
    ldns_pkt_free(packet);
    return is_reply;
}

static socklen_t size_of(const struct endpoint *server)
{
    return server->any.sa_family == AF_INET6 ? sizeof server->v6 : sizeof server->v4;
}

static uint64_t deadline_after(unsigned ms)
{
    return clock_monotonic_ns() + (uint64_t)ms * MS_IN_NS;
}

/* Waits until the socket is ready. Returns false at the deadline. */
static bool await_socket(int fd, short events, uint64_t deadline)
{
    struct pollfd poller = {.fd = fd, .events = events};
    uint64_t now = clock_monotonic_ns();
    int left = now >= deadline ? 0 : (int)((deadline - now + MS_IN_NS - 1) / MS_IN_NS);

    return poll(&poller, 1, left) == 1;
}

static void fail_queries(struct doctor_query *queries, size_t count, int error)
{
    for (size_t i = 0; i < count; i++)
        if (queries[i].answer->state == DOCTOR_NO_ANSWER)
            *queries[i].answer = (struct doctor_answer){.state = DOCTOR_ERROR, .error = error};
}

static bool is_done(const struct doctor_query *queries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (queries[i].answer->state == DOCTOR_NO_ANSWER)
            return false;
    return true;
}

static int connect_to(const struct endpoint *server, int type)
{
    int fd = socket(server->any.sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd >= 0 && connect(fd, &server->any, size_of(server)) != 0 && errno != EINPROGRESS) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* Sends the queries that have no answer yet, and waits for answers. */
static void exchange_udp(int fd, struct doctor_query *queries, size_t count, uint64_t deadline)
{
    static uint8_t message[MESSAGE_MAX];

    for (size_t i = 0; i < count; i++)
        if (queries[i].answer->state == DOCTOR_NO_ANSWER &&
            send(fd, ldns_buffer_at(queries[i].octets, 2),
                 ldns_buffer_position(queries[i].octets) - 2, 0) < 0)
            fail_queries(queries, count, errno);
    while (!is_done(queries, count) && await_socket(fd, POLLIN, deadline)) {
        ssize_t length = recv(fd, message, sizeof message, 0);
        if (length < 0 && errno != EAGAIN)
            fail_queries(queries, count, errno);
        for (size_t i = 0; length > 0 && i < count; i++)
            if (queries[i].answer->state == DOCTOR_NO_ANSWER &&
                read_reply(&queries[i], message, (size_t)length))
                break;
    }
}

void doctor_ask_udp(const struct endpoint *server, const struct doctor_question *question,
                    size_t count, struct doctor_answer *answers)
{
    struct doctor_query queries[QUESTIONS_AT_ONCE];

    for (size_t i = 0; i < count; i++)
        make_query(&queries[i], &question[i], &answers[i]);
    int fd = connect_to(server, SOCK_DGRAM);
    if (fd < 0) {
        fail_queries(queries, count, errno);
    } else {
        exchange_udp(fd, queries, count, deadline_after(DOCTOR_PATIENCE_MS / 3));
        if (!is_done(queries, count))
            exchange_udp(fd, queries, count, deadline_after(DOCTOR_PATIENCE_MS * 2 / 3));
        close(fd);
    }
    free_queries(queries, count);
}

/* Reads that many octets. Returns 0, or an errno; ETIMEDOUT at the deadline. */
static int receive_all(int fd, uint8_t *octets, size_t length, uint64_t deadline)
{
    while (length > 0) {
        if (!await_socket(fd, POLLIN, deadline))
            return ETIMEDOUT;
        ssize_t came = recv(fd, octets, length, 0);
        if (came == 0)
            return ECONNRESET;
        if (came < 0 && errno != EAGAIN)
            return errno;
        if (came > 0) {
            octets += came;
            length -= (size_t)came;
        }
    }
    return 0;
}

static int exchange_tcp(int fd, struct doctor_query *query, uint64_t deadline)
{
    static uint8_t message[MESSAGE_MAX];
    uint8_t prefix[2];
    int error = 0;
    socklen_t size = sizeof error;

    if (!await_socket(fd, POLLOUT, deadline))
        return ETIMEDOUT;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
        return error == 0 ? errno : error;
    if (send(fd, ldns_buffer_begin(query->octets), ldns_buffer_position(query->octets),
             MSG_NOSIGNAL) < 0)
        return errno;
    error = receive_all(fd, prefix, sizeof prefix, deadline);
    if (error == 0)
        error = receive_all(fd, message, load16(prefix), deadline);
    if (error != 0)
        return error;
    return read_reply(query, message, load16(prefix)) ? 0 : EBADMSG;
}

void doctor_ask_tcp(const struct endpoint *server, const struct doctor_question *question,
                    struct doctor_answer *answer)
{
    struct doctor_query query;

    make_query(&query, question, answer);
    int fd = connect_to(server, SOCK_STREAM);
    int error = fd < 0 ? errno : exchange_tcp(fd, &query, deadline_after(DOCTOR_PATIENCE_MS));
    if (fd >= 0)
        close(fd);
    if (error != 0 && error != ETIMEDOUT)
        fail_queries(&query, 1, error);
    free_queries(&query, 1);
}
