#include "control/asking.h"

#include <arpa/inet.h>
#include <string.h>

#include <jansson.h>

#include "base/suggest.h"
#include "control/print.h"
#include "decide/explain.h"
#include "wire/types.h"

enum { NAME_TEXT_MOST = 4 * NAME_MAX_OCTETS };

/* ---- reading ---- */

static bool is_digit(char letter)
{
    return letter >= '0' && letter <= '9';
}

/* One octet of a label, `\.` and `\046` too. Returns how many letters it took, 0 for none. */
static size_t read_octet(const char *text, uint8_t *octet)
{
    *octet = (uint8_t)text[0];
    if (text[0] != '\\')
        return 1;
    *octet = (uint8_t)text[1];
    if (!is_digit(text[1]))
        return text[1] == '\0' ? 0 : 2;
    if (!is_digit(text[2]) || !is_digit(text[3]))
        return 0;
    int value = (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
    *octet = (uint8_t)value;
    return value > UINT8_MAX ? 0 : 4;
}

/* A label in wire form, at most 64 octets. Returns false when it is empty or too long. */
static bool read_label(const char **text, uint8_t *wire)
{
    unsigned length = 0;

    while (**text != '\0' && **text != '.') {
        uint8_t octet;
        size_t took = read_octet(*text, &octet);
        if (took == 0 || length == LABEL_MAX_OCTETS)
            return false;
        wire[++length] = octet;
        *text += took;
    }
    wire[0] = (uint8_t)length;
    *text += **text == '.';
    return length > 0;
}

static bool read_name(const char *text, struct name *name)
{
    uint8_t wire[NAME_MAX_OCTETS + LABEL_MAX_OCTETS + 2];
    size_t length = 0;

    if (strcmp(text, ".") == 0)
        text++;
    else if (*text == '\0')
        return false;
    while (*text != '\0') {
        if (length >= NAME_MAX_OCTETS || !read_label(&text, wire + length))
            return false;
        length += wire[length] + 1U;
    }
    wire[length++] = 0;
    struct reader in = reader_over(wire, length);
    return name_read(&in, name);
}

static bool read_type(const char *text, uint16_t *type, struct err *err)
{
    static const char *const names[] = {
#define TYPE(name, number) #name,
#include "wire/types.def"
    };

    if (type_read(text, type))
        return true;
    const char *near = suggest_among(text, names, sizeof names / sizeof names[0]);
    return err_set(err, ERR_SYNTAX, "%.80s is not a record type%s%s%s; write one as A or TYPE65",
                   text, near == NULL ? "" : "; did you mean ", near == NULL ? "" : near,
                   near == NULL ? "" : "?");
}

bool asking_read_source(const char *text, struct asker *asker)
{
    struct path *path = &asker->path;
    struct in6_addr address;

    path->is_ipv6 = false;
    asker->ipv6[0] = '\0';
    if (ipv4_read(text, &path->source))
        return true;
    if (inet_pton(AF_INET6, text, &address) != 1)
        return false;
    path->source = 0;
    if (IN6_IS_ADDR_V4MAPPED(&address))
        path->source = load32(address.s6_addr + 12);
    else if (IN6_IS_ADDR_LOOPBACK(&address))
        path->source = INADDR_LOOPBACK;
    else
        path->is_ipv6 = inet_ntop(AF_INET6, &address, asker->ipv6, sizeof asker->ipv6) != NULL;
    return true;
}

static bool read_asker(const struct invocation *invocation, struct asker *asker, struct err *err)
{
    const char *from = invocation->options[OPTION_FROM];
    const char *to = invocation->options[OPTION_TO];

    if (from == NULL)
        return err_set(err, ERR_SYNTAX,
                       "who asks decides the answer; add --from ADDR, the client's address");
    if (!asking_read_source(from, asker))
        return err_set(err, ERR_SYNTAX, "--from: %.80s is not an address; write one as 10.0.130.56",
                       from);
    if (to != NULL && !ipv4_read(to, &asker->path.destination))
        return err_set(err, ERR_SYNTAX,
                       "--to: %.80s is not an IPv4 address; write one that the server listens on",
                       to);
    return true;
}

bool asking_read(const struct invocation *invocation, struct asking *asking, struct err *err)
{
    const char *name = invocation_operand(invocation, 0);
    const char *type = invocation->options[OPTION_TYPE];
    struct query *query = &asking->query;
    uint32_t address;

    *asking = (struct asking){.query = {.type = TYPE_A, .class = CLASS_IN, .flags = FLAG_RD}};
    if (ipv4_read(name, &address))
        return err_set(err, ERR_SYNTAX,
                       "%s is an address; for its name ask %u.%u.%u.%u.in-addr.arpa --type PTR",
                       name, (unsigned)(address & 0xff), (unsigned)(address >> 8 & 0xff),
                       (unsigned)(address >> 16 & 0xff), (unsigned)(address >> 24));
    if (!read_name(name, &query->name))
        return err_set(err, ERR_SYNTAX,
                       "%.80s is not a domain name; write labels of 1 to 63 octets with dots "
                       "between, 253 in all",
                       name);
    if (type != NULL && !read_type(type, &query->type, err))
        return false;
    return read_asker(invocation, &asking->asker, err);
}

/* ---- telling ---- */

static json_t *json_name(const struct name *name)
{
    char octets[NAME_TEXT_MOST];
    struct text text = text_over(octets, sizeof octets);

    name_add(&text, name->octets);
    return print_text(octets, text_length(&text));
}

static json_t *json_address(const struct asker *asker)
{
    char octets[CIDR_TEXT_MAX];

    ipv4_write(asker->path.source, octets);
    return json_string(asker->path.is_ipv6 ? asker->ipv6 : octets);
}

static json_t *json_reason(const struct snapshot *snapshot, const struct client *client,
                           const struct asking *asking, const struct verdict *verdict)
{
    const struct reason_entry *entry = reason_entry(verdict->reason);
    char octets[EDE_TEXT_OCTETS];
    struct text text = text_over(octets, sizeof octets);

    if (verdict->reason == REASON_NONE)
        return json_null();
    explain_reason(snapshot, client, &asking->query, verdict, &text);
    return json_pack("{s:s, s:s, s:o, s:s}", "code", entry->code, "description", entry->description,
                     "text", print_text(octets, text_length(&text)), "remedy", entry->remedy);
}

static json_t *json_steps(const struct explanation *explanation)
{
    json_t *steps = json_array();

    for (unsigned i = 0; i < explanation->count; i++)
        json_array_append_new(
            steps, print_text(explanation->steps[i].octets, explanation->steps[i].length));
    return steps;
}

static void tell_json(const struct snapshot *snapshot, const struct client *client,
                      const struct asking *asking, const struct verdict *verdict,
                      const struct explanation *explanation, FILE *out)
{
    char type_octets[16], rcode_octets[16];
    struct text type = text_over(type_octets, sizeof type_octets);
    struct text rcode = text_over(rcode_octets, sizeof rcode_octets);

    type_add(&type, asking->query.type);
    rcode_add(&rcode, verdict->rcode);
    bool is_forward = verdict->situation == SITUATION_FORWARD && verdict->reason == REASON_NONE;
    bool has_data = verdict->answer != ANSWER_NONE || verdict_has_cname(verdict);
    json_t *object = json_pack(
        "{s:o, s:o, s:o, s:s, s:b, s:o, s:b, s:o, s:o}", "name", json_name(&asking->query.name),
        "type", print_text(type_octets, text_length(&type)), "from", json_address(&asking->asker),
        "class", class_text(client_class(client)), "forwarded", is_forward, "rcode",
        is_forward ? json_null() : print_text(rcode_octets, text_length(&rcode)), "data", has_data,
        "reason", json_reason(snapshot, client, asking, verdict), "steps", json_steps(explanation));
    print_json(object, out);
}

void asking_tell(const struct snapshot *snapshot, const struct asking *asking, bool is_json,
                 FILE *out)
{
    const struct asker *asker = &asking->asker;
    struct explain_facts facts = {.address = asker->path.is_ipv6 ? asker->ipv6 : NULL};
    struct explanation explanation;
    struct verdict verdict;
    struct client client;

    client_classify(snapshot, &asker->path, &client);
    decide(snapshot, &client, &asking->query, index_hash(&snapshot->index, &asking->query.name),
           &verdict);
    explain(snapshot, &client, &asking->query, &verdict, &facts, &explanation);
    if (is_json) {
        tell_json(snapshot, &client, asking, &verdict, &explanation, out);
        return;
    }
    for (unsigned i = 0; i < explanation.count; i++)
        fprintf(out, "%.*s\n", explanation.steps[i].length, explanation.steps[i].octets);
}

/* ---- who a client is ---- */

static json_t *json_membership(const struct snapshot *snapshot, const struct membership *membership)
{
    const struct segment *segment = snapshot->segments[membership->segment];
    const struct connection *connection =
        membership->connection == ENTRY_NONE ? NULL : &segment->connections[membership->connection];
    uint32_t line = connection == NULL ? segment->at.line : connection->at.line;
    char block[CIDR_TEXT_MAX];

    cidr_write(membership->block, block);
    return json_pack("{s:s, s:s, s:s?, s:s, s:o, s:i}", "space", segment->name, "class",
                     class_text(membership->class), "connection",
                     connection == NULL ? NULL : connection->name, "block", block, "file",
                     print_text(segment->file, strlen(segment->file)), "line", (int)line);
}

static void print_membership(const json_t *membership, FILE *out)
{
    const char *connection = json_string_value(json_object_get(membership, "connection"));
    const char *file = json_string_value(json_object_get(membership, "file"));

    fprintf(out, "class=%s space=%s%s%s because of %s (%s:%d)\n",
            json_string_value(json_object_get(membership, "class")),
            json_string_value(json_object_get(membership, "space")),
            connection == NULL ? "" : " connection=", connection == NULL ? "" : connection,
            json_string_value(json_object_get(membership, "block")), file == NULL ? "?" : file,
            (int)json_integer_value(json_object_get(membership, "line")));
}

void asking_tell_client(const struct snapshot *snapshot, const struct asker *asker, bool is_json,
                        FILE *out)
{
    json_t *memberships = json_array();
    struct client client;
    const json_t *membership;
    size_t index;

    client_classify(snapshot, &asker->path, &client);
    for (uint32_t i = 0; i < client.count; i++)
        json_array_append_new(memberships, json_membership(snapshot, &client.memberships[i]));
    json_t *object = json_pack("{s:o, s:s, s:o}", "address", json_address(asker), "class",
                               class_text(client_class(&client)), "memberships", memberships);
    if (is_json) {
        print_json(object, out);
        return;
    }
    fprintf(out, "address=%s class=%s\n", json_string_value(json_object_get(object, "address")),
            class_text(client_class(&client)));
    json_array_foreach(memberships, index, membership) print_membership(membership, out);
    if (client.count == 0)
        fputs("in no space, active peering or VPN: it gets Q18 for every name\n", out);
    json_decref(object);
}
