#include "tap/tap.h"

#include <fstrm.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "tap/tap_room.h"
#include "tap/tap_socket.h"

enum {
    ROOM_OCTETS = 1 << 22,
    QUEUE_MESSAGES = 4096,
    QUEUE_WAKES = QUEUE_MESSAGES / 2, /* the thread, when the queue has only this left */
    SEND_MESSAGES = TAP_PARTS_MOST / 2,
    SEND_OCTETS = 65536,
    SEND_SECONDS = 1,
};

static const char content_type[] = "protobuf:dnstap.Dnstap";

struct tap_feed {
    struct tap_room room;
    _Atomic uint64_t lost; /* written by the thread */
    const struct tap_socket *socket;
    struct fstrm_iothr *thread;
    struct fstrm_iothr_queue *queue;
    uint32_t sample;
    uint32_t passed; /* since the last one that was taken */
};

struct tap {
    struct tap_socket socket;
    struct fstrm_iothr *thread; /* NULL: not started */
    size_t count;
    struct tap_feed feeds[];
};

const char *tap_library(void)
{
    return "libfstrm";
}

/* ---- feeds ---- */

struct tap_feed *tap_feed(struct tap *tap, size_t number)
{
    return &tap->feeds[number];
}

bool tap_takes_next(struct tap_feed *feed)
{
    if (++feed->passed < feed->sample)
        return false;
    feed->passed = 0;
    return true;
}

bool tap_has_receiver(const struct tap_feed *feed)
{
    return tap_socket_has_receiver(feed->socket);
}

/* On the thread, once the message has been sent or lost. */
static void tap_on_sent(void *message, void *context)
{
    struct tap_feed *feed = context;

    /* A write that fails closes the connection before this is called; nothing is sent without one.
     */
    if (!tap_has_receiver(feed))
        atomic_fetch_add_explicit(&feed->lost, 1, memory_order_relaxed);
    tap_room_release(&feed->room, message);
}

bool tap_send(struct tap_feed *feed, const struct dnstap_message *message)
{
    uint8_t *out = tap_room_take(&feed->room, dnstap_octets_most(message));

    if (out == NULL)
        return false;
    struct dnstap_octets octets = dnstap_write(message, out);
    tap_room_keep(&feed->room, (size_t)(octets.first + octets.length - out));
    if (fstrm_iothr_submit(feed->thread, feed->queue, octets.first, octets.length, tap_on_sent,
                           feed) == fstrm_res_success)
        return true;
    tap_room_abandon(&feed->room);
    return false;
}

/* ---- the socket, as libfstrm calls it ---- */

static fstrm_res result_of(bool is_done)
{
    return is_done ? fstrm_res_success : fstrm_res_failure;
}

static fstrm_res tap_on_open(void *socket)
{
    return result_of(tap_socket_open(socket));
}

static fstrm_res tap_on_close(void *socket)
{
    tap_socket_close(socket);
    return fstrm_res_success;
}

static fstrm_res tap_on_read(void *socket, void *out, size_t length)
{
    return result_of(tap_socket_read(socket, out, length));
}

static fstrm_res tap_on_write(void *socket, const struct iovec *parts, int count)
{
    return result_of(tap_socket_write(socket, parts, count));
}

static struct fstrm_writer *make_writer(struct tap_socket *socket)
{
    struct fstrm_writer_options *options = fstrm_writer_options_init();
    struct fstrm_rdwr *calls = fstrm_rdwr_init(socket);

    fstrm_rdwr_set_open(calls, tap_on_open);
    fstrm_rdwr_set_close(calls, tap_on_close);
    fstrm_rdwr_set_read(calls, tap_on_read);
    fstrm_rdwr_set_write(calls, tap_on_write);
    fstrm_writer_options_add_content_type(options, content_type, sizeof content_type - 1);
    struct fstrm_writer *writer = fstrm_writer_init(options, &calls);
    fstrm_writer_options_destroy(&options);
    return writer;
}

/* ---- the thread ---- */

static struct fstrm_iothr_options *make_options(size_t feeds)
{
    struct fstrm_iothr_options *options = fstrm_iothr_options_init();

    fstrm_iothr_options_set_num_input_queues(options, (unsigned)feeds);
    fstrm_iothr_options_set_queue_model(options, FSTRM_IOTHR_QUEUE_MODEL_SPSC);
    fstrm_iothr_options_set_input_queue_size(options, QUEUE_MESSAGES);
    fstrm_iothr_options_set_queue_notify_threshold(options, QUEUE_WAKES);
    fstrm_iothr_options_set_output_queue_size(options, SEND_MESSAGES);
    fstrm_iothr_options_set_buffer_hint(options, SEND_OCTETS);
    fstrm_iothr_options_set_flush_timeout(options, SEND_SECONDS);
    fstrm_iothr_options_set_reopen_interval(options, TAP_REOPEN_SECONDS);
    return options;
}

/* Only the control thread handles signals. */
static struct fstrm_iothr *start_thread(struct tap *tap)
{
    struct fstrm_iothr_options *options = make_options(tap->count);
    struct fstrm_writer *writer = make_writer(&tap->socket);
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    struct fstrm_iothr *thread = fstrm_iothr_init(options, &writer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    fstrm_iothr_options_destroy(&options);
    return thread;
}

bool tap_start(struct tap *tap, struct err *err)
{
    tap->thread = start_thread(tap);
    if (tap->thread == NULL)
        return err_set(err, ERR_SYSTEM, "cannot start the thread of dnstap; take dnstap out");
    for (size_t i = 0; i < tap->count; i++) {
        tap->feeds[i].thread = tap->thread;
        tap->feeds[i].queue = fstrm_iothr_get_input_queue(tap->thread);
    }
    return true;
}

/* ---- all ---- */

static bool make_feeds(struct tap *tap, const struct tap_options *options)
{
    for (size_t i = 0; i < options->feeds; i++) {
        struct tap_feed *feed = &tap->feeds[i];
        if (!tap_room_init(&feed->room, ROOM_OCTETS))
            return false;
        feed->socket = &tap->socket;
        feed->sample = options->sample;
        tap->count++;
    }
    return true;
}

struct tap *tap_new(const struct tap_options *options, struct err *err)
{
    struct tap *tap = calloc(1, sizeof *tap + options->feeds * sizeof tap->feeds[0]);

    if (tap == NULL || !tap_socket_init(&tap->socket, options->path) || !make_feeds(tap, options)) {
        err_set(err, ERR_MEMORY,
                "out of memory for dnstap; take dnstap out, or start fewer workers");
        tap_stop(tap);
        return NULL;
    }
    return tap;
}

uint64_t tap_lost(const struct tap *tap)
{
    uint64_t lost = 0;

    for (size_t i = 0; i < tap->count; i++)
        lost += atomic_load_explicit(&tap->feeds[i].lost, memory_order_relaxed);
    return lost;
}

uint64_t tap_stop(struct tap *tap)
{
    if (tap == NULL)
        return 0;
    tap_socket_stop(&tap->socket);
    fstrm_iothr_destroy(&tap->thread);
    uint64_t lost = tap_lost(tap);
    for (size_t i = 0; i < tap->count; i++)
        tap_room_close(&tap->feeds[i].room);
    tap_socket_close(&tap->socket);
    free(tap);
    return lost;
}
