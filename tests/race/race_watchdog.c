/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A watchdog over workers that work, with others who ask it; all at once, and
 * as fast as they can. No turn here is long, so nobody may be accused, whatever
 * mixture of stamps a look meets.
 */
#include "loop/watchdog.h"

#include <sched.h>

#include "base/clock.h"
#include "loop/watchdog_priv.h"
#include "loop/worker.h"
#include "support/crew.h"
#include "support/unit.h"

enum {
    WORKERS = 3,
    ASKERS = 2,
    LOOKS = 20000,
};

static struct worker *workers[WORKERS];
static struct watchdog *wd;
static _Atomic bool is_over;

/* Each passes its ball to the next worker; they sleep and wake all the time. */
static struct post balls[WORKERS];

static void
pass_on(struct worker *w, struct post *p)
{
    worker_post(workers[(worker_index(w) + 1) % WORKERS], p);
}

static void
drop(struct post *p)
{
    /* Not allocated. */
}

static const struct post_kind ball_kind = {"ball", pass_on, drop};

static struct worker *
make_worker(const char *name, unsigned index)
{
    const struct worker_conf conf = {.name = name, .index = index, .cpu = -1};
    struct worker *w;

    ck_assert_int_eq(worker_create(&conf, &w), 0);
    return w;
}

/* As the control socket and whoever feeds systemd's watchdog. */
static void
ask(struct crew *crew, unsigned member)
{
    /* relaxed: only says when to end. */
    while (!atomic_load_explicit(&is_over, memory_order_relaxed)) {
        (void)watchdog_all_alive(wd, clock_mono_ms());
        for (size_t i = 0; i < watchdog_count(wd); i++) {
            const struct watchdog_counters *const n = watchdog_counters(wd, i);

            CREW_ASSERT(metric_read(&n->stalls) == 0);
            CREW_ASSERT(metric_read(&n->stalled_ms) == 0);
        }
        sched_yield();
    }
}

static void
await_other_turns(void)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        const _Atomic uint64_t *const turns =
            &worker_counters(workers[i])->turns;
        const uint64_t before = metric_read(turns);

        while (metric_read(turns) == before)
            sched_yield();
    }
}

/* The time given goes a look's interval further each time, so that a few looks
 * which took a turn for another would have a stall together. */
static void
look_fast(void)
{
    uint64_t now_ms = clock_mono_ms();

    for (unsigned n = 0; n < LOOKS; n++) {
        watchdog_look(wd, now_ms += WATCHDOG_LOOK_MS);
        await_other_turns();
    }
}

START_TEST(who_works_is_never_accused_however_a_look_mixes_its_stamps)
{
    struct worker *const on = make_worker("watchdog", 0);
    struct crew crew;

    for (unsigned i = 0; i < WORKERS; i++)
        workers[i] = make_worker("race", i);
    ck_assert_int_eq(watchdog_create(on, workers, WORKERS, &wd), 0);
    crew_start(&crew, ASKERS, ask);
    for (unsigned i = 0; i < WORKERS; i++) {
        ck_assert_int_eq(worker_start(workers[i]), 0);
        balls[i].kind = &ball_kind;
        worker_post(workers[i], &balls[i]);
    }

    look_fast();

    /* relaxed: see ask(). */
    atomic_store_explicit(&is_over, true, memory_order_relaxed);
    crew_join(&crew);
    for (unsigned i = 0; i < WORKERS; i++)
        worker_stop(workers[i]);
    watchdog_destroy(wd);
    worker_destroy(on);
    for (unsigned i = 0; i < WORKERS; i++)
        worker_destroy(workers[i]);
}
END_TEST

UNIT_MAIN("race/watchdog",
          who_works_is_never_accused_however_a_look_mixes_its_stamps)
