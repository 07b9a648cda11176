/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"

#include <time.h>

#include "support/unit.h"

START_TEST(monotonic_time_never_goes_back)
{
    uint64_t before = clock_mono_ns();

    for (int i = 0; i < 10000; i++) {
        const uint64_t now = clock_mono_ns();

        ck_assert_uint_ge(now, before);
        before = now;
    }
}
END_TEST

START_TEST(milliseconds_and_nanoseconds_are_of_one_clock)
{
    const uint64_t before = clock_mono_ns();
    const uint64_t ms = clock_mono_ms();
    const uint64_t after = clock_mono_ns();

    ck_assert_uint_ge(ms, before / 1000000);
    ck_assert_uint_le(ms, after / 1000000);
}
END_TEST

START_TEST(wall_time_counts_from_1970_in_milliseconds)
{
    const time_t before = time(NULL);
    const uint64_t ms = clock_wall_ms();
    const time_t after = time(NULL);

    /* time() reads a coarser clock, which may lag by a tick. */
    ck_assert_uint_ge(ms, (uint64_t)before * 1000);
    ck_assert_uint_le(ms, ((uint64_t)after + 2) * 1000);
}
END_TEST

UNIT_MAIN("base/clock", monotonic_time_never_goes_back,
          milliseconds_and_nanoseconds_are_of_one_clock,
          wall_time_counts_from_1970_in_milliseconds)
