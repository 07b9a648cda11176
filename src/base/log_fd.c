/* SPDX-License-Identifier: BSD-2-Clause
 *
 * log_fd - whole lines to an fd that is somebody else's and may be broken.
 *
 * Threads  The log thread, or whoever writes a line by hand. fd_lock is a leaf
 *          and is held over a single write(): log_fd_set() takes it too, so
 *          once that has returned nobody writes to the old fd, and its owner
 *          may close it.
 * Waiting  The fd may be a terminal shared with other programs, so it is not
 *          made non-blocking. Instead nothing is written before poll() sees
 *          room, and then at most PIPE_BUF bytes, which a pipe with room takes
 *          without blocking. So whoever writes can end the wait.
 * Broken   An fd that refuses costs the lines at hand; each later call tries
 *          again, since a disk may have room then.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log_priv.h"

#define RETRY_MS 10 /* after an EAGAIN that poll() did not foresee */

static pthread_mutex_t fd_lock = PTHREAD_MUTEX_INITIALIZER;
static int fd = STDERR_FILENO; /* under fd_lock */

/* [any] */
static _Atomic bool is_broken; /* the fd did not take the last lines */
static _Atomic bool is_torn;   /* it took a line in part */

void
log_fd_set(int new_fd)
{
    pthread_mutex_lock(&fd_lock);
    fd = new_fd;
    pthread_mutex_unlock(&fd_lock);
    /* relaxed, both: as in end_torn_line(). */
    atomic_store_explicit(&is_broken, false, memory_order_relaxed);
    atomic_store_explicit(&is_torn, false, memory_order_relaxed);
}

static int
current_fd(void)
{
    int current;

    pthread_mutex_lock(&fd_lock);
    current = fd;
    pthread_mutex_unlock(&fd_lock);
    return current;
}

/* For poll(): what is left of the time, -1 for ever. */
static int
time_left(const struct log_patience *p)
{
    /* relaxed: a time; who changes it rings the bell afterwards. */
    const uint64_t until_ms =
        atomic_load_explicit(&p->until_ms, memory_order_relaxed);
    const uint64_t now_ms = clock_mono_ms();

    if (until_ms == LOG_FOREVER)
        return -1;
    if (until_ms <= now_ms)
        return 0;
    return until_ms - now_ms > INT_MAX ? INT_MAX : (int)(until_ms - now_ms);
}

/* True when the fd takes bytes or has an error that write() will name; false
 * when patience ends first. */
static bool
wait_for_room(const struct log_patience *p)
{
    for (;;) {
        struct pollfd fds[] = {
            {.fd = current_fd(), .events = POLLOUT},
            {.fd = p->bell,      .events = POLLIN },
        };
        const int left_ms = time_left(p);
        int ready;

        if (fds[0].fd < 0) /* poll() would ignore it and wait */
            return true;
        ready = poll(fds, ARRAY_LEN(fds), left_ms);
        if (ready < 0 && errno != EINTR)
            return false;
        if (ready > 0 && fds[0].revents != 0)
            return true;
        if (ready > 0)
            log_silence_bell(p->bell);
        if (ready == 0 && time_left(p) == 0)
            return false;
    }
}

/* Bytes written, or a negative errno. */
static ssize_t
write_once(const char *data, size_t len)
{
    ssize_t n;

    pthread_mutex_lock(&fd_lock);
    n = write(fd, data, len);
    if (n < 0)
        n = -errno;
    pthread_mutex_unlock(&fd_lock);
    return n;
}

/* How many bytes the fd took: fewer than `len` if it broke or took too long. */
static size_t
write_all(const char *data, size_t len, const struct log_patience *p)
{
    size_t done = 0;

    while (done < len && wait_for_room(p)) {
        const ssize_t n = write_once(data + done, len - done);

        if (n > 0) {
            done += (size_t)n;
        } else if (n == -EAGAIN) {
            if (time_left(p) == 0)
                break;
            (void)poll(NULL, 0, RETRY_MS);
        } else if (n != -EINTR) {
            break;
        }
    }
    return done;
}

static uint64_t
count_lines(const char *data, size_t len)
{
    uint64_t lines = 0;

    for (size_t i = 0; i < len; i++) {
        if (data[i] == '\n')
            lines++;
    }
    return lines;
}

/* Ends the torso that a broken write left, or the next line would join it. */
static bool
end_torn_line(const struct log_patience *p)
{
    /* relaxed: one thread writes at a time, but for callers by hand who race
     * with one another; the worst they can cause is an empty line. */
    if (!atomic_load_explicit(&is_torn, memory_order_relaxed))
        return true;
    return write_all("\n", 1, p) == 1;
}

uint64_t
log_fd_write(const char *data, size_t len, const struct log_patience *p)
{
    size_t done = 0;

    if (end_torn_line(p))
        done = write_all(data, len, p);
    /* relaxed, both: as in end_torn_line(). */
    if (done > 0)
        atomic_store_explicit(&is_torn, data[done - 1] != '\n',
                              memory_order_relaxed);
    atomic_store_explicit(&is_broken, done < len, memory_order_relaxed);
    return count_lines(data + done, len - done);
}

/* Who waited in vain just now need not do so for every line. */
static uint64_t
until_by_hand(void)
{
    /* relaxed: as in end_torn_line(). */
    if (atomic_load_explicit(&is_broken, memory_order_relaxed))
        return 0;
    return clock_mono_ms() + LOG_STUCK_MS;
}

/* The calling thread has SIGPIPE as its owner likes it: it is blocked while we
 * write, and one that we caused is taken back. */
uint64_t
log_fd_write_by_hand(const char *data, size_t len)
{
    const struct timespec at_once = {.tv_sec = 0};
    const struct log_patience patience = {.bell = -1,
                                          .until_ms = until_by_hand()};
    sigset_t broken_pipe, before, waiting;
    uint64_t lost;

    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    sigpending(&waiting);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, &before);

    lost = log_fd_write(data, len, &patience);

    if (sigismember(&waiting, SIGPIPE) == 0)
        (void)sigtimedwait(&broken_pipe, NULL, &at_once);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return lost;
}
