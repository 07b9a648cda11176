/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tokens, and who takes over from whom: a token works once and a fresh one
 * follows; the old one is good until the fresh one is known to have come, and
 * not longer; of all who ask at once one has the session in the end.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/daemon.h"
#include "support/peer.h"
#include "support/session.h"
#include "support/unit.h"

#define TAKERS 10u
#define SMALL  4096

#define REPLACED "* Your session goes on in another connection. Goodbye."

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
two_go(void)
{
    session_quit(&bob, "bob");
    peer_expect(&ann, "* bob quit.");
    session_quit(&ann, "ann");
    session_stop(&d);
}

static void
lose_bob(void)
{
    peer_reset(&bob);
    peer_expect(&ann, "* bob is away (reconnecting).");
}

static void
bob_comes_back(const struct session_token *with)
{
    bob_token = *with;
    session_come_back(&bob, d.port, "bob", &bob_token, 0, 1);
    session_expect_that_is_all(&bob, "#lobby");
    peer_expect(&ann, "* bob is back.");
}

/* -- once ----------------------------------------------------------------- */

START_TEST(a_token_works_once_and_a_fresh_one_follows)
{
    struct session_token used[4];

    two_come("");
    for (unsigned n = 0; n < 4; n++) {
        used[n] = bob_token;
        lose_bob();
        bob_comes_back(&bob_token);
        session_await_settled(&d); /* it has the fresh one */
        for (unsigned k = 0; k <= n; k++)
            session_expect_dead(d.port, &used[k]);
    }
    /* Not while it is away either. */
    lose_bob();
    for (unsigned k = 0; k < 4; k++)
        session_expect_dead(d.port, &used[k]);
    bob_comes_back(&bob_token);
    two_go();
}
END_TEST

/* Others write it otherwise, and as one reads it aloud. */
START_TEST(a_token_is_read_in_any_case_without_hyphens_and_with_o_for_0)
{
    struct session_token other;

    two_come("");
    for (unsigned n = 0; n < 8; n++) {
        size_t len = 0;

        lose_bob();
        for (const char *c = bob_token.text; *c != '\0'; c++) {
            const bool is_small = *c >= 'a' && *c <= 'z';

            if (*c == '-' && n % 2 == 0)
                continue;
            other.text[len++] = *c == '0'               ? 'O'
                                : *c == '1'             ? 'l'
                                : is_small && n % 4 < 2 ? (char)(*c - 32)
                                                        : *c;
        }
        other.text[len] = '\0';
        bob_comes_back(&other);
    }
    two_go();
}
END_TEST

START_TEST(what_is_no_token_is_told_what_to_do)
{
    static const char *const wrong[] = {"7h2k",
                                        "7h2k-m3qd-9xw4-t0ae-5vbn-2c8r-7h2k",
                                        "u",
                                        "7h2k-m3qd-9xw4-t0ae-5vbn-2c8",
                                        "7h2k m3qd 9xw4 t0ae 5vbn 2c8r",
                                        "bob",
                                        "-",
                                        "%s%s%n",
                                        ""};
    struct session_token strange;
    struct peer p;

    two_come("");
    lose_bob();
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        peer_connect(&p, d.port);
        peer_send(&p, "/resume %s\n", wrong[i]);
        peer_expect(&p, "Nickname: * That is no token; please type it as it "
                        "was shown to you, or choose a nickname.");
        peer_expect_bytes(&p, "Nickname: ");
        peer_close(&p);
    }
    /* One digit is wrong, at each place. */
    for (size_t i = 0; bob_token.text[i] != '\0'; i++) {
        strange = bob_token;
        if (strange.text[i] == '-')
            continue;
        strange.text[i] = strange.text[i] == 'a' ? 'b' : 'a';
        session_expect_dead(d.port, &strange);
    }
    bob_comes_back(&bob_token);

    /* Who has a session needs none. */
    peer_send(&bob, "/resume %s\n", bob_token.text);
    peer_expect(&bob, "* You have a session already; /resume is for a new "
                      "connection, in place of a nickname.");
    two_go();
}
END_TEST

/* -- the fresh one does not come ------------------------------------------ */

/* Nothing of the answer is acknowledged: not the token, not what was missed. */
START_TEST(the_old_token_is_good_as_long_as_the_fresh_one_did_not_come)
{
    struct peer taker;

    two_come("");
    lose_bob();
    peer_send(&ann, "did you get this?\n");

    for (unsigned n = 1; n <= 5; n++) {
        e2e_scene("taker %u", n);
        peer_connect(&taker, d.port);
        peer_expect_bytes(&taker, "Nickname: ");
        session_cut(&taker);
        peer_send(&taker, "/resume %s\n", bob_token.text);
        peer_expect(&ann, "* bob is back.");
        peer_expect_silence(&ann);
        peer_reset(&taker);
        peer_expect(&ann, "* bob is away (reconnecting).");
    }
    session_come_back(&bob, d.port, "bob", &bob_token, 1, 1);
    session_expect_missed(&bob, "<ann> did you get this?");
    session_expect_that_is_all(&bob, "#lobby");
    peer_expect(&ann, "* bob is back.");
    two_go();
}
END_TEST

/* Sooner or later after /resume, with and without reading what comes. */
START_TEST(a_reset_right_behind_resume_leaves_a_token_that_works)
{
    const unsigned rounds = e2e_scaled(60);
    struct peer taker;

    two_come("");
    peer_send(&ann, "did you get this?\n");
    peer_expect(&bob, "<ann> did you get this?");
    peer_expect_silence(&bob);
    lose_bob();
    for (unsigned n = 0; n < rounds; n++) {
        e2e_scene("round %u", n);
        session_ask_back(&taker, d.port, &bob_token);
        if (n % 3 == 1)
            peer_expect_bytes(&taker, "Nickname: ");
        if (n % 3 == 2)
            session_expect_welcome(&taker, "bob", 0, 0, &bob_token);
        peer_reset(&taker);
        daemon_await_census(&d, "conns", 1);
    }
    session_come_back(&bob, d.port, "bob", &bob_token, 0, 1);
    session_expect_that_is_all(&bob, "#lobby");
    peer_send(&bob, "here I am\n");
    peer_await(&ann, "<bob> here I am");
    two_go();
}
END_TEST

/* An attempt that was given up comes late, and takes the session from who had
 * it back already: what that was told is good all the same. */
START_TEST(a_late_attempt_with_the_old_token_does_not_kill_the_fresh_one)
{
    struct session_token old;
    struct peer first, late;

    two_come("");
    peer_send(&bob, "/ack on\n"); /* so that nothing is confirmed by itself */
    peer_expect_start(&bob, "* What is said and done comes with its number");
    for (unsigned n = 0; n < 6; n++) {
        e2e_scene("round %u", n);
        lose_bob();
        old = bob_token;
        session_ask_back(&first, d.port, &old);
        peer_expect(&ann, "* bob is back.");
        session_come_back(&bob, d.port, "bob", &bob_token, 0, 1);
        session_expect_that_is_all(&bob, "#lobby");

        peer_connect(&late, d.port);
        peer_expect_bytes(&late, "Nickname: ");
        session_cut(&late);
        peer_send(&late, "/resume %s\n", old.text);
        peer_expect(&bob, REPLACED);
        peer_expect_end(&bob, false);
        peer_close(&bob);
        peer_close(&first);
        if (n % 2 != 0) {
            peer_reset(&late);
            peer_expect(&ann, "* bob is away (reconnecting).");
        }
        session_come_back(&bob, d.port, "bob", &bob_token, 0, 1);
        session_expect_that_is_all(&bob, "#lobby");
        if (n % 2 != 0)
            peer_expect(&ann, "* bob is back.");
        else
            peer_reset(&late);
    }
    two_go();
}
END_TEST

/* -- taking over ---------------------------------------------------------- */

START_TEST(who_takes_over_closes_the_old_conn_and_nobody_else_notices)
{
    struct peer fresh;

    two_come("");
    for (unsigned n = 0; n < 12; n++) { /* all pairs of workers */
        e2e_scene("takeover %u", n);
        session_come_back(&fresh, d.port, "bob", &bob_token, 0, 1);
        session_expect_that_is_all(&fresh, "#lobby");
        peer_expect(&bob, REPLACED);
        peer_expect_end(&bob, false);
        peer_close(&bob);
        bob = fresh;

        peer_send(&ann, "number %u\n", n);
        peer_expect(&bob, "<ann> number %u", n);
        peer_send(&bob, "answer %u\n", n);
        peer_expect(&ann, "<bob> answer %u", n);
    }
    peer_expect_silence(&ann);
    session_await_settled(&d);
    ck_assert_uint_eq(daemon_census(&d, "waiting"), 0);
    ck_assert_uint_eq(daemon_census(&d, "ended_replaced"), 12);
    two_go();
}
END_TEST

/* What it said before is carried out before the other goes on. */
START_TEST(what_the_old_conn_said_comes_before_what_the_new_one_says)
{
    struct peer fresh;

    two_come("");
    for (unsigned n = 0; n < 20; n++) {
        for (unsigned k = 0; k < 50; k++)
            peer_send(&bob, "old %u.%u\n", n, k);
        session_ask_back(&fresh, d.port, &bob_token);
        peer_send(&fresh, "new %u\n", n);
        session_expect_welcome(&fresh, "bob", 0, 0, &bob_token);
        peer_expect_start(&fresh, "* You are in #lobby");
        session_expect_that_is_all(&fresh, "#lobby");
        peer_close(&bob);
        bob = fresh;

        /* Its last lines may have come too late, but in no other order. */
        for (unsigned k = 0; strncmp(peer_take(&ann), "<bob> old", 9) == 0;
             k++) {
            char expected[32];

            snprintf(expected, sizeof(expected), "<bob> old %u.%u", n, k);
            ck_assert_str_eq(ann.line, expected);
        }
        if (strstr(ann.line, "<bob> new") == NULL)
            e2e_fail("ann heard: %s", ann.line);
    }
    two_go();
}
END_TEST

/* The old one does not read, and much waits for it. */
static void
stop_reading(unsigned *said)
{
    char line[1001];

    memset(line, 'x', 1000);
    line[1000] = '\0';
    while (daemon_census(&d, "behind") == 0) {
        for (unsigned n = 0; n < 50; n++)
            peer_send(&ann, "%u %s\n", (*said)++, line);
        peer_expect_silence(&ann);
    }
}

/* What its TCP has acknowledged, of "<ann> N xxx…"; half a line is none. */
static unsigned
read_numbers(struct peer *p)
{
    unsigned next = 0;

    while (peer_has_more(p)) {
        unsigned number;

        if (sscanf(peer_take(p), "<ann> %u x", &number) != 1)
            continue;
        if (number != next)
            e2e_fail("after %u comes %u", next, number);
        next++;
    }
    return next;
}

START_TEST(who_takes_over_from_one_that_reads_nothing_gets_the_rest)
{
    unsigned said = 0, heard;
    struct peer fresh;

    two_come("[limits]\nsendq = 64k\n[history]\nkeep_events = 100000\n"
             "keep_bytes = 64M\n");
    peer_connect_small(&fresh, d.port, SMALL);
    peer_send(&fresh, "/resume %s\n", bob_token.text);
    session_expect_welcome(&fresh, "bob", 0, 0, &bob_token);
    peer_await(&fresh, "* That is all.");
    peer_close(&bob);
    bob = fresh;
    stop_reading(&said);
    session_cut(&bob); /* or it would get more, which is nobody's then */

    session_ask_back(&fresh, d.port, &bob_token);
    peer_await(&fresh, "* Welcome back, bob. ");
    ck_assert(session_find_token(peer_take(&fresh), &bob_token));
    peer_expect_start(&fresh, "* You are in #lobby");
    heard = read_numbers(&bob);
    peer_reset(&bob);
    bob = fresh;
    for (; heard < said; heard++) {
        char start[32];

        snprintf(start, sizeof(start), "<ann> %u x", heard);
        if (strncmp(peer_take(&bob) + 6, start, strlen(start)) != 0)
            e2e_fail("expected: HH:MM %s\nthere is: %s", start, bob.line);
    }
    session_expect_that_is_all(&bob, "#lobby");
    two_go();
}
END_TEST

/* -- ten at once ---------------------------------------------------------- */

enum taker_state {
    TAKER_ASKS,
    TAKER_HAS_IT,
    TAKER_HAS_NOT, /* or not any more */
};

/* Reads what there is. */
static void
look_at_taker(struct peer *p, enum taker_state *state,
              struct session_token *token)
{
    while (*state != TAKER_HAS_NOT && peer_has_more(p)) {
        peer_take(p);
        (void)session_find_token(p->line, token);
        if (strncmp(p->line, "* That is all.", 14) == 0)
            *state = TAKER_HAS_IT;
        if (strcmp(p->line, REPLACED) == 0 ||
            strstr(p->line, "* No session waits for that token") != NULL)
            *state = TAKER_HAS_NOT;
    }
}

static unsigned
count_takers(const enum taker_state states[TAKERS], enum taker_state state)
{
    unsigned n = 0;

    for (size_t i = 0; i < TAKERS; i++)
        n += states[i] == state;
    return n;
}

static _Noreturn void
tell_takers(const struct peer takers[TAKERS],
            const enum taker_state states[TAKERS])
{
    static const char *const names[] = {"asks", "has it", "has not"};
    char text[1500];
    int len = 0;

    for (size_t i = 0; i < TAKERS; i++)
        len += snprintf(text + len, sizeof(text) - (size_t)len,
                        "%zu %s, last line: %.80s\n", i, names[states[i]],
                        takers[i].line != NULL ? takers[i].line : "none");
    e2e_fail("%s", text);
}

/* Who has it on the way to that is told when another takes it. The index. */
static size_t
await_winner(struct peer takers[TAKERS])
{
    const uint64_t deadline = now_ms() + e2e_patience_ms(20000);
    enum taker_state states[TAKERS] = {TAKER_ASKS};
    struct session_token tokens[TAKERS];
    size_t winner = 0;

    do {
        for (size_t i = 0; i < TAKERS; i++)
            look_at_taker(&takers[i], &states[i], &tokens[i]);
        if (now_ms() > deadline)
            tell_takers(takers, states);
    } while (count_takers(states, TAKER_HAS_IT) != 1 ||
             count_takers(states, TAKER_ASKS) != 0);
    while (states[winner] != TAKER_HAS_IT)
        winner++;
    bob_token = tokens[winner];
    return winner;
}

static void
ten_ask(bool one_stands)
{
    struct peer takers[TAKERS];
    size_t winner;

    for (size_t i = 0; i < TAKERS; i++)
        peer_connect(&takers[i], d.port);
    for (size_t i = 0; i < TAKERS; i++)
        peer_expect_bytes(&takers[i], "Nickname: ");
    for (size_t i = 0; i < TAKERS; i++)
        peer_send(&takers[i], "/resume %s\n", bob_token.text);
    if (one_stands) {
        peer_expect(&bob, REPLACED);
        peer_expect_end(&bob, false);
        peer_close(&bob);
    }
    winner = await_winner(takers);
    for (size_t i = 0; i < TAKERS; i++)
        if (i != winner)
            peer_close(&takers[i]);
    bob = takers[winner];
}

START_TEST(of_ten_who_ask_at_once_one_has_the_session)
{
    const unsigned rounds = e2e_scaled(20);

    two_come("");
    for (unsigned n = 0; n < rounds; n++) {
        e2e_scene("round %u", n);
        if (n % 2 == 0)
            lose_bob();
        ten_ask(n % 2 != 0);
        if (n % 2 == 0)
            peer_expect(&ann, "* bob is back.");
        peer_send(&ann, "number %u\n", n);
        peer_expect(&bob, "<ann> number %u", n);
        peer_send(&bob, "answer %u\n", n);
        peer_expect(&ann, "<bob> answer %u", n);
        daemon_await_census(&d, "conns", 2);
        ck_assert_uint_eq(daemon_census(&d, "sessions"), 2);
    }
    two_go();
}
END_TEST

UNIT_MAIN("e2e/session_token", a_token_works_once_and_a_fresh_one_follows,
          a_token_is_read_in_any_case_without_hyphens_and_with_o_for_0,
          what_is_no_token_is_told_what_to_do,
          the_old_token_is_good_as_long_as_the_fresh_one_did_not_come,
          a_reset_right_behind_resume_leaves_a_token_that_works,
          a_late_attempt_with_the_old_token_does_not_kill_the_fresh_one,
          who_takes_over_closes_the_old_conn_and_nobody_else_notices,
          what_the_old_conn_said_comes_before_what_the_new_one_says,
          who_takes_over_from_one_that_reads_nothing_gets_the_rest,
          of_ten_who_ask_at_once_one_has_the_session)
