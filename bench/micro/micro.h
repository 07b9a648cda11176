/* SPDX-License-Identifier: BSD-2-Clause
 *
 * micro - one line a measurement: what, how often, nanoseconds each.
 */
#ifndef BENCH_MICRO_MICRO_H
#define BENCH_MICRO_MICRO_H

#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"

static inline void
micro_report(const char *what, uint64_t times, uint64_t started_ns)
{
    const uint64_t ns = clock_mono_ns() - started_ns;

    printf("%-40s %10llu times %9.1f ns each\n", what,
           (unsigned long long)times, (double)ns / (double)times);
}

#endif
