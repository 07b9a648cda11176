/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From argv and from a line to what a command was given.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "ctl/ctl.h"
#include "support/unit.h"

static struct ctl_args args;
static struct buf text;

static bool
from_argv(const char *command, int argc, const char *const *argv)
{
    buf_reset(&text);
    return ctl_args_from_argv(ctl_find(command), argc,
                              (char *const *)(uintptr_t)argv, &args, &text);
}

#define FROM_ARGV(command, ...)                                      \
    from_argv((command), ARRAY_LEN(((const char *[]){__VA_ARGS__})), \
              (const char *[]){__VA_ARGS__})

static bool
from_line(const char *command, const char *line)
{
    static char copy[256];

    snprintf(copy, sizeof(copy), "%s", line);
    return ctl_args_from_line(ctl_find(command), copy, &args);
}

START_TEST(every_command_is_found_and_no_other)
{
    for (size_t i = 0; i < ctl_command_count; i++)
        ck_assert_ptr_eq(ctl_find(ctl_commands[i].name), &ctl_commands[i]);
    ck_assert_ptr_null(ctl_find(""));
    ck_assert_ptr_null(ctl_find("sa"));
    ck_assert_ptr_null(ctl_find("says"));
}
END_TEST

START_TEST(no_command_wants_more_words_than_there_is_room_for)
{
    for (size_t i = 0; i < ctl_command_count; i++) {
        ck_assert_uint_le(ctl_commands[i].min_words, ctl_commands[i].max_words);
        ck_assert_uint_le(ctl_commands[i].max_words, CTL_WORDS_MAX);
    }
}
END_TEST

START_TEST(the_words_of_a_text_are_joined_by_blanks)
{
    ck_assert(FROM_ARGV("say", "#ops", "back", "at  six", ""));

    ck_assert_uint_eq(args.count, 1);
    ck_assert_str_eq(args.words[0], "#ops");
    ck_assert_str_eq(args.text, "back at  six ");
}
END_TEST

START_TEST(a_text_left_out_or_a_dash_means_the_input)
{
    ck_assert(FROM_ARGV("say", "#ops"));
    ck_assert_ptr_null(args.text);
    ck_assert(FROM_ARGV("say", "#ops", "-"));
    ck_assert_ptr_null(args.text);
    ck_assert(FROM_ARGV("broadcast", "-"));
    ck_assert_ptr_null(args.text);

    ck_assert(FROM_ARGV("say", "#ops", "-", "really"));
    ck_assert_str_eq(args.text, "- really");
    ck_assert(FROM_ARGV("kick", "bob", "-"));
    ck_assert_str_eq(args.text, "-");
}
END_TEST

START_TEST(too_few_and_too_many_words_are_refused)
{
    ck_assert(!from_argv("say", 0, NULL));
    ck_assert(!from_argv("kick", 0, NULL));
    ck_assert(!from_argv("log", 0, NULL));
    ck_assert(!FROM_ARGV("status", "x"));
    ck_assert(!FROM_ARGV("log", "debug", "conn", "x"));
    ck_assert(from_argv("status", 0, NULL));
    ck_assert(FROM_ARGV("log", "debug", "conn"));
    ck_assert_str_eq(args.words[1], "conn");
}
END_TEST

START_TEST(in_a_line_the_text_is_the_rest_as_it_stands)
{
    ck_assert(from_line("say", "  #ops   it is  done "));

    ck_assert_str_eq(args.words[0], "#ops");
    ck_assert_str_eq(args.text, "it is  done ");
    ck_assert(from_line("broadcast", "-"));
    ck_assert_str_eq(args.text, "-");
    ck_assert(from_line("kick", "bob"));
    ck_assert_ptr_null(args.text);
    ck_assert(from_line("log", "debug\tconn "));
    ck_assert_str_eq(args.words[0], "debug");
    ck_assert_str_eq(args.words[1], "conn");
}
END_TEST

START_TEST(in_a_line_a_text_to_say_cannot_be_left_out)
{
    ck_assert(!from_line("say", ""));
    ck_assert(!from_line("say", "#ops"));
    ck_assert(!from_line("say", "#ops  "));
    ck_assert(!from_line("broadcast", " "));
    ck_assert(!from_line("kick", ""));
    ck_assert(!from_line("status", "x"));
    ck_assert(!from_line("log", "debug conn x"));
}
END_TEST

static const char *
completed(const char *prefix, size_t matches)
{
    static char more[32];

    buf_reset(&text);
    ck_assert_uint_eq(ctl_complete(prefix, &text), matches);
    memcpy(more, text.len > 0 ? text.data : "", text.len);
    more[text.len] = '\0';
    return more;
}

START_TEST(a_name_is_completed_as_far_as_it_is_sure)
{
    ck_assert_str_eq(completed("broa", 1), "dcast ");
    ck_assert_str_eq(completed("say", 1), " ");
    ck_assert_str_eq(completed("st", 2), ""); /* status, stop */
    ck_assert_str_eq(completed("r", 2), "");  /* rooms, reload */
    ck_assert_str_eq(completed("ki", 1), "ck ");
    ck_assert_str_eq(completed("c", 3), ""); /* clients, census, console */
    ck_assert_str_eq(completed("sayy", 0), "");
    ck_assert_str_eq(completed("", ctl_command_count), "");
}
END_TEST

UNIT_MAIN("ctl/words", every_command_is_found_and_no_other,
          no_command_wants_more_words_than_there_is_room_for,
          the_words_of_a_text_are_joined_by_blanks,
          a_text_left_out_or_a_dash_means_the_input,
          too_few_and_too_many_words_are_refused,
          in_a_line_the_text_is_the_rest_as_it_stands,
          in_a_line_a_text_to_say_cannot_be_left_out,
          a_name_is_completed_as_far_as_it_is_sure)
