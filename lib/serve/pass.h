#pragma once
/**
 * Messages between processes that pass descriptors along (SCM_RIGHTS).
 *
 * A message is one datagram of a SOCK_SEQPACKET pair: octets, and descriptors that become the
 * receiver's own. Descriptors that are received close on exec.
 *
 * Sources: unix(7), cmsg(3).
 * Threads: any; a message is sent and received as a whole.  Memory: never allocates.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { PASS_DESCRIPTORS_MOST = 64 }; /* the kernel takes 253 */

/** Makes both ends, which close on exec. `flags` may have SOCK_NONBLOCK. Returns false with errno.
 */
bool pass_pair(int ends[2], int flags);

/**
 * Sends without waiting. Returns false, with errno, when the receiver is gone or takes no more now.
 */
bool pass_send(int socket, const void *octets, size_t length, const int *descriptors, size_t count);

/**
 * Receives one message, waiting as the socket does. *count is the room in `descriptors`, then how
 * many there are.
 *
 * Returns its octets; 0: the sender is gone; -1 with errno.
 */
ssize_t pass_receive(int socket, void *octets, size_t room, int *descriptors, size_t *count);
