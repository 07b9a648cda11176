/* SPDX-License-Identifier: BSD-2-Clause
 *
 * id - a table of things that others name by an id which may be stale.
 *
 * Shape    Slots in an array; a free slot carries the index of the next free
 *          one. An id is {generation:32, slot:32}; the generation of a slot
 *          grows each time it is emptied, so an old id finds nothing, whoever
 *          lives there now. No id is ever 0 (ID_NONE).
 * Order    The slot freed last is used last (a queue), which puts the longest
 *          time between two uses of one slot.
 * Threads  A table belongs to one thread; ids may go anywhere.
 */
#ifndef BASE_ID_H
#define BASE_ID_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define ID_NONE 0u

struct id_slot {
    void *thing;         /* NULL: free */
    uint32_t generation; /* odd while taken, even while free */
    uint32_t next_free;
};

struct id_table {
    struct id_slot *slots;
    uint32_t size;
    uint32_t used;
    uint32_t free_head; /* UINT32_MAX: none */
    uint32_t free_tail;
    uint32_t max; /* slots at most */
};

static inline uint32_t
id_to_slot(uint64_t id)
{
    return (uint32_t)id;
}

/* Holds at most `max` things; nothing is allocated yet. */
void id_table_init(struct id_table *table, uint32_t max);
void id_table_fini(struct id_table *table);

/* 0 and *id set, -ENOMEM, or -ENOSPC when `max` things are in. */
MUST_CHECK int id_table_add(struct id_table *table, void *thing, uint64_t *id);

/* NULL when the id is stale or was never given. */
void *id_table_find(const struct id_table *table, uint64_t id);

/* What lives in `slot` now, whatever its generation, or NULL: for who names
 * things by a shorter id and compares that. */
void *id_table_at(const struct id_table *table, uint32_t slot);

/* Empties the slot; a stale id changes nothing. Returns what was there. */
void *id_table_remove(struct id_table *table, uint64_t id);

/* Calls `visit` for each thing, in slot order; it may remove that thing. */
typedef void (*id_visit_fn)(void *arg, uint64_t id, void *thing);
void id_table_each(struct id_table *table, id_visit_fn visit, void *arg);

#endif
