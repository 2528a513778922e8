#include "support/facts.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MOST = 4096, CHAIN_MOST = 16, UDP_OCTETS = 1232, OPTION_EDE = 15 };

/* ---- adding facts ---- */

static char *next_word(char **rest)
{
    char *word = *rest + strspn(*rest, " \t");
    char *end = word + strcspn(word, " \t");

    if (word == end)
        return NULL;
    *rest = *end == '\0' ? end : end + 1;
    *end = '\0';
    return word;
}

static uint32_t number_of(const char *word)
{
    return (uint32_t)strtoul(word, NULL, 10);
}

/* TTLs of 2^31 and more are set afterwards, as ldns may refuse them. */
static bool read_record(struct fact *fact, const char *type, char *rest)
{
    char line[LINE_MOST];
    const char *ttl = next_word(&rest);
    const char *owner = strpbrk(fact->name, "*[?") == NULL ? fact->name : "pattern.";

    if (ttl == NULL)
        return false;
    snprintf(line, sizeof line, "%s 0 IN %s %s", owner, type, rest);
    if (ldns_rr_new_frm_str(&fact->record, line, 0, NULL, NULL) != LDNS_STATUS_OK)
        return false;
    ldns_rr_set_ttl(fact->record, number_of(ttl));
    return true;
}

static bool read_negative(struct fact *fact, char *rest)
{
    const char *ttl = next_word(&rest);
    const char *minimum = next_word(&rest);

    fact->has_soa = ttl != NULL;
    fact->soa_ttl = fact->has_soa ? number_of(ttl) : 0;
    fact->soa_minimum = minimum != NULL ? number_of(minimum) : fact->soa_ttl;
    return true;
}

static bool read_error(struct fact *fact, char *rest)
{
    const char *ede = next_word(&rest);

    fact->ede = ede == NULL ? -1 : (int)number_of(ede);
    fact->text = strdup(rest);
    return true;
}

static bool read_fact(struct fact *fact, char *rest)
{
    const char *kind = next_word(&rest);

    if (kind == NULL)
        return false;
    if (strcmp(kind, "NODATA") == 0)
        return read_negative(fact, rest);
    const ldns_lookup_table *rcode = ldns_lookup_by_name(ldns_rcodes, kind);
    if (rcode == NULL)
        return read_record(fact, kind, rest);
    fact->rcode = (unsigned)rcode->id;
    return fact->rcode == LDNS_RCODE_NXDOMAIN ? read_negative(fact, rest) : read_error(fact, rest);
}

static char *lower_copy(const char *text)
{
    char *copy = strdup(text);

    for (char *at = copy; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    return copy;
}

static void let_go(struct fact *fact)
{
    ldns_rr_free(fact->record);
    free(fact->name);
    free(fact->text);
}

bool facts_learn(struct facts *facts, const char *line)
{
    char copy[LINE_MOST], *rest = copy;
    struct fact fact = {.ede = -1};

    snprintf(copy, sizeof copy, "%s", line);
    const char *name = next_word(&rest);
    if (name == NULL)
        return false;
    fact.name = lower_copy(name);
    if (!read_fact(&fact, rest)) {
        let_go(&fact);
        return false;
    }
    if (facts->count == facts->capacity) {
        facts->capacity = 2 * facts->capacity + 16;
        facts->items = realloc(facts->items, facts->capacity * sizeof *facts->items);
    }
    facts->items[facts->count++] = fact;
    return true;
}

void facts_forget(struct facts *facts, const char *name)
{
    size_t kept = 0;

    for (size_t i = 0; i < facts->count; i++) {
        if (strcasecmp(facts->items[i].name, name) == 0)
            let_go(&facts->items[i]);
        else
            facts->items[kept++] = facts->items[i];
    }
    facts->count = kept;
}

void facts_close(struct facts *facts)
{
    for (size_t i = 0; i < facts->count; i++)
        let_go(&facts->items[i]);
    free(facts->items);
    *facts = (struct facts){.items = NULL};
}

/* ---- answering ---- */

/* A response being made. */
struct making {
    const struct facts *facts;
    ldns_pkt *packet;
    ldns_rr_type type;
    bool wants_signatures, checks;
    const struct fact *code; /* in place of a record */
    bool knows_name;         /* it has other records */
};

static void add_record(struct making *making, const struct fact *fact, const ldns_rdf *owner)
{
    ldns_rr *record = ldns_rr_clone(fact->record);

    ldns_rdf_deep_free(ldns_rr_owner(record));
    ldns_rr_set_owner(record, ldns_rdf_clone(owner));
    ldns_pkt_push_rr(making->packet, LDNS_SECTION_ANSWER, record);
}

static bool is_wanted(const struct making *making, const ldns_rr *record)
{
    ldns_rr_type type = ldns_rr_get_type(record);

    if (type == LDNS_RR_TYPE_RRSIG && making->type != LDNS_RR_TYPE_RRSIG)
        return making->wants_signatures &&
               ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(record)) == making->type;
    return type == making->type || making->type == LDNS_RR_TYPE_ANY || type == LDNS_RR_TYPE_CNAME;
}

/* Adds the records of one name. Returns the target of its CNAME; NULL: none. */
static const ldns_rdf *answer_name(struct making *making, const ldns_rdf *owner)
{
    char *text = ldns_rdf2str(owner), *name = lower_copy(text);
    const ldns_rdf *next = NULL;

    making->knows_name = false;
    for (size_t i = 0; i < making->facts->count; i++) {
        const struct fact *fact = &making->facts->items[i];
        if (fnmatch(fact->name, name, FNM_NOESCAPE) != 0)
            continue;
        making->knows_name = true;
        if (fact->record == NULL && (making->checks || fact->ede < 0))
            making->code = fact;
        else if (fact->record != NULL && is_wanted(making, fact->record))
            add_record(making, fact, owner);
        if (fact->record != NULL && ldns_rr_get_type(fact->record) == LDNS_RR_TYPE_CNAME &&
            making->type != LDNS_RR_TYPE_CNAME && making->type != LDNS_RR_TYPE_ANY)
            next = ldns_rr_rdf(fact->record, 0);
    }
    free(name);
    free(text);
    return next;
}

/* Assumes that the zone has two labels. */
static const char *zone_of(const char *name)
{
    size_t labels = 0;

    for (const char *at = name; *at != '\0'; at++)
        labels += *at == '.';
    for (; labels > 2; labels--)
        name = strchr(name, '.') + 1;
    return name;
}

static void add_soa(struct making *making, const ldns_rdf *owner, uint32_t ttl, uint32_t minimum)
{
    char line[LINE_MOST], *name = ldns_rdf2str(owner);
    const char *zone = zone_of(name);
    ldns_rr *soa = NULL;

    const char *tail = strcmp(zone, ".") == 0 ? "" : zone;

    snprintf(line, sizeof line, "%s 0 IN SOA ns.%s hostmaster.%s 1 3600 600 86400 %u", zone, tail,
             tail, minimum);
    if (ldns_rr_new_frm_str(&soa, line, 0, NULL, NULL) != LDNS_STATUS_OK)
        abort();
    ldns_rr_set_ttl(soa, ttl);
    ldns_pkt_push_rr(making->packet, LDNS_SECTION_AUTHORITY, soa);
    free(name);
}

static void add_ede(ldns_pkt *packet, const struct fact *fact)
{
    uint8_t option[LINE_MOST];
    size_t length = strlen(fact->text);

    ldns_write_uint16(option, OPTION_EDE);
    ldns_write_uint16(option + 2, (uint16_t)(2 + length));
    ldns_write_uint16(option + 4, (uint16_t)fact->ede);
    memcpy(option + 6, fact->text, length);
    ldns_pkt_set_edns_data(packet,
                           ldns_rdf_new_frm_data(LDNS_RDF_TYPE_UNKNOWN, 6 + length, option));
}

static void settle_code(struct making *making, const ldns_rdf *owner, bool has_edns)
{
    const struct fact *code = making->code;

    if (code == NULL && making->knows_name) {
        if (ldns_pkt_ancount(making->packet) == 0)
            add_soa(making, owner, 60, 60);
        return;
    }
    ldns_pkt_set_rcode(making->packet, code == NULL ? LDNS_RCODE_REFUSED : (uint8_t)code->rcode);
    if (code != NULL && code->has_soa)
        add_soa(making, owner, code->soa_ttl, code->soa_minimum);
    if (code != NULL && code->ede >= 0) {
        ldns_rr_list_deep_free(ldns_pkt_answer(making->packet));
        ldns_pkt_set_answer(making->packet, ldns_rr_list_new());
        ldns_pkt_set_ancount(making->packet, 0);
        if (has_edns)
            add_ede(making->packet, code);
    }
}

/* A loop of CNAMEs is returned as a whole: every name once. */
static void fill(struct making *making, const ldns_rdf *owner, bool has_edns)
{
    const ldns_rdf *chain[CHAIN_MOST] = {owner};

    for (size_t length = 1; length < CHAIN_MOST; length++) {
        const ldns_rdf *next = answer_name(making, chain[length - 1]);
        if (next == NULL) {
            settle_code(making, chain[length - 1], has_edns);
            return;
        }
        for (size_t i = 0; i < length; i++)
            if (ldns_dname_compare(chain[i], next) == 0)
                return;
        chain[length] = next;
    }
}

static ldns_pkt *start_response(const ldns_pkt *query)
{
    ldns_pkt *packet = ldns_pkt_new();

    ldns_pkt_set_id(packet, ldns_pkt_id(query));
    ldns_pkt_set_qr(packet, true);
    ldns_pkt_set_rd(packet, ldns_pkt_rd(query));
    ldns_pkt_set_ra(packet, true);
    ldns_pkt_set_cd(packet, ldns_pkt_cd(query));
    ldns_pkt_push_rr(packet, LDNS_SECTION_QUESTION,
                     ldns_rr_clone(ldns_rr_list_rr(ldns_pkt_question(query), 0)));
    if (ldns_pkt_edns(query))
        ldns_pkt_set_edns_udp_size(packet, UDP_OCTETS);
    return packet;
}

static size_t write_response(const ldns_pkt *packet, size_t most, uint8_t *out)
{
    uint8_t *octets = NULL;
    size_t length = 0;

    if (ldns_pkt2wire(&octets, packet, &length) != LDNS_STATUS_OK) {
        fprintf(stderr, "ldns cannot write an upstream's response\n");
        abort();
    }
    if (length <= most)
        memcpy(out, octets, length);
    free(octets);
    return length <= most ? length : 0;
}

size_t facts_answer(const struct facts *facts, const ldns_pkt *query, size_t most,
                    uint8_t out[FACT_MESSAGE_MOST])
{
    const ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(query), 0);
    struct making making = {
        .facts = facts,
        .packet = start_response(query),
        .type = ldns_rr_get_type(question),
        .wants_signatures = ldns_pkt_edns(query) && ldns_pkt_edns_do(query),
        .checks = !ldns_pkt_cd(query),
    };

    fill(&making, ldns_rr_owner(question), ldns_pkt_edns(query));
    size_t length = write_response(making.packet, most, out);
    ldns_pkt_free(making.packet);
    if (length > 0)
        return length;
    ldns_pkt *cut = start_response(query);
    ldns_pkt_set_tc(cut, true);
    length = write_response(cut, most, out);
    ldns_pkt_free(cut);
    return length;
}
