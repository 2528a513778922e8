#include "serve/intake.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "serve/pass.h"

enum { ADOPTIONS_MOST = 64 }; /* connections taken over per wake-up */

static bool is_open(const struct intake *intake)
{
    return intake->descriptor >= 0 && !uv_is_closing((const uv_handle_t *)&intake->poll);
}

static void intake_on_closed(uv_handle_t *handle)
{
    const struct intake *intake = handle->data;

    close(intake->descriptor);
}

void intake_stop(struct intake *intake)
{
    if (is_open(intake))
        uv_close((uv_handle_t *)&intake->poll, intake_on_closed);
}

static void take(struct intake *intake, int descriptor)
{
    if (intake->listener != NULL)
        intake->listener->take_over(intake->listener, descriptor);
    else
        close(descriptor); /* the settings have no such address any more */
}

/* Takes over one connection. Returns false when there is none, for now or at all. */
static bool take_next(struct intake *intake)
{
    char scheme;
    int descriptor = -1;
    size_t count = 1;
    ssize_t length = pass_receive(intake->descriptor, &scheme, sizeof scheme, &descriptor, &count);

    if (length < 0 && errno == EAGAIN)
        return false;
    if (length <= 0) {
        intake_stop(intake); /* the sender is gone, once it has handed over its last one */
        return false;
    }
    if (count == 1)
        take(intake, descriptor);
    return true;
}

void intake_take_all(struct intake *intake)
{
    while (is_open(intake) && take_next(intake))
        ;
}

static void intake_on_connections(uv_poll_t *poll, int status, int events)
{
    struct intake *intake = poll->data;

    (void)status;
    (void)events;
    for (int i = 0; i < ADOPTIONS_MOST && take_next(intake); i++)
        ;
}

bool intake_start(struct intake *intake, uv_loop_t *loop, int connections,
                  struct listener *listener, struct err *err)
{
    intake->descriptor = -1;
    intake->listener = listener;
    if (connections < 0)
        return true;
    int descriptor = fcntl(connections, F_DUPFD_CLOEXEC, 0);
    int error = descriptor < 0 ? UV_EMFILE : uv_poll_init(loop, &intake->poll, descriptor);
    if (error != 0) {
        if (descriptor >= 0)
            close(descriptor);
        return listener_fail(err, "connections to take over", error);
    }
    intake->descriptor = descriptor;
    intake->poll.data = intake;
    return true;
}

void intake_begin(struct intake *intake)
{
    if (is_open(intake))
        uv_poll_start(&intake->poll, UV_READABLE, intake_on_connections);
}
