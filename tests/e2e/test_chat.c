/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What people do with each other: talk, rooms, private words, topic, away.
 */
#include <string.h>

#include "support/daemon.h"
#include "support/peer.h"
#include "support/unit.h"

static struct daemon d;
static struct peer alice, bob, carol;

/* Three are in #lobby and have read all that comes with it. */
static void
three_join(void)
{
    daemon_start(&d, NULL);
    peer_join(&alice, d.port, "alice");
    peer_join(&bob, d.port, "bob");
    peer_expect(&alice, "* bob joined #lobby.");
    peer_join(&carol, d.port, "carol");
    peer_expect(&alice, "* carol joined #lobby.");
    peer_expect(&bob, "* carol joined #lobby.");
}

static void
three_leave(void)
{
    peer_close(&alice);
    peer_close(&bob);
    peer_close(&carol);
    daemon_stop(&d);
}

static void
all_expect_silence(void)
{
    peer_expect_silence(&alice);
    peer_expect_silence(&bob);
    peer_expect_silence(&carol);
}

START_TEST(three_are_told_where_they_are_and_what_they_say)
{
    daemon_start(&d, NULL);

    peer_connect(&alice, d.port);
    peer_expect_bytes(&alice, "Nickname: ");
    peer_send(&alice, "alice\n");
    peer_expect(&alice,
                "* Welcome to klatch, alice. Type /help for the commands.");
    peer_expect(&alice, "* You are in #lobby. Nobody else is here.");
    peer_connect(&bob, d.port);
    peer_send(&bob, "bob\n");
    peer_expect(&bob, "Nickname: * Welcome to klatch, bob. Type /help for the "
                      "commands.");
    peer_expect(&bob, "* You are in #lobby: 2 people are here, /who names "
                      "them.");
    peer_expect(&alice, "* bob joined #lobby.");
    peer_join(&carol, d.port, "carol");
    peer_expect(&alice, "* carol joined #lobby.");
    peer_expect(&bob, "* carol joined #lobby.");

    peer_send(&alice, "hello\n");
    peer_expect(&bob, "<alice> hello");
    peer_expect(&carol, "<alice> hello");
    peer_send(&bob, "and to you\n");
    peer_expect(&alice, "<bob> and to you");
    peer_expect(&carol, "<bob> and to you");
    all_expect_silence();
    three_leave();
}
END_TEST

START_TEST(an_action_is_shown_as_one)
{
    three_join();

    peer_send(&alice, "/me puts the kettle on\n");

    peer_expect(&bob, "* alice puts the kettle on");
    peer_expect(&carol, "* alice puts the kettle on");
    all_expect_silence();
    three_leave();
}
END_TEST

START_TEST(a_private_word_reaches_one_alone)
{
    three_join();

    peer_send(&alice, "/msg BOB between us\n");
    peer_expect(&bob, "[private] <alice> between us");
    peer_send(&alice, "/msg dave hello?\n");
    peer_expect(&alice, "* Nobody here is called dave; /who names the people "
                        "in a room.");
    all_expect_silence();
    three_leave();
}
END_TEST

START_TEST(who_is_away_is_told_once_and_to_who_writes)
{
    three_join();

    peer_send(&alice, "/away at lunch\n");
    peer_expect(&alice, "* You are away (at lunch); /back ends that.");
    peer_expect(&bob, "* alice is away (at lunch).");
    peer_expect(&carol, "* alice is away (at lunch).");
    peer_send(&bob, "/msg alice soup?\n");
    peer_expect(&bob, "* alice is away: at lunch");
    peer_expect(&alice, "[private] <bob> soup?");
    peer_send(&bob, "/who\n");
    peer_expect(&bob, "* In #lobby: alice (away), bob, carol");
    peer_expect(&bob, "* 3 people in #lobby.");
    peer_send(&alice, "/back\n");
    peer_expect(&alice, "* You are back.");
    peer_expect(&bob, "* alice is back.");
    peer_expect(&carol, "* alice is back.");
    all_expect_silence();
    three_leave();
}
END_TEST

START_TEST(rooms_are_joined_switched_and_left)
{
    three_join();

    peer_send(&alice, "/join #tea\n");
    peer_expect(&alice, "* You are in #tea. Nobody else is here.");
    peer_send(&bob, "/join tea\n");
    peer_expect(&bob, "* You are in #tea: 2 people are here, /who names them.");
    peer_expect(&alice, "* bob joined #tea.");
    peer_send(&alice, "green\n");
    peer_expect(&bob, "<alice> green");

    /* Bob talks in the lobby again, and hears the tea room from there. */
    peer_send(&bob, "/switch #lobby\nhere I am\n");
    peer_expect(&bob, "* You are talking in #lobby now.");
    peer_expect(&carol, "<bob> here I am");
    peer_expect(&alice, "[#lobby] <bob> here I am");
    peer_send(&alice, "/me pours\nblack\n");
    peer_expect(&bob, "[#tea] * alice pours");
    peer_expect(&bob, "[#tea] <alice> black");

    peer_send(&alice, "/part #tea enough tea\n");
    peer_expect(&alice, "* You left #tea.");
    peer_expect(&alice, "* You are talking in #lobby now.");
    peer_expect(&bob, "* alice left #tea (enough tea).");
    peer_send(&carol, "/switch #tea\n");
    peer_expect(&carol, "* You are not in #tea; /join #tea first.");
    all_expect_silence();
    three_leave();
}
END_TEST

START_TEST(who_is_in_no_room_is_told_what_to_do)
{
    three_join();

    peer_send(&alice, "/part\nhello?\n");

    peer_expect(&alice, "* You left #lobby.");
    peer_expect(&alice, "* You are in no room now. /join one to talk.");
    peer_expect(&alice, "* You are in no room now. /join one to talk.");
    peer_expect(&bob, "* alice left #lobby.");
    peer_expect(&carol, "* alice left #lobby.");
    three_leave();
}
END_TEST

START_TEST(the_topic_is_shown_set_and_cleared)
{
    const char *line;

    three_join();

    peer_send(&bob, "/topic #lobby Coffee at four\n");
    peer_expect(&alice, "* bob set the topic of #lobby: Coffee at four");
    peer_expect(&bob, "* bob set the topic of #lobby: Coffee at four");
    peer_expect(&carol, "* bob set the topic of #lobby: Coffee at four");
    peer_send(&alice, "/topic\n");
    line = peer_expect_start(
        &alice, "* Topic of #lobby: Coffee at four (set by bob, 20");
    ck_assert_str_eq(line + strlen(line) - 5, " UTC)");
    peer_send(&carol, "/topic -\n/topic\n");
    peer_expect(&carol, "* carol cleared the topic of #lobby.");
    peer_expect(&carol, "* #lobby has no topic.");
    peer_expect(&alice, "* carol cleared the topic of #lobby.");
    peer_expect(&bob, "* carol cleared the topic of #lobby.");
    all_expect_silence();
    three_leave();
}
END_TEST

START_TEST(rooms_are_listed_with_people_and_topic)
{
    three_join();

    peer_send(&alice, "/join #tea\n/topic Hot\n/rooms\n");

    peer_expect(&alice, "* You are in #tea. Nobody else is here.");
    peer_expect(&alice, "* alice set the topic of #tea: Hot");
    peer_expect(&alice, "* #lobby: 3 people.");
    peer_expect(&alice, "* #tea: 1 person. Hot");
    peer_expect(&alice, "* 2 rooms.");
    peer_send(&alice, "/part\n/rooms\n");
    peer_expect(&alice, "* You left #tea.");
    peer_expect(&alice, "* You are talking in #lobby now.");
    peer_expect(&alice, "* #lobby: 3 people.");
    peer_expect(&alice, "* 1 room.");
    three_leave();
}
END_TEST

/* "HH:MM rest": is it? */
static void
expect_past(struct peer *p, const char *rest)
{
    const char *const line = peer_take(p);

    if (strlen(line) < 6 || line[2] != ':' || line[5] != ' ' ||
        strcmp(line + 6, rest) != 0)
        e2e_fail("expected: HH:MM %s\nthere is: %s", rest, line);
}

START_TEST(who_joins_is_shown_the_last_lines)
{
    struct peer dave;

    daemon_start(&d, "[history]\nroom_events = 3\n");
    peer_join(&alice, d.port, "alice");
    peer_send(&alice, "one\n/me is two\nthree\nfour\n");
    peer_expect_silence(&alice);

    peer_connect(&dave, d.port);
    peer_send(&dave, "dave\n");
    peer_await(&dave, "* You are in #lobby: 2 people");
    peer_expect(&dave, "* Earlier in #lobby (times are UTC):");
    expect_past(&dave, "* alice is two");
    expect_past(&dave, "<alice> three");
    expect_past(&dave, "<alice> four");
    peer_send(&dave, "/history 9\n");
    peer_expect(&dave, "* Earlier in #lobby (times are UTC):");
    expect_past(&dave, "<alice> one");
    expect_past(&dave, "* alice is two");
    expect_past(&dave, "<alice> three");
    expect_past(&dave, "<alice> four");
    peer_expect_silence(&dave);

    peer_close(&alice);
    peer_close(&dave);
    daemon_stop(&d);
}
END_TEST

START_TEST(a_quit_is_told_once_however_many_rooms_are_shared)
{
    three_join();
    peer_send(&alice, "/join #tea\n");
    peer_expect(&alice, "* You are in #tea. Nobody else is here.");
    peer_send(&bob, "/join #tea\n");
    peer_expect(&bob, "* You are in #tea: 2 people are here, /who names "
                      "them.");
    peer_expect(&alice, "* bob joined #tea.");

    peer_send(&alice, "/quit home\n");

    peer_expect(&alice, "* Goodbye, alice.");
    peer_expect_end(&alice, false);
    peer_expect(&bob, "* alice quit (home).");
    peer_expect(&carol, "* alice quit (home).");
    peer_expect_silence(&bob);
    peer_expect_silence(&carol);
    three_leave();
}
END_TEST

UNIT_MAIN("e2e/chat", three_are_told_where_they_are_and_what_they_say,
          an_action_is_shown_as_one, a_private_word_reaches_one_alone,
          who_is_away_is_told_once_and_to_who_writes,
          rooms_are_joined_switched_and_left,
          who_is_in_no_room_is_told_what_to_do,
          the_topic_is_shown_set_and_cleared,
          rooms_are_listed_with_people_and_topic,
          who_joins_is_shown_the_last_lines,
          a_quit_is_told_once_however_many_rooms_are_shared)
