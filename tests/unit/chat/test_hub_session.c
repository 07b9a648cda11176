/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sessions that lose their conn: who waits, what others see of it meanwhile,
 * and how the wait ends when nobody comes back.
 */
#include <stdio.h>

#include "rig.h"
#include "support/unit.h"

static struct rig rig;
static struct person anna, berta;

#define LINGER_MS 120000 /* the default */

/* Both in #tea, whose last seq is 2; anna, on worker 0, can come back. */
static void
open_tea(const struct chat_conf *chat)
{
    rig_open(&rig, chat);
    anna = rig_attach_resumable(&rig, RIG_CONN(0, 1), "anna");
    berta = rig_attach(&rig, RIG_CONN(1, 7), "berta");
    rig_join(&rig, &anna, "#tea");
    rig_join(&rig, &berta, "#tea");
}

static struct chat_conf
conf_waiting(uint64_t linger_ms, uint64_t waiting)
{
    struct chat_conf conf;

    chat_conf_init(&conf);
    conf.session_linger = linger_ms;
    conf.session_waiting = waiting;
    return conf;
}

static uint64_t
waiting(void)
{
    struct hub_census census;

    hub_count(rig.hub, &census);
    return census.waiting;
}

START_TEST(who_was_given_no_token_ends_with_the_conn)
{
    open_tea(NULL);
    rig_lose(&rig, &berta, "reset");
    rig_expect(&rig, "0 peers quit berta text=reset seq=3",
               "1 peers quit berta text=reset seq=3", "1 conn done", NULL);
    ck_assert_uint_eq(waiting(), 0);
    rig_close(&rig);
}
END_TEST

START_TEST(a_loss_is_told_to_peers_and_is_in_no_log)
{
    open_tea(NULL);
    rig_lose(&rig, &anna, "reset");
    rig_expect(&rig, "1 peers lost anna text=reset seq=0", "0 conn done", NULL);
    ck_assert_uint_eq(waiting(), 1);
    rig_do(&rig, &berta, COMMAND_SAY, "#tea", "hello?");
    rig_expect(&rig, "1 room said berta text=hello? seq=3", "1 conn done",
               NULL); /* and nothing for worker 0 */
    rig_close(&rig);
}
END_TEST

START_TEST(a_goodbye_ends_at_once)
{
    open_tea(NULL);
    rig_end(&rig, &anna, (struct rig_end){.how = DETACH_QUIT});
    rig_expect(&rig, "0 peers quit anna text=lost seq=3",
               "1 peers quit anna text=lost seq=3", "0 conn done", NULL);
    ck_assert_uint_eq(waiting(), 0);
    rig_close(&rig);
}
END_TEST

START_TEST(who_is_replaced_is_not_told_of_as_lost)
{
    open_tea(NULL);
    rig_end(&rig, &anna,
            (struct rig_end){.how = DETACH_REPLACED, .cursor = rig.last_id});
    rig_expect(&rig, "0 conn done", NULL);
    ck_assert_uint_eq(waiting(), 1);
    rig_resume(&rig, &anna, RIG_CONN(2, 1));
    rig_expect(&rig, "2 conn resumed anna at=1000",
               "2 conn rejoined name=#tea number=2 seq=2", "2 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(who_waits_keeps_nickname_and_rooms)
{
    struct person carl;

    open_tea(NULL);
    rig_lose(&rig, &anna, "reset");
    carl = (struct person){.conn = RIG_CONN(2, 1)};
    rig_do(&rig, &carl, COMMAND_ATTACH, "ANNA", "");
    rig_expect_refusal(&rig, REFUSAL_NICK_WAITING);
    carl = rig_attach(&rig, RIG_CONN(2, 1), "carl");
    rig_do(&rig, &carl, COMMAND_NICK, "anna", "");
    rig_expect_refusal(&rig, REFUSAL_NICK_WAITING);
    rig_do(&rig, &carl, COMMAND_WHO, "#tea", "");
    rig_expect(&rig, "2 conn members name=#tea items=anna1,berta",
               "2 conn done", NULL);
    rig_join(&rig, &carl, "#tea");
    rig_expect(&rig, "1 room joined carl name=#tea seq=3",
               "2 room joined carl name=#tea seq=3",
               "2 conn room name=#tea number=3 seq=3", "2 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(a_room_of_nobody_but_who_waits_stays)
{
    struct person carl;

    rig_open(&rig, NULL);
    anna = rig_attach_resumable(&rig, RIG_CONN(0, 1), "anna");
    rig_join(&rig, &anna, "#tea");
    rig_lose(&rig, &anna, "reset");
    rig_expect(&rig, "0 conn done", NULL); /* no peers */
    carl = rig_attach(&rig, RIG_CONN(0, 2), "carl");
    rig_do(&rig, &carl, COMMAND_WHO, "#tea", "");
    rig_expect(&rig, "0 conn members name=#tea items=anna1", "0 conn done",
               NULL);
    rig_tick(&rig, 1000 + LINGER_MS);
    rig_expect(&rig, NULL);
    rig_do(&rig, &carl, COMMAND_WHO, "#tea", "");
    rig_expect_refusal(&rig, REFUSAL_NO_SUCH_ROOM);
    rig_close(&rig);
}
END_TEST

START_TEST(the_wait_ends_when_linger_is_over_and_not_before)
{
    open_tea(NULL);
    ck_assert_uint_eq(hub_next_tick_ms(rig.hub), HUB_NEVER);
    rig_lose(&rig, &anna, "read too slowly");
    ck_assert_uint_eq(hub_next_tick_ms(rig.hub), 1000 + LINGER_MS);
    rig_tick(&rig, 1000 + LINGER_MS - 1);
    rig_expect(&rig, NULL);
    rig_tick(&rig, 1000 + LINGER_MS);
    rig_expect(&rig, "1 peers quit anna text=read too slowly seq=3", NULL);
    ck_assert_uint_eq(waiting(), 0);
    ck_assert_uint_eq(hub_next_tick_ms(rig.hub), HUB_NEVER);
    rig_close(&rig);
}
END_TEST

START_TEST(without_linger_nobody_waits)
{
    const struct chat_conf conf = conf_waiting(0, 100);

    open_tea(&conf);
    rig_lose(&rig, &anna, "reset");
    rig_expect(&rig, "0 peers quit anna text=reset seq=3",
               "1 peers quit anna text=reset seq=3", "0 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(a_shorter_linger_holds_for_who_waits_already)
{
    struct chat_conf conf = conf_waiting(60000, 100);

    open_tea(&conf);
    rig_lose(&rig, &anna, "reset");
    conf.session_linger = 5000;
    hub_reload(rig.hub, &conf);
    ck_assert_uint_eq(hub_next_tick_ms(rig.hub), 6000);
    conf.session_linger = 0;
    hub_reload(rig.hub, &conf);
    rig_tick(&rig, 1000);
    rig_expect(&rig, "1 peers quit anna text=reset seq=3", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(above_the_cap_who_waits_longest_ends)
{
    const struct chat_conf conf = conf_waiting(60000, 1);
    struct person carl;

    open_tea(&conf);
    carl = rig_attach_resumable(&rig, RIG_CONN(2, 1), "carl");
    rig_join(&rig, &carl, "#tea");
    rig_lose(&rig, &anna, "reset");
    rig_lose(&rig, &carl, "timeout");
    rig_expect(&rig, "1 peers lost carl text=timeout seq=0",
               "1 peers quit anna text=reset seq=4", "2 conn done", NULL);
    ck_assert_uint_eq(waiting(), 1);
    rig_resume(&rig, &carl, RIG_CONN(2, 2));
    rig_close(&rig);
}
END_TEST

START_TEST(one_tick_ends_only_so_many)
{
    struct person who;
    char nick[8];

    rig_open(&rig, NULL);
    for (unsigned i = 0; i < 100; i++) {
        snprintf(nick, sizeof(nick), "n%u", i);
        who = rig_attach_resumable(&rig, RIG_CONN(0, i + 1), nick);
        rig_lose(&rig, &who, "reset");
    }
    rig_tick(&rig, 1000 + LINGER_MS);
    ck_assert_uint_eq(waiting(), 36);
    ck_assert_uint_eq(hub_next_tick_ms(rig.hub), 1000 + LINGER_MS);
    rig_tick(&rig, 1000 + LINGER_MS);
    ck_assert_uint_eq(waiting(), 0);
    rig_close(&rig);
}
END_TEST

START_TEST(who_waits_can_be_kicked)
{
    open_tea(NULL);
    rig_lose(&rig, &anna, "reset");
    rig_do(&rig, NULL, COMMAND_KICK, "anna", "spam");
    rig_expect(&rig, "1 peers quit anna text=kicked: spam seq=3", "3 conn done",
               NULL);
    rig_ask_resume(&rig, RIG_CONN(0, 2), &anna.token);
    rig_expect_refusal(&rig, REFUSAL_BAD_TOKEN);
    rig_close(&rig);
}
END_TEST

/* 36 bytes, then a character of three of which two are within the limit. */
START_TEST(why_is_cut_between_characters)
{
    const char *const why = "123456789012345678901234567890123456\xE5\xB0\x8F";

    open_tea(NULL);
    rig_lose(&rig, &anna, why);
    rig_expect(&rig,
               "1 peers lost anna text=123456789012345678901234567890123456 "
               "seq=0",
               "0 conn done", NULL);
    rig_close(&rig);
}
END_TEST

/* The conn of who waits is 0 inside, but nobody speaks for it from there. */
START_TEST(no_conn_is_that_of_who_waits)
{
    struct person nobody;

    open_tea(NULL);
    rig_lose(&rig, &anna, "reset");
    nobody = (struct person){.conn = 0, .session = anna.session};
    rig_do(&rig, &nobody, COMMAND_SAY, "#tea", "boo");
    rig_expect_refusal(&rig, REFUSAL_NO_SESSION);
    rig_do(&rig, &nobody, COMMAND_DETACH, "", "");
    rig_expect_refusal(&rig, REFUSAL_NO_SESSION);
    rig_do(&rig, &anna, COMMAND_SAY, "#tea", "boo");
    rig_expect_refusal(&rig, REFUSAL_NO_SESSION);
    rig_close(&rig);
}
END_TEST

START_TEST(no_text_at_all_is_no_reason)
{
    const struct command c = {
        .kind = COMMAND_DETACH,
        .how = DETACH_LOST,
        .from = {.conn = RIG_CONN(0, 1), .request = 900},
    };

    open_tea(NULL);
    rig.request = 900;
    rig_apply(&rig, &c);
    rig_expect(&rig, "1 peers lost anna seq=0", "0 conn done", NULL);
    rig_close(&rig);
}
END_TEST

struct list {
    size_t count;
    struct hub_session_info items[4];
};

static void
take(void *arg, const struct hub_session_info *info)
{
    struct list *const list = arg;

    ck_assert_uint_lt(list->count, 4);
    list->items[list->count++] = *info;
}

START_TEST(an_operator_sees_who_waits_and_since_when)
{
    struct list list = {.count = 0};

    open_tea(NULL);
    rig_do(&rig, &berta, COMMAND_TELL, "anna", "one");
    rig_lose(&rig, &anna, "reset");
    rig_resume(&rig, &anna, RIG_CONN(0, 2));
    rig.now = (struct hub_now){.wall_ms = 5000, .mono_ms = 3000};
    rig_end(&rig, &anna, (struct rig_end){.how = DETACH_LOST});
    rig_do(&rig, &berta, COMMAND_TELL, "anna", "two");
    rig.now.mono_ms = 3700;
    hub_each_session(rig.hub, &rig.now, take, &list);

    ck_assert_uint_eq(list.count, 2);
    ck_assert_uint_eq(list.items[0].id, anna.session);
    ck_assert_uint_eq(list.items[0].conn, 0);
    ck_assert_uint_eq(list.items[0].lost_ms, 5000);
    ck_assert_uint_eq(list.items[0].waited_ms, 700);
    ck_assert_uint_eq(list.items[0].rooms, 1);
    ck_assert_uint_eq(list.items[0].resumed, 1);
    ck_assert(list.items[0].is_resumable && !list.items[0].echoes);
    ck_assert_uint_eq(list.items[0].kept_events, 1);
    ck_assert_uint_eq(list.items[1].conn, RIG_CONN(1, 7));
    ck_assert(!list.items[1].is_resumable);
    rig_close(&rig);
}
END_TEST

UNIT_MAIN("chat/hub_session", who_was_given_no_token_ends_with_the_conn,
          a_loss_is_told_to_peers_and_is_in_no_log, a_goodbye_ends_at_once,
          who_is_replaced_is_not_told_of_as_lost,
          who_waits_keeps_nickname_and_rooms,
          a_room_of_nobody_but_who_waits_stays,
          the_wait_ends_when_linger_is_over_and_not_before,
          without_linger_nobody_waits,
          a_shorter_linger_holds_for_who_waits_already,
          above_the_cap_who_waits_longest_ends, one_tick_ends_only_so_many,
          who_waits_can_be_kicked, why_is_cut_between_characters,
          no_conn_is_that_of_who_waits, no_text_at_all_is_no_reason,
          an_operator_sees_who_waits_and_since_when)
