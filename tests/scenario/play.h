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
 * What lies outside, and time:
 *
 *     inside WHY...              the first line of a story that cannot be played live
 *     upstream ADDRESS...        who is asked for what is not ours; before the first question
 *     upstream ZONE ADDRESS... [allow-rebind]
 *                                the same for a zone; "." for everything else
 *     knows FACT...              what every upstream knows (facts.h)
 *     forgets NAME
 *     behaves ADDRESS WORD...    what an upstream does with each query (responders.h)
 *     asked ADDRESS [udp|tcp] COUNT|some
 *                                queries since this was last said; live, how many is not looked at
 *     asked nobody
 *     later TIME                 250ms, 90s, 10m, 2h: the clock moves; only inside
 *     counted COUNTER COUNT      by how much it grew since this was last said; only inside
 *     await                      the reply to what was asked `unawaited`
 *
 * Who asks, and how: these stay until changed.
 *
 *     from ADDRESS    to ADDRESS    over udp|tcp
 *
 * Questions:
 *
 *     ask NAME TYPE [class=CH] [edns=OCTETS|none] [version=N] [rd=0] [cd=1] [opcode=N]
 *                   [do] [nsid] [keepalive]
 *                   [also=ADDRESS]   this client asks in the same moment, and gets the same reply
 *                   [unawaited]      other lines come before its reply
 *     send HEX...                these octets
 *     storm COUNT                random packets and mutations of the last request, asked likewise
 *
 * What came back. A reply is held to its whole story: records, reasons and options that no line
 * speaks of are a failure, and so is a line that nothing answers to.
 *
 *     get RCODE [aa] [ra] [tc] [ad] [ADDRESS...]
 *                                the answer's addresses, in any order; +COUNT: so many, whichever
 *     get nothing
 *     answer PATTERN             a record "owner TTL class type data"; * stands for anything
 *     says PATTERN               a character string of a TXT answer; one line vouches for all TXT
 *     soa OWNER [TTL]            the authority section, when it is ours
 *     authority PATTERN          a record of an upstream's
 *     beside PATTERN             a record of the additional section
 *     why CODE [TEXT]            an extended error's text begins so; a line for each
 *     ede NUMBER                 its info code
 *     within MS                  the client waited no longer; looked at only inside
 *     nsid TEXT     keepalive TENTHS
 *     grows OCTETS               the reply is so much longer than the request
 *     like NAME TYPE             asked likewise, it gets the same octets but id and question
 *
 * Checked for every reply: id, question, RD and CD come back as they went, OPT comes when one went,
 * no reply is longer than the client takes, ldns reads it. Checked for every query to an upstream:
 * it is one that a forwarder should send, and tells nothing of the client.
 */
#include <stdbool.h>

#include "scenario/stage.h"
#include "scenario/story.h"

/** Plays it. Returns false, having said line and cause, when it goes otherwise. */
bool story_play(const struct story *story, struct stage *stage);
