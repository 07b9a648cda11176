/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One thread here: every step of the protocol in inbox.h by hand. What several
 * threads make of it is tests/race/race_inbox.c and tests/model/bell.pml.
 */
#include "base/inbox.h"

#include <stdint.h>

#include "support/unit.h"

static struct inbox in;
static struct inbox_link a, b, c;

START_TEST(a_new_inbox_is_empty)
{
    inbox_init(&in);

    ck_assert_ptr_null(inbox_take(&in));
}
END_TEST

START_TEST(a_post_to_an_owner_who_is_awake_does_not_ring)
{
    inbox_init(&in);

    ck_assert(!inbox_post(&in, &a));
    ck_assert(!inbox_post(&in, &b));
}
END_TEST

START_TEST(the_first_post_to_a_sleeper_rings_and_the_next_does_not)
{
    inbox_init(&in);
    ck_assert(inbox_sleep(&in));

    ck_assert(inbox_post(&in, &a));
    ck_assert(!inbox_post(&in, &b));
    ck_assert(!inbox_post(&in, &c));
}
END_TEST

START_TEST(take_gives_all_oldest_first_and_empties)
{
    struct inbox_link *link;

    inbox_init(&in);
    ck_assert(!inbox_post(&in, &a));
    ck_assert(!inbox_post(&in, &b));
    ck_assert(!inbox_post(&in, &c));

    link = inbox_take(&in);

    ck_assert_ptr_eq(link, &a);
    ck_assert_ptr_eq(a.next, &b);
    ck_assert_ptr_eq(b.next, &c);
    ck_assert_ptr_null(c.next);
    ck_assert_ptr_null(inbox_take(&in));
}
END_TEST

START_TEST(what_was_posted_to_a_sleeper_ends_where_the_mark_was)
{
    inbox_init(&in);
    ck_assert(inbox_sleep(&in));
    ck_assert(inbox_post(&in, &a));
    ck_assert(!inbox_post(&in, &b));

    ck_assert_ptr_eq(inbox_take(&in), &a);

    ck_assert_ptr_eq(a.next, &b);
    ck_assert_ptr_null(b.next);
}
END_TEST

START_TEST(sleep_is_refused_while_there_is_mail)
{
    inbox_init(&in);
    ck_assert(!inbox_post(&in, &a));

    ck_assert(!inbox_sleep(&in));

    ck_assert_ptr_eq(inbox_take(&in), &a);
    ck_assert(inbox_sleep(&in));
}
END_TEST

START_TEST(waking_for_another_reason_takes_nothing_and_silences_the_bell)
{
    inbox_init(&in);
    ck_assert(inbox_sleep(&in));

    ck_assert_ptr_null(inbox_take(&in));

    ck_assert(!inbox_post(&in, &a));
    ck_assert_ptr_eq(inbox_take(&in), &a);
}
END_TEST

START_TEST(each_sleep_is_worth_one_ring)
{
    inbox_init(&in);

    for (int i = 0; i < 100; i++) {
        ck_assert(inbox_sleep(&in));
        ck_assert(inbox_post(&in, &a));
        ck_assert(!inbox_post(&in, &b));
        ck_assert_ptr_eq(inbox_take(&in), &a);
    }
}
END_TEST

START_TEST(a_link_may_be_posted_again_once_taken)
{
    inbox_init(&in);
    ck_assert(!inbox_post(&in, &a));
    ck_assert(!inbox_post(&in, &b));
    ck_assert_ptr_eq(inbox_take(&in), &a);

    ck_assert(!inbox_post(&in, &b));
    ck_assert(!inbox_post(&in, &a));

    ck_assert_ptr_eq(inbox_take(&in), &b);
    ck_assert_ptr_eq(b.next, &a);
    ck_assert_ptr_null(a.next);
}
END_TEST

START_TEST(an_inbox_has_a_cache_line_to_itself)
{
    ck_assert_uint_eq(sizeof(struct inbox), CACHE_LINE);
    ck_assert_uint_eq((uintptr_t)&in % CACHE_LINE, 0);
}
END_TEST

UNIT_MAIN("base/inbox", a_new_inbox_is_empty,
          a_post_to_an_owner_who_is_awake_does_not_ring,
          the_first_post_to_a_sleeper_rings_and_the_next_does_not,
          take_gives_all_oldest_first_and_empties,
          what_was_posted_to_a_sleeper_ends_where_the_mark_was,
          sleep_is_refused_while_there_is_mail,
          waking_for_another_reason_takes_nothing_and_silences_the_bell,
          each_sleep_is_worth_one_ring, a_link_may_be_posted_again_once_taken,
          an_inbox_has_a_cache_line_to_itself)
