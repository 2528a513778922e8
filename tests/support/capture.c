#include "support/capture.h"

#include <unistd.h>

#include "support/suite.h"

void capture_start(struct capture *capture)
{
    ck_assert_int_eq(pipe(capture->pipe), 0);
    capture->kept = dup(STDERR_FILENO);
    dup2(capture->pipe[1], STDERR_FILENO);
}

void capture_stop(struct capture *capture)
{
    dup2(capture->kept, STDERR_FILENO);
    close(capture->kept);
    close(capture->pipe[1]);
    ssize_t length = read(capture->pipe[0], capture->text, sizeof capture->text - 1);
    capture->text[length < 0 ? 0 : length] = '\0';
    close(capture->pipe[0]);
}
