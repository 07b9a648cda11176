/* SPDX-License-Identifier: BSD-2-Clause
 */
#include "ops/options.h"
#include "support/unit.h"

static const char *const words[] = {"sendq", "recvq", "connections", "workers",
                                    "name",  "pin",   "protocol",    "tls"};

static const char *
meant_by(const char *word)
{
    return suggest(slice_of(word), words, ARRAY_LEN(words));
}

START_TEST(a_letter_wrong_missing_or_too_many_is_a_slip)
{
    ck_assert_str_eq(meant_by("sentq"), "sendq");
    ck_assert_str_eq(meant_by("senq"), "sendq");
    ck_assert_str_eq(meant_by("senddq"), "sendq");
    ck_assert_str_eq(meant_by("protocl"), "protocol");
}
END_TEST

START_TEST(two_letters_swapped_count_as_one_slip)
{
    ck_assert_str_eq(meant_by("snedq"), "sendq");
    ck_assert_str_eq(meant_by("tsl"), "tls");
    ck_assert_str_eq(meant_by("ipn"), "pin");
}
END_TEST

START_TEST(case_is_no_slip)
{
    ck_assert_str_eq(meant_by("SENDQ"), "sendq");
    ck_assert_str_eq(meant_by("PiM"), "pin");
}
END_TEST

START_TEST(long_words_may_hold_more_slips)
{
    ck_assert_str_eq(meant_by("conections"), "connections");
    ck_assert_str_eq(meant_by("conectoins"), "connections");
    ck_assert_str_eq(meant_by("conectinz"), "connections");
    ck_assert_ptr_null(meant_by("conect"));
}
END_TEST

START_TEST(what_is_far_from_all_is_no_slip)
{
    ck_assert_ptr_null(meant_by("limits"));
    ck_assert_ptr_null(meant_by("x"));
    ck_assert_ptr_null(meant_by("tx"));
    ck_assert_ptr_null(meant_by("sxxdq"));
}
END_TEST

START_TEST(an_empty_word_and_no_words_suggest_nothing)
{
    ck_assert_ptr_null(meant_by(""));
    ck_assert_ptr_null(suggest(slice_of("sendq"), words, 0));
}
END_TEST

START_TEST(the_nearest_wins_and_then_the_first)
{
    const char *const near[] = {"cart", "card", "cars"};

    ck_assert_str_eq(suggest(slice_of("card"), near, 3), "card");
    ck_assert_str_eq(suggest(slice_of("carx"), near, 3), "cart");
}
END_TEST

START_TEST(a_word_longer_than_any_setting_is_not_looked_at)
{
    char word[4096];

    memset(word, 's', sizeof(word));

    ck_assert_ptr_null(
        suggest(slice_make(word, sizeof(word)), words, ARRAY_LEN(words)));
}
END_TEST

UNIT_MAIN("ops/suggest", a_letter_wrong_missing_or_too_many_is_a_slip,
          two_letters_swapped_count_as_one_slip, case_is_no_slip,
          long_words_may_hold_more_slips, what_is_far_from_all_is_no_slip,
          an_empty_word_and_no_words_suggest_nothing,
          the_nearest_wins_and_then_the_first,
          a_word_longer_than_any_setting_is_not_looked_at)
