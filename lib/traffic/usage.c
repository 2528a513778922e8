#include "traffic/usage.h"

#include <stdlib.h>
#include <string.h>

#include "decide/reason.h"
#include "traffic/asking.h"
#include "traffic/handed_out.h"
#include "wire/types.h"

enum { MS_PER_SECOND = 1000 };

struct usage {
    struct parties *parties;
    struct asking *asking;
    struct uses *apps;     /* (app, none) */
    struct lately *lately; /* of each app */
    struct uses *remainders;
    struct uses *domains;
    struct uses *pairs;
    struct expiries *expiries;
    struct waste *waste;
    struct leaders *leaders;
    struct usage_sums sums;
    struct longest_ttl *longest;
    struct handed_out handed_out;
};

/* ---- life ---- */

static void usage_on_app_out(void *context, const struct use *use)
{
    struct usage *usage = context;

    use_counts_add(&usage->sums.other, &use->asked);
    memset(&usage->lately[uses_number(usage->apps, use)], 0, sizeof *usage->lately);
}

static void usage_on_remainder_out(void *context, const struct use *use)
{
    struct usage *usage = context;

    use_counts_add(&usage->sums.remainder, &use->asked);
}

static void usage_on_pair_out(void *context, const struct use *use)
{
    struct usage *usage = context;

    uses_raise(usage->remainders, use->parties[1], PARTY_NONE, &use->asked);
}

static struct uses *make_uses(struct usage *usage, uint32_t most, uint32_t idle_s,
                              uses_on_pushed_out *on_pushed_out)
{
    return uses_new(&(struct uses_options){.parties = usage->parties,
                                           .most = most,
                                           .idle_s = idle_s,
                                           .on_pushed_out = on_pushed_out,
                                           .context = usage});
}

static bool make_tables(struct usage *usage, const struct usage_options *options)
{
    usage->parties = parties_new();
    if (usage->parties == NULL)
        return false;
    usage->asking = asking_new(usage->parties);
    usage->apps = make_uses(usage, options->apps_most, USAGE_APP_IDLE_S, usage_on_app_out);
    usage->lately = calloc(options->apps_most, sizeof *usage->lately);
    usage->remainders = make_uses(usage, options->apps_most, 0, usage_on_remainder_out);
    usage->domains = make_uses(usage, USAGE_DOMAINS, 0, NULL);
    usage->pairs = make_uses(usage, options->pairs_most, 0, usage_on_pair_out);
    usage->expiries = expiries_new(usage->parties, USAGE_EXPIRIES);
    usage->longest = calloc(1, sizeof *usage->longest);
    usage->waste = waste_new(usage->parties);
    usage->leaders = leaders_new(usage->parties);
    return usage->asking != NULL && usage->apps != NULL && usage->lately != NULL &&
           usage->remainders != NULL && usage->domains != NULL && usage->pairs != NULL &&
           usage->expiries != NULL && usage->longest != NULL && usage->waste != NULL &&
           usage->leaders != NULL;
}

struct usage *usage_new(const struct usage_options *options)
{
    struct usage *usage = calloc(1, sizeof *usage);

    if (usage == NULL)
        return NULL;
    usage->sums.since_s = options->now_s;
    if (make_tables(usage, options)) {
        usage->handed_out = (struct handed_out){
            .asking = usage->asking, .parties = usage->parties, .expiries = usage->expiries};
        return usage;
    }
    usage_free(usage);
    return NULL;
}

void usage_free(struct usage *usage)
{
    if (usage == NULL)
        return;
    leaders_free(usage->leaders);
    waste_free(usage->waste);
    free(usage->longest);
    expiries_free(usage->expiries);
    uses_free(usage->pairs);
    uses_free(usage->domains);
    uses_free(usage->remainders);
    uses_free(usage->apps);
    free(usage->lately);
    asking_free(usage->asking);
    parties_free(usage->parties);
    free(usage);
}

/* ---- outcomes ---- */

static bool is_refusal(enum reason reason)
{
    return reason == REASON_OUTSIDE || reason == REASON_NOT_ALLOWED || reason == REASON_NOT_OURS ||
           reason == REASON_WITHHELD || reason == REASON_RATE_LIMITED;
}

enum use_outcome usage_outcome(const struct flow *flow)
{
    if (flow->is_answered)
        return USE_ANSWERED;
    if (flow->rcode == RCODE_REFUSED || is_refusal(flow->reason))
        return USE_REFUSED;
    bool is_error = reason_entry(flow->reason)->level == REASON_LEVEL_ERROR;
    return flow->rcode == RCODE_NOERROR && !is_error ? USE_EMPTY : USE_FAILED;
}

/* ---- adding ---- */

/* One flow, seen from outside the table. */
struct seen {
    const struct flow *flow;
    bool is_guest; /* its client may not know of the app that it asks for */
    struct use_counts more;
    uint32_t client;
    int64_t last_ms;
};

static struct use *raise(struct uses *uses, uint32_t first, uint32_t second,
                         const struct seen *seen)
{
    return seen->is_guest ? uses_raise_guest(uses, first, second, &seen->more)
                          : uses_raise(uses, first, second, &seen->more);
}

static void raise_app(struct usage *usage, const struct asked *asked, const struct seen *seen)
{
    struct use *use = raise(usage->apps, asked->app_party, PARTY_NONE, seen);

    if (use == NULL) {
        use_counts_add(&usage->sums.other, &seen->more);
        return;
    }
    lately_add(&usage->lately[uses_number(usage->apps, use)], seen->more.last_s, seen->flow->count);
    if (seen->client != PARTY_NONE)
        uses_set_by(usage->apps, use, seen->client, seen->last_ms);
}

static void raise_domain(struct usage *usage, const struct asked *asked, const struct seen *seen)
{
    if (asked->domain == PARTY_NONE)
        return;
    struct use *use = raise(usage->domains, asked->app_party, asked->domain, seen);
    if (use != NULL)
        uses_set_by(usage->domains, use, seen->client, seen->last_ms);
}

static void raise_pair(struct usage *usage, const struct asked *asked, const struct seen *seen)
{
    if (seen->client != PARTY_NONE &&
        raise(usage->pairs, seen->client, asked->app_party, seen) != NULL)
        return;
    if (raise(usage->remainders, asked->app_party, PARTY_NONE, seen) == NULL)
        use_counts_add(&usage->sums.remainder, &seen->more);
}

static void note_waste(struct usage *usage, const struct flow_table *table, const struct seen *seen)
{
    const struct flow *flow = seen->flow;
    const struct waste_question question = {.source = flow->source,
                                            .client = seen->client,
                                            .name_hash = flow->name_hash,
                                            .is_answered = flow->is_answered,
                                            .at_s = seen->more.last_s};
    struct name name;

    if (flow->class == CLIENT_EXTERNAL || flow->is_coarse)
        return;
    waste_note(usage->waste, &question);
    if (flow->rcode != RCODE_NXDOMAIN)
        return;
    flow_name(table, flow, &name);
    waste_note_missing(usage->waste, &question, &table->snapshot->index, &name, flow->count);
}

/* An app without a party, for there is no memory or no room for more of them. */
static void leave_out(struct usage *usage, const struct asked *asked, const struct seen *seen)
{
    use_counts_add(&usage->sums.other, &seen->more);
    handed_out_add(&usage->handed_out, seen->flow, asked, seen->more.last_s);
}

static void add_flow(struct usage *usage, const struct flow_table *table, const struct flow *flow,
                     int64_t begun_ms)
{
    struct seen seen = {.flow = flow,
                        .is_guest = flow_app(flow) == NULL,
                        .client = asking_client(usage->asking, flow),
                        .last_ms = begun_ms + flow->last_ms};
    struct asked asked;

    seen.more.counts[usage_outcome(flow)] = flow->count;
    seen.more.first_s = (uint32_t)((begun_ms + flow->first_ms) / MS_PER_SECOND);
    seen.more.last_s = (uint32_t)(seen.last_ms / MS_PER_SECOND);
    note_waste(usage, table, &seen);
    bool has_app = asking_find_app(usage->asking, flow, &asked);
    leaders_add(usage->leaders, &(struct leader_flow){.table = table,
                                                      .flow = flow,
                                                      .client = seen.client,
                                                      .app = has_app ? asked.app_party : PARTY_NONE,
                                                      .at_s = seen.more.last_s});
    if (!has_app) {
        handed_out_add_records(&usage->handed_out, table->snapshot, flow, seen.more.last_s);
        return;
    }
    if (asked.app_party == PARTY_NONE) {
        leave_out(usage, &asked, &seen);
        return;
    }
    raise_app(usage, &asked, &seen);
    raise_domain(usage, &asked, &seen);
    raise_pair(usage, &asked, &seen);
    handed_out_add(&usage->handed_out, flow, &asked, seen.more.last_s);
}

/* What is not counted at all may have been answers with any dynos. */
static void add_lost(struct usage *usage, const struct flow_table *table, int64_t begun_ms)
{
    int64_t until_ms = begun_ms + (int64_t)(table->lost_until_ms - table->begun_ms);

    usage->sums.lost += table->lost;
    if (table->lost_until_ms > 0)
        expiries_raise_floor(usage->expiries, (uint32_t)(until_ms / MS_PER_SECOND) + 1);
}

void usage_add(struct usage *usage, const struct flow_table *table, int64_t begun_ms)
{
    int64_t last_ms = begun_ms;

    asking_begin(usage->asking, table);
    handed_out_begin(&usage->handed_out);
    for (uint32_t i = 0; i < table->used; i++) {
        const struct flow *flow = &table->flows[table->slots[i]];
        if (i + 4 < table->used)
            __builtin_prefetch(&table->flows[table->slots[i + 4]]);
        add_flow(usage, table, flow, begun_ms);
        if (begun_ms + flow->last_ms > last_ms)
            last_ms = begun_ms + flow->last_ms;
    }
    waste_settle(usage->waste, (uint32_t)(last_ms / MS_PER_SECOND));
    add_lost(usage, table, begun_ms);
    parties_collect(usage->parties);
}

void usage_set_back(struct usage *usage, uint32_t now_s)
{
    struct uses *const tables[] = {usage->apps, usage->remainders, usage->domains, usage->pairs,
                                   waste_uses(usage->waste)};

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        uses_set_back(tables[i], now_s);
    use_counts_set_back(&usage->sums.other, now_s);
    use_counts_set_back(&usage->sums.remainder, now_s);
    if (usage->sums.since_s > now_s)
        usage->sums.since_s = now_s;
    expiries_set_back(usage->expiries, longest_ttl_set_back(usage->longest, now_s));
}

/* ---- reading ---- */

uint32_t usage_since(const struct usage *usage)
{
    return usage->sums.since_s;
}

uint64_t usage_lost(const struct usage *usage)
{
    return usage->sums.lost;
}

/* In any space: the one where an app of that name was asked last. */
static uint32_t find_anywhere(const struct usage *usage, const char *name)
{
    uint32_t found = PARTY_NONE, last_s = 0;

    for (uint32_t i = 1; i < parties_end(usage->parties); i++) {
        const struct party *party = parties_at(usage->parties, i);
        if (party->holds == 0 || party->kind != PARTY_APP || strcmp(party->name, name) != 0)
            continue;
        const struct use *use = usage_app(usage, i);
        uint32_t asked_s = use == NULL ? 0 : use->asked.last_s;
        if (found == PARTY_NONE || asked_s > last_s)
            found = i, last_s = asked_s;
    }
    return found;
}

uint32_t usage_find_app(const struct usage *usage, const char *space, const char *name)
{
    if (space == NULL)
        return find_anywhere(usage, name);
    return parties_find(usage->parties, &(struct party_key){.kind = PARTY_APP,
                                                            .space = space,
                                                            .space_length = strlen(space),
                                                            .name = name,
                                                            .name_length = strlen(name)});
}

const struct use *usage_app(const struct usage *usage, uint32_t app)
{
    return uses_find(usage->apps, app, PARTY_NONE);
}

const struct lately *usage_lately(const struct usage *usage, uint32_t app)
{
    const struct use *use = usage_app(usage, app);

    return use == NULL ? NULL : &usage->lately[uses_number(usage->apps, use)];
}

const struct use_counts *usage_other(const struct usage *usage)
{
    return &usage->sums.other;
}

struct use_counts usage_remainder(const struct usage *usage, uint32_t app)
{
    const struct use *use = uses_find(usage->remainders, app, PARTY_NONE);

    return use == NULL ? (struct use_counts){.first_s = 0} : use->asked;
}

void usage_walk_apps(const struct usage *usage, usage_on_app *on_app, void *context)
{
    for (const struct use *use = uses_next(usage->apps, NULL); use != NULL;
         use = uses_next(usage->apps, use)) {
        const struct party *party = parties_at(usage->parties, use->parties[0]);
        on_app(context, &(struct usage_app){.space = party->space,
                                            .name = party->name,
                                            .counts = use->asked.counts});
    }
    on_app(context,
           &(struct usage_app){.space = "", .name = "_other", .counts = usage->sums.other.counts});
}

struct parties *usage_parties(const struct usage *usage)
{
    return usage->parties;
}

struct uses *usage_apps(const struct usage *usage)
{
    return usage->apps;
}

struct uses *usage_domains(const struct usage *usage)
{
    return usage->domains;
}

struct uses *usage_pairs(const struct usage *usage)
{
    return usage->pairs;
}

struct expiries *usage_expiries(const struct usage *usage)
{
    return usage->expiries;
}

struct waste *usage_waste(const struct usage *usage)
{
    return usage->waste;
}

struct longest_ttl *usage_longest_ttl(const struct usage *usage)
{
    return usage->longest;
}

const struct leaders *usage_leaders(const struct usage *usage)
{
    return usage->leaders;
}

struct uses *usage_remainders(const struct usage *usage)
{
    return usage->remainders;
}

const struct usage_sums *usage_sums(const struct usage *usage)
{
    return &usage->sums;
}

/* ---- what was stored ---- */

void usage_add_sums(struct usage *usage, const struct usage_sums *sums)
{
    if (sums->since_s < usage->sums.since_s)
        usage->sums.since_s = sums->since_s;
    usage->sums.lost += sums->lost;
    use_counts_add(&usage->sums.other, &sums->other);
    use_counts_add(&usage->sums.remainder, &sums->remainder);
}

/* What is more than an hour before the newest is left out. */
static void add_minutes(struct lately *to, const struct lately *from)
{
    for (uint32_t i = LATELY_SLOTS; i-- > 0;) {
        uint32_t count = from->minute < i ? 0 : from->minutes[(from->minute - i) % LATELY_SLOTS];
        if (count > 0 && from->minute - i + LATELY_SLOTS > to->minute)
            lately_add_minute(to, from->minute - i, count);
    }
}

void usage_add_app(struct usage *usage, uint32_t app, uint32_t by, const struct use_counts *more,
                   const struct lately *lately)
{
    struct use *use = uses_raise(usage->apps, app, PARTY_NONE, more);

    if (use == NULL) {
        use_counts_add(&usage->sums.other, more);
        return;
    }
    uses_set_by(usage->apps, use, by, (int64_t)more->last_s * MS_PER_SECOND);
    add_minutes(&usage->lately[uses_number(usage->apps, use)], lately);
}
