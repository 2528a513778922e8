#include "spacedns/doctor_ask.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "wire/types.h"

enum {
    HEADER_OCTETS = 12,
    OPT_OCTETS = 11,
    QUERY_MAX = 2 + HEADER_OCTETS + NAME_MAX_OCTETS + 4 + OPT_OCTETS,
    MESSAGE_MAX = 65535,
    EDNS_OCTETS = 1232,
    OPTION_EDE = 15,
    FLAG_QR = 0x8000,
    FLAG_RD = 0x0100,
    MS_IN_NS = 1000000,
};

/* A query that was sent. */
struct doctor_query {
    uint8_t query[QUERY_MAX]; /* two octets of length first, for TCP */
    size_t length;            /* without them */
    uint16_t id;
    const struct doctor_question *question;
    struct doctor_answer *answer;
};

static void write_query(struct doctor_query *query)
{
    const struct doctor_question *question = query->question;
    struct random_source random = {0};
    struct writer out = writer_over(query->query + 2, sizeof query->query - 2);

    query->id = random_16(&random);
    write16(&out, query->id);
    write16(&out, FLAG_RD);
    write16(&out, 1);
    write16(&out, 0);
    write16(&out, 0);
    write16(&out, question->with_edns ? 1 : 0);
    write_octets(&out, question->name.octets, question->name.length);
    write16(&out, question->type);
    write16(&out, CLASS_IN);
    if (question->with_edns) {
        write8(&out, 0);
        write16(&out, TYPE_OPT);
        write16(&out, EDNS_OCTETS);
        write32(&out, 0);
        write16(&out, 0);
    }
    query->length = (size_t)(out.next - out.start);
    store16(query->query, (uint16_t)query->length);
}

/* Strings that do not fit are left out; control octets, which a terminal might obey, become ?. */
static void read_text(struct reader *rdata, char *text)
{
    size_t used = strlen(text);

    while (reader_left(rdata) > 0) {
        uint8_t length = read8(rdata);
        const uint8_t *octets = read_span(rdata, length);
        if (octets == NULL || used + length + 2 > DOCTOR_TEXT_MAX)
            return;
        for (size_t i = 0; i < length; i++)
            text[used++] = octets[i] < ' ' || octets[i] > '~' ? '?' : (char)octets[i];
        text[used++] = '\n';
        text[used] = '\0';
    }
}

static void read_ede(struct reader *rdata, char *ede)
{
    while (reader_left(rdata) > 0) {
        uint16_t code = read16(rdata), length = read16(rdata);
        const uint8_t *octets = read_span(rdata, length);
        if (octets == NULL || code != OPTION_EDE || length < 2)
            continue;
        size_t kept = length - 2U < DOCTOR_EDE_MAX - 1 ? length - 2U : DOCTOR_EDE_MAX - 1;
        for (size_t i = 0; i < kept; i++)
            ede[i] = octets[i + 2] < ' ' || octets[i + 2] > '~' ? '?' : (char)octets[i + 2];
        ede[kept] = '\0';
    }
}

static void read_record(struct reader *in, bool is_answer, struct doctor_answer *answer)
{
    name_skip(in);
    uint16_t type = read16(in);
    read16(in);
    read32(in);
    uint16_t length = read16(in);
    const uint8_t *octets = read_span(in, length);

    if (octets == NULL)
        return;
    struct reader rdata = reader_over(octets, length);
    if (is_answer && type == TYPE_A && length == 4 && answer->address_count < DOCTOR_ADDRESSES)
        answer->addresses[answer->address_count++] = load32(octets);
    if (is_answer && type == TYPE_TXT)
        read_text(&rdata, answer->text);
    if (type == TYPE_OPT) {
        answer->has_edns = true;
        read_ede(&rdata, answer->ede);
    }
}

static int compare_addresses(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return (left > right) - (left < right);
}

/* Returns false when the message is not a reply to this question. */
static bool read_reply(const struct doctor_query *query, const uint8_t *octets, size_t length)
{
    struct doctor_answer answer = {.state = DOCTOR_ANSWERED};
    struct reader in = reader_over(octets, length);
    struct name name;
    uint16_t id = read16(&in), flags = read16(&in), questions = read16(&in);
    unsigned answers = read16(&in), others = read16(&in);

    others += read16(&in);
    if (in.failed || id != query->id || (flags & FLAG_QR) == 0)
        return false;
    if (questions == 1 &&
        (!name_read(&in, &name) ||
         !name_equals(&name, query->question->name.octets, query->question->name.length) ||
         read16(&in) != query->question->type || read16(&in) != CLASS_IN))
        return false;
    answer.rcode = flags & 15;
    for (unsigned i = 0; i < answers + others && !in.failed; i++)
        read_record(&in, i < answers, &answer);
    if (in.failed)
        return false;
    qsort(answer.addresses, answer.address_count, sizeof answer.addresses[0], compare_addresses);
    *query->answer = answer;
    return true;
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
            send(fd, queries[i].query + 2, queries[i].length, 0) < 0)
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

    for (size_t i = 0; i < count; i++) {
        answers[i] = (struct doctor_answer){0};
        queries[i] = (struct doctor_query){.question = &question[i], .answer = &answers[i]};
        write_query(&queries[i]);
    }
    int fd = connect_to(server, SOCK_DGRAM);
    if (fd < 0) {
        fail_queries(queries, count, errno);
        return;
    }
    exchange_udp(fd, queries, count, deadline_after(DOCTOR_PATIENCE_MS / 3));
    if (!is_done(queries, count))
        exchange_udp(fd, queries, count, deadline_after(DOCTOR_PATIENCE_MS * 2 / 3));
    close(fd);
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
    if (send(fd, query->query, query->length + 2, MSG_NOSIGNAL) < 0)
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
    struct doctor_query query = {.question = question, .answer = answer};

    *answer = (struct doctor_answer){0};
    write_query(&query);
    int fd = connect_to(server, SOCK_STREAM);
    int error = fd < 0 ? errno : exchange_tcp(fd, &query, deadline_after(DOCTOR_PATIENCE_MS));
    if (fd >= 0)
        close(fd);
    if (error != 0 && error != ETIMEDOUT)
        fail_queries(&query, 1, error);
}
