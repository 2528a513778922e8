#include "forward/format.h"

#include <string.h>

enum { US_PER_MS = 1000 };

enum resolver_state resolver_state_of(const struct resolver *server)
{
    const struct standing *standing = server->standing;

    switch (standing_state(standing)) {
    case STANDING_FAILING:
        return RESOLVER_FAILING;
    case STANDING_IN_DOUBT:
        return RESOLVER_IN_DOUBT;
    case STANDING_WELL:
        break;
    }
    if (standing_last_reply_ms(standing) > 0)
        return RESOLVER_UP;
    return standing_silent(standing) > 0 ? RESOLVER_UNANSWERED : RESOLVER_UNTRIED;
}

const char *resolver_state_text(enum resolver_state state)
{
    static const char *const texts[] = {
        [RESOLVER_UNTRIED] = "untried", [RESOLVER_UNANSWERED] = "no reply yet",
        [RESOLVER_UP] = "up",           [RESOLVER_IN_DOUBT] = "in doubt",
        [RESOLVER_FAILING] = "failing",
    };

    return texts[state];
}

/* It was up at its last reply; too few questions have gone unanswered since to doubt it. */
static void format_unanswered(const struct resolver *server, struct text *text)
{
    uint32_t silent = standing_silent(server->standing);

    if (silent == 0)
        return;
    text_add_string(text, " (");
    text_add_number(text, silent);
    text_add_string(text, " unanswered since)");
}

static void format_server(const struct resolver *server, uint64_t now_ms, struct text *text)
{
    text_add_string(text, server->upstream->text);
    text_add_string(text, " ");
    text_add_string(text, resolver_state_text(resolver_state_of(server)));
    if (!resolver_is_failing(server) && server->has_rtt) {
        text_add_string(text, " ");
        text_add_number(text, server->srtt_us / US_PER_MS);
        text_add_string(text, "ms");
        format_unanswered(server, text);
    }
    if (quirk_is_known(&server->standing->no_edns, now_ms))
        text_add_string(text, " without EDNS");
}

void format_servers(const struct resolver *servers, const struct resolver_set *set, uint64_t now_ms,
                    struct text *text)
{
    static const char first[] = "upstreams=", next[] = ", ", rest[] = ", and 16 more";
    char buffer[FORMAT_OCTETS_MOST];
    size_t room = FORMAT_OCTETS_MOST - (sizeof rest - 1);

    for (uint8_t index = 0; index < set->count; index++) {
        struct text one = text_over(buffer, room);
        text_add_string(&one, index == 0 ? first : next);
        format_server(&servers[set->numbers[index]], now_ms, &one);
        if (one.cut) {
            text_add_string(text, index == 0 ? first : ", and ");
            text_add_number(text, set->count - index);
            text_add_string(text, " more");
            return;
        }
        text_add(text, buffer, text_length(&one));
        room -= text_length(&one);
    }
}

const char *cached_text(enum cached kept)
{
    static const char *const texts[] = {
        [CACHED_NOTHING] = "no",
        [CACHED_FRESH] = "fresh",
        [CACHED_STALE] = "stale",
        [CACHED_FAILED] = "failed",
    };

    return texts[kept];
}

struct cached_state cached_state_of(const struct cache_entry *entry, uint32_t now_s)
{
    if (entry == NULL)
        return (struct cached_state){.kept = CACHED_NOTHING};
    if (cache_entry_is_fresh(entry, now_s))
        return (struct cached_state){.kept = CACHED_FRESH, .seconds = entry->fresh_until_s - now_s};
    if (cache_entry_is_stale(entry, now_s))
        return (struct cached_state){.kept = CACHED_STALE,
                                     .seconds = cache_entry_age(entry, now_s)};
    return (struct cached_state){.kept = CACHED_FAILED};
}

void format_entry(const struct cache_entry *entry, uint32_t now_s, const char *server,
                  struct text *text)
{
    char buffer[FORMAT_OCTETS_MOST];
    struct text whole = text_over(buffer, sizeof buffer);
    struct cached_state kept = cached_state_of(entry, now_s);

    text_add_string(&whole, "cached=");
    text_add_string(&whole, cached_text(kept.kept));
    if (kept.kept == CACHED_FRESH || kept.kept == CACHED_STALE) {
        text_add_string(&whole, kept.kept == CACHED_FRESH ? " ttl=" : " age=");
        text_add_number(&whole, kept.seconds);
    } else if (kept.kept == CACHED_FAILED) {
        text_add_string(&whole, " ");
        text_add_string(&whole, failure_text(cache_entry_failure(entry).failure));
        text_add_string(&whole, " ");
        text_add_string(&whole, server);
    }
    text_add(text, buffer, text_length(&whole));
}

const char *failure_text(enum forward_failure failure)
{
    static const char *const texts[] = {
        [FORWARD_NO_FAILURE] = "answer from",
        [FORWARD_SILENT] = "no reply from",
        [FORWARD_FAILING] = "no good reply lately from",
        [FORWARD_UNREACHABLE] = "cannot reach",
        [FORWARD_CLOSED] = "nobody listens at",
        [FORWARD_TLS] = "no trusted TLS with",
        [FORWARD_TCP_SILENT] = "no reply over TCP from",
        [FORWARD_TCP_UNREACHABLE] = "no TCP connection to",
        [FORWARD_TCP_CLOSED] = "TCP refused by",
        [FORWARD_SERVFAIL] = "SERVFAIL from",
        [FORWARD_FORMERR] = "FORMERR from",
        [FORWARD_NOTIMP] = "NOTIMP from",
        [FORWARD_REFUSED] = "REFUSED from",
        [FORWARD_ERROR] = "error code from",
        [FORWARD_MALFORMED] = "unreadable response from",
        [FORWARD_STOPPING] = "this server is stopping and waits no longer for",
        [FORWARD_FULL] = "too many questions on their way to",
    };

    return texts[failure];
}
