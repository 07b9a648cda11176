/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every limit at its edge: who stays below it notices nothing, who goes over it
 * is told in a sentence, and nobody else is touched.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/daemon.h"
#include "support/peer.h"
#include "support/unit.h"

static struct daemon d;
static struct peer a, b, c;

static void
two_join(const char *config)
{
    daemon_start(&d, config);
    peer_join(&a, d.port, "a");
    peer_join(&b, d.port, "b");
    peer_expect(&a, "* b joined #lobby.");
}

static void
two_leave(void)
{
    peer_expect_silence(&a);
    peer_expect_silence(&b);
    peer_close(&a);
    peer_close(&b);
    daemon_stop(&d);
}

/* -- who gets in ---------------------------------------------------------- */

START_TEST(who_finds_the_server_full_is_told_and_may_come_later)
{
    two_join("[limits]\nconnections = 2\n");

    peer_connect(&c, d.port);
    peer_expect(&c, "* This server is full. Please try again later.");
    peer_expect_end(&c, false);
    peer_close(&c);

    peer_close(&b);
    peer_expect(&a, "* b quit (connection closed).");
    daemon_await_census(&d, "conns", 1);
    peer_join(&b, d.port, "b");
    peer_expect(&a, "* b joined #lobby.");
    two_leave();
}
END_TEST

START_TEST(one_address_may_not_take_all_places)
{
    two_join("[limits]\nconnections_per_address = 2\n");

    peer_connect(&c, d.port);
    peer_expect(&c, "* Your address has too many connections here. Please "
                    "close one of them first.");
    peer_expect_end(&c, false);
    peer_close(&c);
    peer_connect_from(&c, d.port, "127.0.0.2");
    peer_enter(&c, "c");
    peer_expect(&a, "* c joined #lobby.");
    peer_expect(&b, "* c joined #lobby.");
    peer_close(&c);
    peer_expect(&a, "* c quit (connection closed).");
    peer_expect(&b, "* c quit (connection closed).");

    /* A place that became free counts no more. */
    for (int i = 0; i < 5; i++) {
        peer_reset(&b);
        peer_expect(&a, "* b quit (connection lost).");
        daemon_await_census(&d, "conns", 1);
        peer_join(&b, d.port, "b");
        peer_expect(&a, "* b joined #lobby.");
    }
    two_leave();
}
END_TEST

/* True when asked for a nickname, false when told to wait. */
static bool
is_welcome(const char *from)
{
    bool welcome;

    peer_connect_from(&c, d.port, from);
    while (c.len == 0)
        ck_assert_uint_gt(peer_receive_some(&c, 1), 0);
    welcome = c.data[c.head] == 'N';
    if (!welcome) {
        peer_expect(&c, "* Your address connects too often. Please wait a "
                        "moment.");
        peer_expect_end(&c, false);
    }
    peer_close(&c);
    return welcome;
}

START_TEST(one_address_may_not_connect_too_often)
{
    unsigned tries = 0;

    daemon_start(&d, "[limits]\nconnect_rate = 2\n"
                     "[timeouts]\ndetect = 1ms\n");

    while (is_welcome("127.0.0.3"))
        ck_assert_uint_lt(tries++, 100);
    ck_assert_uint_ge(tries, 2);
    ck_assert(is_welcome("127.0.0.4")); /* others may */

    /* It need only wait. */
    while (!is_welcome("127.0.0.3")) {
        ck_assert_uint_lt(tries++, 200);
        (void)poll(NULL, 0, 100);
    }
    daemon_stop(&d);
}
END_TEST

START_TEST(who_gives_no_nickname_in_time_is_asked_to_leave)
{
    daemon_start(&d, "[timeouts]\nopening = 300ms\ndetect = 20ms\n");

    peer_connect(&a, d.port);
    peer_connect(&b, d.port);
    peer_connect(&c, d.port);
    peer_send(&b, "half a na"); /* that is none */
    peer_send(&c, "c\n");       /* that is one */

    peer_expect_bytes(&a, "Nickname: ");
    peer_expect_bytes(&a, "\n");
    peer_expect(&a, "* No nickname came in time. Goodbye.");
    peer_expect_end(&a, false);
    peer_await(&b, "* No nickname came in time. Goodbye.");
    peer_expect_end(&b, false);
    peer_await(&c, "* You are in #lobby");
    peer_expect_silence(&c);
    daemon_await_census(&d, "ended_opening", 2);
    peer_close(&a);
    peer_close(&b);
    peer_close(&c);
    daemon_stop(&d);
}
END_TEST

START_TEST(who_finds_no_nickname_is_not_asked_for_ever)
{
    unsigned tries = 0;

    daemon_start(&d, NULL);

    peer_connect_unix(&a, d.socket);
    do {
        peer_expect_bytes(&a, "Nickname: ");
        peer_send(&a, "%u\n", tries++);
        peer_expect_start(&a, "* ");
        while (a.len == 0)
            ck_assert_uint_gt(peer_receive_some(&a, 1), 0);
    } while (a.data[a.head] == 'N');

    peer_await(&a, "Goodbye.");
    peer_expect_end(&a, false);
    ck_assert_uint_eq(tries, 10);
    peer_close(&a);
    daemon_stop(&d);
}
END_TEST

/* -- how much ------------------------------------------------------------- */

/* Somebody is told again when half of the burst is there: after a second without
 * a line, which even a slow machine lets pass rarely. */
#define SLOWLY "[limits]\nmessage_rate = 20\nmessage_burst = 40\n"

START_TEST(who_talks_too_fast_is_told_once_and_loses_nothing)
{
    const unsigned lines = 60;
    uint64_t began_ms;
    char text[1024];
    size_t len = 0;

    two_join(SLOWLY);
    (void)poll(NULL, 0, 200); /* what joining took is there again */
    for (unsigned i = 0; i < lines; i++)
        len += (size_t)sprintf(text + len, "line %u\n", i);

    began_ms = now_ms();
    peer_send_bytes(&a, text, len);
    for (unsigned i = 0; i < lines; i++)
        peer_expect(&b, "<a> line %u", i);

    ck_assert_uint_ge(now_ms() - began_ms, 900); /* 20 lines at 20/s */
    peer_expect(&a, "* You are sending too fast; what you send waits.");
    two_leave();
}
END_TEST

START_TEST(who_leaves_while_it_must_wait_is_heard_to_the_end)
{
    const unsigned lines = 60;

    two_join(SLOWLY);
    (void)poll(NULL, 0, 200);

    for (unsigned i = 0; i < lines; i++)
        peer_send(&a, "line %u\n", i);
    peer_end_writing(&a);

    for (unsigned i = 0; i < lines; i++)
        peer_expect(&b, "<a> line %u", i);
    peer_expect(&b, "* a quit (connection closed).");
    peer_expect(&a, "* You are sending too fast; what you send waits.");
    peer_expect_end(&a, false);
    peer_close(&a);
    peer_close(&b);
    daemon_stop(&d);
}
END_TEST

/* "<a> NUMBER …", perhaps behind the news of the third one's end, which is then
 * the case. */
static bool
expect_number(struct peer *p, unsigned number)
{
    bool told = false;
    char start[32];

    if (strcmp(peer_take(p), "* c quit (read too slowly).") == 0) {
        told = true;
        peer_take(p);
    }
    snprintf(start, sizeof(start), "<a> %u ", number);
    if (strncmp(p->line, start, strlen(start)) != 0)
        e2e_fail("expected: %s\nthere is: %.80s", start, p->line);
    return told;
}

START_TEST(who_does_not_read_ends_alone)
{
    char line[1001];
    unsigned said = 0;
    bool told = false;

    two_join("[limits]\nsendq = 64k\n");
    peer_connect_small(&c, d.port, 4096);
    peer_enter(&c, "c");
    peer_expect(&a, "* c joined #lobby.");
    peer_expect(&b, "* c joined #lobby.");
    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';

    while (daemon_census(&d, "ended_sendq") == 0) {
        for (unsigned i = 0; i < 50; i++)
            peer_send(&a, "%u %s\n", said + i, line);
        for (unsigned i = 0; i < 50; i++)
            told |= expect_number(&b, said + i);
        said += 50;
        ck_assert_uint_lt(said, 100000);
    }

    if (!told)
        peer_expect(&b, "* c quit (read too slowly).");
    peer_expect(&a, "* c quit (read too slowly).");
    peer_close(&c);
    two_leave();
}
END_TEST

/* One who asks and asks and does not read is not read either: what waits for it
 * stays small, and all of it comes when it reads again. */
START_TEST(who_asks_without_reading_is_not_read_from)
{
    const uint64_t sendq = 256 * 1024;
    char ask[513], asks[100 * (sizeof(ask) - 1) + 1];
    size_t sent = 0;
    size_t n = 1;

    two_join("[limits]\nsendq = 256k\n");
    for (int i = 0; i < 20; i++)
        peer_send(&a, "number %d\n", i);
    for (int i = 0; i < 20; i++)
        peer_expect(&b, "<a> number %d", i);
    /* Long, so that what the kernel takes is not too many. */
    snprintf(ask, sizeof(ask), "/history %*s20\n", 500, "");
    for (size_t i = 0; i < 100; i++)
        memcpy(asks + i * strlen(ask), ask, strlen(ask) + 1);

    /* Until no more goes, because it is not read. */
    while (n > 0 || daemon_census(&d, "conns_paused") == 0) {
        const size_t at = sent % strlen(ask);

        n = peer_send_some(&b, asks + at, strlen(asks) - at);
        sent += n;
        if (n == 0)
            (void)poll(NULL, 0, 20);
    }
    ck_assert_uint_lt(daemon_census(&d, "pending_bytes"), sendq);
    ck_assert_uint_eq(daemon_census(&d, "conns"), 2);

    for (size_t i = 0; i < sent / strlen(ask); i++) {
        peer_expect(&b, "* Earlier in #lobby (times are UTC):");
        for (int k = 0; k < 20; k++)
            peer_take(&b);
    }
    peer_send(&b, "%s", ask + sent % strlen(ask)); /* the rest of the last */
    for (int k = 0; k < 21; k++)
        peer_take(&b);
    two_leave();
}
END_TEST

START_TEST(a_small_window_loses_nothing)
{
    const unsigned lines = e2e_scaled(1000);

    two_join("[limits]\nclient_window = 1\nworker_window = 64\n");

    for (unsigned i = 0; i < lines; i++)
        peer_send(&a, "line %u\n", i);

    for (unsigned i = 0; i < lines; i++)
        peer_expect(&b, "<a> line %u", i);
    two_leave();
}
END_TEST

START_TEST(the_length_of_a_line_is_what_the_config_says)
{
    char line[66] = "";

    two_join("[limits]\nline_length = 64\n");

    for (size_t len = 63; len <= 65; len++) {
        memset(line, 'y', len);
        peer_send(&a, "%s\n", line);
        if (len <= 64)
            peer_expect(&b, "<a> %s", line);
        else
            peer_expect(&a, "* That line is longer than 64 bytes and was not "
                            "taken; please send it in parts.");
    }
    two_leave();
}
END_TEST

START_TEST(rooms_and_topics_have_limits)
{
    two_join("[limits]\nrooms_per_user = 2\nrooms = 3\ntopic_length = 10\n");

    peer_send(&a, "/join #x\n/join #y\n");
    peer_expect(&a, "* You are in #x. Nobody else is here.");
    peer_expect(&a, "* You are in as many rooms as one may be; /part one of "
                    "them first.");
    peer_send(&b, "/part #lobby\n/join #y\n/join #z\n");
    peer_expect(&b, "* You left #lobby.");
    peer_expect(&b, "* You are in no room now. /join one to talk.");
    peer_expect(&b, "* You are in #y. Nobody else is here.");
    peer_expect(&b, "* The server has no place for one more room; /rooms lists "
                    "them.");
    peer_expect(&a, "* b left #lobby.");
    peer_send(&b, "/topic 1234567890\n/topic 12345678901\n");
    peer_expect(&b, "* b set the topic of #y: 1234567890");
    peer_expect(&b, "* That topic is too long; please shorten it.");
    two_leave();
}
END_TEST

UNIT_MAIN("e2e/limits", who_finds_the_server_full_is_told_and_may_come_later,
          one_address_may_not_take_all_places,
          one_address_may_not_connect_too_often,
          who_gives_no_nickname_in_time_is_asked_to_leave,
          who_finds_no_nickname_is_not_asked_for_ever,
          who_talks_too_fast_is_told_once_and_loses_nothing,
          who_leaves_while_it_must_wait_is_heard_to_the_end,
          who_does_not_read_ends_alone,
          who_asks_without_reading_is_not_read_from,
          a_small_window_loses_nothing,
          the_length_of_a_line_is_what_the_config_says,
          rooms_and_topics_have_limits)
