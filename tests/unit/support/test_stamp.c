/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A checker that forgives is worse than none: each thing that can happen to a
 * message on its way is done to one here.
 */
#include "support/stamp.h"

#include <stdio.h>
#include <string.h>

#include "support/unit.h"

#define PADDING 100u

static const struct stamp sample = {.room = 3, .sender = 17, .number = 4200};

static bool
is_sample(const char *text)
{
    struct stamp s;

    return stamp_read(text, &s) && s.room == 3 && s.sender == 17 &&
           s.number == 4200;
}

START_TEST(a_stamp_reads_back)
{
    char text[STAMP_SIZE + PADDING];

    for (size_t padding = 0; padding <= PADDING; padding++) {
        ck_assert_uint_eq(stamp_write(text, sizeof(text), &sample, padding),
                          strlen(text));
        ck_assert(is_sample(text));
    }
    stamp_write(text, sizeof(text),
                &(struct stamp){UINT32_MAX, UINT32_MAX, UINT32_MAX}, PADDING);
    ck_assert(stamp_read(text, &(struct stamp){0}));
}
END_TEST

START_TEST(a_stamp_with_any_byte_changed_is_torn)
{
    char text[STAMP_SIZE + PADDING];
    const size_t len = stamp_write(text, sizeof(text), &sample, PADDING);
    struct stamp s;

    for (size_t i = 0; i < len; i++)
        for (int to = 1; to < 256; to++) {
            const char was = text[i];

            if ((char)to == was)
                continue;
            text[i] = (char)to;
            ck_assert_msg(!stamp_read(text, &s), "byte %zu as %d", i, to);
            text[i] = was;
        }
    ck_assert(is_sample(text));
}
END_TEST

START_TEST(a_stamp_that_is_cut_or_has_more_is_torn)
{
    char text[STAMP_SIZE + PADDING + 1];
    const size_t len = stamp_write(text, sizeof(text) - 1, &sample, PADDING);
    struct stamp s;

    strcpy(text + len, "a");
    ck_assert(!stamp_read(text, &s));
    for (size_t cut = 0; cut < len; cut++) {
        text[len - 1 - cut] = '\0';
        ck_assert(!stamp_read(text, &s));
    }
}
END_TEST

/* The beginning of one line and the end of another, where a write was lost. */
START_TEST(two_stamps_spliced_anywhere_are_torn)
{
    char a[STAMP_SIZE + PADDING], b[STAMP_SIZE + PADDING], c[sizeof(a)];
    const struct stamp next = {.room = 3, .sender = 17, .number = 4201};
    const size_t len = stamp_write(a, sizeof(a), &sample, PADDING);
    struct stamp s;

    ck_assert_uint_eq(stamp_write(b, sizeof(b), &next, PADDING), len);
    for (size_t at = 1; at < len; at++) {
        memcpy(c, a, at);
        strcpy(c + at, b + at);
        if (strcmp(c, a) == 0 || strcmp(c, b) == 0)
            continue;
        ck_assert_msg(!stamp_read(c, &s), "spliced at %zu", at);
    }
}
END_TEST

START_TEST(what_is_no_stamp_is_none)
{
    struct stamp s;

    ck_assert(!stamp_read("", &s));
    ck_assert(!stamp_read("hello", &s));
    ck_assert(!stamp_read("=1.2.3=", &s));
    ck_assert(!stamp_read("=1.2.3.0.0=", &s));
    ck_assert(!stamp_read("=-1.2.3.0.99999999999999999999=", &s));
}
END_TEST

START_TEST(a_strange_canary_is_seen_anywhere_in_a_line)
{
    const struct canary mine = canary_random(), yours = canary_random();
    char line[200];

    ck_assert_str_ne(mine.word, yours.word);
    ck_assert_uint_eq(strlen(mine.word), CANARY_SIZE - 1);
    ck_assert(!canary_is_strange("~ no ~~ canary ~0123~", &mine));

    snprintf(line, sizeof(line), "to %s~ and ~%s", mine.word, mine.word);
    ck_assert(!canary_is_strange(line, &mine));
    ck_assert(canary_is_strange(line, &yours));
    ck_assert(canary_is_strange(line, NULL));

    snprintf(line, sizeof(line), "%s%s", mine.word, yours.word);
    ck_assert(canary_is_strange(line, &mine));
    line[strlen(line) - 1] = '\0'; /* not whole */
    ck_assert(!canary_is_strange(line, &mine));
}
END_TEST

START_TEST(the_ledger_tells_what_is_doubled_and_what_is_lost)
{
    struct ledger l;

    ledger_init(&l, 3, 5);
    ck_assert_int_eq(ledger_hear(&l, 2, 4, 1), LEDGER_NEXT);
    ck_assert_int_eq(ledger_hear(&l, 2, 4, 2), LEDGER_NEXT);
    ck_assert_int_eq(ledger_hear(&l, 2, 4, 2), LEDGER_DOUBLED);
    ck_assert_int_eq(ledger_hear(&l, 2, 4, 1), LEDGER_DOUBLED);
    ck_assert_int_eq(ledger_hear(&l, 2, 4, 3), LEDGER_LOST); /* after 1 */
    ck_assert_int_eq(ledger_hear(&l, 1, 0, 2), LEDGER_LOST);
    ck_assert_uint_eq(ledger_last(&l, 2, 4), 3);
    for (size_t hearer = 0; hearer < 3; hearer++)
        for (size_t sender = 0; sender < 5; sender++)
            if (!(hearer == 2 && sender == 4) && !(hearer == 1 && sender == 0))
                ck_assert_uint_eq(ledger_last(&l, hearer, sender), 0);
    ck_assert_str_eq(ledger_verdict_name(LEDGER_LOST),
                     "one before it was lost");
    ledger_fini(&l);
}
END_TEST

START_TEST(who_comes_later_may_miss_the_beginning_and_nothing_more)
{
    struct ledger l;

    ledger_init(&l, 2, 2);
    ck_assert_int_eq(ledger_hear_late(&l, 1, 1, 7), LEDGER_NEXT);
    ck_assert_int_eq(ledger_hear_late(&l, 1, 1, 9), LEDGER_LOST);
    ck_assert_int_eq(ledger_hear_late(&l, 1, 1, 8), LEDGER_DOUBLED);
    ck_assert_int_eq(ledger_hear_late(&l, 1, 0, 0), LEDGER_DOUBLED);
    ledger_hear(&l, 0, 1, 1);
    ledger_forget(&l, 1);
    ck_assert_int_eq(ledger_hear_late(&l, 1, 1, 3), LEDGER_NEXT);
    ck_assert_uint_eq(ledger_last(&l, 0, 1), 1);
    ledger_fini(&l);
}
END_TEST

START_TEST(what_is_told_twice_is_seen)
{
    struct once o;

    once_init(&o, 2, 10);
    ck_assert(!once_is_told(&o, 1, 9));
    ck_assert(once_tell(&o, 1, 9));
    ck_assert(!once_tell(&o, 1, 9));
    ck_assert(once_tell(&o, 0, 9)); /* another hearer */
    ck_assert(once_tell(&o, 1, 8)); /* another thing */
    once_forget(&o, 1);
    ck_assert(!once_is_told(&o, 1, 9));
    ck_assert(once_is_told(&o, 0, 9));
    once_fini(&o);
}
END_TEST

UNIT_MAIN("support/stamp", a_stamp_reads_back,
          a_stamp_with_any_byte_changed_is_torn,
          a_stamp_that_is_cut_or_has_more_is_torn,
          two_stamps_spliced_anywhere_are_torn, what_is_no_stamp_is_none,
          a_strange_canary_is_seen_anywhere_in_a_line,
          the_ledger_tells_what_is_doubled_and_what_is_lost,
          who_comes_later_may_miss_the_beginning_and_nothing_more,
          what_is_told_twice_is_seen)
