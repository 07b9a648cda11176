/* SPDX-License-Identifier: BSD-2-Clause
 *
 * No connection is forgotten: however many arrive at once, whatever happens to
 * others in the same backlog, and also when descriptors are used up for a while.
 * The second burst is the one that once hung elsewhere, so there is always one.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "support/daemon.h"
#include "support/peer.h"
#include "support/swarm.h"
#include "support/unit.h"

#define BURST_MAX 1000u

/* One that was forgotten is never greeted; a busy machine takes a while. */
#define GREETED_MS 20000

/* Who says nothing is asked at once, or the test would take long. */
#define SOON "[timeouts]\ndetect = 20ms\n"

static struct daemon d;
static struct swarm swarm;

static void
on_line(void *arg, size_t i, const char *line)
{
    /* The prompt has no line ending; what is said otherwise does not matter. */
}

/* Everybody who is still there was asked for a nickname, or told otherwise. */
static bool
all_are_greeted(void *arg)
{
    for (size_t i = 0; i < swarm.count; i++)
        if (swarm.clients[i].fd >= 0 && swarm.clients[i].heard == 0 &&
            !swarm.clients[i].has_ended)
            return false;
    return true;
}

static void
await_all_greeted(void)
{
    const uint64_t began_ms = now_ms();

    swarm_run_until(&swarm, all_are_greeted, NULL, "all to be greeted");
    if (now_ms() - began_ms > e2e_patience_ms(GREETED_MS))
        e2e_fail("the last was greeted after %u ms",
                 (unsigned)(now_ms() - began_ms));
    ck_assert_uint_eq(daemon_listen_queue(&d), 0);
}

static void
burst(unsigned n)
{
    e2e_scene("a burst of %u", n);
    swarm_init(&swarm, n, on_line, NULL);
    swarm_connect(&swarm, 0, n, d.port);
    await_all_greeted();
    swarm_fini(&swarm);
}

static const unsigned sizes[] = {1, 2, 20, 128, BURST_MAX};

START_TEST(bursts_of_every_size_are_greeted_twice)
{
    daemon_start(&d, SOON);

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        burst(e2e_scaled(sizes[i]));
        burst(e2e_scaled(sizes[i]));
    }
    daemon_stop(&d);
}
END_TEST

START_TEST(a_backlog_that_filled_up_unseen_is_emptied)
{
    daemon_start(&d, SOON);

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const unsigned n = e2e_scaled(sizes[i]);

        e2e_scene("a backlog of %u", n);
        daemon_freeze(&d);
        swarm_init(&swarm, n, on_line, NULL);
        swarm_connect(&swarm, 0, n, d.port);
        swarm_await_connected(&swarm);
        ck_assert_uint_gt(daemon_listen_queue(&d), 0);
        daemon_thaw(&d);
        await_all_greeted();
        swarm_fini(&swarm);
    }
    daemon_stop(&d);
}
END_TEST

START_TEST(who_reset_before_it_was_accepted_harms_nobody)
{
    const unsigned n = e2e_scaled(400);

    daemon_start(&d, SOON);

    for (unsigned round = 0; round < 3; round++) {
        daemon_freeze(&d);
        swarm_init(&swarm, n, on_line, NULL);
        swarm_connect(&swarm, 0, n, d.port);
        swarm_await_connected(&swarm);
        for (unsigned i = round % 2; i < n; i += 2)
            swarm_reset(&swarm, i);
        daemon_thaw(&d);
        await_all_greeted();
        swarm_fini(&swarm);
    }
    daemon_stop(&d);
}
END_TEST

/* -- descriptors ---------------------------------------------------------- */

/* Who finds no descriptor is told or waits; the server rests meanwhile, those
 * who are in go on talking, and all is well when there are descriptors again. */
START_TEST(without_descriptors_it_waits_and_rests)
{
    struct peer a, b;
    uint64_t cpu_ms;

    daemon_start(&d, SOON);
    peer_join(&a, d.port, "a");
    peer_join(&b, d.port, "b");
    peer_expect(&a, "* b joined #lobby.");

    daemon_limit_fds(&d, daemon_census(&d, "fds") + 5);
    swarm_init(&swarm, 30, on_line, NULL);
    for (unsigned i = 0; i < 30; i++)
        swarm.clients[i].may_end = true;
    swarm_connect(&swarm, 0, 30, d.port);
    swarm_await_connected(&swarm);
    peer_send(&a, "still here\n");
    peer_expect(&b, "<a> still here");

    cpu_ms = daemon_cpu_ms(&d);
    (void)poll(NULL, 0, 500);
    ck_assert_uint_le(daemon_cpu_ms(&d) - cpu_ms, 30);

    daemon_limit_fds(&d, 0);
    await_all_greeted();
    swarm_fini(&swarm);
    burst(20);
    peer_expect_silence(&a);
    peer_expect_silence(&b);
    peer_close(&a);
    peer_close(&b);
    daemon_stop(&d);
}
END_TEST

UNIT_MAIN("e2e/accept", bursts_of_every_size_are_greeted_twice,
          a_backlog_that_filled_up_unseen_is_emptied,
          who_reset_before_it_was_accepted_harms_nobody,
          without_descriptors_it_waits_and_rests)
