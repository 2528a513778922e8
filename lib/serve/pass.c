#include "serve/pass.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CONTROL_OCTETS = CMSG_SPACE(PASS_DESCRIPTORS_MOST * sizeof(int)) };

/* The kernel requires the alignment of struct cmsghdr. */
struct control {
    _Alignas(struct cmsghdr) uint8_t octets[CONTROL_OCTETS];
};

bool pass_pair(int ends[2], int flags)
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0, ends) == 0;
}

bool pass_send(int socket, const void *octets, size_t length, const int *descriptors, size_t count)
{
    struct control control = {.octets = {0}};
    struct iovec part = {.iov_base = (void *)(uintptr_t)octets, .iov_len = length};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t sent;

    assert(length > 0 && count <= PASS_DESCRIPTORS_MOST);
    if (count > 0) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(header), descriptors, count * sizeof(int));
    }
    do
        sent = sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)length;
}

/* Moves the descriptors of a message out; those without room are closed. */
static void take_descriptors(struct msghdr *message, int *descriptors, size_t *count)
{
    size_t room = *count;

    *count = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
         header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < (header->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof descriptor);
            if (*count < room)
                descriptors[(*count)++] = descriptor;
            else
                close(descriptor);
        }
    }
}

ssize_t pass_receive(int socket, void *octets, size_t room, int *descriptors, size_t *count)
{
    struct control control;
    struct iovec part = {.iov_base = octets, .iov_len = room};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t received;

    do
        received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    if (received > 0)
        take_descriptors(&message, descriptors, count);
    else
        *count = 0;
    return received;
}
