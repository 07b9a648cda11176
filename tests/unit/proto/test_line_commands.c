/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "proto/line/line_priv.h"
#include "support/unit.h"

static struct line_input
parse(const char *line)
{
    /* Bytes of their own, so that a read beyond them is seen. */
    const size_t len = strlen(line);
    char *const copy = malloc(len > 0 ? len : 1);
    struct line_input in;

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, line, len);
    line_parse(slice_make(copy, len), &in);
    /* Back into the caller's, which outlives this. */
    if (in.text.len > 0)
        in.text = slice_make(line + (in.text.data - copy), in.text.len);
    free(copy);
    return in;
}

static void
check(const char *line, enum line_kind kind, const char *name, const char *text)
{
    const struct line_input in = parse(line);

    ck_assert_msg(in.kind == kind, "\"%s\" is a %d", line, (int)in.kind);
    if (name != NULL)
        ck_assert_str_eq(in.command->name, name);
    else
        ck_assert_ptr_null(in.command);
    ck_assert_msg(slice_equal(in.text, slice_of(text)), "\"%s\": \"%.*s\"",
                  line, SLICE_ARG(in.text));
}

START_TEST(what_has_no_slash_is_talk)
{
    check("hello", LINE_TALK, NULL, "hello");
    check("  hello  ", LINE_TALK, NULL, "  hello  ");
    check(" /join #tea", LINE_TALK, NULL, " /join #tea");
    check("1/2", LINE_TALK, NULL, "1/2");
}
END_TEST

START_TEST(two_slashes_say_one)
{
    check("//join #tea", LINE_TALK, NULL, "/join #tea");
    check("//", LINE_TALK, NULL, "/");
    check("///", LINE_TALK, NULL, "//");
}
END_TEST

START_TEST(blank_lines_are_nothing)
{
    const char *const blanks[] = {"", " ", "\t", "  \t "};

    for (size_t i = 0; i < ARRAY_LEN(blanks); i++)
        ck_assert_int_eq(parse(blanks[i]).kind, LINE_EMPTY);
}
END_TEST

START_TEST(commands_in_any_case_and_with_any_spaces)
{
    check("/join #tea", LINE_COMMAND, "join", "#tea");
    check("/JOIN #tea", LINE_COMMAND, "join", "#tea");
    check("/Join  \t #tea  ", LINE_COMMAND, "join", "#tea  ");
    check("/quit", LINE_COMMAND, "quit", "");
    check("/quit ", LINE_COMMAND, "quit", "");
    check("/me  waves  twice", LINE_COMMAND, "me", "waves  twice");
}
END_TEST

START_TEST(what_is_not_in_the_table_is_unknown)
{
    check("/", LINE_UNKNOWN, NULL, "");
    check("/ join", LINE_UNKNOWN, NULL, "");
    check("/joi #tea", LINE_UNKNOWN, NULL, "joi");
    check("/joins", LINE_UNKNOWN, NULL, "joins");
    check("/join#tea", LINE_UNKNOWN, NULL, "join#tea");
    check("/小明 x", LINE_UNKNOWN, NULL, "小明");
}
END_TEST

static void
check_row(void *arg, const struct line_command *command)
{
    unsigned *const rows = arg;

    ++*rows;
    ck_assert_ptr_eq(line_command_find(slice_of(command->name)), command);
    ck_assert(command->run != NULL);
    ck_assert_uint_gt(strlen(command->help), 0);
    ck_assert_uint_le(command->min, command->max);
    /* /help shows what may follow, and nothing where nothing may. */
    ck_assert_int_eq(command->max > 0, command->usage[0] != '\0');
    ck_assert_int_eq(command->min == 0,
                     command->usage[0] == '\0' || command->usage[0] == '[');
}

START_TEST(every_row_can_be_found_and_is_whole)
{
    unsigned rows = 0;

    line_each_command(check_row, &rows);

    ck_assert_uint_eq(rows, 16);
}
END_TEST

START_TEST(words_are_taken_off_the_front)
{
    struct slice rest = slice_of("  #tea \t two  three ");

    ck_assert(slice_equal(line_word(&rest), slice_of("#tea")));
    ck_assert(slice_equal(rest, slice_of("two  three ")));
    ck_assert(slice_equal(line_word(&rest), slice_of("two")));
    ck_assert(slice_equal(line_word(&rest), slice_of("three")));
    ck_assert_uint_eq(rest.len, 0);
    ck_assert_uint_eq(line_word(&rest).len, 0);
    ck_assert_uint_eq(line_word(&rest).len, 0);
}
END_TEST

START_TEST(an_empty_slice_without_bytes_has_no_words)
{
    struct slice rest = slice_make(NULL, 0);

    ck_assert_uint_eq(line_word(&rest).len, 0);
    ck_assert_uint_eq(line_trim(rest).len, 0);
}
END_TEST

START_TEST(both_ends_are_trimmed)
{
    ck_assert(slice_equal(line_trim(slice_of(" \ta b\t ")), slice_of("a b")));
    ck_assert_uint_eq(line_trim(slice_of("  \t ")).len, 0);
}
END_TEST

START_TEST(numbers)
{
    uint32_t n = 7;

    ck_assert(line_number(slice_of("0"), &n) && n == 0);
    ck_assert(line_number(slice_of("50"), &n) && n == 50);
    ck_assert(line_number(slice_of("007"), &n) && n == 7);
    ck_assert(line_number(slice_of("4294967295"), &n) && n == UINT32_MAX);
    ck_assert(line_number(slice_of("4294967296"), &n) && n == UINT32_MAX);
    ck_assert(line_number(slice_of("99999999999999999999"), &n) &&
              n == UINT32_MAX);
}
END_TEST

START_TEST(what_is_no_number)
{
    const char *const words[] = {"", "-1", "+1", "1a", "a", "1.5", " 1", "１"};
    uint32_t n = 7;

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        ck_assert(!line_number(slice_of(words[i]), &n));
    ck_assert_uint_eq(n, 7);
}
END_TEST

UNIT_MAIN("proto/line_commands", what_has_no_slash_is_talk, two_slashes_say_one,
          blank_lines_are_nothing, commands_in_any_case_and_with_any_spaces,
          what_is_not_in_the_table_is_unknown,
          every_row_can_be_found_and_is_whole, words_are_taken_off_the_front,
          an_empty_slice_without_bytes_has_no_words, both_ends_are_trimmed,
          numbers, what_is_no_number)
