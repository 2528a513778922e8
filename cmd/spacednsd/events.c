#include "spacednsd/events.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "config/port_range.h"
#include "config/settings_change.h"
#include "inspect/stats_visit.h"
#include "spacednsd/settings_reload.h"

/* The upstreams of the root zone. */
static void add_upstreams(struct log_line *line, const struct settings *settings)
{
    char octets[ENDPOINT_TEXT_MAX * UPSTREAMS_MOST];
    struct text text = text_over(octets, sizeof octets - 1);

    for (size_t i = 0; i < settings->upstreams.count; i++) {
        text_add_string(&text, i == 0 ? "" : ",");
        text_add_string(&text, settings->upstreams.items[i].text);
    }
    octets[text_length(&text)] = '\0';
    log_string(line, "upstreams", settings->upstreams.count == 0 ? "none" : octets);
}

/* What the ports of upstream queries are worth; nothing when the range is not known. */
static void add_ports(struct log_line *line, const struct settings *settings)
{
    unsigned tenths = port_range_tenths(settings->upstream_port_count);
    char bits[16];

    snprintf(bits, sizeof bits, "%u.%u", tenths / 10, tenths % 10);
    if (settings->upstream_port_count > 0)
        log_string(line, "upstream_port_bits", bits);
}

static void add_listen(struct log_line *line, const struct settings *settings)
{
    char octets[LISTEN_TEXT_MAX * 64];
    struct text text = text_over(octets, sizeof octets - 1);

    for (size_t i = 0; i < settings->listen.count; i++) {
        char address[LISTEN_TEXT_MAX];
        listen_address_write(&settings->listen.items[i], address);
        text_add_string(&text, i == 0 ? "" : ",");
        text_add_string(&text, address);
    }
    octets[text_length(&text)] = '\0';
    log_string(line, "listen", octets);
}

void events_log_ready(const struct settings *settings, const struct snapshot *snapshot,
                      const struct zones_loading *loading)
{
    struct log_line line;

    log_start(&line, LOG_INFO, "ready");
    add_listen(&line, settings);
    add_upstreams(&line, settings);
    add_ports(&line, settings);
    log_number(&line, "workers", settings->workers);
    log_number(&line, "spaces", snapshot_count_spaces(snapshot));
    log_number(&line, "apps", snapshot->app_count);
    log_number(&line, "generation", snapshot->generation);
    if (loading->outcome.last_good_count > 0)
        log_number(&line, "not_served_as_they_are", loading->outcome.last_good_count);
    log_number(&line, "files", loading->outcome.file_count);
    log_number(&line, "read", loading->outcome.read_count);
    log_number(&line, "ms", zones_loading_ms(loading));
    log_string(&line, "version", SPACEDNS_VERSION);
    log_send(&line);
}

void events_log_reloaded(const struct snapshot *snapshot, const struct zones_loading *loading,
                         const struct tally *tally, const struct audit *audit)
{
    char changed[SETTINGS_CHANGES_OCTETS], changes[TALLY_TEXT_MOST];
    struct log_line line;

    log_start(&line, LOG_INFO, "reload_done");
    log_number(&line, "generation", snapshot->generation);
    log_number(&line, "files", loading->outcome.file_count);
    log_number(&line, "read", loading->outcome.read_count);
    log_number(&line, "spaces", snapshot_count_spaces(snapshot));
    log_number(&line, "apps", snapshot->app_count);
    log_number(&line, "ms", zones_loading_ms(loading));
    if (tally_format(tally, changes) > 0)
        log_string(&line, "changes", changes);
    if (loading->reloaded != NULL && loading->reloaded->changed.count > 0) {
        settings_format_changes(&loading->reloaded->changed, changed);
        log_string(&line, "settings", changed);
    }
    audit_log(audit, &line);
    log_send(&line);
}

void events_log_unchanged(const struct zones_loading *loading, uint64_t generation,
                          const struct audit *audit)
{
    struct log_line line;

    log_start(&line, LOG_INFO, "reload_unchanged");
    log_number(&line, "generation", generation);
    log_number(&line, "files", loading->outcome.file_count);
    log_number(&line, "read", loading->outcome.read_count);
    log_number(&line, "ms", zones_loading_ms(loading));
    audit_log(audit, &line);
    log_send(&line);
}

void events_log_stopping(int signal_number, const struct signal_sender *sender)
{
    struct log_line line;

    log_start(&line, LOG_INFO, "stopping");
    log_string(&line, "signal", signal_number == SIGTERM ? "SIGTERM" : "SIGINT");
    if (sender->pid != 0) {
        log_number(&line, "by", sender->uid);
        log_number(&line, "pid", (uint64_t)sender->pid);
    }
    log_send(&line);
}

void events_log_few_descriptors(const struct settings *settings, uint64_t limit, uint64_t wanted)
{
    struct log_line line;

    log_start(&line, LOG_WARNING, "few_descriptors");
    log_number(&line, "limit", limit);
    log_number(&line, "wanted", wanted);
    if (settings->upstream_sockets > 0)
        log_number(&line, "upstream_sockets", settings->upstream_sockets);
    if (settings->tcp_sockets > 0)
        log_number(&line, "tcp_connections", settings->tcp_sockets);
    log_string(&line, "text",
               "each worker opens fewer sockets to upstreams, or keeps fewer TCP connections, than "
               "the settings allow; raise the limit (LimitNOFILE=, ulimit -Hn) to `wanted`, "
               "or lower upstream_questions, tcp_connections, workers");
    log_send(&line);
}

void events_log_few_ports(const struct settings *settings)
{
    struct log_line line;

    log_start(&line, LOG_WARNING, "few_ports");
    log_number(&line, "ports", settings->upstream_port_count);
    add_ports(&line, settings);
    log_string(&line, "text",
               "answers of upstreams are easier to forge: a query's port is drawn from fewer than "
               "16384; widen the range (sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\") and "
               "restart, or set upstream_ports: any");
    log_send(&line);
}

void events_log_no_upstreams(void)
{
    struct log_line line;

    log_start(&line, LOG_WARNING, "no_upstreams");
    log_string(&line, "text",
               "foreign names are refused: /etc/resolv.conf names no resolver but this "
               "server; set upstreams (--upstream ADDR) to a resolver, or to none");
    log_send(&line);
}

static void log_warnings(const struct privileges *privileges, const struct sandbox *sandbox,
                         const struct settings *settings)
{
    if (privileges->uid == 0)
        log_sentence(LOG_WARNING, "stays_root",
                     "the server stays root, as the setting user says: whoever takes it over is "
                     "root; name a user of its own");
    if (!sandbox->is_whole)
        log_sentence(LOG_WARNING, "sandbox_incomplete",
                     "the server goes on without a part of its sandbox; the event privileges and "
                     "spacedns status say which part, and why");
    if (settings->sandbox == SANDBOX_LOG)
        log_sentence(LOG_WARNING, "sandbox_log",
                     "nothing is refused; the kernel logs system calls that sandbox: on would not "
                     "allow: journalctl -k --grep type=1326, or ausearch -m SECCOMP");
}

void events_log_privileges(const struct privileges *privileges, const struct sandbox *sandbox,
                           const struct settings *settings)
{
    struct log_line line;

    log_start(&line, LOG_INFO, "privileges");
    log_string(&line, "user", privileges->user);
    log_string(&line, "capabilities", privileges->capabilities);
    log_string(&line, "no_new_privileges", privileges_has_no_new() ? "yes" : "no");
    log_string(&line, "landlock", sandbox->landlock);
    log_string(&line, "seccomp", sandbox->seccomp);
    log_send(&line);
    log_warnings(privileges, sandbox, settings);
}

static void add_counter(void *context, const struct stats_value *value)
{
    log_number(context, value->key, value->value);
}

void events_log_counters(const struct server *server)
{
    struct totals totals;
    struct log_line line;

    server_sum(server, &totals);
    log_start(&line, LOG_INFO, "counters");
    stats_visit(&totals, add_counter, &line);
    log_send(&line);
}
