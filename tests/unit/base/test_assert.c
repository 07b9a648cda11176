/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/assert.h"

#include <string.h>

#include "support/dies.h"
#include "support/unit.h"

static void
claim(void *arg)
{
    const int *const number = arg;

    ASSERT(*number == 42);
}

static void
claim_when_debugging(void *arg)
{
    int *const calls = arg;

    DEBUG_ASSERT(++*calls > 1000);
}

START_TEST(what_holds_says_nothing)
{
    char said[256];
    int number = 42;

    ck_assert(!dies_saying(claim, &number, said, sizeof(said)));

    ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(what_does_not_hold_is_named_with_its_place_and_aborts)
{
    char said[256];
    int number = 41;

    ck_assert(dies_saying(claim, &number, said, sizeof(said)));

    ck_assert_ptr_nonnull(strstr(said, "*number == 42"));
    ck_assert_ptr_nonnull(strstr(said, "test_assert.c:"));
    ck_assert_ptr_nonnull(strstr(said, "claim"));
    ck_assert_ptr_eq(strchr(said, '\n'), said + strlen(said) - 1);
}
END_TEST

START_TEST(the_expression_is_evaluated_once)
{
    int calls = 0;

    ASSERT(++calls > 0);

    ck_assert_int_eq(calls, 1);
}
END_TEST

START_TEST(debug_assert_is_for_debug_builds_and_costs_others_nothing)
{
    int calls = 0;

#ifdef KLATCH_DEBUG
    ck_assert(dies(claim_when_debugging, &calls));
#else
    claim_when_debugging(&calls);
#endif
    ck_assert_int_eq(calls, 0); /* in a debug build: the child's was counted */
}
END_TEST

UNIT_MAIN("base/assert", what_holds_says_nothing,
          what_does_not_hold_is_named_with_its_place_and_aborts,
          the_expression_is_evaluated_once,
          debug_assert_is_for_debug_builds_and_costs_others_nothing)
