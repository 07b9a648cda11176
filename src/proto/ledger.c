/* SPDX-License-Identifier: BSD-2-Clause
 *
 * See ledger_priv.h. Places are compared in 32 bits: what lies between the
 * oldest note and the newest is a socket's buffer and a write queue, which is
 * far from 2 GiB.
 */
#include "proto/ledger_priv.h"

#include <stdlib.h>

#define SIZE_MIN 8u

void
ledger_init(struct ledger *l, uint64_t cursor)
{
    *l = (struct ledger){.cursor = cursor};
}

void
ledger_fini(struct ledger *l)
{
    free(l->notes);
    l->notes = NULL;
}

static struct ledger_note *
note_at(const struct ledger *l, uint32_t i)
{
    return &l->notes[(l->head + i) & (l->size - 1)];
}

static bool
is_behind(uint32_t place, uint32_t upto)
{
    return (int32_t)(place - upto) > 0;
}

static bool
grow(struct ledger *l)
{
    const uint32_t size = l->size == 0 ? SIZE_MIN : l->size * 2;
    struct ledger_note *notes;

    if (l->used < l->size)
        return true;
    if (size > LEDGER_MAX)
        return false;
    notes = malloc(size * sizeof(*notes));
    if (notes == NULL)
        return false;

    for (uint32_t i = 0; i < l->used; i++)
        notes[i] = *note_at(l, i);
    free(l->notes);
    l->notes = notes;
    l->size = size;
    l->head = 0;
    return true;
}

/* Of the older half each two neighbours become one; at least two are left, so
 * that the newest is exact. */
static void
share(struct ledger *l)
{
    const uint32_t pairs = l->used / 4;

    for (uint32_t i = 0; i < pairs; i++) {
        const struct ledger_note older = *note_at(l, 2 * i);
        struct ledger_note *const note = note_at(l, i);

        *note = *note_at(l, 2 * i + 1);
        note->events += older.events;
    }
    for (uint32_t i = 2 * pairs; i < l->used; i++)
        *note_at(l, i - pairs) = *note_at(l, i);
    l->used -= pairs;
}

void
ledger_note(struct ledger *l, uint64_t id, uint64_t end)
{
    if (!grow(l) && l->used == 0) {
        /* No memory for the first: it counts as had, which is what it would
         * be but for the worst of moments. */
        l->cursor = id;
        return;
    }
    if (l->used == l->size)
        share(l);
    *note_at(l, l->used) =
        (struct ledger_note){.id = id, .end = (uint32_t)end, .events = 1};
    l->used++;
    l->events++;
}

static void
take_first(struct ledger *l)
{
    const struct ledger_note *const first = note_at(l, 0);

    l->cursor = first->id;
    l->events -= first->events;
    l->head = (l->head + 1) & (l->size - 1);
    l->used--;
}

void
ledger_settle_bytes(struct ledger *l, uint64_t upto)
{
    while (l->used > 0 && !is_behind(note_at(l, 0)->end, (uint32_t)upto))
        take_first(l);
}

void
ledger_settle_id(struct ledger *l, uint64_t id)
{
    while (l->used > 0 && note_at(l, 0)->id <= id)
        take_first(l);
}

uint32_t
ledger_cut(struct ledger *l, uint64_t end)
{
    uint32_t cut = 0;

    while (l->used > 0 &&
           is_behind(note_at(l, l->used - 1)->end, (uint32_t)end)) {
        cut += note_at(l, l->used - 1)->events;
        l->used--;
    }
    l->events -= cut;
    return cut;
}

uint64_t
ledger_last(const struct ledger *l)
{
    return l->used > 0 ? note_at(l, l->used - 1)->id : l->cursor;
}
