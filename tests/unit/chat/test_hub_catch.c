/* SPDX-License-Identifier: BSD-2-Clause
 *
 * CATCH_UP: what was missed, from where it is kept, in order and once.
 */

#include "rig.h"
#include "support/unit.h"

static struct rig rig;
static struct person anna, berta, carl;

#define ALL 1000

/* anna can come back; she and berta are in #tea (seq 2) and #a (seq 2). */
static void
open_rooms(const struct chat_conf *chat)
{
    rig_open(&rig, chat);
    anna = rig_attach_resumable(&rig, RIG_CONN(0, 1), "anna");
    berta = rig_attach(&rig, RIG_CONN(1, 7), "berta");
    rig_join(&rig, &anna, "#tea");
    rig_join(&rig, &berta, "#tea");
    rig_join(&rig, &anna, "#a");
    rig_join(&rig, &berta, "#a");
}

static void
come_back(void)
{
    rig_resume(&rig, &anna, RIG_CONN(0, anna.conn + 1));
    rig_catch_up(&rig, &anna, rig.resumed_at, ALL);
}

START_TEST(rooms_mail_and_announcements_come_in_the_order_of_ids)
{
    open_rooms(NULL);
    rig_lose(&rig, &anna, "reset");
    rig_do(&rig, &berta, COMMAND_SAY, "#a", "one");
    rig_do(&rig, &berta, COMMAND_TELL, "anna", "two");
    rig_do(&rig, &berta, COMMAND_SAY, "#tea", "three");
    rig_do(&rig, NULL, COMMAND_ANNOUNCE, "", "four");
    rig_do(&rig, &berta, COMMAND_SAY, "#a", "five");
    come_back();
    rig_expect(&rig, "0 conn said berta text=one seq=3 missed",
               "0 conn told berta name=anna text=two missed",
               "0 conn said berta text=three seq=3 missed",
               "0 conn announced text=four missed",
               "0 conn said berta text=five seq=4 missed", "0 conn caught-up",
               "0 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(what_concerns_several_rooms_comes_once)
{
    open_rooms(NULL);
    rig_lose(&rig, &anna, "reset");
    rig_do(&rig, &berta, COMMAND_NICK, "bea", "");
    rig_do(&rig, &berta, COMMAND_AWAY, "", "lunch");
    rig_do(&rig, &berta, COMMAND_DETACH, "", "bye");
    come_back();
    rig_expect(&rig, "0 conn renamed berta name=bea seq=3,3 missed",
               "0 conn away bea text=lunch seq=4,4 missed",
               "0 conn quit bea text=bye seq=5,5 missed", "0 conn caught-up",
               "0 conn done", NULL);
    rig_close(&rig);
}
END_TEST

/* That it is away is in the logs of its five rooms, and not shown to it. */
START_TEST(a_chunk_may_hold_nothing)
{
    uint64_t cursor;

    open_rooms(NULL);
    rig_join(&rig, &anna, "#b");
    rig_join(&rig, &anna, "#c");
    rig_join(&rig, &anna, "#d");
    cursor = rig.last_id;
    for (unsigned i = 0; i < HUB_COUNT_MAX / 5 + 1; i++)
        rig_do(&rig, &anna, COMMAND_AWAY, "", i % 2 == 0 ? "x" : "");
    rig_do(&rig, &berta, COMMAND_SAY, "#a", "one");
    rig_catch_up(&rig, &anna, cursor, ALL);
    rig_expect(&rig, "0 conn caught-up more", "0 conn done", NULL);
    rig_catch_up(&rig, &anna, rig.caught_up, ALL);
    ck_assert_uint_eq(rig.count, 3);
    ck_assert_str_eq(rig.lines[1], "0 conn caught-up");
    rig_close(&rig);
}
END_TEST

START_TEST(a_chunk_ends_where_the_next_begins)
{
    open_rooms(NULL);
    rig_lose(&rig, &anna, "reset");
    for (unsigned i = 0; i < 4; i++) {
        char text[2] = {(char)('1' + (int)i), '\0'};

        rig_do(&rig, &berta, COMMAND_SAY, i % 2 == 0 ? "#tea" : "#a", text);
    }
    rig_resume(&rig, &anna, RIG_CONN(0, 2));
    rig_catch_up(&rig, &anna, rig.resumed_at, 3);
    rig_expect(&rig, "0 conn said berta text=1 seq=3 missed",
               "0 conn said berta text=2 seq=3 missed",
               "0 conn said berta text=3 seq=4 missed", "0 conn caught-up more",
               "0 conn done", NULL);
    rig_catch_up(&rig, &anna, rig.caught_up, 1); /* just all */
    rig_expect(&rig, "0 conn said berta text=4 seq=4 missed",
               "0 conn caught-up", "0 conn done", NULL);
    rig_catch_up(&rig, &anna, rig.caught_up, 3);
    rig_expect(&rig, "0 conn caught-up", "0 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(none_at_most_is_a_question_whether_there_are_any)
{
    open_rooms(NULL);
    rig_catch_up(&rig, &anna, rig.last_id, 0);
    rig_expect(&rig, "0 conn caught-up", "0 conn done", NULL);
    rig_catch_up(&rig, &anna, 0, 0);
    rig_expect(&rig, "0 conn caught-up more", "0 conn done", NULL);
    ck_assert_uint_eq(rig.caught_up, 0);
    rig_close(&rig);
}
END_TEST

START_TEST(no_more_than_the_most_come_at_once)
{
    open_rooms(NULL);
    rig_lose(&rig, &anna, "reset");
    for (unsigned i = 0; i < HUB_CATCH_MAX + 10; i++)
        rig_do(&rig, &berta, COMMAND_SAY, "#tea", "x");
    come_back();
    ck_assert_uint_eq(rig.count, HUB_CATCH_MAX + 2);
    ck_assert_str_eq(rig.lines[HUB_CATCH_MAX], "0 conn caught-up more");
    rig_catch_up(&rig, &anna, rig.caught_up, UINT32_MAX);
    ck_assert_uint_eq(rig.count, 10 + 2);
    ck_assert_str_eq(rig.lines[10], "0 conn caught-up");
    rig_close(&rig);
}
END_TEST

START_TEST(ids_behind_the_last_chunk_are_above_its_number)
{
    uint64_t number;

    open_rooms(NULL);
    rig_lose(&rig, &anna, "reset");
    come_back();
    number = rig.caught_up;
    rig_do(&rig, &berta, COMMAND_SAY, "#tea", "x");
    ck_assert_uint_gt(rig.last_id, number);
    rig_catch_up(&rig, &anna, number, ALL);
    rig_expect(&rig, "0 conn said berta text=x seq=3 missed",
               "0 conn caught-up", "0 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(nothing_from_before_a_join_comes)
{
    open_rooms(NULL);
    rig_do(&rig, &berta, COMMAND_JOIN, "#b", "");
    rig_do(&rig, &berta, COMMAND_SAY, "#b", "before");
    rig_join(&rig, &anna, "#b");
    rig_do(&rig, &berta, COMMAND_SAY, "#b", "within");
    rig_do(&rig, &anna, COMMAND_PART, "#b", "");
    rig_do(&rig, &berta, COMMAND_SAY, "#b", "between");
    rig_join(&rig, &anna, "#b");
    rig_do(&rig, &berta, COMMAND_SAY, "#b", "after");
    rig_catch_up(&rig, &anna, 0, ALL);
    rig_expect(&rig, "0 conn joined berta name=#tea seq=2 missed",
               "0 conn joined berta name=#a seq=2 missed",
               "0 conn said berta text=after seq=8 missed", "0 conn caught-up",
               "0 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(nothing_from_before_the_session_comes)
{
    open_rooms(NULL);
    rig_do(&rig, NULL, COMMAND_ANNOUNCE, "", "before");
    carl = rig_attach_resumable(&rig, RIG_CONN(2, 1), "carl");
    rig_do(&rig, NULL, COMMAND_ANNOUNCE, "", "after");
    rig_catch_up(&rig, &carl, 0, ALL);
    rig_expect(&rig, "2 conn announced text=after missed", "2 conn caught-up",
               "2 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(ones_own_talk_comes_only_to_who_echoes)
{
    uint64_t before;

    open_rooms(NULL);
    before = rig.last_id;
    rig_do(&rig, &anna, COMMAND_SAY, "#tea", "mine");
    rig_topic(&rig, &anna, "#tea", "green");
    rig_do(&rig, &anna, COMMAND_AWAY, "", "lunch");
    rig_do(&rig, &anna, COMMAND_NICK, "annie", "");
    rig_do(&rig, &berta, COMMAND_SAY, "#tea", "yours");
    rig_catch_up(&rig, &anna, before, ALL);
    rig_expect(&rig, "0 conn topic anna text=green seq=4 missed",
               "0 conn said berta text=yours seq=7 missed", "0 conn caught-up",
               "0 conn done", NULL);
    rig_echo(&rig, &anna, true);
    rig_catch_up(&rig, &anna, before, ALL);
    rig_expect(&rig, "0 conn said anna text=mine seq=3 missed",
               "0 conn topic anna text=green seq=4 missed",
               "0 conn said berta text=yours seq=7 missed", "0 conn caught-up",
               "0 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(losses_and_returns_are_not_kept)
{
    open_rooms(NULL);
    carl = rig_attach_resumable(&rig, RIG_CONN(2, 1), "carl");
    rig_join(&rig, &carl, "#tea");
    rig_lose(&rig, &anna, "reset");
    rig_lose(&rig, &carl, "reset");
    rig_resume(&rig, &carl, RIG_CONN(2, 2));
    come_back();
    rig_expect(&rig, "0 conn caught-up", "0 conn done", NULL);
    rig_close(&rig);
}
END_TEST

UNIT_MAIN("chat/hub_catch",
          rooms_mail_and_announcements_come_in_the_order_of_ids,
          what_concerns_several_rooms_comes_once, a_chunk_may_hold_nothing,
          a_chunk_ends_where_the_next_begins,
          none_at_most_is_a_question_whether_there_are_any,
          no_more_than_the_most_come_at_once,
          ids_behind_the_last_chunk_are_above_its_number,
          nothing_from_before_a_join_comes,
          nothing_from_before_the_session_comes,
          ones_own_talk_comes_only_to_who_echoes,
          losses_and_returns_are_not_kept)
