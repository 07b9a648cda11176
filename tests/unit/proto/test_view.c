/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/view_priv.h"

#include <errno.h>
#include <stdio.h>

#include "support/unit.h"

#define CLIENTS 12
#define ROOMS   9

#ifndef STEPS
#define STEPS 20000
#endif

static struct view view;
static struct client clients[CLIENTS];

static void
start(void)
{
    view_init(&view);
    for (size_t i = 0; i < CLIENTS; i++)
        list_init(&clients[i].rooms);
}

static void
leave_all(struct client *cl)
{
    struct list_link *link;

    while ((link = list_first(&cl->rooms)) != NULL)
        view_leave(&view, CONTAINER_OF(link, struct view_member, of_client));
}

static void
stop(void)
{
    for (size_t i = 0; i < CLIENTS; i++)
        leave_all(&clients[i]);
    view_fini(&view);
}

static struct view_member *
join(struct client *cl, room_id id, const char *name)
{
    struct view_member *member = NULL;

    ck_assert_int_eq(view_join(&view, cl, id, slice_of(name), &member), 0);
    ck_assert_ptr_nonnull(member);
    return member;
}

START_TEST(a_room_is_there_while_it_has_a_member)
{
    struct view_member *a, *b;

    start();
    ck_assert_ptr_null(view_find(&view, 7));
    a = join(&clients[0], 7, "#tea");
    b = join(&clients[1], 7, "#tea");
    ck_assert_ptr_eq(view_find(&view, 7), a->room);
    ck_assert_ptr_eq(a->room, b->room);

    view_leave(&view, a);
    ck_assert_ptr_nonnull(view_find(&view, 7));
    view_leave(&view, b);

    ck_assert_ptr_null(view_find(&view, 7));
    ck_assert_uint_eq(view.room_count, 0);
    ck_assert_uint_eq(view.member_count, 0);
    stop();
}
END_TEST

START_TEST(joining_twice_changes_nothing)
{
    struct view_member *first, *second;

    start();
    first = join(&clients[0], 7, "#tea");
    second = join(&clients[0], 7, "#tea");

    ck_assert_ptr_eq(first, second);
    ck_assert_uint_eq(first->room->member_count, 1);
    ck_assert_uint_eq(view.member_count, 1);
    stop();
}
END_TEST

START_TEST(a_room_keeps_its_name_as_shown)
{
    const struct view_room *room;

    start();
    room = join(&clients[0], 7, "#Straße")->room;

    ck_assert(slice_equal(slice_make(room->name, room->name_len),
                          slice_of("#Straße")));
    stop();
}
END_TEST

START_TEST(a_room_is_found_by_name_as_the_hub_compares)
{
    struct view_member *tea, *street;

    start();
    tea = join(&clients[0], 7, "#Tea");
    street = join(&clients[0], 8, "#Straße");
    join(&clients[1], 9, "#other");

    ck_assert_ptr_eq(view_find_by_name(&clients[0], slice_of("#tEA")), tea);
    ck_assert_ptr_eq(view_find_by_name(&clients[0], slice_of("#STRASSE")),
                     street);
    stop();
}
END_TEST

START_TEST(a_room_of_others_or_no_name_at_all_is_not_found)
{
    start();
    join(&clients[0], 7, "#tea");
    join(&clients[1], 9, "#other");

    ck_assert_ptr_null(view_find_by_name(&clients[0], slice_of("#other")));
    ck_assert_ptr_null(view_find_by_name(&clients[0], slice_of("tea")));
    ck_assert_ptr_null(view_find_by_name(&clients[0], slice_of("#te")));
    ck_assert_ptr_null(view_find_by_name(&clients[0], slice_of("")));
    ck_assert_ptr_null(view_find_by_name(&clients[0], slice_of("#\xff")));
    stop();
}
END_TEST

START_TEST(what_is_no_room_name_makes_no_room)
{
    struct view_member *member = NULL;

    start();

    ck_assert_int_eq(view_join(&view, &clients[0], 7, slice_of("tea"), &member),
                     -EINVAL);
    ck_assert_ptr_null(member);
    ck_assert_uint_eq(view.room_count, 0);
    stop();
}
END_TEST

static bool slab_is_empty;

void *__real_slab_get(struct slab *slab);
void *__wrap_slab_get(struct slab *slab);

void *
__wrap_slab_get(struct slab *slab)
{
    return slab_is_empty ? NULL : __real_slab_get(slab);
}

START_TEST(without_memory_for_a_member_there_is_no_room_either)
{
    struct view_member *member = NULL;

    start();
    slab_is_empty = true;

    ck_assert_int_eq(
        view_join(&view, &clients[0], 7, slice_of("#tea"), &member), -ENOMEM);
    ck_assert_ptr_null(view_find(&view, 7));
    ck_assert_uint_eq(view.room_count, 0);
    ck_assert(list_is_empty(&clients[0].rooms));

    slab_is_empty = false;
    join(&clients[0], 7, "#tea");
    stop();
}
END_TEST

START_TEST(a_client_lists_its_rooms_oldest_first)
{
    const room_id ids[] = {30, 10, 20};
    struct list_link *link;
    size_t i = 0;

    start();
    join(&clients[0], 30, "#c");
    join(&clients[0], 10, "#a");
    join(&clients[0], 20, "#b");

    list_for_each (link, &clients[0].rooms)
        ck_assert_uint_eq(
            CONTAINER_OF(link, struct view_member, of_client)->room->id,
            ids[i++]);
    ck_assert_uint_eq(i, ARRAY_LEN(ids));
    stop();
}
END_TEST

/* ---- against a matrix of who is where ------------------------------------ */

static bool is_in[CLIENTS][ROOMS];

static size_t
count_in(const struct view_room *room, size_t r)
{
    const struct list_link *link;
    size_t n = 0;

    list_for_each (link, &room->members) {
        const struct client *const cl =
            CONST_CONTAINER_OF(link, struct view_member, of_room)->client;

        ck_assert(is_in[cl - clients][r]);
        n++;
    }
    return n;
}

static void
compare_with_model(void)
{
    size_t rooms = 0, members = 0;

    for (size_t r = 0; r < ROOMS; r++) {
        const struct view_room *const room = view_find(&view, 1000 + r);
        size_t expected = 0;

        for (size_t c = 0; c < CLIENTS; c++)
            expected += is_in[c][r];
        ck_assert_int_eq(room != NULL, expected > 0);
        if (room == NULL)
            continue;

        ck_assert_uint_eq(count_in(room, r), expected);
        ck_assert_uint_eq(room->member_count, expected);
        for (size_t c = 0; c < CLIENTS; c++)
            ck_assert_int_eq(client_find_room(&clients[c], room) != NULL,
                             is_in[c][r]);
        rooms++;
        members += expected;
    }
    ck_assert_uint_eq(view.room_count, rooms);
    ck_assert_uint_eq(view.member_count, members);
}

static void
step(size_t c, size_t r, bool whole)
{
    const struct view_room *const room = view_find(&view, 1000 + r);
    struct view_member *member = NULL;
    char name[16];

    if (room != NULL)
        member = client_find_room(&clients[c], room);
    if (whole) {
        leave_all(&clients[c]);
        memset(is_in[c], 0, sizeof(is_in[c]));
    } else if (member != NULL) {
        view_leave(&view, member);
        is_in[c][r] = false;
    } else {
        snprintf(name, sizeof(name), "#room%zu", r);
        join(&clients[c], 1000 + r, name);
        is_in[c][r] = true;
    }
}

START_TEST(random_coming_and_going_agrees_with_a_matrix)
{
    uint64_t state = 42;

    start();
    for (int i = 0; i < STEPS; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        step((state >> 33) % CLIENTS, (state >> 43) % ROOMS,
             (state >> 55) % 64 == 0);
        compare_with_model();
    }
    stop();
}
END_TEST

UNIT_MAIN("proto/view", a_room_is_there_while_it_has_a_member,
          joining_twice_changes_nothing, a_room_keeps_its_name_as_shown,
          a_room_is_found_by_name_as_the_hub_compares,
          a_room_of_others_or_no_name_at_all_is_not_found,
          what_is_no_room_name_makes_no_room,
          without_memory_for_a_member_there_is_no_room_either,
          a_client_lists_its_rooms_oldest_first,
          random_coming_and_going_agrees_with_a_matrix)
