// timeout: 240
/**
 * Over all names, clients, types and sizes: no reply is longer than the client accepts, TC is set
 * exactly when something is missing, a reply that fits equals that over TCP, and a response gets no
 * reply.
 */
#include <stdlib.h>
#include <string.h>

#include "support/four_spaces.h"
#include "support/suite.h"

enum { HEADER = 12, WIDE_DYNOS = 90, WIDE_APPS = 40 };

static struct four_spaces four;

static const struct {
    struct ask ask;
    size_t limit;
} sizes[] = {
    {{.no_edns = true}, 512},      {{.edns_octets = 1}, 512},      {{.edns_octets = 512}, 512},
    {{.edns_octets = 700}, 700},   {{.edns_octets = 1231}, 1231},  {{.edns_octets = 1232}, 1232},
    {{.edns_octets = 4096}, 1232}, {{.edns_octets = 65535}, 1232},
};
enum { SIZE_COUNT = sizeof sizes / sizeof sizes[0] };

static const char *const clients[] = {"10.0.130.56", "10.2.130.1", "172.16.9.9", "10.1.130.4",
                                      "203.0.113.9"};
enum { CLIENT_COUNT = sizeof clients / sizeof clients[0] };

/* A space whose lists do not fit into a datagram: dynos, routers, services, apps. */
static char *write_wide_space(void)
{
    char *text = malloc(1 << 20);
    size_t length = (size_t)sprintf(text, "space: wide-space\ncidr: 10.9.0.0/16\nrouters:\n");

    for (int i = 0; i < WIDE_DYNOS; i++)
        length += (size_t)sprintf(text + length, "  - 10.9.1.%d\n", i + 10);
    length += (size_t)sprintf(text + length, "apps:\n");
    for (int app = 0; app < WIDE_APPS; app++) {
        length += (size_t)sprintf(text + length,
                                  "  - name: wide-app-%d\n    internal_routing: true\n"
                                  "    domains: [{hostname: d%d.example.com, "
                                  "cname: haiku-%d.wide-1.herokuspace.com}]\n",
                                  app, app, app);
        length +=
            (size_t)sprintf(text + length, "    formation: {web: {ports: {http: 80}, dynos: [");
        for (int i = 0; i < (app == 0 ? WIDE_DYNOS : 1); i++)
            length += (size_t)sprintf(text + length, "{number: %d, private_ip: 10.9.%d.%d},", i + 1,
                                      128 + app / 2, 10 + i + 100 * (app % 2));
        length += (size_t)sprintf(text + length, "]}}\n");
    }
    return text;
}

/* Additional records are no reason for TC. */
static bool is_cut(const struct decoded *udp, const struct decoded *tcp)
{
    return udp->answer_count < tcp->answer_count || udp->authority_count < tcp->authority_count;
}

/* Octets of the longest record in the answer section, its owner a pointer. */
static size_t longest_record(const struct decoded *reply)
{
    const ldns_rr_list *answers = ldns_pkt_answer(reply->packet);
    size_t longest = 0;

    for (size_t i = 0; i < ldns_rr_list_rr_count(answers); i++) {
        const ldns_rr *record = ldns_rr_list_rr(answers, i);
        size_t octets = 12;
        for (size_t j = 0; j < ldns_rr_rd_count(record); j++)
            octets += ldns_rdf_size(ldns_rr_rdf(record, j));
        longest = octets > longest ? octets : longest;
    }
    return longest;
}

/* A truncated reply holds whole records, and as many as fit. */
static void check_cut_is_full(const struct decoded *udp, const struct decoded *tcp, size_t limit)
{
    if (!udp->tc) {
        ck_assert_uint_eq(udp->answer_count, tcp->answer_count);
        ck_assert_uint_eq(udp->authority_count, tcp->authority_count);
        return;
    }
    ck_assert_uint_eq(udp->additional_count, 0);
    ck_assert_uint_le(udp->answer_count, tcp->answer_count);
    ck_assert_uint_gt(udp->length + longest_record(tcp), limit);
}

/* The same question over UDP and TCP; the sections may be rotated, so counts are compared. */
static void compare(const struct ask *how, size_t limit)
{
    struct ask ask = *how;
    struct decoded udp, tcp;

    world_ask(&four.world, &ask, &udp);
    ask.transport = ASK_TCP;
    world_ask(&four.world, &ask, &tcp);
    ck_assert_msg(udp.length <= limit, "%s: %zu octets", ask.name, udp.length);
    ck_assert(!tcp.tc);
    ck_assert_msg(udp.tc == (tcp.length > limit && is_cut(&udp, &tcp)),
                  "%s TYPE%u: TC is %d, %zu octets over TCP", ask.name, ask.type, udp.tc,
                  tcp.length);
    ck_assert_uint_eq(udp.rcode, tcp.rcode);
    check_cut_is_full(&udp, &tcp, limit);
    ck_assert_uint_le(udp.additional_count, tcp.additional_count);
    decoded_close(&udp);
    decoded_close(&tcp);
}

static void set_up(void)
{
    four_spaces_init(&four);
}

static void tear_down(void)
{
    four_spaces_close(&four);
}

FIXTURE(set_up, tear_down)

TEST_LOOP(no_reply_is_longer_than_the_client_takes, 0, SIZE_COUNT)
{
    struct ask ask = sizes[_i].ask;
    size_t stride = 4 * four_spaces_stride();

    for (size_t i = 0; i < CLIENT_COUNT; i++) {
        ask.from = clients[i];
        for (size_t j = 0; j < four.names.count; j++) {
            ask.name = four.names.items[j];
            for (size_t k = j % stride; k < four_spaces_type_count; k += stride) {
                ask.type = four_spaces_types[k];
                compare(&ask, sizes[_i].limit);
            }
        }
    }
}

TEST_LOOP(long_lists_are_cut_truthfully, 0, SIZE_COUNT)
{
    static const struct {
        const char *name;
        const char *type;
    } lists[] = {
        {"wide-app-0.herokuapp.com.", "A"},
        {"d0.example.com.", "A"},
        {"d0.example.com.", "ANY"},
        {"web.wide-app-0.app.localspace.", "A"},
        {"_http._tcp.web.wide-app-0.app.localspace.", "SRV"},
        {"_apps.localspace.", "TXT"},
        {"_dynos.wide-app-0.app.localspace.", "TXT"},
        {"_why.d0.example.com.", "TXT"},
        {"_whoami.localspace.", "TXT"},
        {"web.wide-app-1.app.localspace.", "A"},
    };
    struct ask ask = sizes[_i].ask;
    char *text = write_wide_space();

    world_must_load_text(&four.world, text);
    ask.from = "10.9.128.10";
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        ask.name = lists[i].name;
        ask.type = request_type(lists[i].type);
        compare(&ask, sizes[_i].limit);
    }
    free(text);
}

/* Every size from 512 to 1232 is used as far as whole records allow. */
TEST(every_size_is_kept_to)
{
    char *text = write_wide_space();
    struct ask ask = {.name = "_http._tcp.web.wide-app-0.app.localspace.",
                      .type = LDNS_RR_TYPE_SRV,
                      .from = "10.9.128.10"};

    world_must_load_text(&four.world, text);
    for (unsigned octets = 512; octets <= 1232; octets += (unsigned)four_spaces_stride()) {
        ask.edns_octets = (uint16_t)octets;
        compare(&ask, octets);
    }
    ask.name = "_why.d0.example.com.";
    ask.type = LDNS_RR_TYPE_TXT;
    for (unsigned octets = 512; octets <= 1232; octets += (unsigned)four_spaces_stride()) {
        ask.edns_octets = (uint16_t)octets;
        compare(&ask, octets);
    }
    free(text);
}

TEST_LOOP(no_response_is_replied_to, 0, CLIENT_COUNT)
{
    uint8_t octets[REQUEST_OCTETS_MOST];
    struct ask ask = {.from = clients[_i]};

    for (size_t i = 0; i < four.names.count; i++) {
        ask.name = four.names.items[i];
        size_t length = request_write(&ask, octets);
        octets[2] |= 0x80;
        ck_assert_uint_eq(world_send(&four.world, octets, length, &ask), 0);
        /* Nor is a reply of this very server. */
        length = request_write(&ask, octets);
        length = world_send(&four.world, octets, length, &ask);
        static uint8_t reply[TCP_OCTETS_MOST];
        memcpy(reply, four.world.reply, length);
        ck_assert_uint_eq(world_send(&four.world, reply, length, &ask), 0);
    }
}
