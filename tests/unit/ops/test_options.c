/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table itself: whatever row is added must pass here.
 */
#include "ops/options.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ops/options_priv.h"
#include "support/unit.h"

typedef void (*row_fn)(const struct option *o, size_t base_size);

static void
each_row(row_fn look)
{
    for (size_t i = 0; i < option_count; i++)
        look(&options[i], sizeof(struct config));
    for (size_t i = 0; i < listen_option_count; i++)
        look(&listen_options[i], sizeof(struct config_listener));
}

static bool
is_number(const struct option *o)
{
    return o->kind == OPTION_COUNT || o->kind == OPTION_BYTES ||
           o->kind == OPTION_DURATION;
}

static bool
is_text(const struct option *o)
{
    return o->kind == OPTION_TEXT || o->kind == OPTION_PATH;
}

static size_t
field_size(const struct option *o)
{
    return is_text(o) ? o->max + 1 : sizeof(uint64_t);
}

static void
default_parses(const struct option *o, size_t base_size)
{
    char *const base = calloc(1, base_size);
    char why[256] = "";

    ck_assert_msg(option_set(o, base, slice_of(o->def), why, sizeof(why)) == 0,
                  "[%s] %s = %s: %s", o->section, o->key, o->def, why);
    free(base);
}

START_TEST(every_default_parses_and_lies_in_its_range)
{
    each_row(default_parses);
}
END_TEST

static void
field_fits(const struct option *o, size_t base_size)
{
    ck_assert_msg(o->offset + field_size(o) <= base_size, "[%s] %s", o->section,
                  o->key);
    if (!is_text(o))
        ck_assert_msg(o->offset % _Alignof(uint64_t) == 0, "[%s] %s",
                      o->section, o->key);
}

START_TEST(every_field_lies_in_its_struct)
{
    each_row(field_fits);
}
END_TEST

static void
assert_apart(const struct option *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            const struct option *const a = &rows[i];
            const struct option *const b = &rows[j];

            ck_assert_msg(a->offset >= b->offset + field_size(b) ||
                              b->offset >= a->offset + field_size(a),
                          "[%s] %s and [%s] %s share a field", a->section,
                          a->key, b->section, b->key);
            ck_assert_msg(strcmp(a->section, b->section) != 0 ||
                              strcmp(a->key, b->key) != 0,
                          "[%s] %s is there twice", a->section, a->key);
        }
}

START_TEST(no_two_rows_share_a_name_or_a_field)
{
    assert_apart(options, option_count);
    assert_apart(listen_options, listen_option_count);
}
END_TEST

static void
kind_fits(const struct option *o, size_t base_size)
{
    ck_assert((o->kind == OPTION_CHOICE) == (o->words != NULL));
    if (is_number(o))
        ck_assert_msg(o->min < o->max, "[%s] %s", o->section, o->key);
    if (is_text(o))
        ck_assert_msg(o->max < OPTION_VALUE_SIZE, "[%s] %s", o->section,
                      o->key);
}

START_TEST(every_row_has_what_its_kind_needs)
{
    each_row(kind_fits);
}
END_TEST

static bool
is_word(const char *s, const char *also)
{
    for (; *s != '\0'; s++)
        if (!islower((unsigned char)*s) && strchr(also, *s) == NULL)
            return false;
    return true;
}

/* KLATCH_SECTION_KEY: the first `_` ends the section. */
static void
name_suits_a_variable(const struct option *o, size_t base_size)
{
    ck_assert_msg(is_word(o->section, ""), "%s", o->section);
    ck_assert_msg(is_word(o->key, "_"), "%s", o->key);
    ck_assert_msg(strcmp(o->key, "include") != 0,
                  "`include` reads files in every section");
}

START_TEST(every_name_can_be_said_by_a_variable)
{
    each_row(name_suits_a_variable);
}
END_TEST

static void
longest_line_fits(const struct option *o, size_t base_size)
{
    const size_t longest = is_text(o) ? o->max : 24;

    ck_assert_msg(strlen(o->key) + strlen(" = ") + longest <= 199,
                  "[%s] %s: its longest value does not fit into a line",
                  o->section, o->key);
}

START_TEST(the_longest_value_fits_into_a_line)
{
    each_row(longest_line_fits);
}
END_TEST

static void
section_is_listed(const struct option *o, size_t base_size)
{
    size_t n = 0;

    for (size_t i = 0; i < option_section_count; i++)
        n += strcmp(option_sections[i].name, o->section) == 0;
    ck_assert_msg(n == 1, "[%s] is listed %zu times", o->section, n);
}

START_TEST(every_section_is_listed_once)
{
    each_row(section_is_listed);
}
END_TEST

static void
help_is_a_plain_line(const struct option *o, size_t base_size)
{
    ck_assert_msg(strlen(o->help) > 10 && strlen(o->help) <= 200, "[%s] %s",
                  o->section, o->key);
    ck_assert_msg(strpbrk(o->help, "\n\r\t") == NULL, "[%s] %s", o->section,
                  o->key);
}

START_TEST(every_row_is_explained_in_one_line)
{
    each_row(help_is_a_plain_line);
}
END_TEST

START_TEST(a_row_is_found_by_section_and_key)
{
    const struct option *const o =
        option_find(slice_of("limits"), slice_of("sendq"));

    ck_assert_ptr_nonnull(o);
    ck_assert_str_eq(o->section, "limits");
    ck_assert_str_eq(o->key, "sendq");
    ck_assert_ptr_null(option_find(slice_of("limit"), slice_of("sendq")));
    ck_assert_ptr_null(option_find(slice_of("limits"), slice_of("send")));
    ck_assert_ptr_null(option_find(slice_of("limits"), slice_of("sendqq")));
    ck_assert_ptr_null(option_find(slice_of("listen"), slice_of("address")));
    ck_assert_ptr_nonnull(option_find_listen(slice_of("address")));
    ck_assert_ptr_null(option_find_listen(slice_of("sendq")));
}
END_TEST

START_TEST(log_levels_are_called_what_the_log_calls_them)
{
    const struct option *const o =
        option_find(slice_of("log"), slice_of("level"));

    for (unsigned i = 0; i < LOG_LEVEL_COUNT; i++)
        ck_assert_str_eq(o->words[i], log_level_name((enum log_level)i));
}
END_TEST

UNIT_MAIN("ops/options", every_default_parses_and_lies_in_its_range,
          every_field_lies_in_its_struct, no_two_rows_share_a_name_or_a_field,
          every_row_has_what_its_kind_needs,
          every_name_can_be_said_by_a_variable,
          the_longest_value_fits_into_a_line, every_section_is_listed_once,
          every_row_is_explained_in_one_line, a_row_is_found_by_section_and_key,
          log_levels_are_called_what_the_log_calls_them)
