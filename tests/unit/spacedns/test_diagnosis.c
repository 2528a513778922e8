// wrap: doctor_ask_udp
#include "spacedns/diagnosis.h"

#include <stdlib.h>
#include <string.h>

#include "spacedns/doctor_ask.h"
#include "support/scratch.h"
#include "support/suite.h"
#include "wire/types.h"

enum { SERVERS_MOST = 2 };

static struct scratch folder;
static char path[SCRATCH_PATH_MOST + 16];
static char *printed;
static size_t printed_length;
static FILE *out;
static struct err err;

/* What the nameservers of resolv.conf answer, in their order. */
static struct doctor_answer answers[SERVERS_MOST];
static size_t asked;

void __wrap_doctor_ask_udp(const struct endpoint *server, const struct doctor_question *question,
                           size_t count, struct doctor_answer *answer);

void __wrap_doctor_ask_udp(const struct endpoint *server, const struct doctor_question *question,
                           size_t count, struct doctor_answer *answer)
{
    (void)server;
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(question->type, TYPE_TXT);
    ck_assert(memcmp(question->name.octets, "\7_whoami\12localspace", 20) == 0);
    *answer = answers[asked++];
}

static void set_up(void)
{
    static const char conf[] = "nameserver 10.0.0.2\nnameserver 10.0.0.3\n";

    scratch_init(&folder);
    scratch_write(&folder, "resolv.conf", conf, strlen(conf));
    snprintf(path, sizeof path, "%s/resolv.conf", folder.path);
    memset(answers, 0, sizeof answers);
    asked = 0;
    out = open_memstream(&printed, &printed_length);
}

static void tear_down(void)
{
    fclose(out);
    free(printed);
    scratch_close(&folder);
}

FIXTURE(set_up, tear_down)

static enum diagnosis_result whoami(bool is_json)
{
    const struct diagnosis_request request = {
        .resolv_conf = path, .suffix = "localspace", .is_json = is_json, .out = out};
    enum diagnosis_result result = diagnosis_whoami(&request, &err);

    fflush(out);
    return result;
}

static void answer_with(size_t server, uint16_t rcode, const char *text)
{
    answers[server] = (struct doctor_answer){.state = DOCTOR_ANSWERED, .rcode = rcode};
    snprintf(answers[server].text, sizeof answers[server].text, "%s", text);
}

TEST(whoami_prints_the_first_answer)
{
    answer_with(0, RCODE_NOERROR, "address=10.0.130.56\nclass=space\n");
    ck_assert_int_eq(whoami(false), DIAGNOSIS_WELL);
    ck_assert_str_eq(printed, "address=10.0.130.56\nclass=space\n");
    ck_assert_uint_eq(asked, 1);
}

TEST(whoami_prints_json)
{
    answer_with(0, RCODE_NOERROR, "address=10.0.130.56\nclass=space\n");
    ck_assert_int_eq(whoami(true), DIAGNOSIS_WELL);
    ck_assert_str_eq(printed, "{\n  \"address\": \"10.0.130.56\",\n  \"class\": \"space\"\n}\n");
}

TEST(a_silent_nameserver_is_passed_over)
{
    answer_with(1, RCODE_NOERROR, "class=peered\n");
    ck_assert_int_eq(whoami(false), DIAGNOSIS_WELL);
    ck_assert_str_eq(printed, "class=peered\n");
}

TEST(an_outsider_is_told_what_the_server_says)
{
    answer_with(1, RCODE_REFUSED, "");
    strcpy(answers[1].ede, "Q18 client is outside"); // NOLINT
    ck_assert_int_eq(whoami(false), DIAGNOSIS_ILL);
    ck_assert_str_eq(printed, "");
    ck_assert_ptr_nonnull(strstr(err.text, "knows this client: REFUSED: Q18 client is outside; "));
}

TEST(nobody_answers)
{
    ck_assert_int_eq(whoami(false), DIAGNOSIS_ILL);
    ck_assert_ptr_nonnull(strstr(err.text, "knows this client: no answer; "));
    ck_assert_uint_eq(asked, 2);
}

TEST(without_resolv_conf_nothing_is_asked)
{
    scratch_remove(&folder, "resolv.conf");
    ck_assert_int_eq(whoami(false), DIAGNOSIS_REFUSED);
    ck_assert_ptr_nonnull(strstr(err.text, "name another with --resolv-conf"));
    ck_assert_uint_eq(asked, 0);
}
