/* SPDX-License-Identifier: BSD-2-Clause
 *
 * clock - the two clocks. Only the turn of a reactor and main() read them;
 * everything else is told the time.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* [any] Milliseconds since some start, never going back (CLOCK_MONOTONIC). */
uint64_t clock_mono_ms(void);

/* [any] The same clock in nanoseconds. */
uint64_t clock_mono_ns(void);

/* [any] Milliseconds since 1970 UTC; an operator may set it back. */
uint64_t clock_wall_ms(void);

#endif
