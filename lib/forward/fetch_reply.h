#pragma once
/**
 * What the responses to a fetch's attempts lead to, and their failures, a part of fetch_table.c.
 *
 *     good ──► outcome                truncated, forged ──► the same server, over TCP
 *     an error code ──► next server   without EDNS ──► the same server, without EDNS
 *
 * Every function may end its fetch, whose slot is then free; whoever waited has been notified.
 *
 * Sources, threads, memory, time: fetch_table.h.
 */
#include <stddef.h>
#include <stdint.h>

#include "forward/link.h"

/** The link's listener; `context` is the fetch table. */
void fetch_reply_on_response(void *context, link_ticket ticket, const uint8_t *octets,
                             size_t length);
void fetch_reply_on_failure(void *context, link_ticket ticket, enum link_failure failure);
