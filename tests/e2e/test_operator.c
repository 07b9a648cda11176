/* SPDX-License-Identifier: BSD-2-Clause
 *
 * klatchctl ($KLATCHCTL) and the real daemon: what an operator does, and what
 * people in the room see of it.
 */
#include <stdlib.h>
#include <string.h>

#include "support/daemon.h"
#include "support/peer.h"
#include "support/program.h"
#include "support/unit.h"

static struct daemon d;
static struct peer alice, bob;
static struct program p;

/* klatchctl -s SOCKET with up to five words, and `input`; its exit code. */
static int
run_with(const char *input, const char *const words[5])
{
    const char *argv[9] = {getenv("KLATCHCTL"), "-s", d.control};
    size_t n = 3;

    ck_assert_ptr_nonnull(argv[0]);
    for (size_t i = 0; i < 5 && words[i] != NULL; i++)
        argv[n++] = words[i];
    argv[n] = NULL;
    program_fini(&p);
    program_run(&p, argv, input);
    return p.code;
}

#define RUN(...) run_with(NULL, (const char *const[5]){__VA_ARGS__})
#define RUN_INPUT(input, ...) \
    run_with((input), (const char *const[5]){__VA_ARGS__})

static void
expect_in(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        ck_abort_msg("\"%s\" is not in\n%s", part, text);
}

START_TEST(what_is_there_is_shown)
{
    daemon_start(&d, NULL);
    peer_join(&alice, d.port, "alice");
    peer_join(&bob, d.port, "小明");

    ck_assert_int_eq(RUN("status"), 0);
    expect_in(p.out, "connections  2\nusers        2\nrooms        1\n");
    ck_assert_int_eq(RUN("clients"), 0);
    expect_in(p.out, "小明");
    expect_in(p.out, "2 connections\n");
    ck_assert_int_eq(RUN("rooms", "--json"), 0);
    expect_in(p.out, "\"name\":\"#lobby\",\"members\":2");
    ck_assert_int_eq(RUN("census"), 0);
    expect_in(p.out, "message_bytes           balanced\n");
    ck_assert_int_eq(RUN("version"), 0);
    expect_in(p.out, "klatchd ");
    ck_assert_str_eq(p.err, "");

    peer_close(&alice);
    peer_close(&bob);
    daemon_stop(&d);
}
END_TEST

START_TEST(what_the_operator_says_is_heard)
{
    daemon_start(&d, NULL);
    peer_join(&alice, d.port, "alice");

    ck_assert_int_eq(RUN("say", "#lobby", "it", "is", "\x1b[31mlate"), 0);
    ck_assert_int_eq(RUN("say", "--as", "ci", "#lobby", "green"), 0);
    ck_assert_int_eq(RUN_INPUT("one\r\n\ntwo", "say", "#lobby"), 0);
    ck_assert_int_eq(RUN_INPUT("three\n", "broadcast"), 0);
    ck_assert_int_eq(
        RUN_INPUT("four\n/say #lobby five\n/quit\nnever\n", "console"), 0);

    peer_expect(&alice, "<klatchctl> it is [31mlate");
    peer_expect(&alice, "<ci> green");
    peer_expect(&alice, "<klatchctl> one");
    peer_expect(&alice, "<klatchctl> two");
    peer_expect(&alice, "* Operator: three");
    peer_expect(&alice, "* Operator: four");
    peer_expect(&alice, "<klatchctl> five");
    peer_expect_silence(&alice);
    peer_close(&alice);
    daemon_stop(&d);
}
END_TEST

START_TEST(who_is_kicked_leaves_alone)
{
    daemon_start(&d, NULL);
    peer_join(&alice, d.port, "alice");
    peer_join(&bob, d.port, "bob");
    peer_expect(&alice, "* bob joined #lobby.");

    ck_assert_int_eq(RUN("kick", "BOB", "too", "loud"), 0);

    peer_expect(&bob, "* An operator ended your session: too loud");
    peer_expect_end(&bob, false);
    peer_expect(&alice, "* bob quit (kicked: too loud).");
    peer_expect_silence(&alice);
    peer_close(&alice);
    peer_close(&bob);
    daemon_stop(&d);
}
END_TEST

START_TEST(exit_codes_say_what_went_wrong)
{
    daemon_start(&d, NULL);

    ck_assert_int_eq(RUN("kick", "nobody"), 1);
    ck_assert_str_eq(p.err, "klatchctl: nobody has that nickname\n");
    ck_assert_int_eq(RUN("say", "#none", "x"), 1);
    ck_assert_int_eq(RUN("say"), 64);
    ck_assert_int_eq(RUN("stauts"), 64);
    expect_in(p.err, "is it status?");
    ck_assert_int_eq(RUN("status", "--colour"), 64);
    ck_assert_int_eq(RUN("status", "--as", "x"), 64);
    ck_assert_int_eq(RUN("--help"), 0);
    expect_in(p.out, "Exit status: 0 done; 1 ");

    daemon_stop(&d);
    ck_assert_int_eq(RUN("status"), 69);
    expect_in(p.err, "no klatchd is running there");
}
END_TEST

START_TEST(a_wrong_configuration_is_told_and_the_old_one_stays)
{
    daemon_start(&d, NULL);
    peer_join(&alice, d.port, "alice");

    daemon_configure(&d, "[limits]\nsendq = much\nsenq = 1M\n");
    ck_assert_int_eq(RUN("reload"), 1);
    expect_in(p.err, "sendq");
    expect_in(p.err, "senq");
    daemon_configure(&d, NULL);
    ck_assert_int_eq(RUN("reload"), 0);

    peer_expect_silence(&alice);
    peer_close(&alice);
    daemon_stop(&d);
}
END_TEST

START_TEST(stop_lets_everybody_know_and_ends_with_0)
{
    daemon_start(&d, NULL);
    peer_join(&alice, d.port, "alice");

    ck_assert_int_eq(RUN("stop"), 0);

    peer_expect(&alice, "* The server is stopping. Goodbye.");
    peer_expect_end(&alice, false);
    peer_close(&alice);
    ck_assert_int_eq(daemon_await_exit(&d, 10000), 0);
    daemon_check_remains(&d);
}
END_TEST

UNIT_MAIN("e2e/operator", what_is_there_is_shown,
          what_the_operator_says_is_heard, who_is_kicked_leaves_alone,
          exit_codes_say_what_went_wrong,
          a_wrong_configuration_is_told_and_the_old_one_stays,
          stop_lets_everybody_know_and_ends_with_0)
