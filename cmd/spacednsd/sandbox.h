#pragma once
/**
 * The sandbox: what the process may still do once it answers queries, whoever controls it.
 *
 *     files         Landlock: reads what a reload reads, writes state and control socket
 *     system calls  seccomp: those of syscalls.def
 *
 * A reload may read, below each of these folders:
 *
 *     zones            and the folder that it is in, so that it may be exchanged as a whole and a
 *                      plan may lie beside it; links in it to files elsewhere: their folders
 *     settings file    its folder, because editors replace a file
 *     /etc/resolv.conf the file; if it is a link, the folder to which that leads
 *     users, groups    /etc/passwd, /etc/group: names for the log
 *     certificates     OpenSSL's folder and file, or those of SSL_CERT_DIR and SSL_CERT_FILE
 *
 * All this is decided at the start. A setting `zones` that a reload changes to a folder elsewhere
 * is refused, and the old data stays, until a restart.
 *
 * A kernel or build without one of the two parts is no reason not to serve: the part is left out,
 * and the texts say why.
 *
 * Threads: one, before the process has others.  Memory: none.
 */
#include <stdbool.h>

#include "base/err.h"
#include "config/settings.h"

enum { SANDBOX_TEXT_MOST = sizeof((struct err *)0)->text };

struct sandbox {
    bool is_whole;                    /* both parts work, or the settings want none */
    char landlock[SANDBOX_TEXT_MOST]; /* "ABI 6"; "off"; "none: ..." */
    char seccomp[SANDBOX_TEXT_MOST];  /* "kill"; "log"; "off"; "none: ..." */
};

/**
 * Enters the sandbox of the settings.
 *
 * socket      path of the control socket; NULL: none
 * is_waiting  the server takes over from another, and will listen at that socket only then
 */
void sandbox_enter(struct sandbox *sandbox, const struct settings *settings, const char *socket,
                   bool is_waiting);
