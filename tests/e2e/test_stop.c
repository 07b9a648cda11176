/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What was carried out before TERM reaches everybody before the farewell.
 *
 * What went wrong: each worker drained its clients as soon as it heard of TERM,
 * so that events still on their way from the hub met conns that took no output
 * any more; one worker's client read "Goodbye" while another's read nothing of
 * what it had said.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/daemon.h"
#include "support/peer.h"
#include "support/unit.h"

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
    struct daemon d;
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

UNIT_MAIN("e2e/stop", what_was_carried_out_before_term_reaches_everybody)
