#include "spacedns/zonefile.h"

#include <jansson.h>
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "decide/explain.h"
#include "inspect/print.h"
#include "inspect/space_names.h"
#include "respond/respond.h"
#include "wire/types.h"

enum {
    REQUEST_MOST = 12 + NAME_MAX_OCTETS + 4,
    NAME_TEXT_MOST = 4 * NAME_MAX_OCTETS + 16,
    TYPE_TEXT_MOST = 32,
    STEPS_KNOWN = 2, /* the first steps name the question and the client */
};

/* The state of printing. */
struct printing {
    const struct zonefile *zonefile;
    struct client client;
    uint8_t *reply;
    const struct app_entry *app; /* of the last heading */
    bool has_heading;
    bool has_failed;
    json_t *records, *missing; /* NULL: text output */
    struct explanation last; /* of the last name without a record; count 0: none since a heading */
    FILE *out;
};

/* ---- the client ---- */

static bool has_class(const struct zonefile *zonefile, uint32_t address, enum client_class class)
{
    const struct snapshot *snapshot = zonefile->snapshot;
    struct path path = explain_path(snapshot, &zonefile->source);
    struct client client;

    path.source = address;
    client_classify(snapshot, &path, &client);
    for (uint32_t i = 0; i < client.count; i++)
        if (snapshot->segments[client.memberships[i].segment] == zonefile->segment)
            return client.memberships[i].class == class;
    return false;
}

static bool take_address(struct zonefile *zonefile, uint32_t address, enum client_class class)
{
    if (!has_class(zonefile, address, class))
        return false;
    zonefile->source.path.source = address;
    return true;
}

static bool take_block(struct zonefile *zonefile, struct cidr block, enum client_class class)
{
    return take_address(zonefile, cidr_first(block), class) ||
           take_address(zonefile, cidr_last(block), class);
}

bool zonefile_find_client(struct zonefile *zonefile, enum client_class class)
{
    const struct segment *segment = zonefile->segment;
    uint32_t destination = segment->listen_count > 0 ? segment->listen[0] : 0;

    zonefile->source = (struct explain_source){.path.destination = destination};
    if (class == CLIENT_EXTERNAL) {
        zonefile->source.path.is_ipv6 = true;
        return true;
    }
    if (segment->dyno_count > 0 && take_address(zonefile, segment->dynos[0].ip, class))
        return true;
    if (take_block(zonefile, segment->cidr, class))
        return true;
    for (size_t i = 0; i < segment->connection_count; i++) {
        const struct connection *connection = &segment->connections[i];
        snprintf(zonefile->source.device, sizeof zonefile->source.device, "%s",
                 connection->device == NULL ? "" : connection->device);
        for (size_t j = 0; j < connection->block_count; j++)
            if (take_block(zonefile, connection->blocks[j], class))
                return true;
    }
    return false;
}

/* ---- one question ---- */

/* Asks over TCP, so that nothing is cut. */
static ldns_pkt *ask(struct printing *printing, const struct query *query)
{
    uint8_t request[REQUEST_MOST];
    struct writer out = writer_over(request, sizeof request);
    ldns_pkt *packet = NULL;

    write16(&out, 0);
    write16(&out, FLAG_RD);
    write16(&out, 1);
    write16(&out, 0);
    write32(&out, 0);
    write_octets(&out, query->name.octets, query->name.length);
    write16(&out, query->type);
    write16(&out, query->class);
    struct exchange exchange = {
        .request = request,
        .request_length = (size_t)(out.next - out.start),
        .path = printing->zonefile->source.path,
        .transport = TRANSPORT_TCP,
        .reply = printing->reply,
    };
    size_t length = respond(printing->zonefile->snapshot, &exchange);
    return ldns_wire2pkt(&packet, printing->reply, length) == LDNS_STATUS_OK ? packet : NULL;
}

static json_t *json_record(const ldns_rr *record)
{
    char *owner = ldns_rdf2str(ldns_rr_owner(record));
    char *type = ldns_rr_type2str(ldns_rr_get_type(record));
    ldns_buffer *data = ldns_buffer_new(LDNS_MIN_BUFLEN);

    for (size_t i = 0; i < ldns_rr_rd_count(record); i++) {
        if (i > 0)
            ldns_buffer_printf(data, " ");
        ldns_rdf2buffer_str(data, ldns_rr_rdf(record, i));
    }
    char *text = ldns_buffer_export2str(data);
    json_t *json =
        json_pack("{s:s, s:I, s:s, s:s, s:s}", "name", owner, "ttl",
                  (json_int_t)ldns_rr_ttl(record), "class", "IN", "type", type, "data", text);
    ldns_buffer_free(data);
    free(text);
    free(type);
    free(owner);
    return json;
}

/* Prints the answer's records of the name itself: what aliases lead to has its own line. */
static size_t print_records(struct printing *printing, const struct query *query,
                            const ldns_pkt *packet)
{
    const ldns_rr_list *answer = ldns_pkt_answer(packet);
    size_t count = 0;

    for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++) {
        const ldns_rr *record = ldns_rr_list_rr(answer, i);
        const ldns_rdf *owner = ldns_rr_owner(record);
        if (!name_equals(&query->name, ldns_rdf_data(owner), ldns_rdf_size(owner)))
            continue;
        count++;
        if (printing->records != NULL)
            json_array_append_new(printing->records, json_record(record));
        else
            ldns_rr_print(printing->out, record);
    }
    return count;
}

static json_t *json_steps(const struct explanation *explanation)
{
    json_t *steps = json_array();

    for (unsigned i = STEPS_KNOWN; i < explanation->count; i++)
        json_array_append_new(
            steps, print_text(explanation->steps[i].octets, explanation->steps[i].length));
    return steps;
}

static bool is_same(const struct explanation *a, const struct explanation *b)
{
    bool is_same_so_far = a->count == b->count;

    for (unsigned i = STEPS_KNOWN; is_same_so_far && i < a->count; i++)
        is_same_so_far = a->steps[i].length == b->steps[i].length &&
                         memcmp(a->steps[i].octets, b->steps[i].octets, a->steps[i].length) == 0;
    return is_same_so_far;
}

static void print_comment(struct printing *printing, const char *name, const char *type,
                          const char *note, const struct explanation *explanation)
{
    bool is_repeated = is_same(explanation, &printing->last);

    fprintf(printing->out, "; %s %s%s\n", name, type, is_repeated ? ": as above" : "");
    if (note[0] != '\0')
        fprintf(printing->out, ";   %s\n", note);
    for (unsigned i = STEPS_KNOWN; i < explanation->count && !is_repeated; i++)
        escape_printf(printing->out, ";   %.*s\n", (int)explanation->steps[i].length,
                      explanation->steps[i].octets);
    printing->last = *explanation;
}

/* What decide() does not know of: it takes a pending domain for a name that is not declared. */
static const char *note_on(const struct host *host)
{
    return host != NULL && host->kind == HOST_PENDING
               ? "pending, so not answered: give it its cname; remove `status: pending` if that is "
                 "there"
               : "";
}

/* Prints why the name has no record. */
static void print_missing(struct printing *printing, const struct query *query,
                          const struct host *host, const struct explanation *explanation)
{
    char name[NAME_TEXT_MOST] = "", type[TYPE_TEXT_MOST] = "";
    struct text name_text = text_over(name, sizeof name - 1);
    struct text type_text = text_over(type, sizeof type - 1);

    name_add(&name_text, query->name.octets);
    type_add(&type_text, query->type);
    if (printing->missing != NULL)
        json_array_append_new(printing->missing,
                              json_pack("{s:s, s:s, s:s, s:o}", "name", name, "type", type, "note",
                                        note_on(host), "steps", json_steps(explanation)));
    else
        print_comment(printing, name, type, note_on(host), explanation);
}

static void explain_missing(struct printing *printing, const struct query *query,
                            const struct host *host)
{
    static const struct explain_facts facts = {.for_operator = true};
    const struct snapshot *snapshot = printing->zonefile->snapshot;
    struct explanation explanation;
    struct verdict verdict;

    decide(snapshot, &printing->client, query, index_hash(&snapshot->index, &query->name),
           &verdict);
    explain(snapshot, &printing->client, query, &verdict, &facts, &explanation);
    print_missing(printing, query, host, &explanation);
}

static bool print_question(struct printing *printing, const struct space_name *name, uint16_t type)
{
    const struct query query = {
        .name = name->name, .type = type, .class = CLASS_IN, .flags = FLAG_RD};
    ldns_pkt *packet = ask(printing, &query);

    printing->has_failed = packet == NULL;
    if (packet == NULL)
        return false;
    size_t count = print_records(printing, &query, packet);
    ldns_pkt_free(packet);
    /* An address without a name is the usual case, and its dyno has a comment already. */
    if (count == 0 && type != TYPE_PTR)
        explain_missing(printing, &query, name->host);
    return true;
}

/* ---- all of them ---- */

static void print_heading(struct printing *printing, const struct space_name *name)
{
    const struct segment *segment = printing->zonefile->segment;

    if (printing->has_heading && printing->app == name->app)
        return;
    printing->has_heading = true;
    printing->app = name->app;
    printing->last.count = 0;
    if (printing->records != NULL)
        return;
    if (name->app == NULL)
        fputs("\n; the space's own: static records and routers\n", printing->out);
    else
        fprintf(printing->out, "\n; app %.*s\n", (int)name->app->name_length,
                segment_text(segment, name->app->name));
}

static bool is_first_of_type(const struct record_entry *records, size_t number)
{
    for (size_t i = 0; i < number; i++)
        if (records[i].type == records[number].type)
            return false;
    return true;
}

static bool print_name(void *context, const struct space_name *name)
{
    struct printing *printing = context;
    const struct host *host = name->host;

    print_heading(printing, name);
    if (host == NULL || host->kind != HOST_RECORDS)
        return print_question(printing, name, name->type);
    const struct record_entry *records = printing->zonefile->segment->records + host->owner;
    for (size_t i = 0; i < host->record_count; i++)
        if (is_first_of_type(records, i) && !print_question(printing, name, records[i].type))
            return false;
    return true;
}

/* Empty for no one IPv6 address. */
static void write_address(const struct explain_source *source, char *out)
{
    if (source->path.is_ipv6)
        snprintf(out, INET6_ADDRSTRLEN, "%s", source->ipv6);
    else
        ipv4_write(source->path.source, out);
}

static void print_head(const struct printing *printing)
{
    char address[INET6_ADDRSTRLEN];

    write_address(&printing->zonefile->source, address);
    fprintf(
        printing->out,
        "; Space %s for clients of class %s%s%s.\n"
        "; The names are in several zones, so there is no SOA and no NS record. Below a name in\n"
        "; a comment stands why it has no record, as `spacedns explain` prints it.\n",
        printing->zonefile->segment->name, class_text(client_class(&printing->client)),
        address[0] == '\0' ? "" : ", asked as ", address);
}

static void print_all_json(struct printing *printing)
{
    char address[INET6_ADDRSTRLEN];

    write_address(&printing->zonefile->source, address);
    json_t *json = json_pack(
        "{s:s, s:s, s:s*, s:o, s:o}", "space", printing->zonefile->segment->name, "class",
        class_text(client_class(&printing->client)), "from", address[0] == '\0' ? NULL : address,
        "records", printing->records, "missing", printing->missing);

    printing->has_failed = printing->has_failed || json == NULL;
    print_json(json, printing->out);
}

bool zonefile_print(const struct zonefile *zonefile, bool is_json, FILE *out)
{
    struct printing printing = {
        .zonefile = zonefile,
        .out = out,
        .reply = malloc(TCP_OCTETS_MOST),
        .records = is_json ? json_array() : NULL,
        .missing = is_json ? json_array() : NULL,
    };

    if (printing.reply == NULL)
        return false;
    const struct path path = explain_path(zonefile->snapshot, &zonefile->source);
    client_classify(zonefile->snapshot, &path, &printing.client);
    if (!is_json)
        print_head(&printing);
    space_names_walk(zonefile->snapshot, zonefile->segment, UINT32_MAX, print_name, &printing);
    if (is_json)
        print_all_json(&printing);
    free(printing.reply);
    return !printing.has_failed;
}
