/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Everything that is written goes out, whole and in order: however many writes
 * one event causes, however little of it the peer takes at a time, and also
 * when the end follows at once.
 *
 * The peer's receive buffer is small and it takes 1 to 17 bytes at a time, so
 * the server's writes stop and go on at any byte.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/daemon.h"
#include "support/peer.h"
#include "support/unit.h"

#define LINES 1000u
#define SMALL 4096 /* less, and TCP itself gets slow */

static struct daemon d;
static struct peer speaker;
static unsigned seed;

static void
start(void)
{
    seed = 7;
    daemon_start(&d, "[history]\nroom_events = 1000\nkeep_events = 4000\n"
                     "keep_bytes = 16M\n");
    peer_join(&speaker, d.port, "speaker");
}

static void
stop(void)
{
    peer_close(&speaker);
    daemon_stop(&d);
}

/* Line `n`: its number, then as much as makes all lengths occur. */
static const char *
line_of(unsigned n)
{
    static char line[512];
    const unsigned padding = n * 37 % 400;
    const int len = snprintf(line, sizeof(line), "line %u ", n);

    for (unsigned i = 0; i < padding; i++)
        line[(unsigned)len + i] = (char)('a' + (n + i) % 26);
    line[(unsigned)len + padding] = '\0';
    return line;
}

/* All of them in one go. */
static void
say_lines(struct peer *p, unsigned from, unsigned count, const char *then)
{
    char *const text = malloc((size_t)count * 512 + 64);
    size_t len = 0;

    ck_assert_ptr_nonnull(text);
    for (unsigned n = from; n < from + count; n++)
        len += (size_t)sprintf(text + len, "%s\n", line_of(n));
    len += (size_t)sprintf(text + len, "%s", then);
    peer_send_bytes(p, text, len);
    free(text);
}

/* Reads up to the end of the next line, in small bites. */
static const char *
sip_line(struct peer *p)
{
    while (p->len == 0 || memchr(p->data + p->head, '\n', p->len) == NULL)
        if (peer_receive_some(p, 1 + (size_t)rand_r(&seed) % 17) == 0)
            e2e_fail("the server closed");
    return peer_take(p);
}

static void
sip_expected(struct peer *p, const char *before, unsigned n)
{
    const char *const line = sip_line(p);
    const size_t len = strlen(before);

    if (strncmp(line, before, len) != 0 || strcmp(line + len, line_of(n)) != 0)
        e2e_fail("expected: %s%s\nthere is: %s", before, line_of(n), line);
}

/* "HH:MM <speaker> line" */
static void
sip_past(struct peer *p, unsigned n)
{
    static const char who[] = "<speaker> ";
    const char *const line = sip_line(p);

    if (strlen(line) < 6 || strncmp(line + 6, who, strlen(who)) != 0 ||
        strcmp(line + 6 + strlen(who), line_of(n)) != 0)
        e2e_fail("expected: HH:MM %s%s\nthere is: %s", who, line_of(n), line);
}

/* The past when it joins, then again and again as much of it as it asks for. */
static void
sip_history(struct peer *reader)
{
    static const unsigned counts[] = {1,   2,   3,   5,   15,  16,  17,  63,
                                      64,  65,  127, 128, 129, 255, 256, 257,
                                      511, 512, 513, 777, 999, 1000};

    peer_send(reader, "reader\n");
    peer_await(reader, "* Earlier in #lobby");
    for (unsigned n = 1; n <= LINES; n++)
        sip_past(reader, n);

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        e2e_scene("%u lines", counts[i]);
        peer_send(reader, "/history %u\n", counts[i]);
        peer_expect(reader, "* Earlier in #lobby (times are UTC):");
        for (unsigned n = LINES + 1 - counts[i]; n <= LINES; n++)
            sip_past(reader, n);
        peer_expect_silence(reader);
    }
    peer_close(reader);
}

START_TEST(one_request_causes_up_to_1000_writes)
{
    struct peer reader;

    start();
    say_lines(&speaker, 1, LINES, "");
    peer_expect_silence(&speaker);

    peer_connect_small(&reader, d.port, SMALL);
    sip_history(&reader);
    daemon_await_census(&d, "users", 1);
    peer_connect_unix(&reader, d.socket);
    sip_history(&reader);
    stop();
}
END_TEST

/* Speaks until the server must keep some of it, then a good deal more. */
static unsigned
speak_until_it_waits(void)
{
    unsigned said = 0;
    bool waits = false;

    while (!waits || said % (4 * LINES) != 0) {
        say_lines(&speaker, said, LINES, "");
        said += LINES;
        peer_expect_silence(&speaker); /* so all of it was handed out */
        waits = waits || daemon_census(&d, "pending_bytes") > 0;
    }
    return said;
}

static void
expect_heard(struct peer *reader)
{
    const unsigned said = speak_until_it_waits();

    for (unsigned n = 0; n < said; n++)
        sip_expected(reader, "<speaker> ", n);
    peer_expect_silence(reader);
    peer_close(reader);
}

START_TEST(a_peer_with_a_small_buffer_hears_a_thousand_lines)
{
    struct peer reader;

    start();
    peer_connect_small(&reader, d.port, SMALL);
    peer_enter(&reader, "reader");
    peer_expect(&speaker, "* reader joined #lobby.");

    expect_heard(&reader);
    stop();
}
END_TEST

START_TEST(a_peer_on_a_unix_socket_hears_a_thousand_lines)
{
    struct peer reader;

    start();
    peer_connect_unix(&reader, d.socket);
    peer_enter(&reader, "reader");
    peer_expect(&speaker, "* reader joined #lobby.");

    expect_heard(&reader);
    stop();
}
END_TEST

START_TEST(who_says_a_thousand_lines_and_quits_is_heard_to_the_end)
{
    struct peer reader, leaver;

    start();
    peer_connect_small(&reader, d.port, SMALL);
    peer_enter(&reader, "reader");
    peer_join(&leaver, d.port, "leaver");
    peer_expect(&reader, "* leaver joined #lobby.");

    say_lines(&leaver, 0, LINES, "/quit that was all\n");

    for (unsigned n = 0; n < LINES; n++)
        sip_expected(&reader, "<leaver> ", n);
    peer_expect(&reader, "* leaver quit (that was all).");
    peer_expect(&leaver, "* Goodbye, leaver.");
    peer_expect_end(&leaver, false);
    peer_close(&leaver);
    peer_close(&reader);
    stop();
}
END_TEST

START_TEST(who_quits_gets_a_thousand_lines_before_the_end)
{
    struct peer reader;

    start();
    say_lines(&speaker, 1, LINES, "");
    peer_expect_silence(&speaker);
    peer_connect_small(&reader, d.port, SMALL);
    peer_send(&reader, "reader\n/quit\n");
    peer_await(&reader, "* Earlier in #lobby");

    for (unsigned n = 1; n <= LINES; n++)
        sip_past(&reader, n);

    peer_expect(&reader, "* Goodbye, reader.");
    peer_expect_end(&reader, false);
    peer_close(&reader);
    stop();
}
END_TEST

/* The end comes from outside and must not overtake either. */
START_TEST(who_is_kicked_gets_what_was_said_before)
{
    struct peer reader;

    start();
    peer_connect_small(&reader, d.port, SMALL);
    peer_enter(&reader, "reader");
    say_lines(&speaker, 0, LINES, "");
    peer_await(&speaker, "* reader joined #lobby.");
    peer_expect_silence(&speaker);

    free(daemon_ask(&d, "{\"command\":\"kick\",\"args\":[\"reader\"]}"));

    for (unsigned n = 0; n < LINES; n++)
        sip_expected(&reader, "<speaker> ", n);
    peer_expect(&reader, "* An operator ended your session.");
    peer_expect_end(&reader, false);
    peer_close(&reader);
    stop();
}
END_TEST

UNIT_MAIN("e2e/writes", one_request_causes_up_to_1000_writes,
          a_peer_with_a_small_buffer_hears_a_thousand_lines,
          a_peer_on_a_unix_socket_hears_a_thousand_lines,
          who_says_a_thousand_lines_and_quits_is_heard_to_the_end,
          who_quits_gets_a_thousand_lines_before_the_end,
          who_is_kicked_gets_what_was_said_before)
