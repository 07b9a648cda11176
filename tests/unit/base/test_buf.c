/* SPDX-License-Identifier: BSD-2-Clause
 *
 * realloc is wrapped, so that a case can make it fail.
 */
#include "base/buf.h"

#include <string.h>

#include "base/msg.h"
#include "support/dies.h"
#include "support/unit.h"

static bool memory_is_short;

void *__real_realloc(void *old, size_t size);

void *
__wrap_realloc(void *old, size_t size)
{
    return memory_is_short ? NULL : __real_realloc(old, size);
}

static bool
holds(const struct buf *b, const char *text)
{
    const size_t len = strlen(text);

    return b->len == len && (len == 0 || memcmp(b->data, text, len) == 0);
}

START_TEST(appends_follow_each_other)
{
    struct buf b;

    buf_init(&b);
    buf_append(&b, "one", 3);
    buf_append_char(&b, ' ');
    buf_append_str(&b, "two");
    buf_printf(&b, " %s=%d", "three", 3);

    ck_assert(holds(&b, "one two three=3"));
    ck_assert(!b.failed);
    buf_fini(&b);
}
END_TEST

START_TEST(nothing_appended_allocates_nothing)
{
    struct buf b;

    buf_init(&b);
    buf_append(&b, NULL, 0);
    buf_append_str(&b, "");

    ck_assert_ptr_null(b.data);
    ck_assert_uint_eq(b.len, 0);
    buf_fini(&b);
}
END_TEST

START_TEST(every_size_of_append_and_of_print_keeps_the_bytes)
{
    char text[3 * 140];

    /* Each length against each fill, so every way to meet the end of the
     * room occurs, the NUL that printf needs included. */
    for (size_t fill = 0; fill < 140; fill++) {
        for (size_t len = 0; len < 140; len++) {
            struct buf b;

            memset(text, 'a', fill);
            memset(text + fill, 'b', 2 * len);
            text[fill + 2 * len] = '\0';
            buf_init(&b);
            buf_append(&b, text, fill);
            buf_printf(&b, "%.*s", (int)len, text + fill);
            buf_append(&b, text + fill, len);

            ck_assert(!b.failed);
            ck_assert(holds(&b, text));
            buf_fini(&b);
        }
    }
}
END_TEST

START_TEST(room_doubles_so_that_appends_are_cheap)
{
    struct buf b;
    unsigned moves = 0;
    size_t cap = 0;

    buf_init(&b);
    for (int i = 0; i < 1000000; i++) {
        buf_append_char(&b, 'x');
        moves += b.cap != cap;
        cap = b.cap;
    }

    ck_assert_uint_eq(b.len, 1000000);
    ck_assert_uint_le(moves, 20);
    buf_fini(&b);
}
END_TEST

START_TEST(consume_drops_from_the_front)
{
    struct buf b;

    buf_init(&b);
    buf_append_str(&b, "NICK anna\nJOIN");

    buf_consume(&b, 10);
    ck_assert(holds(&b, "JOIN"));
    buf_consume(&b, 0);
    ck_assert(holds(&b, "JOIN"));
    buf_consume(&b, 4);
    ck_assert(holds(&b, ""));
    buf_append_str(&b, "again");
    ck_assert(holds(&b, "again"));
    buf_fini(&b);
}
END_TEST

static void
consume_four(void *arg)
{
    buf_consume(arg, 4);
}

START_TEST(more_than_there_is_cannot_be_consumed)
{
    struct buf b;

    buf_init(&b);
    buf_append_str(&b, "abc");

    ck_assert(dies(consume_four, &b));
    buf_fini(&b);
}
END_TEST

START_TEST(reset_empties_and_keeps_the_memory)
{
    struct buf b;
    const char *data;

    buf_init(&b);
    buf_append_str(&b, "something");
    data = b.data;

    buf_reset(&b);
    buf_append_str(&b, "other");

    ck_assert_ptr_eq(b.data, data);
    ck_assert(holds(&b, "other"));
    buf_fini(&b);
}
END_TEST

START_TEST(a_failed_append_changes_nothing_and_sticks)
{
    char big[200] = {0};
    struct buf b;

    buf_init(&b);
    buf_append_str(&b, "kept");

    memory_is_short = true;
    buf_append(&b, big, sizeof(big));
    memory_is_short = false;
    buf_append_char(&b, '!');
    buf_printf(&b, "%d", 1);

    ck_assert(b.failed);
    ck_assert(holds(&b, "kept"));
    ck_assert_ptr_null(buf_to_msg(&b));
    buf_fini(&b);
}
END_TEST

START_TEST(a_failed_print_changes_nothing_and_sticks)
{
    struct buf b;

    buf_init(&b);
    buf_append_str(&b, "kept");

    memory_is_short = true;
    buf_printf(&b, "%200d", 1);
    memory_is_short = false;

    ck_assert(b.failed);
    ck_assert(holds(&b, "kept"));
    buf_fini(&b);
}
END_TEST

START_TEST(reset_forgives)
{
    struct buf b;

    buf_init(&b);
    memory_is_short = true;
    buf_append_char(&b, 'x');
    memory_is_short = false;
    ck_assert(b.failed);

    buf_reset(&b);
    buf_append_str(&b, "fine");

    ck_assert(!b.failed);
    ck_assert(holds(&b, "fine"));
    buf_fini(&b);
}
END_TEST

START_TEST(a_length_beyond_all_memory_fails_without_trying)
{
    struct buf b;

    buf_init(&b);
    buf_append_str(&b, "abc");

    buf_append(&b, "x", SIZE_MAX - 1);

    ck_assert(b.failed);
    ck_assert(holds(&b, "abc"));
    buf_fini(&b);
}
END_TEST

START_TEST(to_msg_copies_the_contents)
{
    struct buf b;
    struct msg *m;

    buf_init(&b);
    buf_append_str(&b, "hello");
    m = buf_to_msg(&b);
    buf_reset(&b);
    buf_append_str(&b, "xxxxx");

    ck_assert_ptr_nonnull(m);
    ck_assert_uint_eq(m->len, 5);
    ck_assert_mem_eq(m->data, "hello", 5);
    msg_unref(m);
    buf_fini(&b);
}
END_TEST

START_TEST(an_empty_buf_makes_an_empty_msg)
{
    struct buf b;
    struct msg *m;

    buf_init(&b);
    m = buf_to_msg(&b);

    ck_assert_ptr_nonnull(m);
    ck_assert_uint_eq(m->len, 0);
    msg_unref(m);
    buf_fini(&b);
}
END_TEST

UNIT_MAIN("base/buf", appends_follow_each_other,
          nothing_appended_allocates_nothing,
          every_size_of_append_and_of_print_keeps_the_bytes,
          room_doubles_so_that_appends_are_cheap, consume_drops_from_the_front,
          more_than_there_is_cannot_be_consumed,
          reset_empties_and_keeps_the_memory,
          a_failed_append_changes_nothing_and_sticks,
          a_failed_print_changes_nothing_and_sticks, reset_forgives,
          a_length_beyond_all_memory_fails_without_trying,
          to_msg_copies_the_contents, an_empty_buf_makes_an_empty_msg)
