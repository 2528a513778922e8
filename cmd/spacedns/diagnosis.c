#include "spacedns/diagnosis.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <string.h>

#include "base/address.h"
#include "base/escape.h"
#include "inspect/print.h"
#include "spacedns/doctor_ask.h"
#include "spacedns/doctor_conf.h"
#include "spacedns/doctor_verdict.h"
#include "wire/domain.h"
#include "wire/types.h"

enum { STEP_TEXT_MAX = 1024, ADDRESSES_TEXT_MAX = DOCTOR_ADDRESSES * CIDR_TEXT_MAX };

enum mark { MARK_OK, MARK_NOTE, MARK_FAIL };
static const char *const marks[] = {[MARK_OK] = "ok", [MARK_NOTE] = "note", [MARK_FAIL] = "fail"};

struct diagnosis {
    FILE *out;
    struct doctor_conf conf;
    const char *name; /* NULL: no operand */
    struct name query_name;
    struct name whoami;
    struct name why;
    char hop[ENDPOINT_TEXT_MAX]; /* the nameserver checked now */
    const struct endpoint *server;
    struct doctor_answer first; /* of the first nameserver that answered */
    bool has_first;
    bool is_ours; /* this nameserver answers _whoami */
    bool with_edns;
    unsigned failures;
    json_t *steps; /* NULL: text output */
};

static void print_step(struct diagnosis *diagnosis, enum mark mark, const char *step,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

static void print_step(struct diagnosis *diagnosis, enum mark mark, const char *step,
                       const char *format, ...)
{
    char text[STEP_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    diagnosis->failures += mark == MARK_FAIL;
    if (diagnosis->steps == NULL)
        escape_printf(diagnosis->out, "  %-4s  %-8s  %s\n", marks[mark], step, text);
    else
        json_array_append_new(diagnosis->steps,
                              json_pack("{s:s, s:s, s:s, s:s}", "hop", diagnosis->hop, "step", step,
                                        "result", marks[mark], "text", text));
}

/* Why there is no answer, and the remedy. */
static void print_silence(struct diagnosis *diagnosis, const char *step,
                          const struct doctor_answer *answer, const char *remedy)
{
    if (answer->state == DOCTOR_ERROR && answer->error == ECONNREFUSED)
        print_step(diagnosis, MARK_FAIL, step, "refused: nothing listens at %s; %s", diagnosis->hop,
                   remedy);
    else if (answer->state == DOCTOR_ERROR)
        print_step(diagnosis, MARK_FAIL, step, "%s; %s", strerror(answer->error), remedy);
    else
        print_step(diagnosis, MARK_FAIL, step, "no answer within %d seconds; %s",
                   DOCTOR_PATIENCE_MS / 1000, remedy);
}

/* "REFUSED: Q18 client is …", or the code alone. */
static void format_outcome(const struct doctor_answer *answer, char *out, size_t size)
{
    doctor_format_rcode(answer->rcode, out, size);
    size_t used = strlen(out);

    if (answer->rcode == RCODE_NOERROR && answer->address_count == 0)
        used += (size_t)snprintf(out + used, size - used, " without addresses");
    if (answer->ede[0] != '\0')
        snprintf(out + used, size - used, ": %s", answer->ede);
}

static void format_addresses(const struct doctor_answer *answer, char *out)
{
    out[0] = '\0';
    for (size_t i = 0; i < answer->address_count; i++) {
        char *next = out + strlen(out);
        if (i > 0)
            *next++ = ' ';
        ipv4_write(answer->addresses[i], next);
    }
}

/* The hop over UDP, which everything else needs; first with EDNS, as clients use it today. */
static bool check_udp(struct diagnosis *diagnosis, struct doctor_answer *answer)
{
    struct doctor_question question = {
        .name = diagnosis->whoami, .type = TYPE_TXT, .with_edns = true};

    diagnosis->with_edns = true;
    doctor_ask_udp(diagnosis->server, &question, 1, answer);
    if (answer->state == DOCTOR_NO_ANSWER || answer->rcode == RCODE_FORMERR) {
        question.with_edns = diagnosis->with_edns = false;
        doctor_ask_udp(diagnosis->server, &question, 1, answer);
    }
    if (answer->state != DOCTOR_ANSWERED) {
        print_silence(diagnosis, "udp", answer,
                      "check that the server runs and listens at this address, and that no "
                      "firewall blocks UDP port 53");
        return false;
    }
    print_step(diagnosis, MARK_OK, "udp", "answers");
    if (!diagnosis->with_edns)
        print_step(
            diagnosis, MARK_FAIL, "edns",
            "questions with EDNS get no good answer, those without do; a firewall on the way, or "
            "an old server, does not know RFC 6891");
    else if (!answer->has_edns)
        print_step(diagnosis, MARK_NOTE, "edns",
                   "the answer has no EDNS: long answers come over TCP, and reasons are not sent");
    else
        print_step(diagnosis, MARK_OK, "edns", "answers of up to 1232 octets");
    return true;
}

static void check_tcp(struct diagnosis *diagnosis)
{
    struct doctor_question question = {
        .name = diagnosis->whoami, .type = TYPE_TXT, .with_edns = diagnosis->with_edns};
    struct doctor_answer answer;

    doctor_ask_tcp(diagnosis->server, &question, &answer);
    if (answer.state == DOCTOR_ANSWERED)
        print_step(diagnosis, MARK_OK, "tcp", "answers");
    else
        print_silence(diagnosis, "tcp", &answer, "long answers need it: open TCP port 53");
}

/* How the server classifies this client. */
static void check_whoami(struct diagnosis *diagnosis, struct doctor_answer *answer)
{
    char outcome[STEP_TEXT_MAX];

    diagnosis->is_ours = answer->rcode == RCODE_NOERROR && answer->text[0] != '\0';
    for (char *c = answer->text; *c != '\0'; c++)
        if (*c == '\n')
            *c = c[1] == '\0' ? '\0' : ' ';
    if (diagnosis->is_ours) {
        print_step(diagnosis, MARK_OK, "whoami", "%s", answer->text);
        return;
    }
    doctor_format_rcode(answer->rcode, outcome, sizeof outcome);
    if (answer->rcode == RCODE_REFUSED)
        print_step(
            diagnosis, MARK_FAIL, "whoami",
            "REFUSED%s%s; ask from a dyno, a VPC with an active peering, or a network behind a "
            "VPN that is up",
            answer->ede[0] == '\0' ? "" : ": ", answer->ede);
    else
        print_step(
            diagnosis, MARK_FAIL, "whoami",
            "%s: this nameserver is not spacedns and does not forward its names there; clients "
            "that ask it get other answers. Have it forward them (spacedns snippet), or take it "
            "out of resolv.conf",
            outcome);
}

/* glibc asks for A and AAAA at once from one socket; musl gives up when one of them is an error. */
static bool check_both(struct diagnosis *diagnosis, struct doctor_answer *answers)
{
    const struct doctor_question question[] = {
        {.name = diagnosis->query_name, .type = TYPE_A, .with_edns = diagnosis->with_edns},
        {.name = diagnosis->query_name, .type = TYPE_AAAA, .with_edns = diagnosis->with_edns}};
    char first[32], second[32];

    doctor_ask_udp(diagnosis->server, question, QUESTIONS_AT_ONCE, answers);
    bool has_both = answers[0].state == DOCTOR_ANSWERED && answers[1].state == DOCTOR_ANSWERED;
    if (!has_both) {
        print_step(
            diagnosis, MARK_FAIL, "a+aaaa",
            "asked at once from one port, %s no answer, and clients wait seconds for it; set "
            "`options single-request-reopen` in resolv.conf, or fix the firewall on the way",
            answers[0].state == DOCTOR_ANSWERED   ? "AAAA gets"
            : answers[1].state == DOCTOR_ANSWERED ? "A gets"
                                                  : "both get");
        return false;
    }
    doctor_format_rcode(answers[0].rcode, first, sizeof first);
    doctor_format_rcode(answers[1].rcode, second, sizeof second);
    if (answers[0].rcode != answers[1].rcode)
        print_step(
            diagnosis, MARK_FAIL, "a+aaaa",
            "A gets %s and AAAA gets %s: clients that ask both may take the name for missing; the "
            "server behind this nameserver should answer both alike",
            first, second);
    else
        print_step(diagnosis, MARK_OK, "a+aaaa", "both answered at once: %s", first);
    return true;
}

static void check_name(struct diagnosis *diagnosis, const struct doctor_answer *answer)
{
    struct doctor_question question = {
        .name = diagnosis->why, .type = TYPE_TXT, .with_edns = diagnosis->with_edns};
    struct doctor_answer why = {0};
    char addresses[ADDRESSES_TEXT_MAX], outcome[STEP_TEXT_MAX / 2], verdict[STEP_TEXT_MAX / 4];
    char cause[STEP_TEXT_MAX / 2];

    if (diagnosis->is_ours)
        doctor_ask_udp(diagnosis->server, &question, 1, &why);
    const char *decided = doctor_line(why.text, "verdict=", verdict, sizeof verdict);
    format_addresses(answer, addresses);
    format_outcome(answer, outcome, sizeof outcome);
    if (decided != NULL && !doctor_agrees(why.text, answer)) {
        print_step(
            diagnosis, MARK_FAIL, "name",
            "%s gets %s, but the server decides %s: something between keeps an old answer, or "
            "takes private addresses out (rebinding protection; see spacedns snippet)",
            diagnosis->name, addresses[0] == '\0' ? outcome : addresses, decided);
        return;
    }
    if (answer->address_count > 0) {
        print_step(diagnosis, MARK_OK, "name", "%s has %s", diagnosis->name, addresses);
        return;
    }
    doctor_format_cause(why.text, answer->ede[0] != '\0', cause, sizeof cause);
    print_step(diagnosis, MARK_FAIL, "name", "%s gets %s%s", diagnosis->name, outcome, cause);
}

/* A client may take any nameserver's answer, so all must give the same. */
static void compare_with_first(struct diagnosis *diagnosis, const struct doctor_answer *answer)
{
    char here[ADDRESSES_TEXT_MAX], there[ADDRESSES_TEXT_MAX];

    if (!diagnosis->has_first) {
        diagnosis->first = *answer;
        diagnosis->has_first = true;
        return;
    }
    format_addresses(answer, here);
    format_addresses(&diagnosis->first, there);
    if (answer->rcode != diagnosis->first.rcode || strcmp(here, there) != 0)
        print_step(
            diagnosis, MARK_FAIL, "same",
            "this nameserver's answer for %s is not the first one's; clients take either, so name "
            "only nameservers that know the same",
            diagnosis->name);
}

static void check_server(struct diagnosis *diagnosis)
{
    struct doctor_answer answer, both[QUESTIONS_AT_ONCE];

    endpoint_write(diagnosis->server, diagnosis->hop);
    if (diagnosis->steps == NULL)
        fprintf(diagnosis->out, "nameserver %s\n", diagnosis->hop);
    if (!check_udp(diagnosis, &answer))
        return;
    check_tcp(diagnosis);
    check_whoami(diagnosis, &answer);
    if (!check_both(diagnosis, both) || diagnosis->name == NULL)
        return;
    check_name(diagnosis, &both[0]);
    compare_with_first(diagnosis, &both[0]);
}

static void check_servers(struct diagnosis *diagnosis, const struct doctor_conf *conf)
{
    if (conf->names_none)
        print_step(diagnosis, MARK_NOTE, "servers",
                   "names no nameserver that can be used, so clients use 127.0.0.1; write a line "
                   "`nameserver ADDR`");
    else if (conf->ignored > 0)
        print_step(
            diagnosis, MARK_NOTE, "servers",
            "%zu nameserver line%s not used: clients ask the first three, and addresses only",
            conf->ignored, conf->ignored == 1 ? " is" : "s are");
    else
        print_step(diagnosis, MARK_OK, "servers", "%zu", conf->server_count);
}

static void check_conf(struct diagnosis *diagnosis, const char *path)
{
    const struct doctor_conf *conf = &diagnosis->conf;
    unsigned waste = diagnosis->name == NULL ? 0 : doctor_conf_waste(conf, diagnosis->name);

    snprintf(diagnosis->hop, sizeof diagnosis->hop, "resolv.conf");
    if (diagnosis->steps == NULL)
        escape_printf(diagnosis->out, "%s\n", path);
    check_servers(diagnosis, conf);
    if (waste > 0)
        print_step(diagnosis, MARK_NOTE, "search",
                   "a lookup of %s sends %u useless queries first (%zu search suffixes, ndots:%u); "
                   "write it with a dot at the end, or set `options ndots:1`",
                   diagnosis->name, waste, conf->search_count, conf->ndots);
    else if (diagnosis->name != NULL && strchr(diagnosis->name, '.') == NULL)
        print_step(diagnosis, MARK_NOTE, "search",
                   "%s has no dot; an app's name is looked up with its suffix, as in "
                   "%s.herokuapp.com",
                   diagnosis->name, diagnosis->name);
    else
        print_step(diagnosis, MARK_OK, "search", "%zu suffixes, ndots:%u: no useless queries",
                   conf->search_count, conf->ndots);
}

/* Makes the names of the queries. Returns false when one is not a name, or too long. */
static bool make_names(struct diagnosis *diagnosis, const char *suffix)
{
    char text[NAME_MAX_OCTETS + 64];

    snprintf(text, sizeof text, "_whoami.%s", suffix);
    bool is_good = name_from_text(text, &diagnosis->whoami);
    if (diagnosis->name == NULL) {
        snprintf(text, sizeof text, "upcheck.%s", suffix);
        return is_good && name_from_text(text, &diagnosis->query_name);
    }
    if (diagnosis->name[0] == '\0' || strlen(diagnosis->name) > NAME_MAX_OCTETS)
        return false;
    snprintf(text, sizeof text, "_why.%s", diagnosis->name);
    return is_good && name_from_text(diagnosis->name, &diagnosis->query_name) &&
           name_from_text(text, &diagnosis->why);
}

static void finish(struct diagnosis *diagnosis)
{
    if (diagnosis->steps != NULL)
        print_json(diagnosis->steps, diagnosis->out);
    else if (diagnosis->failures == 0)
        fputs("All is well.\n", diagnosis->out);
    else
        fprintf(diagnosis->out, "%u of these fail%s.\n", diagnosis->failures,
                diagnosis->failures == 1 ? "s" : "");
}

/* A name that no client looks up, as an app's name alone or an address, has a likely meaning. */
static bool is_looked_up(const char *name, struct err *err)
{
    uint32_t address;

    if (ipv4_read(name, &address))
        return err_set(err, ERR_SYNTAX,
                       "%s is an address, and doctor looks up names; who is there: spacedns whoami "
                       "--from %s",
                       name, name);
    if (name[strcspn(name, " \t/:@")] != '\0')
        return err_set(err, ERR_SYNTAX,
                       "%.80s is not a domain name; write the host name alone, such as "
                       "api.example.com",
                       name);
    return domain_is_ascii(name, err);
}

/* Reads the file and makes the names. Returns false with *err. */
static bool prepare(struct diagnosis *diagnosis, const struct diagnosis_request *request,
                    struct err *err)
{
    *diagnosis = (struct diagnosis){.out = request->out, .name = request->name};
    if (request->name != NULL && !is_looked_up(request->name, err))
        return false;
    if (!make_names(diagnosis, request->suffix))
        return err_set(err, ERR_SYNTAX,
                       "`%.80s` is not a domain name; write one such as api.example.com",
                       request->name == NULL ? request->suffix : request->name);
    return doctor_conf_read(request->resolv_conf, &diagnosis->conf, err);
}

enum diagnosis_result diagnosis_run(const struct diagnosis_request *request, struct err *err)
{
    struct diagnosis diagnosis;

    if (!prepare(&diagnosis, request, err))
        return DIAGNOSIS_REFUSED;
    diagnosis.steps = request->is_json ? json_array() : NULL;
    check_conf(&diagnosis, request->resolv_conf);
    for (size_t i = 0; i < diagnosis.conf.server_count; i++) {
        diagnosis.server = &diagnosis.conf.servers[i];
        check_server(&diagnosis);
    }
    finish(&diagnosis);
    return diagnosis.failures == 0 ? DIAGNOSIS_WELL : DIAGNOSIS_ILL;
}

static void print_identity(const struct diagnosis_request *request, char *text)
{
    json_t *fields = json_object();
    char *rest = NULL;

    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char *value = strchr(line, '=');
        if (!request->is_json)
            escape_printf(request->out, "%s\n", line);
        if (value == NULL)
            continue;
        *value++ = '\0';
        json_object_set_new(fields, line, print_text(value, strlen(value)));
    }
    if (request->is_json)
        print_json(fields, request->out);
    else
        json_decref(fields);
}

enum diagnosis_result diagnosis_whoami(const struct diagnosis_request *request, struct err *err)
{
    struct diagnosis diagnosis;
    struct doctor_answer answer = {.state = DOCTOR_NO_ANSWER};
    char outcome[STEP_TEXT_MAX / 2] = "no answer";

    if (!prepare(&diagnosis, request, err))
        return DIAGNOSIS_REFUSED;
    const struct doctor_question question = {
        .name = diagnosis.whoami, .type = TYPE_TXT, .with_edns = true};
    for (size_t i = 0; i < diagnosis.conf.server_count; i++) {
        doctor_ask_udp(&diagnosis.conf.servers[i], &question, 1, &answer);
        if (answer.state != DOCTOR_ANSWERED)
            continue;
        if (answer.rcode == RCODE_NOERROR && answer.text[0] != '\0') {
            print_identity(request, answer.text);
            return DIAGNOSIS_WELL;
        }
        format_outcome(&answer, outcome, sizeof outcome);
    }
    err_set(err, ERR_RULE, "no nameserver of %s knows this client: %s; doctor finds the cause",
            request->resolv_conf, outcome);
    return DIAGNOSIS_ILL;
}
