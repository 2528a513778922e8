/**
 * The text is read back by ldns, and its records are compared with the answers to the same client,
 * over every name that the zone files declare and those next to them.
 */
#include "spacedns/zonefile.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "space/parse.h"
#include "support/names.h"
#include "support/suite.h"
#include "support/world.h"
#include "support/zones.h"
#include "wire/types.h"

static struct world world;
static struct zonefile zonefile;
static char *text;

static void set_up(const char *file)
{
    world_init(&world);
    scratch_copy(&world.folder, file);
    world_must_load(&world);
    zonefile.snapshot = world.snapshot;
    zonefile.segment = world.snapshot->segments[0];
}

/* Sets `text` for the client. */
static void print(void)
{
    size_t length;
    FILE *out = open_memstream(&text, &length);

    ck_assert(zonefile_print(&zonefile, false, out));
    fclose(out);
}

static ldns_rr_list *read_back(void)
{
    ldns_zone *zone = NULL;
    int line = 0;
    FILE *in = fmemopen(text, strlen(text), "r");
    ldns_status status = ldns_zone_new_frm_fp_l(&zone, in, NULL, 0, LDNS_RR_CLASS_IN, &line);

    ck_assert_msg(status == LDNS_STATUS_OK, "line %d: %s", line, ldns_get_errorstr_by_id(status));
    fclose(in);
    ldns_rr_list *records = ldns_rr_list_clone(ldns_zone_rrs(zone));
    ldns_zone_deep_free(zone);
    return records;
}

static void ask(const char *name, uint16_t type, struct decoded *reply)
{
    char from[CIDR_TEXT_MAX];

    ipv4_write(zonefile.source.path.source, from);
    world_ask(&world, &(struct ask){.name = name, .type = type, .from = from, .transport = ASK_TCP},
              reply);
}

/* Every record of the text is an answer. */
static void check_answers(const ldns_rr_list *records)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(records); i++) {
        const ldns_rr *record = ldns_rr_list_rr(records, i);
        char *name = ldns_rdf2str(ldns_rr_owner(record));
        char wanted[DECODED_RECORD_MOST], got[DECODED_RECORD_MOST];
        struct decoded reply;
        bool is_there = false;
        ask(name, (uint16_t)ldns_rr_get_type(record), &reply);
        record_print(record, wanted);
        for (size_t j = 0; j < reply.answer_count; j++) {
            record_print(decoded_record(&reply, LDNS_SECTION_ANSWER, j), got);
            is_there = is_there || strcmp(got, wanted) == 0;
        }
        ck_assert_msg(is_there, "not answered: %s", wanted);
        decoded_close(&reply);
        free(name);
    }
}

/* Has the text the record, under its own name or as "*" in place of its first labels? */
static bool has_record(const ldns_rr_list *records, const char *record)
{
    char found[DECODED_RECORD_MOST];

    for (size_t i = 0; i < ldns_rr_list_rr_count(records); i++) {
        record_print(ldns_rr_list_rr(records, i), found);
        const char *tail = strchr(found, ' '), *wanted_tail = strchr(record, ' ');
        size_t owner = (size_t)(tail - found), wanted_owner = (size_t)(wanted_tail - record);
        if (strcmp(tail, wanted_tail) != 0)
            continue;
        if (found[0] == '*' ? wanted_owner >= owner && strncmp(record + wanted_owner - owner + 1,
                                                               found + 1, owner - 1) == 0
                            : strncmp(record, found, owner + 1) == 0)
            return true;
    }
    return false;
}

/* Texts about the server, and names that every server answers. */
static bool is_of_the_server(const char *name)
{
    static const char *const begins[] = {"_why.",    "_dynos.",  "_apps.",    "_whoami.",
                                         "version.", "upcheck.", "localhost."};

    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++)
        if (strncmp(name, begins[i], strlen(begins[i])) == 0 || strstr(name, ".localhost.") != NULL)
            return true;
    return false;
}

/* Every answer's records of the name that was asked for are in the text. */
static size_t check_name(const ldns_rr_list *records, const char *name)
{
    static const uint16_t types[] = {TYPE_A,   TYPE_AAAA, TYPE_CNAME, TYPE_MX,
                                     TYPE_TXT, TYPE_SRV,  TYPE_PTR,   TYPE_CAA};
    size_t count = 0;

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct decoded reply;
        ask(name, types[i], &reply);
        for (size_t j = 0; j < reply.answer_count; j++) {
            char record[DECODED_RECORD_MOST];
            record_print(decoded_record(&reply, LDNS_SECTION_ANSWER, j), record);
            if (strncmp(record, name, strlen(name)) != 0)
                continue;
            ck_assert_msg(has_record(records, record), "not in the text: %s", record);
            count++;
        }
        decoded_close(&reply);
    }
    return count;
}

static size_t check_names(const ldns_rr_list *records, const char *file)
{
    struct arena *arena = arena_new();
    struct report *report = report_new();
    char *zone = zone_text(file);
    const struct space *space = space_parse(arena, file, zone, strlen(zone), report);
    struct names names;
    size_t count = 0;

    names_init(&names, &space, 1);
    for (size_t i = 0; i < names.count; i++) {
        for (char *c = names.items[i]; *c != '\0'; c++)
            *c = (char)tolower((unsigned char)*c);
        if (!is_of_the_server(names.items[i]))
            count += check_name(records, names.items[i]);
    }
    names_close(&names);
    free(zone);
    report_free(report);
    arena_free(arena);
    return count;
}

static const struct {
    const char *file;
    enum client_class class;
    size_t least; /* records */
} clients[] = {
    {"zones/test-space.yaml", CLIENT_SPACE, 30},
    {"zones/test-space.yaml", CLIENT_PEERED, 12},
    {"zones/test-space.yaml", CLIENT_VPN, 12},
    {"tests/zones_good/every-shape.yaml", CLIENT_SPACE, 30},
    {"tests/zones_good/every-shape.yaml", CLIENT_PEERED, 12},
    {"tests/zones_good/every-shape.yaml", CLIENT_VPN, 12},
};

TEST_OVER(the_text_has_exactly_the_records_that_the_server_answers, clients)
{
    set_up(clients[_i].file);
    ck_assert(zonefile_find_client(&zonefile, clients[_i].class));
    print();
    ldns_rr_list *records = read_back();
    ck_assert_uint_ge(ldns_rr_list_rr_count(records), clients[_i].least);
    check_answers(records);
    ck_assert_uint_ge(check_names(records, clients[_i].file), clients[_i].least);
    ldns_rr_list_deep_free(records);
    free(text);
    world_close(&world);
}

TEST(a_name_without_a_record_has_the_reason_and_the_remedy)
{
    set_up("zones/test-space.yaml");
    ck_assert(zonefile_find_client(&zonefile, CLIENT_SPACE));
    print();
    const char *name = strstr(text, "; sleepy-river-2739.herokuapp.com A\n");
    ck_assert_ptr_nonnull(name);
    ck_assert_ptr_nonnull(strstr(name, "\n;   remedy=every web dyno of the app has crashed: "));
    ck_assert_ptr_nonnull(strstr(name, "\n;   verdict=NOERROR without data: Q10 app crashed: "));
    free(text);
    world_close(&world);
}

TEST(an_outsider_gets_comments_alone)
{
    set_up("zones/test-space.yaml");
    ck_assert(zonefile_find_client(&zonefile, CLIENT_EXTERNAL));
    print();
    ck_assert_int_eq(strncmp(text, "; Space test-space for clients of class external.\n", 50), 0);
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1)
        ck_assert_msg(*line == ';' || *line == '\n', "%.*s", (int)strcspn(line, "\n"), line);
    ck_assert_ptr_nonnull(strstr(text, "verdict=REFUSED: Q18 "));
    free(text);
    world_close(&world);
}

TEST(a_space_without_such_a_connection_has_no_client_of_the_class)
{
    set_up("tests/zones_good/other-space.yaml");
    for (enum client_class class = CLIENT_SPACE; class <= CLIENT_EXTERNAL; class ++) {
        bool has_one = zonefile_find_client(&zonefile, class);
        struct client client;
        client_classify(world.snapshot, &zonefile.source.path, &client);
        ck_assert(!has_one || client_class(&client) == class);
        ck_assert(has_one || class == CLIENT_PEERED);
    }
    ck_assert(!zonefile_find_client(&zonefile, CLIENT_PEERED));
    world_close(&world);
}

/* Its client comes by the device; by any other way it would be an outsider. */
TEST(the_client_of_a_connection_with_a_device_comes_by_it)
{
    world_init(&world);
    world_must_load_text(&world,
                         "space: a-space\nrouters: [10.0.0.37]\nvpns:\n"
                         "  - {name: a, status: active, routable_cidrs: [172.18.0.0/16], "
                         "device: ipsec0}\n"
                         "apps:\n  - name: app-one\n    internal_routing: true\n"
                         "    formation: {web: {dynos: [{number: 1, private_ip: 10.0.130.1}]}}\n");
    zonefile.snapshot = world.snapshot;
    zonefile.segment = world.snapshot->segments[0];
    ck_assert(zonefile_find_client(&zonefile, CLIENT_VPN));
    ck_assert_str_eq(zonefile.source.device, "ipsec0");
    print();
    ck_assert_ptr_nonnull(strstr(text, "10.0.0.37"));
    ck_assert(zonefile_find_client(&zonefile, CLIENT_SPACE));
    ck_assert_str_eq(zonefile.source.device, "");
    free(text);
    world_close(&world);
}
