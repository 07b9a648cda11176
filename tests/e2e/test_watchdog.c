/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A thread that hangs is named in the log, whichever of them it is, and the
 * others go on; a whole process that was stopped accuses nobody.
 *
 * The test holds a thread in one of its own system calls, so nothing in the
 * server is there for the test's sake.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "support/daemon.h"
#include "support/hold.h"
#include "support/peer.h"
#include "support/unit.h"

static struct daemon d;
static struct peer ann;

static void
start(void)
{
    daemon_start(&d, NULL);
    peer_join(&ann, d.port, "ann");
}

static void
stop(void)
{
    peer_close(&ann);
    daemon_stop(&d);
}

/* To so many times /who. */
static void
expect_answers(unsigned n)
{
    while (n-- > 0) {
        peer_expect(&ann, "* In #lobby: ann");
        peer_expect(&ann, "* 1 person in #lobby.");
    }
}

/* One line about that thread, later one that it goes on; no other thread is
 * named. */
static void
expect_named(const char *who, pid_t tid)
{
    char line[96];

    snprintf(line, sizeof(line), " warn loop stalled %s where=", who);
    daemon_await_log(&d, line);
    hold_end(tid);
    snprintf(line, sizeof(line), " notice loop goes on %s where=", who);
    daemon_await_log(&d, line);
    ck_assert_uint_eq(daemon_census(&d, "stalls"), 1);
    ck_assert_uint_gt(daemon_census(&d, "longest_stall_ms"), 1000);
}

/* The worker that has the one connection. */
static unsigned
worker_of_ann(void)
{
    char *const status = daemon_ask(&d, "{\"command\":\"status\"}");
    unsigned found = e2e_workers();

    for (unsigned i = 0; i < e2e_workers(); i++) {
        char words[64];

        snprintf(words, sizeof(words), "\"index\":%u,\"connections\":1", i);
        if (strstr(status, words) != NULL)
            found = i;
    }
    free(status);
    ck_assert_uint_lt(found, e2e_workers());
    return found;
}

START_TEST(a_worker_that_hangs_is_named)
{
    unsigned index;
    char who[32], *status;
    pid_t tid;

    start();
    index = worker_of_ann();
    snprintf(who, sizeof(who), "worker=worker index=%u", index);
    tid = hold_find(d.pid, "worker", index);
    hold_begin(tid);
    peer_send(&ann, "/who\n");
    hold_at(tid, SYS_recvfrom);

    /* Others do not wait for it, nor does who asks how it is. */
    daemon_await_log(&d, " warn loop stalled ");
    status = daemon_ask(&d, "{\"command\":\"status\"}");
    ck_assert_ptr_nonnull(strstr(status, "\"alive\":false"));
    free(status);

    expect_named(who, tid);
    expect_answers(1);
    stop();
}
END_TEST

/* The hub makes no system call but to wake a worker: so until it meets one
 * asleep, ann asks again. Returns how often she did. */
static unsigned
hold_hub(pid_t *tid)
{
    unsigned asked = 0;

    *tid = hold_find(d.pid, "hub", 0);
    hold_begin(*tid);
    do {
        ck_assert_uint_lt(asked, 100);
        peer_send(&ann, "/who\n");
        asked++;
    } while (!hold_at_within(*tid, SYS_write, 200));
    return asked;
}

START_TEST(a_hub_that_hangs_is_named)
{
    unsigned asked;
    pid_t tid;

    start();
    asked = hold_hub(&tid);

    expect_named("worker=hub index=0", tid);
    expect_answers(asked);
    stop();
}
END_TEST

START_TEST(an_acceptor_that_hangs_is_named)
{
    struct peer ben;
    pid_t tid;

    start();
    tid = hold_find(d.pid, "acceptor", 0);
    hold_begin(tid);
    peer_connect(&ben, d.port);
    hold_at(tid, SYS_accept4);

    daemon_await_log(&d, " warn loop stalled ");
    peer_send(&ann, "/who\n"); /* who is in already does not notice */
    peer_expect(&ann, "* In #lobby: ann");
    expect_named("worker=acceptor index=0", tid);
    peer_expect(&ann, "* 1 person in #lobby.");
    peer_enter(&ben, "ben");
    peer_expect(&ann, "* ben joined #lobby.");
    peer_close(&ben);
    stop();
}
END_TEST

START_TEST(a_main_that_hangs_is_named)
{
    struct peer asker;
    pid_t tid;

    start();
    tid = d.pid;
    hold_begin(tid);
    peer_connect_unix(&asker, d.control);
    hold_at(tid, SYS_accept4);

    daemon_await_log(&d, " warn loop stalled ");
    peer_send(&ann, "/who\n");
    peer_expect(&ann, "* In #lobby: ann");
    expect_named("worker=main index=0", tid);
    peer_close(&asker);
    stop();
}
END_TEST

/* One thread is in the middle of a turn all the time. */
START_TEST(a_machine_that_was_suspended_accuses_nobody)
{
    pid_t tids[HOLD_THREADS_MAX];
    unsigned asked;
    size_t n;
    pid_t tid;

    start();
    asked = hold_hub(&tid);
    n = hold_all(d.pid, tid, tids);
    (void)poll(NULL, 0, 2500); /* that long, not for luck */
    for (size_t i = 0; i < n; i++)
        hold_end(tids[i]);
    hold_end(tid);

    expect_answers(asked);
    ck_assert_uint_eq(daemon_census(&d, "stalls"), 0);
    ck_assert(!daemon_logged(&d, "stalled"));
    stop();
}
END_TEST

START_TEST(a_process_that_was_stopped_accuses_nobody)
{
    start();
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 200; k++)
            peer_send(&ann, "/history 20\n");
        daemon_freeze(&d);
        (void)poll(NULL, 0, 1500); /* that long, not for luck */
        daemon_thaw(&d);
        for (int k = 0; k < 200; k++)
            peer_expect(&ann, "* Nothing is said in #lobby so far.");
    }

    ck_assert_uint_eq(daemon_census(&d, "stalls"), 0);
    ck_assert(!daemon_logged(&d, "stalled"));
    stop();
}
END_TEST

UNIT_MAIN("e2e/watchdog", a_worker_that_hangs_is_named,
          a_hub_that_hangs_is_named, an_acceptor_that_hangs_is_named,
          a_main_that_hangs_is_named,
          a_machine_that_was_suspended_accuses_nobody,
          a_process_that_was_stopped_accuses_nobody)
