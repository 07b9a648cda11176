/* SPDX-License-Identifier: BSD-2-Clause
 *
 * watchdog - finds the worker that stays in one turn for too long.
 *
 * Shape    Every WATCHDOG_LOOK_MS it looks in which turn each worker is. One
 *          that it finds in the same turn again and again, for more than
 *          WATCHDOG_STALL_MS, is stalled. That is logged once, again at ten
 *          times as long, a hundred times …, and when the worker goes on.
 * Time     What counts is the time that the watchdog was there to see: after a
 *          gap between two looks (the process was stopped, the machine was
 *          suspended) only WATCHDOG_LOOK_MS of it. Who did not run is not
 *          stalled, and a first look never accuses.
 * Threads  It looks on the worker that it is given, which should do nothing
 *          else, or it cannot tell when that one is stuck. [any] where said.
 * Memory   A timer on that worker's wheel; the workers watched must outlive it.
 */
#ifndef LOOP_WATCHDOG_H
#define LOOP_WATCHDOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/metric.h"

#define WATCHDOG_LOOK_MS  250u
#define WATCHDOG_STALL_MS 1000u

struct watchdog;
struct worker;

/* Of each worker watched; the watchdog is their only writer. */
/* clang-format off */
#define WATCHDOG_COUNTERS(X)                                                  \
    X(stalls,     COUNTER, "stalls so far")                                   \
    X(longest_ms, GAUGE,   "the longest stall, milliseconds")                 \
    X(stalled_ms, GAUGE,   "how long it has been stalled now; 0: it is not")
/* clang-format on */

struct watchdog_counters {
    WATCHDOG_COUNTERS(METRIC_FIELD)
};

/* Begins to look once `on` runs. 0 and *out, or -ENOMEM. */
MUST_CHECK int watchdog_create(struct worker *on, struct worker *const *watched,
                               size_t count, struct watchdog **out);

/* Not while `on` runs. NULL is fine. */
void watchdog_destroy(struct watchdog *wd);

/* [any] Is nobody stalled, and is the watchdog itself there to say so? For
 * whoever answers for the process; `now_ms` is monotonic. Right after the
 * process was stopped the answer is no until the next look. */
bool watchdog_all_alive(const struct watchdog *wd, uint64_t now_ms);

/* [any] Who is watched, as given to watchdog_create(). */
size_t watchdog_count(const struct watchdog *wd);
const struct worker *watchdog_worker(const struct watchdog *wd, size_t i);
const struct watchdog_counters *watchdog_counters(const struct watchdog *wd,
                                                  size_t i);

#endif
