#pragma once
/**
 * Plays a story on a stage.
 *
 * Setup:
 *
 *     zones PATH...              the folder's files become copies of these files or folders
 *     zone-file NAME <<          writes a file
 *     edit FILE s/OLD/NEW/       replaces the first OLD in a file; any character for the slash
 *     remove FILE
 *     setting KEY=VALUE          before the first question
 *     start refused CODE...      the server does not start, and prints these codes
 *     reload done|unchanged|refused CODE...
 *
 * Upstreams and time:
 *
 *     inside WHY...              the first line of a story that cannot be played live
 *     upstream ADDRESS...        the upstreams of other names; before the first question
 *     upstream ZONE ADDRESS... [allow-rebind]
 *                                the same for a zone; "." for everything else
 *     knows FACT...              a record that every upstream has (facts.h)
 *     forgets NAME
 *     behaves ADDRESS WORD...    what an upstream does with each query (responders.h)
 *     asked ADDRESS [udp|tcp] COUNT|some
 *                                queries since the last `asked`; live, the count is not checked
 *     asked nobody
 *     later TIME                 250ms, 90s, 10m, 2h: the clock moves; only inside
 *     counted COUNTER COUNT      its increase since the last `counted`; only inside
 *     await                      the reply to an `unawaited` question
 *
 * The client and transport; these stay until changed.
 *
 *     from ADDRESS [by DEVICE]      the interface that it comes by; only inside
 *     to ADDRESS    over udp|tcp
 *
 * Questions:
 *
 *     ask NAME TYPE [class=CH] [edns=OCTETS|none] [version=N] [rd=0] [cd=1] [opcode=N]
 *                   [do] [nsid] [keepalive]
 *                   [also=ADDRESS]   this client asks at the same moment, and gets the same reply
 *                   [unawaited]      other lines run before its reply
 *     send HEX...                these octets
 *     storm COUNT                random packets and mutations of the last request, with the same
 *                                options
 *
 * Expectations. A reply is compared as a whole: records, reasons and options that no line names are
 * a failure, and so is a line without a match.
 *
 *     get RCODE [aa] [ra] [tc] [ad] [ADDRESS...]
 *                                the answer's addresses, in any order; +COUNT: so many, any
 *     get nothing
 *     answer PATTERN             a record "owner TTL class type data"; * matches anything
 *     says PATTERN               a character string of a TXT answer; one line is enough for all TXT
 *     soa OWNER [TTL]            the authority section of our own answer
 *     authority PATTERN          a record of an upstream's
 *     beside PATTERN             a record of the additional section
 *     why CODE [TEXT]            the beginning of an extended error's text; a line for each
 *     ede NUMBER                 its info code
 *     within MS                  the client waited no longer; checked only inside
 *     nsid TEXT     keepalive TENTHS
 *     grows OCTETS               the reply is so much longer than the request
 *     like NAME TYPE             with the same options, it gets the same octets except id and
 *                                question
 *
 * Checked for every reply: id, question, RD and CD are those of the query, OPT is present if the
 * query has one, no reply is longer than the client accepts, ldns reads it. Checked for every query
 * to an upstream: it is one that a forwarder should send, and discloses nothing about the client.
 */
#include <stdbool.h>

#include "scenario/stage.h"
#include "scenario/story.h"

/** Plays it. Returns false after printing line and cause of a failure. */
bool story_play(const struct story *story, struct stage *stage);
