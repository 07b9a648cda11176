/* SPDX-License-Identifier: BSD-2-Clause
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ops/options.h"
#include "ops/options_priv.h"
#include "support/unit.h"

/* A struct to set things in; what the rows below point into. */
struct fields {
    uint64_t number;
    char text[9];
    char guard;
};

static const char *const colours[] = {"red", "green", "blue", NULL};

static const struct option count = {
    .kind = OPTION_COUNT, .min = 1, .max = 4096};
static const struct option bytes = {
    .kind = OPTION_BYTES, .min = 0, .max = UINT64_C(1) << 40};
static const struct option duration = {
    .kind = OPTION_DURATION, .min = 0, .max = UINT64_C(8640000000)};
static const struct option flag = {.kind = OPTION_FLAG, .max = 1};
static const struct option choice = {.kind = OPTION_CHOICE, .words = colours};
static const struct option text = {
    .kind = OPTION_TEXT, .max = 8, .offset = offsetof(struct fields, text)};
static const struct option name = {.kind = OPTION_TEXT,
                                   .min = 1,
                                   .max = 8,
                                   .offset = offsetof(struct fields, text)};
static const struct option path = {
    .kind = OPTION_PATH, .max = 8, .offset = offsetof(struct fields, text)};

static struct fields fields;
static char why[512];

static int
set(const struct option *o, const char *value)
{
    return option_set(o, &fields, slice_of(value), why, sizeof(why));
}

#define ASSERT_NUMBER(o, value, expected)             \
    do {                                              \
        ck_assert_msg(set(o, value) == 0, "%s", why); \
        ck_assert_uint_eq(fields.number, (expected)); \
    } while (0)

/* Refused with that sentence, and nothing changed. */
#define ASSERT_REFUSED(o, value, sentence)                        \
    do {                                                          \
        fields = (struct fields){.number = 77, .text = "before"}; \
        ck_assert_int_eq(set(o, value), -EINVAL);                 \
        ck_assert_str_eq(why, sentence);                          \
        ck_assert_uint_eq(fields.number, 77);                     \
        ck_assert_str_eq(fields.text, "before");                  \
    } while (0)

START_TEST(counts_are_digits)
{
    ASSERT_NUMBER(&count, "1", 1);
    ASSERT_NUMBER(&count, "0017", 17);
    ASSERT_NUMBER(&count, "\t 4096 ", 4096);

    ASSERT_REFUSED(&count, "", "`` is not a whole number");
    ASSERT_REFUSED(&count, "-1", "`-1` is not a whole number");
    ASSERT_REFUSED(&count, "+1", "`+1` is not a whole number");
    ASSERT_REFUSED(&count, "1.5", "`1.5` is not a whole number");
    ASSERT_REFUSED(&count, "0x10", "`0x10` is not a whole number");
    ASSERT_REFUSED(&count, "1k", "`1k` is not a whole number");
    ASSERT_REFUSED(&count, "1 2", "`1 2` is not a whole number");
}
END_TEST

START_TEST(what_lies_beside_the_range_is_refused_with_the_range)
{
    ASSERT_REFUSED(&count, "0", "0 is out of range: it may be 1 to 4096");
    ASSERT_REFUSED(&count, "4097", "4097 is out of range: it may be 1 to 4096");
    ASSERT_REFUSED(&bytes, "1025G",
                   "1025G is out of range: it may be 0 to 1024G");
    ASSERT_REFUSED(&duration, "101d",
                   "101d is out of range: it may be 0 to 100d");
}
END_TEST

START_TEST(a_number_too_large_for_its_type_is_out_of_range_too)
{
    ASSERT_REFUSED(&count, "18446744073709551617",
                   "18446744073709551617 is out of range: it may be 1 to 4096");
    ASSERT_REFUSED(&bytes, "18446744073709551615G",
                   "18446744073709551615G is out of range: it may be 0 to "
                   "1024G");
    /* 2^34 G is 2^64, which wraps to 0 unless somebody looks. */
    ASSERT_REFUSED(&bytes, "17179869184G",
                   "17179869184G is out of range: it may be 0 to 1024G");
}
END_TEST

START_TEST(sizes_have_powers_of_1024)
{
    ASSERT_NUMBER(&bytes, "0", 0);
    ASSERT_NUMBER(&bytes, "512", 512);
    ASSERT_NUMBER(&bytes, "64k", 65536);
    ASSERT_NUMBER(&bytes, "64K", 65536);
    ASSERT_NUMBER(&bytes, "8M", 8388608);
    ASSERT_NUMBER(&bytes, "1G", 1073741824);

    ASSERT_REFUSED(&bytes, "8MB",
                   "`8MB` is not a size: write 512, 64k, 8M or 1G");
    ASSERT_REFUSED(&bytes, "M", "`M` is not a size: write 512, 64k, 8M or 1G");
    ASSERT_REFUSED(&bytes, "8 M",
                   "`8 M` is not a size: write 512, 64k, 8M or 1G");
}
END_TEST

START_TEST(times_have_a_unit)
{
    ASSERT_NUMBER(&duration, "250ms", 250);
    ASSERT_NUMBER(&duration, "60s", 60000);
    ASSERT_NUMBER(&duration, "2m", 120000);
    ASSERT_NUMBER(&duration, "1h", 3600000);
    ASSERT_NUMBER(&duration, "7d", 604800000);
    ASSERT_NUMBER(&duration, "0", 0);

    ASSERT_REFUSED(&duration, "60",
                   "`60` is not a time: write 250ms, 60s, 2m, 1h or 7d");
    ASSERT_REFUSED(&duration, "1m30s",
                   "`1m30s` is not a time: write 250ms, 60s, 2m, 1h or 7d");
}
END_TEST

START_TEST(a_flag_is_on_or_off_in_three_ways)
{
    static const char *const on[] = {"on", "yes", "true", "ON"};
    static const char *const off[] = {"off", "no", "false", "Off"};

    for (size_t i = 0; i < ARRAY_LEN(on); i++)
        ASSERT_NUMBER(&flag, on[i], 1);
    for (size_t i = 0; i < ARRAY_LEN(off); i++)
        ASSERT_NUMBER(&flag, off[i], 0);
    ASSERT_REFUSED(&flag, "1", "`1` is neither on nor off");
    ASSERT_REFUSED(&flag, "", "`` is neither on nor off");
}
END_TEST

START_TEST(a_choice_is_one_of_its_words)
{
    ASSERT_NUMBER(&choice, "red", 0);
    ASSERT_NUMBER(&choice, "blue", 2);

    ASSERT_REFUSED(&choice, "purple", "`purple` is not red, green or blue");
    ASSERT_REFUSED(&choice, "grene",
                   "`grene` is not red, green or blue; did you mean `green`?");
    ASSERT_REFUSED(&choice, "Blue",
                   "`Blue` is not red, green or blue; did you mean `blue`?");
    ASSERT_REFUSED(&choice, "", "`` is not red, green or blue");
}
END_TEST

START_TEST(a_text_keeps_all_but_the_blanks_around_it)
{
    ck_assert_int_eq(set(&text, " a #b=c "), 0);
    ck_assert_str_eq(fields.text, "a #b=c");
    ck_assert_int_eq(set(&text, "小明"), 0);
    ck_assert_str_eq(fields.text, "小明");
    ck_assert_int_eq(set(&text, ""), 0);
    ck_assert_str_eq(fields.text, "");
}
END_TEST

START_TEST(a_text_fills_its_field_and_not_a_byte_more)
{
    fields.guard = '!';

    ck_assert_int_eq(set(&text, "12345678"), 0);
    ck_assert_str_eq(fields.text, "12345678");
    ck_assert_int_eq(fields.guard, '!');
    ASSERT_REFUSED(&text, "123456789",
                   "`123456789` is too long: 9 bytes, where 8 may be");
}
END_TEST

START_TEST(a_text_that_must_be_there_may_not_be_empty)
{
    ASSERT_REFUSED(&name, "", "it may not be empty");
    ASSERT_REFUSED(&name, " \t", "it may not be empty");
}
END_TEST

START_TEST(a_text_that_would_act_on_a_terminal_is_refused)
{
    ASSERT_REFUSED(&text, "a\033[1m",
                   "`a\033[1m` has a control character in it");
    ASSERT_REFUSED(&text, "a\tb", "`a\tb` has a control character in it");
    ASSERT_REFUSED(&text, "a\u202Eb",
                   "`a\u202Eb` has a control character in it");
    ASSERT_REFUSED(&text, "a\xFF", "`a\xFF` is not UTF-8");
}
END_TEST

START_TEST(a_text_that_a_file_could_not_hold_is_refused)
{
    ck_assert_int_eq(set(&text, "a;b"), 0);

    ASSERT_REFUSED(&text, "a ;b",
                   "`a ;b` has a `;` that would begin a comment");
    ASSERT_REFUSED(&text, ";b", "`;b` has a `;` that would begin a comment");
}
END_TEST

START_TEST(a_path_begins_at_the_root)
{
    ck_assert_int_eq(set(&path, "/a/b"), 0);
    ck_assert_str_eq(fields.text, "/a/b");
    ck_assert_int_eq(set(&path, ""), 0);

    ASSERT_REFUSED(&path, "a/b", "`a/b` is not an absolute path");
    ASSERT_REFUSED(&path, "~/b", "`~/b` is not an absolute path");
}
END_TEST

START_TEST(long_values_are_quoted_in_part_and_never_in_half_characters)
{
    char long_word[301] = "";

    for (size_t i = 0; i < 100; i++)
        memcpy(long_word + 3 * i, "明", 4);
    long_word[0] = long_word[1] = long_word[2] = 'x';

    ck_assert_int_eq(set(&count, long_word), -EINVAL);

    ck_assert_ptr_nonnull(strstr(why, "明…` is not a whole number"));
    ck_assert_uint_lt(strlen(why), 110);
}
END_TEST

START_TEST(numbers_are_written_in_the_largest_unit_that_divides_them)
{
    static const struct {
        const struct option *o;
        uint64_t number;
        const char *text;
    } rows[] = {
        {&count,    65536,     "65536"},
        {&bytes,    0,         "0"    },
        {&bytes,    1023,      "1023" },
        {&bytes,    65536,     "64k"  },
        {&bytes,    1049600,   "1025k"},
        {&bytes,    8388608,   "8M"   },
        {&duration, 0,         "0"    },
        {&duration, 250,       "250ms"},
        {&duration, 90000,     "90s"  },
        {&duration, 60000,     "1m"   },
        {&duration, 172800000, "2d"   },
    };
    char out[32];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        fields.number = rows[i].number;
        ck_assert_str_eq(option_format(rows[i].o, &fields, out, sizeof(out)),
                         rows[i].text);
    }
}
END_TEST

START_TEST(words_and_texts_are_written_as_they_are_read)
{
    char out[32];

    fields.number = 1;
    ck_assert_str_eq(option_format(&flag, &fields, out, sizeof(out)), "on");
    ck_assert_str_eq(option_format(&choice, &fields, out, sizeof(out)),
                     "green");
    fields.number = 0;
    ck_assert_str_eq(option_format(&flag, &fields, out, sizeof(out)), "off");
    memcpy(fields.text, "#room", 6);
    ck_assert_str_eq(option_format(&text, &fields, out, sizeof(out)), "#room");
}
END_TEST

START_TEST(what_is_written_is_read_back)
{
    static const struct option *const numbers[] = {&bytes, &duration};
    uint64_t seed = 42;
    char out[32];

    for (int i = 0; i < 10000; i++) {
        const struct option *const o = numbers[i % 2];
        uint64_t number;

        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        number = (seed >> 11) % (o->max + 1);
        number -= number % (i % 3 == 0 ? 1000 : 1);
        fields.number = number;
        option_format(o, &fields, out, sizeof(out));
        ASSERT_NUMBER(o, out, number);
    }
}
END_TEST

START_TEST(a_short_buffer_cuts_and_does_not_overflow)
{
    char out[4] = "...";

    fields.number = 1234567;
    ck_assert_str_eq(option_format(&bytes, &fields, out, sizeof(out)), "123");
    ck_assert_int_eq(
        option_set(&count, &fields, slice_of("x"), out, sizeof(out)), -EINVAL);
    ck_assert_uint_lt(strlen(out), sizeof(out));
}
END_TEST

START_TEST(each_kind_says_what_may_be_written)
{
    static const struct {
        const struct option *o;
        const char *text;
    } rows[] = {
        {&count,    "1 to 4096"                          },
        {&bytes,    "0 to 1024G"                         },
        {&duration, "0 to 100d"                          },
        {&flag,     "on or off"                          },
        {&choice,   "red, green or blue"                 },
        {&text,     "a text of at most 8 bytes"          },
        {&path,     "an absolute path of at most 8 bytes"},
    };
    char out[64];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        ck_assert_str_eq(option_describe(rows[i].o, out, sizeof(out)),
                         rows[i].text);
}
END_TEST

UNIT_MAIN("ops/option_value", counts_are_digits,
          what_lies_beside_the_range_is_refused_with_the_range,
          a_number_too_large_for_its_type_is_out_of_range_too,
          sizes_have_powers_of_1024, times_have_a_unit,
          a_flag_is_on_or_off_in_three_ways, a_choice_is_one_of_its_words,
          a_text_keeps_all_but_the_blanks_around_it,
          a_text_fills_its_field_and_not_a_byte_more,
          a_text_that_must_be_there_may_not_be_empty,
          a_text_that_would_act_on_a_terminal_is_refused,
          a_text_that_a_file_could_not_hold_is_refused,
          a_path_begins_at_the_root,
          long_values_are_quoted_in_part_and_never_in_half_characters,
          numbers_are_written_in_the_largest_unit_that_divides_them,
          words_and_texts_are_written_as_they_are_read,
          what_is_written_is_read_back,
          a_short_buffer_cuts_and_does_not_overflow,
          each_kind_says_what_may_be_written)
