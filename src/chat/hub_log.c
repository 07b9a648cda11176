/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hub_log - a room's ring of events.
 *
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
room_log_init(struct room_log *log)
{
    *log = (struct room_log){.size = RING_SIZE_MIN};
    log->ring = calloc(log->size, sizeof(*log->ring));
    return log->ring == NULL ? -ENOMEM : 0;
}

static uint64_t
used(const struct room_log *log)
{
    return log->end - log->first;
}

static struct log_entry *
entry_at(struct room_log *log, uint64_t position)
{
    return &log->ring[position & (log->size - 1)];
}

static void
drop_oldest(struct room_log *log, struct hub_census *census)
{
    struct log_entry *const entry = entry_at(log, log->first);
    const uint64_t bytes = event_bytes(entry->event);

    if (entry->event->kind == EVENT_SAID)
        log->said--;
    log->bytes -= bytes;
    log->first++;
    census->log_bytes -= bytes;
    census->log_events--;
    event_unref(entry->event);
    entry->event = NULL;
}

void
room_log_fini(struct room_log *log, struct hub_census *census)
{
    while (used(log) > 0)
        drop_oldest(log, census);
    free(log->ring);
    log->ring = NULL;
}

/* Doubles the ring, or leaves it as it is. */
static void
try_grow(struct room_log *log)
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
link_said(struct room_log *log, uint64_t position)
{
    if (log->said > 0) {
        const uint32_t distance = (uint32_t)(position - log->newest_said);

        entry_at(log, log->newest_said)->to_newer_said = distance;
        entry_at(log, position)->to_older_said = distance;
    }
    log->newest_said = position;
    log->said++;
}

void
room_log_push(struct room_log *log, struct event *e,
              const struct chat_conf *conf, struct hub_census *census)
{
    const uint64_t bytes = event_bytes(e);

    while (used(log) > 0 && (used(log) >= conf->history_keep_events ||
                             log->bytes + bytes > conf->history_keep_bytes))
        drop_oldest(log, census);
    if (used(log) == log->size)
        try_grow(log);
    if (used(log) == log->size)
        drop_oldest(log, census);

    *entry_at(log, log->end) = (struct log_entry){.event = event_ref(e)};
    if (e->kind == EVENT_SAID)
        link_said(log, log->end);
    log->end++;
    log->bytes += bytes;
    census->log_events++;
    census->log_bytes += bytes;
}

uint64_t
room_log_said(const struct room_log *log, uint32_t n)
{
    uint64_t position = log->newest_said;

    ASSERT(n >= 1 && n <= log->said);

    while (--n > 0)
        position -= room_log_at(log, position)->to_older_said;
    return position;
}
