/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Workers between real threads: posts from many sides while one starts, works
 * and stops, and the bell between workers that mostly sleep.
 *
 * Shape    A letter is allocated by its poster and freed by whoever gets it,
 *          so the sanitizers see a letter that is got twice, never, or before
 *          it was written.
 * Order    The numbers of one poster must come without a gap, first those that
 *          ran, then those that were dropped.
 */
#include "loop/worker.h"

#include <sched.h>
#include <stdlib.h>

#include "support/crew.h"
#include "support/unit.h"

enum {
    POSTERS = 4,
    ROUNDS = 60,
    TRIPS = 20000,
};

struct letter {
    struct post post;
    unsigned from;
    uint64_t number;
};

static struct office {
    struct worker *worker;
    /* whoever reads: the worker, then the one that destroys it */
    uint64_t expected[POSTERS];
    uint64_t run;
    uint64_t dropped;
    /* one poster each; read once joined */
    uint64_t posted[POSTERS];
    /* [any] */
    _Atomic bool is_closing;
} office;

static void
check_and_free(struct post *p)
{
    struct letter *const letter = CONTAINER_OF(p, struct letter, post);

    CREW_ASSERT(letter->number == office.expected[letter->from]);
    office.expected[letter->from]++;
    free(letter);
}

static void
run_letter(struct worker *w, struct post *p)
{
    CREW_ASSERT(worker_is_self(w));
    office.run++;
    check_and_free(p);
}

static void
drop_letter(struct post *p)
{
    office.dropped++;
    check_and_free(p);
}

static const struct post_kind letter_kind = {"letter", run_letter, drop_letter};

static void
post_letter(unsigned from)
{
    struct letter *const letter = malloc(sizeof(*letter));

    CREW_ASSERT(letter != NULL);
    *letter = (struct letter){
        .post.kind = &letter_kind,
        .from = from,
        .number = office.posted[from]++,
    };
    worker_post(office.worker, &letter->post);
}

/* Posts until told to end; sometimes fast, sometimes so that the worker falls
 * asleep in between. And looks over its shoulder, as a watchdog does. */
static void
poster_main(struct crew *crew, unsigned member)
{
    uint64_t since_ms;

    /* relaxed: only says when to end. */
    while (!atomic_load_explicit(&office.is_closing, memory_order_relaxed)) {
        post_letter(member);
        CREW_ASSERT(!worker_is_self(office.worker));
        CREW_ASSERT(worker_where(office.worker, &since_ms) != NULL);
        if (office.posted[member] % 8 < member)
            sched_yield();
    }
}

static void
work_until(uint64_t posts)
{
    const struct worker_conf conf = {.name = "race", .cpu = -1};
    struct crew *const crew = &(struct crew){.members = 0};

    ck_assert_int_eq(worker_create(&conf, &office.worker), 0);
    crew_start(crew, POSTERS, poster_main);
    ck_assert_int_eq(worker_start(office.worker), 0);
    while (metric_read(&worker_counters(office.worker)->posts) < posts)
        sched_yield();
    worker_stop(office.worker);
    /* relaxed: pairs with nothing, see poster_main(). */
    atomic_store_explicit(&office.is_closing, true, memory_order_relaxed);
    crew_join(crew);
    worker_destroy(office.worker);
}

START_TEST(every_post_is_run_or_dropped_whenever_the_worker_stops)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t posted = 0;

        office = (struct office){.run = 0};
        work_until(round * 30);
        for (unsigned i = 0; i < POSTERS; i++)
            posted += office.posted[i];
        ck_assert_uint_eq(office.run + office.dropped, posted);
        ck_assert_uint_ge(office.run, round * 30);
    }
}
END_TEST

/* -- a ball between workers ------------------------------------------------ */

static struct game {
    struct worker *players[2];
    struct worker *referee; /* the thread that runs the case */
    unsigned trips;         /* who holds the ball may touch it */
    struct post ball;
} game;

static void
hit_ball(struct worker *w, struct post *p)
{
    if (++game.trips < TRIPS)
        worker_post(game.players[1 - worker_index(w)], p);
    else
        worker_quit(game.referee);
}

static void
drop_ball(struct post *p)
{
    crew_fail("the ball fell down", __FILE__, __LINE__);
}

static const struct post_kind ball_kind = {"ball", hit_ball, drop_ball};

/* A ring that is lost leaves both asleep for ever, which ctest's time limit
 * ends. */
START_TEST(two_workers_that_sleep_in_turn_wake_each_other_every_time)
{
    const struct worker_counters *counters;

    game = (struct game){.ball.kind = &ball_kind};
    for (unsigned i = 0; i < 2; i++) {
        const struct worker_conf conf = {
            .name = "player", .index = i, .cpu = -1};

        ck_assert_int_eq(worker_create(&conf, &game.players[i]), 0);
        ck_assert_int_eq(worker_start(game.players[i]), 0);
    }
    ck_assert_int_eq(
        worker_create(&(struct worker_conf){.name = "referee", .cpu = -1},
                      &game.referee),
        0);

    worker_post(game.players[0], &game.ball);
    worker_run(game.referee);

    counters = worker_counters(game.players[0]);
    ck_assert_uint_le(metric_read(&counters->wakeups),
                      metric_read(&counters->turns));
    for (unsigned i = 0; i < 2; i++) {
        worker_stop(game.players[i]);
        worker_destroy(game.players[i]);
    }
    worker_destroy(game.referee);
    ck_assert_uint_eq(game.trips, TRIPS);
}
END_TEST

UNIT_MAIN("race/worker", every_post_is_run_or_dropped_whenever_the_worker_stops,
          two_workers_that_sleep_in_turn_wake_each_other_every_time)
