/* SPDX-License-Identifier: BSD-2-Clause
 *
 * wheel - timers, in constant time each, with the time passed in.
 *
 * Shape    Hierarchical timing wheel (Varghese & Lauck 1987): WHEEL_LEVELS
 *          rings of WHEEL_SLOTS lists, each ring WHEEL_SLOTS times coarser; one
 *          bitmap a ring tells which lists hold something.
 * Time     In milliseconds of a clock that never goes back. A timer never
 *          fires early, and late only by as much as the caller comes late.
 * Memory   The timer is part of its owner's struct; the wheel allocates
 *          nothing. An owner disarms before it dies.
 * Threads  One thread holds a wheel.
 */
#ifndef BASE_WHEEL_H
#define BASE_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

#define WHEEL_BITS   6
#define WHEEL_SLOTS  (1u << WHEEL_BITS)
#define WHEEL_LEVELS 6 /* 64^6 ms: two years; later ones wait in the last */
#define WHEEL_NEVER  UINT64_MAX

struct wheel_timer;

/* `now_ms` is the time wheel_advance() was called with. The timer is disarmed
 * already; the callback may arm it again or free its owner. */
typedef void (*wheel_fn)(struct wheel_timer *t, uint64_t now_ms);

struct wheel_timer {
    struct list_link link;
    uint64_t due_ms;
    wheel_fn on_due;
};

struct wheel {
    uint64_t now_ms; /* what was due by then has fired, or is next to */
    uint64_t armed;  /* timers in the wheel */
    uint64_t bitmap[WHEEL_LEVELS];
    struct list slots[WHEEL_LEVELS][WHEEL_SLOTS];
};

void wheel_init(struct wheel *w, uint64_t now_ms);
void wheel_timer_init(struct wheel_timer *t, wheel_fn on_due);
bool wheel_is_armed(const struct wheel_timer *t);

/* Arms, or moves if armed. A time gone by fires at the next advance. */
void wheel_arm(struct wheel *w, struct wheel_timer *t, uint64_t due_ms);

/* Harmless when not armed. */
void wheel_disarm(struct wheel *w, struct wheel_timer *t);

/* Fires up to `budget` timers due by `now_ms`, earliest slot first, and
 * returns how many fired. When that is `budget`, more may be due: call again. */
size_t wheel_advance(struct wheel *w, uint64_t now_ms, size_t budget);

/* When to call wheel_advance() next: never later than the earliest timer, but
 * perhaps earlier; WHEEL_NEVER when nothing is armed. */
uint64_t wheel_next_ms(const struct wheel *w);

#endif
