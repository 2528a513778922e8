#include "forward/fetch_reply.h"

#include "forward/fetch_course.h"
#include "wire/types.h"

static void count(const struct fetch_table *table, enum counter counter)
{
    stats_count(table->sender.stats, counter, 1);
}

/* The attempt has failed: asks another server. */
static void give_up(struct fetch_table *table, struct fetch *fetch, struct attempt *attempt)
{
    attempt_end(&table->sender, fetch, attempt);
    if (fetch->is_probe)
        fetch_course_end_probe(table, fetch);
    else
        fetch_course_move_on(table, fetch);
}

static void ask_again(struct fetch_table *table, struct fetch *fetch, struct attempt *attempt)
{
    if (attempt_again(&table->sender, fetch, attempt))
        fetch_course_schedule(table, fetch);
    else if (fetch->is_probe)
        fetch_course_end_probe(table, fetch);
    else
        fetch_course_move_on(table, fetch);
}

static void on_malformed(struct fetch_table *table, struct fetch *fetch, struct attempt *attempt)
{
    struct sender *sender = &table->sender;

    count(table, COUNTER_FORWARD_MALFORMED);
    attempt_defer(sender, fetch, attempt);
    fetch_remember(fetch, FORWARD_MALFORMED, attempt_server(sender, fetch, attempt->index));
    give_up(table, fetch, attempt);
}

/* RFC 5452 section 9.3: limits the number of guesses. */
static void on_mismatched(struct fetch_table *table, struct fetch *fetch, struct attempt *attempt)
{
    count(table, COUNTER_FORWARD_FOREIGN);
    if (++attempt->mismatched < FETCH_MISMATCHED_MOST)
        return;
    if (attempt->over_stream) {
        on_malformed(table, fetch, attempt);
        return;
    }
    attempt->over_stream = true;
    ask_again(table, fetch, attempt);
}

/*
 * The right id and question in another case: a forger's guess, or a server that does not keep the
 * case. Over TCP nobody can guess.
 */
static void on_other_case(struct fetch_table *table, struct fetch *fetch, struct attempt *attempt)
{
    count(table, COUNTER_FORWARD_FOREIGN);
    attempt->over_stream = true;
    attempt->is_other_case = true;
    ask_again(table, fetch, attempt);
}

/* SERVFAIL is mostly about the name, other codes are about the server. */
static void on_error(struct fetch_table *table, struct fetch *fetch, struct attempt *attempt)
{
    struct sender *sender = &table->sender;

    if (table->room->rcode != RCODE_SERVFAIL)
        attempt_defer(sender, fetch, attempt);
    fetch_remember_error(fetch, table->room, attempt_server(sender, fetch, attempt->index));
    give_up(table, fetch, attempt);
}

/* The codes of servers that do not know EDNS; SERVFAIL is no sign of that. */
static bool is_without_edns(uint16_t rcode)
{
    return rcode == RCODE_FORMERR || rcode == RCODE_NOTIMP || rcode == RCODE_BADVERS;
}

static void on_read(struct fetch_table *table, struct fetch *fetch, struct attempt *attempt)
{
    struct sender *sender = &table->sender;
    uint16_t rcode = table->room->rcode;

    if (rcode == RCODE_NOERROR || rcode == RCODE_NXDOMAIN) {
        attempt_learn(sender, fetch, attempt, (table->room->bits & RESPONSE_HAS_OPT) != 0);
        uint8_t server = attempt_server(sender, fetch, attempt->index);
        if (fetch->has_failed && fetch->state == FETCH_LINGERING)
            count(table, COUNTER_FORWARD_KEPT_LATE);
        fetch_course_finish(table, fetch,
                            (struct fetch_outcome){.response = table->room, .server = server});
    } else if (!attempt->is_plain && is_without_edns(rcode)) {
        attempt->is_plain = true; /* RFC 6891 section 7 */
        ask_again(table, fetch, attempt);
    } else {
        on_error(table, fetch, attempt);
    }
}

static void on_reply(struct fetch_table *table, struct fetch *fetch, struct attempt *attempt,
                     enum response_status status)
{
    attempt_on_reply(&table->sender, fetch, attempt);
    if (fetch->is_probe) {
        fetch_course_end_probe(table, fetch);
    } else if (status == RESPONSE_READ) {
        on_read(table, fetch, attempt);
    } else if (status == RESPONSE_TRUNCATED && !attempt->over_stream) {
        attempt->over_stream = true; /* RFC 7766 section 5 */
        ask_again(table, fetch, attempt);
    } else {
        on_malformed(table, fetch, attempt);
    }
}

void fetch_reply_on_response(void *context, link_ticket ticket, const uint8_t *octets,
                             size_t length)
{
    struct fetch_table *table = context;
    struct attempt *attempt;
    struct fetch *fetch = attempt_find(&table->sender, ticket, &attempt);
    struct expected expected = {
        .question = &fetch->question,
        .id = attempt->id,
        .name = fetch->spelling,
        /* Over a stream nothing can be forged, and some servers do not keep the case. */
        .is_exact = table->mixes_case && !attempt->over_stream &&
                    !attempt_ignores_case(&table->sender, fetch, attempt),
    };
    enum response_status status = response_read(octets, length, &expected, table->room);

    if (status == RESPONSE_READ && table->room->dropped > 0)
        stats_count(table->sender.stats, COUNTER_FORWARD_SCRUBBED, table->room->dropped);
    if (status == RESPONSE_MISMATCHED)
        on_mismatched(table, fetch, attempt);
    else if (status == RESPONSE_OTHER_CASE)
        on_other_case(table, fetch, attempt);
    else
        on_reply(table, fetch, attempt, status);
}

void fetch_reply_on_failure(void *context, link_ticket ticket, enum link_failure failure)
{
    static const enum forward_failure failures[][2] = {
        [LINK_UNREACHABLE] = {FORWARD_UNREACHABLE, FORWARD_TCP_UNREACHABLE},
        [LINK_REFUSED] = {FORWARD_CLOSED, FORWARD_TCP_CLOSED},
        [LINK_TLS] = {FORWARD_TLS, FORWARD_TLS},
        [LINK_EXHAUSTED] = {FORWARD_FULL, FORWARD_FULL},
    };
    struct fetch_table *table = context;
    struct attempt *attempt;
    struct fetch *fetch = attempt_find(&table->sender, ticket, &attempt);

    enum forward_failure cause = failures[failure][attempt->over_stream];
    fetch_remember(fetch, cause, attempt_server(&table->sender, fetch, attempt->index));
    if (failure != LINK_EXHAUSTED)
        attempt_on_failure(&table->sender, fetch, attempt, cause);
    give_up(table, fetch, attempt);
}
