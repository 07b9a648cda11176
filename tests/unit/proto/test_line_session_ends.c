/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whole sessions of the line protocol on a real hub, one worker and a fake
 * clock: much at once, and every way to end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fake_time.h"
#include "support/line_rig.h"
#include "support/unit.h"

static void
start(void)
{
    line_rig_init();
    line_rig_start();
}

/* ---- coming -------------------------------------------------------------- */

/* ---- many lines at once -------------------------------------------------- */

START_TEST(everything_may_be_sent_in_one_go)
{
    struct peer *alice, *bob;

    start();
    bob = peer_called("bob");
    alice = peer_connect();
    peer_say(alice, "alice\nhello\n/join #tea\nalone\n/part\nback\n/nick al\n"
                    "/quit see you\nnot said\n");

    peer_expect(bob, "* alice joined #lobby.\n"
                     "<alice> hello\n"
                     "<alice> back\n"
                     "* alice is now known as al.\n"
                     "* al quit (see you).\n");
    ck_assert_ptr_nonnull(strstr(peer_read(alice), "* Goodbye, al.\n"));
    ck_assert(alice->at_eof);
    line_rig_stop();
}
END_TEST

/* Feeds in pieces that the socket takes. */
static void
say_numbers(struct peer *p, int n)
{
    for (int i = 0; i < n; i++) {
        char line[32];

        (void)snprintf(line, sizeof(line), "line %d\n", i);
        peer_write(p, line, strlen(line));
        if (i % 100 == 99)
            line_rig_settle();
    }
}

static void
check_numbers(const char *text, int n, const char *rest)
{
    for (int i = 0; i < n; i++) {
        char line[64];

        (void)snprintf(line, sizeof(line), "<alice> line %d\n", i);
        ck_assert_int_eq(strncmp(text, line, strlen(line)), 0);
        text += strlen(line);
    }
    ck_assert_str_eq(text, rest);
}

START_TEST(a_thousand_lines_then_quit_all_arrive)
{
    struct peer *alice, *bob;

    start();
    alice = peer_called("alice");
    bob = peer_called("bob");
    peers_skip();
    say_numbers(alice, 1000);
    peer_say(alice, "/quit\n");

    check_numbers(peer_read(bob), 1000, "* alice quit.\n");
    peer_expect(alice, "* Goodbye, alice.\n");
    ck_assert(alice->at_eof);
    line_rig_stop();
}
END_TEST

START_TEST(a_window_of_one_loses_nothing)
{
    struct peer *alice, *bob;

    line_rig_init();
    rig.proto.limits_client_window = 1;
    line_rig_start();
    alice = peer_called("alice");
    bob = peer_called("bob");
    peers_skip();
    say_numbers(alice, 150);
    peer_finish(alice);

    check_numbers(peer_read(bob), 150, "* alice quit (connection closed).\n");
    line_rig_stop();
}
END_TEST

START_TEST(lines_before_the_end_are_carried_out_and_answered)
{
    struct peer *alice;

    start();
    alice = peer_connect();
    peer_write(alice, "alice\n/who\n/rooms\nunfinished", 27);
    peer_finish(alice);

    peer_expect(alice, "Nickname: "
                       "* Welcome to klatch, alice. Type /help for the "
                       "commands.\n"
                       "* You are in #lobby. Nobody else is here.\n"
                       "* In #lobby: alice\n"
                       "* 1 person in #lobby.\n"
                       "* #lobby: 1 person.\n"
                       "* 1 room.\n");
    ck_assert(alice->at_eof);
    line_rig_stop();
}
END_TEST

START_TEST(an_unfinished_line_is_not_said)
{
    struct peer *alice, *bob;

    start();
    alice = peer_called("alice");
    bob = peer_called("bob");
    peers_skip();
    peer_say(alice, "hel");
    peer_say(alice, "lo\nunfinished");
    peer_finish(alice);

    peer_expect(bob, "<alice> hello\n* alice quit (connection closed).\n");
    line_rig_stop();
}
END_TEST

START_TEST(one_who_talks_too_fast_is_told_once_and_loses_nothing)
{
    struct peer *alice, *bob;

    line_rig_init();
    rig.proto.limits_message_rate = 10;
    rig.proto.limits_message_burst = 5;
    line_rig_start();
    alice = peer_called("alice");
    bob = peer_called("bob");
    peers_skip();
    say_numbers(alice, 50);
    line_rig_settle();
    peer_expect(alice, "* You are sending too fast; what you send waits.\n");
    for (int i = 0; i < 60; i++) {
        fake_time_pass_ms(100);
        line_rig_settle();
    }

    check_numbers(peer_read(bob), 50, "");
    peer_expect(alice, "");
    line_rig_stop();
}
END_TEST

/* ---- telnet -------------------------------------------------------------- */

START_TEST(telnet_is_refused_its_options_and_heard)
{
    struct peer *alice;

    start();
    alice = peer_connect();
    peer_say(alice, "\377\375\003\377\373\037al\377\361ice\377\375\003\r\n");

    peer_expect(alice, "Nickname: \377\374\003\377\376\037"
                       "* Welcome to klatch, alice. Type /help for the "
                       "commands.\r\n"
                       "* You are in #lobby. Nobody else is here.\r\n");
    line_rig_stop();
}
END_TEST

START_TEST(a_telnet_that_interrupts_has_quit)
{
    struct peer *alice, *bob;

    start();
    bob = peer_called("bob");
    alice = peer_called("alice");
    peers_skip();
    /* What telnet(1) sends for Ctrl-C: it shows nothing before the answer. */
    peer_say(alice, "hello\nhal\377\364\377\375\006not said\n");

    peer_expect(bob, "<alice> hello\n* alice quit.\n");
    peer_expect(alice, "\377\374\006* Goodbye, alice.\r\n");
    ck_assert(alice->at_eof);
    line_rig_stop();
}
END_TEST

START_TEST(a_telnet_that_interrupts_at_the_prompt_has_quit)
{
    struct peer *alice;

    start();
    alice = peer_connect();
    peer_say(alice, "\377\354");

    peer_expect(alice, "Nickname: \r\n* Goodbye.\r\n");
    ck_assert(alice->at_eof);
    line_rig_stop();
}
END_TEST

START_TEST(a_flood_of_options_is_answered_once_each)
{
    struct peer *alice;
    char flood[6000];

    start();
    alice = peer_called("alice");
    for (size_t i = 0; i < sizeof(flood); i += 6)
        memcpy(flood + i, "\377\375\001\377\373\001", 6);
    peer_write(alice, flood, sizeof(flood));

    peer_expect(alice, "\377\374\001\377\376\001");
    line_rig_stop();
}
END_TEST

/* ---- going --------------------------------------------------------------- */

START_TEST(quitting_is_told_once_however_many_rooms_are_shared)
{
    struct peer *alice, *bob;

    start();
    alice = peer_called("alice");
    bob = peer_called("bob");
    peer_say(alice, "/join #tea\n");
    peer_say(bob, "/join #tea\n");
    peers_skip();
    peer_say(alice, "/quit\n");

    peer_expect(alice, "* Goodbye, alice.\n");
    ck_assert(alice->at_eof);
    peer_expect(bob, "* alice quit.\n");
    line_rig_stop();
}
END_TEST

START_TEST(goodbye_comes_after_all_answers)
{
    struct peer *alice;

    start();
    alice = peer_called("alice");
    peer_say(alice, "/who\n/quit\n");

    peer_expect(alice, "* In #lobby: alice\n"
                       "* 1 person in #lobby.\n"
                       "* Goodbye, alice.\n");
    line_rig_stop();
}
END_TEST

START_TEST(a_reset_is_told_as_a_lost_connection)
{
    struct peer *alice, *bob;

    start();
    alice = peer_called("alice");
    bob = peer_called("bob");
    peer_say(bob, "unread by alice\n");
    peer_close(alice); /* with something unread: a reset, on a Unix socket */
    line_rig_settle();

    ck_assert_ptr_nonnull(
        strstr(peer_read(bob), "* alice quit (connection lost).\n"));
    line_rig_stop();
}
END_TEST

START_TEST(one_who_is_kicked_is_told)
{
    const struct command kick = {.kind = COMMAND_KICK,
                                 .name = slice_of("alice"),
                                 .text = slice_of("enough now")};
    struct peer *alice, *bob;

    start();
    alice = peer_called("alice");
    bob = peer_called("bob");
    peers_skip();
    oper_send(&kick);

    peer_expect(alice, "* An operator ended your session: enough now\n");
    ck_assert(alice->at_eof);
    peer_expect(bob, "* alice quit (kicked: enough now).\n");
    line_rig_stop();
}
END_TEST

START_TEST(an_operator_speaks_to_all)
{
    const struct command all = {.kind = COMMAND_ANNOUNCE,
                                .text = slice_of("soup at noon")};
    struct peer *alice, *bob, *stranger;

    start();
    stranger = peer_connect();
    alice = peer_called("alice");
    bob = peer_called("bob\r");
    peers_skip();
    oper_send(&all);

    peer_expect(alice, "* Operator: soup at noon\n");
    peer_expect(bob, "* Operator: soup at noon\r\n");
    peer_expect(stranger, "");
    line_rig_stop();
}
END_TEST

START_TEST(a_server_that_stops_says_so)
{
    struct peer *alice, *stranger;

    start();
    alice = peer_called("alice");
    stranger = peer_connect();
    front_stop(rig.front);

    peer_expect(alice, "* The server is stopping. Goodbye.\n");
    ck_assert(alice->at_eof);
    peer_expect(stranger, "Nickname: \n* The server is stopping. Goodbye.\n");
    ck_assert(stranger->at_eof);
    line_rig_stop();
}
END_TEST

/* ---- what an operator sees ----------------------------------------------- */

static void
visit(void *arg, const struct client_info *info)
{
    struct buf *const b = arg;

    buf_printf(b, "%s %s %.*s %.*s %zu\n", info->protocol, info->state,
               SLICE_ARG(info->nick), SLICE_ARG(info->room), info->rooms);
}

START_TEST(the_current_room_is_listed)
{
    struct peer *alice;
    struct buf b;

    start();
    alice = peer_called("alice");
    peer_say(alice, "/join #tea\n");
    (void)peer_connect();
    buf_init(&b);
    front_each_client(rig.front, visit, &b);

    buf_append_char(&b, '\0');
    ck_assert_str_eq(b.data, "line open alice #tea 2\nline opening   0\n");
    buf_fini(&b);
    line_rig_stop();
}
END_TEST

START_TEST(one_who_has_left_is_listed_without_a_room)
{
    struct peer *alice;
    struct buf b;

    start();
    alice = peer_called("alice");
    peer_say(alice, "/quit\n"); /* and does not close its side */
    buf_init(&b);
    front_each_client(rig.front, visit, &b);

    buf_append_char(&b, '\0');
    ck_assert_str_eq(b.data, "line draining alice  0\n");
    buf_fini(&b);
    line_rig_stop();
}
END_TEST

/* ---- when memory is short ------------------------------------------------ */

START_TEST(a_command_without_memory_ends_that_conn_only)
{
    struct peer *alice, *bob;

    start();
    alice = peer_called("alice");
    bob = peer_called("bob");
    peers_skip();
    rig.is_hungry = true;
    peer_say(alice, "hello\n/who\n");
    rig.is_hungry = false;
    (void)peer_read(alice);

    ck_assert(alice->at_eof);
    peer_expect(bob, "* alice quit (the server is short of memory).\n");
    peer_say(bob, "/who\n");
    peer_expect(bob, "* In #lobby: bob\n* 1 person in #lobby.\n");
    line_rig_stop();
}
END_TEST

START_TEST(an_answer_that_got_lost_is_not_waited_for_for_ever)
{
    struct peer *alice, *bob;

    start();
    alice = peer_called("alice");
    bob = peer_called("bob");
    peers_skip();
    rig.loses = COMMAND_JOIN;
    peer_say(alice, "/join #tea\nhello\n");
    peer_expect(bob, "");
    fake_time_pass_ms(31000);
    line_rig_settle();

    peer_expect(bob, "<alice> hello\n");
    line_rig_stop();
}
END_TEST

UNIT_MAIN("proto/line_session_ends", everything_may_be_sent_in_one_go,
          a_thousand_lines_then_quit_all_arrive, a_window_of_one_loses_nothing,
          lines_before_the_end_are_carried_out_and_answered,
          an_unfinished_line_is_not_said,
          one_who_talks_too_fast_is_told_once_and_loses_nothing,
          telnet_is_refused_its_options_and_heard,
          a_telnet_that_interrupts_has_quit,
          a_telnet_that_interrupts_at_the_prompt_has_quit,
          a_flood_of_options_is_answered_once_each,
          quitting_is_told_once_however_many_rooms_are_shared,
          goodbye_comes_after_all_answers, a_reset_is_told_as_a_lost_connection,
          one_who_is_kicked_is_told, an_operator_speaks_to_all,
          a_server_that_stops_says_so, the_current_room_is_listed,
          one_who_has_left_is_listed_without_a_room,
          a_command_without_memory_ends_that_conn_only,
          an_answer_that_got_lost_is_not_waited_for_for_ever)
