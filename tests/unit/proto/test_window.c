/* SPDX-License-Identifier: BSD-2-Clause */
#include <unistd.h>

#include "front_rig.h"
#include "support/fake_time.h"
#include "support/unit.h"

static void
start(uint64_t client_window, uint64_t worker_window)
{
    rig_init();
    rig.conf.limits_client_window = client_window;
    rig.conf.limits_worker_window = worker_window;
    rig_start();
}

static void
say_lines(struct peer *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(write(p->fd, "x\n", 2), 2);
    rig_settle();
}

static size_t
pending(void)
{
    return rig.sent_count - rig.taken;
}

static void
answer(size_t n)
{
    for (size_t i = 0; i < n; i++)
        hub_done(hub_take(COMMAND_SAY));
    rig_settle();
}

START_TEST(a_client_has_a_window_of_unanswered_commands)
{
    struct peer *p;

    start(4, 8192);
    p = rig_member("alice");
    say_lines(p, 10);

    ck_assert_uint_eq(pending(), 4);
    ck_assert_uint_eq(p->talk->cl.unanswered, 4);
    ck_assert_uint_eq(rig_counter("unanswered"), 4);
    ck_assert_uint_eq(rig_counter("window_waits"), 1);
    rig_stop();
}
END_TEST

START_TEST(it_is_read_again_when_half_is_answered)
{
    struct peer *p;

    start(4, 8192);
    p = rig_member("alice");
    say_lines(p, 10);
    answer(1);
    ck_assert_uint_eq(pending(), 3);
    answer(1);

    ck_assert_uint_eq(pending(), 4); /* filled up again */
    answer(4);
    answer(4);
    ck_assert_uint_eq(pending(), 0);
    ck_assert_uint_eq(rig_counter("unanswered"), 0);
    ck_assert_uint_eq(rig_counter("commands"), 11);
    rig_stop();
}
END_TEST

START_TEST(a_window_of_one_means_one_after_the_other)
{
    struct peer *p;

    start(1, 8192);
    p = rig_member("alice");
    say_lines(p, 3);

    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(pending(), 1);
        answer(1);
    }
    ck_assert_uint_eq(pending(), 0);
    rig_stop();
}
END_TEST

START_TEST(one_client_that_waits_stops_nobody_else)
{
    struct peer *a, *b;

    start(2, 8192);
    a = rig_member("alice");
    b = rig_member("bob");
    say_lines(a, 5);
    ck_assert_uint_eq(pending(), 2);
    say_lines(b, 1);

    ck_assert_uint_eq(pending(), 3);
    rig_stop();
}
END_TEST

START_TEST(all_together_have_a_window_too)
{
    struct peer *p[6];

    start(64, 4);
    for (size_t i = 0; i < ARRAY_LEN(p); i++)
        p[i] = rig_member("x");
    for (size_t i = 0; i < ARRAY_LEN(p); i++)
        say_lines(p[i], 5);

    /* The first fills it; each other is stopped behind its first. */
    ck_assert_uint_eq(pending(), 4 + 5);
    rig_stop();
}
END_TEST

START_TEST(who_waits_for_the_worker_goes_on_in_order)
{
    struct peer *p[4];

    start(64, 4);
    for (size_t i = 0; i < ARRAY_LEN(p); i++)
        p[i] = rig_member("x");
    for (size_t i = 0; i < ARRAY_LEN(p); i++)
        say_lines(p[i], 8);
    ck_assert_uint_eq(pending(), 4 + 3);

    /* Room for one at a time: each gets one line through, round and round. */
    answer(4);
    for (size_t i = 0; i < 12; i++) {
        const size_t before = rig.sent_count;

        answer(1);
        ck_assert_uint_eq(rig.sent_count, before + 1);
        ck_assert_uint_eq(rig.sent[before].c.from.conn, p[(i + 1) % 4]->id);
    }
    while (pending() > 0)
        answer(1);
    ck_assert_uint_eq(rig_counter("commands"), 4 + 4 * 8);
    ck_assert(list_is_empty(&rig.f->waiting));
    rig_stop();
}
END_TEST

START_TEST(who_dies_waiting_is_out_of_the_row)
{
    struct peer *a, *b;

    start(64, 2);
    a = rig_member("alice");
    b = rig_member("bob");
    say_lines(a, 3);
    say_lines(b, 2);
    ck_assert_uint_eq(pending(), 3);
    conn_close(a->talk->cl.conn, CONN_END_RESET);
    rig_settle();

    answer(3);
    hub_done(hub_take(COMMAND_DETACH));
    rig_settle();
    ck_assert_uint_eq(pending(), 1);
    ck_assert_uint_eq(rig.sent[rig.taken].c.from.conn, b->id);
    rig_stop();
}
END_TEST

START_TEST(answers_to_the_dead_count)
{
    struct peer *p;

    start(64, 8192);
    p = rig_member("alice");
    say_lines(p, 3);
    conn_close(p->talk->cl.conn, CONN_END_RESET);
    rig_settle();
    ck_assert_uint_eq(rig_counter("unanswered"), 4);

    answer(3);
    hub_done(hub_take(COMMAND_DETACH));
    ck_assert_uint_eq(rig_counter("unanswered"), 0);
    rig_stop();
}
END_TEST

START_TEST(a_bigger_window_takes_effect_at_once)
{
    struct peer *a, *b;

    start(64, 2);
    a = rig_member("alice");
    b = rig_member("bob");
    say_lines(a, 3);
    say_lines(b, 3);
    ck_assert_uint_eq(pending(), 3);
    rig.conf.limits_worker_window = 100;
    front_reload(rig.f, &rig.conf);
    rig_settle();

    ck_assert_uint_eq(pending(), 6);
    rig_stop();
}
END_TEST

/* The hub loses deliveries when its memory is short. */
START_TEST(a_lost_done_is_made_good_by_the_next)
{
    struct peer *a, *b, *c;

    start(4, 8192);
    a = rig_member("alice");
    b = rig_member("bob");
    c = rig_member("carol");
    say_lines(a, 6);
    say_lines(b, 1);
    say_lines(c, 1);
    ck_assert_uint_eq(pending(), 6);

    for (size_t i = 0; i < 4; i++)
        hub_take(COMMAND_SAY); /* alice's; nobody answers */
    answer(1);

    ck_assert_uint_eq(pending(), 3);
    ck_assert_uint_eq(a->talk->cl.unanswered, 2);
    ck_assert_uint_eq(c->talk->cl.unanswered, 1); /* hers is yet to come */
    ck_assert_uint_eq(rig_counter("unanswered"), 3);
    rig_stop();
}
END_TEST

START_TEST(a_lost_done_of_a_detach_is_made_good_by_the_next)
{
    struct peer *a, *b;

    start(4, 8192);
    a = rig_member("alice");
    b = rig_member("bob");
    peer_say(a, "/quit\n");
    say_lines(b, 1);
    hub_take(COMMAND_DETACH);
    answer(1);

    (void)peer_read(a);
    ck_assert(a->at_eof);
    ck_assert(list_is_empty(&rig.f->leaving));
    rig_stop();
}
END_TEST

START_TEST(a_done_for_nothing_is_ignored)
{
    const struct sent *first, *second;
    struct peer *p;

    start(4, 8192);
    p = rig_member("alice");
    say_lines(p, 2);
    first = hub_take(COMMAND_SAY);
    second = hub_take(COMMAND_SAY);
    hub_done(first);
    hub_done(first);
    ck_assert_uint_eq(rig_counter("unanswered"), 1);
    ck_assert_uint_eq(p->talk->cl.unanswered, 1);
    hub_done(second);
    hub_done(first);

    ck_assert_uint_eq(rig_counter("unanswered"), 0);
    ck_assert_uint_eq(p->talk->cl.unanswered, 0);
    rig_stop();
}
END_TEST

START_TEST(a_congested_hub_makes_talkers_wait)
{
    struct peer *p;

    start(4, 8192);
    p = rig_member("alice");
    rig.hub_is_congested = true;
    say_lines(p, 3);

    ck_assert_uint_eq(pending(), 1); /* looked at behind a command */
    answer(1);
    ck_assert_uint_eq(pending(), 0);
    rig_stop();
}
END_TEST

START_TEST(congestion_that_outlasts_the_last_answer_is_looked_at_again)
{
    struct peer *p;

    start(4, 8192);
    p = rig_member("alice");
    rig.hub_is_congested = true;
    say_lines(p, 3);
    answer(1);
    fake_time_pass_ms(10);
    rig_settle();
    ck_assert_uint_eq(pending(), 0);
    rig.hub_is_congested = false;
    fake_time_pass_ms(10);
    rig_settle();

    ck_assert_uint_eq(pending(), 2);
    rig_stop();
}
END_TEST

/* What went wrong: it was looked at twice, to let somebody go on and to arm the
 * timer; when it ended in between, neither happened. */
START_TEST(congestion_that_ends_between_two_looks_leaves_nobody_waiting)
{
    struct peer *p;

    for (unsigned looks = 1; looks < 12; looks++) {
        start(4, 8192);
        p = rig_member("alice");
        rig.hub_is_congested = true;
        rig.congested_looks = looks;
        say_lines(p, 3);
        for (int second = 0; second < 10; second++) {
            answer(pending());
            fake_time_pass_ms(1000);
            rig_settle();
        }

        ck_assert(list_is_empty(&rig.f->waiting));
        rig_stop();
    }
}
END_TEST

START_TEST(who_dies_in_congestion_leaves_no_timer)
{
    struct peer *p;

    start(4, 8192);
    p = rig_member("alice");
    rig.hub_is_congested = true;
    say_lines(p, 3);

    rig_stop(); /* looks for armed timers */
}
END_TEST

UNIT_MAIN("proto/window", a_client_has_a_window_of_unanswered_commands,
          it_is_read_again_when_half_is_answered,
          a_window_of_one_means_one_after_the_other,
          one_client_that_waits_stops_nobody_else,
          all_together_have_a_window_too,
          who_waits_for_the_worker_goes_on_in_order,
          who_dies_waiting_is_out_of_the_row, answers_to_the_dead_count,
          a_bigger_window_takes_effect_at_once,
          a_lost_done_is_made_good_by_the_next,
          a_lost_done_of_a_detach_is_made_good_by_the_next,
          a_done_for_nothing_is_ignored, a_congested_hub_makes_talkers_wait,
          congestion_that_outlasts_the_last_answer_is_looked_at_again,
          congestion_that_ends_between_two_looks_leaves_nobody_waiting,
          who_dies_in_congestion_leaves_no_timer)
