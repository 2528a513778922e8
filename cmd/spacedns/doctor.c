#include "spacedns/doctor.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <string.h>

#include "base/escape.h"
#include "inspect/explain_request.h"
#include "inspect/print.h"
#include "spacedns/doctor_ask.h"
#include "spacedns/doctor_conf.h"
#include "spacedns/doctor_verdict.h"
#include "wire/types.h"

enum { TELL_MAX = 1024, ADDRESSES_TEXT_MAX = DOCTOR_ADDRESSES * CIDR_TEXT_MAX };

static const char usual_resolv_conf[] = "/etc/resolv.conf";

enum mark { MARK_OK, MARK_NOTE, MARK_FAIL };
static const char *const marks[] = {"ok", "note", "fail"};

/* One visit: what is looked at, and what was found so far. */
struct visit {
    struct session *session;
    struct resolv_conf conf;
    const char *name; /* NULL: none to look up */
    struct name asked_name;
    struct name whoami;
    struct name why;
    char hop[ENDPOINT_TEXT_MAX]; /* the nameserver that is asked now */
    const struct endpoint *server;
    struct doctor_answer first; /* of the first nameserver that answered for the name */
    bool has_first;
    bool is_ours; /* this nameserver knows who asks */
    bool with_edns;
    unsigned failures;
    json_t *steps; /* NULL: printed as text */
};

static void tell(struct visit *visit, enum mark mark, const char *step, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void tell(struct visit *visit, enum mark mark, const char *step, const char *format, ...)
{
    char text[TELL_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    visit->failures += mark == MARK_FAIL;
    if (visit->steps == NULL)
        escape_printf(visit->session->out, "  %-4s  %-8s  %s\n", marks[mark], step, text);
    else
        json_array_append_new(visit->steps,
                              json_pack("{s:s, s:s, s:s, s:s}", "hop", visit->hop, "step", step,
                                        "result", marks[mark], "text", text));
}

/* Why nothing came, and what to do. */
static void print_silence(struct visit *visit, const char *step, const struct doctor_answer *answer,
                          const char *remedy)
{
    if (answer->heard == ANSWER_ERROR && answer->error == ECONNREFUSED)
        tell(visit, MARK_FAIL, step, "refused: nothing listens at %s; %s", visit->hop, remedy);
    else if (answer->heard == ANSWER_ERROR)
        tell(visit, MARK_FAIL, step, "%s; %s", strerror(answer->error), remedy);
    else
        tell(visit, MARK_FAIL, step, "no answer within %d seconds; %s", DOCTOR_PATIENCE_MS / 1000,
             remedy);
}

/* "REFUSED: Q18 client is …", or the code alone. */
static void write_outcome(const struct doctor_answer *answer, char *out, size_t size)
{
    doctor_write_rcode(answer->rcode, out, size);
    size_t used = strlen(out);

    if (answer->rcode == RCODE_NOERROR && answer->address_count == 0)
        used += (size_t)snprintf(out + used, size - used, " without addresses");
    if (answer->ede[0] != '\0')
        snprintf(out + used, size - used, ": %s", answer->ede);
}

static void write_addresses(const struct doctor_answer *answer, char *out)
{
    out[0] = '\0';
    for (size_t i = 0; i < answer->address_count; i++) {
        char *next = out + strlen(out);
        if (i > 0)
            *next++ = ' ';
        ipv4_write(answer->addresses[i], next);
    }
}

/* The hop over UDP, which everything else needs; first with EDNS as clients ask today. */
static bool check_udp(struct visit *visit, struct doctor_answer *answer)
{
    struct asked asked = {.name = visit->whoami, .type = TYPE_TXT, .with_edns = true};

    visit->with_edns = true;
    doctor_ask_udp(visit->server, &asked, 1, answer);
    if (answer->heard == ANSWER_NONE || answer->rcode == RCODE_FORMERR) {
        asked.with_edns = visit->with_edns = false;
        doctor_ask_udp(visit->server, &asked, 1, answer);
    }
    if (answer->heard != ANSWER_RECEIVED) {
        print_silence(visit, "udp", answer,
                      "look whether the server runs, listens at this address, and is let through "
                      "(UDP port 53)");
        return false;
    }
    tell(visit, MARK_OK, "udp", "answers");
    if (!visit->with_edns)
        tell(visit, MARK_FAIL, "edns",
             "questions with EDNS get no good answer, those without do; a firewall on the way, or "
             "an old server, does not know RFC 6891");
    else if (!answer->has_edns)
        tell(visit, MARK_NOTE, "edns",
             "the answer has no EDNS: long answers come over TCP, and reasons are not told");
    else
        tell(visit, MARK_OK, "edns", "answers of up to 1232 octets");
    return true;
}

static void check_tcp(struct visit *visit)
{
    struct asked asked = {.name = visit->whoami, .type = TYPE_TXT, .with_edns = visit->with_edns};
    struct doctor_answer answer;

    doctor_ask_tcp(visit->server, &asked, &answer);
    if (answer.heard == ANSWER_RECEIVED)
        tell(visit, MARK_OK, "tcp", "answers");
    else
        print_silence(visit, "tcp", &answer, "long answers need it: let TCP port 53 through");
}

/* What the server takes this client for. */
static void check_whoami(struct visit *visit, struct doctor_answer *answer)
{
    char outcome[TELL_MAX];

    visit->is_ours = answer->rcode == RCODE_NOERROR && answer->text[0] != '\0';
    for (char *c = answer->text; *c != '\0'; c++)
        if (*c == '\n')
            *c = c[1] == '\0' ? '\0' : ' ';
    if (visit->is_ours) {
        tell(visit, MARK_OK, "whoami", "%s", answer->text);
        return;
    }
    doctor_write_rcode(answer->rcode, outcome, sizeof outcome);
    if (answer->rcode == RCODE_REFUSED)
        tell(visit, MARK_FAIL, "whoami",
             "REFUSED%s%s; ask from a dyno, a VPC with an active peering, or a network behind a "
             "VPN that is up",
             answer->ede[0] == '\0' ? "" : ": ", answer->ede);
    else
        tell(visit, MARK_FAIL, "whoami",
             "%s: this nameserver is not spacedns and does not forward its names there; clients "
             "that ask it get other answers. Have it forward them (spacedns snippet), or take it "
             "out of resolv.conf",
             outcome);
}

/* glibc asks for A and AAAA at once from one socket; musl gives up when one of them is an error. */
static bool check_both(struct visit *visit, struct doctor_answer *answers)
{
    const struct asked asked[] = {
        {.name = visit->asked_name, .type = TYPE_A, .with_edns = visit->with_edns},
        {.name = visit->asked_name, .type = TYPE_AAAA, .with_edns = visit->with_edns}};
    char first[32], second[32];

    doctor_ask_udp(visit->server, asked, ASKED_AT_ONCE, answers);
    bool has_both = answers[0].heard == ANSWER_RECEIVED && answers[1].heard == ANSWER_RECEIVED;
    if (!has_both) {
        tell(visit, MARK_FAIL, "a+aaaa",
             "asked at once from one port, %s no answer, and clients wait seconds for it; set "
             "`options single-request-reopen` in resolv.conf, or mend the firewall on the way",
             answers[0].heard == ANSWER_RECEIVED   ? "AAAA gets"
             : answers[1].heard == ANSWER_RECEIVED ? "A gets"
                                                   : "both get");
        return false;
    }
    doctor_write_rcode(answers[0].rcode, first, sizeof first);
    doctor_write_rcode(answers[1].rcode, second, sizeof second);
    if (answers[0].rcode != answers[1].rcode)
        tell(visit, MARK_FAIL, "a+aaaa",
             "A gets %s and AAAA gets %s: clients that ask both may take the name for missing; the "
             "server behind this nameserver should answer both alike",
             first, second);
    else
        tell(visit, MARK_OK, "a+aaaa", "both answered at once: %s", first);
    return true;
}

static void check_name(struct visit *visit, const struct doctor_answer *answer)
{
    struct asked asked = {.name = visit->why, .type = TYPE_TXT, .with_edns = visit->with_edns};
    struct doctor_answer why = {0};
    char addresses[ADDRESSES_TEXT_MAX], outcome[TELL_MAX / 2], verdict[TELL_MAX / 4];
    char remedy[TELL_MAX / 4] = "", last[TELL_MAX / 4] = "";

    if (visit->is_ours)
        doctor_ask_udp(visit->server, &asked, 1, &why);
    const char *decided = doctor_line(why.text, "verdict=", verdict, sizeof verdict);
    write_addresses(answer, addresses);
    write_outcome(answer, outcome, sizeof outcome);
    if (decided != NULL && !doctor_agrees(why.text, answer)) {
        tell(visit, MARK_FAIL, "name",
             "%s gets %s, but the server decides %s: something between keeps an old answer, or "
             "takes private addresses out (rebinding protection; see spacedns snippet)",
             visit->name, addresses[0] == '\0' ? outcome : addresses, decided);
        return;
    }
    if (answer->address_count > 0) {
        tell(visit, MARK_OK, "name", "%s has %s", visit->name, addresses);
        return;
    }
    bool has_remedy = doctor_line(why.text, "remedy=", remedy, sizeof remedy) != NULL;
    bool is_alias = doctor_last_name(why.text, last, sizeof last) != NULL;
    tell(visit, MARK_FAIL, "name", "%s gets %s%s%s%s%s", visit->name, outcome,
         is_alias ? "; its aliases lead to " : "", last, has_remedy ? "; " : "", remedy);
}

/* A client may take any nameserver's answer, so all have to say the same. */
static void compare_with_first(struct visit *visit, const struct doctor_answer *answer)
{
    char here[ADDRESSES_TEXT_MAX], there[ADDRESSES_TEXT_MAX];

    if (!visit->has_first) {
        visit->first = *answer;
        visit->has_first = true;
        return;
    }
    write_addresses(answer, here);
    write_addresses(&visit->first, there);
    if (answer->rcode != visit->first.rcode || strcmp(here, there) != 0)
        tell(visit, MARK_FAIL, "same",
             "this nameserver's answer for %s is not the first one's; clients take either, so name "
             "only nameservers that know the same",
             visit->name);
}

static void check_server(struct visit *visit)
{
    struct doctor_answer answer, both[ASKED_AT_ONCE];

    endpoint_write(visit->server, visit->hop);
    if (visit->steps == NULL)
        fprintf(visit->session->out, "nameserver %s\n", visit->hop);
    if (!check_udp(visit, &answer))
        return;
    check_tcp(visit);
    check_whoami(visit, &answer);
    if (!check_both(visit, both) || visit->name == NULL)
        return;
    check_name(visit, &both[0]);
    compare_with_first(visit, &both[0]);
}

static void check_servers(struct visit *visit, const struct resolv_conf *conf)
{
    if (conf->names_none)
        tell(visit, MARK_NOTE, "servers",
             "names no nameserver that can be used, so clients ask 127.0.0.1; write a line "
             "`nameserver ADDR`");
    else if (conf->ignored > 0)
        tell(visit, MARK_NOTE, "servers",
             "%zu nameserver lines are not used: clients ask the first three, and addresses only",
             conf->ignored);
    else
        tell(visit, MARK_OK, "servers", "%zu", conf->server_count);
}

static void check_conf(struct visit *visit, const char *path)
{
    const struct resolv_conf *conf = &visit->conf;
    unsigned waste = visit->name == NULL ? 0 : resolv_conf_waste(conf, visit->name);

    snprintf(visit->hop, sizeof visit->hop, "resolv.conf");
    if (visit->steps == NULL)
        escape_printf(visit->session->out, "%s\n", path);
    check_servers(visit, conf);
    if (waste > 0)
        tell(visit, MARK_NOTE, "search",
             "a look-up of %s asks %u useless questions first (%zu search suffixes, ndots:%u); "
             "write it with a dot at the end, or set `options ndots:1`",
             visit->name, waste, conf->search_count, conf->ndots);
    else
        tell(visit, MARK_OK, "search", "%zu suffixes, ndots:%u: no useless questions",
             conf->search_count, conf->ndots);
}

/* Makes the names that are asked for. Returns false when one would be none, or too long. */
static bool make_names(struct visit *visit)
{
    const char *suffix = visit->session->settings.suffix_discovery;
    char text[NAME_MAX_OCTETS + 64];

    snprintf(text, sizeof text, "_whoami.%s", suffix);
    bool is_good = name_from_text(text, &visit->whoami);
    if (visit->name == NULL) {
        snprintf(text, sizeof text, "upcheck.%s", suffix);
        return is_good && name_from_text(text, &visit->asked_name);
    }
    if (strlen(visit->name) > NAME_MAX_OCTETS)
        return false;
    snprintf(text, sizeof text, "_why.%s", visit->name);
    return is_good && name_from_text(visit->name, &visit->asked_name) &&
           name_from_text(text, &visit->why);
}

static void finish(struct visit *visit)
{
    if (visit->steps != NULL)
        print_json(visit->steps, visit->session->out);
    else if (visit->failures == 0)
        fputs("All is well.\n", visit->session->out);
    else
        fprintf(visit->session->out, "%u of these fail%s.\n", visit->failures,
                visit->failures == 1 ? "s" : "");
}

int run_doctor(struct session *session)
{
    const char *path = session->invocation.options[OPTION_RESOLV_CONF];
    struct visit visit = {.session = session, .name = invocation_operand(&session->invocation, 0)};
    struct err err;

    if (!session_read_settings(session))
        return EXIT_REFUSED;
    if (visit.name != NULL && !asking_is_ascii(visit.name, &err))
        return session_fail(session, EXIT_USAGE, "%s", err.text);
    if (!make_names(&visit))
        return session_fail(session, EXIT_USAGE,
                            "%s is not a domain name; write one such as api.example.com",
                            visit.name == NULL ? session->settings.suffix_discovery : visit.name);
    if (path == NULL)
        path = usual_resolv_conf;
    if (!resolv_conf_read(path, &visit.conf, &err))
        return session_fail(session, EXIT_REFUSED, "%s", err.text);
    visit.steps = session->is_json ? json_array() : NULL;
    check_conf(&visit, path);
    for (size_t i = 0; i < visit.conf.server_count; i++) {
        visit.server = &visit.conf.servers[i];
        check_server(&visit);
    }
    finish(&visit);
    return visit.failures == 0 ? EXIT_DONE : EXIT_REFUSED;
}
