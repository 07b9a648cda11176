/* SPDX-License-Identifier: BSD-2-Clause
 *
 * malloc is wrapped, so that a ledger cannot grow.
 */
#include "proto/ledger_priv.h"

#include <stdlib.h>

#include "support/unit.h"

static bool is_memory_short;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *
__wrap_malloc(size_t size)
{
    return is_memory_short ? NULL : __real_malloc(size);
}

/* Events first … last, each of ten bytes, the first of them behind `from`. */
static void
note(struct ledger *l, uint64_t first, uint64_t last, uint64_t from)
{
    for (uint64_t id = first; id <= last; id++)
        ledger_note(l, id, from + 10 * (id - first + 1));
}

START_TEST(an_empty_ledger_knows_its_cursor)
{
    struct ledger l;

    ledger_init(&l, 7);
    ck_assert(ledger_is_settled(&l));
    ck_assert(ledger_is_full(&l)); /* it has taken no memory yet */
    ck_assert_uint_eq(ledger_last(&l), 7);
    ledger_settle_bytes(&l, 1000);
    ledger_settle_id(&l, 1000);
    ck_assert_uint_eq(ledger_cut(&l, 0), 0);
    ck_assert_uint_eq(l.cursor, 7);
    ledger_fini(&l);
}
END_TEST

START_TEST(bytes_settle_whole_events)
{
    struct ledger l;

    ledger_init(&l, 7);
    note(&l, 11, 30, 100);
    ck_assert_uint_eq(l.events, 20);
    ck_assert_uint_eq(ledger_last(&l), 30);
    ledger_settle_bytes(&l, 109);
    ck_assert_uint_eq(l.cursor, 7);
    ledger_settle_bytes(&l, 110);
    ck_assert_uint_eq(l.cursor, 11);
    ledger_settle_bytes(&l, 105); /* older: nothing */
    ledger_settle_bytes(&l, 159);
    ck_assert_uint_eq(l.cursor, 15);
    ck_assert_uint_eq(l.events, 15);
    ledger_settle_bytes(&l, 300);
    ck_assert(ledger_is_settled(&l));
    ck_assert_uint_eq(l.cursor, 30);
    ck_assert_uint_eq(l.events, 0);
    ledger_fini(&l);
}
END_TEST

START_TEST(ids_settle_what_lies_before)
{
    struct ledger l;

    ledger_init(&l, 7);
    ledger_note(&l, 10, 1);
    ledger_note(&l, 20, 2);
    ledger_note(&l, 30, 3);
    ledger_settle_id(&l, 9);
    ck_assert_uint_eq(l.cursor, 7);
    ledger_settle_id(&l, 25); /* not open itself */
    ck_assert_uint_eq(l.cursor, 20);
    ledger_settle_id(&l, 20);
    ck_assert_uint_eq(l.events, 1);
    ledger_settle_id(&l, UINT64_MAX);
    ck_assert(ledger_is_settled(&l));
    ck_assert_uint_eq(l.cursor, 30);
    ledger_fini(&l);
}
END_TEST

START_TEST(cutting_takes_what_was_never_sent)
{
    struct ledger l;

    ledger_init(&l, 7);
    note(&l, 11, 20, 0);
    ledger_settle_bytes(&l, 20);
    ck_assert_uint_eq(ledger_cut(&l, 100), 0);
    ck_assert_uint_eq(ledger_cut(&l, 55), 5);
    ck_assert_uint_eq(ledger_last(&l), 15);
    ck_assert_uint_eq(l.events, 3);
    ledger_note(&l, 40, 65); /* the stream goes on from there */
    ck_assert_uint_eq(ledger_cut(&l, 0), 4);
    ck_assert_uint_eq(ledger_last(&l), 12);
    ck_assert_uint_eq(l.cursor, 12);
    ledger_fini(&l);
}
END_TEST

/* Places are compared in 32 bits. */
START_TEST(places_may_wrap)
{
    const uint64_t near = UINT64_C(0xFFFFFFFF) - 25;
    struct ledger l;

    ledger_init(&l, 7);
    note(&l, 11, 16, near); /* the third ends behind the wrap */
    ledger_settle_bytes(&l, near + 20);
    ck_assert_uint_eq(l.cursor, 12);
    ck_assert_uint_eq(ledger_cut(&l, near + 45), 2);
    ck_assert_uint_eq(ledger_last(&l), 14);
    ledger_settle_bytes(&l, near + 30);
    ck_assert_uint_eq(l.cursor, 13);
    ledger_settle_bytes(&l, near + 40);
    ck_assert(ledger_is_settled(&l));
    ledger_fini(&l);
}
END_TEST

START_TEST(the_ring_goes_round_as_it_grows)
{
    struct ledger l;
    uint64_t noted = 0, settled = 0;
    unsigned dice = 5;

    ledger_init(&l, 0);
    while (noted < 100000) {
        for (unsigned n = (unsigned)rand_r(&dice) % 100; n > 0; n--) {
            noted++;
            ledger_note(&l, noted, noted * 3);
        }
        settled += (uint64_t)rand_r(&dice) % (noted - settled + 1);
        ledger_settle_bytes(&l, settled * 3 + (uint64_t)rand_r(&dice) % 3);
        ck_assert_uint_eq(l.cursor, settled);
        ck_assert_uint_eq(l.events, noted - settled);
        ck_assert_uint_eq(ledger_last(&l), noted);
    }
    ledger_fini(&l);
}
END_TEST

/* What was never sent is cut off to the event, however much there was. */
START_TEST(beyond_its_bound_the_newest_are_exact)
{
    const uint32_t many = 3 * LEDGER_MAX + 5;
    struct ledger l;

    ledger_init(&l, 0);
    note(&l, 1, many, 0);
    ck_assert_uint_le(l.used, LEDGER_MAX);
    ck_assert_uint_eq(l.events, many);
    ck_assert_uint_eq(ledger_last(&l), many);

    for (uint32_t cut = 1; cut <= LEDGER_MAX / 2; cut++) {
        ck_assert_uint_eq(ledger_cut(&l, 10 * (uint64_t)(many - cut)), 1);
        ck_assert_uint_eq(ledger_last(&l), many - cut);
    }
    ck_assert_uint_eq(l.events, many - LEDGER_MAX / 2);
    ledger_fini(&l);
}
END_TEST

/* The older ones are known less exactly, but never as had before they are, and
 * never much later. */
START_TEST(beyond_its_bound_the_older_share_notes)
{
    const uint32_t many = 3 * LEDGER_MAX;
    struct ledger l;

    ledger_init(&l, 0);
    note(&l, 1, many, 0);
    for (uint32_t had = 1; had <= many; had += 997) {
        ledger_settle_bytes(&l, 10 * (uint64_t)had + 9);
        ck_assert_uint_le(l.cursor, had);
        ck_assert_uint_gt(l.cursor + LEDGER_MAX / 64, had);
        ck_assert_uint_eq(l.cursor + l.events, many);
    }
    ledger_settle_bytes(&l, 10 * (uint64_t)many);
    ck_assert(ledger_is_settled(&l));
    ck_assert_uint_eq(l.cursor, many);
    ledger_fini(&l);
}
END_TEST

START_TEST(without_memory_the_older_share_notes)
{
    struct ledger l;

    ledger_init(&l, 0);
    note(&l, 1, 8, 0);
    is_memory_short = true;
    note(&l, 9, 1000, 80);
    is_memory_short = false;
    ck_assert_uint_le(l.used, 8);
    ck_assert_uint_eq(l.events, 1000);
    ck_assert_uint_eq(ledger_cut(&l, 9990), 1);
    ck_assert_uint_eq(ledger_last(&l), 999);
    ledger_settle_bytes(&l, 9989);
    ck_assert_uint_lt(l.cursor, 999);
    ck_assert_uint_eq(l.cursor + l.events, 999);
    ledger_settle_bytes(&l, 9990);
    ck_assert_uint_eq(l.cursor, 999);
    ck_assert_uint_eq(l.events, 0);
    ledger_fini(&l);
}
END_TEST

START_TEST(without_memory_for_the_first_it_counts_as_had)
{
    struct ledger l;

    ledger_init(&l, 3);
    is_memory_short = true;
    ledger_note(&l, 5, 10);
    is_memory_short = false;
    ck_assert(ledger_is_settled(&l));
    ck_assert_uint_eq(l.cursor, 5);
    ck_assert_uint_eq(l.events, 0);
    ledger_fini(&l);
}
END_TEST

UNIT_MAIN("proto/ledger", an_empty_ledger_knows_its_cursor,
          bytes_settle_whole_events, ids_settle_what_lies_before,
          cutting_takes_what_was_never_sent, places_may_wrap,
          the_ring_goes_round_as_it_grows,
          beyond_its_bound_the_newest_are_exact,
          beyond_its_bound_the_older_share_notes,
          without_memory_the_older_share_notes,
          without_memory_for_the_first_it_counts_as_had)
