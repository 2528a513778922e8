#include "serve/xdp.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

enum { MTU_LEAST = 1280 };

/* ---- what an interface is ---- */

/* One question about an interface; the answer is in *request. */
static bool ask(int descriptor, const char *name, unsigned long what, struct ifreq *request)
{
    memset(request, 0, sizeof *request);
    snprintf(request->ifr_name, sizeof request->ifr_name, "%s", name);
    return ioctl(descriptor, what, request) == 0;
}

static unsigned count_queues(int descriptor, const char *name)
{
    struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
    struct ifreq request;

    memset(&request, 0, sizeof request);
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    request.ifr_data = (void *)&channels;
    if (ioctl(descriptor, SIOCETHTOOL, &request) != 0)
        return 1; /* a driver that does not say has one */
    unsigned queues = channels.rx_count + channels.combined_count;
    if (queues > XDP_QUEUES_MOST)
        return XDP_QUEUES_MOST;
    return queues == 0 ? 1 : queues;
}

/* Returns false with *err, a clause. */
static bool inspect(int descriptor, struct xdp_interface *interface, uint8_t mac[6],
                    struct err *err)
{
    const char *name = interface->name;
    struct ifreq request;

    interface->number = if_nametoindex(name);
    if (interface->number == 0 || !ask(descriptor, name, SIOCGIFFLAGS, &request))
        return err_set(err, ERR_SYSTEM, "there is no such network interface; `ip link` lists them");
    if ((request.ifr_flags & IFF_LOOPBACK) != 0)
        return err_set(err, ERR_SYSTEM,
                       "loopback has no hardware to be read past the kernel, so nothing would be "
                       "gained; leave it out of `xdp`");
    if (!ask(descriptor, name, SIOCGIFHWADDR, &request) ||
        request.ifr_hwaddr.sa_family != ARPHRD_ETHER)
        return err_set(err, ERR_SYSTEM, "it is no Ethernet; leave it out of `xdp`");
    memcpy(mac, request.ifr_hwaddr.sa_data, 6);
    if (!ask(descriptor, name, SIOCGIFMTU, &request) || request.ifr_mtu < MTU_LEAST)
        return err_set(err, ERR_SYSTEM,
                       "its MTU is %d, and replies of up to %d octets cannot be fragmented here; "
                       "raise it (ip link set %s mtu 1500)",
                       request.ifr_mtu, MTU_LEAST, name);
    interface->queues = count_queues(descriptor, name);
    return true;
}

/* ---- its addresses ---- */

/* True when packets to the address may come by the interface without a VLAN's tag. What the list
 * names is the label of an address (eth0:1), and the settings may have another name (altname). */
static bool is_there(const struct ifaddrs *each, const struct xdp_interface *interface)
{
    if (each->ifa_addr == NULL ||
        (each->ifa_addr->sa_family != AF_INET && each->ifa_addr->sa_family != AF_INET6))
        return false;
    return (each->ifa_flags & IFF_LOOPBACK) != 0 ||
           if_nametoindex(each->ifa_name) == interface->number;
}

/* True when a socket of the address in the settings gets what comes to `own`. */
static bool covers(const struct listen_address *listen, const struct endpoint *own)
{
    const struct endpoint *endpoint = &listen->endpoint;

    if (!listen_address_has(listen, LISTEN_UDP) || endpoint_is_loopback(own) ||
        endpoint->any.sa_family != own->any.sa_family)
        return false;
    return endpoint_is_wildcard(endpoint) || endpoint_has_same_host(endpoint, own);
}

/* Adds one address of the host, with each port that is listened on. */
static bool add_address(struct xdp_interface *interface, const struct settings *settings,
                        struct endpoint own, struct err *err)
{
    for (size_t i = 0; i < settings->listen.count; i++) {
        if (!covers(&settings->listen.items[i], &own))
            continue;
        endpoint_set_port(&own, endpoint_port(&settings->listen.items[i].endpoint));
        if (!xdp_filter_add_address(&interface->filter, &own, err))
            return false;
        interface->addresses++;
    }
    return true;
}

static bool add_addresses(struct xdp_interface *interface, const struct settings *settings,
                          struct err *err)
{
    struct ifaddrs *all;

    if (getifaddrs(&all) != 0)
        return err_set(err, ERR_SYSTEM, "cannot list its addresses: %s", strerror(errno));
    bool is_done = true;
    for (const struct ifaddrs *each = all; each != NULL && is_done; each = each->ifa_next) {
        struct endpoint own = {.any.sa_family = AF_UNSPEC};
        if (!is_there(each, interface))
            continue;
        memcpy(&own, each->ifa_addr,
               each->ifa_addr->sa_family == AF_INET ? sizeof own.v4 : sizeof own.v6);
        is_done = add_address(interface, settings, own, err);
    }
    freeifaddrs(all);
    if (is_done && interface->addresses == 0)
        return err_set(err, ERR_SYSTEM,
                       "it has none of the addresses of `listen` over UDP; add one of `ip address "
                       "show %s` there, or leave it out of `xdp`",
                       interface->name);
    return is_done;
}

/* ---- opening ---- */

/* An interface may be listed under several names. Returns false with *err, a clause. */
static bool is_first(const struct xdp *xdp, const struct xdp_interface *interface, struct err *err)
{
    for (const struct xdp_interface *each = xdp->items; each < interface; each++)
        if (each->number == interface->number)
            return err_set(err, ERR_SYSTEM, "it is listed before, as %s; keep one of them in `xdp`",
                           each->name);
    return true;
}

static bool open_interface(const struct xdp *xdp, struct xdp_interface *interface,
                           const struct settings *settings, struct err *err)
{
    uint8_t mac[6];
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (descriptor < 0)
        return err_set(err, ERR_SYSTEM, "cannot look at it: %s", strerror(errno));
    bool is_fit = inspect(descriptor, interface, mac, err);
    close(descriptor);
    return is_fit && is_first(xdp, interface, err) &&
           xdp_filter_open(&interface->filter, mac, interface->queues, err) &&
           add_addresses(interface, settings, err);
}

void xdp_open(struct xdp *xdp, const struct settings *settings, bool is_waiting)
{
    xdp->mode = (enum xdp_mode)settings->xdp_mode;
    for (size_t i = 0; i < settings->xdp.count && i < XDP_INTERFACES_MOST; i++) {
        struct xdp_interface *interface = &xdp->items[xdp->count++];
        interface->name = settings->xdp.items[i];
        interface->filter =
            (struct xdp_filter){.program = -1, .addresses = -1, .sockets = -1, .link = -1};
        interface->is_zero_copy = true;
        if (is_waiting)
            err_set(&interface->problem, ERR_SYSTEM,
                    "an upgrade hands over sockets alone; restart the server to have it again");
        else if (!open_interface(xdp, interface, settings, &interface->problem))
            xdp_filter_close(&interface->filter);
    }
}

static void log_state(const struct xdp_interface *interface, bool is_used)
{
    char state[XDP_STATE_OCTETS];
    struct log_line line;

    xdp_format_state(interface, state);
    log_start(&line, is_used ? LOG_INFO : LOG_WARNING, is_used ? "xdp_used" : "xdp_unused");
    log_string(&line, "interface", interface->name);
    log_string(&line, "text", state);
    if (!is_used)
        log_string(&line, "effect", "its queries are answered over the sockets of `listen`");
    log_send(&line);
}

void xdp_attach(struct xdp *xdp)
{
    for (size_t i = 0; i < xdp->count; i++) {
        struct xdp_interface *interface = &xdp->items[i];
        if (interface->sockets > 0)
            interface->is_attached = xdp_filter_attach(&interface->filter, interface->number,
                                                       xdp->mode, &interface->problem);
        log_state(interface, interface->is_attached);
    }
}

void xdp_detach(struct xdp *xdp)
{
    for (size_t i = 0; i < xdp->count; i++)
        xdp_filter_detach(&xdp->items[i].filter);
}

void xdp_close(struct xdp *xdp)
{
    for (size_t i = 0; i < xdp->count; i++)
        xdp_filter_close(&xdp->items[i].filter);
}

/* ---- going away ---- */

bool xdp_look_up(struct xdp *xdp)
{
    bool is_any_used = false;
    char name[IF_NAMESIZE];

    for (size_t i = 0; i < xdp->count; i++) {
        struct xdp_interface *interface = &xdp->items[i];
        if (!xdp_is_used(interface))
            continue;
        /* By its number: a name can be another's now, and an interface can get a new one. */
        if (if_indextoname(interface->number, name) != NULL) {
            is_any_used = true;
            continue;
        }
        atomic_store(&interface->is_gone, true);
        xdp_filter_detach(&interface->filter); /* where it lives on, it is without us */
        log_state(interface, false);
    }
    return is_any_used;
}

bool xdp_is_used(const struct xdp_interface *interface)
{
    return interface->is_attached && !atomic_load(&interface->is_gone);
}

void xdp_format_state(const struct xdp_interface *interface, char out[XDP_STATE_OCTETS])
{
    const char *lacks = interface->problem.code == ERR_NONE ? "" : ": ";

    if (atomic_load(&interface->is_gone))
        snprintf(out, XDP_STATE_OCTETS,
                 "the network interface has gone away; restart the server once it is there again");
    else if (!interface->is_attached)
        snprintf(out, XDP_STATE_OCTETS, "%s", interface->problem.text);
    else
        snprintf(out, XDP_STATE_OCTETS, "%s, %s, %u of %u queue%s, %u address%s%s%s",
                 interface->filter.is_native ? "native" : "generic",
                 interface->is_zero_copy ? "zero copy" : "copied", interface->sockets,
                 interface->queues, interface->queues == 1 ? "" : "s", interface->addresses,
                 interface->addresses == 1 ? "" : "es", lacks,
                 *lacks == '\0' ? "" : interface->problem.text);
}
