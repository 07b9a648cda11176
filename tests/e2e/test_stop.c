/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How klatchd stops: TERM tells everybody, delivers what waits and ends in
 * time; a second TERM ends at once; nothing is left behind.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/daemon.h"
#include "support/peer.h"
#include "support/swarm.h"
#include "support/unit.h"

static struct daemon d;
static struct peer a, b;

static void
two_join(const char *config)
{
    daemon_start(&d, config);
    peer_join(&a, d.port, "a");
    peer_join(&b, d.port, "b");
    peer_expect(&a, "* b joined #lobby.");
}

/* Says enough to somebody who does not read that the server must keep it. */
static unsigned
say_until_it_waits(struct peer *speaker)
{
    char line[1001];
    unsigned said = 0;

    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    do {
        for (int i = 0; i < 200; i++)
            peer_send(speaker, "%u %s\n", said++, line);
        peer_expect_silence(speaker);
    } while (daemon_census(&d, "pending_bytes") < 100000);
    return said;
}

START_TEST(all_are_told_and_it_ends_with_0)
{
    struct peer stranger, unknown;

    two_join(NULL);
    peer_connect_unix(&stranger, d.socket); /* at the prompt */
    peer_expect_bytes(&stranger, "Nickname: ");
    peer_connect(&unknown, d.port); /* said nothing so far */

    daemon_signal(&d, SIGTERM);

    peer_expect(&a, "* The server is stopping. Goodbye.");
    peer_expect_end(&a, false);
    peer_expect(&b, "* The server is stopping. Goodbye.");
    peer_expect_end(&b, false);
    peer_await(&stranger, "* The server is stopping. Goodbye.");
    peer_expect_end(&stranger, false);
    daemon_reap(&d, 10000);
    peer_close(&a);
    peer_close(&b);
    peer_close(&stranger);
    peer_close(&unknown);
}
END_TEST

START_TEST(what_waits_is_delivered_to_a_slow_reader_first)
{
    unsigned said;

    daemon_start(&d, NULL);
    peer_join(&a, d.port, "a");
    peer_connect_small(&b, d.port, 4096);
    peer_enter(&b, "b");
    peer_expect(&a, "* b joined #lobby.");
    said = say_until_it_waits(&a);

    daemon_signal(&d, SIGTERM);

    peer_await(&a, "* The server is stopping. Goodbye.");
    peer_expect_end(&a, false);
    for (unsigned i = 0; i < said; i++)
        if (strtoul(peer_take(&b) + strlen("<a> "), NULL, 10) != i)
            e2e_fail("expected number %u, there is: %.40s", i, b.line);
    peer_expect(&b, "* The server is stopping. Goodbye.");
    peer_expect_end(&b, false);
    daemon_reap(&d, 10000);
    peer_close(&a);
    peer_close(&b);
}
END_TEST

START_TEST(who_never_reads_does_not_keep_it_longer_than_the_drain)
{
    uint64_t began_ms;

    daemon_start(&d, "[timeouts]\ndrain = 500ms\n");
    peer_join(&a, d.port, "a");
    peer_connect_small(&b, d.port, 4096);
    peer_enter(&b, "b");
    peer_expect(&a, "* b joined #lobby.");
    say_until_it_waits(&a);

    began_ms = now_ms();
    daemon_signal(&d, SIGTERM);

    daemon_reap(&d, e2e_patience_ms(5000));
    ck_assert_uint_ge(now_ms() - began_ms, 400);
    peer_close(&a);
    peer_close(&b);
}
END_TEST

START_TEST(a_second_term_ends_at_once)
{
    daemon_start(&d, "[timeouts]\ndrain = 60s\n");
    peer_join(&a, d.port, "a");
    peer_connect_small(&b, d.port, 4096);
    peer_enter(&b, "b");
    peer_expect(&a, "* b joined #lobby.");
    say_until_it_waits(&a);

    daemon_signal(&d, SIGTERM);
    daemon_await_log(&d, "stopping");
    (void)poll(NULL, 0, 300);
    ck_assert_int_eq(waitpid(d.pid, NULL, WNOHANG), 0); /* still draining */
    daemon_signal(&d, SIGTERM);

    daemon_reap(&d, e2e_patience_ms(5000));
    peer_close(&a);
    peer_close(&b);
}
END_TEST

START_TEST(nobody_is_let_in_while_it_drains)
{
    struct peer late = {.fd = -1};

    daemon_start(&d, "[timeouts]\ndrain = 60s\n");
    peer_join(&a, d.port, "a");
    peer_connect_small(&b, d.port, 4096);
    peer_enter(&b, "b");
    peer_expect(&a, "* b joined #lobby.");
    say_until_it_waits(&a);

    daemon_signal(&d, SIGTERM);
    peer_await(&a, "* The server is stopping. Goodbye.");

    ck_assert(!peer_try_connect(&late, d.port));
    peer_reset(&b);
    daemon_reap(&d, e2e_patience_ms(10000));
    peer_close(&a);
}
END_TEST

START_TEST(lines_that_came_before_the_stop_are_told)
{
    static const unsigned lines = 500;
    unsigned heard = 0;

    two_join(NULL);
    for (unsigned i = 0; i < lines; i++)
        peer_send(&a, "line %u\n", i);
    peer_expect(&b, "<a> line 0");

    daemon_signal(&d, SIGTERM);

    /* Those it had read by then, in order, without a hole. */
    while (strncmp(peer_take(&b), "<a> line ", 9) == 0)
        ck_assert_uint_eq(strtoul(b.line + 9, NULL, 10), ++heard);
    ck_assert_str_eq(b.line, "* The server is stopping. Goodbye.");
    peer_expect_end(&b, false);
    peer_close(&a);
    peer_close(&b);
    daemon_reap(&d, 10000);
}
END_TEST

/* -- what is under way between the threads -------------------------------- */

/* What went wrong: each worker drained its clients as soon as it heard of TERM,
 * so that events still on their way from the hub met conns that took no output
 * any more; one worker's client read "Goodbye" while another's read nothing of
 * what it had said. */
#define LINES     40
#define LISTENERS 4

static void
say_lines_and_quit(struct peer *p)
{
    char text[LINES * 16 + 16];
    int len = 0;

    for (int i = 0; i < LINES; i++)
        len += snprintf(text + len, sizeof(text) - (size_t)len, "line %d\n", i);
    len += snprintf(text + len, sizeof(text) - (size_t)len, "/quit\n");
    peer_send_bytes(p, text, (size_t)len);
}

static void
expect_lines(struct peer *p)
{
    char line[32];

    for (int i = 0; i < LINES; i++) {
        snprintf(line, sizeof(line), "<anna> line %d", i);
        ck_assert_str_eq(peer_await(p, "<anna>"), line);
    }
}

/* Read by the server or not: both may be, for TERM may come first. */
static bool
was_carried_out(struct peer *anna)
{
    const char *line;

    do
        line = peer_take(anna);
    while (strcmp(line, "* Goodbye, anna.") != 0 &&
           strcmp(line, "* The server is stopping. Goodbye.") != 0);
    return strcmp(line, "* Goodbye, anna.") == 0;
}

/* TERM comes `delay_us` behind the lines: where it hits is what differs. */
static void
stop_behind_lines(unsigned delay_us)
{
    struct peer listeners[LISTENERS];
    struct peer anna;

    daemon_start(&d, NULL);
    for (int i = 0; i < LISTENERS; i++) {
        char nick[16];

        snprintf(nick, sizeof(nick), "b%d", i);
        peer_join(&listeners[i], d.port, nick);
    }
    peer_join(&anna, d.port, "anna");
    say_lines_and_quit(&anna);
    usleep(delay_us);
    daemon_signal(&d, SIGTERM);

    if (was_carried_out(&anna))
        for (int i = 0; i < LISTENERS; i++)
            expect_lines(&listeners[i]);
    for (int i = 0; i < LISTENERS; i++) {
        peer_await(&listeners[i], "* The server is stopping. Goodbye.");
        peer_expect_end(&listeners[i], false);
        peer_close(&listeners[i]);
    }
    peer_close(&anna);
    daemon_reap(&d, 10000);
}

START_TEST(what_was_carried_out_before_term_reaches_everybody)
{
    for (unsigned round = 0; round < 20; round++)
        stop_behind_lines(round * 40);
}
END_TEST

/* -- a crowd -------------------------------------------------------------- */

static struct swarm swarm;
static unsigned in_count, told_count;

static void
on_line(void *arg, size_t i, const char *line)
{
    if (strncmp(line, "* You are in #lobby", 19) == 0)
        in_count++;
    if (strcmp(line, "* The server is stopping. Goodbye.") == 0) {
        swarm.clients[i].may_end = true;
        told_count++;
    }
}

static bool
all_are_in(void *arg)
{
    return in_count == swarm.count;
}

static bool
all_have_ended(void *arg)
{
    return swarm.ended == swarm.count;
}

START_TEST(a_crowd_is_told_before_the_end)
{
    daemon_start(&d, "[history]\nroom_events = 0\n");
    swarm_init(&swarm, e2e_scaled(500), on_line, NULL);
    swarm_connect(&swarm, 0, swarm.count, d.port);
    for (unsigned i = 0; i < swarm.count; i++)
        swarm_send(&swarm, i, "u%u\n", i);
    swarm_run_until(&swarm, all_are_in, NULL, "all to be in");

    daemon_signal(&d, SIGTERM);

    swarm_run_until(&swarm, all_have_ended, NULL, "all to be let go");
    ck_assert_uint_eq(told_count, swarm.count);
    daemon_reap(&d, e2e_patience_ms(10000));
    swarm_fini(&swarm);
}
END_TEST

UNIT_MAIN("e2e/stop", all_are_told_and_it_ends_with_0,
          what_waits_is_delivered_to_a_slow_reader_first,
          who_never_reads_does_not_keep_it_longer_than_the_drain,
          a_second_term_ends_at_once, nobody_is_let_in_while_it_drains,
          lines_that_came_before_the_stop_are_told,
          what_was_carried_out_before_term_reaches_everybody,
          a_crowd_is_told_before_the_end)
