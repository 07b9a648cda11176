/* SPDX-License-Identifier: BSD-2-Clause
 *
 * References to the same msgs counted on several threads: the last one frees,
 * whoever it is, and nobody has the bytes taken away under its eyes.
 */
#include "base/msg.h"

#include "support/crew.h"
#include "support/unit.h"

enum {
    HOLDERS = 4,
    MSGS = 100000,
    LEN = 24,
};

static struct msg *msgs[MSGS];

static void
check_bytes(const struct msg *m, unsigned number)
{
    CREW_ASSERT(m->len == LEN);
    for (unsigned i = 0; i < LEN; i++)
        CREW_ASSERT(m->data[i] == (unsigned char)(number + i));
}

static struct msg *
make_msg(unsigned number)
{
    struct msg *const m = msg_create(LEN);

    CREW_ASSERT(m != NULL);
    for (unsigned i = 0; i < LEN; i++)
        m->data[i] = (unsigned char)(number + i);
    return m;
}

static void
hold_and_let_go(struct crew *crew, unsigned member)
{
    for (unsigned n = 0; n < MSGS; n++) {
        struct msg *const mine = msgs[n];
        struct msg *const again = msg_ref(mine);

        msg_unref(mine);
        check_bytes(again, n);
        msg_unref(again);
    }
}

START_TEST(the_last_of_many_holders_frees)
{
    struct crew *const crew = &(struct crew){.members = 0};

    for (unsigned n = 0; n < MSGS; n++) {
        msgs[n] = make_msg(n);
        for (unsigned holder = 1; holder < HOLDERS; holder++)
            (void)msg_ref(msgs[n]);
    }
    ck_assert_uint_eq(msg_live(), MSGS);
    ck_assert_uint_eq(msg_live_bytes(), (uint64_t)MSGS * LEN);

    crew_start(crew, HOLDERS, hold_and_let_go);
    crew_join(crew);

    ck_assert_uint_eq(msg_live(), 0);
    ck_assert_uint_eq(msg_live_bytes(), 0);
}
END_TEST

static _Atomic(struct msg *) shelf[64]; /* [any] */

/* Puts new msgs on the shelf and frees what others had put there. */
static void
swap_on_shelf(struct crew *crew, unsigned member)
{
    for (unsigned n = 0; n < MSGS; n++) {
        struct msg *m = make_msg(n);

        /* acq_rel: pairs with itself on the other threads. */
        m = atomic_exchange_explicit(&shelf[n % ARRAY_LEN(shelf)], m,
                                     memory_order_acq_rel);
        if (m != NULL)
            check_bytes(m, m->data[0]);
        msg_unref(m);
    }
}

START_TEST(what_one_thread_makes_another_may_free_and_the_count_is_right)
{
    struct crew *const crew = &(struct crew){.members = 0};

    crew_start(crew, HOLDERS, swap_on_shelf);
    for (int i = 0; i < 1000; i++)
        (void)msg_live(); /* reading meanwhile is allowed, if not exact */
    crew_join(crew);

    ck_assert_uint_eq(msg_live(), ARRAY_LEN(shelf));
    for (size_t i = 0; i < ARRAY_LEN(shelf); i++)
        msg_unref(atomic_load_explicit(&shelf[i], memory_order_relaxed));
    ck_assert_uint_eq(msg_live(), 0);
    ck_assert_uint_eq(msg_live_bytes(), 0);
}
END_TEST

UNIT_MAIN("race/msg", the_last_of_many_holders_frees,
          what_one_thread_makes_another_may_free_and_the_count_is_right)
