/* SPDX-License-Identifier: BSD-2-Clause */
#include "front_rig.h"
#include "support/fake_time.h"
#include "support/unit.h"

static void
start_with_rate(uint64_t rate, uint64_t burst)
{
    rig_init();
    rig.conf.limits_message_rate = rate;
    rig.conf.limits_message_burst = burst;
    rig_start();
}

static size_t
count_said(void)
{
    size_t n = 0;

    for (; !hub_is_idle(); n++)
        hub_done(hub_take(COMMAND_SAY));
    return n;
}

START_TEST(who_talks_too_fast_waits_and_loses_nothing)
{
    struct peer *p;

    start_with_rate(1, 4);
    p = rig_member("alice"); /* its nickname was a line, too */
    peer_say(p, "1\n2\n3\n4\n5\n");

    ck_assert_uint_eq(count_said(), 3);
    fake_time_pass_ms(999);
    rig_settle();
    ck_assert_uint_eq(count_said(), 0);
    fake_time_pass_ms(1);
    rig_settle();
    ck_assert_uint_eq(count_said(), 1);
    fake_time_pass_ms(1000);
    rig_settle();
    ck_assert_uint_eq(count_said(), 1);
    ck_assert_uint_ge(rig_counter("rate_pauses"), 2);
    rig_stop();
}
END_TEST

START_TEST(it_is_told_once_until_it_has_calmed_down)
{
    struct peer *p;

    start_with_rate(1, 4);
    p = rig_member("alice");
    peer_say(p, "1\n2\n3\n4\n5\n6\n");
    for (int i = 0; i < 3; i++) {
        fake_time_pass_ms(1000);
        rig_settle();
    }
    ck_assert_uint_eq(count_said(), 6);
    ck_assert_uint_eq(p->talk->warnings, 1);

    fake_time_pass_ms(4000);
    peer_say(p, "7\n8\n9\n10\n11\n");
    ck_assert_uint_eq(p->talk->warnings, 2);
    rig_stop();
}
END_TEST

START_TEST(no_rate_is_no_limit)
{
    struct peer *p;

    start_with_rate(0, 1);
    p = rig_member("alice");
    peer_say(p, "1\n2\n3\n4\n5\n6\n7\n8\n");

    ck_assert_uint_eq(count_said(), 8);
    ck_assert_uint_eq(rig_counter("rate_pauses"), 0);
    rig_stop();
}
END_TEST

START_TEST(a_cost_above_the_burst_can_still_be_paid)
{
    struct peer *p;
    bool warn;

    start_with_rate(1, 4);
    p = rig_member("alice");
    fake_time_pass_ms(4000);
    rig_settle();

    ck_assert(client_may_talk(&p->talk->cl, 100, front_now_ms(rig.f), &warn));
    ck_assert(!warn);
    rig_stop();
}
END_TEST

UNIT_MAIN("proto/client_pace", who_talks_too_fast_waits_and_loses_nothing,
          it_is_told_once_until_it_has_calmed_down, no_rate_is_no_limit,
          a_cost_above_the_burst_can_still_be_paid)
