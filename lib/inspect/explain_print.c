#include "inspect/explain_request.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "decide/affinity.h"
#include "decide/alias.h"
#include "decide/explain.h"
#include "decide/outside.h"
#include "inspect/print.h"
#include "wire/types.h"

enum {
    NAME_TEXT_MOST = 4 * NAME_MAX_OCTETS,
    LOCATION_MOST = 4096 + 32,
    OUTSIDE_TEXT_MOST = 1024,
    LIMITED_TEXT_MOST = 256,
};

static json_t *json_name(const struct name *name)
{
    char octets[NAME_TEXT_MOST];
    struct text text = text_over(octets, sizeof octets);

    name_add(&text, name->octets);
    return print_text(octets, text_length(&text));
}

static json_t *json_source(const struct explain_source *source)
{
    char octets[CIDR_TEXT_MAX];

    ipv4_write(source->path.source, octets);
    return json_string(source->path.is_ipv6 ? source->ipv6 : octets);
}

static json_t *json_reason(const struct snapshot *snapshot, const struct client *client,
                           const struct query *query, const struct verdict *verdict)
{
    const struct reason_entry *entry = reason_entry(verdict->reason);
    char octets[EDE_TEXT_OCTETS];
    struct text text = text_over(octets, sizeof octets);

    if (verdict->reason == REASON_NONE)
        return json_null();
    explain_reason(snapshot, client, query, verdict, &text);
    return json_pack("{s:s, s:s, s:o, s:s}", "code", entry->code, "description", entry->description,
                     "text", print_text(octets, text_length(&text)), "remedy", entry->remedy);
}

/* ---- the state of workers ---- */

static bool is_same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool has_same_hops(const struct alias_hops *a, const struct alias_hops *b)
{
    unsigned count = a == NULL ? 0 : a->count;
    bool is_same_so_far = count == (b == NULL ? 0 : b->count);

    for (unsigned i = 0; is_same_so_far && i < count; i++)
        is_same_so_far = name_equals(&a->targets[i], b->targets[i].octets, b->targets[i].length);
    return is_same_so_far;
}

static bool has_same_state(const struct explain_worker *a, const struct explain_worker *b)
{
    return is_same(a->upstreams, b->upstreams) && is_same(a->cached, b->cached) &&
           has_same_hops(a->hops, b->hops);
}

/* Returns the first worker with the same state. */
static size_t find_first(const struct explain_live *live, size_t number)
{
    size_t first = 0;

    while (!has_same_state(&live->workers[first], &live->workers[number]))
        first++;
    return first;
}

static bool all_have_same_state(const struct explain_live *live)
{
    for (size_t i = 0; i < live->count; i++)
        if (live->workers[i].upstreams == NULL || find_first(live, i) != 0)
            return false;
    return live->count > 0;
}

/* Returns the CNAMEs that workers have cached, if equal; workers without any will get the same. */
static const struct alias_hops *find_hops(const struct explain_live *live)
{
    const struct alias_hops *found = NULL;

    for (size_t i = 0; live != NULL && i < live->count; i++) {
        const struct alias_hops *hops = live->workers[i].hops;
        if (hops == NULL || hops->count == 0)
            continue;
        if (found != NULL && !has_same_hops(found, hops))
            return NULL;
        found = hops;
    }
    return found;
}

/*
 * One worker is enough: the others will get the same answer and withhold it, too, or ask the same
 * upstreams, unless one has an answer.
 */
static const struct upstream_outcome *find_outcome(const struct explain_live *live)
{
    const struct upstream_outcome *found = NULL;

    for (size_t i = 0; live != NULL && i < live->count; i++) {
        const struct explain_worker *worker = &live->workers[i];
        if (worker->outcome != NULL && worker->outcome->has_answer)
            return worker->outcome;
        if (worker->has_answer)
            return NULL;
        if (worker->outcome != NULL)
            found = worker->outcome;
    }
    return found;
}

/* Writes one line for a worker and all with the same state. */
static void print_equal_workers(const struct explain_live *live, size_t first, FILE *out)
{
    const struct explain_worker *worker = &live->workers[first];

    fprintf(out, "workers=%zu", first + 1);
    for (size_t i = first + 1; i < live->count; i++)
        if (has_same_state(&live->workers[i], worker))
            fprintf(out, ",%zu", i + 1);
    if (worker->upstreams == NULL)
        fputs(" have not reported; are they overloaded?\n", out);
    else
        fprintf(out, " %s %s\n", worker->upstreams, worker->cached);
}

/* Returns lines for workers of different states, to be freed; NULL if all have the same state. */
static char *format_workers(const struct explain_live *live)
{
    char *lines = NULL;
    size_t length;

    if (live == NULL || all_have_same_state(live))
        return NULL;
    FILE *out = open_memstream(&lines, &length);
    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < live->count; i++)
        if (find_first(live, i) == i)
            print_equal_workers(live, i, out);
    fclose(out);
    return lines;
}

/* ---- the decision ---- */

/* One decision and its explanation. */
struct explained {
    struct client client;
    struct verdict decided; /* on the queried name */
    struct query query;     /* for the last name of the aliases; its verdict: */
    struct verdict verdict;
    const struct upstream_outcome *outcome; /* that the verdict is by; NULL: none */
    struct explanation explanation;
    char *workers;                 /* lines before the last step; NULL: none */
    json_t *live;                  /* borrowed; NULL: none */
    const struct alias_hops *hops; /* of the workers; NULL: none */
};

static void add_lines(json_t *steps, const char *lines)
{
    while (*lines != '\0') {
        size_t length = strcspn(lines, "\n");
        json_array_append_new(steps, print_text(lines, length));
        lines += length + (lines[length] == '\n');
    }
}

static json_t *json_steps(const struct explained *explained)
{
    const struct explanation *explanation = &explained->explanation;
    json_t *steps = json_array();

    for (unsigned i = 0; i < explanation->count; i++) {
        if (i + 1 == explanation->count && explained->workers != NULL)
            add_lines(steps, explained->workers);
        json_array_append_new(
            steps, print_text(explanation->steps[i].octets, explanation->steps[i].length));
    }
    return steps;
}

static void print_lines(const struct explained *explained, FILE *out)
{
    const struct explanation *explanation = &explained->explanation;

    for (unsigned i = 0; i < explanation->count; i++) {
        if (i + 1 == explanation->count && explained->workers != NULL)
            fputs(explained->workers, out);
        fprintf(out, "%.*s\n", explanation->steps[i].length, explanation->steps[i].octets);
    }
}

/* null: not raised. */
static json_t *json_raised(const struct explain_live *live, const struct verdict *verdict)
{
    if (live->raised_ttl_seconds == 0 || verdict->situation != SITUATION_NO_WEB)
        return json_null();
    return json_integer(live->raised_ttl_seconds);
}

/* null: not limited. */
static json_t *json_limited(const struct explain_limited *limited)
{
    if (limited->requests == 0)
        return json_null();
    return json_pack("{s:s, s:I, s:I, s:I}", "who", limited->who, "requests",
                     (json_int_t)limited->requests, "since_seconds", (json_int_t)limited->since_s,
                     "seconds_ago", (json_int_t)limited->ago_s);
}

static void print_decision_json(const struct snapshot *snapshot,
                                const struct explain_request *request,
                                const struct explain_live *live, const struct explained *explained,
                                FILE *out)
{
    const struct client *client = &explained->client;
    const struct verdict *verdict = &explained->verdict;
    char type_octets[16], rcode_octets[16];
    struct text type = text_over(type_octets, sizeof type_octets);
    struct text rcode = text_over(rcode_octets, sizeof rcode_octets);

    type_add(&type, request->query.type);
    rcode_add(&rcode, verdict->rcode);
    bool is_forward = verdict->situation == SITUATION_FORWARD && verdict->reason == REASON_NONE;
    bool has_data = verdict->answer != ANSWER_NONE || verdict_has_cname(verdict);
    json_t *object = json_pack(
        "{s:o, s:o, s:o, s:s, s:b, s:o, s:b, s:o, s:o}", "name", json_name(&request->query.name),
        "type", print_text(type_octets, text_length(&type)), "from", json_source(&request->source),
        "class", class_text(client_class(client)), "forwarded", is_forward, "rcode",
        is_forward ? json_null() : print_text(rcode_octets, text_length(&rcode)), "data", has_data,
        "reason", json_reason(snapshot, client, &explained->query, verdict), "steps",
        json_steps(explained));
    if (explained->live != NULL)
        json_object_set(object, "workers", explained->live);
    if (live != NULL) {
        json_object_set_new(object, "raised_ttl_seconds", json_raised(live, verdict));
        json_object_set_new(object, "limited", json_limited(&live->limited));
    }
    print_json(object, out);
}

/* Writes the line about a limited client. Returns false if it is not, or no longer has a rate. */
static bool format_limited(const struct snapshot *snapshot, const struct client *client,
                           const struct explain_limited *limited, char out[LIMITED_TEXT_MOST])
{
    bool is_outsider = client->count == 0;
    uint32_t rate = is_outsider ? snapshot->policy.external_rate : snapshot->policy.client_rate;

    if (limited->requests == 0 || rate == 0)
        return false;
    snprintf(out, LIMITED_TEXT_MOST,
             "limited=%s requests=%" PRIu64 " since=%" PRIu32 "s last=%" PRIu32
             "s: more than %s=%" PRIu32 " a second; those above it get %s",
             limited->who, limited->requests, limited->since_s, limited->ago_s,
             is_outsider ? "external_rate" : "client_rate", rate,
             is_outsider ? "a truncated reply or none" : "Q60 or no reply");
    return true;
}

/* A state that all workers share becomes a step; different states become lines of their own. */
static void print_steps(const struct snapshot *snapshot, const struct explain_request *request,
                        const struct explain_live *live, struct explained *explained)
{
    const struct explain_source *source = &request->source;
    struct explain_facts facts = {.address = source->path.is_ipv6 ? source->ipv6 : NULL,
                                  .hops = explained->hops,
                                  .outcome = explained->outcome,
                                  .for_operator = true};
    char limited[LIMITED_TEXT_MOST];

    if (live != NULL && format_limited(snapshot, &explained->client, &live->limited, limited))
        facts.limited = limited;
    if (live != NULL)
        facts.raised_ttl_seconds = live->raised_ttl_seconds;
    if (!verdict_is_forwarded(&explained->verdict))
        live = NULL;
    if (live != NULL && all_have_same_state(live)) {
        facts.servers = live->workers[0].upstreams;
        facts.cached = live->workers[0].cached;
    }
    explained->live = live == NULL ? NULL : live->json;
    explained->workers = format_workers(live);
    explain(snapshot, &explained->client, &request->query, &explained->decided, &facts,
            &explained->explanation);
}

void explain_print(const struct snapshot *snapshot, const struct explain_request *request,
                   const struct explain_live *live, bool is_json, FILE *out)
{
    uint64_t hash = index_hash(&snapshot->index, &request->query.name);
    const struct path path = explain_path(snapshot, &request->source);
    struct explained explained;

    client_classify(snapshot, &path, &explained.client);
    decide(snapshot, &explained.client, &request->query, hash, &explained.decided);
    explained.query = request->query;
    explained.verdict = explained.decided;
    explained.hops = find_hops(live);
    alias_resolve(snapshot, &explained.client, explained.hops, &explained.query, &hash,
                  &explained.verdict);
    explained.outcome = find_outcome(live);
    if (explained.verdict.situation == SITUATION_FORWARD && explained.outcome != NULL)
        outcome_decide(snapshot, explained.outcome, &explained.verdict);
    explained.verdict.reason = verdict_inner_reason(&explained.verdict);
    print_steps(snapshot, request, live, &explained);
    if (is_json)
        print_decision_json(snapshot, request, live, &explained, out);
    else
        print_lines(&explained, out);
    free(explained.workers);
}

/* ---- clients ---- */

/* Adds the dyno that the client is, if it is published. */
static void add_dyno(json_t *object, const struct segment *segment, const struct client *client)
{
    uint32_t number = segment_find_dyno(segment, client->address);

    if (number == ENTRY_NONE)
        return;
    const struct formation_entry *formation = segment_formation_of(segment, number);
    const struct app_entry *app = &segment->apps[formation->app];
    json_object_set_new(object, "app",
                        print_text(segment_text(segment, app->name), app->name_length));
    json_object_set_new(object, "dyno",
                        json_sprintf("%s.%u", segment_type(segment, formation),
                                     (unsigned)segment->dynos[number].number));
}

static json_t *json_membership(const struct snapshot *snapshot, const struct client *client,
                               const struct membership *membership)
{
    const struct segment *segment = snapshot->segments[membership->segment];
    const struct az_entry *az = affinity_find_az(client, membership, segment);
    const struct connection *connection =
        membership->connection == ENTRY_NONE ? NULL : &segment->connections[membership->connection];
    uint32_t line = membership_line(segment, membership);
    char block[CIDR_TEXT_MAX];

    cidr_write(membership->block, block);
    json_t *file = line == 0 ? json_null() : print_text(segment->file, strlen(segment->file));
    json_t *object = json_pack("{s:s, s:s, s:s?, s:s, s:o, s:o, s:s?}", "space", segment->name,
                               "class", class_text(membership->class), "connection",
                               connection == NULL ? NULL : connection->name, "block", block, "file",
                               file, "line", line == 0 ? json_null() : json_integer(line),
                               "setting", line == 0 ? "local_as" : NULL);
    if (connection != NULL && connection->device != NULL)
        json_object_set_new(object, "device",
                            print_text(connection->device, strlen(connection->device)));
    if (az != NULL)
        json_object_set_new(object, "az", print_text(az->name, strlen(az->name)));
    if (membership->class == CLIENT_SPACE)
        add_dyno(object, segment, client);
    return object;
}

/* " az=us-east-1a", or nothing. */
static void print_fact(const json_t *membership, const char *key, FILE *out)
{
    const char *value = json_string_value(json_object_get(membership, key));

    if (value != NULL)
        escape_printf(out, " %s=%s", key, value);
}

static void print_membership(const json_t *membership, FILE *out)
{
    const char *file = json_string_value(json_object_get(membership, "file"));

    const char *setting = json_string_value(json_object_get(membership, "setting"));
    char at[LOCATION_MOST];

    if (setting != NULL)
        snprintf(at, sizeof at, "setting %s", setting);
    else
        snprintf(at, sizeof at, "%s:%d", file == NULL ? "?" : file,
                 (int)json_integer_value(json_object_get(membership, "line")));
    fputs("class=", out);
    escape_printf(out, "%s", json_string_value(json_object_get(membership, "class")));
    print_fact(membership, "space", out);
    print_fact(membership, "connection", out);
    print_fact(membership, "device", out);
    print_fact(membership, "az", out);
    print_fact(membership, "app", out);
    print_fact(membership, "dyno", out);
    escape_printf(out, " because of %s (%s)\n",
                  json_string_value(json_object_get(membership, "block")), at);
}

/* Returns a text for each entry of a zone file that lists an external client. */
static json_t *json_outside(const struct snapshot *snapshot, const struct client *client,
                            bool is_ipv6)
{
    struct outside_entry entries[OUTSIDE_MOST];
    size_t count = is_ipv6 ? 0 : outside_find(snapshot, client, entries);
    json_t *texts = json_array();

    for (size_t i = 0; i < count; i++) {
        char octets[LOCATION_MOST + OUTSIDE_TEXT_MOST];
        struct text text = text_over(octets, sizeof octets);
        outside_write(&entries[i], client->address, &text);
        json_array_append_new(texts, print_text(octets, text_length(&text)));
    }
    return texts;
}

void explain_print_client(const struct snapshot *snapshot, const struct explain_source *source,
                          bool is_json, FILE *out)
{
    const struct path path = explain_path(snapshot, source);
    json_t *memberships = json_array();
    struct client client;
    const json_t *membership, *text;
    size_t index;

    client_classify(snapshot, &path, &client);
    for (uint32_t i = 0; i < client.count; i++)
        json_array_append_new(memberships,
                              json_membership(snapshot, &client, &client.memberships[i]));
    json_t *outside = json_outside(snapshot, &client, source->path.is_ipv6);
    json_t *object = json_pack("{s:o, s:s, s:o, s:o}", "address", json_source(source), "class",
                               class_text(client_class(&client)), "memberships", memberships,
                               "outside", outside);
    if (is_json) {
        print_json(object, out);
        return;
    }
    fprintf(out, "address=%s%s\n", json_string_value(json_object_get(object, "address")),
            client.count == 0 ? " class=external" : "");
    json_array_foreach(memberships, index, membership) print_membership(membership, out);
    if (client.count == 0)
        fputs("in no space, active peering or VPN: it gets Q18 for every name\n", out);
    json_array_foreach(outside, index, text) escape_printf(out, "%s\n", json_string_value(text));
    json_decref(object);
}
