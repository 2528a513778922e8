// wrap: status_print
/*
 * The server as it is, but that its command status does what an attacker inside would: the attack
 * that ATTACK names, on the path or process of ATTACK_ON. Prints "succeeded" or "refused: why";
 * where the kernel ends the process, nothing. e2e/sandbox_attacks.sh has the expected ends.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spacednsd/status.h"

bool __wrap_status_print(const struct status_source *source, bool is_json, FILE *out);

/* Of ATTACK_ON. */
static const char *path;
static pid_t process;

static bool is_opened(int descriptor)
{
    if (descriptor >= 0)
        close(descriptor);
    return descriptor >= 0;
}

static bool read_file(void)
{
    return is_opened(open(path, O_RDONLY | O_CLOEXEC));
}

static bool write_file(void)
{
    return is_opened(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static bool remove_file(void)
{
    return unlink(path) == 0;
}

static bool list_folder(void)
{
    return is_opened(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

/* A success replaces the server, which ends with the program's code. */
static bool execute(void)
{
    execl("/bin/true", "true", (char *)NULL);
    return false;
}

static bool make_process(void)
{
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0); /* the server ignores SIGCHLD, so this only waits */
    return child > 0;
}

static bool trace(void)
{
    return ptrace(PTRACE_SEIZE, process, NULL, NULL) == 0;
}

static bool end_process(void)
{
    return kill(process, SIGTERM) == 0;
}

static bool signal_thread(void)
{
    return syscall(SYS_tgkill, process, process, SIGTERM) == 0;
}

static bool bind_tcp(uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return descriptor >= 0 &&
           bind(descriptor, (const struct sockaddr *)&address, sizeof address) == 0;
}

static bool bind_port_25(void)
{
    return bind_tcp(25);
}

static bool bind_high_port(void)
{
    return bind_tcp(0);
}

static bool listen_anew(void)
{
    return listen(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 1) == 0;
}

static bool open_raw_socket(void)
{
    return is_opened(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
}

static bool open_packet_socket(void)
{
    return is_opened(socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

static bool open_ring(void)
{
    char parameters[256] = {0};

    return is_opened((int)syscall(SYS_io_uring_setup, 1, parameters));
}

static bool mount_folder(void)
{
    return mount("none", path, "tmpfs", 0, NULL) == 0;
}

static bool become_root(void)
{
    return geteuid() != 0 && setuid(0) == 0;
}

static bool enter_user_namespace(void)
{
    return syscall(SYS_unshare, CLONE_NEWUSER) == 0;
}

static bool make_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                0) != MAP_FAILED;
}

static bool debug_memory(void)
{
    char octet;
    const struct iovec here = {&octet, 1}, there = {(void *)(uintptr_t)0x400000, 1};

    return syscall(SYS_process_vm_readv, process, &here, 1, &there, 1, 0) == 1;
}

static const struct attack {
    const char *name;
    bool (*try)(void);
} attacks[] = {
    {"read", read_file},
    {"write", write_file},
    {"remove", remove_file},
    {"list", list_folder},
    {"execute", execute},
    {"fork", make_process},
    {"ptrace", trace},
    {"kill", end_process},
    {"tgkill", signal_thread},
    {"bind-25", bind_port_25},
    {"bind-high", bind_high_port},
    {"listen", listen_anew},
    {"raw-socket", open_raw_socket},
    {"packet-socket", open_packet_socket},
    {"io_uring", open_ring},
    {"mount", mount_folder},
    {"setuid", become_root},
    {"user-namespace", enter_user_namespace},
    {"code", make_code},
    {"memory", debug_memory},
};

bool __wrap_status_print(const struct status_source *source, bool is_json, FILE *out)
{
    const char *name = getenv("ATTACK");

    (void)source;
    (void)is_json;
    path = getenv("ATTACK_ON");
    process = path == NULL ? 0 : atoi(path);
    for (size_t i = 0; name != NULL && i < sizeof attacks / sizeof attacks[0]; i++) {
        if (strcmp(attacks[i].name, name) != 0)
            continue;
        bool is_done = attacks[i].try();
        fprintf(out, is_done ? "succeeded\n" : "refused: %s\n", strerror(errno));
        return true;
    }
    fputs("there is no such attack\n", out);
    return true;
}
