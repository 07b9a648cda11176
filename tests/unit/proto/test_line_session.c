/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whole sessions, as docs/protocol-line.md has them: real conns, front and hub.
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

/* ---- rooms --------------------------------------------------------------- */

START_TEST(talk_goes_to_the_current_room)
{
    struct peer *alice, *bob;

    start();
    alice = peer_called("alice");
    bob = peer_called("bob");
    peers_skip();
    peer_say(bob, "/join tea\n");
    peer_say(alice, "/join #tea\n/switch lobby\nin the lobby\n"
                    "/switch TEA\nin the tea room\n/join #lobby\nback\n");

    peer_expect(alice, "* You are in #tea: 2 people are here, /who names "
                       "them.\n"
                       "* You are talking in #lobby now.\n"
                       "* You are talking in #tea now.\n"
                       "* You are talking in #lobby now.\n");
    peer_expect(bob, "* You are in #tea. Nobody else is here.\n"
                     "* alice joined #tea.\n"
                     "[#lobby] <alice> in the lobby\n"
                     "<alice> in the tea room\n"
                     "[#lobby] <alice> back\n");
    line_rig_stop();
}
END_TEST

START_TEST(leaving_the_current_room_goes_to_the_newest_other)
{
    struct peer *alice, *bob;

    start();
    alice = peer_called("alice");
    bob = peer_called("bob");
    peers_skip();
    peer_say(alice, "/join #a\n/join #b\n/part #a not here\n/part see you\n"
                    "hello lobby\n/part\nhello nobody\n/who\n/part\n");

    peer_expect(alice, "* You are in #a. Nobody else is here.\n"
                       "* You are in #b. Nobody else is here.\n"
                       "* You left #a.\n"
                       "* You left #b.\n"
                       "* You are talking in #lobby now.\n"
                       "* You left #lobby.\n"
                       "* You are in no room now. /join one to talk.\n"
                       "* You are in no room now. /join one to talk.\n"
                       "* You are in no room now. /join one to talk.\n"
                       "* You are in no room now. /join one to talk.\n");
    peer_expect(bob, "<alice> hello lobby\n* alice left #lobby.\n");
    line_rig_stop();
}
END_TEST

START_TEST(leaving_the_newest_room_goes_to_the_one_before)
{
    struct peer *alice;

    start();
    alice = peer_called("alice");
    peer_say(alice, "/join #a\n/join #b\n");
    peers_skip();
    peer_say(alice, "/part\n");

    peer_expect(alice, "* You left #b.\n* You are talking in #a now.\n");
    line_rig_stop();
}
END_TEST

START_TEST(a_reason_for_leaving_is_told)
{
    struct peer *alice, *bob;

    start();
    alice = peer_called("alice");
    bob = peer_called("bob");
    peers_skip();
    peer_say(alice, "/part #lobby  lunch time \n");

    peer_expect(bob, "* alice left #lobby (lunch time).\n");
    line_rig_stop();
}
END_TEST

START_TEST(refused_joins_leave_all_as_it_was)
{
    struct peer *alice, *bob;

    line_rig_init();
    rig.chat.limits_rooms_per_user = 1;
    line_rig_start();
    alice = peer_called("alice");
    bob = peer_called("bob");
    peers_skip();
    peer_say(alice, "/join #tea\n/join a,b\n/join\n/switch #tea\nhello\n");

    peer_expect(alice, "* You are in as many rooms as one may be; /part one of "
                       "them first.\n"
                       "* #a,b cannot be a room; its name is # and no space, "
                       "comma or colon.\n"
                       "* Please write it as /join #room\n"
                       "* You are not in #tea; /join #tea first.\n");
    peer_expect(bob, "<alice> hello\n");
    line_rig_stop();
}
END_TEST

START_TEST(names_that_are_too_long_are_refused_and_shortened)
{
    struct peer *alice;
    char line[4000];

    start();
    alice = peer_called("alice");
    memset(line, 'x', sizeof(line));
    memcpy(line, "/join ", 6);
    strcpy(line + sizeof(line) - 2, "\n");
    peer_say(alice, line);
    memcpy(line, "/part #", 7);
    peer_say(alice, line);
    memcpy(line, "/xxxx x", 7);
    peer_say(alice, line);

    peer_expect(alice, "* That room name is too long; 63 characters after the "
                       "# are the most.\n"
                       "* That room name is too long; 63 characters after the "
                       "# are the most.\n"
                       "* There is no command /xxxx; /help lists those there "
                       "are.\n");
    line_rig_stop();
}
END_TEST

START_TEST(who_and_rooms_list)
{
    struct peer *alice, *bob;

    start();
    alice = peer_called("alice");
    bob = peer_called("bob");
    peer_say(bob, "/away\n/join #tea\n/topic Darjeeling\n");
    peers_skip();
    peer_say(alice, "/who\n/who tea\n/who #nowhere\n/rooms\n");

    peer_expect(alice, "* In #lobby: alice, bob (away)\n"
                       "* 2 people in #lobby.\n"
                       "* In #tea: bob (away)\n"
                       "* 1 person in #tea.\n"
                       "* There is no room #nowhere; /rooms lists those there "
                       "are.\n"
                       "* #lobby: 2 people.\n"
                       "* #tea: 1 person. Darjeeling\n"
                       "* 2 rooms.\n");
    line_rig_stop();
}
END_TEST

START_TEST(a_list_in_parts_is_counted_whole_each_time)
{
    struct peer *alice;
    const char *text;
    char line[32];

    line_rig_init();
    rig.chat.limits_rooms_per_user = 300;
    line_rig_start();
    alice = peer_called("alice");
    for (int i = 0; i < 2 * EVENT_ITEMS_MAX; i++) {
        (void)snprintf(line, sizeof(line), "/join #%d\n", i);
        peer_write(alice, line, strlen(line));
        if (i % 50 == 0)
            line_rig_settle();
    }
    peers_skip();
    peer_say(alice, "/rooms\n/rooms\n");
    text = strstr(peer_read(alice), "* #255: 1 person.\n* 257 rooms.\n");

    ck_assert_ptr_nonnull(text);
    ck_assert_ptr_nonnull(
        strstr(text + 1, "* #255: 1 person.\n* 257 rooms.\n"));
    line_rig_stop();
}
END_TEST

START_TEST(topics_are_shown_set_and_cleared)
{
    struct peer *alice, *bob;

    start();
    alice = peer_called("alice");
    bob = peer_called("bob");
    peers_skip();
    peer_say(alice, "/topic\n/topic  Coffee at four \n/topic #lobby\n");
    peer_say(bob, "/topic -\n/topic\n/topic #tea x\n");

    peer_expect(alice, "* #lobby has no topic.\n"
                       "* alice set the topic of #lobby: Coffee at four\n"
                       "* Topic of #lobby: Coffee at four (set by alice, "
                       "2026-11-21 10:04 UTC)\n"
                       "* bob cleared the topic of #lobby.\n");
    peer_expect(bob, "* alice set the topic of #lobby: Coffee at four\n"
                     "* bob cleared the topic of #lobby.\n"
                     "* #lobby has no topic.\n"
                     "* There is no room #tea; /rooms lists those there "
                     "are.\n");
    line_rig_stop();
}
END_TEST

START_TEST(history_is_as_long_as_wanted)
{
    struct peer *alice;

    start();
    alice = peer_called("alice");
    peer_say(alice, "/history\none\n/me two\nthree\n/history 2\n"
                    "/history #lobby 1\n/history #tea\n");

    peer_expect(alice, "* Nothing is said in #lobby so far.\n"
                       "* Earlier in #lobby (times are UTC):\n"
                       "10:04 * alice two\n"
                       "10:04 <alice> three\n"
                       "* Earlier in #lobby (times are UTC):\n"
                       "10:04 <alice> three\n"
                       "* There is no room #tea; /rooms lists those there "
                       "are.\n");
    peer_say(alice, "/history 0\n/history x\n");
    peer_expect(alice, "* Please say how many lines as a number, for example "
                       "/history 50\n"
                       "* Please say how many lines as a number, for example "
                       "/history 50\n");
    line_rig_stop();
}
END_TEST

/* ---- oneself ------------------------------------------------------------- */

START_TEST(a_new_nickname_is_told_to_all)
{
    struct peer *alice, *bob;

    start();
    alice = peer_called("alice");
    bob = peer_called("bob");
    peers_skip();
    peer_say(alice, "/nick Alicia\n/nick bob\n/nick Alicia\nhello\n");

    peer_expect(alice, "* You are known as Alicia now.\n"
                       "* bob is taken; please choose another nickname.\n"
                       "* You are known as Alicia already; /nick NAME takes "
                       "another one.\n");
    peer_expect(bob, "* alice is now known as Alicia.\n<Alicia> hello\n");
    line_rig_stop();
}
END_TEST

START_TEST(away_and_back_are_told_once)
{
    struct peer *alice, *bob;

    start();
    alice = peer_called("alice");
    bob = peer_called("bob");
    peer_say(alice, "/join #tea\n");
    peer_say(bob, "/join #tea\n");
    peers_skip();
    peer_say(alice, "/away\n/back\n/back\n");

    peer_expect(alice, "* You are away; /back ends that.\n"
                       "* You are back.\n"
                       "* You are back.\n");
    peer_expect(bob, "* alice is away.\n* alice is back.\n");
    line_rig_stop();
}
END_TEST

START_TEST(help_comes_from_the_table)
{
    struct peer *alice;
    const char *text;

    start();
    alice = peer_called("alice");
    peer_say(alice, "/help\n");
    text = peer_read(alice);

    ck_assert_ptr_nonnull(strstr(text, "\n*   /join #room            enters a "
                                       "room"));
    ck_assert_ptr_nonnull(strstr(text, "\n*   /topic [#room] [text]  shows the "
                                       "topic, or"));
    ck_assert_ptr_nonnull(
        strstr(text, "\n*   /quit [why]            leaves\n"));
    peer_say(alice, "/help /me\n/help foo\n/foo \033bar\n/\n/rooms x\n");
    peer_expect(alice, "* /me text says what you do: * you text.\n"
                       "* There is no command /foo; /help lists those there "
                       "are.\n"
                       "* There is no command /foo; /help lists those there "
                       "are.\n"
                       "* There is no command /; /help lists those there "
                       "are.\n"
                       "* Please write it as /rooms\n");
    line_rig_stop();
}
END_TEST

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

UNIT_MAIN("proto/line_session",
          one_who_comes_is_asked_for_a_nickname_and_welcomed,
          who_comes_later_sees_people_topic_and_past,
          the_past_is_as_long_as_configured, silence_is_taken_for_a_person,
          what_was_detected_by_is_read, any_script_will_do_for_a_nickname,
          a_refused_nickname_brings_a_sentence_and_the_prompt,
          nick_quit_and_help_work_at_the_prompt,
          an_empty_line_at_the_prompt_brings_it_again,
          other_commands_at_the_prompt_are_no_nicknames,
          after_ten_refusals_it_is_goodbye, no_nickname_in_time_is_goodbye,
          talk_reaches_the_others_and_not_oneself,
          each_reader_gets_the_line_ends_it_writes, talk_is_cleaned_on_its_way,
          a_line_at_the_limit_passes_and_one_byte_more_does_not,
          what_is_told_to_one_reaches_that_one, talk_goes_to_the_current_room,
          leaving_the_current_room_goes_to_the_newest_other,
          leaving_the_newest_room_goes_to_the_one_before,
          a_reason_for_leaving_is_told, refused_joins_leave_all_as_it_was,
          a_list_in_parts_is_counted_whole_each_time,
          names_that_are_too_long_are_refused_and_shortened, who_and_rooms_list,
          topics_are_shown_set_and_cleared, history_is_as_long_as_wanted,
          a_new_nickname_is_told_to_all, away_and_back_are_told_once,
          help_comes_from_the_table, everything_may_be_sent_in_one_go,
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
