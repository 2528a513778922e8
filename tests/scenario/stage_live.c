#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenario/stage.h"

/* Long enough for a sanitizer build on a busy machine; a good run never waits so long. */
enum { PATIENCE_MS = 30000, PROBE_ID = 0xfffe, FRAME_OCTETS = 2 };

static bool complain(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    return false;
}

/* ---- the namespace ---- */

static bool bring_loopback_up(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    int handle = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool worked = handle >= 0 && ioctl(handle, SIOCGIFFLAGS, &request) == 0;

    request.ifr_flags |= IFF_UP;
    worked = worked && ioctl(handle, SIOCSIFFLAGS, &request) == 0;
    close(handle);
    return worked;
}

/* `ip route add local 0.0.0.0/0 dev lo`: every address is this machine's. */
static bool make_every_address_local(void)
{
    struct {
        struct nlmsghdr header;
        struct rtmsg route;
        struct rtattr device;
        uint32_t index;
    } request = {
        .header = {.nlmsg_len = sizeof request,
                   .nlmsg_type = RTM_NEWROUTE,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK},
        .route = {.rtm_family = AF_INET,
                  .rtm_table = RT_TABLE_LOCAL,
                  .rtm_protocol = RTPROT_STATIC,
                  .rtm_scope = RT_SCOPE_HOST,
                  .rtm_type = RTN_LOCAL},
        .device = {.rta_len = RTA_LENGTH(sizeof(uint32_t)), .rta_type = RTA_OIF},
        .index = if_nametoindex("lo"),
    };
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        char rest[256];
    } answer = {.error = {.error = -1}};
    int handle = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    bool worked = handle >= 0 &&
                  send(handle, &request, sizeof request, 0) == (ssize_t)sizeof request &&
                  recv(handle, &answer, sizeof answer, 0) > 0 && answer.error.error == 0;

    close(handle);
    return worked;
}

static bool enter_namespace(void)
{
    bool entered =
        geteuid() == 0 ? unshare(CLONE_NEWNET) == 0 : unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
    return entered && bring_loopback_up() && make_every_address_local();
}

/* A port that was free a moment ago, on loopback. */
static uint16_t find_free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int handle = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool bound = handle >= 0 && bind(handle, (struct sockaddr *)&address, length) == 0 &&
                 getsockname(handle, (struct sockaddr *)&address, &length) == 0;

    close(handle);
    return bound ? ntohs(address.sin_port) : 0;
}

bool live_enter(struct stage *stage, bool needs_namespace)
{
    stage->port = 53;
    if (enter_namespace())
        return true;
    stage->is_loopback = true;
    stage->port = find_free_port();
    return !needs_namespace && stage->port != 0;
}

/* ---- the server ---- */

static void write_settings(struct stage *stage)
{
    char text[STAGE_SETTINGS_MOST * 2 * STAGE_SETTING_OCTETS] = "";
    size_t length = 0;

    for (size_t i = 0; i < stage->setting_count; i++) {
        const struct stage_setting *setting = &stage->settings[i];
        bool is_list = strcmp(setting->key, "local_as") == 0 ||
                       strcmp(setting->key, "listen") == 0 ||
                       strcmp(setting->key, "localspace_to") == 0;
        length +=
            (size_t)snprintf(text + length, sizeof text - length,
                             is_list ? "%s: [%s]\n" : "%s: %s\n", setting->key, setting->value);
    }
    /* Nobody outside is ever asked. */
    if (stage_find_setting(stage, "upstreams") == NULL)
        length += (size_t)snprintf(text + length, sizeof text - length, "upstreams: none\n");
    folder_write(&stage->run, "settings.yaml", text, length);
}

static void become_server(const struct stage *stage, int errors)
{
    const char *program = getenv("SPACEDNSD");
    char settings[FOLDER_PATH_MOST + 32], listen[64];
    bool is_listening_told = stage_find_setting(stage, "listen") != NULL;
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

    snprintf(settings, sizeof settings, "%s/settings.yaml", stage->run.path);
    snprintf(listen, sizeof listen, "%s:%d", stage->is_loopback ? "127.0.0.1" : "10.0.0.2",
             stage->port);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(nothing, STDIN_FILENO);
    dup2(nothing, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    if (program != NULL && is_listening_told)
        execl(program, "spacednsd", "--settings", settings, "--zones", stage->world.folder.path,
              (char *)NULL);
    else if (program != NULL)
        execl(program, "spacednsd", "--settings", settings, "--zones", stage->world.folder.path,
              "--listen", listen, (char *)NULL);
    fprintf(stderr, "cannot start %s\n", program == NULL ? "$SPACEDNSD" : program);
    _exit(127);
}

/* Reads what the server says into stage->text until a line holds one of the words. */
static const char *await_line(struct stage *stage, const char *const *words, size_t count)
{
    size_t line = 0;

    stage->text_length = 0;
    stage->text[0] = '\0';
    for (;;) {
        struct pollfd poller = {.fd = stage->server_errors, .events = POLLIN};
        if (poll(&poller, 1, PATIENCE_MS) != 1 || stage->text_length + 1 >= STAGE_TEXT_OCTETS)
            return NULL;
        /* One octet at a time: nothing of the next line is taken. */
        if (read(stage->server_errors, stage->text + stage->text_length, 1) != 1)
            return NULL;
        stage->text[++stage->text_length] = '\0';
        if (stage->text[stage->text_length - 1] != '\n')
            continue;
        for (size_t i = 0; i < count; i++)
            if (strstr(stage->text + line, words[i]) != NULL)
                return words[i];
        line = stage->text_length;
    }
}

enum stage_outcome live_start(struct stage *stage)
{
    static const char *const words[] = {" ready"};
    int ends[2];

    write_settings(stage);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return STAGE_BROKEN;
    stage->server = fork();
    if (stage->server == 0)
        become_server(stage, ends[1]);
    close(ends[1]);
    stage->server_errors = ends[0];
    if (stage->server > 0 && await_line(stage, words, 1) != NULL)
        return STAGE_DONE;
    return STAGE_REFUSED; /* the story says whether that was wanted */
}

enum stage_outcome live_reload(struct stage *stage)
{
    static const char *const words[] = {" reload_done", " reload_unchanged", " reload_refused"};
    static const enum stage_outcome outcomes[] = {STAGE_DONE, STAGE_UNCHANGED, STAGE_REFUSED};

    if (kill(stage->server, SIGHUP) != 0)
        return STAGE_BROKEN;
    const char *word = await_line(stage, words, 3);
    for (size_t i = 0; i < 3; i++)
        if (word == words[i])
            return outcomes[i];
    return STAGE_BROKEN;
}

/* Lets the server say the rest, so that it never waits for a reader. */
static void drain(struct stage *stage)
{
    ssize_t length = 1;

    stage->text_length = 0;
    while (length > 0) {
        char *next = stage->text + stage->text_length;
        length = read(stage->server_errors, next, STAGE_TEXT_OCTETS - 1 - stage->text_length);
        stage->text_length += length > 0 ? (size_t)length : 0;
    }
    stage->text[stage->text_length] = '\0';
    close(stage->server_errors);
}

bool live_stop(struct stage *stage)
{
    int status = 0;

    if (stage->server <= 0)
        return true;
    kill(stage->server, SIGTERM);
    drain(stage);
    bool ended = waitpid(stage->server, &status, 0) == stage->server;
    stage->server = -1;
    if (ended && WIFEXITED(status) && (WEXITSTATUS(status) == 0 || !stage->is_started))
        return true;
    fprintf(stderr, "the server ended with status %#x and said:\n%s", (unsigned)status,
            stage->text);
    return false;
}

/* ---- asking ---- */

static bool set_address(struct sockaddr_in *address, const char *text, uint16_t port)
{
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    return inet_pton(AF_INET, text, &address->sin_addr) == 1;
}

/* A connected socket: only replies from the very address that was asked arrive (RFC 5452). */
static int open_socket(const struct stage *stage, const struct ask *how, int type)
{
    struct sockaddr_in from, to;
    const char *asked = stage->is_loopback ? "127.0.0.1" : how->to == NULL ? "10.0.0.2" : how->to;
    int handle = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    if (handle >= 0 && set_address(&from, how->from == NULL ? "10.0.130.56" : how->from, 0) &&
        set_address(&to, asked, stage->port) &&
        bind(handle, (struct sockaddr *)&from, sizeof from) == 0 &&
        connect(handle, (struct sockaddr *)&to, sizeof to) == 0)
        return handle;
    complain("cannot reach the server");
    close(handle);
    return -1;
}

static bool is_readable(int handle)
{
    struct pollfd poller = {.fd = handle, .events = POLLIN};
    return poll(&poller, 1, PATIENCE_MS) == 1;
}

/*
 * A question that always gets a reply, sent behind every request: when its reply comes first, the
 * request got none, and nobody had to wait for silence.
 */
static size_t write_probe(uint8_t *out)
{
    return request_write(&(struct ask){.name = "version.localspace.", .id = PROBE_ID}, out);
}

static bool is_probe(const uint8_t *reply, size_t length)
{
    return length >= 12 && (reply[0] << 8 | reply[1]) == PROBE_ID;
}

static bool exchange_udp(int handle, const uint8_t *request, size_t *length, uint8_t *reply)
{
    uint8_t probe[REQUEST_OCTETS_MOST], second[1500];
    size_t probe_length = write_probe(probe);

    if (send(handle, request, *length, 0) < 0 || send(handle, probe, probe_length, 0) < 0)
        return complain("cannot send");
    *length = 0;
    ssize_t got = is_readable(handle) ? recv(handle, reply, STAGE_REPLY_OCTETS, 0) : -1;
    if (got < 0)
        return complain("no reply, not even to the probe");
    if (is_probe(reply, (size_t)got))
        return true;
    *length = (size_t)got;
    got = is_readable(handle) ? recv(handle, second, sizeof second, 0) : -1;
    return (got >= 0 && is_probe(second, (size_t)got)) || complain("two replies to one request");
}

static bool send_frame(int handle, const uint8_t *octets, size_t length)
{
    uint8_t frame[FRAME_OCTETS + REQUEST_OCTETS_MOST + 65536];

    frame[0] = (uint8_t)(length >> 8);
    frame[1] = (uint8_t)length;
    memcpy(frame + FRAME_OCTETS, octets, length);
    return send(handle, frame, FRAME_OCTETS + length, MSG_NOSIGNAL) ==
           (ssize_t)(FRAME_OCTETS + length);
}

static bool receive_octets(int handle, uint8_t *out, size_t length)
{
    while (length > 0) {
        ssize_t got = is_readable(handle) ? recv(handle, out, length, 0) : -1;
        if (got <= 0)
            return false;
        out += got;
        length -= (size_t)got;
    }
    return true;
}

/* Returns the frame's length, 0 when the connection ended. */
static size_t receive_frame(int handle, uint8_t *out)
{
    uint8_t head[FRAME_OCTETS];

    if (!receive_octets(handle, head, FRAME_OCTETS))
        return 0;
    size_t length = (size_t)(head[0] << 8 | head[1]);
    return receive_octets(handle, out, length) ? length : 0;
}

static bool exchange_tcp(int handle, const uint8_t *request, size_t *length, uint8_t *reply)
{
    static uint8_t second[STAGE_REPLY_OCTETS];
    uint8_t probe[REQUEST_OCTETS_MOST];
    size_t probe_length = write_probe(probe);

    if (!send_frame(handle, request, *length) || !send_frame(handle, probe, probe_length))
        return complain("cannot send");
    *length = receive_frame(handle, reply);
    if (is_probe(reply, *length))
        *length = 0;
    if (*length == 0)
        return true; /* no reply, or the server ended a connection that makes no sense */
    size_t next = receive_frame(handle, second);
    return is_probe(second, next) || complain("two replies to one request");
}

bool live_exchange(struct stage *stage, const struct ask *how, const uint8_t *request,
                   size_t *length, uint8_t reply[STAGE_REPLY_OCTETS])
{
    bool is_udp = how->transport == ASK_UDP;
    int handle = open_socket(stage, how, is_udp ? SOCK_DGRAM : SOCK_STREAM);

    if (handle < 0)
        return false;
    bool worked = is_udp ? exchange_udp(handle, request, length, reply)
                         : exchange_tcp(handle, request, length, reply);
    close(handle);
    return worked;
}

/* ---- the storm ---- */

enum { LOT = 50 };

/* Sends packets in small lots, each closed by a probe, so that no buffer overflows. */
static bool storm_udp(int handle, const struct ask *how, struct dice *dice, const uint8_t *request,
                      size_t length)
{
    uint8_t packet[PACKET_OCTETS_MOST];

    for (int i = 0; i < LOT; i++) {
        size_t made = stage_make_packet(dice, request, length, packet);
        if (send(handle, packet, made, 0) < 0)
            return complain("cannot send");
    }
    if (send(handle, packet, write_probe(packet), 0) < 0)
        return complain("cannot send");
    for (;;) {
        ssize_t got = is_readable(handle) ? recv(handle, packet, sizeof packet, 0) : -1;
        if (got < 0)
            return complain("the server fell silent");
        if (is_probe(packet, (size_t)got))
            return true;
        if (!stage_is_sound_reply(packet, (size_t)got, how))
            return complain("an unsound reply");
    }
}

/* The same over one connection, which the server may end when it is fed nonsense. */
static bool storm_tcp(int handle, const struct ask *how, struct dice *dice, const uint8_t *request,
                      size_t length)
{
    static uint8_t reply[STAGE_REPLY_OCTETS];
    uint8_t packet[PACKET_OCTETS_MOST];
    size_t got;

    for (int i = 0; i < LOT; i++) {
        size_t made = stage_make_packet(dice, request, length, packet);
        if (!send_frame(handle, packet, made))
            break;
    }
    send_frame(handle, packet, write_probe(packet));
    while ((got = receive_frame(handle, reply)) > 0 && !is_probe(reply, got))
        if (!stage_is_sound_reply(reply, got, how))
            return complain("an unsound reply");
    return true;
}

bool live_storm(struct stage *stage, const struct ask *how, const uint8_t *request, size_t length,
                unsigned count)
{
    struct dice dice = {.state = 0x9e3779b97f4a7c15};
    bool is_udp = how->transport == ASK_UDP;
    bool is_sound = true;

    for (unsigned lot = 0; lot < count / LOT && is_sound; lot++) {
        int handle = open_socket(stage, how, is_udp ? SOCK_DGRAM : SOCK_STREAM);
        if (handle < 0)
            return false;
        is_sound = is_udp ? storm_udp(handle, how, &dice, request, length)
                          : storm_tcp(handle, how, &dice, request, length);
        close(handle);
    }
    return is_sound;
}
