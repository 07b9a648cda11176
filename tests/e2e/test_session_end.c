/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How sessions end: by their client's word, by an operator's, because they
 * waited too long or too many do, and with the server. Others are told once
 * that somebody quit, and why; the nickname is free, and the token is dead.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/daemon.h"
#include "support/peer.h"
#include "support/session.h"
#include "support/unit.h"

static struct daemon d;
static struct peer ann, bob;
static struct session_token ann_token, bob_token;

static void
two_come(const char *config)
{
    char text[512];

    snprintf(text, sizeof(text), "[log]\nlevel = trace\n%s", config);
    daemon_start_lingering(&d, text);
    session_join(&ann, d.port, "ann", &ann_token);
    session_join(&bob, d.port, "bob", &bob_token);
    peer_expect(&ann, "* bob joined #lobby.");
}

static void
lose_bob(void)
{
    peer_reset(&bob);
    peer_expect(&ann, "* bob is away (reconnecting).");
}

static void
bob_comes_back(unsigned count)
{
    session_come_back(&bob, d.port, "bob", &bob_token, count, 1);
    peer_expect(&ann, "* bob is back.");
}

/* Nobody is bob any more, and anybody may be. */
static void
expect_gone(const char *why)
{
    struct session_token token;
    struct peer other;

    peer_expect(&ann, "* bob quit%s.", why);
    session_expect_dead(d.port, &bob_token);
    daemon_await_census(&d, "waiting", 0);
    daemon_await_census(&d, "sessions", 1);
    session_join(&other, d.port, "bob", &token);
    peer_expect(&ann, "* bob joined #lobby.");
    session_quit(&other, "bob");
    peer_expect(&ann, "* bob quit.");
    peer_expect_silence(&ann);
}

static void
ann_goes(void)
{
    session_quit(&ann, "ann");
    session_stop(&d);
}

static void
ask(const char *request)
{
    char *const answer = daemon_ask(&d, request);

    if (strncmp(answer, "{\"ok\":true", 10) != 0)
        e2e_fail("%s: %s", request, answer);
    free(answer);
}

/* -- by a word ------------------------------------------------------------ */

START_TEST(quit_ends_it_at_once)
{
    two_come("");
    peer_send(&bob, "/quit good night\n");
    peer_expect(&bob, "* Goodbye, bob.");
    peer_expect_end(&bob, false);
    peer_close(&bob);
    expect_gone(" (good night)");
    ann_goes();
}
END_TEST

/* Also when the goodbye cannot be read any more. */
START_TEST(quit_and_a_reset_end_it_too)
{
    two_come("");
    for (unsigned n = 0; n < 20; n++) {
        peer_send(&bob, "/quit\n");
        if (n % 2 == 0)
            peer_close(&bob);
        else
            peer_end_writing(&bob);
        peer_expect(&ann, "* bob quit.");
        if (n % 2 != 0)
            peer_close(&bob);
        session_expect_dead(d.port, &bob_token);
        session_join(&bob, d.port, "bob", &bob_token);
        peer_expect(&ann, "* bob joined #lobby.");
    }
    session_quit(&bob, "bob");
    expect_gone("");
    ann_goes();
}
END_TEST

START_TEST(an_operator_ends_one_that_is_there)
{
    two_come("");
    ask("{\"command\":\"kick\",\"args\":[\"bob\",\"enough\"]}");
    peer_expect(&bob, "* An operator ended your session: enough");
    peer_expect_end(&bob, false);
    peer_close(&bob);
    expect_gone(" (kicked: enough)");
    ann_goes();
}
END_TEST

START_TEST(an_operator_ends_one_that_waits)
{
    two_come("");
    lose_bob();
    peer_send(&ann, "/msg bob never read\n");
    peer_expect(&ann, "* bob is away (reconnecting) and gets it on returning.");
    ck_assert_uint_eq(daemon_census(&d, "kept_events"), 1);
    ask("{\"command\":\"kick\",\"args\":[\"bob\"]}");
    expect_gone(" (kicked)");
    ck_assert_uint_eq(daemon_census(&d, "kept_events"), 0);
    ann_goes();
}
END_TEST

/* -- by time -------------------------------------------------------------- */

/* The others are told then why it was lost. */
START_TEST(who_does_not_come_back_in_time_has_quit)
{
    uint64_t lost_ms;

    two_come("[session]\nlinger = 1s\n");
    lost_ms = now_ms();
    lose_bob();
    expect_gone(" (connection lost)");
    ck_assert_uint_ge(now_ms() - lost_ms, 1000);

    session_join(&bob, d.port, "bob", &bob_token);
    peer_expect(&ann, "* bob joined #lobby.");
    peer_close(&bob);
    peer_expect(&ann, "* bob is away (reconnecting).");
    expect_gone(" (connection closed)");
    ann_goes();
}
END_TEST

/* Each has a time of its own, which begins anew with each loss. */
START_TEST(coming_back_stops_the_time)
{
    two_come("[session]\nlinger = 2s\n");
    for (unsigned n = 0; n < 6; n++) {
        lose_bob();
        (void)poll(NULL, 0, 700);
        bob_comes_back(0);
        session_expect_that_is_all(&bob, "#lobby");
    }
    peer_expect_silence(&ann);
    session_quit(&bob, "bob");
    expect_gone("");
    ann_goes();
}
END_TEST

START_TEST(without_linger_there_is_no_token_and_who_is_lost_has_quit)
{
    struct peer p;

    daemon_start(&d, "[session]\nlinger = 0\n");
    peer_join(&ann, d.port, "ann");
    peer_connect(&p, d.port);
    peer_send(&p, "bob\n");
    peer_expect(&p, "Nickname: * Welcome to klatch, bob. Type /help for the "
                    "commands.");
    peer_expect(&p, "* You are in #lobby: 2 people are here, /who names them.");
    peer_expect(&ann, "* bob joined #lobby.");
    peer_reset(&p);
    peer_expect(&ann, "* bob quit (connection lost).");
    ck_assert_uint_eq(daemon_census(&d, "waiting"), 0);
    peer_close(&ann);
    daemon_stop(&d);
}
END_TEST

/* -- by a reload ---------------------------------------------------------- */

static void
set_linger(const char *linger)
{
    char text[64];

    snprintf(text, sizeof(text), "[session]\nlinger = %s\n", linger);
    daemon_configure(&d, text);
    ask("{\"command\":\"reload\"}");
}

START_TEST(a_shorter_linger_is_in_force_for_those_who_wait)
{
    two_come("[session]\nlinger = 1h\n");
    lose_bob();
    set_linger("500ms");
    expect_gone(" (connection lost)");
    ann_goes();
}
END_TEST

START_TEST(a_longer_linger_is_in_force_for_those_who_wait)
{
    two_come("[session]\nlinger = 1500ms\n");
    lose_bob();
    set_linger("1h");
    (void)poll(NULL, 0, 2500); /* nothing happens, although it would have */
    peer_expect_silence(&ann);
    ck_assert_uint_eq(daemon_census(&d, "waiting"), 1);
    bob_comes_back(0);
    session_expect_that_is_all(&bob, "#lobby");
    session_quit(&bob, "bob");
    expect_gone("");
    ann_goes();
}
END_TEST

/* Those who wait end; those who are there have a token that is good for
 * nothing, as long as that is so. */
START_TEST(linger_can_be_taken_away_and_given_again)
{
    struct session_token token;

    two_come("[session]\nlinger = 1h\n");
    lose_bob();
    set_linger("0");
    peer_expect(&ann, "* bob quit (connection lost).");
    session_expect_dead(d.port, &bob_token);

    set_linger("1h");
    session_join(&bob, d.port, "bob", &token);
    peer_expect(&ann, "* bob joined #lobby.");
    set_linger("0");
    peer_reset(&bob);
    peer_expect(&ann, "* bob quit (connection lost).");
    peer_join(&bob, d.port, "bob");
    peer_expect(&ann, "* bob joined #lobby.");
    set_linger("1h");
    peer_reset(&bob); /* it was given no token */
    peer_expect(&ann, "* bob quit (connection lost).");
    session_expect_dead(d.port, &token);
    peer_expect_silence(&ann);
    ann_goes();
}
END_TEST

/* -- because there are too many ------------------------------------------- */

START_TEST(above_the_cap_who_waits_longest_ends)
{
    struct session_token tokens[6];
    struct peer p;

    two_come("[session]\nwaiting = 3\n");
    for (unsigned n = 0; n < 6; n++) {
        char nick[8];

        snprintf(nick, sizeof(nick), "p%u", n);
        session_join(&p, d.port, nick, &tokens[n]);
        peer_expect(&ann, "* %s joined #lobby.", nick);
        peer_expect(&bob, "* %s joined #lobby.", nick);
        peer_reset(&p);
        peer_expect(&ann, "* %s is away (reconnecting).", nick);
        peer_expect(&bob, "* %s is away (reconnecting).", nick);
        if (n >= 3) {
            peer_expect(&ann, "* p%u quit (connection lost).", n - 3);
            peer_expect(&bob, "* p%u quit (connection lost).", n - 3);
            session_expect_dead(d.port, &tokens[n - 3]);
        }
        ck_assert_uint_eq(daemon_census(&d, "waiting"), n < 3 ? n + 1 : 3);
    }
    for (unsigned n = 3; n < 6; n++) {
        char nick[8];

        /* The others who came after it, were lost and ended. */
        snprintf(nick, sizeof(nick), "p%u", n);
        session_ask_back(&p, d.port, &tokens[n]);
        peer_await(&p, "* Welcome back, ");
        ck_assert(session_find_token(peer_take(&p), &tokens[n]));
        peer_await(&p, "* That is all.");
        peer_send(&p, "/quit\n");
        peer_await(&p, "* Goodbye, ");
        peer_close(&p);
        peer_expect(&ann, "* %s is back.", nick);
        peer_expect(&ann, "* %s quit.", nick);
        peer_await(&bob, " quit.");
    }
    session_quit(&bob, "bob");
    expect_gone("");
    ann_goes();
}
END_TEST

START_TEST(a_full_mailbox_tells_the_sender)
{
    char line[4001];

    memset(line, 'x', 4000);
    line[4000] = '\0';
    two_come("[session]\ndirect_events = 3\ndirect_bytes = 8k\n");
    lose_bob();
    for (unsigned n = 0; n < 5; n++) {
        peer_send(&ann, "/msg bob number %u\n", n);
        if (n < 3)
            peer_expect(
                &ann, "* bob is away (reconnecting) and gets it on returning.");
        else
            peer_expect(&ann, "* bob is reconnecting, and no more private "
                              "messages can be kept for it; please try again "
                              "later.");
    }
    ck_assert_uint_eq(daemon_census(&d, "kept_events"), 3);
    bob_comes_back(3);
    for (unsigned n = 0; n < 3; n++)
        session_expect_missed(&bob, "[private] <ann> number %u", n);
    session_expect_that_is_all(&bob, "#lobby");
    session_await_settled(&d);
    ck_assert_uint_eq(daemon_census(&d, "kept_events"), 0);

    /* The same with few that are large. */
    lose_bob();
    peer_send(&ann, "/msg bob %s\n", line);
    peer_expect(&ann, "* bob is away (reconnecting) and gets it on returning.");
    peer_send(&ann, "/msg bob %s\n", line);
    peer_expect_start(&ann, "* bob is reconnecting, and no more");
    peer_send(&ann, "/msg bob small\n");
    peer_expect(&ann, "* bob is away (reconnecting) and gets it on returning.");
    bob_comes_back(2);
    session_expect_missed(&bob, "[private] <ann> %s", line);
    session_expect_missed(&bob, "[private] <ann> small");
    session_expect_that_is_all(&bob, "#lobby");

    session_quit(&bob, "bob");
    expect_gone("");
    ann_goes();
}
END_TEST

/* -- with the server ------------------------------------------------------ */

START_TEST(a_server_with_sessions_that_wait_stops_at_once)
{
    uint64_t began_ms;

    two_come("");
    lose_bob();
    peer_send(&ann, "/msg bob never read\n");
    peer_expect(&ann, "* bob is away (reconnecting) and gets it on returning.");
    began_ms = now_ms();
    daemon_signal(&d, SIGTERM);
    peer_expect(&ann, "* The server is stopping. Goodbye.");
    peer_expect_end(&ann, false);
    peer_close(&ann);
    ck_assert_int_eq(daemon_await_exit(&d, 10000), 0);
    ck_assert_uint_le(now_ms() - began_ms, e2e_patience_ms(4000));
    daemon_check_remains(&d);
}
END_TEST

UNIT_MAIN("e2e/session_end", quit_ends_it_at_once, quit_and_a_reset_end_it_too,
          an_operator_ends_one_that_is_there, an_operator_ends_one_that_waits,
          who_does_not_come_back_in_time_has_quit, coming_back_stops_the_time,
          without_linger_there_is_no_token_and_who_is_lost_has_quit,
          a_shorter_linger_is_in_force_for_those_who_wait,
          a_longer_linger_is_in_force_for_those_who_wait,
          linger_can_be_taken_away_and_given_again,
          above_the_cap_who_waits_longest_ends, a_full_mailbox_tells_the_sender,
          a_server_with_sessions_that_wait_stops_at_once)
