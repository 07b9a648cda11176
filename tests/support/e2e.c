/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See e2e.h.
 */
#include "support/e2e.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "support/figure.h"

#if defined(__has_feature)
#define HAS_FEATURE(x) __has_feature(x)
#else
#define HAS_FEATURE(x) 0
#endif

/* How much of the full figures is tried, and how much longer all may take. */
#if HAS_FEATURE(thread_sanitizer) || defined(__SANITIZE_THREAD__)
#define PERCENT 25u
#define SLOWER  6u
#elif HAS_FEATURE(address_sanitizer) || defined(__SANITIZE_ADDRESS__)
#define PERCENT 50u
#define SLOWER  3u
#else
#define PERCENT 100u
#define SLOWER  1u
#endif

static char scene[256];

unsigned
e2e_workers(void)
{
    const char *const workers = getenv("E2E_WORKERS");

    return workers != NULL ? (unsigned)strtoul(workers, NULL, 10) : 2;
}

/* The percentage in $E2E_SCALE, or `percent`; never less than one. */
static unsigned
scale(unsigned n, unsigned percent)
{
    const char *const wanted = getenv("E2E_SCALE");
    unsigned scaled;

    if (wanted != NULL)
        percent = (unsigned)strtoul(wanted, NULL, 10);
    scaled = (unsigned)((uint64_t)n * percent / 100);
    return scaled > 0 ? scaled : 1;
}

unsigned
e2e_scaled(unsigned n)
{
    return scale(n, PERCENT);
}

unsigned
e2e_figure(unsigned shortly, unsigned fully)
{
    return figure_is_long() ? scale(fully, 100) : e2e_scaled(shortly);
}

void
e2e_measured(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    printf("measured: ");
    vprintf(fmt, args);
    printf("\n");
    va_end(args);
    fflush(stdout);
}

uint64_t
e2e_patience_ms(uint64_t ms)
{
    const char *const slower = getenv("E2E_SLOWER");

    return ms * (slower != NULL ? strtoull(slower, NULL, 10) : SLOWER);
}

void
e2e_scene(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(scene, sizeof(scene), fmt, args);
    va_end(args);
}

void
e2e_fail(const char *fmt, ...)
{
    char text[2048]; /* Check gives up on messages over about 4 KiB */
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    ck_abort_msg("%s%s%s", scene, scene[0] != '\0' ? ": " : "", text);
}

void
e2e_raise_fd_limit(void)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

uint64_t
now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}
