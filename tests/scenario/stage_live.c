#include <arpa/inet.h>
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

#include "base/permission.h"
#include "scenario/stage.h"

/* Long enough for a sanitizer build on a busy machine; a good run never waits so long. */
enum { PATIENCE_MS = 30000 };

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

static bool is_list(const char *key)
{
    static const char *const lists[] = {"local_as", "listen", "localspace_to", "recursion_for"};

    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        if (strcmp(lists[i], key) == 0)
            return true;
    return false;
}

static void write_list(FILE *out, const char *words)
{
    fputs("[", out);
    for (const char *at = words; *at != '\0'; at++)
        fputs(*at == ' ' ? ", " : (const char[]){*at, '\0'}, out);
    fputs("]", out);
}

/* One worker: with several, the kernel would choose whose cache answers. */
static void write_upstreams(const struct stage *stage, FILE *out)
{
    bool has_usual = false, has_zone = false;

    if (stage->zone_count > 0 && stage_find_setting(stage, "workers") == NULL)
        fputs("workers: 1\n", out);
    for (size_t i = 0; i < stage->zone_count; i++) {
        const struct stage_zone *zone = &stage->zones[i];
        if (strcmp(zone->zone, ".") != 0)
            continue;
        has_usual = true;
        fprintf(out, "allow_rebind: %s\nupstreams: ", zone->allow_rebind ? "true" : "false");
        write_list(out, zone->addresses);
        fputs("\n", out);
    }
    if (!has_usual && stage_find_setting(stage, "upstreams") == NULL)
        fputs("upstreams: none\n", out); /* nothing is forwarded */
    for (size_t i = 0; i < stage->zone_count; i++) {
        const struct stage_zone *zone = &stage->zones[i];
        if (strcmp(zone->zone, ".") == 0)
            continue;
        fprintf(out, "%s  %s: {allow_rebind: %s, upstreams: ", has_zone ? "" : "upstream_zones:\n",
                zone->zone, zone->allow_rebind ? "true" : "false");
        write_list(out, zone->addresses);
        fputs("}\n", out);
        has_zone = true;
    }
}

static void write_settings(struct stage *stage)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    for (size_t i = 0; i < stage->setting_count; i++) {
        const struct stage_setting *setting = &stage->settings[i];
        bool is_bare = is_list(setting->key) && setting->value[0] != '{';
        fprintf(out, is_bare ? "%s: [%s]\n" : "%s: %s\n", setting->key, setting->value);
    }
    if (stage_find_setting(stage, "external_rate") == NULL)
        fputs("external_rate: 0\n", out); /* stories ask quickly, and count every reply */
    write_upstreams(stage, out);
    fclose(out);
    scratch_write(&stage->run, "settings.yaml", text, length);
    free(text);
}

static void become_server(const struct stage *stage, int errors)
{
    const char *program = getenv("SPACEDNSD");
    char settings[SCRATCH_PATH_MOST + 32], listen[64];
    bool is_listening_told = stage_find_setting(stage, "listen") != NULL;
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

    snprintf(settings, sizeof settings, "%s/settings.yaml", stage->run.path);
    snprintf(listen, sizeof listen, "%s:%d", stage->is_loopback ? "127.0.0.1" : "10.0.0.2",
             stage->port);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(nothing, STDIN_FILENO);
    dup2(nothing, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    const char *const arguments[] = {
        "spacednsd",
        "--settings",
        settings,
        "--zones",
        stage->world.folder.path,
        "--user",
        permission_user(),
        "--http-listen",
        "none",
        is_listening_told ? NULL : "--listen",
        listen,
        NULL,
    };
    if (program != NULL)
        execv(program, (char *const *)(uintptr_t)arguments);
    fprintf(stderr, "cannot start %s\n", program == NULL ? "$SPACEDNSD" : program);
    _exit(127);
}

/* Reads the server's output into stage->text until a line contains one of the words. */
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
    if (stage->zone_count > 0 && stage->outward == NULL) {
        stage->outward = outward_live_new(&stage->responders);
        if (stage->outward == NULL)
            return STAGE_BROKEN;
    }
    if (pipe2(ends, O_CLOEXEC) != 0)
        return STAGE_BROKEN;
    stage->server = fork();
    if (stage->server == 0)
        become_server(stage, ends[1]);
    close(ends[1]);
    stage->server_errors = ends[0];
    if (stage->server > 0 && await_line(stage, words, 1) != NULL)
        return STAGE_DONE;
    return STAGE_REFUSED; /* the story decides whether that is expected */
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

/* Reads the rest of the server's output, so that it never waits for a reader. */
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
    fprintf(stderr, "the server ended with status %#x and printed:\n%s", (unsigned)status,
            stage->text);
    return false;
}
