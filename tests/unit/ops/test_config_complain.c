/* SPDX-License-Identifier: BSD-2-Clause
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support/unit.h"
#include "unit/ops/load.h"

static struct config_loader loader;
static struct buf errors;

static const char *
said(void)
{
    buf_append_char(&errors, '\0');
    return errors.data;
}

static void
begin(void)
{
    buf_init(&errors);
    loader = (struct config_loader){.errors = &errors};
}

START_TEST(a_complaint_begins_with_where_it_is)
{
    const struct config_origin line = {.name = "a.conf", .line = 3};
    const struct config_origin variable = {.name = "KLATCH_X"};

    begin();
    config_error(&loader, &line, "%s is wrong", "this");
    config_warn(&loader, &line, "%s is odd", "this");
    config_error(&loader, &variable, "wrong");

    ck_assert_str_eq(said(), "a.conf:3: this is wrong\n"
                             "a.conf:3: warning: this is odd\n"
                             "KLATCH_X: wrong\n");
    ck_assert_uint_eq(loader.error_count, 2);
    buf_fini(&errors);
}
END_TEST

START_TEST(nothing_in_it_acts_on_a_terminal)
{
    const struct config_origin at = {.name = "a\033[2J\n.conf", .line = 1};

    begin();
    config_error(&loader, &at, "`%s`", "\a\u202Ex\r\ny");

    ck_assert_str_eq(said(), "a[2J.conf:1: `xy`\n");
    buf_fini(&errors);
}
END_TEST

START_TEST(a_complaint_has_an_end)
{
    struct config_origin at = {.name = "a", .line = 1};
    static char huge[100000];

    memset(huge, 'x', sizeof(huge) - 1);
    begin();
    config_error(&loader, &at, "%s", huge);
    at.name = huge;
    config_error(&loader, &at, "%s", huge);

    ck_assert_uint_lt(errors.len, 5000);
    buf_fini(&errors);
}
END_TEST

START_TEST(more_than_a_hundred_are_only_counted)
{
    struct buf text, expected;
    struct loaded l;

    buf_init(&text);
    buf_init(&expected);
    for (unsigned i = 1; i <= 10000; i++) {
        buf_append_str(&text, "x\n");
        if (i <= CONFIG_COMPLAINTS_MAX)
            buf_printf(&expected,
                       "t.conf:%u: not `key = value`, [section] or a "
                       "comment\n",
                       i);
    }
    buf_append_str(&expected, "9900 more errors are not shown\n");
    buf_append_char(&expected, '\0');
    l = load_bytes(text.data, text.len);

    ck_assert_int_eq(l.rc, -EINVAL);
    ck_assert_str_eq(l.errors, expected.data);
    loaded_fini(&l);
    buf_fini(&text);
    buf_fini(&expected);
}
END_TEST

START_TEST(an_error_behind_many_warnings_is_shown)
{
    struct buf text;
    struct loaded l;

    buf_init(&text);
    buf_append_str(&text, "[limits]\n");
    for (unsigned i = 0; i < 200; i++)
        buf_append_str(&text, "sendq = 64k\n");
    buf_append_str(&text, "sendqq = 64k\n");
    l = load_bytes(text.data, text.len);

    ck_assert_int_eq(l.rc, -EINVAL);
    ck_assert_ptr_nonnull(strstr(l.errors, "\nt.conf:202: [limits] has no "));
    ck_assert_ptr_nonnull(
        strstr(l.errors, "\n99 more warnings are not shown\n"));
    loaded_fini(&l);
    buf_fini(&text);
}
END_TEST

UNIT_MAIN("ops/config_complain", a_complaint_begins_with_where_it_is,
          nothing_in_it_acts_on_a_terminal, a_complaint_has_an_end,
          more_than_a_hundred_are_only_counted,
          an_error_behind_many_warnings_is_shown)
