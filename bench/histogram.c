/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See histogram.h.
 */
#include "bench/histogram.h"

static unsigned
slot_of(uint64_t value)
{
    unsigned power;

    if (value < HISTOGRAM_STEPS)
        return (unsigned)value;
    power = 63 - (unsigned)__builtin_clzll(value) - 5; /* 2^5 steps */
    return (power + 1) * HISTOGRAM_STEPS +
           (unsigned)((value >> power) - HISTOGRAM_STEPS);
}

static uint64_t
slot_end(unsigned slot)
{
    const unsigned power = slot / HISTOGRAM_STEPS;
    const uint64_t step = slot % HISTOGRAM_STEPS;

    if (power == 0)
        return step;
    return ((HISTOGRAM_STEPS + step + 1) << (power - 1)) - 1;
}

void
histogram_add(struct histogram *h, uint64_t value)
{
    h->slots[slot_of(value)]++;
    h->count++;
    if (value > h->max)
        h->max = value;
}

uint64_t
histogram_percentile(const struct histogram *h, double percent)
{
    const double goal = (double)h->count * percent / 100.0;
    uint64_t seen = 0;

    for (unsigned i = 0; i < HISTOGRAM_SLOTS; i++) {
        seen += h->slots[i];
        if (seen > 0 && (double)seen >= goal)
            return slot_end(i) < h->max ? slot_end(i) : h->max;
    }
    return h->max;
}
