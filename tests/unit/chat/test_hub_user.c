/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Coming, being called, being away, going.
 */
#include <stdio.h>

#include "rig.h"
#include "support/unit.h"

static struct rig rig;

static void
census(struct hub_census *out)
{
    hub_count(rig.hub, out);
}

START_TEST(who_attaches_learns_its_name_and_how_many_are_here)
{
    rig_open(&rig, NULL);
    (void)rig_attach(&rig, RIG_CONN(0, 1), "anna");
    rig_expect(&rig, "0 conn attached anna number=1", "0 conn done", NULL);
    (void)rig_attach(&rig, RIG_CONN(2, 1), "小明");
    rig_expect(&rig, "2 conn attached 小明 number=2", "2 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(a_nickname_is_held_by_one_user_at_a_time)
{
    struct person other = {.conn = RIG_CONN(1, 1)};
    struct person anna;

    rig_open(&rig, NULL);
    anna = rig_attach(&rig, RIG_CONN(0, 1), "Anna");

    rig_do(&rig, &other, COMMAND_ATTACH, "aNNA", "");
    rig_expect(&rig, "1 conn refused name=aNNA why=nick-taken", "1 conn done",
               NULL);
    rig_do(&rig, &anna, COMMAND_DETACH, "", "");
    other = rig_attach(&rig, other.conn, "aNNA");
    rig_expect(&rig, "1 conn attached aNNA number=1", "1 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(bad_nicknames_are_refused_for_what_is_bad_about_them)
{
    const struct person who = {.conn = RIG_CONN(0, 1)};

    rig_open(&rig, NULL);
    rig_do(&rig, &who, COMMAND_ATTACH, "", "");
    rig_expect_refusal(&rig, REFUSAL_NICK_EMPTY);
    rig_do(&rig, &who, COMMAND_ATTACH, "0123456789012345678901234567890123",
           "");
    rig_expect_refusal(&rig, REFUSAL_NICK_TOO_LONG);
    rig_do(&rig, &who, COMMAND_ATTACH, "an na", "");
    rig_expect_refusal(&rig, REFUSAL_NICK_BAD_CHAR);
    rig_do(&rig, &who, COMMAND_ATTACH, "1anna", "");
    rig_expect_refusal(&rig, REFUSAL_NICK_BAD_FIRST);
    rig_do(&rig, &who, COMMAND_ATTACH, "KlatchD", "");
    rig_expect_refusal(&rig, REFUSAL_NICK_RESERVED);
    rig_close(&rig);
}
END_TEST

START_TEST(a_refusal_cannot_carry_controls_or_bad_bytes_back)
{
    const struct person who = {.conn = RIG_CONN(0, 1)};

    rig_open(&rig, NULL);
    rig_do(&rig, &who, COMMAND_ATTACH, "a\x1B[31m\xFF", "");
    rig_expect(&rig, "0 conn refused name=a[31m\xEF\xBF\xBD why=nick-bad-char",
               "0 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(a_conn_attaches_once)
{
    struct person anna;

    rig_open(&rig, NULL);
    anna = rig_attach(&rig, RIG_CONN(0, 1), "anna");
    rig_do(&rig, &anna, COMMAND_ATTACH, "berta", "");
    rig_expect_refusal(&rig, REFUSAL_ATTACHED_ALREADY);
    rig_close(&rig);
}
END_TEST

START_TEST(who_goes_is_missed_once_by_each_worker_with_peers)
{
    struct person anna, berta, carl;

    rig_open(&rig, NULL);
    anna = rig_attach(&rig, RIG_CONN(0, 1), "anna");
    berta = rig_attach(&rig, RIG_CONN(1, 1), "berta");
    carl = rig_attach(&rig, RIG_CONN(2, 1), "carl");
    rig_join(&rig, &anna, "#tea");
    rig_join(&rig, &anna, "#cake");
    rig_join(&rig, &berta, "#tea");
    rig_join(&rig, &berta, "#cake");
    rig_join(&rig, &carl, "#jam");

    rig_do(&rig, &anna, COMMAND_DETACH, "", "bye");
    rig_expect(&rig, "0 peers quit anna text=bye seq=3,3",
               "1 peers quit anna text=bye seq=3,3", "0 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(who_goes_alone_is_missed_by_nobody)
{
    struct hub_census left;
    struct person anna;

    rig_open(&rig, NULL);
    anna = rig_attach(&rig, RIG_CONN(0, 1), "anna");
    rig_do(&rig, &anna, COMMAND_DETACH, "", "bye");
    rig_expect(&rig, "0 conn done", NULL);

    census(&left);
    ck_assert_uint_eq(left.users, 0);
    ck_assert_uint_eq(left.sessions, 0);
    rig_close(&rig);
}
END_TEST

START_TEST(a_conn_that_died_before_its_answer_is_detached_by_its_own_id)
{
    struct person anna;

    rig_open(&rig, NULL);
    anna = rig_attach(&rig, RIG_CONN(0, 1), "anna");
    rig_join(&rig, &anna, "#tea");
    anna.session = 0; /* as its worker had it */
    rig_do(&rig, &anna, COMMAND_DETACH, "", "reset");
    rig_expect(&rig, "0 peers quit anna text=reset seq=2", "0 conn done", NULL);
    rig_do(&rig, &anna, COMMAND_DETACH, "", "reset");
    rig_expect_refusal(&rig, REFUSAL_NO_SESSION);
    rig_close(&rig);
}
END_TEST

START_TEST(a_stale_session_can_do_nothing)
{
    struct person anna;

    rig_open(&rig, NULL);
    anna = rig_attach(&rig, RIG_CONN(0, 1), "anna");
    rig_do(&rig, &anna, COMMAND_DETACH, "", "");
    (void)rig_attach(&rig, RIG_CONN(0, 1), "berta"); /* perhaps in its slot */

    for (unsigned kind = COMMAND_DETACH; kind <= COMMAND_PING; kind++) {
        rig_do(&rig, &anna, (enum command_kind)kind, "#lobby", "x");
        rig_expect_refusal(&rig, REFUSAL_NO_SESSION);
    }
    rig_close(&rig);
}
END_TEST

START_TEST(a_session_is_good_only_with_its_own_conn)
{
    struct person anna, thief;

    rig_open(&rig, NULL);
    anna = rig_attach(&rig, RIG_CONN(0, 1), "anna");
    thief = (struct person){.conn = RIG_CONN(0, 2), .session = anna.session};
    rig_do(&rig, &thief, COMMAND_JOIN, "#tea", "");
    rig_expect_refusal(&rig, REFUSAL_NO_SESSION);
    rig_do(&rig, &thief, COMMAND_DETACH, "", "");
    rig_expect_refusal(&rig, REFUSAL_NO_SESSION);
    rig_close(&rig);
}
END_TEST

START_TEST(a_new_name_is_told_to_peers_and_self_as_of_the_old_one)
{
    struct person anna, berta;

    rig_open(&rig, NULL);
    anna = rig_attach(&rig, RIG_CONN(0, 1), "anna");
    berta = rig_attach(&rig, RIG_CONN(1, 1), "berta");
    rig_join(&rig, &anna, "#tea");
    rig_join(&rig, &berta, "#tea");

    rig_do(&rig, &anna, COMMAND_NICK, "carla", "");
    rig_expect(&rig, "0 peers renamed anna name=carla seq=3",
               "1 peers renamed anna name=carla seq=3", "0 conn done", NULL);
    rig_do(&rig, &anna, COMMAND_SAY, "#tea", "hi");
    rig_expect(&rig, "0 room said carla text=hi seq=4",
               "1 room said carla text=hi seq=4", "0 conn done", NULL);
    (void)rig_attach(&rig, RIG_CONN(2, 1), "anna"); /* the old one is free */
    rig_close(&rig);
}
END_TEST

START_TEST(who_is_in_no_room_learns_of_its_own_new_name)
{
    struct person anna;

    rig_open(&rig, NULL);
    anna = rig_attach(&rig, RIG_CONN(1, 1), "anna");
    rig_do(&rig, &anna, COMMAND_NICK, "carla", "");
    rig_expect(&rig, "1 peers renamed anna name=carla", "1 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(one_may_change_the_case_of_ones_name_but_not_to_the_same)
{
    struct person anna, berta;

    rig_open(&rig, NULL);
    anna = rig_attach(&rig, RIG_CONN(0, 1), "anna");
    berta = rig_attach(&rig, RIG_CONN(0, 2), "berta");
    rig_do(&rig, &anna, COMMAND_NICK, "Anna", "");
    rig_expect(&rig, "0 peers renamed anna name=Anna", "0 conn done", NULL);
    rig_do(&rig, &anna, COMMAND_NICK, "Anna", "");
    rig_expect_refusal(&rig, REFUSAL_NICK_SAME);
    rig_do(&rig, &anna, COMMAND_NICK, "BERTA", "");
    rig_expect_refusal(&rig, REFUSAL_NICK_TAKEN);
    rig_do(&rig, &berta, COMMAND_NICK, "Server", "");
    rig_expect_refusal(&rig, REFUSAL_NICK_RESERVED);
    rig_close(&rig);
}
END_TEST

START_TEST(who_is_away_is_so_to_peers_in_lists_and_in_answers)
{
    struct person anna, berta;

    rig_open(&rig, NULL);
    anna = rig_attach(&rig, RIG_CONN(0, 1), "anna");
    berta = rig_attach(&rig, RIG_CONN(1, 1), "berta");
    rig_join(&rig, &anna, "#tea");
    rig_join(&rig, &berta, "#tea");

    rig_do(&rig, &anna, COMMAND_AWAY, "", "lunch");
    rig_expect(&rig, "0 peers away anna text=lunch seq=3",
               "1 peers away anna text=lunch seq=3", "0 conn done", NULL);
    rig_do(&rig, &berta, COMMAND_WHO, "#tea", "");
    rig_expect(&rig, "1 conn members name=#tea items=anna(lunch),berta",
               "1 conn done", NULL);
    rig_do(&rig, &berta, COMMAND_TELL, "anna", "there?");
    rig_expect(&rig, "0 conn told berta name=anna text=there? to=1",
               "1 conn sent name=anna text=lunch", "1 conn done", NULL);

    rig_do(&rig, &anna, COMMAND_AWAY, "", "");
    rig_expect(&rig, "0 peers away anna seq=4", "1 peers away anna seq=4",
               "0 conn done", NULL);
    rig_do(&rig, &berta, COMMAND_TELL, "anna", "there?");
    rig_expect(&rig, "0 conn told berta name=anna text=there? to=1",
               "1 conn sent name=anna", "1 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(away_said_twice_is_told_to_peers_once)
{
    struct person anna, berta;

    rig_open(&rig, NULL);
    anna = rig_attach(&rig, RIG_CONN(0, 1), "anna");
    berta = rig_attach(&rig, RIG_CONN(1, 1), "berta");
    rig_join(&rig, &anna, "#tea");
    rig_join(&rig, &berta, "#tea");

    rig_do(&rig, &anna, COMMAND_AWAY, "", "");
    rig_expect(&rig, "0 conn away anna", "0 conn done", NULL);
    rig_do(&rig, &anna, COMMAND_AWAY, "", "lunch");
    rig_do(&rig, &anna, COMMAND_AWAY, "", "lunch");
    rig_expect(&rig, "0 conn away anna text=lunch", "0 conn done", NULL);
    rig_do(&rig, &anna, COMMAND_AWAY, "", "dinner");
    rig_expect(&rig, "0 peers away anna text=dinner seq=4",
               "1 peers away anna text=dinner seq=4", "0 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(a_kick_ends_the_session_and_says_why_to_all)
{
    struct person anna, berta;

    rig_open(&rig, NULL);
    anna = rig_attach(&rig, RIG_CONN(0, 1), "anna");
    berta = rig_attach(&rig, RIG_CONN(1, 7), "berta");
    rig_join(&rig, &anna, "#tea");
    rig_join(&rig, &berta, "#tea");

    rig_do(&rig, NULL, COMMAND_KICK, "BERTA", "noise");
    rig_expect(&rig, "1 conn ended text=noise to=7",
               "0 peers quit berta text=kicked: noise seq=3",
               "1 peers quit berta text=kicked: noise seq=3", "3 conn done",
               NULL);
    rig_do(&rig, &berta, COMMAND_SAY, "#tea", "but");
    rig_expect_refusal(&rig, REFUSAL_NO_SESSION);
    rig_do(&rig, NULL, COMMAND_KICK, "anna", "");
    rig_expect(&rig, "0 conn ended to=1", "0 peers quit anna text=kicked seq=4",
               "3 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(only_who_is_here_can_be_kicked)
{
    rig_open(&rig, NULL);
    rig_do(&rig, NULL, COMMAND_KICK, "anna", "");
    rig_expect(&rig, "3 conn refused name=anna why=no-such-nick", "3 conn done",
               NULL);
    rig_do(&rig, NULL, COMMAND_KICK, "no nick at all", "");
    rig_expect_refusal(&rig, REFUSAL_NO_SUCH_NICK);
    rig_close(&rig);
}
END_TEST

START_TEST(a_hub_that_ends_frees_who_is_still_here)
{
    struct person anna;
    char nick[16];

    rig_open(&rig, NULL);
    for (unsigned i = 0; i < 500; i++) {
        snprintf(nick, sizeof(nick), "n%u", i);
        anna = rig_attach(&rig, RIG_CONN(i % RIG_WORKERS, i + 1), nick);
        rig_do(&rig, &anna, COMMAND_AWAY, "", "lunch");
        rig_join(&rig, &anna, "#lobby");
        rig_join(&rig, &anna, i % 2 == 0 ? "#even" : "#odd");
        rig_topic(&rig, &anna, "#lobby", nick);
    }
    rig_close(&rig); /* events are counted, the rest is LeakSanitizer's */
}
END_TEST

UNIT_MAIN("chat/hub_user", who_attaches_learns_its_name_and_how_many_are_here,
          a_nickname_is_held_by_one_user_at_a_time,
          bad_nicknames_are_refused_for_what_is_bad_about_them,
          a_refusal_cannot_carry_controls_or_bad_bytes_back,
          a_conn_attaches_once,
          who_goes_is_missed_once_by_each_worker_with_peers,
          who_goes_alone_is_missed_by_nobody,
          a_conn_that_died_before_its_answer_is_detached_by_its_own_id,
          a_stale_session_can_do_nothing,
          a_session_is_good_only_with_its_own_conn,
          a_new_name_is_told_to_peers_and_self_as_of_the_old_one,
          who_is_in_no_room_learns_of_its_own_new_name,
          one_may_change_the_case_of_ones_name_but_not_to_the_same,
          who_is_away_is_so_to_peers_in_lists_and_in_answers,
          away_said_twice_is_told_to_peers_once,
          a_kick_ends_the_session_and_says_why_to_all,
          only_who_is_here_can_be_kicked,
          a_hub_that_ends_frees_who_is_still_here)
