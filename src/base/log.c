/* SPDX-License-Identifier: BSD-2-Clause
 *
 * log - which lines are wanted, and how often one place may repeat itself.
 *
 * Threads  Levels and the form are relaxed atomics: main changes them while
 *          any thread reads, nothing else hangs on them, and a line more or
 *          less at the moment of the change is nobody's loss.
 */
#include "base/log.h"

#include <errno.h>

#include "base/clock.h"
#include "base/log_priv.h"

static _Atomic unsigned least_level = LOG_LEVEL_INFO;
static _Atomic unsigned area_levels[LOG_AREA_COUNT]; /* LOG_LEVEL_ERROR */
static _Atomic unsigned chosen_format = LOG_FORMAT_TEXT;

/* relaxed, all of them: see Threads above. */
static unsigned
look(const _Atomic unsigned *setting)
{
    return atomic_load_explicit(setting, memory_order_relaxed);
}

static void
set(_Atomic unsigned *setting, unsigned value)
{
    atomic_store_explicit(setting, value, memory_order_relaxed);
}

void
log_set_format(enum log_format format)
{
    set(&chosen_format, (unsigned)format);
}

enum log_format
log_chosen_format(void)
{
    return (enum log_format)look(&chosen_format);
}

void
log_set_level(enum log_level level)
{
    set(&least_level, (unsigned)level);
}

void
log_set_area_level(enum log_area area, enum log_level level)
{
    set(&area_levels[area], (unsigned)level);
}

bool
log_is_on(enum log_level level, enum log_area area)
{
    return (unsigned)level <= look(&least_level) ||
           (unsigned)level <= look(&area_levels[area]);
}

/* Opens a new window when the last one is over; then the count begins again,
 * with this line, and *skipped is what went unsaid before.
 *
 * relaxed, all of them: the counts publish nothing. Who wins the exchange of
 * window_ms resets the count; additions that land before the reset count for
 * the old window, so each line is either let through or told as skipped. */
static bool
opens_window(struct log_site *site, uint64_t now_ms, uint64_t *skipped)
{
    uint64_t began_ms;
    uint32_t count;

    began_ms = atomic_load_explicit(&site->window_ms, memory_order_relaxed);
    if (now_ms < began_ms + LOG_SITE_WINDOW_MS)
        return false;
    if (!atomic_compare_exchange_strong_explicit(&site->window_ms, &began_ms,
                                                 now_ms, memory_order_relaxed,
                                                 memory_order_relaxed))
        return false;

    count = atomic_exchange_explicit(&site->count, 1, memory_order_relaxed);
    *skipped = count > LOG_SITE_BURST ? count - LOG_SITE_BURST : 0;
    return true;
}

static bool
site_may_log(struct log_site *site, uint64_t now_ms, uint64_t *skipped)
{
    if (opens_window(site, now_ms, skipped))
        return true;
    /* relaxed: as above. */
    return atomic_fetch_add_explicit(&site->count, 1, memory_order_relaxed) <
           LOG_SITE_BURST;
}

void
log_write(struct log_site *site, enum log_level level, enum log_area area,
          const char *event, const struct log_field *fields, size_t n)
{
    const int caller_errno = errno;
    char line[LOG_LINE_MAX];
    struct log_record r = {
        .level = level,
        .area = area,
        .event = event,
        .fields = fields,
        .n = n,
    };

    if (level <= LOG_LEVEL_WARN &&
        !site_may_log(site, clock_mono_ms(), &r.skipped))
        return;
    if (!log_sink_reserve())
        return;

    r.wall_ms = clock_wall_ms();
    log_sink_put(
        line, log_format_record(line, sizeof(line), log_chosen_format(), &r));
    errno = caller_errno;
}
