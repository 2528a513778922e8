#include "forward/tell.h"

#include <string.h>

enum { US_PER_MS = 1000 };

static void tell_server(const struct resolver *server, uint64_t now_ms, struct text *text)
{
    text_add_string(text, server->upstream->text);
    if (server->is_failing) {
        text_add_string(text, " failing");
    } else if (server->last_reply_ms == 0) {
        text_add_string(text, server->silent > 0 ? " no reply yet" : " untried");
    } else {
        text_add_string(text, " up ");
        text_add_number(text, server->srtt_us / US_PER_MS);
        text_add_string(text, "ms");
    }
    if (resolver_is_plain(server, now_ms))
        text_add_string(text, " without EDNS");
}

void tell_servers(const struct resolver *servers, const struct resolver_set *set, uint64_t now_ms,
                  struct text *text)
{
    static const char first[] = "upstreams=", next[] = ", ", rest[] = ", and 16 more";
    char buffer[TELL_OCTETS_MOST];
    size_t room = TELL_OCTETS_MOST - (sizeof rest - 1);

    for (uint8_t place = 0; place < set->count; place++) {
        struct text one = text_over(buffer, room);
        text_add_string(&one, place == 0 ? first : next);
        tell_server(&servers[set->numbers[place]], now_ms, &one);
        if (one.cut) {
            text_add_string(text, place == 0 ? first : ", and ");
            text_add_number(text, set->count - place);
            text_add_string(text, " more");
            return;
        }
        text_add(text, buffer, text_length(&one));
        room -= text_length(&one);
    }
}

static void tell_number(struct text *text, const char *before, uint32_t number)
{
    text_add_string(text, before);
    text_add_number(text, number);
}

void tell_entry(const struct cache_entry *entry, uint32_t now_s, const char *server,
                struct text *text)
{
    char buffer[TELL_OCTETS_MOST];
    struct text whole = text_over(buffer, sizeof buffer);

    if (entry == NULL) {
        text_add_string(&whole, "cached=no");
    } else if (cache_entry_is_fresh(entry, now_s)) {
        tell_number(&whole, "cached=fresh ttl=", entry->fresh_until_s - now_s);
    } else if (cache_entry_is_stale(entry, now_s)) {
        tell_number(&whole, "cached=stale age=", now_s - entry->stored_s);
    } else {
        text_add_string(&whole, "cached=failed ");
        text_add_string(&whole, tell_failure(entry->failure));
        text_add_string(&whole, " ");
        text_add_string(&whole, server);
    }
    text_add(text, buffer, text_length(&whole));
}

const char *tell_failure(enum forward_failure failure)
{
    static const char *const texts[] = {
        [FORWARD_NO_FAILURE] = "answer from",
        [FORWARD_SILENT] = "no reply from",
        [FORWARD_FAILING] = "no good reply lately from",
        [FORWARD_UNREACHABLE] = "cannot reach",
        [FORWARD_TLS] = "no trusted TLS with",
        [FORWARD_ERROR] = "error code from",
        [FORWARD_MALFORMED] = "unreadable response from",
        [FORWARD_FULL] = "too many questions on their way to",
    };

    return texts[failure];
}
