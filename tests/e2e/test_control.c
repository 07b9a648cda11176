/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The control socket of a running server: what an operator may do by it and
 * what not, and that no request, right or wrong, disturbs the clients. What
 * klatchctl makes of it for people is in test_operator.c.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/daemon.h"
#include "support/peer.h"
#include "support/program.h"
#include "support/unit.h"

#define REFUSED 1 /* klatchctl's exit code: the server said no, and why */

static struct daemon d;
static struct peer a, b;
static struct program ctl; /* what klatchctl said last */

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
    program_fini(&ctl);
    daemon_stop(&d);
}

/* Runs klatchctl with these words (NULL ends them); it must end with `code`. */
static void
run_ctl(int code, const char *input, ...)
{
    const char *argv[PROGRAM_ARGS_MAX + 1] = {getenv("KLATCHCTL"), "-s",
                                              d.control};
    va_list words;

    va_start(words, input);
    for (size_t i = 3; i < PROGRAM_ARGS_MAX; i++)
        if ((argv[i] = va_arg(words, const char *)) == NULL)
            break;
    va_end(words);
    program_fini(&ctl);
    program_run(&ctl, argv, input);
    if (ctl.code != code)
        e2e_fail("klatchctl %s: exit code %d, not %d: %s%s", argv[3], ctl.code,
                 code, ctl.out, ctl.err);
}

static void
expect_out(const char *part)
{
    if (strstr(ctl.out, part) == NULL)
        e2e_fail("klatchctl did not print: %s\nbut: %s", part, ctl.out);
}

static void
expect_err(const char *part)
{
    if (strstr(ctl.err, part) == NULL)
        e2e_fail("klatchctl did not complain: %s\nbut: %s", part, ctl.err);
}

/* -- speaking ------------------------------------------------------------- */

START_TEST(a_broadcast_reaches_everybody_in_whatever_room)
{
    two_join(NULL);
    peer_send(&b, "/part\n");
    peer_expect(&b, "* You left #lobby.");
    peer_expect(&b, "* You are in no room now. /join one to talk.");
    peer_expect(&a, "* b left #lobby.");

    run_ctl(0, NULL, "broadcast", "back", "at", "noon", NULL);

    ck_assert_str_eq(ctl.out, "");
    peer_expect(&a, "* Operator: back at noon");
    peer_expect(&b, "* Operator: back at noon");
    two_leave();
}
END_TEST

START_TEST(nobody_is_spoken_for)
{
    two_join(NULL);

    run_ctl(REFUSED, NULL, "say", "--as", "A", "#lobby", "I am not a", NULL);
    expect_err("somebody has that nickname");
    run_ctl(REFUSED, NULL, "say", "#nowhere", "hello?", NULL);
    expect_err("there is no such room");
    run_ctl(REFUSED, "\x07\n", "say", "#lobby", NULL);
    expect_err("there is no text");
    two_leave();
}
END_TEST

START_TEST(what_an_operator_says_is_cleaned_as_well)
{
    two_join(NULL);

    run_ctl(0, "\x1b[2Jcaf\xe9 \u202etxet\n", "broadcast", NULL);

    peer_expect(&a, "* Operator: [2Jcaf\ufffd txet");
    peer_expect(&b, "* Operator: [2Jcaf\ufffd txet");
    two_leave();
}
END_TEST

/* -- acting --------------------------------------------------------------- */

START_TEST(a_reload_answers_with_every_complaint)
{
    two_join(NULL);

    daemon_configure(&d, "[limits]\nline_length = 64\n");
    run_ctl(0, NULL, "reload", NULL);
    peer_send(&a, "%065d\n", 0);
    peer_expect_start(&a, "* That line is longer than 64 bytes");

    daemon_configure(&d, "[limits]\nline_length = 1\nsenq = 3\n");
    run_ctl(REFUSED, NULL, "reload", NULL);
    expect_err("line_length");
    expect_err("senq");
    peer_send(&a, "%065d\n", 0);
    peer_expect_start(&a, "* That line is longer than 64 bytes");
    two_leave();
}
END_TEST

START_TEST(the_log_gets_louder_and_quieter_at_once)
{
    two_join(NULL);

    run_ctl(0, NULL, "log", "error", NULL);
    run_ctl(0, NULL, "kick", "b", NULL);
    peer_await(&b, "* An operator ended your session.");
    peer_expect_end(&b, false);
    peer_close(&b);
    peer_expect(&a, "* b quit (kicked).");
    daemon_await_census(&d, "conns", 1);
    ck_assert(!daemon_logged(&d, "reason=kicked"));

    run_ctl(0, NULL, "log", "info", NULL);
    peer_join(&b, d.port, "b");
    peer_expect(&a, "* b joined #lobby.");
    run_ctl(REFUSED, NULL, "log", "loud", NULL);
    expect_err("notice");
    run_ctl(REFUSED, NULL, "log", "debug", "nowhere", NULL);
    expect_err("net");
    two_leave();
}
END_TEST

/* -- looking -------------------------------------------------------------- */

START_TEST(status_clients_and_rooms_show_what_is)
{
    char port[16];

    two_join(NULL);
    peer_send(&b, "/join #tea\n/topic Hot\n");
    peer_expect(&b, "* You are in #tea. Nobody else is here.");
    peer_expect(&b, "* b set the topic of #tea: Hot");
    snprintf(port, sizeof(port), ":%u", (unsigned)d.port);

    run_ctl(0, NULL, "status", NULL);
    expect_out(port);
    expect_out(d.socket);
    run_ctl(0, NULL, "--json", "status", NULL);
    expect_out("\"users\":2");
    expect_out("\"rooms\":2");
    run_ctl(0, NULL, "clients", NULL);
    expect_out("127.0.0.1:");
    expect_out("2 connections");
    run_ctl(0, NULL, "clients", "--json", NULL);
    expect_out("\"nick\":\"b\"");
    expect_out("\"room\":\"#tea\"");
    run_ctl(0, NULL, "rooms", NULL);
    expect_out("#lobby");
    expect_out("Hot");
    run_ctl(0, NULL, "rooms", "--json", NULL);
    expect_out("\"name\":\"#tea\"");
    two_leave();
}
END_TEST

START_TEST(the_census_counts_exactly)
{
    struct peer stranger;

    two_join(NULL);
    peer_connect_unix(&stranger, d.socket);
    peer_expect_bytes(&stranger, "Nickname: ");

    run_ctl(0, NULL, "census", "--json", NULL);

    expect_out("\"balanced\":true");
    expect_out("\"conns\":3");
    expect_out("\"in_open\":2");
    expect_out("\"in_opening\":1");
    expect_out("\"users\":2");
    expect_out("\"members\":2");
    expect_out("\"conns_without_deadline\":0");
    peer_close(&stranger);
    two_leave();
}
END_TEST

/* -- the socket ----------------------------------------------------------- */

START_TEST(what_is_no_request_is_refused_and_harms_nothing)
{
    static const char *const wrong[] = {
        "{}",
        "[]",
        "what?",
        "{\"command\":7}",
        "{\"command\":\"fly\"}",
        "{\"command\":\"say\",\"args\":[]}",
        "{\"command\":\"say\",\"args\":[1,2]}",
        "{\"command\":\"say\",\"args\":\"#lobby\"}",
        "{\"command\":\"kick\",\"args\":[\"\\u0000\"]}",
        "{\"command\":\"broadcast\",\"args\":[\"\xff\"]}",
    };

    two_join(NULL);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char *answer;

        e2e_scene("%s", wrong[i]);
        answer = daemon_ask(&d, wrong[i]);
        if (strstr(answer, "\"ok\":false") == NULL ||
            strstr(answer, "\"error\":\"") == NULL)
            e2e_fail("answered: %s", answer);
        free(answer);
    }
    two_leave();
}
END_TEST

START_TEST(requests_in_a_row_are_answered_in_order)
{
    struct peer operator;
    unsigned i;

    two_join(NULL);

    peer_connect_unix(&operator, d.control);
    for (i = 0; i < 50; i++)
        peer_send(&operator, "{\"command\":\"version\"}\n"
                             "{\"command\":\"broadcast\",\"args\":[\"%u\"]}\n"
                             "{\"command\":\"census\"}\n",
                  i);
    peer_end_writing(&operator);

    for (i = 0; i < 50; i++) {
        ck_assert_ptr_nonnull(strstr(peer_take(&operator), "\"version\""));
        peer_expect(&operator, "{\"ok\":true}");
        ck_assert_ptr_nonnull(strstr(peer_take(&operator), "\"balanced\""));
        peer_expect(&a, "* Operator: %u", i);
        peer_expect(&b, "* Operator: %u", i);
    }
    peer_expect_end(&operator, false);
    peer_close(&operator);
    two_leave();
}
END_TEST

START_TEST(an_operator_who_goes_in_the_middle_harms_nothing)
{
    static const char *const requests[] = {
        "",
        "{\"command\":\"cen",
        "{\"command\":\"census\"}\n",
        "{\"command\":\"broadcast\",\"args\":[\"I am off\"]}\n",
    };

    two_join(NULL);

    for (unsigned i = 0; i < 40; i++) {
        struct peer operator;

        peer_connect_unix(&operator, d.control);
        peer_send(&operator, "%s", requests[i % 4]);
        peer_close(&operator);
        if (i % 4 < 3)
            continue;
        peer_expect(&a, "* Operator: I am off");
        peer_expect(&b, "* Operator: I am off");
    }
    two_leave();
}
END_TEST

UNIT_MAIN("e2e/control", a_broadcast_reaches_everybody_in_whatever_room,
          nobody_is_spoken_for, what_an_operator_says_is_cleaned_as_well,
          a_reload_answers_with_every_complaint,
          the_log_gets_louder_and_quieter_at_once,
          status_clients_and_rooms_show_what_is, the_census_counts_exactly,
          what_is_no_request_is_refused_and_harms_nothing,
          requests_in_a_row_are_answered_in_order,
          an_operator_who_goes_in_the_middle_harms_nothing)
