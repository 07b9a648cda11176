/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/hash.h"

#include <errno.h>
#include <string.h>

#include "support/unit.h"

/* A calloc() that fails when told to (see WRAP in CMakeLists.txt). */
static bool memory_is_short;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *
__wrap_calloc(size_t n, size_t size)
{
    if (memory_is_short)
        return NULL;
    return __real_calloc(n, size);
}

struct thing {
    struct hash_link link;
    unsigned key;
    bool is_in;
};

static bool
thing_has_key(const struct hash_link *link, const void *key)
{
    /* const all the way; CONTAINER_OF would drop it */
    const struct thing *const thing = (const struct thing *)(const void *)link;

    return thing->key == *(const unsigned *)key;
}

static struct hash_link *
find(const struct hash *table, unsigned key)
{
    return hash_find(table, hash_u64(key), thing_has_key, &key);
}

static void
insert(struct hash *table, struct thing *thing)
{
    ck_assert_int_eq(hash_insert(table, &thing->link, hash_u64(thing->key)), 0);
    thing->is_in = true;
}

static void
remove_thing(struct hash *table, struct thing *thing)
{
    hash_remove(table, &thing->link);
    thing->is_in = false;
}

static uint64_t
random_next(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    return hash_u64(*state);
}

START_TEST(siphash_agrees_with_its_authors)
{
    /* The vectors of Aumasson and Bernstein: key 00..0f, input 00..n-1. */
    static const struct {
        size_t len;
        unsigned char out[8];
    } vectors[] = {
        {0,  {0x31, 0x0e, 0x0e, 0xdd, 0x47, 0xdb, 0x6f, 0x72}},
        {1,  {0xfd, 0x67, 0xdc, 0x93, 0xc5, 0x39, 0xf8, 0x74}},
        {15, {0xe5, 0x45, 0xbe, 0x49, 0x61, 0xca, 0x29, 0xa1}},
    };
    unsigned char input[16];
    struct hash_key key;

    for (unsigned char i = 0; i < 16; i++)
        input[i] = key.bytes[i] = i;

    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        const uint64_t hash = hash_bytes(&key, input, vectors[i].len);

        ck_assert_mem_eq(&hash, vectors[i].out, sizeof(hash));
    }
}
END_TEST

START_TEST(the_same_bytes_hash_differently_under_another_key)
{
    struct hash_key a, b;

    hash_key_random(&a);
    hash_key_random(&b);

    ck_assert_mem_ne(a.bytes, b.bytes, sizeof(a.bytes));
    ck_assert(hash_bytes(&a, "nick", 4) != hash_bytes(&b, "nick", 4));
    ck_assert(hash_bytes(&a, "nick", 4) == hash_bytes(&a, "nick", 4));
    ck_assert(hash_bytes(&a, NULL, 0) == hash_bytes(&a, "", 0));
}
END_TEST

START_TEST(neighbouring_ids_fall_into_different_buckets)
{
    bool is_taken[4096] = {false};
    unsigned shared = 0;

    for (uint64_t id = 1; id <= 2048; id++) {
        const size_t bucket = hash_u64(id << 32) % ARRAY_LEN(is_taken);

        shared += is_taken[bucket];
        is_taken[bucket] = true;
    }

    ck_assert_uint_lt(shared, 600); /* chance gives some 436 */
}
END_TEST

START_TEST(an_empty_table_holds_and_finds_nothing)
{
    struct hash_link *link;
    struct hash table;
    size_t at;

    hash_init(&table);

    ck_assert_ptr_null(find(&table, 1));
    hash_for_each (link, at, &table)
        ck_abort_msg("visited something");
    hash_fini(&table);
}
END_TEST

START_TEST(what_was_inserted_is_found_until_removed)
{
    struct thing a = {.key = 1}, b = {.key = 2};
    struct hash table;

    hash_init(&table);
    insert(&table, &a);
    insert(&table, &b);

    ck_assert_ptr_eq(find(&table, 1), &a.link);
    ck_assert_ptr_eq(find(&table, 2), &b.link);
    ck_assert_ptr_null(find(&table, 3));

    remove_thing(&table, &a);

    ck_assert_ptr_null(find(&table, 1));
    ck_assert_ptr_eq(find(&table, 2), &b.link);
    remove_thing(&table, &b);
    hash_fini(&table);
}
END_TEST

START_TEST(things_with_one_hash_are_told_apart_by_key)
{
    struct thing things[40];
    struct hash table;

    hash_init(&table);
    for (unsigned i = 0; i < ARRAY_LEN(things); i++) {
        things[i] = (struct thing){.key = i};
        ck_assert_int_eq(hash_insert(&table, &things[i].link, 7), 0);
    }

    for (unsigned i = 0; i < ARRAY_LEN(things); i++)
        ck_assert_ptr_eq(hash_find(&table, 7, thing_has_key, &i),
                         &things[i].link);

    for (unsigned i = 0; i < ARRAY_LEN(things); i++)
        hash_remove(&table, &things[(i * 7) % ARRAY_LEN(things)].link);
    hash_fini(&table);
}
END_TEST

START_TEST(the_table_grows_with_its_load_and_shrinks_again)
{
    static struct thing things[5000];
    struct hash table;
    size_t largest;

    hash_init(&table);
    for (unsigned i = 0; i < ARRAY_LEN(things); i++) {
        things[i].key = i;
        insert(&table, &things[i]);
        ck_assert_uint_le(table.used, table.size);
    }
    largest = table.size;
    for (unsigned i = 0; i < ARRAY_LEN(things); i++)
        remove_thing(&table, &things[i]);

    ck_assert_uint_eq(largest, 8192);
    ck_assert_uint_le(table.size, 16);
    hash_fini(&table);
}
END_TEST

START_TEST(without_memory_a_table_only_gets_slower)
{
    struct thing things[100];
    struct hash table;

    hash_init(&table);
    memory_is_short = true;
    things[0] = (struct thing){.key = 0};
    ck_assert_int_eq(hash_insert(&table, &things[0].link, 1), -ENOMEM);
    ck_assert_uint_eq(table.used, 0);

    memory_is_short = false;
    insert(&table, &things[0]);
    memory_is_short = true;
    for (unsigned i = 1; i < ARRAY_LEN(things); i++) {
        things[i] = (struct thing){.key = i};
        insert(&table, &things[i]);
    }
    ck_assert_uint_lt(table.size, ARRAY_LEN(things));

    for (unsigned i = 0; i < ARRAY_LEN(things); i++) {
        ck_assert_ptr_eq(find(&table, i), &things[i].link);
        remove_thing(&table, &things[i]);
    }
    hash_fini(&table);
    memory_is_short = false;
}
END_TEST

/* The naive model: an array of flags. */
START_TEST(a_random_life_agrees_with_an_array)
{
    static struct thing things[600];
    uint64_t random = 42;
    size_t held = 0;
    struct hash table;

    hash_init(&table);
    for (unsigned i = 0; i < ARRAY_LEN(things); i++)
        things[i].key = i;

    for (unsigned step = 0; step < 200000; step++) {
        struct thing *const t =
            &things[random_next(&random) % ARRAY_LEN(things)];
        /* Phases of mostly inserting and mostly removing, to cross sizes. */
        const bool wants_in =
            random_next(&random) % 10 < (step / 5000 % 2 == 0 ? 8u : 2u);

        ck_assert((find(&table, t->key) == &t->link) == t->is_in);
        if (t->is_in == wants_in)
            continue;
        if (wants_in)
            insert(&table, t);
        else
            remove_thing(&table, t);
        held += wants_in ? 1 : (size_t)-1;
        ck_assert_uint_eq(table.used, held);
    }
    for (unsigned i = 0; i < ARRAY_LEN(things); i++) {
        if (things[i].is_in)
            remove_thing(&table, &things[i]);
    }
    hash_fini(&table);
}
END_TEST

START_TEST(for_each_visits_every_thing_once)
{
    struct thing things[100];
    unsigned visits[100] = {0};
    struct hash_link *link;
    struct hash table;
    size_t at;

    hash_init(&table);
    for (unsigned i = 0; i < ARRAY_LEN(things); i++) {
        things[i] = (struct thing){.key = i};
        insert(&table, &things[i]);
    }

    hash_for_each (link, at, &table)
        visits[CONTAINER_OF(link, struct thing, link)->key]++;

    for (unsigned i = 0; i < ARRAY_LEN(things); i++) {
        ck_assert_uint_eq(visits[i], 1);
        remove_thing(&table, &things[i]);
    }
    hash_fini(&table);
}
END_TEST

UNIT_MAIN("base/hash", siphash_agrees_with_its_authors,
          the_same_bytes_hash_differently_under_another_key,
          neighbouring_ids_fall_into_different_buckets,
          an_empty_table_holds_and_finds_nothing,
          what_was_inserted_is_found_until_removed,
          things_with_one_hash_are_told_apart_by_key,
          the_table_grows_with_its_load_and_shrinks_again,
          without_memory_a_table_only_gets_slower,
          a_random_life_agrees_with_an_array, for_each_visits_every_thing_once)
