/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How things are written for people. realloc is wrapped, so that a case can
 * make it fail.
 */
#include "ctl/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support/unit.h"

static bool memory_is_short;
static struct buf out;

void *__real_realloc(void *old, size_t size);

void *
__wrap_realloc(void *old, size_t size)
{
    return memory_is_short ? NULL : __real_realloc(old, size);
}

/* What was appended, which is then forgotten. */
static const char *
taken(void)
{
    static char text[4096];

    ck_assert(!out.failed);
    ck_assert_uint_lt(out.len, sizeof(text));
    if (out.len > 0)
        memcpy(text, out.data, out.len);
    text[out.len] = '\0';
    buf_reset(&out);
    return text;
}

START_TEST(nothing_that_moves_a_cursor_gets_through)
{
    text_append(&out, slice_of("a\x1b[2J\r\n\tb\x7f\xc2\x9b"
                               "c\xe2\x80\xae"
                               "d\xff"));

    ck_assert_str_eq(taken(), "a[2Jbcd\xef\xbf\xbd");
}
END_TEST

START_TEST(lines_stay_lines)
{
    text_append_lines(&out, slice_of("one\x1b\n\ntwo\n"));
    ck_assert_str_eq(taken(), "one\n\ntwo\n");

    text_append_lines(&out, slice_of(""));
    ck_assert_str_eq(taken(), "");
}
END_TEST

START_TEST(durations_have_two_units_at_most)
{
    static const struct {
        uint64_t ms;
        const char *text;
    } cases[] = {
        {0,                    "0s"     },
        {999,                  "0s"     },
        {1000,                 "1s"     },
        {59999,                "59s"    },
        {60000,                "1m00s"  },
        {3599999,              "59m59s" },
        {3600000,              "1h00m"  },
        {86399999,             "23h59m" },
        {86400000,             "1d00h"  },
        {UINT64_C(8640000000), "100d00h"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        text_append_duration(&out, cases[i].ms);
        ck_assert_str_eq(taken(), cases[i].text);
    }
}
END_TEST

START_TEST(bytes_have_three_digits_and_a_unit)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0,                 "0"    },
        {1023,              "1023" },
        {1024,              "1.0k" },
        {10239,             "9.9k" },
        {10240,             "10k"  },
        {1048575,           "1023k"},
        {1048576,           "1.0M" },
        {UINT64_C(5) << 30, "5.0G" },
        {UINT64_MAX,        "15E"  },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        text_append_bytes(&out, cases[i].bytes);
        ck_assert_str_eq(taken(), cases[i].text);
    }
}
END_TEST

START_TEST(every_string_of_an_answer_is_cleaned_and_no_number)
{
    json_t *const json = json_pack("{s:s, s:[s, {s:s}], s:i, s:b, s:n}", "a",
                                   "x\x1b[1m", "list", "y\xe2\x80\xae", "deep",
                                   "l1\nl2\x07", "n", 7, "b", 1, "none");
    json_t *const want =
        json_pack("{s:s, s:[s, {s:s}], s:i, s:b, s:n}", "a", "x[1m", "list",
                  "y", "deep", "l1\nl2", "n", 7, "b", 1, "none");

    ck_assert_int_eq(text_clean_json(json), 0);

    ck_assert(json_equal(json, want));
    json_decref(json);
    json_decref(want);
}
END_TEST

START_TEST(short_memory_leaves_no_string_uncleaned_without_a_word)
{
    json_t *const json = json_pack("[[{s:s}]]", "key", "x\x1b");

    memory_is_short = true;
    ck_assert_int_eq(text_clean_json(json), -ENOMEM);
    memory_is_short = false;
    json_decref(json);
}
END_TEST

static const struct text_column columns[] = {
    {"NAME",  false},
    {"COUNT", true },
    {"WHAT",  false},
};

static void
add_row(struct text_table *t, const char *name, const char *count,
        const char *what)
{
    const char *const cells[] = {name, count, what};

    for (size_t i = 0; i < 3; i++) {
        buf_append_str(&t->text, cells[i]);
        text_table_end_cell(t);
    }
}

START_TEST(columns_are_as_wide_as_their_widest_cell)
{
    struct text_table t;

    text_table_init(&t, columns, ARRAY_LEN(columns));
    add_row(&t, "小明", "7", "x");
    add_row(&t, "a-long-name", "123456", "");
    add_row(&t, "", "", "y");
    text_table_append(&t, &out);
    text_table_fini(&t);

    ck_assert_str_eq(taken(), "NAME          COUNT  WHAT\n"
                              "小明              7  x\n"
                              "a-long-name  123456  \n"
                              "                     y\n");
}
END_TEST

START_TEST(a_table_without_memory_fails_what_it_is_written_to)
{
    struct text_table t;

    text_table_init(&t, columns, ARRAY_LEN(columns));
    memory_is_short = true;
    add_row(&t, "a", "b", "c");
    memory_is_short = false;
    text_table_append(&t, &out);
    text_table_fini(&t);

    ck_assert(out.failed);
}
END_TEST

UNIT_MAIN("ctl/text", nothing_that_moves_a_cursor_gets_through,
          lines_stay_lines, durations_have_two_units_at_most,
          bytes_have_three_digits_and_a_unit,
          every_string_of_an_answer_is_cleaned_and_no_number,
          short_memory_leaves_no_string_uncleaned_without_a_word,
          columns_are_as_wide_as_their_widest_cell,
          a_table_without_memory_fails_what_it_is_written_to)
