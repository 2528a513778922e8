#include "spacedns/support_host.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "base/escape.h"
#include "base/file.h"

enum { TEXT_MOST = 1 << 20, PATH_OCTETS = 128 };

/* What a UDP and TCP server with a control socket runs into. */
static const char *const sysctls[] = {
    "net/core/rmem_max",
    "net/core/rmem_default",
    "net/core/wmem_max",
    "net/core/netdev_max_backlog",
    "net/core/somaxconn",
    "net/ipv4/udp_mem",
    "net/ipv4/udp_rmem_min",
    "net/ipv4/tcp_max_syn_backlog",
    "net/ipv4/tcp_fastopen",
    "net/ipv4/ip_local_port_range",
    "net/ipv4/ip_unprivileged_port_start",
    "net/ipv6/conf/all/disable_ipv6",
    "net/netfilter/nf_conntrack_max",
    "net/netfilter/nf_conntrack_count",
    "fs/file-max",
    "vm/overcommit_memory",
};

/* NULL when it is not there. */
static char *read_text(const char *path)
{
    struct err err;
    size_t length;

    return file_read_text(path, TEXT_MOST, &length, &err);
}

static void print_kernel(FILE *out)
{
    struct utsname names;
    struct sysinfo info;

    if (uname(&names) == 0)
        fprintf(out, "%s %s %s %s\n", names.sysname, names.release, names.version, names.machine);
    if (sysinfo(&info) == 0)
        fprintf(out, "processors %d\nmemory %llu MB, %llu MB free\n", get_nprocs(),
                (unsigned long long)info.totalram * info.mem_unit >> 20,
                (unsigned long long)info.freeram * info.mem_unit >> 20);
}

static void print_sysctls(FILE *out)
{
    char path[PATH_OCTETS];

    for (size_t i = 0; i < sizeof sysctls / sizeof sysctls[0]; i++) {
        snprintf(path, sizeof path, "/proc/sys/%s", sysctls[i]);
        char *text = read_text(path);
        fprintf(out, "%s %s", sysctls[i], text == NULL ? "-\n" : text);
        free(text);
    }
}

/* The lines of a file that begin so. */
static void print_lines(const char *path, const char *beginning, FILE *out)
{
    char *text = read_text(path), *rest = text;

    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n"))
        if (strncmp(line, beginning, strlen(beginning)) == 0 && line[0] != '\0')
            fprintf(out, "%s\n", line);
    free(text);
}

static void print_interface(const char *name, FILE *out)
{
    static const char *const facts[] = {"operstate", "mtu", "tx_queue_len"};
    char path[PATH_OCTETS];

    escape_printf(out, "interface %s", name);
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        snprintf(path, sizeof path, "/sys/class/net/%s/%s", name, facts[i]);
        char *text = read_text(path);
        if (text != NULL)
            fprintf(out, " %s=%.*s", facts[i], (int)strcspn(text, "\n"), text);
        free(text);
    }
    fputc('\n', out);
}

static void print_interfaces(FILE *out)
{
    struct if_nameindex *interfaces = if_nameindex();

    for (size_t i = 0; interfaces != NULL && interfaces[i].if_index != 0; i++)
        print_interface(interfaces[i].if_name, out);
    if (interfaces != NULL)
        if_freenameindex(interfaces);
}

static void print_limits(long long server, FILE *out)
{
    char path[PATH_OCTETS] = "/proc/self/limits";

    if (server > 0)
        snprintf(path, sizeof path, "/proc/%lld/limits", server);
    fprintf(out, "limits of %s\n",
            server > 0 ? "the server" : "this command, for want of a server");
    print_lines(path, "", out);
}

void support_host_print(long long server, FILE *out)
{
    print_kernel(out);
    print_lines("/etc/os-release", "PRETTY_NAME=", out);
    print_sysctls(out);
    print_lines("/proc/net/snmp", "Udp:", out);
    print_lines("/proc/net/snmp6", "Udp6", out);
    print_interfaces(out);
    print_limits(server, out);
}
