/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/list.h"

#include "support/unit.h"

struct item {
    int number;
    struct list_link link;
};

static struct item items[6];
static struct list list;

static void
arrange(void)
{
    list_init(&list);
    for (int i = 0; i < (int)ARRAY_LEN(items); i++) {
        items[i].number = i;
        list_link_init(&items[i].link);
    }
}

/* The numbers in `l`, front first, as decimal digits: 1, 2, 3 gives 123. The
 * list is also walked backwards, where it must look the same. */
static int
digits(struct list *l)
{
    struct list_link *link;
    int forwards = 0;
    int backwards = 0;
    int unit = 1;

    list_for_each (link, l)
        forwards =
            forwards * 10 + CONTAINER_OF(link, struct item, link)->number;
    for (link = l->head.prev; link != &l->head; link = link->prev) {
        backwards += unit * CONTAINER_OF(link, struct item, link)->number;
        unit *= 10;
    }
    ck_assert_int_eq(forwards, backwards);
    return forwards;
}

START_TEST(a_new_list_is_empty)
{
    arrange();

    ck_assert(list_is_empty(&list));
    ck_assert_ptr_null(list_first(&list));
    ck_assert_ptr_null(list_pop_front(&list));
}
END_TEST

START_TEST(back_and_front_are_where_they_are_said_to_be)
{
    arrange();

    list_push_back(&list, &items[2].link);
    list_push_back(&list, &items[3].link);
    list_push_front(&list, &items[1].link);

    ck_assert_int_eq(digits(&list), 123);
    ck_assert_ptr_eq(list_first(&list), &items[1].link);
}
END_TEST

START_TEST(pop_takes_the_front_and_unlinks_it)
{
    arrange();
    list_push_back(&list, &items[1].link);
    list_push_back(&list, &items[2].link);

    ck_assert_ptr_eq(list_pop_front(&list), &items[1].link);

    ck_assert(!list_is_linked(&items[1].link));
    ck_assert(list_is_linked(&items[2].link));
    ck_assert_int_eq(digits(&list), 2);
}
END_TEST

START_TEST(removing_twice_is_harmless)
{
    arrange();
    for (int i = 1; i <= 3; i++)
        list_push_back(&list, &items[i].link);

    list_remove(&items[2].link);
    list_remove(&items[2].link);

    ck_assert_int_eq(digits(&list), 13);
}
END_TEST

START_TEST(the_last_one_out_leaves_an_empty_list)
{
    arrange();
    list_push_back(&list, &items[1].link);

    list_remove(&items[1].link);

    ck_assert(list_is_empty(&list));
    ck_assert(!list_is_linked(&items[1].link));
}
END_TEST

START_TEST(append_all_moves_everything_in_order)
{
    struct list from;

    arrange();
    list_init(&from);
    list_push_back(&list, &items[1].link);
    list_push_back(&from, &items[2].link);
    list_push_back(&from, &items[3].link);

    list_append_all(&list, &from);

    ck_assert_int_eq(digits(&list), 123);
    ck_assert(list_is_empty(&from));
}
END_TEST

START_TEST(append_all_knows_empty_lists)
{
    struct list other;

    arrange();
    list_init(&other);

    list_append_all(&list, &other);
    ck_assert(list_is_empty(&list));

    list_push_back(&other, &items[4].link);
    list_append_all(&list, &other);
    ck_assert_int_eq(digits(&list), 4);

    list_append_all(&list, &other);
    ck_assert_int_eq(digits(&list), 4);
}
END_TEST

START_TEST(the_safe_walk_survives_removal_of_what_it_is_at)
{
    struct list_link *link;
    struct list_link *after;
    int seen = 0;

    arrange();
    for (int i = 1; i <= 5; i++)
        list_push_back(&list, &items[i].link);

    list_for_each_safe (link, after, &list) {
        seen++;
        if (CONTAINER_OF(link, struct item, link)->number % 2 == 1)
            list_remove(link);
    }

    ck_assert_int_eq(seen, 5);
    ck_assert_int_eq(digits(&list), 24);
}
END_TEST

UNIT_MAIN("base/list", a_new_list_is_empty,
          back_and_front_are_where_they_are_said_to_be,
          pop_takes_the_front_and_unlinks_it, removing_twice_is_harmless,
          the_last_one_out_leaves_an_empty_list,
          append_all_moves_everything_in_order, append_all_knows_empty_lists,
          the_safe_walk_survives_removal_of_what_it_is_at)
