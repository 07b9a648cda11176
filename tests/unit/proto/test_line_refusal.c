/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/utf8.h"
#include "proto/line/line_text_priv.h"
#include "support/unit.h"

/* The sentence, NUL-terminated. */
static const char *
sentence(enum refusal refusal, const char *what)
{
    static char text[2048];
    struct line_out o;

    line_out_init(&o, false);
    line_render_refusal(&o, refusal, slice_of(what));
    ck_assert(!o.text.failed);
    ck_assert_uint_lt(o.text.len, sizeof(text));
    memcpy(text, o.text.data, o.text.len);
    text[o.text.len] = '\0';
    buf_fini(&o.text);
    return text;
}

START_TEST(every_refusal_is_one_sentence)
{
    for (int i = 0; i < REFUSAL_COUNT; i++) {
        const char *const text = sentence((enum refusal)i, "x");
        const size_t len = strlen(text);

        ck_assert_uint_gt(len, 20);
        ck_assert_int_eq(strncmp(text, "* ", 2), 0);
        ck_assert_ptr_eq(strchr(text, '\n'), text + len - 1);
        ck_assert_ptr_null(strchr(text, '%'));
        ck_assert(text[2] == 'x' || (text[2] >= 'A' && text[2] <= 'Z'));
    }
}
END_TEST

START_TEST(every_refusal_says_something_else)
{
    for (int i = 0; i < REFUSAL_COUNT; i++) {
        char text[2048];

        strcpy(text, sentence((enum refusal)i, "x"));
        for (int k = 0; k < i; k++)
            ck_assert_str_ne(text, sentence((enum refusal)k, "x"));
    }
}
END_TEST

START_TEST(what_was_refused_is_named)
{
    ck_assert_str_eq(sentence(REFUSAL_NO_SUCH_NICK, "bob"),
                     "* Nobody here is called bob; /who names the people in a "
                     "room.\n");
    ck_assert_str_eq(sentence(REFUSAL_NOT_A_MEMBER, "#tea"),
                     "* You are not in #tea; /join #tea first.\n");
}
END_TEST

START_TEST(nothing_left_of_a_name_is_that)
{
    ck_assert_str_eq(sentence(REFUSAL_NICK_BAD_FIRST, "\033\r\n"),
                     "* That cannot be a nickname; begin it with a letter.\n");
    ck_assert_str_eq(sentence(REFUSAL_NO_SUCH_NICK, ""),
                     "* Nobody here is called that; /who names the people in "
                     "a room.\n");
}
END_TEST

START_TEST(a_percent_sign_in_a_name_is_only_a_sign)
{
    ck_assert_str_eq(sentence(REFUSAL_NO_SUCH_NICK, "%s%n%"),
                     "* Nobody here is called %s%n%; /who names the people in "
                     "a room.\n");
}
END_TEST

START_TEST(long_names_are_cut_between_characters)
{
    char name[3 * 100 + 1] = "";
    const char *text;

    for (int i = 0; i < 100; i++)
        strcat(name, "小");
    text = sentence(REFUSAL_NICK_BAD_CHAR, name);

    ck_assert(utf8_is_valid(slice_of(text)));
    ck_assert_ptr_eq(strstr(text, "…"), text + 2 + 26 * 3);
}
END_TEST

UNIT_MAIN("proto/line_refusal", every_refusal_is_one_sentence,
          every_refusal_says_something_else, what_was_refused_is_named,
          nothing_left_of_a_name_is_that,
          a_percent_sign_in_a_name_is_only_a_sign,
          long_names_are_cut_between_characters)
