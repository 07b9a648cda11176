/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who comes back is sent what it missed, all of it, once, in the order in which
 * it happened, whichever room it happened in and also what was said to it
 * alone; and if something can no longer be shown, it is told how much.
 *
 * ann speaks and bob misses it. Both are in #lobby, #tea and #cake; bob talks
 * in #cake, the last that it joined.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/daemon.h"
#include "support/peer.h"
#include "support/session.h"
#include "support/unit.h"

#define LARGE                                                              \
    "[history]\nroom_events = 0\nkeep_events = 100000\nkeep_bytes = 64M\n" \
    "[log]\nlevel = trace\n"
#define OF_50                                        \
    "[history]\nroom_events = 0\nkeep_events = 50\n" \
    "[log]\nlevel = trace\n"

static struct daemon d;
static struct peer ann, bob;
static struct session_token ann_token, bob_token;

static const char *const rooms[] = {"#lobby", "#tea", "#cake"};

static void
join_rooms(struct peer *p)
{
    peer_send(p, "/join #tea\n/join #cake\n");
    peer_await(p, "* You are in #cake");
}

static void
two_come(const char *config)
{
    daemon_start_lingering(&d, config);
    session_join(&ann, d.port, "ann", &ann_token);
    join_rooms(&ann);
    session_join(&bob, d.port, "bob", &bob_token);
    join_rooms(&bob);
    peer_await(&ann, "* bob joined #cake.");
    peer_expect_silence(&bob);
    session_await_settled(&d);
}

static void
two_go(void)
{
    session_quit(&bob, "bob");
    peer_await(&ann, "* bob quit.");
    session_quit(&ann, "ann");
    session_stop(&d);
}

static void
lose_bob(void)
{
    peer_reset(&bob);
    peer_await(&ann, "* bob is away (reconnecting).");
}

static void
bob_comes_back(unsigned count, unsigned missed)
{
    session_ask_back(&bob, d.port, &bob_token);
    session_expect_welcome(&bob, "bob", count, missed, &bob_token);
    for (size_t i = 0; i < 3; i++)
        peer_expect_start(&bob, "* You are in #");
}

static void
expect_that_is_all(void)
{
    session_expect_that_is_all(&bob, "#cake");
}

static void
broadcast(const char *text)
{
    char request[96];

    snprintf(request, sizeof(request),
             "{\"command\":\"broadcast\",\"args\":[\"%s\"]}", text);
    free(daemon_ask(&d, request));
}

/* -- all there is --------------------------------------------------------- */

/* One of each kind, told in the words in which it would have come. */
START_TEST(whatever_happened_comes_in_its_order)
{
    static const char *const told[] = {
        "<ann> in the cake",
        "[#lobby] <ann> in the lobby",
        "[private] <ann> to you alone",
        "* Operator: to all",
        "* ann set the topic of #tea: green",
        "* dan joined #lobby.",
        "* dan is now known as dora.",
        "* dora is away (shopping).",
        "* dora is back.",
        "* dora joined #tea.",
        "* dora left #tea (too hot).",
        "* dora quit (good night).",
        "[#lobby] * ann yawns",
        "[private] <ann> not yet",
        "* ann cleared the topic of #tea.",
    };
    struct session_token dan_token;
    struct peer dan;

    two_come(LARGE);
    lose_bob();
    peer_send(&ann, "in the cake\n/switch #lobby\nin the lobby\n"
                    "/msg bob to you alone\n");
    peer_await(&ann, "* bob is away (reconnecting) and gets it");
    broadcast("to all");
    peer_await(&ann, "* Operator: to all");
    peer_send(&ann, "/topic #tea green\n");
    peer_await(&ann, "* ann set the topic of #tea");
    session_join(&dan, d.port, "dan", &dan_token);
    peer_send(&dan, "/nick dora\n/away shopping\n/back\n/join #tea\n"
                    "/part #tea too hot\n");
    peer_await(&dan, "* You left #tea.");
    peer_await(&dan, "* You are talking in #lobby now.");
    peer_send(&dan, "/quit good night\n");
    peer_await(&dan, "* Goodbye, dora.");
    peer_close(&dan);
    peer_await(&ann, "* dora quit (good night).");
    peer_send(&ann, "/me yawns\n");
    peer_send(&ann, "/msg bob not yet\n/topic #tea -\n");
    peer_await(&ann, "* ann cleared the topic of #tea.");

    bob_comes_back(15, 0);
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
        session_expect_missed(&bob, "%s", told[i]);
    expect_that_is_all();
    peer_expect_silence(&bob);
    two_go();
}
END_TEST

START_TEST(none_one_and_many_are_counted)
{
    two_come(LARGE);
    for (unsigned n = 0; n < 5; n++) {
        lose_bob();
        for (unsigned k = 0; k < n; k++)
            peer_send(&ann, "%u of %u\n", k, n);
        peer_expect_silence(&ann);
        bob_comes_back(n, 0);
        for (unsigned k = 0; k < n; k++)
            session_expect_missed(&bob, "<ann> %u of %u", k, n);
        expect_that_is_all();
        peer_await(&ann, "* bob is back.");
    }
    two_go();
}
END_TEST

/* What others do not get either: it had lost nothing yet when it joined. */
START_TEST(what_was_said_before_it_came_is_not_told)
{
    struct session_token eve_token;
    struct peer eve;

    two_come(LARGE);
    peer_send(&ann, "before eve came\n/msg bob not hers\n");
    broadcast("old news");
    peer_await(&ann, "* Operator: old news");
    session_join(&eve, d.port, "eve", &eve_token);
    peer_send(&eve, "/join #cake\n");
    peer_await(&eve, "* You are in #cake");
    peer_send(&eve, "said by eve\n");
    peer_expect_silence(&eve);
    peer_reset(&eve);
    peer_await(&ann, "* eve is away (reconnecting).");

    session_come_back(&eve, d.port, "eve", &eve_token, 0, 2);
    session_expect_that_is_all(&eve, "#cake");
    session_quit(&eve, "eve");
    peer_await(&bob, "* eve quit.");
    two_go();
}
END_TEST

/* Number `n` is said in a room that follows from it. */
static const char *
room_of(unsigned n)
{
    return rooms[(n * 2654435761u >> 16) % 3];
}

static void
say_numbers(unsigned from, unsigned to)
{
    const char *in = "";
    char *const text = malloc((size_t)(to - from) * 48 + 1);
    size_t len = 0;

    ck_assert_ptr_nonnull(text);
    for (unsigned n = from; n < to; n++) {
        if (room_of(n) != in)
            len += (size_t)sprintf(text + len, "/switch %s\n", room_of(n));
        in = room_of(n);
        len += (size_t)sprintf(text + len, "number %u\n", n);
        if (n % 10 == 0)
            len += (size_t)sprintf(text + len, "/msg bob number %u\n", ++n);
    }
    peer_send_bytes(&ann, text, len);
    free(text);
    peer_send(&ann, "/nick ann\n");
    peer_await(&ann, "* You are known as ann already");
}

/* In `line`, whatever is before it. */
static void
expect_number(const char *line, unsigned n)
{
    char end[32];
    const size_t len = (size_t)snprintf(end, sizeof(end), "> number %u", n);

    if (strlen(line) < len || strcmp(line + strlen(line) - len, end) != 0)
        e2e_fail("expected: %s\nthere is: %s", end, line);
}

START_TEST(thousands_in_three_rooms_come_in_one_order)
{
    const unsigned count = 3001;

    two_come(LARGE "[session]\ndirect_events = 1000\n");
    lose_bob();
    say_numbers(0, count);
    bob_comes_back(count + 1, 0);
    for (unsigned n = 0; n <= count; n++)
        expect_number(peer_take(&bob), n);
    expect_that_is_all();
    two_go();
}
END_TEST

/* It goes on talking while bob reads: neither a hole nor a double where what
 * was missed ends and what happens begins. */
START_TEST(what_happens_meanwhile_follows_what_was_missed)
{
    unsigned said = 0;

    two_come(LARGE "[session]\ndirect_events = 10000\n");
    for (unsigned round = 0; round < 5; round++) {
        unsigned heard = said;

        lose_bob();
        say_numbers(said, said + 1000);
        said += 1000;
        session_ask_back(&bob, d.port, &bob_token);
        for (unsigned k = 0; k < 20; k++, said += 50)
            say_numbers(said, said + 50);
        peer_await(&bob, "* Welcome back, bob.");
        ck_assert(session_find_token(peer_take(&bob), &bob_token));
        for (size_t i = 0; i < 3; i++)
            peer_expect_start(&bob, "* You are in #");
        while (heard < said)
            if (strncmp(peer_take(&bob), "* That is all.", 14) != 0)
                expect_number(bob.line, heard++);
        peer_send(&bob, "/topic #lobby\n");
        peer_await(&bob, "#lobby has no topic");
    }
    two_go();
}
END_TEST

/* Lost again while it reads: it goes on where it was. */
START_TEST(who_is_lost_while_catching_up_goes_on_where_it_was)
{
    const unsigned count = 2001;
    unsigned heard = 0;

    two_come(LARGE "[session]\ndirect_events = 1000\n");
    lose_bob();
    say_numbers(0, count);
    for (unsigned round = 0; heard <= count; round++) {
        const unsigned stop = heard + 1 + round * 37 % 200;

        e2e_scene("round %u, from %u on", round, heard);
        bob_comes_back(count + 1 - heard, 0);
        while (heard < stop && heard <= count)
            expect_number(peer_take(&bob), heard++);
        session_cut(&bob);
        while (peer_has_more(&bob) &&
               strncmp(peer_take(&bob), "* That is all.", 14) != 0)
            expect_number(bob.line, heard++);
        lose_bob();
    }
    bob_comes_back(0, 0);
    expect_that_is_all();
    two_go();
}
END_TEST

/* -- what cannot be had any more ------------------------------------------ */

START_TEST(what_the_logs_do_not_have_is_counted)
{
    two_come(OF_50);
    lose_bob();
    for (unsigned n = 0; n < 200; n++)
        peer_send(&ann, "cake %u\n", n);
    peer_send(&ann, "/switch #tea\n");
    for (unsigned n = 0; n < 30; n++)
        peer_send(&ann, "tea %u\n", n);
    peer_await(&ann, "* You are talking in #tea now.");
    peer_expect_silence(&ann);

    bob_comes_back(80, 150);
    for (unsigned n = 150; n < 200; n++)
        session_expect_missed(&bob, "<ann> cake %u", n);
    for (unsigned n = 0; n < 30; n++)
        session_expect_missed(&bob, "[#tea] <ann> tea %u", n);
    expect_that_is_all();

    /* The next time that is over. */
    lose_bob();
    bob_comes_back(0, 0);
    expect_that_is_all();
    two_go();
}
END_TEST

START_TEST(one_that_is_missed_is_one_message)
{
    two_come(OF_50);
    lose_bob();
    for (unsigned n = 0; n < 51; n++)
        peer_send(&ann, "cake %u\n", n);
    peer_expect_silence(&ann);
    bob_comes_back(50, 1);
    for (unsigned n = 1; n < 51; n++)
        session_expect_missed(&bob, "<ann> cake %u", n);
    expect_that_is_all();
    two_go();
}
END_TEST

/* What was sent and never acknowledged counts as well. */
START_TEST(what_was_on_its_way_and_left_the_logs_is_counted)
{
    two_come(OF_50);
    session_cut(&bob);
    for (unsigned n = 0; n < 20; n++)
        peer_send(&ann, "cake %u\n", n);
    peer_expect_silence(&ann);
    lose_bob();
    for (unsigned n = 20; n < 120; n++)
        peer_send(&ann, "cake %u\n", n);
    peer_expect_silence(&ann);

    bob_comes_back(50, 70);
    for (unsigned n = 70; n < 120; n++)
        session_expect_missed(&bob, "<ann> cake %u", n);
    expect_that_is_all();
    two_go();
}
END_TEST

/* Seen here: the same twice lost is not missed twice. */
START_TEST(what_was_missed_before_is_not_counted_again)
{
    two_come(OF_50);
    lose_bob();
    for (unsigned n = 0; n < 100; n++)
        peer_send(&ann, "cake %u\n", n);
    peer_expect_silence(&ann);
    bob_comes_back(50, 50);
    for (unsigned n = 50; n < 60; n++)
        session_expect_missed(&bob, "<ann> cake %u", n);
    session_cut(&bob);
    while (peer_has_more(&bob))
        peer_take(&bob); /* it came in one go */
    ck_assert_str_eq(bob.line, "* That is all. You are talking in #cake now.");
    lose_bob();
    for (unsigned n = 100; n < 160; n++)
        peer_send(&ann, "cake %u\n", n);
    peer_expect_silence(&ann);
    bob_comes_back(50, 10);
    for (unsigned n = 110; n < 160; n++)
        session_expect_missed(&bob, "<ann> cake %u", n);
    expect_that_is_all();
    two_go();
}
END_TEST

/* The logs go on while it reads, and take away what it was promised. */
START_TEST(what_leaves_the_logs_while_it_reads_is_counted)
{
    unsigned said = 0, heard = 0, last = 0, missed = 0;
    char line[1001];

    memset(line, 'x', 1000);
    line[1000] = '\0';
    two_come("[history]\nroom_events = 0\nkeep_events = 400\nkeep_bytes = 8M\n"
             "[limits]\nsendq = 64k\n");
    lose_bob();
    peer_connect_small(&bob, d.port, 4096);
    peer_send(&bob, "/resume %s\n", bob_token.text);
    peer_await(&bob, "* Welcome back, bob.");
    ck_assert(session_find_token(peer_take(&bob), &bob_token));
    while (daemon_census(&d, "behind") == 0) {
        for (unsigned n = 0; n < 50; n++)
            peer_send(&ann, "%u %s\n", said++, line);
        peer_send(&ann, "/topic #lobby\n");
        peer_await(&ann, "* #lobby has no topic.");
    }
    for (unsigned n = 0; n < 1000; n++)
        peer_send(&ann, "%u %s\n", said++, line);
    peer_expect_silence(&ann);

    while (strcmp(peer_take(&bob), "* You have caught up.") != 0) {
        const char *const at = strstr(bob.line, "<ann> ");
        unsigned number;

        (void)sscanf(bob.line, "* %u messages were missed", &missed);
        if (at == NULL || sscanf(at, "<ann> %u x", &number) != 1)
            continue;
        if (heard > 0 && number <= last)
            e2e_fail("after %u comes %u", last, number);
        last = number;
        heard++;
    }
    ck_assert_uint_eq(last, said - 1);
    ck_assert_uint_gt(missed, 0);
    ck_assert_uint_eq(heard + missed, said);
    ck_assert_uint_eq(daemon_census(&d, "missed"), missed);
    two_go();
}
END_TEST

START_TEST(of_many_announcements_the_newest_hundred_come)
{
    two_come(LARGE);
    lose_bob();
    for (unsigned n = 0; n < 130; n++) {
        char text[16];

        snprintf(text, sizeof(text), "news %u", n);
        broadcast(text);
    }
    bob_comes_back(100, 30);
    for (unsigned n = 30; n < 130; n++)
        session_expect_missed(&bob, "* Operator: news %u", n);
    expect_that_is_all();
    peer_await(&ann, "* Operator: news 129");
    two_go();
}
END_TEST

UNIT_MAIN("e2e/session_missed", whatever_happened_comes_in_its_order,
          none_one_and_many_are_counted,
          what_was_said_before_it_came_is_not_told,
          thousands_in_three_rooms_come_in_one_order,
          what_happens_meanwhile_follows_what_was_missed,
          who_is_lost_while_catching_up_goes_on_where_it_was,
          what_the_logs_do_not_have_is_counted,
          one_that_is_missed_is_one_message,
          what_was_on_its_way_and_left_the_logs_is_counted,
          what_was_missed_before_is_not_counted_again,
          what_leaves_the_logs_while_it_reads_is_counted,
          of_many_announcements_the_newest_hundred_come)
