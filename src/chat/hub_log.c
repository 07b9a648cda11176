/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_log - a ring of events: a room's, a mailbox, the announcements.
 *
 *  0. Ids grow with positions, so an id is found by halving.
 *  1. The window [first, end) is never longer than the ring.
 *  2. In it, each SAID entry knows the distance to the next older and the next
 *     newer one, as far as those are in the window; `said` counts them.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/assert.h"
#include "chat/hub_priv.h"

#define RING_SIZE_MIN 16u

int
event_log_init(struct event_log *log)
{
    *log = (struct event_log){.size = RING_SIZE_MIN};
    log->ring = calloc(log->size, sizeof(*log->ring));
    return log->ring == NULL ? -ENOMEM : 0;
}

static struct log_entry *
entry_at(struct event_log *log, uint64_t position)
{
    return &log->ring[position & (log->size - 1)];
}

static void
drop_oldest(struct event_log *log, struct event_tally *tally)
{
    struct log_entry *const entry = entry_at(log, log->first);
    const uint64_t bytes = event_bytes(entry->event);

    if (entry->event->kind == EVENT_SAID)
        log->said--;
    log->bytes -= bytes;
    log->first++;
    tally->bytes -= bytes;
    tally->events--;
    event_unref(entry->event);
    entry->event = NULL;
}

void
event_log_fini(struct event_log *log, struct event_tally *tally)
{
    while (event_log_used(log) > 0)
        drop_oldest(log, tally);
    free(log->ring);
    log->ring = NULL;
}

/* Doubles the ring, or leaves it as it is. */
static void
try_grow(struct event_log *log)
{
    const uint32_t size = log->size * 2;
    struct log_entry *const ring = calloc(size, sizeof(*ring));

    if (ring == NULL)
        return;

    for (uint64_t at = log->first; at < log->end; at++)
        ring[at & (size - 1)] = *entry_at(log, at);
    free(log->ring);
    log->ring = ring;
    log->size = size;
}

static void
link_said(struct event_log *log, uint64_t position)
{
    if (log->said > 0) {
        const uint32_t distance = (uint32_t)(position - log->newest_said);

        entry_at(log, log->newest_said)->to_newer_said = distance;
        entry_at(log, position)->to_older_said = distance;
    }
    log->newest_said = position;
    log->said++;
}

int
event_log_reserve(struct event_log *log)
{
    if (event_log_used(log) == log->size)
        try_grow(log);
    return event_log_used(log) < log->size ? 0 : -ENOMEM;
}

static void
crowd_out(struct event_log *log, struct event_tally *tally)
{
    log->crowded_id = entry_at(log, log->first)->event->id;
    log->crowded_out++;
    drop_oldest(log, tally);
}

void
event_log_push(struct event_log *log, struct event *e,
               const struct event_limits *limits, struct event_tally *tally)
{
    const uint64_t bytes = event_bytes(e);

    while (event_log_used(log) > 0 && (event_log_used(log) >= limits->events ||
                                       log->bytes + bytes > limits->bytes))
        crowd_out(log, tally);
    if (event_log_reserve(log) < 0)
        crowd_out(log, tally);

    *entry_at(log, log->end) = (struct log_entry){.event = event_ref(e)};
    if (e->kind == EVENT_SAID)
        link_said(log, log->end);
    log->end++;
    log->bytes += bytes;
    tally->events++;
    tally->bytes += bytes;
}

void
event_log_drop_upto(struct event_log *log, uint64_t id,
                    struct event_tally *tally)
{
    while (event_log_used(log) > 0 &&
           entry_at(log, log->first)->event->id <= id)
        drop_oldest(log, tally);
}

uint64_t
event_log_after(const struct event_log *log, uint64_t id)
{
    uint64_t low = log->first;
    uint64_t high = log->end;

    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;

        if (event_log_at(log, middle)->event->id <= id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint64_t
event_log_said(const struct event_log *log, uint32_t n)
{
    uint64_t position = log->newest_said;

    ASSERT(n >= 1 && n <= log->said);

    while (--n > 0)
        position -= event_log_at(log, position)->to_older_said;
    return position;
}
