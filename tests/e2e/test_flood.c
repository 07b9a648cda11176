/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Fault (d) under load: sixteen speak to one, who hears all of each, in order
 * and whole; and a hundred who do not read end by the policy for that, while
 * the others hear everything, and as soon as before.
 */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/daemon.h"
#include "support/e2e.h"
#include "support/figure.h"
#include "support/peer.h"
#include "support/stamp.h"
#include "support/swarm.h"
#include "support/unit.h"

static struct daemon d;
static struct swarm swarm;
static struct ledger ledger;
static unsigned in; /* clients that are where they shall be */

static bool
all_are_in(void *wanted)
{
    return in == *(const unsigned *)wanted;
}

static void
await_in(unsigned wanted)
{
    swarm_run_until(&swarm, all_are_in, &wanted, "all to be in");
}

/* -- sixteen to one ------------------------------------------------------- */

#define SENDERS 16u
#define HEARER  SENDERS /* its place */
#define AHEAD   1000u   /* lines of each sender on their way at most */

static unsigned lines; /* of each sender */
static unsigned said[SENDERS];
static unsigned goal; /* of each, for now */

static void
hear_one_of_sixteen(void *arg, size_t i, const char *line)
{
    struct stamp s;
    unsigned from;
    int at = 0;

    if (strncmp(line, "* You are in #lobby", 19) == 0)
        in++;
    if (line[0] != '[')
        return;
    if (i != HEARER || sscanf(line, "[private] <s%u> %n", &from, &at) != 1 ||
        !stamp_read(line + at, &s) || s.sender != from || from >= SENDERS)
        e2e_fail("client %zu: torn, or not for it: %s", i, line);
    if (ledger_hear(&ledger, 0, from, s.number) != LEDGER_NEXT)
        e2e_fail("out of order, lost or doubled: %s", line);
}

/* As much as may be on its way. */
static void
speak(unsigned from)
{
    const unsigned heard = ledger_last(&ledger, 0, from);

    while (said[from] < goal && said[from] - heard < AHEAD) {
        const struct stamp s = {0, from, ++said[from]};
        char text[STAMP_SIZE + 64];

        stamp_write(text, sizeof(text), &s, s.number % 64);
        swarm_send(&swarm, from, "/msg hearer %s\n", text);
    }
}

static bool
all_is_heard(void *arg)
{
    bool all = true;

    for (unsigned from = 0; from < SENDERS; from++) {
        speak(from);
        all = all && ledger_last(&ledger, 0, from) == goal;
    }
    return all;
}

static void
expect_all_workers_busy(void)
{
    char *const status = daemon_ask(&d, "{\"command\":\"status\"}");

    for (unsigned i = 0; i < e2e_workers(); i++) {
        char idle[64];

        snprintf(idle, sizeof(idle), "{\"index\":%u,\"connections\":0,", i);
        ck_assert_ptr_null(strstr(status, idle));
    }
    free(status);
}

START_TEST(one_hears_sixteen_each_in_order_and_whole)
{
    const uint64_t began_ms = now_ms();

    lines = e2e_scaled(figure(100000, 10000000)) / SENDERS;
    daemon_start(&d, NULL);
    ledger_init(&ledger, 1, SENDERS);
    swarm_init(&swarm, SENDERS + 1, hear_one_of_sixteen, NULL);
    swarm_connect(&swarm, 0, SENDERS + 1, d.port);
    for (unsigned i = 0; i < SENDERS; i++)
        swarm_send(&swarm, i, "s%u\n", i);
    swarm_send(&swarm, HEARER, "hearer\n");
    await_in(SENDERS + 1);
    expect_all_workers_busy();

    /* In parts, each with the patience of a swarm. */
    while (goal < lines) {
        goal = goal + 5000 < lines ? goal + 5000 : lines;
        swarm_run_until(&swarm, all_is_heard, NULL, "every line");
    }

    printf("%u lines of %u senders in %" PRIu64 " ms\n", lines * SENDERS,
           SENDERS, now_ms() - began_ms);
    swarm_fini(&swarm);
    ledger_fini(&ledger);
    daemon_stop(&d);
}
END_TEST

/* -- who does not read ---------------------------------------------------- */

#define DEAF       100u
#define LOAD_BYTES 1000u
#define LOAD_LINES 5u /* with each line whose way is timed */
#define TIMED_MAX  4000u

enum place {
    TALKER,
    LISTENER,
    PLACES,
};

static uint64_t sent_ns;
static uint64_t took_ns[TIMED_MAX];
static unsigned timed; /* lines so far */
static unsigned told;  /* departures, to the listener */
static unsigned number;
static bool is_heard;

static uint64_t
now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void
hear_among_the_deaf(void *arg, size_t i, const char *line)
{
    struct stamp s;

    if (strncmp(line, "* You are in #lobby", 19) == 0)
        in++;
    if (i == LISTENER && strncmp(line, "* deaf", 6) == 0 &&
        strstr(line, " quit") != NULL)
        told++;
    if (i != LISTENER || line[0] != '<')
        return; /* notices, to either */
    if (!stamp_read(line + strlen("<talker> "), &s))
        e2e_fail("torn: %.100s", line);
    if (ledger_hear(&ledger, 0, 0, s.number) != LEDGER_NEXT)
        e2e_fail("out of order, lost or doubled: %.100s", line);
    is_heard = s.number == number;
    if (is_heard && timed < TIMED_MAX)
        took_ns[timed++] = now_ns() - sent_ns;
}

static bool
last_is_heard(void *arg)
{
    return is_heard;
}

static void
say(size_t padding)
{
    const struct stamp s = {0, 0, ++number};
    char text[STAMP_SIZE + LOAD_BYTES];

    stamp_write(text, sizeof(text), &s, padding);
    swarm_send(&swarm, TALKER, "%s\n", text);
}

/* Load, and the one behind it whose way is timed. */
static void
say_and_hear(void)
{
    is_heard = false;
    sent_ns = now_ns();
    for (unsigned n = 0; n < LOAD_LINES; n++)
        say(LOAD_BYTES);
    say(0);
    swarm_run_until(&swarm, last_is_heard, NULL, "the last line");
}

static int
by_size(const void *a, const void *b)
{
    const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

/* The median in microseconds; `what` was measured. */
static uint64_t
judge_times(const char *what)
{
    const unsigned n = timed;

    ck_assert_uint_gt(n, 0);
    qsort(took_ns, n, sizeof(took_ns[0]), by_size);
    printf("%-24s p50 %5" PRIu64 " us, p99 %5" PRIu64 " us (%u)\n", what,
           took_ns[n / 2] / 1000, took_ns[n * 99 / 100] / 1000, n);
    timed = 0;
    return took_ns[n / 2] / 1000;
}

/* The hundred are a process of their own, which reads what comes until it is
 * stopped: then nobody there reads any more, and its time is not ours. */
static _Noreturn void
be_the_hundred(int ready)
{
    static char waste[65536];
    struct pollfd fds[DEAF];
    char nick[16];
    struct peer p;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (unsigned i = 0; i < DEAF; i++) {
        snprintf(nick, sizeof(nick), "deaf%u", i);
        peer_connect_small(&p, d.port, 4096);
        peer_enter(&p, nick);
        fds[i] = (struct pollfd){.fd = p.fd, .events = POLLIN};
    }
    if (write(ready, "", 1) != 1)
        _exit(1);
    for (;;) {
        (void)poll(fds, DEAF, -1);
        for (unsigned i = 0; i < DEAF; i++)
            if (fds[i].revents != 0 &&
                read(fds[i].fd, waste, sizeof(waste)) <= 0)
                fds[i].fd = -1;
    }
}

static bool
is_readable(void *fd)
{
    struct pollfd pfd = {.fd = *(const int *)fd, .events = POLLIN};

    return poll(&pfd, 1, 0) == 1;
}

static pid_t
bring_the_hundred(void)
{
    int ends[2];
    pid_t pid;

    ck_assert_int_eq(pipe(ends), 0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        be_the_hundred(ends[1]);
    swarm_run_until(&swarm, is_readable, &ends[0], "the hundred to be in");
    close(ends[0]);
    close(ends[1]);
    ck_assert_uint_eq(daemon_census(&d, "users"), DEAF + PLACES);
    return pid;
}

static void
stop_the_hundred(pid_t pid)
{
    int status = 0;

    ck_assert_int_eq(kill(pid, SIGSTOP), 0);
    ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
    ck_assert(WIFSTOPPED(status));
}

static void
end_the_hundred(pid_t pid)
{
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

/* The policy for who does not read, here and nowhere else: it is closed when
 * limits.sendq is full, and never has more than that waiting. */
static bool
policy_is_done(uint64_t sendq)
{
    ck_assert_uint_le(daemon_census(&d, "pending_bytes"), DEAF * sendq);
    return daemon_census(&d, "ended_sendq") == DEAF;
}

static bool
all_departures_told(void *arg)
{
    return told == DEAF;
}

static void
begin(const char *config)
{
    daemon_start(&d, config);
    ledger_init(&ledger, 1, 1);
    swarm_init(&swarm, PLACES, hear_among_the_deaf, NULL);
    swarm_connect(&swarm, 0, PLACES, d.port);
    swarm_send(&swarm, TALKER, "talker\n");
    swarm_send(&swarm, LISTENER, "listener\n");
    await_in(PLACES);
}

START_TEST(a_hundred_who_do_not_read_hold_nobody_up)
{
    const unsigned mib = figure(1, 8);
    const uint64_t sendq = (uint64_t)mib << 20;
    const unsigned rounds = figure(200, 1500);
    uint64_t reading_us, deaf_us;
    char config[128];
    pid_t hundred;

    snprintf(config, sizeof(config),
             "[history]\nroom_events = 0\nkeep_events = 1\n"
             "[limits]\nsendq = %uM\n",
             mib);
    begin(config);
    for (unsigned n = 0; n < rounds; n++)
        say_and_hear();
    judge_times("nobody else:");

    hundred = bring_the_hundred();
    for (unsigned n = 0; n < rounds; n++)
        say_and_hear();
    reading_us = judge_times("a hundred who read:");
    printf("rss %" PRIu64 " KiB\n", daemon_census(&d, "rss_bytes") / 1024);

    stop_the_hundred(hundred);
    while (!policy_is_done(sendq))
        for (unsigned n = 0; n < 10; n++)
            say_and_hear();
    deaf_us = judge_times("a hundred who do not:");
    printf("rss %" PRIu64 " KiB; ratio %" PRIu64 ".%02" PRIu64 "\n",
           daemon_census(&d, "rss_bytes") / 1024, deaf_us / reading_us,
           deaf_us * 100 / reading_us % 100);
    swarm_run_until(&swarm, all_departures_told, NULL, "all departures");

    /* A machine that does much else makes any ratio; a wait makes seconds. */
    ck_assert_uint_le(deaf_us, reading_us * 5 + 100000);
    ck_assert_uint_eq(told, DEAF);
    ck_assert_uint_eq(ledger_last(&ledger, 0, 0), number);
    end_the_hundred(hundred);
    swarm_fini(&swarm);
    ledger_fini(&ledger);
    daemon_stop(&d);
}
END_TEST

UNIT_MAIN("e2e/flood", one_hears_sixteen_each_in_order_and_whole,
          a_hundred_who_do_not_read_hold_nobody_up)
