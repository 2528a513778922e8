#pragma once
/**
 * The events that the daemon logs about itself, each with a fixed name.
 *
 * ready, reload_done, reload_unchanged, counters, stopping, few_descriptors, few_ports,
 * no_upstreams, privileges, stays_root, sandbox_incomplete, sandbox_log here;
 * reload_refused, finding and findings_left_out in findings_log.h; names_kept_back and names_let_go
 * in kept.h; state_decayed, state_failed, state_stored and state_unused in storing.h;
 * control_failed in daemon.c; http_failed and http_ready in web.h; upgrade_* and launcher_failed in
 * upgrade.h; registry_* and space_* in replica_events.h; registry_unresolved in replica_hosts.h;
 * inherited_unused in takeover.h; worker_without_socket in serve/worker; forward_failed in
 * serve/forwarder; querylog_dropped and querylog_failed in serve/querylog; client_limited in
 * serve/server; device_absent and device_there in serve/devices; dnstap_connected and
 * dnstap_unconnected in tap/tap_socket.
 *
 * Threads: the control thread.
 */
#include <stdint.h>

#include "config/settings.h"
#include "inspect/tally.h"
#include "serve/server.h"
#include "spacednsd/audit.h"
#include "spacednsd/privileges.h"
#include "spacednsd/sandbox.h"
#include "spacednsd/signals.h"
#include "spacednsd/zones.h"

void events_log_ready(const struct settings *settings, const struct snapshot *snapshot,
                      const struct zones_loading *loading);

void events_log_reloaded(const struct snapshot *snapshot, const struct zones_loading *loading,
                         const struct tally *tally, const struct audit *audit);

void events_log_unchanged(const struct zones_loading *loading, uint64_t generation,
                          const struct audit *audit);

void events_log_stopping(int signal_number, const struct signal_sender *sender);

/** The settings' shares are those of settings_share_descriptors. */
void events_log_few_descriptors(const struct settings *settings, uint64_t limit, uint64_t wanted);

/** Queries to upstreams are sent from too few ports. */
void events_log_few_ports(const struct settings *settings);

/** No upstream is configured, and resolv.conf names none. */
void events_log_no_upstreams(void);

/** What the process may still do; a warning when that is more than it should be. */
void events_log_privileges(const struct privileges *privileges, const struct sandbox *sandbox,
                           const struct settings *settings);

/** All counters; of response codes and reasons those that are not zero. */
void events_log_counters(const struct server *server);
