#include "serve/tapping.h"

#include <string.h>

#include "base/bytes.h"
#include "wire/types.h"

static const char version[] = "spacedns " SPACEDNS_VERSION;

/* Outsiders above their rate have no reason code: they get no reply, or one without a reason. */
static const char external_rate[] = "external_rate";

static enum dnstap_action action_of(const struct exchange *exchange)
{
    if (exchange->rcode == RCODE_NXDOMAIN)
        return DNSTAP_NXDOMAIN;
    if (exchange->rcode != RCODE_NOERROR)
        return DNSTAP_NO_ACTION;
    return exchange->answer_count == 0 ? DNSTAP_NODATA : DNSTAP_PASS;
}

/* Of a request above a rate that gets no reply. */
static struct dnstap_policy drop_policy(const struct exchange *exchange)
{
    return (struct dnstap_policy){.rule = exchange->client.count == 0
                                              ? external_rate
                                              : reason_entry(REASON_RATE_LIMITED)->code,
                                  .action = DNSTAP_DROP,
                                  .match = DNSTAP_CLIENT_IP};
}

static struct dnstap_policy policy_of(const struct exchange *exchange, size_t length)
{
    enum reason reason = verdict_inner_reason(&exchange->verdict);
    bool is_for_client = reason == REASON_OUTSIDE || reason == REASON_RATE_LIMITED;

    if (length == 0)
        return drop_policy(exchange);
    if (exchange->verdict.situation == SITUATION_OUTSIDER_LIMITED)
        return (struct dnstap_policy){
            .rule = external_rate, .action = DNSTAP_TRUNCATE, .match = DNSTAP_CLIENT_IP};
    if (reason == REASON_NONE)
        return (struct dnstap_policy){.rule = NULL};
    return (struct dnstap_policy){.rule = reason_entry(reason)->code,
                                  .action = action_of(exchange),
                                  .match = is_for_client ? DNSTAP_CLIENT_IP : DNSTAP_QNAME};
}

static enum dnstap_kind kind_of(const struct exchange *exchange, size_t length)
{
    if (length == 0)
        return DNSTAP_AUTH_QUERY;
    return verdict_is_forwarded(&exchange->verdict) ? DNSTAP_CLIENT_RESPONSE : DNSTAP_AUTH_RESPONSE;
}

static void set_client(struct dnstap_message *message, const struct path *path)
{
    message->is_ipv6 = path->is_ipv6;
    message->server = path->is_ipv6 ? 0 : path->destination;
    if (path->is_ipv6)
        memcpy(message->client, path->source_ipv6, sizeof path->source_ipv6);
    else
        store32(message->client, path->source);
}

void tapping_write_origin(const struct snapshot *snapshot, struct dnstap_origin *out)
{
    dnstap_write_origin(snapshot == NULL ? NULL : snapshot->policy.server_id, version, out);
}

bool tapping_send(struct tap_feed *feed, const struct dnstap_origin *origin,
                  const struct exchange *exchange, const struct tapped *tapped)
{
    if (!tap_has_receiver(feed))
        return false;
    struct dnstap_message message = {.kind = kind_of(exchange, tapped->length),
                                     .protocol = exchange->transport == TRANSPORT_TCP ? DNSTAP_TCP
                                                                                      : DNSTAP_UDP,
                                     .origin = origin,
                                     .port = endpoint_port(tapped->client),
                                     .query_us = tapped->begun_us,
                                     .response_us = tapped->answered_us,
                                     .query = exchange->request,
                                     .query_length = exchange->request_length,
                                     .response = exchange->reply,
                                     .response_length = tapped->length,
                                     .policy = policy_of(exchange, tapped->length)};
    set_client(&message, &exchange->path);
    return tap_send(feed, &message);
}
