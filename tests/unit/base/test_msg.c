/* SPDX-License-Identifier: BSD-2-Clause
 *
 * malloc is wrapped, so that a case can make it fail.
 */
#include "base/msg.h"

#include <stdbool.h>
#include <string.h>

#include "support/dies.h"
#include "support/unit.h"

static bool memory_is_short;

void *__real_malloc(size_t size);

void *
__wrap_malloc(size_t size)
{
    return memory_is_short ? NULL : __real_malloc(size);
}

static bool
holds(const struct msg *m, const char *text)
{
    return m->len == strlen(text) && memcmp(m->data, text, m->len) == 0;
}

START_TEST(a_copy_holds_the_bytes_it_was_given)
{
    char text[] = "good morning";
    struct msg *const m = msg_copy(text, strlen(text));

    memset(text, 'x', strlen(text));

    ck_assert_ptr_nonnull(m);
    ck_assert(holds(m, "good morning"));
    msg_unref(m);
}
END_TEST

START_TEST(a_created_msg_may_be_filled_to_its_last_byte)
{
    struct msg *const m = msg_create(1000);

    ck_assert_ptr_nonnull(m);
    ck_assert_uint_eq(m->len, 1000);
    memset(m->data, 'y', 1000); /* AddressSanitizer watches the end */
    msg_unref(m);
}
END_TEST

START_TEST(an_empty_msg_is_a_msg)
{
    struct msg *const copied = msg_copy(NULL, 0);
    struct msg *const printed = msg_printf("%s", "");

    ck_assert_uint_eq(copied->len, 0);
    ck_assert_uint_eq(printed->len, 0);
    ck_assert_uint_eq(msg_live(), 2);
    msg_unref(copied);
    msg_unref(printed);
}
END_TEST

START_TEST(printf_makes_the_text_without_a_nul)
{
    struct msg *const m = msg_printf("<%s> %d cups\r\n", "anna", 3);

    ck_assert_ptr_nonnull(m);
    ck_assert(holds(m, "<anna> 3 cups\r\n"));
    msg_unref(m);
}
END_TEST

START_TEST(references_keep_it_alive_and_the_last_one_frees)
{
    struct msg *const m = msg_copy("abc", 3);

    ck_assert_ptr_eq(msg_ref(m), m);
    msg_unref(m);
    ck_assert_uint_eq(msg_live(), 1);
    ck_assert(holds(m, "abc"));

    msg_unref(m);
    ck_assert_uint_eq(msg_live(), 0);
}
END_TEST

START_TEST(the_census_counts_msgs_and_their_bytes)
{
    struct msg *const a = msg_create(100);
    struct msg *const b = msg_create(11);

    ck_assert_uint_eq(msg_live(), 2);
    ck_assert_uint_eq(msg_live_bytes(), 111);

    msg_unref(a);
    ck_assert_uint_eq(msg_live(), 1);
    ck_assert_uint_eq(msg_live_bytes(), 11);

    msg_unref(b);
    ck_assert_uint_eq(msg_live(), 0);
    ck_assert_uint_eq(msg_live_bytes(), 0);
}
END_TEST

START_TEST(giving_back_nothing_is_fine)
{
    msg_unref(NULL);

    ck_assert_uint_eq(msg_live(), 0);
}
END_TEST

START_TEST(the_longest_msg_is_made_and_a_longer_one_refused)
{
    struct msg *const m = msg_create(MSG_MAX);

    ck_assert_ptr_nonnull(m);
    ck_assert_uint_eq(m->len, MSG_MAX);
    ck_assert_ptr_null(msg_create((size_t)MSG_MAX + 1));
    ck_assert_ptr_null(msg_create(SIZE_MAX));
    ck_assert_ptr_null(msg_printf("%*d", (int)MSG_MAX + 1, 1));
    ck_assert_uint_eq(msg_live(), 1);
    msg_unref(m);
}
END_TEST

START_TEST(short_memory_is_told_by_null_and_not_counted)
{
    struct msg *made, *copied, *printed;

    memory_is_short = true;
    made = msg_create(10);
    copied = msg_copy("abc", 3);
    printed = msg_printf("%d", 5);
    memory_is_short = false;

    ck_assert_ptr_null(made);
    ck_assert_ptr_null(copied);
    ck_assert_ptr_null(printed);
    ck_assert_uint_eq(msg_live(), 0);
    ck_assert_uint_eq(msg_live_bytes(), 0);
}
END_TEST

static void
unref(void *arg)
{
    msg_unref(arg);
}

START_TEST(a_reference_given_back_twice_is_noticed)
{
    /* Not freed memory: a msg whose count has come to 0. */
    struct msg spent = {.len = 0};
    char said[256];

    ck_assert(dies_saying(unref, &spent, said, sizeof(said)));

    ck_assert_ptr_nonnull(strstr(said, "msg_unref: does not hold"));
}
END_TEST

UNIT_MAIN("base/msg", a_copy_holds_the_bytes_it_was_given,
          a_created_msg_may_be_filled_to_its_last_byte, an_empty_msg_is_a_msg,
          printf_makes_the_text_without_a_nul,
          references_keep_it_alive_and_the_last_one_frees,
          the_census_counts_msgs_and_their_bytes, giving_back_nothing_is_fine,
          the_longest_msg_is_made_and_a_longer_one_refused,
          short_memory_is_told_by_null_and_not_counted,
          a_reference_given_back_twice_is_noticed)
