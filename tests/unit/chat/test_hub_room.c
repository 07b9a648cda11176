/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rooms: how they begin and end, who is in them, what is said in them.
 */
#include <stdio.h>

#include "base/compiler.h"
#include "rig.h"
#include "support/unit.h"

static struct rig rig;

static uint64_t
rooms_now(void)
{
    struct hub_census census;

    hub_count(rig.hub, &census);
    return census.rooms;
}

START_TEST(the_lobby_is_there_before_anybody)
{
    struct person anna;

    rig_open(&rig, NULL);
    anna = rig_attach(&rig, RIG_CONN(0, 1), "anna");
    rig_do(&rig, &anna, COMMAND_ROOMS, "", "");
    rig_expect(&rig, "0 conn rooms items=#lobby", "0 conn done", NULL);
    rig_do(&rig, &anna, COMMAND_WHO, "#LOBBY", "");
    rig_expect(&rig, "0 conn members name=#lobby", "0 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(the_joiner_is_announced_then_shown_the_room)
{
    struct person anna, berta;

    rig_open(&rig, NULL);
    anna = rig_attach(&rig, RIG_CONN(0, 1), "anna");
    berta = rig_attach(&rig, RIG_CONN(1, 1), "berta");

    rig_do(&rig, &anna, COMMAND_JOIN, "#Tea", "");
    rig_expect(&rig, "0 room joined anna name=#Tea seq=1",
               "0 conn room name=#Tea number=1 seq=1", "0 conn done", NULL);
    rig_topic(&rig, &anna, "#tea", "leaves");
    rig_do(&rig, &berta, COMMAND_JOIN, "#tEA", "");
    rig_expect(&rig, "0 room joined berta name=#Tea seq=3",
               "1 room joined berta name=#Tea seq=3",
               "1 conn room name=#Tea text=leaves number=2 seq=3",
               "1 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(the_leaver_is_told_like_all_the_others)
{
    struct person anna, berta;

    rig_open(&rig, NULL);
    anna = rig_attach(&rig, RIG_CONN(0, 1), "anna");
    berta = rig_attach(&rig, RIG_CONN(1, 1), "berta");
    rig_join(&rig, &anna, "#tea");
    rig_join(&rig, &berta, "#tea");

    rig_do(&rig, &anna, COMMAND_PART, "#tea", "bye");
    rig_expect(&rig, "0 room parted anna text=bye seq=3",
               "1 room parted anna text=bye seq=3", "0 conn done", NULL);
    rig_do(&rig, &berta, COMMAND_SAY, "#tea", "gone?");
    rig_expect(&rig, "1 room said berta text=gone? seq=4", "1 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(a_room_ends_with_its_last_member_and_begins_anew)
{
    struct person anna;

    rig_open(&rig, NULL);
    anna = rig_attach(&rig, RIG_CONN(0, 1), "anna");
    rig_join(&rig, &anna, "#tea");
    rig_topic(&rig, &anna, "#tea", "leaves");
    ck_assert_uint_eq(rooms_now(), 2);

    rig_do(&rig, &anna, COMMAND_PART, "#tea", "");
    ck_assert_uint_eq(rooms_now(), 1);
    rig_do(&rig, &anna, COMMAND_WHO, "#tea", "");
    rig_expect_refusal(&rig, REFUSAL_NO_SUCH_ROOM);
    rig_do(&rig, &anna, COMMAND_JOIN, "#TEA", "");
    rig_expect(&rig, "0 room joined anna name=#TEA seq=1",
               "0 conn room name=#TEA number=1 seq=1", "0 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(the_lobby_keeps_its_topic_and_seq_when_empty)
{
    struct person anna;

    rig_open(&rig, NULL);
    anna = rig_attach(&rig, RIG_CONN(0, 1), "anna");
    rig_join(&rig, &anna, "#lobby");
    rig_topic(&rig, &anna, "#lobby", "hello");
    rig_do(&rig, &anna, COMMAND_PART, "#lobby", "");
    rig_do(&rig, &anna, COMMAND_JOIN, "#lobby", "");
    rig_expect(&rig, "0 room joined anna name=#lobby seq=4",
               "0 conn room name=#lobby text=hello number=1 seq=4",
               "0 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(an_event_goes_once_to_each_worker_with_members)
{
    struct person who[7];
    char nick[8];

    rig_open(&rig, NULL);
    for (unsigned i = 0; i < 7; i++) {
        snprintf(nick, sizeof(nick), "n%u", i);
        who[i] = rig_attach(&rig, RIG_CONN(i % 2 * 2, i + 1), nick);
        rig_join(&rig, &who[i], "#tea");
    }
    rig_do(&rig, &who[3], COMMAND_SAY, "#tea", "hi");
    rig_expect(&rig, "0 room said n3 text=hi seq=8",
               "2 room said n3 text=hi seq=8", "2 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(one_joins_a_room_once)
{
    struct person anna;

    rig_open(&rig, NULL);
    anna = rig_attach(&rig, RIG_CONN(0, 1), "anna");
    rig_join(&rig, &anna, "#tea");
    rig_do(&rig, &anna, COMMAND_JOIN, "#TEA", "");
    rig_expect_refusal(&rig, REFUSAL_ALREADY_A_MEMBER);
    rig_close(&rig);
}
END_TEST

START_TEST(a_room_name_is_refused_for_what_is_bad_about_it)
{
    static const enum command_kind kinds[] = {
        COMMAND_JOIN, COMMAND_PART,    COMMAND_SAY,
        COMMAND_WHO,  COMMAND_HISTORY, COMMAND_TOPIC,
    };
    struct person anna;

    rig_open(&rig, NULL);
    anna = rig_attach(&rig, RIG_CONN(0, 1), "anna");
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        rig_do(&rig, &anna, kinds[i], "", "x");
        rig_expect_refusal(&rig, REFUSAL_ROOM_EMPTY);
        rig_do(&rig, &anna, kinds[i], "tea", "x");
        rig_expect_refusal(&rig, REFUSAL_ROOM_BAD_FIRST);
        rig_do(&rig, &anna, kinds[i], "#t,a", "x");
        rig_expect_refusal(&rig, REFUSAL_ROOM_BAD_CHAR);
        rig_do(&rig, &anna, kinds[i],
               "#23456789012345678901234567890123456789012345678901234567890"
               "12345",
               "x");
        rig_expect_refusal(&rig, REFUSAL_ROOM_TOO_LONG);
    }
    ck_assert_uint_eq(rooms_now(), 1);
    rig_close(&rig);
}
END_TEST

START_TEST(only_members_speak_leave_and_look_back)
{
    struct person anna, berta;

    rig_open(&rig, NULL);
    anna = rig_attach(&rig, RIG_CONN(0, 1), "anna");
    berta = rig_attach(&rig, RIG_CONN(0, 2), "berta");
    rig_join(&rig, &anna, "#tea");

    rig_do(&rig, &berta, COMMAND_SAY, "#tea", "hi");
    rig_expect_refusal(&rig, REFUSAL_NOT_A_MEMBER);
    rig_do(&rig, &berta, COMMAND_PART, "#tea", "");
    rig_expect_refusal(&rig, REFUSAL_NOT_A_MEMBER);
    rig_count(&rig, &berta, COMMAND_HISTORY, "#tea", 5);
    rig_expect_refusal(&rig, REFUSAL_NOT_A_MEMBER);
    rig_topic(&rig, &berta, "#tea", "mine");
    rig_expect_refusal(&rig, REFUSAL_NOT_A_MEMBER);
    rig_do(&rig, &berta, COMMAND_SAY, "#jam", "hi");
    rig_expect_refusal(&rig, REFUSAL_NO_SUCH_ROOM);
    rig_close(&rig);
}
END_TEST

START_TEST(the_limits_of_rooms_hold_and_can_be_raised)
{
    struct person anna, berta;
    struct chat_conf chat;

    chat_conf_init(&chat);
    chat.limits_rooms = 2;
    chat.limits_rooms_per_user = 2;
    rig_open(&rig, &chat);
    anna = rig_attach(&rig, RIG_CONN(0, 1), "anna");
    berta = rig_attach(&rig, RIG_CONN(0, 2), "berta");
    rig_join(&rig, &anna, "#lobby");
    rig_join(&rig, &anna, "#tea");

    rig_do(&rig, &anna, COMMAND_JOIN, "#jam", "");
    rig_expect_refusal(&rig, REFUSAL_TOO_MANY_ROOMS);
    rig_do(&rig, &berta, COMMAND_JOIN, "#jam", "");
    rig_expect_refusal(&rig, REFUSAL_SERVER_FULL);
    rig_join(&rig, &berta, "#tea"); /* there already: it adds no room */
    chat.limits_rooms = 3;
    hub_reload(rig.hub, &chat);
    rig_join(&rig, &berta, "#jam");
    rig_close(&rig);
}
END_TEST

START_TEST(lower_limits_leave_what_is_there)
{
    struct person anna;
    struct chat_conf chat;

    rig_open(&rig, NULL);
    anna = rig_attach(&rig, RIG_CONN(0, 1), "anna");
    rig_join(&rig, &anna, "#tea");
    rig_join(&rig, &anna, "#jam");
    chat = rig.conf.chat;
    chat.limits_rooms = 1;
    chat.limits_rooms_per_user = 1;
    hub_reload(rig.hub, &chat);

    rig_do(&rig, &anna, COMMAND_SAY, "#jam", "still here");
    ck_assert_uint_eq(rig.count, 2);
    ck_assert_uint_eq(rooms_now(), 3);
    rig_close(&rig);
}
END_TEST

START_TEST(rooms_are_listed_by_age_and_members_by_joining)
{
    struct person anna, berta;

    rig_open(&rig, NULL);
    anna = rig_attach(&rig, RIG_CONN(0, 1), "anna");
    berta = rig_attach(&rig, RIG_CONN(1, 1), "berta");
    rig_join(&rig, &berta, "#zoo");
    rig_join(&rig, &berta, "#ape");
    rig_join(&rig, &anna, "#zoo");
    rig_topic(&rig, &anna, "#zoo", "animals");

    rig_do(&rig, &anna, COMMAND_ROOMS, "", "");
    rig_expect(&rig, "0 conn rooms items=#lobby,#zoo(animals)2,#ape1",
               "0 conn done", NULL);
    rig_do(&rig, &anna, COMMAND_WHO, "#zoo", "");
    rig_expect(&rig, "0 conn members name=#zoo items=berta,anna", "0 conn done",
               NULL);
    rig_do(&rig, &anna, COMMAND_WHO, "#ape", ""); /* not a member: may look */
    rig_expect(&rig, "0 conn members name=#ape items=berta", "0 conn done",
               NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(a_long_list_comes_in_parts_and_the_last_says_so)
{
    struct person who;
    char nick[8];

    rig_open(&rig, NULL);
    for (unsigned i = 0; i < 2 * EVENT_ITEMS_MAX; i++) {
        snprintf(nick, sizeof(nick), "n%u", i);
        who = rig_attach(&rig, RIG_CONN(0, i + 1), nick);
        rig_join(&rig, &who, "#tea");
    }
    rig_do(&rig, &who, COMMAND_WHO, "#tea", "");
    ck_assert_uint_eq(rig.count, 3); /* two full parts, no empty third */
    ck_assert_ptr_nonnull(strstr(rig.lines[0], "items=n0,n1,"));
    ck_assert_ptr_nonnull(strstr(rig.lines[0], " more"));
    ck_assert_ptr_nonnull(strstr(rig.lines[1], "items=n128,n129,"));
    ck_assert_ptr_null(strstr(rig.lines[1], " more"));
    rig_close(&rig);
}
END_TEST

static void
collect(void *arg, const struct hub_room_info *room)
{
    char *const line = arg;

    snprintf(line + strlen(line), 128, "[%.*s|%.*s|%llu|%llu|%llu]",
             SLICE_ARG(room->name), SLICE_ARG(room->topic),
             (unsigned long long)room->members,
             (unsigned long long)room->created_ms,
             (unsigned long long)room->last_seq);
}

START_TEST(the_operator_can_look_at_each_room)
{
    struct person anna;
    char line[256] = "";

    rig_open(&rig, NULL);
    anna = rig_attach(&rig, RIG_CONN(0, 1), "anna");
    rig.now.wall_ms = 5000;
    rig_join(&rig, &anna, "#tea");
    rig_topic(&rig, &anna, "#tea", "leaves");
    hub_each_room(rig.hub, collect, line);
    ck_assert_str_eq(line, "[#lobby||0|0|0][#tea|leaves|1|5000|2]");
    rig_close(&rig);
}
END_TEST

UNIT_MAIN("chat/hub_room", the_lobby_is_there_before_anybody,
          the_joiner_is_announced_then_shown_the_room,
          the_leaver_is_told_like_all_the_others,
          a_room_ends_with_its_last_member_and_begins_anew,
          the_lobby_keeps_its_topic_and_seq_when_empty,
          an_event_goes_once_to_each_worker_with_members, one_joins_a_room_once,
          a_room_name_is_refused_for_what_is_bad_about_it,
          only_members_speak_leave_and_look_back,
          the_limits_of_rooms_hold_and_can_be_raised,
          lower_limits_leave_what_is_there,
          rooms_are_listed_by_age_and_members_by_joining,
          a_long_list_comes_in_parts_and_the_last_says_so,
          the_operator_can_look_at_each_room)
