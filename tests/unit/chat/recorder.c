/* SPDX-License-Identifier: BSD-2-Clause
 *
 * recorder - see recorder.h.
 */
#include "recorder.h"

#include <stdlib.h>

static void
on_emit(void *arg, unsigned worker, const struct delivery *d)
{
    struct recorder *const rec = arg;

    if (rec->count == rec->size) {
        rec->size *= 2;
        rec->items = realloc(rec->items, rec->size * sizeof(*rec->items));
        if (rec->items == NULL)
            abort();
    }
    rec->items[rec->count].worker = worker;
    rec->items[rec->count].d = *d;
    (void)event_ref(d->event);
    rec->count++;
}

void
recorder_init(struct recorder *rec)
{
    *rec = (struct recorder){
        .out = {.emit = on_emit, .arg = rec}
    };
    rec->size = 256; /* so that emitting needs no memory as a rule */
    rec->items = calloc(rec->size, sizeof(*rec->items));
    if (rec->items == NULL)
        abort();
}

void
recorder_start(struct recorder *rec)
{
    while (rec->count > 0)
        event_unref(rec->items[--rec->count].d.event);
}

void
recorder_fini(struct recorder *rec)
{
    recorder_start(rec);
    free(rec->items);
}

bool
recorder_is_no_memory(const struct recorder *rec)
{
    return rec->count == 2 && rec->items[0].d.event->kind == EVENT_REFUSED &&
           rec->items[0].d.event->refusal == REFUSAL_NO_MEMORY &&
           rec->items[1].d.event->kind == EVENT_DONE;
}

static bool
is_to_be_asked_again(const struct recorder *rec)
{
    return rec->count == 2 && rec->items[0].d.event->kind == EVENT_REFUSED &&
           rec->items[0].d.event->refusal == REFUSAL_SESSION_BUSY;
}

void
recorder_apply(struct recorder *rec, struct hub *hub, const struct command *c,
               const struct hub_now *now)
{
    struct hub_now later = *now;

    do {
        recorder_start(rec);
        hub_apply(hub, c, &later, &rec->out);
        later.mono_ms++;
    } while (is_to_be_asked_again(rec));
}
