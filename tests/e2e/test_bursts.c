/* SPDX-License-Identifier: BSD-2-Clause
 *
 * No accept is lost: round after round, bursts of every size at every kind of
 * listener; some find the server stopped, so that the backlog holds them all,
 * some are half gone before they are accepted, some come while descriptors are
 * used up. After each the server is as if nobody had come.
 *
 *   ACCEPT_ROUNDS      how many rounds; 30 are each size at each listener once
 *   ACCEPT_GREETED_MS  how soon each must be greeted and the queue empty: a
 *                      machine with nothing else to do manages 1000
 */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "e2e/burst.h"
#include "support/e2e.h"
#include "support/unit.h"

#define ROUNDS      30u
#define ROUNDS_LONG 1500u
#define GREETED_MS  10000u
#define STOPPED_MS  200
#define USED_UP_MS  2000
/* Of one processor, while descriptors are used up: 1 % is what shall be, and
 * what a burst leaves to do before that is in it. */
#define CPU_PERMILLE 30u

/* What was measured; the worst of all rounds. */
struct worst {
    uint64_t greeted_ms;
    uint64_t queue_ms;
    uint64_t cpu_us; /* in USED_UP_MS */
    unsigned late;   /* rounds with more than a second */
    uint64_t connects;
};

static struct daemon d;
static struct doors doors;
static struct worst worst;
static uint64_t backoffs; /* pauses of the acceptor before */

/* A large one early: an acceptor may get away with small ones by luck. */
static const unsigned sizes[] = {20, 1000, 1, 4000, 2, 128};
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static unsigned
from_env(const char *name, unsigned otherwise)
{
    const char *const value = getenv(name);

    return value != NULL ? (unsigned)strtoul(value, NULL, 10) : otherwise;
}

static uint64_t
greeted_limit_ms(void)
{
    return e2e_patience_ms(from_env("ACCEPT_GREETED_MS", GREETED_MS));
}

static void
keep_worst(uint64_t *of, uint64_t value)
{
    if (*of < value)
        *of = value;
}

/* -- what a round may meet ------------------------------------------------ */

/* The kernel lets no backlog be longer. */
static unsigned
backlog_most(void)
{
    FILE *const f = fopen("/proc/sys/net/core/somaxconn", "r");
    unsigned most = 0;

    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fscanf(f, "%u", &most), 1);
    fclose(f);
    return most;
}

/* All but the one by which we asked how many there are. */
static void
use_up_descriptors(void)
{
    backoffs = daemon_census(&d, "accept_backoffs");
    daemon_limit_fds(&d, daemon_census(&d, "fds"));
}

/* Those who find no descriptor wait; the server does next to nothing. */
static void
rest_without_descriptors(void)
{
    const uint64_t before_us = daemon_cpu_us(&d);
    uint64_t used_us;

    (void)poll(NULL, 0, USED_UP_MS);
    used_us = daemon_cpu_us(&d) - before_us;
    keep_worst(&worst.cpu_us, used_us);
    if (used_us > e2e_patience_ms(USED_UP_MS * CPU_PERMILLE))
        e2e_fail("it used %" PRIu64 " us of processor time in %d ms", used_us,
                 USED_UP_MS);
}

/* -- a round -------------------------------------------------------------- */

struct round {
    unsigned number; /* from 1 */
    size_t size;
    size_t door; /* doors.count: all of them */
    bool is_stopped;
    bool is_reset; /* half of it */
    bool is_used_up;
};

static struct round
plan(unsigned number)
{
    const unsigned k = number - 1;
    const unsigned most = backlog_most();
    unsigned size = sizes[k % SIZES];

    if (size > most)
        size = most;
    return (struct round){
        .number = number,
        .size = e2e_scaled(size),
        /* The door moves on by one each time that all were had, so that the
         * stops meet each size at each door. */
        .door =
            (k / SIZES + k / (SIZES * (doors.count + 1))) % (doors.count + 1),
        .is_stopped = number % 5 == 0 || number % 7 == 0,
        .is_reset = number % 7 == 0,
        .is_used_up = number % 11 == 0,
    };
}

static void
tell_scene(const struct round *r)
{
    e2e_scene("round %u: %zu at %s%s%s%s", r->number, r->size,
              r->door < doors.count ? doors.of[r->door].name : "every listener",
              r->is_stopped ? ", server stopped" : "",
              r->is_reset ? ", half reset" : "",
              r->is_used_up ? ", no descriptors" : "");
}

static void
connect_all(const struct round *r, struct burst *b)
{
    const uint64_t began_ms = now_ms();

    if (r->is_stopped)
        daemon_freeze(&d);
    burst_connect(b, r->size, &doors, r->door);
    if (r->is_reset)
        burst_reset_half(b);
    if (!r->is_stopped)
        return;
    while (now_ms() < began_ms + STOPPED_MS)
        (void)poll(NULL, 0, 1);
    daemon_thaw(&d);
}

/* From the moment when nothing is in their way any more. */
static void
await_greeted(struct burst *b)
{
    const uint64_t limit_ms = greeted_limit_ms();
    const uint64_t began_ms = now_ms();
    uint64_t took_ms;

    burst_await(b, limit_ms);
    took_ms = now_ms() - began_ms;
    keep_worst(&worst.greeted_ms, took_ms);
    worst.late += took_ms > 1000;

    while (doors_queue(&doors) > 0) {
        if (now_ms() - began_ms > limit_ms)
            e2e_fail("%u wait to be accepted", doors_queue(&doors));
        (void)poll(NULL, 0, 1);
    }
    keep_worst(&worst.queue_ms, now_ms() - began_ms);
}

/* Also who was reset is accepted, and that is the only way to see that a Unix
 * socket's queue is empty. */
static void
check_all_accepted(const struct round *r)
{
    uint64_t accepted;

    worst.connects += r->size;
    accepted = daemon_census(&d, "accepted") + daemon_census(&d, "refused_fds");
    if (accepted != worst.connects)
        e2e_fail("of %" PRIu64 " connections it accepted %" PRIu64,
                 worst.connects, accepted);
}

/* One or two clients may have found one, the others have not. */
static void
give_descriptors_back(const struct round *r)
{
    daemon_limit_fds(&d, 0);
    if (r->size > 2 && daemon_census(&d, "accept_backoffs") == backoffs)
        e2e_fail("it never was without a descriptor");
}

static void
run_round(unsigned number)
{
    const struct round r = plan(number);
    struct burst b;

    tell_scene(&r);
    if (r.is_used_up)
        use_up_descriptors();
    connect_all(&r, &b);
    if (r.is_used_up) {
        rest_without_descriptors();
        give_descriptors_back(&r);
    }
    await_greeted(&b);
    burst_close(&b);
    daemon_await_census_now(&d, d.at_rest);
    check_all_accepted(&r);
}

/* -- all of them ---------------------------------------------------------- */

START_TEST(burst_after_burst_nobody_is_forgotten)
{
    const unsigned rounds = from_env(
        "ACCEPT_ROUNDS", getenv("KLATCH_LONG") != NULL ? ROUNDS_LONG : ROUNDS);
    char config[512];

    e2e_raise_fd_limit();
    snprintf(config, sizeof(config), "[timeouts]\ndetect = 20ms\n%s",
             doors_config());
    daemon_start(&d, config);
    doors_find(&doors, &d);

    for (unsigned number = 1; number <= rounds; number++)
        run_round(number);

    printf("e2e/bursts: %u rounds at %zu listeners, %" PRIu64 " connections; "
           "the last greeted after %" PRIu64 " ms (over 1 s: %u rounds), "
           "queues empty after %" PRIu64 " ms, %" PRIu64 " us of processor "
           "time in %d ms without descriptors\n",
           rounds, doors.count, worst.connects, worst.greeted_ms, worst.late,
           worst.queue_ms, worst.cpu_us, USED_UP_MS);
    daemon_stop(&d);
}
END_TEST

UNIT_MAIN("e2e/bursts", burst_after_burst_nobody_is_forgotten)
