#pragma once
/**
 * Plays a story on a stage.
 *
 * What sets the stage:
 *
 *     zones PATH...              the folder's files become copies of these files or folders
 *     zone-file NAME <<          writes a file
 *     edit FILE s/OLD/NEW/       replaces the first OLD in a file; any character for the slash
 *     remove FILE
 *     setting KEY=VALUE          before the first question
 *     start refused CODE...      the server does not start, and says these codes
 *     reload done|unchanged|refused CODE...
 *
 * Who asks, and how: these stay until changed.
 *
 *     from ADDRESS    to ADDRESS    over udp|tcp
 *
 * Questions:
 *
 *     ask NAME TYPE [class=CH] [edns=OCTETS|none] [version=N] [rd=0] [cd=1] [opcode=N]
 *                   [do] [nsid] [keepalive]
 *     send HEX...                these octets
 *     storm COUNT                random packets and mutations of the last request, asked likewise
 *
 * What came back. A reply is held to its whole story: records, reasons and options that no line
 * speaks of are a failure, and so is a line that nothing answers to.
 *
 *     get RCODE [aa] [ra] [tc] [ADDRESS...]   the answer's addresses, in any order
 *     get nothing
 *     answer PATTERN             a record "owner TTL class type data"; * stands for anything
 *     says PATTERN               a character string of a TXT answer; one line vouches for all TXT
 *     soa OWNER [TTL]            the authority section
 *     beside PATTERN             a record of the additional section
 *     why CODE [TEXT]            the extended error's text begins so
 *     ede NUMBER                 its info code
 *     nsid TEXT     keepalive TENTHS
 *     grows OCTETS               the reply is so much longer than the request
 *     like NAME TYPE             asked in the same way, that gets the same octets but id and
 * question
 *
 * Checked for every reply: id, question, RD and CD come back as they went, AD is never set, OPT
 * comes when one went, no reply is longer than the client takes, ldns reads it.
 */
#include <stdbool.h>

#include "scenario/stage.h"
#include "scenario/story.h"

/** Plays it. Returns false, having said line and cause, when it goes otherwise. */
bool story_play(const struct story *story, struct stage *stage);
