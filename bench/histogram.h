/* SPDX-License-Identifier: BSD-2-Clause
 *
 * histogram - latencies in nanoseconds, to three per cent, in constant memory:
 * 32 linear steps within each power of two.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_STEPS 32
#define HISTOGRAM_SLOTS (64 * HISTOGRAM_STEPS)

struct histogram {
    uint64_t count;
    uint64_t max;
    uint64_t slots[HISTOGRAM_SLOTS];
};

void histogram_add(struct histogram *h, uint64_t value);

/* The value below which `percent` of all lie (the upper end of its slot). */
uint64_t histogram_percentile(const struct histogram *h, double percent);

#endif
