/* SPDX-License-Identifier: BSD-2-Clause
 *
 * write() is wrapped and follows a script: each entry is how many bytes it
 * takes at most, or a negative errno; at the script's end it takes everything.
 * Where a case has no script, it is the real one.
 *
 * Time is wrapped too: it passes only while poll() waits, which then returns at
 * once. So waiting two seconds takes none.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log_priv.h"
#include "support/capture.h"
#include "support/unit.h"

static struct {
    const int *script;
    size_t left;
    char text[256];
    size_t len;
    unsigned writes;
    uint64_t now_ms;
    bool is_on;
} fake;

ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __real_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
uint64_t __wrap_clock_mono_ms(void);

ssize_t
__wrap_write(int fd, const void *data, size_t len)
{
    size_t taken = len;

    fake.writes++;
    if (!fake.is_on)
        return __real_write(fd, data, len);
    if (fake.left > 0) {
        const int entry = *fake.script++;

        fake.left--;
        if (entry < 0) {
            errno = -entry;
            return -1;
        }
        taken = (size_t)entry < len ? (size_t)entry : len;
    }
    memcpy(fake.text + fake.len, data, taken);
    fake.len += taken;
    fake.text[fake.len] = '\0';
    return (ssize_t)taken;
}

int
__wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
    const int ready = __real_poll(fds, n, 0);

    if (ready == 0 && timeout_ms > 0)
        fake.now_ms += (uint64_t)timeout_ms;
    return ready;
}

uint64_t
__wrap_clock_mono_ms(void)
{
    return fake.now_ms;
}

static void
arrange_script(const int *script, size_t entries)
{
    memset(&fake, 0, sizeof(fake));
    fake.script = script;
    fake.left = entries;
    fake.is_on = true;
    log_fd_set(STDERR_FILENO);
}

static const struct log_patience patient = {.bell = -1,
                                            .until_ms = LOG_FOREVER};
static const struct log_patience impatient = {.bell = -1, .until_ms = 1};

static uint64_t
write_text(const char *text)
{
    return log_fd_write(text, strlen(text), &patient);
}

/* Room for nothing more. */
static void
fill(struct capture *c)
{
    char byte = '.';

    capture_make_small(c);
    ck_assert_int_eq(fcntl(c->in, F_SETFL, O_NONBLOCK), 0);
    while (__real_write(c->in, &byte, 1) == 1)
        continue;
    ck_assert_int_eq(fcntl(c->in, F_SETFL, 0), 0);
}

START_TEST(a_line_goes_out_whole_however_short_the_writes)
{
    static const int script[] = {1, 2, -EINTR, 0 + 3, -EINTR, 1, -EAGAIN, 2};

    arrange_script(script, ARRAY_LEN(script));

    ck_assert_uint_eq(write_text("one two three\nfour\n"), 0);
    ck_assert_str_eq(fake.text, "one two three\nfour\n");
}
END_TEST

START_TEST(a_refusal_costs_the_lines_at_hand)
{
    static const int script[] = {-EIO};

    arrange_script(script, ARRAY_LEN(script));

    ck_assert_uint_eq(write_text("one\ntwo\nthree\n"), 3);
    ck_assert_uint_eq(fake.writes, 1);
    ck_assert_uint_eq(write_text("four\n"), 0);
    ck_assert_str_eq(fake.text, "four\n");
}
END_TEST

START_TEST(lines_written_before_the_refusal_are_not_lost)
{
    static const int script[] = {8, -ENOSPC};

    arrange_script(script, ARRAY_LEN(script));

    ck_assert_uint_eq(write_text("one\ntwo\nthree\n"), 1);
    ck_assert_uint_eq(write_text("four\n"), 0);
    ck_assert_str_eq(fake.text, "one\ntwo\nfour\n");
}
END_TEST

START_TEST(a_line_torn_by_a_refusal_does_not_join_the_next)
{
    static const int script[] = {5, -ENOSPC, -ENOSPC};

    arrange_script(script, ARRAY_LEN(script));

    ck_assert_uint_eq(write_text("one\ntwo\n"), 1);
    ck_assert_uint_eq(write_text("three\n"), 1);
    ck_assert_uint_eq(write_text("four\n"), 0);
    ck_assert_str_eq(fake.text, "one\nt\nfour\n");
}
END_TEST

START_TEST(a_new_fd_is_not_torn)
{
    static const int script[] = {1, -EIO};

    arrange_script(script, ARRAY_LEN(script));
    ck_assert_uint_eq(write_text("one\n"), 1);

    log_fd_set(STDOUT_FILENO);
    ck_assert_uint_eq(write_text("two\n"), 0);

    ck_assert_str_eq(fake.text, "otwo\n");
}
END_TEST

START_TEST(an_fd_that_never_takes_anything_ends_with_patience)
{
    static const int script[] = {-EAGAIN, -EAGAIN, -EAGAIN, -EAGAIN};
    const struct log_patience p = {.bell = -1, .until_ms = 25};

    arrange_script(script, ARRAY_LEN(script));

    ck_assert_uint_eq(log_fd_write("one\n", 4, &p), 1);
    ck_assert_uint_eq(fake.writes, 4);
    ck_assert_uint_eq(fake.now_ms, 30);
}
END_TEST

START_TEST(no_fd_at_all_loses_lines_at_once)
{
    memset(&fake, 0, sizeof(fake));
    log_fd_set(-1);

    ck_assert_uint_eq(write_text("one\ntwo\n"), 2);
    ck_assert_uint_eq(fake.writes, 1);
}
END_TEST

START_TEST(a_full_pipe_is_not_written_to)
{
    static struct capture c;

    capture_open(&c);
    fill(&c);
    memset(&fake, 0, sizeof(fake));
    log_fd_set(c.in);

    ck_assert_uint_eq(log_fd_write("one\n", 4, &impatient), 1);
    ck_assert_uint_eq(fake.writes, 0);
    (void)capture_text(&c);
    ck_assert_uint_eq(log_fd_write("two\n", 4, &impatient), 0);
    ck_assert_ptr_nonnull(strstr(capture_text(&c), ".two\n"));
    capture_close(&c);
}
END_TEST

START_TEST(the_bell_is_heard_while_the_pipe_is_full)
{
    const struct log_patience p = {.bell = eventfd(1, EFD_NONBLOCK),
                                   .until_ms = 1};
    static struct capture c;
    eventfd_t rings;

    capture_open(&c);
    fill(&c);
    memset(&fake, 0, sizeof(fake));
    log_fd_set(c.in);

    ck_assert_uint_eq(log_fd_write("one\n", 4, &p), 1);

    ck_assert_int_eq(eventfd_read(p.bell, &rings), -1);
    close(p.bell);
    capture_close(&c);
}
END_TEST

START_TEST(by_hand_a_stuck_pipe_is_waited_for_once)
{
    static struct capture c;

    capture_open(&c);
    fill(&c);
    memset(&fake, 0, sizeof(fake));
    log_fd_set(c.in);

    for (unsigned i = 0; i < 5; i++)
        ck_assert_uint_eq(log_fd_write_by_hand("one\n", 4), 1);
    ck_assert_uint_eq(fake.now_ms, LOG_STUCK_MS);
    (void)capture_text(&c);

    ck_assert_uint_eq(log_fd_write_by_hand("two\n", 4), 0);
    capture_close(&c);
}
END_TEST

static bool
sigpipe_waits(void)
{
    sigset_t waiting;

    sigpending(&waiting);
    return sigismember(&waiting, SIGPIPE) == 1;
}

START_TEST(by_hand_a_broken_pipe_kills_nobody)
{
    static struct capture c;
    sigset_t now;

    capture_open(&c);
    close(c.out);
    memset(&fake, 0, sizeof(fake));
    log_fd_set(c.in);

    ck_assert_uint_eq(log_fd_write_by_hand("one\ntwo\n", 8), 2);

    ck_assert(!sigpipe_waits());
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    ck_assert_int_eq(sigismember(&now, SIGPIPE), 0);
    close(c.in);
}
END_TEST

START_TEST(by_hand_a_sigpipe_of_somebody_else_is_left_waiting)
{
    static struct capture c;
    sigset_t broken_pipe;

    capture_open(&c);
    close(c.out);
    memset(&fake, 0, sizeof(fake));
    log_fd_set(c.in);
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, NULL);
    raise(SIGPIPE);

    ck_assert_uint_eq(log_fd_write_by_hand("one\n", 4), 1);

    ck_assert(sigpipe_waits());
    signal(SIGPIPE, SIG_IGN); /* which also forgets the waiting one */
    pthread_sigmask(SIG_UNBLOCK, &broken_pipe, NULL);
    signal(SIGPIPE, SIG_DFL);
    close(c.in);
}
END_TEST

UNIT_MAIN("base/log_fd", a_line_goes_out_whole_however_short_the_writes,
          a_refusal_costs_the_lines_at_hand,
          lines_written_before_the_refusal_are_not_lost,
          a_line_torn_by_a_refusal_does_not_join_the_next, a_new_fd_is_not_torn,
          an_fd_that_never_takes_anything_ends_with_patience,
          no_fd_at_all_loses_lines_at_once, a_full_pipe_is_not_written_to,
          the_bell_is_heard_while_the_pipe_is_full,
          by_hand_a_stuck_pipe_is_waited_for_once,
          by_hand_a_broken_pipe_kills_nobody,
          by_hand_a_sigpipe_of_somebody_else_is_left_waiting)
