/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/metric.h"

#include "base/compiler.h"
#include "support/unit.h"

#define POT_COUNTERS(X)               \
    X(brewed, COUNTER, "pots brewed") \
    X(drunk, COUNTER, "cups drunk")   \
    X(guests, GAUGE, "guests at table")

struct pot_counters {
    POT_COUNTERS(METRIC_FIELD)
};

#define POT_ROW(name, kind, help) \
    METRIC_DESC(struct pot_counters, name, kind, help),

static const struct metric_desc pot_metrics[] = {POT_COUNTERS(POT_ROW)};

START_TEST(the_table_describes_each_field)
{
    ck_assert_uint_eq(ARRAY_LEN(pot_metrics), 3);
    ck_assert_str_eq(pot_metrics[0].name, "brewed");
    ck_assert_str_eq(pot_metrics[1].help, "cups drunk");
    ck_assert_int_eq(pot_metrics[1].kind, METRIC_COUNTER);
    ck_assert_int_eq(pot_metrics[2].kind, METRIC_GAUGE);
    ck_assert_uint_eq(pot_metrics[2].offset,
                      offsetof(struct pot_counters, guests));
}
END_TEST

START_TEST(additions_add_up)
{
    struct pot_counters pot = {0};

    metric_add(&pot.brewed, 1);
    metric_add(&pot.brewed, 41);

    ck_assert_uint_eq(metric_read(&pot.brewed), 42);
    ck_assert_uint_eq(metric_read(&pot.drunk), 0);
}
END_TEST

START_TEST(a_gauge_comes_back_to_zero)
{
    struct pot_counters pot = {0};

    metric_add(&pot.guests, 3);
    metric_sub(&pot.guests, 2);
    ck_assert_uint_eq(metric_read(&pot.guests), 1);

    metric_sub(&pot.guests, 1);
    ck_assert_uint_eq(metric_read(&pot.guests), 0);
}
END_TEST

START_TEST(reading_by_description_finds_the_same_value)
{
    struct pot_counters pot = {0};

    metric_add(&pot.brewed, 1);
    metric_add(&pot.drunk, 20);
    metric_add(&pot.guests, 300);

    ck_assert_uint_eq(metric_read_at(&pot, &pot_metrics[0]), 1);
    ck_assert_uint_eq(metric_read_at(&pot, &pot_metrics[1]), 20);
    ck_assert_uint_eq(metric_read_at(&pot, &pot_metrics[2]), 300);
}
END_TEST

UNIT_MAIN("base/metric", the_table_describes_each_field, additions_add_up,
          a_gauge_comes_back_to_zero,
          reading_by_description_finds_the_same_value)
