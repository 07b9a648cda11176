/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who reads too slowly holds up nobody: its queue is dropped, and it gets what
 * it missed from the logs when it reads on; or is told how much that was. Who
 * reads nothing at all is closed, and may come back.
 *
 * ann speaks without end, fast hears every word at once, and slow does not
 * read. Each line has 1000 bytes and a number, so that little makes much.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/daemon.h"
#include "support/peer.h"
#include "support/session.h"
#include "support/unit.h"

#define SMALL   4096
#define BURST   50u
#define PADDING 1000
#define SMALL_Q "[limits]\nsendq = 64k\n"
#define LARGE \
    "[history]\nroom_events = 0\nkeep_events = 100000\nkeep_bytes = 256M\n"
#define OF_500 "[history]\nroom_events = 0\nkeep_events = 500\n"

#define BEHIND                                                              \
    "* You are reading too slowly; what you have not got yet follows when " \
    "you have read this."

static struct daemon d;
static struct peer ann, fast, slow;
static struct session_token ann_token, fast_token, slow_token;
static char padding[PADDING + 1];
static unsigned said;

static void
three_come(const char *config)
{
    said = 0;
    memset(padding, 'x', PADDING);
    daemon_start_lingering(&d, config);
    session_join(&ann, d.port, "ann", &ann_token);
    session_join(&fast, d.port, "fast", &fast_token);
    peer_expect(&ann, "* fast joined #lobby.");
    peer_connect_small(&slow, d.port, SMALL);
    session_enter(&slow, "slow", &slow_token);
    peer_expect(&ann, "* slow joined #lobby.");
    peer_expect(&fast, "* slow joined #lobby.");
}

static void
two_go(void)
{
    peer_expect_silence(&ann);
    peer_expect_silence(&fast);
    session_quit(&fast, "fast");
    peer_expect(&ann, "* fast quit.");
    session_quit(&ann, "ann");
    session_stop(&d);
}

static void
three_go(void)
{
    session_quit(&slow, "slow");
    peer_expect(&ann, "* slow quit.");
    peer_expect(&fast, "* slow quit.");
    two_go();
}

/* fast hears them all before ann goes on: it waits for nobody. */
static void
say(unsigned count)
{
    for (unsigned n = 0; n < count; n++)
        peer_send(&ann, "%u %s\n", said + n, padding);
    for (unsigned n = 0; n < count; n++)
        peer_expect(&fast, "<ann> %u %s", said + n, padding);
    said += count;
}

static void
say_until_behind(void)
{
    const uint64_t before = daemon_census(&d, "behind");

    while (daemon_census(&d, "behind") == before)
        say(BURST);
}

/* -- what slow reads ------------------------------------------------------ */

struct reading {
    unsigned next; /* number */
    unsigned told; /* of how many that were missed */
    bool is_behind;
    bool has_caught_up;
};

/* One line: a number in its turn, live or from the logs; or a notice. */
static void
read_line(struct reading *r, const char *line)
{
    const char *const at = strstr(line, "<ann> ");
    unsigned number, missed;

    if (strcmp(line, BEHIND) == 0) {
        r->is_behind = true;
    } else if (strcmp(line, "* You have caught up.") == 0 ||
               strncmp(line, "* That is all.", 14) == 0) {
        r->has_caught_up = true;
    } else if (sscanf(line, "* %u messages were missed and", &missed) == 1) {
        r->told += missed;
    } else if (at == NULL || (at != line && at != line + 6) ||
               sscanf(at, "<ann> %u x", &number) != 1 ||
               strlen(strchr(at + 6, ' ') + 1) != PADDING) {
        e2e_fail("what is: %s", line);
    } else if (number < r->next) {
        e2e_fail("%u comes again, or too late, at %u", number, r->next);
    } else {
        r->next = number + 1;
    }
}

/* In small bites, until it has caught up and heard all. */
static unsigned
read_all(struct reading *r)
{
    unsigned heard = 0;

    while (!r->has_caught_up || r->next < said) {
        const unsigned before = r->next;

        while (!peer_has_more(&slow))
            if (peer_receive_some(&slow, 1024) == 0)
                e2e_fail("the server closed at %u of %u", r->next, said);
        read_line(r, peer_take(&slow));
        heard += r->next != before;
    }
    return heard;
}

/* -- it reads on ---------------------------------------------------------- */

START_TEST(who_reads_on_gets_everything_once_and_in_order)
{
    three_come(SMALL_Q LARGE);
    for (unsigned round = 0; round < 4; round++) {
        struct reading r = {.next = said};
        const unsigned from = said;

        e2e_scene("round %u", round);
        say_until_behind();
        say(10 * BURST);
        ck_assert_uint_eq(read_all(&r), said - from);
        ck_assert(r.is_behind);
        ck_assert_uint_eq(r.told, 0);
        peer_expect_silence(&slow);
    }
    ck_assert_uint_eq(daemon_census(&d, "missed"), 0);
    three_go();
}
END_TEST

/* It is spoken to while it catches up; there is no end until it is faster. */
START_TEST(who_is_spoken_to_while_catching_up_gets_that_too)
{
    struct reading r = {.next = 0};

    three_come(SMALL_Q LARGE);
    say_until_behind();
    for (unsigned n = 0; n < 100; n++) {
        say(10);
        for (unsigned k = 0; k < 15 && peer_has_more(&slow); k++)
            read_line(&r, peer_take(&slow));
    }
    (void)read_all(&r);
    ck_assert_uint_eq(r.next, said);
    ck_assert_uint_eq(r.told, 0);
    three_go();
}
END_TEST

START_TEST(what_the_logs_have_no_more_is_counted)
{
    three_come(SMALL_Q OF_500);
    for (unsigned round = 0; round < 3; round++) {
        struct reading r = {.next = said};
        const unsigned from = said;
        unsigned heard;

        e2e_scene("round %u", round);
        say_until_behind();
        say(20 * BURST);
        heard = read_all(&r);
        ck_assert_uint_gt(r.told, 0);
        ck_assert_uint_eq(heard + r.told, said - from);
        peer_expect_silence(&slow);
    }
    three_go();
}
END_TEST

/* What it asks for is answered behind what it missed. */
START_TEST(what_it_says_while_behind_is_carried_out_when_it_has_caught_up)
{
    struct reading r = {.next = 0};

    three_come(SMALL_Q LARGE);
    say_until_behind();
    peer_send(&slow, "I am slow\n/msg fast very\n/topic #lobby\n");
    say(BURST);
    (void)read_all(&r);
    peer_expect(&slow, "* #lobby has no topic.");
    peer_expect(&ann, "<slow> I am slow");
    peer_expect(&fast, "<slow> I am slow");
    peer_expect(&fast, "[private] <slow> very");
    three_go();
}
END_TEST

START_TEST(a_private_message_to_one_that_is_behind_arrives_in_its_place)
{
    three_come(SMALL_Q LARGE);
    say_until_behind();
    peer_send(&ann, "/msg slow in between\n");
    say(2 * BURST);
    for (unsigned n = 0; n < said;) {
        const char *const line = peer_take(&slow);

        if (strstr(line, "[private] <ann> in between") != NULL) {
            ck_assert_uint_eq(n, said - 2 * BURST);
            break;
        }
        n += strstr(line, "<ann> ") != NULL;
        ck_assert_uint_le(n, said - 2 * BURST);
    }
    peer_await(&slow, "* You have caught up.");
    session_await_settled(&d);
    ck_assert_uint_eq(daemon_census(&d, "kept_events"), 0);
    three_go();
}
END_TEST

/* -- it does not ---------------------------------------------------------- */

/* What its TCP acknowledged it has read; the rest comes with resume. The wire
 * is cut because the kernel goes on sending what it had taken, after close(2):
 * whoever reads that as well gets it twice (see test_session_plain.c). */
START_TEST(who_reads_nothing_is_closed_and_may_come_back)
{
    struct reading r = {.next = 0};

    three_come(SMALL_Q LARGE "[timeouts]\nslow = 1s\n");
    say_until_behind();
    session_cut(&slow);
    peer_expect(&ann, "* slow is away (reconnecting).");
    peer_expect(&fast, "* slow is away (reconnecting).");
    ck_assert_uint_eq(daemon_census(&d, "ended_sendq"), 1);
    say(BURST);

    while (peer_has_more(&slow))
        read_line(&r, peer_take(&slow));
    peer_reset(&slow);
    ck_assert_uint_lt(r.next, said);
    session_ask_back(&slow, d.port, &slow_token);
    peer_await(&slow, "* Welcome back, slow. ");
    ck_assert(session_find_token(peer_take(&slow), &slow_token));
    peer_expect_start(&slow, "* You are in #lobby");
    (void)read_all(&r);
    peer_expect(&ann, "* slow is back.");
    peer_expect(&fast, "* slow is back.");
    ck_assert_uint_eq(daemon_census(&d, "missed"), 0);
    three_go();
}
END_TEST

/* Who reads a little now and then is not closed. */
START_TEST(who_reads_a_little_is_not_closed)
{
    struct reading r = {.next = 0};
    uint64_t until_ms;

    three_come(SMALL_Q LARGE "[timeouts]\nslow = 2s\n");
    say_until_behind();
    until_ms = now_ms() + 6000;
    while (now_ms() < until_ms) {
        say(1);
        for (unsigned k = 0; k < 5 && peer_has_more(&slow); k++)
            read_line(&r, peer_take(&slow));
    }
    ck_assert_uint_eq(daemon_census(&d, "ended_sendq"), 0);
    (void)read_all(&r);
    three_go();
}
END_TEST

/* Not another word goes to it: it would have to read all before. */
START_TEST(who_is_kicked_while_behind_is_told_so)
{
    struct reading r = {.next = 0};

    three_come(SMALL_Q LARGE);
    say_until_behind();
    free(daemon_ask(&d, "{\"command\":\"kick\",\"args\":[\"slow\"]}"));
    peer_expect(&ann, "* slow quit (kicked).");
    peer_expect(&fast, "* slow quit (kicked).");
    while (strcmp(peer_take(&slow), "* An operator ended your session.") != 0)
        read_line(&r, slow.line);
    peer_expect_end(&slow, false);
    peer_close(&slow);
    session_expect_dead(d.port, &slow_token);
    two_go();
}
END_TEST

START_TEST(who_quits_while_behind_gets_all_before_the_goodbye)
{
    struct reading r = {.next = 0};

    three_come(SMALL_Q LARGE);
    say_until_behind();
    peer_send(&slow, "/quit enough\n");
    say(BURST);
    while (strcmp(peer_take(&slow), "* Goodbye, slow.") != 0)
        read_line(&r, slow.line);
    ck_assert_uint_eq(r.next, said);
    peer_expect_end(&slow, false);
    peer_close(&slow);
    peer_expect(&ann, "* slow quit (enough).");
    peer_expect(&fast, "* slow quit (enough).");
    session_expect_dead(d.port, &slow_token);
    two_go();
}
END_TEST

START_TEST(who_is_lost_while_behind_goes_on_where_it_was)
{
    three_come(SMALL_Q LARGE);
    for (unsigned round = 0; round < 3; round++) {
        struct reading r = {.next = said};

        e2e_scene("round %u", round);
        say_until_behind();
        if (round == 1) { /* in the middle of catching up */
            const unsigned half = (r.next + said) / 2;

            while (r.next < half)
                read_line(&r, peer_take(&slow));
        }
        session_cut(&slow);
        while (peer_has_more(&slow))
            read_line(&r, peer_take(&slow));
        peer_reset(&slow);
        peer_expect(&ann, "* slow is away (reconnecting).");
        peer_expect(&fast, "* slow is away (reconnecting).");
        say(BURST);

        r.has_caught_up = false;
        peer_connect_small(&slow, d.port, SMALL);
        peer_send(&slow, "/resume %s\n", slow_token.text);
        peer_await(&slow, "* Welcome back, slow. ");
        ck_assert(session_find_token(peer_take(&slow), &slow_token));
        peer_expect_start(&slow, "* You are in #lobby");
        (void)read_all(&r);
        peer_expect(&ann, "* slow is back.");
        peer_expect(&fast, "* slow is back.");
        peer_expect_silence(&slow);
    }
    ck_assert_uint_eq(daemon_census(&d, "missed"), 0);
    three_go();
}
END_TEST

UNIT_MAIN("e2e/session_slow", who_reads_on_gets_everything_once_and_in_order,
          who_is_spoken_to_while_catching_up_gets_that_too,
          what_the_logs_have_no_more_is_counted,
          what_it_says_while_behind_is_carried_out_when_it_has_caught_up,
          a_private_message_to_one_that_is_behind_arrives_in_its_place,
          who_reads_nothing_is_closed_and_may_come_back,
          who_reads_a_little_is_not_closed,
          who_is_kicked_while_behind_is_told_so,
          who_quits_while_behind_gets_all_before_the_goodbye,
          who_is_lost_while_behind_goes_on_where_it_was)
