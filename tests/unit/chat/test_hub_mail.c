/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is in no room's log: private messages and announcements, kept for who
 * may have missed them, within limits.
 */
#include <stdio.h>
#include <string.h>

#include "rig.h"
#include "support/unit.h"

static struct rig rig;
static struct person anna, berta;

#define ALL 1000

static void
open_two(uint64_t events)
{
    struct chat_conf conf;

    chat_conf_init(&conf);
    conf.session_direct_events = events;
    rig_open(&rig, &conf);
    anna = rig_attach_resumable(&rig, RIG_CONN(0, 1), "anna");
    berta = rig_attach(&rig, RIG_CONN(1, 7), "berta");
}

static void
tell(unsigned from, unsigned to)
{
    char text[16];

    for (unsigned i = from; i <= to; i++) {
        snprintf(text, sizeof(text), "%u", i);
        rig_do(&rig, &berta, COMMAND_TELL, "anna", text);
    }
}

static uint64_t
kept(void)
{
    struct hub_census census;

    hub_count(rig.hub, &census);
    ck_assert((census.kept_events == 0) == (census.kept_bytes == 0));
    return census.kept_events;
}

START_TEST(who_waits_is_told_later_and_the_sender_knows)
{
    open_two(10);
    rig_lose(&rig, &anna, "reset");
    tell(1, 1);
    rig_expect(&rig, "1 conn sent name=anna number=1", "1 conn done", NULL);
    rig_resume(&rig, &anna, RIG_CONN(0, 2));
    ck_assert_str_eq(rig.lines[0], "0 conn resumed anna number=1 at=1000");
    rig_catch_up(&rig, &anna, rig.resumed_at, ALL);
    rig_expect(&rig, "0 conn told berta name=anna text=1 missed",
               "0 conn caught-up", "0 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(a_full_mailbox_refuses_and_keeps_what_it_has)
{
    open_two(3);
    rig_lose(&rig, &anna, "reset");
    tell(1, 3);
    rig_do(&rig, &berta, COMMAND_TELL, "anna", "too much");
    rig_expect_refusal(&rig, REFUSAL_MAILBOX_FULL);
    rig_resume(&rig, &anna, RIG_CONN(0, 2));
    ck_assert_str_eq(rig.lines[0], "0 conn resumed anna number=3 at=1000");
    tell(5, 5);
    rig_expect(&rig, "0 conn told berta name=anna text=5 to=2",
               "1 conn sent name=anna", "1 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(a_mailbox_is_full_by_bytes_too)
{
    char text[1501];

    open_two(100);
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    rig.conf.chat.session_direct_bytes = 4096;
    hub_reload(rig.hub, &rig.conf.chat);
    rig_lose(&rig, &anna, "reset");
    rig_do(&rig, &berta, COMMAND_TELL, "anna", text);
    rig_do(&rig, &berta, COMMAND_TELL, "anna", text);
    rig_do(&rig, &berta, COMMAND_TELL, "anna", text);
    rig_expect_refusal(&rig, REFUSAL_MAILBOX_FULL);
    rig_do(&rig, &berta, COMMAND_TELL, "anna", "short");
    rig_expect(&rig, "1 conn sent name=anna number=1", "1 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(who_is_there_loses_the_oldest)
{
    open_two(3);
    tell(1, 5);
    ck_assert_uint_eq(kept(), 3);
    rig_catch_up(&rig, &anna, 0, ALL);
    rig_expect(&rig, "0 conn told berta name=anna text=3 missed",
               "0 conn told berta name=anna text=4 missed",
               "0 conn told berta name=anna text=5 missed", "0 conn caught-up",
               "0 conn done", NULL);
    rig_close(&rig);
}
END_TEST

/* Five were sent, three are left of them. */
START_TEST(what_it_lost_while_there_is_counted_as_missed)
{
    open_two(3);
    tell(1, 5);
    rig_end(
        &rig, &anna,
        (struct rig_end){.how = DETACH_LOST, .upto = rig.last_id, .count = 5});
    rig_resume(&rig, &anna, RIG_CONN(0, 2));
    ck_assert_str_eq(rig.lines[0],
                     "0 conn resumed anna number=3 seq=2 at=1000");
    rig_close(&rig);
}
END_TEST

/* Of five that were on their way there is one left; it had had two before. */
START_TEST(what_was_crowded_out_on_its_way_is_counted_as_missed)
{
    uint64_t had;

    open_two(1);
    tell(1, 2);
    had = rig.last_id;
    rig_ack(&rig, &anna, had);
    tell(3, 7);
    rig_end(&rig, &anna,
            (struct rig_end){
                .how = DETACH_LOST, .cursor = had, .upto = had, .count = 0});
    rig_resume(&rig, &anna, RIG_CONN(0, 2));
    ck_assert_str_eq(rig.lines[0],
                     "0 conn resumed anna number=1 seq=4 at=1000");
    rig_close(&rig);
}
END_TEST

START_TEST(what_the_client_has_is_forgotten)
{
    uint64_t second;

    open_two(10);
    tell(1, 2);
    second = rig.last_id;
    tell(3, 3);
    rig_ack(&rig, &anna, second);
    rig_expect(&rig, "0 conn done", NULL);
    ck_assert_uint_eq(kept(), 1);
    rig_ack(&rig, &anna, second - 1); /* an older one changes nothing */
    ck_assert_uint_eq(kept(), 1);
    rig_ack(&rig, &anna, rig.last_id);
    ck_assert_uint_eq(kept(), 0);
    rig_ack(&rig, &anna, rig.last_id);
    rig_close(&rig);
}
END_TEST

/* Else what it has would take the place of what it has not. */
START_TEST(a_loss_says_what_the_client_has)
{
    open_two(3);
    tell(1, 3);
    rig_lose(&rig, &anna, "reset");
    ck_assert_uint_eq(kept(), 0);
    tell(4, 6);
    rig_expect(&rig, "1 conn sent name=anna number=1", "1 conn done", NULL);
    rig_close(&rig);
}
END_TEST

START_TEST(nothing_is_kept_for_who_cannot_come_back)
{
    open_two(3);
    rig_do(&rig, &anna, COMMAND_TELL, "berta", "x");
    rig_expect(&rig, "1 conn told anna name=berta text=x to=7",
               "0 conn sent name=berta", "0 conn done", NULL);
    ck_assert_uint_eq(kept(), 0);
    rig_close(&rig);
}
END_TEST

START_TEST(a_mailbox_goes_with_its_session)
{
    open_two(3);
    rig_lose(&rig, &anna, "reset");
    tell(1, 2);
    ck_assert_uint_eq(kept(), 2);
    rig_tick(&rig, 1000 + rig.conf.chat.session_linger);
    ck_assert_uint_eq(kept(), 0);
    rig_close(&rig);
}
END_TEST

START_TEST(so_many_announcements_are_kept_and_the_rest_missed)
{
    open_two(3);
    rig_lose(&rig, &anna, "reset");
    for (unsigned i = 0; i < HUB_ANNOUNCED_EVENTS + 5; i++)
        rig_do(&rig, NULL, COMMAND_ANNOUNCE, "", "x");
    ck_assert_uint_eq(kept(), HUB_ANNOUNCED_EVENTS);
    rig_resume(&rig, &anna, RIG_CONN(0, 2));
    ck_assert_str_eq(rig.lines[0],
                     "0 conn resumed anna number=100 seq=5 at=1000");
    rig_close(&rig);
}
END_TEST

UNIT_MAIN("chat/hub_mail", who_waits_is_told_later_and_the_sender_knows,
          a_full_mailbox_refuses_and_keeps_what_it_has,
          a_mailbox_is_full_by_bytes_too, who_is_there_loses_the_oldest,
          what_it_lost_while_there_is_counted_as_missed,
          what_was_crowded_out_on_its_way_is_counted_as_missed,
          what_the_client_has_is_forgotten, a_loss_says_what_the_client_has,
          nothing_is_kept_for_who_cannot_come_back,
          a_mailbox_goes_with_its_session,
          so_many_announcements_are_kept_and_the_rest_missed)
