/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/wheel.h"

#include "base/compiler.h"
#include "support/unit.h"

#define NO_BUDGET SIZE_MAX
#define SPAN_MS   (UINT64_C(1) << (WHEEL_BITS * WHEEL_LEVELS))

/* A timer that notes when it fired. */
struct probe {
    struct wheel_timer timer;
    uint64_t fired_ms;
    unsigned times;
};

static void
note(struct wheel_timer *t, uint64_t now_ms)
{
    struct probe *const p = CONTAINER_OF(t, struct probe, timer);

    p->fired_ms = now_ms;
    p->times++;
}

static void
probe_init(struct probe *p)
{
    *p = (struct probe){.times = 0};
    wheel_timer_init(&p->timer, note);
}

/* Sleeps as a reactor would, from one wheel_next_ms() to the next; returns the
 * number of times it woke before `p` fired. */
static unsigned
wakings_until_fired(struct wheel *w, const struct probe *p)
{
    unsigned wakings = 0;

    while (p->times == 0) {
        const uint64_t next_ms = wheel_next_ms(w);

        ck_assert(next_ms != WHEEL_NEVER && next_ms >= w->now_ms);
        (void)wheel_advance(w, next_ms, NO_BUDGET);
        wakings++;
        ck_assert_uint_lt(wakings, 1000);
    }
    return wakings;
}

START_TEST(a_timer_fires_once_and_not_before_its_time)
{
    struct probe p;
    struct wheel w;

    wheel_init(&w, 1000);
    probe_init(&p);
    wheel_arm(&w, &p.timer, 1500);

    ck_assert_uint_eq(wheel_advance(&w, 1499, NO_BUDGET), 0);
    ck_assert(wheel_is_armed(&p.timer));
    ck_assert_uint_eq(wheel_advance(&w, 1500, NO_BUDGET), 1);
    ck_assert(!wheel_is_armed(&p.timer));
    ck_assert_uint_eq(wheel_advance(&w, 99999, NO_BUDGET), 0);
    ck_assert_uint_eq(p.times, 1);
    ck_assert_uint_eq(p.fired_ms, 1500);
    ck_assert_uint_eq(w.armed, 0);
}
END_TEST

START_TEST(every_distance_near_a_power_is_met_to_the_millisecond)
{
    static const uint64_t starts_ms[] = {0,    1,      63,          64,
                                         4095, 262143, 123456789012};

    for (size_t s = 0; s < ARRAY_LEN(starts_ms); s++) {
        for (unsigned bit = 0; bit <= 40; bit++) {
            for (int64_t off = -1; off <= 1; off++) {
                const uint64_t due_ms =
                    starts_ms[s] + (UINT64_C(1) << bit) + (uint64_t)off;
                struct probe p;
                struct wheel w;

                wheel_init(&w, starts_ms[s]);
                probe_init(&p);
                wheel_arm(&w, &p.timer, due_ms);
                (void)wakings_until_fired(&w, &p);

                ck_assert_uint_eq(p.fired_ms, due_ms);
            }
        }
    }
}
END_TEST

START_TEST(a_timer_beyond_the_last_ring_waits_in_it)
{
    struct probe p;
    struct wheel w;

    wheel_init(&w, 77);
    probe_init(&p);
    wheel_arm(&w, &p.timer, 77 + 5 * SPAN_MS + 12345);

    ck_assert_uint_le(wakings_until_fired(&w, &p), 20);
    ck_assert_uint_eq(p.fired_ms, 77 + 5 * SPAN_MS + 12345);
}
END_TEST

START_TEST(one_jump_over_everything_fires_in_order_of_time)
{
    static const uint64_t dues_ms[] = {SPAN_MS * 2, 70,   5,  300000,
                                       64,          4096, 63, 5000000000};
    static const size_t in_order[] = {2, 6, 4, 1, 5, 3, 7, 0};
    struct probe probes[ARRAY_LEN(dues_ms)];
    struct wheel w;

    wheel_init(&w, 0);
    for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
        probe_init(&probes[i]);
        wheel_arm(&w, &probes[i].timer, dues_ms[i]);
    }

    for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
        ck_assert_uint_eq(probes[in_order[i]].times, 0);
        ck_assert_uint_eq(wheel_advance(&w, SPAN_MS * 3, 1), 1);
        ck_assert_uint_eq(probes[in_order[i]].times, 1);
    }
    ck_assert_uint_eq(w.armed, 0);
}
END_TEST

START_TEST(a_time_gone_by_fires_at_the_next_advance)
{
    struct probe past, present;
    struct wheel w;

    wheel_init(&w, 1000);
    probe_init(&past);
    probe_init(&present);
    wheel_arm(&w, &past.timer, 3);
    wheel_arm(&w, &present.timer, 1000);

    ck_assert_uint_eq(wheel_next_ms(&w), 1000);
    ck_assert_uint_eq(wheel_advance(&w, 1000, NO_BUDGET), 2);
    ck_assert_uint_eq(past.fired_ms, 1000);
}
END_TEST

START_TEST(arming_again_moves_the_timer)
{
    struct probe p;
    struct wheel w;

    wheel_init(&w, 0);
    probe_init(&p);
    wheel_arm(&w, &p.timer, 10);
    wheel_arm(&w, &p.timer, 100);

    ck_assert_uint_eq(w.armed, 1);
    ck_assert_uint_eq(wheel_advance(&w, 99, NO_BUDGET), 0);
    ck_assert_uint_eq(wheel_advance(&w, 100, NO_BUDGET), 1);
}
END_TEST

START_TEST(a_disarmed_timer_leaves_no_trace)
{
    struct probe p;
    struct wheel w;

    wheel_init(&w, 0);
    probe_init(&p);
    wheel_disarm(&w, &p.timer);
    wheel_arm(&w, &p.timer, 5000);
    wheel_disarm(&w, &p.timer);
    wheel_disarm(&w, &p.timer);

    ck_assert_uint_eq(w.armed, 0);
    ck_assert_uint_eq(wheel_next_ms(&w), WHEEL_NEVER);
    ck_assert_uint_eq(wheel_advance(&w, 10000, NO_BUDGET), 0);
    ck_assert_uint_eq(p.times, 0);
}
END_TEST

START_TEST(what_the_budget_leaves_is_due_at_once)
{
    struct probe probes[5];
    struct wheel w;

    wheel_init(&w, 0);
    for (size_t i = 0; i < ARRAY_LEN(probes); i++) {
        probe_init(&probes[i]);
        wheel_arm(&w, &probes[i].timer, 10 * i);
    }

    ck_assert_uint_eq(wheel_advance(&w, 100, 2), 2);
    ck_assert_uint_eq(wheel_next_ms(&w), 100);
    ck_assert_uint_eq(wheel_advance(&w, 100, 0), 0);
    ck_assert_uint_eq(wheel_advance(&w, 100, 2), 2);
    ck_assert_uint_eq(probes[3].times, 1);
    ck_assert_uint_eq(wheel_advance(&w, 200, 2), 1);
    ck_assert_uint_eq(probes[4].fired_ms, 200);
}
END_TEST

static struct wheel *shared_wheel;
static struct wheel_timer *victim;

static void
arm_again_at_once(struct wheel_timer *t, uint64_t now_ms)
{
    wheel_arm(shared_wheel, t, now_ms);
}

START_TEST(a_callback_that_arms_for_now_does_not_hold_up_the_turn)
{
    struct wheel_timer eager;
    struct wheel w;

    wheel_init(&w, 0);
    shared_wheel = &w;
    wheel_timer_init(&eager, arm_again_at_once);
    wheel_arm(&w, &eager, 10);

    ck_assert_uint_eq(wheel_advance(&w, 500, NO_BUDGET), 1);
    ck_assert_uint_eq(wheel_next_ms(&w), 500);
    ck_assert_uint_eq(wheel_advance(&w, 500, NO_BUDGET), 1);
    wheel_disarm(&w, &eager);
}
END_TEST

static void
disarm_the_victim(struct wheel_timer *t, uint64_t now_ms)
{
    wheel_disarm(shared_wheel, victim);
}

START_TEST(a_callback_may_disarm_a_timer_that_is_due_with_it)
{
    struct wheel_timer killer;
    struct probe p;
    struct wheel w;

    wheel_init(&w, 0);
    shared_wheel = &w;
    probe_init(&p);
    victim = &p.timer;
    wheel_timer_init(&killer, disarm_the_victim);
    wheel_arm(&w, &killer, 20);
    wheel_arm(&w, &p.timer, 20);

    ck_assert_uint_eq(wheel_advance(&w, 20, NO_BUDGET), 1);
    ck_assert_uint_eq(p.times, 0);
    ck_assert_uint_eq(w.armed, 0);
    ck_assert_uint_eq(wheel_next_ms(&w), WHEEL_NEVER);
}
END_TEST

/* -- against a naive model ------------------------------------------------ */

#define TIMERS 80

struct subject {
    struct wheel_timer timer;
    /* the model */
    bool is_armed;
    bool is_due_now;  /* armed before this advance, for its time or earlier */
    uint64_t due_ms;  /* as armed */
    uint64_t rank_ms; /* its place in the order: due, or when armed if later */
};

static struct {
    struct wheel wheel;
    struct subject subjects[TIMERS];
    uint64_t random;
    uint64_t armed;
    uint64_t last_rank_ms; /* in this advance */
    bool in_advance;
} world;

static uint64_t
random_next(void)
{
    world.random ^= world.random << 13;
    world.random ^= world.random >> 7;
    world.random ^= world.random << 17;
    return world.random;
}

/* Every order of magnitude is as likely as any other. */
static uint64_t
random_span(unsigned max_bits)
{
    return random_next() >> (63 - random_next() % max_bits);
}

static struct subject *
random_subject(void)
{
    return &world.subjects[random_next() % TIMERS];
}

static void
arm(struct subject *s, uint64_t due_ms)
{
    const uint64_t now_ms = world.wheel.now_ms;

    wheel_arm(&world.wheel, &s->timer, due_ms);
    world.armed += s->is_armed ? 0 : 1;
    s->is_armed = true;
    s->is_due_now = false;
    s->due_ms = due_ms;
    s->rank_ms = due_ms > now_ms ? due_ms : now_ms;
}

static void
disarm(struct subject *s)
{
    wheel_disarm(&world.wheel, &s->timer);
    world.armed -= s->is_armed ? 1 : 0;
    s->is_armed = false;
    s->is_due_now = false;
}

static void
arm_at_random(struct subject *s)
{
    const uint64_t now_ms = world.wheel.now_ms;
    const uint64_t span_ms = random_span(39);

    if (random_next() % 10 == 0)
        arm(s, span_ms > now_ms ? 0 : now_ms - span_ms);
    else
        arm(s, now_ms + span_ms);
}

static void
on_subject_due(struct wheel_timer *t, uint64_t now_ms)
{
    struct subject *const s = CONTAINER_OF(t, struct subject, timer);

    ck_assert(world.in_advance);
    ck_assert(s->is_armed && s->is_due_now);
    ck_assert_uint_le(s->due_ms, now_ms);
    ck_assert_uint_eq(now_ms, world.wheel.now_ms);
    ck_assert_uint_ge(s->rank_ms, world.last_rank_ms);
    ck_assert(!wheel_is_armed(t));
    world.last_rank_ms = s->rank_ms;
    s->is_armed = false;
    s->is_due_now = false;
    world.armed--;

    switch (random_next() % 4) { /* in the last case, nothing */
    case 0:
        arm_at_random(s);
        break;
    case 1:
        arm_at_random(random_subject());
        break;
    case 2:
        disarm(random_subject());
        break;
    }
}

static uint64_t
earliest_ms(void)
{
    uint64_t earliest = WHEEL_NEVER;

    for (size_t i = 0; i < TIMERS; i++) {
        const struct subject *const s = &world.subjects[i];

        if (s->is_armed && s->due_ms < earliest)
            earliest = s->due_ms;
    }
    return earliest;
}

static uint64_t
random_advance_ms(void)
{
    const uint64_t now_ms = world.wheel.now_ms;
    const uint64_t next_ms = wheel_next_ms(&world.wheel);
    const uint64_t due_ms = earliest_ms();

    switch (random_next() % 6) {
    case 0:
        return next_ms == WHEEL_NEVER ? now_ms : next_ms;
    case 1:
        return due_ms == WHEEL_NEVER || due_ms <= now_ms ? now_ms : due_ms - 1;
    case 2:
        return due_ms == WHEEL_NEVER || due_ms <= now_ms ? now_ms : due_ms;
    default:
        return now_ms + random_span(38);
    }
}

static void
advance_at_random(void)
{
    const uint64_t now_ms = random_advance_ms();
    const size_t budget = random_next() % 3 == 0 ? random_next() % 5 : TIMERS;
    size_t forgotten = 0;
    size_t fired;

    for (size_t i = 0; i < TIMERS; i++) {
        struct subject *const s = &world.subjects[i];

        s->is_due_now = s->is_armed && s->due_ms <= now_ms;
    }
    world.last_rank_ms = 0;
    world.in_advance = true;
    fired = wheel_advance(&world.wheel, now_ms, budget);
    world.in_advance = false;

    ck_assert_uint_le(fired, budget);
    for (size_t i = 0; i < TIMERS; i++)
        forgotten += world.subjects[i].is_due_now;
    ck_assert(fired == budget || forgotten == 0);
}

static void
compare(void)
{
    const uint64_t now_ms = world.wheel.now_ms;
    const uint64_t due_ms = earliest_ms();
    const uint64_t next_ms = wheel_next_ms(&world.wheel);
    size_t differ = 0;

    ck_assert_uint_eq(world.wheel.armed, world.armed);
    ck_assert((next_ms == WHEEL_NEVER) == (due_ms == WHEEL_NEVER));
    ck_assert_uint_ge(next_ms, now_ms);
    ck_assert(next_ms <= due_ms || next_ms == now_ms);
    for (size_t i = 0; i < TIMERS; i++)
        differ += wheel_is_armed(&world.subjects[i].timer) !=
                  world.subjects[i].is_armed;
    ck_assert_uint_eq(differ, 0);
}

static void
live_at_random(uint64_t seed)
{
    world.random = seed * UINT64_C(0x9e3779b97f4a7c15);
    world.armed = 0;
    wheel_init(&world.wheel, random_span(45));
    for (size_t i = 0; i < TIMERS; i++) {
        world.subjects[i] = (struct subject){.is_armed = false};
        wheel_timer_init(&world.subjects[i].timer, on_subject_due);
    }

    for (unsigned step = 0; step < 5000; step++) {
        switch (random_next() % 4) {
        case 0:
            disarm(random_subject());
            break;
        case 1:
            advance_at_random();
            break;
        default:
            arm_at_random(random_subject());
            break;
        }
        compare();
    }
}

#ifndef LIVES
#define LIVES 40u
#endif

START_TEST(a_random_life_agrees_with_a_naive_model)
{
    for (uint64_t seed = 1; seed <= LIVES; seed++)
        live_at_random(seed);
}
END_TEST

UNIT_MAIN("base/wheel", a_timer_fires_once_and_not_before_its_time,
          every_distance_near_a_power_is_met_to_the_millisecond,
          a_timer_beyond_the_last_ring_waits_in_it,
          one_jump_over_everything_fires_in_order_of_time,
          a_time_gone_by_fires_at_the_next_advance,
          arming_again_moves_the_timer, a_disarmed_timer_leaves_no_trace,
          what_the_budget_leaves_is_due_at_once,
          a_callback_that_arms_for_now_does_not_hold_up_the_turn,
          a_callback_may_disarm_a_timer_that_is_due_with_it,
          a_random_life_agrees_with_a_naive_model)
