/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"

#include <time.h>

#include "base/assert.h"

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

static uint64_t
read_ns(clockid_t which)
{
    struct timespec ts;
    int rc;

    /* Fails only for a clock that does not exist; Linux has both of ours. */
    rc = clock_gettime(which, &ts);
    ASSERT(rc == 0);

    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t
clock_mono_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

uint64_t
clock_mono_ms(void)
{
    return clock_mono_ns() / NS_PER_MS;
}

uint64_t
clock_wall_ms(void)
{
    return read_ns(CLOCK_REALTIME) / NS_PER_MS;
}
