/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The end of a client's stream is no more than that: everything in front of it
 * is carried out and answered, then the server closes, with a FIN behind its
 * last byte. And it is noticed at once, also from one who never said a word.
 */
#include <stdio.h>
#include <string.h>

#include "support/daemon.h"
#include "support/peer.h"
#include "support/swarm.h"
#include "support/unit.h"

#define LINES     100u
#define QUESTIONS 10u /* every tenth line is one */

static struct daemon d;

/* A nickname, LINES lines, and the end, all in one segment or a few. */
static void
pipeline(struct peer *p, unsigned n)
{
    char text[LINES * 64];
    size_t len = (size_t)sprintf(text, "p%u\n", n);

    for (unsigned i = 0; i < LINES; i++)
        len +=
            (size_t)sprintf(text + len,
                            i % (LINES / QUESTIONS) == 0 ? "/topic #lobby\n"
                                                         : "line %u of p%u\n",
                            i, n);
    peer_send_bytes(p, text, len);
    peer_end_writing(p);
}

/* Its own stream: welcome, a room, an answer to each question, the end. */
static void
expect_answers(struct peer *p)
{
    unsigned answers = 0;

    peer_await(p, "* Welcome to klatch");
    peer_expect_start(p, "* You are in #lobby: ");
    while (answers < QUESTIONS)
        if (strcmp(peer_take(p), "* #lobby has no topic.") == 0)
            answers++;
        else if (p->line[0] != '<' && strstr(p->line, " joined #") == NULL &&
                 strstr(p->line, " quit (") == NULL)
            e2e_fail("what is: %s", p->line);
}

static void
expect_lines(struct peer *witness, unsigned n)
{
    for (unsigned i = 0; i < LINES; i++)
        if (i % (LINES / QUESTIONS) != 0)
            peer_expect(witness, "<p%u> line %u of p%u", n, i, n);
}

START_TEST(a_hundred_lines_and_the_end_are_carried_out)
{
    const unsigned rounds = e2e_figure(300, 10000);
    struct peer witness, p;

    daemon_start(&d, "[history]\nroom_events = 0\n");
    peer_join(&witness, d.port, "witness");

    for (unsigned n = 0; n < rounds; n++) {
        e2e_scene("round %u", n);
        if (n % 4 == 3)
            peer_connect_unix(&p, d.socket);
        else
            peer_connect(&p, d.port);
        pipeline(&p, n);
        peer_expect(&witness, "* p%u joined #lobby.", n);
        expect_lines(&witness, n);
        peer_expect(&witness, "* p%u quit (connection closed).", n);
        expect_answers(&p);
        peer_expect_end(&p, false);
        peer_close(&p);
    }
    peer_close(&witness);
    daemon_stop(&d);
}
END_TEST

/* The same from many at once: the lines of each are heard in its order. */
#define TOGETHER 20u

static void
hear_together(struct peer *witness, unsigned first)
{
    unsigned next[TOGETHER] = {0};
    unsigned quits = 0;

    while (quits < TOGETHER) {
        unsigned who, line, again;

        peer_take(witness);
        if (sscanf(witness->line, "<p%u> line %u of p%u", &who, &line,
                   &again) == 3) {
            who -= first;
            if (next[who] % (LINES / QUESTIONS) == 0)
                next[who]++;
            ck_assert_uint_eq(line, next[who]);
            next[who]++;
        } else if (sscanf(witness->line, "* p%u quit (connection closed).",
                          &who) == 1 &&
                   strstr(witness->line, "quit") != NULL) {
            ck_assert_uint_eq(next[who - first], LINES);
            quits++;
        } else {
            ck_assert_ptr_nonnull(strstr(witness->line, " joined #lobby."));
        }
    }
}

START_TEST(many_ends_at_once_keep_their_lines_apart)
{
    const unsigned rounds = e2e_figure(10, 500);
    static struct peer p[TOGETHER];
    struct peer witness;

    daemon_start(&d, "[history]\nroom_events = 0\n");
    peer_join(&witness, d.port, "witness");

    for (unsigned r = 0; r < rounds; r++) {
        for (unsigned i = 0; i < TOGETHER; i++)
            peer_connect(&p[i], d.port);
        for (unsigned i = 0; i < TOGETHER; i++)
            pipeline(&p[i], r * TOGETHER + i);
        hear_together(&witness, r * TOGETHER);
        for (unsigned i = 0; i < TOGETHER; i++) {
            expect_answers(&p[i]);
            while (p[i].len > 0) /* what others said meanwhile */
                peer_take(&p[i]);
            peer_close(&p[i]);
        }
    }
    peer_close(&witness);
    daemon_stop(&d);
}
END_TEST

START_TEST(a_last_line_without_its_ending_is_dropped)
{
    struct peer witness, p;

    daemon_start(&d, NULL);
    peer_join(&witness, d.port, "witness");
    peer_join(&p, d.port, "p");
    peer_expect(&witness, "* p joined #lobby.");

    peer_send(&p, "whole\nhalf");
    peer_end_writing(&p);

    peer_expect(&witness, "<p> whole");
    peer_expect(&witness, "* p quit (connection closed).");
    peer_expect_silence(&witness);
    peer_expect_end(&p, false);
    peer_close(&p);
    peer_close(&witness);
    daemon_stop(&d);
}
END_TEST

START_TEST(an_end_before_the_nickname_is_an_end)
{
    struct peer p;

    daemon_start(&d, NULL);

    peer_connect_unix(&p, d.socket);
    peer_expect_bytes(&p, "Nickname: ");
    peer_end_writing(&p);
    peer_expect_end(&p, false);
    peer_close(&p);
    daemon_await_log(&d, "reason=eof");
    daemon_stop(&d);
}
END_TEST

/* -- many who never said a word -------------------------------------------- */

#define SILENT  1000u
#define TOLD_MS 1000u

static unsigned silent;
static unsigned in_count;

static void
on_line(void *arg, size_t i, const char *line)
{
    if (strncmp(line, "* You are in #lobby", 19) == 0)
        in_count++;
}

static bool
all_are_in(void *arg)
{
    return in_count == silent;
}

START_TEST(the_end_of_a_thousand_silent_ones_is_told_within_a_second)
{
    struct swarm swarm;
    struct peer witness;
    uint64_t began_ms, took_ms;

    silent = e2e_scaled(SILENT);
    daemon_start(&d, "[history]\nroom_events = 0\n");
    swarm_init(&swarm, silent, on_line, NULL);
    swarm_connect(&swarm, 0, silent, d.port);
    for (unsigned i = 0; i < silent; i++)
        swarm_send(&swarm, i, "q%u\n", i);
    swarm_run_until(&swarm, all_are_in, NULL, "all to be in");
    peer_join(&witness, d.port, "witness");

    began_ms = now_ms();
    for (unsigned i = 0; i < silent; i++)
        swarm_close(&swarm, i);
    for (unsigned i = 0; i < silent; i++)
        ck_assert_ptr_nonnull(strstr(peer_take(&witness), " quit ("));
    took_ms = now_ms() - began_ms;
    e2e_measured("the end of %u silent ones was told after %u ms", silent,
                 (unsigned)took_ms);
    ck_assert_uint_lt(took_ms, e2e_patience_ms(TOLD_MS));

    peer_expect_silence(&witness);
    peer_close(&witness);
    swarm_fini(&swarm);
    daemon_stop(&d);
}
END_TEST

UNIT_MAIN("e2e/eof", a_hundred_lines_and_the_end_are_carried_out,
          many_ends_at_once_keep_their_lines_apart,
          a_last_line_without_its_ending_is_dropped,
          an_end_before_the_nickname_is_an_end,
          the_end_of_a_thousand_silent_ones_is_told_within_a_second)
