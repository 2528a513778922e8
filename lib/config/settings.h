#pragma once
/**
 * The operator's settings: a file, flags and defaults, all read by one table (settings.def).
 *
 * Three sources, the strongest first: flags, the settings file, the table's initial values. A value
 * from a weaker source is checked and then ignored. A list from a stronger source replaces the
 * whole list of a weaker one; within a source, items add up.
 *
 * The file is YAML (yaml/yaml.h):
 *
 *     zones: /etc/spacedns/zones
 *     listen: [10.0.0.2, "[::1]:5300"]
 *     upstreams: [10.0.0.2, "tls://9.9.9.9#dns.quad9.net"]
 *     upstream_zones: {corp.example: [192.168.7.53]}
 *     suffixes: {apps: example.app}
 *
 * What is wrong becomes findings (E-SETTING). One run reports them all, each with its origin, the
 * fault and the remedy, as printed (wrapped here):
 *
 *     spacednsd.yaml:3:10: error E-SETTING: workers: 9999 is out of range; give a whole number from
 *     0 to 256
 *     --worker (command line): error E-SETTING: unknown flag; did you mean --workers?
 *
 * Threads: read by one thread; constant after.
 * Memory: texts and lists live as long as the settings.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/address.h"
#include "base/arena.h"
#include "config/http_address.h"
#include "config/listen_address.h"
#include "config/recursion.h"
#include "config/setting_origin.h"
#include "config/upstream.h"
#include "wire/cookie.h"

enum { CACHE_SIZE_LEAST = 1 << 20 };

enum setting_type {
    SETTING_TEXT,      /* const char * */
    SETTING_WORDS,     /* struct string_list */
    SETTING_SUFFIX,    /* const char *: a domain name, lower case, no closing dot */
    SETTING_SUFFIXES,  /* struct string_list of such */
    SETTING_NUMBER,    /* uint32_t */
    SETTING_FLAG,      /* bool */
    SETTING_CHOICE,    /* unsigned: the number of the word */
    SETTING_CLASSES,   /* unsigned: one bit for each word, the first lowest */
    SETTING_LISTEN,    /* struct listen_addresses */
    SETTING_UPSTREAMS, /* struct upstreams */
    SETTING_ZONES,     /* struct upstream_zones */
    SETTING_PREFIX,    /* struct nat64_prefix */
    SETTING_SECRETS,   /* struct cookie_secrets; never printed */
    SETTING_HTTP,      /* struct http_addresses */
    SETTING_TOKEN,     /* const char *; never printed */
    SETTING_RECURSION, /* struct recursion */
    SETTING_ENDPOINTS, /* struct string_list of members of etcd */
};

struct string_list {
    const char **items;
    size_t count;
    size_t capacity;
};

enum { EXTERNAL_REFUSE, EXTERNAL_NXDOMAIN };
enum { LOG_QUERIES_FAILURES, LOG_QUERIES_ALL, LOG_QUERIES_NONE };
enum { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };
enum { UPSTREAM_PORTS_SYSTEM, UPSTREAM_PORTS_ANY };
enum registry_channel { REGISTRY_STABLE, REGISTRY_CANARY };
enum sandbox_mode { SANDBOX_ON, SANDBOX_LOG, SANDBOX_OFF };

struct settings {
    const char *zones;
    struct listen_addresses listen;
    uint32_t workers; /* at least 1 once read */
    struct string_list local_as;
    unsigned external;
    bool allow_public_listen;
    unsigned localspace_to; /* bit 0 space, 1 peered, 2 vpn */
    struct recursion recursion_for;
    struct upstreams upstreams;           /* for all other names, as configured */
    struct upstream_zones upstream_zones; /* as configured; forwarding.h adds "." */
    bool allow_rebind;                    /* of "." */
    struct nat64_prefix nat64_prefix;     /* besides the well-known prefixes */
    bool lacks_upstreams;                 /* neither the settings nor the host name one */
    bool has_host_upstreams;              /* upstreams are those of resolv.conf */
    uint32_t
        upstream_sockets; /* per worker, as descriptors allow (settings_reload.h); 0: no bound */
    uint32_t tcp_sockets; /* the same for connections */
    uint32_t cache_size;  /* octets, all workers together */
    uint32_t upstream_questions;  /* per worker, in flight at once */
    unsigned upstream_ports;      /* UPSTREAM_PORTS_... */
    uint32_t upstream_port_count; /* to draw from, found at start; 0: not known */
    bool upstream_0x20;
    const char *suffix_apps;
    const char *suffix_discovery;
    struct string_list suffix_targets;
    const char *server_id;
    bool cookies;
    struct cookie_secrets cookie_secrets; /* count 0: the server makes its own */
    unsigned log_queries;                 /* LOG_QUERIES_... */
    uint32_t log_rate;                    /* lines a second; 0: no limit */
    unsigned log_format;
    const char *dnstap; /* NULL: off */
    uint32_t dnstap_sample;
    unsigned log_level; /* enum log_level */
    uint32_t metrics_apps;
    uint32_t tcp_connections;
    uint32_t tcp_per_client;
    uint32_t tcp_idle_ms;
    uint32_t external_rate; /* a second, per network; 0: no limit */
    uint32_t external_slip;
    uint32_t client_rate; /* a second, per client; 0: no limit */
    uint32_t udp_buffer;
    struct string_list xdp;     /* names of network interfaces */
    unsigned xdp_mode;          /* enum xdp_mode */
    const char *control_socket; /* NULL: the default path */
    const char *control_group;  /* NULL: none */
    const char *control_read_group;
    struct http_addresses http_listen;
    const char *http_token; /* NULL: none is needed */
    bool reload_guard;      /* for SIGHUP and the reload command */
    uint32_t guard_share;   /* percent */
    const char *state_dir;  /* NULL: none */
    uint32_t kept_back_seconds;
    uint32_t kept_back_most;
    struct string_list registry_endpoints; /* http://HOST:PORT or https://HOST:PORT, all of one
                                              scheme (registry_endpoint.h); none: no registry */
    const char *registry_root;             /* without a closing slash */
    const char *registry_cell;             /* NULL: no registry */
    const char *registry_ca;               /* NULL: what the host trusts */
    const char *registry_certificate;      /* NULL: none, as registry_key */
    const char *registry_key;
    const char *registry_user; /* NULL: none, as registry_password_file */
    const char *registry_password_file;
    struct string_list registry_spaces; /* none: all */
    unsigned registry_channel;          /* enum registry_channel */
    uint32_t registry_gather_ms;
    uint32_t registry_stale_after_s;
    bool registry_announce;
    const char *user;
    unsigned sandbox; /* enum sandbox_mode */
    const char *file; /* NULL: none */
    bool check;
    bool version;
    bool help;
    int argc; /* the command line, borrowed */
    char *const *argv;
    struct setting_origin *origins; /* by setting, of the last value; see settings_origin */
    struct arena *arena;
};

enum settings_status {
    SETTINGS_READY,
    SETTINGS_BAD_FILE,  /* the file is wrong or cannot be read */
    SETTINGS_BAD_USAGE, /* the command line is wrong */
};

/**
 * Reads the command line and the file it names.
 *
 * argv    borrowed as long as the settings: it may be read again (settings_change.h)
 * report  without errors before; receives what is wrong
 *
 * With --help or --version nothing else is read. Close `settings` whatever the status; it is
 * complete only with SETTINGS_READY.
 */
enum settings_status settings_init(struct settings *settings, int argc, char *const *argv,
                                   struct report *report);

/**
 * Returns where the last value of a setting was written. Without any, the file alone, because that
 * is where it would be.
 *
 * key  as in the settings file; outlives the origin
 */
struct setting_origin settings_origin(const struct settings *settings, const char *key);

/** True when the zones come from a registry, not from the folder `zones`. */
static inline bool settings_has_registry(const struct settings *settings)
{
    return settings->registry_endpoints.count > 0;
}

/** Frees the settings' texts and lists. */
void settings_close(struct settings *settings);

/** Prints the help text, made from the table. */
void settings_print_help(FILE *out);
