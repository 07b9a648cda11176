/* SPDX-License-Identifier: BSD-2-Clause
 *
 * aligned_alloc is wrapped, so that a case can make it fail.
 */
#include "base/slab.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "support/dies.h"
#include "support/unit.h"

static bool memory_is_short;

void *__real_aligned_alloc(size_t alignment, size_t size);

void *
__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return memory_is_short ? NULL : __real_aligned_alloc(alignment, size);
}

static void *
get(struct slab *slab)
{
    void *const object = slab_get(slab);

    ck_assert_ptr_nonnull(object);
    return object;
}

/* Fills `count` objects into `objects`. */
static void
get_many(struct slab *slab, void **objects, size_t count)
{
    for (size_t i = 0; i < count; i++)
        objects[i] = get(slab);
}

static void
put_many(struct slab *slab, void **objects, size_t count)
{
    for (size_t i = 0; i < count; i++)
        slab_put(slab, objects[i]);
}

START_TEST(a_slab_that_was_not_used_holds_no_memory)
{
    struct slab slab;

    slab_init(&slab, 100);

    ck_assert_uint_eq(slab.pages, 0);
    ck_assert_uint_eq(slab.live, 0);
    slab_fini(&slab);
}
END_TEST

START_TEST(objects_are_aligned_apart_and_all_zero)
{
    static const unsigned char zeros[SLAB_PAGE / 4];
    static const size_t sizes[] = {1, 15, 16, 17, 200, 1000, SLAB_PAGE / 4};

    for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
        const size_t size = sizes[s];
        struct slab slab;
        char *a, *b;

        slab_init(&slab, size);
        a = get(&slab);
        b = get(&slab);

        ck_assert_uint_eq((uintptr_t)a % 16, 0);
        ck_assert_uint_eq((uintptr_t)b % 16, 0);
        ck_assert(a + size <= b || b + size <= a);
        ck_assert_mem_eq(a, zeros, size);
        ck_assert_mem_eq(b, zeros, size);
        slab_put(&slab, a);
        slab_put(&slab, b);
        slab_fini(&slab);
    }
}
END_TEST

START_TEST(a_place_used_again_is_zeroed_again)
{
    static const unsigned char zeros[200];
    struct slab slab;
    void *first, *second;

    slab_init(&slab, sizeof(zeros));
    first = get(&slab);
    memset(first, 0xff, sizeof(zeros));
    slab_put(&slab, first);
    second = get(&slab);

    ck_assert_ptr_eq(second, first);
    ck_assert_mem_eq(second, zeros, sizeof(zeros));
    slab_put(&slab, second);
    slab_fini(&slab);
}
END_TEST

START_TEST(a_page_holds_what_it_promises_and_then_another_comes)
{
    void *objects[64];
    struct slab slab;

    slab_init(&slab, 500);
    ck_assert_uint_ge(slab.per_page, 30); /* 32 would leave no header */
    ck_assert_uint_lt(slab.per_page, ARRAY_LEN(objects));

    get_many(&slab, objects, slab.per_page);
    ck_assert_uint_eq(slab.pages, 1);
    objects[slab.per_page] = get(&slab);
    ck_assert_uint_eq(slab.pages, 2);

    put_many(&slab, objects, slab.per_page + 1);
    slab_fini(&slab);
}
END_TEST

START_TEST(the_smallest_objects_fill_a_page_to_its_end)
{
    static void *objects[SLAB_PAGE / 16];
    struct slab slab;

    slab_init(&slab, 1);
    get_many(&slab, objects, slab.per_page);

    ck_assert_uint_eq(slab.pages, 1);
    ck_assert_uint_ge(slab.per_page, SLAB_PAGE / 16 - 16);
    put_many(&slab, objects, slab.per_page);
    slab_fini(&slab);
}
END_TEST

START_TEST(a_full_page_takes_part_again_once_an_object_leaves)
{
    void *objects[64];
    struct slab slab;
    void *left;

    slab_init(&slab, 500);
    get_many(&slab, objects, slab.per_page);
    left = objects[5];
    slab_put(&slab, left);

    objects[5] = get(&slab);

    ck_assert_ptr_eq(objects[5], left);
    ck_assert_uint_eq(slab.pages, 1);
    put_many(&slab, objects, slab.per_page);
    slab_fini(&slab);
}
END_TEST

START_TEST(one_empty_page_is_kept_and_further_ones_are_given_back)
{
    static void *objects[4 * 64];
    struct slab slab;

    slab_init(&slab, 500);
    get_many(&slab, objects, 4 * slab.per_page);
    ck_assert_uint_eq(slab.pages, 4);

    put_many(&slab, objects, 4 * slab.per_page);

    ck_assert_uint_eq(slab.pages, 1);
    ck_assert_uint_eq(slab.empty_pages, 1);
    ck_assert_uint_eq(slab.live, 0);
    slab_fini(&slab);
}
END_TEST

START_TEST(the_empty_page_waits_until_the_others_are_full)
{
    static void *objects[2 * 64];
    struct slab slab;
    uint32_t per_page;

    slab_init(&slab, 500);
    per_page = slab.per_page;
    get_many(&slab, objects, 2 * per_page);
    put_many(&slab, objects + per_page, 3); /* the second has room */
    put_many(&slab, objects, per_page);     /* the first is empty */

    get_many(&slab, objects, 3);
    ck_assert_uint_eq(slab.empty_pages, 1);
    objects[3] = get(&slab);
    ck_assert_uint_eq(slab.empty_pages, 0);
    ck_assert_uint_eq(slab.pages, 2);

    put_many(&slab, objects, 4);
    put_many(&slab, objects + per_page + 3, per_page - 3);
    slab_fini(&slab);
}
END_TEST

START_TEST(one_object_coming_and_going_does_not_flap)
{
    void *objects[64];
    struct slab slab;

    slab_init(&slab, 500);
    get_many(&slab, objects, slab.per_page);

    for (int i = 0; i < 10; i++) {
        void *const extra = get(&slab);

        ck_assert_uint_eq(slab.pages, 2);
        slab_put(&slab, extra);
        ck_assert_uint_eq(slab.pages, 2);
    }
    put_many(&slab, objects, slab.per_page);
    slab_fini(&slab);
}
END_TEST

START_TEST(short_memory_is_told_by_null_and_passes)
{
    void *objects[64];
    struct slab slab;
    void *more;

    slab_init(&slab, 500);
    get_many(&slab, objects, slab.per_page);

    memory_is_short = true;
    more = slab_get(&slab);
    memory_is_short = false;
    ck_assert_ptr_null(more);
    ck_assert_uint_eq(slab.live, slab.per_page);
    ck_assert_uint_eq(slab.pages, 1);

    more = get(&slab);
    slab_put(&slab, more);
    put_many(&slab, objects, slab.per_page);
    slab_fini(&slab);
}
END_TEST

START_TEST(putting_nothing_is_fine)
{
    struct slab slab;

    slab_init(&slab, 8);
    slab_put(&slab, NULL);

    ck_assert_uint_eq(slab.live, 0);
    slab_fini(&slab);
}
END_TEST

struct put {
    struct slab *slab;
    void *object;
};

static void
put_it(void *arg)
{
    const struct put *const p = arg;

    slab_put(p->slab, p->object);
}

START_TEST(an_object_put_twice_or_elsewhere_is_noticed)
{
    struct slab slab, other;
    char *kept;
    char *gone;

    slab_init(&slab, 64);
    slab_init(&other, 64);
    kept = get(&slab);
    gone = get(&slab);
    slab_put(&slab, gone);

    ck_assert(dies(put_it, &(struct put){&slab, gone}));
    ck_assert(dies(put_it, &(struct put){&other, kept}));
    ck_assert(dies(put_it, &(struct put){&slab, kept + 16}));
    slab_put(&slab, kept);
    slab_fini(&slab);
    slab_fini(&other);
}
END_TEST

static void
fini_it(void *arg)
{
    slab_fini(arg);
}

START_TEST(an_object_not_given_back_is_noticed_at_the_end)
{
    struct slab slab;
    void *object;

    slab_init(&slab, 64);
    object = get(&slab);

    ck_assert(dies(fini_it, &slab));
    slab_put(&slab, object);
    slab_fini(&slab);
}
END_TEST

/* A fixed seed: the same commands on every machine. */
static uint32_t
random_next(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

START_TEST(random_use_never_hands_out_a_place_twice)
{
    enum {
        SIZE = 304,
        MOST = 500
    };
    static unsigned char *objects[MOST];
    struct slab slab;
    uint32_t seed = 11;
    uint64_t live = 0;

    slab_init(&slab, SIZE);
    for (unsigned step = 0; step < 50000; step++) {
        const uint32_t i = random_next(&seed) % MOST;

        if (objects[i] == NULL) {
            objects[i] = get(&slab);
            memset(objects[i], (int)(i & 0xff), SIZE);
            live++;
        } else {
            /* Both ends still as written: nobody else was given them. */
            ck_assert_uint_eq(objects[i][0], i & 0xff);
            ck_assert_uint_eq(objects[i][SIZE - 1], i & 0xff);
            slab_put(&slab, objects[i]);
            objects[i] = NULL;
            live--;
        }
        ck_assert_uint_eq(slab.live, live);
    }
    for (int i = 0; i < MOST; i++)
        slab_put(&slab, objects[i]);
    ck_assert_uint_eq(slab.pages, 1);
    slab_fini(&slab);
}
END_TEST

/* Takes one object for the thread that gives it back. */
static void *
take_elsewhere(void *slab)
{
    void *const object = slab_get(slab);

    return object != NULL && slab_live() == 1 ? object : NULL;
}

START_TEST(a_thread_counts_what_it_took_less_what_it_gave)
{
    struct slab a, b;
    void *one, *two;
    void *theirs;
    pthread_t other;

    slab_init(&a, 16);
    slab_init(&b, 400);
    one = get(&a);
    two = get(&b);
    ck_assert_uint_eq(slab_live(), 2);

    ck_assert_int_eq(pthread_create(&other, NULL, take_elsewhere, &b), 0);
    ck_assert_int_eq(pthread_join(other, &theirs), 0);
    ck_assert_ptr_nonnull(theirs);
    ck_assert_uint_eq(slab_live(), 2);

    slab_put(&b, theirs);
    ck_assert_uint_eq(slab_live(), 1);
    slab_put(&b, two);
    slab_put(&a, one);
    ck_assert_uint_eq(slab_live(), UINT64_MAX);
    slab_fini(&a);
    slab_fini(&b);
}
END_TEST

UNIT_MAIN("base/slab", a_slab_that_was_not_used_holds_no_memory,
          objects_are_aligned_apart_and_all_zero,
          a_place_used_again_is_zeroed_again,
          a_page_holds_what_it_promises_and_then_another_comes,
          the_smallest_objects_fill_a_page_to_its_end,
          a_full_page_takes_part_again_once_an_object_leaves,
          one_empty_page_is_kept_and_further_ones_are_given_back,
          the_empty_page_waits_until_the_others_are_full,
          one_object_coming_and_going_does_not_flap,
          short_memory_is_told_by_null_and_passes, putting_nothing_is_fine,
          an_object_put_twice_or_elsewhere_is_noticed,
          an_object_not_given_back_is_noticed_at_the_end,
          random_use_never_hands_out_a_place_twice,
          a_thread_counts_what_it_took_less_what_it_gave)
