/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whole sessions of the line protocol on a real hub, one worker and a fake
 * clock: rooms, lists, names and commands.
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

UNIT_MAIN("proto/line_session_rooms", talk_goes_to_the_current_room,
          leaving_the_current_room_goes_to_the_newest_other,
          leaving_the_newest_room_goes_to_the_one_before,
          a_reason_for_leaving_is_told, refused_joins_leave_all_as_it_was,
          names_that_are_too_long_are_refused_and_shortened, who_and_rooms_list,
          a_list_in_parts_is_counted_whole_each_time,
          topics_are_shown_set_and_cleared, history_is_as_long_as_wanted,
          a_new_nickname_is_told_to_all, away_and_back_are_told_once,
          help_comes_from_the_table)
