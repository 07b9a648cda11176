/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Workers that do not run: the test writes where they are, and in which turn,
 * as their own threads would. Time goes only where the test sends it.
 */
#include "loop/watchdog.h"

#include <string.h>

#include "base/log.h"
#include "loop/watchdog_priv.h"
#include "loop/worker_priv.h"
#include "support/capture.h"
#include "support/fake_time.h"
#include "support/unit.h"

#define WATCHED  2u
#define START_MS 100000u

static struct worker *on;
static struct worker *watched[WATCHED];
static struct watchdog *wd;
static struct capture log_lines;

static struct worker *
make_worker(const char *name, unsigned index)
{
    const struct worker_conf conf = {.name = name, .index = index, .cpu = -1};
    struct worker *w;

    ck_assert_int_eq(worker_create(&conf, &w), 0);
    return w;
}

static void
setup(void)
{
    fake_time_start(START_MS);
    capture_open(&log_lines);
    log_set_fd(log_lines.in);
    on = make_worker("watchdog", 0);
    watched[0] = make_worker("hub", 0);
    watched[1] = make_worker("worker", 7);
    ck_assert_int_eq(watchdog_create(on, watched, WATCHED, &wd), 0);
}

static void
teardown(void)
{
    watchdog_destroy(wd);
    for (unsigned i = 0; i < WATCHED; i++)
        worker_destroy(watched[i]);
    worker_destroy(on);
    capture_close(&log_lines);
}

/* What begin_turn() and end_turn() write. */
static void
begin(unsigned i, const char *where)
{
    watched[i]->since_ms = fake_time.now_ns / 1000000;
    worker_set_where(watched[i], where);
}

static void
end(unsigned i)
{
    watched[i]->since_ms = 0;
    metric_add(&watched[i]->counters.turns, 1);
    worker_set_where(watched[i], "wait");
}

/* The clock goes to the next look, which happens; the wheel may want several
 * turns for that. */
static void
looks(unsigned n)
{
    const uint64_t fired = metric_read(&on->counters.timers);

    while (metric_read(&on->counters.timers) < fired + n)
        worker_turn(on);
}

static uint64_t
now(void)
{
    return fake_time.now_ns / 1000000;
}

static uint64_t
stalls(unsigned i)
{
    return metric_read(&watchdog_counters(wd, i)->stalls);
}

START_TEST(a_worker_in_one_turn_for_over_a_second_is_named_once)
{
    setup();
    begin(1, "deliveries");

    looks(4); /* a second, not more */
    ck_assert_str_eq(capture_text(&log_lines), "");
    looks(1);
    ck_assert_ptr_nonnull(strstr(capture_text(&log_lines),
                                 " warn loop stalled worker=worker index=7 "
                                 "where=deliveries for_ms=1250\n"));
    looks(34); /* 9.75 s */
    ck_assert_uint_eq(capture_count(&log_lines, "\n"), 1);
    ck_assert_uint_eq(stalls(0), 0);
    ck_assert_uint_eq(stalls(1), 1);
    ck_assert_uint_eq(metric_read(&watchdog_counters(wd, 1)->stalled_ms), 9750);
    teardown();
}
END_TEST

START_TEST(it_is_named_again_at_ten_and_a_hundred_seconds)
{
    setup();
    begin(0, "call");

    looks(41);
    ck_assert_uint_eq(capture_count(&log_lines, "\n"), 2);
    ck_assert_uint_eq(capture_count(&log_lines, "where=call for_ms=10250"), 1);
    worker_set_where(watched[0], "survey"); /* it moves, in the same turn */
    looks(360);
    ck_assert_uint_eq(capture_count(&log_lines, "\n"), 3);
    ck_assert_uint_eq(capture_count(&log_lines, "where=survey for_ms=100250"),
                      1);
    ck_assert_uint_eq(stalls(0), 1);
    teardown();
}
END_TEST

START_TEST(when_it_goes_on_that_is_told_with_how_long_it_took)
{
    setup();
    begin(0, "call");
    looks(8);
    end(0);
    looks(1);

    ck_assert_uint_eq(capture_count(&log_lines,
                                    " notice loop goes on worker=hub "
                                    "index=0 where=call took_ms=2000\n"),
                      1);
    ck_assert_uint_eq(metric_read(&watchdog_counters(wd, 0)->stalled_ms), 0);
    ck_assert_uint_eq(metric_read(&watchdog_counters(wd, 0)->longest_ms), 2000);

    /* The next stall is a stall of its own, and shorter. */
    begin(0, "ready");
    looks(5);
    end(0);
    looks(10);
    ck_assert_uint_eq(capture_count(&log_lines, "\n"), 4);
    ck_assert_uint_eq(stalls(0), 2);
    ck_assert_uint_eq(metric_read(&watchdog_counters(wd, 0)->longest_ms), 2000);
    teardown();
}
END_TEST

START_TEST(busy_is_not_stalled)
{
    setup();
    for (unsigned n = 0; n < 100; n++) {
        begin(0, "ready");
        looks(3); /* in the same turn for 750 ms, again and again */
        end(0);
    }
    ck_assert_str_eq(capture_text(&log_lines), "");
    ck_assert_uint_eq(stalls(0), 0);
    teardown();
}
END_TEST

START_TEST(who_waits_is_not_stalled)
{
    setup();
    looks(400);
    ck_assert_str_eq(capture_text(&log_lines), "");
    teardown();
}
END_TEST

/* The start of a turn and its number are read one after the other: here one of
 * them is always of another turn than the other. */
START_TEST(stamps_of_different_turns_accuse_nobody)
{
    setup();
    begin(0, "ready");
    begin(1, "ready");
    for (unsigned n = 0; n < 100; n++) {
        if (n % 2 == 0)
            metric_add(&watched[0]->counters.turns, 1); /* start of the last */
        begin(1, "ready");                              /* number of the last */
        looks(1);
    }
    ck_assert_str_eq(capture_text(&log_lines), "");
    teardown();
}
END_TEST

START_TEST(who_begins_after_the_watchdog_was_told_the_time_has_just_begun)
{
    setup();
    for (unsigned n = 0; n < 10; n++) {
        watched[0]->since_ms = now() + WATCHDOG_LOOK_MS + 3;
        looks(1);
    }
    ck_assert_str_eq(capture_text(&log_lines), "");
    teardown();
}
END_TEST

/* SIGSTOP and SIGCONT, a suspended machine: then nobody ran. */
START_TEST(time_that_the_watchdog_did_not_see_accuses_nobody)
{
    setup();
    begin(0, "ready");
    looks(1);
    for (unsigned n = 0; n < 3; n++) {
        fake_time_pass_ms(3600 * 1000);
        looks(1);
    }
    ck_assert_str_eq(capture_text(&log_lines), "");

    looks(1); /* but what it saw adds up */
    ck_assert_uint_eq(capture_count(&log_lines, "for_ms=1250"), 1);
    teardown();
}
END_TEST

START_TEST(a_turn_older_than_the_watchdog_has_its_time_too)
{
    setup();
    watched[0]->since_ms = 1;
    looks(4);
    ck_assert_str_eq(capture_text(&log_lines), "");
    looks(1);
    ck_assert_uint_eq(capture_count(&log_lines, "stalled"), 1);
    teardown();
}
END_TEST

START_TEST(a_look_that_comes_a_little_late_counts_in_full)
{
    setup();
    begin(0, "ready");
    for (unsigned n = 0; n < 3; n++) {
        fake_time_pass_ms(400);
        watchdog_look(wd, now());
    }
    ck_assert_uint_eq(capture_count(&log_lines, "for_ms=1200"), 1);
    teardown();
}
END_TEST

START_TEST(all_are_alive_when_nobody_is_stalled)
{
    setup();
    ck_assert(watchdog_all_alive(wd, now()));
    begin(0, "ready");
    looks(4);
    ck_assert(watchdog_all_alive(wd, now()));
    looks(1);
    ck_assert(!watchdog_all_alive(wd, now()));

    begin(1, "ready");
    looks(5); /* both */
    end(0);
    looks(1);
    ck_assert(!watchdog_all_alive(wd, now()));
    end(1);
    looks(1);
    ck_assert(watchdog_all_alive(wd, now()));
    teardown();
}
END_TEST

START_TEST(a_watchdog_that_does_not_look_vouches_for_nobody)
{
    setup();
    looks(1);
    ck_assert(watchdog_all_alive(wd, now() + 1000));
    ck_assert(!watchdog_all_alive(wd, now() + 1001));
    ck_assert(watchdog_all_alive(wd, now() - 1)); /* the asker's clock is old */
    fake_time_pass_ms(5000);
    looks(1);
    ck_assert(watchdog_all_alive(wd, now()));
    teardown();
}
END_TEST

START_TEST(who_is_watched_is_known)
{
    setup();
    ck_assert_uint_eq(watchdog_count(wd), WATCHED);
    ck_assert_ptr_eq(watchdog_worker(wd, 1), watched[1]);
    watchdog_destroy(NULL);
    teardown();
}
END_TEST

UNIT_MAIN("loop/watchdog", a_worker_in_one_turn_for_over_a_second_is_named_once,
          it_is_named_again_at_ten_and_a_hundred_seconds,
          when_it_goes_on_that_is_told_with_how_long_it_took,
          busy_is_not_stalled, who_waits_is_not_stalled,
          stamps_of_different_turns_accuse_nobody,
          who_begins_after_the_watchdog_was_told_the_time_has_just_begun,
          time_that_the_watchdog_did_not_see_accuses_nobody,
          a_turn_older_than_the_watchdog_has_its_time_too,
          a_look_that_comes_a_little_late_counts_in_full,
          all_are_alive_when_nobody_is_stalled,
          a_watchdog_that_does_not_look_vouches_for_nobody,
          who_is_watched_is_known)
