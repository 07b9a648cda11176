/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/limit.h"

#include <string.h>

#include "support/unit.h"

#define START_MS UINT64_C(1000000)

/* -- buckets -------------------------------------------------------------- */

START_TEST(a_full_bucket_gives_its_burst_and_then_says_how_long_to_wait)
{
    struct bucket b;

    bucket_init(&b, START_MS, 3);

    for (int i = 0; i < 3; i++)
        ck_assert_uint_eq(bucket_take(&b, START_MS, 2, 3, 1), 0);
    ck_assert_uint_eq(bucket_take(&b, START_MS, 2, 3, 1), 500);
    ck_assert_uint_eq(bucket_take(&b, START_MS, 2, 3, 3), 1500);
}
END_TEST

START_TEST(the_wait_it_names_is_long_enough_and_no_longer)
{
    static const uint32_t rates[] = {1, 3, 7, 1000, 999983};
    struct bucket b;

    for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
        uint64_t wait_ms;

        bucket_init(&b, START_MS, 5);
        ck_assert_uint_eq(bucket_take(&b, START_MS, rates[i], 5, 5), 0);
        wait_ms = bucket_take(&b, START_MS, rates[i], 5, 2);
        ck_assert_uint_gt(wait_ms, 0);

        ck_assert_uint_eq(
            bucket_take(&b, START_MS + wait_ms - 1, rates[i], 5, 2), 1);
        ck_assert_uint_eq(bucket_take(&b, START_MS + wait_ms, rates[i], 5, 2),
                          0);
    }
}
END_TEST

START_TEST(it_never_holds_more_than_its_burst)
{
    const uint64_t late_ms = UINT64_MAX - 1;
    struct bucket b;

    bucket_init(&b, 0, 2);

    ck_assert_uint_eq(bucket_take(&b, late_ms, UINT32_MAX, 2, 2), 0);
    ck_assert_uint_gt(bucket_take(&b, late_ms, UINT32_MAX, 2, 2), 0);
    ck_assert_uint_eq(bucket_take(&b, UINT64_MAX, UINT32_MAX, 2, 2), 0);
}
END_TEST

START_TEST(what_costs_more_than_the_burst_leaves_a_debt)
{
    struct bucket b;

    bucket_init(&b, START_MS, 2);

    ck_assert_uint_eq(bucket_take(&b, START_MS, 1, 2, 10), 0);
    ck_assert_int_eq(b.millitokens, -8000);
    ck_assert_uint_eq(bucket_take(&b, START_MS, 1, 2, 1), 9000);
    ck_assert_uint_eq(bucket_take(&b, START_MS, 1, 2, 10), 10000);
    ck_assert_uint_eq(bucket_take(&b, START_MS + 9000, 1, 2, 1), 0);
}
END_TEST

START_TEST(the_largest_numbers_do_not_overflow)
{
    struct bucket b;

    bucket_init(&b, 0, UINT32_MAX);

    ck_assert_uint_eq(bucket_take(&b, 0, 1, UINT32_MAX, UINT32_MAX), 0);
    ck_assert_int_eq(b.millitokens, 0);
    ck_assert_uint_eq(bucket_take(&b, 0, 1, UINT32_MAX, UINT32_MAX),
                      UINT64_C(1000) * UINT32_MAX);
    ck_assert_uint_eq(bucket_take(&b, 0, 1, 0, UINT32_MAX), 0);
    ck_assert_int_eq(b.millitokens, INT64_C(-1000) * UINT32_MAX);
    ck_assert_uint_eq(bucket_take(&b, UINT64_MAX, 1, 1, 1), 0);
}
END_TEST

START_TEST(a_clock_that_stands_still_or_jumps_back_gives_nothing)
{
    struct bucket b;

    bucket_init(&b, START_MS, 1);

    ck_assert_uint_eq(bucket_take(&b, START_MS, 1, 1, 1), 0);
    ck_assert_uint_eq(bucket_take(&b, START_MS - 500, 1, 1, 1), 1000);
}
END_TEST

START_TEST(without_a_rate_there_is_no_limit)
{
    struct bucket b;

    bucket_init(&b, START_MS, 0);

    for (int i = 0; i < 1000; i++)
        ck_assert_uint_eq(bucket_take(&b, START_MS, 0, 0, 1000), 0);
}
END_TEST

START_TEST(a_reload_counts_at_once)
{
    struct bucket b;

    bucket_init(&b, START_MS, 100);

    ck_assert_uint_eq(bucket_take(&b, START_MS, 10, 5, 1), 0);
    ck_assert_int_eq(b.millitokens, 4000);
    ck_assert_uint_eq(bucket_take(&b, START_MS + 1000, 10, 100, 1), 0);
    ck_assert_int_eq(b.millitokens, 13000);
}
END_TEST

/* -- addresses ------------------------------------------------------------ */

static struct addr_limits *limits;

static void
setup_limits(uint32_t connections, uint32_t rate)
{
    const struct addr_limits_conf conf = {
        .connections_per_address = connections, .connect_rate = rate};

    ck_assert_int_eq(addr_limits_create(&conf, &limits), 0);
}

static void
reload(uint32_t connections, uint32_t rate)
{
    const struct addr_limits_conf conf = {
        .connections_per_address = connections, .connect_rate = rate};

    addr_limits_reload(limits, &conf);
}

/* The n-th of many IPv4 addresses. */
static struct addr
nth(uint32_t n)
{
    struct addr a = {.family = AF_INET};

    memcpy(a.ip, &n, sizeof(n));
    return a;
}

static enum addr_verdict
enter(uint32_t n, uint64_t now_ms)
{
    const struct addr a = nth(n);

    return addr_limits_enter(limits, &a, now_ms);
}

static void
leave(uint32_t n, uint64_t now_ms)
{
    const struct addr a = nth(n);

    addr_limits_leave(limits, &a, now_ms);
}

START_TEST(an_address_holds_so_many_connections_and_others_do_not_suffer)
{
    setup_limits(2, 0);

    ck_assert_int_eq(enter(1, START_MS), ADDR_COUNTED);
    ck_assert_int_eq(enter(1, START_MS), ADDR_COUNTED);
    ck_assert_int_eq(enter(1, START_MS), ADDR_TOO_MANY);
    ck_assert_int_eq(enter(2, START_MS), ADDR_COUNTED);
    ck_assert_uint_eq(addr_limits_known(limits), 2);

    leave(1, START_MS);
    ck_assert_int_eq(enter(1, START_MS), ADDR_COUNTED);
    ck_assert_int_eq(enter(1, START_MS), ADDR_TOO_MANY);
    addr_limits_destroy(limits);
}
END_TEST

START_TEST(an_address_that_left_is_forgotten_at_once_where_no_rate_is_kept)
{
    setup_limits(1, 0);
    ck_assert_int_eq(enter(1, START_MS), ADDR_COUNTED);

    leave(1, START_MS);

    ck_assert_uint_eq(addr_limits_known(limits), 0);
    addr_limits_destroy(limits);
}
END_TEST

START_TEST(an_address_connects_at_its_rate_after_a_burst)
{
    setup_limits(0, 2);

    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(enter(1, START_MS), ADDR_WELCOME);
    ck_assert_int_eq(enter(1, START_MS), ADDR_TOO_FAST);
    ck_assert_int_eq(enter(2, START_MS), ADDR_WELCOME);
    ck_assert_int_eq(enter(1, START_MS + 499), ADDR_TOO_FAST);
    ck_assert_int_eq(enter(1, START_MS + 500), ADDR_WELCOME);
    ck_assert_int_eq(enter(1, START_MS + 500), ADDR_TOO_FAST);
    addr_limits_destroy(limits);
}
END_TEST

START_TEST(leaving_and_coming_back_does_not_fill_the_bucket)
{
    setup_limits(10, 1);

    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(enter(1, START_MS), ADDR_COUNTED);
        leave(1, START_MS);
    }

    ck_assert_int_eq(enter(1, START_MS), ADDR_TOO_FAST);
    ck_assert_uint_eq(addr_limits_known(limits), 1);
    addr_limits_destroy(limits);
}
END_TEST

START_TEST(who_is_refused_for_too_many_loses_no_token)
{
    setup_limits(1, 1);
    ck_assert_int_eq(enter(1, START_MS), ADDR_COUNTED);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(enter(1, START_MS), ADDR_TOO_MANY);

    leave(1, START_MS);

    ck_assert_int_eq(enter(1, START_MS), ADDR_COUNTED);
    addr_limits_destroy(limits);
}
END_TEST

START_TEST(a_sweep_forgets_those_whose_bucket_is_full_again)
{
    setup_limits(5, 1);
    ck_assert_int_eq(enter(1, START_MS), ADDR_COUNTED);
    ck_assert_int_eq(enter(2, START_MS), ADDR_COUNTED);
    leave(1, START_MS);

    ck_assert_uint_eq(addr_limits_sweep(limits, START_MS + 999), 1);
    ck_assert_uint_eq(addr_limits_known(limits), 2);
    ck_assert_uint_eq(addr_limits_sweep(limits, START_MS + 1000), 0);
    ck_assert_uint_eq(addr_limits_known(limits), 1); /* still connected */
    addr_limits_destroy(limits);
}
END_TEST

START_TEST(one_that_keeps_coming_does_not_keep_the_others_from_being_swept)
{
    uint64_t now_ms = START_MS;

    setup_limits(0, 1);
    for (uint32_t n = 0; n < 100; n++)
        ck_assert_int_eq(enter(n, now_ms), ADDR_WELCOME);

    for (int i = 0; i < 40; i++) {
        now_ms += 50;
        (void)enter(0, now_ms);
        (void)addr_limits_sweep(limits, now_ms);
    }

    ck_assert_uint_eq(addr_limits_known(limits), 1);
    addr_limits_destroy(limits);
}
END_TEST

START_TEST(a_flood_of_addresses_cleans_up_after_itself)
{
    const uint32_t per_second = 1000;
    uint64_t now_ms = START_MS;

    setup_limits(0, 1);

    for (uint32_t n = 0; n < 20 * per_second; n++) {
        now_ms = START_MS + n * UINT64_C(1000) / per_second;
        ck_assert_int_eq(enter(n, now_ms), ADDR_WELCOME);
    }

    ck_assert_uint_le(addr_limits_known(limits), per_second + 10);
    addr_limits_destroy(limits);
}
END_TEST

START_TEST(the_table_has_an_end)
{
    const uint32_t most = 1u << 20;

    setup_limits(1, 0);

    for (uint32_t n = 0; n < most; n++)
        if (enter(n, START_MS) != ADDR_COUNTED)
            ck_abort_msg("%u addresses are too many", n);
    ck_assert_int_eq(enter(most, START_MS), ADDR_NO_MEMORY);
    leave(0, START_MS);
    ck_assert_int_eq(enter(most, START_MS), ADDR_COUNTED);
    addr_limits_destroy(limits);
}
END_TEST

START_TEST(nothing_is_remembered_where_nothing_is_limited)
{
    const struct addr local = {.family = AF_UNIX};

    setup_limits(0, 0);
    ck_assert_int_eq(enter(1, START_MS), ADDR_WELCOME);
    reload(1, 1);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(addr_limits_enter(limits, &local, START_MS),
                         ADDR_WELCOME);

    ck_assert_uint_eq(addr_limits_known(limits), 0);
    addr_limits_destroy(limits);
    addr_limits_destroy(NULL);
}
END_TEST

START_TEST(limits_may_be_switched_while_connections_are_open)
{
    setup_limits(0, 0);
    ck_assert_int_eq(enter(1, START_MS), ADDR_WELCOME); /* not counted */
    reload(1, 0);
    ck_assert_int_eq(enter(1, START_MS), ADDR_COUNTED);
    ck_assert_int_eq(enter(1, START_MS), ADDR_TOO_MANY);
    reload(0, 0);
    ck_assert_int_eq(enter(1, START_MS), ADDR_WELCOME);
    leave(1, START_MS);
    reload(1, 0);

    ck_assert_int_eq(enter(1, START_MS), ADDR_COUNTED);
    addr_limits_destroy(limits);
}
END_TEST

UNIT_MAIN("net/limit",
          a_full_bucket_gives_its_burst_and_then_says_how_long_to_wait,
          the_wait_it_names_is_long_enough_and_no_longer,
          it_never_holds_more_than_its_burst,
          what_costs_more_than_the_burst_leaves_a_debt,
          the_largest_numbers_do_not_overflow,
          a_clock_that_stands_still_or_jumps_back_gives_nothing,
          without_a_rate_there_is_no_limit, a_reload_counts_at_once,
          an_address_holds_so_many_connections_and_others_do_not_suffer,
          an_address_that_left_is_forgotten_at_once_where_no_rate_is_kept,
          an_address_connects_at_its_rate_after_a_burst,
          leaving_and_coming_back_does_not_fill_the_bucket,
          who_is_refused_for_too_many_loses_no_token,
          a_sweep_forgets_those_whose_bucket_is_full_again,
          one_that_keeps_coming_does_not_keep_the_others_from_being_swept,
          a_flood_of_addresses_cleans_up_after_itself, the_table_has_an_end,
          nothing_is_remembered_where_nothing_is_limited,
          limits_may_be_switched_while_connections_are_open)
