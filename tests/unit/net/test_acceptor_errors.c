/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The acceptor when accept4() or malloc() fail; see support/acceptor_rig.h.
 */
#include "net/acceptor.h"

#include <errno.h>
#include <limits.h>

#include "support/acceptor_rig.h"
#include "support/unit.h"

/* -- errors of accept4() -------------------------------------------------- */

START_TEST(errors_of_one_connection_are_passed_over)
{
    static const int errors[] = {ECONNABORTED, EINTR,        EPROTO,
                                 ENETDOWN,     EHOSTUNREACH, EPERM};

    rig_setup(0, 0, 0);

    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        rig_fail_accepts(3, errors[i]);
        rig_expect_welcome(rig_visit(NULL));
        ck_assert_uint_eq(rig.failures, 0);
    }
    ck_assert_uint_eq(metric_read(&rig.counters->backoffs), 0);
    rig_teardown();
}
END_TEST

START_TEST(an_error_that_never_ends_cannot_keep_a_turn_from_ending)
{
    int fd;

    rig_setup(0, 0, 0);
    fd = dial(&rig.address);
    rig_fail_accepts(UINT_MAX, EPROTO);
    rig.accepts = 0;

    worker_turn(rig.worker);

    ck_assert_uint_eq(rig.accepts, ACCEPT_BUDGET);
    close(fd);
    rig_teardown();
}
END_TEST

/* Goes through one pause, during which nothing may be tried. */
static void
expect_pause(void)
{
    const uint64_t start_ns = fake_time.now_ns;
    const uint64_t pause_ns = ACCEPT_BACKOFF_MS * UINT64_C(1000000);
    const size_t waits = fake_time.waits;

    rig.accepts = 0;
    while (fake_time.now_ns < start_ns + pause_ns) {
        ck_assert_uint_eq(rig.accepts, 0);
        worker_turn(rig.worker);
        ck_assert_int_ne(fake_time.timeout_ms, -1);
        /* The wheel may wake us in between, but it is not a spin. */
        ck_assert_uint_le(fake_time.waits - waits, 5);
    }
    ck_assert_uint_eq(fake_time.now_ns, start_ns + pause_ns);
    rig_turn_until_idle();
}

START_TEST(without_descriptors_one_is_told_and_then_accepting_pauses)
{
    int fds[3];

    rig_setup(0, 0, 0);
    for (int i = 0; i < 3; i++)
        fds[i] = dial(&rig.address);
    rig_fail_accepts(1, EMFILE);

    worker_turn(rig.worker);
    rig_expect_text(fds[0], RIG_NO_ROOM);
    ck_assert_uint_eq(rig_load(), 0);
    ck_assert_uint_eq(metric_read(&rig.counters->refused_fds), 1);
    ck_assert_uint_eq(metric_read(&rig.counters->backoffs), 1);

    rig_fail_accepts(1, ENFILE);
    expect_pause();
    rig_expect_text(fds[1], RIG_NO_ROOM);
    ck_assert_uint_eq(metric_read(&rig.counters->backoffs), 2);

    expect_pause();
    rig_expect_welcome(fds[2]);
    ck_assert_uint_eq(metric_read(&rig.counters->accepted), 3);
    rig_teardown();
}
END_TEST

START_TEST(without_kernel_memory_accepting_pauses_and_nobody_is_lost)
{
    int fds[2];

    rig_setup(0, 0, 0);
    for (int i = 0; i < 2; i++)
        fds[i] = dial(&rig.address);
    rig_fail_accepts(1, ENOBUFS);

    worker_turn(rig.worker);
    rig_fail_accepts(1, ENOMEM);
    expect_pause();
    expect_pause();

    rig_expect_welcome(fds[0]);
    rig_expect_welcome(fds[1]);
    ck_assert_uint_eq(metric_read(&rig.counters->backoffs), 2);
    rig_teardown();
}
END_TEST

START_TEST(a_pause_holds_for_every_listener_also_new_ones)
{
    struct listen_addr first;
    int fds[3];

    rig_setup(0, 0, 0);
    first = rig.address;
    rig_listen(6);
    rig_turn_until_idle();
    fds[0] = dial(&first);
    fds[1] = dial(&rig.address);
    rig_fail_accepts(UINT_MAX, ENOMEM);
    worker_turn(rig.worker);
    ck_assert_uint_eq(metric_read(&rig.counters->backoffs), 1);
    rig_listen(7);
    fds[2] = dial(&rig.address);
    rig_fail_accepts(0, 0);

    worker_turn(rig.worker); /* takes the post */
    expect_pause();

    for (int i = 0; i < 3; i++)
        rig_expect_welcome(fds[i]);
    rig_teardown();
}
END_TEST

/* Takes every descriptor there is; returns how many that were. */
static size_t
use_up_descriptors(int *fds, size_t most)
{
    size_t n = 0;

    while (n < most && (fds[n] = dup(STDERR_FILENO)) >= 0)
        n++;
    ck_assert_uint_lt(n, most);
    return n;
}

/* Not under valgrind: it keeps the limit itself, behind the kernel's back, and
 * so it accepts a connection, finds its number too high, and closes it. */
START_TEST(it_holds_with_descriptors_really_used_up)
{
    const struct rlimit few = {64, 64};
    int hoard[64], first, second;
    size_t n;

    if (UNDER_VALGRIND)
        return;
    rig_setup(0, 0, 0);
    first = dial(&rig.address);
    second = dial(&rig.address);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    n = use_up_descriptors(hoard, ARRAY_LEN(hoard));

    worker_turn(rig.worker);
    rig_expect_text(first, RIG_NO_ROOM);
    ck_assert_int_ge(dup(STDERR_FILENO), 0); /* what `first` has just freed */
    while (n > 0)
        close(hoard[--n]);
    expect_pause();

    rig_expect_welcome(second);
    ck_assert_uint_eq(metric_read(&rig.counters->refused_fds), 1);
    rig_teardown();
}
END_TEST

/* -- no memory ------------------------------------------------------------ */

START_TEST(a_client_for_whom_there_is_no_memory_is_told_and_not_counted)
{
    int fd;

    rig_setup(0, 1, 0);
    rig_expect_welcome(rig_visit("127.0.0.2")); /* so that the table exists */
    fd = dial(&rig.address);
    rig.memory_is_short = true;
    worker_turn(rig.worker);
    rig.memory_is_short = false;

    rig_expect_text(fd, RIG_NO_ROOM);
    ck_assert_uint_eq(metric_read(&rig.counters->refused_memory), 1);
    rig_expect_welcome(rig_visit(NULL));
    rig_teardown();
}
END_TEST

START_TEST(a_post_that_cannot_be_made_leaves_the_listener_to_its_owner)
{
    const struct listener_conf lc = {.name = "x",
                                     .addr = dial_addr("127.0.0.1:0")};
    const struct net_conf conf = rig_conf(1, 1, 1);
    struct listener *l = NULL;
    int results[3];

    rig_setup(0, 0, 0);
    ck_assert_int_eq(listener_open(&lc, &l), 0);

    rig.memory_is_short = true; /* for Check as well: no assertion in between */
    results[0] = acceptor_post_listen(rig.acceptor, l);
    results[1] = acceptor_post_reload(rig.acceptor, &conf);
    results[2] = acceptor_post_close(rig.acceptor, 5, NULL, NULL);
    rig.memory_is_short = false;

    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(results[i], -ENOMEM);
    listener_close(l);
    rig_teardown();
}
END_TEST

UNIT_MAIN("net/acceptor_errors", errors_of_one_connection_are_passed_over,
          an_error_that_never_ends_cannot_keep_a_turn_from_ending,
          without_descriptors_one_is_told_and_then_accepting_pauses,
          without_kernel_memory_accepting_pauses_and_nobody_is_lost,
          a_pause_holds_for_every_listener_also_new_ones,
          it_holds_with_descriptors_really_used_up,
          a_client_for_whom_there_is_no_memory_is_told_and_not_counted,
          a_post_that_cannot_be_made_leaves_the_listener_to_its_owner)
