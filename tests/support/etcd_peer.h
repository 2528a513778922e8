#pragma once
/**
 * A scripted etcd member at the other end of one connection: HTTP/2 and gRPC in memory, answering
 * from an etcd_store. It knows range, put, delete, txn, compact, watch, leases, authenticate,
 * status and the list of members, as etcd 3.4 answers them.
 *
 *     struct etcd_peer *peer = etcd_peer_new(store);
 *     etcd_peer_receive(peer, octets, length);                 // what the client sends
 *     struct octets output = etcd_peer_output(peer);           // what it gets
 *     etcd_peer_sent(peer, output.length);
 *
 * Changes of the store reach watches at the next etcd_peer_output: one response for each revision.
 * A test does as the network does: it passes octets on, in pieces, late, or not at all.
 *
 * Threads: one.  Memory: its own; without memory, and for octets that are no HTTP/2, the program
 * ends.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/octets.h"
#include "support/etcd_store.h"

struct etcd_peer;

/** `member` is its id in headers. The store is borrowed. */
struct etcd_peer *etcd_peer_new(struct etcd_store *store, uint64_t member);
void etcd_peer_free(struct etcd_peer *peer);

void etcd_peer_receive(struct etcd_peer *peer, const uint8_t *octets, size_t length);

/** What waits for the client; valid until the next call. */
struct octets etcd_peer_output(struct etcd_peer *peer);
void etcd_peer_sent(struct etcd_peer *peer, size_t length);

/** Passes octets both ways, `piece` at once (0: all), until both are quiet. False: it is broken. */
bool etcd_peer_exchange(struct etcd_peer *peer, struct etcd_connection *connection, size_t piece,
                        struct err *err);

/** From now on it takes what comes and says nothing, not even to PING; false: it goes on. */
void etcd_peer_set_silent(struct etcd_peer *peer, bool is_silent);

/** An empty response on every watch that asked for progress. */
void etcd_peer_send_progress(struct etcd_peer *peer);

/** Changes up to now never reach the watches: what a faulty etcd does. */
void etcd_peer_lose_changes(struct etcd_peer *peer);

/** Cancels every watch; `compact_revision` 0: for another reason. */
void etcd_peer_cancel_watches(struct etcd_peer *peer, int64_t compact_revision, const char *reason);

/** Announces its end: calls up to now are served unless `refuses_all`. */
void etcd_peer_go_away(struct etcd_peer *peer, bool refuses_all, const char *reason);

/** Resets every open stream with a code of HTTP/2. */
void etcd_peer_reset(struct etcd_peer *peer, uint32_t code);

/** Ends every open stream with a status. */
void etcd_peer_end_streams(struct etcd_peer *peer, enum etcd_status status, const char *text);

/** What the client has asked for so far. */
unsigned etcd_peer_calls(const struct etcd_peer *peer, enum etcd_method method);
size_t etcd_peer_watches(const struct etcd_peer *peer);
unsigned etcd_peer_pings(const struct etcd_peer *peer);

/** The headers of the last request: "name: value\n", each. */
const char *etcd_peer_headers(const struct etcd_peer *peer);

/** The window that the client opened for the connection, and for a stream. */
void etcd_peer_windows(const struct etcd_peer *peer, int32_t *connection, int32_t *stream);
