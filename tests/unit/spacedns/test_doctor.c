// wrap: doctor_ask_udp doctor_ask_tcp
#include "spacedns/doctor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spacedns/commands.h"
#include "spacedns/doctor_ask.h"
#include "support/console.h"
#include "support/suite.h"
#include "wire/types.h"

console_command *const console_runs = commands_run;

enum { SERVERS_MOST = 2 };

/* A nameserver on the way, and what it answers. */
static struct nameserver {
    struct doctor_answer whoami, why, a, aaaa, tcp;
    bool lacks_edns; /* questions with EDNS get no answer */
} servers[SERVERS_MOST];

static struct nameserver *server_at(const struct endpoint *endpoint)
{
    char text[ENDPOINT_TEXT_MAX];

    endpoint_write(endpoint, text);
    return strcmp(text, "10.0.0.2:53") == 0 ? &servers[0] : &servers[1];
}

static struct doctor_answer answer_of(const struct nameserver *server,
                                      const struct doctor_question *question)
{
    if (server->lacks_edns && question->with_edns)
        return (struct doctor_answer){.state = DOCTOR_NO_ANSWER};
    if (question->type != TYPE_TXT)
        return question->type == TYPE_A ? server->a : server->aaaa;
    return memcmp(question->name.octets, "\7_whoami", 8) == 0 ? server->whoami : server->why;
}

void __wrap_doctor_ask_udp(const struct endpoint *server, const struct doctor_question *question,
                           size_t count, struct doctor_answer *answers);
void __wrap_doctor_ask_tcp(const struct endpoint *server, const struct doctor_question *question,
                           struct doctor_answer *answer);

void __wrap_doctor_ask_udp(const struct endpoint *server, const struct doctor_question *question,
                           size_t count, struct doctor_answer *answers)
{
    for (size_t i = 0; i < count; i++)
        answers[i] = answer_of(server_at(server), &question[i]);
}

void __wrap_doctor_ask_tcp(const struct endpoint *server, const struct doctor_question *question,
                           struct doctor_answer *answer)
{
    (void)question;
    *answer = server_at(server)->tcp;
}

static void write_conf(const char *text)
{
    scratch_write(&console.zones, "resolv.conf", text, strlen(text));
}

/* Nameservers that know the space, and resolv.conf with the first of them. */
static void set_up(void)
{
    static const struct doctor_answer good = {
        .state = DOCTOR_ANSWERED, .rcode = RCODE_NOERROR, .has_edns = true};

    console_open();
    write_conf("nameserver 10.0.0.2\noptions ndots:1\n");
    for (size_t i = 0; i < SERVERS_MOST; i++) {
        struct nameserver *server = &servers[i];
        *server = (struct nameserver){good, good, good, good, good, false};
        strcpy(server->whoami.text, "class=space space=test-space\n"); // NOLINT
        strcpy(server->why.text, "verdict=NOERROR\n");                 // NOLINT
        server->a.addresses[0] = 0x0a000025;
        server->a.address_count = 1;
    }
}

FIXTURE(set_up, console_close)

static const char line[] = "doctor api.example.com --resolv-conf ZONES/resolv.conf";

/* A step of the text: mark, name, sentence. */
static void expect_step(int code, const char *mark, const char *step, const char *text)
{
    char wanted[1024];

    console_run(line);
    snprintf(wanted, sizeof wanted, "\n  %-4s  %-8s  %s", mark, step, text);
    ck_assert_msg(strstr(console.out, wanted) != NULL, "%s\nnot: %s", console.out, wanted);
    ck_assert_int_eq(console.code, code);
}

TEST(a_way_that_is_well_is_printed_step_by_step)
{
    console_expect(&(struct console_line){line, 0,
                                          "ZONES/resolv.conf\n"
                                          "  ok    servers   1\n"
                                          "  ok    search    0 suffixes, ndots:1: no useless "
                                          "queries\n"
                                          "nameserver 10.0.0.2:53\n"
                                          "  ok    udp       answers\n"
                                          "  ok    edns      answers of up to 1232 octets\n"
                                          "  ok    tcp       answers\n"
                                          "  ok    whoami    class=space space=test-space\n"
                                          "  ok    a+aaaa    both answered at once: NOERROR\n"
                                          "  ok    name      api.example.com has 10.0.0.37\n"
                                          "All is well.\n",
                                          ""});
}

TEST(steps_are_json_with_their_hop)
{
    console_expect_part("doctor api.example.com --json --resolv-conf ZONES/resolv.conf", 0,
                        "    \"hop\": \"10.0.0.2:53\",\n    \"step\": \"tcp\",\n    \"result\": "
                        "\"ok\",\n    \"text\": \"answers\"\n");
}

TEST(a_nameserver_that_does_not_answer_is_the_end_of_its_hop)
{
    servers[0].whoami.state = DOCTOR_NO_ANSWER;
    expect_step(1, "fail", "udp", "no answer within 3 seconds; check that the server runs");
    ck_assert_ptr_null(strstr(console.out, "tcp  "));
    ck_assert_ptr_nonnull(strstr(console.out, "\n1 of these fails.\n"));
    servers[0].whoami = (struct doctor_answer){.state = DOCTOR_ERROR, .error = ECONNREFUSED};
    expect_step(1, "fail", "udp", "refused: nothing listens at 10.0.0.2:53; ");
    servers[0].whoami.error = EHOSTUNREACH;
    expect_step(1, "fail", "udp", "No route to host; ");
}

TEST(a_firewall_that_drops_edns_is_found)
{
    servers[0].lacks_edns = true;
    expect_step(1, "fail", "edns", "questions with EDNS get no good answer, those without do;");
    expect_step(1, "ok", "name", "api.example.com has 10.0.0.37");
}

TEST(an_old_server_without_edns_is_noted)
{
    servers[0].whoami.has_edns = false;
    expect_step(0, "note", "edns", "the answer has no EDNS: long answers come over TCP");
}

TEST(a_closed_tcp_port_is_found)
{
    servers[0].tcp.state = DOCTOR_NO_ANSWER;
    expect_step(1, "fail", "tcp",
                "no answer within 3 seconds; long answers need it: open TCP port 53");
}

TEST(a_client_outside_gets_the_places_to_ask_from)
{
    servers[0].whoami.rcode = RCODE_REFUSED;
    strcpy(servers[0].whoami.ede, "Q18 client is external"); // NOLINT
    expect_step(1, "fail", "whoami", "REFUSED: Q18 client is external; ask from a dyno, a VPC");
}

TEST(another_nameserver_is_found_out)
{
    servers[0].whoami.rcode = RCODE_NXDOMAIN;
    expect_step(1, "fail", "whoami",
                "NXDOMAIN: this nameserver is not spacedns and does not forward");
}

/* ---- the name ---- */

TEST(one_of_two_questions_at_once_that_is_lost_is_found)
{
    servers[0].aaaa.state = DOCTOR_NO_ANSWER;
    expect_step(1, "fail", "a+aaaa", "asked at once from one port, AAAA gets no answer");
    servers[0].a.state = DOCTOR_NO_ANSWER;
    expect_step(1, "fail", "a+aaaa", "asked at once from one port, both get no answer");
    servers[0].aaaa.state = DOCTOR_ANSWERED;
    expect_step(1, "fail", "a+aaaa", "asked at once from one port, A gets no answer");
}

TEST(answers_that_differ_by_type_are_found)
{
    servers[0].aaaa.rcode = RCODE_NXDOMAIN;
    expect_step(1, "fail", "a+aaaa",
                "A gets NOERROR and AAAA gets NXDOMAIN: clients that ask both");
}

TEST(an_answer_that_is_not_the_servers_decision_is_found)
{
    servers[0].a.address_count = 0;
    expect_step(1, "fail", "name",
                "api.example.com gets NOERROR without addresses, but the server decides NOERROR: "
                "something between keeps an old answer, or takes private addresses out");
}

TEST(a_name_without_addresses_is_shown_with_reason_and_remedy)
{
    servers[0].a.address_count = 0;
    strcpy(servers[0].a.ede, "Q10 app crashed"); // NOLINT
    strcpy(servers[0].why.text,                  // NOLINT
           "remedy=read its log\nverdict=NOERROR without data: Q10 app crashed\n");
    expect_step(1, "fail", "name",
                "api.example.com gets NOERROR without addresses: Q10 app crashed; read its log\n");
}

/* What the world answers for the name of an app that is not internal has no reason in it. */
TEST(an_app_without_internal_routing_is_named)
{
    servers[0].a.address_count = 0;
    servers[0].a.rcode = servers[0].aaaa.rcode = RCODE_NXDOMAIN;
    strcpy(servers[0].why.text, // NOLINT
           "app=checkout space=acme internal_routing=false web_dynos=1 web_up=1\n"
           "internal routing is fixed at creation: the app must be recreated\n"
           "verdict=forward to 10.0.0.9\n");
    expect_step(1, "fail", "name",
                "api.example.com gets NXDOMAIN; it belongs to an app without internal routing, "
                "checkout; internal routing is fixed at creation: the app must be recreated\n");
}

TEST(nameservers_that_differ_are_found)
{
    write_conf("nameserver 10.0.0.2\nnameserver 10.0.0.3\noptions ndots:1\n");
    expect_step(0, "ok", "name", "api.example.com has 10.0.0.37");
    servers[1].a.addresses[0] = 0x0a000026;
    expect_step(1, "fail", "same", "this nameserver's answer for api.example.com is not the first");
    servers[1] = servers[0];
    servers[1].a.rcode = servers[1].aaaa.rcode = RCODE_NXDOMAIN;
    expect_step(1, "fail", "same", "this nameserver's answer for api.example.com is not the first");
}

/* ---- resolv.conf and the command line ---- */

TEST(what_resolv_conf_lacks_or_wastes_is_noted)
{
    write_conf("nameserver 10.0.0.2\nsearch a.example b.example\noptions ndots:5\n");
    expect_step(0, "note", "search", "a lookup of api.example.com sends ");
    write_conf("options ndots:1\n");
    expect_step(0, "note", "servers",
                "names no nameserver that can be used, so clients use 127.0.0.1");
    write_conf(
        "nameserver 10.0.0.2\nnameserver 10.0.0.3\nnameserver 10.0.0.2\nnameserver 10.0.0.4\n"
        "options ndots:1\n");
    expect_step(0, "note", "servers", "1 nameserver line is not used: clients ask the first three");
}

TEST(without_a_name_the_hops_are_checked_alone)
{
    console_expect_part("doctor --resolv-conf ZONES/resolv.conf", 0, "All is well.\n");
    ck_assert_ptr_null(strstr(console.out, "  name  "));
}

static const struct {
    const char *line;
    int code;
    const char *err;
} refusals[] = {
    {"doctor a..b --resolv-conf ZONES/resolv.conf", 2,
     "Error: `a..b` is not a domain name; write one such as api.example.com\n"},
    {"doctor a.b --resolv-conf ZONES/none", 1, "ZONES/none"},
    {"doctor caf\xc3\xa9.example --resolv-conf ZONES/resolv.conf", 2, "Error: "},
};

TEST_OVER(what_cannot_be_checked_is_refused, refusals)
{
    console_expect_part(refusals[_i].line, refusals[_i].code, refusals[_i].err);
    ck_assert_str_eq(console.out, "");
}
