/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Fault (a) in a storm: hundreds leave in every way there is while others talk,
 * and file descriptors are used again at once. Those who stay lose nobody and
 * no word, and hear of each departure once. Who is who, and what each must
 * hear, is in storm_crowd.h.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "e2e/storm_crowd.h"
#include "support/e2e.h"
#include "support/figure.h"
#include "support/small_net.h"
#include "support/unit.h"

#define TICK_MS 100u

static bool small_buffers;

/* -- judging -------------------------------------------------------------- */

static unsigned
count_in(void)
{
    unsigned n = 0;

    for (size_t i = 0; i < crowd.stay + crowd.churn; i++)
        n += crowd.seats[i].state == IN;
    return n;
}

static bool
all_are_fenced(void *arg)
{
    for (size_t i = 0; i < crowd.stay + crowd.churn; i++)
        if (crowd.seats[i].state == IN && !crowd.seats[i].fenced)
            return false;
    return true;
}

/* Who waits for the server's end has got it. */
static bool
all_have_ended(void *arg)
{
    crowd_see_off(false);
    for (size_t i = crowd.stay; i < crowd.stay + crowd.churn; i++)
        if (crowd.seats[i].state == ENDING)
            return false;
    return true;
}

static bool
time_is_over(void *until)
{
    return now_ms() >= *(const uint64_t *)until;
}

static void
serve_for(unsigned ms)
{
    uint64_t until = now_ms() + ms;

    swarm_run_until(&crowd.swarm, time_is_over, &until, "time to pass");
}

/* Who vanished is found out about by talking to it, twice for a RST to be
 * there and to be seen. */
static void
settle(void)
{
    const uint64_t deadline = now_ms() + SWARM_PATIENCE_MS;

    swarm_run_until(&crowd.swarm, crowd_all_are_in, NULL, "all to be in");
    swarm_run_until(&crowd.swarm, all_have_ended, NULL, "the server's ends");
    while (daemon_census(&crowd.d, "users") != count_in()) {
        if (now_ms() >= deadline)
            e2e_fail("%u are in, and the hub has %" PRIu64, count_in(),
                     daemon_census(&crowd.d, "users"));
        crowd_see_off(false);
        for (size_t i = 0; i < crowd.stay; i++)
            crowd_say(i);
        serve_for(100);
    }
    /* What was to be told is in front of the answer to this. */
    for (size_t i = 0; i < crowd.stay + crowd.churn; i++) {
        crowd.seats[i].fenced = false;
        if (crowd.seats[i].state == IN)
            swarm_send(&crowd.swarm, i, "/topic #r%u\n",
                       crowd_main_room(crowd_who_sits(i)));
    }
    swarm_run_until(&crowd.swarm, all_are_fenced, NULL, "the last answers");
}

static void
check_words(size_t i)
{
    for (size_t k = 0; k < crowd.stay; k++) {
        const unsigned last = ledger_last(&crowd.ledger, i, k);
        const bool hears =
            k != i &&
            crowd_is_member(crowd_who_sits(i), crowd_main_room((unsigned)k));

        if (last != (hears ? crowd.said[k] : 0) &&
            (crowd_survives(i) || last != 0))
            e2e_fail("place %zu: of s%zu's %u it heard up to %u", i, k,
                     crowd.said[k], last);
    }
}

static void
check_departures(size_t i)
{
    for (unsigned life = 0; life < crowd.lives; life++)
        if (crowd.left_at[life] > crowd.seats[i].entered_at &&
            crowd_share_a_room(crowd_who_sits(i), life) &&
            !once_is_told(&crowd.quits, i, life))
            e2e_fail("place %zu: was never told that c%u left", i, life);
}

static void
check_all(void)
{
    settle();
    for (size_t i = 0; i < crowd.stay + crowd.churn; i++)
        if (crowd.seats[i].state == IN) {
            check_words(i);
            check_departures(i);
        }
}

static void
all_churners_leave(void)
{
    crowd_see_off(true);
    swarm_run_until(&crowd.swarm, crowd_all_are_in, NULL, "the last to be in");
    for (size_t i = crowd.stay; i < crowd.stay + crowd.churn; i++)
        if (crowd.seats[i].state == IN)
            crowd_leave_now(i, crowd_next_departure());
    check_all();
}

/* What must be as it was when only the survivors are there. Not timers: one
 * that will find nothing to do may still be armed. */
static const char *const counts[] = {
    "conns",         "conns_without_deadline",
    "conns_paused",  "pending_msgs",
    "pending_bytes", "kept_bytes",
    "clients",       "unanswered",
    "sessions",      "users",
    "rooms",         "members",
    "view_rooms",    "view_members",
    "live_msgs",     "sources",
    "slab_objects",  "fds",
    "in_draining",
};
#define COUNTS (sizeof(counts) / sizeof(counts[0]))

static void
count_all(uint64_t values[COUNTS])
{
    for (size_t i = 0; i < COUNTS; i++)
        values[i] = daemon_census(&crowd.d, counts[i]);
}

static void
await_counts(const uint64_t values[COUNTS])
{
    for (size_t i = 0; i < COUNTS; i++)
        daemon_await_census(&crowd.d, counts[i], values[i]);
}

/* -- the storms ----------------------------------------------------------- */

static void
begin(unsigned survivors, unsigned churners, unsigned lives_max)
{
    crowd.stay = survivors;
    crowd.churn = churners;
    crowd.dice = 11;
    ck_assert_uint_le(crowd.stay + crowd.churn, PLACES_MAX);
    small_buffers = small_net_enter();
    daemon_start(&crowd.d, "[history]\nroom_events = 0\nkeep_events = 1\n");
    ledger_init(&crowd.ledger, crowd.stay + crowd.churn, crowd.stay);
    once_init(&crowd.quits, crowd.stay + crowd.churn, lives_max);
    swarm_init(&crowd.swarm, crowd.stay + crowd.churn, crowd_on_line, NULL);
    for (size_t i = 0; i < crowd.stay; i++)
        crowd_enter(i);
    check_all();
    crowd.swarm.receive_buffer = 4096; /* who does not read is soon full */
}

static void
finish(void)
{
    swarm_fini(&crowd.swarm);
    daemon_await_census_now(&crowd.d, crowd.d.at_rest);
    daemon_stop(&crowd.d);
    ledger_fini(&crowd.ledger);
    once_fini(&crowd.quits);
}

static void
storm(unsigned ticks, unsigned closes_a_tick, uint64_t *pending)
{
    for (unsigned t = 0; t < ticks; t++) {
        uint64_t now;

        crowd_some_leave(closes_a_tick);
        crowd_see_off(false);
        crowd_fill_places();
        crowd_survivors_talk();
        serve_for(TICK_MS);
        now = daemon_census(&crowd.d, "pending_bytes");
        *pending = now > *pending ? now : *pending;
    }
}

/* Those who stay are silent: then the server does nothing. */
static void
expect_idle(unsigned ms)
{
    const uint64_t cpu_ms = daemon_cpu_ms(&crowd.d);

    (void)poll(NULL, 0, (int)ms);
    /* One per cent, and a tick of the clock that counts it. */
    ck_assert_uint_le(daemon_cpu_ms(&crowd.d) - cpu_ms,
                      e2e_patience_ms(ms / 100) + 10);
}

static void
report(unsigned cycle, uint64_t pending)
{
    uint64_t words = 0;

    for (size_t i = 0; i < crowd.stay; i++)
        words += crowd.said[i];
    printf("cycle %u: %u lives, %" PRIu64 " messages, at most %" PRIu64
           " bytes pending, rss %" PRIu64 " KiB; by kind",
           cycle, crowd.lives, words, pending,
           daemon_census(&crowd.d, "rss_bytes") / 1024);
    for (size_t i = 0; i < DEPARTURES; i++)
        printf(" %u", crowd.departures[i]);
    printf("\n");
    fflush(stdout);
}

START_TEST(a_storm_of_departures_passes_those_who_stay)
{
    const unsigned cycles = figure(2, 5);
    const unsigned ticks = figure(15, 100);
    const unsigned closes = e2e_scaled(figure(10, 20));
    uint64_t pending = 0, rss = 0;
    uint64_t at_rest[COUNTS];

    begin(e2e_scaled(figure(40, 200)), e2e_scaled(figure(120, 800)), LIVES_MAX);
    count_all(at_rest);
    for (unsigned cycle = 0; cycle < cycles; cycle++) {
        e2e_scene("cycle %u", cycle);
        crowd_fill_places();
        check_all();
        storm(ticks, closes, &pending);
        all_churners_leave();
        await_counts(at_rest);
        report(cycle, pending);
        if (cycle == 1)
            rss = daemon_census(&crowd.d, "rss_bytes");
    }

    for (size_t how = 0; how < DEPARTURES; how++)
        ck_assert_msg(how == BY_VANISHING || crowd.departures[how] > 0,
                      "nobody left by way %zu", how);
    /* Who did not read made the server wait. */
    ck_assert(pending > 0 || !small_buffers);
    /* What malloc keeps may differ; what is lost each cycle would be more. */
    ck_assert_uint_le(daemon_census(&crowd.d, "rss_bytes"), rss + rss / 5);
    expect_idle(figure(500, 5000));
    finish();
}
END_TEST

/* Each with something on its way to it, from itself and from a survivor: it
 * must not reach who sits there next. */
static void
leave_frozen(unsigned round)
{
    for (size_t i = crowd.stay; i < crowd.stay + crowd.churn; i++) {
        const enum departure how = (enum departure)((i + round) % DEPARTURES);
        const unsigned life = crowd.seats[i].life;

        swarm_send(&crowd.swarm, i, "/msg c%u %s\n", life,
                   crowd.seats[i].canary.word);
        swarm_send(&crowd.swarm, i % crowd.stay, "/msg c%u %s\n", life,
                   crowd.seats[i].canary.word);
        crowd_leave_now(i, how == BY_SHUTDOWN ? BY_FIN : how);
    }
}

/* Whatever happens while the server does not look is there at one look: ends of
 * connections, and new ones that will get their descriptors. */
START_TEST(what_happened_while_it_was_stopped_is_put_in_order)
{
    const unsigned rounds = figure(3, 20);

    begin(e2e_scaled(40), e2e_scaled(figure(200, 500)), LIVES_MAX);
    crowd_fill_places();
    check_all();
    for (unsigned round = 0; round < rounds; round++) {
        e2e_scene("round %u", round);
        daemon_freeze(&crowd.d);
        leave_frozen(round);
        crowd_fill_places();
        for (size_t i = 0; i < crowd.stay; i++)
            crowd_say(i);
        daemon_thaw(&crowd.d);
        check_all();
    }
    all_churners_leave();
    printf("%u lives in %u rounds\n", crowd.lives, rounds);
    finish();
}
END_TEST

UNIT_MAIN("e2e/storm", a_storm_of_departures_passes_those_who_stay,
          what_happened_while_it_was_stopped_is_put_in_order)
