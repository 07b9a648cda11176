/* SPDX-License-Identifier: BSD-2-Clause
 *
 * log_sink - how lines reach the fd: through the log thread, or, before it
 * starts and after it ends, by the hand of whoever has one.
 *
 * Threads  The log thread alone writes while it runs. It blocks all signals,
 *          so a broken pipe is an EPIPE to it and nothing more.
 * Memory   A line is a block of its own from post_line() until it is copied
 *          into a batch; LOG_PENDING_MAX of them exist at most.
 * Stop     `posting` counts who is inside try_post(). log_stop() first sends
 *          newcomers away (running = false), then waits until nobody is
 *          inside, and only then tells the thread to end. So no line can be
 *          posted behind the thread's last look, and nobody rings a bell that
 *          is closed. Who is sent away writes by hand and may overtake lines
 *          that the thread still has; there should be no such thread by then.
 *          An fd that takes nothing delays the stop by LOG_STUCK_MS; what is
 *          left is then counted as dropped.
 */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/inbox.h"
#include "base/log_priv.h"

static_assert(PIPE_BUF >= LOG_LINE_MAX, "a batch holds any line");

struct line {
    struct inbox_link link;
    size_t len;
    char text[];
};

static struct {
    /* set by log_start(), before `running` */
    pthread_t thread;
    int bell; /* an eventfd */

    /* [log thread], but for the time it has, which log_stop() sets */
    struct log_patience patience;
    uint64_t told; /* of `dropped` */
    size_t batch_len;
    char batch[PIPE_BUF];

    /* [any] */
    struct inbox inbox;
    _Atomic bool running;
    _Atomic bool stopping;
    _Atomic uint32_t posting;
    _Atomic uint32_t pending;
    _Atomic uint64_t dropped;
} sink = {.bell = -1};

/* relaxed: a counter publishes nothing but itself. */
static void
count_dropped(uint64_t lines)
{
    atomic_fetch_add_explicit(&sink.dropped, lines, memory_order_relaxed);
}

uint64_t
log_dropped(void)
{
    /* relaxed: as above. */
    return atomic_load_explicit(&sink.dropped, memory_order_relaxed);
}

bool
log_sink_reserve(void)
{
    /* relaxed: the bound holds by the count alone. */
    if (atomic_fetch_add_explicit(&sink.pending, 1, memory_order_relaxed) <
        LOG_PENDING_MAX)
        return true;

    atomic_fetch_sub_explicit(&sink.pending, 1, memory_order_relaxed);
    count_dropped(1);
    return false;
}

static void
release(void)
{
    /* relaxed: as in log_sink_reserve(). */
    atomic_fetch_sub_explicit(&sink.pending, 1, memory_order_relaxed);
}

/* -- the log thread ------------------------------------------------------ */

static void
flush_batch(void)
{
    if (sink.batch_len == 0)
        return;
    count_dropped(log_fd_write(sink.batch, sink.batch_len, &sink.patience));
    sink.batch_len = 0;
}

static void
write_posted(struct inbox_link *link)
{
    while (link != NULL) {
        struct line *const line = CONTAINER_OF(link, struct line, link);

        link = link->next;
        if (line->len > sizeof(sink.batch) - sink.batch_len)
            flush_batch();
        memcpy(sink.batch + sink.batch_len, line->text, line->len);
        sink.batch_len += line->len;
        free(line);
        release();
    }
    flush_batch();
}

static void
tell_dropped(void)
{
    const uint64_t dropped = log_dropped();
    const struct log_field count = LOG_F_U64("count", dropped - sink.told);
    char text[LOG_LINE_MAX];
    size_t len;

    if (dropped == sink.told)
        return;
    len = log_format(text, sizeof(text), log_chosen_format(), clock_wall_ms(),
                     LOG_LEVEL_WARN, LOG_MAIN, "log lines dropped", &count, 1);
    if (log_fd_write(text, len, &sink.patience) == 0)
        sink.told = dropped;
}

void
log_silence_bell(int bell)
{
    eventfd_t rings;

    (void)eventfd_read(bell, &rings); /* EAGAIN: it was silent */
}

static void
wait_for_bell(void)
{
    struct pollfd bell = {.fd = sink.bell, .events = POLLIN};

    (void)poll(&bell, 1, -1);
    log_silence_bell(sink.bell);
}

static void *
run(void *unused)
{
    for (;;) {
        /* acquire: pairs with the release in log_stop(). All that will ever be
         * posted was posted before it, so nothing after it means nothing. */
        const bool stopping =
            atomic_load_explicit(&sink.stopping, memory_order_acquire);
        struct inbox_link *const posted = inbox_take(&sink.inbox);

        if (posted != NULL) {
            write_posted(posted);
            tell_dropped();
        } else if (stopping) {
            tell_dropped();
            return NULL;
        } else if (inbox_sleep(&sink.inbox)) {
            wait_for_bell();
        }
    }
}

/* The thread may be waiting for the fd of before. */
void
log_set_fd(int fd)
{
    log_fd_set(fd);
    if (sink.bell >= 0)
        (void)eventfd_write(sink.bell, 1);
}

static int
start_thread(void)
{
    sigset_t all, before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&sink.thread, NULL, run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return -rc;
    (void)pthread_setname_np(sink.thread, "klatch-log");
    return 0;
}

int
log_start(void)
{
    int rc;

    /* relaxed: main alone starts and stops. */
    ASSERT(!atomic_load_explicit(&sink.running, memory_order_relaxed));

    sink.bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (sink.bell < 0)
        return -errno;
    inbox_init(&sink.inbox);
    sink.patience.bell = sink.bell;
    /* relaxed, both: pthread_create() publishes them. */
    atomic_store_explicit(&sink.patience.until_ms, LOG_FOREVER,
                          memory_order_relaxed);
    atomic_store_explicit(&sink.stopping, false, memory_order_relaxed);

    rc = start_thread();
    if (rc < 0) {
        close(sink.bell);
        sink.bell = -1;
        return rc;
    }
    /* seq_cst: as in try_post(), which thereby sees the inbox and the bell. */
    atomic_store_explicit(&sink.running, true, memory_order_seq_cst);
    return 0;
}

void
log_stop(void)
{
    /* relaxed: main alone starts and stops. */
    if (!atomic_load_explicit(&sink.running, memory_order_relaxed))
        return;

    /* seq_cst, both: pair with the two in try_post(). Either a poster sees
     * that we do not run any more, or we see that it is inside. */
    atomic_store_explicit(&sink.running, false, memory_order_seq_cst);
    while (atomic_load_explicit(&sink.posting, memory_order_seq_cst) > 0)
        sched_yield();

    /* relaxed: the bell tells the thread to look. */
    atomic_store_explicit(&sink.patience.until_ms,
                          clock_mono_ms() + LOG_STUCK_MS, memory_order_relaxed);
    /* release: pairs with the acquire in run(). */
    atomic_store_explicit(&sink.stopping, true, memory_order_release);
    (void)eventfd_write(sink.bell, 1);

    pthread_join(sink.thread, NULL);
    close(sink.bell);
    sink.bell = -1;
}

/* -- handing over -------------------------------------------------------- */

static void
post_line(const char *text, size_t len)
{
    struct line *const line = malloc(sizeof(*line) + len);

    if (line == NULL) {
        release();
        count_dropped(1);
        return;
    }

    line->len = len;
    memcpy(line->text, text, len);
    if (inbox_post(&sink.inbox, &line->link))
        (void)eventfd_write(sink.bell, 1);
}

/* False when there is no log thread. */
static bool
try_post(const char *text, size_t len)
{
    bool running;

    /* seq_cst, both: pair with the two in log_stop(). */
    atomic_fetch_add_explicit(&sink.posting, 1, memory_order_seq_cst);
    running = atomic_load_explicit(&sink.running, memory_order_seq_cst);
    if (running)
        post_line(text, len);
    /* release: log_stop() sees the line posted and the bell done with. */
    atomic_fetch_sub_explicit(&sink.posting, 1, memory_order_release);
    return running;
}

void
log_sink_put(const char *line, size_t len)
{
    if (try_post(line, len))
        return;
    release();
    count_dropped(log_fd_write_by_hand(line, len));
}
