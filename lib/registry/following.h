#pragma once
/**
 * What the files follow*.c share.
 *
 *     follow.c          states, time, what a connection begins with
 *     follow_watch.c    whether what comes is the history that is known
 *     follow_failure.c  connections that are lost, calls that fail, and what people are told
 *
 * Threads, memory: follow.h.
 */
#include "registry/follow.h"

/** A number below `below`; 0 for 0. */
uint64_t follow_draw(struct follow *follow, uint64_t below);

/** Adds an action. */
struct follow_action *follow_act(struct follow *follow, enum follow_action_kind kind);

void follow_notify(struct follow *follow, enum registry_event_kind event, bool is_problem,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

const char *follow_endpoint(const struct follow *follow);

/** Is in a state from now on, until due_ms at most. */
void follow_enter(struct follow *follow, enum follow_state state, uint64_t due_ms);

/** Asks for a token, or for what a connection begins with. */
void follow_log_in(struct follow *follow, uint64_t now_ms);
void follow_greet(struct follow *follow, uint64_t now_ms);

/** Closes the connection; the next one is opened at due_ms. */
void follow_go_down(struct follow *follow, uint64_t due_ms);

/** Closes the connection for a long time: a human has to mend it. */
void follow_give_up(struct follow *follow, enum registry_event_kind event, const char *text,
                    uint64_t now_ms);

/** Begins a full read, at once or when this replica's turn comes. */
void follow_spread(struct follow *follow, uint64_t now_ms);

/** The same, of what is not the history that is known. */
void follow_distrust(struct follow *follow, enum registry_event_kind event, const char *text,
                     uint64_t now_ms);

/** The history is not the one that is known. */
void follow_unlike(struct follow *follow, uint64_t now_ms);
