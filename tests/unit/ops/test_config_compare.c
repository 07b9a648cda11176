/* SPDX-License-Identifier: BSD-2-Clause
 */
#include <stdio.h>
#include <string.h>

#include "support/unit.h"
#include "unit/ops/load.h"

/* What config_compare() reports, a line each. */
struct report {
    char text[2048];
};

static void
on_change(void *arg, const char *section, const char *key, bool live,
          const char *was, const char *is)
{
    struct report *const report = arg;
    const size_t at = strlen(report->text);

    (void)snprintf(report->text + at, sizeof(report->text) - at,
                   "[%s] %s: %s -> %s%s\n", section, key != NULL ? key : "-",
                   was != NULL ? was : "-", is != NULL ? is : "-",
                   live ? "" : " (start)");
}

static void
assert_report(const struct config *was, const struct config *is,
              const char *expected)
{
    struct report report = {.text = ""};

    config_compare(was, is, on_change, &report);

    ck_assert_str_eq(report.text, expected);
}

START_TEST(nothing_changes_between_a_config_and_itself)
{
    struct loaded a = load_text("[limits]\nsendq = 64k\n", NULL);
    struct loaded b = load_text("[limits]\nsendq = 65536\n", NULL);

    assert_report(a.conf, a.conf, "");
    assert_report(a.conf, b.conf, "");
    loaded_fini(&a);
    loaded_fini(&b);
}
END_TEST

/* Sets one row of `is` to another value and expects just that. */
static void
assert_row_is_reported(const struct option *o, const struct config *was,
                       struct config *is, void *base, const char *section)
{
    char before[OPTION_VALUE_SIZE], after[OPTION_VALUE_SIZE];
    char expected[1024], why[256];

    option_format(o, base, before, sizeof(before));
    other_value(o, base, after, sizeof(after));
    ck_assert_int_eq(option_set(o, base, slice_of(after), why, sizeof(why)), 0);
    (void)snprintf(expected, sizeof(expected), "[%s] %s: %s -> %s%s\n", section,
                   o->key, before, after,
                   o->reload == OPTION_LIVE ? "" : " (start)");

    assert_report(was, is, expected);

    ck_assert_int_eq(option_set(o, base, slice_of(before), why, sizeof(why)),
                     0);
}

START_TEST(each_setting_that_changes_is_reported_live_or_not)
{
    struct config *was, *is;

    ck_assert_int_eq(config_create(&was), 0);
    ck_assert_int_eq(config_create(&is), 0);

    for (size_t i = 0; i < option_count; i++)
        assert_row_is_reported(&options[i], was, is, is, options[i].section);
    for (size_t i = 0; i < listen_option_count; i++)
        assert_row_is_reported(&listen_options[i], was, is, &is->listeners[0],
                               "listen \"main\"");
    assert_report(was, is, "");
    config_destroy(was);
    config_destroy(is);
}
END_TEST

START_TEST(what_a_reload_can_change_is_known)
{
    static const struct {
        const char *section, *key;
        enum option_reload reload;
    } rows[] = {
        {"server",   "name",       OPTION_LIVE },
        {"server",   "workers",    OPTION_START},
        {"server",   "pin",        OPTION_START},
        {"admin",    "socket",     OPTION_START},
        {"limits",   "sendq",      OPTION_LIVE },
        {"timeouts", "drain",      OPTION_LIVE },
        {"history",  "keep_bytes", OPTION_LIVE },
        {"log",      "level",      OPTION_LIVE },
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        ck_assert_int_eq(
            option_find(slice_of(rows[i].section), slice_of(rows[i].key))
                ->reload,
            rows[i].reload);
}
END_TEST

START_TEST(new_and_vanished_listeners_are_reported_by_their_address)
{
    struct loaded a = load_text("[listen \"a\"]\naddress = 127.0.0.1:1\n"
                                "[listen \"b\"]\naddress = 127.0.0.1:2\n",
                                NULL);
    struct loaded b = load_text("[listen \"c\"]\naddress = 127.0.0.1:3\n"
                                "[listen \"B\"]\naddress = 127.0.0.1:4\n",
                                NULL);

    assert_report(a.conf, b.conf,
                  "[listen \"a\"] -: 127.0.0.1:1 -> -\n"
                  "[listen \"b\"] address: 127.0.0.1:2 -> 127.0.0.1:4\n"
                  "[listen \"c\"] -: - -> 127.0.0.1:3\n");
    loaded_fini(&a);
    loaded_fini(&b);
}
END_TEST

START_TEST(the_order_of_listeners_is_no_change)
{
    struct loaded a = load_text("[listen \"a\"]\naddress = 127.0.0.1:1\n"
                                "[listen \"b\"]\naddress = 127.0.0.1:2\n",
                                NULL);
    struct loaded b = load_text("[listen \"b\"]\naddress = 127.0.0.1:2\n"
                                "[listen \"a\"]\naddress = 127.0.0.1:1\n",
                                NULL);

    assert_report(a.conf, b.conf, "");
    loaded_fini(&a);
    loaded_fini(&b);
}
END_TEST

UNIT_MAIN("ops/config_compare", nothing_changes_between_a_config_and_itself,
          each_setting_that_changes_is_reported_live_or_not,
          what_a_reload_can_change_is_known,
          new_and_vanished_listeners_are_reported_by_their_address,
          the_order_of_listeners_is_no_change)
