#pragma once
/**
 * Captures what a test writes to standard error.
 *
 * Threads: one.
 */
enum { CAPTURE_MOST = 16384 };

struct capture {
    int kept;
    int pipe[2];
    char text[CAPTURE_MOST];
};

void capture_start(struct capture *capture);

/** Ends it; the text is then in `capture`. */
void capture_stop(struct capture *capture);
