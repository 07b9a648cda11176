/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whole sessions of the line protocol on a real hub, one worker and a fake
 * clock: coming in, and talk.
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

START_TEST(one_who_comes_is_asked_for_a_nickname_and_welcomed)
{
    struct peer *alice;

    start();
    alice = peer_connect();
    peer_expect(alice, "Nickname: ");
    peer_say(alice, "alice\n");

    peer_expect(alice, "* Welcome to klatch, alice. Type /help for the "
                       "commands.\n"
                       "* You are in #lobby. Nobody else is here.\n");
    line_rig_stop();
}
END_TEST

START_TEST(the_description_stands_behind_the_welcome)
{
    struct peer *alice;

    line_rig_init();
    snprintf(rig.proto.server_description, sizeof(rig.proto.server_description),
             "Be kind.");
    line_rig_start();
    alice = peer_connect();
    peer_say(alice, "alice\n");

    peer_expect(alice, "Nickname: * Welcome to klatch, alice. Type /help for "
                       "the commands.\n"
                       "* Be kind.\n"
                       "* You are in #lobby. Nobody else is here.\n");
    line_rig_stop();
}
END_TEST

START_TEST(who_comes_later_sees_people_topic_and_past)
{
    struct peer *alice, *bob;

    start();
    alice = peer_called("alice");
    peer_say(alice, "/topic Coffee at four\nthe kettle is on\n/me pours\n");
    bob = peer_connect();
    peer_say(bob, "bob\n");

    peer_expect(bob, "Nickname: "
                     "* Welcome to klatch, bob. Type /help for the commands.\n"
                     "* You are in #lobby: 2 people are here, /who names "
                     "them.\n"
                     "* Topic: Coffee at four\n"
                     "* Earlier in #lobby (times are UTC):\n"
                     "10:04 <alice> the kettle is on\n"
                     "10:04 * alice pours\n");
    peer_expect(alice, "* alice set the topic of #lobby: Coffee at four\n"
                       "* bob joined #lobby.\n");
    line_rig_stop();
}
END_TEST

START_TEST(the_past_is_as_long_as_configured)
{
    struct peer *alice, *bob;

    line_rig_init();
    rig.proto.history_room_events = 1;
    rig.chat.history_room_events = 1;
    line_rig_start();
    alice = peer_called("alice");
    peer_say(alice, "one\ntwo\n");
    bob = peer_connect();
    peer_say(bob, "bob\n");

    ck_assert_ptr_nonnull(strstr(peer_read(bob), "UTC):\n10:04 <alice> two\n"));
    line_rig_stop();
}
END_TEST

START_TEST(silence_is_taken_for_a_person)
{
    struct peer *alice;

    line_rig_init();
    rig.detects = true;
    rig.net.timeouts_detect = 1;
    line_rig_start();
    alice = peer_connect();
    fake_time_pass_ms(2);

    peer_expect(alice, "Nickname: ");
    line_rig_stop();
}
END_TEST

START_TEST(what_was_detected_by_is_read)
{
    struct peer *alice;

    line_rig_init();
    rig.detects = true;
    line_rig_start();
    alice = peer_connect();
    peer_expect(alice, "");
    peer_say(alice, "alice\nhello\n/who\n");

    peer_expect(alice, "Nickname: "
                       "* Welcome to klatch, alice. Type /help for the "
                       "commands.\n"
                       "* You are in #lobby. Nobody else is here.\n"
                       "* In #lobby: alice\n"
                       "* 1 person in #lobby.\n");
    line_rig_stop();
}
END_TEST

START_TEST(any_script_will_do_for_a_nickname)
{
    struct peer *alice, *ming;

    start();
    alice = peer_called("alice");
    ming = peer_called("小明");
    peer_say(ming, "你好\n");

    peer_expect(alice, "<小明> 你好\n");
    line_rig_stop();
}
END_TEST

/* ---- nicknames that will not do ------------------------------------------ */

START_TEST(a_refused_nickname_brings_a_sentence_and_the_prompt)
{
    struct peer *bob;

    start();
    (void)peer_called("alice");
    bob = peer_connect();
    peer_say(bob, "ALICE\n");
    peer_expect(bob, "Nickname: "
                     "* ALICE is taken; please choose another nickname.\n"
                     "Nickname: ");
    peer_say(bob, "two words\n");
    peer_expect(bob, "* two words cannot be a nickname; use letters, digits "
                     "and _ - [ ] { } \\ ^ | `\n"
                     "Nickname: ");
    peer_say(bob, "klatch\n7up\n  bob  \n");
    peer_expect(bob, "* klatch is kept for the server; please choose another "
                     "nickname.\n"
                     "Nickname: "
                     "* 7up cannot be a nickname; begin it with a letter.\n"
                     "Nickname: "
                     "* Welcome to klatch, bob. Type /help for the commands.\n"
                     "* You are in #lobby: 2 people are here, /who names "
                     "them.\n");
    line_rig_stop();
}
END_TEST

START_TEST(nick_quit_and_help_work_at_the_prompt)
{
    struct peer *alice, *bob;

    start();
    alice = peer_connect();
    peer_say(alice, "/help quit\n/nick alice\n");
    peer_expect(alice, "Nickname: "
                       "* /quit [why] leaves.\n"
                       "Nickname: "
                       "* Welcome to klatch, alice. Type /help for the "
                       "commands.\n"
                       "* You are in #lobby. Nobody else is here.\n");
    bob = peer_connect();
    peer_say(bob, "/quit\nbob\n");
    peer_expect(bob, "Nickname: * Goodbye.\n");
    ck_assert(bob->at_eof);
    line_rig_stop();
}
END_TEST

START_TEST(an_empty_line_at_the_prompt_brings_it_again)
{
    struct peer *alice;

    start();
    alice = peer_connect();
    peer_say(alice, "\n  \n");

    peer_expect(alice, "Nickname: Nickname: Nickname: ");
    line_rig_stop();
}
END_TEST

START_TEST(other_commands_at_the_prompt_are_no_nicknames)
{
    struct peer *alice;

    start();
    alice = peer_connect();
    peer_say(alice, "/join\n");

    peer_expect(alice, "Nickname: "
                       "* /join cannot be a nickname; use letters, digits and "
                       "_ - [ ] { } \\ ^ | `\n"
                       "Nickname: ");
    line_rig_stop();
}
END_TEST

START_TEST(after_ten_refusals_it_is_goodbye)
{
    struct peer *p;
    const char *text;

    start();
    p = peer_connect();
    for (int i = 0; i < 9; i++)
        peer_say(p, "7\n");
    text = peer_read(p);
    ck_assert_str_eq(text + strlen(text) - 10, "Nickname: ");
    peer_say(p, "7\nalice\n");

    peer_expect(p, "* 7 cannot be a nickname; begin it with a letter.\n"
                   "* That makes 10; please come back with another idea. "
                   "Goodbye.\n");
    ck_assert(p->at_eof);
    line_rig_stop();
}
END_TEST

START_TEST(no_nickname_in_time_is_goodbye)
{
    struct peer *p;

    start();
    p = peer_connect();
    fake_time_pass_ms(rig.net.timeouts_opening + 1);

    peer_expect(p, "Nickname: \n* No nickname came in time. Goodbye.\n");
    ck_assert(p->at_eof);
    line_rig_stop();
}
END_TEST

/* It gave one; it is the hub that says nothing. */
START_TEST(who_is_not_answered_in_time_is_told_why)
{
    struct peer *p;

    start();
    rig.loses = COMMAND_ATTACH;
    p = peer_connect();
    peer_say(p, "alice\n");
    peer_expect(p, "Nickname: ");
    fake_time_pass_ms(rig.net.timeouts_opening + 1);

    peer_expect(p, "* The server is too busy to let you in; please try again "
                   "later. Goodbye.\n");
    ck_assert(p->at_eof);
    line_rig_stop();
}
END_TEST

/* ---- talk ---------------------------------------------------------------- */

START_TEST(talk_reaches_the_others_and_not_oneself)
{
    struct peer *alice, *bob, *carol;

    start();
    alice = peer_called("alice");
    bob = peer_called("bob");
    carol = peer_called("carol");
    peers_skip();
    peer_say(alice, "hello\n");
    peer_say(bob, "/me waves\n");
    peer_say(carol, "//who is a command\n");

    peer_expect(alice, "* bob waves\n<carol> /who is a command\n");
    peer_expect(bob, "<alice> hello\n<carol> /who is a command\n");
    peer_expect(carol, "<alice> hello\n* bob waves\n");
    line_rig_stop();
}
END_TEST

START_TEST(each_reader_gets_the_line_ends_it_writes)
{
    struct peer *alice, *bob, *carol;

    start();
    alice = peer_called("alice");
    bob = peer_called("bob\r");
    carol = peer_called("carol");
    peers_skip();
    peer_say(alice, "hello\n");
    peer_say(bob, "hi\r\n");

    peer_expect(alice, "<bob> hi\n");
    peer_expect(bob, "<alice> hello\r\n");
    peer_expect(carol, "<alice> hello\n<bob> hi\n");
    line_rig_stop();
}
END_TEST

START_TEST(talk_is_cleaned_on_its_way)
{
    struct peer *alice, *bob;

    start();
    alice = peer_called("alice");
    bob = peer_called("bob");
    peers_skip();
    peer_say(alice, "a\033[2Jb\rc\a\302\233\342\200\256d\376e\n");
    peer_say(alice, "\001\033\n");
    peer_say(alice, "/me \033]0;x\a\n/away \033c\n/topic \033[31mred\n");

    peer_expect(bob, "<alice> a[2Jbcd\357\277\275e\n"
                     "* alice ]0;x\n"
                     "* alice is away (c).\n"
                     "* alice set the topic of #lobby: [31mred\n");
    line_rig_stop();
}
END_TEST

START_TEST(a_line_at_the_limit_passes_and_one_byte_more_does_not)
{
    struct peer *alice, *bob;
    char line[80];
    int n;

    line_rig_init();
    rig.proto.limits_line_length = 64;
    line_rig_start();
    alice = peer_called("alice");
    bob = peer_called("bob");
    peers_skip();
    for (n = 63; n <= 65; n++) {
        (void)snprintf(line, sizeof(line), "%0*d\n", n, 7);
        peer_say(alice, line);
    }
    peer_say(alice, "still here\n");

    (void)snprintf(line, sizeof(line), "<alice> %063d\n", 7);
    ck_assert_int_eq(strncmp(peer_read(bob), line, strlen(line)), 0);
    (void)snprintf(line, sizeof(line), "<alice> %064d\n", 7);
    ck_assert_ptr_nonnull(strstr(bob->text.data, line));
    ck_assert_ptr_null(strstr(bob->text.data, "%065d"));
    ck_assert_ptr_nonnull(strstr(bob->text.data, "<alice> still here\n"));
    peer_expect(alice, "* That line is longer than 64 bytes and was not taken; "
                       "please send it in parts.\n");
    line_rig_stop();
}
END_TEST

START_TEST(what_is_told_to_one_reaches_that_one)
{
    struct peer *alice, *bob, *carol;

    start();
    alice = peer_called("alice");
    bob = peer_called("bob");
    carol = peer_called("carol");
    peers_skip();
    peer_say(alice, "/msg BOB over there\n/msg dave hello\n/msg bob\n");
    peer_say(carol, "/away lunch\n");
    peer_say(bob, "/msg carol hungry?\n");

    peer_expect(bob, "[private] <alice> over there\n"
                     "* carol is away (lunch).\n"
                     "* carol is away: lunch\n");
    peer_expect(carol, "* You are away (lunch); /back ends that.\n"
                       "[private] <bob> hungry?\n");
    peer_expect(alice, "* Please write it as /msg NICK text\n"
                       "* Nobody here is called dave; /who names the people in "
                       "a room.\n"
                       "* carol is away (lunch).\n");
    line_rig_stop();
}
END_TEST

UNIT_MAIN("proto/line_session",
          one_who_comes_is_asked_for_a_nickname_and_welcomed,
          the_description_stands_behind_the_welcome,
          who_comes_later_sees_people_topic_and_past,
          the_past_is_as_long_as_configured, silence_is_taken_for_a_person,
          what_was_detected_by_is_read, any_script_will_do_for_a_nickname,
          a_refused_nickname_brings_a_sentence_and_the_prompt,
          nick_quit_and_help_work_at_the_prompt,
          an_empty_line_at_the_prompt_brings_it_again,
          other_commands_at_the_prompt_are_no_nicknames,
          after_ten_refusals_it_is_goodbye, no_nickname_in_time_is_goodbye,
          who_is_not_answered_in_time_is_told_why,
          talk_reaches_the_others_and_not_oneself,
          each_reader_gets_the_line_ends_it_writes, talk_is_cleaned_on_its_way,
          a_line_at_the_limit_passes_and_one_byte_more_does_not,
          what_is_told_to_one_reaches_that_one)
