/* SPDX-License-Identifier: BSD-2-Clause
 *
 * id - see id.h.
 *
 * Shape    The array grows by half when no slot is free, up to `max`, and
 *          never shrinks: generations must outlive what lived there.
 *
 *  1. generation is odd exactly while `thing` is set. So a given id is never 0,
 *     and a free slot matches no id that was ever given.
 *  2. Free slots, and only they, are in the queue free_head .. free_tail.
 *  3. After 2^31 uses of one slot an id comes again. The queue makes that 2^31
 *     uses of every slot, which no stale id lives to see.
 */
#include "base/id.h"

#include <errno.h>
#include <stdlib.h>

#include "base/assert.h"

#define ID_FIRST_SIZE 16u
#define ID_NO_SLOT    UINT32_MAX

static inline uint64_t
id_make(uint32_t generation, uint32_t slot)
{
    return (uint64_t)generation << 32 | slot;
}

static inline uint32_t
id_to_generation(uint64_t id)
{
    return (uint32_t)(id >> 32);
}

void
id_table_init(struct id_table *table, uint32_t max)
{
    *table = (struct id_table){
        .free_head = ID_NO_SLOT,
        .free_tail = ID_NO_SLOT,
        .max = max,
    };
}

void
id_table_fini(struct id_table *table)
{
    free(table->slots);
    id_table_init(table, table->max);
}

static void
free_push(struct id_table *table, uint32_t slot)
{
    table->slots[slot].next_free = ID_NO_SLOT;
    if (table->free_tail == ID_NO_SLOT)
        table->free_head = slot;
    else
        table->slots[table->free_tail].next_free = slot;
    table->free_tail = slot;
}

static uint32_t
free_pop(struct id_table *table)
{
    const uint32_t slot = table->free_head;

    table->free_head = table->slots[slot].next_free;
    if (table->free_head == ID_NO_SLOT)
        table->free_tail = ID_NO_SLOT;
    return slot;
}

static uint32_t
next_size(const struct id_table *table)
{
    if (table->size > table->max / 3 * 2)
        return table->max;
    if (table->size > 0)
        return table->size + table->size / 2;
    return table->max < ID_FIRST_SIZE ? table->max : ID_FIRST_SIZE;
}

static int
grow(struct id_table *table)
{
    const uint32_t size = next_size(table);
    struct id_slot *slots;

    if (table->size == table->max)
        return -ENOSPC;
    slots = reallocarray(table->slots, size, sizeof(*slots));
    if (slots == NULL)
        return -ENOMEM;

    table->slots = slots;
    for (uint32_t slot = table->size; slot < size; slot++) {
        slots[slot] = (struct id_slot){.thing = NULL};
        free_push(table, slot);
    }
    table->size = size;
    return 0;
}

int
id_table_add(struct id_table *table, void *thing, uint64_t *id)
{
    struct id_slot *s;
    uint32_t slot;
    int rc;

    ASSERT(thing != NULL);

    if (table->free_head == ID_NO_SLOT) {
        rc = grow(table);
        if (rc < 0)
            return rc;
    }

    slot = free_pop(table);
    s = &table->slots[slot];
    s->thing = thing;
    s->generation++; /* odd: taken */
    table->used++;
    *id = id_make(s->generation, slot);
    return 0;
}

/* The slot that `id` names while its thing lives there, or NULL. */
static struct id_slot *
slot_of(const struct id_table *table, uint64_t id)
{
    const uint32_t slot = id_to_slot(id);
    struct id_slot *s;

    if (slot >= table->size)
        return NULL;
    s = &table->slots[slot];
    /* A forged id may carry an even generation, hence the second question. */
    if (s->generation != id_to_generation(id) || s->thing == NULL)
        return NULL;
    return s;
}

void *
id_table_find(const struct id_table *table, uint64_t id)
{
    const struct id_slot *const s = slot_of(table, id);

    return s == NULL ? NULL : s->thing;
}

void *
id_table_at(const struct id_table *table, uint32_t slot)
{
    return slot < table->size ? table->slots[slot].thing : NULL;
}

void *
id_table_remove(struct id_table *table, uint64_t id)
{
    struct id_slot *const s = slot_of(table, id);
    void *thing;

    if (s == NULL)
        return NULL;

    thing = s->thing;
    s->thing = NULL;
    s->generation++; /* even: free */
    table->used--;
    free_push(table, id_to_slot(id));
    return thing;
}

void
id_table_each(struct id_table *table, id_visit_fn visit, void *arg)
{
    for (uint32_t slot = 0; slot < table->size; slot++) {
        /* Looked up anew each time: `visit` may add, which moves the array. */
        const struct id_slot *const s = &table->slots[slot];

        if (s->thing != NULL)
            visit(arg, id_make(s->generation, slot), s->thing);
    }
}
