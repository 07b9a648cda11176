/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whoever loses the connection without a goodbye is away, not gone: the others
 * are told once, nickname and rooms are kept, and whoever comes back with the
 * token goes on as if nothing had been.
 *
 * ann stays, bob is lost in every way there is, and cat says a word so that
 * there is something to miss. All are in #lobby and #tea, so that who is told
 * once a room instead of once would be seen.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/daemon.h"
#include "support/peer.h"
#include "support/program.h"
#include "support/session.h"
#include "support/unit.h"

/* A peer that is silent is found out soon. */
#define SETTINGS                                                 \
    "[timeouts]\nidle_ping = 1s\npong = 1s\nuser_timeout = 1s\n" \
    "[history]\nroom_events = 0\n[log]\nlevel = trace\n"

static struct daemon d;
static struct peer ann, bob, cat;
static struct session_token ann_token, bob_token, cat_token;

/* -- coming and going ----------------------------------------------------- */

static void
enter_tea(struct peer *p)
{
    peer_send(p, "/join #tea\n");
    peer_await(p, "* You are in #tea");
}

static void
three_come(void)
{
    session_join(&ann, d.port, "ann", &ann_token);
    session_join(&bob, d.port, "bob", &bob_token);
    session_join(&cat, d.port, "cat", &cat_token);
    enter_tea(&ann);
    enter_tea(&bob);
    enter_tea(&cat);
    peer_await(&ann, "* cat joined #tea.");
    peer_await(&bob, "* cat joined #tea.");
}

static void
three_go(void)
{
    session_quit(&bob, "bob");
    peer_expect(&ann, "* bob quit.");
    peer_expect(&cat, "* bob quit.");
    session_quit(&cat, "cat");
    peer_expect(&ann, "* cat quit.");
    session_quit(&ann, "ann");
}

/* -- the ways ------------------------------------------------------------- */

static void
by_fin(void)
{
    peer_close(&bob);
}

static void
by_rst(void)
{
    peer_reset(&bob);
}

static void
by_half_a_line_and_fin(void)
{
    peer_send(&bob, "I never end");
    peer_close(&bob);
}

static void
by_half_a_line_and_rst(void)
{
    peer_send(&bob, "I never end");
    peer_reset(&bob);
}

static void
by_half_a_character(void)
{
    peer_send_bytes(&bob, "\xe5\xb0", 2);
    peer_close(&bob);
}

static void
by_shutdown(void)
{
    peer_end_writing(&bob);
    peer_expect_end(&bob, false);
    peer_close(&bob);
}

static void
by_last_words_and_rst(void)
{
    peer_send(&bob, "last words\n");
    peer_expect(&ann, "<bob> last words");
    peer_expect(&cat, "<bob> last words");
    peer_reset(&bob);
}

/* Nothing comes of it any more, and nothing is said to it. */
static void
by_silence(void)
{
    session_cut(&bob);
    daemon_await_census(&d, "waiting", 1);
    peer_reset(&bob);
}

struct way {
    const char *name;
    void (*lose)(void);
};

static const struct way ways[] = {
    {"FIN",                   by_fin                },
    {"RST",                   by_rst                },
    {"half a line, FIN",      by_half_a_line_and_fin},
    {"half a line, RST",      by_half_a_line_and_rst},
    {"half a character, FIN", by_half_a_character   },
    {"shutdown, then read",   by_shutdown           },
    {"a line, RST",           by_last_words_and_rst },
    {"silence",               by_silence            },
};
#define WAYS (sizeof(ways) / sizeof(ways[0]))

/* -- what others see ------------------------------------------------------ */

/* As a row of `klatchctl sessions --json`, but for the numbers behind. */
static void
expect_listed(const char *nick, const char *state, unsigned resumed,
              unsigned kept)
{
    char *const answer = daemon_ask(&d, "{\"command\":\"sessions\"}");
    char mark[64];
    char numbers[64];
    const char *row;

    snprintf(mark, sizeof(mark), "{\"nick\":\"%s\",\"state\":\"%s\"", nick,
             state);
    snprintf(numbers, sizeof(numbers),
             "\"rooms\":2,\"resumed\":%u,\"kept_events\":%u,", resumed, kept);
    row = strstr(answer, mark);
    if (row == NULL || strstr(row, numbers) == NULL ||
        strstr(row, numbers) > strchr(row, '}'))
        e2e_fail("no %s with %s in %s", mark, numbers, answer);
    free(answer);
}

static void
run_klatchctl(struct program *p, const char *option)
{
    const char *const argv[] = {getenv("KLATCHCTL"), "-s",   d.control,
                                "sessions",          option, NULL};

    program_run(p, argv, NULL);
    ck_assert_int_eq(p->code, 0);
    ck_assert_str_eq(p->err, "");
}

/* bob's row of the table for people: its words. */
static void
expect_row(const char *words)
{
    struct program p = {0};
    char row[256];
    char *at, *end;
    size_t len = 0;

    run_klatchctl(&p, NULL);
    at = strstr(p.out, "\nbob ");
    if (at == NULL)
        e2e_fail("no row of bob in\n%s", p.out);
    end = strchr(++at, '\n');
    ck_assert_ptr_nonnull(end);
    for (; at < end && len + 1 < sizeof(row); at++)
        if (*at != ' ' || at[1] != ' ')
            row[len++] = *at;
    row[len] = '\0';
    if (strncmp(row, words, strlen(words)) != 0)
        e2e_fail("expected: %s\nthere is: %s", words, row);
    if (strstr(p.out, "\n3 sessions\n") == NULL)
        e2e_fail("not three sessions in\n%s", p.out);
    program_fini(&p);
}

static void
expect_nick_kept(void)
{
    struct peer stranger;

    peer_connect(&stranger, d.port);
    peer_send(&stranger, "BOB\n");
    peer_expect(&stranger,
                "Nickname: * BOB is kept for somebody who is reconnecting; if "
                "that is you, type /resume and your token.");
    peer_expect_bytes(&stranger, "Nickname: ");
    peer_close(&stranger);

    peer_send(&cat, "/nick bob\n");
    peer_expect(&cat, "* bob is kept for somebody who is reconnecting; if that "
                      "is you, type /resume and your token.");
}

static void
expect_away(unsigned resumed)
{
    peer_expect(&ann, "* bob is away (reconnecting).");
    peer_expect(&cat, "* bob is away (reconnecting).");
    daemon_await_census(&d, "waiting", 1);
    ck_assert_uint_eq(daemon_census(&d, "sessions"), 3);
    ck_assert_uint_eq(daemon_census(&d, "users"), 3);
    expect_listed("bob", "reconnecting", resumed, 0);
    expect_listed("ann", "here", 0, 0);
    expect_row("bob reconnecting ");

    peer_send(&ann, "/who\n");
    peer_expect(&ann, "* In #tea: ann, bob (reconnecting), cat");
    peer_expect(&ann, "* 3 people in #tea.");
    expect_nick_kept();
    peer_expect_silence(&ann);
    peer_expect_silence(&cat);
}

/* Something happens, and bob is told of it on coming back. */
static void
come_back(unsigned resumed)
{
    peer_send(&cat, "where is bob?\n/msg bob are you there?\n");
    peer_expect(&ann, "<cat> where is bob?");
    peer_expect(&cat, "* bob is away (reconnecting) and gets it on returning.");
    expect_listed("bob", "reconnecting", resumed, 1);

    session_come_back(&bob, d.port, "bob", &bob_token, 2, 2);
    session_expect_missed(&bob, "<cat> where is bob?");
    session_expect_missed(&bob, "[private] <cat> are you there?");
    session_expect_that_is_all(&bob, "#tea");
    peer_expect(&ann, "* bob is back.");
    peer_expect(&cat, "* bob is back.");
}

static void
expect_all_as_before(unsigned resumed)
{
    peer_send(&bob, "here I am\n/msg ann psst\n");
    peer_expect(&ann, "<bob> here I am");
    peer_expect(&ann, "[private] <bob> psst");
    peer_expect(&cat, "<bob> here I am");
    peer_send(&ann, "/switch #lobby\nin the other room\n/switch #tea\n");
    peer_expect(&ann, "* You are talking in #lobby now.");
    peer_expect(&ann, "* You are talking in #tea now.");
    peer_expect(&bob, "[#lobby] <ann> in the other room");
    peer_expect(&cat, "[#lobby] <ann> in the other room");

    session_await_settled(&d);
    ck_assert_uint_eq(daemon_census(&d, "waiting"), 0);
    ck_assert_uint_eq(daemon_census(&d, "unacked"), 0);
    ck_assert_uint_eq(daemon_census(&d, "kept_events"), 0);
    expect_listed("bob", "here", resumed + 1, 0);
    expect_row("bob here ");
    peer_expect_silence(&ann);
    peer_expect_silence(&bob);
    peer_expect_silence(&cat);
}

START_TEST(whoever_is_lost_in_whatever_way_is_away_and_comes_back)
{
    daemon_start_lingering(&d, SETTINGS);
    three_come();

    for (unsigned n = 0; n < 2 * WAYS; n++) {
        e2e_scene("loss %u, by %s", n + 1, ways[n % WAYS].name);
        ways[n % WAYS].lose();
        expect_away(n);
        come_back(n);
        expect_all_as_before(n);
    }
    three_go();
    session_stop(&d);
}
END_TEST

/* What was said to it meanwhile is not had by a peer that is silent. */
START_TEST(what_was_said_to_a_silent_peer_comes_when_it_is_back)
{
    daemon_start_lingering(&d, SETTINGS);
    three_come();
    peer_expect_silence(&bob);
    session_await_settled(&d);

    session_cut(&bob);
    peer_send(&ann, "one\n/msg bob two\n/me three\n");
    peer_expect_silence(&ann);
    peer_expect(&ann, "* bob is away (reconnecting).");
    peer_reset(&bob);

    session_come_back(&bob, d.port, "bob", &bob_token, 3, 2);
    session_expect_missed(&bob, "<ann> one");
    session_expect_missed(&bob, "[private] <ann> two");
    session_expect_missed(&bob, "* ann three");
    session_expect_that_is_all(&bob, "#tea");
    peer_expect(&ann, "* bob is back.");
    for (const char *const *line =
             (const char *const[]){"<ann> one", "* ann three",
                                   "* bob is away (reconnecting).",
                                   "* bob is back.", NULL};
         *line != NULL; line++)
        peer_expect(&cat, "%s", *line);
    three_go();
    session_stop(&d);
}
END_TEST

/* A wire that is mended in time: TCP itself makes up for it. */
START_TEST(who_is_cut_off_for_a_moment_is_not_lost)
{
    daemon_start_lingering(&d, "[history]\nroom_events = 0\n");
    three_come();
    peer_expect_silence(&bob);

    session_cut(&bob);
    for (unsigned n = 0; n < 100; n++)
        peer_send(&ann, "number %u\n", n);
    peer_expect_silence(&ann);
    daemon_await_census(&d, "unacked", 100);
    session_mend(&bob);

    for (unsigned n = 0; n < 100; n++) {
        peer_expect(&bob, "<ann> number %u", n);
        peer_expect(&cat, "<ann> number %u", n);
    }
    session_await_settled(&d);
    peer_expect_silence(&ann);
    ck_assert_uint_eq(daemon_census(&d, "waiting"), 0);
    three_go();
    session_stop(&d);
}
END_TEST

/* Away by its own word before, and after. */
START_TEST(who_was_away_is_still_away_when_back)
{
    daemon_start_lingering(&d, SETTINGS);
    three_come();
    peer_send(&bob, "/away tea time\n");
    peer_expect(&bob, "* You are away (tea time); /back ends that.");
    peer_expect(&ann, "* bob is away (tea time).");

    peer_reset(&bob);
    peer_expect(&ann, "* bob is away (reconnecting).");
    session_come_back(&bob, d.port, "bob", &bob_token, 0, 2);
    session_expect_that_is_all(&bob, "#tea");
    peer_expect(&ann, "* bob is back.");
    peer_send(&ann, "/msg bob hello\n");
    peer_expect(&ann, "* bob is away: tea time");
    peer_expect(&bob, "[private] <ann> hello");
    peer_send(&bob, "/back\n");
    peer_expect(&bob, "* You are back.");
    peer_expect(&ann, "* bob is back.");

    peer_expect(&cat, "* bob is away (tea time).");
    peer_expect(&cat, "* bob is away (reconnecting).");
    peer_expect(&cat, "* bob is back.");
    peer_expect(&cat, "* bob is back.");
    three_go();
    session_stop(&d);
}
END_TEST

/* In no room, and with nobody to tell. */
START_TEST(who_is_in_no_room_comes_back_too)
{
    daemon_start_lingering(&d, SETTINGS);
    session_join(&bob, d.port, "bob", &bob_token);
    peer_send(&bob, "/part\n");
    peer_expect(&bob, "* You left #lobby.");
    peer_expect_start(&bob, "* You are in no room now.");
    peer_reset(&bob);
    daemon_await_census(&d, "waiting", 1);
    session_join(&ann, d.port, "ann", &ann_token);
    peer_send(&ann, "/msg bob hello\n");
    peer_expect(&ann, "* bob is away (reconnecting) and gets it on returning.");

    session_come_back(&bob, d.port, "bob", &bob_token, 1, 0);
    session_expect_missed(&bob, "[private] <ann> hello");
    peer_send(&bob, "/join #lobby\n");
    peer_await(&bob, "* You are in #lobby: 2 people");
    peer_expect(&ann, "* bob joined #lobby.");
    session_quit(&bob, "bob");
    peer_expect(&ann, "* bob quit.");
    session_quit(&ann, "ann");
    session_stop(&d);
}
END_TEST

UNIT_MAIN("e2e/session", whoever_is_lost_in_whatever_way_is_away_and_comes_back,
          what_was_said_to_a_silent_peer_comes_when_it_is_back,
          who_is_cut_off_for_a_moment_is_not_lost,
          who_was_away_is_still_away_when_back,
          who_is_in_no_room_comes_back_too)
