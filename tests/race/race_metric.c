/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counters that each have one writer, summed by a reader while they run.
 */
#include "base/metric.h"

#include "base/compiler.h"
#include "support/crew.h"
#include "support/unit.h"

#define SHOP_COUNTERS(X)              \
    X(served, COUNTER, "cups served") \
    X(guests, GAUGE, "guests at table")

enum {
    WAITERS = 4,
    CUPS = 1000000,
};

struct shop_counters {
    _Alignas(CACHE_LINE) SHOP_COUNTERS(METRIC_FIELD)
};

static struct shop_counters shops[WAITERS];
static _Atomic unsigned waiters_at_work;

static void
serve(struct crew *crew, unsigned member)
{
    struct shop_counters *const shop = &shops[member];

    for (unsigned i = 0; i < CUPS; i++) {
        metric_add(&shop->guests, 2);
        metric_add(&shop->served, 1);
        metric_sub(&shop->guests, 2);
    }
    /* relaxed: says only that no more is to come. */
    atomic_fetch_sub_explicit(&waiters_at_work, 1, memory_order_relaxed);
}

/* Reads every counter once; none may have gone back, no gauge be torn. */
static void
look_round(uint64_t before[WAITERS])
{
    for (unsigned i = 0; i < WAITERS; i++) {
        const uint64_t served = metric_read(&shops[i].served);
        const uint64_t guests = metric_read(&shops[i].guests);

        CREW_ASSERT(served >= before[i] && served <= CUPS);
        CREW_ASSERT(guests == 0 || guests == 2);
        before[i] = served;
    }
}

START_TEST(a_reader_sees_counters_grow_and_in_the_end_their_exact_sum)
{
    struct crew *const crew = &(struct crew){.members = 0};
    uint64_t before[WAITERS] = {0};
    uint64_t sum = 0;

    atomic_init(&waiters_at_work, WAITERS);
    crew_start(crew, WAITERS, serve);
    /* relaxed: see serve(). */
    while (atomic_load_explicit(&waiters_at_work, memory_order_relaxed) > 0)
        look_round(before);
    crew_join(crew);

    for (unsigned i = 0; i < WAITERS; i++) {
        sum += metric_read(&shops[i].served);
        ck_assert_uint_eq(metric_read(&shops[i].guests), 0);
    }
    ck_assert_uint_eq(sum, (uint64_t)WAITERS * CUPS);
}
END_TEST

UNIT_MAIN("race/metric",
          a_reader_sees_counters_grow_and_in_the_end_their_exact_sum)
