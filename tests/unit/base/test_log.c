/* SPDX-License-Identifier: BSD-2-Clause
 *
 * No log thread here: lines are written by the caller, at once. clock_mono_ms()
 * is wrapped, so the windows of repeats open and close as a case likes.
 */
#include "base/log.h"

#include <errno.h>
#include <string.h>

#include "support/capture.h"
#include "support/unit.h"

static struct capture captured;
static uint64_t now_ms;

uint64_t __wrap_clock_mono_ms(void);

uint64_t
__wrap_clock_mono_ms(void)
{
    return now_ms;
}

static void
arrange(void)
{
    capture_open(&captured);
    now_ms = 1000000;
    log_set_fd(captured.in);
    log_set_level(LOG_LEVEL_INFO);
    log_set_format(LOG_FORMAT_TEXT);
}

static void
put_away(void)
{
    log_set_fd(STDERR_FILENO);
    capture_close(&captured);
}

static bool
is_said(const char *words)
{
    return strstr(capture_text(&captured), words) != NULL;
}

START_TEST(a_line_carries_time_level_area_event_and_fields)
{
    arrange();

    LOG_INFO(LOG_CONN, "closed", LOG_F_U64("conn", 81),
             LOG_F_STR("reason", "idle"));

    ck_assert(is_said("Z info conn closed conn=81 reason=idle\n"));
    put_away();
}
END_TEST

START_TEST(the_form_can_be_json)
{
    arrange();
    log_set_format(LOG_FORMAT_JSON);

    LOG_NOTICE(LOG_MAIN, "started", LOG_F_NONE);

    ck_assert(is_said("\"area\":\"main\",\"event\":\"started\"}\n"));
    put_away();
}
END_TEST

START_TEST(only_the_levels_asked_for_are_written)
{
    arrange();

    for (int least = 0; least < LOG_LEVEL_COUNT; least++) {
        log_set_level((enum log_level)least);
        for (int level = 0; level < LOG_LEVEL_COUNT; level++)
            ck_assert(log_is_on((enum log_level)level, LOG_NET) ==
                      (level <= least));
    }
    log_set_level(LOG_LEVEL_INFO);
    LOG_DEBUG(LOG_NET, "hidden", LOG_F_NONE);
    LOG_INFO(LOG_NET, "shown", LOG_F_NONE);

    ck_assert(is_said("shown"));
    ck_assert(!is_said("hidden"));
    put_away();
}
END_TEST

START_TEST(one_area_can_be_traced_alone)
{
    arrange();
    log_set_area_level(LOG_HUB, LOG_LEVEL_TRACE);

    LOG_TRACE(LOG_HUB, "inside", LOG_F_NONE);
    LOG_TRACE(LOG_NET, "outside", LOG_F_NONE);
    log_set_area_level(LOG_HUB, LOG_LEVEL_ERROR);
    LOG_TRACE(LOG_HUB, "afterwards", LOG_F_NONE);
    LOG_INFO(LOG_HUB, "still", LOG_F_NONE);

    ck_assert(is_said("trace hub inside"));
    ck_assert(is_said("info hub still"));
    ck_assert(!is_said("outside"));
    ck_assert(!is_said("afterwards"));
    put_away();
}
END_TEST

static unsigned evaluated;

static uint64_t
evaluate(void)
{
    return ++evaluated;
}

START_TEST(fields_of_a_line_that_is_off_are_not_evaluated)
{
    arrange();

    LOG_DEBUG(LOG_NET, "off", LOG_F_U64("n", evaluate()));
    ck_assert_uint_eq(evaluated, 0);
    LOG_INFO(LOG_NET, "on", LOG_F_U64("n", evaluate()));

    ck_assert_uint_eq(evaluated, 1);
    put_away();
}
END_TEST

START_TEST(logging_leaves_errno_alone)
{
    arrange();
    log_set_fd(-1);
    errno = ENOENT;

    LOG_INFO(LOG_NET, "nowhere to go", LOG_F_NONE);

    ck_assert_int_eq(errno, ENOENT);
    put_away();
}
END_TEST

/* What LOG_WARN does, but for the place, which each case has its own. */
static void
complain(struct log_site *site)
{
    log_write(site, LOG_LEVEL_WARN, LOG_NET, "no descriptors", NULL, 0);
}

START_TEST(a_place_that_repeats_itself_is_cut_short)
{
    struct log_site site = {0};

    arrange();

    for (unsigned i = 0; i < 1000; i++)
        complain(&site);

    ck_assert_uint_eq(capture_count(&captured, "no descriptors\n"),
                      LOG_SITE_BURST);
    put_away();
}
END_TEST

START_TEST(the_next_window_tells_what_was_skipped)
{
    struct log_site site = {0};

    arrange();
    for (unsigned i = 0; i < LOG_SITE_BURST + 33; i++)
        complain(&site);

    now_ms += LOG_SITE_WINDOW_MS - 1;
    complain(&site);
    ck_assert(!is_said("skipped"));
    now_ms += 1;
    complain(&site);

    ck_assert(is_said("no descriptors skipped=34\n"));
    ck_assert_uint_eq(capture_count(&captured, "no descriptors"),
                      LOG_SITE_BURST + 1);
    put_away();
}
END_TEST

START_TEST(a_new_window_has_a_new_budget)
{
    struct log_site site = {0};

    arrange();

    for (unsigned window = 0; window < 3; window++) {
        for (unsigned i = 0; i < 50; i++)
            complain(&site);
        now_ms += LOG_SITE_WINDOW_MS;
    }

    ck_assert_uint_eq(capture_count(&captured, "no descriptors"),
                      3 * LOG_SITE_BURST);
    ck_assert_uint_eq(capture_count(&captured, "skipped=40\n"), 2);
    put_away();
}
END_TEST

START_TEST(a_place_that_kept_to_its_budget_skipped_nothing)
{
    struct log_site site = {0};

    arrange();
    for (unsigned i = 0; i < LOG_SITE_BURST; i++)
        complain(&site);

    now_ms += LOG_SITE_WINDOW_MS;
    complain(&site);

    ck_assert(!is_said("skipped"));
    put_away();
}
END_TEST

START_TEST(places_do_not_share_a_budget)
{
    arrange();

    for (unsigned i = 0; i < 20; i++) {
        LOG_WARN(LOG_NET, "one", LOG_F_NONE);
        LOG_ERROR(LOG_NET, "other", LOG_F_NONE);
    }

    ck_assert_uint_eq(capture_count(&captured, "one"), LOG_SITE_BURST);
    ck_assert_uint_eq(capture_count(&captured, "other"), LOG_SITE_BURST);
    put_away();
}
END_TEST

START_TEST(what_is_no_complaint_is_not_limited)
{
    arrange();

    for (unsigned i = 0; i < 100; i++) {
        LOG_INFO(LOG_CONN, "closed", LOG_F_NONE);
        LOG_NOTICE(LOG_MAIN, "reloaded", LOG_F_NONE);
    }

    ck_assert_uint_eq(capture_count(&captured, "closed"), 100);
    ck_assert_uint_eq(capture_count(&captured, "reloaded"), 100);
    put_away();
}
END_TEST

UNIT_MAIN("base/log", a_line_carries_time_level_area_event_and_fields,
          the_form_can_be_json, only_the_levels_asked_for_are_written,
          one_area_can_be_traced_alone,
          fields_of_a_line_that_is_off_are_not_evaluated,
          logging_leaves_errno_alone, a_place_that_repeats_itself_is_cut_short,
          the_next_window_tells_what_was_skipped, a_new_window_has_a_new_budget,
          a_place_that_kept_to_its_budget_skipped_nothing,
          places_do_not_share_a_budget, what_is_no_complaint_is_not_limited)
