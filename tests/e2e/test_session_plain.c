/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What holds for a client that says nothing of what it has had: its TCP speaks
 * for it. An event is had when its last byte was acknowledged before the
 * connection was lost. Of those,
 *
 *  1. what was not had comes again, and nothing else does;
 *  2. so nothing is lost but what the client's kernel had and the client did
 *     not read;
 *  3. so nothing comes twice but what the client read before the server knew:
 *     an acknowledgement was delayed or on its way, or the kernel of the server
 *     went on sending after the connection was given up. That is the end of
 *     what it heard, without a hole.
 *
 * The first two are shown exactly, with a wire that is cut at a known byte; the
 * third with resets at random.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/daemon.h"
#include "support/peer.h"
#include "support/session.h"
#include "support/unit.h"

#define SMALL 4096
#define LARGE \
    "[history]\nroom_events = 0\nkeep_events = 100000\nkeep_bytes = 256M\n"

static struct daemon d;
static struct peer ann, bob;
static struct session_token ann_token, bob_token;
static unsigned said;
static unsigned seed;

static void
two_come(const char *config)
{
    said = 0;
    seed = 11;
    daemon_start_lingering(&d, config);
    session_join(&ann, d.port, "ann", &ann_token);
    session_join(&bob, d.port, "bob", &bob_token);
    peer_expect(&ann, "* bob joined #lobby.");
}

static void
two_go(void)
{
    session_quit(&bob, "bob");
    peer_await(&ann, "* bob quit.");
    session_quit(&ann, "ann");
    session_stop(&d);
}

/* All lengths occur. */
static void
say(unsigned count)
{
    char padding[512];

    for (unsigned n = 0; n < count; n++) {
        const int len = (int)(said * 37 % 500);

        memset(padding, 'p', sizeof(padding));
        peer_send(&ann, "%u %.*s.\n", said++, len, padding);
    }
    peer_send(&ann, "/nick ann\n");
    peer_await(&ann, "* You are known as ann already");
}

/* The number in a line of ann's, or of the past; -1: it is a notice. A torn one
 * has not its length. */
static int
number_in(const char *line)
{
    const char *const at = strstr(line, "<ann> ");
    unsigned number;
    size_t len;

    if (at == NULL || sscanf(at, "<ann> %u ", &number) != 1)
        return -1;
    len = strlen(strchr(at + 6, ' ') + 1);
    if (len != number * 37 % 500 + 1)
        e2e_fail("torn: %s", line);
    return (int)number;
}

/* Reads what has come: numbers from `next` on. */
static unsigned
read_numbers(unsigned next)
{
    while (peer_has_more(&bob)) {
        const int number = number_in(peer_take(&bob));

        if (number >= 0 && (unsigned)number != next)
            e2e_fail("expected %u, there is: %s", next, bob.line);
        next += number >= 0;
    }
    return next;
}

/* Asks for the session, up to where what was missed begins. */
static void
ask_back(int receive_buffer)
{
    if (receive_buffer > 0)
        peer_connect_small(&bob, d.port, receive_buffer);
    else
        peer_connect(&bob, d.port);
    peer_send(&bob, "/resume %s\n", bob_token.text);
    peer_await(&bob, "* Welcome back, bob.");
    ck_assert(session_find_token(peer_take(&bob), &bob_token));
    peer_expect_start(&bob, "* You are in #lobby");
}

/* Reads what was missed, which ends with the last that was said. The first
 * number of it, or what comes next. */
static unsigned
read_missed(void)
{
    unsigned count = 0, next = said;

    while (strncmp(peer_take(&bob), "* That is all.", 14) != 0) {
        const int number = number_in(bob.line);

        if (number < 0 || (count > 0 && (unsigned)number != next))
            e2e_fail("expected %u, there is: %s", next, bob.line);
        next = (unsigned)number + 1;
        count++;
    }
    ck_assert_uint_eq(next, said);
    return said - count;
}

static unsigned
come_back(int receive_buffer)
{
    unsigned first;

    ask_back(receive_buffer);
    first = read_missed();
    peer_await(&ann, "* bob is back.");
    return first;
}

/* -- exactly -------------------------------------------------------------- */

/* The wire is cut between two events: one was acknowledged, one was not. */
START_TEST(what_was_acknowledged_does_not_come_again_and_all_else_does)
{
    unsigned had = 0;

    two_come(LARGE);
    for (unsigned round = 0; round < 30; round++) {
        e2e_scene("round %u", round);
        say(round % 7);
        while (had < said)
            had += number_in(peer_take(&bob)) >= 0;
        session_cut(&bob);
        had = read_numbers(had);
        ck_assert_uint_eq(had, said);
        say(round % 5);
        peer_reset(&bob);
        peer_await(&ann, "* bob is away (reconnecting).");
        say(round % 3);

        ck_assert_uint_eq(come_back(0), had);
        had = said;
    }
    ck_assert_uint_eq(daemon_census(&d, "missed"), 0);
    two_go();
}
END_TEST

/* It does not read, so TCP stops at any byte: the event that was cut in two was
 * not had, and comes whole. */
START_TEST(what_was_acknowledged_in_part_comes_again_whole)
{
    const unsigned rounds = e2e_scaled(20);
    unsigned had = 0, cut = 0;

    two_come(LARGE);
    peer_reset(&bob);
    peer_await(&ann, "* bob is away (reconnecting).");
    (void)come_back(SMALL);
    for (unsigned round = 0; round < rounds; round++) {
        e2e_scene("round %u", round);
        say(60 + round);
        session_cut(&bob);
        had = read_numbers(had);
        cut += bob.len > 0; /* the beginning of a line */
        ck_assert_uint_lt(had, said);
        peer_reset(&bob);
        peer_await(&ann, "* bob is away (reconnecting).");
        ck_assert_uint_eq(come_back(SMALL), had);
        had = said;
    }
    ck_assert_uint_gt(cut, 0);
    ck_assert_uint_eq(daemon_census(&d, "missed"), 0);
    two_go();
}
END_TEST

/* What the kernel has and nobody reads is had, as far as anybody can tell. */
START_TEST(what_only_the_kernel_has_read_counts_as_had)
{
    two_come(LARGE);
    say(10);
    session_await_settled(&d); /* acknowledged; nobody has read it */
    peer_reset(&bob);
    peer_await(&ann, "* bob is away (reconnecting).");
    say(3);
    ck_assert_uint_eq(come_back(0), 10);
    two_go();
}
END_TEST

/* -- at random ------------------------------------------------------------ */

enum loss {
    LOSS_BY_RST,
    LOSS_BY_FIN,
    LOSS_BY_TAKEOVER,
    LOSSES,
};

/* Reads to the end of the stream, as one that has time. */
static unsigned
read_to_the_end(unsigned heard)
{
    do {
        heard = read_numbers(heard);
    } while (peer_receive_some(&bob, 65536) > 0);
    return heard;
}

/* Reads what has come, as the system would give it, and is reset. */
static unsigned
be_reset(unsigned heard)
{
    wire_cut(bob.fd);
    heard = read_numbers(heard);
    peer_reset(&bob);
    peer_await(&ann, "* bob is away (reconnecting).");
    return heard;
}

static unsigned
be_closed(unsigned heard)
{
    peer_end_writing(&bob);
    heard = read_to_the_end(heard);
    peer_close(&bob);
    peer_await(&ann, "* bob is away (reconnecting).");
    return heard;
}

/* Its old conn reads on as long as something comes. */
static unsigned
be_replaced(unsigned heard)
{
    struct peer fresh, old = bob;

    ask_back(0);
    fresh = bob;
    bob = old;
    heard = read_to_the_end(heard);
    peer_close(&bob);
    bob = fresh;
    return heard;
}

/* bob hears something, is lost in some way and comes back. How many came
 * twice; none may be lost. */
static unsigned
lose_bob(unsigned *heard, enum loss how)
{
    const uint64_t until_ms = now_ms() + (uint64_t)rand_r(&seed) % 10;
    unsigned first, doubled;

    do {
        *heard = read_numbers(*heard);
    } while (now_ms() < until_ms);
    *heard = how == LOSS_BY_FIN   ? be_closed(*heard)
             : how == LOSS_BY_RST ? be_reset(*heard)
                                  : be_replaced(*heard);
    if (how == LOSS_BY_TAKEOVER) {
        first = read_missed();
    } else {
        say((unsigned)rand_r(&seed) % 10);
        first = come_back(0);
    }
    if (first > *heard)
        e2e_fail("%u to %u are lost", *heard, first - 1);
    doubled = *heard - first;
    *heard = said;
    return doubled;
}

START_TEST(at_random_nothing_is_lost_and_twice_comes_only_the_end)
{
    const unsigned rounds = e2e_scaled(200);
    unsigned heard = 0;
    unsigned doubled[LOSSES] = {0};

    two_come(LARGE);
    for (unsigned round = 0; round < rounds; round++) {
        const enum loss how = (enum loss)((unsigned)rand_r(&seed) % LOSSES);

        e2e_scene("round %u, loss %u", round, (unsigned)how);
        say((unsigned)rand_r(&seed) % 40);
        doubled[how] += lose_bob(&heard, how);
    }
    /* The FIN that answers ours was behind all, and we acknowledged it. */
    ck_assert_uint_eq(doubled[LOSS_BY_FIN], 0);
    ck_assert_uint_eq(daemon_census(&d, "missed"), 0);
    printf("%u said, %u losses; came twice: %u by RST, %u by takeover\n", said,
           rounds, doubled[LOSS_BY_RST], doubled[LOSS_BY_TAKEOVER]);
    two_go();
}
END_TEST

UNIT_MAIN("e2e/session_plain",
          what_was_acknowledged_does_not_come_again_and_all_else_does,
          what_was_acknowledged_in_part_comes_again_whole,
          what_only_the_kernel_has_read_counts_as_had,
          at_random_nothing_is_lost_and_twice_comes_only_the_end)
