/* SPDX-License-Identifier: BSD-2-Clause
 *
 * aligned_alloc is wrapped, so that the slab can be made to run out of pages.
 */
#include "net/wqueue_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "base/msg.h"
#include "base/slab.h"
#include "support/unit.h"

#define MANY 1000

static struct slab chunks;
static bool is_memory_short;

void *__real_aligned_alloc(size_t alignment, size_t size);

void *
__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return is_memory_short ? NULL : __real_aligned_alloc(alignment, size);
}

static void
start(struct wqueue *q)
{
    slab_init(&chunks, wqueue_chunk_size());
    wqueue_init(q);
}

static void
finish(struct wqueue *q)
{
    ck_assert(wqueue_is_empty(q));
    ck_assert_uint_eq(q->bytes, 0);
    ck_assert_uint_eq(chunks.live, 0);
    ck_assert_uint_eq(msg_live(), 0);
    slab_fini(&chunks);
}

static void
push(struct wqueue *q, const char *text)
{
    struct msg *const m = msg_copy(text, strlen(text));

    ck_assert_ptr_nonnull(m);
    ck_assert_int_eq(wqueue_push(q, &chunks, m), 0);
}

static void
push_number(struct wqueue *q, unsigned number)
{
    struct msg *const m = msg_printf("%u,", number);

    if (m == NULL || wqueue_push(q, &chunks, m) < 0)
        ck_abort(); /* not ck_assert: it writes to a pipe each time */
}

/* Writes, in effect, up to `max` iovecs and `bytes` bytes. */
static size_t
pull(struct wqueue *q, struct buf *out, size_t max, size_t bytes)
{
    struct iovec iov[64];
    const size_t n = wqueue_gather(q, iov, max);
    size_t left = bytes;

    for (size_t i = 0; i < n && left > 0; i++) {
        const size_t take = iov[i].iov_len < left ? iov[i].iov_len : left;

        buf_append(out, iov[i].iov_base, take);
        left -= take;
    }
    return wqueue_consume(q, &chunks, bytes - left);
}

START_TEST(an_empty_queue_gives_nothing_to_write)
{
    struct iovec iov[4];
    struct wqueue q;

    start(&q);

    ck_assert(wqueue_is_empty(&q));
    ck_assert_uint_eq(wqueue_gather(&q, iov, 4), 0);
    finish(&q);
}
END_TEST

START_TEST(a_single_msg_takes_no_chunk)
{
    struct iovec iov[4];
    struct wqueue q;

    start(&q);
    push(&q, "hello");

    ck_assert_uint_eq(chunks.live, 0);
    ck_assert_uint_eq(wqueue_gather(&q, iov, 4), 1);
    ck_assert_mem_eq(iov[0].iov_base, "hello", 5);
    ck_assert_uint_eq(wqueue_consume(&q, &chunks, 5), 1);
    finish(&q);
}
END_TEST

START_TEST(many_msgs_come_out_in_order)
{
    struct buf in, out;
    struct wqueue q;

    start(&q);
    buf_init(&in);
    buf_init(&out);
    for (unsigned i = 0; i < MANY; i++) {
        push_number(&q, i);
        buf_printf(&in, "%u,", i);
    }
    ck_assert_uint_eq(q.bytes, in.len);

    while (!wqueue_is_empty(&q))
        (void)pull(&q, &out, 64, SIZE_MAX);

    ck_assert_uint_eq(out.len, in.len);
    ck_assert_mem_eq(out.data, in.data, in.len);
    buf_fini(&in);
    buf_fini(&out);
    finish(&q);
}
END_TEST

START_TEST(a_write_may_end_at_any_byte)
{
    for (size_t step = 1; step <= 12; step++) {
        struct buf out;
        struct wqueue q;
        size_t whole = 0;

        start(&q);
        buf_init(&out);
        push(&q, "abc");
        push(&q, "d");
        push(&q, "efgh");
        push(&q, "ijkl");

        while (!wqueue_is_empty(&q))
            whole += pull(&q, &out, 64, step);

        ck_assert_uint_eq(whole, 4);
        ck_assert_uint_eq(out.len, 12);
        ck_assert_mem_eq(out.data, "abcdefghijkl", 12);
        buf_fini(&out);
        finish(&q);
    }
}
END_TEST

START_TEST(gathering_stops_at_the_number_asked_for)
{
    struct iovec iov[64];
    struct wqueue q;

    start(&q);
    for (unsigned i = 0; i < MANY; i++)
        push_number(&q, i);

    ck_assert_uint_eq(wqueue_gather(&q, iov, 64), 64);
    ck_assert_mem_eq(iov[63].iov_base, "63,", 3);
    ck_assert_uint_eq(wqueue_gather(&q, iov, 0), 0);
    ck_assert_uint_eq(wqueue_clear(&q, &chunks), MANY);
    finish(&q);
}
END_TEST

START_TEST(clearing_counts_a_half_written_msg)
{
    struct buf out;
    struct wqueue q;

    start(&q);
    buf_init(&out);
    push(&q, "abc");
    push(&q, "def");
    ck_assert_uint_eq(pull(&q, &out, 64, 4), 1);

    ck_assert_uint_eq(q.bytes, 2);
    ck_assert_uint_eq(wqueue_clear(&q, &chunks), 1);
    buf_fini(&out);
    finish(&q);
}
END_TEST

START_TEST(cutting_spares_a_half_written_msg)
{
    struct wqueue q;
    struct buf out;

    start(&q);
    buf_init(&out);
    push(&q, "half");
    for (unsigned n = 0; n < 100; n++)
        push_number(&q, n);
    (void)pull(&q, &out, 1, 2);

    ck_assert_uint_eq(wqueue_cut(&q, &chunks), 100);
    ck_assert_uint_eq(q.bytes, 2);
    ck_assert_uint_eq(chunks.live, 0);
    ck_assert_uint_eq(wqueue_cut(&q, &chunks), 0);
    push(&q, "|next");
    (void)pull(&q, &out, 64, SIZE_MAX);
    ck_assert_uint_eq(out.len, 9);
    ck_assert_mem_eq(out.data, "half|next", 9);
    buf_fini(&out);
    finish(&q);
}
END_TEST

START_TEST(cutting_between_msgs_drops_all)
{
    struct wqueue q;
    struct buf out;

    start(&q);
    buf_init(&out);
    ck_assert_uint_eq(wqueue_cut(&q, &chunks), 0);
    push(&q, "one");
    push(&q, "two");
    push(&q, "three");
    (void)pull(&q, &out, 64, 3);

    ck_assert_uint_eq(wqueue_cut(&q, &chunks), 2);
    buf_fini(&out);
    finish(&q);
}
END_TEST

START_TEST(without_memory_a_push_changes_nothing)
{
    struct msg *const m = msg_copy("x", 1);
    struct wqueue q;

    start(&q);
    push(&q, "first");
    is_memory_short = true;

    ck_assert_int_eq(wqueue_push(&q, &chunks, m), -ENOMEM);
    ck_assert_uint_eq(q.bytes, 5);
    is_memory_short = false;
    ck_assert_int_eq(wqueue_push(&q, &chunks, m), 0);
    ck_assert_uint_eq(wqueue_clear(&q, &chunks), 2);
    finish(&q);
}
END_TEST

START_TEST(bytes_cannot_overflow)
{
    /* Its bytes do not exist, and nobody looks at them. */
    static struct msg huge = {.refs = 3, .len = UINT32_MAX - 1};
    struct wqueue q;

    start(&q);
    ck_assert_int_eq(wqueue_push(&q, &chunks, &huge), 0);

    ck_assert_int_eq(wqueue_push(&q, &chunks, &huge), -EOVERFLOW);
    ck_assert_uint_eq(wqueue_clear(&q, &chunks), 1);
    finish(&q);
}
END_TEST

/* Random pushes and writes against one flat string. */
START_TEST(it_is_a_string_of_bytes)
{
    for (unsigned seed = 1; seed <= 20; seed++) {
        unsigned state = seed, number = 0;
        struct buf in, out;
        struct wqueue q;

        start(&q);
        buf_init(&in);
        buf_init(&out);
        for (unsigned step = 0; step < 20000; step++) {
            const unsigned dice = (unsigned)rand_r(&state);

            if (dice % 3 == 0) {
                (void)pull(&q, &out, 1 + dice / 3 % 64, dice / 7 % 97);
            } else {
                buf_printf(&in, "%u,", number);
                push_number(&q, number++);
            }
            if (q.bytes != in.len - out.len)
                ck_abort_msg("seed %u, step %u", seed, step);
        }
        while (!wqueue_is_empty(&q))
            (void)pull(&q, &out, 64, SIZE_MAX);

        ck_assert_uint_eq(out.len, in.len);
        ck_assert_mem_eq(out.data, in.data, in.len);
        buf_fini(&in);
        buf_fini(&out);
        finish(&q);
    }
}
END_TEST

UNIT_MAIN("net/wqueue", an_empty_queue_gives_nothing_to_write,
          a_single_msg_takes_no_chunk, many_msgs_come_out_in_order,
          a_write_may_end_at_any_byte, gathering_stops_at_the_number_asked_for,
          clearing_counts_a_half_written_msg, cutting_spares_a_half_written_msg,
          cutting_between_msgs_drops_all, without_memory_a_push_changes_nothing,
          bytes_cannot_overflow, it_is_a_string_of_bytes)
