/* SPDX-License-Identifier: BSD-2-Clause
 *
 * reallocarray is wrapped, so that a case can make it fail.
 */
#include "base/id.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "support/dies.h"
#include "support/unit.h"

static bool memory_is_short;
static char things[64]; /* only their addresses matter */

void *__real_reallocarray(void *old, size_t count, size_t size);

void *
__wrap_reallocarray(void *old, size_t count, size_t size)
{
    return memory_is_short ? NULL : __real_reallocarray(old, count, size);
}

static uint64_t
add(struct id_table *table, void *thing)
{
    uint64_t id = ID_NONE;

    ck_assert_int_eq(id_table_add(table, thing, &id), 0);
    ck_assert_uint_ne(id, ID_NONE);
    return id;
}

START_TEST(an_id_finds_its_thing)
{
    struct id_table table;
    uint64_t a, b;

    id_table_init(&table, 100);
    a = add(&table, &things[0]);
    b = add(&table, &things[1]);

    ck_assert_uint_ne(a, b);
    ck_assert_ptr_eq(id_table_find(&table, a), &things[0]);
    ck_assert_ptr_eq(id_table_find(&table, b), &things[1]);
    ck_assert_uint_eq(table.used, 2);
    id_table_fini(&table);
}
END_TEST

START_TEST(ids_that_were_never_given_find_nothing)
{
    struct id_table table;
    uint64_t a;

    id_table_init(&table, 100);
    ck_assert_ptr_null(id_table_find(&table, ID_NONE));
    ck_assert_ptr_null(id_table_find(&table, UINT64_MAX));

    a = add(&table, &things[0]);
    ck_assert_ptr_null(id_table_find(&table, ID_NONE));
    ck_assert_ptr_null(id_table_find(&table, UINT64_MAX));
    ck_assert_ptr_null(id_table_find(&table, a + 1)); /* a free slot */
    ck_assert_ptr_null(id_table_find(&table, id_to_slot(a)));
    ck_assert_ptr_null(id_table_find(&table, a + (1ull << 32)));
    ck_assert_ptr_null(id_table_find(&table, a + 1000000)); /* beyond all */
    id_table_fini(&table);
}
END_TEST

START_TEST(a_slot_is_looked_into_without_its_generation)
{
    struct id_table table;
    uint64_t a;

    id_table_init(&table, 100);
    ck_assert_ptr_null(id_table_at(&table, 0));
    a = add(&table, &things[0]);

    ck_assert_ptr_eq(id_table_at(&table, id_to_slot(a)), &things[0]);
    ck_assert_ptr_null(id_table_at(&table, id_to_slot(a) + 1));
    ck_assert_ptr_null(id_table_at(&table, UINT32_MAX));
    ck_assert_ptr_eq(id_table_remove(&table, a), &things[0]);
    ck_assert_ptr_null(id_table_at(&table, id_to_slot(a)));
    id_table_fini(&table);
}
END_TEST

START_TEST(a_stale_id_finds_nothing_whoever_lives_there_now)
{
    struct id_table table;
    uint64_t old, new;

    id_table_init(&table, 1); /* so that both live in the one slot */
    old = add(&table, &things[0]);
    ck_assert_ptr_eq(id_table_remove(&table, old), &things[0]);
    ck_assert_ptr_null(id_table_find(&table, old));
    new = add(&table, &things[1]);

    ck_assert_uint_eq(id_to_slot(old), id_to_slot(new));
    ck_assert_ptr_null(id_table_find(&table, old));
    ck_assert_ptr_null(id_table_remove(&table, old));
    ck_assert_ptr_eq(id_table_find(&table, new), &things[1]);
    ck_assert_uint_eq(table.used, 1);
    id_table_fini(&table);
}
END_TEST

START_TEST(a_forged_id_of_a_free_slot_removes_nothing)
{
    struct id_table table;

    id_table_init(&table, 16);
    (void)add(&table, &things[0]);

    /* Slot 1 is free and of generation 0, as this id says. */
    ck_assert_ptr_null(id_table_remove(&table, 1));

    ck_assert_uint_eq(table.used, 1);
    ck_assert_ptr_null(id_table_find(&table, (1ull << 32) | 1));
    id_table_fini(&table);
}
END_TEST

START_TEST(a_full_table_refuses_until_one_leaves)
{
    struct id_table table;
    uint64_t ids[20];
    uint64_t id = 77;

    id_table_init(&table, 20); /* above the first size, not a power of 2 */
    for (int i = 0; i < 20; i++)
        ids[i] = add(&table, &things[i]);

    ck_assert_int_eq(id_table_add(&table, &things[20], &id), -ENOSPC);
    ck_assert_uint_eq(id, 77);

    ck_assert_ptr_eq(id_table_remove(&table, ids[7]), &things[7]);
    ck_assert_int_eq(id_table_add(&table, &things[20], &id), 0);
    ck_assert_uint_eq(table.size, 20);
    id_table_fini(&table);
}
END_TEST

START_TEST(a_table_for_nothing_holds_nothing)
{
    struct id_table table;
    uint64_t id;

    id_table_init(&table, 0);

    ck_assert_int_eq(id_table_add(&table, &things[0], &id), -ENOSPC);
    id_table_fini(&table);
}
END_TEST

START_TEST(short_memory_is_told_and_harms_nothing)
{
    struct id_table table;
    uint64_t ids[16];
    uint64_t id = 77;

    id_table_init(&table, 100);
    for (int i = 0; i < 16; i++)
        ids[i] = add(&table, &things[i]);

    memory_is_short = true;
    ck_assert_int_eq(id_table_add(&table, &things[16], &id), -ENOMEM);
    memory_is_short = false;

    ck_assert_uint_eq(id, 77);
    ck_assert_uint_eq(table.used, 16);
    for (int i = 0; i < 16; i++)
        ck_assert_ptr_eq(id_table_find(&table, ids[i]), &things[i]);
    ck_assert_int_eq(id_table_add(&table, &things[16], &id), 0);
    id_table_fini(&table);
}
END_TEST

START_TEST(the_slot_freed_last_is_used_last)
{
    struct id_table table;
    uint64_t ids[4];

    id_table_init(&table, 4);
    for (int i = 0; i < 4; i++)
        ids[i] = add(&table, &things[i]);
    (void)id_table_remove(&table, ids[2]);
    (void)id_table_remove(&table, ids[0]);
    (void)id_table_remove(&table, ids[3]);

    ck_assert_uint_eq(id_to_slot(add(&table, &things[4])), id_to_slot(ids[2]));
    ck_assert_uint_eq(id_to_slot(add(&table, &things[5])), id_to_slot(ids[0]));
    ck_assert_uint_eq(id_to_slot(add(&table, &things[6])), id_to_slot(ids[3]));
    id_table_fini(&table);
}
END_TEST

START_TEST(a_generation_that_wraps_still_gives_no_id_of_none)
{
    struct id_table table;
    uint64_t last, first;

    id_table_init(&table, 1);
    (void)id_table_remove(&table, add(&table, &things[0]));
    table.slots[0].generation = UINT32_MAX - 1; /* as after 2^31 uses */

    last = add(&table, &things[0]);
    (void)id_table_remove(&table, last);
    first = add(&table, &things[1]);

    ck_assert_ptr_null(id_table_find(&table, last));
    ck_assert_ptr_eq(id_table_find(&table, first), &things[1]);
    id_table_fini(&table);
}
END_TEST

struct visit {
    struct id_table *table;
    unsigned seen;
    unsigned remove_every; /* 0: none */
};

static void
on_visit(void *arg, uint64_t id, void *thing)
{
    struct visit *const v = arg;

    ck_assert_ptr_eq(thing, &things[v->seen]); /* slot order is add order */
    ck_assert_ptr_eq(id_table_find(v->table, id), thing);
    v->seen++;
    if (v->remove_every > 0 && v->seen % v->remove_every == 0)
        (void)id_table_remove(v->table, id);
}

START_TEST(each_visits_all_and_may_remove_what_it_visits)
{
    struct id_table table;
    struct visit v = {.table = &table, .remove_every = 2};

    id_table_init(&table, 100);
    for (size_t i = 0; i < ARRAY_LEN(things); i++)
        (void)add(&table, &things[i]);

    id_table_each(&table, on_visit, &v);

    ck_assert_uint_eq(v.seen, ARRAY_LEN(things));
    ck_assert_uint_eq(table.used, ARRAY_LEN(things) / 2);
    id_table_fini(&table);
}
END_TEST

struct grower {
    struct id_table *table;
    unsigned seen;
};

static void
on_visit_add(void *arg, uint64_t id, void *thing)
{
    struct grower *const g = arg;

    g->seen++;
    if (g->table->used < 40) /* makes the array move twice */
        (void)add(g->table, &things[g->table->used]);
}

START_TEST(each_survives_a_visitor_that_makes_the_table_grow)
{
    struct id_table table;
    struct grower g = {.table = &table};

    id_table_init(&table, 100);
    (void)add(&table, &things[0]);

    id_table_each(&table, on_visit_add, &g);

    ck_assert_uint_eq(g.seen, 40);
    id_table_fini(&table);
}
END_TEST

static void
add_null(void *arg)
{
    uint64_t id;

    (void)!id_table_add(arg, NULL, &id);
}

START_TEST(null_is_not_a_thing)
{
    struct id_table table;

    id_table_init(&table, 1);

    ck_assert(dies(add_null, &table));
    id_table_fini(&table);
}
END_TEST

/* A fixed seed: the same commands on every machine. */
static uint32_t
random_next(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

START_TEST(random_use_agrees_with_an_array_of_pairs)
{
    uint64_t ids[ARRAY_LEN(things)] = {0}; /* 0: things[i] is not in */
    uint64_t stale[256] = {0};
    struct id_table table;
    uint32_t seed = 7;
    uint32_t used = 0;

    id_table_init(&table, 48);
    for (unsigned step = 0; step < 50000; step++) {
        const uint32_t i = random_next(&seed) % ARRAY_LEN(things);
        const uint64_t old = stale[random_next(&seed) % ARRAY_LEN(stale)];

        ck_assert_ptr_null(id_table_find(&table, old));
        if (ids[i] != 0) {
            ck_assert_ptr_eq(id_table_remove(&table, ids[i]), &things[i]);
            stale[step % ARRAY_LEN(stale)] = ids[i];
            ids[i] = 0;
            used--;
        } else if (used < 48) {
            ids[i] = add(&table, &things[i]);
            used++;
        } else {
            ck_assert_int_eq(id_table_add(&table, &things[i], &ids[i]),
                             -ENOSPC);
        }
        ck_assert_uint_eq(table.used, used);
    }
    for (size_t i = 0; i < ARRAY_LEN(things); i++) {
        if (ids[i] != 0)
            ck_assert_ptr_eq(id_table_find(&table, ids[i]), &things[i]);
    }
    id_table_fini(&table);
}
END_TEST

UNIT_MAIN("base/id", an_id_finds_its_thing,
          ids_that_were_never_given_find_nothing,
          a_slot_is_looked_into_without_its_generation,
          a_stale_id_finds_nothing_whoever_lives_there_now,
          a_forged_id_of_a_free_slot_removes_nothing,
          a_full_table_refuses_until_one_leaves,
          a_table_for_nothing_holds_nothing,
          short_memory_is_told_and_harms_nothing,
          the_slot_freed_last_is_used_last,
          a_generation_that_wraps_still_gives_no_id_of_none,
          each_visits_all_and_may_remove_what_it_visits,
          each_survives_a_visitor_that_makes_the_table_grow,
          null_is_not_a_thing, random_use_agrees_with_an_array_of_pairs)
