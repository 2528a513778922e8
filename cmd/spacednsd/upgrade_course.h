#pragma once
/**
 * The course of an upgrade under way: what the other process and the launcher report, and how it
 * ends. upgrade.h has its steps.
 *
 * Threads: the control thread.  Memory: none.
 */
#include "spacednsd/upgrade.h"

/** The codes of the call. */
enum { UPGRADE_CODE_DONE = 0, UPGRADE_CODE_REFUSED = 1 };

/** Watches the other's channel and output, once the launcher has been requested to start it. */
void upgrade_course_begin(struct upgrade *upgrade);

/**
 * The other's process has ended, or never began: logs and answers upgrade->problem, and lets the
 * server go on. `had_state`: as in upgrade_owner.
 */
void upgrade_course_fail(struct upgrade *upgrade, bool had_state);

/** Answers the call, if it still waits. */
void upgrade_course_answer(struct upgrade *upgrade, int code);

/** Ends what upgrade_course_begin began. */
void upgrade_course_close_handles(struct upgrade *upgrade);

/** Closes the channels; the other notices it. */
void upgrade_course_close_descriptors(struct upgrade *upgrade);

/** Watches the launcher, if there is one. */
void upgrade_course_watch_launcher(struct upgrade *upgrade);

/** Watches the launcher no more; a second call does nothing. */
void upgrade_course_leave_launcher(struct upgrade *upgrade);
