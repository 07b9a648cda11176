/* SPDX-License-Identifier: BSD-2-Clause
 *
 * watchdog - see watchdog.h.
 *
 * Turns    A turn is known by its number (the counter `turns`, which its end
 *          moves) and its start. The two are stamps of their own, so a look
 *          may catch one of them old and one new; such a pair is no turn that
 *          was seen before, and the time begins anew. Only what two looks
 *          agree on adds up, so no pair of stamps can accuse by itself.
 */
#include "loop/watchdog.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/wheel.h"
#include "loop/watchdog_priv.h"
#include "loop/worker.h"

/* A look later than this after the last: we were not there. */
#define GAP_MS (2u * WATCHDOG_LOOK_MS)

/* Without a look for so long, the watchdog does not vouch for anybody. */
#define SILENCE_MS WATCHDOG_STALL_MS

static_assert(GAP_MS < WATCHDOG_STALL_MS, "one look must not accuse");

/* Where a worker was at a look. */
struct sight {
    uint64_t turn;
    uint64_t since_ms; /* 0: in none */
    const char *where;
};

struct watched {
    struct worker *worker;
    struct sight sight;
    uint64_t seen_ms; /* how long in that turn, as far as we were there */
    uint64_t warn_ms; /* the next warning is due when that is so much */
    struct watchdog_counters counters; /* [any] may read */
};

struct watchdog {
    /* set once */
    struct worker *on;
    size_t count;
    /* [on] */
    struct wheel_timer timer;
    uint64_t looked_ms;
    /* [any] */
    _Atomic uint64_t stalled; /* workers, now */
    _Atomic uint64_t last_look_ms;
    /* [on] */
    struct watched watched[];
};

static void
set_metric(_Atomic uint64_t *metric, uint64_t value)
{
    metric_add(metric, value - metric_read(metric));
}

/* -- one worker ----------------------------------------------------------- */

static struct sight
look_at(const struct worker *w)
{
    struct sight s;

    s.turn = metric_read(&worker_counters(w)->turns);
    s.where = worker_where(w, &s.since_ms);
    return s;
}

static bool
is_stalled(const struct watched *x)
{
    return metric_read(&x->counters.stalled_ms) > 0;
}

/* The time seen; a stall in its course, or over. */
static void
note_stall(struct watched *x)
{
    set_metric(&x->counters.stalled_ms, x->seen_ms);
    if (x->seen_ms > metric_read(&x->counters.longest_ms))
        set_metric(&x->counters.longest_ms, x->seen_ms);
}

static void
cry(struct watchdog *wd, struct watched *x)
{
    if (!is_stalled(x)) {
        metric_add(&x->counters.stalls, 1);
        metric_add(&wd->stalled, 1);
    }
    LOG_WARN(LOG_LOOP, "stalled", LOG_F_STR("worker", worker_name(x->worker)),
             LOG_F_U64("index", worker_index(x->worker)),
             LOG_F_STR("where", x->sight.where),
             LOG_F_U64("for_ms", x->seen_ms));
    while (x->warn_ms <= x->seen_ms)
        x->warn_ms *= 10;
}

/* It has left the turn that it was seen in. */
static void
forget_turn(struct watchdog *wd, struct watched *x)
{
    if (is_stalled(x)) {
        LOG_NOTICE(LOG_LOOP, "goes on",
                   LOG_F_STR("worker", worker_name(x->worker)),
                   LOG_F_U64("index", worker_index(x->worker)),
                   LOG_F_STR("where", x->sight.where),
                   LOG_F_U64("took_ms", x->seen_ms));
        set_metric(&x->counters.stalled_ms, 0);
        metric_sub(&wd->stalled, 1);
    }
    x->seen_ms = 0;
    x->warn_ms = WATCHDOG_STALL_MS;
}

/* `gap_ms`: what of the time since the last look may count. */
static void
judge(struct watchdog *wd, struct watched *x, uint64_t now_ms, uint64_t gap_ms)
{
    const struct sight s = look_at(x->worker);
    const bool is_same = s.since_ms != 0 && s.turn == x->sight.turn &&
                         s.since_ms == x->sight.since_ms;

    if (!is_same)
        forget_turn(wd, x);
    x->sight = s;
    if (s.since_ms == 0)
        return;

    if (is_same)
        x->seen_ms += gap_ms;
    else if (s.since_ms < now_ms) /* it may have begun after we were told */
        x->seen_ms =
            now_ms - s.since_ms < gap_ms ? now_ms - s.since_ms : gap_ms;
    if (x->seen_ms > x->warn_ms)
        cry(wd, x);
    if (x->seen_ms > WATCHDOG_STALL_MS)
        note_stall(x);
}

/* -- all of them ---------------------------------------------------------- */

void
watchdog_look(struct watchdog *wd, uint64_t now_ms)
{
    const uint64_t passed_ms = now_ms - wd->looked_ms;
    const uint64_t gap_ms = passed_ms <= GAP_MS ? passed_ms : WATCHDOG_LOOK_MS;

    ASSERT_OWNER(wd->on);

    wd->looked_ms = now_ms;
    for (size_t i = 0; i < wd->count; i++)
        judge(wd, &wd->watched[i], now_ms, gap_ms);
    /* relaxed: a stamp for watchdog_all_alive(), which publishes nothing. */
    atomic_store_explicit(&wd->last_look_ms, now_ms, memory_order_relaxed);
}

static void
on_due(struct wheel_timer *t, uint64_t now_ms)
{
    struct watchdog *const wd = CONTAINER_OF(t, struct watchdog, timer);

    watchdog_look(wd, now_ms);
    wheel_arm(worker_wheel(wd->on), t, now_ms + WATCHDOG_LOOK_MS);
}

bool
watchdog_all_alive(const struct watchdog *wd, uint64_t now_ms)
{
    /* relaxed: as in watchdog_look(). */
    const uint64_t looked_ms =
        atomic_load_explicit(&wd->last_look_ms, memory_order_relaxed);

    if (metric_read(&wd->stalled) > 0)
        return false;
    return now_ms <= looked_ms || now_ms - looked_ms <= SILENCE_MS;
}

/* -- from birth to death -------------------------------------------------- */

int
watchdog_create(struct worker *on, struct worker *const *watched, size_t count,
                struct watchdog **out)
{
    const uint64_t now_ms = worker_now_ms(on);
    struct watchdog *wd;

    wd = calloc(1, sizeof(*wd) + count * sizeof(struct watched));
    if (wd == NULL)
        return -ENOMEM;
    wd->on = on;
    wd->count = count;
    wd->looked_ms = now_ms;
    atomic_init(&wd->last_look_ms, now_ms);
    for (size_t i = 0; i < count; i++) {
        wd->watched[i].worker = watched[i];
        wd->watched[i].warn_ms = WATCHDOG_STALL_MS;
    }
    wheel_timer_init(&wd->timer, on_due);
    wheel_arm(worker_wheel(on), &wd->timer, now_ms + WATCHDOG_LOOK_MS);
    *out = wd;
    return 0;
}

void
watchdog_destroy(struct watchdog *wd)
{
    if (wd == NULL)
        return;
    ASSERT_OWNER(wd->on);

    wheel_disarm(worker_wheel(wd->on), &wd->timer);
    free(wd);
}

size_t
watchdog_count(const struct watchdog *wd)
{
    return wd->count;
}

const struct worker *
watchdog_worker(const struct watchdog *wd, size_t i)
{
    ASSERT(i < wd->count);
    return wd->watched[i].worker;
}

const struct watchdog_counters *
watchdog_counters(const struct watchdog *wd, size_t i)
{
    ASSERT(i < wd->count);
    return &wd->watched[i].counters;
}
