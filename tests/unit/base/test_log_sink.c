/* SPDX-License-Identifier: BSD-2-Clause
 *
 * write() is wrapped to count calls, malloc() to fail or to hold a thread when
 * told to, sched_yield() to let it go. A case that would wait for a stuck pipe
 * makes the clock run fast: poll() then returns at once, and clock_mono_ms()
 * has moved on by as long as it should have waited.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/inbox.h"
#include "base/log.h"
#include "support/capture.h"
#include "support/unit.h"

static _Atomic unsigned writes;
static _Atomic bool memory_is_short;
static _Atomic bool clock_is_fast;
static _Atomic uint64_t gained_ms;
static _Atomic bool waits_for_bell; /* the log thread does, or is about to */
static _Atomic bool waits_for_room;

/* A speaker that is held stands inside log_write(), before its line is posted,
 * until somebody yields to it. */
static _Atomic bool holds_speaker;
static _Atomic bool speaker_is_inside;
static _Thread_local bool is_speaker;

/* A line comes from somewhere just when the log thread has looked, found
 * nothing, and is about to say that it sleeps. */
static _Atomic bool speaks_at_the_last_moment;

bool __real_inbox_sleep(struct inbox *in);
bool __wrap_inbox_sleep(struct inbox *in);
ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
int __real_sched_yield(void);
int __wrap_sched_yield(void);
int __real_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
uint64_t __real_clock_mono_ms(void);
uint64_t __wrap_clock_mono_ms(void);

ssize_t
__wrap_write(int fd, const void *data, size_t len)
{
    writes++;
    return __real_write(fd, data, len);
}

int
__wrap_sched_yield(void)
{
    holds_speaker = false;
    return __real_sched_yield();
}

void *
__wrap_malloc(size_t size)
{
    if (is_speaker)
        speaker_is_inside = true;
    while (is_speaker && holds_speaker)
        (void)__real_sched_yield();
    return memory_is_short ? NULL : __real_malloc(size);
}

int
__wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
    if (n == 1)
        waits_for_bell = true;
    else if (__real_poll(fds, 1, 0) == 0)
        waits_for_room = true;
    if (!clock_is_fast || timeout_ms < 0)
        return __real_poll(fds, n, timeout_ms);
    gained_ms += (uint64_t)timeout_ms;
    return __real_poll(fds, n, 0);
}

uint64_t
__wrap_clock_mono_ms(void)
{
    return __real_clock_mono_ms() + gained_ms;
}

static struct capture captured;
static uint64_t dropped_before;

static uint64_t
dropped(void)
{
    return log_dropped() - dropped_before;
}

static void
arrange(void)
{
    capture_open(&captured);
    log_set_fd(captured.in);
    log_set_level(LOG_LEVEL_INFO);
    log_set_format(LOG_FORMAT_TEXT);
    dropped_before = log_dropped();
    writes = 0;
    waits_for_bell = false;
    waits_for_room = false;
}

static void
put_away(void)
{
    log_set_fd(STDERR_FILENO);
    capture_close(&captured);
}

static void
say_number(unsigned i)
{
    LOG_INFO(LOG_CONN, "closed", LOG_F_U64("n", i));
}

/* The numbers told after `word`, summed. */
static uint64_t
sum_after(const char *word)
{
    const char *at = capture_text(&captured);
    uint64_t sum = 0;

    while ((at = strstr(at, word)) != NULL) {
        at += strlen(word);
        sum += strtoull(at, NULL, 10);
    }
    return sum;
}

START_TEST(all_lines_are_written_in_order_when_stop_returns)
{
    const char *at;
    char want[32];

    arrange();
    ck_assert_int_eq(log_start(), 0);
    for (unsigned i = 0; i < 500; i++)
        say_number(i);
    log_stop();

    at = capture_text(&captured);
    for (unsigned i = 0; i < 500; i++) {
        snprintf(want, sizeof(want), " n=%u\n", i);
        at = strstr(at, want);
        ck_assert_ptr_nonnull(at);
    }
    ck_assert_uint_eq(capture_count(&captured, "\n"), 500);
    ck_assert_uint_eq(dropped(), 0);
    put_away();
}
END_TEST

START_TEST(a_line_wakes_the_log_thread)
{
    arrange();
    ck_assert_int_eq(log_start(), 0);

    for (unsigned i = 1; i <= 20; i++) {
        while (!waits_for_bell)
            (void)__real_sched_yield();
        waits_for_bell = false;
        say_number(i);
        while (captured.lines < i)
            (void)capture_take(&captured);
    }

    log_stop();
    put_away();
}
END_TEST

bool
__wrap_inbox_sleep(struct inbox *in)
{
    if (atomic_exchange(&speaks_at_the_last_moment, false))
        say_number(2);
    return __real_inbox_sleep(in);
}

START_TEST(a_line_that_comes_while_it_falls_asleep_is_written)
{
    arrange();
    ck_assert_int_eq(log_start(), 0);
    while (!waits_for_bell)
        (void)__real_sched_yield();

    speaks_at_the_last_moment = true;
    say_number(1);
    while (captured.lines < 2)
        (void)capture_take(&captured);

    log_stop();
    put_away();
}
END_TEST

static void *
speak(void *unused)
{
    is_speaker = true;
    say_number(1);
    return NULL;
}

START_TEST(stop_waits_for_who_is_still_speaking)
{
    pthread_t speaker;

    arrange();
    ck_assert_int_eq(log_start(), 0);
    holds_speaker = true;
    speaker_is_inside = false;
    ck_assert_int_eq(pthread_create(&speaker, NULL, speak, NULL), 0);
    while (!speaker_is_inside)
        (void)__real_sched_yield();

    log_stop();
    ck_assert_uint_eq(capture_count(&captured, "n=1\n"), 1);

    holds_speaker = false;
    pthread_join(speaker, NULL);
    put_away();
}
END_TEST

START_TEST(before_start_and_after_stop_the_caller_writes)
{
    arrange();

    say_number(1);
    ck_assert_uint_eq(capture_count(&captured, "n=1\n"), 1);
    ck_assert_int_eq(log_start(), 0);
    log_stop();
    say_number(2);

    ck_assert_uint_eq(capture_count(&captured, "n=2\n"), 1);
    put_away();
}
END_TEST

START_TEST(lines_by_hand_do_not_count_as_waiting)
{
    arrange();

    for (unsigned i = 0; i < LOG_PENDING_MAX + 100; i++) {
        say_number(i);
        (void)capture_take(&captured);
    }

    ck_assert_uint_eq(dropped(), 0);
    ck_assert_uint_eq(captured.lines, LOG_PENDING_MAX + 100);
    put_away();
}
END_TEST

START_TEST(the_log_can_be_started_again)
{
    arrange();

    for (unsigned i = 0; i < 20; i++) {
        ck_assert_int_eq(log_start(), 0);
        say_number(i);
        log_stop();
    }
    log_stop(); /* of a log that does not run: nothing */

    ck_assert_uint_eq(capture_count(&captured, "closed"), 20);
    put_away();
}
END_TEST

/* The pipe takes a few dozen lines; nobody reads until all have been said. */
START_TEST(a_stuck_pipe_costs_lines_that_are_counted_and_told)
{
    const unsigned said = 2 * LOG_PENDING_MAX;
    unsigned written;

    arrange();
    capture_make_small(&captured);
    ck_assert_int_eq(log_start(), 0);
    for (unsigned i = 0; i < said; i++)
        say_number(i);
    ck_assert_uint_ge(dropped(), LOG_PENDING_MAX - 512);
    ck_assert_uint_le(dropped(), LOG_PENDING_MAX);

    while (captured.lines + dropped() < said)
        (void)capture_take(&captured);
    log_stop();

    written = capture_count(&captured, "conn closed n=");
    ck_assert_uint_eq(written + dropped(), said);
    ck_assert_uint_eq(sum_after("log lines dropped count="), dropped());
    put_away();
}
END_TEST

START_TEST(stop_gives_up_on_a_pipe_that_nobody_reads)
{
    const unsigned said = 1000;
    unsigned written;

    arrange();
    capture_make_small(&captured);
    clock_is_fast = true;
    ck_assert_int_eq(log_start(), 0);
    for (unsigned i = 0; i < said; i++)
        say_number(i);
    log_stop();

    written = capture_count(&captured, "conn closed n=");
    ck_assert_uint_gt(dropped(), 0);
    ck_assert_uint_eq(written + dropped(), said);
    clock_is_fast = false;
    put_away();
}
END_TEST

START_TEST(a_broken_pipe_neither_kills_nor_spins)
{
    arrange();
    close(captured.out);
    ck_assert_int_eq(log_start(), 0);

    for (unsigned i = 0; i < 100; i++)
        say_number(i);
    log_stop();

    ck_assert_uint_eq(dropped(), 100);
    /* a try for each batch, and one to tell of it: two a line at the worst */
    ck_assert_uint_le(writes, 202);
    log_set_fd(STDERR_FILENO);
    close(captured.in);
}
END_TEST

START_TEST(a_new_fd_gets_what_the_stuck_one_did_not_take)
{
    static struct capture fresh;

    arrange();
    capture_make_small(&captured);
    capture_open(&fresh);
    ck_assert_int_eq(log_start(), 0);
    for (unsigned i = 0; i < 300; i++)
        say_number(i);

    while (!waits_for_room)
        (void)__real_sched_yield();
    log_set_fd(fresh.in);
    while (fresh.lines == 0)
        (void)capture_take(&fresh);
    log_stop();

    ck_assert_uint_eq(capture_count(&captured, "closed") +
                          capture_count(&fresh, "closed"),
                      300);
    ck_assert_uint_gt(capture_count(&fresh, "closed"), 0);
    ck_assert_uint_eq(dropped(), 0);
    put_away();
    capture_close(&fresh);
}
END_TEST

START_TEST(a_line_without_memory_is_counted)
{
    arrange();
    ck_assert_int_eq(log_start(), 0);

    memory_is_short = true;
    say_number(1);
    memory_is_short = false;
    say_number(2);
    log_stop();

    ck_assert_uint_eq(dropped(), 1);
    ck_assert_uint_eq(capture_count(&captured, "n=1\n"), 0);
    ck_assert_uint_eq(capture_count(&captured, "n=2\n"), 1);
    ck_assert_uint_eq(sum_after("log lines dropped count="), 1);
    put_away();
}
END_TEST

UNIT_MAIN("base/log_sink", all_lines_are_written_in_order_when_stop_returns,
          a_line_wakes_the_log_thread,
          a_line_that_comes_while_it_falls_asleep_is_written,
          stop_waits_for_who_is_still_speaking,
          before_start_and_after_stop_the_caller_writes,
          lines_by_hand_do_not_count_as_waiting, the_log_can_be_started_again,
          a_stuck_pipe_costs_lines_that_are_counted_and_told,
          stop_gives_up_on_a_pipe_that_nobody_reads,
          a_broken_pipe_neither_kills_nor_spins,
          a_new_fd_gets_what_the_stuck_one_did_not_take,
          a_line_without_memory_is_counted)
